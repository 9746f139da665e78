"""Gradients of each differentiable op at ten shapes or more, in f64, to second order, in reverse and in forward mode.

The reference is the limit of central differences: Ridders' extrapolation, which takes smaller steps until the numbers
settle (C. J. F. Ridders, "Accurate computation of F'(x) and F'(x) F''(x)", 1982). Nothing but the op forward is used.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from tests.ops.samples import MORE_SMOOTH, SMOOTH, Smooth
from tests.passes.test_autodiff import Point, result_shape
from tests.passes.test_forward_mode import both_modes, expanded
from tir.dialects.tir import DIALECT
from tir.interpret import Interpreter

FIRST_STEP = 1e-2
SHRINK = 2.0
MOST_STEPS = 8

#: Whose derivative is 0 or none by definition, and those whose gradient is meant to be another than the derivative.
CONSTANT = {
    "tir.constant", "tir.full", "tir.iota", "tir.one_hot", "tir.dim", "tir.to_index", "tir.cmp", "tir.and", "tir.or",
    "tir.xor", "tir.not", "tir.all", "tir.any", "tir.shl", "tir.shr", "tir.bitcast", "tir.is_nan", "tir.is_inf", "tir.is_finite", "tir.reduce_and",
    "tir.reduce_or", "tir.reduce_xor",
}  # fmt: skip
OTHER = {"tir.stop_gradient", "tir.grad_scale", "tir.grad_clip"}
#: Their gradients are no rule of one op, but of its regions.
WITH_REGIONS = {"tir.if", "tir.while", "tir.scan", "tir.checkpoint"}


def limit_of_differences(f: Callable[[float], float], x: float) -> float:
    """The derivative of f at x: differences of smaller and smaller steps, each new one joined with those before."""
    best, error = math.nan, math.inf
    step = FIRST_STEP * max(1.0, abs(x))
    row: list[float] = []
    for _ in range(MOST_STEPS):
        new = [(f(x + step) - f(x - step)) / (2 * step)]
        factor = 1.0
        for old in row:
            factor *= SHRINK**2
            new.append((factor * new[-1] - old) / (factor - 1))
            off = max(abs(new[-1] - new[-2]), abs(new[-1] - old))
            if off <= error:
                best, error = new[-1], off
        if error <= 1e-11 * max(1.0, abs(best)):
            break
        row, step = new, step / SHRINK
    return best


def slopes(function: Callable[..., float], inputs: Sequence[np.ndarray], at: int) -> np.ndarray:
    """The derivative of a scalar function by each element of input `at`."""
    found = np.zeros(inputs[at].shape)
    for place in np.ndindex(found.shape):
        moved = [x.copy() for x in inputs]

        def along(value: float, moved: list[np.ndarray] = moved, place: tuple[int, ...] = place) -> float:
            moved[at][place] = value
            return float(function(*moved))

        found[place] = limit_of_differences(along, float(inputs[at][place]))
    return found


def assert_near(got: np.ndarray, want: np.ndarray, rtol: float, what: str, of_largest: float = 1e-3) -> None:
    """Each element within rtol of itself, and of a part of the largest for those that are sums near 0."""
    assert got.shape == want.shape, what
    atol = of_largest * rtol * max(1.0, float(np.max(np.abs(want), initial=0)))
    np.testing.assert_allclose(got, want, rtol=rtol, atol=atol, err_msg=what)


def check(point: Smooth) -> None:
    """All that this file checks of a point."""
    tested = Point(point)
    check_differences(point, tested)
    check_second_differences(point, tested)
    check_modes(point, tested)


def weighted(point: Smooth) -> list[np.ndarray]:
    """The inputs and a weight of each element of the result."""
    return [*point.inputs, np.random.default_rng(8).uniform(0.3, 1, result_shape(point))]


def check_differences(point: Smooth, tested: Point) -> None:
    """The first gradient against differences of the value."""
    inputs = weighted(point)
    for i, got in zip(point.wrt, tested.run("first", inputs)):
        assert_near(got, slopes(lambda *xs: tested.run("value", xs)[0], inputs, i), 1e-6, f"by operand {i}")


def check_second_differences(point: Smooth, tested: Point) -> None:
    """The second gradient against differences of the first."""
    inputs, rng = weighted(point), np.random.default_rng(10)
    directions = [rng.uniform(0.3, 1, point.inputs[i].shape) for i in point.wrt]

    def slope(*xs: np.ndarray) -> float:
        return sum(float(np.sum(g * v)) for g, v in zip(tested.run("first", xs), directions))

    for i, got in zip(point.wrt, tested.run("second", [*inputs, *directions])):
        assert_near(got, slopes(slope, inputs, i), 1e-6, f"second, by operand {i}")


def forward_over_reverse(point: Smooth, tested: Point) -> str:
    """@main gives the tangents of the gradients of @first, for tangents %v.. of what they are of."""
    start = tested.text.index("func.func @first(")
    text = tested.text[start : tested.text.find("func.func @second(")].replace("@first", "@main")
    wrt, types = [f"%{i}" for i in point.wrt], [point.types[i] for i in point.wrt]
    if point.op == "tir.leaf":
        wrt = ["%l"]
    head, arrow, rest = text.partition(") -> ")
    head += "".join(f", %v{i}: {type}" for i, type in enumerate(types))
    body, _, end = rest.partition("  return ")
    names, gradients = ([f"%{letter}{i}" for i in range(len(wrt))] for letter in "tg")
    body += f"  {', '.join(names)} = tir.jvp ({', '.join(gradients)}) wrt ({', '.join(wrt)})"
    body += f" with ({', '.join(f'%v{i}' for i in range(len(wrt)))}) : {', '.join(types)}\n"
    return f"{head}{arrow}{body}  return {', '.join(names)} : {end.partition(' : ')[2]}"


def check_modes(point: Smooth, tested: Point) -> None:
    """w (J t) is (w J) t, for any tangents t and adjoints w, within 1e-12 of the terms; the Hessian alike."""
    rng = np.random.default_rng(9)
    tangents = [rng.normal(size=point.inputs[i].shape) for i in point.wrt]
    w = rng.normal(size=result_shape(point))
    found, *adjoints = Interpreter(expanded(both_modes(point))).run("main", [*point.inputs, *tangents, w])
    products = [a * t for a, t in zip(adjoints, tangents)]
    forward, reverse = np.sum(w * found), sum(np.sum(p) for p in products)
    scale = np.sum(np.abs(w * found)) + sum(np.sum(np.abs(p)) for p in products)
    assert abs(forward - reverse) <= 1e-12 * max(scale, 1.0), (forward, reverse)
    given = [*point.inputs, w, *tangents]
    over = Interpreter(expanded(forward_over_reverse(point, tested))).run("main", given)
    for i, got, want in zip(point.wrt, over, tested.run("second", given)):
        assert_near(got, want, 1e-12, f"forward over reverse, by operand {i}", of_largest=1)


def by_op(points: Sequence[Smooth]) -> dict[str, list[Smooth]]:
    found: dict[str, list[Smooth]] = {}
    for point in points:
        found.setdefault(point.op, []).append(point)
    return found


MORE = by_op(MORE_SMOOTH)
QUICK = [points[number % len(points)] for number, points in enumerate(MORE.values())]


@pytest.mark.parametrize("point", QUICK, ids=str)
def test_gradients_at_one_more_shape(point: Smooth) -> None:
    """Second order by the agreement of the two modes alone, which takes less time."""
    tested = Point(point)
    check_differences(point, tested)
    check_modes(point, tested)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("op", MORE)
def test_gradients_at_every_shape(op: str) -> None:
    for point in MORE[op]:
        try:
            check(point)
        except Exception as problem:
            raise AssertionError(f"{point.text}, operands {point.types}: {problem}") from problem


def test_every_differentiable_op_is_there_in_ten_shapes() -> None:
    rules = {op.name: inspect.getattr_static(op, "grad", None) for op in DIALECT.ops}
    with_rule = {name for name, rule in rules.items() if callable(rule) or isinstance(rule, property)}
    shapes = {op: {tuple(x.shape for x in point.inputs) for point in points} for op, points in by_op([*SMOOTH, *MORE_SMOOTH]).items()}
    assert {op for op in with_rule - CONSTANT - OTHER | WITH_REGIONS if len(shapes.get(op, ())) < 10} == set()


def test_limit_of_differences_is_the_derivative() -> None:
    for function, derivative, x in (
        (math.exp, math.exp, 1.0), (math.sin, math.cos, 2.0), (math.log, lambda x: 1 / x, 0.1), (math.sqrt, lambda x: 0.5 / x**0.5, 0.1),
        (lambda x: x**3, lambda x: 3 * x**2, -5.0), (abs, lambda x: 1.0, 0.15), (math.floor, lambda x: 0.0, 0.85),
    ):  # fmt: skip
        assert limit_of_differences(function, x) == pytest.approx(derivative(x), rel=1e-9, abs=1e-9)
