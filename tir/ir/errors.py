"""Locations and the errors that people see.

A `TirError` is a mistake in the user's program: where, which op, the rule, the facts. A mistake in tir itself is an
`assert`. Rendering (source line, caret, notes, hint) is here too, so that every tool prints the same form.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = [
    "CallSiteLocation",
    "ExecutionError",
    "FileLocation",
    "FusedLocation",
    "LimitError",
    "Location",
    "NameLocation",
    "ParseError",
    "PassError",
    "TirError",
    "TirErrors",
    "UNKNOWN",
    "VerifyError",
    "escape_controls",
    "nearest",
    "render",
]


class Location:
    """Where an op comes from. `file_location()` gives the file and line to show to a person, if there is one."""

    __slots__ = ()

    def file_location(self) -> FileLocation | None:
        """The first file position inside this location, or None."""
        pending: list[Location] = [self]
        while pending:
            location = pending.pop()
            if isinstance(location, FileLocation):
                return location
            pending.extend(reversed(location.children()))
        return None

    def children(self) -> Sequence[Location]:
        """The locations inside this one, the nearest to the user first."""
        return ()


@dataclass(frozen=True, slots=True)
class UnknownLocation(Location):
    """No location: an op made by a program that gave none."""


UNKNOWN = UnknownLocation()


@dataclass(frozen=True, slots=True)
class FileLocation(Location):
    """A position in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class NameLocation(Location):
    """A location with a name, for example the op whose gradient this is."""

    name: str
    child: Location = UNKNOWN

    def children(self) -> Sequence[Location]:
        return (self.child,)


@dataclass(frozen=True, slots=True)
class CallSiteLocation(Location):
    """An op inlined from `callee` at `caller`."""

    callee: Location
    caller: Location

    def children(self) -> Sequence[Location]:
        return (self.callee, self.caller)


@dataclass(frozen=True, slots=True)
class FusedLocation(Location):
    """Several ops became one."""

    locations: tuple[Location, ...]

    def children(self) -> Sequence[Location]:
        return self.locations


class TirError(Exception):
    """A mistake in the user's program, with its location, notes and a hint."""

    def __init__(
        self,
        message: str,
        location: Location | None = None,
        notes: Iterable[tuple[str, Location | None]] = (),
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.location = location
        self.notes = tuple(notes)
        self.hint = hint

    def __str__(self) -> str:
        where = self.location.file_location() if self.location is not None else None
        text = f"{where}: {self.message}" if where else self.message
        return f"{text}; {self.hint}" if self.hint else text


class ParseError(TirError):
    """The text is not tir."""


class VerifyError(TirError):
    """The module breaks a rule of the IR."""


class PassError(TirError):
    """A pass met a program that it cannot take."""


class ExecutionError(TirError):
    """The program went wrong while it ran: an assert, an index out of bounds."""


class LimitError(TirError):
    """The input is larger than a stated limit."""


class TirErrors(TirError):
    """Several errors at once; `errors` has them in the order of the text."""

    def __init__(self, errors: Sequence[TirError]) -> None:
        assert errors
        super().__init__(errors[0].message, errors[0].location, errors[0].notes, errors[0].hint)
        self.errors = tuple(errors)

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)


def nearest(name: str, names: Iterable[str]) -> str | None:
    """A hint "did you mean 'x'?" with the most similar of `names`, or None."""
    found = difflib.get_close_matches(name, [one for one in names if one != name], n=1)
    return f"did you mean {found[0]!r}?" if found else None


def escape_controls(text: str) -> str:
    """`text` with control characters made visible, so that no input can drive the terminal."""
    return "".join(c if c.isprintable() or c == "\t" else f"\\x{ord(c):02x}" for c in text)


def render(error: TirError, sources: dict[str, str] | None = None) -> str:
    """The text that a tool prints: `file:line:col: error: ...`, the line, a caret, notes.

    sources: file name -> text, for the line under the message.
    """
    errors = error.errors if isinstance(error, TirErrors) else (error,)
    return "\n".join(line for one in errors for line in _render_one(one, sources or {}))


def _render_one(error: TirError, sources: dict[str, str]) -> list[str]:
    message = f"{error.message}; {error.hint}" if error.hint else error.message
    lines = _render_part("error", message, error.location, sources)
    for note, location in error.notes:
        lines += _render_part("note", note, location, sources)
    return lines


def _render_part(kind: str, message: str, location: Location | None, sources: dict[str, str]) -> list[str]:
    where = location.file_location() if location is not None else None
    if where is None:
        return [f"{kind}: {escape_controls(message)}"]
    head = f"{escape_controls(str(where))}: {kind}: {escape_controls(message)}"
    return [head, *_source_line(where, sources.get(where.file))]


def _source_line(where: FileLocation, source: str | None) -> list[str]:
    """The line and a caret below it; long lines are cut around the column."""
    lines = source.split("\n", where.line)[: where.line] if source is not None else []
    if len(lines) < where.line:
        return []
    line = lines[where.line - 1].replace("\t", " ")
    start = max(0, where.column - 100)
    shown = escape_controls(line[start : start + 160])
    caret = len(escape_controls(line[start : where.column - 1]))
    return [f"  {shown}", f"  {' ' * caret}^"]
