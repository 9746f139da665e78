"""Loops, blocks and calls as machine code do what the interpreter does."""

from __future__ import annotations

import numpy as np
import pytest

from tests.lower.native import compiled, lowered, run_both
from tests.lower.programs import f32, function
from tir.dialects.all import REGISTRY
from tir.interpret import Interpreter
from tir.ir.errors import ExecutionError, PassError
from tir.lower.call_depth import MAX_CALL_DEPTH
from tir.parser.parse import parse_text

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


@pytest.mark.parametrize("given", [True, False], ids=["open step", "known step"])
@pytest.mark.parametrize("order", ["", "unsigned "])
@pytest.mark.parametrize("type", ["i8", "i32", "i64", "index"])
def test_a_counter_that_would_pass_the_largest_number_ends_the_loop(type: str, order: str, given: bool) -> None:
    bits = {"i8": 8, "i32": 32}.get(type, 64)
    largest, dtype = 2 ** (bits - (not order)) - 1, {"i8": np.int8, "i32": np.int32}.get(type, np.int64)
    for low, high, step in (
        (0, largest, largest // 8 + 1), (largest - 9, largest, largest // 3), (largest // 2 + 1, largest - 1, largest // 2),
        (0, largest - largest // 5, largest // 7),
    ):  # fmt: skip
        text = f"""
        func.func @f(%low: {type}, %high: {type}, %given: {type}) -> i32 {{
          %known = arith.constant {step} : {type}
          %c0 = arith.constant 0 : i32
          %c1 = arith.constant 1 : i32
          %r = scf.for {order}%i = %low to %high step {"%given" if given else "%known"} iter_args(%n = %c0) -> (i32){"" if type == "index" else f" : {type}"} {{
            %m = arith.addi %n, %c1 : i32
            scf.yield %m : i32
          }}
          return %r : i32
        }}"""
        arguments = [np.array(number, f"u{dtype(0).itemsize}").view(dtype)[()] for number in (low, high, step)]
        assert run_both(text, arguments)[0] == len(range(low, high, step))


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
    with pytest.raises(ExecutionError, match="not one, got 1 and 1$") as error:
        f([2])
    assert error.value.location.file_location().line == 11
    with pytest.raises(ExecutionError, match="too many, got 3 and 3$"):
        f([3])


def test_an_assert_says_the_sizes_that_it_compared() -> None:
    text = function(
        "(%n: index, %m: index, %k: i64)",
        """
        %zero = arith.constant 0 : index
        %positive = arith.cmpi sge, %n, %zero : index
        cf.assert %positive, "negative"
        %small = arith.cmpi sle, %m, %zero : index
        %equal = arith.cmpi eq, %n, %m : index
        %enough = arith.ori %equal, %small : i1
        cf.assert %enough, "unequal and large"
        cf.assert %equal, "unequal"
        %number = arith.constant 0 : i64
        %is_zero = arith.cmpi eq, %k, %number : i64
        cf.assert %is_zero, "no size"
        %both = arith.andi %equal, %positive : i1
        %never = arith.xori %both, %both : i1
        cf.assert %never, "no comparison"
        return""",
    )
    rows = [((-3, 1, 0), "negative, got -3"), ((2**62, -(2**63), 0), f"unequal, got {2**62} and {-(2**63)}"),
            ((3, 0, 0), "unequal, got 3 and 0"), ((3, 2, 0), "unequal and large, got 3 and 2"),
            ((1, 1, 5), "no size"), ((1, 1, 0), "no comparison")]  # fmt: skip
    for run in (compiled(text), lambda values: Interpreter(parse_text(text, REGISTRY)).run("f", values)):
        for (n, m, k), message in rows:
            with pytest.raises(ExecutionError, match=f"[0-9]: {message}$"):
                run([np.int64(n), np.int64(m), np.int64(k)])


def test_a_caller_hears_the_sizes_that_a_callee_compared() -> None:
    text = """
      func.func private @g(%n: index, %m: index) {
        %equal = arith.cmpi eq, %n, %m : index
        cf.assert %equal, "unequal"
        return
      }
      func.func @f(%n: index, %m: index) {
        func.call @g(%n, %m) : (index, index) -> ()
        return
      }"""
    f = compiled(text)
    assert f([7, 7]) == []
    for pair in ([2, 3], [5, 4]):
        with pytest.raises(ExecutionError, match="unequal, got {} and {}$".format(*pair)):
            f(pair)


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
