"""Mistakes reach the editor with the piece of text that they are about, their notes, and what the hint would change."""

from __future__ import annotations

import pytest

from tests.lsp.texts import Text, files
from tir.lsp.diagnostics import findings
from tir.lsp.document import Document


def found(text: str) -> list[tuple[str, str]]:
    """For each mistake the piece of the text and the message."""
    document = Document(text)
    return [(document.text_of(one.span), one.message) for one in findings(document)]


def test_op_with_a_mistake_is_marked_up_to_its_end() -> None:
    text = "func.func @f(%x: tensor<3x4xf32>, %y: tensor<5x6xf32>) {\n  %0 = tir.dot %x, %y : tensor<3x6xf32> // why\n  return\n}\n"
    assert found(text) == [
        ("%0 = tir.dot %x, %y : tensor<3x6xf32>", "tir.dot: inner sizes must agree, got 4 (lhs axis 1) and 5 (rhs axis 0)")
    ]


def test_op_with_a_region_is_marked_up_to_the_region() -> None:
    text = "func.func @f() {\n  return\n}\nfunc.func @f() {\n  return\n}\n"
    document = Document(text)
    (one,) = findings(document)
    assert document.text_of(one.span) == "func.func @f()" and one.span.start == text.rindex("func.func")
    assert one.message == "func.func: the name @f is taken"
    assert [(document.text_of(span), note) for span, note in one.notes] == [("func.func @f()", "it is defined here")]


@pytest.mark.parametrize(("line", "piece", "word"), [
    ("%0 = arith.addf %x, %yy : f32", "%yy", "%yy"),
    ("%0 = arith.addf %x, %x : f33", "f33", "did you mean 'f32'?"),
    ("%0 = arith.adff %x, %x : f32", "arith.adff", "did you mean 'arith.addf'?"),
    ('%0 = "unclosed', '"unclosed', "string"),
])  # fmt: skip
def test_token_with_a_mistake_is_marked_whole(line: str, piece: str, word: str) -> None:
    ((marked, message),) = found(f"func.func @f(%x: f32) {{\n  {line}\n  return\n}}\n")
    assert marked == piece and word in message


def test_several_mistakes_are_all_found() -> None:
    text = "func.func @f(%x: f32) {\n  %0 = arith.addf %a, %x : f32\n  %1 = arith.addf %x, %b : f32\n  %2 = no.op %0\n  return\n}\n"
    assert [piece for piece, _ in found(text)] == ["%a", "%b", "%2 = no.op %0"]


def test_each_part_is_a_module_of_its_own() -> None:
    good = "func.func @f() {\n  return\n}\n"
    assert found(f"{good}// -----\n{good}") == []
    bad = "func.func @g() {\n  %0 = no.op\n  return\n}\n"
    text = f"{bad}// -----\n{good}// -----\n{bad}"
    document = Document(text)
    lines = [document.lines.position(one.span.start) for one in findings(document)]
    assert lines == [(1, 2), (10, 2)]


def test_end_of_the_text_is_marked_at_its_last_character() -> None:
    document = Document("func.func @f() {\n  return\n")
    (one,) = findings(document)
    assert document.text_of(one.span) != "" and one.span.end <= len(document.text)


def test_location_elsewhere_does_not_move_a_mistake() -> None:
    text = 'func.func @f(%x: tensor<3x4xf32>) {\n  %0 = tir.dot %x, %x : tensor<3x4xf32> loc("model.py":3:4)\n  return\n}\n'
    ((piece, message),) = found(text)
    assert piece.startswith("%0 = tir.dot") and message.startswith("tir.dot: inner sizes must agree")


def test_mistake_in_a_location_is_found_too() -> None:
    text = "func.func @f() {\n  return loc(#missing)\n}\n"
    ((marked, message),) = found(text)
    assert marked == "#missing" and "#missing" in message


def test_unregistered_ops_are_right_where_the_run_line_allows_them() -> None:
    text = 'func.func @f() {\n  "other.op"() : () -> ()\n  return\n}\n'
    assert len(found(text)) == 1
    assert found(f"// RUN: tir-opt --allow-unregistered-dialect %s\n{text}") == []


def test_hint_can_be_applied() -> None:
    text = "func.func @f(%first: f32) -> f32 {\n  %0 = arith.adff %first, %frist : f32\n  return %0 : f32\n}\n"
    for _ in range(3):
        document = Document(text)
        fixes = [one.fix for one in findings(document) if one.fix is not None]
        if not fixes:
            break
        text = text[: fixes[0].span.start] + fixes[0].text + text[fixes[0].span.end :]
    assert text == "func.func @f(%first: f32) -> f32 {\n  %0 = arith.addf %first, %first : f32\n  return %0 : f32\n}\n"


def test_parts_that_did_not_change_are_not_read_again() -> None:
    document = Document("func.func @f() {\n  return\n}\n// -----\nfunc.func @g() {\n  return\n}\n")
    before = [place.part for place in document.places]
    document.update(document.text.replace("@f", "@longer"))
    after = [place.part for place in document.places]
    assert before[1] is after[1] and before[0] is not after[0]


@pytest.mark.parametrize("text", files(), ids=lambda text: text.name)
def test_every_mistake_marks_a_piece_that_can_be_seen(text: Text) -> None:
    document = text.document
    for one in findings(document):
        piece = document.text_of(one.span)
        assert piece and "\n" not in piece, one
        assert 0 <= one.span.start < one.span.end <= len(text.text)
