"""Mistakes in the text: what is said, where, and that each is said once."""

from __future__ import annotations

import pytest

from tir.ir.errors import LimitError, render
from tir.parser import reading
from tir.parser.raw import read_text


def said(text: str) -> list[str]:
    return [str(error) for error in read_text(text, "t").errors]


ONE_MISTAKE = [
    ("a.b tensor<4xfoo>", "t:1:14: expected a size or a type, got 'foo'"),
    ("a.b tensor<4xf31>", "t:1:14: expected a size or a type, got 'f31'; did you mean 'f32'?"),
    ("a.b tuple<foo>", "t:1:11: expected a type or '>' behind '<', got 'foo'"),
    ("a.b {\n^x(%a: 5):\n}", "t:2:8: expected a type behind ':', got '5'"),
    ("a.b {\n^x(%a, %b: i32):\n}", "t:2:6: expected ':' and a type behind %a, got ','"),
    ("a.b {\n^x(%a#1: i32):\n}", "t:2:4: %a#1 cannot name an argument: it has a '#'"),
    ("a.b (%x, %y : f32\n%1 = a.c", "t:1:18: expected ')', got the end of the line"),
    ("f.f {\n^x(%a: i32):\n  a.b ^x(%a : i32\n}", "t:3:18: expected ')', got the end of the line"),
    ("f.f {\n  a.b (%x\n}\na.c", "t:2:10: expected ')', got the end of the line"),
    ("f.f {\n  a.b\n", "t:2:6: expected '}', got the end of the text"),
    ("a.b {x = 1\n%2 = a.d", "t:1:11: expected '}', got the end of the line"),
    ("a.b [1, 2)", "t:1:10: expected ']', got ')'"),
    ("a.b\n}\na.c", "t:2:1: '}' closes nothing"),
    ("a.b )", "t:1:5: ')' closes nothing"),
    ("%1 = 5\na.c", "t:1:6: expected the name of an op behind '=', got '5'"),
    ("foo\na.b", "t:1:1: expected an op, got 'foo'; the name of an op has a dot, as in func.func"),
    ("f.f {\n  foo %a\n  a.b\n}", "t:2:3: expected an op or '}', got 'foo'; the name of an op has a dot, as in func.func"),
    ('a.b "x\na.c', 't:1:5: the string is not closed on its line; a string ends with " on the line on which it begins'),
    ('a.b "\\q"', "t:1:5: '\\q' is no escape; there are \\n \\t \\\\ \\\" and \\HH"),
    ("a.b $", "t:1:5: unexpected character '$'"),
    ("a.b é", "t:1:5: unexpected character 'é'"),
    ("a.b dense<1\na.c", "t:1:5: 'dense<' is not closed"),
    ("a.b !d.t<(i32\na.c", "t:1:5: '!d.t<' is not closed"),
    ("a.b complex<f32>", "t:1:5: complex<..> is not supported"),
    ("a.b affine_set<(d0) : (d0 >= 0)>", "t:1:5: affine_set<..> is not supported"),
    ("a.b tensor<*xf32>", "t:1:12: unranked tensors and memrefs are not supported"),
    ("a.b vector<[4]xf32>", "t:1:5: scalable and named sizes of vectors are not supported"),
    ("a.b vector<?xf32>", "t:1:5: vector type: each size must be a positive integer, got ?"),
    ("a.b vector<4xf32, 1>", "t:1:5: a vector type has nothing behind its element type"),
    ("a.b memref<4xf32, 1, 2, 3>",
     "t:1:5: a memref type has a layout and a memory space behind its element type, nothing more"),
    ("a.b memref<4xf32, strided<[1, 2]>>", "t:1:5: memref type: 1 size, but 2 strides"),
    ("a.b strided<[a]>", "t:1:5: strided: a stride is an integer or '?', got 'a'"),
    ("a.b array<foo>", "t:1:5: expected array<type: numbers>, with an integer or float type"),
    ("a.b array<i8: 300>", "t:1:5: integer 300 does not fit i8"),
    ("a.b tensor<[B + ]xf32>", "t:1:17: expected an affine expression, got ']'"),
    ("a.b tensor<[B * C]xf32>", "t:1:15: affine expression: the right side of '*' must be an integer"),
    ("a.b affine_map<(d0) -> (d1)>", "t:1:25: affine map: 'd1' is not one of its names, d0"),
    ("a.b affine_map<(d0, d0) -> ()>", "t:1:21: affine map: 'd0' is named twice"),
    ("a.b affine_map<(d0) -> (d0 mod 0)>", "t:1:28: affine expression: 'mod' needs a positive divisor"),
    ("a.b affine_map<(d0) -> (d0 d0)>", "t:1:28: expected an operator, ',' or ')', got 'd0'"),
    ("#map = []\na.b #mapp\na.c #map", "t:2:5: #mapp is not defined; did you mean '#map'?"),
    ("a.b #m\n#m = []", "t:1:5: #m is not defined; an alias is defined above its uses"),
    ("#m = []\n#m = [1]", "t:2:1: #m is already defined"),
    ("#m =\na.b", "t:1:5: expected an attribute behind '#m ='"),
    ("#m = tensor<\na.b #m\na.c #m", "t:1:13: expected a size or a type behind '<', got the end of the line"),
    ("f.f {\n  a.b\n#m = []\na.c #m", "t:3:1: expected '}', got '#m ='"),
    ('a.b loc("f":1)\na.c', "t:1:14: expected ':', got ')'"),
    ("a.b loc(foo)", "t:1:9: expected a location behind '(', got 'foo'"),
    ("a.b loc(#x)", "t:1:9: #x is not defined as a location"),
    ("#a = loc(callsite(#b at #b))\n#b = loc(\"b\"(#a))\na.b loc(#a)", "t:1:25: #b stands for itself"),
    ("%a:0 = a.b", "t:1:1: %a must stand for 1 to 65536 values, got 0"),
    ("a.b\n{-# dialect_resources: { builtin: { k: 1 } } #-}",
     't:2:40: resource \'k\': expected "0x" and the bytes in hex, four of alignment first'),
    ('a.b\n{-# dialect_resources: { builtin: { k: "0x03000000" } } #-}',
     "t:2:40: resource 'k': the alignment must be a power of two, got 3"),
    ("a.b\n{-# a b #-}", "t:2:7: metadata: expected ':', got 'b'"),
    ("a.b\n{-# a: {", "t:2:1: '{-#' is not closed by '#-}'"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), ONE_MISTAKE)
