"""Canonicalization: constants folded, and expressions that say little said with less."""

from __future__ import annotations

from dataclasses import dataclass, field

from tir.dialects.tir.builder import TensorBuilder
from tir.dialects.tir.control import Control
from tir.ir.errors import PassError
from tir.ir.ir import Op
from tir.ir.numerics import accurate
from tir.ir.pass_manager import Pass
from tir.ir.rewrite import FP_MODES, Rewriter, check_fp_mode
from tir.lazy import LazyTable
from tir.passes.folding import fold
from tir.rewrites.families import rules_of

__all__ = ["FAMILIES", "Canonicalize"]


#: Families of rules for the tensor level.
FAMILIES = ("shapes", "canonical")
#: Rules for branches and loops of the tensor level ("control") and for other dialects; imported where such ops are met.
MORE_RULES = LazyTable({
    "control": "tir.passes.canonicalize_control:RULES",
    "scf": "tir.passes.canonicalize_scf:RULES",
    "math": "tir.passes.canonicalize_math:RULES",
    "tensor": "tir.passes.canonicalize_tensor:RULES",
})


@dataclass
class Canonicalize(Pass):
    """Folds constants and applies the canonicalization rules until none fits; removes what is not used.

    Needs nothing, and may run at any level. A tensor constant of more than 1024 elements is not computed (a splat is, for
    it is one number). Rules are listed in `tir/rewrites/canonical.rules` and `shapes.py`, those for branches and loops
    in `canonicalize_control.py`, those for `scf`, `math` and `tensor` in modules that are called as the dialect;
    `fp-mode` says which classes may be applied: `strict` (same bits), `stable` (also accurate ones), `fast`. With
    `max-iterations` the ops are gone through so often at most: all of them once, then those that a change has touched.

        %0 = tir.transpose %x by [1, 0] : tensor<3x2xf32>
        %1 = tir.transpose %0 by [1, 0] : tensor<2x3xf32>    ->   return %x : tensor<2x3xf32>
        return %1 : tensor<2x3xf32>
    """

    name = "canonicalize"
    numerics = accurate(2, "some rules give a result with a smaller error")
    statistics = {"fold": "ops computed", "erase": "ops erased that nobody uses"}
    fp_mode: str = field(default="stable", metadata={"choices": tuple(FP_MODES)})
    max_iterations: int = -1

    def __post_init__(self) -> None:
        check_fp_mode(self.name, self.fp_mode)
        if self.max_iterations < -1:
            got = f"-1 for no limit, got {self.max_iterations}"
            raise PassError(f"pass {self.name}: option 'max-iterations' must be 0 or more, or {got}")

    def run(self, op: Op) -> None:
        iterations = None if self.max_iterations == -1 else self.max_iterations
        met = {"control" if isinstance(o, Control) else o.name.partition(".")[0] for o in op.walk()}
        rules = list(rules_of(*FAMILIES)) if "tir" in met else []
        rules += [rule for name in MORE_RULES if name in met for rule in MORE_RULES[name]]
        Rewriter(rules, fold=fold, builder=TensorBuilder, fp_mode=self.fp_mode, max_iterations=iterations).run(op)
