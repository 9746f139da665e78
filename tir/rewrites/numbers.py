"""Tensors that are one number everywhere."""

from __future__ import annotations

from typing import Any

from tir.dialects.tir.create import Constant, Full
from tir.dialects.tir.shape import Broadcast, Reshape
from tir.ir.attributes import DenseAttr
from tir.ir.ir import Value

__all__ = ["is_number", "number_of"]


def number_of(value: Value) -> Any:
    """The number that each element of the value is, or None: a splat constant, `tir.full`, or a broadcast of one."""
    op = value.op
    while isinstance(op, (Broadcast, Reshape)):
        op = op.x.op
    if isinstance(op, Full):
        return op.value
    if isinstance(op, Constant) and isinstance(op.value, DenseAttr) and op.value.is_splat:
        return op.value.splat_value
    return None


def is_number(value: Value, number: Any) -> bool:
    """Each element of the value is this number; -0.0 is not 0.0."""
    found = number_of(value)
    return found is not None and found == number and str(float(found)) == str(float(number))
