"""Sizes read off what a result is made of, so that nothing is computed for its shape; and copies that change nothing.

These rules end because `dim` moves up, and all others leave an op less, or a reshape, which moves nothing, in place of a
transpose or a reduction.
"""

from __future__ import annotations

from typing import Any

from tir.dialects import arith
from tir.dialects.tir.arrange import Concat, Repeat, Tile
from tir.dialects.tir.base import AxisReduction, Sized
from tir.dialects.tir.composite import LogSoftmax, Mean, Softmax
from tir.dialects.tir.create import Full
from tir.dialects.tir.elements import number_attribute
from tir.dialects.tir.linalg import Dot
from tir.dialects.tir.logic import Cast
from tir.dialects.tir.reduce import Argmax, Argmin, Sum
from tir.dialects.tir.scan import Cummax, Cummin, Cumprod, Cumsum
from tir.dialects.tir.shape import Broadcast, DimOp, Pad, Reshape, Reverse, Slice, ToIndex, Transpose, number_of
from tir.dialects.tir.sorting import Argsort
from tir.ir.affine import AffineName
from tir.ir.attributes import IntegerAttr
from tir.ir.ir import Value
from tir.ir.kinds import I64_ARRAY
from tir.ir.names import size_bindings
from tir.ir.rewrite import Rule, rule
from tir.ir.types import DYNAMIC, I64, INDEX
from tir.rewrites.shaped import again, is_each_element, is_open, rounds

__all__ = ["RULES"]

#: Ops whose result has the shape of x.
LIKE_X = (Softmax, LogSoftmax, Cumsum, Cumprod, Cummax, Cummin, Argsort, Reverse)


# --- sizes -----------------------------------------------------------------------------------------------------------


@rule(DimOp, examples=["dim(x, 0)", "dim(x, 1)", "dim(reshape(x, [3, 2]), 0)"])
def dim_of_known_size(op: DimOp, b: Any) -> Value | None:
    """dim(x, axis) -> the size, where the type of x says it   exact"""
    size = op.x.type.shape[op.axis]
    return _index(b, size) if isinstance(size, int) else None


def _index(b: Any, number: int) -> Value:
    return b.create(arith.Constant, value=IntegerAttr(number, INDEX))


@rule(DimOp, examples=["dim(exp(x), 0)", "dim(x * 2, 1)", "not dim(opened(x), 0)"])
def dim_of_named_size(op: DimOp, b: Any) -> Value | None:
    """dim(x, axis) -> dim(argument, axis), where the size has the name of that of an argument   exact"""
    size = op.x.type.shape[op.axis]
    if not isinstance(size, AffineName):
        return None
    place = size_bindings(op)[size]
    if isinstance(place, Value):
        return place
    argument, axis = place
    return None if argument is op.x else b.create(DimOp, argument, axis=axis)


@rule(DimOp, examples=[
    "dim(exp(x), 0)", "dim(cast(x, f64), 1)", "not dim(opened(x) + opened(y), 0)", "not dim(opened(x), 0)",
])  # fmt: skip
def dim_of_elementwise(op: DimOp, b: Any) -> Value | None:
    """dim(f(x, ..), axis) -> dim(x, axis)   exact"""
    made = op.x.op
    return b.create(DimOp, made.operands[0], axis=op.axis) if is_each_element(made) else None


@rule(DimOp, examples=["dim(transpose(x, [1, 0]), 0)", "dim(transpose(x, [2, 0, 1]), 1)", "not dim(opened(x), 0)"])
def dim_of_transpose(op: DimOp, b: Any) -> Value | None:
    """dim(transpose(x, p), axis) -> dim(x, p[axis])   exact"""
    made = op.x.op
    return b.create(DimOp, made.x, axis=made.permutation[op.axis]) if isinstance(made, Transpose) else None


@rule(DimOp, examples=[
    "dim(max(x, [0]), 0)", "dim(sum(x, [1]), 0)", "dim(mean(x, [0, 2]), 0)", "dim(argmax(x, 0), 0)",
    "not dim(opened(x), 0)",
])  # fmt: skip
def dim_of_reduction(op: DimOp, b: Any) -> Value | None:
    """dim(reduce(x, axes), axis) -> dim(x, the axis in x)   exact"""
    made = op.x.op
    if not isinstance(made, (AxisReduction, Mean, Argmax, Argmin)):
        return None
    gone = [made.axis] if isinstance(made, (Argmax, Argmin)) else made.axes
    kept = [axis for axis in range(made.x.type.rank) if axis not in gone]
    return b.create(DimOp, made.x, axis=kept[op.axis])


