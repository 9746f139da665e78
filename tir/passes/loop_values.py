"""Index constants and sizes of buffers for loops that are being written."""

from __future__ import annotations

from tir.dialects import arith, memref
from tir.ir.attributes import IntegerAttr
from tir.ir.builder import Builder
from tir.ir.ir import Value
from tir.ir.types import INDEX

__all__ = ["LoopValues"]


class LoopValues:
    """Makes index constants, each once, and sizes with the builder.

    The first constant must be made in front of the loops; later ones are put beside it, wherever the builder then stands.
    """

    def __init__(self, b: Builder) -> None:
        self.b = b
        self._constants: dict[int, Value] = {}

    def constant(self, number: int) -> Value:
        """An index constant in front of all loops."""
        found = self._constants.get(number)
        if found is None:
            made = self.b.op(arith.Constant, value=IntegerAttr(number, INDEX))
            for first in self._constants.values():
                assert first.op is not None
                made.move_before(first.op)
                break
            found = self._constants[number] = made.results[0]
        return found

    def size(self, buffer: Value, axis: int) -> Value:
        """The size of an axis: a constant if the type says it."""
        known = buffer.type.shape[axis]  # type: ignore[attr-defined]
        if isinstance(known, int):
            return self.constant(known)
        return self.b.create(memref.Dim, buffer, self.constant(axis))
