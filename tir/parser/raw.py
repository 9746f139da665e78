"""Text to `RawOp`s: the front half of the parser. It knows the structure of the text and no op by name.

`read_text` gives the statements of a text and all of its errors; ops on lines of their own are read by lines
(`lines.py`), all other text by the full grammar (`grammar.lark`), with the same result.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from tir.ir.errors import FileLocation, TirError
from tir.ir.garbage import collector_relaxed
from tir.ir.syntax import Item, RawOp
from tir.parser.items import Callbacks
from tir.parser.lalr import Machine, read_tables
from tir.parser.lines import LineReader, NotByLines
from tir.parser.locations import resolve_locations
from tir.parser.reading import Reading
from tir.parser.recovery import Driver, read_part
from tir.parser.tokens import Lexer, Patterns

__all__ = ["GRAMMAR", "SPLIT_MARKER", "STARTS", "TABLES", "RawText", "parser", "read_text", "split_file"]

STARTS = ["module", "op", "label", "lines"]
GRAMMAR = Path(__file__).with_name("grammar.lark")
TABLES = GRAMMAR.with_suffix(".json")
SPLIT_MARKER = "// -----"


@cache
def parser() -> Machine:
    """The LALR parser of the grammar, made once."""
    tables = TABLES.read_text(encoding="utf-8") if TABLES.exists() else "{}"
    return Machine(read_tables(tables, GRAMMAR.read_text(encoding="utf-8"), STARTS), Callbacks())


@cache
def _patterns() -> Patterns:
    return Patterns(parser().terminals.items())


@dataclass
class RawText:
    """A text that was read: its top-level statements, and its errors in the order of the text.

    resources: the bytes of the builtin dialect resources, by key. version: the text version, if stated.
    """

    ops: list[RawOp]
    errors: list[TirError]
    reading: Reading
    version: str | None = None

    @property
    def resources(self) -> dict[str, bytes]:
        return self.reading.resources

    @property
    def side_files(self) -> dict[str, tuple[str, int]]:
        """The paths of side files by key, each with its place in the text."""
        return self.reading.side_files

    def location(self, pos: int) -> FileLocation:
        """Line and column of an offset into the text."""
        return self.reading.location(pos)

    def items_without_places(self, op: RawOp) -> list[Item] | None:
        """The items of an op read by lines, without reading it again: their positions are those of a similar op.

        They must be read before the next call. None where the items must come from the grammar.
        """
        if op.items is not None or op.key is None or op.key.form is None:
            return None
        return op.key.form.fill(op.key.literals)

    def items(self, op: RawOp) -> list[Item]:
        """The items of an op; those of an op read by lines are read by the grammar now."""
        if op.items is not None:
            return op.items
        items: list[Item] = _read_part(self.reading, "op", op.pos, op.end, op.cuts).items
        resolve_locations(self.reading)
        return items


def read_text(text: str, file: str, *, first_line: int = 1, slips: bool = True) -> RawText:
    """Reads a whole text. Raises nothing for what is wrong in it: see `RawText.errors`.

    slips: see `Reading`; they make better errors of a wrong text, and may be wrong about a right one.
    """
    text = text.removeprefix("\ufeff")
    reading = Reading(text, file, first_line, slips)
    errors = reading.forbidden()
    if errors:
        return RawText([], errors, reading)
    with collector_relaxed():
        try:
            return _read_by_lines(reading)
        except NotByLines as stop:
            if stop.args:
                return RawText([], list(stop.args), reading)
            return _read_by_grammar(Reading(text, file, first_line, slips))


def _read_by_lines(reading: Reading) -> RawText:
    """Raises NotByLines if the full grammar must read the text."""
    ops = LineReader(reading, partial(_read_part, reading)).read(parser())
    if resolve_locations(reading):
        raise NotByLines
    return RawText(ops, [], reading)


def _read_by_grammar(reading: Reading) -> RawText:
    driver = Driver(parser(), "module", Lexer(_patterns(), reading, 0, len(reading.text)))
    ops = driver.run()
    errors = sorted([*driver.errors, *resolve_locations(reading)], key=_place)
    return RawText(ops or [], errors, reading)


def _read_part(reading: Reading, start: str, pos: int, end: int, cuts: Sequence[int] = ()) -> Any:
    """What the rule `start` gives for a part of the text; regions between two cuts are not read. Raises its error."""
    lexer = Lexer(_patterns(), reading, pos, end, dict(zip(cuts[::2], cuts[1::2])))
    return read_part(parser(), start, lexer)


def _place(error: TirError) -> tuple[int, int]:
    where = error.location
    assert isinstance(where, FileLocation)
    return where.line, where.column


def split_file(text: str, marker: str = SPLIT_MARKER) -> list[tuple[int, str]]:
    """The parts of a text between lines that are the marker, each with the number of its first line.

    Spaces and more dashes may stand behind the marker.
    """
    split = re.compile(rf"^{re.escape(marker)}[ \t-]*\r?$\n?", re.MULTILINE)
    parts = []
    start, line = 0, 1
    for match in split.finditer(text):
        parts.append((line, text[start : match.start()]))
        line += text.count("\n", start, match.end())
        start = match.end()
    parts.append((line, text[start:]))
    return parts
