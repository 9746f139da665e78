"""The loops of a reduction that chooses, such as argmax: along rows in vectors, each lane on its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tir.dialects import arith, linalg, memref, vector
from tir.ir.attributes import DenseAttr, pack
from tir.ir.builder import Builder
from tir.ir.ir import Op, Value, clone_into
from tir.ir.types import INDEX, MemRefType, Type, VectorType, element_type
from tir.passes.choosing_reduction import Choice, is_along
from tir.passes.loop_nest import Nest, known_size

__all__ = ["ChoosingNest"]

SIDE_BY_SIDE = 2  # vectors that need not wait for each other


class ChoosingNest(Nest):
    """A reduction that chooses, with vectors along its innermost loop; `choosing_reduction.py` says why it may.

    Several vectors go side by side, so that they need not wait for each other. Behind the loops what all lanes hold is
    offered to the outputs. Rows that fill no vector go point by point.
    """

    def __init__(self, op: linalg.Generic, choice: Choice) -> None:
        super().__init__(op)
        self.choice = choice

    def reduce(self, dims: Sequence[int], carried: Sequence[Value]) -> Sequence[Value]:
        count, dim = len(carried), dims[-1]
        lanes = [self.widened(value) for value in carried] * SIDE_BY_SIDE

        def row(state: Sequence[Value]) -> Sequence[Value]:
            size, width = self.sizes[dim], self.constant(self.choice.lanes)
            points, scalars = size, state[:count]
            if known_size(self.op, dim, 0) < self.choice.lanes:  # nothing but run time knows whether a vector fits
                fits = self.b.create(arith.CmpI, size, width, predicate="uge")
                short = self.b.create(arith.Select, fits, self.constant(0), size)
                points = self.b.create(arith.SubI, size, short)
                scalars = self.loop(self.constant(0), short, 1, scalars, point)
            last = self.b.create(arith.SubI, size, width)
            step = self.fold_vectors(dim, last)
            stride = self.choice.lanes * SIDE_BY_SIDE
            return [*scalars, *self.loop(self.constant(0), points, stride, state[count:], step)]

        def point(at: Value, carried: Sequence[Value]) -> Sequence[Value]:
            self.at[dim] = at
            return self.fold_point(carried)

        state = self.fold(dims[:-1], [*carried, *lanes], row)
        held = state[count : 2 * count]
        for start in range(2 * count, len(state), count):
            held = self.choose(held, state[start : start + count])

        return self.choose(state[:count], self.one_lane(held))

    def one_lane(self, held: Sequence[Value]) -> Sequence[Value]:
        """What one lane holds to which all others are offered: half of the lanes to the other half, again and again."""
        lanes, zero = self.choice.lanes, self.constant(0)
        types = [element_type(value.type) for value in held]
        rooms = [self.b.create(memref.Alloca, [], result_types=[MemRefType((lanes,), type)]) for type in types]
        while lanes > 2:
            lanes //= 2
            for value, room in zip(held, rooms):
                self.b.op(vector.Store, value, room, [zero], result_types=[])
            halves = [
                [self.b.create(vector.Load, room, [start], result_types=[VectorType((lanes,), type)])
                 for room, type in zip(rooms, types)]
                for start in (zero, self.constant(lanes))
            ]  # fmt: skip
            held = self.choose(*halves)
        return self.choose(*([self.lane(value, number) for value in held] for number in range(lanes)))

    def fold_vectors(self, dim: int, last: Value) -> Callable[[Value, Sequence[Value]], Sequence[Value]]:
        """A step of some vectors of points along `dim`: from where it begins and what the lanes hold to what they do.

        A vector that would end behind the row starts at `last`: that a point is offered twice changes nothing.
        """

        def step(at: Value, state: Sequence[Value]) -> list[Value]:
            made: list[Value] = []
            count = len(self.op.outputs)
            for number in range(SIDE_BY_SIDE):
                start = self.b.create(arith.AddI, at, self.constant(number * self.choice.lanes)) if number else at
                self.at[dim] = self.b.create(arith.MinUI, start, last)
                values = dict(zip(self.op.output_arguments, state[number * count : (number + 1) * count]))
                for i, argument in enumerate(self.op.input_arguments):
                    if argument.is_used:
                        values[argument] = self.load_lanes(i, dim)
                made += self.compute_lanes(values, dim)
            return made

        return step

    def compute_lanes(self, mapping: dict[Any, Any], dim: int) -> list[Value]:
        """The body for a vector of points along `dim`."""
        for inner in self.op.body:
            if isinstance(inner, linalg.Yield):
                return [self.widened(mapping.get(value, value)) for value in inner.values]
            if isinstance(inner, linalg.Index):
                mapping[inner.result] = self.lane_numbers(dim) if inner.dim == dim else self.at[inner.dim]
            else:
                self.copy(inner, mapping)
        raise AssertionError("the body has no linalg.yield")

    def choose(self, held: Sequence[Value], offered: Sequence[Value]) -> list[Value]:
        """What is held behind an offer, of scalars or of vectors."""
        mapping: dict[Any, Any] = {**dict(zip(self.op.output_arguments, held)), **dict(zip(self.choice.terms, offered))}
        for inner in self.choice.deciding:
            self.copy(inner, mapping)
        taken = mapping[self.choice.condition]
        pairs = [(new, old) if self.choice.taken_if else (old, new) for new, old in zip(offered, held)]
        return [self.b.create(arith.Select, taken, *pair) for pair in pairs]

    def copy(self, op: Op, mapping: dict[Any, Any]) -> None:
        """A copy of an op of the body; on vectors if one of the new operands is one."""
        operands = [mapping.get(value, value) for value in op.operands]
        made = self.b.insert(clone_into(op, mapping))
        for type in (value.type for value in operands if isinstance(value.type, VectorType)):
            made.set_operands([self.widened(value, type.static_shape[0], made) for value in operands])
            for result in made.results:
                result.type = VectorType(type.shape, element_type(result.type))

    # --- vectors ---------------------------------------------------------------------------------------------------

    def vector_type(self, element: Type) -> VectorType:
        return VectorType((self.choice.lanes,), element)

    def widened(self, value: Value, lanes: int | None = None, before: Op | None = None) -> Value:
        """The value in all lanes, if it is not in lanes already."""
        if isinstance(value.type, VectorType):
            return value
        b = self.b if before is None else Builder.before(before)
        type = VectorType((lanes or self.choice.lanes,), value.type)
        return b.create(vector.Broadcast, value, result_types=[type])

    def lane(self, value: Value, number: int) -> Value:
        return self.b.create(vector.Extract, value, [], static_position=[number])

    def lane_numbers(self, dim: int) -> Value:
        """The counter of each lane."""
        type = self.vector_type(INDEX)
        steps = self.b.create(arith.Constant, value=DenseAttr(type, pack(range(self.choice.lanes), INDEX)))
        return self.b.create(arith.AddI, self.widened(self.at[dim]), steps)

    def load_lanes(self, operand: int, dim: int) -> Value:
        """An element for each lane; or one for all, where the operand does not depend on `dim`."""
        if not is_along(self.op, operand, dim):
            return self.load(operand)
        source = self.op.operand(operand)
        type = self.vector_type(element_type(source.type))
        return self.b.create(vector.Load, source, self.indices(self.op.maps[operand]), result_types=[type])
