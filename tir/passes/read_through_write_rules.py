"""The rules of `read-through-write`, one fact each: what is read where something was just written is what was written.

A rule that would lose an error at run time does not fit: what was written stays, or cannot fail.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tir.dialects import tensor
from tir.dialects.tir.arrange import Concat
from tir.dialects.tir.create import Constant, Full, Iota
from tir.dialects.tir.elements import number_attribute
from tir.dialects.tir.gather import IndexNd, Take, TakeAlongAxis
from tir.dialects.tir.moving import DynamicSlice, UpdateSlice
from tir.dialects.tir.scatter import Put, PutAlongAxis, PutNd
from tir.dialects.tir.shape import Pad, Slice
from tir.dialects.tir.state import Read, Update
from tir.ir.execution import numpy_dtype
from tir.ir.ir import Op, Value
from tir.ir.rewrite import Rule, rule
from tir.ir.traits import ConstantLike
from tir.ir.types import DYNAMIC, TensorType
from tir.lazy import np

__all__ = ["RULES", "same_places"]


def same_places(first: Sequence[Value], second: Sequence[Value]) -> bool:
    """The indices are the same: values, or equal constants."""
    return len(first) == len(second) and all(map(_is_same, first, second))


def _is_same(first: Value, second: Value) -> bool:
    constant = _constant(first)
    return first is second or (constant is not None and constant is _constant(second))


def _constant(value: Value) -> Any:
    return value.op.properties.get("value") if isinstance(value.op, ConstantLike) else None


def _are_apart(first: Sequence[Value], second: Sequence[Value]) -> bool:
    """The indices are constants, and not the same."""
    pairs = [(_constant(a), _constant(b)) for a, b in zip(first, second)]
    return any(a is not None and b is not None and a.value != b.value for a, b in pairs)


def _has_known_sizes(type: TensorType) -> bool:
    """Each size is static or named: equal types are equal shapes."""
    return DYNAMIC not in type.shape


def _still_fails(written: Op) -> bool:
    """Whatever is wrong when the op runs is found without this use of it, too."""
    return not written.may_fail() or not written.results[0].has_one_use  # type: ignore[attr-defined]


def _stands_for(value: Value, op: Op) -> Value | None:
    """The value, if it may stand in for the result of `op`."""
    type = op.results[0].type
    return value if value.type is type and _has_known_sizes(type) else None  # type: ignore[arg-type]


# --- slices ----------------------------------------------------------------------------------------------------------


@rule(DynamicSlice)
def slice_of_update(op: DynamicSlice, b: Any) -> Value | None:
    """dynamic_slice(update_slice(x, u, at i), at i) -> u   exact"""
    written = op.x.op
    if not isinstance(written, UpdateSlice) or not same_places(op.starts, written.starts) or not _still_fails(written):
        return None
    return _stands_for(written.u, op) if op.mode == written.mode else None


@rule(UpdateSlice)
def update_of_update(op: UpdateSlice, b: Any) -> Value | None:
    """update_slice(update_slice(x, u, at i), v, at i) -> update_slice(x, v, at i)   exact"""
    inner = op.x.op
    if not isinstance(inner, UpdateSlice) or not same_places(op.starts, inner.starts) or op.mode != inner.mode:
        return None
    if op.u.type is not inner.u.type or not _has_known_sizes(op.u.type):
        return None
    return b.create(UpdateSlice, inner.x, op.u, op.starts, mode=op.mode)


@rule(UpdateSlice)
def update_of_all(op: UpdateSlice, b: Any) -> Value | None:
    """update_slice(x, u) -> u, if u is as large as x   exact"""
    return _stands_for(op.u, op) if op.mode == "clamp" or _begin_at_zero(op.starts) else None


@rule(DynamicSlice)
def slice_of_all_that_moves(op: DynamicSlice, b: Any) -> Value | None:
    """dynamic_slice(x) -> x, if it is as large as x   exact"""
    return _stands_for(op.x, op) if op.mode == "clamp" or _begin_at_zero(op.starts) else None


def _begin_at_zero(starts: Sequence[Value]) -> bool:
    constants = [start.op.value if isinstance(start.op, Constant) else None for start in starts]
    return all(one is not None and hasattr(one, "numpy") and one.numpy().item() == 0 for one in constants)


@rule(Slice)
def slice_of_pad(op: Slice, b: Any) -> Value | None:
    """slice(pad(x, in p), p) -> x   exact"""
    written = op.x.op
    if not isinstance(written, Pad) or not _still_fails(written):
        return None
    same = all(list(getattr(op, name)) == list(getattr(written, name)) for name in ("starts", "limits", "strides"))
    return _stands_for(written.x, op) if same else None


# --- elements at indices ---------------------------------------------------------------------------------------------

_TWINS = {Take: Put, TakeAlongAxis: PutAlongAxis, IndexNd: PutNd}


def _indices(op: Any) -> Sequence[Value]:
    return op.points if isinstance(op, (IndexNd, PutNd)) else [op.index]


def _same_writes(op: Any, written: Any) -> bool:
    """The two ops are about the same places, which `written` sets."""
    same_axis = getattr(op, "axis", None) == getattr(written, "axis", None)
    same_kind = written.kind == "set" and op.mode == written.mode
    return bool(same_axis and same_kind) and same_places(_indices(op), _indices(written))


@rule(Take, TakeAlongAxis, IndexNd)
def take_of_put(op: Any, b: Any) -> Value | None:
    """take(put(set, x, at i, u), at i) -> u, for one index   exact"""
    written = op.x.op
    if type(written) is not _TWINS[type(op)] or not _same_writes(op, written) or not _still_fails(written):
        return None
    is_one = all(index.type.is_static and index.type.count == 1 for index in _indices(op))  # type: ignore[attr-defined]
    # Of several, two may be one place, whatever `unique` promises; in mode `drop` an index may have none.
    return _stands_for(written.u, op) if is_one and op.mode != "drop" else None


@rule(Put, PutAlongAxis, PutNd)
def put_of_put(op: Any, b: Any) -> Value | None:
    """put(set, put(set, x, at i, u), at i, v) -> put(set, x, at i, v)   exact"""
    inner = op.x.op
    if type(inner) is not type(op) or op.kind != "set" or not _same_writes(op, inner):
        return None
    if op.u.type is not inner.u.type or not _has_known_sizes(op.u.type):
        return None
    unique = bool(op.unique_indices)
    return op.write(b, b.tensor(inner.x), b.tensor(op.u), "set").value if unique == bool(inner.unique_indices) else None


# --- what is known everywhere ----------------------------------------------------------------------------------------


@rule(Slice, DynamicSlice)
def slice_of_one_number(op: Any, b: Any) -> Value | None:
    """slice(full(c)) -> full(c)   exact"""
    made, type = op.x.op, op.result_type
    if not isinstance(made, Full) or not type.is_static or op.may_fail():
        return None
    return b.create(Full, [], value=made.properties["value"], result_types=[type])


@rule(Take, TakeAlongAxis, IndexNd)
def element_of_one_number(op: Any, b: Any) -> Value | None:
    """take(full(c), at i, clamp) -> full(c)   exact"""
    made, type = op.x.op, op.result_type
    if not isinstance(made, Full) or not type.is_static or op.may_fail() or op.mode != "clamp":
        return None
    return b.create(Full, [], value=made.properties["value"], result_types=[type])


@rule(Slice)
def slice_of_one_position(op: Slice, b: Any) -> Value | None:
    """slice(iota, at k) -> full(k)   exact"""
    made, type = op.x.op, op.result_type
    if not isinstance(made, Iota) or op.may_fail() or type.shape[made.axis] != 1:
        return None
    number = np.asarray(op.starts[made.axis]).astype(numpy_dtype(type)).item()
    return b.create(Full, [], value=number_attribute(number, type.element), result_types=[type])


@rule(Slice)
def slice_of_first_positions(op: Slice, b: Any) -> Value | None:
    """slice(iota, from 0) -> iota   exact"""
    made = op.x.op
    if not isinstance(made, Iota) or op.may_fail() or op.starts[made.axis] != 0 or op.strides[made.axis] != 1:
        return None
    return b.create(Iota, [], axis=made.axis, result_types=[op.result_type])


@rule(Slice)
def slice_of_concat(op: Slice, b: Any) -> Value | None:
    """slice(concat(x, y), part of y) -> slice(y, part)   exact"""
    joined, type = op.x.op, op.result_type
    if not isinstance(joined, Concat) or not op.x.type.is_static or not _still_fails(joined):
        return None
    axis, at = joined.axis, 0
    start, size = op.starts[axis], type.shape[axis]
    end = start + (size - 1) * op.strides[axis] + 1
    for part in joined.inputs:
        length = part.type.shape[axis]
        if size and at <= start and end <= at + length:
            starts = [start - at if i == axis else one for i, one in enumerate(op.starts)]
            limits = [end - at if i == axis else one for i, one in enumerate(op.limits)]
            found = b.create(Slice, part, starts=starts, limits=limits, strides=op.strides)
            return found if found.type is type else None
        at += length
    return None


# --- shared variables ------------------------------------------------------------------------------------------------


@rule(Update)
def update_by_what_is_there(op: Update, b: Any) -> Sequence[Value] | None:
    """update @w, (read @w) -> nothing   exact"""
    return [] if isinstance(op.value.op, Read) and op.value.op.symbol == op.symbol else None


# --- the dialect tensor ----------------------------------------------------------------------------------------------


@rule(tensor.Extract)
def extract_of_insert(op: tensor.Extract, b: Any) -> Value | None:
    """extract(insert(x, t, at i), at i) -> x   exact"""
    written = op.tensor.op
    fits = isinstance(written, tensor.Insert) and same_places(op.indices, written.indices) and _still_fails(written)
    return written.scalar if fits else None


@rule(tensor.Extract)
def extract_beside_insert(op: tensor.Extract, b: Any) -> Value | None:
    """extract(insert(x, t, at i), at k) -> extract(t, at k), for constants i and k that differ   exact"""
    written = op.tensor.op
    fits = isinstance(written, tensor.Insert) and _are_apart(op.indices, written.indices) and _still_fails(written)
    return b.create(tensor.Extract, written.dest, op.indices) if fits else None


@rule(tensor.Insert)
def insert_of_insert(op: tensor.Insert, b: Any) -> Value | None:
    """insert(x, insert(y, t, at i), at i) -> insert(x, t, at i)   exact"""
    inner = op.dest.op
    fits = isinstance(inner, tensor.Insert) and same_places(op.indices, inner.indices)
    return b.create(tensor.Insert, op.scalar, inner.dest, op.indices) if fits else None


@rule(tensor.Extract)
def extract_of_splat(op: tensor.Extract, b: Any) -> Value | None:
    """extract(splat(x), at i) -> x   exact"""
    made = op.tensor.op
    return made.input if isinstance(made, tensor.Splat) and not op.may_fail() and not made.may_fail() else None


@rule(tensor.Extract)
def extract_of_elements(op: tensor.Extract, b: Any) -> Value | None:
    """extract(from_elements(x, y, ..), at k) -> the one at k   exact"""
    made = op.tensor.op
    if not isinstance(made, tensor.FromElements) or op.may_fail():
        return None
    at = [_constant(index).value for index in op.indices]
    return made.elements[int(np.ravel_multi_index(at, made.result.type.static_shape)) if at else 0]


def _same_slices(op: Any, written: Any) -> bool:
    lists = ("static_offsets", "static_sizes", "static_strides")
    dynamic = [[*one.offsets, *one.sizes, *one.strides] for one in (op, written)]
    return all(list(getattr(op, name)) == list(getattr(written, name)) for name in lists) and same_places(*dynamic)


@rule(tensor.ExtractSlice)
def extract_of_insert_slice(op: tensor.ExtractSlice, b: Any) -> Value | None:
    """extract_slice(insert_slice(x, t, in p), p) -> x   exact"""
    written = op.source.op
    if not isinstance(written, tensor.InsertSlice) or not _same_slices(op, written) or not _still_fails(written):
        return None
    return _stands_for(written.source, op)


@rule(tensor.InsertSlice)
def insert_of_insert_slice(op: tensor.InsertSlice, b: Any) -> Value | None:
    """insert_slice(x, insert_slice(y, t, in p), p) -> insert_slice(x, t, in p)   exact"""
    inner = op.dest.op
    if not isinstance(inner, tensor.InsertSlice) or not _same_slices(op, inner) or op.source.type is not inner.source.type:
        return None
    if not _has_known_sizes(op.source.type):
        return None
    lists = {name: getattr(op, name) for name in ("static_offsets", "static_sizes", "static_strides")}
    return b.create(tensor.InsertSlice, op.source, inner.dest, op.offsets, op.sizes, op.strides, **lists)


RULES: tuple[Rule, ...] = (
    slice_of_update, update_of_update, update_of_all, slice_of_all_that_moves, slice_of_pad, take_of_put, put_of_put,
    slice_of_one_number, element_of_one_number, slice_of_one_position, slice_of_first_positions, slice_of_concat,
    update_by_what_is_there, extract_of_insert, extract_beside_insert, insert_of_insert, extract_of_splat,
    extract_of_elements, extract_of_insert_slice, insert_of_insert_slice,
)  # fmt: skip
