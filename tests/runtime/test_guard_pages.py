"""Machine code never touches memory outside of its operands, whatever the indices are.

Operands lie against pages that may not be read or written, in front and behind, so that one access outside ends the
process with a signal. Each case runs with all modes, and with the indices at the ends of their types.
"""

from __future__ import annotations

import ctypes
import itertools
import mmap
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.levels import LEVELS, module_at
from tir.compile import Executable
from tir.ir.errors import ExecutionError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pages are protected by mprotect")

PAGE = mmap.PAGESIZE
PROT_NONE = 0
DTYPES = {"i8": "int8", "i32": "int32", "i64": "int64", "ui8": "uint8", "ui32": "uint32", "ui64": "uint64", "f32": "float32"}
INDICES = ("i8", "i32", "i64", "ui8", "ui32", "ui64")
QUICK = ("i8", "ui64")
MODES = ("error", "clamp", "drop")


class Guarded:
    """Memory between two pages that may not be touched; `array` ends (or begins) right at one of them."""

    def __init__(self, values: np.ndarray, at_end: bool) -> None:
        room = -(-max(values.nbytes, 1) // PAGE) * PAGE
        self.memory = mmap.mmap(-1, room + 2 * PAGE)
        self.view = memoryview(self.memory)
        start = PAGE + (room - values.nbytes if at_end else 0)
        self.array = np.frombuffer(self.view[start : start + values.nbytes], values.dtype).reshape(values.shape)
        self.array[...] = values
        first = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        libc = ctypes.CDLL(None, use_errno=True)
        for page in (first, first + PAGE + room):
            if libc.mprotect(ctypes.c_void_p(page), ctypes.c_size_t(PAGE), PROT_NONE) != 0:
                raise OSError(ctypes.get_errno(), "mprotect")


KEPT: list[Guarded] = []  # never unmapped while a test may still touch it


def guarded(values: Any, at_end: bool) -> np.ndarray:
    KEPT.append(Guarded(np.array(values, order="C"), at_end))
    return KEPT[-1].array


def compiled(text: str) -> Executable:
    passes, target = LEVELS["cpu"]
    return Executable(module_at(text, passes()), target)


def indices(name: str, shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    """At the ends of the type, just outside a size of 5 or 3, and inside."""
    info = np.iinfo(DTYPES[name])
    for number in {info.min, info.max, info.max // 2 + 1, 0, 4, 5} | ({-1, -5} if info.min else set()):
        yield np.full(shape, number, info.dtype)
    ends = np.array([info.min, info.max, 3, 5, info.max - 1, 0], info.dtype)
    yield np.resize(ends, shape)


X, U = np.arange(15, dtype=np.float32).reshape(5, 3), np.ones((4, 3), np.float32)

#: Operands behind x: (name of the type or of the update, shape), then the op for a mode. X is 5x3.
READS = {
    "take": ([("i", (4,))], "tir.take %x at %a axis 0 mode {mode} : tensor<4x3xf32>"),
    "take axis 1": ([("i", (4,))], "tir.take %x at %a axis 1 mode {mode} : tensor<5x4xf32>"),
    "take_along_axis": ([("i", (5, 2))], "tir.take_along_axis %x at %a axis 1 mode {mode} : tensor<5x2xf32>"),
    "index_nd": ([("i", (4,)), ("i", (4,))], "tir.index_nd %x at %a, %b mode {mode} : tensor<4xf32>"),
    "gather": ([("i", (4, 2))], "tir.gather %x at %a window [1, 2] map [0, 1] vector 1 sizes [2, 2] mode {mode} "
               ": tensor<4x2x2xf32>"),
    "dynamic_slice": ([("i", ()), ("i", ())], "tir.dynamic_slice %x at %a, %b mode {mode} : {x} -> tensor<4x2xf32>"),
}  # fmt: skip
WRITES = {
    "put": ([("i", (4,)), ("u", (4, 3))], "tir.put {kind} %x at %a with %b axis 0 mode {mode} : {x}"),
    "put_along_axis": ([("i", (5, 2)), ("u", (5, 2))], "tir.put_along_axis {kind} %x at %a with %b axis 1 mode {mode} : {x}"),
    "put_nd": ([("u", (4,)), ("i", (4,)), ("i", (4,))], "tir.put_nd {kind} %x with %a at %b, %c mode {mode} : {x}"),
    "scatter": ([("i", (4, 2)), ("u", (4, 2, 2))], "tir.scatter {kind} %x at %a with %b window [1, 2] map [0, 1] vector 1 "
                "mode {mode} : {x}"),
    "update_slice": ([("u", (4, 2)), ("i", ()), ("i", ())], "tir.update_slice %x with %a at %b, %c mode {mode} : {x}"),
}  # fmt: skip


def type_of(role: str, shape: tuple[int, ...], index: str, unknown: bool) -> str:
    dims = ["?" if unknown else str(size) for size in shape]
    return f"tensor<{''.join(f'{dim}x' for dim in dims)}{index if role == 'i' else 'f32'}>"


def reading(name: str, mode: str, index: str, unknown: bool) -> str:
    """@f with x and the operands of a gather."""
    roles, op = READS[name]
    x = "tensor<?x3xf32>" if unknown else "tensor<5x3xf32>"
    arguments = ", ".join(f"%{n}: {type_of(r, shape, index, False)}" for n, (r, shape) in zip("abc", roles))
    body = op.format(mode=mode, x=x)
    result = body.split(" : ")[-1].split(" -> ")[-1]
    if unknown and name == "take axis 1":
        body, result = body.replace("tensor<5x4", "tensor<?x4"), "tensor<?x4xf32>"
    return f"func.func @f(%x: {x}, {arguments}) -> {result} {{\n  %r = {body}\n  return %r : {result}\n}}\n"


def writing(name: str, mode: str, index: str, kind: str) -> str:
    """@f with the operands of a scatter, that changes the shared variable @w in place."""
    roles, op = WRITES[name]
    x = "tensor<5x3xf32>"
    arguments = ", ".join(f"%{n}: {type_of(r, shape, index, False)}" for n, (r, shape) in zip("abc", roles))
    body = op.format(mode=mode, kind=kind, x=x)
    return (
        f"tir.shared @w : {x} = dense<0.0>\nfunc.func @f({arguments}) {{\n  %x = tir.read @w : {x}\n  %r = {body}\n"
        f"  tir.update @w, %r : {x}\n  return\n}}\n"
    )


def modes(name: str) -> tuple[str, ...]:
    return MODES[:2] if "slice" in name else MODES


def call(program: Executable, arguments: list[Any]) -> None:
    """An index outside may end the call with an error."""
    try:
        program.call("f", arguments)
    except ExecutionError as error:
        assert re.search("must be (at least 0|less than the size|at most the size)", str(error))


def run_reads(name: str, index: str, unknown: bool) -> None:
    for mode in modes(name):
        if unknown and name == "take_along_axis":
            continue
        program = compiled(reading(name, mode, index, unknown))
        roles, _ = READS[name]
        for number in zip(*(indices(index, shape) for _, shape in roles)):
            for at_end in (False, True):
                call(program, [guarded(X, at_end), *(guarded(i, at_end) for i in number)])
    KEPT.clear()


def run_writes(name: str, index: str, kind: str) -> None:
    for mode in modes(name):
        program = compiled(writing(name, mode, index, kind))
        roles, _ = WRITES[name]
        given = [indices(index, shape) if r == "i" else itertools.repeat(np.ones(shape, np.float32)) for r, shape in roles]
        for operands in zip(*given):
            for at_end in (False, True):
                program.state.values_in_use()["w"] = guarded(X, at_end)
                call(program, [guarded(x, at_end) for x in operands])
    KEPT.clear()


def run_all(*types: str) -> None:
    for name, index in itertools.product(READS, types):
        run_reads(name, index, unknown=index in ("i8", "ui64"))
    for (name, index), kind in zip(itertools.product(WRITES, types), itertools.cycle(("set", "add", "max"))):
        run_writes(name, index, kind)
    print("all places are inside")


def in_process_of_its_own(code: str) -> subprocess.CompletedProcess[str]:
    """A signal must not end the tests."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)


def test_an_access_outside_would_end_the_process() -> None:
    code = "from tests.runtime.test_guard_pages import *; x = guarded(X, True); ctypes.string_at(x.ctypes.data, x.nbytes + 1)"
    assert in_process_of_its_own(code).returncode < 0


@pytest.mark.parametrize("index", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in INDICES])
def test_gathers_and_scatters_touch_nothing_outside(index: str) -> None:
    found = in_process_of_its_own(f"from tests.runtime.test_guard_pages import run_all; run_all({index!r})")
    assert found.returncode == 0 and found.stdout == "all places are inside\n", found.stderr[-2000:]


@pytest.mark.parametrize("mode", MODES)
def test_an_empty_axis_is_never_read(mode: str) -> None:
    """With no element at all there is no place to clamp to: an error, 0 in mode drop, or nothing to do."""
    text = (
        "func.func @f(%x: tensor<?x2xf32>, %i: tensor<?xi32>) -> tensor<?x2xf32> {\n"
        f"  %r = tir.take %x at %i axis 0 mode {mode} : tensor<?x2xf32>\n  return %r : tensor<?x2xf32>\n}}\n"
    )
    program = compiled(text)
    empty = guarded(np.zeros((0, 2), np.float32), True)
    if mode == "drop":
        assert program.call("f", [empty, np.zeros(1, np.int32)])[0].tolist() == [[0, 0]]
    else:
        with pytest.raises(ExecutionError, match="axis 0 of x must"):
            program.call("f", [empty, np.zeros(1, np.int32)])
    assert program.call("f", [empty, np.zeros(0, np.int32)])[0].shape == (0, 2)


def test_windows_of_an_empty_axis_read_nothing() -> None:
    text = (
        "func.func @f(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {\n"
        "  %r = tir.max_pool %x window [2, 1] low [1, 0] high [1, 0] : tensor<?x2xf32>\n  return %r : tensor<?x2xf32>\n}\n"
    )
    empty = guarded(np.zeros((0, 2), np.float32), True)
    assert compiled(text).call("f", [empty])[0].tolist() == [[-np.inf, -np.inf]]
