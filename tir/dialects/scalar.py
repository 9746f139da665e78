"""The scalar builder `s`: arithmetic by meaning, which becomes the right op of arith or math for each type.

An op of the tensor level says what one output element is, once for all types:

    def element(self, s, x, y):
        return s.select(s.cmp("lt", x, s.const(0, x)), y, s.mul(x, y))

A `Scalar` is an IR value and its *logical* type. The two differ in the sign alone: below the tensor level integers are
signless, so a `ui8` is an `i8` in the IR, and the builder picks `divui`, `cmpi ult`, `extui`, .. from the logical type.
i1 is a truth value: it converts to 0 or 1 and compares false < true; arithmetic on it is modulo 2.

The IR values may be vectors too (`ScalarBuilder(b, shape=(16,))`): each method then works element by element.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tir.dialects import arith, math
from tir.dialects.numeric import with_element
from tir.ir.attributes import Attribute, DenseAttr, FloatAttr, IntegerAttr
from tir.ir.builder import Builder
from tir.ir.ir import Block, Op, Value
from tir.ir.types import (
    F32,
    I1,
    I64,
    INDEX,
    FloatType,
    IntegerType,
    ShapedType,
    Type,
    VectorType,
    element_type,
    parse_scalar_type,
)

__all__ = ["DTypeLike", "Scalar", "ScalarBuilder", "is_float", "is_unsigned", "signless"]

DTypeLike = Type | str


@dataclass(frozen=True)
class Scalar:
    """An IR value, and its element type with the sign that the IR does not keep: `ui8` for an `i8` read unsigned."""

    value: Value
    type: Type


Number = float | int | bool
ScalarLike = Scalar | Value | Number


def signless(type: Type) -> Type:
    """The IR's type for an element type: `i8` for `ui8` and `si8`."""
    return IntegerType(type.width) if isinstance(type, IntegerType) else type


def is_float(type: Type) -> bool:
    """The element type is a float."""
    return isinstance(type, FloatType)


def is_unsigned(type: Type) -> bool:
    """The element type is an integer without negative numbers: `uiN` or i1."""
    return isinstance(type, IntegerType) and (type.is_unsigned or type.width == 1)


def _float_function(cls: type[Op], doc: str) -> Any:
    """A method that makes one op out of one float."""

    def method(self: ScalarBuilder, x: ScalarLike) -> Scalar:
        x = self.scalar(x)
        assert is_float(x.type), f"{cls.name} needs a float, got {x.type}"
        return self._op(cls, x)

    method.__doc__ = doc
    return method


def _rounding(cls: type[Op], doc: str) -> Any:
    """A method that makes a float whole; integers are whole already."""

    def method(self: ScalarBuilder, x: ScalarLike) -> Scalar:
        x = self.scalar(x)
        return self._op(cls, x) if is_float(x.type) else x

    method.__doc__ = doc
    return method


def _bitwise(cls: type[Op], doc: str) -> Any:
    """A method that makes one op out of two integers or truth values."""

    def method(self: ScalarBuilder, x: ScalarLike, y: ScalarLike) -> Scalar:
        x, y = self._pair(x, y)
        assert not is_float(x.type), f"{cls.name} needs integers, got {x.type}"
        return self._op(cls, x, y)

    method.__doc__ = doc
    return method


def _arithmetic(on_floats: type[Op], on_signed: type[Op], on_unsigned: type[Op], doc: str) -> Any:
    """A method that makes one op out of two numbers of one type, chosen by that type."""

    def method(self: ScalarBuilder, x: ScalarLike, y: ScalarLike) -> Scalar:
        x, y = self._pair(x, y)
        return self._op(on_floats if is_float(x.type) else on_unsigned if is_unsigned(x.type) else on_signed, x, y)

    method.__doc__ = doc
    return method


