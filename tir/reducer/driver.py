"""Delta debugging: edits are tried in chunks, and what stays interesting and is smaller is kept.

An edit lists its sites in a module, each a function that changes the module in place. A candidate is a copy of the best
module so far with some of the sites applied; it is verified before it is tested. Chunks start with all sites and are
halved, so that what does not matter goes in a few tests (Zeller and Hildebrandt, 2002; C-Reduce does it in this order).
Everything is deterministic. It ends because each module that is kept has a smaller `cost`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tir.ir.actions import watched_by
from tir.ir.errors import TirError
from tir.ir.ir import Op
from tir.ir.printer import print_op
from tir.ir.traits import is_removable
from tir.ir.types import ShapedType
from tir.ir.verify import check
from tir.reducer.functions import FUNCTION_EDITS
from tir.reducer.ops import OP_EDITS
from tir.reducer.sizes import SHAPE_EDITS, SIZE_EDITS

__all__ = ["Edit", "Progress", "Reduction", "Site", "count_ops", "reduce_module"]

#: Changes the module in place.
Site = Callable[[], None]
#: The places where something can be made smaller.
Edit = Callable[[Op], Sequence[Site]]

#: What goes most easily goes first: functions and results; then sizes, so that tests that run the program get faster.
EDITS: tuple[tuple[str, Edit], ...] = (*FUNCTION_EDITS, *SHAPE_EDITS, *OP_EDITS, *SIZE_EDITS)
OPEN_SIZE = 1000  # what a size that is not a number counts


@dataclass(frozen=True)
class Progress:
    """How far a reduction is: the edit at work, the tests done, and the ops left."""

    edit: str
    tests: int
    ops: int


class _Stop(Exception):
    """The budget is used up."""


@dataclass
class Reduction:
    """A reduction under way. best: the smallest interesting module so far; it is a module of its own.

    is_interesting: gets a verified module, which it may change. max_tests, seconds: the budget; None for no limit.
    improved: is told the new best module each time.
    """

    best: Op
    is_interesting: Callable[[Op], bool]
    max_tests: int | None = None
    seconds: float | None = None
    improved: Callable[[Op, Progress], None] = lambda module, progress: None
    tests: int = 0
    stopped: bool = False
    _seen: set[str] = field(default_factory=set)
    _cost: tuple[int, ...] = ()
    _edit: str = ""

    def run(self) -> Op:
        """The smallest interesting module that the edits lead to, or that the budget allows."""
        self._end = None if self.seconds is None else time.monotonic() + self.seconds
        self._cost = cost(self.best)
        self._seen.add(print_op(self.best))
        with watched_by([]):
            try:
                while self._round():
                    pass
            except _Stop:
                self.stopped = True
        return self.best

    def _round(self) -> bool:
        """Tries all edits once; tells whether any made the module smaller."""
        before = self._cost
        for self._edit, edit in EDITS:
            self._apply(edit)
        return self._cost < before

    def _apply(self, edit: Edit) -> None:
        """Tries the sites of an edit, from the last to the first, in chunks."""
        chunk = len(edit(self.best))
        while chunk:
            end = len(edit(self.best))
            while end > 0:
                start = max(0, end - chunk)
                if self._try(edit, start, end):
                    end = min(start, len(edit(self.best))) if chunk > 1 else min(end, len(edit(self.best)))
                else:
                    end = start
            chunk //= 2

    def _try(self, edit: Edit, start: int, end: int) -> bool:
        """Applies sites start..end to a copy, and keeps it if it is interesting."""
        swept = self._candidate(edit, start, end, sweep=True)
        if swept is None:
            return False
        if self._test(swept):
            return True
        if end - start > 1:
            return False
        plain = self._candidate(edit, start, end, sweep=False)
        return plain is not None and self._test(plain)

    def _candidate(self, edit: Edit, start: int, end: int, *, sweep: bool) -> Op | None:
        copy = self.best.clone()
        unused = {op for op in copy.walk() if not op.is_used}
        try:
            for site in reversed(edit(copy)[start:end]):
                site()
        except (TirError, AssertionError, TypeError, ValueError, LookupError):
            return None  # an edit may ask too much of an op, which then says so in its own way
        if sweep:
            _sweep(copy, unused)
        return copy

    def _test(self, candidate: Op) -> bool:
        """The candidate is smaller, new, well formed and interesting; then it is the best."""
        if check(candidate):
            return False
        text, now = print_op(candidate), cost(candidate)
        if text in self._seen or now >= self._cost:
            return False
        self._seen.add(text)
        if self.max_tests is not None and self.tests >= self.max_tests:
            raise _Stop
        if self._end is not None and time.monotonic() > self._end:
            raise _Stop
        self.tests += 1
        if not self.is_interesting(candidate.clone()):
            return False
        self.best, self._cost = candidate, now
        self.improved(candidate, Progress(self._edit, self.tests, count_ops(candidate)))
        return True


def reduce_module(module: Op, is_interesting: Callable[[Op], bool], **options: object) -> Op:
    """The smallest interesting module found; options as for `Reduction`. `module` itself must be interesting."""
    return Reduction(module, is_interesting, **options).run()  # type: ignore[arg-type]


def _sweep(module: Op, unused: set[Op]) -> None:
    """Erases what nobody uses any more; what nobody used before stays, for it may be what is interesting."""
    for op in reversed(list(module.walk())):
        if op is not module and op not in unused and not op.is_used and is_removable(op):
            op.erase()


def count_ops(module: Op) -> int:
    """The ops inside the module, without itself."""
    return sum(1 for _ in module.walk()) - 1


def cost(module: Op) -> tuple[int, ...]:
    """What must get smaller: ops, values, sizes, names, and the length of the text."""
    ops = values = sizes = names = 0
    for op in module.walk():
        arguments = [a for region in op.regions for block in region.blocks for a in block.arguments]
        made = [*op.results, *arguments]
        ops += 1
        values += len(op.operands) + len(made)
        names += sum(value.hint is not None for value in made)
        for value in made:
            if isinstance(value.type, ShapedType):
                sizes += sum(dim if isinstance(dim, int) else OPEN_SIZE for dim in value.type.shape)
    return ops, values, sizes, names, len(print_op(module))
