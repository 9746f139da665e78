"""Loops over operands that lie in different directions go in tiles, each element once."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tir.compile import Executable
from tir.dialects.all import REGISTRY
from tir.ir.ir import Op
from tir.ir.pass_manager import run_pipeline
from tir.parser.parse import parse_text
from tir.passes import blocked_nests
from tir.passes.pipelines import default

SHAPES = [(2, 2), (3, 4), (4, 3), (5, 7), (12, 16), (13, 17), (1, 9), (9, 1), (0, 5), (5, 0), (3, 5, 6), (4, 3, 9)]


@pytest.fixture
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocked_nests, "TILE", (4, 3))
    monkeypatch.setattr(blocked_nests, "SHORTEST_TILED", 2)


def lowered(shape: tuple[int, ...], order: tuple[int, ...], is_open: bool) -> Op:
    """A sum of an array and another one whose axes are in another order."""
    sizes = ["?" if is_open else str(size) for size in shape]
    given = f"tensor<{''.join(f'{size}x' for size in sizes)}f32>"
    turned = f"tensor<{''.join(f'{sizes[axis]}x' for axis in order)}f32>"
    text = f"""func.func @f(%x: {given}, %y: {turned}) -> {turned} {{
      %0 = tir.transpose %x by [{', '.join(map(str, order))}] : {turned}
      %1 = tir.sub %0, %y : {turned}
      return %1 : {turned}
    }}"""
    module = parse_text(text, REGISTRY)
    run_pipeline(default(), module)
    return module


def is_tiled(module: Op) -> bool:
    return any(op.name == "arith.minsi" for op in module.walk())


def check(shape: tuple[int, ...], order: tuple[int, ...], is_open: bool) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape).astype(np.float32)
    y = rng.standard_normal([shape[axis] for axis in order]).astype(np.float32)
    (got,) = Executable(lowered(shape, order, is_open)).call("f", [x, y])
    np.testing.assert_array_equal(got, x.transpose(order) - y)


@pytest.mark.parametrize("is_open", [False, True], ids=["known", "open"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_each_element_is_computed(small_tiles: None, shape: tuple[int, ...], is_open: bool) -> None:
    for order in itertools.permutations(range(len(shape))):
        check(shape, order, is_open)


def test_so_it_is_in_tiles_of_the_usual_size() -> None:
    check((130, 170), (1, 0), True)
    check((128, 200), (1, 0), False)


def test_short_axes_and_one_direction_need_no_tiles() -> None:
    assert is_tiled(lowered((130, 200), (1, 0), False))
    assert not is_tiled(lowered((100, 20), (1, 0), False))
    assert not is_tiled(lowered((100, 200), (0, 1), False))
