"""sinh, cosh, asinh, acosh and atanh for `expand-math`; tanh stands in `math_expansions.py`, which has the conventions.

`tools/fit_math.py` computes the constants.
"""

from __future__ import annotations

import math

from tir.dialects.math_expansions_base import (
    Scalars,
    Value,
    at_least,
    at_most,
    by_format,
    floats,
    format_of,
    polynomial,
    power_of_two,
    quotient_of_sums,
    round_to_whole,
    two_sum,
    without_log_2,
)
from tir.dialects.math_expansions_log import log_of_sum

__all__ = ["COSH_F32", "COSH_F64", "SINH_F32", "SINH_F64", "acosh", "asinh", "atanh", "cosh", "sinh"]

# sinh(r) = r + r^3 SINH(r^2) and cosh(r) = 1 + r^2 COSH(r^2) for |r| up to log(2) / 2.
SINH_F32 = floats(  # within 2^-34.15
    "0x1.555556p-3 0x1.110fe0p-7 0x1.a293d6p-13"
)
SINH_F64 = floats(  # within 2^-61.68
    "0x1.5555555555559p-3 0x1.111111110f657p-7 0x1.a01a01b001af0p-13 0x1.71ddf81661fe2p-19 0x1.af5f1c1c323d2p-26"
)
COSH_F32 = floats(  # within 2^-33.21
    "0x1.000000p-1 0x1.5554e4p-5 0x1.6d5148p-10"
)
COSH_F64 = floats(  # within 2^-57.96
    "0x1.000000000000cp-1 0x1.555555554fe3dp-5 0x1.6c16c185f60b7p-10 0x1.a01995ef36a09p-16 0x1.28b0c3674e46bp-22"
)


def sinh(s: Scalars, x: Value) -> Value:
    """The hyperbolic sine, within 0.95 ULP in f32 and 0.95 in f64. Keeps -0.0.

    sinh(n log(2) + r) = a cosh(r) + b sinh(r) with a = (2^n - 2^-n) / 2 and b = (2^n + 2^-n) / 2.
    """
    large, small, r, r_low = _reduced(s, s.abs(x))
    a, b = s.sub(large, small), s.add(large, small)
    quarter = _sum_of_products(s, a, s.sub(s.sub(large, a), small), b, r, r_low)
    is_tiny = s.cmp("lt", s.abs(x), s.const(2.0 ** -(format_of(s, x).fraction_bits / 2 + 1), x))
    return s.select(is_tiny, x, s.copysign(s.mul(quarter, s.const(4.0, x)), x))


def cosh(s: Scalars, x: Value) -> Value:
    """The hyperbolic cosine, within 0.85 ULP in f32 and 0.85 in f64.

    cosh(n log(2) + r) = b cosh(r) + a sinh(r), with a and b as for sinh.
    """
    large, small, r, r_low = _reduced(s, s.abs(x))
    a, b = s.sub(large, small), s.add(large, small)
    return s.mul(_sum_of_products(s, b, s.add(s.sub(large, b), small), a, r, r_low), s.const(4.0, x))


def _reduced(s: Scalars, x: Value) -> tuple[Value, Value, Value, Value]:
    """2^n / 8, 2^-n / 8, r and r_low, where x = n log(2) + r + r_low.

    A quarter of what the formulas want, since 2^n / 2 may overflow where the result does not.
    """
    form = format_of(s, x)
    clamped = at_most(s, x, form.exp_high + 1.0)
    n, bits = round_to_whole(s, clamped, form.log2_e[0], form.bias - 3)
    r, r_low = without_log_2(s, clamped, n)
    large = power_of_two(s, bits, form)
    # For a large n the exponent leaves the format and 2^-n comes out as 0 or as a negative number.
    small = at_least(s, power_of_two(s, s.sub(s.const(2 * (form.bias - 3), bits), bits), form), 0.0)
    return large, small, r, r_low


