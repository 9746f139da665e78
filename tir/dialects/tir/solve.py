"""Matrices and their equations: Cholesky factors, triangular and general systems, inverses, determinants.

Operands may have axes in front of those of the matrix: one problem for each place. All are of floats; f16 and bf16 must
be cast first. Nothing raises: what has no answer is nan, as each op says.

Each has two programs: own loops, and LAPACK for one problem after the other. See Note [When LAPACK's answer is taken]
in `lapack_answers.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tir.dialects.tir.base import Composite, Sequential, Shaped, TensorOp, fail, merge_dims, merge_shapes
from tir.dialects.tir.lapack_answers import (
    EPSILON,
    SMALLEST,
    following,
    holds_for_all,
    is_factored,
    is_finite,
    is_moderate,
    norm_of,
)
from tir.ir.affine import AffineExpr
from tir.ir.define import attribute, operand, result
from tir.ir.execution import ExecutionError
from tir.ir.kinds import UNIT, exactly, tensor_of
from tir.ir.types import F32, F64, I32, I64, INDEX, Dim, dim_text
from tir.lazy import np

__all__ = ["OPS"]

MATRIX = tensor_of(exactly(F32, F64))


class _OfMatrix(Shaped):
    """An op on square matrices `a`."""

    a = operand(MATRIX)

    def check_operands(self) -> None:
        a = self.a.type
        if a.rank < 2:
            fail(self, f"a must be a matrix, got {a}")
        if merge_dims(a.shape[-2], a.shape[-1]) is None:
            sizes = f"{dim_text(a.shape[-2])} (a axis {a.rank - 2}) and {dim_text(a.shape[-1])} (a axis {a.rank - 1})"
            fail(self, f"a must be square, got {sizes}")

    def result_shape(self, a: Sequence[AffineExpr], *others: Sequence[AffineExpr]) -> Sequence[AffineExpr]:
        return others[0] if others else a

    def checks(self, b: Any, a: Any, *others: Any) -> Sequence[tuple[Any, str]]:
        rank, dims = a.type.rank, a.type.shape
        if dims[-2] == dims[-1] and isinstance(dims[-1], (int, AffineExpr)):  # two ? may be two sizes
            return ()
        sizes = [b.cast(b.dim(a, axis), I64) for axis in (rank - 2, rank - 1)]
        return [(b.cmp("eq", *sizes), "a must be square")]

    def library_rows(self) -> Dim:
        return self.a.type.shape[-1]

    def room(self, p: Any, out: Any, sizes: Sequence[Any]) -> Any:
        """Where a library solves one problem: in the result itself if there is only one, else in scratch memory."""
        return out if self.a.type.rank == 2 else p.scratch(sizes, out.element)

    def for_each(self, p: Any, a: Any, solve: Callable[[list[Any]], None], changes: Sequence[Any]) -> None:
        """`solve(place)` for the place of each matrix."""
        p.nest([p.size(a, axis) for axis in range(self.a.type.rank - 2)], solve, changes=changes)


def _copy(p: Any, target: Any, x: Any, place: Sequence[Any], sizes: Sequence[Any]) -> None:
    """The matrix `target` becomes that of x at this place."""
    p.nest(sizes, lambda at: p.store(target, at, p.load(x, [*place, *at])), changes=[target])


def _take(p: Any, out: Any, place: Sequence[Any], room: Any, sizes: Sequence[Any]) -> None:
    """The result at this place becomes what was found in `room`."""
    if room is not out:
        p.nest(sizes, lambda at: p.store(out, [*place, *at], p.load(room, at)), changes=[out])


def _distinct(*buffers: Any) -> list[Any]:
    return list(dict.fromkeys(buffers))


def _check_square(a: Any) -> None:
    if a.shape[-2] != a.shape[-1]:
        raise ExecutionError("a must be square")


class Cholesky(_OfMatrix, Sequential):
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
        _check_square(a)
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

        self.for_each(p, a, one, _distinct(out, factor))
        return [out]

    def grad(self, b: Any, g: Any, a: Any) -> list[Any]:
        factor = b.tensor(self.result)
        rows, columns = (b.iota(b.shape(a), a.type.rank - 2), b.iota(b.shape(a), a.type.rank - 1))
        inner = b.matmul(b.matrix_transpose(factor), b.select(b.cmp("ge", rows, columns), g, 0))
        halved = b.select(b.cmp("eq", rows, columns), inner * 0.5, b.select(b.cmp("gt", rows, columns), inner, 0))
        left = b.triangular_solve(factor, halved, transpose=True)
        whole = b.matrix_transpose(b.triangular_solve(factor, b.matrix_transpose(left), transpose=True))
        both = whole + b.matrix_transpose(whole)
        return [b.select(b.cmp("eq", rows, columns), whole, b.select(b.cmp("gt", rows, columns), both, 0))]


class _System(_OfMatrix):
    """Equations with the matrix a and right-hand sides b: tensor<.. x n x k>."""

    b = operand(MATRIX)

    def check_operands(self) -> None:
        super().check_operands()
        a, b = self.a.type, self.b.type
        if b.rank != a.rank:
            fail(self, f"b must have the rank of a, got {a} and {b}")
        want = a.with_shape((*a.shape[:-1], b.shape[-1]))
        if b.element is not a.element:
            fail(self, f"element types must be equal, got {a} and {b}; tir.cast converts")
        merge_shapes(self, ("a, one column for each of b,", want), ("b", b))

    def checks(self, b: Any, a: Any, *others: Any) -> Sequence[tuple[Any, str]]:
        found = list(super().checks(b, a, *others))
        for axis, (first, second) in enumerate(zip(a.type.shape[:-1], others[0].type.shape)):
            if first != second or not isinstance(first, (int, AffineExpr)):
                sizes = [b.cast(b.dim(x, axis), I64) for x in (a, others[0])]
                found.append((b.cmp("eq", *sizes), f"axis {axis} of b must have the size of axis {axis} of a"))
        return found


def _check_sides(a: Any, b: Any) -> None:
    _check_square(a)
    for axis, (first, second) in enumerate(zip(a.shape[:-1], b.shape)):
        if first != second:
            raise ExecutionError(f"axis {axis} of b must have the size of axis {axis} of a")


class TriangularSolve(_System, Sequential):
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
        _check_sides(a, b)
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
        rank = self.a.type.rank
        n, sides = p.size(a, rank - 1), p.size(b, rank - 1)
        last = p.sub(n, p.const(1, n))

        def element(i: Any, k: Any) -> Any:
            return p.load(a, [*place, k, i] if self.transpose else [*place, i, k])

        def unknown(step: Any) -> None:
            i = step if self.is_forward else p.sub(last, step)
            row = [*place, i]
            p.loop(0, sides, lambda c: p.store(out, [*row, c], p.load(b, [*row, c])), changes=[out])

            def known(k: Any) -> None:
                # Along the rows, which lie side by side in memory: a sum for each column would stride.
                _subtract_row(p, out, row, [*place, k], element(i, k), 0, sides)

            p.loop(*((0, i) if self.is_forward else (following(p, i), n)), known, changes=[out])
            if not self.unit:
                pivot = element(i, i)
                p.loop(0, sides, lambda c: p.store(out, [*row, c], p.div(p.load(out, [*row, c]), pivot)), changes=[out])

        p.loop(0, n, unknown, changes=[out])

    def library_program(self, p: Any, a: Any, b: Any) -> list[Any]:
        out, rank, element = p.result(), self.a.type.rank, self.a.type.element
        n, sides = p.size(a, rank - 1), p.size(b, rank - 1)
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
            _copy(p, right, b, place, [n, sides])
            holds = is_moderate(p, element, norm_of(p, triangle, n, part, element))
            if not self.unit:
                least = p.const(SMALLEST[element], element)
                holds = holds_for_all(p, n, lambda i: p.cmp("ge", p.abs(p.load(triangle, [i, i])), least), holds)
            p.call("trsm", not self.upper, bool(self.transpose), bool(self.unit), triangle, right)
            p.when(
                is_finite(p, right, n, sides, holds),
                lambda: _take(p, out, place, right, [n, sides]),
                lambda: self._substitute(p, out, a, b, place),
                changes=[out],
            )

        self.for_each(p, a, one, _distinct(out, right) if is_one else [out, triangle, right])
        return [out]

    def grad(self, b: Any, g: Any, a: Any, sides: Any) -> list[Any]:
        x = b.tensor(self.result)
        facts = {"upper": bool(self.upper), "transpose": not self.transpose, "unit": bool(self.unit)}
        by_b = b.triangular_solve(a, g, **facts)
        pair = (x, by_b) if self.transpose else (by_b, x)
        whole = -b.matmul(pair[0], b.matrix_transpose(pair[1]))
        rows, columns = (b.iota(b.shape(a), a.type.rank - 2), b.iota(b.shape(a), a.type.rank - 1))
        relation = ("lt" if self.upper else "gt") if self.unit else ("le" if self.upper else "ge")
        return [b.select(b.cmp(relation, rows, columns), whole, 0), by_b]


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
                    _subtract_row(p, target, [i], [j], factor, start, stop)

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


def _subtract_row(
    p: Any, matrix: Any, row: Sequence[Any], other: Sequence[Any], factor: Any, start: Any, stop: Any
) -> None:  # fmt: skip
    """From a row of the matrix, from `start` to `stop`, factor times another row is subtracted."""

    def step(k: Any) -> None:
        p.store(matrix, [*row, k], p.sub(p.load(matrix, [*row, k]), p.mul(factor, p.load(matrix, [*other, k]))))

    p.loop(start, stop, step, changes=[matrix])


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


class Solve(_System, Sequential):
    """The x with a x = b, by elimination with partial pivoting; nan where a is singular.

    a: tensor<.. x n x n>; b, x: tensor<.. x n x k>. Gradients: of b the solution for g with a transposed, of a that
    times -x.
    """

    name = "tir.solve"
    library_routine = "getrf"
    result = result(MATRIX)
    format = "$a `,` $b attr-dict `:` type($a) `,` type($result)"

    def reference(self, a: Any, b: Any) -> Any:
        _check_sides(a, b)
        found = np.zeros_like(b)
        for place in np.ndindex(*a.shape[:-2]):
            found[place] = _solved(a[place], b[place])
        return found

    def program(self, p: Any, a: Any, b: Any) -> list[Any]:
        out, rank, element = p.result(), self.a.type.rank, self.a.type.element
        n, sides = p.size(a, rank - 1), p.size(b, rank - 1)
        scratch = p.scratch([n, n], element), p.scratch([n, sides], element)
        self.for_each(p, a, lambda place: self._solve(p, out, a, b, place, *scratch), [out, *scratch])
        return [out]

    def _solve(self, p: Any, out: Any, a: Any, b: Any, place: list[Any], matrix: Any, right: Any) -> None:
        """matrix: scratch n x n; right: scratch of the shape of b."""
        rank = self.a.type.rank
        n, sides = p.size(a, rank - 1), p.size(b, rank - 1)
        last = p.sub(n, p.const(1, n))
        _copy(p, matrix, a, place, [n, n])
        _copy(p, right, b, place, [n, sides])
        holds = _pivots_hold(p, n, matrix, right, sides)

        def unknown(step: Any) -> None:
            i = p.sub(last, step)

            def known(k: Any) -> None:
                _subtract_row(p, right, [i], [k], p.load(matrix, [i, k]), 0, sides)

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
        n, sides = p.size(a, rank - 1), p.size(b, rank - 1)
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
            _copy(p, matrix, a, place, [n, n])
            _copy(p, right, b, place, [n, sides])
            holds = is_factored(p, n, matrix, pivots)
            (holds,) = p.when(holds, solved, lambda: [p.const(False, "i1")], changes=[right], like=[holds])
            p.when(
                holds,
                lambda: _take(p, out, place, right, [n, sides]),
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


class Inv(_OfMatrix, Composite):
    """The inverse matrix; nan where a is singular. Gradient: -y^T g y^T."""

    name = "tir.inv"
    result = result(MATRIX)
    format = "$a attr-dict `:` type($result)"

    def reference(self, a: Any) -> Any:
        _check_square(a)
        found = np.zeros_like(a)
        for place in np.ndindex(*a.shape[:-2]):
            found[place] = _solved(a[place], np.eye(a.shape[-1], dtype=a.dtype))
        return found

    def decompose(self, b: Any, a: Any) -> Any:
        rank = a.type.rank
        same = b.cmp("eq", b.iota(b.shape(a), rank - 2), b.iota(b.shape(a), rank - 1))
        return b.solve(a, b.cast(same, a.type.element))

    def grad(self, b: Any, g: Any, a: Any) -> list[Any]:
        turned = b.matrix_transpose(b.tensor(self.result))
        return [-b.matmul(b.matmul(turned, g), turned)]


class Det(_OfMatrix, Sequential):
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
        _check_square(a)
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
            _copy(p, matrix, a, place, [n, n])
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
                _copy(p, matrix, a, place, [n, n])
                return [_eliminate(p, n, matrix, None, 0)]

            _copy(p, matrix, a, place, [n, n])
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
OPS: tuple[type[TensorOp], ...] = (Cholesky, TriangularSolve, Solve, Inv, Det)
