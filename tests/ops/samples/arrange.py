"""Concat, copies, matrices, slices that move: rows and smooth points, from loops over Python's indices."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from tests.ops.samples.base import NAN, Sample, Smooth, array, random, row, smooth

ELEMENTS = ("f32", "f64", "f16", "i8", "i64", "ui8", "i1")


def rows() -> list[Sample]:
    return [*concat_rows(), *copy_rows(), *matrix_rows(), *window_rows()]


# --- concat ----------------------------------------------------------------------------------------------------------


def joined(parts: list[np.ndarray], axis: int) -> np.ndarray:
    """Concat, one element at a time."""
    shape = list(parts[0].shape)
    shape[axis] = sum(x.shape[axis] for x in parts)
    found, start = np.zeros(shape, parts[0].dtype), 0
    for x in parts:
        for place in np.ndindex(*x.shape):
            found[tuple(p + start if i == axis else p for i, p in enumerate(place))] = x[place]
        start += x.shape[axis]
    return found


def concat_rows() -> list[Sample]:
    found = []
    for name in ELEMENTS:
        x, y, z = random((2, 3), name), random((2, 1), name, seed=1), random((2, 0), name)
        found.append(row("tir.concat", "%0, %1, %2, %0 axis 1 : {r}", [x, y, z], joined([x, y, z, x], 1)))
    x, y = array([NAN, -0.0, 1], "f32"), array([0.0, NAN], "f32")
    n, m = random((2, 3), "f32"), random((4, 3), "f32", seed=1)
    empty = random((0, 2), "f64")
    cube = random((2, 3, 2), "i32")
    return [
        *found,
        row("tir.concat", "%0, %1 axis 0 : {r}", [x, y], joined([x, y], 0)),
        row("tir.concat", "%0 axis 0 : {r}", [x], x),
        row("tir.concat", "%0, %0 axis 0 : {r}", [empty], empty),
        row("tir.concat", "%0, %0 axis 2 : {r}", [cube], joined([cube, cube], 2)),
        row("tir.concat", "%0, %1 axis 0 : {r}", [n, m], joined([n, m], 0), dims=[("[N]", 3), ("[M]", 3)],
            result=("[N + M]", 3)),
        row("tir.concat", "%0, %1, %0 axis 0 : {r}", [n, m], joined([n, m, n], 0), dims=[("[N]", "?"), (4, "[K]")],
            result=("[N * 2 + 4]", "[K]")),
        row("tir.concat", "%0, %1 axis 1 : {r}", [n, n], joined([n, n], 1), dims=[("?", "?"), ("?", 3)],
            result=("?", "?")),
    ]  # fmt: skip


# --- copies ----------------------------------------------------------------------------------------------------------


def tiled(x: np.ndarray, reps: tuple[int, ...]) -> np.ndarray:
    found = np.zeros([size * count for size, count in zip(x.shape, reps)], x.dtype)
    for place in np.ndindex(*found.shape):
        found[place] = x[tuple(p % size for p, size in zip(place, x.shape))]
    return found


def repeated(x: np.ndarray, times: int, axis: int) -> np.ndarray:
    found = np.zeros([size * times if i == axis else size for i, size in enumerate(x.shape)], x.dtype)
    for place in np.ndindex(*found.shape):
        found[place] = x[tuple(p // times if i == axis else p for i, p in enumerate(place))]
    return found


def copy_rows() -> list[Sample]:
    found = []
    for name in ELEMENTS:
        x = random((2, 3), name)
        found.append(row("tir.tile", "%0 by [2, 3] : {r}", [x], tiled(x, (2, 3))))
        found.append(row("tir.repeat", "%0 times 3 axis 1 : {r}", [x], repeated(x, 3, 1)))
    x, one, hard = random((2, 3), "f32"), random((1,), "f32"), array([NAN, -0.0], "f32")
    return [
        *found,
        row("tir.tile", "%0 by [0, 2] : {r}", [x], np.zeros((0, 6), np.float32)),
        row("tir.tile", "%0 by [1, 1] : {r}", [x], x),
        row("tir.tile", "%0 by [5] : {r}", [one], np.repeat(one, 5)),
        row("tir.tile", "%0 by [] : {r}", [random((), "f32")], random((), "f32")),
        row("tir.tile", "%0 by [2, 2] : {r}", [random((0, 2), "f32")], np.zeros((0, 4), np.float32)),
        row("tir.tile", "%0 by [2] : {r}", [hard], np.concatenate([hard, hard])),
        row("tir.tile", "%0 by [3, 2] : {r}", [x], tiled(x, (3, 2)), dims=[("[N]", "?")], result=("[N * 3]", "?")),
        row("tir.repeat", "%0 times 0 axis 0 : {r}", [x], np.zeros((0, 3), np.float32)),
        row("tir.repeat", "%0 times 1 axis 0 : {r}", [hard], hard),
        row("tir.repeat", "%0 times 2 axis 0 : {r}", [random((0, 2), "f32")], np.zeros((0, 2), np.float32)),
        row("tir.repeat", "%0 times 2 axis 0 : {r}", [x], repeated(x, 2, 0), dims=[("[N]", "?")], result=("[N * 2]", "?")),
    ]  # fmt: skip


# --- matrices --------------------------------------------------------------------------------------------------------


def triangle(x: np.ndarray, diagonal: int, lower: bool) -> np.ndarray:
    found = np.zeros_like(x)
    for place in np.ndindex(*x.shape):
        away = place[-1] - place[-2]
        if away == diagonal or (away < diagonal) == lower:
            found[place] = x[place]
    return found


def diagonal_matrix(x: np.ndarray, diagonal: int) -> np.ndarray:
    side = x.shape[-1] + abs(diagonal)
    found = np.zeros((*x.shape[:-1], side, side), x.dtype)
    for *front, i in np.ndindex(*x.shape):
        found[(*front, i + max(-diagonal, 0), i + max(diagonal, 0))] = x[(*front, i)]
    return found


def diagonal_of(x: np.ndarray, diagonal: int) -> np.ndarray:
    rows, columns = x.shape[-2:]
    places = [(i, i + diagonal) for i in range(rows) if 0 <= i + diagonal < columns]
    found = np.zeros((*x.shape[:-2], len(places)), x.dtype)
    for front in np.ndindex(*x.shape[:-2]):
        for number, place in enumerate(places):
            found[(*front, number)] = x[(*front, *place)]
    return found


def matrix_rows() -> list[Sample]:
    found = []
    shapes = ((3, 3), (2, 4), (4, 2), (2, 3, 3), (0, 3), (1, 1))
    for shape, diagonal in itertools.product(shapes, (0, 1, -1, 5, -5)):
        x = random(shape, "f32")
        words = f"%0 diagonal {diagonal} : {{r}}"
        found.append(row("tir.tril", words, [x], triangle(x, diagonal, True)))
        found.append(row("tir.triu", words, [x], triangle(x, diagonal, False)))
        found.append(row("tir.diag_part", words, [x], diagonal_of(x, diagonal)))
        v = random(shape[1:], "f32")
        found.append(row("tir.diag", words, [v], diagonal_matrix(v, diagonal)))
    for name in ELEMENTS:
        x, v = random((2, 2), name), random((3,), name)
        found.append(row("tir.tril", "%0 diagonal 0 : {r}", [x], triangle(x, 0, True)))
        found.append(row("tir.triu", "%0 diagonal 1 : {r}", [x], triangle(x, 1, False)))
        found.append(row("tir.diag", "%0 diagonal -1 : {r}", [v], diagonal_matrix(v, -1)))
        found.append(row("tir.diag_part", "%0 diagonal 1 : {r}", [x], diagonal_of(x, 1)))
    x, v, hard = random((3, 3), "f32"), random((3,), "f64"), np.full((2, 2), NAN, np.float32)
    return [
        *found,
        row("tir.tril", "%0 diagonal 0 : {r}", [hard], array([[NAN, 0], [NAN, NAN]], "f32")),
        row("tir.triu", "%0 diagonal -1 : {r}", [x], triangle(x, -1, False), dims=[("[N]", "?")], result=("[N]", "?")),
        row("tir.diag", "%0 diagonal 0 : {r}", [v[:0]], np.zeros((0, 0))),
        row("tir.diag", "%0 diagonal 2 : {r}", [v[:0]], np.zeros((2, 2))),
        row("tir.diag", "%0 diagonal -2 : {r}", [v], diagonal_matrix(v, -2), dims=[("[N]",)], result=("[N + 2]", "[N + 2]")),
        row("tir.diag", "%0 diagonal 0 : {r}", [x], diagonal_matrix(x, 0), dims=[("?", "?")], result=("?", "?", "?")),
        row("tir.diag_part", "%0 diagonal -1 : {r}", [x], diagonal_of(x, -1), dims=[("[N]", "[N]")], result=("[N - 1]",)),
        row("tir.diag_part", "%0 diagonal 1 : {r}", [x], diagonal_of(x, 1), dims=[("?", "?")], result=("?",)),
        row("tir.diag_part", "%0 diagonal 0 : {r}", [x], diagonal_of(x, 0), dims=[("[N]", "?")], result=("[N]",)),
    ]  # fmt: skip


# --- slices that move ------------------------------------------------------------------------------------------------


def moved(x: np.ndarray, sizes: tuple[int, ...], starts: list[np.ndarray]) -> list[tuple[int, ...]]:
    """The places of a slice in row-major order, its starts clamped with Python's integers."""
    first = [min(max(int(start), 0), size - length) for start, size, length in zip(starts, x.shape, sizes)]
    return [tuple(f + p for f, p in zip(first, place)) for place in np.ndindex(*sizes)]


