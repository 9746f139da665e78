"""arith and math to LLVM instructions, on scalars and element by element on vectors.

Each op means what its `reference` says, so what LLVM leaves undefined is guarded here: division by zero, the smallest
number / -1, a shift by the width or more, a float out of an integer's range. Fast-math flags are those of the op, and
no others; the promises `overflow`, `exact` and `nneg` are not passed on, since tir defines the results without them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tir.ir.attributes import DenseAttr
from tir.ir.ir import Op, Value
from tir.ir.types import BF16, F16, F32, F64, I1, I32, IndexType, IntegerType, MemRefType, Type, VectorType, element_type
from tir.lower.llvm_text import FunctionText
from tir.lower.llvm_types import (
    component_types,
    constant,
    lane_count,
    llvm_type,
    memory_type,
    shape_like,
    suffix,
    unsupported,
    with_lanes,
    zero_of,
)

__all__ = ["EXTREMES", "RULES", "extreme_float", "fast_math_flags", "fma"]

Rule = Callable[[FunctionText, Op], None]


def fast_math_flags(op: Op) -> str:
    """The op's fast-math flags, with a space behind; upstream's words are LLVM's."""
    words = getattr(op, "fastmath", None) or "none"
    return "".join(f"{word.strip()} " for word in words.split(",") if word.strip() != "none")


def _width(type: Type) -> int:
    element = element_type(type)
    return 64 if isinstance(element, IndexType) else element.width  # type: ignore[attr-defined]


def _splat(value: float | int, type: Type) -> str:
    return constant([value], type)


def _smallest(type: Type) -> int:
    return -1 << (_width(type) - 1)


def _constant_of(value: Value) -> int | None:
    """The number that an integer value always is, in each lane; None if it is not known."""
    attribute: Any = value.op.properties.get("value") if value.op is not None else None
    if isinstance(attribute, DenseAttr):
        return int(attribute.splat_value) if attribute.is_splat else None
    return attribute.value if isinstance(getattr(attribute, "value", None), int) else None


# --- one instruction -------------------------------------------------------------------------------------------------


def _binary(instruction: str) -> Rule:
    def lower(f: FunctionText, op: Op) -> None:
        lhs, rhs = op.operands
        f.give(op, f"{instruction} {fast_math_flags(op)}{llvm_type(lhs.type)} {f[lhs]}, {f[rhs]}")

    return lower


def _negate(f: FunctionText, op: Op) -> None:
    f.give(op, f"fneg {fast_math_flags(op)}{f.typed(op.operand(0))}")


def _intrinsic(name: str) -> Rule:
    """An intrinsic whose operands and result have the op's type."""

    def lower(f: FunctionText, op: Op) -> None:
        arguments = [f[value] for value in op.operands]
        f.set(op.result, f.overloaded(name, llvm_type(op.result.type), arguments, fast_math_flags(op)))

    return lower


def _cast(instruction: str) -> Rule:
    def lower(f: FunctionText, op: Op) -> None:
        source, target = f.typed(op.operand(0)), llvm_type(op.result.type)
        f.give(op, f"{instruction} {source} to {target}")

    return lower


def _constant(f: FunctionText, op: Any) -> None:
    value = op.value
    values = value.values() if isinstance(value, DenseAttr) else [value.value] if hasattr(value, "value") else None
    if values is None:
        raise unsupported(op, "the resource of this constant is not loaded")
    llvm_type(op.result.type, op.location)
    f.set(op.result, constant(values, op.result.type))


# --- comparing and choosing ------------------------------------------------------------------------------------------


def _compare_integers(f: FunctionText, op: Any) -> None:
    f.give(op, f"icmp {op.predicate} {f.typed(op.lhs)}, {f[op.rhs]}")


def _compare_floats(f: FunctionText, op: Any) -> None:
    f.give(op, f"fcmp {fast_math_flags(op)}{op.predicate} {f.typed(op.lhs)}, {f[op.rhs]}")


