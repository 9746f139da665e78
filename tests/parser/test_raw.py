"""Text to RawOps: what each piece of syntax becomes."""

from __future__ import annotations

import gc
import threading
from typing import Any

import pytest

from tir.dialects.all import REGISTRY
from tir.ir.errors import UNKNOWN, CallSiteLocation, FileLocation, FusedLocation, Location, NameLocation
from tir.ir.printer import print_op
from tir.ir.syntax import (
    AttributeItem,
    Braces,
    Brackets,
    DenseItem,
    FloatLiteral,
    IntegerLiteral,
    Item,
    LocationItem,
    Punct,
    RawOp,
    StringLiteral,
    SuccessorItem,
    SymbolItem,
    TypeItem,
    Use,
    Word,
)
from tir.parser.parse import parse_text
from tir.parser.raw import RawText, read_text, split_file


def read(text: str) -> RawText:
    raw = read_text(text, "t")
    assert not raw.errors, raw.errors[0]
    return raw


def items(text: str) -> list[Item]:
    raw = read(text)
    assert len(raw.ops) == 1
    return raw.items(raw.ops[0])


def plain(item: Item) -> Any:
    """An item without its position, short to write down."""
    if isinstance(item, Use):
        return f"%{item.name}#{item.number}" if item.number else f"%{item.name}"
    if isinstance(item, (Word, Punct)):
        return item.text
    if isinstance(item, Brackets):
        return (item.open, *map(plain, item.items))
    if isinstance(item, Braces):
        return ("{", *map(plain, item.items), *([names(item)] if item.blocks else []))
    if isinstance(item, TypeItem):
        return f"type {item.type}"
    if isinstance(item, AttributeItem):
        return f"attribute {item.attribute}"
    return item


def names(braces: Braces) -> list[str]:
    return [op.name for block in braces.blocks for op in block.ops]


def written(text: str) -> list[Any]:
    return [plain(item) for item in items(text)]


def type_of(text: str) -> str:
    (item,) = items(f"a.b {text}")
    assert isinstance(item, TypeItem)
    return str(item.type)


def attribute_of(text: str) -> str:
    (item,) = items(f"a.b {text}")
    assert isinstance(item, AttributeItem)
    return str(item.attribute)


# --- ops ---------------------------------------------------------------------------------------------------------


def test_short_form_is_a_name_and_items() -> None:
    raw = read("%r = scf.for %i = %lo to %hi#1 step %s { }")
    (op,) = raw.ops
    assert (op.name, op.results, op.generic, op.pos, op.end) == ("scf.for", [("r", 1)], False, 0, 42)
    assert [plain(i) for i in raw.items(op)] == ["%i", "=", "%lo", "to", "%hi#1", "step", "%s", ("{",)]


def test_generic_form_has_the_same_items() -> None:
    raw = read('%a, %b:2 = "x.y"(%c) <{p = 1 : i64}> ({\n}, {\n}) {q} : (i32) -> (i32, i32)')
    (op,) = raw.ops
    assert (op.name, op.results, op.generic) == ("x.y", [("a", 1), ("b", 2)], True)
    assert [plain(i) for i in raw.items(op)] == [
        ("(", "%c"), ("<", ("{", "p", "=", IntegerLiteral("1", 27), ":", "type i64")),
        ("(", ("{",), ",", ("{",)), ("{", "q"), ":", ("(", "type i32"), "->", ("(", "type i32", ",", "type i32"),
    ]  # fmt: skip


@pytest.mark.parametrize(("text", "want"), [
    ("return", ["return"]),
    ("return %a : i32\na.b", ["return", "a.b"]),
    ("module {\n}", ["module"]),
    ("call @f() : () -> ()", ["call"]),
    ("%0 = call @f() : () -> i32", ["call"]),
    ('"a.b"() : () -> ()', ["a.b"]),
    ('llvm.call_intrinsic "llvm.x"(%a) : (i32) -> ()', ["llvm.call_intrinsic"]),
    ("a.b %x a.c %y", ["a.b", "a.c"]),
    ('"a.b"() : () -> i32 "a.c"() : () -> ()', ["a.b", "a.c"]),
    ("a.b\n  (%x,\n   %y)\n  : i32\na.c", ["a.b", "a.c"]),
    ("a.b %x,\n%y", ["a.b"]),
    ("", []),
    ("// only a comment", []),
])
def test_where_an_op_begins(text: str, want: list[str]) -> None:
    assert [op.name for op in read(text).ops] == want