def window_rows() -> list[Sample]:
    found = []
    starts = {
        "i8": (-128, -1, 0, 1, 2, 3, 127), "ui8": (0, 1, 255), "i32": (2, -(2**31), 2**31 - 1), "ui16": (2**16 - 1, 2),
        "i64": (-(2**63), 2**63 - 1, 1), "ui64": (2**64 - 1, 2**63, 2**63 - 1, 0, 1), "ui32": (2**32 - 1, 3),
    }  # fmt: skip
    for name in starts:
        for i, j in itertools.product(starts[name], (0, 1)):
            at = [np.array(i, array(0, name).dtype), np.array(j, np.int64)]
            found += window_pair(random((5, 3), "f32"), (2, 2), at, "mode clamp ")
    for name in ELEMENTS:
        found += window_pair(random((4, 3), name), (2, 3), [np.array(2, np.int32), np.array(0, np.uint64)], "")
    found += window_pair(random((3,), "f32"), (0,), [np.array(3, np.int32)], "")
    found += window_pair(random((3,), "f32"), (3,), [np.array(0, np.int32)], "")
    found += window_pair(random((3,), "f32"), (3,), [np.array(7, np.int32)], "mode clamp ")
    found += window_pair(random((0,), "f32"), (0,), [np.array(-7, np.int8)], "mode clamp ")
    found.append(row("tir.dynamic_slice", "%0 : {0} -> {r}", [random((), "f32")], random((), "f32")))
    found.append(row("tir.update_slice", "%0 with %1 : {r}", [random((), "f32"), array(7, "f32")], array(7, "f32")))
    x, i, j = random((4, 3), "f32"), np.array(1, np.int32), np.array(-5, np.int8)
    want = np.array([x[p] for p in moved(x, (2, 3), [i, j])]).reshape(2, 3)
    text = "%0 at %1, %2 mode clamp : {0} -> {r}"
    found.append(row("tir.dynamic_slice", text, [x, i, j], want, dims=[("[N]", "[M]")], result=(2, "[M]")))
    found.append(row("tir.dynamic_slice", text, [x, i, j], want, dims=[("?", 3)], result=(2, 3)))
    whole = x.copy()
    for place, number in zip(moved(x, (2, 3), [i, j]), want.flat):
        whole[place] = -number
    text = "%0 with %1 at %2, %3 mode clamp : {r}"
    found.append(
        row("tir.update_slice", text, [x, -want, i, j], whole, dims=[("[N]", "?"), ("?", "?")], result=("[N]", "?"))
    )
    return found


