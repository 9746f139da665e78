"""Theano's module of scalars, as far as programs ask it what dtypes become together."""

from __future__ import annotations

from tir.graph.typing import element_of, promoted
from tir.ir.types import dtype_of

__all__ = ["upcast"]


def upcast(dtype: str, *dtypes: str) -> str:
    """The dtype that an operation on tensors of these dtypes has."""
    found = promoted([element_of(one) for one in (dtype, *dtypes)])
    return dtype_of(found).numpy or str(found)
