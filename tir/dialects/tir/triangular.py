"""Triangular matrices: Cholesky factors, and equations with a triangular matrix (`matrices.py` has what both share)."""

from __future__ import annotations

from typing import Any

from tir.dialects.tir.base import Sequential, TensorOp
from tir.dialects.tir.lapack_answers import (
    EPSILON,
    SMALLEST,
    following,
    holds_for_all,
    is_finite,
    is_moderate,
    norm_of,
)
from tir.dialects.tir.matrices import (
    MATRIX,
    OfMatrix,
    System,
    copy_matrix,
    distinct,
    subtract_row,
    take_matrix,
)
from tir.ir.define import attribute, result
from tir.ir.kinds import UNIT
from tir.lazy import np

__all__ = ["OPS"]


class Cholesky(OfMatrix, Sequential):
    """The lower triangular matrix L with a = L L^T, for a symmetric and positive definite.

    a: tensor<.. x n x n>; only its lower triangle is read. Where a is not positive definite, nan from the column on in
    which it fails. Gradient: that of the lower triangle (Murray, "Differentiation of the Cholesky decomposition", 2016),
    0 above it.
    """

    name = "tir.cholesky"
    library_routine = "potrf"
    result = result(MATRIX)
    format = "$a attr-dict `:` type($result)"

    def reference(self, a: Any) -> Any:
        n, found = a.shape[-1], np.zeros_like(a)
        for j in range(n):
            row = found[..., j, :j]
            pivot = np.sqrt(a[..., j, j] - np.sum(row * row, -1))
            found[..., j, j] = pivot
            rest = a[..., j + 1 :, j] - np.sum(found[..., j + 1 :, :j] * row[..., None, :], -1)
            found[..., j + 1 :, j] = rest / pivot[..., None]
        return found

    def program(self, p: Any, a: Any) -> list[Any]:
        out = p.result(fill=0)
        self.for_each(p, a, lambda place: self._factor(p, out, a, place), [out])
        return [out]

    def _factor(self, p: Any, out: Any, a: Any, place: list[Any]) -> None:
        n = p.size(a, self.a.type.rank - 1)

        def left(i: Any, j: Any) -> Any:
            """a[i, j] without what the columns in front of j make of it."""

            def step(k: Any, total: Any) -> list[Any]:
                return [p.sub(total, p.mul(p.load(out, [*place, i, k]), p.load(out, [*place, j, k])))]

            return p.loop(0, j, step, carry=[p.load(a, [*place, i, j])])[0]

        def column(j: Any) -> None:
            pivot = p.sqrt(left(j, j))
            p.store(out, [*place, j, j], pivot)
            below = p.add(j, p.const(1, j))
            p.loop(below, n, lambda i: p.store(out, [*place, i, j], p.div(left(i, j), pivot)), changes=[out])

        p.loop(0, n, column, changes=[out])

    def library_program(self, p: Any, a: Any) -> list[Any]:
        out, n, element = p.result(fill=0), p.size(a, self.a.type.rank - 1), self.a.type.element
        factor = self.room(p, out, [n, n])
        lost = p.mul(p.const(EPSILON[element], element), p.cast(n, element))

        def copy_lower(target: Any, target_place: list[Any], x: Any, place: list[Any]) -> None:
            def row(i: Any) -> None:
                p.loop(0, following(p, i), lambda j: element(i, j), changes=[target])

            def element(i: Any, j: Any) -> None:
                p.store(target, [*target_place, i, j], p.load(x, [*place, i, j]))

            if target is not x:
                p.loop(0, n, row, changes=[target])

        def one(place: list[Any]) -> None:
            copy_lower(factor, [], a, place)
            info = p.call("potrf", True, factor)

            def is_safe(i: Any) -> Any:
                """The pivot is no difference of roundings, and its row is finite."""
                row = p.sum(0, following(p, i), lambda k: p.abs(p.load(factor, [i, k])), element)
                pivot = p.load(factor, [i, i])
                large = p.cmp("gt", p.mul(pivot, pivot), p.mul(lost, p.load(a, [*place, i, i])))
                return p.and_(large, p.is_finite(row))

            p.when(
                holds_for_all(p, n, is_safe, p.cmp("eq", info, 0)),
                lambda: copy_lower(out, place, factor, []),
                lambda: self._factor(p, out, a, place),
                changes=[out],
            )

        self.for_each(p, a, one, distinct(out, factor))
        return [out]

    def grad(self, b: Any, g: Any, a: Any) -> list[Any]:
        factor = b.tensor(self.result)
        rows, columns = self.places(b, a)
        inner = b.matmul(b.matrix_transpose(factor), b.select(b.cmp("ge", rows, columns), g, 0))
        halved = b.select(b.cmp("eq", rows, columns), inner * 0.5, b.select(b.cmp("gt", rows, columns), inner, 0))
        left = b.triangular_solve(factor, halved, transpose=True)
        whole = b.matrix_transpose(b.triangular_solve(factor, b.matrix_transpose(left), transpose=True))
        both = whole + b.matrix_transpose(whole)
        return [b.select(b.cmp("eq", rows, columns), whole, b.select(b.cmp("gt", rows, columns), both, 0))]


