"""Builder methods for arithmetic: operands of one shape and element type are made by broadcasts and casts."""

from __future__ import annotations

from tir.dialects.tir import arithmetic
from tir.dialects.tir.build.core import CoreBuilder, Tensor, TensorLike

__all__ = ["ArithmeticBuilder"]


class ArithmeticBuilder(CoreBuilder):
    """Sums, products, quotients, rests, powers, the larger and the smaller, signs."""

    def add(self, x: TensorLike, y: TensorLike) -> Tensor:
        return self.make(arithmetic.Add, *self._together(x, y))

    def sub(self, x: TensorLike, y: TensorLike) -> Tensor:
        return self.make(arithmetic.Sub, *self._together(x, y))

    def mul(self, x: TensorLike, y: TensorLike) -> Tensor:
        return self.make(arithmetic.Mul, *self._together(x, y))

    def div(self, x: TensorLike, y: TensorLike) -> Tensor:
        """x / y; of integers without the fraction."""
        return self.make(arithmetic.Div, *self._together(x, y))

    def true_div(self, x: TensorLike, y: TensorLike) -> Tensor:
        """x / y; integers become f64 first."""
        return self.make(arithmetic.Div, *self._together(x, y, floats=True))

    def floordiv(self, x: TensorLike, y: TensorLike) -> Tensor:
        """x / y rounded down."""
        return self.make(arithmetic.FloorDiv, *self._together(x, y))

    def rem(self, x: TensorLike, y: TensorLike) -> Tensor:
        """The rest of x / y, with the sign of x."""
        return self.make(arithmetic.Rem, *self._together(x, y))

    def mod(self, x: TensorLike, y: TensorLike) -> Tensor:
        """The rest of x / y rounded down, with the sign of y."""
        return self.make(arithmetic.Mod, *self._together(x, y))

    def pow(self, x: TensorLike, y: TensorLike) -> Tensor:
        """x to the power of y; y = 2 is a square."""
        if isinstance(y, (int, float)) and y == 2:
            return self.square(x)
        return self.make(arithmetic.Pow, *self._together(x, y))

    def maximum(self, x: TensorLike, y: TensorLike, tie: str = "first") -> Tensor:
        """The larger; where they are equal the gradient goes to the `first`, the `second`, or both (`split`)."""
        return self.make(arithmetic.Maximum, *self._together(x, y), tie=tie)

    def minimum(self, x: TensorLike, y: TensorLike, tie: str = "first") -> Tensor:
        """The smaller; where they are equal the gradient goes to the `first`, the `second`, or both (`split`)."""
        return self.make(arithmetic.Minimum, *self._together(x, y), tie=tie)

    def clamp(self, x: TensorLike, low: TensorLike | None = None, high: TensorLike | None = None) -> Tensor:
        """x, but at least low and at most high; a bound that is None is not there."""
        if low is None or high is None:
            return self._clamp_one_side(x, low, high)
        return self.make(arithmetic.Clamp, *self._together(x, low, high))

    def _clamp_one_side(self, x: TensorLike, low: TensorLike | None, high: TensorLike | None) -> Tensor:
        if low is not None:
            return self.maximum(x, low)
        return self.tensor(x) if high is None else self.minimum(x, high)

    def copysign(self, x: TensorLike, y: TensorLike) -> Tensor:
        """|x| with the sign of y."""
        return self.make(arithmetic.CopySign, *self._together(x, y, floats=True))

    def neg(self, x: TensorLike) -> Tensor:
        return self._make_unary(arithmetic.Neg, x, floats=False)

    def abs(self, x: TensorLike) -> Tensor:
        return self._make_unary(arithmetic.Abs, x, floats=False)

    def sign(self, x: TensorLike) -> Tensor:
        return self._make_unary(arithmetic.Sign, x, floats=False)

    def square(self, x: TensorLike) -> Tensor:
        return self._make_unary(arithmetic.Square, x, floats=False)

    def reciprocal(self, x: TensorLike) -> Tensor:
        return self._make_unary(arithmetic.Reciprocal, x)
