"""Another name for a value, block, symbol, alias or size, at all its places and no others."""

from __future__ import annotations

import re

from tir.ir.attributes import symbol_text
from tir.ir.errors import TirError
from tir.lsp.document import Document, Part
from tir.lsp.names import Definition, outwards, unquoted
from tir.lsp.positions import Span
from tir.lsp.scan import SUFFIX

__all__ = ["rename", "renamed_span"]

_PLAIN = "letters, digits, _, $, . or -"
_NAMES = {  # what a name is, with its sigil, and the sentence that says so
    "value": (re.compile(f"%{SUFFIX}", re.ASCII), f"a value is named by % and {_PLAIN}"),
    "block": (re.compile(rf"\^{SUFFIX}", re.ASCII), f"a block is named by ^ and {_PLAIN}"),
    "symbol": (re.compile(r"@[^\"\\\x00-\x1f]+"), "a symbol is named by @ and characters that are no quotes"),
    "alias": (
        re.compile(r"[#!][A-Za-z_$][\w$]*(?:-(?!>)[\w$]*)*", re.ASCII),
        "an alias is named by # or ! and letters, digits, _, $ or -, without a dot",
    ),
    "size": (
        re.compile(r"(?!(?:floordiv|ceildiv|mod)\Z)[A-Za-z_][\w$.]*", re.ASCII),
        "a size is named by letters, digits, _, $ or .",
    ),
}
_SIGILS = {"value": "%", "block": "^", "symbol": "@", "size": ""}


def renamed_span(document: Document, offset: int) -> Span | None:
    """The name at `offset` that can be given another; None if there is none."""
    place = document.place_at(offset)
    found = place.part.names.at(offset - place.start)
    return found.span.shifted(place.start) if found is not None else None


def rename(document: Document, offset: int, new: str) -> list[tuple[Span, str]]:
    """The changes that give the name at `offset` the new name, with or without its sigil.

    Raises TirError if there is no name here, if the new one is no name, or if it would mean something else somewhere.
    """
    place = document.place_at(offset)
    part = place.part
    found = part.names.at(offset - place.start)
    if found is None:
        raise TirError("there is no name here that can be changed")
    definition = found.definition
    name = _with_sigil(definition, new.strip())
    pattern, rule = _NAMES[definition.kind]
    if pattern.fullmatch(name) is None:
        raise TirError(f"'{new}' is no name here: {rule}")
    if name == definition.name:
        return []
    taken = _taken(part, definition, name)
    if taken is not None:
        line, _ = document.lines.position(taken.span.start + place.start)
        raise TirError(f"{name} is taken: line {line + 1} defines it")
    if definition.kind == "size":
        _check_size(part, definition)
    return [(span.shifted(place.start), _text(part, span, definition, name)) for span in definition.spans]


def _with_sigil(definition: Definition, new: str) -> str:
    sigil = _SIGILS.get(definition.kind, definition.name[0])
    if definition.kind == "symbol":
        return unquoted(new) if new.startswith("@") else f"@{new.strip(chr(34))}"
    return new if new.startswith(sigil) else sigil + new


def _text(part: Part, span: Span, definition: Definition, name: str) -> str:
    """The name as it is spelled at this place: a symbol without @ in `sym_name = "f"`, else quoted where it must be."""
    if definition.kind != "symbol":
        return name
    return symbol_text(name[1:]) if part.text[span.start] == "@" else name[1:]


def _taken(part: Part, definition: Definition, name: str) -> Definition | None:
    """A definition of the new name that is known where this one is, or the other way round."""
    scopes = {id(area) for area in outwards(definition.area, definition.kind)}
    for one in part.names.definitions:
        if one.kind != definition.kind or one.name != name:
            continue
        if one.kind == "size":
            if one.statement is definition.statement:
                return one
        elif id(one.area) in scopes or any(area is definition.area for area in outwards(one.area, one.kind)):
            return one
    return None


def _check_size(part: Part, definition: Definition) -> None:
    """A size that an alias or a string names too cannot be renamed in its function alone."""
    for token in part.structure.tokens:
        if token.kind == "string" and re.search(rf"\b{re.escape(definition.name)}\b", token.text) is not None:
            function = definition.statement
            if function.start <= token.start < function.end and _is_dims(part, token.start):
                raise TirError(f"size {definition.name} is also named in a string: {token.text} of tir.dims")
    for statement in part.structure.statements:
        if statement.kind == "alias" and statement is not definition.statement:
            if any(token.kind == "dim" and token.text == definition.name for token in statement.own):
                raise TirError(f"size {definition.name} is also named by {statement.name}, which other functions may use")


def _is_dims(part: Part, at: int) -> bool:
    """The string at `at` stands in `tir.dims = [..]`."""
    return re.search(r"tir\.dims\s*=\s*\[[^\[\]]*$", part.text[max(0, at - 400) : at]) is not None
