"""Machine code that measures its own time: it computes what it computes without, and its clock goes as Python's does."""

from __future__ import annotations

import time

import numpy as np

import tir
from tests.inspect.programs import place_of, training
from tir.api import for_this_machine
from tir.compile import Executable
from tir.ir.errors import places_text
from tir.ir.pass_manager import run_pipeline
from tir.machines import lowered_for
from tir.runtime.clock import ticks_per_second

X, Y = np.linspace(-1, 1, 6400, dtype=np.float32).reshape(100, 64), np.zeros(100, np.int32)


def timed(module: object) -> Executable:
    return Executable(module, "cpu", lambda copy: run_pipeline(for_this_machine(), copy), timed=True)  # type: ignore[arg-type]


def test_timed_code_computes_the_same() -> None:
    plain, measured = tir.executable(training().module), timed(training().module)
    for _ in range(3):
        np.testing.assert_array_equal(plain.call("train", [X, Y]), measured.call("train", [X, Y]))
    np.testing.assert_array_equal(plain.state["w"], measured.state["w"])


def test_each_loop_nest_is_counted_and_timed_by_its_line() -> None:
    program = timed(training().module)
    assert {one.calls for one in program.nest_times() if one.function == "train"} == {0}
    program.call("train", [X, Y])  # and the first value of @w
    start = time.perf_counter()
    before = {i: one.seconds for i, one in enumerate(program.nest_times())}
    for _ in range(5):
        program.call("train", [X, Y])
    wall = time.perf_counter() - start
    nests = [one for one in program.nest_times() if one.function == "train"]
    assert {one.calls for one in nests} == {6}
    measured = sum(one.seconds - before[i] for i, one in enumerate(program.nest_times()))
    assert 0 < measured < 1.1 * wall  # the clock is right to a thousandth, if the machine does other things to a tenth
    assert place_of(training, "scores = ") in {places_text(one.location) for one in nests}


def test_calls_of_a_library_are_timed() -> None:
    b = tir.Builder()
    with b.function("f", x="tensor<512x512xf32>", y="tensor<512x4xf32>") as (x, y):
        b.returns(x @ y)
    program = timed(b.module)
    program.call("f", [np.ones((512, 512), np.float32), np.ones((512, 4), np.float32)])
    assert any(one.calls == 1 and one.seconds > 0 for one in program.nest_times())


def test_code_that_is_not_timed_has_no_clock() -> None:
    copy = training().module.clone()
    run_pipeline(for_this_machine(), copy)
    assert "timer" not in lowered_for(copy).text and "timer" in lowered_for(copy, timed=True).text
    assert tir.executable(training().module).nest_times() == []
    assert tir.executable(training().module, "interpret").nest_times() == []


def test_clock_goes_as_that_of_python_does() -> None:
    ticks_per_second.cache_clear()
    first = ticks_per_second()
    ticks_per_second.cache_clear()
    assert first > 1e6
    np.testing.assert_allclose(ticks_per_second(), first, rtol=0.05)  # a sleep may be late between two looks at a clock
