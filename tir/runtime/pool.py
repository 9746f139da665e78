"""The threads on which compiled code runs loops: one pool for this process, started by the first loop that needs it.

    tir.config.num_threads = 2

The pool is machine code (`tir/runtime/pool_text.py`), made when the first code is linked that calls it, and never
unloaded. Its threads start when a loop is first run by more than one, wait for the next for some 50 us, then sleep. They
end with the process. A child process starts its own.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import time
from typing import TYPE_CHECKING

from tir.configuration import config

if TYPE_CHECKING:
    from tir.runtime.jit import Library

__all__ = ["Pool"]

SPIN_SECONDS = 50e-6
_TIMED_SPINS = 500
_STOP_SECONDS = 1.0  # that a process which ends waits for a loop of another thread


class Pool:
    """The pool whose code is the library."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._limit = ctypes.c_int64.from_address(library.address("limit"))
        self._started = ctypes.c_int64.from_address(library.address("started"))
        self._stop = ctypes.CFUNCTYPE(ctypes.c_int32)(library.address("stop"))
        self._reset = ctypes.CFUNCTYPE(None)(library.address("reset"))
        ctypes.c_int64.from_address(library.address("spins")).value = self._spins()
        config.watch("num_threads", self.limit_to)
        self.limit_to(config.num_threads)
        os.register_at_fork(after_in_child=self._reset)
        atexit.register(self.end)

    @property
    def started(self) -> int:
        """How many threads it has besides those that call it."""
        return self._started.value

    def limit_to(self, threads: int) -> None:
        """From the next loop on at most so many threads run one, the caller's among them."""
        self._limit.value = threads

    def stop(self) -> bool:
        """Ends its threads, which the next loop starts again; False, and they stay, while a loop is running."""
        return bool(self._stop())

    def end(self) -> None:
        """Ends its threads for good: what is still called runs on the caller's."""
        self.limit_to(1)
        deadline = time.monotonic() + _STOP_SECONDS
        while not self.stop() and time.monotonic() < deadline:
            time.sleep(0.001)

    def _spins(self) -> int:
        """How often a thread may look for work in SPIN_SECONDS."""
        spin = ctypes.CFUNCTYPE(None, ctypes.c_int64)(self.library.address("spin"))
        fastest = SPIN_SECONDS
        for _ in range(3):  # the fastest: in another one the machine may have done something else
            start = time.perf_counter()
            spin(_TIMED_SPINS)
            fastest = min(fastest, time.perf_counter() - start)
        return int(SPIN_SECONDS / fastest * _TIMED_SPINS)
