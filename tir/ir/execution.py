"""How ops say what running them means, on numpy values; `tir/interpret.py` runs them.

A pure op has `reference(self, *operand values)`, which returns the result, or a tuple of several. It must also take
arrays in place of scalars and work element by element, so that a `linalg.generic` body can run on whole arrays at once.
Any other op has `interpret(self, frame)`, which returns the tuple of result values. To run a block or a function it is
a generator that yields `Run` or `Call` and is sent the outcome: the interpreter keeps its own stack, so that no nesting
of regions or calls can exhaust Python's.

    def interpret(self, frame):                      # scf.if
        chosen = self.then_region if frame[self.condition] else self.else_region
        return (yield Run(chosen.block))             # the operands of the scf.yield

An op that makes a changed copy of an operand may have `changed(self, arguments)` besides, which may change the operand
itself if nobody else can see it (`last_uses.py`).

A branch returns a `Jump`. A `ReturnLike` terminator needs neither: its operands are what it hands on.

What a value is: for tensor, memref and vector types a numpy array (a memref is written in place and may be a strided
view; a tensor or vector that has a name is never written); for scalars a numpy scalar (`index` is np.int64, i1 np.bool_,
iN signed, uiN unsigned). numpy lacks bf16: its values are float32 numbers that are all bf16 numbers
(`tir/ir/bfloat16.py`). A `reference` need not care: `meaning`, by which everything here runs it, rounds the results,
from float32 or from float64, once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tir.ir.bfloat16 import round_to_bf16
from tir.ir.errors import UNKNOWN, ExecutionError, Location, TirError
from tir.ir.ir import Block, Op, Value
from tir.ir.types import BF16, F16, FloatType, MemRefType, ShapedType, Type, dtype_of, element_type
from tir.lazy import np

__all__ = [
    "Call", "ExecutionError", "F80", "Frame", "Jump", "NUMPY_ERRORS", "Run", "check_shape", "evaluate", "given_away",
    "located", "meaning", "numpy_dtype", "show", "poison", "rounded", "uninitialized", "value_of_type",
]  # fmt: skip

#: One precision wider than f64, for `--check-semantics` alone: no text spells it and nothing compiles it.
F80 = FloatType("f80")

# What numpy raises for operands that do not go together, or that memory cannot hold.
NUMPY_ERRORS = (ValueError, IndexError, ArithmeticError, MemoryError)


@dataclass(slots=True)
class Run:
    """Run this block with these arguments; the answer is the values that its terminator hands on."""

    block: Block
    arguments: Sequence[Any] = ()


@dataclass(slots=True)
class Jump:
    """Go on with this block of the same region, with these arguments."""

    block: Block
    arguments: Sequence[Any] = ()


@dataclass(slots=True)
class Call:
    """Call the function with this symbol; the answer is its results. `location`: of the call, for errors."""

    symbol: str
    arguments: Sequence[Any]
    location: Location = UNKNOWN


class Frame(Protocol):
    """What an op sees while it runs."""

    def __getitem__(self, value: Value) -> Any:
        """The value at run time."""

    def __setitem__(self, value: Value, now: Any) -> None:
        """Sets a value inside a region that the op is about to run, besides its block arguments."""

    def symbol(self, name: str) -> Op:
        """The op that defines a symbol of the module."""

    def storage(self, op: Op) -> Any:
        """The array that belongs to an op for the life of the module (`memref.global`)."""

    def state(self, name: str) -> Any:
        """The value of a shared variable before this call."""

    def update(self, name: str, value: Any) -> None:
        """The value of a shared variable after this call; all are committed together at its end."""

    def show(self, label: str, value: Any) -> None:
        """Prints a value when the call has ended well."""


def given_away(values: list[Any]) -> tuple[Any, ...]:
    """The values, which the list holds no more: a body may change an array that only its frame holds."""
    given = tuple(values)
    values.clear()
    return given


def show(label: str, value: Any) -> None:
    """Prints a value of `tir.print` on standard error."""
    head = f"{label} = "
    text = np.array2string(np.asarray(value), separator=", ", prefix=head)
    print(f"{head}{text}", file=sys.stderr, flush=True)


def numpy_dtype(type: Type) -> Any:
    """numpy's dtype for a scalar, or for the elements of a shaped type; float32 for bf16."""
    if element_type(type) is F80:
        return np.dtype(np.longdouble)
    return np.dtype(dtype_of(element_type(type)).numpy or np.float32)


