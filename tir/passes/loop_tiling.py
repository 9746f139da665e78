"""Tiling: loops over tiles around loops over the iterations of a tile, so that what a tile needs stays near."""

from __future__ import annotations

from collections.abc import Sequence

from tir.dialects import arith, scf
from tir.ir.builder import Builder
from tir.ir.errors import counted
from tir.ir.flow import known_number
from tir.ir.ir import Block, Region, Value
from tir.ir.types import INDEX
from tir.passes.loop_dependence import check_order_is_free, dependences
from tir.passes.loop_numbers import Numbers, Refusal, check_counter, check_step, perfect_nest, set_bounds, trip_count

__all__ = ["check_parallel_tiling", "check_tiling", "tile_nest", "tile_parallel"]


def tile_nest(loop: scf.For, sizes: Sequence[int]) -> list[scf.For]:
    """Tiles the nest that begins with the loop; the loops over tiles, outermost first.

    sizes: iterations of a tile, for each loop of the nest from the outside; 0 for one that is not tiled. Loops over tiles
    stand in their order around the loops of the nest, of which the last tile may take fewer iterations. Refusal as of
    `check_tiling`.
    """
    loops = check_tiling(loop, sizes)
    return _around(loops, [(k, sizes[k]) for k in range(len(loops)) if sizes[k]]) if loops else []


def check_tiling(loop: scf.For, sizes: Sequence[int]) -> list[scf.For]:
    """The loops of the nest down to the last that is tiled.

    Refusal if there are not so many, or if an access to memory would come in front of one that it depends on.
    """
    tiled = [k for k, size in enumerate(sizes) if size]
    if not tiled:
        return []
    loops = perfect_nest(loop)[: tiled[-1] + 1]
    if len(loops) <= tiled[-1]:
        raise Refusal(f"the nest has {counted(len(loops), 'loop')}, and tile sizes are for {tiled[-1] + 1}", loop.location)
    for k in tiled:
        check_counter(loops[k])
        check_step(loops[k], sizes[k])
    if tiled != [0]:  # tiles of the outermost loop alone keep the order of all iterations
        _check_tiles(loops, sizes)
    return loops


def _check_tiles(loops: Sequence[scf.For], sizes: Sequence[int]) -> None:
    check_order_is_free(loops)
    for dependence in dependences(loops):
        if (signs := dependence.broken_by_tiles(sizes)) is not None:
            raise Refusal(dependence.sentence(signs), loops[0].location)


def _around(loops: Sequence[scf.For], tiled: Sequence[tuple[int, int]]) -> list[scf.For]:
    """Puts loops over tiles around the nest, the k-th loop of which gets tiles of so many iterations."""
    first = loops[0]
    b = Builder.before(first)
    made: list[scf.For] = []
    carried, results = list(first.initArgs), first.results
    steps = [Numbers(b, loops[k].step.type).times(loops[k].step, size) for k, size in tiled]
    for (k, _), step in zip(tiled, steps):
        loop = loops[k]
        block = Block([step.type, *(value.type for value in carried)])
        block.arguments[0].hint = loop.induction_variable.hint
        for old, new in zip(first.iter_args, block.arguments[1:]):
            new.hint = old.hint
        outer = b.op(scf.For, loop.lowerBound, loop.upperBound, step, carried, regions=[Region([block])])
        outer.set_property("unsignedCmp", loop.properties.get("unsignedCmp"))
        made.append(outer)
        carried = list(block.arguments[1:])
        b = Builder(block, None, first.location)
    for result, whole in zip(results, made[0].results):
        whole.hint = result.hint
        result.replace_all_uses_with(whole)
    first.detach()
    for (k, _), outer in zip(tiled, made):
        high = _end_of_tile(Numbers(b, outer.step.type), outer, outer.induction_variable)
        set_bounds(loops[k], outer.induction_variable, high, loops[k].step)
    b.insert(first)
    first.set_operands([*first.operands[:3], *carried])
    handed_on: Sequence[Value] = first.results
    for outer in reversed(made):
        Builder.at_end(outer.body, first.location).op(scf.Yield, handed_on, result_types=[])
        handed_on = outer.results
    return made


