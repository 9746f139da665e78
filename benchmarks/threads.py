"""The thread pool: what a fork-join costs, how loops gain by a second thread, and a core that somebody else uses.

A fork-join is measured from inside of machine code, with jobs that wait for each other, so that two threads take part.
"""

from __future__ import annotations

import ctypes
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from benchmarks.measure import medians, table
from tir.compile import Executable
from tir.configuration import config
from tir.dialects.all import REGISTRY
from tir.ir.pass_manager import run_pipeline
from tir.parser.parse import parse_text
from tir.passes.pipelines import default
from tir.runtime.jit import compile_text, pool

#: Two jobs, each of which waits until the other has begun.
MEETING = """
declare i32 @tir_parallel_for(ptr, ptr, i64, ptr)
define internal i32 @meet(ptr %met, i64 %number, ptr %numbers) {
entry:
  %before = atomicrmw add ptr %met, i64 1 seq_cst
  br label %wait
wait:
  %now = load atomic i64, ptr %met acquire, align 8
  %both = icmp sge i64 %now, 2
  br i1 %both, label %done, label %wait
done:
  ret i32 0
}
define void @forks(i64 %count) {
entry:
  %met = alloca i64, align 64
  br label %next
next:
  %i = phi i64 [ 0, %entry ], [ %following, %next ]
  store i64 0, ptr %met
  %status = call i32 @tir_parallel_for(ptr @meet, ptr %met, i64 2, ptr null)
  %following = add i64 %i, 1
  %more = icmp slt i64 %following, %count
  br i1 %more, label %next, label %end
end:
  ret void
}
"""
FORKS, REPEATS = 10_000, 50
SIZES = (1_000, 100_000, 10_000_000)
FUSED = """func.func @f(%x: tensor<[N]xf32> {tir.name = "x"}, %y: tensor<[N]xf32> {tir.name = "y"}) -> tensor<[N]xf32> {
  %a = tir.mul %y, %y : tensor<[N]xf32>
  %b = tir.neg %a : tensor<[N]xf32>
  %c = tir.exp %b : tensor<[N]xf32>
  %d = tir.tanh %x : tensor<[N]xf32>
  %e = tir.mul %c, %d : tensor<[N]xf32>
  return %e : tensor<[N]xf32>
}"""
PRODUCT = """func.func @f(%x: tensor<256x256xf32>, %y: tensor<256x256xf32>) -> tensor<256x256xf32> {
  %0 = tir.dot %x, %y : tensor<256x256xf32>
  return %0 : tensor<256x256xf32>
}"""


def run() -> None:
    fork_join()
    elementwise()
    hogged()


def fork_join() -> None:
    """Prints the time of one call of the pool in which both threads work, the best of some."""
    library = compile_text(MEETING, ["forks"], ("memory", "pool"))
    forks = ctypes.CFUNCTYPE(None, ctypes.c_int64)(library.address("forks"))
    pool()
    with config.change_flags(num_threads=2):
        times = sorted(_seconds(lambda: forks(FORKS)) / FORKS * 1e9 for _ in range(REPEATS))
    print(f"fork-join of 2 threads: best {times[0]:.0f} ns, median {statistics.median(times):.0f} ns")


def elementwise() -> None:
    """Prints the times of tanh(x) * exp(-y * y) on one and two threads.

    Not in turns: a thread that has waited for a call on one thread alone sleeps, and has to be woken.
    """
    call = _compiled(FUSED)
    for size in SIZES:
        arguments = list(np.random.default_rng(0).normal(size=(2, size)).astype(np.float32))
        times: dict[str, float] = {}
        for threads in (1, 2):
            times |= medians({f"threads: {threads}": partial(_on, threads, call, arguments)}, 1.0)
        print(table(f"tanh(x) * exp(-y * y), {size} f32", times, "threads: 1"))


def hogged() -> None:
    """Prints the times of a product of matrices on two threads, before and while a core is in use."""
    call = _compiled(PRODUCT)
    x, y = np.random.default_rng(0).normal(size=(2, 256, 256)).astype(np.float32)

    def times() -> list[float]:
        return [_seconds(lambda: _on(2, call, [x, y])) for _ in range(1000)]

    quiet = statistics.median(times())
    with _hog():
        busy = statistics.mean(times())
    print(f"256^3, 2 threads: median {quiet * 1e6:.0f} us; mean with a core in use {busy * 1e6:.0f} us, {busy / quiet:.1f}x")


@contextmanager
def _hog() -> Iterator[None]:
    """Another process computes on one of our cores meanwhile."""
    core = max(os.sched_getaffinity(0))
    program = f"import os\nos.sched_setaffinity(0, [{core}])\nprint(1, flush=True)\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield
        finally:
            process.kill()


def _compiled(text: str) -> Callable[[list[Any]], Any]:
    executable = Executable(parse_text(text, REGISTRY), pipeline=lambda module: run_pipeline(default(), module))
    return lambda arguments: executable.call("f", arguments)


def _on(threads: int, call: Callable[[list[Any]], Any], arguments: list[Any]) -> None:
    if config.num_threads != threads:
        config.num_threads = threads
    call(arguments)


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
