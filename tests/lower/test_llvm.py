"""Loops, blocks, calls, buffers and vectors as machine code do what the interpreter does."""

from __future__ import annotations

import resource
import sys

import numpy as np
import pytest

from tests.lower.native import compiled, lowered, run_both
from tir.dialects.all import REGISTRY
from tir.ir.errors import ExecutionError, PassError
from tir.ir.ir import UnregisteredOp
from tir.lower.call_depth import MAX_CALL_DEPTH
from tir.lower.llvm import RULES, lower_to_llvm
from tir.parser.parse import parse_text
from tir.runtime.jit import emit_assembly, host_target

CONSTANTS = """
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
"""


def function(signature: str, body: str) -> str:
    return f"func.func @f{signature} {{{CONSTANTS}{body}\n}}"


def f32(*shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape)).standard_normal(shape).astype(np.float32)


# --- scf -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bounds", [(0, 0, 1), (0, 1, 1), (3, 20, 4), (5, 2, 1), (-7, 7, 2), (0, 5, 100)])
def test_for_runs_the_trips_of_range(bounds: tuple[int, int, int]) -> None:
    text = function(
        "(%low: index, %high: index, %step: index) -> (index, index)",
        """
        %r:2 = scf.for %i = %low to %high step %step iter_args(%n = %c0, %s = %c0) -> (index, index) {
          %m = arith.addi %n, %c1 : index
          %t = arith.addi %s, %i : index
          scf.yield %m, %t : index, index
        }
        return %r#0, %r#1 : index, index""",
    )
    got = run_both(text, list(map(np.int64, bounds)))
    assert got[:2] == [len(range(*bounds)), sum(range(*bounds))]


def test_for_counts_in_i32_and_compares_unsigned_when_told() -> None:
    text = """
      func.func @f(%low: i32, %high: i32) -> i32 {
        %c0 = arith.constant 0 : i32
        %c1 = arith.constant 1 : i32
        %r = scf.for unsigned %i = %low to %high step %c1 iter_args(%n = %c0) -> (i32) : i32 {
          %m = arith.addi %n, %c1 : i32
          scf.yield %m : i32
        }
        return %r : i32
      }"""
    assert run_both(text, [np.int32(2**31 - 3), np.int32(-(2**31) + 4)])[0] == 7
    assert run_both(text.replace("unsigned ", ""), [np.int32(2**31 - 3), np.int32(-(2**31) + 4)])[0] == 0


@pytest.mark.parametrize("step", [0, -1])
def test_a_step_that_is_not_positive_is_an_error_and_no_endless_loop(step: int) -> None:
    text = function("(%s: index)", "scf.for %i = %c0 to %c3 step %s {\n}\nreturn")
    with pytest.raises(ExecutionError, match="the step must be at least 1"):
        compiled(text)([step])
    text = function("(%s: index)", "scf.parallel (%i, %j) = (%c0, %c0) to (%c3, %c3) step (%c1, %s) {\n}\nreturn")
    with pytest.raises(ExecutionError, match="the step must be at least 1"):
        compiled(text)([step])


@pytest.mark.parametrize("x", [-2.0, 0.5, 3.0])
def test_if_gives_the_values_of_one_region(x: float) -> None:
    text = """
      func.func @f(%x: f32, %y: memref<f32>) -> (f32, i1) {
        %c0 = arith.constant 0.0 : f32
        %c1 = arith.constant 1.0 : f32
        %negative = arith.cmpf olt, %x, %c0 : f32
        %large = arith.cmpf ogt, %x, %c1 : f32
        %r:2 = scf.if %negative -> (f32, i1) {
          %0 = arith.negf %x : f32
          scf.yield %0, %large : f32, i1
        } else {
          %1 = scf.if %large -> (f32) {
            memref.store %x, %y[] : memref<f32>
            scf.yield %c1 : f32
          } else {
            scf.yield %x : f32
          }
          scf.yield %1, %negative : f32, i1
        }
        scf.if %large {
          memref.store %r#0, %y[] : memref<f32>
        }
        return %r#0, %r#1 : f32, i1
      }"""
    run_both(text, [np.float32(x), np.zeros((), np.float32)])


