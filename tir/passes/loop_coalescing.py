"""Coalescing: a nest of loops as one loop over all iterations, from whose counter the others are computed."""

from __future__ import annotations

from tir.dialects import arith, scf
from tir.ir.builder import Builder
from tir.ir.flow import known_number
from tir.ir.ir import Value
from tir.ir.types import INDEX
from tir.passes.loop_numbers import Numbers, Refusal, check_counter, perfect_nest, set_bounds, trip_count

__all__ = ["coalesce"]


def coalesce(loop: scf.For) -> scf.For:
    """The nest that begins with the loop as one loop, in the same order of iterations: the loop itself.

    Refusal if there is one loop only, if bounds depend on a loop around, or if there are more iterations than numbers.
    """
    loops = perfect_nest(loop)
    if len(loops) == 1:
        raise Refusal("there is no loop in it that would go with it", loop.location)
    known = 1
    for one in loops:
        check_counter(one)
        known *= trip_count(one) or 1
        if one.lowerBound.type is not INDEX or any(value.is_made_inside(loop) for value in one.operands[:2]):
            raise Refusal("its bounds depend on the loop around it", one.location)
    numbers = Numbers(Builder.before(loop))
    if not numbers.fits(known):
        raise Refusal(f"all its {known} iterations are more than there are numbers of type index", loop.location)
    counts = [_count(numbers, one) for one in loops]
    total = counts[0]
    for count in counts[1:]:
        total = numbers.product(total, count)
    bounds = numbers.constant(0), total, numbers.constant(1)
    innermost = loops[-1]
    b = Builder.at_start(innermost.body, loop.location)
    _compute_counters(Numbers(b), loops, counts)
    innermost.detach()
    loop.parent.insert_before(loop, innermost)  # type: ignore[union-attr]
    innermost.set_operands([*innermost.operands[:3], *loop.initArgs])
    set_bounds(innermost, *bounds)
    loop.replace_with(list(innermost.results))
    return innermost


def _count(numbers: Numbers, loop: scf.For) -> Value:
    """How often the loop runs, never below 0."""
    count = numbers.count(loop)
    return count if trip_count(loop) is not None else numbers.maximum(count, numbers.constant(0))


def _compute_counters(numbers: Numbers, loops: list[scf.For], counts: list[Value]) -> None:
    """In front of all else in the innermost loop: what each counter is at this iteration of the one loop."""
    left: Value = loops[-1].induction_variable
    uses = [loop.induction_variable.uses for loop in loops]
    for loop, count, found in reversed(list(zip(loops, counts, uses))):
        place = left if loop is loops[0] else numbers.b.create(arith.RemUI, left, count)
        left = left if loop is loops[0] else numbers.b.create(arith.DivUI, left, count)
        step = known_number(loop.step)
        assert step is not None
        counter = numbers.add(loop.lowerBound, numbers.times(place, step))
        for use in found:
            use.set(counter)
