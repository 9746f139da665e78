"""What networks are made of, softmax and its losses: rows and smooth points."""

from __future__ import annotations

import itertools
import math

import numpy as np
import scipy.special

from tests.ops.samples.base import FLOATS, INF, NAN, SMALL, ULP, Sample, Smooth, array, random, row, smooth
from tests.ops.samples.reduce import AXES, REDUCED, over_reductions


def rows() -> list[Sample]:
    rows = []
    for name, (shape, axes) in itertools.product(FLOATS, [case for case in REDUCED if case[1]]):
        x = random(shape, name, -30, 30)
        # An error of half an ulp in x - max, of up to 60; small types are computed in f32, and rounded once.
        exact, rtol = x.astype("float64"), (1 if name in SMALL else 64) * ULP[name]
        plain = scipy.special.softmax(exact, tuple(axes)) if x.size else exact
        logs = scipy.special.log_softmax(exact, tuple(axes)) if x.size else exact
        rows.append(row("tir.softmax", f"%0 over {axes} : {{r}}", [x], plain.astype(x.dtype), rtol=rtol))
        rows.append(row("tir.log_softmax", f"%0 over {axes} : {{r}}", [x], logs.astype(x.dtype), rtol=rtol))
    hard = array([[1e4, 1e4, -1e4], [-INF, 0, -INF], [-INF, -INF, -INF], [NAN, 0, 0], [-3e38, -3e38, -INF]], "f32")
    soft = array([[0.5, 0.5, 0], [0, 1, 0], [0, 0, 0], [NAN, NAN, NAN], [0.5, 0.5, 0]], "f32")
    half = -math.log(2)
    logs = array([[half, half, half - 2e4], [-INF, 0, -INF], [-INF] * 3, [NAN] * 3, [half, half, -INF]], "f32")
    rows.append(row("tir.softmax", "%0 over [1] : {r}", [hard], soft, rtol=1e-6))
    rows.append(row("tir.log_softmax", "%0 over [1] : {r}", [hard], logs, rtol=1e-6))
    x = random((2, 3), "f32")
    want = scipy.special.softmax(x.astype("float64"), 1).astype(np.float32)
    rows.append(row("tir.softmax", "%0 over [1] : {r}", [x], want, dims=[("[N]", "?")], result=("[N]", "?"), rtol=1e-6))
    return rows + cross_entropy_rows()


def cross_entropy_rows() -> list[Sample]:
    rows = []
    form = "%0, %1 : {r}"
    for name, label in (("f32", "i32"), ("f64", "i64"), ("f32", "ui8")):
        x, y = random((3, 4), name, -5, 5), array([0, 3, 1], label)
        logs = scipy.special.log_softmax(x.astype("float64"), 1)
        want = -np.array([logs[i, int(j)] for i, j in enumerate(y)]).astype(x.dtype)
        rows.append(row("tir.softmax_cross_entropy", form, [x, y], want, rtol=16 * ULP[name]))
        rows.append(
            row(
                "tir.softmax_cross_entropy",
                form,
                [x, y],
                want,
                dims=[("[N]", 4), ("[N]",)],
                result=("[N]",),
                rtol=16 * ULP[name],
            )  # fmt: skip
        )
        p = scipy.special.softmax(random((3, 4), name, seed=3), 1)
        want = -(p.astype("float64") * logs).sum(1).astype(x.dtype)
        rows.append(row("tir.softmax_cross_entropy", form, [x, p], want, rtol=16 * ULP[name]))
    far = array([[0, 200], [0, 200], [-INF, 0], [0, 0]], "f32")
    rows += [
        row("tir.softmax_cross_entropy", form, [far, array([0, 1, 0, 7], "i32")], array([200, 0, INF, NAN], "f32")),
        row("tir.softmax_cross_entropy", form, [far[2:3], array([[0, 1]], "f32")], array([0], "f32")),
        row("tir.softmax_cross_entropy", form, [far[0], array(0, "i8")], array(200, "f32")),
        row(
            "tir.softmax_cross_entropy",
            form,
            [np.zeros((0, 4), "float32"), np.zeros(0, "int32")],
            np.zeros(0, "float32"),
        ),
    ]
    return rows


def points() -> list[Smooth]:
    x, y = random((2, 3), "f64"), random((2, 3), "f64", seed=1)
    found = []
    for axes, shape in AXES:
        found.append(smooth("tir.mean", f"%0 over {axes} : {{r}}", [x], shape))
        for name in ("softmax", "log_softmax") if axes else ():
            found.append(smooth(f"tir.{name}", f"%0 over {axes} : {{r}}", [x], (2, 3)))
    weights = np.abs(y) + 0.1  # not of sum 1, for which a wrong rule would do
    return found + [
        smooth("tir.mean", "%0 over [0] : {r}", [x], (3,), dims={0: ("[N]", 3)}),
        smooth("tir.mean", "%0 over [0, 1] : {r}", [x], (), dims={0: ("?", "[N]")}),
        smooth("tir.softmax", "%0 over [1] : {r}", [x], ("[N]", "?"), dims={0: ("[N]", "?")}),
        smooth("tir.softmax_cross_entropy", "%0, %1 : {r}", [x, array([2, 0], "i32")], (2,)),
        smooth("tir.softmax_cross_entropy", "%0, %1 : {r}", [x, weights], (2,), wrt=(0, 1)),
        smooth("tir.softmax_cross_entropy", "%0, %1 : {r}", [x, array([2, 0], "i64")], ("[N]",),
               dims={0: ("[N]", "?"), 1: ("[N]",)}),
    ]  # fmt: skip


def more_points() -> list[Smooth]:
    found = over_reductions("tir.mean", "%0 over [axes] : {r}", least=1)
    for name in ("softmax", "log_softmax"):
        found += over_reductions(f"tir.{name}", "%0 over [axes] : {r}", least=1, keeps=True)
    return found
