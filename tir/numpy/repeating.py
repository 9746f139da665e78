"""numpy's functions that repeat, turn and pad, on traced arrays."""

from __future__ import annotations

from typing import Any

from tir.ir.errors import TirError
from tir.ir.types import I64
from tir.lazy import np
from tir.numpy.arrays import Array, as_array
from tir.numpy.common import axes_of, axis_of, known, traced
from tir.numpy.shapes import concatenate, full, ravel, reshape, swapaxes

__all__: list[str] = []


def _array(b: Any, x: Any) -> Array:
    return Array(b, x.value)


# --- repeating and turning -------------------------------------------------------------------------------------------


@traced
def tile(b: Any, A: Any, reps: Any) -> Array:  # noqa: N803
    counts = [known("a number of times", one) for one in (reps if isinstance(reps, (tuple, list)) else [reps])]
    x = as_array(b, A)
    if 0 in counts:
        empty = [0 if one == 0 else 1 for one in counts]
        shape = np.tile(np.empty(x.type.static_shape, np.bool_), counts).shape if x.type.is_static else empty
        return _array(b, b.full(0, list(shape), x.type.element))
    return _array(b, b.tile(x, counts))


@traced
def repeat(b: Any, a: Any, repeats: Any, axis: Any = None) -> Array:
    x = ravel(a) if axis is None else as_array(b, a)
    at = axis_of(x, 0 if axis is None else axis)
    if isinstance(repeats, (int, np.integer)) and repeats > 0:
        return _array(b, b.repeat(x, int(repeats), at))
    if isinstance(repeats, Array):
        known("how often to repeat", repeats)
    places = np.repeat(np.arange(known("a size", x.shape[at])), repeats)
    return x[(*(slice(None),) * at, places)]


@traced
def roll(b: Any, a: Any, shift: Any, axis: Any = None) -> Array:
    x = as_array(b, a)
    if axis is None:
        return reshape(roll(ravel(x), shift, 0), x.shape)
    axes = [axis_of(x, one) for one in (axis if isinstance(axis, (tuple, list)) else [axis])]
    shifts = list(shift) if isinstance(shift, (tuple, list)) else [shift] * len(axes)
    axes = axes if len(axes) == len(shifts) else axes * len(shifts)
    for at, by in zip(axes, shifts):
        size = x.shape[at]
        if isinstance(size, int) and not isinstance(by, Array):
            by = known("shift", by) % size if size else 0
            front = (slice(None),) * at
            x = concatenate((x[(*front, slice(size - by, None))], x[(*front, slice(0, size - by))]), at) if by else x
        else:
            count = b.count(x, [at], I64)
            places = (as_array(b, b.iota([size], 0)) - as_array(b, by)) % count
            x = _array(b, b.take(x, places, at))
    return x


@traced
def flip(b: Any, m: Any, axis: Any = None) -> Array:
    x = as_array(b, m)
    return _array(b, b.reverse(x, sorted(axes_of(x, axis))))


@traced
def fliplr(b: Any, m: Any) -> Array:
    return flip(m, 1)


@traced
def flipud(b: Any, m: Any) -> Array:
    return flip(m, 0)


@traced
def rot90(b: Any, m: Any, k: int = 1, axes: Any = (0, 1)) -> Array:
    x = as_array(b, m)
    first, second = axes_of(x, tuple(axes))
    turns = known("k", k) % 4
    if turns == 0:
        return x
    if turns == 2:
        return flip(x, (first, second))
    return swapaxes(flip(x, second), first, second) if turns == 1 else flip(swapaxes(x, first, second), second)


# --- padding ---------------------------------------------------------------------------------------------------------


@traced
def pad(b: Any, array: Any, pad_width: Any, mode: str = "constant", **named: Any) -> Array:
    x = as_array(b, array)
    if isinstance(pad_width, dict):
        whole = np.zeros((x.ndim, 2), np.int64)
        for axis, widths in pad_width.items():
            whole[axis] = widths
        pad_width = whole
    widths = np.broadcast_to(np.asarray(pad_width), (x.ndim, 2)).tolist()
    if mode == "constant":
        return _padded(b, x, widths, named.pop("constant_values", 0))
    if mode not in ("edge", "wrap", "reflect", "symmetric") or named:
        raise TirError(f"mode must be constant, edge, wrap, reflect or symmetric, got {mode!r}")
    for axis, (low, high) in enumerate(widths):
        if low or high:  # numpy says which element stands where
            places: Any = np.arange(known("a size", x.shape[axis]))
            index = np.pad(places, (low, high), mode=mode)  # type: ignore[call-overload]
            x = x[(*(slice(None),) * axis, index)]
    return x


def _padded(b: Any, x: Array, widths: Any, values: Any) -> Array:
    """x between constants; of pairs of them one is in front of each axis, and one behind."""
    if isinstance(values, (int, float)):
        low, high = zip(*widths) if widths else ((), ())
        kind = bool if x.type.element.text == "i1" else float if x.type.element.text[0] in "bf" else int
        return _array(b, b.pad(x, low, high, value=kind(values)))
    pairs = np.broadcast_to(np.asarray(values), (x.ndim, 2)).tolist()
    for axis, (numbers, (first, last)) in enumerate(zip(pairs, widths)):
        parts = [full([n if i == axis else one for i, one in enumerate(x.shape)], as_array(b, number), x.type.element)
                 for number, n in zip(numbers, (first, last))]  # fmt: skip
        x = concatenate((parts[0], x, parts[1]), axis)
    return x