@pytest.mark.parametrize("n", [1, 2, 7, 27])
def test_while_runs_until_its_condition_is_false(n: int) -> None:
    text = """
      func.func @f(%n: i64) -> (i64, i64) {
        %c0 = arith.constant 0 : i64
        %c1 = arith.constant 1 : i64
        %c2 = arith.constant 2 : i64
        %c3 = arith.constant 3 : i64
        %r:2 = scf.while (%x = %n, %count = %c0) : (i64, i64) -> (i64, i64) {
          %more = arith.cmpi sgt, %x, %c1 : i64
          scf.condition(%more) %count, %x : i64, i64
        } do {
        ^bb0(%count: i64, %x: i64):
          %rest = arith.remsi %x, %c2 : i64
          %odd = arith.cmpi ne, %rest, %c0 : i64
          %next = scf.if %odd -> (i64) {
            %0 = arith.muli %x, %c3 : i64
            %1 = arith.addi %0, %c1 : i64
            scf.yield %1 : i64
          } else {
            %2 = arith.divsi %x, %c2 : i64
            scf.yield %2 : i64
          }
          %following = arith.addi %count, %c1 : i64
          scf.yield %next, %following : i64, i64
        }
        return %r#0, %r#1 : i64, i64
      }"""
    assert run_both(text, [np.int64(n)])[0] == {1: 0, 2: 1, 7: 16, 27: 111}[n]


def test_parallel_combines_in_the_order_of_the_loops() -> None:
    text = function(
        "(%x: memref<?x?xf32>, %n: index, %m: index) -> (f32, f32)",
        """
        %zero = arith.constant 0.0 : f32
        %low = arith.constant 0xFF800000 : f32
        %r:2 = scf.parallel (%i, %j) = (%c0, %c1) to (%n, %m) step (%c1, %c2) init (%zero, %low) -> (f32, f32) {
          %0 = memref.load %x[%i, %j] : memref<?x?xf32>
          scf.reduce(%0, %0 : f32, f32) {
          ^bb0(%a: f32, %b: f32):
            %1 = arith.addf %a, %b : f32
            scf.reduce.return %1 : f32
          }, {
          ^bb0(%a: f32, %b: f32):
            %2 = arith.maximumf %a, %b : f32
            scf.reduce.return %2 : f32
          }
        }
        return %r#0, %r#1 : f32, f32""",
    )
    for shape in ((5, 6), (1, 2), (3, 1), (0, 4)):
        run_both(text, [f32(*shape), *map(np.int64, shape)])


def test_stack_buffers_in_a_parallel_loop_are_not_called_independent() -> None:
    text = function(
        "(%x: memref<64xf32>, %y: memref<64xf32>)",
        """
        %c64 = arith.constant 64 : index
        scf.parallel (%i) = (%c0) to (%c64) step (%c1) {
          %t = memref.alloca() : memref<1xf32>
          %0 = memref.load %x[%i] : memref<64xf32>
          memref.store %0, %t[%c0] : memref<1xf32>
          %1 = memref.load %t[%c0] : memref<1xf32>
          %2 = arith.addf %1, %1 : f32
          memref.store %2, %y[%i] : memref<64xf32>
        }
        return""",
    )
    x = f32(64)
    np.testing.assert_array_equal(run_both(text, [x, np.zeros_like(x)])[1], x + x)
    assert sum("access.group" in line for line in lowered(text).text.splitlines()) == 2


# --- cf --------------------------------------------------------------------------------------------------------------

