"""`scan`, `map`, `reduce`, `foldl` and `foldr` of the builder against Python loops over numpy; what a step may not give."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import tir
from tests.levels import first_disagreement
from tir.dialects.all import REGISTRY
from tir.dialects.tir.control import Scan, While
from tir.interpret import Interpreter
from tir.ir.printer import print_op
from tir.ir.verify import verify
from tir.parser.parse import parse_text
from tir.passes.autodiff import expand_gradients

RNG = np.random.default_rng(0)
XS, V = RNG.normal(size=(6, 2)), RNG.normal(size=2)
NUMBERS = RNG.normal(size=6)


def built(make: Callable[..., Any], *types: str) -> tir.Builder:
    b = tir.Builder()
    with b.function("main", **dict(zip("abcd", types))) as arguments:
        found = make(b, *arguments)
        b.returns(*([found] if isinstance(found, tir.Tensor) else found))
    b.verify()
    return b


def types_of(arrays: Sequence[Any], size: str | None) -> list[str]:
    """Their types; `size`: what stands for the first sizes above 2."""
    found = []
    for x in arrays:
        dims = [size if size is not None and axis == 0 and d > 2 else str(d) for axis, d in enumerate(x.shape)]
        element = {"float64": "f64", "int64": "i64", "bool": "i1"}[str(x.dtype)]
        found.append(f"tensor<{''.join(f'{d}x' for d in dims)}{element}>")
    return found


def run(make: Callable[..., Any], *arrays: Any, size: str | None = None) -> list[Any]:
    b = built(make, *types_of(arrays, size))
    text = b.module_text()
    assert print_op(parse_text(text, REGISTRY)) == text
    expand_gradients(b.module)
    verify(b.module)
    return Interpreter(b.module).run("main", list(arrays))


def check(make: Callable[..., Any], want: Sequence[Any], *arrays: Any, sizes: Sequence[str | None] = (None, "[T]", "?")) -> None:
    """The same for sequences of static, named and unknown size."""
    for size in sizes:
        for got, expected in zip(run(make, *arrays, size=size), want, strict=True):
            assert got.shape == np.shape(expected), size
            np.testing.assert_allclose(got, expected, rtol=1e-13, atol=1e-14)


def assert_slopes(cost: Callable[..., float], arrays: Sequence[Any], gradients: Sequence[Any], step: float = 1e-6) -> None:
    """The gradients by each of the arrays are central differences of the cost."""
    for at, got in enumerate(gradients):
        given = [x.copy() for x in arrays]
        for place in np.ndindex(got.shape):
            given[at][place] += step
            above = cost(*given)
            given[at][place] -= 2 * step
            below = cost(*given)
            given[at][place] += step
            np.testing.assert_allclose(got[place], (above - below) / (2 * step), rtol=1e-6, atol=1e-8)


def check_below(make: Callable[..., Any], *arrays: Any, size: str | None = None) -> None:
    text, levels = built(make, *types_of(arrays, size)).module_text(), ["tensor", "fused", "loops", "cpu"]
    found = first_disagreement(text, list(arrays), levels=levels, read_back=[])
    assert found is None, found


# --- taps ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("taps", [[0], [-1, 0], [0, -2], [-2], [1], [-1, 2], [3, -3], [0, 0]])
@pytest.mark.parametrize("backwards", [False, True])
def test_taps_of_a_sequence(taps: list[int], backwards: bool) -> None:
    """Tap 0 counts as one of them, as in Theano: a step is where all of them and itself are."""
    low, high = min(0, *taps), max(0, *taps)
    steps = range(-low, len(NUMBERS) - high)
    order = list(reversed(steps)) if backwards else list(steps)
    rows = np.array([[NUMBERS[t + tap] for tap in taps] for t in order]).reshape(len(order), len(taps))

    def make(b: Any, xs: Any) -> Any:
        def step(count: Any, *elements: Any) -> Any:
            return [count + 1.0], [b.stack(elements)]

        return [x for part in b.scan(step, [b.constant(0.0)], [b.taps(xs, taps)], go_backwards=backwards) for x in part]

    check(make, [len(order), rows], NUMBERS)


def test_as_many_taps_as_elements_leave_one_step_and_more_leave_none() -> None:
    def make(b: Any, xs: Any) -> Any:
        return b.scan(lambda *e: ([], [b.stack(e)]), [], [b.taps(xs, [-5, 0])])[1] + b.scan(
            lambda *e: ([], [b.stack(e)]), [], [b.taps(xs, [-6, 0])])[1]  # fmt: skip

    check(make, [[[NUMBERS[0], NUMBERS[5]]], np.zeros((0, 2))], NUMBERS)


def fibonacci_like(xs: Any, first: Any) -> tuple[Any, Any]:
    h = list(first)
    for x in xs:
        h.append(np.tanh(0.5 * h[-1] - h[-3] + x))
    return np.array(h[-3:]), np.array(h[3:])


@pytest.mark.parametrize("size", [None, "[T]"])
def test_taps_of_what_is_carried(size: str | None) -> None:
    """The last values have the form of the first, so that the loop can go on from there."""

    def make(b: Any, xs: Any, first: Any) -> Any:
        def step(oldest: Any, newest: Any, x: Any) -> Any:
            new = b.tanh(0.5 * newest - oldest + x)
            return [new], [new]

        (half,), (a,) = b.scan(step, [b.taps(first, [-3, -1])], [xs])
        (last,), (c,) = b.scan(step, [b.taps(half, [-3, -1])], [xs])
        return [last, b.concat([a, c])]

    first = RNG.normal(size=(2, 2))
    first = np.concatenate([first, first[:1]])
    types = types_of([XS], size) + ["tensor<3x2xf64>"]
    want = fibonacci_like(np.concatenate([XS, XS]), first)
    for got, expected in zip(Interpreter(built(make, *types).module).run("main", [XS, first]), want, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-13)


def test_gradient_through_taps() -> None:
    """Of a recurrence with taps of its own values and of its sequence, against differences."""

    def cost(xs: Any, first: Any) -> float:
        h = list(first)
        for t in range(1, len(xs)):
            h.append(np.sin(h[-1] * xs[t] + h[-2] * xs[t - 1]))
        return float(np.sum(np.square(h[2:])) + h[-1].sum())

    def make(b: Any, xs: Any, first: Any) -> Any:
        def step(h2: Any, h1: Any, x1: Any, x0: Any) -> Any:
            new = b.sin(h1 * x0 + h2 * x1)
            return [new], [new]

        (last,), (all,) = b.scan(step, [b.taps(first, [-2, -1])], [b.taps(xs, [-1, 0])])
        return tir.grad(b.sum(b.square(all)) + b.sum(last[1]), [xs, first])

    first = RNG.normal(size=(2, 2))
    assert_slopes(cost, [XS, first], run(make, XS, first))
    check_below(make, XS, first, size="[T]")


# --- lengths and directions ------------------------------------------------------------------------------------------


def test_a_length_stands_in_for_a_sequence() -> None:
    def make(b: Any, v: Any) -> Any:
        last, powers = b.scan(lambda x, factor: ([x * factor], [x]), [v], [], [b.constant(2.0)], length=4)
        return [*last, *powers]

    check(make, [16 * V, V * np.array([[1.0], [2], [4], [8]])], V, sizes=[None])


def test_a_length_may_be_that_of_a_tensor() -> None:
    def make(b: Any, xs: Any) -> Any:
        return b.scan(lambda n: ([n + 1], [n]), [b.constant(0)], length=b.shape(xs)[0])[1]

    check(make, [np.arange(6)], NUMBERS)


@pytest.mark.parametrize("length", [0, 1, 4, 6])
@pytest.mark.parametrize("direction", ["", "reverse", "go_backwards"])
def test_a_length_takes_the_first_elements_on_the_way(length: int, direction: str) -> None:
    def make(b: Any, xs: Any) -> Any:
        facts = {direction: True} if direction else {}
        (total,), (seen,) = b.scan(lambda s, x: ([s * 0.5 + x], [x]), [b.constant(0.0)], [xs], length=length, **facts)
        return [total, seen]

    order = NUMBERS[::-1][:length] if direction else NUMBERS[:length]
    total = 0.0
    for x in order:
        total = total * 0.5 + x
    want = [total, order[::-1] if direction == "reverse" else order]
    check(make, want, NUMBERS, sizes=(None, "[T]", "?") if length else (None,))


@pytest.mark.parametrize("direction", ["", "reverse", "go_backwards"])
def test_directions(direction: str) -> None:
    """`reverse` keeps the places of the elements, as JAX; `go_backwards` the order of the steps, as Theano."""

    def make(b: Any, xs: Any) -> Any:
        facts = {direction: True} if direction else {}
        (last,), (sums, count) = b.scan(
            lambda s, n, x: ([s + x, n + 1], [s + x, n]), [b.tensor(np.zeros(2)), b.constant(0)], [xs], **facts
        )[0][:1], b.scan(lambda s, n, x: ([s + x, n + 1], [s + x, n]), [b.tensor(np.zeros(2)), b.constant(0)], [xs], **facts)[1]
        return [last, sums, count]

    order = XS[::-1] if direction else XS
    sums, count = np.cumsum(order, 0), np.arange(6)
    turned = slice(None, None, -1 if direction == "reverse" else 1)
    check(make, [XS.sum(0), sums[turned], count[turned]], XS)


# --- an end of its own -----------------------------------------------------------------------------------------------


def halving(b: Any, x: Any, length: Any, limit: float, **facts: Any) -> Any:
    """x, halved until it is below the limit: the last, and all that were made."""

    def step(x: Any) -> Any:
        return [x / 2], [x / 2, x], x / 2 < limit

    (last,), stacks = b.scan(step, [x], length=length, **facts)
    return [last, *stacks]


@pytest.mark.parametrize(("limit", "steps"), [(0.3, 2), (0.6, 1), (1e9, 1), (0.0, 5), (1 / 16, 5)])
def test_loop_ends_behind_the_first_step_that_says_so(limit: float, steps: int) -> None:
    """That step counts, as in Theano; there are `length` at most."""
    halves = 0.5 ** np.arange(1, steps + 1)
    want = [halves[-1], halves, 2 * halves]
    check(lambda b, x: halving(b, x, 5, limit), want, np.array(1.0), sizes=[None])
    if steps == 2:
        check_below(lambda b, x: halving(b, x, 5, limit), np.array(1.0))


def test_a_length_of_zero_makes_nothing() -> None:
    check(lambda b, x: halving(b, x, 0, 0.3), [1.0, np.zeros(0), np.zeros(0)], np.array(1.0), sizes=[None])


def until_negative(b: Any, xs: Any, w: Any, backwards: bool = False, length: int | None = None) -> Any:
    def step(h: Any, x: Any) -> Any:
        new = b.tanh(h * w + x)
        return [new], [x, b.sum(new)], b.sum(new) < 0

    (last,), (seen, sums) = b.scan(step, [b.tensor(np.ones(2))], [xs], go_backwards=backwards, length=length)
    return [last, seen, sums]


def until_negative_by_hand(xs: Any, w: Any) -> Any:
    h, seen, sums = np.ones(2), [], []
    for x in xs:
        h = np.tanh(h * w + x)
        seen.append(x)
        sums.append(h.sum())
        if sums[-1] < 0:
            break
    return h, np.array(seen).reshape(-1, 2), np.array(sums)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("backwards", [False, True])
def test_loop_along_a_sequence_ends_early(seed: int, backwards: bool) -> None:
    rng = np.random.default_rng(seed)
    xs, w = rng.normal(size=(5, 2)) + 0.3, rng.normal(size=2)
    want = until_negative_by_hand(xs[::-1] if backwards else xs, w)
    check(lambda b, xs, w: until_negative(b, xs, w, backwards), want, xs, w)
    if seed == 1:
        check_below(lambda b, xs, w: until_negative(b, xs, w, backwards), xs, w, size="[T]")


def test_loop_that_may_end_early_ends_where_the_shortest_of_its_sequences_does() -> None:
    def make(b: Any, xs: Any, ys: Any) -> Any:
        return b.scan(lambda x, y: ([], [x + y], x > 100), [], [xs, ys])[1]

    short = np.arange(4.0)
    for types in (["tensor<?xf64>", "tensor<?xf64>"], ["tensor<6xf64>", "tensor<?xf64>"], ["tensor<?xf64>", "tensor<[N]xf64>"]):
        (got,) = Interpreter(built(make, *types).module).run("main", [NUMBERS, short])
        np.testing.assert_array_equal(got, NUMBERS[:4] + short)


def test_a_length_bounds_a_loop_that_may_end_early() -> None:
    """The sequence may be shorter, where only run time knows."""

    def make(b: Any, xs: Any, ys: Any) -> Any:
        return b.scan(lambda x, y: ([], [x], y > 10), [], [xs, ys], length=3)[1]

    for types in (["tensor<6xf64>", "tensor<5xf64>"], ["tensor<[M]xf64>", "tensor<?xf64>"]):
        module = built(make, *types).module
        for ys, steps in ((np.zeros(5), 3), (np.array([0.0, 11, 0, 0, 0]), 2)):
            np.testing.assert_array_equal(Interpreter(module).run("main", [NUMBERS, ys])[0], NUMBERS[:steps])
    np.testing.assert_array_equal(Interpreter(module).run("main", [NUMBERS, np.zeros(1)])[0], NUMBERS[:1])


@pytest.mark.parametrize(("seed", "size"), [(0, None), (3, None), (3, "[T]"), (3, "?")])
def test_loop_that_ends_early_has_a_gradient(seed: int, size: str | None) -> None:
    """By its sequence, its first value and what it uses from outside; the steps behind the end get nothing."""
    rng = np.random.default_rng(seed)
    xs, w = rng.normal(size=(5, 2)) + 0.3, rng.normal(size=2)

    def make(b: Any, xs: Any, w: Any) -> Any:
        last, seen, sums = until_negative(b, xs, w, length=None if size is None else 9)
        return tir.grad(b.sum(last) + b.sum(b.square(sums)) + b.sum(b.sin(seen)), [xs, w])

    def cost(xs: Any, w: Any) -> float:
        last, seen, sums = until_negative_by_hand(xs, w)
        return float(last.sum() + np.square(sums).sum() + np.sin(seen).sum())

    assert_slopes(cost, [xs, w], run(make, xs, w, size=size))
    if seed == 0:
        check_below(make, xs, w)


def test_loop_that_ends_early_does_not_go_on() -> None:
    """A million steps would take long; ten do not."""
    module = built(lambda b, x: halving(b, x, 10**6, 1e-3), "tensor<f64>").module
    assert [op for op in module.walk() if isinstance(op, While)] and not [op for op in module.walk() if isinstance(op, Scan)]
    last, halves, _ = Interpreter(module).run("main", [np.array(1.0)])
    assert (len(halves), last) == (10, 2.0**-10)


def test_a_number_of_any_whole_type_is_a_size() -> None:
    """200 of ui8 has the bits of -56 of i8."""
    text = """func.func @main(%n: tensor<ui8>) -> tensor<?xi64> {
  %0 = tir.to_index %n : tensor<ui8>
  %1 = tir.iota axis 0 sizes(%0) : tensor<?xi64>
  return %1 : tensor<?xi64>
}
"""
    (got,) = Interpreter(parse_text(text, REGISTRY)).run("main", [np.uint8(200)])
    np.testing.assert_array_equal(got, np.arange(200))
    found = first_disagreement(text, [np.array(200, np.uint8)], read_back=["structured"])
    assert found is None, found


# --- in terms of it --------------------------------------------------------------------------------------------------


def test_map_gives_one_stack_or_several() -> None:
    def make(b: Any, xs: Any, v: Any) -> Any:
        one = b.map(lambda x, scale: b.sum(x * scale), xs, [v])
        first, second = b.map(lambda x, t: [x * x, t], [xs, b.taps(xs, [0])], go_backwards=True)
        assert isinstance(one, tir.Tensor)
        return [one, first, second]

    check(make, [XS @ V, (XS * XS)[::-1], XS[::-1]], XS, V)


def test_reduce_and_folds() -> None:
    def make(b: Any, xs: Any) -> Any:
        poly = b.foldl(lambda so_far, x: so_far * 2.0 + x, 0.0, xs)
        back = b.foldr(lambda so_far, x: so_far * 2.0 + x, 0, xs)
        total, most = b.reduce(lambda s, m, x: [s + x, b.maximum(m, x)], [0.0, -9], xs)
        left = b.reduce(lambda so_far, x, y: so_far - x * y, b.constant(1.0), [xs, xs], reverse=True)
        return [poly, back, total, most, left]

    powers = 2.0 ** np.arange(6)
    want = [NUMBERS @ powers[::-1], NUMBERS @ powers, NUMBERS.sum(), NUMBERS.max(), 1 - NUMBERS @ NUMBERS]
    check(make, want, NUMBERS)


def test_folds_have_gradients() -> None:
    def make(b: Any, xs: Any) -> Any:
        return tir.grad(lambda xs: b.foldr(lambda so_far, x: b.sin(so_far) + x * x, 0.0, xs))(xs)

    def cost(xs: Any) -> float:
        so_far = 0.0
        for x in xs[::-1]:
            so_far = np.sin(so_far) + x * x
        return so_far

    want = [(cost(NUMBERS + e) - cost(NUMBERS - e)) / 2e-6 for e in 1e-6 * np.eye(6)]
    np.testing.assert_allclose(run(make, NUMBERS)[0], want, rtol=1e-6, atol=1e-8)


def test_values_in_a_loop_have_the_names_that_the_function_has() -> None:
    def make(b: Any, xs: Any) -> Any:
        def step(older: Any, newer: Any, before: Any, now: Any) -> Any:
            return [older + newer * now], [before]

        b.scan(step, [b.taps([1.0, 2.0], [-2, -1])], [b.taps(xs, [-1, 0])])
        b.while_loop(lambda y: y < 3, lambda z: [z * 2], [b.constant(1.0)])
        b.scan(lambda x: ([], [x], x > 0), [], [xs])
        return b.reduce(lambda so_far, x: so_far + x, 0.0, xs)

    text = built(make, "tensor<6xf64>").module_text()
    for part in (
        "tir.scan (%older = ", ", %newer = ", "over (%before = ", ", %now = ", "tir.while (%y = ", "^bb0(%z: ",
        "%x = tir.take %a at %steps", "tir.scan (%so_far = ",
    ):  # fmt: skip
        assert part in text, (part, text)


# --- mistakes --------------------------------------------------------------------------------------------------------

ONE = "tensor<f64>"
MISTAKES = [
    (lambda b, x, v: b.scan(lambda h: ([h], []), [v]), "scan: needs a sequence, or a length"),
    (lambda b, x, v: b.scan(lambda e: ([], [e]), [], [b.sum(v)]), "scan: a sequence must have an axis to go along, got tensor<f64>"),
    (lambda b, x, v: b.scan(lambda e: e, [], [x]), "scan: a step gives a list of carried values, a list of what is stacked, and"),
    (lambda b, x, v: b.scan(lambda e: ([],), [], [x]), "scan: a step gives a list of carried values"),
    (lambda b, x, v: b.scan(lambda h, e: ([], [e]), [v], [x]), "scan: a step must give 1 carried value, as many as there are at first, got 0"),
    (lambda b, x, v: b.scan(lambda h, k, e: ([h], [e]), [v, v], [x]), "scan: a step must give 2 carried values, as many as .*, got 1"),
    (lambda b, x, v: b.scan(lambda h, e: ([b.sum(h)], []), [v], [x]),
     "must give tensor<2xf64> as carried value 0, got tensor<f64>; the type may not change from step to step"),
    (lambda b, x, v: b.scan(lambda h, e: ([b.cast(h, tir.F32)], []), [v], [x]),
     "must give tensor<2xf64> as carried value 0, got tensor<2xf32>; tir.cast converts the elements"),
    (lambda b, x, v: b.scan(lambda e: ([], [e[0:1]], e > 0), [], [x]), "scan: when to stop is a tensor<i1>, got tensor<2xi1>"),
    (lambda b, x, v: b.scan(lambda e: ([], [e], b.sum(e) > 0), [], [x], reverse=True),
     "scan: a step that says when to stop goes without reverse, truncate and checkpoint; go_backwards"),
    (lambda b, x, v: b.scan(lambda e: ([], [e]), [], [x], reverse=True, go_backwards=True), "reverse and go_backwards exclude each other"),
    (lambda b, x, v: b.scan(lambda e, f: ([], [e]), [], [x, x[1:]]),
     "scan: sequences must have one size along axis 0, got 6 and 5 .sequence 1.; length takes"),
    (lambda b, x, v: b.scan(lambda e: ([], [e]), [], [x], length=7), "scan: there are no 7 elements along axis 0 of tensor<6x2xf64>"),
    (lambda b, x, v: b.scan(lambda e: ([], [e]), [], [x], length=-1), "length must be a size, a whole number of at least 0, got -1"),
    (lambda b, x, v: b.scan(lambda e: ([], [e]), [], [b.taps(x, [])]), "scan: taps must have at least one number, got"),
    (lambda b, x, v: b.scan(lambda e: ([], [e]), [], [b.taps(x, [-7])]),
     "scan: sequence 0 with taps .-7. must have at least 7 elements, got tensor<6x2xf64>"),
    (lambda b, x, v: b.scan(lambda h, e: ([h], []), [b.taps(v, [-1, 0])], [x]), "taps of first values 0 must be below 0, since they count"),
    (lambda b, x, v: b.scan(lambda h, e: ([h], []), [b.taps(v, [-3])], [x]),
     "scan: first values 0 with taps .-3. must have size 3 along axis 0, got tensor<2xf64>"),
    (lambda b, x, v: b.map(lambda e: b.dynamic_slice(e, [0], [b.to_index(b.constant(1))]), x),
     "scan: stack 0 must have sizes that are known before the loop, got tensor<.xf64>; give the sizes names"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "message"), MISTAKES)
def test_mistake_is_told_at_the_line_of_the_loop(make: Callable[..., Any], message: str) -> None:
    with pytest.raises(tir.TirError, match=message) as caught:
        built(make, "tensor<6x2xf64>", "tensor<2xf64>")
    location = caught.value.location
    assert location is not None and location.file_location().file == __file__
    assert re.match(rf"{re.escape(__file__)}:\d+:1: scan: ", str(caught.value))
