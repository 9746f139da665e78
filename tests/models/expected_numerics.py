"""Models of statistics and numerics in numpy and scipy: what tests/models/NAME.tir gives, as a function of its name.

Floats come as float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.spatial
import scipy.special
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


def segment_sum(x: Any, segment: Any, like: Any) -> Any:
    return np.array([x[segment == i].sum(0) for i in range(len(like))])


def hash_bits(x: Any) -> Arrays:
    """In Python's whole numbers, of which the lowest 32 bits are kept."""
    mixed = []
    for h in (int(number) + 1234567 for number in x):
        h = (h ^ h >> 16) * 0x85EBCA6B % 2**32
        h = (h ^ h >> 13) * 0xC2B2AE35 % 2**32
        mixed.append(h ^ h >> 16)
    return np.array(mixed, np.uint32), np.array([h % 16 for h in mixed], np.uint32)


def fast_inverse_sqrt(x: Any) -> Any:
    """The steps leave an error of 5e-6 (Lomont 2003), far above rounding: the same in float64, from the same start."""
    y = (0x5F3759DF - (x.astype(np.float32).view(np.int32) >> 1)).view(np.float32).astype(np.float64)
    for _ in range(2):
        y = y * (1.5 - x * y**2 / 2)
    return y


def haversine(p: Any, q: Any) -> Arrays:
    """By unit vectors in space: the angle between two, and a direction as seen along the meridian."""

    def vector(lat: Any, lon: Any) -> Any:
        return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)

    a, b = vector(*p.T), vector(*q.T)
    north = vector(p[:, 0] + np.pi / 2, p[:, 1])
    east = np.stack([-np.sin(p[:, 1]), np.cos(p[:, 1]), np.zeros(len(p))], axis=-1)
    distance = np.arctan2(np.linalg.norm(np.cross(a, b), axis=1), (a * b).sum(1))
    return distance, np.arctan2((b * east).sum(1), (b * north).sum(1))


def black_scholes(spot: Any, strike: Any, years: Any, volatility: Any) -> Arrays:
    """The mean of what the option pays, over the log-normal price at the end."""
    cdf, spread = scipy.stats.norm.cdf, volatility * np.sqrt(years)
    forward = spot * np.exp(0.02 * years)
    d = np.log(forward / strike) / spread
    paid = forward * cdf(d + spread / 2) - strike * cdf(d - spread / 2)
    return paid * np.exp(-0.02 * years), cdf(d + spread / 2)


def negative_binomial(counts: Any, logits: Any, size: Any) -> Any:
    return scipy.stats.nbinom.logpmf(counts, size, scipy.special.expit(-logits))


def histogram(x: Any) -> Arrays:
    bins = np.digitize(x, [0.25, 0.5, 0.75])
    return np.bincount(bins, minlength=4), np.array([(bins < i).sum() for i in bins])


def message_passing(x: Any, source: Any, target: Any, weight: Any, w: Any) -> Any:
    adjacency = np.zeros((5, 5))
    for s, t, value in zip(source, target, weight):
        adjacency[t, s] += value
    return np.tanh(x + adjacency @ x @ w)


def pagerank_step(rank: Any, source: Any, target: Any) -> Any:
    links = np.zeros((4, 4))
    np.add.at(links, (target, source), 1)
    links[:, links.sum(0) == 0] = 1
    return 0.15 + 0.85 * (links / links.sum(0)) @ rank


def low_rank_covariance(u: Any, diagonal: Any) -> Arrays:
    covariance = u @ u.T + np.eye(4) * diagonal**2
    return np.diag(covariance), np.tril(covariance), np.triu(covariance, 1)


def fourier(x: Any) -> Arrays:
    found = np.fft.fft(x, axis=1)
    return found.real, found.imag, np.abs(found) ** 2


def circular_shift(x: Any) -> Any:
    return np.array([np.roll(row, i) for i, row in enumerate(x)])


def log_probabilities(x: Any) -> Arrays:
    other = np.log(-np.expm1(x))
    return scipy.special.logsumexp(x), other, x - other


def cleaning(x: Any) -> Arrays:
    fine = np.abs(x) >= 0.5
    return x * fine, (~fine).sum(1)


def nearest_neighbours(x: Any, known: Any, label: Any) -> Arrays:
    distance, place = scipy.spatial.KDTree(known).query(x, k=3)
    votes = np.array([np.bincount(label[row], minlength=3) for row in place])
    return votes.argmax(1), distance**2


def order_statistics(x: Any) -> Arrays:
    return np.median(x, axis=1), scipy.stats.trim_mean(x, 0.2, axis=1), scipy.stats.rankdata(x, axis=1).astype(int) - 1


def soft_clusters(x: Any, centres: Any) -> Arrays:
    weights = np.exp(-((x[:, None] - centres) ** 2).sum(2) / 2)
    total = weights.sum(1)
    return weights / total[:, None], np.log(total).sum()


def drawdown(returns: Any) -> Arrays:
    value = np.exp(np.cumsum(np.log1p(returns), axis=1))
    falls = [[1 - row[j] / row[i] for j in range(len(row)) for i in range(j + 1)] for row in value]
    return value, np.max(falls, axis=1)


def gradient_clipping(g: Any, h: Any) -> Arrays:
    total = np.linalg.norm(np.concatenate([g.ravel(), h]))
    return g / max(total, 1), h / max(total, 1)


def bit_sets(x: Any) -> Arrays:
    bits = np.unpackbits(x[:, None], axis=1)
    found = (bits.sum(0) % 2, bits.any(0), bits.all(0))
    return tuple(np.packbits(row.astype(bool))[0] for row in found)


HELPERS: Sequence[Any] = (rbf,)
