"""Random programs compute the same at every level, from the tensor interpreter to machine code.

A program that does not is shrunk; the failure names its seed, the text that is left and the first level that differs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import pytest

from tests.levels import LEVELS, Disagreement, first_disagreement, spread
from tests.ops.samples import SMOOTH
from tests.random_program_text import DTYPES, NAMES, Program, dropped
from tests.random_programs import random_program
from tir.dialects.tir import DIALECT

QUICK = range(200)
#: In batches, so that the slow test is as many tests as make sense for two workers.
SLOW = [range(start, start + 200) for start in range(200, 20_200, 200)]
#: Of programs with branches and loops.
QUICK_CONTROL = range(70)
SLOW_CONTROL = [range(start, start + 100) for start in range(70, 1_070, 100)]
RUNS, MORE_RUNS = 3, 25  # of a program with its roundings shaken; the second where levels differ
MAX_STEPS = 200  # of shrinking

FUSED = [name for name in LEVELS if "not fused" not in name]
BETWEEN = [name for name in LEVELS if name not in ("tensor", "cpu")]
ALL, FEW = "all", "few"


def levels_of(seed: int, extent: str) -> list[str]:
    """The levels of a program: all, each sixth time also those without fusion; or the ends and, in turn, one other."""
    if extent == ALL:
        return list(LEVELS) if seed % 6 == 0 else FUSED
    level = BETWEEN[seed % len(BETWEEN)]
    return [name for name in LEVELS if name in ("tensor", level, "cpu")]


def disagreement(program: Program, extent: str = ALL) -> Disagreement | None:
    """The first level that differs from the tensor level by more than roundings explain.

    Each second program is also read back from its text, at one of the levels in turn.
    """
    arguments, shaken = program.arguments(), program.shaken()
    levels = levels_of(program.seed, extent)
    turn = program.seed // 2
    read_back = [levels[turn % len(levels)]] if program.seed % 2 else []
    found = None
    for runs in (RUNS, MORE_RUNS):
        uncertain = spread(shaken.text, [{**shaken.arguments(run), **arguments} for run in range(runs)])
        found = first_disagreement(program.text, arguments, uncertain, levels=levels, read_back=read_back)
        if found is None:
            return None
    return found


def attempt(program: Program) -> Disagreement | None:
    """The same; what does not even run at the tensor level is no disagreement, but a program that shrank too far."""
    try:
        found = disagreement(program)
    except Exception:  # any: such a program is of no use
        return None
    return None if found is None or found.level == "tensor" else found


def shrunk(program: Program, found: Disagreement) -> tuple[Program, Disagreement]:
    """A smaller program that fails at the same level."""
    tried = 0
    while True:
        for smaller in dropped(program):
            tried += 1
            if tried > MAX_STEPS or smaller == program:
                continue
            again = attempt(smaller)
            if again is not None and again.level == found.level:
                program, found = smaller, again
                break
        else:
            return program, found


def check(seed: int, extent: str, control: bool = False) -> None:
    program = random_program(seed, wide=not control, control=control)
    found = disagreement(program, extent)
    if found is not None:
        smaller, found = shrunk(program, found)
        raise AssertionError(f"seed {program.seed}, {found}\n\n{smaller.text}") from found.error


@pytest.mark.parametrize("seed", [seed if seed % 5 < 3 else pytest.param(seed, marks=pytest.mark.slow) for seed in QUICK])
def test_random_program_computes_the_same_at_every_level(seed: int) -> None:
    check(seed, ALL if seed % 8 < 2 else FEW)  # a fourth of the programs that are read back, and of the others


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seeds", SLOW, ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
def test_many_random_programs_compute_the_same_at_both_ends_and_a_level_between(seeds: range) -> None:
    for seed in seeds:
        check(seed, FEW)


@pytest.mark.parametrize("seed", QUICK_CONTROL)
def test_random_program_with_branches_and_loops_computes_the_same_at_both_ends_and_a_level_between(seed: int) -> None:
    check(seed, FEW, control=True)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seeds", SLOW_CONTROL, ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
def test_many_random_programs_with_branches_and_loops_compute_the_same_at_every_level(seeds: range) -> None:
    for seed in seeds:
        check(seed, ALL, control=True)


# --- the generator itself ------------------------------------------------------------------------------------------


def test_same_seed_gives_the_same_program_and_inputs() -> None:
    first, second = random_program(7, wide=True), random_program(7, wide=True)
    assert first.text == second.text
    for name, array in first.arguments().items():
        assert array.tobytes() == second.arguments()[name].tobytes()


@cache
def quick_text() -> str:
    return "".join(random_program(seed, wide=True).text for seed in QUICK)


#: Ops whose results have other forms than programs like these can use; test_build_loops.py, test_jacobian.py and
#: test_name_size.py have them.
ELSEWHERE = {"tir.to_index", "tir.jacobian", "tir.name_size"}


def test_quick_programs_contain_every_op() -> None:
    text = quick_text() + "".join(random_program(seed, control=True).text for seed in QUICK_CONTROL)
    found = set(re.findall(r"\btir\.\w+(?= )", text)) | ELSEWHERE
    assert [op.name for op in DIALECT.ops if op.name not in found] == []


#: What programs with branches and loops must hold: each as a pattern of the text.
FORMS = (
    "tir.if", "tir.while .*max_trips [1-9]", "tir.while .*max_trips 0", r"tir.while [^{]*tensor<i32>\) \{", "tir.scan over",
    "tir.scan .*reverse", "tir.scan .*checkpoint 1", "tir.scan .*checkpoint [23]", "tir.scan .*truncate", r"over \(.*, .*\)",
    r"over \(.*tensor<\?", r"over \(.*tensor<\[N\]", r"-> \(\S*, \S*\) .*\{", r"\n    %.*tir.(scan|while)", r"tir.jvp \(%g",
    "%h0.* = tir.grad", r"tir.jvp \(%v", "tir.vjp",
)  # fmt: skip


def test_quick_programs_contain_every_form_of_a_loop_and_of_a_derivative() -> None:
    text = "".join(random_program(seed, control=True).text for seed in QUICK_CONTROL)
    assert [form for form in FORMS if not re.search(form, text)] == []


def differentiated(program: Program) -> Iterator[str]:
    """The ops between the leaves and the cost of the program's `tir.grad`."""
    lines = [line.partition(" = ")[::2] for line in program.lines]
    grads = [op for _, op in lines if op.startswith("tir.grad ")]
    wanted, leaves = {NAMES.findall(op)[0] for op in grads}, {name for op in grads for name in NAMES.findall(op)[1:]}
    for defined, op in lines:
        if leaves & set(NAMES.findall(op)):
            leaves |= set(NAMES.findall(defined))
    for defined, op in reversed(lines):
        if wanted & set(NAMES.findall(defined)):
            wanted |= set(NAMES.findall(op))
            if leaves & set(NAMES.findall(op)):
                yield op.partition(" ")[0]


