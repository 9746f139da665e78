"""Building tensor programs in Python: operators on values, numpy's broadcasting, numbers as constants.

    b = TensorBuilder(block)
    y = b.exp(b.tensor(x) - 1) / 2

What is implicit here is explicit in the ops that come out: shapes are made equal by `tir.broadcast` (a static size 1
and missing leading axes stretch; a `?` never does), element types by `tir.cast` (numpy's promotion; a Python number
takes the type of the tensor beside it), sizes that only run time knows come from `tir.dim`.

The methods stand by family in `tir/dialects/tir/build/`, each file on top of the one before.
"""

from __future__ import annotations

from collections.abc import Sequence

from tir.dialects.tir import markers
from tir.dialects.tir.build.control import ControlBuilder
from tir.dialects.tir.build.core import Extent, SizeOf, Tensor, TensorLike
from tir.dialects.tir.state import Grad, Jvp, Leaf, Vjp

__all__ = ["Extent", "SizeOf", "Tensor", "TensorBuilder", "TensorLike"]


class TensorBuilder(ControlBuilder):
    """A builder with a method for each op of the dialect; arguments are `TensorLike`, results `Tensor`."""

    def leaf(self, x: TensorLike) -> Tensor:
        """x as something to differentiate by."""
        return self.make(Leaf, self.tensor(x))

    def stop_gradient(self, x: TensorLike) -> Tensor:
        """x, through which no gradient goes."""
        return self.make(markers.StopGradient, self.tensor(x))

    def grad_scale(self, x: TensorLike, factor: float) -> Tensor:
        """x, whose gradient is multiplied by the factor."""
        return self.make(markers.GradScale, self.tensor(x), factor=float(factor))

    def grad_clip(self, x: TensorLike, low: float, high: float) -> Tensor:
        """x, whose gradient is moved into the range from low to high, element by element."""
        return self.make(markers.GradClip, self.tensor(x), low=float(low), high=float(high))

    def vjp(self, values: Sequence[TensorLike], cotangents: Sequence[TensorLike], wrt: Sequence[TensorLike]) -> list[Tensor]:
        """The adjoints of arguments and leaves, from those of values."""
        groups = [[self.tensor(x).value for x in xs] for xs in (values, cotangents, wrt)]
        return [Tensor(self, value) for value in self.create_many(Vjp, *groups)]

    def jvp(self, values: Sequence[TensorLike], wrt: Sequence[TensorLike], tangents: Sequence[TensorLike]) -> list[Tensor]:
        """The tangents of values, from those of arguments and leaves."""
        groups = [[self.tensor(x).value for x in xs] for xs in (values, wrt, tangents)]
        return [Tensor(self, value) for value in self.create_many(Jvp, *groups)]

    def grad(self, cost: TensorLike, wrt: Sequence[TensorLike]) -> list[Tensor]:
        """The gradients of a 0-d cost by arguments and leaves."""
        values = [self.tensor(x).value for x in wrt]
        return [Tensor(self, value) for value in self.create_many(Grad, self.tensor(cost).value, values)]
