"""Code in memory: it computes, it is independent of its neighbours, it lives exactly as long as its library."""

from __future__ import annotations

import ctypes
import gc
import os
import re
import subprocess
import sys
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest

from tir.lazy import LazyModule
from tir.runtime import jit
from tir.runtime.gate import CodegenError

SAXPY = """
define void @saxpy(i64 %n, float %a, ptr noalias %x, ptr noalias %y) #0 {
entry:
  %some = icmp sgt i64 %n, 0
  br i1 %some, label %loop, label %done
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %px = getelementptr inbounds float, ptr %x, i64 %i
  %py = getelementptr inbounds float, ptr %y, i64 %i
  %vx = load float, ptr %px, align 4
  %vy = load float, ptr %py, align 4
  %ax = fmul float %a, %vx
  %sum = fadd float %ax, %vy
  store float %sum, ptr %py, align 4
  %next = add nuw nsw i64 %i, 1
  %more = icmp slt i64 %next, %n
  br i1 %more, label %loop, label %done
done:
  ret void
}
attributes #0 = { nounwind "prefer-vector-width"="512" }
"""


def constant(value: int, name: str = "f") -> str:
    return f"define i64 @{name}() {{\n  ret i64 {value}\n}}\n"


def call(library: jit.Library, name: str, result: type | None, *arguments: tuple[type, object]) -> object:
    function = ctypes.CFUNCTYPE(result, *(kind for kind, _ in arguments))(library.address(name))
    return function(*(value for _, value in arguments))


def run_saxpy(library: jit.Library, a: float, x: np.ndarray, y: np.ndarray) -> None:
    pointers = [(ctypes.c_void_p, array.ctypes.data) for array in (x, y)]
    call(library, "saxpy", None, (ctypes.c_int64, len(x)), (ctypes.c_float, a), *pointers)


def mapped(address: int) -> bool:
    """Whether the address is executable memory of this process."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        bounds, mode = line.split()[:2]
        first, last = (int(bound, 16) for bound in bounds.split("-"))
        if first <= address < last:
            return "x" in mode
    return False


@pytest.mark.parametrize("size", [0, 1, 7, 64, 1000])
def test_scalar_loop_computes_what_numpy_computes(size: int) -> None:
    library = jit.compile_text(SAXPY, ["saxpy"])
    rng = np.random.default_rng(size)
    x, y = rng.standard_normal((2, size), dtype=np.float32)
    x[:5], y[3:6] = [np.nan, np.inf, -np.inf, -0.0, 1e-45][:size], [-np.inf, -0.0, 0.0][: max(0, size - 3)]
    expected = np.float32(2.5) * x + y
    run_saxpy(library, 2.5, x, y)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(np.signbit(y), np.signbit(expected))


def test_scalar_loop_becomes_vector_instructions() -> None:
    if not jit.host_target().triple.startswith("x86_64"):
        pytest.skip("reads x86 assembly")
    assembly = jit.emit_assembly(SAXPY)
    register = {64: "zmm", 32: "ymm", 16: "xmm"}[jit.host_target().vector_bytes]
    assert "tir.saxpy:" in assembly
    assert re.search(rf"v?addps.*%{register}", assembly)


def test_explicit_vectors_work() -> None:
    text = """
declare <16 x float> @llvm.sqrt.v16f32(<16 x float>)
declare float @llvm.vector.reduce.fadd.v16f32(float, <16 x float>)
define float @f(ptr %p) {
  %v = load <16 x float>, ptr %p, align 4
  %r = call <16 x float> @llvm.sqrt.v16f32(<16 x float> %v)
  %s = call float @llvm.vector.reduce.fadd.v16f32(float 0.0, <16 x float> %r)
  ret float %s
}"""
    data = np.arange(16, dtype=np.float32) ** 2
    result = call(jit.compile_text(text, ["f"]), "f", ctypes.c_float, (ctypes.c_void_p, data.ctypes.data))
    assert result == sum(range(16))


def test_heap_memory_of_the_c_library_can_be_used() -> None:
    text = """
