"""Module -> text. The short form follows each op's declared format, the generic form is MLIR's.

SSA names keep the hint they had, made unique within what is visible; values without one are numbered, as MLIR numbers
them. The same module always gives the same text. Ops that differ in their SSA names only are printed through one cached
template. Nothing recurses.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from tir.ir.attributes import quote
from tir.ir.errors import (
    CallSiteLocation,
    FileLocation,
    FusedLocation,
    Location,
    NameLocation,
)
from tir.ir.garbage import collector_relaxed
from tir.ir.ir import Block, Op, Region, Value
from tir.ir.print_templates import Argument, ArgumentLocation, Piece, RegionText, Successor, Templates
from tir.ir.traits import IsolatedFromAbove, Terminator

__all__ = ["location_text", "print_op", "value_names"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$.-]*\Z")


def print_op(op: Op, *, generic: bool = False, locations: bool = False, lines: dict[Op, int] | None = None) -> str:
    """The text of an op and all inside it, with a newline at the end. A module prints as MLIR prints one.

    lines: receives the line on which each op begins, from 0; an op that the text leaves out is missing.
    """
    printer = _Printer(generic, locations, starts=None if lines is None else {})
    with collector_relaxed():
        text = printer.run(op)
    if lines is not None:
        lines.update(printer.lines())
    return text


def value_names(root: Op) -> dict[Value, str]:
    """The name of each value in the text of `root`, `%` included; in different regions one name may come twice."""
    names = _Names()
    tables: list[dict[Value, str]] = [names.of_value]
    if root.results:
        names.name_results(root)
    pending: list[Op | _Mark] = [root]
    while pending:
        one = pending.pop()
        if isinstance(one, tuple):
            names.leave(one)
            continue
        pending.append(names.enter(one))
        tables += [names.of_value] if names.of_value is not tables[-1] else []
        inside = [op for region in one.regions for block in region.blocks for op in block if op.regions]
        pending += reversed(inside)
    return {value: name for table in tables for value, name in table.items()}


class _ValueNames(dict[Value, str]):
    """The names of values, `%` included. What is missing here is named further out."""

    def __init__(self, outer: _ValueNames | None, name: Callable[[Value], str]) -> None:
        self.outer, self.name = outer, name

    def __missing__(self, value: Value) -> str:
        if self.outer is not None:
            return self.outer[value]
        self[value] = name = self.name(value)  # only in a module that breaks the rules: it is printed, too
        return name


@dataclass(slots=True)
class _Scope:
    """The names inside one isolated op.

    next_suffix: for a name that is taken the first `_i` that may be free. given, advanced: what was added to `taken` and
    changed in `next_suffix`, in order, to be undone behind the regions that did it.
    """

    of_value: _ValueNames  # small tables are faster than one for the whole module
    taken: set[str] = field(default_factory=set)
    next_suffix: dict[str, int] = field(default_factory=dict)
    given: list[str] = field(default_factory=list)
    advanced: list[tuple[str, int]] = field(default_factory=list)
    counter: int = 0
    argument_counter: int = 0

    def mark(self) -> _Mark:
        return self, len(self.given), len(self.advanced), self.counter, self.argument_counter

    def go_back(self, mark: _Mark) -> None:
        """Gives back the names given since the mark."""
        _, given, advanced, self.counter, self.argument_counter = mark
        self.taken.difference_update(self.given[given:])
        del self.given[given:]
        for hint, before in reversed(self.advanced[advanced:]):
            self.next_suffix[hint] = before
        del self.advanced[advanced:]


_Mark = tuple[_Scope, int, int, int, int]


class _Names:
    """The names of values and blocks, `%` and `^` included; those inside an op are given back behind it."""

    def __init__(self) -> None:
        self.of_block: dict[Block, str] = {}
        self.scope = _Scope(_ValueNames(None, lambda value: self.unique(value.hint)))

    @property
    def of_value(self) -> _ValueNames:
        return self.scope.of_value

    def unique(self, hint: str | None, prefix: str = "") -> str:
        scope = self.scope
        if hint is None or not _NAME.match(hint):
            return self._numbered(prefix)
        name = hint
        if name in scope.taken:
            i = before = scope.next_suffix.get(hint, 0)
            while (name := f"{hint}_{i}") in scope.taken:
                i += 1
            scope.advanced.append((hint, before))
            scope.next_suffix[hint] = i + 1
        scope.taken.add(name)
        scope.given.append(name)
        return "%" + name

    def _numbered(self, prefix: str) -> str:
        scope = self.scope
        if not prefix:
            scope.counter += 1
            return f"%{scope.counter - 1}"
        while True:
            name = f"{prefix}{scope.argument_counter}"
            scope.argument_counter += 1
            if name not in scope.taken:
                scope.taken.add(name)
                scope.given.append(name)
                return "%" + name

    def enter(self, op: Op) -> _Mark:
        """Names all that the op's regions define, before its text is written; gives what `leave` needs."""
        mark = self.scope.mark()
        if isinstance(op, IsolatedFromAbove):
            self.scope = _Scope(_ValueNames(self.of_value, self.of_value.name))
        for region in op.regions:
            for i, block in enumerate(region.blocks):
                self.of_block[block] = f"^bb{i}"
                for argument in block.arguments:
                    self.of_value[argument] = self.unique(argument.hint, "arg")
                self.name_ops(block)
        return mark

    def name_ops(self, block: Block) -> None:
        """Names the results of all ops of a block."""
        scope, of_value, op = self.scope, self.scope.of_value, block.first
        while op is not None:
            results = op.results
            if len(results) == 1:
                hint = results[0].hint
                # A hot path: the usual case of `unique`, in place. `isidentifier` is faster than the pattern.
                if hint is not None and hint not in scope.taken and hint.isidentifier() and hint.isascii():
                    scope.taken.add(hint)
                    scope.given.append(hint)
                    of_value[results[0]] = "%" + hint
                else:
                    of_value[results[0]] = self.unique(hint)
            elif results:
                self.name_results(op)
            op = op.next

    def leave(self, mark: _Mark) -> None:
        self.scope = mark[0]
        self.scope.go_back(mark)

    def name_results(self, op: Op) -> None:
        """Names the results of an op: `%x`, or `%x:2` used as `%x#0`."""
        results, of_value = op.results, self.scope.of_value
        if len(results) == 1:
            of_value[results[0]] = self.unique(results[0].hint)
        elif all([r.hint is not None for r in results]):
            for result in results:
                of_value[result] = self.unique(result.hint)
        else:
            name = self.unique(results[0].hint)
            for i, result in enumerate(results):
                of_value[result] = f"{name}#{i}"

    def defines(self, op: Op) -> str:
        """The text in front of the op's name: its results and `=`."""
        names = [self.of_value[r] for r in op.results]
        if not names:
            return ""
        if len(names) > 1 and "#" in names[0]:
            return f"{names[0].partition('#')[0]}:{len(names)} = "
        return ", ".join(names) + " = "


