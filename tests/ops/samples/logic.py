"""Comparison, selection, bits, classes of floats and conversion: rows and smooth points."""

from __future__ import annotations

import itertools
import math
import operator
from dataclasses import replace
from typing import Any

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
    between,
    binary,
    each,
    hard_numbers,
    over_forms,
    random,
    row,
    smooth,
    type_of,
    unary,
)


def rows() -> list[Sample]:
    rows = [
        *binary("tir.and", operator.and_, ("i1", *INTEGERS)),
        *binary("tir.or", operator.or_, ("i1", *INTEGERS)),
        *binary("tir.xor", operator.xor, ("i1", *INTEGERS)),
        *unary("tir.not", lambda x: not x, ("i1",), hard=(False, True)),
        *unary("tir.not", operator.invert, INTEGERS, hard=(0, 1, 100)),
    ]
    for predicate in ("eq", "ne", "lt", "le", "gt", "ge"):
        relation = getattr(operator, predicate)
        rows += binary("tir.cmp", relation, ("i1", *NUMBERS), head=f"{predicate} ", result="i1")
    return rows + select_rows() + cast_rows() + bitcast_rows() + shift_rows() + class_rows()


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


def bitcast_rows() -> list[Sample]:
    rows = []
    pairs = (("f32", "i32"), ("f32", "ui32"), ("i32", "f32"), ("ui64", "f64"), ("f64", "i64"), ("i8", "ui8"), ("f16", "i16"))
    for source, target in pairs:
        for x in (*(random(shape, source) for shape in SHAPES), array(hard_numbers(source), source)):
            rows.append(row("tir.bitcast", "%0 : {0} -> {r}", [x], x.view(DTYPES[target])))
    return rows


def shift_rows() -> list[Sample]:
    rows = []
    for name in ("i16", *INTEGERS):
        bits = int(name.lstrip("ui"))
        amounts = (0, 1, 2, bits - 1, bits, bits + 1, *hard_numbers(name))
        for op, head, function in (("shl", "", shift_left), ("shr", "", shift_right), ("shr", " logical", shift_bits)):
            for shape in (*SHAPES, None):
                pairs = np.array(list(itertools.product(hard_numbers(name), amounts)), object).T
                x, y = (random(shape, name), random(shape, name, 0, 0.5, 1)) if shape is not None else pairs
                x, y = np.asarray(x, DTYPES[name]), np.asarray(y, DTYPES[name])
                want = each(lambda a, b, f=function, n=bits: f(a, b % (1 << n), n), x, y)
                rows.append(row(f"tir.{op}", f"%0, %1{head} : {{r}}", [x, y], want))
    return rows


def class_rows() -> list[Sample]:
    rows = []
    for name, (op, test) in itertools.product(FLOATS, CLASSES.items()):
        for x in (*(random(shape, name) for shape in SHAPES), array(SPECIALS, name)):
            rows.append(row(f"tir.{op}", "%0 : {0}", [x], each(test, x, name="i1")))
    x = random((2, 3), "f32")
    return rows + [
        row(f"tir.{op}", "%0 : {0}", [x], each(test, x, name="i1"), dims=[("[N]", "?")], result=("[N]", "?"))
        for op, test in CLASSES.items()
    ]


# --- what an element is, in Python's numbers --------------------------------------------------------------------------

CLASSES = {"is_nan": math.isnan, "is_inf": math.isinf, "is_finite": math.isfinite}


def shift_left(x: int, amount: int, bits: int) -> int:
    return x << amount if amount < bits else 0


def shift_right(x: int, amount: int, bits: int) -> int:
    return x >> min(amount, bits)


def shift_bits(x: int, amount: int, bits: int) -> int:
    return (x % (1 << bits)) >> min(amount, bits)


def converted(x: Any, name: str) -> Any:
    """A Python number in another element type."""
    if name == "i1":
        return x != 0
    if name in ULP or not isinstance(x, float):
        return x
    info = np.iinfo(DTYPES[name])
    return 0 if math.isnan(x) else info.max if x > info.max else info.min if x < info.min else int(x)


# --- points -----------------------------------------------------------------------------------------------------------


def points() -> list[Smooth]:
    x, y = random((2, 3), "f64"), random((2, 3), "f64", seed=1)
    return [smooth("tir.select", "%0, %1, %2 : {r}", [random((2, 3), "i1"), x, y], (2, 3), wrt=(1, 2))]


def more_points() -> list[Smooth]:
    def sides(shape: tuple[int, ...]) -> np.ndarray:
        return random(shape, "i1", seed=2)

    x, y = between(-2, 2), between(-2, 2, 1)
    casts = [replace(point, text=point.text.replace(" : ", f" : {point.types[0]} -> ")) for point in over_forms("tir.cast", "%0 : {r}", x)]
    return casts + over_forms("tir.select", "%0, %1, %2 : {r}", sides, x, y, wrt=(1, 2))
