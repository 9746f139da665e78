"""PyTorch through `torch.compile`, with fresh results and with given ones; steps write over their state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from benchmarks.peers.contestant import Call, Cannot
from benchmarks.peers.in_torch import InTorch, read, tensors
from benchmarks.peers.workloads import Workload, reference

__all__ = ["calls"]


class InFunctorch(InTorch):
    """Gradients that are compiled together with the function."""

    def grad(self, cost: Callable[..., Any], *arguments: Any) -> list[Any]:
        return list(torch.func.grad(cost, argnums=tuple(range(len(arguments))))(*arguments))


def calls(workload: Workload, threads: int) -> list[Call]:
    if workload.id in ("N3", "N4"):
        raise Cannot("torch.compile writes a loop of 1000 steps out")
    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    torch._dynamo.reset()  # noqa: SLF001  # its public name, torch.compiler.reset, keeps caches
    arguments, program = tensors(workload), workload.program(InFunctorch(torch))
    if workload.state:
        return [_in_place(program, arguments, workload.state)]
    found = [Call(torch.compile(program), arguments, read)]
    if not workload.compiles and len(reference(workload, workload.arguments())) == 1:
        out = torch.empty_like(program(*arguments))

        def write(*given: Any) -> Any:
            return given[-1].copy_(program(*given[:-1]))

        found.append(Call(torch.compile(write), [*arguments, out], read, "out=", given=True))
    return found


def _in_place(program: Callable[..., Any], arguments: list[Any], count: int) -> Call:
    def step(*given: Any) -> None:
        results = program(*given)
        for old, new in zip(given, results if isinstance(results, tuple) else [results]):
            old.copy_(new)

    return Call(torch.compile(step), arguments, lambda _: read(arguments[:count]))
