"""Syntax errors in words: what the parser could take here, what it got, and which bracket is open."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tir.ir.errors import Location, ParseError
from tir.ir.slips import CHARACTERS, operator_hint, type_hint
from tir.parser.lalr import Run
from tir.parser.reading import Reading
from tir.parser.tokens import CLOSING, STATEMENT_STARTS, Open, Token

__all__ = ["lexical_error", "missing_brace", "missing_equal", "syntax_error"]

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
_OP_NAME = re.compile(r"[\w$.]+", re.ASCII)
_SIZE_BEHIND = re.compile(r"((?:f|bf|i|ui)[0-9]+)x([0-9x]+)\Z")
_ENTRY_WITH_COLON = re.compile(r"\{\s*[\w.]+\s*:", re.ASCII)
_NAMED_SIZE = re.compile(r"([A-Za-z_]\w*?)x\w")


def syntax_error(run: Run, token: Token, opened: Sequence[Open]) -> ParseError:
    """The error for a token that the parser cannot take. run: the parser before the token; opened: open brackets."""
    reading = token.reading
    accepts = run.accepts()
    got = _token_text(token)
    bracket = opened[-1] if opened else None
    if token.text in _CLOSERS and accepts >= _STATEMENT and (bracket is None or CLOSING[bracket.char] != token.text):
        return reading.error(f"{got} closes nothing", token.pos, operator_hint(reading.text, token.pos))
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
    pos = token.pos
    if token.type == "$END":
        pos = reading.end  # behind the last word, not behind empty lines
    elif _is_cut_off(token, accepts):
        pos, got = reading.end, "the end of the line"
    hint = None if pos != token.pos else _hint(accepts, token)
    if notes and bracket is not None and bracket.char == "<":
        hint = operator_hint(reading.text, bracket.pos) or hint
    return ParseError(f"expected {expected}{behind}, got {got}", reading.location(pos), notes, hint)


def lexical_error(message: str, token: Token) -> ParseError:
    """The error for a piece of text that is no token."""
    hint = CHARACTERS.get(token.text[:1])
    if token.text.startswith("#"):
        hint = "a comment begins with //"
    elif token.text.startswith("!"):
        hint = operator_hint(token.reading.text, token.pos)
    elif token.text.startswith('"'):
        hint = "a string ends with \" on the line on which it begins"
    return token.reading.error(message, token.pos, hint)


def _is_cut_off(token: Token, accepts: set[str]) -> bool:
    """The token begins the next statement or closes a bracket, on a later line: what is missing is missing before it."""
    begins = token.type in STATEMENT_STARTS or token.text in _CLOSERS
    in_statement = accepts >= _ANYTHING or not accepts >= _STATEMENT
    return begins and in_statement and "\n" in token.reading.text[token.reading.end : token.pos]


def missing_brace(reading: Reading) -> ParseError:
    """The error for a function without the `{` of its body, at the end of what was read."""
    return reading.error("expected '{', got the end of the line", reading.end)


def missing_equal(token: Token) -> ParseError:
    """The error for `%0 tir.exp`. token: the names in front of the op."""
    found = _OP_NAME.search(token.reading.text, token.end)
    assert found is not None
    return token.reading.error(f"expected '=' behind {token.text}, got '{found[0]}'", found.start())


def _hint(accepts: set[str], token: Token) -> str | None:
    """What a word might be that stands where no word may."""
    if token.type == "INTEGER" and "DIMS" in accepts:
        return _size_hint(token)
    if token.text == "-" and "NAME" in accepts:
        return "there are no operators, write tir.neg %x"
    if token.text == "/" and accepts >= _STATEMENT:
        return "a comment begins with //"
    if token.type == "VALUE" and accepts >= _STATEMENT:
        return "a value is defined by '%name = ' and an op"
    if token.type == "VALUE" and "NAME" in accepts:
        operator = operator_hint(token.reading.text, token.end)
        return operator or f"a value needs no second name: use {token.text} itself"
    if token.text == "{" and _ENTRY_WITH_COLON.match(token.reading.text, token.pos):
        return "an attribute is its name, '=' and its value"
    if token.type not in ("WORD", "NAME"):
        return None
    if "DIMS" in accepts and (scalar := _SIZE_BEHIND.match(token.text)) is not None:
        return f"the sizes stand first: {scalar[2]}x{scalar[1]}"
    if "DIMS" in accepts and (name := _NAMED_SIZE.match(token.text)) is not None:
        return f"a size with a name stands in brackets: [{name[1]}]"
    if accepts >= _TYPES:
        return type_hint(token.text, (f"!{name}" for name in token.reading.type_aliases))
    if accepts >= _STATEMENT and not accepts >= _ANYTHING:
        return "the name of an op has a dot, as in func.func"
    return None


def _size_hint(token: Token) -> str:
    """What is wrong with a number among the sizes of a type."""
    if token.text.startswith("-"):
        return "a size that is not known is '?'"
    behind = token.reading.text[token.end : token.end + 1]
    if behind in (">", ""):
        return "the type of the elements is missing, as in 4x8xf32"
    return "the sizes and the type of the elements are separated by 'x', as in 4x8xf32"


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
    words = list(dict.fromkeys(words)) or [_WORDS["$END"]]  # the machine accepts nothing behind a whole start rule
    return ", ".join(words[:-1]) + " or " + words[-1] if len(words) > 1 else words[0]


def _token_text(token: Token) -> str:
    if token.type == "$END":
        return "the end of the text"
    text = token.text.split("\n")[0]
    return f"'{text if len(text) <= 40 else text[:37] + '...'}'"
