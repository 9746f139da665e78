"""Ops that are there for what they do besides computing: `assert`."""

from __future__ import annotations

from typing import Any

from tir.dialects.tir.base import BOOL_TENSOR
from tir.ir.define import attribute, operand
from tir.ir.errors import VerifyError
from tir.ir.execution import ExecutionError, Frame
from tir.ir.ir import Op
from tir.ir.kinds import STRING

__all__ = ["OPS"]


class Assert(Op):
    """Ends the call with the message unless the condition, of rank 0, is true: `tir.assert %c, "x must not be empty"`.

    Nothing that the call updates is changed then.
    """

    name = "tir.assert"
    condition = operand(BOOL_TENSOR)
    msg = attribute(STRING)
    format = "$condition `,` $msg attr-dict `:` type($condition)"

    def verify(self) -> None:
        if self.condition.type.rank != 0:
            message = f"{self.name}: the condition must have rank 0, got {self.condition.type}; tir.all makes it so"
            raise VerifyError(message, self.location)

    def interpret(self, frame: Frame) -> tuple[Any, ...]:
        if not frame[self.condition]:
            raise ExecutionError(self.msg, self.location)
        return ()


#: The ops of the family, in the order of the documentation.
OPS = (Assert,)
