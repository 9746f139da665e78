"""`arith`: arithmetic on integers and floats, scalars or element by element on vectors and tensors, as upstream MLIR.

Integers are bits without a sign; the op says how it reads them. Where upstream says undefined or poison, the result is
defined here, at every level: integers wrap, dividing by 0 gives 0 (so does the remainder), the smallest number / -1 is
the smallest number, shifting by the width or more shifts all bits out, a float out of an integer's range saturates and
nan gives 0. `overflow`, `exact` and `nneg` change nothing. i1 is a number of one bit: addi is xor, signed true is -1.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from tir.dialects.arith_base import (
    FASTMATH,
    NUMBER,
    ExactFlag,
    FloatBinary,
    FloatUnary,
    IntegerBinary,
    OverflowFlags,
    RoundedBinary,
    UnsignedBinary,
    check_same_operands,
)
from tir.dialects.arith_casts import (
    Bitcast,
    ExtF,
    ExtSI,
    ExtUI,
    FPToSI,
    FPToUI,
    IndexCast,
    IndexCastUI,
    SIToFP,
    TruncF,
    TruncI,
    UIToFP,
)
from tir.dialects.numeric import high_half, maximum, minimum, of_type, signed, unsigned, with_element
from tir.ir.attributes import DenseAttr, DenseResourceAttr, FloatAttr, IntegerAttr
from tir.ir.define import attribute, operand, result
from tir.ir.errors import VerifyError
from tir.ir.execution import ExecutionError, value_of_type
from tir.ir.ir import Op
from tir.ir.kinds import ANY, BOOL_LIKE, FLOAT_LIKE, INTEGER_LIKE, AttributeKind, integer_enum
from tir.ir.registry import Dialect
from tir.ir.traits import Commutative, ConstantLike, Pure, SameOperandsAndResultType
from tir.ir.types import I1, TensorType, Type, VectorType, element_type
from tir.lazy import np

INTEGER_PREDICATE = integer_enum(("eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge"))
FLOAT_PREDICATE = integer_enum(
    ("false", "oeq", "ogt", "oge", "olt", "ole", "one", "ord", "ueq", "ugt", "uge", "ult", "ule", "une", "uno", "true")
)
CONSTANT = AttributeKind(
    "a number or a dense constant",
    lambda a: isinstance(a, (IntegerAttr, FloatAttr, DenseAttr, DenseResourceAttr)),
)


class Constant(ConstantLike, Op):
    """The number or the dense constant `value`; its type is the result's."""

    name = "arith.constant"
    value = attribute(CONSTANT)
    result = result(NUMBER)
    format = "attr-dict $value"

    def infer(self) -> Sequence[Type]:
        return [self.value.type]

    def reference(self) -> Any:
        value = self.value
        if isinstance(value, DenseAttr):
            return value.numpy()
        if isinstance(value, DenseResourceAttr):
            raise ExecutionError(f"arith.constant: the resource {value.key_name!r} is not loaded", self.location)
        return value_of_type(value.value, value.type)


# --- integers --------------------------------------------------------------------------------------------------------


class AddI(Commutative, OverflowFlags):
    """lhs + rhs, modulo 2^width."""

    name = "arith.addi"

    def compute(self, x: Any, y: Any) -> Any:
        return x + y


class SubI(OverflowFlags):
    """lhs - rhs, modulo 2^width."""

    name = "arith.subi"

    def compute(self, x: Any, y: Any) -> Any:
        return x - y


class MulI(Commutative, OverflowFlags):
    """lhs * rhs, modulo 2^width."""

    name = "arith.muli"

    def compute(self, x: Any, y: Any) -> Any:
        return x * y


class DivSI(ExactFlag):
    """lhs / rhs as signed numbers, rounded toward 0; 0 where rhs is 0; the smallest number / -1 is itself."""

    name = "arith.divsi"

    def compute(self, x: Any, y: Any) -> Any:
        return (x - np.fmod(x, y)) // y


class DivUI(ExactFlag, UnsignedBinary):
    """lhs / rhs as unsigned numbers, rounded down; 0 where rhs is 0."""

    name = "arith.divui"

    def compute(self, x: Any, y: Any) -> Any:
        return x // y


