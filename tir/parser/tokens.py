"""The lexer: text to the terminals of grammar.lark.

It keeps the open brackets, which decide what a word is: in `(..)`, `[..]`, `<..>` and dictionaries a dotted word is a
word; at the top level and in regions it is the name of the next op. What has a body of its own syntax (`dense<..>`,
`!d.t<..>`) becomes one token, found by counting brackets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tir.ir.errors import TirError
from tir.ir.slips import OP_WORDS
from tir.parser.literals import MAX_RESULTS, result_list
from tir.parser.reading import (
    MAX_AFFINE_TOKENS,
    MAX_BLOCKS,
    MAX_DIGITS,
    MAX_IDENTIFIER,
    MAX_NESTING,
    MAX_OP_TOKENS,
    MAX_TOKENS,
    Reading,
)

__all__ = ["BARE_NAMES", "CLOSING", "GAP", "METADATA", "Lexer", "Open", "STATEMENT_STARTS", "Token"]

CLOSING = {"(": ")", "[": "]", "<": ">", "{": "}"}
STATEMENT_STARTS = frozenset(("RESULTS", "NAME", "GENERIC", "LABEL", "ATTRIBUTE_ALIAS", "TYPE_ALIAS", "METADATA"))

_NAMES = {  # terminals that are one character or a fixed word
    ",": "COMMA", ":": "COLON", "=": "EQUAL", "->": "ARROW", "(": "LPAR", ")": "RPAR", "[": "LSQB", "]": "RSQB",
    "<": "LESS", ">": "GREATER", "}": "RBRACE", "+": "PLUS", "-": "MINUS", "*": "STAR", "floordiv": "FLOORDIV",
    "ceildiv": "CEILDIV", "mod": "MOD", "unknown": "UNKNOWN", "callsite": "CALLSITE", "fused": "FUSED", "at": "AT",
    "to": "TO",
}  # fmt: skip
_PLACE_WORDS = frozenset(("unknown", "callsite", "fused", "at", "to"))
_AFFINE_WORDS = frozenset(("floordiv", "ceildiv", "mod"))
BARE_NAMES = frozenset(("return", "module", "call"))  # upstream prints these ops without their dialect

# The modes: what the text inside a bracket is.
_ITEMS, _REGION, _SIZES, _AFFINE, _PLACE = range(5)

_IN_ITEMS = (
    "VALUE", "SCALAR", "SHAPED", "TUPLE", "AFFINE_MAP", "LOC", "ARRAY", "STRIDED", "WORD", "STRING", "FLOAT", "INTEGER",
    "SYMBOL", "SUCCESSOR", "HASH", "BANG", "ARROW", "PUNCT",
)  # fmt: skip
_IN_AFFINE = ("ID", "NATURAL", "ARROW")
_SPACE = re.compile(r"(?:[ \t\r\n]+|//[^\n]*)*")
# What may stand between two tokens where a third follows; written so that there is one way to match it.
GAP = r"\s*(?://[^\n]*\n\s*)*"
_ID = r"%(?:[0-9]+|[A-Za-z$._-][\w$.]*(?:-(?!>)[\w$.]*)*)(?::[0-9]+)?"
# A pattern needs memory for each time that it repeats, so the repeats are limited, here to what is one token.
_MORE_VALUES = re.compile(
    rf"(?:{GAP},{GAP}%(?:[0-9]+|[A-Za-z$._-][\w$.]*(?:-(?!>)[\w$.]*)*)(?:#[0-9]+)?){{1,1000}}", re.ASCII
)
_LONG_NAME = re.compile(rf"(?<![\w$.-])[\w$.-]{{{MAX_IDENTIFIER + 1}}}")  # once for each word
_RESULTS = re.compile(rf"{_ID}(?:{GAP},{GAP}{_ID}){{0,{MAX_RESULTS}}}{GAP}=(?!=)", re.ASCII)
_NO_EQUAL = re.compile(rf"{_ID}(?:[ \t]*,[ \t]*{_ID}){{0,{MAX_RESULTS}}}(?=[ \t]+[A-Za-z_][\w$]*\.[A-Za-z_])", re.ASCII)
_OP_BEHIND = re.compile(rf"{GAP}(?:[A-Za-z_][\w$]*\.[A-Za-z_]|call\s|\")", re.ASCII)
_PAREN_BEHIND = re.compile(rf"{GAP}\(")
_LESS_BEHIND = re.compile(rf"{GAP}<")
_EQUAL_BEHIND = re.compile(rf"{GAP}=(?!=)")
_BARE_BEHIND = re.compile(rf"{GAP}(?:[@{{]|attributes\b)")  # what follows `module` and `call`, as ops
_VALUE_BEHIND = re.compile(rf"{GAP}%")
# A bracket begins no op: `ops{["scf.for"]}`.
_DICTIONARY = re.compile(
    rf'{GAP}(?:\[|(?:[A-Za-z_][\w$.]*|"[^"\\\n]*(?:\\.[^"\\\n]*)*"){GAP}[=,}}])', re.ASCII
)
# `{x` on one line, with no bare name of an op: a dictionary too, whatever is wrong with it.
_ENTRY = re.compile(r"[ \t]*(?!(?:return|module|call)\b)[A-Za-z_][\w$]*(?![\w$.(<])", re.ASCII)
_BODY = re.compile(r'"[^"\\\n]*(?:\\.[^"\\\n]*)*"|//[^\n]*|->|[<>]=|[<>()\[\]{}"]')
_DENSE = re.compile(
    rf"""(dense|dense_resource){GAP}<([^<>"/]*(?:(?:"[^"\\\n]*(?:\\.[^"\\\n]*)*"|//[^\n]*\n|/(?!/))[^<>"/]*)*)>"""
)
_BODY_WORDS = frozenset(("dense", "dense_resource", "sparse", "complex", "affine_set"))
METADATA = re.compile(r'\{-#[^"#]*(?:(?:"[^"\\\n]*(?:\\.[^"\\\n]*)*"|#(?!-\}))[^"#]*)*#-\}')
# A generic name cannot stand behind these: the string is an item of the op before it.
_BEFORE_ITEM = frozenset(("NAME", "WORD", "COMMA", "COLON", "EQUAL", "PUNCT", "ARROW"))


class Token:
    """A piece of the text for the parser."""

    __slots__ = ("pos", "reading", "text", "type")

    def __init__(self, type: str, text: str, pos: int, reading: Reading) -> None:
        self.type = type
        self.text = text
        self.pos = pos
        self.reading = reading

    @property
    def end(self) -> int:
        return self.pos + len(self.text)


@dataclass(slots=True)
class Open:
    """An open bracket. mode: what is inside; nesting: how many brackets are open, `({` counting once.

    Of a region: blocks, how many labels it has; op_tokens, how many tokens of its op stand before it.
    """

    char: str
    pos: int
    mode: int
    nesting: int
    op_tokens: int = 0
    blocks: int = 0


class Patterns:
    """The compiled patterns of the modes, out of the grammar's terminals."""

    def __init__(self, terminals: Iterable[tuple[str, str]]) -> None:
        patterns = dict(terminals)
        self.items = self._compile(patterns, _IN_ITEMS)
        self.affine = self._compile(patterns, _IN_AFFINE)
        self.sizes = self._compile(patterns, ("DIMS",))
        self.x = re.compile(rf"x{GAP}")

    @staticmethod
    def _compile(patterns: dict[str, str], names: Iterable[str]) -> re.Pattern[str]:
        return re.compile("|".join(f"(?P<{name}>{patterns[name]})" for name in names), re.ASCII)


