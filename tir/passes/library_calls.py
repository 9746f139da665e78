"""What `bufferize` makes of calls of library functions."""

from __future__ import annotations

from collections.abc import Sequence

from tir.dialects import func
from tir.dialects.library import library_function
from tir.ir.errors import PassError
from tir.ir.ir import Op, Value
from tir.ir.symbols import SymbolTable
from tir.ir.types import MemRefType
from tir.passes.bufferize_blocks import Blocks, Place, called_library_function
from tir.passes.call_graph import circle_of
from tir.passes.library_use import declaration_of
from tir.passes.storage import Storage

__all__ = ["bufferize_call", "called_library_function", "erase_unused_declarations"]

def erase_unused_declarations(module: Op, symbols: SymbolTable) -> None:
    """Takes out the declarations of library functions that nothing calls (any more)."""
    called = {op.callee for op in module.walk() if isinstance(op, func.Call)}
    for op in module.body.ops:
        if isinstance(op, func.Func) and library_function(op) is not None and op.sym_name not in called:
            symbols.erase(op)


# --- bufferize -------------------------------------------------------------------------------------------------------


def bufferize_call(f: Blocks, op: func.Call) -> None:
    """The call of a library function on buffers; what it writes is written in place. PassError for any other call."""
    function = called_library_function(f.globals.symbols, op)
    if function is None:
        if any(f.is_tensor(value) for value in (*op.operands, *op.results)):
            circle = circle_of(op, f.globals.symbols)
            if circle is not None:
                message = f"bufferize: func.call: @{op.callee} is recursive ({circle}), which has no form on buffers"
                raise PassError(message, op.location, hint="tir.while and tir.scan repeat")
            raise PassError("bufferize: func.call on tensors has no form on buffers; run inline first", op.location)
        return
    buffers: dict[int, Value] = {}
    for position, result in zip(function.written, op.results):
        init = op.operands[position]
        place = _destination(f, op, init, result, list(buffers.values()))
        if place.buffer is not f.buffers.get(init) and not f.is_unset(init):
            f.copy(f.buffer(init), place.buffer)
        f.bind(result, place.buffer, place.storage)
        buffers[position] = place.buffer
    operands = [
        buffers[i] if i in buffers else _with_rows(f, value) if f.is_tensor(value) else value
        for i, value in enumerate(op.operands)
    ]
    callee = declaration_of(f.globals.symbols, function, [operand.type for operand in operands])
    rest = op.results[len(buffers) :]
    made = f.b.op(func.Call, operands, callee=callee, result_types=[result.type for result in rest])
    for old, new in zip(rest, made.results):
        f.replace(old, new)
    f.dead.add(op)


def _with_rows(f: Blocks, value: Value) -> Value:
    """The buffer of a tensor; a copy where its rows have gaps inside, which no library function takes."""
    buffer = f.buffer(value)
    type = buffer.type
    assert isinstance(type, MemRefType)
    if type.rank < 2 or type.strides_and_offset()[0][-1] == 1:
        return buffer
    packed = f.allocate(value.type, value)
    f.copy(buffer, packed.memref)
    return packed.memref


def _destination(f: Blocks, op: func.Call, init: Value, result: Value, taken: Sequence[Value]) -> Place:
    """Where a result lies: where its old value does, where the result is wanted, or in new memory."""
    own, wanted = f.place_of(init), f.wanted.get(result)
    candidates = [own] if own is not None and own.buffer is own.storage.memref else []
    candidates += [Place(wanted.memref, wanted)] if wanted is not None else []
    for place in candidates:
        if place.buffer not in taken and _may_write(f, op, init, result, place.storage):
            return place
    storage = f.allocate(result.type, init)
    return Place(storage.memref, storage)


def _may_write(f: Blocks, op: func.Call, init: Value, result: Value, storage: Storage) -> bool:
    """Writing the result into `storage` destroys nothing that is still needed, by this call or behind it."""
    users = [i for i, value in enumerate(op.operands) if f.storage.get(value) is storage]
    read_once = all(op.operands[i] is init for i in users) and len(users) <= 1
    return read_once and f.may_write(op, result, storage)
