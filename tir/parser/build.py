"""RawOps -> IR: matches each op with its declared form, resolves SSA names, blocks and types.

An op that cannot be built is reported once: values it would have defined are known as broken, and ops that use them are
left out without a word. All errors of a file come out together. Nothing recurses: regions are filled by generators on
an explicit stack.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tir.ir.attributes import Attribute, DenseArrayAttr
from tir.ir.define import create
from tir.ir.directives import DIRECTIVES
from tir.ir.errors import FileLocation, ParseError, TirError, nearest
from tir.ir.fields import OPERAND_SEGMENTS, RESULT_SEGMENTS
from tir.ir.format import format_of
from tir.ir.format_pieces import Parsed, RegionSource
from tir.ir.ir import Block, Op, Region, UnregisteredOp, Value
from tir.ir.reader import Reader
from tir.ir.registry import Registry
from tir.ir.syntax import Braces, RawBlock, RawOp, Use
from tir.ir.traits import IsolatedFromAbove, Terminator
from tir.ir.types import I32, Type
from tir.ir.verify import check_inputs
from tir.parser.raw import RawText

__all__ = ["build"]

_SHORT_NAMES = {"return": "func.return", "call": "func.call", "module": "builtin.module"}
_BROKEN: tuple[Value, ...] = ()  # stands for the values of an op that could not be built

Filling = Generator["Filling", None, None]


def build(raw: RawText, registry: Registry, allow_unregistered: bool = False) -> tuple[list[Op], list[TirError]]:
    """The top-level ops of the text, and every error found while building them."""
    builder = _Build(raw, registry, allow_unregistered)
    top = Block()
    stack: list[Filling] = [builder.fill_block(top, raw.ops)]
    while stack:
        child = next(stack[-1], None)
        if child is None:
            stack.pop()
        else:
            stack.append(child)
    ops = top.ops
    for op in ops:
        op.detach()
    return ops, builder.errors


class _Skip(Exception):
    """The op uses a broken value: it is left out silently."""


class _Forward(Value):
    """A value that is used before its definition, in a region with several blocks."""

    __slots__ = ()


@dataclass
class _Recipe:
    """What the text of an op says, up to its SSA names; shared by all ops with equal text.

    holes: for each operand its place among the names behind the results, and its `#number`.
    """

    cls: type[Op]
    op_name: str
    parsed: Parsed
    holes: list[tuple[int, int]]
    operand_types: list[Type | None]
    result_types: list[Type] | None
    uses: list[Use]


@dataclass
class _Scope:
    """The names that are visible. `defined`: those of the regions at hand, to forget at their end."""

    values: dict[str, tuple[Value, ...]] = field(default_factory=dict)
    forward: dict[str, tuple[_Forward, int]] = field(default_factory=dict)
    labels: dict[str, Block] = field(default_factory=dict)
    several_blocks: bool = False


class _Build:
    def __init__(self, raw: RawText, registry: Registry, allow_unregistered: bool) -> None:
        self.raw = raw
        self.registry = registry
        self.allow_unregistered = allow_unregistered
        self.errors: list[TirError] = []
        self.recipes: dict[Any, _Recipe] = {}
        self.scope = _Scope()
        self.defined: list[str] = []

    # --- blocks and regions ----------------------------------------------------------------------------------------

    def fill_block(self, block: Block, ops: Iterable[RawOp]) -> Filling:
        """Builds the ops of a block; yields the fillings of their regions."""
        for raw in ops:
            if not raw.name:  # it could not be read, which has been reported
                self.define_broken(raw)
                continue
            try:
                recipe, op = self.make(raw)
            except _Skip:
                self.define_broken(raw)
                continue
            except TirError as error:
                self.report(error, raw)
                self.define_broken(raw)
                continue
            block.append(op)
            self.define_results(raw, op)
            for region, source in zip(op.regions, recipe.parsed.regions):
                if source.braces is not None:
                    yield self.fill_region(op, region, source, raw, recipe)

    def fill_region(self, op: Op, region: Region, source: RegionSource, raw: RawOp, recipe: _Recipe) -> Filling:
        """Builds the blocks of a region in a scope of its own."""
        blocks = source.blocks(raw.regions)
        if raw.generic and not any(block.ops or block.label is not None for block in blocks):
            return  # `({ })` is a region without blocks
        blocks = blocks or [RawBlock(None, [], [], raw.pos)]
        outer, outer_defined = self.scope, self.defined
        isolated = isinstance(op, IsolatedFromAbove)
        self.scope = _Scope(
            {} if isolated else outer.values, {} if isolated or len(blocks) > 1 else outer.forward, {},
            len(blocks) > 1 or (outer.several_blocks and not isolated),
        )  # fmt: skip
        self.defined = []
        made = [region.append(Block([], one.label)) for one in blocks]
        self.define_entry_arguments(made[0], source, raw, recipe)
        for new, one in zip(made, blocks):
            self.define_block(new, one)
        for new, one in zip(made, blocks):
            yield self.fill_block(new, one.ops)
        self.add_terminator(op, region)
        if self.scope.forward is not outer.forward:
            self.report_undefined()
        for name in self.defined:
            del self.scope.values[name]
        self.scope, self.defined = outer, outer_defined

    def define_entry_arguments(self, block: Block, source: RegionSource, raw: RawOp, recipe: _Recipe) -> None:
        """The arguments that the op's own text gives the entry block."""
        names = _names_behind_results(raw, recipe)
        for hole, type, location in source.arguments:
            argument = block.add_argument(type, names[hole])
            argument.location = location or block.parent.parent.location  # type: ignore[union-attr]
            self.define(names[hole], (argument,), partial(self.use_pos, raw, hole, recipe))

    def define_block(self, block: Block, raw: RawBlock) -> None:
        """The arguments of the block's label, and the label."""
        for name, type, pos, location in raw.arguments:
            argument = block.add_argument(type, name)
            argument.location = location or self.raw.location(pos)
            self.define(name, (argument,), lambda pos=pos: pos)  # type: ignore[misc]
        if raw.label is not None:
            if raw.label in self.scope.labels:
                self.errors.append(ParseError(f"block ^{raw.label} is defined twice", self.raw.location(raw.pos)))
            self.scope.labels[raw.label] = block

    def add_terminator(self, op: Op, region: Region) -> None:
        """Ends the block as the op's class says, if the text leaves the terminator out."""
        implied = getattr(op, "implicit_terminator", None)
        if implied is not None and len(region.blocks) == 1:
            block = region.block
            if not isinstance(block.last, (Terminator, UnregisteredOp)):
                block.append(create(implied, result_types=(), location=op.location))

    # --- names -----------------------------------------------------------------------------------------------------

    def define(self, name: str, values: tuple[Value, ...], pos: Callable[[], int]) -> None:
        """Makes the name known; `pos` gives its place in the text, which only an error needs."""
        if name in self.scope.values:
            earlier = self.scope.values[name]
            notes = [("it is defined here", _definition_location(earlier[0]))] if earlier else []
            self.errors.append(ParseError(f"%{name} is defined twice", self.raw.location(pos()), notes))
            return
        self.scope.values[name] = values
        self.defined.append(name)
        waiting = self.scope.forward.pop(name, None)
        if waiting is not None and values:
            if waiting[0].type is not values[0].type:
                message = f"%{name} has type {values[0].type}, but is used as {waiting[0].type}"
                self.errors.append(ParseError(message, self.raw.location(waiting[1])))
            waiting[0].replace_all_uses_with(values[0])

    def define_results(self, raw: RawOp, op: Op) -> None:
        start = 0
        for name, count in raw.results:
            group = op.results[start : start + count]
            start += count
            group[0].hint = name
            self.define(name, group, lambda: raw.pos)

    def define_broken(self, raw: RawOp) -> None:
        for name, _ in raw.results:
            if name not in self.scope.values:
                self.scope.values[name] = _BROKEN
                self.defined.append(name)

    def value(self, name: str, number: int, declared: Type | None, raw: RawOp, hole: int, recipe: _Recipe) -> Value:
        """The value that `%name#number` means here."""
        found = self.scope.values.get(name)
        if found is None:
            if not self.scope.several_blocks:
                raise self.undefined(name, self.use_pos(raw, hole, recipe))
            return self.forward(name, declared, self.use_pos(raw, hole, recipe))
        if found is _BROKEN:
            raise _Skip
        if number >= len(found):
            message = f"%{name} has {_count(len(found), 'result')}, so there is no %{name}#{number}"
            raise self.error(message, self.use_pos(raw, hole, recipe))
        value = found[number]
        if declared is not None and value.type is not declared:
            raise self.error(
                f"{recipe.op_name}: %{name} has type {value.type}, but is used as {declared}",
                self.use_pos(raw, hole, recipe),
                [("it is defined here", _definition_location(value))],
            )
        return value

    def forward(self, name: str, declared: Type | None, pos: int) -> Value:
        """A stand-in for a value of a block further down."""
        known = self.scope.forward.get(name)
        if known is not None:
            return known[0]
        if declared is None:
            raise self.error(f"%{name} is used before its definition: here the type must be known", pos)
        made = _Forward(declared, name)
        self.scope.forward[name] = (made, pos)
        return made

    def report_undefined(self) -> None:
        for name, (_, pos) in self.scope.forward.items():
            self.errors.append(self.undefined(name, pos))
        self.scope.forward.clear()

    def undefined(self, name: str, pos: int) -> ParseError:
        hint = nearest(f"%{name}", [f"%{n}" for n in self.scope.values])
        return ParseError(f"%{name} is not defined here", self.raw.location(pos), hint=hint)

    def use_pos(self, raw: RawOp, hole: int, recipe: _Recipe) -> int:
        """Where the name stands in the text; read again for an op that was built from a template."""
        if raw.key is not None:
            recipe = self.read(raw)
        return recipe.uses[hole].pos

    # --- ops -------------------------------------------------------------------------------------------------------

    def make(self, raw: RawOp) -> tuple[_Recipe, Op]:
        """The op, with empty regions."""
        recipe = self.recipes.get(raw.key) if raw.key is not None else None
        if recipe is None:
            recipe = self.read(raw)
            if raw.key is not None:
                self.recipes[raw.key] = recipe
        names = _names_behind_results(raw, recipe)
        operands = [
            self.value(names[hole], number, type, raw, hole, recipe)
            for (hole, number), type in zip(recipe.holes, recipe.operand_types)
        ]
        op = self.create(recipe, operands, raw)
        count = sum(c for _, c in raw.results)
        if raw.results and count != len(op.results):
            op.drop_uses()
            has = _count(len(op.results), "result")
            raise self.error(f"{op.name}: has {has}, but the text names {count}", raw.pos)
        return recipe, op

    def create(self, recipe: _Recipe, operands: list[Value], raw: RawOp) -> Op:
        parsed = recipe.parsed
        op = object.__new__(recipe.cls)
        if isinstance(op, UnregisteredOp):
            op.op_name = recipe.op_name
        regions = [Region() for _ in parsed.regions]
        successors = [self.block(name, raw) for name in parsed.successors]
        location = raw.location or self.raw.location(raw.pos)
        Op.__init__(op, operands, (), parsed.properties, parsed.attributes, regions, successors, location)
        try:
            op.set_results(recipe.result_types if recipe.result_types is not None else list(op.infer()))
        except Exception as error:
            message = _why_no_types(op, error)
            op.drop_uses()
            if message is None:
                raise
            raise ParseError(message, location) from None
        return op

    def block(self, name: str, raw: RawOp) -> Block:
        found = self.scope.labels.get(name)
        if found is None:
            hint = nearest(f"^{name}", [f"^{n}" for n in self.scope.labels])
            raise ParseError(f"block ^{name} is not defined in this region", self.raw.location(raw.pos), hint=hint)
        return found

    def read(self, raw: RawOp) -> _Recipe:
        """Reads the text of the op by its declared format, or as generic form."""
        name = raw.name if raw.generic else _SHORT_NAMES.get(raw.name, raw.name)
        cls = self.registry.op_class(name)
        if cls is None and not (raw.generic and self.allow_unregistered):
            raise self.unknown(name, raw)
        reader = Reader(self.raw.items(raw), self.raw.location, raw.end)
        if raw.generic:
            return self.recipe(name, cls or UnregisteredOp, _read_generic(reader), reader, cls is not None)
        assert cls is not None
        return self.recipe(name, cls, format_of(cls, DIRECTIVES).parse(reader), reader, True)

    def unknown(self, name: str, raw: RawOp) -> ParseError:
        dialect = name.partition(".")[0]
        known = any(d.name == dialect for d in self.registry.dialects)
        what = f"unknown op '{name}'" if known else f"unknown op '{name}': there is no dialect '{dialect}'"
        return ParseError(what, self.raw.location(raw.pos), hint=self.registry.hint(name))

    def recipe(self, name: str, cls: type[Op], parsed: Parsed, reader: Reader, known: bool) -> _Recipe:
        if known:
            _sort_attributes(cls, parsed)
            _pad_regions(cls, parsed)
        holes = _in_order(cls, parsed.operands, "operands")
        operand_types = _operand_types_in_order(cls, parsed)
        result_types = _types_in_order(cls.definition.results if known else [], parsed.result_types)
        if len(operand_types) != len(holes):
            counts = f"{_count(len(holes), 'operand')}, but {_count(len(operand_types), 'type')}"
            raise reader.error(f"{name}: {counts}", reader.end)
        if known:
            _add_segments(cls, parsed)
        numbered = [(hole, reader.uses[hole].number) for hole in holes]
        return _Recipe(cls, name, parsed, numbered, operand_types, result_types, reader.uses)

    # --- errors ----------------------------------------------------------------------------------------------------

    def error(self, message: str, pos: int, notes: Any = ()) -> ParseError:
        return ParseError(message, self.raw.location(pos), notes)

    def report(self, error: TirError, raw: RawOp) -> None:
        if error.location is None:
            error.location = self.raw.location(raw.pos)
        self.errors.append(error)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''}"


