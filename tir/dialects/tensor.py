"""The tensor dialect: making, reading and reshaping immutable tensors.

Sizes that the types leave open are checked when a program runs; so are indices and slices. Elements of `tensor.empty`
are unspecified: here nan, or bytes of 0xA5.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from tir.ir.define import attribute, operand, region, result
from tir.ir.errors import TirError, counted
from tir.ir.execution import ExecutionError, Frame, Run, check_shape, numpy_dtype, uninitialized
from tir.ir.ir import Op, Value
from tir.ir.kinds import ANY_TENSOR, I64_ARRAY, I64_ARRAYS, I64_ATTR, INDEX_KIND
from tir.ir.last_uses import is_unshared
from tir.ir.nest import index_grid, run_vectorized, vectorizable
from tir.ir.registry import Dialect
from tir.ir.traits import PartOfParent, Pure, RecursiveEffects, ReturnLike
from tir.ir.types import INDEX, TensorType, Type
from tir.ir.views import (
    SliceLists,
    are_inside,
    checked_index,
    checked_slices,
    dims_of,
    dynamic_dims,
    fill_in,
    gather,
    group_sizes,
    kept_axes,
    known_size,
    mixed,
    runtime_shape,
    verify_groups,
    verify_mixed,
)
from tir.lazy import np

__all__ = [
    "Cast", "CollapseShape", "Concat", "DIALECT", "Dim", "Empty", "ExpandShape", "Extract", "ExtractSlice",
    "FromElements", "Generate", "Insert", "InsertSlice", "ParallelInsertSlice", "Splat", "Yield",
]  # fmt: skip


class Empty(Pure, Op):
    """`tensor.empty(%n) : tensor<?x4xf32>`: a tensor with unspecified elements."""

    name = "tensor.empty"
    dynamicSizes = operand(INDEX_KIND, variadic=True)
    result = result(ANY_TENSOR)
    format = "`(` $dynamicSizes `)` attr-dict `:` type($result)"

    def verify(self) -> None:
        _check_sizes(self.result.type, self.dynamicSizes)

    def reference(self, *sizes: Any) -> Any:
        return uninitialized(runtime_shape(self.result.type, sizes), self.result.type)


class Dim(Pure, Op):
    """`tensor.dim %t, %i : tensor<?xf32>`: the size of axis %i."""

    name = "tensor.dim"
    source = operand(ANY_TENSOR)
    index = operand(INDEX_KIND)
    result = result(INDEX_KIND)
    format = "attr-dict $source `,` $index `:` type($source)"

    def infer(self) -> Sequence[Type]:
        return [INDEX]

    def verify(self) -> None:
        if self.source.type.rank == 0:
            raise TirError("a tensor of rank 0 has no sizes")

    def may_fail(self) -> bool:
        """There may be no such axis."""
        return not are_inside([self.index], [self.source.type.rank])

    def reference(self, source: Any, index: Any) -> Any:
        return gather(np.array(source.shape, np.int64), [index])


# --- elements --------------------------------------------------------------------------------------------------------


class Extract(Pure, Op):
    """`tensor.extract %t[%i, %j] : tensor<?x4xf32>`: one element."""

    name = "tensor.extract"
    tensor = operand(ANY_TENSOR)
    indices = operand(INDEX_KIND, variadic=True)
    result = result()
    format = "$tensor `[` $indices `]` attr-dict `:` type($tensor)"

    def infer(self) -> Sequence[Type]:
        return [self.tensor.type.element]

    def verify(self) -> None:
        _check_indices(self.tensor.type, self.indices)

    def may_fail(self) -> bool:
        """An index may be out of bounds."""
        return not are_inside(self.indices, self.tensor.type.shape)

    def reference(self, tensor: Any, *indices: Any) -> Any:
        return gather(tensor, indices)


class Insert(Pure, Op):
    """`tensor.insert %x into %t[%i, %j] : tensor<?x4xf32>`: the tensor with one element replaced."""

    name = "tensor.insert"
    scalar = operand()
    dest = operand(ANY_TENSOR)
    indices = operand(INDEX_KIND, variadic=True)
    result = result(ANY_TENSOR)
    format = "$scalar `into` $dest `[` $indices `]` attr-dict `:` type($dest)"

    def infer(self) -> Sequence[Type]:
        return [self.dest.type]

    def verify(self) -> None:
        _check_element(self.dest.type, self.scalar)
        _check_indices(self.dest.type, self.indices)

    def may_fail(self) -> bool:
        """An index may be out of bounds."""
        return not are_inside(self.indices, self.dest.type.shape)

    def reference(self, scalar: Any, dest: Any, *indices: Any) -> Any:
        return self.changed([scalar, dest, *indices])

    def changed(self, arguments: list[Any]) -> Any:
        """The result, which is the array `dest` itself if only the list holds that."""
        array = arguments[1] if is_unshared(arguments, 1) else np.array(arguments[1])
        array[checked_index(arguments[2:], array.shape)] = arguments[0]
        return array


class FromElements(Pure, Op):
    """`tensor.from_elements %a, %b : tensor<2xf32>`: a tensor from all its elements, in row-major order."""

    name = "tensor.from_elements"
    elements = operand(variadic=True)
    result = result(ANY_TENSOR)
    format = "$elements attr-dict `:` type($result)"

    def verify(self) -> None:
        type = self.result.type
        if not type.is_static:
            raise TirError(f"the result must have a static shape, got {type}")
        if type.count != len(self.elements):
            raise TirError(f"{type} has {counted(type.count, 'element')}, got {len(self.elements)}")
        for element in self.elements:
            _check_element(type, element)

    def reference(self, *elements: Any) -> Any:
        return np.array(elements, numpy_dtype(self.result.type)).reshape(self.result.type.static_shape)


class Splat(Pure, Op):
    """`tensor.splat %x[%n] : tensor<?x4xf32>`: a tensor whose elements are all %x."""

    name = "tensor.splat"
    input = operand()
    dynamicSizes = operand(INDEX_KIND, variadic=True)
    aggregate = result(ANY_TENSOR)
    format = "$input (`[` $dynamicSizes^ `]`)? attr-dict `:` type($aggregate)"

    def verify(self) -> None:
        _check_element(self.aggregate.type, self.input)
        _check_sizes(self.aggregate.type, self.dynamicSizes)

    def reference(self, input: Any, *sizes: Any) -> Any:
        return np.full(runtime_shape(self.aggregate.type, sizes), input, numpy_dtype(self.aggregate.type))


class Yield(Op, ReturnLike):
    """`tensor.yield %x : f32`: an element of the `tensor.generate` around it."""

    name = "tensor.yield"
    parent_ops = ("tensor.generate", "tensor.pad")
    value = operand()
    format = "$value attr-dict `:` type($value)"


class Generate(Op, RecursiveEffects):
    """`tensor.generate %n { ^bb0(%i: index): .. tensor.yield %x : f32 } : tensor<?xf32>`: elements from indices."""

    name = "tensor.generate"
    dynamicExtents = operand(INDEX_KIND, variadic=True)
    result = result(ANY_TENSOR)
    body_region = region("tensor.yield")
    format = "$dynamicExtents $body_region attr-dict `:` type($result)"

    def verify(self) -> None:
        type = self.result.type
        _check_sizes(type, self.dynamicExtents)
        got = [argument.type for argument in self.body.arguments]
        if got != [INDEX] * type.rank:
            raise TirError(f"the body must take {counted(type.rank, 'index', 'indices')}, got ({', '.join(map(str, got))})")
        end = self.body.terminator
        if not isinstance(end, Yield):
            raise TirError(f"the body must end in tensor.yield, got {end.name}")
        _check_element(type, end.value)

    def may_fail(self) -> bool:
        """A size may be negative."""
        return not self.result.type.is_static

    def interpret(self, frame: Frame) -> Generator[Any, Any, tuple[Any, ...]]:
        shape = runtime_shape(self.result.type, [frame[v] for v in self.dynamicExtents])
        made = np.empty(shape, numpy_dtype(self.result.type))
        if vectorizable(self.body):
            made[...] = run_vectorized(self.body, index_grid(shape), frame)[0]
            return (made,)
        for point in np.ndindex(shape):
            (made[point],) = yield Run(self.body, [np.int64(i) for i in point])
        return (made,)


# --- slices ----------------------------------------------------------------------------------------------------------


class ExtractSlice(Pure, SliceLists, Op):
    """`tensor.extract_slice %t[%i, 0] [2, %n] [1, 2] : tensor<?x4xf32> to tensor<2x?xf32>`: a strided part.

    Offsets, sizes and strides, one for each axis of the source. The result may leave out axes of static size 1.
    """

    name = "tensor.extract_slice"
    source = operand(ANY_TENSOR)
    offsets = operand(INDEX_KIND, variadic=True)
    sizes = operand(INDEX_KIND, variadic=True)
    strides = operand(INDEX_KIND, variadic=True)
    result = result(ANY_TENSOR)
    static_offsets = attribute(I64_ARRAY)
    static_sizes = attribute(I64_ARRAY)
    static_strides = attribute(I64_ARRAY)
    format = (
        "$source `` custom<DynamicIndexList>($offsets, $static_offsets) "
        "custom<DynamicIndexList>($sizes, $static_sizes) custom<DynamicIndexList>($strides, $static_strides) "
        "attr-dict `:` type($source) `to` type($result)"
    )

    @property
    def kept_axes(self) -> list[int]:
        """The axes of the source that the result has."""
        return _slice_axes(self, self.result.type)

    def verify(self) -> None:
        _check_slice(self, self.source.type, self.result.type)

    def reference(self, source: Any, *numbers: Any) -> Any:
        part = source[checked_slices(self.lists_at(numbers), source.shape)]
        return part.reshape([part.shape[axis] for axis in self.kept_axes])


class InsertSlice(Pure, SliceLists, Op):
    """`tensor.insert_slice %s into %t[%i, 0] [2, 4] [1, 1] : tensor<2x4xf32> into tensor<?x4xf32>`: replaces a part.

    The source may leave out axes of static size 1.
    """

    name = "tensor.insert_slice"
    source = operand(ANY_TENSOR)
    dest = operand(ANY_TENSOR)
    offsets = operand(INDEX_KIND, variadic=True)
    sizes = operand(INDEX_KIND, variadic=True)
    strides = operand(INDEX_KIND, variadic=True)
    result = result(ANY_TENSOR)
    static_offsets = attribute(I64_ARRAY)
    static_sizes = attribute(I64_ARRAY)
    static_strides = attribute(I64_ARRAY)
    format = (
        "$source `into` $dest `` custom<DynamicIndexList>($offsets, $static_offsets) "
        "custom<DynamicIndexList>($sizes, $static_sizes) custom<DynamicIndexList>($strides, $static_strides) attr-dict "
        "`:` type($source) `into` type($dest)"
    )

    @property
    def kept_axes(self) -> list[int]:
        """The axes of the destination that the source has."""
        return _slice_axes(self, self.source.type)

    def infer(self) -> Sequence[Type]:
        return [self.dest.type]

    def verify(self) -> None:
        _check_slice(self, self.dest.type, self.source.type)

    def reference(self, source: Any, dest: Any, *numbers: Any) -> Any:
        return self.changed([source, dest, *numbers])

    def changed(self, arguments: list[Any]) -> Any:
        """The result, which is the array `dest` itself if only the list holds that."""
        array = arguments[1] if is_unshared(arguments, 1) else np.array(arguments[1])
        _put_in(self, arguments[0], array, arguments[2:])
        return array


class ParallelInsertSlice(PartOfParent, SliceLists, Op):
    """`tensor.parallel_insert_slice %s into %o[%i, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<?x4xf32>`

    At the end of an `scf.forall`: what an iteration writes to a tensor that all iterations share. The source may leave
    out axes of static size 1.
    """

    name = "tensor.parallel_insert_slice"
    parent_ops = ("scf.forall.in_parallel",)
    source = operand(ANY_TENSOR)
    dest = operand(ANY_TENSOR)
    offsets = operand(INDEX_KIND, variadic=True)
    sizes = operand(INDEX_KIND, variadic=True)
    strides = operand(INDEX_KIND, variadic=True)
    static_offsets = attribute(I64_ARRAY)
    static_sizes = attribute(I64_ARRAY)
    static_strides = attribute(I64_ARRAY)
    format = InsertSlice.format

    @property
    def kept_axes(self) -> list[int]:
        """The axes of the destination that the source has."""
        return _slice_axes(self, self.source.type)

    def verify(self) -> None:
        _check_slice(self, self.dest.type, self.source.type)

    def write(self, source: Any, array: Any, numbers: Sequence[Any]) -> None:
        """Puts the source into its place in the array."""
        _put_in(self, source, array, numbers)


class Concat(Pure, Op):
    """`tensor.concat dim(0) %a, %b : (tensor<2x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>`: joins along an axis."""

    name = "tensor.concat"
    inputs = operand(ANY_TENSOR, variadic=True)
    result = result(ANY_TENSOR)
    dim = attribute(I64_ATTR)
    format = "`dim` `(` $dim `)` $inputs attr-dict `:` functional-type(operands, results)"

    def verify(self) -> None:
        type = self.result.type
        if not self.inputs:
            raise TirError("needs at least one operand")
        if not 0 <= self.dim < type.rank:
            raise TirError(f"the axis must be 0 to {type.rank - 1}, got {self.dim}")
        for value in self.inputs:
            if value.type.rank != type.rank or value.type.element is not type.element:
                raise TirError(f"operands and result must have one rank and element type, got {value.type} and {type}")
            for axis, (a, b) in enumerate(zip(value.type.shape, type.shape)):
                if axis != self.dim and isinstance(a, int) and isinstance(b, int) and a != b:
                    raise TirError(f"sizes of axis {axis} must agree, got {a} and {b}")
        parts = [value.type.shape[self.dim] for value in self.inputs]
        total = type.shape[self.dim]
        if isinstance(total, int) and all(isinstance(p, int) for p in parts) and sum(parts) != total:
            raise TirError(f"axis {self.dim} of the result must have size {sum(parts)}, got {total}")

    def reference(self, *inputs: Any) -> Any:
        joined = np.concatenate(inputs, self.dim)
        check_shape(joined, self.result.type, "the result")
        return joined


# --- shapes ----------------------------------------------------------------------------------------------------------


class Cast(Pure, Op):
    """`tensor.cast %t : tensor<?x4xf32> to tensor<2x?xf32>`: the same tensor, knowing more or less of its sizes."""

    name = "tensor.cast"
    source = operand(ANY_TENSOR)
    dest = result(ANY_TENSOR)
    format = "$source attr-dict `:` type($source) `to` type($dest)"

    def verify(self) -> None:
        source, dest = self.source.type, self.dest.type
        known = [(a, b) for a, b in zip(source.shape, dest.shape) if isinstance(a, int) and isinstance(b, int)]
        if source.rank != dest.rank or source.element is not dest.element or any(a != b for a, b in known):
            raise TirError(f"{source} cannot be cast to {dest}: rank, element type and static sizes must agree")

    def reference(self, source: Any) -> Any:
        check_shape(source, self.dest.type, "the operand")
        return source


class CollapseShape(Pure, Op):
    """`tensor.collapse_shape %t [[0, 1], [2]] : tensor<?x4x5xf32> into tensor<?x5xf32>`: merges neighbouring axes."""

    name = "tensor.collapse_shape"
    src = operand(ANY_TENSOR)
    result = result(ANY_TENSOR)
    reassociation = attribute(I64_ARRAYS)
    format = "$src $reassociation attr-dict `:` type($src) `into` type($result)"

    def verify(self) -> None:
        _check_elements(self.src.type, self.result.type)
        verify_groups(self.reassociation, self.src.type.shape, self.result.type.shape)

    def reference(self, src: Any) -> Any:
        shape = [int(np.prod([src.shape[axis] for axis in group])) for group in self.reassociation]
        return src.reshape(shape)


class ExpandShape(Pure, Op):
    """`tensor.expand_shape %t [[0, 1], [2]] output_shape [%n, 4, 5] : tensor<?x5xf32> into tensor<?x4x5xf32>`."""

    name = "tensor.expand_shape"
    src = operand(ANY_TENSOR)
    output_shape = operand(INDEX_KIND, variadic=True)
    result = result(ANY_TENSOR)
    reassociation = attribute(I64_ARRAYS)
    static_output_shape = attribute(I64_ARRAY)
    format = (
        "$src $reassociation `output_shape` custom<DynamicIndexList>($output_shape, $static_output_shape) attr-dict "
        "`:` type($src) `into` type($result)"
    )

    @property
    def mixed_output_shape(self) -> list[int | Value]:
        """The size of each axis of the result."""
        return mixed(self.static_output_shape, self.output_shape)

    def verify(self) -> None:
        type = self.result.type
        _check_elements(self.src.type, type)
        verify_groups(self.reassociation, type.shape, self.src.type.shape)
        verify_mixed("sizes", self.static_output_shape, self.output_shape, type.rank)
        _check_known_sizes(type, self.static_output_shape)

    def reference(self, src: Any, *sizes: Any) -> Any:
        (shape,) = fill_in([self.static_output_shape], sizes)
        group_sizes(self.reassociation, shape, src.shape)
        return src.reshape(shape)


# --- rules that several ops share ------------------------------------------------------------------------------------


def _check_sizes(type: TensorType, sizes: Sequence[Value]) -> None:
    wanted = len(dynamic_dims(type))
    if wanted != len(sizes):
        raise TirError(f"{type} leaves {counted(wanted, 'size')} open, got {len(sizes)}")


def _check_indices(type: TensorType, indices: Sequence[Value]) -> None:
    if len(indices) != type.rank:
        raise TirError(f"{type} needs {counted(type.rank, 'index', 'indices')}, got {len(indices)}")


def _check_element(type: TensorType, element: Value) -> None:
    if element.type is not type.element:
        raise TirError(f"an element of {type} must be of type {type.element}, got {element.type}")


def _check_elements(a: TensorType, b: TensorType) -> None:
    if a.element is not b.element:
        raise TirError(f"operand and result must have one element type, got {a.element} and {b.element}")


def _check_known_sizes(type: TensorType, static: Sequence[int]) -> None:
    for axis, (want, got) in enumerate(zip(dims_of(static), type.shape)):
        if known_size(want) != known_size(got):
            raise TirError(f"axis {axis} of {type} must have size {want}, got {got}")


def _put_in(op: InsertSlice | ParallelInsertSlice, source: Any, array: Any, numbers: Sequence[Any]) -> None:
    """Writes the source to the slice of the array; ExecutionError if it does not fit."""
    lists = op.lists_at(numbers)
    slices, sizes = checked_slices(lists, array.shape), lists[1]
    if source.shape != tuple(sizes[axis] for axis in op.kept_axes):
        raise ExecutionError(f"the source must have the sizes of the slice {sizes}, got {list(source.shape)}")
    array[slices] = source.reshape(sizes)


def _slice_axes(op: ExtractSlice | InsertSlice | ParallelInsertSlice, part: TensorType) -> list[int]:
    axes = kept_axes(*([known_size(dim) for dim in dims] for dims in (dims_of(op.static_sizes), part.shape)))
    if axes is None:
        dims = "x".join(map(str, dims_of(op.static_sizes)))
        raise TirError(f"the slice has sizes {dims}, which cannot be {part} (axes of size 1 may be left out)")
    return axes


def _check_slice(op: ExtractSlice | InsertSlice | ParallelInsertSlice, whole: TensorType, part: TensorType) -> None:
    op.verify_lists(whole.rank, whole.rank)
    op.verify_bounds(whole.shape)
    _check_elements(whole, part)
    _slice_axes(op, part)


DIALECT = Dialect(
    "tensor",
    "Making, reading and reshaping immutable tensors.",
    (
        Empty, Dim, Extract, Insert, FromElements, Splat, Generate, Yield, ExtractSlice, InsertSlice, ParallelInsertSlice,
        Concat, Cast, CollapseShape, ExpandShape,
    ),
)  # fmt: skip
