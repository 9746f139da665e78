"""numpy's indexing, choosing, sorting and searching on traced arrays."""

from __future__ import annotations

from typing import Any

from tir.dialects.tir.build.chosen import Choice, choice_of
from tir.dialects.tir.build.core import SizeOf, Tensor
from tir.dialects.tir.indexing import spelled_out
from tir.ir.affine import AffineExpr
from tir.ir.errors import TirError
from tir.ir.types import F64, I1, I64, FloatType
from tir.lazy import np
from tir.numpy.arrays import Array, Chosen, as_array, is_bool
from tir.numpy.common import axes_of, axis_of, cast, element_of, known, promoted, refuse, traced
from tir.numpy.elementwise import FUNCTIONS as ELEMENTS
from tir.numpy.elementwise import isclose, where
from tir.numpy.reductions import all_, flattened, sum_
from tir.numpy.shapes import ravel, reshape
from tir.trees import flat

__all__: list[str] = []


def _array(b: Any, x: Any) -> Array:
    return Array(b, x.value)


# --- x[index] --------------------------------------------------------------------------------------------------------


@traced
def getitem(b: Any, x: Any, index: Any) -> Array:
    x = as_array(b, x)
    if (choice := _choice(x, index)) is not None:
        return Chosen(choice)
    return Array(b, _indexed(b, x, index).value, x.is_weak)


def _choice(x: Array, index: Any) -> Choice | None:
    """What a traced mask chooses."""
    parts = index if isinstance(index, tuple) else (index,)
    at = next((i for i, part in enumerate(parts) if isinstance(part, Tensor) and part.type.element is I1), None)
    return None if at is None else choice_of(x, parts, at)


def _indexed(b: Any, x: Array, index: Any) -> Tensor:
    """x[index]; a slice of an axis that is open is cut to size when it runs."""
    parts = _plain_index(index, x)
    if not any(isinstance(part, slice) for part in parts):
        return b.index(x, parts)
    found, places = x, spelled_out(parts, x.ndim)
    for axis, place in enumerate([i for i, part in enumerate(places) if part is not None]):
        if _is_open(places[place], x, axis):
            found, places[place] = b._clamped_slice(found, axis, places[place]), slice(None)
    return b.index(found, tuple(places))


def _is_open(part: Any, x: Array, axis: int) -> bool:
    """What the slice takes, only run time knows."""
    if isinstance(part, slice) and any(isinstance(end, Tensor) for end in (part.start, part.stop)):
        return True
    if not isinstance(part, slice) or isinstance(x.type.shape[axis], int):
        return False
    return (part.start, part.stop) != (None, None) or part.step not in (None, 1, -1, 0)


def _plain_index(index: Any, x: Array) -> Any:
    """An index without masks: those that are known become the places where they are true."""
    parts = index if isinstance(index, tuple) else (index,)
    found: list[Any] = []
    for part in parts:
        if isinstance(part, Tensor):
            found.append(part)
        elif isinstance(part, list) and any(isinstance(one, Tensor) for one in flat(part)):
            found.append(as_array(x.builder, part))
        elif isinstance(part, (list, np.ndarray, np.bool_, bool)) and np.asarray(part).dtype == np.bool_:
            found += _places(np.asarray(part), x, len(found) - found.count(None))
        elif isinstance(part, slice):
            ends = [_end(x.builder, one) for one in (part.start, part.stop)]
            step = None if part.step is None else known("the step of a slice", part.step)
            found.append(slice(ends[0], ends[1], step))
        elif isinstance(part, list):
            found.append(np.asarray(part))
        else:
            found.append(part)
    return tuple(found)


def _end(b: Any, end: Any) -> Any:
    """An end of a slice: a number, or a tensor<i64> for a size that is open."""
    if isinstance(end, (AffineExpr, SizeOf)):
        return b.extent_count(end)
    return None if end is None else known("an end of a slice", end)


