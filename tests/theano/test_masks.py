"""`x[mask]`, where its result has a shape: writing by a mask, reductions of what it chooses, and how much that is.

numpy says what comes out, on numbers that include nan, both infinities and -0.0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tir
import tir.tensor as T
from tests.theano.cases import INF, MODES, NAN

X = np.array([[1, -2, NAN], [-0.0, INF, 4.0], [7, -INF, 0]])
ROWS = np.array([True, False, True])
V, S = np.array([10.0, 20.0, 30.0]), np.float64(9)
x, v, s, rows = T.dmatrix("x"), T.dvector("v"), T.dscalar("s"), T.tensor("bool", (False,), name="rows")
ALL = slice(None)


def computed(outputs: list[Any], mode: str, array: Any = X, mask: Any = ROWS) -> list[Any]:
    return tir.function([x, v, s, rows], outputs, mode=mode, on_unused_input="ignore")(array, V, S, mask)


def written(index: Any, y: Any, add: bool = False, array: Any = X) -> Any:
    found = array.copy()
    found[index] = found[index] + y if add else y
    return found


#: A part by a mask with what is written, and the same for numpy.
WRITTEN: list[tuple[Callable[[], tuple[Any, Any]], Any, Any]] = [
    (lambda: (x[x > 0], s), X > 0, S),
    (lambda: (x[x > 0], 3), X > 0, 3),
    (lambda: (x[x > 0], np.array([2.0])), X > 0, 2),
    (lambda: (x[x > 1e300 * 1e300], s), X > INF, S),
    (lambda: (x[rows], v), ROWS, V),
    (lambda: (x[rows], v.dimshuffle("x", 0)), ROWS, V),
    (lambda: (x[rows, :], s), ROWS, S),
    (lambda: (x[rows, ...], T.ones(1)), ROWS, 1),
    (lambda: (x[:, rows], s), (ALL, ROWS), S),
    (lambda: (x[..., rows], v.dimshuffle(0, "x")), (ALL, ROWS), V[:, None]),
    (lambda: (x[(x > 0).nonzero()], s), X > 0, S),
    (lambda: (x[T.nonzero(T.isnan(x))], 0), np.isnan(X), 0),
    (lambda: (x[rows.nonzero()], v), ROWS, V),
    (lambda: (x[rows.nonzero()[0]], v), ROWS, V),
    (lambda: (x[:, rows.nonzero()[0]], s), (ALL, ROWS), S),
    (lambda: (x[rows], (2 * x)[rows]), ROWS, 2 * X[ROWS]),
    (lambda: (x[:, rows], T.neg(x)[:, rows]), (ALL, ROWS), -X[:, ROWS]),
    (lambda: (x[T.constant(ROWS)], s), ROWS, S),
]


@pytest.mark.parametrize("mode", MODES)
def test_what_a_mask_chooses_is_set_and_added_to_as_numpy_does_it(mode: str) -> None:
    built = [part() for part, *_ in WRITTEN]
    found = computed([*(T.set_subtensor(*one) for one in built), *(part.inc(y) for part, y in built)], mode)
    wanted = [written(index, y, add) for add in (False, True) for _, index, y in WRITTEN]
    for number, (one, other) in enumerate(zip(found, wanted)):
        np.testing.assert_array_equal(one, other, err_msg=f"case {number}")
        np.testing.assert_array_equal(np.signbit(one[~np.isnan(one)]), np.signbit(other[~np.isnan(other)]))  # -0.0 stays


REDUCTIONS = ("sum", "mean", "max", "min", "prod", "any", "all")


@pytest.mark.parametrize("mode", MODES)
def test_reductions_of_what_a_mask_chooses_are_numpys(mode: str) -> None:
    outputs, wanted = [], []
    for name in REDUCTIONS:
        of_numpy = getattr(np, name)
        parts = (x[x > 0], X[X > 0]), (x[rows], X[ROWS]), (x[:, rows], X[:, ROWS]), (x[x < 0], X[X < 0]), (x[T.neq(x, 0).nonzero()], X[X != 0])
        for part, chosen in parts:
            outputs += [getattr(part, name)(), getattr(T, name)(part)]
            wanted += [of_numpy(chosen)] * 2
        outputs += [getattr(T, name)(x[rows], axis=0), getattr(x[rows], name)((0, 1), keepdims=True), getattr(x[x > 0], name)(keepdims=True),
                    getattr(x[:, rows], name)(-1, keepdims=True)]  # fmt: skip
        wanted += [of_numpy(X[ROWS], 0), of_numpy(X[ROWS], (0, 1), keepdims=True), of_numpy(X[X > 0], keepdims=True),
                   of_numpy(X[:, ROWS], -1, keepdims=True)]  # fmt: skip
    for number, (one, other) in enumerate(zip(computed(outputs, mode), wanted)):
        assert one.shape == np.shape(other), number
        np.testing.assert_array_equal(one, other, err_msg=f"case {number}")


@pytest.mark.parametrize("mode", MODES)
def test_reductions_of_none_are_those_of_no_elements(mode: str) -> None:
    for array, mask in ((X, np.zeros(3, bool)), (np.zeros((0, 3)), np.zeros(0, bool)), (np.zeros((3, 0)), ROWS)):
        part = x[rows]
        found = computed([*(getattr(part, name)() for name in REDUCTIONS), part.size, part.shape], mode, array, mask)
        np.testing.assert_array_equal(found[:-1], [0, NAN, -INF, INF, 1, 0, 1, 0])
        assert found[-1].tolist() == [mask.sum(), array.shape[1]]


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int64", "uint64", "float16", "float32"])
def test_reductions_of_what_a_mask_chooses_have_the_dtypes_of_others(dtype: str) -> None:
    array = np.array([3, 0, 1, 100 if dtype != "bool" else 1], dtype)
    y, mask = T.tensor(dtype, (False,), name="y"), T.tensor("bool", (False,), name="mask")
    parts = [y[mask], y]
    f = tir.function([y, mask], [getattr(part, name)() for name in REDUCTIONS for part in parts])
    found = f(array, np.ones(4, bool))
    for name, one, other in zip(REDUCTIONS, found[::2], found[1::2]):
        np.testing.assert_array_equal(one, other, strict=True, err_msg=name)


def test_small_floats_add_up_to_a_mean_without_overflow() -> None:
    y = T.tensor("float16", (False,), name="y")
    assert tir.function([y], y[y > 0].mean())(np.full(9, 60000, np.float16)) == 60000


def test_how_many_a_mask_chooses() -> None:
    positive = x > 0
    found = computed([x[positive].size, x[rows].size, x[rows].shape, x[rows].shape[0], x[:, rows].shape, positive.nonzero()[0].shape[0]], "FAST_RUN")
    assert [one.tolist() for one in found] == [4, 6, [2, 3], 2, [3, 2], 4]
    part = x[:, rows]
    assert (part.ndim, part.dtype, x[positive].ndim, repr(part)) == (2, "float64", 1, "x[:, rows]")


def test_places_have_a_first_and_a_last() -> None:
    places = rows.nonzero()[0]
    last = (x > 0).nonzero()
    assert computed([places.min(), places.max(), places.sum(), last[0].max(), last[1].sum()], "FAST_RUN") == [0, 2, 2, 2, np.nonzero(X > 0)[1].sum()]


def test_places_of_numbers_that_are_known_are_numbers() -> None:
    assert [one.eval().tolist() for one in T.nonzero(np.array([[0, 2], [3, 0]]))] == [[0, 1], [1, 0]]
    assert T.flatnonzero(np.array([[0, 2], [3, 0]])).eval().tolist() == [1, 2]


def test_parts_by_masks_are_keys_and_true() -> None:
    part = x[rows]
    assert part and part in {part} and part != x[rows]


@pytest.mark.parametrize("mode", MODES)
def test_a_mask_of_another_size_is_told_when_it_runs(mode: str) -> None:
    for output in (x[rows].sum(), x[rows].set(1)):
        for size in (1, 2):
            with pytest.raises(tir.TirError, match=rf"test_masks.py:\d+:1: .* got 3 and {size}|{size} and 3"):
                computed([output], mode, mask=np.ones(size, bool))


FINITE = np.array([[1, -2, 0.5], [3, -1, 2]])
DIFFERENTIATED: list[tuple[str, Callable[..., Any], tuple[Any, ...]]] = [
    ("set a number", lambda x, s: T.set_subtensor(x[x > 0], s) ** 2, (FINITE, S)),
    ("add a number", lambda x, s: T.inc_subtensor(x[(x > 0).nonzero()], s) ** 2, (FINITE, S)),
    ("set rows", lambda x, v: T.set_subtensor(x[x[:, 0] > 2], v) ** 2, (FINITE, V)),
    ("set columns", lambda x, s: x[:, x[0] > 0].set(s) ** 2, (FINITE, S)),
    ("set others", lambda x: (lambda mask: x[mask].set((x**3)[mask]) ** 2)(x > 0), (FINITE,)),
    *((name, lambda x, name=name: getattr(x[x > 0], name)() ** 2, (FINITE,)) for name in ("sum", "mean", "max", "min", "prod")),
    ("sum of rows", lambda x: x[x[:, 0] > 2].sum(0) ** 2, (FINITE,)),
]


@pytest.mark.parametrize(("label", "build", "arrays"), DIFFERENTIATED, ids=[label for label, *_ in DIFFERENTIATED])
def test_gradient_by_a_mask_is_that_of_differences(label: str, build: Any, arrays: Any) -> None:
    tir.gradient.verify_grad(build, list(arrays), rng=np.random.RandomState(0))


def test_what_is_not_chosen_has_no_gradient_whatever_it_is() -> None:
    y = T.dvector("y")
    for part in (y[y > 0], y[(y > 0).nonzero()]):
        slope = T.grad(part.mean() + T.sqr(part.set(1)).sum(), y)
        assert tir.function([y], slope)([2.0, -1.0, 2.0]).tolist() == [0.5, -2, 0.5]
    assert tir.function([y], T.grad(T.sqrt(y)[y > 0].sum(), y))([4.0]).tolist() == [0.25]
