"""Builder methods for functions of floats; integers become f64 first."""

from __future__ import annotations

from typing import Any

from tir.dialects.tir import functions, special
from tir.dialects.tir.build.arithmetic import ArithmeticBuilder
from tir.dialects.tir.build.core import Tensor, TensorLike
from tir.ir.ir import Op
from tir.ir.types import FloatType

__all__ = ["FunctionBuilder"]


class FunctionBuilder(ArithmeticBuilder):
    """Roots, exponentials, logarithms, angles, the error function, rounding."""

    def sqrt(self, x: TensorLike) -> Tensor:
        return self._make_unary(functions.Sqrt, x)

    def rsqrt(self, x: TensorLike) -> Tensor:
        return self._make_unary(functions.Rsqrt, x)

    def cbrt(self, x: TensorLike) -> Tensor:
        return self._make_unary(functions.Cbrt, x)

    def exp(self, x: TensorLike) -> Tensor:
        return self._make_unary(functions.Exp, x)

    def exp2(self, x: TensorLike) -> Tensor:
        return self._make_unary(functions.Exp2, x)

    def expm1(self, x: TensorLike) -> Tensor:
        return self._make_unary(functions.Expm1, x)

    def log(self, x: TensorLike) -> Tensor:
        return self._make_unary(functions.Log, x)

    def log2(self, x: TensorLike) -> Tensor:
        return self._make_unary(functions.Log2, x)

    def log10(self, x: TensorLike) -> Tensor:
        return self._make_unary(functions.Log10, x)

    def log1p(self, x: TensorLike) -> Tensor:
        return self._make_unary(functions.Log1p, x)

    def log1mexp(self, x: TensorLike) -> Tensor:
        return self._make_unary(functions.Log1mexp, x)

    def sin(self, x: TensorLike) -> Tensor:
        return self._make_unary(functions.Sin, x)

    def cos(self, x: TensorLike) -> Tensor:
        return self._make_unary(functions.Cos, x)

    def tan(self, x: TensorLike) -> Tensor:
        return self._make_unary(functions.Tan, x)

    def asin(self, x: TensorLike) -> Tensor:
        return self._make_unary(functions.Asin, x)

    def acos(self, x: TensorLike) -> Tensor:
        return self._make_unary(functions.Acos, x)

    def atan(self, x: TensorLike) -> Tensor:
        return self._make_unary(functions.Atan, x)

    def atan2(self, y: TensorLike, x: TensorLike) -> Tensor:
        """The angle of the point (x, y)."""
        return self.make(functions.Atan2, *self._together(y, x, floats=True))

    def sinh(self, x: TensorLike) -> Tensor:
        return self._make_unary(functions.Sinh, x)

    def cosh(self, x: TensorLike) -> Tensor:
        return self._make_unary(functions.Cosh, x)

    def tanh(self, x: TensorLike) -> Tensor:
        return self._make_unary(functions.Tanh, x)

    def asinh(self, x: TensorLike) -> Tensor:
        return self._make_unary(functions.Asinh, x)

    def acosh(self, x: TensorLike) -> Tensor:
        return self._make_unary(functions.Acosh, x)

    def atanh(self, x: TensorLike) -> Tensor:
        return self._make_unary(functions.Atanh, x)

    def erf(self, x: TensorLike) -> Tensor:
        return self._make_unary(functions.Erf, x)

    def erfc(self, x: TensorLike) -> Tensor:
        return self._make_unary(functions.Erfc, x)

    def erfinv(self, x: TensorLike) -> Tensor:
        return self._make_unary(special.Erfinv, x)

    def lgamma(self, x: TensorLike) -> Tensor:
        return self._make_unary(special.Lgamma, x)

    def digamma(self, x: TensorLike) -> Tensor:
        return self._make_unary(special.Digamma, x)

    def polygamma(self, x: TensorLike, order: int) -> Tensor:
        """The derivative of digamma of this order."""
        return self._make_unary(special.Polygamma, x, order=order)

    def floor(self, x: TensorLike) -> Tensor:
        return self._whole(functions.Floor, x)

    def ceil(self, x: TensorLike) -> Tensor:
        return self._whole(functions.Ceil, x)

    def trunc(self, x: TensorLike) -> Tensor:
        return self._whole(functions.Trunc, x)

    def round(self, x: TensorLike, half: str = "even") -> Tensor:
        """The nearest whole number; of two the `even` one or the one `away` from 0."""
        return self._whole(functions.Round, x, half=half)

    def _whole(self, cls: type[Op], x: TensorLike, **facts: Any) -> Tensor:
        """Integers are whole already."""
        x = self.tensor(x)
        return self.make(cls, x, **facts) if isinstance(x.type.element, FloatType) else x
