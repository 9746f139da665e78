"""What normalises: rows and smooth points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.ops.samples.base import ULP, Sample, Smooth, array, random, row, smooth

EPSILON = {"f32": 1e-3, "f64": 1e-5}


def normal(x: np.ndarray, axes: Sequence[int], epsilon: float, centred: bool = True) -> np.ndarray:
    """In extended precision, by the definition."""
    wide, along = x.astype(np.longdouble), tuple(axes)
    if not x.size:
        return wide
    mean = wide.mean(along, keepdims=True) if centred else 0
    return (wide - mean) / np.sqrt(((wide - mean) ** 2).mean(along, keepdims=True) + epsilon)


def kept(x: np.ndarray, axes: Sequence[int]) -> tuple[int, ...]:
    return tuple(x.shape[axis] for axis in axes)


def around(x: np.ndarray, axes: Sequence[int], part: np.ndarray) -> np.ndarray:
    return part.reshape([n if axis in axes else 1 for axis, n in enumerate(x.shape)])


def rows() -> list[Sample]:
    found = []
    for name in ("f32", "f64"):
        epsilon = float(np.dtype("f4" if name == "f32" else "f8").type(EPSILON[name]))
        words, rtol = f"epsilon {EPSILON[name]!r} : {name}", 32 * ULP[name]  # 12 terms, twice
        for shape, axes in (((2, 3), [1]), ((2, 3, 2), [0, 2]), ((3, 1), [1]), ((0, 3), [1]), ((2, 0), [1])):
            x = random(shape, name)
            scale, offset = random(kept(x, axes), name, seed=1), random(kept(x, axes), name, seed=2)
            plain, by, plus = normal(x, axes, epsilon), around(x, axes, scale), around(x, axes, offset)
            form, dtype = f"over {axes} {words} : {{r}}", x.dtype
            rms = (normal(x, axes, epsilon, centred=False) * by).astype(dtype)
            found += [
                row("tir.normalize", f"%0 {form}", [x], plain.astype(dtype), rtol=rtol),
                row("tir.layer_norm", f"%0, %1, %2 {form}", [x, scale, offset], (plain * by + plus).astype(dtype), rtol=rtol),
                row("tir.rms_norm", f"%0, %1 {form}", [x, scale], rms, rtol=rtol),
            ]
        for shape, axis in (((4, 3), 1), ((2, 3, 2, 2), 1), ((3, 0), 1)):
            found += batch_rows(random(shape, name), axis, words, epsilon, rtol)
    return found + hard_rows()


def batch_rows(x: np.ndarray, axis: int, words: str, epsilon: float, rtol: float, **facts: Any) -> list[Sample]:
    name = "f32" if x.dtype == np.float32 else "f64"
    rest = [a for a in range(x.ndim) if a != axis]
    size = kept(x, [axis])
    scale, offset, mean = (random(size, name, seed=seed) for seed in (1, 2, 3))
    variance = np.abs(random(size, name, seed=4)) + x.dtype.type(0.1)
    by, plus, about, spread = (around(x, [axis], v).astype("f8") for v in (scale, offset, mean, variance))
    wide = x.astype("f8")
    y = normal(x, rest, epsilon) * by + plus
    types = facts.pop("types", None) or [f"tensor<{'x'.join(map(str, s))}x{name}>" for s in (x.shape, size, size)]
    text = f"%0, %1, %2 axis {axis} {words} : {', '.join(types)}"
    wants = [y, wide.mean(tuple(rest)), wide.var(tuple(rest))]
    found = []
    for i, (want, names) in enumerate(zip(wants, ("%r, %m, %v", "%y, %r, %v", "%y, %m, %r"))):
        given = {**facts, "result": types[i]}
        found.append(row("tir.batch_norm", text, [x, scale, offset], want.astype(x.dtype), names=names, rtol=rtol, **given))
    want = ((wide - about) / np.sqrt(spread + epsilon) * by + plus).astype(x.dtype)
    text = f"%0, %1, %2, %3, %4 axis {axis} {words} : {{r}}"
    given = {**facts, "result": types[0]}
    return [*found, row("tir.batch_norm_inference", text, [x, scale, offset, mean, variance], want, rtol=rtol, **given)]


def hard_rows() -> list[Sample]:
    words = "epsilon 0.001 : f32"
    # A large mean and a small variance: the mean of squares minus the square of the mean has no right digit.
    far = array([[10000, 10000.5, 10001], [7, 7, 7]], "f32")
    want = np.concatenate([normal(far[:1], [1], float(np.float32(0.001))), [[0, 0, 0]]]).astype("f4")
    x = random((4, 3), "f32")
    unknown = ["tensor<[N]x?xf32>", "tensor<?xf32>", "tensor<?xf32>"]
    dims: list[Sequence[str | int]] = [("[N]", "?"), ("?",), ("?",), ("?",), ("?",)]
    scale, offset = random((3,), "f32", seed=1), random((3,), "f32", seed=2)
    named = (normal(x, [1], float(np.float32(0.001))) * scale + offset).astype("f4")
    facts: dict[str, Any] = {"dims": dims, "result": ("[N]", "?"), "rtol": 32 * ULP["f32"]}
    return [
        # The mean is rounded to 2^-11, and the root is 0.4.
        Sample("tir.normalize", f"%0 over [1] {words} : tensor<2x3xf32>", ("tensor<2x3xf32>",), (far,), "tensor<2x3xf32>",
               want, 1e-5, 2e-3),
        row("tir.layer_norm", f"%0, %1, %2 over [1] {words} : {{r}}", [x, scale, offset], named, **facts),
        *batch_rows(x, 1, words, float(np.float32(0.001)), 32 * ULP["f32"], dims=dims, types=unknown),
    ]  # fmt: skip


def points() -> list[Smooth]:
    x, small = random((2, 3), "f64"), [random((3,), "f64", seed=seed) for seed in (1, 2, 3)]
    words, named = "epsilon 0.01 : f64", {"dims": {0: ("[N]", 3)}}
    variance = np.abs(random((3,), "f64", seed=4)) + 0.5
    types = "tensor<2x3xf64>, tensor<3xf64>, tensor<3xf64>"
    batch = f"%0, %1, %2 axis 1 {words} : {types}"
    inputs = [x, *small[:2]]
    found = [
        smooth("tir.batch_norm", batch, inputs, shape, wrt=(0, 1, 2), names=names)
        for shape, names in (((2, 3), "%r, %m, %v"), ((3,), "%y, %r, %v"), ((3,), "%y, %m, %r"))
    ]
    return found + [
        smooth("tir.normalize", f"%0 over [0, 1] {words} : {{r}}", [x], ("[N]", "?"), dims={0: ("[N]", "?")}),
        smooth("tir.layer_norm", f"%0, %1, %2 over [1] {words} : {{r}}", inputs, ("[N]", 3), wrt=(0, 1, 2), **named),
        smooth("tir.rms_norm", f"%0, %1 over [1] {words} : {{r}}", inputs[:2], ("[N]", 3), wrt=(0, 1), **named),
        smooth("tir.batch_norm_inference", f"%0, %1, %2, %3, %4 axis 1 {words} : {{r}}", [x, *small, variance], (2, 3),
               wrt=(0, 1, 2, 3, 4)),
    ]  # fmt: skip


#: Shapes as numbers and in types, axes that a norm goes over, and an axis of channels.
NORMALISED: tuple[tuple[tuple[int, ...], tuple[int | str, ...], list[int], int], ...] = (
    ((5,), (5,), [0], 0), ((1, 4), (1, 4), [1], 0), ((2, 3), ("[N]", 3), [1], 1), ((3, 2), ("?", 2), [0, 1], 1),
    ((4, 1), (4, 1), [0], 1), ((0, 3), ("[N]", 3), [1], 1), ((2, 3, 2), (2, 3, 2), [0, 2], 1), ((3, 1, 2), (3, "[M]", 2), [2], 0),
    ((2, 2, 1, 2), ("[N]", 2, 1, 2), [1, 2, 3], 1), ((1, 2, 3, 1), (1, 2, "?", 1), [1, 3], 3), ((7, 2), ("[N]", 2), [1], 1),
    ((2, 4), (2, 4), [1], 0),
)  # fmt: skip


def more_points() -> list[Smooth]:
    found, words = [], "epsilon 0.01 : f64 : {r}"
    for shape, sizes, axes, axis in NORMALISED:
        x = random(shape, "f64")
        of = kept(x, axes)
        scale, offset = random(of, "f64", seed=1), random(of, "f64", seed=2)
        part = [sizes[a] for a in axes]
        facts = {"dims": {0: sizes, 1: part, 2: part}}
        found += [
            smooth("tir.normalize", f"%0 over {axes} {words}", [x], sizes, **facts),
            smooth("tir.layer_norm", f"%0, %1, %2 over {axes} {words}", [x, scale, offset], sizes, wrt=(0, 1, 2), **facts),
            smooth("tir.rms_norm", f"%0, %1 over {axes} {words}", [x, scale], sizes, wrt=(0, 1), **facts),
        ]
        found += batch_points(x, sizes, axis)
    return found


def batch_points(x: np.ndarray, sizes: Sequence[int | str], axis: int) -> list[Smooth]:
    size, words = kept(x, [axis]), f"axis {axis} epsilon 0.01 : f64"
    scale, offset, mean = (random(size, "f64", seed=seed) for seed in (1, 2, 3))
    variance = random(size, "f64", 0.5, 2, seed=4)
    of_channels = [sizes[axis]]
    dims = {0: sizes, **{i: of_channels for i in range(1, 5)}}
    known = smooth("tir.batch_norm_inference", f"%0, %1, %2, %3, %4 {words} : {{r}}", [x, scale, offset, mean, variance], sizes,
                   wrt=(0, 1, 2, 3, 4), dims=dims)  # fmt: skip
    if not x.size or x.shape[axis] == x.size:
        return [known]  # of one number the variance is 0, of none it is nan
    form = f"%0, %1, %2 {words} : {{0}}, {{1}}, {{2}}"
    three = [x, scale, offset]
    return [
        known,
        smooth("tir.batch_norm", form, three, sizes, wrt=(0, 1, 2), names="%r, %m, %v", dims=dims),
        smooth("tir.batch_norm", form, three, of_channels, wrt=(0, 1, 2), names="%y, %m, %r", dims=dims),
    ]
