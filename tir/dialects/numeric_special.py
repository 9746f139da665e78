"""lgamma, digamma, polygamma and erfinv on numpy arrays, total: what the references of these functions are made of.

`math_special.py` has what compiled code computes instead; neither knows the other. The gamma functions are computed in
numpy's longdouble and rounded: large terms cancel, and f64 would lose what is left. Near the zeros of lgamma and digamma
on the positive side, where even longdouble would, are power series.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

from tir.dialects.numeric import each
from tir.lazy import np

__all__ = ["digamma", "erfinv", "lgamma", "polygamma"]

NEAR, TERMS = 0.125, 24  # of the power series: the last term is below 1e-21 of the first
LARGE = 16  # from here on the asymptotic series are right to 1e-20
#: Coefficients of 1/x, 1/x^3, ..: Abramowitz and Stegun, 6.1.41; and of 1/x^2, 1/x^4, ..: 6.3.18.
LGAMMA = ((1, 12), (-1, 360), (1, 1260), (-1, 1680), (1, 1188), (-691, 360360), (1, 156), (-3617, 122400))
DIGAMMA = ((1, 12), (-1, 120), (1, 252), (-1, 240), (1, 132), (-691, 32760), (1, 12), (-3617, 8160))
#: Bernoulli's numbers B(2), B(4), ..: 23.2.
BERNOULLI = ((1, 6), (-1, 30), (1, 42), (-1, 30), (5, 66), (-691, 2730), (7, 6), (-3617, 510))


def lgamma(x: Any) -> Any:
    """log|gamma(x)|; inf at its poles, which are 0 and the negative whole numbers, and for infinities."""
    array = np.asarray(x)
    wide = array.astype(np.longdouble)
    size = np.abs(wide)
    sine = np.abs(np.sin(_pi() * (size - np.rint(size))))
    positive = _lgamma_positive(np.where(wide < 0, 1 + size, size))
    result = np.where(wide < 0, np.log(_pi() / sine) - positive, positive)  # 6.1.17
    return np.where(np.isinf(wide), np.inf, result).astype(array.dtype)[()]


def _lgamma_positive(x: Any) -> Any:
    """Recurrence (6.1.15) up to where Stirling's series holds; 6.1.33 near the zeros 1 and 2."""
    product, high = np.ones_like(x), x
    for _ in range(LARGE):
        product, high = np.where(high < LARGE, product * high, product), np.where(high < LARGE, high + 1, high)
    stirling = (high - 0.5) * np.log(high) - high + np.log(2 * _pi()) / 2 + _series(LGAMMA, 1 / (high * high)) / high
    result = stirling - np.log(product)
    for zero in (1, 2):
        is_near, t = _near(x, np.longdouble(zero))
        of_series = _power_series(_lgamma_slopes(), t)
        result = np.where(is_near, of_series - np.log1p(t) if zero == 1 else of_series, result)
    return result


@cache
def _lgamma_slopes() -> tuple[Any, ...]:
    """The coefficients of t, t^2, .. in log(gamma(2 + t)): 1 - gamma, then (-1)^n (zeta(n) - 1) / n."""
    later = (_zeta(np.longdouble(2), n - 1) / math.factorial(n - 1) * (-1) ** n / n for n in range(2, TERMS))
    return np.longdouble("0.42278433509846713939348790991759756896"), *later


def digamma(x: Any) -> Any:
    """The derivative of log(gamma(x)); -inf at 0 and inf at -0, nan at negative whole numbers and for -inf."""
    array = np.asarray(x)
    wide = array.astype(np.longdouble)
    rest = wide - np.rint(wide)
    positive = _digamma_positive(np.where(wide < 0, 1 - wide, np.abs(wide)))
    result = np.where(wide < 0, positive - _pi() / np.tan(_pi() * rest), positive)  # 6.3.7
    result = np.where((wide < 0) & ~(rest != 0) | (wide == -np.inf), np.nan, result)
    result = np.where(wide == 0, -np.copysign(np.inf, wide), np.where(wide == np.inf, np.inf, result))
    return result.astype(array.dtype)[()]


def _digamma_positive(x: Any) -> Any:
    """Recurrence (6.3.5) up to where the asymptotic series holds; Taylor's series near the zero."""
    moved, high = np.zeros_like(x), x
    for _ in range(LARGE):
        moved, high = np.where(high < LARGE, moved - 1 / high, moved), np.where(high < LARGE, high + 1, high)
    z = 1 / (high * high)
    result = np.log(high) - 0.5 / high - _series(DIGAMMA, z) * z + moved
    is_near, t = _near(x, *_digamma_zero())
    return np.where(is_near, _power_series(_digamma_slopes(), t), result)


