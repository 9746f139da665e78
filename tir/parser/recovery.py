"""Running the LALR parser over a text, and going on behind a mistake, at the start of the next statement.

The op with the mistake becomes an op without a name: its results and a region behind it stay known, so that one
mistake is one error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from tir.ir.errors import LimitError, TirError
from tir.parser.items import alias_of
from tir.parser.lalr import Machine, UnexpectedToken
from tir.parser.messages import lexical_error, missing_brace, missing_equal, syntax_error
from tir.parser.reading import MAX_ERRORS, Reading, Reported
from tir.parser.tokens import GAP, STATEMENT_STARTS, Lexer, Token

__all__ = ["Driver", "read_part"]

# Pieces of text that matter when looking for the next statement.
_PIECE = re.compile(r'"[^"\\\n]*(?:\\.[^"\\\n]*)*"|//[^\n]*|[{}\n]')
_REGION_AT_END = re.compile(r"(?:\(\s*)?\{[ \t\r]*\Z")
_LINE_END = re.compile(r"[ \t\r]*(?://[^\n]*)?(?:\n|\Z)")
_RESULTS = rf"""%[\w$.-]+(?::[0-9]+)?(?:{GAP},{GAP}%[\w$.-]+(?::[0-9]+)?){{0,1000}}{GAP}={GAP}["A-Za-z]"""
_SURE = rf"""{_RESULTS}
    | %[\w$.-]+(?:[ ]*,[ ]*%[\w$.-]+)*[ ]+[A-Za-z_][\w$]*\.[A-Za-z_]  # the `=` is missing
    | "[^"\\\n]*"\(
    | \^[\w$.-]+[ ]*[:(]"""
# The head of a function with named arguments.
_SIGNATURE = re.compile(r"[a-z_]+\.[a-z_]+ +(?:private +|public +)?@[\w$.]+ *\( *%", re.ASCII)
# What stands in front of a `(` in which no region can be: the name of a function, or the arrow of its results.
_BEFORE_TYPES = re.compile(r"(?:@[\w$.]+|->)\s*\Z", re.ASCII)
_COMMENT = re.compile(r"//[^\n]*")
_ONLY_RETURN = re.compile(r"\{[ \t\r]*\n\s*return\s*\}")  # a region that looks like a dictionary
_ONE_OP = re.compile(rf"\{{{GAP}(?:return|[A-Za-z_][\w$]*\.[\w$.]+){GAP}\}}", re.ASCII)  # the same, on any lines
# What begins a statement if it begins a line; the first three do so even where a dictionary may be open.
_SURE_STATEMENT = re.compile(rf"[ \t\r]*(?:{_SURE})", re.VERBOSE | re.ASCII)
_STATEMENT = re.compile(
    rf"""[ \t\r]*(?:{_SURE}
    | [A-Za-z_][\w$]*\.[\w$.]+(?![\w$.])(?![ \t]*[=,])  # a dotted name that is no entry of a dictionary
    | (?:return|module|call)\b
    | [\#!][\w$.]+[ ]*=
    | \{{-\#
    | \}}
    )""",
    re.VERBOSE | re.ASCII,
)


def read_part(machine: Machine, start: str, lexer: Lexer) -> Any:
    """What the rule `start` gives for all tokens of `lexer`. Raises the first error."""
    run, reading = machine.begin(start), lexer.reading
    reading.next_region = 0
    value = None
    for token in lexer.tokens():
        if token.type == "ERROR":
            raise lexical_error(lexer.message, token)
        if token.type == "RESULTS" and not token.text.endswith("="):
            raise missing_equal(token)
        try:
            value = run.feed(token)
        except UnexpectedToken:
            raise syntax_error(run, token, lexer.opened_before(token)) from None
        reading.end = token.end
    reading.tokens = lexer.count
    return value


@dataclass
class Frame:
    """A region that is being read, or the whole text.

    checkpoint: the size of the parser's stack before the statement at hand; brackets: how many brackets are open, its
    own included; pos: where it opens; opening: the tokens that stand for this statement if it cannot be read; has_region:
    a region of this statement was read.
    """

    checkpoint: int
    brackets: int
    pos: int
    opening: list[Token] = field(default_factory=list)
    has_region: bool = False


class Driver:
    """Feeds the tokens of a lexer to the parser; `errors` has all mistakes, in order."""

    def __init__(self, machine: Machine, start: str, lexer: Lexer) -> None:
        self.parsing = machine.begin(start)
        self.lexer = lexer
        self.reading: Reading = lexer.reading
        self.errors: list[TirError] = []
        self.frames = [Frame(1, 0, 0)]
        self._restart = -1

    def run(self) -> Any:
        """What the start rule gives; None if a limit stopped it."""
        try:
            for token in self.lexer.tokens():
                if token.type == "$END":
                    return self._finish(token)
                self._take(token)
                self.reading.end = token.end
        except LimitError as error:
            self.errors.append(error)
        return None

    def _take(self, token: Token) -> None:
        if token.type == "ERROR":
            if self.lexer.fresh and self.lexer.in_region:
                self._end_statement(token)
            self._recover(token, lexical_error(self.lexer.message, token))
            return
        if self._lacks_brace(token):
            self._open_region(token)
        if token.type == "RESULTS" and not token.text.endswith("="):
            self._add(missing_equal(token))
        if token.type in ("REGION_OPEN", "DICTIONARY_OPEN") and self._is_behind_open_bracket(token):
            self.lexer.opened.pop()
            self._recover(token, self._syntax_error(token))
            return
        try:
            self._feed(token)
        except UnexpectedToken:
            if not self._close_regions(token):
                self._recover(token, self._syntax_error(token))
        except LimitError:
            raise
        except TirError as error:
            self._recover(token, error)

    def _lacks_brace(self, token: Token) -> bool:
        """The statement at hand is a function with named arguments, and what follows belongs to its body."""
        if token.type not in ("RESULTS", "NAME") or len(self.frames) > 1 or self.lexer.opened or not self.lexer.fresh:
            return False
        opening = self.frames[0].opening
        if not opening or self.frames[0].has_region or self._indent(token.pos) <= self._indent(opening[0].pos):
            return False
        return _SIGNATURE.match(self.reading.text, opening[0].pos) is not None

    def _indent(self, pos: int) -> int:
        """How far from the beginning of its line."""
        return pos - self.reading.text.rfind("\n", 0, pos)

    def _open_region(self, token: Token) -> None:
        """Goes on as if a `{` stood before the token."""
        self._add(missing_brace(self.reading))
        self.lexer.open_region(token.pos)
        self._feed(Token("REGION_OPEN", "{", token.pos, self.reading))

    def _is_behind_open_bracket(self, token: Token) -> bool:
        """The region begins inside of a bracket where none can: the bracket was not closed."""
        opened = self.lexer.opened_before(token)
        if not opened or opened[-1].char == "{":
            return False
        is_region = token.type == "REGION_OPEN" or _ONLY_RETURN.match(self.reading.text, token.pos) is not None
        if not is_region and self.lexer.previous != "LPAR":
            return False
        begin = opened[-1].pos
        is_generic = self.lexer.previous in ("LPAR", "COMMA")
        before = self.reading.text[self.reading.text.rfind("\n", 0, max(0, begin - 100)) + 1 : begin]
        return not is_generic or _BEFORE_TYPES.search(_COMMENT.sub("", before)) is not None

    def _end_statement(self, token: Token) -> None:
        """The statement before the one that begins with this token is whole; it may turn out to be wrong."""
        name = Token("NAME", "", token.pos, self.reading)
        try:
            self._feed(name)
        except (UnexpectedToken, TirError) as error:
            if isinstance(error, TirError):
                self._add(error)
            if isinstance(error, LimitError):
                raise
            self._cut(self.frames[-1])
            self._feed_opening(self.frames[-1])
            self._feed(name)

    def _close_regions(self, token: Token) -> bool:
        """A definition stands at the top level: what is open above it was not closed. False if nothing is open."""
        if token.type not in _TOP_LEVEL or len(self.frames) == 1:
            return False
        self._add(self._syntax_error(token))
        while len(self.frames) > 1:
            self._close_frame(token)
        self._recover(token, Reported())
        return True

    def _feed(self, token: Token) -> Any:
        before = self.lexer.previous
        value = self.parsing.feed(token)
        kind = token.type
        if kind in STATEMENT_STARTS and before != "RESULTS":
            frame = self.frames[-1]
            frame.checkpoint = len(self.parsing.states) - 1
            frame.opening, frame.has_region = [token], False
        elif kind in ("NAME", "GENERIC"):
            self.frames[-1].opening.append(token)
        elif kind == "REGION_OPEN":
            self.frames.append(Frame(len(self.parsing.states), len(self.lexer.opened), token.pos))
        elif kind == "DICTIONARY_OPEN" and _ONE_OP.match(self.reading.text, token.pos) is not None:
            self.frames[-1].has_region = True
        elif kind == "RBRACE" and len(self.lexer.opened) < self.frames[-1].brackets:
            self.frames.pop()
            self.frames[-1].has_region = True
        return value

    def _finish(self, token: Token) -> Any:
        """The end of the text; regions that are still open are closed here, with one error for the innermost."""
        reported = False
        while True:
            try:
                return self._feed(token)
            except UnexpectedToken:
                error: TirError = self._syntax_error(token)
            except LimitError:
                raise
            except TirError as mistake:
                error = mistake
                reported = False
            if not reported:
                self._add(error)
            reported = True
            if not self._close_frame(token):
                return None

    def _close_frame(self, token: Token) -> bool:
        """Closes the innermost region before `token`, without the statement at hand if it has a mistake.

        False if no region is open and the statement at hand was dropped before.
        """
        frame = self.frames[-1]
        if len(self.frames) == 1:
            self._cut(frame)
            self._feed_opening(frame)
            self._restart, before = token.pos, self._restart
            return before != token.pos
        brace = Token("RBRACE", "}", token.pos, self.reading)
        del self.lexer.opened[frame.brackets - 1 :]
        try:
            self._feed(brace)
        except (UnexpectedToken, TirError):
            self._cut(frame)
            self._feed_opening(frame)
            self._feed(brace)
        return True

    # --- recovery --------------------------------------------------------------------------------------------------

    def _syntax_error(self, token: Token) -> TirError:
        return syntax_error(self.parsing, token, self.lexer.opened_before(token))

    def _add(self, error: TirError) -> None:
        if isinstance(error, Reported) or any(error.location == known.location for known in self.errors[-3:]):
            return
        self.errors.append(error)
        if len(self.errors) == MAX_ERRORS:
            raise LimitError(f"more than {MAX_ERRORS} errors; the rest of the text was not read", error.location)

    def _recover(self, token: Token, error: TirError) -> None:
        """Notes the error and sets parser and lexer to the start of the next statement."""
        self._add(error)
        if self.lexer.closed is not None:
            self.lexer.opened.append(self.lexer.closed)
        frame = self.frames[-1]
        depth = sum(1 for bracket in self.lexer.opened[frame.brackets :] if bracket.char == "{")
        if token.type == "ERROR":  # a string without its end may have taken in what closes them
            depth = max(0, depth - token.text.count("}"))
        restart = self._next_start(token, depth)
        self._cut(frame)
        self._feed_opening(frame)
        self.reading.affine_names = None
        self._restart = restart
        self.lexer.restart(restart)

    def _cut(self, frame: Frame) -> None:
        """Takes parser and lexer back to before the statement at hand."""
        del self.parsing.states[frame.checkpoint :]
        del self.parsing.values[frame.checkpoint - 1 :]
        del self.lexer.opened[frame.brackets :]
        self.reading.end = self.lexer.pos

    def _feed_opening(self, frame: Frame) -> None:
        """What stands for a statement that cannot be read: its results and no name, or its label and no arguments."""
        for token in frame.opening:
            if token.type in ("ATTRIBUTE_ALIAS", "TYPE_ALIAS"):
                self.reading.broken.add(alias_of(token))
            if token.type in ("NAME", "GENERIC"):
                token = Token("NAME", "", token.pos, self.reading)
            if token.type in ("RESULTS", "NAME", "LABEL"):
                self.parsing.feed(token)
        kinds = [token.type for token in frame.opening]
        if kinds == ["RESULTS"]:
            self.parsing.feed(Token("NAME", "", frame.opening[0].pos, self.reading))
        if kinds == ["LABEL"]:
            self.parsing.feed(Token("COLON", ":", frame.opening[0].end, self.reading))
            frame.checkpoint = len(self.parsing.states)
        if kinds and kinds[0] not in _OP_BEGINNINGS:
            frame.opening = []

    def _next_start(self, token: Token, depth: int) -> int:
        """Where reading goes on. depth: how many `{` of the statement at hand are open."""
        text, end = self.reading.text, self.lexer.end
        pos = token.pos
        first = self.frames[-1].opening[0].pos if self.frames[-1].opening else -1
        if self.lexer.fresh and pos not in (first, self._restart) and self._starts(pos, depth):
            return pos
        if token.type == "ERROR" and token.text.startswith('"'):
            region = _REGION_AT_END.search(token.text)
            if region is not None and depth == 0 and self._stand_in(token):
                return pos + region.start()
        if pos == self._restart or token.type == "ERROR":
            pos = token.end
        for piece in _PIECE.finditer(text, pos, end):
            found, at = piece[0], piece.start()
            if found == "\n" and self._starts(at + 1, depth):
                return at + 1
            if found == "{":
                if depth == 0 and at > self._restart and _LINE_END.match(text, at + 1) and self._stand_in(token):
                    return self._with_parenthesis(at)
                depth += 1
            elif found == "}":
                if depth == 0 and self._closes_region(at):
                    return at
                depth = max(0, depth - 1)
        return end

    def _stand_in(self, token: Token) -> bool:
        """Makes sure that an op stands for the statement at hand, to hold a region; False if it cannot be an op."""
        frame = self.frames[-1]
        if not frame.opening:
            frame.opening = [Token("NAME", "", token.pos, self.reading)]
        return frame.opening[0].type in _OP_BEGINNINGS

    def _with_parenthesis(self, at: int) -> int:
        """The offset of `({` if `at` is the `{` in it."""
        paren = at - 1
        while paren >= 0 and self.reading.text[paren] == " ":
            paren -= 1
        return paren if paren > self._restart and self.reading.text[paren] == "(" else at

    def _closes_region(self, at: int) -> bool:
        """A `}` closes the region at hand if it is the first on its line, or on the line of the region's `{`."""
        if len(self.frames) == 1:
            return False
        text, opening = self.reading.text, self.frames[-1].pos
        line = text.rfind("\n", 0, at) + 1
        return opening >= line or text[line:at].isspace() or line == at

    def _starts(self, pos: int, depth: int) -> bool:
        pattern = _SURE_STATEMENT if depth else _STATEMENT
        return pattern.match(self.reading.text, pos, self.lexer.end) is not None


_OP_BEGINNINGS = frozenset(("RESULTS", "NAME", "GENERIC"))
_TOP_LEVEL = frozenset(("ATTRIBUTE_ALIAS", "TYPE_ALIAS", "METADATA"))
