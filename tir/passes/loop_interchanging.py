"""Interchange: the loops of a nest in another order, if each iteration still finds what it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tir.dialects import scf
from tir.ir.attributes import Attribute
from tir.ir.errors import counted
from tir.ir.ir import Use, Value
from tir.ir.types import Type
from tir.passes.loop_dependence import check_order_is_free, dependences
from tir.passes.loop_numbers import Refusal, perfect_nest

__all__ = [
    "check_interchange", "check_parallel_interchange", "interchange", "interchange_parallel", "is_permutation",
]  # fmt: skip


def is_permutation(numbers: Sequence[int]) -> bool:
    """Each number from 0 on stands there once."""
    return sorted(numbers) == list(range(len(numbers)))


def interchange(loop: scf.For, order: Sequence[int]) -> list[scf.For]:
    """The loops of the nest that begins with the loop, in another order: place p has what loop `order[p]` was.

    Refusal as of `check_interchange`.
    """
    loops = check_interchange(loop, order)
    headers = [_Header.of(one) for one in loops]
    for one, old in zip(loops, order):
        headers[old].put(one)
    return loops


def check_interchange(loop: scf.For, order: Sequence[int]) -> list[scf.For]:
    """The loops of the nest that the order is of.

    Refusal if there are not so many loops, or if an access to memory would come in front of one that it depends on.
    """
    loops = perfect_nest(loop)[: len(order)]
    if len(loops) < len(order):
        raise Refusal(f"the nest has {counted(len(loops), 'loop')}, and the order is of {len(order)}", loop.location)
    check_order_is_free(loops)
    for dependence in dependences(loops):
        if (signs := dependence.broken(order)) is not None:
            raise Refusal(dependence.sentence(signs), loop.location)
    return loops


@dataclass(frozen=True)
class _Header:
    """What a loop counts, the uses of its counter, and what is said of it."""

    bounds: Sequence[Value]
    type: Type
    hint: str | None
    uses: Sequence[Use]
    attributes: Mapping[str, Attribute]
    is_unsigned: Attribute | None

    @classmethod
    def of(cls, loop: scf.For) -> _Header:
        counter = loop.induction_variable
        is_unsigned = loop.properties.get("unsignedCmp")
        return cls(loop.operands[:3], counter.type, counter.hint, counter.uses, loop.attributes, is_unsigned)

    def put(self, loop: scf.For) -> None:
        """The loop, which carries nothing, gets this header."""
        counter = loop.induction_variable
        for use in self.uses:
            use.set(counter)
        counter.type, counter.hint = self.type, self.hint
        loop.set_operands(self.bounds)
        for name in set(loop.attributes) - set(self.attributes):
            loop.set_attribute(name, None)
        for name, value in self.attributes.items():
            loop.set_attribute(name, value)
        loop.set_property("unsignedCmp", self.is_unsigned)


def interchange_parallel(loop: scf.Parallel, order: Sequence[int]) -> None:
    """Puts the dimensions of the loop in another order. Refusal as of `check_parallel_interchange`."""
    check_parallel_interchange(loop, order)
    lists = (loop.lowerBound, loop.upperBound, loop.step)
    loop.set_operands([values[old] for values in lists for old in order])
    before = [(counter.uses, counter.hint) for counter in loop.induction_variables]
    for counter, old in zip(loop.induction_variables, order):
        uses, counter.hint = before[old]
        for use in uses:
            use.set(counter)


def check_parallel_interchange(loop: scf.Parallel, order: Sequence[int]) -> None:
    """Refusal if the loop has other dimensions, or combines values, in whose order they are."""
    if len(order) != loop.rank:
        raise Refusal(f"it has {counted(loop.rank, 'dimension')}, and the order is of {len(order)}", loop.location)
    if loop.initVals:
        raise Refusal("it combines values in the order of its iterations", loop.location)
