"""Colours in messages: on a terminal, unless the flag or the environment says otherwise; never from the input."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.tool import call
from tir.cli import opt, run, translate
from tir.cli.common import wants_colour
from tir.ir.errors import FileLocation, Renderer, TirError, render

ROOT = Path(__file__).resolve().parents[2]
RED, MAGENTA, BLUE, CYAN, GREEN = (f"\x1b[1;{code}m" for code in (31, 35, 34, 36, 32))
BOLD, PLAIN = "\x1b[1m", "\x1b[0m"
BAD = "func.func @f(%x: f32) {\n  %0 = arith.adf %x, %x : f32\n  return\n}\n"
VARIABLES = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "CLICOLOR", "TERM")


class Terminal:
    """A stream that says whether it is a terminal."""

    def __init__(self, is_terminal: bool) -> None:
        self.isatty = lambda: is_terminal


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(("choice", "environment", "on_terminal", "elsewhere"), [
    ("auto", {"TERM": "xterm"}, True, False),
    ("auto", {"TERM": "dumb"}, False, False),
    ("auto", {}, False, False),
    ("auto", {"TERM": "xterm", "NO_COLOR": "1"}, False, False),
    ("auto", {"TERM": "xterm", "NO_COLOR": ""}, True, False),
    ("auto", {"TERM": "xterm", "CLICOLOR": "0"}, False, False),
    ("auto", {"FORCE_COLOR": "1"}, True, True),
    ("auto", {"CLICOLOR_FORCE": "1", "TERM": "dumb"}, True, True),
    ("auto", {"CLICOLOR_FORCE": "0", "FORCE_COLOR": "", "TERM": "xterm"}, True, False),
    ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
    ("always", {"NO_COLOR": "1", "TERM": "dumb"}, True, True),
    ("never", {"FORCE_COLOR": "1", "TERM": "xterm"}, False, False),
])  # fmt: skip
def test_flag_wins_over_environment_wins_over_terminal(
    monkeypatch: pytest.MonkeyPatch, choice: str, environment: dict[str, str], on_terminal: bool, elsewhere: bool
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert [wants_colour(choice, Terminal(True)), wants_colour(choice, Terminal(False))] == [on_terminal, elsewhere]  # type: ignore[arg-type]


def test_each_kind_has_its_colour() -> None:
    head = Renderer(colour=True).head
    assert head("f:1:2", "error", "no") == f"{BOLD}f:1:2: {RED}error: {PLAIN}{BOLD}no{PLAIN}"
    assert head("", "warning", "no") == f"{MAGENTA}warning: {PLAIN}{BOLD}no{PLAIN}"
    assert head("tir-opt", "remark", "no") == f"{BOLD}tir-opt: {BLUE}remark: {PLAIN}{BOLD}no{PLAIN}"
    assert head("f:1:2", "note", "no") == f"{BOLD}f:1:2: {CYAN}note: {PLAIN}no"


@pytest.mark.parametrize("tool", [(opt.main,), (run.main,), (translate.main, "--to-llvm")])
def test_tools_print_colours_if_they_are_asked_to(tool: tuple) -> None:
    plain, coloured = (call(*tool, f"--color={choice}", "-", stdin=BAD).err for choice in ("never", "always"))
    assert "\x1b" not in plain and f"{GREEN}^{PLAIN}" in coloured and f"{RED}error: {PLAIN}" in coloured
    for code in (RED, GREEN, BOLD, PLAIN):
        coloured = coloured.replace(code, "")
    assert coloured == plain


def test_wrong_command_lines_have_colours_too() -> None:
    done = call(opt.main, "--color", "--nothing")
    assert done.code == 2 and done.err.startswith(f"{BOLD}tir-opt: {RED}error: {PLAIN}{BOLD}unknown argument '--nothing'")
    assert "\x1b" not in call(opt.main, "--color", "--color=never", "--nothing").err


def test_wrong_choice_is_named() -> None:
    done = call(opt.main, "--color=blue")
    assert done.code == 2 and "auto" in done.sentence and "\x1b" not in done.err


def test_flag_alone_leaves_the_next_word_alone(tmp_path: Path) -> None:
    (tmp_path / "always").write_text("module {}", encoding="utf-8")
    done = call(opt.main, "--color", tmp_path / "always")
    assert (done.code, done.out.split()) == (0, ["module", "{", "}"])


def test_remarks_have_colours() -> None:
    done = call(opt.main, "--color", "--fuse", "--remarks", ROOT / "docs" / "examples" / "small.tir")
    assert f"{BLUE}remark: {PLAIN}{BOLD}not fused" in done.err


def test_colours_in_the_input_stay_text() -> None:
    hostile = 'func.func @"\x1b[31mred"() { "\x1b[1m" }'
    for choice in ("always", "never"):
        err = call(opt.main, f"--color={choice}", stdin=hostile).err
        for ours in (RED, GREEN, BOLD, PLAIN, CYAN):
            err = err.replace(ours, "")
        assert err and "\x1b" not in err and r"\x1b" in err
    error = TirError("\x1b[5m", FileLocation("\x1b[6m", 1, 3), notes=[("\x1b[7m", FileLocation("\x1b[6m", 1, 1))])
    shown = render(error, {"\x1b[6m": "\x1b]0;title\x07"}, colour=True)
    assert not any(code in shown for code in ("\x1b[5m", "\x1b[6m", "\x1b[7m", "\x1b]", "\x07"))


def test_carets_stand_below_escaped_text_and_lines_of_windows() -> None:
    error = TirError("no", FileLocation("f", 2, 3))
    assert render(error, {"f": "a\r\n\x01\tb\r\n"}).split("\n")[1:] == [r"  \x01 b", "       ^"]
    assert render(TirError("no", FileLocation("f", 0, 0)), {"f": "a"}) == "f:0:0: error: no"
    assert render(TirError("no", FileLocation("f", 3, 1)), {"f": "a\nb"}) == "f:3:1: error: no"


def on_terminal(*command: str, **environment: str) -> str:
    """What a command writes to its standard error, which is a terminal."""
    ours, theirs = pty.openpty()
    env = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    with subprocess.Popen([sys.executable, *command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=theirs,
                          cwd=ROOT, env={**env, **environment}):  # fmt: skip
        os.close(theirs)
        data = b""
        try:
            while piece := os.read(ours, 4096):
                data += piece
        except OSError:  # the terminal is closed
            pass
    os.close(ours)
    return data.decode()


def test_real_terminal_gets_colours(tmp_path: Path) -> None:
    (tmp_path / "bad.tir").write_text(BAD, encoding="utf-8")
    command = ("tools/tir-opt", str(tmp_path / "bad.tir"))
    assert f"{RED}error: {PLAIN}" in on_terminal(*command, TERM="xterm-256color")
    for environment in ({"TERM": "dumb"}, {"TERM": "xterm", "NO_COLOR": "1"}):
        said = on_terminal(*command, **environment)
        assert "error: " in said and "\x1b" not in said
