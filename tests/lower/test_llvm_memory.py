"""Buffers as machine code do what the interpreter does, and nothing leaks."""

from __future__ import annotations

import resource

import numpy as np
import pytest

from tests.lower.native import compiled, lowered, run_both
from tests.lower.programs import f32, function
from tir.ir.errors import ExecutionError
from tir.lower.llvm_text import MOST_SLOTS_IN_REGISTERS


def test_any_byte_but_zero_is_true_and_one_is_stored() -> None:
    text = function(
        "(%x: memref<3xi1>, %y: memref<3xi1>)",
        """
        scf.for %i = %c0 to %c3 step %c1 {
          %0 = memref.load %x[%i] : memref<3xi1>
          memref.store %0, %y[%i] : memref<3xi1>
        }
        return""",
    )
    y = np.zeros(3, np.bool_)
    compiled(text)([np.array([0, 1, 2], np.uint8).view(np.bool_), y])
    assert y.view(np.uint8).tolist() == [0, 1, 1]


def test_new_buffers_of_all_kinds() -> None:
    text = function(
        "(%n: index) -> (f32, memref<?x3xf32>)",
        """
        %a = memref.alloc() {alignment = 256 : i64} : memref<3xf32>
        %b = memref.alloca() : memref<3xf32>
        %c = memref.alloca(%n) : memref<?x3xf32>
        %d = memref.alloc(%n) : memref<?x3xf32>
        %v = arith.constant 2.5 : f32
        scf.for %i = %c0 to %c3 step %c1 {
          memref.store %v, %a[%i] : memref<3xf32>
          %0 = memref.load %a[%i] : memref<3xf32>
          memref.store %0, %b[%i] : memref<3xf32>
          scf.for %j = %c0 to %n step %c1 {
            %1 = memref.load %b[%i] : memref<3xf32>
            memref.store %1, %c[%j, %i] : memref<?x3xf32>
            %2 = memref.load %c[%j, %i] : memref<?x3xf32>
            memref.store %2, %d[%j, %i] : memref<?x3xf32>
          }
        }
        %3 = memref.load %b[%c2] : memref<3xf32>
        memref.dealloc %a : memref<3xf32>
        return %3, %d : f32, memref<?x3xf32>""",
    )
    for n in (0, 1, 5):
        got = run_both(text, [np.int64(n)])
        np.testing.assert_array_equal(got[1], np.full((n, 3), 2.5, np.float32))


LEAKY = function(
    "(%ok: i1, %n: index) -> memref<?xi8>",
    """
    %big = arith.constant 4194304 : index
    %v = arith.constant 1 : i8
    %a = memref.alloc(%big) : memref<?xi8>
    %r = memref.alloc(%n) : memref<?xi8>
    scf.for %i = %c0 to %c3 step %c1 {
      %b = memref.alloc(%big) : memref<?xi8>
      memref.copy %a, %b : memref<?xi8> to memref<?xi8>
      %c = memref.alloc(%big) : memref<?xi8>
      memref.copy %b, %c : memref<?xi8> to memref<?xi8>
      memref.dealloc %c : memref<?xi8>
    }
    cf.assert %ok, "stop"
    return %r : memref<?xi8>""",
)


#: The same among more buffers than have their slots in registers.
LEAKY_AMONG_MANY = LEAKY.replace("scf.for", "".join(
    f"%s{i} = memref.alloc(%n) : memref<?xi8>\nmemref.copy %r, %s{i} : memref<?xi8> to memref<?xi8>\n"
    for i in range(MOST_SLOTS_IN_REGISTERS)
) + "scf.for")  # fmt: skip


@pytest.mark.parametrize("text", [LEAKY, LEAKY_AMONG_MANY], ids=["few", "many"])
@pytest.mark.parametrize("ok", [True, False])
def test_nothing_leaks_whatever_way_the_function_ends(ok: bool, text: str) -> None:
    f = compiled(text)

    def call() -> None:
        if ok:
            assert f([ok, 100])[0].shape == (100,)
        else:
            with pytest.raises(ExecutionError, match="stop"):
                f([ok, 100])

    call()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(50):
        call()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000  # KiB; a leak is 200 MiB or more


def test_slots_of_many_buffers_stay_in_memory() -> None:
    """Or the time to compile grows with buffers times blocks: see the note."""
    counts = [lowered(text).text.count("load volatile ptr, ptr %slot") for text in (LEAKY, LEAKY_AMONG_MANY)]
    assert counts == [0, MOST_SLOTS_IN_REGISTERS + 4]


@pytest.mark.parametrize("size", [1 << 62, 1 << 61, (1 << 63) - 1])
def test_memory_that_cannot_be_had_is_a_memory_error(size: int) -> None:
    f = compiled(function("(%n: index)", "%a = memref.alloc(%n, %n) : memref<?x?xf32>\nreturn"))
    with pytest.raises(MemoryError, match="@f"):
        f([size])
    f = compiled(function("(%n: index)", "%a = memref.alloc(%n) : memref<?xi8>\nreturn"))
    with pytest.raises(MemoryError, match="@f"):
        f([size])


