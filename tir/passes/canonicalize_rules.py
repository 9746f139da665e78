"""The rules of `canonicalize` on the tensor level, one fact each.

Rules about numbers hold for nan, inf and -0.0 as their class says: `x + 0` is not x for floats, since -0.0 + 0.0 is 0.0.
"""

from __future__ import annotations

from typing import Any

from tir.dialects.tir.arithmetic import Add, Div, Maximum, Minimum, Mul, Neg, Pow, Reciprocal, Sub
from tir.dialects.tir.base import AxisReduction, Elementwise, number_attribute
from tir.dialects.tir.create import Constant, Full
from tir.dialects.tir.logic import And, Cast, Not, Or, Select
from tir.dialects.tir.shape import Broadcast, Reshape, Slice, Transpose, is_number, number_of
from tir.ir.errors import TirError
from tir.ir.execution import meaning, value_of_type
from tir.ir.ir import Op, Value
from tir.ir.rewrite import Rule, rule
from tir.ir.types import INDEX, FloatType, TensorType, element_type
from tir.lazy import np

__all__ = ["RULES"]


def _is_float(value: Value) -> bool:
    return isinstance(element_type(value.type), FloatType)


def _same_type(op: Op, value: Value) -> Value | None:
    """The value, if it may stand in for the result of `op`."""
    return value if value.type is op.result.type else None


# --- shapes --------------------------------------------------------------------------------------------------------


@rule(Transpose)
def transpose_in_order(op: Transpose, b: Any) -> Value | None:
    """transpose(x, [0, 1, ..]) -> x   exact"""
    if list(op.permutation) == list(range(len(op.permutation))):
        return _same_type(op, op.x)
    return None


@rule(Transpose)
def transpose_of_transpose(op: Transpose, b: Any) -> Value | None:
    """transpose(transpose(x, p), q) -> transpose(x, p[q])   exact"""
    inner = op.x.op
    if not isinstance(inner, Transpose):
        return None
    return b.create(Transpose, inner.x, permutation=[inner.permutation[axis] for axis in op.permutation])


@rule(Reshape)
def reshape_to_the_same(op: Reshape, b: Any) -> Value | None:
    """reshape(x, shape(x)) -> x   exact"""
    return op.x if op.x.type is op.result.type and _is_known(op.x.type) else None


@rule(Reshape)
def reshape_of_reshape(op: Reshape, b: Any) -> Value | None:
    """reshape(reshape(x)) -> reshape(x)   exact"""
    inner = op.x.op
    if not isinstance(inner, Reshape):
        return None
    return b.create(Reshape, inner.x, op.sizes, result_types=[op.result.type])


@rule(Broadcast)
def broadcast_to_the_same(op: Broadcast, b: Any) -> Value | None:
    """broadcast(x, shape(x)) -> x   exact"""
    return op.x if op.x.type is op.result.type and _is_known(op.x.type) else None


@rule(Broadcast)
def broadcast_of_broadcast(op: Broadcast, b: Any) -> Value | None:
    """broadcast(broadcast(x, p), q) -> broadcast(x, q[p])   exact"""
    inner = op.x.op
    if not isinstance(inner, Broadcast) or op.stretched():
        return None
    along = [op.along[axis] for axis in inner.along]
    return b.create(Broadcast, inner.x, op.sizes, along=along, result_types=[op.result.type])


@rule(Broadcast)
def broadcast_of_constant(op: Broadcast, b: Any) -> Value | None:
    """broadcast(one number everywhere, of known sizes) -> full   exact"""
    if not isinstance(op.x.op, (Constant, Full)) or number_of(op.x) is None or not op.x.type.is_static:
        return None  # sizes that are not known are checked where they must agree
    value = number_attribute(number_of(op.x), op.result.type.element)
    return b.create(Full, op.sizes, value=value, result_types=[op.result.type])


@rule(Slice)
def slice_of_all(op: Slice, b: Any) -> Value | None:
    """slice(x, from the start to the end) -> x   exact"""
    whole = all(s == 0 for s in op.starts) and all(s == 1 for s in op.strides)
    ends = zip(op.limits, op.x.type.shape)
    return op.x if whole and all(limit in (0, size) for limit, size in ends) and op.x.type is op.result.type else None


@rule(Cast)
def cast_to_the_same(op: Cast, b: Any) -> Value | None:
    """cast(x, dtype(x)) -> x   exact"""
    return _same_type(op, op.x)


@rule(AxisReduction)
def reduction_over_nothing(op: AxisReduction, b: Any) -> Value | None:
    """reduce(x, over []) -> x   exact"""
    return _same_type(op, op.x) if not op.axes else None


def _is_known(type: TensorType) -> bool:
    """Each size is static or named: equal types are equal shapes."""
    return all(str(dim) != "?" for dim in type.shape)


# --- arithmetic ----------------------------------------------------------------------------------------------------


@rule(Neg)
def neg_of_neg(op: Neg, b: Any) -> Value | None:
    """-(-x) -> x   exact"""
    return op.x.op.x if isinstance(op.x.op, Neg) else None


