"""The verifier asks one op of each signature: what it may leave out, and that it finds the same errors."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from tir.dialects.all import REGISTRY
from tir.ir import verify
from tir.ir.ir import Op
from tir.ir.verify import check
from tir.parser.parse import parse_text, read_module
from tir.parser.raw import split_file

TESTS = Path(__file__).parent.parent
OPS = [cls for dialect in REGISTRY.dialects for cls in dialect.ops]
AROUND = re.compile(r"\.(parent|parent_op|ancestors|previous|next|op|owner|users?|uses|is_used)\b")


@pytest.mark.parametrize("cls", OPS, ids=lambda cls: cls.name)
def test_an_op_whose_rules_look_around_says_so(cls: type[Op]) -> None:
    """`infer` never looks further than types and attributes, `verify` only where `verify_looks_around` says it."""
    asked_each = cls.verify_looks_around or cls.definition.regions or cls.definition.successors
    for rule in [cls.infer] if asked_each else [cls.infer, cls.verify]:
        assert not AROUND.search(inspect.getsource(rule)), f"{cls.name}.{rule.__name__}"


def errors(text: str) -> list[str]:
    _, found = read_module(text, REGISTRY, file="t", allow_unregistered=True, verify=True)
    return [f"{error.location}: {error.message} {error.notes}" for error in found]


@pytest.mark.parametrize("folder", ["lit/errors", "lit/dialects"])
def test_the_errors_are_those_of_asking_each_op(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [part for file in sorted((TESTS / folder).glob("*.tir")) for _, part in split_file(file.read_text())]
    quick = [errors(text) for text in texts]
    monkeypatch.setattr(verify._Right, "has", lambda self, op: False)
    for text, found in zip(texts, quick):
        assert found == errors(text), text




def module_of(body: str) -> Op:
    return parse_text(f"func.func @f(%x: f32) -> f32 {{\n{body}  return %x : f32\n}}\n", REGISTRY)


def test_dominance_is_checked_for_each_op() -> None:
    module = module_of("  %y = arith.addf %x, %x : f32\n  %z = arith.addf %x, %x : f32\n  %w = arith.negf %z : f32\n")
    first, second, _, _ = module.body.first.body.ops  # type: ignore[union-attr]
    first.set_operand(0, second.result)
    assert ["is defined behind its use" in error.message for error in check(module)] == [True]


def test_a_terminator_is_asked_where_it_stands() -> None:
    text = "func.func @f{0}() -> {1} {{\n  %c = arith.constant 1 : i32\n  return %c : i32\n}}\n"
    module = parse_text(text.format(1, "i32") + text.format(2, "i64"), REGISTRY, verify=False)
    assert len(check(module)) == 1
