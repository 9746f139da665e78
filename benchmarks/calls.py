"""What a call costs that computes next to nothing: tir's functions beside numpy and, where it is installed, numba.

Nanoseconds a call, the least of several rounds taken in turns; what an empty loop takes is off.
"""

from __future__ import annotations

import importlib.util
import timeit
from collections.abc import Callable
from typing import Any

import numpy as np

import tir
from tir import tensor as T

__all__ = ["run"]

ROUNDS, NUMBER = 7, 100_000


def run() -> None:
    for title, contestants in (
        ("x + 1 of 8 numbers, into a given array", with_out()),
        ("x + 1 of 8 numbers, into a new array", with_new_result()),
        ("a step of scalar linear regression", linear_regression()),
    ):
        print(title)
        for name, nanoseconds in least(contestants).items():
            print(f"  {name:34} {nanoseconds:10.1f} ns")


def least(contestants: dict[str, tuple[str, dict[str, Any]]]) -> dict[str, float]:
    """Nanoseconds of each statement with its names."""
    timers = {name: timeit.Timer(statement, globals=names) for name, (statement, names) in contestants.items()}
    empty = timeit.Timer("pass")
    found = dict.fromkeys(timers, float("inf"))
    nothing = float("inf")
    for timer in timers.values():
        timer.timeit(10)
    for _ in range(ROUNDS):
        nothing = min(nothing, empty.timeit(NUMBER))
        for name, timer in timers.items():
            found[name] = min(found[name], timer.timeit(NUMBER))
    return {name: (seconds - nothing) / NUMBER * 1e9 for name, seconds in found.items()}


def _functions() -> tuple[Any, Any]:
    x = T.dvector("x")
    return tir.function([x], x + 1), tir.jit(lambda x: x + 1)


def with_out() -> dict[str, tuple[str, dict[str, Any]]]:
    function, jitted = _functions()
    names = {"x": np.zeros(8), "out": np.zeros(8), "add": np.add}
    found = {
        "tir.function": ("f(x, out=out)", {**names, "f": function}),
        "tir.jit": ("f(x, out=out)", {**names, "f": jitted}),
        "numpy": ("add(x, 1.0, out=out)", names),
    }
    if (njit := numba()) is not None:

        @njit
        def f(x: Any, out: Any) -> None:
            for i in range(x.size):
                out[i] = x[i] + 1

        found["numba"] = ("f(x, out)", {**names, "f": f})
    return found


def with_new_result() -> dict[str, tuple[str, dict[str, Any]]]:
    function, jitted = _functions()
    names = {"x": np.zeros(8), "empty": np.empty}
    found = {
        "tir.function": ("f(x)", {**names, "f": function}),
        "tir.jit": ("f(x)", {**names, "f": jitted}),
        "numpy": ("x + 1.0", names),
        "numpy.empty alone": ("empty(8)", names),
    }
    if (njit := numba()) is not None:
        found["numba"] = ("f(x)", {**names, "f": njit(lambda x: x + 1)})
    return found


def linear_regression() -> dict[str, tuple[str, dict[str, Any]]]:
    x, y, w = T.dscalar("x"), T.dscalar("y"), tir.shared(np.zeros(()), "w")
    cost = T.sqr(x * w - y)
    step = tir.function([x, y], cost, updates=[(w, w - 0.01 * T.grad(cost, w))])
    found = {
        "tir.function, floats": ("f(x, y)", {"f": step, "x": 0.5, "y": 1.0}),
        "tir.function, numpy's floats": ("f(x, y)", {"f": step, "x": np.float64(0.5), "y": np.float64(1)}),
    }
    if (njit := numba()) is not None:

        @njit
        def f(x: float, y: float, w: Any) -> float:
            error = x * w[0] - y
            w[0] -= 0.01 * 2 * error * x
            return error * error

        found["numba"] = ("f(x, y, w)", {"f": f, "x": 0.5, "y": 1.0, "w": np.zeros(1)})
    return found


def numba() -> Callable[..., Any] | None:
    """`numba.njit` where numba is installed."""
    if importlib.util.find_spec("numba") is None:
        print("  numba is not installed")
        return None
    from numba import njit  # noqa: PLC0415  (an optional package)

    found: Callable[..., Any] = njit
    return found


if __name__ == "__main__":
    run()
