"""Forward mode against reverse mode on random programs, of all ops and with branches and loops: two ways to one number.

Of programs with loops the number is also compared with differences, where these settle.
"""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.passes.test_autodiff import expanded
from tests.random_program_text import Program, Value
from tests.random_programs import random_program
from tir.interpret import Interpreter

QUICK = range(40)
SLOW = [range(start, start + 500) for start in range(40, 2040, 500)]
#: A clip of what goes back is of reverse mode alone, and so is `truncate`; numbers of 16 bits round too much to compare.
NOT_COMPARED = re.compile(r"tir\.grad_clip|truncate|f16")
#: At ties a gradient is one of several slopes: of programs with these, differences say nothing.
WITH_TIES = re.compile(r"tir\.(max |min |max_pool|put min|put max|sort|top_k|cumm|stop_gradient|grad_scale)")
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


# --- differences -----------------------------------------------------------------------------------------------------


def of_leaves(program: Program) -> tuple[str, list[Value]] | None:
    """@cost gives what the program differentiates, @main its gradients, and by what; arguments take the place of leaves."""
    lines: list[str] = []
    for line in program.lines:
        if (found := GRADIENT.match(line)) is None:
            lines.append(line)
            continue
        names, cost, wrt, types = found.groups()
        leaves, type = [program.values[name] for name in wrt.split(", ")], program.values[cost].type
        pairs = [f"{value.name}: {value.type}" for value in (*(a.value for a in program.given), *leaves)]
        kept = [f"  {one}" for one in lines if not any(one.startswith(f"{leaf.name} = tir.leaf") for leaf in leaves)]
        cost_lines = [f"func.func @cost({', '.join(pairs)}) -> {type} {{", *kept, f"  return {cost} : {type}", "}"]
        main_lines = [f"func.func @main({', '.join(pairs)}) -> ({types}) {{", *kept, f"  {line}", f"  return {names} : {types}", "}"]
        return "\n".join([*program.head, *cost_lines, *main_lines, ""]), leaves
    return None


def check_differences(seed: int) -> bool:
    """The gradients along a direction against differences of the cost, in f64; False where these do not settle.

    The leaves get numbers of their own, so that they do not tie with what else is computed from the same arguments.
    """
    program = random_program(seed, control=True)
    found = of_leaves(program)
    if found is None or NOT_COMPARED.search(program.text) or WITH_TIES.search(program.text):
        return False
    text, leaves = found
    rng = np.random.default_rng(seed)
    given = [program.arguments()[a.value.name[1:]] for a in program.given]
    given = [x.astype(np.float64) if x.dtype == np.float32 else x for x in given]
    points, ways = ([rng.uniform(-2, 2, leaf.shape) for leaf in leaves] for _ in range(2))
    run = Interpreter(expanded(text.replace("f32", "f64"))).run

    def slope(step: float) -> float:
        ends = [run("cost", [*given, *(np.asarray(x + s * v) for x, v in zip(points, ways))])[0] for s in (step, -step)]
        return float(np.subtract(*ends)) / (2 * step)

    with np.errstate(all="ignore"):
        products = [g * v for g, v in zip(run("main", [*given, *points]), ways)]
        total, size = sum(p.sum() for p in products), sum(np.abs(p).sum() for p in products)
        coarse, middle, fine = (slope(step) for step in (1e-3, 5e-4, 2.5e-4))
    once, twice = (4 * middle - coarse) / 3, (4 * fine - middle) / 3  # without the error that goes with the step squared
    if not np.isfinite([total, once, twice]).all() or abs(once - twice) > 1e-7 * (1e-3 + abs(twice)):
        return False
    assert abs(total - twice) <= 1e-5 * (1e-3 + size), f"seed {seed}: {total} and {twice}\n{text}"
    return size > 0


def test_gradients_of_random_programs_are_differences() -> None:
    assert sum(check_differences(seed) for seed in QUICK) >= 1


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seeds", SLOW, ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
def test_gradients_of_many_random_programs_are_differences(seeds: range) -> None:
    assert sum(check_differences(seed) for seed in seeds) >= 10


# --- both modes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("control", [False, True], ids=["all ops", "loops"])
def test_both_modes_agree_on_random_programs(control: bool) -> None:
    assert sum(check(seed, control) for seed in QUICK) >= 5


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("control", [False, True], ids=["all ops", "loops"])
@pytest.mark.parametrize("seeds", SLOW, ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
def test_both_modes_agree_on_many_random_programs(seeds: range, control: bool) -> None:
    assert sum(check(seed, control) for seed in seeds) > len(seeds) // 20