def _select(f: FunctionText, op: Any) -> None:
    condition, type = f.typed(op.condition), op.result.type
    if isinstance(type, MemRefType):
        pairs = zip(component_types(type, op.location), f.components(op.true_value), f.components(op.false_value))
        chosen = [f.assign(f"select {condition}, {kind} {a}, {kind} {b}") for kind, a, b in pairs]
        f.set(op.result, f.of_components(type, chosen))
        return
    if _is_extreme(op) and any(_is_extreme(value.owner) for value in (op.true_value, op.false_value)):
        condition = _fenced_condition(f, op)
    f.give(op, f"select {condition}, {f.typed(op.true_value)}, {f.typed(op.false_value)}")


def _is_extreme(op: Any) -> bool:
    """Whether this is the larger or smaller of two floats: a select of what its condition compares."""
    if getattr(op, "name", "") != "arith.select" or getattr(op.condition.owner, "name", "") != "arith.cmpf":
        return False
    compare = op.condition.owner
    return {compare.lhs, compare.rhs} == {op.true_value, op.false_value}


def _fenced_condition(f: FunctionText, op: Any) -> str:
    """The condition of the larger of x and y where x is the larger of something and y.

    LLVM 22 takes the outer select for x (`MAX(MAX(a, b), b)`, in InstCombine's foldSPFofSPF) even where the two answer a
    nan in different ways. It does not see through a fence, which costs no instruction.
    """
    compare = op.condition.owner
    kind, sides = llvm_type(compare.lhs.type), [f[compare.lhs], f[compare.rhs]]
    if "half" in kind or "bfloat" in kind:  # no target has a fence for them
        wide = kind.replace("bfloat", "float").replace("half", "float")
        kind, sides = wide, [f.assign(f"fpext {kind} {side} to {wide}") for side in sides]
    lhs, rhs = (f.overloaded("arithmetic.fence", kind, [side]) for side in sides)
    found = f.assign(f"fcmp {fast_math_flags(compare)}{compare.predicate} {kind} {lhs}, {rhs}")
    return f"{llvm_type(op.condition.type)} {found}"


def _extreme(predicate: str) -> Rule:
    """The one of two integers for which `lhs predicate rhs` holds."""

    def lower(f: FunctionText, op: Any) -> None:
        kind = llvm_type(op.result.type)
        first = f.assign(f"icmp {predicate} {kind} {f[op.lhs]}, {f[op.rhs]}")
        f.set(op.result, _choose(f, op.result.type, first, f[op.lhs], f[op.rhs]))

    return lower


#: Upstream's kinds -> the intrinsic for numbers, and whether a nan gives way to one.
EXTREMES = {
    "maximumf": ("maximum", False), "minimumf": ("minimum", False),
    "maxnumf": ("maximum", True), "minnumf": ("minimum", True),
}  # fmt: skip


def extreme_float(f: FunctionText, kind: str, type: str, a: str, b: str, flags: str = "") -> str:
    """The larger or smaller of two floats, or of two vectors of them; -0.0 is smaller than 0.0.

    Where a nan gives way each operand takes its place. LLVM 22 has `minimumnum` for that, but its scalar code for x86 gives
    the nan if the other operand is known to be none.
    """
    name, numbers_first = EXTREMES[kind]
    if numbers_first:
        bits = f"<{type[1:].split()[0]} x i1>" if type.startswith("<") else "i1"
        sides = []
        for one, other in ((a, b), (b, a)):
            is_nan = f.assign(f"fcmp uno {type} {one}, {one}")
            sides.append(f.assign(f"select {bits} {is_nan}, {type} {other}, {type} {one}"))
        a, b = sides
    return f.overloaded(name, type, [a, b], flags)


def _extreme_float(kind: str) -> Rule:
    def lower(f: FunctionText, op: Any) -> None:
        type = llvm_type(op.result.type)
        f.set(op.result, extreme_float(f, kind, type, f[op.lhs], f[op.rhs], fast_math_flags(op)))

    return lower


def _choose(f: FunctionText, type: Type, condition: str, then: str, otherwise: str) -> str:
    """A select between values of one type, lane by lane."""
    kind = llvm_type(type)
    return f.assign(f"select {shape_like(I1, type)} {condition}, {kind} {then}, {kind} {otherwise}")


# --- integers that LLVM leaves undefined -----------------------------------------------------------------------------


