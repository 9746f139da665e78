"""Whether a pass calls library functions, and how it declares them."""

from __future__ import annotations

from collections.abc import Sequence

from tir.dialects import func
from tir.dialects.library import EXTERN, library_function
from tir.dialects.tir.base import Sequential
from tir.ir.attributes import StringAttr
from tir.ir.errors import PassError
from tir.ir.externs import LibraryFunction
from tir.ir.symbols import SymbolTable
from tir.ir.types import I32, TensorType, Type

__all__ = ["NEVER", "UNKNOWN_SIZE", "USES", "always", "calls_library", "check_use", "declaration_of"]

NEVER = "never"
#: The values of an option that says which calls are made: those that are faster, all, none.
USES = ("auto", "always", NEVER)

UNKNOWN_SIZE = 64  # what a size of run time counts as
LEAST_ROWS = {"potrf": 64, "getrf": 64}  # by routine: see Note [When LAPACK is faster]

#: What upstream's bufferization may take for granted about the arguments of a function without a body.
ACCESS = "bufferization.access"


def always() -> bool:
    """What `available` of a pass is where nobody asks whether there is a library."""
    return True


def check_use(name: str, option: str, use: str) -> None:
    """PassError if the option of the pass has no such value."""
    if use not in USES:
        raise PassError(f"pass {name}: option '{option}' must be one of {', '.join(USES)}, got '{use[:40]}'")


def calls_library(op: Sequential, use: str) -> bool:
    """The program of the op is to be the one that calls a library: see Note [When LAPACK is faster]."""
    routine = op.library_routine
    if routine is None or use != "auto":
        return routine is not None and use == "always"
    rows = op.library_rows()
    return routine in LEAST_ROWS and (rows if isinstance(rows, int) else UNKNOWN_SIZE) >= LEAST_ROWS[routine]


def declaration_of(symbols: SymbolTable, function: LibraryFunction, types: Sequence[Type]) -> str:
    """The name of the declaration of the function for arguments of these types, which is made at its first use."""
    results = [types[i] for i in function.written if isinstance(types[i], TensorType)]
    results += [I32] if function.has_info else []
    for name in symbols.names():
        op = symbols.get(name)
        if library_function(op) is function and isinstance(op, func.Func):
            if op.function_type.inputs == tuple(types) and op.function_type.results == tuple(results):
                return name
    made = func.Func.make(function.callee, types, results, visibility="private", declaration=True)
    made.set_attribute(EXTERN, StringAttr(function.word))
    for i, type in enumerate(types):
        if isinstance(type, TensorType):
            access = "read-write" if i in function.written else "read"
            made.set_argument_attribute(i, ACCESS, StringAttr(access))
    return symbols.insert(made).sym_name


# Note [When LAPACK is faster]
# Time of own loops over that with calls of OpenBLAS 0.3.30 (as scipy 1.17 has it), both on one thread of a machine with
# AVX-512, medians; the rows of the matrix. `python -m benchmarks lapack` measures again.
#
#                                      4       8      16      32      64     128     256     512
#     cholesky f32                  1.00    0.99    0.98    1.01    1.46    3.45    5.76   39.12
#     cholesky f64                  0.99    0.99    0.98    1.03    1.34    2.97    4.25    9.82
#     solve, 1 side f32             0.97    0.97    0.95    0.97    1.18    1.52    1.84    1.64
#     solve, 1 side f64             0.96    0.96    0.94    0.98    1.15    1.59    1.69    1.69
#     solve, n sides f32            0.96    0.95    0.91    0.86    0.93    1.12    1.32    1.98
#     solve, n sides f64            0.96    0.95    0.92    0.90    0.97    1.11    1.09    2.18
#     inv f32                       0.97    0.96    0.91    0.85    0.91    1.12    1.40    3.10
#     inv f64                       0.96    0.95    0.91    0.88    0.98    1.15    1.43    1.86
#     det f32                       0.99    0.99    0.97    0.97    1.18    1.58    1.76    1.33
#     det f64                       0.99    0.97    0.98    0.99    1.22    1.69    2.01    1.94
#     triangular_solve, 1 side f32  0.99    0.99    0.98    0.97    0.94    0.93    1.00    1.20
#     triangular_solve, 1 side f64  0.99    0.98    0.98    0.95    0.90    0.80    0.72    0.81
#     triangular_solve, n sides f32 0.99    0.98    0.97    0.88    0.84    0.88    1.11    1.43
#     triangular_solve, n sides f64 0.99    0.98    0.96    0.87    0.87    0.92    1.00    2.32
#
# From 64 rows on the factors are worth it. Where the rows are known only at run time, little is lost if they are few,
# and much is won if they are many. Own loops of triangular systems run along the rows of all right-hand sides and keep
# up; a library must first be shown that the matrix has no nan (Note [When LAPACK's answer is taken] in `lapack_answers.py`).
