"""Theano's linear algebra of matrices: inverse, determinant, triangular factors and systems."""

from __future__ import annotations

import functools
import operator
from typing import Any

from tir.dialects.tir.build.core import Tensor
from tir.graph import elementwise, products, reductions, shape
from tir.graph.errors import GraphTypeError, GraphValueError
from tir.graph.graph import GRAPH as b
from tir.graph.graph import located

__all__ = [
    "cho_solve", "cholesky", "det", "inv", "kron", "matrix_dot", "matrix_inverse", "matrix_power", "norm", "solve",
    "solve_lower_triangular", "solve_triangular", "solve_upper_triangular",
]  # fmt: skip

STRUCTURES = ("general", "lower_triangular", "upper_triangular")


@located
def matrix_inverse(a: Any) -> Tensor:
    """The inverse of square matrices; that of a singular one has nan or infinities."""
    return b.inv(_square(a))


inv = matrix_inverse


@located
def det(a: Any) -> Tensor:
    """The determinant of square matrices."""
    return b.det(_square(a))


@located
def matrix_dot(*args: Any) -> Tensor:
    """The product of several matrices, from the left."""
    if not args:
        raise GraphValueError("needs at least one matrix")
    return functools.reduce(products.dot, args)


@located
def matrix_power(M: Any, n: int) -> Tensor:
    """The n-th power of a square matrix, by squaring; the inverse for an n below 0."""
    base, left = _square(M), operator.index(n)
    if left < 0:
        base, left = b.inv(base), -left
    found = b.eye(b.shape(base)[0], None, 0, base.type.element) if left == 0 else None
    while left:
        if left & 1:
            found = base if found is None else products.dot(found, base)
        left >>= 1
        base = products.dot(base, base) if left else base
    assert found is not None
    return found


#: The norms of matrices: which axis is added up first, and which extreme of the sums it is.
MATRIX_NORMS = {1: (0, reductions.max), -1: (0, reductions.min), "inf": (1, reductions.max), "-inf": (1, reductions.min)}


@located
def norm(x: Any, ord: Any) -> Tensor:
    """The norm of a vector, of any order; of a matrix: None or "fro", 1, -1, "inf", "-inf" (of sums of columns, of rows)."""
    x = b.tensor(x)
    ord = {float("inf"): "inf", -float("inf"): "-inf"}.get(ord, ord)
    if x.type.rank == 1:
        return reductions.norm(x, float(ord) if isinstance(ord, str) and ord != "fro" else ord)
    if x.type.rank != 2:
        raise GraphTypeError(f"needs a vector or a matrix, got {x.type}")
    if ord in (None, "fro"):
        return reductions.norm(x)
    if ord not in MATRIX_NORMS:
        raise GraphValueError(f"the order for a matrix must be None, fro, 1, -1, inf or -inf, got {ord!r}")
    axis, extreme = MATRIX_NORMS[ord]
    return extreme(reductions.sum(elementwise.abs(x), axis))


@located
def kron(a: Any, b: Any) -> Tensor:
    """The Kronecker product of two matrices."""
    a, right = _matrix(a), _matrix(b)
    wide = elementwise.mul(shape.dimshuffle(a, 0, "x", 1, "x"), shape.dimshuffle(right, "x", 0, "x", 1))
    sizes = elementwise.mul(shape.shape(a), shape.shape(right))
    return shape.reshape(wide, sizes)


@located
def cholesky(x: Any, lower: bool = True) -> Tensor:
    """The lower triangular L with x = L L^T; its transpose for lower=False."""
    found = b.cholesky(_square(x))
    return found if lower else b.matrix_transpose(found)


@located
def solve(a: Any, b: Any, A_structure: str = "general", lower: bool = False, **options: Any) -> Tensor:
    """The x with a x = b."""
    if A_structure not in STRUCTURES:
        raise GraphValueError(f"A_structure must be one of {', '.join(STRUCTURES)}, got {A_structure!r}")
    if A_structure != "general":
        return solve_triangular(a, b, lower=A_structure == "lower_triangular")
    return _system(a, b)


@located
def solve_triangular(
    a: Any, b: Any, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False, **options: Any
) -> Tensor:
    """The x with a x = b for a triangular a (a^T x = b with trans=1 or "T"); what is on its other side counts as 0."""
    if trans not in (0, 1, "N", "T", False, True):
        raise GraphValueError(f"trans must be 0, 1, N or T, got {trans!r}")
    is_transposed = trans in (1, "T", True)
    return _system(a, b, upper=not lower, transpose=is_transposed, unit=bool(unit_diagonal))


@located
def solve_lower_triangular(a: Any, b: Any, **options: Any) -> Tensor:
    """The x with a x = b for a lower triangular a."""
    return solve_triangular(a, b, lower=True)


@located
def solve_upper_triangular(a: Any, b: Any, **options: Any) -> Tensor:
    """The x with a x = b for an upper triangular a."""
    return solve_triangular(a, b)


@located
def cho_solve(c_and_lower: Any, b: Any, **options: Any) -> Tensor:
    """The x with a x = b, from the pair of the Cholesky factor of a and whether that is the lower one."""
    c, lower = c_and_lower
    half = solve_triangular(c, b, trans=0 if lower else 1, lower=lower)
    return solve_triangular(c, half, trans=1 if lower else 0, lower=lower)


def _system(a: Any, right: Any, **facts: bool) -> Tensor:
    a, right = _square(a), b.tensor(right)
    if right.type.rank not in (a.type.rank - 1, a.type.rank):
        raise GraphTypeError(f"b must be a vector or a matrix for a of type {a.type}, got {right.type}")
    return b.triangular_solve(a, right, **facts) if facts else b.solve(a, right)


def _square(given: Any) -> Tensor:
    x = b.tensor(given)
    if x.type.rank < 2:
        raise GraphTypeError(f"needs a square matrix, got {x!r} of type {x.type}")
    rows, columns = x.type.shape[-2:]
    if isinstance(rows, int) and isinstance(columns, int) and rows != columns:
        raise GraphValueError(f"needs a square matrix, got {rows} rows and {columns} columns")
    return x


def _matrix(given: Any) -> Tensor:
    x = b.tensor(given)
    if x.type.rank != 2:
        raise GraphTypeError(f"needs two matrices, got {x!r} of type {x.type}")
    return x
