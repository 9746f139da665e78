"""Theano's functions that move elements: reshape, dimshuffle, join, split, stack, tile; and sizes of tensors."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any, cast

from tir.dialects.tir.arrange import Concat
from tir.dialects.tir.build.core import Extent, SizeOf, Tensor, listed, told
from tir.dialects.tir.logic import Cast
from tir.dialects.tir.shape import Broadcast, DimOp, Reshape
from tir.graph.errors import GraphTypeError, GraphValueError
from tir.graph.graph import GRAPH as b
from tir.graph.graph import located, with_type
from tir.ir.attributes import DenseAttr
from tir.ir.errors import TirError, counted
from tir.ir.ir import Op, Value
from tir.ir.traits import ConstantLike
from tir.ir.types import DYNAMIC, I64, INDEX, Dim, IntegerType, TensorType
from tir.lazy import np

__all__ = [
    "addbroadcast", "concatenate", "dimshuffle", "expand_dims", "extract_constant", "flatten", "get_scalar_constant_value",
    "horizontal_stack", "join", "moveaxis", "patternbroadcast", "ravel", "repeat", "reshape", "roll", "rollaxis", "shape",
    "shape_padaxis", "shape_padleft", "shape_padright", "size", "specify_shape", "split", "squeeze", "stack", "stacklists",
    "swapaxes", "tile", "transpose", "unbroadcast", "vertical_stack",
]  # fmt: skip

# --- sizes -----------------------------------------------------------------------------------------------------------


@located
def shape(x: Any) -> Tensor:
    """The sizes of x, a vector of int64."""
    x = b.tensor(x)
    return stacked(b.shape(x))


def stacked(sizes: Sequence[Any]) -> Tensor:
    """Sizes, some of which may be variables, as a vector of int64."""
    found = [one if isinstance(one, Tensor) else b.cast(b.tensor(b.extent_count(one)), I64) for one in sizes]
    return b.stack(found) if found else b.constant(np.zeros(0, np.int64))


def _size(x: Tensor, axis: int) -> Tensor:
    dim = x.type.shape[axis]
    return b.constant(dim, I64) if isinstance(dim, int) else b.cast(b.dim(x, axis), I64)


@located
def size(x: Any) -> Tensor:
    """The number of elements of x, as int64."""
    x = b.tensor(x)
    found = b.constant(1, I64)
    for axis in range(x.type.rank):
        found = b.mul(found, _size(x, axis))
    return found


def extent_of(given: Any) -> Extent:
    """A size as the builder takes it: of a whole number, or of a 0-d integer variable."""
    if isinstance(given, (SizeOf, Value)):
        return given
    if not isinstance(given, Tensor):
        try:
            return operator.index(given)
        except TypeError:
            if isinstance(given, np.ndarray) and given.ndim == 0 and given.dtype.kind in "iu":
                return int(given)
            if isinstance(given, (float, np.floating)) and float(given).is_integer():
                return int(given)
            raise GraphTypeError(f"a size must be a whole number or a 0-d integer variable, got {told(given)}") from None
    if given.type.rank != 0 or not isinstance(given.type.element, IntegerType):
        raise GraphTypeError(f"a size must be a 0-d integer variable, got {given!r}")
    known = constant_of(given)
    if known is not None:
        return int(known)
    op = b.tensor(given).value.op
    while isinstance(op, Cast) and op.x.op is not None:
        if op.x.type is INDEX:
            maker = op.x.op
            return SizeOf(maker.x, maker.axis) if isinstance(maker, DimOp) else op.x
        op = op.x.op
    return b.to_index(given)


def extents_of(given: Any) -> list[Extent]:
    """A shape: a list of sizes, one size, or a vector of integers."""
    if isinstance(given, Tensor) and given.type.rank == 1:
        return [extent_of(one) for one in elements_of(given)]
    if isinstance(given, np.ndarray) and given.ndim == 1:
        given = given.tolist()
    return [extent_of(one) for one in (given if isinstance(given, (list, tuple)) else [given])]


def stacked_parts(vector: Tensor) -> list[Tensor] | None:
    """What a vector was stacked of, such as the sizes of a shape; None if it was not."""
    op = b.tensor(vector).value.op
    if not isinstance(op, Concat) or vector.type.rank != 1:
        return None
    parts = [_unstacked(value) for value in op.operands]
    return None if any(part is None for part in parts) else parts  # type: ignore[return-value]


def elements_of(vector: Tensor) -> list[Tensor]:
    """The elements of a vector of known length, those themselves that it was stacked of."""
    count = vector.type.shape[0]
    if not isinstance(count, int):
        raise GraphTypeError(f"the length must be known, got {vector.type}", hint="write the sizes one by one, (n, m)")
    if (parts := stacked_parts(vector)) is not None:
        return parts
    known = constant_of(vector)
    if known is not None:
        return [b.constant(number) for number in known]
    return [vector[i] for i in range(count)]


def _unstacked(value: Value) -> Tensor | None:
    """What a vector of one element was made of."""
    op = value.op
    if isinstance(op, (Broadcast, Reshape)) and op.x.type.rank == 0 and value.type.shape == (1,):  # type: ignore[attr-defined]
        return b.tensor(op.x)
    return None


def constant_of(x: Any) -> Any:
    """The array that a variable is known to be, else None."""
    op = b.tensor(x).value.op
    value = op.properties.get("value") if isinstance(op, Op) and isinstance(op, ConstantLike) else None
    if isinstance(value, DenseAttr):
        return value.numpy()
    if isinstance(op, Cast):
        inner = constant_of(b.tensor(op.x)) if isinstance(op.x.type, TensorType) else None
        return None if inner is None else inner.astype(np.dtype(x.dtype))
    return None


@located
def get_scalar_constant_value(x: Any) -> Any:
    """The number that a 0-d variable is known to be. NotScalarConstantError otherwise."""
    array = np.asarray(x) if not isinstance(x, Tensor) else constant_of(x)
    if array is None or array.ndim != 0:
        raise NotScalarConstantError(f"it is not known which number this is: {x!r}")
    return array


extract_constant = get_scalar_constant_value


class NotScalarConstantError(TirError):
    """A variable is no constant of one number."""


# --- the same elements in another shape ------------------------------------------------------------------------------


@located
def reshape(x: Any, newshape: Any, ndim: int | None = None) -> Tensor:
    """The elements of x in another shape, in row-major order; one size may be -1. ndim: how many sizes, if unknown."""
    x = b.tensor(x)
    sizes = _spread_ndim(newshape, ndim)
    if ndim is not None and len(sizes) != ndim:
        raise GraphValueError(f"ndim is {ndim}, but there are {counted(len(sizes), 'size')}")
    rest = [i for i, size in enumerate(sizes) if isinstance(size, int) and size == -1]
    if len(rest) > 1:
        raise GraphValueError(f"one size at most may be -1, got {len(rest)}")
    if any(isinstance(size, int) and size < -1 for size in sizes):
        raise GraphValueError(f"a size is at least 0, or -1 for the rest, got {sizes}")
    if rest:
        sizes[rest[0]] = _rest(x, [size for i, size in enumerate(sizes) if i != rest[0]])
    elif x.type.is_static and all(isinstance(size, int) for size in sizes):
        count, product = math.prod(x.type.static_shape), math.prod(cast(Sequence[int], sizes))
        if count != product:
            raise GraphValueError(f"{with_type(x)} has {count} elements, the shape {tuple(sizes)} {product}")
    return b.reshape(x, sizes)


def _spread_ndim(newshape: Any, ndim: int | None) -> list[Extent]:
    """The sizes of a shape; of a vector of unknown length the first `ndim`."""
    is_open = isinstance(newshape, Tensor) and newshape.type.rank == 1 and newshape.type.shape[0] is DYNAMIC
    if is_open and ndim is not None:
        return [extent_of(newshape[i]) for i in range(ndim)]
    return extents_of(newshape)


def _rest(x: Tensor, others: Sequence[Extent]) -> Extent:
    """The size that is left for one axis."""
    if x.type.is_static and all(isinstance(size, int) for size in others):
        count, product = math.prod(x.type.static_shape), math.prod(cast(Sequence[int], others))
        if product == 0 or count % product:
            raise GraphValueError(f"{count} elements cannot be divided into {list(others)} and a rest")
        return count // product
    total, divisor = size(x), b.constant(1, I64)
    for other in others:
        divisor = b.mul(divisor, b.constant(other, I64) if isinstance(other, int) else b.extent_count(other))
    return b.to_index(b.floordiv(total, b.maximum(divisor, b.constant(1, I64))))


@located
def flatten(x: Any, ndim: int | None = None, outdim: int | None = None) -> Tensor:
    """x with the last axes made one, so that `ndim` are left (1 by default)."""
    x = b.tensor(x)
    count = ndim if ndim is not None else 1 if outdim is None else outdim
    if not 1 <= count <= max(x.type.rank, 1):
        raise GraphValueError(f"ndim must be 1 to {x.type.rank}, got {count}")
    kept = list(b.shape(x)[: count - 1])
    if x.type.rank == count:
        return x
    found = b.count(x, range(count - 1, x.type.rank), I64)
    return b.reshape(x, [*kept, found if isinstance(found, int) else b.to_index(found)])


@located
def ravel(x: Any) -> Tensor:
    """The elements of x in a vector."""
    return flatten(x, 1)


@located
def dimshuffle(x: Any, *pattern: Any) -> Tensor:
    """The axes of x in the order of the pattern; 'x' stands for a new axis of size 1. Axes left out must have size 1."""
    x = b.tensor(x)
    if len(pattern) == 1 and isinstance(pattern[0], (list, tuple)):
        pattern = tuple(pattern[0])
    rank = x.type.rank
    for one in pattern:
        if one != "x" and not (isinstance(one, (int, np.integer)) and -rank <= one < rank):
            raise GraphValueError(f"the pattern has axes of {with_type(x)} and 'x', got {one!r} in {pattern}")
    order = [int(one) % rank for one in pattern if one != "x"]
    if len(set(order)) != len(order):
        raise GraphValueError(f"an axis may stand once in the pattern, got {pattern}")
    dropped = [axis for axis in range(rank) if axis not in order]
    for axis in dropped:
        if x.type.shape[axis] != 1:
            raise GraphValueError(
                f"only an axis of size 1 may be left out, got axis {axis} of {with_type(x)}",
                hint="T.addbroadcast(x, axis) says that it has size 1",
            )
    kept = [axis for axis in range(rank) if axis not in dropped]
    found = b.squeeze(x, dropped) if dropped else x
    found = b.transpose(found, [kept.index(axis) for axis in order])
    added = [i for i, one in enumerate(pattern) if one == "x"]
    return b.expand_dims(found, added) if added else found


@located
def transpose(x: Any, axes: Any = None) -> Tensor:
    """The axes in another order, reversed by default."""
    x = b.tensor(x)
    if axes is not None and sorted(axis % max(x.type.rank, 1) for axis in axes) != list(range(x.type.rank)):
        raise GraphValueError(f"each axis of {with_type(x)} must stand once, got {tuple(axes)}")
    return b.transpose(x, axes)


@located
def swapaxes(x: Any, axis1: int, axis2: int) -> Tensor:
    """x with two axes exchanged."""
    x = b.tensor(x)
    order = list(range(x.type.rank))
    first, second = b.axis_of(x, axis1), b.axis_of(x, axis2)
    order[first], order[second] = order[second], order[first]
    return b.transpose(x, order)


@located
def moveaxis(x: Any, source: Any, destination: Any) -> Tensor:
    """x with axes moved to other places, as numpy's."""
    x = b.tensor(x)
    sources = [b.axis_of(x, axis) for axis in listed(source)]
    places = [b.axis_of(x, axis) for axis in listed(destination)]
    order = [axis for axis in range(x.type.rank) if axis not in sources]
    for place, axis in sorted(zip(places, sources)):
        order.insert(place, axis)
    return b.transpose(x, order)