def _places(mask: Any, x: Array, axis: int) -> list[Any]:
    """Where a mask that is known is true."""
    if mask.ndim == 0:
        raise TirError("a truth value is no index", hint="numpy.where(condition, x, y) chooses")
    for at, size in enumerate(mask.shape):
        have = x.type.shape[axis + at] if axis + at < x.ndim else None
        if have != size:
            raise TirError(f"a mask of shape {mask.shape} does not fit {x.type}")
    return list(mask.nonzero())


@traced
def changed(b: Any, x: Any, index: Any, values: Any, kind: str) -> Array:
    """x with the elements of an index set to values, or combined with them."""
    x = as_array(b, x)
    choice = _choice(x, index)
    if is_bool(x) and kind != "set":
        raise TirError(f"x.at[..] of truth values can be set, not combined with others ({kind})")
    if choice is not None:
        return _changed_choice(b, choice, values, kind)
    numbers = _array(b, b.numbered(x))
    places = _indexed(b, numbers, index)
    given = cast(b, as_array(b, values), x.type.element)
    given = b.broadcast_to(given, b.shape(places)) if places.type.rank >= given.ndim else reshape(given, b.shape(places))
    found = b.put(flattened(b, x), flattened(b, _array(b, places)), flattened(b, _array(b, given)), 0, kind)
    return _array(b, b.reshape(found, b.shape(x)))


#: What puts two tensors together, by the kind of a change.
JOINED = {"add": "add", "mul": "mul", "max": "maximum", "min": "minimum"}


def _changed_choice(b: Any, choice: Choice, values: Any, kind: str) -> Array:
    """x with values in the place of what a mask chooses; what the mask chooses of another array takes its place."""
    x, joined = choice.x, getattr(b, JOINED[kind]) if kind in JOINED else None
    if not isinstance(values, Chosen) or values.choice.mask.value is not choice.mask.value:
        return _array(b, choice.changed(cast(b, as_array(b, values), x.type.element), joined))
    if values.choice.axis != choice.axis or values.ndim != choice.type.rank:
        return _array(b, values)  # says why not
    other = b.broadcast_to(cast(b, _array(b, values.choice.x), x.type.element), b.shape(x))
    return _array(b, b.select(choice.everywhere, other if joined is None else joined(x, other), x))


# --- reading ---------------------------------------------------------------------------------------------------------


@traced
def take(b: Any, a: Any, indices: Any, axis: Any = None, out: Any = None, mode: str = "raise") -> Array:
    refuse(out=out)
    x = ravel(a) if axis is None else as_array(b, a)
    at = axis_of(x, 0 if axis is None else axis)
    front = (slice(None),) * at
    if mode == "raise":
        return getitem(x, (*front, indices if isinstance(indices, Tensor) else np.asarray(indices)))
    if mode not in ("clip", "wrap"):
        raise TirError(f"mode must be raise, clip or wrap, got {mode!r}")
    size, places = b.count(x, [at], I64), as_array(b, indices)
    places = places % size if mode == "wrap" else ELEMENTS["minimum"](ELEMENTS["maximum"](places, 0), size - 1)
    return _array(b, b.take(x, places, at))


@traced
def take_along_axis(b: Any, arr: Any, indices: Any, axis: Any = -1) -> Array:
    x = ravel(arr) if axis is None else as_array(b, arr)
    at = axis_of(x, 0 if axis is None else axis)
    places = cast(b, as_array(b, indices), I64)
    if places.ndim != x.ndim:
        raise TirError(f"indices must have as many axes as the array, {x.ndim}, got {places.ndim}")
    places = where(places < 0, places + b.count(x, [at], I64), places)
    lines = [b.full(0, [1 if i == at else size for i, size in enumerate(b.shape(one))]) for one in (x, places)]
    common = b._common_shape(lines)
    shape = [size if i == at else common[i] for i, size in enumerate(b.shape(places))]
    whole = [size if i == at else common[i] for i, size in enumerate(b.shape(x))]
    return _array(b, b.take_along_axis(b.broadcast_to(x, whole), b.broadcast_to(places, shape), at))


