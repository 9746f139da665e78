"""General systems, inverses and determinants, by Gauss's elimination (`matrices.py` has what they share)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tir.dialects.tir.base import Composite, Sequential, TensorOp
from tir.dialects.tir.lapack_answers import following, is_factored, is_finite
from tir.dialects.tir.matrices import (
    MATRIX,
    OfMatrix,
    System,
    copy_matrix,
    subtract_row,
    take_matrix,
)
from tir.ir.affine import AffineExpr
from tir.ir.define import result
from tir.ir.types import I32, INDEX
from tir.lazy import np

__all__ = ["OPS"]


def _eliminate(p: Any, n: Any, matrix: Any, sides: Any | None, columns: Any) -> Any:
    """Gauss's elimination of an n x n scratch matrix, with the largest pivot of each column; the determinant.

    sides: scratch n x columns that goes through the same steps, so that an upper triangular system is left.
    """
    one = p.const(1, matrix.element)
    changes = [matrix] if sides is None else [matrix, sides]

    def column(j: Any, determinant: Any) -> list[Any]:
        below = p.add(j, p.const(1, j))

        def larger(i: Any, best: Any, size: Any) -> list[Any]:
            here = p.abs(p.load(matrix, [i, j]))
            # A nan is taken, so that it goes on into the result.
            better = p.or_(p.cmp("gt", here, size), p.cmp("ne", here, here))
            return [p.select(better, i, best), p.select(better, here, size)]

        best, _ = p.loop(below, n, larger, carry=[j, p.abs(p.load(matrix, [j, j]))])
        _swap_rows(p, matrix, j, best, n)
        if sides is not None:
            _swap_rows(p, sides, j, best, columns)
        pivot = p.load(matrix, [j, j])
        signed = p.select(p.cmp("eq", best, j), pivot, p.neg(pivot))

        def row(i: Any) -> None:
            factor = p.div(p.load(matrix, [i, j]), pivot)
            for target, start, stop in ((matrix, j, n), (sides, 0, columns)):
                if target is not None:
                    subtract_row(p, target, [i], [j], factor, start, stop)

        nonzero = p.cmp("ne", pivot, p.const(0, pivot))
        p.when(nonzero, lambda: p.loop(below, n, row, changes=changes) and None, changes=changes)
        return [p.mul(determinant, signed)]

    return p.loop(0, n, column, changes=changes, carry=[one])[0]


def _swap_rows(p: Any, matrix: Any, first: Any, second: Any, columns: Any) -> None:
    def swap(k: Any) -> None:
        x, y = p.load(matrix, [first, k]), p.load(matrix, [second, k])
        p.store(matrix, [first, k], y)
        p.store(matrix, [second, k], x)

    p.loop(0, columns, swap, changes=[matrix])


def _upper(a: Any, sides: Any) -> tuple[Any, Any, int]:
    """Gauss's elimination in numpy: the upper triangular system, and 1 or -1 for the exchanges of rows.

    LAPACK's would do, but for matrices that are singular: where rounding there gives a tiny pivot, this has 0.
    """
    a, sides, sign = np.array(a), np.array(sides), 1
    for j in range(len(a)):
        best = j + int(np.argmax(np.abs(a[j:, j])))
        if best != j:
            a[[j, best]], sides[[j, best]], sign = a[[best, j]], sides[[best, j]], -sign
        if a[j, j] != 0:
            factors = (a[j + 1 :, j] / a[j, j])[:, None]
            a[j + 1 :, j:] -= factors * a[j, j:]
            sides[j + 1 :] -= factors * sides[j]
    return a, sides, sign


def _solved(a: Any, sides: Any) -> Any:
    """The x with a x = sides; nan if a pivot is 0."""
    upper, x, _ = _upper(a, sides)
    if np.any(np.diagonal(upper) == 0):
        return np.full_like(x, np.nan)
    for i in reversed(range(len(upper))):
        for k in range(i + 1, len(upper)):
            x[i] -= upper[i, k] * x[k]
        x[i] /= upper[i, i]
    return x


class Solve(System, Sequential):
    """The x with a x = b, by elimination with partial pivoting; nan where a is singular.

    a: tensor<.. x n x n>; b, x: tensor<.. x n x k>. Gradients: of b the solution for g with a transposed, of a that
    times -x.
    """

    name = "tir.solve"
    library_routine = "getrf"
    result = result(MATRIX)
    format = "$a `,` $b attr-dict `:` type($a) `,` type($result)"

    def reference(self, a: Any, b: Any) -> Any:
        found = np.zeros_like(b)
        for place in np.ndindex(*a.shape[:-2]):
            found[place] = _solved(a[place], b[place])
        return found

    def program(self, p: Any, a: Any, b: Any) -> list[Any]:
        out, element = p.result(), self.a.type.element
        n, sides = self.extents(p, a, b)
        scratch = p.scratch([n, n], element), p.scratch([n, sides], element)
        self.for_each(p, a, lambda place: self._solve(p, out, a, b, place, *scratch), [out, *scratch])
        return [out]

    def _solve(self, p: Any, out: Any, a: Any, b: Any, place: list[Any], matrix: Any, right: Any) -> None:
        """matrix: scratch n x n; right: scratch of the shape of b."""
        n, sides = self.extents(p, a, b)
        last = p.sub(n, p.const(1, n))
        copy_matrix(p, matrix, a, place, [n, n])
        copy_matrix(p, right, b, place, [n, sides])
        holds = _pivots_hold(p, n, matrix, right, sides)

        def unknown(step: Any) -> None:
            i = p.sub(last, step)

            def known(k: Any) -> None:
                subtract_row(p, right, [i], [k], p.load(matrix, [i, k]), 0, sides)

            def side(c: Any) -> None:
                found = p.div(p.load(right, [i, c]), pivot)
                p.store(right, [i, c], found)
                p.store(out, [*place, i, c], p.select(holds, found, float("nan")))

            p.loop(following(p, i), n, known, changes=[right])
            pivot = p.load(matrix, [i, i])
            p.loop(0, sides, side, changes=[right, out])

        p.loop(0, n, unknown, changes=[right, out])

    def library_program(self, p: Any, a: Any, b: Any) -> list[Any]:
        out, rank, element = p.result(), self.a.type.rank, self.a.type.element
        n, sides = self.extents(p, a, b)
        matrix, below = scratch = p.scratch([n, n], element), p.scratch([n, sides], element)
        right, pivots = out if rank == 2 else below, p.scratch([n], I32)
        last = p.sub(n, p.const(1, n))

        def exchange(step: Any) -> None:
            i = p.sub(last, step)
            _swap_rows(p, right, i, p.sub(p.cast(p.load(pivots, [i]), INDEX), p.const(1, INDEX)), sides)

        def solved() -> list[Any]:
            # What is factored is a^T = P L U, so that U^T, L^T and P are undone one after the other.
            p.call("trsm", True, False, False, matrix, right)
            p.call("trsm", False, False, True, matrix, right)
            p.loop(0, n, exchange, changes=[right])
            return [is_finite(p, right, n, sides, p.const(True, "i1"))]

        def one(place: list[Any]) -> None:
            copy_matrix(p, matrix, a, place, [n, n])
            copy_matrix(p, right, b, place, [n, sides])
            holds = is_factored(p, n, matrix, pivots)
            (holds,) = p.when(holds, solved, lambda: [p.const(False, "i1")], changes=[right], like=[holds])
            p.when(
                holds,
                lambda: take_matrix(p, out, place, right, [n, sides]),
                lambda: self._solve(p, out, a, b, place, *scratch),
                changes=[out, *scratch],
            )

        self.for_each(p, a, one, [out, *scratch, pivots])
        return [out]

    def grad(self, b: Any, g: Any, a: Any, sides: Any) -> list[Any]:
        by_b = b.solve(b.matrix_transpose(a), g)
        return [-b.matmul(by_b, b.matrix_transpose(b.tensor(self.result))), by_b]


def _pivots_hold(p: Any, n: Any, matrix: Any, sides: Any, columns: Any) -> Any:
    """Eliminates; whether no pivot is 0."""
    _eliminate(p, n, matrix, sides, columns)

    def step(i: Any, holds: Any) -> list[Any]:
        pivot = p.load(matrix, [i, i])
        return [p.and_(holds, p.cmp("ne", pivot, p.const(0, pivot)))]

    return p.loop(0, n, step, carry=[p.const(True, "i1")])[0]


class Inv(OfMatrix, Composite):
    """The inverse matrix; nan where a is singular. Gradient: -y^T g y^T."""

    name = "tir.inv"
    result = result(MATRIX)
    format = "$a attr-dict `:` type($result)"

    def reference(self, a: Any) -> Any:
        found = np.zeros_like(a)
        for place in np.ndindex(*a.shape[:-2]):
            found[place] = _solved(a[place], np.eye(a.shape[-1], dtype=a.dtype))
        return found

    def decompose(self, b: Any, a: Any) -> Any:
        return b.solve(a, b.cast(b.cmp("eq", *self.places(b, a)), a.type.element))

    def grad(self, b: Any, g: Any, a: Any) -> list[Any]:
        turned = b.matrix_transpose(b.tensor(self.result))
        return [-b.matmul(b.matmul(turned, g), turned)]


class Det(OfMatrix, Sequential):
    """The determinant, by elimination with partial pivoting; 1 of an empty matrix.

    a: tensor<.. x n x n>; result: tensor<..>. Gradient: g times the determinant times the inverse of a^T, which is nan
    where a is singular.
    """

    name = "tir.det"
    library_routine = "getrf"
    result = result(MATRIX)
    format = "$a attr-dict `:` type($a) `->` type($result)"

    def result_shape(self, a: Sequence[AffineExpr], *others: Sequence[AffineExpr]) -> Sequence[AffineExpr]:
        return a[:-2]

    def reference(self, a: Any) -> Any:
        found = np.ones(a.shape[:-2], a.dtype)
        for place in np.ndindex(*found.shape):
            upper, _, sign = _upper(a[place], a[place][:, :0])
            found[place] = sign * np.prod(np.diagonal(upper), dtype=a.dtype)
        return found

    def program(self, p: Any, a: Any) -> list[Any]:
        out, element = p.result(), self.a.type.element
        n = p.size(a, self.a.type.rank - 1)
        matrix = p.scratch([n, n], element)

        def one(place: list[Any]) -> None:
            copy_matrix(p, matrix, a, place, [n, n])
            p.store(out, place, _eliminate(p, n, matrix, None, 0))

        self.for_each(p, a, one, [out, matrix])
        return [out]

    def library_program(self, p: Any, a: Any) -> list[Any]:
        out, n, element = p.result(), p.size(a, self.a.type.rank - 1), self.a.type.element
        matrix, pivots = p.scratch([n, n], element), p.scratch([n], I32)

        def product() -> list[Any]:
            def step(i: Any, total: Any) -> list[Any]:
                stays = p.cmp("eq", p.load(pivots, [i]), p.cast(following(p, i), I32))
                pivot = p.load(matrix, [i, i])
                return [p.mul(total, p.select(stays, pivot, p.neg(pivot)))]

            return p.loop(0, n, step, carry=[p.const(1, element)])

        def one(place: list[Any]) -> None:
            def own() -> list[Any]:
                copy_matrix(p, matrix, a, place, [n, n])
                return [_eliminate(p, n, matrix, None, 0)]

            copy_matrix(p, matrix, a, place, [n, n])
            holds = is_factored(p, n, matrix, pivots)
            found = p.when(holds, product, own, changes=[matrix], like=[p.const(1, element)])
            p.store(out, place, found[0])

        self.for_each(p, a, one, [out, matrix, pivots])
        return [out]

    def grad(self, b: Any, g: Any, a: Any) -> list[Any]:
        rank = a.type.rank
        scale = b.repeat_along(g * b.tensor(self.result), [rank - 2, rank - 1], a)
        return [scale * b.matrix_transpose(b.inv(a))]


#: The ops of the family, in the order of the documentation.
OPS: tuple[type[TensorOp], ...] = (Solve, Inv, Det)
