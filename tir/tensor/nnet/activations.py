"""Activations and losses of networks, as Theano's `tensor.nnet` has them."""

from __future__ import annotations

from typing import Any

from tir.dialects.tir.build.core import Tensor
from tir.graph import elementwise, reductions
from tir.graph.errors import GraphTypeError
from tir.graph.graph import GRAPH as b
from tir.graph.graph import located
from tir.ir.types import F64, IntegerType

__all__ = [
    "binary_crossentropy", "categorical_crossentropy", "crossentropy_categorical_1hot",
    "crossentropy_softmax_1hot", "crossentropy_softmax_1hot_with_bias", "crossentropy_softmax_argmax_1hot_with_bias",
    "crossentropy_softmax_max_and_argmax_1hot", "crossentropy_softmax_max_and_argmax_1hot_with_bias", "elu",
    "hard_sigmoid", "leaky_relu", "log_softmax", "logsoftmax", "prepend_1_to_each_row", "prepend_scalar_to_each_row",
    "relu", "selu", "sigmoid", "sigmoid_binary_crossentropy", "softmax", "softmax_with_bias", "softplus", "softsign",
    "ultra_fast_sigmoid",
]  # fmt: skip

# --- activations -----------------------------------------------------------------------------------------------------


@located
def sigmoid(x: Any) -> Tensor:
    """1 / (1 + exp(-x)), accurate at both ends."""
    return b.sigmoid(_floats(x))


@located
def ultra_fast_sigmoid(x: Any) -> Tensor:
    """The sigmoid: the exact one, which is as fast here as Theano's approximation in pieces."""
    return sigmoid(x)


@located
def hard_sigmoid(x: Any) -> Tensor:
    """0.2 x + 0.5, at least 0 and at most 1."""
    x = _floats(x)
    slope, shift = (b.cast(b.constant(number, F64), x.type.element) for number in (0.2, 0.5))
    return elementwise.clip(elementwise.add(elementwise.mul(x, slope), shift), 0, 1)


@located
def softplus(x: Any) -> Tensor:
    """log(1 + exp(x)) without overflow."""
    return b.softplus(_floats(x))


@located
def softsign(x: Any) -> Tensor:
    """x / (1 + |x|)."""
    return elementwise.true_div(x, elementwise.add(1.0, elementwise.abs(x)))


@located
def relu(x: Any, alpha: Any = 0) -> Tensor:
    """x where it is positive, else alpha x: 0.5 (x + |x|), so that the gradient at 0 is the mean of both slopes."""
    x = b.tensor(x)
    if not isinstance(alpha, Tensor) and alpha == 0:
        return elementwise.mul(0.5, elementwise.add(x, elementwise.abs(x)))
    alpha = b.tensor(alpha)
    rise, fall = elementwise.mul(0.5, elementwise.add(1, alpha)), elementwise.mul(0.5, elementwise.sub(1, alpha))
    return elementwise.add(elementwise.mul(rise, x), elementwise.mul(fall, elementwise.abs(x)))


@located
def leaky_relu(x: Any, alpha: Any = 0.01) -> Tensor:
    """`relu` with a slope below 0."""
    return relu(x, alpha)


@located
def elu(x: Any, alpha: Any = 1) -> Tensor:
    """x where it is positive, else alpha (exp(x) - 1)."""
    return elementwise.switch(elementwise.gt(x, 0), x, elementwise.mul(alpha, elementwise.expm1(x)))


@located
def selu(x: Any) -> Tensor:
    """The elu with the scale and slope that keep mean and variance (Klambauer et al. 2017)."""
    alpha, scale = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946
    return elementwise.mul(scale, elu(x, alpha))


@located
def softmax(c: Any, axis: Any = None) -> Tensor:
    """exp(c) / sum(exp(c)) along the last axis, or the axis given. A vector counts as a row unless an axis is given."""
    return b.softmax(*_rows(c, axis))


@located
def logsoftmax(c: Any, axis: Any = None) -> Tensor:
    """log(softmax(c)) without underflow."""
    return b.log_softmax(*_rows(c, axis))


log_softmax = logsoftmax


def _rows(c: Any, axis: Any) -> tuple[Tensor, Any]:
    c = _floats(c)
    if axis is None:
        if c.type.rank == 0:
            raise GraphTypeError(f"needs an axis to go along, got {c.type}")
        return (b.expand_dims(c, 0) if c.type.rank == 1 else c), -1
    return c, axis


def _floats(x: Any) -> Tensor:
    (x,), _ = b._promote(b.tensor(x), floats=True)
    return x