@traced
def select(b: Any, condlist: Any, choicelist: Any, default: Any = 0) -> Array:
    if len(condlist) != len(choicelist):
        raise TirError(f"needs a choice for each condition: {len(condlist)}, got {len(choicelist)}")
    found: Array
    *choices, found = promoted(b, [*choicelist, default])
    for condition, choice in reversed(list(zip(condlist, choices))):
        found = where(condition, choice, found)
    return found


@traced
def choose(b: Any, a: Any, choices: Any, out: Any = None, mode: str = "raise") -> Array:
    refuse(out=out)
    x: Any = as_array(b, a)
    given = promoted(b, list(choices))
    if mode not in ("clip", "wrap"):
        raise TirError(f'mode must be "clip" or "wrap" where the choice is traced, got {mode!r}')
    x = x % len(given) if mode == "wrap" else ELEMENTS["minimum"](ELEMENTS["maximum"](x, 0), len(given) - 1)
    found = given[-1]
    for number, choice in reversed(list(enumerate(given[:-1]))):
        found = where(x == number, choice, found)
    return found


@traced
def compress(b: Any, condition: Any, a: Any, axis: Any = None, out: Any = None) -> Array:
    refuse(out=out)
    if isinstance(condition, Tensor):
        message = "a condition that is traced chooses a number of elements that only run time knows"
        raise TirError(message, hint="numpy.where(condition, x, y) keeps the shape")
    x = ravel(a) if axis is None else as_array(b, a)
    at = axis_of(x, 0 if axis is None else axis)
    return getitem(x, (*(slice(None),) * at, np.flatnonzero(condition)))


# --- diagonals -------------------------------------------------------------------------------------------------------


