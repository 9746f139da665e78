"""`RandomStreams`: what its distributions look like, sizes and dtypes, seeds, and the streams that functions advance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

import tir
import tir.tensor as T
from tir.sandbox.rng_mrg import MRG_RandomStreams
from tir.tensor.shared_randomstreams import RandomStreams

COUNT = 20000
FARTHEST = 5.0  # standard errors, which one draw of a million is beyond

#: What is drawn, and its mean and standard deviation.
DISTRIBUTIONS: dict[str, tuple[Callable[[Any, Any], Any], float, float]] = {
    "uniform": (lambda r, n: r.uniform(n), 0.5, 1 / np.sqrt(12)),
    "uniform between": (lambda r, n: r.uniform(n, low=-2.0, high=4.0), 1, 6 / np.sqrt(12)),
    "normal": (lambda r, n: r.normal(n), 0, 1),
    "normal around": (lambda r, n: r.normal(size=n, avg=3.0, std=0.5), 3, 0.5),
    "truncated_normal": (lambda r, n: r.truncated_normal(n, avg=1.0, std=2.0), 1, 2 * stats.truncnorm.std(-2, 2)),
    "binomial": (lambda r, n: r.binomial(n, p=0.3), 0.3, np.sqrt(0.21)),
    "binomial of five": (lambda r, n: r.binomial(n, n=5, p=0.3), 1.5, np.sqrt(1.05)),
    "random_integers": (lambda r, n: r.random_integers(n, low=2, high=5), 3.5, np.sqrt(15 / 12)),
    "integers": (lambda r, n: r.integers(4, size=n), 1.5, np.sqrt(15 / 12)),
    "choice": (lambda r, n: r.choice(n, a=4), 1.5, np.sqrt(15 / 12)),
    "choice of elements": (lambda r, n: r.choice(n, a=[0.0, 10.0], p=[0.9, 0.1]), 1, 3),
    "exponential": (lambda r, n: r.exponential(n, scale=2.0), 2, 2),
    "gumbel": (lambda r, n: r.gumbel(n, loc=1.0), 1 + np.euler_gamma, np.pi / np.sqrt(6)),
    "gamma": (lambda r, n: r.gamma(n, shape=3.0, scale=2.0), 6, np.sqrt(12)),
}
WHOLE = ("binomial", "binomial of five", "random_integers", "integers", "choice")


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_mean_and_deviation(name: str) -> None:
    draw, mean, deviation = DISTRIBUTIONS[name]
    x = draw(RandomStreams(17), (COUNT,))
    assert x.dtype == ("int64" if name in WHOLE else "float64")
    found = tir.function([], x, mode="FAST_COMPILE")()
    assert found.shape == (COUNT,)
    assert abs(found.mean() - mean) < FARTHEST * deviation / np.sqrt(COUNT)
    # Of the variance the standard error is variance * sqrt((kurtosis - 1) / n), and no kurtosis here is above 9.
    assert abs(found.var() / deviation**2 - 1) < FARTHEST * np.sqrt(8 / COUNT)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_the_size_may_be_a_variable(name: str) -> None:
    x = T.matrix("x")
    y = DISTRIBUTIONS[name][0](RandomStreams(1), x.shape)
    assert y.ndim == 2
    assert tir.function([x], y, mode="FAST_COMPILE")(np.zeros((3, 2))).shape == (3, 2)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_machine_code_draws_what_the_interpreter_draws(name: str) -> None:
    draws = [
        tir.function([], DISTRIBUTIONS[name][0](RandomStreams(3), (50,)), mode=mode)()
        for mode in ("FAST_COMPILE", "FAST_RUN")
    ]
    np.testing.assert_allclose(*draws, rtol=1e-12)  # the functions of floats may differ in the last place


def test_floats_are_of_floatX_unless_parameters_are_wider() -> None:
    with tir.config.change_flags(floatX="float32"):
        srng = RandomStreams(1)
        assert srng.uniform((2,)).dtype == srng.normal((2,)).dtype == "float32"
        assert srng.normal((2,), avg=T.dscalar("mean")).dtype == "float64"
        assert srng.uniform((2,), dtype="float64").dtype == "float64"
        assert srng.binomial((2,), dtype="floatX").dtype == "float32"


def test_parameters_may_be_variables_and_give_the_size() -> None:
    mean, p = T.vector("mean"), T.matrix("p")
    srng = RandomStreams(5)
    f = tir.function([mean, p], [srng.normal(avg=mean, std=1e-3), srng.binomial(p=p)], mode="FAST_COMPILE")
    normal, binomial = f([0.0, 100.0, -5.0], np.array([[0.0, 1.0], [1.0, 0.0]]))
    np.testing.assert_allclose(normal, [0, 100, -5], atol=0.01)
    assert binomial.tolist() == [[0, 1], [1, 0]]


def test_multinomial_counts_classes() -> None:
    p = T.matrix("p")
    f = tir.function([p], RandomStreams(2).multinomial(n=4, pvals=p), mode="FAST_COMPILE")
    rows = f(np.array([[0.0, 1.0, 0.0], [0.5, 0.0, 0.5]]))
    assert rows.dtype == "int64" and rows.sum(1).tolist() == [4, 4]
    assert rows[0].tolist() == [0, 4, 0] and rows[1, 1] == 0
    one = tir.function([], RandomStreams(2).multinomial((1000,), pvals=[0.25, 0.75]), mode="FAST_COMPILE")()
    assert one.shape == (1000, 2) and abs(one[:, 0].mean() - 0.25) < FARTHEST * np.sqrt(0.1875 / 1000)


def test_permutations_have_each_number_once() -> None:
    srng = RandomStreams(3)
    rows = T.matrix("rows")
    asked = [
        srng.permutation(n=6),
        srng.permutation((4,), n=6),
        srng.choice((5,), a=6, replace=False),
        srng.shuffle_row_elements(rows),
    ]
    f = tir.function([rows], asked, mode="FAST_COMPILE")
    given = np.arange(12.0).reshape(2, 6)
    one, four, five, shuffled = f(given)
    assert sorted(one) == list(range(6)) and np.sort(four, 1).tolist() == [list(range(6))] * 4
    assert len(set(five)) == 5
    assert np.sort(shuffled, 1).tolist() == given.tolist()
    assert len({tuple(row) for row in four}) > 1


@pytest.mark.parametrize("streams", [RandomStreams, MRG_RandomStreams])
def test_seeds_determine_the_numbers(streams: Any) -> None:
    def numbers(seed: int) -> Any:
        return tir.function([], streams(seed).uniform((3,)), mode="FAST_COMPILE")()

    np.testing.assert_array_equal(numbers(4), numbers(4))
    assert not np.isclose(numbers(4), numbers(5)).any()


def test_seeding_again_starts_all_streams_anew() -> None:
    srng = RandomStreams(7)
    a, b = srng.uniform((2,)), srng.normal((2,))
    f = tir.function([], [a, b], mode="FAST_COMPILE")
    first, second = f(), f()
    assert not np.array_equal(first, second)
    srng.seed(7)
    np.testing.assert_array_equal(f(), first)
    srng.seed(8)
    assert not np.array_equal(f(), first)
    srng.seed()
    np.testing.assert_array_equal(f(), first)


def test_one_stream_can_be_seeded_and_set_back() -> None:
    """As Theano's tutorial shows it: `x.rng` holds the state of the stream of x."""
    x = RandomStreams(7).uniform((2,))
    f = tir.function([], x, mode="FAST_COMPILE")
    state = x.rng.get_value(borrow=True)
    before = x.rng.get_value()
    first = f()
    x.rng.set_value(before)
    np.testing.assert_array_equal(f(), first)
    state = x.rng.get_value(borrow=True)
    state.seed(89)
    x.rng.set_value(state, borrow=True)
    assert not np.array_equal(f(), first)


def test_a_stream_used_twice_is_drawn_once() -> None:
    x = RandomStreams(7).uniform((2,))
    assert tir.function([], [x + x - 2 * x], mode="FAST_COMPILE")()[0].tolist() == [0, 0]


def test_functions_share_a_stream() -> None:
    srng = RandomStreams(7)
    x = srng.uniform((2,))
    f, g = (tir.function([], x, mode="FAST_COMPILE") for _ in range(2))
    first = f()
    assert not np.array_equal(g(), first)
    assert srng.updates() == srng.state_updates == [(x.rng, x.update)]
