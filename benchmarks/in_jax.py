"""Programs of `gradient_programs` in JAX, on one thread."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")  # read by JAX

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402

__all__ = ["recurrent"]


def recurrent() -> Callable[..., Any]:
    """What `gradient_programs.recurrent` computes, of the same inputs."""
    compiled = jax.jit(jax.value_and_grad(_cost, argnums=(1, 2, 3)))

    def call(*inputs: Any) -> list[Any]:
        cost, gradients = jax.block_until_ready(compiled(*inputs))
        return [cost, *gradients]

    return call


def _cost(xs: Any, wx: Any, wh: Any, bias: Any) -> Any:
    def step(h: Any, x: Any) -> Any:
        return jnp.tanh(x @ wx + h @ wh + bias), None

    last, _ = jax.lax.scan(step, jnp.zeros((xs.shape[1], len(wh)), xs.dtype), xs)
    return jnp.mean(jnp.square(last))
