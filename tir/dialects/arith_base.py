"""What the ops of arith and math have in common: attribute kinds and families of ops."""

from __future__ import annotations

from typing import Any

from tir.dialects.numeric import is_odd, signed, unsigned
from tir.ir.define import attribute, operand, result
from tir.ir.errors import VerifyError
from tir.ir.ir import Op
from tir.ir.kinds import (
    ANY_FLOAT,
    FLOAT_LIKE,
    INDEX_KIND,
    INTEGER_LIKE,
    SIGNLESS_INTEGER,
    UNIT,
    dialect_enum,
    integer_enum,
    like,
    one_of,
)
from tir.ir.traits import Pure, SameOperandsAndResultType
from tir.ir.types import I32
from tir.lazy import np

FASTMATH = dialect_enum(
    "arith.fastmath", ("none", "reassoc", "nnan", "ninf", "nsz", "arcp", "contract", "afn", "fast"), flags=","
)
OVERFLOW = dialect_enum("arith.overflow", ("none", "nsw", "nuw"), flags=", ")
ROUNDING = integer_enum(("to_nearest_even", "downward", "upward", "toward_zero", "to_nearest_away"), I32)
NUMBER = like(one_of(SIGNLESS_INTEGER, INDEX_KIND, ANY_FLOAT))


class IntegerBinary(SameOperandsAndResultType, Pure, Op):
    """Two integers of one type give a third: `compute` takes the operands as signed numbers."""

    lhs = operand(INTEGER_LIKE)
    rhs = operand(INTEGER_LIKE)
    result = result(INTEGER_LIKE)
    format = "$lhs `,` $rhs attr-dict `:` type($result)"

    def reference(self, lhs: Any, rhs: Any) -> Any:
        found = self.compute(signed(lhs), signed(rhs))
        return is_odd(found) if lhs.dtype == np.bool_ else found

    def compute(self, x: Any, y: Any) -> Any:
        """The result in the dtype of the operands; that of two i1 may be any int8 with the right lowest bit."""
        raise AssertionError(type(self))


class UnsignedBinary(IntegerBinary):
    """An IntegerBinary that reads its operands as unsigned numbers."""

    def reference(self, lhs: Any, rhs: Any) -> Any:
        found = self.compute(unsigned(lhs), unsigned(rhs))
        return is_odd(found) if lhs.dtype == np.bool_ else found.view(lhs.dtype)


class OverflowFlags(IntegerBinary):
    """An IntegerBinary with a promise that nothing overflows."""

    overflowFlags = attribute(OVERFLOW, default="none")
    format = "$lhs `,` $rhs (`overflow` `` $overflowFlags^)? attr-dict `:` type($result)"


class ExactFlag(IntegerBinary):
    """An IntegerBinary with a promise that no set bit or remainder is dropped."""

    isExact = attribute(UNIT, optional=True)
    format = "$lhs `,` $rhs (`exact` $isExact^)? attr-dict `:` type($result)"


class FloatUnary(SameOperandsAndResultType, Pure, Op):
    """A float gives a float of its type."""

    x = operand(FLOAT_LIKE)
    result = result(FLOAT_LIKE)
    fastmath = attribute(FASTMATH, default="none")
    format = "$x (`fastmath` `` $fastmath^)? attr-dict `:` type($result)"


class FloatBinary(SameOperandsAndResultType, Pure, Op):
    """Two floats of one type give a third."""

    lhs = operand(FLOAT_LIKE)
    rhs = operand(FLOAT_LIKE)
    result = result(FLOAT_LIKE)
    fastmath = attribute(FASTMATH, default="none")
    format = "$lhs `,` $rhs (`fastmath` `` $fastmath^)? attr-dict `:` type($result)"


class RoundedBinary(FloatBinary):
    """A FloatBinary with upstream's rounding mode, which can only be `to_nearest_even` here."""

    roundingmode = attribute(ROUNDING, optional=True)
    format = "$lhs `,` $rhs ($roundingmode^)? (`fastmath` `` $fastmath^)? attr-dict `:` type($result)"

    def verify(self) -> None:
        check_rounding(self)


def check_rounding(op: Any) -> None:
    """The op's `roundingmode` is the one that numpy and the processors have."""
    if op.roundingmode not in (None, "to_nearest_even"):
        raise VerifyError(f"{op.name}: results are rounded to_nearest_even, got {op.roundingmode}", op.location)


def check_same_operands(op: Op) -> None:
    """The two operands have one type."""
    lhs, rhs = op.operands
    if lhs.type is not rhs.type:
        raise VerifyError(f"{op.name}: operands must have one type, got {lhs.type} and {rhs.type}", op.location)
