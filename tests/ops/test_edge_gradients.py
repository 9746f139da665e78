"""Gradients of reductions, scans, sorts, norms and losses where they have no slope or many: what is documented."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tests.levels import LEVELS, module_at
from tir.compile import Executable

INF, NAN = np.inf, np.nan


def gradient(op: str, shape: Sequence[int], x: Sequence[float], weights: Sequence[float], names: str = "%r", level: str = "tensor") -> np.ndarray:
    """The gradient of sum(weights * op(x)) by x, a vector."""
    size = len(x)
    result = f"tensor<{''.join(f'{n}x' for n in shape)}f64>"
    axes = list(range(len(shape)))
    text = f"""
func.func @f(%x: tensor<{size}xf64>, %w: {result}) -> tensor<{size}xf64> {{
  {names} = {op.format(r=result)}
  %p = tir.mul %r, %w : {result}
  %c = tir.sum %p over {axes} : tensor<f64>
  %g = tir.grad %c wrt (%x) : tensor<{size}xf64>
  return %g : tensor<{size}xf64>
}}
"""
    passes, target = LEVELS[level]
    program = Executable(module_at(text, passes()), target)
    given = np.asarray(weights, np.float64).reshape(shape)
    (found,) = program.call("f", [np.asarray(x, np.float64), given])
    return np.asarray(found)


X = [1.0, 3.0, 3.0, -2.0, 3.0]
EDGES = [
    ("tir.max %x over [0] : {r}", (), X, [6], [0, 6, 6, 0, 6]),
    ("tir.max %x over [0] ties split : {r}", (), X, [6], [0, 2, 2, 0, 2]),
    ("tir.max %x over [0] ties first : {r}", (), X, [6], [0, 6, 0, 0, 0]),
    ("tir.min %x over [0] ties first : {r}", (), [2.0, 1.0, 1.0], [6], [0, 6, 0]),
    ("tir.max %x over [0] ties split : {r}", (), [1.0, NAN, NAN], [6], [0, 3, 3]),
    ("tir.min %x over [0] ties first : {r}", (), [1.0, NAN, NAN], [6], [0, 6, 0]),
    ("tir.max %x over [] : {r}", (2,), [1.0, NAN], [6, 7], [6, 7]),  # as without it: canonicalize drops it
    ("tir.std %x over [0] : {r}", (), [2.0, 2.0], [1], [0, 0]),
    ("tir.norm %x l1 over [0] : {r}", (), [0.0, -2.0], [3], [0, -3]),
    ("tir.norm %x l2 over [0] : {r}", (), [0.0, 0.0], [1], [0, 0]),
    ("tir.norm %x l2 over [0] : {r}", (), [3e300, -4e300], [1], [0.6, -0.8]),
    ("tir.norm %x max over [0] : {r}", (), [2.0, -2.0, 1.0], [3], [3, -3, 0]),
    ("tir.norm %x max over [0] : {r}", (), [0.0, 0.0], [1], [0, 0]),
    ("tir.logsumexp %x over [0] : {r}", (), [-INF, -INF], [1], [0, 0]),
    ("tir.logsumexp %x over [0] : {r}", (), [1000.0, 1000.0, -INF], [1], [0.5, 0.5, 0]),
    # sum_j w_j prod_(k <= j, k != i) x_k
    ("tir.cumprod %x axis 0 : {r}", (4,), [2.0, 0.0, 3.0, 0.0], [1, 10, 100, 1000], [1, 620, 0, 0]),
    ("tir.cumprod %x axis 0 exclusive : {r}", (3,), [2.0, 0.0, 3.0], [1, 10, 100], [10, 200, 0]),
    ("tir.cumprod %x axis 0 reverse : {r}", (3,), [2.0, 0.0, 3.0], [1, 10, 100], [0, 36, 100]),
    ("tir.cummax %x axis 0 : {r}", (5,), [1.0, 3.0, 3.0, -2.0, 4.0], [1, 2, 3, 4, 5], [1, 9, 0, 0, 5]),
    ("tir.cummax %x axis 0 reverse : {r}", (5,), [1.0, 3.0, 3.0, -2.0, 4.0], [1, 2, 3, 4, 5], [0, 0, 0, 0, 15]),
    ("tir.cummin %x axis 0 exclusive : {r}", (3,), [1.0, 3.0, 0.0], [1, 2, 4], [6, 0, 0]),
    ("tir.cummin %x axis 0 exclusive reverse : {r}", (3,), [1.0, 3.0, 4.0], [1, 2, 4], [0, 1, 2]),
    ("tir.cummax %x axis 0 : {r}", (4,), [1.0, NAN, 5.0, NAN], [1, 2, 4, 8], [1, 14, 0, 0]),
    ("tir.cummax %x axis 0 : {r}", (2,), [-INF, -INF], [1, 2], [3, 0]),
    ("tir.sort %x axis 0 : {r}", (4,), [3.0, NAN, 1.0, 3.0], [1, 2, 4, 8], [2, 8, 1, 4]),
    ("tir.sort %x axis 0 descending : {r}", (4,), [3.0, NAN, 1.0, 3.0], [1, 2, 4, 8], [2, 1, 8, 4]),
    ("tir.sort %x axis 0 : {r}", (2,), [0.0, -0.0], [1, 2], [1, 2]),
    ("tir.normalize %x over [0] epsilon 0.01 : f64 : {r}", (2,), [5.0, 5.0], [1, 0], [5, -5]),
]


@pytest.mark.parametrize(("op", "shape", "x", "weights", "want"), EDGES, ids=lambda v: v if isinstance(v, str) else None)
@pytest.mark.parametrize("level", ["tensor", "cpu"])
def test_gradient_at_an_edge_is_the_documented_one(
    op: str, shape: tuple, x: list, weights: list, want: list, level: str
) -> None:
    np.testing.assert_allclose(gradient(op, shape, x, weights, level=level), want, rtol=1e-12)


@pytest.mark.parametrize("level", ["tensor", "cpu"])
def test_a_slice_with_an_ignored_label_has_no_gradient_whatever_its_scores_are(level: str) -> None:
    for op in ("softmax_cross_entropy", "nll_loss"):
        text = f"""