@located
def rollaxis(x: Any, axis: int, start: int = 0) -> Tensor:
    """x with an axis moved in front of the axis `start`."""
    x = b.tensor(x)
    axis = b.axis_of(x, axis)
    start = start + x.type.rank if start < 0 else start
    return moveaxis(x, axis, start - (axis < start))


# --- axes of size 1 --------------------------------------------------------------------------------------------------


@located
def expand_dims(x: Any, axis: Any) -> Tensor:
    """x with new axes of size 1 at these places of the result."""
    return b.expand_dims(x, axis)


@located
def squeeze(x: Any, axis: Any = None) -> Tensor:
    """x without axes of size 1: those given, or all that are known to have it."""
    return b.squeeze(x, axis)


@located
def shape_padleft(x: Any, n_ones: int = 1) -> Tensor:
    """x with new first axes of size 1."""
    return b.expand_dims(x, range(n_ones))


@located
def shape_padright(x: Any, n_ones: int = 1) -> Tensor:
    """x with new last axes of size 1."""
    x = b.tensor(x)
    return b.expand_dims(x, range(x.type.rank, x.type.rank + n_ones))


@located
def shape_padaxis(x: Any, axis: int) -> Tensor:
    """x with a new axis of size 1."""
    return b.expand_dims(x, axis)


