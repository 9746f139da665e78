"""Single ops on one line each are what the text of the module has; names stay while a pass changes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tir.dialects.all import REGISTRY
from tir.dialects.tir.arithmetic import Neg
from tir.ir.builder import Builder
from tir.ir.op_lines import OpLines
from tir.ir.printer import print_op
from tir.parser.parse import parse_text

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLES = sorted([*(ROOT / "docs" / "examples").glob("*.tir"), *(ROOT / "examples").glob("*.tir")])
EXAMPLES = [path for path in EXAMPLES if path.name not in ("wrong.tir", "expected.tir", "parts.tir")]
TEXT = """
func.func @f(%x: tensor<4xf32>, %arg3: tensor<4xf32>) -> tensor<4xf32> {
  %0 = tir.exp %x : tensor<4xf32>
  %named = tir.add %0, %arg3 : tensor<4xf32>
  return %named : tensor<4xf32>
}
"""


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_lines_are_those_of_the_text(path: Path) -> None:
    module = parse_text(path.read_text(encoding="utf-8"), REGISTRY, file=path.name)
    starts: dict = {}
    text = print_op(module, lines=starts).split("\n")
    lines, compared = OpLines(module), 0
    for op in module.walk():
        if op in starts and not op.regions and not op.successors and len(text[starts[op]].strip()) < 300:
            assert lines.line(op) == text[starts[op]].strip()
            compared += 1
    assert compared >= 3


def test_names_stay_and_new_values_get_new_numbers() -> None:
    module = parse_text(TEXT, REGISTRY)
    exp, add, _ = module.regions[0].block.first.regions[0].block
    lines = OpLines(module)
    neg = Builder(exp.parent, add, add.location).create(Neg, exp.results[0])
    assert lines.line(neg.op) == "%1 = tir.neg %0 : tensor<4xf32>"
    add.replace_with([neg])
    lines.rename(add.results[0], neg)  # too late: it has a name
    assert lines.line(neg.op) == "%1 = tir.neg %0 : tensor<4xf32>"
    other = Builder(neg.op.parent, neg.op, neg.op.location).create(Neg, exp.results[0])
    lines.rename(exp.results[0], other)
    assert lines.line(other.op) == "%0 = tir.neg %0 : tensor<4xf32>"


def test_regions_are_braces_and_long_lines_are_cut() -> None:
    module = parse_text(f"func.func @f() -> tensor<200xf32> {{ %0 = tir.constant dense<{list(range(200))}> : tensor<200xf32> "
                        "return %0 : tensor<200xf32> }".replace(", ", ".0, ").replace("199]", "199.0]"), REGISTRY)  # fmt: skip
    function = module.regions[0].block.first
    lines = OpLines(module)
    assert lines.line(module) == "module {..}"
    assert lines.line(function) == "func.func @f() -> tensor<200xf32> {..}"
    assert len(lines.line(function.regions[0].block.first)) == 304
