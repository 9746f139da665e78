"""Offsets into a text, and the lines and characters that editors count in."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import NamedTuple

__all__ = ["Lines", "Span"]

_LINE_END = re.compile(r"\r\n|\n|\r")  # the protocol's; a text of tir knows \n alone
_UNIT_BYTES = {"utf-8": 1, "utf-16": 2, "utf-32": 4}


class Span(NamedTuple):
    """A piece of a text, by offsets; `end` is behind its last character."""

    start: int
    end: int

    def shifted(self, by: int) -> Span:
        """The span in a text that has `by` more characters in front."""
        return Span(self.start + by, self.end + by)


class Lines:
    """Where the lines of a text begin, and how wide its characters are in an editor's units.

    encoding: "utf-8", "utf-16" or "utf-32": in what a character of a position is counted.
    """

    def __init__(self, text: str, encoding: str = "utf-16") -> None:
        self.text = text
        self.encoding = encoding
        self.starts = [0, *(found.end() for found in _LINE_END.finditer(text))]
        self._plain = text.isascii() or encoding == "utf-32"

    def position(self, offset: int) -> tuple[int, int]:
        """The line and character of an offset, both from 0. An offset outside of the text is taken into it."""
        offset = min(max(offset, 0), len(self.text))
        line = bisect_right(self.starts, offset) - 1
        start = self.starts[line]
        return line, offset - start if self._plain else self._units(self.text[start:offset])

    def offset(self, line: int, character: int) -> int:
        """The offset of a position. Behind the end of a line is its end, behind the last line the end of the text."""
        if line < 0 or line >= len(self.starts):
            return 0 if line < 0 else len(self.text)
        start, end = self.starts[line], self.line_end(line)
        if self._plain:
            return min(start + max(character, 0), end)
        for offset in range(start, end):
            character -= self._units(self.text[offset])
            if character < 0:  # in the middle of a character is in front of it
                return offset
        return end

    def line_end(self, line: int) -> int:
        """The offset behind the last character of a line, in front of its line end."""
        end = self.starts[line + 1] if line + 1 < len(self.starts) else len(self.text)
        while end > self.starts[line] and self.text[end - 1] in "\r\n":
            end -= 1
        return end

    def _units(self, text: str) -> int:
        return len(text.encode(self.encoding + "-le" if self.encoding != "utf-8" else "utf-8", "surrogatepass")) // (
            _UNIT_BYTES[self.encoding]
        )