class ScalarBuilder:
    """Makes ops of arith and math at the insertion point of `builder`.

    shape: of the vectors that the IR values are; () for scalars.
    index_of: the loop index of a dimension, as an IR value of type `index`; whoever lowers an op knows it.
    extract_of, size_of: an element of a tensor operand, from its index values, and the size of an axis of one.
    fastmath: flags for each float op made.

    A constant is made once for each block and used again, so within one block the insertion point may only move on.
    Operands may be Scalars, IR values (their type is then the logical one) or, beside one of these, Python numbers.
    """

    def __init__(
        self,
        builder: Builder,
        *,
        shape: tuple[int, ...] = (),
        index_of: Callable[[int], Value] | None = None,
        extract_of: Callable[[Value, list[Value]], Value] | None = None,
        size_of: Callable[[Value, int], Value | int] | None = None,
        fastmath: str = "none",
    ) -> None:
        self.builder = builder
        self.shape = shape
        self.index_of = index_of
        self.extract_of = extract_of
        self.size_of = size_of
        self.fastmath = fastmath
        self._constants: dict[tuple[Block | None, Attribute], Value] = {}

    # --- values and types --------------------------------------------------------------------------------------------

    def scalar(self, x: ScalarLike, like: Scalar | None = None) -> Scalar:
        """`x` as a Scalar; a Python number becomes a constant of the type of `like`."""
        if isinstance(x, Scalar):
            return x
        if isinstance(x, Value):
            return Scalar(x, element_type(x.type))
        assert like is not None, f"the type of {x!r} is not known"
        return self.const(x, like)

    def _pair(self, x: ScalarLike, y: ScalarLike) -> tuple[Scalar, Scalar]:
        like = next((self.scalar(v) for v in (x, y) if isinstance(v, (Scalar, Value))), None)
        x, y = self.scalar(x, like), self.scalar(y, like)
        assert x.type is y.type, f"both operands must have one type, got {x.type} and {y.type}"
        return x, y

    def type_of(self, dtype: DTypeLike) -> Type:
        """The element type for a type or its name."""
        found = parse_scalar_type(dtype) if isinstance(dtype, str) else dtype
        assert found is not None, f"no element type {dtype!r}"
        return found

    def dtype(self, x: ScalarLike) -> str:
        """The name of the logical type: "f32", "ui8"."""
        return str(self.scalar(x).type)

    def const(self, number: Number, like: ScalarLike | DTypeLike) -> Scalar:
        """The number in the type of `like`: a Scalar, an IR value, a type or its name."""
        if isinstance(like, (Type, str)):
            type = self.type_of(like)
            ir_type = VectorType(self.shape, signless(type)) if self.shape else signless(type)
        else:
            type, ir_type = self.scalar(like).type, self.scalar(like).value.type
        assert is_float(type) or int(number) == number, f"{number!r} is no {type}"
        attribute = _constant_attribute(number, ir_type)
        key = (self.builder.block, attribute)
        if key not in self._constants:
            self._constants[key] = self.builder.create(arith.Constant, value=attribute)
        return Scalar(self._constants[key], type)

    def index(self, dim: int) -> Scalar:
        """The position of the element along dimension `dim`, of type `index`."""
        assert self.index_of is not None, "this builder has no loop indices"
        return Scalar(self.index_of(dim), INDEX)

    def extract(self, tensor: Value, indices: Sequence[ScalarLike]) -> Scalar:
        """The element of a tensor operand at these indices, which must lie inside."""
        assert self.extract_of is not None, "this builder sees no tensors"
        places = [(self.const(i, INDEX) if isinstance(i, int) else self.cast(i, INDEX)).value for i in indices]
        return Scalar(self.extract_of(tensor, places), element_type(tensor.type))

    def size(self, tensor: Value, axis: int) -> Scalar:
        """The size of an axis of a tensor operand, of type `index`."""
        assert self.size_of is not None, "this builder sees no tensors"
        found = self.size_of(tensor, axis)
        return self.const(found, INDEX) if isinstance(found, int) else Scalar(found, INDEX)

    def _op(self, cls: type[Op], *operands: Scalar, type: Type | None = None, **facts: Any) -> Scalar:
        """The result of a new op; its logical type is `type`, or that of the first operand."""
        if self.fastmath != "none" and "fastmath" in cls.definition.attributes:
            facts["fastmath"] = self.fastmath
        value = self.builder.create(cls, *(x.value for x in operands), **facts)
        return Scalar(value, operands[0].type if type is None else type)

    def _convert(self, cls: type[Op], x: Scalar, type: Type) -> Scalar:
        """The result of a new op of which the type must be said."""
        return self._op(cls, x, type=type, result_types=[with_element(x.value.type, signless(type))])

    # --- arithmetic --------------------------------------------------------------------------------------------------

    add = _arithmetic(arith.AddF, arith.AddI, arith.AddI, "x + y; integers wrap.")
    sub = _arithmetic(arith.SubF, arith.SubI, arith.SubI, "x - y; integers wrap.")
    mul = _arithmetic(arith.MulF, arith.MulI, arith.MulI, "x * y; integers wrap.")
    div = _arithmetic(arith.DivF, arith.DivSI, arith.DivUI, "x / y; of integers toward 0, and 0 where y is 0.")
    rem = _arithmetic(arith.RemF, arith.RemSI, arith.RemUI, "The rest of x / y toward 0, with the sign of x: fmod.")
    maximum = _arithmetic(arith.MaximumF, arith.MaxSI, arith.MaxUI, "The larger; nan where one is nan; -0.0 < +0.0.")
    minimum = _arithmetic(arith.MinimumF, arith.MinSI, arith.MinUI, "The smaller; nan where one is nan; -0.0 < +0.0.")

    def neg(self, x: ScalarLike) -> Scalar:
        """-x; integers wrap."""
        x = self.scalar(x)
        return self._op(arith.NegF, x) if is_float(x.type) else self.sub(self.const(0, x), x)

    def abs(self, x: ScalarLike) -> Scalar:
        """|x|; the smallest signed integer stays."""
        x = self.scalar(x)
        if is_float(x.type):
            return self._op(math.AbsF, x)
        return x if is_unsigned(x.type) else self._op(math.AbsI, x)

    def fma(self, x: ScalarLike, y: ScalarLike, z: ScalarLike) -> Scalar:
        """x * y + z, of floats rounded once."""
        like = next(self.scalar(v) for v in (x, y, z) if isinstance(v, (Scalar, Value)))
        x, y, z = (self.scalar(v, like) for v in (x, y, z))
        return self._op(math.Fma, x, y, z) if is_float(x.type) else self.add(self.mul(x, y), z)

    def floordiv(self, x: ScalarLike, y: ScalarLike) -> Scalar:
        """floor(x / y), as numpy: of floats from the exact remainder, so 1.0 // 0.1 is 9; integers give 0 for y = 0."""
        x, y = self._pair(x, y)
        if not is_float(x.type):
            return self._op(arith.DivUI if is_unsigned(x.type) else arith.FloorDivSI, x, y)
        zero, rest, plain = self.const(0.0, x), self.rem(x, y), self.div(x, y)
        quotient = self.div(self.sub(x, rest), y)
        quotient = self.select(self._must_step_down(rest, y), self.sub(quotient, 1.0), quotient)
        # The quotient is whole but for its own rounding.
        down = self.floor(quotient)
        near = self.select(self.cmp("gt", self.sub(quotient, down), 0.5), self.add(down, 1.0), down)
        whole = self.select(self.cmp("eq", quotient, zero), self.copysign(zero, plain), near)
        return self.select(self.cmp("eq", y, zero), plain, whole)

    def mod(self, x: ScalarLike, y: ScalarLike) -> Scalar:
        """x - y * floor(x / y), with the sign of y, as Python's %; for y = 0 nan, of integers 0."""
        x, y = self._pair(x, y)
        rest = self.rem(x, y)
        if is_unsigned(x.type):
            return rest
        stepped = self.select(self._must_step_down(rest, y), self.add(rest, y), rest)
        if not is_float(x.type):
            return stepped
        zero = self.const(0.0, x)
        return self.select(self.cmp("eq", rest, zero), self.copysign(zero, y), stepped)

    def _must_step_down(self, rest: Scalar, y: Scalar) -> Scalar:
        """x / y rounded toward 0 is above x / y: the rest is not 0 and has not the sign of y."""
        zero = self.const(0, y)
        differs = self.xor(self.cmp("lt", rest, zero), self.cmp("lt", y, zero))
        return self.and_(differs, self.cmp("ne", rest, zero))

    def pow(self, x: ScalarLike, y: ScalarLike) -> Scalar:
        """x^y; integers wrap, and a negative y gives 1 / x^-y toward 0."""
        x, y = self._pair(x, y)
        if is_float(x.type):
            return self._op(math.PowF, x, y)
        return self._op(math.IPowI, x, self._small_exponent(y) if is_unsigned(y.type) else y)

    def _small_exponent(self, y: Scalar) -> Scalar:
        """An exponent with the same power, that is not negative when read as signed (which ipowi does)."""
        if y.type is I1:
            return y  # x^1 and x^-1 are x modulo 2, but for 0^-1, which is 0 too
        # Modulo 2^n, odd^(2^(n-2)) is 1 and even^(2^(n-2)) is 0, so of a large exponent only the lowest n-2 bits count.
        period = self.const(1 << (y.type.width - 2), y)  # type: ignore[attr-defined]
        small = self.or_(self.and_(y, self.sub(period, 1)), period)
        return self.select(self.cmp("lt", y, self.const(1 << (y.type.width - 1), y)), y, small)  # type: ignore[attr-defined]

    def mul_extended_unsigned(self, x: ScalarLike, y: ScalarLike) -> tuple[Scalar, Scalar]:
        """The low and the high half of the bits of the unsigned product."""
        x, y = self._pair(x, y)
        low, high = self.builder.create_many(arith.MulUIExtended, x.value, y.value)
        return Scalar(low, x.type), Scalar(high, x.type)

    # --- functions of floats -----------------------------------------------------------------------------------------

    floor = _rounding(math.Floor, "The largest whole number not above x.")
    ceil = _rounding(math.Ceil, "The smallest whole number not below x.")
    trunc = _rounding(math.Trunc, "x without its fraction.")
    round = _rounding(math.RoundEven, "The nearest whole number, of two the even one.")
    round_half_away = _rounding(math.Round, "The nearest whole number, of two the one farther from 0.")

    sqrt = _float_function(math.Sqrt, "The square root; nan below 0.")
    rsqrt = _float_function(math.Rsqrt, "1 / sqrt(x).")
    cbrt = _float_function(math.Cbrt, "The cube root.")
    exp = _float_function(math.Exp, "e^x.")
    exp2 = _float_function(math.Exp2, "2^x.")
    expm1 = _float_function(math.ExpM1, "e^x - 1, accurate near 0.")
    log = _float_function(math.Log, "The natural logarithm; nan below 0, -inf for 0.")
    log2 = _float_function(math.Log2, "The logarithm to base 2.")
    log10 = _float_function(math.Log10, "The logarithm to base 10.")
    log1p = _float_function(math.Log1p, "log(1 + x), accurate near 0.")
    sin = _float_function(math.Sin, "The sine of x in radians.")
    cos = _float_function(math.Cos, "The cosine of x in radians.")
    tan = _float_function(math.Tan, "The tangent of x in radians.")
    sinh = _float_function(math.Sinh, "The hyperbolic sine.")
    cosh = _float_function(math.Cosh, "The hyperbolic cosine.")
    tanh = _float_function(math.Tanh, "The hyperbolic tangent.")
    asin = _float_function(math.Asin, "The inverse sine; nan for |x| > 1.")
    acos = _float_function(math.Acos, "The inverse cosine; nan for |x| > 1.")
    atan = _float_function(math.Atan, "The inverse tangent.")
    asinh = _float_function(math.Asinh, "The inverse hyperbolic sine.")
    acosh = _float_function(math.Acosh, "The inverse hyperbolic cosine; nan for x < 1.")
    atanh = _float_function(math.Atanh, "The inverse hyperbolic tangent; nan for |x| > 1.")
    erf = _float_function(math.Erf, "The error function.")
    erfc = _float_function(math.Erfc, "1 - erf(x), accurate where erf(x) is near 1.")

    def atan2(self, y: ScalarLike, x: ScalarLike) -> Scalar:
        """The angle of the point (x, y)."""
        return self._op(math.Atan2, *self._pair(y, x))

    def copysign(self, x: ScalarLike, sign: ScalarLike) -> Scalar:
        """|x| with the sign of `sign`."""
        return self._op(math.CopySign, *self._pair(x, sign))

    def is_nan(self, x: ScalarLike) -> Scalar:
        """x is nan; false for integers."""
        return self._class(math.IsNaN, x, False)

    def is_inf(self, x: ScalarLike) -> Scalar:
        """x is an infinity; false for integers."""
        return self._class(math.IsInf, x, False)

    def is_finite(self, x: ScalarLike) -> Scalar:
        """x is neither an infinity nor nan; true for integers."""
        return self._class(math.IsFinite, x, True)

    def _class(self, cls: type[Op], x: ScalarLike, on_integers: bool) -> Scalar:
        x = self.scalar(x)
        return self._op(cls, x, type=I1) if is_float(x.type) else self.const(on_integers, I1)

    # --- comparing, choosing, bits -----------------------------------------------------------------------------------

    def cmp(self, predicate: str, x: ScalarLike, y: ScalarLike) -> Scalar:
        """The relation "eq", "ne", "lt", "le", "gt" or "ge" holds; with nan only "ne" does."""
        x, y = self._pair(x, y)
        if is_float(x.type):
            return self._op(arith.CmpF, x, y, type=I1, predicate="une" if predicate == "ne" else f"o{predicate}")
        sign = "" if predicate in ("eq", "ne") else "u" if is_unsigned(x.type) else "s"
        return self._op(arith.CmpI, x, y, type=I1, predicate=sign + predicate)

    def select(self, condition: ScalarLike, x: ScalarLike, y: ScalarLike) -> Scalar:
        """x where the condition holds, else y."""
        condition, (x, y) = self.scalar(condition), self._pair(x, y)
        return self._op(arith.Select, condition, x, y, type=x.type)

    and_ = _bitwise(arith.AndI, "The bits set in both.")
    or_ = _bitwise(arith.OrI, "The bits set in one or both.")
    xor = _bitwise(arith.XOrI, "The bits set in just one.")
    shl = _bitwise(arith.ShLI, "The bits of x moved up by y, an unsigned number; 0 where y is the width or more.")
    shr_signed = _bitwise(arith.ShRSI, "The bits of x moved down by y, with copies of the top bit above.")
    shr_unsigned = _bitwise(arith.ShRUI, "The bits of x moved down by y, with zeros above.")

    def not_(self, x: ScalarLike) -> Scalar:
        """All bits flipped."""
        x = self.scalar(x)
        return self.xor(x, self.const(1 if x.type is I1 else -1, x))

    def shr(self, x: ScalarLike, y: ScalarLike) -> Scalar:
        """x // 2^y, by the sign that the type of x says."""
        x, y = self._pair(x, y)
        return self.shr_unsigned(x, y) if is_unsigned(x.type) else self.shr_signed(x, y)

    # --- conversions -------------------------------------------------------------------------------------------------

    def bitcast(self, x: ScalarLike, dtype: DTypeLike) -> Scalar:
        """The same bits read as another type of the same width."""
        x, type = self.scalar(x), self.type_of(dtype)
        return Scalar(x.value, type) if signless(x.type) is signless(type) else self._convert(arith.Bitcast, x, type)

    def cast(self, x: ScalarLike, dtype: DTypeLike) -> Scalar:
        """The number in another type.

        Integers keep their low bits. Floats round to nearest even; to an integer they lose their fraction, what is out
        of range saturates, nan gives 0. i1 is `x != 0`, nan too.
        """
        x, type = self.scalar(x), self.type_of(dtype)
        if signless(x.type) is signless(type):
            return Scalar(x.value, type)
        if type is I1:
            return self.cmp("ne", x, self.const(0, x))
        if is_float(x.type):
            return self._float_to_float(x, type) if is_float(type) else self._float_to_integer(x, type)
        return self._integer_to_float(x, type) if is_float(type) else self._integer_to_integer(x, type)

    def _float_to_float(self, x: Scalar, type: Type) -> Scalar:
        more = type.width - x.type.width  # type: ignore[attr-defined]
        if more == 0:  # f16 and bf16
            return self.cast(self._convert(arith.ExtF, x, F32), type)
        return self._convert(arith.ExtF if more > 0 else arith.TruncF, x, type)

    def _float_to_integer(self, x: Scalar, type: Type) -> Scalar:
        if type is INDEX:
            return self.cast(self._convert(arith.FPToSI, x, I64), INDEX)
        return self._convert(arith.FPToUI if is_unsigned(type) else arith.FPToSI, x, type)

    def _integer_to_float(self, x: Scalar, type: Type) -> Scalar:
        if x.type is INDEX:
            x = self.cast(x, I64)
        return self._convert(arith.UIToFP if is_unsigned(x.type) else arith.SIToFP, x, type)

    def _integer_to_integer(self, x: Scalar, type: Type) -> Scalar:
        if x.type is INDEX or type is INDEX:
            return self._convert(arith.IndexCastUI if is_unsigned(x.type) else arith.IndexCast, x, type)
        if type.width < x.type.width:  # type: ignore[attr-defined]
            return self._convert(arith.TruncI, x, type)
        return self._convert(arith.ExtUI if is_unsigned(x.type) else arith.ExtSI, x, type)


def _constant_attribute(number: Number, type: Type) -> Attribute:
    if isinstance(type, ShapedType):
        return DenseAttr.splat(number, type)
    return FloatAttr(float(number), type) if is_float(type) else IntegerAttr(int(number), type)
