"""Composites over axes: variance, norms and log(sum(exp)). They stay whole until after autodiff and own their gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tir.dialects.tir.base import Composite, fail, reduced_type
from tir.dialects.tir.elements import FLOAT_TENSOR, lowest
from tir.ir.define import attribute, operand, result
from tir.ir.kinds import I64_ARRAY, I64_ATTR, integer_enum
from tir.ir.types import Type
from tir.lazy import np

__all__ = ["OPS", "ORDERS", "deviations"]


class _Statistic(Composite):
    """One float for each slice of `x` over `axes`, which disappear."""

    batch_axes = ("axes",)

    x = operand(FLOAT_TENSOR)
    axes = attribute(I64_ARRAY)
    result = result(FLOAT_TENSOR)
    format = "$x `over` $axes attr-dict `:` type($result)"

    def infer(self) -> Sequence[Type]:
        return [reduced_type(self, self.x.type, self.axes)]


class _Spread(_Statistic):
    """Variance and its root: the divisor is the number of elements less `ddof`, and not below 0."""

    ddof = attribute(I64_ATTR, default=0)
    format = "$x `over` $axes (`ddof` $ddof^)? attr-dict `:` type($result)"

    def infer(self) -> Sequence[Type]:
        if self.ddof < 0:
            fail(self, f"ddof must not be negative, got {self.ddof}")
        return super().infer()

    def variance(self, x: Any) -> Any:
        """In numpy: the mean first, then the deviations from it."""
        axes = tuple(self.axes)
        count = int(np.prod([x.shape[axis] for axis in axes], dtype=np.int64))
        mean = np.sum(x, axis=axes, keepdims=True, dtype=x.dtype) / x.dtype.type(count)
        squares = np.sum(np.square(x - mean), axis=axes, dtype=x.dtype)
        return squares / x.dtype.type(max(count - self.ddof, 0))

    def divisor(self, b: Any, x: Any) -> Any:
        """The divisor: a number, or a 0-d tensor where only run time knows it."""
        count = b.count(x, self.axes)
        return max(count - self.ddof, 0) if isinstance(count, int) else b.maximum(count - self.ddof, 0)


class Var(_Spread):
    """The variance over `axes`: the mean square of the deviations from the mean; never negative.

    `ddof` (0 by default) is subtracted from the number of elements that divides. nan of nothing, and of one element
    with `ddof 1`. The mean is taken first, then the deviations: no digits are lost where the mean is large. Gradient:
    2 (x - mean) / (n - ddof).
    """

    name = "tir.var"

    def reference(self, x: Any) -> Any:
        return self.variance(x)

    def decompose(self, b: Any, x: Any) -> Any:
        return b.sum(b.square(deviations(b, x, self.axes)), self.axes) / self.divisor(b, x)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        share = b.repeat_along(g * 2 / self.divisor(b, x), self.axes, x)
        return [share * deviations(b, x, self.axes)]


class Std(_Spread):
    """The standard deviation over `axes`, the root of tir.var.

    Gradient: (x - mean) / ((n - ddof) std), and 0 where all elements are equal, where the root has no slope.
    """

    name = "tir.std"

    def reference(self, x: Any) -> Any:
        return np.sqrt(self.variance(x))

    def decompose(self, b: Any, x: Any) -> Any:
        return b.sqrt(b.var(x, self.axes, ddof=self.ddof))

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        y = b.tensor(self.result)
        is_zero = b.cmp("eq", y, 0)
        share = b.select(is_zero, 0, g / (b.select(is_zero, 1, y) * self.divisor(b, x)))
        return [b.repeat_along(share, self.axes, x) * deviations(b, x, self.axes)]


def deviations(b: Any, x: Any, axes: Sequence[int]) -> Any:
    """x minus its mean over the axes."""
    return x - b.repeat_along(b.mean(x, axes), axes, x)


ORDERS = ("l1", "l2", "max")


class Norm(_Statistic):
    """A norm of the numbers over `axes`; 0 of nothing, nan if one is nan.

    `l1`: the sum of |x|; `l2`: the root of the sum of squares, which neither overflows nor vanishes before the result
    does, since all are divided by the largest first; `max`: the largest |x|.
    Gradient: sign(x); x / norm; sign(x) at each element with the largest |x|. At 0 it is 0.
    """

    name = "tir.norm"
    order = attribute(integer_enum(ORDERS))
    format = "$x $order `over` $axes attr-dict `:` type($result)"

    def reference(self, x: Any) -> Any:
        axes, size = tuple(self.axes), np.abs(x)
        if self.order == "l1":
            return np.sum(size, axis=axes, dtype=x.dtype)
        largest = np.max(size, axis=axes, initial=0, keepdims=True)
        if self.order == "max":
            return np.squeeze(largest, axes)
        scale = np.where((largest > 0) & (largest < np.inf), largest, x.dtype.type(1))
        total = np.sqrt(np.sum(np.square(x / scale), axis=axes, dtype=x.dtype))
        return total * np.squeeze(scale, axes)

    def decompose(self, b: Any, x: Any) -> Any:
        size = b.abs(x)
        if self.order == "l1":
            return b.sum(size, self.axes)
        largest = b.maximum(b.max(size, self.axes), 0)
        if self.order == "max":
            return largest
        scale = b.select(b.and_(largest > 0, largest < float("inf")), largest, 1)
        return b.sqrt(b.sum(b.square(x / b.repeat_along(scale, self.axes, x)), self.axes)) * scale

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        y = b.tensor(self.result)
        spread = b.repeat_along(g, self.axes, x)
        if self.order == "l1":
            return [spread * b.sign(x)]
        whole = b.repeat_along(y, self.axes, x)
        if self.order == "max":
            return [b.select(b.cmp("eq", b.abs(x), whole), spread * b.sign(x), 0)]
        is_zero = b.cmp("eq", whole, 0)
        return [spread * b.select(is_zero, 0, x / b.select(is_zero, 1, whole))]


class LogSumExp(_Statistic):
    """log(sum(exp(x))) over `axes`, without overflow; -inf of nothing.

    A slice of all -inf gives -inf, one with +inf gives +inf. Gradient: softmax(x), which is 0 in a slice of all -inf
    and nan at +inf.
    """

    name = "tir.logsumexp"

    def reference(self, x: Any) -> Any:
        axes, info = tuple(self.axes), np.finfo(x.dtype)
        shift = np.clip(np.max(x, axis=axes, keepdims=True, initial=-np.inf), info.min, info.max)
        return np.log(np.sum(np.exp(x - shift), axis=axes, dtype=x.dtype)) + np.squeeze(shift, axes)

    def decompose(self, b: Any, x: Any) -> Any:
        least = lowest(x.type.element, infinite=False)
        # Within the finite numbers, so that -inf - -inf and inf - inf never arise.
        shift = b.minimum(b.maximum(b.max(x, self.axes), least), -least)
        return b.log(b.sum(b.exp(x - b.repeat_along(shift, self.axes, x)), self.axes)) + shift

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [b.repeat_along(g, self.axes, x) * b.softmax(x, self.axes)]


#: The ops of the family, in the order of the documentation.
OPS = (Var, Std, Norm, LogSumExp)
