"""Functions that no machine and no op of `math` has: the gamma function's logarithm and its derivatives, erfinv."""

from __future__ import annotations

import math
from typing import Any

from tir.dialects import math_special, numeric_special
from tir.dialects.tir.base import NotDifferentiable, Unary, fail
from tir.ir.define import attribute
from tir.ir.kinds import I64_ATTR

__all__ = ["OPS"]

MAX_ORDER = 100  # of polygamma; the bounds were measured up to here


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
    """The derivative of lgamma; -inf and inf of 0 and -0, nan of negative whole numbers and -inf. Gradient: polygamma.

    Within 4 ulp of the larger of 1 and the result, for negative x of the larger of its terms digamma(1 - x) and
    pi / tan(pi x): at its zeros (1.46.., and one between any negative whole numbers) the error is an absolute one.
    """

    name = "tir.digamma"

    def reference(self, x: Any) -> Any:
        return numeric_special.digamma(x)

    def element(self, s: Any, x: Any) -> Any:
        return math_special.digamma(s, x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [g * b.polygamma(x, 1)]


class Polygamma(Unary):
    """The derivative of digamma of an order from 0 to 100; of order 0 digamma itself. Gradient: the next order.

    At 0 and at negative whole numbers odd orders give inf; even ones give -inf and inf of 0 and -0, nan of the others.
    0 of inf, nan of -inf. For x > 0 within 5 + 1.25 order ulp of the result; for negative x within 8 + 2.5 order ulp of the
    larger of its terms, which are the same function of 1 - x and a derivative of pi / tan(pi x).
    """

    name = "tir.polygamma"
    order = attribute(I64_ATTR)
    format = "$x `order` $order attr-dict `:` type($result)"

    def verify(self) -> None:
        if not 0 <= self.order <= MAX_ORDER:
            fail(self, f"order must be 0 to {MAX_ORDER}, got {self.order}")

    def reference(self, x: Any) -> Any:
        return numeric_special.polygamma(x, self.order)

    def element(self, s: Any, x: Any) -> Any:
        return math_special.polygamma(s, x, self.order)

    @property
    def grad(self) -> Any:
        if self.order == MAX_ORDER:
            return NotDifferentiable(f"the order of that would be {MAX_ORDER + 1}, and the largest is {MAX_ORDER}")
        return lambda b, g, x: [g * b.polygamma(x, self.order + 1)]


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
OPS = (Lgamma, Digamma, Polygamma, Erfinv)
