"""The types of elements: which an op may have, and what a number of one is."""

from __future__ import annotations

from typing import Any

from tir.ir.attributes import Attribute, FloatAttr, IntegerAttr
from tir.ir.kinds import TypeKind, exactly, tensor_of
from tir.ir.types import BF16, DTYPES, F16, F32, F64, I1, INDEX, FloatType, IntegerType, Type
from tir.lazy import np

__all__ = [
    "BOOLS", "BOOL_TENSOR", "ELEMENTS", "ELEMENT_TENSOR", "FLOATS", "FLOAT_TENSOR", "INTEGERS", "INTEGER_TENSOR",
    "NUMBERS", "NUMBER_TENSOR", "fits_exactly", "highest", "is_number_of", "is_unsigned", "lowest", "may_accumulate",
    "number_attribute", "wide_type",
]  # fmt: skip

FLOATS = exactly(F16, BF16, F32, F64)
INTEGERS = TypeKind("an integer of 8 to 64 bits", lambda t: isinstance(t, IntegerType) and t in DTYPES and t is not I1)
NUMBERS = TypeKind("a float or an integer of 8 to 64 bits", lambda t: FLOATS.accepts(t) or INTEGERS.accepts(t))
BOOLS = exactly(I1)
ELEMENTS = TypeKind("i1, an integer of 8 to 64 bits or a float", lambda t: t in DTYPES and t is not INDEX)

FLOAT_TENSOR, INTEGER_TENSOR, NUMBER_TENSOR = tensor_of(FLOATS), tensor_of(INTEGERS), tensor_of(NUMBERS)
BOOL_TENSOR, ELEMENT_TENSOR = tensor_of(BOOLS), tensor_of(ELEMENTS)


def is_unsigned(type: Type) -> bool:
    """A number of this type is unsigned: `uiN`, and `i1`."""
    return isinstance(type, IntegerType) and (type.is_unsigned or type.width == 1)


def number_attribute(value: Any, element: Type) -> Attribute:
    """`value` as an attribute of the element type."""
    return FloatAttr(value, element) if isinstance(element, FloatType) else IntegerAttr(int(value), element)


def fits_exactly(value: int | float, element: Type) -> bool:
    """The Python number is one of the type (a float of any type is rounded to it)."""
    if isinstance(element, FloatType):
        return isinstance(value, (float, np.floating)) or abs(value) <= _LARGEST[F64]
    return lowest(element) <= value <= highest(element) and value == int(value)


def is_number_of(attr: Attribute, element: Type) -> bool:
    """The attribute is a number of the element type."""
    return isinstance(attr, (FloatAttr, IntegerAttr)) and attr.type is element


_LARGEST = {F16: 65504.0, BF16: 3.3895313892515355e38, F32: 3.4028234663852886e38, F64: 1.7976931348623157e308}


def lowest(element: Type, infinite: bool = True) -> Any:
    """The smallest number of the type; for floats -inf, or the finite one."""
    if isinstance(element, FloatType):
        return -float("inf") if infinite else -_LARGEST[element]
    return 0 if is_unsigned(element) else -(1 << (element.width - 1))  # type: ignore[attr-defined]


def highest(element: Type) -> Any:
    """The largest number of the type; +inf for floats."""
    if isinstance(element, FloatType):
        return float("inf")
    return (1 << (element.width - (not is_unsigned(element)))) - 1  # type: ignore[attr-defined]


def may_accumulate(acc: Type, element: Type) -> bool:
    """Numbers of `element` may be added up in numbers of `acc`."""
    if isinstance(element, FloatType):
        return acc in (F32, F64) and acc.width >= element.width
    assert isinstance(element, IntegerType)
    return INTEGERS.accepts(acc) and acc.signedness == element.signedness and acc.width >= element.width  # type: ignore


def wide_type(element: Type) -> Type:
    """The type in which numbers of `element` are computed: f32 for f16 and bf16, else itself."""
    return F32 if element in (F16, BF16) else element
