"""Rules about shapes, for which the language of rules has no words: sizes, permutations, and families of ops."""

from __future__ import annotations

from typing import Any

from tir.dialects.tir.arithmetic import Div, Mul, Reciprocal
from tir.dialects.tir.base import AxisReduction, Elementwise, merge_dims
from tir.dialects.tir.create import Constant, Full
from tir.dialects.tir.elements import number_attribute
from tir.dialects.tir.logic import Cast
from tir.dialects.tir.reduce import Sum
from tir.dialects.tir.shape import Broadcast, Reshape, Slice, Transpose, element_count, number_of
from tir.ir.errors import TirError
from tir.ir.execution import meaning, value_of_type
from tir.ir.ir import Op, Value
from tir.ir.rewrite import Rule, rule
from tir.ir.types import INDEX, TensorType, element_type
from tir.lazy import np
from tir.rewrites.shaped import rounds

__all__ = ["RULES"]


def _same_type(op: Op, value: Value) -> Value | None:
    """The value, if it may stand in for the result of `op`."""
    return value if value.type is op.result.type else None


def _is_known(type: TensorType) -> bool:
    """Each size is static or named: equal types are equal shapes."""
    return all(str(dim) != "?" for dim in type.shape)


@rule(Transpose, examples=["op('transpose', x, permutation=[0, 1])", "not transpose(x, [1, 0])"])
def transpose_in_order(op: Transpose, b: Any) -> Value | None:
    """transpose(x, [0, 1, ..]) -> x   exact"""
    if list(op.permutation) == list(range(len(op.permutation))):
        return _same_type(op, op.x)
    return None


@rule(Reshape, examples=[
    "reshape(x, [3])", "reshape(x, [2, 3])", "not reshape(x, [3, 2])", "not reshape(opened(x), [dim(x, 0)])",
])  # fmt: skip
def reshape_to_the_same(op: Reshape, b: Any) -> Value | None:
    """reshape(x, shape(x)) -> x   exact"""
    return op.x if op.x.type is op.result.type and _is_known(op.x.type) else None


@rule(Reshape, examples=[
    "reshape(reshape(x, [6]), [3, 2])", "reshape(reshape(x, [3, 1, 2]), [2, 1, 3])", "reshape(opened(x), [3])",
])  # fmt: skip
def reshape_of_reshape(op: Reshape, b: Any) -> Value | None:
    """reshape(reshape(x)) -> reshape(x)   exact"""
    inner = op.x.op
    if not isinstance(inner, Reshape):
        return None
    before, after = element_count(inner.x.type.shape), element_count(op.result.type.shape)
    if before is not None and after is not None and before != after:
        return None  # through an open size: run time finds out
    return b.create(Reshape, inner.x, op.sizes, result_types=[op.result.type])


@rule(Broadcast, examples=[
    "op('broadcast', x, [], along=[0], like=x)", "op('broadcast', x, [], along=[0, 1], like=x)",
    "not broadcast(x, [0], [3, 2])",
])  # fmt: skip
def broadcast_to_the_same(op: Broadcast, b: Any) -> Value | None:
    """broadcast(x, shape(x)) -> x   exact"""
    return op.x if op.x.type is op.result.type and _is_known(op.x.type) else None


@rule(Broadcast, examples=[
    "broadcast(broadcast(x, [0], [3, 2]), [1, 2], [4, 3, 2])",
    "broadcast(broadcast(x, [1], [2, 3]), [0, 2], [2, 4, 3])",
    "broadcast(broadcast(x, [1], [1, 3]), [0, 1], [2, 3])", "not broadcast(broadcast(x, [1], [2, 1]), [0, 1], [2, 3])",
])  # fmt: skip
def broadcast_of_broadcast(op: Broadcast, b: Any) -> Value | None:
    """broadcast(broadcast(x, p), q) -> broadcast(x, q[p])   exact"""
    inner = op.x.op
    if not isinstance(inner, Broadcast) or set(op.stretched()) & set(inner.along):
        return None
    along = [op.along[axis] for axis in inner.along]
    sizes = zip(inner.x.type.shape, (op.result.type.shape[axis] for axis in along))
    if any(dim != 1 and merge_dims(dim, size) is None for dim, size in sizes):
        return None  # two names, through an open size: run time finds out
    return b.create(Broadcast, inner.x, op.sizes, along=along, result_types=[op.result.type])


@rule(Broadcast, examples=[
    "broadcast(1, [], [3, 2])", "broadcast(full(2.0, [3]), [1], [2, 3])", "broadcast(2.5, [], [dim(x, 0)])",
    "not broadcast(x, [0], [3, 2])", "not broadcast(constant([1, 2, 3]), [0], [3, 2])",
])  # fmt: skip
def broadcast_of_constant(op: Broadcast, b: Any) -> Value | None:
    """broadcast(one number everywhere, of known sizes) -> full   exact"""
    if not isinstance(op.x.op, (Constant, Full)) or number_of(op.x) is None or not op.x.type.is_static:
        return None  # sizes that are not known are checked where they must agree
    value = number_attribute(number_of(op.x), op.result.type.element)
    return b.create(Full, op.sizes, value=value, result_types=[op.result.type])


