"""Points at which the ops of the tensor dialect are smooth, in f64: there a gradient is a limit of differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.ops.samples import array, random, type_of


@dataclass(frozen=True)
class Smooth:
    """An op at a point where it is smooth, in f64, by the operands in `wrt`. order: of the derivatives to test."""

    op: str
    text: str
    types: tuple[str, ...]
    inputs: tuple[np.ndarray, ...]
    result: str
    wrt: tuple[int, ...] = (0,)
    order: int = 2

    def __str__(self) -> str:
        return f"{self.op}-{','.join(self.types)}".replace("tensor", "")


def smooth(op: str, text: str, inputs: Sequence[np.ndarray], result: Sequence[int | str], **facts: Any) -> Smooth:
    """A point; `{0}` is the type of input 0, `{r}` that of the result, an f64 tensor of this shape."""
    dims = facts.pop("dims", {})
    types = tuple(type_of(x, dims.get(i)) for i, x in enumerate(inputs))
    type = type_of(np.zeros(()), result)
    return Smooth(op, text.format(*types, r=type), types, tuple(inputs), type, **facts)


def points() -> list[Smooth]:
    x, y, positive = random((2, 3), "f64"), random((2, 3), "f64", seed=1), random((2, 3), "f64", 0.3, 2)
    names = ("neg", "abs", "sign", "square", "exp", "tanh", "sigmoid", "relu")
    found = [smooth(f"tir.{name}", "%0 : {r}", [x], (2, 3)) for name in names]
    found += [smooth(f"tir.{name}", "%0 : {r}", [positive], (2, 3)) for name in ("sqrt", "log", "log1p")]
    found += [
        smooth(f"tir.{name}", "%0, %1 : {r}", [x, y], (2, 3), wrt=(0, 1))
        for name in ("add", "sub", "mul", "div", "maximum", "minimum")
    ]
    found += [
        smooth("tir.pow", "%0, %1 : {r}", [positive, y], (2, 3), wrt=(0, 1)),
        smooth("tir.select", "%0, %1, %2 : {r}", [random((2, 3), "i1"), x, y], (2, 3), wrt=(1, 2)),
        smooth("tir.exp", "%0 : {r}", [x], ("[N]", "?"), dims={0: ("[N]", "?")}),
        smooth("tir.add", "%0, %1 : {r}", [x, y], ("[N]", 3), dims={0: ("[N]", "?"), 1: ("?", 3)}, wrt=(0, 1)),
        smooth("tir.broadcast", "%0 along [0, 2] : {0} -> {r}", [x], (2, 4, 3)),
        smooth("tir.broadcast", "%0 along [0, 1] : {0} -> {r}", [x[:, :1]], (2, 3)),
        smooth("tir.broadcast", "%0 along [1, 2] : {0} -> {r}", [x[:, :1]], (2, 2, 3)),
        smooth("tir.transpose", "%0 by [2, 0, 1] : {r}", [random((2, 3, 4), "f64")], (4, 2, 3)),
        smooth("tir.reshape", "%0 : {0} -> {r}", [x], (3, 2)),
        smooth("tir.reshape", "%0 : {0} -> {r}", [x], ("[N * 3]",), dims={0: ("[N]", 3)}),
        smooth("tir.slice", "%0 from [0, 1] to [1, 0] step [1, 1] : {r}", [x], (1, 2)),
        smooth("tir.slice", "%0 from [0, 0] to [0, 0] step [1, 2] : {r}", [x], ("[N]", 2), dims={0: ("[N]", 3)}),
        smooth("tir.slice", "%0 from [1] to [0] step [2] : {r}", [random((6,), "f64")], ("?",), dims={0: ("?",)}),
        smooth("tir.slice", "%0 from [1] to [3] step [1] : {r}", [random((6,), "f64")], (2,), dims={0: ("[N]",)}),
        smooth("tir.pad", "%0 with 2.0 : f64 from [1, 0] to [-2, 0] step [1, 2] : {0} -> {r}", [x], (5, 5)),
        smooth(
            "tir.pad",
            "%0 with 2.0 : f64 from [1] to [-2] step [1] : {0} -> {r}",
            [x[0]],
            ("[N + 3]",),
            dims={0: ("[N]",)},
        ),
        smooth("tir.dot", "%0, %1 : {r}", [x, random((3, 4), "f64")], (2, 4), wrt=(0, 1)),
        smooth("tir.dot", "%0, %1 : {r}", [x, y[0]], (2,), wrt=(0, 1)),
        smooth("tir.dot", "%0, %1 : {r}", [x[:, 0], y], (3,), wrt=(0, 1)),
        smooth("tir.dot", "%0, %1 : {r}", [x[0], y[0]], (), wrt=(0, 1)),
        smooth("tir.dot", "%0, %1 : {r}", [x, y[0]], ("[N]",), dims={0: ("[N]", "?")}, wrt=(0, 1)),
    ]
    return found + reduction_points()


def reduction_points() -> list[Smooth]:
    x, y = random((2, 3), "f64"), random((2, 3), "f64", seed=1)
    found = []
    for axes, shape in (([], (2, 3)), ([0], (3,)), ([1], (2,)), ([0, 1], ())):
        for name in ("sum", "prod", "max", "min", "mean"):
            found.append(smooth(f"tir.{name}", f"%0 over {axes} : {{r}}", [x], shape))
        for name in ("softmax", "log_softmax") if axes else ():
            found.append(smooth(f"tir.{name}", f"%0 over {axes} : {{r}}", [x], (2, 3)))
    with_zero = x.copy()
    with_zero[0, 1] = 0
    weights = np.abs(y) + 0.1  # not of sum 1, for which a wrong rule would do
    found += [
        smooth("tir.prod", "%0 over [1] : {r}", [with_zero], (2,), order=1),
        smooth("tir.mean", "%0 over [0] : {r}", [x], (3,), dims={0: ("[N]", 3)}),
        smooth("tir.mean", "%0 over [0, 1] : {r}", [x], (), dims={0: ("?", "[N]")}),
        smooth("tir.softmax", "%0 over [1] : {r}", [x], ("[N]", "?"), dims={0: ("[N]", "?")}),
        smooth("tir.softmax_cross_entropy", "%0, %1 : {r}", [x, array([2, 0], "i32")], (2,)),
        smooth("tir.softmax_cross_entropy", "%0, %1 : {r}", [x, weights], (2,), wrt=(0, 1)),
        smooth(
            "tir.softmax_cross_entropy",
            "%0, %1 : {r}",
            [x, array([2, 0], "i64")],
            ("[N]",),
            dims={0: ("[N]", "?"), 1: ("[N]",)},
        ),
        smooth("tir.leaf", "%0 : {r}", [x], (2, 3)),
    ]
    return found


SMOOTH: list[Smooth] = points()
