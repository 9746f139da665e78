"""The function that CPython calls for a compiled one, as LLVM IR text: from Python's objects to native arguments and back.

    found = wrapper_of(symbol, parameters, results, style)      # None for what only Python can call
    text = lowered.text + found.text
    code = found.linked(compile_text(text, [.., *found.exports], (.., "python")))

    ptr call.f(ptr given, i64 count, ptr names)          given, count, names: as PEP 590 has them

The wrapper takes arguments that need nothing done to them: arrays of the very class, dtype, rank and layout, whose sizes
are those of the types and fit together; numbers of Python where the caller allows them. For all else it gives a null
pointer, having changed nothing and set no error, and the call is made again in Python, which converts, or says what is
wrong. So there is no message here. What it does for a call that it takes is what Python does for it, to the class of each
result.

Addresses of objects and of numpy's functions stand in a global table, which `linked` fills; none is in the text.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tir.ir.native import NativeSignature
from tir.ir.types import MemRefType, Type
from tir.runtime.callables import FastCode
from tir.runtime.jit import Library
from tir.runtime.structs import lock_count_offset, numpy_structs, python_structs
from tir.runtime.wrapper_text import TABLE
from tir.runtime.wrapper_writer import NUMBERS, Argument, CallStyle, Unsupported, WrapperWriter

__all__ = ["NUMBERS", "Argument", "CallStyle", "Wrapper", "wrapper_of"]

#: Arguments and results of a call that code takes; each has some 40 parts of control flow, which LLVM takes its time for.
MAX_VALUES = 32


@dataclass(frozen=True)
class Wrapper:
    """The text, the name of the function in it, and what its table holds: addresses, and objects that must live."""

    text: str
    symbol: str
    addresses: Sequence[int]
    kept: Sequence[Any]

    @property
    def exports(self) -> list[str]:
        return [self.symbol, TABLE]

    def linked(self, library: Library) -> FastCode:
        """The code in a library that is made of the text."""
        table = (ctypes.c_size_t * len(self.addresses)).from_address(library.address(TABLE))
        for place, address in enumerate(self.addresses):
            table[place] = address
        return FastCode(library, self.symbol, self.kept)


def wrapper_of(
    signature: NativeSignature, arguments: Sequence[Argument], results: Sequence[Any], style: CallStyle,
    work: Sequence[float], text: str,
) -> Wrapper | None:  # fmt: skip
    """The wrapper of a function; None where this process, or the function, is not made for one.

    arguments: one for each parameter. results: the dtypes of what the function returns in memory of its own. work: about
    how many operations a call is: work[k] times the k-th power of the largest size that is open. text: that of the module,
    which says what it declares.
    """
    python, numpy = python_structs(), numpy_structs()
    if python is None or numpy is None or not _is_supported(signature, arguments, style):
        return None
    if len(arguments) + len(results) > MAX_VALUES:
        return None
    writer = WrapperWriter(python, numpy, signature, arguments, results, style)
    try:
        body = writer.write(work)
    except Unsupported:
        return None
    symbol = f"call.{signature.symbol}"
    lines = "\n".join(body)
    table = f"@{TABLE} = global [{len(writer.addresses)} x i64] zeroinitializer"
    # A straight line of checks: LLVM's passes would make it 1 ns faster and cost as much as those of the kernel.
    definition = f"define ptr @{symbol}(ptr %given, i64 %count, ptr %names) noinline optnone nounwind {{\n{lines}\n}}"
    needed = (line for name, line in _DECLARATIONS.items() if f"@{name}(" in lines and f"@{name}(" not in text)
    return Wrapper("\n\n".join(["", table, definition, *needed, ""]), symbol, writer.addresses, writer.kept)


def _is_supported(signature: NativeSignature, arguments: Sequence[Argument], style: CallStyle) -> bool:
    types: list[Type] = [*(parameter.type for parameter in signature.parameters), *signature.results]
    if not all(isinstance(type, MemRefType) and type.layout is None for type in types):
        return False
    written = [argument.kind for argument, p in zip(arguments, signature.parameters) if p.written]
    if "input" in written:  # the call would have been made twice, if it came to that
        return False
    if any(argument.kind == "shared" for argument in arguments):
        # A failure must leave all as it was. No memory for a result can be a failure behind the last write.
        if not signature.atomic or style.lock is None or lock_count_offset() is None:
            return False
        return not (signature.results and "shared" in written)
    return True


_DECLARATIONS = {
    "Py_IncRef": "declare void @Py_IncRef(ptr)",
    "Py_DecRef": "declare void @Py_DecRef(ptr)",
    "PyErr_Occurred": "declare ptr @PyErr_Occurred()",
    "PyErr_Clear": "declare void @PyErr_Clear()",
    "PyEval_SaveThread": "declare ptr @PyEval_SaveThread()",
    "PyEval_RestoreThread": "declare void @PyEval_RestoreThread(ptr)",
    "PyLong_AsLongLong": "declare i64 @PyLong_AsLongLong(ptr)",
    "PyObject_VectorcallDict": "declare ptr @PyObject_VectorcallDict(ptr, ptr, i64, ptr)",
    "PyTuple_New": "declare ptr @PyTuple_New(i64)",
    "PyTuple_SetItem": "declare i32 @PyTuple_SetItem(ptr, i64, ptr)",
    "PyList_New": "declare ptr @PyList_New(i64)",
    "PyList_SetItem": "declare i32 @PyList_SetItem(ptr, i64, ptr)",
    "PyDict_New": "declare ptr @PyDict_New()",
    "PyDict_SetItem": "declare i32 @PyDict_SetItem(ptr, ptr, ptr)",
    "free": "declare void @free(ptr)",
}
