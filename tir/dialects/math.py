"""`math`: elementary functions, on scalars or element by element on vectors and tensors, as upstream MLIR.

The references are numpy's functions in the dtype of the operand; erf and erfc are Python's, in f64 and rounded. What
compiled code computes instead, with its error bounds, is in `math_expansions.py`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tir.dialects import numeric
from tir.dialects.arith_base import FASTMATH, FloatBinary, FloatUnary, IntegerBinary
from tir.dialects.numeric import bit_width, each, fma, of_type, signed, unsigned, with_element
from tir.ir.define import attribute, operand, result
from tir.ir.ir import Op
from tir.ir.kinds import BOOL_LIKE, FLOAT_LIKE, INTEGER_LIKE
from tir.ir.registry import Dialect
from tir.ir.traits import Pure, SameOperandsAndResultType
from tir.ir.types import I1, Type
from tir.lazy import np

# --- rounding and roots ----------------------------------------------------------------------------------------------


class AbsF(FloatUnary):
    """|x|: clears the sign, that of nan too."""

    name = "math.absf"

    def reference(self, x: Any) -> Any:
        return np.abs(x)


class Ceil(FloatUnary):
    """The smallest whole number not below x; -0.0 for -1 < x < 0."""

    name = "math.ceil"

    def reference(self, x: Any) -> Any:
        return np.ceil(x)


class Floor(FloatUnary):
    """The largest whole number not above x; keeps -0.0."""

    name = "math.floor"

    def reference(self, x: Any) -> Any:
        return np.floor(x)


class Trunc(FloatUnary):
    """x without its fraction; keeps the sign of zero."""

    name = "math.trunc"

    def reference(self, x: Any) -> Any:
        return np.trunc(x)


class Round(FloatUnary):
    """The nearest whole number, of two the one farther from 0; keeps the sign of zero."""

    name = "math.round"

    def reference(self, x: Any) -> Any:
        whole = np.trunc(x)
        return np.copysign(np.abs(whole) + (np.abs(x - whole) >= 0.5), x)


class RoundEven(FloatUnary):
    """The nearest whole number, of two the even one; keeps the sign of zero."""

    name = "math.roundeven"

    def reference(self, x: Any) -> Any:
        return np.rint(x)


class Sqrt(FloatUnary):
    """The square root, correctly rounded; nan below 0, -0.0 for -0.0."""

    name = "math.sqrt"

    def reference(self, x: Any) -> Any:
        return np.sqrt(x)


class Rsqrt(FloatUnary):
    """1 / sqrt(x); nan below 0, an infinity with the sign of x for 0."""

    name = "math.rsqrt"

    def reference(self, x: Any) -> Any:
        return 1 / np.sqrt(x)


class Cbrt(FloatUnary):
    """The cube root, with the sign of x."""

    name = "math.cbrt"

    def reference(self, x: Any) -> Any:
        return np.cbrt(x)


# --- exponentials and logarithms -------------------------------------------------------------------------------------


class Exp(FloatUnary):
    """e^x; infinite where it is too large, 0 for -inf."""

    name = "math.exp"

    def reference(self, x: Any) -> Any:
        return np.exp(x)


class Exp2(FloatUnary):
    """2^x; infinite where it is too large, 0 for -inf."""

    name = "math.exp2"

    def reference(self, x: Any) -> Any:
        return np.exp2(x)


class ExpM1(FloatUnary):
    """e^x - 1, accurate near 0; keeps -0.0; -1 for -inf."""

    name = "math.expm1"

    def reference(self, x: Any) -> Any:
        return np.expm1(x)


class Log(FloatUnary):
    """The natural logarithm; nan below 0, -inf for both zeros."""

    name = "math.log"

    def reference(self, x: Any) -> Any:
        return np.log(x)


class Log2(FloatUnary):
    """The logarithm to base 2; nan below 0, -inf for both zeros."""

    name = "math.log2"

    def reference(self, x: Any) -> Any:
        return np.log2(x)


class Log10(FloatUnary):
    """The logarithm to base 10; nan below 0, -inf for both zeros."""

    name = "math.log10"

    def reference(self, x: Any) -> Any:
        return np.log10(x)


class Log1p(FloatUnary):
    """log(1 + x), accurate near 0; keeps -0.0; nan below -1, -inf for -1."""

    name = "math.log1p"

    def reference(self, x: Any) -> Any:
        return np.log1p(x)


class PowF(FloatBinary):
    """lhs^rhs as C's pow: 1 where rhs is 0 or lhs is 1, nan too; nan for lhs < 0 and a rhs that is no whole number."""

    name = "math.powf"

    def reference(self, lhs: Any, rhs: Any) -> Any:
        return numeric.power(lhs, rhs)


