"""RawOps -> IR: matches each op with its declared form, resolves SSA names, blocks and types.

An op that cannot be built is reported once: values it would have defined are known as broken, and ops that use them are
left out without a word. All errors of a file come out together. Nothing recurses: regions are filled by generators on
an explicit stack.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tir.ir.define import create
from tir.ir.directives import DIRECTIVES
from tir.ir.errors import LimitError, ParseError, TirError, TirErrors, nearest
from tir.ir.format import format_of
from tir.ir.format_pieces import RegionSource
from tir.ir.ir import Block, Op, Region, UnregisteredOp, Value
from tir.ir.registry import Registry
from tir.ir.steps import Steps, run_steps
from tir.ir.syntax import RawBlock, RawOp
from tir.ir.traits import IsolatedFromAbove, SymbolTable, Terminator
from tir.ir.types import Type
from tir.ir.verify import Gaps, check_inputs
from tir.parser.broken import (
    MisusedValue,
    definition_elsewhere,
    definition_location,
    label_names,
    mentioned_symbols,
    mentioned_values,
    region_sources,
    stand_in,
    successor_pos,
    symbols_inside,
    value_of,
)
from tir.parser.raw import RawText
from tir.parser.reading import MAX_ERRORS, Reported
from tir.parser.recipes import Recipe, Recipes, counted

__all__ = ["build"]

_BROKEN: tuple[Value, ...] = ()  # stands for the values of an op that could not be built

def build(raw: RawText, registry: Registry, allow_unregistered: bool = False) -> tuple[list[Op], list[TirError], Gaps]:
    """The top-level ops of the text, every error found while building them, and what is missing for that."""
    builder = _Build(raw, registry, allow_unregistered)
    top = Block()
    run_steps(builder.fill_block(top, raw.ops))
    ops = top.ops
    for op in ops:
        op.detach()
    return ops, builder.errors, builder.gaps


class _Forward(Value):
    """A value that is used before its definition, in a region with several blocks."""

    __slots__ = ()


@dataclass
class _Scope:
    """The names that are visible.

    sources: for each name whose value is _BROKEN what gives it a value, and whether the text defines it there.
    """

    values: dict[str, tuple[Value, ...]] = field(default_factory=dict)
    forward: dict[str, tuple[_Forward, int]] = field(default_factory=dict)
    labels: dict[str, Block] = field(default_factory=dict)
    several_blocks: bool = False
    sources: dict[str, tuple[Op | Block, bool]] = field(default_factory=dict)


class _Build:
    def __init__(self, raw: RawText, registry: Registry, allow_unregistered: bool) -> None:
        self.raw = raw
        self.errors: list[TirError] = []
        self.recipes = Recipes(raw, registry, allow_unregistered)
        self.scope = _Scope()
        self.defined: list[str] = []  # the names of the region at hand, to forget at its end
        self.gaps = Gaps()
        self.undefined_names: list[str] = []  # of the op at hand
        self.label_places: dict[Block, int] = {}

    # --- blocks and regions ----------------------------------------------------------------------------------------

    def fill_block(self, block: Block, ops: list[RawOp]) -> Steps:
        """Builds the ops of a block; yields the fillings of their regions."""
        for raw in _released(ops):
            if len(self.errors) >= MAX_ERRORS:
                self.give_up(raw.pos)
                return
            if not raw.name:  # it could not be read, which has been reported
                yield from self.fill_stand_in(block, raw)
                continue
            if self.append_quickly(block, raw):
                continue
            try:
                recipe, op = self.make(raw)
            except TirError as error:
                self.report(error, raw)
                yield from self.fill_stand_in(block, raw, self.stated_types(raw, error))
                continue
            block.append(op)
            self.define_results(raw, op)
            for region, source in zip(op.regions, recipe.parsed.regions):
                if source.braces is not None:
                    yield self.fill_region(op, region, source, raw, recipe)

    def stated_types(self, raw: RawOp, error: TirError) -> list[Type] | None:
        """The types of the results, if the text states them and only the operands are not known."""
        errors = error.errors if isinstance(error, TirErrors) else () if isinstance(error, Reported) else (error,)
        if len(errors) > len(self.undefined_names):
            return None
        types = self.recipes.of(raw).result_types
        return types if types is not None and len(types) == sum(count for _, count in raw.results) else None

    def fill_stand_in(self, block: Block, raw: RawOp, types: Sequence[Type] | None = None) -> Steps:
        """Puts a stand-in in the place of an op that could not be built, and fills its regions. types: of its results."""
        sources = region_sources(raw)
        op = self.add_stand_in(block, raw.pos, len(sources))
        if types is not None:
            op.set_results(types)
            self.define_results(raw, op)
        around = block.parent_op
        if not raw.results and (around is None or isinstance(around, SymbolTable) or not around.name):
            self.gaps.symbols.update(mentioned_symbols(raw, self.raw.reading.text))
        for name, _ in raw.results:
            if types is None and (name not in self.scope.values or not self.defined_twice(name, block, raw.pos)):
                self.define_broken(name, op, is_definition=True)
        for name in self.undefined_names:
            self.define_broken(name, op)
        self.undefined_names.clear()
        for region, source in zip(op.regions, sources):
            yield self.fill_region(op, region, source, raw, None)
        self.gaps.symbols.update(symbols_inside(op))

    def add_stand_in(self, block: Block, pos: int, regions: int = 0, *, first: bool = False) -> UnregisteredOp:
        """A new stand-in at the end of a block, or at its beginning."""
        op = stand_in(self.raw.location(pos), regions)
        block.insert_before(block.first if first else None, op)
        if block.parent_op is not None:
            self.gaps.partial.add(block.parent_op)
        return op

    def fill_region(self, op: Op, region: Region, source: RegionSource, raw: RawOp, recipe: Recipe | None) -> Steps:
        """Builds the blocks of a region in a scope of its own. recipe: None for a stand-in."""
        blocks = source.blocks(raw.regions)
        if raw.generic and not any(block.ops or block.label is not None for block in blocks):
            return  # `({ })` is a region without blocks
        blocks = blocks or [RawBlock(None, [], [], raw.pos)]
        outer, outer_defined = self.scope, self.defined
        isolated = isinstance(op, IsolatedFromAbove)
        self.scope = _Scope(
            {} if isolated else outer.values, {} if isolated or len(blocks) > 1 else outer.forward, {},
            len(blocks) > 1 or (outer.several_blocks and not isolated), {} if isolated else outer.sources,
        )  # fmt: skip
        self.defined = []
        made = [region.append(Block([], one.label)) for one in blocks]
        if recipe is not None:
            self.define_entry_arguments(made[0], source, raw, recipe)
        else:
            for name in mentioned_values(raw, self.raw.reading.text):
                self.define_broken(name, made[0])
        for new, one in zip(made, blocks):
            if len(self.errors) < MAX_ERRORS:
                self.define_block(new, one)
        for new, one in zip(made, blocks):
            yield self.fill_block(new, one.ops)
        self.add_terminator(op, region)
        if self.scope.forward is not outer.forward:
            self.report_undefined(made[0])
        for name in self.defined:
            del self.scope.values[name]
        self.scope, self.defined = outer, outer_defined

    def define_entry_arguments(self, block: Block, source: RegionSource, raw: RawOp, recipe: Recipe) -> None:
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
                notes = [("it is defined here", self.raw.location(self.label_places[self.scope.labels[raw.label]]))]
                self.errors.append(self.error(f"block ^{raw.label} is defined twice", raw.pos, notes))
            self.scope.labels[raw.label] = block
            self.label_places[block] = raw.pos
        for name in label_names(raw, self.raw.reading.text) if self.raw.errors else ():
            self.define_broken(name, block)
            self.gaps.blocks.add(block)

    def add_terminator(self, op: Op, region: Region) -> None:
        """Ends the block of an op without results as its class says, if the text leaves the terminator out."""
        implied = getattr(op, "implicit_terminator", None)
        if implied is not None and not op.results and len(region.blocks) == 1:
            block = region.block
            if not isinstance(block.last, (Terminator, UnregisteredOp)):
                empty = [Region([Block()]) for one in implied.definition.regions if one.many == ""]
                block.append(create(implied, result_types=(), regions=empty, location=op.location))

    # --- names -----------------------------------------------------------------------------------------------------

    def define(self, name: str, values: tuple[Value, ...], pos: Callable[[], int]) -> None:
        """Makes the name known; `pos` gives its place in the text, which only an error needs."""
        if name in self.scope.values:
            block = values[0].block
            assert block is not None
            if self.defined_twice(name, block, pos()):
                return
        else:
            self.defined.append(name)
        self.scope.values[name] = values
        waiting = self.scope.forward.pop(name, None)
        if waiting is None:
            return
        meant = values[0]
        if waiting[0].type is not meant.type:
            message = f"%{name} has type {meant.type}, but is used as {waiting[0].type}"
            notes = [("it is defined here", definition_location(meant, self.raw))]
            self.errors.append(MisusedValue(message, self.raw.location(waiting[1]), notes))
            assert meant.block is not None and meant.block.parent is not None
            place = self.add_stand_in(meant.block.parent.blocks[0], pos(), first=True)
            meant = value_of(place, waiting[0].type)
        waiting[0].replace_all_uses_with(meant)

    def defined_twice(self, name: str, block: Block, pos: int) -> bool:
        """Reports a second definition, unless the first is only assumed. Uses may mean either: they are left alone."""
        earlier = self.scope.values[name]
        if earlier is not _BROKEN:
            first = definition_location(earlier[0], self.raw)
        else:
            source, is_definition = self.scope.sources[name]
            if not is_definition:
                return False
            first = source.location.file_location() if isinstance(source, Op) else None
        notes = [("it is defined here", first)] if first is not None else []
        self.errors.append(self.error(f"%{name} is defined twice", pos, notes))
        self.scope.values[name] = _BROKEN
        self.scope.sources[name] = (self.add_stand_in(block, pos), True)
        return True

    def define_results(self, raw: RawOp, op: Op) -> None:
        start = 0
        for name, count in raw.results:
            group = op.results[start : start + count]
            start += count
            group[0].hint = name
            self.define(name, group, lambda: raw.pos)

    def define_broken(self, name: str, source: Op | Block, *, is_definition: bool = False) -> None:
        """Makes the name known if it is not; `source` gives its value a type at each use."""
        if name in self.scope.values:
            return
        self.scope.values[name] = _BROKEN
        self.scope.sources[name] = (source, is_definition)
        self.defined.append(name)
        waiting = self.scope.forward.pop(name, None)
        if waiting is not None:
            waiting[0].replace_all_uses_with(value_of(source, waiting[0].type))

    def value(self, name: str, number: int, declared: Type | None, raw: RawOp, hole: int, recipe: Recipe) -> Value:
        """The value that `%name#number` means here."""
        found = self.scope.values.get(name)
        if found is None:
            if not self.scope.several_blocks:
                raise self.undefined(name, self.use_pos(raw, hole, recipe))
            return self.forward(name, declared, self.use_pos(raw, hole, recipe))
        if found is _BROKEN:
            if declared is None:
                raise Reported
            return value_of(self.scope.sources[name][0], declared)
        if number >= len(found):
            message = f"%{name} has {counted(len(found), 'result')}, so there is no %{name}#{number}"
            raise self.error(message, self.use_pos(raw, hole, recipe))
        value = found[number]
        if declared is not None and value.type is not declared:
            raise MisusedValue(
                f"{recipe.op_name}: %{name} has type {value.type}, but is used as {declared}",
                self.raw.location(self.use_pos(raw, hole, recipe)),
                [("it is defined here", definition_location(value, self.raw))],
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

    def report_undefined(self, entry: Block) -> None:
        for name, (value, pos) in self.scope.forward.items():
            if len(self.errors) >= MAX_ERRORS:
                self.give_up(pos)
                break
            self.errors.append(self.undefined(name, pos))
            place = self.add_stand_in(entry, pos, first=True)
            value.replace_all_uses_with(value_of(place, value.type))
        self.scope.forward.clear()
        self.undefined_names.clear()

    def undefined(self, name: str, pos: int) -> ParseError:
        """The error for a name that is not known; it is known from now on, so that this is said once."""
        self.undefined_names.append(name)
        notes = definition_elsewhere(name, pos, self.raw)
        hint = None if notes else nearest(f"%{name}", (f"%{n}" for n in self.scope.values))
        return ParseError(f"%{name} is not defined here", self.raw.location(pos), notes, hint)

    def use_pos(self, raw: RawOp, hole: int, recipe: Recipe) -> int:
        """Where the name stands in the text; read again for an op that was built from a template."""
        if raw.key is not None:
            recipe = self.recipes.exact(raw)
        return recipe.uses[hole].pos

    # --- ops -------------------------------------------------------------------------------------------------------

    def append_quickly(self, block: Block, raw: RawOp) -> bool:
        """Builds an op without regions, as most are; False if it must be looked at closely.

        This is `make` and `define_results` with nothing that only errors and rare cases need.
        """
        if raw.key is None or len(raw.results) > 1:
            return False
        try:
            recipe = self.recipes.of(raw)
        except TirError:
            return False
        if not recipe.is_plain:
            return False
        values, names, behind = self.scope.values, raw.names, len(raw.results)
        operands = []
        for hole, number, type in recipe.places:
            found = values.get(names[hole + behind])  # type: ignore[index]
            if not found or number >= len(found):
                return False
            value = found[number]
            if value.type is not type and type is not None:
                return False
            operands.append(value)
        name = names[0] if behind else None  # type: ignore[index]
        if name in values or name in self.scope.forward:
            return False
        types = recipe.result_types
        if types is None:
            types = recipe.inferred.get(tuple([value.type for value in operands]))
        location = raw.location or self.raw.reading.location(raw.pos)
        op = recipe.cls(operands, types or (), recipe.properties, recipe.attributes, (), (), location)
        if types is None:
            types = _infer(op, recipe)
        if types is None or (name is not None and (len(types) != 1 or raw.results[0][1] != 1)):
            op.drop_uses()
            return False
        if name is not None:
            op.results[0].hint = name
            values[name] = op.results
            self.defined.append(name)
        block.append(op)
        return True

    def make(self, raw: RawOp) -> tuple[Recipe, Op]:
        """The op, with empty regions."""
        recipe = self.recipes.of(raw)
        names = _names_behind_results(raw, recipe)
        try:
            operands = [
                self.value(names[hole], number, type, raw, hole, recipe) for hole, number, type in recipe.places
            ]
        except TirError:
            raise self.wrong_operands(raw, recipe, names) from None
        op = self.create(recipe, operands, raw)
        if raw.results and sum(c for _, c in raw.results) != len(op.results):
            op.drop_uses()
            raise self.miscounted(recipe, len(op.results), raw)
        return recipe, op

    def miscounted(self, recipe: Recipe, has: int, raw: RawOp) -> ParseError:
        count = sum(c for _, c in raw.results)
        message = f"{recipe.op_name}: has {counted(has, 'result')}, but the text names {count}"
        hint = None if raw.generic else format_of(recipe.cls, DIRECTIVES).written()
        return ParseError(message, self.raw.location(raw.pos), hint=hint)

    def wrong_operands(self, raw: RawOp, recipe: Recipe, names: Sequence[str]) -> TirError:
        """What is wrong with the operands: one error for each name; and with the number of results.

        The operands may be right but for what their definitions have wrong, so they do not hide the results.
        """
        errors: dict[str, TirError] = {}
        for hole, number, type in recipe.places:
            if names[hole] in errors:
                continue
            try:
                self.value(names[hole], number, type, raw, hole, recipe)
            except Reported:
                pass
            except TirError as error:
                errors[names[hole]] = error
        found = list(errors.values())
        definition = recipe.cls.definition
        if definition.simple_results and raw.results and sum(c for _, c in raw.results) != len(definition.results):
            found.insert(0, self.miscounted(recipe, len(definition.results), raw))
        return TirErrors(found) if found else Reported()

    def create(self, recipe: Recipe, operands: list[Value], raw: RawOp) -> Op:
        parsed = recipe.parsed
        op = object.__new__(recipe.cls)
        if isinstance(op, UnregisteredOp):
            op.op_name = recipe.op_name
        regions = [Region() for _ in parsed.regions]
        successors = [self.block(name, raw) for name in parsed.successors]
        location = raw.location or self.raw.location(raw.pos)
        Op.__init__(op, operands, (), recipe.properties, recipe.attributes, regions, successors, location)
        try:
            op.set_results(recipe.result_types if recipe.result_types is not None else list(op.infer()))
        except Exception as error:
            why = _why_no_types(op, error)
            op.drop_uses()
            if why is None:
                raise
            raise ParseError(why.message, location, why.notes, why.hint) from None
        return op

    def block(self, name: str, raw: RawOp) -> Block:
        found = self.scope.labels.get(name)
        if found is None:
            hint = nearest(f"^{name}", (f"^{n}" for n in self.scope.labels))
            place = self.raw.location(successor_pos(name, raw, self.raw.reading.text))
            raise ParseError(f"block ^{name} is not defined in this region", place, hint=hint)
        return found

    # --- errors ----------------------------------------------------------------------------------------------------

    def error(self, message: str, pos: int, notes: Any = ()) -> ParseError:
        return ParseError(message, self.raw.location(pos), notes)

    def give_up(self, pos: int) -> None:
        """Says once that the rest of the text is left."""
        if not isinstance(self.errors[-1], LimitError):
            message = f"more than {MAX_ERRORS} errors; the rest of the text was not read"
            self.errors.append(LimitError(message, self.raw.location(pos)))

    def report(self, error: TirError, raw: RawOp) -> None:
        if isinstance(error, Reported):
            return
        for one in error.errors if isinstance(error, TirErrors) else (error,):
            one.location = one.location or self.raw.location(raw.pos)
            self.errors.append(one)


def _released(ops: list[RawOp]) -> Iterator[RawOp]:
    """The ops, each taken out of the list: what comes next can use its memory, of which a big text needs half as much."""
    ops.reverse()
    while ops:
        yield ops.pop()


def _infer(op: Op, recipe: Recipe) -> list[Type] | None:
    """Gives the op the results that its text does not state; None if something is wrong."""
    try:
        types = list(op.infer())
    except Exception:  # `create` says what it is
        return None
    recipe.inferred[tuple([use.value.type for use in op._uses])] = types
    op.set_results(types)
    return types


def _why_no_types(op: Op, error: Exception) -> TirError | None:
    """Why the op cannot infer its result types from its operands and attributes; None if that is a bug."""
    if isinstance(error, TirError):
        return error
    try:
        check_inputs(op)
    except TirError as wrong:
        return wrong
    return TirError(str(error)) if isinstance(error, TypeError) else None


def _names_behind_results(raw: RawOp, recipe: Recipe) -> Sequence[str]:
    return raw.names[len(raw.results) :] if raw.names is not None else [u.name for u in recipe.uses]