@rule(DimOp, examples=[
    "dim(softmax(x, [0]), 1)", "dim(cumsum(x, 0), 0)", "dim(argsort(x, 0), 1)", "dim(reverse(x, [0]), 0)",
    "not dim(opened(x), 0)",
])  # fmt: skip
def dim_of_rows(op: DimOp, b: Any) -> Value | None:
    """dim(softmax(x), axis) -> dim(x, axis), and so for whatever has the shape of x   exact"""
    made = op.x.op
    return b.create(DimOp, made.operands[0], axis=op.axis) if isinstance(made, LIKE_X) else None


@rule(DimOp, examples=[
    "dim(full(1, [dim(x, 0), 3]), 0)", "dim(iota([2, dim(x, 0)], 0), 1)", "dim(reshape(x, [dim(x, 0), 1]), 0)",
    "dim(broadcast(x, [1], [dim(x, 0), 3]), 0)", "not dim(full(1, [3]), 0)",
    "dim(full(1, [dim(x, 0), dim(x, 1), 2]), 1)",
])  # fmt: skip
def dim_of_written_size(op: DimOp, b: Any) -> Value | None:
    """dim(full(c, sizes), axis) -> the size, and so for whatever is made of a written size   exact"""
    made, shape = op.x.op, op.x.type.shape
    if not isinstance(made, Sized) or shape[op.axis] is not DYNAMIC:
        return None
    return list(made.sizes)[sum(dim is DYNAMIC for dim in shape[: op.axis])]


@rule(DimOp, examples=[
    "dim(broadcast(x, [0], [3, 2]), 0)", "dim(broadcast(opened(x), [1], [2, dim(x, 0)]), 1)",
    "not dim(broadcast(x, [0], [3, 2]), 1)",
])  # fmt: skip
def dim_of_broadcast(op: DimOp, b: Any) -> Value | None:
    """dim(broadcast(x, along), along[axis]) -> dim(x, axis)   exact"""
    made = op.x.op
    if not isinstance(made, Broadcast) or op.axis not in made.along or made.along.index(op.axis) in made.stretched():
        return None
    return b.create(DimOp, made.x, axis=made.along.index(op.axis))


@rule(DimOp, examples=[
    "dim(slice(x, [0, 1], [0, 2]), 0)", "dim(slice(opened(x), [0, 1], [0, 2]), 0)",
    "not dim(slice(x, [1], [0]), 0)",
])  # fmt: skip
def dim_of_slice(op: DimOp, b: Any) -> Value | None:
    """dim(slice(x), axis) -> dim(x, axis), of an axis that stays whole   exact"""
    made = op.x.op
    if not isinstance(made, Slice) or (made.starts[op.axis], made.limits[op.axis], made.strides[op.axis]) != (0, 0, 1):
        return None
    return b.create(DimOp, made.x, axis=op.axis)


@rule(DimOp, examples=[
    "dim(dot(x, y), 0)", "dim(dot(x, transpose(y, [1, 0])), 1)", "not dim(dot(opened(x), opened(y)), 0)",
    "dim(dot(x, sum(y, [0])), 0)", "dim(dot(sum(x, [0]), y), 0)", "not dim(opened(x), 0)",
])  # fmt: skip
def dim_of_dot(op: DimOp, b: Any) -> Value | None:
    """dim(dot(x, y), 0) -> dim(x, 0), and the columns are those of y   exact"""
    made = op.x.op
    if not isinstance(made, Dot) or made.open_sizes():
        return None
    of_rows = op.axis == 0 and made.lhs.type.rank == 2
    return b.create(DimOp, made.lhs, axis=0) if of_rows else b.create(DimOp, made.rhs, axis=made.rhs.type.rank - 1)


@rule(ToIndex, examples=["to_index(cast(dim(x, 0), i64))", "not to_index(cast(dim(x, 0), i8))"])
def index_of_index(op: ToIndex, b: Any) -> Value | None:
    """to_index(cast(n, i64)) -> n, of an index n   exact"""
    made = op.x.op
    return made.x if isinstance(made, Cast) and made.x.type is INDEX and op.x.type.element is I64 else None


@rule(ToIndex, examples=["to_index(full(3, [], i64))", "not to_index(cast(dim(x, 0), i64))"])
def index_of_number(op: ToIndex, b: Any) -> Value | None:
    """to_index(c) -> c   exact"""
    number = number_of(op.x)
    return None if number is None else _index(b, int(number))