# --- circular and hyperbolic functions -------------------------------------------------------------------------------


class Sin(FloatUnary):
    """The sine of x in radians; nan for infinities."""

    name = "math.sin"

    def reference(self, x: Any) -> Any:
        return np.sin(x)


class Cos(FloatUnary):
    """The cosine of x in radians; nan for infinities."""

    name = "math.cos"

    def reference(self, x: Any) -> Any:
        return np.cos(x)


class Tan(FloatUnary):
    """The tangent of x in radians; nan for infinities."""

    name = "math.tan"

    def reference(self, x: Any) -> Any:
        return np.tan(x)


class Sinh(FloatUnary):
    """The hyperbolic sine; keeps -0.0."""

    name = "math.sinh"

    def reference(self, x: Any) -> Any:
        return np.sinh(x)


class Cosh(FloatUnary):
    """The hyperbolic cosine."""

    name = "math.cosh"

    def reference(self, x: Any) -> Any:
        return np.cosh(x)


class Tanh(FloatUnary):
    """The hyperbolic tangent; 1 and -1 for the infinities, keeps -0.0."""

    name = "math.tanh"

    def reference(self, x: Any) -> Any:
        return np.tanh(x)


class Asin(FloatUnary):
    """The inverse sine, within -pi/2..pi/2; nan for |x| > 1."""

    name = "math.asin"

    def reference(self, x: Any) -> Any:
        return np.arcsin(x)


class Acos(FloatUnary):
    """The inverse cosine, within 0..pi; nan for |x| > 1."""

    name = "math.acos"

    def reference(self, x: Any) -> Any:
        return np.arccos(x)


class Atan(FloatUnary):
    """The inverse tangent, within -pi/2..pi/2."""

    name = "math.atan"

    def reference(self, x: Any) -> Any:
        return np.arctan(x)


class Asinh(FloatUnary):
    """The inverse hyperbolic sine; keeps -0.0."""

    name = "math.asinh"

    def reference(self, x: Any) -> Any:
        return np.arcsinh(x)


class Acosh(FloatUnary):
    """The inverse hyperbolic cosine; nan for x < 1."""

    name = "math.acosh"

    def reference(self, x: Any) -> Any:
        return np.arccosh(x)


class Atanh(FloatUnary):
    """The inverse hyperbolic tangent; infinite for -1 and 1, nan for |x| > 1."""

    name = "math.atanh"

    def reference(self, x: Any) -> Any:
        return np.arctanh(x)


class Atan2(FloatBinary):
    """The angle of the point (rhs, lhs), within -pi..pi; the signs of zeros choose the side, as C's atan2."""

    name = "math.atan2"

    def reference(self, lhs: Any, rhs: Any) -> Any:
        return np.arctan2(lhs, rhs)


class Erf(FloatUnary):
    """The error function; 1 and -1 for the infinities, keeps -0.0."""

    name = "math.erf"

    def reference(self, x: Any) -> Any:
        return each(math.erf, x)


class Erfc(FloatUnary):
    """1 - erf(x), accurate where erf(x) is near 1."""

    name = "math.erfc"

    def reference(self, x: Any) -> Any:
        return each(math.erfc, x)


# --- signs, classes and sums -----------------------------------------------------------------------------------------


class CopySign(FloatBinary):
    """|lhs| with the sign of rhs, that of 0 and nan too."""

    name = "math.copysign"

    def reference(self, lhs: Any, rhs: Any) -> Any:
        return np.copysign(lhs, rhs)


