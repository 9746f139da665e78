"""Matrix products on one thread: own loops, calls of BLAS, and numpy beside them.

`SHAPES` decide what `select-library` does by itself (the note at the end of `tir/passes/select_library.py`).
"""

from __future__ import annotations

import numpy as np

from benchmarks.measure import medians, table
from tir.compile import Executable
from tir.dialects.all import REGISTRY
from tir.ir.pass_manager import run_pipeline
from tir.parser.parse import parse_text
from tir.passes.pipelines import default
from tir.runtime.library import has_library

SHAPES = (
    (128, 625, 784), (64, 64, 64), (256, 256, 256), (512, 512, 512), (60, 500, 784), (1437, 10, 64), (100, 100, 100),
    (256, 40, 256), (256, 4, 256), (4, 256, 256),
)  # fmt: skip


def _product(m: int, n: int, k: int, element: str, transposed: bool) -> str:
    """A function of a and b; with `transposed` b is given with its axes exchanged."""
    a, b, c = f"tensor<{m}x{k}x{element}>", f"tensor<{k}x{n}x{element}>", f"tensor<{m}x{n}x{element}>"
    given = f"tensor<{n}x{k}x{element}>" if transposed else b
    turn = f"  %t = tir.transpose %b by [1, 0] : {b}\n" if transposed else ""
    used = "%t" if transposed else "%b"
    return f"func.func @dot(%a: {a}, %b: {given}) -> {c} {{\n{turn}  %c = tir.dot %a, {used} : {c}\n  return %c : {c}\n}}\n"


def _compiled(text: str, library: str) -> Executable:
    return Executable(parse_text(text, REGISTRY), pipeline=lambda module: run_pipeline(default(library), module))


def _measure(m: int, n: int, k: int, element: str, transposed: bool) -> None:
    text = _product(m, n, k, element, transposed)
    rng = np.random.default_rng(0)
    dtype = np.dtype({"f32": np.float32, "f64": np.float64}[element])
    x, y = rng.random((m, k)).astype(dtype), rng.random((k, n)).astype(dtype)
    given = np.ascontiguousarray(y.T) if transposed else y
    makers = {"tir": "never", **({"tir, BLAS": "always"} if has_library() else {})}
    compiled = {name: _compiled(text, library) for name, library in makers.items()}
    for executable in compiled.values():
        (found,) = executable.call("dot", [x, given])
        assert np.allclose(found, x.astype(np.float64) @ y, rtol=k * np.finfo(dtype).eps)
    calls = {name: (lambda e=executable: e.call("dot", [x, given])) for name, executable in compiled.items()}
    chosen = ", BLAS by itself" if "sgemm" in _text(text) or "dgemm" in _text(text) else ""
    title = f"dot {m}x{n}x{k} {element}{', b transposed' if transposed else ''}{chosen}"
    times = medians({**calls, "numpy": lambda: x @ (given.T if transposed else given)})
    print(table(title, times, "tir", 2.0 * m * n * k))


def _text(text: str) -> str:
    """The symbols of the program behind `select-library`."""
    module = parse_text(text, REGISTRY)
    run_pipeline(default("auto"), module)
    return " ".join(op.sym_name for op in module.body)  # type: ignore[attr-defined]


def run() -> None:
    for element in ("f32", "f64"):
        for shape in SHAPES:
            _measure(*shape, element, transposed=False)
        _measure(500, 60, 784, element, transposed=True)
