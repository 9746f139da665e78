"""Functions of `T` that make, multiply, solve and sort tensors, and those of networks, against numpy and scipy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
from scipy import signal, special

import tir
import tir.tensor as T
from tests.theano.cases import (
    CUBE,
    INF,
    MODES,
    NAN,
    RNG,
    Case,
    check,
    computed,
)

NEARLY = 1e-9  # for sums of products that nearly cancel

# --- made tensors ----------------------------------------------------------------------------------------------------


def creation_cases() -> Iterable[Case]:
    n, m, v = np.array(3), np.array(4), RNG.normal(size=3)
    square = RNG.normal(size=(3, 4))
    yield Case("zeros", lambda n, m: T.zeros((n, m)), (n, m), np.zeros((3, 4)))
    yield Case("ones", lambda n: T.ones(n, dtype="int8"), (n,), np.ones(3, "int8"))
    yield Case("full", lambda n: T.full((n, 2), 2.5, "float32"), (n,), np.full((3, 2), 2.5, "float32"))
    yield Case("full_like", lambda x: T.full_like(x, 7), (v,), np.full(3, 7.0))
    yield Case("alloc", lambda v, n: T.alloc(v, n + 1, n), (v, n), np.broadcast_to(v, (4, 3)).copy())
    for arguments in ((3,), (1, 7), (1, 8, 3), (8, 1, -3), (5, 1), (0.0, 1.0, 0.25), (2.0, -1.0, -0.5), (0, 2.5)):
        expected = np.arange(*arguments)
        yield Case(f"arange{arguments}", lambda n, arguments=arguments: T.arange(*arguments), (n,), expected)
    yield Case("arange of a variable", lambda n: T.arange(n), (n,), np.arange(3))
    yield Case("arange of variables", lambda n, m: T.arange(n, n * m, m), (n, m), np.arange(3, 12, 4))
    yield Case("arange backwards", lambda n, m: T.arange(m, -n, -n), (n, m), np.arange(4, -3, -3))
    yield Case("arange of int32", lambda n: T.arange(n, dtype="int32"), (n,), np.arange(3, dtype="int32"))
    for k in (-1, 0, 2):
        yield Case(f"eye {k}", lambda n, m, k=k: T.eye(n, m, k), (n, m), np.eye(3, 4, k))
        yield Case(f"tri {k}", lambda n, m, k=k: T.tri(n, m, k), (n, m), np.tri(3, 4, k))
        yield Case(f"tril {k}", lambda x, k=k: T.tril(x, k), (square,), np.tril(square, k))
        yield Case(f"triu {k}", lambda x, k=k: T.triu(x, k), (square,), np.triu(square, k))
        yield Case(f"diag {k}", lambda v, k=k: T.diag(v, k), (v,), np.diag(v, k))
        yield Case(f"diag of a matrix {k}", lambda x, k=k: T.diag(x, k), (square,), np.diag(square, k))
        yield Case(f"diagonal {k}", lambda x, k=k: x.diagonal(k, 0, 2), (CUBE,), np.diagonal(CUBE, k, 0, 2))
        yield Case(
            f"fill_diagonal_offset {k}",
            lambda x, k=k: T.fill_diagonal_offset(x, 9, k),
            (square,),
            np.where(np.eye(3, 4, k) == 1, 9, square),
        )
    yield Case("identity", lambda n: T.identity(n, "int64"), (n,), np.eye(3, dtype="int64"))
    yield Case("trace", T.trace, (square,), np.asarray(np.trace(square)))
    yield Case("fill_diagonal", lambda x: T.fill_diagonal(x, 9), (square,), np.where(np.eye(3, 4) == 1, 9, square))
    yield Case("mgrid", lambda n: T.mgrid[0:n, 1:9:3][1], (n,), np.mgrid[0:3, 1:9:3][1])
    yield Case("ogrid", lambda n: T.ogrid[0:n, 1:9:3][0], (n,), np.ogrid[0:3, 1:9:3][0])
    yield Case("linspace", lambda n: T.linspace(n, 10.0, 5), (n,), np.linspace(3, 10, 5))
    yield Case("linspace of one", lambda n: T.linspace(n, 10.0, 1), (n,), np.array([3.0]))
    yield Case("logspace", lambda n: T.logspace(0, n, 4), (n,), np.logspace(0, 3, 4))
    yield Case("geomspace", lambda n: T.geomspace(1.0, 81.0, 5), (n,), np.geomspace(1, 81, 5))
    yield Case("bartlett", lambda n: T.bartlett(n + 4), (n,), np.bartlett(7))
    yield Case("bartlett of one", lambda n: T.bartlett(n - 2), (n,), np.bartlett(1))
    yield Case("to_one_hot", lambda y: T.to_one_hot(y, 4), (np.array([2, 0, 3]),), np.eye(4)[[2, 0, 3]])
    yield Case("as_tensor_variable", lambda n: T.as_tensor_variable([n, 2, 3]), (n,), np.array([3, 2, 3]))
    yield Case("constant", lambda n: T.constant(3, dtype="float32") * 2, (n,), np.array(6, "float32"))
    yield Case("default", lambda n: T.default(None, n), (n,), n)


def counting_cases() -> Iterable[Case]:
    x, weights = np.array([0, 3, 1, 3, 3]), np.array([0.5, 1, 2, 3, 4])
    yield Case("bincount", T.bincount, (x,), np.bincount(x))
    yield Case("bincount with a length", lambda x: T.bincount(x, minlength=6), (x,), np.bincount(x, minlength=6))
    yield Case("bincount with weights", T.bincount, (x, weights), np.bincount(x, weights))
    yield Case("bincount of nothing", T.bincount, (np.zeros(0, "int64"),), np.zeros(0, "int64"))
    for n, axis in ((1, -1), (2, 1), (1, 0)):
        yield Case(f"diff {n} {axis}", lambda v, n=n, axis=axis: T.diff(v, n, axis), (CUBE,), np.diff(CUBE, n, axis))
    flat = np.array([5, 0, 11])
    for order in "CF":
        for place in (0, 1, 2):
            yield Case(
                f"unravel_index {order}",
                lambda i, order=order, place=place: T.unravel_index(i, (2, 3, 2), order)[place],
                (flat,),
                np.unravel_index(flat, (2, 3, 2), order)[place],
            )
        pair = np.array([2, 0]), np.array([1, 3])
        yield Case(
            f"ravel_multi_index {order}",
            lambda i, j, order=order: T.ravel_multi_index([i, j], (3, 4), order=order),
            pair,
            np.ravel_multi_index(pair, (3, 4), order=order),
        )
    for mode in ("wrap", "clip"):
        pair = np.array([5, -1]), np.array([9, 3])
        yield Case(
            f"ravel_multi_index {mode}",
            lambda i, j, mode=mode: T.ravel_multi_index([i, j], (3, 4), mode),
            pair,
            np.ravel_multi_index(pair, (3, 4), mode=mode),
        )
    order = np.array([2, 0, 3, 1])
    yield Case("inverse_permutation", T.inverse_permutation, (order,), np.argsort(order))
    rows = np.array([[1, 0, 2, 3], [3, 2, 1, 0], [0, 1, 3, 2]])
    yield Case("permute_row_elements", T.permute_row_elements, (CUBE[0], rows), np.take_along_axis(CUBE[0], rows, 1))
    undone = np.take_along_axis(CUBE[0], np.argsort(rows), 1)
    yield Case("permute_row_elements back", lambda x, y: T.permute_row_elements(x, y, True), (CUBE[0], rows), undone)


@pytest.mark.parametrize("mode", MODES)
def test_made_tensors(mode: str) -> None:
    check(creation_cases(), mode)


@pytest.mark.parametrize("mode", MODES)
def test_counting_and_permuting(mode: str) -> None:
    check(counting_cases(), mode)


# --- products and sorting --------------------------------------------------------------------------------------------


def product_cases() -> Iterable[Case]:
    a, b, c = RNG.normal(size=(3, 4)), RNG.normal(size=(4, 5)), RNG.normal(size=(2, 3, 4))
    v, d = RNG.normal(size=4), RNG.normal(size=(2, 4, 5))
    yield Case("dot", T.dot, (a, b), a @ b)
    yield Case(
        "dot of int32",
        T.dot,
        (np.arange(6, dtype="int32").reshape(2, 3), np.arange(3, dtype="int32")),
        np.array([5, 14], "int32"),
    )
    yield Case("dot of dtypes", T.dot, (a.astype("float32"), v), a.astype("float32").astype("float64") @ v)
    yield Case("dot of nothing", T.dot, (np.zeros((3, 0)), np.zeros((0, 2))), np.zeros((3, 2)))
    yield Case("@", lambda x, y: x @ y, (a, b), a @ b)
    yield Case("matmul of a batch", T.matmul, (c, d), c @ d)
    yield Case("matmul with a vector", T.matmul, (c, v), c @ v)
    yield Case("outer", T.outer, (v, a[0]), np.outer(v, a[0]))
    yield Case("outer of matrices", T.outer, (a, b), np.outer(a, b))
    yield Case("inner", T.inner, (a, v), np.inner(a, v))
    for axes in (0, 1, 2, [[1], [2]], [[0, 1], [1, 2]], (1, 2)):
        other = {0: a, 1: b, 2: a}.get(axes, c) if isinstance(axes, int) else c
        left = c if axes in (1, 2) else a
        expected = np.tensordot(left, other, axes)
        yield Case(f"tensordot {axes}", lambda x, y, axes=axes: T.tensordot(x, y, axes), (left, other), expected)
    yield Case("batched_dot", T.batched_dot, (c, d), c @ d)
    yield Case("batched_dot with vectors", T.batched_dot, (c, d[:, :, 0]), np.einsum("bij,bj->bi", c, d[:, :, 0]))
    yield Case("batched_dot of vectors", T.batched_dot, (a[:2], a[1:]), (a[:2] * a[1:]).sum(1))
    yield Case("batched_dot with numbers", T.batched_dot, (v[:2], c), v[:2, None, None] * c)
    yield Case("batched_tensordot", lambda x, y: T.batched_tensordot(x, y, [[1, 2], [1, 2]]), (c, c), (c * c).sum((1, 2)))
    yield Case("batched_tensordot of one", lambda x, y: T.batched_tensordot(x, y, 1), (c, d), c @ d)
    yield Case("einsum", lambda x, y: T.einsum("bij,jk->bki", x, y), (c, b), np.einsum("bij,jk->bki", c, b))


def sorting_cases() -> Iterable[Case]:
    x = np.array([[3.0, NAN, -1.0, 3.0], [0.0, INF, -INF, 0.5]])
    for axis in (-1, 0, None):
        yield Case(f"sort {axis}", lambda v, axis=axis: T.sort(v, axis), (x,), np.sort(x, axis))
        yield Case(f"argsort {axis}", lambda v, axis=axis: v.argsort(axis), (x,), np.argsort(x, axis, kind="stable"))
    for dtype in ("int8", "uint64", "float16"):
        yield Case(f"sort of {dtype}", T.sort, (np.array([3, 1, 2], dtype),), np.array([1, 2, 3], dtype))
    line = np.array([4.0, 9.0, 1.0, 7.0])
    yield Case("topk", lambda v: T.sort(T.topk(v, 2)), (line,), np.array([7.0, 9.0]))
    yield Case("smallest two", lambda v: T.sort(T.topk(v, -2)), (line,), np.array([1.0, 4.0]))
    yield Case("argtopk", lambda v: T.sort(T.argtopk(v, 2)), (line,), np.array([1, 3]))
    edges, v = np.array([1.0, 2.0, 2.0, 5.0]), np.array([[0.0, 2.0], [5.0, 9.0]])
    for side in ("left", "right"):
        expected = np.searchsorted(edges, v, side)
        yield Case(f"searchsorted {side}", lambda x, v, side=side: T.searchsorted(x, v, side), (edges, v), expected)
    mixed = edges[[2, 0, 3, 1]]
    yield Case(
        "searchsorted with a sorter",
        lambda x, v: x.searchsorted(v, sorter=T.argsort(x)),
        (mixed, v),
        np.searchsorted(edges, v),
    )


def linear_cases() -> Iterable[Case]:
    a = RNG.normal(size=(4, 4)) + 4 * np.eye(4)
    b, v = RNG.normal(size=(4, 2)), RNG.normal(size=4)
    positive = a @ a.T
    factor = np.linalg.cholesky(positive)
    rough = 1e-10  # the condition of these matrices is below 100
    yield Case("matrix_inverse", T.nlinalg.matrix_inverse, (a,), np.linalg.inv(a), rough)
    yield Case("det", T.nlinalg.det, (a,), np.asarray(np.linalg.det(a)), rough)
    yield Case("matrix_dot", T.nlinalg.matrix_dot, (a, a, b), a @ a @ b, rough)
    for n in (0, 1, 5, -2):
        power = np.linalg.matrix_power(a, n)
        yield Case(f"matrix_power {n}", lambda x, n=n: T.nlinalg.matrix_power(x, n), (a,), power, rough)
    for order in (None, "fro", 1, -1, "inf", "-inf"):
        expected = np.linalg.norm(a, float(order) if order in ("inf", "-inf") else order)
        yield Case(f"norm {order}", lambda x, order=order: T.nlinalg.norm(x, order), (a,), np.asarray(expected), rough)
    for order in (None, 1, 3, 0, "inf", "-inf"):
        expected = np.linalg.norm(v, float(order) if order in ("inf", "-inf") else order)
        yield Case(
            f"norm of a vector {order}", lambda x, order=order: T.nlinalg.norm(x, order), (v,), np.asarray(expected), rough
        )
    yield Case("trace", T.nlinalg.trace, (a,), np.asarray(np.trace(a)))
    yield Case("alloc_diag", T.nlinalg.alloc_diag, (v,), np.diag(v))
    yield Case("extract_diag", T.nlinalg.extract_diag, (a,), np.diag(a))
    yield Case("cholesky", T.slinalg.cholesky, (positive,), factor, rough)
    yield Case("upper cholesky", lambda x: T.slinalg.cholesky(x, lower=False), (positive,), factor.T, rough)
    yield Case("solve", T.slinalg.solve, (a, b), np.linalg.solve(a, b), rough)
    yield Case("solve of a vector", T.slinalg.solve, (a, v), np.linalg.solve(a, v), rough)
    lower, upper = np.tril(a), np.triu(a)
    yield Case("solve_lower_triangular", T.slinalg.solve_lower_triangular, (a, b), np.linalg.solve(lower, b), rough)
    yield Case("solve_upper_triangular", T.slinalg.solve_upper_triangular, (a, v), np.linalg.solve(upper, v), rough)
    yield Case(
        "solve_triangular turned",
        lambda x, y: T.slinalg.solve_triangular(x, y, trans=1, lower=True),
        (a, b),
        np.linalg.solve(lower.T, b),
        rough,
    )
    yield Case(
        "solve_triangular with ones",
        lambda x, y: T.slinalg.solve_triangular(x, y, unit_diagonal=True),
        (a, b),
        np.linalg.solve(np.triu(a, 1) + np.eye(4), b),
        rough,
    )
    yield Case(
        "solve by structure",
        lambda x, y: T.slinalg.solve(x, y, "lower_triangular"),
        (a, b),
        np.linalg.solve(lower, b),
        rough,
    )
    for is_lower in (True, False):
        c = factor if is_lower else factor.T.copy()
        yield Case(
            f"cho_solve {is_lower}",
            lambda c, y, is_lower=is_lower: T.slinalg.cho_solve((c, is_lower), y),
            (c, b),
            np.linalg.solve(positive, b),
            1e-8,
        )
    yield Case("kron", T.slinalg.kron, (a, b), np.kron(a, b))


@pytest.mark.parametrize("mode", MODES)
def test_products(mode: str) -> None:
    check(product_cases(), mode)


@pytest.mark.parametrize("mode", MODES)
def test_sorting(mode: str) -> None:
    check(sorting_cases(), mode)


@pytest.mark.parametrize("mode", MODES)
def test_linear_algebra(mode: str) -> None:
    check(linear_cases(), mode)


# --- networks --------------------------------------------------------------------------------------------------------


def activation_cases() -> Iterable[Case]:
    def hard_sigmoid(x):
        return np.clip(0.2 * x + 0.5, 0, 1)

    def elu(x, alpha=1.0):
        return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))

    singles: dict[str, Callable[..., Any]] = {
        "sigmoid": special.expit, "ultra_fast_sigmoid": special.expit, "hard_sigmoid": hard_sigmoid, "elu": elu,
        "softplus": lambda x: np.logaddexp(x, 0), "softsign": lambda x: x / (1 + np.abs(x)), "relu": lambda x: np.maximum(x, 0),
        "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
        "selu": lambda x: 1.0507009873554805 * elu(x, 1.6732632423543772),
    }  # fmt: skip
    x = np.array([-1000.0, -30.0, -2.0, -0.5, 0.0, 1e-9, 0.5, 3.0, 40.0, 1000.0])
    for name, reference in singles.items():
        yield Case(name, getattr(T.nnet, name), (x,), computed(reference, "float64", x), 1e-11)
    yield Case("relu with a slope", lambda v: T.nnet.relu(v, 0.25), (x,), np.where(x > 0, x, 0.25 * x))
    rows = np.array([[1.0, 2.0, -1.0], [1000.0, 0.0, -1000.0]])
    yield Case("softmax", T.nnet.softmax, (rows,), special.softmax(rows, 1))
    yield Case("softmax over an axis", lambda v: T.nnet.softmax(v, axis=0), (rows,), special.softmax(rows, 0))
    yield Case("softmax of a vector", T.nnet.softmax, (rows[0],), special.softmax(rows[:1], 1))
    yield Case("softmax with bias", T.nnet.softmax_with_bias, (rows, rows[0]), special.softmax(rows + rows[0], 1))
    yield Case("logsoftmax", T.nnet.logsoftmax, (rows,), special.log_softmax(rows, 1))
    yield Case("log of softmax", lambda v: T.log(T.nnet.softmax(v / 500)), (rows,), special.log_softmax(rows / 500, 1))
    p, t = np.array([0.1, 0.5, 0.999]), np.array([0.0, 1.0, 0.25])
    xent = -(t * np.log(p) + (1 - t) * np.log1p(-p))
    yield Case("binary_crossentropy", T.nnet.binary_crossentropy, (p, t), xent, 1e-11)
    logits = np.log(p) - np.log1p(-p)
    yield Case("sigmoid_binary_crossentropy", T.nnet.sigmoid_binary_crossentropy, (logits, t), xent, 1e-11)
    classes = np.array([2, 0], "int32")
    loss = -special.log_softmax(rows / 9, 1)[[0, 1], classes]
    for index, expected in enumerate([loss, special.softmax(rows / 9, 1)]):
        yield Case(
            "crossentropy_softmax_1hot",
            lambda v, y, index=index: T.nnet.crossentropy_softmax_1hot(v / 9, y)[index],
            (rows, classes),
            expected,
            1e-11,
        )
    whole = [loss, special.softmax(rows / 9, 1), special.softmax(rows / 9, 1).max(1), np.array([1, 0])]
    for index, expected in enumerate(whole):
        yield Case(
            "crossentropy_softmax_max_and_argmax_1hot",
            lambda v, y, index=index: T.nnet.nnet.crossentropy_softmax_max_and_argmax_1hot(v / 9, y)[index],
            (rows, classes),
            expected,
            1e-11,
        )
    yield Case("prepend_1_to_each_row", T.nnet.nnet.prepend_1_to_each_row, (rows,), np.c_[np.ones(2), rows])


def pooled(x: Any, size: int, stride: int, pad: int, reference: Any, fill: float) -> Any:
    """Pooling of windows that lie inside the padded image."""
    wide = np.pad(x, [(0, 0), (0, 0), (pad, pad), (pad, pad)], constant_values=fill)
    windows = np.lib.stride_tricks.sliding_window_view(wide, (size, size), (2, 3))[:, :, ::stride, ::stride]
    return reference(windows, axis=(-2, -1))


def convolved(x: Any, w: Any, stride: int = 1, dilation: int = 1, groups: int = 1) -> Any:
    """A convolution, that is with the kernel turned round, by its definition."""
    rows, columns = ((size - 1) * dilation + 1 for size in w.shape[2:])
    windows = np.lib.stride_tricks.sliding_window_view(x, (rows, columns), (2, 3))[
        :, :, ::stride, ::stride, ::dilation, ::dilation
    ]
    turned = w[:, :, ::-1, ::-1]
    parts = zip(np.split(windows, groups, 1), np.split(turned, groups, 0))
    return np.concatenate([np.einsum("bcyxij,ocij->boyx", one, kernel) for one, kernel in parts], 1)


def image_cases() -> Iterable[Case]:
    x = RNG.normal(size=(2, 4, 6, 7))
    w = RNG.normal(size=(6, 4, 3, 2))

    def kernel(v):
        return T.specify_shape(v, (None, None, *w.shape[2:]))

    yield Case("conv2d", lambda x, w: T.nnet.conv2d(x, kernel(w)), (x, w), convolved(x, w), NEARLY)
    yield Case("conv2d with strides", lambda x, w: T.nnet.conv2d(x, kernel(w), subsample=(2, 2)), (x, w), convolved(x, w, 2), NEARLY)
    yield Case(
        "conv2d with dilation",
        lambda x, w: T.nnet.conv2d(x, kernel(w), filter_dilation=(2, 2)),
        (x, w),
        convolved(x, w, 1, 2),
        NEARLY,
    )
    yield Case(
        "conv2d in groups",
        lambda x, w: T.nnet.conv2d(x, w, filter_shape=(6, 2, 3, 2), num_groups=2),
        (x, w[:, :2]),
        convolved(x, w[:, :2], groups=2),
        NEARLY,
    )
    one, many = RNG.normal(size=(6, 7)), RNG.normal(size=(5, 3, 2))
    yield Case(
        "signal.conv2d",
        lambda a, k: T.signal.conv.conv2d(a, k, filter_shape=(5, 3, 2)),
        (one, many),
        convolved(one[None, None], many[:, None])[0],
        NEARLY,
    )
    yield Case(
        "signal.conv2d of one by one",
        lambda a, k: T.signal.conv.conv2d(a, k, (6, 7), (3, 2)),
        (one, many[0]),
        convolved(one[None, None], many[:1, None])[0, 0],
        NEARLY,
    )
    for mode, reference, fill in (("max", np.max, -INF), ("sum", np.sum, 0), ("average_inc_pad", np.mean, 0)):
        yield Case(
            f"pool {mode}",
            lambda v, mode=mode: T.signal.pool.pool_2d(v, (2, 2), ignore_border=True, mode=mode),
            (x,),
            pooled(x, 2, 2, 0, reference, fill),
        )
        yield Case(
            f"padded pool {mode}",
            lambda v, mode=mode: T.signal.pool.pool_2d(v, (3, 3), ignore_border=True, stride=(2, 2), pad=(1, 1), mode=mode),
            (x,),
            pooled(x, 3, 2, 1, reference, fill),
        )
    counts = pooled(np.ones_like(x), 3, 2, 1, np.sum, 0)
    yield Case(
        "pool average_exc_pad",
        lambda v: T.signal.pool.pool_2d(v, (3, 3), ignore_border=True, stride=(2, 2), pad=(1, 1), mode="average_exc_pad"),
        (x,),
        pooled(x, 3, 2, 1, np.sum, 0) / counts,
    )
    largest = np.repeat(np.repeat(pooled(x[..., :6], 2, 2, 0, np.max, 0), 2, 2), 2, 3)
    same = np.where(x[..., :6] == largest, x[..., :6], 0)
    yield Case("max_pool_2d_same_size", lambda v: T.signal.pool.max_pool_2d_same_size(v[..., :6], (2, 2)), (x,), same)
    patches = x[:, :, :6, :6].reshape(2, 4, 3, 2, 2, 3).transpose(0, 1, 2, 4, 3, 5).reshape(-1, 6)
    yield Case("images2neibs", lambda v: T.nnet.neighbours.images2neibs(v[..., :6], (2, 3)), (x,), patches)
    yield Case(
        "neibs2images",
        lambda v: T.nnet.neighbours.neibs2images(T.nnet.neighbours.images2neibs(v, (2, 3)), (2, 3), v.shape),
        (x[..., :6],),
        x[..., :6],
    )
    steps = np.lib.stride_tricks.sliding_window_view(x, (2, 3), (2, 3))[:, :, ::2, ::1].reshape(-1, 6)
    yield Case("images2neibs with steps", lambda v: T.nnet.neighbours.images2neibs(v, (2, 3), (2, 1)), (x,), steps)


def normalization_cases() -> Iterable[Case]:
    x, gamma, beta = RNG.normal(size=(5, 3, 2, 2)), RNG.normal(size=(1, 3, 1, 1)), RNG.normal(size=(1, 3, 1, 1))
    old_mean, old_var = RNG.normal(size=3), RNG.random(3)
    axes = (0, 2, 3)
    mean, var = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    normal = (x - mean) / np.sqrt(var + 1e-4) * gamma + beta
    expected = [
        normal,
        mean,
        1 / np.sqrt(var + 1e-4),
        0.9 * old_mean + 0.1 * mean.ravel(),
        0.9 * old_var + 0.1 * var.ravel() * 20 / 19,
    ]
    for index, wanted in enumerate(expected):
        yield Case(
            f"batch_normalization_train {index}",
            lambda x, g, b, m, v, index=index: T.nnet.bn.batch_normalization_train(
                x, g, b, "spatial", running_mean=m, running_var=v
            )[index],
            (x, gamma, beta, old_mean, old_var),
            wanted,
            1e-11,
        )
    tested = (x - old_mean[:, None, None]) / np.sqrt(old_var + 1e-4)[:, None, None] * gamma + beta
    yield Case(
        "batch_normalization_test",
        lambda x, g, b, m, v: T.nnet.bn.batch_normalization_test(x, g, b, m, v, "spatial"),
        (x, gamma, beta, old_mean, old_var),
        tested,
        1e-11,
    )
    flat = x.reshape(5, 12)
    simple = (flat - flat.mean(0)) / np.sqrt(flat.var(0) + 1e-4)
    yield Case(
        "per activation",
        lambda x: T.nnet.bn.batch_normalization_train(x, T.ones((12,)), T.zeros((12,)))[0],
        (flat,),
        simple,
        1e-11,
    )
    yield Case(
        "batch_normalization",
        lambda x, m, v: T.nnet.batch_normalization(x, 2.0, 1.0, m, v),
        (x[:, :, 0, 0], old_mean, old_var),
        (x[:, :, 0, 0] - old_mean) * (2 / old_var) + 1,
    )


@pytest.mark.parametrize("mode", MODES)
def test_activations_and_losses(mode: str) -> None:
    check(activation_cases(), mode)


@pytest.mark.parametrize("mode", MODES)
def test_images(mode: str) -> None:
    check(image_cases(), mode)


@pytest.mark.parametrize("mode", MODES)
def test_batch_normalization(mode: str) -> None:
    check(normalization_cases(), mode)


def volume_cases() -> Iterable[Case]:
    x, w = RNG.normal(size=(2, 2, 4, 5, 6)), RNG.normal(size=(3, 2, 2, 3, 2))
    for mode in ("valid", "full"):
        expected = [[sum(signal.convolve(x[b, c], w[o, c], mode) for c in range(2)) for o in range(3)] for b in range(2)]
        yield Case(
            f"conv3d {mode}",
            lambda v, k, mode=mode: T.nnet.conv3d(v, k, filter_shape=w.shape, border_mode=mode),
            (x, w),
            np.array(expected),
            NEARLY,
        )
    largest = x[:, :, :, :4].reshape(2, 2, 2, 2, 2, 2, 3, 2).max((3, 5, 7))
    yield Case("pool_3d", lambda v: T.signal.pool.pool_3d(v, (2, 2, 2), ignore_border=True), (x,), largest)
    image, depthwise, pointwise = RNG.normal(size=(1, 3, 5, 5)), RNG.normal(size=(6, 1, 2, 2)), RNG.normal(size=(4, 6, 1, 1))
    yield Case(
        "separable_conv2d",
        lambda v, d, p: T.nnet.separable_conv2d(
            v, d, p, 3, depthwise_filter_shape=depthwise.shape, pointwise_filter_shape=pointwise.shape
        ),
        (image, depthwise, pointwise),
        convolved(convolved(image, depthwise, groups=3), pointwise),
        NEARLY,
    )


@pytest.mark.parametrize("mode", MODES)
def test_volumes_and_separable_convolutions(mode: str) -> None:
    check(volume_cases(), mode)


@pytest.mark.parametrize("flip", [True, False])
@pytest.mark.parametrize(
    ("border", "subsample", "dilation"),
    [("valid", (1, 1), (1, 1)), ("half", (2, 1), (1, 1)), ((2, 1), (1, 2), (2, 1)), ("full", (1, 1), (1, 1))],
)
def test_gradients_of_convolutions_by_name(border: Any, subsample: Any, dilation: Any, flip: bool) -> None:
    """`conv2d_grad_wrt_inputs` and `.._weights` are what T.grad gives; `conv2d_transpose` is the first of them."""
    options = {"border_mode": border, "subsample": subsample, "filter_flip": flip, "filter_dilation": dilation}
    x, w = T.constant(RNG.normal(size=(2, 3, 7, 6))), T.constant(RNG.normal(size=(4, 3, 3, 2)))
    y = T.nnet.conv2d(x, w, **options)
    g = T.constant(RNG.normal(size=tir.function([], y.shape, mode="FAST_COMPILE")()))
    expected = T.grad(None, [x, w], known_grads={y: g})
    place = T.nnet.abstract_conv
    options["input_dilation"] = options.pop("subsample")
    found = [
        place.conv2d_grad_wrt_inputs(g, w, (2, 3, 7, 6), border_mode=border, subsample=subsample, filter_flip=flip, filter_dilation=dilation),
        place.conv2d_grad_wrt_weights(x, g, (4, 3, 3, 2), border_mode=border, subsample=subsample, filter_flip=flip, filter_dilation=dilation),
        T.nnet.conv2d_transpose(g, w, (None, 3, 7, 6), **options),
    ]  # fmt: skip
    one, two, three, by_x, by_w = tir.function([], [*found, *expected], mode="FAST_COMPILE")()
    np.testing.assert_allclose(one, by_x, rtol=1e-10)
    np.testing.assert_allclose(two, by_w, rtol=1e-10)
    np.testing.assert_allclose(three, by_x, rtol=1e-10)
