"""Elementwise ops: arithmetic, functions of one float, comparison, selection and logic.

All operands have one shape (`tir.broadcast` makes them so; a Python builder inserts it) and one element type.
Integers wrap around. Division by zero, logarithms of negative numbers and the like follow IEEE 754, and nothing raises.
"""

from __future__ import annotations

from typing import Any

from tir.dialects import numeric
from tir.dialects.tir.base import (
    BOOL_TENSOR,
    BOOLS,
    ELEMENT_TENSOR,
    FLOAT_TENSOR,
    INTEGERS,
    NUMBER_TENSOR,
    Binary,
    Elementwise,
    Structure,
    Structured,
    Unary,
    check_equal_shapes,
    fail,
    highest,
    lowest,
)
from tir.ir.affine import AffineMap
from tir.ir.define import attribute, operand, result
from tir.ir.execution import numpy_dtype
from tir.ir.ir import Value
from tir.ir.kinds import INDEX_KIND, integer_enum, one_of, tensor_of
from tir.ir.traits import Commutative
from tir.ir.types import BF16, I1, FloatType, TensorType, Type, element_type
from tir.lazy import np

__all__ = ["COMPARISONS", "OPS"]


# --- arithmetic --------------------------------------------------------------------------------------------------


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
        if np.asarray(lhs).dtype.kind == "f":
            return lhs / rhs
        # numpy rounds down and gives 0 for x / 0 and x % 0; only an inexact negative quotient must go up by one.
        inexact_negative = (lhs % rhs != 0) & ((lhs < 0) != (rhs < 0))
        return np.where(rhs == 0, 0, lhs // rhs + inexact_negative).astype(np.asarray(lhs).dtype)

    def element(self, s: Any, lhs: Any, rhs: Any) -> Any:
        element = self.result_type.element
        if isinstance(element, FloatType):
            return s.div(lhs, rhs)
        # The machine's division is undefined for x / 0 and lowest / -1: neither divisor reaches it.
        zero, one = s.const(0, rhs), s.const(1, rhs)
        by_zero = s.cmp("eq", rhs, zero)
        if lowest(element) == 0:
            return s.select(by_zero, zero, s.div(lhs, s.select(by_zero, one, rhs)))
        by_minus_one = s.cmp("eq", rhs, s.const(-1, rhs))
        quotient = s.div(lhs, s.select(s.or_(by_zero, by_minus_one), one, rhs))
        return s.select(by_zero, zero, s.select(by_minus_one, s.neg(lhs), quotient))

    def grad(self, b: Any, g: Any, lhs: Any, rhs: Any) -> list[Any]:
        by_rhs = g / rhs
        return [by_rhs, -(by_rhs * b.tensor(self.result))]


class Pow(Binary):
    """lhs to the power of rhs, of floats. 0 to the power of 0 is 1; a negative lhs needs a whole rhs, else nan.

    The gradient of lhs is 0 where rhs is 0, that of rhs is 0 where lhs is 0; neither is nan there.
    """

    name = "tir.pow"
    lhs = operand(FLOAT_TENSOR)
    rhs = operand(FLOAT_TENSOR)
    result = result(FLOAT_TENSOR)

    def compute(self, lhs: Any, rhs: Any) -> Any:
        return numeric.power(lhs, rhs)

    def element(self, s: Any, lhs: Any, rhs: Any) -> Any:
        return s.pow(lhs, rhs)

    def grad(self, b: Any, g: Any, lhs: Any, rhs: Any) -> list[Any]:
        slope = rhs * lhs ** (rhs - 1)
        logarithm = b.log(b.select(b.cmp("eq", lhs, 0), 1, lhs))
        return [g * b.select(b.cmp("eq", rhs, 0), 0, slope), g * b.tensor(self.result) * logarithm]


class Maximum(Binary):
    """The larger of lhs and rhs; nan where one is nan; +0.0 of two zeros unless both are -0.0.

    Gradient: wholly to lhs where lhs >= rhs, so at equality to the first operand; else to rhs.
    """

    name = "tir.maximum"

    def compute(self, lhs: Any, rhs: Any) -> Any:
        return numeric.maximum(lhs, rhs) if np.asarray(lhs).dtype.kind == "f" else np.maximum(lhs, rhs)

    def element(self, s: Any, lhs: Any, rhs: Any) -> Any:
        return s.maximum(lhs, rhs)

    def grad(self, b: Any, g: Any, lhs: Any, rhs: Any) -> list[Any]:
        first = b.cmp("ge", lhs, rhs)
        return [b.select(first, g, 0), b.select(first, 0, g)]


class Minimum(Binary):
    """The smaller of lhs and rhs; nan where one is nan; -0.0 of two zeros unless both are +0.0.

    Gradient: wholly to lhs where lhs <= rhs, so at equality to the first operand; else to rhs.
    """

    name = "tir.minimum"

    def compute(self, lhs: Any, rhs: Any) -> Any:
        return numeric.minimum(lhs, rhs) if np.asarray(lhs).dtype.kind == "f" else np.minimum(lhs, rhs)

    def element(self, s: Any, lhs: Any, rhs: Any) -> Any:
        return s.minimum(lhs, rhs)

    def grad(self, b: Any, g: Any, lhs: Any, rhs: Any) -> list[Any]:
        first = b.cmp("le", lhs, rhs)
        return [b.select(first, g, 0), b.select(first, 0, g)]


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
        return [g * (2 * x)]


# --- functions of one float ----------------------------------------------------------------------------------------


class Sqrt(Unary):
    """The square root, correctly rounded; below 0 nan. Gradient: 1 / (2 sqrt(x)), infinite at 0."""

    name = "tir.sqrt"

    def reference(self, x: Any) -> Any:
        return np.sqrt(x)

    def element(self, s: Any, x: Any) -> Any:
        return s.sqrt(x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [g / (2 * b.tensor(self.result))]


class Exp(Unary):
    """e to the power of x."""

    name = "tir.exp"

    def reference(self, x: Any) -> Any:
        return np.exp(x)

    def element(self, s: Any, x: Any) -> Any:
        return s.exp(x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [g * b.tensor(self.result)]


class Log(Unary):
    """The natural logarithm; of 0 -inf, below nan. Gradient: 1 / x."""

    name = "tir.log"

    def reference(self, x: Any) -> Any:
        return np.log(x)

    def element(self, s: Any, x: Any) -> Any:
        return s.log(x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [g / x]


class Log1p(Unary):
    """log(1 + x), accurate for small x; of -1 -inf, below nan. Gradient: 1 / (1 + x)."""

    name = "tir.log1p"

    def reference(self, x: Any) -> Any:
        return np.log1p(x)

    def element(self, s: Any, x: Any) -> Any:
        return s.log1p(x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [g / (1 + x)]


class Tanh(Unary):
    """The hyperbolic tangent. Gradient: 1 - tanh(x)^2."""

    name = "tir.tanh"

    def reference(self, x: Any) -> Any:
        return np.tanh(x)

    def element(self, s: Any, x: Any) -> Any:
        return s.tanh(x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [g * (1 - b.square(b.tensor(self.result)))]


class Sigmoid(Unary):
    """1 / (1 + exp(-x)): 0 for very negative x, where exp overflows to inf, never nan. Gradient: y (1 - y)."""

    name = "tir.sigmoid"

    def reference(self, x: Any) -> Any:
        one = x.dtype.type(1)
        return one / (one + np.exp(-x))

    def element(self, s: Any, x: Any) -> Any:
        one = s.const(1, x)
        return s.div(one, s.add(one, s.exp(s.neg(x))))

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        y = b.tensor(self.result)
        return [g * (y * (1 - y))]


class Relu(Unary):
    """max(x, 0); nan of nan; +0.0 of -0.0.

    Gradient: 1 where x > 0, else 0, also at 0, where that of `tir.maximum %x, %zero` is 1.
    """

    name = "tir.relu"

    def reference(self, x: Any) -> Any:
        return numeric.maximum(x, x.dtype.type(0))

    def element(self, s: Any, x: Any) -> Any:
        return s.maximum(x, s.const(0, x))

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [b.select(b.cmp("gt", x, 0), g, 0)]


# --- comparison, selection, logic, conversion --------------------------------------------------------------------

COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")


class Cmp(Elementwise):
    """Whether `lhs predicate rhs`; with a nan only `ne` holds. The gradient is 0: the result changes in steps."""

    name = "tir.cmp"
    predicate = attribute(integer_enum(COMPARISONS))
    lhs = operand(ELEMENT_TENSOR)
    rhs = operand(ELEMENT_TENSOR)
    result = result(BOOL_TENSOR)
    format = "$predicate $lhs `,` $rhs attr-dict `:` type($lhs)"

    def result_element(self) -> Type:
        self.common_element(*self._named())
        return I1

    def reference(self, lhs: Any, rhs: Any) -> Any:
        check_equal_shapes(lhs, rhs)
        functions = {"eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal}
        functions |= {"gt": np.greater, "ge": np.greater_equal}
        return functions[self.predicate](lhs, rhs)

    def element(self, s: Any, lhs: Any, rhs: Any) -> Any:
        return s.cmp(self.predicate, lhs, rhs)

    def grad(self, b: Any, g: Any, lhs: Any, rhs: Any) -> list[Any]:
        return [None, None]


class Select(Elementwise):
    """lhs where the condition is true, else rhs. The gradient goes to the chosen operand."""

    name = "tir.select"
    condition = operand(BOOL_TENSOR)
    lhs = operand(ELEMENT_TENSOR)
    rhs = operand(ELEMENT_TENSOR)
    result = result(ELEMENT_TENSOR)
    format = "$condition `,` $lhs `,` $rhs attr-dict `:` type($result)"

    def result_element(self) -> Type:
        return self.common_element(*self._named()[1:])

    def reference(self, condition: Any, lhs: Any, rhs: Any) -> Any:
        check_equal_shapes(condition, lhs, rhs)
        return np.where(condition, lhs, rhs)

    def element(self, s: Any, condition: Any, lhs: Any, rhs: Any) -> Any:
        return s.select(condition, lhs, rhs)

    def grad(self, b: Any, g: Any, condition: Any, lhs: Any, rhs: Any) -> list[Any]:
        return [None, b.select(condition, g, 0), b.select(condition, 0, g)]


BIT_TENSOR = tensor_of(one_of(BOOLS, INTEGERS))


class And(Binary, Commutative):
    """lhs and rhs: of i1 true where both are; of integers bit by bit. No gradient flows."""

    name = "tir.and"
    lhs = operand(BIT_TENSOR)
    rhs = operand(BIT_TENSOR)
    result = result(BIT_TENSOR)

    def compute(self, lhs: Any, rhs: Any) -> Any:
        return np.bitwise_and(lhs, rhs)

    def element(self, s: Any, lhs: Any, rhs: Any) -> Any:
        return s.and_(lhs, rhs)

    def grad(self, b: Any, g: Any, lhs: Any, rhs: Any) -> list[Any]:
        return [None, None]


class Or(Binary, Commutative):
    """lhs or rhs: of i1 true where one is; of integers bit by bit. No gradient flows."""

    name = "tir.or"
    lhs = operand(BIT_TENSOR)
    rhs = operand(BIT_TENSOR)
    result = result(BIT_TENSOR)

    def compute(self, lhs: Any, rhs: Any) -> Any:
        return np.bitwise_or(lhs, rhs)

    def element(self, s: Any, lhs: Any, rhs: Any) -> Any:
        return s.or_(lhs, rhs)

    def grad(self, b: Any, g: Any, lhs: Any, rhs: Any) -> list[Any]:
        return [None, None]


class Not(Unary):
    """not x: of i1 true where x is false; of integers each bit the other. No gradient flows."""

    name = "tir.not"
    x = operand(BIT_TENSOR)
    result = result(BIT_TENSOR)

    def reference(self, x: Any) -> Any:
        return np.invert(x)

    def element(self, s: Any, x: Any) -> Any:
        return s.not_(x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [None]


class Cast(Structured):
    """x as another element type.

    Float to integer: without the fraction; what does not fit gives the nearest integer of the type, nan gives 0.
    Integer to integer: the low bits. To i1: whether x is not 0 (true for nan). i1 to a number: 0 or 1.
    An index scalar, such as a `tir.dim`, becomes a tensor of rank 0.
    Gradient: cast back; 0 where one of the two types is no float, since the result changes in steps.
    """

    name = "tir.cast"
    x = operand(one_of(ELEMENT_TENSOR, INDEX_KIND))
    result = result(ELEMENT_TENSOR)
    format = "$x attr-dict `:` type($x) `->` type($result)"

    def verify(self) -> None:
        shape = self.x.type.shape if isinstance(self.x.type, TensorType) else ()
        if shape != self.result_type.shape:
            fail(self, f"the shape must stay, got {self.x.type} and {self.result_type}")

    def inputs(self) -> list[Value]:
        return [self.x]

    def structure(self) -> Structure:
        rank = self.result_type.rank
        return Structure(("parallel",) * rank, (AffineMap.identity(rank),), (AffineMap.identity(rank),))

    def reference(self, x: Any) -> Any:
        source, target = element_type(self.x.type), self.result_type.element
        if isinstance(source, FloatType) and not isinstance(target, FloatType) and target is not I1:
            x = numeric.float_to_integer(x, lowest(target), highest(target))
        if target is BF16:  # rounded by who runs this, once
            return numeric.float_to_float(x, target) if isinstance(source, FloatType) else self._from_integer(x)
        return np.asarray(x).astype(numpy_dtype(target))

    def _from_integer(self, x: Any) -> Any:
        number = np.asarray(x)
        return numeric.integer_to_float(number.astype(np.uint8) if number.dtype.kind == "b" else number, BF16)

    def element(self, s: Any, x: Any) -> Any:
        return s.cast(x, self.result_type.element)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        source, target = element_type(self.x.type), self.result_type.element
        return [b.cast(g, source) if isinstance(source, FloatType) and isinstance(target, FloatType) else None]


#: The ops of the family, in the order of the documentation.
OPS = (
    Cast, Add, Sub, Mul, Div, Pow, Maximum, Minimum, Neg, Abs, Sign, Square, Sqrt, Exp, Log, Log1p, Tanh,
    Sigmoid, Relu, Cmp, Select, And, Or, Not,
)  # fmt: skip
