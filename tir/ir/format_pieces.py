"""The pieces of a declared format: each reads its part of an op's text and prints it.

`Parsed` is what the text of an op says; `Spaced` writes with MLIR's rules for blanks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from tir.ir.attributes import (
    Attribute,
    UnitAttr,
    entries_text,
)
from tir.ir.bare_forms import BARE_FORMS, BARE_STARTS
from tir.ir.errors import Location
from tir.ir.fields import AttributeField, OperandField, RegionField, ResultField, SuccessorField
from tir.ir.ir import Op, Region
from tir.ir.reader import CLOSING, Reader
from tir.ir.syntax import Braces, Item, Punct, RawBlock, StringLiteral, Word
from tir.ir.types import FunctionType, Type

__all__ = [
    "AllOperands", "AttributeDictionary", "AttributePiece", "Bracketed", "CLOSING", "Custom", "Element", "EntryArgument",
    "FunctionalType",
    "Group", "Literal", "OperandPiece", "Parsed", "Part", "RegionPiece", "RegionSource", "Space", "Spaced", "SuccessorPiece",
    "TypePiece", "Writer", "dictionary_text", "field_values", "is_dictionary", "write_operands",
]  # fmt: skip


class EntryArgument(NamedTuple):
    """An argument of an entry block that the op's own text gives: the place of its name, and its type."""

    hole: int
    type: Type
    location: Location | None = None


@dataclass
class RegionSource:
    """The text of a region, and the arguments that the op's own text gives its entry block."""

    braces: Braces | None
    arguments: list[EntryArgument] = field(default_factory=list)

    def blocks(self, regions: list[list[RawBlock]] | None) -> list[RawBlock]:
        """The blocks; `regions` are those of the RawOp."""
        if self.braces is None:
            return []
        if self.braces.region is not None:
            assert regions is not None
            return regions[self.braces.region]
        return self.braces.blocks


class Part(NamedTuple):
    """Items that say attributes and nothing else, and how they are read."""

    items: Sequence[Item]
    start: int
    stop: int
    read: Callable[[Reader, Parsed], None]


@dataclass
class Parsed:
    """What the text of an op says. SSA names are numbers: positions among the names of the op.

    operands, operand_types, result_types: by field name; "" stands for all of them.
    entry_arguments: block arguments that the text gives ahead of the region they belong to.
    parts: what may be read again by itself, for a text that differs there.
    """

    operands: dict[str, list[int]] = field(default_factory=dict)
    operand_types: dict[str, list[Type]] = field(default_factory=dict)
    result_types: dict[str, list[Type]] = field(default_factory=dict)
    properties: dict[str, Attribute] = field(default_factory=dict)
    attributes: dict[str, Attribute] = field(default_factory=dict)
    regions: list[RegionSource] = field(default_factory=list)
    successors: list[str] = field(default_factory=list)
    entry_arguments: list[EntryArgument] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)

    def read_part(self, reader: Reader, read: Callable[[Reader, Parsed], None]) -> None:
        """Lets `read` read attributes, and notes where. It must do nothing but add to properties and attributes."""
        start = reader.at
        read(reader, self)
        self.parts.append(Part(reader.items, start, reader.at, read))

    def take_entry_arguments(self) -> list[EntryArgument]:
        """The entry arguments, for the region at hand."""
        taken, self.entry_arguments = self.entry_arguments, []
        return taken


class Writer(Protocol):
    """Where a printer's text goes.

    operand: writes the name of an operand; argument: that of an argument of an entry block; argument_location: its
    ` loc(..)`, if those are printed; computed: `text(op)`, which depends on attributes of `op` only and decides nothing
    about what stands around it.
    """

    def text(self, text: str) -> None: ...
    def computed(self, text: Callable[[Op], str], op: Op) -> None: ...
    def operand(self, op: Op, index: int) -> None: ...
    def argument(self, argument: Any) -> None: ...
    def argument_location(self, argument: Any) -> None: ...
    def region(self, region: Region, *, arguments: bool = True, terminator: bool = True) -> None: ...
    def successor(self, block: Any) -> None: ...


class Element:
    """A piece of a format."""

    def parse(self, reader: Reader, parsed: Parsed) -> None:
        raise AssertionError

    def print(self, op: Op, out: Spaced) -> None:
        raise AssertionError

    def starts(self, reader: Reader) -> bool:
        """The items at hand can begin this piece; decides optional groups."""
        raise AssertionError(type(self))

    def is_present(self, op: Op) -> bool:
        """The op has what this piece prints; decides optional groups."""
        return True


