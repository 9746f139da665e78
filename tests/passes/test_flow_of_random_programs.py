"""sccp, licm and read-through-write on random programs at the levels below: the same bits as without them.

Each pass runs on the module of a level, and both are run by the interpreter. In front of autodiff a pass may change in
which order adjoints are added up; there the numbers must agree as far as roundings allow.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from tests.levels import LEVELS, Outcome, bits, compare, modules_at, run, spread
from tests.passes.random_loops import random_loops
from tests.random_programs import random_program
from tir.dialects.all import REGISTRY
from tir.ir.ir import Op
from tir.ir.pass_manager import Pipeline, run_pipeline
from tir.ir.printer import print_op
from tir.parser.parse import parse_text
from tir.passes.autodiff import Autodiff
from tir.passes.pipelines import PASSES

NAMES = ("sccp", "licm", "read-through-write")
AT_ONCE = ("sccp", "licm")  # what one run leaves, the next one leaves, too
BELOW = ("tensor", "structured", "bufferized", "loops")
QUICK = range(12)
SLOW = [range(start, start + 60) for start in range(12, 252, 60)]
KINDS = pytest.mark.parametrize("control", [False, True], ids=["all ops", "loops"])


def behind(module: Op, name: str) -> tuple[Op, bool]:
    """A copy of the module behind the pass; whether anything has changed."""
    copy = module.clone()
    before = print_op(copy)
    run_pipeline(Pipeline([PASSES[name]()]), copy)
    text = print_op(copy)
    if name in AT_ONCE:
        run_pipeline(Pipeline([PASSES[name]()]), copy)
        assert print_op(copy) == text, f"{name} is not done at once:\n{before}"
    return copy, text != before


def bits_of(outcome: Outcome) -> dict[str, bytes]:
    return {name: bits(array) for name, array in outcome.arrays.items()}


def check(seed: int, control: bool) -> int:
    """How many modules the passes have changed."""
    program = random_program(seed, wide=not control, control=control)
    arguments, changed = program.arguments(), 0
    for level, module in modules_at(program.text, BELOW):
        want: dict[str, bytes] | None = None
        for name in NAMES:
            copy, is_changed = behind(module, name)
            if is_changed:
                want = want or bits_of(run(module, LEVELS[level][1], "main", arguments))
                got = bits_of(run(copy, LEVELS[level][1], "main", arguments))
                assert got == want, f"seed {seed}: {name} at level {level}\n{program.text}\n{print_op(copy)}"
                changed += 1
    return changed


def check_in_front_of_autodiff(seed: int) -> None:
    program = random_program(seed, control=True)
    arguments, shaken = program.arguments(), program.shaken()
    outcomes = []
    for names in ((), NAMES):
        module = parse_text(program.text, REGISTRY)
        run_pipeline(Pipeline([*(PASSES[name]() for name in names), Autodiff()]), module)
        outcomes.append(run(module, "interpret", "main", arguments))
    if bits_of(outcomes[0]) != bits_of(outcomes[1]):
        uncertain = spread(shaken.text, [{**shaken.arguments(number), **arguments} for number in range(5)])
        assert compare(*outcomes, uncertain) is None, f"seed {seed}\n{program.text}"


def check_loops(seed: int) -> int:
    module, changed = parse_text(random_loops(seed), REGISTRY), 0
    rng = np.random.default_rng(seed)
    inputs = [rng.integers(-9, 9, 5, dtype=np.int32), rng.integers(-9, 9, 5, dtype=np.int32), rng.integers(-9, 9, 4, dtype=np.int32)]
    for steps in ((), ("bufferize",), ("bufferize", "lower-loops")):
        lowered = module.clone()
        run_pipeline(Pipeline([PASSES[step]() for step in steps]), lowered)
        want = run(lowered, "interpret", "main", inputs)
        for name in NAMES:
            copy, is_changed = behind(lowered, name)
            changed += is_changed
            got = run(copy, "interpret", "main", inputs)
            assert bits_of(got) == bits_of(want), f"seed {seed}: {name} behind {steps}\n{print_op(lowered)}"
    return changed


def check_machine_code(text: str, arguments: Mapping[str, np.ndarray], entry: str = "main") -> bool:
    """All passes one behind the other, on what is about to become machine code; whether they change anything."""
    ((_, module),) = modules_at(text, ["cpu"])
    copy = module.clone()
    run_pipeline(Pipeline([PASSES[name]() for name in (*NAMES, "dce")]), copy)
    want, got = run(module, "cpu", entry, arguments), run(copy, "cpu", entry, arguments)
    assert bits_of(got) == bits_of(want), text
    return print_op(copy) != print_op(module)


@KINDS
def test_machine_code_of_random_programs_gives_the_same_bits(control: bool) -> None:
    programs = [random_program(seed, wide=not control, control=control) for seed in range(4)]
    assert any([check_machine_code(program.text, program.arguments()) for program in programs])


@KINDS
def test_random_programs_give_the_same_bits_at_each_level(control: bool) -> None:
    assert sum(check(seed, control) for seed in QUICK) > 10


@KINDS
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seeds", SLOW, ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
def test_many_random_programs_give_the_same_bits_at_each_level(seeds: range, control: bool) -> None:
    assert sum(check(seed, control) for seed in seeds) > len(seeds)


def test_random_programs_have_the_same_gradients() -> None:
    for seed in range(20):
        check_in_front_of_autodiff(seed)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seeds", SLOW, ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
def test_many_random_programs_have_the_same_gradients(seeds: range) -> None:
    for seed in seeds:
        check_in_front_of_autodiff(1_000 + seed)


def test_random_nests_of_loops_give_the_same_bits_of() -> None:
    assert sum(check_loops(seed) for seed in range(10)) > 5


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seeds", SLOW, ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
def test_many_random_nests_of_loops_give_the_same_bits_of(seeds: range) -> None:
    assert sum(check_loops(seed) for seed in seeds) > len(seeds) // 2
