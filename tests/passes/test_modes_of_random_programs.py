"""Forward mode against reverse mode on random programs, of all ops and with branches and loops: two ways to one number."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.passes.test_autodiff import expanded
from tests.random_program_text import Program
from tests.random_programs import random_program
from tir.interpret import Interpreter

QUICK = range(40)
SLOW = [range(start, start + 500) for start in range(40, 2040, 500)]
#: A clip of what goes back is of reverse mode alone, and so is `truncate`; numbers of 16 bits round too much to compare.
NOT_COMPARED = re.compile(r"tir\.grad_clip|truncate|f16")
GRADIENT = re.compile(r"(%g\d+.*) = tir.grad (%\w+) wrt \((.*)\) : (.*)")


def in_both_modes(program: Program) -> str | None:
    """@main gives the gradients of the program, what they are by, and the tangent of the cost for the latter as tangents.

    None where there is nothing to compare.
    """
    lines: list[str] = []
    if NOT_COMPARED.search(program.text):
        return None
    for line in program.lines:
        lines.append(f"  {line}")
        if (found := GRADIENT.match(line)) is not None:
            names, cost, wrt, types = found.groups()
            type = program.values[cost].type
            lines.append(f"  %both = tir.jvp ({cost}) wrt ({wrt}) with ({wrt}) : {type}")
            arguments = ", ".join(f"{a.value.name}: {a.value.type}" for a in program.given)
            head = f"func.func @main({arguments}) -> ({types}, {types}, {type}) {{"
            return "\n".join([*program.head, head, *lines, f"  return {names}, {wrt}, %both : {types}, {types}, {type}", "}", ""])
    return None


def check(seed: int, control: bool) -> bool:
    """The sum of the gradients times what they are by is the tangent; False where there is nothing to compare."""
    program = random_program(seed, wide=not control, control=control)
    text = in_both_modes(program)
    if text is None:
        return False
    given = program.arguments()
    with np.errstate(all="ignore"):
        *found, tangent = Interpreter(expanded(text)).run("main", [given[a.value.name[1:]] for a in program.given])
        gradients, points = found[: len(found) // 2], found[len(found) // 2 :]
        products = [np.asarray(g, np.float64) * np.asarray(x, np.float64) for g, x in zip(gradients, points)]
        total, size = sum(p.sum() for p in products), sum(np.abs(p).sum() for p in products)
    if not np.isfinite([total, size, float(tangent)]).all():
        return False  # slopes at poles and of nan: inf in one mode may be nan in the other
    rtol = 1e-3 if "f32" in text else 1e-9  # some numbers are differences of much larger ones
    assert abs(total - float(tangent)) <= rtol * (1e-3 + size), f"seed {seed}: {total} and {tangent}\n{text}"
    return size > 0


@pytest.mark.parametrize("control", [False, True], ids=["all ops", "loops"])
def test_both_modes_agree_on_random_programs(control: bool) -> None:
    assert sum(check(seed, control) for seed in QUICK) >= 5


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("control", [False, True], ids=["all ops", "loops"])
@pytest.mark.parametrize("seeds", SLOW, ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
def test_both_modes_agree_on_many_random_programs(seeds: range, control: bool) -> None:
    assert sum(check(seed, control) for seed in seeds) > len(seeds) // 20
