"""Gather and scatter as the StableHLO specification writes them, in loops over Python's integers.

`places` is the part that both share: which element of the operand each element of the slices means. Beside the
specification there are the modes of tir: where StableHLO's gather clamps, and its scatter leaves out, either does here
what the mode says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.ops.samples.base import larger, smaller, wrap

NAMES = {"i": "i", "u": "ui"}


@dataclass(frozen=True)
class Numbers:
    """The dimension numbers of a gather, and of a scatter under the names of the gather."""

    window: Sequence[int]
    map: Sequence[int]
    vector: int
    collapsed: Sequence[int] = ()
    batching: Sequence[int] = ()
    index_batching: Sequence[int] = ()

    def text(self, sizes: Sequence[int] | None = None) -> str:
        """As the op has them."""
        batching = f"batching {list(self.batching)} of {list(self.index_batching)} " if self.batching else ""
        collapsed = f"collapsed {list(self.collapsed)} " if self.collapsed else ""
        tail = "" if sizes is None else f" sizes {list(sizes)}"
        return f"window {list(self.window)} {collapsed}{batching}map {list(self.map)} vector {self.vector}{tail}"


def places(
    shape: Sequence[int], index: np.ndarray, numbers: Numbers, sizes: Sequence[int], mode: str
) -> dict[tuple[int, ...], tuple[int, ...] | None]:
    """From each place of the slices, in row-major order, to that of the operand; None: outside, in mode drop."""
    batch_sizes = [size for axis, size in enumerate(index.shape) if axis != numbers.vector]
    left_out = {*numbers.collapsed, *numbers.batching}
    window_sizes = [size for axis, size in enumerate(sizes) if axis not in left_out]
    rank = len(batch_sizes) + len(window_sizes)
    batch_dims = [d for d in range(rank) if d not in numbers.window]
    result_shape = [0] * rank
    for d, size in [*zip(batch_dims, batch_sizes), *zip(numbers.window, window_sizes)]:
        result_shape[d] = size
    found: dict[tuple[int, ...], tuple[int, ...] | None] = {}
    for result_index in np.ndindex(*result_shape):
        batch_index = [result_index[d] for d in batch_dims]
        start = _start(index, batch_index, numbers)
        full_start = [0] * len(shape)
        for d_start, d_operand in enumerate(numbers.map):
            at = start[d_start]
            room = shape[d_operand] - sizes[d_operand]
            full_start[d_operand] = min(max(at, 0), room) if mode != "drop" else at
            assert mode != "error" or full_start[d_operand] == at, "a sample must not fail"
        full_batching = [0] * len(shape)
        for d_operand, d_start in zip(numbers.batching, numbers.index_batching):
            full_batching[d_operand] = batch_index[d_start - (0 if d_start < numbers.vector else 1)]
        offset = iter(result_index[d] for d in numbers.window)
        full_offset = [0 if d in left_out else next(offset) for d in range(len(shape))]
        place = tuple(sum(parts) for parts in zip(full_start, full_batching, full_offset))
        inside = all(0 <= p < size for p, size in zip(place, shape))
        found[result_index] = place if inside else None
    return found


def _start(index: np.ndarray, batch_index: list[int], numbers: Numbers) -> list[int]:
    """The vector of starts at a point of the batch."""
    if numbers.vector == index.ndim:
        return [int(index[tuple(batch_index)])]
    front, back = batch_index[: numbers.vector], batch_index[numbers.vector :]
    return [int(index[(*front, k, *back)]) for k in range(index.shape[numbers.vector])]


def read(x: np.ndarray, at: dict[tuple[int, ...], tuple[int, ...] | None], shape: Sequence[int]) -> np.ndarray:
    """The elements at these places, 0 for None."""
    found = np.zeros(shape, x.dtype)
    for place, source in at.items():
        if source is not None:
            found[place] = x[source]
    return found


def written(x: np.ndarray, at: dict[tuple[int, ...], tuple[int, ...] | None], u: np.ndarray, kind: str) -> np.ndarray:
    """x with the updates at these places, one after the other."""
    found = x.copy()
    for place, target in at.items():
        if target is not None:
            with np.errstate(all="ignore"):
                found[target] = combined(kind, found[target].item(), u[place].item(), x.dtype)
    return found


def combined(kind: str, old: Any, update: Any, dtype: np.dtype) -> Any:
    """One step, in Python's numbers."""
    functions = {"set": lambda a, b: b, "add": lambda a, b: a + b, "mul": lambda a, b: a * b, "max": larger, "min": smaller}
    result = functions[kind](old, update)
    return wrap(result, f"{NAMES[dtype.kind]}{8 * dtype.itemsize}") if dtype.kind in "iu" else result


def random_case(r: np.random.Generator) -> tuple[tuple[int, ...], tuple[int, ...], Numbers, tuple[int, ...]]:
    """A shape of the operand, one of the index, dimension numbers that fit, and sizes of windows."""
    rank = int(r.integers(1, 5))
    shape = tuple(int(n) for n in r.integers(1, 5, rank))
    roles = r.choice(["window", "collapsed", "batching"], rank, p=[0.5, 0.3, 0.2])
    collapsed = [i for i in range(rank) if roles[i] == "collapsed"]
    batching = [i for i in range(rank) if roles[i] == "batching"]
    may_start = [i for i in range(rank) if i not in batching]
    map = [int(i) for i in r.permutation(may_start)[: r.integers(0, len(may_start) + 1)]]
    batch = [shape[i] for i in batching] + [int(n) for n in r.integers(0, 4, r.integers(0, 3))]
    order = [int(i) for i in r.permutation(len(batch))]
    index_shape = [batch[i] for i in order]
    vector = int(r.integers(0, len(batch) + 1))
    if len(map) != 1 or r.random() < 0.5:
        index_shape.insert(vector, len(map))
        free = [a for a in range(len(index_shape)) if a != vector]
    else:
        vector, free = len(index_shape), list(range(len(index_shape)))
    index_batching = [free[order.index(i)] for i in range(len(batching))]
    sizes = tuple(1 if roles[i] != "window" else int(r.integers(0, shape[i] + 1)) for i in range(rank))
    windows = sum(role == "window" for role in roles)
    window = sorted(int(i) for i in r.permutation(windows + len(batch))[:windows])
    return shape, tuple(index_shape), Numbers(window, map, vector, collapsed, batching, index_batching), sizes


def slice_shape(index_shape: Sequence[int], numbers: Numbers, sizes: Sequence[int]) -> tuple[int, ...]:
    """The shape of the slices."""
    batch = [size for axis, size in enumerate(index_shape) if axis != numbers.vector]
    kept = [size for axis, size in enumerate(sizes) if axis not in (*numbers.collapsed, *numbers.batching)]
    batch_left, window_left = iter(batch), iter(kept)
    rank = len(batch) + len(kept)
    return tuple(next(window_left) if d in numbers.window else next(batch_left) for d in range(rank))


