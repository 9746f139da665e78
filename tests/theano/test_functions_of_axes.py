"""Functions of `T` over axes, of shapes, and of parts, against numpy."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
from scipy import special

import tir
import tir.tensor as T
from tests.theano.cases import (
    AS_MEAN,
    AS_SUM,
    CUBE,
    DTYPES,
    INF,
    MODES,
    NAN,
    RNG,
    Case,
    check,
)

# --- over axes -------------------------------------------------------------------------------------------------------

AXES: list[Any] = [None, 0, 1, -1, (0, 2), (0, 1, 2), ()]


def reduction_cases() -> Iterable[Case]:
    plain = {"sum": np.sum, "prod": np.prod, "mean": np.mean, "max": np.max, "min": np.min, "var": np.var, "std": np.std}
    for (name, reference), axis, keepdims in itertools.product(plain.items(), AXES, (False, True)):
        expected = reference(CUBE, axis=axis, keepdims=keepdims)
        yield Case(
            f"{name} over {axis}",
            lambda x, name=name, axis=axis, keepdims=keepdims: getattr(T, name)(x, axis=axis, keepdims=keepdims),
            (CUBE,),
            np.asarray(expected),
            1e-12,
            axis in (None, 1),
        )
    for name, axis in itertools.product(("argmax", "argmin"), (None, 0, -1)):
        expected = np.asarray(getattr(np, name)(CUBE, axis=axis))
        yield Case(f"{name} over {axis}", lambda x, name=name, axis=axis: getattr(x, name)(axis), (CUBE,), expected)
    both = CUBE.transpose(1, 0, 2).reshape(3, 8).argmax(-1)
    yield Case("argmax over two axes", lambda x: T.argmax(x, axis=(0, 2)), (CUBE,), both)
    yield Case("argmax keeps axes", lambda x: T.argmax(x, axis=1, keepdims=True), (CUBE,), CUBE.argmax(1)[:, None])
    truth = CUBE > 0.5
    yield Case("all", lambda x: T.all(x, axis=0), (truth,), truth.all(0))
    yield Case("any of numbers", lambda x: x.any(axis=(1, 2), keepdims=True), (CUBE,), np.full((2, 1, 1), True))
    for axis in (None, 0, -1):
        yield Case(f"cumsum over {axis}", lambda x, a=axis: T.cumsum(x, a), (CUBE,), np.cumsum(CUBE, axis))
        yield Case(f"cumprod over {axis}", lambda x, a=axis: x.cumprod(a), (CUBE,), np.cumprod(CUBE, axis))
    yield Case("ptp", lambda x: x.ptp(1), (CUBE,), np.ptp(CUBE, 1))
    yield Case("var with ddof", lambda x: x.var(0, ddof=1), (CUBE,), CUBE.var(0, ddof=1))
    yield Case("std with ddof", lambda x: x.std(ddof=2), (CUBE,), CUBE.std(ddof=2))
    yield Case("logsumexp", lambda x: T.logsumexp(x * 1000, axis=1), (CUBE,), special.logsumexp(CUBE * 1000, axis=1))
    for order, axis in itertools.product((1, 2, 3), (None, 0)):
        expected = np.asarray((np.abs(CUBE) ** order).sum(axis) ** (1 / order))
        yield Case(f"norm {order} over {axis}", lambda x, p=order, a=axis: x.norm(p, a), (CUBE,), expected)


def reduction_dtype_cases() -> Iterable[Case]:
    for dtype in DTYPES:
        x = (np.arange(6) % 5 % (2 if dtype == "bool" else 9)).astype(dtype).reshape(2, 3)
        short = dtype in ("int8", "float32")
        yield Case(f"sum of {dtype}", lambda v: v.sum(), (x,), np.asarray(x.sum(), AS_SUM[dtype]), None, short)
        yield Case(f"prod of {dtype}", lambda v: v.prod(0), (x,), x.prod(0).astype(AS_SUM[dtype]), None, short)
        yield Case(
            f"mean of {dtype}", lambda v: v.mean(1), (x,), x.astype("float64").mean(1).astype(AS_MEAN[dtype]), None, short
        )
        yield Case(f"cumsum of {dtype}", lambda v: v.cumsum(0), (x,), x.cumsum(0).astype(AS_SUM[dtype]), None, short)
        if dtype != "bool":
            yield Case(f"max of {dtype}", lambda v: v.max(0), (x,), x.max(0), None, short)
        yield Case(
            f"sum of {dtype} as float64", lambda v: v.sum(dtype="float64"), (x,), np.asarray(x.sum(), "float64"), None, short
        )
    yield Case("sum of none", T.sum, (np.zeros((0, 3)),), np.array(0.0))
    yield Case("prod of none", lambda x: T.prod(x, 0), (np.zeros((0, 3)),), np.ones(3))
    yield Case("sum to int8 wraps", lambda x: x.sum(dtype="int8"), (np.full(3, 100, "int8"),), np.array(44, "int8"))
    nans = np.array([[1.0, NAN, 3.0], [INF, 2.0, -INF]])
    yield Case("max with nan", lambda x: T.max(x, 1), (nans,), np.array([NAN, INF]))
    yield Case("min with nan", lambda x: T.min(x, 0), (nans,), np.array([1.0, NAN, -INF]))
    yield Case("argmax with nan", lambda x: T.argmax(x, 1), (nans,), np.argmax(nans, 1))


@pytest.mark.parametrize("mode", MODES)
def test_reductions(mode: str) -> None:
    check(itertools.chain(reduction_cases(), reduction_dtype_cases()), mode)


# --- shapes ----------------------------------------------------------------------------------------------------------


def shape_cases() -> Iterable[Case]:
    x, n = CUBE, np.array(3)
    rows: list[tuple[str, Callable[..., Any], Any]] = [
        ("reshape", lambda v: v.reshape((4, 6)), x.reshape(4, 6)),
        ("reshape with rest", lambda v: T.reshape(v, (-1, 2)), x.reshape(-1, 2)),
        ("reshape by numbers", lambda v: v.reshape(6, 4), x.reshape(6, 4)),
        ("reshape like a shape", lambda v: v.reshape((v.shape[0], v.shape[1] * v.shape[2])), x.reshape(2, 12)),
        ("reshape by a vector", lambda v: T.reshape(v, v.shape[::-1], ndim=3), x.reshape(4, 3, 2)),
        ("flatten", lambda v: T.flatten(v), x.ravel()),
        ("flatten to two", lambda v: v.flatten(2), x.reshape(2, 12)),
        ("ravel", lambda v: v.ravel(), x.ravel()),
        ("dimshuffle", lambda v: v.dimshuffle(2, "x", 0, 1), x.transpose(2, 0, 1)[:, None]),
        ("dimshuffle of a list", lambda v: v.dimshuffle([1, 0, 2]), x.transpose(1, 0, 2)),
        ("T", lambda v: v.T, x.T),
        ("transpose", lambda v: T.transpose(v, (1, 2, 0)), x.transpose(1, 2, 0)),
        ("transpose by numbers", lambda v: v.transpose(0, 2, 1), x.transpose(0, 2, 1)),
        ("swapaxes", lambda v: v.swapaxes(0, -1), x.swapaxes(0, -1)),
        ("moveaxis", lambda v: T.moveaxis(v, 0, -1), np.moveaxis(x, 0, -1)),
        ("moveaxis of two", lambda v: T.moveaxis(v, [0, 1], [2, 0]), np.moveaxis(x, [0, 1], [2, 0])),
        ("rollaxis", lambda v: T.rollaxis(v, 2), np.rollaxis(x, 2)),
        ("rollaxis to", lambda v: T.rollaxis(v, 0, 2), np.rollaxis(x, 0, 2)),
        ("expand_dims", lambda v: T.expand_dims(v, 1), x[:, None]),
        ("squeeze", lambda v: T.squeeze(v.dimshuffle(0, "x", 1, 2, "x")), x),
        ("squeeze one", lambda v: v.dimshuffle(0, "x", 1, 2, "x").squeeze(1), x[..., None]),
        ("shape_padleft", lambda v: T.shape_padleft(v, 2), x[None, None]),
        ("shape_padright", lambda v: T.shape_padright(v), x[..., None]),
        ("shape_padaxis", lambda v: T.shape_padaxis(v, -2), x[:, :, None]),
        ("shape", lambda v: v.shape, np.array([2, 3, 4])),
        ("size", lambda v: v.size, np.array(24)),
        ("join", lambda v: T.join(1, v, v * 2), np.concatenate([x, x * 2], 1)),
        ("join from the end", lambda v: T.join(-1, v, v), np.concatenate([x, x], -1)),
        ("join of dtypes", lambda v: T.join(0, v, T.ones((1, 3, 4), "int8")), np.concatenate([x, np.ones((1, 3, 4))])),
        ("concatenate", lambda v: T.concatenate([v, v, v], axis=2), np.concatenate([x] * 3, 2)),
        ("stack", lambda v: T.stack([v, v], axis=1), np.stack([x, x], 1)),
        ("stack of numbers", lambda v: T.stack(v[0, 0, 0], v[1, 2, 3]), np.array([x[0, 0, 0], x[1, 2, 3]])),
        ("stack at the end", lambda v: T.stack([v, v], -1), np.stack([x, x], -1)),
        (
            "stacklists",
            lambda v: T.stacklists([[v[0, 0, 0], 1.0], [2.0, v[1, 0, 0]]]),
            np.array([[x[0, 0, 0], 1], [2, x[1, 0, 0]]]),
        ),
        ("vertical_stack", lambda v: T.vertical_stack(v[0], v[1]), np.vstack([x[0], x[1]])),
        ("horizontal_stack", lambda v: T.horizontal_stack(v[0], v[1]), np.hstack([x[0], x[1]])),
        ("split", lambda v: T.split(v, [1, 3], 2, axis=2)[1], x[:, :, 1:]),
        ("tile", lambda v: T.tile(v, (2, 1, 3)), np.tile(x, (2, 1, 3))),
        ("tile with more axes", lambda v: T.tile(v, (2, 1, 1, 1)), np.tile(x, (2, 1, 1, 1))),
        ("repeat", lambda v: T.repeat(v, 3, axis=1), x.repeat(3, 1)),
        ("repeat flat", lambda v: v.repeat(2), x.repeat(2)),
        ("repeat each", lambda v: T.repeat(v, [1, 0, 2], axis=1), x.repeat([1, 0, 2], 1)),
        ("roll", lambda v: T.roll(v, 2, axis=2), np.roll(x, 2, 2)),
        ("roll flat", lambda v: T.roll(v, -5), np.roll(x, -5)),
        ("addbroadcast", lambda v: T.addbroadcast(v[:1], 0) + T.ones((5, 3, 4)), x[:1] + np.ones((5, 3, 4))),
        ("specify_shape", lambda v: T.specify_shape(v, (2, None, 4)), x),
        ("broadcast_to", lambda v: T.broadcast_to(v[0], (3, 3, 4)), np.broadcast_to(x[0], (3, 3, 4))),
        ("broadcast_arrays", lambda v: T.broadcast_arrays(v, T.ones((1, 1, 1)))[1], np.ones((2, 3, 4))),
        ("make_vector", lambda v: T.make_vector(v[0, 0, 0], 1, 2), np.array([x[0, 0, 0], 1, 2])),
    ]
    for label, build, expected in rows:
        yield Case(label, build, (x,), expected)
    yield Case("tile by variables", lambda v, k: T.tile(v, (k, 1, 2)), (x, n), np.tile(x, (3, 1, 2)))
    yield Case("repeat by a variable", lambda v, k: T.repeat(v, k, 0), (x, n), x.repeat(3, 0))
    yield Case("repeat each by a variable", lambda v, k: T.repeat(v, k, 1), (x, np.array([2, 0, 1])), x.repeat([2, 0, 1], 1))
    yield Case("roll by a variable", lambda v, k: T.roll(v, k, 1), (x, n + 1), np.roll(x, 4, 1))
    yield Case("split by variables", lambda v, k: T.split(v, [k, 4 - k], 2, 2)[0], (x, n), x[:, :, :3])
    empty = np.zeros((0, 3))
    yield Case("join with nothing", lambda v, e: T.join(0, v[0, :, :3], e), (x, empty), x[0, :, :3])
    yield Case("flatten nothing", lambda e: e.flatten(), (empty,), np.zeros(0))
    yield Case("stack nothing", lambda e: T.stack([e, e]), (empty,), np.zeros((2, 0, 3)))


@pytest.mark.parametrize("mode", MODES)
def test_shapes(mode: str) -> None:
    check(shape_cases(), mode)


# --- parts -----------------------------------------------------------------------------------------------------------


def slice_cases() -> Iterable[Case]:
    x = np.arange(7.0)
    bounds = [None, 0, 2, -2, 7, -7, 9, -9]
    for start, stop, step in itertools.product(bounds, bounds, (None, 1, 2, -1, -3)):
        part = slice(start, stop, step)
        short = (start, stop) in ((2, -2), (None, 9))
        yield Case(f"x[{start}:{stop}:{step}]", lambda v, part=part: v[part], (x,), x[part], 0.0, short)
    at = {n: np.array(n) for n in (0, 2, -2, 9, -9)}
    for start, stop, step in itertools.product(at, at, (1, -2)):
        yield Case(
            f"x[{start}:{stop}:{step}] of variables",
            lambda v, i, j, step=step: v[i:j:step],
            (x, at[start], at[stop]),
            x[start:stop:step],
            0.0,
            start == 2,
        )


def index_cases() -> Iterable[Case]:
    x, i, j = CUBE, np.array(1), np.array(-1)
    rows = np.array([1, 0, 1])
    columns = np.array([2, 0, -1])
    mask = np.array([True, False, True])
    yield Case("number", lambda v: v[1], (x,), x[1])
    yield Case("numbers", lambda v: v[1, -1, 0], (x,), x[1, -1, 0])
    yield Case("variable", lambda v, i: v[i], (x, i), x[1])
    yield Case("variables", lambda v, i, j: v[i, :, j], (x, i, j), x[1, :, -1])
    yield Case("ellipsis", lambda v: v[..., 1], (x,), x[..., 1])
    yield Case("new axis", lambda v: v[:, None, 1], (x,), x[:, None, 1])
    yield Case("new axis by numpy's name", lambda v: v[np.newaxis], (x,), x[None])
    yield Case("slice and number", lambda v: v[:, 1:, -2], (x,), x[:, 1:, -2])
    yield Case("vector", lambda v, r: v[r], (x, rows), x[rows])
    yield Case("vector behind a slice", lambda v, c: v[:, c], (x, columns), x[:, columns])
    yield Case("pairs", lambda v, r, c: v[r, c], (x, rows, columns), x[rows, columns])
    yield Case("pairs around a slice", lambda v, r, c: v[r, :, c], (x, rows, columns), x[rows, :, columns])
    yield Case("list", lambda v: v[:, [2, 0]], (x,), x[:, [2, 0]])
    yield Case("matrix of places", lambda v: v[:, np.array([[0, 1], [2, 0]])], (x,), x[:, np.array([[0, 1], [2, 0]])])
    yield Case("known mask", lambda v: v[:, mask], (x,), x[:, mask])
    yield Case("int8 places", lambda v, r: v[r], (x, rows.astype("int8")), x[rows])
    yield Case("uint8 places", lambda v, r: v[r], (x, rows.astype("uint8")), x[rows])
    yield Case("take", lambda v, c: T.take(v, c, axis=1), (x, columns), np.take(x, columns, 1))
    yield Case("take flat", lambda v, c: v.take(c), (x, columns), np.take(x, columns))
    yield Case("take wraps", lambda v, c: T.take(v, c * 5, 1, "wrap"), (x, columns), np.take(x, columns * 5, 1, mode="wrap"))
    yield Case("take clips", lambda v, c: T.take(v, c * 5, 1, "clip"), (x, columns), np.take(x, columns * 5, 1, mode="clip"))
    order = np.argsort(x, axis=1)
    yield Case("take_along_axis", lambda v, o: T.take_along_axis(v, o, 1), (x, order), np.take_along_axis(x, order, 1))
    yield Case(
        "choose",
        lambda a, v: T.choose(a, [v, v * 2]),
        (np.array([1, 0, 1, 1]), x[0]),
        np.choose([1, 0, 1, 1], [x[0], x[0] * 2]),
    )
    yield Case("compress", lambda v: T.compress(mask, v, 1), (x,), np.compress(mask, x, 1))


def changed(x: Any, part: Any, y: Any, add: bool = False) -> Any:
    """numpy's way to a changed copy."""
    x = x.copy()
    if add:
        np.add.at(x, part, y)
    else:
        x[part] = y
    return x


