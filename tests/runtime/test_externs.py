"""Library functions: each against numpy on both machines, what may be declared, what is linked, threads and processes."""

from __future__ import annotations

import ctypes
import itertools
import mmap
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.library import MACHINES, needs_scipy
from tir.compile import Executable
from tir.dialects.all import REGISTRY
from tir.ir.errors import ExecutionError, TirError
from tir.ir.externs import EXTERN_BY_NAME, EXTERNS, LIBRARY, PARAMETER_RANKS, Extern
from tir.lower.llvm import lower_to_llvm
from tir.parser.parse import parse_text
from tir.runtime import jit, library
from tir.runtime.gate import CodegenError
from tir.runtime.jit import check_text, emit_object

DTYPES = {"f32": np.float32, "f64": np.float64}
LETTERS = {"f32": "s", "f64": "d"}
LOOSE = {
    1: "strided<[?], offset: ?>", 2: "strided<[?, 1], offset: ?>", 3: "strided<[?, ?, 1], offset: ?>",
    4: "strided<[?, ?, ?, 1], offset: ?>",
}  # fmt: skip


def program(word: str, *, dense: bool = False, sizes: dict[str, str] | None = None, axes: int = 1) -> str:
    """A module whose @f calls the library function; rows may lie apart unless `dense`.

    sizes: "4x5" of some arguments. axes: how many stand in front of those of several matrices.
    """
    function = LIBRARY[word]
    types = []
    for parameter in function.parameters:
        rank = 2 + axes if parameter.kind == "matrices" else PARAMETER_RANKS[parameter.kind]
        element = "i32" if parameter.kind == "pivots" else function.element
        if rank is None:
            types.append("i1" if parameter.kind == "flag" else element)
            continue
        shape = (sizes or {}).get(parameter.name, "x".join("?" * rank))
        types.append(f"memref<{shape}x{element}{'' if dense else ', ' + LOOSE[rank]}>")
    result = "i32" if function.has_info else ""
    arguments = ", ".join(f"%{i}: {type}" for i, type in enumerate(types))
    names = ", ".join(f"%{i}" for i in range(len(types)))
    call = f"func.call @{function.callee}({names}) : ({', '.join(types)}) -> ({result})"
    return f"""
        func.func private @{function.callee}({', '.join(types)}){f' -> {result}' if result else ''} attributes {{tir.extern = "{word}"}}
        func.func @f({arguments}){f' -> {result}' if result else ''} {{
          {'%info = ' if result else ''}{call}
          return{f' %info : {result}' if result else ''}
        }}
    """  # noqa: E501


COMPILED: dict[Any, Executable] = {}


def call(machine: str, word: str, *arguments: Any, **options: Any) -> Any:
    """Calls the function; arrays are changed in place. Gives the info, if there is one."""
    key = (machine, word, str(options))
    if key not in COMPILED:
        COMPILED[key] = Executable(parse_text(program(word, **options), REGISTRY), machine)
    results = COMPILED[key].call("f", arguments)
    return int(results[0]) if results else None


def apart(array: np.ndarray, gap: int = 3) -> np.ndarray:
    """The same elements with rows (of a vector: elements) that lie apart, nan between them."""
    shape = (*array.shape[:-1], array.shape[-1] + gap) if array.ndim > 1 else (array.size * 2,)
    wide = np.full(shape, np.nan, array.dtype)
    view = wide[..., : array.shape[-1]] if array.ndim > 1 else wide[::2]
    view[...] = array
    return view


def close(got: np.ndarray, want: np.ndarray, scale: Any, terms: int) -> None:
    """terms + 4 roundings of at most `scale`, the sum of the sizes of the terms."""
    assert got.shape == want.shape
    bound = (terms + 4) * np.finfo(got.dtype).eps * (np.asarray(scale) + np.finfo(got.dtype).tiny)
    assert (np.abs(got - want) <= bound).all(), np.abs(got - want).max()


# --- BLAS ------------------------------------------------------------------------------------------------------------

SCALARS = [(1.0, 0.0), (2.5, -0.5), (1.0, 1.0), (0.0, 1.0), (0.0, 0.0), (-1.0, 2.0)]
SIZES = [(5, 7, 3), (1, 1, 1), (1, 6, 4), (6, 1, 4), (0, 3, 4), (3, 0, 4), (3, 4, 0), (33, 17, 40)]


