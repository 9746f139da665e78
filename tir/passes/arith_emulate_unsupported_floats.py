"""Arithmetic on f16 and bf16 becomes arithmetic on f32 between conversions, as upstream's pass of this name does it."""

from __future__ import annotations

from dataclasses import dataclass

from tir.dialects.numeric import bit_width, with_element
from tir.dialects.scalar import Scalar, ScalarBuilder
from tir.ir import actions
from tir.ir.builder import Builder
from tir.ir.errors import PassError
from tir.ir.ir import Op, Value
from tir.ir.numerics import accurate
from tir.ir.pass_manager import Pass
from tir.ir.types import BF16, F16, F32, F64, I64, Type, element_type, parse_scalar_type

__all__ = ["ArithEmulateUnsupportedFloats"]

#: What holds in any type: these move numbers, or are the conversions themselves.
_KEPT = frozenset(("arith.constant", "arith.select", "arith.bitcast", "arith.extf", "arith.truncf"))
#: Arithmetic outside of the dialects arith and math.
_VECTOR_ARITHMETIC = frozenset(("vector.fma", "vector.reduction"))


@dataclass
class ArithEmulateUnsupportedFloats(Pass):
    """Computes what the machine has not in f32: operands are extended, the result is rounded to the type once.

    For + - * / and sqrt the result is that of the type itself, correctly rounded, since f32 has more than twice its bits
    (Figueroa, "When is double rounding innocuous?", 1995). Integers are converted by way of a type that holds them, or
    rounded to odd, so that they too are rounded once; fma of bf16 is a sum in f64 rounded to odd. A `vector.reduction`
    adds up in f32. Works on scalars and vectors. Constants, selects, bitcasts and what moves numbers stay as they are.

        %1 = arith.addf %0, %0 : bf16

    becomes

        %1 = arith.extf %0 : bf16 to f32
        %2 = arith.addf %1, %1 : f32
        %3 = arith.truncf %2 : f32 to bf16
    """

    name = "arith-emulate-unsupported-floats"
    numerics = accurate(1, "functions of several steps are rounded once, not at each step")
    statistics = {"emulate": "ops computed in f32"}
    source_types: tuple[str, ...] = ("bf16", "f16")
    target_type: str = "f32"

    def run(self, op: Op) -> None:
        narrow = {_float_type(text, "source-types", (F16, BF16)) for text in self.source_types}
        wide = _float_type(self.target_type, "target-type", (F32, F64))
        for inner in list(op.walk()):
            if _needs(inner, narrow) and actions.begin("emulate", inner):
                inner.replace_with(_emulated(inner, narrow, wide))
                actions.end()


def _float_type(text: str, option: str, allowed: tuple[Type, ...]) -> Type:
    found = parse_scalar_type(text)
    if found not in allowed:
        names = " or ".join(map(str, allowed))
        raise PassError(f"arith-emulate-unsupported-floats: {option} must be {names}, got '{text}'")
    return found


def _needs(op: Op, narrow: set[Type]) -> bool:
    if op.name in _KEPT or not (op.name.startswith(("arith.", "math.")) or op.name in _VECTOR_ARITHMETIC):
        return False
    if op.name in ("math.fma", "vector.fma") and element_type(op.results[0].type) is F16:
        return False  # f32 does not hold enough of the product and the sum: machine code takes f64
    return any(element_type(value.type) in narrow for value in (*op.operands, *op.results))


def _emulated(op: Op, narrow: set[Type], wide: Type) -> list[Value]:
    s = ScalarBuilder(Builder.before(op))
    if op.name in ("arith.sitofp", "arith.uitofp"):
        return [_from_integer(s, op)]
    if op.name in ("math.fma", "vector.fma"):
        return [_fma(s, op)]
    made = op.clone()
    made.set_operands([_cast(s, v, wide) if element_type(v.type) in narrow else v for v in op.operands])
    for result in made.results:
        if element_type(result.type) in narrow:
            result.type = with_element(result.type, wide)
    s.builder.insert(made)
    return [_cast(s, new, element_type(old.type)) for new, old in zip(made.results, op.results)]


def _cast(s: ScalarBuilder, value: Value, type: Type) -> Value:
    return s.cast(value, type).value


def _from_integer(s: ScalarBuilder, op: Op) -> Value:
    """An integer, converted by way of a float type that holds it; an i64 is rounded to odd first."""
    signed, target = op.name == "arith.sitofp", element_type(op.results[0].type)
    (value,) = op.operands
    width = bit_width(value.type)
    if width == 64:
        value = _odd_integer(s, Scalar(value, I64), signed).value
    exact = F32 if width <= 16 else F64
    converted = s.builder.create(type(op), value, result_types=[with_element(value.type, exact)])
    return _cast(s, converted, target)


def _odd_integer(s: ScalarBuilder, x: Scalar, signed: bool) -> Scalar:
    """The integer itself if f64 holds it; else one that f64 holds, on the same side of every number with 40 bits.

    Below bit 12 only the fact counts that something is not 0.
    """
    low = s.and_(x, 0xFFF)
    odd = s.or_(s.sub(x, low), s.select(s.cmp("ne", low, 0), s.const(0x800, x), s.const(0, x)))
    upper = s.shr_signed(x, s.const(53, x)) if signed else s.shr_unsigned(x, s.const(53, x))
    fits = s.cmp("eq", upper, 0)
    if signed:
        fits = s.or_(fits, s.cmp("eq", upper, -1))
    return s.select(fits, x, odd)


def _fma(s: ScalarBuilder, op: Op) -> Value:
    """x * y + z of bf16 in f64, where the product is exact; the sum is rounded to odd, then to bf16.

    The error of the sum is Knuth's. Where the sum is infinite or nan the error is nan, and the sum stays.
    """
    x, y, z = (s.cast(value, F64) for value in op.operands)
    product = s.mul(x, y)
    total = s.add(product, z)
    part = s.sub(total, product)
    error = s.add(s.sub(product, s.sub(total, part)), s.sub(z, part))
    bits = s.bitcast(total, I64)
    even = s.cmp("eq", s.and_(bits, 1), 0)
    inexact = s.or_(s.cmp("gt", error, 0.0), s.cmp("lt", error, 0.0))
    away = s.cmp("eq", s.cast(s.cmp("gt", error, 0.0), I64), s.cast(s.cmp("gt", total, 0.0), I64))
    moved = s.add(bits, s.select(away, s.const(1, bits), s.const(-1, bits)))
    odd = s.bitcast(s.select(s.and_(even, inexact), moved, bits), F64)
    return s.cast(odd, BF16).value
