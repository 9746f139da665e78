"""The texts of ops, made once for all ops that differ in their SSA names only.

A frame is the pieces of an op's text: strings, and what is to be filled in. Its key is all that the form of the op looks
at; the value of an attribute is not part of it if the form just writes it down, as it does the number of a constant.
Most ops have no regions: their frame, with the attributes filled in, becomes a template with `%s` for each operand.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

from tir.ir.attributes import Attribute, entries_text, quote
from tir.ir.directives import DIRECTIVES
from tir.ir.format import format_of
from tir.ir.ir import Block, BlockArgument, Op, Region, UnregisteredOp, Value, signature
from tir.ir.types import FunctionType

__all__ = ["Argument", "ArgumentLocation", "RegionText", "Successor", "Templates"]

_SHORT_NAMES = {"func.return": "return", "builtin.module": "module"}



class Argument(NamedTuple):
    """The name of an argument of the entry block of a region."""

    region: int
    place: int


class ArgumentLocation(NamedTuple):
    """` loc(..)` of such an argument."""

    region: int
    place: int


class Successor(NamedTuple):
    """The name of a successor."""

    place: int


class RegionText(NamedTuple):
    """A region: whether the arguments of its entry block, its terminator, and the label of an empty block are shown."""

    place: int
    arguments: bool
    terminator: bool
    label: bool


# A string as it is; a number: the name of that operand; a function: what it makes of the op's attributes.
Piece = str | int | Callable[[Op], str] | Argument | ArgumentLocation | Successor | RegionText


def print_short(op: Op, writer: Any) -> None:
    """Writes the op by its declared format, from its name on."""
    name = op.name
    writer.text(_SHORT_NAMES.get(name, name))
    format_of(type(op), DIRECTIVES).print(op, writer)


def print_generic(op: Op, writer: Any) -> None:
    """Writes the op in MLIR's generic form, from its name on."""
    writer.text(f"{quote(op.name)}(")
    for i in range(len(op._uses)):
        writer.text(", " if i else "")
        writer.operand(op, i)
    writer.text(")")
    for i, block in enumerate(op.successors):
        writer.text(", " if i else "[")
        writer.successor(block)
    writer.text("]" if op.successors else "")
    if op.properties:
        writer.computed(_properties_text, op)
    for i, region in enumerate(op.regions):
        writer.text(", " if i else " (")
        writer.region(region, label=True)
    writer.text(")" if op.regions else "")
    if op.attributes:
        writer.computed(_attributes_text, op)
    types = FunctionType(tuple(v.type for v in op.operands), tuple(r.type for r in op.results))
    writer.text(f" : {types}")


def _properties_text(op: Op) -> str:
    return f" <{entries_text(op.properties)}>"


def _attributes_text(op: Op) -> str:
    return f" {entries_text(op.attributes)}"


