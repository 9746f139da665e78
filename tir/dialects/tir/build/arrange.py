"""Builder methods that put tensors together and take them apart: concat, split, tile, diagonals, slices that move."""

from __future__ import annotations

from collections.abc import Sequence

from tir.dialects.tir import arrange, moving
from tir.dialects.tir.build.core import Extent, Tensor, TensorLike, listed
from tir.dialects.tir.build.shape import ShapeBuilder
from tir.ir.errors import TirError, counted
from tir.ir.ir import Value
from tir.ir.types import F32, I64, INDEX, Dim, Type, dim_text
from tir.lazy import np

__all__ = ["ArrangeBuilder"]


class ArrangeBuilder(ShapeBuilder):
    """Concat and split, tile and repeat, triangles and diagonals, dynamic slices and their updates."""

    # --- axes of size 1 ----------------------------------------------------------------------------------------------

    def expand_dims(self, x: TensorLike, axes: Sequence[int] | int) -> Tensor:
        """x with new axes of size 1 at these places of the result."""
        x = self.tensor(x)
        given = listed(axes)
        rank = x.type.rank + len(given)
        added = {axis + rank if axis < 0 else axis for axis in given}
        if len(added) != len(given) or not all(0 <= axis < rank for axis in added):
            raise TirError(f"expand_dims: each of the {rank} axes of the result may be new once, got {given}")
        extents = iter(self.shape(x))
        shape = [1 if axis in added else next(extents) for axis in range(rank)]
        return self.broadcast(x, [axis for axis in range(rank) if axis not in added], shape)

    def squeeze(self, x: TensorLike, axes: Sequence[int] | int | None = None) -> Tensor:
        """x without these axes of size 1; by default all that are known to have it."""
        x = self.tensor(x)
        ones = [axis for axis, dim in enumerate(x.type.shape) if dim == 1]
        given = ones if axes is None else listed(axes)
        chosen = [self.axis_of(x, axis) for axis in given]
        for axis in chosen:
            if isinstance(dim := x.type.shape[axis], int) and dim != 1:
                raise TirError(f"squeeze: an axis must have size 1, got axis {axis} of {x.type}")
        kept = [extent for axis, extent in enumerate(self.shape(x)) if axis not in chosen]
        return self.reshape(x, kept) if chosen else x

    # --- parts -------------------------------------------------------------------------------------------------------

    def concat(self, xs: Sequence[TensorLike], axis: int = 0) -> Tensor:
        """The tensors one behind the other along the axis, in the element type that numpy would choose."""
        if not xs:
            raise TirError("concat: needs at least one tensor")
        tensors, _ = self._promote(*(self.tensor(x) for x in xs))
        first: Tensor = tensors[0]  # type: ignore[assignment]
        return self.make(arrange.Concat, [x.value for x in tensors], axis=self.axis_of(first, axis))  # type: ignore[union-attr]

    def stack(self, xs: Sequence[TensorLike], axis: int = 0) -> Tensor:
        """Tensors of one shape along a new axis."""
        return self.concat([self.expand_dims(x, axis) for x in xs], axis)

    def split(self, x: TensorLike, sizes: Sequence[int | None] | int, axis: int = 0) -> list[Tensor]:
        """Parts of x along the axis: as many of one size, or of these sizes; None at the end is the rest."""
        x = self.tensor(x)
        axis = self.axis_of(x, axis)
        found, start = [], 0
        for size in _part_sizes(sizes, x.type.shape[axis]):
            found.append(self._part(x, axis, start, size))
            start += size or 0
        return found

    def _part(self, x: Tensor, axis: int, start: int, size: int | None) -> Tensor:
        """`size` places of an axis from a start on, None for all behind it."""
        if size == 0:  # as limit of a slice, 0 would be the end of the axis
            shape = [0 if i == axis else extent for i, extent in enumerate(self.shape(x))]
            return self.full(0, shape, x.type.element)
        starts, limits = [0] * x.type.rank, [0] * x.type.rank
        starts[axis], limits[axis] = start, 0 if size is None else start + size
        return self.slice(x, starts, limits)

    def parts_of(self, x: TensorLike, axis: int, likes: Sequence[Tensor]) -> list[Tensor]:
        """The parts of x along the axis that have the sizes of these tensors: undoes concat."""
        x = self.tensor(x)
        sizes = [like.type.shape[axis] for like in likes]
        if all(isinstance(size, int) for size in sizes[:-1]):
            return self.split(x, [*sizes[:-1], None], axis)  # type: ignore[list-item]
        found = []
        start: Tensor | int = 0
        for like in likes:
            starts = [start if i == axis else 0 for i in range(x.type.rank)]
            found.append(self.dynamic_slice(x, starts, self.shape(like)))
            start = start + self.count(like, [axis], I64)
        return found

    # --- slices that move --------------------------------------------------------------------------------------------

    def dynamic_slice(
        self, x: TensorLike, starts: Sequence[TensorLike], shape: Sequence[Extent], mode: str = "error"
    ) -> Tensor:
        """The slice of this shape that begins at the starts: numbers, index values or 0-d integer tensors."""
        x = self.tensor(x)
        places = [self._start(start) for start in starts]
        return self._sized(moving.DynamicSlice, x, places, shape=shape, element=x.type.element, mode=mode)

    def update_slice(self, x: TensorLike, u: TensorLike, starts: Sequence[TensorLike], mode: str = "error") -> Tensor:
        """x with u in the place of the slice that begins at the starts."""
        places = [self._start(start) for start in starts]
        return self.make(moving.UpdateSlice, self.tensor(x), self.tensor(u), places, mode=mode)

    def _start(self, start: TensorLike) -> Value:
        """A start as a 0-d integer tensor."""
        if isinstance(start, int):
            return self.constant(start, I64).value
        found = self.tensor(start)
        return self.cast(found, I64).value if found.type is INDEX else found.value

    # --- copies ------------------------------------------------------------------------------------------------------

    def tile(self, x: TensorLike, reps: Sequence[int] | int) -> Tensor:
        """x as a whole `reps[i]` times along axis i; new leading axes where x has fewer, as numpy's tile."""
        x = self.tensor(x)
        given = listed(reps)
        counts = [1] * (x.type.rank - len(given)) + given
        x = self.expand_dims(x, range(len(counts) - x.type.rank)) if len(counts) > x.type.rank else x
        return self.make(arrange.Tile, x, reps=counts) if any(count != 1 for count in counts) else x

    def repeat(self, x: TensorLike, times: int, axis: int) -> Tensor:
        """Each element `times` times, side by side along the axis."""
        x = self.tensor(x)
        return self.make(arrange.Repeat, x, times=times, axis=self.axis_of(x, axis)) if times != 1 else x

    # --- matrices ----------------------------------------------------------------------------------------------------

    def eye(self, rows: Extent, columns: Extent | None = None, diagonal: int = 0, element: Type = F32) -> Tensor:
        """1 on a diagonal of a matrix, 0 elsewhere: diagonal 1 is above the main one."""
        shape = [rows, rows if columns is None else columns]
        return self.cast(self.cmp("eq", self.iota(shape, 0) + diagonal, self.iota(shape, 1)), element)

    def tril(self, x: TensorLike, diagonal: int = 0) -> Tensor:
        """x with 0 above a diagonal of its matrices."""
        return self.make(arrange.Tril, self.tensor(x), diagonal=diagonal)

    def triu(self, x: TensorLike, diagonal: int = 0) -> Tensor:
        """x with 0 below a diagonal of its matrices."""
        return self.make(arrange.Triu, self.tensor(x), diagonal=diagonal)

    def diag(self, x: TensorLike, diagonal: int = 0) -> Tensor:
        """Square matrices with the last axis of x on a diagonal."""
        return self.make(arrange.Diag, self.tensor(x), diagonal=diagonal)

    def diag_part(self, x: TensorLike, diagonal: int = 0) -> Tensor:
        """A diagonal of the matrices in the last two axes."""
        return self.make(arrange.DiagPart, self.tensor(x), diagonal=diagonal)


def _part_sizes(sizes: Sequence[int | None] | int, dim: Dim) -> Sequence[int | None]:
    """The sizes of the parts of an axis of this size; TirError if they are not its."""
    if isinstance(sizes, (int, np.integer)):
        if not isinstance(dim, int) or sizes < 1 or dim % sizes:
            raise TirError(f"split: size {dim_text(dim)} is not known to have {counted(sizes, 'equal part')}")
        return [dim // sizes] * sizes
    if None in sizes[:-1]:
        raise TirError("split: only the last size may be None, the rest")
    total = sum(size for size in sizes if size is not None)
    if not sizes or min(size for size in (*sizes, 0) if size is not None) < 0:
        raise TirError(f"split: needs sizes of at least 0, got {list(sizes)}")
    if sizes[-1] is not None and dim != total:
        raise TirError(f"split: the sizes must add up to {dim_text(dim)}, got {total}; the last may be None, the rest")
    return sizes
