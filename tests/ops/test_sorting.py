"""Orders of rows with ties, nans and both zeros, in machine code, are those of numpy's stable sort."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tir.compile import Executable
from tir.dialects.all import REGISTRY
from tir.ir.pass_manager import run_pipeline
from tir.parser.parse import parse_text
from tir.passes.pipelines import default

TYPES = {"f32": np.float32, "f64": np.float64, "i8": np.int8, "ui64": np.uint64}


def hard_rows(count: int, length: int, dtype: Any) -> np.ndarray:
    """Rows with many ties; of floats with nans, infinities and both zeros."""
    rng = np.random.default_rng(length)
    rows = rng.integers(0, max(length // 3, 2), (count, length)).astype(dtype)
    if np.issubdtype(dtype, np.floating):
        for number in (np.nan, np.inf, -np.inf, -0.0, 0.0):
            rows[rng.random(rows.shape) < 0.05] = number
        rows[0], rows[1] = np.nan, np.where(np.arange(length) % 2, 0.0, -0.0)
    rows[2], rows[3] = np.sort(rows[2]), np.sort(rows[3])[::-1]
    return rows


def order(x: np.ndarray, descending: bool) -> np.ndarray:
    """The positions along the last axis; what is equal keeps its order."""
    if not descending:
        return np.argsort(x, -1, kind="stable")
    return np.flip(x.shape[-1] - 1 - np.argsort(np.flip(x, -1), -1, kind="stable"), -1)


def same(got: np.ndarray, want: np.ndarray) -> None:
    """Equal bits; any nan is as good as another."""
    np.testing.assert_array_equal(got, want)
    if want.dtype.kind == "f":
        numbers = ~np.isnan(want)
        np.testing.assert_array_equal(np.signbit(got)[numbers], np.signbit(want)[numbers])


def executable(line: str, operand: str, results: str) -> Executable:
    names = ", ".join(f"%{i}" for i in range(1 + results.count(", ")))
    text = f"func.func @f(%x: {operand}) -> ({results}) {{\n  {names} = {line} : {results}\n  return {names} : {results}\n}}"
    return Executable(parse_text(text, REGISTRY), pipeline=lambda module: run_pipeline(default(), module))


@pytest.mark.parametrize("type", TYPES)
@pytest.mark.parametrize("k", [1, 2, 5, 32, 33])
@pytest.mark.parametrize("smallest", [False, True])
def test_top_k_of_hard_rows(type: str, k: int, smallest: bool) -> None:
    words = f"axis 1 k {k}{' smallest' if smallest else ''}"
    exe = executable(f"tir.top_k %x {words}", f"tensor<?x?x{type}>", f"tensor<?x{k}x{type}>, tensor<?x{k}xi64>")
    for length in {k, k + 1, k + 31, k + 32, k + 33, 200}:
        x = hard_rows(8, length, TYPES[type])
        values, places = exe.call("f", [x])
        want = order(x, not smallest)[:, :k]
        np.testing.assert_array_equal(places, want, err_msg=str(length))
        same(values, np.take_along_axis(x, want, 1))


@pytest.mark.parametrize("smallest", [False, True])
def test_top_k_along_another_axis(smallest: bool) -> None:
    words = f"axis 0 k 3{' smallest' if smallest else ''}"
    exe = executable(f"tir.top_k %x {words}", "tensor<50x4x8xf32>", "tensor<3x4x8xf32>, tensor<3x4x8xi64>")
    x = np.moveaxis(hard_rows(32, 50, np.float32).reshape(4, 8, 50), -1, 0).copy()
    want = np.moveaxis(order(np.moveaxis(x, 0, -1), not smallest), -1, 0)[:3]
    np.testing.assert_array_equal(exe.call("f", [x])[1], want)


@pytest.mark.parametrize("type", TYPES)
@pytest.mark.parametrize("descending", [False, True])
def test_sorts_of_hard_rows(type: str, descending: bool) -> None:
    words = f"axis 1{' descending' if descending else ''}"
    sort = executable(f"tir.sort %x {words}", f"tensor<?x?x{type}>", f"tensor<?x?x{type}>")
    argsort = executable(f"tir.argsort %x {words}", f"tensor<?x?x{type}>", "tensor<?x?xi64>")
    for length in (1, 2, 31, 32, 33, 64, 65, 95, 100, 128, 129, 300):  # blocks of 32 are sorted before they are merged
        x = hard_rows(8, length, TYPES[type])
        want = order(x, descending)
        np.testing.assert_array_equal(argsort.call("f", [x])[0], want, err_msg=str(length))
        same(sort.call("f", [x])[0], np.take_along_axis(x, want, 1))
    assert sort.call("f", [np.zeros((3, 0), TYPES[type])])[0].shape == (3, 0)


def test_sort_along_another_axis() -> None:
    exe = executable("tir.sort %x axis 0", "tensor<70x4x8xf32>", "tensor<70x4x8xf32>")
    x = np.moveaxis(hard_rows(32, 70, np.float32).reshape(4, 8, 70), -1, 0).copy()
    same(exe.call("f", [x])[0], np.take_along_axis(x, np.argsort(x, 0, kind="stable"), 0))
