"""numpy's functions on traced arrays give what numpy gives on arrays: values, element types and shapes."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import tir
import tir.numpy
from tests.numpy.rows import ARRAYS, ROWS, Row
from tir.numpy.names import FUNCTIONS
from tir.trees import flat


def check(row: Row, module: Any, target: str = "interpret") -> None:
    arrays = [ARRAYS[name] for name in row.takes]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        wanted = flat(row.call(np, *arrays))
        found = flat(tir.jit(lambda *xs: row.call(module, *xs), target=target)(*arrays))
    assert len(found) == len(wanted)
    for number, (x, y) in enumerate(zip(found, wanted)):
        assert (x.dtype, x.shape) == (np.asarray(y).dtype, np.shape(y)), number
        rtol = 1e-3 if x.dtype == np.float16 and row.rtol else row.rtol
        np.testing.assert_allclose(x, y, rtol=rtol, atol=row.rtol, err_msg=f"result {number}")


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_function_of_numpy_on_traced_arrays_is_numpys(row: Row) -> None:
    check(row, tir.numpy)


def test_every_function_has_a_row() -> None:
    names = {row.name for row in ROWS} | {"changed", *(f"{name}.{method}" for name in ("subtract", "multiply", "divide", "maximum", "minimum", "logical_and", "logical_or") for method in ("outer", "reduce", "accumulate"))}
    assert not set(FUNCTIONS) - names


#: Functions that numpy does not hand on to traced arrays, because they make arrays of what they are given.
MAKE_ARRAYS = {"array", "asarray", "asanyarray", "ascontiguousarray", "astype", "full", "iscomplexobj", "isrealobj", "unstack"}


@pytest.mark.parametrize("row", [row for row in ROWS[::3] if row.name not in MAKE_ARRAYS], ids=str)
def test_numpys_own_function_takes_traced_arrays(row: Row) -> None:
    check(row, np)


#: One row for each function, by machine code.
COMPILED = list({row.name: row for row in ROWS if row.rtol == 0 and row.name in
                 ("add", "floor_divide", "where", "sum", "argmax", "getitem", "pad", "sort", "take", "searchsorted", "repeat", "kron", "nextafter", "bitwise_count")}.values())  # fmt: skip


@pytest.mark.parametrize("row", COMPILED, ids=str)
def test_compiled_function_is_numpys(row: Row) -> None:
    check(row, tir.numpy, "cpu")


@pytest.mark.parametrize("row", ROWS[::7], ids=str)
def test_on_arrays_alone_a_function_is_numpys(row: Row) -> None:
    arrays = [ARRAYS[name] for name in row.takes]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for x, y in zip(flat(row.call(tir.numpy, *arrays)), flat(row.call(np, *arrays))):
            assert type(x) is type(y)
            np.testing.assert_array_equal(x, y)


def test_numbers_are_weak_and_numpys_numbers_are_not() -> None:
    x = np.ones(2, np.float32)

    def f(x: Any, rate: Any, strong: Any) -> Any:
        return x * rate, x * strong, rate * 2, x * 0.5, x * np.float64(0.5), (x > 0) * rate, (x > 0) * 2

    found = tir.jit(f, target="interpret")(x, 0.1, np.float64(0.1))
    assert [y.dtype for y in found] == [np.asarray(y).dtype for y in f(x, 0.1, np.float64(0.1))]


@pytest.mark.parametrize("index", [0, -1, slice(1, None), (slice(None), 1), (0, 2), (..., -1), np.array([2, 0]), (slice(None), [1, 1]),
                                   np.array([True, False, True]), (slice(None, None, -1), slice(None, None, 2))], ids=str)  # fmt: skip
@pytest.mark.parametrize("kind", ["set", "add", "multiply", "max", "min"])
def test_elements_are_changed_as_numpy_changes_them(index: Any, kind: str) -> None:
    x = ARRAYS["x2"]
    value = np.float32(0.5)
    at = {"set": lambda x, i, v: x.__setitem__(i, v), "add": np.add.at, "multiply": np.multiply.at, "max": np.maximum.at, "min": np.minimum.at}
    wanted = x.copy()
    at[kind](wanted, index, value)
    found = tir.jit(lambda x: getattr(x.at[index], kind)(value), target="interpret")(x)
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("index", [
    lambda x, i: x[i], lambda x, i: x[i, 0], lambda x, i: x[:, i], lambda x, i: x[i - 2], lambda x, i: x[[i, 0]], lambda x, i: x[i, [i, 2]],
    lambda x, i: np.take(x, i, axis=0), lambda x, i: x.at[i].set(0.5) if hasattr(x, "at") else np.vstack([x[:1], x[:1] * 0 + 0.5, x[2:]]),
    lambda x, i: (i < 2, i == 1, i % 2 != 1, np.greater(i, 1)),
])  # fmt: skip
def test_python_number_is_an_index_and_compares(index: Any) -> None:
    x = ARRAYS["x2"]
    for y, z in zip(flat(tir.jit(index, target="interpret")(x, 1)), flat(index(x, 1))):
        np.testing.assert_array_equal(y, z, strict=True)


@pytest.mark.parametrize("cut", [
    np.s_[-5:], np.s_[-3:-1], np.s_[:5], np.s_[5:2], np.s_[5:], np.s_[:0], np.s_[:-1], np.s_[1:-1:2], np.s_[::-2], np.s_[-1:-9:-1], np.s_[3:0:-1],
    np.s_[-2::-1],
], ids=str)  # fmt: skip
@pytest.mark.parametrize("target", ["cpu", "interpret"])
def test_slice_of_an_open_axis_is_clipped(cut: slice, target: str) -> None:
    read = tir.jit(lambda x: x[cut], target=target, dynamic={"x": {0: "N"}})
    rows = tir.jit(lambda x: (x[:, cut, None], x.at[:, cut].set(7.0)), target=target, dynamic={"x": {1: "N"}})
    for size in (0, 1, 2, 6):
        x = np.arange(float(size))
        np.testing.assert_array_equal(read(x), x[cut])
        both = np.stack([x, x + 9])
        wanted = both.copy()
        wanted[:, cut] = 7
        for found, one in zip(rows(both), (both[:, cut, None], wanted)):
            np.testing.assert_array_equal(found, one)


def test_slice_ends_at_a_size_that_is_open() -> None:
    f = tir.jit(lambda x, y: (x[: y.shape[0]], x[x.shape[0] - 2 :]), target="interpret", dynamic={"x": {0: "N"}, "y": {0: "M"}})
    x = np.arange(5.0)
    for size in (0, 3, 9):
        found = f(x, np.ones(size))
        assert [one.tolist() for one in found] == [x[:size].tolist(), [3, 4]]


@pytest.mark.parametrize("function", [
    lambda x: x.flatten(), lambda x: np.ravel(x), lambda x: x.reshape(3, -1), lambda x: x.reshape(-1), lambda x: np.roll(x, 1),
    lambda x: x.reshape(x.shape[1], -1), lambda x: np.kron(x, x), lambda x: np.median(x, 0), lambda x: np.repeat(x, 2), lambda x: np.outer(x, x),
    lambda x: x.reshape(-1, 1, x.shape[0]),
])  # fmt: skip
def test_shapes_follow_from_open_sizes(function: Any) -> None:
    f = tir.jit(function, target="interpret", dynamic={"x": {0: "B", 1: "C"}})
    for shape in ((2, 3), (6, 2), (3, 1)):
        x = np.arange(float(np.prod(shape))).reshape(shape)
        np.testing.assert_array_equal(f(x), function(x))


def test_elements_are_set_to_an_array_and_read() -> None:
    x, row = ARRAYS["x2"], ARRAYS["v4"]

    def f(x: Any, row: Any) -> Any:
        return x.at[1].set(row), x.at[:, 0].subtract(x[:, 1]), x.at[0].get()

    found = tir.jit(f, target="interpret")(x, row)
    wanted = x.copy(), x.copy()
    wanted[0][1] = row
    wanted[1][:, 0] -= x[:, 1]
    for y, z in zip(found, (*wanted, x[0])):
        np.testing.assert_array_equal(y, z)


def test_attributes_are_those_of_an_array() -> None:
    x = ARRAYS["x3"]

    def f(x: Any) -> Any:
        assert (x.shape, x.ndim, x.size, x.dtype, x.itemsize, len(x)) == ((2, 3, 4), 3, 24, np.float64, 8, 2)
        return x.real

    np.testing.assert_array_equal(tir.jit(f, target="interpret")(x), x)


def test_builders_of_users_have_the_functions_too() -> None:
    b = tir.Builder()
    with b.function("f", x="tensor<2x3xf32>") as (x,):
        b.returns(tir.numpy.mean(x, axis=0) + tir.numpy.exp(x[0]))
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    (found,) = tir.executable(b.module, "interpret").call("f", [x])
    np.testing.assert_allclose(found, x.mean(0) + np.exp(x[0]), rtol=CLOSE)


CLOSE = 1e-6  # 8 ulp of f32
