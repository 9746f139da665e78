"""The memref dialect: buffers, their elements, and views of them.

A buffer is a numpy array that is written in place, a view of it a strided array on the same memory. New buffers hold
nan, or bytes of 0xA5, and a buffer holds them again when it is freed, so that a read too early or too late shows.
Indices, slices and sizes are checked when a program runs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from tir.ir.affine import AffineMap
from tir.ir.attributes import Attribute, DenseAttr, DenseResourceAttr, IntegerAttr, UnitAttr
from tir.ir.define import attribute, operand, result
from tir.ir.errors import TirError, counted
from tir.ir.execution import ExecutionError, Frame, check_shape, poison, uninitialized
from tir.ir.fields import AttributeField
from tir.ir.ir import Op, Value
from tir.ir.kinds import (
    ANY_MEMREF,
    BOOL,
    FLAT_SYMBOL,
    I64_ARRAY,
    I64_ARRAYS,
    I64_ATTR,
    INDEX_KIND,
    STRING,
    SYMBOL_NAME,
    TYPE,
    UNIT,
    AttributeKind,
)
from tir.ir.registry import Dialect
from tir.ir.symbols import SymbolTable
from tir.ir.traits import Allocates, Pure, ReadsMemory, Symbol, WritesMemory
from tir.ir.types import DYNAMIC, I64, INDEX, MemRefType, StridedLayout, TensorType, Type, dtype_of
from tir.ir.types import Dim as Size
from tir.ir.views import (
    SliceLists,
    are_inside,
    buffer_of,
    checked_index,
    checked_slices,
    collapsed_shape,
    dims_of,
    dynamic_dims,
    element_strides,
    fill_in,
    gather,
    group_sizes,
    kept_axes,
    mixed,
    regrouped_strides,
    reshaped_view,
    runtime_shape,
    slice_layout,
    strided_view,
    verify_contiguous,
    verify_groups,
    verify_mixed,
)
from tir.lazy import np

__all__ = [
    "Alloc", "Alloca", "Cast", "CollapseShape", "Copy", "DIALECT", "Dealloc", "Dim", "ExpandShape", "GetGlobal",
    "Global", "LINE_BYTES", "Load", "OFFSET", "ReinterpretCast", "SLOT", "Store", "Subview",
]  # fmt: skip

#: Where `plan-memory` puts a buffer: attributes of `memref.alloc`.
SLOT, OFFSET = "tir.slot", "tir.offset"
#: Offsets are multiples of this, which is a line of the cache and the widest vector.
LINE_BYTES = 64


# --- making buffers --------------------------------------------------------------------------------------------------


class Alloc(Allocates, Op):
    """`memref.alloc(%n) : memref<?x4xf32>`: a new buffer, with unspecified elements, until `memref.dealloc`.

    symbolOperands give what the layout leaves open: the offset, then the strides. With `tir.slot`, from `plan-memory`, the
    buffer lies in this slot of the function's workspace, `tir.offset` bytes from where that begins.
    """

    name = "memref.alloc"
    dynamicSizes = operand(INDEX_KIND, variadic=True)
    symbolOperands = operand(INDEX_KIND, variadic=True)
    memref = result(ANY_MEMREF)
    alignment = attribute(I64_ATTR, optional=True)
    format = "`(` $dynamicSizes `)` (`` `[` $symbolOperands^ `]`)? attr-dict `:` type($memref)"

    def verify(self) -> None:
        type = self.memref.type
        for what, wanted, given in (
            ("sizes", len(dynamic_dims(type)), len(self.dynamicSizes)),
            ("layout symbols", len(_layout_symbols(type)), len(self.symbolOperands)),
        ):
            if wanted != given:
                raise TirError(f"{type} leaves {counted(wanted, what.removesuffix('s'), what)} open, got {given}")
        if self.alignment is not None and (self.alignment < 1 or self.alignment & (self.alignment - 1)):
            raise TirError(f"the alignment must be a power of two, got {self.alignment}")
        self._check_place()

    def _check_place(self) -> None:
        for name, step in ((SLOT, 1), (OFFSET, LINE_BYTES)):
            given = self.attributes.get(name, IntegerAttr(0, I64))
            if not isinstance(given, IntegerAttr) or given.type is not I64 or given.value < 0 or given.value % step:
                what = "of 0 or more" if step == 1 else f"that is a multiple of {step}"
                raise TirError(f"{name} must be an i64 {what}, got {given}")
        if OFFSET in self.attributes and SLOT not in self.attributes:
            raise TirError(f"{OFFSET} is a place in a slot: it needs {SLOT}")

    @property
    def known_bytes(self) -> int:
        """The bytes of the buffer for one along each axis of open size."""
        type = self.memref.type
        return math.prod(size for size in type.shape if isinstance(size, int)) * dtype_of(type.element).size_bytes

    @property
    def slot(self) -> int | None:
        """The slot of the function's workspace that the buffer lies in (`plan-memory`)."""
        found = self.attributes.get(SLOT)
        return found.value if isinstance(found, IntegerAttr) else None

    @property
    def offset(self) -> int:
        """Where it begins there, in bytes."""
        found = self.attributes.get(OFFSET)
        return found.value if isinstance(found, IntegerAttr) else 0

    def interpret(self, frame: Frame) -> tuple[Any, ...]:
        type = self.memref.type
        shape = runtime_shape(type, [frame[v] for v in self.dynamicSizes])
        if type.layout is None:
            return (uninitialized(shape, type),)
        if isinstance(type.layout, AffineMap):
            raise ExecutionError(f"the layout affine_map<{type.layout}> cannot be interpreted; use strided<..>")
        strides, offset = type.strides_and_offset()
        rest = iter([int(frame[v]) for v in self.symbolOperands])
        offset, *strides = [d if isinstance(d, int) else next(rest) for d in (offset, *strides)]
        length = offset + sum((size - 1) * stride for size, stride in zip(shape, strides)) + 1
        buffer = uninitialized([max(0, length)], type)
        return (strided_view(buffer, offset, shape, strides),)


