"""Reductions that choose, in vectors: the place that numpy finds, whatever the row ends in; and which ops they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tir.compile import Executable
from tir.dialects.all import REGISTRY
from tir.dialects.linalg import Generic
from tir.ir.ir import Op
from tir.ir.pass_manager import run_pipeline
from tir.parser.parse import parse_text
from tir.passes.choosing_reduction import find_choice
from tir.passes.pipelines import default, lower_cpu

TYPES = {"f32": np.float32, "f64": np.float64, "f16": np.float16, "i8": np.int8, "ui8": np.uint8, "i64": np.int64}
LENGTHS = [1, 7, 16, 31, 32, 33, 64, 97, 200]  # vectors have 8 or 16 lanes, and two go side by side


def executable(text: str) -> Executable:
    return Executable(parse_text(text, REGISTRY), pipeline=lambda module: run_pipeline(default(), module))


def hard_rows(length: int, dtype: Any) -> np.ndarray:
    """Rows with ties everywhere; of floats with nans, infinities and both zeros, at both ends too."""
    rng = np.random.default_rng(length)
    rows = rng.integers(0, 5, (40, length)).astype(dtype)
    if np.issubdtype(dtype, np.floating):
        for number in (np.nan, np.inf, -np.inf, -0.0):
            rows[rng.random(rows.shape) < 0.3 / length] = number
        rows[0], rows[1], rows[2], rows[3] = np.nan, np.inf, -np.inf, -0.0
        rows[4, -1] = rows[5, 0] = rows[6, length // 2] = np.nan
        rows[7, -1] = 9
    return rows


@pytest.mark.parametrize("type", TYPES)
@pytest.mark.parametrize("op", ["argmax", "argmin"])
def test_place_along_rows_of_any_length(op: str, type: str) -> None:
    exe = executable(
        f"func.func @f(%x: tensor<?x?x{type}>) -> tensor<?xi64> {{\n"
        f"  %r = tir.{op} %x axis 1 : tensor<?xi64>\n  return %r : tensor<?xi64>\n}}"
    )
    for length in LENGTHS:
        x = hard_rows(length, TYPES[type])
        np.testing.assert_array_equal(exe.call("f", [x])[0], getattr(np, op)(x, 1), err_msg=str(length))
    np.testing.assert_array_equal(exe.call("f", [np.zeros((3, 0), TYPES[type])])[0], [0, 0, 0])


@pytest.mark.parametrize("length", [16, 32, 100])
def test_rows_of_known_length_and_what_is_computed_for_them(length: int) -> None:
    exe = executable(
        f"func.func @f(%x: tensor<40x{length}xf32>, %y: tensor<40xf32>) -> tensor<40xi64> {{\n"
        f"  %0 = tir.broadcast %y along [0] : tensor<40xf32> -> tensor<40x{length}xf32>\n"
        f"  %1 = tir.mul %x, %0 : tensor<40x{length}xf32>\n"
        "  %r = tir.argmax %1 axis 1 : tensor<40xi64>\n  return %r : tensor<40xi64>\n}"
    )
    x, y = hard_rows(length, np.float32), np.float32(np.arange(40) - 20)
    with np.errstate(invalid="ignore"):
        want = np.argmax(x * y[:, None], 1)
    np.testing.assert_array_equal(exe.call("f", [x, y])[0], want)


def generic(body: str, kept: str, types: str = "f32, i64") -> str:
    """A reduction of a matrix of f32 in two outputs, %a and %p, with the term %x."""
    first, second = types.split(", ")
    return f"""
      func.func @f(%m: memref<?x?xf32>, %v: memref<?x{first}>, %w: memref<?x{second}>) {{
        linalg.generic {{indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i)>],
            iterator_types = ["parallel", "reduction"]}} ins(%m : memref<?x?xf32>) outs(%v, %w : memref<?x{first}>, memref<?x{second}>) {{
        ^bb0(%x: f32, %a: {first}, %p: {second}):
          %j = linalg.index 1 : index
          %k = arith.index_cast %j : index to i64
          {body}
          linalg.yield {kept}
        }}
        return
      }}"""


SMALLEST = "%c = arith.cmpf ogt, %x, %a : f32\n%0 = arith.select %c, %a, %x : f32\n%1 = arith.select %c, %p, %k : i64"
LARGEST_BEFORE = (
    "%l = arith.cmpf ogt, %x, %a : f32\n%s = arith.cmpi slt, %k, %p : i64\n%e = arith.cmpf oeq, %x, %a : f32\n"
    "%t = arith.andi %e, %s : i1\n%c = arith.ori %l, %t : i1\n"
    "%0 = arith.select %c, %x, %a : f32\n%1 = arith.select %c, %k, %p : i64"
)


def op_of(text: str) -> tuple[Op, Generic]:
    module = parse_text(text, REGISTRY)
    return module, next(op for op in module.walk() if isinstance(op, Generic))


def test_terms_of_a_choice() -> None:
    _, op = op_of(generic(LARGEST_BEFORE, "%0, %1 : f32, i64"))
    choice = find_choice(op, 1)
    assert choice is not None and choice.taken_if
    assert [term.hint for term in choice.terms] == ["x", "k"]
    assert [inner.results[0].hint for inner in choice.deciding] == ["l", "s", "e", "t", "c"]
    _, op = op_of(generic(SMALLEST, "%0, %1 : f32, i64"))
    choice = find_choice(op, 1)
    assert choice is not None and not choice.taken_if


@pytest.mark.parametrize(
    ("body", "kept", "types"),
    [
        # The condition needs more than the terms: the place, which no output keeps.
        ("%c = arith.cmpi sgt, %k, %p : i64\n%0 = arith.select %c, %x, %a : f32\n%1 = arith.select %c, %p, %p : i64",
         "%0, %1 : f32, i64", "f32, i64"),
        # Two conditions: one output may keep what another point has offered.
        ("%c = arith.cmpf ogt, %x, %a : f32\n%d = arith.cmpf ogt, %a, %x : f32\n%0 = arith.select %c, %x, %a : f32\n"
         "%1 = arith.select %d, %k, %p : i64", "%0, %1 : f32, i64", "f32, i64"),
        # A sum beside it.
        ("%c = arith.cmpf ogt, %x, %a : f32\n%0 = arith.select %c, %x, %a : f32\n%1 = arith.addf %p, %x : f32",
         "%0, %1 : f32, f32", "f32, f32"),
    ],
)  # fmt: skip
def test_no_choice(body: str, kept: str, types: str) -> None:
    _, op = op_of(generic(body, kept, types))
    assert find_choice(op, 1) is None


@pytest.mark.parametrize("length", [5, 40, 77])
def test_loops_of_a_choice_compute_it(length: int) -> None:
    rng = np.random.default_rng(length)
    x = rng.normal(size=(6, length)).astype(np.float32)
    best, place = np.full(6, -np.inf, np.float32), np.zeros(6, np.int64)
    module, _ = op_of(generic(LARGEST_BEFORE, "%0, %1 : f32, i64"))
    exe = Executable(module, pipeline=lambda module: run_pipeline(lower_cpu(), module))
    exe.call("f", [x, best, place])
    np.testing.assert_array_equal(place, np.argmax(x, 1))
    np.testing.assert_array_equal(best, np.max(x, 1))
    exe.call("f", [x - 1, best, place])  # what was there before stays
    np.testing.assert_array_equal(best, np.max(x, 1))