def operands(dtype: Any, *shapes: tuple[int, ...]) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(sum(map(sum, shapes)))
    return (rng.normal(size=shape).astype(dtype) for shape in shapes)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("element", DTYPES)
@pytest.mark.parametrize("layout", [np.array, apart], ids=["dense", "apart"])
def test_gemm_in_all_its_forms(machine: str, element: str, layout: Any) -> None:
    for (m, n, k), ta, tb, (alpha, beta) in itertools.product(SIZES, (False, True), (False, True), SCALARS):
        a, b, c = operands(DTYPES[element], (k, m) if ta else (m, k), (n, k) if tb else (k, n), (m, n))
        x, y = (v.astype(np.float64) for v in (a.T if ta else a, b.T if tb else b))
        want = alpha * (x @ y) + beta * c.astype(np.float64)
        scale = abs(alpha) * (abs(x) @ abs(y)) + abs(beta * c)
        if beta == 0:
            c[...] = [[np.nan, np.inf][i % 2] for i in range(n)]  # must be overwritten
        if alpha == 0:
            a[...] = np.nan  # must not be read
        result = layout(c)
        call(machine, LETTERS[element] + "gemm", ta, tb, alpha, layout(a), layout(b), beta, result)
        close(result, want, scale, k)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(("m", "n", "k"), [(5, 7, 3), (1, 4, 2), (4, 1, 2), (3, 4, 0), (0, 2, 2)])
def test_gemm_of_known_sizes(machine: str, m: int, n: int, k: int) -> None:
    for ta, tb in itertools.product((False, True), repeat=2):
        a, b, c = operands(np.float32, (k, m) if ta else (m, k), (n, k) if tb else (k, n), (m, n))
        want = 2 * ((a.T if ta else a) @ (b.T if tb else b)) + 0.5 * c
        sizes = {name: "x".join(map(str, v.shape)) for name, v in (("a", a), ("b", b), ("c", c))}
        call(machine, "sgemm", ta, tb, 2.0, a, b, 0.5, c, dense=True, sizes=sizes)
        close(c, want, 10 * k + 10, k)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    "turn", [lambda v: v[::-1], lambda v: np.broadcast_to(v[:1], v.shape)], ids=["backwards", "one row"]
)
def test_gemm_of_rows_that_blas_does_not_take(machine: str, turn: Any) -> None:
    a, b, c = operands(np.float64, (5, 4), (4, 6), (5, 6))
    want = 2.0 * turn(a) @ turn(b) - turn(c)[::1]
    result = np.array(c)[::-1]
    result[...] = turn(c)
    call(machine, "dgemm", False, False, 2.0, turn(a), turn(b), -1.0, result)
    close(result, want, 100.0, 4)


@needs_scipy
def test_rows_further_apart_than_32_bits_say_go_through_own_loops() -> None:
    stride = 2**31 + 8  # elements; of the memory, two pages are touched
    memory = mmap.mmap(-1, (stride + 64) * 4, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000)  # MAP_NORESERVE
    flat = np.frombuffer(memory, np.float32)
    c = np.lib.stride_tricks.as_strided(flat, (2, 3), (stride * 4, 4))
    a, b = operands(np.float32, (2, 4), (4, 3))
    call("cpu", "sgemm", False, False, 1.0, a, b, 0.0, c)
    close(np.array(c), a @ b, 20.0, 4)
    call("cpu", "sgemv", False, 1.0, c, b[0, :3].copy(), 0.0, result := np.zeros(2, np.float32))
    close(result, np.array(c) @ b[0, :3], 50.0, 3)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("element", DTYPES)
def test_several_products_at_once(machine: str, element: str) -> None:
    for count, ta, tb, layout in itertools.product((0, 1, 3), (False, True), (False, True), (np.array, apart)):
        m, n, k = 4, 5, 6
        a, b, c = operands(DTYPES[element], (count, *((k, m) if ta else (m, k))), (count, *((n, k) if tb else (k, n))),
                           (count, m, n))  # fmt: skip
        want = 2 * ((a.swapaxes(1, 2) if ta else a) @ (b.swapaxes(1, 2) if tb else b)) - c
        result = layout(c)
        call(machine, LETTERS[element] + "gemm_batch", ta, tb, 2.0, layout(a), layout(b), -1.0, result)
        close(result, want, 100.0, k)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("front", [(2, 3), (1, 4), (0, 2), (2, 0)])
