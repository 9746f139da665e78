"""Peeling: the first or last iterations of a loop go into a loop of their own, so that the other one is simpler."""

from __future__ import annotations

from collections.abc import Iterator

from tir.dialects import arith, scf
from tir.ir.builder import Builder
from tir.ir.flow import known_number
from tir.ir.ir import Op, Value
from tir.passes.loop_numbers import Numbers, Refusal, check_counter, split_off, trip_count

__all__ = ["check_peel_first", "check_peel_last", "peel_first", "peel_last"]


def peel_first(loop: scf.For) -> scf.For:
    """Leaves the loop its first iteration; the loop behind it that does the others. Refusal as of `check_peel_first`."""
    check_peel_first(loop)
    numbers = Numbers(Builder.before(loop), loop.lowerBound.type)
    second = numbers.add(loop.lowerBound, loop.step)
    known = trip_count(loop) is not None
    return split_off(loop, second if known else numbers.minimum(second, loop.upperBound))


def check_peel_first(loop: scf.For) -> None:
    """Refusal if the loop is known to have one iteration at most, or if its bounds cannot be computed with."""
    check_counter(loop)
    if trip_count(loop) in (0, 1):
        raise Refusal("it has one iteration at most", loop.location)


def peel_last(loop: scf.For) -> scf.For:
    """Leaves the loop its whole steps; the loop behind it that does what is left: one iteration, or none.

    What takes the lesser of a step and what is left of the loop takes the step in the first, and what is left in the
    second. Refusal as of `check_peel_last`.
    """
    check_peel_last(loop)
    step, end, high = known_number(loop.step), loop.upperBound, known_number(loop.upperBound)
    assert step is not None
    numbers = Numbers(Builder.before(loop), loop.lowerBound.type)
    if trip_count(loop) is not None:
        split = numbers.constant(high - _length(loop) % step)  # type: ignore[operator]
    else:
        split = numbers.subtract(end, numbers.remainder(numbers.subtract(end, loop.lowerBound), step))
    rest = split_off(loop, split)
    _settle(loop, end, whole=True)
    _settle(rest, end, whole=False)
    return rest


def check_peel_last(loop: scf.For) -> None:
    """Refusal if the step is known to divide the length of the loop, or if its bounds cannot be computed with."""
    check_counter(loop)
    step, count = known_number(loop.step), trip_count(loop)
    if step == 1 or (count is not None and _length(loop) % step == 0):  # type: ignore[operator]
        raise Refusal("its step divides its length", loop.location)


def _length(loop: scf.For) -> int:
    """From the lower bound to the upper one, which are constants."""
    low, high = known_number(loop.lowerBound), known_number(loop.upperBound)
    assert low is not None and high is not None
    return max(high - low, 0)


def _settle(loop: scf.For, end: Value, whole: bool) -> None:
    """Takes the one that is known to be the lesser. whole: each iteration has a whole step up to `end`."""
    for op, size, left in list(_minima(loop, end)):
        step = known_number(loop.step)
        known = known_number(size)
        if known is None or step is None:
            continue
        if whole and 0 <= known <= step:
            op.replace_with([size])
        elif not whole and known >= step:
            op.replace_with([left])


def _minima(loop: scf.For, end: Value) -> Iterator[tuple[Op, Value, Value]]:
    """The ops in the loop that take the lesser of a size and `end` minus the counter, with these two."""
    for op in loop.walk():
        if isinstance(op, (arith.MinSI, arith.MinUI)):
            for size, left in (op.operands, op.operands[::-1]):
                made = left.op
                if isinstance(made, arith.SubI) and made.rhs is loop.induction_variable and _is_same(made.lhs, end):
                    yield op, size, left
                    break


def _is_same(x: Value, y: Value) -> bool:
    return x is y or (known_number(x) is not None and known_number(x) == known_number(y) and x.type is y.type)
