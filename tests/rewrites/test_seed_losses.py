"""Losses as the seeds and other tutorials write them are finite and right at logits of 1000 and -1000, and so are their gradients.

`stabilize` may run before `autodiff` and behind it. The truth is a closed form in arithmetic of many digits: p - y.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

from tir.dialects.builtin import Module
from tir.dialects.func import Func, Return
from tir.dialects.tir.builder import TensorBuilder
from tir.interpret import Interpreter
from tir.ir.define import create
from tir.ir.ir import Block, Op, Region
from tir.ir.types import F32, F64, FloatType, IntegerType, TensorType
from tir.passes.pipelines import PASSES

#: 8 ulp of f32, and 45 of f64: sums of a few terms, and the rounding of a mean.
TOLERANCE = {F32: 1e-6, F64: 1e-14}
DTYPES = {F32: np.float32, F64: np.float64}
ORDERS = {
    "before": ("stabilize", "autodiff"),
    "behind": ("autodiff", "stabilize"),
    "behind canonicalize": ("canonicalize", "autodiff", "canonicalize", "stabilize"),
    "before and behind": ("canonicalize", "stabilize", "autodiff", "canonicalize", "stabilize"),
}


# --- two classes -----------------------------------------------------------------------------------------------------

LOGITS = [1000.0, -1000.0, 1000.0, -1000.0, 0.0, 1.5, -0.25, 100.0, -100.0, 1000.0, -1000.0]
TRUTHS = [1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.25, 0.25]


def _xent(b: Any, p: Any, y: Any) -> Any:
    return -y * b.log(p) - (1 - y) * b.log(1 - p)


#: From the logit z and the truth y to the loss; the first is that of a seed.
BINARY: dict[str, Callable[[Any, Any, Any], Any]] = {
    "1 / (1 + exp(-z))": lambda b, z, y: _xent(b, 1 / (1 + b.exp(-z)), y),
    "1 / (exp(-z) + 1)": lambda b, z, y: _xent(b, 1 / (b.exp(-z) + 1), y),
    "1 / (1 + exp(-u - 1))": lambda b, z, y: _xent(b, 1 / (1 + b.exp(-(z - 1) - 1)), y),
    "exp(z) / (1 + exp(z))": lambda b, z, y: _xent(b, b.exp(z) / (1 + b.exp(z)), y),
    "sigmoid(z)": lambda b, z, y: _xent(b, b.sigmoid(z), y),
    "(1 + tanh(z / 2)) / 2": lambda b, z, y: _xent(b, (1 + b.tanh(z / 2)) / 2, y),
    "0.5 * tanh(0.5 * z) + 0.5": lambda b, z, y: _xent(b, 0.5 * b.tanh(0.5 * z) + 0.5, y),
    "-(y log p + ..)": lambda b, z, y: -(y * b.log(b.sigmoid(z)) + (1 - y) * b.log(1 - b.sigmoid(z))),
    "log1p(-p)": lambda b, z, y: -(y * b.log(b.sigmoid(z))) - (1 - y) * b.log1p(-b.sigmoid(z)),
    "log(1 + exp(z)) - y z": lambda b, z, y: b.log(1 + b.exp(z)) - y * z,
    "log1p(exp(z)) - y z": lambda b, z, y: b.log1p(b.exp(z)) - y * z,
    "y log(1 + exp(-z)) + ..": lambda b, z, y: y * b.log(1 + b.exp(-z)) + (1 - y) * b.log(1 + b.exp(z)),
}  # fmt: skip


@pytest.mark.parametrize("element", TOLERANCE, ids=str)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("way", BINARY)
def test_cross_entropy_of_two_classes(way: str, order: str, element: FloatType) -> None:
    z, y = np.array(LOGITS, DTYPES[element]), np.array(TRUTHS, DTYPES[element])
    loss, gradient = _run(BINARY[way], ORDERS[order], z, y)
    _check(loss, [_exact_binary(a, t) for a, t in zip(LOGITS, TRUTHS)], element)
    _check(gradient, [(mpmath.mpf(1) / (1 + mpmath.exp(-a)) - t) / len(LOGITS) for a, t in zip(LOGITS, TRUTHS)], element)


def _exact_binary(z: float, y: float) -> Any:
    with mpmath.workdps(1000):
        p = 1 / (1 + mpmath.exp(-mpmath.mpf(z)))
        return -y * mpmath.log(p) - (1 - y) * mpmath.log(1 - p)


# --- several classes -------------------------------------------------------------------------------------------------

SCORES = [
    [1000.0, -1000.0, 0.0], [-1000.0, 1000.0, 1000.0], [1e4, -1e4, 999.0], [0.0, 0.0, 0.0], [1000.0, 1001.0, 999.5],
    [0.5, -1.0, 2.0], [-1000.0, -1000.0, -1001.0], [-1e4, 0.0, 1e4],
]  # fmt: skip
CLASSES = [0, 2, 1, 1, 2, 2, 0, 0]


def _by_hand(b: Any, z: Any) -> Any:
    e = b.exp(z - b.expand_dims(b.max(z, [1]), [1]))
    return e / b.expand_dims(b.sum(e, [1]), [1])


def _plain(b: Any, z: Any) -> Any:
    return b.exp(z) / b.sum(b.exp(z), [1], keepdims=True)


def _log_plain(b: Any, z: Any) -> Any:
    return z - b.log(b.sum(b.exp(z), [1], keepdims=True))


def _log_shifted(b: Any, z: Any) -> Any:
    moved = z - b.max(z, [1], keepdims=True)
    return moved - b.log(b.sum(b.exp(moved), [1], keepdims=True))


def _log_of(of: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda b, z: b.log(of(b, z))


def _loss_of(inner: Callable[[Any, Any], Any], outer: Callable[[Any, Any, Any], Any]) -> Callable[[Any, Any, Any], Any]:
    return lambda b, z, y: outer(b, inner(b, z), y)


#: From the logits to probabilities; the first three are those of seeds.
PROBABILITIES: dict[str, Callable[[Any, Any], Any]] = {
    "softmax(z)": lambda b, z: b.softmax(z, [1]),
    "exp(z - max) / sum": _by_hand,
    "exp(z) / sum": _plain,
    "exp(z - logsumexp)": lambda b, z: b.exp(z - b.expand_dims(b.logsumexp(z, [1]), [1])),
}
LOG_PROBABILITIES: dict[str, Callable[[Any, Any], Any]] = {
    **{f"log({name})": _log_of(of) for name, of in PROBABILITIES.items()},
    "z - log(sum(exp(z)))": _log_plain,
    "z - max - log(sum(exp(z - max)))": _log_shifted,
}
DENSE: dict[str, Callable[[Any, Any, Any], Any]] = {
    "-sum(y * {})": lambda b, log_p, y: -b.sum(y * log_p, [1]),
    "sum(-y * {})": lambda b, log_p, y: b.sum(-y * log_p, [1]),
}
#: The first is that of a seed.
LABELED: dict[str, Callable[[Any, Any, Any], Any]] = {
    "-{}[arange(n), y]": lambda b, log_p, y: -log_p[b.iota(b.shape(y), 0), y],
    "-take_along_axis({}, y)": lambda b, log_p, y: -b.squeeze(b.take_along_axis(log_p, b.expand_dims(y, [1]), 1), [1]),
    "-sum(one_hot(y) * {})": lambda b, log_p, y: -b.sum(b.one_hot(y, 3, log_p.type.element) * log_p, [1]),
    "nll_loss({}, y)": lambda b, log_p, y: b.nll_loss(log_p, y),
}
#: Labels in front of the logarithm.
CHOSEN: dict[str, Callable[[Any, Any, Any], Any]] = {
    "-log({}[arange(n), y])": lambda b, p, y: -b.log(p[b.iota(b.shape(y), 0), y]),
    "-log(take_along_axis({}, y))": lambda b, p, y: -b.log(
        b.squeeze(b.take_along_axis(p, b.expand_dims(y, [1]), 1), [1])
    ),
}
SEVERAL = [
    (kind, loss.format(of), _loss_of(inner, outer))
    for kind, losses, inners in (
        ("dense", DENSE, LOG_PROBABILITIES), ("labels", LABELED, LOG_PROBABILITIES), ("labels", CHOSEN, PROBABILITIES),
    )
    for loss, outer in losses.items() for of, inner in inners.items()
]  # fmt: skip


@pytest.mark.parametrize("element", TOLERANCE, ids=str)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("kind", "way", "build"), SEVERAL, ids=[way for _, way, _ in SEVERAL])
def test_cross_entropy_of_several_classes(
    kind: str, way: str, build: Callable[[Any, Any, Any], Any], order: str, element: FloatType
) -> None:
    z = np.array(SCORES, DTYPES[element])
    one_hot = np.eye(3, dtype=z.dtype)[CLASSES]
    y = one_hot if kind == "dense" else np.array(CLASSES, np.int32)
    loss, gradient = _run(build, ORDERS[order], z, y)
    exact = [_exact_softmax(row) for row in z.tolist()]
    _check(loss, [-mpmath.log(p[label]) for p, label in zip(exact, CLASSES)], element)
    slopes = [(p[k] - one[k]) / len(CLASSES) for p, one in zip(exact, one_hot.tolist()) for k in range(3)]
    _check(gradient.ravel(), slopes, element)


def _exact_softmax(row: list[float]) -> list[Any]:
    terms = [mpmath.exp(x) for x in row]
    return [term / mpmath.fsum(terms) for term in terms]


# --- what is compared ------------------------------------------------------------------------------------------------


def _run(build: Callable[[Any, Any, Any], Any], passes: tuple[str, ...], z: Any, y: Any) -> tuple[Any, Any]:
    """The losses, and the gradient of their mean by the logits."""
    module = _program(build, z, y)
    for name in passes:
        PASSES[name]().run(module)
    return tuple(Interpreter(module).run("f", [z, y]))  # type: ignore[return-value]


def _program(build: Callable[[Any, Any, Any], Any], z: Any, y: Any) -> Op:
    element = F32 if z.dtype == np.float32 else F64
    types = [TensorType(z.shape, element), TensorType(y.shape, IntegerType(32) if y.dtype.kind == "i" else element)]
    function = Func.make("f", types, [])
    module = create(Module, regions=[Region([Block()])])
    module.body.append(function)
    b = TensorBuilder(function.entry, None, function.location)
    logits, truths = (b.tensor(argument) for argument in function.arguments)
    loss = build(b, logits, truths)
    results = [loss.value, *(g.value for g in b.grad(b.mean(loss), [logits]))]
    b.op(Return, results)
    function.set_type(types, [value.type for value in results])
    return module


def _check(got: Any, exact: list[Any], element: FloatType) -> None:
    assert np.all(np.isfinite(got)), got
    least = float(np.finfo(got.dtype).smallest_normal)
    for number, right in zip(got.tolist(), exact):
        assert abs(number - right) <= TOLERANCE[element] * max(abs(right), least), (got, [float(x) for x in exact])
