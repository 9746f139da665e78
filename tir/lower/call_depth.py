"""Machine code has a stack of one size: functions that call themselves, and long chains of calls, are refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tir.dialects.func import Call
from tir.ir.errors import PassError

__all__ = ["MAX_CALL_DEPTH", "check_call_depth"]

MAX_CALL_DEPTH = 100  # the gate allows a function 64 KiB, and a thread has 8 MiB


def check_call_depth(functions: Sequence[Any]) -> None:
    """PassError for a call that leads back to its function, or whose chain is longer than MAX_CALL_DEPTH."""
    calls = {function.sym_name: [op for op in function.walk() if isinstance(op, Call)] for function in functions}
    depth: dict[str, int] = {}  # of the functions that are done
    for root in calls:
        path: dict[str, Iterator[Call]] = {root: iter(calls[root])} if root not in depth else {}
        while path:
            name = next(reversed(path))
            call = next((c for c in path[name] if c.callee not in depth and c.callee in calls), None)
            if call is None:
                del path[name]
                depth[name] = 1 + max((depth.get(c.callee, 0) for c in calls[name]), default=0)
                if depth[name] > MAX_CALL_DEPTH:
                    message = f"@{name}: calls are nested more than {MAX_CALL_DEPTH} deep, which machine code may not"
                    raise PassError(message, calls[name][0].location)
            elif call.callee in path:
                why = "calls itself in the end, which machine code may not; the interpreter may"
                message = f"func.call: @{call.callee} {why}"
                raise PassError(message, call.location)
            else:
                path[call.callee] = iter(calls[call.callee])
