"""Theano's reductions: sums, means, extremes, and their dtypes.

`axis` is None for all, a number, or several. Integers add up in 64 bits; a mean of integers is float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tir.dialects.tir.build.core import Tensor
from tir.graph.elementwise import cast, neq
from tir.graph.errors import GraphTypeError
from tir.graph.graph import GRAPH as b
from tir.graph.graph import located
from tir.graph.typing import element_of
from tir.ir.types import F64, I1, I64, FloatType, IntegerType

__all__ = [
    "all", "any", "argmax", "argmin", "cumprod", "cumsum", "logsumexp", "max", "max_and_argmax", "mean", "min",
    "norm", "prod", "ptp", "std", "sum", "var",
]  # fmt: skip

Axis = Any  # None, a number, or several


def _axes(x: Tensor, axis: Axis) -> Sequence[int] | None:
    return None if axis is None else b.axes_of(x, axis)


@located
def sum(x: Any, axis: Axis = None, dtype: Any = None, keepdims: bool = False, acc_dtype: Any = None) -> Tensor:
    """The sum over the axes. dtype: of the result. acc_dtype: in which it adds up, where that is wider."""
    if isinstance(x, b.chosen_class):
        return _of_choice(sum, x, axis, keepdims, dtype)
    return _folded("sum", x, axis, dtype, keepdims)


@located
def prod(
    x: Any, axis: Axis = None, dtype: Any = None, keepdims: bool = False, acc_dtype: Any = None,
    no_zeros_in_input: bool = False,
) -> Tensor:  # fmt: skip
    """The product over the axes, whose gradient is right at zeros too."""
    if isinstance(x, b.chosen_class):
        return _of_choice(prod, x, axis, keepdims, dtype)
    return _folded("prod", x, axis, dtype, keepdims)


def _of_choice(function: Any, x: Any, axis: Axis, keepdims: bool, dtype: Any = None) -> Tensor:
    """A reduction of what a mask chooses: of all, the others as the number that changes nothing."""
    axes = b.axes_of(x, range(x.type.rank) if axis is None else axis)
    named = {} if dtype is None else {"dtype": dtype}
    found = function(x.choice.neutral(function.__name__), x.choice.axes_of(axes), **named)
    return b.expand_dims(found, axes) if keepdims else found


def _folded(name: str, x: Any, axis: Axis, dtype: Any, keepdims: bool) -> Tensor:
    x = b.tensor(x)
    if dtype is not None and isinstance(element_of(dtype), FloatType):
        x = b.cast(x, element_of(dtype))
    found = getattr(b, name)(x, _axes(x, axis), keepdims)
    return found if dtype is None else cast(found, dtype)


@located
def mean(
    x: Any, axis: Axis = None, dtype: Any = None, op: bool = False, keepdims: bool = False, acc_dtype: Any = None
) -> Tensor:
    """The mean over the axes; of integers and booleans in float64."""
    choice = x.choice if isinstance(x, b.chosen_class) else None
    x = x if choice is not None else b.tensor(x)
    element = element_of(dtype) if dtype is not None else x.type.element
    if dtype is not None and not isinstance(element, FloatType):
        raise GraphTypeError(f"the dtype must be one of floats, got {dtype}")
    element = element if isinstance(element, FloatType) else F64
    if choice is not None:
        axes = b.axes_of(x, range(x.type.rank) if axis is None else axis)
        found = replace(choice, x=b.cast(choice.x, element)).mean(choice.axes_of(axes))
        return b.expand_dims(found, axes) if keepdims else found
    x = b.cast(x, element)
    return b.mean(x, _axes(x, axis), keepdims)


@located
def var(x: Any, axis: Axis = None, ddof: int = 0, keepdims: bool = False, corrected: bool = False) -> Tensor:
    """The variance over the axes, divided by the number of elements less ddof."""
    x = _floats(x)
    return b.var(x, _axes(x, axis), ddof, keepdims)


@located
def std(x: Any, axis: Axis = None, ddof: int = 0, keepdims: bool = False, corrected: bool = False) -> Tensor:
    """The root of the variance."""
    x = _floats(x)
    return b.std(x, _axes(x, axis), ddof, keepdims)


def _floats(x: Any) -> Tensor:
    x = b.tensor(x)
    return x if isinstance(x.type.element, FloatType) else b.cast(x, F64)


@located
def norm(x: Any, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The norm: ord None or 2 of Euclid, 1, inf, or another number p: the p-th root of the sum of |x|^p."""
    x = _floats(x)
    axes = _axes(x, axis)
    if ord in (None, 2, "fro"):
        return b.norm(x, axes, 2, keepdims)
    if ord in (1, float("inf")):
        return b.norm(x, axes, ord, keepdims)
    if ord == -float("inf"):
        return b.min(b.abs(x), axes, keepdims)
    if ord == 0:
        return b.sum(b.cast(neq(x, 0), x.type.element), axes, keepdims)
    return b.pow(b.sum(b.pow(b.abs(x), float(ord)), axes, keepdims), 1.0 / ord)


