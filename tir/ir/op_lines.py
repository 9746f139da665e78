"""Single ops of a module on one line each, as its text has them, while a pass changes it."""

from __future__ import annotations

from tir.ir.ir import Block, Op, Value
from tir.ir.print_templates import Argument, RegionText, Successor, Templates
from tir.ir.printer import value_names

__all__ = ["OpLines"]

MAX_CHARACTERS = 300


class OpLines:
    """The lines of the ops inside `root`. A value keeps the name that it has in the text now; later ones get new numbers."""

    def __init__(self, root: Op) -> None:
        self.names = value_names(root)
        self._templates = Templates(generic=False, locations=False)
        self._blocks: dict[Block, str] = {}
        self._next_number = 1 + max((int(name[1:]) for name in self.names.values() if name[1:].isdigit()), default=-1)

    def line(self, op: Op) -> str:
        """The op: its results, its name, operands, attributes and types. A region is `{..}`; what is too long is cut."""
        for value in (*op.results, *op.operands):
            self.name(value)
        is_structured = bool(op.regions or op.successors)
        text = self._defined(op) + (self._structured(op) if is_structured else self._templates.body(op, self.names))
        return text if len(text) <= MAX_CHARACTERS else f"{text[:MAX_CHARACTERS]} ..."

    def name(self, value: Value) -> str:
        """The name of a value, `%` included."""
        found = self.names.get(value)
        if found is None:
            found = self.names[value] = f"%{self._next_number}"
            self._next_number += 1
        return found

    def rename(self, old: Value, new: Value) -> None:
        """`new` is called as `old` was, in whose place it stands, unless it has a name."""
        self.names.setdefault(new, self.name(old))

    def _defined(self, op: Op) -> str:
        names = [self.names[result] for result in op.results]
        if len(names) > 1 and "#" in names[0]:
            return f"{names[0].partition('#')[0]}:{len(names)} = "
        return f"{', '.join(names)} = " if names else ""

    def _structured(self, op: Op) -> str:
        out = []
        for piece in self._templates.pieces(op):
            if isinstance(piece, str):
                out.append(piece)
            elif isinstance(piece, int):
                out.append(self.names[op.operand(piece)])
            elif isinstance(piece, RegionText):
                out.append("{..}")
            elif isinstance(piece, Argument):
                out.append(self.name(op.regions[piece.region].blocks[0].arguments[piece.place]))
            elif isinstance(piece, Successor):
                out.append(self._blocks.setdefault(op.successors[piece.place], f"^bb{len(self._blocks) + 1}"))
            elif callable(piece):
                out.append(piece(op))
        return "".join(out)

