"""Matrix products of transposed, sliced and computed operands, with what follows them fused in, around the tile sizes."""

from __future__ import annotations

import numpy as np
import pytest

from tests.levels import LEVELS, module_at
from tir.compile import Executable

SIZES = [(1, 1, 1), (7, 5, 15), (8, 8, 16), (9, 3, 33), (17, 40, 31), (24, 1, 64), (33, 17, 65), (0, 4, 8), (8, 0, 16)]

#: Each takes %x of the shape [M]x[K] and %y of [K]x[N] in both orders, and a bias by column.
PROGRAM = """
  func.func @f(
    %x: tensor<[M]x[K]x{e}>, %xt: tensor<[K]x[M]x{e}>, %y: tensor<[K]x[N]x{e}>, %yt: tensor<[N]x[K]x{e}>,
    %bias: tensor<[N]x{e}>
  ) -> (tensor<[M]x[N]x{e}>, tensor<[M]x[N]x{e}>, tensor<[M]x[N]x{e}>, tensor<[M]x[N]x{e}>, tensor<[N]x{e}>,
        tensor<[M]x[M]x{e}>) {{
    %a = tir.transpose %xt by [1, 0] : tensor<[M]x[K]x{e}>
    %b = tir.transpose %yt by [1, 0] : tensor<[K]x[N]x{e}>
    %0 = tir.dot %a, %y : tensor<[M]x[N]x{e}>
    %1 = tir.dot %x, %b : tensor<[M]x[N]x{e}>
    %2 = tir.dot %a, %b : tensor<[M]x[N]x{e}>
    %wide = tir.broadcast %bias along [1] : tensor<[N]x{e}> -> tensor<[M]x[N]x{e}>
    %3 = tir.dot %x, %y : tensor<[M]x[N]x{e}>
    %sum = tir.add %3, %wide : tensor<[M]x[N]x{e}>
    %relu = tir.relu %sum : tensor<[M]x[N]x{e}>
    %column = tir.sum %relu over [0] : tensor<[N]x{e}>
    %square = tir.dot %x, %a2 : tensor<[M]x[M]x{e}>
    return %0, %1, %2, %relu, %column, %square : tensor<[M]x[N]x{e}>, tensor<[M]x[N]x{e}>, tensor<[M]x[N]x{e}>,
      tensor<[M]x[N]x{e}>, tensor<[N]x{e}>, tensor<[M]x[M]x{e}>
  }}""".replace("    %square", "    %a2 = tir.transpose %x by [1, 0] : tensor<[K]x[M]x{e}>\n    %square")


def bound(x: np.ndarray, y: np.ndarray, eps: float) -> np.ndarray:
    """What a sum of products may be wrong by in any order, and one rounding more."""
    return (x.shape[1] + 2) * eps * (np.abs(x) @ np.abs(y))


@pytest.mark.parametrize("level", ["tensor", "fused", "cpu", "cpu, not fused"])
@pytest.mark.parametrize("element", ["f32", "f64"])
def test_products_agree_with_sums_in_higher_precision(element: str, level: str) -> None:
    passes, target = LEVELS[level]
    program = Executable(module_at(PROGRAM.format(e=element), passes()), target)
    dtype = {"f32": np.float32, "f64": np.float64}[element]
    eps = float(np.finfo(dtype).eps)
    for m, k, n in SIZES:
        rng = np.random.default_rng([m, k, n])
        x, y, bias = (rng.normal(size=shape).astype(dtype) for shape in ((m, k), (k, n), (n,)))
        # A transposed view is not dense: it is copied on the way in.
        got = program.call("f", [x, x.T, y, y.T, bias])
        wide_x, wide_y, wide_bias = (v.astype(np.longdouble) for v in (x, y, bias))
        product, allowed = wide_x @ wide_y, bound(x, y, eps)
        for one in got[:3]:
            assert (np.abs(one - product) <= allowed).all(), (m, k, n)
        relu = np.maximum(product + wide_bias, 0)
        allowed_relu = allowed + 2 * eps * (np.abs(product) + np.abs(bias))
        assert (np.abs(got[3] - relu) <= allowed_relu).all(), (m, k, n)
        assert (np.abs(got[4] - relu.sum(0)) <= allowed_relu.sum(0) + (m + 1) * eps * relu.sum(0)).all(), (m, k, n)
        assert (np.abs(got[5] - wide_x @ wide_x.T) <= bound(x, x.T, eps)).all(), (m, k, n)


REPEATED = {
    "dot": ("tensor<2x4xf32>", "%r = tir.dot %x, %w : tensor<2x3xf32>", "tensor<2x3xf32>"),
    "einsum": ("tensor<2x4xf32>", '%r = tir.einsum "ij,jk->ik" %x, %w : tensor<2x3xf32>',
               "tensor<2x3xf32>"),
    "conv": ("tensor<2x1x4xf32>", "%v = tir.reshape %t : tensor<3x4xf32> -> tensor<3x1x4xf32>\n"
             "%r = tir.conv %x, %v : tensor<2x3x1xf32>", "tensor<2x3x1xf32>"),
}  # fmt: skip


@pytest.mark.parametrize("level", ["tensor", "structured", "cpu"])
@pytest.mark.parametrize("name", REPEATED)
def test_each_product_with_a_repeated_infinity_is_taken_by_itself(name: str, level: str) -> None:
    """inf * 1 + inf * -2 is nan, and not inf * (1 - 2)."""
    type, op, result = REPEATED[name]
    text = f"""func.func @f(%x: {type}, %c: tensor<f32>) -> {result} {{
  %w = tir.broadcast %c along [] : tensor<f32> -> tensor<4x3xf32>
  %t = tir.broadcast %c along [] : tensor<f32> -> tensor<3x4xf32>
  {op}
  return %r : {result}
}}
"""
    passes, target = LEVELS[level]
    x = np.array([[1, -2, 1, 1], [1, 2, 3, 4]], np.float32)
    shape = [int(n) for n in type.removeprefix("tensor<").split("x")[:-1]]
    (found,) = Executable(module_at(text, passes()), target).call("f", [x.reshape(shape), np.float32(np.inf)])
    np.testing.assert_array_equal(np.asarray(found).reshape(2, 3), [[np.nan] * 3, [np.inf] * 3])
