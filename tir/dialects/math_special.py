"""lgamma, digamma, polygamma and erfinv as scalar operations: what ops of the tensor level call from `element`.

Each takes the scalar builder `s` and a float `x` of any format, and gives a float of the same format. They are no ops of
`math`: they are made of its log, sin, tan, exp, erf and erfc, which `expand-math` expands later. What is not f64 is
computed in f64 and rounded, so there the bounds for f64 hardly show. `tools/fit_math.py` computes the constants.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from itertools import accumulate

from tir.dialects.math_expansions_base import Scalars, Value, floats, polynomial

__all__ = [
    "DIGAMMA", "DIGAMMA_REST", "DIGAMMA_ROOT", "ERFINV_CENTER", "ERFINV_OUTSIDE", "LGAMMA", "LGAMMA_REST",
    "digamma", "erfinv", "erfinv_factor", "lgamma", "polygamma",
]  # fmt: skip

# log(gamma(2 + t)) = t LGAMMA(t) and digamma(3/2 + t) = (3/2 + t - root) DIGAMMA(t) for |t| up to 1/2; from 8 on, with
# z = 1 / x^2, log(gamma(x)) = (x - 1/2) log(x) - x + log(2 pi) / 2 + LGAMMA_REST(z) / x
# and digamma(x) = log(x) - 1 / (2 x) - DIGAMMA_REST(z) z.
LGAMMA = floats(  # within 2^-56.13
    "0x1.b0ee6072093cep-2 0x1.4a34cc4a60fa7p-2 -0x1.13e001a5575b9p-4 0x1.51322ac7d7c88p-6 -0x1.e404fc21a29e9p-8 "
    "0x1.7add6eaea3adap-9 -0x1.38ac5c2361348p-10 0x1.0b36af1c2cc74p-11 -0x1.d3fd50850ac7ap-13 0x1.a127e5f7a9266p-14 "
    "-0x1.78ddd3122553ep-15 0x1.5805e48b224c9p-16 -0x1.3cc637ab0ba52p-17 0x1.264fcd989053ep-18 "
    "-0x1.1171e7648a614p-19 0x1.eceeb17a2b410p-21 -0x1.dde54a226ae67p-22 0x1.2d1d00f50f90cp-22 "
    "-0x1.062e721c331d9p-23"
)
LGAMMA_REST = floats(  # within 2^-63.06
    "0x1.5555555555513p-4 -0x1.6c16c169e1e4bp-9 0x1.a019f47beb664p-11 -0x1.380a3b224b58fp-11 0x1.b5ecad99a20d7p-11 "
    "-0x1.a58df7fcdac3bp-10"
)
DIGAMMA = floats(  # within 2^-53.64
    "0x1.e6f0cbb873617p-1 -0x1.b1cb63005ee97p-2 0x1.eca189b8e6b60p-3 -0x1.2feeeb98a7c0cp-3 0x1.8512e59075769p-4 "
    "-0x1.fb442029de80dp-5 0x1.4de9a9fe47c71p-5 -0x1.b9f8b13160ad1p-6 0x1.2564772e59bf9p-6 -0x1.8635604ac2d8cp-7 "
    "0x1.03bfe6634d746p-7 -0x1.5a07063724fdcp-8 0x1.cd42924f5844cp-9 -0x1.33678a124aab2p-9 0x1.97e31eac749eep-10 "
    "-0x1.0ff412da6d85ap-10 0x1.7c570c7bc8070p-11 -0x1.fa57ef7a11629p-12 0x1.d4a8b4d0a7c08p-13 "
    "-0x1.3b2264893f3d7p-13 0x1.134d7827fe750p-12 -0x1.6d012c9f1a9dbp-13"
)
DIGAMMA_REST = floats(  # within 2^-60.15
    "0x1.5555555555279p-4 -0x1.1111110ab9005p-7 0x1.04102d9009552p-8 -0x1.1103051709bafp-8 0x1.eb3d3f3de945bp-8 "
    "-0x1.19a78ed9250f1p-6"
)
DIGAMMA_ROOT = floats("0x1.762d86356be3fp+0 0x1.b86a722197829p-54")  # high and low part
# erfinv(x) = x ERFINV_CENTER(w - 3) with w = -log(1 - x^2) up to 6, beyond x ERFINV_OUTSIDE(sqrt(w) - 4).
ERFINV_CENTER = floats(  # within 2^-31.54
    "0x1.9fa072ece4f16p+0 0x1.eedbeb9468bb7p-3 -0x1.780deb9c7814ep-8 -0x1.b6658181e0c54p-11 0x1.991262bd74098p-13 "
    "-0x1.aae7665aa4218p-17 -0x1.d5351f7949e91p-20 0x1.e5e68e141a5adp-22 -0x1.95c3bb366ca09p-26 "
    "-0x1.9b15b0ad4ad47p-28 0x1.2b63dfdefa373p-30 0x1.87f6a5cfc6060p-36 -0x1.0db80b07755b3p-36"
)
ERFINV_OUTSIDE = floats(  # within 2^-28.33
    "0x1.eb7e09193e37ep+1 0x1.026e24e520278p+0 0x1.4a3d2589dc9c6p-10 -0x1.c72089a2f7717p-11 0x1.5104b4400e6b9p-12 "
    "-0x1.fa0db9284bf91p-14 0x1.cd5b8e24ce772p-15 -0x1.e1347ffa056a8p-16 0x1.3c2138f1703abp-16 "
    "-0x1.86c82bfbccf38p-17 0x1.c65777815f87ap-19 0x1.3eaf5f5787c06p-21 -0x1.4147e5ccd1528p-21 "
    "0x1.b16ee2785a4fep-24"
)
HALF_LOG_2_PI = math.log(2 * math.pi) / 2
LARGE = 8.0


def _in_f64(function: Callable[[Scalars, Value], Value]) -> Callable[[Scalars, Value], Value]:
    """The function of an f64 as one of any float."""

    def of_any(s: Scalars, x: Value) -> Value:
        type = s.dtype(x)
        return function(s, x) if type == "f64" else s.cast(function(s, s.cast(x, "f64")), type)

    of_any.__name__, of_any.__doc__ = function.__name__, function.__doc__
    return of_any


# ---- the gamma function ----------------------------------------------------------------------------------------------


@_in_f64
def lgamma(s: Scalars, x: Value) -> Value:
    """log|gamma(x)|; infinite at 0, at negative whole numbers and for infinities.

    In f64 for x > 0 within 2 ULP of max(1, |result|), and near its zeros 1 and 2 within 5 ULP of the result. For x < 0,
    by reflection, within 5 ULP of max(1, |result|, log(gamma(1 - x))) alone: near the zeros there, two of them between
    whole numbers, the result has the absolute error of its terms. f32 is within 0.51 ULP for x > 0.
    """
    zero = s.const(0.0, x)
    is_negative, size, reflection = _reflection(s, x)
    positive = _lgamma_positive(s, reflection)
    nearest = s.abs(_from_nearest_whole(s, size))
    sine = s.mul(s.sin(s.mul(nearest, s.const(math.pi, x))), s.const(1 / math.pi, x))
    sine = s.select(s.cmp("lt", nearest, s.const(2.0**-30, x)), nearest, sine)  # pi times a subnormal has no digits
    reflected = s.neg(s.add(s.log(sine), positive))
    pole = s.select(s.cmp("eq", nearest, zero), s.const(math.inf, x), reflected)
    result = s.select(is_negative, pole, positive)
    return s.select(s.cmp("eq", size, s.const(math.inf, x)), size, result)


def _reflection(s: Scalars, x: Value) -> tuple[Value, Value, Value]:
    """Whether x is below 0; |x|; and 1 - x where it is, x where it is not."""
    is_negative = s.cmp("lt", x, s.const(0.0, x))
    size = s.abs(x)
    return is_negative, size, s.select(is_negative, s.add(size, s.const(1.0, x)), size)


def _from_nearest_whole(s: Scalars, x: Value) -> Value:
    """x minus the whole number nearest to it; exact."""
    return s.sub(x, s.round(x))


def _lgamma_positive(s: Scalars, x: Value) -> Value:
    """log(gamma(x)) for x >= 0.

    Below 8 x is moved into [3/2, 5/2), where a polynomial is; a step from y to y - 1 takes the factor y - 1 off
    gamma(y). One logarithm serves both this factor and Stirling's formula.
    """
    one, half = s.const(1.0, x), s.const(0.5, x)
    y, factor = x, one
    for _ in range(math.ceil(LARGE - 2.5)):
        is_above = s.cmp("ge", y, s.const(2.5, x))
        lower = s.sub(y, one)
        factor = s.select(is_above, s.mul(factor, lower), factor)
        y = s.select(is_above, lower, y)
    is_small = s.cmp("lt", x, s.const(1.5, x))
    is_smaller = s.cmp("lt", x, half)
    below = s.select(is_smaller, s.mul(x, s.add(x, one)), x)
    # The offset from 2 is exact: x, x - 1 or, moved down, y - 2.
    t = s.select(is_smaller, x, s.select(is_small, s.sub(x, one), s.sub(y, s.const(2.0, x))))
    is_large = s.cmp("ge", x, s.const(LARGE, x))
    log = s.log(s.select(is_large, x, s.select(is_small, below, factor)))
    moved = s.fma(t, polynomial(s, t, LGAMMA), s.select(is_small, s.neg(log), log))
    inverse = s.div(one, x)
    rest = s.fma(inverse, polynomial(s, s.mul(inverse, inverse), LGAMMA_REST), s.const(HALF_LOG_2_PI - 0.5, x))
    stirling = s.fma(s.sub(x, half), s.sub(log, one), rest)
    return s.select(is_large, stirling, moved)


@_in_f64
def digamma(s: Scalars, x: Value) -> Value:
    """The derivative of log(gamma(x)); -inf at 0, inf at -0.0, nan at negative whole numbers and for -inf.

    In f64 for x > 0 within 4 ULP of max(1, |result|), and near its zero 1.46 within 3 ULP of the result. For x < 0, by
    reflection, within 4 ULP of max(1, |digamma(1 - x)|, |pi / tan(pi x)|) alone: near the zeros there, one between
    whole numbers, the result has the absolute error of its terms. f32 is within 0.51 ULP for x > 0.
    """
    zero, infinity = s.const(0.0, x), s.const(math.inf, x)
    is_negative, size, reflection = _reflection(s, x)
    positive = _digamma_positive(s, reflection)
    nearest = _from_nearest_whole(s, size)
    reflected = s.add(positive, s.div(s.const(math.pi, x), s.tan(s.mul(nearest, s.const(math.pi, x)))))
    whole = s.select(s.cmp("eq", nearest, zero), s.const(math.nan, x), reflected)
    result = s.select(is_negative, whole, positive)
    result = s.select(s.cmp("eq", x, zero), s.neg(s.copysign(infinity, x)), result)
    return s.select(s.cmp("eq", x, infinity), infinity, result)


def _digamma_positive(s: Scalars, x: Value) -> Value:
    """digamma(x) for x > 0.

    Below 8 x is moved into [1, 2), where a polynomial is. Each step takes 1 / (y - 1) off digamma(y); their sum is kept
    as a fraction, for one division.
    """
    one, zero = s.const(1.0, x), s.const(0.0, x)

    is_small = s.cmp("lt", x, one)
    y, above, below = x, zero, one
    for _ in range(math.ceil(LARGE - 2.0)):
        is_above = s.cmp("ge", y, s.const(2.0, x))
        lower = s.sub(y, one)
        above = s.select(is_above, s.fma(above, lower, below), above)
        below = s.select(is_above, s.mul(below, lower), below)
        y = s.select(is_above, lower, y)
    above, below = s.select(is_small, s.const(-1.0, x), above), s.select(is_small, x, below)
    # y - root and y - 3/2, for y = x + 1 if x is small; the root is two numbers.
    high, low = DIGAMMA_ROOT
    shift = s.select(is_small, one, zero)
    from_root = s.sub(s.add(y, s.sub(shift, s.const(high, x))), s.const(low, x))
    t = s.add(y, s.sub(shift, s.const(1.5, x)))
    moved = s.fma(from_root, polynomial(s, t, DIGAMMA), s.div(above, below))
    inverse = s.div(one, x)
    square = s.mul(inverse, inverse)
    rest = s.fma(square, polynomial(s, square, DIGAMMA_REST), s.mul(inverse, s.const(0.5, x)))
    return s.select(s.cmp("ge", x, s.const(LARGE, x)), s.sub(s.log(x), rest), moved)


#: B(2) / 2!, B(4) / 4!, .. of Bernoulli's numbers: the Euler-Maclaurin formula, Abramowitz and Stegun 23.1.30.
EULER_MACLAURIN = [
    Fraction(above, below * math.factorial(2 * i + 2))
    for i, (above, below) in enumerate(
        ((1, 6), (-1, 30), (1, 42), (-1, 30), (5, 66), (-691, 2730), (7, 6), (-3617, 510))
    )
]
SHIFT = 10


def polygamma(s: Scalars, x: Value, order: int) -> Value:
    """The derivative of digamma of this order; of order 0 digamma itself.

    n!, up to a sign, times the sum of (x + k)^-(n+1) over k = 0, 1, ..: inf at the poles 0, -1, .. of odd orders, of even
    ones -inf at 0, inf at -0.0 and nan at negative whole numbers; 0 or -0.0 of inf, nan of -inf. In f64 for x > 0 within
    4 + n ULP of the result. For x < 0, by reflection, within 8 + 4 n ULP of the larger of its two terms, which are the
    same function of 1 - x and a derivative of pi / tan(pi x). f32 is within 0.51 ULP for x > 0.
    """
    return digamma(s, x) if order == 0 else _in_f64(lambda s, x: _polygamma(s, x, order))(s, x)


def _polygamma(s: Scalars, x: Value, order: int) -> Value:
    zero, infinity = s.const(0.0, x), s.const(math.inf, x)
    is_negative, _, reflection = _reflection(s, x)
    total = _zeta(s, reflection, order)
    nearest = _from_nearest_whole(s, x)
    is_whole = s.cmp("eq", nearest, zero)
    cotangent = _derivative_of_cotangent(s, nearest, order)
    if order % 2:
        pole = s.select(is_whole, infinity, s.sub(cotangent, total))
        return s.select(is_negative, pole, total)
    pole = s.select(is_whole, s.const(math.nan, x), s.neg(s.add(cotangent, total)))
    result = s.select(is_negative, pole, s.neg(total))
    return s.select(s.cmp("eq", x, zero), s.neg(s.copysign(infinity, x)), result)


def _root_of_factorial(order: int) -> tuple[float, float]:
    """m and c with n! = c m^(n+1), c near 1. A power of m / x is neither too large nor too small before the result is."""
    root = math.exp(math.lgamma(order + 1) / (order + 1))
    return root, float(math.factorial(order) / Fraction(root) ** (order + 1))


def _power(s: Scalars, x: Value, exponent: int) -> Value:
    """x^exponent for exponent >= 1, by squaring."""
    result = x
    for bit in bin(exponent)[3:]:
        result = s.mul(result, result)
        result = s.mul(result, x) if bit == "1" else result
    return result


def _zeta(s: Scalars, x: Value, order: int) -> Value:
    """n! times the sum of (x + k)^-(n+1), for x >= 0: ten terms, and the formula of Euler and Maclaurin for the others."""
    power, (root, scale) = order + 1, _root_of_factorial(order)
    high = s.add(x, s.const(float(SHIFT), x))
    inverse, ratio = s.div(s.const(1.0, x), high), s.div(s.const(root, x), high)
    rising = accumulate(range(power, power + 2 * len(EULER_MACLAURIN)), lambda product, factor: product * factor)
    rest = [float(c * r) for c, r in zip(EULER_MACLAURIN, list(rising)[::2])]
    half = s.fma(inverse, polynomial(s, s.mul(inverse, inverse), rest), s.const(0.5, x))
    total = s.mul(_power(s, ratio, order), s.fma(ratio, half, s.const(root / order, x)))
    for k in reversed(range(SHIFT)):
        term = s.div(s.const(root, x), s.add(x, s.const(float(k), x)) if k else x)
        total = s.add(total, _power(s, term, power))
    return s.mul(total, s.const(scale, x))


def _derivative_of_cotangent(s: Scalars, x: Value, order: int) -> Value:
    """(-1)^n times the nth derivative of pi / tan(pi x), for |x| <= 1/2: pi^(n+1) times a polynomial in c = 1 / tan(pi x).

    The derivative of c is -pi (1 + c^2), so the coefficients have one sign, and every second one is 0.
    """
    power, (root, scale) = order + 1, _root_of_factorial(order)
    factors = [0, 1]
    for _ in range(order):
        slopes = [i * factor for i, factor in enumerate(factors)][1:]
        factors = [a + b for a, b in zip([*slopes, 0, 0], [0, 0, *slopes])]
    pi, exact_root = Fraction(math.pi), Fraction(root)
    scaled = [float(factor * pi ** (power - i) / (Fraction(scale) * exact_root**i)) for i, factor in enumerate(factors)]
    size = s.abs(x)
    # Near 1/2 the tangent has a pole: there the cotangent is the tangent of what is left to 1/2, which is exact.
    is_far = s.cmp("gt", size, s.const(0.25, x))
    angle = s.select(is_far, s.sub(s.const(0.5, x), size), size)
    tangent = s.tan(s.mul(angle, s.const(math.pi, x)))
    scaled_root = s.const(root * math.pi, x)
    c = s.select(is_far, s.mul(tangent, scaled_root), s.div(scaled_root, tangent))
    even = polynomial(s, s.mul(c, c), scaled[power % 2 :: 2])
    return s.mul(even if order % 2 else s.copysign(s.mul(even, c), x), s.const(scale, x))


# ---- the error function ----------------------------------------------------------------------------------------------


def erfinv_factor(s: Scalars, w: Value) -> Value:
    """erfinv(x) / x for w = -log(1 - x^2), to half the digits of an f64."""
    center = polynomial(s, s.sub(w, s.const(3.0, w)), ERFINV_CENTER)
    outside = polynomial(s, s.sub(s.sqrt(w), s.const(4.0, w)), ERFINV_OUTSIDE)
    return s.select(s.cmp("lt", w, s.const(6.0, w)), center, outside)


@_in_f64
def erfinv(s: Scalars, x: Value) -> Value:
    """The y with erf(y) = x, within 0.51 ULP in f32 and 1.7 in f64. Infinite for 1 and -1, nan beyond; keeps -0.0.

    Polynomials in the logarithm of 1 - x^2 (M. Giles, "Approximating the erfinv function", 2010) give half the digits,
    a step of Halley's iteration the others: on erf up to 1/2 and beyond on erfc, of which 1 - |x| is exact.
    """
    size, one = s.abs(x), s.const(1.0, x)
    inside = s.select(s.cmp("lt", size, one), size, s.const(0.0, x))
    rest = s.sub(one, inside)
    is_central = s.cmp("lt", inside, s.const(0.5, x))
    logarithm = s.neg(s.select(is_central, s.log1p(s.neg(s.mul(inside, inside))), s.log(s.mul(rest, s.add(inside, one)))))
    start = s.mul(inside, erfinv_factor(s, logarithm))
    error = s.select(is_central, s.sub(s.erf(start), inside), s.sub(rest, s.erfc(start)))
    newton = s.mul(s.mul(error, s.const(math.sqrt(math.pi) / 2, x)), s.exp(s.mul(start, start)))
    # Halley: y - d / (1 + y d) with Newton's step d, since erf'' / erf' = -2 y.
    result = s.sub(start, s.div(newton, s.fma(start, newton, one)))
    result = s.select(s.cmp("lt", size, s.const(2.0**-1000, x)), s.mul(size, s.const(math.sqrt(math.pi) / 2, x)), result)
    outside = s.select(s.cmp("eq", size, one), s.const(math.inf, x), s.const(math.nan, x))
    return s.copysign(s.select(s.cmp("lt", size, one), result, outside), x)
