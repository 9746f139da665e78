"""Siblings: structured ops with the same loops that work on the same data become one op with several outputs."""

from __future__ import annotations

from collections.abc import Iterator

from tir.dialects import linalg
from tir.ir import actions
from tir.ir.affine import AffineDim, AffineMap
from tir.ir.errors import Location
from tir.ir.ir import Block, Op, OpResult, Value
from tir.ir.traits import is_pure
from tir.passes.generic_edit import inputs_of, lasting_outputs, loop_map, merge_siblings
from tir.passes.loop_sizes import LoopSizes

__all__ = ["Siblings", "is_contraction", "reuses_all_inputs"]

MAX_OUTPUTS = 8  # of one op: with more streams caches and registers suffer
MAX_DISTANCE = 256  # ops between two siblings: bounds the time that it takes to look for them
REMEMBERED = 4  # ops that read the same input, the latest of them


class Siblings:
    """The ops of one block. cost: those that may be merged, with the cost of their bodies; kept up to date.

    Two ops may be merged if nothing between them needs the first and is needed by the second. The merged op stands
    where the second stood, and what needs the first moves behind it.
    """

    def __init__(
        self, block: Block, cost: dict[Op, int], sizes: LoopSizes, remarks: list[tuple[Location, str]]
    ) -> None:
        self.block = block
        self.cost = cost
        self.sizes = sizes
        self.remarks = remarks
        self.readers: dict[tuple[Value, AffineMap], list[linalg.Generic]] = {}
        self.needs: dict[Op, set[Value]] = {}

    def merge(self) -> None:
        """Merges each op with earlier ones, as long as there are some that fit."""
        for op in [op for op in self.block if op in self.cost]:
            assert isinstance(op, linalg.Generic)
            merged = op
            while (found := self._merge_once(merged)) is not None:
                merged = found
            for operand in inputs_of(merged):
                readers = self.readers.setdefault(operand, [])
                readers.append(merged)
                del readers[:-REMEMBERED]

    def _merge_once(self, op: linalg.Generic) -> linalg.Generic | None:
        for other in self._candidates(op):
            moved = self._moved(other, op)
            if isinstance(moved, str):
                self.remarks.append((op.location, f"not fused: {moved}"))
            elif moved is not None and actions.begin("fuse siblings", op):
                merged = self._merge(other, op, moved)
                actions.end()
                return merged
        return None

    def _candidates(self, op: linalg.Generic) -> Iterator[linalg.Generic]:
        """Earlier ops that make or read an input of `op`, and have its loops; each once."""
        if not _may_share_loops(op):
            return
        seen: set[Op] = {op}
        for value, map in inputs_of(op):
            near = [value.op] if value.op in self.cost else []
            if map.results:
                near += reversed(self.readers.get((value, map), []))
            for other in near:
                if other in seen or not isinstance(other, linalg.Generic) or other.parent is not self.block:
                    continue
                seen.add(other)
                if self.sizes.are_equal(other, op) and _may_share_loops(other):
                    yield other

    def _moved(self, first: linalg.Generic, second: linalg.Generic) -> list[Op] | str | None:
        """The ops that must move behind `second` when both merge there. A sentence, or None, if they cannot."""
        if not _reads_at_the_same_point(first, second):
            return None
        if len(lasting_outputs(first, second)) + len(second.results) > MAX_OUTPUTS:
            return f"a sibling with the same loops would make more than {MAX_OUTPUTS} outputs of one op"
        late: set[Value] = set(first.results)
        moved: list[Op] = []
        op = first.next
        for _ in range(MAX_DISTANCE):
            if op is None:
                return None
            if op is second:
                needed = self._needs(second) & late
                joined = "an op between two siblings needs the first and is needed by the second"
                return moved if needed <= set(first.results) else joined
            if not late.isdisjoint(self._needs(op)):
                if not is_pure(op):
                    return "an effect that needs the first of two siblings stands between them"
                moved.append(op)
                late.update(op.results)
            op = op.next
        return f"a sibling with the same loops is more than {MAX_DISTANCE} ops away"

    def _needs(self, op: Op) -> set[Value]:
        """The values that the op, or an op inside it, uses."""
        found = self.needs.get(op)
        if found is None:
            found = self.needs[op] = {value for inner in op.walk() for value in inner.operands}
        return found

    def _merge(self, first: linalg.Generic, second: linalg.Generic, moved: list[Op]) -> linalg.Generic:
        users = {user for op in (first, second) for result in op.results for user in result.users}
        merged = merge_siblings(first, second)
        anchor = merged.next
        for op in moved:
            assert anchor is not None
            op.move_before(anchor)
        self.cost[merged] = self.cost.pop(first) + self.cost.pop(second)
        for user in users:
            while user.parent is not self.block and user.parent_op is not None:
                user = user.parent_op
            self.needs.pop(user, None)
        return merged


def _reads_at_the_same_point(first: linalg.Generic, second: linalg.Generic) -> bool:
    """Each result of `first` that `second` uses is an input, read where it is made; of a reduction there is none."""
    if any(value.op is first for value in (*second.outputs, *second.captured)):
        return False
    for value, map in inputs_of(second):
        if isinstance(value, OpResult) and value.op is first:
            loops = loop_map(first, value.index, map)
            if not first.is_all_parallel or loops != AffineMap.identity(first.rank):
                return False
    return True


def _may_share_loops(op: linalg.Generic) -> bool:
    """The op is elementwise, or a reduction in which each accumulator takes one term a point, as a sum does.

    The others (contractions, argmax) have loops of their own: beside them a sum would not be vectorized.
    """
    if op.is_all_parallel:
        return True
    folds = zip(op.output_arguments, op.yielded)
    return not is_contraction(op) and all(a.has_one_use and a.users[0] is value.op for a, value in folds)


def is_contraction(op: linalg.Generic) -> bool:
    """A reduction of products: no input depends on all loops, as in a matrix product."""
    dims = [{leaf for expr in map.results for leaf in expr.leaves()} for map in op.input_maps if map.results]
    return not op.is_all_parallel and len(dims) > 1 and all(len(used) < op.rank for used in dims)


def reuses_all_inputs(op: linalg.Generic) -> bool:
    """A contraction each of whose inputs lacks a parallel loop, of more than one step, that another has.

    Tiles keep what they loaded for the steps of such a loop; the others, as a product with a vector, gain nothing from
    tiles.
    """
    if not is_contraction(op):
        return False
    loops = {dim for dim, kind in enumerate(op.iterator_types) if kind == linalg.PARALLEL}
    for value, map in zip(op.operands, op.maps):
        sizes = zip(map.results, value.type.shape)  # type: ignore[attr-defined]
        loops -= {expr.position for expr, size in sizes if size == 1 and isinstance(expr, AffineDim)}
    dims = [{leaf.position for expr in map.results for leaf in expr.leaves()} for map in op.input_maps]  # type: ignore[attr-defined]
    return all(loops & set.union(*dims) - used for used in dims)
