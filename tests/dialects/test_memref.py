"""memref: buffers and views against numpy, the checks at run time, and the verifier's rules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.dialects.programs import function, module, run_body, run_error, verify_error
from tir.dialects import memref
from tir.interpret import Interpreter
from tir.ir.traits import Effects, effects_of, is_pure
from tir.ir.types import DYNAMIC, F32, MemRefType, StridedLayout
from tir.ir.views import DYNAMIC_INDEX


def matrix() -> Any:
    return np.arange(12, dtype=np.float32).reshape(3, 4)


def run_op(op: str, result: str, signature: str, *arguments: Any) -> Any:
    """The result of one op on the arguments of the function around it."""
    (got,) = run_body(f"({signature}) -> {result}", f"%r = {op}\nreturn %r : {result}", *arguments)
    return got


def message_of(body: str, signature: str = "", *arguments: Any) -> str:
    """What running the body says."""
    return run_error(function(f"({signature})", f"{body}\nreturn"), *arguments).message


def rule_of(body: str, signature: str = "") -> str:
    """What the verifier says about the body."""
    return verify_error(function(f"({signature})", f"{body}\nreturn"))


def test_new_buffer_shows_that_it_is_unwritten() -> None:
    got = run_op("memref.alloc(%n) : memref<?x4xf32>", "memref<?x4xf32>", "%n: index", 2)
    assert got.shape == (2, 4) and np.isnan(got).all()
    got = run_op("memref.alloca() : memref<2xi32>", "memref<2xi32>", "")
    assert got.view(np.uint8).tolist() == [0xA5] * 8
    assert message_of("%r = memref.alloc(%n) : memref<?xf32>", "%n: index", -2) == (
        "memref.alloc: axis 0 must have a size of at least 0, got -2"
    )


def test_too_large_buffer_is_an_error() -> None:
    message = message_of("%r = memref.alloc(%n) : memref<?xf64>", "%n: index", 1 << 60)
    assert message == f"memref.alloc: cannot allocate {1 << 60} elements of f64"


def test_buffer_with_strides_has_them() -> None:
    type = "memref<2x3xf32, strided<[?, 2], offset: ?>>"
    got = run_op(f"memref.alloc()[%o, %s] : {type}", type, "%o: index, %s: index", 5, 10)
    assert got.shape == (2, 3) and got.strides == (40, 8)


def test_freed_buffer_is_poisoned() -> None:
    array = matrix()
    run_body("(%m: memref<?x4xf32>)", "memref.dealloc %m : memref<?x4xf32>\nreturn", array)
    assert np.isnan(array).all()


ELEMENT = "%m: memref<?x4xf32>, %i: index, %j: index"


def test_load_and_store_move_one_element() -> None:
    array = matrix()
    assert run_op("memref.load %m[%i, %j] : memref<?x4xf32>", "f32", ELEMENT, array, 2, 3) == 11
    body = "memref.store %x, %m[%i, %j] : memref<?x4xf32>\nreturn"
    run_body(f"({ELEMENT}, %x: f32)", body, array, 1, 0, np.float32(-0.0))
    assert np.signbit(array[1, 0]) and array[1, 1] == 5
    scalar = np.array(3, np.int32)
    assert run_op("memref.load %m[] : memref<i32>", "i32", "%m: memref<i32>", scalar) == 3


@pytest.mark.parametrize(("i", "j", "axis", "size"), [(3, 0, 0, 3), (-1, 0, 0, 3), (0, 4, 1, 4), (0, -1, 1, 4)])
def test_access_out_of_bounds_names_index_axis_and_size(i: int, j: int, axis: int, size: int) -> None:
    index = i if axis == 0 else j
    fact = f"index {index} is out of bounds for axis {axis} with size {size}"
    load = "%r = memref.load %m[%i, %j] : memref<?x4xf32>"
    assert message_of(load, ELEMENT, matrix(), i, j) == f"memref.load: {fact}"
    store = "memref.store %x, %m[%i, %j] : memref<?x4xf32>"
    assert message_of(store, f"{ELEMENT}, %x: f32", matrix(), i, j, np.float32(0)) == f"memref.store: {fact}"


def test_dim_and_copy_use_the_sizes_at_run_time() -> None:
    dim = "memref.dim %m, %i : memref<?x4xf32>"
    assert run_op(dim, "index", "%m: memref<?x4xf32>, %i: index", matrix(), 0) == 3
    target = np.zeros((3, 4), np.float32)
    signature = "%a: memref<?x4xf32>, %b: memref<?x4xf32>"
    copy = "memref.copy %a, %b : memref<?x4xf32> to memref<?x4xf32>"
    run_body(f"({signature})", f"{copy}\nreturn", matrix(), target)
    np.testing.assert_array_equal(target, matrix())
    assert message_of(copy, signature, matrix(), target[:2]) == "memref.copy: sizes must agree, got [3, 4] and [2, 4]"


SUBVIEW = "memref.subview %m[%i, 1] [2, %n] [1, 2] : memref<?x4xf32> to memref<2x?xf32, strided<[4, 2], offset: ?>>"
SUBVIEW_SIGNATURE = "%m: memref<?x4xf32>, %i: index, %n: index"


def test_subview_is_a_window_on_the_same_memory() -> None:
    array = matrix()
    got = run_op(SUBVIEW, "memref<2x?xf32, strided<[4, 2], offset: ?>>", SUBVIEW_SIGNATURE, array, 1, 2)
    np.testing.assert_array_equal(got, array[1:3, 1::2])
    got[0, 0] = -1
    assert array[1, 1] == -1


def test_subview_stays_inside() -> None:
    assert message_of(f"%r = {SUBVIEW}", SUBVIEW_SIGNATURE, matrix(), 2, 2) == (
        "memref.subview: slice from 2 of 2 elements with stride 1 is out of bounds for axis 0 with size 3"
    )


def test_subview_may_leave_out_axes_of_size_one() -> None:
    type = "memref<3xf32, strided<[4], offset: 2>>"
    op = f"memref.subview %m[0, 2] [3, 1] [1, 1] : memref<?x4xf32> to {type}"
    got = run_op(op, type, "%m: memref<?x4xf32>", matrix())
    np.testing.assert_array_equal(got, [2, 6, 10])


def test_type_of_a_subview_follows_from_the_lists() -> None:
    source = MemRefType((DYNAMIC, 4), F32)
    made = memref.Subview.result_type(source, [DYNAMIC_INDEX, 1], [1, DYNAMIC_INDEX], [1, 2], dropped=[0])
    assert made is MemRefType((DYNAMIC,), F32, StridedLayout((2,), DYNAMIC))
    assert memref.Subview.result_type(source, [1, 1], [2, 2], [1, 1]).layout == StridedLayout((4, 1), 5)


def test_views_of_views_compose() -> None:
    body = """
      %a = memref.subview %m[1, 0] [4, 6] [1, 1] : memref<6x6xf32> to memref<4x6xf32, strided<[6, 1], offset: 6>>
      %b = memref.subview %a[0, 1] [2, 2] [2, 3]
        : memref<4x6xf32, strided<[6, 1], offset: 6>> to memref<2x2xf32, strided<[12, 3], offset: 7>>
      return %b : memref<2x2xf32, strided<[12, 3], offset: 7>>
    """
    array = np.arange(36, dtype=np.float32).reshape(6, 6)
    (got,) = run_body("(%m: memref<6x6xf32>) -> memref<2x2xf32, strided<[12, 3], offset: 7>>", body, array)
    np.testing.assert_array_equal(got, array[1:5][::2, 1::3])


def test_cast_checks_sizes_and_strides_it_claims() -> None:
    signature = "%m: memref<?x?xf32, strided<[?, ?], offset: ?>>"
    op = "memref.cast %m : memref<?x?xf32, strided<[?, ?], offset: ?>> to memref<3x4xf32>"
    array = matrix()
    assert run_op(op, "memref<3x4xf32>", signature, array) is not None
    message = message_of(f"%r = {op}", signature, array[:, :3])
    assert message == "memref.cast: the operand axis 1 must have size 4, got 3"
    message = message_of(f"%r = {op}", signature, np.asfortranarray(array))
    assert message == "memref.cast: axis 0 of the operand must have stride 4, got 1"


def test_collapse_and_expand_are_views() -> None:
    array = matrix()
    got = run_op("memref.collapse_shape %m [[0, 1]] : memref<?x4xf32> into memref<?xf32>", "memref<?xf32>",
                 "%m: memref<?x4xf32>", array)  # fmt: skip
    got[5] = -1
    assert array[1, 1] == -1 and got.shape == (12,)
    op = "memref.expand_shape %m [[0, 1], [2]] output_shape [%n, 3, 4] : memref<?x4xf32> into memref<?x3x4xf32>"
    got = run_op(op, "memref<?x3x4xf32>", "%m: memref<?x4xf32>, %n: index", array, 1)
    assert got.shape == (1, 3, 4) and np.shares_memory(got, array)
    assert message_of(f"%r = {op}", "%m: memref<?x4xf32>, %n: index", array, 2) == (
        "memref.expand_shape: axis 0 has size 3, not the product of the sizes [2, 3] of its group"
    )


def test_collapse_of_axes_that_are_apart_in_memory_is_an_error() -> None:
    type = "memref<3x4xf32, strided<[?, 1]>>"
    op = f"memref.collapse_shape %m [[0, 1]] : {type} into memref<12xf32, strided<[1]>>"
    array = np.zeros((3, 8), np.float32)[:, :4]
    message = message_of(f"%r = {op}", f"%m: {type}", array)
    assert message == (
        "memref.collapse_shape: an array with sizes [3, 4] and strides [8, 1] has no view with sizes [12]"
    )


def test_reinterpret_cast_counts_from_the_start_of_the_buffer() -> None:
    array = matrix()
    type = "memref<2x2xf32, strided<[1, 4], offset: ?>>"
    op = f"memref.reinterpret_cast %m to offset: [%o], sizes: [2, 2], strides: [1, 4] : memref<3x4xf32> to {type}"
    got = run_op(op, type, "%m: memref<3x4xf32>, %o: index", array, 1)
    np.testing.assert_array_equal(got, [[1, 5], [2, 6]])
    got[0, 0] = -1
    assert array[0, 1] == -1
    message = message_of(f"%r = {op}", "%m: memref<3x4xf32>, %o: index", array, 7)
    assert message == (
        "memref.reinterpret_cast: offset 7, sizes [2, 2] and strides [1, 4] reach from 7 to 12 in a buffer of "
        "12 elements"
    )


GLOBALS = """
memref.global "private" constant @table : memref<2x2xf32> = dense<[[1.0, 2.0], [3.0, 4.0]]>
memref.global "private" @counter : memref<i64> = dense<5>
memref.global "private" @scratch : memref<2xf32> = uninitialized
func.func @f() -> i64 {
  %m = memref.get_global @counter : memref<i64>
  %old = memref.load %m[] : memref<i64>
  %one = arith.constant 1 : i64
  %new = arith.addi %old, %one : i64
  memref.store %new, %m[] : memref<i64>
  return %old : i64
}
func.func @tables() -> (memref<2x2xf32>, memref<2xf32>) {
  %a = memref.get_global @table : memref<2x2xf32>
  %b = memref.get_global @scratch : memref<2xf32>
  return %a, %b : memref<2x2xf32>, memref<2xf32>
}
"""


def test_global_lives_as_long_as_the_interpreter() -> None:
    interpreter = Interpreter(module(GLOBALS))
    assert [interpreter.run("f"), interpreter.run("f")] == [[5], [6]]
    assert Interpreter(module(GLOBALS)).run("f") == [5]


def test_constant_global_cannot_be_written_and_uninitialized_shows() -> None:
    table, scratch = Interpreter(module(GLOBALS)).run("tables")
    np.testing.assert_array_equal(table, [[1, 2], [3, 4]])
    assert not table.flags.writeable and np.isnan(scratch).all()
    body = "%m = memref.get_global @table : memref<2x2xf32>\nmemref.store %x, %m[%i, %i] : memref<2x2xf32>\nreturn"
    error = run_error(GLOBALS.replace("@f(", "@other(") + function("(%x: f32, %i: index)", body), np.float32(0), 0)
    assert error.message == "memref.store: assignment destination is read-only"


def test_effects_say_who_reads_writes_and_allocates() -> None:
    body = """
      %a = memref.alloc() : memref<4xf32>
      %x = memref.load %a[%i] : memref<4xf32>
      memref.store %x, %a[%i] : memref<4xf32>
      %v = memref.cast %a : memref<4xf32> to memref<?xf32>
      return
    """
    ops = [op for op in module(function("(%i: index)", body)).walk() if op.name.startswith("memref")]
    assert [effects_of(op) for op in ops] == [
        Effects.ALLOCATE, Effects.READ, Effects.READ | Effects.WRITE, Effects.NONE,
    ]  # fmt: skip
    assert is_pure(ops[3]) and not is_pure(ops[0])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "%r = memref.alloc() : memref<?xf32>",
            "memref.alloc: memref<?xf32> leaves 1 size open, got 0",
        ),
        (
            "%r = memref.alloc() : memref<4xf32, strided<[?]>>",
            "memref.alloc: memref<4xf32, strided<[?]>> leaves 1 layout symbol open, got 0",
        ),
        (
            "%r = memref.alloc() {alignment = 3 : i64} : memref<4xf32>",
            "memref.alloc: the alignment must be a power of two, got 3",
        ),
        ("%r = memref.load %m[%i] : memref<?x4xf32>", "memref.load: memref<?x4xf32> needs 2 indices, got 1"),
        (
            "memref.store %k, %m[%i, %i] : memref<?x4xf32>",
            "memref.store: an element of memref<?x4xf32> cannot be i32",
        ),
        (
            "memref.copy %m, %d : memref<?x4xf32> to memref<?x5xf32>",
            "memref.copy: element type and sizes must agree, got memref<?x4xf32> and memref<?x5xf32>",
        ),
        (
            "%r = memref.subview %m[1, 0] [2, 2] [1, 1] : memref<?x4xf32> to memref<2x2xf32, strided<[4, 1]>>",
            "memref.subview: the result must be memref<2x2xf32, strided<[4, 1], offset: 4>> (axes of size 1 may be "
            "left out), got memref<2x2xf32, strided<[4, 1]>>",
        ),
        (
            "%r = memref.cast %m : memref<?x4xf32> to memref<?x?xf32, strided<[5, 1]>>",
            "memref.cast: memref<?x4xf32> cannot be cast to memref<?x?xf32, strided<[5, 1]>>: element type, rank and "
            "all static facts must agree",
        ),
        (
            "%r = memref.collapse_shape %m [[0, 1]] : memref<?x4xf32> into memref<?xf32, strided<[2]>>",
            "memref.collapse_shape: the result must be memref<?xf32>, got memref<?xf32, strided<[2]>>",
        ),
        (
            "%r = memref.collapse_shape %s [[0, 1]] : memref<?x4xf32, strided<[5, 1]>> "
            "into memref<?xf32, strided<[1]>>",
            "memref.collapse_shape: axis 0 of the operand must have stride 4, got 5",
        ),
        (
            "%r = memref.reinterpret_cast %m to offset: [0], sizes: [4], strides: [1] : memref<?x4xf32> "
            "to memref<5xf32>",
            "memref.reinterpret_cast: size 0 of memref<5xf32> is 5, but the op says 4",
        ),
        ("%r = memref.get_global @none : memref<f32>", "memref.get_global: there is no memref.global @none"),
    ],
)
def test_rules(body: str, message: str) -> None:
    assert rule_of(body, SIGNATURE) == message


SIGNATURE = (
    "%m: memref<?x4xf32>, %d: memref<?x5xf32>, %s: memref<?x4xf32, strided<[5, 1]>>, %i: index, %k: i32"
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "memref.global @g : memref<?xf32> = uninitialized",
            "memref.global: the type must be a memref with a static shape, got memref<?xf32>",
        ),
        (
            "memref.global @g : memref<2xf32> = dense<1.0> : tensor<3xf32>",
            "memref.global: the initial value of a memref<2xf32> must be of type tensor<2xf32>, got tensor<3xf32>",
        ),
        (
            "memref.global @g : memref<2xf32> = dense<1.0>\n"
            + function("()", "%r = memref.get_global @g : memref<3xf32>\nreturn"),
            "memref.get_global: @g has type memref<2xf32>, got memref<3xf32>",
        ),
    ],
)
def test_rules_of_globals(text: str, message: str) -> None:
    assert verify_error(text) == message