@dataclass
class Spaced:
    """Text with MLIR's rules for blanks between pieces."""

    writer: Writer
    space: bool = True
    after_punctuation: bool = False

    def literal(self, text: str) -> None:
        if self.space and _blank_before(text, self.after_punctuation):
            self.writer.text(" ")
        self.writer.text(text)
        self.space = len(text) != 1 or text not in "<({["
        self.after_punctuation = not (text[0] == "_" or text[0].isalpha())

    def begin(self) -> Writer:
        """A blank if one is due; for a piece that is no literal."""
        if self.space or not self.after_punctuation:
            self.writer.text(" ")
        self.space, self.after_punctuation = True, False
        return self.writer

    def glue(self) -> None:
        """No blank here."""
        self.space, self.after_punctuation = False, True

    def blank(self) -> None:
        """One blank here."""
        self.writer.text(" ")
        self.space, self.after_punctuation = False, True


def _blank_before(text: str, after_punctuation: bool) -> bool:
    if len(text) != 1 and text != "->":
        return True
    return text[0] not in (">)}]," if after_punctuation else "<>(){}[],")


@dataclass
class Literal(Element):
    """`` `to` ``: a word or punctuation as it stands. hint: for an error where the punctuation is not there."""

    text: str
    hint: str | None = None

    def parse(self, reader: Reader, parsed: Parsed) -> None:
        if self.text in "([{<":
            raise AssertionError("brackets are groups")
        if self.text[0].isalpha() or self.text[0] == "_":
            reader.word(self.text)
        else:
            reader.punct(self.text, self.hint)

    def starts(self, reader: Reader) -> bool:
        return reader.is_word(self.text) or reader.is_punct(self.text)

    def print(self, op: Op, out: Spaced) -> None:
        out.literal(self.text)


@dataclass
class Space(Element):
    """` `` `: no blank; `` ` ` ``: one blank."""

    glue: bool

    def parse(self, reader: Reader, parsed: Parsed) -> None:
        pass

    def print(self, op: Op, out: Spaced) -> None:
        out.glue() if self.glue else out.blank()


@dataclass
class Bracketed(Element):
    """`` `(` .. `)` ``: pieces inside brackets."""

    open: str
    inside: list[Element]

    def parse(self, reader: Reader, parsed: Parsed) -> None:
        inner = reader.brackets(self.open)
        for element in self.inside:
            element.parse(inner, parsed)
        inner.finish(f"'{CLOSING[self.open]}'")

    def starts(self, reader: Reader) -> bool:
        return reader.is_brackets(self.open)

    def print(self, op: Op, out: Spaced) -> None:
        out.literal(self.open)
        for element in self.inside:
            element.print(op, out)
        out.literal(CLOSING[self.open])

    def is_present(self, op: Op) -> bool:
        return all(element.is_present(op) for element in self.inside)


@dataclass
class OperandPiece(Element):
    """`$name` for operands."""

    field: OperandField

    def parse(self, reader: Reader, parsed: Parsed) -> None:
        if self.field.many == "":
            parsed.operands[self.field.name] = [reader.use()]
        elif self.field.many == "?":
            parsed.operands[self.field.name] = [reader.use()] if self.starts(reader) else []
        else:
            parsed.operands[self.field.name] = reader.use_list()

    def starts(self, reader: Reader) -> bool:
        return type(reader.peek()).__name__ == "Use"

    def print(self, op: Op, out: Spaced) -> None:
        start, stop = op.definition.operand_range(op, self.field.index)
        if start < stop:
            write_operands(op, range(start, stop), out.begin())

    def is_present(self, op: Op) -> bool:
        start, stop = op.definition.operand_range(op, self.field.index)
        return start < stop


def write_operands(op: Op, positions: Sequence[int], out: Writer) -> None:
    """`%a, %b`."""
    for i, position in enumerate(positions):
        if i:
            out.text(", ")
        out.operand(op, position)


