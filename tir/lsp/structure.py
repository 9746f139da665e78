"""Tokens -> statements in regions: which op stands where, also where the text is half typed.

A statement that is not whole ends where the next one surely begins, and brackets that were not closed are closed there.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property

from tir.ir.ir import Op
from tir.ir.registry import Registry
from tir.ir.traits import FunctionLike, IsolatedFromAbove, Symbol, SymbolTable
from tir.lsp.positions import Span
from tir.lsp.scan import Token, tokens

__all__ = ["SHORT_NAMES", "Area", "Statement", "Structure", "read_structure"]

SHORT_NAMES = {"return": "func.return", "call": "func.call", "module": "builtin.module"}
_MAX_DEPTH = 256  # regions deeper than this, which the parser refuses, are taken for brackets
_MAX_DIGITS = 6  # of the number of results in `%r:2`; with more it is a mistake
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_DICTIONARY = re.compile(
    r'(?:\s|//[^\n]*\n)*(?:[A-Za-z_][\w$.]*|"[^"\\\n]*(?:\\.[^"\\\n]*)*")\s*[=,}]'
    r"|[ \t]*(?!(?:return|module|call)\b)[A-Za-z_][\w$]*(?![\w$.(<])",
    re.ASCII,
)
_SPACE = r"(?:\s|//[^\n]*\n)*"
_WORD_ALONE = re.compile(rf"{_SPACE}([A-Za-z_][\w$.]*){_SPACE}\}}", re.ASCII)
_ONE = r"%[\w$.-]+(?::[0-9]+)?"
_RESULTS = re.compile(rf"{_ONE}(?:\s*,\s*{_ONE})*\s*=(?!=)", re.ASCII)
_OP_BEHIND = re.compile(r"[ \t]*(?:[A-Za-z_][\w$]*\.[A-Za-z_]|call\s|\")", re.ASCII)
_ENTRY_BEHIND = re.compile(r"[ \t]*[=,]", re.ASCII)
_PAREN_BEHIND = re.compile(r"\s*\(")
_EQUAL_BEHIND = re.compile(r"\s*=(?!=)")
_LABEL_BEHIND = re.compile(r"\s*(?::(?!:)|\(\s*(?:%|\)\s*:))")


@dataclass(eq=False)
class Statement:
    """An op, a block label or the definition of an alias. kind: "op", "label" or "alias".

    name: that of the op, written out; of a label or alias with its sigil. own: its tokens, without those of its regions.
    """

    kind: str
    start: int
    parent: Area
    own: list[Token] = field(default_factory=list)
    name: str = ""
    name_span: Span | None = None
    op_class: type[Op] | None = None
    results: list[tuple[Token, int]] = field(default_factory=list)
    areas: list[Area] = field(default_factory=list)
    end: int = 0

    @property
    def head_end(self) -> int:
        """The end of the first line of an op with regions, where the first region opens; else the end of the op."""
        return self.areas[0].start if self.areas else self.end

    def has(self, trait: type) -> bool:
        """The op's class is known and has the trait."""
        return self.op_class is not None and issubclass(self.op_class, trait)


@dataclass(eq=False)
class Area:
    """A region, or the whole text (whose `statement` is None). start, end: of its braces."""

    start: int
    statement: Statement | None = None
    statements: list[Statement] = field(default_factory=list)
    end: int = 0

    @property
    def parent(self) -> Area | None:
        return self.statement.parent if self.statement is not None else None

    @property
    def is_isolated(self) -> bool:
        """Names from outside are not known inside."""
        return self.statement is None or self.statement.has(IsolatedFromAbove)

    @property
    def holds_symbols(self) -> bool:
        return self.statement is None or self.statement.has(SymbolTable)


@dataclass
class Structure:
    """All tokens of a text in order, comments among them, and the statements that they make up."""

    tokens: list[Token]
    top: Area
    statements: list[Statement]

    @cached_property
    def by_start(self) -> dict[int, Statement]:
        """The statements by the offset where they begin."""
        return {statement.start: statement for statement in self.statements}

    @cached_property
    def _starts(self) -> list[int]:
        return [statement.start for statement in self.statements]

    def last_before(self, offset: int) -> Statement | None:
        """The last statement that begins at `offset` or before."""
        index = bisect_right(self._starts, offset)
        return self.statements[index - 1] if index else None

    def function_of(self, statement: Statement) -> Statement | None:
        """The function around a statement, or itself if it is one."""
        one: Statement | None = statement
        while one is not None and not one.has(FunctionLike):
            one = one.parent.statement
        return one