def _shift(instruction: str) -> Rule:
    def lower(f: FunctionText, op: Any) -> None:
        type, count = op.result.type, f[op.rhs]
        kind, width, known = llvm_type(type), _width(type), _constant_of(op.rhs)
        if known is not None and 0 <= known < width:
            f.give(op, f"{instruction} {kind} {f[op.lhs]}, {count}")
            return
        # Compared with the largest legal count, since the width itself need not fit the type.
        legal = f.assign(f"icmp ule {kind} {count}, {_splat(width - 1, type)}")
        if instruction == "ashr":  # copies of the top bit, however far
            nearest = _choose(f, type, legal, count, _splat(width - 1, type))
            f.give(op, f"ashr {kind} {f[op.lhs]}, {nearest}")
            return
        shifted = f.assign(f"{instruction} {kind} {f[op.lhs]}, {count}")
        f.set(op.result, _choose(f, type, legal, shifted, _splat(0, type)))

    return lower


class _Division:
    """Quotient and rest of one division, with the divisor replaced where the machine would trap.

    zero: the i1 that says the true divisor is 0; None if it cannot be.
    """

    def __init__(self, f: FunctionText, op: Any, signed: bool) -> None:
        self.f, self.type, self.signed = f, op.result.type, signed
        self.kind = llvm_type(self.type)
        self.zero: str | None = None
        self.dividend, self.divisor = f[op.lhs], f[op.rhs]
        known = _constant_of(op.rhs)
        if known in (None, 0) or (signed and known == -1):
            # Each use of an undefined value may see another number; frozen, the guards and the division see one.
            self.dividend = f.assign(f"freeze {self.kind} {self.dividend}")
            self.divisor = f.assign(f"freeze {self.kind} {self.divisor}")
            self._guard()

    def _guard(self) -> None:
        f, kind, bits = self.f, self.kind, shape_like(I1, self.type)
        self.zero = unsafe = f.assign(f"icmp eq {kind} {self.divisor}, {_splat(0, self.type)}")
        if self.signed:  # the smallest number / 1 is what its quotient with -1 is defined to be
            smallest = f.assign(f"icmp eq {kind} {self.dividend}, {_splat(_smallest(self.type), self.type)}")
            minus_one = f.assign(f"icmp eq {kind} {self.divisor}, {_splat(-1, self.type)}")
            overflow = f.assign(f"and {bits} {smallest}, {minus_one}")
            unsafe = f.assign(f"or {bits} {unsafe}, {overflow}")
        self.divisor = _choose(f, self.type, unsafe, _splat(1, self.type), self.divisor)

    def quotient(self) -> str:
        return self.f.assign(f"{'s' if self.signed else 'u'}div {self.kind} {self.dividend}, {self.divisor}")

    def rest(self) -> str:
        return self.f.assign(f"{'s' if self.signed else 'u'}rem {self.kind} {self.dividend}, {self.divisor}")

    def zero_for_zero(self, quotient: str) -> str:
        """The quotient, 0 where the divisor is 0."""
        if self.zero is None:
            return quotient
        return _choose(self.f, self.type, self.zero, _splat(0, self.type), quotient)


def _division(signed: bool, rounding: str) -> Rule:
    """A quotient rounded `toward_zero`, `down` or `up`."""

    def lower(f: FunctionText, op: Any) -> None:
        if element_type(op.result.type) is I1:  # dividing by the only divisor but 0 changes nothing
            _binary("and")(f, op)
            return
        division = _Division(f, op, signed)
        quotient = division.quotient()
        if rounding != "toward_zero":
            quotient = _adjusted(f, division, quotient, rounding)
        f.set(op.result, division.zero_for_zero(quotient))

    return lower


def _adjusted(f: FunctionText, division: _Division, quotient: str, rounding: str) -> str:
    """The quotient rounded down or up, from the one rounded toward zero."""
    kind, bits, zero = division.kind, shape_like(I1, division.type), _splat(0, division.type)
    move = f.assign(f"icmp ne {kind} {division.rest()}, {zero}")
    if division.signed:
        signs = f.assign(f"xor {kind} {division.dividend}, {division.divisor}")
        side = f.assign(f"icmp {'slt' if rounding == 'down' else 'sge'} {kind} {signs}, {zero}")
        move = f.assign(f"and {bits} {move}, {side}")
    one = f.assign(f"zext {bits} {move} to {kind}")
    return f.assign(f"{'sub' if rounding == 'down' else 'add'} {kind} {quotient}, {one}")


