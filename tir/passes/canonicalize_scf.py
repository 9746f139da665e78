"""The rules of `canonicalize` for loops and conditions: what is carried or handed on for nothing goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tir.dialects import arith, scf
from tir.ir.builder import Builder
from tir.ir.ir import Region, Value
from tir.ir.rewrite import Rule, rule
from tir.passes.loop_edit import copied, feeds_itself_only, handing_on_less, inlined, inserted, results_of

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
    return handing_on_less(op, b, (op.then_block, op.else_block), op.condition)


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