def test_several_products_along_two_axes(machine: str, front: tuple[int, int]) -> None:
    # The layouts: dense, rows that lie apart, and places in another order in memory.
    turned = lambda v: np.array(v.swapaxes(0, 1)).swapaxes(0, 1)  # noqa: E731
    for ta, tb, layout in itertools.product((False, True), (False, True), (np.array, apart, turned)):
        m, n, k = 4, 5, 6
        a, b, c = operands(np.float64, (*front, *((k, m) if ta else (m, k))), (*front, *((n, k) if tb else (k, n))),
                           (*front, m, n))  # fmt: skip
        want = 2 * ((a.swapaxes(2, 3) if ta else a) @ (b.swapaxes(2, 3) if tb else b)) - c
        result = layout(c)
        call(machine, "dgemm_batch", ta, tb, 2.0, layout(a), layout(b), -1.0, result, axes=2)
        close(result, want, 100.0, k)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("element", DTYPES)
@pytest.mark.parametrize(
    "layout", [np.array, apart, lambda v: v[::-1]], ids=["dense", "apart", "backwards"]
)
def test_gemv_in_all_its_forms(machine: str, element: str, layout: Any) -> None:
    for (m, _, k), ta, (alpha, beta) in itertools.product(SIZES, (False, True), SCALARS):
        a, x, y = operands(DTYPES[element], (k, m) if ta else (m, k), (k,), (m,))
        x, y = layout(x), layout(y)
        wide = (a.T if ta else a).astype(np.float64)
        want = alpha * (wide @ x) + beta * y.astype(np.float64)
        scale = abs(alpha) * (abs(wide) @ abs(x)) + abs(beta * y)
        if beta == 0:
            y[...] = np.nan
        call(machine, LETTERS[element] + "gemv", ta, alpha, apart(a), x, beta, y)
        close(y, want, scale, k)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("element", DTYPES)
@pytest.mark.parametrize(
    "layout", [np.array, apart, lambda v: v[::-1]], ids=["dense", "apart", "backwards"]
)
def test_ger_in_all_its_forms(machine: str, element: str, layout: Any) -> None:
    for (m, n, _), alpha in itertools.product(SIZES, (1.0, -2.5, 0.0)):
        x, y, a = operands(DTYPES[element], (m,), (n,), (m, n))
        x, y, result = layout(x), layout(y), apart(a)
        call(machine, LETTERS[element] + "ger", alpha, x, y, result)
        close(result, a + alpha * np.outer(x, y), abs(a) + abs(alpha) * np.outer(abs(x), abs(y)), 2)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("element", DTYPES)
@pytest.mark.parametrize(
    "layout", [np.array, apart, lambda v: np.array(v[::-1])[::-1]], ids=["dense", "apart", "backwards"]
)
@pytest.mark.parametrize(("n", "sides"), [(0, 2), (1, 1), (5, 0), (6, 3), (1, 4), (5, 1)])
def test_trsm_solves_with_each_triangle(machine: str, element: str, layout: Any, n: int, sides: int) -> None:
    for lower, transpose, unit in itertools.product((False, True), repeat=3):
        a, b = positive(n, DTYPES[element]), next(operands(DTYPES[element], (n, sides)))
        a = (a / (4 * n * n)).astype(a.dtype) if unit and n else a
        read = np.tril(a, -unit) if lower else np.triu(a, unit)
        triangle = (read + np.eye(n) * unit).astype(np.float64)
        a = np.where(read == 0, np.nan, a).astype(a.dtype)  # what is not read may be anything
        got = layout(b)
        assert call(machine, LETTERS[element] + "trsm", lower, transpose, unit, layout(a), got) is None
        want = np.linalg.solve(triangle.T if transpose else triangle, b.astype(np.float64))
        close(got, want, 40.0, n)


