"""Numbers as the references of arith and math need them and numpy lacks them.

Integers are bits: i1 is np.bool_, iN is numpy's intN, and `signed` and `unsigned` say how an op reads them. All take
numpy scalars as well as arrays. numpy's warnings (overflow, 0 / 0) are for the caller to silence.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tir.ir.execution import numpy_dtype
from tir.ir.types import BF16, I1, FloatType, IndexType, IntegerType, ShapedType, TensorType, Type, VectorType, element_type
from tir.lazy import LazyModule, np

__all__ = [
    "bit_width", "each", "float_to_float", "float_to_integer", "fma", "high_half", "integer_power", "integer_to_float",
    "is_odd", "maximum", "minimum", "of_type", "power", "signed", "unsigned", "with_element",
]  # fmt: skip

fractions = LazyModule("fractions")


def bit_width(type: Type) -> int:
    """The bits of an element; 64 for `index`."""
    element = element_type(type)
    if isinstance(element, IndexType):
        return 64
    assert isinstance(element, (IntegerType, FloatType)), element
    return element.width


def with_element(type: Type, element: Type) -> Type:
    """`type` with another element type: `vector<4xf32>` and i1 give `vector<4xi1>`."""
    if not isinstance(type, ShapedType):
        return element
    assert isinstance(type, (TensorType, VectorType)), type
    return type.with_element(element) if isinstance(type, TensorType) else VectorType(type.shape, element)


def signed(x: Any) -> Any:
    """The bits of `x` as signed numbers; a true i1 is -1."""
    return -x.astype(np.int8) if x.dtype == np.bool_ else x


def unsigned(x: Any) -> Any:
    """The bits of `x` as unsigned numbers; a true i1 is 1."""
    return x.astype(np.uint8) if x.dtype == np.bool_ else x.view(f"u{x.dtype}")


def is_odd(x: Any) -> Any:
    """The lowest bit as i1."""
    return (x & 1) != 0


def of_type(x: Any, type: Type) -> Any:
    """`x` in the dtype of `type`: of an integer the low bits. A scalar for 0-d arrays."""
    if element_type(type) is I1 and x.dtype != np.bool_:
        return is_odd(x)
    return x.astype(numpy_dtype(type), copy=False)[()]


def maximum(x: Any, y: Any) -> Any:
    """The larger; nan where one is nan; +0.0 of two zeros unless both are -0.0."""
    return np.where((x == 0) & (y == 0), x + y, np.maximum(x, y))[()]


def minimum(x: Any, y: Any) -> Any:
    """The smaller; nan where one is nan; -0.0 of two zeros unless both are +0.0."""
    return -maximum(-x, -y)


def power(x: Any, y: Any) -> Any:
    """x to the power y as C's pow. Where one exponent of 0.5 is for all, numpy takes a root: nan for -inf, -0 for -0."""
    rooted = (y == 0.5) & ((x == -np.inf) | (x == 0))
    return np.where(rooted, np.abs(x), np.power(x, y)).astype(np.asarray(x).dtype)[()]


def integer_power(x: Any, y: Any) -> Any:
    """x to the power y of integers, wrapped; for y < 0 the quotient 1 / x^-y toward 0, and 0 for x = 0."""
    x, y = np.broadcast_arrays(x, y)
    power, square, left = np.ones_like(x), x, np.maximum(y, 0)
    while left.any():
        power = np.where(left & 1, power * square, power)
        square, left = square * square, left >> 1
    reciprocal = np.where(np.abs(x) == 1, np.where(y & 1, x, 1), 0)
    return np.where(y < 0, reciprocal, power).astype(x.dtype)[()]


def float_to_integer(x: Any, low: int, high: int) -> Any:
    """`x` without its fraction, within low..high; nan gives 0. In int64, or uint64 where `low` is 0."""
    exact = np.asarray(x, np.float64)
    inside = (exact >= low) & (exact < high)
    dtype = np.int64 if low else np.uint64
    whole = np.where(inside, exact, 0.0).astype(dtype)
    return np.where(exact >= high, dtype(high), np.where(exact < low, dtype(low), whole))


def float_to_float(x: Any, type: Type) -> Any:
    """Floats in the dtype of `type`; for bf16 as they are, so that `meaning` rounds them once."""
    return x if element_type(type) is BF16 else x.astype(numpy_dtype(type))


