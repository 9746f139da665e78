"""`fuse-rows`: structured ops that share parallel loops become one `scf.forall`, which computes a row at a time.

Note [Axes]
Each loop of an op, and each axis of a tensor, belongs to an axis: what an operand's map ties together is one. A union that
would make two loops of one op the same axis is refused, so that a tensor read as it is and transposed ties nothing. "The
same iteration" is then a question about sets of axes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tir.dialects import arith, linalg
from tir.ir import actions
from tir.ir.errors import Location
from tir.ir.ir import Block, Op, OpResult, Value
from tir.ir.numerics import EXACT
from tir.ir.pass_manager import Pass
from tir.ir.traits import is_pure
from tir.passes.axes import Axes
from tir.passes.dce import Dce
from tir.passes.fuse_siblings import is_contraction
from tir.passes.fuse_structured import is_fusable
from tir.passes.rows import Rows

__all__ = ["FuseRows"]

#: Ops between the first and the last of a nest: bounds the time that it takes to see whether they can meet.
MAX_DISTANCE = 256
#: A loop over shorter rows costs more than the trips to memory that it spares.
SHORTEST_ROW = 64
#: Ops in one nest: with more the caches and LLVM suffer.
MAX_OPS = 64


@dataclass
class FuseRows(Pass):
    """Ops of which one needs whole rows of another share one loop over the rows: softmax, norms, cross-entropy.

    Needs: the structured level (lower-structured), in front of fuse-structured. Leaves: the same results; groups of
    `linalg.generic` become one `scf.forall` over the parallel loops that all of them have, inside which they work on
    slices; what one hands to another is a row, or a number. fuse-structured then fuses what is inside.

    A group starts at an op and takes in each later one that reads what it makes, as long as some parallel loop is left
    that all have, what goes from one to the other is made and read in the same iteration of it, and no op between them
    stands in the way. Only groups in which a reduction hands on what it makes are worth a loop: the others are left to
    fuse-structured. Rows that are known to be short, and products of matrices, stay apart. An op that could have joined
    and did not is a remark.

        %s = linalg.generic .. {parallel, reduction} ins(%x : tensor<?x8xf32>) .. -> tensor<?xf32>
        %y = linalg.generic .. {parallel, parallel} ins(%x, %s : ..) .. -> tensor<?x8xf32>
        ->
        %y = scf.forall (%i) in (%n) shared_outs(%o = %0) -> (tensor<?x8xf32>) {
          %row = tensor.extract_slice %x[%i, 0] [1, 8] [1, 1] : tensor<?x8xf32> to tensor<8xf32>
          %s = linalg.generic .. {reduction} ins(%row : tensor<8xf32>) .. -> tensor<f32>
          %r = linalg.generic .. {parallel} ins(%row, %s : ..) .. -> tensor<8xf32>
          scf.forall.in_parallel {
            tensor.parallel_insert_slice %r into %o[%i, 0] [1, 8] [1, 1] : tensor<8xf32> into tensor<?x8xf32>
          }
        }
    """

    name = "fuse-rows"
    numerics = EXACT
    statistics = {"fuse rows": "groups of ops made one loop over rows"}

    def __post_init__(self) -> None:
        self.remarks: list[tuple[Location, str]] = []

    def run(self, op: Op) -> None:
        self.remarks.clear()
        for block in dict.fromkeys(one.parent for one in op.walk() if isinstance(one, linalg.Generic)):
            if block is not None:
                _Grouping(block, self.remarks).run()
        Dce().run(op)


@dataclass(eq=False)
class _Nest:
    """Ops that share the loops over `band`, in the order of the text."""

    band: frozenset[int]
    ops: list[linalg.Generic] = field(default_factory=list)

    @property
    def is_worth_it(self) -> bool:
        """A reduction hands what it makes to another op of the nest."""
        members = set(self.ops)
        reductions = (op for op in self.ops if not op.is_all_parallel)
        return any(user in members for op in reductions for result in op.results for user in result.users)


class _Grouping:
    """The ops of one block."""

    def __init__(self, block: Block, remarks: list[tuple[Location, str]]) -> None:
        self.block = block
        self.remarks = remarks
        self.ops = [op for op in block if isinstance(op, linalg.Generic) and _can_join(op)]
        self.order: dict[Op, int] = {op: i for i, op in enumerate(self.ops)}
        self.axes = Axes(self.ops)
        self.nest_of: dict[Op, _Nest] = {}
        self.needs: dict[Op, set[Value]] = {}

    def run(self) -> None:
        if all(op.is_all_parallel for op in self.ops):
            return
        for op in self.ops:
            self._place(op)
        for nest in dict.fromkeys(self.nest_of.values()):
            if not nest.is_worth_it:
                continue
            if (longest := self.axes.longest_row(nest.ops, nest.band)) < SHORTEST_ROW:
                message = f"the rows have less than {SHORTEST_ROW} elements"
                self.remarks.append((nest.ops[-1].location, f"not fused: {message}, they have {longest:.0f}"))
                continue
            moved = self._behind(nest.ops)
            if moved is not None and actions.begin("fuse rows", nest.ops[-1]):
                loop = Rows(nest.ops, nest.band, self.axes).emit()
                anchor = loop.next
                for one in moved:
                    assert anchor is not None
                    one.move_before(anchor)
                self.needs.clear()
                actions.end()

    def _place(self, op: linalg.Generic) -> None:
        """Puts the op into the nest of what it reads; nests that meet in it become one, if they can."""
        nest = _Nest(self.axes.parallel(op), [op])
        for producer in self._producers(op):
            other = self.nest_of[producer]
            if other is nest:
                continue
            joined = _Nest(nest.band & other.band, _merged(other.ops, nest.ops, self.order))
            reason = self._obstacle(joined)
            if reason is None:
                nest = joined
                self.nest_of.update({one: nest for one in joined.ops})
            elif not producer.is_all_parallel:
                self.remarks.append((op.location, f"not fused: {reason}"))
        self.nest_of[op] = nest

    def _producers(self, op: linalg.Generic) -> Iterator[linalg.Generic]:
        """The ops in nests whose results the op reads, the nearest first."""
        found = {value.op for value in op.operands if isinstance(value, OpResult) and value.op in self.nest_of}
        yield from sorted(found, key=self.order.__getitem__, reverse=True)  # type: ignore[misc]

    # --- what may meet -----------------------------------------------------------------------------------------------

    def _obstacle(self, nest: _Nest) -> str | None:
        """Why the ops cannot share loops; None if they can."""
        if not nest.band:
            return "no parallel loop is common to the ops"
        if len(nest.ops) > MAX_OPS:
            return f"there would be more than {MAX_OPS} ops in one loop"
        members = set(nest.ops)
        for op in nest.ops:
            if self.axes.inner_axis_in(op, nest.band):
                return "the common loops run along the innermost axis, so that rows would be columns"
            for value, map in zip(op.operands, op.maps):
                if not self.axes.reads_bare(op, map, nest.band):
                    return "an operand is not read along its axes"
                is_inside = isinstance(value, OpResult) and value.op in members
                if is_inside and not self.axes.are_same_place(op, value, map, nest.band):
                    return "what one op hands to the other is not made in the same iteration"
        if self._behind(nest.ops) is None:
            return "an op between them needs the first and is needed by the second, or is too far away"
        return None

    def _behind(self, ops: Sequence[linalg.Generic]) -> list[Op] | None:
        """What must move behind the last op, if all are computed there; None if they cannot be."""
        members = set(ops)
        late: set[Value] = set()
        moved: list[Op] = []
        op: Op | None = ops[0]
        for _ in range(MAX_DISTANCE):
            if op is None:
                return None
            if op in members:
                if not late.isdisjoint(self._needs(op)):
                    return None
                if op is ops[-1]:
                    return moved
            elif not late.isdisjoint(self._needs(op)) or any(
                isinstance(value, OpResult) and value.op in members for value in self._needs(op)
            ):
                if not is_pure(op):
                    return None
                moved.append(op)
                late.update(op.results)
            op = op.next
        return None

    def _needs(self, op: Op) -> set[Value]:
        """The values that the op, or an op inside it, uses."""
        found = self.needs.get(op)
        if found is None:
            found = self.needs[op] = {value for inner in op.walk() for value in inner.operands}
        return found


def _can_join(op: linalg.Generic) -> bool:
    """The op works on slices as it does on the whole."""
    return is_fusable(op) and not op.captured and not is_contraction(op) and not _is_product(op)


def _is_product(op: linalg.Generic) -> bool:
    """A reduction of products of two inputs, as a matrix times a vector: a library may have it."""
    inputs = set(op.input_arguments)
    products = (inner for inner in op.body if isinstance(inner, (arith.MulF, arith.MulI)))
    return not op.is_all_parallel and any(len(inputs & set(inner.operands)) == 2 for inner in products)


def _merged(first: Sequence[linalg.Generic], second: Sequence[linalg.Generic], order: dict[Op, int]) -> list[linalg.Generic]:
    return sorted({*first, *second}, key=order.__getitem__)