@needs_scipy
def test_sizes_that_disagree_touch_nothing_outside() -> None:
    a, b = np.ones((4, 9), np.float32), np.ones((3, 50), np.float32)
    memory = np.full((10, 10), -1, np.float32)
    c = memory[2:4, 2:5]
    call("cpu", "sgemm", False, False, 1.0, a, b, 0.0, c)
    assert (c == 3).all()  # the three products that both have
    assert (memory == -1).sum() == 100 - c.size
    with pytest.raises(ExecutionError, match="inner sizes must agree, got 9 and 3"):
        call("interpret", "sgemm", False, False, 1.0, a, b, 0.0, c)


# --- LAPACK ----------------------------------------------------------------------------------------------------------


def positive(n: int, dtype: Any) -> np.ndarray:
    (x,) = operands(dtype, (n, n))
    return (x @ x.T + n * np.eye(n)).astype(dtype)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("element", DTYPES)
@pytest.mark.parametrize("n", [0, 1, 2, 7, 40])
def test_potrf_is_the_factor_of_cholesky(machine: str, element: str, n: int) -> None:
    for lower, layout in itertools.product((True, False), (np.array, apart)):
        a = positive(n, DTYPES[element])
        got = layout(a)
        assert call(machine, LETTERS[element] + "potrf", lower, got) == 0
        factor = np.linalg.cholesky(a.astype(np.float64))
        close(np.tril(got) if lower else np.triu(got).T, factor, 40.0, n)
        other = np.triu(got, 1) - np.triu(a, 1) if lower else np.tril(got, -1) - np.tril(a, -1)
        assert not other.any()  # the other triangle stays as it is


@pytest.mark.parametrize("machine", MACHINES)
def test_potrf_names_the_minor_that_is_not_positive(machine: str) -> None:
    a = np.diag([1.0, 4.0, -1.0, 2.0])
    assert call(machine, "dpotrf", True, a) == 3
    unknown = np.full((2, 2), np.nan)
    assert call(machine, "dpotrf", False, unknown) or np.isnan(np.triu(unknown)[np.triu_indices(2)]).all()


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("element", DTYPES)
@pytest.mark.parametrize(("rows", "columns"), [(0, 0), (1, 1), (2, 2), (4, 6), (9, 9)])
def test_getrf_factors_the_transposed_matrix(machine: str, element: str, rows: int, columns: int) -> None:
    (a,) = operands(DTYPES[element], (rows, columns))
    factors, pivots = apart(a), np.zeros(rows, np.int32)
    assert call(machine, LETTERS[element] + "getrf", factors, pivots) == 0
    wide = factors.T.astype(np.float64)
    product = (np.tril(wide, -1)[:, :rows] + np.eye(columns, rows)) @ np.triu(wide)[:rows]
    for row, pivot in reversed(list(enumerate(pivots))):
        product[[row, pivot - 1]] = product[[pivot - 1, row]]
    close(product.T.astype(a.dtype), a, 40.0, columns)


@pytest.mark.parametrize(("rows", "columns"), [(3, 5), (5, 3), (4, 4)])
@needs_scipy
def test_getrf_is_the_same_on_both_machines(rows: int, columns: int) -> None:
    a = next(operands(np.float64, (rows, columns)))
    found = []
    for machine in ("interpret", "cpu"):
        factors, pivots = np.array(a), np.zeros(min(rows, columns), np.int32)
        assert call(machine, "dgetrf", factors, pivots) == 0
        found.append((factors, pivots))
    close(found[0][0], found[1][0], 20.0, 5)
    assert (found[0][1] == found[1][1]).all()


@pytest.mark.parametrize("machine", MACHINES)
def test_getrf_names_the_zero_pivot(machine: str) -> None:
    assert call(machine, "dgetrf", np.array([[1.0, 2.0], [2.0, 4.0]]), np.zeros(2, np.int32)) == 2


@needs_scipy
def test_lapack_says_that_it_cannot_take_a_layout() -> None:
    a = np.eye(3)[::-1]
    assert call("cpu", "dpotrf", True, a) == -1
    assert call("cpu", "dgetrf", np.eye(3), np.zeros(2, np.int32)) == -1  # too few pivots
    assert call("cpu", "dgetrf", np.eye(3), np.zeros(6, np.int32)[::2]) == -1
    assert (a == np.eye(3)[::-1]).all()


# --- what may be declared --------------------------------------------------------------------------------------------

