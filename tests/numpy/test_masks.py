"""`x[mask]` of a traced mask, where its result has a shape: changed elements, reductions, and how many there are."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tir

NAN, INF = float("nan"), float("inf")
HARD = np.array([[1, -2, NAN], [-0.0, INF, 4.0], [7, -INF, 0]])
ROWS = np.array([True, False, True])
DTYPES = ["float64", "float32", "float16", "int32", "int8", "uint8", "uint64", "bool"]
TARGETS = ["cpu", "interpret"]


def array_of(dtype: str) -> Any:
    return HARD.astype(dtype) if "float" in dtype else np.nan_to_num(HARD).clip(0, 100).astype(dtype)


#: What a mask of elements, and one of rows, choose.
PARTS: list[Callable[..., Any]] = [
    lambda x, mask, rows: x[mask], lambda x, mask, rows: x[rows], lambda x, mask, rows: x[:, rows], lambda x, mask, rows: x[rows, ...],
    lambda x, mask, rows: x[..., ~rows],
]  # fmt: skip
NAMES = ("sum", "mean", "max", "min", "prod", "any", "all")


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_reductions_of_what_a_mask_chooses_are_numpys(dtype: str, target: str) -> None:
    def found(x: Any, mask: Any, rows: Any) -> list[Any]:
        parts = [part(x, mask, rows) for part in PARTS]
        return [
            *(getattr(np, name)(part) for name in NAMES for part in parts), *(getattr(x[rows], name)(axis=0) for name in NAMES),
            *(getattr(np, name)(part, keepdims=True) for name in NAMES for part in parts), np.sum(parts[0], initial=3, dtype="float64"),
            np.max(x[mask & ~mask], initial=1), x[mask & ~mask].sum(), *(np.int64(1) * part.size for part in parts),
            *(np.int64(1) * size for size in (*x[rows].shape, *x[:, rows].shape)),
        ]  # fmt: skip

    x = array_of(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = found(x, x > 0, ROWS)
    for number, (one, other) in enumerate(zip(tir.jit(found, target=target)(x, x > 0, ROWS), wanted)):
        np.testing.assert_array_equal(one, np.asarray(other), strict=True, err_msg=f"result {number}")


AT = {"add": np.add.at, "multiply": np.multiply.at, "max": np.maximum.at, "min": np.minimum.at}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("dtype", "kind"), [(dtype, kind) for dtype in DTYPES for kind in ("set", *AT) if dtype != "bool" or kind == "set"])
def test_what_a_mask_chooses_is_changed_as_numpy_changes_it(dtype: str, kind: str, target: str) -> None:
    def changed(x: Any, index: Any, values: Any) -> Any:
        if not isinstance(x, np.ndarray):
            return getattr(x.at[index], kind)(values)
        found = x.copy()
        found.__setitem__(index, values) if kind == "set" else AT[kind](found, index, values)
        return found

    def all_changed(x: Any, mask: Any, rows: Any, v: Any) -> list[Any]:
        all, other = slice(None), x * x if dtype != "bool" else ~x
        return [
            changed(x, mask, v[0]), changed(x, mask, v[:1]), changed(x, rows, v), changed(x, (all, rows), v[:, None]),
            changed(x, (Ellipsis, rows), v[1]), changed(x, mask, other[mask]), changed(x, rows, other[rows]), changed(x, mask & ~mask, v[0]),
        ]  # fmt: skip

    x, v = array_of(dtype), np.array([10, 20, 30]).astype(dtype)
    with np.errstate(all="ignore"):
        wanted = all_changed(x, x > 0, ROWS, v)
    for number, (one, other) in enumerate(zip(tir.jit(all_changed, target=target)(x, x > 0, ROWS, v), wanted)):
        np.testing.assert_array_equal(one, other, strict=True, err_msg=f"result {number}")


@pytest.mark.parametrize("target", TARGETS)
def test_the_largest_of_none_is_an_error_when_it_runs(target: str) -> None:
    for name in ("max", "min"):
        f = tir.jit(lambda x, name=name: getattr(x[x > 5], name)(), target=target)
        assert f(np.array([1.0, 7.0])) == 7
        with pytest.raises(tir.TirError, match=rf"test_masks.py:\d+:1: an array without elements has no {name}imum"):
            f(np.array([1.0, 2.0]))


@pytest.mark.parametrize("target", TARGETS)
def test_masks_are_for_axes_that_are_open_too(target: str) -> None:
    f = tir.jit(lambda x, rows: (x[rows].sum(0), x[rows].mean(), x.at[rows].set(x[0]), x[x > 0].size), target=target,
                dynamic={"x": {0: "N"}, "rows": {0: "N"}})  # fmt: skip
    for size in (1, 2, 5):
        x, rows = np.arange(3.0 * size).reshape(size, 3) - 2, np.arange(size) % 2 == 0
        changed = x.copy()
        changed[rows] = x[0]
        for one, other in zip(f(x, rows), (x[rows].sum(0), x[rows].mean(), changed, np.array(x[x > 0].size))):
            np.testing.assert_array_equal(one, other)
    with pytest.raises(tir.TirError, match=r"a mask of type tensor<\[M\]xi1> does not fit tensor<\[N\]x3xf64>"):
        tir.jit(lambda x, rows: x[rows].sum(), dynamic={"x": {0: "N"}, "rows": {0: "M"}})(x, rows)


def test_masks_have_batches_and_gradients() -> None:
    x = np.array([[1, -2, 0.5], [3, -1, 2]])

    def parts(x: Any) -> tuple[Any, ...]:
        return x.at[x > 0].set(5.0), x[x > 0].sum(), x[x > 0].mean(), x[x > 0].max(), x[x > 0].size

    for one, *others in zip(tir.vmap(parts)(x), *(tir.jit(parts)(row) for row in x)):
        np.testing.assert_array_equal(one, np.stack(others))
    slope = tir.grad(lambda x: 2 * x[x > 0].mean() + (x.at[x < 0].multiply(3.0) ** 2).sum())(x)
    np.testing.assert_array_equal(slope, np.where(x > 0, 2 / 4 + 2 * x, 18 * x))
    np.testing.assert_array_equal(tir.vmap(tir.grad(lambda x: x[x > 0].max()))(x), [[1, 0, 0], [1, 0, 0]])
    np.testing.assert_array_equal(tir.grad(lambda x: np.sqrt(x)[x > 0].sum())(np.array([4.0])), [0.25])


def test_mean_of_small_floats_does_not_overflow() -> None:
    x = np.full(9, 60000, np.float16)
    assert tir.jit(lambda x: x[x > 0].mean())(x) == 60000