def integer_to_float(x: Any, type: Type) -> Any:
    """Integers in the dtype of `type`; for bf16 in float64, from which `meaning` rounds to what one rounding gives."""
    if element_type(type) is not BF16:
        return x.astype(numpy_dtype(type))
    if x.dtype.itemsize < 8:
        return x.astype(np.float64)
    # More than the 53 bits of float64: below bit 12 only the fact counts that something is not 0.
    low = x & x.dtype.type(0xFFF)
    odd = (x - low) | np.where(low != 0, x.dtype.type(0x800), x.dtype.type(0))
    fits = (x < 1 << 53) if x.dtype.kind == "u" else (x < 1 << 53) & (x > -(1 << 53))
    return np.where(fits, x, odd).astype(np.float64)[()]


def high_half(x: Any, y: Any) -> Any:
    """The upper half of the bits of the unsigned product x * y."""
    bits = x.dtype.itemsize * 8
    if bits < 64:
        return ((x.astype(np.uint64) * y.astype(np.uint64)) >> bits).astype(x.dtype)
    low_x, high_x, low_y, high_y = x & 0xFFFFFFFF, x >> 32, y & 0xFFFFFFFF, y >> 32
    middle = high_x * low_y + (low_x * low_y >> 32)  # below 2^64
    other = low_x * high_y + (middle & 0xFFFFFFFF)  # below 2^64
    return high_x * high_y + (middle >> 32) + (other >> 32)


def each(function: Callable[[float], float], x: Any) -> Any:
    """`function`, which is total on floats, of each element in f64, rounded to the dtype of `x`."""
    array = np.asarray(x)
    values = map(function, array.ravel().tolist())
    return np.fromiter(values, np.float64, array.size).reshape(array.shape).astype(array.dtype)[()]


# --- fused multiply-add --------------------------------------------------------------------------------------------


def fma(x: Any, y: Any, z: Any, type: Type | None = None) -> Any:
    """x * y + z, rounded once. type: of the result, where that is bf16: it is then in float64, rounded to odd."""
    if x.dtype == np.float64:
        return _fma_f64(*np.broadcast_arrays(x, y, z))
    # The product of two f32 is exact in f64, and a sum rounded to odd there is not spoilt by rounding it again.
    product = x.astype(np.float64) * y.astype(np.float64)
    total = _add_to_odd(product, z.astype(np.float64))
    return total[()] if type is not None and element_type(type) is BF16 else total.astype(x.dtype)[()]


def _fma_f64(x: Any, y: Any, z: Any) -> Any:
    plain = np.where(np.isfinite(x) & np.isfinite(y) & ~np.isfinite(z), z, x * y + z)
    finite = np.isfinite(x) & np.isfinite(y) & np.isfinite(z) & (x != 0) & (y != 0)
    power_x, power_y, power_z = (np.frexp(v)[1] for v in (x, y, z))
    # In this range nothing in `_fma_normal` overflows, and no error term is lost below the smallest number.
    normal = np.maximum(np.maximum(power_x, power_y), power_z) < 990
    normal &= (power_x + power_y > -900) & (power_x + power_y < 990)
    result = np.where(finite & normal, _fma_normal(x, y, z), plain)
    for place in np.argwhere(finite & ~normal).tolist():
        at = tuple(place)
        result[at] = _fma_exact(float(x[at]), float(y[at]), float(z[at]))
    return result[()]


def _fma_normal(x: Any, y: Any, z: Any) -> Any:
    """Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", IEEE Trans. Comput. 57 (2008), figure 5."""
    high, low = _two_product(x, y)
    sum_high, sum_low = _two_sum(z, low)
    total, rest = _two_sum(high, sum_high)
    return total + _add_to_odd(sum_low, rest)


def _fma_exact(x: float, y: float, z: float) -> float:
    fraction = fractions.Fraction
    exact = fraction(x) * fraction(y) + fraction(z)
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


def _two_sum(x: Any, y: Any) -> tuple[Any, Any]:
    """x + y rounded, and the error, exact (Knuth)."""
    total = x + y
    part = total - x
    return total, (x - (total - part)) + (y - part)


def _two_product(x: Any, y: Any) -> tuple[Any, Any]:
    """x * y rounded, and the error, exact (Dekker)."""
    product = x * y
    (a, b), (c, d) = _split(x), _split(y)
    return product, b * d - (((product - a * c) - b * c) - a * d)


def _split(x: Any) -> tuple[Any, Any]:
    scaled = x * 134217729.0  # 2^27 + 1
    high = scaled - (scaled - x)
    return high, x - high


def _add_to_odd(x: Any, y: Any) -> Any:
    """x + y in f64; where it is not exact, the neighbour with an odd last bit."""
    total, error = (np.asarray(v) for v in _two_sum(x, y))
    bits = total.view(np.int64)
    even = np.isfinite(error) & (error != 0) & (bits & 1 == 0)
    step = np.where((error > 0) == (total > 0), 1, -1)
    return np.where(even, bits + step, bits).view(np.float64)