def test_one_mistake_is_one_error(text: str, message: str) -> None:
    assert said(text) == [message]


def test_every_mistake_of_a_text_is_reported_and_good_ops_are_kept() -> None:
    text = """#m = affine_map<(d0) -> (d1)>
func.func @f(%a: tensor<4xfoo>) -> f32 {
  %0 = a.b %a, #m : f32
  %1 = a.c (%a : f32
  %2 = a.d %1 : tensor<4x>
  "a.e"(%2) ({
  ^x(%p: 5):
    a.f $
    a.g
  }) : () -> ()
  scf.if %c { a.h tensor<> }
  a.i "x
  return %2 : f32
}
func.func @g() {
"""
    raw = read_text(text, "t")
    lines = [error.location.file_location().line for error in raw.errors]  # type: ignore[union-attr]
    assert lines == [1, 2, 4, 5, 7, 8, 11, 12, 15]
    broken, _ = raw.ops
    kept = [op.name for op in broken.items[0].blocks[0].ops]  # type: ignore[index, union-attr]
    assert broken.name == "" and kept == ["", "", "", "a.e", "scf.if", "", "return"]


def test_results_of_an_op_with_a_mistake_stay_known() -> None:
    op, _ = read_text("%a, %b:2 = a.b tensor<\n%c = a.d", "t").ops
    assert (op.name, op.results) == ("", [("a", 1), ("b", 2)])


def test_note_says_where_the_bracket_opens() -> None:
    text = "a.b [\n  (%x\n]"
    (error,) = read_text(text, "t").errors
    assert render(error, {"t": text}).split("\n") == [
        "t:2:6: error: expected ')', got the end of the line", "    (%x", "       ^", "t:2:3: note: '(' opens here", "    (%x", "    ^",
    ]  # fmt: skip


def test_second_definition_notes_the_first() -> None:
    (error,) = read_text("!t = i32\n!t = i64", "t").errors
    assert [str(where) for _, where in error.notes] == ["t:1:1"]


def test_errors_are_in_the_order_of_the_text() -> None:
    assert [line.split(":")[1] for line in said('a.b loc(#none)\na.c )\na.d loc("x"(#none2))\n')] == ["1", "2", "3"]


