"""Convolutions on the structured level: windows of the images as columns, then a contraction; and their two gradients.

The forward pass is a generic that moves windows into columns (im2col), and one product of the weights and the columns for
each image. numpy does the same with views and `@`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.measure import medians, table
from tests.convolutions import Convolution
from tir.compile import Executable
from tir.dialects.all import REGISTRY
from tir.ir.pass_manager import run_pipeline
from tir.parser.parse import parse_text
from tir.passes.pipelines import lower_cpu

CONVOLUTIONS = (
    Convolution(2, 64, 16, 64, 3),
    Convolution(64, 1, 8, 16, 3),
    Convolution(4, 16, 28, 32, 3, 2),
    Convolution(2, 3, 32, 16, 5),
)


def compiled(text: str) -> Executable:
    return Executable(parse_text(text, REGISTRY), pipeline=lambda module: run_pipeline(lower_cpu(), module))


def run() -> None:
    for conv in CONVOLUTIONS:
        for name, ours, numpy, flops in contestants(conv):
            assert np.allclose(ours(), numpy(), rtol=1e-4), name  # far above n * eps
            print(table(f"{conv}: {name}", medians({"tir": ours, "numpy": numpy}, 1.0), "tir", flops))


def contestants(conv: Convolution) -> list[tuple[str, Callable[[], Any], Callable[[], Any], float]]:
    """What is timed: its name, tir's function and numpy's, and its operations."""
    rng = np.random.default_rng(0)
    x = rng.random((conv.n, conv.c, conv.height, conv.height), dtype=np.float32)
    w = rng.random((conv.o, conv.k), dtype=np.float32)
    g = rng.random((conv.n, conv.o, conv.p), dtype=np.float32)
    cols = conv.numpy_windows(x)
    forward, gradients = compiled(conv.forward()), compiled(conv.gradients())
    image = (conv.n, conv.o, conv.out, conv.out)
    return [
        ("windows", lambda: forward.call("windows", [x])[0], lambda: conv.numpy_windows(x), 0.0),
        (
            "forward", lambda: forward.call("forward", [x, w])[0],
            lambda: (w @ conv.numpy_windows(x)).reshape(image), conv.flops,
        ),
        (
            "gradient of the weights", lambda: gradients.call("weights", [g, cols])[0],
            lambda: (g @ cols.swapaxes(1, 2)).sum(0), conv.flops,
        ),
        ("gradient of the columns", lambda: gradients.call("columns", [w, g])[0], lambda: w.T @ g, conv.flops),
    ]  # fmt: skip
