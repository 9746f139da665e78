"""Which element type comes out: Theano's rules.

Tensors promote as numpy's arrays do (int32 beside float32 is float64). A Python number has the smallest type that holds
it, and a float that of `config.floatX` if that is not float64: so `fvector * 0.1` is float32 under floatX=float32. A
function of floats takes integers of 8 and 16 bits as float32, wider ones as float64; a quotient of integers is a floatX.
"""

from __future__ import annotations

from typing import Any

from tir.configuration import config
from tir.graph.errors import GraphTypeError
from tir.ir.types import BF16, F16, F32, F64, I1, FloatType, IntegerType, Type, dtype_of, type_of_dtype
from tir.lazy import np

__all__ = ["autocast", "element_of", "float_x", "promoted", "upgraded"]

_INTEGERS = ("int8", "int16", "int32", "int64")
_FLOATS = ("float16", "float32", "float64")


def float_x() -> Type:
    """The element type of `config.floatX`."""
    return type_of_dtype(config.floatX)


def element_of(dtype: Any) -> Type:
    """The element type for a dtype: a name, `"floatX"`, or what numpy knows. TirError if tir does not compute with it."""
    if isinstance(dtype, Type):
        return dtype
    name = config.floatX if dtype == "floatX" else dtype
    if name == "bfloat16":
        return BF16
    if str(dtype) in ("complex64", "complex128"):
        raise GraphTypeError(f"there are no complex numbers, got {dtype}", hint="keep real and imaginary parts apart")
    try:
        return type_of_dtype(np.dtype(name).name)
    except TypeError:
        return type_of_dtype(str(dtype))


def autocast(number: Any) -> Any:
    """A Python number as the numpy scalar that it counts as beside tensors (Theano's NumericAutoCaster)."""
    if isinstance(number, bool):
        return np.bool_(number)
    if isinstance(number, float) and (config.floatX != "float64" or config.cast_policy != "custom"):
        return np.dtype(config.floatX).type(number)
    if config.cast_policy != "custom":
        return np.int64(number)
    names = _INTEGERS if isinstance(number, int) else _FLOATS[config.floatX != "float16" :]
    for name in names[:-1]:
        kind = np.dtype(name)
        if kind.kind == "i":
            if -(1 << (8 * kind.itemsize - 1)) <= number < 1 << (8 * kind.itemsize - 1):
                return kind.type(number)
        else:
            with np.errstate(over="ignore"):
                cast = kind.type(number)
            if float(cast) == number:  # in Python's numbers: numpy would round the number first
                return cast
    return np.dtype(names[-1]).type(number)


def promoted(elements: list[Type]) -> Type:
    """The element type that all of these become together."""
    found = elements[0]
    for other in elements[1:]:
        if other is not found:
            found = _pair(found, other)
    return found


def _pair(first: Type, second: Type) -> Type:
    if BF16 in (first, second):
        other = second if first is BF16 else first
        wide = F32 if other is F16 else type_of_dtype(str(np.promote_types("float16", str(dtype_of(other).numpy))))
        return BF16 if wide is F16 else wide
    return type_of_dtype(str(np.promote_types(str(dtype_of(first).numpy), str(dtype_of(second).numpy))))


def upgraded(element: Type) -> Type:
    """The type of floats in which a function of floats is computed."""
    if isinstance(element, FloatType):
        return element
    assert isinstance(element, IntegerType)
    return F32 if element is I1 or element.width <= 16 else F64
