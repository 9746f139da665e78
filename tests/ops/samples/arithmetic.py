"""Elementwise arithmetic: rows and smooth points."""

from __future__ import annotations

import itertools
import math
import operator
from typing import Any

import numpy as np

from tests.ops.samples.base import (
    FLOATS,
    HARD_FLOATS,
    INF,
    INTEGERS,
    NAN,
    NUMBERS,
    SHAPES,
    SPECIALS,
    Sample,
    Smooth,
    apart,
    apart_from_others,
    array,
    between,
    binary,
    each,
    larger,
    over_forms,
    random,
    row,
    smaller,
    smooth,
    unary,
)


def rows() -> list[Sample]:
    return [
        *unary("tir.neg", operator.neg, NUMBERS, hard=(0, 1, 100)),
        *unary("tir.neg", operator.neg, FLOATS, hard=SPECIALS),
        *unary("tir.abs", abs, NUMBERS, hard=(0, 1, 100)),
        *unary("tir.abs", abs, ("i8", "i64"), hard=(-128, 127, 0)),
        *unary("tir.abs", abs, FLOATS, hard=SPECIALS),
        *unary("tir.sign", sign, NUMBERS, hard=(0, 1, 100)),
        *unary("tir.sign", sign, FLOATS, hard=SPECIALS),
        *unary("tir.square", lambda x: x * x, NUMBERS, hard=(0, 1, 100)),
        *unary("tir.square", lambda x: x * x, FLOATS, hard=(NAN, INF, -INF, 0.0, -0.0)),
        *unary("tir.reciprocal", lambda x: divide(1.0, x), FLOATS, low=0.1, hard=(*SPECIALS, 3.0)),
        *binary("tir.add", operator.add, NUMBERS),
        *binary("tir.sub", operator.sub, NUMBERS),
        *binary("tir.mul", operator.mul, NUMBERS),
        *binary("tir.div", divide, NUMBERS),
        *binary("tir.floordiv", floor_divide, NUMBERS),
        *binary("tir.rem", rest, NUMBERS),
        *binary("tir.mod", modulo, NUMBERS),
        *binary("tir.pow", power, FLOATS, ulps=4, low=0.1),
        *binary("tir.pow", integer_power, INTEGERS),
        *binary("tir.maximum", larger, NUMBERS),
        *binary("tir.minimum", smaller, NUMBERS),
        *binary("tir.copysign", math.copysign, FLOATS),
        *tie_rows(),
        *clamp_rows(),
    ]


def tie_rows() -> list[Sample]:
    """What `tie` says changes gradients alone."""
    x, y = array((1, NAN, 0.0, -0.0, 3), "f32"), array((1, 2, -0.0, 0.0, 4), "f32")
    return [
        row(f"tir.{name}", f"%0, %1 tie {tie} : {{r}}", [x, y], each(function, x, y))
        for name, function in (("maximum", larger), ("minimum", smaller))
        for tie in ("second", "split")
    ]


def clamp_rows() -> list[Sample]:
    rows = []
    for name, shape in itertools.product(NUMBERS, SHAPES):
        x, low, high = random(shape, name), random(shape, name, -1, 0, seed=1), random(shape, name, 0, 1, seed=2)
        rows.append(row("tir.clamp", "%0, %1, %2 : {r}", [x, low, high], each(clamp, x, low, high)))
    for name in FLOATS:
        cases = np.array(list(itertools.product(HARD_FLOATS, repeat=3)), "f8").T
        x, low, high = (array(column, name) for column in cases)
        rows.append(row("tir.clamp", "%0, %1, %2 : {r}", [x, low, high], each(clamp, x, low, high)))
    x, dims = random((2, 3), "f32"), [("[N]", "?"), ("?", 3), ("[N]", 3)]
    low, high = np.full_like(x, -0.5), np.full_like(x, 0.5)
    want = each(clamp, x, low, high)
    return [*rows, row("tir.clamp", "%0, %1, %2 : {r}", [x, low, high], want, dims=dims, result=("[N]", 3))]


# --- what an element is, in Python's numbers --------------------------------------------------------------------------


def divide(x: Any, y: Any) -> Any:
    if isinstance(x, int):
        return 0 if y == 0 else abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)
    if y != 0:
        return x / y
    return NAN if x == 0 or math.isnan(x) else math.copysign(INF, x) * math.copysign(1, y)


def floor_divide(x: Any, y: Any) -> Any:
    if y == 0:
        return 0 if isinstance(x, int) else divide(x, y)
    return x // y


