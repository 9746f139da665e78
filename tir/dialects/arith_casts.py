"""The conversions of arith: between widths, between integers and floats, between index and integers."""

from __future__ import annotations

from typing import Any, ClassVar

from tir.dialects.arith_base import FASTMATH, NUMBER, OVERFLOW, ROUNDING, check_rounding
from tir.dialects.numeric import (
    bit_width,
    float_to_float,
    float_to_integer,
    integer_to_float,
    of_type,
    signed,
    unsigned,
    with_element,
)
from tir.ir.bfloat16 import bits_of, from_bits
from tir.ir.define import attribute, operand, result
from tir.ir.errors import VerifyError
from tir.ir.execution import numpy_dtype
from tir.ir.ir import Op
from tir.ir.kinds import ANY_FLOAT, FLOAT_LIKE, INTEGER_LIKE, SIGNLESS_INTEGER, UNIT, like, one_of
from tir.ir.traits import Pure
from tir.ir.types import BF16, IndexType, element_type
from tir.lazy import np

INTEGER = like(SIGNLESS_INTEGER)
INTEGER_OR_FLOAT = like(one_of(SIGNLESS_INTEGER, ANY_FLOAT))


class Cast(Pure, Op):
    """A value in another element type. wider: whether the result must have more (True) or fewer (False) bits."""

    wider: ClassVar[bool | None] = None
    input = operand(NUMBER)
    result = result(NUMBER)
    format = "$input attr-dict `:` type($input) `to` type($result)"

    def verify(self) -> None:
        source, target = self.input.type, self.result.type
        if with_element(source, element_type(target)) is not target:
            raise VerifyError(f"{self.name}: the shape must stay, got {source} and {target}", self.location)
        more = bit_width(target) - bit_width(source)
        if (self.wider is True and more <= 0) or (self.wider is False and more >= 0):
            rule = "more" if self.wider else "fewer"
            raise VerifyError(f"{self.name}: the result must have {rule} bits, got {source} to {target}", self.location)


class ExtF(Cast):
    """A float in a wider float type, exact."""

    name = "arith.extf"
    wider = True
    input = operand(FLOAT_LIKE)
    result = result(FLOAT_LIKE)
    fastmath = attribute(FASTMATH, optional=True)
    format = "$input (`fastmath` `` $fastmath^)? attr-dict `:` type($input) `to` type($result)"

    def reference(self, x: Any) -> Any:
        return x.astype(numpy_dtype(self.result.type))


class TruncF(Cast):
    """A float in a narrower float type, rounded to nearest even, once; too large ones become infinite."""

    name = "arith.truncf"
    wider = False
    input = operand(FLOAT_LIKE)
    result = result(FLOAT_LIKE)
    roundingmode = attribute(ROUNDING, optional=True)
    fastmath = attribute(FASTMATH, optional=True)
    format = "$input ($roundingmode^)? (`fastmath` `` $fastmath^)? attr-dict `:` type($input) `to` type($result)"

    def verify(self) -> None:
        super().verify()
        check_rounding(self)

    def reference(self, x: Any) -> Any:
        return float_to_float(x, self.result.type)


class IntegerCast(Cast):
    """An integer in an integer type of another width."""

    input = operand(INTEGER)
    result = result(INTEGER)


class ExtSI(IntegerCast):
    """The signed number in a wider type; a true i1 gives -1."""

    name = "arith.extsi"
    wider = True

    def reference(self, x: Any) -> Any:
        return of_type(signed(x), self.result.type)


class ExtUI(IntegerCast):
    """The unsigned number in a wider type; a true i1 gives 1."""

    name = "arith.extui"
    wider = True
    nonNeg = attribute(UNIT, optional=True)
    format = "$input (`nneg` $nonNeg^)? attr-dict `:` type($input) `to` type($result)"

    def reference(self, x: Any) -> Any:
        return of_type(unsigned(x), self.result.type)


class TruncI(IntegerCast):
    """The low bits."""

    name = "arith.trunci"
    wider = False
    overflowFlags = attribute(OVERFLOW, default="none")
    format = "$input (`overflow` `` $overflowFlags^)? attr-dict `:` type($input) `to` type($result)"

    def reference(self, x: Any) -> Any:
        return of_type(x, self.result.type)


class SIToFP(Cast):
    """The signed number as a float, rounded to nearest even; a true i1 gives -1.0."""

    name = "arith.sitofp"
    input = operand(INTEGER)
    result = result(FLOAT_LIKE)

    def reference(self, x: Any) -> Any:
        return integer_to_float(signed(x), self.result.type)


class UIToFP(Cast):
    """The unsigned number as a float, rounded to nearest even; a true i1 gives 1.0."""

    name = "arith.uitofp"
    input = operand(INTEGER)
    result = result(FLOAT_LIKE)
    nonNeg = attribute(UNIT, optional=True)
    format = "$input (`nneg` $nonNeg^)? attr-dict `:` type($input) `to` type($result)"

    def reference(self, x: Any) -> Any:
        return integer_to_float(unsigned(x), self.result.type)


class FPToSI(Cast):
    """The float without its fraction as a signed number; what is out of range saturates, nan gives 0."""

    name = "arith.fptosi"
    input = operand(FLOAT_LIKE)
    result = result(INTEGER)

    def reference(self, x: Any) -> Any:
        limit = 1 << (bit_width(self.result.type) - 1)
        return of_type(float_to_integer(x, -limit, limit - 1), self.result.type)


class FPToUI(Cast):
    """The float without its fraction as an unsigned number; what is out of range saturates, nan gives 0."""

    name = "arith.fptoui"
    input = operand(FLOAT_LIKE)
    result = result(INTEGER)

    def reference(self, x: Any) -> Any:
        limit = 1 << bit_width(self.result.type)
        return of_type(float_to_integer(x, 0, limit - 1), self.result.type)


class IndexConversion(Cast):
    """`index` to an integer type, or back."""

    input = operand(INTEGER_LIKE)
    result = result(INTEGER_LIKE)

    def verify(self) -> None:
        super().verify()
        source, target = self.input.type, self.result.type
        if isinstance(element_type(source), IndexType) == isinstance(element_type(target), IndexType):
            raise VerifyError(f"{self.name}: one side must be index, got {source} to {target}", self.location)


class IndexCast(IndexConversion):
    """The signed number in more bits, or the low bits."""

    name = "arith.index_cast"

    def reference(self, x: Any) -> Any:
        return of_type(signed(x), self.result.type)


class IndexCastUI(IndexConversion):
    """The unsigned number in more bits, or the low bits."""

    name = "arith.index_castui"
    nonNeg = attribute(UNIT, optional=True)
    format = "$input (`nneg` $nonNeg^)? attr-dict `:` type($input) `to` type($result)"

    def reference(self, x: Any) -> Any:
        return of_type(unsigned(x), self.result.type)


class Bitcast(Cast):
    """The same bits read as another type of the same width."""

    name = "arith.bitcast"
    input = operand(INTEGER_OR_FLOAT)
    result = result(INTEGER_OR_FLOAT)

    def verify(self) -> None:
        super().verify()
        source, target = self.input.type, self.result.type
        if bit_width(source) != bit_width(target):
            raise VerifyError(f"arith.bitcast: the number of bits must stay, got {source} to {target}", self.location)

    def reference(self, x: Any) -> Any:
        source, target = element_type(self.input.type), element_type(self.result.type)
        bits = bits_of(x) if source is BF16 else x
        return from_bits(bits.view(np.uint16)) if target is BF16 else bits.view(numpy_dtype(target))
