"""Theano's products of vectors, matrices and tensors."""

from __future__ import annotations

from typing import Any

from tir.dialects.tir.build.core import Tensor
from tir.graph.errors import GraphTypeError, GraphValueError
from tir.graph.graph import GRAPH as b
from tir.graph.graph import located
from tir.graph.shape import flatten
from tir.ir.types import I1, I64

__all__ = ["batched_dot", "batched_tensordot", "dot", "einsum", "inner", "matmul", "outer", "tensordot"]


@located
def dot(x: Any, y: Any) -> Tensor:
    """numpy's dot: of numbers and vectors, matrices, tensors (the last axis of x with the last but one of y)."""
    x, y = b.tensor(x), b.tensor(y)
    if min(x.type.rank, y.type.rank) == 0:
        return b.mul(x, y)
    if x.type.element is I1 and y.type.element is I1:
        return b.cmp("ne", dot(b.cast(x, I64), y), 0)
    if x.type.rank <= 2 and y.type.rank <= 2:
        return b.dot(x, y)
    return tensordot(x, y, [[x.type.rank - 1], [max(y.type.rank - 2, 0)]])


@located
def matmul(x: Any, y: Any) -> Tensor:
    """numpy's matmul: the last two axes are matrices, those in front a batch that is broadcast."""
    return b.matmul(x, y)


@located
def outer(x: Any, y: Any) -> Tensor:
    """x[i] y[j] of the flattened x and y."""
    x, y = flatten(x), flatten(y)
    return b.mul(b.expand_dims(x, 1), b.expand_dims(y, 0))


@located
def inner(x: Any, y: Any) -> Tensor:
    """The sum of products along the last axes."""
    x, y = b.tensor(x), b.tensor(y)
    if min(x.type.rank, y.type.rank) == 0:
        return b.mul(x, y)
    return tensordot(x, y, [[x.type.rank - 1], [y.type.rank - 1]])


@located
def tensordot(x: Any, y: Any, axes: Any = 2) -> Tensor:
    """The sum of products over axes: their number, the last of x with the first of y; or a pair of axes or of lists."""
    x, y = b.tensor(x), b.tensor(y)
    if isinstance(axes, (list, tuple)):
        left, right = ([one] if not isinstance(one, (list, tuple)) else list(one) for one in axes)
    else:
        left = list(range(x.type.rank - axes, x.type.rank))
        right = list(range(axes))
    if len(left) != len(right):
        raise GraphValueError(f"needs as many axes of x as of y, got {left} and {right}")
    pairs = [b.axis_of(x, axis) for axis in left], [b.axis_of(y, axis) for axis in right]
    return b.dot_general(x, y, pairs)


@located
def batched_dot(x: Any, y: Any) -> Tensor:
    """For each i, x[i] dot y[i]: vectors, matrices or one of each."""
    x, y = b.tensor(x), b.tensor(y)
    if min(x.type.rank, y.type.rank) == 0:
        raise GraphTypeError(f"needs an axis to go along, got {x.type} and {y.type}")
    if x.type.rank == 1 or y.type.rank == 1:
        small, large = (x, y) if x.type.rank <= y.type.rank else (y, x)
        rest = range(small.type.rank, large.type.rank)
        return b.mul(b.expand_dims(small, rest) if len(rest) else small, large)
    return b.dot_general(x, y, ([x.type.rank - 1], [max(y.type.rank - 2, 1)]), ([0], [0]))


@located
def batched_tensordot(x: Any, y: Any, axes: Any = 2) -> Tensor:
    """For each i, tensordot(x[i], y[i]); axes count that of the batch."""
    x, y = b.tensor(x), b.tensor(y)
    if isinstance(axes, (list, tuple)):
        left, right = ([one] if not isinstance(one, (list, tuple)) else list(one) for one in axes)
    else:
        left = list(range(x.type.rank - axes, x.type.rank))
        right = list(range(1, axes + 1))
    return b.dot_general(x, y, (left, right), ([0], [0]))


@located
def einsum(subscripts: str, *operands: Any) -> Tensor:
    """numpy's einsum."""
    return b.einsum(subscripts, *operands)
