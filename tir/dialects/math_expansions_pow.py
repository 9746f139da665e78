"""powf for `expand-math`: x^y as 2^(y log2 |x|), then the sign and the special cases of C99 (annex F.9.4.4).

f32 computes the logarithm, the product and the power in f64, with short polynomials. f64 carries the logarithm and the
product as two f64 each: an error of the logarithm grows by up to 745 in the result, ten bits.
"""

from __future__ import annotations

import math

from tir.dialects.math_expansions_base import (
    F64,
    Scalars,
    Value,
    at_least,
    at_most,
    exp_of_sum,
    floats,
    format_of,
    polynomial,
    power_of_two,
    product_of_sums,
    round_to_whole,
    split,
    split_any,
    two_sum,
)

__all__ = ["EXP2_F32", "LOG2_F32", "LOG2_FIRST", "LOG2_SECOND", "LOG2_TAIL", "powf"]

# With q = f / (2 + f): log2(1 + f) = q (LOG2_FIRST + q^2 (LOG2_SECOND + q^2 LOG2_TAIL(q^2))), or q LOG2_F32(q^2).
LOG2_FIRST = floats("0x1.71547652b82fep+1 0x1.777d0ffda0d24p-55")  # high and low part
LOG2_SECOND = floats("0x1.ec709dc3a03fdp-1 0x1.d27f05548af0cp-55")  # high and low part
LOG2_TAIL = floats(  # within 2^-73.13
    "0x1.2776c50ef9bfbp-1 0x1.a61762a7af1dap-2 0x1.484b13d67acfep-2 0x1.0c9a854f6cd36p-2 "
    "0x1.c68edfde9e1a9p-3 0x1.8a0afba9161dcp-3 0x1.58e5c17898f09p-3 0x1.629ee4fafcc36p-3"
)
LOG2_F32 = floats(  # within 2^-45.09
    "0x1.71547652b8252p+1 0x1.ec709dc53a830p-1 0x1.2776c29558c92p-1 0x1.a61a2d2ded8b3p-2 "
    "0x1.479596261533dp-2 0x1.21ad738725629p-2"
)
EXP2_F32 = floats(  # (2^r - 1) / r within 2^-34.12
    "0x1.62e42ff19b4b9p-1 0x1.ebfbe07963ed8p-3 0x1.c6b089a258e8ep-5 0x1.3b29f24ccb025p-7 "
    "0x1.5d8b7ee9b94a8p-10 0x1.445d6289fb064p-13 0x1.fce15471050f7p-17"
)

# Beyond these limits, 2^p is infinite or 0 in f32 and f64; and x^y is infinite, 0 or 1 for every x.
F32_LIMIT = 160.0
F64_LIMIT = 1100.0
EXPONENT_LIMIT = 2.0**80


def powf(s: Scalars, x: Value, y: Value) -> Value:
    """x^y, within 0.51 ULP in f32 and 0.9 in f64. So it is exact where x^y is a number of the format.

    Special cases are those of C99's pow: x^0 and 1^y are 1 even for nan; a negative number has whole powers only, else
    nan; for an odd y the result has the sign of x, -0.0 and -inf included. (-1)^inf is 1, as are all even powers of -1.
    """
    one, zero = s.const(1.0, x), s.const(0.0, x)
    # An infinite exponent would make nan out of log2(1) = 0.
    limited = at_most(s, at_least(s, y, -EXPONENT_LIMIT), EXPONENT_LIMIT)
    size = (_size_f32 if s.dtype(x) == "f32" else _size_f64)(s, s.abs(x), limited)
    exponent = s.abs(y)
    is_whole = _is_whole(s, exponent)
    is_half_whole = _is_whole(s, s.mul(exponent, s.const(0.5, x)))
    signed = s.select(is_whole, s.select(is_half_whole, size, s.copysign(size, x)), size)
    is_negative = s.and_(s.cmp("lt", x, zero), s.cmp("gt", x, s.const(-math.inf, x)))
    result = s.select(is_negative, s.select(is_whole, signed, s.const(math.nan, x)), signed)
    return s.select(s.or_(s.cmp("eq", x, one), s.cmp("eq", y, zero)), one, result)


def _is_whole(s: Scalars, x: Value) -> Value:
    """x >= 0 is a whole number; infinity is one, nan is not. Above `large` there are no others."""
    large = 2.0 ** format_of(s, x).fraction_bits
    x = at_most(s, x, large)
    return s.cmp("eq", s.sub(s.add(x, s.const(large, x)), s.const(large, x)), x)


