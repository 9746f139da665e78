"""What the pointer shows: documentation of every op and pass, types, sizes, symbols."""

from __future__ import annotations

import pytest

from tests.lsp.texts import Text, files
from tir.dialects.all import REGISTRY
from tir.ir import facts
from tir.lsp.catalogue import FACTS, op_text, pass_text
from tir.lsp.document import Document
from tir.lsp.hover import hover
from tir.passes.pipelines import ALL

DIGITS = next(text.text for text in files() if text.name == "examples/digits.tir")
SLICED = """// Leaves out the first two rows.
func.func private @tail(%x: tensor<[B]x4xf32> {tir.name = "x"}) -> tensor<[B-2]x4xf32>
func.func @f(%x: tensor<[B]x4xf32> {tir.name = "rows", tir.range = [0.0, 1.0]}, %c: i1) -> tensor<[B-2]x4xf32> {
  %0 = func.call @tail(%x) : (tensor<[B]x4xf32>) -> tensor<[B-2]x4xf32>
  %s:2 = arith.addui_extended %c, %c : i1, i1
  return %0 : tensor<[B-2]x4xf32>
}
"""


def shown(text: str, place: str, inside: int = 1) -> str:
    """What is shown at the first `place`, `inside` characters into it."""
    found = hover(Document(text), text.index(place) + inside)
    assert found is not None, place
    return found.text


@pytest.mark.parametrize("name", REGISTRY.op_names())
def test_every_op_shows_its_documentation_operands_and_form(name: str) -> None:
    cls = REGISTRY.op_class(name)
    assert cls is not None
    text = shown(f"  {name}\n", name)
    assert text == op_text(cls) and f"**{name}**" in text
    assert (cls.__doc__ or "").strip().split("\n")[0] in text
    for field in (*cls.definition.operands, *cls.definition.attributes.values(), *cls.definition.results):
        assert f"`{field.name}`" in text and field.kind.text in text


def test_op_shows_the_types_that_it_takes_and_makes() -> None:
    assert shown(DIGITS, "tir.dot").startswith(
        "```tir\ntir.dot : (tensor<[B]x64xf32>, tensor<64x10xf32>) -> tensor<[B]x10xf32>\n```\n\n**tir.dot**"
    )


def test_generic_op_shows_the_same() -> None:
    text = 'func.func @f(%x: f32) {\n  %0 = "arith.addf"(%x, %x) : (f32, f32) -> f32\n  return\n}\n'
    assert "arith.addf : (f32, f32) -> f32" in shown(text, '"arith.addf"', 3)


def test_value_shows_type_home_and_sizes() -> None:
    assert shown(DIGITS, "%xw = ") == (
        "```tir\n%xw : tensor<[B]x10xf32>\n```\n\nresult of `tir.dot`\n\n- axis 0: `[B]`, where `B` is axis 0 of `%x`"
    )


def test_use_shows_what_the_definition_shows() -> None:
    assert shown(DIGITS, "%xw, %bb") == shown(DIGITS, "%xw = ")


def test_argument_shows_what_the_function_says_of_it() -> None:
    text = shown(SLICED, "%x: tensor<[B]x4xf32> {tir.name = \"rows\"")
    assert "argument of `func.func @f`" in text
    assert '- `tir.name = "rows"`' in text and "- `tir.range = [0.0, 1.0]`" in text


def test_inferred_size_shows_where_its_name_is_bound() -> None:
    assert "- axis 0: `[B - 2]`, where `B` is axis 0 of `%x`" in shown(SLICED, "%0 = func.call")
    assert shown(SLICED, "[B-2]x4xf32> {", 1) == "size `B`: axis 0 of argument `%x : tensor<[B]x4xf32>`"


def test_results_with_a_number_show_their_own_type() -> None:
    text = "func.func @f(%x: i32) -> i1 {\n  %s:2 = arith.addui_extended %x, %x : i32, i1\n  return %s#1 : i1\n}\n"
    assert "%s#1 : i1" in shown(text, "%s#1") and "result 1 of `arith.addui_extended`" in shown(text, "%s#1")


def test_loop_counter_and_label_argument_show_their_type() -> None:
    text = """func.func @f(%n: index, %x: f32) {
  scf.for %i = %n to %n step %n {
    %j = arith.addi %i, %n : index
  }
  cf.br ^next(%x : f32)
^next(%y: f32):
  return
}
"""
    assert "%i : index" in shown(text, "%i, %n") and "argument of `scf.for`" in shown(text, "%i = ")
    assert "%y : f32" in shown(text, "%y") and "argument of block `^next`" in shown(text, "%y")
    assert "1 branch to this block" in shown(text, "^next(%x")


def test_symbol_shows_its_signature_and_the_comment_above() -> None:
    text = shown(SLICED, "@tail(%x)")
    assert "func.func private @tail(" in text and text.endswith("Leaves out the first two rows.")


def test_alias_shows_what_it_stands_for() -> None:
    text = "!t = tensor<4xf32>\nfunc.func private @f(!t)\n"
    assert shown(text, "(!t", 2) == "```tir\n!t = tensor<4xf32>\n```"


@pytest.mark.parametrize("name", list(ALL))
def test_every_pass_shows_its_documentation_in_a_run_line(name: str) -> None:
    assert shown(f"// RUN: tir-opt --{name} %s\n", f"--{name}", 4) == pass_text(name)
    assert shown(f"// RUN: tir-opt --pass-pipeline='builtin.module({name})' %s\n", f"({name}", 2) == pass_text(name)


def test_attribute_and_fact_show_what_they_may_be() -> None:
    text = 'func.func @f(%x: i1) {\n  cf.assert %x, "no" {msg = "x"}\n  return\n}\n'
    assert shown(text, "msg") == "attribute `msg` of `cf.assert`: a string"
    assert shown(DIGITS, "tir.range", 6) == f"`tir.range`: {FACTS['tir.range']}"


def test_every_fact_that_the_verifier_knows_is_explained() -> None:
    assert FACTS.keys() == facts._FORMS.keys()


def test_nothing_is_shown_where_nothing_is() -> None:
    assert hover(Document("\n\n"), 1) is None
    assert hover(Document("// just words: cse\n"), 16) is None
    assert hover(Document('func.func private @f() attributes {a = "%x"}'), 42) is None


@pytest.mark.parametrize("text", files(), ids=lambda text: text.name)
def test_every_op_that_is_read_shows_something(text: Text) -> None:
    document = text.document
    for place in document.places:
        for statement in place.part.structure.statements:
            if statement.kind == "op" and statement.op_class is not None and statement.name_span is not None:
                found = hover(document, statement.name_span.start + place.start)
                assert found is not None and f"**{statement.name}**" in found.text
