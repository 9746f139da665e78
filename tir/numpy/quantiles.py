"""numpy's quantiles and medians on traced arrays, also those that leave nan out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tir.ir.errors import TirError
from tir.ir.types import F64, I64, FloatType
from tir.numpy.arrays import Array, as_array
from tir.numpy.common import axes_of, cast, floated, promoted, refuse, traced
from tir.numpy.elementwise import FUNCTIONS as ELEMENTS
from tir.numpy.elementwise import where as choose
from tir.numpy.reductions import flattened, sum_

__all__: list[str] = []


def _quantile(b: Any, x: Array, q: Any, axis: Any, method: str, keepdims: bool, without_nan: bool = False) -> Array:
    """The value below which the part q of the numbers lies, in a straight line between two; nan if one is nan.

    without_nan: of those that are no nan, and nan where there are none.
    """
    axes = axes_of(x, axis)
    kept = [i for i in range(x.ndim) if i not in axes]
    count = b.count(x, axes, I64)
    last = count if isinstance(count, int) else b.to_index(count)
    rows = b.reshape(b.transpose(x, [*kept, *axes]), [*(b.shape(x)[i] for i in kept), last])
    ordered = Array(b, b.sort(rows, -1).value)  # nan last
    parts = cast(b, as_array(b, q), x.type.element if isinstance(x.type.element, FloatType) else F64)
    if without_nan and isinstance(x.type.element, FloatType):
        found = _quantile_of_numbers(b, ordered, parts, method)
    else:
        found = _between(lambda i: Array(b, b.take(ordered, b.cast(i, I64), len(kept)).value), parts * (count - 1), method)
        if isinstance(x.type.element, FloatType):
            greatest = ordered[..., -1:]
            found = choose(ELEMENTS["isnan"](greatest if parts.ndim else greatest[..., 0]), float("nan"), found)
    if parts.ndim:
        found = Array(b, b.transpose(found, [*range(len(kept), found.ndim), *range(len(kept))]).value)
    if keepdims:
        ones = [1 if i in axes else size for i, size in enumerate(b.shape(x))]
        found = Array(b, b.reshape(found, [*b.shape(parts), *ones]).value)
    return found


def _between(read: Callable[[Any], Array], place: Any, method: str) -> Array:
    """What is at a place between two that can be read."""
    low, high = ELEMENTS["floor"](place), ELEMENTS["ceil"](place)
    if method == "nearest":
        low = high = ELEMENTS["rint"](place)
    low, high = (high, high) if method == "higher" else (low, low) if method == "lower" else (low, high)
    below, above = read(low), read(high)
    if method == "mean":
        return choose(above == below, below, below * 0.5 + above * 0.5)
    if method not in ("linear", "midpoint"):
        return below
    part = choose(low == high, 0.0, 0.5) if method == "midpoint" else place - low
    gap = above - below
    return choose(part < 0.5, below + gap * part, above - gap * (1.0 - part))  # as numpy rounds, infinities too


def _quantile_of_numbers(b: Any, ordered: Array, parts: Array, method: str) -> Array:
    """For each row the parts of its numbers before the first nan."""
    count = sum_(~ELEMENTS["isnan"](ordered), -1, keepdims=True)
    place = flattened(b, parts) * cast(b, ELEMENTS["maximum"](count - 1, 0), parts.type.element)
    none = b.full(float("nan"), [*b.shape(ordered)[:-1], 1], ordered.type.element)  # for rows of no elements
    ordered = Array(b, b.concat([ordered, none], ordered.ndim - 1).value)
    found = _between(lambda i: Array(b, b.take_along_axis(ordered, b.cast(i, I64), ordered.ndim - 1).value), place, method)
    found = choose(count > 0, found, float("nan"))
    return Array(b, b.reshape(found, [*b.shape(ordered)[:-1], *b.shape(parts)]).value)


def _for_parts(b: Any, a: Any, q: Any, method: str) -> Array:
    """The numbers in the type of their quantiles: one of them, or what they and q are computed in."""
    if method not in ("linear", "lower", "higher", "nearest", "midpoint"):
        raise TirError(f"method must be linear, lower, higher, nearest or midpoint, got {method!r}")
    if method in ("lower", "higher", "nearest"):
        return as_array(b, a)
    return promoted(b, [floated(b, a), as_array(b, q)])[0]


def _of_percent(b: Any, q: Any) -> Array:
    return ELEMENTS["divide"](as_array(b, q), 100.0)


def _by_parts(b: Any, a: Any, q: Any, axis: Any, method: str, keepdims: bool, without_nan: bool = False) -> Array:
    """The quantiles of an array in a precision that fits the parts as well."""
    return _quantile(b, _for_parts(b, a, q, method), q, axis, method, keepdims, without_nan=without_nan)


@traced
def quantile(
    b: Any, a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, method: str = "linear",
    keepdims: bool = False,
) -> Array:  # fmt: skip
    refuse(out=out)
    return _by_parts(b, a, q, axis, method, keepdims)


@traced
def percentile(
    b: Any, a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, method: str = "linear",
    keepdims: bool = False,
) -> Array:  # fmt: skip
    refuse(out=out)
    return _by_parts(b, a, _of_percent(b, q), axis, method, keepdims)


@traced
def median(
    b: Any, a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: bool = False
) -> Array:
    refuse(out=out)
    return _quantile(b, floated(b, a), 0.5, axis, "mean", keepdims)


@traced
def nanquantile(
    b: Any, a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, method: str = "linear",
    keepdims: bool = False,
) -> Array:  # fmt: skip
    refuse(out=out)
    return _by_parts(b, a, q, axis, method, keepdims, without_nan=True)


@traced
def nanpercentile(
    b: Any, a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, method: str = "linear",
    keepdims: bool = False,
) -> Array:  # fmt: skip
    refuse(out=out)
    return _by_parts(b, a, _of_percent(b, q), axis, method, keepdims, without_nan=True)


@traced
def nanmedian(
    b: Any, a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: bool = False
) -> Array:
    refuse(out=out)
    return _quantile(b, floated(b, a), 0.5, axis, "mean", keepdims, without_nan=True)
