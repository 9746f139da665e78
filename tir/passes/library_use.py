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
LEAST_ROWS = 64  # see Note [When LAPACK is faster]

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
    rows = op.library_rows()
    if rows is None or use == NEVER:
        return False
    return use == "always" or (rows if isinstance(rows, int) else UNKNOWN_SIZE) >= LEAST_ROWS


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
