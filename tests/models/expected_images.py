"""Dense and convolutional models in numpy: what tests/models/NAME.tir gives, as a function of its name.

Floats come as float64. Convolutions are sums over the places of the window, in loops.
"""

from __future__ import annotations

import colorsys
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.stats

Arrays = tuple[Any, ...]


def conv(x: Any, w: Any, stride: int = 1, pad: int = 0, groups: int = 1, dilation: int = 1) -> Any:
    """x [batch, features, ..] correlated with w [outputs, inputs, ..]: a shifted product for each place of the window."""
    spatial = x.ndim - 2
    x = np.pad(x, ((0, 0), (0, 0), *((pad, pad),) * spatial))
    counts = [(x.shape[2 + i] - (w.shape[2 + i] - 1) * dilation - 1) // stride + 1 for i in range(spatial)]
    out = np.zeros((x.shape[0], w.shape[0], *counts))
    outputs, inputs = w.shape[0] // groups, w.shape[1]
    for group, place in itertools.product(range(groups), np.ndindex(*w.shape[2:])):
        cut = tuple(slice(p * dilation, p * dilation + (n - 1) * stride + 1, stride) for p, n in zip(place, counts))
        taken = x[(slice(None), slice(group * inputs, (group + 1) * inputs), *cut)]
        here = slice(group * outputs, (group + 1) * outputs)
        out[:, here] += np.einsum("bc...,oc->bo...", taken, w[(here, slice(None), *place)])
    return out


def transposed_conv(x: Any, w: Any, stride: int, cut: int = 0) -> Any:
    """Each pixel of x [batch, inputs, ..] paints its window w [inputs, outputs, ..]; `cut` pixels go at each border."""
    (batch, _, *sizes), (_, outputs, *window) = x.shape, w.shape
    out = np.zeros((batch, outputs, *((n - 1) * stride + k for n, k in zip(sizes, window))))
    for place in np.ndindex(*sizes):
        spot = tuple(slice(p * stride, p * stride + k) for p, k in zip(place, window))
        out[(slice(None), slice(None), *spot)] += np.einsum("bi,io...->bo...", x[(slice(None), slice(None), *place)], w)
    kept = (slice(cut, -cut) if cut else slice(None),) * len(sizes)
    return out[(slice(None), slice(None), *kept)]


def pool(x: Any, size: int, stride: int, fold: Any, pad: int = 0, ceil: bool = False) -> Any:
    """fold of the part of each window that lies in the image, over the spatial axes of x."""
    sizes = x.shape[2:]
    room = [n + 2 * pad - size for n in sizes]
    counts = [-(-r // stride) + 1 if ceil else r // stride + 1 for r in room]
    out = np.empty((*x.shape[:2], *counts))
    for place in np.ndindex(*counts):
        cut = tuple(slice(max(p * stride - pad, 0), min(p * stride - pad + size, n)) for p, n in zip(place, sizes))
        window = x[(slice(None), slice(None), *cut)]
        out[(slice(None), slice(None), *place)] = fold(window.reshape(*x.shape[:2], -1), axis=2)
    return out


def by_feature(v: Any, x: Any) -> Any:
    """v, a number for each feature, for the images x."""
    return v.reshape(-1, *(1,) * (x.ndim - 2))


def relu(x: Any) -> Any:
    return np.where(x > 0, x, 0)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def dense(activation: Any, x: Any, w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
    """A network with one hidden layer."""
    return activation(x @ w1 + b1) @ w2 + b2


def mlp_relu(*xs: Any) -> Any:
    return dense(relu, *xs)


def mlp_tanh(*xs: Any) -> Any:
    return dense(np.tanh, *xs)


def mlp_sigmoid(*xs: Any) -> Any:
    return sigmoid(dense(sigmoid, *xs))


def mlp_gelu_tanh(*xs: Any) -> Any:
    return dense(lambda a: a / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (a + 0.044715 * a**3))), *xs)


def mlp_silu(*xs: Any) -> Any:
    return dense(lambda a: a / (1 + np.exp(-a)), *xs)


def mlp_leaky_relu(*xs: Any) -> Any:
    return dense(lambda a: np.maximum(a, 0.1 * a), *xs)


def mlp_elu(*xs: Any) -> Any:
    return dense(lambda a: np.where(a > 0, a, np.expm1(np.minimum(a, 0))), *xs)


def mlp_softplus(*xs: Any) -> Any:
    return dense(lambda a: np.logaddexp(0, 10 * a), *xs)


def mlp_mish(*xs: Any) -> Any:
    return dense(lambda a: a * np.tanh(np.logaddexp(0, a)), *xs)


def mlp_swiglu(x: Any, w: Any, v: Any, out: Any) -> Any:
    gate = x @ w
    return (gate * sigmoid(gate) * (x @ v)) @ out


def mlp_gelu(*xs: Any) -> Any:
    return dense(lambda a: a * scipy.stats.norm.cdf(a), *xs)


def mlp_selu(*xs: Any) -> Any:
    return dense(lambda a: 1.0507009873554805 * np.where(a > 0, a, 1.6732632423543772 * np.expm1(np.minimum(a, 0))), *xs)


def mlp_hard_swish(*xs: Any) -> Any:
    return np.clip(dense(lambda a: a * np.clip(a / 5 + 0.5, 0, 1), *xs), -2, 2)


def mlp_unknown_sizes(x: Any, w1: Any, b1: Any, w2: Any) -> Any:
    return relu(x @ w1 + b1) @ w2


def mlp_dropout(x: Any, mask: Any, w1: Any, w2: Any, w3: Any) -> Any:
    return relu((relu(x @ w1) * mask * 2) @ w2) @ w3


def lenet(x: Any, w1: Any, b1: Any, w2: Any, b2: Any, w3: Any, b3: Any) -> Any:
    for w, b in ((w1, b1), (w2, b2)):
        c = conv(x, w)
        x = pool(np.tanh(c + by_feature(b, c)), 2, 2, np.mean)
    return x.reshape(len(x), -1) @ w3 + b3


def vgg_block(x: Any, w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
    for w, b in ((w1, b1), (w2, b2)):
        c = conv(x, w, pad=1)
        x = relu(c + by_feature(b, c))
    return pool(x, 2, 2, np.max)


def resnet_basic(x: Any, w1: Any, s1: Any, t1: Any, w2: Any, s2: Any, t2: Any) -> Any:
    h = relu(conv(x, w1, pad=1) * by_feature(s1, x) + by_feature(t1, x))
    return relu(x + conv(h, w2, pad=1) * by_feature(s2, x) + by_feature(t2, x))


def resnet_bottleneck(x: Any, w1: Any, w2: Any, w3: Any, projection: Any) -> Any:
    h = relu(conv(relu(conv(x, w1)), w2, stride=2, pad=1))
    return relu(conv(h, w3) + conv(x, projection, stride=2))


def depthwise_separable(x: Any, depthwise: Any, pointwise: Any) -> Any:
    h = np.clip(conv(x, depthwise, stride=2, pad=1, groups=4), 0, 6)
    return np.clip(np.einsum("bcyx,oc->boyx", h, pointwise[:, :, 0, 0]), 0, 6)


def squeeze_excite(x: Any, w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
    gate = sigmoid(relu(x.mean((2, 3)) @ w1 + b1) @ w2 + b2)
    return x * gate[:, :, None, None]


def inception(x: Any, w1: Any, w3: Any, w5: Any, wp: Any) -> Any:
    pooled = pool(x, 3, 1, np.max, pad=1)
    parts = (conv(x, w1), conv(x, w3, pad=1), conv(x, w5, pad=2), conv(pooled, wp))
    return relu(np.concatenate(parts, axis=1))


def unet(x: Any, down: Any, middle: Any, up: Any, last: Any) -> Any:
    d = relu(conv(x, down, pad=1))
    m = relu(conv(pool(d, 2, 2, np.max), middle, pad=1))
    return sigmoid(conv(np.concatenate([d, transposed_conv(m, up, 2)], axis=1), last))


def dilated_stack(x: Any, w1: Any, w2: Any, w3: Any) -> Any:
    for dilation, w in ((1, w1), (2, w2), (4, w3)):
        x = x + np.tanh(conv(np.pad(x, ((0, 0), (0, 0), (dilation, 0))), w, dilation=dilation))
    return x


def text_conv(words: Any, table: Any, w: Any, b1: Any, out: Any) -> Any:
    c = conv(table[words].transpose(0, 2, 1), w)
    return relu(c + by_feature(b1, c)).max(axis=2) @ out


def conv3d(x: Any, w: Any) -> Arrays:
    h = relu(conv(x, w))
    return pool(h, 2, 1, np.max), h.mean((2, 3, 4))


def pooling_heads(x: Any) -> Arrays:
    largest, average = pool(x, 3, 2, np.max, pad=1), pool(x, 3, 2, np.mean, pad=1)
    return largest, average, pool(x, 2, 2, np.mean, ceil=True), x.mean((2, 3))


def generator(z: Any, w: Any) -> Any:
    return np.tanh(transposed_conv(z, w, 2, cut=1))


def sobel(x: Any) -> Any:
    def smoothed(y: Any) -> Any:
        return y[..., :-2] + 2 * y[..., 1:-1] + y[..., 2:]

    across = smoothed((x[..., 2:] - x[..., :-2]).swapaxes(2, 3)).swapaxes(2, 3)
    along = smoothed(x[:, :, 2:] - x[:, :, :-2])
    return np.sqrt(across**2 + along**2 + 1e-6)


def upsample(x: Any) -> Any:
    """Between two pixels their mean; behind the last one half of it, as the border is 0."""

    def doubled(y: Any) -> Any:
        following = np.concatenate([y[..., 1:], np.zeros_like(y[..., :1])], axis=-1)
        between = (y + following) / 2
        return np.stack([y, between], axis=-1).reshape(*y.shape[:-1], -1)[..., :-1]

    return doubled(doubled(x).swapaxes(2, 3)).swapaxes(2, 3)


def conv_features_last(x: Any, w: Any, bias: Any) -> Any:
    found = conv(x.transpose(0, 3, 1, 2), w.transpose(3, 2, 0, 1), pad=1)
    return relu(found.transpose(0, 2, 3, 1) + bias)


def random_crop(x: Any, row: Any, column: Any, turn: Any) -> Any:
    row, column = np.clip([row, column], 0, 2)
    crop = x[:, row : row + 4, column : column + 4]
    return np.array([image[:, ::-1] if turned else image for image, turned in zip(crop, turn)])


def nearest_upsample(x: Any) -> Arrays:
    return np.kron(x, np.ones((1, 2, 3))), np.tile(x, (1, 2, 2))


def hsv_to_rgb(hsv: Any) -> Any:
    return np.array([colorsys.hsv_to_rgb(*row) for row in hsv])


def resnet_training(x: Any, w: Any, scale: Any, shift: Any) -> Arrays:
    c = conv(x, w, pad=1)
    mean, variance = c.mean((0, 2, 3)), c.var((0, 2, 3))
    normed = (c - by_feature(mean, c)) / by_feature(np.sqrt(variance + 1e-5), c)
    return relu(x + normed * by_feature(scale, c) + by_feature(shift, c)), mean, variance


def adaptive_instance_norm(content: Any, style: Any) -> Any:
    def spread(x: Any) -> Any:
        return np.sqrt(x.var((2, 3), keepdims=True) + 1e-5)

    centred = content - content.mean((2, 3), keepdims=True)
    return centred / spread(content) * spread(style) + style.mean((2, 3), keepdims=True)


HELPERS: Sequence[Any] = (conv, transposed_conv, pool, by_feature, relu, sigmoid, dense)
