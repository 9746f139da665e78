"""Contractions as tiles of vectors that stay in registers; part of `lower-loops`. `contraction_plan.py` has the plan.

Vectors along the columns: a tile of some rows and vectors of C is loaded once, runs through the depth in registers, and
is stored once. Where B is not contiguous along its columns, panels of it are first copied to where they are.

    scf.parallel (%j) = .. step 32 {            a panel of B stays in the cache for all rows
      scf.parallel (%i) = .. step 8 {
        %c00 = vector.load %C[%i, %j] ..        8 x 2 accumulators
        .. = scf.for %k .. iter_args(%a00 = %c00, ..) { %b0 = vector.load %B[%k, %j]; %s = broadcast A[%i + r, %k]; fma }
        vector.store ..
      }
    }

Vectors along the depth, where A and B are both contiguous along it (A times B transposed): each
element of C in a tile has a vector of partial sums, added up behind the loops.

Rows that do not fill a tile go through smaller ones; columns, or depth, that do not fill a vector are masked. The sums
are fused (one rounding for each product and sum).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tir.dialects import arith, linalg, memref, vector
from tir.ir.builder import Builder
from tir.ir.ir import Value
from tir.ir.types import MemRefType, VectorType
from tir.passes.contraction_plan import OUTPUT, plan_contraction
from tir.passes.contraction_tiles import VECTOR_BYTES, Tiling
from tir.passes.loop_builder import Step

__all__ = ["lower_contraction"]

PANEL_BYTES = 8 << 10  # so much `memref.alloca` keeps on the stack, where it cannot fail
ROWS_OF_VECTORS = {1: 16, 2: 8, 3: 5, 4: 4, 5: 3, 6: 2, 7: 2, 8: 2}  # the most rows of a tile with so many vectors
SUMS = 4  # a tile with vectors along the depth has at most so many rows, and columns


def lower_contraction(op: linalg.Generic) -> bool:
    """Lowers the op, and removes it, if it is a contraction whose tiles pay; tells whether it was."""
    plan = plan_contraction(op)
    if plan is None:
        return False
    b = Builder.before(op)
    tiling = _AlongColumns(plan, b) if plan.lanes == plan.column else _AlongDepth(plan, b)
    tiling.parallel_over(plan.batch, tiling.one_product)
    op.erase()
    return True


@dataclass(frozen=True)
class _Lane:
    """A vector of a tile: where it starts, relative to the tile, and its mask if it is not whole."""

    start: int
    mask: Value | None


class _AlongColumns(Tiling):
    """Vectors lie along the columns of C and of B, or of a packed panel of B."""

    def one_product(self) -> None:
        """The product inside the loops over the batch."""
        rows, columns = self.plan.size(self.plan.row), self.plan.size(self.plan.column)
        vectors = 2 if rows is None or rows >= 8 else 4 if rows > 2 else 8
        size = self.sizes[self.plan.column]
        if columns is None:
            whole = self.multiple(size, self.zero, vectors * self.width)
            self.whole_columns(whole, vectors)
            self.tiles(whole, size, vectors * self.width, lambda j: self.columns(j, vectors, self.minus(size, j)))
            return
        vectors = min(vectors, -(-columns // self.width))
        rest = columns % (vectors * self.width) if columns else 0
        if columns > rest:
            self.whole_columns(self.constant(columns - rest), vectors)
        if rest:
            self.columns(self.constant(columns - rest), -(-rest // self.width), rest)

    def whole_columns(self, stop: Value, vectors: int) -> None:
        step = vectors * self.width
        self.tiles(self.zero, stop, step, lambda j: self.columns(j, vectors, step))

    def columns(self, j: Value, vectors: int, count: int | Value) -> None:
        """All rows of `count` columns from j on, which `vectors` vectors hold."""
        self.at[self.plan.column] = j
        lanes = [_Lane(v * self.width, self.mask(count, v * self.width)) for v in range(vectors)]
        if self.plan.packs:
            self.packed(lanes, count)
            return
        dims = [*self.plan.sums, self.plan.depth]
        self.rows(lanes, lambda sums, step: self.fold(dims, sums, step), self.load_right)

    def rows(
        self, lanes: Sequence[_Lane], run: Callable[[Sequence[Value], Step], Sequence[Value]],
        load_right: Callable[[_Lane], Value],
    ) -> None:  # fmt: skip
        """Tiles of all rows. run: the loops around a step, with the sums that it carries."""
        most = ROWS_OF_VECTORS[len(lanes)]
        self.in_tiles(self.plan.row, most, lambda i, count: self.tile(i, count, lanes, run, load_right))

    def tile(
        self, i: Value, count: int, lanes: Sequence[_Lane],
        run: Callable[[Sequence[Value], Step], Sequence[Value]], load_right: Callable[[_Lane], Value],
    ) -> None:  # fmt: skip
        rows = [self.plus(i, r) for r in range(count)]
        j = self.at[self.plan.column]
        starts = [self.plus(j, lane.start) for lane in lanes]
        places = [
            (self.place(OUTPUT, {**self.at, self.plan.row: row, self.plan.column: start}), lane.mask)
            for row in rows
            for start, lane in zip(starts, lanes)
        ]

        def step(carried: Sequence[Value]) -> list[Value]:
            parts = [load_right(lane) for lane in lanes]
            factors = [self.splat(self.widened(self.load(self.plan.left, {**self.at, self.plan.row: r}))) for r in rows]
            pairs = [(factor, part) for factor in factors for part in parts]
            return [self.b.create(vector.FMA, f, p, total) for (f, p), total in zip(pairs, carried)]

        sums = [self.load_vector(OUTPUT, place, mask) for place, mask in places]
        for (place, mask), total in zip(places, run(sums, step)):
            self.store_vector(self.plan.op.operand(OUTPUT), place, mask, total)

    def load_right(self, lane: _Lane) -> Value:
        """The vector of B at the counters."""
        column = self.plus(self.at[self.plan.column], lane.start)
        place = self.place(self.plan.right, {**self.at, self.plan.column: column})
        return self.widened(self.load_vector(self.plan.right, place, lane.mask))

    # --- panels ----------------------------------------------------------------------------------------------------

    def packed(self, lanes: Sequence[_Lane], count: int | Value) -> None:
        """All rows, with one panel of B after the other: all columns of the tile, and so much depth as the panel holds."""
        depth = self.plan.depth
        most, known = PANEL_BYTES // (len(lanes) * VECTOR_BYTES), self.plan.size(depth)
        if known is not None:
            most = max(1, -(-known // max(1, -(-known // most))))  # panels are about equally deep
        type = MemRefType((most, len(lanes) * self.width), self.plan.element)
        panel = self.b.create(memref.Alloca, [], result_types=[type])

        def block(first: Value, _: Sequence[Value]) -> list[Value]:
            length = self.constant(most)
            if known is None or known % most:
                length = self.b.create(arith.MinUI, length, self.minus(self.sizes[depth], first))
            self.pack(panel, first, length, lanes, count)
            self.rows_of_panel(panel, first, length, lanes)
            return []

        if known is not None and known == most:
            self.fold(self.plan.sums, [], lambda _: block(self.zero, []))
        else:
            self.fold(self.plan.sums, [], lambda _: self.loop(self.zero, self.sizes[depth], most, [], block))

    def rows_of_panel(self, panel: Value, first: Value, length: Value, lanes: Sequence[_Lane]) -> None:
        type = VectorType((self.width,), self.plan.element)
        k = self.zero  # the row of the panel

        def run(sums: Sequence[Value], step: Step) -> Sequence[Value]:
            def one(counter: Value, carried: Sequence[Value]) -> Sequence[Value]:
                nonlocal k
                k = counter
                self.at[self.plan.depth] = self.sum_of(first, k)
                return step(carried)

            return self.loop(self.zero, length, 1, sums, one)

        self.rows(
            lanes, run,
            lambda lane: self.b.create(vector.Load, panel, [k, self.constant(lane.start)], result_types=[type]),
        )  # fmt: skip

    def pack(self, panel: Value, first: Value, length: Value, lanes: Sequence[_Lane], count: int | Value) -> None:
        """Copies the columns of B, at the depths from `first` on, into the panel, widened; what is masked is 0."""
        if not isinstance(count, int) or count < len(lanes) * self.width:
            nothing = self.splat(self.number(0.0))
            with self.each(length) as k:
                self.fill_vectors(panel, k, lanes, nothing)
        columns = self.constant(count) if isinstance(count, int) else self.smaller(count, len(lanes) * self.width)
        if self.plan.is_contiguous(self.plan.right, self.plan.depth):
            with self.each(columns) as c, self.each(length) as k:
                self.pack_element(panel, first, k, c)
        else:
            with self.each(length) as k, self.each(columns) as c:
                self.pack_element(panel, first, k, c)

    def fill_vectors(self, panel: Value, k: Value, lanes: Sequence[_Lane], value: Value) -> None:
        for lane in lanes:
            self.store_vector(panel, [k, self.constant(lane.start)], None, value)

    def pack_element(self, panel: Value, first: Value, k: Value, column: Value) -> None:
        j = self.sum_of(self.at[self.plan.column], column)
        at = {**self.at, self.plan.column: j, self.plan.depth: self.sum_of(first, k)}
        self.b.op(memref.Store, self.widened(self.load(self.plan.right, at)), panel, [k, column], result_types=[])


class _AlongDepth(Tiling):
    """Vectors lie along the depth, along which A and B are contiguous: each element of C has a vector of sums."""

    def one_product(self) -> None:
        """The product inside the loops over the batch."""
        row, column = self.plan.row, self.plan.column
        self.in_tiles(row, SUMS, lambda i, m: self.in_tiles(column, SUMS, lambda j, n: self.tile(i, m, j, n)))

    def tile(self, i: Value, row_count: int, j: Value, column_count: int) -> None:
        rows = [self.plus(i, r) for r in range(row_count)]
        columns = [self.plus(j, c) for c in range(column_count)]
        nothing = self.splat(self.number(-0.0))  # x + -0.0 is x, also for -0.0
        sums = self.fold(
            self.plan.sums, [nothing] * (row_count * column_count), lambda carried: self.depth(rows, columns, carried)
        )
        for (row, column), total in zip([(row, column) for row in rows for column in columns], sums):
            self.add_to_output({**self.at, self.plan.row: row, self.plan.column: column}, total)

    def depth(self, rows: Sequence[Value], columns: Sequence[Value], carried: Sequence[Value]) -> Sequence[Value]:
        """All of the depth: whole vectors, and what is left over."""
        size, known = self.sizes[self.plan.depth], self.plan.size(self.plan.depth)
        whole = self.multiple(size, self.zero, self.width) if known is None else self.constant(known - known % self.width)

        def step(k: Value, carried: Sequence[Value]) -> list[Value]:
            return self.step(rows, columns, k, None, carried)

        def rest(k: Value, carried: Sequence[Value]) -> list[Value]:
            left = self.minus(size, k) if known is None else known % self.width
            return self.step(rows, columns, k, self.mask(left), carried)

        carried = self.loop(self.zero, whole, self.width, carried, step)
        if known is None:
            return self.loop(whole, size, self.width, carried, rest)
        return rest(whole, carried) if known % self.width else carried

    def step(
        self, rows: Sequence[Value], columns: Sequence[Value], k: Value, mask: Value | None, carried: Sequence[Value]
    ) -> list[Value]:
        """Adds the products of one vector of depth; where the mask is not, they are -0.0."""
        plan, at = self.plan, {**self.at, self.plan.depth: k}
        xs = [self.load_widened(plan.left, self.place(plan.left, {**at, plan.row: r}), mask, -0.0) for r in rows]
        ys = [self.load_widened(plan.right, self.place(plan.right, {**at, plan.column: c}), mask, 0.0) for c in columns]
        pairs = [(x, y) for x in xs for y in ys]
        return [self.b.create(vector.FMA, x, y, total) for (x, y), total in zip(pairs, carried)]

    def load_widened(self, operand: int, place: Sequence[Value], mask: Value | None, other: float) -> Value:
        return self.widened(self.load_vector(operand, place, mask, other))

    def add_to_output(self, at: dict[int, Value], sums: Value) -> None:
        before = self.load(OUTPUT, at)
        total = self.b.create(vector.Reduction, sums, before, kind="add", fastmath="reassoc", result_types=[before.type])
        self.b.op(memref.Store, total, self.plan.op.operand(OUTPUT), self.place(OUTPUT, at), result_types=[])
