"""One step of some examples by hand, in numpy: what the autodiff pass finds is compared with it."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["CONVNET", "RNN", "convnet_step", "digits_step", "rnn_step"]

CONVNET = ("w1", "b1", "w2", "b2", "w3", "b3")
RNN = ("wx", "wh", "b", "wo", "bo")


def digits_step(w: Any, b: Any, x: Any, y: Any) -> float:
    """One step of examples/digits.tir, in place; the loss before it."""
    loss, by_scores = _softmax_loss(x @ w + b, y)
    w -= 0.5 * x.T @ by_scores
    b -= 0.5 * by_scores.sum(axis=0)
    return loss


def rnn_step(parameters: dict[str, Any], velocities: dict[str, Any], x: Any, y: Any) -> float:
    """One step of examples/rnn.tir, in place; the loss before it."""
    wx, wh, b, wo, bo = (parameters[name] for name in RNN)
    rows, states = x.reshape(-1, 8, 8).transpose(1, 0, 2), [np.zeros((len(x), 64))]
    for row in rows:
        states.append(np.tanh(row @ wx + states[-1] @ wh + b))
    loss, by_scores = _softmax_loss(states[-1] @ wo + bo, y)

    gradients = {name: np.zeros_like(parameters[name]) for name in RNN}
    gradients["wo"], gradients["bo"] = states[-1].T @ by_scores, by_scores.sum(axis=0)
    back = by_scores @ wo.T
    for row, before, after in zip(rows[::-1], states[-2::-1], states[::-1]):
        slope = back * (1 - after**2)
        gradients["wx"] += row.T @ slope
        gradients["wh"] += before.T @ slope
        gradients["b"] += slope.sum(axis=0)
        back = slope @ wh.T
    _descend(parameters, velocities, gradients)
    return loss


def convnet_step(parameters: dict[str, Any], velocities: dict[str, Any], x: Any, y: Any) -> float:
    """One step of examples/convnet.tir, in place; the loss before it."""
    w1, b1, w2, b2, w3, b3 = (parameters[name] for name in CONVNET)
    hidden1, windows1 = _convolve(x.reshape(-1, 1, 8, 8), w1, b1)
    pooled1, chosen1 = _pool(np.maximum(hidden1, 0))
    hidden2, windows2 = _convolve(pooled1, w2, b2)
    pooled2, chosen2 = _pool(np.maximum(hidden2, 0))
    flat = pooled2.reshape(len(x), -1)
    loss, by_scores = _softmax_loss(flat @ w3 + b3, y)

    back2 = _unpool((by_scores @ w3.T).reshape(pooled2.shape), chosen2) * (hidden2 > 0)
    back1 = _unpool(_convolve_back(back2, w2), chosen1) * (hidden1 > 0)
    gradients = (
        *_weights_back(back1, windows1), *_weights_back(back2, windows2), flat.T @ by_scores, by_scores.sum(axis=0),
    )  # fmt: skip
    _descend(parameters, velocities, dict(zip(CONVNET, gradients)))
    return loss


def _softmax_loss(scores: Any, y: Any) -> tuple[float, Any]:
    """The mean cross-entropy of the softmax, and its gradient by the scores."""
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(len(y)), y]).mean()
    p[np.arange(len(y)), y] -= 1
    return float(loss), p / len(y)


def _descend(parameters: dict[str, Any], velocities: dict[str, Any], gradients: dict[str, Any]) -> None:
    """Gradient descent with momentum."""
    for name, gradient in gradients.items():
        velocities[name] = 0.9 * velocities[name] + gradient
        parameters[name] -= 0.05 * velocities[name]


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
