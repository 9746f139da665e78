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
    x = random((2, 3), "f32")
    want = np.cumsum(x.astype("float64"), 1).astype(np.float32)
    found.append(
        row("tir.cumsum", "%0 axis 1 : {r}", [x], want, dims=[("[N]", "?")], result=("[N]", "?"), rtol=8 * ULP["f32"])
    )
    return found


def points() -> list[Smooth]:
    x = random((2, 3), "f64")
    zeros = array([[0, 2, -1, 3], [1, 0, 2, 0], [-1, 2, 3, 0.5]], "f64")
    found = [
        smooth("tir.cumprod", f"%0 axis 1{words} : {{r}}", [zeros], (3, 4), order=1)
        for words in ("", " reverse", " exclusive", " exclusive reverse")
    ]
    for name in ("cumprod", "cummax", "cummin"):
        found.append(smooth(f"tir.{name}", "%0 axis 1 : {r}", [x], (2, 3)))
        words = "exclusive reverse" if name == "cumprod" else "reverse"  # without elements a record is infinite
        found.append(smooth(f"tir.{name}", f"%0 axis 0 {words} : {{r}}", [x], ("[N]", 3), dims={0: ("[N]", 3)}))
    return found + [
        smooth("tir.cumsum", "%0 axis 1 : {r}", [x], (2, 3)),
        smooth("tir.cumsum", "%0 axis 0 exclusive reverse : {r}", [x], ("[N]", 3), dims={0: ("[N]", 3)}),
    ]