def value_of_type(value: Any, type: Type) -> Any:
    """`value` (number or array) as a run-time value of `type`; TirError names a wrong shape."""
    array = rounded(np.asarray(value, dtype=numpy_dtype(type)), type)
    if not isinstance(type, ShapedType):
        return array[()]
    array = np.asarray(array)
    check_shape(array, type)
    return array


def check_shape(array: Any, type: ShapedType, what: str = "") -> None:
    """ExecutionError if `array` (called `what`) has not the rank and the static sizes of `type`."""
    said = f"{what} " if what else ""
    if array.ndim != type.rank:
        raise ExecutionError(f"{said}must have rank {type.rank}, got {array.ndim}")
    for axis, (want, got) in enumerate(zip(type.shape, array.shape)):
        if isinstance(want, int) and want != got:
            raise ExecutionError(f"{said}axis {axis} must have size {want}, got {got}")


def uninitialized(shape: Sequence[int], type: Type) -> Any:
    """A new array whose elements show that they were never written: nan, or bytes of 0xA5 (true for i1)."""
    dtype = numpy_dtype(type)
    try:
        array = np.empty(tuple(shape), dtype)
    except (ValueError, MemoryError):
        raise ExecutionError(f"cannot allocate {'x'.join(map(str, shape))} elements of {element_type(type)}") from None
    poison(array)
    return array


def poison(array: Any) -> None:
    """Overwrites the elements with what `uninitialized` puts there."""
    if array.dtype.kind == "f":
        array[...] = np.nan
    elif array.dtype.kind == "b":
        array[...] = True
    else:
        array[...] = np.frombuffer(b"\xa5" * array.dtype.itemsize, array.dtype)[0]


def located(error: Exception, op: Op) -> TirError:
    """The error with the op's name and location, if it has none of its own."""
    if isinstance(error, TirError) and error.location is not None:
        return error
    if isinstance(error, TirError):
        return ExecutionError(f"{op.name}: {error.message}", op.location, error.notes, error.hint)
    message = str(error) or type(error).__name__
    if isinstance(error, MemoryError):
        shape = getattr(error, "shape", None)  # numpy's error has it
        message = "there is no memory for a result" + (f" of shape {list(shape)}" if shape is not None else "")
    return ExecutionError(f"{op.name}: {message}", op.location)


def rounded(value: Any, type: Type) -> Any:
    """A value that an op made, as one of `type`: bf16 numbers are rounded, anything else (buffers too) is as it is.

    For a scalar type it may also be an array, with one number for each point of a space.
    """
    if element_type(type) is not BF16 or isinstance(type, MemRefType):
        return value
    return np.asarray(round_to_bf16(value)) if isinstance(type, ShapedType) else round_to_bf16(value)


def meaning(op: Op) -> Callable[..., Any]:
    """The op's `reference`, its results rounded where their type is bf16.

    An op with `computes_in_f32` gets float32 for float16, and its result is rounded to float16 once. What its facet
    `size_check` gives looks at the arrays first.
    """
    check = op.size_check() if hasattr(op, "size_check") else None
    if check is None:
        return _rounded_reference(op)
    run = _rounded_reference(op)

    def checked(*arguments: Any) -> Any:
        check(arguments)
        return run(*arguments)

    return checked


def _rounded_reference(op: Op) -> Callable[..., Any]:
    reference: Callable[..., Any] = op.reference  # type: ignore[attr-defined]
    if getattr(op, "computes_in_f32", False) and any(element_type(value.type) is F16 for value in op.operands):
        return _in_f32(reference, [result.type for result in op.results])
    types = [result.type for result in op.results]
    if not any(element_type(type) is BF16 for type in types):
        return reference
    if len(types) == 1:
        return lambda *arguments: rounded(reference(*arguments), types[0])
    return lambda *arguments: tuple(map(rounded, reference(*arguments), types))


def _in_f32(reference: Callable[..., Any], types: Sequence[Type]) -> Callable[..., Any]:
    def narrowed(found: Any, type: Type) -> Any:
        return rounded(np.asarray(found).astype(numpy_dtype(type), copy=False), type)

    def run(*arguments: Any) -> Any:
        wide = [x.astype(np.float32) if x.dtype == np.float16 else x for x in map(np.asarray, arguments)]
        found = reference(*wide)
        return narrowed(found, types[0]) if len(types) == 1 else tuple(map(narrowed, found, types))

    return run


def evaluate(op: Op, arguments: Sequence[Any]) -> Any:
    """The result (a tuple of several) of an op that has a `reference`; an error names the op."""
    try:
        return meaning(op)(*arguments)
    except (TirError, *NUMPY_ERRORS) as error:
        raise located(error, op) from error
