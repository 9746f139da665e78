"""scf: loops and conditions, run and verified."""

from __future__ import annotations

import numpy as np
import pytest

from tests.dialects.programs import function, module, run_body, run_error, verify_error
from tir.dialects import scf
from tir.ir.ir import Op
from tir.ir.traits import Effects, effects_of, is_pure

SUM = """
  %zero = arith.constant 0 : index
  %r = scf.for %i = %low to %high step %step iter_args(%sum = %zero) -> (index) {
    %next = arith.addi %sum, %i : index
    scf.yield %next : index
  }
  return %r : index
"""


@pytest.mark.parametrize(
    ("low", "high", "step"), [(0, 10, 1), (3, 10, 4), (-5, 3, 2), (4, 4, 1), (5, 4, 1), (0, 1, 100)]
)
def test_for_runs_from_low_while_below_high(low: int, high: int, step: int) -> None:
    got = run_body("(%low: index, %high: index, %step: index) -> index", SUM, low, high, step)
    assert got == [sum(range(low, high, step))]


@pytest.mark.parametrize("step", [0, -1])
def test_for_refuses_a_step_below_one(step: int) -> None:
    text = function("(%low: index, %high: index, %step: index) -> index", SUM)
    assert run_error(text, 0, 3, step).message == f"scf.for: the step must be at least 1, got {step}"


def test_for_counts_in_the_type_of_its_bounds() -> None:
    body = """
      %zero = arith.constant 0 : i8
      %r = scf.for {unsigned} %i = %low to %high step %step iter_args(%last = %zero) -> (i8) : i8 {
        scf.yield %i : i8
      }
      return %r : i8
    """
    signature = "(%low: i8, %high: i8, %step: i8) -> i8"
    (got,) = run_body(signature, body.replace("{unsigned}", ""), -100, 100, 50)
    assert got == 50 and got.dtype == np.int8
    (got,) = run_body(signature, body.replace("{unsigned}", "unsigned"), 100, -100, 50)  # -100 is 156
    assert got == np.int8(-106)  # 150


def test_for_carries_values_together() -> None:
    body = """
      %zero = arith.constant 0 : index
      %one = arith.constant 1 : index
      %r:2 = scf.for %i = %zero to %n step %one iter_args(%a = %x, %b = %y) -> (f32, f32) {
        scf.yield %b, %a : f32, f32
      }
      return %r#0, %r#1 : f32, f32
    """
    signature = "(%n: index, %x: f32, %y: f32) -> (f32, f32)"
    assert run_body(signature, body, 3, np.float32(1), np.float32(2)) == [2, 1]
    assert run_body(signature, body, 0, np.float32(1), np.float32(2)) == [1, 2]


def test_if_runs_one_region() -> None:
    body = """
      %r:2 = scf.if %c -> (f32, f32) {
        scf.yield %x, %y : f32, f32
      } else {
        scf.yield %y, %x : f32, f32
      }
      return %r#0, %r#1 : f32, f32
    """
    signature = "(%c: i1, %x: f32, %y: f32) -> (f32, f32)"
    assert run_body(signature, body, np.bool_(True), np.float32(1), np.float32(2)) == [1, 2]
    assert run_body(signature, body, np.bool_(False), np.float32(1), np.float32(2)) == [2, 1]


def test_if_without_else_does_nothing_when_false() -> None:
    body = "scf.if %c {\n memref.store %x, %m[] : memref<f32>\n}\nreturn"
    for condition in (True, False):
        array = np.array(0, np.float32)
        run_body("(%c: i1, %x: f32, %m: memref<f32>)", body, np.bool_(condition), np.float32(7), array)
        assert array == (7 if condition else 0)


