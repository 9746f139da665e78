"""Builder methods for reductions and products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tir.dialects.tir import composite, reduce, scan, statistics
from tir.dialects.tir.build.core import Tensor, TensorLike
from tir.dialects.tir.build.indexing import IndexingBuilder
from tir.ir.errors import TirError
from tir.ir.ir import Op
from tir.ir.types import I64, IntegerType

__all__ = ["ReductionBuilder"]

UI64 = IntegerType(64, "u")


class ReductionBuilder(IndexingBuilder):
    """Reductions over axes (all by default), products, and what normalises over axes."""

    def _reduce(
        self, cls: type[Op], x: Tensor, axes: Sequence[int] | int | None, keepdims: bool, **facts: Any
    ) -> Tensor:
        rank, ordered = x.type.rank, self._ordered(x, axes)
        # Over no axes, a fold is x itself; a variance or a norm is not.
        found = self.make(cls, x, axes=ordered, **facts) if ordered or cls in statistics.OPS else x
        if not keepdims:
            return found
        shape = [1 if axis in ordered else extent for axis, extent in enumerate(self.shape(x))]
        return self.broadcast(found, [axis for axis in range(rank) if axis not in ordered], shape)

    def _ordered(self, x: Tensor, axes: Sequence[int] | int | None) -> list[int]:
        """The axes, all for None, counted from the front."""
        return list(range(x.type.rank)) if axes is None else self.axes_of(x, axes)

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

    def var(
        self, x: TensorLike, axes: Sequence[int] | int | None = None, ddof: int = 0, keepdims: bool = False
    ) -> Tensor:
        """The variance, divided by the number of elements less ddof."""
        return self._spread(statistics.Var, x, axes, ddof, keepdims)

    def std(
        self, x: TensorLike, axes: Sequence[int] | int | None = None, ddof: int = 0, keepdims: bool = False
    ) -> Tensor:
        """The root of the variance."""
        return self._spread(statistics.Std, x, axes, ddof, keepdims)

    def _spread(
        self, cls: type[Op], x: TensorLike, axes: Sequence[int] | int | None, ddof: int, keepdims: bool
    ) -> Tensor:
        (x,), _ = self._promote(self.tensor(x), floats=True)
        return self._reduce(cls, x, axes, keepdims, ddof=ddof)

    def norm(
        self, x: TensorLike, axes: Sequence[int] | int | None = None, order: int | float = 2, keepdims: bool = False
    ) -> Tensor:
        """The norm of order 1, 2 or inf of the numbers along the axes."""
        names = dict(zip((1, 2, float("inf")), statistics.ORDERS))
        if order not in names:
            raise TirError(f"norm: the order must be 1, 2 or inf, got {order}")
        (x,), _ = self._promote(self.tensor(x), floats=True)
        return self._reduce(statistics.Norm, x, axes, keepdims, order=names[order])

    def logsumexp(self, x: TensorLike, axes: Sequence[int] | int | None = None, keepdims: bool = False) -> Tensor:
        """log(sum(exp(x))) without overflow."""
        (x,), _ = self._promote(self.tensor(x), floats=True)
        return self._reduce(statistics.LogSumExp, x, axes, keepdims)

    def max(
        self, x: TensorLike, axes: Sequence[int] | int | None = None, keepdims: bool = False, ties: str = "all"
    ) -> Tensor:
        """The largest; ties: whether its gradient goes to all that are, is split, or goes to the first."""
        return self._reduce(reduce.Max, self.tensor(x), axes, keepdims, ties=ties)

    def min(
        self, x: TensorLike, axes: Sequence[int] | int | None = None, keepdims: bool = False, ties: str = "all"
    ) -> Tensor:
        """The smallest; ties: as of max."""
        return self._reduce(reduce.Min, self.tensor(x), axes, keepdims, ties=ties)

    def all(self, x: TensorLike, axes: Sequence[int] | int | None = None, keepdims: bool = False) -> Tensor:
        return self._reduce(reduce.All, self.tensor(x), axes, keepdims)

    def any(self, x: TensorLike, axes: Sequence[int] | int | None = None, keepdims: bool = False) -> Tensor:
        return self._reduce(reduce.AnyOp, self.tensor(x), axes, keepdims)

    def reduce_and(self, x: TensorLike, axes: Sequence[int] | int | None = None, keepdims: bool = False) -> Tensor:
        """The bits that all have."""
        return self._reduce(reduce.ReduceAnd, self.tensor(x), axes, keepdims)

    def reduce_or(self, x: TensorLike, axes: Sequence[int] | int | None = None, keepdims: bool = False) -> Tensor:
        """The bits that one has."""
        return self._reduce(reduce.ReduceOr, self.tensor(x), axes, keepdims)

    def reduce_xor(self, x: TensorLike, axes: Sequence[int] | int | None = None, keepdims: bool = False) -> Tensor:
        """The bits that an odd number has."""
        return self._reduce(reduce.ReduceXor, self.tensor(x), axes, keepdims)

    def argmax(self, x: TensorLike, axis: int) -> Tensor:
        """The position of the largest along the axis, as i64."""
        x = self.tensor(x)
        return self.make(reduce.Argmax, x, axis=self.axis_of(x, axis))

    def argmin(self, x: TensorLike, axis: int) -> Tensor:
        """The position of the smallest along the axis, as i64."""
        x = self.tensor(x)
        return self.make(reduce.Argmin, x, axis=self.axis_of(x, axis))

    def cumsum(self, x: TensorLike, axis: int, exclusive: bool = False, reverse: bool = False) -> Tensor:
        """The sum of each element and all before it along the axis."""
        return self._cumulative(scan.Cumsum, self.tensor(x), axis, exclusive, reverse)

    def cumprod(self, x: TensorLike, axis: int, exclusive: bool = False, reverse: bool = False) -> Tensor:
        """The product of each element and all before it along the axis."""
        return self._cumulative(scan.Cumprod, self.tensor(x), axis, exclusive, reverse)

    def recurrence(
        self, factors: TensorLike, terms: TensorLike, axis: int, exclusive: bool = False, reverse: bool = False
    ) -> Tensor:
        """y[i] = factors[i] y[i - 1] + terms[i] along the axis."""
        factors, terms = self._together(factors, terms)
        facts = {"axis": self.axis_of(factors, axis), "exclusive": exclusive or None, "reverse": reverse or None}
        return self.make(scan.Recurrence, factors, terms, **facts)

    def cummax(self, x: TensorLike, axis: int, exclusive: bool = False, reverse: bool = False) -> Tensor:
        """The largest of each element and all before it along the axis."""
        return self._cumulative(scan.Cummax, self.tensor(x), axis, exclusive, reverse)

    def cummin(self, x: TensorLike, axis: int, exclusive: bool = False, reverse: bool = False) -> Tensor:
        """The smallest of each element and all before it along the axis."""
        return self._cumulative(scan.Cummin, self.tensor(x), axis, exclusive, reverse)

    def _cumulative(self, cls: type[Op], x: Tensor, axis: int, exclusive: bool, reverse: bool) -> Tensor:
        facts = {"axis": self.axis_of(x, axis), "exclusive": exclusive or None, "reverse": reverse or None}
        return self.make(cls, x, **facts)

    # --- softmax -----------------------------------------------------------------------------------------------------

    def softmax(self, x: TensorLike, axes: Sequence[int] | int = -1) -> Tensor:
        return self._normalised(composite.Softmax, x, axes)

    def log_softmax(self, x: TensorLike, axes: Sequence[int] | int = -1) -> Tensor:
        return self._normalised(composite.LogSoftmax, x, axes)

    def _normalised(self, cls: type[Op], x: TensorLike, axes: Sequence[int] | int) -> Tensor:
        (x,), _ = self._promote(self.tensor(x), floats=True)
        return self.make(cls, x, axes=self.axes_of(x, axes))
