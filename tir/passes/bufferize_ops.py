"""What each structured op becomes on buffers: views share memory, the rest is computed in place, or beside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tir.dialects import arith, linalg, memref, tensor
from tir.dialects.tir.markers import OptimizationBarrier
from tir.ir.affine import AffineMap
from tir.ir.attributes import DenseAttr, FloatAttr, IntegerAttr
from tir.ir.builder import Builder
from tir.ir.errors import PassError, TirError
from tir.ir.ir import Block, Op, Region, Value
from tir.ir.steps import Steps
from tir.ir.types import DYNAMIC, INDEX, FloatType, MemRefType, TensorType
from tir.ir.views import DYNAMIC_INDEX
from tir.passes.bufferize_blocks import Blocks, Place
from tir.passes.storage import Storage, memref_type

__all__ = ["RULES"]

SPLAT_LOOP_ELEMENTS = 1024  # a splat of more elements is written by a loop and takes no room in the module


def constant(f: Blocks, op: arith.Constant) -> None:
    """A read-only global; a large splat is filled in."""
    value = op.value
    if not isinstance(op.result.type, TensorType):
        return
    if isinstance(value, DenseAttr) and value.is_splat and value.type.count > SPLAT_LOOP_ELEMENTS:
        storage = f.allocate(op.result.type, op.result)
        fill(f.b, storage.memref, number_of(f.b, value))
    else:
        type = MemRefType(value.type.shape, value.type.element)
        buffer = f.b.create(memref.GetGlobal, name=f.globals.name_of(value, type, op.location), result_types=[type])
        storage = Storage(buffer, "constant")
    f.bind(op.result, storage.memref, storage)


def number_of(b: Builder, value: DenseAttr) -> Value:
    """The number of a splat as a scalar constant."""
    element = value.type.element
    number = FloatAttr(value.splat_value, element) if isinstance(element, FloatType) else IntegerAttr(
        int(value.splat_value), element
    )  # fmt: skip
    return b.create(arith.Constant, value=number)


def fill(b: Builder, buffer: Value, number: Value) -> None:
    """Writes the number to each element."""
    type = buffer.type
    assert isinstance(type, MemRefType)
    block = Block([type.element])
    inner = Builder(block, None, b.location)
    inner.op(linalg.Yield, [number], result_types=[])
    b.op(
        linalg.Generic, [], [buffer], result_types=[], regions=[Region([block])],
        indexing_maps=[AffineMap.identity(type.rank)], iterator_types=["parallel"] * type.rank,
    )  # fmt: skip


def dim(f: Blocks, op: tensor.Dim) -> None:
    f.replace(op.result, f.b.create(memref.Dim, f.buffer(op.source), op.index))


def extract(f: Blocks, op: tensor.Extract) -> None:
    f.replace(op.result, f.b.create(memref.Load, f.buffer(op.tensor), op.indices))


def read_buffers(body: Block, buffers: Mapping[Value, Value]) -> None:
    """Reads of tensors from outside, in a body of scalar ops, become reads of their buffers; PassError for other ops."""
    for op in [inner for outer in body for inner in outer.walk()]:
        b = Builder.before(op)
        if isinstance(op, tensor.Extract) and op.tensor in buffers:
            op.replace_with([b.create(memref.Load, buffers[op.tensor], op.indices)])
        elif isinstance(op, tensor.Dim) and op.source in buffers:
            op.replace_with([b.create(memref.Dim, buffers[op.source], op.index)])
        elif any(isinstance(v.type, TensorType) for v in (*op.operands, *op.results)):
            rule = "the body of linalg.generic may only read elements and sizes of tensors from outside"
            raise PassError(f"bufferize: {rule}, got {op.name}", op.location)


def generic(f: Blocks, op: linalg.Generic) -> None:
    """Each output is computed in the memory of its first value, where it is wanted, or in new memory."""
    taken: list[Storage] = []
    outputs = []
    for k, (init, result) in enumerate(zip(op.outputs, op.results)):
        place = output_place(f, op, k, taken)
        taken.append(place.storage)
        if place.buffer is not f.buffers.get(init) and op.output_arguments[k].is_used:
            f.copy(f.buffer(init), place.buffer)
        f.bind(result, place.buffer, place.storage)
        outputs.append(place.buffer)
    inputs = [f.buffer(v) if f.is_tensor(v) else v for v in op.inputs]
    read_buffers(op.body, {value: f.buffer(value) for value in op.captured if f.is_tensor(value)})
    f.rebuild(op, [*inputs, *outputs], [])


def output_place(f: Blocks, op: linalg.Generic, k: int, taken: Sequence[Storage]) -> Place:
    """Where output k is written to. taken: the memory of the outputs before it."""
    result, own = op.results[k], f.place_of(op.outputs[k])
    wanted = f.wanted.get(result)
    for place in (own, Place(wanted.memref, wanted) if wanted is not None else None):
        if place is not None and place.storage not in taken and may_compute(f, op, k, place):
            return place
    storage = f.allocate(result.type, op.outputs[k])
    return Place(storage.memref, storage)


def may_compute(f: Blocks, op: linalg.Generic, k: int, place: Place) -> bool:
    """Output k of `op` may be written to the place: what is read there is read where it is written, or not needed."""
    if any(f.storage.get(value) is place.storage for value in op.captured):
        return False  # the body may read any element of it, at any point
    map = op.output_maps[k]
    reads = [(v, m) for v, m in zip(op.inputs, op.input_maps) if f.storage.get(v) is place.storage]
    starts_from_copy = op.output_arguments[k].is_used and f.buffers.get(op.outputs[k]) is not place.buffer
    if reads and (starts_from_copy or not (op.is_all_parallel and map.is_projected_permutation())):
        return False
    if any(m is not map or f.buffers[v] is not place.buffer for v, m in reads):
        return False
    others = (v for i, v in enumerate(op.outputs) if i != k)
    return all(f.storage.get(v) is not place.storage for v in others) and f.may_write(op, op.results[k], place.storage)


def insert(f: Blocks, op: tensor.Insert) -> None:
    place = changed_place(f, op, op.dest)
    f.b.op(memref.Store, op.scalar, place.buffer, op.indices, result_types=[])
    f.bind(op.result, place.buffer, place.storage)


def changed_place(f: Blocks, op: Op, value: Value, reads: Sequence[Value] = ()) -> Place:
    """Memory with the elements of `value` that may be written: its own, or a copy where that is wanted, or a new one.

    reads: other tensors that the op takes.
    """
    own, wanted = f.place_of(value), f.wanted.get(op.result)
    if own is not None and f.may_write(op, op.result, own.storage):
        return own
    is_read = any(f.storage.get(v) is wanted for v in (value, *reads))
    if wanted is not None and not is_read and f.may_write(op, op.result, wanted):
        storage = wanted
    else:
        storage = f.allocate(value.type, value)
    if not f.is_unset(value):
        f.copy(f.buffer(value), storage.memref)
    return Place(storage.memref, storage)


def view(f: Blocks, op: Op, source: Value, make: Callable[[Value], Value]) -> None:
    """The result is a view of the source's memory; of a copy, where the layout has no such view."""
    try:
        buffer = make(f.buffer(source))
        storage = f.storage[source]
    except TirError:
        storage = f.allocate(source.type, source)
        f.copy(f.buffer(source), storage.memref)
        buffer = make(storage.memref)
    f.bind(op.result, buffer, storage)