@pytest.mark.parametrize(("text", "place"), [
    ("a.b \x00", "1:5"), ("a.b // \u202e", "1:8"), ('a.b\n"\x1b[31m"', "2:2"), ("a.b \ud800", "1:5"), ("a.b\x7f", "1:4"),
    ("a.b \u2067", "1:5"), ("\x0c", "1:1"), ("\x85", "1:1"),
])  # fmt: skip
def test_characters_that_no_text_may_have(text: str, place: str) -> None:
    code = ord(max(text, key=lambda c: (not c.isprintable() and c not in "\n", c)))
    assert said(text) == [f"t:{place}: character U+{code:04X} is not allowed in a text"]


LIMITS = {
    "digits": ("a.b " + "9" * 5000, "a number has more than 4096 digits"),
    "hex digits": ("a.b 0x" + "9" * 5000, "a number has more than 4096 digits"),
    "digits of a size": ("a.b tensor<" + "9" * 5000 + "xf32>", "the sizes of a type have more than 4096 characters"),
    "digits in an affine map": ("a.b affine_map<() -> (" + "9" * 5000 + ")>", "more than 4096 characters"),
    "value": ("a.b %" + "x" * 5000, "an identifier has more than 4096 characters"),
    "value in a list": ("a.b %y, %" + "x" * 5000, "an identifier has more than 4096 characters"),
    "name of an op": ("a." + "b" * 5000, "an identifier has more than 4096 characters"),
    "symbol": ("a.b @" + "x" * 5000, "an identifier has more than 4096 characters"),
    "rank": ("a.b tensor<" + "1x" * 33 + "f32>", "a shape has at most 32 dimensions, got 33"),
    "bytes of a value": (f"a.b tensor<{1 << 62}x{1 << 62}xi8>", "a value has less than 2^63 bytes"),
    "affine operators": ("a.b affine_map<(i) -> (" + "i + " * 3000 + "i)>", "an affine map or size has more than 2048"),
    "affine depth": ("a.b affine_map<(i) -> (" + "(" * 40 + "i" + " mod 2 + 1)" * 40 + ")>", "at most 32 nested"),
    "types of types": ("!t0 = tuple<i32>\n" + "".join(f"!t{i} = tuple<!t{i - 1}, !t{i - 1}>\n" for i in range(1, 64))
                       + "a.b !t63", "with what its aliases stand for"),
    "lists of lists": ("#t0 = [1]\n" + "".join(f"#t{i} = [#t{i - 1}, #t{i - 1}]\n" for i in range(1, 64)) + "a.b #t63",
                       "with what its aliases stand for"),
    "locations of locations": (
        '#t0 = loc("a")\n' + "".join(f"#t{i} = loc(fused[#t{i - 1}, #t{i - 1}])\n" for i in range(1, 64))
        + "a.b loc(#t63)", "the locations in a location are at most 256 deep and 65536 in number"),
    "chain of locations": (
        '#t0 = loc("a")\n' + "".join(f'#t{i} = loc("b"(#t{i - 1}))\n' for i in range(1, 600)) + "a.b loc(#t599)",
        "the locations in a location are at most 256 deep and 65536 in number"),
    "errors": ("a.b )\n" * 1000, "more than 100 errors; the rest of the text was not read"),
}  # fmt: skip


@pytest.mark.parametrize("name", LIMITS)
def test_limit_is_a_located_error(name: str) -> None:
    text, message = LIMITS[name]
    error = read_text(text, "t").errors[-1]
    assert isinstance(error, LimitError) and message in str(error) and error.location is not None


def test_limits_on_the_whole_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_TEXT", 10)
    assert said("a.b a.c a.d") == ["t:1:1: the text has 11 characters, at most 10 are read"]


@pytest.mark.parametrize("text", [
    "%a, " * 50_000 + "\n" + "%a, " * 50_000, "a.b {" + "// x // y " * 50_000 + "\n", "a.b !x.y< " * 200 + "<" * 50_000,
    "^a(" * 50_000, "#x.y<) " * 50_000, '"' * 50_001, "%" + "a-" * 100_000, "a.b dense<" * 50_000, "{-#" * 50_000,
    "f.f {\n" + "^a(\n" * 200 + "()\n" * 200_000, "f.f {\n" + "a.b !x.y<\n" * 200 + "()\n" * 200_000,
    "a.b array<" * 50_000, "a.b loc(" * 50_000, "a.b ))))" * 20_000, "%a = " * 50_000, "a.b " + "-" * 200_000,
])  # fmt: skip
def test_repeated_pieces_take_linear_time(text: str) -> None:
    """Each takes well under a second; what grows with the square takes minutes and runs into the suite's time limit."""
    read_text(text, "t")
