"""What stands for an op that could not be built, so that one mistake is one error and hides no other.

In its place goes an op without a name. Its results get their types from their uses, which state them; its regions are
built like any other; the symbols that it would define are known. The verifier (`Gaps`) leaves out the rules that might
find nothing but what is missing. Only texts with mistakes come here.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from tir.ir.errors import FileLocation, Location, ParseError
from tir.ir.format_pieces import RegionSource
from tir.ir.ir import Block, BlockArgument, Op, OpResult, Region, UnregisteredOp, Value
from tir.ir.symbols import symbol_name
from tir.ir.syntax import Braces, Brackets, Item, RawBlock, RawOp
from tir.ir.traits import Symbol
from tir.ir.types import Type
from tir.parser.raw import RawText

__all__ = [
    "MisusedValue",
    "definition_elsewhere",
    "definition_location",
    "label_names",
    "mentioned_symbols",
    "mentioned_values",
    "region_sources",
    "stand_in",
    "successor_pos",
    "symbols_inside",
    "value_of",
]

_ARGUMENT = re.compile(r"[(,]\s*([A-Za-z_]\w*)\s*:", re.ASCII)  # `(x: f32`, where the `%` is missing
_VALUE = re.compile(r"%([\w$.-]+)", re.ASCII)
_SYMBOL = re.compile(r"@([\w$.]+)")
_FUNCTION = re.compile(r"^[^\n]*@[\w$.]+ *\([^\n]*\{[ \t]*$", re.ASCII | re.MULTILINE)  # the head of another one
_LABEL = re.compile(r"\^[\w$.-]+[ \t]*\(([^\n]*)", re.ASCII)


class MisusedValue(ParseError):
    """A value is used as if it had another type: no mistake of its own if the definition, which a note names, is wrong."""

    def follows_from(self, places: Collection[FileLocation | None]) -> bool:
        """The definition is at one of `places`."""
        return any(where is not None and where.file_location() in places for _, where in self.notes)


def stand_in(location: Location, regions: int) -> UnregisteredOp:
    """An op without a name and, so far, without results."""
    op = UnregisteredOp(regions=[Region() for _ in range(regions)], location=location)
    op.op_name = ""
    return op


def value_of(source: Op | Block, type: Type) -> Value:
    """A new value of this type: a result of a stand-in, or an argument of a block in one."""
    if isinstance(source, Block):
        return source.add_argument(type)
    made = OpResult(type, source, len(source.results))
    source.results += (made,)
    return made


def region_sources(raw: RawOp) -> list[RegionSource]:
    """The regions of an op, whatever else is wrong with it."""
    if raw.regions:
        return [RegionSource(Braces([], blocks, raw.pos, raw.end)) for blocks in raw.regions]
    return [RegionSource(braces) for braces in _regions(raw)]


def _regions(raw: RawOp) -> list[Braces]:
    found: list[Braces] = []
    pending: list[Item] = list(raw.items or ())
    for item in pending:  # grows while it is read
        if isinstance(item, Brackets):
            pending.extend(item.items)
        elif isinstance(item, Braces) and item.blocks and not item.items:
            found.append(item)
    return found


def _head(raw: RawOp, text: str) -> str:
    """The op's own text in front of its first region."""
    end = raw.cuts[0] if raw.cuts else min([raw.end, *(braces.pos for braces in _regions(raw))])
    return text[raw.pos : end]


def mentioned_values(raw: RawOp, text: str) -> list[str]:
    """The values that the op's own text names: among them may be the arguments of its region."""
    head = _head(raw, text)
    return _VALUE.findall(head) + _ARGUMENT.findall(head)


def mentioned_symbols(raw: RawOp, text: str) -> list[str]:
    """The symbol that the op may define: the first that its own text names."""
    return _SYMBOL.findall(_head(raw, text))[:1]


def symbols_inside(op: Op) -> list[str]:
    """The symbols that ops in the regions of a stand-in define."""
    inner = [one for region in op.regions for block in region.blocks for one in block]
    return [symbol_name(one) for one in inner if isinstance(one, Symbol) and "sym_name" in one.properties]


def label_names(block: RawBlock, text: str) -> list[str]:
    """The names in the argument list of a label if it could not be read."""
    found = None if block.label is None or block.arguments else _LABEL.match(text, block.pos)
    return _VALUE.findall(found[1]) if found is not None else []


def successor_pos(name: str, raw: RawOp, text: str) -> int:
    """Where the op names the block."""
    found = re.compile(rf"\^{re.escape(name)}(?![\w$.-])").search(text, raw.pos, raw.end)
    return found.start() if found is not None else raw.pos


NEAR = 1 << 16  # characters before and behind the use of a name that are searched for its definition


def definition_elsewhere(name: str, pos: int, raw: RawText) -> list[tuple[str, Location | None]]:
    """A note that says where else in the same function the name is defined, if it is."""
    text = raw.reading.text
    low, high = max(0, pos - NEAR), min(len(text), pos + NEAR)
    begin, end = text.rfind("\n}", low, pos), text.find("\n}", pos, high)
    pattern = re.compile(
        rf"^[ \t]*(?:%[\w$.:-]+, *)*(%{re.escape(name)})(?::\d+)?(?:, *%[\w$.:-]+)* *=", re.ASCII | re.MULTILINE
    )
    below = pattern.search(text, pos, end if end >= 0 else high)
    if below is not None and not _FUNCTION.search(text, pos, below.start()):
        return [("it is defined here, behind its use", raw.location(below.start(1)))]
    above = pattern.search(text, begin + 1 if begin >= 0 else low, pos)
    if above is not None and "\n" not in text[above.end() : pos]:
        return [("it is a result of this op", raw.location(above.start(1)))]
    if above is not None and not _FUNCTION.search(text, above.end(), pos):
        return [("it is defined here, in a region that has ended", raw.location(above.start(1)))]
    bound = re.compile(rf"[(,]\s*(%{re.escape(name)})\s*=\s*%", re.ASCII).search(text, begin + 1 if begin >= 0 else low, pos)
    if bound is not None:
        told = f"it is an argument of another region; this one names its own, in a label such as ^bb0(%{name}: type):"
        return [(told, raw.location(bound.start(1)))]
    return []


def definition_location(value: Value, raw: RawText) -> FileLocation | None:
    """Where the text defines the value. An argument without a location of its own stands in the text of its op."""
    if value.op is not None:
        return value.op.location.file_location()
    assert isinstance(value, BlockArgument)
    where, op = value.location.file_location(), value.owner.parent_op
    if where is None or value.hint is None or op is None or op.location != value.location:
        return where
    pos = raw.reading.offset(where)
    found = re.compile(rf"%{re.escape(value.hint)}(?![\w$.-])").search(raw.reading.text, pos) if pos is not None else None
    return raw.location(found.start()) if found is not None else where
