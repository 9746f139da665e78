"""Reductions: rows and smooth points."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from tests.ops.samples.base import (
    DTYPES,
    INF,
    NAMES,
    NAN,
    SMALL,
    ULP,
    Sample,
    Smooth,
    apart,
    array,
    between,
    exact_sum,
    larger,
    random,
    row,
    smaller,
    smooth,
    widened,
    wrap,
)

REDUCED = (((), []), ((3,), [0]), ((1,), [0]), ((0,), [0]), ((2, 0), [1]), ((2, 3), []), ((2, 3), [0]), ((2, 3), [1]),
           ((2, 3), [0, 1]), ((2, 3, 4), [0, 2]))  # fmt: skip
BITWISE = (("tir.reduce_and", -1, operator.and_), ("tir.reduce_or", 0, operator.or_), ("tir.reduce_xor", 0, operator.xor))
#: Axes of a 2 x 3 tensor, and the shape that is left.
AXES = (([], (2, 3)), ([0], (3,)), ([1], (2,)), ([0, 1], ()))


def rows() -> list[Sample]:
    return reduction_rows()


def fold(function: Callable[[list[Any]], Any], x: np.ndarray, axes: Sequence[int], name: str | None = None) -> np.ndarray:
    """The function on the list of the numbers along the axes, for each place of the others."""
    kept = [axis for axis in range(x.ndim) if axis not in axes]
    name = name or NAMES[x.dtype]
    found = np.zeros([x.shape[axis] for axis in kept], DTYPES[name])
    for place in np.ndindex(found.shape):
        at: list[Any] = [slice(None)] * x.ndim
        for axis, position in zip(kept, place):
            at[axis] = position
        value = function(widened(x[tuple(at)]).ravel().tolist())
        found[place] = wrap(int(value), name) if name[0] in "iu" and name != "i1" else value
    return found


def product(values: list[Any]) -> Any:
    found = 1
    for value in values:
        found = found * value
    return found


def extreme(best: Callable[[Any, Any], Any], first: Callable[[str], Any], name: str) -> Callable[[list[Any]], Any]:
    def over(values: list[Any]) -> Any:
        found = first(name)
        for value in values:
            found = best(found, value)
        return found

    return over


def lowest_of(name: str) -> Any:
    return -INF if name in ULP else np.iinfo(DTYPES[name]).min


def highest_of(name: str) -> Any:
    return INF if name in ULP else np.iinfo(DTYPES[name]).max


def reduction_rows() -> list[Sample]:
    rows = []
    for name, (shape, axes) in itertools.product(("f32", "f64", *SMALL, "i8", "ui8", "i64"), REDUCED):
        x = random(shape, name)
        text = f"%0 over {axes} : {{r}}"
        rtol = (0.51 if name in SMALL else 16) * ULP.get(name, 0)  # at most 8 terms; small types accumulate in f32
        rows += [
            row("tir.sum", text, [x], fold(exact_sum, x, axes), rtol=rtol),
            row("tir.prod", text, [x], fold(product, x, axes), rtol=rtol),
            row("tir.max", text, [x], fold(extreme(larger, lowest_of, name), x, axes)),
            row("tir.min", text, [x], fold(extreme(smaller, highest_of, name), x, axes)),
        ]
        if name in ULP:
            mean = fold(lambda v: math.fsum(v) / len(v) if v else NAN, x, axes)
            rows.append(row("tir.mean", text, [x], mean, rtol=rtol))
    for shape, axes in REDUCED:
        x = random(shape, "i1", low=-1, high=3)
        rows += [
            row("tir.all", f"%0 over {axes} : {{r}}", [x], fold(all, x, axes)),
            row("tir.any", f"%0 over {axes} : {{r}}", [x], fold(any, x, axes)),
        ]
    for name, (shape, axes) in itertools.product(("i8", "ui64", "i1"), (((2, 3), [1]), ((0,), [0]), ((2, 3), []))):
        x = random(shape, name)
        for op, start, step in BITWISE:
            first = True if start and name == "i1" else (1 << 64) - 1 if start and name == "ui64" else start
            want = fold(lambda v, one=first, step=step: reduce(step, v, one), x, axes)
            rows.append(row(op, f"%0 over {axes} : {{r}}", [x], want))
    hard = array([[NAN, 1, INF], [-0.0, 0.0, -0.0], [0.0, -0.0, 0.0], [-INF, -INF, -INF], [-0.0, -0.0, -0.0]], "f32")
    rows += [
        row("tir.max", "%0 over [1] : {r}", [hard], array([NAN, 0.0, 0.0, -INF, -0.0], "f32")),
        row("tir.min", "%0 over [1] : {r}", [hard], array([NAN, -0.0, -0.0, -INF, -0.0], "f32")),
        row("tir.sum", "%0 over [1] : {r}", [hard], array([NAN, 0, 0, -INF, 0], "f32")),
        row("tir.argmax", "%0 axis 1 : {r}", [hard], array([0, 0, 0, 0, 0], "i64")),
        row("tir.argmax", "%0 axis 0 : {r}", [array([1, NAN, 3, NAN], "f64")], array(1, "i64")),
        row("tir.argmax", "%0 axis 0 : {r}", [array([[1, 5], [3, 5], [3, 2]], "i8")], array([1, 0], "i64")),
        row("tir.argmax", "%0 axis 0 : {r}", [array([0, 200, 100], "ui8")], array(1, "i64")),
        row("tir.argmin", "%0 axis 1 : {r}", [hard], array([0, 0, 0, 0, 0], "i64")),
        row("tir.argmin", "%0 axis 1 : {r}", [array([[INF, INF], [2, -1], [1, NAN]], "f64")], array([0, 1, 1], "i64")),
        row("tir.argmin", "%0 axis 0 : {r}", [array([[1, 5], [-3, 5], [-3, 2]], "i8")], array([1, 2], "i64")),
        row("tir.argmin", "%0 axis 0 : {r}", [np.zeros((0, 2), "uint8")], array([0, 0], "i64")),
        row("tir.max", "%0 over [0] ties split : {r}", [array([1, 3, 3], "f32")], array(3, "f32")),
        row("tir.argmax", "%0 axis 1 : {r}", [random((3, 4), "f32")], np.argmax(random((3, 4), "f32"), 1),
            dims=[("[N]", 4)], result=("[N]",)),
    ]  # fmt: skip
    x = random((2, 3), "f32")
    for op, want in (("tir.sum", x.astype(float).sum(0)), ("tir.mean", x.astype(float).mean(0)), ("tir.max", x.max(0))):
        for dim in ("[N]", "?"):
            rows.append(
                row(
                    op,
                    "%0 over [0] : {r}",
                    [x],
                    want.astype(np.float32),
                    dims=[(dim, 3)],
                    result=(3,),
                    rtol=4 * ULP["f32"],
                )
            )
    return rows


def points() -> list[Smooth]:
    x = random((2, 3), "f64")
    found = []
    for axes, shape in AXES:
        for name in ("sum", "prod", "max", "min"):
            found.append(smooth(f"tir.{name}", f"%0 over {axes} : {{r}}", [x], shape))
    zeros = np.array([[[0, 2, 3], [0, 0, -1], [1, 2, 3]], [[1, 2, 0.5], [3, 2, 1], [0, 0, 0]]])
    with_zero = x.copy()
    with_zero[0, 1] = 0
    return found + [
        smooth("tir.max", "%0 over [0] ties split : {r}", [x], (3,)),
        smooth("tir.min", "%0 over [0, 1] ties first : {r}", [x], (), dims={0: ("[N]", "?")}),
        smooth("tir.prod", "%0 over [1] : {r}", [with_zero], (2,)),
        smooth("tir.prod", "%0 over [0, 2] : {r}", [zeros], ("[N]",), dims={0: (2, "[N]", "?")}),
        smooth("tir.prod", "%0 over [0, 1] acc f64 : {r}", [zeros[0]], ()),
    ]


#: Shapes as numbers and as types have them, and axes that a reduction goes over: all subsets of those of a cube too.
REDUCTIONS: tuple[tuple[tuple[int, ...], tuple[int | str, ...], list[int]], ...] = (
    ((), (), []), ((1,), (1,), [0]), ((5,), ("[N]",), [0]), ((7,), ("?",), [0]), ((3, 2), ("?", 2), [0]), ((6, 1), (6, "?"), [0]), ((1, 4), (1, "[N]"), [0]),
    ((4, 1), ("[N]", "?"), [1]), ((3, 1), (3, 1), [0, 1]), ((3, 0), ("[N]", 0), [0]), ((2, 1, 3, 2), (2, 1, "[N]", 2), [0, 3]),
    ((3, 2, 1, 2), ("?", 2, "[M]", "?"), [1, 2]),
    *(((2, 3, 2), (2, 3, 2), axes) for axes in ([], [0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2])),
)  # fmt: skip


def plain(shape: tuple[int, ...]) -> np.ndarray:
    return random(shape, "f64")


def over_reductions(
    op: str, text: str, make: Callable[[tuple[int, ...]], np.ndarray] = plain, least: int = 0, keeps: bool = False
) -> list[Smooth]:
    """A point for each of the reductions over at least so many elements; `[axes]` in the text stands for the axes.

    keeps: the result has the shape of the operand.
    """
    found = []
    for shape, sizes, axes in REDUCTIONS:
        if math.prod(shape[axis] for axis in axes) >= least:
            result = sizes if keeps else [size for axis, size in enumerate(sizes) if axis not in axes]
            found.append(smooth(op, text.replace("[axes]", str(axes)), [make(shape)], result, dims={0: sizes}))
    return found


def more_points() -> list[Smooth]:
    empty, two = random((2, 0), "f64"), random((2, 3), "f64")
    of_nothing = [smooth(f"tir.{name}", "%0 over [1] : {r}", [empty], (2,)) for name in ("sum", "prod")]
    zeros = np.where(np.arange(6).reshape(2, 3) % 2, 0, two)
    return [
        *of_nothing,
        smooth("tir.prod", "%0 over [1] : {r}", [zeros], ("[N]",), dims={0: ("[N]", "?")}),
        *over_reductions("tir.sum", "%0 over [axes] : {r}"),
        *over_reductions("tir.prod", "%0 over [axes] : {r}", between(0.5, 1.5)),
        *over_reductions("tir.max", "%0 over [axes] : {r}", apart, least=1),
        *over_reductions("tir.min", "%0 over [axes] ties split : {r}", apart, least=1),
    ]
