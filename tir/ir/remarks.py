"""Remarks of passes: what was done, what was not done and why, and what was found.

A pass may collect `remarks`: pairs of a location and a sentence such as "not fused: the producer is a reduction", which
are remarks of the kind `missed`. What a pass did is known from its actions, and is a remark of the kind `passed`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tir.ir.actions import Action
from tir.ir.attributes import StringAttr
from tir.ir.errors import Location
from tir.ir.ir import Op
from tir.ir.pass_manager import Instrumentation, Pass
from tir.ir.traits import FunctionLike

__all__ = ["Remark", "RemarkLog"]


class Remark(NamedTuple):
    """What a pass has to say. kind: missed, passed or analysis. function: the one it is about, "" outside of one."""

    kind: str
    pass_name: str
    name: str
    text: str
    location: Location
    function: str


@dataclass
class RemarkLog(Instrumentation):
    """Gives the remarks of the wanted kinds to `add`, as they are made."""

    kinds: Sequence[str]
    add: Callable[[Remark], None]
    _running: str = ""
    _change: Remark | None = None

    def before(self, step: Pass, op: Op, root: Op) -> None:
        self._running = step.name

    def allows(self, action: Action) -> bool:
        # Behind the change the op may be gone from its function.
        if self._wants("passed"):
            rule = action.rule
            text = f"{action.op.name}: {action.name}" + (f": {rule.before} -> {rule.after}" if rule is not None else "")
            self._change = Remark(
                "passed", self._running, _camel(action.name), text, action.op.location, _function_of(action.op)
            )
        return True

    def changed(self, action: Action) -> None:
        if self._change is not None:
            self.add(self._change)

    def after(self, step: Pass, op: Op, root: Op) -> None:
        for location, text, *rest in getattr(step, "remarks", ()):
            kind = rest[0] if rest else "missed"
            if self._wants(kind):
                name = _camel(text.partition(":")[0])
                self.add(Remark(kind, step.name, name, text, location, _function_at(root, location)))

    def _wants(self, kind: str) -> bool:
        return kind in self.kinds or "all" in self.kinds


def _function_of(op: Op) -> str:
    around = next((one for one in (op, *op.ancestors()) if isinstance(one, FunctionLike)), None)
    return _symbol(around) if around is not None else ""


def _function_at(root: Op, location: Location) -> str:
    """The function in whose text the location is: the last that begins in front of it."""
    where = location.file_location()
    found = ("", 0)
    for op in _top_level(root):
        begin = op.location.file_location()
        if isinstance(op, FunctionLike) and where is not None and begin is not None and begin.file == where.file:
            found = max(found, (_symbol(op), begin.line), key=_line) if begin.line <= where.line else found
    return found[0]


def _line(found: tuple[str, int]) -> int:
    return found[1]


def _top_level(root: Op) -> Iterator[Op]:
    return (op for region in root.regions for block in region.blocks for op in block)


def _symbol(op: Op) -> str:
    name = op.properties.get("sym_name")
    return name.value if isinstance(name, StringAttr) else ""


def _camel(words: str) -> str:
    """`not fused` and `log_of_one_plus` -> NotFused, LogOfOnePlus."""
    return "".join(word[:1].upper() + word[1:] for word in re.findall(r"[A-Za-z0-9]+", words)) or "Remark"
