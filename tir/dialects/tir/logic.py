"""Comparison, selection, bits, classes of floats, and conversion, element by element.

All operands have one shape; the gradient is 0 where a result changes in steps.
"""

from __future__ import annotations

from typing import Any

from tir.dialects import numeric
from tir.dialects.tir.base import Binary, Elementwise, Structure, Structured, Unary, common_element, fail
from tir.dialects.tir.elements import (
    BOOL_TENSOR,
    BOOLS,
    ELEMENT_TENSOR,
    FLOAT_TENSOR,
    INTEGER_TENSOR,
    INTEGERS,
    highest,
    is_unsigned,
    lowest,
)
from tir.dialects.tir.shape import number_of
from tir.ir.affine import AffineMap
from tir.ir.bfloat16 import bits_of, from_bits
from tir.ir.define import attribute, operand, result
from tir.ir.execution import numpy_dtype
from tir.ir.ir import Value
from tir.ir.kinds import INDEX_KIND, UNIT, integer_enum, one_of, tensor_of
from tir.ir.traits import Commutative
from tir.ir.types import BF16, I1, FloatType, IntegerType, TensorType, Type, element_type
from tir.lazy import np

__all__ = ["COMPARISONS", "OPS"]


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
        common_element(self, *self._named())
        return I1

    def reference(self, lhs: Any, rhs: Any) -> Any:
        functions = {"eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal}
        functions |= {"gt": np.greater, "ge": np.greater_equal}
        return functions[self.predicate](lhs, rhs)

    def element(self, s: Any, lhs: Any, rhs: Any) -> Any:
        return s.cmp(self.predicate, lhs, rhs)

    def grad(self, b: Any, g: Any, lhs: Any, rhs: Any) -> list[Any]:
        return [None, None]


class Select(Elementwise):
    """lhs where the condition is true, else rhs.

    The gradient goes to the chosen operand; the other gets 0, or nothing if the condition is a constant.
    """

    name = "tir.select"
    condition = operand(BOOL_TENSOR)
    lhs = operand(ELEMENT_TENSOR)
    rhs = operand(ELEMENT_TENSOR)
    result = result(ELEMENT_TENSOR)
    format = "$condition `,` $lhs `,` $rhs attr-dict `:` type($result)"

    def result_element(self) -> Type:
        return common_element(self, *self._named()[1:])

    def reference(self, condition: Any, lhs: Any, rhs: Any) -> Any:
        return np.where(condition, lhs, rhs)

    def element(self, s: Any, condition: Any, lhs: Any, rhs: Any) -> Any:
        return s.select(condition, lhs, rhs)

    def grad(self, b: Any, g: Any, condition: Any, lhs: Any, rhs: Any) -> list[Any]:
        chosen = number_of(self.condition)
        if chosen is not None:  # 0 for the other operand would become nan behind an infinite slope
            return [None, g, None] if chosen else [None, None, g]
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


class Xor(Binary, Commutative):
    """lhs or rhs but not both: of i1 true where they differ; of integers bit by bit. No gradient flows."""

    name = "tir.xor"
    lhs = operand(BIT_TENSOR)
    rhs = operand(BIT_TENSOR)
    result = result(BIT_TENSOR)

    def compute(self, lhs: Any, rhs: Any) -> Any:
        return np.bitwise_xor(lhs, rhs)

    def element(self, s: Any, lhs: Any, rhs: Any) -> Any:
        return s.xor(lhs, rhs)

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


class Shl(Binary):
    """The bits of lhs moved up by rhs, read as an unsigned number: lhs 2^rhs, wrapped; 0 where rhs is the width or more.

    No gradient flows.
    """

    name = "tir.shl"
    lhs = operand(INTEGER_TENSOR)
    rhs = operand(INTEGER_TENSOR)
    result = result(INTEGER_TENSOR)

    def compute(self, lhs: Any, rhs: Any) -> Any:
        return np.left_shift(lhs, rhs)

    def element(self, s: Any, lhs: Any, rhs: Any) -> Any:
        inside = _is_inside(s, rhs)
        zero = s.const(0, lhs)
        return s.select(inside, s.shl(lhs, s.select(inside, rhs, zero)), zero)

    def grad(self, b: Any, g: Any, lhs: Any, rhs: Any) -> list[Any]:
        return [None, None]


class Shr(Binary):
    """The bits of lhs moved down by rhs, read as an unsigned number: lhs / 2^rhs rounded down. No gradient flows.

    Above, a signed lhs is filled with copies of its top bit, an unsigned one with zeros, and so is a signed one if it
    is `logical`. Where rhs is the width or more, only what fills is left: 0, or -1 of a negative lhs.
    """

    name = "tir.shr"
    lhs = operand(INTEGER_TENSOR)
    rhs = operand(INTEGER_TENSOR)
    logical = attribute(UNIT, optional=True)
    result = result(INTEGER_TENSOR)
    format = "$lhs `,` $rhs (`logical` $logical^)? attr-dict `:` type($result)"

    def compute(self, lhs: Any, rhs: Any) -> Any:
        if self.logical and lhs.dtype.kind == "i":
            unsigned = f"u{lhs.dtype}"
            return np.right_shift(np.asarray(lhs).view(unsigned), np.asarray(rhs).view(unsigned)).view(lhs.dtype)
        return np.right_shift(lhs, rhs)

    def element(self, s: Any, lhs: Any, rhs: Any) -> Any:
        inside = _is_inside(s, rhs)
        if self.logical or is_unsigned(lhs.type):
            zero = s.const(0, lhs)
            return s.select(inside, s.shr_unsigned(lhs, s.select(inside, rhs, zero)), zero)
        return s.shr_signed(lhs, s.select(inside, rhs, s.const(lhs.type.width - 1, rhs)))

    def grad(self, b: Any, g: Any, lhs: Any, rhs: Any) -> list[Any]:
        return [None, None]


def _is_inside(s: Any, amount: Any) -> Any:
    """The amount of a shift is below the width; a longer shift is poison below the tensor level."""
    unsigned = s.bitcast(amount, IntegerType(amount.type.width, "unsigned"))
    return s.cmp("lt", unsigned, s.const(amount.type.width, unsigned))


class _FloatClass(Elementwise):
    """Whether a float is of a class."""

    x = operand(FLOAT_TENSOR)
    result = result(BOOL_TENSOR)
    format = "$x attr-dict `:` type($x)"

    def result_element(self) -> Type:
        return I1

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [None]


class IsNan(_FloatClass):
    """Whether x is nan. No gradient flows."""

    name = "tir.is_nan"

    def reference(self, x: Any) -> Any:
        return np.isnan(x)

    def element(self, s: Any, x: Any) -> Any:
        return s.is_nan(x)


class IsInf(_FloatClass):
    """Whether x is one of the infinities. No gradient flows."""

    name = "tir.is_inf"

    def reference(self, x: Any) -> Any:
        return np.isinf(x)

    def element(self, s: Any, x: Any) -> Any:
        return s.is_inf(x)


class IsFinite(_FloatClass):
    """Whether x is neither an infinity nor nan. No gradient flows."""

    name = "tir.is_finite"

    def reference(self, x: Any) -> Any:
        return np.isfinite(x)

    def element(self, s: Any, x: Any) -> Any:
        return s.is_finite(x)


class _Conversion(Structured):
    """x in the element type that is written."""

    batch_axes = ()

    x: Any

    def verify(self) -> None:
        shape = self.x.type.shape if isinstance(self.x.type, TensorType) else ()
        if shape != self.result_type.shape:
            fail(self, f"the shape must stay, got {self.x.type} and {self.result_type}")

    def inputs(self) -> list[Value]:
        return [self.x]

    def structure(self) -> Structure:
        rank = self.result_type.rank
        return Structure(("parallel",) * rank, (AffineMap.identity(rank),), (AffineMap.identity(rank),))


class Cast(_Conversion):
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


class Bitcast(_Conversion):
    """The same bits read as another element type of the same width: f32 as ui32, i8 as ui8. No gradient flows."""

    name = "tir.bitcast"
    x = operand(ELEMENT_TENSOR)
    result = result(ELEMENT_TENSOR)
    format = "$x attr-dict `:` type($x) `->` type($result)"

    def verify(self) -> None:
        super().verify()
        before, after = (numeric.bit_width(type) for type in (self.x.type, self.result_type))
        if before != after:
            fail(self, f"the number of bits must stay, got {before} ({self.x.type}) and {after} ({self.result_type})")

    def reference(self, x: Any) -> Any:
        bits = bits_of(x) if element_type(self.x.type) is BF16 else np.asarray(x)
        target = self.result_type.element
        return from_bits(bits.view(np.uint16)) if target is BF16 else bits.view(numpy_dtype(target))

    def element(self, s: Any, x: Any) -> Any:
        return s.bitcast(x, self.result_type.element)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [None]


#: The ops of the family, in the order of the documentation.
OPS = (Cast, Bitcast, Cmp, IsNan, IsInf, IsFinite, Select, And, Or, Xor, Not, Shl, Shr)
