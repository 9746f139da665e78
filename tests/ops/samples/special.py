"""lgamma, digamma and erfinv: rows and smooth points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import mpmath
import numpy as np

from tests.ops.samples.base import FLOATS, INF, NAN, ULP, Sample, Smooth, array, each, precise, random, row, smooth, unary

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
    x = random((2, 3), "f32", 0.1, 5)
    for op, function in (("lgamma", lgamma), ("digamma", digamma)):
        rows.append(close(op, function, x, dims=[("[N]", "?")], result=("[N]", "?")))
    return rows


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


def erfinv(x: Any) -> Any:
    if not abs(x) < 1:
        return mpmath.sign(x) * mpmath.inf if abs(x) == 1 else mpmath.nan
    return mpmath.erfinv(x)


# --- points ----------------------------------------------------------------------------------------------------------


def points() -> list[Smooth]:
    return [
        smooth("tir.lgamma", "%0 : {r}", [random((2, 3), "f64", 0.3, 9)], (2, 3), order=1),
        smooth("tir.lgamma", "%0 : {r}", [random((2,), "f64", -0.8, -0.2)], (2,), order=1),
        smooth("tir.erfinv", "%0 : {r}", [random((2, 3), "f64", -0.9, 0.9)], (2, 3)),
    ]
