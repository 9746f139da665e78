"""tir-opt tells what was rewritten: the log, its numbers, statistics by rule, and the same text for every hash seed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.tool import Done, call
from tir.cli import opt

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLES = sorted([*(ROOT / "examples").glob("*.tir"), ROOT / "docs" / "examples" / "step.tir"])
PASSES = ("--inline", "--stabilize", "--canonicalize", "--autodiff", "--stabilize", "--canonicalize", "--cse", "--specialize", "--dce")


def tir_opt(*arguments: object, stdin: str = "") -> Done:
    return call(opt.main, *arguments, stdin=stdin)


def log_of(path: Path, *passes: str) -> list[str]:
    done = tir_opt(path, *passes, "--log-rewrites", "-o", os.devnull)
    assert done.code == 0, done.err
    return done.err.splitlines()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_log_has_all_changes_and_max_rewrites_stops_behind_exactly_so_many(path: Path) -> None:
    lines = log_of(path, *PASSES)
    assert [line.partition(":")[0] for line in lines] == [str(number + 1) for number in range(len(lines))]
    for count in (0, 1, 7, len(lines) - 1, len(lines), len(lines) + 5):
        assert log_of(path, *PASSES, f"--max-rewrites={count}") == lines[:count]


def test_numbers_go_on_in_the_next_part_of_a_split_file() -> None:
    part = "func.func @f(%x: f32) -> f32 {\n%0 = arith.addf %x, %x : f32\nreturn %x : f32\n}\n"
    done = tir_opt("--dce", "--split-input-file", "--log-rewrites", "-o", os.devnull, stdin=f"{part}// -----\n{part}")
    assert done.err.splitlines() == [
        "1: dce: erase: <stdin>:2:1: %0 = arith.addf %x, %x : f32 => nothing",
        "2: dce: erase: <stdin>:7:1: %0 = arith.addf %x, %x : f32 => nothing",
    ]  # fmt: skip


def test_what_lowering_makes_of_an_op_is_in_the_log() -> None:
    lines = log_of(EXAMPLES[-1], "--fuse", "--lower-cpu")
    lowered = [line for line in lines if ": lower-structured: lower: " in line or ": lower-loops: lower: " in line]
    assert len(lowered) > 5
    assert not [line for line in lowered if line.endswith(" => nothing")]
    assert any("=> " in line and "linalg.generic" in line.partition(" => ")[2] for line in lowered)


def test_controls_in_names_do_not_reach_the_terminal() -> None:
    text = 'module { "a.b"() {"c\\1b[31m" = 1 : i32} : () -> ()\n %0 = arith.constant 1 : i32 }'
    done = tir_opt("--dce", "--log-rewrites", "--allow-unregistered-dialect", "-o", os.devnull, stdin=text)
    assert done.code == 0 and "\x1b" not in done.err


def test_statistics_of_rule_passes_are_by_rule() -> None:
    done = tir_opt("--specialize", "--pass-statistics", "-o", os.devnull, stdin="""
func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  %two = tir.full 2.0 : f32 -> tensor<4xf32>
  %0 = tir.pow %x, %two : tensor<4xf32>
  %1 = tir.pow %0, %two : tensor<4xf32>
  return %1 : tensor<4xf32>
}""")  # fmt: skip
    assert [line.split() for line in done.err.splitlines() if line.startswith("  (S)")] == [
        "(S) 1 erase - ops erased that nobody uses".split(), "(S) 2 power_of_two - x ** 2 -> square(x)".split(),
    ]  # fmt: skip


SCRIPT = """
import sys
from tests.cli.tool import call
from tests.random_programs import random_program
from tir.api import parse
from tir.cli import opt
from tir.ir.pass_manager import run_pipeline
from tir.ir.printer import print_op
from tir.passes.pipelines import default
for seed in range(9):
    module = parse(random_program(seed, wide=seed % 3 == 1, control=seed % 3 == 2).text)
    run_pipeline(default(), module)
    print(print_op(module))
for path in sys.argv[2:]:
    for passes in (sys.argv[1].split(), ["--fuse"]):
        done = call(opt.main, path, *passes, "--log-rewrites", "--pass-statistics")
        print(done.code, done.out, done.err)
"""


def test_output_is_the_same_for_every_hash_seed() -> None:
    texts = set()
    for seed in ("1", "4711"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", SCRIPT, " ".join(PASSES), str(EXAMPLES[0]), str(EXAMPLES[-1])]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        texts.add(done.stdout)
    assert len(texts) == 1 and len(texts.pop()) > 100_000
