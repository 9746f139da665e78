"""What `tir-opt --explore` records while the passes run: the module at every level, and every rewrite between them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tir.ir.actions import Action
from tir.ir.ir import Op
from tir.ir.op_lines import OpLines
from tir.ir.pass_manager import Instrumentation, Pass
from tir.viz.history import History, Origin
from tir.viz.origins import number_ops, read_origins
from tir.viz.steps import Budget, Listing, Step, Steps, function_name

__all__ = ["Explorer", "Level", "Run"]


@dataclass
class Level:
    """The module behind a pass that changed it; the first is the module as it was given.

    ops: the line on which each op begins, -1 for one that the text leaves out.
    origins: for each op those of the level before that it comes from, by its location.
    became: pairs of an op of the level before and one of this, which stands where the results of the first were used.
    made: for each op by which rules and passes it was made, of what.
    """

    title: str
    lines: list[str]
    ops: list[int]
    origins: list[list[int]] = field(default_factory=list)
    became: list[tuple[int, int]] = field(default_factory=list)
    made: list[Origin] = field(default_factory=list)


@dataclass
class Run:
    """A pass that has run; `level` is the number of the level behind it, `where` the function if it ran on one."""

    title: str
    about: str
    where: str
    level: int
    changed: bool
    steps: list[Step]


class Explorer(Instrumentation):
    """Records levels and rewrites. It stands last among the instrumentations, next to the passes.

    levels: no more than `max_levels`; from then on a new one takes the place of the last, and `hidden_levels` counts.
    """

    def __init__(self, budget: Budget | None = None, max_levels: int = 60) -> None:
        self.budget = budget or Budget()
        self.max_levels = max_levels
        self.levels: list[Level] = []
        self.runs: list[Run] = []
        self.hidden_levels = 0
        self.error = ""
        self.history = History()
        self._listing: Listing | None = None
        self._ops: list[Op] = []
        self._steps: Steps | None = None

    def before(self, step: Pass, op: Op, root: Op) -> None:
        listing = self._start(root)
        self.history.before(step, op, root)
        self._ops = number_ops(root)
        numbers = {one: i for i, one in enumerate(self._ops)}
        self._steps = Steps(root, listing, numbers, self.budget)

    def _start(self, root: Op) -> Listing:
        """The text of the module; before the first pass, that is the first level."""
        if self._listing is None:
            self._listing = Listing(root)
            self.history.refresh(list(root.walk()), OpLines(root))  # what is there now was given
            lines = _op_lines(self._listing, root)
            self._add_level(Level("input", self._listing.lines, lines, made=self._made(root)))
        return self._listing

    def finished(self, root: Op) -> None:
        self._start(root)
        self.history.refresh(list(root.walk()), OpLines(root))

    def failed(self, step: Pass, op: Op, root: Op, error: Exception) -> None:
        """What came before is shown. The locations are the user's again, for those who look at the module now."""
        self._steps = None
        self.error = f"{step} failed: {error}"
        read_origins(root)

    def allows(self, action: Action) -> bool:
        if self._steps is not None:
            self._steps.begin(action)
            self.history.allows(action)
        return True

    def changed(self, action: Action) -> None:
        if self._steps is not None:
            self._steps.end()
            self.history.changed(action)

    def after(self, step: Pass, op: Op, root: Op) -> None:
        assert self._steps is not None
        steps, self._steps = self._steps, None
        origins = read_origins(root)
        self.history.finish(step, root, origins)
        listing = Listing(root)
        changed = listing.text != steps.before.text
        if changed or steps.found:
            steps.finish(listing)
        self._listing = listing
        if changed:
            became, made = self._became(steps, root), self._made(root)
            self._add_level(Level(str(step), listing.lines, _op_lines(listing, root), origins, became, made))
        where = "" if op is root else function_name(op)
        about = (type(step).__doc__ or "").partition("\n")[0]
        self.runs.append(Run(str(step), about, where, len(self.levels) - 1, changed, steps.found))

    def _made(self, root: Op) -> list[Origin]:
        return [self.history.origins[op] for op in root.walk()]

    def _add_level(self, level: Level) -> None:
        if len(self.levels) == self.max_levels:
            self.hidden_levels += 1
            level = _composed(self.levels.pop(), level)
        self.levels.append(level)

    def _became(self, steps: Steps, root: Op) -> list[tuple[int, int]]:
        """For each op that is gone, the living ops that stand in its place."""
        now = {op: i for i, op in enumerate(root.walk())}
        pairs: dict[tuple[int, int], None] = {}
        for number, op in enumerate(self._ops):
            if op in now or op not in steps.replaced:
                continue
            seen, pending = {op}, [op]
            while pending:
                for new in steps.replaced.get(pending.pop(), ()):
                    if new in now:
                        pairs[number, now[new]] = None
                    elif new not in seen:
                        seen.add(new)
                        pending.append(new)
        return list(pairs)


def _op_lines(listing: Listing, root: Op) -> list[int]:
    return [listing.starts.get(op, -1) for op in root.walk()]


def _composed(first: Level, second: Level) -> Level:
    """The second level as it follows from what was before the first."""
    origins = [_union(first.origins[i] for i in one) for one in second.origins]
    behind: dict[int, list[int]] = {}
    for new, one in enumerate(second.origins):
        for i in one:
            behind.setdefault(i, []).append(new)
    pairs = [(old, new) for old, i in first.became for new in behind.get(i, ())]
    pairs += [(old, new) for i, new in second.became for old in first.origins[i]]
    return Level(second.title, second.lines, second.ops, origins, list(dict.fromkeys(pairs)), second.made)


def _union(lists: Iterable[list[int]]) -> list[int]:
    return list(dict.fromkeys(i for one in lists for i in one))