class Alloca(Alloc):
    """`memref.alloca(%n) : memref<?x4xf32>`: as memref.alloc, but the buffer lives until the function returns."""

    name = "memref.alloca"


def _layout_symbols(type: MemRefType) -> list[Any]:
    if isinstance(type.layout, AffineMap):
        return [None] * type.layout.symbols
    strides, offset = type.strides_and_offset() if type.layout is not None else ((), 0)
    return [dim for dim in (offset, *strides) if not isinstance(dim, int)]


class Dealloc(WritesMemory, Op):
    """`memref.dealloc %m : memref<?xf32>`: ends the life of a buffer from `memref.alloc`."""

    name = "memref.dealloc"
    memref = operand(ANY_MEMREF)
    format = "$memref attr-dict `:` type($memref)"

    def interpret(self, frame: Frame) -> tuple[Any, ...]:
        poison(frame[self.memref])
        return ()


def _is_initial_value(attribute: Attribute) -> bool:
    return isinstance(attribute, (DenseAttr, DenseResourceAttr, UnitAttr))


INITIAL_VALUE = AttributeKind("a dense constant, or unit for an uninitialized global", _is_initial_value)


class Global(Op, Symbol):
    """`memref.global "private" constant @g : memref<2xf32> = dense<1.0>`: a buffer that lives as long as the module.

    initial_value: unit says that the elements are unspecified; without it the global is defined elsewhere.
    """

    name = "memref.global"
    sym_name = attribute(SYMBOL_NAME)
    sym_visibility = attribute(STRING, optional=True)
    type = attribute(TYPE)
    initial_value = attribute(INITIAL_VALUE, optional=True)
    constant = attribute(UNIT, optional=True)
    alignment = attribute(I64_ATTR, optional=True)
    format = (
        "($sym_visibility^)? (`constant` $constant^)? $sym_name `:` "
        "custom<GlobalMemrefOpTypeAndInitialValue>($type, $initial_value) attr-dict"
    )

    def verify(self) -> None:
        if not isinstance(self.type, MemRefType) or not self.type.is_static:
            raise TirError(f"the type must be a memref with a static shape, got {self.type}")
        value = self.initial_value
        if isinstance(value, (DenseAttr, DenseResourceAttr)):
            want = TensorType(self.type.shape, self.type.element)
            if value.type is not want:
                raise TirError(f"the initial value of a {self.type} must be of type {want}, got {value.type}")

    def make_storage(self) -> Any:
        """The array for `Frame.storage`. A constant's cannot be written."""
        if isinstance(self.initial_value, UnitAttr):
            return uninitialized(self.type.static_shape, self.type)
        if not isinstance(self.initial_value, DenseAttr):
            raise ExecutionError(f"{self.name}: @{self.sym_name} has no value here", self.location)
        array = np.array(self.initial_value.numpy())
        array.flags.writeable = not self.constant
        return array