GEMV = "i1, f32, tensor<?x?xf32>, tensor<?xf32>, f32, tensor<?xf32>"
MATRICES, MORE = "tensor<?x?x?xf32>", "tensor<?x?x?x?xf32>"


def declared(types: str, results: str = "", word: str = "sgemv") -> str:
    arrow = f" -> {results}" if results else ""
    return f'func.func private @g({types}){arrow} attributes {{tir.extern = "{word}"}}'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (declared(GEMV, "tensor<?xf32>", "sgemw"), "tir.extern = 'sgemw' is no library function; did you mean 'sgemv'"),
        (declared(GEMV, "tensor<?xf32>", "system"), "tir.extern = 'system' is no library function"),
        (declared(GEMV.replace("f32>", "f64>"), "tensor<?xf64>"), "sgemv: argument 'a' must be a tensor or strided memref"),
        (declared(GEMV.replace("i1", "i8"), "tensor<?xf32>"), "sgemv: argument 'transpose_a' must be i1, got i8"),
        (declared(GEMV), r"sgemv gives \(tensor<\?xf32>\), got \(\)"),
        (declared(GEMV, "tensor<4xf32>"), r"sgemv gives \(tensor<\?xf32>\), got \(tensor<4xf32>\)"),
        (
            declared(f"i1, i1, f32, {MATRICES}, {MATRICES}, f32, tensor<?x?xf32>", "tensor<?x?xf32>", "sgemm_batch"),
            "sgemm_batch: argument 'c' must be a tensor or strided memref of rank 3 or more of f32, its last stride 1",
        ),
        (
            declared(f"i1, i1, f32, {MATRICES}, {MATRICES}, f32, {MORE}", MORE, "sgemm_batch"),
            "sgemm_batch: the ranks of a, b and c must be equal, got 3, 3, 4",
        ),
        (declared("i1, f32"), r"sgemv takes 6 arguments \(transpose_a, alpha, a, x, beta, y\), got 2"),
        (
            declared(GEMV.replace("tensor<?xf32>, f32", "memref<?xf32>, f32"), "tensor<?xf32>"),
            "sgemv: arguments must be tensors or memrefs, not both",
        ),
        (
            declared(GEMV.replace("tensor", "memref").replace("<?x?xf32>", "<?x?xf32, strided<[1, ?]>>")),
            "argument 'a' must be a tensor or strided memref of rank 2 of f32, its last stride 1",
        ),
        (
            declared(GEMV.replace("tensor", "memref").replace("<?x?xf32>", "<?x?xf32, affine_map<(i, j) -> (j, i)>>")),
            "argument 'a' must be",
        ),
        (declared(GEMV.replace("tensor", "memref").replace("<?x?xf32>", "<?x?xf32, 3>")), "argument 'a' must be"),
        (
            'func.func private @g(%x: i1) attributes {tir.extern = "sgemv"} {\n  return\n}',
            "tir.extern is for declarations, and @g has a body",
        ),
        ("func.func private @g() attributes {tir.extern = 3 : i32}", "is no library function"),
    ],
)
def test_a_wrong_declaration_is_refused_in_a_sentence(text: str, message: str) -> None:
    with pytest.raises(TirError, match=message) as error:
        parse_text(text, REGISTRY)
    assert error.value.location.file_location() is not None


def test_a_declaration_of_something_else_has_no_machine_code() -> None:
    module = parse_text("func.func private @system()\nfunc.func @f() {\n  call @system() : () -> ()\n  return\n}", REGISTRY)
    with pytest.raises(TirError, match="@system has no body in this module"):
        lower_to_llvm(module)


def llvm_of(declaration: str, call_text: str) -> str:
    return f"{declaration}\ndefine i32 @f(ptr %x) {{\n  {call_text}\n  ret i32 0\n}}\n"


@pytest.mark.parametrize(
    ("text", "grants", "message"),
    [
        (
            llvm_of("declare void @sgemv_(ptr)", "call void @sgemv_(ptr %x)"), ("memory", "library"),
            "@sgemv_ is declared as 'void",
        ),
        (
            llvm_of(f"declare void @sger_({', '.join(['ptr'] * 9)})", f"call void @sger_({', '.join(['ptr %x'] * 9)})"),
            ("memory",), "the code calls 'sger_', which needs the grant 'library'",
        ),
        (
            llvm_of("declare void @sgemx_(ptr)", "call void @sgemx_(ptr %x)"), ("memory", "library"),
            "the code calls 'sgemx_', which is not in the table of externs",
        ),
    ],
)  # fmt: skip
def test_the_gate_knows_the_table_alone(text: str, grants: tuple[str, ...], message: str) -> None:
    with pytest.raises(CodegenError, match=message):
        check_text(text, grants)


