"""Elementwise ops: rows and smooth points."""

from __future__ import annotations

import itertools
import math
import operator
from typing import Any

import mpmath
import numpy as np

from tests.ops.samples.base import (
    DTYPES,
    FLOATS,
    INF,
    INTEGERS,
    NAN,
    NUMBERS,
    SHAPES,
    SMALL,
    SPECIALS,
    ULP,
    Sample,
    Smooth,
    array,
    binary,
    each,
    hard_numbers,
    larger,
    logarithm,
    precise,
    random,
    smaller,
    smooth,
    type_of,
    unary,
)


def rows() -> list[Sample]:
    rows = [
        *unary("tir.neg", operator.neg, NUMBERS, hard=(0, 1, 100)),
        *unary("tir.neg", operator.neg, FLOATS, hard=SPECIALS),
        *unary("tir.abs", abs, NUMBERS, hard=(0, 1, 100)),
        *unary("tir.abs", abs, ("i8", "i64"), hard=(-128, 127, 0)),
        *unary("tir.abs", abs, FLOATS, hard=SPECIALS),
        *unary("tir.sign", sign, NUMBERS, hard=(0, 1, 100)),
        *unary("tir.sign", sign, FLOATS, hard=SPECIALS),
        *unary("tir.square", lambda x: x * x, NUMBERS, hard=(0, 1, 100)),
        *unary("tir.square", lambda x: x * x, FLOATS, hard=(NAN, INF, -INF, 0.0, -0.0)),
        *unary("tir.sqrt", precise(root), FLOATS, low=0, hard=(NAN, INF, -INF, 0.0, -0.0, -1.0), ulps=0.5),
        *unary("tir.exp", precise(mpmath.exp), FLOATS, hard=SPECIALS, ulps=4),
        *unary("tir.log", precise(logarithm), FLOATS, low=0.1, hard=SPECIALS, ulps=4),
        *unary("tir.log1p", precise(lambda x: logarithm(1 + x)), FLOATS, low=-0.9, hard=SPECIALS, ulps=4),
        *unary("tir.tanh", precise(mpmath.tanh), FLOATS, hard=SPECIALS, ulps=4),
        *unary("tir.sigmoid", precise(sigmoid), FLOATS, hard=(NAN, INF, -INF, 0.0, 80.0, -80.0, 1000.0), ulps=4),
        *unary("tir.relu", lambda x: larger(x, 0.0), FLOATS, hard=SPECIALS),
        *binary("tir.add", operator.add, NUMBERS),
        *binary("tir.sub", operator.sub, NUMBERS),
        *binary("tir.mul", operator.mul, NUMBERS),
        *binary("tir.div", divide, NUMBERS),
        *binary("tir.pow", power, FLOATS, ulps=4, low=0.1),
        *binary("tir.maximum", larger, NUMBERS),
        *binary("tir.minimum", smaller, NUMBERS),
        *binary("tir.and", operator.and_, ("i1", *INTEGERS)),
        *binary("tir.or", operator.or_, ("i1", *INTEGERS)),
        *unary("tir.not", lambda x: not x, ("i1",), hard=(False, True)),
        *unary("tir.not", operator.invert, INTEGERS, hard=(0, 1, 100)),
    ]
    for predicate in ("eq", "ne", "lt", "le", "gt", "ge"):
        relation = getattr(operator, predicate)
        rows += binary("tir.cmp", relation, ("i1", *NUMBERS), head=f"{predicate} ", result="i1")
    return rows + select_rows() + cast_rows()


def select_rows() -> list[Sample]:
    rows = []
    for name, shape in itertools.product(("f32", *SMALL, "i64", "i1", "ui8"), SHAPES):
        condition, x, y = random(shape, "i1", seed=2), random(shape, name), random(shape, name, seed=1)
        want = each(lambda c, a, b: a if c else b, condition, x, y, name=name)
        types = (type_of(condition), type_of(x), type_of(y))
        rows.append(Sample("tir.select", f"%0, %1, %2 : {types[1]}", types, (condition, x, y), types[1], want))
    return rows


def cast_rows() -> list[Sample]:
    rows = []
    edges = (NAN, INF, -INF, 0.0, -0.0, 0.9, -0.9, 255.5, 1e10, -1e10, 1e25, -1e25)
    for source, target in itertools.product(("f32", "f64", *SMALL, "i1", "i8", "ui8", "i64", "ui32"), (*NUMBERS, "i1")):
        x = array(edges if source in ULP else hard_numbers(source), source)
        want = each(lambda v, t=target: converted(v, t), x, name=target)
        types = (type_of(x),)
        rows.append(Sample("tir.cast", f"%0 : {types[0]} -> {type_of(want)}", types, (x,), type_of(want), want))
    return rows


# --- what an element is, in Python's numbers -------------------------------------------------------------------------


def divide(x: Any, y: Any) -> Any:
    if isinstance(x, int):
        return 0 if y == 0 else abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)
    if y != 0:
        return x / y
    return NAN if x == 0 or math.isnan(x) else math.copysign(INF, x) * math.copysign(1, y)


def power(x: float, y: float) -> float:
    if x == 0 and y < 0:
        return INF
    try:
        return math.pow(x, y)
    except ValueError:
        return NAN


def sign(x: Any) -> Any:
    return x if x == 0 or x != x else math.copysign(1.0, x) if isinstance(x, float) else (1 if x > 0 else -1)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + mpmath.exp(-x))


def converted(x: Any, name: str) -> Any:
    """A Python number in another element type."""
    if name == "i1":
        return x != 0
    if name in ULP or not isinstance(x, float):
        return x
    info = np.iinfo(DTYPES[name])
    return 0 if math.isnan(x) else info.max if x > info.max else info.min if x < info.min else int(x)


def root(x: Any) -> Any:
    return x if x != x or x == 0 else mpmath.nan if x < 0 else mpmath.sqrt(x)


# --- points ----------------------------------------------------------------------------------------------------------


def points() -> list[Smooth]:
    x, y, positive = random((2, 3), "f64"), random((2, 3), "f64", seed=1), random((2, 3), "f64", 0.3, 2)
    names = ("neg", "abs", "sign", "square", "exp", "tanh", "sigmoid", "relu")
    found = [smooth(f"tir.{name}", "%0 : {r}", [x], (2, 3)) for name in names]
    found += [smooth(f"tir.{name}", "%0 : {r}", [positive], (2, 3)) for name in ("sqrt", "log", "log1p")]
    found += [
        smooth(f"tir.{name}", "%0, %1 : {r}", [x, y], (2, 3), wrt=(0, 1))
        for name in ("add", "sub", "mul", "div", "maximum", "minimum")
    ]
    return found + [
        smooth("tir.pow", "%0, %1 : {r}", [positive, y], (2, 3), wrt=(0, 1)),
        smooth("tir.select", "%0, %1, %2 : {r}", [random((2, 3), "i1"), x, y], (2, 3), wrt=(1, 2)),
        smooth("tir.exp", "%0 : {r}", [x], ("[N]", "?"), dims={0: ("[N]", "?")}),
        smooth("tir.add", "%0, %1 : {r}", [x, y], ("[N]", 3), dims={0: ("[N]", "?"), 1: ("?", 3)}, wrt=(0, 1)),
        smooth("tir.leaf", "%0 : {r}", [x], (2, 3)),
    ]
