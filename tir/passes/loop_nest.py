"""One `linalg.generic` on buffers as loops: which dimension runs innermost, and where sums are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Any

from tir.dialects import arith, linalg, memref
from tir.ir.affine import AffineDim, AffineExpr, AffineMap, AffineOp, AffineSum
from tir.ir.attributes import DialectAttr
from tir.ir.builder import Builder
from tir.ir.ir import Op, Value, clone_into
from tir.ir.types import FloatType, MemRefType
from tir.passes.loop_builder import LoopBuilder

__all__ = ["Nest", "find_rest", "known_size", "loop_order"]

SHORTEST_RUN = 8  # a loop over fewer elements costs more than a division for each


class Nest(LoopBuilder):
    """One `linalg.generic` as loops. Dimensions keep their numbers."""

    def __init__(self, op: linalg.Generic) -> None:
        super().__init__(Builder.before(op))
        self.op = op
        self.sizes = {dim: self.size(dim) for dim in range(op.rank)}
        self.order = loop_order(op)
        #: The innermost loop, where it is two: over multiples of a number, and over the rests, which are at `rest_at`.
        self.rest = find_rest(op, self.order[-1]) if self.order else None
        self.rest_at: Value

    def lower(self) -> None:
        """Writes the loops in front of the op, and removes it."""
        order = self.order
        in_registers = bool(order) and self.op.iterator_types[order[-1]] != linalg.PARALLEL
        if in_registers:
            self.loops(order, self.reduce_innermost)
        else:
            self.loops(order, self.load_compute_store)
        self.op.erase()

    # --- loops -----------------------------------------------------------------------------------------------------

    def loops(self, order: Sequence[int], body: Callable[[Sequence[int]], None]) -> None:
        """Loops over `order` from the outside in; neighbouring parallel ones are one `scf.parallel`."""
        kinds = self.op.iterator_types
        place = 0
        with ExitStack() as opened:
            while place < len(order):
                stop = place + 1
                if kinds[order[place]] == linalg.PARALLEL:
                    while stop < len(order) and kinds[order[stop]] == linalg.PARALLEL:
                        stop += 1
                    self.open_parallel(opened, order[place:stop])
                elif all(kinds[d] != linalg.PARALLEL for d in order[place:]):
                    break
                else:
                    self.at[order[place]] = opened.enter_context(self.each(self.sizes[order[place]]))
                place = stop
            body(list(order[place:]))

    def open_parallel(self, opened: ExitStack, dims: Sequence[int]) -> None:
        sizes, steps = [self.sizes[d] for d in dims], [1] * len(dims)
        if self.rest is None or dims[-1] != self.rest.dim:
            self.at.update(zip(dims, opened.enter_context(self.box(sizes, steps))))
            return
        divisor = self.rest.divisor
        self.at.update(zip(dims, opened.enter_context(self.box(sizes, [*steps[:-1], divisor]))))
        start = self.at[self.rest.dim]
        left = self.b.create(arith.SubI, sizes[-1], start)
        count = self.b.create(arith.MinUI, left, self.constant(divisor))
        (self.rest_at,) = opened.enter_context(self.box([count], [1]))
        self.at[self.rest.dim] = self.b.create(arith.AddI, start, self.rest_at)

    def box(self, sizes: Sequence[Value], steps: Sequence[int]) -> AbstractContextManager[Sequence[Value]]:
        """The inside of parallel loops from 0 on."""
        return self.parallel([self.constant(0)] * len(sizes), sizes, steps)

    # --- bodies ----------------------------------------------------------------------------------------------------

    def load_compute_store(self, _: Sequence[int]) -> None:
        """One point: loads, the body, stores."""
        read = [i for i, argument in enumerate(self.op.body.arguments) if argument.is_used]
        values = self.compute({self.op.body.arguments[i]: self.load(i) for i in read})
        for k, value in enumerate(values):
            self.store(k, value)

    def reduce_innermost(self, dims: Sequence[int]) -> None:
        """Loops over the reductions `dims` with the outputs in registers."""
        first = len(self.op.inputs)
        carried = [self.load(first + k) for k in range(len(self.op.outputs))]
        results = self.reduce(list(dims), carried)
        for k, value in enumerate(results):
            self.store(k, value)

    def reduce(self, dims: Sequence[int], carried: Sequence[Value]) -> Sequence[Value]:
        """The loops around the body, the outermost first; the values after them."""
        return self.fold(dims, carried, self.fold_point)

    def fold_point(self, carried: Sequence[Value]) -> Sequence[Value]:
        """One point of a reduction in registers."""
        elements = {argument: self.load(i) for i, argument in enumerate(self.op.input_arguments)}
        elements.update(zip(self.op.output_arguments, carried))
        return self.compute(elements, reassociate=True)

    def compute(self, elements: dict[Any, Value], reassociate: bool = False) -> list[Value]:
        """The body's ops at the insertion point, on these values of its arguments; the values it yields."""
        mapping: dict[Any, Any] = dict(elements)
        sums = _sums(self.op) if reassociate else set()
        for inner in self.op.body:
            if isinstance(inner, linalg.Yield):
                return [mapping.get(v, v) for v in inner.values]
            if isinstance(inner, linalg.Index):
                mapping[inner.result] = self.at[inner.dim]
                continue
            if self.rest is not None and inner in self.rest.ops:
                mapping[inner.results[0]] = self.rest_at
                continue
            copy = self.b.insert(clone_into(inner, mapping))
            if inner in sums:
                copy.set_property("fastmath", _with_reassoc(copy.properties["fastmath"]))
        raise AssertionError("the body has no linalg.yield")

    # --- elements --------------------------------------------------------------------------------------------------

    def load(self, operand: int) -> Value:
        value = self.op.operand(operand)
        if not isinstance(value.type, MemRefType):
            return value
        return self.b.create(memref.Load, value, self.indices(self.op.maps[operand]))

    def store(self, output: int, value: Value) -> None:
        place = len(self.op.inputs) + output
        self.b.op(memref.Store, value, self.op.operand(place), self.indices(self.op.maps[place]), result_types=[])

    def indices(self, map: AffineMap) -> list[Value]:
        return [self.index(expr) for expr in map.results]

    def index(self, expr: AffineExpr) -> Value:
        """The value of an affine expression of the loop counters."""
        if isinstance(expr, AffineDim):
            return self.at[expr.position]
        if isinstance(expr, AffineSum):
            total: Value | None = None
            for term, factor in expr.terms:
                part = self.index(term)
                part = part if factor == 1 else self.b.create(arith.MulI, part, self.constant(factor))
                total = part if total is None else self.b.create(arith.AddI, total, part)
            assert total is not None
            return self.b.create(arith.AddI, total, self.constant(expr.constant)) if expr.constant else total
        if isinstance(expr, AffineOp):
            cls = {"floordiv": arith.FloorDivSI, "ceildiv": arith.CeilDivSI, "mod": arith.RemSI}[expr.kind]
            return self.b.create(cls, self.index(expr.lhs), self.constant(expr.rhs))
        return self.constant(expr.value)  # type: ignore[attr-defined]

    def size(self, dim: int) -> Value:
        """How many steps the loop over `dim` takes, from the first operand that shows it."""
        for operand, map in enumerate(self.op.maps):
            for axis, expr in enumerate(map.results):
                if isinstance(expr, AffineDim) and expr.position == dim:
                    return self.size_of(self.op.operand(operand), axis)
        raise AssertionError("a dimension that no map shows")


