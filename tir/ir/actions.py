"""Actions: the single changes that passes make, so that they can be seen, counted and stopped.

A pass announces each change that stands by itself (a rule applied, a duplicate merged, an op lowered, a pair fused), and
leaves it out where that is refused:

    if actions.begin("merge", op):
        op.replace_with(earlier.results)
        actions.end()

Without a handler this costs one look at an empty list. `run_pipeline` installs the instrumentations that watch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple, Protocol

from tir.ir.ir import Op

__all__ = ["Action", "Handler", "begin", "end", "watched_by"]


class Action(NamedTuple):
    """A change. `op` is what it starts from, which may be erased behind it; `rule` is the rewrite rule, if it is one."""

    name: str
    op: Op
    rule: Any = None


class Handler(Protocol):
    """Sees the actions."""

    def allows(self, action: Action) -> bool:
        """Whether the change may be made. A rule's new ops stand in front of the op already, not used yet."""

    def changed(self, action: Action) -> None:
        """The change has been made."""


class _Watch:
    """The handlers of one thread, and the action between `begin` and `end`."""

    def __init__(self, handlers: Sequence[Handler]) -> None:
        self.handlers = handlers
        self.current: Action | None = None


_watch: ContextVar[_Watch | None] = ContextVar("tir_actions", default=None)


def begin(name: str, op: Op, rule: Any = None) -> bool:
    """Whether the change may be made. If so, `end` follows it."""
    watch = _watch.get()
    if watch is None:
        return True
    action = Action(name, op, rule)
    for handler in watch.handlers:
        if not handler.allows(action):
            return False
    watch.current = action
    return True


def end() -> None:
    """The change that `begin` allowed has been made."""
    watch = _watch.get()
    if watch is None:
        return
    action, watch.current = watch.current, None
    assert action is not None, "end() without begin()"
    for handler in watch.handlers:
        handler.changed(action)


@contextmanager
def watched_by(handlers: Sequence[Handler]) -> Iterator[None]:
    """Inside the `with`, `handlers` see the actions of this thread; those from outside do not."""
    token = _watch.set(_Watch(handlers) if handlers else None)
    try:
        yield
    finally:
        _watch.reset(token)