def _called_name(declared: AttributeField) -> Any:
    """The attribute `name`, which needs another Python name: `name` is the op's."""
    declared.name = "name"
    return declared


class GetGlobal(Pure, Op):
    """`memref.get_global @g : memref<2xf32>`: the buffer of a `memref.global`."""

    name = "memref.get_global"
    symbol = _called_name(attribute(FLAT_SYMBOL))
    result = result(ANY_MEMREF)
    format = "$name `:` type($result) attr-dict"

    def verify_symbols(self, symbols: SymbolTable) -> None:
        """Raises TirError unless the symbol is a global of the result's type."""
        found = symbols.lookup(self.symbol)
        if not isinstance(found, Global):
            hint = symbols.hint(self.symbol, Global)
            raise TirError(f"{self.name}: there is no memref.global @{self.symbol}", self.location, hint=hint)
        if found.type is not self.result.type:
            raise TirError(
                f"{self.name}: @{self.symbol} has type {found.type}, got {self.result.type}", self.location,
                [("defined here", found.location)],
            )  # fmt: skip

    def interpret(self, frame: Frame) -> tuple[Any, ...]:
        return (frame.storage(frame.symbol(self.symbol)),)


# --- elements --------------------------------------------------------------------------------------------------------


class Load(ReadsMemory, Op):
    """`memref.load %m[%i, %j] : memref<?x4xf32>`: one element."""

    name = "memref.load"
    memref = operand(ANY_MEMREF)
    indices = operand(INDEX_KIND, variadic=True)
    result = result()
    nontemporal = attribute(BOOL, optional=True)
    alignment = attribute(I64_ATTR, optional=True)
    format = "$memref `[` $indices `]` attr-dict `:` type($memref)"

    def infer(self) -> Sequence[Type]:
        return [self.memref.type.element]

    def verify(self) -> None:
        _check_indices(self.memref.type, self.indices)

    def may_fail(self) -> bool:
        """An index may be out of bounds."""
        return not are_inside(self.indices, self.memref.type.shape)

    def reference(self, memref: Any, *indices: Any) -> Any:
        return gather(memref, indices)


class Store(WritesMemory, Op):
    """`memref.store %x, %m[%i, %j] : memref<?x4xf32>`: writes one element."""

    name = "memref.store"
    value = operand()
    memref = operand(ANY_MEMREF)
    indices = operand(INDEX_KIND, variadic=True)
    nontemporal = attribute(BOOL, optional=True)
    alignment = attribute(I64_ATTR, optional=True)
    format = "$value `,` $memref `[` $indices `]` attr-dict `:` type($memref)"

    def verify(self) -> None:
        if self.value.type is not self.memref.type.element:
            raise TirError(f"an element of {self.memref.type} cannot be {self.value.type}")
        _check_indices(self.memref.type, self.indices)

    def interpret(self, frame: Frame) -> tuple[Any, ...]:
        value, array, *indices = [frame[v] for v in self.operands]
        array[checked_index(indices, array.shape)] = value
        return ()


class Dim(Pure, Op):
    """`memref.dim %m, %i : memref<?xf32>`: the size of axis %i."""

    name = "memref.dim"
    source = operand(ANY_MEMREF)
    index = operand(INDEX_KIND)
    result = result(INDEX_KIND)
    format = "attr-dict $source `,` $index `:` type($source)"

    def infer(self) -> Sequence[Type]:
        return [INDEX]

    def verify(self) -> None:
        if self.source.type.rank == 0:
            raise TirError("a memref of rank 0 has no sizes")

    def may_fail(self) -> bool:
        """There may be no such axis."""
        return not are_inside([self.index], [self.source.type.rank])

    def reference(self, source: Any, index: Any) -> Any:
        return np.int64(source.shape[checked_index([index], [source.ndim])[0]])


