"""Reading at places that indices say: gather, and the forms of it that numpy has names for.

All of them keep to Note [Indices out of range] in `places.py`. Each has a twin in `scatter.py` that writes to the same
places: the adjoint of one is the other, and how the places follow from the indices is said once for both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tir.dialects.tir.base import Structure, Structured, check_axes, fail
from tir.dialects.tir.batch import batch_size, behind, in_front, spread_all
from tir.dialects.tir.elements import ELEMENT_TENSOR
from tir.dialects.tir.places import INDEX_TENSOR, MODES, Along, Axis, Indexed
from tir.ir.affine import AffineConstant, AffineDim, AffineExpr, AffineMap
from tir.ir.define import attribute, operand, result
from tir.ir.ir import Op, Value
from tir.ir.kinds import I64_ARRAY, I64_ATTR
from tir.ir.types import Dim, dim_text
from tir.lazy import np

__all__ = ["OPS", "AlongAxis", "AtPoints", "General", "OfAxis"]


class Reading(Indexed, Structured):
    """An element of the result is the element of x at its place, 0 where mode `drop` finds none."""

    def check_operands(self) -> None:
        self.check_indices()
        self.check_equal()

    def result_shape(self, *shapes: Sequence[AffineExpr]) -> Sequence[AffineExpr]:
        return self.slice_shape(shapes)

    def inputs(self) -> list[Value]:
        return [value for value, _ in self.indices()]

    def structure(self) -> Structure:
        rank = len(self.sources())
        maps = tuple(map for _, map in self.indices())
        return Structure(("parallel",) * rank, maps, (AffineMap.identity(rank),))

    def zero_if_empty(self) -> list[Axis]:
        if self.mode != "drop":
            return []
        return [(self.x, axis) for axis, along in enumerate(self.along()) if along.start is not None]

    def element(self, s: Any, *starts: Any) -> Any:
        if any(self.x.type.shape[axis] == 0 for _, axis in self.zero_if_empty()):
            return s.const(0, self.x.type.element)
        places, inside = self.places(s, starts, s.index)
        found = s.extract(self.x, places)
        return found if inside is None else s.select(inside, found, s.const(0, found))

    def reference(self, *arrays: Any) -> Any:
        shape = self.slice_shape([np.shape(array) for array in arrays])
        places, inside = self.array_places(arrays, shape)
        x = np.asarray(arrays[0])
        if x.size == 0:  # so is the result, or no element of it lies in x
            return np.zeros(shape, x.dtype)
        found = x[places] if x.ndim else np.broadcast_to(x, shape)
        return found if inside is None else np.where(inside, found, x.dtype.type(0))

    def grad(self, b: Any, g: Any, x: Any, *indices: Any) -> list[Any]:
        return [self.scattered(b, b.full_like(x, 0), g), *[None] * len(indices)]

    def scattered(self, b: Any, x: Any, u: Any) -> Any:
        """u added to x at the places that this op reads."""
        raise AssertionError(f"{self.name} has no twin")


# --- how places follow from indices, for a gather and its scatter ------------------------------------------------


class OfAxis(Indexed):
    """An index says which slice along `axis`: the slices have the axes of the index in the place of that axis."""

    index: Any
    axis: Any

    def check_indices(self) -> None:
        check_axes(self, [self.axis], self.x.type.rank, "axis")

    @property
    def index_axes(self) -> range:
        """The axes of the slices that are those of the index."""
        return range(self.axis, self.axis + self.index.type.rank)

    def sources(self) -> list[Axis | int]:
        x, index = self.x, self.index
        front: list[Axis | int] = [(x, axis) for axis in range(self.axis)]
        return [*front, *((index, i) for i in range(index.type.rank)), *((x, a) for a in range(self.axis + 1, x.type.rank))]

    def along(self) -> list[Along]:
        more = self.index.type.rank - 1
        behind = [Along(position=axis + more) for axis in range(self.axis + 1, self.x.type.rank)]
        return [*(Along(position=axis) for axis in range(self.axis)), Along(start=0), *behind]

    def indices(self) -> list[tuple[Value, AffineMap]]:
        return [(self.index, AffineMap.of_dims(len(self.sources()), self.index_axes))]


class AlongAxis(Indexed):
    """An index for each element of the slices says its place along `axis`; the other axes are those of x."""

    index: Any
    axis: Any

    def check_indices(self) -> None:
        check_axes(self, [self.axis], self.x.type.rank, "axis")
        if self.index.type.rank != self.x.type.rank:
            fail(self, f"x and index must have one rank, got {self.x.type} and {self.index.type}")

    def sources(self) -> list[Axis | int]:
        return [(self.index, axis) for axis in range(self.x.type.rank)]

    def along(self) -> list[Along]:
        return [Along(start=0) if axis == self.axis else Along(position=axis) for axis in range(self.x.type.rank)]

    def indices(self) -> list[tuple[Value, AffineMap]]:
        return [(self.index, AffineMap.identity(self.x.type.rank))]

    def equal(self) -> Sequence[tuple[Axis, Axis]]:
        return [((self.x, axis), (self.index, axis)) for axis in range(self.x.type.rank) if axis != self.axis]


class AtPoints(Indexed):
    """An index for each of the first axes of x, all of one shape, which the slices have in the place of these axes."""

    points: Any

    def check_indices(self) -> None:
        rank, count = self.x.type.rank, len(self.points)
        if not 1 <= count <= rank:
            fail(self, f"x of rank {rank} needs an index for each of its first axes, 1 to {rank}, got {count}")
        for index in self.points:
            if index.type.rank != self.points[0].type.rank:
                fail(self, f"indices must have one shape, got {self.points[0].type} and {index.type}")

    def sources(self) -> list[Axis | int]:
        first = self.points[0]
        axes: list[Axis | int] = [(first, axis) for axis in range(first.type.rank)]
        return axes + [(self.x, axis) for axis in range(len(self.points), self.x.type.rank)]

    def along(self) -> list[Along]:
        count, rank = len(self.points), self.points[0].type.rank
        behind = [Along(position=axis - count + rank) for axis in range(count, self.x.type.rank)]
        return [*(Along(start=number) for number in range(count)), *behind]

    def indices(self) -> list[tuple[Value, AffineMap]]:
        map = AffineMap.of_dims(len(self.sources()), range(self.points[0].type.rank))
        return [(index, map) for index in self.points]

    def equal(self) -> Sequence[tuple[Axis, Axis]]:
        first, *others = self.points
        return [((first, axis), (other, axis)) for other in others for axis in range(first.type.rank)]

    def axis_name(self, value: Value, axis: int) -> str:
        if value in self.points:
            return f"index {list(self.points).index(value)} axis {axis}"
        return super().axis_name(value, axis)


class General(Indexed):
    """StableHLO's dimension numbers, with its names of the gather: the slices are windows into x.

    window: the axes of the slices that are axes of a window, in the order of the axes of x that are neither
    `collapsed` nor `batching`. The other axes of the slices are those of `index` without axis `vector`: each of their
    points has a vector of starts there, one for each axis of x in `map`. If `vector` is the rank of the index, each
    number is a vector of one. A window has size 1 along `collapsed` axes; along `batching[i]` it is at the position
    that the slices have along axis `index_batching[i]` of the index.
    """

    index: Any
    window: Any
    collapsed: Any
    batching: Any
    index_batching: Any
    map: Any
    vector: Any

    def numbers_behind(self) -> dict[str, Any]:
        """The dimension numbers where x and the index have one more axis in front, along which they go together."""
        names = ("window", "collapsed", "map", "vector")
        found = {name: behind(getattr(self, name)) for name in names}
        return found | {name: [0, *behind(getattr(self, name))] for name in ("batching", "index_batching")}

    def window_size(self, number: int, axis: int) -> Axis | int:
        """The size of a window along its axis `number`, which is this axis of x."""
        raise AssertionError(f"{self.name} has no windows")

    @property
    def slice_rank(self) -> int:
        """How many axes the slices have."""
        return len(self.window) + len(self.vector_free)

    @property
    def vector_free(self) -> list[int]:
        """The axes of the index but for that of its vectors."""
        return [axis for axis in range(self.index.type.rank) if axis != self.vector]

    @property
    def batch(self) -> list[int]:
        """For each of these the axis of the slices."""
        return [axis for axis in range(self.slice_rank) if axis not in self.window]

    @property
    def window_axes(self) -> list[int]:
        """The axes of x that a window has."""
        return [a for a in range(self.x.type.rank) if a not in self.collapsed and a not in self.batching]

    def check_indices(self) -> None:
        x, index = self.x.type, self.index.type
        check_axes(self, self.collapsed, x.rank, "collapsed")
        check_axes(self, sorted(self.batching), x.rank, "batching")
        if not 0 <= self.vector <= index.rank:
            fail(self, f"vector must be an axis of the index, or its rank {index.rank}, got {self.vector}")
        check_axes(self, sorted(self.index_batching), index.rank, "the batching axes of the index")
        check_axes(self, sorted(self.map), x.rank, "map")
        check_axes(self, self.window, self.slice_rank, "window")
        self._check_roles()
        if len(self.window) != len(self.window_axes):
            count, got = len(self.window_axes), list(self.window)
            fail(self, f"window needs {count} axes, those of x that are neither collapsed nor batching, got {got}")
        size: Dim = 1 if self.vector == index.rank else index.shape[self.vector]
        if size != len(self.map):
            fail(self, f"map needs an axis of x for each of the {dim_text(size)} numbers of a vector, got {list(self.map)}")

    def _check_roles(self) -> None:
        """No axis has two roles."""
        if set(self.collapsed) & set(self.batching):
            fail(self, f"no axis is both collapsed and batching, got {list(self.collapsed)} and {list(self.batching)}")
        if set(self.map) & set(self.batching):
            fail(self, f"no axis is both in map and batching, got {list(self.map)} and {list(self.batching)}")
        if len(self.batching) != len(self.index_batching) or self.vector in self.index_batching:
            got = f"{list(self.batching)} and {list(self.index_batching)}"
            fail(self, f"each batching axis of x needs one of the index, not that of its vectors, got {got}")

    def check_windows(self) -> None:
        """VerifyError if types say that a window is larger than x."""
        for number, axis in enumerate(self.window_axes):
            size, dim = self.window_size(number, axis), self.x.type.shape[axis]
            may_reach_out = self.mode == "drop" and axis in self.map
            if isinstance(size, int) and isinstance(dim, int) and size > dim and not may_reach_out:
                fail(self, f"a window must fit into x, got size {size} and {dim} (x axis {axis})")

    def _batch_axis(self, index_axis: int) -> int:
        """The axis of the slices that an axis of the index is."""
        return self.batch[self.vector_free.index(index_axis)]

    def sources(self) -> list[Axis | int]:
        found: list[Axis | int] = [0] * self.slice_rank
        for index_axis in self.vector_free:
            found[self._batch_axis(index_axis)] = (self.index, index_axis)
        for number, axis in enumerate(self.window_axes):
            found[self.window[number]] = self.window_size(number, axis)
        return found

    def along(self) -> list[Along]:
        starts = {axis: number for number, axis in enumerate(self.map)}
        positions = dict(zip(self.window_axes, self.window))
        positions |= {axis: self._batch_axis(i) for axis, i in zip(self.batching, self.index_batching)}
        return [Along(starts.get(axis), positions.get(axis)) for axis in range(self.x.type.rank)]

    def indices(self) -> list[tuple[Value, AffineMap]]:
        def place(axis: int, number: int) -> AffineExpr:
            return AffineConstant(number) if axis == self.vector else AffineDim(self._batch_axis(axis))

        axes = range(self.index.type.rank)
        maps = [AffineMap(self.slice_rank, 0, tuple(place(a, n) for a in axes)) for n in range(len(self.map))]
        return [(self.index, map) for map in maps]

    def index_tensor(self, b: Any, number: int) -> Any:
        index = b.tensor(self.index)
        if self.vector == index.type.rank:
            return index
        starts = [number if axis == self.vector else 0 for axis in range(index.type.rank)]
        limits = [number + 1 if axis == self.vector else 0 for axis in range(index.type.rank)]
        return b.slice(index, starts, limits)

    def equal(self) -> Sequence[tuple[Axis, Axis]]:
        return [((self.x, axis), (self.index, i)) for axis, i in zip(self.batching, self.index_batching)]


# --- the ops ---------------------------------------------------------------------------------------------------------


class Gather(Reading, General):
    """Windows of x at the starts that `index` says, as StableHLO's gather.

    `tir.gather %x at %i window [1] collapsed [0] map [0] vector 1 sizes [1, -1]` gives the rows of a matrix x whose
    numbers are %i, of type tensor<nx1xi32>. `sizes` are those of a window, -1 for all of an axis. The other numbers:

    - `window`: the axes of the result that are axes of the window (StableHLO: offset_dims);
    - `collapsed`: axes of x along which a window has size 1, and that the result leaves out (collapsed_slice_dims);
    - `batching [a] of [b]`: axis a of x moves with axis b of the index (operand_batching_dims, start_indices_batching_dims);
    - `map`: the axes of x that the numbers of a start say; along all others a start is 0 (start_index_map);
    - `vector`: the axis of the index that is the vector of a start, or its rank if each number is one (index_vector_dim).

    A start must leave room for the window; `mode` says what happens if not: `error` (the default), `clamp`, as in
    StableHLO, or `drop`: an element outside is 0. Gradient: g added up at the places that were read (tir.scatter).
    """

    name = "tir.gather"
    x = operand(ELEMENT_TENSOR)
    index = operand(INDEX_TENSOR)
    window = attribute(I64_ARRAY)
    collapsed = attribute(I64_ARRAY, default=())
    batching = attribute(I64_ARRAY, default=())
    index_batching = attribute(I64_ARRAY, default=())
    map = attribute(I64_ARRAY)
    vector = attribute(I64_ATTR)
    window_sizes = attribute(I64_ARRAY)
    mode = attribute(MODES, default="error")
    result = result(ELEMENT_TENSOR)
    format = (
        "$x `at` $index `window` $window (`collapsed` $collapsed^)? (`batching` $batching^ `of` $index_batching)? "
        "`map` $map `vector` $vector `sizes` $window_sizes (`mode` $mode^)? attr-dict `:` type($result)"
    )

    def of_batch(self, b: Any, operands: Sequence[Any], batched: Sequence[bool]) -> Sequence[Any] | None:
        facts = self.numbers_behind() | {"window_sizes": [1, *self.window_sizes]}
        return in_front(b, self, spread_all(b, operands, batched), batch_size(b, operands, batched), **facts)

    def check_indices(self) -> None:
        rank, sizes = self.x.type.rank, self.window_sizes
        if len(sizes) != rank or min(sizes, default=0) < -1:
            fail(self, f"sizes needs a number for each of the {rank} axes of x, -1 for all of it, got {list(sizes)}")
        super().check_indices()
        for axis in (*self.collapsed, *self.batching):
            if sizes[axis] != 1:
                fail(self, f"sizes must be 1 along collapsed and batching axes, got {sizes[axis]} along axis {axis}")
        self.check_windows()

    def window_size(self, number: int, axis: int) -> Axis | int:
        size = self.window_sizes[axis]
        return (self.x, axis) if size == -1 else size

    def scattered(self, b: Any, x: Any, u: Any) -> Any:
        return b.scatter(x, self.index, u, "add", mode=self.mode, **dimension_numbers(self))


def dimension_numbers(op: Op) -> dict[str, Any]:
    """The attributes that a general gather and scatter have in common."""
    names = ("window", "collapsed", "batching", "index_batching", "map", "vector")
    return {name: getattr(op, name) for name in names}


class Take(Reading, OfAxis):
    """The slices of x along `axis` with the numbers in `index`, as numpy's take: `tir.take %x at %i axis 0`.

    The result has the axes of the index in the place of the axis. An index outside of 0 to size - 1 is an error at run
    time; with `mode clamp` it is the nearest inside, with `mode drop` it reads 0. Gradient: g added up at the places
    that were read (tir.put).
    """

    name = "tir.take"
    x = operand(ELEMENT_TENSOR)
    index = operand(INDEX_TENSOR)
    axis = attribute(I64_ATTR)
    mode = attribute(MODES, default="error")
    result = result(ELEMENT_TENSOR)
    format = "$x `at` $index `axis` $axis (`mode` $mode^)? attr-dict `:` type($result)"

    def of_batch(self, b: Any, operands: Sequence[Any], batched: Sequence[bool]) -> Sequence[Any] | None:
        x, index = operands
        size = batch_size(b, operands, batched)
        if not batched[1]:
            return in_front(b, self, operands, size, axis=self.axis + 1)
        if batched[0]:  # an element of the batch is one more index
            x = b.transpose(x, [0, self.axis + 1, *(i for i in range(1, x.type.rank) if i != self.axis + 1)])
            shape = b.shape(index)
            found = b.index_nd(x, [b.iota(shape, 0), index], mode=self.mode)
            at, rank = range(index.type.rank, index.type.rank + self.axis), index.type.rank
            return [b.transpose(found, [0, *at, *range(1, rank), *range(rank + self.axis, found.type.rank)])]
        found = b.take(x, index, self.axis, mode=self.mode)
        front = range(self.axis)
        return [b.transpose(found, [self.axis, *front, *range(self.axis + 1, found.type.rank)])]

    def scattered(self, b: Any, x: Any, u: Any) -> Any:
        return b.put(x, self.index, u, self.axis, "add", self.mode)


class TakeAlongAxis(Reading, AlongAxis):
    """result[i, j] = x[i, index[i, j]] with `axis 1`, as numpy's take_along_axis, for any rank.

    The index has the sizes of x along all other axes. Modes and gradient are those of tir.take (tir.put_along_axis).
    """

    batch_axes = ("axis",)

    name = "tir.take_along_axis"
    x = operand(ELEMENT_TENSOR)
    index = operand(INDEX_TENSOR)
    axis = attribute(I64_ATTR)
    mode = attribute(MODES, default="error")
    result = result(ELEMENT_TENSOR)
    format = "$x `at` $index `axis` $axis (`mode` $mode^)? attr-dict `:` type($result)"

    def scattered(self, b: Any, x: Any, u: Any) -> Any:
        return b.put_along_axis(x, self.index, u, self.axis, "add", self.mode)


class IndexNd(Reading, AtPoints):
    """result[k] = x[i[k], j[k]], as `x[i, j]` of numpy with arrays i and j, for any number of first axes of x.

    The indices have one shape, which the result has in the place of these axes: `tir.index_nd %x at %i, %j`. Modes and
    gradient are those of tir.take (tir.put_nd).
    """

    name = "tir.index_nd"
    x = operand(ELEMENT_TENSOR)
    points = operand(INDEX_TENSOR, variadic=True)
    mode = attribute(MODES, default="error")
    result = result(ELEMENT_TENSOR)
    format = "$x `at` $points (`mode` $mode^)? attr-dict `:` type($result)"

    def of_batch(self, b: Any, operands: Sequence[Any], batched: Sequence[bool]) -> Sequence[Any] | None:
        if not batched[0]:
            return [b.index_nd(operands[0], spread_all(b, operands[1:], batched[1:]), mode=self.mode)]
        x, *points = spread_all(b, operands, batched)
        numbers = b.iota(b.shape(points[0]), 0)
        return [b.index_nd(x, [numbers, *points], mode=self.mode)]

    def scattered(self, b: Any, x: Any, u: Any) -> Any:
        return b.put_nd(x, self.points, u, "add", self.mode)


#: The ops of the family, in the order of the documentation.
OPS = (Gather, Take, TakeAlongAxis, IndexNd)
