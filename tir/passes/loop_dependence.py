"""Which iterations of a nest of loops must stay in their order: what one writes and another reads or writes.

Indices that are sums of counters times constants, and of a value that is the same in all iterations, are compared; of any
others nothing is known. A dependence has a sign for each loop: how the counter of the iteration that must come second
compares to that of the first.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tir.dialects import arith, memref, scf
from tir.ir.flow import known_number
from tir.ir.ir import Op, Value
from tir.passes.loop_numbers import Refusal
from tir.passes.memory import Aliases, base_of, own_accesses

__all__ = ["Dependence", "Linear", "check_order_is_free", "dependences", "linear"]

LARGEST = 1 << 31
#: Beyond these, finding all dependences takes too long: directions are three for each loop, pairs the square of accesses.
MOST_LOOPS, MOST_ACCESSES = 8, 500
Signs = tuple[int, ...]
_OPPOSITE = {-1: ">", 0: "=", 1: "<"}  # as the field writes directions: `<` is to a later iteration


@dataclass(frozen=True)
class Dependence:
    """Two accesses, the second of an iteration that must come later. signs: all that the distance may have, by loop."""

    first: Op
    second: Op
    signs: frozenset[Signs]

    def broken(self, order: Sequence[int]) -> Signs | None:
        """Signs that would have the second come first if the loops stood in this order; None if there are none."""
        for signs in sorted(self.signs, reverse=True):
            for loop in order:
                if signs[loop] > 0:
                    break
                if signs[loop] < 0:
                    return signs
        return None

    def broken_by_tiles(self, sizes: Sequence[int]) -> Signs | None:
        """Signs that may have the second come first if tiles of these sizes (0: none) stand around all loops.

        Two iterations of one tile stay in their order; two tiles may stand the other way round along a loop in which the
        second iteration counts less.
        """
        for signs in sorted(self.signs, reverse=True):
            for size, sign in zip(sizes, signs):
                if size and sign < 0:
                    return signs
                if size == 1 and sign > 0:
                    break
        return None

    def sentence(self, signs: Signs) -> str:
        """Names the two accesses and the direction: `memref.load in line 4 depends on memref.store in line 5, ..`."""
        direction = ", ".join(_OPPOSITE[sign] for sign in signs)
        return f"{_place(self.second)} depends on {_place(self.first)}, direction ({direction})"


def _place(op: Op) -> str:
    where = op.location.file_location()
    return op.name if where is None else f"{op.name} in line {where.line}"


@dataclass(frozen=True)
class _Access:
    """A place in memory that an iteration takes; indices: of the buffer, None where they are not known."""

    op: Op
    buffer: Value
    writes: bool
    indices: tuple[Value, ...] | None


def check_order_is_free(loops: Sequence[scf.For]) -> None:
    """Refusal if the loops of a nest depend on each other, or do what no order of accesses to memory says."""
    if len(loops) > MOST_LOOPS:
        raise Refusal(f"it is a nest of {len(loops)} loops, and {MOST_LOOPS} are looked at", loops[0].location)
    for loop in loops:
        if loop.initArgs:
            raise Refusal("it carries values from iteration to iteration", loop.location)
        if (known_number(loop.step) or 0) <= 0:
            raise Refusal("its step is not a constant", loop.location)
        if any(value.is_made_inside(loops[0]) for value in loop.operands[:2]):
            raise Refusal("its bounds depend on the loop around it", loop.location)
    for op in loops[-1].body:
        for inner in op.walk():
            done = own_accesses(inner)
            if done.anything or done.may_end:
                raise Refusal(f"{inner.name} stands inside, which may do anything", inner.location)


def dependences(loops: Sequence[scf.For]) -> list[Dependence]:
    """Those between the accesses of a nest that carries no values."""
    accesses = [access for op in loops[-1].body for inner in op.walk() for access in _accesses(inner)]
    if len(accesses) > MOST_ACCESSES:
        message = f"it has {len(accesses)} accesses to memory, and {MOST_ACCESSES} are compared with each other"
        raise Refusal(message, loops[0].location)
    aliases = Aliases()
    found = []
    for i, one in enumerate(accesses):
        for other in accesses[i:]:
            if not (one.writes or other.writes):
                continue
            if aliases.may_overlap(base_of(one.buffer), base_of(other.buffer)):
                found += _between(one, other, loops)
    return found


def _accesses(op: Op) -> Iterator[_Access]:
    done = own_accesses(op)
    if isinstance(op, (memref.Load, memref.Store)):
        yield _Access(op, op.memref, isinstance(op, memref.Store), tuple(op.indices))
        return
    for base in {**done.reads, **done.writes}:
        yield _Access(op, base, base in done.writes, None)


def _between(one: _Access, other: _Access, loops: Sequence[scf.For]) -> list[Dependence]:
    """The dependences of the two accesses on each other."""
    distances = _distances(one, other, loops)
    if distances is None:
        return []
    choices = [(-1, 0, 1) if distance is None else (_sign(distance),) for distance in distances]
    forward, backward = set(), set()
    for signs in itertools.product(*choices):
        leading = next((sign for sign in signs if sign), 0)
        if leading > 0:
            forward.add(signs)
        elif leading < 0:
            backward.add(tuple(-sign for sign in signs))
    found = [Dependence(one.op, other.op, frozenset(forward))] if forward else []
    if backward:
        found.append(Dependence(other.op, one.op, frozenset(backward)))
    return found


def _distances(one: _Access, other: _Access, loops: Sequence[scf.For]) -> list[int | None] | None:
    """What the counters of `other` are more than those of `one` where they take one place; None for any number.

    None instead of the list if they never take one place.
    """
    unknown: list[int | None] = [None] * len(loops)
    if one.indices is None or other.indices is None or one.buffer is not other.buffer:
        return unknown
    known: dict[int, int] = {}
    counters: dict[Value, int] = {loop.induction_variable: i for i, loop in enumerate(loops)}
    for x, y in zip(one.indices, other.indices):
        first, second = linear(x, counters, loops[0]), linear(y, counters, loops[0])
        if first is None or second is None or first.same is not second.same or first.factors != second.factors:
            continue
        apart = first.constant - second.constant
        moving = {loop: factor for loop, factor in first.factors.items() if factor}
        if not moving:
            if apart:
                return None
        elif len(moving) == 1:
            ((loop, factor),) = moving.items()
            if apart % factor or known.setdefault(loop, apart // factor) != apart // factor:
                return None
    return [known.get(i) for i in range(len(loops))]


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


@dataclass
class Linear:
    """A sum of counters times factors, a value that is the same everywhere, and a constant."""

    factors: dict[int, int] = field(default_factory=dict)
    same: Value | None = None
    constant: int = 0


def linear(value: Value, counters: Mapping[Value, int], nest: Op) -> Linear | None:
    """The value as such a sum, in which the counters are numbered; None if it is none. nest: what is outside is the same."""
    total = Linear()
    pending = [(value, 1)]
    while pending:
        term, factor = pending.pop()
        number = known_number(term)
        if number is not None:
            total.constant += factor * number
        elif term in counters:
            total.factors[counters[term]] = total.factors.get(counters[term], 0) + factor
        elif not term.is_made_inside(nest):
            if total.same is not None or factor != 1:
                return None
            total.same = term
        elif isinstance(term.op, arith.AddI):
            pending += [(term.op.lhs, factor), (term.op.rhs, factor)]
        elif isinstance(term.op, arith.SubI):
            pending += [(term.op.lhs, factor), (term.op.rhs, -factor)]
        elif isinstance(term.op, arith.MulI) and (times := _constant_factor(term.op)) is not None:
            pending.append((times[0], factor * times[1]))
        else:
            return None
    is_small = all(abs(number) < LARGEST for number in (total.constant, *total.factors.values()))
    return total if is_small else None  # larger ones could wrap around


def _constant_factor(op: arith.MulI) -> tuple[Value, int] | None:
    """The operand that is multiplied, and by which constant."""
    for x, y in ((op.lhs, op.rhs), (op.rhs, op.lhs)):
        number = known_number(y)
        if number is not None:
            return x, number
    return None
