"""Functions in LLVM IR for the ops that are loops: the exact remainder of floats and powers of integers.

They are added to a module that needs them. LLVM's own `frem` would be a call of the C math library.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tir.ir.types import F64, VectorType, element_type
from tir.lower.llvm_text import FunctionText
from tir.lower.llvm_types import lane_count, llvm_type

__all__ = ["RULES"]

# With |x| = m * 2^e and |y| = n * 2^d, m and n below 2^53, the remainder is (m * 2^(e - d) mod n) * 2^d. The power is
# multiplied in 11 bits at a time, so that nothing exceeds 64 bits, and the last product is exact.
_REMAINDER = """
define internal double @tir.remainder(double %x, double %y) #0 {
entry:
  %x.bits = bitcast double %x to i64
  %y.bits = bitcast double %y to i64
  %x.size = and i64 %x.bits, 9223372036854775807
  %y.size = and i64 %y.bits, 9223372036854775807
  %x.special = icmp uge i64 %x.size, 9218868437227405312
  %y.nan = icmp ugt i64 %y.size, 9218868437227405312
  %y.zero = icmp eq i64 %y.size, 0
  %either = or i1 %x.special, %y.nan
  %invalid = or i1 %either, %y.zero
  br i1 %invalid, label %is.nan, label %valid
is.nan:
  ret double 0x7FF8000000000000
valid:
  %smaller = icmp ult i64 %x.size, %y.size
  br i1 %smaller, label %is.x, label %divide
is.x:
  ret double %x
divide:
  %x.field = lshr i64 %x.size, 52
  %y.field = lshr i64 %y.size, 52
  %x.normal = icmp ne i64 %x.field, 0
  %y.normal = icmp ne i64 %y.field, 0
  %x.fraction = and i64 %x.size, 4503599627370495
  %y.fraction = and i64 %y.size, 4503599627370495
  %x.whole = or i64 %x.fraction, 4503599627370496
  %y.whole = or i64 %y.fraction, 4503599627370496
  %m = select i1 %x.normal, i64 %x.whole, i64 %x.fraction
  %n = select i1 %y.normal, i64 %y.whole, i64 %y.fraction
  %e = select i1 %x.normal, i64 %x.field, i64 1
  %d = select i1 %y.normal, i64 %y.field, i64 1
  %distance = sub i64 %e, %d
  %first = urem i64 %m, %n
  br label %loop
loop:
  %rest = phi i64 [ %first, %divide ], [ %next, %step ]
  %left = phi i64 [ %distance, %divide ], [ %fewer, %step ]
  %done = icmp eq i64 %left, 0
  br i1 %done, label %end, label %step
step:
  %few = icmp ult i64 %left, 11
  %count = select i1 %few, i64 %left, i64 11
  %shifted = shl i64 %rest, %count
  %next = urem i64 %shifted, %n
  %fewer = sub i64 %left, %count
  br label %loop
end:
  %scale.normal = icmp ugt i64 %d, 52
  %exponent = sub i64 %d, 52
  %scale.high = shl i64 %exponent, 52
  %place = sub i64 %d, 1
  %scale.low = shl i64 1, %place
  %scale.bits = select i1 %scale.normal, i64 %scale.high, i64 %scale.low
  %scale = bitcast i64 %scale.bits to double
  %number = uitofp i64 %rest to double
  %size = fmul double %number, %scale
  %size.bits = bitcast double %size to i64
  %sign = and i64 %x.bits, -9223372036854775808
  %signed = or i64 %size.bits, %sign
  %result = bitcast i64 %signed to double
  ret double %result
}"""

_POWER = """
define internal i64 @tir.power(i64 %x, i64 %y) #0 {
entry:
  %negative = icmp slt i64 %y, 0
  br i1 %negative, label %reciprocal, label %loop
reciprocal:
  %odd.bit = and i64 %y, 1
  %odd = icmp ne i64 %odd.bit, 0
  %one = icmp eq i64 %x, 1
  %minus.one = icmp eq i64 %x, -1
  %unit = or i1 %one, %minus.one
  %signed = select i1 %odd, i64 %x, i64 1
  %quotient = select i1 %unit, i64 %signed, i64 0
  ret i64 %quotient
loop:
  %power = phi i64 [ 1, %entry ], [ %next.power, %step ]
  %square = phi i64 [ %x, %entry ], [ %next.square, %step ]
  %left = phi i64 [ %y, %entry ], [ %next.left, %step ]
  %done = icmp eq i64 %left, 0
  br i1 %done, label %end, label %step
step:
  %bit = and i64 %left, 1
  %taken = icmp ne i64 %bit, 0
  %product = mul i64 %power, %square
  %next.power = select i1 %taken, i64 %product, i64 %power
  %next.square = mul i64 %square, %square
  %next.left = lshr i64 %left, 1
  br label %loop
end:
  ret i64 %power
}"""


def _by_lanes(f: FunctionText, op: Any, scalar: Callable[[str, str], str]) -> None:
    """Sets the result from `scalar(lhs, rhs)` of each lane, or of the scalars."""
    type, kind = op.result.type, llvm_type(op.result.type)
    if not isinstance(type, VectorType):
        f.set(op.result, scalar(f[op.lhs], f[op.rhs]))
        return
    found = "poison"
    for lane in range(lane_count(type) or 0):
        lhs, rhs = (f.assign(f"extractelement {kind} {f[value]}, i64 {lane}") for value in (op.lhs, op.rhs))
        element = f"{llvm_type(type.element)} {scalar(lhs, rhs)}"
        found = f.assign(f"insertelement {kind} {found}, {element}, i64 {lane}")
    f.set(op.result, found)


def _remainder(f: FunctionText, op: Any) -> None:
    """In f64 whatever the type: the remainder of two numbers of a smaller type is one of that type."""
    f.module.functions["tir.remainder"] = _REMAINDER.strip()
    element = element_type(op.result.type)
    kind = llvm_type(element)

    def scalar(lhs: str, rhs: str) -> str:
        if element is not F64:
            lhs, rhs = (f.assign(f"fpext {kind} {value} to double") for value in (lhs, rhs))
        rest = f.assign(f"call double @tir.remainder(double {lhs}, double {rhs})")
        if element is F64:
            return rest
        narrow = f.assign(f"fptrunc double {rest} to float")
        return narrow if kind == "float" else f.assign(f"fptrunc float {narrow} to {kind}")

    _by_lanes(f, op, scalar)


def _power(f: FunctionText, op: Any) -> None:
    """Modulo 2^64, of which the low bits are the power modulo a smaller 2^width."""
    f.module.functions["tir.power"] = _POWER.strip()
    kind = llvm_type(element_type(op.result.type))

    def scalar(lhs: str, rhs: str) -> str:
        if kind != "i64":
            lhs, rhs = (f.assign(f"sext {kind} {value} to i64") for value in (lhs, rhs))
        power = f.assign(f"call i64 @tir.power(i64 {lhs}, i64 {rhs})")
        return power if kind == "i64" else f.assign(f"trunc i64 {power} to {kind}")

    _by_lanes(f, op, scalar)


RULES: Mapping[str, Callable[[FunctionText, Any], None]] = {"arith.remf": _remainder, "math.ipowi": _power}
