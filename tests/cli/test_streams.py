"""Standard input and output that are closed or full, and flags that would destroy the input: one sentence each."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
TEXT = "func.func @f(%x: f32) -> f32 {\n  return %x : f32\n}\n"


def shell(redirection: str, tool: str, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The tool with its streams changed by a shell; the words reach it as they are."""
    command = f'exec "$@" {redirection}'
    program = [sys.executable, str(ROOT / "tools" / tool), *words]
    return subprocess.run(["bash", "-c", command, "bash", *program], cwd=cwd, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("redirection", "words", "sentence"), [
    ("> /dev/full", ("p.tir",), "cannot read or write: No space left on device"),
    ("> /dev/full", ("--list-passes",), "cannot read or write: No space left on device"),
    ("> /dev/full", ("--version",), "cannot read or write: No space left on device"),
    (">&-", ("p.tir",), "standard output is closed"),
    ("<&-", (), "standard input is closed"),
])  # fmt: skip
def test_stream_that_is_full_or_closed_is_one_sentence(
    tmp_path: Path, redirection: str, words: tuple[str, ...], sentence: str
) -> None:
    (tmp_path / "p.tir").write_text(TEXT)
    done = shell(redirection, "tir-opt", *words, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, f"tir-opt: error: {sentence}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["p.tir"]  # no report of a bug


@pytest.mark.parametrize(("tool", "words", "flag"), [
    ("tir-opt", ("p.tir", "--cse", "--remarks-file=./p.tir"), "--remarks-file: ./p.tir"),
    ("tir-opt", ("p.tir", "--explore", "p.tir"), "--explore: p.tir"),
    ("tir-opt", ("p.tir", "--reproducer=link.tir"), "--reproducer: link.tir"),
    ("tir-translate", ("--to-dot", "p.tir", "-o", "p.tir"), "-o: p.tir"),
])  # fmt: skip
def test_input_is_not_overwritten_by_something_else(tmp_path: Path, tool: str, words: tuple[str, ...], flag: str) -> None:
    (tmp_path / "p.tir").write_text(TEXT)
    (tmp_path / "link.tir").symlink_to("p.tir")
    done = shell("", tool, *words, cwd=tmp_path)
    sentence = f"{tool}: error: {flag} is the input, which would be lost; see `{tool} --help`\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", sentence)
    assert (tmp_path / "p.tir").read_text() == TEXT
