"""arith: the references against Python's exact integers and fractions, the verifier against upstream's."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.dialects.straight_line import assert_same, make, run
from tir.dialects import arith
from tir.ir.attributes import DenseAttr, FloatAttr, IntegerAttr, StringAttr
from tir.ir.builder import Builder
from tir.ir.define import create
from tir.ir.errors import TirError
from tir.ir.ir import Block, Op
from tir.ir.kinds import integer_enum
from tir.ir.traits import Commutative, is_pure
from tir.ir.types import BF16, F16, F32, F64, I1, I32, I64, INDEX, IntegerType, MemRefType, TensorType, Type, VectorType
from tir.ir.verify import verify

NAN, INF = math.nan, math.inf
WIDTHS = (1, 8, 16, 32, 64)


def dtype(width: int) -> Any:
    return np.dtype(bool if width == 1 else f"int{width}")


def values(width: int) -> list[int]:
    """Signed numbers of the width: all around 0, the limits and the powers of two."""
    low = -(1 << (width - 1))
    if width == 1:
        return [0, -1]
    found = {0, 1, -1, 2, -2, 3, 5, 7, -7, 10, low, low + 1, -low - 1, -low - 2}
    found |= {sign * (1 << k) for k in (2, 3, width // 2, width - 2) for sign in (1, -1)}
    found |= {width - 1, width, width + 1, 100, -100}
    return sorted(v for v in found if low <= v < -low)


def to_numpy(numbers: list[int], width: int) -> Any:
    """Integers, of which the low bits count, as an array."""
    masked = [n & ((1 << width) - 1) for n in numbers]
    return np.array(masked, np.uint64).astype(f"uint{max(width, 8)}").astype(dtype(width))


def truncated(x: int, y: int) -> int:
    return 0 if y == 0 else abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)


def as_unsigned(function: Callable[[int, int], int]) -> Callable[[int, int, int], int]:
    return lambda x, y, n: function(x % (1 << n), y % (1 << n))


def as_signed(function: Callable[[int, int], int]) -> Callable[[int, int, int], int]:
    return lambda x, y, n: function(x, y)


# The mathematical result; its low bits are the op's.
INTEGER_MEANING: dict[type[Op], Callable[[int, int, int], int]] = {
    arith.AddI: as_signed(lambda x, y: x + y),
    arith.SubI: as_signed(lambda x, y: x - y),
    arith.MulI: as_signed(lambda x, y: x * y),
    arith.DivSI: as_signed(truncated),
    arith.DivUI: as_unsigned(truncated),
    arith.CeilDivSI: as_signed(lambda x, y: -(-x // y) if y else 0),
    arith.CeilDivUI: as_unsigned(lambda x, y: -(-x // y) if y else 0),
    arith.FloorDivSI: as_signed(lambda x, y: x // y if y else 0),
    arith.RemSI: as_signed(lambda x, y: x - truncated(x, y) * y if y else 0),
    arith.RemUI: as_unsigned(lambda x, y: x % y if y else 0),
    arith.AndI: as_signed(lambda x, y: x & y),
    arith.OrI: as_signed(lambda x, y: x | y),
    arith.XOrI: as_signed(lambda x, y: x ^ y),
    arith.ShLI: lambda x, y, n: x << y % (1 << n) if y % (1 << n) < n else 0,
    arith.ShRSI: lambda x, y, n: x >> min(y % (1 << n), n),
    arith.ShRUI: lambda x, y, n: x % (1 << n) >> min(y % (1 << n), n),
    arith.MaxSI: as_signed(max),
    arith.MaxUI: as_unsigned(max),
    arith.MinSI: as_signed(min),
    arith.MinUI: as_unsigned(min),
}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("cls", INTEGER_MEANING)
def test_integer_op_is_its_meaning_modulo_two_to_the_width(cls: type[Op], width: int) -> None:
    pairs = [(x, y) for x in values(width) for y in values(width)]
    got = run(cls, to_numpy([x for x, _ in pairs], width), to_numpy([y for _, y in pairs], width))
    assert_same(got, to_numpy([INTEGER_MEANING[cls](x, y, width) for x, y in pairs], width))


@pytest.mark.parametrize("cls", INTEGER_MEANING)
def test_integer_op_takes_scalars_and_a_scalar_beside_an_array(cls: type[Op]) -> None:
    x, y = np.array([7, -7, -128], np.int8), np.int8(-1)
    whole = run(cls, x, y)
    assert_same(whole, np.array([run(cls, one, y) for one in x]))
    assert isinstance(run(cls, x[0], y), np.int8)
    assert isinstance(run(cls, np.True_, np.False_), np.bool_)


@pytest.mark.parametrize(
    ("x", "y", "quotient", "rest"), [(-128, -1, -128, 0), (5, 0, 0, 0), (-7, 2, -3, -1), (7, -2, -3, 1)]
)
def test_signed_division_rounds_toward_zero_and_is_total(x: int, y: int, quotient: int, rest: int) -> None:
    assert run(arith.DivSI, np.int8(x), np.int8(y)) == quotient
    assert run(arith.RemSI, np.int8(x), np.int8(y)) == rest


@pytest.mark.parametrize("count", [8, 9, 127, -1])
def test_shifting_by_the_width_or_more_shifts_all_bits_out(count: int) -> None:
    x, y = np.int8(-3), np.int8(count)
    assert (run(arith.ShLI, x, y), run(arith.ShRUI, x, y), run(arith.ShRSI, x, y)) == (0, 0, -1)


@pytest.mark.parametrize("width", WIDTHS)
def test_extended_product_is_the_whole_product(width: int) -> None:
    pairs = [(x, y) for x in values(width) for y in values(width)]
    lhs, rhs = to_numpy([x for x, _ in pairs], width), to_numpy([y for _, y in pairs], width)
    modulus = 1 << width
    for cls, products in (
        (arith.MulSIExtended, [x * y for x, y in pairs]),
        (arith.MulUIExtended, [(x % modulus) * (y % modulus) for x, y in pairs]),
    ):
        low, high = run(cls, lhs, rhs)
        assert_same(low, to_numpy(products, width))
        assert_same(high, to_numpy([p >> width for p in products], width))


@pytest.mark.parametrize("width", WIDTHS)
def test_extended_sum_says_whether_it_overflows(width: int) -> None:
    pairs = [(x, y) for x in values(width) for y in values(width)]
    modulus = 1 << width
    sums = [x % modulus + y % modulus for x, y in pairs]
    total, overflow = run(
        arith.AddUIExtended, to_numpy([x for x, _ in pairs], width), to_numpy([y for _, y in pairs], width)
    )
    assert_same(total, to_numpy(sums, width))
    assert_same(overflow, np.array([s >= modulus for s in sums]))


@pytest.mark.parametrize("predicate", arith.INTEGER_PREDICATE.cases)
def test_cmpi_compares_signed_or_unsigned(predicate: str) -> None:
    relation = getattr(int, f"__{predicate[-2:]}__")
    for width in WIDTHS:
        modulus = 1 << width if predicate[0] == "u" else 0
        pairs = [(x, y) for x in values(width) for y in values(width)]
        want = [relation(*(v % modulus if modulus else v for v in pair)) for pair in pairs]
        lhs, rhs = to_numpy([x for x, _ in pairs], width), to_numpy([y for _, y in pairs], width)
        assert_same(run(arith.CmpI, lhs, rhs, predicate=predicate), np.array(want))


LLVM_FCMP = "false oeq ogt oge olt ole one ord uno ueq ugt uge ult ule une true".split()


@pytest.mark.parametrize("predicate", arith.FLOAT_PREDICATE.cases)
def test_cmpf_predicate_is_the_bits_of_its_number_in_llvm(predicate: str) -> None:
    # Bit 0 equal, bit 1 greater, bit 2 less, bit 3 unordered.
    number = LLVM_FCMP.index(predicate)
    cases = [(1.0, 1.0, 0), (0.0, -0.0, 0), (INF, INF, 0), (2.0, 1.0, 1), (-INF, 1.0, 2), (NAN, 1.0, 3), (1.0, NAN, 3),
             (NAN, NAN, 3)]  # fmt: skip
    lhs, rhs = (np.array([case[i] for case in cases], np.float32) for i in (0, 1))
    want = np.array([bool(number >> case[2] & 1) for case in cases])
    assert_same(run(arith.CmpF, lhs, rhs, predicate=predicate), want)
    assert isinstance(run(arith.CmpF, lhs[0], rhs[0], predicate=predicate), np.bool_)


@pytest.mark.parametrize(
    ("cls", "x", "y", "want"),
    [
        (arith.MaximumF, 0.0, -0.0, 0.0), (arith.MaximumF, -0.0, 0.0, 0.0), (arith.MaximumF, -0.0, -0.0, -0.0),
        (arith.MaximumF, NAN, 1.0, NAN), (arith.MaximumF, 1.0, NAN, NAN), (arith.MaximumF, -INF, -1.0, -1.0),
        (arith.MinimumF, 0.0, -0.0, -0.0), (arith.MinimumF, -0.0, 0.0, -0.0), (arith.MinimumF, 0.0, 0.0, 0.0),
        (arith.MinimumF, NAN, 1.0, NAN), (arith.MinimumF, -INF, NAN, NAN), (arith.MinimumF, INF, 2.0, 2.0),
        (arith.MaxNumF, NAN, 1.0, 1.0), (arith.MaxNumF, -INF, NAN, -INF), (arith.MaxNumF, NAN, NAN, NAN),
        (arith.MaxNumF, -0.0, 0.0, 0.0), (arith.MinNumF, NAN, 1.0, 1.0), (arith.MinNumF, INF, NAN, INF),
        (arith.MinNumF, NAN, NAN, NAN), (arith.MinNumF, 0.0, -0.0, -0.0),
        (arith.DivF, 1.0, 0.0, INF), (arith.DivF, 1.0, -0.0, -INF), (arith.DivF, 0.0, 0.0, NAN),
        (arith.RemF, -7.5, 2.0, -1.5), (arith.RemF, 7.5, -2.0, 1.5), (arith.RemF, -4.0, 2.0, -0.0),
        (arith.RemF, 1.0, 0.0, NAN), (arith.RemF, INF, 2.0, NAN), (arith.RemF, 3.0, INF, 3.0),
        (arith.AddF, INF, -INF, NAN), (arith.AddF, -0.0, 0.0, 0.0), (arith.AddF, -0.0, -0.0, -0.0),
        (arith.SubF, 0.0, 0.0, 0.0), (arith.SubF, INF, INF, NAN), (arith.MulF, 0.0, -INF, NAN),
        (arith.MulF, -0.0, 2.0, -0.0),
    ],
)  # fmt: skip
@pytest.mark.parametrize("width", [16, 32, 64])
def test_float_op_at_the_edge(cls: type[Op], x: float, y: float, want: float, width: int) -> None:
    kind = np.dtype(f"float{width}").type
    assert_same(run(cls, kind(x), kind(y)), kind(want))
    assert_same(run(cls, np.full((2, 1), x, kind), np.full(3, y, kind)), np.full((2, 3), want, kind))


def test_f32_arithmetic_rounds_once_to_f32() -> None:
    x, y = np.float32(16777216.0), np.float32(1.0)  # 2^24: the sum is a tie
    assert_same(run(arith.AddF, x, y), np.float32(16777216.0))
    assert_same(run(arith.DivF, np.float32(1), np.float32(3)), np.float32(float.fromhex("0x1.555556p-2")))


@pytest.mark.parametrize("x", [0.0, -0.0, 1.5, -INF])
def test_negf_flips_the_sign_bit(x: float) -> None:
    assert_same(run(arith.NegF, np.float32(x)), np.float32(-x))
    assert np.signbit(run(arith.NegF, np.float32(np.copysign(NAN, 1.0))))


def test_select_chooses_element_by_element_or_the_whole() -> None:
    condition, x, y = np.array([True, False]), np.array([1, 2], np.int8), np.array([3, 4], np.int8)
    assert_same(run(arith.Select, condition, x, y), np.array([1, 4], np.int8))
    assert_same(run(arith.Select, np.True_, np.float32(NAN), np.float32(1)), np.float32(NAN))
    buffer = MemRefType((2,), IntegerType(8))
    op = make(arith.Select, [I1, buffer, buffer])
    verify(op)
    assert op.reference(np.False_, x, y) is y  # the same buffer, not a copy


# --- conversions -----------------------------------------------------------------------------------------------------

FLOATS = [
    0.0, -0.0, 0.5, -0.5, 0.9999, 1.0, -1.0, 1.5, -1.5, 126.9, 127.0, 127.5, 128.0, -128.0, -128.5, -129.0, 255.0,
    255.5, 256.0, 32767.5, 65504.0, 2147483520.0, 2147483648.0, -2147483648.0, 4294967040.0, 4294967296.0,
    9223371487098961920.0, 9223372036854775808.0, -9223372036854775808.0, 1.8446742974197924e19,
    1.8446744073709552e19, 1e30, -1e30, 1e-45, INF, -INF, NAN,
]  # fmt: skip


def saturated(x: float, low: int, high: int) -> int:
    if math.isnan(x):
        return 0
    return low if x < low else high if x > high else int(x)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("source", [np.float16, np.float32, np.float64])
def test_float_to_integer_saturates_and_nan_is_zero(source: Any, width: int) -> None:
    with np.errstate(over="ignore"):
        x = np.array(FLOATS).astype(source)
    half = 1 << (width - 1)
    signed = [saturated(v, -half, half - 1) for v in x.tolist()]
    unsigned = [saturated(v, 0, 2 * half - 1) for v in x.tolist()]
    assert_same(run(arith.FPToSI, x, result=IntegerType(width)), to_numpy(signed, width))
    assert_same(run(arith.FPToUI, x, result=IntegerType(width)), to_numpy(unsigned, width))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(("target", "code"), [(F16, "e"), (F32, "f"), (F64, "d")])
def test_integer_to_float_rounds_once(target: Type, code: str, width: int) -> None:
    x = to_numpy(values(width), width)
    for cls, exact in ((arith.SIToFP, values(width)), (arith.UIToFP, [v % (1 << width) for v in values(width)])):
        want = np.array([nearest(v, code) for v in exact], np.dtype(f"float{target.width}"))
        assert_same(run(cls, x, result=target), want)


def nearest(value: int, code: str) -> float:
    """The float nearest to an integer, of two the even one; computed on integers."""
    digits, largest = {"e": (11, 65504), "f": (24, (2**24 - 1) << 104), "d": (53, (2**53 - 1) << 971)}[code]
    shift = max(abs(value).bit_length() - digits, 0)
    half, kept = 1 << shift >> 1, abs(value) >> shift
    rest = abs(value) & ((1 << shift) - 1)
    kept += rest > half or (rest == half and shift > 0 and kept & 1)
    rounded = kept << shift
    return math.copysign(INF if rounded > largest else float(rounded), value)


def test_integer_to_float_of_the_64_bit_tie() -> None:
    # 2^53 + 1 is halfway; 2^24 + 1 is halfway in f32.
    assert run(arith.SIToFP, np.int64(2**53 + 1), result=F64) == 2.0**53
    assert run(arith.SIToFP, np.int64(2**24 + 1), result=F32) == np.float32(2**24)
    assert run(arith.UIToFP, np.int64(-1), result=F32) == np.float32(2.0**64)


@pytest.mark.parametrize("target", WIDTHS)
@pytest.mark.parametrize("source", WIDTHS)
def test_integer_casts_keep_the_number_or_the_low_bits(source: int, target: int) -> None:
    x = to_numpy(values(source), source)
    if target > source:
        assert_same(run(arith.ExtSI, x, result=IntegerType(target)), to_numpy(values(source), target))
        unsigned = [v % (1 << source) for v in values(source)]
        assert_same(run(arith.ExtUI, x, result=IntegerType(target)), to_numpy(unsigned, target))
    if target < source:
        assert_same(run(arith.TruncI, x, result=IntegerType(target)), to_numpy(values(source), target))


@pytest.mark.parametrize("width", WIDTHS)
def test_index_casts_extend_or_drop_bits(width: int) -> None:
    x, type = to_numpy(values(width), width), IntegerType(width)
    assert_same(run(arith.IndexCast, x, result=INDEX), to_numpy(values(width), 64))
    assert_same(run(arith.IndexCastUI, x, result=INDEX), to_numpy([v % (1 << width) for v in values(width)], 64))
    for cls in (arith.IndexCast, arith.IndexCastUI):
        op = make(cls, [INDEX], type)
        verify(op)
        assert_same(op.reference(to_numpy(values(64), 64)), to_numpy(values(64), width))


def test_float_casts_round_to_nearest_even() -> None:
    x = np.array([1.0, -0.0, 1 + 2**-11, 1 + 3 * 2**-11, 65519.0, 65520.0, 2**-25, 3 * 2**-25, 1e-30, INF, NAN])
    with np.errstate(over="ignore"):
        want = np.array([struct.unpack("e", struct.pack("e", v))[0] if v != 65520.0 else INF for v in x], np.float16)
    assert_same(run(arith.TruncF, x, result=F16), want)
    assert_same(run(arith.ExtF, want, result=F32), want.astype(np.float32))


def test_bitcast_keeps_the_bits() -> None:
    x = np.array([1.0, -0.0, NAN, INF, 1e-45], np.float32)
    bits = run(arith.Bitcast, x, result=I32)
    assert_same(bits, np.array(struct.unpack("5i", struct.pack("5f", *x.tolist())), np.int32))
    assert_same(run(arith.Bitcast, bits, result=F32), x)
    assert_same(run(arith.Bitcast, np.array([[1, 2], [3, 4]], np.int32).T, result=F32).shape, (2, 2))
    assert run(arith.Bitcast, np.float64(1.0), result=I64) == 0x3FF << 52
    assert run(arith.Bitcast, np.True_, result=I1) is np.True_


# --- constants -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attribute", "want"),
    [
        (IntegerAttr(255, IntegerType(8)), np.int8(-1)),
        (IntegerAttr(1, I1), np.True_),
        (IntegerAttr(-(2**63), INDEX), np.int64(-(2**63))),
        (FloatAttr(0.1, F32), np.float32(0.1)),
        (FloatAttr(-0.0, F64), np.float64(-0.0)),
        (FloatAttr(NAN, F16), np.float16(NAN)),
        (DenseAttr.splat(2, VectorType((3,), I32)), np.full(3, 2, np.int32)),
        (DenseAttr.of([[1.0, 2.0]], F32), np.array([[1.0, 2.0]], np.float32)),
        (DenseAttr.of(np.zeros((0, 3)), F64), np.zeros((0, 3))),
    ],
)
def test_constant_is_its_value(attribute: Any, want: Any) -> None:
    block = Block()
    value = Builder.at_end(block).create(arith.Constant, value=attribute)
    verify(value.op)
    assert value.type is attribute.type
    assert_same(value.op.reference(), want)


def test_an_index_constant_has_64_signed_bits_as_upstream() -> None:
    with pytest.raises(TirError, match="does not fit index"):
        IntegerAttr(2**63, INDEX)


# --- declarations ----------------------------------------------------------------------------------------------------

V4, V2 = VectorType((4,), F32), VectorType((2,), F32)
VI4, VB4 = VectorType((4,), I32), VectorType((4,), I1)


def two(type: Type) -> list[Type]:
    return [type, type]


REFUSED: list[tuple[type[Op], list[Type], Type | None, dict[str, Any], str]] = [
    (arith.AddI, [I32, I64], None, {}, "must have one type, got i32 and i64"),
    (arith.AddI, two(F32), None, {}, "'lhs' must be a signless integer or index"),
    (arith.AddI, two(IntegerType(8, "u")), None, {}, "'lhs' must be a signless integer"),
    (arith.AddF, two(I32), None, {}, "'lhs' must be a float"),
    (arith.AddF, two(F32), None, {"roundingmode": "upward"}, "rounded to_nearest_even, got upward"),
    (arith.AddF, two(F32), None, {"fastmath": "quick"}, "'fastmath' must be #arith.fastmath"),
    (arith.CmpI, [I32, I64], None, {"predicate": "eq"}, "must have one type, got i32 and i64"),
    (arith.CmpI, two(VI4), I1, {"predicate": "eq"}, "must have type vector<4xi1>, got i1"),
    (arith.CmpI, two(I32), None, {"predicate": IntegerAttr(10, I64)}, "'predicate' must be one of eq, ne"),
    (arith.CmpI, two(I32), None, {"predicate": IntegerAttr(1, I32)}, "'predicate' must be one of eq, ne"),
    (arith.AddUIExtended, [I32, I64], None, {}, "must have one type"),
    (arith.Select, [I1, F32, F64], None, {}, "both values must have one type, got f32 and f64"),
    (arith.Select, [VB4, F32, F32], None, {}, "must be i1 or have the shape of the values, got vector<4xi1> and f32"),
    (arith.Select, [VB4, V2, V2], None, {}, "got vector<4xi1> and vector<2xf32>"),
    (arith.Select, [I32, F32, F32], None, {}, "'condition' must be i1"),
    (arith.ExtF, [F32], F32, {}, "must have more bits, got f32 to f32"),
    (arith.ExtF, [F32], F16, {}, "must have more bits"),
    (arith.ExtF, [F16], BF16, {}, "must have more bits"),
    (arith.ExtF, [V4], VectorType((2,), F64), {}, "the shape must stay, got vector<4xf32> and vector<2xf64>"),
    (arith.TruncF, [F32], F64, {}, "must have fewer bits"),
    (arith.TruncF, [F64], F32, {"roundingmode": "downward"}, "rounded to_nearest_even, got downward"),
    (arith.ExtSI, [I32], I32, {}, "must have more bits"),
    (arith.ExtUI, [INDEX], I64, {}, "'input' must be a signless integer"),
    (arith.TruncI, [I32], I64, {}, "must have fewer bits"),
    (arith.SIToFP, [INDEX], F32, {}, "'input' must be a signless integer"),
    (arith.FPToSI, [F32], INDEX, {}, "the result must be a signless integer"),
    (arith.IndexCast, [I32], I64, {}, "one side must be index, got i32 to i64"),
    (arith.IndexCast, [INDEX], INDEX, {}, "one side must be index"),
    (arith.Bitcast, [F32], I64, {}, "the number of bits must stay, got f32 to i64"),
    (arith.Bitcast, [INDEX], I64, {}, "'input' must be a signless integer"),
]


@pytest.mark.parametrize(("cls", "types", "result", "facts", "message"), REFUSED)
def test_what_the_verifier_refuses(cls: type[Op], types: Any, result: Any, facts: Any, message: str) -> None:
    with pytest.raises(TirError, match=message):
        verify(make(cls, types, result, **facts))


@pytest.mark.parametrize(("cls", "types", "result", "facts", "message"), [
    row for row in REFUSED if "rounded" not in row[4] and "quick" not in row[3].values()
])  # fmt: skip
def test_upstream_refuses_it_too(cls: type[Op], types: Any, result: Any, facts: Any, message: str) -> None:
    ir = pytest.importorskip("torch_mlir.ir", reason="upstream MLIR is not installed")
    arguments = ", ".join(f"%{i}: {t}" for i, t in enumerate(types))
    op = make(cls, types, result, **facts)
    properties = ", ".join(f"{k} = {v}" for k, v in op.properties.items())
    outs = ", ".join(str(r.type) for r in op.results)
    uses = ", ".join(f"%{i}" for i in range(len(types)))
    text = (
        f'func.func @f({arguments}) {{ %r:{len(op.results)} = "{cls.name}"({uses}) '
        f"<{{{properties}}}> : ({', '.join(map(str, types))}) -> ({outs}) return }}"
    )
    with ir.Context() as context, pytest.raises(ir.MLIRError):
        context.load_all_available_dialects()
        ir.Module.parse(text).operation.verify()


def test_constant_refuses_what_is_no_signless_number() -> None:
    for value in (StringAttr("x"), IntegerAttr(3, IntegerType(8, "u")), DenseAttr.of([1], IntegerType(8, "u"))):
        op = create(arith.Constant, value=value, result_types=[getattr(value, "type", I32)])
        with pytest.raises(TirError, match="must be a number|must be a signless integer"):
            verify(op)
    with pytest.raises(TirError, match="must have type i32, got i64"):
        verify(create(arith.Constant, value=IntegerAttr(1, I32), result_types=[I64]))


def test_properties_have_upstreams_defaults() -> None:
    assert {n: str(a) for n, a in make(arith.AddI, two(I32)).properties.items()} == {
        "overflowFlags": "#arith.overflow<none>"
    }
    assert {n: str(a) for n, a in make(arith.AddF, two(F32)).properties.items()} == {
        "fastmath": "#arith.fastmath<none>"
    }
    assert not make(arith.DivSI, two(I32)).properties
    assert not make(arith.ExtF, [F32], F64).properties


def test_all_ops_are_pure_and_named_once() -> None:
    names = [op.name for op in arith.DIALECT.ops]
    assert len(set(names)) == len(names) == 49
    assert all(name.startswith("arith.") for name in names)
    assert is_pure(make(arith.DivSI, two(I32)))
    assert issubclass(arith.AddF, Commutative) and not issubclass(arith.SubF, Commutative)


@pytest.mark.parametrize("cls", [op for op in arith.DIALECT.ops if issubclass(op, Commutative)])
def test_commutative_ops_commute_to_the_bit(cls: type[Op]) -> None:
    floats = np.array([0.0, -0.0, 1.5, -3.0, INF, -INF, NAN], np.float32)
    x = floats if "lhs" in vars(cls) and cls.definition.operands[0].kind.accepts(F32) else np.array(values(8), np.int8)
    x, y = (a.ravel() for a in np.meshgrid(x, x))
    there, back = run(cls, x, y), run(cls, y, x)
    for one, other in zip(there if isinstance(there, tuple) else [there], back if isinstance(back, tuple) else [back]):
        assert_same(one, other)


def test_tensors_and_vectors_infer_their_shape() -> None:
    tensor = TensorType((2, 3), F32)
    assert make(arith.CmpF, two(tensor), predicate="olt").result.type is TensorType((2, 3), I1)
    assert make(arith.Select, [VB4, V4, V4]).result.type is V4
    assert make(arith.MulUIExtended, two(VI4)).high.type is VI4
    assert integer_enum(("a", "b")).make("b") is IntegerAttr(1, I64)