def test_equals_sign_alone_does_not_make_results() -> None:
    assert written("scf.parallel (%i) = (%a) init (%b)") == [("(", "%i"), "=", ("(", "%a"), "init", ("(", "%b")]
    assert written("a.b\n  iter_args(%a = %b, %c = %d)") == ["iter_args", ("(", "%a", "=", "%b", ",", "%c", "=", "%d")]


def test_positions_are_offsets_of_the_text() -> None:
    text = "a.b %x, (%y) [@s, ^c] : tensor<4xf32>, \"q\", 1, 2.0"
    found = {type(item).__name__ + str(getattr(item, "text", "")): item.pos for item in items(text)}
    assert text[found["Use"] :].startswith("%x")
    assert text[found["Brackets"] :].startswith("[")
    assert text[found["TypeItem"] :].startswith("tensor")
    assert text[found["StringLiteral"] :].startswith('"q"')
    assert text[found["IntegerLiteral1"] :].startswith("1,")


def test_location_counts_lines_from_the_first_line_of_a_part() -> None:
    raw = read_text("a.b\n\n  a.c", "f.tir", first_line=10)
    assert raw.location(raw.ops[1].pos) == FileLocation("f.tir", 12, 3)


# --- regions, blocks, dictionaries -------------------------------------------------------------------------------


def test_braces_are_a_dictionary_or_a_region_by_their_content() -> None:
    assert written('a.b {x = 1.0 : f32, tir.y, "z w" = [unit, true]}') == [
        ("{", "x", "=", FloatLiteral("1.0", 9), ":", "type f32", ",", "tir.y", ",", StringLiteral("z w", 27), "=",
         ("[", "unit", ",", "true")),
    ]  # fmt: skip
    assert written('a.b {tir.name = "x", tir.y}') == [("{", "tir.name", "=", StringLiteral("x", 16), ",", "tir.y")]
    assert written("a.b { c.d %x }") == [("{", ["c.d"])]
    assert written("a.b {i32 = 1, index}") == [
        ("{", "type i32", "=", IntegerLiteral("1", 11), ",", "type index"),
    ]  # fmt: skip


@pytest.mark.parametrize("array", ["[{}]", "[{}, {a = 1 : i64}]", "[{a = 1 : i64}, {}]", "[[{}], {}]"])
@pytest.mark.parametrize("blob", ["0x00", "0x" + "00" * 70_000])  # the second is too long to be read by lines
def test_empty_braces_in_an_array_are_a_dictionary(array: str, blob: str) -> None:
    text = f'"builtin.module"() ({{\n  "t.a"() {{x = {array}, y = "{blob}"}} : () -> ()\n}}) : () -> ()\n'
    module = parse_text(text, REGISTRY, allow_unregistered=True)
    assert f"x = {array}" in print_op(module)


def test_one_dotted_word_in_braces_is_an_entry_and_an_op() -> None:
    for text in ("a.b {c.d}", "a.b {\n  c.d\n}"):
        raw = read(text)
        (braces,) = raw.items(raw.ops[0])
        assert isinstance(braces, Braces)
        assert [plain(i) for i in braces.items] == ["c.d"]
        blocks = braces.blocks if braces.region is None else (raw.ops[0].regions or [])[braces.region]
        assert [op.name for op in blocks[0].ops] == ["c.d"]


