"""The neutral pieces of text: what the grammar yields for each op, before any op is known by name.

The parser makes these; declared formats (`format.py`) read them. `pos` is an offset into the source text.

    %r = scf.for %i = %lo to %hi step %s { ... }

is `RawOp(name="scf.for", results=[("r", 1)], items=[Use i, Punct =, Use lo, Word to, Use hi, Word step, Use s, Braces])`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tir.ir.attributes import Attribute
from tir.ir.errors import Location
from tir.ir.types import Type

__all__ = [
    "AttributeItem",
    "Braces",
    "Brackets",
    "DenseItem",
    "FloatLiteral",
    "IntegerLiteral",
    "Item",
    "LocationItem",
    "Punct",
    "RawBlock",
    "RawOp",
    "StringLiteral",
    "SuccessorItem",
    "SymbolItem",
    "TypeItem",
    "Use",
    "Word",
]


@dataclass(slots=True)
class Use:
    """`%name` or `%name#1`: an SSA name, used or defined (the format knows)."""

    name: str
    number: int
    pos: int


@dataclass(slots=True)
class Word:
    """A bare word: `to`, `ins`, `private`, `true`, also dotted: `tir.name`."""

    text: str
    pos: int


@dataclass(slots=True)
class Punct:
    """One of `, : = -> * + - ? / ...`."""

    text: str
    pos: int


@dataclass(slots=True)
class IntegerLiteral:
    """`7`, `-1`, `0x1F`. `text` is kept: hex may also spell the bits of a float."""

    text: str
    pos: int


@dataclass(slots=True)
class FloatLiteral:
    """`1.0`, `-2.5e-3`."""

    text: str
    pos: int


@dataclass(slots=True)
class StringLiteral:
    """`"text"`, unescaped (bytes that are not UTF-8 as surrogates)."""

    value: str
    pos: int


@dataclass(slots=True)
class SymbolItem:
    """`@f` or `@m::@f`."""

    path: tuple[str, ...]
    pos: int


@dataclass(slots=True)
class SuccessorItem:
    """`^bb1` as a successor."""

    name: str
    pos: int


@dataclass(slots=True)
class TypeItem:
    """A whole type, except for a function type, which is Brackets `->` type (the reader joins it)."""

    type: Type
    pos: int


@dataclass(slots=True)
class AttributeItem:
    """An attribute that is whole by itself: affine_map<..>, array<..>, #dialect.x<..>, strided<..>, an alias."""

    attribute: Attribute
    pos: int


@dataclass(slots=True)
class DenseItem:
    """`dense<BODY>` or `dense_resource<KEY>`; the type follows behind a colon. `kind` is the keyword, `body` raw text.

    body_pos: where the body begins.
    """

    kind: str
    body: str
    pos: int
    body_pos: int = 0


@dataclass(slots=True)
class LocationItem:
    """`loc(..)` inside brackets: the location of an argument. That of an op is `RawOp.location`."""

    location: Location
    pos: int


@dataclass(slots=True)
class Brackets:
    """`( .. )`, `[ .. ]` or `< .. >` with the items inside; `open` is the opening character."""

    open: str
    items: list[Item]
    pos: int
    end: int


@dataclass(slots=True)
class RawBlock:
    """A block: its label (None for an entry block without one), arguments and ops.

    Each argument is (name, type, position, location or None). A block with an unreadable argument list has none.
    """

    label: str | None
    arguments: list[tuple[str, Type, int, Location | None]]
    ops: list[RawOp]
    pos: int


@dataclass(slots=True)
class Braces:
    """`{ .. }`: a dictionary or a region, as the format reads it.

    A dictionary has `items`, its entries; a region has `blocks`; `{}` has neither. `{a.b}` has both: it is the entry
    `a.b` or the op `a.b`. If `region` is a number, the blocks are `regions[region]` of the RawOp.
    """

    items: list[Item]
    blocks: list[RawBlock]
    pos: int
    end: int
    region: int | None = None


@dataclass(slots=True)
class RawOp:
    """One op: results as (name, count), the name, `generic` for the quoted form, the items behind the name.

    An op read from whole lines has `key`, an object that is the same for ops whose texts are equal up to the SSA names,
    `names`, those names in order of the text (results included), and `regions`. It has no items: they are made on
    demand (`RawText.items`). `cuts` are the offsets where its regions begin and end in the text, in turn. An op from
    the grammar has items and no key.

    An op with an empty name could not be read: its error is among the text's errors. Its results are there, and the
    regions that could be read; nothing more should be said about it.
    """

    name: str
    results: list[tuple[str, int]]
    items: list[Item] | None
    generic: bool
    pos: int
    end: int
    location: Location | None = None
    key: Any = None
    names: list[str] | None = None
    regions: list[list[RawBlock]] | None = None
    cuts: tuple[int, ...] = ()


Item = (
    Use
    | Word
    | Punct
    | IntegerLiteral
    | FloatLiteral
    | StringLiteral
    | SymbolItem
    | SuccessorItem
    | TypeItem
    | AttributeItem
    | DenseItem
    | LocationItem
    | Brackets
    | Braces
)

