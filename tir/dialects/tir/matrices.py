"""What the ops on square matrices share: their checks, and how their programs move matrices.

Operands may have axes in front of those of the matrix: one problem for each place. All are of floats; f16 and bf16 must
be cast first. Nothing raises: what has no answer is nan, as each op says.

Each has two programs: own loops, and LAPACK for one problem after the other. See Note [When LAPACK's answer is taken]
in `lapack_answers.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tir.dialects.tir.base import Place, Shaped, fail, merge_dims, merge_shapes, same_shapes
from tir.ir.affine import AffineExpr
from tir.ir.define import operand
from tir.ir.kinds import exactly, tensor_of
from tir.ir.size_rules import SizeRule
from tir.ir.types import F32, F64, Dim, dim_text

__all__ = [
    "MATRIX", "OfMatrix", "System", "copy_matrix", "distinct", "subtract_row", "take_matrix",
]  # fmt: skip

MATRIX = tensor_of(exactly(F32, F64))


class OfMatrix(Shaped):
    """An op on square matrices `a`."""

    batch_axes = ()

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

    def size_rules(self, *shapes: Sequence[AffineExpr]) -> Sequence[SizeRule]:
        return [SizeRule(shapes[0][-2], "eq", shapes[0][-1], "a must be square")]

    def library_rows(self) -> Dim:
        return self.a.type.shape[-1]

    def room(self, p: Any, out: Any, sizes: Sequence[Any]) -> Any:
        """Where a library solves one problem: in the result itself if there is only one, else in scratch memory."""
        return out if self.a.type.rank == 2 else p.scratch(sizes, out.element)

    def places(self, b: Any, a: Any) -> tuple[Any, Any]:
        """The row and the column of each element."""
        return b.iota(b.shape(a), a.type.rank - 2), b.iota(b.shape(a), a.type.rank - 1)

    def for_each(self, p: Any, a: Any, solve: Callable[[list[Any]], None], changes: Sequence[Any]) -> None:
        """`solve(place)` for the place of each matrix."""
        p.nest([p.size(a, axis) for axis in range(self.a.type.rank - 2)], solve, changes=changes)


def copy_matrix(p: Any, target: Any, x: Any, place: Sequence[Any], sizes: Sequence[Any]) -> None:
    """The matrix `target` becomes that of x at this place."""
    p.nest(sizes, lambda at: p.store(target, at, p.load(x, [*place, *at])), changes=[target])


def take_matrix(p: Any, out: Any, place: Sequence[Any], room: Any, sizes: Sequence[Any]) -> None:
    """The result at this place becomes what was found in `room`."""
    if room is not out:
        p.nest(sizes, lambda at: p.store(out, [*place, *at], p.load(room, at)), changes=[out])


def distinct(*buffers: Any) -> list[Any]:
    return list(dict.fromkeys(buffers))


class System(OfMatrix):
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

    def same_sizes(self) -> Sequence[tuple[Place, Place]]:
        return same_shapes([self.a, self.b])[:-1]

    def extents(self, p: Any, a: Any, b: Any) -> tuple[Any, Any]:
        """How many unknowns one problem has, and how many right-hand sides."""
        return p.size(a, self.a.type.rank - 1), p.size(b, self.a.type.rank - 1)


def subtract_row(
    p: Any, matrix: Any, row: Sequence[Any], other: Sequence[Any], factor: Any, start: Any, stop: Any
) -> None:  # fmt: skip
    """From a row of the matrix, from `start` to `stop`, factor times another row is subtracted."""

    def step(k: Any) -> None:
        p.store(matrix, [*row, k], p.sub(p.load(matrix, [*row, k]), p.mul(factor, p.load(matrix, [*other, k]))))

    p.loop(start, stop, step, changes=[matrix])
