"""The thread pool as LLVM IR text: `i32 tir_parallel_for(ptr job, ptr closure, i64 jobs, ptr numbers)`.

It calls `i32 job(ptr closure, i64 number, ptr numbers)` for the numbers 0, 1, .., jobs - 1, on the calling thread and on
workers, and returns when all have run: 0, or the status of the first job, by its number, that gave another one; what that
job has left in its two i64 `numbers` is in those of the caller then. Whoever is free takes the next job; jobs behind one
that failed may or may not run. A call from inside a job, one while another thread's call is under way, and one of a single
job run on the calling thread alone.

See Note [Join tickets].
"""

from __future__ import annotations

from tir.configuration import MOST_THREADS
from tir.ir.externs import PARALLEL_FOR

__all__ = ["EXPORTS", "pool_text"]

EXPORTS = (PARALLEL_FOR, "limit", "spins", "spin", "started", "stop", "reset")

#: How a waiting core is told so, and the number of the system call `futex`, by the first part of LLVM's triple.
_MACHINES = {"x86_64": ("llvm.x86.sse2.pause", 202), "aarch64": ("", 98)}

_IN_ORDER = """
define internal i32 @in_order(ptr %job, ptr %closure, i64 %jobs, ptr %numbers) {
entry:
  br label %for
for:
  %number = phi i64 [ 0, %entry ], [ %next, %body ]
  %status = phi i32 [ 0, %entry ], [ %found, %body ]
  %more = icmp slt i64 %number, %jobs
  %good = icmp eq i32 %status, 0
  %goes.on = and i1 %more, %good
  br i1 %goes.on, label %body, label %done
body:
  %found = call i32 %job(ptr %closure, i64 %number, ptr %numbers)
  %next = add i64 %number, 1
  br label %for
done:
  ret i32 %status
}
"""

_SERIAL = """
@limit = global i64 1
@spins = global i64 0
@started = global i64 0
define void @spin(i64 %times) {
  ret void
}
define i32 @stop() {
  ret i32 1
}
define void @reset() {
  ret void
}
define i32 @tir_parallel_for(ptr %job, ptr %closure, i64 %jobs, ptr %numbers) {
  %status = call i32 @in_order(ptr %job, ptr %closure, i64 %jobs, ptr %numbers)
  ret i32 %status
}
"""