def test_blocks_with_labels_arguments_and_successors() -> None:
    raw = read("a.b {\n  c.d ^x, ^y(%p : i32)\n^x:\n  c.e\n^y(%q: i32, %r: (i32) -> f32):  // two\n}")
    op = raw.ops[0]
    assert op.regions is not None
    entry, x, y = op.regions[0]
    assert (entry.label, entry.arguments, [o.name for o in entry.ops]) == (None, [], ["c.d"])
    assert (x.label, x.arguments, [o.name for o in x.ops]) == ("x", [], ["c.e"])
    assert (y.label, [(a[0], str(a[1]), a[3]) for a in y.arguments], y.ops) == (
        "y", [("q", "i32", None), ("r", "(i32) -> f32", None)], [],
    )  # fmt: skip
    assert raw.items(entry.ops[0])[:3] == [SuccessorItem("x", 12), Punct(",", 14), SuccessorItem("y", 16)]


def test_successor_at_the_start_of_a_line_is_no_label() -> None:
    assert len(items("cf.cond_br %c,\n  ^x(%a : i32),\n  ^y")) == 6


def test_region_tail_belongs_to_the_op() -> None:
    text = "%r = scf.if %c -> (i32) {\n  scf.yield %a : i32\n} else {\n  scf.yield %b : i32\n} {x = 1}\na.b"
    raw = read(text)
    assert [op.name for op in raw.ops] == ["scf.if", "a.b"]
    assert [plain(i) for i in raw.items(raw.ops[0])] == [
        "%c", "->", ("(", "type i32"), ("{",), "else", ("{",), ("{", "x", "=", IntegerLiteral("1", 84)),
    ]  # fmt: skip
    assert [[o.name for o in region[0].ops] for region in raw.ops[0].regions or []] == [["scf.yield"], ["scf.yield"]]


# --- types -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [
    "i1", "si8", "ui64", "i37", "index", "bf16", "f16", "f32", "f64", "none",
    "tensor<f32>", "tensor<4x8xf32>", "tensor<?x0x10xi1>", "tensor<[B]x784xf32>", "tensor<[B ceildiv 2]xf32>",
    "tensor<[B - 2]x[(B + 1) floordiv 3]xf32>", "tensor<4xf32, #enc.x<a -> b>>", 'tensor<4xf32, "encoding">',
    "tensor<2x!d.t<[a, (b)]>>", "tuple<tensor<4xi32>>", "vector<f32>", "vector<4x16xf32>",
    "memref<?x4xf32>", "memref<4xf32, 3>", "memref<4xf32, #gpu.address_space<workgroup>>",
    "memref<?x4xf32, strided<[?, 1]>>", "memref<4xf32, strided<[-2], offset: ?>, 1>", "memref<4xmemref<2xf32>>",
    "memref<4x4xf32, affine_map<(d0, d1) -> (d1, d0)>, 1>",
    "tuple<>", "tuple<i32, tensor<4xf32>>", "tuple<() -> i32>", "tuple<(i32, f32) -> (), ((i32) -> f32) -> (i32, i32)>",
    "!d.t", "!llvm.ptr<3>", '!d.t<"a>b", {c = [1, 2]}, (i32) -> f32>',
])  # fmt: skip
def test_type_prints_as_it_is_written(text: str) -> None:
    assert type_of(text) == text


@pytest.mark.parametrize(("text", "want"), [
    ("tensor < 4 x ? x f32 >", "tensor<4x?xf32>"),
    ("tensor<[1 + B * 2 - 1]xf32>", "tensor<[B * 2]xf32>"),
    ("tensor<[4]xf32>", "tensor<4xf32>"),
    ("memref<4x4xf32, affine_map<(i, j) -> (i, j)>>", "memref<4x4xf32>"),
    ("memref<?xf32, strided<[ 1 ] , offset : 0>>", "memref<?xf32, strided<[1]>>"),
])
def test_type_is_normalised(text: str, want: str) -> None:
    assert type_of(text) == want


def test_function_type_is_left_to_the_reader() -> None:
    assert written("a.b (i32, f32) -> (f32)") == [("(", "type i32", ",", "type f32"), "->", ("(", "type f32")]


def test_none_is_a_flag_between_angle_brackets() -> None:
    assert written("a.b fastmath<none> : none") == ["fastmath", ("<", "none"), ":", "type none"]


