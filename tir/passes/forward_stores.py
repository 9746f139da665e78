"""Loads behind stores: what is read at a place of a buffer is what was last written or read there.

One way through the text of a function, with what is known of memory at each point. A region begins with what is known in
front of it, less what the op may write, if that is a loop; behind the op all that it may write is forgotten. Of blocks that
branch to each other each begins with nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tir.dialects import memref, scf
from tir.ir import actions
from tir.ir.attributes import IntegerAttr
from tir.ir.ir import Block, Op, Region, Value
from tir.ir.steps import Steps, run_steps
from tir.ir.traits import ConstantLike, FunctionLike, ReturnLike
from tir.passes.memory import Accesses, Aliases, accesses_inside, base_of, is_view, own_accesses, users_of

__all__ = ["drop_unread_buffers", "forward_stores"]

#: A place: the buffer, through casts, and the indices, a constant as its number.
Place = tuple[Value, tuple[Any, ...]]


def forward_stores(root: Op) -> None:
    """Replaces loads inside `root` by what is known to stand there, and erases stores that are overwritten unread."""
    accesses = accesses_inside(root)
    for op in list(root.walk()):
        if op is root or isinstance(op, FunctionLike):
            _Forwarding(accesses, op).run()


def _place(op: Any) -> Place:
    """The place that a load or a store is about."""
    buffer = op.memref
    while isinstance(buffer.op, memref.Cast):
        buffer = buffer.op.source
    return buffer, tuple(_index(value) for value in op.indices)


def _index(value: Value) -> Any:
    attribute = value.op.properties.get("value") if isinstance(value.op, ConstantLike) else None
    return attribute.value if isinstance(attribute, IntegerAttr) else value


def _is_constant(place: Place) -> bool:
    return all(isinstance(index, int) for index in place[1])


class _Table:
    """What is known of places, by their bases, so that what a write may change is found soon; changes can be undone.

    Under a base: for each buffer its places with constant indices, and under None all others.
    """

    def __init__(self, aliases: Aliases) -> None:
        self.aliases = aliases
        self.known: dict[Value, dict[Value | None, dict[Place, Any]]] = {}
        self.log: list[tuple[Place, Any]] = []  # what stood at a place before

    def get(self, place: Place) -> Any:
        groups = self.known.get(base_of(place[0]), {})
        return groups.get(place[0] if _is_constant(place) else None, {}).get(place)

    def set(self, place: Place, what: Any) -> None:
        """Something is known of the place; None: nothing is."""
        group = self.known.setdefault(base_of(place[0]), {}).setdefault(place[0] if _is_constant(place) else None, {})
        self.log.append((place, group.get(place)))
        if what is None:
            group.pop(place, None)
        else:
            group[place] = what

    def undo(self, mark: int) -> None:
        """All is as it was when the log was so long."""
        while len(self.log) > mark:
            place, before = self.log.pop()
            self.set(place, before)
            self.log.pop()

    def forget(self, base: Value, but: Place | None = None) -> None:
        """Nothing is known of what may overlap with the buffer; `but`: only what this place may be is meant."""
        for other in [one for one in self.known if self.known[one] and self.aliases.may_overlap(base, one)]:
            for buffer, group in self.known[other].items():
                # Constant indices into one buffer are different places.
                if but is not None and _is_constant(but) and buffer is but[0]:
                    continue
                for place in list(group):
                    self.set(place, None)

    def forget_shared(self) -> None:
        """Nothing is known of what others can reach."""
        for base in [one for one in self.known if self.known[one] and not self.aliases.is_local(one)]:
            self.forget_base(base)

    def forget_base(self, base: Value) -> None:
        for group in self.known.get(base, {}).values():
            for place in list(group):
                self.set(place, None)

    def forget_all(self) -> None:
        for base in list(self.known):
            self.forget_base(base)

    def items(self, base: Value) -> Iterator[tuple[Place, Any]]:
        for group in self.known.get(base, {}).values():
            yield from list(group.items())


class _Forwarding:
    """The way through one function. values: what stands at a place; stores: the last one there, if nothing has read it."""

    def __init__(self, accesses: dict[Op, Accesses], function: Op) -> None:
        self.accesses = accesses
        self.function = function
        self.aliases = Aliases()
        self.values = _Table(self.aliases)
        self.stores = _Table(self.aliases)

    def run(self) -> None:
        run_steps(self.regions(self.function))

    def regions(self, op: Op) -> Steps:
        for region in op.regions:
            yield self.region(region)

    def region(self, region: Region) -> Steps:
        """Goes through the blocks; what is found out in them is not known behind."""
        marks = [(table, len(table.log)) for table in (self.values, self.stores)]
        for block in region.blocks:
            self.stores.forget_all()
            if len(region.blocks) > 1:
                self.values.forget_all()
            yield self.block(block)
        for table, mark in marks:
            table.undo(mark)

    def block(self, block: Block) -> Steps:
        for op in block:
            if isinstance(op, FunctionLike):
                continue  # another way
            if isinstance(op, memref.Load):
                self.load(op)
            elif isinstance(op, memref.Store):
                self.store(op)
            elif op.regions:
                yield self.around(op)
            else:
                self.other(op)

    # --- ops ---------------------------------------------------------------------------------------------------------

    def load(self, op: memref.Load) -> None:
        place = _place(op)
        value = self.values.get(place)
        if value is not None and actions.begin("forward", op):
            op.replace_with([value])
            actions.end()
            return
        self.stores.forget(base_of(op.memref), place)
        self.stores.set(place, None)
        self.values.set(place, op.result)

    def store(self, op: memref.Store) -> None:
        place = _place(op)
        if self.values.get(place) is op.value and actions.begin("drop store", op):  # it stands there already
            op.erase()
            actions.end()
            return
        before = self.stores.get(place)
        if before is not None and actions.begin("drop store", before):
            before.erase()
            actions.end()
        self.values.forget(base_of(op.memref), place)
        self.values.set(place, op.value)
        self.stores.set(place, op)

    def around(self, op: Op) -> Steps:
        """Goes into the op, and forgets what it may change."""
        inside = self.accesses[op]
        mark = len(self.values.log)
        if not isinstance(op, scf.If):  # of another op any part may run behind another
            self.forget_written(inside)
        yield self.regions(op)
        if isinstance(op, scf.If):
            self.values.undo(mark)
            self.forget_written(inside)
        self.forget_stores(inside)

    def other(self, op: Op) -> None:
        """Any other op: what it writes is not known any more, and what it reads is needed."""
        accesses = own_accesses(op)
        if isinstance(op, memref.Dealloc):
            self.drop_stores(base_of(op.memref))
        elif isinstance(op, ReturnLike) and op.parent_op is self.function:
            for base in [one for one in self.stores.known if self.aliases.is_local(one)]:
                self.drop_stores(base)
        self.forget_written(accesses)
        self.forget_stores(accesses)

    def forget_written(self, accesses: Accesses) -> None:
        if accesses.anything:
            self.values.forget_shared()
        for base in accesses.writes:
            self.values.forget(base)

    def forget_stores(self, accesses: Accesses) -> None:
        """Stores that may be read, or that must have been made when the program ends here, stay."""
        if accesses.anything or accesses.may_end:
            self.stores.forget_shared()
        for base in accesses.reads:
            self.stores.forget(base)

    def drop_stores(self, base: Value) -> None:
        """Nobody reads the buffer any more."""
        for place, store in self.stores.items(base):
            if actions.begin("drop store", store):
                store.erase()
                actions.end()
            self.stores.set(place, None)


def drop_unread_buffers(root: Op) -> None:
    """Erases buffers that are allocated, written and freed, and never read, with what writes them."""
    aliases = Aliases()
    pending = [op for op in root.walk() if isinstance(op, memref.Alloc)]
    while pending:
        op = pending.pop()
        if op.parent is None or not aliases.is_local(op.memref):
            continue
        users = list(dict.fromkeys(user for _, user in users_of(op.memref)))
        if all(_only_writes(user, op.memref) for user in users) and actions.begin("drop buffer", op):
            read = [base_of(user.source).op for user in users if isinstance(user, memref.Copy)]
            for user in reversed(users):  # what uses a view in front of it
                user.erase()
            op.erase()
            actions.end()
            pending += [one for one in read if isinstance(one, memref.Alloc)]  # nobody may read that any more


def _only_writes(user: Op, base: Value) -> bool:
    """The op writes the buffer, or frees it, or is a view of it."""
    if isinstance(user, memref.Copy):
        return base_of(user.source) is not base
    return is_view(user) or isinstance(user, (memref.Store, memref.Dealloc))
