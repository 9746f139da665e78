"""The garbage collector and big modules."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

__all__ = ["collector_relaxed"]

NEW_OBJECTS = 2_000_000  # before the collector looks at them: what some 150,000 ops are made of
UNSEEN_OBJECTS = 4_000_000  # before it looks at all there are

_lock = Lock()
_inside = 0  # how many `with`s are open, of all threads
_usual = (0, 0, 0)
_unseen = 0  # objects that were made old without a look


@contextmanager
def collector_relaxed() -> Iterator[None]:
    """Inside the `with`, the garbage collector waits for many new objects before it looks at any.

    A module is full of cycles, so it looks at each of its objects again and again, and finds nothing. At 100,000 ops that
    takes longer than the work itself. See Note [Looking at each object once]. A collector that the user has turned off, or
    made rarer, is left as it is.
    """
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter() -> None:
    global _inside, _usual
    with _lock:
        _inside += 1
        if _inside == 1:
            _usual = gc.get_threshold()
            if 0 < _usual[0] < NEW_OBJECTS:
                gc.set_threshold(NEW_OBJECTS, *_usual[1:])


def _leave() -> None:
    global _inside, _unseen
    with _lock:
        _inside -= 1
        if _inside:
            return
        gc.set_threshold(*_usual)
        new = gc.get_count()[0]
        if not gc.isenabled() or not 0 < _usual[0] < new or gc.get_freeze_count():
            return
        _unseen += new
        if _unseen > UNSEEN_OBJECTS:
            _unseen = 0
            gc.collect()
        else:
            gc.freeze()
            gc.unfreeze()


# Note [Looking at each object once]
#
# Behind the `with`, the collector would look at all that is new three times before it takes it as old: once for each of
# its generations. `freeze` and `unfreeze` together make everything old at no cost. Python does not count what becomes old
# in this way when it decides to look for garbage among old objects, so we do. If the user has frozen something, that would
# be thawed, and so we keep out of it.
