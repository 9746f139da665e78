"""Where CPython and numpy keep what calls need of their objects: looked for in this process, never taken for granted.

    python_structs()     of CPython's objects: all that `tir/runtime/callables.py` needs; None where they look otherwise
    numpy_structs()      of numpy's arrays and scalars, and its functions that make arrays; None likewise

Offsets follow from the size of an object's head, and each is tried on objects whose contents are known. Where one trial
fails (another Python, a build without the GIL, another numpy) there are no fast calls, and every call takes the way through
ctypes.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from dataclasses import dataclass
from functools import cache
from typing import Any

from tir.lazy import np

__all__ = ["HAS_VECTORCALL", "NumpyStructs", "PythonStructs", "lock_count_offset", "numpy_structs", "python_structs"]

_WORD = ctypes.sizeof(ctypes.c_void_p)

#: Bit of `type.__flags__`: calls go to the function whose address stands in the object (PEP 590).
HAS_VECTORCALL = 1 << 11


@dataclass(frozen=True)
class PythonStructs:
    """Offsets in bytes. Those of a reference count and of a type are 0 and `type`.

    head: the size of an object's head. size: of a tuple or list. items: of a tuple. list_items: of the pointer to the items
    of a list. flags: of a class's flags. number: of the double in a float.
    """

    head: int
    type: int
    size: int
    items: int
    list_items: int
    flags: int
    number: int


@dataclass(frozen=True)
class NumpyStructs:
    """Offsets in bytes in an array, and addresses.

    scalar: the offset of the number in a numpy scalar. array_type: the class. empty, from_descr: the functions
    `PyArray_Empty` and `PyArray_NewFromDescr`.
    """

    data: int
    rank: int
    sizes: int
    strides: int
    dtype: int
    flags: int
    scalar: int
    array_type: int
    empty: int
    from_descr: int


def _word(address: int) -> int:
    return ctypes.c_size_t.from_address(address).value


@cache
def python_structs() -> PythonStructs | None:
    """The offsets, if all trials succeed."""
    head = object.__basicsize__
    if sys.implementation.name != "cpython" or head != 2 * _WORD or sys.byteorder != "little":
        return None
    flags = next((place for place in range(head, type(_Plain).__sizeof__(_Plain), _WORD) if _are_flags_at(place)), 0)
    found = PythonStructs(head, head - _WORD, head, head + _WORD, head + _WORD, flags, head)
    return found if flags and all(trial(found) for trial in (_try_heads, _try_tuples, _try_lists, _try_floats)) else None


def _are_flags_at(place: int) -> bool:
    classes = (int, type, tuple, _Plain, BaseException, staticmethod)
    return all(ctypes.c_ulong.from_address(id(one) + place).value == one.__flags__ for one in classes)


class _Plain:
    """A class to look at."""


def _try_heads(at: PythonStructs) -> bool:
    one = _Plain()
    before = _word(id(one))
    other = one
    return _word(id(one)) == before + 1 and _word(id(other) + at.type) == id(_Plain)


def _try_tuples(at: PythonStructs) -> bool:
    tuples = ((), ("a",), ("a", None, 3))
    return all(
        _word(id(one) + at.size) == len(one)
        and [_word(id(one) + at.items + i * _WORD) for i in range(len(one))] == [id(item) for item in one]
        for one in tuples
    )


def _try_lists(at: PythonStructs) -> bool:
    one: list[Any] = [_Plain()]
    before = _word(_word(id(one) + at.list_items)) == id(one[0]) and _word(id(one) + at.size) == 1
    one[:] = ["another", "and another"]
    after = _word(_word(id(one) + at.list_items)) == id(one[0]) and _word(id(one) + at.size) == 2
    one.clear()
    return before and after and _word(id(one) + at.size) == 0


def _try_floats(at: PythonStructs) -> bool:
    return all(ctypes.c_double.from_address(id(x) + at.number).value == x for x in (0.0, -1.5, 1e300))


@cache
def lock_count_offset() -> int | None:
    """Where a `threading.RLock` counts how often it is held."""
    lock = threading.RLock()
    places = range(0, type(lock).__basicsize__, _WORD)
    seen = []
    for _ in range(3):
        seen.append([_word(id(lock) + place) for place in places])
        lock.acquire()
    for _ in range(3):
        lock.release()
    seen.append([_word(id(lock) + place) for place in places])
    found = [place for i, place in enumerate(places) if [words[i] for words in seen] == [0, 1, 2, 0]]
    return found[0] if len(found) == 1 else None


@cache
def numpy_structs() -> NumpyStructs | None:
    """The offsets and addresses, if all trials succeed."""
    python = python_structs()
    if python is None:
        return None
    array_type = np.ndarray
    table = _table_of_numpy()
    if table is None or _word(table + 2 * _WORD) != id(array_type):
        return None
    head, after = python.head, python.head + _WORD
    found = NumpyStructs(
        data=head, rank=after, sizes=after + _WORD, strides=after + 2 * _WORD, dtype=after + 4 * _WORD,
        flags=after + 5 * _WORD, scalar=head, array_type=id(array_type), empty=_word(table + 184 * _WORD),
        from_descr=_word(table + 94 * _WORD),
    )  # fmt: skip
    return found if all(trial(found) for trial in (_try_arrays, _try_scalars, _try_functions)) else None


def _table_of_numpy() -> int | None:
    """The address of numpy's table of functions (`_ARRAY_API`)."""
    umath = sys.modules.get("numpy._core._multiarray_umath") or sys.modules.get("numpy.core._multiarray_umath")
    capsule = getattr(umath, "_ARRAY_API", None)
    if capsule is None:
        return None
    pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)
    read = pointer(("PyCapsule_GetPointer", ctypes.pythonapi))
    found: int | None = read(capsule, None)
    return found


