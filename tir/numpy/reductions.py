"""numpy's reductions, scans and statistics on traced arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from tir.dialects.tir.build.core import told
from tir.dialects.tir.effects import Assert
from tir.ir.errors import TirError
from tir.ir.types import I1, I64, FloatType
from tir.lazy import np
from tir.numpy.arrays import Array, Chosen, as_array, is_bool
from tir.numpy.common import axes_of, axis_of, cast, dtype_of_operand, element_of, floated, known, refuse, traced
from tir.numpy.elementwise import FUNCTIONS as ELEMENTS
from tir.numpy.elementwise import where as choose

__all__: list[str] = []


def _size(b: Any, x: Array, axes: list[int]) -> Any:
    """How many elements there are along the axes: a number where it is known."""
    return b.count(x, axes, I64)


def _chosen(b: Any, x: Array, where: Any, otherwise: Any) -> Array:
    """x where the condition holds, else what changes nothing."""
    return x if where is None or where is True else choose(where, x, otherwise)


def _folded(b: Any, found: Any, initial: Any, name: str) -> Array:
    found = Array(b, found.value)
    return found if initial is None else cast(b, ELEMENTS[name](found, initial), found.type.element)


def _of_choice(name: str, x: Chosen, axis: Any, where: Any, keepdims: bool, **named: Any) -> Array:
    """A reduction of what a mask chooses: of all, the others as the number that changes nothing."""
    refuse(where=where)
    b, axes = x.builder, axes_of(x, axis)
    whole = Array(b, x.choice.neutral(name).value)
    found = Array(b, REDUCTIONS[name](whole, tuple(x.choice.axes_of(axes)), **named).value)
    return Array(b, b.expand_dims(found, axes).value) if keepdims else found


def _total(name: str, ufunc: str, neutral: int) -> Callable[..., Any]:
    def total(
        b: Any, a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False, initial: Any = None,
        where: Any = None,
    ) -> Array:  # fmt: skip
        refuse(out=out)
        if isinstance(a, Chosen):
            return _of_choice(name, a, axis, where, keepdims, dtype=dtype, initial=initial)
        x = as_array(b, a)
        x = cast(b, x, element_of(dtype)) if dtype is not None else x
        x = _chosen(b, x, where, bool(neutral) if is_bool(x) else neutral)
        found = getattr(b, name)(x, axes_of(x, axis), bool(keepdims))
        found = b.cast(found, x.type.element) if dtype is not None else found
        return _folded(b, found, initial, ufunc)

    total.__name__ = name
    return traced(total)


sum_, prod = _total("sum", "add", 0), _total("prod", "multiply", 1)


def _extreme(name: str, ufunc: str) -> Callable[..., Any]:
    def extreme(
        b: Any, a: Any, axis: Any = None, out: Any = None, keepdims: bool = False, initial: Any = None, where: Any = None
    ) -> Array:
        refuse(out=out)
        if isinstance(a, Chosen):
            if initial is None:
                what = f"{name}imum"
                message = f"an array without elements has no {what}"
                b.op(Assert, b.any(a.choice.mask).value, result_types=[], msg=message)
            return _of_choice(name, a, axis, where, keepdims, initial=initial)
        x = as_array(b, a)
        axes = axes_of(x, axis)
        if where is not None and where is not True:
            if initial is None:
                raise TirError("with where, initial says what the result is where none is chosen")
            x = cast(b, choose(where, x, initial), x.type.element)
        if initial is None:
            _need_elements(b, x, axes, f"{name}imum", "initial says what it is then")
        if is_bool(x):
            found = b.any(x, axes, bool(keepdims)) if name == "max" else b.all(x, axes, bool(keepdims))
        else:
            found = getattr(b, name)(x, axes, bool(keepdims))
        return _folded(b, found, initial, ufunc)

    extreme.__name__ = name
    return traced(extreme)


def _need_elements(b: Any, x: Array, axes: Sequence[int], what: str, hint: str | None = None) -> None:
    """TirError if an axis has size 0; where only run time knows, it is checked then."""
    if 0 in [x.type.shape[axis] for axis in axes]:
        raise TirError(f"an array without elements has no {what}", hint=hint)
    for axis in axes:
        if not isinstance(x.type.shape[axis], int):
            size = b.tensor(b.extent_count(b.shape(x)[axis]))
            message = f"an array without elements has no {what}: axis {axis} has size 0"
            b.op(Assert, b.cmp("gt", size, 0).value, result_types=[], msg=message)


max_, min_ = _extreme("max", "maximum"), _extreme("min", "minimum")


def _question(name: str, when_not: bool) -> Callable[..., Any]:
    def question(b: Any, a: Any, axis: Any = None, out: Any = None, keepdims: bool = False, *, where: Any = None) -> Array:
        refuse(out=out)
        if isinstance(a, Chosen):
            return _of_choice(name, a, axis, where, keepdims)
        x = _chosen(b, cast(b, as_array(b, a), I1), where, when_not)
        return Array(b, getattr(b, name)(x, axes_of(x, axis), bool(keepdims)).value)

    question.__name__ = name
    return traced(question)


any_, all_ = _question("any", False), _question("all", True)
REDUCTIONS = {"sum": sum_, "prod": prod, "max": max_, "min": min_, "any": any_, "all": all_}


def _place(name: str) -> Callable[..., Any]:
    def place(b: Any, a: Any, axis: Any = None, out: Any = None, *, keepdims: bool = False) -> Array:
        refuse(out=out)
        x = as_array(b, a)
        x = cast(b, x, element_of("int8")) if is_bool(x) else x
        flat = x if axis is not None else flattened(b, x)
        at = axis_of(flat, 0 if axis is None else axis)
        _need_elements(b, flat, [at], name)
        found = getattr(b, name)(flat, at)
        if keepdims:
            ones = [1] * x.ndim if axis is None else [1 if i == at else size for i, size in enumerate(b.shape(x))]
            found = b.reshape(found, ones)
        return Array(b, found.value)

    place.__name__ = name
    return traced(place)


def _whole(b: Any, x: Array) -> Any:
    """The number of all elements as a size."""
    count = b.count(x, range(x.ndim), I64)
    return count if isinstance(count, int) else b.to_index(count)


def flattened(b: Any, x: Array) -> Array:
    """x along one axis."""
    return x if x.ndim == 1 else Array(b, b.reshape(x, [_whole(b, x)]).value)


argmax, argmin = _place("argmax"), _place("argmin")


def _mean(b: Any, x: Array, axis: Any, keepdims: bool, where: Any) -> Array:
    if where is None or where is True:
        return Array(b, b.mean(x, axes_of(x, axis), bool(keepdims)).value)
    count = sum_(choose(where, ELEMENTS["equal"](x, x) | True, False), axis, keepdims=keepdims)
    return sum_(x, axis, keepdims=keepdims, where=where) / cast(b, count, x.type.element)


@traced
def mean(
    b: Any, a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False, *, where: Any = None
) -> Array:
    refuse(out=out)
    if isinstance(a, Chosen):
        refuse(where=where)
        axes, x = axes_of(a, axis), floated(b, Array(b, a.choice.x.value))
        x = x if dtype is None else cast(b, x, element_of(dtype))
        found = replace(a.choice, x=x).mean(a.choice.axes_of(axes))
        return Array(b, (b.expand_dims(found, axes) if keepdims else found).value)
    x = floated(b, a)
    return _mean(b, x if dtype is None else cast(b, x, element_of(dtype)), axis, keepdims, where)


def _spread(name: str) -> Callable[..., Any]:
    def spread(
        b: Any, a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: bool = False, *,
        where: Any = None, mean: Any = None, correction: Any = None,
    ) -> Array:  # fmt: skip
        refuse(out=out, where=where, mean=mean)
        x = floated(b, a)
        x = x if dtype is None else cast(b, x, element_of(dtype))
        less = known("ddof", ddof if correction is None else correction)
        return Array(b, getattr(b, name)(x, axes_of(x, axis), less, bool(keepdims)).value)

    spread.__name__ = name
    return traced(spread)


var, std = _spread("var"), _spread("std")


@traced
def average(b: Any, a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False) -> Any:
    x = floated(b, a)
    if weights is None:
        found = _mean(b, x, axis, keepdims, None)
        total = ELEMENTS["multiply"](found * 0.0 + 1.0, _size(b, x, axes_of(x, axis)))
        return (found, total) if returned else found
    w = as_array(b, weights)
    if w.ndim != x.ndim:
        if axis is None or w.ndim != 1:
            raise TirError(f"weights must have the shape of the array, or go along the axis, got {w.type}")
        at = axis_of(x, axis)
        w = Array(b, b.broadcast(w, [at], b.shape(x)).value)
    total = sum_(w * (x * 0 + 1), axis, keepdims=keepdims)
    found = sum_(x * w, axis, keepdims=keepdims) / total
    return (found, total) if returned else found


@traced
def ptp(b: Any, a: Any, axis: Any = None, out: Any = None, keepdims: bool = False) -> Array:
    refuse(out=out)
    return max_(a, axis, keepdims=keepdims) - min_(a, axis, keepdims=keepdims)


@traced
def count_nonzero(b: Any, a: Any, axis: Any = None, *, keepdims: bool = False) -> Array:
    return sum_(cast(b, as_array(b, a), I1), axis, keepdims=keepdims)


# --- without nan -----------------------------------------------------------------------------------------------------


def _without_nan(name: str, function: Callable[..., Any], instead: float) -> Callable[..., Any]:
    def ignoring(b: Any, a: Any, axis: Any = None, *given: Any, **named: Any) -> Array:
        x = as_array(b, a)
        if not isinstance(x.type.element, FloatType):
            return function(x, axis, *given, **named)
        is_nan = ELEMENTS["isnan"](x)
        found = function(choose(is_nan, instead, x), axis, *given, **named)
        if instead in (0, 1):
            return found
        return choose(all_(is_nan, axis, keepdims=named.get("keepdims", False)), float("nan"), found)

    ignoring.__name__ = name
    return traced(ignoring)


nansum, nanprod = _without_nan("nansum", sum_, 0), _without_nan("nanprod", prod, 1)
nanmax, nanmin = _without_nan("nanmax", max_, -float("inf")), _without_nan("nanmin", min_, float("inf"))


@traced
def nanmean(b: Any, a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False) -> Array:
    refuse(out=out)
    x = floated(b, a)
    x = x if dtype is None else cast(b, x, element_of(dtype))
    return _mean(b, x, axis, keepdims, ~ELEMENTS["isnan"](x))


@traced
def nanvar(
    b: Any, a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: int = 0, keepdims: bool = False
) -> Array:
    refuse(out=out)
    x = floated(b, a)
    x = x if dtype is None else cast(b, x, element_of(dtype))
    is_number = ~ELEMENTS["isnan"](x)
    from_mean = x - _mean(b, x, axis, True, is_number)
    count = cast(b, sum_(is_number, axis, keepdims=keepdims), x.type.element)
    found = sum_(ELEMENTS["square"](from_mean), axis, keepdims=keepdims, where=is_number) / (count - ddof)
    return choose(count > ddof, found, float("nan"))


@traced
def nanstd(
    b: Any, a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: int = 0, keepdims: bool = False
) -> Array:
    return ELEMENTS["sqrt"](nanvar(a, axis, dtype, out, ddof, keepdims))


# --- running ---------------------------------------------------------------------------------------------------------


def _running(name: str, sum_like: bool = True) -> Callable[..., Any]:
    def running(b: Any, a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Array:
        refuse(out=out)
        x = as_array(b, a)
        x = flattened(b, x) if axis is None else x
        if dtype is not None:
            x = cast(b, x, element_of(dtype))
        elif sum_like:
            x = Array(b, b._widened(x).value)
        element = x.type.element
        x = cast(b, x, element_of("int8")) if is_bool(x) else x
        found = Array(b, getattr(b, name)(x, axis_of(x, 0 if axis is None else axis)).value)
        return found if sum_like else cast(b, found, element)

    running.__name__ = name
    return traced(running)


cumsum, cumprod = _running("cumsum"), _running("cumprod")
_cummax, _cummin = _running("cummax", False), _running("cummin", False)


def _array_api_running(name: str, function: Callable[..., Any], first: int) -> Callable[..., Any]:
    def running(
        b: Any, x: Any, /, *, axis: Any = None, dtype: Any = None, out: Any = None, include_initial: bool = False
    ) -> Array:
        x = as_array(b, x)
        if axis is None and x.ndim != 1:
            raise TirError("of an array with several axes, axis must be given")
        at = axis_of(x, 0 if axis is None else axis)
        found = function(x, at, dtype, out)
        if not include_initial:
            return found
        shape = [1 if i == at else size for i, size in enumerate(b.shape(found))]
        return Array(b, b.concat([b.full(first, shape, found.type.element), found], at).value)

    running.__name__ = name
    return traced(running)


cumulative_sum = _array_api_running("cumulative_sum", cumsum, 0)
cumulative_prod = _array_api_running("cumulative_prod", cumprod, 1)


def _accumulated(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """`numpy.add.accumulate` and its like, which go along axis 0 if none is named."""

    def accumulate(b: Any, array: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Array:
        return function(array, axis, dtype, out)

    accumulate.__name__ = name
    return traced(accumulate)


def _reduced(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """`numpy.add.reduce` and its like, which go along axis 0 if none is named."""

    def reduce(
        b: Any, array: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False, **named: Any
    ) -> Array:
        more = {} if dtype is None else {"dtype": dtype}
        return function(array, axis, out=out, keepdims=keepdims, **more, **named)

    reduce.__name__ = name
    return traced(reduce)


#: The methods of numpy's functions of elements, by `function.method`.
OF_FUNCTIONS = {
    **{f"{name}.accumulate": _accumulated(name, function) for name, function in
       (("add", cumsum), ("multiply", cumprod), ("maximum", _cummax), ("minimum", _cummin))},
    **{f"{name}.reduce": _reduced(name, function) for name, function in
       (("add", sum_), ("multiply", prod), ("maximum", max_), ("minimum", min_), ("logical_and", all_),
        ("logical_or", any_))},
}  # fmt: skip


# --- differences, order ----------------------------------------------------------------------------------------------


@traced
def diff(b: Any, a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Array:
    refuse(prepend=prepend, append=append)
    x = as_array(b, a)
    at = axis_of(x, axis)
    for _ in range(known("n", n)):
        front = (slice(None),) * at
        x = ELEMENTS["not_equal" if is_bool(x) else "subtract"](x[(*front, slice(1, None))], x[(*front, slice(None, -1))])
    return x


@traced
def ediff1d(b: Any, ary: Any, to_end: Any = None, to_begin: Any = None) -> Array:
    refuse(to_end=to_end, to_begin=to_begin)
    return diff(flattened(b, as_array(b, ary)))


def _running_without_nan(name: str, function: Callable[..., Any], neutral: int) -> Callable[..., Any]:
    def running(b: Any, a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Array:
        x = as_array(b, a)
        x = choose(ELEMENTS["isnan"](x), neutral, x) if isinstance(x.type.element, FloatType) else x
        return function(x, axis, dtype, out)

    running.__name__ = name
    return traced(running)


nancumsum, nancumprod = _running_without_nan("nancumsum", cumsum, 0), _running_without_nan("nancumprod", cumprod, 1)


@traced
def gradient(b: Any, f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """By central differences inside, by one-sided ones at the ends. varargs: distances, or the places of the elements."""
    if edge_order != 1:
        raise TirError(f"edge_order must be 1 for traced arrays, got {told(edge_order)}")
    x = floated(b, f)
    axes = axes_of(x, axis)
    steps = varargs if len(varargs) != 1 else varargs * len(axes)
    if steps and len(steps) != len(axes):
        raise TirError(f"needs a distance for each axis: {len(axes)}, got {len(steps)}")
    found = tuple(_slope(b, x, at, step) for at, step in zip(axes, steps or [1.0] * len(axes)))
    return found[0] if len(found) == 1 else found


def _slope(b: Any, x: Array, axis: int, step: Any) -> Array:
    """The derivative along an axis."""
    if known("a size", x.shape[axis]) < 2:
        raise TirError(f"an axis must have at least 2 elements, got {x.shape[axis]} along axis {axis}")
    places, gaps = as_array(b, step), diff(x, 1, axis)
    if places.ndim == 0:
        inner = (x[_part(axis, 2, None)] - x[_part(axis, 0, -2)]) / (places * 2.0)
        ends = [gaps[_part(axis, 0, 1)] / places, gaps[_part(axis, -1, None)] / places]
    else:
        if places.ndim != 1 or places.shape[0] != x.shape[axis]:
            raise TirError(f"places must be one for each element of axis {axis}, got {places.type} for {x.type}")
        widths = diff(floated(b, places))[(slice(None), *(None,) * (x.ndim - 1 - axis))]
        slopes, before, behind = gaps / widths, widths[:-1], widths[1:]
        inner = (slopes[_part(axis, 0, -1)] * behind + slopes[_part(axis, 1, None)] * before) / (before + behind)
        ends = [slopes[_part(axis, 0, 1)], slopes[_part(axis, -1, None)]]
    parts = [Array(b, b.cast(one, x.type.element).value) for one in (ends[0], inner, ends[1])]
    return Array(b, b.concat(parts, axis).value)


def _part(axis: int, start: int, stop: int | None) -> tuple[slice, ...]:
    return (*(slice(None),) * axis, slice(start, stop))


@traced
def unwrap(b: Any, p: Any, discont: Any = None, axis: int = -1, *, period: Any = 2 * math.pi) -> Array:
    """The angles without jumps: where two neighbours are further apart than half a period, periods are added."""
    x = as_array(b, p)
    at, gaps = axis_of(x, axis), diff(x, 1, axis)
    is_whole = isinstance(period, int) and not isinstance(x.type.element, FloatType)
    high, low = (period // 2, -(period // 2)) if is_whole else (period / 2, -period / 2)
    wrapped = ELEMENTS["remainder"](gaps - low, period) + low
    if not is_whole or period % 2 == 0:
        wrapped = choose((wrapped == low) & (gaps > 0), high, wrapped)
    off = wrapped - gaps
    steps = choose(ELEMENTS["absolute"](gaps) < (period / 2 if discont is None else discont), 0, off)
    parts = x[_part(at, 0, 1)], x[_part(at, 1, None)] + cumsum(steps, at)
    return Array(b, b.concat([cast(b, one, off.type.element) for one in parts], at).value)


@traced
def trapezoid(b: Any, y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Array:
    y = as_array(b, y)
    at = axis_of(y, axis)
    front = (slice(None),) * at
    both = y[(*front, slice(1, None))] + y[(*front, slice(None, -1))]
    if x is None:
        return sum_(dx * both / 2.0, at)
    width = diff(x, axis=-1 if as_array(b, x).ndim == 1 else axis)
    if width.ndim == 1:
        width = Array(b, b.broadcast(width, [at], b.shape(both)).value)
    return sum_(width * both / 2.0, at)


@traced
def cov(
    b: Any, m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: int | None = None, fweights: Any = None,
    aweights: Any = None, *, dtype: Any = None,
) -> Array:  # fmt: skip
    refuse(fweights=fweights, aweights=aweights)
    rows = _rows(b, m, rowvar, dtype)
    if y is not None:
        rows = Array(b, b.concat([rows, _rows(b, y, rowvar, dtype)], 0).value)
    from_mean = rows - _mean(b, rows, 1, True, None)
    less = (0 if bias else 1) if ddof is None else ddof
    found = b.dot(from_mean, b.transpose(from_mean)) / (_size(b, rows, [1]) - less)
    found = Array(b, found.value)
    return found if rows.type.shape[0] != 1 else Array(b, b.reshape(found, []).value)


def _rows(b: Any, m: Any, rowvar: bool, dtype: Any) -> Array:
    """A variable in each row, in the floats that numpy's cov would compute in."""
    x = as_array(b, m)
    if x.ndim > 2:
        raise TirError(f"an array must have at most 2 axes, got {x.type}")
    kinds = dtype_of_operand(x), np.dtype(np.float64)
    common = np.result_type(*(kind(0) if isinstance(kind, type) else kind for kind in kinds))
    wide = element_of(common if dtype is None else dtype)
    x = cast(b, x, wide)
    x = x if x.ndim == 2 else Array(b, b.expand_dims(x, range(2 - x.ndim)).value)
    return x if rowvar or x.type.shape[0] == 1 else Array(b, b.transpose(x).value)


@traced
def corrcoef(b: Any, x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Array:
    found = cov(x, y, rowvar, dtype=dtype)
    if found.ndim == 0:
        return found / found
    spread = ELEMENTS["sqrt"](Array(b, b.diag_part(found).value))
    found = found / spread[:, None] / spread[None, :]
    return ELEMENTS["minimum"](ELEMENTS["maximum"](found, -1.0), 1.0)



def __getattr__(name: str) -> Any:
    """The functions of `OF_FUNCTIONS`, as attributes of the module."""
    if name in OF_FUNCTIONS:
        return OF_FUNCTIONS[name]
    raise AttributeError(name)
