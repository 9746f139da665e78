"""Dialects as lists of ops, and the registry that finds an op class by name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tir.ir.errors import nearest
from tir.ir.ir import Op

__all__ = ["Dialect", "Registry"]


@dataclass(frozen=True)
class Dialect:
    """A name, a sentence, and the op classes. Nothing registers itself by being imported."""

    name: str
    summary: str
    ops: tuple[type[Op], ...]


class Registry:
    """The dialects that a parser or a tool knows."""

    def __init__(self, dialects: Iterable[Dialect]) -> None:
        self.dialects = tuple(dialects)
        self._ops = {op.name: op for dialect in self.dialects for op in dialect.ops}

    def op_class(self, name: str) -> type[Op] | None:
        """The class of the op called `name`, or None."""
        return self._ops.get(name)

    def op_names(self) -> list[str]:
        """All op names, sorted."""
        return sorted(self._ops)

    def hint(self, name: str) -> str | None:
        """The known name that is most like `name`, as a sentence."""
        return nearest(name, self._ops)
