"""What the transformations of loops share: arithmetic on bounds, what they refuse, and loops that stand in each other."""

from __future__ import annotations

from tir.dialects import arith, scf
from tir.ir.attributes import IntegerAttr
from tir.ir.builder import Builder
from tir.ir.errors import TirError
from tir.ir.flow import known_number
from tir.ir.ir import Op, Value
from tir.ir.types import INDEX, IntegerType, Type

__all__ = [
    "Numbers", "Refusal", "check_counter", "check_step", "outermost_loops", "perfect_nest", "set_bounds", "split_off",
    "trip_count",
]  # fmt: skip

INDEX_BITS = 64


class Refusal(TirError):
    """A transformation of a loop or op that is not done: its message says why, its location is that of the loop or op."""


def trip_count(loop: scf.For) -> int | None:
    """How often the loop runs, if its bounds and step are constants."""
    numbers = [known_number(value) for value in (loop.lowerBound, loop.upperBound, loop.step)]
    if None in numbers or numbers[2] <= 0 or (loop.unsignedCmp and min(numbers) < 0):  # type: ignore[operator, type-var]
        return None
    return len(range(*numbers))  # type: ignore[arg-type]


def check_counter(loop: scf.For) -> None:
    """Refusal unless numbers between the bounds of the loop can be computed: nothing may wrap around."""
    if (known_number(loop.step) or 0) <= 0:
        raise Refusal("its step is not a constant", loop.location)
    if trip_count(loop) is not None:
        return
    if loop.unsignedCmp:
        raise Refusal("its counter is unsigned", loop.location)
    if loop.lowerBound.type is not INDEX:
        raise Refusal(f"its counter is {loop.lowerBound.type} and its bounds are not constants", loop.location)


def check_step(loop: scf.For, times: int) -> None:
    """Refusal unless so many steps at once are a step, with which the counter does not wrap around at its last."""
    step, high, type = known_number(loop.step), known_number(loop.upperBound), loop.step.type
    assert step is not None
    if not Numbers(Builder(), type).fits(max(high or 0, 0) + step * times):
        raise Refusal(f"{times} steps of {step} at once would leave the numbers of type {type}", loop.location)


class Numbers:
    """Arithmetic on counters of a type where the builder stands; of constants it is done at once."""

    def __init__(self, b: Builder, type: Type = INDEX) -> None:
        self.b, self.type = b, type

    def constant(self, number: int) -> Value:
        """The number as a value."""
        return self.b.create(arith.Constant, value=IntegerAttr(number, self.type))

    def fits(self, number: int) -> bool:
        """The type has the number."""
        bits = self.type.width if isinstance(self.type, IntegerType) else INDEX_BITS
        return -(1 << (bits - 1)) <= number < 1 << (bits - 1)

    def add(self, x: Value, y: Value) -> Value:
        """x + y"""
        first, second = known_number(x), known_number(y)
        if first == 0:
            return y
        if second == 0:
            return x
        return self._made(arith.AddI, x, y, None if first is None or second is None else first + second)

    def subtract(self, x: Value, y: Value) -> Value:
        """x - y"""
        first, second = known_number(x), known_number(y)
        if second == 0:
            return x
        return self._made(arith.SubI, x, y, None if first is None or second is None else first - second)

    def times(self, x: Value, factor: int) -> Value:
        """x * factor"""
        number = known_number(x)
        if factor == 1:
            return x
        if number is not None and self.fits(number * factor):
            return self.constant(number * factor)
        return self.b.create(arith.MulI, x, self.constant(factor))

    def minimum(self, x: Value, y: Value) -> Value:
        """The lesser of the two."""
        first, second = known_number(x), known_number(y)
        return self._made(arith.MinSI, x, y, None if first is None or second is None else min(first, second))

    def maximum(self, x: Value, y: Value) -> Value:
        """The greater of the two."""
        first, second = known_number(x), known_number(y)
        return self._made(arith.MaxSI, x, y, None if first is None or second is None else max(first, second))

    def product(self, x: Value, y: Value) -> Value:
        """x * y"""
        first, second = known_number(x), known_number(y)
        return self._made(arith.MulI, x, y, None if first is None or second is None else first * second)

    def remainder(self, x: Value, divisor: int) -> Value:
        """x modulo the divisor, with the sign of x: below 0 for a loop that does not run."""
        number = known_number(x)
        if divisor == 1:
            return self.constant(0)
        if number is not None and number >= 0:
            return self.constant(number % divisor)
        return self.b.create(arith.RemSI, x, self.constant(divisor))

    def count(self, loop: scf.For) -> Value:
        """How often the loop runs; a number below 0 or 0 if it does not."""
        known = trip_count(loop)
        if known is not None:
            return self.constant(known)
        length = self.subtract(loop.upperBound, loop.lowerBound)
        if known_number(loop.step) == 1:
            return length
        return self.b.create(arith.CeilDivSI, length, loop.step)

    def _made(self, cls: type[Op], x: Value, y: Value, known: int | None) -> Value:
        return self.b.create(cls, x, y) if known is None or not self.fits(known) else self.constant(known)


def perfect_nest(loop: scf.For) -> list[scf.For]:
    """The loop, the only op in it besides its end if that is a loop, and so on. What they carry is handed on as it is."""
    loops = [loop]
    while (inner := _only_loop(loops[-1])) is not None:
        loops.append(inner)
    return loops


def _only_loop(loop: scf.For) -> scf.For | None:
    inner = loop.body.first
    if not isinstance(inner, scf.For) or inner.next is not loop.body.last:
        return None
    hands_on = list(inner.initArgs) == loop.iter_args and loop.yielded == inner.results
    return inner if hands_on else None


def outermost_loops(op: Op) -> list[scf.For]:
    """The loops inside the op that begin a perfect nest."""
    loops = [inner for inner in op.walk() if isinstance(inner, scf.For) and inner is not op]
    inside = {inner for loop in loops for inner in perfect_nest(loop)[1:]}
    return [loop for loop in loops if loop not in inside]


def split_off(loop: scf.For, at: Value) -> scf.For:
    """Cuts the loop in two at a number that its counter has, or would have next: the second, which stands behind it."""
    rest = loop.clone()
    assert isinstance(rest, scf.For) and loop.parent is not None
    loop.parent.insert_before(loop.next, rest)
    for mine, theirs in zip(loop.results, rest.results):
        mine.replace_all_uses_with(theirs)
        theirs.hint = mine.hint
    bounds = at, rest.upperBound, rest.step
    rest.set_operands([*bounds, *loop.results])
    set_bounds(loop, loop.lowerBound, at, loop.step)
    return rest


def set_bounds(loop: scf.For, low: Value, high: Value, step: Value) -> None:
    """The loop counts so from now on."""
    for position, value in enumerate((low, high, step)):
        loop.set_operand(position, value)
