"""What the text of an op says, up to its SSA names: read once for all ops with equal text.

A text is read by the declared format of its op, or as generic form. If it differs from an earlier one in literals only,
just the attributes with these literals are read (`Recipes.derived`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tir.ir.attributes import Attribute, DenseArrayAttr
from tir.ir.directives import DIRECTIVES
from tir.ir.errors import ParseError, TirError
from tir.ir.fields import OPERAND_SEGMENTS, RESULT_SEGMENTS
from tir.ir.format import format_of
from tir.ir.format_pieces import Parsed, Part, RegionSource
from tir.ir.ir import Op, UnregisteredOp
from tir.ir.reader import Reader
from tir.ir.registry import Registry
from tir.ir.syntax import Braces, Item, RawOp, Use
from tir.ir.types import I32, Type
from tir.parser.raw import RawText
from tir.parser.shapes import Form, Slot

__all__ = ["Recipe", "Recipes", "counted"]

_SHORT_NAMES = {"return": "func.return", "call": "func.call", "module": "builtin.module"}


@dataclass(slots=True)
class Recipe:
    """What the text of an op says, up to its SSA names.

    places: for each operand its place among the names behind the results, its `#number`, and the type that the text
    states, if any. result_types: None if they are inferred; then `inferred` has them by the types of the operands.
    is_plain: the op has no regions and no successors.
    """

    cls: type[Op]
    op_name: str
    parsed: Parsed
    properties: dict[str, Attribute]
    attributes: dict[str, Attribute]
    places: list[tuple[int, int, Type | None]]
    result_types: list[Type] | None
    uses: list[Use]
    is_plain: bool
    inferred: dict[tuple[Type, ...], list[Type]] = field(default_factory=dict)


@dataclass(slots=True)
class _Base:
    """The first recipe of a form, from which those of texts with other literals are derived.

    parts: for each literal the part of the recipe that it belongs to, or None: it must be as in the base.
    """

    recipe: Recipe
    parts: list[Part | None]
    literals: list[str]


class Recipes:
    """The recipes of one text."""

    def __init__(self, raw: RawText, registry: Registry, allow_unregistered: bool) -> None:
        self.raw = raw
        self.registry = registry
        self.allow_unregistered = allow_unregistered
        self.bases: dict[Form, _Base] = {}
        self.hints: dict[str, str | None] = {}  # by unknown name: an op with a mistake is read several times
        self.changes = Parsed()  # made once: it has many parts, of which `derived` needs two

    def of(self, raw: RawOp) -> Recipe:
        """The recipe of an op. ParseError if its text is not of the op's form."""
        if raw.key is None:
            return self.exact(raw)
        if raw.key.recipe is None:
            raw.key.recipe = self.of_new_key(raw)
        return raw.key.recipe

    def exact(self, raw: RawOp) -> Recipe:
        """The recipe with the places of this very text."""
        return self.read(raw, self.raw.items(raw))

    def of_new_key(self, raw: RawOp) -> Recipe:
        items = self.raw.items_without_places(raw)
        if items is None:
            return self.exact(raw)
        try:
            base = self.bases.get(raw.key.form)
            if base is not None and (found := self.derived(base, raw)) is not None:
                return found
            recipe = self.read(raw, items)
        except TirError:
            return self.exact(raw)  # raises it again, at the right place
        if base is None:
            parts = [_part_with(slot, recipe.parsed.parts) for slot in raw.key.form.slots]
            self.bases[raw.key.form] = _Base(recipe, parts, [literal.text for literal in raw.key.literals])
        return recipe

    def derived(self, base: _Base, raw: RawOp) -> Recipe | None:
        """The recipe of a text that differs from that of `base` in literals; None if it must be read as a whole.

        Only the parts with these literals are read: what kind of items stand elsewhere is the same, and no format looks
        at more than that.
        """
        changed: list[Part] = []
        for part, text, literal in zip(base.parts, base.literals, raw.key.literals):
            if text != literal.text:
                if part is None:
                    return None
                if all(part is not one for one in changed):
                    changed.append(part)
        parsed = self.changes
        parsed.properties, parsed.attributes = {}, {}
        for part in changed:
            part.read(Reader(part.items, self.raw.location, raw.end, at=part.start), parsed)
        recipe = base.recipe
        if recipe.cls is not UnregisteredOp:
            _move_inherent(recipe.cls, parsed)
        return Recipe(
            recipe.cls, recipe.op_name, recipe.parsed, {**recipe.properties, **parsed.properties},
            {**recipe.attributes, **parsed.attributes}, recipe.places, recipe.result_types, recipe.uses, recipe.is_plain,
        )  # fmt: skip

    def read(self, raw: RawOp, items: Sequence[Item]) -> Recipe:
        """Reads the items of the op by its declared format, or as generic form."""
        name = raw.name if raw.generic else _SHORT_NAMES.get(raw.name, raw.name)
        cls = self.registry.op_class(name)
        if cls is None and not (raw.generic and self.allow_unregistered):
            raise self.unknown(name, raw)
        reader = Reader(items, self.raw.location, raw.end)
        if raw.generic:
            return _recipe(name, cls or UnregisteredOp, _read_generic(reader), reader)
        assert cls is not None
        return _recipe(name, cls, format_of(cls, DIRECTIVES).parse(reader), reader)

    def unknown(self, name: str, raw: RawOp) -> ParseError:
        dialect = name.partition(".")[0]
        known = "." not in name or self.registry.has_dialect(dialect)
        what = f"unknown op '{name}'" if known else f"unknown op '{name}': there is no dialect '{dialect}'"
        if name not in self.hints:
            self.hints[name] = self.registry.hint(name)
        return ParseError(what, self.raw.location(raw.pos), hint=self.hints[name])


