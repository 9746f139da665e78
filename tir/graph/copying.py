"""Copies of what values are computed by, with other values in the place of some.

    copier = Copier(builder, {x.value: argument})
    cost, = copier.copy([cost.value])

Where a new value has other sizes in its type than the old one, the types of what follows are inferred again. A value that
a derivative is taken by gets a `tir.leaf`, which everything uses from there on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tir.dialects.tir.base import Sized
from tir.dialects.tir.builder import TensorBuilder
from tir.dialects.tir.jacobian import Jacobian
from tir.dialects.tir.logic import Bitcast, Cast
from tir.dialects.tir.shape import Broadcast, DimOp, ToIndex
from tir.dialects.tir.state import Derivative, Vjp
from tir.graph.graph import captured, makers_of
from tir.graph.shape import specified
from tir.ir.attributes import DenseAttr
from tir.ir.define import create
from tir.ir.fields import OPERAND_SEGMENTS
from tir.ir.ir import BlockArgument, Op, Value
from tir.ir.traits import ConstantLike
from tir.ir.types import DYNAMIC, Dim, TensorType

__all__ = ["Copier", "name_of", "points_of"]


class Copier:
    """Copies ops to where the builder inserts. mapping: old value -> new one, which copies are added to."""

    def __init__(self, b: TensorBuilder, mapping: dict[Any, Any]) -> None:
        self.b, self.mapping = b, mapping
        self._plain: dict[Value, Value] = {}  # of a value that has a leaf the value in front of it
        self._points: set[Value] = set()

    def copy(self, values: Sequence[Value]) -> list[Value]:
        """The copies of values, with all that they need."""
        ops = makers_of(values, self.mapping.__contains__)
        self._points = points_of(ops)
        for value in [value for value in self.mapping if value in self._points]:
            self._take(value, self.mapping[value], is_copy=False)
        for op in ops:
            self._copy(op)
        return [self.mapping.get(value, value) for value in values]

    def _take(self, old: Value, new: Value, is_copy: bool = True) -> None:
        """From now on `new`, or a leaf of it, stands for `old`."""
        self._plain[old] = self.mapping[old] = new
        if old not in self._points or (is_copy and self.b.block is None):
            return  # a copy that stands in no block will be copied again
        if not (isinstance(new, BlockArgument) and new.owner is self.b.block):
            leaf = self.b.leaf(new).value
            leaf.hint, self.mapping[old] = old.hint, leaf

    def _copy(self, op: Op) -> None:
        changed = any(self._new(value).type is not value.type for value in captured(op))
        if not changed and isinstance(op, Sized):
            changed = any(_known_size(self._new(size)) is not None for size in op.sizes)
        made = op.clone(self._outer(op)) if not changed else self._retyped(op)
        self.b.insert(made)
        for old, new in zip(op.results, made.results):
            new.hint = name_of(old.hint)
            self._take(old, new)

    def _new(self, value: Value) -> Value:
        return self.mapping.get(value, value)

    def _outer(self, op: Op) -> dict[Any, Any]:
        """The mapping for the operands of an op. A derivative starts at the value in front of a leaf that ends it."""
        if not isinstance(op, Vjp) or not op.constants:
            return dict(self.mapping) if op.regions else self.mapping
        ends = set(op.constants)
        return self.mapping | {value: self._plain[value] for value in op.values if value in ends and value in self._plain}

    # --- other types -------------------------------------------------------------------------------------------------

    def _retyped(self, op: Op) -> Op:
        """A copy with the result types that the new operands give."""
        mapping = self._outer(op)
        if isinstance(op, Sized):
            return self._sized(op, mapping)
        if isinstance(op, (Cast, Bitcast)):
            type = mapping[op.x].type
            return _created(op, mapping, [type.with_element(op.results[0].type.element)])  # type: ignore[attr-defined]
        if not op.regions and type_is_inferred(op):
            return _created(op, mapping, None)
        forgetful = dict(mapping)
        for value in dict.fromkeys(captured(op)):
            if (new := self._new(value)).type is not value.type:
                forgetful[value] = specified(self.b, new, value.type).value  # type: ignore[arg-type]
        return op.clone(forgetful)

    def _sized(self, op: Sized, mapping: dict[Any, Any]) -> Op:
        """A copy with a written result type, in which sizes that are known now are numbers."""
        sizes = iter(op.sizes)
        kept: list[Value] = []
        shape: list[Dim] = []
        from_x = _from_operand(op, mapping)
        for axis, dim in enumerate(op.result_type.shape):
            if dim is DYNAMIC:
                size = mapping.get(value := next(sizes), value)
                known = from_x.get(axis, _known_size(size))
                if known is None:
                    kept.append(size)
                dim = DYNAMIC if known is None else known
            shape.append(dim)
        return _created(op, mapping, [op.result_type.with_shape(shape)], sizes=kept)


def points_of(ops: Iterable[Op]) -> set[Value]:
    """The values that derivatives among the ops are taken by, or that end them."""
    found: set[Value] = set()
    for op in ops:
        if isinstance(op, (Derivative, Jacobian)):
            found.update(op.wrt)
        if isinstance(op, Vjp):
            found.update(op.constants)
    return found


def type_is_inferred(op: Op) -> bool:
    """The result types follow from the operands."""
    return type(op).infer is not Op.infer


def _created(op: Op, mapping: dict[Any, Any], types: Sequence[Any] | None, **groups: Any) -> Op:
    """The op on new operands. groups: operands by the name of their field instead of those mapped."""
    operands = []
    for field in op.definition.operands:
        given = getattr(op, field.name)
        if field.name in groups:
            operands.append(groups[field.name])
        elif given is None or isinstance(given, Value):
            operands.append(mapping.get(given, given))
        else:
            operands.append([mapping.get(value, value) for value in given])
    facts: dict[str, Any] = {name: value for name, value in op.properties.items() if name != OPERAND_SEGMENTS}
    return create(
        type(op), *operands, result_types=types, attributes=op.attributes, location=op.location, **facts
    )  # fmt: skip


def _from_operand(op: Sized, mapping: dict[Any, Any]) -> dict[int, int]:
    """The sizes of the result that the operand of a broadcast says."""
    if not isinstance(op, Broadcast):
        return {}
    shape = mapping.get(op.x, op.x).type.shape
    return {to: dim for dim, to in zip(shape, op.along) if isinstance(dim, int) and dim != 1}


def _known_size(value: Value) -> int | None:
    """The number that an index value is."""
    op = value.op
    if isinstance(op, DimOp):
        dim = op.x.type.shape[op.axis]
        return dim if isinstance(dim, int) else None
    if isinstance(op, ToIndex):
        return _known_number(op.x)
    return None


def _known_number(value: Value) -> int | None:
    op = value.op
    if isinstance(op, ConstantLike) and isinstance(number := op.properties.get("value"), DenseAttr):
        return int(number.numpy().reshape(-1)[0])
    if isinstance(op, Cast):
        return _known_size(op.x) if not isinstance(op.x.type, TensorType) else _known_number(op.x)
    return None


def name_of(hint: str | None) -> str | None:
    """A name of a variable as a name in a text, which has letters, digits and underscores."""
    if hint is None or hint.isidentifier() and hint.isascii():
        return hint
    found = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in hint)
    return f"_{found}" if not found or found[0].isdigit() else found