class CeilDivSI(IntegerBinary):
    """lhs / rhs as signed numbers, rounded up; 0 where rhs is 0; the smallest number / -1 is itself."""

    name = "arith.ceildivsi"

    def compute(self, x: Any, y: Any) -> Any:
        return x // y + (x % y != 0)


class CeilDivUI(UnsignedBinary):
    """lhs / rhs as unsigned numbers, rounded up; 0 where rhs is 0."""

    name = "arith.ceildivui"

    def compute(self, x: Any, y: Any) -> Any:
        return x // y + (x % y != 0)


class FloorDivSI(IntegerBinary):
    """lhs / rhs as signed numbers, rounded down; 0 where rhs is 0; the smallest number / -1 is itself."""

    name = "arith.floordivsi"

    def compute(self, x: Any, y: Any) -> Any:
        return x // y


class RemSI(IntegerBinary):
    """The rest of divsi, with the sign of lhs; 0 where rhs is 0."""

    name = "arith.remsi"

    def compute(self, x: Any, y: Any) -> Any:
        return np.fmod(x, y)


class RemUI(UnsignedBinary):
    """The rest of divui; 0 where rhs is 0."""

    name = "arith.remui"

    def compute(self, x: Any, y: Any) -> Any:
        return x % y


class AndI(Commutative, IntegerBinary):
    """The bits set in both."""

    name = "arith.andi"

    def compute(self, x: Any, y: Any) -> Any:
        return x & y


class OrI(Commutative, IntegerBinary):
    """The bits set in one or both."""

    name = "arith.ori"

    def compute(self, x: Any, y: Any) -> Any:
        return x | y


class XOrI(Commutative, IntegerBinary):
    """The bits set in just one."""

    name = "arith.xori"

    def compute(self, x: Any, y: Any) -> Any:
        return x ^ y


# numpy shifts all bits out for a count that is negative (a large one, read unsigned) or not below its own width; an i1
# is eight bits wide there, of which the lowest counts.


class ShLI(OverflowFlags):
    """The bits of lhs moved up by rhs, an unsigned number; 0 where rhs is the width or more."""

    name = "arith.shli"

    def compute(self, x: Any, y: Any) -> Any:
        return x << y


class ShRSI(ExactFlag):
    """The bits of lhs moved down by rhs, an unsigned number, with copies of the top bit above."""

    name = "arith.shrsi"

    def compute(self, x: Any, y: Any) -> Any:
        return x >> y


class ShRUI(ExactFlag, UnsignedBinary):
    """The bits of lhs moved down by rhs, an unsigned number, zeros above; 0 where rhs is the width or more."""

    name = "arith.shrui"

    def compute(self, x: Any, y: Any) -> Any:
        return x >> y


class MaxSI(Commutative, IntegerBinary):
    """The larger as signed numbers."""

    name = "arith.maxsi"

    def compute(self, x: Any, y: Any) -> Any:
        return np.maximum(x, y)


class MaxUI(Commutative, UnsignedBinary):
    """The larger as unsigned numbers."""

    name = "arith.maxui"

    def compute(self, x: Any, y: Any) -> Any:
        return np.maximum(x, y)


class MinSI(Commutative, IntegerBinary):
    """The smaller as signed numbers."""

    name = "arith.minsi"

    def compute(self, x: Any, y: Any) -> Any:
        return np.minimum(x, y)


class MinUI(Commutative, UnsignedBinary):
    """The smaller as unsigned numbers."""

    name = "arith.minui"

    def compute(self, x: Any, y: Any) -> Any:
        return np.minimum(x, y)


class ExtendedProduct(Commutative, SameOperandsAndResultType, Pure, Op):
    """The product with twice the bits, as its low and its high half."""

    lhs = operand(INTEGER_LIKE)
    rhs = operand(INTEGER_LIKE)
    low = result(INTEGER_LIKE)
    high = result(INTEGER_LIKE)
    format = "$lhs `,` $rhs attr-dict `:` type($lhs)"


class MulUIExtended(ExtendedProduct):
    """lhs * rhs as unsigned numbers in twice the bits: the low and the high half."""

    name = "arith.mului_extended"

    def reference(self, lhs: Any, rhs: Any) -> tuple[Any, Any]:
        if element_type(self.low.type) is I1:
            return lhs & rhs, lhs & rhs & False
        x, y = unsigned(lhs), unsigned(rhs)
        return of_type(x * y, self.low.type), of_type(high_half(x, y), self.low.type)


