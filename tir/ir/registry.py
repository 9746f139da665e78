"""Dialects as lists of ops, and the registry that finds an op class by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tir.ir.ir import Op
from tir.ir.slips import op_hint

__all__ = ["Dialect", "Registry"]


@dataclass(frozen=True)
class Dialect:
    """A name, a sentence, and the op classes. Nothing registers itself by being imported."""

    name: str
    summary: str
    ops: tuple[type[Op], ...]


class _Both(Mapping[str, Dialect]):
    """Two tables as one, without asking a lazy one for what it has."""

    def __init__(self, first: Mapping[str, Dialect], second: Mapping[str, Dialect]) -> None:
        self._tables = first, second

    def __getitem__(self, name: str) -> Dialect:
        return next(table for table in self._tables if name in table)[name]

    def __contains__(self, name: object) -> bool:
        return any(name in table for table in self._tables)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([name for table in self._tables for name in table]))

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Registry:
    """The dialects that a parser or a tool knows; of a lazy table each is imported when one of its ops is named."""

    def __init__(self, dialects: Mapping[str, Dialect] | Iterable[Dialect]) -> None:
        named = isinstance(dialects, Mapping)
        self._dialects: Mapping[str, Dialect] = dialects if named else {one.name: one for one in dialects}  # type: ignore
        self._ops: dict[str, type[Op]] = {}

    @property
    def dialects(self) -> tuple[Dialect, ...]:
        """All dialects, imported."""
        return tuple(self._dialects.values())

    def with_dialects(self, more: Iterable[Dialect]) -> Registry:
        """A registry that knows these dialects too."""
        return Registry(_Both({one.name: one for one in more}, self._dialects))

    def has_dialect(self, name: str) -> bool:
        """Whether there is a dialect of this name."""
        return name in self._dialects

    def op_class(self, name: str) -> type[Op] | None:
        """The class of the op called `name`, or None."""
        found = self._ops.get(name)
        if found is None and (dialect := name.partition(".")[0]) in self._dialects:
            self._ops.update((op.name, op) for op in self._dialects[dialect].ops)
            found = self._ops.get(name)
        return found

    def op_names(self) -> list[str]:
        """All op names, sorted."""
        return sorted(op.name for dialect in self.dialects for op in dialect.ops)

    def hint(self, name: str) -> str | None:
        """What may be meant by `name`, as a sentence."""
        return op_hint(name, self.op_names())
