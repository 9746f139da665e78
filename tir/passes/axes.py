"""Which loops of structured ops, and which axes of tensors, are the same: see Note [Axes] in `fuse_rows.py`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tir.dialects import linalg, tensor
from tir.ir.affine import AffineDim, AffineMap
from tir.ir.ir import Op, Value
from tir.ir.types import TensorType

__all__ = ["Axes"]

_Node = tuple[Any, int]  # an op and the number of a loop, or a tensor and that of an axis


class Axes:
    """The axes of some structured ops and of what they read and make, as numbers."""

    def __init__(self, ops: Sequence[linalg.Generic]) -> None:
        self._parent: dict[_Node, _Node] = {}
        self._loops: dict[_Node, dict[Op, int]] = {}  # root -> the loop of each op that is of this axis
        self._numbers: dict[_Node, int] = {}
        makers = set(ops)
        for op in ops:
            for result, map in zip(op.results, op.output_maps):
                self._tie(op, result, map)
        for is_made in (True, False):  # first what one hands to the other, then what they share
            for op in ops:
                for value, map in zip(op.operands, op.maps):
                    if (value.op in makers) == is_made and not isinstance(value.op, tensor.Empty):
                        self._tie(op, value, map)

    # --- questions ---------------------------------------------------------------------------------------------------

    def of_loop(self, op: linalg.Generic, dim: int) -> int:
        """The axis of a loop."""
        return self._number((op, dim))

    def parallel(self, op: linalg.Generic) -> frozenset[int]:
        """The axes of the parallel loops. One of a single step is no other op's."""
        kinds = enumerate(op.iterator_types)
        return frozenset(self.of_loop(op, dim) for dim, kind in kinds if kind == linalg.PARALLEL)

    def are_same_place(self, op: linalg.Generic, value: Value, map: AffineMap, band: frozenset[int]) -> bool:
        """Each step of the loops `band` reads of the value what the same step makes."""
        seen: set[int] = set()
        for axis, expr in enumerate(map.results):
            made = self._number((value, axis))
            read = self.of_loop(op, expr.position) if isinstance(expr, AffineDim) else None
            if made != read and (made in band or read in band):
                return False
            seen.add(made)
        return band <= seen

    def reads_bare(self, op: linalg.Generic, map: AffineMap, band: frozenset[int]) -> bool:
        """The loops of these axes occur in the map by themselves only."""
        for expr in map.results:
            if not isinstance(expr, AffineDim):
                loops = {leaf.position for leaf in expr.leaves() if isinstance(leaf, AffineDim)}
                if any(self.of_loop(op, dim) in band for dim in loops):
                    return False
        return True

    def inner_axis_in(self, op: linalg.Generic, band: frozenset[int]) -> bool:
        """A tensor of several axes lies along one of these axes in memory, though the op has other loops."""
        if all(self.of_loop(op, dim) in band for dim in range(op.rank)):
            return False
        for value, map in zip(op.operands, op.maps):
            last = next((expr for expr, size in reversed(list(zip(map.results, _shape(value)))) if size != 1), None)
            others = [
                expr for expr in map.results if isinstance(expr, AffineDim) and self.of_loop(op, expr.position) not in band
            ]
            if others and isinstance(last, AffineDim) and self.of_loop(op, last.position) in band:
                return True
        return False

    def longest_row(self, ops: Sequence[linalg.Generic], band: frozenset[int]) -> float:
        """The most elements of an operand for one step of the loops `band`, as far as types say; infinity where not."""
        longest = 1.0
        for op in ops:
            for value, map in zip(op.operands, op.maps):
                count = 1.0
                for expr, size in zip(map.results, _shape(value)):
                    if not (isinstance(expr, AffineDim) and self.of_loop(op, expr.position) in band):
                        count *= size if isinstance(size, int) else math.inf
                longest = max(longest, count)
        return longest

    # --- unions ------------------------------------------------------------------------------------------------------

    def _tie(self, op: linalg.Generic, value: Value, map: AffineMap) -> None:
        for axis, expr in enumerate(map.results):
            if isinstance(expr, AffineDim) and _shape(value)[axis] != 1:
                self._unite((op, expr.position), (value, axis))

    def _find(self, node: _Node) -> _Node:
        path = []
        while (above := self._parent.get(node, node)) != node:
            path.append(node)
            node = above
        for passed in path:
            self._parent[passed] = node
        return node

    def _loops_of(self, root: _Node) -> dict[Op, int]:
        own = {root[0]: root[1]} if isinstance(root[0], Op) else {}
        return self._loops.setdefault(root, own)

    def _unite(self, one: _Node, other: _Node) -> None:
        one, other = self._find(one), self._find(other)
        if one == other:
            return
        loops, more = self._loops_of(one), self._loops_of(other)
        if len(loops) < len(more):
            one, other, loops, more = other, one, more, loops
        if any(loops.get(op, dim) != dim for op, dim in more.items()):
            return
        self._parent[other] = one
        loops.update(more)

    def _number(self, node: _Node) -> int:
        return self._numbers.setdefault(self._find(node), len(self._numbers))


def _shape(value: Value) -> Sequence[Any]:
    return value.type.shape if isinstance(value.type, TensorType) else ()
