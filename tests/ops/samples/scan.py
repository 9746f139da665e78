"""Running sums, products and records: rows and smooth points."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.ops.samples.base import (
    INF,
    NAN,
    ULP,
    Sample,
    Smooth,
    apart,
    array,
    larger,
    random,
    row,
    smaller,
    smooth,
    wrap,
)
from tests.ops.samples.reduce import highest_of, lowest_of

FORMS = list(itertools.product((False, True), repeat=2))


def running(x: np.ndarray, name: str, axis: int, exclusive: bool, reverse: bool, first: Any, step: Callable[..., Any]) -> Any:
    """The running totals in Python's numbers."""
    found = np.zeros_like(x)
    for place in np.ndindex(*(size for i, size in enumerate(x.shape) if i != axis)):
        total = first
        order = range(x.shape[axis])
        for i in reversed(order) if reverse else order:
            at = (*place[:axis], i, *place[axis:])
            more = step(total, x[at].item())
            kept = total if exclusive else more
            found[at] = wrap(kept, name) if x.dtype.kind in "iu" else kept
            total = more
    return found


def rows() -> list[Sample]:
    found = []
    cases = (((3,), 0), ((0,), 0), ((1,), 0), ((2, 3), 1), ((2, 3, 2), 1), ((2, 0), 0))
    for (exclusive, reverse), name, (shape, axis) in itertools.product(FORMS, ("f32", "f64", "i8", "ui8", "i64"), cases):
        x = random(shape, name)
        words = f"axis {axis}{' exclusive' * exclusive}{' reverse' * reverse}"
        want = running(x, name, axis, exclusive, reverse, 0, lambda total, more: total + more)
        found.append(row("tir.cumsum", f"%0 {words} : {{r}}", [x], want, rtol=8 * ULP.get(name, 0)))
    steps = {
        "tir.cumprod": (lambda name: 1, operator.mul),
        "tir.cummax": (lowest_of, larger),
        "tir.cummin": (highest_of, smaller),
    }
    few = [(False, False), (True, True)], ("f32", "f64", "i8", "ui8"), (((3,), 0), ((0,), 0), ((2, 3, 2), 1))
    for op, (first, step) in steps.items():
        for (exclusive, reverse), name, (shape, axis) in itertools.product(*few):
            x = random(shape, name)
            words = f"axis {axis}{' exclusive' * exclusive}{' reverse' * reverse}"
            want = running(x, name, axis, exclusive, reverse, first(name), step)
            rtol = 8 * ULP.get(name, 0) if op == "tir.cumprod" else 0
            found.append(row(op, f"%0 {words} : {{r}}", [x], want, rtol=rtol))
    hard = array([[-0.0, 0.0, -0.0, NAN, 1], [0.0, -0.0, -INF, INF, 2]], "f32")
    found += [
        row("tir.cummax", "%0 axis 1 : {r}", [hard], array([[-0.0, 0.0, 0.0, NAN, NAN], [0.0, 0.0, 0.0, INF, INF]], "f32")),
        row("tir.cummin", "%0 axis 1 : {r}", [hard], array([[-0.0, -0.0, -0.0, NAN, NAN], [0.0, -0.0] + [-INF] * 3], "f32")),
    ]
    found += recurrences()
    x = random((2, 3), "f32")
    want = np.cumsum(x.astype("float64"), 1).astype(np.float32)
    found.append(
        row("tir.cumsum", "%0 axis 1 : {r}", [x], want, dims=[("[N]", "?")], result=("[N]", "?"), rtol=8 * ULP["f32"])
    )
    return found


def recurrences() -> list[Sample]:
    """Rows of tir.recurrence: all element types and forms, sizes that run time knows, numbers that no sum forgets."""
    found = []
    cases = (((4,), 0), ((0,), 0), ((1,), 0), ((2, 3, 2), 1))
    for (exclusive, reverse), name, (shape, axis) in itertools.product(FORMS, ("f32", "f64", "f16", "i8", "ui8"), cases):
        a, b = random(shape, name, seed=1), random(shape, name, seed=2)
        words = f"axis {axis}{' exclusive' * exclusive}{' reverse' * reverse}"
        want = recurrence(a, b, name, axis, exclusive, reverse)
        found.append(row("tir.recurrence", f"%0, %1 {words} : {{r}}", [a, b], want, rtol=16 * ULP.get(name, 0)))
    x = random((2, 3), "f32")
    dims, want = [("[N]", "?"), ("?", "?")], recurrence(x, x, "f32", 1, False, False)
    found.append(row("tir.recurrence", "%0, %1 axis 1 : {r}", [x, x], want, dims=dims, result=("[N]", "?"), rtol=16 * ULP["f32"]))
    a, b = array([0, NAN, 0, INF, 0, -1], "f64"), array([INF, 1, -0.0, 2, 3, -3], "f64")
    found.append(row("tir.recurrence", "%0, %1 axis 0 : {r}", [a, b], recurrence(a, b, "f64", 0, False, False)))
    a, b = array([-0.0, 0, 2, INF], "f64"), array([-0.0, 1, -INF, 4], "f64")
    found.append(row("tir.recurrence", "%0, %1 axis 0 reverse : {r}", [a, b], recurrence(a, b, "f64", 0, False, True)))
    return found