def window_pair(x: np.ndarray, sizes: tuple[int, ...], starts: list[np.ndarray], mode: str) -> list[Sample]:
    """A dynamic_slice and an update_slice at the same place."""
    places = moved(x, sizes, starts)
    want = np.array([x[place] for place in places], x.dtype).reshape(sizes)
    u = random(sizes, next(n for n in ELEMENTS if array(0, n).dtype == x.dtype), seed=3)
    whole = x.copy()
    for place, number in zip(places, u.flat):
        whole[place] = number
    names = [", ".join(f"%{i + k}" for i in range(len(starts))) for k in (1, 2)]
    return [
        row("tir.dynamic_slice", f"%0 at {names[0]} {mode}: {{0}} -> {{r}}", [x, *starts], want),
        row("tir.update_slice", f"%0 with %1 at {names[1]} {mode}: {{r}}", [x, u, *starts], whole),
    ]


# --- gradients -------------------------------------------------------------------------------------------------------


def points() -> list[Smooth]:
    x, y, v = random((2, 3), "f64"), random((4, 3), "f64", seed=1), random((3,), "f64")
    square, i, j = random((3, 3), "f64"), np.array(1, np.int32), np.array(0, np.uint8)
    far = np.array(9, np.int64)
    return [
        smooth("tir.concat", "%0, %1 axis 0 : {r}", [x, y], (6, 3), wrt=(0, 1)),
        smooth("tir.concat", "%0, %1, %0 axis 1 : {r}", [x, x * 2], (2, 9), wrt=(0, 1)),
        smooth("tir.concat", "%0, %1, %0 axis 0 : {r}", [x, y], ("?", 3), wrt=(0, 1), dims={0: ("?", 3), 1: ("[M]", 3)}),
        smooth("tir.tile", "%0 by [2, 3] : {r}", [x], (4, 9)),
        smooth("tir.tile", "%0 by [2, 1] : {r}", [x], ("[N * 2]", "?"), dims={0: ("[N]", "?")}),
        smooth("tir.repeat", "%0 times 3 axis 0 : {r}", [x], ("[N * 3]", 3), dims={0: ("[N]", 3)}),
        smooth("tir.repeat", "%0 times 2 axis 1 : {r}", [x], (2, 6)),
        smooth("tir.tril", "%0 diagonal 1 : {r}", [square], (3, 3)),
        smooth("tir.triu", "%0 diagonal 1 : {r}", [x], (2, 3)),
        smooth("tir.diag", "%0 diagonal -1 : {r}", [v], (4, 4)),
        smooth("tir.diag", "%0 diagonal 1 : {r}", [x], ("[N]", 4, 4), dims={0: ("[N]", 3)}),
        smooth("tir.diag_part", "%0 diagonal 0 : {r}", [square], ("[N]",), dims={0: ("[N]", "[N]")}),
        smooth("tir.diag_part", "%0 diagonal 1 : {r}", [x], (2,)),
        smooth("tir.diag_part", "%0 diagonal -2 : {r}", [y], (2,)),
        smooth("tir.diag_part", "%0 diagonal 3 : {r}", [x], (0,)),
        smooth("tir.dynamic_slice", "%0 at %1, %2 : {0} -> {r}", [y, i, j], (2, 3)),
        smooth("tir.dynamic_slice", "%0 at %1, %2 mode clamp : {0} -> {r}", [y, far, j], (2, "[M]"),
               dims={0: ("[N]", "[M]")}),
        smooth("tir.update_slice", "%0 with %1 at %2, %3 : {r}", [y, x, i, j], (4, 3), wrt=(0, 1)),
        smooth("tir.update_slice", "%0 with %1 at %2, %3 mode clamp : {r}", [y, x, far, j], ("[N]", 3), wrt=(0, 1),
               dims={0: ("[N]", 3)}),
    ]  # fmt: skip


