"""Creation, and ops that move elements: rows and smooth points."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ops.samples.base import FORMS, INF, NAN, SMALL, Sample, Smooth, array, random, row, smooth


def rows() -> list[Sample]:
    x, v, one = random((2, 3), "f32"), random((3,), "i32"), random((2, 1), "f64")
    n, cube = random((4, 2), "f32"), random((2, 3, 4), "i8")
    rows = [
        row("tir.broadcast", "%0 along [1] : {0} -> {r}", [v], np.stack([v, v])),
        row("tir.broadcast", "%0 along [0] : {0} -> {r}", [v], np.stack([v, v], 1)),
        row("tir.broadcast", "%0 along [] : {0} -> {r}", [random((), "f32")], np.full((2, 0), random((), "f32"))),
        row("tir.broadcast", "%0 along [] : {0} -> {r}", [random((), "f32")], random((), "f32")),
        row("tir.broadcast", "%0 along [0, 1] : {0} -> {r}", [one], np.concatenate([one] * 3, 1)),
        row("tir.broadcast", "%0 along [0, 2] : {0} -> {r}", [one], np.concatenate([one[:, None]] * 3, 2)),
        row("tir.transpose", "%0 by [1, 0] : {r}", [x], np.array([[x[i, j] for i in range(2)] for j in range(3)])),
        row("tir.transpose", "%0 by [2, 0, 1] : {r}", [cube], np.moveaxis(cube, 2, 0)),
        row("tir.transpose", "%0 by [] : {r}", [random((), "f32")], random((), "f32")),
        row("tir.transpose", "%0 by [1, 0] : {r}", [n], n.T, dims=[("[N]", 2)], result=(2, "[N]")),
        row("tir.reshape", "%0 : {0} -> {r}", [x], np.array(x.ravel().tolist(), np.float32).reshape(3, 2)),
        row("tir.reshape", "%0 : {0} -> {r}", [x], x.ravel()),
        row("tir.reshape", "%0 : {0} -> {r}", [random((1, 1), "i64")], random((1, 1), "i64")[0, 0]),
        row("tir.reshape", "%0 : {0} -> {r}", [random((0, 3), "f32")], np.zeros((2, 0), np.float32)),
        row("tir.reshape", "%0 : {0} -> {r}", [n], n.reshape(8), dims=[("[N]", 2)], result=("[N * 2]",)),
        row("tir.slice", "%0 from [0, 1] to [1, 3] step [1, 1] : {r}", [x], np.array([[x[0, 1], x[0, 2]]])),
        row("tir.slice", "%0 from [0, 0] to [0, 0] step [1, 2] : {r}", [x], np.array([[r[0], r[2]] for r in x])),
        row("tir.slice", "%0 from [1, 2] to [1, 2] step [1, 1] : {r}", [x], np.zeros((0, 0), np.float32)),
        row("tir.slice", "%0 from [1, 0] to [-1, 0] step [2, 1] : {r}", [n], n[1:2], dims=[("[N]", 2)],
            result=("[(N - 2) ceildiv 2]", 2)),
        row("tir.slice", "%0 from [1, 0] to [3, 0] step [1, 1] : {r}", [n], n[1:3], dims=[("?", 2)], result=(2, 2)),
        row("tir.slice", "%0 from [2, 0] to [0, 0] step [1, 1] : {r}", [n], n[2:], dims=[("?", 2)], result=("?", 2)),
        row("tir.pad", "%0 with 7.0 : f32 from [1, 0] to [-2, 0] step [1, 2] : {0} -> {r}", [x], padded(x)),
        row("tir.pad", "%0 with 0 : i32 from [0] to [3] step [1] : {0} -> {r}", [v], np.array([*v, 0, 0], np.int32)),
        row("tir.pad", "%0 with true from [1] to [0] step [1] : {0} -> {r}", [np.zeros(0, bool)], np.ones(1, bool)),
        row("tir.pad", "%0 with 7.0 : f32 from [] to [] step [] : {0} -> {r}", [x[0, 1]], x[0, 1]),
        row("tir.reverse", "%0 over [0, 1] : {r}", [x], np.array([list(r[::-1]) for r in x[::-1]])),
        row("tir.reverse", "%0 over [0] : {r}", [n], np.array(n.tolist()[::-1], np.float32), dims=[("?", 2)],
            result=("?", 2)),
        row("tir.reverse", "%0 over [] : {r}", [random((), "f32")], random((), "f32")),
        row("tir.reverse", "%0 over [1] : {r}", [random((2, 0), "i8")], np.zeros((2, 0), np.int8)),
        row("tir.dim", "%0 axis 1 : {0}", [x], np.int64(3), result="index"),
        row("tir.dim", "%0 axis 0 : {0}", [n], np.int64(4), dims=[("?", 2)], result="index"),
        *(row("tir.to_index", "%0 : {0}", [array(number, name)], np.int64(number), result="index")
          for number, name in ((7, "i64"), (-3, "i8"), (200, "ui8"), (0, "i32"))),
        row("tir.constant", "dense<[1.0, -0.0]> : {r}", [], array([1, -0.0], "f32")),
        row("tir.constant", "dense<true> : {r}", [], np.ones((2, 2), bool)),
        row("tir.constant", "dense<> : {r}", [], np.zeros((0, 3), np.int32)),
        row("tir.full", "0x7FC00000 : f32 -> {r}", [], array([NAN, NAN], "f32")),
        row("tir.full", "-3 : i8 -> {r}", [], np.array(-3, np.int8)),
        row("tir.full", "255 : ui8 -> {r}", [], np.full((2, 1), 255, np.uint8)),
        row("tir.full", "true -> {r}", [], np.ones(3, bool)),
        row("tir.iota", "axis 1 : {r}", [], array([[0, 1, 2], [0, 1, 2]], "i32")),
        row("tir.iota", "axis 0 : {r}", [], array([[0, 0], [1, 1]], "f64")),
        row("tir.iota", "axis 0 : {r}", [], np.zeros((0, 2), np.uint8)),
        row("tir.one_hot", "%0 : {0} -> {r}", [array([2, 0, -1, 3], "i32")],
            array([[0, 0, 1], [1, 0, 0], [0, 0, 0], [0, 0, 0]], "f32")),
        row("tir.one_hot", "%0 : {0} -> {r}", [array([[200]], "ui8")],
            array(np.arange(201) == 200, "i1").reshape(1, 1, 201)),
        row("tir.one_hot", "%0 : {0} -> {r}", [array(1, "i64")], array([0, 1], "ui8")),
    ]  # fmt: skip
    return rows + small_rows()


def small_rows() -> list[Sample]:
    """Moving and making numbers of 16 bits."""
    rows = []
    for name in SMALL:
        x, infinity = random((2, 3), name), "0x7F80" if name == "bf16" else "0x7C00"
        counts = array([[i] for i in range(600)], name)  # above 256 not every whole number is one of bf16
        rows += [
            row("tir.broadcast", "%0 along [0, 1] : {0} -> {r}", [x], np.stack([x, x], 2)),
            row("tir.transpose", "%0 by [1, 0] : {r}", [x], x.T.copy()),
            row("tir.reshape", "%0 : {0} -> {r}", [x], x.reshape(3, 2)),
            row("tir.slice", "%0 from [0, 1] to [1, 3] step [1, 1] : {r}", [x], x[:1, 1:].copy()),
            row("tir.pad", f"%0 with 0.1 : {name} from [0, 0] to [0, -1] step [1, 1] : {{0}} -> {{r}}", [x],
                np.concatenate([x, array([[0.1], [0.1]], name)], 1)),
            row("tir.constant", f"dense<[0.1, -0.0, {infinity}]> : {{r}}", [], array([0.1, -0.0, INF], name)),
            row("tir.full", f"0.1 : {name} -> {{r}}", [], array([0.1, 0.1], name)),
            row("tir.iota", "axis 0 : {r}", [], counts),
            row("tir.one_hot", "%0 : {0} -> {r}", [array([2, 0], "i32")], array([[0, 0, 1], [1, 0, 0]], name)),
        ]  # fmt: skip
    return rows


def padded(x: np.ndarray) -> np.ndarray:
    """One row in front, two behind, and a column between each two, all 7."""
    found = [[7.0] * 5 for _ in range(5)]
    for i, j in np.ndindex(2, 3):
        found[i + 1][2 * j] = float(x[i, j])
    return np.array(found, np.float32)


def points() -> list[Smooth]:
    x = random((2, 3), "f64")
    return [
        smooth("tir.broadcast", "%0 along [0, 2] : {0} -> {r}", [x], (2, 4, 3)),
        smooth("tir.broadcast", "%0 along [0, 1] : {0} -> {r}", [x[:, :1]], (2, 3)),
        smooth("tir.broadcast", "%0 along [1, 2] : {0} -> {r}", [x[:, :1]], (2, 2, 3)),
        smooth("tir.transpose", "%0 by [2, 0, 1] : {r}", [random((2, 3, 4), "f64")], (4, 2, 3)),
        smooth("tir.reverse", "%0 over [1] : {r}", [x], ("[N]", 3), dims={0: ("[N]", 3)}),
        smooth("tir.reshape", "%0 : {0} -> {r}", [x], (3, 2)),
        smooth("tir.reshape", "%0 : {0} -> {r}", [x], ("[N * 3]",), dims={0: ("[N]", 3)}),
        smooth("tir.slice", "%0 from [0, 1] to [1, 0] step [1, 1] : {r}", [x], (1, 2)),
        smooth("tir.slice", "%0 from [0, 0] to [0, 0] step [1, 2] : {r}", [x], ("[N]", 2), dims={0: ("[N]", 3)}),
        smooth("tir.slice", "%0 from [1] to [0] step [2] : {r}", [random((6,), "f64")], ("?",), dims={0: ("?",)}),
        smooth("tir.slice", "%0 from [1] to [3] step [1] : {r}", [random((6,), "f64")], (2,), dims={0: ("[N]",)}),
        smooth("tir.pad", "%0 with 2.0 : f64 from [1, 0] to [-2, 0] step [1, 2] : {0} -> {r}", [x], (5, 5)),
        smooth("tir.pad", "%0 with 2.0 : f64 from [1] to [-2] step [1] : {0} -> {r}", [x[0]], ("[N + 3]",),
               dims={0: ("[N]",)}),
    ]  # fmt: skip


#: What is moved: the shape, its sizes in the type, words of the op, the sizes of the result.
BROADCAST: tuple[tuple[Any, ...], ...] = (
    ((), (), "[]", (3,)), ((), (), "[]", (2, 0)), ((1,), (1,), "[0]", (1,)), ((1,), (1,), "[0]", (4,)), ((3,), (3,), "[1]", (2, 3)),
    ((5,), ("[N]",), "[0]", ("[N]", 2)), ((2, 1), (2, 1), "[0, 1]", (2, 3)), ((2, 1), ("[N]", 1), "[0, 2]", ("[N]", 4, 3)),
    ((0,), (0,), "[1]", (3, 0)), ((2, 3), ("[N]", "[M]"), "[1, 2]", (2, "[N]", "[M]")), ((2, 1, 3), (2, 1, 3), "[0, 1, 3]", (2, 2, 1, 3)),
    ((1, 1, 2), (1, 1, "[N]"), "[0, 1, 2]", (2, 3, "[N]")),
    ((2, 1, 2, 1), (2, 1, 2, 1), "[0, 1, 2, 3]", (2, 3, 2, 2)),
)  # fmt: skip
TRANSPOSE: tuple[tuple[Any, ...], ...] = (
    ((), (), "[]", ()), ((3,), ("[N]",), "[0]", ("[N]",)), ((1, 4), (1, 4), "[1, 0]", (4, 1)),
    ((3, 2), ("[N]", "?"), "[1, 0]", ("?", "[N]")), ((0, 2), (0, 2), "[1, 0]", (2, 0)), ((2, 3), (2, 3), "[0, 1]", (2, 3)),
    ((2, 3, 4), (2, 3, 4), "[1, 2, 0]", (3, 4, 2)), ((2, 1, 3), ("?", 1, "[N]"), "[2, 1, 0]", ("[N]", 1, "?")),
    ((3, 2, 2), (3, 2, 2), "[0, 2, 1]", (3, 2, 2)), ((2, 1, 3, 2), (2, 1, 3, 2), "[3, 1, 0, 2]", (2, 1, 2, 3)),
    ((1, 2, 1, 3), ("[N]", 2, 1, 3), "[1, 3, 2, 0]", (2, 3, 1, "[N]")),
)  # fmt: skip
RESHAPE: tuple[tuple[Any, ...], ...] = (
    ((), (), "", (1, 1)), ((1,), (1,), "", ()), ((6,), (6,), "", (2, 3)), ((2, 3), (2, 3), "", (6,)), ((0, 3), (0, 3), "", (2, 0)),
    ((4, 2), ("[N]", 2), "", ("[N * 2]",)), ((3, 1, 2), ("[N]", 1, 2), "", ("[N]", 2)), ((2, 3, 2), (2, 3, 2), "", (4, 3)),
    ((7,), ("[N]",), "", (1, "[N]", 1)), ((2, 2, 1, 3), (2, 2, 1, 3), "", (3, 4)), ((5, 1), (5, 1), "", (5,)),
)  # fmt: skip
SLICE: tuple[tuple[Any, ...], ...] = (
    ((), (), "from [] to [] step []", ()), ((1,), (1,), "from [0] to [0] step [1]", (1,)),
    ((5,), (5,), "from [1] to [0] step [2]", (2,)), ((7,), ("[N]",), "from [1] to [-1] step [1]", ("[N - 2]",)),
    ((6,), ("?",), "from [2] to [0] step [3]", ("?",)), ((3, 2), (3, 2), "from [3, 0] to [0, 0] step [1, 1]", (0, 2)),
    ((0, 3), (0, 3), "from [0, 1] to [0, 0] step [1, 1]", (0, 2)), ((2, 4), ("[N]", 4), "from [0, 0] to [0, -1] step [1, 2]", ("[N]", 2)),
    ((4, 1), (4, 1), "from [1, 0] to [3, 1] step [1, 1]", (2, 1)), ((2, 3, 2), (2, 3, 2), "from [1, 0, 1] to [0, 2, 0] step [1, 1, 1]",
    (1, 2, 1)), ((2, 2, 1, 5), (2, 2, 1, 5), "from [0, 1, 0, 0] to [0, 0, 0, 0] step [1, 1, 1, 4]", (2, 1, 1, 2)),
)  # fmt: skip
PAD: tuple[tuple[Any, ...], ...] = (
    ((), (), "from [] to [] step []", ()), ((1,), (1,), "from [2] to [0] step [1]", (3,)), ((3,), (3,), "from [0] to [-2] step [2]", (7,)),
    ((0,), (0,), "from [1] to [-1] step [1]", (2,)), ((5,), ("[N]",), "from [1] to [-2] step [1]", ("[N + 3]",)),
    ((4,), (4,), "from [0] to [-1] step [1]", (5,)), ((2, 3), (2, 3), "from [1, 1] to [0, -1] step [1, 2]", (3, 7)),
    ((3, 1), ("[N]", 1), "from [0, 1] to [0, -1] step [1, 3]", ("[N]", 3)), ((0, 2), (0, 2), "from [1, 0] to [0, -1] step [2, 1]", (1, 3)),
    ((2, 1, 2), (2, 1, 2), "from [0, 1, 0] to [-1, 0, 0] step [3, 1, 1]", (5, 2, 2)),
    ((1, 2, 1, 2), (1, 2, 1, 2), "from [1, 0, 0, 0] to [0, 0, -1, -1] step [1, 2, 1, 1]", (2, 3, 2, 3)),
)  # fmt: skip


def more_points() -> list[Smooth]:
    tables = (
        ("tir.broadcast", "%0 along {w} : {{0}} -> {{r}}", BROADCAST), ("tir.transpose", "%0 by {w} : {{r}}", TRANSPOSE),
        ("tir.reshape", "%0 : {{0}} -> {{r}}", RESHAPE), ("tir.slice", "%0 {w} : {{r}}", SLICE),
        ("tir.pad", "%0 with 2.0 : f64 {w} : {{0}} -> {{r}}", PAD),
    )  # fmt: skip
    found = []
    for op, text, cases in tables:
        for shape, sizes, w, result in cases:
            found.append(smooth(op, text.format(w=w), [random(shape, "f64")], result, dims={0: sizes}))
    for number, (shape, sizes) in enumerate(FORMS):
        axes = [axis for axis in range(len(shape)) if (axis + number) % 2 == 0]
        found.append(smooth("tir.reverse", f"%0 over {axes} : {{r}}", [random(shape, "f64")], sizes, dims={0: sizes}))
    return found
