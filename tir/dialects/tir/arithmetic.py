"""Elementwise arithmetic: sums, products, quotients and their rests, powers, the larger and the smaller, signs.

All operands have one shape (`tir.broadcast` makes them so; a Python builder inserts it) and one element type.
Integers wrap around, and no integer division is undefined: by 0 it gives 0, and what does not fit wraps. Floats follow
IEEE 754, and nothing raises.
"""

from __future__ import annotations

from typing import Any

from tir.dialects import numeric
from tir.dialects.tir.base import Binary, Elementwise, Unary
from tir.dialects.tir.elements import FLOAT_TENSOR, NUMBER_TENSOR, is_unsigned, lowest
from tir.ir.define import attribute, operand, result
from tir.ir.kinds import integer_enum
from tir.ir.traits import Commutative
from tir.ir.types import FloatType
from tir.lazy import np

__all__ = ["OPS"]


class Add(Binary, Commutative):
    """lhs + rhs."""

    name = "tir.add"

    def compute(self, lhs: Any, rhs: Any) -> Any:
        return lhs + rhs

    def element(self, s: Any, lhs: Any, rhs: Any) -> Any:
        return s.add(lhs, rhs)

    def grad(self, b: Any, g: Any, lhs: Any, rhs: Any) -> list[Any]:
        return [g, g]


class Sub(Binary):
    """lhs - rhs."""

    name = "tir.sub"

    def compute(self, lhs: Any, rhs: Any) -> Any:
        return lhs - rhs

    def element(self, s: Any, lhs: Any, rhs: Any) -> Any:
        return s.sub(lhs, rhs)

    def grad(self, b: Any, g: Any, lhs: Any, rhs: Any) -> list[Any]:
        return [g, -g]


class Mul(Binary, Commutative):
    """lhs * rhs."""

    name = "tir.mul"

    def compute(self, lhs: Any, rhs: Any) -> Any:
        return lhs * rhs

    def element(self, s: Any, lhs: Any, rhs: Any) -> Any:
        return s.mul(lhs, rhs)

    def grad(self, b: Any, g: Any, lhs: Any, rhs: Any) -> list[Any]:
        return [g * rhs, g * lhs]


