"""Random programs compute the same at every level, from the tensor interpreter to machine code.

A program that does not is shrunk; the failure names its seed, the text that is left and the first level that differs.
"""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.levels import LEVELS, Disagreement, first_disagreement, spread
from tests.random_program_text import FUNCTIONS, Program, dropped
from tests.random_programs import random_program

QUICK = range(100)
ELEMENTWISE = range(30)  # with other ops: see random_program
#: In batches, so that the slow test is as many tests as make sense for two workers.
SLOW = [range(start, start + 100) for start in range(100, 1100, 100)]
RUNS = 3  # of a program with its roundings shaken
MAX_STEPS = 200  # of shrinking

FUSED = [name for name in LEVELS if "not fused" not in name]


def disagreement(program: Program) -> Disagreement | None:
    """The first level that differs from the tensor level by more than roundings explain.

    Each third program also goes the way without fusion.
    """
    arguments, shaken = program.arguments(), program.shaken()
    uncertain = spread(shaken.text, [{**shaken.arguments(run), **arguments} for run in range(RUNS)])
    levels = list(LEVELS) if program.seed % 3 == 0 else FUSED
    return first_disagreement(program.text, arguments, uncertain, levels=levels)


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


def check(program: Program) -> None:
    found = disagreement(program)
    if found is not None:
        smaller, found = shrunk(program, found)
        raise AssertionError(f"seed {program.seed}, {found}\n\n{smaller.text}") from found.error


@pytest.mark.parametrize("seed", QUICK)
def test_random_program_computes_the_same_at_every_level(seed: int) -> None:
    check(random_program(seed))


@pytest.mark.parametrize("seed", ELEMENTWISE)
def test_random_program_of_elementwise_ops_computes_the_same_at_every_level(seed: int) -> None:
    check(random_program(seed, elementwise=True))


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seeds", SLOW, ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
def test_many_random_programs_compute_the_same_at_every_level(seeds: range) -> None:
    for seed in seeds:
        check(random_program(seed))


# --- the generator itself ------------------------------------------------------------------------------------------


def test_same_seed_gives_the_same_program_and_inputs() -> None:
    first, second = random_program(7), random_program(7)
    assert first.text == second.text
    for name, array in first.arguments().items():
        assert array.tobytes() == second.arguments()[name].tobytes()


#: What some of the quick programs must contain, so that a change of the generator cannot lose it unseen.
WANTED_OPS = """
    abs add all and any argmax argsort broadcast cast cmp concat constant cummax cummin dim div dot exp full grad
    iota leaf log log1p log_softmax logsumexp max maximum mean min minimum mul neg norm not one_hot or pad pow prod
    put read relu repeat reshape rng_bits rng_uniform select sigmoid sign slice softmax softmax_cross_entropy sort
    sqrt square sub sum take tanh transpose tril update var
""".split()


def test_quick_programs_contain_every_op() -> None:
    counts = Counter(op for seed in QUICK for op in set(re.findall(r"tir\.(\w+) ", random_program(seed).text)))
    assert not [op for op in WANTED_OPS if counts[op] == 0]


def test_elementwise_programs_contain_most_of_the_ops() -> None:
    text = "".join(random_program(seed, elementwise=True).text for seed in ELEMENTWISE)
    wanted = {*FUNCTIONS, "floordiv", "rem", "mod", "clamp", "copysign", "atan2", "pow", "shl", "shr", "xor", "floor"}
    assert not [op for op in wanted if f"tir.{op} " not in text]


def test_quick_programs_contain_every_kind_of_size_and_element() -> None:
    texts = [random_program(seed).text for seed in QUICK]
    for kind in (r"tensor<\?", r"tensor<\[N\]", r"\[N - \d\]", "<0x", "<1x", "tensor<f32>", "f64>", "f16>", "i64>", "i8>", "ui8>", "ui32>", "i1>"):
        assert any(re.search(kind, text) for text in texts), kind


def test_quick_programs_swap_shared_variables() -> None:
    def swaps(text: str) -> bool:
        reads = dict(re.findall(r"(%\w+) = tir\.read (@\w+)", text))
        updates = dict(re.findall(r"tir\.update (@\w+), (%\w+)", text))
        return len(updates) == 2 and all(reads.get(value, name) != name for name, value in updates.items())

    assert any(swaps(random_program(seed).text) for seed in QUICK)


def test_shrinking_keeps_only_what_the_failure_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong_if_it_has_a_softmax(program: Program) -> Disagreement | None:
        return Disagreement("cpu", "softmax") if "tir.softmax %" in program.text else None

    monkeypatch.setattr(f"{__name__}.disagreement", wrong_if_it_has_a_softmax)
    program = next(p for p in map(random_program, QUICK) if "tir.softmax %" in p.text and len(p.lines) > 8)
    smaller, _ = shrunk(program, Disagreement("cpu", "softmax"))
    assert [re.search(r"tir\.\w+", line)[0] for line in smaller.lines] == ["tir.softmax"]
