"""The heads of loops over tensors: `(%h = %h0 : tensor<4xf32>) over (%x = %xs : tensor<?x4xf32>) -> (tensor<?x4xf32>)`.

Each is one pair of parse and print, side by side, as in `directives.py`. Lists of known and unknown numbers stand here,
too: `[%i, 0, 4]`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tir.ir.attributes import DenseArrayAttr
from tir.ir.format_pieces import EntryArgument, Parsed, RegionSource, Spaced, Writer
from tir.ir.ir import Op, Value
from tir.ir.reader import Reader
from tir.ir.syntax import Use
from tir.ir.types import I64, INDEX, TensorType, Type
from tir.ir.views import DYNAMIC_INDEX

__all__ = [
    "parse_bindings", "parse_carried_values", "parse_forall", "parse_index_list", "parse_scan_header", "print_bindings",
    "print_carried_values", "print_forall", "print_index_list", "print_scan_header",
]  # fmt: skip


def parse_index_list(reader: Reader, parsed: Parsed, dynamic: Any, static: Any) -> None:
    """`[%i, 0]`: the values become operands; in the static list `DYNAMIC_INDEX` keeps their places."""
    _parse_mixed(reader, parsed, dynamic, static, "[")


def print_index_list(op: Op, out: Spaced, dynamic: Any, static: Any) -> None:
    _print_mixed(op, out.begin(), dynamic, static, "[]")


def parse_forall(
    reader: Reader, parsed: Parsed, low: Any, high: Any, step: Any, outputs: Any, static_low: Any, static_high: Any,
    static_step: Any, body: Any,
) -> None:  # fmt: skip
    """`(%i, %j) in (%n, 4) shared_outs(%o = %init) -> (t) {`; with bounds and steps, `(%i) = (0) to (%n) step (64)`."""
    inner = reader.brackets("(")
    counters = inner.use_list()
    inner.finish("')'")
    if reader.take_word("in"):
        for dynamic, static, number in ((low, static_low, 0), (step, static_step, 1)):
            parsed.operands[dynamic.name], parsed.operand_types[dynamic.name] = [], []
            parsed.properties[static.name] = DenseArrayAttr(I64, (number,) * len(counters))
        _parse_mixed(reader, parsed, high, static_high, "(")
    else:
        for mark, dynamic, static in (("=", low, static_low), ("to", high, static_high), ("step", step, static_step)):
            reader.punct(mark) if mark == "=" else reader.word(mark)
            _parse_mixed(reader, parsed, dynamic, static, "(")
    names, carried = parse_bindings(reader) if reader.take_word("shared_outs") else ([], [])
    types = reader.results() if reader.take_punct("->") else []
    if len(types) != len(names):
        raise reader.error(f"shared_outs has {len(names)} tensors, and there are {len(types)} types behind '->'")
    parsed.operands[outputs.name], parsed.operand_types[outputs.name] = carried, types
    parsed.result_types[""] = types
    bound = [*((counter, INDEX) for counter in counters), *zip(names, types)]
    parsed.entry_arguments = [EntryArgument(*pair) for pair in bound]
    parsed.regions.append(RegionSource(reader.region(), parsed.take_entry_arguments()))


def print_forall(
    op: Op, out: Spaced, low: Any, high: Any, step: Any, outputs: Any, static_low: Any, static_high: Any,
    static_step: Any, body: Any,
) -> None:  # fmt: skip
    writer = out.begin()
    arguments = op.regions[0].blocks[0].arguments
    first, stop = op.definition.operand_range(op, outputs.index)
    counters, carried = arguments[: len(arguments) - (stop - first)], arguments[len(arguments) - (stop - first) :]
    writer.text("(")
    for i, counter in enumerate(counters):
        writer.text(", " if i else "")
        writer.argument(counter)
    starts, steps = (op.properties[one.name].values for one in (static_low, static_step))  # type: ignore[attr-defined]
    if set(starts) <= {0} and set(steps) <= {1}:
        writer.text(") in ")
        _print_mixed(op, writer, high, static_high, "()")
    else:
        for mark, dynamic, static in ((") = ", low, static_low), (" to ", high, static_high), (" step ", step, static_step)):
            writer.text(mark)
            _print_mixed(op, writer, dynamic, static, "()")
    print_bindings(op, writer, "shared_outs", carried, first)
    writer.text(" ")
    writer.region(op.regions[0], arguments=False, terminator=bool(carried))


def parse_bindings(reader: Reader) -> tuple[list[int], list[int]]:
    """`(%x = %init, ..)`: the names defined and the operands."""
    inner = reader.brackets("(")
    names: list[int] = []
    operands: list[int] = []
    while not inner.done:
        names.append(inner.use())
        inner.punct("=")
        operands.append(inner.use())
        if not inner.take_punct(","):
            inner.finish("',' or ')'")
    return names, operands


def print_bindings(
    op: Op, writer: Writer, word: str, arguments: Sequence[Value], first: int, types: bool = True
) -> None:
    if not arguments:
        return
    writer.text(f" {word}(" if word else "(")
    for i, argument in enumerate(arguments):
        writer.text(", " if i else "")
        writer.argument(argument)
        writer.text(" = ")
        writer.operand(op, first + i)
    writer.text(f") -> ({', '.join(str(r.type) for r in op.results)})" if types else ")")


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


def _parse_mixed(reader: Reader, parsed: Parsed, dynamic: Any, static: Any, bracket: str) -> None:
    """Known and unknown numbers: `(%n, 4)`."""
    inner = reader.brackets(bracket)
    holes: list[int] = []
    numbers: list[int] = []
    while not inner.done:
        if isinstance(inner.peek(), Use):
            holes.append(inner.use())
            numbers.append(DYNAMIC_INDEX)
        else:
            numbers.append(inner.integer())
        if not inner.take_punct(","):
            inner.finish("',' or ']'" if bracket == "[" else "',' or ')'")
    parsed.operands[dynamic.name] = holes
    parsed.operand_types[dynamic.name] = [INDEX] * len(holes)
    parsed.properties[static.name] = DenseArrayAttr(I64, tuple(numbers))


def _print_mixed(op: Op, writer: Writer, dynamic: Any, static: Any, brackets: str) -> None:
    place = op.definition.operand_range(op, dynamic.index)[0]
    writer.text(brackets[0])
    for i, number in enumerate(op.properties[static.name].values):  # type: ignore[attr-defined]
        writer.text(", " if i else "")
        if number == DYNAMIC_INDEX:
            writer.operand(op, place)
            place += 1
        else:
            writer.text(str(number))
    writer.text(brackets[1])
