"""Where memory is allocated: out of loops, and in front of everything that writes."""

from __future__ import annotations

from collections.abc import Sequence

from tir.dialects import arith, cf, memref, scf
from tir.ir.attributes import IntegerAttr
from tir.ir.builder import Builder
from tir.ir.ir import Block, BlockArgument, Op, Value
from tir.ir.traits import Pure
from tir.ir.types import MemRefType, dtype_of

__all__ = ["hoist_allocations", "hoist_out_of_loops"]

#: What the iterations of one parallel loop may keep on the stack.
STACK_BYTES = 64 * 1024
#: Ops that give a size of at least 0 for such sizes, and cannot fail.
_SIZE_OPS = (arith.AddI, arith.MulI, arith.MaxSI, arith.MinSI)


def hoist_allocations(block: Block) -> None:
    """Moves allocations to the start of the function, with what their sizes need, where that is arguments' sizes.

    So running out of memory is found before anything is written in place, as a failing assert would be. A size that may
    be negative stays behind the asserts in front of it, one of which says so, and so does a view, which may reach outside;
    nothing is written in place before them.
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
    behind_assert: Op | None = None  # what stands behind the last assert and does not move
    behind: set[Op] = set()  # what does not move in front of it
    for op in block.ops:
        if op not in needed:
            asserted = asserted or isinstance(op, cf.Assert)
            behind_assert = None if isinstance(op, cf.Assert) else behind_assert or op
            continue
        place = anchor
        if isinstance(op, memref.Alloc):
            is_open = _may_be_negative(op.operands)
        else:
            is_open = isinstance(op.results[0].type, MemRefType)
        if asserted and (is_open or any(v.op in behind for v in op.operands)):
            behind.add(op)
            place = behind_assert
        if place is not None and op is not place:
            op.move_before(place)


def hoist_out_of_loops(function: Op) -> None:
    """Moves each allocation that is freed in its own block, and the freeing, out of the loops and conditions around it.

    It stays where its sizes are not known before, or might be negative, which is an error only if the loop runs. Each
    iteration of an `scf.parallel` keeps memory of its own: on the stack, where it is known to be small.
    """
    for op in [op for op in function.walk() if isinstance(op, memref.Alloc)]:
        freed = next((user for user in op.memref.users if isinstance(user, memref.Dealloc)), None)
        if freed is not None and freed.parent is op.parent:
            _hoist(op, freed)
    for loop in [op for op in function.walk() if isinstance(op, scf.Parallel)]:
        _keep_on_stack(loop)


def _keep_on_stack(loop: scf.Parallel) -> None:
    """Memory that each iteration allocates and frees becomes the stack's, as long as there is little of it."""
    left = STACK_BYTES
    for op in loop.body.ops:
        type = op.results[0].type if isinstance(op, memref.Alloc) and not isinstance(op, memref.Alloca) else None
        if not isinstance(type, MemRefType) or not type.is_static:
            continue
        freed = next((user for user in op.results[0].users if isinstance(user, memref.Dealloc)), None)
        size_bytes = type.count * dtype_of(type.element).size_bytes
        if freed is not None and freed.parent is loop.body and size_bytes <= left:
            left -= size_bytes
            freed.erase()
            made = Builder.before(op).create(memref.Alloca, [], [], result_types=[type])
            op.replace_with([made])


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
            if value.is_made_inside(around):
                return None
        elif maker not in found:
            found[maker] = None
            pending += maker.operands if not isinstance(maker, memref.Dim) else maker.operands[1:]
            if isinstance(maker, memref.Dim) and maker.source.is_made_inside(around):
                return None
    assert op.parent is not None
    return [one for one in op.parent if one in found] if found else []


def _is_size(value: Value) -> bool:
    """The value is at least 0: a size, a constant, or computed from such."""
    maker = value.op
    if isinstance(maker, arith.Constant):
        return isinstance(maker.value, IntegerAttr) and maker.value.value >= 0
    return isinstance(maker, (memref.Dim, *_SIZE_OPS))


def _may_be_negative(sizes: Sequence[Value]) -> bool:
    pending, seen = list(sizes), set()
    while pending:
        value = pending.pop()
        if value in seen:
            continue
        seen.add(value)
        maker = value.op
        # That of a view is as large as the view was asked to be; a buffer is there, so its sizes are.
        is_of_view = isinstance(maker, memref.Dim) and not isinstance(maker.source.op, (memref.Alloc, type(None)))
        if is_of_view or not _is_size(value):
            return True
        pending += () if maker is None or isinstance(maker, memref.Dim) else maker.operands
    return False