def test_quick_programs_differentiate_through_most_ops_that_have_a_gradient() -> None:
    reached = {op for seed in QUICK for op in differentiated(random_program(seed, wide=True))}
    smooth = {point.op for point in SMOOTH}
    assert len(smooth & reached) > 0.65 * len(smooth), sorted(smooth - reached)


KINDS_OF_SIZES = (r"tensor<\?", r"tensor<\[N\]", r"\[N - \d\]", "<0x", "<1x")


def test_quick_programs_contain_every_kind_of_size_and_element() -> None:
    for kind in (*KINDS_OF_SIZES, *(rf"\dx{element}>" for element in DTYPES), "tensor<f32>"):
        assert re.search(kind, quick_text()), kind


def test_quick_programs_swap_shared_variables() -> None:
    def swaps(text: str) -> bool:
        reads = dict(re.findall(r"(%\w+) = tir\.read (@\w+)", text))
        updates = dict(re.findall(r"tir\.update (@\w+), (%\w+)", text))
        return len(updates) == 2 and all(reads.get(value, name) != name for name, value in updates.items())

    assert any(swaps(random_program(seed, wide=True).text) for seed in QUICK)


def test_shrinking_keeps_only_what_the_failure_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong_if_it_has_a_softmax(program: Program) -> Disagreement | None:
        return Disagreement("cpu", "softmax") if "tir.softmax %" in program.text else None

    monkeypatch.setattr(f"{__name__}.disagreement", wrong_if_it_has_a_softmax)
    programs = (random_program(seed, wide=True) for seed in QUICK)
    program = next(p for p in programs if any(f"{one.name} = tir.softmax %" in p.text for one in p.results) and len(p.lines) > 8)
    smaller, _ = shrunk(program, Disagreement("cpu", "softmax"))
    assert [re.search(r"tir\.\w+", line)[0] for line in smaller.lines] == ["tir.softmax"]