def _remainder(signed: bool) -> Rule:
    def lower(f: FunctionText, op: Any) -> None:
        if element_type(op.result.type) is I1:
            f.set(op.result, _splat(0, op.result.type))
            return
        # Where the divisor was replaced it is 1, so the rest is 0, as it must be.
        f.set(op.result, _Division(f, op, signed).rest())

    return lower


def _extended_product(extend: str) -> Rule:
    def lower(f: FunctionText, op: Any) -> None:
        type, kind = op.low.type, llvm_type(op.low.type)
        if element_type(type) is I1:  # 1 * 1 and -1 * -1 both are 01
            f.set(op.low, f.assign(f"and {kind} {f[op.lhs]}, {f[op.rhs]}"))
            f.set(op.high, _splat(0, type))
            return
        width = _width(type)
        if width == 64 and isinstance(type, VectorType):
            raise unsupported(op, "vectors of 64-bit numbers have no machine form here", "use scalars")
        wide = with_lanes(f"i{2 * width}", lane_count(type))
        lhs, rhs = (f.assign(f"{extend} {kind} {f[value]} to {wide}") for value in (op.lhs, op.rhs))
        product = f.assign(f"mul {wide} {lhs}, {rhs}")
        shift = f"splat (i{2 * width} {width})" if isinstance(type, VectorType) else str(width)
        upper = f.assign(f"lshr {wide} {product}, {shift}")
        f.set(op.low, f.assign(f"trunc {wide} {product} to {kind}"))
        f.set(op.high, f.assign(f"trunc {wide} {upper} to {kind}"))

    return lower


def _add_extended(f: FunctionText, op: Any) -> None:
    kind = llvm_type(op.sum.type)
    f.set(op.sum, f.assign(f"add {kind} {f[op.lhs]}, {f[op.rhs]}"))
    f.set(op.overflow, f.assign(f"icmp ult {kind} {f[op.sum]}, {f[op.lhs]}"))


# --- integer functions -----------------------------------------------------------------------------------------------


def _absolute(f: FunctionText, op: Any) -> None:
    type, kind = op.result.type, llvm_type(op.result.type)
    negative = f.assign(f"icmp slt {kind} {f[op.x]}, {_splat(0, type)}")
    flipped = f.assign(f"sub {kind} {_splat(0, type)}, {f[op.x]}")
    f.set(op.result, _choose(f, type, negative, flipped, f[op.x]))


def _count(name: str) -> Rule:
    """ctpop, ctlz or cttz; the latter two give the width for 0."""

    def lower(f: FunctionText, op: Any) -> None:
        type, kind = op.result.type, llvm_type(op.result.type)
        if element_type(type) is I1:
            f.set(op.result, f[op.x] if name == "ctpop" else f.assign(f"xor {kind} {f[op.x]}, {_splat(1, type)}"))
            return
        zero_is_defined = [] if name == "ctpop" else [("i1", "false")]
        found = f.call(f"llvm.{name}.{suffix(kind)}", kind, [(kind, f[op.x]), *zero_is_defined])
        f.set(op.result, found)

    return lower


# --- float classes and roots -----------------------------------------------------------------------------------------


def _with_sign(f: FunctionText, type: Type, size: str, sign: str) -> str:
    """`size` with the sign of `sign`.

    LLVM moves roundings into a copysign in front of them, and takes the sign from what it was rounded from: a sign from
    f64 for an f16, which it rounds by a function of a run-time library. So where numbers are rounded to f16, the bits are
    put together by a funnel shift, which it leaves as it is: the first bit of the one, and all but the first of the other.
    """
    kind = llvm_type(type)
    if not f.module.rounds_to_half:
        return f.overloaded("copysign", kind, [size, sign])
    integer = shape_like(IntegerType(_width(type)), type)
    bits, sign_bits = (f.assign(f"bitcast {kind} {value} to {integer}") for value in (size, sign))
    first = f.assign(f"lshr {integer} {sign_bits}, {_number(_width(type) - 1, type, _width(type))}")
    one = _number(1, type, _width(type))
    others = f.assign(f"shl {integer} {bits}, {one}")
    joined = f.call(f"llvm.fshr.{suffix(integer)}", integer, [(integer, value) for value in (first, others, one)])
    return f.assign(f"bitcast {integer} {joined} to {kind}")


