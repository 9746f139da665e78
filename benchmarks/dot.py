"""Matrix products in f32 on one thread: at least 20 GFLOP/s at 128x625x784. numpy's BLAS beside ours."""

from __future__ import annotations

import numpy as np

from benchmarks.measure import medians, table
from tir.compile import Executable
from tir.dialects.all import REGISTRY
from tir.ir.pass_manager import run_pipeline
from tir.parser.parse import parse_text
from tir.passes.pipelines import default

SHAPES = ((128, 625, 784), (64, 64, 64), (256, 256, 256), (60, 500, 784), (1437, 10, 64))


def run() -> None:
    for m, n, k in SHAPES:
        a, b, c = f"tensor<{m}x{k}xf32>", f"tensor<{k}x{n}xf32>", f"tensor<{m}x{n}xf32>"
        text = f"func.func @dot(%a: {a}, %b: {b}) -> {c} {{\n  %c = tir.dot %a, %b : {c}\n  return %c : {c}\n}}\n"
        executable = Executable(parse_text(text, REGISTRY), pipeline=lambda module: run_pipeline(default(), module))
        rng = np.random.default_rng(0)
        x, y = rng.random((m, k), dtype=np.float32), rng.random((k, n), dtype=np.float32)
        (found,) = executable.call("dot", [x, y])
        assert np.allclose(found, x.astype(np.float64) @ y, rtol=k * 2**-23)
        times = medians({"tir": lambda: executable.call("dot", [x, y]), "numpy": lambda: x @ y})  # noqa: B023
        print(table(f"dot {m}x{n}x{k} f32", times, "tir", 2.0 * m * n * k))
