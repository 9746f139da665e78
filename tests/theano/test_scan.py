"""`tir.scan` and its kin: each program against a loop in numpy, each gradient against finite differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import tir
import tir.tensor as T
from tir.scan_module import until
from tir.updates import OrderedUpdates

ROWS = np.random.RandomState(0).uniform(-1, 1, (5, 3))
LINE = np.arange(1.0, 8.0)


def run(outputs: Any, values: dict[Any, Any] | None = None, **options: Any) -> Any:
    """What a function of these variables gives for these values, on numpy."""
    given = values or {}
    options.setdefault("mode", "FAST_COMPILE")
    return tir.function(list(given), outputs, **options)(*given.values())


def differences(cost: Callable[..., float], given: Sequence[Any], i: int, step: float = 1e-6) -> Any:
    """The derivatives of cost(*given) by the elements of given[i], from both sides."""
    found = np.zeros(np.shape(given[i]))
    for place in np.ndindex(found.shape):
        ends = []
        for side in (step, -step):
            moved = [np.array(x, copy=True) for x in given]
            moved[i][place] += side
            ends.append(cost(*moved))
        found[place] = (ends[0] - ends[1]) / (2 * step)
    return found


def check_gradients(cost: Any, variables: Sequence[Any], values: Sequence[Any]) -> None:
    """All gradients of the cost, by machine code, against finite differences of what the function itself gives."""
    value = tir.function(list(variables), cost)
    slopes = tir.function(list(variables), T.grad(cost, list(variables)))(*values)
    for i, slope in enumerate(slopes):
        np.testing.assert_allclose(slope, differences(value, values, i), rtol=1e-6, atol=1e-8)


# --- what a step takes and gives -------------------------------------------------------------------------------------


def test_sequences_then_last_outputs_then_the_rest() -> None:
    x, w, h0 = T.dmatrix("x"), T.dvector("w"), T.dvector("h0")
    found, updates = tir.scan(lambda x, h, w: T.tanh(x * w + h), x, h0, w)
    want, h = [], np.zeros(3)
    for row in ROWS:
        h = np.tanh(row * LINE[:3] + h)
        want.append(h)
    np.testing.assert_allclose(run(found, {x: ROWS, w: LINE[:3], h0: np.zeros(3)}), want, rtol=1e-12)
    assert updates == {}


@pytest.mark.parametrize("mode", ["FAST_COMPILE", "FAST_RUN"])
def test_taps_of_sequences_and_of_outputs(mode: str) -> None:
    x, y0 = T.dvector("x"), T.dvector("y0")

    def step(before: Any, now: Any, behind: Any, y_3: Any, y_1: Any) -> Any:
        return before + 2 * now + 3 * behind + 0.5 * y_3 * y_1

    found, _ = tir.scan(step, dict(input=x, taps=[-2, 0, 1]), dict(initial=y0, taps=[-3, -1]))
    y = [0.1, 0.2, 0.3]
    for t in range(2, 6):
        y.append(LINE[t - 2] + 2 * LINE[t] + 3 * LINE[t + 1] + 0.5 * y[-3] * y[-1])
    np.testing.assert_allclose(run(found, {x: LINE, y0: [0.1, 0.2, 0.3]}, mode=mode), y[3:], rtol=1e-12)


def test_several_outputs_some_of_which_do_not_come_back() -> None:
    x = T.dvector("x")
    (double, total, square), _ = tir.scan(
        lambda x, total: [2 * x, total + x, x * x], x, [None, T.constant(0.0), dict(initial=None)]
    )
    found = run([double, total, square], {x: LINE})
    for got, want in zip(found, [2 * LINE, np.cumsum(LINE), LINE**2]):
        np.testing.assert_array_equal(got, want)


def test_what_one_step_gives_has_the_form_of_what_scan_gives() -> None:
    x = T.dvector("x")
    assert isinstance(tir.scan(lambda x: x, x)[0], T.Variable)
    assert isinstance(tir.scan(lambda x: [x], x)[0], T.Variable)
    assert isinstance(tir.scan(lambda x: x, x, return_list=True)[0], list)
    assert len(tir.scan(lambda x: (x, -x), x)[0]) == 2
    assert tir.scan(lambda: {tir.shared(0.0, "c"): T.constant(1.0)}, n_steps=2)[0] is None


@pytest.mark.parametrize("steps", [0, 1, 4])
@pytest.mark.parametrize("mode", ["FAST_COMPILE", "FAST_RUN"])
def test_number_of_steps_that_a_variable_says(steps: int, mode: str) -> None:
    """The powers of the tutorials."""
    base, k = T.dvector("base"), T.iscalar("k")
    found, _ = tir.scan(lambda power, base: power * base, outputs_info=T.ones_like(base), non_sequences=base, n_steps=k)
    want = [[2.0**i, 3.0**i] for i in range(1, steps + 1)]
    got = run(found, {base: [2.0, 3.0], k: steps}, mode=mode)
    np.testing.assert_array_equal(got, np.reshape(want, (steps, 2)))


@pytest.mark.parametrize("steps", [0, 1, 3])
def test_number_of_steps_that_is_a_number(steps: int) -> None:
    found, _ = tir.scan(lambda h: h + 1, outputs_info=T.constant(5.0), n_steps=steps)
    np.testing.assert_array_equal(run(found), [6.0, 7.0, 8.0][:steps])


def test_sequences_of_unequal_length_end_with_the_shortest_and_n_steps_cuts_them() -> None:
    x, y, n = T.dvector("x"), T.dvector("y"), T.lscalar("n")
    whole, _ = tir.scan(lambda x, y: x * y, [x, y])
    cut, _ = tir.scan(lambda x, y: x * y, [x, y], n_steps=n)
    np.testing.assert_array_equal(run(whole, {x: LINE, y: LINE[:4]}), LINE[:4] ** 2)
    np.testing.assert_array_equal(run(cut, {x: LINE, y: LINE[:4], n: 2}), LINE[:2] ** 2)


def test_go_backwards_takes_the_last_element_first_and_stacks_as_it_goes() -> None:
    x, n = T.dvector("x"), T.lscalar("n")
    found, _ = tir.scan(lambda x, total: total + x, x, T.constant(0.0), go_backwards=True)
    last, _ = tir.scan(lambda x: x, x, n_steps=n, go_backwards=True)
    np.testing.assert_array_equal(run(found, {x: LINE}), np.cumsum(LINE[::-1]))
    np.testing.assert_array_equal(run(last, {x: LINE, n: 2}), LINE[::-1][:2])


def test_variables_from_outside_need_not_be_handed_over() -> None:
    x, factor = T.dvector("x"), tir.shared(3.0, "factor")
    found, _ = tir.scan(lambda x: x * factor, x)
    f = tir.function([x], found)
    np.testing.assert_array_equal(f(LINE), 3 * LINE)
    factor.set_value(2.0)
    np.testing.assert_array_equal(f(LINE), 2 * LINE)


def test_whole_numbers_and_rows_that_are_looked_up() -> None:
    """A polynomial by its coefficients, and places in a matrix that are set one after the other."""
    c, x = T.dvector("c"), T.dscalar("x")
    parts, _ = tir.scan(lambda c, power, x: c * x**power, [c, T.arange(1000)], None, x)
    assert run(parts.sum(), {c: [1.0, 0.0, 2.0], x: 3.0}) == 19.0
    places, values = T.imatrix("places"), T.dvector("values")
    found, _ = tir.scan(
        lambda at, value, so_far: T.set_subtensor(so_far[at[0], at[1]], value), [places, values], T.zeros((5, 5))
    )
    want = np.zeros((5, 5))
    want[1, 1], want[2, 3] = 42, 50
    np.testing.assert_array_equal(run(found[-1], {places: [[1, 1], [2, 3]], values: [42, 50]}), want)


def test_first_value_of_lower_precision_takes_the_type_of_the_steps() -> None:
    x = T.fvector("x")
    found, _ = tir.scan(lambda x, h: h + x.astype("float64"), x, T.constant(np.float32(0.5)))
    assert found.dtype == "float64"
    np.testing.assert_array_equal(run(found, {x: [1, 2]}), [1.5, 3.5])


def test_first_value_may_stretch_where_it_has_size_one() -> None:
    x = T.dmatrix("x")
    found, _ = tir.scan(lambda x, h: h + x, x, T.zeros((1, 3)).sum(0))
    np.testing.assert_allclose(run(found, {x: ROWS}), np.cumsum(ROWS, 0), rtol=1e-12)


# --- sizes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "want"),
    [
        (lambda x: x[1:] - x[:-1], lambda x: x[1:] - x[:-1]),
        (lambda x: T.concatenate([x, x[::2]]), lambda x: np.concatenate([x, x[::2]])),
        (lambda x: T.outer(x, x)[1:].sum(0), lambda x: np.outer(x, x)[1:].sum(0)),
        (lambda x: x * T.ones((x.shape[0] - 1, 1)), lambda x: x * np.ones((2, 1))),
        (lambda x: T.zeros_like(x)[: x.shape[0] // 2] + x[0], lambda x: np.full(1, x[0])),
    ],
)
def test_size_that_a_step_computes_of_sizes_is_known_before_the_loop(step: Any, want: Any) -> None:
    x = T.dmatrix("x")
    found, _ = tir.scan(step, x)
    np.testing.assert_allclose(run(found, {x: ROWS}), [want(row) for row in ROWS], rtol=1e-12)
    check_gradients((found**2).sum(), [x], [ROWS])


def test_sizes_that_are_equal_when_it_runs_need_not_be_known_to_be() -> None:
    """The layer of a recurrent net: its mask, its input and its state get their sizes from three places."""
    mask, x, w = T.dmatrix("mask"), T.dtensor3("x"), T.dmatrix("w")

    def step(m: Any, x: Any, h: Any, c: Any) -> Any:
        c = T.tanh(T.dot(h, w) + x) + c
        c = m[:, None] * c + (1.0 - m)[:, None] * h
        return m[:, None] * T.tanh(c), c

    start = T.alloc(0.0, x.shape[1], w.shape[0])
    (h, _), _ = tir.scan(step, [mask, x], [start, start], n_steps=x.shape[0])
    random = np.random.RandomState(1)
    values = [random.uniform(size=(3, 2)), random.uniform(size=(3, 2, 4)), random.uniform(size=(4, 4))]
    h_now = c_now = np.zeros((2, 4))
    want = []
    for m, x_now in zip(*values[:2]):
        c_now = np.tanh(h_now @ values[2] + x_now) + c_now
        c_now = m[:, None] * c_now + (1 - m)[:, None] * h_now
        h_now = m[:, None] * np.tanh(c_now)
        want.append(h_now)
    np.testing.assert_allclose(tir.function([mask, x, w], h)(*values), want, rtol=1e-12)
    check_gradients((h**2).sum(), [mask, x, w], values)


def test_products_with_matrices_whose_sizes_are_not_known_to_fit() -> None:
    x, w, y, u, p, v = (constructor(name) for constructor, name in zip([T.dvector] + [T.dmatrix] * 5, "xwyupv"))
    found, _ = tir.scan(lambda y, p, h: T.tanh(T.dot(h, w) + T.dot(y, u) + T.dot(p, v)), [y, p[::-1]], [x])
    random = np.random.RandomState(2)
    values = [random.uniform(-1, 1, size) for size in [(2,), (2, 2), (4, 3), (3, 2), (4, 1), (1, 2)]]
    h, want = values[0], []
    for t in range(4):
        h = np.tanh(h @ values[1] + values[2][t] @ values[3] + values[4][3 - t] @ values[5])
        want.append(h)
    np.testing.assert_allclose(run(found, dict(zip([x, w, y, u, p, v], values))), want, rtol=1e-12)
    check_gradients((found**2).sum(), [x, w, y, u, p, v], values)


def test_size_that_is_a_number_here_and_a_name_there() -> None:
    """What is added to x[:3] has size 3, and x[:3] as many elements as there are."""
    x, v, t = T.dvector("x"), T.dvector("v"), tir.shared(np.ones(3))
    y = T.inc_subtensor(x[:3], t)
    found, _ = tir.scan(lambda i, y, x, v: (T.grad(y[i], x) * v).sum(), T.arange(y.shape[0]), None, [y, x, v])
    np.testing.assert_array_equal(run(found, {x: np.ones(6), v: LINE[:6]}), LINE[:6])


def test_size_that_differs_from_step_to_step_is_no_stack() -> None:
    x = T.dvector("x")
    found, _ = tir.scan(lambda i: x[:i], T.arange(x.shape[0]))
    with pytest.raises(tir.TirError, match="what is stacked must have sizes that are known before the loop"):
        run(found, {x: LINE})
    total, _ = tir.scan(lambda i: x[:i].sum(), T.arange(x.shape[0]))
    np.testing.assert_array_equal(run(total, {x: LINE}), np.cumsum(LINE) - LINE)


def test_sizes_that_do_not_fit_are_an_error_when_it_runs() -> None:
    x, h0 = T.dmatrix("x"), T.dvector("h0")
    found, _ = tir.scan(lambda x, h: h + x, x, h0)
    with pytest.raises(tir.TirError, match="3 and 2|2 and 3"):
        run(found, {x: ROWS, h0: [0.0, 0.0]})


# --- a loop with an end of its own -----------------------------------------------------------------------------------


def test_until_ends_the_loop_behind_the_step_where_it_is_true() -> None:
    limit = T.iscalar("limit")
    found, _ = tir.scan(
        lambda p, m: (p * 2, until(p * 2 > m)), outputs_info=T.constant(1.0), non_sequences=limit, n_steps=1024
    )
    f = tir.function([limit], found)
    np.testing.assert_array_equal(f(45), [2, 4, 8, 16, 32, 64])
    np.testing.assert_array_equal(f(0), [2])


@pytest.mark.parametrize(("truncate", "first"), [(-1, 0), (3, 4), (50, 0)])
def test_gradient_of_a_loop_with_an_end_of_its_own(truncate: int, first: int) -> None:
    x, limit = T.dvector("x"), T.dscalar("limit")
    found, _ = tir.scan(lambda x, u: (x * x, until(x > u)), x, None, limit, truncate_gradient=truncate)
    values, slope = run([found, T.grad(found.sum(), x)], {x: np.arange(15.0), limit: 5.0}, mode="FAST_RUN")
    np.testing.assert_array_equal(values, np.arange(7.0) ** 2)
    places = np.arange(15)
    np.testing.assert_array_equal(slope, np.where((places >= first) & (places < 7), 2.0 * places, 0))


def test_until_with_taps_and_backwards() -> None:
    x = T.dvector("x")
    taps, _ = tir.scan(lambda a, b: (a * b, until(b > 4)), dict(input=x, taps=[-2, 0]))
    np.testing.assert_array_equal(run(taps, {x: LINE}), [1 * 3, 2 * 4, 3 * 5])
    back, _ = tir.scan(lambda x, h: (h + x, until(h + x > 12)), x, T.constant(0.0), go_backwards=True)
    np.testing.assert_array_equal(run([back, T.grad(back[-1] ** 2, x)], {x: LINE})[0], [7, 13])
    np.testing.assert_array_equal(run(T.grad(back[-1] ** 2, x), {x: LINE}), [0, 0, 0, 0, 0, 26, 26])


# --- gradients -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("taps", [[-1], [-2], [-3, -1]])
def test_gradient_through_taps(taps: list[int], backwards: bool) -> None:
    x, w = T.dvector("x"), T.dscalar("w")
    h0 = T.dscalar("h0") if taps == [-1] else T.dvector("h0")
    first = np.array([0.3, -0.2, 0.5])[: -min(taps)] if taps != [-1] else np.array(0.3)

    def step(x: Any, behind: Any, *rest: Any) -> Any:
        *last, w = rest
        return T.tanh(w * sum(last) + x * behind)

    found, _ = tir.scan(step, dict(input=x, taps=[0, 2]), dict(initial=h0, taps=taps), w, go_backwards=backwards)
    check_gradients((found**2 * T.arange(5)).sum(), [x, h0, w], [LINE / 7, first, 0.7])


def test_gradient_goes_back_through_the_last_steps_alone() -> None:
    """h = w h + x: from the last of n steps, the derivative by w has one term for each of `truncate` steps."""
    x, w, h0 = T.dvector("x"), T.dscalar("w"), T.dscalar("h0")
    for truncate in (1, 3, 20):
        h, _ = tir.scan(lambda x, h: w * h + x, x, h0, truncate_gradient=truncate)
        by_w, by_h0 = run(T.grad(h[-1], [w, h0]), {x: LINE, w: 0.5, h0: 2.0}, mode="FAST_RUN")
        states = [2.0]
        for number in LINE:
            states.append(0.5 * states[-1] + number)
        count = min(truncate, len(LINE))
        assert by_w == pytest.approx(sum(0.5**k * states[-2 - k] for k in range(count)), rel=1e-12)
        assert by_h0 == (0.5 ** len(LINE) if truncate >= len(LINE) else 0)


def test_gradient_inside_of_a_step() -> None:
    """Gradient descent, and the Jacobian and Hessian of the tutorials."""
    x0, x = T.dvector("x0"), T.dvector("x")
    path, _ = tir.scan(lambda x: x - 0.1 * T.grad(((x - 3.0) ** 2).sum(), x), outputs_info=x0, n_steps=50)
    np.testing.assert_allclose(run(path[-1], {x0: [0.0, 10.0]}), 3 + 0.8**50 * np.array([-3.0, 7.0]), rtol=1e-9)
    y = x**3
    jacobian, _ = tir.scan(lambda i, y, x: T.grad(y[i], x), T.arange(y.shape[0]), None, [y, x])
    np.testing.assert_allclose(run(jacobian, {x: LINE}), np.diag(3 * LINE**2), rtol=1e-12)
    slope = T.grad(y.sum(), x)
    hessian, _ = tir.scan(lambda i, slope, x: T.grad(slope[i], x), T.arange(slope.shape[0]), None, [slope, x])
    np.testing.assert_allclose(run(hessian, {x: LINE}), np.diag(6 * LINE), rtol=1e-12)


def test_gradient_by_the_path_of_gradient_descent() -> None:
    x0, rate = T.dvector("x0"), T.dscalar("rate")
    path, _ = tir.scan(lambda x: x - rate * T.grad((x**4).sum(), x), outputs_info=x0, n_steps=3)
    check_gradients((path[-1] ** 2).sum(), [x0, rate], [np.array([0.5, -0.7]), np.array(0.1)])


def test_second_derivatives() -> None:
    x, w, p = T.dvector("x"), T.dvector("w"), T.dvector("p")
    h, _ = tir.scan(lambda x, h, w: T.tanh(w * h + x), x, T.ones_like(w), w)
    cost = (h[-1] ** 2).sum()
    slope = T.grad(cost, w)
    values = [LINE[:4] / 7, np.array([0.5, -0.3]), np.array([1.0, 2.0])]
    hessian = tir.function([x, w], T.hessian(cost, w))(*values[:2])
    value = tir.function([x, w], slope)
    want = np.stack([differences(lambda x, w, i=i: value(x, w)[i], values[:2], 1) for i in range(2)])
    np.testing.assert_allclose(hessian, want, rtol=1e-6, atol=1e-8)
    forward = tir.function([x, w, p], T.Rop(slope, w, p))(*values)
    np.testing.assert_allclose(forward, hessian @ values[2], rtol=1e-9)


def test_tangent_of_a_shared_variable_has_its_sizes() -> None:
    w, x, v = tir.shared(ROWS, "w"), T.dvector("x"), T.dmatrix("v")
    h, _ = tir.scan(lambda row: T.tanh(row * x), w)
    found = run(T.Rop(h, w, v), {x: LINE[:3], v: np.ones((5, 3))})
    np.testing.assert_allclose(found, (1 - np.tanh(ROWS * LINE[:3]) ** 2) * LINE[:3], rtol=1e-9)


def test_gradient_of_one_output_does_not_need_the_others() -> None:
    x, k = T.dvector("x"), T.ivector("k")
    (h, number), _ = tir.scan(lambda x, k, h: [h + x * k, 2 * k], [x, k], [T.constant(0.0), None])
    f = tir.function([x, k], [T.grad(h[-1], x), number])
    slope, numbers = f(LINE, np.arange(7, dtype=np.int32))
    np.testing.assert_array_equal(slope, np.arange(7))
    np.testing.assert_array_equal(numbers, 2 * np.arange(7))


# --- loops in loops --------------------------------------------------------------------------------------------------


def test_loop_in_a_loop_and_its_gradient() -> None:
    x, w = T.dmatrix("x"), T.dscalar("w")

    def row(x: Any, total: Any, w: Any) -> Any:
        inner, _ = tir.scan(lambda e, h, w: T.tanh(w * h + e), x, total, w)
        return inner[-1]

    found, _ = tir.scan(row, x, T.constant(0.125), w)
    total, want = 0.125, []
    for numbers in ROWS:
        for number in numbers:
            total = np.tanh(0.6 * total + number)
        want.append(total)
    np.testing.assert_allclose(run(found, {x: ROWS, w: 0.6}), want, rtol=1e-12)
    check_gradients((found**2).sum(), [x, w], [ROWS, np.array(0.6)])


def test_stack_of_stacks() -> None:
    x, y = T.dvector("x"), T.dvector("y")
    found, _ = tir.scan(lambda x: tir.scan(lambda y: x * y, y)[0], x)
    np.testing.assert_array_equal(run(found, {x: LINE, y: LINE[:2]}), np.outer(LINE, LINE[:2]))


# --- shared variables ------------------------------------------------------------------------------------------------


def test_updates_of_the_steps_are_those_of_the_function() -> None:
    a, times = tir.shared(1, "a"), T.iscalar("times")
    values, updates = tir.scan(lambda: {a: a + 1}, n_steps=times)
    assert values is None and list(updates) == [a] and isinstance(updates, OrderedUpdates)
    f = tir.function([times], a, updates=updates)
    assert (f(3), a.get_value()) == (1, 4)
    later = tir.function([times], [], updates={a: updates[a] + 1})
    later(2)
    assert a.get_value() == 7


def test_outputs_and_updates_in_every_form() -> None:
    c = tir.shared(0.0, "c")
    x = T.dvector("x")
    for form in (
        lambda x: (x * c, {c: c + x}), lambda x: ([x * c], [(c, c + x)]), lambda x: (x * c, OrderedUpdates({c: c + x})),
    ):  # fmt: skip
        c.set_value(1.0)
        found, updates = tir.scan(form, x)
        np.testing.assert_array_equal(run(found, {x: LINE[:3]}, updates=updates), [1, 4, 12])
        assert c.get_value() == 7.0


def test_random_numbers_differ_from_step_to_step_and_from_call_to_call() -> None:
    stream = T.shared_randomstreams.RandomStreams(4)
    found, updates = tir.scan(lambda: stream.uniform((3,)), n_steps=4)
    f = tir.function([], found, updates=updates)
    numbers = np.concatenate([f(), f()])
    assert len(np.unique(numbers)) == 24
    assert 0 <= numbers.min() < numbers.max() < 1


def test_random_numbers_in_a_loop_in_a_loop() -> None:
    stream = T.shared_randomstreams.RandomStreams(5)

    def chain(h: Any) -> Any:
        inner, updates = tir.scan(lambda v: v + stream.uniform((2,)), outputs_info=T.zeros(2), n_steps=3)
        return inner[-1] + h, updates

    found, updates = tir.scan(chain, outputs_info=T.zeros(2), n_steps=4)
    f = tir.function([], found, updates=updates)
    numbers = np.concatenate([np.diff(f(), axis=0), np.diff(f(), axis=0)])
    assert len(np.unique(numbers)) == 12
    assert 0 < numbers.min() < numbers.max() < 3


def test_gibbs_steps_by_the_form_of_the_tutorials() -> None:
    """Six outputs of which one comes back; those that do not come back are named by None."""
    stream = T.shared_randomstreams.RandomStreams(6)
    w = tir.shared(np.random.RandomState(0).uniform(-1, 1, (4, 3)), "w")
    v0 = T.dmatrix("v0")

    def step(v: Any) -> Any:
        up = T.dot(v, w)
        h = stream.binomial(up.shape, n=1, p=T.nnet.sigmoid(up), dtype="float64")
        down = T.dot(h, w.T)
        return [up, h, down, stream.binomial(down.shape, n=1, p=T.nnet.sigmoid(down), dtype="float64")]

    (up, h, down, v), updates = tir.scan(step, outputs_info=[None, None, None, v0], n_steps=6)
    end = v[-1]
    slope = T.grad(T.mean(T.dot(end, w)), w, consider_constant=[end])
    f = tir.function([v0], [up, h, down, v, slope], updates=updates)
    start = np.ones((2, 4))
    up_now, h_now, down_now, v_now, slope_now = f(start)
    np.testing.assert_allclose(up_now, np.concatenate([start[None], v_now[:-1]]) @ w.get_value(), rtol=1e-12)
    np.testing.assert_allclose(down_now, h_now @ w.get_value().T, rtol=1e-12)
    np.testing.assert_allclose(slope_now, np.tile(v_now[-1].sum(0)[:, None] / 6, 3), rtol=1e-12)


# --- in terms of it --------------------------------------------------------------------------------------------------


def test_map_reduce_and_folds() -> None:
    x, y = T.dvector("x"), T.dvector("y")
    mapped, _ = tir.map(lambda x, y: x * y, [x, y])
    reduced, _ = tir.reduce(lambda x, so_far: so_far + x, x, T.constant(0.0))
    left, _ = tir.foldl(lambda x, so_far: x + 2 * so_far, x, T.constant(0.0))
    right, _ = tir.foldr(lambda x, so_far: x + 2 * so_far, x, T.constant(0.0))
    backwards, _ = tir.map(lambda x: -x, x, go_backwards=True)
    found = run([mapped, reduced, left, right, backwards], {x: LINE, y: LINE})
    powers = 2.0 ** np.arange(7)
    for got, want in zip(found, [LINE**2, 28, (LINE * powers[::-1]).sum(), (LINE * powers).sum(), -LINE[::-1]]):
        np.testing.assert_array_equal(got, want)


def test_reduce_of_several_values() -> None:
    x = T.dvector("x")
    (total, product), _ = tir.reduce(lambda x, s, p: [s + x, p * x], x, [T.constant(0.0), T.constant(1.0)])
    assert [float(one) for one in run([total, product], {x: LINE})] == [28, 5040]


# --- wrong programs --------------------------------------------------------------------------------------------------

X, A, N = T.dvector("x"), tir.shared(1.0, "a"), T.lscalar("n")

WRONG: list[tuple[Callable[[], Any], str]] = [
    (lambda: tir.scan(lambda: 1.0), "scan: needs sequences, or n_steps"),
    (lambda: tir.scan(lambda x: x, N), "scan: a sequence must have an axis to go along, got n of rank 0"),
    (lambda: tir.scan(lambda x: x, dict(inputs=X)), "scan: a sequence has 'input' and 'taps', got 'inputs'"),
    (lambda: tir.scan(lambda x: x, dict(taps=[0])), "scan: a sequence with taps needs 'input', the variable"),
    (lambda: tir.scan(lambda x: x, dict(input=X, taps=[0.5])), "scan: taps must be whole numbers, got [0.5]"),
    (lambda: tir.scan(lambda x: x, X, dict(start=X)), "scan: outputs_info has 'initial' and 'taps', got 'start'"),
    (lambda: tir.scan(lambda x: x, X, dict(taps=[-1])), "scan: taps [-1] need an initial value"),
    (lambda: tir.scan(lambda x, h: x, X, dict(initial=X, taps=[0])),
     "scan: taps of outputs must be below 0, since they count back, got [0]"),
    (lambda: tir.scan(lambda x, h: x, X, dict(initial=X, taps=[-1, -1])), "scan: each tap may be named once, got [-1, -1]"),
    (lambda: tir.scan(lambda x, h, g: x, X, dict(initial=A, taps=[-2, -1])),
     "scan: taps [-2, -1] need initial values along an axis, got tensor<f64>"),
    (lambda: tir.scan(lambda x, h: [x, h], X, A),
     "scan: the function must give 1 output, as outputs_info has them, got 2"),
    (lambda: tir.scan(lambda x, h: x > h, X, T.constant(1)), "scan: output 0 of a step has dtype bool, and its first value int8"),
    (lambda: tir.scan(lambda x: None, X, [None]), "scan: the function must give 1 output, as outputs_info has them, got 0"),
    (lambda: tir.scan(lambda x: [x, None], X), "scan: the function must give variables, got"),
    (lambda: tir.scan(lambda x: "x", X), "scan: the function must give variables, got"),
    (lambda: tir.scan(lambda x: (x, {X: x}), X), "scan: only shared variables can be updated, got x"),
    (lambda: tir.scan(lambda h: T.stack([h, h]), None, A, n_steps=2), "scan: output 0 of a step has 1 axis, and its first value 0"),
    (lambda: tir.scan(lambda x, y: x, X), "scan: the function must take 1 value, got a function of x, y"),
    (lambda: tir.scan(lambda: 1.0, X), "scan: the function must take 1 value, got a function of none"),
    (lambda: tir.scan(lambda x: x, X, n_steps=-1), "scan: n_steps must be at least 0, got -1"),
    (
        lambda: tir.scan(lambda x: x, X, n_steps=A),
        "scan: n_steps must be a 0-d variable of whole numbers, got one of tensor<f64>",
    ),
    (lambda: tir.scan(lambda x: x, X, n_steps=2.5), "scan: n_steps must be a whole number"),
    (lambda: tir.scan(lambda x: x, X, truncate_gradient=0), "scan: truncate_gradient must be -1, for all steps, or at least 1, got 0"),
    (lambda: tir.scan(5, X), "scan: needs a function of one step, got 5"),
    (lambda: tir.scan(lambda x: (x, until(T.stack([x, x]) > 0)), X), "scan: the condition of until must be a scalar"),
    (lambda: tir.scan(lambda x: x * A, X, strict=True), "scan: strict, and a is used and not among non_sequences"),
    (lambda: tir.reduce(lambda x: x, X, None), "reduce: needs a first value, outputs_info"),
]  # fmt: skip


@pytest.mark.parametrize(("program", "message"), WRONG)
def test_what_is_wrong_is_said_with_the_line(program: Callable[[], Any], message: str) -> None:
    with pytest.raises(tir.TirError) as found:
        program()
    function, problem = message.split(": ", 1)
    place, told = str(found.value).split(f": {function}(", 1)
    assert "test_scan.py" in place and f"): {problem}" in told and len(told.splitlines()) == 1


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
@pytest.mark.parametrize("steps", [8, N])
def test_a_sequence_that_is_too_short_for_n_steps(steps: Any, mode: str) -> None:
    doubled, _ = tir.scan(lambda x: x * 2, X, n_steps=steps)
    summed, _ = tir.scan(lambda x, total: x + total, X, [np.zeros(())], n_steps=steps, go_backwards=True)
    f = tir.function([X, N], [doubled, summed], mode=mode, on_unused_input="ignore")
    assert f(np.append(LINE, 8.0), 8)[0].tolist() == [2.0 * i for i in range(1, 9)]
    with pytest.raises(tir.TirError, match="axis 0 of the slice must not be longer than that of x, got 8 and 7"):
        f(LINE, 8)
