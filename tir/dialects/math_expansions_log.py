"""The logarithms for `expand-math`, and the logarithm of a number given as two, of which others are made.

`math_expansions.py` says what the builder `s` and its values are.
"""

from __future__ import annotations

import math

from tir.dialects.math_expansions_base import (
    F32,
    Scalars,
    Value,
    at_least,
    by_format,
    floats,
    format_of,
    polynomial,
    power_of_two,
    split,
    split_any,
    two_sum,
)

__all__ = [
    "LOG10_2_F32", "LOG10_2_F64", "LOG10_E_F32", "LOG10_E_F64", "log", "log10", "log1p", "log2", "log_of_sum",
]  # fmt: skip

# Each a high and a low part; the high part of log10(2) has so few digits that its product with an exponent is exact.
LOG10_2_F32 = floats("0x1.344200p-2 -0x1.95ec10p-19")
LOG10_2_F64 = floats("0x1.34413509f7800p-2 0x1.fef311f12b358p-46")
LOG10_E_F32 = floats("0x1.bcb7b2p-2 -0x1.5b235ep-27")
LOG10_E_F64 = floats("0x1.bcb7b1526e50ep-2 0x1.95355baaafad3p-57")


# ---- pieces ----------------------------------------------------------------------------------------------------------


def _log1p_tail(s: Scalars, f: Value) -> Value:
    """log(1 + f) - f, for f in [1 / sqrt(2) - 1, 1/2).

    f64: with q = f / (2 + f), log(1 + f) = 2 atanh(q) = f - q (f - q^2 L(q^2)) (fdlibm, e_log.c), which takes one
    division in place of ten more coefficients.
    """
    form = format_of(s, f)
    if form is F32:
        return s.mul(s.mul(f, f), polynomial(s, f, form.log))
    q = s.div(f, s.add(f, s.const(2.0, f)))
    square = s.mul(q, q)
    return s.mul(q, s.fma(square, polynomial(s, square, form.log), s.neg(f)))


def _log_of_product(s: Scalars, k: Value, f: Value) -> Value:
    """log(2^k (1 + f)), small parts first."""
    high, low = format_of(s, f).log_2
    tail = s.fma(k, s.const(low, k), _log1p_tail(s, f))
    return s.fma(k, s.const(high, k), s.add(f, tail))


def _with_log_limits(s: Scalars, x: Value, result: Value, pole: float) -> Value:
    """`result` right of the pole of a logarithm, -inf at the pole, nan left of it; +inf and nan for themselves."""
    at = s.const(pole, x)
    result = s.select(s.cmp("lt", x, s.const(math.inf, x)), result, x)
    result = s.select(s.cmp("lt", x, at), s.const(math.nan, x), result)
    return s.select(s.cmp("eq", x, at), s.const(-math.inf, x), result)


def log_of_sum(s: Scalars, high: Value, low: Value, doublings: Value) -> Value:
    """log(2^doublings (high + low)), for a normal high > 0 and a |low| of at most its rounding error."""
    form = format_of(s, high)
    biased, exponent, f = split(s, high, form.half_sqrt_2)
    k = s.sub(exponent, s.const(2.0**form.fraction_bits + form.bias, high))
    scale = at_least(s, power_of_two(s, s.sub(s.const(2 * form.bias, biased), biased), form), 0.0)  # as in log1p
    f, f_low = two_sum(s, f, s.mul(low, scale))
    high_part, low_part = form.log_2
    k = s.add(k, doublings)
    tail = s.add(s.fma(k, s.const(low_part, k), f_low), _log1p_tail(s, f))
    return s.fma(k, s.const(high_part, k), s.add(f, tail))


# ---- functions -------------------------------------------------------------------------------------------------------


def log(s: Scalars, x: Value) -> Value:
    """The natural logarithm, within 1.0 ULP in f32 and 1.0 in f64. -inf at both zeros, nan below."""
    k, f = split_any(s, x)
    return _with_log_limits(s, x, _log_of_product(s, k, f), 0.0)


def log2(s: Scalars, x: Value) -> Value:
    """The logarithm to base 2, within 1.15 ULP in f32 and 1.3 in f64.

    Exact for powers of two; -inf at both zeros, nan below.
    """
    k, f = split_any(s, x)
    high, low = (s.const(part, x) for part in format_of(s, x).log2_e)
    tail = s.fma(_log1p_tail(s, f), high, s.mul(f, low))
    return _with_log_limits(s, x, s.add(k, s.fma(f, high, tail)), 0.0)


def log1p(s: Scalars, x: Value) -> Value:
    """log(1 + x), accurate for small x, within 1.0 ULP in f32 and 1.2 in f64. -inf at -1, nan below.

    u = 1 + x is rounded; what it lost, scaled by 2^-k as u is, joins f. Up to k = fraction_bits the sum is exact, since
    2^-k x and 2^-k - 1 are within a factor of 2 of each other, or k = 0; hence [3/4, 3/2).
    """
    form = format_of(s, x)
    one = s.const(1.0, x)
    u = s.add(x, one)
    biased, exponent, f = split(s, u, form.three_quarters)
    k = s.sub(exponent, s.const(2.0**form.fraction_bits + form.bias, x))
    lost = s.sub(x, s.sub(u, one))
    # 2^-k comes out as 0 for k = bias and -inf for k = bias + 1. There `lost` is 0, and 0 times 0 does no harm.
    scale = at_least(s, power_of_two(s, s.sub(s.const(2 * form.bias, biased), biased), form), 0.0)
    result = _log_of_product(s, k, s.fma(lost, scale, f))
    return s.copysign(_with_log_limits(s, x, result, -1.0), x)  # -0.0 stays -0.0


def log10(s: Scalars, x: Value) -> Value:
    """The logarithm to base 10, within 1.0 ULP in f32 and 0.95 in f64. -inf at both zeros, nan below."""
    k, f = split_any(s, x)
    log10_2, log10_2_low = (s.const(part, x) for part in by_format(s, x, LOG10_2_F32, LOG10_2_F64))
    log10_e, log10_e_low = (s.const(part, x) for part in by_format(s, x, LOG10_E_F32, LOG10_E_F64))
    product = s.mul(f, log10_e)
    lost = s.fma(f, log10_e_low, s.fma(f, log10_e, s.neg(product)))
    high, high_lost = two_sum(s, s.mul(k, log10_2), product)
    low = s.fma(k, log10_2_low, s.add(high_lost, lost))
    return _with_log_limits(s, x, s.add(high, s.fma(_log1p_tail(s, f), log10_e, low)), 0.0)
