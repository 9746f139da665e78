"""tir: functions by `tir.jit`, with fresh results and with given ones; steps with state by `tir.function`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tir
import tir.numpy
from benchmarks.peers.contestant import Call, listed
from benchmarks.peers.namespace import Namespace
from benchmarks.peers.workloads import Workload, reference
from tir import tensor
from tir.graph.gradients import grad
from tir.tensor import nnet

__all__ = ["calls"]


class Traced(Namespace):
    """Inside `tir.jit`: numpy's names, and those ops that numpy has not."""

    differentiates = True

    def grad(self, cost: Callable[..., Any], *arguments: Any) -> list[Any]:
        return list(tir.grad(cost, argnums=tuple(range(len(arguments))))(*arguments))

    def sigmoid(self, x: Any) -> Any:
        return x.builder.sigmoid(x)

    def softmax(self, x: Any) -> Any:
        return x.builder.softmax(x, 1)

    def log_softmax(self, x: Any) -> Any:
        return x.builder.log_softmax(x, 1)

    def logsumexp(self, x: Any) -> Any:
        return x.builder.logsumexp(x, 1)

    def layer_norm(self, x: Any, scale: Any, offset: Any) -> Any:
        return x.builder.layer_norm(x, scale, offset, 1)

    def batch_norm(self, x: Any, scale: Any, offset: Any) -> Any:
        return x.builder.batch_norm(x, scale, offset, 1)[0]

    def cross_entropy(self, scores: Any, labels: Any) -> Any:
        b = scores.builder
        return b.mean(b.softmax_cross_entropy(scores, labels))

    def recurrent(self, xs: Any, wx: Any, wh: Any, bias: Any) -> Any:
        b = xs.builder
        start = b.full(0.0, (xs.shape[1], wh.shape[0]), bias.type.element)
        (last,), _ = b.scan(lambda h, x: ([b.tanh(x @ wx + h @ wh + bias)], []), [start], [xs])
        return last


class Graph(Namespace):
    """Variables of `tir.tensor`."""

    differentiates = True

    def grad(self, cost: Callable[..., Any], *arguments: Any) -> list[Any]:
        return list(grad(cost(*arguments), list(arguments)))

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        return tensor.switch(condition, x, y)

    def cross_entropy(self, scores: Any, labels: Any) -> Any:
        return tensor.mean(nnet.categorical_crossentropy(nnet.softmax(scores), labels))


def calls(workload: Workload, threads: int) -> list[Call]:
    arguments = workload.arguments()
    if workload.state:
        return [_with_state(workload, arguments)]
    function = tir.jit(workload.program(Traced(tir.numpy)))
    found = [Call(function, arguments, listed)]
    if not workload.compiles:
        results = [np.empty(x.shape, np.float32) for x in reference(workload, arguments)]
        out = results[0] if len(results) == 1 else tuple(results)
        found.append(Call(lambda *given: function(*given, out=out), arguments, lambda _: results, "out=", given=True))
    return found


def _with_state(workload: Workload, arguments: list[np.ndarray]) -> Call:
    """A step whose first arguments are shared variables."""
    rest = arguments[workload.state :]
    with tir.config.change_flags(floatX="float32"):  # else a float such as 0.9 beside f32 makes f64, as in Theano
        variables = [tir.shared(x) for x in arguments[: workload.state]]
        inputs = [tensor.TensorType(x.dtype.name, (False,) * x.ndim)() for x in rest]
        results = workload.program(Graph(tensor))(*variables, *inputs)
        news = results if isinstance(results, (tuple, list)) else [results]
        step = tir.function(inputs, [], updates=list(zip(variables, news)))
    return Call(step, rest, lambda _: [v.get_value() for v in variables])
