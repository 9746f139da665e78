"""Declarations and calls of library functions: what `select-library` makes, and what `bufferize` makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tir.dialects import func, tensor
from tir.dialects.library import EXTERN, library_function
from tir.ir.attributes import StringAttr
from tir.ir.externs import LibraryFunction
from tir.ir.ir import Op, Value
from tir.ir.symbols import SymbolTable
from tir.ir.types import I32, MemRefType, TensorType, Type
from tir.passes.storage import Storage

__all__ = ["bufferize_call", "called_library_function", "declaration_of", "erase_unused_declarations"]

#: What upstream's bufferization may take for granted about the arguments of a function without a body.
ACCESS = "bufferization.access"


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


def called_library_function(symbols: SymbolTable, op: Op) -> LibraryFunction | None:
    """The library function that `op` calls, or None."""
    return library_function(symbols.lookup(op.callee)) if isinstance(op, func.Call) else None


def erase_unused_declarations(module: Op, symbols: SymbolTable) -> None:
    """Takes out the declarations of library functions that nothing calls (any more)."""
    called = {op.callee for op in module.walk() if isinstance(op, func.Call)}
    for op in module.body.ops:
        if isinstance(op, func.Func) and library_function(op) is not None and op.sym_name not in called:
            symbols.erase(op)


# --- bufferize -------------------------------------------------------------------------------------------------------


def bufferize_call(f: Any, op: func.Call, function: LibraryFunction) -> None:
    """The call on buffers; f: the bufferization of the function around it. What is written is written in place."""
    buffers: dict[int, Value] = {}
    for position, result in zip(function.written, op.results):
        init = op.operands[position]
        storage = _destination(f, op, init, result, list(buffers.values()))
        if storage is not f.storage.get(init) and not isinstance(init.op, tensor.Empty):
            f.copy(f.buffer(init), storage.memref)
        f.bind(result, storage.memref, storage)
        buffers[position] = storage.memref
    operands = [
        buffers[i] if i in buffers else _with_rows(f, value) if f.is_tensor(value) else value
        for i, value in enumerate(op.operands)
    ]
    callee = declaration_of(f.globals.symbols, function, [operand.type for operand in operands])
    rest = op.results[len(buffers) :]
    made = f.b.op(func.Call, operands, callee=callee, result_types=[result.type for result in rest])
    for old, new in zip(rest, made.results):
        new.hint = old.hint
        old.replace_all_uses_with(new)
    f.dead.add(op)


def _with_rows(f: Any, value: Value) -> Value:
    """The buffer of a tensor; a copy where its rows have gaps inside, which no library function takes."""
    buffer = f.buffer(value)
    type = buffer.type
    if type.rank < 2 or type.strides_and_offset()[0][-1] == 1:
        return buffer
    packed = f.allocate(MemRefType(type.shape, type.element), value)
    f.copy(buffer, packed.memref)
    return packed.memref


def _destination(f: Any, op: func.Call, init: Value, result: Value, taken: Sequence[Value]) -> Storage:
    """The memory of a result: that of its old value, where the result is wanted, or new memory."""
    own = f.storage.get(init)
    candidates = [own] if own is not None and f.buffers[init] is own.memref else []
    candidates += [f.wanted[result]] if result in f.wanted else []
    for storage in candidates:
        if storage.memref not in taken and _may_write(f, op, init, result, storage):
            return storage
    return f.allocate(result.type, init)


def _may_write(f: Any, op: func.Call, init: Value, result: Value, storage: Storage) -> bool:
    """Writing the result into `storage` destroys nothing that is still needed, by this call or behind it."""
    if storage.kind in ("argument", "constant"):
        return False
    if storage.kind in ("shared", "out") and f.wanted.get(result) is not storage:
        return False
    if storage.kind == "shared" and f.uses.can_fail_after(op):
        return False
    if any(f.uses.is_used_after(value, op) for value in storage.values):
        return False
    users = [i for i, value in enumerate(op.operands) if f.storage.get(value) is storage]
    return all(op.operands[i] is init for i in users) and len(users) <= 1
