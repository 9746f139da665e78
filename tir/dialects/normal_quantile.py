"""The quantiles of the normal distribution: as scalar operations, and on numpy arrays.

Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37 (1988): quotients
of polynomials near the middle, farther out, and far out, to 1e-16 of the value for probabilities down to 1e-316.
"""

from __future__ import annotations

import math
from typing import Any

from tir.dialects.math_expansions_base import Scalars, Value, polynomial
from tir.dialects.math_special import erfinv_factor
from tir.lazy import np

__all__ = ["upper_quantile", "upper_quantiles"]

#: Up to this distance from 1/2 in q, beyond up to this in r = sqrt(-log(t)).
MOST_CENTRAL, MOST_OUTSIDE = 0.425, 5.0
#: (what is taken from the argument, numerator, denominator), the constant term first.
CENTRAL = (
    -0.180625,
    (
        3.3871328727963666080, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
        4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3,
    ),
    (
        1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
        2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3,
    ),
)  # fmt: skip
OUTSIDE = (
    1.6,
    (
        1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550, 3.64784832476320460504,
        1.27045825245236838258, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4,
    ),
    (
        1.0, 2.05319162663775882187, 1.67638483018380384940, 6.89767334985100004550e-1,
        1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9,
    ),
)  # fmt: skip
FAR = (
    5.0,
    (
        6.65790464350110377720, 5.46378491116411436990, 1.78482653991729133580, 2.96560571828504891230e-1,
        2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7,
    ),
    (
        1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
        7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15,
    ),
)  # fmt: skip


def upper_quantile(s: Scalars, t: Value) -> Value:
    """The z that a normal number is above with the probability t, in (0, 1/2]: within 4 ulp in f32 and f64.

    At t = 1/2 it is 0. f32 takes the polynomials of erfinv, which are right to 2^-28.
    """
    return _single(s, t) if s.dtype(t) == "f32" else _double(s, t)


def _single(s: Scalars, t: Value) -> Value:
    p = s.add(t, t)
    x = s.sub(s.const(1.0, t), p)
    # 1 - x^2, of which p is exact.
    logarithm = s.neg(s.log(s.mul(p, s.add(x, s.const(1.0, t)))))
    return s.mul(s.mul(x, s.const(math.sqrt(2.0), t)), erfinv_factor(s, logarithm))


def _double(s: Scalars, t: Value) -> Value:
    def quotient(argument: Value, fit: Any) -> tuple[Value, Value]:
        moved, numerator, denominator = fit
        x = s.sub(argument, s.const(moved, t))
        return polynomial(s, x, numerator), polynomial(s, x, denominator)

    q = s.sub(s.const(0.5, t), t)
    r = s.sqrt(s.neg(s.log(t)))
    central, outside, far = quotient(s.neg(s.mul(q, q)), CENTRAL), quotient(r, OUTSIDE), quotient(r, FAR)
    is_central, is_outside = s.cmp("le", q, s.const(MOST_CENTRAL, t)), s.cmp("le", r, s.const(MOST_OUTSIDE, t))
    numerator, denominator = (
        s.select(is_central, c, s.select(is_outside, o, f)) for c, o, f in zip(central, outside, far)
    )
    return s.div(s.select(is_central, s.mul(q, numerator), numerator), denominator)


def upper_quantiles(t: Any) -> Any:
    """The same on an f64 array."""
    q, r = 0.5 - t, np.sqrt(-np.log(t))
    central = q * _quotients(-q * q, CENTRAL)
    return np.where(q <= MOST_CENTRAL, central, np.where(r <= MOST_OUTSIDE, _quotients(r, OUTSIDE), _quotients(r, FAR)))


def _quotients(argument: Any, fit: Any) -> Any:
    moved, numerator, denominator = fit
    x = argument - moved
    return np.polynomial.polynomial.polyval(x, numerator) / np.polynomial.polynomial.polyval(x, denominator)
