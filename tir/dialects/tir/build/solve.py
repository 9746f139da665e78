"""Builder methods for matrices and their equations."""

from __future__ import annotations

from tir.dialects.tir import solve, triangular
from tir.dialects.tir.build.core import Tensor, TensorLike
from tir.dialects.tir.build.network import NetworkBuilder
from tir.ir.ir import Op

__all__ = ["SolveBuilder"]


class SolveBuilder(NetworkBuilder):
    """Factors, systems, inverses; a right-hand side may be a vector where the matrix has no axes in front."""

    def matrix_transpose(self, x: TensorLike) -> Tensor:
        """The last two axes exchanged."""
        x = self.tensor(x)
        rank = x.type.rank
        return self.transpose(x, [*range(rank - 2), rank - 1, rank - 2])

    def cholesky(self, a: TensorLike) -> Tensor:
        """The lower triangular L with a = L L^T."""
        return self._make_unary(triangular.Cholesky, a)

    def triangular_solve(
        self, a: TensorLike, b: TensorLike, upper: bool = False, transpose: bool = False, unit: bool = False
    ) -> Tensor:
        """The x with a x = b (a^T x = b) for a triangular a."""
        facts = {"upper": upper or None, "transpose": transpose or None, "unit": unit or None}
        return self._system(triangular.TriangularSolve, a, b, **facts)

    def solve(self, a: TensorLike, b: TensorLike) -> Tensor:
        """The x with a x = b."""
        return self._system(solve.Solve, a, b)

    def _system(self, cls: type[Op], a: TensorLike, b: TensorLike, **facts: bool | None) -> Tensor:
        (a, b), _ = self._promote(self.tensor(a), self.tensor(b), floats=True)
        assert isinstance(a, Tensor) and isinstance(b, Tensor)
        if b.type.rank != a.type.rank - 1:
            return self.make(cls, a, b, **facts)
        column = self.broadcast(b, range(b.type.rank), [*self.shape(b), 1])
        return self.reshape(self.make(cls, a, column, **facts), self.shape(b))

    def inv(self, a: TensorLike) -> Tensor:
        """The inverse matrix."""
        return self._make_unary(solve.Inv, a)

    def det(self, a: TensorLike) -> Tensor:
        """The determinant."""
        return self._make_unary(solve.Det, a)
