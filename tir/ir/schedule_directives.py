"""The forms of the ops that say how a program is transformed which MLIR writes by hand: parse and print side by side."""

from __future__ import annotations

from typing import Any

from tir.ir.attributes import ArrayAttr, DenseArrayAttr, DictAttr, StringAttr, TypeAttr, UnitAttr, entries_text
from tir.ir.format_pieces import Parsed, Spaced, TypePiece, write_operands
from tir.ir.ir import Op
from tir.ir.reader import Reader
from tir.ir.syntax import Braces, Brackets, Use
from tir.ir.types import I1, I64
from tir.ir.views import DYNAMIC_INDEX

__all__ = [
    "parse_forall_tiles", "parse_fuse_tiles", "parse_match", "parse_one_type", "parse_pass_options", "parse_positions",
    "parse_sizes", "print_forall_tiles", "print_fuse_tiles", "print_match", "print_one_type", "print_pass_options",
    "print_positions", "print_sizes",
]  # fmt: skip


def parse_match(reader: Reader, parsed: Parsed, ops: Any, interface: Any, entries: Any, result_type: Any) -> None:
    """`ops{["scf.for"]} interface{LoopLikeInterface} attributes{here} filter_result_type = f32`, or some of these."""
    if reader.take_word("ops"):
        inner = _in_braces(reader)
        names = inner.attribute()
        if not isinstance(names, ArrayAttr) or not all(isinstance(name, StringAttr) for name in names):
            raise reader.error('the names of ops stand in brackets, as in ops{["scf.for"]}')
        inner.finish("'}'")
        parsed.properties[ops.name] = names
    if reader.take_word("interface"):
        inner = _in_braces(reader)
        word = inner.word(*interface.kind.cases)
        inner.finish("'}'")
        parsed.properties[interface.name] = interface.kind.make(word)
    if reader.take_word("attributes"):
        parsed.properties[entries.name] = DictAttr.of(reader.dictionary())
    if reader.take_word("filter_result_type"):
        reader.punct("=")
        parsed.properties[result_type.name] = TypeAttr(reader.type())


def print_match(op: Op, out: Spaced, ops: Any, interface: Any, entries: Any, result_type: Any) -> None:
    writer = out.begin()
    pieces = []
    if (names := op.properties.get(ops.name)) is not None:
        pieces.append(f"ops{{{names}}}")
    if (number := op.properties.get(interface.name)) is not None:
        pieces.append(f"interface{{{interface.kind.to_python(number)}}}")
    if isinstance(wanted := op.properties.get(entries.name), DictAttr):
        pieces.append(f"attributes{entries_text(dict(wanted.entries))}")
    if (type := op.properties.get(result_type.name)) is not None:
        pieces.append(f"filter_result_type = {type}")
    writer.text(" ".join(pieces))


def _in_braces(reader: Reader) -> Reader:
    item = reader.peek()
    if not isinstance(item, Braces):
        raise reader.expected("'{'")
    reader.next()
    return reader.inner(item)


def parse_sizes(reader: Reader, parsed: Parsed, dynamic: Any, static: Any, scalable: Any = None) -> None:
    """`[4, %size]`: the values become operands, whose types stand elsewhere; the static list keeps their places."""
    inner = reader.brackets("[")
    holes: list[int] = []
    numbers: list[int] = []
    while not inner.done:
        if isinstance(inner.peek(), Use):
            holes.append(inner.use())
            numbers.append(DYNAMIC_INDEX)
        elif isinstance(inner.peek(), Brackets):
            raise inner.error("sizes that the machine scales, [4], are not supported")
        else:
            numbers.append(inner.integer())
        if not inner.take_punct(","):
            inner.finish("',' or ']'")
    parsed.operands[dynamic.name] = holes
    parsed.properties[static.name] = DenseArrayAttr(I64, tuple(numbers))
    if scalable is not None:
        parsed.properties[scalable.name] = DenseArrayAttr(I1, (False,) * len(numbers))


def parse_forall_tiles(
    reader: Reader, parsed: Parsed, threads: Any, static_threads: Any, sizes: Any, static_sizes: Any
) -> None:
    """`num_threads [4, 2]` or `tile_sizes [4, %size]`."""
    parsed.operands[threads.name] = parsed.operands[sizes.name] = []
    if reader.word("num_threads", "tile_sizes") == "num_threads":
        parse_sizes(reader, parsed, threads, static_threads)
    else:
        parse_sizes(reader, parsed, sizes, static_sizes)


