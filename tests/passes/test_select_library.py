"""select-library: what becomes a call, what does not, the same numbers on both machines, and buffers written in place."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.levels import LEVELS, first_disagreement, module_at, spread, steps
from tests.library import HAS_SCIPY, MACHINES, calls
from tests.random_programs import random_program
from tir.api import executable, for_this_machine
from tir.compile import Executable
from tir.dialects.all import REGISTRY
from tir.dialects.linalg import Generic
from tir.ir.errors import PassError
from tir.ir.ir import Op
from tir.ir.pass_manager import Pipeline, run_pipeline
from tir.ir.printer import print_op
from tir.parser.parse import parse_text
from tir.passes.bufferize import Bufferize
from tir.passes.lower_structured import LowerStructured
from tir.passes.pipelines import default, fuse, lower_cpu
from tir.passes.select_library import SelectLibrary
from tir.runtime import library


def selected(text: str, use: str = "always") -> Op:
    """The module behind the pass."""
    module = parse_text(text, REGISTRY)
    run_pipeline(Pipeline([*fuse().steps, SelectLibrary(use)]), module)
    return module


def run(text: str, machine: str, *arguments: Any) -> list[Any]:
    """The results of @f behind the default pipeline, with every product a call."""
    pipeline = default("always")
    return Executable(parse_text(text, REGISTRY), machine, lambda module: run_pipeline(pipeline, module)).call("f", arguments)


def function(body: str, arguments: str, result: str) -> str:
    return f"func.func @f({arguments}) -> {result} {{\n{body}\n}}"


def numbers(*shapes: tuple[int, ...], dtype: Any = np.float32) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(7)
    return (rng.normal(size=shape).astype(dtype) for shape in shapes)


def close(got: Any, want: np.ndarray) -> None:
    """50 roundings of numbers up to 100: sums of at most 20 products of normal numbers."""
    eps = np.finfo(np.asarray(got).dtype).eps
    np.testing.assert_allclose(got, want, rtol=50 * eps, atol=1e3 * eps)


# --- what becomes a call ---------------------------------------------------------------------------------------------


def product(m: Any, n: Any, k: Any, ta: bool, tb: bool, element: str = "f32") -> str:
    """a @ b with a, b given with their axes exchanged."""
    a, b, c = f"tensor<{m}x{k}x{element}>", f"tensor<{k}x{n}x{element}>", f"tensor<{m}x{n}x{element}>"
    given_a, given_b = (f"tensor<{k}x{m}x{element}>" if ta else a), (f"tensor<{n}x{k}x{element}>" if tb else b)
    lines = [f"%x = tir.transpose %a by [1, 0] : {a}"] if ta else []
    lines += [f"%y = tir.transpose %b by [1, 0] : {b}"] if tb else []
    lines += [f"%c = tir.dot {'%x' if ta else '%a'}, {'%y' if tb else '%b'} : {c}", f"return %c : {c}"]
    return function("\n".join(lines), f"%a: {given_a}, %b: {given_b}", c)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("element", ["f32", "f64"])
@pytest.mark.parametrize(("m", "n", "k"), [(4, 5, 3), (1, 1, 1), (1, 6, 2), (0, 3, 2), (3, 0, 2), (3, 2, 0)])
def test_products_of_plain_and_transposed_matrices(machine: str, element: str, m: int, n: int, k: int) -> None:
    dtype = {"f32": np.float32, "f64": np.float64}[element]
    for ta, tb, names in itertools.product((False, True), (False, True), (False, True)):
        sizes = ("[M]", "[N]", "[K]") if names else (m, n, k)
        text = product(*sizes, ta, tb, element)
        module = selected(text)
        if names or 1 not in (m, n, k):  # one row or column is known to be a vector
            assert calls(module) == [("s" if element == "f32" else "d") + "gemm"]
            assert not any(isinstance(op, Generic) for op in module.walk())  # neither transposes nor zeros
        a, b = numbers((k, m) if ta else (m, k), (n, k) if tb else (k, n), dtype=dtype)
        (got,) = run(text, machine, a, b)
        assert got.shape == (m, n)
        close(got, (a.T if ta else a) @ (b.T if tb else b))


VECTORS = {
    "matrix and vector": ("%a: tensor<[M]x4xf32>, %b: tensor<4xf32>", "tensor<[M]xf32>", ((3, 4), (4,)), "sgemv"),
    "vector and matrix": ("%a: tensor<4xf32>, %b: tensor<4x[N]xf32>", "tensor<[N]xf32>", ((4,), (4, 6)), "sgemv"),
}


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("case", VECTORS)
def test_products_with_a_vector(machine: str, case: str) -> None:
    arguments, result, shapes, word = VECTORS[case]
    text = function(f"%c = tir.dot %a, %b : {result}\nreturn %c : {result}", arguments, result)
    assert calls(selected(text)) == [word]
    a, b = numbers(*shapes)
    close(run(text, machine, a, b)[0], a @ b)


EPILOGUES = {
    "sum": ("%r = tir.add %p, %c", lambda p, c: p + c),
    "sum, the other way round": ("%r = tir.add %c, %p", lambda p, c: c + p),
    "difference": ("%r = tir.sub %c, %p", lambda p, c: c - p),
    "negative": ("%n = tir.neg %p : T\n%r = tir.sub %n, %c", lambda p, c: -p - c),
    "scaled": ("%s = tir.constant dense<3.0> : T\n%r = tir.mul %p, %s", lambda p, c: 3 * p),
    "a step down": (
        "%s = tir.constant dense<0.5> : T\n%q = tir.mul %p, %s : T\n%r = tir.sub %c, %q", lambda p, c: c - 0.5 * p
    ),
    "both scaled": (
        "%s = tir.constant dense<0.5> : T\n%t = tir.constant dense<-2.0> : T\n%q = tir.mul %s, %p : T\n%d = tir.mul %t, %c : T\n"
        "%r = tir.add %q, %d", lambda p, c: 0.5 * p - 2 * c,
    ),
    "scaled by an argument": (
        "%s = tir.broadcast %z along [] : tensor<f32> -> T\n%q = tir.mul %s, %p : T\n%r = tir.add %q, %c",
        lambda p, c: 1.5 * p + c,
    ),
}  # fmt: skip


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("case", EPILOGUES)
def test_what_is_done_with_a_product_goes_into_the_call(machine: str, case: str) -> None:
    body, meaning = EPILOGUES[case]
    type = "tensor<4x5xf32>"
    text = function(
        f"%p = tir.dot %a, %b : T\n{body} : T\nreturn %r : T".replace("T", type),
        f"%a: tensor<4x3xf32>, %b: tensor<3x5xf32>, %c: {type}, %z: tensor<f32>", type,
    )  # fmt: skip
    module = selected(text)
    assert calls(module) == ["sgemm"]
    assert not any(isinstance(op, Generic) for op in module.walk()), print_op(module)
    a, b, c = numbers((4, 3), (3, 5), (4, 5))
    kept = c.copy()
    (got,) = run(text, machine, a, b, c, np.float32(1.5))
    close(got, meaning(a @ b, c))
    assert (c == kept).all()  # an argument is not written over


NOT_ABSORBED = {
    "a factor that differs by element": "%r = tir.mul %p, %c",
    "a product that is used twice": "%e = tir.exp %p : T\n%q = tir.add %p, %c : T\n%r = tir.mul %e, %q",
    "a function": "%r = tir.tanh %p",
    "its own square": "%r = tir.mul %p, %p",
    "a row for all rows": "%r = tir.add %p, %w",
}


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("case", NOT_ABSORBED)
def test_what_blas_cannot_do_stays_outside(machine: str, case: str) -> None:
    type = "tensor<4x4xf32>"
    body = f"%w = tir.broadcast %v along [1] : tensor<4xf32> -> T\n%p = tir.dot %a, %b : T\n{NOT_ABSORBED[case]} : T"
    text = function(f"{body}\nreturn %r : T".replace("T", type), f"%a: {type}, %b: {type}, %c: {type}, %v: tensor<4xf32>", type)
    module = selected(text)
    assert calls(module) == ["sgemm"]
    assert any(isinstance(op, Generic) for op in module.walk())
    arguments = list(numbers((4, 4), (4, 4), (4, 4), (4,)))
    plain = Executable(parse_text(text, REGISTRY), "interpret").call("f", arguments)
    close(run(text, machine, *arguments)[0], plain[0])


@pytest.mark.parametrize("machine", MACHINES)
def test_an_outer_product_is_added_in_place(machine: str) -> None:
    type = "tensor<3x4xf32>"
    text = function(
        f"""%x2 = tir.broadcast %x along [0] : tensor<3xf32> -> {type}
        %y2 = tir.broadcast %y along [1] : tensor<4xf32> -> {type}
        %p = tir.mul %y2, %x2 : {type}
        %r = tir.sub %a, %p : {type}
        return %r : {type}""",
        f"%a: {type}, %x: tensor<3xf32>, %y: tensor<4xf32>", type,
    )  # fmt: skip
    assert calls(selected(text)) == ["sger"]
    a, x, y = numbers((3, 4), (3,), (4,))
    close(run(text, machine, a, x, y)[0], a - np.outer(x, y))


BATCH = """
    func.func @f(%a: tensor<?x4x3xf64>, %b: tensor<?x3x5xf64>, %c: tensor<?x4x5xf64>) -> tensor<?x4x5xf64> {
      %r = linalg.generic {indexing_maps = [affine_map<(e, i, j, k) -> (MAP_A)>, affine_map<(e, i, j, k) -> (MAP_B)>,
          affine_map<(e, i, j, k) -> (e, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
          ins(%a, %b : tensor<?x4x3xf64>, tensor<?x3x5xf64>) outs(%c : tensor<?x4x5xf64>) {
      ^bb0(%x: f64, %y: f64, %z: f64):
        %p = arith.mulf %x, %y : f64
        %s = arith.subf %z, %p : f64
        linalg.yield %s : f64
      } -> tensor<?x4x5xf64>
      return %r : tensor<?x4x5xf64>
    }
"""


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("count", [0, 1, 3])
def test_products_of_several_matrices(machine: str, count: int) -> None:
    text = BATCH.replace("MAP_A", "e, i, k").replace("MAP_B", "e, k, j")
    assert calls(selected(text)) == ["dgemm_batch"]
    a, b, c = numbers((count, 4, 3), (count, 3, 5), (count, 4, 5), dtype=np.float64)
    out = np.full((count, 4, 5), np.nan)
    pipeline = default("always")
    exe = Executable(parse_text(text, REGISTRY), machine, lambda module: run_pipeline(pipeline, module))
    got = exe.call("f", [a, b, c])[0]
    assert np.isnan(out).all()
    close(got, c - a @ b)


ATTENTION = """
    func.func @f(%q: FRONTxSxDxf32>, %k: FRONTxTxDxf32>, %v: FRONTxTxDxf32>) -> (FRONTxSxTxf32>, FRONTxSxDxf32>) {
      %t = tir.transpose %k by [AXES] : FRONTxDxTxf32>
      %p = tir.dot_general %q, %t BATCH : FRONTxSxTxf32>
      %s = tir.neg %p : FRONTxSxTxf32>
      %o = tir.dot_general %s, %v BATCH : FRONTxSxDxf32>
      return %s, %o : FRONTxSxTxf32>, FRONTxSxDxf32>
    }
"""


def attention(front: Any, s: Any, t: Any, d: Any) -> str:
    count, batch = len(front), list(range(len(front)))
    text = ATTENTION.replace("BATCH", f"batch {batch} x {batch} contract [{count + 1}] x [{count}]")
    text = text.replace("[AXES]", str([*batch, count + 1, count]))
    for word, size in (("xSx", s), ("xTx", t), ("xDx", d), ("xSx", s), ("xTx", t), ("xDx", d)):
        text = text.replace(word, f"x{size}x")
    return text.replace("FRONT", "tensor<" + "x".join(map(str, front)))


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    ("front", "sizes", "shape"),
    [
        ((2, 3), (4, 6, 5), (2, 3)),
        (("[B]", "[H]"), ("[S]", "[T]", "[D]"), (3, 2)),
        (("?", 2), ("?", "?", "?"), (3, 2)),
        (("[B]", "[H]"), ("[S]", "[T]", "[D]"), (0, 2)),
        ((2, "[B]", 2), (3, "[T]", 2), (2, 1, 2)),
    ],
)
def test_products_along_several_axes_are_one_call(machine: str, front: Any, sizes: Any, shape: Any) -> None:
    text = attention(front, *sizes)
    module = selected(text)
    assert calls(module) == ["sgemm_batch", "sgemm_batch"]
    assert not any(isinstance(op, Generic) and not op.is_all_parallel for op in module.walk())
    s, t, d = (size if isinstance(size, int) else 7 - i for i, size in enumerate(sizes))
    q, k, v = numbers((*shape, s, d), (*shape, t, d), (*shape, t, d))
    scores, out = run(text, machine, q, k, v)
    want = -q @ k.swapaxes(-1, -2)
    close(scores, want)
    close(out, want @ v)


@pytest.mark.parametrize("machine", MACHINES)
def test_what_is_done_with_products_along_several_axes_goes_into_the_call(machine: str) -> None:
    text = function(
        """%p = tir.dot_general %a, %b batch [0, 1] x [0, 1] contract [3] x [2] : T
        %half = tir.constant dense<0.5> : tensor<f64>
        %s = tir.broadcast %half along [] : tensor<f64> -> T
        %q = tir.mul %p, %s : T
        %r = tir.sub %c, %q : T
        return %r : T""".replace("T", "tensor<[B]x2x4x5xf64>"),
        "%a: tensor<[B]x2x4x3xf64>, %b: tensor<[B]x2x3x5xf64>, %c: tensor<[B]x2x4x5xf64>", "tensor<[B]x2x4x5xf64>",
    )  # fmt: skip
    module = selected(text)
    assert calls(module) == ["dgemm_batch"]
    assert not any(isinstance(op, Generic) for op in module.walk()), print_op(module)
    a, b, c = numbers((3, 2, 4, 3), (3, 2, 3, 5), (3, 2, 4, 5), dtype=np.float64)
    close(run(text, machine, a, b, c)[0], c - 0.5 * (a @ b))


NOT_CALLED = {
    "a batch that is not the first axis": BATCH.replace("MAP_A", "e, i, k").replace("MAP_B", "k, e, j").replace(
        "?x3x5xf64", "3x?x5xf64"
    ),
    "integers": product(4, 5, 3, False, False, "i32"),
    "halves": product(4, 5, 3, False, False, "f16"),
    "an inner product": function("%c = tir.dot %a, %b : tensor<f32>\nreturn %c : tensor<f32>",
                                 "%a: tensor<4xf32>, %b: tensor<4xf32>", "tensor<f32>"),
    "a sum": function("%c = tir.sum %a over [1] : tensor<4xf32>\nreturn %c : tensor<4xf32>", "%a: tensor<4x3xf32>",
                      "tensor<4xf32>"),
}  # fmt: skip


@pytest.mark.parametrize("case", NOT_CALLED)
def test_what_is_no_product_of_blas_stays(case: str) -> None:
    assert not calls(selected(NOT_CALLED[case]))


def test_a_maximum_of_products_is_no_product() -> None:
    text = BATCH.replace("MAP_A", "e, i, k").replace("MAP_B", "e, k, j").replace("arith.subf", "arith.maximumf")
    assert not calls(selected(text))


# --- use -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "chosen"),
    [
        ((256, 256, 256, False, False), False),  # own tiles keep up
        ((256, 256, 256, False, True), False),
        ((1437, 10, 64, False, False), False),  # more than half of a vector
        ((1437, 4, 64, False, False), True),  # less than half of one
        ((1437, 7, 64, False, True), True),
        ((4, 256, 256, False, False), False),
        ((16, 4, 16, False, False), False),  # too small to matter
        (("[B]", 500, 784, False, False), False),
        (("[B]", 4, 784, False, True), True),
        (("[B]", 4, 8, False, False), False),
        ((0, 4, 64, False, True), False),
    ],
)
def test_auto_goes_by_the_sizes_of_the_types(shape: Any, chosen: bool) -> None:
    assert calls(selected(product(*shape), "auto")) == (["sgemm"] if chosen else [])


def test_auto_takes_several_products_only_if_each_is_worth_a_call() -> None:
    text = BATCH.replace("MAP_A", "e, i, k").replace("MAP_B", "e, k, j")
    assert not calls(selected(text.replace("?x", "4096x"), "auto"))  # 4x5x3 each
    several = attention((64, 64), 4, 5, 3)
    assert not calls(selected(several, "auto"))
    assert calls(selected(attention((4, 64), 16, 64, 3), "auto")) == ["sgemm_batch"]  # the one with 3 columns
    large = text.replace("?x4x3x", "256x16x16x").replace("?x3x5x", "256x16x3x").replace("?x4x5x", "256x16x3x")
    assert calls(selected(large, "auto")) == ["dgemm_batch"]


def test_a_result_of_another_type_is_not_absorbed() -> None:
    generic = (
        "linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>, "
        'affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}'
    )
    text = f"""
        func.func @f(%a: tensor<4x3xf32>, %b: tensor<3x5xf32>, %c: tensor<4x5xf32>, %n: index) -> tensor<?x5xf32> {{
          %p = tir.dot %a, %b : tensor<4x5xf32>
          %e = tensor.empty(%n) : tensor<?x5xf32>
          %r = {generic} ins(%p, %c : tensor<4x5xf32>, tensor<4x5xf32>) outs(%e : tensor<?x5xf32>) {{
          ^bb0(%x: f32, %y: f32, %z: f32):
            %s = arith.addf %x, %y : f32
            linalg.yield %s : f32
          }} -> tensor<?x5xf32>
          return %r : tensor<?x5xf32>
        }}
    """
    module = selected(text)
    assert calls(module) == ["sgemm"]
    assert any(isinstance(op, Generic) for op in module.walk())


def test_never_changes_nothing() -> None:
    text = product(256, 10, 256, False, True)
    module = parse_text(text, REGISTRY)
    run_pipeline(fuse(), module)
    before = print_op(module)
    run_pipeline(Pipeline([SelectLibrary("never")]), module)
    assert print_op(module) == before


def test_an_unknown_use_is_refused() -> None:
    with pytest.raises(PassError, match="pass select-library: option 'use' must be one of auto, always, never, got 'mostly'"):
        SelectLibrary("mostly")


@pytest.mark.parametrize("available", [False, True])
def test_who_compiles_says_whether_there_is_a_library(available: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    step = SelectLibrary("always")
    step.available = lambda: available
    module = parse_text(product(4, 5, 3, False, False), REGISTRY)
    run_pipeline(Pipeline([*fuse().steps, step]), module)
    assert bool(calls(module)) == available
    ours = [step for step in steps(for_this_machine()) if isinstance(step, (LowerStructured, SelectLibrary))]
    assert len(ours) == 2 and all(step.available is library.has_library for step in ours)


def test_without_scipy_a_program_runs_by_own_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "_tables", list)
    library.has_library.cache_clear()
    try:
        a, b = numbers((64, 64), (70, 64), dtype=np.float64)
        (got,) = executable(parse_text(product(64, 70, 64, False, True, "f64"), REGISTRY)).call("f", [a, b])
        np.testing.assert_allclose(got, a @ b.T, rtol=1e-10, atol=1e-12)  # 64 terms
    finally:
        library.has_library.cache_clear()


def test_the_pipeline_has_no_calls_unless_it_is_asked_for_them() -> None:
    assert not any(isinstance(step, SelectLibrary) for step in steps(default()))
    chosen = steps(default("auto"))
    place = next(i for i, step in enumerate(chosen) if isinstance(step, SelectLibrary))
    assert isinstance(chosen[place + 1], Bufferize)


# --- buffers ---------------------------------------------------------------------------------------------------------

STEP = """
    tir.shared @w : tensor<4x5xf32> = dense<1.0>
    func.func @f(%x: tensor<[B]x4xf32>, %g: tensor<[B]x5xf32>) -> tensor<[B]x5xf32> {
      %w = tir.read @w : tensor<4x5xf32>
      %z = tir.dot %x, %w : tensor<[B]x5xf32>
      %xt = tir.transpose %x by [1, 0] : tensor<4x[B]xf32>
      %gw = tir.dot %xt, %g : tensor<4x5xf32>
      %rate = tir.constant dense<0.25> : tensor<4x5xf32>
      %s = tir.mul %rate, %gw : tensor<4x5xf32>
      %w1 = tir.sub %w, %s : tensor<4x5xf32>
      tir.update @w, %w1 : tensor<4x5xf32>
      return %z : tensor<[B]x5xf32>
    }
"""


def bufferized(text: str) -> str:
    module = selected(text)
    run_pipeline(Pipeline([Bufferize()]), module)
    return print_op(module)


def test_a_step_of_training_is_added_to_the_shared_variable_itself() -> None:
    text = bufferized(STEP).partition("func.func @f")[2].partition("return")[0]
    assert "memref.alloc" not in text
    assert "memref.copy" not in text
    assert text.count("call @tir_blas_sgemm") == 2


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("rows", [0, 1, 6])
def test_steps_of_training(machine: str, rows: int) -> None:
    pipeline = default("always")
    exe = Executable(parse_text(STEP, REGISTRY), machine, lambda module: run_pipeline(pipeline, module))
    w = np.ones((4, 5), np.float32)
    x, g = numbers((rows, 4), (rows, 5))
    for _ in range(2):
        (z,) = exe.call("f", [x, g])
        close(z, x @ w)
        w = w - np.float32(0.25) * (x.T @ g)
        close(exe.state["w"], w)


#: The same with weight decay: 0.5 w is part of the gradient.
DECAY = STEP.replace("%s = tir.mul %rate, %gw", "%half = tir.full 0.5 : f32 -> tensor<4x5xf32>\n  %d = tir.mul %half, %w : "
                     "tensor<4x5xf32>\n  %gd = tir.add %gw, %d : tensor<4x5xf32>\n  %s = tir.mul %rate, %gd")  # fmt: skip


def test_weight_decay_is_the_beta_of_the_call() -> None:
    text = bufferized(DECAY).partition("func.func @f")[2].partition("return")[0]
    assert "memref.alloc" not in text
    assert "linalg.generic" not in text
    assert text.count("call @tir_blas_sgemm") == 2


@pytest.mark.parametrize("machine", MACHINES)
def test_steps_of_training_with_weight_decay(machine: str) -> None:
    pipeline = default("always")
    exe = Executable(parse_text(DECAY, REGISTRY), machine, lambda module: run_pipeline(pipeline, module))
    w = np.ones((4, 5), np.float32)
    x, g = numbers((6, 4), (6, 5))
    for _ in range(2):
        exe.call("f", [x, g])
        w = w - np.float32(0.25) * (x.T @ g + np.float32(0.5) * w)
        close(exe.state["w"], w)


@pytest.mark.parametrize("machine", MACHINES)
def test_a_variable_multiplied_by_itself_is_not_written_while_it_is_read(machine: str) -> None:
    text = """
        tir.shared @w : tensor<3x3xf64> = dense<[[1.0, 2.0, 0.5], [0.0, 1.0, -1.0], [2.0, 0.0, 1.0]]>
        func.func @f() {
          %w = tir.read @w : tensor<3x3xf64>
          %p = tir.dot %w, %w : tensor<3x3xf64>
          %s = tir.add %p, %w : tensor<3x3xf64>
          tir.update @w, %s : tensor<3x3xf64>
          return
        }
    """
    pipeline = default("always")
    exe = Executable(parse_text(text, REGISTRY), machine, lambda module: run_pipeline(pipeline, module))
    w = exe.state["w"]
    exe.call("f")
    np.testing.assert_array_equal(exe.state["w"], w @ w + w)  # small whole numbers and halves: exact


@pytest.mark.parametrize("machine", MACHINES)
def test_parts_of_a_matrix_are_passed_without_a_copy_or_packed(machine: str) -> None:
    text = function(
        """%p = tir.slice %a from [1, 2] to [4, 6] step [1, 1] : tensor<3x4xf32>
        %q = tir.slice %b from [0, 0] to [4, 10] step [1, 2] : tensor<4x5xf32>
        %r = tir.dot %p, %q : tensor<3x5xf32>
        return %r : tensor<3x5xf32>""",
        "%a: tensor<5x8xf32>, %b: tensor<6x10xf32>", "tensor<3x5xf32>",
    )  # fmt: skip
    shown = bufferized(text)
    assert "memref<3x4xf32, strided<[8, 1], offset: 10>>" in shown  # as it is
    assert shown.count("memref.copy") == 1  # only the columns that lie apart
    a, b = numbers((5, 8), (6, 10))
    close(run(text, machine, a, b)[0], a[1:4, 2:6] @ b[:4, ::2])


# --- whole programs --------------------------------------------------------------------------------------------------


CALLING = {
    "library": (lambda: [*steps(fuse()), SelectLibrary("always")], "interpret"),
    "library, not fused": (lambda: steps(lower_cpu("always")), "interpret"),
    "library, buffers": (lambda: [*steps(fuse()), SelectLibrary("always"), Bufferize()], "interpret"),
    **({"library, cpu": (lambda: steps(default("always")), "cpu")} if HAS_SCIPY else {}),
}


#: Seeds whose programs have products of floats.
SEEDS = (8, 20, 62, 285)
MORE_SEEDS = (21, 42, 51, 143, 155, 204, 209, 261, 305, 312, 329, 364, 376, 380)


@pytest.mark.parametrize("seeds", [SEEDS, pytest.param(MORE_SEEDS, marks=pytest.mark.slow)], ids=["few", "many"])
def test_random_programs_compute_the_same_with_calls(seeds: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, level in CALLING.items():
        monkeypatch.setitem(LEVELS, name, level)
    found = 0
    for seed in seeds:
        program = random_program(seed)
        found += len(calls(module_at(program.text, CALLING["library"][0]())))
        arguments, shaken = program.arguments(), program.shaken()
        uncertain = spread(shaken.text, [{**shaken.arguments(turn), **arguments} for turn in range(3)])
        disagreement = first_disagreement(program.text, arguments, uncertain, levels=["tensor", *CALLING])
        assert disagreement is None, f"seed {seed}: {disagreement}"
    assert found >= len(seeds)


@pytest.mark.parametrize("name", ["digits", "mlp"])
def test_examples_make_calls(name: str) -> None:
    path = Path(__file__).parents[2] / "examples" / f"{name}.tir"
    if path.exists():
        assert calls(selected(path.read_text(encoding="utf-8")))