def _try_arrays(at: NumpyStructs) -> bool:
    whole = np.arange(24, dtype=np.float32).reshape(4, 6)
    frozen = np.ones(3)
    frozen.flags.writeable = False
    probes = (
        whole, whole[1:], whole[::-1, ::2], whole.T, np.zeros(()), np.zeros(0), np.zeros((2, 0, 3), np.int8), frozen,
        np.frombuffer(b"probe", np.int8), np.frombuffer(bytes(17), np.int64, 2, 1), np.zeros((1,) * 5, bool),
    )  # fmt: skip
    return all(_looks_as_it_should(at, array) for array in probes)


def _looks_as_it_should(at: NumpyStructs, array: Any) -> bool:
    address = id(array)
    sizes, strides = _word(address + at.sizes), _word(address + at.strides)
    return (
        _word(address + at.data) == array.ctypes.data
        and ctypes.c_int32.from_address(address + at.rank).value == array.ndim
        and tuple(ctypes.c_int64.from_address(sizes + 8 * i).value for i in range(array.ndim)) == array.shape
        and tuple(ctypes.c_int64.from_address(strides + 8 * i).value for i in range(array.ndim)) == array.strides
        and _word(address + at.dtype) == id(array.dtype)
        and ctypes.c_int32.from_address(address + at.flags).value & 0xFFFF == array.flags.num & 0xFFFF
    )


def _try_scalars(at: NumpyStructs) -> bool:
    numbers = [np.dtype(name).type(7) for name in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8")]
    return all(ctypes.string_at(id(x) + at.scalar, x.itemsize) == x.tobytes() for x in numbers)


def _try_functions(at: NumpyStructs) -> bool:
    """Both make the array that they should. They take over a reference to the dtype."""
    dtype, sizes, memory = np.dtype(np.float32), (ctypes.c_int64 * 2)(2, 3), (ctypes.c_float * 6)(*range(6))
    make = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)
    take = ctypes.PYFUNCTYPE(None, ctypes.py_object)(("Py_IncRef", ctypes.pythonapi))
    take(dtype)
    fresh = make(at.empty)(2, ctypes.addressof(sizes), id(dtype), 0)
    words = [ctypes.c_void_p] * 2 + [ctypes.c_int] + [ctypes.c_void_p] * 3 + [ctypes.c_int, ctypes.c_void_p]
    take(dtype)
    around = ctypes.PYFUNCTYPE(ctypes.py_object, *words)(at.from_descr)
    found = around(id(np.ndarray), id(dtype), 2, ctypes.addressof(sizes), None, ctypes.addressof(memory), 0x501, None)
    return bool(
        type(fresh) is np.ndarray and (fresh.shape, fresh.dtype) == ((2, 3), dtype) and fresh.flags.num & 0x505 == 0x505
        and found.shape == (2, 3) and found.ctypes.data == ctypes.addressof(memory) and found[1, 2] == 5
    )  # fmt: skip
