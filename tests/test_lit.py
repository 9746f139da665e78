"""Every file under tests/lit does what its RUN lines say, in this process and under lit alike."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import lit_runner
from tests.lit_runner import EXCLUDED_FOLDERS, LIT_ROOT, LitError, discover, run_file, run_lines

FILES = discover()
QUICK_FOLDER = LIT_ROOT / "errors"  # what real lit runs in the quick suite: each RUN line there starts a process


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(LIT_ROOT)) for path in FILES])
def test_lit_file(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for outcome in run_file(path, tmp_path):
        assert outcome.ok, f"{path}\n{outcome}"


def test_there_are_lit_files() -> None:
    assert FILES, f"no .tir file under {LIT_ROOT}"


def run_lit(folder: Path, output: Path) -> None:
    """Runs lit on `folder` and fails unless it ran, and passed, as many files as the runner finds there."""
    command = [sys.executable, "-c", "from lit.main import main; main()", "-v", "-j2", f"--param=output={output}"]
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL)
    passed = re.search(r"Passed *: *(\d+)", done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert passed and int(passed[1]) == len(discover(folder)), done.stdout + done.stderr


@pytest.mark.timeout(300)  # one process for each command of a RUN line
@pytest.mark.slow
def test_lit_itself_passes_on_the_errors_folder(tmp_path: Path) -> None:
    run_lit(QUICK_FOLDER, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(1800)  # the whole folder, one process for each command
def test_lit_itself_passes_on_every_folder(tmp_path: Path) -> None:
    run_lit(LIT_ROOT, tmp_path)


def test_lit_leaves_out_the_same_folders_as_the_runner() -> None:
    tree = ast.parse((LIT_ROOT / "lit.cfg.py").read_text(encoding="utf-8"))
    excludes = [node.value for node in ast.walk(tree)
                if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "config.excludes"]
    assert [set(ast.literal_eval(value)) for value in excludes] == [set(EXCLUDED_FOLDERS)]


# The runner itself. `cat` is the command under test here: it needs nothing of tir.


def outcomes(tmp_path: Path, text: str) -> list[bool]:
    path = tmp_path / "file.tir"
    path.write_text(text, encoding="utf-8")
    return [outcome.ok for outcome in run_file(path, tmp_path)]


def test_matching_check_passes(tmp_path: Path) -> None:
    assert outcomes(tmp_path, "// RUN: cat %s | FileCheck %s\nmodule\n// CHECK: {{^}}module\n") == [True]


def test_check_that_does_not_match_fails(tmp_path: Path) -> None:
    assert outcomes(tmp_path, "// RUN: cat %s | FileCheck %s\nmodule\n// CHECK: {{^}}func\n") == [False]


def test_check_prefix_selects_the_checks(tmp_path: Path) -> None:
    text = "// RUN: cat %s | FileCheck %s --check-prefix=A\nmodule\n// A: {{^}}module\n// CHECK: {{^}}func\n"
    assert outcomes(tmp_path, text) == [True]


def test_failure_in_the_middle_of_a_pipe_fails_the_line(tmp_path: Path) -> None:
    text = "// RUN: cat %S/missing 2>&1 | FileCheck %s\n// CHECK: No such file\n"
    assert outcomes(tmp_path, text) == [False]


def test_not_turns_a_failure_into_success(tmp_path: Path) -> None:
    text = "// RUN: not cat %S/missing 2>&1 | FileCheck %s\n// CHECK: No such file\n"
    assert outcomes(tmp_path, text) == [True]


def test_exception_in_a_tool_fails_even_under_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(argv: list[str]) -> int:
        raise RuntimeError(argv[0])

    monkeypatch.setattr(lit_runner, "filecheck_main", broken)
    assert outcomes(tmp_path, "// RUN: not FileCheck %s\n") == [False]


def test_each_run_line_is_judged_on_its_own_and_continued_lines_are_one(tmp_path: Path) -> None:
    text = "// RUN: cat %s > %t\n// RUN: cat < %t \\\n// RUN:   | FileCheck %s\nmodule\n// CHECK: {{^}}module\n"
    assert outcomes(tmp_path, text) == [True, True]


def test_second_command_is_not_run_after_a_failed_first(tmp_path: Path) -> None:
    assert outcomes(tmp_path, "// RUN: not cat %s && cat %s > %t\n") == [False]
    assert not (tmp_path / "file.tir.tmp").exists()


def test_file_without_run_line_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "file.tir"
    path.write_text("// CHECK: module\n", encoding="utf-8")
    with pytest.raises(LitError, match="no RUN line"):
        run_lines(path)


def test_keyword_that_only_lit_knows_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "file.tir"
    path.write_text("// REQUIRES: gpu\n// RUN: cat %s\n", encoding="utf-8")
    with pytest.raises(LitError, match="REQUIRES is not supported"):
        run_lines(path)
