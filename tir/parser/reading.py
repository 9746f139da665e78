"""One text while it is read: its lines, its aliases and the limits that it must keep."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from tir.ir.affine import AffineExpr
from tir.ir.errors import FileLocation, LimitError, Location, ParseError, TirError, nearest
from tir.ir.syntax import Item, LocationItem, RawBlock, RawOp

__all__ = [
    "MAX_AFFINE_TOKENS",
    "MAX_ALIAS_EXPANSION",
    "MAX_BLOCKS",
    "MAX_DIGITS",
    "MAX_ERRORS",
    "MAX_IDENTIFIER",
    "MAX_NESTING",
    "MAX_OP_TOKENS",
    "MAX_TEXT",
    "MAX_TOKENS",
    "Alias",
    "Reading",
    "Reported",
]

MAX_TEXT = 1 << 28
MAX_TOKENS = 20_000_000
MAX_NESTING = 256
MAX_OP_TOKENS = 1 << 17  # in one op, the ops in its regions aside
MAX_BLOCKS = 1 << 15  # in one region
MAX_IDENTIFIER = 4096
MAX_DIGITS = 4096
MAX_AFFINE_TOKENS = 2048
MAX_ALIAS_EXPANSION = 1 << 24  # characters that the uses of aliases stand for, besides 64 for each of the text
MAX_ERRORS = 100
MAX_NAMES_IN_HINT = 1000

# C0 controls other than tab and line ends, DEL, what turns text around on a screen, and halves of characters.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

Placed = RawOp | RawBlock | LocationItem  # whose location names an alias, which the end of the text may define
_Made = TypeVar("_Made")


class Reported(TirError):
    """What is wrong has been reported where it began."""

    def __init__(self) -> None:
        super().__init__("reported already")


@dataclass
class Alias:
    """What `#name` or `!name` stands for. What one use of it adds: characters, tokens, and how deep they nest."""

    items: list[Item]
    pos: int
    size: int
    tokens: int
    depth: int


@dataclass
class Reading:
    """The text, where its lines begin, and what has been defined so far."""

    text: str
    file: str
    first_line: int = 1
    slips: bool = True  # words that begin a line where people forget the dialect of an op are names of ops
    attribute_aliases: dict[str, Alias] = field(default_factory=dict)
    type_aliases: dict[str, Alias] = field(default_factory=dict)
    location_aliases: dict[str, tuple[Location, int]] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)  # aliases with a mistake in their definition
    resources: dict[str, bytes] = field(default_factory=dict)
    side_files: dict[str, tuple[str, int]] = field(default_factory=dict)
    other_metadata: dict[tuple[str, ...], tuple[str, int]] = field(default_factory=dict)  # by path, as written, where
    unresolved: list[Placed] = field(default_factory=list)
    affine_names: dict[str, AffineExpr] | None = None
    expansion: int = 0  # characters that the uses of aliases stand for, so far
    expansion_before: dict[int, int] = field(default_factory=dict)  # the same, where the definition at a pos began
    measured: dict[int, tuple[int, int]] = field(default_factory=dict)  # the tokens and depth of the definition at a pos
    end: int = 0  # where the last token ended
    tokens: int = 0  # how many tokens the part that was read last has
    next_region: int = 0  # the number of the next region that was read by lines

    @cached_property
    def _lines(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self.text))]

    def location(self, pos: int) -> FileLocation:
        """The line and column of an offset."""
        line = bisect_right(self._lines, pos) - 1
        return FileLocation(self.file, self.first_line + line, pos - self._lines[line] + 1)

    def offset(self, where: FileLocation) -> int | None:
        """The offset of a line and column of this text; None for a place elsewhere."""
        line = where.line - self.first_line
        if where.file != self.file or not 0 <= line < len(self._lines):
            return None
        return min(self._lines[line] + where.column - 1, len(self.text))

    def error(self, message: str, pos: int, hint: str | None = None) -> ParseError:
        return ParseError(message, self.location(pos), hint=hint)

    def limit(self, message: str, pos: int) -> LimitError:
        return LimitError(message, self.location(pos))

    def located(self, pos: int, make: Callable[..., _Made], *args: object) -> _Made:
        """`make(*args)`, with the location of `pos` on its error."""
        try:
            return make(*args)
        except TirError as error:
            raise type(error)(error.message, error.location or self.location(pos), error.notes, error.hint) from None

    def forbidden(self) -> list[TirError]:
        """An error for a text that is too long, or for each character that must not stand in any text."""
        if len(self.text) > MAX_TEXT:
            return [self.limit(f"the text has {len(self.text)} characters, at most {MAX_TEXT} are read", 0)]
        # Searching by a pattern costs ten times as much as these two, and clean text is the normal case.
        if self.text.isascii() and self.text.translate(_WHITE).isprintable():
            return []
        found: list[TirError] = []
        for match in _FORBIDDEN.finditer(self.text):
            found.append(self.error(f"character U+{ord(match[0]):04X} is not allowed in a text", match.start()))
            if len(found) == MAX_ERRORS:
                break
        return found

    def nearest(self, name: str, names: Collection[str]) -> str | None:
        """A hint with the most similar name; none if looking through them would take long."""
        return nearest(name, names) if len(names) <= MAX_NAMES_IN_HINT else None

    # --- aliases -----------------------------------------------------------------------------------------------

    def define(self, table: dict[str, Alias], sigil: str, name: str, items: list[Item], pos: int) -> None:
        """Enters an alias; it must be new."""
        if name in table:
            notes = [(f"{sigil}{name} was defined here", self.location(table[name].pos))]
            raise ParseError(f"{sigil}{name} is already defined", self.location(pos), notes)
        measured = self.measured.get(pos, (0, 0))  # none behind a mistake
        table[name] = Alias(items, pos, self.end - pos + self.expansion - self.expansion_before[pos], *measured)

    def expand(self, table: dict[str, Alias], sigil: str, name: str, pos: int) -> list[Item]:
        """The items that an alias stands for. What all uses stand for is limited: no billion laughs."""
        if sigil + name in self.broken:
            raise Reported
        alias = table.get(name)
        if alias is None or alias.pos > pos:
            below = re.search(rf"^{re.escape(sigil + name)}\s*=", self.text, re.MULTILINE)
            similar = self.nearest(sigil + name, [sigil + one for one in table])
            hint = "an alias is defined above its uses" if below else similar
            raise self.error(f"{sigil}{name} is not defined", pos, hint)
        self.expansion += alias.size
        if self.expansion > MAX_ALIAS_EXPANSION + 64 * len(self.text):
            raise self.limit(f"the aliases of this text stand for more than {self.expansion} characters", pos)
        return alias.items


_WHITE = {ord(c): None for c in "\t\r\n"}
