"""Texts that differ in their names and literals only: constants, strings, symbols, arrays of numbers.

The shape of a text is the text with its SSA names and literals cut out. The full grammar reads the first text of each
shape; the items of any other are the same, with its own literals in their places (`Form.fill`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tir.ir.errors import LimitError
from tir.ir.syntax import (
    AttributeItem,
    Braces,
    Brackets,
    DenseItem,
    FloatLiteral,
    IntegerLiteral,
    Item,
    Punct,
    StringLiteral,
    SymbolItem,
)
from tir.parser import literals
from tir.parser.reading import MAX_OP_TOKENS

__all__ = ["ID", "Form", "Literal", "Slot", "cut", "form_of"]

ID = r"(?:[0-9]+|[A-Za-z$._-][\w$.]*(?:-(?!>)[\w$.]*)*)"  # an SSA name, behind its %

_HOLE = re.compile(
    rf"""
    (?=[%"@ad0-9-])                                           # what no hole begins with is passed by fast
    (?: %{ID}
      | (?P<string> "[^"\\]*" ) (?!\s*\()                     # a string, but not the name of an op
      | "[^"\\]*(?:\\.[^"\\]*)*"                              # with escapes: it stays in the shape
      | (?P<symbol> @[\w$.]+ ) (?![\w$.]|::)
      | (?<![\w$.%\#@!^:-])
        (?: (?P<float> -?[0-9]+(?:\.[0-9]*(?:[eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+) ) (?![\w$.])
          | (?P<hex> -?0x[0-9A-Fa-f]+ ) (?![\w$.])
          | (?P<integer> -?[0-9]+ ) (?![\w$.])
          | (?P<dense> dense\s*<[^<>"/]*> )
          | (?P<array> array\s*<[^<>"/]*> )
        )
    )
    """,
    re.ASCII | re.VERBOSE,
)


class Literal(NamedTuple):
    """A literal of a text: its kind, its text and where it stands."""

    kind: str
    text: str
    pos: int

    def item(self) -> Item:
        """What the grammar makes of it. TirError if its text is wrong."""
        kind, text, pos = self
        if kind in ("integer", "hex"):
            return IntegerLiteral(text, pos)
        if kind == "float":
            return FloatLiteral(text, pos)
        if kind == "string":
            return StringLiteral(text[1:-1], pos)
        if kind == "symbol":
            return SymbolItem((text[1:],), pos)
        if kind == "array":
            return AttributeItem(literals.array_attribute(text), pos)
        body = text.index("<") + 1
        return DenseItem("dense", text[body:-1], pos, pos + body)


def cut(text: str, start: int) -> tuple[str, tuple[Literal, ...]]:
    """The shape of a text that begins at `start`, and its literals. It has no comment. LimitError if there are too many."""
    found: list[Literal] = []

    def mark(match: re.Match[str]) -> str:
        kind = match.lastgroup
        if kind is None:
            return "\0" if match[0][0] == "%" else match[0]  # a % without a name stays as it is
        if len(found) == MAX_OP_TOKENS:
            raise LimitError(f"an op has more than {MAX_OP_TOKENS} literals")
        found.append(Literal(kind, match[0], start + match.start()))
        return f"\0{kind}\0"

    return _HOLE.sub(mark, text), tuple(found)


# Where an item is: its list and index, then those of the brackets around it, the outermost last.
Slot = tuple[tuple[list[Item], int], ...]


@dataclass(slots=True, eq=False)
class Form:
    """The items of the first text of a shape. slots: where those of its literals are.

    fixed: which literals are no items of their own, such as the numbers in an affine map: only texts with equal ones
    are of this form.
    """

    items: list[Item]
    slots: list[Slot | None]
    fixed: tuple[int, ...]

    def fill(self, found: Sequence[Literal]) -> list[Item]:
        """The items with these literals; the positions of the others are those of the first text.

        The lists are shared by all texts of the form, so they must be read before the next call.
        """
        for slot, literal in zip(self.slots, found):
            if slot is not None:
                items, at = slot[0]
                items[at] = literal.item()
        return self.items


def form_of(items: list[Item], found: Sequence[Literal]) -> Form:
    """The form of a text that the grammar has read."""
    slots_by_pos = {slot[0][0][slot[0][1]].pos: slot for slot in _slots(items)} if found else {}
    slots: list[Slot | None] = []
    for literal in found:
        slot = slots_by_pos.get(literal.pos)
        is_item = slot is not None and slot[0][0][slot[0][1]] == literal.item()
        slots.append(slot if is_item else None)
    return Form(items, slots, tuple(i for i, slot in enumerate(slots) if slot is None))


def _slots(items: list[Item]) -> Iterator[Slot]:
    """All items, those in brackets too, but for names of attributes in quotes: what an op has is no literal of it."""
    pending: list[tuple[list[Item], Slot, bool]] = [(items, (), False)]
    while pending:
        inside, around, in_braces = pending.pop()
        for i, item in enumerate(inside):
            slot = ((inside, i), *around)
            if not (in_braces and isinstance(item, StringLiteral) and _begins_entry(inside, i)):
                yield slot
            if isinstance(item, (Brackets, Braces)):
                pending.append((item.items, slot, isinstance(item, Braces)))


def _begins_entry(entries: list[Item], at: int) -> bool:
    before = entries[at - 1] if at else None
    return before is None or (isinstance(before, Punct) and before.text == ",")
