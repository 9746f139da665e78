"""lgamma, digamma and erfinv of Python floats, total, in f64: what the references of these functions are made of.

`math_special.py` has what compiled code computes instead; neither knows the other.
"""

from __future__ import annotations

import math

__all__ = ["digamma", "erfinv", "lgamma"]


def lgamma(x: float) -> float:
    """log|gamma(x)|; inf at its poles, which are 0 and the negative whole numbers, and for what is too large.

    Near its zeros, 1 and 2 and some negative ones, the error is one of its terms, a few 1e-16, not one of the result.
    """
    try:
        return math.lgamma(x)
    except (ValueError, OverflowError):
        return math.inf


def digamma(x: float) -> float:
    """The derivative of log(gamma(x)); -inf at 0 and inf at -0, nan at negative whole numbers and for -inf.

    Reflection, recurrence and an asymptotic series: Abramowitz and Stegun, 6.3.7, 6.3.5 and 6.3.18. Near its zeros the
    error is one of the terms.
    """
    if math.isnan(x) or x == math.inf:
        return x
    if x == 0:
        return -math.copysign(math.inf, x)
    if x > 0:
        return _digamma_positive(x)
    if x == -math.inf or x == math.trunc(x):
        return math.nan
    return _digamma_positive(1 - x) - math.pi / math.tan(math.pi * (x - round(x)))


def _digamma_positive(x: float) -> float:
    moved = 0.0
    while x < 10:
        moved -= 1 / x
        x += 1
    z = 1 / x**2 if x < 1e150 else 0.0
    series = 0.0
    for coefficient in (1 / 12, -691 / 32760, 1 / 132, -1 / 240, 1 / 252, -1 / 120, 1 / 12):
        series = series * z + coefficient
    return moved + (math.log(x) - 0.5 / x - series * z)


def erfinv(x: float) -> float:
    """The y with erf(y) = x; inf and -inf of 1 and -1, nan outside.

    Starts with S. Winitzki's approximation (2008), right to 2 digits, and Halley's iteration does the rest, with erfc
    where erf is near 1.
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
