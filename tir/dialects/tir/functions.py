"""Functions of floats, element by element: roots, exponentials, logarithms, angles, the error function, rounding.

Outside of its domain a function gives nan, and of nan nan; nothing raises. f16 and bf16 are computed in f32 and rounded.
Compiled code is within 4 ulp of the true result (tir/dialects/math_expansions.py has the bounds of each function).
"""

from __future__ import annotations

import math
from typing import Any

from tir.dialects import numeric
from tir.dialects.tir.base import Binary, Unary
from tir.dialects.tir.elements import FLOAT_TENSOR
from tir.ir.define import attribute, operand, result
from tir.ir.kinds import integer_enum
from tir.lazy import np

__all__ = ["OPS"]


class Sqrt(Unary):
    """The square root, correctly rounded; below 0 nan. Gradient: 1 / (2 sqrt(x)), infinite at 0."""

    name = "tir.sqrt"

    def reference(self, x: Any) -> Any:
        return np.sqrt(x)

    def element(self, s: Any, x: Any) -> Any:
        return s.sqrt(x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [g / (2 * b.tensor(self.result))]


class Rsqrt(Unary):
    """1 / sqrt(x): inf and -inf of 0 and -0, nan below. Gradient: -y^3 / 2."""

    name = "tir.rsqrt"

    def reference(self, x: Any) -> Any:
        return 1 / np.sqrt(x)

    def element(self, s: Any, x: Any) -> Any:
        return s.rsqrt(x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        y = b.tensor(self.result)
        return [g * (y * b.square(y)) * -0.5]


class Cbrt(Unary):
    """The cube root, with the sign of x. Gradient: 1 / (3 y^2), infinite at 0."""

    name = "tir.cbrt"

    def reference(self, x: Any) -> Any:
        return np.cbrt(x)

    def element(self, s: Any, x: Any) -> Any:
        return s.cbrt(x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [g / (3 * b.square(b.tensor(self.result)))]


class Exp(Unary):
    """e to the power of x."""

    name = "tir.exp"

    def reference(self, x: Any) -> Any:
        return np.exp(x)

    def element(self, s: Any, x: Any) -> Any:
        return s.exp(x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [g * b.tensor(self.result)]


class Exp2(Unary):
    """2 to the power of x; inf where it is too large, 0 of -inf. Gradient: y log(2)."""

    name = "tir.exp2"

    def reference(self, x: Any) -> Any:
        return np.exp2(x)

    def element(self, s: Any, x: Any) -> Any:
        return s.exp2(x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [g * b.tensor(self.result) * math.log(2)]


class Expm1(Unary):
    """exp(x) - 1, accurate for small x; -1 of -inf. Gradient: exp(x), not y + 1, which is 0 for x below -40."""

    name = "tir.expm1"

    def reference(self, x: Any) -> Any:
        return np.expm1(x)

    def element(self, s: Any, x: Any) -> Any:
        return s.expm1(x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [g * b.exp(x)]


class Log(Unary):
    """The natural logarithm; of 0 -inf, below nan. Gradient: 1 / x."""

    name = "tir.log"

    def reference(self, x: Any) -> Any:
        return np.log(x)

    def element(self, s: Any, x: Any) -> Any:
        return s.log(x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [g / x]


class Log2(Unary):
    """The logarithm to base 2, exact for powers of two; of 0 -inf, below nan. Gradient: 1 / (x log(2))."""

    name = "tir.log2"

    def reference(self, x: Any) -> Any:
        return np.log2(x)

    def element(self, s: Any, x: Any) -> Any:
        return s.log2(x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [g / (x * math.log(2))]


class Log10(Unary):
    """The logarithm to base 10; of 0 -inf, below nan. Gradient: 1 / (x log(10))."""

    name = "tir.log10"

    def reference(self, x: Any) -> Any:
        return np.log10(x)

    def element(self, s: Any, x: Any) -> Any:
        return s.log10(x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [g / (x * math.log(10))]


class Log1p(Unary):
    """log(1 + x), accurate for small x; of -1 -inf, below nan. Gradient: 1 / (1 + x)."""

    name = "tir.log1p"

    def reference(self, x: Any) -> Any:
        return np.log1p(x)

    def element(self, s: Any, x: Any) -> Any:
        return s.log1p(x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [g / (1 + x)]


class Log1mexp(Unary):
    """log(1 - exp(x)), accurate for x near 0 and for very negative x; of 0 -inf, above nan; -0.0 of -inf.

    Gradient: -1 / expm1(-x). M. Maechler, "Accurately computing log(1 - exp(-|a|))" (2012), equation 7.
    """

    name = "tir.log1mexp"

    def reference(self, x: Any) -> Any:
        return np.where(x > -math.log(2), np.log(-np.expm1(x)), np.log1p(-np.exp(x)))

    def element(self, s: Any, x: Any) -> Any:
        near = s.log(s.neg(s.expm1(x)))
        return s.select(s.cmp("gt", x, s.const(-math.log(2), x)), near, s.log1p(s.neg(s.exp(x))))

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [-(g / b.expm1(0 - x))]  # 0 - 0 is 0, and so the gradient at 0 -inf


class Sin(Unary):
    """The sine of x in radians, for any finite x; nan of the infinities. Gradient: cos(x)."""

    name = "tir.sin"

    def reference(self, x: Any) -> Any:
        return np.sin(x)

    def element(self, s: Any, x: Any) -> Any:
        return s.sin(x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [g * b.cos(x)]


class Cos(Unary):
    """The cosine of x in radians, for any finite x; nan of the infinities. Gradient: -sin(x)."""

    name = "tir.cos"

    def reference(self, x: Any) -> Any:
        return np.cos(x)

    def element(self, s: Any, x: Any) -> Any:
        return s.cos(x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [-(g * b.sin(x))]


class Tan(Unary):
    """The tangent of x in radians, for any finite x; nan of the infinities. Gradient: 1 + y^2."""

    name = "tir.tan"

    def reference(self, x: Any) -> Any:
        return np.tan(x)

    def element(self, s: Any, x: Any) -> Any:
        return s.tan(x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [g * (1 + b.square(b.tensor(self.result)))]


class Asin(Unary):
    """The inverse sine, in -pi/2 to pi/2; nan outside of -1 to 1. Gradient: 1 / sqrt(1 - x^2), infinite at 1 and -1."""

    name = "tir.asin"

    def reference(self, x: Any) -> Any:
        return np.arcsin(x)

    def element(self, s: Any, x: Any) -> Any:
        return s.asin(x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [g * b.rsqrt((1 - x) * (1 + x))]


class Acos(Unary):
    """The inverse cosine, in 0 to pi; nan outside of -1 to 1. Gradient: -1 / sqrt(1 - x^2), infinite at 1 and -1."""

    name = "tir.acos"

    def reference(self, x: Any) -> Any:
        return np.arccos(x)

    def element(self, s: Any, x: Any) -> Any:
        return s.acos(x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [-(g * b.rsqrt((1 - x) * (1 + x)))]


class Atan(Unary):
    """The inverse tangent, in -pi/2 to pi/2, these of the infinities. Gradient: 1 / (1 + x^2)."""

    name = "tir.atan"

    def reference(self, x: Any) -> Any:
        return np.arctan(x)

    def element(self, s: Any, x: Any) -> Any:
        return s.atan(x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [g / (1 + b.square(x))]


class Atan2(Binary):
    """The angle of the point (x, y) = (rhs, lhs), in -pi to pi; the signs of zeros choose the side, as C's atan2.

    Gradient: x / (x^2 + y^2) and -y / (x^2 + y^2), also where the squares overflow; 0 at infinity. At the origin there is
    none and it is 0, as in torch (pytorch pull request 166787) where JAX and Theano have nan: a point that a later select
    leaves out must not hand back 0 * nan.
    """

    name = "tir.atan2"
    lhs = operand(FLOAT_TENSOR)
    rhs = operand(FLOAT_TENSOR)
    result = result(FLOAT_TENSOR)

    def compute(self, lhs: Any, rhs: Any) -> Any:
        return np.arctan2(lhs, rhs)

    def element(self, s: Any, lhs: Any, rhs: Any) -> Any:
        return s.atan2(lhs, rhs)

    def grad(self, b: Any, g: Any, lhs: Any, rhs: Any) -> list[Any]:
        flat = b.cmp("ge", b.abs(rhs), b.abs(lhs))
        large, small = b.select(flat, rhs, lhs), b.select(flat, lhs, rhs)
        large = b.select(b.cmp("eq", large, 0), math.inf, large)
        small = b.select(b.is_inf(small), 0, small)
        ratio = small / large
        length = large + small * ratio  # (large^2 + small^2) / large
        by_large, by_small = b.reciprocal(length), ratio / length
        return [g * b.select(flat, by_large, by_small), -(g * b.select(flat, by_small, by_large))]


class Sinh(Unary):
    """The hyperbolic sine, accurate for small x. Gradient: cosh(x)."""

    name = "tir.sinh"

    def reference(self, x: Any) -> Any:
        return np.sinh(x)

    def element(self, s: Any, x: Any) -> Any:
        return s.sinh(x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [g * b.cosh(x)]


class Cosh(Unary):
    """The hyperbolic cosine, at least 1. Gradient: sinh(x)."""

    name = "tir.cosh"

    def reference(self, x: Any) -> Any:
        return np.cosh(x)

    def element(self, s: Any, x: Any) -> Any:
        return s.cosh(x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [g * b.sinh(x)]


class Tanh(Unary):
    """The hyperbolic tangent. Gradient: 1 - tanh(x)^2."""

    name = "tir.tanh"

    def reference(self, x: Any) -> Any:
        return np.tanh(x)

    def element(self, s: Any, x: Any) -> Any:
        return s.tanh(x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [g * (1 - b.square(b.tensor(self.result)))]


class Asinh(Unary):
    """The inverse hyperbolic sine, accurate for small x. Gradient: 1 / sqrt(1 + x^2), also where x^2 overflows."""

    name = "tir.asinh"

    def reference(self, x: Any) -> Any:
        return np.arcsinh(x)

    def element(self, s: Any, x: Any) -> Any:
        return s.asinh(x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        large = b.cmp("gt", b.abs(x), 1)
        small = b.select(large, b.reciprocal(b.select(large, x, 1)), x)
        root = b.rsqrt(1 + b.square(small))
        return [g * b.select(large, b.abs(small) * root, root)]


class Acosh(Unary):
    """The inverse hyperbolic cosine; nan below 1. Gradient: 1 / sqrt(x^2 - 1), infinite at 1."""

    name = "tir.acosh"

    def reference(self, x: Any) -> Any:
        return np.arccosh(x)

    def element(self, s: Any, x: Any) -> Any:
        return s.acosh(x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        # Two roots: x^2 may overflow, and x^2 - 1 cancels.
        return [g * b.rsqrt(x - 1) * b.rsqrt(x + 1)]


class Atanh(Unary):
    """The inverse hyperbolic tangent: inf and -inf of 1 and -1, nan outside. Gradient: 1 / (1 - x^2)."""

    name = "tir.atanh"

    def reference(self, x: Any) -> Any:
        return np.arctanh(x)

    def element(self, s: Any, x: Any) -> Any:
        return s.atanh(x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [g / ((1 - x) * (1 + x))]


class Erf(Unary):
    """The error function, accurate for small x; 1 and -1 of the infinities. Gradient: 2 / sqrt(pi) exp(-x^2)."""

    name = "tir.erf"

    def reference(self, x: Any) -> Any:
        return numeric.each(math.erf, x)

    def element(self, s: Any, x: Any) -> Any:
        return s.erf(x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [g * b.exp(-b.square(x)) * (2 / math.sqrt(math.pi))]


class Erfc(Unary):
    """1 - erf(x), accurate for large x, where erf(x) is near 1; 0 of inf. Gradient: -2 / sqrt(pi) exp(-x^2)."""

    name = "tir.erfc"

    def reference(self, x: Any) -> Any:
        return numeric.each(math.erfc, x)

    def element(self, s: Any, x: Any) -> Any:
        return s.erfc(x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [g * b.exp(-b.square(x)) * (-2 / math.sqrt(math.pi))]


class Floor(Unary):
    """The largest whole number not above x; keeps -0.0, infinities and nan. Gradient: 0."""

    name = "tir.floor"

    def reference(self, x: Any) -> Any:
        return np.floor(x)

    def element(self, s: Any, x: Any) -> Any:
        return s.floor(x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [None]


class Ceil(Unary):
    """The smallest whole number not below x, -0.0 for -1 < x < 0. Gradient: 0."""

    name = "tir.ceil"

    def reference(self, x: Any) -> Any:
        return np.ceil(x)

    def element(self, s: Any, x: Any) -> Any:
        return s.ceil(x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [None]


class Trunc(Unary):
    """x without its fraction; a result of 0 has the sign of x. Gradient: 0."""

    name = "tir.trunc"

    def reference(self, x: Any) -> Any:
        return np.trunc(x)

    def element(self, s: Any, x: Any) -> Any:
        return s.trunc(x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [None]


class Round(Unary):
    """The nearest whole number; a result of 0 has the sign of x. Gradient: 0.

    half: of two that are equally near the `even` one (as numpy and Python), or the one `away` from 0 (as C).
    """

    name = "tir.round"
    half = attribute(integer_enum(("even", "away")), default="even")
    format = "$x (`half` $half^)? attr-dict `:` type($result)"

    def reference(self, x: Any) -> Any:
        if self.half == "even":
            return np.rint(x)
        whole = np.trunc(x)
        return np.copysign(np.abs(whole) + (np.abs(x - whole) >= 0.5), x)

    def element(self, s: Any, x: Any) -> Any:
        return s.round(x) if self.half == "even" else s.round_half_away(x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [None]


#: The ops of the family, in the order of the documentation.
OPS = (
    Sqrt, Rsqrt, Cbrt, Exp, Exp2, Expm1, Log, Log2, Log10, Log1p, Log1mexp,
    Sin, Cos, Tan, Asin, Acos, Atan, Atan2, Sinh, Cosh, Tanh, Asinh, Acosh, Atanh, Erf, Erfc,
    Floor, Ceil, Trunc, Round,
)  # fmt: skip
