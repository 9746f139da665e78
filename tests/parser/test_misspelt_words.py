"""Words of other frameworks, and each word in the form of an op without its last letter: the error names what is meant."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tir.dialects.all import REGISTRY
from tir.ir.errors import TirErrors
from tir.ir.syntax import Braces, Brackets, Item, RawOp, Word
from tir.parser.parse import parse_text
from tir.parser.raw import RawText, read_text, split_file

ROOT = Path(__file__).resolve().parent.parent.parent


def items_of(raw: RawText, op: RawOp) -> Iterator[Item]:
    """The items of an op's own text, and those inside brackets."""
    pending: list[Item] = list(raw.items(op))
    for item in pending:  # grows while it is read
        yield item
        if isinstance(item, Brackets):
            pending.extend(item.items)


def ops_of(raw: RawText) -> Iterator[RawOp]:
    pending = list(raw.ops)
    for op in pending:  # grows while it is read
        yield op
        inside = [blocks for item in items_of(raw, op) if isinstance(item, Braces) for blocks in [item.blocks]]
        pending.extend(inner for blocks in [*(op.regions or ()), *inside] for block in blocks for inner in block.ops)


@cache
def words() -> dict[tuple[str, str], tuple[str, int]]:
    """A program and a place in it for each word of at least four letters of each op among the programs of the tests."""
    found: dict[tuple[str, str], tuple[str, int]] = {}
    for path in sorted(path for folder in ("dialects", "passes") for path in (ROOT / "tests" / "lit" / folder).glob("*.tir")):
        for _, text in split_file(path.read_text(encoding="utf-8")):
            raw = read_text(text, path.name)
            if raw.errors or said(text):
                continue
            for op in ops_of(raw):
                if not op.generic:
                    for word in items_of(raw, op):
                        if isinstance(word, Word) and len(word.text) >= 4:
                            found.setdefault((op.name, word.text), (text, word.pos))
    return found


def said(text: str) -> str:
    try:
        parse_text(text, REGISTRY)
    except TirErrors as errors:
        return "\n".join(str(error) for error in errors.errors)
    return ""


def test_there_are_words_of_many_ops() -> None:
    assert {("tir.scan", "checkpoint"), ("scf.for", "iter_args"), ("tir.grad", "disconnected"), ("func.func", "private")} <= words().keys()
    assert len(words()) > 100


@pytest.mark.parametrize("key", sorted(words()), ids=" ".join)
def test_word_without_its_last_letter_is_told_with_the_whole_word(key: tuple[str, str]) -> None:
    text, pos = words()[key]
    end = pos + len(key[1])
    assert text[pos:end] == key[1]
    message = said(text[: end - 1] + text[end:])
    assert "\n" not in message and f"'{key[1]}'" in message, message


@pytest.mark.parametrize("name", ["tir.Relu", "tir.RELU", "TIR.relu"])
def test_name_in_other_letters_is_told_with_the_right_ones(name: str) -> None:
    text = f"func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {{\n  %r = {name} %x : tensor<4xf32>\n  return %r : tensor<4xf32>\n}}"
    assert said(text).startswith(f"<text>:2:3: unknown op '{name}'")
    assert said(text).endswith("did you mean 'tir.relu'?")


# --- names of other frameworks ---------------------------------------------------------------------------------------

ELSEWHERE = [
    ("tir.matmul", "did you mean 'tir.dot'?"),
    ("tir.where", "did you mean 'tir.select'?"),
    ("tir.less", "did you mean 'tir.cmp lt'?"),
    ("tir.concatenate", "did you mean 'tir.concat'?"),
    ("tir.logical_and", "did you mean 'tir.and'?"),
    ("tir.zeros", "did you mean 'tir.full'?"),
    ("tir.arg_max", "did you mean 'tir.argmax'?"),
    ("tir.Conv2D", "did you mean 'tir.conv'?"),
    ("tir.scatter_nd", "did you mean 'tir.put_nd set'?"),
    ("matmul", "did you mean 'tir.dot'?"),
    ("stablehlo.multiply", "did you mean 'tir.mul'?"),
    ("onnx.MatMul", "did you mean 'tir.dot'?"),
    ("torch.relu", "did you mean 'tir.relu'?"),
    ("tir.relu6", "tir.clamp keeps x between 0 and 6"),
    ("tir.hessian", "write tir.jacobian of what tir.grad gives"),
    ("tir.rng_key", "a key is a tensor<2xi32>, an argument or a tir.constant of two words"),
    ("tir.call", "func.call calls a function"),
    ("arith.add", "did you mean 'arith.addi'?"),
]


@pytest.mark.parametrize(("name", "hint"), ELSEWHERE)
def test_name_of_another_framework_is_told_with_the_op(name: str, hint: str) -> None:
    message = said(f"func.func @f(%x: tensor<4xf32>) {{\n  %r = {name} %x : tensor<4xf32>\n  return\n}}")
    assert message.startswith(f"<text>:2:3: unknown op '{name}'") and message.endswith(f"; {hint}"), message
