"""For who extends tir from outside: dialects and ops, rules, passes, and what runs them.

    from tir import extend

    class Swish(extend.Elementwise): ...                       # an op: docs/embedding-a-dialect.md
    DIALECT = extend.Dialect("my", "Activations of mine.", (Swish,))
    module = tir.parse(text, dialects=[DIALECT])
    extend.PassManager(["canonicalize", MyPass()]).run(module)

What stands here is what the dialects and passes of tir itself are made with, from their own modules.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from tir.api import caller_location, check_fp_mode, check_module
from tir.dialects.all import REGISTRY
from tir.dialects.tir.base import (
    AxisReduction,
    Binary,
    Composite,
    Elementwise,
    NotDifferentiable,
    Reduction,
    Shaped,
    Sized,
    Structure,
    Structured,
    TensorOp,
    Unary,
)
from tir.dialects.tir.build.core import told
from tir.dialects.tir.builder import Tensor, TensorBuilder
from tir.dialects.tir.elements import FLOAT_TENSOR, NUMBER_TENSOR
from tir.ir.define import attribute, operand, region, result
from tir.ir.errors import TirError
from tir.ir.ir import Op, Value
from tir.ir.kinds import F64_ATTR, I64_ARRAY, I64_ATTR, STRING, UNIT
from tir.ir.numerics import EXACT, Numerics, accurate
from tir.ir.pass_manager import Instrumentation, Pass, Pipeline, run_pipeline
from tir.ir.pipeline_text import parse_pipeline
from tir.ir.registry import Dialect, Registry
from tir.ir.rewrite import Rewriter, Rule, rule
from tir.ir.verify import verify
from tir.passes.pipelines import ALL
from tir.rewrites.declared import read_rules

__all__ = [
    "AxisReduction", "Binary", "Composite", "Dialect", "EXACT", "Elementwise", "F64_ATTR", "FLOAT_TENSOR", "I64_ARRAY",
    "I64_ATTR", "Instrumentation", "NUMBER_TENSOR", "NotDifferentiable", "Op", "Pass", "PassManager", "Pipeline",
    "Reduction", "Registry", "Rule", "RulesPass", "STRING", "Shaped", "Sized", "Structure", "Structured", "Tensor",
    "TensorBuilder", "TensorOp", "UNIT", "Unary", "Value", "accurate", "attribute", "operand", "read_rules", "region",
    "result", "rule",
]  # fmt: skip


class PassManager:
    """Passes in order, and what watches them run.

    passes: the text of a pipeline, or a list of names, texts and passes. verify_each: the module is verified behind each
    pass. instrumentations: see `Instrumentation`.
    """

    def __init__(
        self, passes: str | Iterable[str | Pass | Pipeline] = (), *, verify_each: bool = False,
        instrumentations: Sequence[Instrumentation] = (),
    ) -> None:  # fmt: skip
        self.steps: list[Pass | Pipeline] = []
        self.verify_each, self.instrumentations = verify_each, list(instrumentations)
        for one in [passes] if isinstance(passes, str) else passes:
            self.add(one)

    def add(self, step: str | Pass | Pipeline) -> PassManager:
        """One more pass at the end."""
        if isinstance(step, str):
            step = parse_pipeline(step, ALL, REGISTRY)
        if not isinstance(step, (Pass, Pipeline)):
            hint = "write its parentheses: MyPass()" if isinstance(step, type) and issubclass(step, Pass) else None
            raise TirError(f"PassManager: a pass or its name is needed, got {told(step)}", caller_location(), hint=hint)
        self.steps.append(step)
        return self

    def run(self, module: Op) -> Op:
        """Runs the passes on the module, in place; the module."""
        check_module("PassManager", module)
        verify(module)
        watching = [*self.instrumentations, *([_VerifyEach()] if self.verify_each else [])]
        run_pipeline(Pipeline([*self.steps]), module, watching)
        return module

    def __str__(self) -> str:
        return str(Pipeline([*self.steps]))


class _VerifyEach(Instrumentation):
    """Verifies behind each pass."""

    def after(self, step: Pass, op: Op, root: Op) -> None:
        verify(root)


class RulesPass(Pass):
    """Applies rules until none fits: those of `@rule` functions, and those that `read_rules` reads from text.

    fp_mode: which of them may be applied, by what they do to numbers.
    """

    name: ClassVar[str] = "rules"
    numerics: ClassVar[Numerics] = accurate(4, "rules of a user")

    def __init__(self, rules: Sequence[Rule], fp_mode: str = "stable") -> None:
        check_fp_mode("RulesPass", fp_mode)
        for one in rules:
            if not isinstance(one, Rule):
                hint = "@extend.rule(OpClass) makes one of a function" if callable(one) else None
                raise TirError(f"RulesPass: rules are needed, got {told(one)}", caller_location(), hint=hint)
        self.rules, self.fp_mode = tuple(rules), fp_mode

    def run(self, op: Op) -> None:
        Rewriter(self.rules, builder=TensorBuilder, fp_mode=self.fp_mode).run(op)