@traced
def diagonal(b: Any, a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    x = as_array(b, a)
    first, second = axes_of(x, (axis1, axis2))
    rest = [i for i in range(x.ndim) if i not in (first, second)]
    return _array(b, b.diag_part(b.transpose(x, [*rest, first, second]), known("offset", offset)))


@traced
def trace(b: Any, a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None) -> Array:
    return sum_(diagonal(a, offset, axis1, axis2), -1, dtype, out)


@traced
def diag(b: Any, v: Any, k: int = 0) -> Array:
    x = as_array(b, v)
    if x.ndim not in (1, 2):
        raise TirError(f"an array must have 1 or 2 axes, got {x.type}")
    return _array(b, b.diag(x, known("k", k))) if x.ndim == 1 else diagonal(x, k)


@traced
def diagflat(b: Any, v: Any, k: int = 0) -> Array:
    return diag(ravel(as_array(b, v)), k)


@traced
def tril(b: Any, m: Any, k: int = 0) -> Array:
    return _triangle(b, as_array(b, m), "tril", known("k", k))


@traced
def triu(b: Any, m: Any, k: int = 0) -> Array:
    return _triangle(b, as_array(b, m), "triu", known("k", k))


def _triangle(b: Any, x: Array, name: str, k: int) -> Array:
    if x.ndim == 1:
        x = _array(b, b.broadcast(x, [1], [*b.shape(x), *b.shape(x)]))
    if is_bool(x):
        return cast(b, _triangle(b, cast(b, x, element_of("int8")), name, k), x.type.element)
    return _array(b, getattr(b, name)(x, k))


# --- sorting and searching -------------------------------------------------------------------------------------------


@traced
def sort(b: Any, a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Array:
    refuse(order=order)
    x = flattened(b, as_array(b, a)) if axis is None else as_array(b, a)
    if is_bool(x):
        return cast(b, sort(cast(b, x, element_of("int8")), axis), x.type.element)
    return _array(b, b.sort(x, axis_of(x, -1 if axis is None else axis)))


@traced
def argsort(b: Any, a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Array:
    refuse(order=order)
    x = flattened(b, as_array(b, a)) if axis is None else as_array(b, a)
    x = cast(b, x, element_of("int8")) if is_bool(x) else x
    return _array(b, b.argsort(x, axis_of(x, -1 if axis is None else axis)))


@traced
def partition(b: Any, a: Any, kth: Any, axis: Any = -1, kind: str = "introselect", order: Any = None) -> Array:
    return sort(a, axis)


@traced
def argpartition(b: Any, a: Any, kth: Any, axis: Any = -1, kind: str = "introselect", order: Any = None) -> Array:
    return argsort(a, axis)


@traced
def lexsort(b: Any, keys: Any, axis: int = -1) -> Array:
    """By the last key, of equal ones by the one before it: sorts, which are stable, from the first key on."""
    rows = [as_array(b, key) for key in keys] if isinstance(keys, (list, tuple)) else list(as_array(b, keys))
    order = argsort(rows[0], axis)
    for key in rows[1:]:
        order = take_along_axis(order, argsort(take_along_axis(key, order, axis), axis), axis)
    return order


@traced
def searchsorted(b: Any, a: Any, v: Any, side: str = "left", sorter: Any = None) -> Array:
    """How many elements are below each: compared with all of them, so for short sorted arrays."""
    if side not in ("left", "right"):
        raise TirError(f"side must be left or right, got {side!r}")
    x = as_array(b, a) if sorter is None else take(a, sorter)
    x, values = promoted(b, [x, v])
    if x.ndim != 1:
        raise TirError(f"the sorted array must have one axis, got {x.type}")
    wide = _array(b, b.expand_dims(values, values.ndim))
    below = x < wide if side == "left" else x <= wide
    if isinstance(x.type.element, FloatType):  # nan is above all, and equal to itself
        is_nan, none = ELEMENTS["isnan"](wide), ELEMENTS["isnan"](x)
        below = where(is_nan, ~none if side == "left" else ~(none & ~none), below)
    return sum_(below, -1)


@traced
def digitize(b: Any, x: Any, bins: Any, right: bool = False) -> Array:
    if isinstance(bins, Tensor):
        return searchsorted(bins, x, "left" if right else "right")
    edges = np.asarray(bins)
    if edges.size > 1 and edges[0] > edges[-1]:
        return edges.size - searchsorted(as_array(b, edges[::-1].copy()), x, "right" if right else "left")
    return searchsorted(as_array(b, edges), x, "left" if right else "right")


@traced
def isin(
    b: Any, element: Any, test_elements: Any, assume_unique: bool = False, invert: bool = False, *, kind: Any = None
) -> Array:
    x, others = promoted(b, [element, test_elements])
    wide = _array(b, b.expand_dims(x, x.ndim))
    found = b.any(wide == flattened(b, others), [x.ndim])
    return _array(b, b.not_(found) if invert else found)


@traced
def interp(b: Any, x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Array:
    """The straight lines between points at x; beside them the first and last, or left and right."""
    refuse(period=period)
    x, xs, ys = (cast(b, as_array(b, one), F64) for one in (x, xp, fp))
    size = known("the number of points", xs.shape[0])
    last = ELEMENTS["minimum"](ELEMENTS["maximum"](searchsorted(xs, x, "right") - 1, 0), max(size - 2, 0))
    low, high = take(xs, last), take(xs, ELEMENTS["minimum"](last + 1, size - 1))
    first, second = take(ys, last), take(ys, ELEMENTS["minimum"](last + 1, size - 1))
    width = where(high == low, 1.0, high - low)
    found = where(x == high, second, first + (second - first) / width * (x - low))
    found = where(x < xs[0], ys[0] if left is None else left, found)
    found = where(x > xs[-1], ys[-1] if right is None else right, found)
    return where(ELEMENTS["isnan"](x), x, found)


# --- questions -------------------------------------------------------------------------------------------------------


@traced
def array_equal(b: Any, a1: Any, a2: Any, equal_nan: bool = False) -> Any:
    x, y = as_array(b, a1), as_array(b, a2)
    if x.ndim != y.ndim or any(isinstance(n, int) and isinstance(m, int) and n != m for n, m in zip(x.shape, y.shape)):
        return as_array(b, np.bool_(False))
    same = x == y
    return all_(same | (ELEMENTS["isnan"](x) & ELEMENTS["isnan"](y)) if equal_nan else same)


@traced
def allclose(b: Any, a: Any, other: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Array:
    return all_(isclose(a, other, rtol, atol, equal_nan))


