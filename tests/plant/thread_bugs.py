"""Bugs in the thread pool and in loops on threads, to be planted one at a time."""

from __future__ import annotations

from tests.plant.bug import Bug

__all__ = ["THREAD_BUGS"]

POOL, JOBS, PASS = "tir/runtime/pool_text.py", "tir/lower/llvm_threads.py", "tir/passes/parallelize.py"
POOL_TESTS = ("tests/runtime/test_pool.py",)
LOOP_TESTS = ("tests/passes/test_parallelize.py", "-k", "not random_programs")

THREAD_BUGS = (
    Bug(
        "jobs that nobody takes",
        POOL,
        "  %number = atomicrmw add ptr @next, i64 1 monotonic\n",
        "  %number = atomicrmw add ptr @next, i64 2 monotonic\n",
        (*POOL_TESTS, "-k", "each_job"),
    ),
    Bug(
        "a call that does not wait for who has joined it",
        POOL,
        "  br i1 %nobody, label %end, label %wait\n",
        "  br i1 true, label %end, label %wait\n",
        (*POOL_TESTS, "-k", "slowest"),
    ),
    Bug(
        "a call that is never closed to those that come late",
        POOL,
        "  %closed = atomicrmw or ptr @ticket, i64 2147483648 acq_rel\n",
        "  %closed = atomicrmw or ptr @ticket, i64 0 acq_rel\n",
        (*POOL_TESTS, "-k", "slowest or each_job or first_job"),
    ),
    Bug(
        "a call from inside a job that uses the pool as well",
        POOL,
        "  br i1 %claimed, label %hire, label %serial\n",
        "  br i1 true, label %hire, label %serial\n",
        (*POOL_TESTS, "-k", "several or call_the_pool"),
    ),
    Bug(
        "threads that take signals",
        POOL,
        "  %masked = call i32 @pthread_sigmask(i32 2, ptr %all, ptr %mine)\n",
        "  %masked = call i32 @pthread_sigmask(i32 0, ptr null, ptr %mine)\n",
        (*POOL_TESTS, "-k", "signals"),
    ),
    Bug(
        "a child that believes in the threads of its parent",
        "tir/runtime/pool.py",
        "        os.register_at_fork(after_in_child=self._reset)\n",
        "",
        (*POOL_TESTS, "-k", "child"),
    ),
    Bug(
        "threads that never sleep",
        POOL,
        "  br i1 %out, label %sleep, label %spin\n",
        "  br i1 false, label %sleep, label %spin\n",
        (*POOL_TESTS, "-k", "threads_sleep"),
    ),
    Bug(
        "the error of the last job that fails",
        POOL,
        "  %earlier = icmp slt i64 %number, %first\n",
        "  %earlier = icmp eq i32 0, 0\n",
        (*POOL_TESTS, "-k", "first_job"),
    ),
    Bug(
        "numbers of an assert that stay in the pool",
        POOL,
        "  call void @copy(ptr %numbers, ptr @numbers)\n",
        "",
        (*POOL_TESTS, "-k", "first_job"),
    ),
    Bug(
        "more threads than the limit after it has gone down",
        POOL,
        "  %fits = icmp eq i64 %had, %wanted\n",
        "  %fits = icmp sge i64 %had, %wanted\n",
        (*POOL_TESTS, "-k", "number_of_threads"),
    ),
    Bug(
        "a flag that is not told when a `with` ends",
        "tir/configuration.py",
        "            for name in saved:\n                self._tell(name)\n",
        "",
        ("tests/test_configuration.py",),
    ),
    Bug(
        "the last dimension of jobs stepping as the first",
        JOBS,
        "    for count in reversed(counts[1:]):\n",
        "    for count in reversed(counts[:-1]):\n",
        LOOP_TESTS,
    ),
    Bug(
        "a last job of fewer steps that is left out",
        JOBS,
        """    more = f.assign(f"zext i1 {f.assign(f'icmp ne i64 {rest}, 0')} to i64")\n""",
        """    more = f.assign(f"zext i1 {f.assign(f'icmp ne i64 {rest}, {rest}')} to i64")\n""",
        LOOP_TESTS,
    ),
    Bug(
        "counters of jobs that begin at 0",
        JOBS,
        "        job.set(variable, job.add(job[low], job.multiply(number, job[step])))\n",
        "        job.set(variable, job.multiply(number, job[step]))\n",
        LOOP_TESTS,
    ),
    Bug(
        "a vector in the closure that the next value overwrites",
        JOBS,
        "size_in_memory(type) * (lane_count(type) or 1)",
        "size_in_memory(type)",
        LOOP_TESTS,
    ),
    Bug(
        "a job that fails and nobody hears of it",
        JOBS,
        "    if can_fail:\n",
        "    if can_fail and False:\n",
        LOOP_TESTS,
    ),
    Bug(
        "writes of jobs to what is shared that nobody knows of",
        "tir/lower/llvm_text.py",
        "            self.first_lasting_write = inside.first_lasting_write\n",
        "            pass\n",
        LOOP_TESTS,
    ),
    Bug(
        "chunks that overlap by one",
        PASS,
        "            highs[dim] = inside.create(arith.MinSI, inside.create(arith.AddI, start, steps[dim]), highs[dim])\n",
        "            stop = inside.create(arith.AddI, inside.create(arith.AddI, start, steps[dim]), loop.step[dim])\n"
        "            highs[dim] = inside.create(arith.MinSI, stop, highs[dim])\n",
        LOOP_TESTS,
    ),
    Bug(
        "a chunk of iterations that is one of places",
        PASS,
        "            if known_number(self.loop.step[dim]) != 1:\n",
        "            if False:\n",
        LOOP_TESTS,
    ),
    Bug(
        "work of inner loops that counts once",
        PASS,
        "times[block] = _Count(count.number * inside.number, (*count.factors, *inside.factors))",
        "times[block] = _Count(count.number, (*count.factors, *inside.factors))",
        ("tests/test_lit.py", "-k", "parallelize"),
    ),
    Bug(
        "threads that write to one place",
        PASS,
        "    return _shared_place(loop)\n",
        "    return None\n",
        ("tests/test_lit.py", "-k", "parallelize"),
    ),
)