@dataclass
class AttributePiece(Element):
    """`$name` for an attribute, in the short form that its kind has."""

    field: AttributeField

    def parse(self, reader: Reader, parsed: Parsed) -> None:
        parsed.read_part(reader, self.read)

    def read(self, reader: Reader, parsed: Parsed) -> None:
        parsed.properties[self.field.name] = BARE_FORMS[self.field.kind.bare][0](reader, self.field)

    def starts(self, reader: Reader) -> bool:
        kind = self.field.kind
        if kind.bare == "word":  # another word begins the next piece: `fastmath` behind an optional rounding mode
            return reader.is_word(*kind.cases)
        return not reader.done and (kind.bare not in BARE_STARTS or BARE_STARTS[kind.bare](reader))

    def print(self, op: Op, out: Spaced) -> None:
        if self.field.name not in op.properties or self.field.kind.bare == "unit":
            return
        if self.is_written:
            out.begin().computed(self.text, op)
            return
        text = self.text(op)
        out.literal(text) if text.startswith("<") else out.begin().text(text)

    @property
    def is_written(self) -> bool:
        """The value of the attribute decides nothing but its own text."""
        return self.field.kind.bare not in ("unit", "enum", "word")

    def text(self, op: Op) -> str:
        return BARE_FORMS[self.field.kind.bare][1](op.properties[self.field.name], self.field)

    def is_present(self, op: Op) -> bool:
        value = op.properties.get(self.field.name)
        return value is not None and value is not self.field.default


@dataclass
class RegionPiece(Element):
    """`$name` for regions. `headed`: a directive ahead of it says the arguments of its entry block."""

    field: RegionField
    headed: bool = False

    def parse(self, reader: Reader, parsed: Parsed) -> None:
        while self.field.many == "" or self.starts(reader):
            parsed.regions.append(RegionSource(reader.region(), parsed.take_entry_arguments()))
            if self.field.many == "" or not reader.take_punct(","):
                return

    def starts(self, reader: Reader) -> bool:
        return isinstance(reader.peek(), Braces)

    def print(self, op: Op, out: Spaced) -> None:
        regions = op.regions[self.field.index :] if self.field.many else [op.regions[self.field.index]]
        for i, region in enumerate(regions):
            if i:
                out.literal(",")
            out.begin().region(region, arguments=not self.headed)

    def is_present(self, op: Op) -> bool:
        return self.field.index < len(op.regions) and bool(op.regions[self.field.index].blocks)


@dataclass
class SuccessorPiece(Element):
    """`$name` for successors."""

    field: SuccessorField

    def parse(self, reader: Reader, parsed: Parsed) -> None:
        parsed.successors.append(reader.successor())
        while self.field.many and reader.take_punct(","):
            parsed.successors.append(reader.successor())

    def print(self, op: Op, out: Spaced) -> None:
        blocks = op.successors[self.field.index :] if self.field.many else [op.successors[self.field.index]]
        for i, block in enumerate(blocks):
            if i:
                out.literal(",")
            out.begin().successor(block)


@dataclass
class TypePiece(Element):
    """`type($name)`: the types of operands or results."""

    field: OperandField | ResultField

    def parse(self, reader: Reader, parsed: Parsed) -> None:
        optional = self.field.many != "" and not self.starts(reader) and not reader.is_behind(":")
        types = [] if optional else [reader.type()] if self.field.many != "*" else reader.type_list()
        target = parsed.operand_types if isinstance(self.field, OperandField) else parsed.result_types
        target[self.field.name] = types

    def starts(self, reader: Reader) -> bool:
        return type(reader.peek()).__name__ == "TypeItem" or reader.is_brackets("(")

    def print(self, op: Op, out: Spaced) -> None:
        values = field_values(op, self.field)
        if values:
            out.begin().text(", ".join(str(v.type) for v in values))

    def is_present(self, op: Op) -> bool:
        return bool(field_values(op, self.field))


def field_values(op: Op, declared: OperandField | ResultField) -> Sequence[Any]:
    """The operands or results of a declared field."""
    if isinstance(declared, OperandField):
        start, stop = op.definition.operand_range(op, declared.index)
        return op.operands[start:stop]
    start, stop = op.definition.result_range(op, declared.index)
    return op.results[start:stop]


@dataclass
class AllOperands(Element):
    """`operands`: all of them; groups are told apart by the segment sizes or by their number."""

    def parse(self, reader: Reader, parsed: Parsed) -> None:
        parsed.operands[""] = reader.use_list()

    def starts(self, reader: Reader) -> bool:
        return type(reader.peek()).__name__ == "Use"

    def print(self, op: Op, out: Spaced) -> None:
        if op.operands:
            write_operands(op, range(len(op.operands)), out.begin())

    def is_present(self, op: Op) -> bool:
        return bool(op.operands)


