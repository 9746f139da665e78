"""Runs the cells of the table one by one, each in its own process, and keeps what they print in a file of JSON lines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers.contestant import missing
from benchmarks.peers.workloads import Workload

__all__ = ["DEFAULT_FILE", "environment", "present", "run"]

ROOT = Path(__file__).resolve().parent.parent.parent
DEFAULT_FILE = ROOT / "build" / "peers.jsonl"
LONGEST = 300  # seconds that a cell may take: the slowest compilers take minutes for the largest workloads

#: How each library is told its number of threads.
_VARIABLES = (
    "TIR_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS",
    "NUMEXPR_NUM_THREADS", "NUMEXPR_MAX_THREADS", "NPROC",
)  # fmt: skip


def run(chosen: Sequence[Workload], peers: Sequence[str], threads: int, seconds: float, clock: str, file: Path) -> list[Any]:
    """The cells, which stand in the file as soon as each is measured; tir and the limits are always among them."""
    file.parent.mkdir(parents=True, exist_ok=True)
    found = []
    with file.open("w", encoding="utf-8") as lines:
        for id, peer in _cells(chosen, peers):
            line = _measured(id, peer, threads, seconds, clock)
            found.append(line)
            print(json.dumps(line), file=lines, flush=True)
            print(f"\r{id} {peer:20}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return found


def present(peers: Sequence[str]) -> list[str]:
    """Those that are installed; the others are named."""
    lacking = {peer: package for peer in peers if (package := missing(peer)) is not None}
    for peer, package in lacking.items():
        print(f"skipped: {peer}, since {package} is not installed")
    return [peer for peer in peers if peer not in lacking]


def _cells(chosen: Sequence[Workload], peers: Sequence[str]) -> Iterator[tuple[str, str]]:
    for workload in chosen:
        yield from ((workload.id, peer) for peer in dict.fromkeys(("tir", *peers)))
        if not workload.compiles:
            yield workload.id, "copy"
        if workload.flops:
            yield workload.id, "fma"


def _measured(id: str, peer: str, threads: int, seconds: float, clock: str) -> dict[str, Any]:
    """What the worker says, or what became of it."""
    command = [sys.executable, "-m", "benchmarks.peers.worker", id, peer, str(threads), str(seconds), clock]
    facts = {"workload": id, "peer": peer, "threads": threads, "status": "failed"}
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment(threads), capture_output=True, text=True, timeout=LONGEST, check=False
        )
    except subprocess.TimeoutExpired:
        return {**facts, "note": f"takes more than {LONGEST} s"}
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        said = done.stderr.strip().splitlines() or [f"ends with status {done.returncode}"]
        return {**facts, "note": said[-1][:200]}
    return json.loads(lines[-1])  # what a library prints comes before


def environment(threads: int) -> dict[str, str]:
    """This process's, with the number of threads for every library."""
    flags = f"--xla_cpu_multi_thread_eigen={'true' if threads > 1 else 'false'} intra_op_parallelism_threads={threads}"
    # Inductor's compilers run in the process, where their time is counted.
    others = {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu", "TORCHINDUCTOR_COMPILE_THREADS": "1"}
    return {**os.environ, **dict.fromkeys(_VARIABLES, str(threads)), **others}