def _why_no_types(op: Op, error: Exception) -> str | None:
    """Why the op cannot infer its result types from its operands and attributes; None if that is a bug."""
    if isinstance(error, TirError):
        return error.message
    try:
        check_inputs(op)
    except TirError as wrong:
        return wrong.message
    return str(error) if isinstance(error, TypeError) else None


def _names_behind_results(raw: RawOp, recipe: _Recipe) -> Sequence[str]:
    return raw.names[len(raw.results) :] if raw.names is not None else [u.name for u in recipe.uses]


def _definition_location(value: Value) -> FileLocation | None:
    location = value.op.location if value.op is not None else getattr(value, "location", None)
    return location.file_location() if location is not None else None


def _read_generic(reader: Reader) -> Parsed:
    """`(%a, %b)[^bb1] <{properties}> ({region}, {region}) {attributes} : (types) -> types`, behind the name."""
    parsed = Parsed()
    inner = reader.brackets("(")
    parsed.operands[""] = inner.use_list()
    inner.finish("')'")
    if reader.is_brackets("["):
        inner = reader.brackets("[")
        while not inner.done:
            parsed.successors.append(inner.successor())
            if not inner.take_punct(","):
                inner.finish("']'")
    if reader.is_brackets("<"):
        inner = reader.brackets("<")
        parsed.properties.update(inner.dictionary())
        inner.finish("'>'")
    if reader.is_brackets("("):
        _read_generic_regions(reader.brackets("("), parsed)
    if isinstance(reader.peek(), Braces):
        parsed.attributes.update(reader.dictionary())
    reader.punct(":")
    type = reader.function_type()
    parsed.operand_types[""], parsed.result_types[""] = list(type.inputs), list(type.results)
    reader.finish()
    return parsed


