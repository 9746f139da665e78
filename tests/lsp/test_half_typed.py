"""Text that is being typed: names keep their meaning around what is not whole, and nothing ever raises."""

from __future__ import annotations

import random
import time

import pytest

from tests.lsp.texts import Text, files
from tir.ir.errors import TirError
from tir.lsp.completion import MAX_VALUES, complete
from tir.lsp.diagnostics import findings
from tir.lsp.document import Document
from tir.lsp.hover import hover
from tir.lsp.outline import folds, outline
from tir.lsp.rename import rename, renamed_span

TEXT = """func.func @f(%x: f32, %c: i1) -> f32 {
  %a = arith.addf %x, %x : f32
  |
  %b = arith.mulf %a, %x : f32
  return %b : f32
}
func.func @g(%x: f32) -> f32 {
  %0 = func.call @f(%x) : (f32) -> f32
  return %0 : f32
}
"""
HALF = [
    "%h", "%h = ", "%h = tir", "%h = tir.", "%h = arith.addf", "%h = arith.addf %", "%h = arith.addf %a,",
    "%h = arith.addf %a, %x :", "%h = arith.addf %a, %x : tensor<", "%h = arith.addf %a, %x : tensor<[", "scf.if %c {",
    "scf.for %i = %a to", "scf.for %i = %a to %a step %a {", "func.call @f(", "func.call @f(%a", "func.call @", "call",
    '"arith.addf"(', '"arith', "tir.update", "%h = tir.constant dense<", "%h = tir.constant dense<[1, ", "affine_map<(d0",
    "{", "}", "(", ")", "<", "cf.br ^", "^bb1(%z: f32", "^bb1", "loc(", "%h:", "%h:2 = ", "%h:007 = ", f"%h:{'9' * 6000} = no.op", f"%h:2 = no.op %a#{'9' * 6000}", "%h:999999 = no.op", "!t =", "#map = affine_map<",
    "cf.assert %c, \"", "return", "%h = arith.cmpi", "%h = linalg.generic {indexing_maps = [",
]  # fmt: skip


@pytest.mark.parametrize("line", [line for line in HALF if line != "}"])  # which ends the function
def test_names_below_a_half_typed_line_keep_their_meaning(line: str) -> None:
    text = TEXT.replace("|", line)
    document = Document(text)
    findings(document)
    names = document.places[0].part.names
    use = names.at(text.index("return %b") + 8)
    assert use is not None and use.definition.span.start == text.index("%b =")
    argument = names.at(text.index("%a, %x : f32\n  return") + 1)
    assert argument is not None and argument.definition.span.start == text.index("%a =")


@pytest.mark.parametrize("line", [line for line in HALF if line != "}"])
def test_the_next_function_is_outside_of_a_half_typed_line(line: str) -> None:
    text = TEXT.replace("|", line)
    document = Document(text)
    assert [entry.name for entry in outline(document) if entry.kind == "function"] == ["@f", "@g"]
    use = document.places[0].part.names.at(text.index("@f(%x) :") + 4)
    assert use is not None and use.definition.span.start == text.rindex("%x: f32")


@pytest.mark.parametrize("line", HALF)
def test_values_can_be_completed_behind_a_half_typed_line(line: str) -> None:
    text = TEXT.replace("|", f"{line}\n  %k = arith.addf %")
    offset = text.index("%k = arith.addf %") + len("%k = arith.addf %")
    if line != "}":
        assert {"%a", "%x"} <= {one.text for one in complete(Document(text), offset)}


def test_numbers_of_results_are_offered_up_to_a_limit() -> None:
    text = "%h:999999 = no.op\ntir.add %h#"
    assert len(complete(Document(text), len(text))) == MAX_VALUES


@pytest.mark.parametrize("text", files(), ids=lambda text: text.name)
def test_any_cut_of_a_file_is_answered(text: Text) -> None:
    choose = random.Random(text.name)
    for _ in range(3):
        ask_everything(text.text[: choose.randrange(len(text.text) + 1)], choose)
    for _ in range(3):
        ask_everything(mutant(text.text, choose), choose)


PIECES = ["{", "}", "(", ")", '"', "%", "@", "^", "#", "!", "<", ">", "[", "]", "tensor<", "affine_map<(", "= ", "\n",
          "func.func @f(", "dense<", "loc(", "// -----\n", "\x00", "\ud83d", "é😀", "\r", "{-#", "-> ",
          "%a:99999999999999999999 =", "%x#9"]  # fmt: skip


def mutant(text: str, choose: random.Random) -> str:
    """The text with a few pieces put in and taken out."""
    for _ in range(choose.randrange(1, 5)):
        at = choose.randrange(len(text) + 1)
        text = text[:at] + choose.choice(PIECES) + text[at + choose.choice((0, 0, 1, 30)) :]
    return text


def ask_everything(text: str, choose: random.Random) -> None:
    """Asks all questions at some places."""
    document = Document(text)
    findings(document)
    outline(document)
    folds(document)
    for offset in [choose.randrange(len(text) + 1) for _ in range(4)]:
        assert all(0 <= one.span.start <= one.span.end == offset for one in complete(document, offset))
        hover(document, offset)
        renamed_span(document, offset)
        try:
            rename(document, offset, choose.choice(("x", "%y", "@f", "a b", "")))
        except TirError:
            pass


@pytest.mark.parametrize("text", [
    "func.func @f() " + "{" * 100_000, "func.func @f" + "(" * 100_000, "scf.if %c {\n" * 30_000,
    "func.return " + ", ".join(f"%a{i}" for i in range(30_000)), "tensor<" * 50_000, '"' * 100_001,
    "scf.parallel (" + "%a, " * 30_000, "@f::" * 30_000, "%" + "a" * 100_000, "// -----\n" * 3_000,
    "{-#" * 30_000, "affine_map<(" * 30_000,
], ids=lambda text: text[:12].strip())  # fmt: skip
def test_hostile_text_is_answered_soon(text: str) -> None:
    start = time.perf_counter()
    ask_everything(text, random.Random(0))
    assert time.perf_counter() - start < 20  # about 1 s on an idle machine; anything quadratic takes minutes


def test_two_thousand_ops_have_diagnostics_well_within_a_second() -> None:
    lines = [f"  %v{i + 1} = tir.add %v{i}, %v0 : tensor<[B]x64xf32>" for i in range(2000)]
    text = "\n".join(["func.func @f(%v0: tensor<[B]x64xf32>) {", *lines, "  return", "}"])
    for one in (text, text.replace("%v1000, %v0 :", "%v1000, :")):
        times = []
        for _ in range(3):
            document = Document(one)
            start = time.perf_counter()
            assert len(findings(document)) == (one != text)
            times.append(time.perf_counter() - start)
        assert min(times) < 1  # measured: 0.05 s and 0.15 s
