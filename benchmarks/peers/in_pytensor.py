"""PyTensor: `pytensor.function` in its default mode, state in shared variables, arguments trusted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytensor
import pytensor.tensor as pt
from pytensor.tensor import special

from benchmarks.peers.contestant import Call, listed
from benchmarks.peers.namespace import Namespace
from benchmarks.peers.workloads import Workload

__all__ = ["calls"]


class InPytensor(Namespace):
    differentiates = True

    def grad(self, cost: Callable[..., Any], *arguments: Any) -> list[Any]:
        return pytensor.grad(cost(*arguments), list(arguments))

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        return pt.switch(condition, x, y)

    def sigmoid(self, x: Any) -> Any:
        return pt.sigmoid(x)

    def softmax(self, x: Any) -> Any:
        return special.softmax(x, axis=1)

    def log_softmax(self, x: Any) -> Any:
        return special.log_softmax(x, axis=1)

    def logsumexp(self, x: Any) -> Any:
        return pt.logsumexp(x, axis=1)

    def recurrent(self, xs: Any, wx: Any, wh: Any, bias: Any) -> Any:
        def step(part: Any, h: Any, wh: Any) -> Any:
            return pt.tanh(part + h @ wh)

        start = pt.zeros_like(xs[0])
        return pytensor.scan(step, [xs @ wx + bias], [start], [wh], return_updates=False)[-1]


def calls(workload: Workload, threads: int) -> list[Call]:
    pytensor.config.floatX = "float32"
    arguments = workload.arguments()
    state, rest = arguments[: workload.state], arguments[workload.state :]
    variables = [pytensor.shared(x) for x in state]
    inputs = [pt.tensor(dtype=x.dtype, shape=x.shape) for x in rest]
    results = workload.program(InPytensor(pt))(*variables, *inputs)
    if not state:
        function = pytensor.function(inputs, results, trust_input=True)
        return [Call(function, rest, listed)]
    news = results if isinstance(results, (tuple, list)) else [results]
    step = pytensor.function(inputs, [], updates=list(zip(variables, news)), trust_input=True)
    return [Call(step, rest, lambda _: [v.get_value() for v in variables])]
