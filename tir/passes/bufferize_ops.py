"""What each tensor op but `linalg.generic` becomes on buffers: views share memory, the rest is copied or stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tir.dialects import arith, linalg, memref, tensor
from tir.ir.affine import AffineMap
from tir.ir.attributes import DenseAttr, FloatAttr, IntegerAttr
from tir.ir.builder import Builder
from tir.ir.define import create
from tir.ir.errors import PassError, TirError
from tir.ir.ir import Block, Op, Region, Value
from tir.ir.types import INDEX, FloatType, MemRefType, TensorType
from tir.ir.views import DYNAMIC_INDEX
from tir.passes.storage import Storage

__all__ = ["RULES", "Globals", "read_buffers"]

SPLAT_LOOP_ELEMENTS = 1024  # a splat of more elements is written by a loop and takes no room in the module


def constant(f: Any, op: arith.Constant) -> None:
    """A read-only global; a large splat is filled in."""
    value = op.value
    if not isinstance(op.result.type, TensorType):
        return
    if isinstance(value, DenseAttr) and value.is_splat and value.type.count > SPLAT_LOOP_ELEMENTS:
        storage = f.allocate(op.result.type, op.result)
        fill(f.b, storage.memref, number_of(f.b, value))
    else:
        type = MemRefType(value.type.shape, value.type.element)
        buffer = f.b.create(memref.GetGlobal, name=f.globals.name_of(value, type), result_types=[type])
        storage = Storage(buffer, "constant")
    f.bind(op.result, storage.memref, storage)


class Globals:
    """The constants of a module as `memref.global`s, each once."""

    def __init__(self, symbols: Any) -> None:
        self.symbols = symbols
        self.names: dict[Any, str] = {}

    def name_of(self, value: Any, type: MemRefType) -> str:
        """The symbol of the global with this value, made at its first use."""
        found = self.names.get(value)
        if found is None:
            base = "constant_" + "x".join([*map(str, type.shape), str(type.element)])
            made = create(
                memref.Global, sym_name=base, sym_visibility="private", type=type, initial_value=value, constant=True,
                result_types=[],
            )  # fmt: skip
            first = self.symbols.owner.body.first
            self.symbols.insert(made, before=first)
            found = self.names[value] = made.properties["sym_name"].value
        return found


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


def dim(f: Any, op: tensor.Dim) -> None:
    f.replace(op, f.b.create(memref.Dim, f.buffer(op.source), op.index))


def extract(f: Any, op: tensor.Extract) -> None:
    f.replace(op, f.b.create(memref.Load, f.buffer(op.tensor), op.indices))


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


def insert(f: Any, op: tensor.Insert) -> None:
    storage = writable_copy(f, op, op.dest)
    f.b.op(memref.Store, op.scalar, storage.memref, op.indices, result_types=[])
    f.bind(op.result, storage.memref, storage)


def writable_copy(f: Any, op: Op, value: Value) -> Storage:
    """Memory with the elements of `value` that may be written: its own if nobody reads it later, else a copy."""
    storage = f.storage.get(value)
    own = storage is not None and storage.kind == "temporary" and f.buffers[value] is storage.memref
    if own and not any(f.uses.is_used_after(v, op) for v in storage.values):
        return storage
    fresh = f.allocate(value.type, value)
    if not isinstance(value.op, tensor.Empty):
        f.b.op(memref.Copy, f.buffer(value), fresh.memref, result_types=[])
    return fresh


def view(f: Any, op: Op, source: Value, make: Callable[[Value], Value]) -> None:
    """The result is a view of the source's memory; of a copy, where the layout has no such view."""
    try:
        buffer = make(f.buffer(source))
        storage = f.storage[source]
    except TirError:
        storage = f.allocate(source.type, source)
        f.b.op(memref.Copy, f.buffer(source), storage.memref, result_types=[])
        buffer = make(storage.memref)
    f.bind(op.result, buffer, storage)


def extract_slice(f: Any, op: tensor.ExtractSlice) -> None:
    dropped = [axis for axis in range(len(op.static_sizes)) if axis not in op.kept_axes]
    view(f, op, op.source, lambda buffer: subview(f, op, buffer, dropped))


