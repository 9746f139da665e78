"""Branches and loops of the tensor level as `scf`: part of `lower-structured`.

The ops of a region move into the new one, where the pass meets them later; what a region yields is lowered last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tir.dialects import arith, scf, tensor
from tir.dialects.tir.control import If, Scan, While, Yield, unequal_length
from tir.ir.affine import AffineExpr, affine
from tir.ir.attributes import IntegerAttr
from tir.ir.builder import Builder
from tir.ir.ir import Block, Op, Region, Value
from tir.ir.types import I1, INDEX
from tir.passes.function_lowering import FunctionLowering
from tir.passes.lower_slices import put_in, taken_out
from tir.passes.sizes import Size
from tir.passes.structured import lowered_tensor_type, lowered_type

__all__ = ["CONTROL", "ControlLowering"]


@dataclass
class _Stacks:
    """The stacks that a loop carries, and the place in them of the step at hand."""

    carried: int
    stacks: Sequence[Value]
    shapes: Sequence[Sequence[Size]]
    position: Value


class ControlLowering:
    """The branches and loops of one function on their way."""

    def __init__(self, function: FunctionLowering) -> None:
        self.function, self.lowered, self.sizes, self.of = function, function.lowered, function.sizes, function.of
        self.ends: dict[Block, Callable[[Builder, Yield], None]] = {}  # how the yield of a new block is lowered

    def branch(self, b: Builder, op: If) -> list[Value]:
        """`tir.if` -> `scf.if` on the element of the condition."""
        condition = b.create(tensor.Extract, self.of(op.condition), [])
        regions = [Region([self._moved(block, Block([]))]) for block in op.blocks]
        regions += [Region([])] * (2 - len(regions))
        return list(b.op(scf.If, condition, result_types=self._types(op.values), regions=regions).results)

    def loop(self, b: Builder, op: While) -> list[Value]:
        """`tir.while` -> `scf.while`; with `max_trips` it counts its steps."""
        types = self._types(op.values)
        inits = [self.of(value) for value in op.inits]
        counted = op.max_trips is not None
        if counted:
            types, inits = [*types, INDEX], [*inits, self._number(b, 0)]
        before, after = Block(types), Block(types)
        self._enter(op.condition_region.block, before)
        self._enter(op.body_region.block, after)
        inner = Builder.at_end(before, op.location)
        if counted:
            self._bounded_condition(inner, op, before)
        else:
            self.ends[before] = lambda b, end: self._condition(b, b.create(tensor.Extract, self.of(end.operand(0)), []))
            self._moved(op.condition_region.block, before)
        trips = after.arguments[-1] if counted else None
        self.ends[after] = lambda b, end: self._next(b, end, trips)
        self._moved(op.body_region.block, after)
        made = b.op(scf.While, inits, result_types=types, regions=[Region([before]), Region([after])])
        return list(made.results[: len(op.values)])

    def _bounded_condition(self, b: Builder, op: While, before: Block) -> None:
        """The condition is asked only while steps are left: it might fail behind the last one."""
        left = b.create(arith.CmpI, before.arguments[-1], self._number(b, op.max_trips), predicate="slt")
        asked, over = Block([]), Block([])
        never = Builder.at_end(over, op.location)
        never.op(scf.Yield, [never.create(arith.Constant, value=IntegerAttr(0, I1))], result_types=[])
        self.ends[asked] = lambda b, end: self._yield(b, [b.create(tensor.Extract, self.of(end.operand(0)), [])])
        self._moved(op.condition_region.block, asked)
        found = b.op(scf.If, left, result_types=[I1], regions=[Region([asked]), Region([over])])
        self._condition(b, found.results[0])

    def _condition(self, b: Builder, holds: Value) -> None:
        assert b.block is not None
        b.op(scf.Condition, holds, list(b.block.arguments), result_types=[])

    def _next(self, b: Builder, end: Yield, trips: Value | None) -> None:
        values = [self.of(value) for value in end.operands]
        self._yield(b, values if trips is None else [*values, b.create(arith.AddI, trips, self._number(b, 1))])

    def scan(self, b: Builder, op: Scan) -> list[Value]:
        """`tir.scan` -> `scf.for` that carries the stacks too."""
        length = self._length(b, op)
        carried = [self.of(value) for value in op.inits]
        shapes = [[length, *(affine(dim) for dim in value.type.shape[1:])] for value in op.stacks]  # type: ignore
        types = self._types(op.stacks)
        empty = [
            b.create(tensor.Empty, self.function.dynamic_sizes(b, type, shape), result_types=[type])
            for type, shape in zip(types, shapes)
        ]
        for stack, shape in zip(op.stacks, shapes):
            self.sizes.set_shape(stack, shape)
        steps = self.sizes.emit(b, length)
        low, one = (self.sizes.emit(b, affine(number)) for number in (0, 1))
        types = [*self._types(op.inits), *types]  # an argument of the function has still the type of the tensor level
        block = Block([INDEX, *types])
        regions = [Region([block])]
        made = b.op(scf.For, low, steps, one, [*carried, *empty], result_types=types, regions=regions)
        self._enter_scan(op, block, steps, shapes)
        return list(made.results)

    def _enter_scan(self, op: Scan, block: Block, steps: Value, shapes: Sequence[Sequence[Size]]) -> None:
        b = Builder.at_end(block, op.location)
        index = block.arguments[0]
        position: Value = index
        if op.reverse:
            last = b.create(arith.SubI, steps, self.sizes.emit(b, affine(1)))
            position = b.create(arith.SubI, last, index)
        count = len(op.inits)
        for argument, new in zip(op.carried, block.arguments[1:]):
            new.hint = argument.hint
            self.lowered[argument] = new
        for argument, sequence in zip(op.elements, op.sequences):
            shape = self.sizes.shape(sequence)[1:]
            self.sizes.set_shape(argument, shape)
            type = lowered_tensor_type(argument.type)  # type: ignore[arg-type]
            self.lowered[argument] = taken_out(self.function, b, self.of(sequence), *_row(position, shape), type)
            self.lowered[argument].hint = argument.hint
        stacks = block.arguments[1 + count :]
        self.ends[block] = lambda b, end: self._stack(b, end, _Stacks(count, stacks, shapes, position))
        self._moved(op.body, block)

    def _stack(self, b: Builder, end: Yield, loop: _Stacks) -> None:
        values = [self.of(value) for value in end.operands[: loop.carried]]
        yielded = end.operands[loop.carried :]
        for value, stack, shape in zip(yielded, loop.stacks, loop.shapes):  # whose types say that the sizes are equal
            values.append(put_in(self.function, b, self.of(value), stack, *_row(loop.position, shape[1:])))
        self._yield(b, values)

    def _length(self, b: Builder, op: Scan) -> Size:
        """The number of steps; asserts that sequences and stacks agree on it."""
        length = self.sizes.shape(op.sequences[0])[0]
        for number, value in enumerate(op.sequences[1:], 1):
            message = unequal_length(f"sequence {number}")
            self.sizes.require_equal(b, self.sizes.shape(value)[0], length, f"{op.name}: {message}")
        for number, value in enumerate(op.stacks, len(op.inits)):
            dim = value.type.shape[0]  # type: ignore[attr-defined]
            if isinstance(dim, (int, AffineExpr)):
                message = unequal_length("sequence 0", f"result {number}")
                self.sizes.require_equal(b, length, affine(dim), f"{op.name}: {message}")
        return length

    def yielded(self, b: Builder, op: Yield) -> list[Value]:
        """What a region of one of these hands on."""
        assert op.parent is not None
        self.ends.get(op.parent, lambda b, end: self._yield(b, [self.of(value) for value in end.operands]))(b, op)
        return []

    # --- small parts -------------------------------------------------------------------------------------------------

    def _yield(self, b: Builder, values: Sequence[Value]) -> None:
        b.op(scf.Yield, list(values), result_types=[])

    def _moved(self, old: Block, new: Block) -> Block:
        """The new block with the ops of the old one."""
        for op in list(old):
            op.detach()
            new.append(op)
        return new

    def _enter(self, old: Block, new: Block) -> None:
        """The arguments of the old block are the first of the new one."""
        for argument, given in zip(old.arguments, new.arguments):
            given.hint = argument.hint
            self.lowered[argument] = given

    def _types(self, values: Sequence[Value]) -> list[Any]:
        return [lowered_type(value.type) for value in values]

    def _number(self, b: Builder, number: int) -> Value:
        return self.sizes.emit(b, affine(number))


def _row(position: Value, shape: Sequence[Size]) -> tuple[list[Value | int], list[Size]]:
    """Where the slice of this shape at a position along axis 0 begins, and its sizes."""
    return [position, *[0] * len(shape)], [affine(1), *shape]


#: How the ops are lowered.
CONTROL: list[tuple[type[Op], Callable[[ControlLowering, Builder, Any], list[Value]]]] = [
    (If, ControlLowering.branch),
    (While, ControlLowering.loop),
    (Scan, ControlLowering.scan),
    (Yield, ControlLowering.yielded),
]
