"""`check_nan`: the first op that makes a nan, an infinity or a huge number, with its line and its operands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tir
from tests.inspect.programs import HERE, line_of
from tir.compile import Executable
from tir.inspect.nan_guard import NanGuard, NotFiniteError, check_nan
from tir.ir.errors import ExecutionError

NAN, INF = np.float32(np.nan), np.float32(np.inf)
FINE = np.ones((2, 3), np.float32)


def program() -> tir.Builder:
    b = tir.Builder()
    b.shared("w", np.full(3, 2, np.float32))
    with b.function("f", x="tensor<[B]x3xf32>") as (x,):
        w = b.read("w")
        h = (x * w).named("h")
        logs = b.log(h).named("logs")
        (g,) = b.grad(b.sum(b.sqrt(x)), [x])
        b.update("w", w * 1e6)
        b.returns(b.sum(logs), g)
    return b


def with_element(value: float, at: tuple[int, int] = (1, 2)) -> Any:
    changed = FINE.copy()
    changed[at] = value
    return changed


def here(text: str) -> str:
    return f"{__file__}:{line_of(program, text)}:1: "


@pytest.mark.parametrize(
    ("x", "said", "kind", "index"),
    [
        (with_element(-1), here("logs = ") + "tir.log %logs makes nan, the first at [1, 2]; operand %h goes from -2.0 to 2.0",
         "nan", (1, 2)),
        (with_element(0), here("logs = ") + "tir.log %logs makes inf, the first at [1, 2]; operand %h goes from 0.0 to 2.0",
         "inf", (1, 2)),
        (with_element(9e9, (0, 1)), here("h = ") + "tir.mul %h makes a number beyond 1e+10, the first at [0, 1]; "
         "operand %x goes from 1.0 to 8999999488.0; operand 1 goes from 2.0 to 2.0", "big", (0, 1)),
        (with_element(NAN), here("b.function") + "argument %x has nan, the first at [1, 2]", "nan", (1, 2)),
        (with_element(INF), here("b.function") + "argument %x has inf, the first at [1, 2]", "inf", (1, 2)),
    ],
    ids=["nan", "inf", "big", "argument-nan", "argument-inf"],
)  # fmt: skip
def test_first_op_that_goes_wrong_is_named(x: Any, said: str, kind: str, index: tuple[int, ...]) -> None:
    with pytest.raises(NotFiniteError) as caught:
        check_nan(program().module, "f", [x])
    assert str(caught.value) == said
    assert (caught.value.kind, caught.value.index) == (kind, index)
    assert isinstance(caught.value, ExecutionError)


@pytest.mark.parametrize("value", [-INF, np.float32(-2e10)])
def test_numbers_far_below_zero_are_as_wrong_as_those_above(value: Any) -> None:
    with pytest.raises(NotFiniteError, match="argument %x has (inf|a number beyond 1e.10), the first at .1, 2."):
        check_nan(program().module, "f", [with_element(value)])


def test_program_without_such_numbers_gives_its_results() -> None:
    total, gradient = check_nan(program().module, "f", {"x": FINE})
    np.testing.assert_allclose(total, 6 * np.log(2), rtol=1e-6)  # a sum of 6 numbers in f32
    np.testing.assert_array_equal(gradient, 0.5)


@pytest.mark.parametrize(
    ("x", "allowed"), [(with_element(-1), "nan_is_error"), (with_element(9e9), "big_is_error")],
)  # fmt: skip
def test_what_is_allowed_is_no_error(x: Any, allowed: str) -> None:
    check_nan(program().module, "f", [x], **{allowed: False})


def test_op_of_a_gradient_names_the_op_whose_gradient_it_is() -> None:
    with pytest.raises(NotFiniteError) as caught:
        check_nan(program().module, "f", [with_element(0)], inf_is_error=True, state={"w": [1.0, 1.0, np.float32(1)]})
    assert "tir.log %logs makes inf" in str(caught.value)
    b = tir.Builder()
    with b.function("f", x="tensor<f32>") as (x,):
        b.returns(*b.grad(b.sqrt(x), [x]))
    with pytest.raises(NotFiniteError, match=r"in the gradient of tir\.sqrt, makes inf; operand \S+ is "):
        check_nan(b.module, "f", [0.0])


def test_state_is_taken_and_looked_at() -> None:
    with pytest.raises(NotFiniteError, match="tir.read %w makes nan, the first at .0."):
        check_nan(program().module, "f", [FINE], state={"w": [NAN, 1, 1]})


def test_inside_of_a_loop_the_op_of_the_body_is_named() -> None:
    b = tir.Builder()
    with b.function("f", x="tensor<4xf32>") as (x,):
        last, _ = b.scan(lambda h, t: ([b.sqrt(h + t)], []), [1.0], [x])
        b.returns(last[0])
    with pytest.raises(NotFiniteError, match=r"tir\.sqrt makes nan; operand 0 is -\d"):
        check_nan(b.module, "f", [np.array([0, -3, 0, 0], np.float32)])


def test_constants_are_not_looked_at_and_masks_may_be_infinite() -> None:
    b = tir.Builder()
    with b.function("f", x="tensor<3xf32>") as (x,):
        b.returns(b.minimum(x, np.full(3, INF)))
    check_nan(b.module, "f", [np.ones(3, np.float32)])


def test_guard_watches_each_call_of_an_executable() -> None:
    program_of_guard = Executable(tir.parse("""
        func.func @f(%x: tensor<2xf64>) -> tensor<2xf64> {
          %0 = tir.exp %x : tensor<2xf64>
          return %0 : tensor<2xf64>
        }
    """), "interpret", observer=NanGuard(big_is_error=False))  # fmt: skip
    np.testing.assert_allclose(program_of_guard.call("f", [[1.0, 100.0]])[0], np.exp([1.0, 100.0]))
    for _ in calls(2):
        with pytest.raises(NotFiniteError, match="tir.exp %0 makes inf, the first at .1.; operand %x goes from 1.0 to 1000.0"):
            program_of_guard.call("f", [[1.0, 1000.0]])


def calls(count: int) -> Iterator[int]:
    yield from range(count)


def test_programs_of_other_files_name_those_files() -> None:
    with pytest.raises(NotFiniteError) as caught:
        check_nan(tir.parse("func.func @f(%x: f32) -> f32 {\n  %0 = math.log %x : f32\n  return %0 : f32\n}", "m.tir"), "f", [0])
    assert str(caught.value) == "m.tir:2:3: math.log %0 makes inf; operand %x is 0.0" and str(HERE) not in str(caught.value)
