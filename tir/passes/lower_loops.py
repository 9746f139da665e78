"""Structured ops on buffers become loops: which dimension runs innermost, and where sums are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Any

from tir.dialects import arith, linalg, memref, vector
from tir.ir import actions
from tir.ir.affine import AffineDim, AffineExpr, AffineMap, AffineOp, AffineSum
from tir.ir.attributes import DenseAttr, DialectAttr, pack
from tir.ir.builder import Builder
from tir.ir.errors import PassError
from tir.ir.ir import Block, Op, Region, Value, clone_into
from tir.ir.numerics import accurate
from tir.ir.pass_manager import Pass
from tir.ir.types import INDEX, FloatType, MemRefType, Type, VectorType, element_type
from tir.passes.choosing_reduction import Choice, find_choice, is_along
from tir.passes.loop_builder import LoopBuilder
from tir.passes.tile_contraction import lower_contraction

__all__ = ["LowerLoops"]

SHORTEST_RUN = 8  # a loop over fewer elements costs more than a division for each
SIDE_BY_SIDE = 2  # vectors of a reduction that chooses
#: Columns of a strip, and rows of a block of it: with more, the machine does not see that memory is read in order.
STRIP, BLOCK = 1024, 8
#: Elements that the second cache holds anyway: no blocks then.
CACHED_ELEMENTS = 1 << 16
FEWEST_COLUMNS, FEWEST_ROWS = 16, 8


@dataclass
class LowerLoops(Pass):
    """Lowers `linalg.generic` on buffers, and `memref.copy`, to loops of loads and stores.

    Needs memrefs (`bufferize`). Leaves `scf.parallel` for parallel dimensions and `scf.for` for reductions. The innermost
    loop is the dimension along which most buffers are contiguous (the naive order of a matrix product costs 20 times the
    time): a parallel one, with the sums kept in the output, or a reduction, with the sums in registers; sums of floats in
    registers may then be reassociated, and say so (`fastmath<reassoc>`), so that they can be vectorized. Products of
    matrices, and other contractions, are tiled (`tile_contraction.py`) unless `tile=false`. Reductions that choose, such
    as argmax, go along rows in vectors, each lane on its own (`choosing_reduction.py`).

        linalg.generic {maps (d0, d1), (d0); parallel, reduction} ins(%x : memref<?x8xf32>) outs(%s : memref<?xf32>) {..}
        ->
        scf.parallel (%i) = (%c0) to (%n) step (%c1) {
          %s0 = memref.load %s[%i] : memref<?xf32>
          %s1 = scf.for %j = %c0 to %c8 step %c1 iter_args(%a = %s0) -> (f32) {..}
          memref.store %s1, %s[%i] : memref<?xf32>
        }
    """

    name = "lower-loops"
    numerics = accurate(2, "sums in registers may be taken in another order, and products are fused with sums")
    statistics = {"lower": "structured ops made loops"}
    tile: bool = True

    def run(self, op: Op) -> None:
        for inner in [o for o in op.walk() if isinstance(o, (linalg.Generic, memref.Copy))]:
            if isinstance(inner, memref.Copy) and _is_block(inner):
                continue
            if isinstance(inner, linalg.Generic) and not inner.has_buffers:
                raise PassError("lower-loops: linalg.generic is on tensors; run bufferize first", inner.location)
            if not actions.begin("lower", inner):
                continue
            if isinstance(inner, memref.Copy):
                _lower_copy(inner)
            elif not (self.tile and lower_contraction(inner)):
                _nest(inner).lower()
            actions.end()


#: A copy of elements that stand side by side is one instruction if they are at most so many, or of a number that run time
#: knows: loops would not pay, and a concat of a thousand operands would be a thousand nests.
SMALL_BLOCK_ELEMENTS = 256


def _is_block(op: memref.Copy) -> bool:
    """The copy is one instruction."""
    types = [op.source.type, op.target.type]
    if not all(type.is_packed for type in types):
        return False
    if not all(isinstance(size, int) for type in types for size in type.shape):
        return True
    is_part = any(type.layout is not None for type in types)
    return is_part and op.source.type.count <= SMALL_BLOCK_ELEMENTS


def _lower_copy(op: memref.Copy) -> None:
    """A copy is a nest of parallel loops."""
    type = op.source.type
    assert isinstance(type, MemRefType)
    b = Builder.before(op)
    identity = AffineMap.identity(type.rank)
    block = Block([type.element, type.element])
    Builder(block, None, op.location).op(linalg.Yield, [block.arguments[0]], result_types=[])
    generic = b.op(
        linalg.Generic, [op.source], [op.target], result_types=[], regions=[Region([block])],
        indexing_maps=[identity, identity], iterator_types=[linalg.PARALLEL] * type.rank,
    )  # fmt: skip
    op.erase()
    _Nest(generic).lower()


def _nest(op: linalg.Generic) -> _Nest:
    """The loops of the op; with vectors if it is a reduction that chooses along rows, in strips if it reduces columns."""
    order = loop_order(op)
    if _reduces_columns(op, order):
        return _ColumnNest(op)
    choice = find_choice(op, order[-1]) if order and op.iterator_types[order[-1]] != linalg.PARALLEL else None
    if choice is None or _known_size(op, order[-1], choice.lanes) < choice.lanes:
        return _Nest(op)
    return _ChoosingNest(op, choice)


class _Nest(LoopBuilder):
    """One `linalg.generic` as loops. Dimensions keep their numbers."""

    def __init__(self, op: linalg.Generic) -> None:
        super().__init__(Builder.before(op))
        self.op = op
        self.sizes = {dim: self.size(dim) for dim in range(op.rank)}
        self.order = loop_order(op)
        #: The innermost loop, where it is two: over multiples of a number, and over the rests, which are at `rest_at`.
        self.rest = _find_rest(op, self.order[-1]) if self.order else None
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


class _ColumnNest(_Nest):
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
            if _known_size(self.op, columns, STRIP + 1) > STRIP:
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
            width = min(STRIP, _known_size(self.op, columns, STRIP))
            if _known_size(self.op, rows, CACHED_ELEMENTS) * width > CACHED_ELEMENTS:
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


class _ChoosingNest(_Nest):
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
            if _known_size(self.op, dim, 0) < self.choice.lanes:  # nothing but run time knows whether a vector fits
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
    return _known_size(op, dim, 0) == 1


@dataclass(frozen=True)
class _Rest:
    """Ops of a body that are the counter of `dim` modulo a number."""

    dim: int
    divisor: int
    ops: frozenset[Op]


def _find_rest(op: linalg.Generic, dim: int) -> _Rest | None:
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


def _reduces_columns(op: linalg.Generic, order: Sequence[int]) -> bool:
    """The innermost dimension is parallel, a reduction is around it, and what depends on it lies side by side along it."""
    if len(order) < 2 or op.iterator_types[order[-1]] != linalg.PARALLEL or op.iterator_types[order[-2]] == linalg.PARALLEL:
        return False
    columns, rows = order[-1], order[-2]
    if _known_size(op, columns, FEWEST_COLUMNS) < FEWEST_COLUMNS or _known_size(op, rows, FEWEST_ROWS) < FEWEST_ROWS:
        return False
    types = [value.type for value in op.operands]
    widths = {getattr(element_type(type), "width", 64) for type in types}
    if not all(width in (32, 64) for width in widths) or _find_rest(op, columns):
        return False
    if any(inner.name.split(".")[0] not in ("arith", "math", "linalg") or inner.regions for inner in op.body):
        return False
    return all(is_along(op, i, columns) is not None for i in range(len(types)))


def _known_size(op: linalg.Generic, dim: int, otherwise: int) -> int:
    """How many steps the loop over `dim` takes, if the types say it."""
    for operand, map in enumerate(op.maps):
        type = op.operand(operand).type
        if isinstance(type, MemRefType) and AffineDim(dim) in map.results:
            size = type.shape[map.results.index(AffineDim(dim))]
            if isinstance(size, int):
                return size
    return otherwise
