"""Gradients of every op, to second order, as machine code against central differences of the interpreter in f64."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tests.levels import LEVELS, module_at
from tests.ops.samples import SMOOTH, Smooth
from tests.passes.test_autodiff import Point, central_differences, result_shape
from tir.compile import Executable

BATCH = 12  # points in one module
FUNCTIONS = ("value", "first", "second")


def numbered(text: str, number: int) -> str:
    """The functions of a point, named for one module with those of others."""
    for name in FUNCTIONS:
        text = text.replace(f"@{name}(", f"@{name}{number}(")
    return text


def assert_derivatives(got: Sequence[Any], function: Any, inputs: Sequence[Any], wrt: Sequence[int], what: str) -> None:
    for i, derivative in zip(wrt, got):
        want = central_differences(function, inputs, i)
        # A step of 1e-5 truncates 1e-10 and rounds 1e-11.
        np.testing.assert_allclose(derivative, want, rtol=1e-6, atol=1e-8, err_msg=f"{what} by operand {i}")


BATCHES = [SMOOTH[i : i + BATCH] for i in range(0, len(SMOOTH), BATCH)]


def is_slow(number: int) -> bool:
    """Two of three batches, and those of convolutions, which LLVM works on for seconds."""
    return number % 3 > 0 or any("conv" in str(point) for point in BATCHES[number])


@pytest.mark.parametrize("level", ["cpu", pytest.param("cpu, not fused", marks=pytest.mark.slow)])
@pytest.mark.parametrize("points", [
    pytest.param(points, id=str(points[0]), marks=[pytest.mark.slow] if is_slow(number) else [])
    for number, points in enumerate(BATCHES)
])  # fmt: skip
def test_machine_code_of_gradients_gives_central_differences(points: Sequence[Smooth], level: str) -> None:
    tested = [Point(point) for point in points]
    text = "".join(numbered(one.text, i) for i, one in enumerate(tested))
    program = Executable(module_at(text, LEVELS[level][0]()))
    rng = np.random.default_rng(6)
    for number, (point, one) in enumerate(zip(points, tested)):
        inputs = [*point.inputs, rng.uniform(-1, 1, result_shape(point))]
        first = program.call(f"first{number}", inputs)
        assert_derivatives(first, lambda *xs, run=one.run: run("value", xs)[0], inputs, point.wrt, f"{point}")
        if point.order == 1:
            continue
        directions = [rng.uniform(-1, 1, point.inputs[i].shape) for i in point.wrt]

        def slope(*xs: Any, run: Any = one.run, along: Any = directions) -> Any:
            return sum(np.sum(g * v) for g, v in zip(run("first", xs), along))

        second = program.call(f"second{number}", [*inputs, *directions])
        assert_derivatives(second, slope, inputs, point.wrt, f"{point}, second order")
