"""A pass of rules leaves nothing to do for itself: run again, it gives the same text."""

from __future__ import annotations

import pytest

from tests.levels import modules_at
from tests.random_programs import random_program
from tir.api import parse
from tir.ir.pass_manager import Pipeline, run_pipeline
from tir.ir.printer import print_op
from tir.passes.pipelines import PASSES

NAMES = ("canonicalize", "stabilize", "specialize", "push-down", "simplify-shapes")
LOWER = ("structured", "fused", "bufferized", "loops", "expanded")
KINDS = ({}, {"wide": True}, {"control": True})


def run(names: tuple[str, ...], module) -> str:
    run_pipeline(Pipeline([PASSES[name]() for name in names]), module, [])
    return print_op(module)


def check(seed: int) -> None:
    """On the tensor level, of every other program with its gradient."""
    module = parse(random_program(seed, **KINDS[seed % 3]).text)
    run(("inline", "autodiff")[: 1 + seed % 2], module)
    for name in NAMES:
        copy = module.clone()
        once = run((name,), copy)
        assert run((name,), copy) == once, f"seed {seed}: {name}"


def check_lower(seed: int) -> None:
    for level, module in modules_at(random_program(seed, **KINDS[seed % 3]).text, LOWER):
        copy = module.clone()
        once = run(("canonicalize",), copy)
        assert run(("canonicalize",), copy) == once, f"seed {seed}: at level {level}"


@pytest.mark.parametrize("start", range(0, 80, 20))
def test_second_run_changes_nothing(start: int) -> None:
    for seed in range(start, start + 20):
        check(seed)


@pytest.mark.parametrize("start", range(0, 24, 8))
def test_second_run_on_lower_levels_changes_nothing(start: int) -> None:
    for seed in range(start, start + 8):
        check_lower(seed)


@pytest.mark.slow
@pytest.mark.parametrize("start", range(80, 10_080, 200))
def test_second_run_on_10_000_programs_changes_nothing(start: int) -> None:
    for seed in range(start, start + 200):
        check(seed)
    for seed in range(start, start + 200, 10):
        check_lower(seed)
