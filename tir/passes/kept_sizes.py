"""Where the sizes of tensors come from, through loops and conditions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tir.dialects import scf
from tir.ir.ir import Block, BlockArgument, Op, OpResult, Value
from tir.ir.types import TensorType
from tir.passes.loop_sizes import LoopSizes, Size

__all__ = ["KeptSizes"]


class KeptSizes(LoopSizes):
    """The sizes in a function, taken down before anything changes, if each loop keeps those of what it carries.

    changing: the loops of which the program does not show that they do. written: for calls whose results are changed
    operands, the positions of these.
    """

    def __init__(self, function: Op, written: Mapping[Op, Sequence[int]]) -> None:
        super().__init__()
        self.written = written
        loops: list[scf.For | scf.While] = []
        for op in _innermost_first(function):
            if isinstance(op, scf.If):
                self._note_branches(op)
            for value in (*_arguments(op), *op.results):
                self._note(value)
            if isinstance(op, (scf.For, scf.While)):
                loops.append(op)
        self.changing: set[Op] = {loop for loop in loops if not all(self.are_same(a, b) for a, b in _carried(loop))}

    def _note(self, value: Value) -> None:
        if isinstance(value.type, TensorType):
            for axis in range(value.type.rank):
                self.of_axis(value, axis)

    def _note_branches(self, op: scf.If) -> None:
        """A result has the size of what both branches hand on, if that is one."""
        if op.else_block is None:
            return
        for result, one, other in zip(op.results, op.then_block.terminator.operands, op.else_block.terminator.operands):
            if isinstance(result.type, TensorType):
                for axis in range(result.type.rank):
                    size = self.of_axis(one, axis)
                    if size == self.of_axis(other, axis):
                        self._known[result, axis] = size

    def are_same(self, first: Value, second: Value) -> bool:
        """Both tensors are known to have the same sizes."""
        type = first.type
        return not isinstance(type, TensorType) or all(
            self.of_axis(first, axis) == self.of_axis(second, axis) for axis in range(type.rank)
        )

    def step(self, value: Value, axis: int) -> Size:
        """One step back: what a loop carries, or a call changes, has the sizes of what it started with."""
        source = _source(value, self.written)
        if source is None or self._stays_inside(value, source, axis):
            return super().step(value, axis)
        return source, axis

    def _stays_inside(self, value: Value, source: Value, axis: int) -> bool:
        """What an scf.while hands on has a size that is known where its condition is computed, and nowhere else."""
        block = value.block
        assert block is not None
        loop = block.parent_op if value.op is None else value.op
        if not isinstance(loop, scf.While) or block is loop.before.block:
            return False
        size = self.of_axis(source, axis)
        root = size[0] if isinstance(size, tuple) else size
        return isinstance(root, Value) and root.is_made_inside(loop)


def _source(value: Value, written: Mapping[Op, Sequence[int]]) -> Value | None:
    """The tensor that a value of a loop, or of a call that changes it, starts from."""
    if isinstance(value, OpResult):
        if value.op in written:
            return value.op.operands[written[value.op][value.index]]
        if isinstance(value.op, scf.For):
            return value.op.initArgs[value.index]
        if isinstance(value.op, scf.ForAll):
            return value.op.outputs[value.index]
        if isinstance(value.op, scf.While):
            return value.op.before.block.terminator.operand(1 + value.index)
        return None
    assert isinstance(value, BlockArgument)
    op = value.owner.parent_op
    if isinstance(op, scf.For):
        return op.initArgs[value.index - 1]
    if isinstance(op, scf.ForAll):
        return op.outputs[value.index - op.rank]
    if isinstance(op, scf.While):
        is_first = value.owner is op.before.block
        return op.inits[value.index] if is_first else op.before.block.terminator.operand(1 + value.index)
    return None


def _carried(loop: scf.For | scf.While) -> list[tuple[Value, Value]]:
    """What the loop carries, with what it becomes on the way to the next iteration and there."""
    if isinstance(loop, scf.For):
        return list(zip(loop.iter_args, loop.yielded))
    arguments, passed = loop.before.block.arguments, loop.before.block.terminator.operands[1:]
    halfway = [(a, b) for a, b in zip(arguments, passed) if a.type is b.type]
    return [*halfway, *zip(arguments, loop.after.block.terminator.operands)]


def _innermost_first(root: Op) -> Iterator[Op]:
    """`root` and the ops inside it in the order of the text, but each behind those inside it."""
    stack: list[tuple[Op, Iterator[Op]]] = [(root, _ops_inside(root))]
    while stack:
        around, rest = stack[-1]
        op = next(rest, None)
        if op is None:
            stack.pop()
            yield around
        elif op.regions:
            stack.append((op, _ops_inside(op)))
        else:
            yield op


def _arguments(op: Op) -> Iterator[Value]:
    return (argument for region in op.regions for block in region.blocks for argument in block.arguments)


def _ops_inside(op: Op) -> Iterator[Op]:
    blocks: list[Block] = [block for region in op.regions for block in region.blocks]
    return iter([inner for block in blocks for inner in block])