@rule(Not)
def not_of_not(op: Not, b: Any) -> Value | None:
    """not (not x) -> x   exact"""
    return op.x.op.x if isinstance(op.x.op, Not) else None


@rule(Mul)
def times_one(op: Mul, b: Any) -> Value | None:
    """x * 1 -> x   exact"""
    for x, one in ((op.lhs, op.rhs), (op.rhs, op.lhs)):
        if is_number(one, 1):
            return _same_type(op, x)
    return None


@rule(Div)
def divided_by_one(op: Div, b: Any) -> Value | None:
    """x / 1 -> x   exact"""
    return _same_type(op, op.lhs) if is_number(op.rhs, 1) else None


@rule(Div)
def one_divided(op: Div, b: Any) -> Value | None:
    """1 / x -> reciprocal(x) for floats   exact"""
    if not _is_float(op.rhs) or not is_number(op.lhs, 1):
        return None
    return _same_type(op, b.create(Reciprocal, op.rhs))


@rule(Mul)
def times_one_over_size(op: Mul, b: Any) -> Value | None:
    """x * broadcast(1 / n) -> x / broadcast(n), for n a size: a mean's gradient   accurate: one rounding, not two"""
    for x, factor in ((op.lhs, op.rhs), (op.rhs, op.lhs)):
        spread, inverse = factor.op, factor.op.x.op if isinstance(factor.op, Broadcast) else None
        if not isinstance(spread, Broadcast) or not isinstance(inverse, Reciprocal) or not _is_size(inverse.x):
            continue
        size = b.create(Broadcast, inverse.x, spread.sizes, along=spread.along, result_types=[factor.type])
        return _same_type(op, b.create(Div, x, size))
    return None


def _is_size(value: Value) -> bool:
    """A size that run time knows, as a number."""
    return isinstance(value.op, Cast) and value.op.x.type is INDEX


@rule(Add)
def plus_zero(op: Add, b: Any) -> Value | None:
    """x + 0 -> x for integers, x + -0.0 -> x for floats   exact"""
    zero = -0.0 if _is_float(op.lhs) else 0
    for x, other in ((op.lhs, op.rhs), (op.rhs, op.lhs)):
        if is_number(other, zero):
            return _same_type(op, x)
    return None


@rule(Sub)
def minus_zero(op: Sub, b: Any) -> Value | None:
    """x - 0 -> x   exact"""
    return _same_type(op, op.lhs) if is_number(op.rhs, 0) else None


@rule(Add)
def plus_negated(op: Add, b: Any) -> Value | None:
    """x + -y -> x - y   exact"""
    for x, other in ((op.lhs, op.rhs), (op.rhs, op.lhs)):
        if isinstance(other.op, Neg):
            return _same_type(op, b.create(Sub, x, other.op.x))
    return None


@rule(Sub)
def minus_negated(op: Sub, b: Any) -> Value | None:
    """x - -y -> x + y   exact"""
    return _same_type(op, b.create(Add, op.lhs, op.rhs.op.x)) if isinstance(op.rhs.op, Neg) else None


@rule(Pow)
def power_of_one(op: Pow, b: Any) -> Value | None:
    """x ** 1 -> x   exact"""
    return _same_type(op, op.lhs) if is_number(op.rhs, 1) else None


@rule(Pow)
def power_of_two(op: Pow, b: Any) -> Value | None:
    """x ** 2 -> x * x   accurate: one rounding, as a correctly rounded power has"""
    return _same_type(op, b.create(Mul, op.lhs, op.lhs)) if is_number(op.rhs, 2) else None


@rule(Maximum, Minimum, And, Or)
def of_equal_operands(op: Any, b: Any) -> Value | None:
    """max(x, x) -> x, and so for min, and, or   exact"""
    return op.lhs if op.lhs is op.rhs else None


@rule(Select)
def select_of_equals(op: Select, b: Any) -> Value | None:
    """select(c, x, x) -> x   exact"""
    return _same_type(op, op.lhs) if op.lhs is op.rhs else None


@rule(Select)
def select_of_constant(op: Select, b: Any) -> Value | None:
    """select(true, x, y) -> x, select(false, x, y) -> y   exact"""
    chosen = number_of(op.condition)
    return None if chosen is None else _same_type(op, op.lhs if chosen else op.rhs)


# --- one number everywhere -------------------------------------------------------------------------------------------


@rule(Elementwise)
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
    transpose_in_order, transpose_of_transpose, reshape_to_the_same, reshape_of_reshape, broadcast_to_the_same,
    broadcast_of_broadcast, broadcast_of_constant, slice_of_all, cast_to_the_same, reduction_over_nothing,
    of_one_number_each, neg_of_neg, not_of_not, times_one, divided_by_one, one_divided, times_one_over_size,
    plus_zero, minus_zero, plus_negated, minus_negated,
    power_of_one, power_of_two, of_equal_operands, select_of_equals, select_of_constant,
)  # fmt: skip
