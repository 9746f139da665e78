"""Losses: rows and smooth points."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import mpmath
import numpy as np
import scipy.special

from tests.ops.samples.base import INF, NAN, ULP, Sample, Smooth, array, between, each, over_forms, random, row, smooth


def with_digits(function: Callable[[Any, Any], Any]) -> Callable[[float, float], float]:
    """The function in 60 digits, rounded once; nan if an operand is one."""

    def rounded(x: float, y: float) -> float:
        if x != x or y != y:
            return NAN
        with mpmath.workdps(60):
            return float(function(mpmath.mpf(x), mpmath.mpf(y)))

    return rounded


def weighted(weight: Any, value: Any) -> Any:
    """The product, 0 for a weight of 0."""
    return weight * value if weight else mpmath.mpf(0)


def softplus(z: Any) -> Any:
    """log(1 + exp(z))."""
    return z if z == mpmath.inf else mpmath.mpf(0) if z == -mpmath.inf else mpmath.log1p(mpmath.exp(z))


def log(x: Any) -> Any:
    return mpmath.log(x) if x else -mpmath.inf


def huber(x: Any, y: Any) -> Any:
    far = abs(x - y)
    return far**2 / 2 if far <= 0.5 else 0.5 * (far - 0.25)


LOSSES: dict[str, Callable[[Any, Any], Any]] = {
    "tir.binary_cross_entropy_with_logits": lambda z, t: weighted(t, softplus(-z)) + weighted(1 - t, softplus(z)),
    "tir.binary_cross_entropy": lambda p, t: -(weighted(t, log(p)) + weighted(1 - t, log(1 - p))),
    "tir.huber": huber,
    "tir.kl_div": lambda log_q, p: weighted(p, log(p) - log_q),
}
HARD = {
    "tir.binary_cross_entropy_with_logits": [
        (INF, 1), (INF, 0), (-INF, 0), (INF, 0.5), (200, 0), (-200, 1), (40, 1), (-40, 0), (NAN, 0), (0, NAN)],
    "tir.binary_cross_entropy": [(0, 0), (1, 1), (0, 1), (1, 0), (1e-30, 0), (1e-30, 1), (0.5, 0), (NAN, 0.5)],
    "tir.huber": [(INF, 1), (3e38, 0), (0, 1e-30), (0.5, 0), (0, 0.75), (NAN, 0)],
    "tir.kl_div": [(-INF, 0), (-INF, 0.5), (0, 1), (-1000, 1e-30), (NAN, 0.5)],
}  # fmt: skip


def words(op: str, name: str) -> str:
    return f"%0, %1 delta 0.5 : {name} : {{r}}" if op == "tir.huber" else "%0, %1 : {r}"


def operands(op: str, shape: tuple[int, ...], name: str) -> list[np.ndarray]:
    probability = random(shape, name, 0.01, 0.99, seed=1)
    first = random(shape, name, 0.01, 0.99) if op == "tir.binary_cross_entropy" else random(shape, name)
    return [first, random(shape, name, seed=1) if op == "tir.huber" else probability]


def rows() -> list[Sample]:
    found = []
    for (op, function), name in itertools.product(LOSSES.items(), ("f32", "f64")):
        pairs = np.array(HARD[op], np.float64).T.astype(operands(op, (1,), name)[0].dtype)
        for xs in [operands(op, shape, name) for shape in ((), (0,), (2, 3))] + [list(pairs)]:
            made = row(op, words(op, name), xs, each(with_digits(function), *xs))
            found.append(replace(made, rtol=8 * ULP[name], atol=4 * ULP[name]))
        if name == "f32":
            xs = operands(op, (2, 3), name)
            facts: dict[str, Any] = {"dims": [("[N]", 3), ("?", "?")], "result": ("[N]", 3), "rtol": 8 * ULP[name]}
            found.append(row(op, words(op, name), xs, each(with_digits(function), *xs), **facts))
    return found + nll_rows() + class_rows()


def nll_rows() -> list[Sample]:
    scores, labels = random((3, 4), "f32"), array([0, 3, 1], "i32")
    want = -np.array([scores[i, k] for i, k in enumerate(labels)])
    outside = array([-1, 4, 2], "i64")
    form = "%0, %1 : {r}"
    return [
        row("tir.nll_loss", form, [scores, labels], want),
        row("tir.nll_loss", form, [scores, outside], array([NAN, NAN, -scores[2, 2]], "f32")),
        row("tir.nll_loss", form, [scores, array([0, 3, 1], "ui8")], want, dims=[("[N]", "?"), ("?",)], result=("[N]",)),
        row("tir.nll_loss", form, [array([-INF, 0], "f64"), array(0, "i8")], array(INF, "f64")),
        row("tir.nll_loss", form, [np.zeros((0, 3), "f4"), np.zeros(0, "i4")], np.zeros(0, "f4")),
        row("tir.nll_loss", form, [np.zeros((2, 0), "f4"), np.zeros(2, "i4")], array([NAN, NAN], "f32")),
    ]


def class_loss(
    logs: np.ndarray, labels: np.ndarray, weights: np.ndarray | None, ignore: int | None, smoothing: float = 0.0
) -> np.ndarray:
    """The losses of class numbers as torch's documentation has them, from logarithms of probabilities in f64."""
    classes = logs.shape[-1]
    weights = np.ones(classes) if weights is None else weights.astype(np.float64)
    found = np.full(labels.shape, NAN)
    for place in np.ndindex(*labels.shape):
        label, row = int(labels[place]), logs[place]
        if label == ignore:
            found[place] = 0
        elif 0 <= label < classes:
            terms = [w * -v if w else 0.0 for w, v in zip(weights.tolist(), row.tolist())]
            found[place] = (1 - smoothing) * terms[label] + smoothing / classes * sum(terms) if smoothing else terms[label]
    return found


