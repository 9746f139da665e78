"""The workspace of a function: one piece of memory for all buffers that have a slot, kept from call to call.

A call takes the piece out of its cell and puts one back when it ends, by one atomic exchange each: a second call at the
same time finds the cell empty, makes a piece of its own, and leaves the one that comes back last. A piece that is too
small goes, and so does one that is much too large. Few bytes of known number are on the stack instead.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tir.dialects.memref import LINE_BYTES
from tir.ir.ir import Op
from tir.ir.native import OUT_OF_MEMORY, RELEASE
from tir.ir.traits import FunctionLike
from tir.ir.types import MemRefType
from tir.lower.llvm_memory import (
    MAX_ALLOCA_BYTES,
    MAX_BUFFER_BYTES,
    MAX_STACK_BYTES,
    allocate_alone,
    byte_count,
    checked_sizes,
    dense_type,
)
from tir.lower.llvm_text import FunctionText, MemRef, ModuleText
from tir.lower.llvm_types import unsupported

__all__ = ["RULES", "release_text"]

#: In front of the memory stands how much there is.
HEADER_BYTES = LINE_BYTES

_TAKE = f"""
define internal ptr @workspace.take(ptr %cell, i64 %bytes) #0 {{
entry:
  %held = atomicrmw xchg ptr %cell, ptr null acq_rel
  %none = icmp eq ptr %held, null
  br i1 %none, label %make, label %look
look:
  %room = load i64, ptr %held
  %enough = icmp uge i64 %room, %bytes
  %larger = add i64 %bytes, 262144
  %quarter = lshr i64 %room, 2
  %modest = icmp ule i64 %quarter, %larger
  %fits = and i1 %enough, %modest
  br i1 %fits, label %done, label %drop
done:
  ret ptr %held
drop:
  call void @free(ptr %held)
  br label %make
make:
  %whole = add i64 %bytes, {HEADER_BYTES}
  %made = call noalias align {LINE_BYTES} ptr @aligned_alloc(i64 {LINE_BYTES}, i64 %whole)
  %failed = icmp eq ptr %made, null
  br i1 %failed, label %nothing, label %mark
mark:
  store i64 %bytes, ptr %made
  br label %nothing
nothing:
  ret ptr %made
}}
"""
_KEEP = """
define internal void @workspace.keep(ptr %cell, ptr %piece) #0 {
entry:
  %nothing = icmp eq ptr %piece, null
  br i1 %nothing, label %done, label %put
put:
  %other = atomicrmw xchg ptr %cell, ptr %piece acq_rel
  call void @free(ptr %other)
  br label %done
