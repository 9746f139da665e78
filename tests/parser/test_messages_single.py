"""Messages that no other test meets: each is one mistake in Python or in a text."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest

from tir.api import Builder, type_from_text
from tir.cli.arrays import parse_literal
from tir.dialects.all import REGISTRY
from tir.ir import source_files
from tir.ir.errors import TirError
from tir.lower.llvm import lower_to_llvm
from tir.parser.parse import parse_text
from tir.passes.arith_emulate_unsupported_floats import ArithEmulateUnsupportedFloats


def inside(mistake: Callable[[Builder, Any], Any], type: str = "tensor<4x3xf32>") -> Callable[[], Any]:
    """Makes the mistake in a function with one argument."""

    def run() -> None:
        b = Builder()
        b.shared("w", [1.0, 2.0])
        with b.function("f", x=type) as (x,):
            mistake(b, x)

    return run


def text(text: str) -> Callable[[], Any]:
    return lambda: parse_text(text, REGISTRY)


NESTED = "(" * 300
MISTAKES: list[tuple[Callable[[], Any], str]] = [
    (lambda: Builder().full(1.0, [2]), "tir.full: an op stands in a function; open one by `with b.function(..)`"),
    (lambda: Builder().returns(), "returns stands in a function; open one by `with b.function(..)`"),
    (lambda: Builder().shared("w", "tensor<2xf32>"), "shared @w: give an array, or a type and the name of an init function"),
    (inside(lambda b, x: b.update("w", x)), "update @w: the value must have type tensor<2xf64>, got tensor<4x3xf32>"),
    (inside(lambda b, x: x[..., ...]), "`...` may stand only once"),
    (inside(lambda b, x: x["a"]), "an index is an integer, a slice, `...`, None or an array of integers, got 'a'"),
    (inside(lambda b, x: x[-1:2], "tensor<?x3xf32>"), "of an axis of size ? must begin at 0 or more and not be empty"),
    (text("func.func @f(%x: tensor<4xi8>) {\n  %0 = tir.sum %x over [0] acc f32 : tensor<i8>\n  return\n}"),
     "i8 accumulates in a float of 32 bits or more, or in an integer of its sign, that is not narrower, got acc f32"),
    (lambda: ArithEmulateUnsupportedFloats(source_types=("f32",)).run(Builder().module),
     "arith-emulate-unsupported-floats: source-types must be f16 or bf16, got 'f32'"),
    (lambda: lower_to_llvm(text("func.func @f(%x: bf16) {\n  %0 = arith.negf %x : bf16\n  return\n}")()),
     "arith.negf: machine code has no arithmetic on bf16; run arith-emulate-unsupported-floats before this"),
    (lambda: type_from_text("tensor<4xf32"), "'tensor<4xf32' is no type: "),
    (lambda: parse_literal("[1, two]", "x"), "x: '[1, two]' is not "),
    (lambda: parse_literal("[" * 100, "x"), "x: lists are nested more than "),
    (lambda: parse_literal("9" * 5000, "x"), "x: a number has at most "),
    (text(f"func.func @f() attributes {{a = {NESTED}"), "brackets and regions nest deeper than 256"),
    (text("func.func @f() {\n  return\n}\n{-# a: " + "{ b: " * 300 + "1 " + "}" * 300 + " #-}"), "the metadata nests deeper than "),
    (text("func.func @f() attributes {a = affine_map<(" + "i" * 3000 + ", " + "j" * 5000 + ") -> ()>} {\n  return\n}"),
     "an identifier or number has more than 4096 characters"),
]  # fmt: skip


@pytest.mark.parametrize(("mistake", "message"), MISTAKES, ids=[message[:40] for _, message in MISTAKES])
def test_mistake_is_said(mistake: Callable[[], Any], message: str) -> None:
    with pytest.raises(Exception) as found:
        mistake()
    assert isinstance(found.value, TirError) or type(found.value).__name__ == "CommandLineError"
    assert message in str(found.value)


def test_a_file_without_end_is_read_up_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_files, "MAX_FILE_BYTES", 10)
    with pytest.raises(TirError, match="a file has at most 10 bytes, and this has more"):
        source_files.decode_source(io.BytesIO(b"x" * 20), "endless")