def _end_of_tile(numbers: Numbers, outer: scf.For, start: Value) -> Value:
    """Where the tile that begins at `start` ends, in a loop over tiles: the bound of the whole loop at most."""
    low, high, wide = (known_number(value) for value in (outer.lowerBound, outer.upperBound, outer.step))
    if trip_count(outer) is not None and (high - low) % wide == 0:  # type: ignore[operator]
        return numbers.add(start, outer.step)
    left = numbers.subtract(outer.upperBound, start)
    return numbers.add(start, numbers.minimum(outer.step, left))


def tile_parallel(loop: scf.Parallel, sizes: Sequence[int], with_bounds: bool = True) -> scf.Parallel:
    """Tiles the dimensions of the loop, with 1 for those that have no size; the loop over tiles.

    with_bounds: the last tile has fewer iterations; else all have as many, and a condition leaves out those that are too
    many. Refusal as of `check_parallel_tiling`.
    """
    check_parallel_tiling(loop, sizes)
    numbers = Numbers(Builder.before(loop))
    wide = [numbers.times(step, size) for step, size in zip(loop.step, _all_sizes(loop, sizes))]
    zero = numbers.constant(0)
    outside = Block([INDEX] * loop.rank)
    outer = numbers.b.op(
        scf.Parallel, list(loop.lowerBound), list(loop.upperBound), wide, [], regions=[Region([outside])],
        attributes={name: value for name, value in loop.attributes.items() if name != scf.SHORT},
    )  # fmt: skip
    loop.set_attribute(scf.THREADS, None)
    end = Builder.at_end(outside, loop.location).op(scf.Reduce, [], result_types=[])
    within = Numbers(Builder(outside, end, loop.location))
    left = [within.subtract(high, at) for high, at in zip(loop.upperBound, outside.arguments)]
    most = _widths(within, outer, left) if with_bounds else wide
    loop.detach()
    within.b.insert(loop)
    _count_from(loop, zero, most, outside.arguments)
    if not with_bounds:
        _leave_out(loop, left)
    return outer


def check_parallel_tiling(loop: scf.Parallel, sizes: Sequence[int]) -> None:
    """Refusal if the loop combines values, or if a step is no constant."""
    if loop.initVals:
        raise Refusal("it combines values in the order of its iterations", loop.location)
    for step, size in zip(loop.step, _all_sizes(loop, sizes)):
        number = known_number(step)
        if number is None:
            raise Refusal("its step is not a constant", loop.location)
        if not Numbers(Builder()).fits(number * size):
            raise Refusal(f"{size} steps of {number} at once would leave the numbers of type index", loop.location)


def _all_sizes(loop: scf.Parallel, sizes: Sequence[int]) -> list[int]:
    return [*sizes, *[1] * loop.rank][: loop.rank]


def _widths(numbers: Numbers, outer: scf.Parallel, left: Sequence[Value]) -> list[Value]:
    """Of each dimension, how far a tile goes."""
    found = []
    for low, high, step, rest in zip(outer.lowerBound, outer.upperBound, outer.step, left):
        ends = known_number(low), known_number(high), known_number(step)
        is_whole = None not in ends and (ends[1] - ends[0]) % ends[2] == 0  # type: ignore[operator]
        found.append(step if is_whole else numbers.minimum(step, rest))
    return found


def _count_from(loop: scf.Parallel, zero: Value, widths: Sequence[Value], starts: Sequence[Value]) -> None:
    """The loop counts from 0 on; inside, the start of the tile is added."""
    inside = Builder.at_start(loop.body, loop.location)
    for counter, start in zip(loop.induction_variables, starts):
        uses = counter.uses
        moved = inside.create(arith.AddI, counter, start)
        start.hint = counter.hint
        for use in uses:
            use.set(moved)
    loop.set_operands([*[zero] * loop.rank, *widths, *loop.step])


def _leave_out(loop: scf.Parallel, left: Sequence[Value]) -> None:
    """Has the loop do nothing for counters that are not less than what is left of the whole one."""
    then = Block()
    for op in loop.body:
        if op is not loop.body.terminator:
            op.detach()
            then.append(op)
    b = Builder(loop.body, loop.body.terminator, loop.location)
    places = zip(loop.induction_variables, left)
    conditions = [b.create(arith.CmpI, counter, rest, predicate="slt") for counter, rest in places]
    condition = conditions[0]
    for other in conditions[1:]:
        condition = b.create(arith.AndI, condition, other)
    Builder.at_end(then, loop.location).op(scf.Yield, [], result_types=[])
    b.op(scf.If, condition, result_types=[], regions=[Region([then]), Region()])
