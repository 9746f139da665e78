"""Unrolling: a step of the loop does what several did; or there is no loop any more, but its iterations one by one."""

from __future__ import annotations

from typing import Any

from tir.dialects import scf
from tir.ir.builder import Builder
from tir.ir.errors import counted
from tir.ir.flow import known_number
from tir.ir.ir import Value
from tir.passes.loop_edit import inlined
from tir.passes.loop_numbers import Numbers, Refusal, check_counter, check_step, set_bounds, split_off, trip_count

__all__ = ["MOST_OPS", "check_full_unrolling", "check_unrolling", "unroll", "unroll_fully"]

#: Unrolled code has at most so many ops: beyond it, what compiles it needs longer than what it saves.
MOST_OPS = 100_000


def unroll(loop: scf.For, factor: int) -> scf.For | None:
    """Has the loop do `factor` iterations in a step; the loop behind it that does the rest, None if there is none.

    A loop that is known to run less often than `factor` stays as it is, as the rest. Refusal as of `check_unrolling`.
    """
    check_unrolling(loop, factor)
    count, step = trip_count(loop), known_number(loop.step)
    assert step is not None
    if factor == 1:
        return None
    if count is not None and count < factor:
        return loop
    numbers = Numbers(Builder.before(loop), loop.lowerBound.type)
    template = loop.clone()
    assert isinstance(template, scf.For)
    rest = split_off(loop, _split(numbers, loop, factor)) if count is None or count % factor else None
    b = Builder(loop.body, loop.body.terminator, loop.location)
    inside = Numbers(b, numbers.type)
    handed_on = list(loop.yielded)
    for copy in range(1, factor):
        counter = inside.add(loop.induction_variable, inside.constant(step * copy))
        handed_on = _copy_of(template, b, counter, handed_on)
    loop.body.terminator.set_operands(handed_on)
    template.drop_uses()
    set_bounds(loop, loop.lowerBound, loop.upperBound, numbers.times(loop.step, factor))
    return rest


def check_unrolling(loop: scf.For, factor: int) -> None:
    """Refusal if numbers between the bounds cannot be computed, or if the code would become too long."""
    check_counter(loop)
    check_step(loop, factor)
    count = trip_count(loop)
    if count is None or count >= factor:
        _check_size(loop, factor)


def _split(numbers: Numbers, loop: scf.For, factor: int) -> Value:
    """Where the last whole group of iterations ends; at most the lower bound if the loop does not run."""
    count = numbers.count(loop)
    whole = numbers.subtract(count, numbers.remainder(count, factor))
    step = known_number(loop.step)
    assert step is not None
    return numbers.add(loop.lowerBound, numbers.times(whole, step))


def unroll_fully(loop: scf.For) -> None:
    """Puts the iterations of a loop that runs a known number of times in its place. Refusal as of `check_full_unrolling`."""
    count = check_full_unrolling(loop)
    low, step = known_number(loop.lowerBound), known_number(loop.step)
    assert low is not None and step is not None
    b = Builder.before(loop)
    numbers = Numbers(b, loop.lowerBound.type)
    carried = list(loop.initArgs)
    for i in range(count):
        carried = _copy_of(loop, b, numbers.constant(low + i * step), carried)
    loop.replace_with(carried)


def check_full_unrolling(loop: scf.For) -> int:
    """How often the loop runs. Refusal if that is not known, or if the code would become too long."""
    check_counter(loop)
    count = trip_count(loop)
    if count is None:
        raise Refusal("how often it runs is not known", loop.location)
    _check_size(loop, count)
    return count


def _copy_of(loop: scf.For, b: Builder, counter: Value, carried: list[Value]) -> list[Value]:
    """The body once more, where the builder stands; what it hands on."""
    mapping: dict[Any, Any] = {loop.induction_variable: counter, **dict(zip(loop.iter_args, carried))}
    return inlined(loop.body, b, mapping)


def _check_size(loop: scf.For, copies: int) -> None:
    size = copies * sum(1 for _ in loop.walk())
    if size > MOST_OPS:
        raise Refusal(f"{counted(copies, 'copy', 'copies')} of it are {size} ops, more than {MOST_OPS}", loop.location)