# Words that several threads write stand 128 bytes apart: two on one line of the cache would slow each other down.
_PARALLEL = """
@ticket = internal global i64 2147483648, align 128
@round = internal global i32 0, align 128
@sleepers = internal global i32 0, align 128
@next = internal global i64 0, align 128
@busy = internal global i32 0, align 128
@limit = global i64 1, align 128
@spins = global i64 1000
@started = global i64 0
@stopping = internal global i32 0
@helpers = internal global i64 0
@jobs = internal global i64 0
@job = internal global ptr null
@closure = internal global ptr null
@failing = internal global i32 0
@status = internal global i32 0
@first = internal global i64 0
@numbers = internal global [2 x i64] zeroinitializer
@threads = internal global [{most} x i64] zeroinitializer
{declare_pause}
declare i64 @syscall(i64, ...)
declare i32 @sched_yield()
declare i32 @pthread_create(ptr, ptr, ptr, ptr)
declare i32 @pthread_join(i64, ptr)
declare i32 @pthread_sigmask(i32, ptr, ptr)
declare i32 @sigfillset(ptr)

define i32 @tir_parallel_for(ptr %job, ptr %closure, i64 %jobs, ptr %numbers) {
entry:
  %limit = load atomic i64, ptr @limit monotonic, align 8
  %alone = icmp sle i64 %limit, 1
  %few = icmp sle i64 %jobs, 1
  %either = or i1 %alone, %few
  br i1 %either, label %serial, label %ask
ask:
  %claim = cmpxchg ptr @busy, i32 0, i32 1 acquire monotonic
  %claimed = extractvalue { i32, i1 } %claim, 1
  br i1 %claimed, label %hire, label %serial
serial:
  %of.all = call i32 @in_order(ptr %job, ptr %closure, i64 %jobs, ptr %numbers)
  ret i32 %of.all
hire:
  %wanted = sub i64 %limit, 1
  %had = load i64, ptr @started
  %fits = icmp eq i64 %had, %wanted
  br i1 %fits, label %publish, label %fit
fit:
  call void @dismiss()
  call void @start(i64 %wanted)
  br label %publish
publish:
  %others = sub i64 %jobs, 1
  %helpers = call i64 @llvm.smin.i64(i64 %wanted, i64 %others)
  store atomic i64 %helpers, ptr @helpers monotonic, align 8
  store ptr %job, ptr @job
  store ptr %closure, ptr @closure
  store i64 %jobs, ptr @jobs
  store i64 %jobs, ptr @first
  store i32 0, ptr @status
  store atomic i64 0, ptr @next monotonic, align 8
  %round = load i32, ptr @round
  %new.round = add i32 %round, 1
  %new.round.wide = zext i32 %new.round to i64
  %open = shl i64 %new.round.wide, 32
  store atomic i64 %open, ptr @ticket release, align 8
  store atomic i32 %new.round, ptr @round seq_cst, align 4
  %asleep = load atomic i32, ptr @sleepers seq_cst, align 4
  %any = icmp ne i32 %asleep, 0
  br i1 %any, label %wake, label %share
wake:
  %woken = call i64 (i64, ...) @syscall(i64 {futex}, ptr @round, i64 129, i64 %helpers, ptr null, ptr null, i64 0)
  br label %share
share:
  call void @work()
  %closed = atomicrmw or ptr @ticket, i64 2147483648 acq_rel
  %active = and i64 %closed, 2147483647
  %nobody = icmp eq i64 %active, 0
  br i1 %nobody, label %end, label %wait
wait:
  %patience = phi i64 [ 2000, %share ], [ 2000, %yield ], [ %less, %pause ]
  %now = load atomic i64, ptr @ticket acquire, align 8
  %left = and i64 %now, 2147483647
  %done = icmp eq i64 %left, 0
  br i1 %done, label %end, label %still
still:
  %less = sub i64 %patience, 1
  %impatient = icmp eq i64 %less, 0
  br i1 %impatient, label %yield, label %pause
pause:
  {pause}
  br label %wait
yield:
  %yielded = call i32 @sched_yield()
  br label %wait
end:
  %status = load i32, ptr @status
  %good = icmp eq i32 %status, 0
  br i1 %good, label %over, label %failed
failed:
  call void @copy(ptr %numbers, ptr @numbers)
  br label %over
over:
  store atomic i32 0, ptr @busy release, align 4
  ret i32 %status
}

define internal void @work() {
entry:
  %numbers = alloca [2 x i64], align 8
  %jobs = load i64, ptr @jobs
  %job = load ptr, ptr @job
  %closure = load ptr, ptr @closure
  br label %take
take:
  %number = atomicrmw add ptr @next, i64 1 monotonic
  %more = icmp slt i64 %number, %jobs
  br i1 %more, label %do, label %end
do:
  %status = call i32 %job(ptr %closure, i64 %number, ptr %numbers)
  %good = icmp eq i32 %status, 0
  br i1 %good, label %take, label %fail
fail:
  call void @fail(i64 %number, i32 %status, ptr %numbers)
  br label %take
end:
  ret void
}

define internal void @fail(i64 %number, i32 %status, ptr %numbers) {
entry:
  br label %lock
lock:
  %locked = atomicrmw xchg ptr @failing, i32 1 acquire
  %free = icmp eq i32 %locked, 0
  br i1 %free, label %look, label %lock
look:
  %first = load i64, ptr @first
  %earlier = icmp slt i64 %number, %first
  br i1 %earlier, label %keep, label %unlock
keep:
  store i64 %number, ptr @first
  store i32 %status, ptr @status
  call void @copy(ptr @numbers, ptr %numbers)
  br label %unlock
unlock:
  store atomic i32 0, ptr @failing release, align 4
  ret void
}

define internal void @copy(ptr %to, ptr %from) {
  %second.to = getelementptr i64, ptr %to, i64 1
  %second.from = getelementptr i64, ptr %from, i64 1
  %first = load i64, ptr %from
  %second = load i64, ptr %second.from
  store i64 %first, ptr %to
  store i64 %second, ptr %second.to
  ret void
}

define internal ptr @worker(ptr %nothing) {
entry:
  %first = load atomic i32, ptr @round seq_cst, align 4
  %unwanted = load atomic i32, ptr @stopping acquire, align 4
  %late = icmp ne i32 %unwanted, 0
  br i1 %late, label %end, label %begin
begin:
  call void @join()
  br label %watch
watch:
  %seen = phi i32 [ %first, %begin ], [ %round, %join ], [ %seen, %slept ]
  %patience = load atomic i64, ptr @spins monotonic, align 8
  br label %look
look:
  %left = phi i64 [ %patience, %watch ], [ %less, %spin ]
  %round = load atomic i32, ptr @round acquire, align 4
  %same = icmp eq i32 %round, %seen
  br i1 %same, label %idle, label %awake
idle:
  %out = icmp sle i64 %left, 0
  br i1 %out, label %sleep, label %spin
spin:
  {pause}
  %less = sub i64 %left, 1
  br label %look
sleep:
  %before = atomicrmw add ptr @sleepers, i32 1 seq_cst
  %slept.for = call i64 (i64, ...) @syscall(i64 {futex}, ptr @round, i64 128, i32 %seen, ptr null, ptr null, i64 0)
  %after = atomicrmw sub ptr @sleepers, i32 1 seq_cst
  br label %slept
slept:
  br label %watch
awake:
  %stop = load atomic i32, ptr @stopping acquire, align 4
  %stops = icmp ne i32 %stop, 0
  br i1 %stops, label %end, label %join
end:
  ret ptr null
join:
  call void @join()
  br label %watch
}

define internal void @join() {
entry:
  %at.first = load atomic i64, ptr @ticket acquire, align 8
  br label %try
try:
  %ticket = phi i64 [ %at.first, %entry ], [ %found, %claim ]
  %low = and i64 %ticket, 4294967295
  %helpers = load atomic i64, ptr @helpers monotonic, align 8
  %free = icmp ult i64 %low, %helpers
  br i1 %free, label %claim, label %end
claim:
  %more = add i64 %ticket, 1
  %pair = cmpxchg ptr @ticket, i64 %ticket, i64 %more acq_rel acquire
  %found = extractvalue { i64, i1 } %pair, 0
  %joined = extractvalue { i64, i1 } %pair, 1
  br i1 %joined, label %help, label %try
help:
  call void @work()
  %before = atomicrmw sub ptr @ticket, i64 1 release
  br label %end
end:
  ret void
}

define internal void @start(i64 %wanted) {
entry:
  %all = alloca [128 x i8], align 16
  %mine = alloca [128 x i8], align 16
  %filled = call i32 @sigfillset(ptr %all)
  %masked = call i32 @pthread_sigmask(i32 2, ptr %all, ptr %mine)
  br label %next
next:
  %count = phi i64 [ 0, %entry ], [ %following, %made ]
  %more = icmp slt i64 %count, %wanted
  br i1 %more, label %make, label %end
make:
  %place = getelementptr i64, ptr @threads, i64 %count
  %error = call i32 @pthread_create(ptr %place, ptr null, ptr @worker, ptr null)
  %following = add i64 %count, 1
  %good = icmp eq i32 %error, 0
  br i1 %good, label %made, label %less
less:
  store atomic i64 %following, ptr @limit monotonic, align 8
  br label %end
made:
  store i64 %following, ptr @started
  br label %next
end:
  %unmasked = call i32 @pthread_sigmask(i32 2, ptr %mine, ptr null)
  ret void
}

define internal void @dismiss() {
entry:
  store atomic i32 1, ptr @stopping release, align 4
  %round = load i32, ptr @round
  %new.round = add i32 %round, 1
  store atomic i32 %new.round, ptr @round seq_cst, align 4
  %woken = call i64 (i64, ...) @syscall(i64 {futex}, ptr @round, i64 129, i64 {most}, ptr null, ptr null, i64 0)
  %count = load i64, ptr @started
  br label %next
next:
  %left = phi i64 [ %count, %entry ], [ %one, %wait ]
  %more = icmp sgt i64 %left, 0
  br i1 %more, label %wait, label %end
wait:
  %one = sub i64 %left, 1
  %place = getelementptr i64, ptr @threads, i64 %one
  %thread = load i64, ptr %place
  %joined = call i32 @pthread_join(i64 %thread, ptr null)
  br label %next
end:
  store i64 0, ptr @started
  store atomic i32 0, ptr @stopping release, align 4
  ret void
}

define i32 @stop() {
entry:
  %claim = cmpxchg ptr @busy, i32 0, i32 1 acquire monotonic
  %claimed = extractvalue { i32, i1 } %claim, 1
  br i1 %claimed, label %free, label %taken
free:
  call void @dismiss()
  store atomic i32 0, ptr @busy release, align 4
  ret i32 1
taken:
  ret i32 0
}

define void @reset() {
  store i32 0, ptr @failing
  store i64 0, ptr @started
  store i32 0, ptr @stopping
  store i32 0, ptr @sleepers
  store atomic i64 2147483648, ptr @ticket release, align 8
  store atomic i32 0, ptr @busy release, align 4
  ret void
}

define void @spin(i64 %times) {
entry:
  br label %look
look:
  %left = phi i64 [ %times, %entry ], [ %less, %again ]
  %round = load atomic i32, ptr @round acquire, align 4
  %done = icmp sle i64 %left, 0
  br i1 %done, label %end, label %again
again:
  {pause}
  %less = sub i64 %left, 1
  br label %look
end:
  ret void
}

declare i64 @llvm.smin.i64(i64, i64)
"""


