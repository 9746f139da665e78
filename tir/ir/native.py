"""The native calling convention of a compiled function, as data: written by the lowering, read by the run time.

    i32 symbol(parameters..., results...)

The status is 0, or the number (from 1) of the assert that failed, or `OUT_OF_MEMORY`. A failed assert that compared
whole numbers has left them in the global array `NUMBERS`, which calls of several threads share. Each value is a list of
*components*:

- a scalar: itself; i1 as a byte; f16 and bf16 as their bits in an i16; index as i64;
- a memref: a pointer to its first element (the offset is folded in), an i64 for each size that the type leaves open,
  then an i64 for each stride that its strided layout leaves open (in elements).

A parameter is passed as its components. A result is one pointer, through which the components are stored one behind the
other, each in 8 bytes. Memory of a memref result was made by `aligned_alloc`, and the caller frees it by `free`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tir.ir.errors import Location
from tir.ir.types import MemRefType, StridedLayout, Type

__all__ = [
    "NUMBERS", "OUT_OF_MEMORY", "TIMES", "NativeAssert", "NativeParameter", "NativeSignature", "NativeTimer", "RELEASE",
    "open_sizes", "open_strides", "with_numbers",
]  # fmt: skip

#: The status for memory that could not be had.
OUT_OF_MEMORY = -1

#: The symbol of two i64, for the numbers of an assert that failed.
NUMBERS = "assert.numbers"

#: The symbol of two i64 for each timer of a module: the ticks of the clock, and how often it ran. Calls of several threads
#: at once may lose some.
TIMES = "timer.times"

#: The symbol of the function that frees the memory which a module keeps from call to call: `void ()`.
RELEASE = "workspace.release"


@dataclass(frozen=True)
class NativeAssert:
    """What a status says. numbers: how many stand in `NUMBERS` then."""

    message: str
    location: Location
    numbers: int = 0


@dataclass(frozen=True)
class NativeTimer:
    """What one timer measures: an op of a function, a loop nest or a call."""

    function: str
    op_name: str
    location: Location


def with_numbers(message: str, numbers: Sequence[int]) -> str:
    """The message of an assert, and what it compared."""
    return f"{message}, got {' and '.join(map(str, numbers))}" if numbers else message


@dataclass(frozen=True)
class NativeParameter:
    """One parameter.

    written: the function may write the buffer. exclusive: the code relies on it that the buffer overlaps no other.
    """

    name: str
    type: Type
    written: bool = False
    exclusive: bool = False


@dataclass(frozen=True)
class NativeSignature:
    """How to call the function that has the name `symbol` in the text.

    atomic: nothing can fail behind the first write to a parameter that lasts (`tir.shared`), so a call that fails has
    changed nothing.
    """

    symbol: str
    parameters: tuple[NativeParameter, ...]
    results: tuple[Type, ...]
    atomic: bool = True


def open_sizes(type: MemRefType) -> list[int]:
    """The axes whose size is known at run time only."""
    return [axis for axis, size in enumerate(type.shape) if not isinstance(size, int)]


def open_strides(type: MemRefType) -> list[int]:
    """The axes whose stride the layout leaves open; none without a layout, where strides follow from the sizes."""
    strides = type.layout.strides if isinstance(type.layout, StridedLayout) else ()
    return [axis for axis, stride in enumerate(strides) if not isinstance(stride, int)]
