"""Objects whose call goes to machine code: `f(a)` runs no line of Python where the code takes the arguments.

    class Function(NativeCallable):                # its __call__ in Python takes whatever comes
        def __call__(self, *given, **named): ...

    f.use(FastCode(library, table))            # from now on f(..) asks this code first

A class made here has, behind the head of each object, the address of one function for all of them (PEP 590). That function
lives as long as the process. It asks the object's codes, one behind the other; one that does not take the arguments gives a
null pointer and has changed nothing; when none takes them, `__call__` is called as if there had never been any code.

An object keeps its codes, and the function keeps the one that it is in, so that a code may be replaced while it runs.
Where CPython's objects look otherwise than `tir/runtime/structs.py` knows, nothing here does anything: calls are Python's.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

from tir.runtime.jit import Library, compile_text
from tir.runtime.structs import HAS_VECTORCALL, python_structs

__all__ = ["LONGEST_CHAIN", "FastCode", "NativeCallable"]

#: How many codes are asked before a call is Python's.
LONGEST_CHAIN = 4

_WORD = ctypes.sizeof(ctypes.c_void_p)

# From CPython's headers, the same in all versions since 3.9.
_TP_MEMBERS, _T_PYSSIZET, _READONLY = 72, 19, 1
_DEFAULT, _BASETYPE = 1 << 18, 1 << 10


class _Member(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p), ("type", ctypes.c_int), ("offset", ctypes.c_ssize_t), ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )  # fmt: skip


class _Slot(ctypes.Structure):
    _fields_ = (("slot", ctypes.c_int), ("function", ctypes.c_void_p))


class _Spec(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p), ("basic_size", ctypes.c_int), ("item_size", ctypes.c_int), ("flags", ctypes.c_uint),
        ("slots", ctypes.POINTER(_Slot)),
    )  # fmt: skip


def _class_with_a_word() -> type:
    """A class whose objects have a word behind their head, which CPython takes for where their calls go."""
    structs = python_structs()
    if structs is None:
        return object
    members = (_Member * 2)(_Member(b"__vectorcalloffset__", _T_PYSSIZET, structs.head, _READONLY, None))
    slots = (_Slot * 2)(_Slot(_TP_MEMBERS, ctypes.addressof(members)))
    spec = _Spec(b"tir.runtime.callables.WithWord", structs.head + _WORD, 0, _DEFAULT | _BASETYPE, slots)
    make = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p)(("PyType_FromSpec", ctypes.pythonapi))
    found = make(ctypes.addressof(spec))
    _KEPT.extend((members, slots, spec))  # CPython 3.10 goes on using the name
    assert isinstance(found, type)
    return found


_KEPT: list[Any] = []

WithWord: Any = _class_with_a_word()


class _Linked(WithWord):
    """The word, and behind it a code, or nothing."""

    __slots__ = ("_code",)

    def _set_word(self, value: int) -> None:
        structs = python_structs()
        assert structs is not None
        ctypes.c_void_p.from_address(id(self) + structs.head).value = value


class FastCode(_Linked):
    """Code for some kinds of arguments: the word is where its function starts. kept: what must live as long as it does."""

    __slots__ = ("__weakref__", "_kept", "library")

    def __init__(self, library: Library, symbol: str, kept: Any = None) -> None:
        self.library, self._kept = library, kept
        self._set_word(library.address(symbol))


class NativeCallable(_Linked):
    """An object with a `__call__` in Python, and with code that takes the usual calls."""

    __slots__ = ()

    def __init_subclass__(cls, **named: Any) -> None:
        super().__init_subclass__(**named)
        structs = python_structs()
        # A class that says anew what a call is does without codes.
        if structs is not None and (NativeCallable in cls.__bases__ or "__call__" not in cls.__dict__):
            flags = ctypes.c_ulong.from_address(id(cls) + structs.flags)
            flags.value |= HAS_VECTORCALL

    def use(self, code: FastCode | None) -> None:
        """Asks this code alone from now on; None for no code."""
        if code is not None:
            self._code = code
            self._set_word(_dispatcher().address("dispatch"))
        elif hasattr(self, "_code"):
            del self._code

    def use_first(self, code: FastCode) -> None:
        """Asks this code before those that there are; the oldest of too many goes."""
        codes = self.codes()[: LONGEST_CHAIN - 1]
        if codes:
            if len(codes) == LONGEST_CHAIN - 1 and hasattr(codes[-1], "_code"):
                del codes[-1]._code
            code._code = codes[0]
        self.use(code)

    def codes(self) -> list[FastCode]:
        """The codes in the order in which they are asked."""
        found, one = [], getattr(self, "_code", None)
        while one is not None:
            found.append(one)
            one = getattr(one, "_code", None)
        return found


@cache
def _dispatcher() -> Library:
    """The function that all objects share; never unloaded. Made when the first code is."""
    structs = python_structs()
    assert structs is not None
    text, head = _DISPATCH, structs.head
    for name, value in (("TYPE", structs.type), ("WORD", head), ("CODE", head + _WORD), ("SIZE", structs.size)):
        text = text.replace(f"${name}", str(value))
    library = compile_text(text, ["dispatch", "constants"], ("memory", "python"))
    constants = (ctypes.c_void_p * 2).from_address(library.address("constants"))
    name = "__call__"
    _KEPT.append(name)
    constants[0], constants[1] = id(FastCode), id(name)
    return library


# What `_code` holds is checked, since it can be set from Python. A code is held while it is asked: another thread, or the
# Python that runs when an object dies, may replace it meanwhile.
_DISPATCH = """
@constants = global [2 x ptr] zeroinitializer