@pytest.mark.parametrize("sizes", ["%n", "%n, %n", "%n, %n, %n"])  # 2^64, 2^126 and 2^188 bytes
def test_memory_of_a_constant_size_does_not_wrap_around(sizes: str) -> None:
    type = f"memref<{'?x' * (sizes.count(',') + 1)}f32>"
    body = f"%n = arith.constant {1 << 62} : index\n%a = memref.alloc({sizes}) : {type}\nreturn %a : {type}"
    f = compiled(function(f"() -> {type}", body))
    with pytest.raises(MemoryError, match="@f"):
        f([])


def test_an_empty_result_that_numpy_cannot_have_is_a_memory_error() -> None:
    f = compiled(function("(%n: index) -> memref<0x?x?xf32>", "%a = memref.alloc(%n, %n) : memref<0x?x?xf32>\nreturn %a : memref<0x?x?xf32>"))
    with pytest.raises(MemoryError, match="there is no array of shape"):
        f([1 << 62])


def test_a_negative_size_is_an_error() -> None:
    f = compiled(function("(%n: index)", "%a = memref.alloc(%n) : memref<?xf32>\nreturn"))
    with pytest.raises(ExecutionError, match="a size must be at least 0"):
        f([-1])


def test_what_is_returned_belongs_to_the_caller_alone() -> None:
    text = """
      func.func @f(%x: memref<2xf32>, %c: i1) -> (memref<2xf32>, memref<2xf32>, memref<2xf32>, memref<2xf32>) {
        %a = memref.alloc() : memref<2xf32>
        %b = memref.alloc() : memref<2xf32>
        memref.copy %x, %a : memref<2xf32> to memref<2xf32>
        memref.copy %x, %b : memref<2xf32> to memref<2xf32>
        %d = scf.if %c -> (memref<2xf32>) {
          scf.yield %a : memref<2xf32>
        } else {
          scf.yield %b : memref<2xf32>
        }
        return %x, %a, %a, %d : memref<2xf32>, memref<2xf32>, memref<2xf32>, memref<2xf32>
      }"""
    f, x = compiled(text), np.array([1, 2], np.float32)
    for c in (False, True):
        results = f([x, c])
        for i, one in enumerate(results):
            np.testing.assert_array_equal(one, [1, 2])
            one[:] = i
        assert [one.tolist() for one in results] == [[0, 0], [1, 1], [2, 2], [3, 3]]
        assert x.tolist() == [1, 2]


def test_a_part_of_a_buffer_is_returned_as_a_copy() -> None:
    text = function(
        "(%v: f32) -> memref<2xf32>",
        """
        %a = memref.alloc() : memref<4xf32>
        scf.for %i = %c0 to %c3 step %c1 {
          memref.store %v, %a[%i] : memref<4xf32>
        }
        %s = memref.subview %a[%c1] [2] [1] : memref<4xf32> to memref<2xf32, strided<[1], offset: ?>>
        %r = memref.cast %s : memref<2xf32, strided<[1], offset: ?>> to memref<2xf32>
        return %r : memref<2xf32>""",
    )
    assert compiled(text)([2.5])[0].tolist() == [2.5, 2.5]


def test_vectors_go_through_calls() -> None:
    text = """
      func.func private @g(%x: vector<4xf32>, %k: vector<4xi1>) -> (vector<4xi1>, vector<4xf32>) {
        %0 = arith.negf %x : vector<4xf32>
        return %k, %0 : vector<4xi1>, vector<4xf32>
      }
      func.func @f(%x: memref<4xf32>, %y: memref<4xf32>) {
        %c0 = arith.constant 0 : index
        %0 = vector.load %x[%c0] : memref<4xf32>, vector<4xf32>
        %z = arith.constant dense<0.0> : vector<4xf32>
        %k = arith.cmpf olt, %0, %z : vector<4xf32>
        %r:2 = func.call @g(%0, %k) : (vector<4xf32>, vector<4xi1>) -> (vector<4xi1>, vector<4xf32>)
        %1 = arith.select %r#0, %r#1, %0 : vector<4xi1>, vector<4xf32>
        vector.store %1, %y[%c0] : memref<4xf32>, vector<4xf32>
        return
      }"""
    x = f32(4)
    np.testing.assert_array_equal(run_both(text, [x, np.zeros(4, np.float32)])[1], np.abs(x))


def test_a_buffer_from_one_of_two_places_can_be_freed() -> None:
    text = function(
        "(%c: i1) -> f32",
        """
        %a = memref.alloc() : memref<1xf32>
        %b = memref.alloc() : memref<1xf32>
        %d = arith.select %c, %a, %b : memref<1xf32>
        %v = arith.constant 1.5 : f32
        memref.store %v, %d[%c0] : memref<1xf32>
        %r = memref.load %d[%c0] : memref<1xf32>
        memref.dealloc %d : memref<1xf32>
        return %r : f32""",
    )
    for _ in range(100):
        assert compiled(text)([True]) == [1.5]


