"""The functions outside tir that compiled code may call: data only.

`EXTERNS` are the symbols that machine code may have undefined, for the gate and the linker. `LIBRARY` are the functions
that a module may declare and call, `func.func private @tir_blas_sgemm(..) attributes {tir.extern = "sgemm"}`, for passes,
interpreter and lowering. A name that is in neither is refused before anything is linked, whatever the process happens
to contain. What an address is belongs to the run time (`tir/runtime/jit.py`), what a library function means to
`tir/dialects/library.py`.

No function of the C math library is here, and none may be added: `expand-math` writes them as polynomials.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = [
    "EXTERNS", "EXTERN_BY_NAME", "EXTERN_KINDS", "LIBRARY", "PARALLEL_FOR", "PARAMETER_RANKS", "Extern", "LibraryFunction",
    "Parameter",
]  # fmt: skip

#: What a function is for. Code is granted kinds, not single names:
#: "memory" is granted to all code, since LLVM makes such calls out of plain loops and copies;
#: "thread" only to the thread pool; "pool", the pool itself, to code with loops that threads run; "python" only to call
#: wrappers; "library" to code of a module that declares library functions.
EXTERN_KINDS = ("memory", "thread", "pool", "python", "library")

#: What runs the iterations of a loop on threads.
PARALLEL_FOR = "tir_parallel_for"


@dataclass(frozen=True)
class Extern:
    """A function called by `name`, with the function type as LLVM prints it, and its kind (`EXTERN_KINDS`).

    c_type_text: of a library function, its type in C, where all that is not a number is passed by address.
    """

    name: str
    llvm_type_text: str
    kind: str
    c_type_text: str = ""


@dataclass(frozen=True)
class Parameter:
    """An argument of a library function. kind: a key of `PARAMETER_RANKS`; written: it is changed in place."""

    name: str
    kind: str
    written: bool = False


#: What the kinds of arguments are: the rank of a tensor or buffer of the function's elements ("pivots": of i32;
#: "matrices": that or a higher one, the same for all), or None for a scalar: a number, or an i1.
PARAMETER_RANKS = {"flag": None, "number": None, "vector": 1, "pivots": 1, "matrix": 2, "matrices": 3}


@dataclass(frozen=True)
class LibraryFunction:
    """A function that a module may declare: with tensors it gives what it changes as results, with buffers in place.

    routine: what it does, whatever the elements (a key of the tables of meanings and of lowerings).
    element: "f32" or "f64". symbol: the extern that it calls. has_info: an i32 is the last result, 0 if all went well.
    """

    word: str
    callee: str
    routine: str
    element: str
    symbol: str
    parameters: tuple[Parameter, ...]
    has_info: bool = False

    @property
    def written(self) -> tuple[int, ...]:
        """The positions of the arguments that it changes."""
        return tuple(i for i, parameter in enumerate(self.parameters) if parameter.written)


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
    Extern(PARALLEL_FOR, "i32 (ptr, ptr, i64, ptr)", "pool"),
    Extern("PyEval_SaveThread", "ptr ()", "python"),
    Extern("PyEval_RestoreThread", "void (ptr)", "python"),
    Extern("PyErr_Occurred", "ptr ()", "python"),
    Extern("PyErr_SetString", "void (ptr, ptr)", "python"),
    Extern("PyErr_SetNone", "void (ptr)", "python"),
    Extern("PyErr_Clear", "void ()", "python"),
    Extern("PyErr_NoMemory", "ptr ()", "python"),
    Extern("PyFloat_AsDouble", "double (ptr)", "python"),
    Extern("PyFloat_FromDouble", "ptr (double)", "python"),
    Extern("PyLong_AsLongLong", "i64 (ptr)", "python"),
    Extern("PyLong_FromLongLong", "ptr (i64)", "python"),
    Extern("PyObject_IsTrue", "i32 (ptr)", "python"),
    Extern("PyObject_VectorcallDict", "ptr (ptr, ptr, i64, ptr)", "python"),
    Extern("PyObject_VectorcallMethod", "ptr (ptr, ptr, i64, ptr)", "python"),
    Extern("PyObject_GetBuffer", "i32 (ptr, ptr, i32)", "python"),
    Extern("PyBuffer_Release", "void (ptr)", "python"),
    Extern("PyTuple_New", "ptr (i64)", "python"),
    Extern("PyTuple_SetItem", "i32 (ptr, i64, ptr)", "python"),
    Extern("PyList_New", "ptr (i64)", "python"),
    Extern("PyList_SetItem", "i32 (ptr, i64, ptr)", "python"),
    Extern("PyDict_New", "ptr ()", "python"),
    Extern("PyDict_SetItem", "i32 (ptr, ptr, ptr)", "python"),
    Extern("Py_IncRef", "void (ptr)", "python"),
    Extern("Py_DecRef", "void (ptr)", "python"),
)

# --- BLAS and LAPACK -------------------------------------------------------------------------------------------------


def _parameters(text: str) -> tuple[Parameter, ...]:
    """From "name kind, name kind!": those with a mark are written."""
    words = [part.split() for part in text.split(",")]
    return tuple(Parameter(name, kind.rstrip("!"), kind.endswith("!")) for name, kind in words)


_GEMM = "transpose_a flag, transpose_b flag, alpha number, a {0}, b {0}, beta number, c {0}!"

#: routine -> (family, the name in the library, its type: c char, i int, r number; all by address, the arguments, has info).
_ROUTINES = {
    "gemm": ("blas", "gemm", "cciiirririrri", _GEMM.format("matrix"), False),
    "gemm_batch": ("blas", "gemm", "cciiirririrri", _GEMM.format("matrices"), False),
    "gemv": ("blas", "gemv", "ciirririrri",
             "transpose_a flag, alpha number, a matrix, x vector, beta number, y vector!", False),
    "ger": ("blas", "ger", "iirririri", "alpha number, x vector, y vector, a matrix!", False),
    "trsm": ("blas", "trsm", "cccciirriri",
             "lower flag, transpose_a flag, unit_diagonal flag, a matrix, b matrix!", False),
    "potrf": ("lapack", "potrf", "cirii", "lower flag, a matrix!", True),
    "getrf": ("lapack", "getrf", "iiriii", "a matrix!, pivots pivots!", True),
}  # fmt: skip


def _routines() -> tuple[tuple[LibraryFunction, ...], tuple[Extern, ...]]:
    functions, externs = [], {}
    for routine, (family, base, kinds, parameters, has_info) in _ROUTINES.items():
        for letter, element, number in (("s", "f32", "float"), ("d", "f64", "double")):
            word, symbol = letter + routine, f"{letter}{base}_"
            functions.append(
                LibraryFunction(
                    word, f"tir_{family}_{word}", routine, element, symbol, _parameters(parameters), has_info
                )
            )
            c_types = ", ".join({"c": "char *", "i": "int *", "r": f"{number} *"}[kind] for kind in kinds)
            llvm_types = ", ".join(["ptr"] * len(kinds))
            externs[symbol] = Extern(symbol, f"void ({llvm_types})", "library", f"void ({c_types})")
    return tuple(functions), tuple(externs.values())


_FUNCTIONS, _SYMBOLS = _routines()

#: The library functions by the word that declares them: `tir.extern = "sgemm"`.
LIBRARY: Mapping[str, LibraryFunction] = MappingProxyType({function.word: function for function in _FUNCTIONS})

EXTERNS += _SYMBOLS

EXTERN_BY_NAME: Mapping[str, Extern] = MappingProxyType({extern.name: extern for extern in EXTERNS})
