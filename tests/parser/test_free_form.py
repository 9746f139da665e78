"""MLIR's text is free-form: blanks, line ends and comments between tokens change nothing.

All valid texts of tests/lit, docs and examples are laid out anew at random, and must give the same module.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from tir.dialects.all import REGISTRY
from tir.ir.errors import TirError
from tir.ir.printer import print_op
from tir.parser.parse import parse_text
from tir.parser.raw import split_file

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(path for folder in ("tests/lit", "docs", "examples") for path in (ROOT / folder).rglob("*.tir"))
PIECE = re.compile(
    r"""[!#][\w$]+\.[\w$.]*<(?:[^<>"]|->|<[^<>]*>|"[^"]*")*>  # the body of a dialect's own type is text that is kept
    | \{-\#.*?\#-\} | "(?:[^"\\]|\\.)*" | //[^\n]* | [@%^][\w$.-]*\w | -> | [,(){}\[\]] | \s+
    | [A-Za-z_]+(?=<) | [^\s"/,(){}\[\]A-Za-z_-]+ | [^\s"/,(){}\[\]<-]+ | .""",
    re.DOTALL | re.VERBOSE,
)
GAPS = (" ", "  ", "\t", "\n", "\n  ", "\r\n", " // a comment\n", "\n// %x = d.op {\n\n", " //\n// ^bb0: }\n  ")
FREE = frozenset(("(", ")", "{", "}", "[", "]", ",", "->", "tensor", "memref", "vector", "dense", "loc", "affine_map", "tuple"))
MAX_SIZE = 20_000


def pieces(text: str) -> list[str]:
    """The text without its comments, cut where blanks are or may be; "" stands for a blank."""
    found: list[str] = []
    for piece in PIECE.findall(text):
        found.append("" if piece.isspace() or piece.startswith("//") else piece)
    return found


def laid_out(text: str, generator: random.Random, often: float) -> str:
    """The text with other gaps; `often`: how often one changes or is added next to a comma or bracket."""
    out: list[str] = []
    for piece in pieces(text):
        changes = generator.random() < often
        if piece == "":
            out.append(generator.choice(GAPS) if changes else " " if generator.random() < 0.5 else "\n")
        elif piece in FREE and changes:
            out += [generator.choice(GAPS) if generator.random() < 0.5 else "", piece, generator.choice(GAPS)]
        else:
            out.append(piece)
    return "".join(out)


def module_text(text: str) -> str:
    return print_op(parse_text(text, REGISTRY, allow_unregistered=True), generic=True)


def valid_parts(path: Path) -> list[tuple[str, str]]:
    """The parts of a file that are right, each with what it gives."""
    found = []
    for _, part in split_file(path.read_text(encoding="utf-8")):
        try:
            found.append((part, module_text(part)))
        except TirError:
            continue
    return found


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_other_blanks_lines_and_comments_give_the_same_module(path: Path) -> None:
    for part, wanted in valid_parts(path):
        for seed in range(4 if len(part) < MAX_SIZE else 1):
            text = laid_out(part, random.Random(seed), (1.0, 0.3, 0.05, 0.0)[seed])
            assert module_text(text) == wanted


@pytest.mark.parametrize("text", [
    "func.func @f(%n: index) {\n scf.for\n %i\n =\n %n to %n step\n %n\n { } return }",
    "func.func @f() { cf.br ^bb1 ^bb1: cf.br ^bb2 ^bb2: return }",
    "module @b { func.func private @g() func.func @f() { call @g() : () -> () call @g() : () -> () return } } module { }",
    '#a = 3 : i32 #b = loc("x":1:2) !t = f32 func.func @f(%x: !t) { "test.x"() {a = #a} : () -> () return }',
    '"test.r"() // see @f\n({ }) : () -> ()',
    '"test.r"() ({\n^bb0(%a: f32): // x\n  "test.y"() : () -> () "test.z"() : () -> ()\n}) : () -> ()',
    'memref.global "private"\nconstant @w : memref<2xf32> = dense<0.0>\nfunc.func @f() { return }',
    'func.func @f() { %0\n,\n%1 // %2 =\n= "test.a"() : () -> (f32, f32) "test.b"(%0, // %x,\n%1) : (f32, f32) -> () return }',
    "func.func @f(%x: f32) -> (f32, f32) { return\n%x, // %y\n%x : f32, f32 }",
    "func.func @f(%x: tensor<4 x f32>) -> tensor // x\n< 4x f32 > { return %x :tensor<4x\nf32> }",
    "func.func @f() -> tensor<2xf32> { %0 = tir.constant dense // <\n<[1.0, // >\n 2.0]> : tensor<2xf32> return %0 : tensor<2xf32> }",
])  # fmt: skip
def test_statements_end_where_their_text_does_and_not_with_the_line(text: str) -> None:
    assert module_text(module_text(text)) == module_text(text)


def test_word_at_the_start_of_a_line_is_an_op_without_its_dialect_only_where_the_text_is_wrong() -> None:
    with pytest.raises(TirError, match="unknown op 'constant'; did you mean 'tir.constant'"):
        module_text("func.func @f() {\n  %0 = arith.constant 1 : i32\n  constant 3\n  return\n}")
