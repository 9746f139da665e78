"""Variance, norms and log(sum(exp)): rows and smooth points."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import scipy.special

from tests.ops.samples.base import FLOATS, INF, NAN, ULP, Sample, Smooth, apart, array, random, row, smooth
from tests.ops.samples.reduce import AXES, fold, over_reductions

SHAPES = (((3,), [0]), ((0,), [0]), ((1,), [0]), ((2, 3), []), ((2, 3, 4), [0, 2]))
NORMS: dict[str, Callable[[list[float]], float]] = {
    "l1": lambda v: math.fsum(map(abs, v)),
    "l2": lambda v: math.hypot(*v),
    "max": lambda v: max(map(abs, v), default=0.0),
}


def variance(values: list[float], ddof: int) -> float:
    """In fractions, rounded once; nan where numpy divides 0 by 0."""
    exact = [Fraction(v) for v in values]
    divisor = max(len(exact) - ddof, 0)
    if divisor == 0:
        return NAN
    mean = sum(exact) / len(exact)
    return float(sum((v - mean) ** 2 for v in exact) / divisor)


def rows() -> list[Sample]:
    found = []
    for name, (shape, axes) in itertools.product(FLOATS, SHAPES):
        x, rtol = random(shape, name), 16 * ULP[name]  # at most 8 terms
        found += [row("tir.norm", f"%0 {order} over {axes} : {{r}}", [x], fold(norm, x, axes), rtol=rtol)
                  for order, norm in NORMS.items()]  # fmt: skip
        logs = scipy.special.logsumexp(x.astype("f8"), tuple(axes)) if x.size else -INF
        found.append(row("tir.logsumexp", f"%0 over {axes} : {{r}}", [x], np.asarray(logs, x.dtype), rtol=rtol))
        for ddof in (0, 1):
            want = fold(lambda v, ddof=ddof: variance(v, ddof), x, axes)
            words = f"over {axes}{' ddof 1' * ddof}"
            found.append(row("tir.var", f"%0 {words} : {{r}}", [x], want, rtol=rtol))
            found.append(row("tir.std", f"%0 {words} : {{r}}", [x], np.sqrt(want), rtol=rtol))
    return found + hard_rows() + unknown_rows()


def hard_rows() -> list[Sample]:
    large = array([[1e6, 1e6 + 1, 1e6 + 2], [3, 3, 3]], "f32")  # squares would lose the difference
    huge = array([[3e38, 3e38], [-3e-45, 4e-45], [INF, -1], [NAN, INF], [-0.0, 0.0]], "f32")
    size = array([float("3e38") * math.sqrt(2), 5.6e-45, INF, NAN, 0], "f32")
    logs = array([[-INF, -INF], [INF, 1], [1e4, 1e4], [NAN, 0], [-3e38, -INF]], "f32")
    log_wants = array([-INF, INF, 1e4 + math.log(2), NAN, -3e38], "f32")
    return [
        row("tir.var", "%0 over [1] : {r}", [large], array([2 / 3, 0], "f32"), rtol=1e-12),
        row("tir.std", "%0 over [1] ddof 1 : {r}", [large], array([1, 0], "f32")),
        row("tir.var", "%0 over [0] : {r}", [array([1, NAN], "f64")], array(NAN, "f64")),
        exactly("tir.norm", "%0 l2 over [1] : {r}", huge, size, 4 * ULP["f32"]),
        exactly("tir.norm", "%0 max over [1] : {r}", huge, array([3e38, 4e-45, INF, NAN, 0], "f32"), 0),
        exactly("tir.logsumexp", "%0 over [1] : {r}", logs, log_wants, 2 * ULP["f32"]),
    ]


def exactly(op: str, text: str, x: np.ndarray, want: np.ndarray, rtol: float) -> Sample:
    """A row whose tolerance is that of the wanted number alone, and one step of the smallest."""
    types = f"tensor<{x.shape[0]}x{x.shape[1]}xf32>", f"tensor<{x.shape[0]}xf32>"
    return Sample(op, text.format(r=types[1]), types[:1], (x,), types[1], want, rtol, 2e-45 * (rtol > 0))


def unknown_rows() -> list[Sample]:
    x = random((2, 3), "f32")
    wide = x.astype("f8")
    wants: list[tuple[str, Any]] = [
        ("tir.var {} ddof 1", wide.var(1, ddof=1)),
        ("tir.std {}", wide.std(1)),
        ("tir.norm l2 {}", np.linalg.norm(wide, axis=1)),
        ("tir.logsumexp {}", scipy.special.logsumexp(wide, 1)),
    ]
    found = []
    for text, want in wants:
        op, _, words = text.format("over [1]").partition(" ")
        facts: dict[str, Any] = {"dims": [("[N]", "?")], "result": ("[N]",), "rtol": 16 * ULP["f32"]}
        found.append(row(op, f"%0 {words} : {{r}}", [x], want.astype("f4"), **facts))
    return found


def points() -> list[Smooth]:
    x = random((2, 3), "f64")
    found = []
    for axes, shape in AXES[1:]:
        words = [f"var %0 over {axes} ddof 1", f"std %0 over {axes}", f"logsumexp %0 over {axes}"]
        for text in [*words, *(f"norm %0 {order} over {axes}" for order in NORMS)]:
            name, _, rest = text.partition(" ")
            found.append(smooth(f"tir.{name}", f"{rest} : {{r}}", [x], shape))
    dims = {"dims": {0: ("[N]", "?")}}
    return found + [
        smooth("tir.var", "%0 over [0, 1] : {r}", [x], (), **dims),
        smooth("tir.std", "%0 over [1] ddof 1 : {r}", [x], ("[N]",), **dims),
        smooth("tir.logsumexp", "%0 over [1] : {r}", [x], ("[N]",), **dims),
        smooth("tir.logsumexp", "%0 over [] : {r}", [x], ("[N]", "?"), **dims),
    ]


def more_points() -> list[Smooth]:
    return [
        *over_reductions("tir.var", "%0 over [axes] ddof 1 : {r}", least=2),
        *over_reductions("tir.var", "%0 over [axes] : {r}", least=1),
        *over_reductions("tir.std", "%0 over [axes] : {r}", apart, least=2),
        *over_reductions("tir.std", "%0 over [axes] ddof 1 : {r}", apart, least=2),
        *over_reductions("tir.logsumexp", "%0 over [axes] : {r}", least=1),
        *(point for order in NORMS for point in over_reductions("tir.norm", f"%0 {order} over [axes] : {{r}}", apart, least=1)),
    ]
