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
from tir.dialects.tir.build.core import Extent, SizeOf, Tensor, TensorLike
from tir.dialects.tir.build.loops import LoopBuilder
from tir.dialects.tir.jacobian import Jacobian
from tir.dialects.tir.state import Grad, Jvp, Leaf, Vjp
from tir.ir.builder import Builder
from tir.ir.ir import BlockArgument, OpResult, Value

__all__ = ["Extent", "SizeOf", "Tensor", "TensorBuilder", "TensorLike"]


class TensorBuilder(LoopBuilder):
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

    # --- derivatives -------------------------------------------------------------------------------------------------

    def differentiable(self, x: TensorLike) -> Tensor:
        """An argument or a leaf as it is; for another value a new leaf, which all its users use from now on.

        So that no rewrite changes what a derivative by the value means. The methods below do this for `wrt`.
        """
        value = self.tensor(x).value
        if isinstance(value, BlockArgument) or isinstance(value.op, Leaf):
            return self._own(value)
        assert isinstance(value, OpResult)
        leaf = Builder.after(value.owner).op(Leaf, value)
        leaf.result.hint = f"{value.hint}_leaf" if value.hint else None
        value.replace_uses_if(leaf.result, lambda use: use.owner is not leaf)
        return self._own(leaf.result)

    def grad(self, cost: TensorLike, wrt: Sequence[TensorLike]) -> list[Tensor]:
        """The gradients of a 0-d cost by any values of the block, 0 where it does not depend on them, as the op has it.

        `tir.grad` in Python is stricter: there, that is an error if one does not ask for zeros.
        """
        points, (number,) = self._points(wrt, [cost])
        return self._derivatives(points, self.create_many(Grad, number, points))

    def vjp(
        self, values: Sequence[TensorLike], cotangents: Sequence[TensorLike], wrt: Sequence[TensorLike],
        constants: Sequence[TensorLike] = (),
    ) -> list[Tensor]:  # fmt: skip
        """The adjoints of `wrt` from those of values; nothing goes back through what makes the constants."""
        fixed = [self.differentiable(x).value for x in constants]
        points, results = self._points(wrt, values)
        given = [self.tensor(x).value for x in cotangents]
        return self._derivatives(points, self.create_many(Vjp, results, given, points, fixed))

    def jvp(
        self, values: Sequence[TensorLike], wrt: Sequence[TensorLike], tangents: Sequence[TensorLike]
    ) -> list[Tensor]:
        """The tangents of values, from those of `wrt`."""
        points, results = self._points(wrt, values)
        given = [self.tensor(x).value for x in tangents]
        return self._derivatives(results, self.create_many(Jvp, results, points, given))

    def jacobian(self, y: TensorLike, wrt: Sequence[TensorLike], mode: str = "auto") -> list[Tensor]:
        """The derivatives of all elements of y by those of `wrt`; mode: auto, reverse or forward."""
        points, (value,) = self._points(wrt, [y])
        return [self._own(made) for made in self.create_many(Jacobian, value, points, mode=mode)]

    def _points(self, wrt: Sequence[TensorLike], values: Sequence[TensorLike]) -> tuple[list[Value], list[Value]]:
        """What to differentiate by for each of `wrt`, and the values, of which some may be among `wrt`."""
        asked, given = ([self.tensor(x).value for x in xs] for xs in (wrt, values))
        points = [self.differentiable(value).value for value in asked]
        by_value = dict(zip(asked, points))
        return points, [by_value.get(value, value) for value in given]

    def _derivatives(self, likes: Sequence[Value], made: Sequence[Value]) -> list[Tensor]:
        """Tensors with the names of what they are derivatives of or by."""
        for value, like in zip(made, likes):
            if like.hint is not None:
                value.hint = f"d_{like.hint.removesuffix('_leaf')}"
        return [self._own(value) for value in made]
