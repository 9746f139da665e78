"""A text that an editor shows: its parts, what they mean, and what is wrong with them.

Each part between lines `// -----` is a module of its own. A part is read once, however often it is asked, and survives
an edit in another part. Everything here works on half-typed text: what the parser cannot read, it leaves out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tir.dialects.all import REGISTRY
from tir.ir.errors import FileLocation, Location, TirError
from tir.ir.garbage import collector_relaxed
from tir.ir.ir import Block, Op, Value
from tir.lsp.names import Definition, Names, Occurrence, read_names
from tir.lsp.positions import Lines, Span
from tir.lsp.scan import Token
from tir.lsp.structure import Area, Statement, Structure, read_structure
from tir.parser.parse import read_module
from tir.parser.raw import split_file

__all__ = ["Document", "Part"]

_FILE = "<part>"
_UNREGISTERED = re.compile(r"^[ \t]*//.*--allow-unregistered-dialect", re.MULTILINE)
_BOM = "\ufeff"


class Part:
    """One module of a text. All offsets count from the start of the part."""

    def __init__(self, text: str, folder: Path | None = None, allow_unregistered: bool = False) -> None:
        self.text = text
        self.folder = folder
        self.allow_unregistered = allow_unregistered

    @cached_property
    def structure(self) -> Structure:
        with collector_relaxed():
            return read_structure(self.text, REGISTRY)

    @cached_property
    def names(self) -> Names:
        structure = self.structure
        with collector_relaxed():
            return read_names(structure)

    @property
    def errors(self) -> list[TirError]:
        """All mistakes, in the order of the text, located in this part."""
        return self._reading[1]

    @property
    def module(self) -> Op:
        """The ops that can be read; the location of each is where it stands, whatever `loc(..)` says."""
        return self._reading[0]

    @cached_property
    def _reading(self) -> tuple[Op, list[TirError]]:
        if not self._has_locations:
            return self._read(self.text, verify=True)
        module, errors = self._read(self._without_locations(), verify=True)
        places = {self.offset(error.location) for error in errors}
        more = [error for error in self._read(self.text)[1] if self.offset(error.location) not in (None, *places)]
        return module, sorted([*errors, *more], key=lambda error: self.offset(error.location) or 0)

    @cached_property
    def ops(self) -> dict[int, Op]:
        """The ops by the offset where they begin."""
        found: dict[int, Op] = {}
        # The module comes last: one that the text does not spell stands where the first op may stand.
        for op in (*(one for one in self.module.walk() if one is not self.module), self.module):
            offset = self.offset(op.location)
            if offset is not None:
                found.setdefault(offset, op)
        return found

    def _read(self, text: str, verify: bool = False) -> tuple[Op, list[TirError]]:
        return read_module(
            text, REGISTRY, file=_FILE, allow_unregistered=self.allow_unregistered, verify=verify, folder=self.folder
        )

    @cached_property
    def _has_locations(self) -> bool:
        return re.search(r"\bloc\s*\(", self.text) is not None

    def _without_locations(self) -> str:
        """The text with blanks in the place of each `loc(..)`, and of each alias of one."""
        text = list(self.text)
        for statement in self.structure.statements:
            own = statement.own
            if statement.kind == "alias" and len(own) > 2 and own[2].text == "loc":
                _blank(text, statement.start, statement.end)
            for i, token in enumerate(own):
                if token.text == "loc" and i + 1 < len(own) and own[i + 1].text == "(":
                    _blank(text, token.start, own[_closing(own, i + 1)].end)
        return "".join(text)

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(found.end() for found in re.finditer("\n", self.text))]

    def offset(self, location: Location | None) -> int | None:
        """Where a location is in this part; None for one that is elsewhere."""
        where = location.file_location() if location is not None else None
        if not isinstance(where, FileLocation) or where.file != _FILE or where.line > len(self._line_starts):
            return None
        shift = len(_BOM) if where.line == 1 and self.text.startswith(_BOM) else 0
        return min(self._line_starts[where.line - 1] + where.column - 1 + shift, len(self.text))

    # --- look-ups ----------------------------------------------------------------------------------------------

    def token_at(self, offset: int) -> Token | None:
        """The token that `offset` is in, or directly behind."""
        return next((one for one in self.tokens_before(offset) if offset <= one.end), None)

    def tokens_before(self, offset: int) -> Iterator[Token]:
        """The token that begins at `offset`, then those before it, the nearest first."""
        all_tokens = self.structure.tokens
        low, high = 0, len(all_tokens)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if all_tokens[middle].start <= offset else (low, middle)
        return (all_tokens[i] for i in range(low - 1, -1, -1))

    def statement_at(self, offset: int) -> Statement | None:
        """The innermost statement that `offset` is in or directly behind."""
        found = self.structure.last_before(offset)
        while found is not None and found.end < offset:
            found = found.parent.statement
        return found

    def area_at(self, offset: int) -> Area:
        """The innermost region that `offset` is in."""
        statement = self.structure.last_before(offset)
        while statement is not None:
            for area in statement.areas:
                if area.start < offset < area.end:
                    return area
            statement = statement.parent.statement
        return self.structure.top

    def op_of(self, statement: Statement) -> Op | None:
        """The op that a statement spells, if it could be read."""
        op = self.ops.get(statement.start)
        return op if op is not None and op.name else None  # without a name stands for one that cannot be built

    def value_of(self, occurrence: Occurrence) -> Value | None:
        """The value that a name means, if its op could be read."""
        definition = occurrence.definition
        if definition.kind != "value":
            return None
        if definition.result is None:
            return self._argument(definition)
        op = self.ops.get(definition.statement.start)
        index = definition.result + occurrence.number
        if op is None or index >= len(op.results) or (not op.name and len(op.results) > 1):
            return None  # an op that could not be built has results in the order of their uses
        return op.results[index]

    def _argument(self, definition: Definition) -> Value | None:
        around = definition.area.statement
        op = self.ops.get(around.start) if around is not None else None
        if op is None:
            return None
        hint = definition.name[1:]
        for block in self._blocks(op, definition.area):
            found = next((one for one in block.arguments if one.hint == hint), None)
            if found is not None:
                return found
        return None

    def _blocks(self, op: Op, area: Area) -> list[Block]:
        """The blocks of the region that an area is; of all regions if the text leaves some out."""
        areas = area.statement.areas if area.statement is not None else []
        if len(areas) == len(op.regions) and area in areas:
            return list(op.regions[areas.index(area)].blocks)
        return [block for region in op.regions for block in region.blocks]


def _blank(text: list[str], start: int, end: int) -> None:
    for i in range(start, end):
        if text[i] != "\n":
            text[i] = " "


def _closing(own: list[Token], opening: int) -> int:
    """The index of the bracket that closes the one at `opening`; the last one if there is none."""
    depth = 0
    for i in range(opening, len(own)):
        depth += (own[i].text == "(") - (own[i].text == ")")
        if depth == 0:
            return i
    return len(own) - 1


@dataclass
class Place:
    """A part and where it begins in the text."""

    start: int
    part: Part


class Document:
    """The text of a file in an editor. `encoding` is what positions count in (positions.py)."""

    def __init__(self, text: str, path: Path | None = None, encoding: str = "utf-16", version: int | None = None) -> None:
        self.path = path
        self.encoding = encoding
        self._parts: dict[str, Part] = {}
        self.update(text, version)

    def update(self, text: str, version: int | None = None) -> None:
        """The file has this text now. Parts that did not change are kept."""
        self.text = text
        self.version = version
        self.lines = Lines(text, self.encoding)
        known, self._parts = self._parts, {}
        allow = _UNREGISTERED.search(text) is not None
        folder = self.path.parent if self.path is not None else None
        self.places: list[Place] = []
        line_starts = [0, *(found.end() for found in re.finditer("\n", text))]
        for first_line, part_text in split_file(text):
            part = known.get(part_text)
            if part is None or part.allow_unregistered != allow:
                part = Part(part_text, folder, allow)
            self._parts[part_text] = part
            self.places.append(Place(line_starts[first_line - 1], part))

    def forget(self) -> None:
        """Reads all parts anew when they are asked for."""
        self._parts = {}
        self.update(self.text, self.version)

    def place_at(self, offset: int) -> Place:
        """The part that `offset` is in."""
        return next(place for place in reversed(self.places) if place.start <= offset or place is self.places[0])

    def text_of(self, span: Span) -> str:
        return self.text[span.start : span.end]
