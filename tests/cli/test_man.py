"""Manual pages: every flag is in them, and the programs that show them have nothing to complain about."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tir.cli.reference import TOOLS, parser_of, pass_flags, topics
from tools import gen_man

TOOL_NAMES = sorted(TOOLS)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all pages, laid out as `man` looks for them."""
    folder = tmp_path_factory.mktemp("man") / "man1"
    assert gen_man.main([str(folder)]) == 0
    return folder


def output_of(*command: str | Path) -> str:
    """What a command prints, on both streams; skips the test where it is not installed."""
    if shutil.which(str(command[0])) is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run([str(part) for part in command], capture_output=True, check=False,
                          env={"PATH": "/usr/bin:/bin:/usr/local/bin", "LC_ALL": "C.UTF-8", "MANWIDTH": "500"})  # fmt: skip
    return (done.stdout + done.stderr).decode("utf-8")


def shown(text: str) -> str:
    """A page as a person reads it: without overstrikes and escape sequences, on one line."""
    text = re.sub(r".\x08|\x1b\[[0-9;]*m", "", text)
    return re.sub(r"\s+", " ", text)


def wanted(tool: str) -> list[str]:
    flags = [flag for topic in topics(parser_of(tool)) for flag in topic.flags]
    return [flag.usage for flag in [*flags, *(pass_flags() if tool == "tir-opt" else [])]]


@pytest.mark.parametrize("tool", TOOL_NAMES)
@pytest.mark.parametrize("command", [("mandoc", "-T", "utf8"), ("groff", "-man", "-Tutf8"), ("man", "-l")], ids=lambda c: c[0])
def test_page_shows_every_flag(pages: Path, tool: str, command: tuple[str, ...]) -> None:
    text = shown(output_of(*command, pages / f"{tool}.1"))
    assert not [usage for usage in wanted(tool) if usage not in text]
    for title in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "ENVIRONMENT", "SEE ALSO"):
        assert title in text


@pytest.mark.parametrize("tool", TOOL_NAMES)
def test_examples_are_shown_as_they_are_typed(pages: Path, tool: str) -> None:
    text = shown(output_of("mandoc", "-T", "utf8", pages / f"{tool}.1"))
    for line in (parser_of(tool).epilog or "").split("\n"):
        assert line == "examples:" or shown(line).strip() in text


@pytest.mark.parametrize("tool", TOOL_NAMES)
@pytest.mark.parametrize("command", [
    ("mandoc", "-T", "lint", "-W", "warning"), ("groff", "-man", "-ww", "-z", "-Tutf8"),
], ids=lambda c: c[0])  # fmt: skip
def test_page_is_correct_roff(pages: Path, tool: str, command: tuple[str, ...]) -> None:
    assert output_of(*command, pages / f"{tool}.1") == ""


def test_pages_are_the_same_for_the_same_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    assert gen_man.man_page("tir-opt").startswith('.TH TIR-OPT 1 "1970-01-01" "tir ')


def test_text_that_roff_would_read_as_commands_is_escaped() -> None:
    assert gen_man.escaped(".SH\n'x' -\\n") == "\\&.SH\n\\&'x' \\-\\en"
