"""Theano's sorting, and searching in sorted vectors."""

from __future__ import annotations

from typing import Any

from tir.dialects.tir.build.core import Tensor
from tir.graph.errors import GraphTypeError, GraphValueError
from tir.graph.graph import GRAPH as b
from tir.graph.graph import located
from tir.graph.shape import constant_of, flatten
from tir.ir.types import I64

__all__ = ["argsort", "argtopk", "searchsorted", "sort", "topk", "topk_and_argtopk"]


@located
def sort(a: Any, axis: int | None = -1, kind: str = "quicksort", order: None = None) -> Tensor:
    """The elements in ascending order along the axis (None: flattened), nan at the end."""
    a = flatten(a) if axis is None else b.tensor(a)
    return b.sort(a, -1 if axis is None else axis)


@located
def argsort(a: Any, axis: int | None = -1, kind: str = "quicksort", order: None = None) -> Tensor:
    """The positions, int64, in the order of `sort`; equal elements keep theirs."""
    a = flatten(a) if axis is None else b.tensor(a)
    return b.argsort(a, -1 if axis is None else axis)


@located
def topk_and_argtopk(x: Any, kth: Any, axis: int = -1, sorted: bool = True, idx_dtype: str = "int64") -> list[Tensor]:
    """The `kth` largest (smallest for a negative number) along the axis, and their positions."""
    known = constant_of(kth) if isinstance(kth, Tensor) else kth
    if known is None:
        raise GraphTypeError(f"how many must be a number, got {kth!r}")
    count = int(known)
    if count == 0:
        raise GraphValueError("how many must not be 0")
    values, places = b.top_k(x, abs(count), axis, smallest=count < 0)
    return [values, places]


@located
def topk(x: Any, kth: Any, axis: int = -1, sorted: bool = True, idx_dtype: str = "int64") -> Tensor:
    """The `kth` largest (smallest for a negative number) along the axis."""
    return topk_and_argtopk(x, kth, axis)[0]


@located
def argtopk(x: Any, kth: Any, axis: int = -1, sorted: bool = True, idx_dtype: str = "int64") -> Tensor:
    """The positions of the `kth` largest (smallest for a negative number) along the axis."""
    return topk_and_argtopk(x, kth, axis)[1]


@located
def searchsorted(x: Any, v: Any, side: str = "left", sorter: Any = None) -> Tensor:
    """Where each element of v would be put into the sorted vector x: how many are below it (or at most it: right)."""
    x, v = b.tensor(x), b.tensor(v)
    if side not in ("left", "right"):
        raise GraphValueError(f"the side must be left or right, got {side!r}")
    if sorter is not None:
        x = b.take(x, b.cast(b.tensor(sorter), I64), 0)
    below = b.cmp("lt" if side == "left" else "le", x, b.expand_dims(v, v.type.rank))
    return b.sum(b.cast(below, I64), [v.type.rank])
