"""The line level: what it takes, that it agrees with the full grammar, and what fools neither."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tir.ir.syntax import Braces, Brackets, Item, RawBlock, RawOp
from tir.parser import raw
from tir.parser.lines import NotByLines
from tir.parser.raw import RawText, read_text
from tir.parser.reading import Reading

SHORT = """// RUN: tir-opt %s
#map = affine_map<(d0, d1) -> (d0, d1)>
!t = tensor<4xf32>
module attributes {user.a = 1 : i64} {
  func.func private @g(tensor<4xf32>) -> tensor<4xf32> // comment %x {
  func.func @f(%arg0: tensor<?x4xf32> {tir.name = "x%y"}, %arg1: !t) -> (tensor<?x4xf32>, index) attributes {a.b} {
    %c0 = arith.constant 0 : index
    %h = arith.constant dense<"0x0000803F"> : tensor<4xf32>
    %1 = linalg.generic {maps = [#map, #map]} ins(%arg0, %arg1 : tensor<?x4xf32>, !t) outs(%h : tensor<4xf32>) {
    ^bb0(%in: f32, %in_0: f32):
      %2 = arith.addf %in, %in_0 fastmath<nnan,contract> : f32
      linalg.yield %2 : f32
    } -> tensor<?x4xf32>
    %r:2 = scf.for %i = %c0 to %c0 step %c0 iter_args(%a = %1, %b = %c0) -> (tensor<?x4xf32>, index) {
      %s = scf.if %c -> (index) {
        scf.yield %i : index
      } else {
        %k = arith.addi %i, %i overflow<nsw> : index
        scf.yield %k : index
      }
      scf.yield %a, %s : tensor<?x4xf32>, index
    }
    cf.cond_br %c0, ^bb1(%r#1 : index), ^bb2
  ^bb1(%z: index):  // pred: ^bb0
    cf.br ^bb2
  ^bb2:
    %w = scf.while (%x = %c0) : (index) -> index {
      scf.condition(%t) %x : index
    } do {
    ^bb0(%y: index):
      scf.yield %y : index
    }
    gpu.launch blocks(%bx, %by, %bz) in (%gx = %c0, %gy = %c0, %gz = %c0) {
      gpu.barrier
    }
    scf.if %c { tir.assert %c } else { }
    scf.parallel (%i, %j) = (%c0, %c0) to (%c0, %c0) step (%c0, %c0) {
    }
    return %1, %r#1 : tensor<?x4xf32>, index
  }
}
"""

GENERIC = """"builtin.module"() ({
  "func.func"() <{function_type = (tensor<4xf32>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: tensor<4xf32>):
    %0 = "arith.constant"() <{value = dense<0> : tensor<2x2xi32>}> : () -> tensor<2x2xi32>
    %1:2 = "a.b"(%0, %arg0) [^bb1, ^bb2] : (tensor<2x2xi32>, tensor<4xf32>) -> (i32, i32)
  ^bb1:  // pred: ^bb0
    "func.return"() : () -> ()
  ^bb2:
    "tir.foo"(%1#0) <{a = array<i64: 1, 2>, s = "// %a {"}> ({
    ^bb0(%q: index, %p: i32):
      "tir.bar"(%q) : (index) -> ()
    }, {
      "tir.baz"() : () -> ()
    }) {x = @a::@b} : (i32) -> ()
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
"""

LOCATED = """#loc = loc("f.mlir":1:1)
func.func @f(%a: i32 loc("f.mlir":2:3)) -> i32 {
  %0 = arith.addi %a, %a : i32 loc(#loc1)
  %1 = arith.addi %a, %a : i32 loc("x.py":4:5)
  %2 = arith.addi %a, %a : i32 loc(callsite("a" at fused["b", #loc]))
  %3 = arith.addi %a, %a : i32 loc(callsite("a" at fused["b", #loc]))
  scf.for %i = %a to %a step %a {
  } loc(#loc2)
  a.b %a {
  ^x(%b: i32 loc(#loc1), %c: i32):
  } loc(fused["q", #loc2])
  return %0 : i32 loc(unknown) // loc(#none)
} loc(#loc)
#loc1 = loc("named"(#loc2))
#loc2 = loc(fused<"m">["a"("q.py":3:4), #loc])
{-#
  dialect_resources: { builtin: { k: "0x0400000001020304" } }
#-}
"""

SAMPLES = (SHORT, GENERIC, LOCATED)


def by_lines(text: str) -> RawText:
    return raw._read_by_lines(Reading(text, "t"))


def by_grammar(text: str) -> RawText:
    return raw._read_by_grammar(Reading(text, "t"))


def whole(text: RawText, op: RawOp) -> Any:
    """All that an op says, regions included, the same for both levels. Recursion is fine for these small texts."""
    items = [whole_item(text, op, item) for item in text.items(op)]
    return op.name, op.results, op.generic, op.pos, op.end, op.location, items


def whole_item(text: RawText, op: RawOp, item: Item) -> Any:
    if isinstance(item, Brackets):
        return item.open, item.pos, item.end, [whole_item(text, op, one) for one in item.items]
    if isinstance(item, Braces):
        blocks = item.blocks if item.region is None else (op.regions or [])[item.region]
        entries = [whole_item(text, op, one) for one in item.items]
        return item.pos, item.end, entries, [whole_block(text, block) for block in blocks]
    return item


def whole_block(text: RawText, block: RawBlock) -> Any:
    return block.label, block.arguments, block.pos, [whole(text, op) for op in block.ops]


@pytest.mark.parametrize("text", SAMPLES)
def test_lines_and_grammar_give_the_same_ops(text: str) -> None:
    lines, grammar = by_lines(text), by_grammar(text)
    assert not grammar.errors
    assert [whole(lines, op) for op in lines.ops] == [whole(grammar, op) for op in grammar.ops]
    assert lines.resources == grammar.resources


@pytest.mark.parametrize("text", SAMPLES)
def test_line_ends_of_windows_make_no_difference(text: str) -> None:
    lines, grammar = by_lines(text.replace("\n", "\r\n")), by_grammar(text.replace("\n", "\r\n"))
    assert [whole(lines, op) for op in lines.ops] == [whole(grammar, op) for op in grammar.ops]


def test_equal_text_up_to_names_is_one_key() -> None:
    one, two, other = by_lines("%0 = a.b %x, %y : f32\n%1 = a.b %0, %0 : f32\n%2 = a.b %0 : f32\n").ops
    assert one.key == two.key != other.key
    assert (two.names, two.results, two.items) == (["1", "0", "0"], [("1", 1)], None)


def test_regions_are_not_part_of_the_key() -> None:
    text = "%{0} = a.b %x {{\n  c.d %{0}\n}} else {{\n}} : i32\n"
    one, two = by_lines(text.format("p") + text.format("q")).ops
    assert one.key == two.key and two.names == ["q", "x"]
    assert [[op.names for op in region[0].ops] if region else [] for region in two.regions or []] == [[["q"]], []]


def test_items_of_a_later_op_have_their_own_names_and_positions() -> None:
    text = by_lines("%0 = a.b %x : f32\n%1 = a.b %y : f32\n")
    found = text.items(text.ops[1])
    assert found == by_grammar("%0 = a.b %x : f32\n%1 = a.b %y : f32\n").ops[1].items


@pytest.mark.parametrize("text", [
    'a.b "%x {" %y\na.b "%z {" %y\n',
    'a.b "// %x" %y // %z "\n',
    'a.b "\\"%x" %y\na.b "\\\\" %y // "\n',
    "a.b %x // {\na.b %y // }\n",
    "a.b #d.x<%y> %z\na.b #d.x<%w> %z\n",
    "a.b {x = \"}\"} {\n  c.d\n}\n",
    "  a.b %x {c.d} // %y\n\ta.b %x {c.d}\n",
    "a.b { c.d %x } %y\na.b { c.d %z } %y\n",
    "a.b\n  : f32\na.c\n",
    "a.b %x,\n%y = a.c\n",
    "a.b {\n  x = 1,\n  c.d = 2\n}\n",
    "a.b {\n  c.d\n}\n",
    "a.b a.c\na.d\n",
    'a.b %x "c.d"(%y) : () -> ()\n',
    "a.b %x loc(\"f\":1:2) // loc(#none)\n",
    'a.b "x loc(#none)"\n',
    "a.b ({\n}, {}) {x = 1}\n",
    "a.b {\n} {\n}\n",
    '"a.b"() ({\n^x(%p: i32):\n  c.d %p\n^y:\n}) : () -> ()\n',
    "{-# a: 1 #-}\na.b\n",
    "a.b %x-y, %0x, %$, %_.1\n",
    "%a, %b = a.b\n%c:3, %d = a.b\n",
    "module {\n}\nmodule @x {\n}\n",
    "func.func @f() { return }\nfunc.func @g() { return }\n",
    "a.b %x {c.d} : i1\na.b %y {c.d} : i1\n",
    "a.b {\n^x(%p: tensor<0xf32>, %q: memref<4x2xf32, strided<[8, 1]>>):\n} {\n^x(%p: tensor<0xf64>, %q: memref<4x2xf32, strided<[9, 1]>>):\n}\n",
    "a.b #later\n" * 0 + "#m = [1]\na.b #m\na.b #m\n",
])  # fmt: skip
def test_text_that_might_fool_the_lines(text: str) -> None:
    grammar = by_grammar(text)
    assert not grammar.errors, grammar.errors[0]
    found = read_text(text, "t")
    assert [whole(found, op) for op in found.ops] == [whole(grammar, op) for op in grammar.ops]


@pytest.mark.parametrize("text", [
    "a.b (%x\n", "a.b {\n", "}\n", "a.b {\n})\n", "a.b ({\n}\n", "^x:\n", "a.b {\n} else\n^y:\n}\n", "a.b \"x\n", "foo\n",
    "#m = [1]\n#m = [2]\na.b\n", "a.b #undefined\n", "a.b loc(#undefined)\n", "%a = \n", "a.b ]\n", "a.b {\n  a.c )\n}\n",
    "a.b " + "%" + "x" * 5000 + "\n",
])  # fmt: skip
def test_every_mistake_is_left_to_the_grammar(text: str) -> None:
    with pytest.raises(NotByLines):
        by_lines(text)
    assert read_text(text, "t").errors


PIECES = ("%a", "%0#1", "{", "}", "(", ")", "[", "]", "<", ">", "->", ",", ":", "=", '"', '"x"', "tensor<", "tensor<4xf32>",
          "affine_map<", "loc(", "dense<", "#map", "!t", "^bb0", "^bb0:", "\n", "//", "a.b", "a.b = ", "%x = ", '"a.b"(',
          "{-#", "#-}", "@f", "::", "1", "1.5", "-", "x", "é", "i32", "none", "return", "loc(#loc1)", "({", "}, {", "})",
          "} else {", "[B]", "%a, %b:2 =", "\t", "\r\n", "0x")  # fmt: skip


def mutated(text: str, pick: random.Random) -> str:
    """`text` with one to four small changes."""
    for _ in range(pick.randint(1, 4)):
        at, lines = pick.randint(0, len(text)), text.split("\n")
        change = pick.randrange(5)
        if change == 0:
            text = text[:at] + text[at + pick.randint(1, 4) :]
        elif change == 1:
            text = text[:at] + pick.choice(PIECES) + text[at:]
        elif change == 2:
            text = text[:at] + pick.choice(PIECES) + text[at + pick.randint(1, 6) :]
        elif change == 3:
            del lines[pick.randrange(len(lines))]
            text = "\n".join(lines)
        else:
            lines.insert(pick.randrange(len(lines) + 1), pick.choice(lines))
            text = "\n".join(lines)
    return text


@pytest.mark.parametrize("seed", range(6))
def test_mutated_texts_never_crash_and_both_levels_agree(seed: int) -> None:
    pick = random.Random(seed)
    for _ in range(60):
        text = mutated(pick.choice(SAMPLES), pick)
        grammar = by_grammar(text)
        rows = text.split("\n")
        for error in grammar.errors:
            where = error.location.file_location() if error.location is not None else None
            assert where is not None and 1 <= where.column <= len(rows[where.line - 1]) + 1, (error, text)
        try:
            lines = by_lines(text)
        except NotByLines:
            continue
        assert not grammar.errors, (grammar.errors[0], text)
        assert [whole(lines, op) for op in lines.ops] == [whole(grammar, op) for op in grammar.ops], text