def _read_generic_regions(reader: Reader, parsed: Parsed) -> None:
    while not reader.done:
        if not isinstance(reader.peek(), Braces):
            raise reader.expected("'{'")
        braces = reader.next()
        assert isinstance(braces, Braces)
        empty = braces.region is None and not braces.blocks
        parsed.regions.append(RegionSource(None if empty else braces))
        if not reader.take_punct(","):
            reader.finish("',' or ')'")


def _in_order(cls: type[Op], by_name: dict[str, list[int]], what: str) -> list[int]:
    """The holes in the order of the declaration."""
    if "" in by_name:
        return by_name[""]
    return [hole for declared in cls.definition.operands for hole in by_name.get(declared.name, [])]


def _operand_types_in_order(cls: type[Op], parsed: Parsed) -> list[Type | None]:
    """The types that the text states for the operands, in the order of the declaration; None where it states none."""
    stated: dict[str, list[Any]] = parsed.operand_types
    names = [""] if "" in stated or "" in parsed.operands else [f.name for f in cls.definition.operands]
    types = [stated.get(name, [None] * len(parsed.operands.get(name, []))) for name in names]
    return [type for group in types for type in group]


def _types_in_order(fields: Sequence[Any], by_name: dict[str, list[Type]]) -> list[Type] | None:
    """The types of the results in the order of the declaration; None if the text does not give all."""
    if "" in by_name:
        return by_name[""]
    if any(f.name not in by_name for f in fields):
        return None
    return [type for f in fields for type in by_name[f.name]]


