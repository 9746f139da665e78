"""Gradients of branches and loops, against central differences and Python loops over numpy; what the loops keep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from tests.levels import first_disagreement
from tests.ops.control_programs import BRANCH, arguments_of, by_hand, check, function, inputs, recurrence, run
from tir.dialects.all import REGISTRY
from tir.interpret import Interpreter
from tir.ir.errors import PassError
from tir.ir.ir import Op
from tir.ir.printer import print_op
from tir.ir.verify import verify
from tir.parser.parse import parse_text
from tir.passes.autodiff import expand_gradients
from tir.passes.canonicalize import Canonicalize
from tir.passes.cse import Cse
from tir.passes.dce import Dce

SMALL_STEP = 1e-6


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


@pytest.mark.parametrize("flags", [*FLAGS[1:3], *(pytest.param(one, marks=pytest.mark.slow) for one in FLAGS[:1] + FLAGS[3:])])
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


@pytest.mark.parametrize("length", ["5", "[T]"])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("last", [1, 2, 5, pytest.param(9, marks=pytest.mark.slow)])
def test_truncated_gradient_goes_back_through_the_last_steps_alone(last: int, reverse: bool, length: str) -> None:
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
    text = cost_of(length, f"{'reverse ' if reverse else ''}truncate {last} ")
    for got, expected in zip(run(text, *given), want, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-8)
    found = first_disagreement(text, given)
    assert found is None, found


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


DEAD = {
    "if": """  %r = tir.if %p -> (tensor<f64>) {
    %dead = tir.sin %e : tensor<f64>
    tir.yield %y : tensor<f64>
  } else {
    %m = tir.mul %y, %y : tensor<f64>
    tir.yield %m : tensor<f64>
  }""",
    "scan": """  %r = tir.scan (%h = %y : tensor<f64>) over (%x1 = %xs : tensor<2xf64>) {
    %dead = tir.sin %e : tensor<f64>
    %m = tir.mul %h, %h : tensor<f64>
    tir.yield %m : tensor<f64>
  }""",
    "while": """  %r = tir.while (%h = %y : tensor<f64>) max_trips 3 {
    tir.yield %p : tensor<i1>
  } do {
  ^bb0(%g: tensor<f64>):
    %dead = tir.sin %e : tensor<f64>
    %m = tir.mul %g, %g : tensor<f64>
    tir.yield %m : tensor<f64>
  }""",
}


@pytest.mark.parametrize("loop", DEAD)
def test_what_a_region_uses_for_nothing_takes_no_gradient(loop: str) -> None:
    """Or the slope of the root at 0, which is infinite, times 0 would be nan, before something removes the dead op."""
    body = f"""  %e = tir.sqrt %x : tensor<f64>
{DEAD[loop]}
  %c = tir.add %r, %x : tensor<f64>
  %gx, %gy = tir.grad %c wrt (%x, %y) : tensor<f64>, tensor<f64>"""
    arguments = "%p: tensor<i1>, %x: tensor<f64>, %y: tensor<f64>, %xs: tensor<2xf64>"
    text = function(arguments, body, "%gx : tensor<f64>; %gy : tensor<f64>")
    slope = {"if": 1.0, "scan": 4 * 1.5**3, "while": 8 * 1.5**7}[loop]
    np.testing.assert_allclose(run(text, True, 0.0, 1.5, np.zeros(2)), [1.0, slope], rtol=1e-14)


def test_what_was_checked_forward_is_not_checked_again_on_the_way_back() -> None:
    body = """  %last = tir.scan (%h = %w : tensor<f64>) over (%x = %xs : tensor<3xf64>) {
    %ok = tir.cmp lt %h, %x : tensor<f64>
    tir.assert %ok, "too large" : tensor<i1>
    %p = tir.mul %h, %x : tensor<f64>
    tir.yield %p : tensor<f64>
  }
  %g = tir.grad %last wrt (%w) : tensor<f64>"""
    text = function("%xs: tensor<3xf64>, %w: tensor<f64>", body, "%g : tensor<f64>")
    assert print_op(tidy(text)).count("tir.assert") == 1
    assert run(text, np.array([2.0, 3.0, 4.0]), 0.5) == [24.0]


@pytest.mark.parametrize("condition", [True, False])
def test_a_value_that_one_region_alone_uses_has_its_gradient_there(condition: bool) -> None:
    body = """  %r = tir.if %p -> (tensor<f64>) {
    %a = tir.square %x : tensor<f64>
    tir.yield %a : tensor<f64>
  } else {
    %b = tir.exp %y : tensor<f64>
    tir.yield %b : tensor<f64>
  }
  %gx, %gy = tir.grad %r wrt (%x, %y) : tensor<f64>, tensor<f64>"""
    text = function("%p: tensor<i1>, %x: tensor<f64>, %y: tensor<f64>", body, "%gx : tensor<f64>; %gy : tensor<f64>")
    assert run(text, condition, 3.0, 0.0) == ([6.0, 0.0] if condition else [0.0, 1.0])


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


@pytest.mark.parametrize("steps", [0, 1, 3, *(pytest.param(n, marks=pytest.mark.slow) for n in (6, 9))])
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
        (cost_of("?", "checkpoint 2 "), "checkpoint 2 needs a known number of steps"),
    ],
    ids=["while", "checkpoint"],
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


def test_what_has_open_sizes_in_a_step_is_computed_anew() -> None:
    """A softmax is worth keeping, but its room is not known before the loop."""
    body = """  %last = tir.scan (%h = %y : tensor<f64>) over (%x = %xs : tensor<3xf64>) {
    %n = tir.dim %u axis 0 : tensor<?xf64>
    %wide = tir.broadcast %h along [] sizes(%n) : tensor<f64> -> tensor<?xf64>
    %p = tir.mul %wide, %u : tensor<?xf64>
    %s = tir.softmax %p over [0] : tensor<?xf64>
    %q = tir.mul %s, %u : tensor<?xf64>
    %t = tir.sum %q over [0] : tensor<f64>
    %a = tir.add %t, %x : tensor<f64>
    tir.yield %a : tensor<f64>
  }
  %gy, %gu = tir.grad %last wrt (%y, %u) : tensor<f64>, tensor<?xf64>"""
    arguments = "%xs: tensor<3xf64>, %y: tensor<f64>, %u: tensor<?xf64>"
    text = function(arguments, body, "%gy : tensor<f64>; %gu : tensor<?xf64>")
    given = [np.array([0.3, -0.5, 1.0]), np.float64(0.7), np.array([0.2, -1.0, 0.4, 2.0])]

    def last(xs: Any, y: Any, u: Any) -> float:
        for x in xs:
            shares = np.exp(y * u)
            y = (shares / shares.sum() * u).sum() + x
        return float(y)

    for got, want in zip(run(text, *given), differences(last, given, [1, 2]), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-7, atol=1e-9)


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


@pytest.mark.parametrize("flags", ["checkpoint 2 ", "reverse checkpoint 2 "])
def test_stacks_of_a_loop_in_segments_keep_their_places(flags: str) -> None:
    given = inputs(5, 1)
    body = recurrence("5", flags) + """
  %c = tir.sum %last over [0, 1] : tensor<f64>
  %g = tir.grad %c wrt (%w) : tensor<3x3xf64>"""
    text = function(arguments_of("5"), body, "%all : tensor<5x2x3xf64>; %sums : tensor<5xf64>; %g : tensor<3x3xf64>")
    for got, want in zip(run(text, *given), by_hand(*given, "reverse" in flags)[1:]):
        np.testing.assert_allclose(got, want, rtol=1e-14)


def test_a_stack_may_be_its_own_adjoint() -> None:
    """The loop is replaced by one that keeps more; who holds its results holds those of the new one."""
    body = """  %zero = tir.full 0.5 : f64 -> tensor<f64>
  %last, %all = tir.scan (%h = %zero : tensor<f64>) over (%x = %xs : tensor<3xf64>) -> (tensor<3xf64>) {
    %p = tir.mul %h, %x : tensor<f64>
    %t = tir.tanh %p : tensor<f64>
    tir.yield %t, %t : tensor<f64>, tensor<f64>
  }
  %g = tir.vjp (%all, %last) with (%all, %last) wrt (%xs) : tensor<3xf64>"""

    def half_the_square(xs: Any) -> float:
        h, total = 0.5, 0.0
        for x in xs:
            h = np.tanh(h * x)
            total += h * h / 2
        return float(total + h * h / 2)

    xs = np.array([0.7, -1.2, 2.0])
    (got,) = run(function("%xs: tensor<3xf64>", body, "%g : tensor<3xf64>"), xs)
    np.testing.assert_allclose(got, differences(half_the_square, [xs], [0])[0], rtol=1e-7, atol=1e-9)
