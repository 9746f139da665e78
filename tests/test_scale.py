"""Big modules: the work grows as the module does, and an op takes at most 1 kB. Speed itself is in `benchmarks/scale`.

Nothing here looks at a clock: work is counted in executed lines of Python.
"""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from benchmarks.scale import modules
from tir.dialects.all import REGISTRY
from tir.ir.garbage import collector_relaxed
from tir.ir.ir import Op
from tir.ir.printer import print_op
from tir.ir.verify import verify
from tir.parser import raw
from tir.parser.parse import parse_text
from tir.passes.autodiff import Autodiff
from tir.passes.canonicalize import Canonicalize
from tir.passes.cse import Cse
from tir.passes.dce import Dce

SMALL, TIMES = 400, 4
TEXTS: dict[str, Callable[[int], str]] = {
    "straight line": modules.straight_line,
    "varied": modules.varied,
    "common": modules.common,
}


def parsed(text: str) -> Op:
    return parse_text(text, REGISTRY, verify=False)


def lines_run(call: Callable[[], Any]) -> int:
    """How many lines of Python a call executes."""
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


def growth(make: Callable[[int], str], step: Callable[[Op], Any]) -> float:
    """How many times the work of a module `TIMES` as large is the work of a small one."""
    step(parsed(make(SMALL)))  # what is made once for each op class
    small, large = (parsed(make(n)) for n in (SMALL, TIMES * SMALL))
    ops = sum(1 for _ in large.walk()) / sum(1 for _ in small.walk())
    return lines_run(lambda: step(large)) / lines_run(lambda: step(small)) / ops * TIMES


# Twice as much work for each op would be 8 and quadratic work 16.
MOST = TIMES * 1.2

STEPS: dict[str, Callable[[Op], Any]] = {
    "verify": verify,
    "print": print_op,
    "print generic": lambda module: print_op(module, generic=True),
    "print with locations": lambda module: print_op(module, locations=True),
    "cse": lambda module: Cse().run(module),
    "canonicalize": lambda module: Canonicalize().run(module),
    "dce": lambda module: Dce().run(module),
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("kind", TEXTS)
def test_work_is_linear_in_the_size_of_the_module(kind: str, step: str) -> None:
    assert growth(TEXTS[kind], STEPS[step]) < MOST


@pytest.mark.parametrize("wide", [False, True])
def test_gradients_of_long_chains_and_of_wide_sums_are_linear_work(wide: bool) -> None:
    assert growth(lambda n: modules.gradient(n, wide), lambda module: Autodiff().run(module)) < MOST


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize("generic", [False, True])
def test_parsing_is_linear_work(kind: str, generic: bool) -> None:
    small, large = (print_op(parsed(TEXTS[kind](n)), generic=generic) for n in (SMALL, TIMES * SMALL))
    parsed(small)
    assert lines_run(lambda: parsed(large)) / lines_run(lambda: parsed(small)) < MOST


def one_function(body: str, n: int) -> str:
    return f"func.func @f(%b: i1, %x: f32) {{\n{body * n}  return\n}}\n"


def test_names_inside_many_regions_of_one_function_are_linear_work() -> None:
    body = "  scf.if %b {\n    %y = arith.negf %x : f32\n    %z = math.exp %y : f32\n  }\n"
    assert growth(lambda n: one_function(body, n // 4), print_op) < MOST


def test_equal_name_hints_are_linear_work() -> None:
    """Each value wants to be called %y: `y`, `y_0`, `y_1` .. must not be tried from the start each time."""

    def print_with_equal_hints(module: Op) -> str:
        for op in module.walk():
            for result in op.results:
                result.hint = "y"
        return print_op(module)

    assert growth(modules.straight_line, print_with_equal_hints) < MOST
    text = print_with_equal_hints(parsed(modules.straight_line(6)))
    assert [line.split()[0] for line in text.splitlines() if " = " in line] == ["%y_0", "%y_1", "%y_2"]  # %y is an argument


@pytest.mark.parametrize("kind", TEXTS)
def test_an_op_takes_at_most_a_kilobyte(kind: str) -> None:
    text = TEXTS[kind](3000)
    parsed(text)  # what is made once for each op class
    gc.collect()
    tracemalloc.start()
    module = parsed(text)
    gc.collect()
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert held / sum(1 for _ in module.walk()) <= 1000


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize("generic", [False, True])
def test_the_grammar_reads_each_kind_of_line_once(kind: str, generic: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines that differ in names and literals only are read from one template: a bigger module needs no more of them."""
    texts = [print_op(parsed(TEXTS[kind](n)), generic=generic) for n in (2500, 5000)]
    read, counts = raw._read_part, []

    def counting(*arguments: Any, **named: Any) -> Any:
        counts[-1] += 1
        return read(*arguments, **named)

    monkeypatch.setattr(raw, "_read_part", counting)
    for text in texts:
        counts.append(0)
        parsed(text)
    assert 0 < counts[0] == counts[1] < 250


def test_the_collector_is_as_before_behind_big_work() -> None:
    before = gc.get_threshold(), gc.isenabled(), gc.get_freeze_count()
    module = parsed(modules.varied(300))
    print_op(module)
    verify(module)
    with pytest.raises(RuntimeError), collector_relaxed(), collector_relaxed():
        assert gc.get_threshold()[0] > before[0][0]
        raise RuntimeError
    assert (gc.get_threshold(), gc.isenabled(), gc.get_freeze_count()) == before


def test_modules_that_are_dropped_are_collected() -> None:
    """Parsing again and again takes no more and more memory, though the collector looks less often."""
    text = modules.straight_line(2000)
    tracemalloc.start()
    parsed(text)
    gc.collect()
    one = tracemalloc.get_traced_memory()[0]
    for _ in range(5):
        parsed(text)
    gc.collect()
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert held < one + 200_000
