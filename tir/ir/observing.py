"""Seeing each op run: the interpreter calls an observer with what an op took, what it made, and how long that took.

The ops are wrapped when a block is made ready to run, so that a run without an observer pays nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from types import GeneratorType
from typing import Any

from tir.ir.execution import Frame, Jump
from tir.ir.ir import Op

__all__ = ["Observer", "observed", "observed_interpretation"]


class Observer:
    """Sees the ops of a run; each method may raise, which ends the run."""

    def started(self, function: Op, arguments: Sequence[Any]) -> None:
        """A function is called from outside, with these values."""

    def starts(self, op: Op, operands: Sequence[Any]) -> None:
        """An op is about to run on these values, which it may change then."""

    def ran(self, op: Op, operands: Sequence[Any], results: Sequence[Any], seconds: float) -> None:
        """An op has run. What it had run inside it, such as the body of a loop, came before.

        operands: the values that it took; none of an op that may have changed them. seconds: of the op alone, not of the
        ops inside it.
        """


def observed(op: Op, run: Callable[..., Any], observer: Observer, *, changes: bool) -> Callable[..., Any]:
    """The meaning of an op on values, seen by the observer. changes: it takes a list, whose arrays it may change."""
    is_single = len(op.results) == 1

    def seen(*arguments: Any) -> Any:
        observer.starts(op, arguments[0] if changes else arguments)
        start = time.perf_counter()
        made = run(*arguments)
        seconds = time.perf_counter() - start
        observer.ran(op, () if changes else arguments, (made,) if is_single else made, seconds)
        return made

    return seen


def observed_interpretation(op: Op, run: Callable[..., Any], observer: Observer) -> Callable[[Frame], Any]:
    """The `interpret` of an op, seen by the observer."""

    def seen(frame: Frame) -> Any:
        observer.starts(op, [frame[value] for value in op.operands])
        start = time.perf_counter()
        made = run(frame)
        seconds = time.perf_counter() - start
        if isinstance(made, GeneratorType):
            return _seen_to_its_end(op, made, observer)
        results = () if isinstance(made, Jump) else made
        observer.ran(op, [frame[value] for value in op.operands], results, seconds)
        return made

    return seen


def _seen_to_its_end(op: Op, running: Generator[Any, Any, Any], observer: Observer) -> Generator[Any, Any, Any]:
    """The same generator; nothing that goes through it is held, so that bodies may change what only they see."""
    seconds, handed_over = 0.0, [None]
    while True:
        start = time.perf_counter()
        try:
            request = running.send(handed_over.pop())
        except StopIteration as stop:
            observer.ran(op, (), stop.value, seconds + time.perf_counter() - start)
            return stop.value
        seconds += time.perf_counter() - start
        given = [request]
        del request
        handed_over.append((yield given.pop()))