def recurrence(a: np.ndarray, b: np.ndarray, name: str, axis: int, exclusive: bool, reverse: bool) -> np.ndarray:
    """In Python's numbers; floats in f64, rounded at the end."""
    pairs = np.empty(a.shape, object)
    for place in np.ndindex(*a.shape):
        pairs[place] = (a[place].item(), b[place].item())
    found = np.zeros(a.shape, a.dtype)
    for place in np.ndindex(*(size for i, size in enumerate(a.shape) if i != axis)):
        total = 0.0 if a.dtype.kind == "f" else 0
        order = range(a.shape[axis])
        for i in reversed(order) if reverse else order:
            at = (*place[:axis], i, *place[axis:])
            more = pairs[at][0] * total + pairs[at][1]
            kept = total if exclusive else more
            found[at] = kept if a.dtype.kind == "f" else wrap(kept, name)
            total = more
    return found


def points() -> list[Smooth]:
    x = random((2, 3), "f64")
    zeros = array([[0, 2, -1, 3], [1, 0, 2, 0], [-1, 2, 3, 0.5], [0, 0, 0, 2]], "f64")
    forms = ("", " reverse", " exclusive", " exclusive reverse")
    found = [smooth("tir.cumprod", f"%0 axis 1{words} : {{r}}", [zeros], (4, 4)) for words in forms]
    found += [smooth("tir.recurrence", f"%0, %1 axis 1{w} : {{r}}", [zeros, zeros - 1], (4, 4), wrt=(0, 1)) for w in forms]
    dims = {0: ("[N]", 3), 1: ("?", "?")}
    found.append(smooth("tir.recurrence", "%0, %1 axis 0 : {r}", [x, x - 1], ("[N]", 3), dims=dims, wrt=(0, 1)))
    for name in ("cumprod", "cummax", "cummin"):
        found.append(smooth(f"tir.{name}", "%0 axis 1 : {r}", [x], (2, 3)))
        words = "exclusive reverse" if name == "cumprod" else "reverse"  # without elements a record is infinite
        found.append(smooth(f"tir.{name}", f"%0 axis 0 {words} : {{r}}", [x], ("[N]", 3), dims={0: ("[N]", 3)}))
    return found + [
        smooth("tir.cumsum", "%0 axis 1 : {r}", [x], (2, 3)),
        smooth("tir.cumsum", "%0 axis 0 exclusive reverse : {r}", [x], ("[N]", 3), dims={0: ("[N]", 3)}),
    ]


#: Shapes as numbers and in types, and an axis.
ALONG: tuple[tuple[tuple[int, ...], tuple[int | str, ...], int], ...] = (
    ((1,), (1,), 0), ((0,), ("[N]",), 0), ((5,), ("?",), 0), ((7,), ("[N]",), 0), ((3, 2), (3, 2), 0), ((1, 4), ("?", 4), 1),
    ((3, 1), ("[N]", 1), 1), ((2, 0), (2, "?"), 0), ((2, 3, 2), ("[N]", "[M]", 2), 1), ((2, 1, 3), (2, 1, 3), 2),
    ((2, 2, 1, 3), ("?", 2, 1, 3), 3), ((4, 1, 1, 2), (4, "?", "?", 2), 0),
)  # fmt: skip


def more_points() -> list[Smooth]:
    found = []
    for number, (shape, sizes, axis) in enumerate(ALONG):
        exclusive, reverse = FORMS[number % 4]
        words = f"axis {axis}{' exclusive' * exclusive}{' reverse' * reverse} : {{r}}"
        x, y, facts = random(shape, "f64"), random(shape, "f64", seed=1), {"dims": {0: sizes, 1: sizes}}
        some_zero = np.where(random(shape, "f64", seed=2) > 1, 0, x)
        found += [
            smooth("tir.cumsum", f"%0 {words}", [x], sizes, **facts),
            smooth("tir.cumprod", f"%0 {words}", [some_zero], sizes, **facts),
            smooth("tir.recurrence", f"%0, %1 {words}", [some_zero, y], sizes, wrt=(0, 1), **facts),
        ]
        words = f"axis {axis}{' reverse' * reverse} : {{r}}"
        found += [smooth(f"tir.{name}", f"%0 {words}", [apart(shape)], sizes, **facts) for name in ("cummax", "cummin")]
    return found
