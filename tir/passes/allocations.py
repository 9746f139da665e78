"""Where memory is allocated: out of loops, and in front of everything that writes."""

from __future__ import annotations

from tir.dialects import arith, cf, memref, scf
from tir.ir.attributes import IntegerAttr
from tir.ir.define import create
from tir.ir.ir import Block, BlockArgument, Op, Value
from tir.ir.traits import Pure
from tir.ir.types import INDEX

__all__ = ["hoist_allocations", "hoist_out_of_loops"]

#: Ops that give a size of at least 0 for such sizes, and cannot fail.
_SIZE_OPS = (arith.AddI, arith.MulI, arith.MaxSI, arith.MinSI)


def hoist_allocations(block: Block) -> None:
    """Moves allocations to the start of the function, with what their sizes need, where that is arguments' sizes.

    So running out of memory is found before anything is written in place, as a failing assert would be. A size that
    an assert refuses, which then comes later, is taken as 0, so that the call ends with the words of the assert.
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
    asserted = False
    for op in block.ops:
        asserted |= isinstance(op, cf.Assert)
        if op in needed and anchor is not None and op is not anchor:
            op.move_before(anchor)
            if asserted and isinstance(op, memref.Alloc):
                _take_negative_sizes_as_0(op)


def _take_negative_sizes_as_0(op: memref.Alloc) -> None:
    for number, size in enumerate(op.dynamicSizes):
        if not _is_never_negative(size):
            zero = create(arith.Constant, value=IntegerAttr(0, INDEX), location=op.location)
            least = create(arith.MaxSI, size, zero.result, location=op.location)
            for made in (zero, least):
                op.parent.insert_before(op, made)  # type: ignore[union-attr]
            op.set_operand(number, least.result)


def _is_never_negative(size: Value) -> bool:
    """The size is one of an argument, a constant of at least 0, or computed from such alone."""
    pending = [size]
    while pending:
        value = pending.pop()
        is_of_view = isinstance(value.op, memref.Dim) and not isinstance(value.op.source, BlockArgument)
        if is_of_view or not _is_size(value):  # a view may have the size that the assert refuses
            return False
        if isinstance(value.op, _SIZE_OPS):
            pending += value.op.operands
    return True


def hoist_out_of_loops(function: Op) -> None:
    """Moves each allocation that is freed in its own block, and the freeing, out of the loops and conditions around it.

    It stays where its sizes are not known before, or might be negative, which is an error only if the loop runs. Each
    iteration of an `scf.parallel` keeps memory of its own.
    """
    for op in [op for op in function.walk() if isinstance(op, memref.Alloc)]:
        freed = next((user for user in op.memref.users if isinstance(user, memref.Dealloc)), None)
        if freed is not None and freed.parent is op.parent:
            _hoist(op, freed)


def _hoist(op: memref.Alloc, freed: Op) -> None:
    around = op.parent_op
    while isinstance(around, (scf.For, scf.While, scf.If)):
        needed = _needed_inside(op, around)
        if needed is None:
            return
        for moved in [*needed, op]:
            moved.move_before(around)
        freed.detach()
        assert around.parent is not None
        around.parent.insert_before(around.next, freed)
        around = op.parent_op


def _needed_inside(op: Op, around: Op) -> list[Op] | None:
    """The ops in the block of `op` that compute its sizes, in order; None if they cannot stand in front of `around`."""
    found: dict[Op, None] = {}
    pending = list(op.operands)
    while pending:
        value = pending.pop()
        if not _is_size(value):
            return None
        maker = value.op
        if maker is None or maker.parent is not op.parent:
            if _is_inside(value, around):
                return None
        elif maker not in found:
            found[maker] = None
            pending += maker.operands if not isinstance(maker, memref.Dim) else maker.operands[1:]
            if isinstance(maker, memref.Dim) and _is_inside(maker.source, around):
                return None
    assert op.parent is not None
    return [one for one in op.parent if one in found] if found else []


def _is_size(value: Value) -> bool:
    """The value is at least 0: a size, a constant, or computed from such."""
    maker = value.op
    if isinstance(maker, arith.Constant):
        return isinstance(maker.value, IntegerAttr) and maker.value.value >= 0
    return isinstance(maker, (memref.Dim, *_SIZE_OPS))


def _is_inside(value: Value, op: Op) -> bool:
    around = value.block.parent_op if value.block is not None else None
    return around is not None and around.is_inside(op)