COLLATZ_BLOCKS = """
  func.func @f(%n: i64) -> i64 {
    %c0 = arith.constant 0 : i64
    %c1 = arith.constant 1 : i64
    %c2 = arith.constant 2 : i64
    %c3 = arith.constant 3 : i64
    cf.br ^head(%n, %c0 : i64, i64)
  ^done(%result: i64):
    return %result : i64
  ^odd(%y: i64, %k: i64):
    %0 = arith.muli %y, %c3 : i64
    %1 = arith.addi %0, %c1 : i64
    cf.br ^head(%1, %k : i64, i64)
  ^body:
    %rest = arith.andi %x, %c1 : i64
    %is_odd = arith.cmpi ne, %rest, %c0 : i64
    %next = arith.addi %count, %c1 : i64
    %half = arith.shrui %x, %c1 : i64
    cf.cond_br %is_odd, ^odd(%x, %next : i64, i64), ^head(%half, %next : i64, i64)
  ^head(%x: i64, %count: i64):
    %more = arith.cmpi sgt, %x, %c1 : i64
    cf.cond_br %more, ^body, ^done(%count : i64)
  }"""


@pytest.mark.parametrize("n", [1, 7, 27])
def test_blocks_in_any_order_make_loops(n: int) -> None:
    assert run_both(COLLATZ_BLOCKS, [np.int64(n)])[0] == {1: 0, 7: 16, 27: 111}[n]


@pytest.mark.parametrize("c", [False, True])
def test_a_branch_to_one_block_from_both_sides(c: bool) -> None:
    text = """
      func.func @f(%c: i1, %x: i32, %y: i32) -> i32 {
        cf.cond_br %c, ^end(%x : i32), ^end(%y : i32)
      ^end(%z: i32):
        return %z : i32
      }"""
    assert run_both(text, [np.bool_(c), np.int32(3), np.int32(5)])[0] == (3 if c else 5)


def test_a_failed_assert_says_its_message_and_place() -> None:
    text = function(
        "(%n: index)",
        """
        %few = arith.cmpi slt, %n, %c3 : index
        cf.assert %few, "too many"
        scf.for %i = %c0 to %n step %c1 {
          %ok = arith.cmpi ne, %i, %c1 : index
          cf.assert %ok, "not one"
        }
        return""",
    )
    f = compiled(text)
    assert f([0]) == f([1]) == []
    with pytest.raises(ExecutionError, match="not one") as error:
        f([2])
    assert error.value.location.file_location().line == 11
    with pytest.raises(ExecutionError, match="too many"):
        f([3])


# --- func ------------------------------------------------------------------------------------------------------------


def test_a_call_hands_on_values_buffers_and_failures() -> None:
    text = """
      func.func private @g(%x: memref<?xf32>, %c: i1, %h: f16) -> (memref<?xf32>, f16, i1) {
        cf.assert %c, "g failed"
        %c0 = arith.constant 0 : index
        %n = memref.dim %x, %c0 : memref<?xf32>
        %y = memref.alloc(%n) : memref<?xf32>
        memref.copy %x, %y : memref<?xf32> to memref<?xf32>
        %k = arith.addf %h, %h : f16
        return %y, %k, %c : memref<?xf32>, f16, i1
      }
      func.func @f(%x: memref<?xf32>, %c: i1, %h: f16) -> (memref<?xf32>, f16, i1) {
        %r:3 = func.call @g(%x, %c, %h) : (memref<?xf32>, i1, f16) -> (memref<?xf32>, f16, i1)
        %s:3 = func.call @g(%r#0, %r#2, %r#1) : (memref<?xf32>, i1, f16) -> (memref<?xf32>, f16, i1)
        return %s#0, %s#1, %s#2 : memref<?xf32>, f16, i1
      }"""
    got = run_both(text, [f32(5), np.bool_(True), np.float16(0.3)])
    np.testing.assert_array_equal(got[0], f32(5))
    with pytest.raises(ExecutionError, match="g failed"):
        compiled(text)([f32(5), False, 1.0])


def test_functions_that_call_themselves_are_refused() -> None:
    """Nothing bounds how deep they go, and a full stack ends the process; the interpreter counts."""
    text = """
      func.func @f(%x: f32) -> f32 {
        %y = func.call @g(%x) : (f32) -> f32
        return %y : f32
      }
      func.func @g(%x: f32) -> f32 {
        %y = func.call @f(%x) : (f32) -> f32
        return %y : f32
      }"""
    with pytest.raises(PassError, match="@f calls itself in the end, which machine code may not"):
        lowered(text)