def extract_slice(f: Blocks, op: tensor.ExtractSlice) -> None:
    dropped = [axis for axis in range(len(op.static_sizes)) if axis not in op.kept_axes]
    view(f, op, op.source, lambda buffer: subview(f, op, buffer, dropped))


def subview(f: Blocks, op: Any, buffer: Value, dropped: Sequence[int]) -> Value:
    type = memref.Subview.result_type(
        buffer.type, op.static_offsets, op.static_sizes, op.static_strides, dropped  # type: ignore[arg-type]
    )
    return f.b.create(
        memref.Subview, buffer, op.offsets, op.sizes, op.strides, static_offsets=op.static_offsets,
        static_sizes=op.static_sizes, static_strides=op.static_strides, result_types=[type],
    )  # fmt: skip


def insert_slice(f: Blocks, op: tensor.InsertSlice) -> None:
    source = f.buffer(op.source)
    place = changed_place(f, op, op.dest, [op.source])
    if f.storage[op.source] is place.storage:  # the two parts may overlap
        saved = f.allocate(op.source.type, op.source).memref
        f.copy(source, saved)
        source = saved
    dropped = [axis for axis in range(len(op.static_sizes)) if axis not in op.kept_axes]
    f.copy(source, subview(f, op, place.buffer, dropped))
    f.bind(op.result, place.buffer, place.storage)


def concat(f: Blocks, op: tensor.Concat) -> None:
    """Each operand is copied to its part of new memory."""
    type = memref_type(op.result.type)
    sizes_known_late = [concat_size(f, op, axis) for axis, dim in enumerate(type.shape) if dim is DYNAMIC]
    storage = f.allocate_of(type, sizes_known_late)
    start: Value | None = None
    for value in op.inputs:
        source = f.buffer(value)
        rank = op.result.type.rank
        size = f.dim(source, op.dim)
        sizes = [f.dim(source, axis) for axis in range(rank)]
        zero = f.b.create(arith.Constant, value=IntegerAttr(0, INDEX))
        start = zero if start is None else start
        offsets = [start if axis == op.dim else zero for axis in range(rank)]
        part = dynamic_subview(f, storage.memref, offsets, sizes)
        f.copy(source, part)
        start = f.b.create(arith.AddI, start, size)
    f.bind(op.result, storage.memref, storage)


