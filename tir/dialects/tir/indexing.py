"""What `x[index]` means: a slice of each axis, axes to turn round, to drop and to add; and which parts are arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tir.dialects.tir.build.core import Tensor
from tir.ir.errors import TirError, counted
from tir.ir.ir import Value
from tir.ir.types import Dim, TensorType, dim_text
from tir.lazy import np

__all__ = ["IndexPlan", "checked_position", "index_plan", "is_array", "spelled_out"]


@dataclass
class IndexPlan:
    """A slice of each axis (as `tir.slice` counts), then axes of it to drop, then axes of the result to add.

    reversed_before, reversed_after: axes to turn round before and after the slice.
    """

    starts: list[int] = field(default_factory=list)
    limits: list[int] = field(default_factory=list)
    strides: list[int] = field(default_factory=list)
    reversed_before: list[int] = field(default_factory=list)
    reversed_after: list[int] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)
    added: list[int] = field(default_factory=list)

    @property
    def cuts(self) -> bool:
        """The slice is not the whole tensor."""
        return any(self.starts) or any(self.limits) or any(stride != 1 for stride in self.strides)

    def take(self, start: int, limit: int, stride: int) -> None:
        """Adds the slice of the next axis."""
        self.starts.append(start)
        self.limits.append(limit)
        self.strides.append(stride)


def index_plan(parts: list[Any], type: TensorType) -> IndexPlan:
    """The plan for integers, slices and None, that name all axes."""
    plan = IndexPlan()
    for part in parts:
        axis = len(plan.starts)
        if part is None:
            plan.added.append(axis + len(plan.added) - len(plan.dropped))
        elif isinstance(part, slice):
            _add_slice(plan, part, type.shape[axis])
        else:
            _add_position(plan, part.__index__(), type.shape[axis])
    return plan


def is_array(part: Any) -> bool:
    """The part of an index is an array or a tensor of positions."""
    return isinstance(part, (list, Tensor, Value)) or (isinstance(part, np.ndarray) and part.ndim > 0)


def spelled_out(index: Any, rank: int) -> list[Any]:
    """The parts of an index with a full slice for each axis that `...` or the end leaves out."""
    parts = index if isinstance(index, tuple) else (index,)
    for part in parts:
        known = part is None or part is Ellipsis or isinstance(part, slice) or is_array(part)
        if isinstance(part, (bool, np.bool_)) or not (known or hasattr(part, "__index__")):
            raise TirError(f"an index is an integer, a slice, `...`, None or an array of integers, got {part!r}")
    used = sum(part is not None and part is not Ellipsis for part in parts)
    if used > rank:
        raise TirError(f"rank {rank} takes at most {counted(rank, 'index', 'indices')}, got {used}")
    if sum(part is Ellipsis for part in parts) > 1:
        raise TirError("`...` may stand only once")
    rest: list[Any] = [slice(None)] * (rank - used)
    at = next((i for i, part in enumerate(parts) if part is Ellipsis), len(parts))
    return [*parts[:at], *rest, *parts[at + 1 :]]


def checked_position(at: int, size: int) -> int:
    """A position, counted from the front; TirError if it is outside."""
    if not -size <= at < size:
        raise TirError(f"index {at} is out of bounds for size {size}")
    return at % size


def _add_position(plan: IndexPlan, at: int, size: Dim) -> None:
    """One place of the next axis; from an end that only run time knows, on the axis turned round."""
    axis = len(plan.starts)
    if isinstance(size, int):
        at = checked_position(at, size)
    elif at < 0:
        at = -at - 1
        plan.reversed_before.append(axis)
    plan.dropped.append(axis)
    plan.take(at, at + 1, 1)


def _add_slice(plan: IndexPlan, part: slice, size: Dim) -> None:
    """The slice of the next axis: start, limit and stride as `tir.slice` has them, and which way round."""
    for bound in (part.start, part.stop, part.step):
        if bound is not None and (isinstance(bound, Tensor) or not hasattr(bound, "__index__")):
            raise TirError(f"the bounds of a slice are integers, got {bound!r}; dynamic_slice takes a tensor as start")
    step = 1 if part.step is None else part.step.__index__()
    axis = len(plan.starts)
    if step == 0:
        raise TirError("a slice needs a step that is not 0")
    if isinstance(size, int):
        places = range(*part.indices(size))
        if len(places) == size:
            plan.take(0, 0, 1)
        elif not places:
            plan.take(size, 0, 1)
        else:
            low, high = sorted((places[0], places[-1]))
            plan.take(low, high + 1, abs(step))
    elif step > 0:
        plan.take(*_open_slice(part, size), step)
    else:
        _add_backwards(plan, part, size, -step)
        return
    if step < 0:
        plan.reversed_after.append(axis)


def _open_slice(part: slice, size: Dim) -> tuple[int, int]:
    """start and limit on an axis of which only run time knows the size."""
    start, stop = part.start or 0, 0 if part.stop is None else part.stop.__index__()
    if start < 0 or (part.stop is not None and stop == 0):
        raise TirError(
            f"[{part.start}:{part.stop}] of an axis of size {dim_text(size)} must begin at 0 or more and not be empty"
        )
    return start, stop


def _add_backwards(plan: IndexPlan, part: slice, size: Dim, step: int) -> None:
    """The same for a step below 0. Bounds that count from the end are positions on the axis turned round."""
    axis = len(plan.starts)
    start, stop = part.start, part.stop
    if (start is None or start < 0) and (stop is None or stop < 0):
        begin, end = 0 if start is None else -start - 1, 0 if stop is None else -stop - 1
        if stop is None or end > begin:
            plan.reversed_before.append(axis)
            plan.take(begin, end, step)
            return
    elif start is not None and start >= 0 and (stop is None or 0 <= stop < start):
        places = range(start, -1 if stop is None else stop, -step)
        plan.reversed_after.append(axis)
        plan.take(places[-1], start + 1, step)
        return
    raise TirError(
        f"[{start}:{stop}:{-step}] of an axis of size {dim_text(size)} must have both bounds from one end and not be empty"
    )
