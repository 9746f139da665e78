"""Elementary functions as short branch-free sequences of scalar operations; `expand-math` inlines them.

Each function takes a builder `s` and a value `x` and returns the value of the result. `x` is f32 or f64, or a vector of
them (`s.dtype(x)` gives the element type); all that is emitted is arithmetic, compares, selects and bit operations, so
loops over it vectorise, and CPU, GPU and interpreter compute the same. No table look-up, no conversion between i64 and
f64 (AVX2 has none), no call.

- Every function is right on the whole range: nan, infinities, both zeros, overflow, subnormal arguments and results.
- Error bounds are measured, with a true fma: f32 on all bit patterns, f64 on samples; `tests/math` asserts them. An ULP
  is the distance of the format's numbers around the true result.
- Nothing here survives fast-math: the operations must be emitted without such flags. The builder's `fma` must round
  once, its `cmp` must be false for nan (except "ne").
- A clamp is `select(x < limit, limit, x)`: it lets nan through, and is one instruction on x86.

`tools/fit_math.py` computes the constants in `F32` and `F64`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["EXPANSIONS", "F32", "F64", "Format", "exp", "exp2", "expm1", "log", "log1p", "log2", "tanh"]

# A scalar builder and its values: opaque here.
Scalars = Any
Value = Any


def _floats(texts: str) -> tuple[float, ...]:
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
    log_2=_floats("0x1.62e430p-1 -0x1.05c610p-29"),
    log2_e=_floats("0x1.715476p+0 0x1.4ae0c0p-26"),
    exp=_floats(  # within 2^-28.01
        "0x1.fffff8p-2 0x1.55548ep-3 0x1.555b96p-5 0x1.123bccp-7 0x1.68532cp-10"
    ),
    expm1=_floats(  # within 2^-30.98
        "0x1.000000p-1 0x1.555554p-3 0x1.5554f0p-5 0x1.111308p-7 0x1.6d4366p-10 0x1.9e0754p-13"
    ),
    log=_floats(  # within 2^-26.35
        "-0x1.fffff8p-2 0x1.5555d2p-2 -0x1.000462p-2 0x1.9964c4p-3 -0x1.53ee88p-3 0x1.26e7f8p-3 "
        "-0x1.15447cp-3 0x1.dec31ap-4 -0x1.c175b2p-5"
    ),
    tanh=_floats(  # within 2^-27.55
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
    log_2=_floats("0x1.62e42fefa39efp-1 0x1.abc9e3b39803fp-56"),
    log2_e=_floats("0x1.71547652b82fep+0 0x1.777d0ffda0d24p-56"),
    exp=_floats(  # within 2^-57.75
        "0x1.000000000000bp-1 0x1.555555555550fp-3 0x1.55555555502a5p-5 0x1.1111111122b48p-7 "
        "0x1.6c16c1852a413p-10 0x1.a01a014497aa9p-13 0x1.a01997cc5a612p-16 0x1.71deec6c1241dp-19 "
        "0x1.28af3c30572acp-22 0x1.add757660e28dp-26"
    ),
    expm1=_floats(  # within 2^-61.5
        "0x1.000000p-1 0x1.5555555555559p-3 0x1.555555555554cp-5 0x1.111111110f65bp-7 0x1.6c16c16c1b326p-10 "
        "0x1.a01a01afff40ep-13 0x1.a01a018b420fep-16 0x1.71ddf81dbe8c7p-19 0x1.27e5198ea851bp-22 "
        "0x1.af5f0df5d2076p-26 0x1.1f10154cf4ec7p-29"
    ),
    log=_floats(  # within 2^-55.85
        "0x1.5555555555781p-1 0x1.99999998eef70p-2 0x1.249249b2f7e4dp-2 0x1.c71c0104dc098p-3 "
        "0x1.7474edd0546b0p-3 0x1.385232a098792p-3 0x1.3ac1e77e0af9bp-3"
    ),
    tanh=_floats(  # within 2^-60.89
        "0x1.0000000000001p+0 0x1.5555555555426p-1 0x1.555555555d7f0p-2 0x1.1111110f471aap-3 "
        "0x1.6c16c1e1efadcp-5 0x1.a019ee7475fb4p-7 0x1.a01c0dbff8519p-9 0x1.71b90518b7e37p-11 "
        "0x1.29a10d9bdcfb5p-13 0x1.946ca05cacd4bp-16 0x1.8b89756b5de7dp-18"
    ),
)

_FORMATS = {"f32": F32, "f64": F64}


def _format(s: Scalars, x: Value) -> Format:
    return _FORMATS[s.dtype(x)]


# ---- pieces ----------------------------------------------------------------------------------------------------------


def _at_least(s: Scalars, x: Value, low: float) -> Value:
    limit = s.const(low, x)
    return s.select(s.cmp("lt", x, limit), limit, x)


def _at_most(s: Scalars, x: Value, high: float) -> Value:
    limit = s.const(high, x)
    return s.select(s.cmp("gt", x, limit), limit, x)


def _horner(s: Scalars, x: Value, coefficients: Sequence[float]) -> Value:
    result = s.const(coefficients[-1], x)
    for coefficient in reversed(coefficients[:-1]):
        result = s.fma(result, x, s.const(coefficient, x))
    return result


def _polynomial(s: Scalars, x: Value, coefficients: Sequence[float]) -> Value:
    """The polynomial at `x`: one chain for f32, which is short, and two for f64, to halve the wait."""
    if s.dtype(x) == "f32":
        return _horner(s, x, coefficients)
    square = s.mul(x, x)
    return s.fma(_horner(s, square, coefficients[1::2]), x, _horner(s, square, coefficients[0::2]))


def _round(s: Scalars, x: Value, scale: float, offset: int) -> tuple[Value, Value]:
    """n = x * scale rounded to an integer, as a float, and an integer whose low bits are those of n + offset.

    Adding 1.5 * 2^fraction_bits leaves the integer in the low bits of the sum. Shifting these bits left by
    fraction_bits, with the bias as offset, makes the float 2^n.
    """
    form = _format(s, x)
    magic = s.const(1.5 * 2.0**form.fraction_bits + offset, x)
    shifted = s.fma(x, s.const(scale, x), magic) if scale != 1.0 else s.add(x, magic)
    return s.sub(shifted, magic), s.bitcast(shifted, form.integer_type)


def _power_of_two(s: Scalars, biased: Value, form: Format) -> Value:
    """2^n as a float, from an integer whose low bits are those of n + bias; n must be that of a normal number."""
    return s.bitcast(s.shl(biased, s.const(form.fraction_bits, biased)), form.float_type)


def _exp_of_sum(s: Scalars, r: Value, bits: Value) -> Value:
    """2^n e^r, for |r| up to log(2) / 2 and `bits` those of n + 2 bias.

    Multiplies by two powers of two, since 2^n alone may lie outside the format where the result does not. The first
    product is exact, so a subnormal result is rounded once.
    """
    form = _format(s, r)
    half = s.shr_unsigned(bits, s.const(1, bits))
    first = _power_of_two(s, half, form)
    second = _power_of_two(s, s.sub(bits, half), form)
    tail = s.fma(s.mul(r, r), _polynomial(s, r, form.exp), r)
    return s.mul(s.fma(tail, first, first), second)


def _split(s: Scalars, u: Value, low: int) -> tuple[Value, Value, Value]:
    """u = 2^k (1 + f) with 1 + f in [low, 2 low), for a normal u > 0; `low` by its bits.

    Returns the integer k + bias, the float k + bias + 2^fraction_bits, and f (exact).
    """
    form = _format(s, u)
    bits = s.bitcast(u, form.integer_type)
    shifted = s.add(bits, s.const((form.bias << form.fraction_bits) - low, bits))
    biased = s.shr_unsigned(shifted, s.const(form.fraction_bits, bits))
    # An integer below 2^fraction_bits is the fraction of the float 2^fraction_bits + integer.
    as_float = s.or_(biased, s.const((form.bias + form.fraction_bits) << form.fraction_bits, bits))
    fraction = s.and_(shifted, s.const((1 << form.fraction_bits) - 1, bits))
    scaled = s.bitcast(s.add(fraction, s.const(low, bits)), form.float_type)
    return biased, s.bitcast(as_float, form.float_type), s.sub(scaled, s.const(1.0, u))


def _split_any(s: Scalars, x: Value) -> tuple[Value, Value]:
    """x = 2^k (1 + f), 1 + f in [1 / sqrt(2), sqrt(2)), for x > 0, subnormal ones included; the float k, and f."""
    form = _format(s, x)
    up = form.fraction_bits + 2
    is_subnormal = s.cmp("lt", x, s.const(form.smallest_normal, x))
    normal = s.select(is_subnormal, s.mul(x, s.const(2.0**up, x)), x)
    _, exponent, f = _split(s, normal, form.half_sqrt_2)
    offset = 2.0**form.fraction_bits + form.bias
    return s.sub(exponent, s.select(is_subnormal, s.const(offset + up, x), s.const(offset, x))), f


def _log1p_tail(s: Scalars, f: Value) -> Value:
    """log(1 + f) - f, for f in [1 / sqrt(2) - 1, 1/2).

    f64: with q = f / (2 + f), log(1 + f) = 2 atanh(q) = f - q (f - q^2 L(q^2)) (fdlibm, e_log.c), which takes one
    division in place of ten more coefficients.
    """
    form = _format(s, f)
    if form is F32:
        return s.mul(s.mul(f, f), _polynomial(s, f, form.log))
    q = s.div(f, s.add(f, s.const(2.0, f)))
    square = s.mul(q, q)
    return s.mul(q, s.fma(square, _polynomial(s, square, form.log), s.neg(f)))


def _log_of_product(s: Scalars, k: Value, f: Value) -> Value:
    """log(2^k (1 + f)), small parts first."""
    high, low = _format(s, f).log_2
    tail = s.fma(k, s.const(low, k), _log1p_tail(s, f))
    return s.fma(k, s.const(high, k), s.add(f, tail))


def _with_log_limits(s: Scalars, x: Value, result: Value, pole: float) -> Value:
    """`result` right of the pole of a logarithm, -inf at the pole, nan left of it; +inf and nan for themselves."""
    at = s.const(pole, x)
    result = s.select(s.cmp("lt", x, s.const(math.inf, x)), result, x)
    result = s.select(s.cmp("lt", x, at), s.const(math.nan, x), result)
    return s.select(s.cmp("eq", x, at), s.const(-math.inf, x), result)


# ---- functions -------------------------------------------------------------------------------------------------------


def exp(s: Scalars, x: Value) -> Value:
    """e^x, within 1.02 ULP in f32 and 1.1 in f64."""
    form = _format(s, x)
    x = _at_most(s, _at_least(s, x, form.exp_low), form.exp_high)
    n, bits = _round(s, x, form.log2_e[0], 2 * form.bias)
    high, low = form.log_2
    r = s.fma(n, s.const(-low, x), s.fma(n, s.const(-high, x), x))  # the inner fma is exact
    return _exp_of_sum(s, r, bits)


def exp2(s: Scalars, x: Value) -> Value:
    """2^x, within 1.02 ULP in f32 and 1.15 in f64. Exact for integers."""
    form = _format(s, x)
    x = _at_most(s, _at_least(s, x, float(-form.bias - form.fraction_bits - 1)), float(form.bias + 1))
    n, bits = _round(s, x, 1.0, 2 * form.bias)
    return _exp_of_sum(s, s.mul(s.sub(x, n), s.const(form.log_2[0], x)), bits)


def expm1(s: Scalars, x: Value) -> Value:
    """e^x - 1 without cancellation near 0, within 1.05 ULP in f32 and 1.35 in f64.

    With e^x = 2^n e^r, half the result is (2^(n-1) - 1/2) + 2^(n-1) (e^r - 1); half, since 2^n may overflow where the
    result does not. For n = 1 and r near -log(2)/2 the sum is much smaller than its terms: what the roundings of r and
    of the leading sum lose is carried along.
    """
    form = _format(s, x)
    clamped = _at_most(s, _at_least(s, x, form.expm1_low), form.exp_high)
    n, bits = _round(s, clamped, form.log2_e[0], form.bias - 1)
    high, low = form.log_2
    reduced = s.fma(n, s.const(-high, x), clamped)
    r = s.fma(n, s.const(-low, x), reduced)
    lost = s.fma(n, s.const(-low, x), s.sub(reduced, r))
    tail = s.fma(s.mul(r, r), _polynomial(s, r, form.expm1), lost)
    scale = _power_of_two(s, bits, form)
    constant = s.sub(scale, s.const(0.5, x))
    leading = s.fma(r, scale, constant)
    rest = s.fma(tail, scale, s.fma(r, scale, s.sub(constant, leading)))
    half = s.add(leading, rest)
    # Keeps -0.0, and subnormals, which the half would round.
    is_tiny = s.cmp("lt", s.abs(x), s.const(2.0 ** -(form.fraction_bits + 2), x))
    return s.select(is_tiny, x, s.add(half, half))


def log(s: Scalars, x: Value) -> Value:
    """The natural logarithm, within 1.0 ULP in f32 and 1.0 in f64. -inf at both zeros, nan below."""
    k, f = _split_any(s, x)
    return _with_log_limits(s, x, _log_of_product(s, k, f), 0.0)


def log2(s: Scalars, x: Value) -> Value:
    """The logarithm to base 2, within 1.15 ULP in f32 and 1.3 in f64.

    Exact for powers of two; -inf at both zeros, nan below.
    """
    k, f = _split_any(s, x)
    high, low = (s.const(part, x) for part in _format(s, x).log2_e)
    tail = s.fma(_log1p_tail(s, f), high, s.mul(f, low))
    return _with_log_limits(s, x, s.add(k, s.fma(f, high, tail)), 0.0)


def log1p(s: Scalars, x: Value) -> Value:
    """log(1 + x), accurate for small x, within 1.0 ULP in f32 and 1.2 in f64. -inf at -1, nan below.

    u = 1 + x is rounded; what it lost, scaled by 2^-k as u is, joins f. Up to k = fraction_bits the sum is exact, since
    2^-k x and 2^-k - 1 are within a factor of 2 of each other, or k = 0; hence [3/4, 3/2).
    """
    form = _format(s, x)
    one = s.const(1.0, x)
    u = s.add(x, one)
    biased, exponent, f = _split(s, u, form.three_quarters)
    k = s.sub(exponent, s.const(2.0**form.fraction_bits + form.bias, x))
    lost = s.sub(x, s.sub(u, one))
    # 2^-k comes out as 0 for k = bias and -inf for k = bias + 1. There `lost` is 0, and 0 times 0 does no harm.
    scale = _at_least(s, _power_of_two(s, s.sub(s.const(2 * form.bias, biased), biased), form), 0.0)
    result = _log_of_product(s, k, s.fma(lost, scale, f))
    return s.copysign(_with_log_limits(s, x, result, -1.0), x)  # -0.0 stays -0.0


def tanh(s: Scalars, x: Value) -> Value:
    """The hyperbolic tangent, accurate for small x, within 0.98 ULP in f32 and 1.5 in f64."""
    magnitude = s.abs(x)
    positive_half = _tanh_f32 if s.dtype(x) == "f32" else _tanh_f64
    return s.copysign(positive_half(s, magnitude), x)


def _tanh_f32(s: Scalars, x: Value) -> Value:
    """x + x^3 P(x^2) below 1, else 1 - 2 / (e^2x + 1), whose error is that of a number below 1/4."""
    one = s.const(1.0, x)
    square = s.mul(x, x)
    small = s.fma(s.mul(square, _polynomial(s, square, F32.tanh)), x, x)
    clamped = _at_most(s, x, F32.tanh_high)
    n, bits = _round(s, clamped, 2 * F32.log2_e[0], F32.bias)
    r = s.fma(n, s.const(-F32.log_2[0] / 2, x), clamped)  # the low part of log(2) is too small to matter here
    e_to_2r = (1.0, *(c * 2.0 ** (i + 1) for i, c in enumerate((1.0, *F32.exp))))
    denominator = s.fma(_polynomial(s, r, e_to_2r), _power_of_two(s, bits, F32), one)
    large = s.sub(one, s.div(s.const(2.0, x), denominator))
    return s.select(s.cmp("lt", x, one), small, large)


def _tanh_f64(s: Scalars, x: Value) -> Value:
    """a / (a + u) with u = 2^-n and a = (1 - u) / 2 + (e^2r - 1) / 2, where x = n log(2) / 2 + r.

    n is rounded down, so that both terms of `a` are positive: relative accuracy at 0 without a second polynomial. One
    Newton step repairs what the denominator and the division have lost.
    """
    one = s.const(1.0, x)
    clamped = _at_most(s, x, F64.tanh_high)
    # Just below 1/2: a tie would be rounded to even, and x = 0 must give n = 0. So r may be a little negative.
    turns = s.fma(clamped, s.const(-2 * F64.log2_e[0], x), s.const(0.5 - 2.0**-12, x))
    minus_n, bits = _round(s, turns, 1.0, F64.bias)
    high, low = F64.log_2
    r = s.fma(minus_n, s.const(low / 2, x), s.fma(minus_n, s.const(high / 2, x), clamped))
    u = _power_of_two(s, bits, F64)
    expm1_half = s.fma(s.mul(r, r), _polynomial(s, r, F64.tanh), r)
    a = s.add(s.fma(u, s.const(-0.5, x), s.const(0.5, x)), expm1_half)
    b = s.add(a, u)
    b_lost = s.sub(a, s.sub(b, u))
    inverse = s.div(one, b)
    y = s.mul(a, inverse)
    minus_y = s.neg(y)
    residual = s.fma(minus_y, b_lost, s.fma(minus_y, b, a))
    return s.fma(residual, inverse, y)


EXPANSIONS: dict[str, Callable[[Scalars, Value], Value]] = {
    "exp": exp,
    "exp2": exp2,
    "expm1": expm1,
    "log": log,
    "log1p": log1p,
    "log2": log2,
    "tanh": tanh,
}
