"""Functions of floats, element by element: rows and smooth points."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np

from tests.ops.samples.base import (
    FLOATS,
    INF,
    NAN,
    SPECIALS,
    Sample,
    Smooth,
    apart,
    array,
    between,
    binary,
    each,
    logarithm,
    over_forms,
    precise,
    random,
    row,
    smooth,
    unary,
)

#: Beside the usual: small, so that cancellation shows; large, so that angles do; ends of domains.
HARD = (*SPECIALS, 1e-5, -1e-5, 0.5, -0.5, 0.99, -0.99, 3.0, -3.0, 10.0, -10.0, 80.0, -80.0, 1e4, 12345.678)
HALVES = (NAN, INF, -INF, 0.0, -0.0, 0.5, -0.5, 1.5, 2.5, -1.5, -2.5, 0.49999997, -0.3, 0.7, 8388609.0, 1e30)


def rows() -> list[Sample]:
    exact = {"floor": math.floor, "ceil": math.ceil, "trunc": math.trunc, "round": round}
    rows = [
        *unary("tir.sqrt", precise(root), FLOATS, low=0, hard=(NAN, INF, -INF, 0.0, -0.0, -1.0), ulps=0.5),
        *unary("tir.rsqrt", root_inverse, FLOATS, low=0.1, hard=HARD, ulps=4),
        *unary("tir.log1mexp", log1mexp, FLOATS, low=-3, high=0, hard=HARD, ulps=4),
        *binary("tir.atan2", math.atan2, FLOATS, ulps=4),
    ]
    for name, (function, low, high) in FUNCTIONS.items():
        rows += unary(f"tir.{name}", precise(function), FLOATS, low=low, high=high, hard=HARD, ulps=4)
    for name, whole in exact.items():
        rows += unary(f"tir.{name}", rounded(whole), FLOATS, low=-9, high=9, hard=HALVES)
    for name in FLOATS:
        x = array(HALVES, name)
        rows.append(row("tir.round", "%0 half away : {r}", [x], each(rounded(half_away), x)))
    return rows


# --- what an element is -----------------------------------------------------------------------------------------------


def root(x: Any) -> Any:
    return x if x != x or x == 0 else mpmath.nan if x < 0 else mpmath.sqrt(x)


def root_inverse(x: float) -> float:
    return math.copysign(INF, x) if x == 0 else precise(lambda v: 1 / root(v))(x)


def log1mexp(x: float) -> float:
    def exactly(v: Any) -> Any:
        return logarithm(-mpmath.expm1(v)) if v > -1 else mpmath.log1p(-mpmath.exp(v))

    found = precise(within(-INF, 0, exactly))(x)
    return -0.0 if found == 0 else found  # it comes from below


def within(low: float, high: float, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The function, and nan outside of low to high, where mpmath has complex numbers."""
    return lambda x: function(x) if low <= x <= high else mpmath.nan


def finite(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The function of finite numbers; nan of others."""
    return lambda x: function(x) if mpmath.isfinite(x) else mpmath.nan


def signed_root(x: Any) -> Any:
    return x if not mpmath.isfinite(x) else mpmath.sign(x) * mpmath.cbrt(abs(x))


def rounded(function: Callable[[float], float]) -> Callable[[float], float]:
    """A function to whole numbers; the result has the sign of x, if it is 0 too."""
    return lambda x: x if not math.isfinite(x) else math.copysign(function(x), x)


def half_away(x: float) -> float:
    return math.trunc(x) + (abs(x - math.trunc(x)) >= 0.5) * math.copysign(1, x)


def area_tangent(x: Any) -> Any:
    return mpmath.sign(x) * mpmath.inf if abs(x) == 1 else mpmath.atanh(x)


#: The function, and the range of random numbers.
FUNCTIONS: dict[str, tuple[Callable[[Any], Any], float, float]] = {
    "cbrt": (signed_root, -2, 2),
    "exp": (mpmath.exp, -2, 2),
    "exp2": (lambda x: mpmath.power(2, x), -2, 2),
    "expm1": (mpmath.expm1, -2, 2),
    "log": (logarithm, 0.1, 2),
    "log2": (lambda x: logarithm(x) / mpmath.log(2), 0.1, 2),
    "log10": (lambda x: logarithm(x) / mpmath.log(10), 0.1, 2),
    "log1p": (lambda x: logarithm(1 + x), -0.9, 2),
    "sin": (finite(mpmath.sin), -2, 2),
    "cos": (finite(mpmath.cos), -2, 2),
    "tan": (finite(mpmath.tan), -2, 2),
    "asin": (within(-1, 1, mpmath.asin), -1, 1),
    "acos": (within(-1, 1, mpmath.acos), -1, 1),
    "atan": (mpmath.atan, -2, 2),
    "sinh": (mpmath.sinh, -2, 2),
    "cosh": (mpmath.cosh, -2, 2),
    "tanh": (mpmath.tanh, -2, 2),
    "asinh": (mpmath.asinh, -2, 2),
    "acosh": (within(1, INF, mpmath.acosh), 1, 4),
    "atanh": (within(-1, 1, area_tangent), -1, 1),
    "erf": (mpmath.erf, -2, 2),
    "erfc": (lambda x: mpmath.mpf(0) if x > 100 else mpmath.erfc(x), -2, 2),
}


# --- points -----------------------------------------------------------------------------------------------------------


def points() -> list[Smooth]:
    y, positive, small = random((2, 3), "f64", seed=1), random((2, 3), "f64", 0.3, 2), random((2, 3), "f64", -0.9, 0.9)
    special = {"rsqrt": positive, "log": positive, "log2": positive, "log10": positive, "log1p": positive,
               "log1mexp": -positive, "asin": small, "acos": small, "atanh": small, "acosh": positive + 1}  # fmt: skip
    names = ("sqrt", "rsqrt", "log1mexp", *FUNCTIONS, "floor", "ceil", "trunc", "round")
    found = [smooth(f"tir.{name}", "%0 : {r}", [special.get(name, positive)], (2, 3)) for name in names]
    return found + [
        smooth("tir.atan2", "%0, %1 : {r}", [random((2, 3), "f64"), y], (2, 3), wrt=(0, 1)),
        smooth("tir.exp", "%0 : {r}", [y], ("[N]", "?"), dims={0: ("[N]", "?")}),
        smooth("tir.asinh", "%0 : {r}", [small], (2, 3)),
        smooth("tir.round", "%0 half away : {r}", [small], (2, 3)),
    ]


def more_points() -> list[Smooth]:
    """Inside of the domains: at their ends slopes are infinite."""
    ranges = {name: (low, high) for name, (_, low, high) in FUNCTIONS.items()}
    ranges |= {"sqrt": (0.1, 3), "rsqrt": (0.1, 3), "log1mexp": (-3, -0.1), "log1p": (-0.8, 2), "tan": (-1.3, 1.3)}
    ranges |= {name: (-0.9, 0.9) for name in ("asin", "acos", "atanh")} | {"acosh": (1.1, 4)}
    found = [point for name, ends in ranges.items() if name != "cbrt" for point in over_forms(f"tir.{name}", "%0 : {r}", between(*ends))]
    found += over_forms("tir.cbrt", "%0 : {r}", apart)
    found += over_forms("tir.atan2", "%0, %1 : {r}", between(-2, 2), apart)
    for name in ("floor", "ceil", "trunc", "round"):
        found += over_forms(f"tir.{name}", "%0 : {r}", lambda shape: np.floor(apart(shape)) + random(shape, "f64", 0.1, 0.4))
    return found