done:
  ret void
}
"""


def _alloc(f: FunctionText, op: Any) -> None:
    if op.slot is None:
        allocate_alone(f, op)
    elif op.memref not in f.values:  # else the first buffer with a slot has seen to it
        _place_all(f, op)


def _place_all(f: FunctionText, first: Any) -> None:
    """The buffers of all ops of the function that have a slot; `first` is the one that comes first."""
    block = first.parent
    if not isinstance(block.parent_op, FunctionLike) or block is not block.parent.blocks[0]:
        raise unsupported(first, "a buffer with a slot must be made in the first block of its function, and in no other op")
    ops = [op for op in block if op.name == "memref.alloc" and op.slot is not None]
    for op in ops:
        if any(size not in f.values for size in op.dynamicSizes):
            raise unsupported(op, "the size of a buffer with a slot must be known in front of the first of them")
    sizes = _sizes_of(f, ops)
    slots: dict[int, list[Any]] = {}
    for op in ops:
        slots.setdefault(op.slot, []).append(op)
    starts, total = {}, "0"
    for slot, members in sorted(slots.items()):
        starts[slot] = total
        total = _sum(f, total, _slot_bytes(f, members, sizes))
    base = _memory(f, total)
    for op in ops:
        start = f.add(starts[op.slot], str(op.offset))
        pointer = base if start == "0" else f.assign(f"getelementptr inbounds i8, ptr {base}, i64 {start}", "buffer")
        type = dense_type(op)
        dense = MemRefType(type.shape, type.element)
        f.set(op.memref, MemRef(dense, pointer, tuple(sizes[op]), f.dense_strides(sizes[op])))


def _sizes_of(f: FunctionText, ops: Sequence[Any]) -> dict[Op, list[str]]:
    """The sizes of each buffer, checked once each."""
    seen: set[str] = set()
    found = {}
    for op in ops:
        found[op] = checked_sizes(f, op, seen)
        seen.update(found[op])
    return found


def _slot_bytes(f: FunctionText, members: Sequence[Any], sizes: dict[Op, list[str]]) -> str:
    """The size of a slot: where the member ends that goes furthest, up to a whole number of lines."""
    alike: dict[tuple[int, ...], list[Any]] = {}
    for op in members:
        alike.setdefault(tuple(sorted(map(id, op.dynamicSizes))), []).append(op)
    ends = [str(max((op.known_bytes + op.offset for op in alike.pop((), [])), default=0))]
    for ops in alike.values():  # the run tells how large each is, but not which one is the largest, if all begin alike
        offset, largest = max(op.offset for op in ops), max(ops, key=lambda op: op.known_bytes)
        ends.append(_sum(f, byte_count(f, dense_type(largest), sizes[largest]), str(offset)))
    most = functools.reduce(lambda a, b: _larger(f, a, b), ends)
    if most.isdigit():
        return str(-(-int(most) // LINE_BYTES) * LINE_BYTES)
    return f.assign(f"and i64 {_sum(f, most, str(LINE_BYTES - 1))}, {-LINE_BYTES}")


def _larger(f: FunctionText, a: str, b: str) -> str:
    if a == "0":
        return b
    return f.call("llvm.umax.i64", "i64", [("i64", a), ("i64", b)])


def _sum(f: FunctionText, a: str, b: str) -> str:
    if a.isdigit() and b.isdigit():
        return str(int(a) + int(b))
    if "0" in (a, b):
        return b if a == "0" else a
    return f.call("llvm.uadd.sat.i64", "i64", [("i64", a), ("i64", b)])


def _memory(f: FunctionText, total: str) -> str:
    """A pointer to so many bytes, for this call."""
    if total.isdigit() and int(total) <= MAX_ALLOCA_BYTES and f.stack_bytes + int(total) <= MAX_STACK_BYTES:
        return f.alloca(f"[{max(1, int(total))} x i8]", int(total), LINE_BYTES, "workspace")
    if total.isdigit() and int(total) >= MAX_BUFFER_BYTES:
        f.leave_unless("false", OUT_OF_MEMORY)
        total = "0"
    elif not total.isdigit():
        f.leave_unless(f.assign(f"icmp ult i64 {total}, {MAX_BUFFER_BYTES}"), OUT_OF_MEMORY)
    module = f.module
    cell = f"workspace.{len(module.workspaces)}"
    module.workspaces.append(cell)
    module.functions.setdefault("workspace.take", _TAKE.strip())
    module.functions.setdefault("workspace.keep", _KEEP.strip())
    module.declare("free", "void", ["ptr"])
    module.declare("aligned_alloc", "ptr", ["i64", "i64"], "noalias")
    piece = f.assign(f"call ptr @workspace.take(ptr @{cell}, i64 {total})", "piece")
    f.keep_at_the_end(piece, f"call void @workspace.keep(ptr @{cell}, ptr {{}})")
    f.leave_unless(f.assign(f"icmp ne ptr {piece}, null"), OUT_OF_MEMORY)
    return f.assign(f"getelementptr inbounds i8, ptr {piece}, i64 {HEADER_BYTES}", "workspace")


def release_text(text: ModuleText) -> list[str]:
    """The cells, and the function that frees what they hold; nothing if there are none."""
    if not text.workspaces:
        return []
    cells = [f"@{cell} = internal global ptr null" for cell in text.workspaces]
    lines = [f"define void @{RELEASE}() #0 {{", "entry:"]
    for number, cell in enumerate(text.workspaces):
        lines.append(f"  %held.{number} = atomicrmw xchg ptr @{cell}, ptr null acq_rel")
        lines.append(f"  call void @free(ptr %held.{number})")
    return [*cells, "\n".join([*lines, "  ret void", "}"])]


RULES: Mapping[str, Callable[[FunctionText, Any], None]] = {"memref.alloc": _alloc}