def _copy_sign(f: FunctionText, op: Any) -> None:
    f.set(op.result, _with_sign(f, op.result.type, f[op.lhs], f[op.rhs]))


def _round_away(f: FunctionText, op: Any) -> None:
    """The nearest whole number, of two the one farther from 0; LLVM's own would call the C math library."""
    type, kind = op.result.type, llvm_type(op.result.type)
    whole = f.overloaded("trunc", kind, [f[op.x]])
    fraction = f.overloaded("fabs", kind, [f.assign(f"fsub {kind} {f[op.x]}, {whole}")])
    up = f.assign(f"fcmp oge {kind} {fraction}, {_splat(0.5, type)}")
    moved = f.assign(f"fadd {kind} {f.overloaded('fabs', kind, [whole])}, {_splat(1.0, type)}")
    f.set(op.result, _with_sign(f, type, _choose(f, type, up, moved, whole), f[op.x]))


def _is_nan(f: FunctionText, op: Any) -> None:
    f.give(op, f"fcmp uno {f.typed(op.x)}, {f[op.x]}")


def _compare_with_infinity(predicate: str) -> Rule:
    def lower(f: FunctionText, op: Any) -> None:
        kind = llvm_type(op.x.type)
        size = f.overloaded("fabs", kind, [f[op.x]])
        f.give(op, f"fcmp {predicate} {kind} {size}, {_splat(float('inf'), op.x.type)}")

    return lower


def _reciprocal_root(f: FunctionText, op: Any) -> None:
    kind = llvm_type(op.result.type)
    root = f.overloaded("sqrt", kind, [f[op.x]], fast_math_flags(op))
    f.give(op, f"fdiv {fast_math_flags(op)}{kind} {_splat(1.0, op.result.type)}, {root}")


# --- casts -----------------------------------------------------------------------------------------------------------


def _truncate_float(f: FunctionText, op: Any) -> None:
    source, target = op.input.type, op.result.type
    if element_type(target) is BF16:
        single = f[op.input] if element_type(source) is F32 else _round_to_odd(f, f[op.input], target)
        f.set(op.result, _single_to_bf16(f, single, target))
    elif element_type(source) is F64 and element_type(target) is F16:
        f.set(op.result, _double_to_half(f, f[op.input], target))
    else:
        f.give(op, f"fptrunc {f.typed(op.input)} to {llvm_type(target)}")


def _extend_float(f: FunctionText, op: Any) -> None:
    source, target = op.input.type, op.result.type
    if element_type(source) is not BF16:
        _cast("fpext")(f, op)
        return
    integer, single = shape_like(I32, target), shape_like(F32, target)
    wide = f.assign(f"zext {f.typed(op.input)} to {integer}")
    bits = f.assign(f"shl {integer} {wide}, {_number(16, target)}")
    number = f.assign(f"bitcast {integer} {bits} to {single}", op.result.hint)
    wider = element_type(target) is F64
    f.set(op.result, f.assign(f"fpext {single} {number} to {llvm_type(target)}") if wider else number)


def _number(number: int, type: Type, width: int = 32) -> str:
    """An integer of this width for each lane of `type`."""
    return str(number) if lane_count(type) is None else f"splat (i{width} {number})"


