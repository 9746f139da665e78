"""Ops that give x itself and say something about its gradient. `autodiff` drops them when it has read them."""

from __future__ import annotations

from typing import Any

from tir.dialects.tir.base import Unary, fail
from tir.ir.define import attribute
from tir.ir.kinds import F64_ATTR

__all__ = ["OPS", "GradientMarker", "StopGradient"]


class GradientMarker(Unary):
    """x itself."""

    computes_in_f32 = False

    def reference(self, x: Any) -> Any:
        return x

    def element(self, s: Any, x: Any) -> Any:
        return x


class StopGradient(GradientMarker):
    """x itself, as a value that does not depend on anything: no gradient and no tangent goes through.

    What it is computed from needs no gradient for its sake. Theano's `disconnected_grad`, JAX's `stop_gradient`.
    """

    name = "tir.stop_gradient"

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [None]


class GradScale(GradientMarker):
    """x itself; its gradient, and its tangent, is multiplied by a number: `tir.grad_scale %x factor(-0.1)`."""

    name = "tir.grad_scale"
    factor = attribute(F64_ATTR)
    format = "$x `factor` `(` $factor `)` attr-dict `:` type($result)"

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [g * self.factor]


class GradClip(GradientMarker):
    """x itself; each element of its gradient, or its tangent, is moved into a range: `tir.grad_clip %x low(-1.0) high(1.0)`.

    A nan stays. The gradient is no longer linear in what comes in, so that forward and reverse mode do not agree; a
    second gradient is that of the clamp.
    """

    name = "tir.grad_clip"
    low = attribute(F64_ATTR)
    high = attribute(F64_ATTR)
    format = "$x `low` `(` $low `)` `high` `(` $high `)` attr-dict `:` type($result)"

    def verify(self) -> None:
        if not self.low <= self.high:
            fail(self, f"the range must not be empty, got {self.low} to {self.high}")

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [b.clamp(g, self.low, self.high)]


#: The ops of the family, in the order of the documentation.
OPS = (StopGradient, GradScale, GradClip)
