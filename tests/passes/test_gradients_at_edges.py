"""Gradients of elementwise ops where a formula could overflow, cancel or be nan: far out, at kinks, at ends of domains."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import mpmath
import numpy as np
import pytest

from tests.passes.test_autodiff import expanded
from tir.interpret import Interpreter

INF, NAN = math.inf, math.nan
FAR = (-INF, -1e30, -1000.0, 0.0, 1000.0, 1e30, INF)
STEP = (0, 0, 0, 0.5, 1, 1, 1)  # what is 0 on the left and x on the right


def edges() -> list[tuple[str, tuple[float, ...], list[float]]]:
    """The op, points, and its derivative there."""
    with mpmath.workdps(50):
        rows: list[tuple[str, Sequence[float], Sequence[Any]]] = [
            ("tir.softplus %x", FAR, STEP),
            ("tir.softplus %x", (-100.0, -30.0, 30.0), [1 / (1 + mpmath.exp(-x)) for x in (-100, -30, 30)]),
            ("tir.silu %x", FAR, STEP),
            ("tir.silu %x", (-50.0,), [mpmath.exp(-50) * (1 - 50)]),
            ("tir.gelu %x", FAR, STEP),
            ("tir.gelu %x approximate tanh", FAR, STEP),
            ("tir.elu %x alpha(2.0)", FAR, (0, 0, 0, 2, 1, 1, 1)),
            ("tir.elu %x", (-50.0,), [mpmath.exp(-50)]),
            ("tir.leaky_relu %x", FAR, (0.01, 0.01, 0.01, 0.01, 1, 1, 1)),
            ("tir.relu %x", FAR, (0, 0, 0, 0, 1, 1, 1)),
            ("tir.relu %x at_zero(0.5)", FAR, (0, 0, 0, 0.5, 1, 1, 1)),
            ("tir.sigmoid %x", (-INF, -1000.0, 1000.0, INF), (0, 0, 0, 0)),
            ("tir.tanh %x", (-INF, -1000.0, 1000.0, INF), (0, 0, 0, 0)),
            ("tir.expm1 %x", (-INF, -100.0, 0.0), [0, mpmath.exp(-100), 1]),
            ("tir.log1mexp %x", (-INF, -100.0, -1e-20, 0.0), [0, -mpmath.exp(-100), -mpmath.mpf(1e20), -INF]),
            ("tir.asinh %x", (-INF, -1e200, -1e-200, 0.0, 1e200, INF), (0, 1e-200, 1, 1, 1e-200, 0)),
            ("tir.acosh %x", (1.0, 1 + 1e-10, 1e200, INF), [INF, 1 / mpmath.sqrt(mpmath.mpf(1 + 1e-10) ** 2 - 1), 1e-200, 0]),
            ("tir.asin %x", (-1.0, 1 - 1e-10, 1.0), [INF, 1 / mpmath.sqrt(1 - mpmath.mpf(1 - 1e-10) ** 2), INF]),
            ("tir.acos %x", (-1.0, 1.0), (-INF, -INF)),
            ("tir.atanh %x", (-1.0, 0.0, 1.0), (INF, 1, INF)),
            ("tir.atan %x", (-INF, 1e200, INF), (0, 0, 0)),
            ("tir.cbrt %x", (0.0, -8.0, INF), (INF, 1 / 12, 0)),
            ("tir.erf %x", (-INF, 0.0, INF), (0, 2 / math.sqrt(math.pi), 0)),
            ("tir.erfc %x", (-INF, 0.0, INF), (0, -2 / math.sqrt(math.pi), 0)),
            ("tir.floor %x", (-0.5, 0.0, INF), (0, 0, 0)),
            ("tir.round %x", (0.5, 1.5, -INF), (0, 0, 0)),
        ]
        return [(form, tuple(points), [float(x) for x in want]) for form, points, want in rows]


EDGES = edges()


def gradients(form: str, *inputs: list[float], dtype: str = "f64") -> list[np.ndarray]:
    """The gradients of the sum of the op by %x (%y, %z); second: of the sum of the first gradient by %x."""
    names = [f"%{name}" for name in "xyz"[: len(inputs)]]
    type = f"tensor<{len(inputs[0])}x{dtype}>"
    results, types = ", ".join(f"%g{i}" for i in range(len(names))), ", ".join([type] * len(names))
    text = f"""
    func.func @f({", ".join(f"{name}: {type}" for name in names)}) -> ({types}, {type}) {{
      %r = {form} : {type}
      %c = tir.sum %r over [0] : tensor<{dtype}>
      {results} = tir.grad %c wrt ({", ".join(names)}) : {types}
      %d = tir.sum %g0 over [0] : tensor<{dtype}>
      %h = tir.grad %d wrt (%x) : {type}
      return {results}, %h : {types}, {type}
    }}"""
    arrays = [np.array(x, np.dtype(dtype.replace("f", "float"))) for x in inputs]
    return Interpreter(expanded(text)).run("f", arrays)


@pytest.mark.parametrize(("form", "points", "want"), EDGES, ids=[f"{e[0]}-{len(e[1])}" for e in EDGES])
def test_gradient_at_an_edge_is_the_limit(form: str, points: tuple, want: list) -> None:
    found = gradients(form, list(points))[0]
    np.testing.assert_allclose(found, want, rtol=1e-13, atol=1e-300)  # some roundings of f64


@pytest.mark.parametrize("dtype", ["f16", "f32", "f64"])
@pytest.mark.parametrize("op", ["softplus %x", "silu %x", "gelu %x", "gelu %x approximate tanh", "elu %x", "sigmoid %x", "relu %x"])
def test_first_and_second_gradient_of_an_activation_are_finite_everywhere(op: str, dtype: str) -> None:
    for found in gradients(f"tir.{op}", [-INF, -6e4, -1000, -100, -20, 0, 20, 100, 1000, 6e4, INF], dtype=dtype):
        assert np.isfinite(found).all(), found


@pytest.mark.parametrize("op", ["softplus %x", "silu %x", "gelu %x", "elu %x", "sigmoid %x", "clamp %x, %x, %x"])
def test_gradient_at_nan_is_nan_or_passes(op: str) -> None:
    found = gradients(f"tir.{op}", [NAN])[0]
    assert np.isnan(found[0]) or "clamp" in op


TIES = [
    ("first", [1, 1, 0, 0], [0, 0, 1, 1]),
    ("second", [1, 0, 0, 0], [0, 1, 1, 1]),
    ("split", [1, 0.5, 0, 0], [0, 0.5, 1, 1]),
]


@pytest.mark.parametrize(("tie", "by_x", "by_y"), TIES)
def test_tie_says_who_gets_the_gradient_of_equal_operands(tie: str, by_x: list, by_y: list) -> None:
    x, y = [3.0, 2.0, 1.0, NAN], [1.0, 2.0, 3.0, 1.0]
    for op, sign in (("maximum", 1), ("minimum", -1)):
        found = gradients(f"tir.{op} %x, %y tie {tie}", [sign * v for v in x], [sign * v for v in y])
        np.testing.assert_array_equal(found[0], by_x)
        np.testing.assert_array_equal(found[1], by_y)


def test_clamp_hands_the_gradient_to_what_the_result_is() -> None:
    x, low, high = [-2.0, -1.0, 0.0, 1.0, 2.0, 0.0, -5.0, 5.0], [-1.0] * 5 + [2.0] * 3, [1.0] * 8
    by_x, by_low, by_high, _ = gradients("tir.clamp %x, %y, %z", x, low, high)
    np.testing.assert_array_equal(by_x, [0, 1, 1, 1, 0, 0, 0, 0])
    np.testing.assert_array_equal(by_low, [1, 0, 0, 0, 0, 0, 0, 0])
    np.testing.assert_array_equal(by_high, [0, 0, 0, 0, 1, 1, 1, 1])  # low > high: the result is high


def test_gradient_of_atan2_neither_overflows_nor_divides_by_zero() -> None:
    y, x = [1e200, 0.0, 1.0, -1e-200, 3.0], [1e200, -2.0, 0.0, 1e-200, 4.0]
    by_y, by_x, _ = gradients("tir.atan2 %x, %y", y, x)
    np.testing.assert_allclose(by_y, [0.5e-200, -0.5, 0, 0.5e200, 4 / 25], rtol=1e-15)
    np.testing.assert_allclose(by_x, [-0.5e-200, 0, -1, 0.5e200, -3 / 25], rtol=1e-15)


def test_gradient_of_atan2_is_zero_where_there_is_none_and_at_infinity() -> None:
    y = [0.0, -0.0, 0.0, -0.0, INF, INF, -INF, 2.0, 5e-324]
    x = [0.0, 0.0, -0.0, -0.0, INF, -INF, 3.0, -INF, 0.0]
    by_y, by_x, second = gradients("tir.atan2 %x, %y", y, x)
    np.testing.assert_array_equal(by_y, [0] * 9)
    np.testing.assert_array_equal(by_x[:8], [0] * 8)
    assert by_x[8] == -INF  # -1 / y
    np.testing.assert_array_equal(second[:8], [0] * 8)
    for y, x in ((NAN, 0.0), (0.0, NAN), (NAN, INF), (INF, NAN)):
        by_y, by_x, _ = gradients("tir.atan2 %x, %y", [y], [x])
        assert np.isnan(by_y).all() and np.isnan(by_x).all()


def test_gradients_of_rests_are_the_whole_quotients() -> None:
    x, y = [7.5, -7.5, 7.5, -7.5, 1.0], [2.0, 2.0, -2.0, -2.0, 0.1]  # 1 / 0.1 rounds to 10, but 0.1 is a little more than a tenth
    by_x, by_y, _ = gradients("tir.rem %x, %y", x, y)
    np.testing.assert_array_equal(by_x, [1] * 5)
    np.testing.assert_array_equal(by_y, [-3, 3, 3, -3, -9])
    np.testing.assert_array_equal(gradients("tir.mod %x, %y", x, y)[1], [-3, 4, 4, -3, -9])


def test_gradient_of_copysign_turns_with_the_signs() -> None:
    by_x, by_y, _ = gradients("tir.copysign %x, %y", [2.0, 2.0, -2.0, 0.0], [-0.0, 1.0, 1.0, 1.0])
    np.testing.assert_array_equal(by_x, [-1, 1, -1, 0])
    np.testing.assert_array_equal(by_y, [0, 0, 0, 0])