def _chain(length: int) -> str:
    first = "func.func @f0(%x: f32) -> f32 {\nreturn %x : f32\n}\n"
    call = "func.func @f{}(%x: f32) -> f32 {{\n%y = func.call @f{}(%x) : (f32) -> f32\nreturn %y : f32\n}}\n"
    return first + "".join(call.format(i, i - 1) for i in range(1, length))


def test_calls_may_nest_only_as_deep_as_the_stack_allows() -> None:
    assert compiled(_chain(MAX_CALL_DEPTH), f"f{MAX_CALL_DEPTH - 1}")([2.5]) == [2.5]
    with pytest.raises(PassError, match="nested more than 100 deep"):
        lowered(_chain(MAX_CALL_DEPTH + 1))


@pytest.mark.parametrize("name", ["malloc", "f g", "llvm.sqrt", "größe", "cos"])
def test_any_name_of_a_function_will_do(name: str) -> None:
    text = f'func.func @"{name}"(%x: f32) -> f32 {{\nreturn %x : f32\n}}'
    assert compiled(text, name)([2.5]) == [2.5]


def test_only_buffers_that_nothing_else_can_change_are_called_noalias() -> None:
    def header(arguments: str) -> str:
        store = "%v = memref.load %x[%c0] : memref<4xf32>\nmemref.store %v, %y[%c0] : memref<4xf32>\nreturn"
        text = lowered(function(f"({arguments})", store)).text
        return next(line for line in text.splitlines() if line.startswith("define"))

    assert "noalias" not in header("%x: memref<4xf32>, %y: memref<4xf32>")
    out = header("%x: memref<4xf32>, %y: memref<4xf32> {tir.out}")
    assert "ptr noalias captures(none) readonly %x" in out and "ptr noalias captures(none) %y" in out
    shared = header("%x: memref<4xf32>, %y: memref<4xf32> {tir.shared = @f}")
    assert "ptr noalias captures(none) %y" in shared
    other = header("%x: memref<4xf32> {tir.out}, %y: memref<4xf32>")
    assert "ptr noalias captures(none) readonly %x" in other and "ptr captures(none) %y" in other


# --- memref ----------------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("ok", [True, False])
def test_nothing_leaks_whatever_way_the_function_ends(ok: bool) -> None:
    f = compiled(LEAKY)

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


# --- vector ----------------------------------------------------------------------------------------------------------


def test_vectors_from_and_to_memory() -> None:
    text = function(
        "(%x: memref<?x8xf32>, %y: memref<?x8xf32>, %m: memref<4x8xi1>, %n: index, %a: f32)",
        """
        %v = vector.load %x[%c1, %c2] : memref<?x8xf32>, vector<4xf32>
        %b = vector.broadcast %a : f32 to vector<4xf32>
        %w = vector.fma %v, %b, %v : vector<4xf32>
        %u = arith.mulf %w, %b : vector<4xf32>
        vector.store %u, %y[%c0, %c1] : memref<?x8xf32>, vector<4xf32>
        %mask = vector.create_mask %n : vector<4xi1>
        %l = vector.maskedload %x[%c2, %c0], %mask, %u : memref<?x8xf32>, vector<4xi1>, vector<4xf32> into vector<4xf32>
        vector.maskedstore %y[%c1, %c3], %mask, %l : memref<?x8xf32>, vector<4xi1>, vector<4xf32>
        vector.store %l, %y[%c2, %c0] : memref<?x8xf32>, vector<4xf32>
        vector.store %mask, %m[%c1, %c2] : memref<4x8xi1>, vector<4xi1>
        %k = vector.load %m[%c1, %c1] : memref<4x8xi1>, vector<4xi1>
        vector.store %k, %m[%c2, %c0] : memref<4x8xi1>, vector<4xi1>
        %z = vector.extract %u[2] : f32 from vector<4xf32>
        %p = vector.extract %u[%c1] : f32 from vector<4xf32>
        %q = vector.insert %z, %l[%c0] : f32 into vector<4xf32>
        %r = vector.insert %p, %q[3] : f32 into vector<4xf32>
        vector.store %r, %y[%c2, %c3] : memref<?x8xf32>, vector<4xf32>
        return""",
    )
    for n in (-1, 0, 1, 3, 4, 9):
        run_both(text, [f32(3, 8), f32(3, 8), np.zeros((4, 8), np.bool_), np.int64(n), np.float32(1.1)])


