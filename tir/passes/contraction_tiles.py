"""Loops, numbers and elements out of which `tile_contraction.py` writes a contraction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tir.dialects import arith, memref, vector
from tir.ir.attributes import FloatAttr
from tir.ir.builder import Builder
from tir.ir.ir import Value
from tir.ir.types import I1, VectorType, element_type
from tir.passes.contraction_plan import Contraction
from tir.passes.loop_builder import LoopBuilder

__all__ = ["At", "Tiling"]

At = Mapping[int, Value]  # the counter of each dimension

VECTOR_BYTES = 64


class Tiling(LoopBuilder):
    """Loops, numbers and elements that both kinds of tiles need."""

    def __init__(self, plan: Contraction, b: Builder) -> None:
        super().__init__(b)
        self.plan = plan
        self.zero = self.constant(0)
        self.width = VECTOR_BYTES // (plan.element.width // 8)  # type: ignore[attr-defined]
        self.sizes = {d: self._size(d) for d in range(plan.op.rank)}

    def _size(self, dim: int) -> Value:
        known = self.plan.size(dim)
        if known is not None:
            return self.constant(known)
        operand = next(i for i, map in enumerate(self.plan.op.maps) if dim in map.positions())
        return self.size_of(self.plan.op.operand(operand), self.plan.op.maps[operand].positions().index(dim))

    # --- numbers ---------------------------------------------------------------------------------------------------

    def plus(self, value: Value, number: int) -> Value:
        return self.sum_of(value, self.constant(number)) if number else value

    def minus(self, value: Value, number: Value) -> Value:
        return self.b.create(arith.SubI, value, number)

    def sum_of(self, first: Value, second: Value) -> Value:
        if self.zero in (first, second):
            return second if first is self.zero else first
        return self.b.create(arith.AddI, first, second)

    def smaller(self, value: Value, number: int) -> Value:
        return self.b.create(arith.MinUI, value, self.constant(number))

    def multiple(self, stop: Value, start: Value, step: int) -> Value:
        """The largest number not above `stop` that is `start` and a multiple of `step`."""
        rest = self.b.create(arith.RemUI, self.minus(stop, start), self.constant(step))
        return self.minus(stop, rest)

    def mask(self, count: int | Value, start: int = 0) -> Value | None:
        """The mask of the vector whose lanes are start, start + 1, .. of `count`; None if all are."""
        if isinstance(count, int):
            if count - start >= self.width:
                return None
            left = self.constant(count - start)
        else:
            left = self.minus(count, self.constant(start)) if start else count
        return self.b.create(vector.CreateMask, [left], result_types=[VectorType((self.width,), I1)])

    def number(self, value: float) -> Value:
        return self.b.create(arith.Constant, value=FloatAttr(value, self.plan.element))

    # --- loops -----------------------------------------------------------------------------------------------------

    def parallel_over(self, dims: Sequence[int], body: Callable[[], None]) -> None:
        """Parallel loops over all of `dims`, which may be none."""
        if not dims:
            body()
            return
        with self.parallel([self.zero] * len(dims), [self.sizes[d] for d in dims], [1] * len(dims)) as counters:
            self.at.update(zip(dims, counters))
            body()

    def tiles(self, start: Value, stop: Value, step: int, body: Callable[[Value], None]) -> None:
        """A parallel loop over the places from which on `body` writes a tile."""
        with self.parallel([start], [stop], [step]) as (place,):
            body(place)

    def in_tiles(self, dim: int, most: int, body: Callable[[Value, int], None]) -> None:
        """Calls `body(start, count)` for tiles of `dim`; none has more than `most`, and all of a size are one loop."""
        size = self.plan.size(dim)
        if size is not None:
            self.in_known_tiles(size, most, body)
            return
        start, stop = self.zero, self.sizes[dim]
        for count in dict.fromkeys((most, max(most // 4, 1), 1)):
            whole = self.multiple(stop, start, count) if count > 1 else stop
            self.tiles(start, whole, count, lambda at, count=count: body(at, count))  # type: ignore[misc]
            start = whole

    def in_known_tiles(self, size: int, most: int, body: Callable[[Value, int], None]) -> None:
        """The tiles are about equally large: 10 rows are 5 and 5, not 8 and 2."""
        count = -(-size // max(1, -(-size // most)))
        if size > count:
            self.tiles(self.zero, self.constant(size - size % count), count, lambda at: body(at, count))
        elif size:
            body(self.zero, size)
        if size > count and size % count:
            body(self.constant(size - size % count), size % count)

    # --- elements --------------------------------------------------------------------------------------------------

    def place(self, operand: int, at: At) -> list[Value]:
        return [at[d] for d in self.plan.op.maps[operand].positions()]

    def widened(self, value: Value) -> Value:
        """The value, or vector, in the type in which sums are taken."""
        wide = self.plan.element
        if isinstance(value.type, VectorType):
            wide = VectorType(value.type.shape, wide)
        return value if value.type is wide else self.b.create(arith.ExtF, value, result_types=[wide])

    def load(self, operand: int, at: At) -> Value:
        return self.b.create(memref.Load, self.plan.op.operand(operand), self.place(operand, at))

    def load_vector(self, operand: int, place: Sequence[Value], mask: Value | None, other: float = 0.0) -> Value:
        """A vector along the operand's last axis, in its own type; where the mask is not, `other`."""
        base = self.plan.op.operand(operand)
        type = VectorType((self.width,), element_type(base.type))
        if mask is None:
            return self.b.create(vector.Load, base, place, result_types=[type])
        scalar = self.b.create(arith.Constant, value=FloatAttr(other, type.element))
        rest = self.b.create(vector.Broadcast, scalar, result_types=[type])
        return self.b.create(vector.MaskedLoad, base, place, mask, rest, result_types=[type])

    def store_vector(self, base: Value, place: Sequence[Value], mask: Value | None, value: Value) -> None:
        if mask is None:
            self.b.op(vector.Store, value, base, place, result_types=[])
        else:
            self.b.op(vector.MaskedStore, base, place, mask, value, result_types=[])

    def splat(self, value: Value) -> Value:
        type = VectorType((self.width,), self.plan.element)
        return self.b.create(vector.Broadcast, value, result_types=[type])
