"""Instrumentations that check, print, count and limit what passes do. Those that measure are in `timing.py`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from tir.ir.actions import Action
from tir.ir.attributes import StringAttr
from tir.ir.errors import escape_controls
from tir.ir.ir import Op
from tir.ir.pass_manager import Instrumentation, Pass, Pipeline, verify_behind
from tir.ir.printer import print_op
from tir.ir.timing import banner

__all__ = ["Limit", "PrintIR", "Statistics", "Verify"]


@dataclass
class Verify(Instrumentation):
    """Verifies the module behind each pass; PassBug names the pass. timed: what the verifying happens in."""

    timed: Callable[[str], AbstractContextManager[object]] = nullcontext

    def after(self, step: Pass, op: Op, root: Op) -> None:
        with self.timed("Verify"):
            verify_behind(f"pass {step.name}", root)


@dataclass
class Limit(Instrumentation):
    """Lets passes make `count` changes in all. It comes last in a list: what others refuse must not be counted."""

    count: int
    made: int = 0

    def allows(self, action: Action) -> bool:
        return self.made < self.count

    def changed(self, action: Action) -> None:
        self.made += 1


# --- printing --------------------------------------------------------------------------------------------------------


def no_pass(step: Pass) -> bool:
    """Chooses no pass."""
    return False


@dataclass
class PrintIR(Instrumentation):
    """Writes the op before and behind passes, under `// -----// IR Dump After Cse (cse) //----- //`.

    write: gets each dump, the pass and the op. before, after: which passes. only_changed: behind a pass only if it
    changed the `fingerprint`. on_failure: behind each pass that fails. module_scope: the whole module in place of the op.
    """

    write: Callable[[str, Pass, Op], None]
    before_pass: Callable[[Pass], bool] = no_pass
    after_pass: Callable[[Pass], bool] = no_pass
    only_changed: bool = False
    on_failure: bool = False
    module_scope: bool = False
    text_of: Callable[[Op], str] = print_op
    fingerprint: Callable[[Op], str] = print_op
    _seen: str = ""

    def before(self, step: Pass, op: Op, root: Op) -> None:
        if self.only_changed and self.after_pass(step):
            self._seen = self.fingerprint(op)
        if self.before_pass(step):
            self._dump("Before", step, op, root)

    def after(self, step: Pass, op: Op, root: Op) -> None:
        if self.after_pass(step) and not (self.only_changed and self.fingerprint(op) == self._seen):
            self._dump("After", step, op, root)

    def failed(self, step: Pass, op: Op, root: Op, error: Exception) -> None:
        if self.on_failure or self.after_pass(step):
            self._dump("After", step, op, root, " Failed")

    def _dump(self, when: str, step: Pass, op: Op, root: Op, failed: str = "") -> None:
        scope = f" ('{op.name}' operation{_symbol_part(op)})" if self.module_scope else ""
        head = escape_controls(f"// -----// IR Dump {when} {type(step).__name__}{failed} ({step}){scope} //----- //")
        shown = root if self.module_scope else op
        text = self._text_of_broken(shown) if failed else self.text_of(shown)
        self.write(f"{head}\n{text}\n", step, op)

    def _text_of_broken(self, op: Op) -> str:
        """A pass that fails may leave IR that cannot be printed."""
        for text_of in (self.text_of, _generic):
            try:
                return text_of(op)
            except Exception:  # noqa: S112, BLE001
                continue
        return "// this IR cannot be printed\n"


def _generic(op: Op) -> str:
    return print_op(op, generic=True)


def _symbol_part(op: Op) -> str:
    name = op.properties.get("sym_name")
    return f": @{name.value}" if isinstance(name, StringAttr) else ""


# --- counting --------------------------------------------------------------------------------------------------------


@dataclass
class Statistics(Instrumentation):
    """Counts what each pass of a pipeline changed. `report` shows it as MLIR's --mlir-pass-statistics does."""

    counts: dict[int, Counter[str]] = field(default_factory=dict)
    meanings: dict[int, dict[str, str]] = field(default_factory=dict)
    _running: int = 0
    _root: str = ""

    def before(self, step: Pass, op: Op, root: Op) -> None:
        self._running = id(step)
        if self._running not in self.counts:
            self.counts[self._running] = Counter(dict.fromkeys(step.statistics, 0))
            self.meanings[self._running] = dict(step.statistics)

    def changed(self, action: Action) -> None:
        self.counts[self._running][action.name] += 1
        if action.rule is not None:
            self.meanings[self._running][action.name] = f"{action.rule.before} -> {action.rule.after}"

    def finished(self, root: Op) -> None:
        self._root = root.name

    def report(self, pipeline: Pipeline, display: str) -> str:
        """display: `pipeline`, nested as it ran, or `list`, one entry for all passes of a name, sorted."""
        pipeline = pipeline.anchored(self._root)
        lines = _by_name(self, pipeline) if display == "list" else _as_nested(self, pipeline)
        return "\n".join([*banner("Pass statistics report"), *lines, "", ""])


def _as_nested(statistics: Statistics, pipeline: Pipeline) -> list[str]:
    lines: list[str] = []
    pending: list[tuple[Pass | Pipeline, str]] = [(step, "") for step in reversed(list(pipeline.flattened()))]
    while pending:
        step, indent = pending.pop()
        if isinstance(step, Pipeline):
            lines.append(f"{indent}'{step.anchor}' Pipeline")
            pending += [(one, indent + "  ") for one in reversed(list(step.flattened()))]
        else:
            meanings = statistics.meanings.get(id(step), dict(step.statistics))
            counts = statistics.counts.get(id(step), dict.fromkeys(meanings, 0))
            lines += [indent + type(step).__name__, *_entries(counts, meanings, indent + "  ")]
    return lines


def _by_name(statistics: Statistics, pipeline: Pipeline) -> list[str]:
    counts: dict[str, Counter[str]] = {}
    meanings: dict[str, dict[str, str]] = {}
    for step in pipeline.passes():
        name = type(step).__name__
        counts.setdefault(name, Counter()).update(statistics.counts.get(id(step), dict.fromkeys(step.statistics, 0)))
        meanings.setdefault(name, {}).update(statistics.meanings.get(id(step), step.statistics))
    return [
        line for name in sorted(counts) if counts[name]
        for line in (f"  {name}", *_entries(counts[name], meanings[name], "    "))
    ]  # fmt: skip


def _entries(counts: Mapping[str, int], meanings: Mapping[str, str], indent: str) -> list[str]:
    width = max((len(str(count)) for count in counts.values()), default=0)
    longest = max(map(len, counts), default=0)
    return [
        f"{indent}(S) {counts[name]:{width}} {name:{longest}} - {meanings.get(name, 'changes')}".rstrip()
        for name in sorted(counts)
    ]
