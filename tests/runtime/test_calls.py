"""Calls of compiled functions: every wrong argument is an error that names it, and no wrong call is a crash."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest

from tir.ir.errors import UNKNOWN, ExecutionError, FileLocation
from tir.ir.native import OUT_OF_MEMORY, NativeAssert, NativeParameter, NativeSignature
from tir.ir.types import (
    DYNAMIC,
    F16,
    F32,
    F64,
    I1,
    I32,
    I64,
    INDEX,
    IntegerType,
    MemRefType,
    StridedLayout,
    Type,
    VectorType,
)
from tir.runtime.calls import NativeFunction
from tir.runtime.jit import compile_text

ANY = StridedLayout((DYNAMIC, DYNAMIC), DYNAMIC)


def function(text: str, parameters: list[NativeParameter], results: tuple[Type, ...] = (), asserts: Any = ()) -> Any:
    library = compile_text(text, ["f"])
    return NativeFunction("f", library, NativeSignature("f", tuple(parameters), results), asserts)


def first_element(type: MemRefType, written: bool = False) -> NativeFunction:
    """A function that returns the first element of a memref of f32, and nothing of its other components."""
    words = (type.rank - sum(isinstance(d, int) for d in type.shape)) + (type.layout is not None) * 2
    text = f"""
      define i32 @f(ptr %x{", i64 %".join(["", *(f"n{i}" for i in range(words))])}, ptr %r) {{
        %v = load float, ptr %x
        store float %v, ptr %r
        ret i32 0
      }}"""
    return function(text, [NativeParameter("x", type, written)], (F32,))


def test_components_come_in_the_order_of_the_convention() -> None:
    text = """
      define i32 @f(ptr %x, i64 %n, i64 %m, i64 %s, i64 %t, ptr %r0, ptr %r1, ptr %r2, ptr %r3, ptr %r4) {
        %v = load float, ptr %x
        store float %v, ptr %r0
        store i64 %n, ptr %r1
        store i64 %m, ptr %r2
        store i64 %s, ptr %r3
        store i64 %t, ptr %r4
        ret i32 0
      }"""
    f = function(text, [NativeParameter("x", MemRefType((DYNAMIC, DYNAMIC), F32, ANY))], (F32, I64, I64, I64, I64))
    x = np.arange(24, dtype=np.float32).reshape(4, 6)
    assert f([x]) == [0, 4, 6, 6, 1]
    assert f([x.T]) == [0, 6, 4, 1, 6]
    assert f([x[::-1, 1::2]]) == [19, 4, 3, -6, 2]


@pytest.mark.parametrize(
    ("type", "llvm", "value", "dtype"),
    [
        (F32, "float", 0.1, np.float32),
        (F64, "double", 0.1, np.float64),
        (F16, "i16", 0.1, np.float16),
        (I1, "i8", True, np.bool_),
        (IntegerType(8), "i8", -128, np.int8),
        (IntegerType(16), "i16", -5, np.int16),
        (I32, "i32", -(2**31), np.int32),
        (I64, "i64", 2**63 - 1, np.int64),
        (INDEX, "i64", -7, np.int64),
    ],
    ids=str,
)
def test_scalars_go_in_and_out(type: Type, llvm: str, value: Any, dtype: Any) -> None:
    text = f"define i32 @f({llvm} %x, ptr %r) {{\nstore {llvm} %x, ptr %r\nret i32 0\n}}"
    f = function(text, [NativeParameter("x", type)], (type,))
    for given in (value, dtype(value), np.array(value, dtype)):
        (got,) = f([given])
        assert got == dtype(value) and got.dtype == dtype
    wrong = np.float64(1) if dtype is not np.float64 else np.int8(1)
    with pytest.raises(ExecutionError, match=f"argument 'x' must be {np.dtype(dtype)}, got {wrong.dtype}"):
        f([wrong])
    with pytest.raises(ExecutionError, match="argument 'x' must have rank 0, got 1"):
        f([np.array([value], dtype)])
    with pytest.raises(ExecutionError, match="argument 'x' must be"):
        f(["text"])
    with pytest.raises(ExecutionError, match="argument 'x' must be"):
        f([None])


def test_a_number_that_is_too_large_is_an_error() -> None:
    f = function("define i32 @f(i32 %x) {\nret i32 0\n}", [NativeParameter("x", I32)])
    with pytest.raises(ExecutionError, match="argument 'x' must be int32, got 2147483648"):
        f([2**31])


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((3, 63), np.float32), "argument 'x': axis 1 must have size 64, got 63"),
        (np.zeros((3, 64), np.float64), "argument 'x' must be float32, got float64"),
        (np.zeros((3, 64), np.int32), "argument 'x' must be float32, got int32"),
        (np.zeros((3, 64), object), "argument 'x' must be float32, got object"),
        (np.zeros(64, np.float32), "argument 'x' must have rank 2, got 1"),
        (np.zeros((1, 3, 64), np.float32), "argument 'x' must have rank 2, got 3"),
        ([[0.0] * 64], "argument 'x' must be an array, got list"),
        (None, "argument 'x' must be an array, got NoneType"),
    ],
)
def test_a_wrong_array_is_an_error_that_names_argument_and_axis(array: Any, message: str) -> None:
    f = first_element(MemRefType((DYNAMIC, 64), F32))
    with pytest.raises(ExecutionError, match=message):
        f([array])


def test_the_number_of_arguments_is_checked() -> None:
    f = first_element(MemRefType((4,), F32))
    for arguments in ([], [np.zeros(4, np.float32)] * 2):
        with pytest.raises(ExecutionError, match=f"@f takes 1 argument, got {len(arguments)}"):
            f(arguments)


def awkward() -> list[np.ndarray]:
    """Arrays of shape (2, 3) with first element 7 that are not dense, aligned and native."""
    values = np.array([[7, 1, 2], [3, 4, 5]], np.float32)
    bytes_ = np.zeros(values.nbytes + 1, np.uint8)
    unaligned = bytes_[1:].view(np.float32).reshape(2, 3)
    unaligned[...] = values
    wide = np.zeros((4, 6), np.float32)
    strided = wide[::2, ::2]
    strided[...] = values
    return [unaligned, strided, np.asfortranarray(values), values.astype(">f4"), values[::-1].copy()[::-1]]


def test_an_input_that_is_not_dense_is_copied() -> None:
    f = first_element(MemRefType((2, 3), F32))
    for array in awkward():
        assert f([array]) == [7]


def test_a_written_array_is_never_copied() -> None:
    f = first_element(MemRefType((2, 3), F32), written=True)
    for array in awkward():
        with pytest.raises(ExecutionError, match="argument 'x' is written, so it must be contiguous and aligned"):
            f([array])
    array = np.ones((2, 3), np.float32)
    array.flags.writeable = False
    with pytest.raises(ExecutionError, match="argument 'x' is written, so it must not be read-only"):
        f([array])


def test_a_fixed_stride_is_checked_only_where_it_matters() -> None:
    type = MemRefType((DYNAMIC, DYNAMIC), F32, StridedLayout((DYNAMIC, 1), DYNAMIC))
    text = "define i32 @f(ptr %x, i64 %n, i64 %m, i64 %s, ptr %r) {\nstore i64 %s, ptr %r\nret i32 0\n}"
    f = function(text, [NativeParameter("x", type, written=True)], (I64,))
    wide = np.zeros((4, 6), np.float32)
    assert f([wide[::2]]) == [12]
    assert f([wide[:, ::6]]) == [6]  # one column has any stride
    with pytest.raises(ExecutionError, match="argument 'x' is written"):
        f([wide[:, ::2]])
    unwritten = function(text, [NativeParameter("x", type)], (I64,))
    assert unwritten([wide[:, ::2]]) == [3]  # of the dense copy


def test_rank_zero_and_empty_arrays() -> None:
    f = first_element(MemRefType((), F32))
    assert f([np.array(2.5, np.float32)]) == [2.5]
    with pytest.raises(ExecutionError, match="must be an array, got float32"):
        f([np.float32(2.5)])
    text = "define i32 @f(ptr %x, i64 %n, ptr %r) {\nstore i64 %n, ptr %r\nret i32 0\n}"
    f = function(text, [NativeParameter("x", MemRefType((DYNAMIC, 4), F32))], (I64,))
    assert f([np.zeros((0, 4), np.float32)]) == [0]
    assert f([np.zeros((8, 8), np.float32)[::2, ::2][:0]]) == [0]


def test_exclusive_buffers_must_not_overlap_others() -> None:
    type = MemRefType((DYNAMIC,), F32)
    parameters = [NativeParameter("x", type), NativeParameter("y", type), NativeParameter("out", type, True, True)]
    f = function("define i32 @f(ptr %a, i64 %n, ptr %b, i64 %m, ptr %c, i64 %k) {\nret i32 0\n}", parameters)
    a = np.zeros(10, np.float32)
    assert f([a, a, np.zeros(4, np.float32)]) == []
    assert f([a[:4], a[6:], a[4:6]]) == []
    assert f([a[:4], a[6:], a[4:4]]) == []
    with pytest.raises(ExecutionError, match="arguments 'y' and 'out' must not overlap in memory"):
        f([a[:4], a[6:], a[4:7]])
    with pytest.raises(ExecutionError, match="arguments 'x' and 'out' must not overlap in memory"):
        f([a[::2], np.zeros(1, np.float32), a[1:2]])


def test_a_status_is_an_error_with_message_and_place() -> None:
    place = FileLocation("model.tir", 7, 8)
    f = function("define i32 @f(i32 %x) {\nret i32 %x\n}", [NativeParameter("x", I32)],
                 asserts=[NativeAssert("first", UNKNOWN), NativeAssert("second", place)])  # fmt: skip
    assert f([0]) == []
    with pytest.raises(ExecutionError, match="first"):
        f([1])
    with pytest.raises(ExecutionError, match="model.tir:7:8: second") as error:
        f([2])
    assert error.value.location is place
    with pytest.raises(MemoryError, match="@f: the memory for a buffer could not be had"):
        f([OUT_OF_MEMORY])


MAKES_A_BUFFER = """
  declare noalias ptr @aligned_alloc(i64, i64)
  define i32 @f(i64 %n, ptr %r) {
    %bytes = mul i64 %n, 8
    %whole = add i64 %bytes, 64
    %rounded = and i64 %whole, -64
    %p = call ptr @aligned_alloc(i64 64, i64 %rounded)
    store ptr %p, ptr %r
    %size = getelementptr i8, ptr %r, i64 8
    store i64 %n, ptr %size
    br label %loop
  loop:
    %i = phi i64 [ 0, %0 ], [ %j, %loop ]
    %place = getelementptr i32, ptr %p, i64 %i
    %low = trunc i64 %i to i32
    store i32 %low, ptr %place
    %j = add i64 %i, 1
    %more = icmp sle i64 %j, %n
    br i1 %more, label %loop, label %end
  end:
    ret i32 0
  }"""


def test_a_buffer_that_the_function_made_is_an_array_of_its_own() -> None:
    f = function(MAKES_A_BUFFER, [NativeParameter("n", INDEX)], (MemRefType((DYNAMIC, 2), I32),))
    (got,) = f([3])
    assert got.shape == (3, 2)
    row = got[1]
    del got
    gc.collect()
    row += 1  # the view keeps the memory
    assert row.tolist() == [3, 4]
    assert f([0])[0].shape == (0, 2)
    for _ in range(2000):  # 16 MB each: a leak would be 32 GB
        f([2_000_000 // 1000])


def test_a_vector_cannot_be_passed_from_outside() -> None:
    with pytest.raises(ExecutionError, match="vector<4xf32> cannot be passed from outside"):
        function("define i32 @f(<4 x float> %x) {\nret i32 0\n}", [NativeParameter("x", VectorType((4,), F32))])
