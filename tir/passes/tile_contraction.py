"""Matrix products as tiles of vectors that stay in registers; part of `lower-loops`.

For C[i, j] += A[i, k] * B[k, j] with B and C contiguous along j, a tile of ROWS rows and up to COLUMNS vectors of C is
loaded once, runs through all of k in registers, and is stored once:

    scf.parallel (%j) = .. step 32 {            a panel of B stays in the cache for all rows
      scf.parallel (%i) = .. step 8 {
        %c00 = vector.load %C[%i, %j] ..        8 x 2 accumulators
        .. = scf.for %k .. iter_args(%a00 = %c00, ..) { %b0 = vector.load %B[%k, %j]; %s = broadcast A[%i + r, %k]; fma }
        vector.store ..
      }
    }

Rows and columns that do not fill a tile go through plain loops. The sums are fused (one rounding for each product and
sum) and keep the order of k.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tir.dialects import arith, linalg, memref, scf, vector
from tir.ir.builder import Builder
from tir.ir.ir import Block, Region, Value
from tir.ir.types import F32, F64, INDEX, MemRefType, Type, VectorType
from tir.passes.loop_values import LoopValues

__all__ = ["lower_contraction"]

Step = Callable[[Value, Sequence[Value]], Sequence[Value]]

ROWS = 8
COLUMNS = (2, 1)  # vectors in a tile, the widest first
VECTOR_BYTES = 64


def lower_contraction(op: linalg.Generic) -> bool:
    """Lowers the op, and removes it, if it is such a product; tells whether it was."""
    found = _match(op)
    if found is None:
        return False
    _Tiling(found, Builder.before(op)).lower()
    op.erase()
    return True


@dataclass
class _Product:
    """C[i, j] += A[i, k] * B[k, j]: the buffers, and where i and k stand in A."""

    a: Value
    b: Value
    c: Value
    a_axes: tuple[int, int]
    element: Type


def _match(op: linalg.Generic) -> _Product | None:
    kinds = op.iterator_types
    if len(op.inputs) != 2 or len(op.outputs) != 1 or sorted(kinds) != [linalg.PARALLEL] * 2 + [linalg.REDUCTION]:
        return None
    if not all(m.is_projected_permutation() for m in op.maps) or not _is_multiply_add(op):
        return None
    (i, j), k = op.output_maps[0].positions(), kinds.index(linalg.REDUCTION)
    for a, b in ((0, 1), (1, 0)):
        rows, columns = op.maps[a].positions(), op.maps[b].positions()
        if columns == [k, j] and sorted(rows) == sorted([i, k]):
            axes = (rows.index(i), rows.index(k))
            product = _Product(op.inputs[a], op.inputs[b], op.outputs[0], axes, op.body.arguments[0].type)
            return product if _has_vectors(product) else None
    return None


def _is_multiply_add(op: linalg.Generic) -> bool:
    """The body is `out + x * y`."""
    total = op.yielded[0].op
    x, y, out = op.body.arguments
    if not isinstance(total, arith.AddF) or out not in total.operands:
        return False
    product = total.operand(1 - total.operands.index(out)).op
    return isinstance(product, arith.MulF) and set(product.operands) == {x, y} and len(op.body) == 3


def _has_vectors(product: _Product) -> bool:
    """Elements that vectors hold, and rows of B and C without gaps."""
    types = [v.type for v in (product.a, product.b, product.c)]
    contiguous = all(isinstance(t, MemRefType) and t.strides_and_offset()[0][-1] == 1 for t in types[1:])
    return contiguous and product.element in (F32, F64) and all(isinstance(t, MemRefType) for t in types)


@dataclass
class _Tiling:
    product: _Product
    out: Builder

    def __post_init__(self) -> None:
        values = LoopValues(self.out)
        self.constant, self.size = values.constant, values.size

    def lower(self) -> None:
        c, a = self.product.c, self.product.a
        self.width = VECTOR_BYTES // (self.product.element.width // 8)  # type: ignore[attr-defined]
        rows, columns = self.size(c, 0), self.size(c, 1)
        self.depth = self.size(a, self.product.a_axes[1])
        whole_rows = self.multiple(rows, self.constant(0), ROWS)
        start = self.constant(0)
        for vectors in COLUMNS:
            stop = self.multiple(columns, start, vectors * self.width)
            self.tiles(start, stop, vectors, whole_rows)
            start = stop
        self.plain(self.constant(0), whole_rows, start, columns)
        self.plain(whole_rows, rows, self.constant(0), columns)

    # --- numbers ---------------------------------------------------------------------------------------------------

    def multiple(self, stop: Value, start: Value, step: int) -> Value:
        """The largest number not above `stop` that is `start` and a multiple of `step`."""
        length = self.out.create(arith.SubI, stop, start)
        return self.out.create(arith.SubI, stop, self.out.create(arith.RemUI, length, self.constant(step)))

    def plus(self, value: Value, number: int) -> Value:
        return self.out.create(arith.AddI, value, self.constant(number)) if number else value

    # --- loops -----------------------------------------------------------------------------------------------------

    def parallel(self, start: Value, stop: Value, step: int, body: Callable[[Value], None]) -> None:
        block = Block([INDEX])
        self.out.op(
            scf.Parallel, [start], [stop], [self.constant(step)], [], result_types=[], regions=[Region([block])]
        )
        end = Builder(block, None, self.out.location).op(scf.Reduce, [], result_types=[])
        with self.out.at(block, end):
            body(block.arguments[0])

    def over_depth(self, carried: Sequence[Value], body: Step) -> Sequence[Value]:
        """A loop over k with the values `carried`."""
        block = Block([INDEX, *[v.type for v in carried]])
        loop = self.out.op(
            scf.For, self.constant(0), self.depth, self.constant(1), carried, regions=[Region([block])],
        )  # fmt: skip
        with self.out.at(block, None):
            self.out.op(scf.Yield, body(block.arguments[0], block.arguments[1:]), result_types=[])
        return loop.results

    def tiles(self, start: Value, stop: Value, vectors: int, whole_rows: Value) -> None:
        """Tiles of ROWS rows and `vectors` vectors over the columns start..stop."""
        self.parallel(
            start, stop, vectors * self.width,
            lambda j: self.parallel(self.constant(0), whole_rows, ROWS, lambda i: self.tile(i, j, vectors)),
        )  # fmt: skip

    def tile(self, i: Value, j: Value, vectors: int) -> None:
        type = VectorType((self.width,), self.product.element)
        rows = [self.plus(i, r) for r in range(ROWS)]
        columns = [self.plus(j, v * self.width) for v in range(vectors)]
        places = [(row, column) for row in rows for column in columns]
        sums = [self.out.create(vector.Load, self.product.c, place, result_types=[type]) for place in places]

        def step(k: Value, carried: Sequence[Value]) -> list[Value]:
            parts = [self.out.create(vector.Load, self.product.b, [k, c], result_types=[type]) for c in columns]
            factors = [self.out.create(vector.Broadcast, self.load_a(row, k), result_types=[type]) for row in rows]
            pairs = [(factor, part) for factor in factors for part in parts]
            return [self.out.create(vector.FMA, f, p, total) for (f, p), total in zip(pairs, carried)]

        for place, total in zip(places, self.over_depth(sums, step)):
            self.out.op(vector.Store, total, self.product.c, place, result_types=[])

    def load_a(self, i: Value, k: Value) -> Value:
        place = [i, k] if self.product.a_axes == (0, 1) else [k, i]
        return self.out.create(memref.Load, self.product.a, place)

    def plain(self, first_row: Value, last_row: Value, first_column: Value, last_column: Value) -> None:
        """What the tiles leave over: for each row and k, a loop along the columns."""

        def row(i: Value) -> None:
            def step(k: Value, _: Sequence[Value]) -> list[Value]:
                a = self.load_a(i, k)
                self.parallel(first_column, last_column, 1, lambda j: self.accumulate(a, i, k, j))
                return []

            self.over_depth([], step)

        self.parallel(first_row, last_row, 1, row)

    def accumulate(self, a: Value, i: Value, k: Value, j: Value) -> None:
        b = self.out.create(memref.Load, self.product.b, [k, j])
        c = self.out.create(memref.Load, self.product.c, [i, j])
        total = self.out.create(arith.AddF, c, self.out.create(arith.MulF, a, b))
        self.out.op(memref.Store, total, self.product.c, [i, j], result_types=[])


