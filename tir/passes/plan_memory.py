"""Buffers of a function that are never needed at the same time share memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tir.dialects import memref
from tir.dialects.arith import Constant
from tir.dialects.cf import Assert
from tir.dialects.func import Func
from tir.ir import actions
from tir.ir.attributes import IntegerAttr
from tir.ir.errors import Location
from tir.ir.ir import Block, Op, Value
from tir.ir.numerics import EXACT
from tir.ir.pass_manager import Pass
from tir.ir.traits import FunctionLike, Pure, ReturnLike, Terminator
from tir.ir.types import I64, MemRefType
from tir.passes.memory import users_of

__all__ = ["PlanMemory"]

#: With more buffers in a function the others stay as they are: a plan takes time that grows with the square.
MOST_BUFFERS = 1500


@dataclass
class PlanMemory(Pass):
    """Gives the buffers of a function places in one workspace, by when they are needed.

    Needs the loops level, behind all passes that ask which buffers are apart. Leaves each `memref.alloc` that stands in
    front of the first use of any, in the function's own block, with the slot of the workspace that it lies in, and where
    in that slot (`{tir.slot = 0 : i64, tir.offset = 64 : i64}`). Buffers of one slot that are needed at the same time lie
    beside each other. Those of known size share slot 0. Of the others, those whose sizes differ by a known factor may
    share one, which is as large as its largest. Machine code has one allocation for all of them, which it keeps for the
    next call. Buffers that the function returns stay as they are, and so do those of functions of several blocks;
    `remarks` says why.

        %0 = memref.alloc(%n) : memref<?xf32>      ->  %0 = memref.alloc(%n) {tir.slot = 0 : i64} : memref<?xf32>
        %1 = memref.alloc(%n) : memref<?x2xf32>        %1 = memref.alloc(%n) {tir.slot = 1 : i64} : memref<?x2xf32>
        %2 = memref.alloc(%n) : memref<?xf32>          %2 = memref.alloc(%n) {tir.slot = 0 : i64} : memref<?xf32>
        .. %0 and %1 ..                                .. %0 and %1 ..
        .. %1 and %2 ..                                .. %1 and %2 ..
    """

    name = "plan-memory"
    numerics = EXACT
    statistics = {"place": "buffers given a place in a workspace"}

    def __post_init__(self) -> None:
        self.remarks: list[tuple[Location, str]] = []

    def run(self, op: Op) -> None:
        self.remarks.clear()
        for function in op.walk():
            if isinstance(function, Func) and not function.is_declaration:
                self._plan(function)

    def _plan(self, function: Func) -> None:
        found = [op for op in function.walk() if _can_be_placed(op)]
        if len(function.regions[0].blocks) > 1:
            self.remarks += [(function.location, "memory not planned: the function has several blocks")] if found else []
            return
        numbers = {op: number for number, op in enumerate(function.entry)}
        buffers = []
        for op in _first_group(function.entry, found):
            buffer = _Buffer.of(op, numbers)
            if isinstance(buffer, _Buffer):
                buffers.append(buffer)
            else:
                self.remarks.append((op.location, f"memory not planned: {buffer}"))
        if not buffers or not actions.begin("place", function):
            return
        for buffer in buffers[:-1]:
            buffer.op.move_before(buffers[-1].op)
        for number, slot in enumerate(_slots(buffers)):
            for buffer, offset in slot:
                _place(buffer, number, offset)
        actions.end()


@dataclass
class _Buffer:
    """A buffer with when it is needed: the numbers of the first and the last op of the block that use it."""

    op: memref.Alloc
    first: int
    last: int

    @staticmethod
    def of(op: memref.Alloc, numbers: Mapping[Op, int]) -> _Buffer | str:
        """The buffer, or why it has to stay as it is."""
        users = list(_all_users(op.memref))
        if any(isinstance(user, ReturnLike) and isinstance(user.parent_op, FunctionLike) for user in users):
            return "the function returns the buffer"
        freed = [user for user in users if isinstance(user, memref.Dealloc)]
        if any(user.parent is not op.parent or user.operand(0) is not op.memref for user in freed):
            return "the buffer is freed in a branch or a loop, or by another name"
        places = [numbers[_inside(user, numbers)] for user in users if not isinstance(user, (memref.Dim, memref.Dealloc))]
        return _Buffer(op, min(places), max(places)) if places else "nothing uses the buffer"

    @property
    def known_bytes(self) -> int:
        return self.op.known_bytes

    @property
    def open_sizes(self) -> tuple[int, ...]:
        """What stands for the sizes that run time knows, in any order."""
        return tuple(sorted(id(size) for size in self.op.dynamicSizes))

    def meets(self, other: _Buffer) -> bool:
        """Both are needed at some time."""
        return self.first <= other.last and other.first <= self.last


def _can_be_placed(op: Op) -> bool:
    if not isinstance(op, memref.Alloc) or isinstance(op, memref.Alloca) or memref.SLOT in op.attributes:
        return False
    return op.memref.type.layout is None and (op.alignment or 0) <= memref.LINE_BYTES


def _first_group(block: Block, candidates: Iterable[Op]) -> list[memref.Alloc]:
    """The first candidates of a block between which nothing is read or written."""
    wanted = set(candidates)
    found: list[Op] = []
    for op in block:
        if op in wanted and len(found) < MOST_BUFFERS:
            found.append(op)
        elif found and not (isinstance(op, (Pure, Constant, memref.Alloc, memref.Dim, Assert)) and not op.regions):
            break
        elif any(value.op in found for value in op.operands):  # a size or a view
            break
    return found  # type: ignore[return-value]


def _all_users(buffer: Value) -> Iterator[Op]:
    """The ops that use the buffer, a view of it, or what may be it behind a branch, a loop or a call."""
    pending, seen = [buffer], {buffer}
    while pending:
        for value, user in users_of(pending.pop()):
            yield user
            for other in _may_be_it(user, value):
                if other not in seen:
                    seen.add(other)
                    pending.append(other)


def _may_be_it(user: Op, value: Value) -> Iterable[Value]:
    """Values that may be the buffer `value` since `user` uses that."""
    makers = [user]
    if isinstance(user, Terminator) and user.parent_op is not None and not isinstance(user.parent_op, FunctionLike):
        makers.append(user.parent_op)
    for maker in makers:
        inside = [argument for region in maker.regions for block in region.blocks for argument in block.arguments]
        for other in (*maker.results, *inside):
            if isinstance(other.type, MemRefType) and other is not value:
                yield other


def _inside(op: Op, numbers: Mapping[Op, int]) -> Op:
    """The op of the block that is this one, or around it."""
    while op not in numbers:
        parent = op.parent_op
        assert parent is not None
        op = parent
    return op


def _slots(buffers: Sequence[_Buffer]) -> list[list[tuple[_Buffer, int]]]:
    """The slots: which buffers lie in each, and where."""
    classes: dict[tuple[int, ...], list[_Buffer]] = {}
    for buffer in buffers:
        classes.setdefault(buffer.open_sizes, []).append(buffer)
    known = classes.pop((), [])
    found = [_packed(known)] if known else []
    for alike in classes.values():
        found += [[(buffer, 0) for buffer in slot] for slot in _shared(alike)]
    return found


def _packed(buffers: Sequence[_Buffer]) -> list[tuple[_Buffer, int]]:
    """The lowest place for each, the largest first, beside those that it meets.

    "Greedy by size" of Pisarchyk and Lee, Efficient memory management for deep neural net inference, 2020.
    """
    found: list[tuple[_Buffer, int]] = []
    for buffer in sorted(buffers, key=lambda one: (-one.known_bytes, one.first)):
        offset = 0
        for other, start in sorted(((o, s) for o, s in found if o.meets(buffer)), key=lambda pair: pair[1]):
            if start >= offset + buffer.known_bytes:
                break
            offset = max(offset, _aligned(start + other.known_bytes))
        found.append((buffer, offset))
    return found


def _shared(buffers: Sequence[_Buffer]) -> list[list[_Buffer]]:
    """Groups of which no two meet, the largest first, so that none makes a group larger."""
    found: list[list[_Buffer]] = []
    for buffer in sorted(buffers, key=lambda one: (-one.known_bytes, one.first)):
        free = next((slot for slot in found if not any(other.meets(buffer) for other in slot)), None)
        if free is None:
            found.append(free := [])
        free.append(buffer)
    return found


def _aligned(offset: int) -> int:
    return -(-offset // memref.LINE_BYTES) * memref.LINE_BYTES


def _place(buffer: _Buffer, slot: int, offset: int) -> None:
    buffer.op.set_attribute(memref.SLOT, IntegerAttr(slot, I64))
    if offset:
        buffer.op.set_attribute(memref.OFFSET, IntegerAttr(offset, I64))
