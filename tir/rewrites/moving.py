"""Transposes and reshapes in front of what computes on elements, and reductions of what is moved or repeated only.

A transpose meets the next one there, or a product that takes it in. These rules run behind autodiff: the gradient of a
maximum of equal numbers depends on how often they stand there. They end because transposes, reshapes and casts move one
way, reductions the other, and all others leave fewer elements to compute.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tir.dialects.tir.base import AxisReduction
from tir.dialects.tir.composite import Mean
from tir.dialects.tir.create import Full
from tir.dialects.tir.elements import fits_exactly, is_unsigned, number_attribute
from tir.dialects.tir.logic import Cast
from tir.dialects.tir.reduce import All, AnyOp, Argmax, Argmin, Max, Min, Prod, ReduceAnd, ReduceOr, Sum
from tir.dialects.tir.shape import Broadcast, Reshape, Reverse, Transpose, number_of
from tir.dialects.tir.sorting import Argsort, Sort
from tir.ir.ir import Op, Value
from tir.ir.kinds import I64_ARRAY, I64_ATTR
from tir.ir.rewrite import Rule, rule
from tir.ir.types import FloatType, IntegerType, TensorType, Type
from tir.rewrites.shaped import again, is_each_element, is_open, needed_once, rounds

__all__ = ["RULES"]

#: Reductions that take an element as often as they like.
IDEMPOTENT = (Max, Min, All, AnyOp, ReduceAnd, ReduceOr)


# --- transposes and reshapes -----------------------------------------------------------------------------------------


@rule(Transpose, examples=[
    "transpose(exp(x), [1, 0])", "transpose(x * 2, [1, 0])", "transpose(x * x, [2, 0, 1])",
    "transpose(cast(x, f64), [1, 0])", "not transpose(x * y, [1, 0])", "not transpose(tril(x), [1, 0])",
    "not dot(exp(x), transpose(exp(x), [1, 0]))", "not transpose(opened(x) * 2, [1, 0])",
])  # fmt: skip
def transpose_of_elementwise(op: Transpose, b: Any) -> Value | None:
    """transpose(f(x, numbers), p) -> f(transpose(x, p), numbers)   exact"""
    return _moved_inside(op, b, lambda x: b.create(Transpose, x, permutation=list(op.permutation)))


@rule(Reshape, examples=[
    "reshape(exp(x), [6])", "reshape(2 - x, [2, 3, 1])", "reshape(x + x, [3, 2])", "reshape(cast(x, f64), [1, 3])",
    "not reshape(x + y, [3, 2])", "not reshape(triu(x), [3, 2])", "not reshape(x * 2, [dim(x, 0)])",
])  # fmt: skip
def reshape_of_elementwise(op: Reshape, b: Any) -> Value | None:
    """reshape(f(x, numbers)) -> f(reshape(x), numbers)   exact"""
    return _moved_inside(op, b, lambda x: again(b, op, [x, *op.sizes], op.result.type.with_element(x.type.element)))


def _moved_inside(op: Any, b: Any, move: Any) -> Value | None:
    """The op of elements that `op` moves, of moved operands, if but one of them is more than a number."""
    made = op.x.op
    if not is_each_element(made) or not needed_once(op.x):
        return None
    tensors = {value for value in made.operands if number_of(value) is None}
    if len(tensors) != 1 or len(tensors) < len(set(made.operands)) and is_open(op.result.type):
        return None
    (x,) = tensors
    moved = move(x)
    operands = [moved if value is x else _number(b, value, moved.type) for value in made.operands]
    return again(b, made, operands, op.result.type)


def _number(b: Any, value: Value, type: TensorType) -> Value:
    """The number that stands everywhere in the value, in this shape."""
    element = value.type.element  # type: ignore[attr-defined]
    return b.create(Full, [], value=number_attribute(number_of(value), element), result_types=[type.with_element(element)])


# --- reductions of what is moved -------------------------------------------------------------------------------------


@rule(AxisReduction, examples=[
    "max(transpose(x, [1, 0]), [0])", "all(transpose(x, [2, 0, 1]), [1])",
    "sum(transpose(cast(x, i64), [1, 2, 0]), [1])", "not sum(transpose(cast(x, f32), [1, 0]), [0])",
])  # fmt: skip
def reduction_of_transpose(op: AxisReduction, b: Any) -> Value | None:
    """reduce(transpose(x, p), axes) -> transpose(reduce(x, axes of p)), but for sums and products of
    floats   exact
    """
    return None if isinstance(op, (Sum, Prod)) and rounds(op.x) else _of_transpose(op, b)


@rule(Sum, Prod, Mean, examples=[
    "sum(transpose(x, [1, 0]), [0])", "prod(transpose(x, [2, 0, 1]), [1])", "mean(transpose(x, [1, 2, 0]), [1])",
    "not sum(transpose(cast(x, i64), [1, 0]), [0])",
])  # fmt: skip
def sum_of_transpose(op: Any, b: Any) -> Value | None:
    """sum(transpose(x, p), axes) -> transpose(sum(x, axes of p)), and so for products and means   accurate:
    the same terms, in no promised order
    """
    return _of_transpose(op, b) if rounds(op.x) else None


def _of_transpose(op: Any, b: Any) -> Value | None:
    made = op.x.op
    if not isinstance(made, Transpose):
        return None
    kept = [source for axis, source in enumerate(made.permutation) if axis not in op.axes]
    reduced = _over(b, op, made.x, [made.permutation[axis] for axis in op.axes])
    return b.transpose(reduced, [sorted(kept).index(source) for source in kept]).value


def _over(b: Any, op: Op, x: Value, axes: Sequence[int]) -> Value:
    """The reduction of x over these axes; x for none."""
    if not axes:
        return x
    shape = [dim for axis, dim in enumerate(x.type.shape) if axis not in axes]  # type: ignore[attr-defined]
    type = TensorType(tuple(shape), op.result.type.element)  # type: ignore[attr-defined]
    return again(b, op, [x], type, axes=I64_ARRAY.make(sorted(axes)))


@rule(Argmax, Argmin, examples=["argmax(transpose(x, [1, 0]), 0)", "argmin(transpose(x, [2, 0, 1]), 1)"])
def position_of_transpose(op: Any, b: Any) -> Value | None:
    """argmax(transpose(x, p), axis) -> transpose(argmax(x, p[axis])), and so for argmin   exact"""
    made = op.x.op
    if not isinstance(made, Transpose):
        return None
    at = made.permutation[op.axis]
    kept = [source for axis, source in enumerate(made.permutation) if axis != op.axis]
    shape = [dim for axis, dim in enumerate(made.x.type.shape) if axis != at]
    found = again(b, op, [made.x], TensorType(tuple(shape), op.result.type.element), axis=I64_ATTR.make(at))
    return b.transpose(found, [sorted(kept).index(source) for source in kept]).value


@rule(AxisReduction, examples=[
    "max(reverse(x, [0]), [0])", "min(reverse(x, [0, 1]), [1])", "any(reverse(x, [1]), [1, 0])",
    "sum(reverse(cast(x, i64), [0]), [0])", "not sum(reverse(cast(x, f32), [0]), [0])",
    "not max(reverse(x, [0]), [1])",
])  # fmt: skip
def reduction_of_reverse(op: AxisReduction, b: Any) -> Value | None:
    """reduce(reverse(x), axes) -> reduce(x, axes), if what is turned round is reduced, but for sums of
    floats   exact
    """
    made = op.x.op
    if not isinstance(made, Reverse) or isinstance(op, (Sum, Prod)) and rounds(op.x):
        return None
    left = [axis for axis in made.axes if axis not in op.axes]
    if len(left) == len(made.axes):
        return None
    return again(b, op, [b.reverse(made.x, left).value], op.result.type)


# --- reductions of what is repeated ----------------------------------------------------------------------------------


@rule(*IDEMPOTENT, examples=[
    "max(broadcast(x, [1], [2, 3]), [0])", "min(broadcast(x, [0], [3, 2]), [0, 1])",
    "all(broadcast(x, [0, 2], [2, 4, 3]), [1, 2])", "reduce_or(broadcast(x, [1], [1, 3]), [0])",
    "not max(broadcast(x, [1], [0, 3]), [0])", "not max(broadcast(x, [1], [2, 3]), [1])",
    "not max(broadcast(x, [1], [dim(y, 0), 3]), [0])", "not max(broadcast(x, [1], [2, dim(y, 0)]), [0])",
])  # fmt: skip
def maximum_of_repeated(op: AxisReduction, b: Any) -> Value | None:
    """max(repeat(x, a), a) -> x, of one repetition or more, and so for min, all, any, reduce_and and
    reduce_or   exact
    """
    return None if _repetitions(op) < 1 else _once(op, b)


@rule(Mean, examples=[
    "mean(broadcast(x, [1], [2, 3]), [0])", "mean(broadcast(x, [0], [3, 2]), [0, 1])",
    "not mean(broadcast(x, [1], [0, 3]), [0])",
])  # fmt: skip
def mean_of_repeated(op: Mean, b: Any) -> Value | None:
    """mean(repeat(x, a), a) -> x, of one repetition or more   accurate: fewer roundings"""
    return None if _repetitions(op) < 1 else _once(op, b)


@rule(Sum, examples=[
    "sum(broadcast(x, [1], [2, 3]), [0])", "sum(broadcast(x, [0], [3, 2]), [0, 1])",
    "sum(broadcast(cast(x, i64), [0], [3, 2, 2]), [2, 1])", "sum(broadcast(x, [1], [1, 3]), [0])",
    "not sum(broadcast(x, [1], [0, 3]), [0])", "not sum(broadcast(x, [1], [dim(y, 0), 3]), [0])",
    "not sum(broadcast(x, [1], [2, dim(y, 0)]), [0])",
])  # fmt: skip
def sum_of_repeated(op: Sum, b: Any) -> Value | None:
    """sum(repeat(x, a), a) -> x * the number of repetitions, not 0   accurate: one rounding"""
    count = _repetitions(op)
    if count < 1 or op.acc_type is not None or not fits_exactly(count, op.result.type.element):
        return None
    found = _once(op, b)
    return None if found is None else b.mul(b.tensor(found), count).value


def _repeated(op: Any) -> list[int]:
    """The axes that are reduced and along which the operand only repeats its elements."""
    return [axis for axis in op.axes if axis not in op.x.op.along]


def _repetitions(op: Any) -> int:
    """How often each element is repeated along the axes that are reduced; 0 if there are none, or run time knows it."""
    sizes = [op.x.type.shape[axis] for axis in _repeated(op)] if isinstance(op.x.op, Broadcast) else []
    if not sizes or not all(isinstance(size, int) for size in sizes):
        return 0
    count = 1
    for size in sizes:
        count *= size
    return count


def _once(op: Any, b: Any) -> Value | None:
    """The reduction of what is repeated along the other axes alone."""
    made, gone = op.x.op, _repeated(op)
    if is_open(made.result_type):
        return None
    kept = [axis for axis in range(op.x.type.rank) if axis not in gone]
    type = op.x.type.with_shape(op.x.type.shape[axis] for axis in kept)
    along = [kept.index(axis) for axis in made.along]
    x = made.x if made.x.type is type else b.create(Broadcast, made.x, [], along=along, result_types=[type])
    return _over(b, op, x, [kept.index(axis) for axis in op.axes if axis in kept])


@rule(AxisReduction, examples=[
    "max(max(x, [0]), [0])", "sum(sum(cast(x, i64), [1]), [0, 1])", "any(any(x, [0, 2]), [0])",
    "prod(prod(cast(x, i32), [1]), [1])", "not sum(sum(cast(x, f32), [0]), [0])", "not max(min(x, [0]), [0])",
    "not max(max(x, [0], False, 'first'), [0])",
    "not broadcast(max(x, [0]), [0], [3, 3]) + broadcast(max(max(x, [0]), [0]), [], [3, 3])",
])  # fmt: skip
def reduction_of_reduction(op: AxisReduction, b: Any) -> Value | None:
    """reduce(reduce(x, a), b) -> reduce(x, a and b), but for sums and products of floats   exact"""
    return None if isinstance(op, (Sum, Prod)) and rounds(op.x) else _of_reduction(op, b)


@rule(Sum, Prod, examples=[
    "sum(sum(x, [0]), [0])", "prod(prod(x, [2]), [0])", "sum(sum(x, [1]), [0, 1])", "not sum(prod(x, [0]), [0])",
    "not sum(sum(cast(x, i64), [0]), [0])",
])  # fmt: skip
def sum_of_sum(op: Any, b: Any) -> Value | None:
    """sum(sum(x, a), b) -> sum(x, a and b), and so for products   accurate: the same terms, in no promised order"""
    return _of_reduction(op, b) if rounds(op.x) else None


def _of_reduction(op: Any, b: Any) -> Value | None:
    made = op.x.op
    if type(made) is not type(op) or not needed_once(op.x):
        return None
    if {**made.properties, "axes": None} != {**op.properties, "axes": None}:
        return None
    kept = [axis for axis in range(made.x.type.rank) if axis not in made.axes]
    return _over(b, op, made.x, [*made.axes, *(kept[axis] for axis in op.axes)])


# --- what casts leave in order ---------------------------------------------------------------------------------------


@rule(Max, Min, examples=[
    "max(cast(x, f64), [0])", "min(cast(x, i32), [1])", "not max(cast(x, f16), [0])", "not max(cast(x, i8), [0])",
    "not max(cast(x, bf16), [0])", "not max(cast(opened(x), i32), [0])",
    "not max(cast(slice(x, [3], [3]), i32), [0])", "not max(cast(dim(x, 0), i64), [])",
    "not cast(x, f64) + max(cast(x, f64), [0])",
])  # fmt: skip
def maximum_of_cast(op: Any, b: Any) -> Value | None:
    """max(cast(x, t), axes) -> cast(max(x, axes), t), where t has all numbers of x, of one or more; and so for
    min   exact
    """
    x = _before_cast(op)
    if x is None or not x.type.is_static or not x.type.count:
        return None
    found = again(b, op, [x], op.result.type.with_element(x.type.element))
    return b.create(Cast, found, result_types=[op.result.type])


@rule(Argmax, Argmin, Argsort, examples=[
    "argmax(cast(x, f64), 0)", "argmin(cast(x, i32), 1)", "argsort(cast(x, f64), 0)", "not argmax(cast(x, f16), 0)",
    "not argmax(cast(x, i8), 0)", "not argmax(cast(cast(x, i8), f32), 0)",
])  # fmt: skip
def position_of_cast(op: Any, b: Any) -> Value | None:
    """argmax(cast(x, t), axis) -> argmax(x, axis), where t has all numbers of x, and so for argmin and
    argsort   exact
    """
    x = _before_cast(op)
    return None if x is None else again(b, op, [x], op.result.type)


@rule(Sort, examples=[
    "sort(cast(x, f64), 0)", "sort(cast(x, i32), 1)", "not sort(cast(x, f16), 0)", "not sort(cast(x, i8), 0)",
    "not first(sort_by(cast(x, f64), y, axis=0))",
])  # fmt: skip
def sort_of_cast(op: Sort, b: Any) -> Value | None:
    """sort(cast(x, t), axis) -> cast(sort(x, axis), t), where t has all numbers of x   exact"""
    x = _before_cast(op)
    if x is None or op.others:
        return None
    return b.create(Cast, again(b, op, [x], x.type), result_types=[op.values.type])


def _before_cast(op: Any) -> Any:
    """What is cast to a type with all its numbers; None if the operand of the op is something else."""
    made = op.x.op
    if not isinstance(made, Cast) or not isinstance(made.x.type, TensorType) or not needed_once(op.x):
        return None
    return made.x if _has_all_of(op.x.type.element, made.x.type.element) else None


def _has_all_of(wide: Type, element: Type) -> bool:
    """Each number of one element type is one of the other, and their order stays."""
    if isinstance(element, FloatType):
        return isinstance(wide, FloatType) and wide.width > element.width
    if not isinstance(element, IntegerType) or not isinstance(wide, IntegerType) or element.width == 1:
        return False
    room = wide.width > element.width
    return room and (is_unsigned(element) or not is_unsigned(wide))


RULES: tuple[Rule, ...] = (
    transpose_of_elementwise, reshape_of_elementwise, reduction_of_transpose, sum_of_transpose, position_of_transpose,
    reduction_of_reverse, maximum_of_repeated, mean_of_repeated, sum_of_repeated, reduction_of_reduction, sum_of_sum,
    maximum_of_cast, position_of_cast, sort_of_cast,
)  # fmt: skip
