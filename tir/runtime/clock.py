"""The counter by which compiled code times itself: which intrinsic reads it, and how fast it counts."""

from __future__ import annotations

import ctypes
import time
from functools import cache

from tir.runtime.jit import compile_text, host_target

__all__ = ["clock_intrinsic", "ticks_per_second"]

# What a program may read without asking the system, by the first part of LLVM's target triple. `llvm.readcyclecounter`
# would be one name for both, but ends a process on aarch64, where the counter of cycles is the system's.
_INTRINSICS = {"x86_64": "llvm.x86.rdtsc", "aarch64": "llvm.readsteadycounter"}
_CALIBRATION_SECONDS = 0.01


def clock_intrinsic() -> str:
    """The intrinsic that gives an i64 which counts up steadily, on this machine."""
    return _INTRINSICS[host_target().processor]


@cache
def ticks_per_second() -> float:
    """How far it counts in a second; measured once, to about a thousandth."""
    name = clock_intrinsic()
    text = f"declare i64 @{name}()\ndefine i64 @now() {{\n  %t = call i64 @{name}()\n  ret i64 %t\n}}\n"
    library = compile_text(text, ["now"])
    now = ctypes.CFUNCTYPE(ctypes.c_int64)(library.address("now"))
    start, first = time.perf_counter(), now()
    time.sleep(_CALIBRATION_SECONDS)
    last, end = now(), time.perf_counter()
    return (last - first) / (end - start)
