"""The scalar builder: what it builds is run by the references and compared with numpy and Python."""

from __future__ import annotations

import math as pymath
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.dialects.straight_line import assert_same, build, compute, evaluate
from tir.dialects import arith
from tir.dialects.math_expansions import EXPANSIONS
from tir.dialects.scalar import Scalar, ScalarBuilder, signless
from tir.ir.builder import Builder
from tir.ir.ir import Block
from tir.ir.types import BF16, F16, F32, F64, I1, I32, I64, INDEX, IntegerType, Type, VectorType, dtype_of

NAN, INF = pymath.nan, pymath.inf
I8, I16 = IntegerType(8), IntegerType(16)
U8, U16, U32, U64 = (IntegerType(w, "u") for w in (8, 16, 32, 64))
INTEGERS = (I8, I16, I32, I64, U8, U16, U32, U64, INDEX)
FLOATS = (F16, F32, F64)
EVERY = (I1, *INTEGERS, *FLOATS)


def numpy_type(type: Type) -> Any:
    return np.dtype(dtype_of(type).numpy)


def in_ir(x: Any) -> Any:
    """An array as the IR has it: without unsigned dtypes."""
    x = np.asarray(x)
    return x.view(f"i{x.itemsize}") if x.dtype.kind == "u" else x


def samples(type: Type) -> Any:
    """Hard values of the type."""
    if type is I1:
        return np.array([False, True])
    if type in FLOATS:
        info = np.finfo(numpy_type(type))
        return np.array([0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 2.5, -7.0, 100.25, 1e4, info.tiny, info.max, -info.max, INF,
                         -INF, NAN], numpy_type(type))  # fmt: skip
    info = np.iinfo(numpy_type(type))
    return np.array([v for v in (0, 1, 2, 3, 7, 100, -1, -2, -7, info.min, info.max, info.max - 1) if v >= info.min],
                    numpy_type(type))  # fmt: skip


def pairs(type: Type) -> tuple[Any, Any]:
    x, y = np.meshgrid(samples(type), samples(type))
    return x.ravel(), y.ravel()


def names(block: Block) -> list[str]:
    return [op.name.removeprefix("arith.") for op in block]


# --- arithmetic by type ----------------------------------------------------------------------------------------------