@rule(Cast, examples=["cast(to_index(sum(cast(x, i64), [0])), i64)", "not cast(dim(x, 0), i64)"])
def number_of_index(op: Cast, b: Any) -> Value | None:
    """cast(to_index(n), i64) -> n, of an n of i64   exact"""
    made = op.x.op
    return made.x if isinstance(made, ToIndex) and made.x.type is op.result.type and made.x.type.element is I64 else None


# --- copies that change nothing --------------------------------------------------------------------------------------


@rule(Reverse, examples=[
    "reverse(reverse(x, [0]), [0])", "reverse(reverse(x, [0, 1]), [1])", "reverse(reverse(x, [0]), [1])",
])  # fmt: skip
def reverse_of_reverse(op: Reverse, b: Any) -> Value | None:
    """reverse(reverse(x, p), q) -> reverse(x, the axes in one of both)   exact"""
    made = op.x.op
    return b.reverse(made.x, sorted({*made.axes} ^ {*op.axes})).value if isinstance(made, Reverse) else None


@rule(Reverse, examples=[
    "reverse(sum(x, [0], True), [0])", "reverse(sum(x, [0], True), [0, 1])",
    "not reverse(reshape(x, [3, 2]), [0, 1])",
])  # fmt: skip
def reverse_of_one(op: Reverse, b: Any) -> Value | None:
    """reverse(x, axes) -> reverse(x, axes of more than one element)   exact"""
    axes = [axis for axis in op.axes if op.x.type.shape[axis] != 1]
    return b.reverse(op.x, axes).value if len(axes) < len(op.axes) else None


@rule(Transpose, Reshape, Reverse, Broadcast, examples=[
    "transpose(full_like(x, 2), [1, 0])", "reshape(full_like(x, 2), [6])", "reverse(full_like(x, 2), [0])",
    "broadcast(full_like(x, 2), [0], [3, 2])", "not transpose(x, [1, 0])",
    "not transpose(full_like(opened(x), 2), [1, 0])", "not reshape(full_like(opened(x), 2), [6])",
])  # fmt: skip
def moved_number(op: Any, b: Any) -> Value | None:
    """transpose(full(c)) -> full(c), and so for reshapes, reverses and broadcasts   exact"""
    number, type = number_of(op.x), op.result.type
    if number is None or is_open(type):
        return None
    if not isinstance(op, (Transpose, Reverse)) and not (op.x.type.is_static and type.is_static):
        return None  # run time compares sizes
    return b.create(Full, [], value=number_attribute(number, type.element), result_types=[type])


@rule(Tile, examples=["op('tile', x, reps=[1, 1])", "op('tile', x, reps=[1])", "not tile(x, [2])"])
def tile_once(op: Tile, b: Any) -> Value | None:
    """tile(x, once along each axis) -> x   exact"""
    return op.x if all(count == 1 for count in op.reps) else None


@rule(Repeat, examples=["op('repeat', x, times=1, axis=0)", "not repeat(x, 2, 0)"])
def repeat_once(op: Repeat, b: Any) -> Value | None:
    """repeat(x, once) -> x   exact"""
    return op.x if op.times == 1 else None


@rule(Pad, examples=[
    "pad(x, [0, 0], [0, 0])", "pad(x, [0], [0])", "not pad(x, [0], [1])", "not pad(x, [1], [0])",
    "not pad(x, [0], [0], [1])",
])  # fmt: skip
def pad_by_nothing(op: Pad, b: Any) -> Value | None:
    """pad(x, by nothing) -> x   exact"""
    nothing = all((start, limit, stride) == (0, 0, 1) for start, limit, stride in zip(op.starts, op.limits, op.strides))
    return op.x if nothing and op.x.type is op.result.type else None


@rule(Concat, examples=["concat([x], 0)", "not concat([x, x], 0)"])
def concat_of_one(op: Concat, b: Any) -> Value | None:
    """concat(x) -> x   exact"""
    return op.inputs[0] if len(op.inputs) == 1 else None


@rule(Concat, examples=[
    "concat([max(x, [0], True), x], 0)", "concat([x, max(x, [0], True), x], 0)",
    "concat([x, max(x, [0], True), max(x, [0], True)], 0)", "not concat([x, y], 2)",
])  # fmt: skip
def concat_of_nothing(op: Concat, b: Any) -> Value | None:
    """concat(x, nothing, ..) -> concat(x, ..)   exact"""
    kept = [value for value in op.inputs if value.type.shape[op.axis] != 0]
    if len(kept) in (0, len(op.inputs)) or not _same_shapes(op):
        return None
    return kept[0] if len(kept) == 1 else again(b, op, kept, op.result.type)