class Fma(SameOperandsAndResultType, Pure, Op):
    """a * b + c, rounded once."""

    name = "math.fma"
    a = operand(FLOAT_LIKE)
    b = operand(FLOAT_LIKE)
    c = operand(FLOAT_LIKE)
    result = result(FLOAT_LIKE)
    fastmath = attribute(FASTMATH, default="none")
    format = "$a `,` $b `,` $c (`fastmath` `` $fastmath^)? attr-dict `:` type($result)"

    def reference(self, a: Any, b: Any, c: Any) -> Any:
        return fma(a, b, c, self.result.type)


class FloatClass(Pure, Op):
    """Whether a float is of a class, as i1."""

    x = operand(FLOAT_LIKE)
    result = result(BOOL_LIKE)
    fastmath = attribute(FASTMATH, default="none")
    format = "$x attr-dict `:` type($x)"

    def infer(self) -> Sequence[Type]:
        return [with_element(self.x.type, I1)]


class IsNaN(FloatClass):
    """x is nan."""

    name = "math.isnan"

    def reference(self, x: Any) -> Any:
        return np.isnan(x)


class IsInf(FloatClass):
    """x is an infinity."""

    name = "math.isinf"

    def reference(self, x: Any) -> Any:
        return np.isinf(x)


class IsFinite(FloatClass):
    """x is neither an infinity nor nan."""

    name = "math.isfinite"

    def reference(self, x: Any) -> Any:
        return np.isfinite(x)


# --- integers --------------------------------------------------------------------------------------------------------


class IntegerUnary(SameOperandsAndResultType, Pure, Op):
    """An integer gives an integer of its type."""

    x = operand(INTEGER_LIKE)
    result = result(INTEGER_LIKE)
    format = "$x attr-dict `:` type($result)"


class AbsI(IntegerUnary):
    """|x| of a signed number; the smallest number stays."""

    name = "math.absi"

    def reference(self, x: Any) -> Any:
        return of_type(np.abs(signed(x)), self.result.type)


class CtPop(IntegerUnary):
    """How many bits are set."""

    name = "math.ctpop"

    def reference(self, x: Any) -> Any:
        return of_type(np.bitwise_count(unsigned(x)), self.result.type)


class CtLz(IntegerUnary):
    """How many zeros stand above the highest set bit; the width for 0."""

    name = "math.ctlz"

    def reference(self, x: Any) -> Any:
        bits = unsigned(x)
        for shift in (1, 2, 4, 8, 16, 32):  # sets all bits below the highest; longer shifts than the width give 0
            bits = bits | (bits >> shift)
        return of_type(bit_width(self.result.type) - np.bitwise_count(bits), self.result.type)


class CtTz(IntegerUnary):
    """How many zeros stand below the lowest set bit; the width for 0."""

    name = "math.cttz"

    def reference(self, x: Any) -> Any:
        bits = unsigned(x)
        below = np.bitwise_count(~bits & (bits - 1))
        return of_type(np.minimum(below, bit_width(self.result.type)), self.result.type)


class IPowI(IntegerBinary):
    """lhs^rhs as signed numbers, modulo 2^width; for rhs < 0 the quotient 1 / lhs^-rhs toward 0; 0 for lhs = 0."""

    name = "math.ipowi"

    def compute(self, x: Any, y: Any) -> Any:
        return numeric.integer_power(x, y)


DIALECT = Dialect(
    "math",
    "Elementary functions, element by element.",
    ops=(
        AbsF, Ceil, Floor, Trunc, Round, RoundEven, Sqrt, Rsqrt, Cbrt,
        Exp, Exp2, ExpM1, Log, Log2, Log10, Log1p, PowF,
        Sin, Cos, Tan, Sinh, Cosh, Tanh, Asin, Acos, Atan, Asinh, Acosh, Atanh, Atan2, Erf, Erfc,
        CopySign, Fma, IsNaN, IsInf, IsFinite, AbsI, CtPop, CtLz, CtTz, IPowI,
    ),
)  # fmt: skip
