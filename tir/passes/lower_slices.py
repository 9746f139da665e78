"""Slices of tensors, taken out and put in: part of `lower-structured`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tir.dialects import tensor
from tir.dialects.scalar import ScalarBuilder
from tir.dialects.tir.arrange import Concat
from tir.dialects.tir.moving import DynamicSlice, UpdateSlice
from tir.dialects.tir.places import place_of, saturated
from tir.dialects.tir.shape import Pad, Slice, slice_sizes
from tir.ir.affine import affine
from tir.ir.builder import Builder
from tir.ir.ir import Op, Value
from tir.ir.types import TensorType
from tir.ir.views import split_mixed
from tir.passes.function_lowering import FunctionLowering
from tir.passes.sizes import Size
from tir.passes.structured import filled, lowered_tensor_type

__all__ = ["SLICES", "put_in", "taken_out"]


def slice_(f: FunctionLowering, b: Builder, op: Slice) -> Value:
    """A `tensor.extract_slice`."""
    shape = slice_sizes(op, f.sizes.shape(op.x))
    f.sizes.set_shape(op.results[0], shape)
    return taken_out(f, b, f.of(op.x), op.starts, shape, lowered_tensor_type(op.result_type), op.strides)


def pad(f: FunctionLowering, b: Builder, op: Pad) -> Value:
    """A filled tensor into which x is inserted."""
    shape, x = f.declared_shape(b, op), f.sizes.shape(op.x)
    f.sizes.set_shape(op.results[0], shape)
    type = lowered_tensor_type(op.result_type)
    room = filled(b, op.value, op.result_type.element, type, f.dynamic_sizes(b, type, shape))
    return put_in(f, b, f.of(op.x), room, op.starts, x, op.strides)


def concat(f: FunctionLowering, b: Builder, op: Concat) -> Value:
    """The operands inserted into a new tensor one behind the other."""
    shape, type = f.result_shape(b, op), lowered_tensor_type(op.result_type)
    f.sizes.set_shape(op.results[0], shape)
    made: Value = b.create(tensor.Empty, f.dynamic_sizes(b, type, shape), result_types=[type])
    start = affine(0)
    for value in op.inputs:
        sizes = f.sizes.shape(value)
        offsets = [f.mixed(b, start if axis == op.axis else affine(0)) for axis in range(len(shape))]
        made = put_in(f, b, f.of(value), made, offsets, sizes)
        start = start + sizes[op.axis]
    return made


def dynamic_slice(f: FunctionLowering, b: Builder, op: DynamicSlice) -> Value:
    """A `tensor.extract_slice` from starts that are moved to where it fits."""
    shape = f.declared_shape(b, op)
    f.sizes.set_shape(op.results[0], shape)
    return taken_out(f, b, f.of(op.x), _starts(f, b, op, shape), shape, lowered_tensor_type(op.result_type))


def update_slice(f: FunctionLowering, b: Builder, op: UpdateSlice) -> Value:
    """A `tensor.insert_slice` at starts that are moved to where it fits."""
    shape = f.sizes.shape(op.u)
    f.sizes.set_shape(op.results[0], f.sizes.shape(op.x))
    return put_in(f, b, f.of(op.u), f.of(op.x), _starts(f, b, op, shape), shape)


def taken_out(
    f: FunctionLowering, b: Builder, x: Value, offsets: Sequence[Value | int], sizes: Sequence[Size], type: TensorType,
    strides: Sequence[int] | None = None,
) -> Value:  # fmt: skip
    """The slice of x of these sizes as a tensor of the type, which may lack axes of size 1 in front."""
    if 0 in type.shape:  # upstream refuses a slice at the end of an axis, though nothing is in it
        return b.create(tensor.Empty, f.dynamic_sizes(b, type, sizes[len(sizes) - type.rank :]), result_types=[type])
    return _slice(f, b, tensor.ExtractSlice, [x], type, type, offsets, sizes, strides)


def put_in(
    f: FunctionLowering, b: Builder, part: Value, into: Value, offsets: Sequence[Value | int], sizes: Sequence[Size],
    strides: Sequence[int] | None = None,
) -> Value:  # fmt: skip
    """`into` with `part` in the place of its slice of these sizes; `part` may lack axes of size 1 in front."""
    type, made = (lowered_tensor_type(value.type) for value in (part, into))  # type: ignore[arg-type]
    if 0 in type.shape:
        return into
    return _slice(f, b, tensor.InsertSlice, [part, into], made, type, offsets, sizes, strides)


def _slice(
    f: FunctionLowering, b: Builder, cls: type[Op], operands: Sequence[Value], made: TensorType, part: TensorType,
    offsets: Sequence[Value | int], sizes: Sequence[Size], strides: Sequence[int] | None,
) -> Value:  # fmt: skip
    dims = [*[1] * (len(sizes) - part.rank), *part.shape]
    static_offsets, dynamic_offsets = split_mixed(offsets)
    static, dynamic = split_mixed(
        dim if isinstance(dim, int) else f.sizes.emit(b, size) for dim, size in zip(dims, sizes)
    )
    return b.create(
        cls, *operands, dynamic_offsets, dynamic, [], result_types=[made],
        static_offsets=static_offsets, static_sizes=static, static_strides=strides or [1] * len(sizes),
    )  # fmt: skip


def _starts(
    f: FunctionLowering, b: Builder, op: DynamicSlice | UpdateSlice, sizes: Sequence[Size]
) -> list[Value | int]:
    """Where the slice of x of these sizes begins."""
    return [_start(f, b, op, axis, size) for axis, size in enumerate(sizes)]


def _start(f: FunctionLowering, b: Builder, op: DynamicSlice | UpdateSlice, axis: int, size: Size) -> Value | int:
    """Where the slice begins along an axis: at the start that is given, or nearest to it."""
    room, s = f.sizes.shape(op.x)[axis] - size, ScalarBuilder(b)
    start, last = f.number(b, op.starts[axis]), f.sizes.emit(b, room)
    place = place_of(s, start, last).value
    wide = saturated(s, start)
    for rule in op.start_rules(axis, f.sizes.of_index(wide.value), f.sizes.shape(op.x)[axis], size):
        f.sizes.require_rule(b, rule, f.name(op))
    return 0 if room == affine(0) else place


#: How the ops are lowered.
SLICES: list[tuple[type[Op], Callable[[FunctionLowering, Builder, Any], Value]]] = [
    (Slice, slice_),
    (Pad, pad),
    (Concat, concat),
    (DynamicSlice, dynamic_slice),
    (UpdateSlice, update_slice),
]