def test_equal_types_are_one_object() -> None:
    first, _, second = items("a.b tensor<4x[B]xf32>, tensor< 4x[B]xf32 >")
    assert isinstance(first, TypeItem) and isinstance(second, TypeItem) and first.type is second.type


# --- attributes and literals -------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [
    "affine_map<() -> ()>", "affine_map<(d0, d1)[s0] -> (d0 + s0, d1 floordiv 2)>", "affine_map<(d0) -> (-d0 + 5)>",
    "affine_map<(d0, d1) -> ((d0 + d1) mod 3, d0 ceildiv 4, 7)>", "affine_map<(d0) -> (d0 * -2)>",
    "array<i64>", "array<i64: 1, -2>", "array<i1: true, false>", "array<f32: 1.5, 0x7F800000>", "array<i8: 127, -128>",
    "strided<[?, 1], offset: ?>", "#arith.fastmath<none>", "#linalg.iterator_type<parallel>", "#d.a",
    '#d.a<(x -> y), "]">',
])
def test_attribute_prints_as_it_is_written(text: str) -> None:
    assert attribute_of(text) == text


@pytest.mark.parametrize(("text", "want"), [
    ("affine_map<(i, j)[n] -> (i + j - i, (n * 2) floordiv 2)>", "affine_map<(d0, d1)[s0] -> (d1, s0)>"),
    ("affine_map<(d0) -> (d0-1, 3 * d0, 2 - (d0 - 2))>", "affine_map<(d0) -> (d0 - 1, d0 * 3, -d0 + 4)>"),
    ("array<i8: 255, 0x10>", "array<i8: -1, 16>"),
])
def test_attribute_is_normalised(text: str, want: str) -> None:
    assert attribute_of(text) == want


def test_dense_is_one_item_with_its_raw_body() -> None:
    found = items('a.b dense<[[1, 2], [3, 4]]> : i32, dense <"0x>//"> , dense_resource<k.1>')
    assert [(i.kind, i.body) for i in found if isinstance(i, DenseItem)] == [
        ("dense", "[[1, 2], [3, 4]]"), ("dense", '"0x>//"'), ("dense_resource", "k.1"),
    ]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), [
    (r'"a\nb\tc\\d\"e"', 'a\nb\tc\\d"e'),
    (r'"\41\C3\A9"', "Aé"),
    (r'"\FF"', "\udcff"),
    ('"é {%x} // "', "é {%x} // "),
    ('""', ""),
])
def test_string_escapes_are_bytes(text: str, value: str) -> None:
    assert items(f"a.b {text}") == [StringLiteral(value, 4)]


@pytest.mark.parametrize(("text", "path"), [
    ("@f", ("f",)), ("@a::@b::@c", ("a", "b", "c")), ('@"x y"::@z', ("x y", "z")), (r'@"q\22"', ('q"',)),
    ("@_a$.1", ("_a$.1",)),
])  # fmt: skip
def test_symbols(text: str, path: tuple[str, ...]) -> None:
    assert items(f"a.b {text}") == [SymbolItem(path, 4)]


@pytest.mark.parametrize(("text", "want"), [
    ("7", IntegerLiteral("7", 4)), ("-1", IntegerLiteral("-1", 4)), ("0x1F", IntegerLiteral("0x1F", 4)),
    ("1.0", FloatLiteral("1.0", 4)), ("-2.5e-3", FloatLiteral("-2.5e-3", 4)), ("1.", FloatLiteral("1.", 4)),
])  # fmt: skip
def test_numbers_keep_their_text(text: str, want: Item) -> None:
    assert items(f"a.b {text}") == [want]


def test_words_and_punctuation() -> None:
    assert written("a.b (unit, x.y) = : -> * + ? ... :: | / -") == [
        ("(", "unit", ",", "x.y"), "=", ":", "->", "*", "+", "?", "...", "::", "|", "/", "-",
    ]  # fmt: skip


def test_comment_may_stand_between_any_two_tokens() -> None:
    text = "a.b // %x {\n  %y, // )\n  %z : tensor<4x // four\nf32>"
    assert written(text) == ["%y", ",", "%z", ":", "type tensor<4xf32>"]


