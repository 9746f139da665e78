"""What is said about wrong programs, as a whole: how it reads, and that it is exactly what was to be said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.lit_runner import LIT_ROOT, run_lines
from tir.dialects.all import REGISTRY
from tir.ir.errors import TirErrors, render
from tir.parser.parse import parse_text
from tir.parser.raw import split_file

FILES = sorted((LIT_ROOT / "errors").glob("*.tir"))
PLAIN = "not tir-opt %s --split-input-file 2>&1"  # what these files run: no passes
#: Words of the parser and of Python, which mean nothing to a reader of tir.
INTERNAL = re.compile(r"\b(LPAR|RPAR|LSQB|RSQB|RBRACE|SHAPED|VALUES?|NATURAL|NoneType|Traceback|object at 0x|[A-Z][a-z]+(?:Attr|Item|Type|Error))\b")


def said(path: Path) -> list[list[str]]:
    """For each program of a file the lines that are printed about it; none for a program that is right."""
    text = path.read_text(encoding="utf-8")
    found = []
    for first_line, part in split_file(text):
        try:
            parse_text(part, REGISTRY, file=path.name, first_line=first_line)
            found.append([])
        except TirErrors as errors:
            found.append([line for error in errors.errors for line in render(error, {path.name: text}).split("\n")])
    return found


def plain_files() -> list[Path]:
    return [path for path in FILES if any(line.startswith(PLAIN) for line in run_lines(path))]


def test_there_are_many_wrong_programs() -> None:
    assert sum(len(split_file(path.read_text(encoding="utf-8"))) for path in FILES) >= 300


@pytest.mark.parametrize("path", plain_files(), ids=lambda path: path.stem)
def test_nothing_is_said_that_the_file_does_not_expect(path: Path) -> None:
    """FileCheck looks for the expected lines in turn; what comes behind the last of them it does not see."""
    expected = len(re.findall(r"// CHECK.*: (?:error|note): ", path.read_text(encoding="utf-8")))
    lines = [line for part in said(path) for line in part]
    assert all(said(path)), "a program of the file is right"
    if "grep -E" in run_lines(path)[0]:
        assert expected == sum(bool(re.match(r"\S+:\d+:\d+: (error|note): ", line)) for line in lines)


@pytest.mark.parametrize("path", plain_files(), ids=lambda path: path.stem)
def test_errors_are_short_located_and_in_words_of_the_program(path: Path) -> None:
    for part in said(path):
        heads = [i for i, line in enumerate(part) if re.match(r"\S+:\d+:\d+: error: ", line)]
        assert heads and heads[0] == 0, part[:1]
        for start, stop in zip(heads, [*heads[1:], len(part)]):
            assert stop - start <= 12, part[start:stop]
            message = part[start].split(": error: ", 1)[1]
            assert not INTERNAL.search(message), message
            is_elsewhere = not part[start].startswith(f"{path.name}:")  # a location that the text itself states
            assert is_elsewhere or part[start + 2].strip() == "^", part[start : start + 3]


def errors_of(text: str) -> list[str]:
    try:
        parse_text(text, REGISTRY, file="t")
    except TirErrors as errors:
        return [str(error) for error in errors.errors]
    return []


def test_uses_of_a_value_with_a_wrong_definition_are_not_called_wrong() -> None:
    text = """func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = tir.expq %x : tensor<4xf32>
  %1 = tir.neg %0 : tensor<4xf32>
  %2 = tir.add %1, %0 : tensor<4xf32>
  %3 = tir.sum %2 over [7] : tensor<f32>
  return %2 : tensor<4xf32>
}
"""
    assert [line.split(" ")[0] for line in errors_of(text)] == ["t:2:3:", "t:5:3:"]


def test_wrong_definition_of_an_operand_does_not_hide_that_the_results_are_too_many() -> None:
    text = """func.func @f(%x: tensor<4xf32>) {
  %0 = tir.exp %x : tensor<4xbf16>
  %1, %2 = tir.neg %0 : tensor<4xf32>
  return
}
"""
    assert errors_of(text) == [
        "t:2:3: tir.exp: the result must have type tensor<4xf32>, got tensor<4xbf16>; tir.cast converts the elements",
        "t:3:3: tir.neg: has 1 result, but the text names 2; the form is `tir.neg %x : type`",
    ]


def test_mistakes_in_the_body_of_a_wrong_function_are_found() -> None:
    text = """func.func @f(%x: tensor<4xfloat>, %y: f32) {
  %0 = tir.exp %x : tensor<4xf32>
  %1 = arith.negf %nowhere : f32
  func.call @f(%0, %y) : (tensor<4xf32>, f32) -> ()
  return
}
"""
    assert [line.split(" ")[0] for line in errors_of(text)] == ["t:1:27:", "t:3:19:"]


def test_form_and_meaning_are_reported_together_in_the_order_of_the_text() -> None:
    text = """func.func @f(%x: tensor<4xf32>) {
  %0 = tir.sum %x over [7] : tensor<f32>
  %1 = tir.exp %x tensor<4xf32>
  %2 = tir.sum %x over [8] : tensor<f32>
  return
}
"""
    assert [line.split(" ")[0] for line in errors_of(text)] == ["t:2:3:", "t:3:19:", "t:4:3:"]


def test_an_undefined_name_is_reported_once_in_each_function() -> None:
    function = "func.func @{}() {{\n  %0 = arith.addf %n, %m : f32\n  %1 = arith.mulf %n, %0 : f32\n  return\n}}\n"
    lines = [line.split(": ")[0] for line in errors_of(function.format("f") + function.format("g"))]
    assert lines == ["t:2:19", "t:2:23", "t:7:19", "t:7:23"]


def test_a_function_without_its_brace_hides_nothing() -> None:
    text = "func.func @f(%x: f32 {tir.name = \"x\"}) -> f32\n  %0 = arith.addf %x, %y : f32\n  return %0 : f32\n}\n"
    assert errors_of(text) == ["t:1:46: expected '{', got the end of the line", "t:2:23: %y is not defined here"]


def test_an_op_that_cannot_be_read_may_bind_the_size_that_others_use() -> None:
    text = """func.func @f(%x: tensor<?x4xf32>) -> tensor<[T]x4xf32> {
  %n = tir.dim %x axis 0 : tensor<?x4xf32>
  tir.name_size %n as "T" :
  %0 = tir.broadcast %x along [0, 1] : tensor<?x4xf32> -> tensor<[T]x4xf32>
  return %0 : tensor<[T]x4xf32>
}
"""
    with pytest.raises(TirErrors) as caught:
        parse_text(text, REGISTRY)
    assert [error.location.line for error in caught.value.errors] == [3]