@rule(Mul, examples=[
    "x * repeat_along(reciprocal(cast(dim(x, 0), f32)), [0], x)", "not x * repeat_along(reciprocal(y), [0], x)",
])  # fmt: skip
def times_one_over_size(op: Mul, b: Any) -> Value | None:
    """x * broadcast(1 / n) -> x / broadcast(n), for n a size: a mean's gradient   accurate: one rounding, not two"""
    for x, factor in ((op.lhs, op.rhs), (op.rhs, op.lhs)):
        spread, inverse = factor.op, factor.op.x.op if isinstance(factor.op, Broadcast) else None
        if not isinstance(spread, Broadcast) or not isinstance(inverse, Reciprocal) or not _is_size(inverse.x):
            continue
        if len(factor.uses) != 1:
            return None
        size = b.create(Broadcast, inverse.x, spread.sizes, along=spread.along, result_types=[factor.type])
        return _same_type(op, b.create(Div, x, size))
    return None


def _is_size(value: Value) -> bool:
    """A size that run time knows, as a number."""
    return isinstance(value.op, Cast) and value.op.x.type is INDEX


@rule(Slice, examples=[
    "slice(x, [0], [0])", "slice(x, [0, 0], [0, 3])", "not slice(x, [1], [0])", "not slice(x, [0], [0], [2])",
    "not slice(x, [0], [-1])", "not slice(opened(x), [0], [3])",
])  # fmt: skip
def slice_of_all(op: Slice, b: Any) -> Value | None:
    """slice(x, from the start to the end) -> x   exact"""
    whole = all(s == 0 for s in op.starts) and all(s == 1 for s in op.strides)
    ends = zip(op.limits, op.x.type.shape)
    return op.x if whole and all(limit in (0, size) for limit, size in ends) and op.x.type is op.result.type else None


@rule(Cast, examples=["op('cast', x, like=x)", "not cast(x, bf16)"])
def cast_to_the_same(op: Cast, b: Any) -> Value | None:
    """cast(x, dtype(x)) -> x   exact"""
    return _same_type(op, op.x)


@rule(AxisReduction, examples=[
    "op('max', x, axes=[])", "op('all', x, axes=[])", "op('prod', x, axes=[])",
    "not op('sum', cast(x, f32), axes=[])", "not max(x, [0])",
])  # fmt: skip
def reduction_over_nothing(op: AxisReduction, b: Any) -> Value | None:
    """reduce(x, over []) -> x, but for sums of floats   exact"""
    return _same_type(op, op.x) if not op.axes and not (isinstance(op, Sum) and rounds(op.x)) else None


@rule(Sum, examples=[
    "op('sum', x, axes=[])", "not sum(x, [0])",
    "not op('sum', cast(x, i64), axes=[])",
])  # fmt: skip
def sum_over_nothing(op: Sum, b: Any) -> Value | None:
    """sum(x, over []) -> x, of floats   accurate: a sum begins with 0.0, which turns -0.0 into 0.0"""
    return _same_type(op, op.x) if not op.axes and rounds(op.x) else None


@rule(Elementwise, examples=[
    "exp(full_like(x, 2))", "full_like(x, 3) * full_like(x, 2)", "full_like(x, 3) < 2",
    "select(full_like(x, 1) < 0, full_like(x, 2), full_like(x, 3))", "not tril(full_like(x, 2))", "not exp(x)",
    "not full_like(x, 2) + x",
])  # fmt: skip
def of_one_number_each(op: Elementwise, b: Any) -> Value | None:
    """f(full(x), full(y), ..) -> full(f(x, y, ..))   exact"""
    like, type = next((value.op for value in op.operands if isinstance(value.op, Full)), None), op.result_type
    if like is None or like.result_type.shape != type.shape or not op.same_everywhere or op.open_sizes():
        return None
    numbers = [number_of(value) for value in op.operands]
    if None in numbers:
        return None
    scalars = [value_of_type(number, element_type(value.type)) for number, value in zip(numbers, op.operands)]
    try:
        with np.errstate(all="ignore"):
            found = meaning(op)(*scalars)
    except TirError:
        return None  # what goes wrong at run time is not hidden here
    value = number_attribute(np.asarray(found).item(), type.element)
    return b.create(Full, like.sizes, value=value, result_types=[type])


RULES: tuple[Rule, ...] = (
    transpose_in_order, reshape_to_the_same, reshape_of_reshape, broadcast_to_the_same, broadcast_of_broadcast,
    broadcast_of_constant, times_one_over_size, slice_of_all, cast_to_the_same, reduction_over_nothing, sum_over_nothing,
    of_one_number_each,
)  # fmt: skip
