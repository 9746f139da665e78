"""A group of structured ops as one `scf.forall` over the loops that they share, with slices inside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tir.dialects import arith, linalg, scf, tensor
from tir.ir.affine import AffineDim, AffineExpr, AffineMap
from tir.ir.attributes import DenseAttr, IntegerAttr
from tir.ir.builder import Builder
from tir.ir.errors import fused_location
from tir.ir.ir import Block, Op, OpResult, Region, Value, clone_into
from tir.ir.types import INDEX, TensorType
from tir.ir.views import split_mixed
from tir.passes.axes import Axes

__all__ = ["Rows"]


class Rows:
    """The ops of a group, in the order of the text; `band` are the axes of the loop around them."""

    def __init__(self, ops: Sequence[linalg.Generic], band: frozenset[int], axes: Axes) -> None:
        self.ops = ops
        self.members: set[Op] = set(ops)
        self.axes = axes
        self.band = _ordered(ops, band, axes)
        last = ops[-1]
        self.outside = Builder(last.parent, last, fused_location(*(op.location for op in reversed(ops))))
        self.inside: Builder
        self.counters: dict[int, Value] = {}  # axis -> the counter of its loop
        self.rows: dict[Value, Value] = {}  # what an op of the group makes -> its row
        self.slices: dict[tuple[Value, tuple[int, ...]], Value] = {}
        self.sizes: dict[int, int | Value] = {}

    def emit(self) -> scf.ForAll:
        """Writes the loop in front of the last op, and removes the ops."""
        kept = [result for op in self.ops for result in op.results if self._is_used_outside(result)]
        inits = [self._empty(self.outside, result.type, self._result_axes(result)) for result in kept]  # type: ignore[arg-type]
        block = Block([*([INDEX] * len(self.band)), *(init.type for init in inits)])
        self.counters = dict(zip(self.band, block.arguments))
        self.inside = Builder(block, None, self.outside.location)
        numbers = [self._size(axis) for axis in self.band]
        for op in self.ops:
            self._row(op)
        self._end(kept, block.arguments[len(self.band) :])
        static, dynamic = split_mixed(numbers)
        loop = self.outside.op(
            scf.ForAll, [], dynamic, [], inits, staticLowerBound=[0] * len(static), staticUpperBound=static,
            staticStep=[1] * len(static), regions=[Region([block])],
        )  # fmt: skip
        for result, made in zip(kept, loop.results):
            result.replace_all_uses_with(made)
        for op in reversed(self.ops):
            op.erase()
        return loop

    def _is_used_outside(self, result: Value) -> bool:
        return any(user not in self.members for user in result.users)

    def _result_axes(self, result: OpResult) -> list[int]:
        """The axis of each axis of a result; -1 where it is none."""
        op = result.op
        assert isinstance(op, linalg.Generic)
        return self._axes_of(op, op.output_maps[result.index])

    def _axes_of(self, op: linalg.Generic, map: AffineMap) -> list[int]:
        return [self.axes.of_loop(op, expr.position) if isinstance(expr, AffineDim) else -1 for expr in map.results]

    def _end(self, kept: Sequence[OpResult], shared: Sequence[Value]) -> None:
        """What an iteration writes."""
        end = Block()
        writes = Builder(end, None, self.outside.location)
        for result, whole in zip(kept, shared):
            axes = self._result_axes(result)
            dims = result.type.shape  # type: ignore[attr-defined]
            offsets = [self.counters.get(axis, 0) for axis in axes]
            sizes = [
                1 if axis in self.counters else dim if isinstance(dim, int) else self._size_value(axis)
                for axis, dim in zip(axes, dims)
            ]
            (static_offsets, dynamic), (static, sizes_) = split_mixed(offsets), split_mixed(sizes)
            writes.op(
                tensor.ParallelInsertSlice, self.rows[result], whole, dynamic, sizes_, [], result_types=[],
                static_offsets=static_offsets, static_sizes=static, static_strides=[1] * len(axes),
            )  # fmt: skip
        self.inside.op(scf.InParallel, result_types=[], regions=[Region([end])])

    # --- one op ------------------------------------------------------------------------------------------------------

    def _row(self, op: linalg.Generic) -> None:
        """The op on rows."""
        dims = [dim for dim in range(op.rank) if self.axes.of_loop(op, dim) not in self.counters]
        places: dict[AffineExpr, AffineExpr] = {AffineDim(dim): AffineDim(i) for i, dim in enumerate(dims)}
        operands, maps = [], []
        for i, (value, map) in enumerate(zip(op.operands, op.maps)):
            is_unset = i >= len(op.inputs) and not op.body.arguments[i].is_used
            operands.append(self._unset(op, value, map) if is_unset else self._operand(op, value, map))
            kept = [expr for expr in map.results if not self._is_band(op, expr)]
            maps.append(
                AffineMap(len(dims), 0, tuple(expr.substitute(lambda leaf: places.get(leaf, leaf)) for expr in kept))
            )
        block = Block([argument.type for argument in op.body.arguments])
        count = len(op.inputs)
        made = self.inside.op(
            linalg.Generic, operands[:count], operands[count:], indexing_maps=maps,
            iterator_types=[op.iterator_types[dim] for dim in dims], regions=[Region([block])],
        )  # fmt: skip
        made.location = op.location
        mapping: dict[Any, Any] = dict(zip(op.body.arguments, block.arguments))
        body = Builder(block, None, op.location)
        for inner in op.body:
            if isinstance(inner, linalg.Index):
                axis = self.axes.of_loop(op, inner.dim)
                counter = self.counters.get(axis)
                mapping[inner.result] = counter or body.create(linalg.Index, dim=dims.index(inner.dim))
            else:
                body.insert(clone_into(inner, mapping))
        for old, new in zip(op.results, made.results):
            self.rows[old] = new

    def _is_band(self, op: linalg.Generic, expr: AffineExpr) -> bool:
        return isinstance(expr, AffineDim) and self.axes.of_loop(op, expr.position) in self.counters

    def _operand(self, op: linalg.Generic, value: Value, map: AffineMap) -> Value:
        """The row of an operand: of what the group makes, or a slice of what it is given."""
        if value in self.rows:
            return self.rows[value]
        type = value.type
        if not isinstance(type, TensorType):
            return value
        axes = self._axes_of(op, map)
        if not any(axis in self.counters for axis in axes):
            return value
        key = value, tuple(axes)
        found = self.slices.get(key)
        if found is None:
            found = self.slices[key] = self._slice(value, axes)
        return found

    def _slice(self, value: Value, axes: Sequence[int]) -> Value:
        type = value.type
        assert isinstance(type, TensorType)
        kept = [axis for axis, number in enumerate(axes) if number not in self.counters]
        made = TensorType(tuple(type.shape[axis] for axis in kept), type.element)
        constant = value.op.value if isinstance(value.op, arith.Constant) else None
        if isinstance(constant, DenseAttr) and constant.is_splat and made.is_static:
            return self.inside.create(arith.Constant, value=DenseAttr.splat(constant.splat_value, made))
        offsets = [self.counters.get(number, 0) for number in axes]
        sizes = [1 if n in self.counters else self._size_of(value, axis) for axis, n in enumerate(axes)]
        (static_offsets, dynamic), (static, sizes_) = split_mixed(offsets), split_mixed(sizes)
        return self.inside.create(
            tensor.ExtractSlice, value, dynamic, sizes_, [], result_types=[made], static_offsets=static_offsets,
            static_sizes=static, static_strides=[1] * len(axes),
        )  # fmt: skip

    def _unset(self, op: linalg.Generic, value: Value, map: AffineMap) -> Value:
        """Where the row of a result begins, if nothing reads that."""
        kept = [(axis, i) for i, axis in enumerate(self._axes_of(op, map)) if axis not in self.counters]
        type = value.type
        assert isinstance(type, TensorType)
        row = TensorType(tuple(type.shape[i] for _, i in kept), type.element)
        return self._empty(self.inside, row, [axis for axis, _ in kept])

    # --- sizes -------------------------------------------------------------------------------------------------------

    def _empty(self, b: Builder, type: TensorType, axes: Sequence[int]) -> Value:
        """A tensor of the type, whose sizes that run time knows are those of the axes."""
        sizes = [self._size_value(axis) for axis, dim in zip(axes, type.shape) if not isinstance(dim, int)]
        return b.create(tensor.Empty, sizes, result_types=[type])

    def _size_value(self, axis: int) -> Value:
        """The size of an axis as a value, for a type that does not say it."""
        size = self._size(axis)
        return self.outside.create(arith.Constant, value=IntegerAttr(size, INDEX)) if isinstance(size, int) else size

    def _size(self, axis: int) -> int | Value:
        """How long the loops of an axis are."""
        if axis not in self.sizes:
            self.sizes[axis] = self._find_size(axis)
        return self.sizes[axis]

    def _find_size(self, axis: int) -> int | Value:
        found: int | Value | None = None
        for op in self.ops:
            for value, map in zip(op.operands, op.maps):
                is_given = not (isinstance(value, OpResult) and value.op in self.members)
                for place, expr in enumerate(map.results) if is_given else ():
                    if isinstance(expr, AffineDim) and self.axes.of_loop(op, expr.position) == axis:
                        if isinstance(value.type.shape[place], int):  # type: ignore[attr-defined]
                            return value.type.shape[place]  # type: ignore[attr-defined]
                        found = found or (value, place)  # type: ignore[assignment]
        assert found is not None, "an axis that no operand shows"
        return self._size_of(*found)  # type: ignore[misc]

    def _size_of(self, value: Value, axis: int) -> int | Value:
        """The size of an axis of a tensor from outside."""
        dim = value.type.shape[axis]  # type: ignore[attr-defined]
        if isinstance(dim, int):
            return dim
        if isinstance(value.op, tensor.Empty):
            return value.op.dynamicSizes[sum(not isinstance(size, int) for size in value.type.shape[:axis])]  # type: ignore[attr-defined]
        number = self.outside.create(arith.Constant, value=IntegerAttr(axis, INDEX))
        return self.outside.create(tensor.Dim, value, number)


def _ordered(ops: Sequence[linalg.Generic], band: frozenset[int], axes: Axes) -> list[int]:
    """The axes of the band in the order of the loops of the op that has most."""
    most = max(ops, key=lambda op: op.rank)
    return [axis for dim in range(most.rank) if (axis := axes.of_loop(most, dim)) in band]
