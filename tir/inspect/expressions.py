"""`pp`: a value as one expression, `((x ** 2) + exp(y))`.

Each operator stands in brackets, so that no reader has to know which one binds tighter. What an expression uses several
times is written each time while that is short, else once, behind `where`.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Union

from tir.dialects.tir.state import Grad
from tir.inspect.graph import NameOf, details_text, graphs_of, is_constant, name_of_value, number_text, ops_behind, uses_of
from tir.ir.errors import escape_controls
from tir.ir.ir import BlockArgument, Op, OpResult, Value
from tir.ir.types import element_type

__all__ = ["pp", "pprint"]

MAX_CHARACTERS = 1000  # of an expression in which everything is written each time
SHORT = 8  # what has fewer characters is written each time in any case

_Piece = Union[str, Value]  # noqa: UP007

#: name of an op -> the sign between its two operands
_BETWEEN = {
    "tir.add": "+", "tir.sub": "-", "tir.mul": "*", "tir.div": "/", "tir.floordiv": "//", "tir.mod": "%", "tir.pow": "**",
    "tir.dot": "@", "tir.and": "&", "tir.or": "|", "tir.xor": "^", "tir.shl": "<<", "tir.shr": ">>",
}  # fmt: skip
_COMPARISONS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_IN_FRONT = {"tir.neg": "-", "tir.not": "~"}
#: Ops that leave the numbers as they are, of which one sees nothing.
_UNSEEN = frozenset(("tir.broadcast", "tir.leaf"))


def pp(shown: Any, *, name_of: NameOf | None = None) -> str:
    """The text of what computes a value (or values: then one line each), such as `((x ** 2) + exp(y))`.

    name_of: gives the name that a value which no op makes has in a front end, or None.
    """
    values = [root for graph in graphs_of("pp", shown) for root in graph.roots if isinstance(root, Value)]
    return "\n".join(_Expression(value, name_of).text() for value in values)


class _Expression:
    """One expression, with the names of what is written once."""

    def __init__(self, root: Value, name_of: NameOf | None) -> None:
        self.root, self.name_of = root, name_of
        self.known: dict[Value, list[_Piece]] = {}
        self.names: dict[Value, str] = {}

    def text(self) -> str:
        """The expression, and behind `where` what it uses by a name."""
        self._name_what_is_long()
        queue: list[Value] = [self.root]
        seen: set[Value] = set()
        lines: list[str] = []
        for value in queue:
            head = "" if not lines else f"{'  where ' if len(lines) == 1 else '        '}{self.names[value]} = "
            lines.append(head + self._written(value, queue, seen))
        return "\n".join(map(escape_controls, lines))

    def _name_what_is_long(self) -> None:
        """Finds what has to be written once. The length of all that is written each time can be astronomical."""
        ops = ops_behind([self.root])
        lengths: dict[Value, int] = {}
        for op in ops:
            for result in op.results:
                lengths[result] = self._length(result, lengths)
        if self._length(self.root, lengths) <= MAX_CHARACTERS:
            return
        uses = Counter(piece for op in ops for result in op.results for piece in self._pieces(result))
        lengths.clear()
        for op in ops:
            for result in op.results:
                lengths[result] = self._length(result, lengths)
                if uses[result] > 1 and lengths[result] >= SHORT and result is not self.root:
                    self.names[result] = f"t{len(self.names) + 1}"
                    lengths[result] = len(self.names[result])

    def _length(self, value: Value, lengths: dict[Value, int]) -> int:
        pieces = self._pieces(value)
        return sum(len(piece) if isinstance(piece, str) else lengths.get(piece, SHORT) for piece in pieces)

    def _written(self, root: Value, queue: list[Value], seen: set[Value]) -> str:
        """The text of a value. What has a name is named, and put into the queue when it is first seen."""
        out: list[str] = []
        pending: list[_Piece] = [root]
        while pending:
            piece = pending.pop()
            if isinstance(piece, str):
                out.append(piece)
            elif piece in self.names and piece is not root:
                out.append(self.names[piece])
                queue += [] if piece in seen else [piece]
                seen.add(piece)
            else:
                pending += reversed(self._pieces(piece))
        return "".join(out)

    def _pieces(self, value: Value) -> list[_Piece]:
        """The text of a value, in which other values stand."""
        if value not in self.known:
            self.known[value] = self._new_pieces(value)
        return self.known[value]

    def _new_pieces(self, value: Value) -> list[_Piece]:
        op = value.op
        if op is None:
            return [name_of_value(value, self.name_of) or f"arg{value.index if isinstance(value, BlockArgument) else ''}"]
        if is_constant(op):
            return [number_text(op)]
        if op.name == "tir.read":
            return [name_of_value(value, self.name_of) or details_text(op).removeprefix("@")]
        assert isinstance(value, OpResult)
        if isinstance(op, Grad):
            return ["grad(", op.cost, ", ", op.wrt[value.index], ")"]
        return _pieces_of(op, value)


def _pieces_of(op: Op, value: OpResult) -> list[_Piece]:
    """An op as an operator, or as a function of its operands."""
    used = uses_of(op)
    if op.name in _UNSEEN:
        return [used[0]]
    if op.name in _BETWEEN and len(used) == 2:
        return ["(", used[0], f" {_BETWEEN[op.name]} ", used[1], ")"]
    if op.name == "tir.cmp":
        return ["(", used[0], f" {_COMPARISONS.get(details_text(op), details_text(op))} ", used[1], ")"]
    if op.name == "tir.square":
        return ["(", used[0], " ** 2)"]
    if op.name in _IN_FRONT:
        return [f"({_IN_FRONT[op.name]}", used[0], ")"]
    details = str(element_type(value.type)) if op.name == "tir.cast" else details_text(op)
    number = f".{value.index}" if len(op.results) > 1 else ""
    name = op.name.removeprefix("tir.")
    pieces: list[_Piece] = [f"{name}{{{details}}}{number}(" if details else f"{name}{number}("]
    for i, one in enumerate(used):
        pieces += [", ", one] if i else [one]
    return [*pieces, ")"]


pprint = pp
