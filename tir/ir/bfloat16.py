"""bf16 numbers on numpy, which has no such type: a value is float32 numbers that are all bf16 numbers.

Where bytes count (constants, buffers of compiled code, bitcasts) a bf16 is its bits in a uint16: the upper half of the
bits of the float32. Outside, an array of the package ml_dtypes is taken wherever bf16 is asked for, and given back if
that package is installed; without it callers get float32.

Every rounding is to nearest even and happens once, also from float64; too large numbers become infinite, nan stays nan.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from tir.lazy import LazyModule, np

__all__ = ["bits_of", "from_bits", "is_bfloat16", "outside_dtype", "round_to_bf16", "to_caller", "to_odd_f32", "widened"]

ml_dtypes = LazyModule("ml_dtypes")  # optional


def round_to_bf16(x: Any) -> Any:
    """The bf16 numbers nearest to floats of any width, as float32; a numpy scalar for a scalar, as everywhere here."""
    return _as_given(x, (_rounded_pattern(x) & np.uint32(0xFFFF0000)).view(np.float32))


def bits_of(x: Any) -> Any:
    """The bits of the bf16 numbers nearest to `x`, as uint16."""
    return _as_given(x, (_rounded_pattern(x) >> np.uint32(16)).astype(np.uint16))


def from_bits(bits: Any) -> Any:
    """The bf16 numbers with these bits (uint16, in any byte order), as float32."""
    return _as_given(bits, (np.asarray(bits).astype(np.uint32) << np.uint32(16)).view(np.float32))


def _as_given(x: Any, found: Any) -> Any:
    """An array for an array, which numpy's operators are not for rank 0; a numpy scalar for anything else."""
    return np.asarray(found) if isinstance(x, np.ndarray) else found[()]


def _rounded_pattern(x: Any) -> Any:
    """The bits of a float32 of which the upper half is the bf16 number; the lower half is of no meaning."""
    x = np.asarray(x)
    narrow = x if x.dtype == np.float32 else x.astype(np.float32) if x.dtype == np.float16 else to_odd_f32(x)
    bits = narrow.astype(np.float32, copy=False).view(np.uint32)  # native, whatever the byte order was
    with np.errstate(over="ignore"):  # a nan may wrap, and is replaced
        nearest = bits + (np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1)))
    # A nan that is no bf16 number is made quiet: its upper half alone might be an infinity. One that is keeps its bits.
    quiet = np.where(bits & np.uint32(0xFFFF), bits | np.uint32(0x400000), bits)
    return np.where(bits & np.uint32(0x7FFFFFFF) > np.uint32(0x7F800000), quiet, nearest)


def to_odd_f32(x: Any) -> Any:
    """Wide floats in float32; of the two neighbours of what float32 cannot hold, the one with an odd last bit.

    Rounding that again to at most 22 bits is rounding once (Boldo and Melquiond, "When double rounding is odd", 2005).
    """
    x = np.asarray(x)
    with np.errstate(over="ignore"):
        near = x.astype(np.float32)
    back, bits = near.astype(x.dtype), near.view(np.int32)
    even = (back != x) & ~np.isnan(x) & (bits & 1 == 0)
    step = np.where(np.abs(back) > np.abs(x), -1, 1).astype(np.int32)
    return np.where(even, bits + step, bits).view(np.float32)


# --- outside -----------------------------------------------------------------------------------------------------


def is_bfloat16(array: Any) -> bool:
    """An array or number of ml_dtypes' type, or its bytes as numpy reads them back from a file (two, without a type)."""
    dtype = getattr(array, "dtype", None)
    if dtype is None or dtype.kind != "V":
        return False
    return bool(dtype.name == "bfloat16" or (dtype.itemsize == 2 and dtype.fields is None and dtype.subdtype is None))


def widened(array: Any) -> Any:
    """An array or number that `is_bfloat16`, as float32; anything else as it is."""
    if not is_bfloat16(array):
        return array
    bits = np.ascontiguousarray(array).view(np.uint16).reshape(np.shape(array))
    return from_bits(bits if isinstance(array, np.ndarray) else bits[()])


def to_caller(value: Any) -> Any:
    """bf16 numbers, as float32 or as bits in uint16, as a caller gets them; an array of bits stays the same memory."""
    outside = outside_dtype()
    if value.dtype != np.uint16:
        return value.astype(outside, copy=False)
    if outside.itemsize == 2:
        return value.view(outside)
    return from_bits(value)


@cache
def outside_dtype() -> Any:
    """The dtype in which callers get bf16 numbers: that of ml_dtypes; float32 where the package is not installed."""
    try:
        return np.dtype(ml_dtypes.bfloat16)
    except ImportError:
        return np.dtype(np.float32)
