"""Row kernels, reductions by axis and updates in place, as one writes them for numba."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

__all__ = ["LOOPS", "STEPS"]

# ruff: noqa: ANN001, ANN202  # numba finds the types

_fast = njit(parallel=True, fastmath=True)


@_fast
def softmax(x):
    out = np.empty_like(x)
    for i in prange(len(x)):
        most, total = x[i, 0], np.float32(0)
        for j in range(x.shape[1]):
            most = max(most, x[i, j])
        for j in range(x.shape[1]):
            out[i, j] = np.exp(x[i, j] - most)
            total += out[i, j]
        scale = np.float32(1) / total
        for j in range(x.shape[1]):
            out[i, j] *= scale
    return out


@njit(fastmath=True, inline="always")
def _log_of_sum(row):
    """The logarithm of the sum of the exponentials of a row."""
    most, total = row[0], np.float32(0)
    for j in range(len(row)):
        most = max(most, row[j])
    for j in range(len(row)):
        total += np.exp(row[j] - most)
    return most + np.log(total)


@_fast
def log_softmax(x):
    out = np.empty_like(x)
    for i in prange(len(x)):
        log = _log_of_sum(x[i])
        for j in range(x.shape[1]):
            out[i, j] = x[i, j] - log
    return out


@_fast
def logsumexp(x):
    out = np.empty(len(x), np.float32)
    for i in prange(len(x)):
        out[i] = _log_of_sum(x[i])
    return out


@_fast
def cross_entropy(x, labels):
    total = np.float32(0)
    for i in prange(len(x)):
        total += _log_of_sum(x[i]) - x[i, labels[i]]
    return total / np.float32(len(x))


@_fast
def cross_entropy_gradient(x, labels):
    out, share = np.empty_like(x), np.float32(1) / np.float32(len(x))
    for i in prange(len(x)):
        log = _log_of_sum(x[i])
        for j in range(x.shape[1]):
            out[i, j] = np.exp(x[i, j] - log) * share
        out[i, labels[i]] -= share
    return out


@_fast
def layer_norm(x, scale, offset):
    out, width = np.empty_like(x), np.float32(x.shape[1])
    for i in prange(len(x)):
        total, squares = np.float32(0), np.float32(0)
        for j in range(x.shape[1]):
            total += x[i, j]
        mean = total / width
        for j in range(x.shape[1]):
            centred = x[i, j] - mean
            squares += centred * centred
        inverse = np.float32(1) / np.sqrt(squares / width + np.float32(1e-5))
        for j in range(x.shape[1]):
            out[i, j] = (x[i, j] - mean) * inverse * scale[j] + offset[j]
    return out


@_fast
def sum_axis0(x):
    threads = 8
    parts, rows = np.zeros((threads, x.shape[1]), np.float32), (len(x) + threads - 1) // threads
    for t in prange(threads):
        for i in range(t * rows, min((t + 1) * rows, len(x))):
            for j in range(x.shape[1]):
                parts[t, j] += x[i, j]
    return parts.sum(0)


@_fast
def sum_axis1(x):
    out = np.empty(len(x), np.float32)
    for i in prange(len(x)):
        total = np.float32(0)
        for j in range(x.shape[1]):
            total += x[i, j]
        out[i] = total
    return out


@_fast
def max_axis0(x):
    out = x[0].copy()
    for i in range(1, len(x)):
        for j in range(x.shape[1]):
            out[j] = max(out[j], x[i, j])
    return out


@_fast
def max_axis1(x):
    out = np.empty(len(x), np.float32)
    for i in prange(len(x)):
        most = x[i, 0]
        for j in range(x.shape[1]):
            most = max(most, x[i, j])
        out[i] = most
    return out


@njit(fastmath=True)
def mean_axis0(x):
    return sum_axis0(x) / np.float32(x.shape[0])


@njit(fastmath=True)
def mean_axis1(x):
    return sum_axis1(x) / np.float32(x.shape[1])


@_fast
def rmsprop(w, mean, g):
    for i in prange(len(w)):
        mean[i] = np.float32(0.9) * mean[i] + np.float32(0.1) * g[i] * g[i]
        w[i] -= np.float32(0.01) * g[i] / np.sqrt(mean[i] + np.float32(1e-6))


@_fast
def adam(w, first, second, g):
    for i in prange(len(w)):
        first[i] = np.float32(0.9) * first[i] + np.float32(0.1) * g[i]
        second[i] = np.float32(0.999) * second[i] + np.float32(0.001) * g[i] * g[i]
        w[i] -= np.float32(0.01) * first[i] / (np.sqrt(second[i]) + np.float32(1e-8))


@njit(fastmath=True)
def regression(w, x, y):
    w[0] -= np.float32(0.02) * (x * w[0] - y) * x


#: By the name of the workload.
LOOPS = {
    "R1.axis0": sum_axis0, "R1.axis1": sum_axis1, "R2.axis0": mean_axis0, "R2.axis1": mean_axis1, "R3.axis0": max_axis0,
    "R3.axis1": max_axis1, "S1": softmax, "S2": log_softmax, "S3": logsumexp, "S4": layer_norm, "S6": cross_entropy,
    "S11": cross_entropy_gradient,
}  # fmt: skip
STEPS = {"S7": rmsprop, "S8": adam, "C3": regression}