class Copy(WritesMemory, Op):
    """`memref.copy %a, %b : memref<?xf32> to memref<4xf32>`: writes the elements of %a into %b."""

    name = "memref.copy"
    source = operand(ANY_MEMREF)
    target = operand(ANY_MEMREF)
    format = "$source `,` $target attr-dict `:` type($source) `to` type($target)"

    def verify(self) -> None:
        source, target = self.source.type, self.target.type
        known = [(a, b) for a, b in zip(source.shape, target.shape) if isinstance(a, int) and isinstance(b, int)]
        if source.element is not target.element or source.rank != target.rank or any(a != b for a, b in known):
            raise TirError(f"element type and sizes must agree, got {source} and {target}")

    def interpret(self, frame: Frame) -> tuple[Any, ...]:
        source, target = frame[self.source], frame[self.target]
        if source.shape != target.shape:
            raise ExecutionError(f"sizes must agree, got {list(source.shape)} and {list(target.shape)}")
        target[...] = source
        return ()


# --- views -----------------------------------------------------------------------------------------------------------


class Subview(Pure, SliceLists, Op):
    """`memref.subview %m[%i, 0] [2, %n] [1, 2] : memref<?x4xf32> to memref<2x?xf32, strided<[4, 2], offset: ?>>`.

    A view of a strided part: offsets, sizes and strides, one for each axis of the source. The result may leave out axes
    of static size 1.
    """

    name = "memref.subview"
    source = operand(ANY_MEMREF)
    offsets = operand(INDEX_KIND, variadic=True)
    sizes = operand(INDEX_KIND, variadic=True)
    strides = operand(INDEX_KIND, variadic=True)
    result = result(ANY_MEMREF)
    static_offsets = attribute(I64_ARRAY)
    static_sizes = attribute(I64_ARRAY)
    static_strides = attribute(I64_ARRAY)
    format = (
        "$source `` custom<DynamicIndexList>($offsets, $static_offsets) "
        "custom<DynamicIndexList>($sizes, $static_sizes) custom<DynamicIndexList>($strides, $static_strides) "
        "attr-dict `:` type($source) `to` type($result)"
    )

    @staticmethod
    def result_type(
        source: MemRefType,
        offsets: Sequence[int],
        sizes: Sequence[int],
        strides: Sequence[int],
        dropped: Sequence[int] = (),
    ) -> MemRefType:
        """The type of the view for static lists (`DYNAMIC_INDEX` in place of operands), less the axes `dropped`."""
        found, offset = slice_layout(*source.strides_and_offset(), offsets, strides)
        kept = [axis for axis in range(source.rank) if axis not in dropped]
        shape = dims_of(sizes)
        layout = StridedLayout(tuple(found[axis] for axis in kept), offset)
        return MemRefType(tuple(shape[axis] for axis in kept), source.element, layout, source.space)

    @property
    def kept_axes(self) -> list[int]:
        """The axes of the source that the result has."""
        type = self.result.type
        whole = self.result_type(self.source.type, self.static_offsets, self.static_sizes, self.static_strides)
        axes = kept_axes(_sizes_and_strides(whole), _sizes_and_strides(type))
        if axes is None or type.strides_and_offset()[1] != whole.strides_and_offset()[1]:
            raise TirError(f"the result must be {whole} (axes of size 1 may be left out), got {type}")
        return axes

    def verify(self) -> None:
        source, type = self.source.type, self.result.type
        self.verify_lists(source.rank, source.rank)
        self.verify_bounds(source.shape)
        _check_same_elements(source, type)
        _check_strided(source, type)
        assert self.kept_axes is not None

    def reference(self, source: Any, *numbers: Any) -> Any:
        # With `...` numpy gives a view also where no axis is left, and not a number.
        part = source[(*checked_slices(self.lists_at(numbers), source.shape), ...)]
        dropped = set(range(source.ndim)) - set(self.kept_axes)
        return part[(*(0 if axis in dropped else slice(None) for axis in range(source.ndim)), ...)] if dropped else part


class Cast(Pure, Op):
    """`memref.cast %m : memref<?x4xf32> to memref<2x?xf32>`: the same buffer, knowing more or less of its layout."""

    name = "memref.cast"
    source = operand(ANY_MEMREF)
    dest = result(ANY_MEMREF)
    format = "$source attr-dict `:` type($source) `to` type($dest)"

    def verify(self) -> None:
        source, dest = self.source.type, self.dest.type
        same = source.element is dest.element and source.space == dest.space and source.rank == dest.rank
        if not same or not all(_may_be_equal(a, b) for a, b in _facts_to_compare(source, dest)):
            raise TirError(f"{source} cannot be cast to {dest}: element type, rank and all static facts must agree")

    def reference(self, source: Any) -> Any:
        type = self.dest.type
        check_shape(source, type, "the operand")
        if not isinstance(type.layout, AffineMap):
            _check_strides(source, type)
        return source


