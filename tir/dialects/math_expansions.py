"""Elementary functions as short branch-free sequences of scalar operations; `expand-math` inlines them.

Each function takes a builder `s` and a value `x` (powf: `x` and `y`; atan2: `y` and `x`) and returns the value of the
result. `x` is f32 or f64, or a vector of them (`s.dtype(x)` gives the element type); all that is emitted is arithmetic,
square roots, compares, selects, bit operations and casts between f32 and f64, so loops over it vectorise, and CPU, GPU
and interpreter compute the same. No table look-up, no conversion between i64 and f64 (AVX2 has none), no call.

- Every function is right on the whole range: nan, infinities, both zeros, overflow, subnormal arguments and results.
- Error bounds are measured, with a true fma: f32 on all bit patterns, powf and f64 on samples; `tests/math` asserts
  them. An ULP is the distance of the format's numbers around the true result.
- Nothing here survives fast-math: the operations must be emitted without such flags. The builder's `fma` must round
  once, its `cmp` must be false for nan (except "ne").
- A clamp is `select(x < limit, limit, x)`: it lets nan through, and is one instruction on x86.

The pieces are in `math_expansions_base.py`, most functions by family in `math_expansions_log.py`, `_pow.py`, `_root.py`,
`_trig.py`, `_inverse.py`, `_hyperbolic.py` and `_error.py`. `tools/fit_math.py` computes the constants.
"""

from __future__ import annotations

from collections.abc import Callable

from tir.dialects.math_expansions_base import (
    F32,
    F64,
    Format,
    Scalars,
    Value,
    at_least,
    at_most,
    exp_of_sum,
    format_of,
    polynomial,
    power_of_two,
    round_to_whole,
    without_log_2,
)
from tir.dialects.math_expansions_error import erf, erfc
from tir.dialects.math_expansions_hyperbolic import acosh, asinh, atanh, cosh, sinh
from tir.dialects.math_expansions_inverse import acos, asin, atan, atan2
from tir.dialects.math_expansions_log import log, log1p, log2, log10
from tir.dialects.math_expansions_pow import powf
from tir.dialects.math_expansions_root import cbrt
from tir.dialects.math_expansions_trig import cos, sin, tan

__all__ = ["EXPANSIONS", "F32", "F64", "Format", "exp", "exp2", "expm1", "tanh"]


# ---- functions -------------------------------------------------------------------------------------------------------


def exp(s: Scalars, x: Value) -> Value:
    """e^x, within 1.02 ULP in f32 and 1.1 in f64."""
    form = format_of(s, x)
    x = at_most(s, at_least(s, x, form.exp_low), form.exp_high)
    n, bits = round_to_whole(s, x, form.log2_e[0], 2 * form.bias)
    high, low = form.log_2
    r = s.fma(n, s.const(-low, x), s.fma(n, s.const(-high, x), x))  # the inner fma is exact
    return exp_of_sum(s, r, bits)


def exp2(s: Scalars, x: Value) -> Value:
    """2^x, within 1.02 ULP in f32 and 1.15 in f64. Exact for integers."""
    form = format_of(s, x)
    x = at_most(s, at_least(s, x, float(-form.bias - form.fraction_bits - 1)), float(form.bias + 1))
    n, bits = round_to_whole(s, x, 1.0, 2 * form.bias)
    return exp_of_sum(s, s.mul(s.sub(x, n), s.const(form.log_2[0], x)), bits)


def expm1(s: Scalars, x: Value) -> Value:
    """e^x - 1 without cancellation near 0, within 1.05 ULP in f32 and 1.35 in f64.

    With e^x = 2^n e^r, half the result is (2^(n-1) - 1/2) + 2^(n-1) (e^r - 1); half, since 2^n may overflow where the
    result does not. For n = 1 and r near -log(2)/2 the sum is much smaller than its terms: what the roundings of r and
    of the leading sum lose is carried along.
    """
    form = format_of(s, x)
    clamped = at_most(s, at_least(s, x, form.expm1_low), form.exp_high)
    n, bits = round_to_whole(s, clamped, form.log2_e[0], form.bias - 1)
    r, lost = without_log_2(s, clamped, n)
    tail = s.fma(s.mul(r, r), polynomial(s, r, form.expm1), lost)
    scale = power_of_two(s, bits, form)
    constant = s.sub(scale, s.const(0.5, x))
    leading = s.fma(r, scale, constant)
    rest = s.fma(tail, scale, s.fma(r, scale, s.sub(constant, leading)))
    half = s.add(leading, rest)
    # Keeps -0.0, and subnormals, which the half would round.
    is_tiny = s.cmp("lt", s.abs(x), s.const(2.0 ** -(form.fraction_bits + 2), x))
    return s.select(is_tiny, x, s.add(half, half))


