"""Branches and loops: what they compute at every level, and their gradients, against Python loops over numpy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from tests.levels import LEVELS, first_disagreement
from tir.dialects.all import REGISTRY
from tir.dialects.func import Func, Return
from tir.dialects.tir.builder import Tensor, TensorBuilder
from tir.interpret import Interpreter
from tir.ir.errors import PassError, TirError
from tir.ir.ir import Op
from tir.ir.printer import print_op
from tir.ir.verify import verify
from tir.parser.parse import parse_text
from tir.passes.autodiff import expand_gradients
from tir.passes.canonicalize import Canonicalize
from tir.passes.cse import Cse
from tir.passes.dce import Dce
from tir.passes.lower_structured import LowerStructured

SMALL_STEP = 1e-6


def function(arguments: str, body: str, results: str) -> str:
    """A module with one function; results: `%a : t, %b : t`."""
    pairs = [part.split(" : ") for part in results.split("; ")]
    types = ", ".join(type for _, type in pairs)
    return (
        f"func.func @main({arguments}) -> ({types}) {{\n{body}\n"
        f"  return {', '.join(name for name, _ in pairs)} : {types}\n}}\n"
    )


def run(text: str, *arguments: Any) -> list[Any]:
    """The results at the tensor level, where the text also reads back; gradients are expanded."""
    module = parse_text(text, REGISTRY)
    verify(module)
    printed = print_op(module)
    assert print_op(parse_text(printed, REGISTRY)) == printed
    expand_gradients(module)
    verify(module)
    return Interpreter(module).run("main", [np.asarray(x) for x in arguments])


def check(text: str, want: Sequence[Any], *arguments: Any) -> None:
    """The program gives `want` at the tensor level, and the same at all others."""
    for got, expected in zip(run(text, *arguments), want, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)
    given = [np.asarray(x) for x in arguments]
    found = first_disagreement(text, given, levels=list(LEVELS), read_back=["loops"])
    assert found is None, found


# --- tir.if ----------------------------------------------------------------------------------------------------------

BRANCH = function(
    "%c: tensor<i1>, %x: tensor<3xf64>, %y: tensor<3xf64>",
    """  %r:2 = tir.if %c -> (tensor<3xf64>, tensor<f64>) {
    %a = tir.mul %x, %y : tensor<3xf64>
    %s = tir.sum %a over [0] : tensor<f64>
    tir.yield %a, %s : tensor<3xf64>, tensor<f64>
  } else {
    %s = tir.sum %x over [0] : tensor<f64>
    tir.yield %y, %s : tensor<3xf64>, tensor<f64>
  }""".replace("else {\n    %s", "else {\n    %s2").replace("tir.yield %y, %s", "tir.yield %y, %s2"),
    "%r#0 : tensor<3xf64>; %r#1 : tensor<f64>",
)


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


def recurrence(size: str, flags: str) -> str:
    body = f"""  %last, %all, %sums = tir.scan (%h = %h0 : tensor<2x3xf64>) over (%x = %xs : tensor<{size}x3xf64>, %k = %ks : tensor<{size}xi32>) -> (tensor<{size}x2x3xf64>, tensor<{size}xf64>) {flags}{{
    %b = tir.broadcast %x along [1] : tensor<3xf64> -> tensor<2x3xf64>
    %kf = tir.cast %k : tensor<i32> -> tensor<f64>
    %kb = tir.broadcast %kf along [] : tensor<f64> -> tensor<2x3xf64>
    %hw = tir.dot %h, %w : tensor<2x3xf64>
    %s = tir.add %hw, %b : tensor<2x3xf64>
    %s2 = tir.add %s, %kb : tensor<2x3xf64>
    %t = tir.tanh %s2 : tensor<2x3xf64>
    %total = tir.sum %t over [0, 1] : tensor<f64>
    tir.yield %t, %h, %total : tensor<2x3xf64>, tensor<2x3xf64>, tensor<f64>
  }}"""
    return body


def arguments_of(size: str) -> str:
    return f"%xs: tensor<{size}x3xf64>, %ks: tensor<{size}xi32>, %h0: tensor<2x3xf64>, %w: tensor<3x3xf64>"


def inputs(steps: int, seed: int = 0) -> list[Any]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(steps, 3)), rng.integers(-2, 3, steps).astype(np.int32), rng.normal(size=(2, 3)), rng.normal(size=(3, 3))]


def by_hand(xs: Any, ks: Any, h: Any, w: Any, reverse: bool) -> tuple[Any, Any, Any]:
    steps = len(xs)
    history, sums = np.zeros((steps, 2, 3)), np.zeros(steps)
    for i in reversed(range(steps)) if reverse else range(steps):
        history[i] = h
        h = np.tanh(h @ w + xs[i] + ks[i])
        sums[i] = h.sum()
    return h, history, sums


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
    with pytest.raises(TirError, match="tir.scan: axis 0 of sequence 1 must have the size of axis 0 of sequence 0"):
        run(text, *given)


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


# --- gradients -------------------------------------------------------------------------------------------------------


def differences(f: Callable[..., float], arguments: Sequence[Any], wrt: Sequence[int]) -> list[Any]:
    """Central differences of a number, by each element."""
    found = []
    for position in wrt:
        given = [np.array(x) for x in arguments]
        slopes = np.zeros(given[position].shape)
        for place in np.ndindex(slopes.shape):
            start = given[position][place]
            given[position][place] = start + SMALL_STEP
            above = f(*given)
            given[position][place] = start - SMALL_STEP
            slopes[place] = (above - f(*given)) / (2 * SMALL_STEP)
            given[position][place] = start
        found.append(slopes)
    return found


def cost_of(size: str, flags: str, second: bool = False) -> str:
    """@main: the gradients of a cost of the recurrence; with `second` those of the sum of their sines."""
    wrt = {"xs": f"tensor<{size}x3xf64>", "h0": "tensor<2x3xf64>", "w": "tensor<3x3xf64>"}
    names, types = [f"%{name}" for name in wrt], list(wrt.values())
    body = recurrence(size, flags) + f"""
  %q = tir.square %all : tensor<{size}x2x3xf64>
  %c1 = tir.sum %q over [0, 1, 2] : tensor<f64>
  %sq = tir.sin %sums : tensor<{size}xf64>
  %c2 = tir.sum %sq over [0] : tensor<f64>
  %c3 = tir.sum %last over [0, 1] : tensor<f64>
  %c4 = tir.add %c1, %c2 : tensor<f64>
  %c = tir.add %c3, %c4 : tensor<f64>
  %g0, %g1, %g2 = tir.grad %c wrt ({", ".join(names)}) : {", ".join(types)}"""
    results = "; ".join(f"%g{i} : {type}" for i, type in enumerate(types))
    if second:
        for i, type in enumerate(types):
            body += f"\n  %z{i} = tir.sin %g{i} : {type}\n  %y{i} = tir.sum %z{i} over [0, 1] : tensor<f64>"
        body += "\n  %y = tir.add %y0, %y1 : tensor<f64>\n  %d = tir.add %y, %y2 : tensor<f64>"
        body += f"\n  %e0, %e1, %e2 = tir.grad %d wrt ({', '.join(names)}) : {', '.join(types)}"
        results = results.replace("%g", "%e")
    return function(arguments_of(size), body, results)


def cost(reverse: bool, *given: Any) -> float:
    last, history, sums = by_hand(*given, reverse)
    return float((history**2).sum() + np.sin(sums).sum() + last.sum())


FLAGS = ["", "reverse ", "checkpoint 1 ", "checkpoint 2 ", "reverse checkpoint 2 ", "checkpoint 5 ", "checkpoint 9 "]


@pytest.mark.parametrize("flags", FLAGS)
def test_gradient_of_a_scan(flags: str) -> None:
    given = inputs(5, 1)
    want = differences(lambda *x: cost("reverse" in flags, *x), given, [0, 2, 3])
    text = cost_of("5", flags)
    for got, expected in zip(run(text, *given), want, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-8)
    found = first_disagreement(text, given)
    assert found is None, found


@pytest.mark.parametrize("steps", [0, 1, 4])
def test_gradient_of_a_scan_of_named_length(steps: int) -> None:
    given = inputs(steps, 2)
    want = differences(lambda *x: cost(False, *x), given, [0, 2, 3])
    for got, expected in zip(run(cost_of("[T]", ""), *given), want, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-8)
    found = first_disagreement(cost_of("[T]", ""), given)
    assert found is None, found


@pytest.mark.parametrize("flags", ["", "reverse ", "checkpoint 2 "])
def test_second_gradient_of_a_scan(flags: str) -> None:
    given = inputs(4, 3)
    first = cost_of("4", flags)

    def slopes(*x: Any) -> float:
        return float(sum(np.sin(g).sum() for g in Interpreter(module).run("main", list(x))))

    module = parse_text(first, REGISTRY)
    expand_gradients(module)
    want = differences(slopes, given, [0, 2, 3])
    for got, expected in zip(run(cost_of("4", flags, second=True), *given), want, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("last", [1, 2, 5, 9])
def test_truncated_gradient_goes_back_through_the_last_steps_alone(last: int, reverse: bool) -> None:
    """What comes in at the first of them counts as given, and so does all that was before it."""
    steps = 5
    given = inputs(steps, 4)
    order = list(reversed(range(steps))) if reverse else list(range(steps))
    through = order[-last:]
    fixed, kept, _ = by_hand(*given, reverse)
    del fixed

    def part(xs: Any, ks: Any, h0: Any, w: Any) -> float:
        """The cost of the last steps, from the state that is given there."""
        h = h0 if last >= steps else kept[through[0]]
        total = 0.0
        for i in through:
            total += float((h**2).sum()) if i != through[0] or last >= steps else 0.0
            h = np.tanh(h @ w + xs[i] + ks[i])
            total += float(np.sin(h.sum()))
        return total + float(h.sum())

    want = differences(part, given, [0, 2, 3])
    text = cost_of(str(steps), f"{'reverse ' if reverse else ''}truncate {last} ")
    for got, expected in zip(run(text, *given), want, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("condition", [True, False])
def test_gradient_of_a_branch_is_that_of_the_region_which_ran(condition: bool) -> None:
    body = BRANCH.split("{\n", 1)[1].rsplit("  return", 1)[0] + """
  %q = tir.exp %r#0 : tensor<3xf64>
  %t = tir.sum %q over [0] : tensor<f64>
  %c1 = tir.mul %t, %r#1 : tensor<f64>
  %gx, %gy = tir.grad %c1 wrt (%x, %y) : tensor<3xf64>, tensor<3xf64>"""
    text = function("%c: tensor<i1>, %x: tensor<3xf64>, %y: tensor<3xf64>", body, "%gx : tensor<3xf64>; %gy : tensor<3xf64>")
    x, y = np.array([0.3, -0.2, 0.7]), np.array([0.5, 1.5, -0.4])

    def value(x: Any, y: Any) -> float:
        first, second = (x * y, (x * y).sum()) if condition else (y, x.sum())
        return float(np.exp(first).sum() * second)

    for got, want in zip(run(text, condition, x, y), differences(value, [x, y], [0, 1]), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-7, atol=1e-9)
    found = first_disagreement(text, [np.asarray(condition), x, y])
    assert found is None, found


def test_no_nan_comes_out_of_the_region_that_did_not_run() -> None:
    body = """  %zero = tir.full 0.0 : f64 -> tensor<f64>
  %p = tir.cmp gt %x, %zero : tensor<f64>
  %r = tir.if %p -> (tensor<f64>) {
    %l = tir.log %x : tensor<f64>
    tir.yield %l : tensor<f64>
  } else {
    tir.yield %zero : tensor<f64>
  }
  %g = tir.grad %r wrt (%x) : tensor<f64>"""
    text = function("%x: tensor<f64>", body, "%g : tensor<f64>")
    check(text, [0.0], np.float64(0.0))
    check(text, [0.5], np.float64(2.0))


POWER = """  %zero = tir.constant dense<0> : tensor<i32>
  %one = tir.constant dense<1> : tensor<i32>
  %r:2 = tir.while (%i = %zero : tensor<i32>, %y = %x : tensor<3xf64>)LIMIT {
    %more = tir.cmp lt %i, %n : tensor<i32>
    tir.yield %more : tensor<i1>
  } do {
  ^bb0(%j: tensor<i32>, %z: tensor<3xf64>):
    %k = tir.add %j, %one : tensor<i32>
    %s = tir.sin %z : tensor<3xf64>
    %v = tir.mul %s, %w : tensor<3xf64>
    tir.yield %k, %v : tensor<i32>, tensor<3xf64>
  }
  %c = tir.sum %r#1 over [0] : tensor<f64>
  %gx, %gw = tir.grad %c wrt (%x, %w) : tensor<3xf64>, tensor<3xf64>"""


@pytest.mark.parametrize("steps", [0, 1, 3, 6, 9])
def test_gradient_of_a_while_with_max_trips(steps: int) -> None:
    arguments = "%x: tensor<3xf64>, %w: tensor<3xf64>, %n: tensor<i32>"
    text = function(arguments, POWER.replace("LIMIT", " max_trips 6"), "%gx : tensor<3xf64>; %gw : tensor<3xf64>")
    x, w, n = np.array([0.4, -1.0, 2.0]), np.array([1.5, 0.7, -0.9]), np.int32(steps)

    def value(x: Any, w: Any) -> float:
        for _ in range(min(steps, 6)):
            x = np.sin(x) * w
        return float(x.sum())

    for got, want in zip(run(text, x, w, n), differences(value, [x, w], [0, 1]), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-9)
    found = first_disagreement(text, [x, w, np.asarray(n)])
    assert found is None, found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (function("%x: tensor<3xf64>, %w: tensor<3xf64>, %n: tensor<i32>", POWER.replace("LIMIT", ""), "%gx : tensor<3xf64>"),
         "tir.while has no gradient without max_trips: its steps must be kept"),
        (cost_of("[T]", "truncate 2 "), "the gradient of the last 2 steps needs a known number of steps"),
        (cost_of("?", "checkpoint 2 "), "checkpoint 2 needs a known number of steps"),
    ],
    ids=["while", "truncate", "checkpoint"],
)  # fmt: skip
def test_what_has_no_gradient_says_so(text: str, message: str) -> None:
    module = parse_text(text, REGISTRY, file="model.tir")
    with pytest.raises(PassError, match=message) as found:
        expand_gradients(module)
    assert found.value.location is not None


def test_gradient_of_a_sequence_whose_elements_have_open_sizes_asks_for_names() -> None:
    body = """  %zero = tir.full 0.0 : f64 -> tensor<f64>
  %last = tir.scan (%h = %zero : tensor<f64>) over (%x = %xs : tensor<4x?xf64>) {
    %q = tir.square %x : tensor<?xf64>
    %s = tir.sum %q over [0] : tensor<f64>
    %t = tir.add %h, %s : tensor<f64>
    tir.yield %t : tensor<f64>
  }
  %g = tir.grad %last wrt (%xs) : tensor<4x?xf64>"""
    text = function("%xs: tensor<4x?xf64>", body, "%g : tensor<4x?xf64>")
    with pytest.raises(PassError, match="is stacked, so its sizes must be known before the loop") as found:
        run(text, np.ones((4, 2)))
    assert found.value.hint == "give the sizes names"
    named = text.replace("?", "[N]")
    check(named, [2 * np.ones((4, 2))], np.ones((4, 2)))


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


# --- what the gradient keeps -----------------------------------------------------------------------------------------


def tidy(text: str) -> Op:
    module = parse_text(text, REGISTRY)
    expand_gradients(module)
    for one in (Canonicalize(), Cse(), Dce()):
        one.run(module)
    verify(module)
    return module


def test_the_loop_back_does_no_product_twice_and_history_is_kept_only_if_used() -> None:
    """Forward one product a step; back two, one for the state and one for the weights."""
    text = print_op(tidy(cost_of("5", "")))
    forward, _, back = text.partition("reverse {")
    assert forward.count("tir.dot") == 1 and back.count("tir.dot") == 2
    linear = """  %zero = tir.full 0.0 : f64 -> tensor<f64>
  %last = tir.scan (%h = %zero : tensor<f64>) over (%x = %xs : tensor<4xf64>) {
    %t = tir.add %h, %x : tensor<f64>
    tir.yield %t : tensor<f64>
  }
  %g = tir.grad %last wrt (%xs) : tensor<4xf64>"""
    made = print_op(tidy(function("%xs: tensor<4xf64>", linear, "%g : tensor<4xf64>; %last : tensor<f64>")))
    assert "over (%x = %xs : tensor<4xf64>) {" in made.partition("reverse")[0]  # nothing is stacked


def test_with_checkpoints_only_the_states_between_segments_are_kept() -> None:
    """Of 100 steps in segments of 10: 10 states forward, and 10 at a time back."""
    body = """  %last = tir.scan (%h = %h0 : tensor<64x64xf32>) over (%x = %xs : tensor<100x64x64xf32>) FLAGS{
    %s = tir.add %h, %x : tensor<64x64xf32>
    %t = tir.sin %s : tensor<64x64xf32>
    tir.yield %t : tensor<64x64xf32>
  }
  %c = tir.sum %last over [0, 1] : tensor<f32>
  %g = tir.grad %c wrt (%h0) : tensor<64x64xf32>"""
    arguments = "%xs: tensor<100x64x64xf32>, %h0: tensor<64x64xf32>"

    def largest_stack(flags: str) -> int:
        module = tidy(function(arguments, body.replace("FLAGS", flags), "%g : tensor<64x64xf32>"))
        stacks = [stack.type.shape[0] for op in module.walk() if op.name == "tir.scan" for stack in op.stacks]  # type: ignore
        return max(stacks)

    assert (largest_stack(""), largest_stack("checkpoint 10 "), largest_stack("checkpoint 5 ")) == (100, 10, 20)


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
    with pytest.raises(TirError, match="a region must yield 1 values, got 2"):
        built("tensor<f64>", lambda b, x: b.while_loop(lambda y: y > 0, lambda y: [y, y], [x]))
    with pytest.raises(TirError, match="scan: needs a sequence; one that only counts is an iota"):
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
