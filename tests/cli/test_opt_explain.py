"""tir-opt --explain: which rules and passes made a value; which value is meant; nothing else changes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.tool import Done, call
from tir.cli import opt
from tir.dialects.all import REGISTRY
from tir.ir.op_lines import OpLines
from tir.parser.parse import parse_text

ROOT = Path(__file__).resolve().parent.parent.parent
STEP = ROOT / "docs" / "examples" / "step.tir"
TEXT = """\
func.func @f(%x: tensor<4xf32>, %n: index) -> (tensor<4xf32>, index, index) {
  %0 = tir.neg %x : tensor<4xf32>
  %1 = tir.neg %0 : tensor<4xf32>
  %2 = tir.exp %1 : tensor<4xf32>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %3:2 = scf.for %i = %c0 to %n step %c1 iter_args(%a = %c0, %b = %c1) -> (index, index) {
    %4 = arith.addi %a, %i : index
    scf.yield %4, %a : index, index
  }
  return %2, %3#0, %3#1 : tensor<4xf32>, index, index
}
func.func @g(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = tir.exp %x : tensor<4xf32>
  %only = tir.tanh %0 : tensor<4xf32>
  return %only : tensor<4xf32>
}
"""


def tir_opt(*arguments: object, stdin: str = TEXT) -> Done:
    return call(opt.main, *arguments, stdin=stdin)


@pytest.mark.parametrize(("value", "first"), [
    ("@f:%0", "%0 = tir.exp %x : tensor<4xf32>   <stdin>:4:3"),
    ("@g:%0", "%0 = tir.exp %x : tensor<4xf32>   <stdin>:14:3"),
    ("%only", "%only = tir.tanh %0 : tensor<4xf32>   <stdin>:15:3"),
    ("@f:%1", "%1:2 = scf.for %i = %c0 to %n step %c1 iter_args(%a = %c0, %b = %c1) -> (index, index) {..}   <stdin>:7:3"),
    ("@f:%1#1", "%1:2 = scf.for %i = %c0 to %n step %c1 iter_args(%a = %c0, %b = %c1) -> (index, index) {..}   <stdin>:7:3"),
    ("@f:%2", "%2 = arith.addi %a, %i : index   <stdin>:8:5"),
])  # fmt: skip
def test_value_is_the_one_of_that_name_behind_the_passes(value: str, first: str) -> None:
    done = tir_opt("--canonicalize", "--explain", value)
    assert done.code == 0 and done.err == ""
    assert done.out.splitlines()[0] == first


#: What is asked for, and what is said.
WRONG = [
    ("%0", "--explain: @f and @g have a %0; say which, such as @f:%0"),
    ("@f:%only", "--explain: nothing is called %only behind the passes in @f"),
    ("%onyl", "--explain: nothing is called %onyl behind the passes; did you mean '%only'?"),
    ("@ff:%0", "--explain: there is no @ff; did you mean '@f'?"),
    ("@g:%x", "--explain: %x is an argument in @g, which no op makes"),
    ("%i", "--explain: %i is an argument in @f, which no op makes"),
    ("0", "argument --explain: must be a value such as %7 or @f:%7, got '0'"),
    ("", "argument --explain: must be a value such as %7 or @f:%7, got ''"),
    ("f:%0", "argument --explain: must be a value such as %7 or @f:%7, got 'f:%0'"),
    ("%0\x1b[31m", "argument --explain: must be a value such as %7 or @f:%7, got '%0\\x1b[31m'"),
]


@pytest.mark.parametrize(("value", "message"), WRONG, ids=[message for _, message in WRONG])
def test_a_name_that_is_not_one_value_is_told(value: str, message: str) -> None:
    done = tir_opt("--canonicalize", f"--explain={value}")
    assert done.code == 2 and done.out == "" and message in done.sentence


def test_one_module_is_explained() -> None:
    done = tir_opt("--explain=%only", "--split-input-file")
    assert done.code == 2 and "--explain is about one module; it cannot go with --split-input-file" in done.sentence


def test_errors_of_the_module_come_first() -> None:
    done = tir_opt("--explain=%only", stdin=TEXT.replace("tir.tanh", "tir.tan_h"))
    assert done.code == 1 and "unknown op 'tir.tan_h'" in done.err and done.out == ""
    assert tir_opt("--lower-loops", "--explain=%only", stdin="module {").code == 1


def test_module_is_the_same_with_an_explanation_and_printed_only_to_a_file(tmp_path: Path) -> None:
    passes = ("--fuse", "--lower-cpu", "--print-locations")
    tir_opt(STEP, *passes, "--explain", "@predict:%0", "--explore", tmp_path / "p.html", "-o", tmp_path / "out.tir")
    assert (tmp_path / "out.tir").read_text(encoding="utf-8") == tir_opt(STEP, *passes).out
    assert not tir_opt(STEP, *passes, "--explain", "@predict:%0").out.startswith("module")


@pytest.mark.parametrize("passes", [("--inline", "--stabilize", "--canonicalize", "--autodiff", "--stabilize", "--cse"),
                                    ("--fuse",), ("--fuse", "--lower-cpu")], ids=" ".join)  # fmt: skip
def test_every_value_of_a_program_is_explained_down_to_what_was_given(passes: tuple[str, ...], tmp_path: Path) -> None:
    module = parse_text(tir_opt(STEP, *passes).out, REGISTRY)
    lines = OpLines(module)
    function = next(op for op in module.regions[0].block if "@train" in lines.line(op))
    names = {lines.name(result).partition("#")[0] for op in function.walk() for result in op.results}
    assert len(names) > 10
    done = tir_opt(STEP, *passes, *(word for name in sorted(names) for word in ("--explain", f"@train:{name}")))
    assert done.code == 0, done.err
    texts = done.out.rstrip("\n").split("\n\n")
    explained = {name for text in texts for name in re.split(r"[, :]+", text.partition(" = ")[0])}
    assert names <= explained
    for text in texts:
        first, *rest = text.split("\n")
        assert "\n  by " in text or re.search(r"step\.tir:\d+:\d+$", first), text
        depth = 0
        for line in rest:
            assert len(line) - len(line.lstrip()) <= depth + 4  # nothing hangs in the air
            depth = len(line) - len(line.lstrip())