def print_forall_tiles(op: Op, out: Spaced, threads: Any, static_threads: Any, sizes: Any, static_sizes: Any) -> None:
    for word, dynamic, static in (("num_threads", threads, static_threads), ("tile_sizes", sizes, static_sizes)):
        if static.name in op.properties:
            out.literal(word)
            print_sizes(op, out, dynamic, static)


def parse_fuse_tiles(
    reader: Reader, parsed: Parsed, sizes: Any, static_sizes: Any, order: Any, static_order: Any
) -> None:
    """`tile_sizes [4, %size] interchange [1, 0]`, each of which may be absent."""
    parsed.operands[sizes.name] = parsed.operands[order.name] = []
    for word, dynamic, static in (("tile_sizes", sizes, static_sizes), ("interchange", order, static_order)):
        if reader.take_word(word):
            parse_sizes(reader, parsed, dynamic, static)


def print_fuse_tiles(op: Op, out: Spaced, sizes: Any, static_sizes: Any, order: Any, static_order: Any) -> None:
    for word, dynamic, static in (("tile_sizes", sizes, static_sizes), ("interchange", order, static_order)):
        if static.name in op.properties:
            out.literal(word)
            print_sizes(op, out, dynamic, static)


def print_sizes(op: Op, out: Spaced, dynamic: Any, static: Any, scalable: Any = None) -> None:
    writer = out.begin()
    place = op.definition.operand_range(op, dynamic.index)[0]
    sizes = op.properties.get(static.name)
    writer.text("[")
    for i, number in enumerate(sizes.values if isinstance(sizes, DenseArrayAttr) else ()):
        writer.text(", " if i else "")
        if number == DYNAMIC_INDEX:
            writer.operand(op, place)
            place += 1
        else:
            writer.text(str(number))
    writer.text("]")


def parse_positions(reader: Reader, parsed: Parsed, positions: Any, inverted: Any, all: Any) -> None:
    """`0, -1`, `except(0)` or `all`."""
    numbers: list[int] = []
    if reader.take_word("all"):
        parsed.properties[all.name] = UnitAttr()
    elif reader.take_word("except"):
        parsed.properties[inverted.name] = UnitAttr()
        inner = reader.brackets("(")
        numbers = _integers(inner)
        inner.finish("',' or ')'")
    else:
        numbers = _integers(reader)
    parsed.properties[positions.name] = DenseArrayAttr(I64, tuple(numbers))


def _integers(reader: Reader) -> list[int]:
    found = [reader.integer()]
    while reader.take_punct(","):
        found.append(reader.integer())
    return found


def print_positions(op: Op, out: Spaced, positions: Any, inverted: Any, all: Any) -> None:
    found = op.properties[positions.name]
    numbers = ", ".join(map(str, found.values if isinstance(found, DenseArrayAttr) else ()))
    text = "all" if all.name in op.properties else f"except({numbers})" if inverted.name in op.properties else numbers
    out.begin().text(text)


def parse_one_type(reader: Reader, parsed: Parsed, handles: Any, result: TypePiece) -> None:
    """`%a, %b : type`: one type for all operands and the result."""
    parsed.operands[handles.name] = reader.use_list()
    reader.punct(":")
    type = reader.type()
    parsed.operand_types[handles.name] = [type] * len(parsed.operands[handles.name])
    parsed.result_types[result.field.name] = [type]


def print_one_type(op: Op, out: Spaced, handles: Any, result: TypePiece) -> None:
    writer = out.begin()
    write_operands(op, range(len(op.operands)), writer)
    writer.text(f" : {op.results[0].type}")


def parse_pass_options(reader: Reader, parsed: Parsed, options: Any) -> None:
    """`with options = {"max-iterations" = 3}`, which may be absent."""
    entries = {}
    if reader.take_word("with"):
        reader.word("options")
        reader.punct("=")
        entries = reader.dictionary()
    parsed.properties[options.name] = DictAttr.of(entries)


def print_pass_options(op: Op, out: Spaced, options: Any) -> None:
    found = op.properties[options.name]
    if isinstance(found, DictAttr) and found.entries:
        out.begin().text(f"with options = {found}")
