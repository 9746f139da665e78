"""The sizes of the tensors of one function: expressions to compare, values for ops, asserts where they must agree.

A size is an affine expression over *atoms*: the names that arguments bind (`[B]`), and a new symbol for each size that
nobody named. Two equal expressions are equal sizes, and nothing is checked; where two expressions must be equal and are
not the same, the program gets an assert, once.
"""

from __future__ import annotations

from collections.abc import Sequence

from tir.dialects import arith, cf, tensor
from tir.dialects.func import Func
from tir.ir.affine import AffineConstant, AffineExpr, AffineName, AffineOp, AffineSum, AffineSymbol, affine
from tir.ir.attributes import IntegerAttr, StringAttr, SymbolRefAttr
from tir.ir.builder import Builder
from tir.ir.ir import Block, Op, Value
from tir.ir.names import bindings
from tir.ir.size_rules import SizeRule
from tir.ir.types import INDEX, TensorType, shape_names

__all__ = ["Sizes", "argument_label"]

Size = AffineExpr

_PREDICATES = {"eq": "eq", "le": "sle", "lt": "slt", "ge": "sge"}


class Sizes:
    """What is known about the sizes in `function`.

    Values are those of the tensor level; `lowered` maps them to those that stand for them.
    Calls must come in the order of the text, since an assert counts for all that follows it.
    """

    def __init__(self, function: Func, lowered: dict[Value, Value]) -> None:
        self.function = function
        self.lowered = lowered
        self._shapes: dict[Value, tuple[Size, ...]] = {}
        self._indices: dict[Value, Size] = {}
        self._sources: dict[Size, tuple[Value, int] | Value] = {}
        self._emitted: dict[tuple[Block | None, Size], Value] = {}
        self._same: dict[Size, Size] = {}
        self._not_negative: set[Size] = set()
        self._asserted: set[tuple[Block | None, Size, Size]] = set()
        self._entry = None if function.is_declaration else function.entry
        arguments = [] if function.is_declaration else function.arguments
        for name, (position, axis) in bindings([a.type for a in arguments]).items():
            self._sources[name] = (arguments[position], axis)
        for argument in arguments:
            if isinstance(argument.type, TensorType):
                self.shape(argument)

    # --- facts -------------------------------------------------------------------------------------------------------

    def shape(self, value: Value) -> tuple[Size, ...]:
        """The sizes of a tensor; those of the type where nothing else was said."""
        found = self._shapes.get(value)
        if found is None:
            assert isinstance(value.type, TensorType), value.type
            found = tuple(self._size_in_type(value, axis) for axis in range(value.type.rank))
            self.set_shape(value, found)
        return found

    def set_shape(self, value: Value, shape: Sequence[Size]) -> None:
        """Says the sizes of a tensor. If it exists on every way through the function, they are not negative."""
        self._shapes[value] = tuple(shape)
        if value.block is self._entry:
            self._not_negative.update(shape)

    def _size_in_type(self, value: Value, axis: int) -> Size:
        dim = value.type.shape[axis]  # type: ignore[attr-defined]
        if isinstance(dim, int):
            return affine(dim)
        if isinstance(dim, AffineExpr) and shape_names([dim]) <= self._sources.keys():
            return dim
        return self._new_atom((value, axis))

    def _new_atom(self, source: tuple[Value, int] | Value) -> Size:
        atom = AffineSymbol(len(self._sources))
        self._sources[atom] = source
        return atom

    def of_index(self, value: Value) -> Size:
        """The expression that a value of type index is."""
        found = self._indices.get(value)
        if found is None:
            constant = value.op.properties.get("value") if isinstance(value.op, arith.Constant) else None
            found = affine(constant.value) if isinstance(constant, IntegerAttr) else self._new_atom(value)
            self._indices[value] = found
        return found

    def set_index(self, value: Value, size: Size) -> None:
        """Says which expression a value of type index is."""
        self._indices[value] = size

    def set_name(self, name: AffineName, value: Value) -> None:
        """Says which value of type index has the name."""
        self._sources[name] = value
        self._same[name] = self.of_index(value)

    def _root(self, size: Size) -> Size:
        while size in self._same:
            size = self._same[size]
        return size

    def are_equal(self, first: Size, second: Size) -> bool:
        """The two sizes are known to be equal."""
        return self._root(first) == self._root(second)

    def is_not_negative(self, size: Size) -> bool:
        """The number is known to be at least 0: a size of a tensor, or a sum of such."""
        if size in self._not_negative or isinstance(size, AffineName):
            return True
        if isinstance(size, AffineConstant):
            return size.value >= 0
        if isinstance(size, AffineOp):
            return self.is_not_negative(size.lhs)
        return isinstance(size, AffineSum) and size.constant >= 0 and all(
            factor > 0 and self.is_not_negative(term) for term, factor in size.terms
        )  # fmt: skip

    # --- code --------------------------------------------------------------------------------------------------------

    def emit(self, b: Builder, size: Size) -> Value:
        """The size as a value of type index, computed at most once in a block."""
        found = self._emitted.get((b.block, size)) or self._emitted.get((self._entry, size))
        if found is None:
            found = self._emitted[b.block, size] = self._compute(b, size)
            if found.hint is None and isinstance(size, (AffineName, AffineConstant)):
                found.hint = str(size) if isinstance(size, AffineName) else f"c{size}"
        return found

    def _compute(self, b: Builder, size: Size) -> Value:
        if isinstance(size, AffineConstant):
            return b.create(arith.Constant, value=IntegerAttr(size.value, INDEX))
        if isinstance(size, AffineOp):
            return self._divide(b, size)
        if isinstance(size, AffineSum):
            return self._sum(b, size)
        source = self._sources[size]
        if isinstance(source, Value):
            return self.lowered.get(source, source)
        value, axis = source
        return b.create(tensor.Dim, self.lowered.get(value, value), self.emit(b, affine(axis)))

    def _sum(self, b: Builder, size: AffineSum) -> Value:
        total: Value | None = None
        for term, factor in size.terms:
            part = self.emit(b, term)
            if factor != 1:
                part = b.create(arith.MulI, part, self.emit(b, affine(factor)))
            total = part if total is None else b.create(arith.AddI, total, part)
        assert total is not None
        return total if size.constant == 0 else b.create(arith.AddI, total, self.emit(b, affine(size.constant)))

    def _divide(self, b: Builder, size: AffineOp) -> Value:
        lhs, rhs = self.emit(b, size.lhs), self.emit(b, affine(size.rhs))
        if size.kind == "ceildiv":
            return b.create(arith.CeilDivSI, lhs, rhs)
        quotient = b.create(arith.FloorDivSI, lhs, rhs)
        if size.kind == "floordiv":
            return quotient
        return b.create(arith.SubI, lhs, b.create(arith.MulI, quotient, rhs))

    def product(self, b: Builder, sizes: Sequence[Size]) -> Value:
        """The product of the sizes as a value of type index."""
        total: Value | None = None
        for size in sizes:
            part = self.emit(b, size)
            total = part if total is None else b.create(arith.MulI, total, part)
        return total if total is not None else self.emit(b, affine(1))

    # --- asserts -----------------------------------------------------------------------------------------------------

    def require_equal(self, b: Builder, first: Size, second: Size, message: str) -> None:
        """The two sizes are equal from here on; checked at run time unless that is known."""
        here = b.block, self._root(first), self._root(second)
        if self.are_equal(first, second) or here in self._asserted:
            return
        self._asserted.add(here)
        self.require(b, "eq", self.emit(b, first), self.emit(b, second), message)
        if b.block is self._entry:
            first, second = self._root(first), self._root(second)
            # A number stays the root, so that all that equals it is known to be that number.
            low, high = (first, second) if isinstance(second, AffineConstant) else (second, first)
            self._same[low] = high

    def require_not_negative(self, b: Builder, size: Size, message: str) -> None:
        """The number is at least 0 from here on; checked at run time unless that is known."""
        if self.is_not_negative(size):
            return
        self.require(b, "sge", self.emit(b, size), self.emit(b, affine(0)), message)
        if b.block is self._entry:
            self._not_negative.add(size)

    def require_rule(self, b: Builder, rule: SizeRule, name: str) -> None:
        """The rule of the op of this name holds from here on; checked at run time unless that is known."""
        message, here = f"{name}: {rule.text}", (b.block, rule.lhs, rule.rhs)
        if rule.relation == "eq":
            self.require_equal(b, rule.lhs, rule.rhs, message)
            return
        weakest = rule if rule.enough is None else rule.enough
        if self.is_not_negative(rule.slack) or self.is_not_negative(weakest.slack) or here in self._asserted:
            return
        self._asserted.add(here)
        b.op(cf.Assert, self._holds(b, rule), msg=message)
        if b.block is self._entry:
            self._not_negative.add(weakest.slack)

    def _holds(self, b: Builder, rule: SizeRule) -> Value:
        """Whether the rule holds: a comparison, or one of two."""
        sides = self.emit(b, rule.lhs), self.emit(b, rule.rhs)
        holds = b.create(arith.CmpI, *sides, predicate=_PREDICATES[rule.relation])
        return holds if rule.enough is None else b.create(arith.OrI, holds, self._holds(b, rule.enough))

    def require(self, b: Builder, predicate: str, lhs: Value, rhs: Value, message: str) -> None:
        """An assert that the two numbers are in the relation."""
        b.op(cf.Assert, b.create(arith.CmpI, lhs, rhs, predicate=predicate), msg=message)

    def check_arguments(self) -> None:
        """Asserts at the entry of the function what the named sizes of its arguments say."""
        b = Builder.at_start(self.function.entry, self.function.location)
        first_seen: dict[Size, tuple[int, int]] = {}
        for position, argument in enumerate(self.function.arguments):
            for axis, dim in enumerate(argument.type.shape if isinstance(argument.type, TensorType) else ()):
                if isinstance(dim, AffineExpr):
                    self._check_argument(b, dim, (position, axis), first_seen.setdefault(dim, (position, axis)))

    def _check_argument(self, b: Builder, dim: AffineExpr, place: tuple[int, int], first: tuple[int, int]) -> None:
        (position, axis), argument = place, self.function.arguments[place[0]]
        label = f"{argument_label(self.function, position)}: axis {axis} must have size [{dim}]"
        if shape_names([dim]) <= self._sources.keys():
            if place != self._place(dim):
                here = b.create(tensor.Dim, argument, self.emit(b, affine(axis)))
                self.require(b, "eq", here, self.emit(b, dim), f"{label}, {self._where(dim)}")
        elif place != first:
            other = self.function.arguments[first[0]]
            message = f"{label}, as axis {first[1]} of {argument_label(self.function, first[0])} has"
            self.require_equal(b, self.shape(argument)[axis], self.shape(other)[first[1]], message)

    def _place(self, dim: AffineExpr) -> tuple[int, int] | None:
        """The argument and axis that bind the name; None for an expression."""
        source = self._sources.get(dim)
        return (source[0].index, source[1]) if isinstance(source, tuple) else None  # type: ignore[attr-defined]

    def _where(self, dim: AffineExpr) -> str:
        """Where the names in the size come from, in words."""
        places = []
        for name in sorted(shape_names([dim]), key=str):
            place = self._place(name)
            assert place is not None
            places.append((name, f"axis {place[1]} of {argument_label(self.function, place[0])}"))
        if isinstance(dim, AffineName):
            return f"as {places[0][1]} has"
        return f"where {' and '.join(f'[{name}] is {where}' for name, where in places)}"


def argument_label(function: Op, position: int) -> str:
    """What a message calls an argument: its `tir.name`, the variable that it holds, or its number."""
    assert isinstance(function, Func)
    name = function.argument_attribute(position, "tir.name")
    if isinstance(name, StringAttr):
        return f"argument '{name.value}'"
    shared = function.argument_attribute(position, "tir.shared")
    return f"shared variable {shared}" if isinstance(shared, SymbolRefAttr) else f"argument {position}"
