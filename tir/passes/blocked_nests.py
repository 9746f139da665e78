"""Loops in blocks, so that memory is read in order and what is read stays in the cache while it is needed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from tir.dialects import arith, linalg
from tir.ir.affine import AffineDim
from tir.ir.ir import Value
from tir.ir.types import MemRefType, element_type
from tir.passes.choosing_reduction import is_along
from tir.passes.loop_nest import Nest, find_rest, known_size

__all__ = ["ColumnNest", "TiledNest", "crossing", "reduces_columns"]

#: Columns of a strip, and rows of a block of it: with more, the machine does not see that memory is read in order.
STRIP, BLOCK = 1024, 8
#: Elements that the second cache holds anyway: no blocks then.
CACHED_ELEMENTS = 1 << 16
FEWEST_COLUMNS, FEWEST_ROWS = 16, 8
#: Where operands lie in different directions: the size of a tile along the other one's, and along that of the loop.
TILE = (64, 8)
SHORTEST_TILED = 128


class ColumnNest(Nest):
    """A reduction over rows of columns that lie side by side: in strips of columns, and blocks of rows of a strip.

    Inside a block each column has a loop over its rows, with the sum in a register, which `vectorize` does for many columns
    at a time. A block stays in the cache, and few pages hold it. Each column is still summed from its first row on.
    """

    def lower(self) -> None:
        *around, rows, columns = self.order
        parallel = [d for d in around if self.op.iterator_types[d] == linalg.PARALLEL]
        size = self.sizes[columns]
        with ExitStack() as opened:
            first, stop = self.constant(0), size
            if known_size(self.op, columns, STRIP + 1) > STRIP:
                sizes = [*(self.sizes[d] for d in parallel), size]
                *counters, first = opened.enter_context(self.box(sizes, [1] * len(parallel) + [STRIP]))
                stop = self.b.create(arith.MinSI, self.b.create(arith.AddI, first, self.constant(STRIP)), size)
                self.at.update(zip(parallel, counters))
            elif parallel:
                sizes = [self.sizes[d] for d in parallel]
                self.at.update(zip(parallel, opened.enter_context(self.box(sizes, [1] * len(parallel)))))
            for dim in around[len(parallel) :]:
                self.at[dim] = opened.enter_context(self.each(self.sizes[dim]))
            begin, end = self.constant(0), self.sizes[rows]
            width = min(STRIP, known_size(self.op, columns, STRIP))
            if known_size(self.op, rows, CACHED_ELEMENTS) * width > CACHED_ELEMENTS:
                begin = opened.enter_context(self.each(end, BLOCK))
                end = self.b.create(arith.MinSI, self.b.create(arith.AddI, begin, self.constant(BLOCK)), end)
            (self.at[columns],) = opened.enter_context(self.parallel([first], [stop], [1]))
            outputs = range(len(self.op.inputs), len(self.op.inputs) + len(self.op.outputs))

            def row(at: Value, carried: Sequence[Value]) -> Sequence[Value]:
                self.at[rows] = at
                return self.fold_in_order(carried)

            for k, value in enumerate(self.loop(begin, end, 1, [self.load(i) for i in outputs], row)):
                self.store(k, value)
        self.op.erase()

    def fold_in_order(self, carried: Sequence[Value]) -> Sequence[Value]:
        """One row of a column."""
        elements = {argument: self.load(i) for i, argument in enumerate(self.op.input_arguments) if argument.is_used}
        return self.compute({**elements, **dict(zip(self.op.output_arguments, carried))})


def reduces_columns(op: linalg.Generic, order: Sequence[int]) -> bool:
    """The innermost dimension is parallel, a reduction is around it, and what depends on it lies side by side along it."""
    if len(order) < 2 or op.iterator_types[order[-1]] != linalg.PARALLEL or op.iterator_types[order[-2]] == linalg.PARALLEL:
        return False
    columns, rows = order[-1], order[-2]
    if known_size(op, columns, FEWEST_COLUMNS) < FEWEST_COLUMNS or known_size(op, rows, FEWEST_ROWS) < FEWEST_ROWS:
        return False
    types = [value.type for value in op.operands]
    widths = {getattr(element_type(type), "width", 64) for type in types}
    if not all(width in (32, 64) for width in widths) or find_rest(op, columns):
        return False
    if any(inner.name.split(".")[0] not in ("arith", "math", "linalg") or inner.regions for inner in op.body):
        return False
    return all(is_along(op, i, columns) is not None for i in range(len(types)))


class TiledNest(Nest):
    """Parallel loops of which the last one reads along one axis, and `across` along another: in square tiles of both.

    A tile uses each line of memory that it touches for all its elements, in whichever direction it goes.
    """

    def __init__(self, op: linalg.Generic, across: int) -> None:
        super().__init__(op)
        self.across = across

    def lower(self) -> None:
        along = self.order[-1]
        tiled = (self.across, along)
        others = [d for d in self.order if d not in tiled]
        sizes = [self.sizes[d] for d in (*others, *tiled)]
        with self.box(sizes, [1] * len(others) + list(TILE)) as (*counters, first, second):
            self.at.update(zip(others, counters))
            stops = [
                self.b.create(arith.MinSI, self.b.create(arith.AddI, start, self.constant(count)), self.sizes[d])
                for d, start, count in zip(tiled, (first, second), TILE)
            ]
            with self.parallel([first, second], stops, [1, 1]) as inside:
                self.at.update(zip(tiled, inside))
                self.load_compute_store(())
        self.op.erase()


def crossing(op: linalg.Generic, order: Sequence[int]) -> int | None:
    """The dimension along which an operand lies side by side that jumps along the innermost one, if both are long."""
    if len(order) < 2 or any(kind != linalg.PARALLEL for kind in op.iterator_types) or find_rest(op, order[-1]):
        return None
    for operand, map in enumerate(op.maps):
        type = op.operand(operand).type
        if not isinstance(type, MemRefType) or not map.results or is_along(op, operand, order[-1]) is not None:
            continue
        for dim in order[:-1]:
            shortest = min(known_size(op, d, SHORTEST_TILED) for d in (dim, order[-1]))
            if map.results[-1] == AffineDim(dim) and is_along(op, operand, dim) and shortest >= SHORTEST_TILED:
                return dim
    return None