#: Shapes of tensors that are put together, and an axis.
JOINED: tuple[tuple[tuple[tuple[int, ...], ...], int], ...] = (
    (((1,), (2,)), 0), (((3,), (0,), (1,)), 0), (((5,),), 0), (((2, 3), (1, 3)), 0), (((2, 1), (2, 4)), 1), (((0, 2), (3, 2)), 0),
    (((2, 0), (2, 0)), 1), (((2, 1, 3), (2, 2, 3)), 1), (((1, 2, 2), (1, 2, 1), (1, 2, 3)), 2), (((1, 2, 1, 2), (3, 2, 1, 2)), 0),
    (((2, 1, 1, 1), (2, 1, 1, 2)), 3),
)  # fmt: skip
#: Shapes of matrices, or stacks of them, sizes in types, and a diagonal.
MATRICES: tuple[tuple[tuple[int, ...], tuple[int | str, ...], int], ...] = (
    ((1, 1), (1, 1), 0), ((3, 3), ("[N]", "[N]"), 1), ((2, 4), (2, 4), -1), ((5, 2), (5, 2), 0), ((0, 3), (0, 3), 0),
    ((3, 0), (3, 0), -1), ((1, 5), (1, 5), 2), ((4, 1), (4, 1), -3), ((2, 3, 3), ("[B]", 3, 3), -1), ((2, 2, 3), ("?", 2, 3), 1),
    ((2, 1, 2, 2), (2, 1, 2, 2), 0),
)  # fmt: skip
REPEATED: tuple[tuple[tuple[int, ...], tuple[int | str, ...], int, int], ...] = (
    ((1,), (1,), 0, 4), ((0,), (0,), 0, 2), ((5,), ("[N]",), 0, 2), ((7,), (7,), 0, 1), ((2, 3), ("[N]", 3), 1, 3), ((3, 1), (3, 1), 1, 2),
    ((1, 4), (1, 4), 0, 3), ((2, 0), (2, 0), 0, 2), ((2, 1, 3), (2, 1, "?"), 1, 2), ((1, 2, 2), ("[N]", 2, 2), 2, 2),
    ((2, 1, 2, 1), (2, 1, 2, 1), 3, 3),
)  # fmt: skip
#: The shape, sizes in the type, where a slice starts, and its sizes.
MOVING: tuple[tuple[Any, ...], ...] = (
    ((1,), (1,), (0,), (1,)), ((5,), ("[N]",), (3,), (2,)), ((7,), ("?",), (9,), (4,)), ((4,), (4,), (1,), (0,)),
    ((3, 2), (3, 2), (1, 0), (2, 1)), ((1, 4), ("[N]", 4), (0, 2), (1, 2)), ((2, 3), (2, 3), (-1, 1), (2, 1)),
    ((3, 1), ("?", "?"), (5, 5), (1, 1)), ((2, 3, 2), (2, 3, 2), (1, 0, 1), (1, 3, 1)), ((1, 2, 5), (1, 2, "[M]"), (0, 1, 2), (1, 1, 3)),
    ((2, 2, 1, 3), (2, 2, 1, 3), (0, 1, 0, 2), (2, 1, 1, 1)),
)  # fmt: skip


