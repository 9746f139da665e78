"""Products of vectors and matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tir.dialects.numeric import float_to_float, of_type
from tir.dialects.tir.base import NUMBER_TENSOR, Accumulating, Structure, fail, merge_dims
from tir.dialects.tir.reduce import accumulator_dtype
from tir.ir.affine import AffineMap
from tir.ir.define import operand, result
from tir.ir.execution import ExecutionError
from tir.ir.types import TensorType, Type, dim_text
from tir.lazy import np

__all__ = ["Dot"]


class Dot(Accumulating):
    """The product of two matrices, of matrix and vector, of vector and matrix, or the inner product of two vectors.

    lhs: tensor<MxK> or tensor<K>; rhs: tensor<KxN> or tensor<K>, of one element type. The sum accumulates in it, for f16 and
    bf16 in f32; `acc` names another type: `tir.dot %x, %y acc f64 : tensor<4x5xf32>`.
    """

    name = "tir.dot"
    lhs = operand(NUMBER_TENSOR)
    rhs = operand(NUMBER_TENSOR)
    result = result(NUMBER_TENSOR)
    format = "$lhs `,` $rhs (`acc` $acc_type^)? attr-dict `:` type($result)"

    def infer(self) -> Sequence[Type]:
        lhs, rhs = self.lhs.type, self.rhs.type
        if lhs.rank not in (1, 2) or rhs.rank not in (1, 2):
            fail(self, f"lhs and rhs must have rank 1 or 2, got {lhs.rank} and {rhs.rank}")
        if lhs.element is not rhs.element:
            fail(self, f"element types must be equal, got {lhs.element} of lhs and {rhs.element} of rhs")
        inner, other = lhs.shape[-1], rhs.shape[0]
        if merge_dims(inner, other) is None:
            sizes = f"{dim_text(inner)} (lhs axis {lhs.rank - 1}) and {dim_text(other)} (rhs axis 0)"
            fail(self, f"inner sizes must agree, got {sizes}")
        return [TensorType((*lhs.shape[:-1], *rhs.shape[1:]), lhs.element)]

    def reference(self, lhs: Any, rhs: Any) -> Any:
        if lhs.shape[-1] != rhs.shape[0]:
            raise ExecutionError(f"inner sizes must agree, got {lhs.shape[-1]} of lhs and {rhs.shape[0]} of rhs")
        dtype = accumulator_dtype(self, lhs)
        wide = np.asarray(np.dot(lhs.astype(dtype, copy=False), rhs.astype(dtype, copy=False)))
        return float_to_float(wide, self.result_type) if wide.dtype.kind == "f" else of_type(wide, self.result_type)

    def structure(self) -> Structure:
        rows, columns = self.lhs.type.rank - 1, self.rhs.type.rank - 1
        inner, rank = rows + columns, rows + columns + 1
        outer = list(range(inner))
        maps = (AffineMap.of_dims(rank, [*outer[:rows], inner]), AffineMap.of_dims(rank, [inner, *outer[rows:]]))
        return Structure(("parallel",) * inner + ("reduction",), maps, (AffineMap.of_dims(rank, outer),))

    def identity(self, element: Type) -> Any:
        return 0

    def element(self, s: Any, lhs: Any, rhs: Any) -> Any:
        return s.mul(lhs, rhs)

    def combine(self, s: Any, accumulated: Any, term: Any) -> Any:
        return s.add(accumulated, term)

    def grad(self, b: Any, g: Any, lhs: Any, rhs: Any) -> list[Any]:
        ranks = self.lhs.type.rank, self.rhs.type.rank
        if ranks == (1, 1):
            return [b.repeat_along(g, [0], rhs) * rhs, b.repeat_along(g, [0], lhs) * lhs]
        if ranks == (2, 1):
            return [_outer(b, g, rhs, lhs), b.dot(b.transpose(lhs), g)]
        if ranks == (1, 2):
            return [b.dot(rhs, g), _outer(b, lhs, g, rhs)]
        return [b.dot(g, b.transpose(rhs)), b.dot(b.transpose(lhs), g)]


def _outer(b: Any, column: Any, row: Any, like: Any) -> Any:
    """column[i] * row[j], in the shape of `like`."""
    return b.repeat_along(column, [1], like) * b.repeat_along(row, [0], like)
