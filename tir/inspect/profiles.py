"""`profile`: where the time of a program goes, by op and line of the program.

The interpreter tells the time of each op; machine code, in which ops are merged, that of each loop nest and each call of a
library.
"""

from __future__ import annotations

import html
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tir.api import caller_location, check_module, for_this_machine, to_interpret
from tir.compile import TARGETS, Executable
from tir.dialects.tir.build.core import told
from tir.inspect.places import lines_of
from tir.ir.errors import Location, TirError, counted, escape_controls, nearest
from tir.ir.ir import Op
from tir.ir.observing import Observer
from tir.ir.pass_manager import run_pipeline
from tir.ir.verify import verify
from tir.machines import NestTime

__all__ = ["Profile", "Row", "profile"]

MOST_ROWS = 20


@dataclass
class Row:
    """An op at a place of the program, or a function: how often it ran, and for how long in all."""

    name: str
    location: Location | None = None
    calls: int = 0
    seconds: float = 0.0

    def add(self, seconds: float) -> None:
        self.calls += 1
        self.seconds += seconds


@dataclass
class Profile(Observer):
    """What has been measured so far; as an observer of the interpreter, of each op.

    functions: by name. ops: ops, or loop nests, of one kind at one place of the program are one row. compile_seconds: what
    it took to make the program.
    """

    functions: dict[str, Row] = field(default_factory=dict)
    ops: dict[tuple[str, str], Row] = field(default_factory=dict)
    compile_seconds: float = 0.0

    @contextmanager
    def call(self, name: str) -> Iterator[None]:
        """Inside the `with` a function runs: its time counts, also if it fails."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.functions.setdefault(name, Row(name)).add(time.perf_counter() - start)

    @contextmanager
    def compiling(self) -> Iterator[None]:
        """Inside the `with` a program is made."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.compile_seconds += time.perf_counter() - start

    def ran(self, op: Op, operands: Sequence[Any], results: Sequence[Any], seconds: float) -> None:
        key = op.name, lines_of(op.location)
        self.ops.setdefault(key, Row(op.name, op.location)).add(seconds)

    def add_nests(self, before: Sequence[NestTime], after: Sequence[NestTime]) -> None:
        """What the loop nests of an executable took between two looks at its `nest_times`."""
        for old, new in zip(before, after):
            row = self.ops.setdefault((new.op_name, lines_of(new.location)), Row(new.op_name, new.location))
            row.calls += new.calls - old.calls
            row.seconds += new.seconds - old.seconds

    @property
    def seconds(self) -> float:
        """The time of all calls."""
        return sum(row.seconds for row in self.functions.values())

    @property
    def slowest(self) -> list[Row]:
        """The ops, those first that took most."""
        return sorted(self.ops.values(), key=lambda row: -row.seconds)

    def summary(self, most: int = MOST_ROWS) -> str:
        """A table of the functions, and one of the ops that took most."""
        return "\n".join(map(escape_controls, self._lines(most)))

    def _lines(self, most: int) -> Iterator[str]:
        calls = sum(row.calls for row in self.functions.values())
        made = f"; {self.compile_seconds:.3f} s to compile" if self.compile_seconds else ""
        yield f"{counted(calls, 'call')}, {self.seconds:.6f} s{made}"
        if self.functions:
            yield f"{'seconds':>10}  {'calls':>7}  {'each':>10}  function"
        for row in sorted(self.functions.values(), key=lambda row: -row.seconds):
            yield f"{row.seconds:10.6f}  {row.calls:7}  {row.seconds / row.calls:10.6f}  @{row.name}"
        if not self.ops:
            return
        total = sum(row.seconds for row in self.ops.values()) or 1.0
        yield ""
        yield f"{'seconds':>10}  {'share':>6}  {'calls':>7}  {'op':24}  line"
        shown = self.slowest[:most]
        for row in shown:
            where = lines_of(row.location) if row.location is not None else ""
            yield f"{row.seconds:10.6f}  {row.seconds / total:6.1%}  {row.calls:7}  {row.name:24}  {where}".rstrip()
        if len(shown) < len(self.ops):
            rest = sum(row.seconds for row in self.slowest[most:])
            yield f"{rest:10.6f}  {rest / total:6.1%}  {'':7}  {len(self.ops) - len(shown)} more"

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(self.summary())}</pre>"


def profile(
    program: Op | Executable, entry: str, arguments: Mapping[str, Any] | Sequence[Any] = (), *, repeat: int = 1,
    target: str = "interpret",
) -> Profile:  # fmt: skip
    """The times of calls of an entry. The state of an executable changes by them as by any calls.

    program: a module, made ready for the target: on "interpret" the time of each op is told, on "cpu" that of each loop
    nest. Or an executable, of which the time of each call is told, and of loop nests if it is `timed`. repeat: how often
    the entry is called.
    """
    if isinstance(repeat, bool) or not isinstance(repeat, int) or repeat < 1:
        raise TirError(f"profile: repeat must be a number from 1 on, got {told(repeat)}", caller_location())
    if target not in TARGETS:
        hint = nearest(target, TARGETS) if isinstance(target, str) else None
        message = f"profile: target must be one of {', '.join(TARGETS)}, got {told(target)}"
        raise TirError(message, caller_location(), hint=hint)
    found = Profile()
    ready = program if isinstance(program, Executable) else _prepared(program, target, found)
    before = ready.nest_times()
    for _ in range(repeat):
        with found.call(entry):
            ready.call(entry, arguments)
    found.add_nests(before, ready.nest_times())
    return found


def _prepared(module: Op, target: str, found: Profile) -> Executable:
    check_module("profile", module)
    with found.compiling():
        verify(module)
        if target == "cpu":
            return Executable(module, "cpu", lambda copy: run_pipeline(for_this_machine(), copy), timed=True)
        return Executable(module, "interpret", lambda copy: run_pipeline(to_interpret(copy), copy), observer=found)
