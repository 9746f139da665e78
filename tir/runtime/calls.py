"""Calling compiled functions with numpy arrays, by the convention of `tir/ir/native.py`, through ctypes.

    call = NativeFunction("f", library, signature, asserts)
    results = call([x, 2.0, out])

Every argument is checked before the call: what compiled code assumes and does not check would be a crash otherwise. The
GIL is released while the code runs.
"""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from tir.ir.errors import AssertError, ExecutionError, counted
from tir.ir.native import (
    NUMBERS,
    OUT_OF_MEMORY,
    NativeAssert,
    NativeParameter,
    NativeSignature,
    open_sizes,
    open_strides,
    with_numbers,
)
from tir.ir.types import FloatType, IntegerType, MemRefType, ShapedType, Type, dtype_of
from tir.lazy import np
from tir.runtime.jit import Library

__all__ = ["NativeFunction", "span"]

_WORD = ctypes.c_int64
_C_CONTIGUOUS, _ALIGNED, _WRITEABLE = 0x1, 0x100, 0x400  # of `ndarray.flags.num`, as in numpy's C API

#: Makes the ctypes values of one argument, and keeps in the list what must live until the call is over.
_Binder = Callable[[Any, list[Any]], list[Any]]


class NativeFunction:
    """A function of a library, called with an array for each memref and a number for each scalar.

    bf16 is taken and given as its bits, in uint16. A memref that the function writes is written in place. A contiguous
    array is passed as it is; another one is copied where the code needs it dense, unless it is written. Results are new
    arrays and numpy scalars.
    Raises ExecutionError for a wrong argument, AssertError for an assert that failed, MemoryError if a buffer could not
    be made.
    """

    def __init__(
        self, name: str, library: Library, signature: NativeSignature, asserts: Sequence[NativeAssert]
    ) -> None:
        self.name = name
        self.signature = signature
        self._library = library  # keeps the code in memory
        self._asserts = asserts
        self._binders = [_binder(parameter) for parameter in signature.parameters]
        self._pointers = [i for i, p in enumerate(signature.parameters) if isinstance(p.type, MemRefType)]
        self._exclusive = [i for i in self._pointers if signature.parameters[i].exclusive]
        self._results = [(_result_words(type), type) for type in signature.results]
        kinds = [kind for parameter in signature.parameters for kind in _ctypes_of(parameter.type)]
        kinds += [ctypes.c_void_p] * len(signature.results)
        self._function = ctypes.CFUNCTYPE(ctypes.c_int32, *kinds)(library.address(signature.symbol))

    def __call__(self, arguments: Sequence[Any], owned: bool = False) -> list[Any]:
        """The results of one call.

        owned: the caller vouches that the exclusive buffers overlap no others, which is not checked then.
        """
        if len(arguments) != len(self._binders):
            raise ExecutionError(f"@{self.name} takes {counted(len(self._binders), 'argument')}, got {len(arguments)}")
        kept: list[Any] = []
        flat: list[Any] = []
        for bind, argument in zip(self._binders, arguments):
            flat += bind(argument, kept)
        if self._exclusive and not owned:
            self._check_overlap(arguments)
        words = [(_WORD * count)() for count, _ in self._results]
        status = self._function(*flat, *map(ctypes.addressof, words))
        if status:
            self._fail(status)
        return [_result(found, type) for found, (_, type) in zip(words, self._results)]

    def _fail(self, status: int) -> None:
        if status == OUT_OF_MEMORY:
            raise MemoryError(f"@{self.name}: the memory for a buffer could not be had")
        found = self._asserts[status - 1]
        numbers = list((_WORD * found.numbers).from_address(self._library.address(NUMBERS))) if found.numbers else []
        raise AssertError(with_numbers(found.message, numbers), found.location)

    def _check_overlap(self, arguments: Sequence[Any]) -> None:
        """The code relies on it that some buffers overlap no other."""
        spans = {i: span(arguments[i]) for i in self._pointers}
        for i in self._exclusive:
            start, end = spans[i]
            for j, (other_start, other_end) in spans.items():
                if i != j and start < other_end and other_start < end:
                    names = (self.signature.parameters[k].name for k in sorted((i, j)))
                    raise ExecutionError("arguments {!r} and {!r} must not overlap in memory".format(*names))


