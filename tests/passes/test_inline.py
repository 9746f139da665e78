"""inline: bodies take the place of calls, where that ends and keeps the meaning."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from tir.dialects.all import REGISTRY
from tir.interpret import Interpreter
from tir.ir.errors import CallSiteLocation, LimitError
from tir.ir.ir import Op
from tir.ir.printer import print_op
from tir.ir.verify import verify
from tir.parser.parse import parse_text
from tir.passes.inline import Inline


def inlined(text: str) -> Op:
    module = parse_text(text, REGISTRY, file="m.tir")
    Inline().run(module)
    verify(module)
    return module


TWICE = """
func.func private @twice(%x: f32) -> f32 {
  %0 = arith.addf %x, %x : f32
  return %0 : f32
}
"""


def test_a_call_becomes_the_body_with_the_arguments_in_their_places() -> None:
    module = inlined(TWICE + """
func.func @main(%a: f32) -> f32 {
  %0 = func.call @twice(%a) : (f32) -> f32
  %1 = func.call @twice(%0) : (f32) -> f32
  return %1 : f32
}""")  # fmt: skip
    assert "call" not in print_op(module)
    assert print_op(module).count("arith.addf") == 3  # @twice itself stays
    assert Interpreter(module).run("main", [np.float32(3)]) == [12]
    (op,) = [op for op in module.body if op.sym_name == "main"]
    location = op.entry.first.location
    assert isinstance(location, CallSiteLocation)
    assert str(location.callee.file_location()) == "m.tir:3:3" and str(location.caller.file_location()) == "m.tir:8:3"


def test_calls_of_calls_are_inlined_whatever_their_order_in_the_text() -> None:
    module = inlined("""
func.func @main(%a: f32) -> f32 {
  %0 = func.call @outer(%a) : (f32) -> f32
  return %0 : f32
}
func.func private @outer(%a: f32) -> f32 {
  %0 = func.call @twice(%a) : (f32) -> f32
  return %0 : f32
}""" + TWICE)  # fmt: skip
    assert "call" not in print_op(module)


def test_a_function_may_return_its_argument_and_calls_may_stand_in_regions() -> None:
    module = inlined("""
func.func private @same(%x: f32, %y: f32) -> (f32, f32) {
  return %y, %x : f32, f32
}
func.func @main(%c: i1, %a: f32, %b: f32) -> f32 {
  %0 = scf.if %c -> (f32) {
    %1:2 = func.call @same(%a, %b) : (f32, f32) -> (f32, f32)
    scf.yield %1#0 : f32
  } else {
    scf.yield %a : f32
  }
  return %0 : f32
}""")  # fmt: skip
    assert "call" not in print_op(module)
    assert Interpreter(module).run("main", [np.True_, np.float32(1), np.float32(2)]) == [2]


@pytest.mark.parametrize("callee", [
    "func.func private @f(i32) -> i32",
    "func.func private @f(%x: i32) -> i32 attributes {no_inline} {\n  return %x : i32\n}",
    "func.func private @f(%x: i32) -> i32 {\n  cf.br ^bb1\n^bb1:\n  return %x : i32\n}",
    "func.func private @f(%x: i32) -> i32 {\n  %0 = func.call @f(%x) : (i32) -> i32\n  return %0 : i32\n}",
    "func.func private @f(%x: i32) -> i32 {\n  %0 = func.call @g(%x) : (i32) -> i32\n  return %0 : i32\n}\n"
    "func.func private @g(%x: i32) -> i32 {\n  %0 = func.call @f(%x) : (i32) -> i32\n  return %0 : i32\n}",
])  # fmt: skip
def test_declarations_recursion_several_blocks_and_no_inline_stay_calls(callee: str) -> None:
    text = callee + "\nfunc.func @main(%x: i32) -> i32 {\n  %0 = func.call @f(%x) : (i32) -> i32\n  return %0 : i32\n}"
    before = print_op(parse_text(text, REGISTRY))
    assert print_op(inlined(text)) == before


def doubling(depth: int) -> str:
    """Functions of which each calls the next one twice."""
    body = (
        "func.func @f{0}(%x: f32) -> f32 {{\n  %0 = func.call @f{1}(%x) : (f32) -> f32\n"
        "  %1 = func.call @f{1}(%0) : (f32) -> f32\n  return %1 : f32\n}}\n"
    )
    last = f"func.func @f{depth}(%x: f32) -> f32 {{\n  return %x : f32\n}}\n"
    return "".join(body.format(i, i + 1) for i in range(depth)) + last


def test_calls_that_multiply_stop_at_a_limit_with_a_location() -> None:
    with pytest.raises(LimitError, match=r"m.tir:\d+:3: inline: the module would get more than 1000 ops"):
        module = parse_text(
            doubling(30).replace("return %x", "%0 = arith.negf %x : f32\n  return %0"), REGISTRY, file="m.tir"
        )
        Inline(max_ops=1000).run(module)


def test_a_long_chain_of_calls_does_not_exhaust_the_stack() -> None:
    body = (
        "func.func private @f{0}(%x: f32) -> f32 {{\n  %0 = func.call @f{1}(%x) : (f32) -> f32\n  return %0 : f32\n}}\n"
    )
    text = "".join(body.format(i, i + 1) for i in range(1000)) + "func.func private @f1000(f32) -> f32"
    module = parse_text(text, REGISTRY)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(200)
    try:
        Inline().run(module)
    finally:
        sys.setrecursionlimit(limit)
    verify(module)
    assert print_op(module).count("call @f1000(") == 1000


STATE = """
tir.shared @n : tensor<i32> = dense<3>
func.func private @next() -> tensor<i32> {
  %0 = tir.read @n : tensor<i32>
  %1 = tir.add %0, %0 : tensor<i32>
  tir.update @n, %1 : tensor<i32>
  return %1 : tensor<i32>
}
"""


def test_functions_with_state_are_inlined_and_read_each_variable_once() -> None:
    text = STATE + """
func.func @main() -> (tensor<i32>, tensor<i32>) {
  %0 = func.call @next() : () -> tensor<i32>
  %1 = tir.read @n : tensor<i32>
  return %0, %1 : tensor<i32>, tensor<i32>
}"""
    runs = [Interpreter(parse_text(text, REGISTRY)), Interpreter(inlined(text))]
    for _ in range(2):
        before, after = (run.run("main") for run in runs)
        assert before == after
    assert runs[1].state["n"] == 12


@pytest.mark.parametrize("body", [
    "%0 = func.call @next() : () -> tensor<i32>\n  %1 = func.call @next() : () -> tensor<i32>",
    "scf.if %c {\n    %0 = func.call @next() : () -> tensor<i32>\n    %1 = func.call @next() : () -> tensor<i32>\n  }",
])  # fmt: skip
def test_state_stays_in_a_call_where_the_caller_may_not_have_it(body: str) -> None:
    module = inlined(STATE + f"func.func @main(%c: i1) {{\n  {body}\n  return\n}}")
    assert "call @next()" in print_op(module)
