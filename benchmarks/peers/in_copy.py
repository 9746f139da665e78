"""The limit of memory: a copy that reads half of the bytes of a workload and writes the other half."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from benchmarks.peers.contestant import Call
from benchmarks.peers.workloads import Workload, reference

__all__ = ["calls"]

SHARED_BYTES = 1 << 20  # from here on threads share a copy; below, waking one takes longer than the copy


def calls(workload: Workload, threads: int) -> list[Call]:
    results = reference(workload, workload.arguments())
    source = np.ones(max(workload.bytes(results) // 2, 1), np.uint8)
    target = np.zeros_like(source)
    found = [Call(np.copyto, [target, source], lambda _: results)]
    if threads > 1 and source.size >= SHARED_BYTES:
        pool, cuts = ThreadPoolExecutor(threads), np.array_split(np.arange(source.size + 1), threads)
        parts = [slice(cut[0], cut[-1] + 1) for cut in cuts]

        def shared(target: np.ndarray, source: np.ndarray) -> None:
            list(pool.map(lambda part: np.copyto(target[part], source[part]), parts))

        found.append(Call(shared, [target, source], lambda _: results, f"{threads} threads"))
    return found