def _with_reassoc(flags: Any) -> DialectAttr:
    """The fast-math flags with `reassoc` among them."""
    words = [] if flags.body == "none" else flags.body.split(",")
    return DialectAttr(flags.name, ",".join(words if {"reassoc", "fast"} & set(words) else ["reassoc", *words]))


def _sums(op: linalg.Generic) -> set[Op]:
    """The body's ops that add or multiply a float into an output: `out' = out + x`, with one use."""
    found: set[Op] = set()
    for argument, value in zip(op.output_arguments, op.yielded):
        maker = value.op
        if isinstance(maker, (arith.AddF, arith.MulF)) and argument.has_one_use and argument in maker.operands:
            if isinstance(value.type, FloatType):
                found.add(maker)
    return found


# --- the order of the loops ----------------------------------------------------------------------------------------


def loop_order(op: linalg.Generic) -> list[int]:
    """The dimensions from the outermost loop to the innermost.

    Innermost is the one along which the accesses are cheapest: most operands contiguous or fixed, then parallel before
    reduction, then the last; one of a single step only if all are. Around it stand the reductions, around them the other
    parallel dimensions, each in order; a reduction that runs innermost has the other reductions around it.
    """
    kinds = op.iterator_types
    dims = range(op.rank)
    if not dims:
        return []
    innermost = max(dims, key=lambda d: (not _is_single(op, d), -_cost(op, d), kinds[d] == linalg.PARALLEL, d))
    parallel = [d for d in dims if kinds[d] == linalg.PARALLEL and d != innermost]
    reductions = [d for d in dims if kinds[d] != linalg.PARALLEL and d != innermost]
    return [*parallel, *reductions, innermost]


