"""Builder methods that read and write where indices say: `x[index]`, gathers and scatters."""

from __future__ import annotations

from collections.abc import Sequence
from types import EllipsisType
from typing import Any

from tir.dialects.tir import gather, scatter
from tir.dialects.tir.build.arrange import ArrangeBuilder
from tir.dialects.tir.build.core import Tensor, TensorLike
from tir.dialects.tir.indexing import checked_position, index_plan, is_array, spelled_out
from tir.ir.errors import TirError
from tir.ir.ir import Value
from tir.ir.types import I1, I64, IntegerType, TensorType
from tir.lazy import np

__all__ = ["IndexingBuilder"]


class IndexingBuilder(ArrangeBuilder):
    """`x[index]` with integers, slices, `...`, None, arrays and tensors of integers; gathers and scatters.

    A negative number in `x[index]` counts from the end, as in numpy. The methods that are named after ops have the
    meaning of these: there it is outside.
    """

    # --- x[index] ----------------------------------------------------------------------------------------------------

    def index(self, x: TensorLike, index: Any) -> Tensor:
        """x[index] as numpy reads it; an index outside is an error, here if it is known and else at run time."""
        x = self.tensor(x)
        parts = spelled_out(index, x.type.rank)
        if not any(is_array(part) for part in parts):
            return self._basic(x, parts)
        # As in numpy, an integer beside arrays is an array too.
        chosen = [i for i, part in enumerate(parts) if part is not None and not isinstance(part, slice)]
        found = self._basic(x, [slice(None) if i in chosen else part for i, part in enumerate(parts)])
        positions = [self._positions(parts[axis], found, axis) for axis in chosen]
        if len(chosen) == 1:
            return self.take(found, positions[0], chosen[0])
        given = [i for i, part in enumerate(index) if part is not None and not isinstance(part, (slice, EllipsisType))]
        return self._at(found, chosen, positions, side_by_side=given[-1] - given[0] + 1 == len(given))

    def _basic(self, x: Tensor, parts: list[Any]) -> Tensor:
        """x[parts], which are integers, slices and None."""
        plan = index_plan(parts, x.type)
        found = self.reverse(x, plan.reversed_before)
        found = self.slice(found, plan.starts, plan.limits, plan.strides) if plan.cuts else found
        found = self.reverse(found, plan.reversed_after)
        if plan.dropped:
            kept = [extent for axis, extent in enumerate(self.shape(found)) if axis not in plan.dropped]
            found = self.reshape(found, kept)
        return self.expand_dims(found, plan.added) if plan.added else found

    def _positions(self, part: Any, x: Tensor, axis: int) -> Tensor:
        """A part of an index as positions along the axis, none of them counted from the end."""
        size = x.type.shape[axis]
        if not isinstance(part, (Tensor, Value)):
            array = np.asarray(part if is_array(part) else part.__index__())
            array = array.astype(np.int64) if array.size == 0 else array
            if array.dtype.kind in "iu" and (isinstance(size, int) or np.all(array >= 0)):
                numbers = [checked_position(int(at), size) if isinstance(size, int) else int(at) for at in array.flat]
                return self.constant(np.array(numbers, np.int64).reshape(array.shape))
            part = array
        index = self.tensor(part)
        index = index if isinstance(index.type, TensorType) else self.cast(index, I64)
        element = index.type.element
        if element is I1:
            raise TirError("a mask chooses a number of elements that only run time knows; use select, or positions")
        if not isinstance(element, IntegerType):
            raise TirError(f"an index must have integers, got {index.type}")
        if element.is_unsigned:
            return index
        wide = self.cast(index, I64)  # a narrow type may not hold the size
        from_front = wide + self.count(x, [axis], I64)
        # One that is too low stays as it was written: the error that ends the call tells it.
        return self.select((wide < 0) & (from_front >= 0), from_front, wide)

    def _at(self, x: Tensor, axes: list[int], positions: list[Tensor], side_by_side: bool) -> Tensor:
        """The elements at positions along several axes; the positions are broadcast.

        The axes of the positions come first, as in numpy, or in the place of the axes if these stand side by side.
        """
        shape = self._common_shape(positions)
        rest = [axis for axis in range(x.type.rank) if axis not in axes]
        moved = self.transpose(x, [*axes, *rest])
        found = self.index_nd(moved, [self.broadcast_to(index, shape) for index in positions])
        front = axes[0] if side_by_side else 0
        new, old = range(len(shape)), range(len(shape), found.type.rank)
        return self.transpose(found, [*old[:front], *new, *old[front:]])

    # --- slices whose bounds are clamped at run time -------------------------------------------------------------------

    def _clamped_slice(self, x: TensorLike, axis: int, part: slice) -> Tensor:
        """x[part] along an axis, its bounds clamped to the axis as Python does it; they may be tensor<i64>."""
        x = self.tensor(x)
        start, count, step = self._places_of_slice(x, axis, part)
        extent = self.to_index(count)
        if step == 1:
            starts = [start if i == axis else 0 for i in range(x.type.rank)]
            sizes = [extent if i == axis else size for i, size in enumerate(self.shape(x))]
            return self.dynamic_slice(x, starts, sizes, mode="clamp")
        return self.take(x, self.add(start, self.mul(self.iota([extent], 0), step)), axis, mode="clamp")

    def _places_of_slice(self, x: TensorLike, axis: int, part: slice) -> tuple[Tensor, Tensor, int]:
        """The first place of a slice, how many there are, and the step: as `slice.indices` gives them."""
        step = 1 if part.step is None else part.step
        size = self.extent_count(self.shape(x)[axis])
        size = size if isinstance(size, Tensor) else self.constant(size, I64)
        low, high = (0, size) if step > 0 else (-1, self.sub(size, 1))
        start = self._bound(part.start, size, low, high) if part.start is not None else low if step > 0 else high
        stop = self._bound(part.stop, size, low, high) if part.stop is not None else high if step > 0 else low
        start, stop = (self.constant(one, I64) if isinstance(one, int) else one for one in (start, stop))
        length = self.sub(stop, start) if step > 0 else self.sub(start, stop)
        count = length if abs(step) == 1 else self.floordiv(self.add(length, abs(step) - 1), abs(step))
        return start, self.maximum(count, self.constant(0, I64)), step

    def _bound(self, given: Any, size: Tensor, low: int | Tensor, high: Tensor) -> Tensor:
        """A bound, counted from the end if it is negative, and clamped."""
        least = low if isinstance(low, Tensor) else self.constant(low, I64)
        if not isinstance(given, Tensor):
            at = given.__index__()
            if at >= 0:
                return self.minimum(self.constant(at, I64), high)
            return self.maximum(self.add(size, self.constant(at, I64)), least)
        counted = self.select(self.cmp("lt", given, 0), self.add(given, size), given)
        return self.clamp(counted, least, high)

    # --- reading -----------------------------------------------------------------------------------------------------

    def take(self, x: TensorLike, index: TensorLike, axis: int = 0, mode: str = "error") -> Tensor:
        """The slices of x along the axis with these numbers; mode: error, clamp or drop."""
        x = self.tensor(x)
        return self.make(gather.Take, x, self.tensor(index), axis=self.axis_of(x, axis), mode=mode)

    def take_along_axis(self, x: TensorLike, index: TensorLike, axis: int, mode: str = "error") -> Tensor:
        """The elements of x at the places along the axis that the index says for each."""
        x = self.tensor(x)
        return self.make(gather.TakeAlongAxis, x, self.tensor(index), axis=self.axis_of(x, axis), mode=mode)

    def index_nd(self, x: TensorLike, points: Sequence[TensorLike], mode: str = "error") -> Tensor:
        """x[points[0], points[1], ..], where all have one shape."""
        return self.make(gather.IndexNd, self.tensor(x), [self.tensor(index).value for index in points], mode=mode)

    def gather(
        self, x: TensorLike, index: TensorLike, window_sizes: Sequence[int], *, window: Sequence[int], map: Sequence[int],
        vector: int, collapsed: Sequence[int] = (), batching: Sequence[int] = (), index_batching: Sequence[int] = (),
        mode: str = "error",
    ) -> Tensor:  # fmt: skip
        """Windows of x, with the dimension numbers of StableHLO; a size of -1 is all of an axis."""
        return self.make(
            gather.Gather, self.tensor(x), self.tensor(index), window_sizes=window_sizes, window=window, map=map,
            vector=vector, collapsed=collapsed, batching=batching, index_batching=index_batching, mode=mode,
        )  # fmt: skip

    # --- writing -----------------------------------------------------------------------------------------------------

    def put(
        self, x: TensorLike, index: TensorLike, u: TensorLike, axis: int = 0, kind: str = "set", mode: str = "error",
        unique: bool = False,
    ) -> Tensor:  # fmt: skip
        """x with the slices along the axis with these numbers set to u, or combined with it: add, mul, max, min."""
        x = self.tensor(x)
        facts = {"axis": self.axis_of(x, axis), "kind": kind, "mode": mode, "unique_indices": unique}
        return self.make(scatter.Put, x, self.tensor(index), self.tensor(u), **facts)

    def put_along_axis(
        self, x: TensorLike, index: TensorLike, u: TensorLike, axis: int, kind: str = "set", mode: str = "error",
        unique: bool = False,
    ) -> Tensor:  # fmt: skip
        """x with the elements that take_along_axis reads set to u, or combined with it."""
        x = self.tensor(x)
        facts = {"axis": self.axis_of(x, axis), "kind": kind, "mode": mode, "unique_indices": unique}
        return self.make(scatter.PutAlongAxis, x, self.tensor(index), self.tensor(u), **facts)

    def put_nd(
        self, x: TensorLike, points: Sequence[TensorLike], u: TensorLike, kind: str = "set", mode: str = "error",
        unique: bool = False,
    ) -> Tensor:  # fmt: skip
        """x with the elements that index_nd reads set to u, or combined with it."""
        values = [self.tensor(index).value for index in points]
        facts = {"kind": kind, "mode": mode, "unique_indices": unique}
        return self.make(scatter.PutNd, self.tensor(x), self.tensor(u), values, **facts)

    def scatter(
        self, x: TensorLike, index: TensorLike, u: TensorLike, kind: str, *, window: Sequence[int], map: Sequence[int],
        vector: int, collapsed: Sequence[int] = (), batching: Sequence[int] = (), index_batching: Sequence[int] = (),
        mode: str = "error", unique: bool = False, is_sorted: bool = False,
    ) -> Tensor:  # fmt: skip
        """x with windows combined with u, with the dimension numbers of StableHLO."""
        return self.make(
            scatter.Scatter, self.tensor(x), self.tensor(index), self.tensor(u), kind=kind, window=window, map=map,
            vector=vector, collapsed=collapsed, batching=batching, index_batching=index_batching, mode=mode,
            unique_indices=unique, indices_are_sorted=is_sorted,
        )  # fmt: skip

    def numbered(self, like: TensorLike) -> Tensor:
        """The numbers of the elements in row-major order, in the shape of a tensor, as i64."""
        like = self.tensor(like)
        shape = self.shape(like)
        found = self.full(0, shape, I64)
        for axis in range(like.type.rank):
            found = found * self.count(like, [axis], I64) + self.iota(shape, axis)
        return found
