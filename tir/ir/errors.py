"""Locations and the errors that people see.

A `TirError` is a mistake in the user's program: where, which op, the rule, the facts. A mistake in tir itself is an
`assert`. Rendering (source line, caret, notes, hint) is here too, so that every tool prints the same form.
"""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

__all__ = [
    "AssertError",
    "CallSiteLocation",
    "ExecutionError",
    "FileLocation",
    "FusedLocation",
    "LimitError",
    "Location",
    "MAX_LOCATIONS",
    "NameLocation",
    "ParseError",
    "PassError",
    "Renderer",
    "TirError",
    "TirErrors",
    "TirWarning",
    "UNKNOWN",
    "VerifyError",
    "counted",
    "escape_controls",
    "fused_location",
    "nearest",
    "places_of",
    "places_text",
    "render",
    "warn",
    "warnings_to",
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

    def with_children(self, children: Sequence[Location]) -> Location:
        """The same with other locations inside, as many as `children` gives."""
        return self

    def parts(self) -> Sequence[Location]:
        """The places that it counts as."""
        return (self,)


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

    def with_children(self, children: Sequence[Location]) -> Location:
        return NameLocation(self.name, *children)


@dataclass(frozen=True, slots=True)
class CallSiteLocation(Location):
    """An op inlined from `callee` at `caller`."""

    callee: Location
    caller: Location

    def children(self) -> Sequence[Location]:
        return (self.callee, self.caller)

    def with_children(self, children: Sequence[Location]) -> Location:
        return CallSiteLocation(*children)


@dataclass(frozen=True, slots=True)
class FusedLocation(Location):
    """Several ops became one."""

    locations: tuple[Location, ...]

    def children(self) -> Sequence[Location]:
        return self.locations

    def parts(self) -> Sequence[Location]:
        return self.locations

    def with_children(self, children: Sequence[Location]) -> Location:
        return FusedLocation(tuple(children))


#: That a location remembers of ops which became one.
MAX_LOCATIONS = 8


def fused_location(*locations: Location) -> Location:
    """The location of what several ops became: none twice, none inside another, and not too many."""
    parts: dict[int, Location] = {}  # by identity: the hash of a location of many nested calls would recurse
    for location in locations:
        for part in location.locations if isinstance(location, FusedLocation) else [location]:
            parts[id(part)] = part
    kept: list[Location] = []
    known: set[int] = set()
    for part in parts.values():
        same = {id(one) for one in part.parts()}
        if len(known) < MAX_LOCATIONS or same & known:
            kept.append(part)
            known |= same
    return FusedLocation(tuple(kept)) if len(kept) > 1 else kept[0]


MAX_PLACES = 4  # that a text names


def places_of(location: Location) -> list[str]:
    """The lines of the program that a location holds, each once, in its order: `model.py:7`.

    A name around one stays: `gradient of tir.log (model.py:7)`. Of a call that was inlined it is the line inside it.
    """
    found: list[str] = []
    pending: list[tuple[Location, str]] = [(location, "")]
    seen: set[tuple[int, str]] = set()  # locations share what is inside them
    while pending:
        one, name = pending.pop()
        if (id(one), name) in seen:
            continue
        seen.add((id(one), name))
        if isinstance(one, FileLocation):
            place = f"{one.file}:{one.line}"
            found.append(f"{name} ({place})" if name else place)
        elif isinstance(one, CallSiteLocation):
            pending.append((one.callee if one.callee.file_location() is not None else one.caller, name))
        else:
            inside = one.name if isinstance(one, NameLocation) else name
            pending += [(child, inside) for child in reversed(one.children())]
    return list(dict.fromkeys(found))


def places_text(location: Location, folder: str = "") -> str:
    """The lines of the program that a location holds, a few of them: `model.py:7, 9`; "" for none.

    folder: left out of the names of files that are in it; it ends in a separator.
    """
    found = [place.replace(folder, "") if folder else place for place in places_of(location)]
    shown: list[str] = []
    file = ""
    for place in found[:MAX_PLACES]:
        before, _, line = place.rpartition(":")
        shown.append(line if before == file and line.isdigit() else place)
        file = before
    more = f" and {len(found) - MAX_PLACES} more" if len(found) > MAX_PLACES else ""
    return ", ".join(shown) + more


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


class AssertError(ExecutionError, AssertionError):
    """What the program asserts is false while it runs. Python's programs know it as an AssertionError, Theano's too."""


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


class TirWarning(UserWarning):
    """What is allowed and probably not meant, with its location. Tools print it; elsewhere Python's `warnings` decides."""

    def __init__(self, message: str, location: Location | None = None) -> None:
        where = location.file_location() if location is not None else None
        super().__init__(f"{where}: {message}" if where else message)
        self.message = message
        self.location = location


def warn(message: str, location: Location | None = None) -> None:
    """Issues a TirWarning."""
    warnings.warn(TirWarning(message, location), stacklevel=2)


@contextmanager
def warnings_to(say: Callable[[TirWarning], None]) -> Iterator[None]:
    """Meanwhile `say` gets each TirWarning; other warnings go where they went. Not for several threads at once."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", TirWarning)
        others = warnings.showwarning

        def show(message: Warning | str, *rest: Any, **named: Any) -> None:
            if isinstance(message, TirWarning):
                say(message)
            else:
                others(message, *rest, **named)

        warnings.showwarning = show
        yield


MAX_COMPARED, MAX_COMPARED_LENGTH = 1000, 200


def nearest(name: str, names: Iterable[str]) -> str | None:
    """A hint "did you mean 'x'?" with the most similar of `names`, or None. Too many or too long ones are not compared."""
    others = [one for one in islice(names, MAX_COMPARED + 1) if one != name and len(one) <= MAX_COMPARED_LENGTH]
    if len(others) > MAX_COMPARED or len(name) > MAX_COMPARED_LENGTH:
        return None
    same = [one for one in others if one.lower() == name.lower()]
    found = same or difflib.get_close_matches(name, others, n=1)
    return f"did you mean {found[0]!r}?" if found else None


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 index`, `2 indices`: the number and what is counted. plural: where it is not the noun with an s."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def escape_controls(text: str) -> str:
    """`text` with control characters made visible, so that no input can drive the terminal."""
    return "".join(c if c.isprintable() or c == "\t" else f"\\x{ord(c):02x}" for c in text)


def render(error: TirError, sources: Mapping[str, str] | None = None, *, colour: bool = False) -> str:
    """The text that a tool prints: `file:line:col: error: ...`, the line, a caret, notes.

    sources: file name -> text, for the line under the message. colour: with escape sequences, for a terminal.
    """
    errors = error.errors if isinstance(error, TirErrors) else (error,)
    renderer = Renderer(sources, colour)
    return "\n".join(line for one in errors for line in renderer.error(one))


# kind -> what a terminal prints it in, as clang does; a note's message is not bold.
_BOLD, _CARET, _PLAIN = "\x1b[1m", "\x1b[1;32m", "\x1b[0m"
_COLOURS = {"error": "\x1b[1;31m", "warning": "\x1b[1;35m", "remark": "\x1b[1;34m", "note": "\x1b[1;36m"}


class Renderer:
    """Makes the lines that a tool prints. A text is cut into lines once, however many messages show one of them."""

    def __init__(self, sources: Mapping[str, str] | None = None, colour: bool = False) -> None:
        self.sources = sources or {}
        self.colour = colour
        self._lines: dict[str, list[str]] = {}

    def error(self, error: TirError, tool: str = "") -> list[str]:
        """One error and its notes. tool: its name is put in front of an error without a place."""
        message = f"{error.message}; {error.hint}" if error.hint else error.message
        lines = self.diagnostic("error", message, error.location, tool)
        for note, location in error.notes:
            lines += self.diagnostic("note", note, location)
        return lines

    def diagnostic(self, kind: str, message: str, location: Location | None = None, tool: str = "") -> list[str]:
        """An error, a warning, a remark or a note: its sentence, and the line that it is about."""
        where = location.file_location() if location is not None else None
        if where is None:
            return [self.head(tool, kind, message)]
        return [self.head(str(where), kind, message), *self._source_line(where)]

    def head(self, where: str, kind: str, message: str) -> str:
        """`where: kind: message`. Nothing in `where` and `message` can drive a terminal."""
        where, message = (f"{escape_controls(where)}: " if where else ""), escape_controls(message)
        if not self.colour:
            return f"{where}{kind}: {message}"
        message = message if kind == "note" else f"{_BOLD}{message}{_PLAIN}"
        return f"{_BOLD if where else ''}{where}{_COLOURS[kind]}{kind}: {_PLAIN}{message}"

    def _source_line(self, where: FileLocation) -> list[str]:
        """The line and a caret below it; long lines are cut around the column."""
        if where.file not in self._lines:
            self._lines[where.file] = self.sources.get(where.file, "").split("\n")
        lines = self._lines[where.file]
        if where.file not in self.sources or not 1 <= where.line <= len(lines):
            return []
        start = max(0, where.column - 100)
        shown = lines[where.line - 1][start : start + 160].rstrip("\r").replace("\t", " ")
        caret = " " * len(escape_controls(shown[: max(where.column - 1 - start, 0)]))
        return [f"  {escape_controls(shown)}", f"  {caret}{_CARET}^{_PLAIN}" if self.colour else f"  {caret}^"]