def more_points() -> list[Smooth]:
    return [*joined_points(), *matrix_points(), *repeated_points(), *moving_points()]


def joined_points() -> list[Smooth]:
    found = []
    for number, (shapes, axis) in enumerate(JOINED):
        xs = [random(shape, "f64", seed=i) for i, shape in enumerate(shapes)]
        open_axis = {0: (*shapes[0][:axis], "[N]", *shapes[0][axis + 1 :])} if number % 2 else {}
        joined = list(np.concatenate(xs, axis).shape)
        result = [*joined[:axis], f"[N + {joined[axis] - shapes[0][axis]}]", *joined[axis + 1 :]] if open_axis else joined
        if open_axis and joined[axis] == shapes[0][axis]:
            result[axis] = "[N]"
        names = ", ".join(f"%{i}" for i in range(len(xs)))
        wrt = tuple(range(len(xs)))
        found.append(smooth("tir.concat", f"{names} axis {axis} : {{r}}", xs, result, wrt=wrt, dims=open_axis))
    return found


def matrix_points() -> list[Smooth]:
    found = []
    for shape, sizes, k in MATRICES:
        x, facts = random(shape, "f64"), {"dims": {0: sizes}}
        parts = np.diagonal(x, k, -2, -1)
        count: Any = "[N - 1]" if sizes == ("[N]", "[N]") else parts.shape[-1]
        size = x.shape[-1] + abs(k)
        of_row: Any = f"[N + {abs(k)}]" if sizes[-1] == "[N]" else size
        found += [
            smooth("tir.tril", f"%0 diagonal {k} : {{r}}", [x], sizes, **facts),
            smooth("tir.triu", f"%0 diagonal {k} : {{r}}", [x], sizes, **facts),
            smooth("tir.diag_part", f"%0 diagonal {k} : {{r}}", [x], (*sizes[:-2], count), **facts),
            smooth("tir.diag", f"%0 diagonal {k} : {{r}}", [x], (*sizes[:-1], of_row, of_row), **facts),
        ]
    v = random((3,), "f64")
    return [*found, smooth("tir.diag", "%0 diagonal -2 : {r}", [v], (5, 5)), smooth("tir.diag", "%0 diagonal 0 : {r}", [v[:0]], (0, 0))]


