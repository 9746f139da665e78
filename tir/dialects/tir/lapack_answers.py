"""Whether an answer of LAPACK is one that own loops would give: scalar programs for `solve.py` and `triangular.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tir.ir.types import F32, F64

__all__ = [
    "EPSILON", "LOST", "SMALLEST", "following", "holds_for_all", "is_factored", "is_finite", "is_moderate", "norm_of",
]  # fmt: skip

EPSILON = {F32: 2.0**-23, F64: 2.0**-52}
SMALLEST = {F32: 2.0**-126, F64: 2.0**-1022}  # normal number
LOST = 8  # roundings of the largest row that a pivot of a singular matrix may be


def following(p: Any, i: Any) -> Any:
    """i + 1."""
    return p.add(i, p.const(1, i))


def holds_for_all(p: Any, count: Any, test: Callable[[Any], Any], start: Any) -> Any:
    """`start`, and `test(i)` for all i below `count`."""
    return p.loop(0, count, lambda i, holds: [p.and_(holds, test(i))], carry=[start])[0]


def norm_of(p: Any, matrix: Any, n: Any, part: Callable[[Any], tuple[Any, Any]], element: Any) -> Any:
    """The largest sum of sizes along a row, of the columns `part(i)` of row i; nan or inf if one of them is."""

    def row(i: Any, largest: Any) -> list[Any]:
        return [p.maximum(largest, p.sum(*part(i), lambda k: p.abs(p.load(matrix, [i, k])), element))]

    return p.loop(0, n, row, carry=[p.const(0, element)])[0]


def is_moderate(p: Any, element: Any, norm: Any) -> Any:
    """All elements are finite, and the reciprocals of large ones are normal numbers."""
    return p.cmp("le", norm, 1 / SMALLEST[element])


def is_factored(p: Any, n: Any, matrix: Any, pivots: Any) -> Any:
    """Puts the factors of `getrf` into the scratch matrices; whether no pivot may be a mere rounding."""
    element = matrix.element
    norm = norm_of(p, matrix, n, lambda i: (0, n), element)
    least = p.maximum(p.mul(norm, LOST * EPSILON[element]), SMALLEST[element])
    info = p.call("getrf", matrix, pivots)
    start = p.and_(p.cmp("eq", info, 0), is_moderate(p, element, norm))
    return holds_for_all(p, n, lambda i: p.cmp("gt", p.abs(p.load(matrix, [i, i])), least), start)


def is_finite(p: Any, matrix: Any, rows: Any, columns: Any, start: Any) -> Any:
    """`start`, and no element of the scratch matrix is inf or nan, nor is the sum of a row."""

    def row(i: Any) -> Any:
        return p.is_finite(p.sum(0, columns, lambda k: p.abs(p.load(matrix, [i, k])), matrix.element))

    return holds_for_all(p, rows, row, start)


# Note [When LAPACK's answer is taken]
# Own loops say what the ops give for every matrix. A library differs where something is out of the ordinary: it stops
# at a pivot that is not positive, overlooks a nan when it looks for the largest pivot or leaves out a product with 0,
# and takes singular matrices for regular ones, because it multiplies by the reciprocal of a pivot; reciprocals also
# overflow or lose digits where quotients do not. So its answer is taken only where own loops must give the same up to
# roundings, and else they run behind it:
#
# - info is 0. It is above 0 where LAPACK stops, and below where it cannot take the sizes (`tir/lower/llvm_library.py`).
# - All numbers that are read are finite, and the reciprocals of those on the diagonal are normal numbers.
# - No pivot is so small, beside what it was computed from, that roundings alone decide whether it is 0 (or positive).
# - The answer is finite.
#
# That takes a look at each element of the matrix, where the library takes n.
#
# A row-major matrix is to LAPACK the transposed one. `potrf` and `trsm` are asked for the other triangle; `getrf`
# exchanges columns instead of rows, which gives other factors and the same answers. The right-hand sides, which
# LAPACK's own `getrs` wants one behind the other in memory, stay where they are: `trsm` solves from the right.
