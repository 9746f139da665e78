"""A pass that is a family of rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from tir.dialects.tir.builder import TensorBuilder
from tir.ir.ir import Op
from tir.ir.pass_manager import Pass
from tir.ir.rewrite import FP_MODES, Rewriter, check_fp_mode
from tir.rewrites.families import rules_of

__all__ = ["RulePass"]


@dataclass
class RulePass(Pass):
    """Applies the rules of `families` until none fits."""

    families: ClassVar[tuple[str, ...]]
    statistics = {"erase": "ops erased that nobody uses"}
    fp_mode: str = field(default="stable", metadata={"choices": tuple(FP_MODES)})

    def __post_init__(self) -> None:
        check_fp_mode(self.name, self.fp_mode)

    def run(self, op: Op) -> None:
        Rewriter(rules_of(*self.families), builder=TensorBuilder, fp_mode=self.fp_mode).run(op)