def _digamma_zero() -> tuple[Any, Any]:
    """Where digamma is 0, OEIS A030169, as a sum whose first term is of f64."""
    return np.longdouble(float.fromhex("0x1.762d86356be3fp+0")), np.longdouble("9.549995429965697715184199e-17")


@cache
def _digamma_slopes() -> tuple[Any, ...]:
    """Taylor's coefficients of digamma at its zero."""
    zero = sum(_digamma_zero())
    return tuple(_zeta(zero, n) / math.factorial(n) * (-1) ** (n + 1) for n in range(1, TERMS))


def polygamma(x: Any, order: int) -> Any:
    """The derivative of digamma of this order; inf at the poles of odd orders, nan at negative ones of even orders."""
    if order == 0:
        return digamma(x)
    array = np.asarray(x)
    wide = array.astype(np.longdouble)
    parity = 1 if order % 2 else -1
    rest = wide - np.rint(wide)
    distance = np.abs(rest)
    # For x < 0 the sum over all whole k, to both sides, without those to the left of x.
    if order % 2:
        both_sides = _zeta(distance, order) + _zeta(1 - distance, order)
    else:
        both_sides = np.copysign(_zeta(distance, order, 1 - 2 * distance), rest)
    total = np.where(wide < 0, both_sides - parity * _zeta(1 - wide, order), _zeta(np.abs(wide), order))
    result = parity * total
    if order % 2 == 0:
        result = np.where(wide == 0, -np.copysign(np.inf, wide), np.where((wide < 0) & (rest == 0), np.nan, result))
    return np.where(wide == -np.inf, np.nan, result).astype(array.dtype)[()]


def _zeta(x: Any, order: int, step: Any = None) -> Any:
    """n! times the sum of (x + k)^-(n+1) over k = 0, 1, ..: 6.4.10, by Euler and Maclaurin's formula, 23.1.30.

    Minus the same of x + step, which does not cancel for a small step.
    """

    def inverse_power(x: Any, exponent: int) -> Any:
        power = x ** np.longdouble(-exponent)
        return power if step is None else power * -np.expm1(-exponent * np.log1p(step / x))

    power, high = order + 1, x + LARGE
    total = inverse_power(high, order) / order + inverse_power(high, power) / 2
    for j, (above, below) in enumerate(BERNOULLI, 1):
        factor = np.longdouble(above * math.prod(range(power, power + 2 * j - 1)))
        total = total + factor / (below * math.factorial(2 * j)) * inverse_power(high, power + 2 * j - 1)
    for k in reversed(range(LARGE)):
        total = total + inverse_power(x + k, power)
    return total * np.longdouble(str(math.factorial(order)))


def _series(coefficients: tuple[tuple[int, int], ...], z: Any) -> Any:
    """The polynomial in z."""
    total = np.zeros_like(z)
    for above, below in reversed(coefficients):
        total = total * z + np.longdouble(above) / below
    return total


def _near(x: Any, zero: Any, rest: Any = 0) -> tuple[Any, Any]:
    """Whether x is near zero + rest, and how far it is above it; 0 if it is not."""
    distance = x - zero - rest
    is_near = np.abs(distance) < NEAR
    return is_near, np.where(is_near, distance, 0)


def _power_series(coefficients: Sequence[Any], t: Any) -> Any:
    """The sum of these times t, t^2, .."""
    total = np.zeros_like(t)
    for factor in reversed(coefficients):
        total = (total + factor) * t
    return total


def _pi() -> Any:
    return np.longdouble("3.14159265358979323846264338327950288")


def erfinv(x: Any) -> Any:
    """The y with erf(y) = x; inf and -inf of 1 and -1, nan outside."""
    return each(_erfinv, x)


def _erfinv(x: float) -> float:
    """Starts with S. Winitzki's approximation (2008), right to 2 digits; Halley's iteration does the rest.

    Where erf is near 1 it works on erfc, of which 1 - |x| is exact.
    """
    size = abs(x)
    if not size < 1:
        return math.copysign(math.inf, x) if size == 1 else math.nan
    if size < 1e-8:  # the next term is x^3
        return x * math.sqrt(math.pi) / 2
    logarithm = math.log1p(-size) + math.log1p(size)
    half = 2 / (math.pi * 0.147) + logarithm / 2
    y = math.sqrt(math.sqrt(half * half - logarithm / 0.147) - half)
    for _ in range(4):
        error = math.erf(y) - size if size < 0.5 else (1 - size) - math.erfc(y)
        step = error * math.sqrt(math.pi) / 2 * math.exp(y * y)
        y -= step / (1 + y * step)
    return math.copysign(y, x)
