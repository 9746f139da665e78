"""The symbols of a module by name."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TypeVar

from tir.ir.attributes import StringAttr
from tir.ir.errors import TirError, VerifyError, nearest
from tir.ir.ir import Op
from tir.ir.traits import Symbol

__all__ = ["SymbolTable", "UnknownSymbol", "symbol_name"]

SomeOp = TypeVar("SomeOp", bound=Op)


class UnknownSymbol(TirError):
    """The symbol is one of `unknown`: the text defines it, with a mistake that is reported there."""


class SymbolTable:
    """A view of the symbols that stand in `owner` (a module): look up, insert, make unique names.

    The names are read once: an op that is inserted, renamed or removed by other means is not seen.
    unknown: names about which nothing can be said; looking one up raises UnknownSymbol.
    """

    def __init__(self, owner: Op, unknown: Collection[str] = ()) -> None:
        self.owner = owner
        self._unknown = unknown
        self._by_name: dict[str, Op] = {}
        self._twice: list[Op] = []
        for op in _symbols(owner):
            if self._by_name.setdefault(symbol_name(op), op) is not op:
                self._twice.append(op)

    def lookup(self, name: str) -> Op | None:
        """The op that defines `name`, or None."""
        found = self._by_name.get(name)
        if found is None and name in self._unknown:
            raise UnknownSymbol(f"@{name} is defined with a mistake")
        return found

    def get(self, name: str) -> Op:
        """The op that defines `name`; TirError with the nearest name if there is none."""
        found = self._by_name.get(name)
        if found is None:
            raise TirError(f"there is no symbol @{name}", hint=nearest(name, self._by_name))
        return found

    def names(self) -> list[str]:
        """The names, in the order of the text."""
        return list(self._by_name)

    def hint(self, name: str, kind: type) -> str | None:
        """What is meant by a name that is no symbol of this kind: the nearest that is one; or what the name is."""
        found = self._by_name.get(name)
        if found is not None:
            return f"@{name} is a {found.name}"
        return nearest(name, [one for one, op in self._by_name.items() if isinstance(op, kind)])

    def duplicates(self) -> list[TirError]:
        """An error for each symbol whose name an earlier one has."""
        return [
            VerifyError(
                f"{op.name}: the name @{symbol_name(op)} is taken", op.location,
                [("it is defined here", self._by_name[symbol_name(op)].location)],
            )
            for op in self._twice
        ]  # fmt: skip

    def unique(self, base: str) -> str:
        """`base`, or `base_0`, `base_1`, .. if it is taken."""
        name, i = base, 0
        while name in self._by_name:
            name, i = f"{base}_{i}", i + 1
        return name

    def insert(self, op: SomeOp, before: Op | None = None) -> SomeOp:
        """Puts a symbol into the module, in front of `before` or at the end; renames it if its name is taken."""
        name = self.unique(symbol_name(op))
        if name != symbol_name(op):
            op.set_property("sym_name", StringAttr(name))
        self.owner.regions[0].blocks[0].insert_before(before, op)
        self._by_name[name] = op
        return op

    def erase(self, op: Op) -> None:
        """Takes a symbol out of the module and drops it."""
        del self._by_name[symbol_name(op)]
        op.erase()


def symbol_name(op: Op) -> str:
    """The name that a symbol defines."""
    return op.properties["sym_name"].value  # type: ignore[attr-defined]


def _symbols(owner: Op) -> Iterator[Op]:
    for region in owner.regions:
        for block in region.blocks:
            yield from (op for op in block if isinstance(op, Symbol) and "sym_name" in op.properties)
