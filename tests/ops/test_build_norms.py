"""The builder's reductions, sorts, norms and losses compute what numpy and scipy say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special

from tests.ops.test_builder import built, types_of
from tir.interpret import Interpreter
from tir.ir.errors import TirError

RNG = np.random.default_rng(3)
X = RNG.normal(size=(4, 6)).astype(np.float32)
IMAGES = RNG.normal(size=(2, 6, 3, 5)).astype(np.float32)
SCALE, OFFSET = RNG.normal(size=6).astype(np.float32), RNG.normal(size=6).astype(np.float32)
SIGNS = np.sign(RNG.normal(size=(4, 6))).astype(np.float32)


def plain(x: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    wide = x.astype(np.float64)
    return (wide - wide.mean(axes, keepdims=True)) / np.sqrt(wide.var(axes, keepdims=True) + 1e-5)


def channels(x: np.ndarray, v: np.ndarray) -> np.ndarray:
    return v.reshape(1, -1, *[1] * (x.ndim - 2))


def grouped(x: np.ndarray, s: np.ndarray, o: np.ndarray) -> np.ndarray:
    flat = plain(x.reshape(2, 3, -1), (2,)).reshape(x.shape)
    return flat * channels(x, s) + channels(x, o)


CASES: list[tuple[str, Callable[..., Any], Callable[..., Any], tuple[np.ndarray, ...]]] = [
    ("var", lambda b, x: b.var(x, 0, ddof=1, keepdims=True), lambda x: x.var(0, ddof=1, keepdims=True), (X,)),
    ("var of none", lambda b, x: b.var(x, []), np.zeros_like, (X,)),
    ("std", lambda b, x: b.std(x), lambda x: x.std(), (X,)),
    ("norm 1", lambda b, x: b.norm(x, -1, 1), lambda x: np.linalg.norm(x, 1, 1), (X,)),
    ("norm", lambda b, x: b.norm(x), np.linalg.norm, (X,)),
    ("norm inf", lambda b, x: b.norm(x, 1, float("inf")), lambda x: np.linalg.norm(x, np.inf, 1), (X,)),
    ("logsumexp", lambda b, x: b.logsumexp(x, 1), lambda x: scipy.special.logsumexp(x, 1), (X,)),
    ("argmin", lambda b, x: b.argmin(x, -1), lambda x: x.argmin(-1), (X,)),
    ("min", lambda b, x: b.min(x, 0, ties="first"), lambda x: x.min(0), (X,)),
    ("cumprod", lambda b, x: b.cumprod(x, -1), lambda x: x.cumprod(-1), (X,)),
    ("cummax", lambda b, x: b.cummax(x, 0), lambda x: np.maximum.accumulate(x, 0), (X,)),
    ("cummin", lambda b, x: b.cummin(x, 1, reverse=True), lambda x: np.minimum.accumulate(x[:, ::-1], 1)[:, ::-1], (X,)),
    ("sort", lambda b, x: b.sort(x, 0, descending=True), lambda x: -np.sort(-x, 0), (X,)),
    ("argsort", lambda b, x: b.argsort(x), lambda x: np.argsort(x), (X,)),
    ("sort by keys", lambda b, x: b.sort_by(x, -x, axis=0)[1], lambda x: -np.sort(x, 0), (X,)),
    ("sort by keys alone", lambda b, x: b.sort_by(x)[0], lambda x: np.sort(x), (X,)),
    ("recurrence", lambda b, x: b.recurrence(1, x, -1), lambda x: x.cumsum(-1), (X,)),
    ("polygamma", lambda b, x: b.polygamma(b.abs(x), 1), lambda x: scipy.special.polygamma(1, np.abs(x)), (X,)),
    ("top_k", lambda b, x: b.top_k(x, 2)[0], lambda x: -np.sort(-x, -1)[:, :2], (X,)),
    ("top_k of the smallest", lambda b, x: b.top_k(x, 2, 0, smallest=True)[1], lambda x: np.argsort(x, 0)[:2], (X,)),
    ("normalize", lambda b, x: b.normalize(x), lambda x: plain(x, (1,)), (X,)),
    ("layer norm", lambda b, x, s, o: b.layer_norm(x, s, o), lambda x, s, o: plain(x, (1,)) * s + o, (X, SCALE, OFFSET)),
    ("rms norm", lambda b, x, s: b.rms_norm(x, s),
     lambda x, s: x / np.sqrt((x.astype("f8") ** 2).mean(1, keepdims=True) + 1e-5) * s, (X, SCALE)),
    ("batch norm", lambda b, x, s, o: b.batch_norm(x, s, o)[0],
     lambda x, s, o: plain(x, (0, 2, 3)) * channels(x, s) + channels(x, o), (IMAGES, SCALE, OFFSET)),
    ("batch norm with its moments", lambda b, x, s, o: b.batch_norm_inference(x, s, o, *b.batch_norm(x, s, o)[1:]),
     lambda x, s, o: plain(x, (0, 2, 3)) * channels(x, s) + channels(x, o), (IMAGES, SCALE, OFFSET)),
    ("instance norm", lambda b, x, s, o: b.instance_norm(x, s, o),
     lambda x, s, o: plain(x, (2, 3)) * channels(x, s) + channels(x, o), (IMAGES, SCALE, OFFSET)),
    ("group norm", lambda b, x, s, o: b.group_norm(x, 3, s, o), grouped, (IMAGES, SCALE, OFFSET)),
    ("mse", lambda b, x, y: b.mse(x, y), lambda x, y: np.mean((x - y) ** 2), (X, SIGNS)),
    ("huber", lambda b, x: b.huber(x, 0.5), lambda x: scipy.special.huber(1.0, x - 0.5), (X,)),
    ("smooth l1", lambda b, x, y: b.smooth_l1(x, y, 0.5), lambda x, y: scipy.special.huber(0.5, x - y) / 0.5, (X, SIGNS)),
    ("hinge", lambda b, x, y: b.hinge(x, y), lambda x, y: np.maximum(0, 1 - x * y), (X, SIGNS)),
    ("logits", lambda b, x: b.binary_cross_entropy_with_logits(x, 1), lambda x: np.log1p(np.exp(-x)), (X,)),
    ("probabilities", lambda b, x: b.binary_cross_entropy(b.sigmoid(x), 0), lambda x: np.log1p(np.exp(x)), (X,)),
    ("divergence", lambda b, x: b.kl_div(b.log_softmax(x), b.softmax(x * 2)),
     lambda x: scipy.special.rel_entr(scipy.special.softmax(2 * x, 1), scipy.special.softmax(x, 1)), (X,)),
    ("weighted likelihood", lambda b, x, w: b.nll_loss(x, b.constant([0, 5, 2, 1]), w, ignore=5),
     lambda x, w: -x[range(4), [0, 5, 2, 1]] * w[[0, 5, 2, 1]] * [1, 0, 1, 1], (X, SCALE)),
    ("smoothed classes", lambda b, x, w: b.softmax_cross_entropy(x, b.constant([0, 5, 2, 1]), w, smoothing=1.0),
     lambda x, w: -(w * scipy.special.log_softmax(x, 1)).mean(1), (X, SCALE)),
    ("likelihood", lambda b, x: b.nll_loss(x, b.constant([0, 5, 2, 1])), lambda x: -x[range(4), [0, 5, 2, 1]], (X,)),
]  # fmt: skip


@pytest.mark.parametrize(("build", "compute", "arrays"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_builder_method_gives_what_numpy_gives(build: Callable[..., Any], compute: Callable[..., Any], arrays: tuple) -> None:
    (got,) = Interpreter(built(build, *types_of(*arrays)).module).run("f", list(arrays))
    want = np.asarray(compute(*arrays))
    assert got.dtype.kind == want.dtype.kind and got.shape == want.shape
    # Sums of up to 30 terms near 1, in f32.
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


def test_bits_are_folded_along_an_axis() -> None:
    x = np.array([[12, 10], [6, 3]], np.int32)
    for name, want in (("reduce_and", [8, 2]), ("reduce_or", [14, 7]), ("reduce_xor", [6, 5])):
        (got,) = Interpreter(built(lambda b, x, name=name: getattr(b, name)(x, 1), *types_of(x)).module).run("f", [x])
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda b, x: b.norm(x, order=3), "norm: the order must be 1, 2 or inf, got 3"),
        (lambda b, x: b.group_norm(x, 4, SCALE, OFFSET), "group_norm: the channels must be a multiple of the groups, got tensor<4x6xf32>"),
    ],
)
def test_wrong_numbers_are_refused(build: Callable[..., Any], message: str) -> None:
    with pytest.raises(TirError) as caught:
        built(build, *types_of(X))
    assert message in str(caught.value)
