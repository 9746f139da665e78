"""Theano's place of linear algebra that numpy has: `T.nlinalg.matrix_inverse`."""

from typing import Any

from tir.graph.creation import diag, trace
from tir.graph.linalg import det, inv, matrix_dot, matrix_inverse, matrix_power, norm
from tir.tensor.missing import missing

__all__ = [
    "alloc_diag", "det", "diag", "extract_diag", "inv", "matrix_dot", "matrix_inverse", "matrix_power", "norm", "trace",
]  # fmt: skip

alloc_diag = extract_diag = diag


def __getattr__(name: str) -> Any:
    raise missing(__name__, name, __all__)
