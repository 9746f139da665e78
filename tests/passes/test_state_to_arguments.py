"""state-to-arguments: the functions it leaves compute the new state from the old one as the program said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tir.dialects.all import REGISTRY
from tir.interpret import Interpreter
from tir.ir.errors import PassError
from tir.ir.ir import Op
from tir.ir.printer import print_op
from tir.ir.verify import verify
from tir.parser.parse import parse_text
from tir.passes.state_to_arguments import StateToArguments


def converted(text: str) -> Op:
    module = parse_text(text, REGISTRY, file="m.tir")
    StateToArguments().run(module)
    verify(module)
    assert "tir.shared @" not in print_op(module)
    return module


def run(module: Op, entry: str, *arguments: Any) -> list[Any]:
    return Interpreter(module).run(entry, arguments)


SWAP = """
tir.shared @a : tensor<2xf32> = dense<[1.0, 2.0]>
tir.shared @b : tensor<2xf32> init @start
func.func private @start() -> tensor<2xf32> {
  %0 = tir.constant dense<5.0> : tensor<2xf32>
  return %0 : tensor<2xf32>
}
func.func @swap(%x: tensor<f32>) -> tensor<f32> {
  %b = tir.read @b : tensor<2xf32>
  tir.update @a, %b : tensor<2xf32>
  %a = tir.read @a : tensor<2xf32>
  tir.update @b, %a : tensor<2xf32>
  return %x : tensor<f32>
}"""


def test_arguments_and_results_come_last_in_the_order_of_the_module() -> None:
    text = print_op(converted(SWAP))
    assert (
        "func.func @swap(%x: tensor<f32>, %a: tensor<2xf32> {bufferization.writable = true, tir.shared = @a}, "
        "%b: tensor<2xf32> {bufferization.writable = true, tir.shared = @b}) -> "
        "(tensor<f32>, tensor<2xf32> {tir.update = @a}, tensor<2xf32> {tir.update = @b})"
    ) in text


def test_a_swap_returns_the_old_values_swapped() -> None:
    a, b = np.float32([1, 2]), np.float32([3, 4])
    x, new_a, new_b = run(converted(SWAP), "swap", np.float32(7), a, b)
    assert (x, new_a.tolist(), new_b.tolist()) == (7, [3, 4], [1, 2])


def test_a_variable_becomes_a_private_function_that_returns_its_first_value() -> None:
    module = converted(SWAP)
    assert run(module, "a")[0].tolist() == [1, 2]
    assert run(module, "b")[0].tolist() == [5, 5]
    assert "func.func private @a() -> tensor<2xf32>" in print_op(module)


def test_a_variable_that_is_only_updated_is_an_argument_too() -> None:
    module = converted("""
tir.shared @n : tensor<i32> = dense<3>
func.func @set(%x: tensor<i32> {tir.name = "x"}) {
  tir.update @n, %x : tensor<i32>
  return
}""")  # fmt: skip
    assert run(module, "set", np.int32(4), np.int32(0)) == [4]


def test_what_uses_no_state_stays_as_it_is() -> None:
    text = "func.func @f(%x: tensor<f32>) -> tensor<f32> {\n  return %x : tensor<f32>\n}"
    assert print_op(converted(text)) == print_op(parse_text(text, REGISTRY))


def test_training_with_arguments_gives_what_training_with_state_gives() -> None:
    text = """
tir.shared @w : tensor<3xf32> = dense<1.0>
tir.shared @steps : tensor<i64> = dense<0>
func.func @step(%x: tensor<3xf32>) -> tensor<f32> {
  %w = tir.read @w : tensor<3xf32>
  %n = tir.read @steps : tensor<i64>
  %one = tir.full 1 : i64 -> tensor<i64>
  %n1 = tir.add %n, %one : tensor<i64>
  %w1 = tir.sub %w, %x : tensor<3xf32>
  %s = tir.sum %w over [0] : tensor<f32>
  tir.update @steps, %n1 : tensor<i64>
  tir.update @w, %w1 : tensor<3xf32>
  return %s : tensor<f32>
}"""
    before, module = Interpreter(parse_text(text, REGISTRY)), converted(text)
    state = [*run(module, "w"), *run(module, "steps")]
    for i in range(4):
        x = np.float32([i, 1, -i])
        loss, *state = run(module, "step", x, *state)
        assert before.run("step", [x]) == [loss]
    assert before.state["w"].tolist() == state[0].tolist() and before.state["steps"] == state[1] == 4


@pytest.mark.parametrize("op", ["%g = tir.leaf %x : tensor<f32>", "%g = tir.grad %x wrt (%x) : tensor<f32>"])
def test_gradients_that_are_left_over_are_refused(op: str) -> None:
    text = f"func.func @f(%x: tensor<f32>) -> tensor<f32> {{\n  {op}\n  return %g : tensor<f32>\n}}"
    with pytest.raises(PassError, match="m.tir:2:3: .*run the pass autodiff first"):
        converted(text)


def test_a_call_of_a_function_with_state_is_refused_and_both_places_are_named() -> None:
    text = """tir.shared @n : tensor<i32> = dense<3>
func.func @get() -> tensor<i32> {
  %0 = tir.read @n : tensor<i32>
  return %0 : tensor<i32>
}
func.func @main() -> tensor<i32> {
  %0 = func.call @get() : () -> tensor<i32>
  return %0 : tensor<i32>
}"""
    with pytest.raises(PassError, match="m.tir:7:3: .*@get uses state.* run the pass inline first") as caught:
        converted(text)
    assert str(caught.value.notes[0][1]) == "m.tir:3:3"
