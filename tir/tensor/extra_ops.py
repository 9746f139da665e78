"""Theano's place of functions that are made of several ops: `from tir.tensor.extra_ops import to_one_hot`."""

from tir.graph.extra import (
    bartlett,
    bincount,
    broadcast_arrays,
    broadcast_to,
    compress,
    diff,
    fill_diagonal,
    fill_diagonal_offset,
    geomspace,
    linspace,
    logspace,
    ravel_multi_index,
    to_one_hot,
    unravel_index,
)
from tir.graph.reductions import cumprod, cumsum
from tir.graph.shape import repeat, squeeze
from tir.graph.sorting import searchsorted

__all__ = [
    "bartlett", "bincount", "broadcast_arrays", "broadcast_to", "compress", "cumprod", "cumsum", "diff", "fill_diagonal",
    "fill_diagonal_offset", "geomspace", "linspace", "logspace", "ravel_multi_index", "repeat", "searchsorted", "squeeze",
    "to_one_hot", "unravel_index",
]  # fmt: skip
