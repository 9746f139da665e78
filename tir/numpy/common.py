"""What numpy's functions on traced arrays share: element types as numpy chooses them, axes, and what is not taken."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from functools import reduce, wraps
from inspect import signature
from typing import Any

from tir.dialects.tir.build.core import SizeOf, Tensor, told
from tir.dialects.tir.build.hints import UnknownYetError
from tir.dialects.tir.effects import Assert
from tir.ir.affine import AffineExpr
from tir.ir.errors import TirError
from tir.ir.types import BF16, F16, F32, I64, FloatType, IntegerType, Type, dtype_of, type_of_dtype
from tir.lazy import np
from tir.numpy.arrays import Array, as_array, builder_of

__all__ = [
    "as_operand", "axes_of", "axis_of", "cast", "dtype_of_operand", "element_of", "floated", "known", "product", "promoted",
    "refuse", "resolved", "shape_of", "traced",
]  # fmt: skip


# --- functions -------------------------------------------------------------------------------------------------------


def traced(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function `f(b, ..)` as one without the builder, which is that of its arguments; errors get name and place."""
    name = function.__name__.removesuffix("_")
    label = {"getitem": "x[index]", "changed": "x.at[index]"}.get(name, f"numpy.{name}")
    takes = signature(function)
    parameters = list(takes.parameters.values())[1:]
    own = takes.replace(parameters=parameters)

    @wraps(function)
    def call(*given: Any, **named: Any) -> Any:
        b = builder_of(given, named)
        assert b is not None, f"{name}: no argument is traced"
        try:
            own.bind(*given, **named)
        except TypeError as error:
            names = ", ".join(p.name for p in parameters)
            raise TirError(f"{label}: traced, it takes {names}; {error}", b.here()) from None
        outer, b.is_in_method = getattr(b, "is_in_method", True), True
        try:
            return function(b, *given, **named)
        except TirError as error:
            if error.location is None:
                error.location = b.here()
                error.message = error.message if error.message.startswith("numpy.") else f"{label}: {error.message}"
            raise
        finally:
            b.is_in_method = outer

    call.__signature__ = own  # type: ignore[attr-defined]
    return call


def refuse(**given: Any) -> None:
    """TirError for an argument of numpy's that has no meaning for traced arrays."""
    for name, value in given.items():
        if value is not None:
            raise TirError(f"{name} is not for traced arrays, got {told(value)}", hint="leave it away")


def known(what: str, number: Any) -> int:
    """A whole number that is known when the function is traced."""
    if isinstance(number, (AffineExpr, SizeOf)):
        message = f"{what} must be known when the function is traced, and an axis that is `dynamic` has no size then"
        raise UnknownYetError(message, hint="leave the axis out of `dynamic`")
    if isinstance(number, Tensor):
        cure = "static_argnums of tir.jit makes an argument part of the program"
        raise UnknownYetError(f"{what} must be known when the function is traced", hint=cure)
    try:
        return operator.index(number)
    except TypeError:
        raise TirError(f"{what} must be a whole number, got {told(number)}") from None


# --- element types ---------------------------------------------------------------------------------------------------


def element_of(dtype: Any) -> Type:
    """The element type for what numpy takes as a dtype, and for tir's own."""
    if isinstance(dtype, Type):
        return dtype
    try:
        name = dtype if dtype == "bfloat16" else np.dtype(dtype).name
    except TypeError:
        raise TirError(f"{told(dtype)} is no dtype") from None
    return type_of_dtype(name)


def dtype_of_operand(x: Any) -> Any:
    """What numpy's promotion is told of an operand: a dtype, or int and float for a Python number."""
    if isinstance(x, Array):
        element = x.type.element
        if x.is_weak:
            return float if isinstance(element, FloatType) else int
        return np.dtype(dtype_of(F16 if element is BF16 else element).numpy)
    if isinstance(x, bool):
        return np.dtype(bool)
    return float if isinstance(x, float) else int


def as_operand(b: Any, x: Any) -> Any:
    """A traced array, or the Python number that x is."""
    return x if isinstance(x, (bool, int, float)) and not isinstance(x, np.generic) else as_array(b, x)


def resolved(name: str, xs: Sequence[Any]) -> list[Type]:
    """The element types that numpy's function computes in for these operands, then those of its results."""
    ufunc = getattr(np, name)
    kinds = [dtype_of_operand(x) for x in xs]
    if all(kind is int for kind in kinds):
        kinds = [np.dtype(np.int64)] * len(kinds)  # numpy would compare Python's own numbers, as objects
    try:
        found = ufunc.resolve_dtypes((*kinds, *[None] * ufunc.nout))
    except TypeError:
        words = " and ".join(kind.__name__ if isinstance(kind, type) else str(kind) for kind in kinds)
        raise TirError(f"numpy.{name} is not for {words}", hint="x.astype(..) converts") from None
    return [_with_bf16(type_of_dtype(dtype.name), xs) for dtype in found]