class CollapseShape(Pure, Op):
    """`memref.collapse_shape %m [[0, 1]] : memref<?x4xf32> into memref<?xf32>`: a view that merges axes."""

    name = "memref.collapse_shape"
    src = operand(ANY_MEMREF)
    result = result(ANY_MEMREF)
    reassociation = attribute(I64_ARRAYS)
    format = "$src $reassociation attr-dict `:` type($src) `into` type($result)"

    @staticmethod
    def result_type(source: MemRefType, groups: Sequence[Sequence[int]]) -> MemRefType:
        """The type of the view for these groups."""
        return _regrouped(source, groups, collapsed_shape(groups, source.shape), None)

    def verify(self) -> None:
        source, type = self.src.type, self.result.type
        _check_same_elements(source, type)
        verify_groups(self.reassociation, source.shape, type.shape)
        _check_strided(source, type)
        if not _is_identity(source):
            verify_contiguous(self.reassociation, source.shape, source.strides_and_offset()[0])
        _check_layout(self.result_type(source, self.reassociation), type)

    def reference(self, src: Any) -> Any:
        shape = [int(np.prod([src.shape[axis] for axis in group])) for group in self.reassociation]
        return reshaped_view(src, shape)


class ExpandShape(Pure, Op):
    """`memref.expand_shape %m [[0, 1]] output_shape [%n, 4] : memref<?xf32> into memref<?x4xf32>`: cuts axes up."""

    name = "memref.expand_shape"
    src = operand(ANY_MEMREF)
    output_shape = operand(INDEX_KIND, variadic=True)
    result = result(ANY_MEMREF)
    reassociation = attribute(I64_ARRAYS)
    static_output_shape = attribute(I64_ARRAY)
    format = (
        "$src $reassociation `output_shape` custom<DynamicIndexList>($output_shape, $static_output_shape) attr-dict "
        "`:` type($src) `into` type($result)"
    )

    @staticmethod
    def result_type(source: MemRefType, groups: Sequence[Sequence[int]], static_shape: Sequence[int]) -> MemRefType:
        """The type of the view for these groups and sizes (`DYNAMIC_INDEX` in place of operands)."""
        shape = dims_of(static_shape)
        return _regrouped(source, groups, shape, shape)

    @property
    def mixed_output_shape(self) -> list[int | Value]:
        """The size of each axis of the result."""
        return mixed(self.static_output_shape, self.output_shape)

    def verify(self) -> None:
        source, type = self.src.type, self.result.type
        _check_same_elements(source, type)
        verify_groups(self.reassociation, type.shape, source.shape)
        verify_mixed("sizes", self.static_output_shape, self.output_shape, type.rank)
        _check_strided(source, type)
        _check_layout(self.result_type(source, self.reassociation, self.static_output_shape), type)

    def reference(self, src: Any, *sizes: Any) -> Any:
        (shape,) = fill_in([self.static_output_shape], sizes)
        group_sizes(self.reassociation, shape, src.shape)
        return reshaped_view(src, shape)


class ReinterpretCast(Pure, SliceLists, Op):
    """`memref.reinterpret_cast %m to offset: [%o], sizes: [%n, 4], strides: [4, 1] : memref<?xf32> to memref<..>`.

    A view of the whole buffer behind %m, in elements from the buffer's start: the layout of %m itself does not matter.
    """

    name = "memref.reinterpret_cast"
    source = operand(ANY_MEMREF)
    offsets = operand(INDEX_KIND, variadic=True)
    sizes = operand(INDEX_KIND, variadic=True)
    strides = operand(INDEX_KIND, variadic=True)
    result = result(ANY_MEMREF)
    static_offsets = attribute(I64_ARRAY)
    static_sizes = attribute(I64_ARRAY)
    static_strides = attribute(I64_ARRAY)
    format = (
        "$source `to` `offset` `` `:` custom<DynamicIndexList>($offsets, $static_offsets) `` `,` "
        "`sizes` `` `:` custom<DynamicIndexList>($sizes, $static_sizes) `` `,` "
        "`strides` `` `:` custom<DynamicIndexList>($strides, $static_strides) "
        "attr-dict `:` type($source) `to` type($result)"
    )

    def verify(self) -> None:
        type = self.result.type
        self.verify_lists(1, type.rank)
        _check_same_elements(self.source.type, type)
        _check_strided(type)
        given = [*dims_of(self.static_sizes), *dims_of(self.static_offsets), *dims_of(self.static_strides)]
        for what, want, got in zip(_fact_names(type.rank), given, _facts(type)):
            # The type may know less than the lists, not more or something else.
            if isinstance(got, int) and want != got:
                raise TirError(f"{what} of {type} is {got}, but the op says {want}")

    def reference(self, source: Any, *numbers: Any) -> Any:
        (offset,), sizes, strides = self.lists_at(numbers)
        return strided_view(buffer_of(source), offset, sizes, strides)