def _single_to_bf16(f: FunctionText, x: str, type: Type) -> str:
    """The bits of an f32 rounded to nearest even; nan becomes a quiet nan."""
    integer, single, narrow = shape_like(I32, type), shape_like(F32, type), llvm_type(type)
    bits = f.assign(f"bitcast {single} {x} to {integer}")
    upper = f.assign(f"lshr {integer} {bits}, {_number(16, type)}")
    last = f.assign(f"and {integer} {upper}, {_number(1, type)}")
    half = f.assign(f"add {integer} {last}, {_number(0x7FFF, type)}")
    nearest = f.assign(f"add {integer} {bits}, {half}")
    quiet = f.assign(f"or {integer} {bits}, {_number(0x400000, type)}")
    is_nan = f.assign(f"fcmp uno {single} {x}, {x}")
    chosen = f.assign(f"select {shape_like(I1, type)} {is_nan}, {integer} {quiet}, {integer} {nearest}")
    return f.assign(f"trunc {integer} {f.assign(f'lshr {integer} {chosen}, {_number(16, type)}')} to {narrow}")


def _double_to_half(f: FunctionText, x: str, type: Type) -> str:
    """An f64 as f16 by way of f32, rounded to odd there; LLVM would call a run-time function."""
    odd = _round_to_odd(f, x, type)
    return f.assign(f"fptrunc {shape_like(F32, type)} {odd} to {llvm_type(type)}")


def _round_to_odd(f: FunctionText, x: str, type: Type) -> str:
    """An f64 as f32; of the two neighbours of what f32 cannot hold, the one with an odd last bit."""
    wide, narrow = shape_like(F64, type), shape_like(F32, type)
    integer, bits = shape_like(I32, type), shape_like(I1, type)
    near = f.assign(f"fptrunc {wide} {x} to {narrow}")
    back = f.assign(f"fpext {narrow} {near} to {wide}")
    pattern = f.assign(f"bitcast {narrow} {near} to {integer}")
    last = f.assign(f"trunc {integer} {pattern} to {bits}")
    exact = f.assign(f"fcmp ueq {wide} {back}, {x}")
    keep = f.assign(f"or {bits} {last}, {exact}")
    too_large = f.assign(f"fcmp ogt {wide} {f.overloaded('fabs', wide, [back])}, {f.overloaded('fabs', wide, [x])}")
    step = f.assign(f"select {bits} {too_large}, {integer} {_number(-1, type)}, {integer} {_number(1, type)}")
    moved = f.assign(f"add {integer} {pattern}, {step}")
    chosen = f.assign(f"select {bits} {keep}, {integer} {pattern}, {integer} {moved}")
    return f.assign(f"bitcast {integer} {chosen} to {narrow}")


_DIGITS: dict[Type, int] = {F32: 24, F64: 53}  # the bits of a whole number that a float of this type holds


def _float_to_integer(signed: bool) -> Rule:
    """Saturates in float, where all lanes of a vector go at once; those of LLVM's `fptosi.sat` go one by one."""
    instruction = "fptosi" if signed else "fptoui"

    def lower(f: FunctionText, op: Any) -> None:
        target = op.result.type
        x, kind = _at_least_single(f, op.input)
        source, truth, through = llvm_type(kind), shape_like(I1, kind), memory_type(target)
        bits = max(_width(target), 8) - signed
        low, high = (-1 << bits if signed else 0), (1 << bits) - 1
        # The largest float of the range; between it and `high` there are no others.
        last = high - ((1 << max(bits - _DIGITS[element_type(kind)], 0)) - 1)

        def choose(condition: str, type: str, then: str, otherwise: str) -> str:
            holds = f.assign(f"fcmp {condition}")
            return f.assign(f"select {truth} {holds}, {type} {then}, {type} {otherwise}")

        first_text, last_text = _splat(low, kind), _splat(last, kind)
        inside = choose(f"ogt {source} {x}, {first_text}", source, x, first_text)  # nan is not above, and gives `low`
        inside = choose(f"olt {source} {inside}, {last_text}", source, inside, last_text)
        whole = f.assign(f"{instruction} {source} {inside} to {through}")
        if last != high:
            most = constant([high], target)
            whole = choose(f"ogt {source} {x}, {last_text}", through, most, whole)
        whole = choose(f"uno {source} {x}, {x}", through, zero_of(through), whole)
        if element_type(target) is I1:  # a number of one bit: 0 and -1, or 0 and 1
            whole = f.assign(f"icmp {'slt' if signed else 'ne'} {through} {whole}, {zero_of(through)}")
        f.set(op.result, whole)

    return lower


