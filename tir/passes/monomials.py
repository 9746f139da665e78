"""The body of a structured op as a sum of products: what `select-library` recognises, whatever the order of its ops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tir.dialects import arith
from tir.ir.ir import Block, BlockArgument, Op, Value

__all__ = ["Coefficient", "Monomials", "Total", "monomials"]

MAX_MONOMIALS = 3
MAX_OPS = 16


@dataclass(frozen=True)
class Coefficient:
    """A product of scalars that do not change from element to element, perhaps with a minus."""

    factors: tuple[Value | Total, ...] = ()
    is_negative: bool = False

    @property
    def is_one(self) -> bool:
        """It is 1."""
        return not self.factors and not self.is_negative

    def times(self, other: Coefficient) -> Coefficient:
        """The product of both."""
        return Coefficient((*self.factors, *other.factors), self.is_negative != other.is_negative)


@dataclass(frozen=True)
class Total:
    """The sum of coefficients: what several equal products are multiplied by together."""

    terms: tuple[Coefficient, ...]


#: products of block arguments, in the order of the block -> coefficient
Monomials = Mapping[tuple[BlockArgument, ...], Coefficient]


def monomials(block: Block, value: Value, scalars: set[BlockArgument]) -> Monomials | None:
    """`value`, which the block computes, as a sum of products of its arguments; None if it is none, or a long one.

    scalars: the arguments that are the same for all elements; they are factors, as constants and outside values are.
    """
    if len(block) > MAX_OPS:
        return None
    found: dict[Value, Monomials | None] = {}
    for argument in block.arguments:
        found[argument] = {(): Coefficient((argument,))} if argument in scalars else {(argument,): Coefficient()}
    for op in block:
        for result in op.results:
            found[result] = _of_op(op, [_known(found, v) for v in op.operands])
    return _known(found, value)


def _known(found: Mapping[Value, Monomials | None], value: Value) -> Monomials | None:
    """That of a value; one from outside of the block is a factor."""
    return found[value] if value in found else {(): Coefficient((value,))}


def _of_op(op: Op, operands: list[Monomials | None]) -> Monomials | None:
    if isinstance(op, arith.Constant):
        return {(): Coefficient((op.result,))}
    known = [m for m in operands if m is not None]
    if len(known) != len(operands):
        return None
    if isinstance(op, arith.NegF):
        return _negated(known[0])
    if isinstance(op, arith.MulF):
        return _product(*known)
    if isinstance(op, arith.AddF):
        return _sum(*known)
    return _sum(known[0], _negated(known[1])) if isinstance(op, arith.SubF) else None


def _negated(sum: Monomials) -> Monomials:
    return {arguments: coefficient.times(Coefficient(is_negative=True)) for arguments, coefficient in sum.items()}


def _sum(one: Monomials, other: Monomials) -> Monomials | None:
    both = {arguments: Coefficient((Total((one[arguments], other[arguments])),)) for arguments in one if arguments in other}
    found = {**one, **other, **both}
    return found if len(found) <= MAX_MONOMIALS else None


def _product(one: Monomials, other: Monomials) -> Monomials | None:
    """Distributes a factor over a sum; not a sum over a sum."""
    found: dict[tuple[BlockArgument, ...], Coefficient] = {}
    if min(len(one), len(other)) > 1:
        return None
    for left, first in one.items():
        for right, second in other.items():
            found[tuple(sorted((*left, *right), key=lambda argument: argument.index))] = first.times(second)
    return found
