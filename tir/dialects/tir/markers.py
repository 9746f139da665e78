"""Ops that give x itself, and say something to the passes about it.

`autodiff` reads what is said about a gradient, and drops the op; a barrier stays until there is memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from tir.dialects.tir.base import Unary, fail
from tir.dialects.tir.batch import batch_size, in_front
from tir.dialects.tir.elements import ELEMENT_TENSOR
from tir.ir.define import attribute, operand, result
from tir.ir.ir import Op
from tir.ir.kinds import F64_ATTR
from tir.ir.traits import Effects
from tir.ir.types import Type

__all__ = ["OPS", "GradientMarker", "OptimizationBarrier", "StopGradient"]


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


class OptimizationBarrier(Op):
    """x itself, as a value of its own: no pass looks through it, merges two of them, or fuses across them.

    What is computed from it is computed again, even if the same was computed from x before. `tir.checkpoint` is made of
    it; so one keeps parts of a program apart, to measure them. It costs no copy. StableHLO's `optimization_barrier`.
    """

    name = "tir.optimization_barrier"
    #: Like an allocation: it may be removed if unused, and is never merged or folded.
    effects: ClassVar[Effects] = Effects.ALLOCATE
    x = operand(ELEMENT_TENSOR)
    result = result(ELEMENT_TENSOR)
    format = "$x attr-dict `:` type($result)"

    def of_batch(self, b: Any, operands: Sequence[Any], batched: Sequence[bool]) -> Sequence[Any] | None:
        return in_front(b, self, operands, batch_size(b, operands, batched))

    def infer(self) -> Sequence[Type]:
        return [self.x.type]

    def reference(self, x: Any) -> Any:
        return x

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [g]


#: The ops of the family, in the order of the documentation.
OPS = (StopGradient, GradScale, GradClip, OptimizationBarrier)
