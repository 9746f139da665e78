"""Slices in front of the ops that compute what is sliced: what is cut off is not computed.

Each rule moves a slice in front of one op whose result nobody else needs, or into another slice. They end because slices
only move up; fewer elements are computed each time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tir.dialects.tir.arrange import Concat
from tir.dialects.tir.base import AxisReduction
from tir.dialects.tir.composite import LogSoftmax, Mean, Softmax
from tir.dialects.tir.create import Full, Iota
from tir.dialects.tir.elements import number_attribute
from tir.dialects.tir.gather import Take
from tir.dialects.tir.linalg import Dot
from tir.dialects.tir.moving import DynamicSlice
from tir.dialects.tir.reduce import Argmax, Argmin, Prod, Sum
from tir.dialects.tir.scan import Cummax, Cummin, Cumprod, Cumsum
from tir.dialects.tir.shape import Broadcast, Pad, Reshape, Reverse, Slice, Transpose, number_of
from tir.dialects.tir.sorting import Argsort, Sort
from tir.ir.ir import Op, Value
from tir.ir.rewrite import Rule, rule
from tir.ir.types import DYNAMIC, Dim, TensorType
from tir.rewrites.shaped import again, is_each_element, is_open, needed_once, rounds

__all__ = ["RULES"]

#: Start, limit and stride of an axis, as `tir.slice` counts.
Bounds = tuple[int, int, int]
WHOLE: Bounds = (0, 0, 1)


def _bounds(op: Slice | Pad) -> list[Bounds]:
    """Those of each axis."""
    return list(zip(op.starts, op.limits, op.strides))


def _sliced(b: Any, x: Value, bounds: Iterable[Bounds]) -> Value:
    """x, sliced."""
    each = list(bounds)
    starts, limits, strides = ([one[k] for one in each] for k in range(3))
    return b.create(Slice, x, starts=starts, limits=limits, strides=strides)


def _sliced_off(op: Slice, *classes: type[Op]) -> Any:
    """The op of one of these classes that makes what is sliced, if nobody else needs it."""
    made = op.x.op
    return made if isinstance(made, classes) and needed_once(op.x) else None


# --- slices of slices ------------------------------------------------------------------------------------------------


@rule(Slice, examples=[
    "slice(slice(x, [1], [0]), [1], [0])", "slice(slice(x, [0, 1], [0, 0], [2, 1]), [0, 1], [0, -1])",
    "slice(slice(x, [1], [0]), [0], [-1], [2])", "slice(slice(x, [0], [3], [2]), [1], [2])",
    "slice(slice(x, [0], [-1]), [1], [2])", "slice(slice(x, [0], [3]), [1], [0])",
    "slice(slice(x, [0], [3]), [0], [-1], [2])", "slice(slice(opened(x), [1], [0]), [1], [2])",
    "slice(slice(concat([x, x, x], 0), [0], [9], [2]), [0], [4], [3])",
    "not slice(slice(x, [0], [0], [2]), [1], [0])", "slice(slice(opened(x), [1], [3]), [1], [0])",
    "not slice(slice(x, [0], [2]), [0], [-2])", "not slice(slice(opened(x), [0], [3]), [0], [1])",
    "not slice(slice(opened(x), [0], [-1]), [0], [1])", "not slice(slice(opened(x), [0], [3]), [0], [-1])",
    "slice(slice(x, [1], [3]), [0], [0])", "slice(slice(x, [1], [0]), [0], [1])",
    "slice(slice(x, [0], [-1]), [0], [-1])", "not slice(slice(x, [0], [1]), [0], [-1])",
])  # fmt: skip
def slice_of_slice(op: Slice, b: Any) -> Value | None:
    """slice(slice(x, [i:]), [j:]) -> slice(x, [i + j:]), with strides multiplied   exact"""
    made = op.x.op
    if not isinstance(made, Slice):
        return None
    joined = list(map(_joined, made.x.type.shape, _bounds(made), _bounds(op)))
    if None in joined:
        return None
    found = _sliced(b, made.x, joined)  # type: ignore[arg-type]
    return found if found.type is op.result.type else None


def _joined(size: Dim, first: Bounds, second: Bounds) -> Bounds | None:
    """The bounds of a slice of a slice; None if the size of the axis matters and is open."""
    (start, limit, stride), (start2, limit2, stride2) = first, second
    if second == WHOLE:
        return first
    if first == WHOLE:
        return second
    # Of an open size, the slice that is left must still find out what the first would.
    if stride == 1 and limit <= 0 and limit2 <= 0:  # both are told from the end
        return start + start2, limit + limit2, stride2
    if stride == 1 and limit2 <= 0 < limit + limit2 and (isinstance(size, int) or limit2 == 0):
        return start + start2, limit + limit2, stride2
    if limit2 > 0 and (isinstance(size, int) or (limit, stride) == (0, 1)):
        return start + start2 * stride, start + (limit2 - 1) * stride + 1, stride * stride2
    return None


def _cannot_fail(op: Slice, axes: Iterable[int] | None = None) -> bool:
    """Types tell that the slice lies within these axes, or all."""
    shape = op.x.type.shape
    chosen = range(len(shape)) if axes is None else axes
    return all(isinstance(shape[axis], int) or _bounds(op)[axis] == WHOLE for axis in chosen)


# --- slices of what is computed --------------------------------------------------------------------------------------


@rule(Slice, examples=[
    "slice(exp(x), [1], [3])", "slice(x + y, [0, 1], [2, 3], [1, 2])", "slice(abs(x), [0], [-1], [2])",
    "slice(select(x < y, x, y), [1], [0])", "slice(x & y, [0, 0], [1, -1])", "slice(cast(x, f64), [1], [2])",
    "not slice(tril(x), [1, 0], [2, 0])", "not slice(opened(x) + opened(y), [0], [2])",
    "not concat([exp(x), slice(exp(x), [1], [0])], 0)",
])  # fmt: skip
def slice_of_elementwise(op: Slice, b: Any) -> Value | None:
    """slice(f(x, ..)) -> f(slice(x), ..)   exact"""
    made = _sliced_off(op, Op)
    if not is_each_element(made):
        return None
    return again(b, made, [_sliced(b, value, _bounds(op)) for value in made.operands], op.result.type)


@rule(Slice, examples=[
    "slice(transpose(x, [1, 0]), [1, 0], [0, 2])", "slice(transpose(x, [2, 0, 1]), [0, 1, 0], [1, 0, 2])",
])  # fmt: skip
def slice_of_transpose(op: Slice, b: Any) -> Value | None:
    """slice(transpose(x, p)) -> transpose(slice(x), p)   exact"""
    made = _sliced_off(op, Transpose)
    if made is None:
        return None
    bounds = [_bounds(op)[axis] for axis in made.inverse()]
    return b.create(Transpose, _sliced(b, made.x, bounds), permutation=list(made.permutation))


@rule(Slice, examples=[
    "slice(max(x, [0]), [1], [0])", "slice(min(x, [1]), [0, 1], [0, 3])", "slice(prod(x, [0, 2]), [1], [2])",
    "slice(sum(x, [0]), [0], [2])", "slice(all(x, [1]), [1], [0])", "not slice(sum(cast(x, f32), [0]), [0], [2])",
])  # fmt: skip
def slice_of_reduction(op: Slice, b: Any) -> Value | None:
    """slice(reduce(x, axes)) -> reduce(slice(x), axes), but for sums and products of floats   exact"""
    made = _sliced_off(op, AxisReduction)
    if made is None or isinstance(made, (Sum, Prod)) and rounds(made.x):
        return None
    return _reduced(b, op, made, made.axes)


@rule(Slice, examples=[
    "slice(sum(x, [1]), [1], [0])", "slice(prod(x, [0, 2]), [1], [2])", "slice(mean(x, [0]), [0], [2])",
    "not slice(sum(cast(x, i64), [0]), [0], [2])",
])  # fmt: skip
def slice_of_sum(op: Slice, b: Any) -> Value | None:
    """slice(sum(x, axes)) -> sum(slice(x), axes), and so for products and means   accurate: the same terms, in
    no promised order
    """
    made = _sliced_off(op, Sum, Prod, Mean)
    return _reduced(b, op, made, made.axes) if made is not None and rounds(made.x) else None


@rule(Slice, examples=["slice(argmax(x, 0), [1], [2])", "slice(argmin(x, 1), [0, 1], [2, 0])"])
def slice_of_position(op: Slice, b: Any) -> Value | None:
    """slice(argmax(x, axis)) -> argmax(slice(x), axis), and so for argmin   exact"""
    made = _sliced_off(op, Argmax, Argmin)
    return None if made is None else _reduced(b, op, made, [made.axis])


def _reduced(b: Any, op: Slice, made: Any, axes: Sequence[int]) -> Value:
    """What `made`, whose result has not the axes, makes of a slice of its operand."""
    bounds = iter(_bounds(op))
    inside = [WHOLE if axis in axes else next(bounds) for axis in range(made.x.type.rank)]
    return again(b, made, [_sliced(b, made.x, inside)], op.result.type)


@rule(Slice, examples=[
    "slice(sort(x, 1), [1, 0], [0, 0])", "slice(argsort(x, 0), [0, 1], [0, 0])",
    "slice(cummax(x, 1), [0, 0], [1, 0])", "slice(cummin(x, 0), [0, 1], [0, 3], [1, 2])",
    "slice(sort(x, 0), [1, 1], [0, 0])", "not slice(sort(x, 0), [1], [0])",
    "not slice(first(sort_by(x, y, axis=0)), [0, 1], [0, 0])",
])  # fmt: skip
def slice_of_order(op: Slice, b: Any) -> Value | None:
    """slice(sort(x, axis)) -> sort(slice(x), axis), where the whole axis stays, and so for argsort, cummax and
    cummin   exact
    """
    made = _sliced_off(op, Sort, Argsort, Cummax, Cummin)
    return None if made is None or len(made.operands) != 1 else _within_rows(b, op, made, [made.axis])


@rule(Slice, examples=[
    "slice(softmax(x, [1]), [1, 0], [2, 0])", "slice(log_softmax(x, [0]), [0, 1], [0, 0])",
    "slice(cumsum(x, 0), [0, 1], [-1, 2])", "slice(cumprod(x, 1), [1, 0], [0, 0])",
    "slice(softmax(x, [0, 2]), [0, 1, 1], [0, 2, 0])",
])  # fmt: skip
def slice_of_rows(op: Slice, b: Any) -> Value | None:
    """slice(softmax(x, axes)) -> softmax(slice(x), axes), where these axes stay whole, and so for log_softmax,
    cumsum and cumprod   accurate: the same sums, in no promised order
    """
    made = _sliced_off(op, Softmax, LogSoftmax, Cumsum, Cumprod)
    if made is None:
        return None
    return _within_rows(b, op, made, made.axes if isinstance(made, (Softmax, LogSoftmax)) else [made.axis])


def _within_rows(b: Any, op: Slice, made: Any, axes: Sequence[int]) -> Value | None:
    """The op of a slice; something else than whole axes is left for a slice behind it."""
    bounds = _bounds(op)
    inside = [WHOLE if axis in axes else one for axis, one in enumerate(bounds)]
    if all(one == WHOLE for one in inside):
        return None
    x = _sliced(b, made.x, inside)
    rest = [one if axis in axes else WHOLE for axis, one in enumerate(bounds)]
    rows = again(b, made, [x], x.type.with_element(made.result.type.element))  # type: ignore[attr-defined]
    return rows if all(one == WHOLE for one in rest) else _sliced(b, rows, rest)


@rule(Slice, examples=[
    "slice(dot(x, y), [1, 0], [0, 2])", "slice(dot(x, y), [0, 1], [2, 0], [1, 2])",
    "slice(dot(x, sum(y, [0])), [1], [0])", "slice(dot(sum(x, [0]), y), [1], [3])",
    "slice(dot(x, y), [1, 0], [0, 0])", "slice(dot(x, y), [0, 0], [0, 1])",
])  # fmt: skip
def slice_of_dot(op: Slice, b: Any) -> Value | None:
    """slice(dot(x, y), [rows, columns]) -> dot(slice(x, [rows]), slice(y, [columns]))   accurate: the same
    products, in no promised order
    """
    made = _sliced_off(op, Dot)
    if made is None:
        return None
    bounds, x, y = _bounds(op), made.lhs, made.rhs
    if x.type.rank == 2 and bounds[0] != WHOLE:
        x = _sliced(b, x, [bounds[0], WHOLE])
    if y.type.rank == 2 and bounds[-1] != WHOLE:
        y = _sliced(b, y, [WHOLE, bounds[-1]])
    return again(b, made, [x, y], op.result.type)


@rule(Slice, examples=[
    "slice(take(x, cast(y, i64), 0, 'clamp'), [1], [0])",
    "slice(take(x, sum(cast(y, i64), [0]), 1, 'drop'), [0, 1], [1, 3])",
    "slice(take(x, sum(cast(y, i64), [0]), 1, 'drop'), [1, 0], [2, 0])",
    "slice(take(x, sum(cast(y, i64), [0]), 1, 'drop'), [0, 0], [0, 2])",
    "not slice(take(x, cast(y, i64), 0), [0], [1])",
])  # fmt: skip
def slice_of_take(op: Slice, b: Any) -> Value | None:
    """slice(take(x, index, axis)) -> take(x, slice(index), axis), where no index is an error   exact"""
    made = _sliced_off(op, Take)
    if made is None or made.mode == "error":
        return None
    bounds, rank = _bounds(op), made.index.type.rank
    inside = bounds[made.axis : made.axis + rank]
    outside = [*bounds[: made.axis], WHOLE, *bounds[made.axis + rank :]]
    x = made.x if all(one == WHOLE for one in outside) else _sliced(b, made.x, outside)
    index = made.index if all(one == WHOLE for one in inside) else _sliced(b, made.index, inside)
    return again(b, made, [x, index], op.result.type)


# --- slices of what is moved or made ---------------------------------------------------------------------------------


@rule(Slice, examples=[
    "slice(broadcast(x, [1], [2, 3]), [0, 1], [1, 0])",
    "slice(broadcast(x, [0, 2], [2, 4, 3]), [1, 1, 1], [2, 0, 3])",
    "slice(broadcast(sum(x, [0], True), [0, 1], [4, 3]), [1, 1], [2, 0])",
    "slice(broadcast(x, [1], [2, 3]), [1, 0], [2, 0])", "not slice(broadcast(opened(x), [0], [3]), [0], [2])",
    "not slice(broadcast(x, [1], [dim(y, 0), 3]), [0, 0], [1, 0])",
    "not slice(broadcast(x, [0], [3, dim(y, 0)]), [1, 0], [2, 0])",
])  # fmt: skip
def slice_of_broadcast(op: Slice, b: Any) -> Value | None:
    """slice(broadcast(x)) -> broadcast(slice(x))   exact"""
    made = _sliced_off(op, Broadcast)
    new = [axis for axis in range(op.x.type.rank) if made is None or axis not in made.along]
    if made is None or is_open(op.result.type) or not _cannot_fail(op, new):
        return None
    stretched = made.stretched()
    shapes = made.x.type.shape, made.result_type.shape
    if any(shapes[0][axis] != shapes[1][to] for axis, to in enumerate(made.along) if axis not in stretched):
        return None  # run time compares the two
    bounds = [WHOLE if axis in stretched else _bounds(op)[to] for axis, to in enumerate(made.along)]
    x = made.x if all(one == WHOLE for one in bounds) else _sliced(b, made.x, bounds)
    return b.create(Broadcast, x, [], along=list(made.along), result_types=[op.result.type])


@rule(Slice, examples=[
    "slice(full(1, [4, 2]), [1, 0], [3, 0])", "slice(full_like(x, 2), [0], [2])",
    "not slice(full_like(opened(x), 2), [0], [2])", "not slice(full_like(opened(x), 2), [1], [0])",
    "not slice(x, [0], [2])", "not slice(full_like(opened(x), 2), [0], [0])",
])  # fmt: skip
def slice_of_number(op: Slice, b: Any) -> Value | None:
    """slice(full(c)) -> full(c)   exact"""
    number = number_of(op.x)
    if number is None or is_open(op.result.type) or not _cannot_fail(op):
        return None
    value = number_attribute(number, op.result.type.element)
    return b.create(Full, [], value=value, result_types=[op.result.type])


@rule(Slice, examples=[
    "slice(iota([4, 3], 0), [0, 1], [2, 0])", "slice(iota([4, 3], 1), [1, 0], [3, 2], [2, 1])",
    "not slice(iota([4, 3], 0), [1, 0], [3, 0])", "not slice(iota([4, 3], 0), [0, 0], [3, 0], [2, 1])",
    "not slice(iota([dim(x, 0)], 0), [0], [2])", "not slice(iota([dim(x, 0), 3], 0), [0, 1], [0, 2])",
    "not slice(exp(x), [0], [2])",
])  # fmt: skip
def slice_of_iota(op: Slice, b: Any) -> Value | None:
    """slice(iota(axis)) -> iota(axis), if the slice begins at 0 and has step 1 on the axis   exact"""
    made = op.x.op
    if not isinstance(made, Iota) or is_open(op.result.type) or not _cannot_fail(op):
        return None
    if (op.starts[made.axis], op.strides[made.axis]) != (0, 1):
        return None
    return b.create(Iota, [], axis=made.axis, result_types=[op.result.type])


@rule(Slice, examples=[
    "slice(reverse(x, [0]), [1], [3])", "slice(reverse(x, [1]), [1, 0], [0, -1])",
    "slice(reverse(x, [0]), [0], [-1])", "slice(reverse(opened(x), [0]), [1], [-1])",
    "slice(reverse(x, [0]), [0], [1])", "slice(reverse(x, [0]), [1], [0])",
    "not slice(reverse(x, [0]), [0], [3], [2])", "not slice(reverse(opened(x), [0]), [0], [2])",
])  # fmt: skip
def slice_of_reverse(op: Slice, b: Any) -> Value | None:
    """slice(reverse(x, axes)) -> reverse(slice(x), axes)   exact"""
    made = _sliced_off(op, Reverse)
    if made is None:
        return None
    bounds = _bounds(op)
    for axis in made.axes:
        (start, limit, stride), size = bounds[axis], made.x.type.shape[axis]
        if stride != 1 or limit > 0 and not isinstance(size, int):
            return None
        end = size - limit if limit > 0 else -limit
        bounds[axis] = (end, -start, 1)
    return again(b, made, [_sliced(b, made.x, bounds)], op.result.type)


@rule(Slice, examples=[
    "slice(concat([x, y], 0), [0], [2])", "slice(concat([x, y], 0), [4], [0])",
    "slice(concat([x, y, x], 0), [1, 1], [4, 0])", "slice(concat([x, y], 1), [0, 2], [0, 5])",
    "slice(concat([x, y], 0), [0, 1], [0, 0])", "slice(concat([x, y], 1), [0, 0], [1, 0])",
    "slice(concat([x, y], 0), [1], [-2])", "slice(concat([x, y], 0), [0], [1])",
    "slice(concat([x, y], 0), [2], [-1])", "not slice(concat([x, y], 0), [0], [5], [2])",
    "not slice(concat([opened(x), y], 0), [0], [2])",
    "not slice(concat([opened(x), opened(y)], 0), [0, 1], [0, 0])", "not slice(concat([x, y], 0), [2], [2])",
])  # fmt: skip
def slice_of_concat(op: Slice, b: Any) -> Value | None:
    """slice(concat(x, y, ..)) -> concat of the parts of x, y, .. that lie in it   exact"""
    made = _sliced_off(op, Concat)
    if made is None:
        return None
    bounds = _bounds(op)
    parts = _parts(bounds[made.axis], [value.type.shape[made.axis] for value in made.inputs])
    if parts is None or not _are_as_long(made):
        return None
    kept = [(value, one) for value, one in zip(made.inputs, parts) if one is not None]
    values = [_sliced(b, value, [*bounds[: made.axis], one, *bounds[made.axis + 1 :]]) for value, one in kept]
    if not values:
        return None
    return values[0] if len(values) == 1 else again(b, made, values, op.result.type)


def _are_as_long(concat: Any) -> bool:
    """Types tell that all operands have one size along the other axes."""
    others = [[dim for axis, dim in enumerate(value.type.shape) if axis != concat.axis] for value in concat.inputs]
    return len(others) == 1 or DYNAMIC not in others[0] and all(one == others[0] for one in others)


def _parts(bounds: Bounds, sizes: Sequence[Any]) -> list[Bounds | None] | None:
    """What of each operand lies within the bounds of their concatenation; None if that is not known."""
    if bounds == WHOLE:
        return [WHOLE] * len(sizes)
    (start, limit, stride), total = bounds, 0
    if stride != 1 or not all(isinstance(size, int) for size in sizes):
        return None
    limit = limit if limit > 0 else sum(sizes) + limit
    found: list[Bounds | None] = []
    for size in sizes:
        first, last = max(start - total, 0), min(limit - total, size)
        found.append(None if first >= last else (first, last, 1))
        total += size
    return found


@rule(Slice, examples=[
    "slice(pad(x, [1], [2]), [1], [3])", "slice(pad(x, [2], [1]), [0], [2])",
    "slice(pad(x, [1, 0], [0, 2]), [1, 0], [0, 2])", "slice(pad(x, [2], [2]), [5], [7])",
    "slice(pad(x, [2], [2]), [2], [-2])", "slice(pad(x, [1], [2]), [1], [3], [2])",
    "not slice(pad(x, [1], [1], [1]), [1], [3])", "not slice(pad(x, [1], [1]), [0], [2])",
    "not slice(pad(x, [1], [1]), [0], [0])", "slice(pad(x, [2], [3]), [5], [-1])",
    "slice(pad(x, [2], [1]), [0], [1])",
])  # fmt: skip
def slice_of_pad(op: Slice, b: Any) -> Value | None:
    """slice(pad(x)) -> slice(x), where no padding is in it, and full(c), where x is not   exact"""
    made = op.x.op
    if not isinstance(made, Pad) or not made.result_type.is_static or any(stride != 1 for stride in made.strides):
        return None
    lows, sizes = made.starts, made.x.type.shape
    ends = zip(op.limits, made.result_type.shape)
    limits = [limit if limit > 0 else size + limit for limit, size in ends]
    inside = [(start - low, limit - low) for start, limit, low in zip(op.starts, limits, lows)]
    if any(last <= 0 or first >= size for (first, last), size in zip(inside, sizes)):
        return b.create(Full, [], value=made.properties["value"], result_types=[op.result.type])
    if all(0 <= first < last <= size for (first, last), size in zip(inside, sizes)):
        return _sliced(b, made.x, [(first, last, stride) for (first, last), stride in zip(inside, op.strides)])
    return None


@rule(Slice, examples=[
    "slice(reshape(x, [3, 1]), [1, 0], [0, 0])", "slice(reshape(x, [2, 1, 3]), [0, 0, 1], [1, 1, 0])",
    "slice(reshape(x, [1, 3]), [0, 1], [1, 3])", "not slice(reshape(x, [1, 3]), [1, 0], [0, 2])",
    "not slice(reshape(x, [3, 2]), [0, 1], [0, 0])", "not slice(reshape(x, [dim(x, 0), 1]), [0, 0], [0, 1])",
    "not slice(reshape(x, [1, 3]), [0, 0], [-1, 2])",
])  # fmt: skip
def slice_of_new_axes(op: Slice, b: Any) -> Value | None:
    """slice(reshape(x)) -> reshape(slice(x)), if the reshape only adds and drops axes of size 1   exact"""
    made = _sliced_off(op, Reshape)
    if made is None or is_open(op.result.type):
        return None
    long, kept = ([axis for axis, dim in enumerate(type.shape) if dim != 1] for type in (made.x.type, made.result_type))
    if [made.x.type.shape[axis] for axis in long] != [made.result_type.shape[axis] for axis in kept]:
        return None
    bounds = [WHOLE] * made.x.type.rank
    for axis, to in zip(long, kept):
        bounds[axis] = _bounds(op)[to]
    if any(op.starts[axis] != 0 or op.limits[axis] not in (0, 1) for axis in range(op.x.type.rank) if axis not in kept):
        return None  # nothing is left of an axis of size 1
    return b.create(Reshape, _sliced(b, made.x, bounds), [], result_types=[op.result.type])


# --- slices at places that run time knows ----------------------------------------------------------------------------


@rule(DynamicSlice, examples=[
    "dynamic_slice(exp(x), [1], [2])", "dynamic_slice(x + y, [0, sum(cast(y, i64), [0, 1])], [2, 2], 'clamp')",
    "dynamic_slice(abs(x), [1, 1], [1, 2])", "not dynamic_slice(tril(x), [1, 0], [1, 2])",
    "not concat([exp(x), dynamic_slice(exp(x), [1], [2])], 0)",
])  # fmt: skip
def moving_slice_of_elementwise(op: DynamicSlice, b: Any) -> Value | None:
    """dynamic_slice(f(x, ..), starts) -> f(dynamic_slice(x, starts), ..)   exact"""
    made = op.x.op
    if not is_each_element(made) or not needed_once(op.x):
        return None
    rest = list(op.operands[1:])
    parts = [again(b, op, [value, *rest], op.result.type.with_element(value.type.element)) for value in made.operands]
    return again(b, made, parts, op.result.type)


@rule(Take, examples=[
    "take(exp(x), sum(cast(y, i64), [0, 1]), 0, 'clamp')", "take(abs(x), 1, 0)", "take(x * y, 0, 1)",
    "not take(exp(x), 1, 0, 'drop')", "not take(exp(x), cast(y, i64), 0, 'clamp')", "not take(tril(x), 1, 0)",
    "not exp(x) + take(exp(x), 1, 0)",
])  # fmt: skip
def take_of_elementwise(op: Take, b: Any) -> Value | None:
    """take(f(x, ..), index, axis) -> f(take(x, index, axis), ..), if that is less and drops nothing   exact"""
    made = op.x.op
    if not is_each_element(made) or not needed_once(op.x) or op.mode == "drop" or not _is_less(op.result.type, op.x.type):
        return None
    parts = [again(b, op, [x, op.index], op.result.type.with_element(x.type.element)) for x in made.operands]
    return again(b, made, parts, op.result.type)


def _is_less(type: TensorType, other: TensorType) -> bool:
    """A tensor of this type has fewer elements than one of the other, as far as sizes are known."""
    return type.is_static and other.is_static and type.count < other.count or type.rank < other.rank


# --- slices put together ---------------------------------------------------------------------------------------------


@rule(Concat, examples=[
    "concat([slice(x, [0], [1]), slice(x, [1], [0])], 0)", "concat([slice(x, [0], [1]), slice(x, [1], [2]), y], 0)",
    "concat([y, slice(x, [0, 0], [0, 1]), slice(x, [0, 1], [0, 2])], 1)",
    "not concat([slice(x, [0], [1]), slice(y, [1], [2])], 0)",
    "not concat([slice(x, [0], [1]), slice(x, [2], [3])], 0)",
    "not concat([slice(x, [0], [2]), slice(x, [1], [3])], 0)",
    "not concat([slice(opened(x), [0], [1]), slice(opened(x), [1], [0])], 0)",
    "not concat([slice(x, [0], [2], [2]), slice(x, [2], [3])], 0)",
    "not concat([slice(x, [0, 0], [1, 2]), slice(x, [1, 1], [2, 3])], 0)",
    "not concat([slice(x, [0], [0]), slice(x, [0], [0])], 0)",
    "not concat([slice(x, [0], [0]), slice(x, [0], [0]), x], 0)",
])  # fmt: skip
def concat_of_neighbours(op: Concat, b: Any) -> Value | None:
    """concat(x[i:j], x[j:k], ..) -> concat(x[i:k], ..)   exact"""
    for place, (left, right) in enumerate(zip(op.inputs, op.inputs[1:])):
        first, second = left.op, right.op
        if isinstance(first, Slice) and isinstance(second, Slice) and first.x is second.x:
            bounds = _bounds(first)
            (start, middle, stride), (again_at, end, stride2) = bounds[op.axis], _bounds(second)[op.axis]
            bounds[op.axis] = _bounds(second)[op.axis]
            in_order = start <= middle and (end > 0 or isinstance(first.x.type.shape[op.axis], int))
            if bounds == _bounds(second) and stride == stride2 == 1 and 0 < middle == again_at and in_order:
                bounds[op.axis] = (start, end, 1)
                joined = _sliced(b, first.x, bounds)
                values = [*op.inputs[:place], joined, *op.inputs[place + 2 :]]
                if len(values) > 1:
                    return again(b, op, values, op.result.type)
                return joined if joined.type is op.result.type else None
    return None


RULES: tuple[Rule, ...] = (
    slice_of_slice, slice_of_elementwise, slice_of_transpose, slice_of_reduction, slice_of_sum, slice_of_position,
    slice_of_order, slice_of_rows, slice_of_dot, slice_of_take, slice_of_broadcast, slice_of_number, slice_of_iota,
    slice_of_reverse, slice_of_concat, slice_of_pad, slice_of_new_axes, moving_slice_of_elementwise, take_of_elementwise,
    concat_of_neighbours,
)  # fmt: skip
