"""Functions that no machine and no op of `math` has: the gamma function's logarithm and its derivative, erfinv."""

from __future__ import annotations

import math
from typing import Any

from tir.dialects import math_special, numeric_special
from tir.dialects.tir.base import NotDifferentiable, Unary

__all__ = ["OPS"]


class Lgamma(Unary):
    """log|gamma(x)|; inf of 0, of negative whole numbers and of the infinities. Gradient: digamma(x).

    Within 4 ulp of the larger of 1 and the result, so at its zeros 1 and 2 (and two between any negative whole numbers)
    the error is an absolute one. For negative x in f64 within 5 ulp of the larger of 1 and log(gamma(1 - x)).
    """

    name = "tir.lgamma"

    def reference(self, x: Any) -> Any:
        return numeric_special.lgamma(x)

    def element(self, s: Any, x: Any) -> Any:
        return math_special.lgamma(s, x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [g * b.digamma(x)]


class Digamma(Unary):
    """The derivative of lgamma; -inf and inf of 0 and -0, nan of negative whole numbers and -inf.

    Within 4 ulp of the larger of 1 and the result, for negative x of the larger of its terms digamma(1 - x) and
    pi / tan(pi x): at its zeros (1.46.., and one between any negative whole numbers) the error is an absolute one.
    """

    name = "tir.digamma"
    grad = NotDifferentiable("its derivative, the trigamma function, is no op of tir")

    def reference(self, x: Any) -> Any:
        return numeric_special.digamma(x)

    def element(self, s: Any, x: Any) -> Any:
        return math_special.digamma(s, x)


class Erfinv(Unary):
    """The y with erf(y) = x, accurate for small x; inf and -inf of 1 and -1, nan outside.

    Gradient: sqrt(pi) / 2 exp(y^2), infinite at 1 and -1.
    """

    name = "tir.erfinv"

    def reference(self, x: Any) -> Any:
        return numeric_special.erfinv(x)

    def element(self, s: Any, x: Any) -> Any:
        return math_special.erfinv(s, x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [g * b.exp(b.square(b.tensor(self.result))) * (math.sqrt(math.pi) / 2)]


#: The ops of the family, in the order of the documentation.
OPS = (Lgamma, Digamma, Erfinv)
