"""Types and attributes: one object for equal ones, the text of MLIR, limits."""

import copy
import gc
import math
import struct

import numpy as np
import pytest

from tir.ir.affine import AffineName
from tir.ir.attributes import (
    ArrayAttr,
    DenseArrayAttr,
    DenseAttr,
    DictAttr,
    FloatAttr,
    IntegerAttr,
    StringAttr,
    SymbolRefAttr,
    UnitAttr,
    bool_attr,
    round_to_float,
)
from tir.ir.errors import LimitError, TirError
from tir.ir.types import (
    BF16,
    DTYPES,
    DYNAMIC,
    F16,
    F32,
    F64,
    I1,
    I32,
    I64,
    INDEX,
    FunctionType,
    IntegerType,
    MemRefType,
    StridedLayout,
    TensorType,
    VectorType,
    type_of_dtype,
)

B = AffineName("B")
U8 = IntegerType(8, "u")


@pytest.mark.parametrize(
    ("type", "text"),
    [
        (IntegerType(7), "i7"),
        (U8, "ui8"),
        (TensorType((), F32), "tensor<f32>"),
        (TensorType((B, 784, DYNAMIC), BF16), "tensor<[B]x784x?xbf16>"),
        (TensorType((B - 2, B.ceildiv(2)), F64), "tensor<[B - 2]x[B ceildiv 2]xf64>"),
        (MemRefType((DYNAMIC, 4), F32), "memref<?x4xf32>"),
        (MemRefType((2, 4), F32, StridedLayout((8, 1), DYNAMIC), "3"), "memref<2x4xf32, strided<[8, 1], offset: ?>, 3>"),
        (VectorType((4, 8), I1), "vector<4x8xi1>"),
        (FunctionType((F32, INDEX), ()), "(f32, index) -> ()"),
        (FunctionType((), (FunctionType((F32,), (F32,)),)), "() -> ((f32) -> f32)"),
    ],
)
def test_text_of_types(type, text):
    assert str(type) == text


def test_equal_types_are_one_object_and_copies_too():
    type = TensorType((B, 4), F32)
    assert type is TensorType([B, 4], F32) is copy.deepcopy(type)
    assert type is not TensorType((B, 4), F64)
    with pytest.raises(AttributeError, match="cannot be changed"):
        type.element = F64


def test_types_nobody_holds_are_forgotten():
    TensorType((123457, 3), F32)
    gc.collect()
    assert not any(str(t) == "tensor<123457x3xf32>" for t in TensorType._live.values())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TensorType((-1,), F32), "a size must be 0 to"),
        (lambda: TensorType((1 << 40, 1 << 30), F32), "less than 2\\^63 bytes"),
        (lambda: TensorType((1,) * 33, F32), "at most 32 dimensions"),
        (lambda: VectorType((DYNAMIC,), F32), "positive integer"),
        (lambda: MemRefType((2, 2), F32, StridedLayout((1,))), "2 sizes, but 1 stride$"),
        (lambda: IntegerAttr(256, IntegerType(8)), "does not fit i8"),
        (lambda: IntegerAttr(-1, U8), "does not fit ui8"),
        (lambda: DenseAttr(TensorType((3,), F32), b"1234567"), "needs 12 bytes, got 7"),
        (lambda: type_of_dtype("complex64"), "not supported"),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(TirError, match=message):
        make()


def test_strides_of_a_dense_buffer():
    assert MemRefType((2, 3, 4), F32).strides_and_offset() == ((12, 4, 1), 0)
    assert MemRefType((2, DYNAMIC, 4), F32).strides_and_offset() == ((DYNAMIC, 4, 1), 0)


def test_numbers_that_python_calls_equal_are_different_attributes():
    assert FloatAttr(0.0, F32) is not FloatAttr(-0.0, F32)
    assert FloatAttr(math.nan, F32) is FloatAttr(math.nan, F32)
    assert IntegerAttr(1, I32) is not IntegerAttr(1, I64)
    assert bool_attr(True) is IntegerAttr(-1, I1)


