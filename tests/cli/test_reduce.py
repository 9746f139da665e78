"""tir-reduce: a test command says what is interesting, and the smallest such module is written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.tool import Done, call
from tir.cli import reduce

ROOT = Path(__file__).resolve().parent.parent.parent
MODEL = """\
func.func @main(%x: tensor<[B]x3xf32> {tir.name = "x"}, %y: tensor<[B]x3xf32>) -> tensor<[B]xf32> {
  %0 = tir.sub %x, %y : tensor<[B]x3xf32>
  %1 = tir.exp %0 : tensor<[B]x3xf32>
  %2 = tir.log %1 : tensor<[B]x3xf32>
  %3 = tir.sum %2 over [1] : tensor<[B]xf32>
  return %3 : tensor<[B]xf32>
}
"""
EXP = "module {\n  func.func @main(%arg0: tensor<1x1xf32>) {\n    %0 = tir.exp %arg0 : tensor<1x1xf32>\n    return\n  }\n}\n"


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.tir").write_text(MODEL)
    return tmp_path


def tir_reduce(*arguments: object, stdin: str = "") -> Done:
    return call(reduce.main, *arguments, stdin=stdin)


def script(name: str, text: str) -> str:
    Path(name).write_text(f"#!/bin/sh\n{text}\n")
    Path(name).chmod(0o755)
    return f"./{name}"


def test_what_the_command_finds_is_left() -> None:
    done = tir_reduce("--test=grep -q tir.exp", "model.tir")
    assert done.code == 0 and done.out == EXP
    assert done.err.splitlines()[-1].startswith("tir-reduce: 3 of 6 ops left, ")


def test_the_output_goes_to_a_file_and_the_input_may_be_standard_input() -> None:
    done = tir_reduce("--test=grep -q tir.exp", "--quiet", "-o", "small.tir", stdin=MODEL)
    assert done.code == 0 and done.out == "" and Path("small.tir").read_text() == EXP
    assert done.sentence.startswith("tir-reduce: 3 of 6 ops left")


def test_progress_is_told_for_each_smaller_module() -> None:
    lines = tir_reduce("--test=grep -q tir.exp", "model.tir").err.splitlines()
    ops = [int(line.split(": ")[2].split()[0]) for line in lines[:-1]]
    assert all(line.startswith("tir-reduce: test ") for line in lines[:-1])
    assert ops == sorted(ops, reverse=True) and ops[-1] == 3


def test_the_file_is_the_last_argument_of_a_script() -> None:
    test = script("test.sh", 'test "$#" = 2 && test "$1" = "a b" && grep -q tir.log "$2"')
    assert "tir.log" in tir_reduce(f"--test={test} 'a b'", "model.tir").out


def test_no_shell_reads_the_command() -> None:
    done = tir_reduce("--test=grep -q tir.exp; touch hacked #", "model.tir")
    assert done.code == 1 and not Path("hacked").exists()


@pytest.mark.parametrize("wanted", ["3", "nonzero"])
def test_another_exit_code_may_be_the_interesting_one(wanted: str) -> None:
    test = script("crash.sh", "grep -q tir.exp $1 && exit 3; exit 0")
    assert tir_reduce(f"--test={test}", f"--interesting-exit={wanted}", "model.tir").out == EXP


def test_a_model_that_is_not_interesting_is_an_error_that_says_why() -> None:
    done = tir_reduce("--test=grep -q nothing", "model.tir")
    assert done.code == 1 and done.out == ""
    assert done.sentence == (
        "tir-reduce: error: the test does not find model.tir interesting: exit code 1; wanted is exit code 0"
    )


def test_a_test_that_takes_too_long_is_ended_with_all_that_it_started() -> None:
    test = script("slow.sh", "sleep 60 & echo $! > child; wait")
    start = time.monotonic()
    done = tir_reduce(f"--test={test}", "--timeout=0.5", "model.tir")
    assert time.monotonic() - start < 20
    assert "no end within 0.5 s" in done.sentence
    child = int(Path("child").read_text())
    assert not _runs(child)


def _runs(process: int) -> bool:
    """A killed process may wait for its parent to look at it: a zombie does not run."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return False
        except OSError:
            return False
        time.sleep(0.05)
    return True


def test_a_candidate_that_hangs_is_not_interesting() -> None:
    test = script("hang.sh", "grep -q tir.log $1 || sleep 60; exit 0")
    assert "tir.log" in tir_reduce(f"--test={test}", "--timeout=0.3", "--max-tests=6", "model.tir").out


def test_the_number_of_tests_and_the_time_are_limited() -> None:
    done = tir_reduce("--test=grep -q tir.exp", "--max-tests=2", "model.tir")
    assert done.code == 0 and ", 2 tests, " in done.err and "tir-reduce: stopped at the limit: " in done.err
    done = tir_reduce("--test=grep -q tir.exp", "--time-limit=0.000001", "model.tir")
    assert done.code == 0 and ", 0 tests, " in done.err and "tir.log" in done.out


def test_unregistered_ops_and_the_generic_form() -> None:
    text = '"test.a"() : () -> ()\n"test.b"() : () -> ()\n'
    done = tir_reduce("--test=grep -q test.b", "--allow-unregistered-dialect", "--print-generic", stdin=text)
    assert done.out == '"builtin.module"() ({\n  "test.b"() : () -> ()\n}) : () -> ()\n'


@pytest.mark.parametrize(("arguments", "said"), [
    (["model.tir"], "the following arguments are required: --test"),
    (["--test=", "model.tir"], "--test: the command is empty"),
    (["--test='x", "model.tir"], "--test: no closing quotation in ''x'"),
    (["--test=./missing", "model.tir"], "--test: cannot run ./missing: No such file or directory"),
    (["--test=true", "--interesting-exit=256", "model.tir"], "must be 0 to 255 or nonzero, got '256'"),
    (["--test=true", "--timeout=0", "model.tir"], "must be a number above 0, got '0'"),
    (["--test=true", "--max-tests=x", "model.tir"], "must be an integer, 0 or more, got 'x'"),
    (["--tset=true", "model.tir"], "--test"),
])  # fmt: skip
def test_a_wrong_command_line_is_one_sentence(arguments: list[str], said: str) -> None:
    done = tir_reduce(*arguments)
    assert done.code == 2 and said in done.sentence


def test_a_file_that_does_not_parse_is_a_located_error() -> None:
    Path("bad.tir").write_text("func.func @f( {}\n")
    done = tir_reduce("--test=true", "bad.tir")
    assert done.code == 1 and done.err.startswith("bad.tir:1:")


def test_an_interrupt_leaves_the_best_so_far_in_the_file() -> None:
    script("test.sh", "echo x >> runs; test $(wc -l < runs) -gt 5 && sleep 30; grep -q tir.exp $1")
    process = subprocess.Popen(
        [sys.executable, ROOT / "tools" / "tir-reduce", "--test=./test.sh", "--timeout=60", "model.tir", "-o", "small.tir"],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and (not Path("runs").exists() or len(Path("runs").read_text().split()) < 6):
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "tir-reduce: interrupted: " in err
    text = Path("small.tir").read_text()
    assert "tir.exp" in text and "return %" not in text  # the results are the first to go
