"""Activation functions: what neural networks put behind a product. Each is right on the whole range, and so is its gradient.

None of them gives nan for an infinity, and each gives nan for nan. See Note [Bounded products].
"""

from __future__ import annotations

import math
from typing import Any

from tir.dialects import numeric
from tir.dialects.tir.base import Unary
from tir.ir.define import attribute
from tir.ir.kinds import F64_ATTR, integer_enum
from tir.lazy import np

__all__ = ["OPS"]

#: Beyond this x, x sigmoid(x) and its derivatives are 0, or x and 1, in f64 too; and it is a number of f16.
FAR = 1000.0
SQRT_HALF = math.sqrt(0.5)
SQRT_2_OVER_PI = math.sqrt(2 / math.pi)
CUBIC = 0.044715  # Hendrycks and Gimpel, "Gaussian error linear units" (2016), section 2


class Sigmoid(Unary):
    """1 / (1 + exp(-x)); for x < 0 exp(x) / (1 + exp(x)), which is right until exp(x) is 0. Gradient: y (1 - y)."""

    name = "tir.sigmoid"

    def reference(self, x: Any) -> Any:
        one, small = x.dtype.type(1), np.exp(-np.abs(x))
        return np.where(x < 0, small, one) / (one + small)

    def element(self, s: Any, x: Any) -> Any:
        one, small = s.const(1, x), s.exp(s.neg(s.abs(x)))
        return s.div(s.select(s.cmp("lt", x, s.const(0, x)), small, one), s.add(one, small))

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        y = b.tensor(self.result)
        return [g * (y * (1 - y))]


class Softplus(Unary):
    """log(1 + exp(x)), without overflow and accurate for very negative x: exp(x) there, and x for large x.

    0 of -inf, inf of inf. Gradient: sigmoid(x).
    """

    name = "tir.softplus"

    def reference(self, x: Any) -> Any:
        return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))

    def element(self, s: Any, x: Any) -> Any:
        return s.add(s.maximum(x, s.const(0, x)), s.log1p(s.exp(s.neg(s.abs(x)))))

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [g * b.sigmoid(x)]


class Relu(Unary):
    """max(x, 0); nan of nan; +0.0 of -0.0.

    Gradient: 1 where x > 0, 0 where x < 0, and at 0 `at_zero`: 0 if it is not given, where that of
    `tir.maximum %x, %zero` is 1, and that of (x + |x|) / 2 is 0.5.
    """

    name = "tir.relu"
    at_zero = attribute(F64_ATTR, default=0.0)
    format = "$x (`at_zero` `(` $at_zero^ `)`)? attr-dict `:` type($result)"

    def reference(self, x: Any) -> Any:
        return numeric.maximum(x, x.dtype.type(0))

    def element(self, s: Any, x: Any) -> Any:
        return s.maximum(x, s.const(0, x))

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        below = g * self.at_zero if self.at_zero else 0
        rest = b.select(b.cmp("eq", x, 0), below, 0) if self.at_zero else 0
        return [b.select(b.cmp("gt", x, 0), g, rest)]


class LeakyRelu(Unary):
    """x where x > 0, else alpha x. Gradient: 1 where x > 0, else alpha, also at 0."""

    name = "tir.leaky_relu"
    alpha = attribute(F64_ATTR, default=0.01)
    format = "$x (`alpha` `(` $alpha^ `)`)? attr-dict `:` type($result)"

    def reference(self, x: Any) -> Any:
        return np.where(x > 0, x, x * x.dtype.type(self.alpha))

    def element(self, s: Any, x: Any) -> Any:
        return s.select(s.cmp("gt", x, s.const(0, x)), x, s.mul(x, s.const(self.alpha, x)))

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [b.select(b.cmp("gt", x, 0), g, g * self.alpha)]


class Elu(Unary):
    """x where x > 0, else alpha (exp(x) - 1), accurate for small x; -alpha of -inf.

    Gradient: 1 where x > 0, else alpha exp(x).
    """

    name = "tir.elu"
    alpha = attribute(F64_ATTR, default=1.0)
    format = "$x (`alpha` `(` $alpha^ `)`)? attr-dict `:` type($result)"

    def reference(self, x: Any) -> Any:
        return np.where(x > 0, x, np.expm1(x) * x.dtype.type(self.alpha))

    def element(self, s: Any, x: Any) -> Any:
        return s.select(s.cmp("gt", x, s.const(0, x)), x, s.mul(s.expm1(x), s.const(self.alpha, x)))

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        positive = b.cmp("gt", x, 0)
        # exp of a bounded x: in a second derivative the part that is not taken must not be inf * 0.
        return [b.select(positive, g, g * self.alpha * b.exp(b.minimum(x, 0)))]


