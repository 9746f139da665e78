"""sccp: what is found to be a constant is what the program computes, whatever calls it and however it is run."""

from __future__ import annotations

import numpy as np
import pytest

from tests.levels import bits
from tests.random_program_text import Program
from tests.random_programs import random_program
from tir.dialects.all import REGISTRY
from tir.interpret import Interpreter
from tir.ir.attributes import DenseAttr
from tir.ir.ir import Op
from tir.ir.pass_manager import Pipeline, run_pipeline
from tir.ir.pipeline_text import parse_pipeline
from tir.ir.printer import print_op
from tir.ir.types import BF16
from tir.parser.parse import parse_text
from tir.passes.autodiff import Autodiff
from tir.passes.pipelines import ALL
from tir.passes.sccp import Sccp

QUICK = range(60)
SLOW = [range(start, start + 250) for start in range(60, 1_060, 250)]


def propagated(text: str) -> str:
    module = parse_text(text, REGISTRY)
    run_pipeline(Pipeline([Sccp()]), module)
    return print_op(module)


PRIVATE = """
func.func private @f(%x: i32) -> i32 {
  %0 = arith.addi %x, %x : i32
  return %0 : i32
}
func.func @g() -> i32 {
  %c = arith.constant 21 : i32
  %0 = func.call @f(%c) : (i32) -> i32
  return %0 : i32
}
"""


def test_module_knows_all_calls_of_a_private_function() -> None:
    assert propagated(PRIVATE).count("arith.constant 42 : i32") == 2


def test_function_by_itself_may_get_anything() -> None:
    module = parse_text(PRIVATE, REGISTRY)
    run_pipeline(parse_pipeline("builtin.module(func.func(sccp))", ALL), module)
    assert print_op(module) == print_op(parse_text(PRIVATE, REGISTRY))


@pytest.mark.parametrize("user", [
    "tir.shared @w : tensor<i32> init @f",
    "func.func private @h(%x: tensor<f32>) -> tensor<f32> attributes {tir.other = [@f]} {\n  return %x : tensor<f32>\n}",
])  # fmt: skip
def test_function_that_is_named_outside_of_a_call_may_get_anything(user: str) -> None:
    text = """
        func.func private @f() -> tensor<i32> {
          %0 = func.call @k() : () -> tensor<i32>
          return %0 : tensor<i32>
        }
        func.func private @k() -> tensor<i32> {
          %0 = tir.constant dense<2> : tensor<i32>
          %1 = tir.add %0, %0 : tensor<i32>
          return %1 : tensor<i32>
        }
    """
    text = text if "tir.shared" in user else text.replace("tensor<i32>", "tensor<f32>").replace("<2>", "<2.0>")
    user = user.replace("tir.other", "other.uses")
    assert "dense<4" not in propagated(text)  # nobody calls it
    assert propagated(text + user).count("tir.constant dense<4") == 2


# --- random programs -------------------------------------------------------------------------------------------------


def with_constants(program: Program) -> str | None:
    """@main calls the program as a private function, with constants for all arguments whose sizes are numbers.

    None for a program that has state, which stands in an entry alone.
    """
    if program.head:
        return None
    given, lines, outer = program.arguments(), [], []
    for argument in program.given:
        value = argument.value
        array = given[value.name[1:]]
        if all(dim.is_static for dim in value.dims):
            attribute = DenseAttr.of(array, BF16) if value.element == "bf16" else DenseAttr.of(array)
            lines.append(f"  {value.name} = tir.constant {str(attribute).rpartition(' : ')[0]} : {value.type}")
        else:
            outer.append(f"{value.name}: {value.type} {argument.attributes()}")
    names, types = ", ".join(a.value.name for a in program.given), ", ".join(a.value.type for a in program.given)
    results = ", ".join(value.type for value in program.results)
    made = ", ".join(f"%r{i}" for i in range(len(program.results)))
    lines.append(f"  {made} = func.call @program({names}) : ({types}) -> ({results})")
    lines.append(f"  return {made} : {results}")
    inner = program.text.replace("func.func @main", "func.func private @program")
    return "\n".join([inner, f"func.func @main({', '.join(outer)}) -> ({results}) {{", *lines, "}", ""])


def results_of(module: Op, program: Program) -> list[bytes]:
    given = program.arguments()
    arguments = [given[a.value.name[1:]] for a in program.given if not all(dim.is_static for dim in a.value.dims)]
    with np.errstate(all="ignore"):
        return [bits(x) for x in Interpreter(module).run("main", arguments)]


def check(seed: int, control: bool) -> bool:
    """The program of constants gives the same bits when sccp has run, in front of autodiff and behind it."""
    program = random_program(seed, wide=not control, control=control)
    text = with_constants(program)
    if text is None:
        return False
    module = parse_text(text, REGISTRY)
    run_pipeline(Pipeline([Autodiff()]), module)
    want = results_of(module, program)
    ops = sum(1 for _ in module.walk())
    run_pipeline(Pipeline([Sccp()]), module)
    assert results_of(module, program) == want, f"seed {seed}\n{text}"
    text_behind = print_op(module)
    run_pipeline(Pipeline([Sccp()]), module)
    assert print_op(module) == text_behind, f"seed {seed}: not done at once\n{text}"
    return sum(1 for _ in module.walk()) < ops


@pytest.mark.parametrize("control", [False, True], ids=["all ops", "loops"])
def test_random_programs_of_constants_give_the_same_bits(control: bool) -> None:
    assert sum(check(seed, control) for seed in QUICK) >= 10


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("control", [False, True], ids=["all ops", "loops"])
@pytest.mark.parametrize("seeds", SLOW, ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
def test_many_random_programs_of_constants_give_the_same_bits(seeds: range, control: bool) -> None:
    assert sum(check(seed, control) for seed in seeds) > len(seeds) // 6