def _with_bf16(element: Type, xs: Sequence[Any]) -> Type:
    """bf16 counts as f16; beside f16 both become f32."""
    elements = {x.type.element for x in xs if isinstance(x, Array) and not x.is_weak}
    if element is not F16 or BF16 not in elements:
        return element
    return F32 if F16 in elements else BF16


def promoted(b: Any, xs: Sequence[Any]) -> list[Array]:
    """Traced arrays of one element type, as numpy.result_type has it."""
    operands = [as_array(b, x) for x in xs]
    if len(operands) == 1:
        return operands
    kinds = [dtype_of_operand(x) for x in operands]
    samples = [kind(0) if isinstance(kind, type) else kind for kind in kinds]
    element = _with_bf16(type_of_dtype(np.result_type(*samples).name), operands)
    is_weak = all(x.is_weak for x in operands)
    return [cast(b, fitting(b, x, element), element, is_weak) for x in operands]


def fitting(b: Any, x: Array, element: Type) -> Array:
    """x, which is about to become `element`; run time checks that a Python number of the caller's is one of these."""
    own = x.type.element
    if not x.is_weak or not isinstance(own, IntegerType) or not isinstance(element, IntegerType) or element is own:
        return x
    if element.width > 1 and not fits_all(own, element):
        low, high = _bounds(element)
        inside = b.cmp("ge", x, low)
        if high < 2**63:
            inside = b.and_(inside, b.cmp("le", x, high))
        message = f"a whole number that meets an array of {dtype_of(element).numpy} must be from {low} to {high}"
        b.op(Assert, b.all(inside).value, result_types=[], msg=message)
    return x


def fits_all(own: IntegerType, element: IntegerType) -> bool:
    """Each number of the one type is one of the other."""
    (low, high), (lowest, highest) = _bounds(own), _bounds(element)
    return lowest <= low and high <= highest


def _bounds(element: IntegerType) -> tuple[int, int]:
    """The lowest and the highest number."""
    found = np.iinfo(np.dtype(dtype_of(element).numpy))
    return int(found.min), int(found.max)


def cast(b: Any, x: Array, element: Type, is_weak: bool = False) -> Array:
    """x in another element type; to truth values as numpy does: whether it is not 0."""
    if x.type.element is element:
        return x if x.is_weak == is_weak else Array(b, x.value, is_weak)
    if element.text == "i1":
        return Array(b, b.cmp("ne", x, b.full_like(x, 0)).value)
    return Array(b, b.cast(x, element).value, is_weak)


def floated(b: Any, x: Any) -> Array:
    """x in the floats that numpy's mean would have: whole numbers become f64."""
    x = as_array(b, x)
    if isinstance(x.type.element, FloatType):
        return Array(b, x.value)
    return cast(b, x, element_of("float64"))


# --- axes and shapes -------------------------------------------------------------------------------------------------


def axes_of(x: Array, axis: Any) -> list[int]:
    """The axes that numpy's `axis` means: one, several, or all for None."""
    if axis is None:
        return list(range(x.ndim))
    given = [known("axis", one) for one in (axis if isinstance(axis, (tuple, list)) else [axis])]
    for one in given:
        if not -x.ndim <= one < x.ndim:
            if x.ndim == 0:
                raise TirError(f"an array of rank 0 has no axes, got axis {one}")
            raise TirError(f"axis must be {-x.ndim} to {x.ndim - 1}, got {one}")
    found = [one % x.ndim for one in given]
    if len(set(found)) != len(found):
        raise TirError(f"axis must name each axis once, got {told(axis)}")
    return found


def axis_of(x: Array, axis: Any) -> int:
    """The one axis that is meant."""
    return axes_of(x, known("axis", axis))[0]


def product(b: Any, sizes: Sequence[Any]) -> Any:
    """The size that is the product of these."""
    number = math.prod(size for size in sizes if isinstance(size, int))
    rest = [size for size in sizes if not isinstance(size, int)]
    if len(rest) == 1 and (number == 1 or isinstance(rest[0], AffineExpr)):
        return rest[0] if number == 1 else rest[0] * number
    if not rest:
        return number
    return b.to_index(reduce(b.mul, [b.extent_count(size) for size in rest], b.constant(number, I64)))


def shape_of(shape: Any) -> list[Any]:
    """The sizes that numpy's `shape` means."""
    given = shape if isinstance(shape, (tuple, list)) else [shape]
    if any(isinstance(one, Tensor) for one in given):
        known("a size", next(one for one in given if isinstance(one, Tensor)))
    return [int(one) if isinstance(one, np.integer) else one for one in given]