def change_cases() -> Iterable[Case]:
    x, i = CUBE, np.array(1)
    rows = np.array([1, 0, 1])
    block = RNG.normal(size=(3, 2))
    for name, add in (("set", False), ("inc", True)):
        change = T.inc_subtensor if add else T.set_subtensor
        for label, part in {
            "number": 1, "slice": np.s_[:, 1:], "numbers": np.s_[0, 2, -1], "whole": np.s_[:], "steps": np.s_[:, ::2],
            "backwards": np.s_[:, :, ::-1], "list": np.s_[:, [2, 0]], "end": np.s_[..., -1],
        }.items():  # fmt: skip
            yield Case(
                f"{name} {label}", lambda v, part=part, change=change: change(v[part], 7.0), (x,), changed(x, part, 7.0, add)
            )
        yield Case(
            f"{name} a block",
            lambda v, u, change=change: change(v[1, :, 1:3], u),
            (x, block),
            changed(x, np.s_[1, :, 1:3], block, add),
        )
        yield Case(
            f"{name} at a variable", lambda v, i, change=change: change(v[:, i], 2), (x, i), changed(x, np.s_[:, 1], 2, add)
        )
        yield Case(
            f"{name} from a variable",
            lambda v, i, change=change: change(v[:, i:], 2),
            (x, i),
            changed(x, np.s_[:, 1:], 2, add),
        )
    yield Case("inc rows twice", lambda v, r: T.inc_subtensor(v[r], 1.0), (x, rows), changed(x, rows, 1.0, True))
    yield Case("set rows", lambda v, r: T.set_subtensor(v[r], 1.0), (x, rows), changed(x, rows, 1.0))
    places = np.array([0, 2, 2]), np.array([0, 1, 1])
    yield Case(
        "inc pairs twice",
        lambda v, r, c: T.inc_subtensor(v[0, r, c], 1.0),
        (x, *places),
        changed(x, (0, *places), 1.0, True),
    )
    yield Case("set as a method", lambda v: v[0].set(v[1]), (x,), changed(x, 0, x[1]))
    yield Case("inc as a method", lambda v: v[0].inc(v[1]), (x,), changed(x, 0, x[1], True))
    numbers = np.array(3.0), np.array(4.0)
    yield Case("set in a stack", lambda a, c: T.set_subtensor(T.stack([a, c])[1], 9.0), numbers, np.array([3.0, 9.0]))
    yield Case("set ints in floats", lambda v: T.set_subtensor(v[0], np.int32(3)), (x,), changed(x, 0, 3))


