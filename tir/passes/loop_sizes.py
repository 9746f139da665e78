"""Which loops of `linalg.generic` ops have the same length, as far as the program says it."""

from __future__ import annotations

from tir.dialects import arith, linalg, tensor
from tir.ir.affine import AffineDim
from tir.ir.attributes import IntegerAttr
from tir.ir.ir import OpResult, Value
from tir.ir.types import TensorType

__all__ = ["LoopSizes", "Size"]

Size = int | Value | tuple[Value, int]  # a number, an index value, or the size of an axis of a tensor


class LoopSizes:
    """Loops are as long as the axes that they run along; the size of an axis is traced back to where it comes from."""

    def __init__(self) -> None:
        self._known: dict[tuple[Value, int], Size] = {}

    def are_equal(self, first: linalg.Generic, second: linalg.Generic) -> bool:
        """Both ops have the same loops: as many, of the same kinds and lengths."""
        if first.iterator_types != second.iterator_types:
            return False
        return all(not one.isdisjoint(other) for one, other in zip(self.of_loops(first), self.of_loops(second)))

    def of_loops(self, op: linalg.Generic) -> list[set[Size]]:
        """For each loop the sizes that it is known to have; they are equal, though the program may write them apart."""
        found: list[set[Size]] = [set() for _ in op.iterator_types]
        for value, map in zip(op.operands, op.maps):
            for axis, expr in enumerate(map.results):
                if isinstance(expr, AffineDim):
                    found[expr.position].add(self.of_axis(value, axis))
        return found

    def of_axis(self, value: Value, axis: int) -> Size:
        """Where the size of an axis comes from."""
        path: list[tuple[Value, int]] = []
        size: Size = (value, axis)
        while isinstance(size, tuple):
            if size in self._known:
                size = self._known[size]
                break
            path.append(size)
            following = self.step(*size)
            if following == size:
                break
            size = following
        for passed in path:
            self._known[passed] = size
        return size

    def step(self, value: Value, axis: int) -> Size:
        """One step back; the same axis where it comes from nothing else."""
        return _step(value, axis)


def _step(value: Value, axis: int) -> Size:
    type, op = value.type, value.op
    assert isinstance(type, TensorType)
    if isinstance(type.shape[axis], int):
        return type.shape[axis]  # type: ignore[return-value]
    if isinstance(op, linalg.Generic) and isinstance(value, OpResult):
        return op.outputs[value.index], axis
    if isinstance(op, (tensor.Insert, tensor.InsertSlice)):
        return op.dest, axis
    if isinstance(op, tensor.Cast):
        return op.source, axis
    if isinstance(op, tensor.ExtractSlice):
        return _of_index(op.mixed_sizes[op.kept_axes[axis]])
    if isinstance(op, (tensor.Empty, tensor.Splat)):
        return _of_index(op.dynamicSizes[sum(not isinstance(dim, int) for dim in type.shape[:axis])])
    return value, axis


def _of_index(value: int | Value) -> Size:
    """The size that an index value is."""
    if isinstance(value, int):
        return value
    op = value.op
    if isinstance(op, arith.Constant):
        return int(op.value.value)
    if isinstance(op, tensor.Dim) and isinstance(op.index.op, arith.Constant):
        position = op.index.op.value
        if isinstance(position, IntegerAttr) and 0 <= position.value < op.source.type.rank:
            return op.source, position.value
    return value
