"""The cf dialect: asserts, and branches between the blocks of a region."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tir.ir.define import attribute, operand, successor
from tir.ir.errors import AssertError, TirError
from tir.ir.execution import Frame, Jump
from tir.ir.flow import Edge
from tir.ir.ir import Block, Op, Value
from tir.ir.kinds import I32_ARRAY, STRING, exactly
from tir.ir.native import with_numbers
from tir.ir.registry import Dialect
from tir.ir.traits import ConstantLike, Terminator
from tir.ir.types import I1, INDEX

__all__ = ["DIALECT", "Assert", "Branch", "CondBranch"]


class Assert(Op):
    """`cf.assert %ok, "message"`: ends the program with the message unless the operand is true.

    If the operand is an `arith.cmpi` of type index, or an `arith.ori` whose first operand is one, the message says both
    numbers; of `sge` and a constant 0, the one.
    """

    name = "cf.assert"
    arg = operand(exactly(I1))
    msg = attribute(STRING)
    format = "$arg `,` $msg attr-dict"

    def interpret(self, frame: Frame) -> tuple[Any, ...]:
        if not frame[self.arg]:  # the message says which op of the program is meant
            raise AssertError(with_numbers(self.msg, [frame[number] for number in self.compared]), self.location)
        return ()

    @property
    def compared(self) -> list[Value]:
        """The numbers that the message says: none without a sign, which would be read with one."""
        made: Any = self.arg.op
        while made is not None and made.name == "arith.ori":
            made = made.operand(0).op
        if made is None or made.name != "arith.cmpi" or made.operand(0).type is not INDEX:
            return []
        if made.predicate.startswith("u"):
            return []
        lhs, rhs = made.operands
        is_sign = made.predicate == "sge" and _is_zero(rhs)
        return [lhs] if is_sign else [lhs, rhs]


def _is_zero(value: Value) -> bool:
    """The value is the constant 0."""
    return isinstance(value.op, ConstantLike) and value.op.properties["value"].value == 0


class Branch(Op, Terminator):
    """`cf.br ^bb1(%x : f32)`: goes on with a block."""

    name = "cf.br"
    destOperands = operand(variadic=True)
    dest = successor()
    format = "$dest (`(` $destOperands^ `:` type($destOperands) `)`)? attr-dict"

    def verify(self) -> None:
        _check_arguments(self.dest, self.destOperands)

    def edges(self) -> list[Edge]:
        """To the block."""
        return [Edge(None, self.dest, self.destOperands)]

    def interpret(self, frame: Frame) -> Jump:
        return Jump(self.dest, [frame[v] for v in self.destOperands])


class CondBranch(Op, Terminator):
    """`cf.cond_br %c, ^bb1(%x : f32), ^bb2`: goes on with the first block if the condition is true, else the second."""

    name = "cf.cond_br"
    condition = operand(exactly(I1))
    trueDestOperands = operand(variadic=True)
    falseDestOperands = operand(variadic=True)
    branch_weights = attribute(I32_ARRAY, optional=True)
    trueDest = successor()
    falseDest = successor()
    format = (
        "$condition (`weights` `(` $branch_weights^ `)`)? `,` "
        "$trueDest (`(` $trueDestOperands^ `:` type($trueDestOperands) `)`)? `,` "
        "$falseDest (`(` $falseDestOperands^ `:` type($falseDestOperands) `)`)? attr-dict"
    )

    def verify(self) -> None:
        _check_arguments(self.trueDest, self.trueDestOperands)
        _check_arguments(self.falseDest, self.falseDestOperands)

    def edges(self) -> list[Edge]:
        """To one of the blocks."""
        return [
            Edge(None, self.trueDest, self.trueDestOperands, self.condition, True),
            Edge(None, self.falseDest, self.falseDestOperands, self.condition, False),
        ]

    def interpret(self, frame: Frame) -> Jump:
        if frame[self.condition]:
            return Jump(self.trueDest, [frame[v] for v in self.trueDestOperands])
        return Jump(self.falseDest, [frame[v] for v in self.falseDestOperands])


def _check_arguments(block: Block, operands: Sequence[Value]) -> None:
    want = [argument.type for argument in block.arguments]
    got = [value.type for value in operands]
    if want != got:
        raise TirError(f"the block takes ({', '.join(map(str, want))}), got ({', '.join(map(str, got))})")


DIALECT = Dialect("cf", "Asserts, and branches between blocks.", (Assert, Branch, CondBranch))
