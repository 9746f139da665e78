"""tir-opt --log-rewrites: each change of the passes on a line of its own.

    3: canonicalize: neg_of_neg: model.tir:4:3: %1 = tir.neg %0 : tensor<4xf32> => %x

The number is that of --max-rewrites: with it the change is the last that is made.
"""

from __future__ import annotations

from collections.abc import Callable

from tir.ir.changes import Change, Changes
from tir.ir.errors import escape_controls
from tir.ir.op_lines import OpLines

__all__ = ["RewriteLog"]

NOTHING = "nothing"


class RewriteLog(Changes):
    """Gives the line of each change, with its newline, to `write`."""

    def __init__(self, write: Callable[[str], None]) -> None:
        super().__init__()
        self.write = write

    def note(self, change: Change) -> None:
        where = change.location.file_location()
        head = f"{change.number}: {change.step.name}: {change.action.name}: {f'{where}: ' if where else ''}"
        self.write(escape_controls(f"{head}{change.text} => {_after(change, self.lines)}") + "\n")


def _after(change: Change, lines: OpLines) -> str:
    """What came of the op: the new ops, and values that were there before; or the op itself, changed."""
    made = set(change.new)
    known = [lines.name(value) for value in change.values if value.op not in made]
    parts = [*map(lines.line, change.new), *known]
    op = change.action.op
    if not parts and op.parent is not None:
        parts = [lines.line(op)]
    return "; ".join(parts) or NOTHING
