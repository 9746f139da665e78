"""Losses: rows and smooth points."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import mpmath
import numpy as np

from tests.ops.samples.base import INF, NAN, ULP, Sample, Smooth, array, each, random, row, smooth


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
    return found + nll_rows()


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


def points() -> list[Smooth]:
    found = [
        smooth(op, words(op, "f64"), operands(op, (2, 3), "f64"), ("[N]", 3), wrt=(0, 1), dims={0: ("[N]", 3), 1: ("[N]", 3)})
        for op in LOSSES
    ]
    return [*found, smooth("tir.nll_loss", "%0, %1 : {r}", [random((2, 3), "f64"), array([2, 0], "i32")], (2,))]