@dataclass
class _Printer:
    """Prints one op tree. `stack` holds what is still to be written, the next on top."""

    generic: bool
    locations: bool
    names: _Names = field(default_factory=_Names)
    out: list[str] = field(default_factory=list)
    depth: int = 0
    stack: list[Any] = field(default_factory=list)
    starts: dict[Op, int] | None = None  # where in `out` each op begins, if that is asked for

    def __post_init__(self) -> None:
        self.templates = Templates(self.generic, self.locations)

    def run(self, root: Op) -> str:
        self.name_free_operands(root)
        if root.results:
            self.names.name_results(root)
        self.stack = [(self.ops, root, root.next)]
        while self.stack:
            step, *arguments = self.stack.pop()
            step(*arguments)
        return "".join(self.out)

    def name_free_operands(self, root: Op) -> None:
        """Names the values that an op printed alone uses from outside."""
        if isinstance(root, IsolatedFromAbove):
            return
        inside: set[Value] = {r for op in root.walk() for r in op.results}
        inside |= {a for op in root.walk() for region in op.regions for b in region.blocks for a in b.arguments}
        for op in root.walk():
            for use in op._uses:
                if use.value not in inside and use.value not in self.names.of_value:
                    self.names.of_value[use.value] = self.names.unique(use.value.hint)

    # --- ops -------------------------------------------------------------------------------------------------------

    def ops(self, op: Op | None, end: Op | None) -> None:
        """The ops from `op` up to `end`, each on its own line. Behind one with regions, the rest waits on the stack."""
        out, indent, of_value = self.out, "  " * self.depth, self.names.of_value
        body_of, starts = self.templates.body, self.starts
        while op is not end:
            assert op is not None
            if starts is not None:
                starts[op] = len(out)
            if op.regions or op.successors:
                self.stack.append((self.ops, op.next, end))
                self.structured(op)
                return
            results = op.results
            if len(results) == 1:
                line = f"{indent}{of_value[results[0]]} = {body_of(op, of_value)}"
            else:
                line = f"{indent}{self.names.defines(op)}{body_of(op, of_value)}"
            out.append(f"{line}{self.location(op.location)}\n" if self.locations else line + "\n")
            op = op.next

    def structured(self, op: Op) -> None:
        """An op with regions or successors."""
        mark = self.names.enter(op)
        self.out.append("  " * self.depth + self.names.defines(op))
        self.stack.append((self.pieces, op, self.templates.pieces(op), 0, mark))

    def pieces(self, op: Op, pieces: list[Piece], start: int, mark: _Mark) -> None:
        """The text of an op from piece number `start` on, behind a region if it is not 0. At one, the rest waits."""
        out, of_value = self.out, self.names.of_value
        if start > 0:
            self.depth -= 1
            out.append("  " * self.depth + "}")
        for i in range(start, len(pieces)):
            piece = pieces[i]
            if isinstance(piece, str):
                out.append(piece)
            elif isinstance(piece, int):
                out.append(of_value[op._uses[piece].value])
            elif isinstance(piece, RegionText):
                region = op.regions[piece.place]
                if region.blocks:
                    self.stack.append((self.pieces, op, pieces, i + 1, mark))
                    self.region(region, piece)
                    return
                out.append("{\n" + "  " * self.depth + "}")
            elif isinstance(piece, Argument):
                out.append(of_value[op.regions[piece.region].blocks[0].arguments[piece.place]])
            elif isinstance(piece, Successor):
                out.append(self.names.of_block[op.successors[piece.place]])
            elif isinstance(piece, ArgumentLocation):
                out.append(self.location(op.regions[piece.region].blocks[0].arguments[piece.place].location))
            else:
                out.append(piece(op))
        out.append(f"{self.location(op.location)}\n")
        self.names.leave(mark)

    def location(self, location: Location) -> str:
        """` loc(..)`, if locations are printed."""
        return f" loc({location_text(location)})" if self.locations else ""

    def lines(self) -> dict[Op, int]:
        """The line of each op in `starts`."""
        newlines = [0, *accumulate(piece.count("\n") for piece in self.out)]
        return {op: newlines[start] for op, start in (self.starts or {}).items()}

    # --- regions ---------------------------------------------------------------------------------------------------

    def region(self, region: Region, shown: RegionText) -> None:
        """`{` and the blocks; what follows is on the stack already."""
        self.out.append("{\n")
        self.depth += 1
        for i in reversed(range(len(region.blocks))):
            block = region.blocks[i]
            end = None if shown.terminator or not isinstance(block.last, Terminator) else block.last
            self.stack.append((self.ops, block.first, end))
            if i > 0 or (shown.arguments and block.arguments) or (shown.label and block.first is None):
                self.stack.append((self.label, block))

    def label(self, block: Block) -> None:
        text = "  " * (self.depth - 1) + self.names.of_block[block]
        if block.arguments:
            names = self.names.of_value
            shown = [f"{names[a]}: {a.type}{self.location(a.location)}" for a in block.arguments]
            text += f"({', '.join(shown)})"
        self.out.append(f"{text}:\n")


# --- locations -----------------------------------------------------------------------------------------------------


def location_text(location: Location) -> str:
    """A location as `loc(...)` writes it inside."""
    out: list[str] = []
    pending: list[Location | str] = [location]
    while pending:
        part = pending.pop()
        if isinstance(part, str):
            out.append(part)
        else:
            pending.extend(reversed(_location_pieces(part)))
    return "".join(out)


def _location_pieces(location: Location) -> list[Location | str]:
    if isinstance(location, FileLocation):
        return [f"{quote(location.file)}:{location.line}:{location.column}"]
    if isinstance(location, NameLocation):
        return [f"{quote(location.name)}(", location.child, ")"]
    if isinstance(location, CallSiteLocation):
        return ["callsite(", location.callee, " at ", location.caller, ")"]
    if isinstance(location, FusedLocation):
        pieces: list[Location | str] = ["fused["]
        for i, part in enumerate(location.locations):
            pieces += [", ", part] if i else [part]
        return [*pieces, "]"]
    return ["unknown"]