declare ptr @malloc(i64)
declare ptr @aligned_alloc(i64, i64)
declare ptr @memcpy(ptr, ptr, i64)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
declare void @free(ptr)
define i64 @f(i64 %size) {
  %p = call ptr @malloc(i64 %size)
  call void @llvm.memset.p0.i64(ptr %p, i8 3, i64 %size, i1 false)
  %q = call ptr @aligned_alloc(i64 64, i64 %size)
  %r = call ptr @memcpy(ptr %q, ptr %p, i64 %size)
  %last = sub i64 %size, 8
  %place = getelementptr i8, ptr %q, i64 %last
  %value = load volatile i64, ptr %place
  call void @free(ptr %p)
  call void @free(ptr %q)
  ret i64 %value
}"""
    assert call(jit.compile_text(text, ["f"]), "f", ctypes.c_int64, (ctypes.c_int64, 4096)) == 0x0303030303030303


def test_call_that_the_back_end_invents_is_linked() -> None:
    # A loop that clears memory becomes memset, which the text does not name.
    text = SAXPY.replace("store float %sum", "store float 0.0").replace("saxpy", "f")
    assert "memset" in jit.emit_assembly(text)
    y = np.ones(100, np.float32)
    pointers = [(ctypes.c_void_p, y.ctypes.data)] * 2
    call(jit.compile_text(text, ["f"]), "f", None, (ctypes.c_int64, 100), (ctypes.c_float, 1.0), *pointers)
    assert not y.any()


def test_two_libraries_may_export_the_same_name() -> None:
    libraries = [jit.compile_text(constant(value), ["f"]) for value in (1, 2)]
    assert [call(library, "f", ctypes.c_int64) for library in libraries] == [1, 2]


def test_code_stays_while_the_library_lives_and_goes_with_it() -> None:
    library = jit.compile_text(constant(5), ["f"])
    address, alive = library.address("f"), weakref.ref(library)
    gc.collect()
    assert call(library, "f", ctypes.c_int64) == 5
    assert mapped(address)
    del library
    assert alive() is None
    assert not mapped(address)


def test_hundred_dropped_libraries_leave_no_mapping_behind() -> None:
    def mappings() -> int:
        return len(Path("/proc/self/maps").read_text().splitlines())

    data = jit.emit_object(constant(1))
    jit.load_object(data, ["f"])
    before = mappings()
    for _ in range(100):
        jit.load_object(data, ["f"])
    assert mappings() <= before + 5


def test_eight_threads_compile_at_once() -> None:
    barrier, results = threading.Barrier(8), {}

    def work(number: int) -> None:
        barrier.wait()
        for round_number in range(3):
            value = number * 10 + round_number
            results[value] = call(jit.compile_text(constant(value), ["f"]), "f", ctypes.c_int64)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert results == {value: value for value in range(80) if value % 10 < 3}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_child_of_a_fork_compiles_while_the_parent_was_compiling() -> None:
    stop = threading.Event()

    def keep_compiling() -> None:
        while not stop.is_set():
            jit.emit_object(SAXPY)

    parent_work = threading.Thread(target=keep_compiling)
    parent_work.start()
    try:
        for _ in range(5):
            child = os.fork()
            if child == 0:
                os._exit(call(jit.compile_text(constant(7), ["f"]), "f", ctypes.c_int64))
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    finally:
        stop.set()
        parent_work.join()


def test_function_named_like_one_of_the_c_library_is_an_ordinary_function() -> None:
    # See Note [The prefix of names]: without it LLVM folds sin(0) to 0 and drops the sign of cos's argument.
    text = """
