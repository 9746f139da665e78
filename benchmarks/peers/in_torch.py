"""PyTorch, eagerly; what torch.nn.functional has is called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.peers.contestant import Call, Cannot, kept
from benchmarks.peers.namespace import EPSILON, Namespace
from benchmarks.peers.workloads import Workload

__all__ = ["InTorch", "calls", "read", "tensors"]


class InTorch(Namespace):
    """torch, whose functions take numpy's names of arguments."""

    differentiates = True

    def grad(self, cost: Callable[..., Any], *arguments: Any) -> list[Any]:
        leaves = [x.detach().requires_grad_() for x in arguments]
        with torch.enable_grad():
            return list(torch.autograd.grad(cost(*leaves), leaves))

    def max(self, x: Any, axis: Any = (), keepdims: bool = False) -> Any:
        return torch.amax(x, axis, keepdims)

    def relu(self, x: Any) -> Any:
        return torch.relu(x)

    def sigmoid(self, x: Any) -> Any:
        return torch.sigmoid(x)

    def softmax(self, x: Any) -> Any:
        return torch.softmax(x, 1)

    def log_softmax(self, x: Any) -> Any:
        return torch.log_softmax(x, 1)

    def logsumexp(self, x: Any) -> Any:
        return torch.logsumexp(x, 1)

    def layer_norm(self, x: Any, scale: Any, offset: Any) -> Any:
        return F.layer_norm(x, x.shape[1:], scale, offset, EPSILON)

    def batch_norm(self, x: Any, scale: Any, offset: Any) -> Any:
        return F.batch_norm(x, None, None, scale, offset, training=True, eps=EPSILON)

    def cross_entropy(self, scores: Any, labels: Any) -> Any:
        return F.cross_entropy(scores, labels)

    def recurrent(self, xs: Any, wx: Any, wh: Any, bias: Any) -> Any:
        start = xs.new_zeros(1, *xs.shape[1:])
        weights = [wx.T, wh.T, bias, torch.zeros_like(bias)]
        return torch.rnn_tanh(xs, start, weights, True, 1, 0.0, False, False, False)[1][0]


def tensors(workload: Workload) -> list[torch.Tensor]:
    return [torch.from_numpy(x) for x in workload.arguments()]


def read(results: Any) -> list[Any]:
    return [x.detach().numpy().copy() for x in (results if isinstance(results, (tuple, list)) else [results])]


def calls(workload: Workload, threads: int) -> list[Call]:
    if workload.compiles:
        raise Cannot("torch compiles nothing; inductor does")
    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    arguments, function = tensors(workload), workload.program(InTorch(torch))
    if workload.state:
        return [Call(kept(function, arguments[: workload.state]), arguments[workload.state :], read)]
    found = [Call(function, arguments, read)]
    if workload.output == "given":
        out = torch.empty_like(arguments[0])
        found.append(Call(lambda a, out: torch.add(a, 1.0, out=out), [arguments[0], out], read, "out=", given=True))
    return found