def _sum_of_products(s: Scalars, a: Value, a_low: Value, b: Value, r: Value, r_low: Value) -> Value:
    """(a + a_low) cosh(r + r_low) + b sinh(r + r_low)."""
    square = s.mul(r, r)
    sinh_tail = s.mul(s.mul(r, square), polynomial(s, square, by_format(s, r, SINH_F32, SINH_F64)))
    cosh_tail = s.mul(square, polynomial(s, square, by_format(s, r, COSH_F32, COSH_F64)))
    leading = s.fma(b, r, a)
    lost = s.add(s.fma(b, r, s.sub(a, leading)), a_low)
    return s.add(leading, s.fma(b, s.add(sinh_tail, r_low), s.fma(a, cosh_tail, lost)))


def asinh(s: Scalars, x: Value) -> Value:
    """The inverse hyperbolic sine, within 1.1 ULP in f32 and 1.1 in f64. Keeps -0.0.

    log(|x| + sqrt(x^2 + 1)), the argument as two numbers, so that all digits remain near 0; log(2 |x|) where x^2 is
    so large that the 1 does not count.
    """
    size = s.abs(x)
    digits = format_of(s, x).fraction_bits
    result = _log_of_point(s, size, s.const(1.0, x))
    is_tiny = s.cmp("lt", size, s.const(2.0 ** -(digits // 2 + 2), x))
    finite = s.select(s.cmp("lt", size, s.const(math.inf, x)), result, size)
    return s.select(is_tiny, x, s.copysign(finite, x))


def acosh(s: Scalars, x: Value) -> Value:
    """The inverse hyperbolic cosine, within 1.1 ULP in f32 and 1.0 in f64. 0.0 for 1; nan for x < 1."""
    one = s.const(1.0, x)
    result = _log_of_point(s, at_least(s, x, 1.0), s.const(-1.0, x))
    result = s.select(s.cmp("lt", x, s.const(math.inf, x)), result, x)
    return s.select(s.cmp("lt", x, one), s.const(math.nan, x), result)


def _log_of_point(s: Scalars, x: Value, one: Value) -> Value:
    """log(x + sqrt(x^2 + one)) for x >= 0, with `one` 1 or -1."""
    form = format_of(s, x)
    is_large = s.cmp("gt", x, s.const(2.0 ** (form.fraction_bits // 2 + 4), x))
    zero = s.const(0.0, x)
    limited = s.select(is_large, s.const(2.0, x), x)
    square = s.mul(limited, limited)
    square_low = s.fma(limited, limited, s.neg(square))
    sum_high, sum_low = two_sum(s, square, one)
    sum_low = s.add(sum_low, square_low)
    # sqrt(high + low) as two numbers; 0 has no low part.
    root = s.sqrt(sum_high)
    rest = s.add(s.fma(s.neg(root), root, sum_high), sum_low)
    root_low = s.div(rest, at_least(s, s.add(root, root), form.smallest_normal))
    high, low = two_sum(s, limited, root)
    low = s.add(low, root_low)
    high, low = s.select(is_large, x, high), s.select(is_large, zero, low)
    return log_of_sum(s, high, low, s.select(is_large, s.const(1.0, x), zero))


def atanh(s: Scalars, x: Value) -> Value:
    """The inverse hyperbolic tangent, within 1.1 ULP in f32 and 1.0 in f64.

    log((1 + |x|) / (1 - |x|)) / 2, the quotient as two numbers. Keeps -0.0; infinite for 1 and -1, nan beyond.
    """
    form, size, one = format_of(s, x), s.abs(x), s.const(1.0, x)
    inside = s.select(s.cmp("lt", size, one), size, s.const(0.0, x))
    above, above_low = two_sum(s, one, inside)
    below, below_low = two_sum(s, one, s.neg(inside))
    quotient, rest = quotient_of_sums(s, above, above_low, below, below_low)
    result = s.mul(log_of_sum(s, quotient, s.div(rest, below), s.const(0.0, x)), s.const(0.5, x))
    outside = s.select(s.cmp("eq", size, one), s.const(math.inf, x), s.const(math.nan, x))
    result = s.copysign(s.select(s.cmp("lt", size, one), result, outside), x)
    return s.select(s.cmp("lt", size, s.const(2.0 ** -(form.fraction_bits // 2 + 2), x)), x, result)