def span(array: Any) -> tuple[int, int]:
    """The first byte of an array and the one behind its last."""
    if array.flags.c_contiguous:
        start = _address()(array)
        return start, start + array.nbytes
    start, end = np.lib.array_utils.byte_bounds(array)
    return start, end


@cache
def _address() -> Callable[[Any], int]:
    """What gives the address of an array's first element: read from the array's own struct where that can be trusted.

    `array.ctypes.data` takes a microsecond, five times as long. The pointer stands behind the head of every object; a
    Python or numpy where it does not fails the probe.
    """
    offset, read = object.__basicsize__, ctypes.c_size_t.from_address

    def from_struct(array: Any) -> int:
        return read(id(array) + offset).value

    def from_attribute(array: Any) -> int:
        address: int = array.ctypes.data
        return address

    whole = np.arange(24, dtype=np.float32).reshape(4, 6)
    probes = (whole, whole[1:], whole[::-1, ::2], np.zeros(()), np.zeros(0), np.frombuffer(b"probe", np.int8))
    return from_struct if all(from_struct(probe) == from_attribute(probe) for probe in probes) else from_attribute


# --- arguments -------------------------------------------------------------------------------------------------------


def _ctypes_of(type: Type) -> list[Any]:
    if isinstance(type, MemRefType):
        return [ctypes.c_void_p] + [_WORD] * (len(open_sizes(type)) + len(open_strides(type)))
    return [_scalar_ctype(type)]


def _dtype(element: Type) -> Any:
    """numpy's dtype for what stands in memory; that of a bf16 is its bits, as uint16."""
    return np.dtype(dtype_of(element).numpy or np.uint16)


def _scalar_ctype(type: Type) -> Any:
    """How a scalar is passed: an i1 as a byte, f16 and bf16 as their bits."""
    if isinstance(type, ShapedType):
        raise ExecutionError(f"a value of type {type} cannot be passed from outside")
    if isinstance(type, FloatType):
        return {"f16": ctypes.c_int16, "bf16": ctypes.c_int16, "f32": ctypes.c_float, "f64": ctypes.c_double}[type.name]
    width = type.width if isinstance(type, IntegerType) else 64
    return {1: ctypes.c_int8, 8: ctypes.c_int8, 16: ctypes.c_int16, 32: ctypes.c_int32, 64: _WORD}[width]


def _binder(parameter: NativeParameter) -> _Binder:
    _ctypes_of(parameter.type)
    return _MemRefBinder(parameter) if isinstance(parameter.type, MemRefType) else _scalar_binder(parameter)


def _scalar_binder(parameter: NativeParameter) -> _Binder:
    label, dtype = f"argument '{parameter.name}'", _dtype(parameter.type)
    as_bits = isinstance(parameter.type, FloatType) and parameter.type.width == 16
    kind: Any = dtype.type
    plain = {"f": (int, float), "b": (bool,)}.get(dtype.kind, (int,))

    def bind(argument: Any, _: list[Any]) -> list[Any]:
        if isinstance(argument, (np.ndarray, np.generic)):
            if argument.dtype != dtype:
                raise ExecutionError(f"{label} must be {dtype}, got {argument.dtype}")
            if argument.ndim:
                raise ExecutionError(f"{label} must have rank 0, got {argument.ndim}")
        elif not isinstance(argument, plain):
            raise ExecutionError(f"{label} must be {dtype}, got {argument.__class__.__name__}")
        try:
            number = kind(argument)
        except OverflowError:
            raise ExecutionError(f"{label} must be {dtype}, got {argument}") from None
        return [int(number.view(np.int16)) if as_bits else number.item()]

    return bind


