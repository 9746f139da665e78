"""Rules on sizes that only run time knows: what they make is right, and asks no size of what it replaces."""

from __future__ import annotations

import numpy as np
import pytest

from tir.dialects.tir.builder import TensorBuilder
from tir.interpret import Interpreter
from tir.ir.ir import Op
from tir.ir.rewrite import Rewriter, Rule
from tir.ir.types import DYNAMIC, F32, TensorType
from tir.ir.verify import verify
from tir.passes.canonicalize import Canonicalize
from tir.proofs.draw import Case, cases, program
from tir.rewrites.families import FAMILIES, rules_of

RULES = [(family, rule) for family in FAMILIES for rule in rules_of(family) if rule.declaration is not None]


def without_sizes(rule: Rule, case: Case) -> Op | None:
    """The program of the case with `?` for each size."""
    types = {name: TensorType((DYNAMIC,) * type.rank, type.element) for name, type in case.types.items()}
    return program(rule.declaration.before, types, case.attributes)


@pytest.mark.parametrize(("family", "rule"), RULES, ids=[f"{family}-{rule.name}" for family, rule in RULES])
def test_rule_makes_right_programs_of_sizes_that_run_time_knows(family: str, rule: Rule) -> None:
    for case in cases(rule.declaration, elements=(F32,)):
        module = without_sizes(rule, case)
        if module is None:
            continue
        after = module.clone()
        Rewriter([rule], builder=TensorBuilder, fp_mode="fast", limit=50).run(after)
        verify(after)
        Canonicalize().run(after)
        verify(after)
        inputs = [list(given.values()) for given in case.inputs[:1]]
        with np.errstate(all="ignore"):
            for arrays in inputs:
                before, now = (Interpreter(one).run("f", arrays)[0] for one in (module, after))
                assert before.shape == now.shape and before.dtype == now.dtype
        return
