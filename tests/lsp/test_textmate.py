"""editors/tir.tmLanguage.json gives every piece of a text a scope, and the right one; the VS Code folder fits together."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from tests.lsp.textmate import Grammar
from tests.lsp.texts import ROOT, Text, files, printed, right_parts
from tir.dialects.all import REGISTRY

GRAMMAR = ROOT / "editors" / "tir.tmLanguage.json"
EXTENSION = ROOT / "editors" / "vscode"
# What a token of the language server is, as the beginning of a scope.
SCOPES = {
    "comment": "comment.", "value": "variable.other.value.", "block": "entity.name.label.",
    "symbol": "entity.name.function.symbol.", "number": "constant.numeric.", "dim": "variable.parameter.size.",
    "shaped": "storage.type.",
}  # fmt: skip


@cache
def grammar() -> Grammar:
    return Grammar(GRAMMAR)


def scopes_of(text: str) -> list[tuple[str, ...]]:
    """The scopes of each character."""
    return [piece.scopes for piece in grammar().pieces(text) for _ in piece.text]


def rules(node: Any) -> Iterator[dict[str, Any]]:
    """All rules of the grammar, however deep."""
    pending = [node]
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            yield one
            pending += one.values()
        elif isinstance(one, list):
            pending += one


def test_grammar_holds_together() -> None:
    text = json.loads(GRAMMAR.read_text(encoding="utf-8"))
    assert text["scopeName"] == "source.tir"
    used = {rule["include"] for rule in rules(text) if "include" in rule}
    assert used == {f"#{name}" for name in text["repository"]}
    for rule in rules([text["patterns"], text["repository"]]):
        for key in ("match", "begin", "end"):
            if isinstance(rule.get(key), str):
                re.compile(rule[key])
        assert ("begin" in rule) == ("end" in rule)
        name = rule.get("name")
        assert not isinstance(name, str) or all(one.endswith(".tir") for one in name.split())


@pytest.mark.parametrize("text", [*files(), *printed()], ids=lambda text: text.name)
def test_every_piece_of_a_right_text_has_the_scope_that_it_is(text: Text) -> None:
    for part in right_parts(text):
        found = scopes_of(part.text)
        lost = {char for char, scopes in zip(part.text, found) if not char.isspace() and not scopes}
        assert not lost, lost
        for token in part.structure.tokens:
            expected = SCOPES.get(token.kind)
            if expected is not None:
                scopes = found[token.start]
                assert any(scope.startswith(expected) for scope in scopes), f"{token.text}: {scopes}"
        for statement in part.structure.statements:
            if statement.kind == "op" and statement.name_span is not None:
                for at in range(*statement.name_span):
                    assert any(".op." in scope for scope in found[at]), statement.name


@pytest.mark.parametrize("name", REGISTRY.op_names())
def test_every_op_and_the_words_of_its_form_have_a_scope(name: str) -> None:
    cls = REGISTRY.op_class(name)
    words = re.findall(r"`([A-Za-z_][\w-]*)`", getattr(cls, "format", None) or "")
    text = f"  %0 = {name} %a {' %b '.join(words)}"
    found = scopes_of(text)
    at = text.index(name)
    assert all(any(".op." in scope for scope in scopes) for scopes in found[at : at + len(name)])
    for word in words:
        assert found[text.index(f" {word}") + 1][0].startswith(("keyword.", "constant.language."))


@pytest.mark.parametrize(("text", "piece", "scope"), [
    ("%0 = arith.addf %x, %y : f32", "f32", "storage.type.tir"),
    ("// RUN: tir-opt %s", "RUN", "keyword.other.directive.tir"),
    ("// -----", "// -----", "comment.line.double-slash.separator.tir"),
    ("// expected-error@+1 {{no}}", "expected-error", "keyword.other.directive.tir"),
    ('func.func @f(%x: f32 {tir.name = "x", tir.out})', "tir.name", "entity.other.attribute-name.tir"),
    ('func.func @f(%x: f32 {tir.name = "x", tir.out})', "tir.out", "entity.other.attribute-name.tir"),
    ("#map = affine_map<(d0) -> (d0 floordiv 2)>", "floordiv", "keyword.operator.word.tir"),
    ("#map = affine_map<(d0) -> (d0 floordiv 2)>", "#map", "entity.name.type.alias.tir"),
    ("#map = affine_map<(d0) -> (d0)>", "d0", "variable.parameter.affine.tir"),
    ("%0 = tir.slice %x : tensor<[B - 2]x?x4xf32>", "B", "variable.parameter.size.tir"),
    ("%0 = tir.slice %x : tensor<[B - 2]x?x4xf32>", "?", "constant.numeric.size.tir"),
    ("%0 = tir.slice %x : tensor<[B - 2]x?x4xf32>", "f32", "storage.type.tir"),
    ('"arith.addf"(%a, %b) : (f32, f32) -> f32', "arith.addf", "support.function.op.tir"),
    ('cf.assert %c, "a \\22 b"', "\\22", "constant.character.escape.tir"),
    ("return %x : f32", "return", "keyword.control.op.tir"),
    ("%0 = arith.constant true", "true", "constant.language.tir"),
    ("%0 = tir.full -1.5e-3 : f32", "-1.5e-3", "constant.numeric.float.tir"),
    ("func.func private @f() -> f32", "->", "keyword.operator.arrow.tir"),
    ('return loc(callsite("a" at #loc))', "callsite", "keyword.other.location.tir"),
    ("memref.load %m[%i] : memref<4xf32, strided<[?], offset: 1>>", "strided", "support.type.attribute.tir"),
])  # fmt: skip
def test_a_piece_has_its_scope(text: str, piece: str, scope: str) -> None:
    at = text.index(piece)
    assert all(scope in scopes for scopes in scopes_of(text)[at : at + len(piece)])


def test_unclosed_string_ends_with_its_line() -> None:
    found = scopes_of('cf.assert %c, "open\nreturn')
    assert found[-2] == ("keyword.control.op.tir",)


def test_extension_names_files_that_are_there() -> None:
    package = json.loads((EXTENSION / "package.json").read_text(encoding="utf-8"))
    language, grammar_entry = package["contributes"]["languages"][0], package["contributes"]["grammars"][0]
    assert (EXTENSION / package["main"]).is_file() and (EXTENSION / language["configuration"]).is_file()
    assert language["extensions"] == [".tir"] and language["id"] == grammar_entry["language"] == "tir"
    assert grammar_entry["scopeName"] == json.loads(GRAMMAR.read_text(encoding="utf-8"))["scopeName"]
    assert "../tir.tmLanguage.json" in package["scripts"]["prepare"]  # `npm install` copies it next to the package
    assert grammar_entry["path"] in ("./tir.tmLanguage.json",)
    script = (EXTENSION / package["main"]).read_text(encoding="utf-8")
    for required in re.findall(r'require\("([^"]+)"\)', script):
        assert required == "vscode" or required.split("/")[0] in package["dependencies"]
    for command in package["contributes"]["commands"]:
        assert f'"{command["command"]}"' in script
    for setting in package["contributes"]["configuration"]["properties"]:
        assert f'"{setting}"' in script or f'("{setting.split(".")[1]}"' in script
    configuration = json.loads((EXTENSION / language["configuration"]).read_text(encoding="utf-8"))
    assert configuration["comments"]["lineComment"] == "//"
