"""The functions outside tir that compiled code may call: one table, data only.

The interpreter, the CPU gate and the GPU run time read it. A name that is not here is refused before anything is
linked, whatever the process happens to contain. What an address is belongs to the run time (`tir/runtime/jit.py`).

No function of the C math library is here, and none may be added: `expand-math` writes them as polynomials.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["EXTERNS", "EXTERN_BY_NAME", "EXTERN_KINDS", "Extern"]

#: What a function is for. Code is granted kinds, not single names:
#: "memory" is granted to all code, since LLVM makes such calls out of plain loops and copies;
#: "thread" only to the thread pool; "python" only to call wrappers.
EXTERN_KINDS = ("memory", "thread", "python")


@dataclass(frozen=True)
class Extern:
    """A function called by `name`, with the function type as LLVM prints it, and its kind (`EXTERN_KINDS`)."""

    name: str
    llvm_type_text: str
    kind: str


EXTERNS: tuple[Extern, ...] = (
    Extern("malloc", "ptr (i64)", "memory"),
    Extern("calloc", "ptr (i64, i64)", "memory"),
    Extern("aligned_alloc", "ptr (i64, i64)", "memory"),
    Extern("posix_memalign", "i32 (ptr, i64, i64)", "memory"),
    Extern("free", "void (ptr)", "memory"),
    Extern("memcpy", "ptr (ptr, ptr, i64)", "memory"),
    Extern("memmove", "ptr (ptr, ptr, i64)", "memory"),
    Extern("memset", "ptr (ptr, i32, i64)", "memory"),
    Extern("memcmp", "i32 (ptr, ptr, i64)", "memory"),
    Extern("bcmp", "i32 (ptr, ptr, i64)", "memory"),
    # LLVM turns a loop that looks for a zero byte into strlen.
    Extern("strlen", "i64 (ptr)", "memory"),
    Extern("pthread_create", "i32 (ptr, ptr, ptr, ptr)", "thread"),
    Extern("pthread_join", "i32 (i64, ptr)", "thread"),
    Extern("pthread_sigmask", "i32 (i32, ptr, ptr)", "thread"),
    Extern("sigfillset", "i32 (ptr)", "thread"),
    Extern("sched_yield", "i32 ()", "thread"),
    Extern("syscall", "i64 (i64, ...)", "thread"),
    Extern("PyEval_SaveThread", "ptr ()", "python"),
    Extern("PyEval_RestoreThread", "void (ptr)", "python"),
    Extern("PyErr_Occurred", "ptr ()", "python"),
    Extern("PyErr_SetString", "void (ptr, ptr)", "python"),
    Extern("PyErr_SetNone", "void (ptr)", "python"),
    Extern("PyFloat_AsDouble", "double (ptr)", "python"),
    Extern("PyFloat_FromDouble", "ptr (double)", "python"),
    Extern("PyLong_AsLongLong", "i64 (ptr)", "python"),
    Extern("PyLong_FromLongLong", "ptr (i64)", "python"),
    Extern("PyObject_IsTrue", "i32 (ptr)", "python"),
    Extern("PyObject_VectorcallDict", "ptr (ptr, ptr, i64, ptr)", "python"),
    Extern("PyObject_GetBuffer", "i32 (ptr, ptr, i32)", "python"),
    Extern("PyBuffer_Release", "void (ptr)", "python"),
    Extern("PyTuple_New", "ptr (i64)", "python"),
    Extern("PyTuple_SetItem", "i32 (ptr, i64, ptr)", "python"),
    Extern("Py_IncRef", "void (ptr)", "python"),
    Extern("Py_DecRef", "void (ptr)", "python"),
)

EXTERN_BY_NAME: Mapping[str, Extern] = MappingProxyType({extern.name: extern for extern in EXTERNS})
