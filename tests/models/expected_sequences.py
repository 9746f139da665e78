"""Models of sequences, losses and norms in numpy and scipy: what tests/models/NAME.tir gives, as a function of its name.

Floats come as float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.special
import scipy.stats
from scipy.special import log_softmax, logsumexp, softmax

Arrays = tuple[Any, ...]


def attend(q: Any, k: Any, v: Any, scale: float, mask: Any = True) -> Any:
    """Attention over the last two axes; where no key counts, zeros."""
    scores = np.where(mask, q @ np.swapaxes(k, -1, -2) * scale, -np.inf)
    top = scores.max(axis=-1, keepdims=True, initial=-1e300)
    e = np.exp(scores - top)
    total = e.sum(axis=-1, keepdims=True)
    return np.divide(e, total, out=np.zeros_like(e), where=total > 0) @ v


def heads(x: Any, count: int) -> Any:
    """[batch, time, features] as [batch, head, time, features of the head]."""
    return x.reshape(*x.shape[:2], count, -1).transpose(0, 2, 1, 3)


def joined(x: Any) -> Any:
    """Undoes `heads`."""
    return x.transpose(0, 2, 1, 3).reshape(x.shape[0], x.shape[2], -1)


def layer_norm(x: Any, scale: Any, shift: Any) -> Any:
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5) * scale + shift


def gelu(x: Any) -> Any:
    return x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def cross_entropy(logits: Any, y: Any) -> Any:
    return -np.take_along_axis(log_softmax(logits, -1), y[..., None], -1)[..., 0]


def attention(q: Any, k: Any, v: Any) -> Any:
    return attend(q, k, v, 0.5)


def multi_head_attention(x: Any, wq: Any, wk: Any, wv: Any, wo: Any) -> Any:
    return joined(attend(*(heads(x @ w, 2) for w in (wq, wk, wv)), 1 / np.sqrt(3))) @ wo


def causal_attention(q: Any, k: Any, v: Any) -> Any:
    return attend(q, k, v, 0.5, np.tri(q.shape[1], dtype=bool))


def cross_attention(x: Any, memory: Any, mask: Any, wq: Any, wk: Any, wv: Any) -> Any:
    return attend(x @ wq, memory @ wk, memory @ wv, 0.5, mask[:, None, :])


def transformer_encoder(x: Any, wq: Any, wk: Any, wv: Any, s1: Any, t1: Any, w1: Any, w2: Any, s2: Any, t2: Any) -> Any:
    first = layer_norm(x + attend(x @ wq, x @ wk, x @ wv, 0.5), s1, t1)
    return layer_norm(first + np.maximum(first @ w1, 0) @ w2, s2, t2)


def gpt_block(x: Any, s1: Any, t1: Any, qkv: Any, wo: Any, s2: Any, t2: Any, w1: Any, w2: Any) -> Any:
    normed = layer_norm(x, s1, t1)
    q, k, v = (heads(normed @ w, 2) for w in qkv)
    middle = x + joined(attend(q, k, v, np.sqrt(0.5), np.tri(x.shape[1], dtype=bool))) @ wo
    return middle + gelu(layer_norm(middle, s2, t2) @ w1) @ w2


def rotary(x: Any, angles: Any) -> Any:
    turned = (x[..., 0::2] + 1j * x[..., 1::2]) * np.exp(1j * angles)
    return np.stack([turned.real, turned.imag], axis=-1).reshape(x.shape)


def linear_attention(q: Any, k: Any, v: Any) -> Any:
    fq, fk = (np.where(x > 0, x + 1, np.exp(np.minimum(x, 0))) for x in (q, k))
    weights = fq @ fk.swapaxes(1, 2)
    return weights @ v / weights.sum(-1, keepdims=True)


def rnn_cell(x: Any, h: Any, w: Any, u: Any, bias: Any) -> Any:
    return np.tanh(np.concatenate([x, h], 1) @ np.concatenate([w, u]) + bias)


def lstm_cell(x: Any, h: Any, c: Any, w: Any, u: Any, bias: Any) -> Arrays:
    i, f, g, o = np.split(x @ w + h @ u + bias, 4, axis=1)
    cell = scipy.special.expit(f) * c + scipy.special.expit(i) * np.tanh(g)
    return scipy.special.expit(o) * np.tanh(cell), cell


def gru_cell(x: Any, h: Any, w: Any, u: Any) -> Any:
    (xr, xz, xn), (hr, hz, hn) = np.split(x @ w, 3, axis=1), np.split(h @ u, 3, axis=1)
    keep = scipy.special.expit(xz + hz)
    return keep * h + (1 - keep) * np.tanh(xn + scipy.special.expit(xr + hr) * hn)


def word2vec(centre: Any, context: Any, negatives: Any) -> Any:
    right = (centre * context).sum(1)
    wrong = (negatives @ centre[:, :, None])[:, :, 0]
    return np.mean(np.logaddexp(0, -right) + np.logaddexp(0, wrong).sum(1))


def autoencoder(x: Any, w: Any, b1: Any, b2: Any) -> Arrays:
    again = np.tanh(x @ w + b1) @ w.T + b2
    return np.mean((again - x) ** 2), again


def vae(x: Any, w: Any, wm: Any, wv: Any, d1: Any, d2: Any) -> Arrays:
    hidden = np.tanh(x @ w)
    mean, log_variance = hidden @ wm, hidden @ wv
    p = scipy.special.expit(np.tanh(mean @ d1) @ d2)
    cross = -(x * np.log(p) + (1 - x) * np.log1p(-p))
    kl = (np.exp(log_variance) + mean**2 - 1 - log_variance) / 2
    return np.mean(cross.sum(1) + kl.sum(1)), mean


def rbm_free_energy(v: Any, w: Any, hbias: Any, vbias: Any) -> Arrays:
    """By the definition: minus the log of the sum over all hidden states of exp(-energy)."""
    states = np.array(list(np.ndindex(*(2,) * len(hbias))))
    energies = -(v @ vbias)[:, None] - (v @ w + hbias) @ states.T
    return -logsumexp(-energies, axis=1), scipy.special.expit(v @ w + hbias)


def logistic_regression(x: Any, y: Any, w: Any, bias: Any) -> Arrays:
    z = x @ w + bias
    return np.mean(np.logaddexp(0, np.where(y == 1, -z, z))) + 0.01 * (w @ w), z > 0


def label_smoothing(logits: Any, y: Any) -> Any:
    logs = log_softmax(logits, 1)
    return np.mean(0.9 * cross_entropy(logits, y) - 0.1 * logs.mean(1))


def focal_loss(logits: Any, y: Any) -> Any:
    loss = cross_entropy(logits, y)
    return np.mean((1 - np.exp(-loss)) ** 2 * loss)


def sequence_loss(logits: Any, y: Any, lengths: Any) -> Any:
    each = cross_entropy(logits, y)
    return np.mean(np.concatenate([row[:length] for row, length in zip(each, lengths)]))


def contrastive_loss(x: Any, y: Any) -> Any:
    x, y = (z / np.linalg.norm(z, axis=1, keepdims=True) for z in (x, y))
    scores = 2 * x @ y.T
    return -(np.diag(log_softmax(scores, 1)).mean() + np.diag(log_softmax(scores, 0)).mean()) / 2


def triplet_loss(anchor: Any, positive: Any, negative: Any) -> Any:
    near, far = (np.linalg.norm(anchor - other, axis=1) ** 2 for other in (positive, negative))
    return np.mean(np.maximum(near - far + 1, 0))


def distillation(student: Any, teacher: Any) -> Any:
    p, q = softmax(teacher / 2, 1), softmax(student / 2, 1)
    return 4 * np.mean(scipy.special.rel_entr(p, q).sum(1))


def gaussian_mixture(x: Any, means: Any, logits: Any) -> Any:
    squared = ((x[:, None] - means) ** 2).sum(2)
    density = np.exp(-squared / 2) / (2 * np.pi) ** 1.5 @ softmax(logits)
    return np.log(density).sum()


def hmm_forward(alpha: Any, transition: Any, emission: Any) -> Any:
    return np.log(np.exp(alpha) @ softmax(transition, 1)) + emission


def batch_norm_model(x: Any, w: Any, scale: Any, shift: Any) -> Arrays:
    h = x @ w
    y = (h - h.mean(0)) / np.sqrt(h.var(0) + 1e-3) * scale + shift
    return np.maximum(y, 0), h.mean(0), h.var(0)


def layer_norm_model(x: Any, w: Any, scale: Any, shift: Any) -> Any:
    return np.maximum(layer_norm(x @ w, scale, shift), 0)


def group_norm_model(x: Any, w: Any, scale: Any, shift: Any) -> Any:
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1))), (3, 3), (2, 3))
    c = np.einsum("bcyxij,ocij->boyx", windows, w)
    for half in (c[:, :2], c[:, 2:]):
        mean, variance = half.mean((1, 2, 3), keepdims=True), half.var((1, 2, 3), keepdims=True)
        half[...] = (half - mean) / np.sqrt(variance + 1e-5)
    return c * scale[:, None, None] + shift[:, None, None]


def rms_norm_model(x: Any, scale: Any, w: Any) -> Any:
    return x / np.sqrt(np.mean(x**2, -1, keepdims=True) + 1e-6) * scale @ w


def embedding_bag(words: Any, weights: Any, table: Any) -> Any:
    return np.array([np.average(table[row], axis=0, weights=w) * w.mean() for row, w in zip(words, weights)])


def sinusoidal_positions(words: Any, table: Any) -> Any:
    angle = np.outer(np.arange(words.shape[1]), 10000 ** (-np.arange(3) / 3))
    return table[words] + np.concatenate([np.sin(angle), np.cos(angle)], axis=1)


def cached_attention(q: Any, k: Any, v: Any, keys: Any, values: Any, place: Any) -> Arrays:
    keys[:, place], values[:, place] = k, v
    y = attend(q[:, None], keys[:, : place + 1], values[:, : place + 1], 0.5)
    return y[:, 0], keys


def viterbi_step(score: Any, transition: Any, emission: Any) -> Arrays:
    paths = score[:, :, None] + transition
    return paths.max(1) + emission, paths.argmax(1)


def softmax_classifier(x: Any, y: Any, w: Any, bias: Any) -> Arrays:
    scores = x @ w + bias
    return cross_entropy(scores, y).mean(), np.mean(scores.argmax(1) != y), scores.argmax(1)


def ppo_loss(logits: Any, old: Any, action: Any, advantage: Any) -> Arrays:
    p = softmax(logits, 1)
    ratio = p[np.arange(len(old)), action] / np.exp(old)
    limit = np.where(advantage > 0, np.minimum(ratio, 1.2), np.maximum(ratio, 0.8))
    return -np.mean(limit * advantage), scipy.stats.entropy(p, axis=1).mean()


def q_learning(q: Any, following: Any, action: Any, reward: Any, done: Any) -> Any:
    target = reward + 0.9 * following.max(1) * ~done
    return scipy.special.huber(1, q[np.arange(len(q)), action] - target).mean()


def top_k_filter(logits: Any) -> Any:
    limit = np.partition(logits, -2, axis=1)[:, -2:].min(1, keepdims=True)
    return softmax(np.where(logits >= limit, logits, -np.inf), 1)


def nucleus_filter(logits: Any) -> Any:
    """A word is kept if those that are more likely hold less than 0.7."""
    p = softmax(logits, 1)
    above = np.array([[row[row > x].sum() for x in row] for row in p])
    kept = p * (above < 0.7)
    return kept / kept.sum(1, keepdims=True)


def pre_norm_block(x: Any, scale: Any, shift: Any, w: Any, v: Any, out: Any, last: Any) -> Any:
    normed = layer_norm(x, scale, shift)
    added = x + (normed @ w * scipy.special.expit(normed @ w) * (normed @ v)) @ out
    return added / np.sqrt(np.mean(added**2, -1, keepdims=True) + 1e-5) * last


def losses(z: Any, y: Any, label: Any) -> Arrays:
    q = scipy.special.expit(z)
    binary = np.mean(-y * np.log(q) - (1 - y) * np.log1p(-q))
    divergence = scipy.special.rel_entr(softmax(y, 1), softmax(z, 1)).sum(1).mean()
    return binary, scipy.special.huber(1, z - y).mean(), divergence, cross_entropy(z, label).mean()


HELPERS: Sequence[Any] = (attend, heads, joined, layer_norm, gelu, cross_entropy)
