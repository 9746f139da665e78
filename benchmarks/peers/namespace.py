"""What programs of `programs` call: numpy's functions, and what is made of them. Each peer has a `Namespace` of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["EPSILON", "Namespace"]

EPSILON = 1e-5


class Namespace:
    """The functions of a module with numpy's names, and in numpy's terms what the module has under no name of numpy's.

    A peer that has one of these operations itself overrides it. Rows lie along axis 1.
    """

    #: Whether `grad` is there; programs without it contain their backward pass.
    differentiates = False

    def __init__(self, module: Any) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)

    def grad(self, cost: Callable[..., Any], *arguments: Any) -> list[Any]:
        """The gradients of `cost(*arguments)` by all the arguments; TypeError where `differentiates` is false."""
        raise TypeError(f"{type(self).__name__} has no gradients: a program for it contains the backward pass")

    def sigmoid(self, x: Any) -> Any:
        return 1.0 / (1.0 + self.exp(-x))

    def relu(self, x: Any) -> Any:
        return self.maximum(x, 0.0)

    def softmax(self, x: Any) -> Any:
        shifted = self.exp(x - self.max(x, axis=1, keepdims=True))
        return shifted / self.sum(shifted, axis=1, keepdims=True)

    def log_softmax(self, x: Any) -> Any:
        shifted = x - self.max(x, axis=1, keepdims=True)
        return shifted - self.log(self.sum(self.exp(shifted), axis=1, keepdims=True))

    def logsumexp(self, x: Any) -> Any:
        most = self.max(x, axis=1, keepdims=True)
        return self.sum(most, axis=1) + self.log(self.sum(self.exp(x - most), axis=1))

    def layer_norm(self, x: Any, scale: Any, offset: Any) -> Any:
        return self._normalized(x, 1) * scale + offset

    def batch_norm(self, x: Any, scale: Any, offset: Any) -> Any:
        return self._normalized(x, 0) * scale + offset

    def _normalized(self, x: Any, axis: int) -> Any:
        centred = x - self.mean(x, axis=axis, keepdims=True)
        return centred / self.sqrt(self.mean(centred * centred, axis=axis, keepdims=True) + EPSILON)

    def cross_entropy(self, scores: Any, labels: Any) -> Any:
        """The mean over rows of -log softmax(scores)[label]."""
        return -self.mean(self.log_softmax(scores)[self.arange(scores.shape[0]), labels])

    def one_hot(self, labels: Any, like: Any) -> Any:
        """Rows as those of `like`, 1 at the label and 0 elsewhere."""
        return self.where(labels[:, None] == self.arange(like.shape[1]), 1.0, self.zeros_like(like))

    def recurrent(self, xs: Any, wx: Any, wh: Any, bias: Any) -> Any:
        """The last state of h <- tanh(x wx + h wh + bias), which starts with zeros."""
        h = self.zeros_like(xs[0])
        for x in xs:
            h = self.tanh(x @ wx + h @ wh + bias)
        return h
