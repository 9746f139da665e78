"""numpy's functions that make arrays, and that move their elements, on traced arrays."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

from tir.dialects.tir.build.core import told
from tir.ir.errors import TirError
from tir.ir.types import I64
from tir.lazy import np
from tir.numpy.arrays import Array, as_array
from tir.numpy.common import (
    axes_of,
    axis_of,
    cast,
    element_of,
    floated,
    known,
    product,
    promoted,
    refuse,
    shape_of,
    traced,
)
from tir.numpy.elementwise import FUNCTIONS as ELEMENTS
from tir.numpy.elementwise import where
from tir.trees import flat

__all__: list[str] = []

C_ORDER = "only row-major order can be traced"


def _array(b: Any, x: Any) -> Array:
    return Array(b, x.value)


def _same_kind(b: Any, x: Any, like: Array) -> Array:
    """What is made of the elements of one array: a number that was weak stays it."""
    return Array(b, x.value, like.is_weak)


# --- making ----------------------------------------------------------------------------------------------------------


@traced
def array(b: Any, a: Any, dtype: Any = None, *, copy: Any = None, order: Any = None, ndmin: int = 0, **named: Any) -> Array:
    found = _nested(b, a)
    found = found if dtype is None else cast(b, found, element_of(dtype))
    found = Array(b, found.value) if isinstance(a, (list, tuple)) else found
    return found if found.ndim >= ndmin else _array(b, b.expand_dims(found, range(ndmin - found.ndim)))


def _nested(b: Any, a: Any) -> Array:
    """Lists of arrays and numbers, however deep, as one array."""
    if not isinstance(a, (list, tuple)):
        return _array(b, as_array(b, a))
    if not any(isinstance(x, Array) for x in flat(a)):
        return as_array(b, np.asarray(a))
    parts = promoted(b, [_nested(b, part) for part in a])
    if len({part.ndim for part in parts}) > 1:
        hint = "numpy.concatenate puts parts of several sizes together"
        raise TirError("the parts of one list must have one shape", hint=hint)
    return _array(b, b.stack(parts, 0))


@traced
def asarray(
    b: Any, a: Any, dtype: Any = None, order: Any = None, *, device: Any = None, copy: Any = None, **named: Any
) -> Array:
    return array(a, dtype)


@traced
def copy(b: Any, a: Any, order: str = "K", subok: bool = False, tol: Any = None) -> Array:
    return as_array(b, a)


def _filled(name: str, number: int) -> Callable[..., Any]:
    def filled(b: Any, shape: Any, dtype: Any = float, order: str = "C", *, device: Any = None, like: Any = None) -> Array:
        element = element_of(float if dtype is None else dtype)
        return _array(b, b.full(number, shape_of(shape), element))

    filled.__name__ = name
    return traced(filled)


zeros, ones = _filled("zeros", 0), _filled("ones", 1)


@traced
def full(
    b: Any, shape: Any, fill_value: Any, dtype: Any = None, order: str = "C", *, device: Any = None, like: Any = None
) -> Array:
    value = as_array(b, fill_value)
    value = value if dtype is None else cast(b, value, element_of(dtype))
    return _array(b, b.broadcast_to(value, shape_of(shape)))


def _like(name: str, number: int) -> Callable[..., Any]:
    def like(
        b: Any, a: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, *, device: Any = None
    ) -> Array:
        x = as_array(b, a)
        element = x.type.element if dtype is None else element_of(dtype)
        return _array(b, b.full(number, b.shape(x) if shape is None else shape_of(shape), element))

    like.__name__ = name
    return traced(like)


zeros_like, ones_like = _like("zeros_like", 0), _like("ones_like", 1)


@traced
def full_like(
    b: Any, a: Any, fill_value: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, *,
    device: Any = None,
) -> Array:  # fmt: skip
    x = as_array(b, a)
    value = cast(b, as_array(b, fill_value), x.type.element if dtype is None else element_of(dtype))
    return _array(b, b.broadcast_to(value, b.shape(x) if shape is None else shape_of(shape)))


@traced
def arange(
    b: Any, start: Any, stop: Any = None, step: Any = 1, dtype: Any = None, *, device: Any = None, like: Any = None
) -> Array:
    first, end = (0, start) if stop is None else (start, stop)
    if isinstance(first, Array) or isinstance(end, Array) or isinstance(step, Array):
        known("the end of arange", next(x for x in (end, first, step) if isinstance(x, Array)))
    if first != 0 or step != 1:
        raise TirError("with an open size, arange goes from 0 in steps of 1", hint="compute with numpy.arange(n)")
    found = _array(b, b.iota([end], 0, I64))
    return found if dtype is None else cast(b, found, element_of(dtype))


@traced
def linspace(
    b: Any, start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None,
    axis: int = 0, *, device: Any = None,
) -> Any:  # fmt: skip
    refuse(axis=axis or None)
    count = known("num", num)
    first, last = (floated(b, x) for x in promoted(b, [start, stop]))
    steps = count - 1 if endpoint else count
    width = (last - first) / float(steps) if steps > 0 else first * float("nan")
    numbers = np.arange(count, dtype=first.dtype).reshape(-1, *[1] * max(first.ndim, last.ndim))
    found: Any = numbers * width + first if steps > 0 else numbers * 0 + first
    if endpoint and count > 1:
        found = where(numbers == count - 1, last, found)
    found = found if dtype is None else cast(b, found, element_of(dtype))
    return (found, width) if retstep else found


@traced
def logspace(
    b: Any, start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0, dtype: Any = None, axis: int = 0
) -> Array:
    found = ELEMENTS["power"](base, linspace(start, stop, num, endpoint, axis=axis))
    return found if dtype is None else cast(b, found, element_of(dtype))


@traced
def eye(
    b: Any, N: Any, M: Any = None, k: int = 0, dtype: Any = float, order: str = "C", *, device: Any = None, like: Any = None  # noqa: N803
) -> Array:
    return _array(b, b.eye(N, M, known("k", k), element_of(float if dtype is None else dtype)))


@traced
def identity(b: Any, n: Any, dtype: Any = None, *, like: Any = None) -> Array:
    return eye(n, dtype=dtype)


@traced
def tri(b: Any, N: Any, M: Any = None, k: int = 0, dtype: Any = float, *, like: Any = None) -> Array:  # noqa: N803
    ones_there = b.full(1, [N, N if M is None else M], element_of(dtype))
    return _array(b, b.tril(ones_there, known("k", k)))


@traced
def meshgrid(b: Any, *xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Array, ...]:
    axes = [as_array(b, x) for x in xi]
    axes = [x if x.ndim == 1 else _array(b, b.reshape(x, [-1])) for x in axes]
    order = list(range(len(axes)))
    if indexing == "xy" and len(axes) > 1:
        order[:2] = [1, 0]
    found = [_array(b, b.expand_dims(x, [i for i in range(len(axes)) if i != at])) for x, at in zip(axes, order)]
    return tuple(found) if sparse else tuple(broadcast_arrays(*found))


# --- facts -----------------------------------------------------------------------------------------------------------


@traced
def shape(b: Any, a: Any) -> tuple[Any, ...]:
    return as_array(b, a).shape


@traced
def ndim(b: Any, a: Any) -> int:
    return as_array(b, a).ndim


@traced
def size(b: Any, a: Any, axis: Any = None) -> Any:
    x = as_array(b, a)
    return b.count(x, axes_of(x, axis), I64)


@traced
def iscomplexobj(b: Any, x: Any) -> bool:
    return False


@traced
def isrealobj(b: Any, x: Any) -> bool:
    return True


# --- shapes ----------------------------------------------------------------------------------------------------------


@traced
def reshape(b: Any, a: Any, /, shape: Any, order: str = "C", *, copy: Any = None) -> Array:
    if order != "C":
        raise TirError(C_ORDER, hint="transpose before and after")
    x, sizes = as_array(b, a), shape_of(shape)
    rest = [i for i, one in enumerate(sizes) if isinstance(one, int) and one < 0]
    if len(rest) > 1 or any(sizes[i] != -1 for i in rest):
        raise TirError(f"a shape may have one -1, for the rest, got {told(shape)}")
    if rest:
        sizes[rest[0]] = _rest(b, x, [one for one in sizes if not (isinstance(one, int) and one < 0)])
    return _same_kind(b, b.reshape(x, sizes), x) if not sizes else _array(b, b.reshape(x, sizes))


def _rest(b: Any, x: Array, others: Sequence[Any]) -> Any:
    """The size that -1 stands for beside others."""
    mine = list(b.shape(x))
    for one in list(others):  # what stands on both sides cancels, so that one open size may be there
        if one in mine and not isinstance(one, int):
            mine.remove(one)
            others = [other for other in others if other is not one]
    open_sizes = [one for one in mine if not isinstance(one, int)]
    count = math.prod(one for one in mine if isinstance(one, int))
    part = math.prod(one for one in others if isinstance(one, int))
    if not open_sizes and all(isinstance(one, int) for one in others) and (part == 0 or count % part):
        raise TirError(f"-1 cannot be told: {count} elements are not a multiple of {part}")
    if all(isinstance(one, int) for one in others) and part and count % part == 0:
        return product(b, [*open_sizes, count // part])
    # Run time compares the numbers of elements.
    whole, parts = (b.extent_count(product(b, sizes)) for sizes in (mine, others))
    return b.to_index(b.floordiv(whole, b.maximum(parts, b.constant(1, I64))))


@traced
def ravel(b: Any, a: Any, order: str = "C") -> Array:
    if order not in ("C", "K", "A"):
        raise TirError(C_ORDER, hint="transpose before")
    x = as_array(b, a)
    return x if x.ndim == 1 else reshape(x, b.count(x, range(x.ndim), I64) if x.type.is_static else -1)


@traced
def transpose(b: Any, a: Any, axes: Any = None) -> Array:
    x = as_array(b, a)
    if axes is None:
        return _same_kind(b, b.transpose(x), x)
    order = axes_of(x, tuple(axes))
    if len(order) != x.ndim:
        raise TirError(f"axes must name all {x.ndim}, got {told(axes)}")
    return _array(b, b.transpose(x, order))


@traced
def permute_dims(b: Any, a: Any, axes: Any) -> Array:
    return transpose(a, axes)


@traced
def matrix_transpose(b: Any, x: Any, /) -> Array:
    x = as_array(b, x)
    if x.ndim < 2:
        raise TirError(f"an array must have at least 2 axes, got {x.type}")
    return _array(b, b.matrix_transpose(x))


@traced
def swapaxes(b: Any, a: Any, axis1: int, axis2: int) -> Array:
    x = as_array(b, a)
    order = list(range(x.ndim))
    first, second = axis_of(x, axis1), axis_of(x, axis2)
    order[first], order[second] = second, first
    return _array(b, b.transpose(x, order))


@traced
def moveaxis(b: Any, a: Any, source: Any, destination: Any) -> Array:
    x = as_array(b, a)
    old, new = axes_of(x, source), axes_of(x, destination)
    if len(old) != len(new):
        raise TirError(f"source and destination must name as many axes, got {len(old)} and {len(new)}")
    rest = (axis for axis in range(x.ndim) if axis not in old)
    to = dict(zip(new, old))
    return _array(b, b.transpose(x, [to[i] if i in to else next(rest) for i in range(x.ndim)]))


@traced
def rollaxis(b: Any, a: Any, axis: int, start: int = 0) -> Array:
    x = as_array(b, a)
    at = axis_of(x, axis)
    order = [i for i in range(x.ndim) if i != at]
    start = start + x.ndim if start < 0 else start
    order.insert(start - (at < start), at)
    return _array(b, b.transpose(x, order))


@traced
def expand_dims(b: Any, a: Any, axis: Any) -> Array:
    return _array(b, b.expand_dims(as_array(b, a), axis if isinstance(axis, int) else list(axis)))


@traced
def squeeze(b: Any, a: Any, axis: Any = None) -> Array:
    x = as_array(b, a)
    return _array(b, b.squeeze(x, None if axis is None else axes_of(x, axis)))


@traced
def broadcast_to(b: Any, array: Any, shape: Any, subok: bool = False) -> Array:
    return _array(b, b.broadcast_to(as_array(b, array), shape_of(shape)))


@traced
def broadcast_arrays(b: Any, *args: Any, subok: bool = False) -> tuple[Array, ...]:
    arrays = [as_array(b, x) for x in args]
    common = b._common_shape(arrays)
    return tuple(_array(b, b.broadcast_to(x, common)) for x in arrays)


def _at_least(name: str, rank: int) -> Callable[..., Any]:
    def at_least(b: Any, *arys: Any) -> Any:
        found = tuple(_with_rank(b, as_array(b, x), rank) for x in arys)
        return found[0] if len(found) == 1 else found

    at_least.__name__ = name
    return traced(at_least)


def _with_rank(b: Any, x: Array, rank: int) -> Array:
    """x with axes of size 1, which numpy puts in front, and of three axes also behind."""
    if x.ndim >= rank:
        return x
    new = [0, 2] if (rank, x.ndim) == (3, 1) else [2] if (rank, x.ndim) == (3, 2) else range(rank - x.ndim)
    return _array(b, b.expand_dims(x, list(new)))


atleast_1d, atleast_2d, atleast_3d = (_at_least(f"atleast_{rank}d", rank) for rank in (1, 2, 3))


# --- putting together ------------------------------------------------------------------------------------------------


@traced
def concatenate(
    b: Any, arrays: Any, /, axis: Any = 0, out: Any = None, *, dtype: Any = None, casting: str = "same_kind"
) -> Array:
    refuse(out=out)
    xs = promoted(b, list(arrays))
    if axis is None:
        xs = [ravel(x) for x in xs]
    xs = xs if dtype is None else [cast(b, x, element_of(dtype)) for x in xs]
    if xs[0].ndim == 0:
        raise TirError("arrays of rank 0 cannot be put behind each other", hint="numpy.stack makes one array of them")
    return _array(b, b.concat(xs, axis_of(xs[0], axis or 0)))


@traced
def stack(b: Any, arrays: Any, axis: int = 0, out: Any = None, *, dtype: Any = None, casting: str = "same_kind") -> Array:
    refuse(out=out)
    xs = promoted(b, list(arrays))
    xs = xs if dtype is None else [cast(b, x, element_of(dtype)) for x in xs]
    return _array(b, b.stack(xs, axis))


@traced
def vstack(b: Any, tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Array:
    return concatenate([atleast_2d(as_array(b, x)) for x in tup], 0, dtype=dtype)


@traced
def hstack(b: Any, tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Array:
    xs = [atleast_1d(as_array(b, x)) for x in tup]
    return concatenate(xs, 0 if xs[0].ndim == 1 else 1, dtype=dtype)


@traced
def dstack(b: Any, tup: Any) -> Array:
    return concatenate([atleast_3d(as_array(b, x)) for x in tup], 2)


@traced
def column_stack(b: Any, tup: Any) -> Array:
    xs = [as_array(b, x) for x in tup]
    return concatenate([x if x.ndim == 2 else reshape(x, (-1, 1)) for x in xs], 1)


@traced
def block(b: Any, arrays: Any) -> Array:
    """Nested lists of arrays: the innermost ones lie along the last axis, those around them along the axis before."""
    depth = _depth(arrays)
    rank = max([depth, *(as_array(b, x).ndim for x in flat(arrays))])
    return _joined(b, arrays, rank, rank - depth)


def _depth(arrays: Any) -> int:
    if not isinstance(arrays, list):
        return 0
    depths = {_depth(one) for one in arrays}
    if len(depths) != 1:
        raise TirError("lists must all be nested equally deep, and have elements")
    return 1 + depths.pop()


def _joined(b: Any, arrays: Any, rank: int, axis: int) -> Array:
    """The lists as one array, the outermost along this axis."""
    if isinstance(arrays, list):
        return concatenate([_joined(b, one, rank, axis + 1) for one in arrays], axis)
    x = as_array(b, arrays)
    return _array(b, x[(*(None,) * (rank - x.ndim), ...)])


@traced
def append(b: Any, arr: Any, values: Any, axis: Any = None) -> Array:
    return concatenate((as_array(b, arr), as_array(b, values)), axis)


@traced
def insert(b: Any, arr: Any, obj: Any, values: Any, axis: Any = None) -> Array:
    x = ravel(arr) if axis is None else as_array(b, arr)
    at = axis_of(x, 0 if axis is None else axis)
    place, front = known("the place to insert at", obj), (slice(None),) * at
    size = known("a size", x.shape[at])
    if not -size <= place <= size:
        raise TirError(f"a place to insert at must be {-size} to {size}, got {place}")
    shape = [1 if i == at else one for i, one in enumerate(x.shape)]
    value = broadcast_to(cast(b, as_array(b, values), x.type.element), shape)
    place = place + size if place < 0 else place
    return concatenate((x[(*front, slice(0, place))], value, x[(*front, slice(place, None))]), at)


@traced
def delete(b: Any, arr: Any, obj: Any, axis: Any = None) -> Array:
    x = ravel(arr) if axis is None else as_array(b, arr)
    at = axis_of(x, 0 if axis is None else axis)
    kept = np.delete(np.arange(known("a size", x.shape[at])), obj)
    return x[(*(slice(None),) * at, kept)]


# --- taking apart ----------------------------------------------------------------------------------------------------


@traced
def array_split(b: Any, ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Array]:
    x = as_array(b, ary)
    at = axis_of(x, axis)
    total = known("a size", x.shape[at])
    if isinstance(indices_or_sections, (int, np.integer)):
        count = int(indices_or_sections)
        if count < 1:
            raise TirError(f"the number of parts must be above 0, got {count}")
        sizes = [total // count + (i < total % count) for i in range(count)]
        bounds = [0, *itertools.accumulate(sizes)]
    else:
        bounds = [0, *(known("a place to cut", one) for one in indices_or_sections), total]
    front = (slice(None),) * at
    return [x[(*front, slice(start, end))] for start, end in zip(bounds, bounds[1:])]


@traced
def split(b: Any, ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Array]:
    x = as_array(b, ary)
    total = x.shape[axis_of(x, axis)]
    if isinstance(indices_or_sections, (int, np.integer)) and known("a size", total) % indices_or_sections:
        hint = "numpy.array_split takes parts of several sizes"
        raise TirError(f"{total} elements cannot be split into {indices_or_sections} equal parts", hint=hint)
    return array_split(x, indices_or_sections, axis)


@traced
def hsplit(b: Any, ary: Any, indices_or_sections: Any) -> list[Array]:
    x = as_array(b, ary)
    return split(x, indices_or_sections, 0 if x.ndim == 1 else 1)


@traced
def vsplit(b: Any, ary: Any, indices_or_sections: Any) -> list[Array]:
    return split(ary, indices_or_sections, 0)


@traced
def dsplit(b: Any, ary: Any, indices_or_sections: Any) -> list[Array]:
    return split(ary, indices_or_sections, 2)


@traced
def unstack(b: Any, x: Any, /, *, axis: int = 0) -> tuple[Array, ...]:
    moved = moveaxis(x, axis, 0)
    return tuple(moved[i] for i in range(known("a size", moved.shape[0])))
