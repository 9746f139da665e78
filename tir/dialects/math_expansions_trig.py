"""sin, cos and tan for `expand-math`, on the whole range: x in quarter turns, modulo 4, from the digits of 2 / pi.

A large f64 needs up to 1200 digits of 2 / pi, but of these only some 250 that follow one another: those before give
whole turns, those after nothing that counts (Payne and Hanek, 1983). `_window` selects them by the exponent of x. f32
computes in f64, where the digits suffice after one step.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from tir.dialects.math_expansions_base import (
    Scalars,
    Value,
    floats,
    polynomial,
    product_of_sums,
    quotient_of_sums,
    round_to_whole,
    two_sum,
)

__all__ = ["COS", "COS_F32", "HALF_PI", "SIN", "SIN_F32", "TWO_OVER_PI", "cos", "sin", "tan"]

PIECE = 53  # binary digits
TWO_OVER_PI = floats(  # the digits after the point, PIECE by PIECE, as whole numbers
    "0x1.45f306dc9c882p+52 0x1.4a7f09d5f47d4p+52 0x1.a6ee06db14accp+52 0x1.3c439041fe516p+52 "
    "0x1.d5ef5de2b0db8p+50 0x1.2371d2126e970p+51 0x1.924bba8274600p+45 0x1.21cfe1deb1cb1p+52 "
    "0x1.4d39f74411af8p+50 0x1.4baed1213a671p+52 0x1.8135a2fbf209cp+52 0x1.91d639835339fp+52 "
    "0x1.272117e2ef7e4p+51 0x1.41d8ffc4bffeep+51 0x1.02cc07f79788cp+52 0x1.6b414da3eda6cp+51 "
    "0x1.fb3c9f2c26dd2p+51 0x1.d18fd9a797fa8p+52 0x1.6ba93dd63f5f2p+52 0x1.f17b3d0739f78p+52 "
    "0x1.4a525d4d7f6bfp+52 0x1.88fc6ae842b00p+51 0x1.98237e3db5d5fp+52"
)
HALF_PI = floats("0x1.921fb54442d18p+0 0x1.1a62633145c07p-54")  # high and low part
# sin(r) = r + r^3 SIN(r^2) and cos(r) = 1 - r^2 / 2 + r^4 COS(r^2) for r in radians.
SIN = floats(  # within 2^-57.88
    "-0x1.5555555555548p-3 0x1.111111110f75ep-7 -0x1.a01a019bf261ep-13 0x1.71de355f53a42p-19 "
    "-0x1.ae5e54bf6ff96p-26 0x1.5d8e4faa2b54cp-33"
)
COS = floats(  # within 2^-63.8
    "0x1.555555555554ap-5 -0x1.6c16c16c14e4bp-10 0x1.a01a019c68c81p-16 -0x1.27e4f7d928562p-22 "
    "0x1.1ee9ccea60a24p-29 -0x1.8f9f7f1bf45c1p-37"
)
# sin = t SIN_F32(t^2) and cos = COS_F32(t^2) for t in quarter turns.
SIN_F32 = floats(  # within 2^-47.64
    "0x1.921fb54442cf8p+0 -0x1.4abbce6257772p-1 0x1.466bc670f9d50p-4 -0x1.32d2c627a0674p-8 "
    "0x1.5071bdd8a877cp-13 -0x1.dd4df6b81c6b6p-19"
)
COS_F32 = floats(  # within 2^-43.79
    "0x1.ffffffffffdb0p-1 -0x1.3bd3cc9bd0951p+0 0x1.03c1f073cb855p-2 -0x1.55d3b971372c1p-6 "
    "0x1.e1e7608bd7cb5p-11 -0x1.a0d88c08a31a8p-16"
)


def sin(s: Scalars, x: Value) -> Value:
    """The sine of x in radians, within 0.51 ULP in f32 and 0.85 in f64, for every x. nan for infinities."""
    if s.dtype(x) == "f32":
        return s.cast(_sin_f32(s, s.cast(x, "f64"), 0), "f32")
    is_tiny = s.cmp("lt", s.abs(x), s.const(2.0**-27, x))  # keeps -0.0, and subnormals
    return s.select(is_tiny, x, _sin_f64(s, x, 0))


def cos(s: Scalars, x: Value) -> Value:
    """The cosine of x in radians, within 0.51 ULP in f32 and 0.85 in f64, for every x. nan for infinities."""
    if s.dtype(x) == "f32":
        return s.cast(_sin_f32(s, s.cast(s.abs(x), "f64"), 1), "f32")
    return _sin_f64(s, s.abs(x), 1)


def tan(s: Scalars, x: Value) -> Value:
    """The tangent of x in radians, within 0.51 ULP in f32 and 1.1 in f64, for every x. nan for infinities."""
    if s.dtype(x) == "f32":
        return s.cast(_tan_f32(s, s.cast(x, "f64")), "f32")
    is_tiny = s.cmp("lt", s.abs(x), s.const(2.0**-27, x))  # keeps -0.0, and subnormals
    return s.select(is_tiny, x, _tan_f64(s, x))


def _sin_f32(s: Scalars, x: Value, quarter: int) -> Value:
    """sin(x + quarter pi / 2) with a relative error below 2^-28, for an f64 that is an f32."""
    t, bits = _turns_f32(s, s.abs(x), quarter)
    square = s.mul(t, t)
    sine = s.mul(t, polynomial(s, square, SIN_F32))
    return _in_quadrant(s, x, bits, sine, polynomial(s, square, COS_F32))


def _sin_f64(s: Scalars, x: Value, quarter: int) -> Value:
    """sin(x + quarter pi / 2) for an f64."""
    t, t_low, bits = _turns_f64(s, s.abs(x), quarter)
    r, r_low = product_of_sums(s, t, t_low, *(s.const(part, x) for part in HALF_PI))
    return _in_quadrant(s, x, bits, _sin_of_sum(s, r, r_low), _cos_of_sum(s, r, r_low))


def _tan_f32(s: Scalars, x: Value) -> Value:
    """tan(x) with a relative error below 2^-28, for an f64 that is an f32."""
    t, bits = _turns_f32(s, s.abs(x), 0)
    square = s.mul(t, t)
    sine, cosine = s.mul(t, polynomial(s, square, SIN_F32)), polynomial(s, square, COS_F32)
    is_even = _is_even(s, bits)
    quotient = s.div(s.select(is_even, sine, s.neg(cosine)), s.select(is_even, cosine, sine))
    return _odd_and_finite(s, x, quotient)


def _tan_f64(s: Scalars, x: Value) -> Value:
    """tan(x) for an f64: the quotient of sine and cosine, each two numbers, and what the division has lost."""
    t, t_low, bits = _turns_f64(s, s.abs(x), 0)
    r, r_low = product_of_sums(s, t, t_low, *(s.const(part, x) for part in HALF_PI))
    square, one = s.mul(r, r), s.const(1.0, x)
    sine_low = s.fma(s.mul(square, r), polynomial(s, square, SIN), s.fma(s.mul(square, s.const(-0.5, r)), r_low, r_low))
    cosine = s.fma(square, s.const(-0.5, r), one)
    # 1 - r^2 / 2 as two numbers, the error of r^2 with it.
    lost = s.fma(square, s.const(-0.5, r), s.sub(one, cosine))
    lost = s.fma(s.fma(r, r, s.neg(square)), s.const(-0.5, r), lost)
    cosine_low = s.fma(s.mul(square, square), polynomial(s, square, COS), s.fma(s.neg(r), r_low, lost))
    is_even = _is_even(s, bits)
    above, above_low = s.select(is_even, r, s.neg(cosine)), s.select(is_even, sine_low, s.neg(cosine_low))
    below, below_low = s.select(is_even, cosine, r), s.select(is_even, cosine_low, sine_low)
    quotient, rest = quotient_of_sums(s, above, above_low, below, below_low)
    return _odd_and_finite(s, x, s.add(quotient, s.div(rest, s.add(below, below_low))))


def _is_even(s: Scalars, bits: Value) -> Value:
    return s.cmp("eq", s.and_(bits, s.const(1, bits)), s.const(0, bits))


def _odd_and_finite(s: Scalars, x: Value, result: Value) -> Value:
    """`result`, found for |x|, for x; nan if x is infinite or nan."""
    flipped = s.select(s.cmp("lt", x, s.const(0.0, x)), s.neg(result), result)
    flipped = s.select(s.cmp("eq", x, s.const(0.0, x)), x, flipped)
    return s.select(s.cmp("lt", s.abs(x), s.const(math.inf, x)), flipped, s.const(math.nan, x))


def _sin_of_sum(s: Scalars, r: Value, low: Value) -> Value:
    """sin(r + low) = sin(r) + low cos(r), for |r| up to pi / 4."""
    square = s.mul(r, r)
    low = s.fma(s.mul(square, s.const(-0.5, r)), low, low)
    return s.add(r, s.fma(s.mul(square, r), polynomial(s, square, SIN), low))


def _cos_of_sum(s: Scalars, r: Value, low: Value) -> Value:
    """cos(r + low) = cos(r) - low sin(r), for |r| up to pi / 4."""
    one = s.const(1.0, r)
    square = s.mul(r, r)
    leading = s.fma(square, s.const(-0.5, r), one)
    lost = s.fma(square, s.const(-0.5, r), s.sub(one, leading))
    rest = s.fma(s.neg(r), low, lost)
    return s.add(leading, s.fma(s.mul(square, square), polynomial(s, square, COS), rest))


def _in_quadrant(s: Scalars, x: Value, bits: Value, sine: Value, cosine: Value) -> Value:
    """The sine of `bits` quarter turns more, with the sign of x; nan if x is infinite or nan."""
    size = s.bitcast(s.select(_is_even(s, bits), sine, cosine), "i64")
    flips = s.xor(s.shl(bits, s.const(62, bits)), s.bitcast(x, "i64"))
    sign = s.and_(flips, s.const(-(2**63), bits))
    result = s.bitcast(s.xor(size, sign), "f64")
    return s.select(s.cmp("lt", s.abs(x), s.const(math.inf, x)), result, s.const(math.nan, x))


# ---- reduction -------------------------------------------------------------------------------------------------------


def _window(s: Scalars, x: Value, digits: int, count: int, steps: Sequence[int]) -> tuple[Value, list[Value]]:
    """x / 2^(PIECE k), and the `count` pieces of 2 / pi from piece k on, for the k that x needs; exact.

    x >= 0 has `digits` significant digits. A number from 2^(digits + 1) on is a multiple of 4, so times a piece that is
    a whole number it is a multiple of 4 as well: hence k is the largest that leaves x there, or 0. It is the sum of
    those `steps` that are taken, each half the one before.
    """
    pieces = [s.const(piece, x) for piece in TWO_OVER_PI[: sum(steps) + count]]
    for step in steps:
        is_large = s.cmp("ge", x, s.const(2.0 ** (digits + 1 + PIECE * step), x))
        x = s.select(is_large, s.mul(x, s.const(2.0 ** (-PIECE * step), x)), x)
        kept = count + step - 1  # the steps to come sum up to step - 1
        moved = pieces[step : step + kept]
        pieces = [s.select(is_large, far, near) for far, near in zip(moved, pieces)] + pieces[len(moved) : kept]
    return x, pieces


def _products(s: Scalars, x: Value, pieces: Sequence[Value]) -> tuple[list[Value], list[Value]]:
    """x times each piece at its place, and what the rounding of each product has lost."""
    scaled = [s.mul(x, s.const(2.0 ** (-PIECE * (place + 1)), x)) for place in range(len(pieces))]
    products = [s.mul(part, piece) for part, piece in zip(scaled, pieces)]
    lost = [s.fma(part, piece, s.neg(product)) for part, piece, product in zip(scaled, pieces, products)]
    return products, lost


def _modulo_4(s: Scalars, x: Value) -> Value:
    """x minus a multiple of 4, in [-4, 4]. |x| up to 2^53; or any x >= 0, which from 2^54 on is a multiple of 4."""
    x = s.select(s.cmp("lt", x, s.const(2.0**54, x)), x, s.const(0.0, x))
    magic = s.const(1.5 * 2.0**54, x)
    return s.sub(x, s.sub(s.add(x, magic), magic))


def _turns_f32(s: Scalars, x: Value, quarter: int) -> tuple[Value, Value]:
    """x 2 / pi = n + t with |t| <= 1/2, as t and the bits of n + quarter; for an f64 x >= 0 that is an f32.

    t is 0 or at least 2^-30, so all that is above 2^-58 counts.
    """
    x, pieces = _window(s, x, 24, 3, (1,))
    products, lost = _products(s, x, pieces)
    first, second, third = (_modulo_4(s, part) for part in (products[0], lost[0], products[1]))
    n, bits = round_to_whole(s, s.add(s.add(first, second), third), 1.0, quarter)
    # In this order nothing that counts is lost: up to 2^48 a sum that cancels is small enough, beyond all are exact.
    t = s.add(s.add(s.sub(first, n), second), third)
    return s.add(t, s.add(lost[1], products[2])), bits


def _turns_f64(s: Scalars, x: Value, quarter: int) -> tuple[Value, Value, Value]:
    """x 2 / pi = n + t + low with |t| <= 1/2, as t, low and the bits of n + quarter; for an f64 x >= 0.

    t may be as small as 2^-61 (Muller et al., Handbook of Floating-Point Arithmetic, 11.3), so all that is above 2^-117
    counts: sums that may cancel are summed exactly.
    """
    x, pieces = _window(s, x, 53, 5, (16, 8, 4, 2, 1))
    products, lost = _products(s, x, pieces)
    large = [_modulo_4(s, part) for part in (products[0], lost[0], products[1])]
    turns, errors = _sum(s, [*large, lost[1], products[2]])
    n, bits = round_to_whole(s, turns, 1.0, quarter)
    small, errors = _sum(s, [*errors, lost[2], products[3]])
    t, low = two_sum(s, s.sub(turns, n), small)
    for part in (*errors, lost[3], products[4]):
        low = s.add(low, part)
    return t, low, bits


def _sum(s: Scalars, terms: Sequence[Value]) -> tuple[Value, list[Value]]:
    """The sum of the terms rounded, and what each addition has lost."""
    total, errors = terms[0], []
    for term in terms[1:]:
        total, error = two_sum(s, total, term)
        errors.append(error)
    return total, errors