def _respecified(x: Any, wanted: Any) -> Tensor:
    """x with a type whose sizes are those of `wanted(axis, dim)`; run time checks them."""
    x = b.tensor(x)
    sizes = [wanted(axis, dim) for axis, dim in enumerate(x.type.shape)]
    for axis, (dim, size) in enumerate(zip(x.type.shape, sizes)):
        if isinstance(dim, int) and isinstance(size, int) and dim != size:
            raise GraphValueError(f"axis {axis} of {with_type(x)} has size {dim}, not {size}")
    type = x.type.with_shape(sizes)
    return specified(b, x.value, type) if type is not x.type else x


def specified(builder: Any, value: Value, type: TensorType) -> Tensor:
    """The value with a type that knows more or less of its sizes, which are checked at run time."""
    pairs = list(zip(value.type.shape, type.shape))  # type: ignore[attr-defined]
    if any(DYNAMIC not in pair and pair[0] != pair[1] and not all(isinstance(dim, int) for dim in pair) for pair in pairs):
        # A number may be the size that a name stands for, which only run time knows.
        value = specified(builder, value, type.with_shape((DYNAMIC,) * type.rank)).value
    sizes = [builder.create(DimOp, value, axis=i) for i, dim in enumerate(type.shape) if dim is DYNAMIC]
    return builder.make(Broadcast, value, sizes, along=list(range(type.rank)), result_types=[type])


