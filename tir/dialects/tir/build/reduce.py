"""Builder methods for reductions and products."""

from __future__ import annotations

from collections.abc import Sequence

from tir.dialects.tir import composite, reduce, scan
from tir.dialects.tir.build.core import Tensor, TensorLike
from tir.dialects.tir.build.indexing import IndexingBuilder
from tir.ir.ir import Op
from tir.ir.types import I64, IntegerType

__all__ = ["ReductionBuilder"]

UI64 = IntegerType(64, "u")


class ReductionBuilder(IndexingBuilder):
    """Reductions over axes (all by default), products, and what normalises over axes."""

    def _reduce(self, cls: type[Op], x: Tensor, axes: Sequence[int] | int | None, keepdims: bool) -> Tensor:
        rank = x.type.rank
        chosen = range(rank) if axes is None else [axes] if isinstance(axes, int) else axes
        ordered = sorted(axis + rank if axis < 0 else axis for axis in chosen)
        found = self.make(cls, x, axes=ordered) if ordered else x
        if not keepdims:
            return found
        shape = [1 if axis in ordered else extent for axis, extent in enumerate(self.shape(x))]
        return self.broadcast(found, [axis for axis in range(rank) if axis not in ordered], shape)

    def sum(self, x: TensorLike, axes: Sequence[int] | int | None = None, keepdims: bool = False) -> Tensor:
        """The sum over the axes (all by default); integers add up in 64 bits."""
        return self._reduce(reduce.Sum, self._widened(x), axes, keepdims)

    def prod(self, x: TensorLike, axes: Sequence[int] | int | None = None, keepdims: bool = False) -> Tensor:
        """The product over the axes (all by default); integers multiply in 64 bits."""
        return self._reduce(reduce.Prod, self._widened(x), axes, keepdims)

    def _widened(self, x: TensorLike) -> Tensor:
        """Integers in 64 bits, as numpy's sum and prod do."""
        x = self.tensor(x)
        element = x.type.element
        if isinstance(element, IntegerType):
            return self.cast(x, UI64 if element.is_unsigned else I64)
        return x

    def mean(self, x: TensorLike, axes: Sequence[int] | int | None = None, keepdims: bool = False) -> Tensor:
        (x,), _ = self._promote(self.tensor(x), floats=True)
        return self._reduce(composite.Mean, x, axes, keepdims)

    def max(self, x: TensorLike, axes: Sequence[int] | int | None = None, keepdims: bool = False) -> Tensor:
        return self._reduce(reduce.Max, self.tensor(x), axes, keepdims)

    def min(self, x: TensorLike, axes: Sequence[int] | int | None = None, keepdims: bool = False) -> Tensor:
        return self._reduce(reduce.Min, self.tensor(x), axes, keepdims)

    def all(self, x: TensorLike, axes: Sequence[int] | int | None = None, keepdims: bool = False) -> Tensor:
        return self._reduce(reduce.All, self.tensor(x), axes, keepdims)

    def any(self, x: TensorLike, axes: Sequence[int] | int | None = None, keepdims: bool = False) -> Tensor:
        return self._reduce(reduce.AnyOp, self.tensor(x), axes, keepdims)

    def argmax(self, x: TensorLike, axis: int) -> Tensor:
        """The position of the largest along the axis, as i64."""
        x = self.tensor(x)
        return self.make(reduce.Argmax, x, axis=axis + x.type.rank if axis < 0 else axis)

    def cumsum(self, x: TensorLike, axis: int, exclusive: bool = False, reverse: bool = False) -> Tensor:
        """The sum of each element and all before it along the axis."""
        return self._cumulative(scan.Cumsum, self.tensor(x), axis, exclusive, reverse)

    def _cumulative(self, cls: type[Op], x: Tensor, axis: int, exclusive: bool, reverse: bool) -> Tensor:
        axis = axis + x.type.rank if axis < 0 else axis
        return self.make(cls, x, axis=axis, exclusive=exclusive or None, reverse=reverse or None)

    # --- softmax -----------------------------------------------------------------------------------------------------

    def softmax(self, x: TensorLike, axes: Sequence[int] | int = -1) -> Tensor:
        return self._normalised(composite.Softmax, x, axes)

    def log_softmax(self, x: TensorLike, axes: Sequence[int] | int = -1) -> Tensor:
        return self._normalised(composite.LogSoftmax, x, axes)

    def _normalised(self, cls: type[Op], x: TensorLike, axes: Sequence[int] | int) -> Tensor:
        (x,), _ = self._promote(self.tensor(x), floats=True)
        return self._reduce(cls, x, axes, keepdims=False)

    def softmax_cross_entropy(self, logits: TensorLike, labels: TensorLike) -> Tensor:
        """-log(softmax(logits)[label]) over the last axis; labels: class numbers, or probabilities of all classes."""
        return self.make(composite.SoftmaxCrossEntropy, self.tensor(logits), self.tensor(labels))