def class_rows() -> list[Sample]:
    """tir.softmax_cross_entropy and tir.nll_loss with weights, an ignored label and smoothed labels, in each combination."""
    found = []
    for name, label in (("f32", "i32"), ("f64", "i64"), ("f16", "i8"), ("bf16", "ui8")):
        x, weights = random((2, 3, 4), name, -5, 5), random((4,), name, 0.25, 2, seed=2)
        y = array([[0, 3, 1], [2, 2, 7]], label)
        logs = scipy.special.log_softmax(x.astype(np.float64), -1)
        for weighted, ignore, smoothing in itertools.product((False, True), (None, 2, -100), (0.0, 0.25)):
            if not (weighted or ignore or smoothing):
                continue
            inputs = [x, y] + [weights] * weighted
            words = "%0, %1" + " weights %2" * weighted + f" ignore {ignore}" * (ignore is not None)
            w = weights if weighted else None
            want = array(class_loss(logs, y, w, ignore, smoothing), name)
            smooth_words = f"{words} smoothing({smoothing} : f64)" if smoothing else words
            found.append(row("tir.softmax_cross_entropy", f"{smooth_words} : {{r}}", inputs, want, rtol=16 * ULP[name]))
            if not smoothing:
                want = array(class_loss(x.astype(np.float64), y, w, ignore), name)
                found.append(row("tir.nll_loss", f"{words} : {{r}}", inputs, want, rtol=4 * ULP[name]))
    x, y, weights = random((2, 3), "f32"), array([2, 0], "i32"), array([0.5, 1, 2], "f32")
    dims, form = [("[N]", "?"), ("?",), ("?",)], "%0, %1 weights %2 ignore 0 : {r}"
    for op, logs in (("tir.softmax_cross_entropy", scipy.special.log_softmax(x, -1)), ("tir.nll_loss", x)):
        want = array(class_loss(logs.astype(np.float64), y, weights, 0), "f32")
        found.append(row(op, form, [x, y, weights], want, dims=dims, result=("[N]",), rtol=16 * ULP["f32"]))
    # A weight of 0 takes an infinite loss away, and an ignored label whatever the scores are.
    far, none = array([[-INF, 0, 0], [NAN, 0, 0], [0, -INF, 0]], "f64"), array([0, 1, 2], "f64")
    for op, last in (("tir.softmax_cross_entropy", np.log(2) * 2), ("tir.nll_loss", 0.0)):
        want = array([0, 0, last], "f64")
        found.append(row(op, form.replace("0 :", "1 :"), [far, array([0, 1, 2], "i64"), none], want, rtol=16 * ULP["f64"]))
    return found + dense_rows()


def dense_rows() -> list[Sample]:
    """tir.softmax_cross_entropy of probabilities, with weights and smoothed."""
    found = []
    for name in ("f32", "f64"):
        x, weights = random((3, 4), name, -5, 5), random((4,), name, 0.25, 2, seed=2)
        p = scipy.special.softmax(random((3, 4), name, seed=3), 1)
        logs = scipy.special.log_softmax(x.astype(np.float64), -1)
        plain, smoothed = -(weights * p * logs).sum(1), -((0.75 * p + 0.25 / 4) * logs).sum(1)
        both = -(weights * (0.75 * p + 0.25 / 4) * logs).sum(1)
        forms = (("weights %2", plain), ("smoothing(0.25 : f64)", smoothed), ("weights %2 smoothing(0.25 : f64)", both))
        for words, want in forms:
            inputs = [x, p, weights] if "%2" in words else [x, p]
            made = row("tir.softmax_cross_entropy", f"%0, %1 {words} : {{r}}", inputs, array(want, name), rtol=16 * ULP[name])
            found.append(made)
    return found


