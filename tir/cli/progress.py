"""A progress bar on standard error: one line that is drawn anew on a terminal, plain lines anywhere else."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TextIO

__all__ = ["Progress", "duration_text"]

BAR_WIDTH = 24
SECONDS_BETWEEN_DRAWINGS = 0.1
SECONDS_BETWEEN_LINES = 1.0


class Progress:
    """Shows how far `total` steps are, what was said last, and the time left.

    On a terminal `advance` draws the bar, at most ten times a second. Elsewhere `milestone` prints a line, at most one
    a second besides the first and the last. quiet: nothing is written at all.
    """

    def __init__(self, total: int, stream: TextIO | None = None, *, quiet: bool = False) -> None:
        self.total = total
        self.quiet = quiet
        self.done = 0
        self.stream = sys.stderr if stream is None else stream
        self.is_terminal = self.stream.isatty()
        self.start = time.monotonic()
        self._drawn_at = self.start - SECONDS_BETWEEN_LINES
        self._line_width = 0

    def advance(self, text: str, steps: int = 1) -> None:
        """`steps` more are done; text: what to say beside the bar."""
        self.done += steps
        if self.is_terminal and self._is_due(SECONDS_BETWEEN_DRAWINGS):
            self._draw(f"{self._bar()} {text}  {self.time_left()}")

    def milestone(self, text: str) -> None:
        """A stage is over; on a terminal the bar says so already."""
        if not self.is_terminal and self._is_due(SECONDS_BETWEEN_LINES):
            self._write(f"{text}  {self.time_left()}\n")

    def note(self, text: str) -> None:
        """A line of its own, which stays."""
        if self.quiet:
            return
        if self._line_width:
            self._draw("")
        self._write(f"\r{text}\n" if self.is_terminal else f"{text}\n")

    def close(self, text: str) -> None:
        """Ends the line of the bar, which stays visible, and says a last word."""
        if self._line_width:
            self._write("\n")
            self._line_width = 0
        self.note(text)

    @property
    def seconds(self) -> float:
        """The time since the start."""
        return time.monotonic() - self.start

    def time_left(self) -> str:
        """How long the rest takes if it goes on like this."""
        if not self.done:
            return ""
        return f"{duration_text(self.seconds / self.done * (self.total - self.done))} left"

    def _is_due(self, seconds: float) -> bool:
        """So long ago was the last output, or it is the end."""
        now = time.monotonic()
        if self.quiet or (now - self._drawn_at < seconds and self.done < self.total):
            return False
        self._drawn_at = now
        return True

    def _bar(self) -> str:
        full = BAR_WIDTH * self.done // max(1, self.total)
        return f"[{'#' * full}{'.' * (BAR_WIDTH - full)}] {100 * self.done // max(1, self.total):3d}%"

    def _draw(self, line: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        shown = line[:width]
        self._write("\r" + shown.ljust(min(self._line_width, width)))
        self._line_width = len(shown)

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()


def duration_text(seconds: float) -> str:
    """`0.4s`, `12s`, `3:05`, `2:03:05`."""
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{left:02d}" if hours else f"{minutes}:{left:02d}"
