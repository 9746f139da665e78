"""A pass that is a family of rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from tir.dialects.tir.base import TensorOp
from tir.dialects.tir.builder import TensorBuilder
from tir.ir.ir import Op
from tir.ir.pass_manager import Pass
from tir.ir.rewrite import FP_MODES, Rewriter, check_fp_mode
from tir.passes.cse import Cse
from tir.rewrites.families import rules_of

__all__ = ["RulePass"]


@dataclass
class RulePass(Pass):
    """Applies the rules of `families` until none fits; then those of `later` too."""

    families: ClassVar[tuple[str, ...]]
    later: ClassVar[tuple[str, ...]] = ()
    statistics = {"erase": "ops erased that nobody uses"}
    fp_mode: str = field(default="stable", metadata={"choices": tuple(FP_MODES)})

    def __post_init__(self) -> None:
        check_fp_mode(self.name, self.fp_mode)

    def run(self, op: Op) -> None:
        if not any(isinstance(inner, TensorOp) for inner in op.walk()):
            return
        self._apply(op, self.families)
        if self.later:
            self._apply(op, (*self.families, *self.later))

    def _apply(self, op: Op, families: Sequence[str]) -> None:
        rewriter, merge = Rewriter(rules_of(*families), builder=TensorBuilder, fp_mode=self.fp_mode), Cse()
        merge.run(op)  # rules that have a value twice see equal ones only if they are one
        while rewriter.run(op):
            merge.run(op)