def stretched(x: Tensor, shape: Sequence[Extent]) -> Tensor:
    """x broadcast to this shape; run time checks the sizes that are open, which `b.broadcast_to` leaves to what follows."""
    new = len(shape) - x.type.rank
    if new < 0:
        raise GraphValueError(f"{with_type(x)} has more axes than the shape, which has {len(shape)}")
    is_same = new == 0 and all(to == own for own, to in zip(b.shape(x), shape))
    return x if is_same else b._sized(Broadcast, x, shape=shape, element=x.type.element, along=range(new, len(shape)))


@located
def addbroadcast(x: Any, *axes: int) -> Tensor:
    """x, whose sizes along these axes are said to be 1."""
    x = b.tensor(x)
    chosen = [b.axis_of(x, axis) for axis in axes]
    return _respecified(x, lambda axis, dim: 1 if axis in chosen else dim)


@located
def unbroadcast(x: Any, *axes: int) -> Tensor:
    """x, whose sizes along these axes are not said to be 1, so that they do not stretch."""
    x = b.tensor(x)
    chosen = [b.axis_of(x, axis) for axis in axes]
    return _respecified(x, lambda axis, dim: DYNAMIC if axis in chosen else dim)


@located
def patternbroadcast(x: Any, broadcastable: Sequence[bool]) -> Tensor:
    """x, which has size 1 along those axes where it is true, and may have another elsewhere."""

    def wanted(axis: int, dim: Dim) -> Dim:
        return 1 if broadcastable[axis] else DYNAMIC if dim == 1 else dim

    return _respecified(x, wanted)