def _with_log_limits(s: Scalars, x: Value, result: Value) -> Value:
    """`result` for 0 < x < inf; -inf for 0; +inf and nan for themselves."""
    result = s.select(s.cmp("lt", x, s.const(math.inf, x)), result, x)
    return s.select(s.cmp("eq", x, s.const(0.0, x)), s.const(-math.inf, x), result)


def _size_f32(s: Scalars, x: Value, y: Value) -> Value:
    """x^y for f32 x >= 0."""
    x, y = s.cast(x, "f64"), s.cast(y, "f64")
    p = s.mul(y, _with_log_limits(s, x, _log2_f32(s, x)))
    p = at_most(s, at_least(s, p, -F32_LIMIT), F32_LIMIT)
    n, bits = round_to_whole(s, p, 1.0, F64.bias)
    r = s.sub(p, n)
    scale = power_of_two(s, bits, F64)
    return s.cast(s.fma(s.mul(r, polynomial(s, r, EXP2_F32)), scale, scale), "f32")


def _log2_f32(s: Scalars, x: Value) -> Value:
    """log2(x) with a relative error of 2^-45, for a normal x > 0 in f64."""
    _, exponent, f = split(s, x, F64.half_sqrt_2)
    k = s.sub(exponent, s.const(2.0**F64.fraction_bits + F64.bias, x))
    q = s.div(f, s.add(f, s.const(2.0, f)))
    return s.fma(q, polynomial(s, s.mul(q, q), LOG2_F32), k)


def _size_f64(s: Scalars, x: Value, y: Value) -> Value:
    """x^y for f64 x >= 0."""
    log2_high, log2_low = _log2_f64(s, x)
    log2_high = _with_log_limits(s, x, log2_high)
    p = s.mul(y, log2_high)
    p_low = s.fma(y, log2_low, s.fma(y, log2_high, s.neg(p)))
    p_low = s.select(s.cmp("lt", s.abs(p), s.const(F64_LIMIT, x)), p_low, s.const(0.0, x))  # it may be nan
    p = at_most(s, at_least(s, p, -F64_LIMIT), F64_LIMIT)
    n, bits = round_to_whole(s, p, 1.0, 2 * F64.bias)
    t, t_low = two_sum(s, s.sub(p, n), p_low)
    r, r_low = product_of_sums(s, t, t_low, *(s.const(part, x) for part in F64.log_2))
    return exp_of_sum(s, r, bits, s.fma(r_low, r, r_low))  # e^(r + low) is near e^r + low (1 + r)


def _log2_f64(s: Scalars, x: Value) -> tuple[Value, Value]:
    """log2(x) as high + low with a relative error of 2^-64, for x > 0.

    Each line that ends in `_low` collects what the line before has lost; for that, fma gives a product's error.
    """
    k, f = split_any(s, x)
    q, q_low = _log_quotient(s, f)
    z = s.mul(q, q)
    z_low = s.fma(s.add(q, q), q_low, s.fma(q, q, s.neg(z)))
    tail = polynomial(s, z, LOG2_TAIL)
    second, second_low = _fma_pair(s, z, z_low, tail, None, LOG2_SECOND)
    first, first_low = _fma_pair(s, z, z_low, second, second_low, LOG2_FIRST)
    product, product_low = product_of_sums(s, q, q_low, first, first_low)
    high = s.add(k, product)
    return high, s.add(s.sub(product, s.sub(high, k)), product_low)


def _log_quotient(s: Scalars, f: Value) -> tuple[Value, Value]:
    """f / (2 + f) as high + low, for |f| < 1."""
    two = s.const(2.0, f)
    divisor = s.add(two, f)
    divisor_low = s.sub(f, s.sub(divisor, two))
    q = s.div(f, divisor)
    minus_q = s.neg(q)
    rest = s.fma(minus_q, divisor_low, s.fma(minus_q, divisor, f))
    return q, s.div(rest, divisor)


def _fma_pair(
    s: Scalars, x: Value, x_low: Value, y: Value, y_low: Value | None, constant: tuple[float, ...]
) -> tuple[Value, Value]:
    """x * y + constant as high + low, for |x y| below the constant."""
    start = s.const(constant[0], x)
    high = s.fma(x, y, start)
    low = s.add(s.fma(x, y, s.sub(start, high)), s.const(constant[1], x))
    low = s.fma(x_low, y, low)
    return high, low if y_low is None else s.fma(x, y_low, low)
