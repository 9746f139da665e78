"""Numbers that depend on the sizes of a program, such as `640*B` bytes, and where sizes come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tir.dialects import arith, memref, tensor
from tir.dialects.func import Func
from tir.ir.affine import parse_affine
from tir.ir.attributes import ArrayAttr, IntegerAttr, StringAttr
from tir.ir.ir import BlockArgument, Value
from tir.ir.types import ShapedType, Type, dtype_of, element_type

__all__ = ["Amount", "Sizes", "element_bytes", "total", "trips"]


@dataclass(frozen=True)
class Amount:
    """A sum of products of sizes: the factor of each product of names, `()` for the number alone."""

    terms: Mapping[tuple[str, ...], int]

    @staticmethod
    def of(size: int | str) -> Amount:
        """A number, or a size by its name."""
        return Amount({(): size} if size else {}) if isinstance(size, int) else Amount({(size,): 1})

    def __add__(self, other: Amount) -> Amount:
        terms = dict(self.terms)
        for names, factor in other.terms.items():
            terms[names] = terms.get(names, 0) + factor
        return Amount({names: factor for names, factor in terms.items() if factor})

    def __mul__(self, other: Amount | int) -> Amount:
        found = Amount({})
        right = Amount.of(other) if isinstance(other, int) else other
        for mine, factor in self.terms.items():
            for theirs, more in right.terms.items():
                found += Amount({tuple(sorted((*mine, *theirs))): factor * more})
        return found

    @property
    def number(self) -> int | None:
        """The amount, if it depends on no size."""
        return self.terms.get((), 0) if set(self.terms) <= {()} else None

    def __str__(self) -> str:
        parts = sorted(self.terms.items(), key=lambda term: (-len(term[0]), term[0]))
        shown = [f"{'*'.join([*([f'{f:,}'] if f != 1 or not names else []), *names])}" for names, f in parts]
        return " + ".join(shown) or "0"


def total(amounts: Iterable[Amount]) -> Amount:
    """Their sum."""
    found = Amount({})
    for amount in amounts:
        found += amount
    return found


def element_bytes(type: Type) -> int:
    """How much memory an element takes."""
    return dtype_of(element_type(type)).size_bytes


class Sizes:
    """What the sizes of values are: numbers, or names that the program gives them. known: numbers for names."""

    def __init__(self, known: Mapping[str, int] | None = None) -> None:
        self.known = dict(known or {})

    def named(self, text: str) -> Amount:
        """A size as the program spells it, `B` or `B - 2`."""
        expression = parse_affine(text) if text != "?" else None
        if expression is not None and all(str(leaf) in self.known for leaf in expression.leaves()):
            return Amount.of(int(expression.evaluate(lambda leaf: self.known[str(leaf)])))
        return Amount.of(text if text.isidentifier() or text == "?" else f"({text})")

    def of_axis(self, value: Value, axis: int) -> Amount:
        """The size of an axis of a tensor or a buffer: an argument's by its name, a new one's by what it was made with."""
        size = value.type.shape[axis]  # type: ignore[attr-defined]
        if isinstance(size, int):
            return Amount.of(size)
        op = value.op
        if isinstance(value, BlockArgument):
            return self._of_argument(value, axis)
        if isinstance(op, memref.Alloc):
            place = sum(not isinstance(dim, int) for dim in op.memref.type.shape[:axis])
            return self.of_index(op.dynamicSizes[place])
        return Amount.of("?")

    def _of_argument(self, value: BlockArgument, axis: int) -> Amount:
        function = value.owner.parent_op
        dims = function.argument_attribute(value.index, "tir.dims") if isinstance(function, Func) else None
        said = dims.items[axis] if isinstance(dims, ArrayAttr) and axis < len(dims.items) else None
        return self.named(said.value) if isinstance(said, StringAttr) else Amount.of("?")

    def of_index(self, value: Value) -> Amount:
        """A number of type index."""
        op = value.op
        if isinstance(op, arith.Constant) and isinstance(op.value, IntegerAttr):
            return Amount.of(op.value.value)
        if isinstance(op, (tensor.Dim, memref.Dim)):
            position = self.of_index(op.index).number
            return self.of_axis(op.source, position) if position is not None else Amount.of("?")
        return self.named(value.hint) if value.hint and value.hint.isidentifier() else Amount.of("?")

    def bytes_of(self, value: Value) -> Amount:
        """How much memory the elements of a value take."""
        found = Amount.of(element_bytes(value.type))
        for axis in range(value.type.rank if isinstance(value.type, ShapedType) else 0):
            found *= self.of_axis(value, axis)
        return found


def trips(bounds: Sequence[int | Value], sizes: Sizes) -> Amount:
    """How often the body of a counted loop runs, by where it starts, its end and its step."""
    lower, upper, step = (Amount.of(n) if isinstance(n, int) else sizes.of_index(n) for n in bounds)
    if lower.number == 0 and step.number == 1:
        return upper
    if lower.number is not None and upper.number is not None and step.number:
        return Amount.of(max(0, -(-(upper.number - lower.number) // step.number)))
    return Amount.of("?")
