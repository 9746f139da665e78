"""Models of statistics and numerics in numpy and scipy: what tests/models/NAME.tir gives, as a function of its name.

Floats come as float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.stats
from scipy.special import softmax

Arrays = tuple[Any, ...]


def rbf(x: Any, y: Any) -> Any:
    return np.exp(-((x[:, None] - y[None]) ** 2).sum(2) / 2)


def gaussian_process(x: Any, y: Any, z: Any) -> Arrays:
    inverse = np.linalg.inv(rbf(x, x) + 0.1 * np.eye(len(x)))
    across = rbf(z, x)
    return across @ inverse @ y, 1 - np.diag(across @ inverse @ across.T)


def kalman_step(m: Any, p: Any, f: Any, h: Any, z: Any) -> Arrays:
    """In the form of information: inverse covariances add up."""
    spread = f @ (p @ p.T + np.eye(3)) @ f.T + 0.1 * np.eye(3)
    covariance = np.linalg.inv(np.linalg.inv(spread) + h.T @ h)
    predicted = f @ m
    return predicted + covariance @ h.T @ (z - h @ predicted), covariance


def normal_equations(x: Any, y: Any) -> Arrays:
    """Ridge regression as least squares with rows that pull the weights to 0."""
    rows = np.concatenate([x, np.sqrt(0.1) * np.eye(3)])
    w = np.linalg.lstsq(rows, np.concatenate([y, np.zeros(3)]), rcond=None)[0]
    return w, np.mean((x @ w - y) ** 2)


def power_iteration(x: Any, v: Any) -> Arrays:
    covariance = np.atleast_2d(np.cov(x.T, bias=True)) * len(x) + np.eye(4)
    w = covariance @ v
    unit = w / np.linalg.norm(w)
    return unit, unit @ covariance @ unit


def rbf_kernel(x: Any, y: Any) -> Any:
    return rbf(x, y)


def normal_density(x: Any, mean: Any, root: Any) -> Any:
    covariance = root @ root.T + np.eye(3)
    return np.reshape(scipy.stats.multivariate_normal(mean, covariance).logpdf(x), len(x))


def mahalanobis(x: Any, root: Any) -> Arrays:
    covariance = root @ root.T + np.eye(2)
    values, vectors = np.linalg.eigh(covariance)
    return np.linalg.norm(x @ vectors / np.sqrt(values), axis=1), np.sqrt(values.prod())


def newton_step(p: Any) -> Arrays:
    """The determinant has 0.5 added: nothing is divided by 0."""
    x, y = p.T
    f = np.array([x**2 + y**2 - 4, x * y - 1])
    adjugate = np.array([[x, -2 * y], [-y, 2 * x]])
    step = np.einsum("ijn,jn->in", adjugate, f) / (2 * (x**2 - y**2) + 0.5)
    return x - step[0], y - step[1]


def spline(x: Any, heights: Any) -> Arrays:
    hats = np.stack([np.interp(x, np.arange(5), row) for row in np.eye(5)], axis=1)
    return hats, np.interp(x, np.arange(5), heights)


def crossed_features(colour: Any, shape: Any, w: Any) -> Arrays:
    counts = np.zeros((3, 4))
    np.add.at(counts, (colour, shape), 1)
    return w[colour, shape], counts


def running_sums(x: Any) -> Arrays:
    total = np.array([[row[: i + 1].sum() for i in range(len(row))] for row in x])
    mean = total / np.arange(1, x.shape[1] + 1)
    return total, mean, x.sum(1, keepdims=True) - total, np.diff(x, axis=1)


def moving_average(x: Any) -> Arrays:
    pieces = np.lib.stride_tricks.sliding_window_view(x, 4, axis=1)
    return pieces.mean(2), np.ptp(pieces, axis=2)


def quantised_matmul(x: Any, w: Any, scale: Any) -> Arrays:
    total = np.matmul(x.astype(np.int64) - 3, w.astype(np.int64))
    return total, total * scale


def polynomial(x: Any, c: Any) -> Any:
    return np.array([np.polyval(row[::-1], at) for at, row in zip(x, c)])


def graph_conv(adjacency: Any, x: Any, w: Any) -> Any:
    a = (adjacency | adjacency.T | np.eye(len(x), dtype=bool)).astype(np.float64)
    root = np.diag(a.sum(1) ** -0.5)
    return np.maximum(root @ a @ root @ x @ w, 0)


def mixture_of_experts(x: Any, gate: Any, experts: Any) -> Any:
    weights = softmax(x @ gate, 1)
    return sum(weights[:, i, None] * np.tanh(x @ expert) for i, expert in enumerate(experts))


def voting(logits: Any) -> Arrays:
    votes = np.array([np.bincount(row, minlength=4) for row in logits.argmax(2).T])
    return votes.argmax(1), (votes == votes.max(1, keepdims=True)).all(1)


def classifier_metrics(logits: Any, y: Any) -> Arrays:
    found = logits.argmax(1)
    confusion = np.array([[np.sum((y == i) & (found == j)) for j in range(3)] for i in range(3)], np.float64)
    right = np.diag(confusion)
    return confusion, right / np.maximum(confusion.sum(1), 1), right / np.maximum(confusion.sum(0), 1)


def kmeans_step(x: Any, centres: Any) -> Arrays:
    nearest = np.linalg.norm(x[:, None] - centres, axis=2).argmin(1)
    moved = [x[nearest == i].mean(0) if (nearest == i).any() else centre for i, centre in enumerate(centres)]
    return np.array(moved), nearest


def adam(w: Any, g: Any, m: Any, v: Any) -> Arrays:
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    return w - 0.01 * (m / (1 - 0.9**3)) / (np.sqrt(v / (1 - 0.999**3)) + 1e-8), m, v


def factorisation_machine(x: Any, w: Any, v: Any, w0: Any) -> Any:
    pairs = [(v[i] @ v[j]) * x[:, i] * x[:, j] for i in range(5) for j in range(i)]
    return w0 + x @ w + sum(pairs)


def tabular(numbers: Any, counts: Any, w1: Any, w2: Any, out: Any) -> Any:
    return np.maximum(numbers @ w1 + counts / 255 @ w2, 0) @ out


def mixed_precision_attention(q: Any, k: Any, v: Any) -> Any:
    return softmax(q @ k.swapaxes(1, 2) / 2, -1) @ v


def bf16_dense(x: Any, w: Any, y: Any) -> Arrays:
    h = np.maximum(x @ w, 0)
    return np.mean((h - y) ** 2), h


HELPERS: Sequence[Any] = (rbf,)