def _sort_attributes(cls: type[Op], parsed: Parsed) -> None:
    """Inherent attributes that stand in the dictionary become properties; defaults are filled in."""
    inherent = cls.definition.property_names
    for name in [n for n in parsed.attributes if n in inherent]:
        parsed.properties[name] = parsed.attributes.pop(name)
    properties: dict[str, Attribute] = {**cls.definition.defaults, **parsed.properties}
    parsed.properties = properties


def _pad_regions(cls: type[Op], parsed: Parsed) -> None:
    """Regions that the text leaves out are empty."""
    declared = [f for f in cls.definition.regions if f.many == ""]
    parsed.regions += [RegionSource(None)] * (len(declared) - len(parsed.regions))


def _add_segments(cls: type[Op], parsed: Parsed) -> None:
    """The sizes of operand and result groups, where the short form tells them apart."""
    definition = cls.definition
    if definition.needs_operand_segments and "" not in parsed.operands:
        sizes = [len(parsed.operands.get(f.name, [])) for f in definition.operands]
        parsed.properties.setdefault(OPERAND_SEGMENTS, DenseArrayAttr(I32, tuple(sizes)))
    if definition.needs_result_segments and "" not in parsed.result_types:
        sizes = [len(parsed.result_types.get(f.name, [])) for f in definition.results]
        parsed.properties.setdefault(RESULT_SEGMENTS, DenseArrayAttr(I32, tuple(sizes)))
