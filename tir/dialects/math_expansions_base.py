"""What the expansions of elementary functions share: the formats' constants and the pieces that functions are made of.

`math_expansions.py` says what the builder `s` and its values are. Nothing here needs more of `s` than it does.
`tools/fit_math.py` computes the constants in `F32` and `F64`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = [
    "F32",
    "F64",
    "Format",
    "Scalars",
    "Value",
    "at_least",
    "at_most",
    "by_format",
    "exp_of_sum",
    "floats",
    "format_of",
    "horner",
    "polynomial",
    "power_of_two",
    "product_of_sums",
    "quotient_of_sums",
    "round_to_whole",
    "split",
    "split_any",
    "two_powers",
    "two_sum",
    "without_log_2",
]

# A scalar builder and its values: opaque here.
Scalars = Any
Value = Any


def floats(texts: str) -> tuple[float, ...]:
    return tuple(float.fromhex(text) for text in texts.split())


@dataclass(frozen=True)
class Format:
    """A float format: its layout, where its functions saturate, and constants exactly representable in it.

    Polynomials are listed from the lowest power up: exp and expm1 hold (e^r - 1 - r) / r^2. log holds
    (log(1 + f) - f) / f^2 for f32 and (2 atanh(s) / s - 2) / s^2 in powers of s^2 for f64. tanh holds
    (tanh(x) / x - 1) / x^2 in powers of x^2 for f32 and ((e^2r - 1) / 2 - r) / r^2 for f64.
    """

    float_type: str
    integer_type: str
    fraction_bits: int
    bias: int
    # exp(x) is 0 below exp_low and infinite above exp_high; at or below expm1_low expm1(x) is -1; from tanh_high on
    # tanh(x) is 1. exp2 has integer limits instead.
    exp_low: float
    exp_high: float
    expm1_low: float
    tanh_high: float
    log_2: tuple[float, ...]  # high and low part
    log2_e: tuple[float, ...]  # high and low part
    exp: tuple[float, ...]
    expm1: tuple[float, ...]
    log: tuple[float, ...]
    tanh: tuple[float, ...]

    @property
    def smallest_normal(self) -> float:
        return 2.0 ** (1 - self.bias)

    @property
    def half_sqrt_2(self) -> int:
        """The bits of 1 / sqrt(2)."""
        return ((self.bias - 1) << self.fraction_bits) + int((math.sqrt(2) - 1) * 2.0**self.fraction_bits)

    @property
    def three_quarters(self) -> int:
        """The bits of 3/4."""
        return (2 * self.bias - 1) << (self.fraction_bits - 1)


F32 = Format(
    float_type="f32",
    integer_type="i32",
    fraction_bits=23,
    bias=127,
    exp_low=-104.0,
    exp_high=89.0,
    expm1_low=-20.0,
    tanh_high=10.0,
    log_2=floats("0x1.62e430p-1 -0x1.05c610p-29"),
    log2_e=floats("0x1.715476p+0 0x1.4ae0c0p-26"),
    exp=floats(  # within 2^-28.01
        "0x1.fffff8p-2 0x1.55548ep-3 0x1.555b96p-5 0x1.123bccp-7 0x1.68532cp-10"
    ),
    expm1=floats(  # within 2^-30.98
        "0x1.000000p-1 0x1.555554p-3 0x1.5554f0p-5 0x1.111308p-7 0x1.6d4366p-10 0x1.9e0754p-13"
    ),
    log=floats(  # within 2^-26.35
        "-0x1.fffff8p-2 0x1.5555d2p-2 -0x1.000462p-2 0x1.9964c4p-3 -0x1.53ee88p-3 0x1.26e7f8p-3 "
        "-0x1.15447cp-3 0x1.dec31ap-4 -0x1.c175b2p-5"
    ),
    tanh=floats(  # within 2^-27.55
        "-0x1.55553ap-2 0x1.110b9cp-3 -0x1.b95b52p-5 0x1.5fe224p-6 -0x1.03ecb8p-7 0x1.2c5384p-9 -0x1.74db72p-12"
    ),
)

F64 = Format(
    float_type="f64",
    integer_type="i64",
    fraction_bits=52,
    bias=1023,
    exp_low=-746.0,
    exp_high=710.0,
    expm1_low=-40.0,
    tanh_high=22.0,
    log_2=floats("0x1.62e42fefa39efp-1 0x1.abc9e3b39803fp-56"),
    log2_e=floats("0x1.71547652b82fep+0 0x1.777d0ffda0d24p-56"),
    exp=floats(  # within 2^-57.75
        "0x1.000000000000bp-1 0x1.555555555550fp-3 0x1.55555555502a5p-5 0x1.1111111122b48p-7 "
        "0x1.6c16c1852a413p-10 0x1.a01a014497aa9p-13 0x1.a01997cc5a612p-16 0x1.71deec6c1241dp-19 "
        "0x1.28af3c30572acp-22 0x1.add757660e28dp-26"
    ),
    expm1=floats(  # within 2^-61.5
        "0x1.000000p-1 0x1.5555555555559p-3 0x1.555555555554cp-5 0x1.111111110f65bp-7 0x1.6c16c16c1b326p-10 "
        "0x1.a01a01afff40ep-13 0x1.a01a018b420fep-16 0x1.71ddf81dbe8c7p-19 0x1.27e5198ea851bp-22 "
        "0x1.af5f0df5d2076p-26 0x1.1f10154cf4ec7p-29"
    ),
    log=floats(  # within 2^-55.85
        "0x1.5555555555781p-1 0x1.99999998eef70p-2 0x1.249249b2f7e4dp-2 0x1.c71c0104dc098p-3 "
        "0x1.7474edd0546b0p-3 0x1.385232a098792p-3 0x1.3ac1e77e0af9bp-3"
    ),
    tanh=floats(  # within 2^-60.89
        "0x1.0000000000001p+0 0x1.5555555555426p-1 0x1.555555555d7f0p-2 0x1.1111110f471aap-3 "
        "0x1.6c16c1e1efadcp-5 0x1.a019ee7475fb4p-7 0x1.a01c0dbff8519p-9 0x1.71b90518b7e37p-11 "
        "0x1.29a10d9bdcfb5p-13 0x1.946ca05cacd4bp-16 0x1.8b89756b5de7dp-18"
    ),
)

_FORMATS = {"f32": F32, "f64": F64}


def format_of(s: Scalars, x: Value) -> Format:
    return _FORMATS[s.dtype(x)]


def by_format(s: Scalars, x: Value, f32: tuple[float, ...], f64: tuple[float, ...]) -> tuple[float, ...]:
    """The constants for the format of x."""
    return f32 if s.dtype(x) == "f32" else f64


# ---- pieces ----------------------------------------------------------------------------------------------------------


def at_least(s: Scalars, x: Value, low: float) -> Value:
    limit = s.const(low, x)
    return s.select(s.cmp("lt", x, limit), limit, x)


def at_most(s: Scalars, x: Value, high: float) -> Value:
    limit = s.const(high, x)
    return s.select(s.cmp("gt", x, limit), limit, x)


def horner(s: Scalars, x: Value, coefficients: Sequence[float]) -> Value:
    result = s.const(coefficients[-1], x)
    for coefficient in reversed(coefficients[:-1]):
        result = s.fma(result, x, s.const(coefficient, x))
    return result


def polynomial(s: Scalars, x: Value, coefficients: Sequence[float]) -> Value:
    """The polynomial at `x`: one chain for f32, which is short, and two for f64, to halve the wait."""
    if s.dtype(x) == "f32":
        return horner(s, x, coefficients)
    square = s.mul(x, x)
    return s.fma(horner(s, square, coefficients[1::2]), x, horner(s, square, coefficients[0::2]))


def round_to_whole(s: Scalars, x: Value, scale: float, offset: int) -> tuple[Value, Value]:
    """n = x * scale rounded to an integer, as a float, and an integer whose low bits are those of n + offset.

    Adding 1.5 * 2^fraction_bits leaves the integer in the low bits of the sum. Shifting these bits left by
    fraction_bits, with the bias as offset, makes the float 2^n.
    """
    form = format_of(s, x)
    magic = s.const(1.5 * 2.0**form.fraction_bits + offset, x)
    shifted = s.fma(x, s.const(scale, x), magic) if scale != 1.0 else s.add(x, magic)
    return s.sub(shifted, magic), s.bitcast(shifted, form.integer_type)


def power_of_two(s: Scalars, biased: Value, form: Format) -> Value:
    """2^n as a float, from an integer whose low bits are those of n + bias; n must be that of a normal number."""
    return s.bitcast(s.shl(biased, s.const(form.fraction_bits, biased)), form.float_type)


def two_powers(s: Scalars, bits: Value, form: Format) -> tuple[Value, Value]:
    """Two powers of two with the product 2^n, `bits` those of n + 2 bias: 2^n alone may lie outside the format."""
    half = s.shr_unsigned(bits, s.const(1, bits))
    return power_of_two(s, half, form), power_of_two(s, s.sub(bits, half), form)


def without_log_2(s: Scalars, x: Value, n: Value) -> tuple[Value, Value]:
    """x - n log(2), and what its last rounding lost; the high part of log(2) has room for the digits of n."""
    high, low = format_of(s, x).log_2
    reduced = s.fma(n, s.const(-high, x), x)
    r = s.fma(n, s.const(-low, x), reduced)
    return r, s.fma(n, s.const(-low, x), s.sub(reduced, r))


def exp_of_sum(s: Scalars, r: Value, bits: Value, low: Value | None = None) -> Value:
    """2^n e^(r + low), for |r| up to log(2) / 2, `low` a rounding error of r, and `bits` those of n + 2 bias.

    Multiplies by two powers of two, since 2^n alone may lie outside the format where the result does not. The first
    product is exact, so a subnormal result is rounded once.
    """
    form = format_of(s, r)
    first, second = two_powers(s, bits, form)
    square = s.mul(r, r)
    rest = polynomial(s, r, form.exp)
    tail = s.fma(square, rest, r) if low is None else s.add(r, s.fma(square, rest, low))
    return s.mul(s.fma(tail, first, first), second)


def split(s: Scalars, u: Value, low: int) -> tuple[Value, Value, Value]:
    """u = 2^k (1 + f) with 1 + f in [low, 2 low), for a normal u > 0; `low` by its bits.

    Returns the integer k + bias, the float k + bias + 2^fraction_bits, and f (exact).
    """
    form = format_of(s, u)
    bits = s.bitcast(u, form.integer_type)
    shifted = s.add(bits, s.const((form.bias << form.fraction_bits) - low, bits))
    biased = s.shr_unsigned(shifted, s.const(form.fraction_bits, bits))
    # An integer below 2^fraction_bits is the fraction of the float 2^fraction_bits + integer.
    as_float = s.or_(biased, s.const((form.bias + form.fraction_bits) << form.fraction_bits, bits))
    fraction = s.and_(shifted, s.const((1 << form.fraction_bits) - 1, bits))
    scaled = s.bitcast(s.add(fraction, s.const(low, bits)), form.float_type)
    return biased, s.bitcast(as_float, form.float_type), s.sub(scaled, s.const(1.0, u))


def split_any(s: Scalars, x: Value) -> tuple[Value, Value]:
    """x = 2^k (1 + f), 1 + f in [1 / sqrt(2), sqrt(2)), for x > 0, subnormal ones included; the float k, and f."""
    form = format_of(s, x)
    up = form.fraction_bits + 2
    is_subnormal = s.cmp("lt", x, s.const(form.smallest_normal, x))
    normal = s.select(is_subnormal, s.mul(x, s.const(2.0**up, x)), x)
    _, exponent, f = split(s, normal, form.half_sqrt_2)
    offset = 2.0**form.fraction_bits + form.bias
    return s.sub(exponent, s.select(is_subnormal, s.const(offset + up, x), s.const(offset, x))), f


def two_sum(s: Scalars, x: Value, y: Value) -> tuple[Value, Value]:
    """x + y rounded, and what the rounding lost (Knuth)."""
    total = s.add(x, y)
    part = s.sub(total, x)
    return total, s.add(s.sub(x, s.sub(total, part)), s.sub(y, part))


def product_of_sums(s: Scalars, x: Value, x_low: Value, y: Value, y_low: Value) -> tuple[Value, Value]:
    """(x + x_low) (y + y_low) rounded, and what the rounding lost, but for the product of the low parts."""
    product = s.mul(x, y)
    return product, s.fma(x_low, y, s.fma(x, y_low, s.fma(x, y, s.neg(product))))


def quotient_of_sums(s: Scalars, x: Value, x_low: Value, y: Value, y_low: Value) -> tuple[Value, Value]:
    """(x + x_low) / (y + y_low) rounded, and what is left of the dividend, still to be divided."""
    quotient = s.div(x, y)
    rest = s.fma(s.neg(quotient), y, x)
    return quotient, s.add(rest, s.fma(s.neg(quotient), y_low, x_low))