# --- aliases, locations, metadata --------------------------------------------------------------------------------


def test_alias_stands_for_its_items() -> None:
    attributes = "#m = affine_map<(d0) -> (d0)>\n#l = [1, #m]\n"
    types = "!t = tensor<4xf32>\n!f = (!t) -> i32\n"
    m, _, array, _, t, _, f = written(f"{attributes}{types}a.b #m, #l, !t, tuple<!f>")
    assert m == "attribute affine_map<(d0) -> (d0)>" and t == "type tensor<4xf32>"
    assert array == ("[", IntegerLiteral("1", 36), ",", m) and f == "type tuple<(tensor<4xf32>) -> i32>"


def test_alias_of_a_constant_keeps_its_type() -> None:
    dense, colon, type = items("#c = dense<1> : tensor<2xi32>\na.b #c")
    assert isinstance(dense, DenseItem) and isinstance(colon, Punct) and isinstance(type, TypeItem)


LOCATIONS: list[tuple[str, Location]] = [
    ("unknown", UNKNOWN),
    ('"f.py":3:4', FileLocation("f.py", 3, 4)),
    ('"f.py":3:4 to 5:6', FileLocation("f.py", 3, 4)),
    ('"f.py":3:4 to :6', FileLocation("f.py", 3, 4)),
    ('"n"', NameLocation("n")),
    ('"n"("f":1:2)', NameLocation("n", FileLocation("f", 1, 2))),
    ('callsite("a" at "b")', CallSiteLocation(NameLocation("a"), NameLocation("b"))),
    ('fused["a", unknown]', FusedLocation((NameLocation("a"), UNKNOWN))),
    ('fused<{x = 1}>["a"]', FusedLocation((NameLocation("a"),))),
    ("#l1", NameLocation("one", FileLocation("f", 1, 2))),
    ('callsite(#l2 at "b")', CallSiteLocation(FileLocation("f", 1, 2), NameLocation("b"))),
]


@pytest.mark.parametrize(("text", "want"), LOCATIONS)
def test_location_of_an_op_and_of_an_argument(text: str, want: Location) -> None:
    definitions = '#l1 = loc("one"(#l2))\n#l2 = loc("f":1:2)\n'
    assert read(f"a.b %x : i32 loc({text})\n{definitions}").ops[0].location == want
    raw = read(f"f.f (%a: i32 loc({text})) {{\n^x(%p: i32 loc({text})):\n}}\n{definitions}")
    brackets, _ = raw.items(raw.ops[0])
    assert isinstance(brackets, Brackets) and isinstance(brackets.items[-1], LocationItem)
    assert brackets.items[-1].location == want
    assert raw.ops[0].regions is not None and raw.ops[0].regions[0][0].arguments[0][3] == want


def test_resources_come_without_their_alignment() -> None:
    text = """a.b
{-#
  dialect_resources: {
    builtin: {
      k: "0x04000000010203FF",
      "k 2": "0x08000000"
    },
    other: { x: "0x00" }
  },
  external_resources: { tool: { flag: true, n: 3 } }
#-}
"""
    raw = read(text)
    assert raw.resources == {"k": b"\x01\x02\x03\xff", "k 2": b""}
    assert [op.name for op in raw.ops] == ["a.b"]


# --- the text as a whole -----------------------------------------------------------------------------------------


def test_byte_order_mark_and_carriage_returns_are_accepted() -> None:
    raw = read("\ufeffa.b {\r\n  c.d %x\r\n}\r\na.e\r\n")
    assert [op.name for op in raw.ops] == ["a.b", "a.e"]
    assert raw.location(raw.ops[1].pos) == FileLocation("t", 4, 1)


def test_split_file_gives_parts_with_their_first_lines() -> None:
    text = "a.b\n// -----\na.c\n\n// -----  \na.d // -----\n// -----// dump\n"
    assert split_file(text) == [(1, "a.b\n"), (3, "a.c\n\n"), (6, "a.d // -----\n// -----// dump\n")]
    assert split_file("") == [(1, "")]


