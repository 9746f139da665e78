"""Programs whose gradients are measured and tested, written by `tir.Builder`: chains, a perceptron, a recurrent network.

`chain`: about `n` ops one behind the other, of one of the `CHAINS`, and the gradient of a sum of the last.
`perceptron`: layers with biases, softmax cross-entropy. `recurrent`: h <- tanh(x wx + h wh + b), by `tir.scan`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tir.api import Builder
from tir.dialects.tir.builder import Tensor

__all__ = ["CHAINS", "chain", "perceptron", "recurrent", "recurrent_by_hand", "recurrent_inputs"]

# --- chains ----------------------------------------------------------------------------------------------------------

ROWS, WIDTH = 4, 8


def _elementwise(b: Builder, v: Tensor, x: Tensor, w: Tensor, p: Tensor) -> Tensor:
    y = b.tanh(v) * x
    return y + y


def _mixed(b: Builder, v: Tensor, x: Tensor, w: Tensor, p: Tensor) -> Tensor:
    product = b.dot(v, w)
    total = b.sum(product, [0])
    return b.tanh(product + b.broadcast(total, [1], [ROWS, WIDTH]))


def _branch(b: Builder, v: Tensor, x: Tensor, w: Tensor, p: Tensor) -> Tensor:
    (y,) = b.if_(p, lambda: [b.tanh(v)], lambda: [v * x])
    return y


def _loop(b: Builder, v: Tensor, x: Tensor, w: Tensor, p: Tensor) -> Tensor:
    (y,), _ = b.scan(lambda h, row: ([b.tanh(h) * row], []), [v], [b.broadcast(x, [1, 2], [2, ROWS, WIDTH])])
    return y


#: A link of each kind of chain, and its ops, those inside regions included.
CHAINS: dict[str, tuple[Callable[[Builder, Tensor, Tensor, Tensor, Tensor], Tensor], int]] = {
    "elementwise": (_elementwise, 3),
    "mixed": (_mixed, 5),
    "branches": (_branch, 5),
    "loops": (_loop, 5),
}


def chain(kind: str, n: int) -> Builder:
    """A function of about `n` ops, and its gradient."""
    link, ops = CHAINS[kind]
    b = Builder()
    with b.function("main", x=f"tensor<{ROWS}x{WIDTH}xf32>", w=f"tensor<{WIDTH}x{WIDTH}xf32>", p="tensor<i1>") as (x, w, p):
        v = x
        for _ in range(n // ops):
            v = link(b, v, x, w, p)
        b.returns(*b.grad(b.sum(v, [0, 1]), [x]))
    return b


# --- a perceptron ----------------------------------------------------------------------------------------------------


def perceptron(sizes: Sequence[int], activation: str, batch: int | str, gradient: bool, element: str = "f32") -> Builder:
    """Scores by layers of these sizes, and the mean loss; gradient: and its gradients by the weights and the biases."""
    b, layers = Builder(), list(zip(sizes, sizes[1:]))
    arguments = {"x": f"tensor<{batch}x{sizes[0]}x{element}>", "y": f"tensor<{batch}xi32>"}
    for i, (rows, columns) in enumerate(layers):
        arguments |= {f"w{i}": f"tensor<{rows}x{columns}x{element}>", f"b{i}": f"tensor<{columns}x{element}>"}
    with b.function("main", **arguments) as (x, y, *parameters):
        for i in range(len(layers)):
            x = x @ parameters[2 * i] + parameters[2 * i + 1]
            x = getattr(b, activation)(x) if i < len(layers) - 1 else x
        loss = b.mean(b.softmax_cross_entropy(x, y))
        b.returns(loss, *(b.grad(loss, parameters) if gradient else ()))
    return b


# --- a recurrent network ---------------------------------------------------------------------------------------------


def recurrent(steps: int, batch: int, hidden: int, element: str = "f32", checkpoint: int | None = None) -> Builder:
    """The mean of the squares of the last state, and its gradients by wx, wh and b."""
    b, square = Builder(), f"tensor<{hidden}x{hidden}x{element}>"
    arguments = {"xs": f"tensor<{steps}x{batch}x{hidden}x{element}>", "wx": square, "wh": square}
    with b.function("main", **arguments, b=f"tensor<{hidden}x{element}>") as (xs, wx, wh, bias):
        start = b.full(0.0, (batch, hidden), bias.type.element)
        (last,), _ = b.scan(lambda h, x: ([b.tanh(x @ wx + h @ wh + bias)], []), [start], [xs], checkpoint=checkpoint)
        cost = b.mean(b.square(last))
        b.returns(cost, *b.grad(cost, [wx, wh, bias]))
    return b


def recurrent_inputs(steps: int, batch: int, hidden: int, dtype: Any = np.float32) -> list[Any]:
    """xs, wx, wh and b such that states and adjoints stay of moderate size over many steps."""
    rng = np.random.default_rng(0)
    matrices = [rng.normal(0, hidden**-0.5, (hidden, hidden)) for _ in range(2)]
    found = [rng.normal(size=(steps, batch, hidden)), *matrices, rng.normal(0, 0.1, hidden)]
    return [array.astype(dtype) for array in found]


def recurrent_by_hand(xs: Any, wx: Any, wh: Any, bias: Any) -> tuple[Any, ...]:
    """What `recurrent` computes, as one writes it in numpy."""
    states = [np.zeros((xs.shape[1], len(wh)), xs.dtype)]
    for x in xs:
        states.append(np.tanh(x @ wx + states[-1] @ wh + bias))
    last = states.pop()
    following, adjoint = last, 2 * last / last.size
    d_wx, d_wh, d_bias = np.zeros_like(wx), np.zeros_like(wh), np.zeros_like(bias)
    for x, state in zip(xs[::-1], states[::-1]):
        d_a = adjoint * (1 - following * following)
        d_wx += x.T @ d_a
        d_wh += state.T @ d_a
        d_bias += d_a.sum(0)
        following, adjoint = state, d_a @ wh.T
    return np.mean(last * last), d_wx, d_wh, d_bias