class _MemRefBinder:
    """Checks an array against a memref type, and makes its components."""

    def __init__(self, parameter: NativeParameter) -> None:
        type = parameter.type
        assert isinstance(type, MemRefType)
        self.label = f"argument '{parameter.name}'"
        self.written = parameter.written
        self.dtype = _dtype(type.element)
        self.rank = type.rank
        self.fixed = [(axis, size) for axis, size in enumerate(type.shape) if isinstance(size, int)]
        self.open_sizes, self.open_strides = open_sizes(type), open_strides(type)
        self.dense = type.layout is None
        self.needed_flags = _C_CONTIGUOUS | _ALIGNED | (_WRITEABLE if parameter.written else 0)
        strides = () if self.dense else type.strides_and_offset()[0]
        self.fixed_strides = [(axis, stride) for axis, stride in enumerate(strides) if isinstance(stride, int)]

    def __call__(self, array: Any, kept: list[Any]) -> list[Any]:
        if not isinstance(array, np.ndarray):
            raise ExecutionError(f"{self.label} must be an array, got {array.__class__.__name__}")
        shape = array.shape
        if array.dtype is not self.dtype or len(shape) != self.rank:
            self._check(array)
        for axis, size in self.fixed:
            if shape[axis] != size:
                raise ExecutionError(f"{self.label}: axis {axis} must have size {size}, got {shape[axis]}")
        if not (self.dense and array.flags.num & self.needed_flags == self.needed_flags and array.dtype.isnative):
            array = self._usable(array)
        kept.append(array)
        components = [_address()(array), *[shape[axis] for axis in self.open_sizes]]
        return components + [array.strides[axis] // array.itemsize for axis in self.open_strides]

    def _usable(self, array: Any) -> Any:
        """The array itself, or a copy that has the layout of the type."""
        if not array.flags.aligned or not array.dtype.isnative or not self._fits(array):
            array = self._copied(array)
        if self.written and not array.flags.writeable:
            raise ExecutionError(f"{self.label} is written, so it must not be read-only")
        return array

    def _check(self, array: Any) -> None:
        if array.dtype != self.dtype and array.dtype.newbyteorder("=") != self.dtype:
            raise ExecutionError(f"{self.label} must be {self.dtype}, got {array.dtype}")
        if array.ndim != self.rank:
            raise ExecutionError(f"{self.label} must have rank {self.rank}, got {array.ndim}")

    def _fits(self, array: Any) -> bool:
        """The memory can be used as it is."""
        if self.dense:
            return bool(array.flags.c_contiguous)
        return not any(stride % array.itemsize for stride in array.strides) and not self._wrong_strides(array)

    def _wrong_strides(self, array: Any) -> list[tuple[int, int]]:
        item = array.itemsize
        return [
            (axis, stride)
            for axis, stride in self.fixed_strides
            if array.strides[axis] != stride * item and array.shape[axis] > 1 and array.size
        ]

    def _copied(self, array: Any) -> Any:
        """A dense copy in the machine's byte order."""
        if self.written:
            what = "contiguous and aligned" if self.dense else "aligned, with the strides of its type"
            raise ExecutionError(f"{self.label} is written, so it must be {what} and of native byte order")
        # Not ascontiguousarray, which makes an array of rank 0 one of rank 1.
        copy = np.array(array, dtype=self.dtype, order="C", copy=True)
        if wrong := self._wrong_strides(copy):
            axis, stride = wrong[0]
            got = array.strides[axis] / array.itemsize
            raise ExecutionError(f"{self.label}: axis {axis} must have stride {stride} in elements, got {got:g}")
        return copy


# --- results ---------------------------------------------------------------------------------------------------------


def _result_words(type: Type) -> int:
    """How many words hold the components of a result."""
    if isinstance(type, MemRefType):
        return 1 + len(open_sizes(type))
    _scalar_ctype(type)
    return 1


def _result(words: Any, type: Type) -> Any:
    """A result as an array or a numpy scalar."""
    dtype = _dtype(type.element if isinstance(type, MemRefType) else type)
    if not isinstance(type, MemRefType):
        return np.frombuffer(words, dtype, count=1)[0]
    sizes = iter(words[1:])
    shape = [size if isinstance(size, int) else next(sizes) for size in type.shape]
    return _adopted(words[0], dtype, shape)


def _adopted(address: int, dtype: Any, shape: Sequence[int]) -> Any:
    """An array on memory from `aligned_alloc`, which is freed with the last reference to it."""
    size_bytes = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    memory = (ctypes.c_char * max(1, size_bytes)).from_address(address)
    weakref.finalize(memory, _free(), address).atexit = False
    flat = np.frombuffer(memory, dtype, count=size_bytes // dtype.itemsize)
    try:
        return flat.reshape(shape)
    except ValueError:  # numpy's, for an empty array whose other sizes are too large
        raise MemoryError(f"there is no array of shape {list(shape)}") from None


@cache
def _free() -> Any:
    function = ctypes.CDLL(None).free
    function.argtypes, function.restype = [ctypes.c_void_p], None
    return function
