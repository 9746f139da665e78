"""Builder methods for activation functions; integers become f64 first."""

from __future__ import annotations

from tir.dialects.tir import activations
from tir.dialects.tir.build.core import Tensor, TensorLike
from tir.dialects.tir.build.functions import FunctionBuilder

__all__ = ["ActivationBuilder"]


class ActivationBuilder(FunctionBuilder):
    """What neural networks put behind a product."""

    def sigmoid(self, x: TensorLike) -> Tensor:
        return self._make_unary(activations.Sigmoid, x)

    def hard_sigmoid(self, x: TensorLike, slope: float = 0.2) -> Tensor:
        """slope x + 1/2, but at least 0 and at most 1: a sigmoid of straight lines."""
        return self.clamp(self._float(x) * slope + 0.5, 0, 1)

    def softplus(self, x: TensorLike) -> Tensor:
        """log(1 + exp(x))."""
        return self._make_unary(activations.Softplus, x)

    def relu(self, x: TensorLike, at_zero: float = 0.0) -> Tensor:
        """max(x, 0); at_zero: the gradient at 0."""
        return self.make(activations.Relu, self._float(x), at_zero=at_zero)

    def leaky_relu(self, x: TensorLike, alpha: float = 0.01) -> Tensor:
        """x where x > 0, else alpha x."""
        return self.make(activations.LeakyRelu, self._float(x), alpha=alpha)

    def elu(self, x: TensorLike, alpha: float = 1.0) -> Tensor:
        """x where x > 0, else alpha (exp(x) - 1)."""
        return self.make(activations.Elu, self._float(x), alpha=alpha)

    def selu(self, x: TensorLike) -> Tensor:
        """A scaled elu that keeps mean 0 and variance 1: Klambauer et al., "Self-normalizing networks" (2017), eq. 14."""
        return self.elu(x, alpha=1.6732632423543772) * 1.0507009873554805

    def gelu(self, x: TensorLike, approximate: str = "erf") -> Tensor:
        """x P(N < x) for a normal number N; approximate: `erf` is exact, `tanh` the approximation by it."""
        return self.make(activations.Gelu, self._float(x), approximate=approximate)

    def silu(self, x: TensorLike) -> Tensor:
        """x sigmoid(x)."""
        return self._make_unary(activations.Silu, x)

    def _float(self, x: TensorLike) -> Tensor:
        (x,), _ = self._promote(self.tensor(x), floats=True)
        return self.tensor(x)