def tanh(s: Scalars, x: Value) -> Value:
    """The hyperbolic tangent, accurate for small x, within 0.98 ULP in f32 and 1.5 in f64."""
    magnitude = s.abs(x)
    positive_half = _tanh_f32 if s.dtype(x) == "f32" else _tanh_f64
    return s.copysign(positive_half(s, magnitude), x)


def _tanh_f32(s: Scalars, x: Value) -> Value:
    """x + x^3 P(x^2) below 1, else 1 - 2 / (e^2x + 1), whose error is that of a number below 1/4."""
    one = s.const(1.0, x)
    square = s.mul(x, x)
    small = s.fma(s.mul(square, polynomial(s, square, F32.tanh)), x, x)
    clamped = at_most(s, x, F32.tanh_high)
    n, bits = round_to_whole(s, clamped, 2 * F32.log2_e[0], F32.bias)
    r = s.fma(n, s.const(-F32.log_2[0] / 2, x), clamped)  # the low part of log(2) is too small to matter here
    e_to_2r = (1.0, *(c * 2.0 ** (i + 1) for i, c in enumerate((1.0, *F32.exp))))
    denominator = s.fma(polynomial(s, r, e_to_2r), power_of_two(s, bits, F32), one)
    large = s.sub(one, s.div(s.const(2.0, x), denominator))
    return s.select(s.cmp("lt", x, one), small, large)


def _tanh_f64(s: Scalars, x: Value) -> Value:
    """a / (a + u) with u = 2^-n and a = (1 - u) / 2 + (e^2r - 1) / 2, where x = n log(2) / 2 + r.

    n is rounded down, so that both terms of `a` are positive: relative accuracy at 0 without a second polynomial. One
    Newton step repairs what the denominator and the division have lost.
    """
    one = s.const(1.0, x)
    clamped = at_most(s, x, F64.tanh_high)
    # Just below 1/2: a tie would be rounded to even, and x = 0 must give n = 0. So r may be a little negative.
    turns = s.fma(clamped, s.const(-2 * F64.log2_e[0], x), s.const(0.5 - 2.0**-12, x))
    minus_n, bits = round_to_whole(s, turns, 1.0, F64.bias)
    high, low = F64.log_2
    r = s.fma(minus_n, s.const(low / 2, x), s.fma(minus_n, s.const(high / 2, x), clamped))
    u = power_of_two(s, bits, F64)
    expm1_half = s.fma(s.mul(r, r), polynomial(s, r, F64.tanh), r)
    a = s.add(s.fma(u, s.const(-0.5, x), s.const(0.5, x)), expm1_half)
    b = s.add(a, u)
    b_lost = s.sub(a, s.sub(b, u))
    inverse = s.div(one, b)
    y = s.mul(a, inverse)
    minus_y = s.neg(y)
    residual = s.fma(minus_y, b_lost, s.fma(minus_y, b, a))
    return s.fma(residual, inverse, y)


EXPANSIONS: dict[str, Callable[..., Value]] = {
    "acos": acos,
    "acosh": acosh,
    "asin": asin,
    "asinh": asinh,
    "atan": atan,
    "atan2": atan2,
    "atanh": atanh,
    "cbrt": cbrt,
    "cos": cos,
    "cosh": cosh,
    "erf": erf,
    "erfc": erfc,
    "exp": exp,
    "exp2": exp2,
    "expm1": expm1,
    "log": log,
    "log10": log10,
    "log1p": log1p,
    "log2": log2,
    "powf": powf,
    "sin": sin,
    "sinh": sinh,
    "tan": tan,
    "tanh": tanh,
}
