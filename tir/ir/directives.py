"""The parts of forms that MLIR writes by hand: each is one pair of parse and print, side by side.

A format names them as `custom<Name>(..)`; the arguments are the declared fields. This file knows fields, not ops.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from tir.ir.attributes import (
    ArrayAttr,
    Attribute,
    DenseAttr,
    DenseResourceAttr,
    DictAttr,
    StringAttr,
    TypeAttr,
    UnitAttr,
    symbol_text,
)
from tir.ir.errors import counted
from tir.ir.fields import AttributeField, RegionField
from tir.ir.format_pieces import (
    EntryArgument,
    Parsed,
    RegionSource,
    Spaced,
    TypePiece,
    Writer,
    dictionary_text,
    write_operands,
)
from tir.ir.ir import Op, Value
from tir.ir.loop_directives import (
    parse_bindings,
    parse_carried_values,
    parse_forall,
    parse_index_list,
    parse_scan_header,
    print_bindings,
    print_carried_values,
    print_forall,
    print_index_list,
    print_scan_header,
)
from tir.ir.reader import Reader, value_hint
from tir.ir.schedule_directives import (
    parse_forall_tiles,
    parse_fuse_tiles,
    parse_match,
    parse_one_type,
    parse_pass_options,
    parse_positions,
    parse_sizes,
    print_forall_tiles,
    print_fuse_tiles,
    print_match,
    print_one_type,
    print_pass_options,
    print_positions,
    print_sizes,
)
from tir.ir.syntax import Braces, SymbolItem, Use, Word
from tir.ir.types import INDEX, FunctionType, MemRefType, TensorType, Type

__all__ = ["DIRECTIVES", "Directive"]


class Directive(NamedTuple):
    """How a directive is read and printed. written: the arguments whose values decide nothing but their own text.

    example: how it looks, for hints.
    """

    parse: Callable[..., None]
    print: Callable[..., None]
    written: tuple[int, ...] = ()
    example: str = ""


# --- func: `private @f(%x: f32 {tir.name = "x"}) -> (f32 {tir.update = @w})` and the body ----------------------------


def parse_signature(
    reader: Reader, parsed: Parsed, visibility: Any, symbol: Any, type: Any, arg_attrs: Any, res_attrs: Any
) -> None:
    if reader.is_word("private", "public", "nested"):
        parsed.properties[visibility.name] = StringAttr(reader.word())
    if not isinstance(reader.peek(), SymbolItem):
        raise reader.expected("the function's name, such as @f")
    parsed.read_part(reader, partial(_parse_symbol, symbol))
    types, dictionaries = _parse_arguments(reader, parsed)
    results, result_dictionaries = _parse_results(reader) if reader.take_punct("->") else ([], [])
    parsed.properties[type.name] = TypeAttr(FunctionType(tuple(types), tuple(results)))
    for declared, entries in ((arg_attrs, dictionaries), (res_attrs, result_dictionaries)):
        if any(entries):
            parsed.properties[declared.name] = ArrayAttr(tuple(DictAttr.of(e) for e in entries))


def _parse_symbol(declared: AttributeField, reader: Reader, parsed: Parsed) -> None:
    parsed.properties[declared.name] = StringAttr(reader.symbol().root)


def _parse_arguments(reader: Reader, parsed: Parsed) -> tuple[list[Type], list[dict[str, Attribute]]]:
    """`(%x: f32 {..}, ..)`, or types alone in a declaration."""
    inner = reader.brackets("(")
    types: list[Type] = []
    dictionaries: list[dict[str, Attribute]] = []
    while not inner.done:
        hole = None
        if isinstance(inner.peek(), Word) and inner.is_punct_behind(":"):
            raise inner.expected("a value such as %x", value_hint(inner.peek()))
        if types and isinstance(inner.peek(), Use) != bool(parsed.entry_arguments):
            raise inner.error("each argument has a name, or, in a declaration, none has")
        if isinstance(inner.peek(), Use):
            hole = inner.use()
            inner.punct(":")
        types.append(inner.type())
        dictionaries.append(inner.dictionary() if isinstance(inner.peek(), Braces) else {})
        location = inner.take_location()
        if hole is not None:
            parsed.entry_arguments.append(EntryArgument(hole, types[-1], location))
        if not inner.take_punct(","):
            hint = "an argument is its name, ':' and its type" if isinstance(inner.peek(), Use) and hole is None else None
            inner.finish("',' or ')'", hint)
    return types, dictionaries


def _parse_results(reader: Reader) -> tuple[list[Type], list[dict[str, Attribute]]]:
    if not reader.is_brackets("("):
        return [reader.type()], [{}]
    inner = reader.brackets("(")
    types: list[Type] = []
    dictionaries: list[dict[str, Attribute]] = []
    while not inner.done:
        types.append(inner.type())
        dictionaries.append(inner.dictionary() if isinstance(inner.peek(), Braces) else {})
        if not inner.take_punct(","):
            inner.finish("',' or ')'")
    return types, dictionaries


def print_signature(
    op: Op, out: Spaced, visibility: Any, symbol: Any, type: Any, arg_attrs: Any, res_attrs: Any
) -> None:
    writer = out.begin()
    kind = op.properties.get(visibility.name)
    writer.text(f"{kind.value} " if isinstance(kind, StringAttr) else "")
    writer.computed(partial(_symbol_text, symbol), op)
    writer.text("(")
    function = type.kind.to_python(op.properties[type.name])
    arguments = op.regions[0].blocks[0].arguments if op.regions[0].blocks else None
    for i, one in enumerate(function.inputs):
        writer.text(", " if i else "")
        if arguments is not None:
            writer.argument(arguments[i])
            writer.text(": ")
        writer.text(f"{one}{_entries_text(op, arg_attrs, i)}")
        if arguments is not None:
            writer.argument_location(arguments[i])
    writer.text(")")
    if function.results:
        texts = [f"{one}{_entries_text(op, res_attrs, i)}" for i, one in enumerate(function.results)]
        bare = len(texts) == 1 and not isinstance(function.results[0], FunctionType) and "{" not in texts[0]
        writer.text(f" -> {texts[0]}" if bare else f" -> ({', '.join(texts)})")


def _symbol_text(declared: AttributeField, op: Op) -> str:
    return symbol_text(declared.kind.to_python(op.properties[declared.name]))


def _entries_text(op: Op, declared: AttributeField, index: int) -> str:
    attrs = op.properties.get(declared.name)
    entries = dict(attrs.items[index].entries) if isinstance(attrs, ArrayAttr) else {}  # type: ignore[attr-defined]
    return f" {dictionary_text(entries)}" if entries else ""


def parse_body(reader: Reader, parsed: Parsed, declared: RegionField) -> None:
    """An optional region whose arguments stand in the signature."""
    is_declaration = not parsed.entry_arguments  # those of a declaration have no names
    braces = None if is_declaration and not isinstance(reader.peek(), Braces) else reader.region()
    parsed.regions.append(RegionSource(braces, parsed.take_entry_arguments()))


def print_body(op: Op, out: Spaced, declared: RegionField) -> None:
    if op.regions[declared.index].blocks:
        out.begin().region(op.regions[declared.index], arguments=False)


# --- scf -------------------------------------------------------------------------------------------------------------


def parse_for(
    reader: Reader, parsed: Parsed, unsigned: Any, low: Any, high: Any, step: Any, init: Any, body: Any
) -> None:
    """`unsigned %i = %low to %high step %s iter_args(%x = %init) -> (f32) : i32 {`."""
    if reader.take_word("unsigned"):
        parsed.properties[unsigned.name] = UnitAttr()
    counter = reader.use()
    for mark, declared in (("=", low), ("to", high), ("step", step)):
        reader.punct(mark) if mark == "=" else reader.word(mark)
        parsed.operands[declared.name] = [reader.use()]
    carried, parsed.operands[init.name] = parse_bindings(reader) if reader.take_word("iter_args") else ([], [])
    types = _parse_result_types(reader) if reader.take_punct("->") else []
    _check_count(reader, "iter_args", carried, types)
    parsed.operand_types[init.name] = types
    index = reader.type() if reader.take_punct(":") else INDEX
    for declared in (low, high, step):
        parsed.operand_types[declared.name] = [index]
    parsed.entry_arguments = [EntryArgument(*pair) for pair in ((counter, index), *zip(carried, types))]
    parsed.result_types[""] = types
    _parse_headed_region(reader, parsed)


def print_for(op: Op, out: Spaced, unsigned: Any, low: Any, high: Any, step: Any, init: Any, body: Any) -> None:
    writer = out.begin()
    arguments = op.regions[0].blocks[0].arguments
    writer.text("unsigned " if unsigned.name in op.properties else "")
    writer.argument(arguments[0])
    for i, mark in enumerate((" = ", " to ", " step ")):
        writer.text(mark)
        writer.operand(op, i)
    print_bindings(op, writer, "iter_args", arguments[1:], 3)
    kind = op.operand(0).type
    writer.text("" if kind is INDEX else f" : {kind}")
    writer.text(" ")
    writer.region(op.regions[0], arguments=False, terminator=bool(op.results))


def parse_if(reader: Reader, parsed: Parsed, values: TypePiece, then: Any, otherwise: Any) -> None:
    """`-> (f32) { .. } else { .. }`."""
    parsed.result_types[values.field.name] = _parse_result_types(reader) if reader.take_punct("->") else []
    _parse_headed_region(reader, parsed)
    if reader.take_word("else"):
        _parse_headed_region(reader, parsed)


def print_if(op: Op, out: Spaced, values: TypePiece, then: Any, otherwise: Any) -> None:
    writer = out.begin()
    if op.results:
        writer.text(f"-> ({', '.join(str(r.type) for r in op.results)}) ")
    writer.region(op.regions[0], terminator=bool(op.results))
    if op.regions[1].blocks:
        writer.text(" else ")
        writer.region(op.regions[1], terminator=bool(op.results))


def parse_while(reader: Reader, parsed: Parsed, inits: Any, before: Any) -> None:
    """`(%x = %init, ..)`; the types follow behind a colon, and become those of the arguments."""
    carried, parsed.operands[inits.name] = parse_bindings(reader) if reader.is_brackets("(") else ([], [])
    types = _types_ahead(reader)
    parsed.entry_arguments = [EntryArgument(*pair) for pair in zip(carried, types)]


def _types_ahead(reader: Reader) -> list[Type]:
    """The inputs of the function type behind the next colon, which stay to be read."""
    at = reader.at
    reader.punct(":")
    types = list(reader.function_type().inputs)
    reader.at = at
    return types


def print_while(op: Op, out: Spaced, inits: Any, before: Any) -> None:
    if op.operands:
        print_bindings(op, out.begin(), "", op.regions[0].blocks[0].arguments, 0, types=False)


def parse_parallel(
    reader: Reader, parsed: Parsed, low: Any, high: Any, step: Any, init: Any, values: TypePiece, body: Any
) -> None:
    """`(%i, %j) = (..) to (..) step (..) init (..) -> f32 {`."""
    counters = _parse_use_list(reader)
    for mark, declared in (("=", low), ("to", high), ("step", step)):
        reader.punct(mark) if mark == "=" else reader.word(mark)
        parsed.operands[declared.name] = _parse_use_list(reader)
        parsed.operand_types[declared.name] = [INDEX] * len(parsed.operands[declared.name])
    parsed.operands[init.name] = _parse_use_list(reader) if reader.take_word("init") else []
    types = _parse_result_types(reader) if reader.take_punct("->") else []
    parsed.operand_types[init.name] = parsed.result_types[values.field.name] = types
    parsed.entry_arguments = [EntryArgument(counter, INDEX) for counter in counters]
    _parse_headed_region(reader, parsed)


def print_parallel(
    op: Op, out: Spaced, low: Any, high: Any, step: Any, init: Any, values: TypePiece, body: Any
) -> None:
    writer = out.begin()
    writer.text("(")
    _print_values(writer, op.regions[0].blocks[0].arguments)
    for declared, mark in ((low, ") = ("), (high, ") to ("), (step, ") step (")):
        writer.text(mark)
        write_operands(op, range(*op.definition.operand_range(op, declared.index)), writer)
    writer.text(")")
    start, stop = op.definition.operand_range(op, init.index)
    if start < stop:
        writer.text(" init (")
        write_operands(op, range(start, stop), writer)
        writer.text(f") -> {_result_types_text(op)}")
    writer.text(" ")
    writer.region(op.regions[0], arguments=False, terminator=bool(op.results))


def _parse_headed_region(reader: Reader, parsed: Parsed) -> None:
    """A region whose entry arguments the text has given."""
    parsed.regions.append(RegionSource(reader.region(), parsed.take_entry_arguments()))


def _parse_use_list(reader: Reader) -> list[int]:
    """`(%a, %b)`."""
    inner = reader.brackets("(")
    found = inner.use_list()
    inner.finish("')'")
    return found


def _print_values(writer: Writer, values: Sequence[Value]) -> None:
    for i, value in enumerate(values):
        writer.text(", " if i else "")
        writer.argument(value)


def _parse_result_types(reader: Reader) -> list[Type]:
    """`f32` or `(f32, i1)`."""
    return reader.results()


def _result_types_text(op: Op) -> str:
    texts = [str(r.type) for r in op.results]
    return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"


def _check_count(reader: Reader, what: str, names: Sequence[int], types: Sequence[Type]) -> None:
    if len(names) != len(types):
        raise reader.error(f"{what}: {counted(len(names), 'value')}, but {counted(len(types), 'type')}")


# --- tensor, memref: `[%a, 1, %b]`, numbers and values mixed --------------------------------------------------------


# --- linalg.generic --------------------------------------------------------------------------------------------------


def parse_generic(
    reader: Reader, parsed: Parsed, inputs: Any, outputs: Any, results: Any, maps: Any, iterators: Any, doc: Any,
    library_call: Any, body: Any,
) -> None:  # fmt: skip
    """`{indexing_maps = [..], iterator_types = ["parallel"]} ins(%a : t) outs(%b : t) attrs = {..} { .. } -> t`."""
    traits = reader.dictionary()
    words = traits.get(iterators.name)
    if isinstance(words, ArrayAttr) and all(isinstance(w, StringAttr) for w in words):
        traits[iterators.name] = iterators.kind.make([w.value for w in words])  # type: ignore[attr-defined]
    parsed.properties.update(traits)
    for word, declared in (("ins", inputs), ("outs", outputs)):
        if reader.take_word(word):
            inner = reader.brackets("(")
            parsed.operands[declared.name] = inner.use_list()
            inner.punct(":")
            parsed.operand_types[declared.name] = inner.type_list()
            inner.finish("')'")
        else:
            parsed.operands[declared.name], parsed.operand_types[declared.name] = [], []
    if reader.take_word("attrs"):
        reader.punct("=")
        parsed.attributes.update(reader.dictionary())
    _parse_headed_region(reader, parsed)
    parsed.result_types[results.name] = reader.results() if reader.take_punct("->") else []


def print_generic(
    op: Op, out: Spaced, inputs: Any, outputs: Any, results: Any, maps: Any, iterators: Any, doc: Any,
    library_call: Any, body: Any,
) -> None:  # fmt: skip
    writer = out.begin()
    traits = {n: v for n, v in op.properties.items() if n in (maps.name, doc.name, library_call.name)}
    words = iterators.kind.to_python(op.properties[iterators.name])
    traits[iterators.name] = ArrayAttr(tuple(StringAttr(word) for word in words))
    writer.text(dictionary_text(traits))
    for word, declared in (("ins", inputs), ("outs", outputs)):
        start, stop = op.definition.operand_range(op, declared.index)
        if start < stop:
            writer.text(f" {word}(")
            write_operands(op, range(start, stop), writer)
            writer.text(f" : {', '.join(str(op.operand(i).type) for i in range(start, stop))})")
    if op.attributes:
        writer.text(f" attrs = {dictionary_text(op.attributes)}")
    writer.text(" ")
    writer.region(op.regions[0])
    if op.results:
        writer.text(f" -> {_result_types_text(op)}")


# --- constants behind a type that says theirs: memref.global and tir.shared ------------------------------------------


def parse_global(reader: Reader, parsed: Parsed, type: Any, value: Any) -> None:
    """`memref<2xf32> = dense<0.0>`, `memref<2xf32> = uninitialized`, `memref<2xf32>`."""
    stated = reader.type()
    parsed.properties[type.name] = TypeAttr(stated)
    if not reader.take_punct("="):
        return
    if reader.take_word("uninitialized"):
        parsed.properties[value.name] = UnitAttr()
    else:
        implied = TensorType(stated.shape, stated.element) if isinstance(stated, MemRefType) else stated
        parsed.properties[value.name] = reader.attribute(implied)


def print_global(op: Op, out: Spaced, type: Any, value: Any) -> None:
    writer = out.begin()
    writer.text(str(op.properties[type.name]))
    _print_value(op, writer, value)


def parse_shared(reader: Reader, parsed: Parsed, type: Any, value: Any, init: Any) -> None:
    """`tensor<2xf32> = dense<0.0>` or `tensor<2xf32> init @f`."""
    stated = reader.type()
    parsed.properties[type.name] = TypeAttr(stated)
    if reader.take_word("init"):
        parsed.properties[init.name] = reader.symbol()
    else:
        reader.punct("=")
        parsed.properties[value.name] = reader.attribute(stated)


def print_shared(op: Op, out: Spaced, type: Any, value: Any, init: Any) -> None:
    writer = out.begin()
    writer.text(str(op.properties[type.name]))
    if init.name in op.properties:
        writer.text(f" init {op.properties[init.name]}")
    _print_value(op, writer, value)


def _print_value(op: Op, writer: Writer, declared: AttributeField) -> None:
    value = op.properties.get(declared.name)
    if isinstance(value, (DenseAttr, DenseResourceAttr)):
        writer.text(f" = {value.bare_text()}")
    elif isinstance(value, UnitAttr):
        writer.text(" = uninitialized")


# --- arith.select: the type of the condition only where it is no i1 ---------------------------------------------------


def parse_select_types(reader: Reader, parsed: Parsed, condition: TypePiece, chosen: TypePiece) -> None:
    first = reader.type()
    if reader.take_punct(","):
        parsed.operand_types[condition.field.name] = [first]
        first = reader.type()
    parsed.result_types[chosen.field.name] = [first]


def print_select_types(op: Op, out: Spaced, condition: TypePiece, chosen: TypePiece) -> None:
    types = [str(op.operand(0).type)] if str(op.operand(0).type) != "i1" else []
    out.begin().text(", ".join([*types, str(op.result.type)]))


DIRECTIVES: dict[str, Directive] = {
    "CarriedValues": Directive(parse_carried_values, print_carried_values, example="(%a = %init : type)"),
    "DynamicIndexList": Directive(parse_index_list, print_index_list),
    "ForAllHeader": Directive(parse_forall, print_forall),
    "ForallTiles": Directive(parse_forall_tiles, print_forall_tiles, example="tile_sizes [4, %size]"),
    "ForHeader": Directive(parse_for, print_for),
    "FunctionBody": Directive(parse_body, print_body),
    "FunctionSignature": Directive(parse_signature, print_signature, written=(1,)),
    "FuseTiles": Directive(parse_fuse_tiles, print_fuse_tiles, example="tile_sizes [4, %size]"),
    "GlobalMemrefOpTypeAndInitialValue": Directive(parse_global, print_global),
    "GenericOp": Directive(parse_generic, print_generic),
    "IfRegions": Directive(parse_if, print_if, example="-> (types) {..} else {..}"),
    "ParallelHeader": Directive(parse_parallel, print_parallel),
    "ScanHeader": Directive(
        parse_scan_header, print_scan_header, example="(%a = %init : type) over (%x = %xs : type) -> (types)"
    ),
    "MatchHeader": Directive(parse_match, print_match, example='ops{["op"]}'),
    "OneType": Directive(parse_one_type, print_one_type, example="%a, %b : type"),
    "PassOptions": Directive(parse_pass_options, print_pass_options),
    "SharedValue": Directive(parse_shared, print_shared, example="type = value"),
    "SelectTypes": Directive(parse_select_types, print_select_types),
    "TileSizes": Directive(parse_sizes, print_sizes, example="[4, %size]"),
    "TransformMatchDims": Directive(parse_positions, print_positions, example="0"),
    "WhileHeader": Directive(parse_while, print_while),
}
