"""The rules of `canonicalize` for branches and loops of the tensor level: what is carried or stacked for nothing goes."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from tir.dialects.tir.control import If, Scan, While
from tir.dialects.tir.shape import number_of
from tir.ir.builder import Builder
from tir.ir.ir import Region, Value
from tir.ir.rewrite import Rule, rule
from tir.ir.types import DYNAMIC
from tir.passes.loop_edit import copied, feeds_itself_only, handing_on_less, inlined, inserted, results_of

__all__ = ["RULES"]


# --- tir.if ----------------------------------------------------------------------------------------------------------


@rule(If)
def branch_is_known(op: If, b: Any) -> Sequence[Value] | None:
    """if true {f; yield x} else {..} -> f, x   exact"""
    if number_of(op.condition) is None:
        return None
    return [] if op.chosen is None else inlined(op.chosen, b, {})


@rule(If)
def branches_yield_for_nothing(op: If, b: Any) -> Sequence[Value] | None:
    """if c {.. yield x} else {.. yield x} -> x, for x from outside or a result that nobody uses   exact"""
    if len(op.blocks) < 2:
        return None
    return handing_on_less(op, b, op.blocks, op.condition)


# --- tir.scan and tir.while ------------------------------------------------------------------------------------------


@rule(Scan)
def scan_carries_what_does_not_change(op: Scan, b: Any) -> Sequence[Value] | None:
    """scan (a = x) {.. yield a} -> scan {..}, x in place of a   exact"""
    ends = op.yielded(op.body)
    same = {k for k, argument in enumerate(op.carried) if ends[k] is argument or ends[k] is op.inits[k]}
    return _scan_without(op, b, same, {k: op.inits[k] for k in same}) if same else None


@rule(Scan)
def scan_makes_what_nobody_needs(op: Scan, b: Any) -> Sequence[Value] | None:
    """scan (a = x) {.. yield f(a), y} -> scan {..}, if nobody uses the results and only f(a) uses a   exact"""
    unused = {k for k, result in enumerate(op.results) if not result.is_used}
    count = len(op.inits)
    gone = {k for k in unused if k >= count or feeds_itself_only(op.body, op.carried[k], k)}
    given = {k: op.inits[k] if k < count else op.sequences[0] for k in gone}
    return _scan_without(op, b, gone, given) if gone else None


@rule(Scan)
def scan_reads_what_nobody_needs(op: Scan, b: Any) -> Sequence[Value] | None:
    """scan over (x = xs, y = ys) {.. x ..} -> scan over (x = xs) {.. x ..}   exact"""
    sizes = [value.type.shape[0] for value in op.sequences]
    gone: set[int] = set()
    for j, element in enumerate(op.elements):
        others = [size for i, size in enumerate(sizes) if i != j and i not in gone]
        # Another sequence must be known to be as long, or else the check that it is would be lost.
        if not element.is_used and sizes[j] is not DYNAMIC and sizes[j] in others:
            gone.add(j)
    return _scan_without(op, b, set(), {}, gone) if gone else None


def _scan_without(
    op: Scan, b: Builder, dropped: AbstractSet[int], given: dict[int, Value],
    sequences: AbstractSet[int] = frozenset(),
) -> list[Value]:  # fmt: skip
    """The values for the results of the loop without these results and sequences; `given` stand in for the former."""
    count = len(op.inits)
    kept = [k for k in range(len(op.results)) if k not in dropped]
    read = [j for j in range(len(op.sequences)) if j not in sequences]
    mapping: dict[Any, Any] = {op.carried[k]: given[k] for k in dropped if k < count}
    inits = [k for k in kept if k < count]
    body = copied(op.body, [*(op.carried[k] for k in inits), *(op.elements[j] for j in read)], kept, mapping)
    made = b.op(
        Scan, [op.inits[k] for k in inits], [op.sequences[j] for j in read],
        result_types=[op.results[k].type for k in kept], regions=[Region([body])], reverse=op.reverse,
        truncate=op.truncate, checkpoint=op.checkpoint, attributes=op.attributes, location=op.location,
    )  # fmt: skip
    for k, new in zip(kept, made.results):
        new.hint = op.results[k].hint
    return results_of(op, made, kept, given)


@rule(While)
def while_carries_what_does_not_change(op: While, b: Any) -> Sequence[Value] | None:
    """while (a = x) {.. a ..} do {.. yield a} -> while {.. x ..} do {..}   exact"""
    body, asked = op.body_region.block, op.condition_region.block
    ends = op.yielded(body)
    same = {k for k, argument in enumerate(body.arguments) if ends[k] is argument or ends[k] is op.inits[k]}
    kept = [k for k in range(len(op.results)) if k not in same]
    if not same:
        return None
    mapping: dict[Any, Any] = {}
    for block in (asked, body):
        mapping.update((block.arguments[k], op.inits[k]) for k in same)
    regions = [
        Region([copied(asked, [asked.arguments[k] for k in kept], [0], mapping)]),
        Region([copied(body, [body.arguments[k] for k in kept], kept, mapping)]),
    ]
    made = inserted(op, b, [op.inits[k] for k in kept], kept, regions)
    return results_of(op, made, kept, {k: op.inits[k] for k in same})


@rule(While)
def while_never_runs(op: While, b: Any) -> Sequence[Value] | None:
    """while (a = x) {yield false} do {..} -> x, and with max_trips 0   exact"""
    goes_on = number_of(op.yielded(op.condition_region.block)[0])
    never = op.max_trips == 0 or (goes_on is not None and not goes_on)
    return list(op.inits) if never else None


RULES: tuple[Rule, ...] = (
    branch_is_known, branches_yield_for_nothing, scan_carries_what_does_not_change, scan_makes_what_nobody_needs,
    scan_reads_what_nobody_needs, while_carries_what_does_not_change, while_never_runs,
)  # fmt: skip
