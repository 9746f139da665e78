"""Structured ops on buffers become loops: which dimension runs innermost, and where sums are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tir.dialects import arith, linalg, memref, scf
from tir.ir import actions
from tir.ir.affine import AffineDim, AffineExpr, AffineMap, AffineOp, AffineSum
from tir.ir.attributes import DialectAttr
from tir.ir.builder import Builder
from tir.ir.errors import PassError
from tir.ir.ir import Block, Op, Region, Value, clone_into
from tir.ir.numerics import accurate
from tir.ir.pass_manager import Pass
from tir.ir.types import INDEX, FloatType, MemRefType
from tir.passes.loop_values import LoopValues
from tir.passes.tile_contraction import lower_contraction

__all__ = ["LowerLoops"]


@dataclass
class LowerLoops(Pass):
    """Lowers `linalg.generic` on buffers, and `memref.copy`, to loops of loads and stores.

    Needs memrefs (`bufferize`). Leaves `scf.parallel` for parallel dimensions and `scf.for` for reductions. The innermost
    loop is the dimension along which most buffers are contiguous (the naive order of a matrix product costs 20 times the
    time): a parallel one, with the sums kept in the output, or a reduction, with the sums in registers; sums of floats in
    registers may then be reassociated, and say so (`fastmath<reassoc>`), so that they can be vectorized. Products of
    matrices, and other contractions, are tiled (`tile_contraction.py`) unless `tile=false`.

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
            if isinstance(inner, memref.Copy) and _is_small_block(inner):
                continue
            if isinstance(inner, linalg.Generic) and not inner.has_buffers:
                raise PassError("lower-loops: linalg.generic is on tensors; run bufferize first", inner.location)
            if not actions.begin("lower", inner):
                continue
            if isinstance(inner, memref.Copy):
                _lower_copy(inner)
            elif not (self.tile and lower_contraction(inner)):
                _Nest(inner).lower()
            actions.end()


#: A copy of at most this many elements that stand side by side is one instruction: loops would not pay, and a concat of
#: a thousand operands would be a thousand nests.
SMALL_BLOCK_ELEMENTS = 256


def _is_small_block(op: memref.Copy) -> bool:
    """The copy is one of few elements, packed on both sides, into a part of a buffer."""
    types = [op.source.type, op.target.type]
    if all(type.layout is None for type in types) or not all(isinstance(d, int) for d in op.source.type.shape):
        return False
    return op.source.type.count <= SMALL_BLOCK_ELEMENTS and all(type.is_packed for type in types)


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


class _Nest:
    """One `linalg.generic` as loops. Dimensions keep their numbers; `at` has the counter of each."""

    def __init__(self, op: linalg.Generic) -> None:
        self.op = op
        self.b = Builder.before(op)
        self.at: dict[int, Value] = {}
        self.values = LoopValues(self.b)
        self.constant = self.values.constant
        self.sizes = [self.size(dim) for dim in range(op.rank)]

    def lower(self) -> None:
        """Writes the loops in front of the op, and removes it."""
        order = loop_order(self.op)
        in_registers = bool(order) and self.op.iterator_types[order[-1]] != linalg.PARALLEL
        if in_registers:
            self.loops(order, self.reduce_innermost)
        else:
            self.loops(order, self.load_compute_store)
        self.op.erase()

    # --- loops -----------------------------------------------------------------------------------------------------

    def loops(self, order: Sequence[int], body: Any) -> None:
        """Loops over `order` from the outside in; neighbouring parallel ones are one `scf.parallel`."""
        kinds = self.op.iterator_types
        saved = self.b.block, self.b.anchor
        place = 0
        while place < len(order):
            stop = place + 1
            if kinds[order[place]] == linalg.PARALLEL:
                while stop < len(order) and kinds[order[stop]] == linalg.PARALLEL:
                    stop += 1
                self.open_parallel(order[place:stop])
            elif all(kinds[d] != linalg.PARALLEL for d in order[place:]):
                break
            else:
                self.open_for(order[place])
            place = stop
        body(list(order[place:]))
        self.b.block, self.b.anchor = saved

    def open_parallel(self, dims: Sequence[int]) -> None:
        block = Block([INDEX] * len(dims))
        zero, one = self.constant(0), self.constant(1)
        self.b.op(
            scf.Parallel, [zero] * len(dims), [self.sizes[d] for d in dims], [one] * len(dims), [],
            result_types=[], regions=[Region([block])],
        )  # fmt: skip
        end = Builder(block, None, self.b.location).op(scf.Reduce, [], result_types=[])
        self.at.update(zip(dims, block.arguments))
        self.b.block, self.b.anchor = block, end

    def open_for(self, dim: int) -> None:
        block = Block([INDEX])
        self.b.op(
            scf.For, self.constant(0), self.sizes[dim], self.constant(1), [], result_types=[], regions=[Region([block])]
        )
        end = Builder(block, None, self.b.location).op(scf.Yield, [], result_types=[])
        self.at[dim] = block.arguments[0]
        self.b.block, self.b.anchor = block, end

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
        opened: list[tuple[Block, scf.For]] = []
        saved = self.b.block, self.b.anchor
        for dim in dims:
            block = Block([INDEX, *[v.type for v in carried]])
            loop = self.b.op(
                scf.For, self.constant(0), self.sizes[dim], self.constant(1), carried, regions=[Region([block])]
            )
            opened.append((block, loop))
            self.at[dim] = block.arguments[0]
            self.b.block, self.b.anchor = block, None
            carried = list(block.arguments[1:])
        elements = {argument: self.load(i) for i, argument in enumerate(self.op.input_arguments)}
        elements.update(zip(self.op.output_arguments, carried))
        values: Sequence[Value] = self.compute(elements, reassociate=True)
        for block, loop in reversed(opened):
            Builder(block, None, self.b.location).op(scf.Yield, values, result_types=[])
            values = loop.results
        self.b.block, self.b.anchor = saved
        return values

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
                    return self.values.size(self.op.operand(operand), axis)
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
    for operand, map in enumerate(op.maps):
        type = op.operand(operand).type
        if isinstance(type, MemRefType) and AffineDim(dim) in map.results:
            if type.shape[map.results.index(AffineDim(dim))] == 1:
                return True
    return False
