"""Each change of a pass with the ops before and behind it, for those who write it down.

An action says what is about to change; what came of it is seen here: ops that were not there before, and the values that
stand now where the results were used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tir.ir.actions import Action
from tir.ir.errors import Location
from tir.ir.ir import Block, Op, Value
from tir.ir.op_lines import OpLines
from tir.ir.pass_manager import Instrumentation, Pass

__all__ = ["Change", "Changes"]


@dataclass
class Change:
    """A change that was made. text: the line of the op before. location: of the op.

    new: the ops that are new, in their order. values: what stands in place of the results, new or not.
    """

    number: int
    step: Pass
    action: Action
    text: str
    location: Location
    new: list[Op] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)


class Changes(Instrumentation):
    """Sees the changes of all passes; `note` gets each. The numbers are those of `tir-opt --max-rewrites`."""

    lines: OpLines  # of the module in front of the pass that runs
    _step: Pass
    _change: Change
    _place: tuple[Block | None, Op | None]  # of the op: its block, and the op behind it

    def __init__(self) -> None:
        self.made = 0
        self._seen: set[Op] = set()
        self._uses: list[tuple[Value, Op, int]] = []

    def note(self, change: Change) -> None:
        """A change was made."""
        raise AssertionError(type(self))

    def before(self, step: Pass, op: Op, root: Op) -> None:
        self._step, self.lines, self._seen = step, OpLines(root), set(root.walk())

    def allows(self, action: Action) -> bool:
        op = action.op
        self._change = Change(self.made + 1, self._step, action, self.lines.line(op), op.location)
        self._uses = [(result, use.owner, use.index) for result in op.results for use in result.uses]
        self._place = op.parent, op.next
        return True

    def changed(self, action: Action) -> None:
        change, self.made = self._change, self.made + 1
        for old, owner, index in self._uses:
            new = owner.operand(index) if index < len(owner.operands) else old
            if new is not old and new not in change.values:
                self.lines.rename(old, new)
                change.values.append(new)
        change.new = self._new_ops(action.op, [value.op for value in change.values])
        self.note(change)

    def _new_ops(self, op: Op, makers: Sequence[Op | None]) -> list[Op]:
        """The ops that were not there before: in the place of the op, those that make the values, and in front of them."""
        block, behind = self._place
        if op.parent is not None:
            last = op.previous
        else:
            last = behind.previous if behind is not None else block.last if block is not None else None
        found: list[Op] = []
        for maker in (last, *makers):
            made: list[Op] = []
            while maker is not None and maker not in self._seen:
                self._seen.update(maker.walk())
                made.append(maker)
                maker = maker.previous
            found += reversed(made)
        return found