class Lexer:
    """The tokens of `reading.text[pos:end]`.

    regions: offsets of the `{` of regions that are known already, to where their `}` is; each becomes one REGION token.
    A token of type ERROR has its message in `message`. The driver may set `pos` and cut `opened` between tokens.
    """

    def __init__(
        self, patterns: Patterns, reading: Reading, pos: int, end: int, regions: dict[int, int] | None = None
    ) -> None:
        self.patterns = patterns
        self.reading = reading
        self.pos = pos
        self.end = end
        self.regions = regions or {}
        self.opened: list[Open] = []
        self.closed: Open | None = None  # what the token at hand closes
        self.previous = ""  # the type of the token before
        self.fresh = True  # the token is the first of its line
        self.message = ""
        self.count = 0
        self._in_label = False  # its colon has not come yet
        self._unclosed: set[int] = set()  # brackets that `_body` found no end for
        self._op_tokens = 0  # of the op at hand, with what its aliases stand for
        self._deepest = 0  # how deep its brackets nest
        self._alias: int | None = None  # where the definition at hand begins
        self._affine_tokens = 0
        self._text = reading.text
        self._start = pos

    def tokens(self) -> Iterator[Token]:
        """The tokens; the last has the type $END."""
        while True:
            token = self.next()
            behind = self.pos
            yield token
            if self.pos == behind:  # else `restart` was called
                self.previous = token.type
                if token.type == "COLON" and self._in_label and self.in_region:
                    self.previous, self._in_label = "LABEL", False
            if token.type == "$END":
                return

    def restart(self, pos: int) -> None:
        """Goes on at `pos`, as if a line began there."""
        self.pos = self._start = pos
        self.previous = ""
        self._in_label = False

    def next(self) -> Token:
        space = _SPACE.match(self._text, self.pos, self.end)
        assert space is not None
        begin, pos = self.pos, space.end()
        self.closed = None
        self.fresh = begin == self._start or (pos > begin and "\n" in space[0])
        self.count += 1
        self._op_tokens += 1
        if self.count > MAX_TOKENS:
            raise self.reading.limit(f"the text has more than {MAX_TOKENS} tokens", pos)
        if self._op_tokens > MAX_OP_TOKENS:
            raise self.reading.limit(f"an op has more than {MAX_OP_TOKENS} words, numbers and signs", pos)
        if pos >= self.end:
            self.pos = self.end
            return self._token("$END", pos, self.end)
        mode = self.opened[-1].mode if self.opened else _REGION
        if mode == _SIZES and (token := self._size(pos)) is not None:
            return token
        if mode == _AFFINE:
            return self._in_affine(pos)
        return self._item(pos)

    # --- helpers -----------------------------------------------------------------------------------------------

    def _token(self, type: str, pos: int, end: int) -> Token:
        self.pos = end
        if type in STATEMENT_STARTS or type == "$END":
            self._begin_statement(type, pos)
        return Token(type, self._text[pos:end], pos, self.reading)

    def _begin_statement(self, type: str, pos: int) -> None:
        if self._alias is not None:
            self.reading.measured[self._alias] = self._op_tokens, self._deepest
        self._alias = pos if type in ("ATTRIBUTE_ALIAS", "TYPE_ALIAS") else None
        self._op_tokens = self._deepest = 0
        if type == "LABEL" and self.opened:
            self.opened[-1].blocks += 1
            if self.opened[-1].blocks > MAX_BLOCKS:
                raise self.reading.limit(f"a region has more than {MAX_BLOCKS} blocks", pos)

    def _error(self, message: str, pos: int, end: int) -> Token:
        self.message = message
        return self._token("ERROR", pos, max(end, pos + 1))

    def _push(self, char: str, pos: int, mode: int) -> None:
        nesting = self.opened[-1].nesting if self.opened else 0
        if char != "{" or self.previous != "LPAR":
            nesting += 1
        if nesting > MAX_NESTING:
            raise self.reading.limit(f"brackets and regions nest deeper than {MAX_NESTING}", pos)
        self._deepest = max(self._deepest, nesting)
        if mode == _AFFINE and char in "<[" and self.opened and self.opened[-1].mode != _AFFINE:
            self._affine_tokens = 0
        self.opened.append(Open(char, pos, mode, nesting, self._op_tokens))

    def open_region(self, pos: int) -> None:
        """Goes on as if a region began at `pos`."""
        self._push("{", pos, _REGION)

    def opened_before(self, token: Token) -> list[Open]:
        """The brackets that are open before the token at hand."""
        opened = [bracket for bracket in self.opened if bracket.pos < token.pos]
        return opened if self.closed is None else [*opened, self.closed]

    @property
    def in_region(self) -> bool:
        """An op may begin here: no bracket is open but those of regions."""
        return not self.opened or self.opened[-1].mode == _REGION

    # --- the modes ---------------------------------------------------------------------------------------------

    def _size(self, pos: int) -> Token | None:
        """A piece of the sizes of a shaped type; None where the element type begins."""
        if self.previous == "RSQB":
            found = self.patterns.x.match(self._text, pos, self.end)
            if found is not None:
                return self._token("X", pos, found.end())
        elif self._text[pos] == "[":
            self._push("[", pos, _AFFINE)
            return self._token("LSQB", pos, pos + 1)
        elif (found := self.patterns.sizes.match(self._text, pos, self.end)) is not None:
            if found.end() - pos > MAX_DIGITS:
                raise self.reading.limit(f"the sizes of a type have more than {MAX_DIGITS} characters", pos)
            return self._token("DIMS", pos, found.end())
        self.opened[-1].mode = _ITEMS
        return None

    def _in_affine(self, pos: int) -> Token:
        found = self.patterns.affine.match(self._text, pos, self.end)
        if found is None:
            char = self._text[pos]
            return self._bracket(char, pos) if char in _NAMES else self._unexpected(pos)
        kind = found.lastgroup
        assert kind is not None
        self._affine_tokens += 1
        if self._affine_tokens > MAX_AFFINE_TOKENS:
            raise self.reading.limit(f"an affine map or size has more than {MAX_AFFINE_TOKENS} names and numbers", pos)
        if found.end() - pos > MAX_DIGITS:
            raise self.reading.limit(f"an identifier or number has more than {MAX_DIGITS} characters", pos)
        text = found[0]
        return self._token(_NAMES[text] if text in _AFFINE_WORDS or kind == "ARROW" else kind, pos, found.end())

    def _item(self, pos: int) -> Token:
        found = self.patterns.items.match(self._text, pos, self.end)
        if found is None:
            return self._bracket(self._text[pos], pos)
        kind, end = found.lastgroup, found.end()
        assert kind is not None
        if end - pos > MAX_IDENTIFIER:
            self._check_length(kind, pos, end)
        special = _SPECIAL.get(kind)
        return special(self, pos, end) if special is not None else self._token(kind, pos, end)

    def _check_length(self, kind: str, pos: int, end: int) -> None:
        if kind in ("INTEGER", "FLOAT"):
            raise self.reading.limit(f"a number has more than {MAX_DIGITS} digits", pos)
        if kind not in ("STRING", "ARRAY", "STRIDED"):
            raise self.reading.limit(f"an identifier has more than {MAX_IDENTIFIER} characters", pos)

    def _bracket(self, char: str, pos: int) -> Token:
        """A bracket or other single character."""
        if char in "([<":
            mode = self.opened[-1].mode if self.opened and self.opened[-1].mode in (_AFFINE, _PLACE) else _ITEMS
            self._push(char, pos, _ITEMS if char == "<" else mode)
        elif char in ")]>}":
            if self.opened and CLOSING[self.opened[-1].char] == char:
                self.closed = self.opened.pop()
                if self.closed.mode == _REGION:
                    self._op_tokens = self.closed.op_tokens + 1
        elif char == "{":
            return self._brace(pos)
        elif char not in _NAMES:
            return self._unexpected(pos)
        return self._token(_NAMES[char], pos, pos + 1)

    def _unexpected(self, pos: int) -> Token:
        char = self._text[pos]
        if char == '"':
            end = self._text.find("\n", pos, self.end)
            return self._error("the string is not closed on its line", pos, self.end if end < 0 else end)
        if char in "%@^#!":
            got = self._text[pos + 1 : pos + 2].strip()
            return self._error(f"expected a name behind {char!r}" + (f", got {got!r}" if got else ""), pos, pos + 1)
        return self._error(f"unexpected character {char!r}", pos, pos + 1)

    def _brace(self, pos: int) -> Token:
        if pos in self.regions:
            return self._token("REGION", pos, self.regions[pos])
        if self.in_region and self._text.startswith("{-#", pos):
            found = METADATA.match(self._text, pos, self.end)
            if found is None:
                return self._error("'{-#' is not closed by '#-}'", pos, self.end)
            return self._token("METADATA", pos, found.end())
        in_array = bool(self.opened) and self.opened[-1].char == "["  # where no region stands
        is_dictionary = in_array or any(p.match(self._text, pos + 1, self.end) for p in (_DICTIONARY, _ENTRY))
        self._push("{", pos, _ITEMS if is_dictionary else _REGION)
        return self._token("DICTIONARY_OPEN" if is_dictionary else "REGION_OPEN", pos, pos + 1)

    # --- terminals that need a look around -------------------------------------------------------------------------

    def _value(self, pos: int, end: int) -> Token:
        """`%a`, or `%a, %b =` where a statement begins. `%i = %lo` is no beginning, unless a line begins with it."""
        # Behind a comma nothing begins; so a list of n names is looked through once and not n times.
        if (self.fresh or self.in_region) and self.previous != "COMMA":
            found = _RESULTS.match(self._text, pos, self.end)
            if found is not None:
                is_op = _OP_BEHIND.match(self._text, found.end(), self.end) is not None
                if is_op or (self.fresh and self.in_region and not self._goes_on(found.end())):
                    return self._results(pos, found)
            elif self.fresh and (found := _NO_EQUAL.match(self._text, pos, self.end)) is not None:
                if self.in_region or self.opened[-1].char != "{":
                    return self._results(pos, found)  # the `=` is missing
        if self._text.startswith(",", end) and (found := _MORE_VALUES.match(self._text, end, self.end)) is not None:
            if found.end() - end > MAX_IDENTIFIER and _LONG_NAME.search(self._text, end, found.end()) is not None:
                return self._token("VALUE", pos, end)
            self._op_tokens += 2 * self._text.count(",", end, found.end())
            return self._token("VALUES", pos, found.end())
        return self._token("VALUE", pos, end)

    def _goes_on(self, end: int) -> bool:
        """`%i = %lo` behind `scf.for` and a line end: an op never begins with a value."""
        return self.previous in _BEFORE_ITEM and _VALUE_BEHIND.match(self._text, end, self.end) is not None

    def _results(self, pos: int, found: re.Match[str]) -> Token:
        try:
            result_list(found[0])
        except TirError as error:
            return self._error(error.message, pos, found.end())
        return self._token("RESULTS", pos, found.end())

    def _word(self, pos: int, end: int) -> Token:
        text = self._text[pos:end]
        if self.in_region:
            if "." in text or self._is_bare_name(text, end):
                return self._token("NAME", pos, end)
            if self.reading.slips and self.fresh and text in OP_WORDS and self.previous not in _BEFORE_ITEM:
                return self._token("NAME", pos, end)  # the dialect is missing
        elif self.opened[-1].mode == _PLACE and text in _PLACE_WORDS:
            return self._token(_NAMES[text], pos, end)
        elif self.fresh and ("." in text or text == "return") and self.opened[-1].char != "{":
            return self._token("NAME", pos, end)  # no bracket holds dotted words: it was not closed
        if text in _BODY_WORDS and (found := _LESS_BEHIND.match(self._text, end, self.end)) is not None:
            return self._with_body(text, pos, found.end() - 1)
        return self._token("WORD", pos, end)

    def _is_bare_name(self, text: str, end: int) -> bool:
        """A word without a dot in a region that is the name of an op."""
        if self.previous == "RESULTS" or text not in BARE_NAMES:
            return self.previous == "RESULTS"
        if text == "return" or self.fresh or self.previous == "REGION_OPEN":
            return True
        return self.previous not in _BEFORE_ITEM and _BARE_BEHIND.match(self._text, end, self.end) is not None

    def _with_body(self, word: str, pos: int, less: int) -> Token:
        """`dense<..>`, which is whole, or what tir does not have."""
        if (found := _DENSE.match(self._text, pos, self.end)) is not None:
            return self._token("DENSE", pos, found.end())
        end = self._body(less)
        if end is None:
            return self._error(f"'{word}<' is not closed", pos, less + 1)
        problem = "must hold numbers, true and false, or a string" if word.startswith("dense") else "is not supported"
        return self._error(f"{word}<..> {problem}", pos, end)

    def _scalar(self, pos: int, end: int) -> Token:
        """A scalar type; `none` alone in `<..>` is a flag."""
        if self._text[pos:end] == "none" and self.opened and self._is_flag():
            return self._token("WORD", pos, end)
        return self._token("SCALAR", pos, end)

    def _is_flag(self) -> bool:
        return self.opened[-1].char == "<" and self._text[self.opened[-1].pos] == "<"

    def _string(self, pos: int, end: int) -> Token:
        may_begin = self.in_region and (self.fresh or self.previous not in _BEFORE_ITEM)
        if may_begin and _PAREN_BEHIND.match(self._text, end, self.end) is not None:
            return self._token("GENERIC", pos, end)
        return self._token("STRING", pos, end)

    def _successor(self, pos: int, end: int) -> Token:
        if self.in_region and self.previous != "COMMA" and self._is_label(end):
            self._in_label = True
            return self._token("LABEL", pos, end)
        return self._token("SUCCESSOR", pos, end)

    def _is_label(self, end: int) -> bool:
        behind = _PAREN_BEHIND.match(self._text, end, self.end)
        if behind is not None:
            closed = self._body(behind.end() - 1)
            if closed is None:  # the text is wrong: a label begins a line
                return self.fresh
            if closed == self.end:
                return True
            end = closed
        space = _SPACE.match(self._text, end, self.end)
        assert space is not None
        return self._text.startswith(":", space.end(), self.end)

    def _shaped(self, pos: int, end: int) -> Token:
        self._push("<", pos, _SIZES)
        return self._token("SHAPED", pos, end)

    def _tuple(self, pos: int, end: int) -> Token:
        self._push("<", pos, _ITEMS)
        return self._token("TUPLE", pos, end)

    def _affine_map(self, pos: int, end: int) -> Token:
        self._push("<", pos, _AFFINE)
        return self._token("AFFINE_MAP", pos, end)

    def _loc(self, pos: int, end: int) -> Token:
        self._push("(", pos, _PLACE)
        return self._token("LOC", pos, end)

    def _hash(self, pos: int, end: int) -> Token:
        return self._sigil(pos, end, "ATTRIBUTE_ALIAS", "OPAQUE_ATTRIBUTE", "HASH")

    def _bang(self, pos: int, end: int) -> Token:
        return self._sigil(pos, end, "TYPE_ALIAS", "OPAQUE_TYPE", "BANG")

    def _sigil(self, pos: int, end: int, definition: str, whole: str, use: str) -> Token:
        """`#name` or `!name`: a definition, a dialect's own with its body, or the use of an alias."""
        if self._text.startswith("<", end, self.end):
            body_end = self._body(end)
            if body_end is None:
                return self._error(f"'{self._text[pos:end]}<' is not closed", pos, end + 1)
            return self._token(whole, pos, body_end)
        if "." in self._text[pos:end]:
            return self._token(whole, pos, end)
        if (self.fresh or not self.opened) and (found := _EQUAL_BEHIND.match(self._text, end, self.end)) is not None:
            self.reading.expansion_before[pos] = self.reading.expansion
            return self._token(definition, pos, found.end())
        self._count_alias(pos, end)
        return self._token(use, pos, end)

    def _count_alias(self, pos: int, end: int) -> None:
        """What an alias stands for keeps the limits of an op, as if it were written out."""
        table = self.reading.type_aliases if self._text[pos] == "!" else self.reading.attribute_aliases
        alias = table.get(self._text[pos + 1 : end])
        if alias is None:
            return
        self._op_tokens += alias.tokens
        if self._op_tokens > MAX_OP_TOKENS:
            message = f"an op has more than {MAX_OP_TOKENS} words, numbers and signs with what its aliases stand for"
            raise self.reading.limit(message, pos)
        depth = alias.depth + (self.opened[-1].nesting if self.opened else 0)
        self._deepest = max(self._deepest, depth)
        if depth > MAX_NESTING:
            name = self._text[pos:end]
            raise self.reading.limit(f"brackets nest deeper than {MAX_NESTING} with what {name} stands for", pos)

    def _body(self, pos: int) -> int | None:
        """The offset behind the bracket that closes the one at `pos`; None if there is none."""
        if pos in self._unclosed:
            return None
        opened: list[int] = []
        for found in _BODY.finditer(self._text, pos, self.end):
            piece = found[0]
            if piece in CLOSING:
                opened.append(found.start())
                if len(opened) > MAX_NESTING:
                    raise self.reading.limit(f"brackets nest deeper than {MAX_NESTING}", found.start())
            elif piece == '"' or not opened:
                break
            elif piece in ")]>}":
                if CLOSING[self._text[opened[-1]]] != piece:
                    break
                opened.pop()
                if not opened:
                    return found.end()
        self._unclosed.update(opened)  # all of them fail here: each is looked through once
        return None


_SPECIAL = {
    "VALUE": Lexer._value,
    "WORD": Lexer._word,
    "SCALAR": Lexer._scalar,
    "STRING": Lexer._string,
    "SUCCESSOR": Lexer._successor,
    "SHAPED": Lexer._shaped,
    "TUPLE": Lexer._tuple,
    "AFFINE_MAP": Lexer._affine_map,
    "LOC": Lexer._loc,
    "HASH": Lexer._hash,
    "BANG": Lexer._bang,
}
