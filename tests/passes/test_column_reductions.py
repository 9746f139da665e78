"""Reductions over the rows of columns: in strips and blocks they give the bits of one row after the other."""

from __future__ import annotations

import numpy as np
import pytest

from tir.compile import Executable
from tir.dialects.all import REGISTRY
from tir.ir.ir import Op
from tir.ir.pass_manager import run_pipeline
from tir.parser.parse import parse_text
from tir.passes import blocked_nests
from tir.passes.pipelines import default

#: Shapes and the axis that is reduced.
CASES = [
    ((9, 16), 0), ((8, 17), 0), ((40, 33), 0), ((100, 64), 0), ((33, 70), 0), ((12, 131), 0), ((3, 20, 40), 1), ((20, 3, 40), 0),
    ((2, 9, 5, 18), 1), ((0, 20), 0), ((9, 0), 0), ((1, 40), 0),
]  # fmt: skip
STEPS = {"sum": np.add, "max": np.maximum, "prod": np.multiply}


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocked_nests, "STRIP", 32)
    monkeypatch.setattr(blocked_nests, "BLOCK", 4)
    monkeypatch.setattr(blocked_nests, "CACHED_ELEMENTS", 64)


def lowered(op: str, shape: tuple[int, ...], axis: int, element: str, is_open: bool) -> Op:
    sizes = ["?" if is_open else str(size) for size in shape]
    kept = [size for i, size in enumerate(sizes) if i != axis]
    taken, given = (f"tensor<{''.join(f'{size}x' for size in part)}{element}>" for part in (sizes, kept))
    text = f"func.func @f(%x: {taken}) -> {given} {{\n  %0 = tir.{op} %x over [{axis}] : {given}\n  return %0 : {given}\n}}"
    module = parse_text(text, REGISTRY)
    run_pipeline(default(), module)
    return module


def row_by_row(op: str, x: np.ndarray, axis: int) -> np.ndarray:
    rows = np.moveaxis(x, axis, 0)
    first = {"sum": 0, "max": -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min, "prod": 1}[op]
    found = np.full(rows.shape[1:], first, x.dtype)
    with np.errstate(all="ignore"):
        for row in rows:
            found = STEPS[op](found, row).astype(x.dtype)
    return found


def check(op: str, shape: tuple[int, ...], axis: int, element: str, is_open: bool) -> None:
    x = np.random.default_rng(len(shape)).standard_normal(shape).astype(f"f{int(element[1:]) // 8}")
    if x.size:
        x.flat[::37] = [np.nan, -0.0, np.inf, 1e-42][x.size % 4]
    (got,) = Executable(lowered(op, shape, axis, element, is_open)).call("f", [x])
    np.testing.assert_array_equal(got, row_by_row(op, x, axis))


@pytest.mark.parametrize("is_open", [False, True], ids=["known", "open"])
@pytest.mark.parametrize(("shape", "axis"), CASES, ids=str)
def test_each_column_is_reduced_in_order(small_blocks: None, shape: tuple[int, ...], axis: int, is_open: bool) -> None:
    for op, element in (("sum", "f32"), ("max", "f32"), ("prod", "f64")):
        check(op, shape, axis, element, is_open)


def test_so_they_are_in_strips_and_blocks_of_their_usual_size() -> None:
    check("sum", (1000, 2100), 0, "f32", True)
    check("sum", (100, 1030), 0, "f64", False)


def carried_loops(module: Op) -> list[Op]:
    return [op for op in module.walk() if op.name == "scf.for" and op.results]


def test_sums_stay_in_vectors_over_the_rows_of_a_block() -> None:
    module = lowered("sum", (1000, 1000), 0, "f32", True)
    assert {str(loop.results[0].type) for loop in carried_loops(module)} == {"vector<64xf32>"}


def test_few_columns_and_narrow_elements_go_row_by_row() -> None:
    assert not carried_loops(lowered("sum", (1000, 15), 0, "f32", False))
    assert not carried_loops(lowered("max", (1000, 64), 0, "i8", False))
    assert not carried_loops(lowered("sum", (7, 64), 0, "f32", False))