def _same_shapes(op: Concat) -> bool:
    """Types tell that the operands have equal sizes along all other axes."""
    shapes = {tuple(dim for axis, dim in enumerate(value.type.shape) if axis != op.axis) for value in op.inputs}
    return len(shapes) == 1 and DYNAMIC not in shapes.pop()


@rule(Concat, examples=[
    "concat([concat([x, y], 0), x], 0)", "concat([x, concat([y, x], 1), y], 1)",
    "not concat([concat([x, y], 0), concat([y, x], 0)], 1)",
])  # fmt: skip
def concat_of_concat(op: Concat, b: Any) -> Value | None:
    """concat(concat(x, y), z) -> concat(x, y, z), along one axis   exact"""
    values: list[Value] = []
    for value in op.inputs:
        made = value.op
        values += made.inputs if isinstance(made, Concat) and made.axis == op.axis else [value]
    return again(b, op, values, op.result.type) if len(values) > len(op.inputs) else None


@rule(Transpose, examples=[
    "transpose(reshape(x, [3, 1]), [1, 0])", "transpose(reshape(x, [2, 1, 3]), [0, 2, 1])",
    "not transpose(reshape(x, [2, 1, 3]), [2, 0, 1])", "not transpose(reshape(x, [dim(x, 0), 1]), [1, 0])",
    "not op('transpose', x, permutation=[0, 1])",
])  # fmt: skip
def transpose_of_one(op: Transpose, b: Any) -> Value | None:
    """transpose(x, p) -> reshape(x), where p moves axes of size 1 only   exact"""
    moved = [axis for axis in op.permutation if op.x.type.shape[axis] != 1]
    if moved != sorted(moved) or is_open(op.result.type) or list(op.permutation) == sorted(op.permutation):
        return None
    return b.create(Reshape, op.x, [], result_types=[op.result.type])


@rule(AxisReduction, examples=[
    "max(reshape(x, [3, 1]), [1])", "prod(reshape(x, [1, 3]), [0])", "any(reshape(x, [1, 3]), [0])",
    "min(reshape(x, [2, 1, 3]), [1, 2])", "not sum(reshape(cast(x, f32), [3, 1]), [1])",
    "not max(reshape(x, [dim(x, 0), 1]), [1])", "not max(reshape(x, [3, 2]), [0])",
])  # fmt: skip
def reduction_of_one(op: AxisReduction, b: Any) -> Value | None:
    """reduce(x, an axis of size 1) -> reshape(x), but for sums of floats   exact"""
    return None if isinstance(op, Sum) and rounds(op.x) else _over_more_than_one(op, b)


@rule(Sum, Mean, examples=[
    "sum(reshape(x, [3, 1]), [1])", "mean(reshape(x, [1, 3]), [0])", "sum(reshape(x, [2, 1, 3]), [1, 2])",
    "not sum(reshape(cast(x, i64), [3, 1]), [1])",
])  # fmt: skip
def sum_of_one(op: Any, b: Any) -> Value | None:
    """sum(x, an axis of size 1) -> reshape(x), and so for means   accurate: a sum begins with 0.0; -0.0 becomes 0.0"""
    return _over_more_than_one(op, b) if rounds(op.x) else None


def _over_more_than_one(op: Any, b: Any) -> Value | None:
    """The reduction over the axes that have not the size 1, of x without those that have it."""
    ones = [axis for axis in op.axes if op.x.type.shape[axis] == 1]
    kept = [axis for axis in range(op.x.type.rank) if axis not in ones]
    type = op.x.type.with_shape(op.x.type.shape[axis] for axis in kept)
    if not ones or is_open(type):
        return None
    x = b.create(Reshape, op.x, [], result_types=[type])
    axes = [kept.index(axis) for axis in op.axes if axis in kept]
    return again(b, op, [x], op.result.type, axes=I64_ARRAY.make(axes)) if axes else x


RULES: tuple[Rule, ...] = (
    dim_of_known_size, dim_of_named_size, dim_of_elementwise, dim_of_transpose, dim_of_reduction, dim_of_rows,
    dim_of_written_size, dim_of_broadcast, dim_of_slice, dim_of_dot, index_of_index, index_of_number, number_of_index,
    reverse_of_reverse, reverse_of_one, moved_number, tile_once, repeat_once, pad_by_nothing, concat_of_one,
    concat_of_nothing, concat_of_concat, transpose_of_one, reduction_of_one, sum_of_one,
)  # fmt: skip
