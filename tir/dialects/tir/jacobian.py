"""The Jacobian of a tensor: `tir.jacobian`."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from tir.dialects.tir.base import fail
from tir.dialects.tir.elements import FLOAT_TENSOR
from tir.dialects.tir.state import Derivative
from tir.ir.define import attribute, operand, result
from tir.ir.kinds import integer_enum
from tir.ir.types import TensorType, Type

__all__ = ["MODES", "OPS", "Jacobian"]

MODES = ("auto", "reverse", "forward")


class Jacobian(Derivative):
    """The derivative of each element of y by each of each tensor in `wrt`: `tir.jacobian %y wrt (%a, %b) : ..`.

    `%j = tir.jacobian %y wrt (%a) : tensor<[M]x3x4xf64>` of a tensor<[M]x3xf64> by a tensor<4xf64>: the axes of y, then
    those of `wrt`, whose element type it has. y and `wrt` stand in the block of the op; see `tir.grad`. Where y does
    not depend on it, it is 0. The Jacobian of a `tir.grad` is the Hessian of its cost.

    `mode reverse`: a loop over the elements of y around one way back; `mode forward`: for each tensor in `wrt` a loop
    over its elements around one way forward, which does branches and loops over each time. Without a mode: forward if
    all sizes are known and `wrt` has fewer elements than y, else reverse.
    """

    name = "tir.jacobian"
    y = operand(FLOAT_TENSOR)
    wrt = operand(FLOAT_TENSOR, variadic=True)
    mode = attribute(integer_enum(MODES), default="auto")
    jacobians = result(FLOAT_TENSOR, variadic=True)
    format = "$y `wrt` ` ` `(` $wrt `)` (`mode` $mode^)? attr-dict `:` type($jacobians)"

    def infer(self) -> Sequence[Type]:
        y: Any = self.y.type
        return [TensorType((*y.shape, *x.type.shape), x.type.element) for x in self.wrt]

    def verify(self) -> None:
        if self.wrt and len(self.wrt) != len(self.results):
            fail(self, f"needs a result for each value in wrt: {len(self.wrt)}, got {len(self.results)}")
        self.check_value("value", self.y)
        self.check_wrt()

    @property
    def goes_forward(self) -> bool:
        """In forward mode: as it is said, or as costs less."""
        if self.mode != "auto":
            return bool(self.mode == "forward")
        types: list[Any] = [self.y.type, *(x.type for x in self.wrt)]
        if not all(type.is_static for type in types):
            return False
        elements, *by = (prod(type.shape) for type in types)
        return sum(by) < elements


#: The ops of the family, in the order of the documentation.
OPS = (Jacobian,)