def concat_size(f: Blocks, op: tensor.Concat, axis: int) -> Value:
    """The size of an axis of the result: the sum of those of the operands along the axis on which they are joined."""
    parts = op.inputs if axis == op.dim else op.inputs[:1]
    total, *rest = [f.dim(f.buffer(value), axis) for value in parts]
    for size in rest:
        total = f.b.create(arith.AddI, total, size)
    return total


def dynamic_subview(f: Blocks, buffer: Value, offsets: list[Value], sizes: list[Value]) -> Value:
    unknown = (DYNAMIC_INDEX,) * len(offsets)
    ones = (1,) * len(offsets)
    type = memref.Subview.result_type(buffer.type, unknown, unknown, ones)  # type: ignore[arg-type]
    return f.b.create(
        memref.Subview, buffer, offsets, sizes, [], static_offsets=unknown, static_sizes=unknown,
        static_strides=ones, result_types=[type],
    )  # fmt: skip


def collapse_shape(f: Blocks, op: tensor.CollapseShape) -> None:
    def make(buffer: Value) -> Value:
        _check_contiguous(buffer.type, op.reassociation)  # type: ignore[arg-type]
        type = memref.CollapseShape.result_type(buffer.type, op.reassociation)  # type: ignore[arg-type]
        return f.b.create(memref.CollapseShape, buffer, reassociation=op.reassociation, result_types=[type])

    view(f, op, op.src, make)


def _check_contiguous(type: MemRefType, groups: Sequence[Sequence[int]]) -> None:
    """TirError unless the axes of each group are known to lie behind each other in memory, so that a view can merge them."""
    if type.layout is None:
        return
    strides, _ = type.strides_and_offset()
    for outer, inner in (pair for group in groups for pair in zip(group, group[1:])):
        size, stride = type.shape[inner], strides[inner]
        if not (isinstance(size, int) and isinstance(stride, int) and strides[outer] == size * stride):
            raise TirError(f"axes {outer} and {inner} of {type} are apart in memory")


def expand_shape(f: Blocks, op: tensor.ExpandShape) -> None:
    def make(buffer: Value) -> Value:
        shape = op.static_output_shape
        type = memref.ExpandShape.result_type(buffer.type, op.reassociation, shape)  # type: ignore[arg-type]
        return f.b.create(
            memref.ExpandShape, buffer, op.output_shape, reassociation=op.reassociation, static_output_shape=shape,
            result_types=[type],
        )  # fmt: skip

    view(f, op, op.src, make)


def cast(f: Blocks, op: tensor.Cast) -> None:
    def make(buffer: Value) -> Value:
        layout = buffer.type.layout  # type: ignore[attr-defined]
        type = MemRefType(op.dest.type.shape, op.dest.type.element, layout)
        return f.b.create(memref.Cast, buffer, result_types=[type])

    view(f, op, op.source, make)


def optimization_barrier(f: Blocks, op: OptimizationBarrier) -> None:
    """The same memory: passes behind this one merge no loops."""
    view(f, op, op.x, lambda buffer: buffer)


def splat(f: Blocks, op: tensor.Splat) -> None:
    storage = f.allocate_of(memref_type(op.aggregate.type), op.dynamicSizes)
    fill(f.b, storage.memref, op.input)
    f.bind(op.aggregate, storage.memref, storage)


def from_elements(f: Blocks, op: tensor.FromElements) -> None:
    storage = f.allocate(op.result.type, op.result)
    shape = op.result.type.static_shape
    for number, value in enumerate(op.elements):
        places = []
        for size in reversed(shape):
            places.append(f.b.create(arith.Constant, value=IntegerAttr(number % size, INDEX)))
            number //= size
        f.b.op(memref.Store, value, storage.memref, places[::-1], result_types=[])
    f.bind(op.result, storage.memref, storage)


def empty(f: Blocks, op: tensor.Empty) -> None:
    """Nothing: memory is made where the tensor is first written."""


RULES: Mapping[type[Op], Callable[[Blocks, Any], Steps | None]] = {
    arith.Constant: constant,
    linalg.Generic: generic,
    tensor.Cast: cast,
    tensor.CollapseShape: collapse_shape,
    tensor.Concat: concat,
    tensor.Dim: dim,
    tensor.Empty: empty,
    tensor.ExpandShape: expand_shape,
    tensor.Extract: extract,
    tensor.ExtractSlice: extract_slice,
    tensor.FromElements: from_elements,
    tensor.Insert: insert,
    tensor.InsertSlice: insert_slice,
    tensor.Splat: splat,
    OptimizationBarrier: optimization_barrier,
}
