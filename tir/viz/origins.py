"""Which ops of a module come from which, across one pass: each op's location carries its number through the pass.

A pass gives what it makes the location of what it stands for: the same one, or one that holds it (a name, a call site,
several fused). So a number put around the location of each op before the pass is found again in the locations behind it,
whatever the pass does, and no pass knows of it. Then the user's locations are put back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tir.ir.errors import FusedLocation, Location, fused_location
from tir.ir.ir import Op

__all__ = ["number_ops", "read_origins"]


@dataclass(frozen=True, slots=True, eq=False)
class _Numbered(Location):
    """The location `child` of op `number`."""

    number: int
    child: Location

    def children(self) -> Sequence[Location]:
        return (self.child,)

    def parts(self) -> Sequence[Location]:
        return self.child.parts()


def number_ops(root: Op) -> list[Op]:
    """Puts its number around the location of each op; the ops, in the order of the text."""
    ops = list(root.walk())
    for i, op in enumerate(ops):
        op.location = _Numbered(i, op.location)
    return ops


def read_origins(root: Op) -> list[list[int]]:
    """For each op, in the order of the text, the numbers that its location holds; all locations are the user's again."""
    reader = _Reader()
    found = []
    for op in root.walk():
        found.append(reader.numbers(op.location))
        op.location = reader.restored(op.location)
        for region in op.regions:
            for block in region.blocks:
                for argument in block.arguments:
                    argument.location = reader.restored(argument.location)
    return found


class _Reader:
    """Reads locations once each: many ops share one. They are compared by identity, for a hash may go deep."""

    def __init__(self) -> None:
        self.known: dict[int, tuple[Location, Location, list[int]]] = {}  # id -> location, restored, numbers

    def numbers(self, location: Location) -> list[int]:
        return self._read(location)[2]

    def restored(self, location: Location) -> Location:
        return self._read(location)[1]

    def _read(self, location: Location) -> tuple[Location, Location, list[int]]:
        """Children first. What is below a number is the user's, and is not looked at."""
        pending = [location]
        while pending:
            one = pending[-1]
            children = () if isinstance(one, _Numbered) else one.children()
            new = [child for child in children if id(child) not in self.known]
            if new and id(one) not in self.known:
                pending += new
                continue
            pending.pop()
            if id(one) not in self.known:
                self.known[id(one)] = (one, *self._parts(one, children))
        return self.known[id(location)]

    def _parts(self, one: Location, children: Sequence[Location]) -> tuple[Location, list[int]]:
        if isinstance(one, _Numbered):
            return one.child, [one.number]
        restored = [self.known[id(child)][1] for child in children]
        numbers = [number for child in children for number in self.known[id(child)][2]]
        if all(new is old for new, old in zip(restored, children)):
            return one, []  # no number below: nothing of this pass
        made = fused_location(*restored) if isinstance(one, FusedLocation) else one.with_children(restored)
        return made, list(dict.fromkeys(numbers))