def read_structure(text: str, registry: Registry) -> Structure:
    """The structure of any text."""
    return _Reader(text, registry).read()


class _Reader:
    def __init__(self, text: str, registry: Registry) -> None:
        self.text = text
        self.registry = registry
        self.top = Area(0)
        self.areas = [self.top]
        self.brackets: list[list[str]] = [[]]  # those open in each area
        self.statement: Statement | None = None
        self.statements: list[Statement] = []
        self.previous: Token | None = None
        self.results_end = -1  # while the results of a statement are read: where they end

    def read(self) -> Structure:
        all_tokens = list(tokens(self.text))
        for token in all_tokens:
            if token.kind in ("comment", "metadata"):
                continue
            self.take(token)
            self.previous = token
        while len(self.areas) > 1:
            self.close_area(len(self.text), len(self.text))
        self.finish(len(self.text))
        self.top.end = len(self.text)
        return Structure(all_tokens, self.top, self.statements)

    def take(self, token: Token) -> None:
        if token.start < self.results_end:
            self.take_result(token)
        elif self.begins(token):
            self.begin(token)
        elif self.expects_name() and token.kind in ("word", "string"):
            self.take_name(token)
        else:
            self.take_item(token)

    def expects_name(self) -> bool:
        """The results of an op are read, and its name is next."""
        one = self.statement
        return one is not None and one.kind == "op" and one.name_span is None

    # --- where statements begin --------------------------------------------------------------------------------

    def begins(self, token: Token) -> bool:
        """A statement begins with this token. Closes what the one before left open."""
        brackets = self.brackets[-1]
        if not brackets:
            return self.begins_in_area(token)
        if not token.fresh or not self.is_sure(token, in_dictionary="{" in brackets):
            return False
        brackets.clear()
        return True

    def begins_in_area(self, token: Token) -> bool:
        kind, text = token.kind, token.text
        first = token.fresh or self.is_first_in_block()
        if kind == "value" and self.follows_comma():
            return False  # so that a list of n names is looked through once and not n times
        if kind == "value" and (found := _RESULTS.match(self.text, token.start)) is not None:
            return token.fresh or _OP_BEHIND.match(self.text, found.end()) is not None
        if kind == "string":
            return first and _PAREN_BEHIND.match(self.text, token.end) is not None
        if kind == "word" and not self.expects_name():
            is_short = text in SHORT_NAMES and (first or text == "return")
            return "." in text or is_short or (token.fresh and self.is_bare(token))
        if kind == "word":
            return token.fresh and self.makes_nothing(text)
        if kind == "block":
            return first and _LABEL_BEHIND.match(self.text, token.end) is not None
        return kind in ("hash", "bang") and token.fresh and _EQUAL_BEHIND.match(self.text, token.end) is not None

    def is_first_in_block(self) -> bool:
        """The token before opens a region, ends one, or ends a label."""
        before = self.previous.text if self.previous is not None else "{"
        return before in ("{", "}") or (before == ":" and self.statement is not None and self.statement.kind == "label")

    def follows_comma(self) -> bool:
        return self.previous is not None and self.previous.text == ","

    def makes_nothing(self, name: str) -> bool:
        """The op has no results, so those in front of it belong to an op without a name yet."""
        cls = self.registry.op_class(SHORT_NAMES.get(name, name))
        return cls is not None and not cls.definition.results

    def is_op(self, name: str) -> bool:
        return self.registry.op_class(SHORT_NAMES.get(name, name)) is not None

    def is_bare(self, token: Token) -> bool:
        """A word alone on its line so far: the name of an op that is being typed."""
        line_end = self.text.find("\n", token.end)
        return not self.text[token.end : line_end if line_end >= 0 else len(self.text)].strip()

    def is_sure(self, token: Token, in_dictionary: bool) -> bool:
        """A statement begins here although brackets are open."""
        if token.kind == "value":
            found = _RESULTS.match(self.text, token.start)
            return found is not None and _OP_BEHIND.match(self.text, found.end()) is not None
        if token.kind == "block":
            return _LABEL_BEHIND.match(self.text, token.end) is not None
        if token.kind == "word" and not in_dictionary:
            return token.text in SHORT_NAMES or (
                "." in token.text and _ENTRY_BEHIND.match(self.text, token.end) is None
            )
        return False

    def begin(self, token: Token) -> None:
        self.finish(token.start)
        kind = {"block": "label", "hash": "alias", "bang": "alias"}.get(token.kind, "op")
        self.statement = Statement(kind, token.start, self.areas[-1])
        if token.kind == "value":
            found = _RESULTS.match(self.text, token.start)
            assert found is not None
            self.results_end = found.end()
            self.take_result(token)
        elif kind == "op":
            self.take_name(token)
        else:
            self.statement.name, self.statement.name_span = token.text, token.span
            self.statement.own.append(token)
        self.note()

    def note(self) -> None:
        """Enters the statement at hand where it stands."""
        assert self.statement is not None
        self.statement.parent.statements.append(self.statement)
        self.statements.append(self.statement)

    def take_result(self, token: Token) -> None:
        assert self.statement is not None
        if token.kind == "value":
            self.statement.results.append((token, 1))
        elif token.kind == "number" and token.text.isdecimal() and len(token.text) <= _MAX_DIGITS:
            self.statement.results[-1] = (self.statement.results[-1][0], int(token.text))
        self.statement.end = token.end

    def take_name(self, token: Token) -> None:
        one = self.statement
        assert one is not None
        is_generic = token.kind == "string"
        one.name_span = Span(token.start + 1, token.end - 1) if is_generic else token.span
        one.name = token.text.strip('"') if is_generic else SHORT_NAMES.get(token.text, token.text)
        one.op_class = self.registry.op_class(one.name)
        one.own.append(token)
        one.end = token.end
        if one.has(Symbol):
            self.leave_function(one)

    def leave_function(self, one: Statement) -> None:
        """A symbol stands in no function: what is open around it was not closed."""
        around = next((i for i, area in enumerate(self.areas) if area.statement and area.statement.has(FunctionLike)), None)
        if around is None or one.results:
            return
        self.statement = None
        while len(self.areas) > around:
            self.close_area(one.start, one.start)
        self.finish(one.start)
        self.statement, one.parent = one, self.areas[-1]

    # --- what statements hold ----------------------------------------------------------------------------------

    def take_item(self, token: Token) -> None:
        text, brackets = token.text, self.brackets[-1]
        if text == "{" and len(self.areas) < _MAX_DEPTH and self.opens_region(token):
            self.open_area(token)
            return
        if text == "}" and "{" not in brackets:
            if len(self.areas) > 1:
                self.close_area(token.start, token.end)
            return
        if token.kind == "punct" and text in _CLOSING:
            brackets.append(text)
        elif token.kind == "punct" and text in ")]}":
            while brackets and (opened := brackets.pop()) and _CLOSING[opened] != text:
                pass
        self.add(token)

    def opens_region(self, token: Token) -> bool:
        """A region, not a dictionary: `{`, or in the generic form `({` and `}, {`."""
        brackets, before = self.brackets[-1], self.previous.text if self.previous is not None else ""
        if before == "<" or (_DICTIONARY.match(self.text, token.end) and not self.holds_one_op(token)):
            return False
        return not brackets or (brackets == ["("] and before in ("(", ","))

    def holds_one_op(self, token: Token) -> bool:
        """`{return}` is a region and `{a.b}` a dictionary; on a line of its own, `a.b` is the name of an op being typed."""
        alone = _WORD_ALONE.match(self.text, token.end)
        if alone is None or (self.previous is not None and self.previous.text == "attributes"):
            return False
        return self.is_op(alone[1]) or ("." in alone[1] and "\n" in self.text[token.end : alone.start(1)])

    def add(self, token: Token) -> None:
        if self.statement is None:
            return
        self.statement.own.append(token)
        self.statement.end = token.end

    def open_area(self, token: Token) -> None:
        if self.statement is None:  # braces around nothing: kept, so that names inside have a scope
            self.statement = Statement("op", token.start, self.areas[-1])
            self.note()
        self.statement.end = token.end
        area = Area(token.start, self.statement)
        self.statement.areas.append(area)
        self.areas.append(area)
        self.brackets.append([])
        self.statement = None

    def close_area(self, at: int, end: int) -> None:
        """Closes the innermost area; its op goes on behind it."""
        self.finish(at)
        area = self.areas.pop()
        self.brackets.pop()
        area.end = end
        self.statement = area.statement
        assert self.statement is not None
        self.statement.end = end

    def finish(self, at: int) -> None:
        """The statement at hand is over."""
        if self.statement is not None and not self.statement.end:
            self.statement.end = min(at, len(self.text))
        self.statement = None
        self.brackets[-1].clear()
