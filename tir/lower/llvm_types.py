"""Types and constants as LLVM IR text.

A scalar or vector has two forms: in a register (`i1`, `float`, `<8 x i1>`) and in memory, where an i1 takes a byte.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from tir.ir.affine import AffineMap
from tir.ir.attributes import pack
from tir.ir.errors import Location, PassError
from tir.ir.ir import Op
from tir.ir.native import open_sizes, open_strides
from tir.ir.types import (
    BF16,
    F16,
    F32,
    F64,
    I1,
    FloatType,
    IndexType,
    IntegerType,
    MemRefType,
    Type,
    VectorType,
    dtype_of,
    element_type,
)

__all__ = [
    "component_types", "constant", "is_float", "lane_count", "llvm_type", "memory_type", "shape_like", "size_in_memory",
    "strides_of", "suffix", "unsupported", "with_lanes",
    "zero_of",
]  # fmt: skip

# bf16 is moved as its bits; the conversions are written out, and its arithmetic is that of f32 by an earlier pass. LLVM's
# own `bfloat` would call functions of a run-time library that no process has, and crashes beside `half`.
_FLOATS = {F16: "half", BF16: "i16", F32: "float", F64: "double"}
_SUFFIXES = {"half": "f16", "float": "f32", "double": "f64", "ptr": "p0"}
_INTEGER_WIDTHS = (1, 8, 16, 32, 64)


def unsupported(op: Op, why: str, hint: str | None = None) -> PassError:
    """The error for an op that cannot be lowered."""
    return PassError(f"{op.name}: {why}", op.location, hint=hint)


def llvm_type(type: Type, location: Location | None = None) -> str:
    """The type of a scalar or vector in a register."""
    if isinstance(type, VectorType):
        return with_lanes(llvm_type(type.element, location), lane_count(type, location))
    if type in _FLOATS:
        return _FLOATS[type]
    if isinstance(type, IndexType):
        return "i64"
    if isinstance(type, IntegerType) and type.width in _INTEGER_WIDTHS and not type.signedness:
        return f"i{type.width}"
    raise PassError(
        f"type {type} has no machine form: scalars are index, i1, i8, i16, i32, i64, f16, bf16, f32 and f64", location
    )


def lane_count(type: Type, location: Location | None = None) -> int | None:
    """The lanes of a vector; None for a scalar."""
    if not isinstance(type, VectorType):
        return None
    if type.rank != 1:
        raise PassError(f"type {type} has no machine form: a vector must have one dimension", location)
    return type.static_shape[0]


def with_lanes(element: str, lanes: int | None) -> str:
    """`<8 x float>`, or the element itself for no lanes."""
    return element if lanes is None else f"<{lanes} x {element}>"


def shape_like(element: Type, type: Type, location: Location | None = None) -> str:
    """The register type of `element` with the lanes of `type`."""
    return with_lanes(llvm_type(element, location), lane_count(type, location))


def memory_type(type: Type, location: Location | None = None) -> str:
    """The type of a scalar or vector in memory."""
    return shape_like(IntegerType(8), type, location) if element_type(type) is I1 else llvm_type(type, location)


def suffix(type_text: str) -> str:
    """How an intrinsic's name ends for a type: `f32`, `v8i1`."""
    if type_text.startswith("<"):
        lanes, element = type_text[1:-1].split(" x ")
        return f"v{lanes}{suffix(element)}"
    return _SUFFIXES.get(type_text, type_text)


def zero_of(type_text: str) -> str:
    """The zero of an LLVM type of integers."""
    return "zeroinitializer" if type_text.startswith("<") else "0"


def is_float(type: Type) -> bool:
    """A float, or a vector of floats."""
    return isinstance(element_type(type), FloatType)


def size_in_memory(type: Type) -> int:
    """Bytes of one element, which is also its natural alignment."""
    return dtype_of(element_type(type)).size_bytes


# --- constants -------------------------------------------------------------------------------------------------------


def constant(values: Sequence[Any], type: Type) -> str:
    """A scalar, or a vector from its lanes (one value is a splat), without its type."""
    element = element_type(type)
    texts = [_scalar(value, element) for value in values]
    if not isinstance(type, VectorType):
        return texts[0]
    inner = llvm_type(element)
    if len(texts) == 1:
        return f"splat ({inner} {texts[0]})"
    return f"<{', '.join(f'{inner} {text}' for text in texts)}>"


def _scalar(value: Any, element: Type) -> str:
    """A float is written by its bits: LLVM refuses a decimal that the type cannot hold to the last digit."""
    if not isinstance(element, FloatType):
        return str(int(value))
    if element is BF16:
        return str(int.from_bytes(pack([value], element), "little"))
    if element is F16:
        low, high = pack([value], element)
        return f"0xH{high:02X}{low:02X}"
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


# --- memrefs ---------------------------------------------------------------------------------------------------------


def strides_of(type: MemRefType, location: Location | None = None) -> Sequence[Any]:
    """The strides that the type fixes; what is no integer is known at run time."""
    if type.space:
        raise PassError(f"type {type}: memory space {type.space} is not one of the CPU", location)
    if isinstance(type.layout, AffineMap):
        raise PassError(f"type {type} has no machine form: the layout must be strided", location)
    return type.strides_and_offset()[0]


def component_types(type: Type, location: Location | None = None) -> list[str]:
    """The register types of a value's components (see `tir/ir/native.py`)."""
    if isinstance(type, MemRefType):
        strides_of(type, location)
        memory_type(type.element, location)
        return ["ptr"] + ["i64"] * (len(open_sizes(type)) + len(open_strides(type)))
    return [llvm_type(type, location)]
