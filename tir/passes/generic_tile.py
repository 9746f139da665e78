"""A part of a structured op: the same op on slices of its operands, for some of its iterations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tir.dialects import arith, linalg, memref, tensor
from tir.ir.affine import AffineDim, AffineExpr, AffineMap, AffineSum
from tir.ir.attributes import IntegerAttr
from tir.ir.builder import Builder
from tir.ir.define import create
from tir.ir.ir import Block, Region, Value, clone_into
from tir.ir.types import INDEX, MemRefType, ShapedType, TensorType
from tir.ir.views import DYNAMIC_INDEX, dims_of, split_mixed
from tir.passes.loop_numbers import Refusal
from tir.passes.loop_sizes import LoopSizes

__all__ = ["Part", "Size", "Sizes", "check_tileable", "dimension_size", "is_order_free", "slice_of"]

Size = int | Value
#: From a dimension to where a part of it begins, and how long it is.
Ranges = Mapping[int, tuple[Size, Size]]
_ORDER_FREE = (
    arith.AddF, arith.MulF, arith.AddI, arith.MulI, arith.AndI, arith.OrI, arith.XOrI, arith.MaximumF, arith.MinimumF,
    arith.MaxNumF, arith.MinNumF, arith.MaxSI, arith.MinSI, arith.MaxUI, arith.MinUI,
)  # fmt: skip


class Sizes:
    """Arithmetic on sizes where the builder stands: of numbers it is done at once."""

    def __init__(self, b: Builder) -> None:
        self.b = b

    def value(self, size: Size) -> Value:
        """The size as a value."""
        return size if isinstance(size, Value) else self.b.create(arith.Constant, value=IntegerAttr(size, INDEX))

    def add(self, x: Size, y: Size) -> Size:
        """x + y"""
        if isinstance(x, int) and isinstance(y, int):
            return x + y
        return y if x == 0 else x if y == 0 else self.b.create(arith.AddI, self.value(x), self.value(y))

    def subtract(self, x: Size, y: Size) -> Size:
        """x - y"""
        if isinstance(x, int) and isinstance(y, int):
            return x - y
        return x if y == 0 else self.b.create(arith.SubI, self.value(x), self.value(y))

    def times(self, x: Size, factor: Size) -> Size:
        """x * factor"""
        if isinstance(x, int) and isinstance(factor, int):
            return x * factor
        return x if factor == 1 else self.b.create(arith.MulI, self.value(x), self.value(factor))

    def minimum(self, x: Size, y: Size) -> Size:
        """The lesser of the two."""
        if isinstance(x, int) and isinstance(y, int):
            return min(x, y)
        return self.b.create(arith.MinSI, self.value(x), self.value(y))

    def maximum(self, x: Size, y: Size) -> Size:
        """The greater of the two."""
        if isinstance(x, int) and isinstance(y, int):
            return max(x, y)
        return self.b.create(arith.MaxSI, self.value(x), self.value(y))

    def ceildiv(self, x: Size, divisor: int) -> Size:
        """x / divisor, rounded up."""
        return -(-x // divisor) if isinstance(x, int) else self.b.create(arith.CeilDivSI, x, self.value(divisor))

    def axis(self, value: Value, axis: int) -> Size:
        """The size of an axis of a tensor or buffer; of a tensor that an op makes, from what it is made of."""
        size = value.type.shape[axis]  # type: ignore[attr-defined]
        if isinstance(size, int):
            return size
        if isinstance(value.type, MemRefType):
            return self.b.create(memref.Dim, value, self.value(axis))
        source = LoopSizes().of_axis(value, axis)
        if not isinstance(source, tuple):
            return source
        return self.b.create(tensor.Dim, source[0], self.value(source[1]))


def dimension_size(op: linalg.Generic, dim: int, sizes: Sizes) -> Size:
    """How long a dimension of the op is: a number if a type says it."""
    found = [
        (value, axis)
        for value, map in zip(op.operands, op.maps)
        for axis, expr in enumerate(map.results)
        if isinstance(expr, AffineDim) and expr.position == dim
    ]
    for value, axis in found:
        if isinstance(value.type.shape[axis], int):  # type: ignore[attr-defined]
            return value.type.shape[axis]  # type: ignore[attr-defined]
    return sizes.axis(*found[0])


def terms_of(expr: AffineExpr) -> tuple[dict[int, int], int] | None:
    """The dimensions of a sum with their factors, and the constant; None for what is no sum of dimensions."""
    if isinstance(expr, AffineDim):
        return {expr.position: 1}, 0
    if not isinstance(expr, AffineSum):
        return ({}, expr.value) if not expr.leaves() and hasattr(expr, "value") else None
    if not all(isinstance(term, AffineDim) for term, _ in expr.terms):
        return None
    return {term.position: factor for term, factor in expr.terms}, expr.constant  # type: ignore[attr-defined]


def check_tileable(op: linalg.Generic, tiled: Sequence[int]) -> None:
    """Refusal unless parts of these dimensions are slices of the operands."""
    for number, map in enumerate(op.maps):
        type = op.operand(number).type
        if isinstance(type, MemRefType) and isinstance(type.layout, AffineMap):
            raise Refusal(f"operand {number} is laid out by a map, of which no part is a slice", op.location)
        for axis, expr in enumerate(map.results):
            if not any(AffineDim(dim) in expr.leaves() for dim in tiled):
                continue
            terms = terms_of(expr)
            if terms is None or any(factor < 0 for factor in terms[0].values()):
                raise Refusal(f"axis {axis} of operand {number} goes by {expr}, of which no part is a slice", op.location)


def is_order_free(op: linalg.Generic) -> bool:
    """Each output combines what it has with something that does not depend on it, in a way whose order is free."""
    for argument, value in zip(op.output_arguments, op.yielded):
        maker = value.op
        if not isinstance(maker, _ORDER_FREE) or argument not in maker.operands or not argument.has_one_use:
            return False
    return True


class Part:
    """The op for some of its iterations: `ranges` has, for dimensions that it does not take whole, where and how many.

    It is written where the builder stands, on `outputs` in place of those of the op. made: the op on slices; places: of
    each output the offsets and sizes of its slice. may_be_empty: a range may have no iterations.
    """

    def __init__(
        self, op: linalg.Generic, b: Builder, ranges: Ranges, outputs: Sequence[Value], may_be_empty: bool = False
    ) -> None:
        self.op, self.b, self.ranges, self.may_be_empty = op, b, ranges, may_be_empty
        self.sizes = Sizes(b)
        self._lengths: dict[int, Size] = {}
        self._whole: dict[tuple[Value, int], Size] = {}  # the size of an axis that is not cut
        wholes = [*op.inputs, *outputs]
        places = [self._place(value, map) for value, map in zip(wholes, op.maps)]
        slices = [self._slice(value, *place) for value, place in zip(wholes, places)]
        self.is_whole = [made is value for made, value in zip(slices, wholes)][len(op.inputs) :]
        maps = [AffineMap(map.dims, 0, tuple(map_part(expr, ranges) for expr in map.results)) for map in op.maps]
        count = len(op.inputs)
        self.places = places[count:]
        self.outputs = list(outputs)
        self.made = b.insert(_copy_on(op, slices, maps))
        self._move_positions()

    def write_back(self) -> list[Value]:
        """The outputs with the part in its place."""
        found: list[Value] = []
        for result, whole, place, is_whole in zip(self.made.results, self.outputs, self.places, self.is_whole):
            operands, lists = _lists(*place)
            found.append(result if is_whole else self.b.create(tensor.InsertSlice, result, whole, *operands, **lists))
        return found

    def write_in_parallel(self, b: Builder) -> None:
        """The same as what an iteration of an scf.forall writes, where `b` stands."""
        for result, whole, place in zip(self.made.results, self.outputs, self.places):
            operands, lists = _lists(*place)
            b.op(tensor.ParallelInsertSlice, result, whole, *operands, result_types=[], **lists)

    def length(self, dim: int) -> Size:
        """How many iterations along a dimension the part has."""
        if dim in self.ranges:
            return self.ranges[dim][1]
        if dim not in self._lengths:
            self._lengths[dim] = dimension_size(self.op, dim, self.sizes)
        return self._lengths[dim]

    def _place(self, value: Value, map: AffineMap) -> tuple[list[Size], list[Size]]:
        """Offsets and sizes of the slice of an operand."""
        offsets: list[Size] = []
        lengths: list[Size] = []
        for axis, expr in enumerate(map.results):
            terms = terms_of(expr)
            if terms is None or not any(dim in self.ranges for dim in terms[0]):
                offsets.append(0)
                lengths.append(self.sizes.axis(value, axis))
                self._whole[value, axis] = lengths[-1]
                continue
            factors, start = terms
            offset: Size = start
            length: Size = 1
            for dim, factor in factors.items():
                begin = self.ranges[dim][0] if dim in self.ranges else 0
                offset = self.sizes.add(offset, self.sizes.times(begin, factor))
                last = self.sizes.subtract(self.length(dim), 1) if len(factors) > 1 or factor > 1 else None
                length = self.length(dim) if last is None else self.sizes.add(length, self.sizes.times(last, factor))
            offsets.append(offset)
            lengths.append(self.sizes.maximum(length, 0) if self.may_be_empty and terms != ({dim: 1}, 0) else length)
        return offsets, lengths

    def _slice(self, value: Value, offsets: Sequence[Size], lengths: Sequence[Size]) -> Value:
        is_whole = all(offset == 0 for offset in offsets) and self._is_whole(value, lengths)
        if not isinstance(value.type, ShapedType) or is_whole:
            return value
        return slice_of(self.b, value, offsets, lengths)

    def _is_whole(self, value: Value, lengths: Sequence[Size]) -> bool:
        """The lengths are those of the operand: no dimension of it is cut."""
        shape = getattr(value.type, "shape", ())
        return all(
            length == size or (isinstance(length, Value) and length is self._whole.get((value, axis)))
            for axis, (length, size) in enumerate(zip(lengths, shape))
        )

    def _move_positions(self) -> None:
        """What asks for a position gets that in the whole op."""
        for inner in self.made.body:
            if isinstance(inner, linalg.Index) and inner.dim in self.ranges:
                uses = inner.result.uses
                inside = Builder.after(inner)
                begin = self.ranges[inner.dim][0]
                moved = Sizes(inside).add(inner.result, begin)
                if isinstance(moved, Value) and moved is not inner.result:
                    for use in uses:
                        use.set(moved)


def map_part(expr: AffineExpr, ranges: Ranges) -> AffineExpr:
    """The expression inside of the part: a slice begins where the constant leads."""
    terms = terms_of(expr)
    if terms is None or not any(dim in ranges for dim in terms[0]):
        return expr
    return expr - terms[1]


def _copy_on(op: linalg.Generic, operands: Sequence[Value], maps: Sequence[AffineMap]) -> linalg.Generic:
    """The op on other operands, with other maps."""
    block = Block([argument.type for argument in op.body.arguments])
    mapping: dict[Any, Any] = dict(zip(op.body.arguments, block.arguments))
    for old, new in zip(op.body.arguments, block.arguments):
        new.hint = old.hint
    for inner in op.body:
        block.append(clone_into(inner, mapping))
    count = len(op.inputs)
    copy: linalg.Generic = create(
        linalg.Generic, list(operands[:count]), list(operands[count:]), regions=[Region([block])], attributes=op.attributes,
        location=op.location, indexing_maps=list(maps), iterator_types=op.properties["iterator_types"],
    )  # fmt: skip
    for name in ("doc", "library_call"):
        copy.set_property(name, op.properties.get(name))
    return copy


def slice_of(b: Builder, value: Value, offsets: Sequence[Size], lengths: Sequence[Size]) -> Value:
    """A slice of a tensor, or a view of a buffer."""
    operands, lists = _lists(offsets, lengths)
    type = value.type
    if isinstance(type, MemRefType):
        strides = [1] * len(lengths)
        made = memref.Subview.result_type(type, lists["static_offsets"], lists["static_sizes"], strides)
        return b.create(memref.Subview, value, *operands, result_types=[made], **lists)
    assert isinstance(type, TensorType)
    made_tensor = TensorType(tuple(dims_of(lists["static_sizes"])), type.element, type.encoding)
    return b.create(tensor.ExtractSlice, value, *operands, result_types=[made_tensor], **lists)


def _lists(offsets: Sequence[Size], lengths: Sequence[Size]) -> tuple[list[list[Value]], dict[str, list[int]]]:
    """The operands and static lists of a slice with steps of 1."""
    (static_offsets, dynamic_offsets), (static_sizes, dynamic_sizes) = split_mixed(offsets), split_mixed(lengths)
    assert all(number >= 0 or number == DYNAMIC_INDEX for number in static_sizes)
    lists = {"static_offsets": static_offsets, "static_sizes": static_sizes, "static_strides": [1] * len(static_sizes)}
    return [dynamic_offsets, dynamic_sizes, []], lists
