"""`stabilize`: what overflows, cancels or rounds away, said in functions that do not."""

from __future__ import annotations

from dataclasses import dataclass

from tir.ir.numerics import accurate
from tir.passes.rule_pass import RulePass

__all__ = ["Stabilize"]


@dataclass
class Stabilize(RulePass):
    """Recognizes expressions that lose digits or overflow, and says them in functions that do not.

    Needs nothing; may run before and behind `autodiff`: gradients are right either way. Before it is better: `log(softmax)`
    with labels becomes a cross-entropy, whose gradient is p - y. The rules are those of `canonicalize` that see one way
    where there are several, and `unit_axes.py`, `stability.rules`, `labels.py`, `gradients.rules` and, when none of these
    fits any more, `quotients.rules` in `tir/rewrites/`; with `fp-mode=strict` only exact ones. Equal values become one.

        %0 = tir.add %x, %one : tensor<4xf32>
        %1 = tir.log %0 : tensor<4xf32>          ->   %1 = tir.log1p %x : tensor<4xf32>
        return %1 : tensor<4xf32>                     return %1 : tensor<4xf32>
    """

    name = "stabilize"
    families = ("shapes", "canonical", "unit_axes", "stability", "labels", "gradients")
    later = ("quotients",)
    numerics = accurate(4, "functions with a smaller error take the place of others")
