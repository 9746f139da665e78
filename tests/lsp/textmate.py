"""A TextMate grammar, run as editors run it: by lines, the earliest match wins, the first pattern among equals.

It knows what editors/tir.tmLanguage.json uses: match, begin and end, captures, includes. (Compared by hand with
vscode-textmate on Oniguruma: the same tokens on every example and lit test.)
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple


class Piece(NamedTuple):
    """A piece of a line with one list of scopes."""

    line: int
    start: int
    text: str
    scopes: tuple[str, ...]


@dataclass
class _Open:
    """A rule with `begin` that is open."""

    rule: dict[str, Any]
    scopes: tuple[str, ...]


class Grammar:
    def __init__(self, path: Path) -> None:
        self.grammar = json.loads(path.read_text(encoding="utf-8"))
        self.repository: dict[str, Any] = self.grammar["repository"]
        self.compiled: dict[str, re.Pattern[str]] = {}

    def pattern(self, text: str) -> re.Pattern[str]:
        if text not in self.compiled:
            self.compiled[text] = re.compile(text, re.ASCII)
        return self.compiled[text]

    def rules(self, patterns: list[dict[str, Any]], seen: frozenset[str] = frozenset()) -> Iterator[dict[str, Any]]:
        """The rules with their includes written out, in order."""
        for one in patterns:
            name = one.get("include", "")[1:]
            if not name:
                yield from self.rules(one["patterns"], seen) if "patterns" in one and "begin" not in one else [one]
            elif name not in seen:
                yield from self.rules([self.repository[name]], seen | {name})

    def pieces(self, text: str) -> list[Piece]:
        """All pieces of a text, blank ones too."""
        stack = [_Open({"patterns": self.grammar["patterns"]}, ())]
        return [piece for i, line in enumerate(text.split("\n")) for piece in self.line(i, line + "\n", stack)]

    def line(self, number: int, line: str, stack: list[_Open]) -> Iterator[Piece]:
        at = 0
        while at < len(line):
            top = stack[-1]
            rule, found = self.first(top, line, at)
            if found is None:
                yield Piece(number, at, line[at:], top.scopes)
                return
            if found.start() > at:
                yield Piece(number, at, line[at : found.start()], top.scopes)
            if rule is None:
                yield from self.captured(number, found, top.rule.get("endCaptures", {}), top.scopes)
                stack.pop()
            else:
                scopes = top.scopes + tuple(rule.get("name", "").split())
                captures = rule.get("captures", rule.get("beginCaptures", {}))
                yield from self.captured(number, found, captures, scopes)
                if "begin" in rule:
                    stack.append(_Open(rule, scopes))
            assert found.end() > at or rule is None, f"{rule} matches nothing"
            at = found.end()

    def first(self, top: _Open, line: str, at: int) -> tuple[dict[str, Any] | None, re.Match[str] | None]:
        """The rule that matches first, None for the end of what is open; and the match."""
        best: tuple[dict[str, Any] | None, re.Match[str] | None] = (None, None)
        if "end" in top.rule:
            best = (None, self.pattern(top.rule["end"]).search(line, at))
        for rule in self.rules(top.rule["patterns"]):
            found = self.pattern(rule.get("match", rule.get("begin"))).search(line, at)
            if found is not None and (best[1] is None or found.start() < best[1].start()):
                best = (rule, found)
        return best

    def captured(self, number: int, found: re.Match[str], captures: dict[str, Any], scopes: tuple[str, ...]) -> list[Piece]:
        """The pieces of a match, cut by its groups, which do not overlap."""
        whole = scopes + tuple(captures.get("0", {}).get("name", "").split())
        pieces, at = [], found.start()
        for group in range(1, (found.re.groups or 0) + 1):
            name = captures.get(str(group), {}).get("name")
            if name is None or found.start(group) < 0:
                continue
            start, end = found.span(group)
            pieces += [Piece(number, at, found.string[at:start], whole)] if start > at else []
            pieces += [Piece(number, start, found[group], whole + tuple(name.split()))] if end > start else []
            at = end
        if found.end() > at:
            pieces.append(Piece(number, at, found.string[at : found.end()], whole))
        return pieces