def rest(x: Any, y: Any) -> Any:
    if isinstance(x, int):
        return 0 if y == 0 else x - y * divide(x, y)
    return NAN if math.isinf(x) or y == 0 else math.fmod(x, y)


def modulo(x: Any, y: Any) -> Any:
    if y == 0:
        return 0 if isinstance(x, int) else NAN
    return x % y


def power(x: float, y: float) -> float:
    if x == 0 and y < 0:
        return INF
    try:
        return math.pow(x, y)
    except ValueError:
        return NAN


def integer_power(x: int, y: int) -> int:
    if y >= 0:
        return pow(x, y, 1 << 64)  # its low bits are those of any narrower type
    return 0 if abs(x) != 1 else x if y % 2 else 1


def clamp(x: Any, low: Any, high: Any) -> Any:
    return smaller(larger(x, low), high)


def sign(x: Any) -> Any:
    return x if x == 0 or x != x else math.copysign(1.0, x) if isinstance(x, float) else (1 if x > 0 else -1)


# --- points -----------------------------------------------------------------------------------------------------------


def points() -> list[Smooth]:
    x, y, positive = random((2, 3), "f64"), random((2, 3), "f64", seed=1), random((2, 3), "f64", 0.3, 2)
    low, high = x - 0.3 * np.array([[1, -1, 1], [1, 1, -1]]), x + 0.4 * np.array([[1, 2, -0.1], [-2, 1, 1]])
    found = [smooth(f"tir.{name}", "%0 : {r}", [x], (2, 3)) for name in ("neg", "abs", "sign", "square", "reciprocal")]
    found += [
        smooth(f"tir.{name}", "%0, %1 : {r}", [x, y], (2, 3), wrt=(0, 1))
        for name in ("add", "sub", "mul", "div", "floordiv", "rem", "mod", "maximum", "minimum", "copysign")
    ]
    return found + [
        smooth("tir.pow", "%0, %1 : {r}", [positive, y], (2, 3), wrt=(0, 1)),
        smooth("tir.maximum", "%0, %1 tie split : {r}", [x, y], (2, 3), wrt=(0, 1)),
        smooth("tir.minimum", "%0, %1 tie second : {r}", [x, y], (2, 3), wrt=(0, 1)),
        smooth("tir.clamp", "%0, %1, %2 : {r}", [x, low, high], (2, 3), wrt=(0, 1, 2)),
        smooth("tir.add", "%0, %1 : {r}", [x, y], ("[N]", 3), dims={0: ("[N]", "?"), 1: ("?", 3)}, wrt=(0, 1)),
        smooth("tir.leaf", "%0 : {r}", [x], (2, 3)),
    ]


def between_whole(shape: tuple[int, ...]) -> np.ndarray:
    """Numbers that are not near a whole one."""
    rng = np.random.default_rng([6, *shape])
    return rng.integers(-3, 3, shape) + rng.uniform(0.2, 0.8, shape)


def multiple(shape: tuple[int, ...]) -> np.ndarray:
    """Numbers whose quotients by those of `apart` are not near whole ones."""
    return between_whole(shape) * apart(shape)


def more_points() -> list[Smooth]:
    wide = between(-2, 2)
    found = [point for name in ("neg", "square") for point in over_forms(f"tir.{name}", "%0 : {r}", wide)]
    found += over_forms("tir.leaf", "%0 : {r}", wide)
    for name in ("abs", "sign", "reciprocal"):
        found += over_forms(f"tir.{name}", "%0 : {r}", apart)
    operands = {
        "add": (wide, between(-2, 2, 1)), "sub": (wide, between(-2, 2, 1)), "mul": (wide, between(-2, 2, 1)),
        "div": (wide, apart), "floordiv": (multiple, apart), "rem": (multiple, apart), "mod": (multiple, apart),
        "maximum": (apart_from_others(0, 2), apart_from_others(1, 2)),
        "minimum": (apart_from_others(0, 2), apart_from_others(1, 2)),
        "copysign": (apart, apart_from_others(1, 2)), "pow": (between(0.3, 2), between(-2, 2, 1)),
    }  # fmt: skip
    for name, makers in operands.items():
        found += over_forms(f"tir.{name}", "%0, %1 : {r}", *makers)
    below, above = between(-2, -0.1, 1), between(0.1, 2, 2)
    return found + over_forms("tir.clamp", "%0, %1, %2 : {r}", lambda shape: apart(shape) / 1.1, below, above)
