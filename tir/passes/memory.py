"""Which buffers may share memory, and what an op may read and write: what passes know that change loads and stores.

A buffer comes, through views, from where it was allocated, from a global, from an argument of the function, or from an op
that may hand on any buffer (a loop, a call, a choice). New memory is apart from all that was there before; of two
arguments nothing is known, since a caller may give one buffer twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from tir.dialects import linalg, memref
from tir.dialects.cf import Assert
from tir.ir.ir import BlockArgument, Op, Value
from tir.ir.traits import Effects, FunctionLike, RecursiveEffects, Terminator
from tir.ir.types import MemRefType

__all__ = [
    "Accesses", "Aliases", "accesses_inside", "base_of", "buffers_of", "is_view", "own_accesses", "users_of",
]  # fmt: skip

_VIEWS = (memref.Subview, memref.Cast, memref.CollapseShape, memref.ExpandShape, memref.ReinterpretCast)


def is_view(op: Op | None) -> bool:
    """The result is memory of the first operand."""
    return isinstance(op, _VIEWS)


def base_of(value: Value) -> Value:
    """The buffer that the value is, or is a view of."""
    while is_view(value.op):
        value = value.op.operand(0)  # type: ignore[union-attr]
    return value


def buffers_of(values: Iterable[Value]) -> list[Value]:
    """Those of the values that are buffers."""
    return [value for value in values if isinstance(value.type, MemRefType)]


def _is_distinct(base: Value) -> bool:
    """The buffer is another than any that the function allocates elsewhere."""
    if isinstance(base, BlockArgument):
        region = base.block.parent
        return region is not None and isinstance(region.parent, FunctionLike) and region.blocks[0] is base.block
    return isinstance(base.op, (memref.Alloc, memref.Alloca, memref.GetGlobal))


def users_of(base: Value) -> Iterator[tuple[Value, Op]]:
    """The ops that use a buffer or a view of it, with what they use."""
    pending = [base]
    while pending:
        value = pending.pop()
        for user in value.users:
            yield value, user
            if is_view(user) and user.operand(0) is value:
                pending += user.results


def _hands_on(user: Op, value: Value) -> bool:
    """The op may give others a way to the buffer."""
    if is_view(user) or isinstance(user, linalg.Generic):
        return False
    if isinstance(user, (Terminator, RecursiveEffects)) or buffers_of(user.results):
        return True
    effects = getattr(user, "effects", Effects.UNKNOWN)
    return bool(effects & Effects.UNKNOWN) or (isinstance(user, memref.Store) and user.value is value)


class Aliases:
    """Which buffers may overlap, as the text was when that was asked first: a pass that erases uses makes that no worse."""

    def __init__(self) -> None:
        self._local: dict[Value, bool] = {}

    def is_local(self, base: Value) -> bool:
        """Only views of an allocated buffer lead to it: nobody hands it on."""
        if base not in self._local:
            is_new = isinstance(base.op, (memref.Alloc, memref.Alloca))
            self._local[base] = is_new and not any(_hands_on(user, value) for value, user in users_of(base))
        return self._local[base]

    def may_overlap(self, first: Value, second: Value) -> bool:
        """The two bases may have an element in common."""
        if first is second:
            return True
        for one, other in ((first, second), (second, first)):
            if isinstance(one.op, (memref.Alloc, memref.Alloca)) and (_is_distinct(other) or self.is_local(one)):
                return False
        if isinstance(first.op, memref.GetGlobal) and isinstance(second.op, memref.GetGlobal):
            return first.op.symbol == second.op.symbol
        return True


@dataclass
class Accesses:
    """What some ops do to memory, with all inside them: the buffers that they may read and write, as bases.

    anything: they may read and write whatever others can reach. may_end: they may end the program.
    """

    reads: dict[Value, None] = field(default_factory=dict)
    writes: dict[Value, None] = field(default_factory=dict)
    anything: bool = False
    may_end: bool = False

    def add(self, other: Accesses) -> None:
        """And what `other` does."""
        self.reads.update(other.reads)
        self.writes.update(other.writes)
        self.anything |= other.anything
        self.may_end |= other.may_end

    def may_write(self, base: Value, aliases: Aliases) -> bool:
        """An element of the buffer may be written."""
        if self.anything and not aliases.is_local(base):
            return True
        return any(aliases.may_overlap(base, one) for one in self.writes)


def own_accesses(op: Op) -> Accesses:
    """What an op does by itself, without what is inside it."""
    effects = op.own_effects if isinstance(op, RecursiveEffects) else getattr(op, "effects", Effects.UNKNOWN)
    if effects & Effects.UNKNOWN:
        if isinstance(op, Assert):
            return Accesses(may_end=True)
        bases = dict.fromkeys(map(base_of, buffers_of(op.operands)))
        return Accesses(bases, bases.copy(), anything=True, may_end=True)
    reads, writes = _accessed(op) if effects & (Effects.READ | Effects.WRITE) else ((), ())
    return Accesses(dict.fromkeys(map(base_of, reads)), dict.fromkeys(map(base_of, writes)))


def _accessed(op: Op) -> tuple[Sequence[Value], Sequence[Value]]:
    """The buffers that an op with effects of its own may read, and those that it may write."""
    if isinstance(op, linalg.Generic):
        return buffers_of(op.operands), buffers_of(op.outputs)
    if isinstance(op, memref.Copy):
        return [op.source], [op.target]
    if isinstance(op, (memref.Store, memref.Dealloc)):
        return [], [op.memref]
    buffers = buffers_of(op.operands)
    return buffers, buffers if getattr(op, "effects", Effects.UNKNOWN) & Effects.WRITE else []


def accesses_inside(root: Op) -> dict[Op, Accesses]:
    """Of each op with regions inside `root`, `root` included, what it does with all inside it; each op is looked at once."""
    found: dict[Op, Accesses] = {}
    for op in reversed(list(root.walk())):
        here = own_accesses(op)
        if op.regions:
            here.add(found.get(op, Accesses()))
            found[op] = here
        if op is not root and op.parent_op is not None and not isinstance(op, FunctionLike):
            found.setdefault(op.parent_op, Accesses()).add(here)
    return found
