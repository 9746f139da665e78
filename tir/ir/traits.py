"""Facts that many ops share, as mixins, and the questions that passes ask about them.

A trait has no state. `verify_trait` raises VerifyError; the verifier calls it for each trait of an op.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Flag
from typing import ClassVar

from tir.ir.affine import AffineName
from tir.ir.errors import VerifyError
from tir.ir.ir import Op, UnregisteredOp
from tir.ir.types import INDEX, ShapedType, Type

__all__ = [
    "Allocates", "BindsSize", "Commutative", "ConstantLike", "Effects", "FunctionLike", "IsolatedFromAbove", "ParallelLoop",
    "PartOfParent", "Pure", "ReadsMemory", "RecursiveEffects", "ReturnLike", "SameOperandsAndResultType", "Symbol",
    "SymbolTable", "Terminator", "Trait", "WritesMemory", "effects_of", "is_pure", "is_removable",
]  # fmt: skip


class Effects(Flag):
    """What running an op does besides computing its results."""

    NONE = 0
    READ = 1
    WRITE = 2
    ALLOCATE = 4
    UNKNOWN = 8


class Trait:
    """Base of all traits. rule_looks_around: `verify_trait` looks at more than the types and attributes of the op."""

    __slots__ = ()
    rule_looks_around: ClassVar[bool] = False

    def verify_trait(self: Op) -> None:  # type: ignore[misc]
        """Raises VerifyError if the op breaks the trait's rule."""


class Pure(Trait):
    """Only computes its results, from its operands: may be removed, merged and moved; run speculatively if it cannot fail.

    may_fail: running it can end the program, because of sizes or indices that run time knows. Here: some type leaves a
    size open, or an operand may count the elements of a tensor, a vector or a buffer.
    """

    __slots__ = ()
    effects: ClassVar[Effects] = Effects.NONE

    def may_fail(self: Op) -> bool:  # type: ignore[misc]
        types = [value.type for value in (*self.operands, *self.results)]
        shaped = [type for type in types if isinstance(type, ShapedType)]
        return bool(shaped) and (INDEX in types or not all(type.is_static for type in shaped))


class ReadsMemory(Trait):
    """Reads memory or state, and does nothing else: may be removed, not merged across writes."""

    __slots__ = ()
    effects: ClassVar[Effects] = Effects.READ


class Allocates(Trait):
    """Makes a buffer, and does nothing else: may be removed if unused, never merged."""

    __slots__ = ()
    effects: ClassVar[Effects] = Effects.ALLOCATE


class WritesMemory(Trait):
    """Writes memory or state, and may read it."""

    __slots__ = ()
    effects: ClassVar[Effects] = Effects.WRITE | Effects.READ


class CountedLoop(Trait):
    """A loop whose counters run over bounds that are known in front of it."""

    __slots__ = ()


class ParallelLoop(CountedLoop):
    """Its iterations may run in any order, and at the same time."""

    __slots__ = ()


class RecursiveEffects(Trait):
    """Has the effects of the ops inside it, and those of `own_effects`; `may_fail` says whether it can fail, or never end,
    whatever is inside."""

    __slots__ = ()
    own_effects: ClassVar[Effects] = Effects.NONE

    def may_fail(self) -> bool:
        return True


class Commutative(Trait):
    """The order of the two operands does not matter, to the bit."""

    __slots__ = ()


class ConstantLike(Pure):
    """A constant: its `value` attribute is its result."""

    __slots__ = ()

    def may_fail(self) -> bool:
        return False


class Terminator(Trait):
    """Ends a block."""

    __slots__ = ()
    rule_looks_around = True

    def verify_trait(self: Op) -> None:  # type: ignore[misc]
        if self.next is not None:
            raise VerifyError(f"{self.name}: must be the last op of its block", self.location)


class ReturnLike(Terminator, Pure):
    """Hands its operands to the op around it."""

    __slots__ = ()

    def may_fail(self) -> bool:
        return False


class PartOfParent(Pure):
    """Has no results and is not run: the op around it reads what it says."""

    __slots__ = ()


class IsolatedFromAbove(Trait):
    """The ops inside use no value from outside."""

    __slots__ = ()


class SymbolTable(Trait):
    """The symbols inside have different names."""

    __slots__ = ()


class Symbol(Trait):
    """Has a `sym_name` by which others refer to it; it stands in a symbol table."""

    __slots__ = ()
    rule_looks_around = True

    def verify_trait(self: Op) -> None:  # type: ignore[misc]
        around = self.parent_op
        if around is not None and not isinstance(around, (SymbolTable, UnregisteredOp)):
            raise VerifyError(f"{self.name}: must stand in a module, got {around.name}", self.location)


class BindsSize(Trait):
    """Gives the number that is its first operand, an index, a name that the types of what follows may use as a size."""

    __slots__ = ()

    def bound_name(self: Op) -> AffineName:  # type: ignore[misc]
        """The name."""
        raise AssertionError(self.name)


class FunctionLike(Symbol, IsolatedFromAbove):
    """A symbol with a `function_type` and a body that may be absent (a declaration)."""

    __slots__ = ()


class SameOperandsAndResultType(Trait):
    """All operands and results have one type."""

    __slots__ = ()

    def infer(self: Op) -> Sequence[Type]:  # type: ignore[misc]
        return [self.operand(0).type] * len(self.definition.results)

    def verify_trait(self: Op) -> None:  # type: ignore[misc]
        types = [v.type for v in (*self.operands, *self.results)]
        for type in types:
            if type is not types[0]:
                raise VerifyError(
                    f"{self.name}: operands and results must have one type, got {types[0]} and {type}", self.location
                )


def effects_of(op: Op) -> Effects:
    """What running `op` does, with all inside it."""
    if not isinstance(op, RecursiveEffects):
        return getattr(op, "effects", Effects.UNKNOWN)
    found = Effects.NONE
    pending: list[Op] = [op]
    while pending:
        one = pending.pop()
        if isinstance(one, RecursiveEffects):
            found |= one.own_effects
            pending.extend(inner for region in one.regions for block in region.blocks for inner in block)
        else:
            found |= getattr(one, "effects", Effects.UNKNOWN)
    return found


def is_pure(op: Op) -> bool:
    """`op` may be merged with an equal one, moved and removed."""
    return effects_of(op) is Effects.NONE


def is_removable(op: Op) -> bool:
    """`op` may be removed when its results are not used."""
    effects = effects_of(op)
    harmless = effects is Effects.NONE or not effects & (Effects.WRITE | Effects.UNKNOWN)
    return harmless and not isinstance(op, (Terminator, Symbol, PartOfParent))
