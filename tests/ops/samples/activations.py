"""Activation functions: rows and smooth points."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import mpmath

from tests.ops.samples.base import (
    FLOATS,
    INF,
    NAN,
    SPECIALS,
    ULP,
    Sample,
    Smooth,
    apart,
    array,
    between,
    each,
    larger,
    over_forms,
    precise,
    random,
    row,
    smooth,
    unary,
)

HARD = (*SPECIALS, 1e-5, -1e-5, 20.0, -20.0, -60.0, 80.0, 100.0, -100.0)


def rows() -> list[Sample]:
    return [
        *unary("tir.sigmoid", precise(sigmoid), FLOATS, hard=(NAN, INF, -INF, 0.0, 80.0, -80.0, -95.0, -700.0, 1000.0), ulps=4),
        *unary("tir.relu", lambda x: larger(x, 0.0), FLOATS, hard=SPECIALS),
        *unary("tir.softplus", precise(softplus), FLOATS, hard=HARD, ulps=4),
        *unary("tir.leaky_relu", leaky_relu(0.01), FLOATS, hard=SPECIALS, ulps=1),
        *unary("tir.elu", keeping_zero(elu(1.0)), FLOATS, hard=HARD, ulps=4),
        *unary("tir.gelu", keeping_zero(gelu), FLOATS, hard=(*SPECIALS, 1e-5, 20.0, 80.0), ulps=8),
        *unary("tir.silu", keeping_zero(silu), FLOATS, hard=(*SPECIALS, 1e-5, 20.0, -20.0, -80.0, 80.0), ulps=4),
        *(sample for name in FLOATS for sample in attribute_rows(name)),
        *tails(),
    ]


def attribute_rows(name: str) -> list[Sample]:
    x = array((*SPECIALS, 0.3, -0.3, 2.0, -2.0), name)
    ulp = ULP[name]
    return [
        row("tir.relu", "%0 at_zero(0.5) : {r}", [x], each(lambda v: larger(v, 0.0), x)),
        replace(row("tir.leaky_relu", "%0 alpha(0.2) : {r}", [x], each(leaky_relu(0.2), x)), rtol=2 * ulp, atol=0),
        replace(row("tir.elu", "%0 alpha(1.6) : {r}", [x], each(keeping_zero(elu(1.6)), x)), rtol=4 * ulp, atol=0),
        replace(
            row("tir.gelu", "%0 approximate tanh : {r}", [x], each(keeping_zero(gelu_by_tanh), x)), rtol=8 * ulp, atol=0
        ),
    ]


def tails() -> list[Sample]:
    """Far from 0 gelu loses places with the rounding of an exponent of x^2 / 2; elsewhere 0 would come out."""
    found = []
    for name, low in (("f32", -10.0), ("f64", -30.0)):
        x = random((50,), name, low, -2)
        for text, function in (("", gelu), (" approximate tanh", gelu_by_tanh)):
            x = x if function is gelu else array(x / 2, name)
            allowed = (4 + 2 * float(x.min()) ** 2) * ULP[name]
            want = each(keeping_zero(function), x)
            found.append(replace(row("tir.gelu", f"%0{text} : {{r}}", [x], want), rtol=allowed, atol=1e-37))
    return found


# --- what an element is -----------------------------------------------------------------------------------------------


def keeping_zero(function: Callable[[Any], Any]) -> Callable[[float], float]:
    """The function with 60 digits, rounded once; a zero has the sign of x, which mpmath lacks."""

    def rounded(x: float) -> float:
        with mpmath.workdps(60):
            found = float(function(mpmath.mpf(x)))
        return math.copysign(found, x) if found == 0 else found

    return rounded


def sigmoid(x: Any) -> Any:
    return 1 / (1 + mpmath.exp(-x))


def softplus(x: Any) -> Any:
    return x if x != x or x == mpmath.inf else mpmath.log1p(mpmath.exp(x))


def leaky_relu(alpha: float) -> Callable[[float], float]:
    return lambda x: x if x > 0 else alpha * x


def elu(alpha: float) -> Callable[[Any], Any]:
    return lambda x: x if x > 0 or x != x else alpha * mpmath.expm1(x)


def gelu(x: Any) -> Any:
    return limits(x) if not mpmath.isfinite(x) else x * mpmath.erfc(-x / mpmath.sqrt(2)) / 2


def gelu_by_tanh(x: Any) -> Any:
    if not mpmath.isfinite(x):
        return limits(x)
    return x / (1 + mpmath.exp(-2 * mpmath.sqrt(2 / mpmath.pi) * (x + mpmath.mpf("0.044715") * x**3)))


def silu(x: Any) -> Any:
    return limits(x) if not mpmath.isfinite(x) else x / (1 + mpmath.exp(-x))


def limits(x: Any) -> Any:
    """Of a function that is 0 on the left and x on the right."""
    return mpmath.mpf(0) if x == -mpmath.inf else x


# --- points -----------------------------------------------------------------------------------------------------------


def points() -> list[Smooth]:
    x = random((2, 3), "f64")
    names = ("sigmoid", "relu", "softplus", "leaky_relu", "elu", "gelu", "silu")
    found = [smooth(f"tir.{name}", "%0 : {r}", [x], (2, 3)) for name in names]
    return found + [
        smooth("tir.gelu", "%0 approximate tanh : {r}", [x], (2, 3)),
        smooth("tir.elu", "%0 alpha(1.5) : {r}", [x], (2, 3)),
        smooth("tir.leaky_relu", "%0 alpha(0.3) : {r}", [x], (2, 3)),
    ]


def more_points() -> list[Smooth]:
    smooth_ones, bent = ("sigmoid", "softplus", "gelu", "silu"), ("relu", "leaky_relu", "elu")
    found = [point for name in smooth_ones for point in over_forms(f"tir.{name}", "%0 : {r}", between(-3, 3))]
    return found + [point for name in bent for point in over_forms(f"tir.{name}", "%0 : {r}", apart)]
