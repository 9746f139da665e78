"""Memory and its uses, as `bufferize` sees them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from tir.dialects import arith, memref
from tir.ir.ir import Block, BlockArgument, Op, Value
from tir.ir.traits import Effects, Pure, effects_of
from tir.ir.types import TensorType

__all__ = ["Storage", "Uses", "has_tensor_result", "hoist_allocations"]


@dataclass(eq=False)
class Storage:
    """One piece of memory. `values`: the tensors that lie in it, or in a part of it.

    kind: "argument" (only read), "shared" (a shared variable's), "out" (a result's), "constant" or "temporary".
    """

    memref: Value
    kind: str
    values: list[Value] = field(default_factory=list)


class Uses:
    """Where the values of a block are used, by the order of its ops before anything was changed."""

    def __init__(self, block: Block, safe: Collection[Op] = ()) -> None:
        """safe: ops of the block that do not fail, though their effects do not say so."""
        self.block = block
        self.position = {op: i for i, op in enumerate(block)}
        can_fail = [i for op, i in self.position.items() if effects_of(op) & Effects.UNKNOWN and op not in safe]
        self.last_failure = max(can_fail, default=-1)

    def is_used_after(self, value: Value, op: Op) -> bool:
        """An op of the block behind `op`, or one inside it, uses the value."""
        return any(self._position_of(user) > self.position[op] for user in value.users)

    def _position_of(self, op: Op) -> int:
        """The position of the op of the block that holds `op`; -1 for ops that are newer than this table."""
        at: Op | None = op
        while at is not None and at.parent is not self.block:
            at = at.parent_op
        return self.position.get(at, -1) if at is not None else -1

    def can_fail_after(self, op: Op) -> bool:
        """An assert or a call stands behind `op`."""
        return self.last_failure > self.position[op]


def has_tensor_result(op: Op) -> bool:
    """A result of the op is a tensor."""
    return any(isinstance(result.type, TensorType) for result in op.results)


def hoist_allocations(block: Block) -> None:
    """Moves allocations to the start of the function, with what their sizes need, where that is arguments' sizes.

    So running out of memory is found before anything is written in place, as a failing assert would be.
    """
    movable: set[Op] = set()
    needed: set[Op] = set()
    for op in block:
        free = isinstance(op, memref.Alloc) or (isinstance(op, (Pure, arith.Constant, memref.Dim)) and not op.regions)
        if free and all(isinstance(v, BlockArgument) or v.op in movable for v in op.operands):
            movable.add(op)
    for op in block.reversed_ops():
        if op in movable and (isinstance(op, memref.Alloc) or op in needed):
            needed.update(v.op for v in op.operands if v.op is not None)
            needed.add(op)
    anchor = next((op for op in block if op not in needed), None)
    for op in block.ops:
        if op in needed and anchor is not None and op is not anchor:
            op.move_before(anchor)
