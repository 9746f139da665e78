"""Where each op comes from: the chain of rules and passes that made it, through all passes.

What a rule or another action makes comes from the op that it was about, and from those that it looked through to find that
it fits. What a pass makes besides comes from the ops whose locations it has (`origins.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tir.ir.actions import Action
from tir.ir.changes import Change, Changes
from tir.ir.errors import Location
from tir.ir.ir import Op
from tir.ir.op_lines import OpLines
from tir.ir.pass_manager import Pass
from tir.ir.traits import ConstantLike

__all__ = ["History", "Made", "Origin", "explanation"]

MAX_LOOKED_AT = 40  # ops that a rule may have looked through
MAX_SOURCES = 8  # shown of what one op comes from
MAX_LINES = 200  # of one explanation


@dataclass(eq=False)
class Origin:
    """An op, which may be gone. text: its line, as it was last seen; place: in the file of the user.

    made: how it came to be; None if it was given. also: the ops in whose place it stands besides, and why.
    """

    text: str
    place: str
    made: Made | None = None
    also: list[Made] = field(default_factory=list)


@dataclass(eq=False)
class Made:
    """A rule or another action of a pass that made ops from others; what a pass does without one has no name."""

    step: str
    name: str
    rule: Any
    sources: list[Origin]

    @property
    def by(self) -> str:
        """The rule or action, and the pass."""
        return f"{self.name} of {self.step}" if self.name else self.step

    def __str__(self) -> str:
        if self.rule is None:
            return self.by
        reason = f": {self.rule.reason}" if self.rule.reason else ""
        return f"{self.by}: {self.rule.before} -> {self.rule.after}   {self.rule.kind}{reason}"


class History(Changes):
    """The origins of the ops of a module. `finish` follows each pass, with what `read_origins` gives."""

    def __init__(self) -> None:
        super().__init__()
        self.origins: dict[Op, Origin] = {}
        self._start: dict[Op, Origin] = {}  # in front of the pass that runs
        self._looked_at: dict[Op, tuple[Op, ...]] = {}

    def before(self, step: Pass, op: Op, root: Op) -> None:
        super().before(step, op, root)
        ops = list(root.walk())
        self.refresh(ops, self.lines)
        self._start = {one: self.origins[one] for one in ops}

    def refresh(self, ops: Sequence[Op], lines: OpLines) -> None:
        """Texts are those of now; what is not known was given."""
        for op in ops:
            origin = self.origins.get(op)
            if origin is None:
                self.origins[op] = Origin(lines.line(op), _place(op.location))
            else:
                origin.text = lines.line(op)

    def allows(self, action: Action) -> bool:
        self._looked_at = _operand_tree(action.op)
        return super().allows(action)

    def note(self, change: Change) -> None:
        op = change.action.op
        root = self.origins.get(op)
        if root is None:
            return
        root.text = change.text
        made = Made(str(change.step), change.action.name, change.action.rule, self._sources(change, root))
        new = [inner for one in change.new for inner in one.walk()]
        if not new and not change.values and op.parent is not None:
            new = [op]  # it was changed where it stands
        for one in new:
            self.origins[one] = Origin(self.lines.line(one), _place(one.location), made)
        for maker in {value.op for value in change.values} - set(new):
            if maker is not None and maker in self.origins:
                self.origins[maker].also.append(made)

    def _sources(self, change: Change, root: Origin) -> list[Origin]:
        """The op, and those behind it that what it became does not use: a rule has looked through them."""
        used = {value.op for new in change.new for value in new.operands} | {value.op for value in change.values}
        found, pending = [root], [change.action.op]
        seen: set[Op] = set(pending)
        while pending:
            for maker in self._looked_at.get(pending.pop(), ()):
                if maker in used or maker in seen:
                    continue
                seen.add(maker)
                pending.append(maker)
                if maker in self.origins and not isinstance(maker, ConstantLike) and change.action.rule is not None:
                    found.append(self.origins[maker])
        return found

    def finish(self, step: Pass, root: Op, numbers: Sequence[Sequence[int]]) -> None:
        """A pass is over. numbers: for each op those of the ops before the pass that its location holds."""
        start = list(self._start.values())
        found: dict[Op, Origin] = {}
        for op, sources in zip(root.walk(), numbers):
            origin = self.origins.get(op)
            more = [start[i] for i in sources if start[i] is not origin]
            if origin is None:
                origin = Origin("", _place(op.location), Made(str(step), "", None, more))
            elif more and origin is self._start.get(op):
                origin = Origin(origin.text, origin.place, Made(str(step), "", None, [origin, *more]))
            elif origin.made is not None and (more := [one for one in more if not _comes_from(origin, one)]):
                origin.made = replace(origin.made, sources=[*origin.made.sources, *more])  # which others may share
            found[op] = origin
        self.origins = found


def _comes_from(origin: Origin, source: Origin) -> bool:
    """The source is among what the origin was made of; it is looked for at some places alone."""
    pending = [origin]
    for one in pending:
        if one is source:
            return True
        if len(pending) < MAX_LOOKED_AT and one.made is not None:
            pending += one.made.sources
    return False


def _operand_tree(op: Op) -> dict[Op, tuple[Op, ...]]:
    """The ops that make the operands, and so on, the nearest first."""
    found: dict[Op, tuple[Op, ...]] = {}
    pending = [op]
    for one in pending:
        if one in found or len(found) == MAX_LOOKED_AT:
            continue
        found[one] = tuple(value.op for value in one.operands if value.op is not None)
        pending += found[one]
    return found


def _place(location: Location) -> str:
    return str(location.file_location() or "")


# --- as text ---------------------------------------------------------------------------------------------------------


def explanation(origin: Origin) -> list[str]:
    """The lines that say how an op came to be, each op below what was made of it."""
    lines: list[str] = []
    told: set[Origin] = set()
    pending: list[tuple[Origin, str, str]] = [(origin, "", "")]
    while pending:
        one, head, indent = pending.pop()
        if len(lines) >= MAX_LINES:
            return [*lines, f"{indent}.. and more"]
        where = f"   {one.place}" if one.place and one.made is None else ""
        lines.append(f"{indent}{head}{one.text}{where}{' (above)' if one in told and one.made else ''}")
        if one in told:
            continue
        told.add(one)
        lines += [f"{indent}  also in place of {_text_of(made.sources)}, by {made}" for made in one.also]
        if one.made is not None:
            lines.append(f"{indent}  by {one.made}")
            shown = one.made.sources[:MAX_SOURCES]
            if len(shown) < len(one.made.sources):
                lines.append(f"{indent}    from {len(one.made.sources) - len(shown)} more ops")
            pending += [(source, "from ", indent + "    ") for source in reversed(shown)]
    return lines


def _text_of(sources: Sequence[Origin]) -> str:
    first = sources[0]
    return f"{first.text} ({first.place})" if first.place else first.text
