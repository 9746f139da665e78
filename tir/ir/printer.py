"""Module -> text. The short form follows each op's declared format, the generic form is MLIR's.

SSA names keep the hint they had, made unique within what is visible; values without one are numbered, as MLIR numbers
them. The same module always gives the same text. Ops that differ in their SSA names only are printed through one cached
template. Nothing recurses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tir.ir.attributes import Attribute, DictAttr, quote
from tir.ir.directives import DIRECTIVES
from tir.ir.errors import (
    CallSiteLocation,
    FileLocation,
    FusedLocation,
    Location,
    NameLocation,
)
from tir.ir.format import format_of
from tir.ir.ir import Block, Op, Region, UnregisteredOp, Value
from tir.ir.traits import IsolatedFromAbove, Terminator
from tir.ir.types import FunctionType

__all__ = ["location_text", "print_op"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$.-]*\Z")


def print_op(op: Op, *, generic: bool = False, locations: bool = False) -> str:
    """The text of an op and all inside it, with a newline at the end. A module prints as MLIR prints one."""
    return _Printer(generic, locations).run(op)


@dataclass
class _Names:
    """The names of values and blocks; those inside an op are forgotten behind it."""

    of_value: dict[Value, str] = field(default_factory=dict)
    of_block: dict[Block, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    counter: int = 0
    argument_counter: int = 0

    def unique(self, hint: str | None, prefix: str = "") -> str:
        if hint is None or not _NAME.match(hint):
            return self._numbered(prefix)
        name, i = hint, 0
        while name in self.taken:
            name, i = f"{hint}_{i}", i + 1
        self.taken.add(name)
        return name

    def _numbered(self, prefix: str) -> str:
        if not prefix:
            self.counter += 1
            return str(self.counter - 1)
        name = f"{prefix}{self.argument_counter}"
        self.argument_counter += 1
        if name in self.taken:
            return self._numbered(prefix)
        self.taken.add(name)
        return name

    def enter(self, op: Op) -> Callable[[], None]:
        """Names all that the op's regions define, before its text is written; the answer takes the names back."""
        before = (self.taken, self.counter, self.argument_counter)
        isolated = isinstance(op, IsolatedFromAbove)
        self.taken = set() if isolated else set(self.taken)
        if isolated:
            self.counter = self.argument_counter = 0
        for region in op.regions:
            for i, block in enumerate(region.blocks):
                self.of_block[block] = f"bb{i}"
                for argument in block.arguments:
                    self.of_value[argument] = self.unique(argument.hint, "arg")
                for inner in block:
                    self.name_results(inner)

        def leave() -> None:
            self.taken, self.counter, self.argument_counter = before

        return leave

    def name_results(self, op: Op) -> None:
        """Names the results of an op: `%x`, or `%x:2` used as `%x#0`."""
        if not op.results:
            return
        results = op.results
        if len(results) > 1 and all(r.hint is not None for r in results):
            for result in results:
                self.of_value[result] = self.unique(result.hint)
            return
        name = self.unique(results[0].hint)
        for i, result in enumerate(results):
            self.of_value[result] = name if len(results) == 1 else f"{name}#{i}"

    def defines(self, op: Op) -> str:
        """The text in front of `=`."""
        names = [self.of_value[r] for r in op.results]
        if len(names) > 1 and "#" in names[0]:
            return f"%{names[0].partition('#')[0]}:{len(names)} = "
        return ", ".join(f"%{n}" for n in names) + " = "


