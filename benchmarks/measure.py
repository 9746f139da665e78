"""Timing: several contestants in turns, so that a busy machine is unfair to none; medians."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

__all__ = ["medians", "table"]


def medians(
    contestants: dict[str, Callable[[], object]], seconds: float = 2.0, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """The median time of a call of each contestant, in seconds; called in turns for about `seconds` in all.

    clock: with `time.process_time` those of the processor, which others on the machine change less.
    """
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for call in contestants.values():
        call()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(next(iter(times.values()))) < 3:
        for name, call in contestants.items():
            start = clock()
            call()
            times[name].append(clock() - start)
    return {name: statistics.median(found) for name, found in times.items()}


def table(title: str, found: dict[str, float], base: str, flops: float = 0.0) -> str:
    """The times as text, with their ratio to that of `base`."""
    lines = [title]
    for name, seconds in found.items():
        rate = f"{flops / seconds / 1e9:8.1f} GFLOP/s" if flops else ""
        lines.append(f"  {name:34} {seconds * 1e6:12.1f} us {seconds / found[base]:9.2f}x {rate}")
    return "\n".join(lines)
