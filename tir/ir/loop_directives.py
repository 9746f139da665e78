"""The heads of loops over tensors: `(%h = %h0 : tensor<4xf32>) over (%x = %xs : tensor<?x4xf32>) -> (tensor<?x4xf32>)`.

Each is one pair of parse and print, side by side, as in `directives.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tir.ir.format_pieces import EntryArgument, Parsed, Spaced, Writer
from tir.ir.ir import Op, Value
from tir.ir.reader import Reader
from tir.ir.types import TensorType, Type

__all__ = ["parse_carried_values", "parse_scan_header", "print_carried_values", "print_scan_header"]


def parse_carried_values(reader: Reader, parsed: Parsed, inits: Any, region: Any) -> None:
    """`(%x = %init : tensor<f32>, ..)`, which may be absent: the arguments of the region that follows."""
    names, types = _parse_bound(reader, parsed, inits)
    parsed.entry_arguments = [EntryArgument(*pair) for pair in zip(names, types)]
    parsed.result_types[""] = types


def print_carried_values(op: Op, out: Spaced, inits: Any, region: Any) -> None:
    start, stop = op.definition.operand_range(op, inits.index)
    if start < stop:
        _print_bound(op, out.begin(), op.regions[0].blocks[0].arguments, start)


def parse_scan_header(reader: Reader, parsed: Parsed, inits: Any, sequences: Any, values: Any, region: Any) -> None:
    """`(%h = %h0 : t) over (%x = %xs : t) -> (t)`: what is carried, the sequences, the types of the stacks."""
    carried, types = _parse_bound(reader, parsed, inits)
    reader.word("over")
    elements, whole = _parse_bound(reader, parsed, sequences, _sequence_type, optional=False)
    inner = [type.with_shape(type.shape[1:]) for type in whole]
    parsed.entry_arguments = [EntryArgument(*pair) for pair in zip([*carried, *elements], [*types, *inner])]
    parsed.result_types[values.name] = types + (reader.results() if reader.take_punct("->") else [])


def print_scan_header(op: Op, out: Spaced, inits: Any, sequences: Any, values: Any, region: Any) -> None:
    writer = out.begin()
    arguments = op.regions[0].blocks[0].arguments
    start, middle = op.definition.operand_range(op, inits.index)
    carried = middle - start
    if carried:
        _print_bound(op, writer, arguments[:carried], start)
        writer.text(" ")
    writer.text("over ")
    _print_bound(op, writer, arguments[carried:], middle)
    if len(op.results) > carried:
        writer.text(f" -> ({', '.join(str(result.type) for result in op.results[carried:])})")


def _sequence_type(reader: Reader) -> Type:
    pos = reader.pos()
    type = reader.type()
    if not isinstance(type, TensorType) or type.rank == 0:
        raise reader.error(f"a sequence must be a tensor with an axis to go along, got {type}", pos)
    return type


def _parse_bound(
    reader: Reader, parsed: Parsed, declared: Any, read_type: Callable[[Reader], Any] = Reader.type,
    optional: bool = True,
) -> tuple[list[int], list[Any]]:  # fmt: skip
    """`(%x = %init : t, ..)`: the names defined and their types; nothing where there is no bracket, if it is optional."""
    names: list[int] = []
    operands: list[int] = []
    types: list[Any] = []
    if reader.is_brackets("(") or not optional:
        inner = reader.brackets("(")
        while not inner.done:
            names.append(inner.use())
            inner.punct("=")
            operands.append(inner.use())
            inner.punct(":")
            types.append(read_type(inner))
            if not inner.take_punct(","):
                inner.finish("',' or ')'")
    parsed.operands[declared.name], parsed.operand_types[declared.name] = operands, types
    return names, types


def _print_bound(op: Op, writer: Writer, arguments: Sequence[Value], first: int) -> None:
    writer.text("(")
    for i, argument in enumerate(arguments):
        writer.text(", " if i else "")
        writer.argument(argument)
        writer.text(" = ")
        writer.operand(op, first + i)
        writer.text(f" : {op.operand(first + i).type}")
    writer.text(")")
