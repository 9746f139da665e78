"""Declared formats: MLIR's assembly format language, read once, used to parse and to print.

    format = "$lhs `,` $rhs (`fastmath` `` $fastmath^)? attr-dict `:` type($result)"

Pieces: `` `literal` ``, `$name` (operand, attribute, region or successor), `type($name)`, `functional-type($a, $b)`,
`operands`, `attr-dict`, `attr-dict-with-keyword`, `( .. $anchor^ .. )?` with an optional `:( .. )`, `custom<Name>($a)`.
An op without a format has the uniform form `%r = d.op %a, %b {attrs} : (types) -> type`.
Custom directives are pairs of parse and print in `directives.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tir.ir.errors import TirError, nearest
from tir.ir.fields import AttributeField, OpDefinition, OperandField, RegionField, SuccessorField
from tir.ir.format_example import all_elements, example, optional_parts, words
from tir.ir.format_pieces import (
    CLOSING,
    AllOperands,
    AttributeDictionary,
    AttributePiece,
    Bracketed,
    Custom,
    Element,
    FunctionalType,
    Group,
    Literal,
    OperandPiece,
    Parsed,
    RegionPiece,
    Space,
    Spaced,
    SuccessorPiece,
    TypePiece,
    Writer,
)
from tir.ir.ir import Op
from tir.ir.reader import Reader
from tir.ir.slips import synonyms

__all__ = ["UNIFORM", "Format", "format_of"]

UNIFORM = "operands attr-dict `:` functional-type(operands, results)"


_TOKEN = re.compile(r"\s*(?:`(?P<literal>[^`]*)`|\$(?P<name>\w+)|(?P<word>[A-Za-z_][\w-]*)|(?P<mark>[()<>?:^,]))")
_OPENING = frozenset("([<")


class _Compiler:
    """Turns a format string into elements. TirError says what is wrong with one, which may be of a dialect from outside."""

    def __init__(self, definition: OpDefinition, text: str, directives: Any) -> None:
        self.definition = definition
        self.directives = directives
        self.tokens = list(_tokens(text))
        self.at = 0
        self.named = set(re.findall(r"\$(\w+)", text))
        self.anchor: Element | None = None
        self.headed: set[str] = set()

    def elements(self, closing: str | None = None) -> list[Element]:
        """The elements up to `closing`: a mark such as ")", or a literal such as "`)`"."""
        found: list[Element] = []
        while self.at < len(self.tokens):
            kind, text = self.tokens[self.at]
            if closing is not None and (kind, text) == (("literal", closing[1]) if closing[0] == "`" else ("mark", closing)):
                self.at += 1
                return found
            found.append(self.element())
            before = found[-2] if len(found) > 1 else None
            if isinstance(before, Literal) and before.text == "," and isinstance(found[-1], OperandPiece):
                before.hint = "another operand stands behind it"
            if self.take("mark", "^"):
                self.anchor = found[-1]
        if closing is not None:
            raise self.error(f"lacks {closing}")
        return found

    def error(self, problem: str, hint: str | None = None) -> TirError:
        """What is wrong with the format."""
        return TirError(f"{self.definition.name}: its format {problem}", hint=hint)

    def take(self, kind: str, text: str) -> bool:
        if self.at < len(self.tokens) and self.tokens[self.at] == (kind, text):
            self.at += 1
            return True
        return False

    def element(self) -> Element:
        kind, text = self.tokens[self.at]
        self.at += 1
        if kind == "literal":
            return self.literal(text)
        if kind == "name":
            return self.variable(text)
        if (kind, text) == ("mark", "("):
            return self.group()
        if kind != "word":
            raise self.error(f"has {text!r} where nothing like it may stand")
        return self.directive(text)

    def literal(self, text: str) -> Element:
        if text in ("", " "):
            return Space(not text)
        if text in _OPENING:
            return Bracketed(text, self.elements(f"`{CLOSING[text]}"))
        return Literal(text)

    def variable(self, name: str) -> Element:
        declared = self.field(name)
        if isinstance(declared, RegionField):
            return RegionPiece(declared, name in self.headed)
        pieces: dict[type, Callable[[Any], Element]] = {
            OperandField: OperandPiece,
            AttributeField: AttributePiece,
            SuccessorField: SuccessorPiece,
        }
        return pieces[type(declared)](declared)

    def field(self, name: str) -> Any:
        d = self.definition
        every = [*d.operands, *d.results, *d.attributes.values(), *d.regions, *d.successors]
        found = [f for f in every if f.name == name]
        if not found:
            raise self.error(f"names ${name}, which the op does not declare", nearest(name, [f.name for f in every]))
        return found[0]

    def group(self) -> Element:
        outer, self.anchor = self.anchor, None
        elements = self.elements(")")
        anchor = self.anchor
        self.anchor = outer
        otherwise: list[Element] = []
        if self.take("mark", ":"):
            assert self.take("mark", "(")
            otherwise = self.elements(")")
        assert self.take("mark", "?"), f"{self.definition.name}: a group ends in ?"
        assert anchor is not None, f"{self.definition.name}: a group needs an anchor"
        return Group(elements, anchor, otherwise)

    def directive(self, word: str) -> Element:
        if word == "operands":
            return AllOperands()
        if word in ("attr-dict", "attr-dict-with-keyword"):
            return AttributeDictionary(self.named, word != "attr-dict")
        if word == "custom":
            return self.custom()
        arguments = self.arguments("(", ")")
        if word == "type":
            return TypePiece(arguments[0])
        if word != "functional-type":
            hint = nearest(word, ["type", "functional-type", "attr-dict", "operands"])
            raise self.error(f"has no directive {word!r}", hint)
        return FunctionalType(*(None if isinstance(a, str) else a for a in arguments))

    def custom(self) -> Element:
        assert self.take("mark", "<")
        name = self.tokens[self.at][1]
        self.at += 1
        assert self.take("mark", ">")
        directive = self.directives[name]
        arguments = self.arguments("(", ")")
        self.headed |= {a.name for a in arguments if isinstance(a, RegionField)}
        written = {arguments[i].name for i in directive.written}
        return Custom(directive.parse, directive.print, arguments, written, directive.example)

    def arguments(self, opening: str, closing: str) -> list[Any]:
        """Fields, `type($x)` as the field too, or words, in brackets."""
        assert self.take("mark", opening)
        found: list[Any] = []
        while not self.take("mark", closing):
            kind, text = self.tokens[self.at]
            self.at += 1
            if (kind, text) == ("word", "type"):
                found.append(TypePiece(self.arguments("(", ")")[0]))
            elif kind in ("name", "word"):
                found.append(self.field(text) if kind == "name" else text)
        return found


def _tokens(text: str) -> Any:
    at = 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        assert match is not None, f"format: cannot read {text[at:]!r}"
        kind = match.lastgroup
        yield kind, match[kind]  # type: ignore[index]
        at = match.end()


@dataclass
class Format:
    """The compiled format of an op class."""

    definition: OpDefinition
    elements: list[Element]

    @cached_property
    def written_attributes(self) -> frozenset[str]:
        """The inherent attributes whose values decide nothing but their own text, wherever they are printed."""
        decisive: set[str] = set()
        for piece in all_elements(self.elements):
            if isinstance(piece, AttributePiece) and not piece.is_written:
                decisive.add(piece.field.name)
            elif isinstance(piece, Custom):
                decisive |= {a.name for a in piece.arguments if isinstance(a, AttributeField)} - piece.written
        return frozenset(self.definition.attributes) - decisive

    @cached_property
    def has_directives(self) -> bool:
        return any(isinstance(piece, Custom) for piece in all_elements(self.elements))

    def parse(self, reader: Reader) -> Parsed:
        """Matches all items of an op; ParseError where they differ from the form."""
        parsed = Parsed()
        reader.form = self
        for element in self.elements:
            element.parse(reader, parsed)
        reader.finish()
        return parsed

    def word_hint(self, word: str, expected: str) -> str | None:
        """What a word of another framework is here; None for what is expected anyway."""
        name, known = self.definition.name, [one for one in words(self.elements) if f"'{one}'" not in expected]
        return synonyms.word_hint(word, known) if name.startswith("tir.") and word not in known else None

    def written(self, said: Collection[str] = ()) -> str | None:
        """How the op is written, as a hint. said: words that stand in a text that is no such op."""
        shown = example(self.definition, self.elements, said)
        if shown is None:
            return None
        more = ", ".join(optional_parts(self.elements, said))
        return f"the form is `{shown}`" + (f", with {more} if need be" if more else "")

    def print(self, op: Op, writer: Writer) -> None:
        """Writes what stands behind the op's name."""
        out = Spaced(writer)
        for element in self.elements:
            element.print(op, out)


_FORMATS: dict[type[Op], Format] = {}


def format_of(cls: type[Op], directives: Any) -> Format:
    """The format of an op class: its own, or the uniform one."""
    found = _FORMATS.get(cls)
    if found is None:
        text = getattr(cls, "format", None) or UNIFORM
        found = _FORMATS[cls] = Format(cls.definition, _Compiler(cls.definition, text, directives).elements())
    return found
