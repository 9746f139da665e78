"""`explain`: what becomes of a program on its way to the machine, and why, in a page of text.

The passes are those of `tir.executable`; they run once more, on a copy, and are watched.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tir.api import caller_location, check_fp_mode, check_module
from tir.dialects.tir.build.core import told
from tir.inspect.costs import LIBRARY, Cost, costs_of
from tir.inspect.levels import advance
from tir.inspect.memory import MemoryPlan, copied_at_the_end, plan_of
from tir.inspect.places import lines_of
from tir.inspect.sizes import Sizes, total
from tir.ir.actions import Action
from tir.ir.errors import Location, TirError, counted, escape_controls
from tir.ir.ir import Op
from tir.ir.pass_manager import Instrumentation
from tir.ir.remarks import Remark, RemarkLog
from tir.ir.verify import verify

__all__ = ["Explanation", "Rewrite", "explain"]


@dataclass(frozen=True)
class Rewrite:
    """A rewrite rule that was applied, and how often. kind: exact, accurate or fast, what happens to numbers."""

    name: str
    kind: str
    before: str
    after: str
    count: int


@dataclass(frozen=True)
class Explanation:
    """What `explain` found. `str` gives all of it as text.

    costs: each loop nest and call, as it runs. fused: those of them that several ops of the program were merged into.
    not_fused: why others stay apart; remarks: what else passes had to say. library: the calls. rewrites: rules by how
    often they were applied; changes: what passes did besides, by name. memory: where arrays lie.
    """

    costs: list[Cost]
    not_fused: list[Remark]
    remarks: list[Remark]
    rewrites: list[Rewrite]
    changes: dict[str, int]
    memory: MemoryPlan

    @property
    def fused(self) -> list[Cost]:
        return [cost for cost in self.costs if cost.merged > 1]

    @property
    def library(self) -> list[Cost]:
        return [cost for cost in self.costs if cost.family == LIBRARY]

    def __str__(self) -> str:
        return "\n".join(map(escape_controls, _lines(self)))

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


@dataclass
class _Watch(Instrumentation):
    """Counts what passes do."""

    rules: Counter[Any] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)

    def changed(self, action: Action) -> None:
        if action.rule is not None:
            self.rules[action.rule] += 1
        else:
            self.changes[action.name] += 1


def explain(module: Op, *, sizes: Mapping[str, int] | None = None, fp_mode: str = "stable") -> Explanation:
    """What fuses and what does not and why, which calls and rules are chosen, where arrays lie, and what it all costs.

    sizes: numbers for named sizes, as in {"B": 500}; without them costs are told in their terms. fp_mode: of
    `tir.executable`. The module itself is not changed.
    """
    check_module("explain", module)
    check_fp_mode("explain", fp_mode)
    known = _checked_sizes(sizes)
    verify(module)
    copy = module.clone()
    remarks: dict[tuple[str, str], Remark] = {}
    watch = _Watch()
    watching = (watch, RemarkLog(("missed", "analysis"), lambda remark: _note(remark, remarks)))
    advance(copy, "tensor", "fused", fp_mode, watching)
    costs = costs_of(copy, known)
    advance(copy, "fused", "buffers", fp_mode, watching)
    copied = copied_at_the_end(copy)
    advance(copy, "buffers", "loops", fp_mode, watching)
    said = list(remarks.values())
    is_of_fusion = [remark.text.startswith(_NOT_FUSED) for remark in said]
    return Explanation(
        costs,
        [remark for remark, of_fusion in zip(said, is_of_fusion) if of_fusion],
        [remark for remark, of_fusion in zip(said, is_of_fusion) if not of_fusion],
        [Rewrite(rule.name, rule.kind, rule.before, rule.after, n) for rule, n in watch.rules.most_common()],
        dict(watch.changes.most_common()),
        plan_of(copy, copied, known),
    )


_NOT_FUSED = "not fused: "


def _note(remark: Remark, remarks: dict[tuple[str, str], Remark]) -> None:
    """Passes that run twice say the same twice."""
    remarks.setdefault((lines_of(remark.location), remark.text), remark)


def _checked_sizes(sizes: Any) -> Sizes:
    if sizes is None:
        return Sizes()
    if not isinstance(sizes, Mapping) or not all(isinstance(name, str) for name in sizes):
        message = f'explain: sizes must be numbers by name, such as {{"B": 500}}, got {told(sizes)}'
        raise TirError(message, caller_location())
    for name, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, int) or size < 0:
            raise TirError(f"explain: size {name} must be a number from 0 on, got {told(size)}", caller_location())
    return Sizes(sizes)


# --- as text ---------------------------------------------------------------------------------------------------------


def _lines(found: Explanation) -> Iterator[str]:
    yield from _section("What runs", _costs(found.costs))
    yield from _section("Not fused", (f"{_at(r.location)}{r.text.removeprefix(_NOT_FUSED)}" for r in found.not_fused))
    yield from _section("Memory", _memory(found.memory))
    yield from _section("Rewrites", _rewrites(found.rewrites))
    yield from _section("Other changes", (f"{count} x {name}" for name, count in found.changes.items()))
    yield from _section("Remarks", (f"{_at(remark.location)}{remark.text}" for remark in found.remarks))


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    found = list(lines)
    if found:
        yield title
        yield from (f"  {line}" for line in found)


def _at(location: Location) -> str:
    where = lines_of(location)
    return f"{where}: " if where else ""


def _costs(costs: list[Cost]) -> Iterator[str]:
    for function in dict.fromkeys(cost.function for cost in costs):
        mine = [cost for cost in costs if cost.function == function]
        yield f"@{function}: {_spent(mine)}"
        for family in dict.fromkeys(cost.family for cost in mine):
            some = [cost for cost in mine if cost.family == family]
            yield f"  {family} ({len(some)}): {_spent(some)}"
            for cost in some:
                name = f"{cost.name}: " if cost.name else ""
                merged = f"; {cost.merged} ops in one" if cost.merged > 1 else ""
                yield f"    {_at(cost.location)}{name}{_spent([cost])}{merged}"


def _spent(costs: list[Cost]) -> str:
    """The numbers of several costs together."""
    flops, functions = total(cost.flops for cost in costs), total(cost.functions for cost in costs)
    parts = [] if flops.number == 0 else [f"{flops} flops"]
    parts += [] if functions.number == 0 else [f"{functions} functions"]
    return ", ".join([*parts, f"{total(cost.bytes for cost in costs)} bytes"])


def _memory(plan: MemoryPlan) -> Iterator[str]:
    for buffer in {buffer.name: buffer for buffer in plan.state}.values():
        yield f"state {buffer.name}: {buffer.bytes} bytes, {_written(buffer.in_place)}"
    for buffer in plan.results:
        yield f"result {buffer.name} of @{buffer.function}: {buffer.bytes} bytes, {_written(buffer.in_place)}"
    for function in dict.fromkeys(buffer.function for buffer in plan.temporaries):
        placed, apart = plan.placed(function), plan.apart(function)
        if placed:
            alone, together = total(buffer.bytes for buffer in placed), plan.workspace_bytes(function)
            yield f"workspace of @{function}: {together} bytes for {counted(len(placed), 'buffer')} of {alone} bytes"
        for buffer in placed:
            yield f"  {_at(buffer.location)}{buffer.bytes} bytes in slot {buffer.slot}"
        if apart:
            alone = total(buffer.bytes for buffer in apart)
            yield f"temporaries of @{function}: {alone} bytes in {counted(len(apart), 'buffer')}"
        for buffer in apart:
            yield f"  {_at(buffer.location)}{buffer.bytes} bytes{f' {buffer.name}' if buffer.name else ''}"


def _written(in_place: bool) -> str:
    return "written in place" if in_place else "copied from a temporary"


def _rewrites(rewrites: list[Rewrite]) -> Iterator[str]:
    for one in rewrites:
        yield f"{one.count} x {one.name} ({one.kind}): {one.before} -> {one.after}"