class TriangularSolve(System, Sequential):
    """The x with a x = b, for a lower triangular a; a^T x = b with `transpose`.

    a: tensor<.. x n x n>, of which only the lower triangle is read, with `upper` only the upper one; with `unit` its
    diagonal counts as 1 and is not read. b, x: tensor<.. x n x k>. A 0 on the diagonal gives inf or nan.
    Gradients: of b the solution for g with the matrix transposed; of a that times -x, on the triangle that is read.
    """

    name = "tir.triangular_solve"
    library_routine = "trsm"
    upper = attribute(UNIT, optional=True)
    transpose = attribute(UNIT, optional=True)
    unit = attribute(UNIT, optional=True)
    result = result(MATRIX)
    format = (
        "$a `,` $b (`upper` $upper^)? (`transpose` $transpose^)? (`unit` $unit^)? attr-dict `:` type($a) `,` type($result)"
    )

    @property
    def is_forward(self) -> bool:
        """The first unknown is found first."""
        return bool(self.upper) == bool(self.transpose)

    def reference(self, a: Any, b: Any) -> Any:
        n = a.shape[-1]
        a = np.swapaxes(a, -1, -2) if self.transpose else a
        found = np.zeros_like(b)
        for i in range(n) if self.is_forward else reversed(range(n)):
            known = slice(0, i) if self.is_forward else slice(i + 1, n)
            rest = b[..., i, :] - np.sum(a[..., i, known, None] * found[..., known, :], -2)
            found[..., i, :] = rest if self.unit else rest / a[..., i, i, None]
        return found

    def program(self, p: Any, a: Any, b: Any) -> list[Any]:
        out = p.result()
        self.for_each(p, a, lambda place: self._substitute(p, out, a, b, place), [out])
        return [out]

    def _substitute(self, p: Any, out: Any, a: Any, b: Any, place: list[Any]) -> None:
        n, sides = self.extents(p, a, b)
        last = p.sub(n, p.const(1, n))

        def element(i: Any, k: Any) -> Any:
            return p.load(a, [*place, k, i] if self.transpose else [*place, i, k])

        def unknown(step: Any) -> None:
            i = step if self.is_forward else p.sub(last, step)
            row = [*place, i]
            p.loop(0, sides, lambda c: p.store(out, [*row, c], p.load(b, [*row, c])), changes=[out])

            def known(k: Any) -> None:
                # Along the rows, which lie side by side in memory: a sum for each column would stride.
                subtract_row(p, out, row, [*place, k], element(i, k), 0, sides)

            p.loop(*((0, i) if self.is_forward else (following(p, i), n)), known, changes=[out])
            if not self.unit:
                pivot = element(i, i)
                p.loop(0, sides, lambda c: p.store(out, [*row, c], p.div(p.load(out, [*row, c]), pivot)), changes=[out])

        p.loop(0, n, unknown, changes=[out])

    def library_program(self, p: Any, a: Any, b: Any) -> list[Any]:
        out, rank, element = p.result(), self.a.type.rank, self.a.type.element
        n, sides = self.extents(p, a, b)
        is_one, right = rank == 2, self.room(p, out, [n, sides])
        triangle = p.copy(a) if is_one else p.scratch([n, n], element)

        def part(i: Any) -> tuple[Any, Any]:
            """The columns of row i that are read."""
            inside = following(p, i) if bool(self.unit) == bool(self.upper) else i
            return (inside, n) if self.upper else (0, inside)

        def row(place: list[Any], i: Any) -> None:
            p.loop(*part(i), lambda k: p.store(triangle, [i, k], p.load(a, [*place, i, k])), changes=[triangle])

        def one(place: list[Any]) -> None:
            if not is_one:
                p.loop(0, n, lambda i: row(place, i), changes=[triangle])
            copy_matrix(p, right, b, place, [n, sides])
            holds = is_moderate(p, element, norm_of(p, triangle, n, part, element))
            if not self.unit:
                least = p.const(SMALLEST[element], element)
                holds = holds_for_all(p, n, lambda i: p.cmp("ge", p.abs(p.load(triangle, [i, i])), least), holds)
            p.call("trsm", not self.upper, bool(self.transpose), bool(self.unit), triangle, right)
            p.when(
                is_finite(p, right, n, sides, holds),
                lambda: take_matrix(p, out, place, right, [n, sides]),
                lambda: self._substitute(p, out, a, b, place),
                changes=[out],
            )

        self.for_each(p, a, one, distinct(out, right) if is_one else [out, triangle, right])
        return [out]

    def grad(self, b: Any, g: Any, a: Any, sides: Any) -> list[Any]:
        x = b.tensor(self.result)
        facts = {"upper": bool(self.upper), "transpose": not self.transpose, "unit": bool(self.unit)}
        by_b = b.triangular_solve(a, g, **facts)
        pair = (x, by_b) if self.transpose else (by_b, x)
        whole = -b.matmul(pair[0], b.matrix_transpose(pair[1]))
        rows, columns = self.places(b, a)
        relation = ("lt" if self.upper else "gt") if self.unit else ("le" if self.upper else "ge")
        return [b.select(b.cmp(relation, rows, columns), whole, 0), by_b]


#: The ops of the family, in the order of the documentation.
OPS: tuple[type[TensorOp], ...] = (Cholesky, TriangularSolve)