@located
def specify_shape(x: Any, shape: Any) -> Tensor:
    """x, which has these sizes (None: any): run time checks it."""
    x = b.tensor(x)
    given = list(shape) if isinstance(shape, (list, tuple)) else extents_of(shape)
    sizes = [DYNAMIC if one is None else extent_of(one) for one in given]
    if len(sizes) != x.type.rank:
        raise GraphValueError(f"needs {counted(x.type.rank, 'size')} for {with_type(x)}, got {len(sizes)}")
    known = _respecified(x, lambda axis, dim: sizes[axis] if isinstance(sizes[axis], int) else dim)
    if any(not isinstance(size, int) and size is not DYNAMIC for size in sizes):
        wanted: list[Any] = [extent if size is DYNAMIC else size for extent, size in zip(b.shape(known), sizes)]
        return b._sized(Broadcast, known, shape=wanted, element=x.type.element, along=range(x.type.rank))
    return known


# --- together and apart ----------------------------------------------------------------------------------------------


@located
def join(axis: int, *tensors: Any) -> Tensor:
    """The tensors one behind the other along the axis."""
    if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
        tensors = tuple(tensors[0])
    if not tensors:
        raise GraphValueError("needs at least one tensor")
    if isinstance(axis, Tensor):
        axis = int(get_scalar_constant_value(axis))
    found = [b.tensor(x) for x in tensors]
    ranks = {x.type.rank for x in found}
    if len(ranks) > 1:
        raise GraphTypeError(f"the tensors must have one rank, got {' and '.join(map(with_type, found))}")
    if ranks == {0}:
        raise GraphTypeError("tensors of rank 0 have no axis; T.stack makes a vector of them")
    return b.concat(found, axis)


@located
def concatenate(tensor_list: Sequence[Any], axis: int = 0) -> Tensor:
    """The tensors one behind the other along the axis."""
    if isinstance(tensor_list, Tensor):
        raise GraphTypeError("takes a list or tuple of tensors, got one", hint="T.concatenate([x, y])")
    return join(axis, *tensor_list)


@located
def stack(*tensors: Any, axis: int = 0) -> Tensor:
    """Tensors of one shape along a new axis: stack([x, y], axis), or stack(x, y)."""
    if tensors and isinstance(tensors[0], (list, tuple)):
        if len(tensors) > 1:
            axis = tensors[1]
        tensors = tuple(tensors[0])
    if not tensors:
        raise GraphValueError("needs at least one tensor")
    return b.stack(tensors, axis)


@located
def stacklists(tensors: Any) -> Tensor:
    """One tensor of nested lists of tensors."""
    if isinstance(tensors, (list, tuple)):
        return b.stack([stacklists(one) for one in tensors])
    return b.tensor(tensors)


@located
def vertical_stack(*tensors: Any) -> Tensor:
    """Matrices one below the other."""
    return join(0, *tensors)


@located
def horizontal_stack(*tensors: Any) -> Tensor:
    """Matrices side by side."""
    return join(1, *tensors)


@located
def split(x: Any, splits_size: Any, n_splits: int | None = None, axis: int = 0) -> list[Tensor]:
    """Parts of x along the axis, of these sizes."""
    x = b.tensor(x)
    axis = b.axis_of(x, axis)
    if isinstance(splits_size, Tensor) and splits_size.type.shape[0] is DYNAMIC and n_splits is not None:
        splits_size = [splits_size[i] for i in range(n_splits)]
    sizes = extents_of(splits_size)
    if n_splits is not None and len(sizes) != n_splits:
        raise GraphValueError(f"n_splits is {n_splits}, but there are {counted(len(sizes), 'size')}")
    if all(isinstance(size, int) for size in sizes):
        dim, total = x.type.shape[axis], sum(cast(Sequence[int], sizes))
        if isinstance(dim, int) and dim != total:
            raise GraphValueError(f"the sizes {sizes} must add up to {dim}, the size of axis {axis}")
        known = _respecified(x, lambda i, dim: total if i == axis else dim)  # run time checks it
        return b.split(known, cast(Sequence[int], sizes), axis)
    found, start = [], b.constant(0, I64)
    for size in sizes:
        starts = [start if i == axis else 0 for i in range(x.type.rank)]
        found.append(b.dynamic_slice(x, starts, [size if i == axis else e for i, e in enumerate(b.shape(x))]))
        start = b.add(start, b.constant(size, I64) if isinstance(size, int) else b.extent_count(size))
    return found


