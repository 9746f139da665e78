"""The programs that are measured, each once: `program(xp)` is a function of arrays that calls what it needs by `xp`.

Constants are floats, since they stand beside f32, and exponents are ints. What is drawn at random is an argument, so that
one answer is right for all. A step returns the new state first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.gradient_programs import recurrent_by_hand

__all__ = ["Program"]

Program = Callable[[Any], Callable[..., Any]]

RATE, DECAY, SMALL = 0.01, 0.9, 1e-6
KEPT = 0.8  # of what dropout sees

# --- elementwise -----------------------------------------------------------------------------------------------------


def power(xp: Any) -> Callable[..., Any]:
    return lambda a: a + a**10


def linear(xp: Any) -> Callable[..., Any]:
    return lambda a, b: 2.0 * a + 3.0 * b


def square_of_sum(xp: Any) -> Callable[..., Any]:
    return lambda a, b: a**2 + b**2 + 2.0 * a * b


def linear_and_power(xp: Any) -> Callable[..., Any]:
    return lambda a, b: 2.0 * a + b**10


def chain(xp: Any) -> Callable[..., Any]:
    return lambda x, y: xp.exp(-x * x) * xp.sin(y) + xp.log1p(x * x) * xp.tanh(y)


def sigmoid_chain(xp: Any) -> Callable[..., Any]:
    return lambda x: 1.0 / (1.0 + xp.exp(-x))


def exponential(xp: Any) -> Callable[..., Any]:
    return lambda x: xp.exp(x)


def bell(xp: Any) -> Callable[..., Any]:
    return lambda x, y: xp.tanh(1.5 * x + 0.5) * xp.exp(-y * y)


# --- reductions ------------------------------------------------------------------------------------------------------


def reduction(name: str, axis: int | None) -> Program:
    """The sum, mean or max over all or over one axis."""
    if axis is None:
        return lambda xp: getattr(_Reductions, name)(xp)
    return lambda xp: lambda x: getattr(xp, name)(x, axis=axis)


class _Reductions:
    """Over all; each names its function, as numba needs."""

    sum = staticmethod(lambda xp: lambda x: xp.sum(x))
    mean = staticmethod(lambda xp: lambda x: xp.mean(x))
    max = staticmethod(lambda xp: lambda x: xp.max(x))


# --- rows ------------------------------------------------------------------------------------------------------------


def rows(name: str) -> Program:
    """An operation of the namespace: `softmax`, `layer_norm`, .."""
    return lambda xp: lambda *arrays: getattr(xp, name)(*arrays)


def softmax_gradient(xp: Any) -> Callable[..., Any]:
    def gradient(x: Any, g: Any) -> Any:
        if xp.differentiates:
            return xp.grad(lambda x: xp.sum(xp.softmax(x) * g), x)[0]
        y = xp.softmax(x)
        return y * (g - xp.sum(g * y, axis=1, keepdims=True))

    return gradient


def layer_norm_gradient(xp: Any) -> Callable[..., Any]:
    def gradient(x: Any, scale: Any, offset: Any, g: Any) -> Any:
        if xp.differentiates:
            return tuple(xp.grad(lambda x, scale, offset: xp.sum(xp.layer_norm(x, scale, offset) * g), x, scale, offset))
        centred = x - xp.mean(x, axis=1, keepdims=True)
        inverse = 1.0 / xp.sqrt(xp.mean(centred * centred, axis=1, keepdims=True) + 1e-5)
        y, by_y = centred * inverse, g * scale
        mean, along = xp.mean(by_y, axis=1, keepdims=True), xp.mean(by_y * y, axis=1, keepdims=True)
        return (by_y - mean - y * along) * inverse, xp.sum(g * y, axis=0), xp.sum(g, axis=0)

    return gradient


def cross_entropy_gradient(xp: Any) -> Callable[..., Any]:
    def gradient(scores: Any, labels: Any) -> Any:
        if xp.differentiates:
            return xp.grad(lambda scores: xp.cross_entropy(scores, labels), scores)[0]
        return _by_scores(xp, scores, labels)

    return gradient


def _by_scores(xp: Any, scores: Any, labels: Any) -> Any:
    return (xp.softmax(scores) - xp.one_hot(labels, scores)) * (1.0 / scores.shape[0])


# --- updates ---------------------------------------------------------------------------------------------------------


def rmsprop(xp: Any) -> Callable[..., Any]:
    def update(w: Any, mean: Any, g: Any) -> Any:
        mean = DECAY * mean + (1.0 - DECAY) * (g * g)
        return w - RATE * g / xp.sqrt(mean + SMALL), mean

    return update


def adam(xp: Any) -> Callable[..., Any]:
    def update(w: Any, first: Any, second: Any, g: Any) -> Any:
        first, second = 0.9 * first + 0.1 * g, 0.999 * second + 0.001 * (g * g)
        return w - RATE * first / (xp.sqrt(second) + 1e-8), first, second

    return update


def regression(xp: Any) -> Callable[..., Any]:
    """The step of a line through the origin: one weight, one point."""
    return lambda w, x, y: w - RATE * 2.0 * (x * w - y) * x


# --- nets ------------------------------------------------------------------------------------------------------------


def perceptron(xp: Any) -> Callable[..., Any]:
    """A step of gradient descent of a layer of tanh and one of scores."""

    def step(w1: Any, b1: Any, w2: Any, b2: Any, x: Any, labels: Any) -> Any:
        def cost(w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
            return xp.cross_entropy(xp.tanh(x @ w1 + b1) @ w2 + b2, labels)

        def by_hand() -> Sequence[Any]:
            hidden = xp.tanh(x @ w1 + b1)
            by_scores = _by_scores(xp, hidden @ w2 + b2, labels)
            by_hidden = (by_scores @ w2.T) * (1.0 - hidden * hidden)
            return x.T @ by_hidden, xp.sum(by_hidden, axis=0), hidden.T @ by_scores, xp.sum(by_scores, axis=0)

        weights = w1, b1, w2, b2
        gradients = xp.grad(cost, *weights) if xp.differentiates else by_hand()
        return tuple(w - RATE * g for w, g in zip(weights, gradients))

    return step


def dropout_perceptron(xp: Any) -> Callable[..., Any]:
    """A step of RMSprop of two layers of relu with dropout and one of scores; u1, u2: uniform numbers."""

    def step(*arrays: Any) -> Any:
        weights, means, (x, u1, u2, labels) = arrays[:6], arrays[6:12], arrays[12:]

        def masks() -> list[Any]:
            return [xp.where(u < KEPT, 1.0 / KEPT, xp.zeros_like(u)) for u in (u1, u2)]

        def cost(w1: Any, b1: Any, w2: Any, b2: Any, w3: Any, b3: Any) -> Any:
            first, second = masks()
            hidden = xp.relu(x @ w1 + b1) * first
            return xp.cross_entropy((xp.relu(hidden @ w2 + b2) * second) @ w3 + b3, labels)

        gradients = xp.grad(cost, *weights) if xp.differentiates else _dropout_by_hand(xp, weights, x, masks(), labels)
        update = rmsprop(xp)
        pairs = [update(w, mean, g) for w, mean, g in zip(weights, means, gradients)]
        return (*(w for w, _ in pairs), *(mean for _, mean in pairs))

    return step


def _dropout_by_hand(xp: Any, weights: Sequence[Any], x: Any, masks: Sequence[Any], labels: Any) -> Sequence[Any]:
    w1, b1, w2, b2, w3, b3 = weights
    sum1 = x @ w1 + b1
    hidden1 = xp.relu(sum1) * masks[0]
    sum2 = hidden1 @ w2 + b2
    hidden2 = xp.relu(sum2) * masks[1]
    g3 = _by_scores(xp, hidden2 @ w3 + b3, labels)
    g2 = xp.where(sum2 > 0.0, (g3 @ w3.T) * masks[1], xp.zeros_like(sum2))
    g1 = xp.where(sum1 > 0.0, (g2 @ w2.T) * masks[0], xp.zeros_like(sum1))
    products = x.T @ g1, hidden1.T @ g2, hidden2.T @ g3
    return [one for product, g in zip(products, (g1, g2, g3)) for one in (product, xp.sum(g, axis=0))]


def recurrent(xp: Any) -> Callable[..., Any]:
    return lambda xs, wx, wh, bias: xp.recurrent(xs, wx, wh, bias)


def recurrent_gradient(xp: Any) -> Callable[..., Any]:
    """The gradients of the mean of the squares of the last state."""

    def gradient(xs: Any, wx: Any, wh: Any, bias: Any) -> Any:
        if not xp.differentiates:
            return recurrent_by_hand(xs, wx, wh, bias)[1:]

        def cost(wx: Any, wh: Any, bias: Any) -> Any:
            last = xp.recurrent(xs, wx, wh, bias)
            return xp.mean(last * last)

        return tuple(xp.grad(cost, wx, wh, bias))

    return gradient


# --- calls and compile time ------------------------------------------------------------------------------------------


def add_one(xp: Any) -> Callable[..., Any]:
    return lambda a: a + 1.0


def chain_with(xp: Any, number: float) -> Callable[..., Any]:
    """`chain`, which has not been compiled before for another number."""
    return lambda x, y: xp.exp(-x * x) * xp.sin(y) + xp.log1p(x * x) * xp.tanh(y) * number


def kernels_with(xp: Any, number: float) -> Callable[..., Any]:
    """A kernel for each argument; arguments of unequal sizes cannot share a loop."""
    return lambda *arrays: tuple(xp.exp(-x * x) * xp.tanh(x) * number for x in arrays)