# --- extremes --------------------------------------------------------------------------------------------------------


@located
def max(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The largest over the axes; all that are equal to it get the whole gradient. nan if there is one."""
    if isinstance(x, b.chosen_class):
        return _of_choice(max, x, axis, keepdims)
    x = b.tensor(x)
    return (b.any if x.type.element is I1 else b.max)(x, _axes(x, axis), keepdims)


@located
def min(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The smallest over the axes; all that are equal to it get the whole gradient. nan if there is one."""
    if isinstance(x, b.chosen_class):
        return _of_choice(min, x, axis, keepdims)
    x = b.tensor(x)
    return (b.all if x.type.element is I1 else b.min)(x, _axes(x, axis), keepdims)


@located
def argmax(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The first position of the largest along the axis, or in the flattened tensor, as int64. It has no gradient."""
    return _position("argmax", x, axis, keepdims)


@located
def argmin(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The first position of the smallest along the axis, or in the flattened tensor, as int64. It has no gradient."""
    return _position("argmin", x, axis, keepdims)


def _position(name: str, x: Any, axis: Axis, keepdims: bool) -> Tensor:
    x = b.tensor(x)
    x = b.cast(x, element_of("uint8")) if x.type.element is I1 else x
    axes = _axes(x, axis)
    chosen = list(range(x.type.rank)) if axes is None else list(axes)
    rest = [i for i in range(x.type.rank) if i not in chosen]
    if len(chosen) != 1:  # in the flattened axes, which are moved behind the others
        shape = [b.shape(x)[i] for i in rest]
        moved = b.transpose(x, [*rest, *chosen])
        flat = b.reshape(moved, [*shape, _size(x, chosen)])
        found = getattr(b, name)(flat, len(rest))
    else:
        found = getattr(b, name)(x, chosen[0])
    if not keepdims:
        return found
    return b.expand_dims(found, chosen) if chosen else found


def _size(x: Tensor, axes: Sequence[int]) -> Any:
    """The number of elements along the axes, as a size."""
    found = b.count(x, axes, I64)
    return found if isinstance(found, int) else b.to_index(found)


@located
def max_and_argmax(x: Any, axis: Axis = None, keepdims: bool = False) -> list[Tensor]:
    """The largest and its position."""
    return [max(x, axis, keepdims), argmax(x, axis, keepdims)]


@located
def ptp(x: Any, axis: Axis = None) -> Tensor:
    """The largest less the smallest."""
    return b.sub(max(x, axis), min(x, axis))


# --- truth -----------------------------------------------------------------------------------------------------------


@located
def all(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether all elements are not 0."""
    if isinstance(x, b.chosen_class):
        return _of_choice(all, x, axis, keepdims)
    x = _truth(x)
    return b.all(x, _axes(x, axis), keepdims)


@located
def any(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether some element is not 0."""
    if isinstance(x, b.chosen_class):
        return _of_choice(any, x, axis, keepdims)
    x = _truth(x)
    return b.any(x, _axes(x, axis), keepdims)


def _truth(x: Any) -> Tensor:
    x = b.tensor(x)
    return x if x.type.element is I1 else b.cmp("ne", x, 0)


# --- along an axis ---------------------------------------------------------------------------------------------------


@located
def cumsum(x: Any, axis: int | None = None) -> Tensor:
    """The sum of each element and all before it, along the axis or in the flattened tensor."""
    return _cumulative("cumsum", x, axis)


@located
def cumprod(x: Any, axis: int | None = None) -> Tensor:
    """The product of each element and all before it, along the axis or in the flattened tensor."""
    return _cumulative("cumprod", x, axis)


def _cumulative(name: str, x: Any, axis: int | None) -> Tensor:
    x = b.tensor(x)
    if isinstance(x.type.element, IntegerType):
        x = b.cast(x, element_of("uint64" if x.type.element.is_unsigned else "int64"))
    if axis is None:
        x, axis = b.reshape(x, [_size(x, range(x.type.rank))]), 0
    return getattr(b, name)(x, axis)


@located
def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """log(sum(exp(x))) without overflow."""
    x = _floats(x)
    return b.logsumexp(x, _axes(x, axis), keepdims)
