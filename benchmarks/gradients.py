"""Gradients: long chains, the backward pass of a perceptron, a recurrent network beside JAX, memory with checkpoints.

Goals: chains of 100,000 ops are built, verified and differentiated at 20,000 op/s each, with at most 2,000 bytes an op;
the backward pass of a perceptron has at most 2.2 times the ops of the forward pass, and the products of one written by
hand; a loop of n steps with `checkpoint` sqrt(n) needs memory as sqrt(n). JAX is measured where it is installed.
"""

from __future__ import annotations

import gc
import importlib
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable
from functools import partial
from math import isqrt
from typing import Any

import numpy as np

from benchmarks.gradient_programs import CHAINS, chain, perceptron, recurrent, recurrent_by_hand, recurrent_inputs
from benchmarks.measure import medians, table
from benchmarks.scale.stopwatch import Stopwatch
from tir.api import Builder, executable, transform
from tir.ir.ir import Op
from tir.ir.pass_manager import run_pipeline
from tir.ir.types import MemRefType, dtype_of
from tir.ir.verify import verify
from tir.passes.autodiff import Autodiff
from tir.passes.pipelines import default

__all__ = ["buffer_bytes", "bytes_an_op", "run", "simplified_ops"]

LINKS = 10_000  # of branches and of loops
OPS = 100_000  # of other chains
STEPS, BATCH, HIDDEN = 1000, 16, 64


def run() -> None:
    for kind, (_, ops) in CHAINS.items():
        print(_chain(kind, LINKS * ops if kind in ("branches", "loops") else OPS), flush=True)
    print("a perceptron: ops of the forward pass, of the backward pass, and their ratio (at most 2.2); products")
    for activation in ("tanh", "relu"):
        for batch in (32, "[B]"):
            for layers in (2, 3, 4):
                print(_perceptron(layers, activation, batch), flush=True)
    print(_recurrent(), flush=True)
    print(_memory(), flush=True)


# --- chains ----------------------------------------------------------------------------------------------------------


def _chain(kind: str, n: int) -> str:
    """The op/s of each step; of all but the building, those inside regions are counted too."""
    Autodiff().run(chain(kind, 300).module)  # what is made once
    watch = Stopwatch()
    module = watch("build", lambda: chain(kind, n)).module
    ops = sum(1 for _ in module.walk())
    watch("verify", lambda: verify(module))
    watch("differentiate", lambda: Autodiff().run(module))
    made = sum(1 for _ in module.walk())
    lines = [f"a chain, {kind}: {ops:,} ops, {made:,} with the gradient"]
    lines += [f"  {step:34} {ops / s:12,.0f} op/s {s:8.2f} s   target 20,000" for step, s in watch.found.items()]
    lines += [f"  {'memory of differentiating':34} {bytes_an_op(kind, LINKS):12,.0f} bytes an op   target 2,000"]
    return "\n".join(lines)


def bytes_an_op(kind: str, n: int) -> float:
    """The most that differentiating a chain takes beside the chain itself, for each of its ops."""
    module = chain(kind, n).module
    ops = sum(1 for _ in module.walk())
    gc.collect()
    tracemalloc.start()
    Autodiff().run(module)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / ops


# --- a perceptron ----------------------------------------------------------------------------------------------------


def simplified_ops(b: Builder) -> list[Op]:
    """The ops of the tensor level behind autodiff, canonicalize, cse and dce."""
    transform(b.module, "autodiff,canonicalize,cse,dce")
    return [op for op in b.module.walk() if op.name.startswith("tir.")]


def _perceptron(layers: int, activation: str, batch: int | str) -> str:
    sizes = [64] * layers + [10]
    programs = (perceptron(sizes, activation, batch, gradient) for gradient in (False, True))
    forward, both = (Counter(op.name for op in simplified_ops(program)) for program in programs)
    first, second = forward.total(), both.total() - forward.total()
    products = f"{forward['tir.dot']} and {both['tir.dot'] - forward['tir.dot']}"
    title = f"{layers} layers, {activation}, batch {batch}"
    return f"  {title:34} {first:6} {second:6} {second / first:9.2f}x   products {products}"


# --- a recurrent network ---------------------------------------------------------------------------------------------


def _recurrent() -> str:
    """The processor's time of a call, and that to the first result, each of all contestants in one run."""
    inputs = recurrent_inputs(STEPS, BATCH, HIDDEN)
    makers: dict[str, Callable[[], Any]] = {"tir": _tir, "tir, checkpoint 31": lambda: _tir(isqrt(STEPS))}
    notes = []
    try:
        makers["JAX"] = importlib.import_module("benchmarks.in_jax").recurrent
    except ImportError:
        notes.append("  JAX is not installed")
    calls: dict[str, Callable[[], Any]] = {}
    first: dict[str, float] = {}
    want = recurrent_by_hand(*(x.astype(np.float64) for x in inputs))
    for name, maker in makers.items():
        start = time.process_time()
        call = maker()
        found = call(*inputs)
        first[name] = time.process_time() - start
        for got, exact in zip(found, want):
            np.testing.assert_allclose(got, exact, rtol=1e-4, atol=1e-5 * np.max(np.abs(exact)))  # f32 over 1000 steps
        calls[name] = partial(call, *inputs)
    calls["numpy by hand"] = partial(recurrent_by_hand, *inputs)
    title = f"a recurrent network, {STEPS} steps, batch {BATCH}, hidden {HIDDEN}, f32, forward and backward"
    runs = table(f"{title}: one call", medians(calls, 6.0, time.process_time), "tir")
    return "\n".join([runs, table("the same, from nothing to the first result", first, "tir"), *notes])


def _tir(checkpoint: int | None = None) -> Callable[..., Any]:
    program = executable(recurrent(STEPS, BATCH, HIDDEN, checkpoint=checkpoint).module)
    return lambda *inputs: program.call("main", list(inputs))


# --- memory ----------------------------------------------------------------------------------------------------------


def _memory() -> str:
    lines = [f"the same network, bytes of all buffers of the compiled program: {'without':>10} {'checkpoint sqrt(n)':>20}"]
    for steps in (256, 1024, 4096):
        whole, parts = (buffer_bytes(steps, checkpoint) for checkpoint in (None, isqrt(steps)))
        lines.append(f"  {f'{steps} steps':62} {whole:12,} {parts:20,}")
    return "\n".join(lines)


def buffer_bytes(steps: int, checkpoint: int | None) -> int:
    """The bytes of the buffers that the program allocates, each counted once."""
    module = recurrent(steps, BATCH, HIDDEN, checkpoint=checkpoint).module
    run_pipeline(default(), module)
    types = [op.result.type for op in module.walk() if op.name in ("memref.alloc", "memref.alloca")]
    return sum(_size(type) for type in types)


def _size(type: Any) -> int:
    assert isinstance(type, MemRefType)
    return type.count * dtype_of(type.element).size_bytes
