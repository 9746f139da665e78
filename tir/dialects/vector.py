"""The vector dialect: fixed-size vectors, moved between registers and buffers, and reduced.

Loads and stores touch neighbouring elements along the last axis (or the last axes, for a vector of higher rank). An
element that a mask leaves out may be out of bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tir.dialects.arith import FASTMATH
from tir.dialects.numeric import fma, maximum, minimum, of_type, signed, unsigned
from tir.ir.define import attribute, operand, result
from tir.ir.errors import TirError, counted
from tir.ir.execution import Frame, numpy_dtype
from tir.ir.ir import Op, Value
from tir.ir.kinds import (
    ANY,
    ANY_FLOAT,
    ANY_MEMREF,
    ANY_VECTOR,
    BOOL,
    I64_ARRAY,
    I64_ATTR,
    INDEX_KIND,
    dialect_enum,
    exactly,
    vector_of,
)
from tir.ir.registry import Dialect
from tir.ir.traits import Pure, ReadsMemory, WritesMemory
from tir.ir.types import I1, MemRefType, Type, VectorType, element_type
from tir.ir.views import checked_slices, fill_in, gather, mixed, verify_mixed
from tir.lazy import np

__all__ = [
    "Broadcast", "CreateMask", "DIALECT", "Extract", "FMA", "Insert", "KIND", "Load", "MaskedLoad", "MaskedStore",
    "Reduction", "Store",
]  # fmt: skip

MASK = vector_of(exactly(I1))
KIND = dialect_enum(
    "vector.kind",
    (
        "add", "mul", "minui", "minsi", "minnumf", "maxui", "maxsi", "maxnumf", "and", "or", "xor", "maximumf",
        "minimumf",
    ),
)  # fmt: skip


# --- memory ----------------------------------------------------------------------------------------------------------


class Load(ReadsMemory, Op):
    """`vector.load %m[%i, %j] : memref<?x16xf32>, vector<8xf32>`: neighbouring elements, from the indices on."""

    name = "vector.load"
    base = operand(ANY_MEMREF)
    indices = operand(INDEX_KIND, variadic=True)
    result = result(ANY_VECTOR)
    nontemporal = attribute(BOOL, optional=True)
    alignment = attribute(I64_ATTR, optional=True)
    format = "$base `[` $indices `]` attr-dict `:` type($base) `,` type($result)"

    def verify(self) -> None:
        _check_access(self.base.type, self.indices, self.result.type)

    def interpret(self, frame: Frame) -> tuple[Any, ...]:
        array, *indices = [frame[v] for v in self.operands]
        return (np.array(_window(array, indices, self.result.type)),)


class Store(WritesMemory, Op):
    """`vector.store %v, %m[%i, %j] : memref<?x16xf32>, vector<8xf32>`: writes neighbouring elements."""

    name = "vector.store"
    valueToStore = operand(ANY_VECTOR)
    base = operand(ANY_MEMREF)
    indices = operand(INDEX_KIND, variadic=True)
    nontemporal = attribute(BOOL, optional=True)
    alignment = attribute(I64_ATTR, optional=True)
    format = "$valueToStore `,` $base `[` $indices `]` attr-dict `:` type($base) `,` type($valueToStore)"

    def verify(self) -> None:
        _check_access(self.base.type, self.indices, self.valueToStore.type)

    def interpret(self, frame: Frame) -> tuple[Any, ...]:
        value, array, *indices = [frame[v] for v in self.operands]
        _window(array, indices, self.valueToStore.type)[...] = value
        return ()


class MaskedLoad(ReadsMemory, Op):
    """`vector.maskedload %m[%i], %mask, %other : memref<?xf32>, vector<8xi1>, vector<8xf32> into vector<8xf32>`.

    Reads the elements where the mask is true; the others are those of %other.
    """

    name = "vector.maskedload"
    base = operand(ANY_MEMREF)
    indices = operand(INDEX_KIND, variadic=True)
    mask = operand(MASK)
    pass_thru = operand(ANY_VECTOR)
    result = result(ANY_VECTOR)
    alignment = attribute(I64_ATTR, optional=True)
    format = (
        "$base `[` $indices `]` `,` $mask `,` $pass_thru attr-dict "
        "`:` type($base) `,` type($mask) `,` type($pass_thru) `into` type($result)"
    )

    def verify(self) -> None:
        _check_masked(self.base.type, self.indices, self.mask.type, self.result.type)
        if self.pass_thru.type is not self.result.type:
            raise TirError(f"pass_thru and result must have one type, got {self.pass_thru.type} and {self.result.type}")

    def interpret(self, frame: Frame) -> tuple[Any, ...]:
        array, *indices, mask, other = [frame[v] for v in self.operands]
        loaded = np.array(other)
        row, places = _masked_places(array, indices, mask)
        loaded[mask] = row[places]
        return (loaded,)


class MaskedStore(WritesMemory, Op):
    """`vector.maskedstore %m[%i], %mask, %v : memref<?xf32>, vector<8xi1>, vector<8xf32>`: writes where the mask is."""

    name = "vector.maskedstore"
    base = operand(ANY_MEMREF)
    indices = operand(INDEX_KIND, variadic=True)
    mask = operand(MASK)
    valueToStore = operand(ANY_VECTOR)
    alignment = attribute(I64_ATTR, optional=True)
    format = (
        "$base `[` $indices `]` `,` $mask `,` $valueToStore attr-dict "
        "`:` type($base) `,` type($mask) `,` type($valueToStore)"
    )

    def verify(self) -> None:
        _check_masked(self.base.type, self.indices, self.mask.type, self.valueToStore.type)

    def interpret(self, frame: Frame) -> tuple[Any, ...]:
        array, *indices, mask, value = [frame[v] for v in self.operands]
        row, places = _masked_places(array, indices, mask)
        row[places] = value[mask]
        return ()


def _window(array: Any, indices: Sequence[Any], type: VectorType) -> Any:
    """The part of an array that a vector at these indices covers."""
    leading = array.ndim - type.rank
    sizes = [1] * leading + list(type.static_shape)
    part = array[checked_slices([[int(i) for i in indices], sizes, [1] * array.ndim], array.shape)]
    return part[(0,) * leading]


def _masked_places(array: Any, indices: Sequence[Any], mask: Any) -> tuple[Any, Any]:
    """The row that a mask of rank 1 is over, and the places in it where the mask is true."""
    places = int(indices[-1]) + np.flatnonzero(mask)
    if not places.size:
        return array[(0,) * (array.ndim - 1)] if array.size else np.empty(0, array.dtype), places
    gather(array, [*indices[:-1], places])
    return array[tuple(indices[:-1])], places


# --- registers -------------------------------------------------------------------------------------------------------


class Broadcast(Pure, Op):
    """`vector.broadcast %x : f32 to vector<4x8xf32>`: repeats along new leading axes and along axes of size 1."""

    name = "vector.broadcast"
    source = operand(ANY)
    vector = result(ANY_VECTOR)
    format = "$source attr-dict `:` type($source) `to` type($vector)"

    def verify(self) -> None:
        source, vector = self.source.type, self.vector.type
        shape = source.static_shape if isinstance(source, VectorType) else ()
        trailing = vector.static_shape[vector.rank - len(shape) :] if len(shape) <= vector.rank else None
        fits = trailing is not None and all(a in (1, b) for a, b in zip(shape, trailing))
        if not fits or element_type(source) is not vector.element:
            raise TirError(f"{source} cannot be broadcast to {vector}")

    def reference(self, source: Any) -> Any:
        return np.broadcast_to(source, self.vector.type.static_shape)


class FMA(Pure, Op):
    """`vector.fma %a, %b, %c : vector<8xf32>`: a * b + c, rounded once."""

    name = "vector.fma"
    lhs = operand(vector_of(ANY_FLOAT))
    rhs = operand(vector_of(ANY_FLOAT))
    acc = operand(vector_of(ANY_FLOAT))
    result = result(vector_of(ANY_FLOAT))
    format = "$lhs `,` $rhs `,` $acc attr-dict `:` type($lhs)"

    def infer(self) -> Sequence[Type]:
        return [self.lhs.type]

    def verify(self) -> None:
        types = [value.type for value in self.operands]
        if len(set(types)) != 1:
            raise TirError(f"operands must have one type, got {', '.join(map(str, types))}")

    def reference(self, lhs: Any, rhs: Any, acc: Any) -> Any:
        return fma(lhs, rhs, acc, self.result.type)


class Reduction(Pure, Op):
    """`vector.reduction <add>, %v, %acc : vector<8xf32> into f32`: combines the elements, in order, starting with %acc.

    Without %acc, a sum of floats starts with 0.0 and a product with 1.0.
    """

    name = "vector.reduction"
    vector = operand(ANY_VECTOR)
    acc = operand(ANY, optional=True)
    dest = result(ANY)
    kind = attribute(KIND)
    fastmath = attribute(FASTMATH, default="none")
    format = (
        "$kind `,` $vector (`,` $acc^)? (`fastmath` `` $fastmath^)? attr-dict `:` type($vector) `into` type($dest)"
    )

    def verify(self) -> None:
        vector, dest = self.vector.type, self.dest.type
        if vector.rank != 1 or dest is not vector.element:
            raise TirError(f"reduces a vector of rank 1 to its element type, got {vector} and {dest}")
        if self.acc is not None and self.acc.type is not dest:
            raise TirError(f"the start value must be of type {dest}, got {self.acc.type}")
        if self.kind in (_BIT_KINDS if ANY_FLOAT.accepts(dest) else _FLOAT_KINDS):
            raise TirError(f"<{self.kind}> is not for elements of type {dest}")

    def reference(self, vector: Any, acc: Any = None) -> Any:
        type = self.dest.type
        combine = _COMBINE[self.kind]
        rest = iter(vector)
        if acc is None:
            starts_at = {"add": 0.0, "mul": 1.0}
            fresh = ANY_FLOAT.accepts(type) and self.kind in starts_at
            acc = numpy_dtype(type).type(starts_at[self.kind]) if fresh else next(rest)
        for element in rest:
            acc = of_type(combine(acc, element), type)
        return acc


_COMBINE: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda a, b: signed(a) + signed(b),
    "mul": lambda a, b: signed(a) * signed(b),
    "minui": lambda a, b: np.minimum(unsigned(a), unsigned(b)),
    "minsi": lambda a, b: np.minimum(signed(a), signed(b)),
    "maxui": lambda a, b: np.maximum(unsigned(a), unsigned(b)),
    "maxsi": lambda a, b: np.maximum(signed(a), signed(b)),
    "minnumf": lambda a, b: minimum(b if np.isnan(a) else a, a if np.isnan(b) else b),
    "maxnumf": lambda a, b: maximum(b if np.isnan(a) else a, a if np.isnan(b) else b),
    "minimumf": minimum,
    "maximumf": maximum,
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "xor": lambda a, b: a ^ b,
}
_FLOAT_KINDS = frozenset({"minnumf", "maxnumf", "minimumf", "maximumf"})
_BIT_KINDS = frozenset({"minui", "minsi", "maxui", "maxsi", "and", "or", "xor"})


class Extract(Pure, Op):
    """`vector.extract %v[2, %i] : f32 from vector<4x8xf32>`: an element, or a part along the last axes."""

    name = "vector.extract"
    source = operand(ANY_VECTOR)
    dynamic_position = operand(INDEX_KIND, variadic=True)
    result = result(ANY)
    static_position = attribute(I64_ARRAY)
    format = (
        "$source `` custom<DynamicIndexList>($dynamic_position, $static_position) attr-dict "
        "`:` type($result) `from` type($source)"
    )

    @property
    def mixed_position(self) -> list[int | Value]:
        """The index along each of the first axes."""
        return mixed(self.static_position, self.dynamic_position)

    def infer(self) -> Sequence[Type]:
        return [_part(self.source.type, len(self.static_position))]

    def verify(self) -> None:
        _check_position(self.source.type, self.static_position, self.dynamic_position)

    def reference(self, source: Any, *indices: Any) -> Any:
        rest = iter(indices)
        return gather(source, [n if isinstance(n, int) else next(rest) for n in self.mixed_position])


class Insert(Pure, Op):
    """`vector.insert %x, %v[1, 3] : f32 into vector<4x8xf32>`: the vector with an element, or a part, replaced."""

    name = "vector.insert"
    valueToStore = operand(ANY)
    dest = operand(ANY_VECTOR)
    dynamic_position = operand(INDEX_KIND, variadic=True)
    result = result(ANY_VECTOR)
    static_position = attribute(I64_ARRAY)
    format = (
        "$valueToStore `,` $dest custom<DynamicIndexList>($dynamic_position, $static_position) attr-dict "
        "`:` type($valueToStore) `into` type($dest)"
    )

    @property
    def mixed_position(self) -> list[int | Value]:
        """The index along each of the first axes."""
        return mixed(self.static_position, self.dynamic_position)

    def infer(self) -> Sequence[Type]:
        return [self.dest.type]

    def verify(self) -> None:
        _check_position(self.dest.type, self.static_position, self.dynamic_position)
        want = _part(self.dest.type, len(self.static_position))
        if self.valueToStore.type is not want:
            raise TirError(f"the value at such a position must be {want}, got {self.valueToStore.type}")

    def reference(self, value: Any, dest: Any, *indices: Any) -> Any:
        (position,) = fill_in([self.static_position], indices)
        gather(dest, position)
        changed = np.array(dest)
        changed[tuple(position)] = value
        return changed


class CreateMask(Pure, Op):
    """`vector.create_mask %n : vector<8xi1>`: true at the first %n positions; of more axes, where all say so."""

    name = "vector.create_mask"
    sizes = operand(INDEX_KIND, variadic=True)
    result = result(MASK)
    format = "$sizes attr-dict `:` type($result)"

    def verify(self) -> None:
        if len(self.sizes) != self.result.type.rank:
            raise TirError(f"{self.result.type} needs {counted(self.result.type.rank, 'size')}, got {len(self.sizes)}")

    def reference(self, *sizes: Any) -> Any:
        mask = np.zeros(self.result.type.static_shape, np.bool_)
        mask[tuple(slice(0, max(0, int(size))) for size in sizes)] = True
        return mask


# --- rules that several ops share ------------------------------------------------------------------------------------


def _check_access(base: MemRefType, indices: Sequence[Value], vector: VectorType) -> None:
    if len(indices) != base.rank:
        raise TirError(f"{base} needs {counted(base.rank, 'index', 'indices')}, got {len(indices)}")
    if vector.element is not base.element or vector.rank > base.rank:
        raise TirError(f"a {vector} cannot be part of a {base}")
    strides = base.strides_and_offset()[0] if not hasattr(base.layout, "results") else [None]
    if base.rank and vector.rank and strides[-1] != 1:
        raise TirError(f"the last axis of {base} must have stride 1")


def _check_masked(base: MemRefType, indices: Sequence[Value], mask: VectorType, vector: VectorType) -> None:
    _check_access(base, indices, vector)
    if vector.rank != 1 or mask.shape != vector.shape:
        raise TirError(f"vector and mask must have rank 1 and one size, got {vector} and {mask}")


def _check_position(type: VectorType, static: Sequence[int], dynamic: Sequence[Value]) -> None:
    if len(static) > type.rank:
        raise TirError(f"{type} has {counted(type.rank, 'axis', 'axes')}, got {counted(len(static), 'index', 'indices')}")
    verify_mixed("indices", static, dynamic, len(static))
    for axis, (index, size) in enumerate(zip(mixed(static, dynamic), type.static_shape)):
        if isinstance(index, int) and not 0 <= index < size:
            raise TirError(f"index {index} is out of bounds for axis {axis} of {type}")


def _part(type: VectorType, count: int) -> Type:
    """What is left of a vector type behind `count` indices."""
    return type.element if count == type.rank and count else VectorType(type.shape[count:], type.element)


DIALECT = Dialect(
    "vector",
    "Fixed-size vectors, moved between registers and buffers, and reduced.",
    (Load, Store, MaskedLoad, MaskedStore, Broadcast, FMA, Reduction, Extract, Insert, CreateMask),
)