define internal double @sin(double %x) noinline {
  %r = fadd double %x, 1.0
  ret double %r
}
define double @cos(double %x) noinline {
  %r = call double @sin(double %x)
  ret double %r
}
define double @f(double %x) {
  %zero = call double @sin(double 0.0)
  %minus = fneg double %x
  %c = call double @cos(double %minus)
  %r = fadd double %zero, %c
  ret double %r
}"""
    library = jit.compile_text(text, ["f", "cos"])
    assert call(library, "f", ctypes.c_double, (ctypes.c_double, 3.0)) == 1.0 + (-3.0 + 1.0)
    assert call(library, "cos", ctypes.c_double, (ctypes.c_double, 3.0)) == 4.0


def test_python_function_is_called_only_with_the_grant() -> None:
    text = (
        "declare double @PyFloat_AsDouble(ptr)\ndefine double @f(ptr %o) {\n"
        "  %r = call double @PyFloat_AsDouble(ptr %o)\n  ret double %r\n}\n"
    )
    with pytest.raises(CodegenError, match="needs the grant 'python'"):
        jit.compile_text(text, ["f"])
    library = jit.compile_text(text, ["f"], grants=("python",))
    assert ctypes.PYFUNCTYPE(ctypes.c_double, ctypes.py_object)(library.address("f"))(2.5) == 2.5


def test_same_text_gives_the_same_bytes() -> None:
    assert jit.emit_object(SAXPY) == jit.emit_object(SAXPY)


def test_object_file_is_loaded_without_compiling() -> None:
    library = jit.load_object(jit.emit_object(constant(9)), ["f"])
    assert call(library, "f", ctypes.c_int64) == 9


def test_object_of_another_machine_is_refused() -> None:
    data = bytearray(jit.emit_object(constant(9)))
    data[18] = 8  # e_machine: MIPS
    with pytest.raises(CodegenError, match="for ELF machine 8"):
        jit.load_object(bytes(data), ["f"])


@pytest.mark.parametrize("damage", [b"", b"junk", None])
def test_broken_object_is_refused_and_the_linker_stays_usable(damage: bytes | None) -> None:
    data = jit.emit_object(constant(9))
    with pytest.raises(CodegenError, match="cannot be read"):
        jit.load_object(data[: len(data) - 40] if damage is None else damage, ["f"])
    assert call(jit.load_object(data, ["f"]), "f", ctypes.c_int64) == 9


def test_missing_export_names_the_nearest_one() -> None:
    with pytest.raises(CodegenError, match="defines no 'saxpi' to export; did you mean 'saxpy'"):
        jit.compile_text(SAXPY, ["saxpi"])
    with pytest.raises(CodegenError, match="exports no 'saxpi'; did you mean 'saxpy'"):
        jit.compile_text(SAXPY, ["saxpy"]).address("saxpi")


def test_parse_error_has_line_and_column() -> None:
    with pytest.raises(CodegenError, match="^<llvm-ir>:2:13: LLVM: expected value token"):
        jit.check_text("define float @f() {\n  ret i32 %x, %y\n}\n".replace("i32 %x, %y", "float )"))


def test_host_target_describes_this_machine() -> None:
    target = jit.host_target()
    assert target.vector_bytes in (16, 32, 64)
    assert target.has("avx512f") == (target.vector_bytes == 64)
    assert target is jit.host_target()


def test_importing_the_jit_loads_neither_llvmlite_nor_numpy() -> None:
    code = "import sys, tir.runtime.jit; sys.exit(bool({'llvmlite', 'numpy', 'lark'} & set(sys.modules)))"
    environment = {**os.environ, "PYTHONPATH": str(Path(jit.__file__).parents[2])}
    assert subprocess.run([sys.executable, "-c", code], env=environment).returncode == 0


def test_lazy_module_gives_the_module_s_attributes() -> None:
    lazy = LazyModule("math")
    assert "pi" not in vars(lazy)
    assert lazy.pi == 3.141592653589793
    assert "pi" in vars(lazy)
    with pytest.raises(AttributeError, match="no_such"):
        lazy.no_such  # noqa: B018
    with pytest.raises(ModuleNotFoundError):
        LazyModule("no_such_module").anything  # noqa: B018
