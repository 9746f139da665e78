"""Sorting: rows and smooth points."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.ops.samples.base import INF, NAMES, NAN, Sample, Smooth, apart, array, random, row, smooth
from tests.ops.samples.scan import ALONG

SHAPES: tuple[tuple[tuple[int, ...], int], ...] = (((0,), 0), ((1,), 0), ((2, 3, 2), 1), ((2, 5), 1), ((0, 3), 1))


def order(values: Sequence[Any], descending: bool) -> list[int]:
    """Python's sort, which is stable, by keys that have nan above all."""
    keys = [(math.isnan(v), 0.0 if math.isnan(v) else v) for v in values]
    places = sorted(range(len(keys)), key=lambda i: keys[i], reverse=descending)
    return places


def ordered(x: np.ndarray, axis: int, descending: bool) -> tuple[np.ndarray, np.ndarray]:
    """The sorted values and their positions."""
    rows = np.moveaxis(x, axis, -1)
    places = np.zeros(rows.shape, np.int64)
    for at in np.ndindex(rows.shape[:-1]):
        places[at] = order(rows[at].tolist(), descending)
    places = np.moveaxis(places, -1, axis)
    return np.take_along_axis(x, places, axis), places


def rows() -> list[Sample]:
    found = []
    for name, (shape, axis) in itertools.product(("f32", "i8", "ui8"), SHAPES):
        for descending in (False, True) if shape in ((2, 3, 2), (2, 5)) else (False,):
            found += sorts(random(shape, name), axis, descending)
    rng = np.random.default_rng(2)
    mixed = rng.choice(array([NAN, INF, -INF, 0.0, -0.0, 1, -1, 2], "f64"), (2, 19))
    for x, descending in itertools.product((mixed, rng.integers(-3, 4, (1, 23)).astype("i4")), (False, True)):
        found += sorts(x, 1, descending)
    x = random((2, 5), "f32")
    values, places = ordered(x, 1, True)
    dims: dict[str, Any] = {"dims": [("[N]", "?")], "result": ("[N]", "?")}
    few: dict[str, Any] = {"dims": [("[N]", "?")], "result": ("[N]", 2)}
    form = "%0 axis 1 k 2 : tensor<[N]x2xf32>, tensor<[N]x2xi64>"
    return found + moved() + [
        row("tir.sort", "%0 axis 1 descending : {r}", [x], values, **dims),
        row("tir.argsort", "%0 axis 1 descending : {r}", [x], places, **dims),
        row("tir.top_k", form, [x], values[:, :2].copy(), names="%r, %i", **few),
        row("tir.top_k", form, [x], places[:, :2].copy(), names="%v, %r", **few),
    ]


def moved() -> list[Sample]:
    """Rows of tir.sort with tensors that follow the keys: of each element type, ties, nan, empty, sizes of run time."""
    found = []
    rng = np.random.default_rng(3)
    keys = rng.choice(array([NAN, 0.0, -0.0, 1, 2], "f32"), (2, 9)), rng.integers(-2, 3, (3, 2, 4)).astype("i1"), array([], "f64")
    for x, axis, descending in ((keys[0], 1, False), (keys[0], 1, True), (keys[1], 0, True), (keys[1], 2, False), (keys[2], 0, False)):
        for name in ("f64", "i8", "i1", "bf16"):
            other = random(x.shape, name, seed=4)
            places = ordered(x, axis, descending)[1]
            want = np.take_along_axis(other, places, axis)
            types = ", ".join(f"tensor<{''.join(f'{n}x' for n in x.shape)}{e}>" for e in (NAMES[x.dtype], name))
            text = f"%0, %1 axis {axis}{' descending' * descending} : {types}"
            found.append(row("tir.sort", text, [x, other], want, names="%k, %r"))
    x, y = random((2, 5), "f32"), random((2, 5), "f32", seed=1)
    values, places = ordered(x, 1, False)
    types = ", ".join(["tensor<[N]x?xf32>"] * 3)
    facts: dict[str, Any] = {"dims": [("?", "?"), ("[N]", "?"), ("[N]", "?")], "result": ("[N]", "?")}
    text = f"%0, %1, %2 axis 1 : {types}"
    found.append(row("tir.sort", text, [x, y, x], values, names="%r, %v, %w", **facts))
    found.append(row("tir.sort", text, [x, y, x], np.take_along_axis(y, places, 1), names="%k, %r, %w", **facts))
    return found


def sorts(x: np.ndarray, axis: int, descending: bool) -> list[Sample]:
    values, places = ordered(x, axis, descending)
    words = f"axis {axis}{' descending' * descending}"
    k = x.shape[axis] // 2 + 1 if x.shape[axis] else 0
    kept = np.take(values, range(k), axis), np.take(places, range(k), axis)
    types = [f"tensor<{''.join(f'{n}x' for n in kept[0].shape)}{name}>" for name in ("{e}", "i64")]
    text = f"%0 axis {axis} k {k}{' smallest' * (not descending)} : {', '.join(types)}"
    element = row("tir.sort", f"%0 {words} : {{r}}", [x], values)
    text = text.replace("{e}", element.result.removesuffix(">").removeprefix("tensor<").split("x")[-1])
    return [
        element,
        row("tir.argsort", f"%0 {words} : {{r}}", [x], places),
        row("tir.top_k", text, [x], kept[0], names="%r, %i"),
        row("tir.top_k", text, [x], kept[1], names="%v, %r"),
    ]


def points() -> list[Smooth]:
    x = random((3, 4), "f64")
    form = "%0 axis 1 k 2 : tensor<3x2xf64>, tensor<3x2xi64>"
    return [
        smooth("tir.sort", "%0 axis 1 : {r}", [x], (3, 4)),
        smooth("tir.sort", "%0 axis 0 descending : {r}", [x], ("[N]", "?"), dims={0: ("[N]", "?")}),
        smooth("tir.sort", "%0, %1 axis 1 : {r}, {r}", [x, x[::-1].copy()], (3, 4), names="%k, %r", wrt=(0, 1)),
        smooth("tir.sort", "%0, %1 axis 0 descending : {r}, {r}", [x, x[::-1].copy()], (3, 4), names="%r, %k", wrt=(0, 1)),
        smooth("tir.top_k", form, [x], (3, 2), names="%r, %i"),
    ]


def more_points() -> list[Smooth]:
    found = []
    for number, (shape, sizes, axis) in enumerate(ALONG):
        x, y, facts = apart(shape), random(shape, "f64", seed=1), {"dims": {0: sizes, 1: sizes}}
        down = " descending" * (number % 2)
        moved = {"names": "%k, %r", "wrt": (0, 1)}
        k = (shape[axis] + 1) // 2
        few = (*sizes[:axis], k, *sizes[axis + 1 :])
        types = ", ".join(f"tensor<{''.join(f'{size}x' for size in few)}{element}>" for element in ("f64", "i64"))
        found += [
            smooth("tir.sort", f"%0 axis {axis}{down} : {{r}}", [x], sizes, **facts),
            smooth("tir.sort", f"%0, %1 axis {axis}{down} : {{r}}, {{r}}", [x, y], sizes, **moved, **facts),
            smooth("tir.top_k", f"%0 axis {axis} k {k}{' smallest' * (number % 2)} : {types}", [x], few, names="%r, %i", **facts),
        ]
    return found
