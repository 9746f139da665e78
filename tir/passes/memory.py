"""Which buffers may share memory, and what an op may read and write: what passes know that change loads and stores.

A buffer comes, through views, from where it was allocated, from a global, from an argument of the function, or from an op
that may hand on any buffer (a loop, a call, a choice). New memory is apart from all that was there before; of two
arguments nothing is known, since a caller may give one buffer twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tir.dialects import linalg, memref
from tir.dialects.cf import Assert
from tir.ir.ir import BlockArgument, Op, Value
from tir.ir.traits import Effects, FunctionLike, RecursiveEffects, Terminator
from tir.ir.types import MemRefType

__all__ = ["Writes", "base_of", "buffers_of", "is_local", "is_view", "may_overlap"]

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


def may_overlap(first: Value, second: Value) -> bool:
    """The two may have an element in common."""
    first, second = base_of(first), base_of(second)
    if first is second:
        return True
    for one, other in ((first, second), (second, first)):
        if isinstance(one.op, memref.Alloc) and (_is_distinct(other) or is_local(one)):
            return False
    if isinstance(first.op, memref.GetGlobal) and isinstance(second.op, memref.GetGlobal):
        return first.op.symbol == second.op.symbol
    return True


def _is_distinct(base: Value) -> bool:
    """The buffer is another than any that the function allocates elsewhere."""
    if isinstance(base, BlockArgument):
        region = base.block.parent
        return region is not None and isinstance(region.parent, FunctionLike) and region.blocks[0] is base.block
    return isinstance(base.op, (memref.Alloc, memref.GetGlobal))


def is_local(base: Value) -> bool:
    """Only views of an allocated buffer lead to it: nobody hands it on."""
    return isinstance(base.op, memref.Alloc) and not any(_hands_on(user, value) for value, user in users_of(base))


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


class Writes:
    """What some ops write, with all inside them."""

    def __init__(self, ops: Iterable[Op]) -> None:
        self.buffers: dict[Value, None] = {}
        self.anything = False  # that others can reach
        for op in ops:
            for inner in op.walk():
                self._add(inner)

    def _add(self, op: Op) -> None:
        effects = op.own_effects if isinstance(op, RecursiveEffects) else getattr(op, "effects", Effects.UNKNOWN)
        if effects & Effects.UNKNOWN and not isinstance(op, Assert):
            self.anything = True
        if effects & (Effects.WRITE | Effects.UNKNOWN):
            self.buffers.update((base_of(value), None) for value in written_by(op))

    def may_reach(self, buffer: Value) -> bool:
        """An element of the buffer may be written."""
        if self.anything and not is_local(base_of(buffer)):
            return True
        return any(may_overlap(buffer, one) for one in self.buffers)


def written_by(op: Op) -> list[Value]:
    """The buffers that an op with effects of its own may write, as far as its operands say."""
    if isinstance(op, linalg.Generic):
        return buffers_of(op.outputs)
    if isinstance(op, memref.Copy):
        return [op.target]
    return buffers_of(op.operands)
