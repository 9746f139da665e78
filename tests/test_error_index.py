"""The index of errors: each message of tir stands in docs/errors.md with cause and cure, and is met by a test."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tools.error_index import INDEX, collected, indexed, messages

ROOT = Path(__file__).resolve().parent.parent
UNTESTED = ROOT / "tests" / "untested_messages.txt"
HOW = "add a line `- `MESSAGE`` to a family of messages in docs/errors.md, or a new family with its cause and `Cure: ..`"


def test_every_message_stands_in_the_index() -> None:
    missing = sorted(set(collected()) - set(indexed(INDEX.read_text(encoding="utf-8"))))
    assert not missing, f"{HOW}:\n" + "\n".join(missing)


def test_the_index_has_no_message_that_tir_no_longer_gives() -> None:
    stale = sorted(set(indexed(INDEX.read_text(encoding="utf-8"))) - set(collected()))
    assert not stale, "take these lines out of docs/errors.md:\n" + "\n".join(stale)


def test_no_message_stands_in_the_index_twice() -> None:
    entries = indexed(INDEX.read_text(encoding="utf-8"))
    assert sorted(entries) == sorted(set(entries))


def test_every_family_of_messages_has_cause_and_cure() -> None:
    index = INDEX.read_text(encoding="utf-8").partition("\n## Index\n")[2]
    families = re.split(r"\n\n(?=- )", index)[1:]
    assert len(families) > 60
    for family in families:
        paragraph = family.split("\n\n")[1] if "\n\n" in family else ""
        assert re.search(r"\bCure:\s", paragraph), f"no cure: {family[:200]}"


def test_messages_are_found_in_each_way_of_saying_them() -> None:
    source = """
raise TirError(f"a {x}{y} is no {z!r}", location)
fail(op, "must stand " f"in {x}", note)
message = f"bad {x}" if x else "two words"
raise self.reader.expected("a thing", "a hint that is no message")
raise _module_error("no such " "thing")
raise AssertionError("a bug in tir")
log("no message at all")
"""
    assert sorted(messages(ast.parse(source))) == [
        "a {..} is no {..}", "bad {..}", "expected a thing, got {..}", "must stand in {..}", "no such thing", "two words",
    ]  # fmt: skip


@pytest.mark.parametrize("text", sorted(collected()))
def test_message_is_in_the_style_of_the_others(text: str) -> None:
    """Lower case, but for names; no full stop; no words of Python or of the grammar; 'quotes' around names."""
    first = text.removeprefix("{..}: ").split(" ")[0]
    assert first[:1].islower() or not first.isalpha() or first in ("LLVM", "ELF", "Graphviz"), text
    assert not text.endswith((".", "!")) or text.endswith(".."), text
    assert not re.search(r"\b(NoneType|TypeError|ValueError|KeyError|AttributeError|dataclass|token|lexer|None is)\b", text)
    assert not re.search(r"\b(LPAR|RPAR|LSQB|RSQB|SHAPED|RBRACE|REGION_OPEN|SUCCESSOR|WORD|PUNCT)\b", text), text


# --- each message is met by a test -----------------------------------------------------------------------------------


@cache
def text_of_tests() -> str:
    """All tests as one text, without the backslashes and brackets that patterns put in front of signs."""
    files = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "tests").rglob("*.tir"), *(ROOT / "docs").glob("*.md")]
    kept = [path for path in files if path not in (Path(__file__), INDEX)]
    return re.sub(r"\\", "", "\n".join(path.read_text(encoding="utf-8") for path in sorted(kept)))


def is_tested(message: str) -> bool:
    """30 characters of the longest part that is always the same stand in a test, or all of it if it is shorter."""
    longest = max((part.strip(" '") for part in message.split("{..}")), key=len).replace("\\", "")
    windows = [longest[i : i + 30] for i in range(max(1, len(longest) - 29))]
    return any(window in text_of_tests() for window in windows)


def test_every_message_is_met_by_a_test_but_for_those_that_are_listed() -> None:
    """A new message comes with a test; tests/untested_messages.txt has the older ones without, and only gets shorter."""
    listed = set(UNTESTED.read_text(encoding="utf-8").splitlines())
    untested = {message for message in collected() if not is_tested(message)}
    assert not untested - listed, "no test has these messages; write one for each:\n" + "\n".join(sorted(untested - listed))
    assert not listed - untested, "tested or gone, take them out of the list:\n" + "\n".join(sorted(listed - untested))
