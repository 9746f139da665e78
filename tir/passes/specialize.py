"""`specialize`: what is quicker said otherwise, behind autodiff."""

from __future__ import annotations

from dataclasses import dataclass

from tir.ir.numerics import accurate
from tir.passes.rule_pass import RulePass

__all__ = ["Specialize"]


@dataclass
class Specialize(RulePass):
    """Says in fewer and quicker ops what the program says in general ones: powers by products, max(x, 0) as relu.

    Sums of products become products of matrices, and transposes of their operands axes. Runs behind `autodiff`, since not
    every rule keeps what a gradient is where numbers tie. The rules are in
    `tir/rewrites/canonical.rules`, `special.rules`, `special.py` and `products.py`. Equal values become one.

        %0 = tir.maximum %x, %zero : tensor<4xf32>    ->   %0 = tir.relu %x : tensor<4xf32>
    """

    name = "specialize"
    families = ("shapes", "canonical", "special", "products")
    numerics = accurate(4, "powers become products")