func.func @f(%x: tensor<3x2xf64>, %y: tensor<3xi32>, %w: tensor<2xf64>) -> (tensor<3xf64>, tensor<3x2xf64>, tensor<2xf64>) {{
  %l = tir.{op} %x, %y weights %w ignore -100 : tensor<3xf64>
  %c = tir.sum %l over [0] : tensor<f64>
  %gx, %gw = tir.grad %c wrt (%x, %w) : tensor<3x2xf64>, tensor<2xf64>
  return %l, %gx, %gw : tensor<3xf64>, tensor<3x2xf64>, tensor<2xf64>
}}"""
        passes, target = LEVELS[level]
        x = np.array([[NAN, INF], [0.0, 0.0], [-INF, -INF]])
        arrays = [x, np.array([-100, 1, -100], np.int32), np.array([3.0, 2.0])]
        loss, by_x, by_w = Executable(module_at(text, passes()), target).call("f", arrays)
        term, rest = (np.log(2), 1.0) if op == "softmax_cross_entropy" else (0.0, 0.0)
        np.testing.assert_allclose(loss, [0, 2 * term, 0], rtol=1e-15)
        want = [[0, 0], [rest, rest - 2], [0, 0]] if rest else [[0, 0], [0, -2], [0, 0]]
        np.testing.assert_allclose(by_x, want, rtol=1e-15)
        np.testing.assert_allclose(by_w, [0, term], rtol=1e-15)


# --- products with zeros, to third order ----------------------------------------------------------------------------

Monomials = list[tuple[float, frozenset[int]]]


def monomials(size: int, exclusive: bool, reverse: bool) -> Monomials:
    """sum_j (j + 1) p_j of the running products p of x: each the product of some of the elements."""
    order = list(range(size))[:: -1 if reverse else 1]
    return [(float(j + 1), frozenset(order[: i + (not exclusive)])) for i, j in enumerate(order)]


def derivative(terms: Monomials, by: int) -> Monomials:
    return [(factor, elements - {by}) for factor, elements in terms if by in elements]


def at(terms: Monomials, x: Sequence[float]) -> float:
    return sum(factor * float(np.prod([x[i] for i in elements])) for factor, elements in terms)


WEIGHTS = np.array([[1.0, -2.0, 3.0, 0.5, 2.0], [2.0, 1.0, -1.0, 3.0, 1.0]])


def three_gradients(form: str, x: Sequence[float], shape: str = "5x", axes: str = "0") -> list[np.ndarray]:
    """Of the cost of `form`; of its product with the first weights; and of the product of that with the second ones."""
    type = f"tensor<{shape}f64>"
    text = f"""
