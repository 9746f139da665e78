"""Text with regular expressions in it, matched in bounded time: the text may be hostile, and so may the pattern.

The expressions are those of Python's `re`, and POSIX's named classes such as `[[:alpha:]]`, which files written for
upstream's tools hold. `re` backtracks, but looks for signals while it does: a timer stops it.
"""

from __future__ import annotations

import re
import signal
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

__all__ = ["Clock", "Pattern", "RegexError", "TooSlowError"]

SECONDS = 1.0
MAX_LENGTH = 2000
_POSIX_CLASS = re.compile(r"\[:([a-z]*):\]")
_POSIX_CLASSES = {
    "alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "upper": "A-Z", "lower": "a-z", "space": r"\s",
    "blank": r" \t", "punct": r"!-/:-@\[-`{-~", "print": " -~", "graph": "!-~", "cntrl": r"\x00-\x1f\x7f",
    "xdigit": "0-9a-fA-F",
}  # fmt: skip


class RegexError(Exception):
    """The pattern is wrong; `at` is the offset of what is wrong in it."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.message = message
        self.at = at


#: Seconds to the next alarm: the error of one that rings in a callback of the collector is lost.
AGAIN = 0.05


class TooSlowError(Exception):
    """Matching takes longer than is allowed."""


@dataclass
class Clock:
    """Seconds of this process that may still be spent. Only in the main thread can a single search be stopped."""

    seconds: float = SECONDS

    @contextmanager
    def running(self) -> Iterator[None]:
        """Inside the `with` time is spent; TooSlowError where it ends."""
        if self.seconds <= 0:
            raise TooSlowError
        start = time.process_time()
        try:
            if threading.current_thread() is threading.main_thread():
                with _alarm(self.seconds):
                    yield
            else:
                yield
        finally:
            self.seconds -= time.process_time() - start


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """TooSlowError behind so many seconds. A timer from outside goes on at the end."""
    before = signal.signal(signal.SIGVTALRM, _stop)
    left, interval = signal.setitimer(signal.ITIMER_VIRTUAL, seconds, AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, left, interval)
        signal.signal(signal.SIGVTALRM, before)


def _stop(number: int, frame: FrameType | None) -> None:
    raise TooSlowError


@dataclass
class Pattern:
    """A text with regular expressions in it: what `search` looks for."""

    source: list[str] = field(default_factory=list)

    def add_text(self, text: str) -> None:
        """The characters of `text` follow."""
        self.source.append(re.escape(text))

    def add_regex(self, text: str) -> None:
        """What the expression matches follows; RegexError says what is wrong with it."""
        if len(text) > MAX_LENGTH:
            raise RegexError(f"it has {len(text)} characters, of at most {MAX_LENGTH}", 0)
        python = _POSIX_CLASS.sub(_python_class, text)
        try:
            _compiled(python)
        except re.error as error:
            at = error.pos if error.pos is not None and python == text else 0
            raise RegexError(error.msg, at) from None
        except (OverflowError, RecursionError) as error:
            raise RegexError("it repeats or nests too much", 0) from error
        self.source.append(f"(?:{python})")

    def search(self, text: str, clock: Clock) -> bool:
        """Whether the pattern fits anywhere in `text`; TooSlowError if that takes too long to find out."""
        with clock.running():
            return _compiled("".join(self.source)).search(text) is not None


def _python_class(match: re.Match[str]) -> str:
    found = _POSIX_CLASSES.get(match[1])
    if found is None:
        raise RegexError(f"there is no class '{match[0]}'; there are {', '.join(_POSIX_CLASSES)}", match.start())
    return found


def _compiled(python: str) -> re.Pattern[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about brackets that a later Python may read in another way
        return re.compile(python, re.DOTALL)