def _at_least_single(f: FunctionText, value: Value) -> tuple[str, Type]:
    """A float as f32, or as f64 if it is one, and its type."""
    if element_type(value.type) is not F16:
        return f[value], value.type
    kind = F32 if not isinstance(value.type, VectorType) else VectorType(value.type.shape, F32)
    return f.assign(f"fpext {f.typed(value)} to {llvm_type(kind)}"), kind


def fma(f: FunctionText, op: Any) -> None:
    """f16 is computed in f64, where the product is exact and the sum never rounds onto a tie of f16."""
    type, kind = op.result.type, llvm_type(op.result.type)
    if element_type(type) is not F16:
        _intrinsic("fma")(f, op)
        return
    wide = shape_like(F64, type)
    arguments = [f.assign(f"fpext {kind} {f[value]} to {wide}") for value in op.operands]
    f.set(op.result, _double_to_half(f, f.overloaded("fma", wide, arguments), type))


def _index_cast(extend: str) -> Rule:
    def lower(f: FunctionText, op: Any) -> None:
        source, target = _width(op.input.type), _width(op.result.type)
        if source == target:
            f.set(op.result, f[op.input])
        else:
            _cast(extend if source < target else "trunc")(f, op)

    return lower


def _bitcast(f: FunctionText, op: Any) -> None:
    if llvm_type(op.input.type) == llvm_type(op.result.type):
        f.set(op.result, f[op.input])
    else:
        _cast("bitcast")(f, op)


RULES: Mapping[str, Rule] = {
    "arith.constant": _constant,
    **{f"arith.{op}": _binary(instruction) for op, instruction in {
        "addi": "add", "subi": "sub", "muli": "mul", "andi": "and", "ori": "or", "xori": "xor",
        "addf": "fadd", "subf": "fsub", "mulf": "fmul", "divf": "fdiv",
    }.items()},
    **{f"arith.{op}": _shift(instruction) for op, instruction in {
        "shli": "shl", "shrsi": "ashr", "shrui": "lshr",
    }.items()},
    "arith.divsi": _division(True, "toward_zero"),
    "arith.divui": _division(False, "toward_zero"),
    "arith.ceildivsi": _division(True, "up"),
    "arith.ceildivui": _division(False, "up"),
    "arith.floordivsi": _division(True, "down"),
    "arith.remsi": _remainder(True),
    "arith.remui": _remainder(False),
    **{f"arith.{op}": _extreme(predicate) for op, predicate in {
        "maxsi": "sgt", "maxui": "ugt", "minsi": "slt", "minui": "ult",
    }.items()},
    "arith.mului_extended": _extended_product("zext"),
    "arith.mulsi_extended": _extended_product("sext"),
    "arith.addui_extended": _add_extended,
    "arith.negf": _negate,
    **{f"arith.{kind}": _extreme_float(kind) for kind in EXTREMES},
    "arith.cmpi": _compare_integers,
    "arith.cmpf": _compare_floats,
    "arith.select": _select,
    **{f"arith.{op}": _cast(instruction) for op, instruction in {
        "extsi": "sext", "extui": "zext", "trunci": "trunc", "sitofp": "sitofp", "uitofp": "uitofp",
    }.items()},
    "arith.extf": _extend_float,
    "arith.truncf": _truncate_float,
    "arith.fptosi": _float_to_integer(True),
    "arith.fptoui": _float_to_integer(False),
    "arith.index_cast": _index_cast("sext"),
    "arith.index_castui": _index_cast("zext"),
    "arith.bitcast": _bitcast,
    **{f"math.{op}": _intrinsic(name) for op, name in {
        "absf": "fabs", "ceil": "ceil", "floor": "floor", "trunc": "trunc",
        "roundeven": "roundeven",
        "sqrt": "sqrt",
    }.items()},
    "math.copysign": _copy_sign,
    "math.fma": fma,
    "math.round": _round_away,
    "math.rsqrt": _reciprocal_root,
    "math.isnan": _is_nan,
    "math.isinf": _compare_with_infinity("oeq"),
    "math.isfinite": _compare_with_infinity("one"),
    "math.absi": _absolute,
    **{f"math.{name}": _count(name) for name in ("ctpop", "ctlz", "cttz")},
}  # fmt: skip