@pytest.mark.parametrize("dtype", [F16, F32])
def test_rounding_is_numpys(dtype):
    rng = np.random.default_rng(0)
    for value in [*rng.normal(size=200) * 10.0 ** rng.integers(-8, 6, 200), 1e300, -1e300, 65520.0, 5e-8, math.inf]:
        with np.errstate(over="ignore"):
            assert round_to_float(float(value), dtype) == float(np.dtype(f"f{dtype.width // 8}").type(value))


def test_rounding_to_bf16_is_to_nearest_even():
    def bits(value: float) -> int:
        return struct.unpack("<I", struct.pack("<f", value))[0] >> 16

    assert bits(round_to_float(1.0 + 2.0**-8, BF16)) == 0x3F80  # a tie goes to even
    assert bits(round_to_float(1.0 + 3 * 2.0**-8, BF16)) == 0x3F82
    assert bits(round_to_float(1.0 + 2.0**-8 + 2.0**-30, BF16)) == 0x3F81  # once, not by way of f32
    assert round_to_float(3.4e38, BF16) == math.inf


@pytest.mark.parametrize("value", [0.1, -0.0, 1e-45, 3.4028235e38, 1.5, 16777217.0, 1e10, math.inf, math.nan])
@pytest.mark.parametrize("dtype", [F32, F64, F16])
def test_text_of_floats_reads_back_to_the_same_bits(value, dtype):
    attr = FloatAttr(value, dtype)
    text = str(attr).split(" ")[0]
    if text.startswith("0x"):
        code = {16: "<e", 32: "<f", 64: "<d"}[dtype.width]
        read = struct.unpack(code, int(text, 16).to_bytes(dtype.width // 8, "little"))[0]
    else:
        assert "." in text
        read = round_to_float(float(text), dtype)
    assert struct.pack("<d", read) == struct.pack("<d", attr.value)


@pytest.mark.parametrize("element", [t for t in DTYPES if t is not BF16])
def test_dense_constants_keep_numpys_bits(element):
    array = np.array([[0, 1, 1], [1, 0, 1]]).astype(DTYPES[element].numpy)
    attr = DenseAttr.of(array, element)
    assert attr.numpy().dtype == array.dtype and np.array_equal(attr.numpy(), array)
    assert attr.type is TensorType((2, 3), element)


def test_a_splat_stays_one_number_however_large():
    type = TensorType((1_000_000, 1_000_000), F64)
    attr = DenseAttr.splat(1.5, type)
    assert len(attr.data) == 8 and attr.splat_value == 1.5 and str(attr) == f"dense<1.5> : {type}"
    assert attr.numpy().shape == (1_000_000, 1_000_000)
    assert DenseAttr.of(np.full((5, 5), 2.0)) is DenseAttr.splat(2.0, TensorType((5, 5), F64))


def test_text_of_attributes():
    entries = {"z": UnitAttr(), "a": ArrayAttr([IntegerAttr(1, I64), IntegerAttr(1, I32), StringAttr('q"\n')])}
    assert str(DictAttr.of(entries)) == '{a = [1, 1 : i32, "q\\22\\0A"], z}'
    assert str(DenseArrayAttr(I64, (1, 2))) == "array<i64: 1, 2>"
    assert str(DenseArrayAttr(F32, ())) == "array<f32>"
    assert str(SymbolRefAttr("a b", ("c",))) == '@"a b"::@c'
    assert str(DenseAttr.of(np.array([[1, 2], [3, 4]], np.int32))) == "dense<[[1, 2], [3, 4]]> : tensor<2x2xi32>"
    assert str(DenseAttr.of(np.zeros((0, 2), np.float32))) == "dense<> : tensor<0x2xf32>"


def test_text_of_deep_arrays_does_not_recurse():
    attr = ArrayAttr([])
    for _ in range(20_000):
        attr = ArrayAttr([attr])
    assert str(attr) == "[" * 20_001 + "]" * 20_001


def test_constants_above_the_limit_are_refused_before_memory_is_taken():
    with pytest.raises((LimitError, TirError)):
        DenseAttr(TensorType((1 << 40,), F32), b"12345678")
