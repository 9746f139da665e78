"""Writes the loops of `vectorize`: one over whole vectors, one over what is left, under a mask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from tir.dialects import arith, memref, scf, vector
from tir.ir.attributes import DenseAttr, IntegerAttr, UnitAttr, pack
from tir.ir.builder import Builder
from tir.ir.flow import known_number
from tir.ir.ir import Block, Op, Region, Value, clone_into
from tir.ir.types import I1, INDEX, IndexType, Type, VectorType
from tir.passes.loop_builder import LoopBuilder, counted_loop
from tir.passes.vector_plan import NEUTRAL, VectorPlan

__all__ = ["write_vector_loop"]


def write_vector_loop(plan: VectorPlan, one_body: bool = False) -> None:
    """Puts loops over vectors in the place of the plan's loop. one_body: a single one, whose steps all have a mask."""
    loop, b = plan.loop, Builder.before(plan.loop)
    if isinstance(loop, scf.For):
        results = _VectorLoop(plan, b, loop, loop.lowerBound, loop.upperBound).write(list(loop.initArgs), one_body)
        for old, new in zip(loop.results, results):
            old.replace_all_uses_with(new)
    else:
        with _other_dimensions(loop, b) as place:
            _VectorLoop(plan, b, place, loop.lowerBound[-1], loop.upperBound[-1]).write([], one_body)
    loop.erase()


@contextmanager
def _other_dimensions(loop: scf.Parallel, b: Builder) -> Iterator[Op]:
    """The inside of a loop, which it gives, over all dimensions but the last; the loop itself if there is no other."""
    *counters, _ = loop.induction_variables
    if not counters:
        yield loop
        return
    block = Block([INDEX] * len(counters))
    bounds = [list(bound)[:-1] for bound in (loop.lowerBound, loop.upperBound, loop.step)]
    around = b.op(scf.Parallel, *bounds, [], result_types=[], regions=[Region([block])])
    end = Builder(block, None, loop.location).op(scf.Reduce, [], result_types=[])
    for old, new in zip(counters, block.arguments):
        new.hint = old.hint
        old.replace_all_uses_with(new)
    with b.at(block, end):
        yield around


@dataclass
class _Step:
    """Where one copy of the body stands. at: the counter of its first lane; mask: which lanes count, None for all.

    shared: what is the same for all copies that stand in one loop, as scalars; wide: the same as vectors.
    """

    at: Value
    mask: Value | None
    shared: dict[Any, Any]
    wide: dict[Value, Value]
    scalars: dict[Any, Any] = field(default_factory=dict)
    vectors: dict[Any, Any] = field(default_factory=dict)