def class_points() -> list[Smooth]:
    """With gradients of the scores, of the weights and of probabilities."""
    x, y, weights = random((3, 4), "f64"), array([2, 0, 3], "i32"), array([0.5, 2, 1.5, 0], "f64")
    p = np.abs(random((3, 4), "f64", seed=1)) + 0.1
    dims = {0: ("[N]", "?"), 1: ("?",), 2: ("?",)}
    found = []
    for words in (" ignore 0", " ignore 2 smoothing(0.25 : f64)"):
        form = f"%0, %1 weights %2{words} : {{r}}"
        found.append(smooth("tir.softmax_cross_entropy", form, [x, y, weights], ("[N]",), dims=dims, wrt=(0, 2)))
        if "smoothing" not in words:
            found.append(smooth("tir.nll_loss", form, [x, y, weights], ("[N]",), dims=dims, wrt=(0, 2)))
    form = "%0, %1 weights %2 smoothing(0.25 : f64) : {r}"
    found.append(smooth("tir.softmax_cross_entropy", form, [x, p, weights], (3,), wrt=(0, 1, 2)))
    found.append(smooth("tir.softmax_cross_entropy", "%0, %1 ignore 0 : {r}", [x, y], (3,)))
    return found


def points() -> list[Smooth]:
    found = [
        smooth(op, words(op, "f64"), operands(op, (2, 3), "f64"), ("[N]", 3), wrt=(0, 1), dims={0: ("[N]", 3), 1: ("[N]", 3)})
        for op in LOSSES
    ]
    found += class_points()
    return [*found, smooth("tir.nll_loss", "%0, %1 : {r}", [random((2, 3), "f64"), array([2, 0], "i32")], (2,))]


#: Leading sizes of scores, as numbers and in types, and the number of classes.
SCORES: tuple[tuple[tuple[int, ...], tuple[int | str, ...], int], ...] = (
    ((), (), 3), ((), (), 1), ((1,), (1,), 2), ((3,), ("[N]",), 4), ((5,), ("?",), 2), ((0,), ("[N]",), 3), ((2, 2), (2, 2), 3),
    ((2, 1), ("[N]", "?"), 5), ((0, 2), ("?", 2), 2), ((2, 1, 2), ("[N]", 1, "[M]"), 3),
)  # fmt: skip


def more_points() -> list[Smooth]:
    by_element = {
        "tir.binary_cross_entropy_with_logits": (between(-3, 3), between(0.05, 0.95, 1)),
        "tir.binary_cross_entropy": (between(0.05, 0.95), between(0.05, 0.95, 1)),
        "tir.huber": (between(-2, 2), lambda shape: between(-2, 2)(shape) + far_or_near(shape)),
        "tir.kl_div": (between(-2, 2), between(0.1, 0.9, 1)),
    }
    found = [point for op, makers in by_element.items() for point in over_forms(op, words(op, "f64"), *makers)]
    for shape, sizes, classes in SCORES:
        x, weights = random((*shape, classes), "f64"), random((classes,), "f64", 0.25, 2, seed=2)
        y = np.random.default_rng(classes).integers(0, classes, shape).astype(np.int32)
        p = random((*shape, classes), "f64", 0.1, 0.9, seed=3)
        facts: dict[str, Any] = {"dims": {0: (*sizes, "?"), 1: sizes, 2: (classes,)}}
        for op in ("tir.softmax_cross_entropy", "tir.nll_loss"):
            found.append(smooth(op, "%0, %1 weights %2 ignore 1 : {r}", [x, y, weights], sizes, wrt=(0, 2), **facts))
        facts["dims"][1] = (*sizes, classes)
        words_of_p = "%0, %1 weights %2 smoothing(0.25 : f64) : {r}"
        found.append(smooth("tir.softmax_cross_entropy", words_of_p, [x, p, weights], sizes, wrt=(0, 1, 2), **facts))
    return found


def far_or_near(shape: tuple[int, ...]) -> np.ndarray:
    """Differences that are not near 0.5, where `tir.huber` changes its form."""
    rng = np.random.default_rng([7, *shape])
    return rng.choice([-1, 1], shape) * (rng.uniform(0.05, 0.4, shape) + 0.55 * rng.integers(0, 2, shape))
