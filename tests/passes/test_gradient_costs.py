"""What gradients cost: ops and products of a backward pass, bytes of long chains, memory of long loops. Counted, not timed.

`benchmarks/gradients.py` times the same programs.
"""

from __future__ import annotations

import tracemalloc
from collections import Counter
from collections.abc import Sequence
from math import isqrt
from typing import Any

import numpy as np
import pytest

from benchmarks.gradient_programs import CHAINS, perceptron, recurrent, recurrent_by_hand, recurrent_inputs
from benchmarks.gradients import buffer_bytes, bytes_an_op, simplified_ops
from tests.levels import LEVELS, modules_at, run
from tir.api import transform
from tir.interpret import Interpreter
from tir.ir.ir import Op

# --- a perceptron ----------------------------------------------------------------------------------------------------

LAYERS = ([64, 10], [64, 48, 10], [64, 48, 32, 10], [64, 48, 32, 16, 10], [64, 48, 32, 24, 16, 10])
MOST = 2.2  # ops of the backward pass for each of the forward pass


@pytest.mark.parametrize("batch", [32, "[B]"])
@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid", "softplus"])
@pytest.mark.parametrize("sizes", LAYERS, ids=str)
def test_backward_pass_has_few_ops_and_the_products_of_one_by_hand(
    sizes: list[int], activation: str, batch: int | str
) -> None:
    forward, both = (simplified_ops(perceptron(sizes, activation, batch, gradient)) for gradient in (False, True))
    assert len(both) - len(forward) <= MOST * len(forward)
    assert _products(both) == _products_by_hand(sizes, str(batch))


def _products(ops: Sequence[Op]) -> Counter[str]:
    """The shapes of what is multiplied."""
    found: Counter[str] = Counter()
    for op in ops:
        assert op.name not in ("tir.dot_general", "tir.einsum")
        if op.name == "tir.dot":
            found[" ".join(value.type.shape_text() for value in op.operands)] += 1  # type: ignore[attr-defined]
    return found


def _products_by_hand(sizes: Sequence[int], batch: str) -> Counter[str]:
    """x w forward; x^T g for each weight and g w^T for each layer but the first backward."""
    layers = list(zip(sizes, sizes[1:]))
    found = Counter(f"{batch}x{rows}x {rows}x{columns}x" for rows, columns in layers)
    found.update(f"{rows}x{batch}x {batch}x{columns}x" for rows, columns in layers)
    found.update(f"{batch}x{columns}x {columns}x{rows}x" for rows, columns in layers[1:])
    return found


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_backward_pass_is_the_one_by_hand(activation: str) -> None:
    sizes, batch, rng = [5, 4, 3], 7, np.random.default_rng(0)
    x, y = rng.normal(size=(batch, 5)), rng.integers(0, 3, batch).astype(np.int32)
    w0, b0, w1, b1 = rng.normal(size=(5, 4)), rng.normal(size=4), rng.normal(size=(4, 3)), rng.normal(size=3)
    program = perceptron(sizes, activation, "[B]", True, "f64")
    simplified_ops(program)
    found = Interpreter(program.module).run("main", [x, y, w0, b0, w1, b1])

    a = x @ w0 + b0
    h, slope = (np.tanh(a), 1 - np.tanh(a) ** 2) if activation == "tanh" else (np.maximum(a, 0), a > 0)
    z = h @ w1 + b1
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    d_z = (p - np.eye(3)[y]) / batch
    d_a = d_z @ w1.T * slope
    want = [-np.log(p[np.arange(batch), y]).mean(), x.T @ d_a, d_a.sum(0), h.T @ d_z, d_z.sum(0)]
    for got, expected in zip(found, want):
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-15)  # sums of a few terms of size 1


# --- long chains -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=[pytest.mark.slow] * (n % 2)) for n, kind in enumerate(CHAINS)])
def test_differentiating_a_chain_takes_at_most_two_kilobytes_an_op(kind: str) -> None:
    bytes_an_op(kind, 100)  # what is made once for each op class
    assert bytes_an_op(kind, 1500) <= 2000


# --- a recurrent network ---------------------------------------------------------------------------------------------


SOME_LEVELS = ["tensor", "fused", "loops", "cpu"]


@pytest.mark.parametrize(("checkpoint", "levels"), [(None, list(LEVELS)), (7, SOME_LEVELS)])
def test_gradient_of_a_loop_of_50_steps_is_right_at_each_level(checkpoint: int | None, levels: list[str]) -> None:
    check_recurrent(50, 2, 3, checkpoint, levels)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("checkpoint", "levels"), [(None, list(LEVELS)), (isqrt(1000), SOME_LEVELS)])
def test_gradient_of_a_loop_of_1000_steps_is_right_at_each_level(checkpoint: int | None, levels: list[str]) -> None:
    check_recurrent(1000, 2, 3, checkpoint, levels)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("checkpoint", [None, isqrt(1000)])
def test_gradient_of_1000_steps_of_a_real_network_is_right(checkpoint: int | None) -> None:
    """At the levels where a product is one step of the interpreter, and as machine code."""
    check_recurrent(1000, 16, 64, checkpoint, ["tensor", "structured", "fused", "bufferized", "cpu", "cpu, not fused"])


def check_recurrent(steps: int, batch: int, hidden: int, checkpoint: int | None, levels: Sequence[str]) -> None:
    """The network at these levels in f64, against numpy."""
    inputs = recurrent_inputs(steps, batch, hidden, np.float64)
    want = recurrent_by_hand(*inputs)
    text = recurrent(steps, batch, hidden, "f64", checkpoint).module_text()
    for name, module in modules_at(text, levels):
        found = run(module, LEVELS[name][1], "main", inputs).arrays
        for i, expected in enumerate(want):
            # Adjoints fade over the steps, so what counts are sums of some ten steps: 1e-13 is 500 roundings.
            largest = np.max(np.abs(expected))
            np.testing.assert_allclose(found[f"result {i} of call 1"], expected, 0, 1e-13 * largest, err_msg=name)


def test_buffers_of_a_loop_with_checkpoints_grow_as_the_square_root_of_its_steps() -> None:
    small, medium, large = (buffer_bytes(steps, isqrt(steps)) for steps in (256, 1024, 4096))
    assert large - medium == 2 * (medium - small) > 0
    small, medium, large = (buffer_bytes(steps, None) for steps in (256, 1024, 4096))
    assert large - medium == 4 * (medium - small) > 0  # all that a step needs is kept for each


def test_interpreter_keeps_as_little_of_a_loop_with_checkpoints() -> None:
    growth = {checkpoint: _most_bytes(512, checkpoint) / _most_bytes(32, checkpoint) for checkpoint in (False, True)}
    assert growth[False] > 8
    assert growth[True] < 4  # of 16 times the steps


def _most_bytes(steps: int, checkpoint: bool) -> int:
    module = recurrent(steps, 4, 16, checkpoint=isqrt(steps) if checkpoint else None).module
    transform(module, "autodiff,canonicalize,cse,dce")
    interpreter, inputs = Interpreter(module), recurrent_inputs(steps, 4, 16)
    interpreter.run("main", inputs)  # what is made once
    return _traced(lambda: interpreter.run("main", inputs))


def _traced(call: Any) -> int:
    tracemalloc.start()
    call()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most