# --- rules that several ops share ------------------------------------------------------------------------------------


def _check_strides(array: Any, type: MemRefType) -> None:
    for axis, (want, got) in enumerate(zip(type.strides_and_offset()[0], element_strides(array))):
        if isinstance(want, int) and want != got and array.shape[axis] > 1 and array.size:
            raise ExecutionError(f"axis {axis} of the operand must have stride {want}, got {got}")


def _check_indices(type: MemRefType, indices: Sequence[Value]) -> None:
    if len(indices) != type.rank:
        raise TirError(f"{type} needs {counted(type.rank, 'index', 'indices')}, got {len(indices)}")


def _check_same_elements(a: MemRefType, b: MemRefType) -> None:
    if a.element is not b.element or a.space != b.space:
        raise TirError(f"a view must keep the element type and the memory space, got {a} and {b}")


def _check_strided(*types: MemRefType) -> None:
    for type in types:
        if isinstance(type.layout, AffineMap):
            raise TirError(f"needs a strided layout, got {type}")


def _is_identity(type: MemRefType) -> bool:
    """The layout is the usual one; upstream sees that of `strided<[1]>` too."""
    return type.layout is None or type.layout == StridedLayout((1,))


def _regrouped(
    source: MemRefType, groups: Sequence[Sequence[int]], shape: Sequence[Size], expanded: Sequence[Size] | None
) -> MemRefType:
    """The type of a view of this shape, after collapsing by the groups, or after expanding by them to `expanded`."""
    if _is_identity(source):
        return MemRefType(tuple(shape), source.element, None, source.space)
    strides, offset = source.strides_and_offset()
    layout = StridedLayout(tuple(regrouped_strides(groups, source.shape, strides, expanded)), offset)
    return MemRefType(tuple(shape), source.element, layout, source.space)


def _check_layout(want: MemRefType, got: MemRefType) -> None:
    if want is not got:
        raise TirError(f"the result must be {want}, got {got}")


def _sizes_and_strides(type: MemRefType) -> list[tuple[Size, Size]]:
    return [(_known(size), _known(stride)) for size, stride in zip(type.shape, type.strides_and_offset()[0])]


def _known(dim: Size) -> Size:
    return dim if isinstance(dim, int) else DYNAMIC


def _facts(type: MemRefType) -> list[Size]:
    """Sizes, offset and strides."""
    if isinstance(type.layout, AffineMap):
        return list(type.shape)
    strides, offset = type.strides_and_offset()
    return [*type.shape, offset, *strides]


def _facts_to_compare(a: MemRefType, b: MemRefType) -> Iterator[tuple[Size, Size]]:
    """Sizes, offset and strides of both, but for strides along axes of size 1, which mean nothing."""
    for i, pair in enumerate(zip(_facts(a), _facts(b))):
        axis = i - a.rank - 1
        if axis < 0 or 1 not in (a.shape[axis], b.shape[axis]):
            yield pair


def _fact_names(rank: int) -> list[str]:
    return [*(f"size {i}" for i in range(rank)), "the offset", *(f"stride {i}" for i in range(rank))]


def _may_be_equal(a: Size, b: Size) -> bool:
    return not isinstance(a, int) or not isinstance(b, int) or a == b


DIALECT = Dialect(
    "memref",
    "Buffers, their elements, and views of them.",
    (
        Alloc, Alloca, Dealloc, Load, Store, Dim, Copy, Subview, Cast, CollapseShape, ExpandShape, ReinterpretCast,
        Global, GetGlobal,
    ),
)  # fmt: skip