@pytest.mark.parametrize("enabled", [True, False])
def test_garbage_collector_is_left_as_it_was(enabled: bool) -> None:
    before = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        read_text("a.b )", "t")
        assert gc.isenabled() == enabled
    finally:
        (gc.enable if before else gc.disable)()


def test_threads_share_the_parser_and_nothing_else() -> None:
    """Each text has its own aliases, affine names and errors."""
    wrong: list[object] = []

    def work(number: int) -> None:
        for _ in range(20):
            raw = read_text(f"#m = affine_map<(x{number}) -> (x{number} + {number})>\na.b #m\n", f"f{number}")
            (item,) = raw.items(raw.ops[0])
            want = f"affine_map<(d0) -> (d0{f' + {number}' if number else ''})>"
            if raw.errors or not isinstance(item, AttributeItem) or str(item.attribute) != want:
                wrong.append((number, item))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def all_ops(raw: RawText) -> list[RawOp]:
    found, pending = [], list(raw.ops)
    while pending:
        op = pending.pop()
        found.append(op)
        braces = [item for item in raw.items(op) if isinstance(item, Braces)]
        regions = op.regions if op.regions is not None else [item.blocks for item in braces]
        pending += [inner for region in regions for block in region for inner in block.ops]
    return found


UPSTREAM = """
#map = affine_map<(d0, d1) -> (d0, d1)>
module {
  memref.global "private" constant @c : memref<2x2xf32> = dense<[[1.0, 2.0], [3.0, 4.0]]> {alignment = 64 : i64}
  func.func @f(%a: tensor<?x4xf32>, %m: memref<?x4xf32, strided<[?, 1], offset: ?>, 3>) -> tensor<?x4xf32> {
    %c0 = arith.constant 0 : index
    %h = arith.constant dense<[1.5, -0.0, 3.25]> : tensor<3xf16>
    %f = arith.constant 0.0 : f32
    %d = tensor.dim %a, %c0 : tensor<?x4xf32>
    %e = tensor.empty(%d) : tensor<?x4xf32>
    %r = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]}
        ins(%a : tensor<?x4xf32>) outs(%e : tensor<?x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      %x = arith.addf %in, %out fastmath<nnan, contract> : f32
      linalg.yield %x : f32
    } -> tensor<?x4xf32>
    %s = scf.for %i = %c0 to %d step %d iter_args(%acc = %r) -> (tensor<?x4xf32>) {
      %cond = arith.cmpi slt, %i, %d : index
      %t = scf.if %cond -> (tensor<?x4xf32>) {
        scf.yield %acc : tensor<?x4xf32>
      } else {
        scf.yield %r : tensor<?x4xf32>
      }
      scf.yield %t : tensor<?x4xf32>
    }
    %cond2 = arith.cmpi ult, %c0, %d : index
    cf.cond_br %cond2, ^bb1(%c0 : index), ^bb2
  ^bb1(%z: index):
    cf.br ^bb2
  ^bb2:
    %v = vector.transfer_read %m[%c0, %c0], %f {in_bounds = [true]}
        : memref<?x4xf32, strided<[?, 1], offset: ?>, 3>, vector<4xf32>
    return %s : tensor<?x4xf32>
  }
}
"""


@pytest.mark.parametrize("options", [
    {}, {"print_generic_op_form": True}, {"enable_debug_info": True}, {"use_local_scope": True},
    {"enable_debug_info": True, "print_generic_op_form": True}, {"use_local_scope": True, "enable_debug_info": True},
])  # fmt: skip
def test_what_upstream_prints_is_read_with_as_many_ops(options: dict[str, bool]) -> None:
    ir = pytest.importorskip("torch_mlir.ir")
    with ir.Context() as context:
        context.load_all_available_dialects()
        module = ir.Module.parse(UPSTREAM)
        text = module.operation.get_asm(**options)
        count = 0

        def visit(op: Any) -> Any:
            nonlocal count
            count += 1
            return ir.WalkResult.ADVANCE

        module.operation.walk(visit)
    raw = read_text(text, "upstream")
    assert not raw.errors, f"{raw.errors[0]}\n{text}"
    assert len(all_ops(raw)) == count