def test_an_object_file_names_the_symbol_and_no_address() -> None:
    lowered = lower_to_llvm(parse_text(program("sgemm"), REGISTRY))
    assert lowered.grants == ("memory", "library")
    first, second = (emit_object(lowered.text, lowered.grants) for _ in range(2))
    assert first == second
    assert b"sgemm_" in first
    with pytest.raises(CodegenError, match="needs the grant 'library'"):
        emit_object(lowered.text)


def test_code_without_library_functions_is_granted_none() -> None:
    assert lower_to_llvm(parse_text("func.func @f() {\n  return\n}", REGISTRY)).grants == ("memory",)


# --- where they are --------------------------------------------------------------------------------------------------


@pytest.fixture
def without_scipy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if scipy were not installed."""
    monkeypatch.setattr(library.importlib.util, "find_spec", lambda name: None)
    for cached in (jit._extern_address, library.has_library):
        cached.cache_clear()
    yield
    for cached in (jit._extern_address, library.has_library):
        cached.cache_clear()


def test_without_scipy_machine_code_says_what_is_missing(without_scipy: None) -> None:
    module = parse_text(program("sgemm"), REGISTRY)
    with pytest.raises(CodegenError, match="the code calls 'sgemm_' of BLAS or LAPACK, and there is no scipy"):
        Executable(module, "cpu")
    assert not library.has_library()
    call("interpret", "sgemm", False, False, 1.0, *(np.ones((2, 2), np.float32),) * 2, 0.0, np.ones((2, 2), np.float32))


@needs_scipy
def test_a_function_of_another_type_is_not_called() -> None:
    real = EXTERN_BY_NAME["sgemm_"]
    wide = Extern(real.name, real.llvm_type_text, real.kind, real.c_type_text.replace("int", "long"))
    with pytest.raises(CodegenError, match="scipy's 'sgemm' has type 'void .*int.*', expected 'void .*long"):
        library.library_address(wide)


@needs_scipy
def test_every_symbol_is_found_with_the_type_of_the_table() -> None:
    addresses = {extern.name: library.library_address(extern) for extern in EXTERNS if extern.kind == "library"}
    assert len(set(addresses.values())) == len(addresses) == 12
    assert all(addresses.values())
    assert ctypes.sizeof(ctypes.c_int) == 4  # what the types in C are taken for


@needs_scipy
def test_calls_from_several_threads() -> None:
    a, b = operands(np.float64, (120, 90), (90, 110))
    want = a @ b
    wrong: list[int] = []
    barrier = threading.Barrier(4)
    call("cpu", "dgemm", False, False, 1.0, a, b, 0.0, np.zeros((120, 110)))

    def work() -> None:
        barrier.wait()
        for turn in range(30):
            c = np.full((120, 110), np.nan)
            call("cpu", "dgemm", False, False, 1.0, a, b, 0.0, c)
            if not np.allclose(c, want, rtol=1e-10):
                wrong.append(turn)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


FORKED = """
import os, sys
import numpy as np
from tests.runtime.test_externs import call
a = np.ones((150, 150))
call("cpu", "dgemm", False, False, 1.0, a, a, 0.0, c := np.zeros((150, 150)))
child = os.fork()
call("cpu", "dgemm", False, False, 1.0, a, a, 0.0, d := np.zeros((150, 150)))
good = (d == 150).all()
if not child:
    os._exit(0 if good else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) or int(not good))
"""


@needs_scipy
def test_calls_behind_a_fork() -> None:
    # Two threads, so that the child has to start its own; on a busy machine they wait seconds for each other.
    process = subprocess.run([sys.executable, "-c", FORKED], timeout=240, capture_output=True, check=False,
                             env={**os.environ, "OPENBLAS_NUM_THREADS": "2"})  # fmt: skip
    assert process.returncode == 0, process.stderr.decode()[-2000:]
