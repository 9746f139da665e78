"""Where BLAS and LAPACK are in this process: scipy's (extra `blas`), as addresses to call without Python.

scipy publishes them for Cython: `scipy.linalg.cython_blas.__pyx_capi__["sgemm"]` is a capsule that holds the address, and
whose name is the function's type in C. The type must be the one in `tir/ir/externs.py`, so that a scipy that counts in
64 bits is not called with 32.

They may be called from several threads at once, and after a fork: OpenBLAS, which scipy's wheels contain, takes a lock
around its threads, and starts new ones in a child. On a busy machine its threads wait for each other: with 19 processes
on 2 cores a Cholesky factor of 200x200 took 3 s with two threads, and 0.3 ms with one. `OPENBLAS_NUM_THREADS=1` before the
process starts ends that; nothing here changes the number, which is numpy's and scipy's as well.
"""

from __future__ import annotations

import ctypes
import importlib.util
import re
from functools import cache
from typing import Any

from tir.ir.externs import EXTERNS, Extern
from tir.runtime.gate import CodegenError

__all__ = ["has_library", "library_address"]

#: Cython's names of the number types: `__pyx_t_5scipy_6linalg_11cython_blas_s`.
_NUMBER = re.compile(r"__pyx_t_\w*?cython_(?:blas|lapack)_([sd])\b")
_NUMBERS = {"s": "float", "d": "double"}


def library_address(extern: Extern) -> int:
    """Where the function is. Raises `CodegenError` without scipy, or if this scipy has it with another type."""
    name = extern.name.rstrip("_")
    capsule = next((table[name] for table in _tables() if name in table), None)
    if capsule is None:
        hint = "install the extra `blas`, or ask for no calls (library=never)"
        raise CodegenError(f"the code calls '{extern.name}' of BLAS or LAPACK, and there is no scipy that has it", hint=hint)
    label = _capsule("PyCapsule_GetName", ctypes.c_char_p, ctypes.py_object)(capsule)
    found = _NUMBER.sub(lambda match: _NUMBERS[match[1]], label.decode())
    if found != extern.c_type_text:
        raise CodegenError(f"scipy's '{name}' has type '{found}', expected '{extern.c_type_text}'")
    address = _capsule("PyCapsule_GetPointer", ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(capsule, label)
    return int(address or 0)


@cache
def has_library() -> bool:
    """Every library function can be called."""
    try:
        return all(library_address(extern) for extern in EXTERNS if extern.kind == "library")
    except CodegenError:
        return False


def _tables() -> list[dict[str, Any]]:
    """Capsules by name; none without scipy."""
    if importlib.util.find_spec("scipy") is None:
        return []
    from scipy.linalg import cython_blas, cython_lapack  # noqa: PLC0415  (an optional package)

    return [module.__pyx_capi__ for module in (cython_blas, cython_lapack)]


def _capsule(name: str, result: Any, *arguments: Any) -> Any:
    """A function of Python's C API; a prototype of its own, since those of `ctypes.pythonapi` are shared."""
    return ctypes.PYFUNCTYPE(result, *arguments)((name, ctypes.pythonapi))
