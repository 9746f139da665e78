"""The rules of `canonicalize` for loops and conditions: what is carried or handed on for nothing goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tir.dialects import arith, scf
from tir.ir.builder import Builder
from tir.ir.ir import Region, Value
from tir.ir.rewrite import Rule, rule
from tir.passes.loop_edit import copied, feeds_itself_only, inlined, inserted, is_made_inside, results_of

__all__ = ["RULES"]


@rule(scf.For)
def loop_carries_what_does_not_change(op: scf.For, b: Any) -> Sequence[Value] | None:
    """for iter_args(a = x) {.. yield a} -> for {..}, x in place of a   exact"""
    same = {k for k, y in enumerate(op.yielded) if y is op.iter_args[k] or (y is op.initArgs[k])}
    return _without(op, b, same, {k: op.initArgs[k] for k in same}) if same else None


@rule(scf.For)
def loop_carries_what_nobody_needs(op: scf.For, b: Any) -> Sequence[Value] | None:
    """for iter_args(a = x) {.. yield f(a)} -> for {..}, if nobody uses the result and only f(a) uses a   exact"""
    unused = [k for k, result in enumerate(op.results) if not result.is_used]
    useless = {k for k in unused if feeds_itself_only(op.body, op.iter_args[k], k)}
    return _without(op, b, useless, {k: op.initArgs[k] for k in useless}) if useless else None


@rule(scf.If)
def branches_hand_on_for_nothing(op: scf.If, b: Any) -> Sequence[Value] | None:
    """if c {.. yield x} else {.. yield x} -> x, for x from outside or a result that nobody uses   exact"""
    if op.else_block is None:
        return None
    ends = list(zip(op.then_block.terminator.operands, op.else_block.terminator.operands))
    given = {k: one for k, (one, other) in enumerate(ends) if one is other and not is_made_inside(one, op)}
    gone = {k for k, result in enumerate(op.results) if k in given or not result.is_used}
    kept = [k for k in range(len(op.results)) if k not in gone]
    if not gone:
        return None
    mapping: dict[Any, Any] = {}
    regions = [Region([copied(block, [], kept, mapping)]) for block in (op.then_block, op.else_block)]
    made = inserted(op, b, op.operands, kept, regions)
    nobody_uses = dict.fromkeys(gone, op.condition)  # so anything may stand in for it
    return results_of(op, made, kept, nobody_uses | given)


@rule(scf.If)
def condition_is_known(op: scf.If, b: Any) -> Sequence[Value] | None:
    """if true {f; yield x} else {..} -> f, x   exact"""
    known = op.condition.op
    if not isinstance(known, arith.Constant):
        return None
    chosen = op.then_block if known.value.value else op.else_block
    if chosen is None:
        return []
    return inlined(chosen, b, {})


def _without(op: scf.For, b: Builder, dropped: set[int], given: dict[int, Value]) -> list[Value]:
    """The values for the results of the loop when it carries these no more; inside and behind it `given` stand in."""
    kept = [k for k in range(len(op.results)) if k not in dropped]
    mapping: dict[Any, Any] = {op.iter_args[k]: given[k] for k in dropped}
    body = copied(op.body, [op.induction_variable, *(op.iter_args[k] for k in kept)], kept, mapping)
    operands = [*op.operands[:3], *(op.initArgs[k] for k in kept)]
    made = inserted(op, b, operands, kept, [Region([body])])
    return results_of(op, made, kept, given)


RULES: tuple[Rule, ...] = (
    loop_carries_what_does_not_change, loop_carries_what_nobody_needs, branches_hand_on_for_nothing, condition_is_known,
)  # fmt: skip