def test_views_of_all_kinds() -> None:
    text = function(
        "(%x: memref<?x6xf32>, %i: index, %n: index) -> (f32, f32, f32, f32, index)",
        """
        %s = memref.subview %x[%i, 1] [%n, 2] [2, 3] : memref<?x6xf32> to memref<?x2xf32, strided<[12, 3], offset: ?>>
        %a = memref.load %s[%c1, %c1] : memref<?x2xf32, strided<[12, 3], offset: ?>>
        %row = memref.subview %x[%i, 0] [1, 6] [1, 1] : memref<?x6xf32> to memref<6xf32, strided<[1], offset: ?>>
        %e = memref.expand_shape %row [[0, 1]] output_shape [2, 3]
          : memref<6xf32, strided<[1], offset: ?>> into memref<2x3xf32, strided<[3, 1], offset: ?>>
        %b = memref.load %e[%c1, %c2] : memref<2x3xf32, strided<[3, 1], offset: ?>>
        %flat = memref.collapse_shape %x [[0, 1]] : memref<?x6xf32> into memref<?xf32>
        %c = memref.load %flat[%c3] : memref<?xf32>
        %len = memref.dim %flat, %c0 : memref<?xf32>
        %t = memref.reinterpret_cast %flat to offset: [%i], sizes: [3, 2], strides: [2, 1]
          : memref<?xf32> to memref<3x2xf32, strided<[2, 1], offset: ?>>
        %d = memref.load %t[%c1, %c1] : memref<3x2xf32, strided<[2, 1], offset: ?>>
        return %a, %b, %c, %d, %len : f32, f32, f32, f32, index""",
    )
    x = f32(7, 6)
    got = run_both(text, [x, np.int64(2), np.int64(2)])
    assert got[:5] == [x[4, 4], x[2, 5], x[0, 3], x.ravel()[5], 42]


def test_a_cast_checks_what_it_claims() -> None:
    text = function(
        "(%x: memref<?x?xf32, strided<[?, ?], offset: ?>>) -> f32",
        """
        %y = memref.cast %x : memref<?x?xf32, strided<[?, ?], offset: ?>> to memref<2x?xf32, strided<[?, 1], offset: ?>>
        %0 = memref.load %y[%c1, %c2] : memref<2x?xf32, strided<[?, 1], offset: ?>>
        return %0 : f32""",
    )
    x = f32(2, 5)
    assert run_both(text, [x])[0] == x[1, 2]
    with pytest.raises(ExecutionError, match="memref.cast: axis 0 of the operand must have size 2"):
        compiled(text)([f32(3, 5)])
    with pytest.raises(ExecutionError, match="memref.cast: axis 1 of the operand must have stride 1"):
        compiled(text)([f32(2, 10)[:, ::2]])


def test_copies_between_layouts_and_sizes_that_disagree() -> None:
    text = function(
        "(%x: memref<?x?xf32, strided<[?, ?], offset: ?>>, %y: memref<?x?xf32>)",
        "memref.copy %x, %y : memref<?x?xf32, strided<[?, ?], offset: ?>> to memref<?x?xf32>\nreturn",
    )
    x = f32(6, 8)
    for view in (x, x.T, x[::-2, 1::3], x[:0]):
        run_both(text, [view, np.zeros(view.shape, np.float32)])
        y = np.zeros(view.shape, np.float32)
        compiled(text)([view, y])
        np.testing.assert_array_equal(y, view)
    with pytest.raises(ExecutionError, match="must have the same size on axis 1"):
        compiled(text)([f32(2, 3), f32(2, 4)])


def test_globals_hold_their_values() -> None:
    text = """
      memref.global "private" constant @table : memref<2x3xf32> = dense<[[1.0, 2.5, -0.0], [0x7FC00000, 5.0, 6.0]]>
      memref.global "private" constant @same : memref<4xi16> = dense<-2>
      memref.global "private" @counter : memref<i64> = dense<40>
      func.func @f(%i: index, %j: index) -> (f32, i16, i64) {
        %t = memref.get_global @table : memref<2x3xf32>
        %s = memref.get_global @same : memref<4xi16>
        %c = memref.get_global @counter : memref<i64>
        %0 = memref.load %t[%i, %j] : memref<2x3xf32>
        %1 = memref.load %s[%j] : memref<4xi16>
        %2 = memref.load %c[] : memref<i64>
        %one = arith.constant 1 : i64
        %3 = arith.addi %2, %one : i64
        memref.store %3, %c[] : memref<i64>
        return %0, %1, %3 : f32, i16, i64
      }"""
    for i in range(2):
        for j in range(3):
            run_both(text, [np.int64(i), np.int64(j)])
    f = compiled(text)
    assert [f([0, 0])[2] for _ in range(3)] == [41, 42, 43]


def test_dim_of_an_axis_that_run_time_chooses() -> None:
    text = function(
        "(%x: memref<?x4x?xf32>, %i: index) -> index",
        "%0 = memref.dim %x, %i : memref<?x4x?xf32>\nreturn %0 : index",
    )
    for axis, size in enumerate((3, 4, 5)):
        assert run_both(text, [np.zeros((3, 4, 5), np.float32), np.int64(axis)])[0] == size
