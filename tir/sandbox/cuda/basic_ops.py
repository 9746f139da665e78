"""Where a value is: everything is on the host, so these change nothing."""

from __future__ import annotations

from typing import Any

from tir.dialects.tir.build.core import Tensor
from tir.graph.graph import GRAPH, located

__all__ = ["gpu_from_host", "host_from_gpu"]


@located
def gpu_from_host(x: Any) -> Tensor:
    """x, which a program would like to have on the GPU."""
    return GRAPH.tensor(x)


@located
def host_from_gpu(x: Any) -> Tensor:
    """x, which a program would like to have on the host."""
    return GRAPH.tensor(x)
