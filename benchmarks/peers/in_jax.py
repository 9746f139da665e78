"""JAX: `jax.jit`; steps give their state away, so that it can be written over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks.peers.contestant import Call, kept, listed
from benchmarks.peers.namespace import EPSILON, Namespace
from benchmarks.peers.workloads import Workload

__all__ = ["InJax", "calls"]


class InJax(Namespace):
    """jax.numpy, and what jax.nn has."""

    differentiates = True

    def grad(self, cost: Callable[..., Any], *arguments: Any) -> list[Any]:
        return list(jax.grad(cost, argnums=tuple(range(len(arguments))))(*arguments))

    def sigmoid(self, x: Any) -> Any:
        return jax.nn.sigmoid(x)

    def relu(self, x: Any) -> Any:
        return jax.nn.relu(x)

    def softmax(self, x: Any) -> Any:
        return jax.nn.softmax(x, axis=1)

    def log_softmax(self, x: Any) -> Any:
        return jax.nn.log_softmax(x, axis=1)

    def logsumexp(self, x: Any) -> Any:
        return jax.nn.logsumexp(x, axis=1)

    def layer_norm(self, x: Any, scale: Any, offset: Any) -> Any:
        return jax.nn.standardize(x, axis=1, epsilon=EPSILON) * scale + offset

    def batch_norm(self, x: Any, scale: Any, offset: Any) -> Any:
        return jax.nn.standardize(x, axis=0, epsilon=EPSILON) * scale + offset

    def recurrent(self, xs: Any, wx: Any, wh: Any, bias: Any) -> Any:
        # The product with the inputs is one for all steps, and so as fast as JAX can.
        parts = xs @ wx + bias
        start = jnp.zeros(parts.shape[1:], parts.dtype)
        return jax.lax.scan(lambda h, part: (jnp.tanh(part + h @ wh), None), start, parts)[0]


def calls(workload: Workload, threads: int) -> list[Call]:
    arguments = [jnp.asarray(x) for x in workload.arguments()]
    compiled = jax.jit(workload.program(InJax(jnp)), donate_argnums=tuple(range(workload.state)))

    def function(*given: Any) -> Any:
        return jax.block_until_ready(compiled(*given))

    if workload.state:
        state, rest = arguments[: workload.state], arguments[workload.state :]
        return [Call(kept(function, state), rest, listed)]
    return [Call(function, arguments, listed)]
