"""lgamma, digamma, polygamma and erfinv: rows and smooth points."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import mpmath
import numpy as np

from tests.ops.samples.base import (
    FLOATS,
    INF,
    NAN,
    ULP,
    Sample,
    Smooth,
    array,
    between,
    each,
    over_forms,
    precise,
    random,
    row,
    smooth,
    unary,
)

#: Poles, zeros, what is next to them, halves, and where the formulas change.
GAMMA = (NAN, INF, 0.5, 1.0, 1.001, 1.4616321449683623, 1.5, 2.0, 2.001, 2.5, 7.99, 8.0, 10.0, 100.0, 1e-5, 3e4)
NEGATIVE = (-0.5, -0.25, -1.5, -2.75, -7.3, -20.6, -1e-3)
POLES = (-INF, 0.0, -0.0, -1.0, -2.0, -1000.0)
ENDS = (NAN, INF, -INF, 0.0, -0.0, 1.0, -1.0, 1.5, 0.5, -0.5, 0.499, 0.9, 0.999, -0.9995, 1e-4, -1e-30)


def rows() -> list[Sample]:
    rows = [*unary("tir.erfinv", precise(erfinv), FLOATS, low=-1, high=1, hard=ENDS, ulps=4)]
    for name in FLOATS:
        for op, function in (("lgamma", lgamma), ("digamma", digamma)):
            for x in (*(random(s, name, 0.1, 12) for s in ((), (0,), (1,), (2, 3), (40,))), array((*GAMMA, *POLES), name)):
                rows.append(close(op, function, x))
            # pi / tan(pi x) and log(sin(pi x)) multiply the rounding of x, not that of the result.
            rows.append(replace(close(op, function, array(NEGATIVE, name)), atol=60 * ULP[name]))
    rows += polygamma_rows()
    x = random((2, 3), "f32", 0.1, 5)
    for op, function in (("lgamma", lgamma), ("digamma", digamma)):
        rows.append(close(op, function, x, dims=[("[N]", "?")], result=("[N]", "?")))
    return rows


def polygamma_rows() -> list[Sample]:
    """Rows of orders of both parities, at the poles too; what is measured there is the error of the two terms."""
    rows = []
    for name in FLOATS:
        for order in (0, 1, 2, 3, 6):
            for x in (*(random(s, name, 0.1, 12) for s in ((), (0,), (2, 3), (40,))), array((*GAMMA, *POLES), name)):
                rows.append(polygamma_row(order, x, name, (8 if order == 0 else 5 + 1.25 * order) * ULP[name]))
            negative = array(NEGATIVE, name)
            made = polygamma_row(order, negative, name, 8 * ULP[name])
            terms = math.factorial(order) / np.abs(negative - np.rint(negative)).astype(float) ** (order + 1)
            rows.append(replace(made, atol=(9 + 2.5 * order) * ULP[name] * float(np.max(terms))))
    x = random((2, 3), "f32", 0.1, 5)
    rows.append(polygamma_row(1, x, "f32", 7 * ULP["f32"], dims=[("[N]", "?")], result=("[N]", "?")))
    rows.append(polygamma_row(100, array((NAN, INF, 0.0, -0.0, 0.5, 3.0, 1000.0), "f64"), "f64", 130 * ULP["f64"]))
    return rows


def polygamma_row(order: int, x: np.ndarray, name: str, rtol: float, **facts: Any) -> Sample:
    made = row("tir.polygamma", f"%0 order {order} : {{r}}", [x], each(partial(polygamma, order), x), **facts)
    return replace(made, rtol=rtol, atol=rtol if order == 0 else 0.0)


def close(op: str, function: Callable[[Any], Any], x: np.ndarray, **facts: Any) -> Sample:
    """A row that is right to 4 ulp of the larger of 1 and the result."""
    ulp = ULP[next(name for name in ULP if np.dtype(name.replace("f", "float")) == x.dtype)]
    made = row(f"tir.{op}", "%0 : {r}", [x], each(function, x), **facts)
    return replace(made, rtol=4 * ulp, atol=4 * ulp)


# --- what an element is ----------------------------------------------------------------------------------------------


def lgamma(x: float) -> float:
    if x != x:
        return NAN
    if abs(x) == INF or (x <= 0 and x == int(x)):
        return INF
    with mpmath.workdps(60):
        exact = mpmath.mpf(x)
        return float(mpmath.loggamma(exact) if x > 0 else mpmath.log(abs(mpmath.gamma(exact))))


def digamma(x: float) -> float:
    if x != x or x == -INF:
        return NAN
    if x == INF:
        return INF
    if x <= 0 and x == int(x):
        return -float(np.copysign(INF, x)) if x == 0 else NAN
    with mpmath.workdps(60):
        return float(mpmath.digamma(mpmath.mpf(x)))


def polygamma(order: int, x: float) -> float:
    """By mpmath; at the poles the limit from the side of the sign of a zero, if it is the same from both sides for odd."""
    if order == 0:
        return digamma(x)
    if x != x or x == -INF:
        return NAN
    if x == INF:
        return 0.0 if order % 2 else -0.0
    if x <= 0 and x == int(x):
        return INF if order % 2 else NAN if x else -float(np.copysign(INF, x))
    with mpmath.workdps(60 + 20 * order):
        return float(mpmath.psi(order, mpmath.mpf(x)))


def erfinv(x: Any) -> Any:
    if not abs(x) < 1:
        return mpmath.sign(x) * mpmath.inf if abs(x) == 1 else mpmath.nan
    return mpmath.erfinv(x)


# --- points ----------------------------------------------------------------------------------------------------------


def points() -> list[Smooth]:
    return [
        smooth("tir.lgamma", "%0 : {r}", [random((2, 3), "f64", 0.3, 9)], (2, 3)),
        smooth("tir.lgamma", "%0 : {r}", [random((2,), "f64", -0.8, -0.2)], (2,)),
        smooth("tir.digamma", "%0 : {r}", [random((2, 3), "f64", 0.5, 9)], (2, 3)),
        smooth("tir.digamma", "%0 : {r}", [random((2,), "f64", -0.8, -0.2)], (2,)),
        *(smooth("tir.polygamma", f"%0 order {n} : {{r}}", [random((3,), "f64", 0.8, 9)], (3,)) for n in (0, 1, 2, 3)),
        smooth("tir.polygamma", "%0 order 1 : {r}", [random((2,), "f64", -0.8, -0.3)], (2,)),
        smooth("tir.erfinv", "%0 : {r}", [random((2, 3), "f64", -0.9, 0.9)], (2, 3)),
    ]


def more_points() -> list[Smooth]:
    return [
        *over_forms("tir.lgamma", "%0 : {r}", between(0.3, 9)),
        *over_forms("tir.digamma", "%0 : {r}", between(0.5, 9)),
        *over_forms("tir.polygamma", "%0 order 2 : {r}", between(0.8, 9)),
        *over_forms("tir.erfinv", "%0 : {r}", between(-0.9, 0.9)),
    ]
