"""Loops that threads run (`scf.parallel {tir.threads}`), as functions of their own.

An iteration is a *job*. What the body uses from outside is stored in a *closure* on the caller's stack, and the pool
(`tir/runtime/pool_text.py`) calls a function

    i32 job(ptr closure, i64 number, ptr numbers)

for each job. It gives the status of the first that failed, so the error is the same whatever threads ran first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from tir.ir.externs import PARALLEL_FOR
from tir.ir.ir import Block, Value
from tir.ir.steps import Steps
from tir.ir.types import INDEX, MemRefType, Type
from tir.lower.buffers import ALLOCATIONS, origins
from tir.lower.llvm_memory import from_memory, in_memory
from tir.lower.llvm_text import FunctionText, MemRef, quoted
from tir.lower.llvm_types import lane_count, memory_type, size_in_memory

__all__ = ["lower_on_threads"]


@dataclass(frozen=True)
class _Captured:
    """Something that the closure holds: its name outside, its type, where it stands, its name in a job."""

    name: str
    type: Type | None  # None: a pointer
    offset: int
    inside: str

    def stored(self, f: FunctionText) -> str:
        """Type and name of it in memory, outside."""
        return f"ptr {self.name}" if self.type is None else f"{memory_type(self.type)} {in_memory(f, self.name, self.type)}"


class _Closure:
    """What the jobs get from outside, by its name there. Numbers that are written out need no place."""

    def __init__(self, job: FunctionText) -> None:
        self.job = job
        self.captured: dict[str, _Captured] = {}
        self.size_bytes = 0

    def take_value(self, f: FunctionText, value: Value) -> None:
        """Makes a value of `f` one of the jobs."""
        if not isinstance(value.type, MemRefType):
            self.job.set(value, self.take(f[value], value.type))
            return
        found = f.memref(value)
        sizes, strides = (tuple(self.take(n, INDEX) for n in numbers) for numbers in (found.sizes, found.strides))
        self.job.set(value, MemRef(found.type, self.take(found.pointer, None), sizes, strides))

    def take(self, name: str, type: Type | None) -> str:
        """The name in a job of what has this name outside, loaded at this place. type: None for a pointer."""
        if not name.startswith("%"):
            return name
        if name not in self.captured:
            self.captured[name] = _Captured(name, type, self.size_bytes, self._load(type))
            size = 8 if type is None else size_in_memory(type) * (lane_count(type) or 1)
            self.size_bytes += -(-size // 8) * 8
        return self.captured[name].inside

    def _load(self, type: Type | None) -> str:
        address = self.job.assign(f"getelementptr i8, ptr %closure, i64 {self.size_bytes}")
        if type is None:
            return self.job.assign(f"load ptr, ptr {address}", "buffer")
        return from_memory(self.job, self.job.assign(f"load {memory_type(type)}, ptr {address}, align 8"), type)


def lower_on_threads(f: FunctionText, op: Any, lower_body: Callable[[FunctionText, Block], Steps]) -> Steps:
    """The loop as a call of the pool. lower_body: writes the ops of a block."""
    job = f.function_inside()
    closure = _Closure(job)
    for value in _used_from_outside(op):
        closure.take_value(f, value)
    counts = [_count(f, *bounds) for bounds in zip(op.lowerBound, op.upperBound, op.step)]
    numbers = _numbers(job, [closure.take(count, INDEX) for count in counts])
    for variable, number, low, step in zip(op.induction_variables, numbers, op.lowerBound, op.step):
        job.set(variable, job.add(job[low], job.multiply(number, job[step])))
    job.keep_apart(_groups(f, op))
    yield lower_body(job, op.body)
    job.leave("0")
    f.take_over(job)
    name = f"threads.{len(f.module.functions)}"
    header = f"define internal i32 {quoted(name)}(ptr noalias readonly %closure, i64 %job, ptr noalias %numbers) #0"
    f.module.functions[name] = job.text(header)
    _call(f, name, closure, reduce(f.multiply, counts), job.can_fail)


def _used_from_outside(op: Any) -> list[Value]:
    """The values from outside that the body uses, and those that the counters are computed from."""
    used = dict.fromkeys([*op.lowerBound, *op.step])
    for inner in op.walk():
        if inner is not op:
            used.update(dict.fromkeys(value for value in inner.operands if not value.is_made_inside(op)))
    return list(used)


def _count(f: FunctionText, low: Value, high: Value, step: Value) -> str:
    """How many steps one of the loops takes."""
    first, end, stride = f[low], f[high], f[step]
    if all(number.lstrip("-").isdigit() for number in (first, end, stride)):
        return str(len(range(int(first), int(end), max(int(stride), 1))))
    length = end if first == "0" else f.assign(f"sub nsw i64 {end}, {first}")
    length = f.overloaded("smax", "i64", [length, "0"])
    if stride == "1":
        return length
    rest = f.assign(f"urem i64 {length}, {stride}")
    more = f.assign(f"zext i1 {f.assign(f'icmp ne i64 {rest}, 0')} to i64")
    return f.assign(f"add i64 {f.assign(f'udiv i64 {length}, {stride}')}, {more}")


def _numbers(job: FunctionText, counts: Sequence[str]) -> list[str]:
    """Which step of each loop the job is; the last loop steps first."""
    found, rest = [], "%job"
    for count in reversed(counts[1:]):
        found.append(job.assign(f"urem i64 {rest}, {count}"))
        rest = job.assign(f"udiv i64 {rest}, {count}")
    return [rest, *reversed(found)]


def _groups(f: FunctionText, op: Any) -> list[set[Value]]:
    """What made the buffers that a job reaches through one pointer alone, for each such pointer."""
    made_by: dict[str, set[Value]] = {}
    for value in _used_from_outside(op):
        if isinstance(value.type, MemRefType):
            made_by.setdefault(f.memref(value).pointer, set()).update(origins(value))
    groups = list(made_by.values())
    return [
        group for i, group in enumerate(groups)
        if all(_is_apart(f, origin) for origin in group) and not any(group & other for other in groups[:i] + groups[i + 1 :])
    ]  # fmt: skip


def _is_apart(f: FunctionText, origin: Value) -> bool:
    """No other origin has memory in common with this one."""
    return origin in f.exclusive or (origin.op is not None and origin.op.name in (*ALLOCATIONS, "memref.alloca"))


def _call(f: FunctionText, name: str, closure: _Closure, jobs: str, can_fail: bool) -> None:
    """Fills the closure, calls the pool, and ends the function if a job has failed."""
    room = f.room_for_closure(closure.size_bytes)
    for one in closure.captured.values():
        address = f.assign(f"getelementptr i8, ptr {room}, i64 {one.offset}")
        f.emit(f"store {one.stored(f)}, ptr {address}, align 8")
    f.module.declare(PARALLEL_FOR, "i32", ["ptr", "ptr", "i64", "ptr"])
    arguments = f"ptr {quoted(name)}, ptr {room}, i64 {jobs}, ptr {f.numbers}"
    status = f.assign(f"call i32 @{PARALLEL_FOR}({arguments})", "status")
    if can_fail:
        f.leave_unless(f.assign(f"icmp eq i32 {status}, 0"), status)