class Div(Binary):
    """lhs / rhs; of integers the quotient without its fraction (-7 / 2 is -3).

    An integer divided by 0 is 0; the lowest integer divided by -1 wraps around to itself.
    """

    name = "tir.div"

    def compute(self, lhs: Any, rhs: Any) -> Any:
        if _is_float(lhs):
            return lhs / rhs
        # numpy rounds down and gives 0 for x / 0 and x % 0; only an inexact negative quotient must go up by one.
        inexact_negative = (lhs % rhs != 0) & ((lhs < 0) != (rhs < 0))
        return np.where(rhs == 0, 0, lhs // rhs + inexact_negative).astype(np.asarray(lhs).dtype)

    def element(self, s: Any, lhs: Any, rhs: Any) -> Any:
        if isinstance(self.result_type.element, FloatType):
            return s.div(lhs, rhs)
        return _quotient(s, s.div, lhs, rhs)

    def grad(self, b: Any, g: Any, lhs: Any, rhs: Any) -> list[Any]:
        by_rhs = g / rhs
        return [by_rhs, -(by_rhs * b.tensor(self.result))]


class FloorDiv(Binary):
    """The largest whole number not above lhs / rhs (-7 // 2 is -4). The gradient is 0: the result changes in steps.

    As numpy and Python: of floats from the exact rest, so 1.0 // 0.1 is 9; an infinity or nan where rhs is 0.
    An integer divided by 0 is 0; the lowest integer divided by -1 wraps around to itself.
    """

    name = "tir.floordiv"

    def compute(self, lhs: Any, rhs: Any) -> Any:
        return np.floor_divide(lhs, rhs)

    def element(self, s: Any, lhs: Any, rhs: Any) -> Any:
        if isinstance(self.result_type.element, FloatType):
            return s.floordiv(lhs, rhs)
        return _quotient(s, s.floordiv, lhs, rhs)

    def grad(self, b: Any, g: Any, lhs: Any, rhs: Any) -> list[Any]:
        return [None, None]


class Rem(Binary):
    """What lhs / rhs rounded toward 0 leaves of lhs: it has the sign of lhs (-7 rem 2 is -1). As C's fmod, exact.

    Where rhs is 0: nan, of integers 0. An infinite rhs leaves lhs as it is; an infinite lhs gives nan.
    Gradient: g, and -g times the whole quotient; at its jumps that of the side that the result is on.
    """

    name = "tir.rem"

    def compute(self, lhs: Any, rhs: Any) -> Any:
        return np.fmod(lhs, rhs)

    def element(self, s: Any, lhs: Any, rhs: Any) -> Any:
        if isinstance(self.result_type.element, FloatType):
            return s.rem(lhs, rhs)
        return _rest(s, s.rem, lhs, rhs)

    def grad(self, b: Any, g: Any, lhs: Any, rhs: Any) -> list[Any]:
        # lhs - result is a multiple of rhs, which a quotient of lhs alone, rounded, may miss by one.
        return [g, -(g * b.round((lhs - b.tensor(self.result)) / rhs))]


class Mod(Binary):
    """What lhs // rhs, rounded down, leaves of lhs: it has the sign of rhs (-7 mod 2 is 1). As Python's and numpy's %.

    Where rhs is 0: nan, of integers 0. A result of 0 has the sign of rhs. An infinite lhs gives nan.
    Gradient: g, and -g (lhs // rhs).
    """

    name = "tir.mod"

    def compute(self, lhs: Any, rhs: Any) -> Any:
        return np.mod(lhs, rhs)

    def element(self, s: Any, lhs: Any, rhs: Any) -> Any:
        if isinstance(self.result_type.element, FloatType):
            return s.mod(lhs, rhs)
        return _rest(s, s.mod, lhs, rhs)

    def grad(self, b: Any, g: Any, lhs: Any, rhs: Any) -> list[Any]:
        return [g, -(g * b.floordiv(lhs, rhs))]


class Pow(Binary):
    """lhs to the power of rhs; 0 to the power of 0 is 1.

    Floats as C's pow: a negative lhs needs a whole rhs, else nan; 1 where rhs is 0 or lhs is 1, nan there too.
    Integers wrap; a negative rhs gives 1 / lhs^-rhs rounded toward 0, so 0 unless lhs is 1 or -1; 0 where lhs is 0.
    The gradient of lhs is 0 where rhs is 0, that of rhs is 0 where lhs is 0; neither is nan there.
    """

    name = "tir.pow"

    def compute(self, lhs: Any, rhs: Any) -> Any:
        return numeric.power(lhs, rhs) if _is_float(lhs) else numeric.integer_power(lhs, rhs)

    def element(self, s: Any, lhs: Any, rhs: Any) -> Any:
        element = self.result_type.element
        if not isinstance(element, FloatType) and not is_unsigned(element):
            # Here 0 to a negative power is 0, which math.ipowi leaves open.
            zero = s.const(0, lhs)
            is_pole = s.and_(s.cmp("eq", lhs, zero), s.cmp("lt", rhs, zero))
            rhs = s.select(is_pole, s.const(1, rhs), rhs)
        return s.pow(lhs, rhs)

    def grad(self, b: Any, g: Any, lhs: Any, rhs: Any) -> list[Any]:
        slope = rhs * lhs ** (rhs - 1)
        logarithm = b.log(b.select(b.cmp("eq", lhs, 0), 1, lhs))
        return [g * b.select(b.cmp("eq", rhs, 0), 0, slope), g * b.tensor(self.result) * logarithm]


TIE = integer_enum(("first", "second", "split"))


class _Extreme(Binary):
    """The larger or the smaller of two. tie: who gets the gradient where they are equal."""

    tie = attribute(TIE, default="first")
    format = "$lhs `,` $rhs (`tie` $tie^)? attr-dict `:` type($result)"

    def _share(self, b: Any, g: Any, beats: str, lhs: Any, rhs: Any) -> list[Any]:
        """The gradients, where `lhs beats rhs` (gt or lt) chooses lhs."""
        lhs_wins = b.cmp({"first": beats.replace("t", "e"), "second": beats, "split": beats}[self.tie], lhs, rhs)
        parts = [b.select(lhs_wins, g, 0), b.select(lhs_wins, 0, g)]
        if self.tie == "split":
            equal = b.cmp("eq", lhs, rhs)
            parts = [b.select(equal, g * 0.5, part) for part in parts]
        return parts


class Maximum(_Extreme):
    """The larger of lhs and rhs; nan where one is nan; +0.0 of two zeros unless both are -0.0.

    Gradient: wholly to lhs where lhs > rhs, else to rhs. Where they are equal `tie` says who gets it: the `first`
    operand (so of `tir.maximum %x, %zero` at 0 it is 1), the `second`, or both a half (`split`).
    """

    name = "tir.maximum"

    def compute(self, lhs: Any, rhs: Any) -> Any:
        return numeric.maximum(lhs, rhs) if _is_float(lhs) else np.maximum(lhs, rhs)

    def element(self, s: Any, lhs: Any, rhs: Any) -> Any:
        return s.maximum(lhs, rhs)

    def grad(self, b: Any, g: Any, lhs: Any, rhs: Any) -> list[Any]:
        return self._share(b, g, "gt", lhs, rhs)


class Minimum(_Extreme):
    """The smaller of lhs and rhs; nan where one is nan; -0.0 of two zeros unless both are +0.0.

    Gradient: wholly to lhs where lhs < rhs, else to rhs; where they are equal as `tie` says, see `tir.maximum`.
    """

    name = "tir.minimum"

    def compute(self, lhs: Any, rhs: Any) -> Any:
        return numeric.minimum(lhs, rhs) if _is_float(lhs) else np.minimum(lhs, rhs)

    def element(self, s: Any, lhs: Any, rhs: Any) -> Any:
        return s.minimum(lhs, rhs)

    def grad(self, b: Any, g: Any, lhs: Any, rhs: Any) -> list[Any]:
        return self._share(b, g, "lt", lhs, rhs)


class Clamp(Elementwise):
    """x, but at least low and at most high: min(max(x, low), high). So high where low > high; nan where one is nan.

    Gradient: to x where low <= x <= high, the ends included; else to the bound that is the result.
    """

    name = "tir.clamp"
    x = operand(NUMBER_TENSOR)
    low = operand(NUMBER_TENSOR)
    high = operand(NUMBER_TENSOR)
    result = result(NUMBER_TENSOR)
    format = "$x `,` $low `,` $high attr-dict `:` type($result)"

    def reference(self, x: Any, low: Any, high: Any) -> Any:
        if _is_float(x):
            return numeric.minimum(numeric.maximum(x, low), high)
        return np.minimum(np.maximum(x, low), high)

    def element(self, s: Any, x: Any, low: Any, high: Any) -> Any:
        return s.minimum(s.maximum(x, low), high)

    def grad(self, b: Any, g: Any, x: Any, low: Any, high: Any) -> list[Any]:
        crossed = b.cmp("gt", low, high)
        is_high = b.or_(b.cmp("gt", x, high), crossed)
        is_low = b.and_(b.cmp("lt", x, low), b.not_(crossed))
        return [b.select(b.or_(is_low, is_high), 0, g), b.select(is_low, g, 0), b.select(is_high, g, 0)]


class CopySign(Binary):
    """|lhs| with the sign of rhs, that of a zero or nan too; a nan that was computed, as 0 / 0, may have either sign.

    Gradient: to lhs, 0 where lhs is 0; none to rhs.
    """

    name = "tir.copysign"
    lhs = operand(FLOAT_TENSOR)
    rhs = operand(FLOAT_TENSOR)
    result = result(FLOAT_TENSOR)

    def compute(self, lhs: Any, rhs: Any) -> Any:
        return np.copysign(lhs, rhs)

    def element(self, s: Any, lhs: Any, rhs: Any) -> Any:
        return s.copysign(lhs, rhs)

    def grad(self, b: Any, g: Any, lhs: Any, rhs: Any) -> list[Any]:
        return [b.copysign(1, rhs) * b.sign(lhs) * g, None]


class Neg(Unary):
    """-x."""

    name = "tir.neg"
    x = operand(NUMBER_TENSOR)
    result = result(NUMBER_TENSOR)

    def reference(self, x: Any) -> Any:
        return np.negative(x)

    def element(self, s: Any, x: Any) -> Any:
        return s.neg(x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [-g]


class Abs(Unary):
    """x without its sign; the lowest integer stays as it is. Gradient at 0: 0."""

    name = "tir.abs"
    x = operand(NUMBER_TENSOR)
    result = result(NUMBER_TENSOR)

    def reference(self, x: Any) -> Any:
        return np.abs(x)

    def element(self, s: Any, x: Any) -> Any:
        return s.abs(x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [g * b.sign(x)]


class Sign(Unary):
    """-1, 0 or 1; of a zero that zero, of nan nan. Gradient: 0."""

    name = "tir.sign"
    x = operand(NUMBER_TENSOR)
    result = result(NUMBER_TENSOR)

    def reference(self, x: Any) -> Any:
        return np.where(x == 0, x, np.sign(x)).astype(x.dtype)

    def element(self, s: Any, x: Any) -> Any:
        one = s.const(1, x)
        positive = s.select(s.cmp("gt", x, s.const(0, x)), one, x)
        if lowest(self.result_type.element) == 0:
            return positive
        return s.select(s.cmp("lt", x, s.const(0, x)), s.const(-1, x), positive)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [None]


class Square(Unary):
    """x * x."""

    name = "tir.square"
    x = operand(NUMBER_TENSOR)
    result = result(NUMBER_TENSOR)

    def reference(self, x: Any) -> Any:
        return x * x

    def element(self, s: Any, x: Any) -> Any:
        return s.mul(x, x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [g * (x + x)]


class Reciprocal(Unary):
    """1 / x, correctly rounded; of a zero the infinity with its sign. Gradient: -1 / x^2."""

    name = "tir.reciprocal"

    def reference(self, x: Any) -> Any:
        return 1 / x

    def element(self, s: Any, x: Any) -> Any:
        return s.div(s.const(1, x), x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [-(g * b.square(b.tensor(self.result)))]


# --- integer division that is never undefined ------------------------------------------------------------------------

# The machine's division is undefined for x / 0 and lowest / -1: neither divisor may reach it.


def _quotient(s: Any, divide: Any, lhs: Any, rhs: Any) -> Any:
    """`divide(lhs, rhs)`; 0 for x / 0, and x / -1 is -x, which wraps."""
    zero, one = s.const(0, rhs), s.const(1, rhs)
    by_zero = s.cmp("eq", rhs, zero)
    if is_unsigned(rhs.type):
        return s.select(by_zero, zero, divide(lhs, s.select(by_zero, one, rhs)))
    by_minus_one = s.cmp("eq", rhs, s.const(-1, rhs))
    quotient = divide(lhs, s.select(s.or_(by_zero, by_minus_one), one, rhs))
    return s.select(by_zero, zero, s.select(by_minus_one, s.neg(lhs), quotient))


def _rest(s: Any, divide: Any, lhs: Any, rhs: Any) -> Any:
    """The rest that `divide(lhs, rhs)` gives; 0 for the divisors 0, 1 and -1."""
    one = s.const(1, rhs)
    harmful = s.cmp("eq", rhs, s.const(0, rhs))
    if not is_unsigned(rhs.type):
        harmful = s.or_(harmful, s.cmp("eq", rhs, s.const(-1, rhs)))
    return divide(lhs, s.select(harmful, one, rhs))


def _is_float(x: Any) -> bool:
    return bool(np.asarray(x).dtype.kind == "f")


#: The ops of the family, in the order of the documentation.
OPS = (
    Add, Sub, Mul, Div, FloorDiv, Rem, Mod, Pow, Maximum, Minimum, Clamp, CopySign, Neg, Abs, Sign, Square, Reciprocal,
)  # fmt: skip
