"""What `x[index]` means, as a slice and axes to drop and add."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tir.ir.errors import TirError, counted
from tir.ir.types import Dim, TensorType, dim_text

__all__ = ["IndexPlan", "index_plan"]


@dataclass
class IndexPlan:
    """A slice of each axis (as `tir.slice` counts), then axes of it to drop, then axes of the result to add."""

    starts: list[int] = field(default_factory=list)
    limits: list[int] = field(default_factory=list)
    strides: list[int] = field(default_factory=list)
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


def index_plan(index: Any, type: TensorType) -> IndexPlan:
    """The plan for an integer, slice, `...`, None or tuple of them."""
    plan = IndexPlan()
    for part in _spelled_out(index if isinstance(index, tuple) else (index,), type.rank):
        axis = len(plan.starts)
        if part is None:
            plan.added.append(axis + len(plan.added) - len(plan.dropped))
        elif isinstance(part, slice):
            plan.take(*_slice_of(part, type.shape[axis]))
        else:
            start = _position(part, type.shape[axis])
            plan.dropped.append(axis)
            plan.take(start, start + 1, 1)
    return plan


def _spelled_out(parts: tuple[Any, ...], rank: int) -> list[Any]:
    """The parts with a full slice for each axis that `...` or the end leaves out."""
    for part in parts:
        if not (part is None or part is Ellipsis or isinstance(part, slice) or hasattr(part, "__index__")):
            raise TirError(f"an index is an integer, a slice, `...` or None, got {part!r}")
    used = sum(part is not None and part is not Ellipsis for part in parts)
    if used > rank:
        raise TirError(f"rank {rank} takes at most {counted(rank, 'index', 'indices')}, got {used}")
    if sum(part is Ellipsis for part in parts) > 1:
        raise TirError("`...` may stand only once")
    rest: list[Any] = [slice(None)] * (rank - used)
    at = next((i for i, part in enumerate(parts) if part is Ellipsis), len(parts))
    return [*parts[:at], *rest, *parts[at + 1 :]]


def _position(part: Any, size: Dim) -> int:
    at = part.__index__()
    if isinstance(size, int) and not -size <= at < size:
        raise TirError(f"index {at} is out of bounds for size {size}")
    if at < 0 and not isinstance(size, int):
        raise TirError(f"index {at} counts from the end, which size {dim_text(size)} does not allow")
    return at if at >= 0 else at + size


def _slice_of(part: slice, size: Dim) -> tuple[int, int, int]:
    """start, limit and stride as `tir.slice` has them."""
    stride = 1 if part.step is None else part.step.__index__()
    if stride < 1:
        raise TirError(f"a slice needs a step of at least 1, got {stride}")
    if isinstance(size, int):
        start, stop, _ = part.indices(size)
        whole = (start, stop) == (0, size)
        return (0, 0, stride) if whole else (start, max(start, stop), stride) if stop > 0 else (size, 0, stride)
    start, stop = part.start or 0, 0 if part.stop is None else part.stop.__index__()
    if start < 0 or (part.stop is not None and stop == 0):
        raise TirError(
            f"[{part.start}:{part.stop}] of an axis of size {dim_text(size)} must begin at 0 or more and not be empty"
        )
    return start, stop, stride
