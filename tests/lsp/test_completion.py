"""What is offered while someone types. `|` marks the place."""

from __future__ import annotations

import pytest

from tests.lsp.texts import files
from tir.dialects.all import REGISTRY
from tir.lsp.completion import MAX_VALUES, Item, complete
from tir.lsp.document import Document
from tir.passes.pipelines import ALL

HEAD = "func.func @f(%x: tensor<[B]x4xf32>, %c: i1) {\n"


def items(text: str) -> list[Item]:
    """The completions at the mark, the best first."""
    at = text.index("|")
    found = complete(Document(text[:at] + text[at + 1 :]), at)
    assert all(one.span.end == at for one in found)
    return sorted(found, key=lambda one: (one.order, one.text))


def offered(text: str) -> list[str]:
    return [one.text for one in items(text)]


@pytest.mark.parametrize("name", REGISTRY.op_names())
def test_every_op_is_offered_by_its_dialect(name: str) -> None:
    assert name in OFFERED[name.split(".")[0]]


OFFERED = {
    dialect.name: offered(f"{HEAD}  %0 = {dialect.name}.|\n  return\n}}\n") for dialect in REGISTRY.dialects
}


def test_only_ops_of_the_dialect_are_offered_behind_its_dot() -> None:
    assert all(name.startswith("cf.") for name in offered(HEAD + "  cf.|\n}"))


@pytest.mark.parametrize("line", ["  |", "  %0 = |", "  %a, %b = |", '  "|', "  %0 = t|"])
def test_ops_are_offered_where_one_may_begin(line: str) -> None:
    assert "tir.add" in offered(f"{HEAD}{line}\n  return\n}}\n")


def test_an_op_is_found_by_the_name_that_it_has_elsewhere() -> None:
    found = {one.other_name: one.text for one in items(f"{HEAD}  %0 = tir.mat|\n  return\n}}\n") if one.other_name}
    assert found["tir.matmul"] == "tir.dot" and found["tir.less"] == "tir.cmp lt"
    assert not [one for one in items(f"{HEAD}  %0 = cf.|\n  return\n}}\n") if one.other_name]


@pytest.mark.parametrize("line", ["  %0 = tir.add %x, |", '  cf.assert %c, "a |', "  // some words |", "  tir.update @w, |"])
def test_no_ops_are_offered_where_none_may_begin(line: str) -> None:
    assert "tir.add" not in offered(f"{HEAD}{line}\n  return\n}}\n")


def test_values_in_scope_are_offered_the_nearest_first_with_types() -> None:
    text = f"{HEAD}  %a = tir.neg %x : tensor<[B]x4xf32>\n  %b = tir.neg %|\n  %later = tir.neg %x : tensor<[B]x4xf32>\n}}\n"
    found = items(text)
    assert [(one.text, one.detail) for one in found] == [
        ("%a", "tensor<[B]x4xf32>"), ("%c", "i1"), ("%x", "tensor<[B]x4xf32>")
    ]  # fmt: skip


def test_values_of_sibling_regions_and_other_functions_are_not_offered() -> None:
    text = f"""{HEAD}  scf.if %c {{
    %inner = arith.constant 1 : i32
  }} else {{
    %other = arith.addi %|
  }}
  return
}}
func.func @g(%y: f32) {{
  return
}}
"""
    assert offered(text) == ["%c", "%x"]


def test_loop_counter_is_offered_inside_its_loop_alone() -> None:
    text = "func.func @f(%n: index) {\n  scf.for %i = %n to %n step %n {\n    arith.addi %|\n  }\n}\n"
    assert offered(text) == ["%i", "%n"]
    assert offered(text.replace("%|\n  }", "%n\n  }\n  arith.addi %|")) == ["%n"]


def test_results_are_offered_by_number() -> None:
    text = f"{HEAD}  %s:2 = arith.addui_extended %c, %c : i1, i1\n  arith.addi %s#|\n}}\n"
    assert [(one.text, one.detail) for one in items(text)] == [("%s#0", "i1"), ("%s#1", "i1")]


