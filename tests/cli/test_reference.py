"""The reference of the command line is complete: every tool, every flag, a sentence and a test for each."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from lit.ShCommands import Command, Pipeline, Seq
from lit.ShUtil import ShParser

from tests.lit_runner import discover, run_lines
from tir.cli.reference import TOOLS, Flag, parser_of, pass_flags, topics
from tir.passes.pipelines import PASSES, PIPELINES

ROOT = Path(__file__).resolve().parents[2]
TOOL_NAMES = sorted(TOOLS)


def flags_of(tool: str) -> list[Flag]:
    """The flags of a tool, passes included."""
    flags = [flag for topic in topics(parser_of(tool)) for flag in topic.flags if flag.names]
    return flags + pass_flags() if tool == "tir-opt" else flags


def commands_in(line: Seq | Pipeline | Command) -> Iterator[list[str]]:
    """The commands of a RUN line, each without the `not` in front of it."""
    pending = [line]
    while pending:
        part = pending.pop()
        if isinstance(part, Command):
            words = [str(word) for word in part.args]
            while words[:1] == ["not"]:
                words = words[1:]
            yield words
        else:
            pending += part.commands if isinstance(part, Pipeline) else [part.lhs, part.rhs]


@cache
def flags_in_run_lines() -> dict[str, set[str]]:
    """Tool -> what its RUN lines in tests/lit give it, without values."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in discover():
        for line in run_lines(path):
            for name, *words in commands_in(ShParser(line, pipefail=True).parse()):
                found[name] |= {word.partition("=")[0] for word in words if word.startswith("-")}
    return found


@pytest.mark.parametrize("tool", TOOL_NAMES)
def test_every_flag_has_a_lit_test(tool: str) -> None:
    missing = [flag.usage for flag in flags_of(tool) if not flags_in_run_lines()[tool] & set(flag.names)]
    assert not missing, f"no RUN line in tests/lit gives {tool} these flags: {', '.join(missing)}"


@pytest.mark.parametrize("tool", TOOL_NAMES)
def test_every_flag_has_a_line_in_the_reference(tool: str) -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    section = page[page.index(f"\n## {tool}\n") + 1 :].partition("\n## ")[0]
    lines = re.findall(r"^- `(.*?)`: (.*)$", section, re.MULTILINE)
    assert [usage for usage, _ in lines] == [flag.usage for topic in topics(parser_of(tool)) for flag in topic.flags] + (
        [flag.usage for flag in pass_flags()] if tool == "tir-opt" else []
    )


@pytest.mark.parametrize("tool", TOOL_NAMES)
def test_every_flag_says_what_it_does(tool: str) -> None:
    for flag in flags_of(tool):
        assert len(flag.help.split()) >= 3 and "%" not in flag.help, flag.usage
        assert flag.names[0] in parser_of(tool).format_help() or flag.names[0][2:] in (*PASSES, *PIPELINES)


def test_every_installed_tool_is_in_the_reference() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    scripts = text[text.index("[project.scripts]") :].partition("\n[")[0]
    assert sorted(re.findall(r"^(tir-\w+) = ", scripts, re.MULTILINE)) == TOOL_NAMES
    assert sorted(path.name for path in (ROOT / "tools").glob("tir-*")) == TOOL_NAMES


def test_kinds_of_values_are_read_from_the_parsers() -> None:
    flags = {name: flag for tool in ("tir-opt", "tir-run") for flag in flags_of(tool) for name in flag.names}
    kinds = {name: flags[name].values.kind for name in ("--color", "-o", "--data", "--print-ir-after", "--print-ir-tree-dir",
                                                        "--canonicalize", "--entry", "--cse")}  # fmt: skip
    assert kinds == {"--color": "words", "-o": "file", "--data": "file", "--print-ir-after": "list", "--entry": "text",
                     "--print-ir-tree-dir": "folder", "--canonicalize": "options", "--cse": "options"}  # fmt: skip
    assert flags["--data"].values.words == ("npz",) and flags["-o"].values.words == ()
    assert flags["--canonicalize"].options == ["fp-mode=strict|stable|fast", "max-iterations=.."]
    assert [flags[name].usage for name in ("-o", "--color", "--cse")] == ["-o FILE", "--color[=auto|always|never]", "--cse"]
