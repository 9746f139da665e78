"""What hints say of the form of an op: an example of its text, `tir.top_k %x axis 1 k 1 : type, type`, and its words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from tir.ir.attributes import FloatAttr
from tir.ir.fields import OpDefinition
from tir.ir.format_pieces import (
    AllOperands,
    AttributePiece,
    Bracketed,
    Custom,
    Element,
    FunctionalType,
    Group,
    Literal,
    OperandPiece,
    RegionPiece,
    SuccessorPiece,
    TypePiece,
)
from tir.ir.kinds import AttributeKind
from tir.ir.reader import CLOSING
from tir.ir.types import F64

__all__ = ["all_elements", "example", "optional_parts", "words"]

#: By `AttributeKind.bare`; a word is the first of its cases.
_ATTRIBUTES = {
    "attribute": "value", "integer": "1", "number": "1.0 : f32", "numbers": "[..]", "symbol": "@name",
    "symbol_name": "@name", "string": '"text"', "type": "f32", "bool": "true", "unit": "", "integer_arrays": "[[..], [..]]",
}  # fmt: skip


def example(definition: OpDefinition, elements: Sequence[Element], said: Collection[str] = ()) -> str | None:
    """The text of an op, of what may be absent only that which begins with one of the words in `said`.

    None if a directive shows nothing of its own.
    """
    if any(isinstance(one, Custom) and not one.example for one in elements):
        return None
    several = len(definition.results) > 1 and all(one.many == "" for one in definition.results)
    results = ", ".join(f"%{one.name}" for one in definition.results)
    pieces = [f"{results} =" if several else "", definition.name, *(_piece(one, said) for one in elements)]
    return _joined(pieces)


def _joined(pieces: Iterable[str]) -> str:
    return " ".join(piece for piece in pieces if piece).replace(" ,", ",")


def _piece(element: Element, said: Collection[str]) -> str:
    match element:
        case Literal():
            return element.text
        case Bracketed():
            return f"{element.open}{_joined(_piece(one, said) for one in element.inside)}{CLOSING[element.open]}"
        case OperandPiece():
            return f"%{element.field.name}" + (", .." if element.field.many == "*" else "")
        case AttributePiece():
            return _attribute(element.field.kind)
        case TypePiece():
            return "type" + (", .." if element.field.many == "*" else "")
        case RegionPiece():
            return "{..}"
        case SuccessorPiece():
            return "^bb1"
        case AllOperands():
            return "%x, .."
        case FunctionalType():
            return "(types) -> types"
        case Group():
            is_shown = isinstance(element.elements[0], (OperandPiece, AllOperands)) or _first_word(element) in said
            chosen = element.elements if is_shown else element.otherwise
            return _joined(_piece(one, said) for one in chosen)
        case Custom():
            return element.example
    return ""


def _attribute(kind: AttributeKind) -> str:
    if kind.bare == "attribute" and kind.test(FloatAttr(1.0, F64)):
        return "1.0"
    case = kind.cases[0] if kind.cases else ""
    return f"<{case}>" if kind.bare == "enum" else _ATTRIBUTES.get(kind.bare, case)


def _first_word(group: Group) -> str:
    return next(iter(words(group.elements)), "")


def optional_parts(elements: Sequence[Element], said: Collection[str]) -> list[str]:
    """Examples of what may be absent, and begins with a word that is not in `said`."""
    groups = [one for one in elements if isinstance(one, Group) and _first_word(one) not in ("", *said)]
    return [_joined(_piece(one, ()) for one in group.elements) for group in groups]


def words(elements: Sequence[Element]) -> list[str]:
    """The words of the form, in order."""
    found = (one.text for one in all_elements(elements) if isinstance(one, Literal))
    return [text for text in found if text[0].isalpha()]


def all_elements(elements: Sequence[Element]) -> Iterator[Element]:
    """The elements, and those inside brackets and groups."""
    pending = list(reversed(elements))
    while pending:
        element = pending.pop()
        yield element
        if isinstance(element, Bracketed):
            pending += reversed(element.inside)
        elif isinstance(element, Group):
            pending += reversed([*element.elements, *element.otherwise])
