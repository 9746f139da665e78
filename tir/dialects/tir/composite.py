"""Composites: mean and the softmax family. They stay whole until after autodiff and own their gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tir.dialects.tir.base import Composite, check_axes, reduced_type
from tir.dialects.tir.elements import FLOAT_TENSOR, lowest
from tir.ir.define import attribute, operand, result
from tir.ir.kinds import I64_ARRAY
from tir.ir.types import Type
from tir.lazy import np

__all__ = ["OPS"]


class Mean(Composite):
    """The sum over `axes` divided by the number of elements; nan of nothing."""

    batch_axes = ("axes",)

    name = "tir.mean"
    x = operand(FLOAT_TENSOR)
    axes = attribute(I64_ARRAY)
    result = result(FLOAT_TENSOR)
    format = "$x `over` $axes attr-dict `:` type($result)"

    def infer(self) -> Sequence[Type]:
        return [reduced_type(self, self.x.type, self.axes)]

    def reference(self, x: Any) -> Any:
        count = int(np.prod([x.shape[axis] for axis in self.axes], dtype=np.int64))
        return np.sum(x, axis=tuple(self.axes), dtype=x.dtype) / x.dtype.type(count)

    def decompose(self, b: Any, x: Any) -> Any:
        return b.sum(x, self.axes) / b.count(x, self.axes)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [b.repeat_along(g / b.count(x, self.axes), self.axes, x)]


# Note [Softmax of infinities]
#
# The maximum is subtracted first, so no exponent is above 0 and nothing overflows. In a slice of all -inf that would be
# -inf - -inf = nan; so the maximum is at least the lowest finite number: the exponents are then -inf and all terms 0.
# The sum is at least 1, since the largest element gives exp(0) = 1; only a slice of all -inf has less. Taking 1 there
# makes its softmax 0 and its log_softmax -inf: a row that masks out everything gives nothing, not nan.


class _SoftmaxLike(Composite):
    """One float tensor to one of the same type, normalised over `axes`."""

    batch_axes = ("axes",)

    x = operand(FLOAT_TENSOR)
    axes = attribute(I64_ARRAY)
    result = result(FLOAT_TENSOR)
    format = "$x `over` $axes attr-dict `:` type($result)"

    def infer(self) -> Sequence[Type]:
        check_axes(self, self.axes, self.x.type.rank)
        return [self.x.type]


class Softmax(_SoftmaxLike):
    """exp(x) / sum(exp(x)) over `axes`, without overflow. A slice of all -inf gives 0; one with +inf gives nan there.

    Gradient: y (g - sum(g y)).
    """

    name = "tir.softmax"

    def reference(self, x: Any) -> Any:
        terms = np.exp(shifted(x, tuple(self.axes)))
        return terms / np.maximum(np.sum(terms, axis=tuple(self.axes), keepdims=True), x.dtype.type(1))

    def decompose(self, b: Any, x: Any) -> Any:
        terms = b.exp(_shift(b, x, self.axes))
        total = b.maximum(b.sum(terms, self.axes), 1)
        return terms / b.repeat_along(total, self.axes, x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        y = b.tensor(self.result)
        return [y * (g - b.repeat_along(b.sum(g * y, self.axes), self.axes, x))]


class LogSoftmax(_SoftmaxLike):
    """log(softmax(x)) over `axes`, finite where softmax underflows to 0. A slice of all -inf gives -inf.

    Gradient: g - softmax(x) sum(g).
    """

    name = "tir.log_softmax"

    def reference(self, x: Any) -> Any:
        moved = shifted(x, tuple(self.axes))
        total = np.sum(np.exp(moved), axis=tuple(self.axes), keepdims=True)
        return moved - np.log(np.maximum(total, x.dtype.type(1)))

    def decompose(self, b: Any, x: Any) -> Any:
        moved = _shift(b, x, self.axes)
        total = b.maximum(b.sum(b.exp(moved), self.axes), 1)
        return moved - b.repeat_along(b.log(total), self.axes, x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        share = b.repeat_along(b.sum(g, self.axes), self.axes, x)
        return [g - b.exp(b.tensor(self.result)) * share]


def shifted(x: Any, axes: tuple[int, ...]) -> Any:
    """x minus its largest element over the axes. See Note [Softmax of infinities]."""
    finite = np.finfo(x.dtype).min
    return x - np.maximum(np.max(x, axis=axes, keepdims=True, initial=-np.inf), finite)


def _shift(b: Any, x: Any, axes: Sequence[int]) -> Any:
    largest = b.maximum(b.max(x, axes), lowest(x.type.element, infinite=False))
    return x - b.repeat_along(largest, axes, x)


#: The ops of the family, in the order of the documentation.
OPS = (Mean, Softmax, LogSoftmax)