def subview(f: Any, op: Any, buffer: Value, dropped: Sequence[int]) -> Value:
    type = memref.Subview.result_type(
        buffer.type, op.static_offsets, op.static_sizes, op.static_strides, dropped  # type: ignore[arg-type]
    )
    return f.b.create(
        memref.Subview, buffer, op.offsets, op.sizes, op.strides, static_offsets=op.static_offsets,
        static_sizes=op.static_sizes, static_strides=op.static_strides, result_types=[type],
    )  # fmt: skip


def insert_slice(f: Any, op: tensor.InsertSlice) -> None:
    storage = writable_copy(f, op, op.dest)
    dropped = [axis for axis in range(len(op.static_sizes)) if axis not in op.kept_axes]
    f.b.op(memref.Copy, f.buffer(op.source), subview(f, op, storage.memref, dropped), result_types=[])
    f.bind(op.result, storage.memref, storage)


def concat(f: Any, op: tensor.Concat) -> None:
    """Each operand is copied to its part of new memory."""
    storage = f.allocate(op.result.type, op.result)
    start: Value | None = None
    for value in op.inputs:
        source = f.buffer(value)
        rank = source.type.rank
        size = f.dim(source, op.dim)
        sizes = [f.dim(source, axis) for axis in range(rank)]
        zero = f.b.create(arith.Constant, value=IntegerAttr(0, INDEX))
        start = zero if start is None else start
        offsets = [start if axis == op.dim else zero for axis in range(rank)]
        part = dynamic_subview(f, storage.memref, offsets, sizes)
        f.b.op(memref.Copy, source, part, result_types=[])
        start = f.b.create(arith.AddI, start, size)
    f.bind(op.result, storage.memref, storage)


def dynamic_subview(f: Any, buffer: Value, offsets: list[Value], sizes: list[Value]) -> Value:
    unknown = (DYNAMIC_INDEX,) * len(offsets)
    ones = (1,) * len(offsets)
    type = memref.Subview.result_type(buffer.type, unknown, unknown, ones)  # type: ignore[arg-type]
    return f.b.create(
        memref.Subview, buffer, offsets, sizes, [], static_offsets=unknown, static_sizes=unknown,
        static_strides=ones, result_types=[type],
    )  # fmt: skip


def collapse_shape(f: Any, op: tensor.CollapseShape) -> None:
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


def expand_shape(f: Any, op: tensor.ExpandShape) -> None:
    def make(buffer: Value) -> Value:
        shape = op.static_output_shape
        type = memref.ExpandShape.result_type(buffer.type, op.reassociation, shape)  # type: ignore[arg-type]
        return f.b.create(
            memref.ExpandShape, buffer, op.output_shape, reassociation=op.reassociation, static_output_shape=shape,
            result_types=[type],
        )  # fmt: skip

    view(f, op, op.src, make)


def cast(f: Any, op: tensor.Cast) -> None:
    def make(buffer: Value) -> Value:
        layout = buffer.type.layout  # type: ignore[attr-defined]
        type = MemRefType(op.dest.type.shape, op.dest.type.element, layout)
        return f.b.create(memref.Cast, buffer, result_types=[type])

    view(f, op, op.source, make)


def splat(f: Any, op: tensor.Splat) -> None:
    type = op.aggregate.type
    made = f.b.op(memref.Alloc, op.dynamicSizes, [], result_types=[MemRefType(type.shape, type.element)])
    storage = f.own(made)
    fill(f.b, storage.memref, op.input)
    f.bind(op.aggregate, storage.memref, storage)


def from_elements(f: Any, op: tensor.FromElements) -> None:
    storage = f.allocate(op.result.type, op.result)
    shape = op.result.type.static_shape
    for number, value in enumerate(op.elements):
        places = []
        for size in reversed(shape):
            places.append(f.b.create(arith.Constant, value=IntegerAttr(number % size, INDEX)))
            number //= size
        f.b.op(memref.Store, value, storage.memref, places[::-1], result_types=[])
    f.bind(op.result, storage.memref, storage)


def empty(f: Any, op: tensor.Empty) -> None:
    """Nothing: memory is made where the tensor is first written."""


RULES: dict[type[Op], Callable[[Any, Any], None]] = {
    arith.Constant: constant,
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
}
