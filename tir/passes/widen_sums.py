"""`widen-sums`: sums, products and means of f32 add up in f64, as Theano's do."""

from __future__ import annotations

from dataclasses import dataclass

from tir.dialects.tir.builder import TensorBuilder
from tir.dialects.tir.composite import Mean
from tir.dialects.tir.reduce import Prod, Sum
from tir.ir import actions
from tir.ir.attributes import TypeAttr
from tir.ir.garbage import collector_relaxed
from tir.ir.ir import Op
from tir.ir.numerics import accurate
from tir.ir.pass_manager import Pass
from tir.ir.traits import FunctionLike
from tir.ir.types import F32, F64

__all__ = ["ATTRIBUTE", "WidenSums"]

ATTRIBUTE = "tir.wide_sums"


@dataclass
class WidenSums(Pass):
    """Has `tir.sum`, `tir.prod` and `tir.mean` of f32 accumulate in f64, in functions with the attribute `tir.wide_sums`.

    Needs: the tensor level, behind the rules about sums. What says in which type it adds up stays. A mean becomes a sum and
    a quotient. `tir.function` gives the attribute to what it makes.

        %0 = tir.sum %x over [0] : tensor<?xf32>    ->    %0 = tir.sum %x over [0] acc f64 : tensor<?xf32>
    """

    name = "widen-sums"
    numerics = accurate(1, "a sum is rounded once, at its end")
    statistics = {"widen": "reductions that accumulate in f64"}

    def run(self, op: Op) -> None:
        with collector_relaxed():
            functions = [one for one in op.walk() if isinstance(one, FunctionLike) and ATTRIBUTE in one.attributes]
            for inner in [inner for function in functions for inner in function.walk()]:
                if isinstance(inner, (Sum, Prod, Mean)) and inner.x.type.element is F32 and actions.begin("widen", inner):
                    _widen(inner)
                    actions.end()


def _widen(op: Sum | Prod | Mean) -> None:
    if not isinstance(op, Mean):
        if op.acc_type is None:
            op.set_property("acc_type", TypeAttr(F64))
        return
    b = TensorBuilder(op.parent, op, op.location)
    total = b.make(Sum, b.tensor(op.x), axes=op.axes, acc_type=F64)
    op.replace_with([(total / b.count(op.x, op.axes)).value])
