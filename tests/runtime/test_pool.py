"""The thread pool: every job once whatever else goes on, no thread but the caller's where that is asked for, forks, signals."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import tir
from tir.configuration import MOST_THREADS
from tir.runtime.jit import Library, compile_text, emit_object, pool
from tir.runtime.pool_text import EXPORTS as EXPORTS_OF_POOL
from tir.runtime.pool_text import pool_text

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the pool has no threads")

ROOT = Path(__file__).resolve().parent.parent.parent

#: Jobs on a closure (ptr counters, i64 jobs inside): each adds one to its counter, or calls the pool; some fail.
TEXT = """
@said = internal global [2 x i64] zeroinitializer
declare i32 @tir_parallel_for(ptr, ptr, i64, ptr)
define internal i32 @count(ptr %counters, i64 %number, ptr %numbers) {
  %place = getelementptr i64, ptr %counters, i64 %number
  %old = load i64, ptr %place
  %new = add i64 %old, 1
  store i64 %new, ptr %place
  ret i32 0
}
define internal i32 @nest(ptr %closure, i64 %number, ptr %numbers) {
  %counters = load ptr, ptr %closure
  %size.at = getelementptr i64, ptr %closure, i64 1
  %size = load i64, ptr %size.at
  %start = mul i64 %number, %size
  %row = getelementptr i64, ptr %counters, i64 %start
  %status = call i32 @tir_parallel_for(ptr @count, ptr %row, i64 %size, ptr %numbers)
  ret i32 %status
}
define internal i32 @fail(ptr %limits, i64 %number, ptr %numbers) {
entry:
  %first = load i64, ptr %limits
  %fails = icmp sge i64 %number, %first
  br i1 %fails, label %wrong, label %good
wrong:
  store i64 %number, ptr %numbers
  %second.at = getelementptr i64, ptr %numbers, i64 1
  %square = mul i64 %number, %number
  store i64 %square, ptr %second.at
  %small = trunc i64 %number to i32
  %status = add i32 %small, 1
  ret i32 %status
good:
  ret i32 0
}
define i32 @flat(ptr %counters, i64 %jobs, i64 %times) {
entry:
  br label %for
for:
  %i = phi i64 [ 0, %entry ], [ %next, %body ]
  %more = icmp slt i64 %i, %times
  br i1 %more, label %body, label %done
body:
  %status = call i32 @tir_parallel_for(ptr @count, ptr %counters, i64 %jobs, ptr @said)
  %next = add i64 %i, 1
  br label %for
done:
  ret i32 0
}
define i32 @nested(ptr %counters, i64 %rows, i64 %size) {
  %closure = alloca [2 x i64], align 8
  store ptr %counters, ptr %closure
  %size.at = getelementptr i64, ptr %closure, i64 1
  store i64 %size, ptr %size.at
  %status = call i32 @tir_parallel_for(ptr @nest, ptr %closure, i64 %rows, ptr @said)
  ret i32 %status
}
define i32 @failing(ptr %limits, i64 %jobs, ptr %numbers) {
  %status = call i32 @tir_parallel_for(ptr @fail, ptr %limits, i64 %jobs, ptr %numbers)
  ret i32 %status
}
define internal i32 @meet(ptr %met, i64 %number, ptr %numbers) {
entry:
  %before = atomicrmw add ptr %met, i64 1 seq_cst
  br label %wait
wait:
  %patience = phi i64 [ 2000000000, %entry ], [ %less, %wait ]
  %now = load atomic i64, ptr %met acquire, align 8
  %all = icmp sge i64 %now, 2
  %less = sub i64 %patience, 1
  %out = icmp eq i64 %less, 0
  %either = or i1 %all, %out
  br i1 %either, label %done, label %wait
done:
  %alone = xor i1 %all, true
  %status = zext i1 %alone to i32
  ret i32 %status
}
define internal i32 @linger(ptr %closure, i64 %number, ptr %numbers) {
entry:
  %status = call i32 @meet(ptr %closure, i64 %number, ptr %numbers)
  %slow = icmp eq i64 %number, 1
  br i1 %slow, label %wait, label %done
wait:
  %left = phi i64 [ 1000000, %entry ], [ %less, %wait ]
  %now = load atomic i64, ptr %closure acquire, align 8
  %less = sub i64 %left, 1
  %out = icmp eq i64 %less, 0
  br i1 %out, label %said, label %wait
said:
  %flag = getelementptr i64, ptr %closure, i64 1
  store i64 1, ptr %flag
  br label %done
done:
  ret i32 %status
}
define i32 @lingering() {
  %closure = alloca [2 x i64], align 8
  %flag = getelementptr i64, ptr %closure, i64 1
  store i64 0, ptr %closure
  store i64 0, ptr %flag
  %status = call i32 @tir_parallel_for(ptr @linger, ptr %closure, i64 2, ptr @said)
  %found = load atomic i64, ptr %flag acquire, align 8
  %flags = trunc i64 %found to i32
  %result = sub i32 %flags, %status
  ret i32 %result
}
define i32 @meeting() {
  %met = alloca i64, align 8
  store i64 0, ptr %met
  %status = call i32 @tir_parallel_for(ptr @meet, ptr %met, i64 2, ptr @said)
  ret i32 %status
}
"""
EXPORTS = ("flat", "nested", "failing", "meeting", "lingering")


@cache
def library() -> Library:
    return compile_text(TEXT, EXPORTS, ("memory", "pool"))


def native(name: str, *kinds: type) -> Callable[..., int]:
    return ctypes.CFUNCTYPE(ctypes.c_int32, *kinds)(library().address(name))


def count_jobs(jobs: int, times: int = 1, nested: int = 1) -> np.ndarray:
    """How often each job ran."""
    counters = np.zeros(jobs * nested, np.int64)
    function = native("nested" if nested > 1 else "flat", ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
    function(counters.ctypes.data, jobs, nested if nested > 1 else times)
    return counters


def two_threads_meet() -> bool:
    """Two jobs that wait for each other both ran: on two threads."""
    return native("meeting")() == 0


@pytest.fixture(params=[2, 3, 5], autouse=True)
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    with tir.config.change_flags(num_threads=request.param):
        yield request.param


@pytest.mark.parametrize("jobs", [0, 1, 2, 3, 4, 7, 100, 1001])
def test_each_job_runs_once(jobs: int) -> None:
    assert (count_jobs(jobs) == 1).all()


def test_each_job_runs_once_in_a_hundred_thousand_calls() -> None:
    assert (count_jobs(4, 100_000) == 100_000).all()


@pytest.mark.parametrize("spins", [0, 20])
def test_each_job_runs_once_if_threads_sleep_all_the_time(spins: int) -> None:
    word = ctypes.c_int64.from_address(pool().library.address("spins"))
    before, word.value = word.value, spins
    try:
        assert (count_jobs(5, 20_000) == 20_000).all()
        assert two_threads_meet()
    finally:
        word.value = before


def test_more_than_one_thread_takes_part() -> None:
    assert two_threads_meet()
    assert pool().started == tir.config.num_threads - 1


@pytest.mark.parametrize(("first", "jobs"), [(0, 1), (0, 40), (1, 2), (17, 40), (39, 40), (40, 40)])
def test_status_is_that_of_the_first_job_that_fails(first: int, jobs: int) -> None:
    """The jobs behind it fail as well, each with a status and numbers of its own."""
    limits, numbers = np.array([first]), np.zeros(2, np.int64)
    function = native("failing", ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p)
    for _ in range(200):
        status = function(limits.ctypes.data, jobs, numbers.ctypes.data)
        assert (status, *numbers) == ((first + 1, first, first**2) if first < jobs else (0, 0, 0))


def test_call_ends_when_the_slowest_job_has() -> None:
    assert [native("lingering")() for _ in range(20)] == [1] * 20


def test_jobs_that_call_the_pool_run_once() -> None:
    for _ in range(200):
        assert (count_jobs(6, nested=50) == 1).all()


def test_several_python_threads_call_at_once() -> None:
    found: list[np.ndarray] = []
    callers = [threading.Thread(target=lambda: found.append(count_jobs(3 + len(found), 30_000))) for _ in range(3)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(found) == 3 and all((counters == 30_000).all() for counters in found)


def test_number_of_threads_changes_between_calls() -> None:
    for number in (2, 4, 1, 3, 2, 1, 5):
        tir.config.num_threads = number
        before = pool().started
        assert (count_jobs(7, 300) == 300).all()
        assert pool().started == (number - 1 if number > 1 else before)


def test_one_thread_starts_none() -> None:
    assert pool().stop()
    with tir.config.change_flags(num_threads=1):
        assert (count_jobs(100, 10) == 10).all()
        assert pool().started == 0
    assert two_threads_meet() and pool().started == tir.config.num_threads - 1


def test_threads_start_again_after_a_stop() -> None:
    for _ in range(20):
        assert (count_jobs(9, 20) == 20).all()
        assert pool().stop() and pool().started == 0


def test_child_process_has_threads_of_its_own() -> None:
    assert two_threads_meet()
    child = os.fork()
    if child == 0:
        good = pool().started == 0 and (count_jobs(50, 200) == 200).all() and two_threads_meet()
        os._exit(0 if good else 1)
    assert (count_jobs(50, 200) == 200).all()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert two_threads_meet()


def test_child_of_a_process_in_the_middle_of_a_call() -> None:
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            count_jobs(4, 20_000)

    caller = threading.Thread(target=work)
    caller.start()
    try:
        for _ in range(10):
            child = os.fork()
            if child == 0:
                os._exit(0 if (count_jobs(50, 20) == 20).all() and two_threads_meet() else 1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        stop.set()
        caller.join()


def test_signals_reach_the_main_thread_of_python() -> None:
    seen: list[str] = []
    before = signal.signal(signal.SIGALRM, lambda *_: seen.append(threading.current_thread().name))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
        while len(seen) < 5:
            count_jobs(8, 1000)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert set(seen) == {"MainThread"}


def test_threads_take_no_signals() -> None:
    assert pool().stop()
    others = set(os.listdir("/proc/self/task"))
    assert two_threads_meet()
    own = set(os.listdir("/proc/self/task")) - others
    assert len(own) == tir.config.num_threads - 1
    for thread in own:
        status = Path(f"/proc/self/task/{thread}/status").read_text(encoding="ascii")
        blocked = int(status.split("SigBlk:\t")[1].split()[0], 16)
        assert blocked >> (signal.SIGALRM - 1) & 1


def ends(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    setting = {**os.environ, "PYTHONPATH": str(ROOT), "TIR_NUM_THREADS": "3", **environment}
    return subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60, env=setting
    )


CALL = "import tests.runtime.test_pool as t; t.count_jobs(100, 100); assert t.pool().started == 2, t.pool().started\n"


@pytest.mark.parametrize(
    "end", ["", "raise SystemExit(0)", "import os; os._exit(0)", "t.pool().stop()", "t.pool().end(); t.count_jobs(5)"]
)
def test_process_ends_whatever_its_threads_do(end: str) -> None:
    done = ends(CALL + end)
    assert (done.returncode, done.stderr) == (0, "")


def test_process_ends_while_a_thread_calls() -> None:
    caller = "import threading\nthreading.Thread(target=lambda: [t.count_jobs(9, 1000) for _ in iter(int, 1)], daemon=True).start()\n"
    done = ends(CALL + caller + "import time; time.sleep(0.2)")
    assert (done.returncode, done.stderr) == (0, "")


def test_threads_sleep_when_there_is_nothing_to_do() -> None:
    done = ends(CALL + "import time; time.sleep(0.05); a = time.process_time(); time.sleep(0.3); print(time.process_time() - a)")
    assert float(done.stdout) < 0.02, done  # Python itself takes a millisecond


@pytest.mark.parametrize(("machine", "platform"), [("x86_64", "freebsd14"), ("riscv64", "linux")])
def test_pool_without_threads_runs_all_jobs(machine: str, platform: str) -> None:
    text = pool_text(machine, platform)
    assert "pthread" not in text
    serial = compile_text(text, EXPORTS_OF_POOL, ("memory",))
    seen: list[int] = []
    word = ctypes.c_int64
    job = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, word, ctypes.c_void_p)(
        lambda _, number, numbers: seen.append(number) or (7 if number == 4 else 0)
    )
    run = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, word, ctypes.c_void_p)(
        serial.address("tir_parallel_for")
    )
    address = ctypes.cast(job, ctypes.c_void_p)
    assert run(address, None, 3, None) == 0 and seen == [0, 1, 2]
    assert run(address, None, 9, None) == 7 and seen == [0, 1, 2, 0, 1, 2, 3, 4]


def test_no_machine_has_a_word_left_in_its_text() -> None:
    for machine in ("x86_64", "aarch64"):
        text = pool_text(machine, "linux")
        assert not [word for word in ("{most}", "{pause}", "{declare_pause}", "{futex}") if word in text]
    assert "sse2" not in pool_text("aarch64", "linux") and f"[{MOST_THREADS} x i64]" in text


def test_code_without_the_grant_may_not_call_the_pool() -> None:
    with pytest.raises(tir.TirError, match="the code calls 'tir_parallel_for', which needs the grant 'pool'"):
        emit_object(TEXT)
