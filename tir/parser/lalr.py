"""The LALR(1) machine of the parser, and the tables that it runs.

lark makes the tables of grammar.lark, which takes ten times as long as reading a small file. They are data, so
`grammar.json` beside the grammar keeps them (written by `tools/gen_grammar.py`); a grammar that was edited since is
read by lark. No code is loaded from the file, and nothing here recurses.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from typing import Any

from tir.lazy import lark

__all__ = ["Machine", "Run", "UnexpectedToken", "make_tables", "read_tables"]

Tables = dict[str, Any]
Action = Callable[[list[Any]], Any]


class UnexpectedToken(Exception):
    """No statement of the grammar goes on with this token."""


# --- tables ----------------------------------------------------------------------------------------------------------


def fingerprint(grammar: str) -> list[int]:
    """What tells a grammar from an edited one."""
    return [len(grammar), zlib.crc32(grammar.encode("utf-8"))]


def read_tables(text: str, grammar: str, starts: list[str]) -> Tables:
    """The tables in `text` if they belong to the grammar, else new ones."""
    tables = json.loads(text)
    return tables if tables.get("grammar") == fingerprint(grammar) else make_tables(grammar, starts)


def make_tables(grammar: str, starts: list[str]) -> Tables:
    """What lark makes of the grammar, as lists, dictionaries and strings; the same for each run.

    rows: for each state what comes behind which symbol: a state, or ~n for the end of rule n. rules: what each is a
    case of, how many symbols it has, and the name of its action; none for one that passes its only value on.
    """
    built = lark.Lark(grammar, parser="lalr", start=starts, keep_all_tokens=True, lexer=_no_lexer())
    table = built.parser.parser._parse_table
    rules = sorted(built.rules, key=str)
    rule_numbers = {rule: i for i, rule in enumerate(rules)}
    states = _in_order(table, starts)
    numbers = {state: i for i, state in enumerate(states)}
    return {
        "grammar": fingerprint(grammar),
        "starts": {name: [numbers[table.start_states[name]], numbers[table.end_states[name]]] for name in starts},
        "terminals": {one.name: one.pattern.to_regexp() for one in sorted(built.terminals, key=lambda one: one.name)},
        "rules": [[str(rule.origin.name), len(rule.expansion), _action_name(rule)] for rule in rules],
        "rows": [
            {
                symbol: numbers[arg] if isinstance(arg, int) else ~rule_numbers[arg]
                for symbol, (_, arg) in sorted(table.states[state].items())
            }
            for state in states
        ],
    }


def _in_order(table: Any, starts: list[str]) -> list[int]:
    """The states, each behind one that leads to it: lark's own numbers change from run to run."""
    states = [table.start_states[name] for name in starts]
    known = set(states)
    for state in states:  # which grows
        for _, (_, arg) in sorted(table.states[state].items()):
            if isinstance(arg, int) and arg not in known:
                known.add(arg)
                states.append(arg)
    return states


def _no_lexer() -> type:
    """In the place of lark's lexer, which need not be built: our tokens are fed to the machine one by one."""

    class FedByHand(lark.lexer.Lexer):
        def __init__(self, conf: object) -> None:
            pass

        def lex(self, *args: object) -> Any:
            raise AssertionError("tokens are fed by hand")

    return FedByHand


def _action_name(rule: Any) -> str | None:
    return None if rule.options.expand1 and len(rule.expansion) == 1 else rule.alias or rule.origin.name


# --- the machine -----------------------------------------------------------------------------------------------------


class Machine:
    """The tables with their actions: the methods of `actions` of the same names. It has no state: `begin` starts a run."""

    def __init__(self, tables: Tables, actions: object) -> None:
        self.rows: list[dict[str, int]] = tables["rows"]
        self.rules: list[tuple[str, int, Action]] = [
            (origin, size, getattr(actions, name) if name else _only) for origin, size, name in tables["rules"]
        ]
        self.terminals: dict[str, str] = tables["terminals"]
        self._starts: dict[str, list[int]] = tables["starts"]

    def begin(self, start: str) -> Run:
        """Begins to read what the rule `start` describes."""
        return Run(self, *self._starts[start])


def _only(values: list[Any]) -> Any:
    return values[0]


class Run:
    """One text, or a part of one, on its way through the machine.

    states: where the machine is and how it got there; values: what the symbols on the way stand for, one less.
    """

    __slots__ = ("_end", "_rows", "_rules", "states", "values")

    def __init__(self, machine: Machine, start: int, end: int) -> None:
        self._rows = machine.rows
        self._rules = machine.rules
        self._end = end
        self.states = [start]
        self.values: list[Any] = []

    def feed(self, token: Any) -> Any:
        """Takes a token; behind the last, of type $END, the value of the whole. Raises UnexpectedToken."""
        kind, rows, states, values = token.type, self._rows, self.states, self.values
        while True:
            found = rows[states[-1]].get(kind)
            if found is None:
                raise UnexpectedToken
            if found >= 0:
                states.append(found)
                values.append(token)
                return None
            origin, size, action = self._rules[~found]
            made: list[Any] = []
            if size:
                made = values[-size:]
                del states[-size:], values[-size:]
            value = action(made)
            states.append(rows[states[-1]][origin])
            values.append(value)
            if kind == "$END" and states[-1] == self._end:
                return value

    def accepts(self) -> set[str]:
        """The types of the tokens that may come next."""
        return {kind for kind in self._rows[self.states[-1]] if kind.isupper() and self._accepts(kind)}

    def _accepts(self, kind: str) -> bool:
        """A state may have an entry for a token that no state behind it takes."""
        states = list(self.states)
        while True:
            found = self._rows[states[-1]].get(kind)
            if found is None or found >= 0:
                return found is not None
            origin, size, _ = self._rules[~found]
            del states[len(states) - size :]
            states.append(self._rows[states[-1]][origin])
            if kind == "$END" and states[-1] == self._end:
                return True
