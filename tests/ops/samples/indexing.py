"""Gathers and scatters: rows and smooth points, from loops over Python's indices."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.ops.samples.base import INF, NAMES, NAN, ULP, Sample, Smooth, apart, array, random, row, smooth
from tests.ops.samples.stablehlo import Numbers, places, random_case, read, slice_shape, written

ELEMENTS = ("f32", "f64", "f16", "i8", "i64", "ui8", "ui64", "i1")
INDICES = ("i8", "i16", "i32", "i64", "ui8", "ui16", "ui32", "ui64")
KINDS = ("set", "add", "mul", "max", "min")
MODES = ("error", "clamp", "drop")

At = dict[tuple[int, ...], "tuple[int, ...] | None"]


def rows() -> list[Sample]:
    return [*simple_rows(), *index_type_rows(), *element_rows(), *named_rows(), *general_rows(), *edge_rows()]


# --- the simple forms ------------------------------------------------------------------------------------------------


def moved(at: int, size: int, mode: str) -> int | None:
    """An index in a mode; None where it is left out."""
    if 0 <= at < size:
        return at
    assert mode != "error", "a sample must not fail"
    return None if mode == "drop" else min(max(at, 0), size - 1)


def of_axis(x: np.ndarray, index: np.ndarray, axis: int, mode: str) -> tuple[tuple[int, ...], At]:
    """The shape of what take reads, and where each element comes from."""
    shape = (*x.shape[:axis], *index.shape, *x.shape[axis + 1 :])
    found: At = {}
    for place in np.ndindex(*shape):
        front, middle, back = place[:axis], place[axis : axis + index.ndim], place[axis + index.ndim :]
        at = moved(int(index[middle]), x.shape[axis], mode)
        found[place] = None if at is None else (*front, at, *back)
    return shape, found


def along_axis(x: np.ndarray, index: np.ndarray, axis: int, mode: str) -> tuple[tuple[int, ...], At]:
    found: At = {}
    for place in np.ndindex(*index.shape):
        at = moved(int(index[place]), x.shape[axis], mode)
        found[place] = None if at is None else (*place[:axis], at, *place[axis + 1 :])
    return index.shape, found


def at_points(x: np.ndarray, points: Sequence[np.ndarray], mode: str) -> tuple[tuple[int, ...], At]:
    first = points[0]
    shape = (*first.shape, *x.shape[len(points) :])
    found: At = {}
    for place in np.ndindex(*shape):
        front, back = place[: first.ndim], place[first.ndim :]
        at = [moved(int(index[front]), size, mode) for index, size in zip(points, x.shape)]
        found[place] = None if None in at else (*at, *back)  # type: ignore[assignment]
    return shape, found


def positions(shape: tuple[int, ...], size: int, name: str, mode: str, seed: int = 0) -> np.ndarray:
    """Positions on an axis, some of them outside where the mode takes that."""
    low, high = (0, size) if mode == "error" else (0 if name[0] == "u" else -3, size + 3)
    found = np.random.default_rng([seed, size, *shape]).integers(low, max(high, 1), shape)
    return found.astype(array(0, name).dtype)


def both(
    gather: str, scatter: str, words: str, x: np.ndarray, indices: Sequence[np.ndarray], shape: tuple[int, ...], at: At, mode: str,
    kind: str, name: str, **dims: Any,
) -> list[Sample]:  # fmt: skip
    """A row of a gather and of its twin. words: with `{i}` and `{i+u}` for the indices, and the rest behind them."""
    mode_text = "" if mode == "error" else f"mode {mode} "
    u = random(shape, name, seed=5)
    given = dims.get("dims", [])
    u_dims = dims.get("result")
    u_given = [] if u_dims is None else [u_dims]
    names = [", ".join(f"%{i + k}" for i in range(len(indices))) for k in (1, 2)]
    reading = f"%0 at {names[0]} {words}{mode_text}: {{r}}"
    found = [row(gather, reading, [x, *indices], read(x, at, shape), **dims)]
    if gather == "tir.index_nd":
        writing = f"{kind} %0 with %1 at {names[1]} {words}{mode_text}: {{r}}"
        inputs, types = [x, u, *indices], [*given[:1], *u_given, *given[1:]]
    else:
        writing = f"{kind} %0 at %1 with %2 {words}{mode_text}: {{r}}"
        inputs, types = [x, *indices, u], [*given, *u_given]
    result = given[0] if given else None
    rtol = 0.0 if kind in ("set", "max", "min") or name not in ULP else 0.0
    found.append(row(scatter, writing, inputs, written(x, at, u, kind), dims=types, result=result, rtol=rtol))
    return found


def forms(name: str, index: str, mode: str, kind: str, size: int = 4) -> list[Sample]:
    """Each simple form once."""
    x, seed = random((3, size, 2), name), len(name + index + mode + kind)
    i, j = positions((2, 2), size, index, mode, seed), positions((2, 2), 3, index, mode, seed + 1)
    along = positions((3, 5, 2), size, index, mode, seed)
    return [
        *both("tir.take", "tir.put", "axis 1 ", x, [i], *of_axis(x, i, 1, mode), mode, kind, name),
        *both("tir.take_along_axis", "tir.put_along_axis", "axis 1 ", x, [along], *along_axis(x, along, 1, mode), mode, kind, name),
        *both("tir.index_nd", "tir.put_nd", "", x, [j, i], *at_points(x, [j, i], mode), mode, kind, name),
    ]


def simple_rows() -> list[Sample]:
    return [sample for mode, kind in itertools.product(MODES, KINDS) for sample in forms("f32", "i32", mode, kind)]


def element_rows() -> list[Sample]:
    found = []
    for name, kind in itertools.product(ELEMENTS, KINDS):
        if name != "i1" or kind == "set":
            found += forms(name, "i64", "drop", kind)
    return found


def index_type_rows() -> list[Sample]:
    """Indices of every type, at its ends: a narrow one with a long axis, ui64 above the signed numbers."""
    found = []
    for name, mode in itertools.product(INDICES, ("clamp", "drop")):
        info = np.iinfo(array(0, name).dtype)
        index = np.array([info.max, info.min, info.max - 1, info.max // 2 + 1, 1, 0, 3], info.dtype)
        for size in (2, 300):
            x = random((size,), "f32")
            found += both("tir.take", "tir.put", "axis 0 ", x, [index], *of_axis(x, index, 0, mode), mode, "add", "f32")
            points = [index, index[::-1].copy()]
            two = random((2, size), "i8")
            found += both("tir.index_nd", "tir.put_nd", "", two, points, *at_points(two, points, mode), mode, "set", "i8")
    for name in INDICES:
        x, index = random((200,), "f32"), np.array([127, 0, 100], array(0, name).dtype)
        found += both("tir.take", "tir.put", "axis 0 ", x, [index], *of_axis(x, index, 0, "error"), "error", "set", "f32")
    return found


def edge_rows() -> list[Sample]:
    """Scalars, nothing, one element, the same operand twice, special numbers."""
    x, cube, i = random((4, 3), "f32"), random((2, 3, 2), "i32"), array([1, 0, 1], "i32")
    three, none, empty = array(3, "i8"), np.zeros((0,), np.int64), random((0, 3), "f32")
    hard = array([NAN, INF, -0.0, 0.0, -0.0, 1], "f32")
    same = array([2, 0, 0, 1], "i32")
    ups = array([[0.0, -0.0, NAN, -INF, 1, -0.0], [-0.0, 0.0, 1, INF, NAN, 0.0]], "f32")
    twice = array([0, 0], "i64")
    found = [
        *both("tir.take", "tir.put", "axis 0 ", x, [three], *of_axis(x, three, 0, "error"), "error", "add", "f32"),
        *both("tir.take", "tir.put", "axis 1 ", x, [none], *of_axis(x, none, 1, "error"), "error", "add", "f32"),
        *both("tir.take", "tir.put", "axis 0 ", empty, [none], *of_axis(empty, none, 0, "error"), "error", "set", "f32"),
        *both("tir.take", "tir.put", "axis 0 ", empty, [none], *of_axis(empty, none, 0, "drop"), "drop", "set", "f32"),
        *both("tir.take", "tir.put", "axis 1 ", empty, [i], *of_axis(empty, i, 1, "clamp"), "clamp", "set", "f32"),
        *both("tir.take", "tir.put", "axis 2 ", cube, [i], *of_axis(cube, i, 2, "error"), "error", "mul", "i32"),
        *both("tir.index_nd", "tir.put_nd", "", cube, [i, i, i], *at_points(cube, [i, i, i], "error"), "error", "add", "i32"),
        *both("tir.index_nd", "tir.put_nd", "", x, [three], *at_points(x, [three], "error"), "error", "min", "f32"),
        row("tir.take", "%0 at %0 axis 0 : {r}", [same], array([0, 2, 2, 0], "i32")),
        row("tir.put", "set %0 at %0 with %0 axis 0 : {r}", [same], array([0, 1, 2, 1], "i32")),
        row("tir.put", "set %0 at %1 with %2 axis 0 mode drop : {r}", [empty, i, x[:3]], empty),
        row("tir.put", "set %0 at %1 with %2 axis 0 unique : {r}", [x, i[:2], x[2:]], np.stack([x[3], x[2], x[2], x[3]])),
    ]  # fmt: skip
    for kind in KINDS:
        places_of = {place: (place[1],) for place in np.ndindex(2, 6)}
        index = np.tile(np.arange(6), 2).astype("int32").reshape(2, 6)
        want = written(hard, places_of, ups, kind)  # type: ignore[arg-type]
        found.append(row("tir.put", f"{kind} %0 at %1 with %2 axis 0 : {{r}}", [hard, index, ups], want))
        long = np.resize(array([1e30, 1, -1e30, 3, 1e-30, 7], "f32"), 40)
        many = np.zeros(40, np.int32)
        alone = written(hard[-1:], {(k,): (0,) for k in range(40)}, long, kind)
        found.append(row("tir.put", f"{kind} %0 at %1 with %2 axis 0 : {{r}}", [hard[-1:], many, long], alone))
    found.append(row("tir.put", "set %0 at %1 with %2 axis 0 : {r}", [x, twice, x[2:]], np.stack([x[3], *x[1:]])))
    return found


def named_rows() -> list[Sample]:
    x, i, k = random((4, 3), "f32"), array([3, -1, 0], "i32"), array([0, 2, 1], "ui8")
    along = array([[0, 2, 9], [1, 1, 1], [-1, 0, 2], [2, 2, 0]], "i64")
    found = []
    for mode in ("clamp", "drop"):
        rows = of_axis(x, i, 0, mode)
        for dims, result in (
            ([("[N]", "[M]"), ("[K]",)], ("[K]", "[M]")), ([("?", 3), ("?",)], ("?", 3)), ([("?", "?"), (3,)], (3, "?")),
        ):  # fmt: skip
            facts = {"dims": dims, "result": result}
            found += both("tir.take", "tir.put", "axis 0 ", x, [i], *rows, mode, "add", "f32", **facts)
        facts = {"dims": [("[N]", "?"), ("[N]", "?")], "result": ("[N]", "?")}
        found += both("tir.take_along_axis", "tir.put_along_axis", "axis 1 ", x, [along], *along_axis(x, along, 1, mode), mode,
                      "max", "f32", **facts)  # fmt: skip
        facts = {"dims": [("?", "[M]"), ("[K]",), ("?",)], "result": ("[K]",)}
        found += both("tir.index_nd", "tir.put_nd", "", x, [i, k], *at_points(x, [i, k], mode), mode, "set", "f32", **facts)
    return found


# --- the general form ------------------------------------------------------------------------------------------------


def general_pair(x: np.ndarray, index: np.ndarray, numbers: Numbers, sizes: tuple[int, ...], mode: str, kind: str) -> list[Sample]:
    at, shape = places(x.shape, index, numbers, sizes, mode), slice_shape(index.shape, numbers, sizes)
    mode_text = "" if mode == "error" else f" mode {mode}"
    u = random(shape, NAMES[x.dtype], seed=5)
    return [
        row("tir.gather", f"%0 at %1 {numbers.text(sizes)}{mode_text} : {{r}}", [x, index], read(x, at, shape)),
        row("tir.scatter", f"{kind} %0 at %1 with %2 {numbers.text()}{mode_text} : {{r}}", [x, index, u],
            written(x, at, u, kind)),
    ]  # fmt: skip


def general_rows() -> list[Sample]:
    found, r = [], np.random.default_rng(12)
    for number in range(60):
        shape, index_shape, numbers, sizes = random_case(r)
        mode, kind = MODES[number % 3], KINDS[number % 5]
        index = r.integers(-1, 4, index_shape)
        for k, axis in enumerate(numbers.map):  # in mode error, inside
            part = (slice(None),) * numbers.vector + (k,) if numbers.vector < len(index_shape) else ...
            if mode == "error":
                index[part] = np.clip(index[part], 0, shape[axis] - sizes[axis])
        found += general_pair(random(shape, "f32"), index.astype(np.int32), numbers, sizes, mode, kind)
    return [*found, *wide_rows()]


def wide_rows() -> list[Sample]:
    """Whole axes, named sizes, windows that reach outside at the ends of the index type."""
    x, vectors = random((5, 3), "f32"), array([[4], [0], [-2]], "i32")
    rows_of = Numbers(window=[1], map=[0], vector=1, collapsed=[0])
    facts: dict[str, Any] = {"dims": [("[N]", "[M]"), ("[K]", 1)], "result": ("[K]", "[M]")}
    at = places(x.shape, vectors, rows_of, (1, 3), "clamp")
    found = [
        row("tir.gather", f"%0 at %1 {rows_of.text((1, -1))} mode clamp : {{r}}", [x, vectors], read(x, at, (3, 3)), **facts),
    ]
    u = random((3, 3), "f32", seed=1)
    found.append(
        row("tir.scatter", f"add %0 at %1 with %2 {rows_of.text()} mode clamp unique sorted : {{r}}", [x, vectors, u],
            written(x, at, u, "add"), dims=[("[N]", "[M]"), ("[K]", 1), ("?", "?")], result=("[N]", "[M]"))
    )  # fmt: skip
    windows = Numbers(window=[1], map=[0], vector=1)
    for name in INDICES:
        info = np.iinfo(array(0, name).dtype)
        index = np.array([[info.max], [info.min], [info.max - 1], [3], [2]], info.dtype)
        for mode in ("clamp", "drop"):
            found += general_pair(random((5,), "f32"), index, windows, (3,), mode, "add")
    return found


# --- gradients -------------------------------------------------------------------------------------------------------


def points() -> list[Smooth]:
    x, u = random((4, 3), "f64", 0.5, 2), random((5, 3), "f64", 0.5, 2, seed=1)
    i, out = array([3, 0, 3, 1, 3], "i32"), array([3, -1, 3, 9, 0], "i64")
    along = array([[0, 2, 0, 1], [1, 1, 1, 0], [2, 0, 2, 2], [2, 2, 0, 1]], "ui8")
    first = Numbers(window=[1], map=[0], vector=1, collapsed=[0])
    vectors = out[:, None]
    found = [
        smooth("tir.take", "%0 at %1 axis 0 : {r}", [x, i], (5, 3)),
        smooth("tir.take", "%0 at %1 axis 0 mode drop : {r}", [x, out], ("[K]", 3), dims={0: ("[N]", 3), 1: ("[K]",)}),
        smooth("tir.take_along_axis", "%0 at %1 axis 1 : {r}", [x, along], (4, 4)),
        smooth("tir.index_nd", "%0 at %1, %2 : {r}", [x, i, i % 3], (5,)),
        smooth("tir.index_nd", "%0 at %1, %2 mode clamp : {r}", [x, out, i], ("?",), dims={1: ("?",), 2: ("?",)}),
        smooth("tir.gather", f"%0 at %1 {first.text((1, -1))} mode clamp : {{r}}", [x, vectors], (5, 3)),
        smooth("tir.gather", f"%0 at %1 {first.text((1, 2))} mode drop : {{r}}", [x, vectors], (5, 2)),
    ]
    for kind in KINDS:
        facts: dict[str, Any] = {"wrt": (0, 2)}
        by_row = dict(dims={0: ("[N]", 3), 1: ("[K]",), 2: ("[K]", 3)}, **facts)
        text = f"{kind} %0 at %1 with %2 axis 0"
        found += [
            smooth("tir.put", f"{text} : {{r}}", [x, i, u], (4, 3), **facts),
            smooth("tir.put", f"{text} mode drop : {{r}}", [x, out, u], ("[N]", 3), **by_row),
            smooth("tir.put", f"{text} unique : {{r}}", [x, i[1:4], u[:3]], (4, 3), **facts),
            smooth("tir.put_along_axis", f"{kind} %0 at %1 with %2 axis 1 : {{r}}", [x, along, x @ random((3, 4), "f64", 1, 2)],
                   (4, 3), **facts),
            smooth("tir.put_nd", f"{kind} %0 with %1 at %2, %3 : {{r}}", [x, u[:, 0], i, i % 3], (4, 3), wrt=(0, 1)),
            smooth("tir.scatter", f"{kind} %0 at %1 with %2 {first.text()} mode drop : {{r}}", [x, vectors, u], (4, 3), **facts),
            smooth("tir.scatter", f"{kind} %0 at %1 with %2 {first.text()} mode clamp : {{r}}", [x, vectors, u], ("?", "?"),
                   dims={0: ("?", "?"), 2: ("?", "?")}, **facts),
        ]  # fmt: skip
    return found


#: Shapes of an operand and of indices into it, and an axis.
TAKEN: tuple[tuple[tuple[int, ...], tuple[int, ...], int], ...] = (
    ((4,), (), 0), ((1,), (1,), 0), ((5,), (3,), 0), ((4, 3), (2,), 0), ((4, 3), (2, 2), 1), ((3, 1), (0,), 1), ((0, 3), (2,), 1),
    ((2, 3, 2), (3,), 1), ((2, 3, 2), (1, 2), 2), ((7,), (2, 2), 0), ((2, 2, 1, 3), (2,), 3), ((1, 4), (5,), 1),
)  # fmt: skip


def as_point(sample: Sample) -> Smooth:
    """The row with floats that are apart from each other, as a point by all of them."""
    floats = [i for i, x in enumerate(sample.inputs) if x.dtype == np.float64]
    numbers, inputs = apart((sum(sample.inputs[i].size for i in floats),)), list(sample.inputs)
    for i in floats:
        inputs[i], numbers = numbers[: inputs[i].size].reshape(inputs[i].shape), numbers[inputs[i].size :]
    return Smooth(sample.op, sample.text, sample.types, tuple(inputs), sample.result, wrt=tuple(floats))


def more_points() -> list[Smooth]:
    """A gather and each kind of scatter at each shape, the modes in turn."""
    found: list[Sample] = []
    for number, (shape, index_shape, axis) in enumerate(TAKEN):
        for turn, kind in enumerate(KINDS):
            mode = MODES[(number + turn) % 3]
            x, i = random(shape, "f64"), positions(index_shape, shape[axis], "i32", mode, turn)
            along = positions((*shape[:axis], 2, *shape[axis + 1 :]), shape[axis], "i64", mode, turn)
            points = [positions(index_shape, n, "i32", mode if n else "drop", turn) for n in shape[: axis + 1]]
            mode_of_points = mode if all(shape[: axis + 1]) else "drop"
            found += [
                *both("tir.take", "tir.put", f"axis {axis} ", x, [i], *of_axis(x, i, axis, mode), mode, kind, "f64"),
                *both("tir.take_along_axis", "tir.put_along_axis", f"axis {axis} ", x, [along],
                      *along_axis(x, along, axis, mode), mode, kind, "f64"),
                *both("tir.index_nd", "tir.put_nd", "", x, points, *at_points(x, points, mode_of_points), mode_of_points, kind, "f64"),
            ]  # fmt: skip
    x, i = random((4, 3), "f64"), array([3, 0, 1], "i32")
    for dims, result in (([("[N]", "[M]"), ("[K]",)], ("[K]", "[M]")), ([("?", "?"), ("?",)], ("?", "?"))):
        facts = {"dims": dims, "result": result}
        found += both("tir.take", "tir.put", "axis 0 ", x, [i], *of_axis(x, i, 0, "error"), "error", "add", "f64", **facts)
    return [as_point(sample) for sample in (*found, *general_samples())]


def general_samples() -> list[Sample]:
    found, r = [], np.random.default_rng(13)
    for number in range(30):
        shape, index_shape, numbers, sizes = random_case(r)
        index = r.integers(-1, 4, index_shape).astype(np.int32)
        found += general_pair(random(shape, "f64"), index, numbers, sizes, MODES[1 + number % 2], KINDS[number % 5])
    return found
