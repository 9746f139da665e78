"""What the rules for branches and loops of any dialect share: the same op with fewer values carried or handed on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tir.ir.builder import Builder
from tir.ir.ir import Block, BlockArgument, Op, Region, Value, clone_into
from tir.ir.traits import is_removable

__all__ = ["copied", "feeds_itself_only", "handing_on_less", "inlined", "inserted", "results_of"]


def copied(block: Block, arguments: Sequence[BlockArgument], kept: Sequence[int], mapping: dict[Any, Any]) -> Block:
    """A copy of the block with these of its arguments, which hands on the operands `kept`."""
    copy = Block([argument.type for argument in arguments])
    for old, new in zip(arguments, copy.arguments):
        new.hint, mapping[old] = old.hint, new
    end = block.terminator
    for op in block:
        if op is not end:
            copy.append(clone_into(op, mapping))
    handed_on = [mapping.get(end.operand(k), end.operand(k)) for k in kept]
    Builder.at_end(copy, end.location).op(type(end), handed_on, result_types=[])
    return copy


def inlined(block: Block, b: Builder, mapping: dict[Any, Any]) -> list[Value]:
    """Copies of the ops of the block where `b` inserts; what the block hands on."""
    for inner in block:
        if inner is not block.terminator:
            b.insert(clone_into(inner, mapping))
    return [mapping.get(value, value) for value in block.terminator.operands]


def inserted(op: Op, b: Builder, operands: Sequence[Value], kept: Sequence[int], regions: Sequence[Region]) -> Op:
    """An op like `op` with these of its results."""
    types = [op.results[k].type for k in kept]
    made = type(op)(operands, types, op.properties, op.attributes, regions, location=op.location)
    for k, new in zip(kept, made.results):
        new.hint = op.results[k].hint
    return b.insert(made)


def results_of(op: Op, made: Op, kept: Sequence[int], given: dict[int, Value]) -> list[Value]:
    """A value for each old result."""
    new = dict(zip(kept, made.results))
    return [new[k] if k in new else given[k] for k in range(len(op.results))]


def handing_on_less(op: Op, b: Builder, blocks: Sequence[Block], any_value: Value) -> list[Value] | None:
    """The values for the results of an op that runs one of two blocks, when these hand on only what must be theirs.

    That is neither a value from outside that both hand on, nor what nobody uses, for which `any_value` stands in. None
    if nothing else is handed on already.
    """
    ends = list(zip(*(block.terminator.operands for block in blocks)))
    given = {k: one for k, (one, other) in enumerate(ends) if one is other and not one.is_made_inside(op)}
    gone = {k for k, result in enumerate(op.results) if k in given or not result.is_used}
    if not gone:
        return None
    kept = [k for k in range(len(op.results)) if k not in gone]
    mapping: dict[Any, Any] = {}
    made = inserted(op, b, op.operands, kept, [Region([copied(block, [], kept, mapping)]) for block in blocks])
    return results_of(op, made, kept, dict.fromkeys(gone, any_value) | given)


def feeds_itself_only(body: Block, argument: BlockArgument, position: int) -> bool:
    """The argument is used for what the body hands on at the position alone, by ops that do nothing else."""
    end = body.terminator
    pending: list[Value] = [argument]
    seen: set[Op] = set()
    while pending:
        for use in pending.pop().uses:
            user = use.owner
            while user.parent is not body and user.parent_op is not None:
                user = user.parent_op
            if user is end:
                if use.owner is not end or use.index != position:
                    return False
            elif user not in seen:
                if not is_removable(user):
                    return False
                seen.add(user)
                pending += user.results
    return True


