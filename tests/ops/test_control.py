"""Branches and loops: what they compute at every level, against Python loops over numpy, and how they are built."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from tests.ops.control_programs import BRANCH, arguments_of, by_hand, check, function, inputs, recurrence, run
from tir.dialects.all import REGISTRY
from tir.dialects.func import Func, Return
from tir.dialects.tir.builder import Tensor, TensorBuilder
from tir.interpret import Interpreter
from tir.ir.errors import TirError
from tir.ir.ir import Op
from tir.ir.verify import verify
from tir.parser.parse import parse_text
from tir.passes.canonicalize import Canonicalize
from tir.passes.dce import Dce
from tir.passes.lower_structured import LowerStructured

# --- tir.if ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("condition", [True, False])
def test_if_runs_the_region_that_the_condition_says(condition: bool) -> None:
    x, y = np.array([1.0, -2.0, np.inf]), np.array([0.5, -0.0, 3.0])
    check(BRANCH, (x * y, (x * y).sum()) if condition else (y, x.sum()), condition, x, y)


def test_only_the_chosen_region_runs() -> None:
    body = """  %r = tir.if %c -> (tensor<i32>) {
    tir.assert %c, "never" : tensor<i1>
    tir.yield %x : tensor<i32>
  } else {
    %never = tir.not %c : tensor<i1>
    tir.assert %never, "not here" : tensor<i1>
    tir.yield %x : tensor<i32>
  }"""
    text = function("%c: tensor<i1>, %x: tensor<i32>", body, "%r : tensor<i32>")
    for condition in (True, False):
        check(text, [np.int32(7)], condition, np.int32(7))


def test_if_without_results_and_without_else_runs_its_checks() -> None:
    body = """  tir.if %c {
    tir.assert %d, "must be true" : tensor<i1>
  }"""
    text = function("%c: tensor<i1>, %d: tensor<i1>", body, "%d : tensor<i1>")
    check(text, [False], False, False)
    with pytest.raises(TirError, match="must be true"):
        run(text, True, False)


# --- tir.while -------------------------------------------------------------------------------------------------------

COLLATZ = """  %one = tir.constant dense<1> : tensor<i64>
  %two = tir.constant dense<2> : tensor<i64>
  %three = tir.constant dense<3> : tensor<i64>
  %zero = tir.constant dense<0> : tensor<i64>
  %r:2 = tir.while (%n = %x : tensor<i64>, %k = %zero : tensor<i64>)LIMIT {
    %more = tir.cmp ne %n, %one : tensor<i64>
    tir.yield %more : tensor<i1>
  } do {
  ^bb0(%m: tensor<i64>, %j: tensor<i64>):
    %bit = tir.rem %m, %two : tensor<i64>
    %odd = tir.cmp eq %bit, %one : tensor<i64>
    %next = tir.if %odd -> (tensor<i64>) {
      %a = tir.mul %m, %three : tensor<i64>
      %b = tir.add %a, %one : tensor<i64>
      tir.yield %b : tensor<i64>
    } else {
      %h = tir.div %m, %two : tensor<i64>
      tir.yield %h : tensor<i64>
    }
    %i = tir.add %j, %one : tensor<i64>
    tir.yield %next, %i : tensor<i64>, tensor<i64>
  }"""


def collatz(n: int, limit: int) -> tuple[int, int]:
    steps = 0
    while n != 1 and steps < limit:
        n, steps = (3 * n + 1 if n % 2 else n // 2), steps + 1
    return n, steps


@pytest.mark.parametrize("limit", [None, 0, 5, 1000])
@pytest.mark.parametrize("start", [1, 2, 27])
def test_while_goes_on_as_long_as_the_condition_holds_and_steps_are_left(start: int, limit: int | None) -> None:
    text = COLLATZ.replace("LIMIT", "" if limit is None else f" max_trips {limit}")
    want = collatz(start, 10**6 if limit is None else limit)
    check(function("%x: tensor<i64>", text, "%r#0 : tensor<i64>; %r#1 : tensor<i64>"), want, np.int64(start))


def test_condition_is_not_asked_behind_the_last_trip() -> None:
    """An assert in it would fail there."""
    body = """  %one = tir.constant dense<1> : tensor<i32>
  %r = tir.while (%n = %x : tensor<i32>) max_trips 3 {
    %small = tir.cmp lt %n, %limit : tensor<i32>
    tir.assert %small, "too large" : tensor<i1>
    tir.yield %small : tensor<i1>
  } do {
  ^bb0(%m: tensor<i32>):
    %next = tir.add %m, %one : tensor<i32>
    tir.yield %next : tensor<i32>
  }"""
    text = function("%x: tensor<i32>, %limit: tensor<i32>", body, "%r : tensor<i32>")
    check(text, [np.int32(3)], np.int32(0), np.int32(3))
    with pytest.raises(TirError, match="too large"):
        run(text, np.int32(1), np.int32(3))


# --- tir.scan --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("size", "steps"), [("4", 4), ("1", 1), ("0", 0), ("[T]", 5), ("[T]", 0), ("?", 3)])
def test_scan_carries_and_stacks(size: str, steps: int, reverse: bool) -> None:
    body = recurrence(size, "reverse " if reverse else "")
    results = f"%last : tensor<2x3xf64>; %all : tensor<{size}x2x3xf64>; %sums : tensor<{size}xf64>"
    given = inputs(steps)
    check(function(arguments_of(size), body, results), by_hand(*given, reverse), *given)


def test_scan_over_sequences_of_different_lengths_is_an_error_at_every_level() -> None:
    text = function(arguments_of("?"), recurrence("?", ""), "%last : tensor<2x3xf64>")
    given = inputs(4)
    given[1] = given[1][:3]
    lowered = parse_text(text, REGISTRY)
    LowerStructured().run(lowered)
    with pytest.raises(TirError, match="tir.scan: axis 0 of sequence 1 must have the size of axis 0 of sequence 0"):
        run(text, *given)
    with pytest.raises(TirError, match="tir.scan: axis 0 of sequence 1 must have the size of axis 0 of sequence 0"):
        Interpreter(lowered).run("main", given)


def test_scan_of_integers_and_truth_values() -> None:
    body = """  %f = tir.constant dense<false> : tensor<i1>
  %last, %seen = tir.scan (%any = %f : tensor<i1>) over (%p = %ps : tensor<6xi1>) -> (tensor<6xui8>) {
    %now = tir.or %any, %p : tensor<i1>
    %u = tir.cast %now : tensor<i1> -> tensor<ui8>
    tir.yield %now, %u : tensor<i1>, tensor<ui8>
  }"""
    ps = np.array([False, False, True, False, True, False])
    text = function("%ps: tensor<6xi1>", body, "%last : tensor<i1>; %seen : tensor<6xui8>")
    check(text, (True, np.logical_or.accumulate(ps)), ps)


def test_loops_nest() -> None:
    body = """  %zero = tir.constant dense<0.0> : tensor<f64>
  %last, %rows = tir.scan (%outer = %zero : tensor<f64>) over (%row = %x : tensor<3x4xf64>) -> (tensor<3x4xf64>) {
    %sum, %sums = tir.scan (%inner = %outer : tensor<f64>) over (%e = %row : tensor<4xf64>) -> (tensor<4xf64>) {
      %s = tir.add %inner, %e : tensor<f64>
      tir.yield %s, %s : tensor<f64>, tensor<f64>
    }
    tir.yield %sum, %sums : tensor<f64>, tensor<4xf64>
  }"""
    x = np.arange(12.0).reshape(3, 4)
    text = function("%x: tensor<3x4xf64>", body, "%last : tensor<f64>; %rows : tensor<3x4xf64>")
    check(text, (x.sum(), x.reshape(-1).cumsum().reshape(3, 4)), x)


def test_a_length_that_the_type_of_a_stack_denies_is_an_error_at_every_level() -> None:
    body = """  %s = tir.scan over (%x = %xs : tensor<?xf64>) -> (tensor<[N]xf64>) {
    tir.yield %x : tensor<f64>
  }"""
    text = function("%xs: tensor<?xf64>, %y: tensor<[N]xf64>", body, "%s : tensor<[N]xf64>")
    with pytest.raises(TirError, match="tir.scan: axis 0 of sequence 0 must have the size of axis 0 of result 0"):
        run(text, np.ones(3), np.ones(2))
    with pytest.raises(TirError, match="tir.scan: axis 0 of sequence 0 must have the size of axis 0 of result 0"):
        lowered = parse_text(text, REGISTRY)
        LowerStructured().run(lowered)
        Interpreter(lowered).run("main", [np.ones(3), np.ones(2)])
    check(text, [np.ones(2)], np.ones(2), np.zeros(2))


# --- canonicalization ------------------------------------------------------------------------------------------------


def test_what_a_loop_carries_or_reads_for_nothing_goes() -> None:
    body = """  %r:4 = tir.scan (%a = %x : tensor<f64>, %b = %x : tensor<f64>) over (%e = %xs : tensor<4xf64>, %u = %xs : tensor<4xf64>) -> (tensor<4xf64>, tensor<4xf64>) {
    %s = tir.add %e, %a : tensor<f64>
    %n = tir.exp %b : tensor<f64>
    tir.yield %a, %n, %s, %n : tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>
  }"""
    module = parse_text(function("%x: tensor<f64>, %xs: tensor<4xf64>", body, "%r#2 : tensor<4xf64>"), REGISTRY)
    for one in (Canonicalize(), Dce(), Canonicalize(), Dce()):
        one.run(module)
    verify(module)
    (scan,) = (op for op in module.walk() if op.name == "tir.scan")
    assert (len(scan.inits), len(scan.sequences), len(scan.results)) == (0, 1, 1)  # type: ignore[attr-defined]


def test_a_sequence_whose_length_nobody_else_says_stays() -> None:
    body = """  %r = tir.scan (%a = %x : tensor<f64>) over (%e = %xs : tensor<?xf64>, %u = %ys : tensor<?xf64>) {
    %s = tir.add %e, %a : tensor<f64>
    tir.yield %s : tensor<f64>
  }"""
    text = function("%x: tensor<f64>, %xs: tensor<?xf64>, %ys: tensor<?xf64>", body, "%r : tensor<f64>")
    module = parse_text(text, REGISTRY)
    Canonicalize().run(module)
    with pytest.raises(TirError, match="axis 0 of sequence 1 must have the size"):
        Interpreter(module).run("main", [np.float64(1), np.ones(2), np.ones(3)])


@pytest.mark.parametrize("condition", [True, False])
def test_branches_that_hand_on_different_values_stay(condition: bool) -> None:
    body = """  %r:2 = tir.if %c -> (tensor<f64>, tensor<f64>) {
    tir.yield %x, %x : tensor<f64>, tensor<f64>
  } else {
    tir.yield %y, %x : tensor<f64>, tensor<f64>
  }"""
    text = function("%c: tensor<i1>, %x: tensor<f64>, %y: tensor<f64>", body, "%r#0 : tensor<f64>; %r#1 : tensor<f64>")
    module = parse_text(text, REGISTRY)
    Canonicalize().run(module)
    (branch,) = (op for op in module.walk() if op.name == "tir.if")
    assert len(branch.results) == 1
    found = Interpreter(module).run("main", [np.bool_(condition), np.float64(1), np.float64(2)])
    assert found == [1 if condition else 2, 1]


def test_known_conditions_and_loops_that_never_run() -> None:
    body = """  %t = tir.constant dense<true> : tensor<i1>
  %f = tir.constant dense<false> : tensor<i1>
  %a = tir.if %t -> (tensor<f64>) {
    %s = tir.sin %x : tensor<f64>
    tir.yield %s : tensor<f64>
  } else {
    tir.yield %x : tensor<f64>
  }
  %b = tir.while (%v = %a : tensor<f64>) {
    tir.yield %f : tensor<i1>
  } do {
  ^bb0(%w: tensor<f64>):
    %e = tir.exp %w : tensor<f64>
    tir.yield %e : tensor<f64>
  }"""
    module = parse_text(function("%x: tensor<f64>", body, "%b : tensor<f64>"), REGISTRY)
    for one in (Canonicalize(), Dce()):
        one.run(module)
    assert [op.name for op in module.walk()] == ["builtin.module", "func.func", "tir.sin", "func.return"]


# --- building --------------------------------------------------------------------------------------------------------


def built(types: str, make: Callable[..., Sequence[Tensor]]) -> Op:
    """A module whose function @main takes arguments of these types and returns what `make(b, *arguments)` gives."""
    arguments = ", ".join(f"%a{i}: {type}" for i, type in enumerate(types.split(", ")))
    module = parse_text(f"func.func @main({arguments}) {{\n  return\n}}", REGISTRY)
    (function,) = (op for op in module.walk() if isinstance(op, Func))
    end = function.entry.terminator
    b = TensorBuilder(function.entry, end)
    results = make(b, *map(b.tensor, function.arguments))
    end.erase()
    TensorBuilder(function.entry).op(Return, [x.value for x in results])
    function.set_type(function.function_type.inputs, [x.type for x in results])
    verify(module)
    return module


def test_builder_makes_loops_from_functions() -> None:
    def make(b: TensorBuilder, xs: Tensor, w: Tensor) -> list[Tensor]:
        (total,), (all,) = b.scan(lambda h, x: ([b.tanh(h * w + x)], [h]), [b.full(0.5, (), w.type.element)], [xs])
        (small,) = b.while_loop(lambda y: y > 0.1, lambda y: [y / 2], [abs(total)], max_trips=20)
        (chosen,) = b.if_(small > 0.07, lambda: [small], lambda: [-small])
        return [all, chosen]

    module = built("tensor<3xf64>, tensor<f64>", make)
    xs, w = np.array([0.3, -0.8, 1.1]), np.float64(0.7)
    h, history = 0.5, []
    for x in xs:
        history.append(h)
        h = np.tanh(h * w + x)
    small = abs(h)
    while small > 0.1:
        small /= 2
    got = Interpreter(module).run("main", [xs, w])
    np.testing.assert_allclose(got[0], history, rtol=1e-14)
    np.testing.assert_allclose(got[1], small if small > 0.07 else -small, rtol=1e-14)


def test_builder_tells_what_a_region_must_yield() -> None:
    with pytest.raises(TirError, match="while_loop: step must give 1 value, as inits has, got 2"):
        built("tensor<f64>", lambda b, x: b.while_loop(lambda y: y > 0, lambda y: [y, y], [x]))
    with pytest.raises(TirError, match="scan: needs a sequence, or a length"):
        built("tensor<f64>", lambda b, x: b.scan(lambda h: ([h], []), [x], [])[0])
    with pytest.raises(TirError, match="scan: a sequence must have an axis to go along, got tensor<f64>"):
        built("tensor<f64>", lambda b, x: b.scan(lambda h, e: ([h], []), [x], [x])[0])


def test_an_element_that_does_not_fit_its_stack_is_an_error_at_every_level() -> None:
    body = """  %s = tir.scan over (%x = %xs : tensor<3x?xf64>) -> (tensor<3x[N]xf64>) {
    %n = tir.reshape %x : tensor<?xf64> -> tensor<[N]xf64>
    tir.yield %n : tensor<[N]xf64>
  }"""
    text = function("%xs: tensor<3x?xf64>, %y: tensor<[N]xf64>", body, "%s : tensor<3x[N]xf64>")
    check(text, [np.ones((3, 2))], np.ones((3, 2)), np.zeros(2))
    with pytest.raises(TirError):
        run(text, np.ones((3, 3)), np.zeros(2))


def test_nothing_recurses_on_nested_branches() -> None:
    depth = 200
    lines = [f"%y{i} = tir.if %c -> (tensor<f64>) {{" for i in range(depth)]
    lines += ["%s = tir.sin %x : tensor<f64>", "tir.yield %s : tensor<f64>"]
    for i in reversed(range(depth)):
        lines += ["} else {", "tir.yield %x : tensor<f64>", "}"]
        lines += [f"tir.yield %y{i} : tensor<f64>"] if i else []
    body = "\n".join([*lines, "%g = tir.grad %y0 wrt (%x) : tensor<f64>"])
    (got,) = run(function("%c: tensor<i1>, %x: tensor<f64>", body, "%g : tensor<f64>"), True, np.float64(0.5))
    assert got == np.cos(0.5)
