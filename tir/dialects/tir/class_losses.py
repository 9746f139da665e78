"""Losses of scores for classes, by the class that is right: over the last axis, which disappears."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tir.dialects.tir.base import Composite, Place, fail, merge_dims
from tir.dialects.tir.batch import batch_size, in_front, spread_all
from tir.dialects.tir.composite import shifted
from tir.dialects.tir.elements import FLOAT_TENSOR, INTEGER_TENSOR, NUMBER_TENSOR, fits_exactly
from tir.ir.define import attribute, operand, result
from tir.ir.kinds import F64_ATTR, I64_ATTR
from tir.ir.types import I1, I64, FloatType, TensorType, Type, dim_text
from tir.lazy import np

__all__ = ["OPS"]


class _ClassLoss(Composite):
    """What the losses share. The first operand are the scores, the second `labels`; `weights` has a number for each class.

    A label outside of 0 to C - 1 makes the loss nan, the label `ignore` 0. A weight of 0 makes a term 0, whatever the score.
    """

    labels: Any
    weights: Any
    ignore: Any

    def of_batch(self, b: Any, operands: Sequence[Any], batched: Sequence[bool]) -> Sequence[Any] | None:
        if any(batched[2:]):
            return None
        rows = spread_all(b, operands[:2], batched[:2])
        return in_front(b, self, [*rows, *operands[2:]], batch_size(b, operands, batched))

    @property
    def scores_type(self) -> TensorType:
        """The type of the first operand."""
        return self.operands[0].type  # type: ignore[return-value]

    @property
    def last(self) -> int:
        """The axis of the classes."""
        return self.scores_type.rank - 1

    def infer_rows(self, scores: str, want: Sequence[Any]) -> Sequence[Type]:
        """The result type. VerifyError unless the labels have the shape `want`, and the weights one number a class."""
        type, labels = self.scores_type, self.labels.type
        merged = [merge_dims(w, got) for w, got in zip(want, labels.shape)]
        if len(want) != labels.rank or None in merged:
            are_numbers = isinstance(labels.element, FloatType) and labels.rank == self.last
            hint = "class numbers are integers, which tir.cast makes of floats" if are_numbers else None
            fail(self, f"labels must have shape {_sizes(want)}, got {labels} for {scores} {type}", hint)
        if self.weights is not None:
            weights, classes = self.weights.type, type.shape[-1:]
            if weights.rank != 1 or weights.element is not type.element or merge_dims(*classes, *weights.shape) is None:
                want = f"shape {_sizes(classes)} and the element type of the {scores}"
                fail(self, f"weights must have {want}, got {weights}")
        return [type.with_shape(d for d in merged[: self.last] if d is not None)]

    def same_sizes(self) -> Sequence[tuple[Place, Place]]:
        scores = self.operands[0]
        found: list[tuple[Place, Place]] = [((self.labels, i), (scores, i)) for i in range(self.labels.type.rank)]
        return found if self.weights is None else [*found, ((self.weights, 0), (scores, self.last))]

    def _ignored(self) -> int | None:
        """The label that is ignored, if there is one that the type of the labels has."""
        return self.ignore if self.ignore is not None and fits_exactly(self.ignore, self.labels.type.element) else None

    def finished(self, loss: Any, labels: Any, classes: int) -> Any:
        """In numpy: nan for labels of no class, 0 for those that are ignored."""
        loss = np.where((labels >= 0) & (labels < classes), loss, loss.dtype.type(np.nan))
        return loss if self._ignored() is None else np.where(labels == self._ignored(), loss.dtype.type(0), loss)

    def finish(self, b: Any, loss: Any, scores: Any, labels: Any) -> Any:
        """The same in ops."""
        # In 64 bits: a narrow type of the labels could not hold the number of classes.
        number = b.cast(labels, I64)
        inside = b.and_(b.cmp("ge", number, 0), b.cmp("lt", number, b.count(scores, [self.last], I64)))
        return self.kept(b, b.select(inside, loss, float("nan")), labels)

    def kept(self, b: Any, x: Any, labels: Any) -> Any:
        """x, 0 where the label is ignored; x has an element for each label, or the shape of the scores."""
        if self._ignored() is None:
            return x
        ignored = b.cmp("eq", labels, self._ignored())
        gone = [self.last] if x.type.rank > labels.type.rank else []
        return b.select(b.repeat_along(ignored, gone, x), 0, x)

    def is_label(self, b: Any, scores: Any, labels: Any) -> Any:
        """Whether a class is the one that the label says, in the shape of the scores."""
        return b.one_hot(labels, b.shape(scores)[-1], I1)


def _sizes(shape: Sequence[Any]) -> str:
    return f"[{', '.join(map(dim_text, shape))}]"


def _without_zeros(b: Any, weights: Any, terms: Any) -> Any:
    """weights * terms, and 0 where the weight is 0."""
    return b.select(b.cmp("eq", weights, 0), 0, weights * terms)


def _product(b: Any, weights: Any, terms: Any) -> Any:
    """The same, for a gradient: where the weight is 0 and the term a number it still depends on the weight."""
    is_nothing = b.and_(b.cmp("eq", weights, 0), b.not_(b.is_finite(terms)))
    return weights * b.select(is_nothing, 0, terms)


class SoftmaxCrossEntropy(_ClassLoss):
    """-log(softmax(logits)[label]) over the last axis, which disappears.

    labels: integers, one for each slice; outside of 0 to C - 1 the result is nan. Or floats of the shape of the logits,
    probabilities p of the classes: -sum(p log(softmax(logits))), to which a class with p = 0 adds 0 for any logit.
    weights: one for each class, times its term. `ignore`: a class number whose slices give 0 and have no gradient, often
    -100. `smoothing(s)`: p is (1 - s) p + s / C, and a class number means p = 1 of one class. As torch's cross_entropy with
    reduction "none", and ONNX's SoftmaxCrossEntropyLoss; what is divided by for a mean, the sum of the weights of the
    labels or the number of rows, the program says.

    Gradient of the logits: softmax sum(p) - p; of p: -log_softmax; of the weights: the terms, summed over the slices.
    """

    name = "tir.softmax_cross_entropy"
    logits = operand(FLOAT_TENSOR)
    labels = operand(NUMBER_TENSOR)
    weights = operand(FLOAT_TENSOR, optional=True)
    ignore = attribute(I64_ATTR, optional=True)
    smoothing = attribute(F64_ATTR, default=0.0)
    result = result(FLOAT_TENSOR)
    format = (
        "$logits `,` $labels (`weights` $weights^)? (`ignore` $ignore^)? (`smoothing` `(` $smoothing^ `)`)? "
        "attr-dict `:` type($result)"
    )

    @property
    def is_dense(self) -> bool:
        """The labels are probabilities, not class numbers."""
        return isinstance(self.labels.type.element, FloatType)

    def infer(self) -> Sequence[Type]:
        logits, labels = self.logits.type, self.labels.type
        if logits.rank == 0:
            fail(self, "logits need an axis of classes, got rank 0")
        if self.is_dense and labels.element is not logits.element:
            fail(self, f"labels must be integers or of the element type of the logits, got {labels} for {logits}")
        if self.is_dense and self.ignore is not None:
            fail(self, f"ignore is for labels that are class numbers, got {labels}")
        if not 0 <= self.smoothing <= 1:
            fail(self, f"smoothing must be 0 to 1, got {self.smoothing}")
        return self.infer_rows("logits", logits.shape if self.is_dense else logits.shape[:-1])

    def reference(self, logits: Any, labels: Any, weights: Any = None) -> Any:
        number, classes = logits.dtype.type, logits.shape[-1]
        moved = shifted(logits, (self.last,))
        scores = moved - np.log(np.maximum(np.sum(np.exp(moved), axis=-1, keepdims=True), number(1)))
        share = labels if self.is_dense else (np.arange(classes) == labels[..., None]).astype(logits.dtype)
        if self.smoothing:
            share = share * number(1 - self.smoothing) + number(self.smoothing) / number(classes)
        share = share if weights is None else share * weights
        loss = 0 - np.sum(np.where(share == 0, 0, share * scores), axis=-1, dtype=logits.dtype)
        return loss if self.is_dense else self.finished(loss, labels, classes)

    def decompose(self, b: Any, logits: Any, labels: Any, weights: Any = None) -> Any:
        scores = b.log_softmax(logits, [self.last])
        if self._is_plain:
            terms = b.select(self.is_label(b, logits, labels), scores, 0)
        else:
            terms = _without_zeros(b, self._shares(b, logits, labels, weights), scores)
        # 0 - x, not -x: the loss of a certain and right prediction is 0, not -0.
        loss = 0 - b.sum(terms, [self.last])
        return loss if self.is_dense else self.finish(b, loss, logits, labels)

    @property
    def _is_plain(self) -> bool:
        """There is one class for each slice, with the weight 1."""
        return not self.is_dense and not self.smoothing and self.weights is None

    def _shares(self, b: Any, logits: Any, labels: Any, weights: Any = None) -> Any:
        """What the logarithm of each probability is multiplied by, in the shape of the logits."""
        element = logits.type.element
        share = labels if self.is_dense else b.one_hot(labels, b.shape(logits)[-1], element)
        if self.smoothing:
            classes = b.count(logits, [self.last], element)
            classes = max(classes, 1) if isinstance(classes, int) else classes
            share = share * (1 - self.smoothing) + self.smoothing / classes
        return share if weights is None else share * b.broadcast(weights, [self.last], b.shape(logits))

    def grad(self, b: Any, g: Any, logits: Any, labels: Any, weights: Any = None) -> list[Any]:
        last = [self.last]
        spread = b.repeat_along(g, last, logits)
        shares, predicted = self._shares(b, logits, labels, weights), b.softmax(logits, last)
        if not self._is_plain:
            predicted = predicted * b.repeat_along(b.sum(shares, last), last, logits)
        by_logits = spread * (predicted - shares)
        scores = b.log_softmax(logits, last)
        if self.is_dense:
            by_share = -(spread * scores)
            by_share = by_share * (1 - self.smoothing) if self.smoothing else by_share
            by_labels = by_share if weights is None else by_share * b.broadcast(weights, last, b.shape(logits))
        else:
            by_logits, by_labels = self.kept(b, by_logits, labels), None
        if weights is None:
            return [by_logits, by_labels]
        terms = spread * _product(b, self._shares(b, logits, labels), scores)
        terms = terms if self.is_dense else self.kept(b, terms, labels)
        return [by_logits, by_labels, 0 - b.sum(terms, range(self.last))]


class NllLoss(_ClassLoss):
    """-scores[label] over the last axis, which disappears: `scores` are logarithms of probabilities.

    labels: integers, one for each slice; outside of 0 to C - 1 the result is nan. weights: one for each class, times its
    score. `ignore`: a label whose slices give 0 and have no gradient, often -100. As torch's nll_loss with reduction
    "none", and ONNX's NegativeLogLikelihoodLoss. Gradient of scores: -one_hot(label) weights[label]; of the weights:
    -scores[label], summed over the slices.
    """

    name = "tir.nll_loss"
    scores = operand(FLOAT_TENSOR)
    labels = operand(INTEGER_TENSOR)
    weights = operand(FLOAT_TENSOR, optional=True)
    ignore = attribute(I64_ATTR, optional=True)
    result = result(FLOAT_TENSOR)
    format = "$scores `,` $labels (`weights` $weights^)? (`ignore` $ignore^)? attr-dict `:` type($result)"

    def infer(self) -> Sequence[Type]:
        scores = self.scores.type
        if scores.rank == 0:
            fail(self, "scores need an axis of classes, got rank 0")
        return self.infer_rows("scores", scores.shape[:-1])

    def reference(self, scores: Any, labels: Any, weights: Any = None) -> Any:
        classes = scores.shape[-1]
        if classes == 0:
            return self.finished(np.zeros(labels.shape, scores.dtype), labels, classes)
        place = np.where((labels >= 0) & (labels < classes), labels, 0).astype(np.int64)
        picked = np.take_along_axis(scores, place[..., None], -1)[..., 0]
        if weights is not None:
            picked = np.where(weights[place] == 0, 0, weights[place] * picked)
        return self.finished(0 - picked, labels, classes)

    def decompose(self, b: Any, scores: Any, labels: Any, weights: Any = None) -> Any:
        terms = scores if weights is None else _without_zeros(b, b.broadcast(weights, [self.last], b.shape(scores)), scores)
        picked = b.sum(b.select(self.is_label(b, scores, labels), terms, 0), [self.last])
        return self.finish(b, 0 - picked, scores, labels)

    def grad(self, b: Any, g: Any, scores: Any, labels: Any, weights: Any = None) -> list[Any]:
        is_label = self.is_label(b, scores, labels)
        spread = b.repeat_along(-g, [self.last], scores)
        by_scores = spread if weights is None else spread * b.broadcast(weights, [self.last], b.shape(scores))
        found = [self.kept(b, b.select(is_label, by_scores, 0), labels), None]
        if weights is not None:
            by_weights = self.kept(b, b.select(is_label, spread * scores, 0), labels)
            found.append(b.sum(by_weights, range(self.last)))
        return found


#: The ops of the family, in the order of the documentation.
OPS = (SoftmaxCrossEntropy, NllLoss)
