"""The rule checker finds at least 95 % of the wrong rules that `mutants.py` makes out of those of tir.

It is alone: no other test sees the mutants. Those that change nothing stand in `HARMLESS`, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.resources import files
from zlib import crc32

import pytest

from tests.rewrites.mutants import Mutant, of_python, of_text
from tests.rewrites.test_proofs import QUICK
from tir.proofs.draw import ELEMENTS
from tir.proofs.prove import prove
from tir.rewrites.families import FAMILIES, LATE, rules_of

SHARE = 0.95
ONE_IN = 40  # so many mutants one is tried, by its name: others stay when rules come or go

#: Mutants that are right, as one looks at them, by reason.
HARMLESS = {
    "what the condition leaves out, the pattern does not fit": (
        "plus_minus_zero: without condition 1", "minus_zero_minus: without condition 1", "and_all_bits: without condition 1",
        "or_all_bits: without condition 1", "xor_all_bits: without condition 1", "and_false: without condition 1",
        "differs_if_nan: without condition 1", "power_of_a_half: without condition 1",
        "power_of_minus_a_half: without condition 1",
    ),
    "integers wrap around on both sides alike": (
        "divided_by_minus_one: without condition 1", "factor_out_of_floats: without condition 1",
    ),
    "0 and False are one number, and a result of another type is not taken": (
        "xor_of_equals: without condition 1", "xor_of_equal_truths: without condition 1", "and_zero: without condition 1",
        "or_zero: without condition 1", "xor_zero: without condition 1", "or_false: without condition 1",
        "xor_false: without condition 1", "and_with_its_opposite: without condition 1",
        "false_by_its_opposite: without condition 1",
    ),
    "of integers, the operands of maximum and minimum may be swapped": (
        "maximum_of_maximum: operands of maximum swapped", "minimum_of_minimum: operands of minimum swapped",
    ),
    "a function of numpy rises where it is computed, so bits stay": tuple(
        f"{rule}: exact, not accurate" for rule in (
            "max_of_exps", "max_of_expm1s", "max_of_sigmoids", "max_of_tanhs", "max_of_softplus", "min_of_exps",
            "min_of_sigmoids", "min_of_tanhs", "sort_of_exps", "sort_of_sigmoids", "sort_of_tanhs",
        )
    ),
    "the other guard lets nothing more pass": (
        "_joined: `limit - limit2` for `limit + limit2` (2)", "concat_of_neighbours: `start < middle` for `start <= middle`",
        "concat_of_neighbours: `1` for `0` (2)",
    ),
    "a slice of all, or a concat of one, is there for nothing": (
        "_within_rows: `one != WHOLE` for `one == WHOLE`", "slice_of_take: `one != WHOLE` for `one == WHOLE`",
        "concat_of_neighbours: `len(values) >= 1` for `len(values) > 1`",
    ),
    "all operands have one shape": ("_are_as_long: `1` for `0`", "_are_as_long: `1` for `0` (2)"),
}  # fmt: skip


@cache
def mutants() -> dict[str, tuple[str, Mutant]]:
    """All mutants with their families, by name."""
    return {f"{mutant.name}": (family, mutant) for family in FAMILIES for mutant in of_family(family)}


def of_family(family: str) -> Iterator[Mutant]:
    for rule in rules_of(family):
        if rule.declaration is not None:
            yield from of_text(rule)
    if (files("tir.rewrites") / f"{family}.py").is_file():
        yield from of_python(import_module(f"tir.rewrites.{family}"))


def is_caught(family: str, mutant: Mutant) -> bool:
    """The proof fails for a rule with the mistake, or the mistake breaks it."""
    for rule in mutant.rules():
        try:
            report = prove(rule, gradients=family not in LATE, elements=ELEMENTS if rule.examples else QUICK)
        except Exception:  # any: what is built from the wrong parts may break in any place
            return True
        if report.failure:
            return True
    return False


def survivors(names: list[str]) -> list[str]:
    return [name for name in names if not is_caught(*mutants()[name])]


def wrong_ones() -> list[str]:
    harmless = {name for names in HARMLESS.values() for name in names}
    return [name for name in mutants() if name not in harmless]


def test_mutants_of_all_families_are_caught() -> None:
    chosen = [name for name in wrong_ones() if crc32(name.encode()) % ONE_IN == 0]
    assert len(chosen) >= 40 and {mutants()[name][0] for name in chosen} == set(FAMILIES)
    left = survivors(chosen)
    assert len(left) <= (1 - SHARE) * len(chosen), left


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("part", range(4))
def test_all_other_mutants_are_caught(part: int) -> None:
    numbers = {name: crc32(name.encode()) % ONE_IN for name in wrong_ones()}
    names = [name for name, number in numbers.items() if number and number % 4 == part]
    left = survivors(names)
    assert len(left) <= (1 - SHARE) * len(names), left


def test_what_is_said_to_be_harmless_is_a_mutant() -> None:
    stale = {name for names in HARMLESS.values() for name in names} - set(mutants())
    assert not stale


def test_a_mutant_is_wrong_in_what_it_says_and_not_in_the_order_of_operands() -> None:
    (rule,) = [rule for rule in rules_of("canonical") if rule.name == "plus_negated"]
    assert [mutant.name.partition(": ")[2] for mutant in of_text(rule)] == [
        "add for sub", "operands of sub swapped", "no sub", "-sub", "y for x in sub", "x for y in sub",
    ]  # fmt: skip
    (rule,) = [rule for rule in rules_of("canonical") if rule.name == "product_of_negs"]
    assert "operands of mul swapped" not in [mutant.name.partition(": ")[2] for mutant in of_text(rule)]
