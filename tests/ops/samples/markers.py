"""Markers: rows, which give x itself; what they do to gradients is tested with the pass `autodiff`."""

from __future__ import annotations

from dataclasses import replace

from tests.ops.samples.base import FLOATS, SPECIALS, Sample, Smooth, between, over_forms, random, smooth, unary

FORMS = {
    "tir.stop_gradient": "", "tir.grad_scale": " factor(-0.5)", "tir.grad_clip": " low(-1.0) high(2.0)",
    "tir.optimization_barrier": "",
}  # fmt: skip


def rows() -> list[Sample]:
    found = [(form, row) for op, form in FORMS.items() for row in unary(op, lambda x: x, FLOATS, hard=SPECIALS)]
    return [replace(row, text=row.text.replace("%0 :", f"%0{form} :")) for form, row in found]


def points() -> list[Smooth]:
    return [smooth("tir.optimization_barrier", "%0 : {r}", [random((2, 3), "f64")], (2, 3))]


def more_points() -> list[Smooth]:
    return over_forms("tir.optimization_barrier", "%0 : {r}", between(-3, 3))