def _cost(op: linalg.Generic, dim: int) -> int:
    """How many accesses jump when `dim` steps; a store or an accumulator counts twice."""
    cost = 0
    for operand, map in enumerate(op.maps):
        if isinstance(op.operand(operand).type, MemRefType):
            weight = 2 if operand >= len(op.inputs) else 1
            cost += weight * _jumps(op.operand(operand).type, map, dim)  # type: ignore[arg-type]
    return cost


def _jumps(type: MemRefType, map: AffineMap, dim: int) -> bool:
    """A step along `dim` moves by more than one element in this buffer."""
    used = [axis for axis, expr in enumerate(map.results) if AffineDim(dim) in expr.leaves()]
    if not used:
        return False
    last = max((axis for axis, size in enumerate(type.shape) if size != 1), default=type.rank - 1)
    return used != [last] or type.strides_and_offset()[0][last] != 1


def _is_single(op: linalg.Generic, dim: int) -> bool:
    """The types say that the loop over `dim` takes one step."""
    return known_size(op, dim, 0) == 1


@dataclass(frozen=True)
class _Rest:
    """Ops of a body that are the counter of `dim` modulo a number."""

    dim: int
    divisor: int
    ops: frozenset[Op]


def find_rest(op: linalg.Generic, dim: int) -> _Rest | None:
    """The rests of a parallel loop, where the body takes them: as loops of their own they are runs in memory."""
    if op.iterator_types[dim] != linalg.PARALLEL:
        return None
    found: dict[int, set[Op]] = {}
    for inner in op.body:
        if isinstance(inner, (arith.RemSI, arith.RemUI)) and isinstance(inner.lhs.op, linalg.Index):
            divisor = getattr(getattr(inner.rhs.op, "value", None), "value", None)
            if inner.lhs.op.dim == dim and isinstance(divisor, int) and divisor >= SHORTEST_RUN:
                found.setdefault(divisor, set()).add(inner)
    divisor = next(iter(found), None)
    return None if divisor is None else _Rest(dim, divisor, frozenset(found[divisor]))


def known_size(op: linalg.Generic, dim: int, otherwise: int) -> int:
    """How many steps the loop over `dim` takes, if the types say it."""
    for operand, map in enumerate(op.maps):
        type = op.operand(operand).type
        if isinstance(type, MemRefType) and AffineDim(dim) in map.results:
            size = type.shape[map.results.index(AffineDim(dim))]
            if isinstance(size, int):
                return size
    return otherwise