@pytest.mark.parametrize("mode", MODES)
def test_slices(mode: str) -> None:
    check(slice_cases(), mode)


@pytest.mark.parametrize("mode", MODES)
def test_indices(mode: str) -> None:
    check(index_cases(), mode)


@pytest.mark.parametrize("mode", MODES)
def test_changed_parts(mode: str) -> None:
    check(change_cases(), mode)


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
@pytest.mark.parametrize(("counts", "message"), [
    ([1, 2], "axis 0 of x must have the size of axis 0 of the result, got 2 and 3"), ([1, 2, 3, 4], "got 4 and 3"),
    ([], "got 0 and 3"), ([1, -2, 1], "must not have a negative size, got -2"), ([-1, -1, -1], "got -1"),
])  # fmt: skip
def test_repeat_needs_a_count_for_each_element(counts: list[int], message: str, mode: str) -> None:
    x, n = T.dvector("x"), T.lvector("n")
    f = tir.function([x, n], x.repeat(n), mode=mode)
    assert f([1.0, 2.0, 3.0], [2, 0, 1]).tolist() == [1, 1, 3] and f(np.zeros(0), np.zeros(0, np.int64)).shape == (0,)
    with pytest.raises(tir.TirError, match=message):
        f([1.0, 2.0, 3.0], np.array(counts, np.int64))
    with pytest.raises(tir.TirError, match="a count must be at least 0, got"):
        T.repeat(x, [1, -1, 2])
