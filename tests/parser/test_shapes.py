"""Texts that differ in names and literals only: what is shared between them, and that it makes no difference."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from benchmarks.scale import modules
from tir.dialects.all import REGISTRY
from tir.ir.errors import TirErrors, render
from tir.ir.printer import print_op
from tir.parser import raw
from tir.parser.lines import NotByLines
from tir.parser.parse import parse_text
from tir.parser.raw import split_file
from tir.parser.shapes import cut

LIT = Path(__file__).parent.parent / "lit"


def kinds(text: str) -> list[tuple[str, str]]:
    return [(literal.kind, literal.text) for literal in cut(text, 0)[1]]


@pytest.mark.parametrize(
    "text, found",
    [
        ("%c = arith.constant -12 : i32", [("integer", "-12")]),
        ("%c = arith.constant 1.5e-3 : f32", [("float", "1.5e-3")]),
        ("%c = arith.constant 0x7F : i8", [("hex", "0x7F")]),
        ('a.b {x = "s", y = 2 : i64}', [("string", '"s"'), ("integer", "2")]),
        ("call @f_1(%x) : (tensor<4x[B]xf32>) -> ()", [("symbol", "@f_1")]),
        ("a.b dense<[1, 2]> : tensor<2xi32>", [("dense", "dense<[1, 2]>")]),
        ("a.b array<i64: 1, 2>", [("array", "array<i64: 1, 2>")]),
        ('"arith.addf"(%x, %y) : (f32, f32) -> f32', []),  # the name of the op is no string
        ('a.b "a\\22b"', []),
        ("%r:2 = a.b %x#1, ^bb1, #map1, !t2, %0, i32, @a::@b, x.1", [("symbol", "@b")]),
    ],
)
def test_literals_of_a_text(text: str, found: list[tuple[str, str]]) -> None:
    assert kinds(text) == found


def test_texts_with_other_names_and_literals_have_one_shape() -> None:
    assert cut('%a = x.y %b {n = 1, s = "p"}', 0)[0] == cut('%c1 = x.y %d {n = 23, s = ""}', 0)[0]
    assert cut("x.y 1", 0)[0] != cut("x.y 1.0", 0)[0]


@pytest.mark.parametrize("wrong", ["% = arith.negf %b", "%1c = arith.negf %b", "%c = arith.negf %1b", "%c = arith.negf %"])
def test_what_is_no_name_is_not_read_as_the_names_of_similar_lines(wrong: str) -> None:
    assert cut(wrong, 0)[0] != cut("%a = arith.negf %b", 0)[0]
    text = f"func.func @f(%b: f32) {{\n  %a = arith.negf %b : f32\n  {wrong} : f32\n  return\n}}\n"
    assert re.match("t:3:[0-9]+: error: expected", said(text))


def said(text: str, allow_unregistered: bool = True) -> str:
    """The module, with locations, or its errors."""
    try:
        module = parse_text(text, REGISTRY, file="t", allow_unregistered=allow_unregistered)
    except TirErrors as errors:
        return render(errors, {"t": text})
    return print_op(module, locations=True) + print_op(module, generic=True)


def changed(text: str, pick: random.Random) -> str:
    """The text with its literals changed, here and there to what its op or type does not take."""

    def other(match: re.Match[str]) -> str:
        if pick.random() < 0.5:
            return match[0]
        if match[0][0] == '"':
            return pick.choice(('"parallel"', '"reduction"', '"x y"', '"%a {"', '""'))
        return pick.choice((str(pick.randrange(300)), "0", "1", "-1", "1.5", "0x10", "4294967296", "1e400", "dense<1>"))

    return re.sub(r'"[^"\n]*"|(?<![\w$.%#@!^<x:-])-?[0-9]+(?:\.[0-9]+)?(?![\w.>x])', other, text)


def sources() -> list[str]:
    parts = [part for file in sorted((LIT / "dialects").glob("*.tir")) for _, part in split_file(file.read_text())]
    return [*(part.split("// CHECK")[0] for part in parts), modules.varied(192), modules.common(60)]


@pytest.mark.parametrize("seed", range(4))
def test_shared_readings_change_neither_module_nor_errors(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each text, twice over with other literals, is read as the full grammar reads it op by op."""
    pick = random.Random(seed)
    # The first text of each shape is right, so that what is known of it is used for those with changed literals.
    texts = [text + "\n" + changed(text, pick).replace("@", "@again_") for text in sources()]
    by_lines = [said(text) for text in texts]

    def not_by_lines(reading: object) -> None:
        raise NotByLines

    monkeypatch.setattr(raw, "_read_by_lines", not_by_lines)
    for text, found in zip(texts, by_lines):
        assert found == said(text), text


@pytest.mark.parametrize("text", [
    """
func.func @f(%x: f32, %y: f32) -> f32 attributes {"user.a" = "x"} {
  %0 = arith.addf %x, %y {"a.note" = "one"} : f32
  %1 = arith.addf %x, %y {"b.note" = "one"} : f32
  %2 = arith.addf %x, %y {"s", r} : f32
  %3 = arith.addf %x, %y {"t", r} : f32
  %4 = arith.addf %x, %y {q = "z", "u" = [{"n" = 1}, "k"]} : f32
  %5 = arith.addf %x, %y {q = "y", "v" = [{"m" = 1}, "l"]} : f32
  "test.op"(%x) <{"p" = 1}> {"b" = 1} : (f32) -> ()
  "test.op"(%x) <{"q" = 1}> {"c" = 1} : (f32) -> ()
  return %1 : f32
}
func.func @g(%x: f32) -> f32 attributes {"user.b" = "x"} {
  return %x : f32
}""",
    """
func.func @f(%x: tensor<0xf32>, %y: tensor<0xf64>, %c: i1) {
  %0 = tir.neg %x : tensor<0xf32>
  %1 = tir.neg %y : tensor<0xf64>
  "test.op"() ({
  ^bb0(%a: tensor<0xf32>, %b: memref<4x2xf32, strided<[8, 1]>>):
  }, {
  ^bb0(%a: tensor<0xf64>, %b: memref<4x2xf32, strided<[9, 1]>>):
  }) : () -> ()
  return
}""",
    "func.func private @f() {\n  return\n}\nfunc.func @g() { return }\nfunc.func @h() { return }",
])  # fmt: skip
def test_texts_that_differ_in_more_than_literals_share_nothing(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = said(text)

    def not_by_lines(reading: object) -> None:
        raise NotByLines

    monkeypatch.setattr(raw, "_read_by_lines", not_by_lines)
    assert "error" not in found and found == said(text)


@pytest.mark.parametrize("lines", [("return %x", "return %"), ("return %", "return %x")])
def test_a_bare_percent_sign_is_no_name_whatever_stands_before(lines: tuple[str, str]) -> None:
    body = "".join(f"  {line} : tensor<4xf32>\n" for line in lines)
    with pytest.raises(TirErrors, match="expected a name behind '%'"):
        parse_text(f"func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {{\n{body}}}\n", REGISTRY)
