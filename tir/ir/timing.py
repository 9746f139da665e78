"""Where the time goes: the passes, nested as the pipeline is, and whatever else is measured by `Timing.scope`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from tir.ir.ir import Op
from tir.ir.pass_manager import Instrumentation, Pass, Pipeline

__all__ = ["Timer", "Timing", "banner"]


class Timer:
    """The seconds spent in one thing, and in the things inside it by what they are."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.seconds = 0.0
        self.inside: dict[object, Timer] = {}


class Timing(Instrumentation):
    """Measures from its making on. It comes last in a list of instrumentations, so that it times the pass alone.

    One run of a pass or a nested pipeline on each function is one entry in all; so are scopes of one name.
    """

    def __init__(self) -> None:
        self.root = Timer("Total")
        self._started = time.perf_counter()
        self._open: list[tuple[Timer, float]] = [(self.root, self._started)]
        self._base = 1  # what is open around the pipelines

    @contextmanager
    def scope(self, name: str) -> Iterator[None]:
        """Inside the `with`, time counts for `name`."""
        depth, base = len(self._open), self._base
        self._start(name, name)
        self._base = len(self._open)
        try:
            yield
        finally:
            self._stop_to(depth)
            self._base = base

    def enter(self, pipeline: Pipeline, op: Op) -> None:
        self._start(id(pipeline), f"'{pipeline.anchor}' Pipeline")

    def leave(self, pipeline: Pipeline, op: Op) -> None:
        self._stop()

    def before(self, step: Pass, op: Op, root: Op) -> None:
        self._start(id(step), type(step).__name__)

    def after(self, step: Pass, op: Op, root: Op) -> None:
        self._stop()

    def failed(self, step: Pass, op: Op, root: Op, error: Exception) -> None:
        self._stop_to(self._base)  # the pipelines around it end, too

    def _start(self, key: object, name: str) -> None:
        around = self._open[-1][0]
        self._open.append((around.inside.setdefault(key, Timer(name)), time.perf_counter()))

    def _stop(self) -> None:
        timer, started = self._open.pop()
        timer.seconds += time.perf_counter() - started

    def _stop_to(self, depth: int) -> None:
        while len(self._open) > depth:
            self._stop()

    def report(self, display: str) -> str:
        """display: `tree`, nested as it ran, or `list`, one line a name, the longest first. Shares are of the total."""
        total = self.root.seconds = time.perf_counter() - self._started
        rows = _tree(self.root) if display == "tree" else _list(self.root)
        measured = sum(timer.seconds for timer in self.root.inside.values())
        rows += [("Rest", total - measured), ("Total", total)]
        lines = [*banner("Execution time report"), f"  Total Execution Time: {total:.4f} seconds", ""]
        lines.append("  ----Wall Time----  ----Name----")
        lines += [f"  {seconds:8.4f} ({100 * seconds / total:5.1f}%)  {name}" for name, seconds in rows]
        return "\n".join([*lines, ""])


def banner(title: str) -> list[str]:
    """The three lines above a report."""
    rule = f"==={'-' * 73}==="
    text = f"... {title} ..."
    return [rule, " " * ((80 - len(text)) // 2) + text, rule]


def _tree(root: Timer) -> list[tuple[str, float]]:
    rows: list[tuple[str, float]] = []
    pending = [(timer, "") for timer in reversed(root.inside.values())]
    while pending:
        timer, indent = pending.pop()
        rows.append((indent + timer.name, timer.seconds))
        pending += [(one, indent + "  ") for one in reversed(timer.inside.values())]
    return rows


def _list(root: Timer) -> list[tuple[str, float]]:
    seconds: dict[str, float] = {}
    pending = list(root.inside.values())
    while pending:
        timer = pending.pop()
        seconds[timer.name] = seconds.get(timer.name, 0.0) + timer.seconds
        pending += timer.inside.values()
    return sorted(seconds.items(), key=lambda row: -row[1])
