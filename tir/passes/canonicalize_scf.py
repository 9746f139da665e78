"""The rules of `canonicalize` for loops and conditions: what is carried or handed on for nothing goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tir.dialects import arith, scf
from tir.ir.builder import Builder
from tir.ir.ir import Block, BlockArgument, Op, Region, Value, clone_into
from tir.ir.rewrite import Rule, rule
from tir.ir.traits import is_removable

__all__ = ["RULES"]


@rule(scf.For)
def loop_carries_what_does_not_change(op: scf.For, b: Any) -> Sequence[Value] | None:
    """for iter_args(a = x) {.. yield a} -> for {..}, x in place of a   exact"""
    same = {k for k, y in enumerate(op.yielded) if y is op.iter_args[k] or (y is op.initArgs[k])}
    return _without(op, b, same, {k: op.initArgs[k] for k in same}) if same else None


@rule(scf.For)
def loop_carries_what_nobody_needs(op: scf.For, b: Any) -> Sequence[Value] | None:
    """for iter_args(a = x) {.. yield f(a)} -> for {..}, if nobody uses the result and only f(a) uses a   exact"""
    useless = {k for k, result in enumerate(op.results) if not result.is_used and _feeds_itself_only(op, k)}
    return _without(op, b, useless, {k: op.initArgs[k] for k in useless}) if useless else None


@rule(scf.If)
def branches_hand_on_for_nothing(op: scf.If, b: Any) -> Sequence[Value] | None:
    """if c {.. yield x} else {.. yield x} -> x, for x from outside or a result that nobody uses   exact"""
    if op.else_block is None:
        return None
    ends = list(zip(op.then_block.terminator.operands, op.else_block.terminator.operands))
    given = {k: one for k, (one, other) in enumerate(ends) if one is other and not _is_made_inside(one, op)}
    gone = {k for k, result in enumerate(op.results) if k in given or not result.is_used}
    kept = [k for k in range(len(op.results)) if k not in gone]
    if not gone:
        return None
    mapping: dict[Any, Any] = {}
    regions = [Region([_copy(block, [], kept, mapping)]) for block in (op.then_block, op.else_block)]
    made = _insert(op, b, op.operands, kept, regions)
    nobody_uses = dict.fromkeys(gone, op.condition)  # so anything may stand in for it
    return _results(op, made, kept, nobody_uses | given)


@rule(scf.If)
def condition_is_known(op: scf.If, b: Any) -> Sequence[Value] | None:
    """if true {f; yield x} else {..} -> f, x   exact"""
    known = op.condition.op
    if not isinstance(known, arith.Constant):
        return None
    chosen = op.then_block if known.value.value else op.else_block
    if chosen is None:
        return []
    mapping: dict[Any, Any] = {}
    for inner in chosen:
        if inner is not chosen.terminator:
            b.insert(clone_into(inner, mapping))
    return [mapping.get(value, value) for value in chosen.terminator.operands]


def _without(op: scf.For, b: Builder, dropped: set[int], given: dict[int, Value]) -> list[Value]:
    """The values for the results of the loop when it carries these no more; inside and behind it `given` stand in."""
    kept = [k for k in range(len(op.results)) if k not in dropped]
    mapping: dict[Any, Any] = {op.iter_args[k]: given[k] for k in dropped}
    body = _copy(op.body, [op.induction_variable, *(op.iter_args[k] for k in kept)], kept, mapping)
    operands = [*op.operands[:3], *(op.initArgs[k] for k in kept)]
    made = _insert(op, b, operands, kept, [Region([body])])
    return _results(op, made, kept, given)


def _copy(block: Block, arguments: Sequence[BlockArgument], kept: Sequence[int], mapping: dict[Any, Any]) -> Block:
    """A copy of the block with these of its arguments, which hands on the operands `kept`."""
    copy = Block([argument.type for argument in arguments])
    for old, new in zip(arguments, copy.arguments):
        new.hint, mapping[old] = old.hint, new
    end = block.terminator
    for op in block:
        if op is not end:
            copy.append(clone_into(op, mapping))
    handed_on = [mapping.get(end.operand(k), end.operand(k)) for k in kept]
    Builder.at_end(copy, end.location).op(scf.Yield, handed_on, result_types=[])
    return copy


def _insert(op: Op, b: Builder, operands: Sequence[Value], kept: Sequence[int], regions: Sequence[Region]) -> Op:
    types = [op.results[k].type for k in kept]
    made = type(op)(operands, types, op.properties, op.attributes, regions, location=op.location)
    for k, new in zip(kept, made.results):
        new.hint = op.results[k].hint
    return b.insert(made)


def _results(op: Op, made: Op, kept: Sequence[int], given: dict[int, Value]) -> list[Value]:
    """A value for each old result."""
    new = dict(zip(kept, made.results))
    return [new[k] if k in new else given[k] for k in range(len(op.results))]


def _feeds_itself_only(op: scf.For, k: int) -> bool:
    """What the loop carries is used for its own next value alone, by ops that do nothing else."""
    end = op.body.terminator
    pending: list[Value] = [op.iter_args[k]]
    seen: set[Op] = set()
    while pending:
        for use in pending.pop().uses:
            user = use.owner
            while user.parent is not op.body and user.parent_op is not None:
                user = user.parent_op
            if user is end:
                if use.owner is not end or use.index != k:
                    return False
            elif user not in seen:
                if not is_removable(user):
                    return False
                seen.add(user)
                pending += user.results
    return True


def _is_made_inside(value: Value, op: Op) -> bool:
    around = value.block.parent_op if value.block is not None else None
    return around is not None and around.is_inside(op)


RULES: tuple[Rule, ...] = (
    loop_carries_what_does_not_change, loop_carries_what_nobody_needs, branches_hand_on_for_nothing, condition_is_known,
)  # fmt: skip
