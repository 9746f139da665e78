"""Ops that move elements and compute none: broadcast, transpose, reshape, slice, pad; and sizes: `dim`, `to_index`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tir.dialects.tir.base import Shaped, Sized, Structure, Structured, TensorOp, check_axes, fail, merge_dims
from tir.dialects.tir.batch import batch_size, behind, in_front
from tir.dialects.tir.create import Constant, Full
from tir.dialects.tir.elements import ELEMENT_TENSOR, INTEGERS, highest, is_number_of
from tir.ir.affine import AffineConstant, AffineDim, AffineExpr, AffineMap, affine
from tir.ir.attributes import DenseAttr
from tir.ir.define import attribute, operand, result
from tir.ir.execution import ExecutionError
from tir.ir.ir import Op, Value
from tir.ir.kinds import I64_ARRAY, I64_ATTR, INDEX_KIND, NUMBER_ATTR, tensor_of
from tir.ir.size_rules import SizeRule
from tir.ir.types import DYNAMIC, I64, INDEX, Dim, TensorType, Type, dim_text
from tir.lazy import np

__all__ = ["OPS", "count_stays", "element_count", "is_number", "number_of", "slice_dim", "slice_sizes"]


class DimOp(TensorOp):
    """The size of an axis of x, as an `index`: `tir.dim %x axis 0 : tensor<?x4xf32>`."""

    name = "tir.dim"
    x = operand(ELEMENT_TENSOR)
    axis = attribute(I64_ATTR)
    result = result(INDEX_KIND)
    format = "$x `axis` $axis attr-dict `:` type($x)"

    def of_batch(self, b: Any, operands: Sequence[Any], batched: Sequence[bool]) -> Sequence[Any] | None:
        return [b.tensor(b.dim(operands[0], self.axis + 1))]

    def infer(self) -> Sequence[Type]:
        check_axes(self, [self.axis], self.x.type.rank, "axis")
        return [INDEX]

    def may_fail(self) -> bool:
        return False

    def reference(self, x: Any) -> Any:
        return np.int64(np.shape(x)[self.axis])

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [None]


class ToIndex(TensorOp):
    """A whole number as an `index`, for the size of a tensor: `tir.to_index %n : tensor<i64>`, back by tir.cast.

    x: a tensor of rank 0. A size below 0 is an error at run time where it is used, a number of 2^63 or more here.
    """

    name = "tir.to_index"
    x = operand(tensor_of(INTEGERS, rank=0))
    result = result(INDEX_KIND)
    format = "$x attr-dict `:` type($x)"

    def infer(self) -> Sequence[Type]:
        return [INDEX]

    def reference(self, x: Any) -> Any:
        if x > highest(I64):
            raise ExecutionError(f"x must be below 2^63, got {x}")
        return np.asarray(x).astype(np.int64)[()]

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [None]


class Broadcast(Sized, Structured):
    """x repeated along new axes: axis i of x is axis `along[i]` of the result.

    A static size 1 of x becomes any size; all other sizes stay. `along` increases.
    Gradient: the sum over the repeated axes.
    """

    name = "tir.broadcast"
    x = operand(ELEMENT_TENSOR)
    sizes = operand(INDEX_KIND, variadic=True)
    along = attribute(I64_ARRAY)
    result = result(ELEMENT_TENSOR)
    format = "$x `along` $along (`sizes` `(` $sizes^ `)`)? attr-dict `:` type($x) `->` type($result)"

    def of_batch(self, b: Any, operands: Sequence[Any], batched: Sequence[bool]) -> Sequence[Any] | None:
        size = batch_size(b, operands, batched)
        return in_front(b, self, operands, size, along=[0, *behind(self.along)])

    def verify_shape(self) -> None:
        x, got = self.x.type, self.result_type
        check_axes(self, self.along, got.rank, "along")
        if len(self.along) != x.rank or x.element is not got.element:
            fail(self, f"along needs an axis of the result for each of x, got {list(self.along)} for {x} and {got}")
        for axis, (dim, to) in enumerate(zip(x.shape, self.along)):
            if dim != 1 and merge_dims(dim, got.shape[to]) is None:
                sizes = f"{dim_text(dim)} (x axis {axis}) and {dim_text(got.shape[to])} (result axis {to})"
                fail(self, f"sizes must agree or be 1 in x, got {sizes}")

    def stretched(self) -> list[int]:
        """The axes of x of size 1 that have another size in the result."""
        dims = enumerate(zip(self.x.type.shape, self.along))
        return [axis for axis, (dim, to) in dims if dim == 1 and self.result_type.shape[to] != 1]

    def size_rules(self, *shapes: Sequence[AffineExpr]) -> Sequence[SizeRule]:
        x, out = shapes
        return [
            SizeRule(x[axis], "eq", out[to], f"axis {axis} of x must have the size of axis {to} of the result")
            for axis, to in enumerate(self.along) if self.x.type.shape[axis] != 1
        ]  # fmt: skip

    def compute(self, shape: tuple[int, ...], x: Any) -> Any:
        x = np.asarray(x)
        spread = [1] * len(shape)
        for axis, to in enumerate(self.along):
            spread[to] = x.shape[axis]
        return np.broadcast_to(x.reshape(spread), shape)

    def structure(self) -> Structure:
        rank, stretched = self.result_type.rank, self.stretched()
        places = [AffineConstant(0) if i in stretched else AffineDim(to) for i, to in enumerate(self.along)]
        return Structure(("parallel",) * rank, (AffineMap(rank, 0, tuple(places)),), (AffineMap.identity(rank),))

    def element(self, s: Any, x: Any) -> Any:
        return x

    def grad(self, b: Any, g: Any, x: Any, *sizes: Any) -> list[Any]:
        stretched = self.stretched()
        kept = [to for axis, to in enumerate(self.along) if axis not in stretched]
        summed = b.sum(g, [axis for axis in range(self.result_type.rank) if axis not in kept])
        if stretched:
            summed = b.broadcast(summed, [i for i in range(len(self.along)) if i not in stretched], b.shape(x))
        return [summed, *[None] * len(sizes)]


class Transpose(Structured):
    """The axes of x in another order: axis i of the result is axis `permutation[i]` of x."""

    name = "tir.transpose"
    x = operand(ELEMENT_TENSOR)
    permutation = attribute(I64_ARRAY)
    result = result(ELEMENT_TENSOR)
    format = "$x `by` $permutation attr-dict `:` type($result)"

    def of_batch(self, b: Any, operands: Sequence[Any], batched: Sequence[bool]) -> Sequence[Any] | None:
        size = batch_size(b, operands, batched)
        return in_front(b, self, operands, size, permutation=[0, *behind(self.permutation)])

    def infer(self) -> Sequence[Type]:
        type = self.x.type
        if sorted(self.permutation) != list(range(type.rank)):
            fail(self, f"by must hold each of the {type.rank} axes of x once, got {list(self.permutation)}")
        return [type.with_shape(type.shape[axis] for axis in self.permutation)]

    def may_fail(self) -> bool:
        return False

    def inverse(self) -> list[int]:
        """The permutation that undoes this one."""
        return [self.permutation.index(axis) for axis in range(len(self.permutation))]

    def reference(self, x: Any) -> Any:
        return np.transpose(x, self.permutation)

    def structure(self) -> Structure:
        rank = self.x.type.rank
        inputs = (AffineMap.of_dims(rank, self.inverse()),)
        return Structure(("parallel",) * rank, inputs, (AffineMap.identity(rank),))

    def element(self, s: Any, x: Any) -> Any:
        return x

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [b.transpose(g, self.inverse())]


class Reshape(Sized):
    """The elements of x, in row-major order, in another shape with as many elements."""

    batch_axes = ()

    name = "tir.reshape"
    x = operand(ELEMENT_TENSOR)
    sizes = operand(INDEX_KIND, variadic=True)
    result = result(ELEMENT_TENSOR)
    format = "$x (`sizes` `(` $sizes^ `)`)? attr-dict `:` type($x) `->` type($result)"

    def verify_shape(self) -> None:
        x, got = self.x.type, self.result_type
        if x.element is not got.element:
            fail(self, f"the element type must stay, got {x} and {got}")
        before, after = element_count(x.shape), element_count(got.shape)
        if before is not None and after is not None and before != after:
            fail(self, f"the number of elements must stay, got {before} ({x}) and {after} ({got})")

    def compute(self, shape: tuple[int, ...], x: Any) -> Any:
        before, after = np.size(x), math.prod(shape)
        if before != after:
            raise ExecutionError(f"{count_stays()}, got {before} and {after}")
        return np.reshape(x, shape)

    def grad(self, b: Any, g: Any, x: Any, *sizes: Any) -> list[Any]:
        return [b.reshape(g, b.shape(x)), *[None] * len(sizes)]


def count_stays() -> str:
    """What is said at run time where it does not."""
    message = "the number of elements must stay"
    return message


def element_count(shape: Sequence[Dim]) -> AffineExpr | None:
    """The number of elements if it is a number or one named size times a number, else None."""
    known = math.prod(dim for dim in shape if isinstance(dim, int))
    rest = [dim for dim in shape if not isinstance(dim, int)]
    if known == 0 or not rest:
        return AffineConstant(known)
    (first, *others) = rest
    return first * known if isinstance(first, AffineExpr) and not others else None


def slice_dim(dim: Dim, start: int, limit: int, stride: int) -> Dim | None:
    """The size of `[start:limit:stride]` on an axis of this size; None if it reaches outside.

    A limit above 0 is a position; 0 is the end, -1 one before it, as Python counts. `?` and named sizes may turn out
    too small only at run time.
    """
    if limit <= 0 and isinstance(dim, AffineExpr):
        return (dim + (limit - start)).ceildiv(stride)
    if limit <= 0 and not isinstance(dim, int):
        return DYNAMIC
    stop: int = limit if limit > 0 else dim + limit  # type: ignore[operator, assignment]
    fits = start <= stop and (not isinstance(dim, int) or stop <= dim)
    return -(-(stop - start) // stride) if fits else None


def _slice_shape(op: Op, shape: Sequence[Dim], what: str) -> tuple[Dim, ...]:
    """The shape of the slice that the attributes starts, limits and strides say, of a tensor of this shape."""
    starts, limits, strides = op.starts, op.limits, op.strides  # type: ignore[attr-defined]
    if not len(starts) == len(limits) == len(strides) == len(shape):
        fail(op, f"from, to and step need a number for each of the {len(shape)} axes of {what}")
    dims = []
    for axis, (dim, start, limit, stride) in enumerate(zip(shape, starts, limits, strides)):
        found = slice_dim(dim, start, limit, stride) if start >= 0 and stride > 0 else None
        if found is None:
            fail(
                op, f"from {start} to {limit} step {stride} does not fit axis {axis} of {what}, of size {dim_text(dim)}"
            )
        dims.append(found)
    return tuple(dims)


def _slice_rules(op: Op, shape: Sequence[AffineExpr], what: str) -> list[SizeRule]:
    """The rules that the slice lies in a tensor of this shape."""
    found = []
    for axis, (size, start, limit) in enumerate(zip(shape, op.starts, op.limits)):  # type: ignore[attr-defined]
        message = f"axis {axis} of {what} must have at least the size that from {start} to {limit} needs"
        found.append(SizeRule(size, "ge", affine(limit if limit > 0 else start - limit), message))
    return found


def slice_sizes(op: Op, shape: Sequence[AffineExpr]) -> list[AffineExpr]:
    """The sizes of the slice of a tensor of this shape."""
    parts = zip(shape, op.starts, op.limits, op.strides)  # type: ignore[attr-defined]
    return [
        ((limit if limit > 0 else size + limit) - affine(start)).ceildiv(stride) for size, start, limit, stride in parts
    ]


def _slices(op: Op, shape: Sequence[int]) -> tuple[slice, ...]:
    """The slices of an array of this shape."""
    parts = zip(shape, op.starts, op.limits, op.strides)  # type: ignore[attr-defined]
    return tuple(slice(start, limit if limit > 0 else size + limit, stride) for size, start, limit, stride in parts)


class Slice(Structured):
    """x[starts:limits:strides] along each axis. Starts are at least 0, strides at least 1.

    A limit above 0 is a position; 0 is the end of the axis, -1 one before it: `tir.slice %x from [1] to [0] step [1]`
    drops the first element, whatever the size is.
    """

    batch_axes = ()
    batch_entries = {"starts": 0, "limits": 0, "strides": 1}

    name = "tir.slice"
    x = operand(ELEMENT_TENSOR)
    starts = attribute(I64_ARRAY)
    limits = attribute(I64_ARRAY)
    strides = attribute(I64_ARRAY)
    result = result(ELEMENT_TENSOR)
    format = "$x `from` $starts `to` $limits `step` $strides attr-dict `:` type($result)"

    def infer(self) -> Sequence[Type]:
        return [self.x.type.with_shape(_slice_shape(self, self.x.type.shape, "x"))]

    def size_rules(self, *shapes: Sequence[AffineExpr]) -> Sequence[SizeRule]:
        return _slice_rules(self, shapes[0], "x")

    def reference(self, x: Any) -> Any:
        return x[_slices(self, np.shape(x))]

    def structure(self) -> Structure:
        rank = self.x.type.rank
        places = [AffineDim(i) * stride + start for i, (start, stride) in enumerate(zip(self.starts, self.strides))]
        return Structure(("parallel",) * rank, (AffineMap(rank, 0, tuple(places)),), (AffineMap.identity(rank),))

    def element(self, s: Any, x: Any) -> Any:
        return x

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [b.place(g, self.starts, self.limits, self.strides, b.shape(x))]


class Pad(Sized):
    """A tensor full of `value` whose slice [starts:limits:strides] (as `tir.slice` counts) is x.

    `tir.pad %x with 0.0 : f32 from [1] to [-2] step [1] : tensor<4xf32> -> tensor<7xf32>` puts one element in front and
    two behind. Gradient: that slice.
    """

    batch_axes = ()
    batch_entries = {"starts": 0, "limits": 0, "strides": 1}

    name = "tir.pad"
    x = operand(ELEMENT_TENSOR)
    sizes = operand(INDEX_KIND, variadic=True)
    value = attribute(NUMBER_ATTR)
    starts = attribute(I64_ARRAY)
    limits = attribute(I64_ARRAY)
    strides = attribute(I64_ARRAY)
    result = result(ELEMENT_TENSOR)
    format = (
        "$x `with` $value `from` $starts `to` $limits `step` $strides (`sizes` `(` $sizes^ `)`)? attr-dict "
        "`:` type($x) `->` type($result)"
    )

    def verify_shape(self) -> None:
        x, got, attr = self.x.type, self.result_type, self.properties["value"]
        if not is_number_of(attr, x.element) or x.element is not got.element:
            fail(self, f"value, x and result must have one element type, got {attr}, {x} and {got}")
        room = TensorType(_slice_shape(self, got.shape, "the result"), x.element)
        if room.rank != x.rank or any(merge_dims(r, d) is None for r, d in zip(room.shape, x.shape)):
            fail(self, f"the slice of the result is {room}, and x is {x}")

    def size_rules(self, *shapes: Sequence[AffineExpr]) -> Sequence[SizeRule]:
        x, out = shapes
        same = [
            SizeRule(size, "eq", want, f"axis {axis} of x must have the size of its place in the result")
            for axis, (size, want) in enumerate(zip(x, slice_sizes(self, out)))
        ]
        return [*_slice_rules(self, out, "the result"), *same]

    def compute(self, shape: tuple[int, ...], x: Any) -> Any:
        found = np.full(shape, self.value, np.asarray(x).dtype)
        found[_slices(self, shape)] = x
        return found

    def grad(self, b: Any, g: Any, x: Any, *sizes: Any) -> list[Any]:
        return [b.slice(g, self.starts, self.limits, self.strides), *[None] * len(sizes)]


class Reverse(Shaped, Structured):
    """x with the order of the elements along `axes` turned round. Gradient: g, turned round."""

    batch_axes = ("axes",)

    name = "tir.reverse"
    x = operand(ELEMENT_TENSOR)
    axes = attribute(I64_ARRAY)
    result = result(ELEMENT_TENSOR)
    format = "$x `over` $axes attr-dict `:` type($result)"

    def check_operands(self) -> None:
        check_axes(self, self.axes, self.x.type.rank)

    def result_shape(self, x: Sequence[AffineExpr]) -> Sequence[AffineExpr]:
        return x

    def reference(self, x: Any) -> Any:
        return np.flip(x, tuple(self.axes))

    def inputs(self) -> list[Value]:
        return []

    def structure(self) -> Structure:
        rank = self.x.type.rank
        return Structure(("parallel",) * rank, (), (AffineMap.identity(rank),))

    def element(self, s: Any) -> Any:
        def place(axis: int) -> Any:
            here = s.index(axis)
            return s.sub(s.sub(s.size(self.x, axis), s.const(1, here)), here) if axis in self.axes else here

        return s.extract(self.x, [place(axis) for axis in range(self.x.type.rank)])

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [b.reverse(g, self.axes)]


# --- tensors that are one number everywhere ---------------------------------------------------------------------------


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


#: The ops of the family, in the order of the documentation.
OPS = (Broadcast, Transpose, Reshape, Slice, Pad, Reverse, DimOp, ToIndex)
