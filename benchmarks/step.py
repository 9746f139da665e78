"""One training step of the example models, batch 50: compiled code, numpy written by hand, the interpreter by level.

Compiled code must be at least 20 times faster than the interpreter on the levels below tensor.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.measure import medians, table
from tir.compile import Executable
from tir.dialects.all import REGISTRY
from tir.ir.ir import Op
from tir.ir.pass_manager import Pipeline, run_pipeline
from tir.parser.parse import parse_file
from tir.passes.pipelines import default, fuse, without_derivatives

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
BATCH = 50


def run() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.random((BATCH, 64), dtype=np.float32), rng.integers(0, 10, BATCH).astype(np.int32)
    for name, by_hand in (("digits", softmax_regression(x, y)), ("mlp", None)):
        contestants = {"tir, cpu": step(name, default(), "cpu", x, y)}
        if by_hand is not None:
            contestants["numpy by hand"] = by_hand
        contestants["interpreter, tensor level"] = step(name, Pipeline([*without_derivatives()]), "interpret", x, y)
        contestants["interpreter, fused structured level"] = step(name, fuse(), "interpret", x, y)
        print(table(f"{name}.tir, one step", medians(contestants), "tir, cpu"))
        loops = {"tir, cpu": contestants["tir, cpu"], "interpreter, loops": step(name, default(), "interpret", x, y)}
        print(table(f"{name}.tir, one step", medians(loops, 1.0), "tir, cpu"))


def step(name: str, pipeline: Pipeline, target: str, x: np.ndarray, y: np.ndarray):  # noqa: ANN201
    """A call that trains the example on one batch."""
    module: Op = parse_file(EXAMPLES / f"{name}.tir", REGISTRY)
    if target == "interpret":
        run_pipeline(pipeline, module)
    executable = Executable(module, target=target, pipeline=lambda m: run_pipeline(pipeline, m))
    return lambda: executable.call("train", {"x": x, "y": y})


def softmax_regression(x: np.ndarray, y: np.ndarray):  # noqa: ANN201
    """The step of digits.tir as one writes it in numpy."""
    w, b = np.zeros((64, 10), np.float32), np.zeros(10, np.float32)
    rows = np.arange(len(y))

    def call() -> np.float32:
        nonlocal w, b
        z = x @ w + b
        z -= z.max(axis=1, keepdims=True)
        p = np.exp(z)
        p /= p.sum(axis=1, keepdims=True)
        loss = -np.log(p[rows, y]).mean()
        p[rows, y] -= 1
        p /= len(y)
        w = w - np.float32(0.5) * (x.T @ p)
        b = b - np.float32(0.5) * p.sum(axis=0)
        return loss

    return call
