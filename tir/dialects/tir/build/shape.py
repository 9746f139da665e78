"""Builder methods for ops that move elements: transposes, reshapes, slices, pads."""

from __future__ import annotations

from collections.abc import Sequence

from tir.dialects.tir import create
from tir.dialects.tir import shape as shapes
from tir.dialects.tir.build.core import Extent, Tensor, TensorLike
from tir.dialects.tir.build.logic import LogicBuilder
from tir.ir.affine import AffineExpr
from tir.ir.errors import TirError
from tir.ir.ir import Value
from tir.ir.types import F32, I64, Type

__all__ = ["ShapeBuilder"]


class ShapeBuilder(LogicBuilder):
    """Transposes, reshapes, slices, pads."""

    def transpose(self, x: TensorLike, permutation: Sequence[int] | None = None) -> Tensor:
        """The axes in another order; reversed by default."""
        x = self.tensor(x)
        order = list(reversed(range(x.type.rank))) if permutation is None else [self.axis_of(x, i) for i in permutation]
        return x if order == list(range(x.type.rank)) else self.make(shapes.Transpose, x, permutation=order)

    def to_index(self, x: TensorLike) -> Value:
        """A whole number, a 0-d tensor, as a size."""
        return self.create(shapes.ToIndex, self.tensor(x).value)

    def reshape(self, x: TensorLike, shape: Sequence[Extent]) -> Tensor:
        """The elements in another shape, in row-major order."""
        x = self.tensor(x)
        return self._sized(shapes.Reshape, x, shape=shape, element=x.type.element)

    def slice(
        self, x: TensorLike, starts: Sequence[int], limits: Sequence[int], strides: Sequence[int] | None = None
    ) -> Tensor:
        """x[starts:limits:strides]; a limit of 0 is the end, below 0 it counts from there."""
        strides = [1] * len(starts) if strides is None else strides
        return self.make(shapes.Slice, self.tensor(x), starts=starts, limits=limits, strides=strides)

    def place(
        self, x: TensorLike, starts: Sequence[int], limits: Sequence[int], strides: Sequence[int],
        shape: Sequence[Extent], value: int | float | bool = 0,
    ) -> Tensor:  # fmt: skip
        """A tensor of this shape full of `value`, of which the slice [starts:limits:strides] is x."""
        x = self.tensor(x)
        facts = {"value": self.number(value, x.type.element), "starts": starts, "limits": limits}
        return self._sized(shapes.Pad, x, shape=shape, element=x.type.element, strides=strides, **facts)

    def pad(
        self, x: TensorLike, low: Sequence[int], high: Sequence[int], interior: Sequence[int] | None = None,
        value: int | float | bool = 0,
    ) -> Tensor:  # fmt: skip
        """x with `low[i]` elements in front of axis i, `high[i]` behind and `interior[i]` between each two."""
        x = self.tensor(x)
        between = [0] * len(low) if interior is None else interior
        if not len(low) == len(high) == len(between) == x.type.rank:
            got = f"{len(low)}, {len(high)} and {len(between)}"
            raise TirError(f"pad: each list must have a number for each axis of {x.type}, got {got}")
        if min((*low, *high, *between), default=0) < 0:
            got = f"{list(low)}, {list(high)} and {list(between)}"
            raise TirError(f"pad: each number must be at least 0, got {got}", hint="slice cuts off")
        shape = [self._padded(x, axis, *facts) for axis, facts in enumerate(zip(low, high, between))]
        return self.place(x, low, [-count for count in high], [count + 1 for count in between], shape, value)

    def _padded(self, x: Tensor, axis: int, low: int, high: int, between: int) -> Extent:
        """The size of an axis behind `pad`; an axis without elements has nothing between them."""
        size = self.shape(x)[axis]
        if low == high == between == 0:
            return size
        if not isinstance(size, int) and (between or not isinstance(size, AffineExpr)):  # no name says what it is
            count = self.tensor(self.count(x, [axis], I64))
            inside = self.maximum(count * (between + 1) - between, 0) if between else count
            return self.to_index(inside + (low + high))
        return low + size * (between + 1) - (between if size != 0 else 0) + high

    def reverse(self, x: TensorLike, axes: Sequence[int] | int) -> Tensor:
        """x turned round along the axes."""
        x = self.tensor(x)
        chosen = self.axes_of(x, axes)
        return self.make(shapes.Reverse, x, axes=chosen) if chosen else x

    def one_hot(self, x: TensorLike, depth: Extent, element: Type = F32) -> Tensor:
        """1 at the position x along a new last axis."""
        return self._sized(create.OneHot, x := self.tensor(x), shape=(*self.shape(x), depth), element=element)