def total(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """An integer function that numpy and Python leave undefined for y = 0, with 0 there."""
    return lambda x, y: np.where(y == 0, 0, function(x, np.where(y == 0, 1, y))).astype(x.dtype)


MEANING: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]] = {  # of floats, of integers
    "add": (np.add, np.add),
    "sub": (np.subtract, np.subtract),
    "mul": (np.multiply, np.multiply),
    "div": (np.divide, total(lambda x, y: (x - np.fmod(x, y)) // y)),
    "rem": (np.fmod, total(np.fmod)),
    "floordiv": (np.floor_divide, total(np.floor_divide)),
    "mod": (np.mod, total(np.mod)),
    "maximum": (np.maximum, np.maximum),
    "minimum": (np.minimum, np.minimum),
}


# numpy divides halves in f32, so its f16 floor_divide differs in the last bit.
CASES = [(method, type) for method in MEANING for type in (*INTEGERS, *FLOATS) if (method, type) != ("floordiv", F16)]


@pytest.mark.parametrize(("method", "type"), CASES, ids=str)
def test_arithmetic_is_numpys_in_the_logical_type(method: str, type: Type) -> None:
    x, y = pairs(type)
    got = compute([type, type], lambda s, a, b: getattr(s, method)(a, b), in_ir(x), in_ir(y))
    with np.errstate(all="ignore"):
        want = MEANING[method][0 if type in FLOATS else 1](x, y)
    if method in ("maximum", "minimum") and type in FLOATS:  # numpy does not order zeros
        got, want = got + type_zero(type), want + type_zero(type)
    assert_same(got, in_ir(want))


def type_zero(type: Type) -> Any:
    return numpy_type(type).type(0)


@pytest.mark.parametrize("type", [*INTEGERS, *FLOATS], ids=str)
def test_negation_and_absolute_value(type: Type) -> None:
    x = samples(type)
    with np.errstate(all="ignore"):
        assert_same(compute([type], lambda s, a: s.neg(a), in_ir(x)), in_ir(np.negative(x)))
        assert_same(compute([type], lambda s, a: s.abs(a), in_ir(x)), in_ir(np.abs(x)))


@pytest.mark.parametrize("type", EVERY, ids=str)
@pytest.mark.parametrize("predicate", ["eq", "ne", "lt", "le", "gt", "ge"])
def test_comparison_is_numpys_in_the_logical_type(predicate: str, type: Type) -> None:
    x, y = pairs(type)
    want = {"eq": x == y, "ne": x != y, "lt": x < y, "le": x <= y, "gt": x > y, "ge": x >= y}[predicate]
    block, answer = build([type, type], lambda s, a, b: s.cmp(predicate, a, b))
    assert answer.type is I1
    assert_same(evaluate(block, [in_ir(x), in_ir(y)])[answer.value], want)


def test_ops_are_chosen_by_the_logical_type() -> None:
    def body(s: ScalarBuilder, x: Scalar, y: Scalar) -> Scalar:
        return s.select(s.cmp("lt", x, y), s.div(x, y), s.shr(s.maximum(x, y), y))

    assert names(build([U8, U8], body)[0]) == ["cmpi", "divui", "maxui", "shrui", "select"]
    assert names(build([I8, I8], body)[0]) == ["cmpi", "divsi", "maxsi", "shrsi", "select"]
    block, answer = build([U8, U8], body)
    assert [op.predicate for op in block if isinstance(op, arith.CmpI)] == ["ult"]
    assert str(answer.type) == "ui8" and answer.value.type is I8


def test_truth_values_are_numbers_modulo_two() -> None:
    x, y = pairs(I1)
    for method, want in (("add", x ^ y), ("sub", x ^ y), ("mul", x & y), ("maximum", x | y), ("minimum", x & y)):
        assert_same(compute([I1, I1], lambda s, a, b, m=method: getattr(s, m)(a, b), x, y), want)
    assert_same(compute([I1], lambda s, a: s.not_(a), x), ~x)
    assert_same(compute([I1], lambda s, a: s.abs(a), x), x)


def test_bit_operations() -> None:
    x = np.array([0, 1, -1, 0x55, -128], np.int8)
    assert_same(compute([I8], lambda s, a: s.not_(a), x), ~x)
    assert_same(compute([I8], lambda s, a: s.xor(s.and_(a, 15), s.or_(a, 64)), x), (x & 15) ^ (x | 64))
    assert_same(compute([I8], lambda s, a: s.shl(a, 1), x), x << 1)
    assert_same(compute([U8], lambda s, a: s.shr(a, 1), x), (x.view(np.uint8) >> 1).view(np.int8))
    assert_same(compute([U8], lambda s, a: s.shr_signed(a, 1), x), x >> 1)
    assert_same(compute([I8], lambda s, a: s.shr_unsigned(a, 1), x), (x.view(np.uint8) >> 1).view(np.int8))


def test_fma_rounds_once_and_works_on_integers() -> None:
    x = np.float32(1 + 2**-12)
    assert_same(compute([F32], lambda s, a: s.fma(a, a, -1.0), x), np.float32(2**-11 + 2**-24))
    assert compute([I32], lambda s, a: s.fma(a, a, 1), np.int32(5)) == 26


@pytest.mark.parametrize("type", [I8, U8, I32, U32, U64], ids=str)
def test_power_of_integers_is_pythons_modulo_two_to_the_width(type: Type) -> None:
    x, y = pairs(type)
    x, y = x[y >= 0], y[y >= 0]
    modulus = 1 << type.width
    powers = [pow(a, b, modulus) for a, b in zip(x.tolist(), y.tolist())]
    want = np.array(powers, np.uint64).astype(f"u{type.width // 8}")
    assert_same(compute([type, type], lambda s, a, b: s.pow(a, b), in_ir(x), in_ir(y)), in_ir(want))


def test_power_of_floats_is_cs() -> None:
    assert compute([F64, F64], lambda s, a, b: s.pow(a, b), np.float64(2), np.float64(0.5)) == 2**0.5


def test_extended_product_gives_both_halves() -> None:
    block, (low, high) = build([U32, U32], lambda s, a, b: s.mul_extended_unsigned(a, b))  # type: ignore[arg-type, return-value]
    found = evaluate(block, [np.int32(-1), np.int32(-1)])
    assert (found[low.value], found[high.value]) == (1, -2)
    assert low.type is high.type is U32


@pytest.mark.parametrize(
    "name",
    "sqrt rsqrt cbrt exp exp2 expm1 log log2 log10 log1p sin cos tan sinh cosh tanh asin acos atan asinh acosh atanh"
    " erf erfc floor ceil trunc round round_half_away".split(),
)
def test_function_of_floats_is_the_op_of_math(name: str) -> None:
    block, answer = build([F32], lambda s, a: getattr(s, name)(a))
    op = {"round": "roundeven", "round_half_away": "round"}.get(name, name)
    assert [o.name for o in block] == [f"math.{op}"]
    assert answer.type is F32


def test_rounding_of_integers_is_the_integer() -> None:
    block, answer = build([I32], lambda s, a: s.floor(s.ceil(s.trunc(s.round(a)))))
    assert answer.value is block.arguments[0]


def test_classes_of_floats_and_integers() -> None:
    x = np.array([1.0, INF, -INF, NAN])
    for method in ("is_nan", "is_inf", "is_finite"):
        want = {"is_nan": np.isnan, "is_inf": np.isinf, "is_finite": np.isfinite}[method](x)
        assert_same(compute([F64], lambda s, a, m=method: getattr(s, m)(a), x), want)
        assert compute([I32], lambda s, a, m=method: getattr(s, m)(a), np.int32(1)) == (method == "is_finite")


def test_atan2_and_copysign() -> None:
    y, x = np.float64(0.0), np.float64(-0.0)
    assert compute([F64, F64], lambda s, a, b: s.atan2(a, b), y, x) == pymath.pi
    assert_same(compute([F64, F64], lambda s, a, b: s.copysign(a, b), y, x), np.float64(-0.0))


# --- conversions -----------------------------------------------------------------------------------------------------


def converted(value: Any, target: Type) -> Any:
    """A Python number in the target type, as the IR has it."""
    if target is I1:
        return np.bool_(value != 0)
    if target in FLOATS:
        with np.errstate(over="ignore"):
            return numpy_type(target).type(value)
    info = np.iinfo(numpy_type(target))
    if isinstance(value, float):
        value = 0 if value != value else info.min if value < info.min else info.max if value > info.max else int(value)
    bits = value % (1 << info.bits)
    return np.array(bits, np.uint64).astype(f"u{info.bits // 8}").view(f"i{info.bits // 8}")[()]


@pytest.mark.parametrize("target", EVERY, ids=str)
@pytest.mark.parametrize("source", EVERY, ids=str)
def test_cast_converts_the_number(source: Type, target: Type) -> None:
    x = samples(source)
    want = np.array([converted(v, target) for v in x.tolist()])
    block, answer = build([source], lambda s, a: s.cast(a, target))
    assert answer.type is target and answer.value.type is signless(target)
    assert_same(evaluate(block, [in_ir(x)])[answer.value], want)


def test_cast_to_the_other_sign_makes_no_op() -> None:
    block, answer = build([U8], lambda s, a: s.cast(a, I8))
    assert answer == Scalar(block.arguments[0], I8)


def test_cast_between_f16_and_bf16_goes_through_f32() -> None:
    block, answer = build([F16], lambda s, a: s.cast(a, "bf16"))
    assert names(block) == ["extf", "truncf"] and answer.value.type is BF16


def test_bitcast_keeps_bits_and_takes_names() -> None:
    assert compute([F32], lambda s, a: s.bitcast(a, "i32"), np.float32(1.0)) == 0x3F800000
    assert compute([I32], lambda s, a: s.bitcast(a, "f32"), np.int32(0x3F800000)) == 1.0
    block, answer = build([I32], lambda s, a: s.bitcast(a, U32))
    assert answer == Scalar(block.arguments[0], U32) and not len(block)


# --- constants, values, vectors --------------------------------------------------------------------------------------


def test_a_constant_is_made_once() -> None:
    block, _ = build([F32], lambda s, a: s.add(s.add(a, 1.0), s.const(1.0, "f32")))
    assert names(block) == ["constant", "addf", "addf"]


def test_zeros_of_both_signs_are_two_constants() -> None:
    block, _ = build([F32], lambda s, a: s.add(s.const(0.0, a), s.const(-0.0, a)))
    assert names(block) == ["constant", "constant", "addf"]


def test_another_block_gets_its_own_constants() -> None:
    first, second = Block([F32]), Block([F32])
    s = ScalarBuilder(Builder.at_end(first))
    s.const(1.0, "f32")
    with s.builder.at(second):
        inner = s.const(1.0, "f32")
    assert inner.value.block is second
    assert s.const(1.0, "f32").value.block is first


def test_a_constant_of_an_unsigned_type_keeps_its_bits() -> None:
    assert compute([U8], lambda s, a: s.const(200, a), np.int8(0)) == np.int8(-56)
    assert compute([U8], lambda s, a: s.cast(s.const(200, a), F32), np.int8(0)) == 200.0
    with pytest.raises(AssertionError, match=r"0\.5 is no i32"):
        build([I32], lambda s, a: s.add(a, 0.5))


def test_operands_may_be_values_of_the_ir() -> None:
    block = Block([F32, I1])
    s = ScalarBuilder(Builder.at_end(block))
    x, condition = block.arguments
    answer = s.select(condition, s.mul(x, 2.0), x)
    assert s.dtype(x) == "f32" and answer.type is F32
    assert evaluate(block, [np.float32(3), np.True_])[answer.value] == 6.0


def test_mixed_types_are_a_mistake() -> None:
    with pytest.raises(AssertionError, match="must have one type, got f32 and f64"):
        build([F32, F64], lambda s, a, b: s.add(a, b))
    with pytest.raises(AssertionError, match="needs a float, got i32"):
        build([I32], lambda s, a: s.exp(a))
    with pytest.raises(AssertionError, match="needs integers, got f32"):
        build([F32], lambda s, a: s.and_(a, a))


def test_vectors_get_splat_constants() -> None:
    vector = VectorType((4,), F32)
    block = Block([vector])
    s = ScalarBuilder(Builder.at_end(block), shape=(4,))
    x = Scalar(block.arguments[0], F32)
    answer = s.select(s.cmp("lt", x, 0.0), s.const(-1.0, "f32"), s.cast(s.cast(x, "i64"), "f32"))
    assert answer.value.type is vector
    got = evaluate(block, [np.array([1.5, -2.0, 0.0, NAN], np.float32)])[answer.value]
    assert_same(got, np.array([1.0, -1.0, 0.0, 0.0], np.float32))


def test_indices_come_from_whoever_lowers() -> None:
    block = Block([INDEX, INDEX])
    s = ScalarBuilder(Builder.at_end(block), index_of=lambda dim: block.arguments[dim])
    answer = s.cast(s.add(s.mul(s.index(0), 10), s.index(1)), "i32")
    assert evaluate(block, [np.int64(4), np.int64(2)])[answer.value] == 42


def test_fastmath_flags_go_on_float_ops_alone() -> None:
    def body(s: ScalarBuilder, x: Scalar) -> Scalar:
        return s.select(s.cmp("lt", x, 0.0), s.exp(x), s.cast(s.cast(x, I32), F32))

    block, _ = build([F32], body, fastmath="nnan")
    flagged = {op.name for op in block if "fastmath" in op.properties and op.fastmath == "nnan"}
    assert flagged == {"arith.cmpf", "math.exp"}


# --- the expansions of math ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("type", [F32, F64], ids=str)
@pytest.mark.parametrize("name", EXPANSIONS)
def test_expansions_are_built_with_this_builder(name: str, type: Type) -> None:
    low, high = {"acos": (0.01, 0.99), "acosh": (1.01, 3.0), "asin": (0.01, 0.99), "atanh": (0.01, 0.99)}.get(name, (0.01, 3.0))
    x = np.linspace(low, high, 50).astype(numpy_type(type))
    count = 2 if name in ("atan2", "powf") else 1
    got = compute([type], lambda s, a: EXPANSIONS[name](s, *[a] * count), x)
    if name in ("erf", "erfc"):  # numpy has neither
        want = np.array([getattr(pymath, name)(v) for v in x.tolist()]).astype(x.dtype)
    else:
        reference = {"atan2": np.arctan2, "powf": np.power}.get(name) or getattr(np, name)
        want = reference(*[x.astype(np.longdouble)] * count).astype(x.dtype)
    np.testing.assert_array_max_ulp(got, want, maxulp=4)  # tests/math has the exact bounds
    vector = VectorType((50,), type)
    block, answer = build([vector], lambda s, a: EXPANSIONS[name](s, *[Scalar(a.value, type)] * count), shape=(50,))
    assert_same(evaluate(block, [x])[answer.value], got)
