"""Loops that are being written, in order or parallel, with the index constants and sizes of buffers that they need."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from tir.dialects import arith, memref, scf
from tir.ir.attributes import IntegerAttr
from tir.ir.builder import Builder
from tir.ir.ir import Block, Region, Value
from tir.ir.types import INDEX, Type

__all__ = ["LoopBuilder", "Step", "counted_loop"]

Step = Callable[[Sequence[Value]], Sequence[Value]]  # what the carried values become
Body = Callable[[Value, Sequence[Value]], Sequence[Value]]  # the same, from the counter too


def counted_loop(
    b: Builder, start: Value, stop: Value, step: Value, carried: Sequence[Value], body: Body,
    types: Sequence[Type] | None = None,
) -> Sequence[Value]:  # fmt: skip
    """A loop in order that hands on values: `body(counter, carried)` gives the next ones. What they are behind it.

    types: of the carried values inside and behind the loop, where those in front of it are not lowered yet.
    """
    types = [value.type for value in carried] if types is None else types
    block = Block([INDEX, *types])
    loop = b.op(scf.For, start, stop, step, carried, result_types=types, regions=[Region([block])])
    with b.at(block):
        b.op(scf.Yield, body(block.arguments[0], block.arguments[1:]), result_types=[])
    return loop.results


class LoopBuilder:
    """Writes loops over numbered dimensions: `sizes` has how many steps each takes, `at` the counters of open loops.

    Index constants are made once. The first must be made in front of the loops; later ones are put beside it, wherever
    the builder then stands.
    """

    def __init__(self, b: Builder) -> None:
        self.b = b
        self.sizes: dict[int, Value] = {}
        self.at: dict[int, Value] = {}
        self._constants: dict[int, Value] = {}

    # --- numbers -----------------------------------------------------------------------------------------------------

    def constant(self, number: int) -> Value:
        """An index constant in front of all loops."""
        found = self._constants.get(number)
        if found is None:
            made = self.b.op(arith.Constant, value=IntegerAttr(number, INDEX))
            for first in self._constants.values():
                assert first.op is not None
                made.move_before(first.op)
                break
            found = self._constants[number] = made.results[0]
        return found

    def size_of(self, buffer: Value, axis: int) -> Value:
        """The size of an axis: a constant if the type says it."""
        known = buffer.type.shape[axis]  # type: ignore[attr-defined]
        if isinstance(known, int):
            return self.constant(known)
        return self.b.create(memref.Dim, buffer, self.constant(axis))

    # --- loops -------------------------------------------------------------------------------------------------------

    def loop(self, start: Value, stop: Value, step: int, carried: Sequence[Value], body: Body) -> Sequence[Value]:
        """A loop in order with the values `carried`; what they are behind it."""
        return counted_loop(self.b, start, stop, self.constant(step), carried, body)

    def fold(self, dims: Sequence[int], carried: Sequence[Value], body: Step) -> Sequence[Value]:
        """Loops in order over all of `dims`, the first outermost, around `body`; what the values are behind them."""
        opened: list[tuple[Block, scf.For]] = []
        saved = self.b.block, self.b.anchor
        for dim in dims:
            block = Block([INDEX, *[v.type for v in carried]])
            bounds = self.constant(0), self.sizes[dim], self.constant(1)
            opened.append((block, self.b.op(scf.For, *bounds, carried, regions=[Region([block])])))
            self.at[dim] = block.arguments[0]
            carried = block.arguments[1:]
            self.b.block, self.b.anchor = block, None
        values = body(carried)
        for block, loop in reversed(opened):
            Builder(block, None, self.b.location).op(scf.Yield, values, result_types=[])
            values = loop.results
        self.b.block, self.b.anchor = saved
        return values

    @contextmanager
    def each(self, count: Value, step: int = 1) -> Iterator[Value]:
        """The inside of a loop in order from 0 to `count` that carries nothing: its counter."""
        block = Block([INDEX])
        self.b.op(scf.For, self.constant(0), count, self.constant(step), [], result_types=[], regions=[Region([block])])
        end = Builder(block, None, self.b.location).op(scf.Yield, [], result_types=[])
        with self.b.at(block, end):
            yield block.arguments[0]

    @contextmanager
    def parallel(
        self, starts: Sequence[Value], stops: Sequence[Value], steps: Sequence[int]
    ) -> Iterator[Sequence[Value]]:
        """The inside of parallel loops: their counters."""
        block = Block([INDEX] * len(starts))
        bounds = starts, stops, [self.constant(step) for step in steps]
        self.b.op(scf.Parallel, *bounds, [], result_types=[], regions=[Region([block])])
        end = Builder(block, None, self.b.location).op(scf.Reduce, [], result_types=[])
        with self.b.at(block, end):
            yield block.arguments