def test_while_hands_the_values_of_its_condition_on() -> None:
    body = """
      %one = arith.constant 1 : i64
      %two = arith.constant 2 : i64
      %zero = arith.constant 0 : i64
      %r:2 = scf.while (%n = %start, %steps = %zero) : (i64, i64) -> (i64, i64) {
        %more = arith.cmpi ne, %n, %one : i64
        scf.condition(%more) %n, %steps : i64, i64
      } do {
      ^bb0(%n: i64, %steps: i64):
        %rest = arith.remsi %n, %two : i64
        %odd = arith.cmpi ne, %rest, %zero : i64
        %next = scf.if %odd -> (i64) {
          %three = arith.constant 3 : i64
          %m = arith.muli %n, %three : i64
          %k = arith.addi %m, %one : i64
          scf.yield %k : i64
        } else {
          %k = arith.divsi %n, %two : i64
          scf.yield %k : i64
        }
        %count = arith.addi %steps, %one : i64
        scf.yield %next, %count : i64, i64
      }
      return %r#0, %r#1 : i64, i64
    """
    assert run_body("(%start: i64) -> (i64, i64)", body, 27) == [1, 111]  # the length of Collatz's sequence from 27
    assert run_body("(%start: i64) -> (i64, i64)", body, 1) == [1, 0]


REDUCE = """
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %r:2 = scf.parallel (%i, %j) = (%zero, %zero) to (%n, %n) step (%one, %one) init (%x, %y) -> (f32, f32) {
    %v = memref.load %m[%i, %j] : memref<?x?xf32>
    scf.reduce(%v, %v : f32, f32) {
    ^bb0(%a: f32, %b: f32):
      %s = arith.addf %a, %b : f32
      scf.reduce.return %s : f32
    }, {
    ^bb0(%a: f32, %b: f32):
      %s = arith.mulf %a, %b : f32
      scf.reduce.return %s : f32
    }
  }
  return %r#0, %r#1 : f32, f32
"""


def test_parallel_combines_in_the_order_of_the_loops() -> None:
    values = np.random.default_rng(0).standard_normal((5, 5)).astype(np.float32)
    total, product = np.float32(1), np.float32(2)
    for value in values.ravel():
        total, product = total + value, product * value
    signature = "(%n: index, %x: f32, %y: f32, %m: memref<?x?xf32>) -> (f32, f32)"
    assert run_body(signature, REDUCE, 5, np.float32(1), np.float32(2), values) == [total, product]
    assert run_body(signature, REDUCE, 0, np.float32(1), np.float32(2), values) == [1, 2]


def test_parallel_without_values_writes_buffers() -> None:
    body = """
      %zero = arith.constant 0 : index
      %one = arith.constant 1 : index
      %two = arith.constant 2 : index
      scf.parallel (%i, %j) = (%zero, %one) to (%n, %n) step (%one, %two) {
        memref.store %x, %m[%i, %j] : memref<?x?xf32>
        scf.reduce
      }
      return
    """
    array = np.zeros((4, 4), np.float32)
    run_body("(%n: index, %x: f32, %m: memref<?x?xf32>)", body, 4, np.float32(3), array)
    want = np.zeros((4, 4), np.float32)
    want[:, 1::2] = 3
    np.testing.assert_array_equal(array, want)


def only(text: str, cls: type[Op]) -> Op:
    return next(op for op in module(text).walk() if isinstance(op, cls))


def test_accessors_of_loops() -> None:
    loop = only(function("(%low: index, %high: index, %step: index) -> index", SUM), scf.For)
    assert isinstance(loop, scf.For)
    assert loop.induction_variable is loop.body.arguments[0] and loop.iter_args == loop.body.arguments[1:]
    assert loop.yielded == loop.body.terminator.operands
    signature = "(%n: index, %x: f32, %y: f32, %m: memref<?x?xf32>) -> (f32, f32)"
    nest = only(function(signature, REDUCE), scf.Parallel)
    assert isinstance(nest, scf.Parallel)
    assert nest.rank == 2 and len(nest.induction_variables) == 2 and len(nest.reduce.regions) == 2