define ptr @dispatch(ptr %self, ptr %given, i64 %flagged, ptr %names) #0 {
entry:
  %count = and i64 %flagged, 9223372036854775807
  %first.place = getelementptr i8, ptr %self, i64 $CODE
  %first = load ptr, ptr %first.place
  call void @Py_IncRef(ptr %first)
  %wanted = load ptr, ptr @constants
  br label %next

next:
  %code = phi ptr [ %first, %entry ], [ %following, %pass ]
  %none = icmp eq ptr %code, null
  br i1 %none, label %python, label %check

check:
  %type.place = getelementptr i8, ptr %code, i64 $TYPE
  %type = load ptr, ptr %type.place
  %is.code = icmp eq ptr %type, %wanted
  br i1 %is.code, label %ask, label %pass.on

ask:
  %function.place = getelementptr i8, ptr %code, i64 $WORD
  %function = load ptr, ptr %function.place
  %found = call ptr %function(ptr %given, i64 %count, ptr %names)
  %missed = icmp eq ptr %found, null
  br i1 %missed, label %pass, label %done

done:
  call void @Py_DecRef(ptr %code)
  ret ptr %found

pass:
  %following.place = getelementptr i8, ptr %code, i64 $CODE
  %following = load ptr, ptr %following.place
  call void @Py_IncRef(ptr %following)
  call void @Py_DecRef(ptr %code)
  br label %next

pass.on:
  call void @Py_DecRef(ptr %code)
  br label %python

python:
  %unnamed = icmp eq ptr %names, null
  br i1 %unnamed, label %copy, label %named

named:
  %named.place = getelementptr i8, ptr %names, i64 $SIZE
  %named.count = load i64, ptr %named.place
  br label %copy

copy:
  %more = phi i64 [ 0, %python ], [ %named.count, %named ]
  %all = add i64 %count, %more
  %all.bytes = mul i64 %all, 8
  %bytes = add i64 %all.bytes, 8
  %array = call ptr @malloc(i64 %bytes)
  %no.memory = icmp eq ptr %array, null
  br i1 %no.memory, label %fail, label %call

fail:
  %nothing = call ptr @PyErr_NoMemory()
  ret ptr %nothing

call:
  store ptr %self, ptr %array
  %behind = getelementptr i8, ptr %array, i64 8
  call void @llvm.memcpy.p0.p0.i64(ptr %behind, ptr %given, i64 %all.bytes, i1 false)
  %name.place = getelementptr i8, ptr @constants, i64 8
  %name = load ptr, ptr %name.place
  %with.self = add i64 %count, 1
  %result = call ptr @PyObject_VectorcallMethod(ptr %name, ptr %array, i64 %with.self, ptr %names)
  call void @free(ptr %array)
  ret ptr %result
}

declare void @Py_IncRef(ptr)
declare void @Py_DecRef(ptr)
declare ptr @PyErr_NoMemory()
declare ptr @PyObject_VectorcallMethod(ptr, ptr, i64, ptr)
declare ptr @malloc(i64)
declare void @free(ptr)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)

attributes #0 = { nounwind }
"""