@dataclass
class _Printer:
    """Prints one op tree. `stack` holds what is still to be written, the next on top."""

    generic: bool
    locations: bool
    names: _Names = field(default_factory=_Names)
    out: list[str] = field(default_factory=list)
    depth: int = 0
    stack: list[Any] = field(default_factory=list)
    templates: dict[Any, tuple[str, tuple[int, ...]]] = field(default_factory=dict)

    def run(self, root: Op) -> str:
        self.name_free_operands(root)
        self.names.name_results(root)
        self.stack = [(self.line, root)]
        while self.stack:
            step, *arguments = self.stack.pop()
            step(*arguments)
        return "".join(self.out)

    def name_free_operands(self, root: Op) -> None:
        """Names the values that an op printed alone uses from outside."""
        inside: set[Value] = {r for op in root.walk() for r in op.results}
        inside |= {a for op in root.walk() for region in op.regions for b in region.blocks for a in b.arguments}
        for op in root.walk():
            for value in op.operands:
                if value not in inside and value not in self.names.of_value:
                    self.names.of_value[value] = self.names.unique(value.hint)

    # --- ops -------------------------------------------------------------------------------------------------------

    def line(self, op: Op) -> None:
        """One op on its own line, with its regions behind it."""
        if not op.regions and not op.successors and not self.locations:
            self.out.append("  " * self.depth + self.simple_text(op))
            return
        leave = self.names.enter(op)
        writer = _OpWriter(self)
        writer.text("  " * self.depth + (self.names.defines(op) if op.results else ""))
        self.print_generic(op, writer) if self.is_generic(op) else self.print_short(op, writer)
        writer.text(self.location(op.location))
        writer.text("\n")
        self.stack.append((leave,))
        self.stack.extend(reversed(writer.steps()))

    def location(self, location: Location) -> str:
        """` loc(..)`, if locations are printed."""
        return f" loc({location_text(location)})" if self.locations else ""

    def is_generic(self, op: Op) -> bool:
        return self.generic or isinstance(op, UnregisteredOp)

    def simple_text(self, op: Op) -> str:
        """The line of an op without regions and successors, from the template of its kind."""
        properties, attributes = op.properties, op.attributes
        key = (
            op.__class__, op.name, tuple(properties.items()) if properties else (),
            tuple(attributes.items()) if attributes else (),
            tuple([u.value.type for u in op._uses]), tuple([r.type for r in op.results]),
        )  # fmt: skip
        found = self.templates.get(key)
        if found is None:
            found = self.templates[key] = self.make_template(op)
        text, positions = found
        names = self.names.of_value
        line = text % tuple([names[op._uses[i].value] for i in positions])
        return (self.names.defines(op) if op.results else "") + line

    def make_template(self, op: Op) -> tuple[str, tuple[int, ...]]:
        writer = _TemplateWriter()
        self.print_generic(op, writer) if self.is_generic(op) else self.print_short(op, writer)
        return "".join(writer.parts) + "\n", tuple(writer.positions)

    def print_short(self, op: Op, writer: Any) -> None:
        name = op.name
        writer.text({"func.return": "return", "builtin.module": "module"}.get(name, name))
        format_of(type(op), DIRECTIVES).print(op, writer)

    def print_generic(self, op: Op, writer: Any) -> None:
        writer.text(f"{quote(op.name)}(")
        for i in range(len(op._uses)):
            writer.text(", " if i else "")
            writer.operand(op, i)
        writer.text(")")
        for i, block in enumerate(op.successors):
            writer.text(", " if i else "[")
            writer.successor(block)
        writer.text("]" if op.successors else "")
        if op.properties:
            writer.text(f" <{_dictionary(op.properties)}>")
        for i, region in enumerate(op.regions):
            writer.text(", " if i else " (")
            writer.region(region, label=True)
        writer.text(")" if op.regions else "")
        if op.attributes:
            writer.text(f" {_dictionary(op.attributes)}")
        types = FunctionType(tuple(v.type for v in op.operands), tuple(r.type for r in op.results))
        writer.text(f" : {types}")

    # --- regions ---------------------------------------------------------------------------------------------------

    def region(self, region: Region, arguments: bool, terminator: bool, label: bool) -> None:
        """`{`, the blocks, `}`; what follows is on the stack already."""
        if not region.blocks:
            self.out.append("{\n" + "  " * self.depth + "}")
            return
        self.out.append("{\n")
        self.depth += 1
        steps: list[Any] = []
        for i, block in enumerate(region.blocks):
            if i > 0 or (arguments and block.arguments) or (label and block.first is None):
                steps.append((self.label, block))
            for op in block:
                if terminator or not (op is block.last and isinstance(op, Terminator)):
                    steps.append((self.line, op))
        steps.append((self.close,))
        self.stack.extend(reversed(steps))

    def label(self, block: Block) -> None:
        text = "  " * (self.depth - 1) + f"^{self.names.of_block[block]}"
        if block.arguments:
            names = self.names.of_value
            shown = [f"%{names[a]}: {a.type}{self.location(a.location)}" for a in block.arguments]
            text += f"({', '.join(shown)})"
        self.out.append(f"{text}:\n")

    def close(self) -> None:
        self.depth -= 1
        self.out.append("  " * self.depth + "}")


def _dictionary(entries: Mapping[str, Attribute]) -> str:
    return str(DictAttr.of(dict(entries)))


@dataclass
class _TemplateWriter:
    """Collects the text of an op with `%s` for each operand."""

    parts: list[str] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)

    def text(self, text: str) -> None:
        self.parts.append(text.replace("%", "%%"))

    def operand(self, op: Op, index: int) -> None:
        self.parts.append("%%%s")
        self.positions.append(index)


class _OpWriter:
    """Collects the text of an op that has regions; names are looked up when the text is written."""

    def __init__(self, printer: _Printer) -> None:
        self.printer = printer
        self.parts: list[Any] = []

    def text(self, text: str) -> None:
        self.parts.append(text)

    def operand(self, op: Op, index: int) -> None:
        self.value(op.operand(index))

    def value(self, value: Value) -> None:
        """A value used or, for the arguments of a region, defined by the op's own text."""
        self.parts.append(value)

    def location(self, location: Location) -> None:
        self.parts.append(self.printer.location(location))

    def successor(self, block: Block) -> None:
        self.parts.append(f"^{self.printer.names.of_block[block]}")

    def region(self, region: Region, *, arguments: bool = True, terminator: bool = True, label: bool = False) -> None:
        self.parts.append((self.printer.region, region, arguments, terminator, label))

    def steps(self) -> list[Any]:
        """The parts as steps for the printer's stack."""
        return [part if isinstance(part, tuple) else (self.write, part) for part in self.parts]

    def write(self, part: str | Value) -> None:
        names = self.printer.names.of_value
        self.printer.out.append(part if isinstance(part, str) else f"%{names[part]}")


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