def counted(number: int, noun: str) -> str:
    """`1 result`, `2 results`."""
    return f"{number} {noun}{'s' if number != 1 else ''}"


def _part_with(slot: Slot | None, parts: Sequence[Part]) -> Part | None:
    """The part that the item in the slot belongs to."""
    for items, at in slot if slot is not None else ():
        for part in parts:
            if part.items is items and part.start <= at < part.stop:
                return part
    return None


def _recipe(name: str, cls: type[Op], parsed: Parsed, reader: Reader) -> Recipe:
    known = cls is not UnregisteredOp
    if known:
        _move_inherent(cls, parsed)
        parsed.properties = {**cls.definition.defaults, **parsed.properties}
        _pad_regions(cls, parsed)
    holes = _in_order(cls, parsed.operands)
    operand_types = _operand_types_in_order(cls, parsed)
    result_types = _types_in_order(cls.definition.results if known else [], parsed.result_types)
    if len(operand_types) != len(holes):
        counts = f"{counted(len(holes), 'operand')}, but {counted(len(operand_types), 'type')}"
        raise reader.error(f"{name}: {counts}", reader.end)
    if known:
        _add_segments(cls, parsed)
    places = [(hole, reader.uses[hole].number, type) for hole, type in zip(holes, operand_types)]
    is_plain = known and not parsed.regions and not parsed.successors
    return Recipe(
        cls, name, parsed, parsed.properties, parsed.attributes, places, result_types, reader.uses, is_plain
    )  # fmt: skip


# --- the generic form --------------------------------------------------------------------------------------------------


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
        parsed.read_part(inner, _read_properties)
        inner.finish("'>'")
    if reader.is_brackets("("):
        _read_generic_regions(reader.brackets("("), parsed)
    if isinstance(reader.peek(), Braces):
        parsed.read_part(reader, _read_attributes)
    reader.punct(":")
    type = reader.function_type()
    parsed.operand_types[""], parsed.result_types[""] = list(type.inputs), list(type.results)
    reader.finish()
    return parsed


def _read_properties(reader: Reader, parsed: Parsed) -> None:
    parsed.properties.update(reader.dictionary())


def _read_attributes(reader: Reader, parsed: Parsed) -> None:
    parsed.attributes.update(reader.dictionary())


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


# --- from the words of a format to the order of the declaration --------------------------------------------------------


def _in_order(cls: type[Op], by_name: dict[str, list[int]]) -> list[int]:
    """The operands in the order of the declaration."""
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


def _move_inherent(cls: type[Op], parsed: Parsed) -> None:
    """Inherent attributes that stand in the dictionary become properties."""
    if parsed.attributes:
        inherent = cls.definition.property_names
        for name in [n for n in parsed.attributes if n in inherent]:
            parsed.properties[name] = parsed.attributes.pop(name)


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
