"""Convolutions and their gradients of inf and nan: what the zeros between and around elements are multiplied with.

They are elements of the padded x, as in numpy, so that 0 times an inf of w or g is nan. The gradient by x has no zeros:
it sums over the windows that an element is in, whichever way it is computed.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from tests.levels import LEVELS, modules_at
from tir.compile import Executable

QUICK = ("tensor", "structured", "fused", "loops", "cpu")
SPECIAL = (np.inf, -np.inf, np.nan, 0.0, -0.0, 1.0, -2.0)
#: Stride, dilation of the window, low, high, dilation of x, size of x, of the window.
SLIDES = [
    (1, 1, 0, 0, 1, 6, 3), (1, 1, 2, 2, 1, 6, 3), (2, 1, 1, 1, 1, 7, 3), (3, 1, 0, 1, 1, 8, 2), (1, 2, 1, 3, 1, 7, 3),
    (2, 2, 3, 0, 1, 7, 2), (1, 1, 1, 1, 2, 4, 3), (1, 1, -1, -1, 1, 7, 2), (4, 1, 0, 0, 1, 33, 1),
]  # fmt: skip


def by_hand(facts: tuple[int, ...], x: Any, w: Any, g: Any) -> tuple[Any, Any, Any]:
    """conv, conv_grad_input and conv_grad_weight of vectors: [batch, features, size], [outputs, features, window]."""
    stride, dilation, low, _, between, _, _ = facts
    size, positions = x.shape[2], g.shape[2]
    y, by_x, by_w = np.zeros_like(g), np.zeros_like(x), np.zeros_like(w)
    for n, o, c, p, k in itertools.product(range(x.shape[0]), *map(range, w.shape[:2]), range(positions), range(w.shape[2])):
        place = p * stride + k * dilation - low
        inside = place % between == 0 and 0 <= place // between < size
        element = x[n, c, place // between] if inside else x.dtype.type(0)
        y[n, o, p] += element * w[o, c, k]
        by_w[o, c, k] += element * g[n, o, p]
        if inside:
            by_x[n, c, place // between] += g[n, o, p] * w[o, c, k]
    return y, by_x, by_w


@pytest.mark.parametrize("batch", ["[B]", pytest.param("2", marks=pytest.mark.slow), pytest.param("?", marks=pytest.mark.slow)])
@pytest.mark.parametrize("facts", SLIDES, ids=str)
def test_zeros_around_elements_are_no_part_of_g(facts: tuple[int, ...], batch: str) -> None:
    stride, dilation, low, high, between, size, window = facts
    positions = ((size - 1) * between + 1 + low + high - (window - 1) * dilation - 1) // stride + 1
    words = f"strides [{stride}] low [{low}] high [{high}] x_dilations [{between}] w_dilations [{dilation}]"
    xt, wt, gt = (f"tensor<{dims}xf64>" for dims in (f"{batch}x2x{size}", f"3x2x{window}", f"{batch}x3x{positions}"))
    sizes = "sizes(%n)" if batch == "?" else ""
    text = f"""func.func @f(%x: {xt}, %w: {wt}, %g: {gt}) -> ({gt}, {xt}, {wt}) {{
      %n = tir.dim %x axis 0 : {xt}
      %y = tir.conv %x, %w {words} : {gt}
      %a = tir.conv_grad_input %w, %g {words} {sizes} : {wt}, {gt} -> {xt}
      %b = tir.conv_grad_weight %x, %g {words} : {xt}, {gt} -> {wt}
      return %y, %a, %b : {gt}, {xt}, {wt}
    }}"""
    rng = np.random.default_rng(size)
    cases = []
    for special, where in itertools.product(SPECIAL, range(3)):
        arrays = [rng.integers(-3, 4, shape).astype(float) for shape in ((2, 2, size), (3, 2, window), (2, 3, positions))]
        arrays[where].flat[rng.integers(arrays[where].size)] = special
        with np.errstate(invalid="ignore"):
            cases.append((arrays, by_hand(facts, *arrays)))
    for level, module in modules_at(text, QUICK):
        program = Executable(module, LEVELS[level][1])
        for arrays, wants in cases:
            for got, want in zip(program.call("f", arrays), wants):
                np.testing.assert_array_equal(got, want, err_msg=f"{level} {arrays}")


def test_a_gradient_by_x_whose_batch_has_another_size_is_an_error() -> None:
    text = """func.func @f(%w: tensor<3x2x2xf32>, %g: tensor<?x3x4xf32>, %n: index) -> tensor<?x2x5xf32> {
      %r = tir.conv_grad_input %w, %g sizes(%n) : tensor<3x2x2xf32>, tensor<?x3x4xf32> -> tensor<?x2x5xf32>
      return %r : tensor<?x2x5xf32>
    }"""
    for level, module in modules_at(text, QUICK):
        with pytest.raises(Exception, match="tir.conv_grad_input: (axis 0 of )?g must have"):
            Executable(module, LEVELS[level][1]).call("f", [np.ones((3, 2, 2), "f"), np.ones((2, 3, 4), "f"), 3])


def test_gradients_of_f16_add_up_in_f32() -> None:
    """As each op does: a sum of 3000 ones in f16 alone ends at 2048."""
    text = """func.func @f(%x: tensor<3000x1x3xf16>, %w: tensor<3000x1x1xf16>, %g: tensor<3000x1x2xf16>, %h: tensor<1x3000x3xf16>)
        -> (tensor<1x1x2xf16>, tensor<1x1x3xf16>) {
      %a = tir.conv_grad_weight %x, %g : tensor<3000x1x3xf16>, tensor<3000x1x2xf16> -> tensor<1x1x2xf16>
      %b = tir.conv_grad_input %w, %h : tensor<3000x1x1xf16>, tensor<1x3000x3xf16> -> tensor<1x1x3xf16>
      return %a, %b : tensor<1x1x2xf16>, tensor<1x1x3xf16>
    }"""
    arrays = [np.ones(shape, np.float16) for shape in ((3000, 1, 3), (3000, 1, 1), (3000, 1, 2), (1, 3000, 3))]
    for level, module in modules_at(text, ("tensor", "structured", "cpu")):
        by_w, by_x = Executable(module, LEVELS[level][1]).call("f", arrays)
        np.testing.assert_array_equal(by_x, np.full((1, 1, 3), 3000), err_msg=level)
        np.testing.assert_array_equal(by_w, np.full((1, 1, 2), 6000), err_msg=level)
