"""licm: what has moved gives the same, and nothing fails that did not."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from tests.ops.samples import SAMPLES
from tests.ops.samples.base import Sample
from tir.dialects.all import REGISTRY
from tir.dialects.tir.base import TensorOp
from tir.interpret import Interpreter
from tir.ir.errors import TirError
from tir.ir.pass_manager import Pipeline, run_pipeline
from tir.ir.printer import print_op
from tir.parser.parse import parse_text
from tir.passes.licm import Licm


def moved(text: str) -> str:
    """What is left of @f."""
    module = parse_text(text, REGISTRY)
    run_pipeline(Pipeline([Licm()]), module)
    return print_op(module)


# --- what says that it cannot fail -----------------------------------------------------------------------------------


def hostile(sample: Sample, rng: np.random.Generator) -> list[np.ndarray]:
    """Inputs of the same shapes: any integers, and floats among which are all that are special."""
    found = []
    for array in sample.inputs:
        if array.dtype.kind in "iu":
            info = np.iinfo(array.dtype)
            found.append(rng.choice(np.array([info.min, info.max, 0, 7], array.dtype), array.shape))
        elif array.dtype.kind == "f":
            found.append(rng.choice(np.array([np.nan, np.inf, -np.inf, -0.0, 1e30], np.float64), array.shape).astype(array.dtype))
        else:
            found.append(array)
    return found


def samples_of_each_op() -> Iterator[Sample]:
    seen: dict[str, int] = {}
    for sample in SAMPLES:
        seen[sample.op] = seen.get(sample.op, 0) + 1
        if seen[sample.op] <= 6:
            yield sample


def test_ops_that_say_that_they_cannot_fail_do_not() -> None:
    rng, tried, wrong = np.random.default_rng(0), set(), []
    for sample in samples_of_each_op():
        module = parse_text(sample.module(), REGISTRY)
        if any(op.may_fail() for op in module.walk() if isinstance(op, TensorOp)):
            continue
        tried.add(sample.op)
        try:
            with np.errstate(all="ignore"):
                Interpreter(module).run("f", hostile(sample, rng))
        except TirError as error:
            wrong.append(f"{sample}: {error}")
    assert wrong == []
    assert len(tried) > 150, len(tried)


@pytest.mark.parametrize(("text", "fails"), [
    ("%r = tir.add %x, %y : tensor<?xf32>", True),
    ("%r = tir.add %n, %n : tensor<[N]xf32>", False),
    ("%r = tir.dot %n, %n : tensor<f32>", False),
    ("%r = tir.dot %x, %y : tensor<f32>", True),
    ("%r = tir.slice %n from [2] to [0] step [1] : tensor<[N - 2]xf32>", True),
    ("%r = tir.sum %x over [0] : tensor<f32>", False),
    ("%r = tir.take %s at %i axis 0 : tensor<f32>", True),
    ("%r = tir.take %s at %i axis 0 mode drop : tensor<f32>", False),
    ("%r = tir.take %x at %i axis 0 mode clamp : tensor<f32>", True),
    ("%r = tir.dynamic_slice %s at %i : tensor<4xf32> -> tensor<2xf32>", True),
    ("%r = tir.dynamic_slice %s at %i mode clamp : tensor<4xf32> -> tensor<2xf32>", False),
    ("%r = tensor.extract %s[%c3] : tensor<4xf32>", False),
    ("%r = tensor.extract %s[%c4] : tensor<4xf32>", True),
    ("%r = tensor.extract %x[%c3] : tensor<?xf32>", True),
    ("%r = tensor.dim %x, %c0 : tensor<?xf32>", False),
    ("%r = tensor.dim %x, %c3 : tensor<?xf32>", True),
    ("%r = tensor.empty(%c3) : tensor<?xf32>", True),
    ("%r = tensor.cast %x : tensor<?xf32> to tensor<4xf32>", True),
    ("%r = memref.load %m[%c0, %c3] : memref<2x4xf32>", False),
    ("%r = memref.load %m[%c3, %c3] : memref<2x4xf32>", True),
    ("%r = arith.divsi %c3, %c0 : index", False),
])  # fmt: skip
def test_op_says_whether_it_can_fail(text: str, fails: bool) -> None:
    module = parse_text(f"""func.func @f(%x: tensor<?xf32>, %y: tensor<?xf32>, %n: tensor<[N]xf32>, %s: tensor<4xf32>,
        %i: tensor<i32>, %m: memref<2x4xf32>) {{
      %c0 = arith.constant 0 : index
      %c3 = arith.constant 3 : index
      %c4 = arith.constant 4 : index
      {text}
      return
    }}""", REGISTRY)  # fmt: skip
    *_, op, _ = module.body.first.body  # type: ignore[union-attr]
    assert op.may_fail() is fails


# --- what moves ------------------------------------------------------------------------------------------------------

LOOP = """
func.func @f(%n: index, %i: index, %m: memref<4xf32>, %k: memref<4xf32>) -> f32 {{
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %last = arith.constant {last} : index
  %x = arith.constant 1.0 : f32
  %own = memref.alloc() : memref<4xf32>
  memref.store %x, %own[%one] : memref<4xf32>
  {before}
  %r = scf.for %j = %zero to {end} step %one iter_args(%a = %x) -> (f32) {{
    {inside}
    scf.yield %y : f32
  }}
  return %r : f32
}}
"""


def loads_in_loop(inside: str, end: str = "%last", last: int = 2, before: str = "") -> bool:
    """Whether the load is still in the loop behind the pass."""
    text = moved(LOOP.format(last=last, before=before, end=end, inside=inside))
    return "memref.load" in text.partition("scf.for")[2]


@pytest.mark.parametrize(("inside", "stays"), [
    ("%y = memref.load %m[%one] : memref<4xf32>", False),
    ("%y = memref.load %m[%j] : memref<4xf32>", True),
    ("%y = memref.load %m[%one] : memref<4xf32>\nmemref.store %y, %own[%j] : memref<4xf32>", False),
    ("%y = memref.load %own[%one] : memref<4xf32>\nmemref.store %y, %m[%j] : memref<4xf32>", False),
    ("%y = memref.load %own[%one] : memref<4xf32>\nmemref.store %y, %own[%j] : memref<4xf32>", True),
    ("%y = memref.load %m[%one] : memref<4xf32>\nmemref.copy %own, %m : memref<4xf32> to memref<4xf32>", True),
    ("%y = memref.load %m[%one] : memref<4xf32>\nmemref.copy %m, %own : memref<4xf32> to memref<4xf32>", False),
    ("%p = arith.cmpf olt, %a, %x : f32\ncf.assert %p, \"no\"\n%y = memref.load %m[%one] : memref<4xf32>", False),
    ("%p = arith.cmpf olt, %a, %x : f32\ncf.assert %p, \"no\"\n%y = memref.load %m[%i] : memref<4xf32>", True),
    ("%y = memref.load %m[%i] : memref<4xf32>", False),
])  # fmt: skip
def test_load_moves_if_nothing_in_the_loop_may_write_it(inside: str, stays: bool) -> None:
    assert loads_in_loop(inside) is stays


@pytest.mark.parametrize(("end", "last", "stays"), [("%last", 1, False), ("%last", 0, True), ("%n", 1, True)])
def test_load_that_may_be_out_of_bounds_moves_out_of_loops_that_run(end: str, last: int, stays: bool) -> None:
    assert loads_in_loop("%y = memref.load %m[%i] : memref<4xf32>", end, last) is stays


def test_load_of_what_is_freed_stays_in_a_loop_that_may_not_run() -> None:
    load, free = "%y = memref.load %own[%one] : memref<4xf32>", "memref.dealloc %own : memref<4xf32>"
    assert loads_in_loop(load, "%n", before=free)
    assert not loads_in_loop(load, "%n")


def test_order_of_what_can_fail_stays() -> None:
    text = moved("""
        func.func @f(%x: tensor<3xf32>, %y: tensor<4xf32>, %i: tensor<i32>, %j: tensor<i32>) -> tensor<f32> {
          %zero = tir.constant dense<0.0> : tensor<f32>
          %0 = tir.scan (%a = %zero : tensor<f32>) over (%e = %x : tensor<3xf32>) {
            %1 = tir.scan (%b = %a : tensor<f32>) over (%d = %x : tensor<3xf32>) {
              %first = tir.take %y at %i axis 0 : tensor<f32>
              %2 = tir.mul %b, %first : tensor<f32>
              tir.yield %2 : tensor<f32>
            }
            %second = tir.take %y at %j axis 0 : tensor<f32>
            %3 = tir.add %1, %second : tensor<f32>
            tir.yield %3 : tensor<f32>
          }
          return %0 : tensor<f32>
        }
    """)
    head = text.partition("tir.scan")[0]
    assert 0 < head.index("%first") < head.index("%second")


def test_what_can_fail_stays_behind_a_loop_in_which_something_else_can() -> None:
    text = moved("""
        func.func @f(%x: tensor<3xf32>, %y: tensor<4xf32>, %j: tensor<i32>, %n: tensor<3xi32>) -> tensor<f32> {
          %zero = tir.constant dense<0.0> : tensor<f32>
          %0 = tir.scan (%a = %zero : tensor<f32>) over (%e = %x : tensor<3xf32>) {
            %1 = tir.scan (%b = %a : tensor<f32>) over (%i = %n : tensor<3xi32>) {
              %first = tir.take %y at %i axis 0 : tensor<f32>
              tir.yield %first : tensor<f32>
            }
            %second = tir.take %y at %j axis 0 : tensor<f32>
            %3 = tir.add %1, %second : tensor<f32>
            tir.yield %3 : tensor<f32>
          }
          return %0 : tensor<f32>
        }
    """)
    assert "tir.take" not in text.partition("tir.scan")[0]


def test_loop_that_moves_takes_what_is_in_it_along() -> None:
    text = moved("""
        func.func @f(%n: index, %x: i32) -> i32 {
          %zero = arith.constant 0 : index
          %one = arith.constant 1 : index
          %0 = scf.for %i = %zero to %n step %one iter_args(%a = %x) -> (i32) {
            %1 = scf.for %j = %zero to %n step %one iter_args(%b = %x) -> (i32) {
              %c = arith.muli %x, %x : i32
              %2 = arith.addi %b, %c : i32
              scf.yield %2 : i32
            }
            %3 = arith.addi %a, %1 : i32
            scf.yield %3 : i32
          }
          return %0 : i32
        }
    """)
    lines = [line.strip().partition(" = ")[2].partition(" ")[0] for line in text.splitlines()]
    assert [line for line in lines if line.startswith(("scf.for", "arith.muli"))] == ["arith.muli", "scf.for", "scf.for"]
    assert text.count("      %") == 2  # one op in each of the two loops, side by side


def test_loop_moves_when_what_held_it_has_left() -> None:
    text = moved("""
        func.func @f(%x: tensor<3xf32>, %n: tensor<[N]xf32>, %y: tensor<4xf32>, %z: tensor<f32>, %i: tensor<i32>) -> tensor<f32> {
          %0 = tir.scan (%a = %z : tensor<f32>) over (%e = %x : tensor<3xf32>) {
            %1 = tir.scan (%b = %z : tensor<f32>) over (%d = %x : tensor<3xf32>) {
              %first = tir.take %y at %i axis 0 : tensor<f32>
              %2 = tir.mul %b, %first : tensor<f32>
              tir.yield %2 : tensor<f32>
            }
            %second = tir.take %y at %i axis 0 : tensor<f32>
            %3 = tir.add %1, %second : tensor<f32>
            %4 = tir.add %3, %a : tensor<f32>
            tir.yield %4 : tensor<f32>
          }
          return %0 : tensor<f32>
        }
    """)
    lines = [line for line in text.splitlines() if line.startswith("    %")]
    assert [line.split(" = ")[1].split(" ")[0] for line in lines] == ["tir.take", "tir.scan", "tir.take", "tir.add", "tir.scan"]
    assert lines[0].startswith("    %first") and lines[2].startswith("    %second")