@located
def softmax_with_bias(x: Any, bias: Any) -> Tensor:
    """softmax(x + bias)."""
    return softmax(elementwise.add(x, bias))


# --- losses ----------------------------------------------------------------------------------------------------------


@located
def binary_crossentropy(output: Any, target: Any) -> Tensor:
    """-(t log(o) + (1 - t) log(1 - o)), element by element; of a sigmoid it is computed from the number inside."""
    o, t = b.tensor(output), b.tensor(target)
    first = elementwise.mul(t, elementwise.log(o))
    second = elementwise.mul(elementwise.sub(1.0, t), elementwise.log(elementwise.sub(1.0, o)))
    return elementwise.neg(elementwise.add(first, second))


@located
def sigmoid_binary_crossentropy(output: Any, target: Any) -> Tensor:
    """The binary cross entropy of sigmoid(output)."""
    return b.binary_cross_entropy_with_logits(output, target)


@located
def categorical_crossentropy(coding_dist: Any, true_dist: Any) -> Tensor:
    """The cross entropy of each row of probabilities with the truth: class numbers, or probabilities of each class.

    Of a softmax it is computed from what is inside, so that it stays finite.
    """
    p, y = b.tensor(coding_dist), b.tensor(true_dist)
    if y.type.rank == p.type.rank:
        products = elementwise.mul(y, elementwise.log(p))
        return elementwise.neg(reductions.sum(products, axis=p.type.rank - 1))
    if y.type.rank == p.type.rank - 1 == 1 and isinstance(y.type.element, IntegerType):
        rows = b.iota([b.shape(p)[0]], 0)
        return elementwise.neg(elementwise.log(b.index(p, (rows, y))))
    if y.type.rank == p.type.rank - 1 == 1:
        message = f"class numbers must be integers, got {y.type}"
        raise GraphTypeError(message, hint="T.cast(y, 'int32') makes it fit")
    message = (
        f"the truth for {p.type} is a tensor like it, or a vector of class numbers, got {y.type}"
    )
    raise GraphTypeError(message)


@located
def crossentropy_softmax_1hot(x: Any, y_idx: Any, **options: Any) -> list[Tensor]:
    """The cross entropy of softmax(x) with class numbers, and softmax(x)."""
    x = b.tensor(x)
    p = softmax(x)
    return [categorical_crossentropy(p, y_idx), p]


@located
def crossentropy_softmax_1hot_with_bias(x: Any, bias: Any, y_idx: Any, **options: Any) -> list[Tensor]:
    """`crossentropy_softmax_1hot` of x + bias."""
    return crossentropy_softmax_1hot(elementwise.add(x, bias), y_idx)


@located
def crossentropy_categorical_1hot(coding_dist: Any, true_one_of_n: Any) -> Tensor:
    """`categorical_crossentropy` with class numbers."""
    return categorical_crossentropy(coding_dist, true_one_of_n)


@located
def crossentropy_softmax_argmax_1hot_with_bias(x: Any, b: Any, y_idx: Any) -> list[Tensor]:
    """The cross entropy of softmax(x + b) with class numbers, softmax(x + b), and the class that is most likely."""
    z = elementwise.add(x, b)
    return [*crossentropy_softmax_1hot(z, y_idx), reductions.argmax(z, axis=-1)]


@located
def crossentropy_softmax_max_and_argmax_1hot(x: Any, y_idx: Any, **options: Any) -> list[Tensor]:
    """The cross entropy of softmax(x) with class numbers, softmax(x), its largest element and the class of that."""
    loss, p = crossentropy_softmax_1hot(x, y_idx)
    return [loss, p, *reductions.max_and_argmax(p, axis=-1)]


@located
def crossentropy_softmax_max_and_argmax_1hot_with_bias(x: Any, bias: Any, y_idx: Any, **options: Any) -> list[Tensor]:
    """`crossentropy_softmax_max_and_argmax_1hot` of x + bias."""
    return crossentropy_softmax_max_and_argmax_1hot(elementwise.add(x, bias), y_idx)


# --- columns ---------------------------------------------------------------------------------------------------------


@located
def prepend_scalar_to_each_row(val: Any, mat: Any) -> Tensor:
    """The matrix with a first column full of a number."""
    mat = b.tensor(mat)
    if mat.type.rank != 2:
        raise GraphTypeError(f"needs a matrix, got {mat.type}")
    column = b.broadcast_to(b.cast(b.tensor(val), mat.type.element), [b.shape(mat)[0], 1])
    return b.concat([column, mat], 1)


@located
def prepend_1_to_each_row(mat: Any) -> Tensor:
    """The matrix with a first column of 1."""
    return prepend_scalar_to_each_row(1, mat)
