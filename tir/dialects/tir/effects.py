"""Ops that are there for what they do besides computing: `assert`, `print` and `name_size`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from tir.dialects.tir.elements import BOOL_TENSOR, ELEMENT_TENSOR
from tir.ir.affine import AffineName
from tir.ir.define import attribute, operand
from tir.ir.errors import AssertError, VerifyError
from tir.ir.execution import ExecutionError, Frame
from tir.ir.ir import Op, UnregisteredOp
from tir.ir.kinds import INDEX_KIND, STRING
from tir.ir.names import argument_bindings
from tir.ir.traits import BindsSize, FunctionLike

__all__ = ["OPS"]


class Assert(Op):
    """Ends the call with the message unless the condition, of rank 0, is true: `tir.assert %c, "x must not be empty"`.

    Nothing that the call updates is changed then.
    """

    name = "tir.assert"
    condition = operand(BOOL_TENSOR)
    msg = attribute(STRING)
    format = "$condition `,` $msg attr-dict `:` type($condition)"

    def of_batch(self, b: Any, operands: Sequence[Any], batched: Sequence[bool]) -> Sequence[Any] | None:
        self_again = type(self)([b.all(operands[0]).value], (), self.properties, self.attributes, (), (), self.location)
        b.insert(self_again)
        return []

    def verify(self) -> None:
        if self.condition.type.rank != 0:
            message = f"{self.name}: the condition must have rank 0, got {self.condition.type}; tir.all makes it so"
            raise VerifyError(message, self.location)

    def interpret(self, frame: Frame) -> tuple[Any, ...]:
        if not frame[self.condition]:
            raise AssertError(self.msg, self.location)
        return ()


class Print(Op):
    """Shows a tensor on standard error when a call has ended well: `tir.print "cost" %cost : tensor<f32>`.

    Stands at the top level of a function, in its first block; what a call prints comes in the order of the text. Below
    the tensor level the tensor is one more result of the function, `{tir.print = "cost"}`, which whoever calls the
    function shows: so nothing is computed in another order, or not at all, because it is printed.
    """

    name = "tir.print"
    verify_looks_around = True
    label = attribute(STRING)
    x = operand(ELEMENT_TENSOR)
    format = "$label $x attr-dict `:` type($x)"

    def verify(self) -> None:
        function = self.parent_op
        if isinstance(function, UnregisteredOp):
            return
        if not isinstance(function, FunctionLike) or self.parent is not function.region.blocks[0]:
            raise VerifyError(f"{self.name}: must stand at the top level of a function, in its first block", self.location)

    def interpret(self, frame: Frame) -> tuple[Any, ...]:
        frame.show(self.label, frame[self.x])
        return ()


class NameSize(Op, BindsSize):
    """Gives a size a name, which the types of what follows may use: `tir.name_size %n as "B" : index`.

    So that a tensor whose sizes the run tells can be stacked by a loop. Stands at the top level of a function, in its first
    block; nothing else there binds the name. `tir.broadcast %x along [0, 1] : tensor<?x4xf32> -> tensor<[B]x4xf32>` makes
    use of it, and checks that the size is that.
    """

    name = "tir.name_size"
    verify_looks_around = True
    size = operand(INDEX_KIND)
    label = attribute(STRING)
    format = "$size `as` $label attr-dict `:` type($size)"

    def bound_name(self) -> AffineName:
        return AffineName(self.label)

    def verify(self) -> None:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", self.label):
            message = f"{self.name}: the name of a size has letters, digits and underscores, got '{self.label}'"
            raise VerifyError(message, self.location)
        function = self.parent_op
        if isinstance(function, UnregisteredOp):
            return
        if not isinstance(function, FunctionLike) or self.parent is not function.region.blocks[0]:
            raise VerifyError(f"{self.name}: must stand at the top level of a function, in its first block", self.location)
        others = [op for op in self.parent if isinstance(op, NameSize) and op.label == self.label]
        if self.bound_name() in argument_bindings(self) or others[0] is not self:
            raise VerifyError(f"{self.name}: the name [{self.label}] is bound already", self.location)

    def interpret(self, frame: Frame) -> tuple[Any, ...]:
        if (size := int(frame[self.size])) < 0:
            raise ExecutionError(f"a size must not be negative, got {size}")
        return ()


#: The ops of the family, in the order of the documentation.
OPS = (Assert, Print, NameSize)
