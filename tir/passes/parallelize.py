"""Parallel loops that are worth it are cut into chunks, one for a thread at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tir.dialects import arith, memref, scf, vector
from tir.ir import actions
from tir.ir.attributes import IntegerAttr, UnitAttr
from tir.ir.builder import Builder
from tir.ir.errors import Location
from tir.ir.flow import known_count, known_number
from tir.ir.ir import Block, Op, Region, Value
from tir.ir.numerics import EXACT
from tir.ir.pass_manager import Pass
from tir.ir.types import INDEX, IndexType, VectorType
from tir.passes.op_weights import weight

__all__ = ["Parallelize"]

#: The work of a chunk, in the weights of ops: about 2.5 us at 80 of them in a nanosecond.
CHUNK_WORK = 200_000
#: Less work than this many chunks is done by one thread: to wake another takes as long.
FEWEST_CHUNKS = 4
#: Chunks of the innermost loop are multiples of this, so that two threads seldom write one line of the cache.
LINE_ELEMENTS = 64
#: How often a loop is thought to run whose bounds are not known in front of the loop around it.
ASSUMED_COUNT = 16
#: A chunk that is all of a loop.
EVERYTHING = 1 << 40

TOO_FEW = "too few iterations"
_DIALECTS = frozenset(("arith", "math", "memref", "vector", "scf", "cf"))
_VIEWS = (memref.Cast, memref.CollapseShape, memref.ExpandShape, memref.ReinterpretCast, memref.Subview)


@dataclass
class Parallelize(Pass):
    """Cuts parallel loops with enough work into chunks that threads take one after the other (`{tir.threads}`).

    Needs the loops level (`lower-loops`). Leaves the same iterations in the same order, so results do not depend on the
    number of threads. Each outermost `scf.parallel` (the next one, if it has a single iteration) becomes a loop over
    chunks of some microseconds around one over the iterations of a chunk; the innermost dimension is cut last, and not at
    all if the others are long enough. Where the work is known to be too little for a second thread nothing is done; where
    run time knows, the chunk is then the whole loop. Loops that combine values (`init`), those with calls inside, and
    copies and steps of reductions of sizes that run time knows stay as they are; `remarks` says so.

        scf.parallel (%i) = (%c0) to (%n) step (%c1) {        %few = arith.cmpi ult, %n, %c266752 : index
          ..                                                  %chunk = arith.select %few, %everything, %c66688 : index
        }                                                     scf.parallel (%c) = (%c0) to (%n) step (%chunk) {
                                                        ->      %0 = arith.addi %c, %chunk : index
                                                                %end = arith.minsi %0, %n : index
                                                                scf.parallel (%i) = (%c) to (%end) step (%c1) {
                                                                  ..
                                                                }
                                                              } {tir.threads}
    """

    name = "parallelize"
    numerics = EXACT
    statistics = {"parallelize": "loops cut into chunks for threads"}

    def __post_init__(self) -> None:
        self.remarks: list[tuple[Location, str]] = []

    def run(self, op: Op) -> None:
        self.remarks.clear()
        pending = _outermost(op)
        while pending:
            loop = pending.pop(0)
            chunks = _Chunks(loop)
            reason = _refusal(loop) or chunks.why_not()
            if reason is not None:
                self.remarks.append((loop.location, f"not parallelized: {reason}"))
                pending += _outermost(loop) if reason == TOO_FEW else []
            elif actions.begin("parallelize", loop):
                chunks.write()
                actions.end()


def _outermost(op: Op) -> list[scf.Parallel]:
    """The parallel loops inside the op that are in no other one there."""
    found: list[scf.Parallel] = []
    inside: set[Op] = set()
    for inner in op.walk():
        if inner is op:
            continue
        if inner.parent_op in inside:
            inside.add(inner)
        elif isinstance(inner, scf.Parallel):
            inside.add(inner)
            found.append(inner)
    return found


# --- what may not run at the same time -------------------------------------------------------------------------------


def _refusal(loop: scf.Parallel) -> str | None:
    """Why threads may not run the iterations at the same time."""
    if loop.initVals:
        return "the iterations combine values"
    if any(scf.THREADS in inner.attributes for inner in loop.walk()):
        return "it is already"
    for inner in loop.walk():
        if inner.name.split(".")[0] not in _DIALECTS:
            return f"{inner.name} stands inside"
    return _shared_place(loop)


def _shared_place(loop: scf.Parallel) -> str | None:
    """What is written in all iterations alike: no place of a buffer from outside that the counters choose."""
    chosen: set[Value] = set()  # what depends on the counters
    for inner in loop.walk():
        if inner is loop or not chosen.isdisjoint(inner.operands):
            chosen.update(inner.results)
            chosen.update(argument for region in inner.regions for block in region.blocks for argument in block.arguments)
        place = _written_place(inner)
        if place and not _base(place[0]).is_made_inside(loop) and chosen.isdisjoint(place):
            return f"{inner.name} writes to the same place in all iterations"
    return None


def _written_place(op: Op) -> Sequence[Value]:
    """The buffer and the indices that an op writes to."""
    if isinstance(op, memref.Store):
        return [op.memref, *op.indices]
    if isinstance(op, (vector.Store, vector.MaskedStore)):
        return [op.base, *op.indices]
    if isinstance(op, memref.Copy):
        return [op.target]
    return [op.memref] if isinstance(op, memref.Dealloc) else []


def _base(buffer: Value) -> Value:
    """The buffer of which this one is a view."""
    while isinstance(buffer.op, _VIEWS):
        buffer = buffer.op.operand(0)
    return buffer


# --- work ------------------------------------------------------------------------------------------------------------


class _Work:
    """A sum of products: factors that run time knows -> the number that stands in front of them."""

    def __init__(self, terms: Mapping[tuple[Value, ...], float]) -> None:
        self.terms = terms

    @property
    def known(self) -> float | None:
        """The number, if run time has no part in it."""
        return self.terms.get((), 0.0) if not any(self.terms) else None

    def times(self, count: _Count) -> _Work:
        """So often."""
        return _Work({(*factors, *count.factors): number * count.number for factors, number in self.terms.items()})

    def value(self, b: Builder) -> Value:
        """The number at run time."""
        total: Value | None = None
        for factors, number in self.terms.items():
            part = _index(b, math.ceil(number))
            for factor in factors:
                part = b.create(arith.MulI, part, factor)
            total = part if total is None else b.create(arith.AddI, total, part)
        assert total is not None
        return total


@dataclass(frozen=True)
class _Count:
    """How often a loop runs: a number times what run time knows."""

    number: float
    factors: tuple[Value, ...] = ()

    @property
    def known(self) -> float | None:
        return None if self.factors else self.number


def _count(low: Value, high: Value, step: Value, outside: Op) -> _Count:
    """How often a loop runs, as far as that is known in front of the loop `outside`."""
    known = known_count(low, high, step)
    if known is not None:
        return _Count(known)
    stride = known_number(step)
    if known_number(low) != 0 or not stride or high.is_made_inside(outside) or not isinstance(high.type, IndexType):
        return _Count(_most(low, high, stride or 1) or ASSUMED_COUNT)
    return _Count(1 / stride, (high,))


def _most(low: Value, high: Value, stride: int) -> float | None:
    """How often a loop runs at the most that ends at the smaller of two numbers, or of a number behind where it begins."""
    if not isinstance(high.op, (arith.MinSI, arith.MinUI)):
        return None
    ends: list[int | None] = []
    for value in high.op.operands:
        if isinstance(value.op, arith.AddI) and low in value.op.operands:
            ends += map(known_number, value.op.operands)
        else:
            ends.append(known_number(value))
    known = [end for end in ends if end]
    return min(known) / stride if known else None


def _work_of_iteration(loop: scf.Parallel) -> _Work:
    """The work of one iteration, in the weights of ops. Both branches of a condition count."""
    times: dict[Block, _Count] = {loop.body: _Count(1)}
    terms: dict[tuple[Value, ...], float] = {}
    for op in loop.walk():
        if op is loop:
            continue
        assert op.parent is not None
        count = times[op.parent]
        terms[count.factors] = terms.get(count.factors, 0) + count.number * weight(op) * _lanes(op)
        inside = _times(op, loop)
        for region in op.regions:
            for block in region.blocks:
                times[block] = _Count(count.number * inside.number, (*count.factors, *inside.factors))
    return _Work(terms)


def _times(op: Op, loop: scf.Parallel) -> _Count:
    """How often the blocks of an op run."""
    if isinstance(op, scf.For):
        return _count(op.lowerBound, op.upperBound, op.step, loop)
    if isinstance(op, scf.Parallel):
        counts = [_count(*bounds, loop) for bounds in zip(op.lowerBound, op.upperBound, op.step)]
        factors = tuple(factor for count in counts for factor in count.factors)
        return _Count(math.prod(count.number for count in counts), factors)
    return _Count(ASSUMED_COUNT if isinstance(op, scf.While) else 1)


def _lanes(op: Op) -> int:
    types = [value.type for value in (*op.operands, *op.results)]
    return max((type.static_shape[-1] for type in types if isinstance(type, VectorType) and type.rank), default=1)


def _only_moves(loop: scf.Parallel) -> bool:
    """Nothing is computed but places: memory limits that, which one thread nearly has to itself."""
    computing = [op for op in loop.walk() if op.name.split(".")[0] in ("arith", "math", "vector") and weight(op)]
    return all(isinstance(result.type, IndexType) for op in computing for result in op.results)


def _is_step_of_reduction(loop: scf.Parallel) -> bool:
    """A loop in order does nothing but run it, mostly very often: even a call that stays on one thread would show."""
    assert loop.parent is not None
    return isinstance(loop.parent_op, scf.For) and not any(op.regions for op in loop.parent if op is not loop)


def _index(b: Builder, number: int) -> Value:
    return b.create(arith.Constant, value=IntegerAttr(number, INDEX))


# --- chunks ----------------------------------------------------------------------------------------------------------


class _Chunks:
    """How one loop is cut. steps: how many iterations of a dimension a chunk has; None for all."""

    def __init__(self, loop: scf.Parallel) -> None:
        self.loop = loop
        self.counts = [_count(*bounds, loop) for bounds in zip(loop.lowerBound, loop.upperBound, loop.step)]
        #: The work of an iteration of each dimension, and of the whole loop in front of them.
        self.works = [_work_of_iteration(loop)]
        for count in reversed(self.counts):
            self.works.insert(0, self.works[0].times(count))

    def why_not(self) -> str | None:
        """Why there is nothing to cut."""
        known = self.works[0].known
        if known is not None and known < FEWEST_CHUNKS * CHUNK_WORK:
            return "too little work"
        if known is None and _only_moves(self.loop):
            return "it only moves numbers, and run time decides how many"
        if known is None and _is_step_of_reduction(self.loop):
            return "it is one step of a reduction, and run time decides how long"
        is_cut = any(self.known_step(dim) is not None for dim in range(self.loop.rank))
        return None if is_cut else TOO_FEW

    def known_step(self, dim: int) -> int | None:
        """How many iterations of a dimension a chunk has: 0 if run time decides, None for all."""
        count, work = self.counts[dim].known, self.works[dim + 1].known
        if count is not None and count <= 1:
            return None
        if work is None:
            return 0
        least = math.ceil(CHUNK_WORK / max(work, 1))
        if count is not None:
            least = math.ceil(count / max(1, count // least))  # chunks are about equally large
        if dim == self.loop.rank - 1 and least > 1:
            least = -(-least // LINE_ELEMENTS) * LINE_ELEMENTS
        return None if count is not None and least >= count else least

    def write(self) -> None:
        """Puts the loop over chunks around the loop."""
        loop = self.loop
        known = [self.known_step(dim) for dim in range(loop.rank)]
        if all(step == 1 for step in known) and self.works[0].known is not None:
            loop.set_attribute(scf.THREADS, UnitAttr())
            return
        b = Builder.before(loop)
        cut = [dim for dim, step in enumerate(known) if step is not None]
        steps = self.steps(b, cut, known)
        block = Block([INDEX] * len(cut))
        bounds = [loop.lowerBound[d] for d in cut], [loop.upperBound[d] for d in cut], [steps[d] for d in cut]
        outer = b.op(scf.Parallel, *bounds, [], result_types=[], regions=[Region([block])])
        outer.set_attribute(scf.THREADS, UnitAttr())
        end = Builder.at_end(block, loop.location).op(scf.Reduce, [], result_types=[])
        loop.move_before(end)
        inside = Builder.before(loop)
        lows, highs = list(loop.lowerBound), list(loop.upperBound)
        for dim, start in zip(cut, block.arguments):
            start.hint = loop.induction_variables[dim].hint
            lows[dim] = start
            highs[dim] = inside.create(arith.MinSI, inside.create(arith.AddI, start, steps[dim]), highs[dim])
        loop.set_operands([*lows, *highs, *loop.step])

    def steps(self, b: Builder, cut: Sequence[int], known: Sequence[int | None]) -> dict[int, Value]:
        """The step of the loop over chunks in each dimension that is cut."""
        found: dict[int, Value] = {}
        few = self.few(b)
        for dim in cut:
            count = known[dim]
            if count:
                chunk = _index(b, count)
            else:
                work = b.create(arith.MaxUI, self.works[dim + 1].value(b), _index(b, 1))
                chunk = b.create(arith.DivUI, _index(b, CHUNK_WORK), work)
                chunk = b.create(arith.MaxUI, chunk, _index(b, 1))
            if known_number(self.loop.step[dim]) != 1:
                chunk = b.create(arith.MulI, chunk, self.loop.step[dim])
            found[dim] = chunk if few is None else b.create(arith.Select, few, _index(b, EVERYTHING), chunk)
        return found

    def few(self, b: Builder) -> Value | None:
        """Whether all of the loop is too little work for a second thread, if run time knows."""
        whole = self.works[0]
        if whole.known is not None:
            return None
        if len(whole.terms) == 1 and len(factors := next(iter(whole.terms))) == 1:  # one size: compared as it is
            least = math.ceil(FEWEST_CHUNKS * CHUNK_WORK / max(whole.terms[factors], 1e-9))
            return b.create(arith.CmpI, factors[0], _index(b, least), predicate="ult")
        return b.create(arith.CmpI, whole.value(b), _index(b, FEWEST_CHUNKS * CHUNK_WORK), predicate="ult")
