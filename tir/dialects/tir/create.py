"""Tensors out of nothing: constants, one number everywhere, positions along an axis, one-hot rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tir.dialects.tir.base import Sized, Structure, Structured, TensorOp, check_axes, fail, merge_dims
from tir.dialects.tir.elements import ELEMENT_TENSOR, INTEGER_TENSOR, NUMBER_TENSOR, is_number_of
from tir.ir.affine import AffineExpr, AffineMap
from tir.ir.attributes import DenseAttr
from tir.ir.define import attribute, operand, result
from tir.ir.execution import ExecutionError, numpy_dtype
from tir.ir.kinds import ELEMENTS, I64_ATTR, INDEX_KIND, NUMBER_ATTR
from tir.ir.size_rules import SizeRule
from tir.ir.slips import number_hint
from tir.ir.traits import ConstantLike
from tir.ir.types import I64, Type
from tir.lazy import np

__all__ = ["OPS"]


class Constant(TensorOp, ConstantLike):
    """The elements that stand in the text: `tir.constant dense<[1.0, 2.0]> : tensor<2xf32>`."""

    name = "tir.constant"
    value = attribute(ELEMENTS)
    result = result(ELEMENT_TENSOR)
    format = "$value attr-dict"

    def infer(self) -> Sequence[Type]:
        return [self.value.type]

    def reference(self) -> Any:
        if not isinstance(self.value, DenseAttr):
            raise ExecutionError(f"{self.value} is not loaded")
        return self.value.numpy()

    def grad(self, b: Any, g: Any) -> list[Any]:
        return []


class Full(Sized, Structured):
    """One number everywhere: `tir.full 1.0 : f32 -> tensor<[B]x10xf32>`."""

    name = "tir.full"
    sizes = operand(INDEX_KIND, variadic=True)
    value = attribute(NUMBER_ATTR)
    result = result(ELEMENT_TENSOR)
    format = "$value (`sizes` `(` $sizes^ `)`)? attr-dict `->` type($result)"

    def verify_shape(self) -> None:
        attr = self.properties["value"]
        if not is_number_of(attr, self.result_type.element):
            element = self.result_type.element
            fail(self, f"the value must be of type {element}, got {attr}", number_hint(attr, element))

    def compute(self, shape: tuple[int, ...]) -> Any:
        return np.full(shape, self.value, numpy_dtype(self.result_type))

    def structure(self) -> Structure:
        rank = self.result_type.rank
        return Structure(("parallel",) * rank, (), (AffineMap.identity(rank),))

    def element(self, s: Any) -> Any:
        return s.const(self.value, self.result_type.element)

    def grad(self, b: Any, g: Any, *sizes: Any) -> list[Any]:
        return [None] * len(sizes)


class Iota(Sized, Structured):
    """The position along `axis`, counting from 0: `tir.iota axis 1 : tensor<2x3xi32>` is [[0, 1, 2], [0, 1, 2]]."""

    name = "tir.iota"
    sizes = operand(INDEX_KIND, variadic=True)
    axis = attribute(I64_ATTR)
    result = result(NUMBER_TENSOR)
    format = "`axis` $axis (`sizes` `(` $sizes^ `)`)? attr-dict `:` type($result)"

    def verify_shape(self) -> None:
        check_axes(self, [self.axis], self.result_type.rank, "axis")

    def compute(self, shape: tuple[int, ...]) -> Any:
        row = np.arange(shape[self.axis]).astype(numpy_dtype(self.result_type))
        return np.broadcast_to(row.reshape([-1 if i == self.axis else 1 for i in range(len(shape))]), shape)

    def structure(self) -> Structure:
        rank = self.result_type.rank
        return Structure(("parallel",) * rank, (), (AffineMap.identity(rank),))

    def element(self, s: Any) -> Any:
        return s.cast(s.index(self.axis), self.result_type.element)

    def grad(self, b: Any, g: Any, *sizes: Any) -> list[Any]:
        return [None] * len(sizes)


class OneHot(Sized, Structured):
    """1 at the position that x gives along a new last axis, else 0; all 0 where x is outside. No gradient flows."""

    batch_axes = ()

    name = "tir.one_hot"
    x = operand(INTEGER_TENSOR)
    sizes = operand(INDEX_KIND, variadic=True)
    result = result(ELEMENT_TENSOR)
    format = "$x (`sizes` `(` $sizes^ `)`)? attr-dict `:` type($x) `->` type($result)"

    def verify_shape(self) -> None:
        want, got = self.x.type.shape, self.result_type.shape[:-1]
        if self.result_type.rank != len(want) + 1 or any(merge_dims(w, d) is None for w, d in zip(want, got)):
            fail(
                self, f"the result must have the shape of x and one axis more, got {self.x.type} and {self.result_type}"
            )

    def size_rules(self, *shapes: Sequence[AffineExpr]) -> Sequence[SizeRule]:
        x, out = shapes
        return [
            SizeRule(size, "eq", want, f"axis {axis} of x must have the size of axis {axis} of the result")
            for axis, (size, want) in enumerate(zip(x, out))
        ]

    def compute(self, shape: tuple[int, ...], x: Any) -> Any:
        return (np.asarray(x)[..., None] == np.arange(shape[-1])).astype(numpy_dtype(self.result_type))

    def structure(self) -> Structure:
        rank = self.result_type.rank
        inputs = (AffineMap.of_dims(rank, range(rank - 1)),)
        return Structure(("parallel",) * rank, inputs, (AffineMap.identity(rank),))

    def element(self, s: Any, x: Any) -> Any:
        element = self.result_type.element
        # Compared as 64-bit numbers: a narrow type of x could not hold every position.
        is_here = s.cmp("eq", s.cast(s.index(self.result_type.rank - 1), I64), s.cast(x, I64))
        return s.select(is_here, s.const(1, element), s.const(0, element))

    def grad(self, b: Any, g: Any, x: Any, *sizes: Any) -> list[Any]:
        return [None] * len(self.operands)


#: The ops of the family, in the order of the documentation.
OPS = (Constant, Full, Iota, OneHot)
