"""One step of examples/convnet.tir by hand, in numpy: what the autodiff pass finds is compared with it."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["PARAMETERS", "step"]

PARAMETERS = ("w1", "b1", "w2", "b2", "w3", "b3")


def step(parameters: dict[str, Any], velocities: dict[str, Any], x: Any, y: Any) -> float:
    """Gradient descent with momentum, in place; the loss before it."""
    w1, b1, w2, b2, w3, b3 = (parameters[name] for name in PARAMETERS)
    hidden1, windows1 = _convolve(x.reshape(-1, 1, 8, 8), w1, b1)
    pooled1, chosen1 = _pool(np.maximum(hidden1, 0))
    hidden2, windows2 = _convolve(pooled1, w2, b2)
    pooled2, chosen2 = _pool(np.maximum(hidden2, 0))
    flat = pooled2.reshape(len(x), -1)
    scores = flat @ w3 + b3
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(len(y)), y]).mean()

    p[np.arange(len(y)), y] -= 1
    p /= len(y)
    back2 = _unpool((p @ w3.T).reshape(pooled2.shape), chosen2) * (hidden2 > 0)
    back1 = _unpool(_convolve_back(back2, w2), chosen1) * (hidden1 > 0)
    gradients = (
        *_weights_back(back1, windows1), *_weights_back(back2, windows2), flat.T @ p, p.sum(axis=0),
    )  # fmt: skip
    for name, gradient in zip(PARAMETERS, gradients):
        velocities[name] = 0.9 * velocities[name] + gradient
        parameters[name] -= 0.05 * velocities[name]
    return float(loss)


def _convolve(x: Any, w: Any, b: Any) -> tuple[Any, Any]:
    """A window of 3x3 over images with a border of 0; and the windows, [batch, features, rows, columns, 3, 3]."""
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))
    return np.einsum("bcyxij,ocij->boyx", windows, w) + b[:, None, None], windows


def _weights_back(g: Any, windows: Any) -> tuple[Any, Any]:
    """The gradients by the weights and by the bias."""
    return np.einsum("boyx,bcyxij->ocij", g, windows), g.sum(axis=(0, 2, 3))


def _convolve_back(g: Any, w: Any) -> Any:
    """The gradient by the image: a convolution with the window turned round, of outputs to inputs."""
    return _convolve(g, np.flip(w, (2, 3)).transpose(1, 0, 2, 3), np.zeros(w.shape[1]))[0]


def _pool(x: Any) -> tuple[Any, Any]:
    """The largest of each 2x2 places, and which of them it is: the first of several."""
    b, c, rows, columns = x.shape
    blocks = x.reshape(b, c, rows // 2, 2, columns // 2, 2).transpose(0, 1, 2, 4, 3, 5)
    blocks = blocks.reshape(b, c, rows // 2, columns // 2, 4)
    return blocks.max(axis=-1), blocks.argmax(axis=-1)


def _unpool(g: Any, chosen: Any) -> Any:
    """The gradient by what was pooled: g at the chosen place of each block, 0 elsewhere."""
    b, c, rows, columns = g.shape
    blocks = (np.arange(4) == chosen[..., None]) * g[..., None]
    return blocks.reshape(b, c, rows, columns, 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(b, c, 2 * rows, 2 * columns)
