"""`tir.name_size`: a size that the run tells has a name, by which loops may stack what has it. At all levels."""

from __future__ import annotations

import numpy as np
import pytest

import tir
from tir.ir.errors import ExecutionError

LOOP = """
func.func @f(%xs: tensor<?x?xf32>, %w: tensor<3x3xf32>, %n: tensor<i64>) -> (tensor<?x?x3xf32>, tensor<3x3xf32>) {
  %wl = tir.leaf %w : tensor<3x3xf32>
  %k = tir.to_index %n : tensor<i64>
  tir.name_size %k as "R" : index
  %d0 = tir.dim %xs axis 0 : tensor<?x?xf32>
  tir.name_size %d0 as "T" : index
  %h0 = tir.full 1.0 : f32 -> tensor<[R]x3xf32>
  %ys = tir.broadcast %xs along [0, 1] : tensor<?x?xf32> -> tensor<[T]x3xf32>
  %last, %all = tir.scan (%h = %h0 : tensor<[R]x3xf32>) over (%x = %ys : tensor<[T]x3xf32>) -> (tensor<[T]x[R]x3xf32>) {
    %xb = tir.broadcast %x along [1] : tensor<3xf32> -> tensor<[R]x3xf32>
    %a = tir.dot %h, %wl : tensor<[R]x3xf32>
    %s = tir.add %a, %xb : tensor<[R]x3xf32>
    %t = tir.tanh %s : tensor<[R]x3xf32>
    tir.yield %t, %t : tensor<[R]x3xf32>, tensor<[R]x3xf32>
  }
  %c = tir.sum %all over [0, 1, 2] : tensor<f32>
  %g = tir.grad %c wrt (%wl) : tensor<3x3xf32>
  %tt = tir.dim %all axis 0 : tensor<[T]x[R]x3xf32>
  %rr = tir.dim %all axis 1 : tensor<[T]x[R]x3xf32>
  %out = tir.broadcast %all along [0, 1, 2] sizes(%tt, %rr) : tensor<[T]x[R]x3xf32> -> tensor<?x?x3xf32>
  return %out, %g : tensor<?x?x3xf32>, tensor<3x3xf32>
}
"""
TARGETS = ("interpret", "cpu")


def expected(xs: np.ndarray, w: np.ndarray, n: int) -> np.ndarray:
    h, found = np.ones((n, 3)), []
    for x in xs:
        h = np.tanh(h @ w + x)
        found.append(h)
    return np.array(found).reshape(len(xs), n, 3)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("steps", "rows"), [(5, 4), (1, 1), (0, 2), (3, 0)])
def test_a_loop_stacks_what_has_a_size_that_the_run_tells(target: str, steps: int, rows: int) -> None:
    program = tir.executable(tir.parse(LOOP), target)
    xs = np.random.RandomState(0).randn(steps, 3)
    w = np.random.RandomState(1).randn(3, 3) * 0.3
    narrow = [x.astype(np.float32) for x in (xs, w)]
    found, slope = program.call("f", [*narrow, np.int64(rows)])
    assert found.shape == (steps, rows, 3)
    np.testing.assert_allclose(found, expected(xs, w, rows), rtol=1e-5, atol=1e-6)  # tanh and sums of three, in f32
    step = 1e-6 * np.eye(9)[4].reshape(3, 3)
    want = (expected(xs, w + step, rows).sum() - expected(xs, w - step, rows).sum()) / 2e-6
    np.testing.assert_allclose(slope[1, 1], want, rtol=1e-3, atol=1e-4)  # a difference of sums in f32


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    ("columns", "rows", "message"),
    [
        (2, 4, "axis 1 of x must have the size of axis 1 of the result, got 2 and 3"),
        (3, -1, "tir.name_size: a size must not be negative, got -1"),
    ],
)
def test_sizes_are_checked(target: str, columns: int, rows: int, message: str) -> None:
    program = tir.executable(tir.parse(LOOP), target)
    with pytest.raises(ExecutionError, match=message):
        program.call("f", [np.zeros((5, columns), np.float32), np.zeros((3, 3), np.float32), np.int64(rows)])


BODY = "func.func @f(%x: tensor<[B]x?xf32>) {{\n  %n = tir.dim %x axis 1 : tensor<[B]x?xf32>\n{}  return\n}}\n"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (['  tir.name_size %n as "B" : index\n'], "the name [B] is bound already"),
        (['  tir.name_size %n as "M" : index\n'] * 2, "the name [M] is bound already"),
        (['  tir.name_size %n as "2 M" : index\n'], "the name of a size has letters, digits and underscores, got '2 M'"),
        (["  %0 = tir.full 0.0 : f32 -> tensor<[M]xf32>\n"], "size [M] is not bound: no argument of the function has [M]"),
    ],
)
def test_a_name_is_bound_once(lines: list[str], message: str) -> None:
    with pytest.raises(tir.TirError) as caught:
        tir.parse(BODY.format("".join(lines)))
    assert message in str(caught.value)


def test_it_stands_at_the_top_level_of_a_function() -> None:
    text = """func.func @f(%x: tensor<?xf32>, %c: tensor<i1>) {
  %n = tir.dim %x axis 0 : tensor<?xf32>
  tir.if %c {
    tir.name_size %n as "N" : index
    tir.yield
  } else {
    tir.yield
  }
  return
}
"""
    with pytest.raises(tir.TirError, match="must stand at the top level of a function, in its first block"):
        tir.parse(text)


def test_adjoints_of_a_size_that_is_a_number_here_and_a_name_there_add_up() -> None:
    text = """
func.func @f(%x: tensor<?xf64>, %y: tensor<[N]xf64>) -> tensor<?xf64> {
  %a = tir.broadcast %x along [0] : tensor<?xf64> -> tensor<[N]xf64>
  %b = tir.broadcast %x along [0] : tensor<?xf64> -> tensor<3xf64>
  %0 = tir.mul %a, %y : tensor<[N]xf64>
  %1 = tir.sum %0 over [0] : tensor<f64>
  %2 = tir.square %b : tensor<3xf64>
  %3 = tir.sum %2 over [0] : tensor<f64>
  %c = tir.add %1, %3 : tensor<f64>
  %g = tir.grad %c wrt (%x) : tensor<?xf64>
  return %g : tensor<?xf64>
}
"""
    x, y = np.array([1.0, 2.0, 3.0]), np.array([10.0, 20.0, 30.0])
    for target in TARGETS:
        (found,) = tir.executable(tir.parse(text), target).call("f", [x, y])
        np.testing.assert_array_equal(found, y + 2 * x)