@pytest.mark.parametrize("kind", "add mul minimumf maximumf minnumf maxnumf".split())
def test_reductions_of_floats_are_in_order(kind: str) -> None:
    for acc in ("", ", %a"):
        text = f"""
          func.func @f(%x: memref<4xf32>, %a: f32) -> f32 {{
            %c0 = arith.constant 0 : index
            %v = vector.load %x[%c0] : memref<4xf32>, vector<4xf32>
            %0 = vector.reduction <{kind}>, %v{acc} : vector<4xf32> into f32
            return %0 : f32
          }}"""
        for values in ([1e8, 1, -1e8, 1], [-0.0, 0.0, -0.0, -0.0], [np.nan, 1, 2, 3], [0.0, -0.0, 0.0, np.nan]):
            for a in (0.5, -0.0, np.nan):
                run_both(text, [np.array(values, np.float32), np.float32(a)])


@pytest.mark.parametrize("kind", "add mul and or xor minsi maxsi minui maxui".split())
def test_reductions_of_integers(kind: str) -> None:
    for acc in ("", ", %a"):
        text = f"""
          func.func @f(%x: memref<4xi8>, %a: i8) -> i8 {{
            %c0 = arith.constant 0 : index
            %v = vector.load %x[%c0] : memref<4xi8>, vector<4xi8>
            %0 = vector.reduction <{kind}>, %v{acc} : vector<4xi8> into i8
            return %0 : i8
          }}"""
        for values in ([1, 2, 3, 4], [-1, 127, -128, 5], [100, 100, 100, 100]):
            run_both(text, [np.array(values, np.int8), np.int8(-7)])


# --- the text --------------------------------------------------------------------------------------------------------

SAXPY = function(
    "(%a: f32, %x: memref<?xf32>, %y: memref<?xf32>)",
    """
    %n = memref.dim %x, %c0 : memref<?xf32>
    scf.for %i = %c0 to %n step %c1 {
      %0 = memref.load %x[%i] : memref<?xf32>
      %1 = memref.load %y[%i] : memref<?xf32>
      %2 = arith.mulf %a, %0 : f32
      %3 = arith.addf %2, %1 : f32
      memref.store %3, %y[%i] : memref<?xf32>
    }
    return""",
)

MATMUL = function(
    "(%a: memref<?x64xf32>, %b: memref<64x?xf32>, %c: memref<?x?xf32> {tir.out})",
    """
    %c64 = arith.constant 64 : index
    %m = memref.dim %a, %c0 : memref<?x64xf32>
    %n = memref.dim %b, %c1 : memref<64x?xf32>
    scf.parallel (%i) = (%c0) to (%m) step (%c1) {
      scf.for %k = %c0 to %c64 step %c1 {
        %x = memref.load %a[%i, %k] : memref<?x64xf32>
        scf.parallel (%j) = (%c0) to (%n) step (%c1) {
          %y = memref.load %b[%k, %j] : memref<64x?xf32>
          %p = arith.mulf %x, %y : f32
          %s = memref.load %c[%i, %j] : memref<?x?xf32>
          %t = arith.addf %s, %p : f32
          memref.store %t, %c[%i, %j] : memref<?x?xf32>
        }
      }
    }
    return""",
)


@pytest.mark.skipif(not host_target().triple.startswith("x86_64"), reason="reads x86 assembly")
@pytest.mark.parametrize("text", [SAXPY, MATMUL], ids=["saxpy", "matmul"])
def test_loops_over_contiguous_memory_are_vectorised(text: str) -> None:
    assembly = emit_assembly(lower_to_llvm(parse_text(text, REGISTRY), host_target().vector_bytes * 8).text)
    register = {64: "zmm", 32: "ymm", 16: "xmm"}[host_target().vector_bytes]
    assert any("mulps" in line and register in line for line in assembly.splitlines())


