"""Runs a schedule: its ops one after the other, with those inside of others, on the ops of a payload."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tir.dialects.transform.base import TransformOp
from tir.dialects.transform.core import Foreach, Include, NamedSequence, NestedSequence
from tir.ir import actions
from tir.ir.ir import Block, Op, Value
from tir.ir.steps import Steps, run_steps
from tir.passes.loop_numbers import Refusal
from tir.passes.schedule_loops import LOOP_HANDLERS
from tir.passes.schedule_ops import CORE_HANDLERS
from tir.passes.schedule_state import ScheduleError, ScheduleState, Undone
from tir.passes.schedule_structured import STRUCTURED_HANDLERS

__all__ = ["CONTROL", "HANDLERS", "Run"]

Handler = Callable[[ScheduleState, Any], None]
#: What an op of a schedule does, by its class.
HANDLERS: dict[type[Op], Handler] = {**CORE_HANDLERS, **LOOP_HANDLERS, **STRUCTURED_HANDLERS}
#: A schedule takes so many steps at most: sequences that include others twice take twice as many each.
MOST_STEPS = 100_000
#: The ops that run others.
CONTROL = (NestedSequence, Include, Foreach)


class Run:
    """One run of the named sequences of a library, by their names, on a payload."""

    def __init__(self, sequences: dict[str, NamedSequence], root: Op) -> None:
        self.sequences = sequences
        self.state = ScheduleState(root)
        self.including: list[NamedSequence] = []
        self.steps = 0
        self.failed: Undone | None = None  # on the way out of the blocks around it

    def start(self, sequence: NamedSequence) -> None:
        """Runs the sequence on the root. Undone, or ScheduleError, if not all of it was done."""
        block = sequence.body_region.block
        self.state.set(sequence, block.arguments[0], [self.state.root])
        run_steps(self.block(block, "propagate"))
        if self.failed is not None:
            raise self.failed

    def block(self, block: Block, failures: str) -> Steps:
        """The ops of a block. What is left undone ends it (`self.failed`), or is passed over with `suppress`."""
        for op in block:
            if op is block.terminator:
                self.state.check(op)
                return
            self.steps += 1
            if self.steps > MOST_STEPS:
                raise ScheduleError(f"{op.name}: the schedule takes more than {MOST_STEPS} steps", op.location)
            try:
                self.state.check(op)
                if isinstance(op, CONTROL):
                    yield from self.control(op)
                else:
                    self.apply(op)
            except Undone as undone:
                self.failed = undone
            if self.failed is not None:
                if failures == "propagate":
                    return
                self.failed = None
            self.complete(op)

    def complete(self, op: Op) -> None:
        """A result that was not made leads to nothing."""
        for value in op.results:
            if value not in self.state.ended and not self.is_set(value):
                self.state.set(op, value, [])

    def is_set(self, value: Value) -> bool:
        return any(value in table for table in (self.state.ops, self.state.values, self.state.params))

    def apply(self, op: Op) -> None:
        """One op that runs no others."""
        assert isinstance(op, TransformOp), op.name
        self.state.forget(op.results)
        if not actions.begin("apply", op):
            return
        self.state.consume(op, op.consumed_operands())
        try:
            HANDLERS[type(op)](self.state, op)
        except Refusal as refusal:
            where = refusal.location or op.location
            raise Undone(f"{op.name}: not done: {refusal.message}", op.location, [("of this op", where)]) from None
        finally:
            self.state.drop_lost(op)
            actions.end()

    # --- ops that run others -------------------------------------------------------------------------------------------

    def control(self, op: Op) -> Iterator[Steps]:
        self.state.forget(op.results)
        if isinstance(op, NestedSequence):
            yield from self.sequence(op)
        elif isinstance(op, Include):
            yield from self.include(op)
        else:
            assert isinstance(op, Foreach)
            yield from self.foreach(op)

    def enter(self, op: Op, block: Block, items: Sequence[Sequence[Any]]) -> None:
        for argument, found in zip(block.arguments, items):
            self.state.set(op, argument, found)

    def leave(self, op: Op, block: Block) -> list[list[Any]]:
        """What the block hands on; its own values go out of scope."""
        handed_on = [] if self.failed else [self.state.items_of(value) for value in block.terminator.operands]
        self.state.forget([*block.arguments, *(result for inner in block for result in inner.results)])
        return handed_on

    def sequence(self, op: NestedSequence) -> Iterator[Steps]:
        items = [self.state.items_of(value) for value in op.operands]
        self.enter(op, op.body, items)
        yield self.block(op.body, op.failure_propagation_mode)
        for result, found in zip(op.results, self.leave(op, op.body)):
            self.state.set(op, result, found)

    def include(self, op: Include) -> Iterator[Steps]:
        sequence = self.sequences.get(op.target)
        if sequence is None:
            raise ScheduleError(f"{op.name}: there is no transform.named_sequence @{op.target}", op.location)
        if sequence in self.including:
            raise ScheduleError(f"{op.name}: @{op.target} includes itself", op.location)
        block = sequence.body_region.block
        items = [self.state.items_of(value) for value in op.inputs]
        self.state.consume(op, op.consumed_by(sequence))
        self.enter(op, block, items)
        self.including.append(sequence)
        yield self.block(block, op.failure_propagation_mode)
        self.including.pop()
        for result, found in zip(op.results, self.leave(op, block)):
            self.state.set(op, result, found)

    def foreach(self, op: Foreach) -> Iterator[Steps]:
        items = [self.state.items_of(value) for value in op.targets]
        counts = [len(found) for found in items]
        if len(set(counts)) > 1 and not op.with_zip_shortest:
            raise Undone(f"{op.name}: handles must lead to as many ops, got {', '.join(map(str, counts))}", op.location)
        made: list[list[Any]] = [[] for _ in op.results]
        for one in zip(*items):
            self.enter(op, op.body, [[item] for item in one])
            yield self.block(op.body, "propagate")
            for found, more in zip(made, self.leave(op, op.body)):
                found += more
            if self.failed is not None:
                return
        for result, found in zip(op.results, made):
            self.state.set(op, result, found)
