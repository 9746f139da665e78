"""`tir.assert` and `tir.print`: what they do besides computing, on the interpreter and as machine code."""

from __future__ import annotations

import numpy as np
import pytest

from tests.levels import LEVELS, module_at
from tir.compile import Executable
from tir.dialects.all import REGISTRY
from tir.ir.errors import ExecutionError, TirError
from tir.ir.pass_manager import run_pipeline
from tir.ir.printer import print_op
from tir.parser.parse import parse_text
from tir.passes.pipelines import default, lower_cpu

PRINTING = """
tir.shared @n : tensor<i32> = dense<0>
func.func @f(%x: tensor<[N]xui8> {tir.name = "x"}) -> (tensor<[N]xui8> {tir.name = "y"}) {
  %n = tir.read @n : tensor<i32>
  %one = tir.full 1 : i32 -> tensor<i32>
  %m = tir.add %n, %one : tensor<i32>
  tir.print "x" %x : tensor<[N]xui8>
  tir.update @n, %m : tensor<i32>
  %y = tir.add %x, %x : tensor<[N]xui8>
  tir.print "new n" %m : tensor<i32>
  tir.print "y" %y : tensor<[N]xui8>
  return %y : tensor<[N]xui8>
}
"""

CHECKED = """
tir.shared @n : tensor<i32> = dense<0>
func.func @f(%x: tensor<?xf32> {tir.name = "x"}) -> (tensor<?xf32> {tir.name = "y"}) {
  %size = tir.dim %x axis 0 : tensor<?xf32>
  %count = tir.cast %size : index -> tensor<i32>
  %zero = tir.full 0 : i32 -> tensor<i32>
  %some = tir.cmp gt %count, %zero : tensor<i32>
  tir.update @n, %count : tensor<i32>
  tir.print "count" %count : tensor<i32>
  tir.assert %some, "x must not be empty" : tensor<i1>
  return %x : tensor<?xf32>
}
"""


def at_level(text: str, level: str) -> Executable:
    passes, target = LEVELS[level]
    return Executable(module_at(text, passes()), target=target)


@pytest.mark.parametrize("level", LEVELS)
def test_prints_come_on_standard_error_in_the_order_of_the_text_and_are_no_results(
    level: str, capfd: pytest.CaptureFixture[str]
) -> None:
    program = at_level(PRINTING, level)
    assert [result.name for result in program.entries["f"].results if result.name] in (["y"], [])
    (y,) = program.call("f", [np.array([1, 200], np.uint8)])
    assert y.tolist() == [2, 144] and y.dtype == np.uint8
    out, err = capfd.readouterr()
    assert (out, err) == ("", "x = [  1, 200]\nnew n = 1\ny = [  2, 144]\n")


@pytest.mark.parametrize("level", LEVELS)
def test_a_failing_assert_ends_the_call_prints_nothing_and_changes_nothing(
    level: str, capfd: pytest.CaptureFixture[str]
) -> None:
    program = at_level(CHECKED, level)
    with pytest.raises(ExecutionError, match="x must not be empty"):
        program.call("f", [np.zeros(0, np.float32)])
    assert program.state["n"] == 0
    assert capfd.readouterr().err == ""
    program.call("f", [np.zeros(3, np.float32)])
    assert program.state["n"] == 3
    assert capfd.readouterr().err == "count = 3\n"


def test_a_called_function_that_prints_must_be_inlined() -> None:
    text = """
    func.func private @g(%x: tensor<f32>) -> tensor<f32> {
      tir.print "x" %x : tensor<f32>
      return %x : tensor<f32>
    }
    func.func @f(%x: tensor<f32>) -> tensor<f32> {
      %0 = func.call @g(%x) : (tensor<f32>) -> tensor<f32>
      return %0 : tensor<f32>
    }
    """
    with pytest.raises(TirError, match="@g prints, so it must be inlined here; run the pass inline first"):
        module_at(text, [pass_ for pass_ in lower_cpu().steps if getattr(pass_, "name", "") == "state-to-arguments"])
    module = parse_text(text, REGISTRY)
    run_pipeline(default(), module)
    assert '{tir.out, tir.print = "x"}' in print_op(module)


def test_a_print_stands_at_the_top_level_of_a_function() -> None:
    text = """
    func.func @f(%c: i1, %x: tensor<f32>) {
      scf.if %c {
        tir.print "x" %x : tensor<f32>
      }
      return
    }
    """
    with pytest.raises(TirError, match="tir.print: must stand at the top level of a function, in its first block"):
        parse_text(text, REGISTRY)


def test_an_assert_needs_one_truth_value() -> None:
    text = 'func.func @f(%c: tensor<2xi1>) {\n  tir.assert %c, "no" : tensor<2xi1>\n  return\n}\n'
    with pytest.raises(TirError, match="tir.assert: the condition must have rank 0, got tensor<2xi1>; tir.all makes it so"):
        parse_text(text, REGISTRY)