func.func @f(%x: {type}, %v: {type}, %w: {type}) -> ({type}, {type}, {type}) {{
{form}
  %g = tir.grad %c wrt (%x) : {type}
  %gv = tir.mul %g, %v : {type}
  %d = tir.sum %gv over [{axes}] : tensor<f64>
  %h = tir.grad %d wrt (%x) : {type}
  %hw = tir.mul %h, %w : {type}
  %e = tir.sum %hw over [{axes}] : tensor<f64>
  %k = tir.grad %e wrt (%x) : {type}
  return %g, %h, %k : {type}, {type}, {type}
}}"""
    passes, target = LEVELS["tensor"]
    sizes = [int(size) for size in shape.split("x")[:-1]]
    arrays = [np.reshape(np.asarray(value, np.float64), sizes) for value in (x, *WEIGHTS[:, : len(x)])]
    return [np.ravel(found) for found in Executable(module_at(text, passes()), target).call("f", arrays)]


def want_three(terms: Monomials, x: Sequence[float]) -> list[list[float]]:
    """The same in closed form: the derivative of a product by one of its factors is the product of the others."""
    every = range(len(x))
    first, second, third = [], [], []
    for i in every:
        one = derivative(terms, i)
        two = [(v * f, e) for j, v in zip(every, WEIGHTS[0]) for f, e in derivative(one, j)]
        three = [(w * f, e) for j, w in zip(every, WEIGHTS[1]) for f, e in derivative(two, j)]
        first, second, third = [*first, at(one, x)], [*second, at(two, x)], [*third, at(three, x)]
    return [first, second, third]


WITH_ZEROS = [
    [2.0, -1.0, 3.0, 0.5, 2.0], [2.0, 0.0, 3.0, 0.5, 2.0], [0.0, 2.0, 3.0, -0.0, 2.0], [0.0, 0.0, 3.0, 0.0, 2.0], [0.0] * 5,
    [2.0, 2.0, 2.0, 0.0, 0.0],
]  # fmt: skip


@pytest.mark.parametrize("x", WITH_ZEROS, ids=str)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("exclusive", [False, True])
def test_running_products_have_exact_gradients_of_any_order_at_zeros(exclusive: bool, reverse: bool, x: list) -> None:
    form = f"""  %p = tir.cumprod %x axis 0{" exclusive" * exclusive}{" reverse" * reverse} : tensor<5xf64>
  %n = tir.constant dense<[1.0, 2.0, 3.0, 4.0, 5.0]> : tensor<5xf64>
  %q = tir.mul %p, %n : tensor<5xf64>
  %c = tir.sum %q over [0] : tensor<f64>"""
    np.testing.assert_allclose(three_gradients(form, x), want_three(monomials(5, exclusive, reverse), x), rtol=1e-14)


@pytest.mark.parametrize("x", WITH_ZEROS, ids=str)
def test_products_have_exact_gradients_of_any_order_at_zeros(x: list) -> None:
    found = three_gradients("  %c = tir.prod %x over [0] : tensor<f64>", x)
    np.testing.assert_allclose(found, want_three([(1.0, frozenset(range(5)))], x), rtol=1e-14)
    form = "  %c = tir.prod %x over [0, 1] : tensor<f64>"
    found = three_gradients(form, x[:4], "2x2x", "0, 1")
    np.testing.assert_allclose(found, want_three([(1.0, frozenset(range(4)))], x[:4]), rtol=1e-14)


@pytest.mark.parametrize("level", ["tensor", "cpu"])
def test_top_k_of_ties_gives_the_gradient_to_the_lower_positions(level: str) -> None:
    op = "tir.top_k %x axis 0 k 2 : {r}, tensor<2xi64>"
    found = gradient(op, (2,), [1.0, 3.0, 3.0, 3.0], [5, 7], "%r, %i", level)
    np.testing.assert_array_equal(found, [0, 5, 7, 0])


def test_a_sort_of_a_hundred_thousand_numbers_is_that_of_numpy() -> None:
    text = """
