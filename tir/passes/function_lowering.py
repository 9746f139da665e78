"""One function on its way down from the tensor level: what stands for its values, and their sizes."""

from __future__ import annotations

from collections.abc import Sequence

from tir.dialects import tensor
from tir.dialects.func import Func
from tir.dialects.scalar import Scalar, signless
from tir.dialects.tir.base import Shaped, Sized, TensorOp, negative_size
from tir.ir.affine import AffineConstant, AffineExpr, affine
from tir.ir.builder import Builder
from tir.ir.ir import Op, Value
from tir.ir.types import TensorType, element_type
from tir.passes.sizes import Size, Sizes

__all__ = ["FunctionLowering"]


class FunctionLowering:
    """What the lowerings of all ops of `function` share.

    lowered: from values of the tensor level to those that stand for them. origins: from the parts of composites to the
    name of the op that stands in the program, which is the one that messages name.
    """

    def __init__(self, function: Func) -> None:
        self.function = function
        self.lowered: dict[Value, Value] = {}
        self.origins: dict[Op, str] = {}
        self.sizes = Sizes(function, self.lowered)

    def of(self, value: Value) -> Value:
        """What stands for the value."""
        return self.lowered.get(value, value)

    def number(self, b: Builder, x: Value) -> Scalar:
        """The number in a tensor of rank 0."""
        element = element_type(x.type)
        return Scalar(b.create(tensor.Extract, self.of(x), [], result_types=[signless(element)]), element)

    def name(self, op: Op) -> str:
        """What messages call the op."""
        return self.origins.get(op, op.name)

    def size_of(self, b: Builder, value: Value, axis: int) -> Value | int:
        """The size of an axis of a tensor, as a number if that is known."""
        return self.mixed(b, self.sizes.shape(value)[axis])

    def mixed(self, b: Builder, size: Size) -> Value | int:
        """The size, as a number if it is known."""
        return size.value if isinstance(size, AffineConstant) else self.sizes.emit(b, size)

    def result_shape(self, b: Builder, op: TensorOp) -> list[Size]:
        """The shape of the results, by the op's own rule; asserts that no size is negative."""
        if isinstance(op, Sized):
            return self.declared_shape(b, op)
        if not isinstance(op, Shaped):
            return list(self.sizes.shape(op.results[0]))
        found = [affine(size) for size in op.result_shape(*(self.sizes.shape(value) for value in op.tensors()))]
        for axis, size in enumerate(found):
            self.sizes.require_not_negative(b, size, f"{self.name(op)}: {negative_size(axis)}")
        return found

    def declared_shape(self, b: Builder, op: Sized) -> list[Size]:
        """The shape that the result type and the size operands say; asserts that no size is negative."""
        rest = iter(op.sizes)
        found = []
        for axis, dim in enumerate(op.result_type.shape):
            size = affine(dim) if isinstance(dim, (int, AffineExpr)) else self.sizes.of_index(next(rest))
            self.sizes.require_not_negative(b, size, f"{self.name(op)}: {negative_size(axis)}")
            found.append(size)
        return found

    def dynamic_sizes(self, b: Builder, type: TensorType, shape: Sequence[Size]) -> list[Value]:
        """The sizes that the type leaves open."""
        return [self.sizes.emit(b, size) for dim, size in zip(type.shape, shape) if not isinstance(dim, int)]
