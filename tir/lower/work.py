"""About how many operations a call of a function of the loops level is, as far as its text tells.

    work_of(function) -> (c0, c1, c2)          c0 + c1 * n + c2 * n^2, where n is the largest size that is open

For decisions about time alone: whether a call is long enough to let other threads of Python run meanwhile.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

from tir.dialects import scf
from tir.ir.flow import known_count
from tir.ir.ir import Op
from tir.ir.types import MemRefType

__all__ = ["UNKNOWN_WORK", "work_of"]

#: The work of what says nothing about how often it runs: a loop with a condition, a call.
UNKNOWN_WORK = 1e18


def work_of(function: Op) -> tuple[float, ...]:
    """The coefficients by the power of the largest open size; at least one."""
    if len(function.regions[0].blocks) != 1:
        return (UNKNOWN_WORK,)
    found = defaultdict(float, {0: 0.0})
    times: dict[Op, tuple[float, int]] = {function: (1.0, 0)}
    for op in function.walk():
        if op is function:
            continue
        parent = op.parent_op
        assert parent is not None
        count, power = times.get(parent, (1.0, 0))
        more, more_power = _work_once(op)
        found[power + more_power] += count * more
        if op.regions:
            trips, trips_power = _trips(op)
            times[op] = (count * trips, power + trips_power)
    return tuple(found[k] for k in range(max(found) + 1))


def _work_once(op: Op) -> tuple[float, int]:
    """The work of an op without its regions: a number, and a power of the largest open size."""
    if op.name == "func.call":
        return UNKNOWN_WORK, 0
    if op.name == "memref.copy":
        return _elements(op.operands[0].type)
    return 1.0, 0


def _elements(type: Any) -> tuple[float, int]:
    count, power = 1.0, 0
    for size in type.shape if isinstance(type, MemRefType) else ():
        count, power = (count * size, power) if isinstance(size, int) else (count, power + 1)
    return count, power


def _trips(op: Op) -> tuple[float, int]:
    """How often the regions of an op run each time that it does."""
    if isinstance(op, scf.For):
        bounds = [(op.lowerBound, op.upperBound, op.step)]
    elif isinstance(op, scf.Parallel):
        bounds = list(zip(op.lowerBound, op.upperBound, op.step))
    else:
        return (UNKNOWN_WORK if isinstance(op, scf.While) else 1.0), 0
    counts = [known_count(*loop) for loop in bounds]
    return float(math.prod(count for count in counts if count is not None)), counts.count(None)