def multiplied(size: Any, times: int) -> Any:
    """A size of a type, times a number."""
    return size if times == 1 or size == "?" else f"[N * {times}]" if size == "[N]" else size * times


def repeated_points() -> list[Smooth]:
    found = []
    for shape, sizes, axis, times in REPEATED:
        x, facts = random(shape, "f64"), {"dims": {0: sizes}}
        repeated = [multiplied(size, times) if i == axis else size for i, size in enumerate(sizes)]
        by = [times if i == axis else 1 + i % 2 for i in range(len(shape))]
        tiled = [multiplied(size, n) for size, n in zip(sizes, by)]
        found += [
            smooth("tir.repeat", f"%0 times {times} axis {axis} : {{r}}", [x], repeated, **facts),
            smooth("tir.tile", f"%0 by {by} : {{r}}", [x], tiled, **facts),
        ]
    return found


def moving_points() -> list[Smooth]:
    found = []
    for shape, sizes, starts, part in MOVING:
        x, u = random(shape, "f64"), random(part, "f64", seed=1)
        at = [np.array(start, np.int32) for start in starts]
        read, write = (", ".join(f"%{i + first}" for i in range(len(at))) for first in (1, 2))
        mode = "" if all(0 <= s <= n - p for s, n, p in zip(starts, shape, part)) else " mode clamp"
        found += [
            smooth("tir.dynamic_slice", f"%0 at {read}{mode} : {{0}} -> {{r}}", [x, *at], part, dims={0: sizes}),
            smooth("tir.update_slice", f"%0 with %1 at {write}{mode} : {{r}}", [x, u, *at], sizes, wrt=(0, 1), dims={0: sizes}),
        ]
    return found
