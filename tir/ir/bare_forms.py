"""How the short form of an op writes an attribute, by `AttributeKind.bare`: one pair of parse and print each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tir.ir.attributes import (
    Attribute,
    DialectAttr,
    IntegerAttr,
    StringAttr,
    TypeAttr,
    UnitAttr,
    symbol_text,
)
from tir.ir.errors import TirError, nearest
from tir.ir.fields import AttributeField
from tir.ir.reader import Reader
from tir.ir.slips import synonyms
from tir.ir.syntax import FloatLiteral, IntegerLiteral, Punct, StringLiteral, TypeItem
from tir.ir.types import ShapedType

__all__ = ["BARE_FORMS", "BARE_STARTS"]


def _parse_word(reader: Reader, declared: AttributeField) -> Attribute:
    kind = declared.kind
    if not reader.is_word():
        item = reader.peek()
        sign = item.text if isinstance(item, Punct) else item.value if isinstance(item, StringLiteral) else ""
        hint = f"did you mean {sign!r}?" if sign in kind.cases else synonyms.case_hint(sign, kind.cases)
        raise reader.expected(f"one of {', '.join(kind.cases)}", hint)
    pos, word = reader.pos(), reader.word()
    if word not in kind.cases:
        error = reader.error(f"{declared.name} must be one of {', '.join(kind.cases)}, got '{word}'", pos)
        error.hint = synonyms.case_hint(word, kind.cases) or nearest(word, kind.cases)
        raise error
    return kind.make(word)


def _parse_enum(reader: Reader, declared: AttributeField) -> Attribute:
    if not reader.is_brackets("<"):
        return _parse_word(reader, declared)
    inner = reader.brackets("<")
    words = [_parse_word(inner, declared).body or ""]  # type: ignore[attr-defined]
    while inner.take_punct(","):
        words.append(_parse_word(inner, declared).body or "")  # type: ignore[attr-defined]
    inner.finish("'>'")
    return DialectAttr(declared.kind.enum, declared.kind.separator.join(words))


def _parse_integer(reader: Reader, declared: AttributeField) -> Attribute:
    assert declared.kind.type is not None
    pos = reader.pos()
    value = reader.integer()
    try:
        return IntegerAttr(value, declared.kind.type)
    except TirError as error:
        raise reader.error(error.message, pos) from None


def _parse_numbers(reader: Reader, declared: AttributeField) -> Attribute:
    assert declared.kind.type is not None
    return reader.number_list(declared.kind.type)


def _parse_number(reader: Reader, declared: AttributeField) -> Attribute:
    number, type = reader.peek(), reader.peek(2)
    if isinstance(number, (IntegerLiteral, FloatLiteral)) and reader.is_punct_behind(":") and isinstance(type, TypeItem):
        if isinstance(type.type, ShapedType):
            error = reader.error(f"the type of a number has no sizes, got {type.type}", type.pos)
            error.hint = f"write {number.text} : {type.type.element}"
            raise error
    return reader.attribute()


BARE_FORMS: dict[str, tuple[Callable[[Reader, AttributeField], Attribute], Callable[[Any, AttributeField], str]]] = {
    "attribute": (lambda r, f: r.attribute(), lambda a, f: str(a)),
    "integer": (_parse_integer, lambda a, f: str(a.value)),
    "number": (_parse_number, lambda a, f: str(a)),
    "numbers": (_parse_numbers, lambda a, f: f"[{str(a)[:-1].partition(': ')[2]}]"),
    "symbol": (lambda r, f: r.symbol(), lambda a, f: str(a)),
    "symbol_name": (lambda r, f: StringAttr(r.symbol().root), lambda a, f: symbol_text(a.value)),
    "string": (lambda r, f: StringAttr(r.string()), lambda a, f: str(a)),
    "type": (lambda r, f: TypeAttr(r.type()), lambda a, f: str(a)),
    "bool": (lambda r, f: r.attribute(), lambda a, f: str(a)),
    "unit": (lambda r, f: UnitAttr(), lambda a, f: ""),
    "word": (_parse_word, lambda a, f: f.kind.to_python(a)),
    "enum": (_parse_enum, lambda a, f: f"<{a.body}>"),
    "integer_arrays": (
        lambda r, f: r.attribute(),
        lambda a, f: str([list(group) for group in f.kind.to_python(a)]),
    ),
}

BARE_STARTS: dict[str, Callable[[Reader], bool]] = {
    "integer": lambda r: type(r.peek()).__name__ == "IntegerLiteral",
    "numbers": lambda r: r.is_brackets("["),
    "integer_arrays": lambda r: r.is_brackets("["),
    "symbol": lambda r: type(r.peek()).__name__ == "SymbolItem",
    "symbol_name": lambda r: type(r.peek()).__name__ == "SymbolItem",
    "string": lambda r: type(r.peek()).__name__ == "StringLiteral",
    "enum": lambda r: r.is_brackets("<") or r.is_word(),
    "bool": lambda r: r.is_word("true", "false"),
}