func.func @f(%x: tensor<?xf32>) -> (tensor<?xf32>, tensor<?xi64>) {
  %0 = tir.sort %x axis 0 : tensor<?xf32>
  %1 = tir.argsort %x axis 0 : tensor<?xi64>
  return %0, %1 : tensor<?xf32>, tensor<?xi64>
}
"""
    program = Executable(module_at(text, LEVELS["cpu"][0]()))
    for size in (100_000, 65_536, 65_537, 1023, 2):
        x = np.random.default_rng(size).integers(-9999, 9999, size).astype(np.float32)
        values, places = program.call("f", [x])
        np.testing.assert_array_equal(values, np.sort(x))
        np.testing.assert_array_equal(places, np.argsort(x, kind="stable"))


def test_positions_of_a_sort_order_another_tensor_and_its_gradient() -> None:
    text = """
func.func @f(%x: tensor<3xf64>, %w: tensor<3xf64>) -> tensor<3xf64> {
  %i = tir.argsort %x axis 0 : tensor<3xi64>
  %y = tir.square %x : tensor<3xf64>
  %0 = tir.take_along_axis %y at %i axis 0 : tensor<3xf64>
  %p = tir.mul %0, %w : tensor<3xf64>
  %c = tir.sum %p over [0] : tensor<f64>
  %g = tir.grad %c wrt (%x) : tensor<3xf64>
  return %g : tensor<3xf64>
}
"""
    program = Executable(module_at(text, LEVELS["tensor"][0]()), "interpret")
    (found,) = program.call("f", [np.array([3.0, 1.0, 2.0]), np.array([1.0, 10.0, 100.0])])
    np.testing.assert_array_equal(found, [600, 2, 40])


@pytest.mark.parametrize(
    ("room", "factors", "by_factors"),
    [
        ((2.0, 5.0), (0.0, 3.0, 4.0), (6, 0, 5)),
        ((2.0, 5.0), (0.0, 0.0, 4.0), (0, 0, 5)),
        ((0.0, 5.0), (2.0, 3.0, 0.0), (0, 0, 5)),
    ],
)
def test_gradient_of_factors_that_are_put_is_the_product_of_the_others(
    room: Sequence[float], factors: Sequence[float], by_factors: Sequence[float]
) -> None:
    text = """
func.func @f(%x: tensor<2xf64>, %i: tensor<3xi64>, %u: tensor<3xf64>) -> tensor<3xf64> {
  %y = tir.put_along_axis mul %x at %i with %u axis 0 : tensor<2xf64>
  %c = tir.sum %y over [0] : tensor<f64>
  %g = tir.grad %c wrt (%u) : tensor<3xf64>
  return %g : tensor<3xf64>
}
"""
    program = Executable(module_at(text, LEVELS["tensor"][0]()), "interpret")
    (found,) = program.call("f", [np.array(room), np.array([0, 0, 1]), np.array(factors)])
    np.testing.assert_array_equal(found, by_factors)
