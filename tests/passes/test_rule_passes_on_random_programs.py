"""`simplify-shapes` and `push-down` keep what random programs compute, and leave nothing to do for themselves."""

from __future__ import annotations

import pytest

from tests.random_programs import random_program
from tir.api import parse
from tir.ir.ir import Op
from tir.ir.pass_manager import Pipeline, run_pipeline
from tir.ir.printer import print_op
from tir.passes.pipelines import PASSES
from tir.semantics.instrument import CheckSemantics

NAMES = ("simplify-shapes", "push-down")


def passes(names: tuple[str, ...]) -> Pipeline:
    return Pipeline([PASSES[name]() for name in names])


def without_derivatives(seed: int, control: bool) -> Op:
    module = parse(random_program(seed, wide=not control, control=control).text)
    run_pipeline(passes(("inline", "autodiff")), module, [])
    return module


def check(seed: int) -> None:
    for control in (False, True):
        module = without_derivatives(seed, control)
        run_pipeline(passes(NAMES), module, [CheckSemantics(lambda sentence, location: None)])
        text = print_op(module)
        run_pipeline(passes(NAMES[1:]), module, [])
        assert print_op(module) == text


@pytest.mark.parametrize("seed", range(10))
def test_the_passes_keep_what_random_programs_compute(seed: int) -> None:
    check(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 200))
def test_the_passes_keep_what_more_random_programs_compute(seed: int) -> None:
    check(seed)