def test_of_very_many_values_the_nearest_that_fit_are_offered() -> None:
    lines = [f"  %v{i} = arith.constant {i} : i32" for i in range(1000)]
    text = HEAD + "\n".join(lines) + "\n  arith.addi %|\n}\n"
    assert len(items(text)) == MAX_VALUES and items(text)[0].text == "%v999"
    assert offered(text.replace("%|", "%v12|"))[0] == "%v129" and "%v12" in offered(text.replace("%|", "%v12|"))


def test_blocks_of_the_region_are_offered() -> None:
    text = f"{HEAD}  cf.br ^|\n^one(%y: f32):\n  return\n^two:\n  return\n}}\n"
    assert offered(text) == ["^one", "^two"]


def test_functions_come_first_behind_a_call_and_variables_elsewhere() -> None:
    text = f"tir.shared @w : tensor<f32> = dense<0.0>\nfunc.func private @g()\n{HEAD}  func.call @|\n}}\n"
    assert offered(text)[:2] == ["@f", "@g"] and offered(text.replace("func.call", "%0 = tir.read"))[0] == "@w"


def test_types_are_offered_behind_a_colon_those_of_the_operands_first() -> None:
    found = offered(f"!t = f32\n{HEAD}  %0 = tir.neg %x : |\n}}\n")
    assert found[0] == "tensor<[B]x4xf32>" and found[1] == "i1"
    assert {"f32", "index", "tensor<", "!t"} <= set(found)


def test_element_types_and_sizes_are_offered_inside_a_type() -> None:
    assert "f32" in offered(f"{HEAD}  %0 = tir.neg %x : tensor<[B]x4x|\n}}\n")
    assert offered(f"{HEAD}  %0 = tir.neg %x : tensor<[|\n}}\n") == ["B"]


def test_words_of_the_form_and_of_enums_are_offered() -> None:
    assert "over" in offered(f"{HEAD}  %0 = tir.sum %x |\n}}\n")
    assert {"eq", "ne", "lt"} <= set(offered(f"{HEAD}  %0 = tir.cmp |\n}}\n"))
    assert {"oeq", "ult"} <= set(offered(f"{HEAD}  %0 = arith.cmpf |\n}}\n"))


def test_attributes_are_offered_in_dictionaries() -> None:
    assert "tir.range" in offered('func.func @f(%x: f32 {tir.name = "x", |}) {')
    assert {"predicate"} == set(offered('  %0 = "arith.cmpi"(%a, %b) <{|}> : (i32, i32) -> i1'))


def test_passes_and_their_options_are_offered_in_run_lines() -> None:
    assert set(offered("// RUN: tir-opt --|")) == set(ALL)
    assert set(offered("// RUN: tir-opt --pass-pipeline='builtin.module(cse,|")) == set(ALL)
    assert "fp-mode=" in offered("// RUN: tir-opt --canonicalize=|")
    assert "fp-mode=" in offered("// RUN: tir-opt --pass-pipeline='canonicalize{|")
    assert offered("// nothing to run here: -- |") == []


def test_completing_replaces_the_word_that_was_begun() -> None:
    text = f"{HEAD}  %0 = tir.so|\n}}\n"
    (one,) = [one for one in items(text) if one.text == "tir.softmax"]
    assert text[slice(*one.span)] == "tir.so"


@pytest.mark.parametrize("name", ["examples/digits.tir", "examples/mlp.tir"])
def test_each_value_of_an_example_is_offered_where_it_is_used(name: str) -> None:
    text = next(one.text for one in files() if one.name == name)
    document = Document(text)
    for definition in document.places[0].part.names.definitions:
        for span in definition.uses:
            if definition.kind in ("value", "symbol"):
                assert definition.name in {one.text for one in complete(document, span.start + 1)}
