"""Rules about axes of size 1, which reductions that keep their axes leave: they are added last, or not at all.

`z - log(sum(exp(z), axis, keepdims))` has them in the middle, where other rules would not see the sum under the logarithm.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tir.dialects.tir.arithmetic import Neg
from tir.dialects.tir.base import Elementwise
from tir.dialects.tir.composite import Mean
from tir.dialects.tir.reduce import All, AnyOp, Max, Min, Prod, Sum
from tir.dialects.tir.shape import Broadcast, Reshape, number_of
from tir.ir.ir import Op, Value
from tir.ir.kinds import I64_ARRAY
from tir.ir.rewrite import Rule, rule
from tir.ir.types import DYNAMIC
from tir.rewrites.pattern import kept_axes
from tir.rewrites.shaped import again

__all__ = ["RULES"]


def _unit_axes(op: Op | None) -> list[int] | None:
    """The axes of size 1 that the op adds, if it does nothing else."""
    if not isinstance(op, (Broadcast, Reshape)):
        return None
    kept, shape = kept_axes(op), op.result_type.shape
    if kept is None or (isinstance(op, Broadcast) and op.stretched()):
        return None
    added = [axis for axis in range(len(shape)) if axis not in kept]
    return added if added and all(shape[axis] == 1 for axis in added) else None


def _with_unit_axes(b: Any, x: Value, added: Sequence[int]) -> Value:
    """x with axes of size 1 at these places of the result."""
    return b.expand_dims(x, added).value if added else x


@rule(Reshape, examples=[
    "reshape(x, [1, 3])",
    "reshape(x, [2, 1, 3, 1])",
    "not reshape(x, [3, 2])",
])  # fmt: skip
def reshape_that_adds_axes(op: Reshape, b: Any) -> Value | None:
    """reshape(x, [.., 1, ..]) -> broadcast(x, [.., 1, ..]), if all other sizes are those of x   exact"""
    added = _unit_axes(op)
    return None if added is None else _same_type(op, _with_unit_axes(b, op.x, added))


@rule(Reshape, examples=[
    "reshape(expand_dims(x, [1]), [3, 2])",
    "reshape(expand_dims(x, [0]), [3])",
    "not reshape(broadcast(x, [1], [2, 3]), [6])",
])  # fmt: skip
def reshape_of_unit_axes(op: Reshape, b: Any) -> Value | None:
    """reshape(x with axes of size 1) -> reshape(x)   exact"""
    if _unit_axes(op.x.op) is None:
        return None
    inner = op.x.op.x
    return inner if inner.type is op.result.type and _is_known(inner) else again(b, op, [inner, *op.sizes], op.result.type)


@rule(Elementwise, examples=[
    "exp(expand_dims(x, [1]))",
    "expand_dims(x, [0]) * expand_dims(y, [0]) + 2",
    "select(expand_dims(x, [0]) < 0, expand_dims(y, [0]), 1)",
    "not -expand_dims(x, [1])",
    "not exp(broadcast(x, [1], [2, 3]))",
])  # fmt: skip
def elementwise_of_unit_axes(op: Elementwise, b: Any) -> Value | None:
    """f(x with axes of size 1, ..) -> f(x, ..) with axes of size 1, but for -x, whose sign goes outside   exact"""
    if isinstance(op, Neg):
        return None
    made: Any = next((value.op for value in op.operands if _unit_axes(value.op) is not None), None)
    if made is None or not op.same_everywhere or op.open_sizes():
        return None
    added = _unit_axes(made) or []
    operands: list[Any] = [_without_unit_axes(b, value, made, added) for value in op.operands]
    if None in operands:
        return None
    return _with_unit_axes(b, again(b, op, operands, made.x.type.with_element(op.result_type.element)), added)


def _without_unit_axes(b: Any, value: Any, like: Any, added: Sequence[int]) -> Value | None:
    """The value without these axes, if it has them as `like` has; None if it is neither that nor one number."""
    if _unit_axes(value.op) == added:
        inner = value.op.x
        return inner if inner.type.shape == like.x.type.shape else None
    number = number_of(value)
    return None if number is None else b.full(number, b.shape(like.x), value.type.element).value


@rule(Sum, Prod, Mean, Max, Min, All, AnyOp, examples=[
    "sum(expand_dims(x, [1]), [1])",
    "max(expand_dims(x, [0]), [0, 1])",
    "mean(expand_dims(x, [0, 2]), [2])",
    "not sum(expand_dims(x, [1]), [0])",
])  # fmt: skip
def reduction_of_unit_axes(op: Any, b: Any) -> Value | None:
    """reduce(x with axes of size 1, axes) -> reduce(x, the others), with those that stay   \
accurate: the same elements; a sum of -0.0 alone is 0.0"""
    made = op.x.op
    added = _unit_axes(made)
    if added is None or not set(added) & set(op.axes):
        return None
    place = {old: new for new, old in enumerate(axis for axis in range(op.x.type.rank) if axis not in added)}
    axes = [place[axis] for axis in op.axes if axis in place]
    dims = [dim for axis, dim in enumerate(made.x.type.shape) if axis not in axes]
    reduced = made.x
    if axes:
        reduced = again(b, op, [reduced], made.x.type.with_shape(dims), axes=I64_ARRAY.make(axes))
    stay = [axis for axis in range(op.x.type.rank) if axis not in op.axes]
    return _same_type(op, _with_unit_axes(b, reduced, [new for new, old in enumerate(stay) if old in added]))


def _same_type(op: Op, value: Value) -> Value | None:
    """The value, if it may stand in for the result of `op`."""
    return value if value.type is op.result.type else None


def _is_known(value: Any) -> bool:
    """Each size is static or named: equal types are equal shapes."""
    return DYNAMIC not in value.type.shape


RULES: tuple[Rule, ...] = (
    reshape_that_adds_axes, reshape_of_unit_axes, elementwise_of_unit_axes, reduction_of_unit_axes,
)
