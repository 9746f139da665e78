"""Cholesky factors, systems, inverses and determinants on one thread: own loops, and calls of LAPACK.

They decide what `lower-structured=library=auto` does (the note at the end of `tir/passes/library_use.py`).
"""

from __future__ import annotations

import numpy as np

from benchmarks.measure import medians
from tir.compile import Executable
from tir.dialects.all import REGISTRY
from tir.ir.pass_manager import run_pipeline
from tir.parser.parse import parse_text
from tir.passes.pipelines import default
from tir.runtime.library import has_library

SIZES = (4, 8, 16, 32, 64, 128, 256, 512)
#: The ops, by name: their text, the number of right-hand sides (0: as many as rows), and the shape of the result.
OPS = {
    "cholesky": ("tir.cholesky %a : {a}", 1, "{a}"),
    "triangular_solve, 1 side": ("tir.triangular_solve %a, %b : {a}, {b}", 1, "{b}"),
    "triangular_solve, n sides": ("tir.triangular_solve %a, %b : {a}, {b}", 0, "{b}"),
    "solve, 1 side": ("tir.solve %a, %b : {a}, {b}", 1, "{b}"),
    "solve, n sides": ("tir.solve %a, %b : {a}, {b}", 0, "{b}"),
    "inv": ("tir.inv %a : {a}", 1, "{a}"),
    "det": ("tir.det %a : {a} -> {d}", 1, "{d}"),
}


def _program(name: str, n: int, element: str) -> str:
    body, sides, result = OPS[name]
    types = {"a": f"tensor<{n}x{n}x{element}>", "b": f"tensor<{n}x{sides or n}x{element}>", "d": f"tensor<{element}>"}
    text = f"func.func @f(%a: {{a}}, %b: {{b}}) -> {result} {{{{\n  %0 = {body}\n  return %0 : {result}\n}}}}\n"
    return text.format(**types)


def _ratio(name: str, n: int, element: str) -> float:
    """The time of own loops over that with calls."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, n))
    a = x @ x.T / n + np.eye(n) if name == "cholesky" else np.tril(x) / n + np.eye(n) if "triangular" in name else x
    b = rng.normal(size=(n, OPS[name][1] or n))
    arguments = [value.astype({"f32": np.float32, "f64": np.float64}[element]) for value in (a, b)]

    def compiled(library: str) -> Executable:
        module = parse_text(_program(name, n, element), REGISTRY)
        return Executable(module, pipeline=lambda module: run_pipeline(default(library), module))

    own, calling = compiled("never"), compiled("always")
    times = medians({"own": lambda: own.call("f", arguments), "calling": lambda: calling.call("f", arguments)}, 0.5)
    return times["own"] / times["calling"]


def run() -> None:
    if not has_library():
        print("lapack: there is no scipy, and so nothing to compare")
        return
    print(f"{'time of own loops / with LAPACK':32}" + "".join(f"{n:>8}" for n in SIZES))
    for name in OPS:
        for element in ("f32", "f64"):
            print(f"{name + ' ' + element:32}" + "".join(f"{_ratio(name, n, element):8.2f}" for n in SIZES), flush=True)