class Templates:
    """The templates of one form, generic or short, with or without locations."""

    def __init__(self, generic: bool, locations: bool) -> None:
        self.generic, self.locations = generic, locations
        self.known: dict[Hashable, tuple[str, tuple[int, ...] | None]] = {}
        self.known_pieces: dict[Hashable, list[Piece]] = {}
        self.frames: dict[Hashable, _Frame] = {}
        self.facts: dict[type[Op], tuple[frozenset[str], dict[str, Attribute], bool]] = {}

    def body(self, op: Op, names: dict[Value, str]) -> str:
        """The text of an op without regions and successors, from its name on."""
        # The hottest path of the printer. Lists of one and two operands are written out, since that is most of them.
        uses, results = op._uses, op.results
        count = len(uses)
        types: Any
        if count == 2:
            first, second = uses[0].value, uses[1].value
            types, shown = (first.type, second.type), (names[first], names[second])
        elif count == 1:
            first = uses[0].value
            types, shown = first.type, names[first]  # type: ignore[assignment]
        else:
            values = [use.value for use in uses]
            types, shown = tuple([v.type for v in values]), tuple([names[v] for v in values])  # type: ignore[assignment]
        result_types = results[0].type if len(results) == 1 else tuple([r.type for r in results])
        kind = op.__class__
        properties, attributes = op._properties, op._attributes
        key = (
            kind if kind is not UnregisteredOp else op.name, types, result_types,
            tuple(properties.items()) if properties else None, tuple(attributes.items()) if attributes else None,
        )  # fmt: skip
        found = self.known.get(key)
        if found is None:
            found = self.known[key] = self._frame(op, key[:3]).template(op)
        text, order = found
        return text % (shown if order is None else tuple([names[uses[i].value] for i in order]))

    def pieces(self, op: Op) -> list[Piece]:
        """The pieces of the text of any op, from its name on."""
        # No format looks at more of a region than whether it has blocks, and at the arguments of the first.
        regions = tuple([tuple([a.type for a in r.blocks[0].arguments]) if r.blocks else None for r in op.regions])
        kind = op.name if isinstance(op, UnregisteredOp) else op.__class__
        facts = signature(op)
        key = kind, facts, regions, len(op.successors)
        found = self.known_pieces.get(key)
        if found is None:
            found = self.known_pieces[key] = self._frame(op, (kind, facts[:2], regions, len(op.successors))).pieces
        return found

    def _frame(self, op: Op, signature: Hashable) -> _Frame:
        key = (signature, self._attributes_key(op))
        frame = self.frames.get(key)
        if frame is None:
            writer = _FrameWriter(op, self.locations)
            print_generic(op, writer) if self._is_generic(op) else print_short(op, writer)
            frame = self.frames[key] = _Frame(writer.pieces, len(op._uses))
        return frame

    def _is_generic(self, op: Op) -> bool:
        return self.generic or isinstance(op, UnregisteredOp)

    def _attributes_key(self, op: Op) -> Hashable:
        """What the frame depends on besides the types."""
        if self._is_generic(op):
            return bool(op._properties), bool(op._attributes)
        facts = self.facts.get(op.__class__)
        if facts is None:
            form = format_of(op.__class__, DIRECTIVES)
            facts = form.written_attributes, op.definition.defaults, form.has_directives
            self.facts[op.__class__] = facts
        written, defaults, has_directives = facts
        properties = [(n, value is defaults.get(n) if n in written else value) for n, value in op._properties.items()]
        return tuple(properties), tuple(op._attributes.items() if has_directives else op._attributes)


class _Frame:
    """The pieces of a text. order: which operands it names; None if they are all in their order."""

    def __init__(self, pieces: list[Piece], operands: int) -> None:
        self.pieces = pieces
        order = tuple([piece for piece in pieces if isinstance(piece, int)])
        self.order = order if order != tuple(range(operands)) else None

    def template(self, op: Op) -> tuple[str, tuple[int, ...] | None]:
        """The text with `%s` for each operand."""
        texts = []
        for piece in self.pieces:
            if piece.__class__ is int:
                texts.append("%s")
            else:
                texts.append((piece if piece.__class__ is str else piece(op)).replace("%", "%%"))  # type: ignore
        return "".join(texts), self.order


class _FrameWriter:
    """Collects the pieces of an op's text."""

    def __init__(self, op: Op, locations: bool) -> None:
        self.op, self.locations = op, locations
        self.pieces: list[Piece] = []

    def text(self, text: str) -> None:
        if self.pieces and isinstance(self.pieces[-1], str):
            self.pieces[-1] += text
        else:
            self.pieces.append(text)

    def computed(self, text: Callable[[Op], str], op: Op) -> None:
        self.pieces.append(text)

    def operand(self, op: Op, index: int) -> None:
        self.pieces.append(index)

    def argument(self, argument: BlockArgument) -> None:
        self.pieces.append(Argument(*self._place(argument)))

    def argument_location(self, argument: BlockArgument) -> None:
        if self.locations:
            self.pieces.append(ArgumentLocation(*self._place(argument)))

    def _place(self, argument: BlockArgument) -> tuple[int, int]:
        region = argument.owner.parent
        assert region is not None and argument.owner is region.blocks[0]
        return self.op.regions.index(region), argument.index

    def successor(self, block: Block) -> None:
        self.pieces.append(Successor(self.op.successors.index(block)))

    def region(self, region: Region, *, arguments: bool = True, terminator: bool = True, label: bool = False) -> None:
        self.pieces.append(RegionText(self.op.regions.index(region), arguments, terminator, label))
