"""What handles of a schedule lead to while it runs, and the mistakes that end it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from tir.dialects.transform.base import TransformOp, is_param, name_of_payload
from tir.ir.attributes import Attribute
from tir.ir.errors import Location, PassError, TirError, counted
from tir.ir.ir import Op, Value
from tir.passes.loop_numbers import Refusal

__all__ = ["ScheduleError", "ScheduleState", "Undone", "handle_text"]

Made = TypeVar("Made")
#: A handle leads to so many ops at most: each merge of a handle with itself doubles them.
MOST_ITEMS = 100_000


class ScheduleError(PassError):
    """A schedule is wrong, or something went wrong that cannot be left undone: it ends."""


class Undone(TirError):
    """A transformation was not done. It ends the schedule, unless that stands in `failures(suppress)`."""


def handle_text(value: Value) -> str:
    """The name of a handle in messages."""
    return f"%{value.hint}" if value.hint else "a handle"


class ScheduleState:
    """What handles and parameters are, and which handles have ended. root: the payload, which all ops stand in.

    A handle ends when an op consumes one that leads to the same ops, or to ops around them, and when an op that it leads to
    is gone. Using it then is an error.
    """

    def __init__(self, root: Op) -> None:
        self.root = root
        self.ops: dict[Value, list[Op]] = {}
        self.values: dict[Value, list[Value]] = {}
        self.params: dict[Value, list[Attribute]] = {}
        self.ended: dict[Value, tuple[Op, Location]] = {}
        self.remarks: list[tuple[Any, ...]] = []

    # --- reading -------------------------------------------------------------------------------------------------------

    def check(self, op: Op) -> None:
        """ScheduleError if an operand of the op has ended."""
        for value in op.operands:
            if value in self.ended:
                by, payload = self.ended[value]
                message = f"{op.name}: {handle_text(value)} leads to nothing any more, since {by.name} has ended it"
                raise ScheduleError(message, op.location, [("it was ended here", by.location), ("with this op", payload)])

    def ops_of(self, value: Value) -> list[Op]:
        """The ops of a handle."""
        return list(self.ops[value])

    def params_of(self, value: Value) -> list[Attribute]:
        """The numbers, strings, .. that a parameter is."""
        return list(self.params[value])

    def items_of(self, value: Value) -> list[Any]:
        """What a handle or parameter leads to, of whatever kind."""
        return list(self._table(value)[value])

    def only_op(self, op: Op, value: Value) -> Op:
        """The one op of a handle; Undone if there are others, or none."""
        found = self.ops[value]
        if len(found) != 1:
            raise Undone(f"{op.name}: {handle_text(value)} must lead to one op, and has {len(found)}", op.location)
        return found[0]

    # --- writing -------------------------------------------------------------------------------------------------------

    def set(self, op: Op, value: Value, items: Iterable[Any]) -> None:
        """What a handle or parameter leads to from now on. Undone if the ops are not called as its type says."""
        self.ended.pop(value, None)
        found = list(items)
        if len(found) > MOST_ITEMS:
            raise ScheduleError(f"{op.name}: {handle_text(value)} leads to more than {MOST_ITEMS} ops", op.location)
        wanted = name_of_payload(value.type)
        wrong = next((one for one in found if wanted is not None and one.name != wanted), None)
        self._table(value)[value] = [] if wrong is not None else found
        if wrong is not None:
            notes = [("this one", wrong.location)]
            raise Undone(f"{op.name}: a handle of type {value.type} leads to {wanted}, got {wrong.name}", op.location, notes)

    def _table(self, value: Value) -> dict[Value, list[Any]]:
        if is_param(value.type):
            return self.params
        return self.values if str(value.type) == "!transform.any_value" else self.ops

    def forget(self, values: Iterable[Value]) -> None:
        """The values go out of scope."""
        for value in values:
            self.ended.pop(value, None)
            for table in (self.ops, self.values, self.params):
                table.pop(value, None)

    # --- ends ----------------------------------------------------------------------------------------------------------

    def consume(self, by: Op, values: Sequence[Value]) -> None:
        """Ends the handles, and all others that lead to their ops, or into them. Before these are changed."""
        for value in values:
            for payload in self.ops.get(value, ()):
                self._end_inside(by, payload)
            self.ended[value] = (by, next((one.location for one in self.ops.get(value, ())), by.location))

    def _end_inside(self, by: Op, payload: Op) -> None:
        end = (by, payload.location)
        for handle, ops in self.ops.items():
            if any(one.is_inside(payload) for one in ops):
                self.ended.setdefault(handle, end)
        for handle, values in self.values.items():
            if any(_is_of(value, payload) for value in values):
                self.ended.setdefault(handle, end)

    def drop_lost(self, by: Op) -> None:
        """Ends the handles that lead to ops which are gone."""
        for handle, ops in self.ops.items():
            lost = next((one for one in ops if not one.is_inside(self.root)), None)
            if lost is not None:
                self.ended.setdefault(handle, (by, lost.location))
        for handle, values in self.values.items():
            if not all(_is_of(value, self.root) for value in values):
                self.ended.setdefault(handle, (by, by.location))

    # --- for each op ---------------------------------------------------------------------------------------------------

    def each(self, op: TransformOp, target: Value, transform: Callable[[Any], Made]) -> list[Made]:
        """Does something to each op of a handle; Undone if it was refused for some, behind the others."""
        made: list[Made] = []
        refused: list[Refusal] = []
        for payload in self.ops_of(target):
            try:
                made.append(transform(payload))
            except Refusal as refusal:
                refused.append(refusal)
        if refused:
            first = refused[0]
            assert first.location is not None
            more = f" (and {counted(len(refused) - 1, 'more op')})" if len(refused) > 1 else ""
            raise Undone(f"{op.name}: not done: {first.message}{more}", op.location, [("of this op", first.location)])
        return made


def _is_of(value: Value, op: Op) -> bool:
    """The value is made by the op, or inside of it."""
    if value.op is not None:
        return value.op.is_inside(op)
    around = value.block.parent_op if value.block is not None else None
    return around is not None and around.is_inside(op)
