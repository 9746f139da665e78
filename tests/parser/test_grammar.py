"""The grammar itself: no conflict, no rule without an action, and nothing that recurses."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lark
import pytest

from tir.parser.items import Callbacks
from tir.parser.lalr import Machine, UnexpectedToken, make_tables, read_tables
from tir.parser.raw import GRAMMAR, STARTS, TABLES, parser

ROOT = Path(__file__).resolve().parent.parent.parent


def strict(text: str) -> lark.Lark:
    return lark.Lark(text, parser="lalr", lexer="contextual", start=STARTS, keep_all_tokens=True, strict=True)


def test_grammar_has_no_conflict_and_no_two_terminals_that_collide() -> None:
    strict(GRAMMAR.read_text(encoding="utf-8"))


def test_strict_mode_would_see_a_conflict() -> None:
    ambiguous = GRAMMAR.read_text(encoding="utf-8").replace("affine PLUS term", "affine PLUS affine")
    with pytest.raises(lark.exceptions.GrammarError, match="conflict"):
        strict(ambiguous)


def test_actions_and_rules_belong_together() -> None:
    """A rule has an action or passes its only value on; there is no action without a rule."""
    named = {rule.alias or rule.origin.name for rule in lark_parser().rules
             if not (rule.options.expand1 and len(rule.expansion) == 1)}
    assert named == {name for name in dir(Callbacks) if not name.startswith("_")}


def test_parser_is_built_once() -> None:
    assert parser() is parser()


# --- the tables ------------------------------------------------------------------------------------------------------


def lark_parser() -> lark.Lark:
    return lark.Lark(GRAMMAR.read_text(encoding="utf-8"), parser="lalr", start=STARTS, keep_all_tokens=True)


def test_tables_that_come_with_tir_are_those_of_the_grammar() -> None:
    text = GRAMMAR.read_text(encoding="utf-8")
    assert json.loads(TABLES.read_text(encoding="utf-8")) == make_tables(text, STARTS), "run `make docs`"


def test_tables_of_another_grammar_are_not_used() -> None:
    text = 'module: "a" WORD\nWORD: /[a-z]+/\n'
    assert read_tables(TABLES.read_text(encoding="utf-8"), text, ["module"]) == make_tables(text, ["module"])
    assert read_tables("{}", text, ["module"]) == make_tables(text, ["module"])


class Actions:
    """For each rule an action that gives its name and what it is made of."""

    def __getattr__(self, name: str) -> Callable[[list[Any]], Any]:
        return lambda values: lark.Tree(name, values)


@pytest.mark.parametrize("start", STARTS)
def test_machine_reads_what_lark_reads(start: str) -> None:
    """Random walks of tokens: after each the same may come next, and in the end both have made the same tree."""
    rng = random.Random(start)
    machine = Machine(json.loads(TABLES.read_text(encoding="utf-8")), Actions())
    judge = lark_parser()
    ended = 0
    for _ in range(20):
        run, other = machine.begin(start), judge.parse_interactive(start=start)
        while True:
            accepted = run.accepts()
            assert accepted == other.accepts()
            kind = "$END" if "$END" in accepted and rng.random() < 0.3 else rng.choice(sorted(accepted))
            token = lark.Token(kind, "")
            made, expected = run.feed(token), other.feed_token(token)
            assert len(run.states) == len(other.parser_state.state_stack)
            if kind == "$END":
                assert made == expected
                ended += 1
            if kind == "$END" or len(run.states) > 30:
                break
    assert ended > 5


def test_token_that_does_not_fit_is_refused() -> None:
    run = parser().begin("module")
    with pytest.raises(UnexpectedToken):
        run.feed(lark.Token("RBRACE", "}"))
    assert "NAME" in run.accepts()


def run(program: str, text: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program]
    return subprocess.run(command, input=text, capture_output=True, text=True, cwd=ROOT, check=False)


NESTED = {
    "parentheses": ("a.b " + "(" * 10_000 + ")" * 10_000, "1:261"),
    "lists": ("a.b " + "[" * 10_000 + "]" * 10_000, "1:261"),
    "dictionaries": ("a.b " + "{a = " * 10_000 + "}" * 10_000, "1:1285"),
    "regions on one line": ("a.b {" * 10_000 + "}" * 10_000, "1:1285"),
    "regions on lines": ("a.b {\n" * 10_000 + "}\n" * 10_000, "257:5"),
    "generic regions": ('"a.b"() ({\n' * 10_000 + "}) : () -> ()\n" * 10_000, "257:6"),
    "tuples": ("a.b " + "tuple<" * 10_000 + ">" * 10_000, "1:1541"),
    "tensors": ("a.b " + "tensor<4x" * 10_000 + ">" * 10_000, "1:2309"),
    "function types": ("a.b tuple<" + "(" * 10_000, "1:266"),
    "dialect types": ("a.b !x.y" + "<" * 10_000 + ">" * 10_000, "1:265"),
    "affine expressions": ("a.b affine_map<(d0) -> (" + "(" * 10_000, "1:279"),
    "locations": ("a.b loc(" + '"a"(' * 10_000, "1:1032"),
    "regions, ten times as deep": ("a.b {\n" * 100_000 + "}\n" * 100_000, "257:5"),
    "lists, ten times as deep": ("a.b " + "[" * 100_000 + "]" * 100_000, "1:261"),
}


@pytest.mark.parametrize("name", NESTED)
def test_deep_nesting_is_one_located_limit_error_without_recursion(name: str) -> None:
    """Also at a recursion limit of 200, and within two seconds for the deepest text."""
    program = textwrap.dedent("""
        import sys, time
        from tir.ir.errors import LimitError
        from tir.parser.raw import parser, read_text
        parser()
        text = sys.stdin.read()
        sys.setrecursionlimit(200)
        start = time.process_time()
        errors = read_text(text, "t").errors
        assert time.process_time() - start < 2
        assert [type(error) for error in errors] == [LimitError], errors
        print(errors[0])
    """)
    text, place = NESTED[name]
    done = run(program, text)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"t:{place}: ") and "nest deeper than 256" in done.stdout


def test_nesting_up_to_the_limit_is_read_without_recursion() -> None:
    program = textwrap.dedent("""
        import sys
        from tir.parser.raw import parser, read_text
        parser()
        sys.setrecursionlimit(200)
        for text in ["a.b {\\n" * 256 + "}\\n" * 256, "a.b " + "[" * 256 + "]" * 256,
                     "a.b " + "tuple<" * 256 + ">" * 256,
                     '"a.b"() ({\\n' * 256 + "}) : () -> ()\\n" * 256,
                     "a.b affine_map<(d0) -> (" + "(" * 31 + "d0" + " floordiv 2 + 1)" * 31 + ")>"]:
            raw = read_text(text, "t")
            assert not raw.errors, raw.errors[0]
            raw.items(raw.ops[0])
    """)
    done = run(program, "")
    assert done.returncode == 0, done.stderr