@dataclass
class FunctionalType(Element):
    """`functional-type(inputs, outputs)`: `(f32) -> f32`; a side is `operands`, `results` or one field."""

    inputs: OperandField | None
    outputs: ResultField | None

    def parse(self, reader: Reader, parsed: Parsed) -> None:
        type = reader.function_type()
        parsed.operand_types[self.inputs.name if self.inputs else ""] = list(type.inputs)
        parsed.result_types[self.outputs.name if self.outputs else ""] = list(type.results)

    def print(self, op: Op, out: Spaced) -> None:
        inputs = field_values(op, self.inputs) if self.inputs else op.operands
        outputs = field_values(op, self.outputs) if self.outputs else op.results
        out.begin().text(str(FunctionType(tuple(v.type for v in inputs), tuple(v.type for v in outputs))))


@dataclass
class AttributeDictionary(Element):
    """`attr-dict`: what no other piece says: discardable attributes, and inherent ones not named in the format."""

    named: set[str]
    keyword: bool

    def parse(self, reader: Reader, parsed: Parsed) -> None:
        if self.keyword:
            if not reader.take_word("attributes"):
                return
        elif not self.starts(reader):
            return
        parsed.read_part(reader, self.read)

    def read(self, reader: Reader, parsed: Parsed) -> None:
        parsed.attributes.update(reader.dictionary())

    def starts(self, reader: Reader) -> bool:
        item = reader.peek()
        return isinstance(item, Braces) and is_dictionary(item)

    def print(self, op: Op, out: Spaced) -> None:
        if op.attributes or self.entries(op):
            out.begin().computed(self.text, op)

    def entries(self, op: Op) -> dict[str, Attribute]:
        entries = {n: v for n, v in op.properties.items() if n not in self.named and not _is_default(op, n, v)}
        return {**entries, **op.attributes}

    def text(self, op: Op) -> str:
        text = dictionary_text(self.entries(op))
        return f"attributes {text}" if self.keyword else text


def is_dictionary(braces: Braces) -> bool:
    """The braces hold `name = value` entries, not ops."""
    if braces.region is not None or not braces.items:
        return braces.region is None and not braces.blocks
    first, second = braces.items[0], braces.items[1] if len(braces.items) > 1 else None
    named = isinstance(first, (Word, StringLiteral))
    return named and (second is None or (isinstance(second, Punct) and second.text in "=,"))


def _is_default(op: Op, name: str, value: Attribute) -> bool:
    return name.endswith("SegmentSizes") or op.definition.defaults.get(name) is value


def dictionary_text(entries: Mapping[str, Attribute]) -> str:
    """`{a = 1 : i32, flag}`, sorted by name."""
    return entries_text(entries)


@dataclass
class Group(Element):
    """`( .. )?`: printed if the anchor is there; read if the first piece can start here."""

    elements: list[Element]
    anchor: Element
    otherwise: list[Element]

    def parse(self, reader: Reader, parsed: Parsed) -> None:
        first = next(e for e in self.elements if not isinstance(e, Space))
        chosen = self.elements if first.starts(reader) else self.otherwise
        for element in chosen:
            element.parse(reader, parsed)
        if chosen is self.elements and isinstance(self.anchor, AttributePiece) and self.anchor.field.kind.bare == "unit":
            parsed.properties[self.anchor.field.name] = UnitAttr()

    def starts(self, reader: Reader) -> bool:
        return self.elements[0].starts(reader)

    def print(self, op: Op, out: Spaced) -> None:
        for element in self.elements if self.anchor.is_present(op) else self.otherwise:
            element.print(op, out)


@dataclass
class Custom(Element):
    """`custom<Name>($a, ..)`: a directive of `directives.py`. written: attributes that decide nothing but their text.

    example: what hints show of it.
    """

    parse_directive: Callable[..., None]
    print_directive: Callable[..., None]
    arguments: list[Any]
    written: set[str]
    example: str

    def parse(self, reader: Reader, parsed: Parsed) -> None:
        self.parse_directive(reader, parsed, *self.arguments)

    def print(self, op: Op, out: Spaced) -> None:
        self.print_directive(op, out, *self.arguments)

    def starts(self, reader: Reader) -> bool:
        return not reader.done
