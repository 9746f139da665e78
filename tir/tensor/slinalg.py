"""Theano's place of linear algebra that scipy has: `T.slinalg.cholesky`."""

from typing import Any

from tir.graph.linalg import (
    cho_solve,
    cholesky,
    kron,
    solve,
    solve_lower_triangular,
    solve_triangular,
    solve_upper_triangular,
)
from tir.tensor.missing import missing

__all__ = [
    "cho_solve", "cholesky", "kron", "solve", "solve_lower_triangular", "solve_triangular", "solve_upper_triangular",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    raise missing(__name__, name, __all__)
