"""Composites that say how far two tensors are apart, element by element. They own their gradients."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tir.dialects.tir.base import Composite, Place, common_element, fail, merge_shapes, same_shapes
from tir.dialects.tir.elements import FLOAT_TENSOR, is_number_of
from tir.ir.define import attribute, operand, result
from tir.ir.kinds import NUMBER_ATTR
from tir.ir.slips import number_hint
from tir.ir.types import TensorType, Type
from tir.lazy import np

__all__ = ["OPS"]


class _Loss(Composite):
    """Two float tensors of one type to a third."""

    batch_axes = ()

    def infer(self) -> Sequence[Type]:
        named = [(field.name, self.type_of(field.name)) for field in self.definition.operands]
        element = common_element(self, *named)
        return [TensorType(merge_shapes(self, *named), element)]

    def same_sizes(self) -> Sequence[tuple[Place, Place]]:
        return same_shapes(self.operands)

    def reference(self, x: Any, y: Any) -> Any:
        return self.compute(x, y)

    def compute(self, x: Any, y: Any) -> Any:
        """The loss, for arrays of one shape."""
        raise AssertionError(f"{self.name} has no meaning")


class BinaryCrossEntropyWithLogits(_Loss):
    """-(t log(sigmoid(z)) + (1 - t) log(1 - sigmoid(z))), for any z: `z` are logits, `t` probabilities.

    Neither overflows nor loses digits for large |z|. A term of weight 0 is 0: z = inf with t = 1 costs nothing. Gradient
    of z: sigmoid(z) - t; of t: -z.
    """

    name = "tir.binary_cross_entropy_with_logits"
    z = operand(FLOAT_TENSOR)
    t = operand(FLOAT_TENSOR)
    result = result(FLOAT_TENSOR)
    format = "$z `,` $t attr-dict `:` type($result)"

    def compute(self, z: Any, t: Any) -> Any:
        tail = np.log1p(np.exp(-np.abs(z)))
        of_one, of_zero = np.maximum(-z, 0) + tail, np.maximum(z, 0) + tail
        return np.where(t == 0, 0, t * of_one) + np.where(t == 1, 0, (1 - t) * of_zero)

    def decompose(self, b: Any, z: Any, t: Any) -> Any:
        tail = b.log1p(b.exp(-b.abs(z)))
        of_one, of_zero = b.maximum(-z, 0) + tail, b.maximum(z, 0) + tail
        return b.select(b.cmp("eq", t, 0), 0, t * of_one) + b.select(b.cmp("eq", t, 1), 0, (1 - t) * of_zero)

    def grad(self, b: Any, g: Any, z: Any, t: Any) -> list[Any]:
        return [g * (b.sigmoid(z) - t), -(g * z)]


class BinaryCrossEntropy(_Loss):
    """-(t log(p) + (1 - t) log(1 - p)): `p` and `t` are probabilities.

    As Theano's, it clips nothing: p = 0 with t > 0, or p = 1 with t < 1, costs inf, and a sigmoid rounds to 1 from about 17
    on in f32. Clip p, or better give the logits to tir.binary_cross_entropy_with_logits. A term of weight 0 is 0. Gradient
    of p: (1 - t) / (1 - p) - t / p; of t: log(1 - p) - log(p).
    """

    name = "tir.binary_cross_entropy"
    p = operand(FLOAT_TENSOR)
    t = operand(FLOAT_TENSOR)
    result = result(FLOAT_TENSOR)
    format = "$p `,` $t attr-dict `:` type($result)"

    def compute(self, p: Any, t: Any) -> Any:
        return 0 - np.where(t == 0, 0, t * np.log(p)) - np.where(t == 1, 0, (1 - t) * np.log1p(-p))

    def decompose(self, b: Any, p: Any, t: Any) -> Any:
        of_one = b.select(b.cmp("eq", t, 0), 0, t * b.log(p))
        return 0 - of_one - b.select(b.cmp("eq", t, 1), 0, (1 - t) * b.log1p(-p))

    def grad(self, b: Any, g: Any, p: Any, t: Any) -> list[Any]:
        of_one = b.select(b.cmp("eq", t, 0), 0, t / p)
        of_zero = b.select(b.cmp("eq", t, 1), 0, (1 - t) / (1 - p))
        return [g * (of_zero - of_one), g * (b.log1p(-p) - b.log(p))]


class Huber(_Loss):
    """(x - y)^2 / 2 where |x - y| is at most `delta`, and delta (|x - y| - delta / 2) beyond.

    `tir.huber %x, %y delta 1.0 : f32 : tensor<4xf32>`. Gradient of x: x - y, not below -delta nor above delta.
    """

    name = "tir.huber"
    x = operand(FLOAT_TENSOR)
    y = operand(FLOAT_TENSOR)
    delta = attribute(NUMBER_ATTR)
    result = result(FLOAT_TENSOR)
    format = "$x `,` $y `delta` $delta attr-dict `:` type($result)"

    def infer(self) -> Sequence[Type]:
        attr, element = self.properties["delta"], self.x.type.element
        if not is_number_of(attr, element):
            fail(self, f"delta must be of type {element}, got {attr}", number_hint(attr, element))
        if not 0 < self.delta < math.inf:
            fail(self, f"delta must be a positive number, got {self.delta}")
        return super().infer()

    def compute(self, x: Any, y: Any) -> Any:
        far = np.abs(x - y)
        near = np.minimum(far, x.dtype.type(self.delta))
        return near * (far - x.dtype.type(0.5) * near)

    def decompose(self, b: Any, x: Any, y: Any) -> Any:
        far = b.abs(x - y)
        near = b.minimum(far, self.delta)
        return near * (far - 0.5 * near)

    def grad(self, b: Any, g: Any, x: Any, y: Any) -> list[Any]:
        by_x = g * b.minimum(b.maximum(x - y, -self.delta), self.delta)
        return [by_x, -by_x]


class KlDiv(_Loss):
    """p (log(p) - log_q), the terms of the divergence of q from p; 0 where p is 0, for any log_q.

    `log_q` are logarithms of probabilities, such as tir.log_softmax gives; `p` are probabilities. Gradient of log_q: -p;
    of p: log(p) + 1 - log_q.
    """

    name = "tir.kl_div"
    log_q = operand(FLOAT_TENSOR)
    p = operand(FLOAT_TENSOR)
    result = result(FLOAT_TENSOR)
    format = "$log_q `,` $p attr-dict `:` type($result)"

    def compute(self, log_q: Any, p: Any) -> Any:
        return np.where(p == 0, p.dtype.type(0), p * (np.log(p) - log_q))

    def decompose(self, b: Any, log_q: Any, p: Any) -> Any:
        return b.select(b.cmp("eq", p, 0), 0, p * (b.log(p) - log_q))

    def grad(self, b: Any, g: Any, log_q: Any, p: Any) -> list[Any]:
        return [-(g * p), g * (b.log(p) + 1 - log_q)]


#: The ops of the family, in the order of the documentation.
OPS = (BinaryCrossEntropyWithLogits, BinaryCrossEntropy, Huber, KlDiv)
