"""The programs that tir was made for run as their authors wrote them, but for the imports, the data and Python 3's print.

`python tests/theano/programs/net.py` runs one. A test stops a program as soon as it has printed the accuracy that is asked
for, and fails if it never does.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tir

PROGRAMS = Path(__file__).parent / "programs"


class Reached(Exception):
    """The program has printed what is asked for."""


def run(name: str, floatX: str = "float32", stop: Any = lambda values: False, most: int = 100) -> list[tuple[Any, ...]]:
    """Runs a program; what it printed. stop: whether that is enough, from the values of the last print."""
    printed: list[tuple[Any, ...]] = []

    def show(*values: Any) -> None:
        printed.append(values)
        if stop(values):
            raise Reached
        assert len(printed) < most, f"not reached in {most} prints: {printed[-3:]}"

    np.random.seed(7)
    sys.path.insert(0, str(PROGRAMS))
    try:
        with tir.config.change_flags(floatX=floatX):
            runpy.run_path(str(PROGRAMS / f"{name}.py"), init_globals={"print": show})
    except Reached:
        pass
    finally:
        sys.path.remove(str(PROGRAMS))
    return printed


def test_multiply() -> None:
    assert [float(value) for (value,) in run("multiply")] == [2.0, 9.0]


@pytest.mark.parametrize("floatX", ["float32", "float64"])
def test_linear_regression_finds_the_slope(floatX: str) -> None:
    ((slope,),) = run("linear_regression", floatX)
    assert slope.dtype == floatX
    assert abs(slope - 2) < 0.3  # the noise of 101 points: 0.33 / sqrt(sum x^2) = 0.06


@pytest.mark.parametrize(
    ("name", "accuracy"),
    [
        ("logistic_regression", 0.93),
        ("net", 0.95),
        ("modern_net", 0.97),
        pytest.param("convolutional_net", 0.97, marks=[pytest.mark.slow, pytest.mark.timeout(3600)]),
    ],
)
def test_classifiers_reach_their_accuracy(name: str, accuracy: float) -> None:
    run(name, stop=lambda values: values[-1] >= accuracy)


def test_logistic_regression_of_the_slides() -> None:
    printed = run("slides_logistic_regression", "float64")
    assert printed[0] == ("Initial model:",) and printed[2] == ("Final model:",)
    targets, guesses = printed[5][0], printed[7][0]
    assert (targets == guesses).all()
    assert not np.array_equal(printed[1][0], printed[3][0])


def test_gradient_descent_separates_the_points() -> None:
    printed = run("gradient_descent", "float64")
    assert (printed[-2][1] == printed[-1][1]).all()
    assert np.isfinite(printed[-3][0]).all()


def test_softmax_regression_of_the_abstract() -> None:
    """What its text promises: one product, no softmax left in the prediction, a stable logarithm, gemm in the update."""
    printed = run("softmax_regression", "float64", stop=lambda values: values[1] > 0.4)
    costs = [cost for cost, _, _ in printed]
    assert np.isfinite(costs).all() and costs[-1] < costs[0]
    text = printed[-1][2].ir("optimized")
    assert text.count("tir.dot ") == 1
    assert "tir.log " not in text and "tir.argmax %" in text
    assert "tir.log_softmax" in text and text.count("tir.softmax ") == 1  # of the gradient


def test_timing_of_exp_uses_the_cpu() -> None:
    printed = run("using_gpu")
    np.testing.assert_allclose(printed[2][1], np.exp(np.random.RandomState(22).rand(10 * 30 * 768)), rtol=1e-6)
    assert printed[3] == ("Used the cpu",)


def test_loop_fusion_of_the_slides() -> None:
    (values,), _ = run("loop_fusion", "float64")
    assert values.tolist() == [0, 2, 1026]