def pool_text(machine: str, platform: str) -> str:
    """The pool for a machine, by the first part of its triple; where there is no futex, one that starts no threads."""
    if platform != "linux" or machine not in _MACHINES:
        return _SERIAL + _IN_ORDER
    pause, futex = _MACHINES[machine]
    words = {
        "most": MOST_THREADS, "futex": futex, "pause": f"call void @{pause}()" if pause else "",
        "declare_pause": f"declare void @{pause}()" if pause else "",
    }  # fmt: skip
    text = _PARALLEL + _IN_ORDER
    for word, value in words.items():
        text = text.replace(f"{{{word}}}", str(value))
    return text


# Note [Join tickets]
# A call does not wait for its workers but for those that have joined it: on a busy machine one that sleeps, or whose
# core somebody else has, may come milliseconds late. `@ticket` says in one word who works on what: the number of the
# call << 32 | closed << 31 | how many have joined. A worker joins by a compare and exchange that adds one, which fails if
# the call is closed, or another one, meanwhile. The caller closes it when no job is left to take, and waits until those
# that joined are gone; so it may write the fields of the next call, which the ticket's release and acquire hand over.
#
# `@round` is the number of the last call once more, in 32 bits, since that is what a futex can wait for. A worker counts
# itself among `@sleepers` before it looks at `@round` for the last time (the futex does), and the caller changes `@round`
# before it looks at `@sleepers`, all sequentially consistent: one of the two sees the other.
#
# A worker that wakes up too late takes the round as seen and goes on watching. One that has waited for `@spins` looks at
# the round goes to sleep. Signals are all blocked in workers: Python's handlers run in its main thread.
#
# After a fork the child has none of the threads, and whatever state the pool was in: `reset` starts anew. The round goes
# on counting, since a worker of the parent is none of the child's.
