"""What is wrong with a text, with the piece of it that each mistake is about."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tir.ir.errors import TirError
from tir.lsp.document import Document, Part, Place
from tir.lsp.positions import Span
from tir.lsp.scan import Token
from tir.lsp.structure import Statement

__all__ = ["Finding", "Fix", "findings"]

_SUGGESTION = re.compile(r"did you mean '([^']+)'\?")
_QUOTED = re.compile(r"'([^']+)'|([%@^#!][\w$.-]+)")


@dataclass
class Fix:
    """A change that a hint suggests."""

    span: Span
    text: str


@dataclass
class Finding:
    """One mistake. The message holds its hint; `notes` are other places of this text with a sentence each."""

    span: Span
    message: str
    notes: list[tuple[Span, str]] = field(default_factory=list)
    fix: Fix | None = None


def findings(document: Document) -> list[Finding]:
    """All mistakes of a text, each part by itself, in the order of the text."""
    return [_finding(error, place) for place in document.places for error in place.part.errors]


def _finding(error: TirError, place: Place) -> Finding:
    part = place.part
    offset = part.offset(error.location)
    span = extent(part, offset)
    message = error.message
    notes = []
    for text, location in error.notes:
        where = part.offset(location)
        if where is None:
            message += f"\n{text}" + (f" ({location.file_location()})" if location and location.file_location() else "")
        else:
            notes.append((extent(part, where).shifted(place.start), text))
    if error.hint:
        message += f"; {error.hint}"
    fix = _fix(part, error, offset)
    if fix is not None:
        span = fix.span if span.start <= fix.span.start and fix.span.end <= span.end else span
        fix.span = fix.span.shifted(place.start)
    return Finding(span.shifted(place.start), message, notes, fix)


def extent(part: Part, offset: int | None) -> Span:
    """The piece that an error at `offset` is about: an op up to its region or the end of its line, or one token."""
    text = part.text
    if offset is None:
        return Span(0, _line_end(text, 0))
    statement = part.structure.by_start.get(offset)
    if statement is not None:
        end = min(statement.head_end, _line_end(text, offset))
        return Span(offset, offset + max(len(text[offset:end].rstrip()), 1))
    token = part.token_at(offset)
    if token is not None and token.start <= offset < token.end:
        return Span(offset, _type_end(text, token) if token.kind == "shaped" else min(token.end, _line_end(text, offset)))
    end = _line_end(text, offset)
    return Span(offset, offset + 1) if offset < end else Span(max(offset - 1, text.rfind("\n", 0, offset) + 1), offset)


def _line_end(text: str, offset: int) -> int:
    end = text.find("\n", offset)
    return end if end >= 0 else len(text)


def _type_end(text: str, token: Token) -> int:
    """The end of a type that begins with `tensor<`; of the token if it is not closed on its line."""
    depth = 0
    for at in range(token.start, _line_end(text, token.start)):
        depth += (text[at] == "<") - (text[at] == ">" and text[at - 1] != "-")
        if depth == 0 and text[at] == ">":
            return at + 1
    return token.end


def _fix(part: Part, error: TirError, offset: int | None) -> Fix | None:
    """What "did you mean 'x'?" changes: the wrong name that the message quotes, in the op that it is about."""
    found = _SUGGESTION.search(error.hint or "")
    if found is None or offset is None:
        return None
    wrong = {name for pair in _QUOTED.findall(error.message) for name in pair if name}
    statement = part.statement_at(offset)
    for token in _candidates(part, offset, statement):
        name = token.text.partition("#")[0] if token.kind == "value" else token.text.strip('"')
        if name in wrong and name != found[1]:
            start = token.start + (token.kind == "string")
            return Fix(Span(start, start + len(name)), found[1])
    return None


def _candidates(part: Part, offset: int, statement: Statement | None) -> list[Token]:
    """The tokens that an error at `offset` may be about: the one there, then those of its op."""
    here = part.token_at(offset)
    own = statement.own if statement is not None else []
    return [token for token in (here, *own) if token is not None and token.kind not in ("comment", "punct")]
