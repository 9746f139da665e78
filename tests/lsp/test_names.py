"""Names in a text mean what the IR says they mean: uses, definitions, scopes, renaming."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from tests.lsp.texts import EXAMPLES, ROOT, Text, files, parts, printed, reads, right_parts, without_names
from tir.ir.attributes import symbol_text
from tir.ir.errors import TirError
from tir.lsp.document import Document, Part
from tir.lsp.names import Occurrence
from tir.lsp.rename import rename, renamed_span
from tir.lsp.structure import Statement

ALL = [*files(), *printed()]
EXAMPLE_NAMES = {str(path.relative_to(ROOT)) for path in EXAMPLES}


def named(text: Text) -> str:
    return text.name


@pytest.mark.parametrize("text", ALL, ids=named)
def test_each_name_leads_to_the_value_that_the_op_uses(text: Text) -> None:
    for part in parts(text):
        for statement in part.structure.statements:
            op = part.op_of(statement)
            if statement.kind != "op" or op is None:
                continue
            assert statement.name == op.name
            got = Counter(id(part.value_of(one)) for one in used(part, statement))
            assert got == Counter(map(id, op.operands)), f"{statement.name} at {statement.start}"


@pytest.mark.parametrize("text", ALL, ids=named)
def test_each_op_of_the_text_is_found_and_each_use_counted(text: Text) -> None:
    for part in parts(text):
        found = {id(part.op_of(statement)) for statement in part.structure.statements}
        spelled = [op for op in part.module.walk() if id(op) in found]
        implied = [op for op in part.module.walk() if id(op) not in found]
        # An op that the text does not spell: the module around everything, or the end of a block.
        assert all(op is part.module or (op.next is None and not op.operands) for op in implied), implied
        uses: Counter[int] = Counter()
        for definition in part.names.definitions:
            for span in definition.uses:
                value = part.value_of(part.names.occurrences[span.start])
                uses[id(value)] += definition.kind == "value"
        for op in spelled:
            for value in (*op.results, *(a for r in op.regions for b in r.blocks for a in b.arguments)):
                assert uses[id(value)] == len(value.uses), f"{op.name}: %{value.hint}"


def used(part: Part, statement: Statement) -> list[Occurrence]:
    """The values that stand in the text of an op, without those that it defines."""
    tokens = [token for token in statement.own if token.kind == "value"]
    found = [part.names.occurrences.get(token.start) for token in tokens]
    assert None not in found, f"{statement.name} at {statement.start}"
    return [one for one in found if one is not None and not one.is_definition]


def test_definition_is_the_line_that_defines() -> None:
    lines = ["func.func @f(%x: f32) -> f32 {", "  %a = arith.addf %x, %x : f32", "  return %a : f32", "}"]
    document = Document("\n".join(lines))
    names = document.places[0].part.names
    use = names.at(document.text.index("return %a") + 8)
    assert use is not None and document.lines.position(use.definition.span.start) == (1, 2)
    argument = names.at(document.text.index("addf %x") + 5)
    assert argument is not None and document.lines.position(argument.definition.span.start) == (0, 13)


def test_sibling_regions_may_use_one_name_for_two_values() -> None:
    text = """func.func @f(%c: i1, %x: f32) -> f32 {
  %0 = scf.if %c -> (f32) {
    %a = arith.addf %x, %x : f32
    scf.yield %a : f32
  } else {
    %a = arith.mulf %x, %x : f32
    scf.yield %a : f32
  }
  return %0 : f32
}
"""
    document = Document(text)
    second = text.index("%a = arith.mulf")
    assert apply(document, second, "%b") == text[:second] + text[second:].replace("%a", "%b")
    first = text.index("%a = arith.addf")
    else_at = text.index("else")
    assert apply(document, first, "b") == text[:else_at].replace("%a", "%b") + text[else_at:]


def apply(document: Document, offset: int, new: str) -> str:
    """The text with the name at `offset` changed."""
    text, moved = document.text, 0
    for span, name in rename(document, offset, new):
        text = text[: span.start + moved] + name + text[span.end + moved :]
        moved += len(name) - (span.end - span.start)
    return text


@pytest.mark.parametrize("text", [text for text in ALL if text.name in EXAMPLE_NAMES], ids=named)
def test_renaming_many_values_of_an_example_changes_names_alone(text: Text) -> None:
    check_renaming(text, most=50)


@pytest.mark.parametrize("text", ALL, ids=named)
def test_renaming_some_values_and_blocks_changes_names_alone(text: Text) -> None:
    check_renaming(text, most=2)


def check_renaming(text: Text, most: int) -> None:
    """A new name for a value gives a text that is the same module up to names; changing it back gives the text."""
    choose = random.Random(text.name)
    for part in choose.sample(found := right_parts(text), min(most, len(found))):
        document = Document(part.text)
        document.places[0].part.allow_unregistered = part.allow_unregistered
        before = without_names(reads(part)[0])
        definitions = [one for one in part.names.definitions if one.kind in ("value", "block")]
        for definition in choose.sample(definitions, min(most, len(definitions))):
            place = choose.choice(definition.spans).start
            new = definition.name[0] + "fresh_name"
            changed = apply(document, place, new)
            renamed = Part(changed, allow_unregistered=part.allow_unregistered)
            module, errors = reads(renamed)
            assert not errors, f"{definition.name}: {errors}"
            assert without_names(module) == before
            assert changed.count(new) == len(definition.spans)
            assert apply(Document(changed), changed.index(new), definition.name) == part.text


@pytest.mark.parametrize("text", ALL[::2], ids=named)
def test_renaming_symbols_aliases_and_sizes_keeps_the_module(text: Text) -> None:
    for part in right_parts(text)[:3]:
        document = Document(part.text)
        before = without_names(reads(part)[0])
        for definition in part.names.definitions:
            if definition.kind in ("value", "block") or "fresh_name" in part.text:
                continue
            try:
                changed = apply(document, definition.span.start, "fresh_name")
            except TirError as refused:
                assert definition.kind == "size" and "is also named" in refused.message
                continue
            module, errors = reads(Part(changed, allow_unregistered=part.allow_unregistered))
            assert not errors, f"{definition.name}: {errors}"
            if definition.kind == "symbol" and "\\" not in definition.name:
                assert same_symbols(without_names(module), before, definition.name)
            elif definition.kind == "alias":
                assert without_names(module) == before


def same_symbols(after: str, before: str, name: str) -> bool:
    """The modules are equal when the new name is read as the old one."""
    for new, old in (("@fresh_name", symbol_text(name[1:])), ('"fresh_name"', f'"{name[1:]}"')):
        after = after.replace(new, old)
    return after == before


LOOP = """func.func @f(%n: index, %x: f32) -> f32 {
  %one = arith.constant 1 : index
  %r = scf.for %i = %one to %n step %one iter_args(%a = %x) -> (f32) {
    %b = arith.addf %a, %x : f32
    scf.yield %b : f32
  }
  return %r : f32
}
func.func @g(%n: index) {
  return
}
!t = tensor<[B]xf32>
"""


@pytest.mark.parametrize(("place", "new", "sentence"), [
    ("%b =", "%x", "%x is taken: line 1 defines it"),
    ("%b =", "%i", "%i is taken: line 3 defines it"),
    ("%x: f32", "%b", "%b is taken: line 4 defines it"),
    ("%b =", "a b", "'a b' is no name here: a value is named by % and letters, digits, _, $, . or -"),
    ("%b =", "", "'' is no name here: a value is named by % and letters, digits, _, $, . or -"),
    ("%b =", "@b", "'@b' is no name here: a value is named by % and letters, digits, _, $, . or -"),
    ("%b =", "7x", "'7x' is no name here: a value is named by % and letters, digits, _, $, . or -"),
    ("@f", "@g", "@g is taken: line 9 defines it"),
    ("!t", "a.b", "'a.b' is no name here: an alias is named by # or ! and letters, digits, _, $ or -, without a dot"),
    ("B]", "mod", "'mod' is no name here: a size is named by letters, digits, _, $ or ."),
    ("arith.addf", "%z", "there is no name here that can be changed"),
])  # fmt: skip
def test_a_name_that_cannot_be_is_refused_with_the_reason(place: str, new: str, sentence: str) -> None:
    with pytest.raises(TirError) as refused:
        rename(Document(LOOP), LOOP.index(place), new)
    assert str(refused.value) == sentence


def test_a_function_knows_no_value_from_around_it_and_a_region_does() -> None:
    text = "%top = arith.constant 1 : i32\nfunc.func @f(%a: i1) {\n  scf.if %a {\n    %in = arith.constant 2 : i32\n  }\n  return\n}\n"
    part = Document(text).place_at(0).part
    known = {one.name: set(part.names.visible(one.area, "value")) for one in part.names.definitions if one.kind == "value"}
    assert known == {"%top": {"%top"}, "%a": {"%a"}, "%in": {"%a", "%in"}}


def test_a_name_of_another_function_is_free() -> None:
    changed = apply(Document(LOOP), LOOP.rindex("%n"), "x")
    assert "@g(%x: index)" in changed and "@f(%n: index" in changed


def test_a_symbol_that_is_no_identifier_is_quoted() -> None:
    text = 'func.func private @f()\nfunc.func @g() {\n  func.call @f() : () -> ()\n  return\n}\n"func.func"() <{sym_name = "h", function_type = () -> ()}> ({}) {sym_visibility = "private"} : () -> ()\n'
    document = Document(text)
    assert apply(document, text.index("@f"), "my f").count('@"my f"') == 2
    assert 'sym_name = "other"' in apply(document, text.index('"h"') + 1, "@other")


def test_results_with_a_number_are_renamed_by_their_name() -> None:
    text = "func.func @f(%x: i32) -> i32 {\n  %s:2 = arith.addui_extended %x, %x : i32, i1\n  return %s#0 : i32\n}\n"
    document = Document(text)
    assert renamed_span(document, text.index("%s#0") + 1) == (text.index("%s#0"), text.index("#0"))
    assert apply(document, text.index("%s:2"), "sum") == text.replace("%s", "%sum")


def test_size_that_an_attribute_names_too_is_refused() -> None:
    text = 'func.func @f(%x: tensor<[B]xf32> {tir.dims = ["B"]}) -> tensor<[B]xf32> {\n  return %x : tensor<[B]xf32>\n}\n'
    with pytest.raises(TirError, match="size B is also named in a string"):
        rename(Document(text), text.index("B]"), "N")
    plain = text.replace(' {tir.dims = ["B"]}', "")
    assert apply(Document(plain), plain.index("B]"), "N") == plain.replace("[B]", "[N]")


def test_names_of_a_nested_module_are_looked_up_in_it() -> None:
    text = "module {\n  module @m {\n    func.func private @f()\n  }\n  func.func private @f()\n  func.func private @g() attributes {a = @m::@f, b = @f}\n}\n"
    part = Document(text).places[0].part
    inner, outer = part.names.at(text.index("::@f") + 2), part.names.at(text.index("b = @f") + 4)
    assert inner is not None and inner.definition.span.start == text.index("@f")
    assert outer is not None and outer.definition.span.start == text.index("@f", text.index("  }\n"))
