"""`python -m benchmarks.peers.worker WORKLOAD PEER THREADS SECONDS CLOCK`: one cell of the table, as a line of JSON.

The libraries' threads are limited by the environment, which the caller sets (`runner`), and by the cores that this
process may use.
"""

from __future__ import annotations

import itertools
import json
import os
import resource
import statistics
import sys
import time
import timeit
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers import contestant
from benchmarks.peers.contestant import LIMITS, Call, Cannot
from benchmarks.peers.workloads import Workload, reference, workloads

__all__ = ["CLOCKS", "cell", "error_of", "main", "sampled"]

ROOT = Path(__file__).resolve().parent.parent.parent
Clock = Callable[[], float]
SAMPLES = 100  # at most, of a cell
FEWEST = 3


def _processor_seconds() -> float:
    """Of this process and of the compilers that it started. While it waits for a busy machine, this stands still."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


CLOCKS = {"wall": time.perf_counter, "processor": _processor_seconds}


def main(words: Sequence[str]) -> None:
    id, peer, threads, seconds, clock = words
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-int(threads) :])
    print(json.dumps(cell(workloads()[id], peer, int(threads), float(seconds), CLOCKS[clock])))


def cell(workload: Workload, peer: str, threads: int, seconds: float, clock: Clock = time.perf_counter) -> dict[str, Any]:
    """Of the peer's ways of calling, the fastest whose results are right. status: "ok", "wrong", "no" or "failed"."""
    facts: dict[str, Any] = {"workload": workload.id, "peer": peer, "threads": threads}
    try:
        if workload.compiles and peer not in LIMITS:
            found = [_compiled(workload, peer, threads, seconds, clock)]
        else:
            calls = contestant.calls(peer, workload, threads)
            found = [_called(workload, call, seconds / len(calls), clock) for call in calls]
    except Cannot as reason:
        return {**facts, "status": "no", "note": str(reason)}
    except Exception as error:  # of any kind: it is what this peer says of the workload
        return {**facts, "status": "failed", "note": _told(error)}
    return {**facts, **min(found, key=lambda one: (one["status"] != "ok", one.get("seconds", 0.0)))}


def _called(workload: Workload, call: Call, seconds: float, clock: Clock) -> dict[str, Any]:
    """The first call's results are checked, and later calls timed."""
    try:
        results = [np.array(x) for x in call.read(call.function(*call.arguments))]
    except Exception as error:
        return {"status": "failed", "variant": call.variant, "note": _told(error)}
    return {"variant": call.variant, **_checked(workload, results), **sampled(call, seconds, clock)}


def _checked(workload: Workload, results: Sequence[np.ndarray]) -> dict[str, Any]:
    error = error_of(workload, results)
    return {"status": "ok" if error <= workload.bound else "wrong", "error": error}


def error_of(workload: Workload, results: Sequence[np.ndarray]) -> float:
    """The largest difference from float64, relative to the largest element of its array; of state, to its change."""
    arguments = workload.arguments()
    worst = 0.0
    expected = reference(workload, arguments)
    if len(results) != len(expected):
        return float("inf")
    for i, (found, right) in enumerate(zip(results, expected)):
        if np.shape(found) != right.shape:
            return float("inf")
        change = right - arguments[i] if i < workload.state else right
        # Outside of the bounds of both: what is not finite is wrong.
        difference = np.max(np.abs(found - right)) / max(np.max(np.abs(change)), 1e-30)
        worst = max(worst, float(difference) if np.isfinite(difference) else float("inf"))
    return worst


def sampled(call: Call, seconds: float, clock: Clock) -> dict[str, Any]:
    """The median time of a call within the budget, and its spread: (p90 - p10) / median."""
    names = [f"a{i}" for i in range(len(call.arguments))]
    values = {"f": call.function, **dict(zip(names, call.arguments))}
    timer = timeit.Timer(f"f({', '.join(names)})", timer=clock, globals=values)
    once = min(timer.timeit(1) for _ in range(3))
    number = max(int(seconds / SAMPLES / max(once, 1e-9)), 1)
    once = timer.timeit(number) / number
    number = max(int(seconds / SAMPLES / max(once, 1e-9)), 1)
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < FEWEST or (time.perf_counter() < end and len(times) < SAMPLES):
        times.append(timer.timeit(number) / number)
    return _summary(times)


def _summary(times: Sequence[float]) -> dict[str, Any]:
    ordered, middle = sorted(times), statistics.median(times)
    spread = (ordered[int(len(times) * 0.9) - 1] - ordered[len(times) // 10]) / middle
    return {"seconds": middle, "spread": spread, "samples": len(times)}


def _compiled(workload: Workload, peer: str, threads: int, seconds: float, clock: Clock) -> dict[str, Any]:
    """The time from a program that is new to the peer to its first result; the first of all is not counted."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    for i in itertools.count():
        program = partial(workload.program.func, number=2.0 + i / 64)
        start = clock()
        call = contestant.calls(peer, replace(workload, program=program), threads)[0]
        results = call.read(call.function(*call.arguments))
        times.append(clock() - start)
        if i == 0:
            checked = _checked(workload, results)
        elif i >= FEWEST and time.perf_counter() > end or i == SAMPLES:
            return {"variant": "", **checked, **_summary(times[1:])}


def _told(error: Exception) -> str:
    """The first line of what an error says."""
    text = str(error).replace(f"{ROOT}{os.sep}", "").strip().splitlines()
    return f"{type(error).__name__}: {text[0][:200] if text else ''}"


if __name__ == "__main__":
    main(sys.argv[1:])
