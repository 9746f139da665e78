"""Builder methods for comparison, selection, bits and classes of floats."""

from __future__ import annotations

from tir.dialects.tir import logic
from tir.dialects.tir.build.activations import ActivationBuilder
from tir.dialects.tir.build.core import Tensor, TensorLike
from tir.ir.ir import Op
from tir.ir.types import I1, FloatType, Type

__all__ = ["LogicBuilder"]


class LogicBuilder(ActivationBuilder):
    """Comparison, selection, bits, classes of floats."""

    def cmp(self, predicate: str, x: TensorLike, y: TensorLike) -> Tensor:
        """Whether x and y are in the relation eq, ne, lt, le, gt or ge."""
        return self.make(logic.Cmp, *self._together(x, y), predicate=predicate)

    def is_nan(self, x: TensorLike) -> Tensor:
        """Whether x is nan; integers never are."""
        return self._class_of(logic.IsNan, x, False)

    def is_inf(self, x: TensorLike) -> Tensor:
        """Whether x is an infinity; integers never are."""
        return self._class_of(logic.IsInf, x, False)

    def is_finite(self, x: TensorLike) -> Tensor:
        """Whether x is neither nan nor an infinity; integers always are."""
        return self._class_of(logic.IsFinite, x, True)

    def _class_of(self, cls: type[Op], x: TensorLike, of_integers: bool) -> Tensor:
        x = self.tensor(x)
        if isinstance(x.type.element, FloatType):
            return self.make(cls, x)
        return self.full(of_integers, self.shape(x), I1)

    def select(self, condition: TensorLike, x: TensorLike, y: TensorLike) -> Tensor:
        """x where the condition holds, else y."""
        values, element = self._promote(x, y)
        return self.make(logic.Select, *self._one_shape([self.tensor(condition), *values], element))

    def and_(self, x: TensorLike, y: TensorLike) -> Tensor:
        return self.make(logic.And, *self._together(x, y))

    def or_(self, x: TensorLike, y: TensorLike) -> Tensor:
        return self.make(logic.Or, *self._together(x, y))

    def xor(self, x: TensorLike, y: TensorLike) -> Tensor:
        return self.make(logic.Xor, *self._together(x, y))

    def not_(self, x: TensorLike) -> Tensor:
        return self._make_unary(logic.Not, x, floats=False)

    def shl(self, x: TensorLike, y: TensorLike) -> Tensor:
        """The bits of x moved up by y; 0 where y is the width or more."""
        return self.make(logic.Shl, *self._together(x, y))

    def shr(self, x: TensorLike, y: TensorLike, logical: bool = False) -> Tensor:
        """The bits of x moved down by y; above come copies of the top bit, or zeros if unsigned or `logical`."""
        return self.make(logic.Shr, *self._together(x, y), logical=logical or None)

    def bitcast(self, x: TensorLike, element: Type) -> Tensor:
        """The bits of x read as another element type of the same width."""
        x = self.tensor(x)
        return self.make(logic.Bitcast, x, result_types=[x.type.with_element(element)])
