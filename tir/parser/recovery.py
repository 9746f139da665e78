"""Running the LALR parser over a text, and going on behind a mistake, at the start of the next statement.

The op with the mistake becomes an op without a name: its results and a region behind it stay known, so that one
mistake is one error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from tir.ir.errors import LimitError, TirError
from tir.lazy import lark
from tir.parser.messages import syntax_error
from tir.parser.reading import MAX_ERRORS, Reading, Reported
from tir.parser.tokens import STATEMENT_STARTS, Lexer, Token

__all__ = ["Driver", "read_part"]

# Pieces of text that matter when looking for the next statement.
_PIECE = re.compile(r'"[^"\\\n]*(?:\\.[^"\\\n]*)*"|//[^\n]*|[{}\n]')
_REGION_AT_END = re.compile(r"(?:\(\s*)?\{[ \t\r]*\Z")
_LINE_END = re.compile(r"[ \t\r]*(?://[^\n]*)?(?:\n|\Z)")
_RESULTS = r"""%[\w$.-]+(?::[0-9]+)?(?:[ ]*,[ ]*%[\w$.-]+(?::[0-9]+)?)*[ ]*=[ ]*["A-Za-z]"""
_SURE = rf"""{_RESULTS}
    | "[^"\\\n]*"\(
    | \^[\w$.-]+[ ]*[:(]"""
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


def read_part(parser: Any, start: str, lexer: Lexer) -> Any:
    """What the rule `start` gives for all tokens of `lexer`. Raises the first error."""
    interactive = parser.parse_interactive(start=start)
    state, reading = interactive.parser_state, lexer.reading
    reading.next_region = 0
    value = None
    for token in lexer.tokens():
        if token.type == "ERROR":
            raise reading.error(lexer.message, token.pos)
        try:
            value = state.feed_token(token, token.type == "$END")
        except lark.UnexpectedToken:
            raise syntax_error(interactive, token, lexer.opened_before(token)) from None
        reading.end = token.end
    reading.tokens = lexer.count
    return value


@dataclass
class Frame:
    """A region that is being read, or the whole text.

    checkpoint: the size of the parser's stack before the statement at hand; brackets: how many brackets are open, its
    own included; pos: where it opens; opening: the tokens that stand for this statement if it cannot be read.
    """

    checkpoint: int
    brackets: int
    pos: int
    opening: list[Token] = field(default_factory=list)


class Driver:
    """Feeds the tokens of a lexer to the parser; `errors` has all mistakes, in order."""

    def __init__(self, parser: Any, start: str, lexer: Lexer) -> None:
        self.parser = parser.parse_interactive(start=start)
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
            self._recover(token, self.reading.error(self.lexer.message, token.pos))
            return
        try:
            self._feed(token)
        except lark.UnexpectedToken:
            if not self._close_regions(token):
                self._recover(token, self._syntax_error(token))
        except LimitError:
            raise
        except TirError as error:
            self._recover(token, error)

    def _end_statement(self, token: Token) -> None:
        """The statement before the one that begins with this token is whole; it may turn out to be wrong."""
        name = Token("NAME", "", token.pos, self.reading)
        try:
            self._feed(name)
        except (lark.UnexpectedToken, TirError) as error:
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
        state = self.parser.parser_state
        before = self.lexer.previous
        value = state.feed_token(token, token.type == "$END")
        kind = token.type
        if kind in STATEMENT_STARTS and before != "RESULTS":
            frame = self.frames[-1]
            frame.checkpoint = len(state.state_stack) - 1
            frame.opening = [token]
        elif kind in ("NAME", "GENERIC"):
            self.frames[-1].opening.append(token)
        elif kind == "REGION_OPEN":
            self.frames.append(Frame(len(state.state_stack), len(self.lexer.opened), token.pos))
        elif kind == "RBRACE" and len(self.lexer.opened) < self.frames[-1].brackets:
            self.frames.pop()
        return value

    def _finish(self, token: Token) -> Any:
        """The end of the text; regions that are still open are closed here, with one error for the innermost."""
        reported = False
        while True:
            try:
                return self._feed(token)
            except lark.UnexpectedToken:
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
        except (lark.UnexpectedToken, TirError):
            self._cut(frame)
            self._feed_opening(frame)
            self._feed(brace)
        return True

    # --- recovery --------------------------------------------------------------------------------------------------

    def _syntax_error(self, token: Token) -> TirError:
        return syntax_error(self.parser, token, self.lexer.opened_before(token))

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
        state = self.parser.parser_state
        del state.state_stack[frame.checkpoint :]
        del state.value_stack[frame.checkpoint - 1 :]
        del self.lexer.opened[frame.brackets :]
        self.reading.end = self.lexer.pos

    def _feed_opening(self, frame: Frame) -> None:
        """What stands for a statement that cannot be read: its results and no name, or its label and no arguments."""
        for token in frame.opening:
            if token.type in ("ATTRIBUTE_ALIAS", "TYPE_ALIAS"):
                self.reading.broken.add(token.text[:-1].rstrip())
            if token.type in ("NAME", "GENERIC"):
                token = Token("NAME", "", token.pos, self.reading)
            if token.type in ("RESULTS", "NAME", "LABEL"):
                self.parser.parser_state.feed_token(token)
        kinds = [token.type for token in frame.opening]
        if kinds == ["RESULTS"]:
            self.parser.parser_state.feed_token(Token("NAME", "", frame.opening[0].pos, self.reading))
        if kinds == ["LABEL"]:
            self.parser.parser_state.feed_token(Token("COLON", ":", frame.opening[0].end, self.reading))
            frame.checkpoint = len(self.parser.parser_state.state_stack)
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
