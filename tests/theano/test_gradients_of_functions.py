"""Gradients of the functions of `T` against differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tir
import tir.tensor as T
from tests.theano.cases import (
    CUBE,
    MODES,
    RNG,
)

POSITIVE = 0.5 + RNG.random((3, 4))
INSIDE = RNG.random((3, 4)) * 1.2 - 0.6
APART = np.array([[0.3, -1.2, 2.1, -0.4], [1.4, 0.7, -2.2, 3.1], [-0.9, 1.9, 0.2, -3.3]])  # no two are equal, none is 0
SQUARE = RNG.normal(size=(3, 3)) + 3 * np.eye(3)

#: Expressions that have a derivative at these arrays.
SMOOTH: list[tuple[str, Callable[..., Any], tuple[Any, ...]]] = [
    *((name, getattr(T, name), (POSITIVE,)) for name in ("sqrt", "log", "log2", "log10", "log1p", "inv", "gammaln", "psi", "gamma")),
    *((name, getattr(T, name), (APART,)) for name in (
        "exp", "exp2", "expm1", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arctan", "arcsinh", "erf", "erfc", "erfcx", "sqr",
        "abs", "neg", "deg2rad", "rad2deg", "cumsum", "cumprod", "sum", "prod", "mean", "max", "min", "var", "std",
        "logsumexp", "sort", "tril", "triu", "flatten", "transpose", "diag", "trace", "ptp",
    )),
    *((name, getattr(T, name), (INSIDE,)) for name in ("arcsin", "arccos", "arctanh", "erfinv")),
    ("arccosh", lambda x: T.arccosh(x + 1), (POSITIVE,)),
    *((name, getattr(T, name), (APART, POSITIVE)) for name in (
        "add", "sub", "mul", "true_div", "maximum", "minimum", "arctan2", "logaddexp",
    )),
    ("pow", T.pow, (POSITIVE, APART)),
    ("mod", lambda x: x % 0.7, (POSITIVE,)),
    ("clip", lambda x: T.clip(x, -1, 1.5), (APART,)),
    ("switch", lambda x, y: T.switch(x > 0, x * y, y), (APART, POSITIVE)),
    ("broadcasting", lambda x, y: x * y.dimshuffle("x", 0) + y[0], (APART, POSITIVE[0])),
    ("norm", lambda x: x.norm(3, axis=0), (APART,)),
    ("reshape", lambda x: x.reshape((2, 6)) ** 2, (APART,)),
    ("dimshuffle", lambda x: x.dimshuffle(1, "x", 0) ** 2, (APART,)),
    ("join", lambda x, y: T.join(0, x, y, x) ** 2, (APART, POSITIVE)),
    ("stack", lambda x, y: T.stack([x, y]) ** 2, (APART, POSITIVE)),
    ("tile", lambda x: T.tile(x, (2, 3)) ** 2, (APART,)),
    ("repeat", lambda x: T.repeat(x, 2, 0) ** 2, (APART,)),
    ("roll", lambda x: T.roll(x, 1, 1) * x, (APART,)),
    ("split", lambda x: T.split(x, [1, 3], 2, 1)[1] ** 2, (APART,)),
    ("index", lambda x: x[1:, ::-2] ** 2, (APART,)),
    ("pairs", lambda x: x[[0, 2, 0], [1, 1, 1]] ** 2, (APART,)),
    ("take", lambda x: T.take(x, [2, 2, 0], 0) ** 2, (APART,)),
    ("set_subtensor", lambda x, y: T.set_subtensor(x[1], y[0] ** 2) ** 2, (APART, POSITIVE)),
    ("inc_subtensor", lambda x, y: T.inc_subtensor(x[[0, 0]], y[:2]) ** 2, (APART, POSITIVE)),
    ("fill_diagonal", lambda x, y: T.fill_diagonal(x, y[0, 0]) ** 2, (APART, POSITIVE)),
    ("diff", lambda x: T.diff(x) ** 2, (APART,)),
    ("dot", lambda x, y: T.dot(x, y.T), (APART, POSITIVE)),
    ("tensordot", lambda x, y: T.tensordot(x, y, [[0], [0]]), (APART, POSITIVE)),
    ("batched_dot", T.batched_dot, (CUBE, RNG.normal(size=(2, 4, 2)))),
    ("outer", T.outer, (APART[0], POSITIVE[0])),
    ("matrix_inverse", T.nlinalg.matrix_inverse, (SQUARE,)),
    ("det", T.nlinalg.det, (SQUARE,)),
    ("solve", T.slinalg.solve, (SQUARE, POSITIVE)),
    ("cholesky", lambda x: T.slinalg.cholesky(T.dot(x, x.T)), (SQUARE,)),
    ("kron", T.slinalg.kron, (SQUARE, POSITIVE)),
    *((name, getattr(T.nnet, name), (APART,)) for name in (
        "sigmoid", "softplus", "softsign", "relu", "leaky_relu", "elu", "selu", "softmax", "logsoftmax",
    )),
    ("categorical_crossentropy", lambda x: T.nnet.categorical_crossentropy(T.nnet.softmax(x), T.constant([1, 0, 3])), (APART,)),
    ("binary_crossentropy", lambda x: T.nnet.binary_crossentropy(T.nnet.sigmoid(x), 0.3), (APART,)),
    ("conv2d", lambda x, w: T.nnet.conv2d(x, w, filter_shape=(2, 3, 2, 2), border_mode="half"),
     (RNG.normal(size=(2, 3, 4, 5)), RNG.normal(size=(2, 3, 2, 2)))),
    ("pool_2d", lambda x: T.signal.pool.pool_2d(x, (2, 2)), (RNG.normal(size=(2, 3, 5, 5)),)),
    ("batch_normalization", lambda x: T.nnet.bn.batch_normalization_train(x, T.ones((4,)), T.zeros((4,)))[0] ** 2, (APART,)),
    ("images2neibs", lambda x: T.nnet.neighbours.images2neibs(x, (2, 2)) ** 2, (RNG.normal(size=(1, 2, 4, 4)),)),
]  # fmt: skip


def weighted(result: Any) -> Any:
    """A cost in which each element counts otherwise."""
    return (result.flatten() * T.constant(1 / (1 + np.arange(1000.0)))[: result.size]).sum()


@pytest.mark.parametrize("first", range(0, len(SMOOTH), 16))
@pytest.mark.parametrize("mode", [pytest.param(mode, marks=[pytest.mark.slow] * (mode == "FAST_COMPILE")) for mode in MODES])
def test_gradients_are_those_of_differences(mode: str, first: int) -> None:
    """Along a random direction: the slope of a cost, and its gradient times that direction."""
    random, rows = np.random.default_rng(11), SMOOTH[first : first + 16]
    variables = [[T.tensor("float64", (False,) * x.ndim) for x in xs] for _, _, xs in rows]
    costs = [weighted(build(*chosen)) for (_, build, _), chosen in zip(rows, variables)]
    inputs = [x for chosen in variables for x in chosen]
    points = [x for _, _, xs in rows for x in xs]
    directions = [random.normal(size=x.shape) for x in points]
    asked = [g for cost, chosen in zip(costs, variables) for g in T.grad(cost, chosen)]
    slopes = tir.function(inputs, asked, mode=mode)(*points)
    products = iter(float((slope * d).sum()) for slope, d in zip(slopes, directions))
    values = tir.function(inputs, costs, mode="FAST_COMPILE")
    step = 1e-6
    above, below = (values(*(x + s * d for x, d in zip(points, directions))) for s in (step, -step))
    wrong = []
    for (name, _, xs), high, low in zip(rows, above, below):
        found, expected = sum(next(products) for _ in xs), float(high - low) / (2 * step)
        # A difference has an error of about step^2 times the third derivative, and 1e-16 times the cost / step.
        if not abs(found - expected) <= 1e-7 * (1 + abs(expected)) + 1e-9 * abs(float(high)):
            wrong.append(f"{name}: {found}, not {expected}")
    assert not wrong, "\n".join(wrong)
