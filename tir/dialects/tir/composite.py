"""Composites: mean and the softmax family. They stay whole until after autodiff and own their gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tir.dialects.tir.base import (
    FLOAT_TENSOR,
    NUMBER_TENSOR,
    Composite,
    Place,
    check_axes,
    fail,
    lowest,
    merge_dims,
    reduced_type,
)
from tir.ir.define import attribute, operand, result
from tir.ir.kinds import I64_ARRAY
from tir.ir.types import I1, I64, FloatType, Type
from tir.lazy import np

__all__ = ["OPS"]


class Mean(Composite):
    """The sum over `axes` divided by the number of elements; nan of nothing."""

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


class SoftmaxCrossEntropy(Composite):
    """-log(softmax(logits)[label]) over the last axis, which disappears.

    labels: integers, one for each slice; outside of 0 to C - 1 the result is nan. Or floats of the shape of the logits,
    probabilities p of the classes: -sum(p log(softmax(logits))), to which a class with p = 0 adds 0 for any logit.
    Gradient of the logits: softmax - one_hot(label), or softmax sum(p) - p; of p: -log_softmax.
    """

    name = "tir.softmax_cross_entropy"
    logits = operand(FLOAT_TENSOR)
    labels = operand(NUMBER_TENSOR)
    result = result(FLOAT_TENSOR)
    format = "$logits `,` $labels attr-dict `:` type($result)"

    @property
    def is_dense(self) -> bool:
        """The labels are probabilities, not class numbers."""
        return isinstance(self.labels.type.element, FloatType)

    @property
    def last(self) -> int:
        """The axis of the classes."""
        return self.logits.type.rank - 1

    def infer(self) -> Sequence[Type]:
        logits, labels = self.logits.type, self.labels.type
        if logits.rank == 0:
            fail(self, "logits need an axis of classes, got rank 0")
        if self.is_dense and labels.element is not logits.element:
            fail(self, f"labels must be integers or of the element type of the logits, got {labels} for {logits}")
        want = logits.shape if self.is_dense else logits.shape[:-1]
        merged = [merge_dims(w, got) for w, got in zip(want, labels.shape)]
        if len(want) != labels.rank or None in merged:
            fail(self, f"labels must have shape {list(want)}, got {labels} for logits {logits}")
        return [logits.with_shape(d for d in merged[: self.last] if d is not None)]

    def same_sizes(self) -> Sequence[tuple[Place, Place]]:
        return [((self.labels, axis), (self.logits, axis)) for axis in range(self.labels.type.rank)]

    def reference(self, logits: Any, labels: Any) -> Any:
        moved = shifted(logits, (self.last,))
        total = np.sum(np.exp(moved), axis=-1, keepdims=True)
        scores = moved - np.log(np.maximum(total, logits.dtype.type(1)))
        if self.is_dense:
            return 0 - np.sum(np.where(labels == 0, 0, labels * scores), axis=-1, dtype=logits.dtype)
        classes = np.arange(logits.shape[-1])
        picked = np.sum(np.where(classes == labels[..., None], scores, 0), axis=-1, dtype=logits.dtype)
        inside = (labels >= 0) & (labels < logits.shape[-1])
        return np.where(inside, 0 - picked, logits.dtype.type(np.nan))

    def decompose(self, b: Any, logits: Any, labels: Any) -> Any:
        scores = b.log_softmax(logits, [self.last])
        # 0 - x, not -x: the loss of a certain and right prediction is 0, not -0.
        if self.is_dense:
            return 0 - b.sum(b.select(b.cmp("eq", labels, 0), 0, labels * scores), [self.last])
        is_label = b.one_hot(labels, b.shape(logits)[-1], I1)
        picked = b.sum(b.select(is_label, scores, 0), [self.last])
        # In 64 bits: a narrow type of the labels could not hold the number of classes.
        number = b.cast(labels, I64)
        inside = b.and_(b.cmp("ge", number, 0), b.cmp("lt", number, b.count(logits, [self.last], I64)))
        return b.select(inside, 0 - picked, float("nan"))

    def grad(self, b: Any, g: Any, logits: Any, labels: Any) -> list[Any]:
        spread = b.repeat_along(g, [self.last], logits)
        share = b.softmax(logits, [self.last])
        if not self.is_dense:
            return [spread * (share - b.one_hot(labels, b.shape(logits)[-1], logits.type.element)), None]
        total = b.repeat_along(b.sum(labels, [self.last]), [self.last], logits)
        return [spread * (share * total - labels), -(spread * b.log_softmax(logits, [self.last]))]


def shifted(x: Any, axes: tuple[int, ...]) -> Any:
    """x minus its largest element over the axes. See Note [Softmax of infinities]."""
    finite = np.finfo(x.dtype).min
    return x - np.maximum(np.max(x, axis=axes, keepdims=True, initial=-np.inf), finite)


def _shift(b: Any, x: Any, axes: Sequence[int]) -> Any:
    largest = b.maximum(b.max(x, axes), lowest(x.type.element, infinite=False))
    return x - b.repeat_along(largest, axes, x)


#: The ops of the family, in the order of the documentation.
OPS = (Mean, Softmax, LogSoftmax, SoftmaxCrossEntropy)