class MulSIExtended(ExtendedProduct):
    """lhs * rhs as signed numbers in twice the bits: the low and the high half."""

    name = "arith.mulsi_extended"

    def reference(self, lhs: Any, rhs: Any) -> tuple[Any, Any]:
        if element_type(self.low.type) is I1:  # -1 * -1 is 01
            return lhs & rhs, lhs & rhs & False
        high = high_half(unsigned(lhs), unsigned(rhs)).view(lhs.dtype)
        high = high - np.where(lhs < 0, rhs, 0) - np.where(rhs < 0, lhs, 0)
        return of_type(lhs * rhs, self.low.type), of_type(high, self.low.type)


class AddUIExtended(Commutative, Pure, Op):
    """lhs + rhs as unsigned numbers: the sum modulo 2^width, and whether it was too large for the type."""

    name = "arith.addui_extended"
    lhs = operand(INTEGER_LIKE)
    rhs = operand(INTEGER_LIKE)
    sum = result(INTEGER_LIKE)
    overflow = result(BOOL_LIKE)
    format = "$lhs `,` $rhs attr-dict `:` type($sum) `,` type($overflow)"

    def infer(self) -> Sequence[Type]:
        return [self.lhs.type, with_element(self.lhs.type, I1)]

    def verify(self) -> None:
        check_same_operands(self)

    def reference(self, lhs: Any, rhs: Any) -> tuple[Any, Any]:
        total = of_type(signed(lhs) + signed(rhs), self.sum.type)
        return total, unsigned(total) < unsigned(lhs)


# --- floats ----------------------------------------------------------------------------------------------------------


class AddF(Commutative, RoundedBinary):
    """lhs + rhs."""

    name = "arith.addf"

    def reference(self, lhs: Any, rhs: Any) -> Any:
        return lhs + rhs


class SubF(RoundedBinary):
    """lhs - rhs."""

    name = "arith.subf"

    def reference(self, lhs: Any, rhs: Any) -> Any:
        return lhs - rhs


class MulF(Commutative, RoundedBinary):
    """lhs * rhs."""

    name = "arith.mulf"

    def reference(self, lhs: Any, rhs: Any) -> Any:
        return lhs * rhs


class DivF(RoundedBinary):
    """lhs / rhs; an infinity where only rhs is 0, nan for 0 / 0."""

    name = "arith.divf"

    def reference(self, lhs: Any, rhs: Any) -> Any:
        return lhs / rhs


class RemF(FloatBinary):
    """lhs - rhs * trunc(lhs / rhs), exact, with the sign of lhs (C's fmod); nan where rhs is 0 or lhs is infinite."""

    name = "arith.remf"

    def reference(self, lhs: Any, rhs: Any) -> Any:
        return np.fmod(lhs, rhs)


class NegF(FloatUnary):
    """x with its sign flipped, that of 0 and nan too."""

    name = "arith.negf"

    def reference(self, x: Any) -> Any:
        return -x


class MaximumF(Commutative, FloatBinary):
    """The larger; nan where one is nan; -0.0 < +0.0."""

    name = "arith.maximumf"

    def reference(self, lhs: Any, rhs: Any) -> Any:
        return maximum(lhs, rhs)


class MinimumF(Commutative, FloatBinary):
    """The smaller; nan where one is nan; -0.0 < +0.0."""

    name = "arith.minimumf"

    def reference(self, lhs: Any, rhs: Any) -> Any:
        return minimum(lhs, rhs)


class MaxNumF(Commutative, FloatBinary):
    """The larger; the other where one is nan; -0.0 < +0.0."""

    name = "arith.maxnumf"

    def reference(self, lhs: Any, rhs: Any) -> Any:
        return np.where(np.isnan(lhs), rhs, np.where(np.isnan(rhs), lhs, maximum(lhs, rhs)))[()]


class MinNumF(Commutative, FloatBinary):
    """The smaller; the other where one is nan; -0.0 < +0.0."""

    name = "arith.minnumf"

    def reference(self, lhs: Any, rhs: Any) -> Any:
        return np.where(np.isnan(lhs), rhs, np.where(np.isnan(rhs), lhs, minimum(lhs, rhs)))[()]


