"""Names for open sizes, which `tir.name_size` gives in the first block of a function.

    %n = tir.dim %x axis 0
    tir.name_size %n as "x_0" : index

A loop stacks only what has sizes that are known before it. So a size that a step computes of sizes alone, such as that of
`x[1:]`, is computed in front of the loop, and gets a name there.
"""

from __future__ import annotations

from typing import Any

from tir.dialects.tir.base import Sized
from tir.dialects.tir.builder import TensorBuilder
from tir.dialects.tir.effects import NameSize
from tir.dialects.tir.logic import Cast
from tir.dialects.tir.shape import DimOp
from tir.ir.affine import AffineName
from tir.ir.ir import Op, Value
from tir.ir.traits import is_removable
from tir.ir.types import DYNAMIC, I64, Dim

__all__ = ["SizeNames", "name_of"]


class SizeNames:
    """The names of sizes in a function whose first block is that where the builder inserts now."""

    def __init__(self, b: TensorBuilder) -> None:
        self.b, self.entry = b, b.block
        self._names: dict[tuple[Value, int] | Value, AffineName] = {}
        self._sizes: dict[AffineName, Value] = {}

    def of_axis(self, value: Value, axis: int) -> Dim:
        """The size of an axis: its name, which values that have it from one place share; `?` if a step alone knows it."""
        source = _source(value, axis)
        if isinstance(source, Value):
            return self._named(source)
        value, axis = source
        dim: Dim = value.type.shape[axis]  # type: ignore[attr-defined]
        return self._named(source) if dim is DYNAMIC else dim

    def of(self, size: Value) -> Dim:
        """The same for a value of type index."""
        return self.of_axis(size.op.x, size.op.axis) if isinstance(size.op, DimOp) else self._named(size)

    def _named(self, source: tuple[Value, int] | Value) -> Dim:
        found = self._names.get(source)
        if found is not None:
            return found
        assert self.entry is not None
        with self.b.at(self.entry):
            size = self._in_front(source) if isinstance(source, Value) else self._dim(*source)
            if size is None:
                return DYNAMIC
            found = self._names[source] = AffineName(self._label(source))
            self._sizes[found] = size
            self.b.op(NameSize, size, label=str(found), result_types=[])
        return found

    def _label(self, source: tuple[Value, int] | Value) -> str:
        base = f"n{len(self._names)}"
        if not isinstance(source, Value) and (hint := name_of(source[0].hint)):
            base = f"{hint}_{source[1]}"
        return base if base not in map(str, self._sizes) else f"{base}_{len(self._names)}"

    def _dim(self, value: Value, axis: int) -> Value | None:
        return self.b.create(DimOp, value, axis=axis) if self._is_in_front(value) else None

    def _is_in_front(self, value: Value) -> bool:
        return value.block is self.entry

    # --- computed in front of a loop ---------------------------------------------------------------------------------

    def _in_front(self, size: Value) -> Value | None:
        """The size as the first block has it, or computes it anew of sizes; None if it takes what a step alone knows."""
        copies: dict[Any, Any] = {}
        ops: list[Op] = []
        pending: list[Value | Op] = [size]  # an op comes behind its operands
        while pending:
            value = pending.pop()
            if isinstance(value, Op):
                ops.append(value)
            elif value not in copies and not self._is_in_front(value):
                op = value.op
                copies[value] = known = self._size_of(op)
                if known is None:
                    if op is None or op.regions or isinstance(op, DimOp) or not is_removable(op):
                        return None
                    pending += [op, *op.operands]
        for op in dict.fromkeys(ops):
            copy = self.b.insert(op.clone(copies))
            copies.update(zip(op.results, copy.results))
        return copies.get(size, size)

    def _size_of(self, op: Op | None) -> Value | None:
        """The size that an op tells of a value with a number or a name in its type."""
        if not isinstance(op, DimOp):
            return None
        dim = op.x.type.shape[op.axis]
        return self.b.to_index(self.b.constant(dim, I64)) if isinstance(dim, int) else self._sizes.get(dim)


def _source(value: Value, axis: int) -> tuple[Value, int] | Value:
    """Where a size comes from: an axis of another value, or a value of type index."""
    while True:
        op = value.op
        if isinstance(op, Cast):
            value = op.x
            continue
        if not isinstance(op, Sized) or op.result_type.shape[axis] is not DYNAMIC:
            return value, axis
        size = op.sizes[sum(dim is DYNAMIC for dim in op.result_type.shape[:axis])]
        if not isinstance(size.op, DimOp):
            return size
        value, axis = size.op.x, size.op.axis


def name_of(hint: str | None) -> str | None:
    """A name of a variable as a name in a text, which has letters, digits and underscores."""
    if hint is None or (hint.isidentifier() and hint.isascii()):
        return hint
    found = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in hint)
    return f"_{found}" if not found or found[0].isdigit() else found