@located
def tile(x: Any, reps: Any, ndim: int | None = None) -> Tensor:
    """x as a whole `reps[i]` times along axis i, as numpy's tile. ndim: of the result, at least."""
    x = b.tensor(x)
    counts = extents_of(reps)
    counts = [1] * ((ndim or 0) - len(counts)) + counts
    if all(isinstance(count, int) for count in counts):
        return b.tile(x, counts)  # type: ignore[arg-type]
    rank = max(x.type.rank, len(counts))
    counts = [1] * (rank - len(counts)) + counts
    x = b.expand_dims(x, range(rank - x.type.rank)) if rank > x.type.rank else x
    sizes = b.shape(x)
    spread = [part for pair in zip(counts, sizes) for part in pair]
    wide = b.broadcast(x, range(1, 2 * rank, 2), spread)
    return b.reshape(wide, [_product(count, size) for count, size in zip(counts, sizes)])


def _product(first: Extent, second: Extent) -> Extent:
    if isinstance(first, int) and isinstance(second, int):
        return first * second
    counts = [b.constant(one, I64) if isinstance(one, int) else b.extent_count(one) for one in (first, second)]
    return b.to_index(b.mul(*counts))


@located
def repeat(x: Any, repeats: Any, axis: int | None = None) -> Tensor:
    """Each element `repeats` times, side by side along the axis, or in the flattened tensor."""
    x = b.tensor(x)
    if axis is None:
        x, axis = flatten(x), 0
    axis = b.axis_of(x, axis)
    if (repeats.type.rank if isinstance(repeats, Tensor) else np.ndim(repeats)) == 1:
        return _repeated_each(x, repeats, axis)
    times = extent_of(repeats)
    if isinstance(times, int):
        return b.repeat(x, times, axis)
    sizes = list(b.shape(x))
    wide = b.broadcast(
        x, [i if i <= axis else i + 1 for i in range(len(sizes))], [*sizes[: axis + 1], times, *sizes[axis + 1 :]]
    )
    return b.reshape(wide, [*sizes[:axis], _product(sizes[axis], times), *sizes[axis + 1 :]])


def _repeated_each(x: Tensor, repeats: Any, axis: int) -> Tensor:
    """Element i `repeats[i]` times: each place of the result looks up where it comes from."""
    if not isinstance(repeats, Tensor) and min(repeats, default=0) < 0:
        raise GraphValueError(f"a count must be at least 0, got {told(repeats)}")
    counts = specify_shape(b.cast(b.tensor(repeats), I64), [_size(x, axis)])
    ends = b.cumsum(counts, 0)
    lowest = b.min(b.concat([counts, b.constant(np.zeros(1, np.int64))], 0))
    total = b.to_index(b.select(b.cmp("lt", lowest, 0), lowest, b.sum(counts)))  # no tensor has a size below 0
    places = b.iota([total], 0)
    below = b.cmp("ge", b.expand_dims(places, 1), b.expand_dims(ends, 0))
    return b.take(x, b.sum(b.cast(below, I64), [1]), axis)


@located
def roll(x: Any, shift: Any, axis: int | None = None) -> Tensor:
    """x with its elements moved along the axis, those that leave at one end coming in at the other."""
    x = b.tensor(x)
    if axis is None:
        return b.reshape(roll(flatten(x), shift, 0), b.shape(x))
    axis = b.axis_of(x, axis)
    count = b.extent_count(b.shape(x)[axis])
    places = b.sub(b.iota([b.shape(x)[axis]], 0), b.cast(b.tensor(shift), I64))
    return b.take(x, b.mod(places, count), axis)