class _VectorLoop(LoopBuilder):
    """The loops over vectors at the insertion point. front, front_wide: what is made in front of them."""

    def __init__(self, plan: VectorPlan, b: Builder, place: Op, low: Value, high: Value) -> None:
        super().__init__(b)
        self.plan, self.low, self.high = plan, low, high
        self.lanes = plan.lanes
        self.front: dict[Any, Any] = {}
        self.front_wide: dict[Value, Value] = {}
        #: Constants, and where the loops end, stand in front of all loops in which the bounds stay the same.
        self.outside = _outermost(place, low, high)
        with self.b.at(*self.outside):
            self.first = self.constant(self.lanes).op

    # --- loops -------------------------------------------------------------------------------------------------------

    def write(self, start: Sequence[Value], one_body: bool) -> list[Value]:
        """The loops; what the values are that they carry, `start` at first."""
        self.hoist()
        self.edge = self.b.op(arith.Constant, value=IntegerAttr(0, INDEX))  # stands between what is hoisted and the loops
        if one_body:
            lanes = self.neutral()[: len(self.plan.reductions)]
            found = self.across_all(self.masked_loop(self.low, self.high, lanes), start)
        else:
            found = self.open(start) if self.plan.count is None else self.known(self.plan.count, start)
        self.edge.erase()
        return found

    def open(self, start: Sequence[Value]) -> list[Value]:
        """The loops over as many iterations as run time says: in vectors, or one by one if they are few."""
        with self.b.at(*self.outside):
            count = self.counted()
            rest = self.b.create(arith.RemUI, count, self.constant(self.lanes * self.plan.side_by_side))
            whole = self.after(self.b.create(arith.SubI, count, rest))
            end = self.high
            if self.plan.fewest:
                few = self.b.create(arith.CmpI, count, self.constant(self.plan.fewest), predicate="ult")
                end = self.b.create(arith.Select, few, whole, self.high)
                end_of_few = self.b.create(arith.Select, few, self.high, self.low)
        held = self.main_loop(self.low, whole)
        if not self.plan.is_masked:
            return self.one_by_one(whole, self.high, self.across_all(held, start))
        found = self.across_all(self.masked_loop(whole, end, held), start)
        return self.one_by_one(self.low, end_of_few, found) if self.plan.fewest else found

    def counted(self) -> Value:
        """How many iterations there are."""
        from_zero = self.begins_with_zero()
        count = self.high if from_zero else self.b.create(arith.SubI, self.high, self.low)
        if from_zero and isinstance(self.high.op, memref.Dim):
            return count
        return self.b.create(arith.MaxSI, count, self.constant(0))

    def begins_with_zero(self) -> bool:
        return known_number(self.low) == 0

    def after(self, count: Value) -> Value:
        """Where the counter stands behind so many iterations."""
        return count if self.begins_with_zero() else self.b.create(arith.AddI, self.low, count)

    def known(self, count: int, start: Sequence[Value]) -> list[Value]:
        """The loops over a number of iterations that is known: what is left needs no loop."""
        stride = self.lanes * self.plan.side_by_side
        end = count - count % stride
        if end == stride:
            held = self.added_up(self.side_by_side(self.low, self.neutral()))
        elif end:
            held = self.main_loop(self.low, self.plus(self.low, end))
        else:
            held = self.neutral()[: len(self.plan.reductions)]
        if not self.plan.is_masked:
            found = self.across_all(held, start)
            return self.one_by_one(self.plus(self.low, end), self.plus(self.low, count), found) if end < count else found
        shared: tuple[dict[Any, Any], dict[Value, Value]] = ({}, {})
        for at in range(end, count, self.lanes):
            mask = None
            if count - at < self.lanes:
                mask = self.b.create(vector.CreateMask, [self.constant(count - at)], result_types=[self.type(I1)])
            held = self.step(_Step(self.plus(self.low, at), mask, *shared), held)
        return self.across_all(held, start)

    def one_by_one(self, begin: Value, end: Value, start: Sequence[Value]) -> list[Value]:
        """The loop as it was, from `begin` to `end`."""
        plan = self.plan

        def step(at: Value, carried: Sequence[Value]) -> Sequence[Value]:
            mapping: dict[Any, Any] = {plan.counter: at}
            if isinstance(plan.loop, scf.For):
                mapping.update(zip(plan.loop.iter_args, carried))
            for op in plan.loop.walk():  # what ends a loop inside, too
                mapping.update((value, self.in_front(value)) for value in op.operands if value.op in self.hoisted)
            for op in plan.loop.body:
                if op not in self.hoisted and op is not plan.loop.body.terminator:
                    self.b.insert(clone_into(op, mapping))
            return [mapping[op.results[0]] for op in plan.reductions]

        found = list(self.loop_over(begin, end, 1, start, step))
        assert self.b.anchor is not None
        assert self.b.anchor.previous is not None
        self.b.anchor.previous.set_attribute(scf.SHORT, UnitAttr())
        return found

    def main_loop(self, low: Value, end: Value) -> list[Value]:
        """The loop over whole steps; what it has combined."""
        stride = self.lanes * self.plan.side_by_side
        return self.added_up(self.loop_over(low, end, stride, self.neutral(), self.side_by_side))

    def loop_over(self, low: Value, high: Value, stride: int, state: Sequence[Value], body: Any) -> Sequence[Value]:
        """A loop in order if it carries something, or else a parallel one."""

        def named(at: Value, state: Sequence[Value]) -> Sequence[Value]:
            at.hint = self.plan.counter.hint
            return body(at, state)

        if state:
            return self.loop(low, high, stride, state, named)
        with self.parallel([low], [high], [stride]) as (at,):
            named(at, [])
        return []

    def side_by_side(self, at: Value, state: Sequence[Value]) -> list[Value]:
        """One step of the main loop."""
        carried, made = len(self.plan.reductions), []
        shared: tuple[dict[Any, Any], dict[Value, Value]] = ({}, {})
        for number in range(self.plan.side_by_side):
            held = state[number * carried : (number + 1) * carried]
            made += self.step(_Step(self.plus(at, number * self.lanes), None, *shared), held)
        return made

    def masked_loop(self, low: Value, high: Value, held: Sequence[Value]) -> Sequence[Value]:
        """The loop over vectors that need not be full; what it has combined."""
        return self.loop_over(low, high, self.lanes, held, lambda at, held: self.masked(at, high, held))

    def masked(self, at: Value, high: Value, held: Sequence[Value]) -> Sequence[Value]:
        """One step over a vector that need not be full."""
        left = self.b.create(arith.SubI, high, at)
        mask = self.b.create(vector.CreateMask, [left], result_types=[self.type(I1)])
        return self.step(_Step(at, mask, {}, {}), held)

    # --- reductions --------------------------------------------------------------------------------------------------

    def neutral(self) -> list[Value]:
        """What each lane holds at first, for all vectors that go side by side."""
        return [self.dense(*_neutral(op)) for op in self.plan.reductions] * self.plan.side_by_side

    def added_up(self, state: Sequence[Value]) -> list[Value]:
        """The vectors that went side by side as one, for each value that the loop carries."""
        carried = len(self.plan.reductions)
        held = list(state[:carried])
        for start in range(carried, len(state), carried or 1):
            for k, op in enumerate(self.plan.reductions):
                held[k] = self.combined(op, held[k], state[start + k])
        return held

    def combined(self, op: Op, first: Value, second: Value) -> Value:
        copy = self.b.insert(clone_into(op, {}))
        copy.set_operands([first, second])
        copy.results[0].type = first.type
        return copy.results[0]

    def across_all(self, held: Sequence[Value], start: Sequence[Value]) -> list[Value]:
        """The values that the loop carries, behind it."""
        return [self.across(op, lanes, first) for op, lanes, first in zip(self.plan.reductions, held, start)]

    def across(self, op: Op, lanes: Value, first: Value) -> Value:
        """One number out of that of each lane and the one that the loop began with."""
        flags = {"fastmath": op.fastmath} if "fastmath" in op.properties else {}  # type: ignore[attr-defined]
        kind = NEUTRAL[type(op)][0]
        return self.b.create(vector.Reduction, lanes, first, kind=kind, result_types=[first.type], **flags)

    # --- the body ----------------------------------------------------------------------------------------------------

    def hoist(self) -> None:
        """Computes in front of the loops what each step would compute from values outside of them."""
        inside = {result for op in self.plan.all_ops for result in op.results} | set(self.plan.loop.body.arguments)
        inside.update(argument for loop in self.plan.inner for argument in loop.body.arguments)
        self.hoisted: set[Op] = set()
        for op in self.plan.all_ops:
            if isinstance(op, arith.Constant):
                self.hoisted.add(op)  # made where it is asked for
            elif self.plan.can_hoist(op):
                if all(value not in inside or value.op in self.hoisted for value in op.operands):
                    self.hoisted.add(op)
                    mapping = {value: self.in_front(value) for value in op.operands}
                    self.front[op.results[0]] = self.b.insert(clone_into(op, mapping)).results[0]

    def in_front(self, value: Value) -> Value:
        """A value that is there in front of the loops, as a scalar."""
        if value.op in self.hoisted and value not in self.front:
            assert isinstance(value.op, arith.Constant)
            assert self.first is not None
            copy = clone_into(value.op, {})
            copy.move_before(self.first)
            self.front[value] = copy.results[0]
        return self.front.get(value, value)

    def step(self, step: _Step, held: Sequence[Value]) -> list[Value]:
        """A copy of the body; what the carried values are behind it."""
        loop = self.plan.loop
        step.scalars[self.plan.counter] = step.at
        if isinstance(loop, scf.For):
            step.vectors.update(zip(loop.iter_args, held))
        self.body(step, loop.body)
        ends = [step.vectors[op.results[0]] for op in self.plan.reductions]
        if step.mask is None:
            return ends
        return [self.b.create(arith.Select, step.mask, new, old) for new, old in zip(ends, held)]

    def body(self, step: _Step, block: Block) -> None:
        """The ops of a block, but for what ends it."""
        is_inner = block is not self.plan.loop.body
        for op in block:
            if op is block.terminator or op in self.hoisted:
                continue
            if isinstance(op, scf.For):
                self.inner_loop(step, op)
            elif isinstance(op, memref.Load) and self.plan.is_on_lanes(op):
                step.vectors[op.result] = self.load(step, op)
            elif isinstance(op, memref.Store):
                self.store(step, op)
            elif self.plan.is_on_lanes(op):
                self.on_lanes(step, op)
            elif op.results[0] in self.plan.linear or is_inner:
                self.scalar_copy(step, op, step.scalars)
            elif op.results[0] not in step.shared:
                self.scalar_copy(step, op, step.shared)

    def inner_loop(self, step: _Step, loop: scf.For) -> None:
        """A loop through which all lanes go together. What is made in it is unknown behind it."""
        low, high, by = (self.scalar(step, value) for value in (loop.lowerBound, loop.upperBound, loop.step))
        starts = [self.vector(step, value) for value in loop.initArgs]

        def once(at: Value, carried: Sequence[Value]) -> Sequence[Value]:
            at.hint = loop.induction_variable.hint
            inside = replace(
                step, shared=dict(step.shared), wide=dict(step.wide), scalars={**step.scalars, loop.induction_variable: at},
                vectors={**step.vectors, **dict(zip(loop.iter_args, carried))},
            )  # fmt: skip
            self.body(inside, loop.body)
            return [self.vector(inside, value) for value in loop.yielded]

        step.vectors.update(zip(loop.results, counted_loop(self.b, low, high, by, starts, once)))

    def scalar_copy(self, step: _Step, op: Op, results: dict[Any, Any]) -> None:
        copy = self.b.insert(clone_into(op, {value: self.scalar(step, value) for value in op.operands}))
        results[op.results[0]] = copy.results[0]

    def on_lanes(self, step: _Step, op: Op) -> None:
        """The op on vectors."""
        operands = [self.vector(step, value) for value in op.operands]
        copy = clone_into(op, {})
        copy.set_operands(operands)
        result = copy.results[0]
        result.type = self.type(result.type)
        self.b.insert(copy)
        step.vectors[op.results[0]] = result

    def load(self, step: _Step, op: memref.Load) -> Value:
        type = self.type(op.result.type)
        place = self.scalar(step, op.memref), [self.scalar(step, index) for index in op.indices]
        if step.mask is None:
            return self.b.create(vector.Load, *place, result_types=[type])
        return self.b.create(vector.MaskedLoad, *place, step.mask, self.dense(op.result.type, 0), result_types=[type])

    def store(self, step: _Step, op: memref.Store) -> None:
        value = self.vector(step, op.value)
        place = self.scalar(step, op.memref), [self.scalar(step, index) for index in op.indices]
        if step.mask is None:
            self.b.op(vector.Store, value, *place, result_types=[])
        else:
            self.b.op(vector.MaskedStore, *place, step.mask, value, result_types=[])

    # --- values ------------------------------------------------------------------------------------------------------

    def scalar(self, step: _Step, value: Value) -> Value:
        """A uniform value, or that of the first lane of one that grows by one."""
        for known in (step.scalars, step.shared):
            if value in known:
                return known[value]
        return self.in_front(value)

    def vector(self, step: _Step, value: Value) -> Value:
        """The value with one number for each lane."""
        found = step.vectors.get(value) or step.wide.get(value) or self.front_wide.get(value)
        if found is not None:
            return found
        if value in self.plan.linear:
            found = step.vectors[value] = self.b.create(arith.AddI, self.broadcast(self.scalar(step, value)), self.numbers())
        elif value in step.scalars:
            found = step.vectors[value] = self.broadcast(step.scalars[value])
        elif value in step.shared:
            found = step.wide[value] = self.broadcast(step.shared[value])
        elif isinstance(value.op, arith.Constant):
            found = self.front_wide[value] = self.dense(value.type, value.op.value.value)
        else:
            scalar = self.in_front(value)
            assert self.edge.parent is not None
            with self.b.at(self.edge.parent, self.edge):
                found = self.front_wide[value] = self.broadcast(scalar)
        return found

    def broadcast(self, scalar: Value) -> Value:
        return self.b.create(vector.Broadcast, scalar, result_types=[self.type(scalar.type)])

    def numbers(self) -> Value:
        """0, 1, 2, .. in the lanes."""
        return self.dense_of(DenseAttr(self.type(INDEX), pack(range(self.lanes), INDEX)))

    def dense(self, type: Type, number: float | int) -> Value:
        """The number in all lanes."""
        return self.dense_of(DenseAttr.splat(number, self.type(type)))

    def dense_of(self, attribute: DenseAttr) -> Value:
        """A constant in front of the loops."""
        found = self.front_wide.get(attribute)  # type: ignore[call-overload]
        if found is None:
            assert self.first is not None
            made = self.b.op(arith.Constant, value=attribute)
            made.move_before(self.first)
            found = self.front_wide[attribute] = made.results[0]  # type: ignore[index]
        return found

    def type(self, element: Type) -> VectorType:
        return VectorType((self.lanes,), element)

    def plus(self, value: Value, number: int) -> Value:
        if isinstance(value.op, arith.Constant):
            return self.constant(value.op.value.value + number)
        return self.b.create(arith.AddI, value, self.constant(number)) if number else value


def _outermost(loop: Op, low: Value, high: Value) -> tuple[Block, Op]:
    """The block of the outermost loop around this one in front of which its bounds are known, and that loop.

    What stands in front of loops on threads would have to be handed to each of them.
    """
    place, around = loop, loop.parent_op
    while isinstance(around, (scf.For, scf.Parallel, scf.If)) and scf.THREADS not in around.attributes:
        if low.is_made_inside(around) or high.is_made_inside(around):
            break
        place, around = around, around.parent_op
    assert place.parent is not None
    return place.parent, place


def _neutral(op: Op) -> tuple[Type, float | int]:
    """The type of a reduction, and what changes nothing in it."""
    type, number = op.results[0].type, NEUTRAL[op.__class__][1]
    if number is not None:
        return type, number
    top = 1 << (63 if isinstance(type, IndexType) else type.width - 1)  # type: ignore[attr-defined]
    return type, -top if isinstance(op, arith.MaxSI) else top - 1
