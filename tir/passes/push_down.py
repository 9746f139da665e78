"""`push-down`: what cuts off or moves elements, in front of what computes them."""

from __future__ import annotations

from dataclasses import dataclass

from tir.ir.numerics import accurate
from tir.passes.rule_pass import RulePass

__all__ = ["PushDown"]


@dataclass
class PushDown(RulePass):
    """Moves slices, transposes, reshapes and casts up to the operands of what computes, and reductions past what only moves.

    What is cut off is then not computed; a position is found without the function that keeps it. Fewer elements are
    computed each time, or as many. A slice stays behind an op whose result somebody else needs, and whatever run time finds
    out about sizes and indices, it still finds out. Runs behind `autodiff`: the gradient of a maximum of equal numbers
    depends on how often they stand there. The rules are in `tir/rewrites/pushing.py`, `moving.rules` and `moving.py`.

        %0 = tir.softmax %x over [1] : tensor<4x10xf32>
        %1 = tir.argmax %0 axis 1 : tensor<4xi64>         ->   %1 = tir.argmax %x axis 1 : tensor<4xi64>
        return %1 : tensor<4xi64>                              return %1 : tensor<4xi64>
    """

    name = "push-down"
    families = ("pushing", "moving")
    numerics = accurate(4, "sums are taken in another order, and positions of numbers that round to equal ones told apart")