def test_saxpy_and_matmul_compute_what_numpy_does() -> None:
    x, y = f32(100), f32(100)
    np.testing.assert_array_equal(run_both(SAXPY, [np.float32(2), x, y])[2], np.float32(2) * x + y)
    a, b = f32(5, 64), f32(64, 7)
    # 64 products of numbers below 4: an error below 64 * 64 * 16 * 2^-24.
    np.testing.assert_allclose(run_both(MATMUL, [a, b, np.zeros((5, 7), np.float32)])[2], a @ b, atol=4e-3)


def test_the_same_module_gives_the_same_text() -> None:
    texts = {lowered(text).text for text in [MATMUL, MATMUL]}
    assert len(texts) == 1


def test_nesting_deeper_than_pythons_stack() -> None:
    leaf = "scf.if %c {\n" * 200 + "}\n" * 200
    module = parse_text(f"func.func @f(%c: i1) {{\n{leaf}return\n}}", REGISTRY)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(200)
    try:
        assert lower_to_llvm(module).text.count("br i1") == 200
    finally:
        sys.setrecursionlimit(limit)


def test_each_rule_is_of_an_op_that_exists() -> None:
    assert not [name for name in RULES if REGISTRY.op_class(name) is None]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (function("(%x: i128)", "return"), "type i128 has no machine form"),
        (
            function("(%x: bf16)", "%0 = arith.addf %x, %x : bf16\nreturn"),
            "arith.addf: machine code has no arithmetic on bf16; run arith-emulate-unsupported-floats before this",
        ),
        (function("(%x: memref<4xf32, 3>)", "return"), "memory space 3 is not one of the CPU"),
        (function("(%x: tensor<4xf32>)", "return"), "type tensor<4xf32> has no machine form"),
        (function("(%x: vector<2x2xf32>)", "return"), "a vector must have one dimension"),
        (function("(%x: memref<2x2xf32, affine_map<(d0, d1) -> (d1, d0)>>)", "return"), "the layout must be strided"),
        (
            function("()", "%a = memref.alloc() : memref<2x2xf32, strided<[4, 1]>>\nreturn"),
            "memref.alloc: a new buffer must be dense",
        ),
        (
            function("(%x: memref<2xf32>)", "memref.dealloc %x : memref<2xf32>\nreturn"),
            "memref.dealloc: only a buffer that this function made can be freed",
        ),
        (
            function(
                "(%x: memref<2xf32>)",
                """
                %r = scf.for %i = %c0 to %c3 step %c1 iter_args(%b = %x) -> (memref<2xf32>) {
                  %n = memref.alloc() : memref<2xf32>
                  scf.yield %n : memref<2xf32>
                }
                return""",
            ),
            "memref.alloc: a buffer that is made in a loop cannot go to the next iteration; make it outside",
        ),
        (
            "func.func private @g()\n" + function("()", "func.call @g() : () -> ()\nreturn"),
            "func.call: @g has no body in this module",
        ),
    ],
)
def test_what_has_no_machine_code_is_a_located_error(text: str, message: str) -> None:
    with pytest.raises(PassError) as error:
        lowered(text)
    assert message in str(error.value)
    assert error.value.location is not None and error.value.location.file_location() is not None


def test_an_op_that_a_pass_should_have_removed_names_the_pass() -> None:
    text = """
      func.func @f(%x: memref<4xf32>) {
        linalg.generic {
          indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]
        } outs(%x : memref<4xf32>) {
        ^bb0(%a: f32):
          linalg.yield %a : f32
        }
        return
      }"""
    with pytest.raises(PassError, match=r"linalg.generic: has no machine code; run lower-loops before this"):
        lowered(text)


def test_an_op_that_nobody_knows_is_refused() -> None:
    module = parse_text('func.func @f() {\n"other.op"() : () -> ()\nreturn\n}', REGISTRY, allow_unregistered=True)
    assert any(isinstance(op, UnregisteredOp) for op in module.walk())
    with pytest.raises(PassError, match="other.op: has no machine code"):
        lower_to_llvm(module)
