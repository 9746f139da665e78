"""What a peer gives for a workload: calls to be timed. `PEERS` says where each peer is and what must be installed."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.peers.workloads import Workload

__all__ = ["LIMITS", "PEERS", "Call", "Cannot", "Peer", "calls", "kept", "missing"]


class Cannot(Exception):
    """The peer cannot do this workload, and why."""


@dataclass(frozen=True)
class Call:
    """`function(*arguments)` is timed; it returns when the work is done. read: the results as numpy arrays, state first.

    variant: which way of calling this is. given: the result goes into an array of the caller's.
    """

    function: Callable[..., Any]
    arguments: Sequence[Any]
    read: Callable[[Any], Sequence[Any]]
    variant: str = ""
    given: bool = False


@dataclass(frozen=True)
class Peer:
    """module: in this package, with `calls(workload, threads) -> list[Call]`. packages: as one imports them."""

    module: str
    packages: tuple[str, ...] = ()


PEERS = {
    "tir": Peer("in_tir"),
    "numpy": Peer("in_numpy"),
    "numexpr": Peer("in_numexpr", ("numexpr",)),
    "numba": Peer("in_numba", ("numba",)),
    "jax": Peer("in_jax", ("jax",)),
    "torch": Peer("in_torch", ("torch",)),
    "inductor": Peer("in_inductor", ("torch",)),
    "pytensor": Peer("in_pytensor", ("pytensor",)),
    "onnxruntime": Peer("in_onnxruntime", ("onnx", "onnxruntime")),
    "iree": Peer("in_iree", ("iree.compiler", "iree.runtime", "jax")),
}
#: What no program can be faster than, measured beside them: a copy of as many bytes, and fused multiply-adds.
LIMITS = {"copy": Peer("in_copy"), "fma": Peer("in_fma")}


def missing(name: str) -> str | None:
    """The first package of the peer that is not installed."""
    for package in PEERS[name].packages:
        try:
            found = importlib.util.find_spec(package)
        except ModuleNotFoundError:  # of the package around it
            found = None
        if found is None:
            return package
    return None


def calls(name: str, workload: Workload, threads: int) -> list[Call]:
    """The ways in which the peer computes the workload. Raises Cannot if there are none."""
    peer = PEERS.get(name) or LIMITS[name]
    output = "" if name in LIMITS else workload.output
    found = importlib.import_module(f"benchmarks.peers.{peer.module}").calls(workload, threads)
    counted = [call for call in found if not output or call.given == (output == "given")]
    if not counted:
        raise Cannot(f"{name} has no call that gives a {output} result")
    return counted


def kept(function: Callable[..., Any], state: Sequence[Any]) -> Callable[..., Any]:
    """The function with its first arguments kept between calls, each replaced by the result of its place."""
    current, count = list(state), len(state)

    def step(*rest: Any) -> Any:
        results = function(*current, *rest)
        current[:] = results[:count] if isinstance(results, (tuple, list)) else [results]
        return current

    return step


def listed(results: Any) -> list[Any]:
    """The results of a function that returns one or several."""
    return [np.asarray(x) for x in (results if isinstance(results, (tuple, list)) else [results])]