# --- comparing and choosing ------------------------------------------------------------------------------------------

_RELATIONS = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}


class Compare(Pure, Op):
    """A relation between two values of one type, as i1."""

    def infer(self) -> Sequence[Type]:
        return [with_element(self.operands[0].type, I1)]

    def verify(self) -> None:
        check_same_operands(self)


class CmpI(Compare):
    """The relation `predicate` holds; s.. reads signed, u.. unsigned numbers."""

    name = "arith.cmpi"
    predicate = attribute(INTEGER_PREDICATE)
    lhs = operand(INTEGER_LIKE)
    rhs = operand(INTEGER_LIKE)
    result = result(BOOL_LIKE)
    format = "$predicate `,` $lhs `,` $rhs attr-dict `:` type($lhs)"

    def reference(self, lhs: Any, rhs: Any) -> Any:
        read = unsigned if self.predicate.startswith("u") else signed
        return _RELATIONS[self.predicate[-2:]](read(lhs), read(rhs))


class CmpF(Compare):
    """The relation `predicate` holds; where one is nan, o.. is false and u.. true; ord: none is nan, uno: one is."""

    name = "arith.cmpf"
    predicate = attribute(FLOAT_PREDICATE)
    lhs = operand(FLOAT_LIKE)
    rhs = operand(FLOAT_LIKE)
    result = result(BOOL_LIKE)
    fastmath = attribute(FASTMATH, default="none")
    format = "$predicate `,` $lhs `,` $rhs (`fastmath` `` $fastmath^)? attr-dict `:` type($lhs)"

    def reference(self, lhs: Any, rhs: Any) -> Any:
        unordered = (lhs != lhs) | (rhs != rhs)
        predicate = self.predicate
        if predicate in ("false", "true"):
            return unordered | True if predicate == "true" else unordered & False
        if predicate in ("ord", "uno"):
            return unordered if predicate == "uno" else ~unordered
        holds = _RELATIONS[predicate[1:]](lhs, rhs)
        return holds | unordered if predicate.startswith("u") else holds & ~unordered


class Select(Pure, Op):
    """`true_value` where the condition holds, else `false_value`; one i1 chooses a whole vector, tensor or buffer."""

    name = "arith.select"
    condition = operand(BOOL_LIKE)
    true_value = operand(ANY)
    false_value = operand(ANY)
    result = result(ANY)
    format = (
        "$condition `,` $true_value `,` $false_value attr-dict "
        "`:` custom<SelectTypes>(type($condition), type($result))"
    )

    def infer(self) -> Sequence[Type]:
        return [self.true_value.type]

    def verify(self) -> None:
        condition, chosen, other = (value.type for value in self.operands)
        if chosen is not other:
            raise VerifyError(f"arith.select: both values must have one type, got {chosen} and {other}", self.location)
        fits = isinstance(chosen, (TensorType, VectorType)) and condition is with_element(chosen, I1)
        if condition is not I1 and not fits:
            raise VerifyError(
                f"arith.select: the condition must be i1 or have the shape of the values, got {condition} and {chosen}",
                self.location,
            )

    def reference(self, condition: Any, true_value: Any, false_value: Any) -> Any:
        if np.ndim(condition) == 0:  # not np.where, which would copy a buffer
            return true_value if condition else false_value
        return np.where(condition, true_value, false_value)


DIALECT = Dialect(
    "arith",
    "Arithmetic on integers and floats, element by element.",
    ops=(
        Constant, AddI, SubI, MulI, DivSI, DivUI, CeilDivSI, CeilDivUI, FloorDivSI, RemSI, RemUI, AndI, OrI, XOrI,
        ShLI, ShRSI, ShRUI, MaxSI, MaxUI, MinSI, MinUI, MulUIExtended, MulSIExtended, AddUIExtended,
        AddF, SubF, MulF, DivF, RemF, NegF, MaximumF, MinimumF, MaxNumF, MinNumF, CmpI, CmpF, Select,
        ExtF, TruncF, ExtSI, ExtUI, TruncI, SIToFP, UIToFP, FPToSI, FPToUI, IndexCast, IndexCastUI, Bitcast,
    ),
)  # fmt: skip