class Gelu(Unary):
    """x P(N < x) for a normal number N; -0.0 of -inf.

    approximate: `erf` gives it exactly, x erfc(-x / sqrt(2)) / 2; `tanh` is x (1 + tanh(u)) / 2 with
    u = sqrt(2 / pi) (x + 0.044715 x^3). For negative x both get lost in the last places where the argument of the
    exponential is rounded: within 4 + x^2 ulp.
    Gradient: that of the formula.
    """

    name = "tir.gelu"
    approximate = attribute(integer_enum(("erf", "tanh")), default="erf")
    format = "$x (`approximate` $approximate^)? attr-dict `:` type($result)"

    def reference(self, x: Any) -> Any:
        near = np.maximum(x, -FAR).astype(x.dtype)
        if self.approximate == "erf":
            return 0.5 * near * numeric.each(math.erfc, -near * x.dtype.type(SQRT_HALF))
        # (1 + tanh(u)) / 2 = 1 / (1 + exp(-2 u)), without the cancellation.
        return near / (1 + np.exp(-2 * x.dtype.type(SQRT_2_OVER_PI) * (near + x.dtype.type(CUBIC) * near * near * near)))

    def element(self, s: Any, x: Any) -> Any:
        near = s.maximum(x, s.const(-FAR, x))
        half, one = s.const(0.5, x), s.const(1, x)
        if self.approximate == "erf":
            return s.mul(s.mul(near, half), s.erfc(s.mul(near, s.const(-SQRT_HALF, x))))
        cube = s.mul(s.mul(near, near), near)
        exponent = s.mul(s.const(-2 * SQRT_2_OVER_PI, x), s.add(near, s.mul(s.const(CUBIC, x), cube)))
        return s.div(near, s.add(one, s.exp(exponent)))

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        near = b.clamp(x, -40, 40)  # see Note [Bounded products]; f16 holds what comes of 40^3
        if self.approximate == "erf":
            density = b.exp(b.square(near) * -0.5) * (1 / math.sqrt(2 * math.pi))
            return [g * (b.erfc(near * -SQRT_HALF) * 0.5 + near * density)]
        square = b.square(near)
        share = b.sigmoid(2 * SQRT_2_OVER_PI * near * (1 + CUBIC * square))
        slope = 2 * SQRT_2_OVER_PI * (1 + 3 * CUBIC * square)
        return [g * (share + near * (share * (1 - share)) * slope)]


class Silu(Unary):
    """x sigmoid(x), also known as swish; -0.0 of -inf, inf of inf. Gradient: s (1 + x (1 - s)) with s = sigmoid(x)."""

    name = "tir.silu"

    def reference(self, x: Any) -> Any:
        near = np.maximum(x, -FAR).astype(x.dtype)
        power = np.exp(-np.abs(near))
        return near * np.where(near > 0, 1, power) / (1 + power)

    def element(self, s: Any, x: Any) -> Any:
        near = s.maximum(x, s.const(-FAR, x))
        # exp(-|x|) does not overflow, as exp(-x) would long before x exp(x) is 0.
        power, one = s.exp(s.neg(s.abs(near))), s.const(1, x)
        return s.div(s.mul(near, s.select(s.cmp("gt", near, s.const(0, x)), one, power)), s.add(one, power))

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        share, near = b.sigmoid(x), b.clamp(x, -FAR, FAR)
        return [g * (share + near * (share * (1 - share)))]


# Note [Bounded products]
#
# x times a factor that goes to 0 faster than x to infinity is 0 in the limit, but -inf * 0 is nan. So x is first brought
# to where the factor has long become 0: max(x, -1000). nan stays nan. For the other sign the factor is 1.


#: The ops of the family, in the order of the documentation.
OPS = (
    Sigmoid, Softplus, Relu, LeakyRelu, Elu, Gelu, Silu,
)  # fmt: skip
