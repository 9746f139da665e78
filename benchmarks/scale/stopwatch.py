"""Timing of steps in one process."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["Stopwatch", "resident_bytes"]


class Stopwatch:
    """Seconds of the processor by the name of the step, and other numbers. On a quiet machine they are those of the clock.

    The garbage collector is as a user has it: on. Garbage of one step is collected before the next, outside of the timing.
    """

    def __init__(self) -> None:
        self.found: dict[str, float] = {}

    def __call__(self, step: str, call: Callable[[], Any]) -> Any:
        gc.collect()
        start = time.process_time()
        made = call()
        self.found[step] = time.process_time() - start
        return made


def resident_bytes() -> int:
    """The memory that the process has now; 0 where the system does not say."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if statm.exists() else 0