def test_effects_of_a_loop_are_those_of_its_body() -> None:
    assert is_pure(only(function("(%low: index, %high: index, %step: index) -> index", SUM), scf.For))
    body = "scf.if %c {\n memref.store %x, %m[] : memref<f32>\n}\nreturn"
    assert Effects.WRITE in effects_of(only(function("(%c: i1, %x: f32, %m: memref<f32>)", body), scf.If))


FOR = "%r = scf.for %i = %n to %n step %n iter_args(%a = %x) -> (f32) {\n scf.yield %y : {t}\n}\nreturn"
IF = "%r = scf.if %c -> (f32) {\n scf.yield %x : f32\n} else {\n scf.yield %y : {t}\n}\nreturn"
WHILE = (
    "%r = scf.while (%a = %x) : (f32) -> f32 {\n scf.condition(%c) %y : {t}\n} do {\n^bb0(%b: f32):\n"
    " scf.yield %b : f32\n}\nreturn"
)
PARALLEL = (
    "%r = scf.parallel (%i) = (%n) to (%n) step (%n) init (%x) -> f32 {\n scf.reduce(%y : {t}) {\n"
    "^bb0(%p: {t}, %q: {t}):\n scf.reduce.return %p : {t}\n}\n}\nreturn"
)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (FOR, "scf.for: the loop carries (f32), but the region yields (i32)"),
        (IF, "scf.if: the op has (f32), but the region yields (i32)"),
        (WHILE, "scf.while: scf.condition must hand on (f32), got (i32)"),
        (PARALLEL, "scf.parallel: scf.reduce must combine (f32), got (i32)"),
    ],
)
def test_yielded_types_must_be_those_of_the_op(body: str, message: str) -> None:
    signature = "(%n: index, %x: f32, %y: {t}, %c: i1)"
    assert verify_error(function(signature, body).replace("{t}", "i32")) == message
    module(function(signature, body).replace("{t}", "f32"))


THREADS = "scf.parallel (%i) = (%n) to (%n) step (%n) {\n} {tir.threads = {v}}\nreturn"
COMBINING = PARALLEL.replace("}\n}\nreturn", "}\n} {tir.threads}\nreturn").replace("{t}", "f32").replace("%y", "%x")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (THREADS.replace("{v}", "4"), "scf.parallel: tir.threads must have no value, got 4 : i64"),
        (COMBINING, "scf.parallel: tir.threads: iterations on several threads combine no values, got 1"),
        ("scf.for %i = %n to %n step %n {\n} {tir.threads}\nreturn", "scf.for: has no attribute 'tir.threads'"),
    ],
)
def test_mark_for_threads_must_be_one_of_a_loop_that_combines_nothing(body: str, message: str) -> None:
    assert verify_error(function("(%n: index, %x: f32)", body)) == message
    module(function("(%n: index, %x: f32)", THREADS.replace(" = {v}", "")))


def test_bounds_must_have_one_type() -> None:
    text = function("(%n: index, %k: i32)", '"scf.for"(%n, %n, %k) ({\n^bb0(%i: index):\n"scf.yield"() : () -> ()\n}) '
                    ": (index, index, i32) -> ()\nreturn")  # fmt: skip
    assert verify_error(text) == "scf.for: bounds and step must have one type, got (index, index, i32)"


def test_combination_must_return_its_type() -> None:
    body = """
      scf.parallel (%i) = (%n) to (%n) step (%n) init (%x) -> f32 {
        scf.reduce(%x : f32) {
        ^bb0(%p: f32, %q: f32):
          scf.reduce.return %n : index
        }
      }
      return
    """
    text = function("(%n: index, %x: f32)", body.replace("scf.parallel", "%r = scf.parallel", 1))
    assert verify_error(text) == "scf.reduce: region 0 must end in scf.reduce.return of f32"


def test_terminators_stand_in_their_loops_only() -> None:
    text = function("(%c: i1)", "scf.condition(%c)")
    assert verify_error(text) == "scf.condition: must stand in scf.while, got func.func"
