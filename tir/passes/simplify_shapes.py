"""`simplify-shapes`: sizes read off operands, and moves of elements that move nothing."""

from __future__ import annotations

from dataclasses import dataclass

from tir.ir.numerics import accurate
from tir.passes.rule_pass import RulePass

__all__ = ["SimplifyShapes"]


@dataclass
class SimplifyShapes(RulePass):
    """Reads sizes off what an op is made of, and removes copies, reshapes and transposes that change nothing.

    A size that the types know becomes a number, one with a name that of the argument that has it, and any other moves up
    through the ops that keep it, so that nothing is computed for its shape alone. Mistakes in sizes that such a computation
    would find are not found then, as those of what nobody needs. The rules are in `tir/rewrites/shapes.py`, `sizes.rules`
    and `sizes.py`; may run anywhere on the tensor level.

        %0 = tir.exp %x : tensor<?x4xf32>
        %1 = tir.dim %0 axis 0 : tensor<?x4xf32>              ->  %1 = tir.dim %x axis 0 : tensor<?x4xf32>
        %2 = tir.full 0.0 : f32 sizes(%1) -> tensor<?xf32>        %2 = tir.full 0.0 : f32 sizes(%1) -> tensor<?xf32>
    """

    name = "simplify-shapes"
    families = ("shapes", "sizes")
    numerics = accurate(2, "a sum of one number keeps -0.0, which 0.0 plus it does not")
