"""Syntax errors in words: what the parser could take here, what it got, and which bracket is open."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from tir.ir.errors import Location, ParseError, nearest
from tir.ir.types import TYPE_NAMES
from tir.parser.reading import Reading
from tir.parser.tokens import CLOSING, STATEMENT_STARTS, Open, Token

__all__ = ["syntax_error"]

_ANYTHING = frozenset(("VALUE", "STRING", "WORD", "DENSE"))  # where all of these fit, any item does
_TYPES = frozenset(("SCALAR", "SHAPED", "TUPLE", "OPAQUE_TYPE", "BANG"))
_AFFINE = frozenset(("ID", "NATURAL"))
_OPERATORS = frozenset(("PLUS", "MINUS", "STAR", "FLOORDIV", "CEILDIV", "MOD"))
_PLACES = frozenset(("UNKNOWN", "CALLSITE", "FUSED"))
_TOP_LEVEL = frozenset(("$END", "ATTRIBUTE_ALIAS", "TYPE_ALIAS", "METADATA"))  # what stands in no region
_STATEMENT = frozenset(("NAME", "RESULTS", "GENERIC"))

_GROUPS: tuple[tuple[frozenset[str], str], ...] = (
    (_STATEMENT, "an op"),
    (_PLACES | {"HASH", "STRING"}, "a location"),
    (_AFFINE | {"LPAR", "MINUS"}, "an affine expression"),
    (_OPERATORS, "an operator"),
    (_TYPES | {"DIMS", "LSQB"}, "a size or a type"),
    (_TYPES | {"LPAR"}, "a type"),
    (_TYPES, "a type"),
)
_WORDS = {
    "NAME": "the name of an op", "GENERIC": "the name of an op", "VALUE": "a value such as %x", "ID": "a name",
    "INTEGER": "an integer", "STRING": "a string", "DIMS": "a size", "LSQB": "'['", "X": "'x'", "COMMA": "','",
    "COLON": "':'", "ARROW": "'->'", "LPAR": "'('", "RPAR": "')'", "RSQB": "']'", "LESS": "'<'", "GREATER": "'>'",
    "RBRACE": "'}'", "AT": "'at'", "LOC": "a location", "LABEL": "a block label", "NATURAL": "an integer",
    "$END": "the end of the text",
}  # fmt: skip
_CLOSERS = frozenset(CLOSING.values())
_BEHIND = frozenset((",", ":", "=", "->", "(", "[", "<"))
_ORDER = list(_WORDS)
_NAMED_SIZE = re.compile(r"([A-Za-z_]\w*?)x\w")


def syntax_error(parser: Any, token: Token, opened: Sequence[Open]) -> ParseError:
    """The error for a token that the parser cannot take. parser: lark's interactive parser; opened: open brackets."""
    reading = token.reading
    accepts = parser.accepts()
    got = _token_text(token)
    bracket = opened[-1] if opened else None
    if token.text in _CLOSERS and accepts >= _STATEMENT and (bracket is None or CLOSING[bracket.char] != token.text):
        return reading.error(f"{got} closes nothing", token.pos)
    if token.type == "VALUES" and "VALUE" in accepts:
        name, comma, _ = token.text.partition(",")
        return reading.error(f"expected ':' and a type behind {name.strip()}, got ','", token.pos + len(name))
    must_close = accepts >= _STATEMENT and token.type in _TOP_LEVEL
    may_close = bracket is not None and (accepts >= _ANYTHING or must_close)
    expected = f"'{CLOSING[bracket.char]}'" if bracket is not None and may_close else _expected_text(accepts)
    behind = "" if may_close else _behind(reading)
    notes: list[tuple[str, Location | None]] = []
    if bracket is not None and (may_close or token.type in STATEMENT_STARTS or token.type == "$END"):
        notes.append((f"'{bracket.char}' opens here", reading.location(bracket.pos)))
    hint = _hint(accepts, token) if token.type in ("WORD", "NAME") else None
    pos = reading.end if token.type == "$END" else token.pos  # behind the last word, not behind empty lines
    return ParseError(f"expected {expected}{behind}, got {got}", reading.location(pos), notes, hint)


def _hint(accepts: set[str], token: Token) -> str | None:
    """What a word might be that stands where no word may."""
    if "DIMS" in accepts and (name := _NAMED_SIZE.match(token.text)) is not None:
        return f"a size with a name stands in brackets: [{name[1]}]"
    if accepts >= _TYPES:
        return nearest(token.text, (*TYPE_NAMES, *(f"!{name}" for name in token.reading.type_aliases)))
    if accepts >= _STATEMENT and not accepts >= _ANYTHING:
        return "the name of an op has a dot, as in func.func"
    return None


def _behind(reading: Reading) -> str:
    """` behind ':'`, if punctuation is the last that was read."""
    last = reading.text[reading.end - 1] if reading.end else ""
    if reading.text.endswith("->", 0, reading.end):
        last = "->"
    return f" behind '{last}'" if last and last in _BEHIND else ""


def _expected_text(accepts: set[str]) -> str:
    """`a type or ')'`."""
    left = set(accepts)
    words = []
    for group, text in _GROUPS:
        if left >= group:
            words.append(text)
            left -= group
    if "an op" in words:
        left -= {"LABEL", "ATTRIBUTE_ALIAS", "TYPE_ALIAS", "METADATA", "$END"}
    words += [_WORDS[name] for name in _ORDER if name in left]
    words = list(dict.fromkeys(words)) or [_WORDS["$END"]]  # lark accepts nothing behind a whole start rule
    return ", ".join(words[:-1]) + " or " + words[-1] if len(words) > 1 else words[0]


def _token_text(token: Token) -> str:
    if token.type == "$END":
        return "the end of the text"
    text = token.text.split("\n")[0]
    return f"'{text if len(text) <= 40 else text[:37] + '...'}'"
