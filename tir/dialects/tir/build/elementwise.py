"""Builder methods for elementwise ops: operands of one shape and element type are made by broadcasts and casts."""

from __future__ import annotations

from tir.dialects.tir import elementwise
from tir.dialects.tir.build.core import CoreBuilder, Tensor, TensorLike

__all__ = ["ElementwiseBuilder"]


class ElementwiseBuilder(CoreBuilder):
    """Arithmetic, functions of one float, comparison, selection and logic."""

    def add(self, x: TensorLike, y: TensorLike) -> Tensor:
        return self.make(elementwise.Add, *self._together(x, y))

    def sub(self, x: TensorLike, y: TensorLike) -> Tensor:
        return self.make(elementwise.Sub, *self._together(x, y))

    def mul(self, x: TensorLike, y: TensorLike) -> Tensor:
        return self.make(elementwise.Mul, *self._together(x, y))

    def div(self, x: TensorLike, y: TensorLike) -> Tensor:
        """x / y; of integers without the fraction."""
        return self.make(elementwise.Div, *self._together(x, y))

    def true_div(self, x: TensorLike, y: TensorLike) -> Tensor:
        """x / y; integers become f64 first."""
        return self.make(elementwise.Div, *self._together(x, y, floats=True))

    def pow(self, x: TensorLike, y: TensorLike) -> Tensor:
        """x to the power of y; y = 2 is a square."""
        if isinstance(y, (int, float)) and y == 2:
            return self.square(x)
        return self.make(elementwise.Pow, *self._together(x, y, floats=True))

    def maximum(self, x: TensorLike, y: TensorLike) -> Tensor:
        return self.make(elementwise.Maximum, *self._together(x, y))

    def minimum(self, x: TensorLike, y: TensorLike) -> Tensor:
        return self.make(elementwise.Minimum, *self._together(x, y))

    def neg(self, x: TensorLike) -> Tensor:
        return self._make_unary(elementwise.Neg, x, floats=False)

    def abs(self, x: TensorLike) -> Tensor:
        return self._make_unary(elementwise.Abs, x, floats=False)

    def sign(self, x: TensorLike) -> Tensor:
        return self._make_unary(elementwise.Sign, x, floats=False)

    def square(self, x: TensorLike) -> Tensor:
        return self._make_unary(elementwise.Square, x, floats=False)

    def sqrt(self, x: TensorLike) -> Tensor:
        return self._make_unary(elementwise.Sqrt, x)

    def exp(self, x: TensorLike) -> Tensor:
        return self._make_unary(elementwise.Exp, x)

    def log(self, x: TensorLike) -> Tensor:
        return self._make_unary(elementwise.Log, x)

    def log1p(self, x: TensorLike) -> Tensor:
        return self._make_unary(elementwise.Log1p, x)

    def tanh(self, x: TensorLike) -> Tensor:
        return self._make_unary(elementwise.Tanh, x)

    def sigmoid(self, x: TensorLike) -> Tensor:
        return self._make_unary(elementwise.Sigmoid, x)

    def relu(self, x: TensorLike) -> Tensor:
        return self._make_unary(elementwise.Relu, x)

    def cmp(self, predicate: str, x: TensorLike, y: TensorLike) -> Tensor:
        """Whether x and y are in the relation eq, ne, lt, le, gt or ge."""
        return self.make(elementwise.Cmp, *self._together(x, y), predicate=predicate)

    def select(self, condition: TensorLike, x: TensorLike, y: TensorLike) -> Tensor:
        """x where the condition holds, else y."""
        values, element = self._promote(x, y)
        return self.make(elementwise.Select, *self._one_shape([self.tensor(condition), *values], element))

    def and_(self, x: TensorLike, y: TensorLike) -> Tensor:
        return self.make(elementwise.And, *self._together(x, y))

    def or_(self, x: TensorLike, y: TensorLike) -> Tensor:
        return self.make(elementwise.Or, *self._together(x, y))

    def not_(self, x: TensorLike) -> Tensor:
        return self._make_unary(elementwise.Not, x, floats=False)
