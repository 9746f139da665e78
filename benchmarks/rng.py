"""A million random numbers: tir on one thread against numpy's Generator, with Philox and with PCG64.

numpy draws normal and exponential numbers by the ziggurat, one after the other; tir by quantile functions, in vectors.
Each call of tir gives a fresh array, as each of numpy does.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks.conv import compiled
from benchmarks.measure import medians, table

COUNT = 1_000_000
#: What numpy calls them.
METHODS: dict[str, Callable[[Any, str], Any]] = {
    "uniform": lambda g, dtype: g.random(COUNT, dtype),
    "normal": lambda g, dtype: g.standard_normal(COUNT, dtype),
    "exponential": lambda g, dtype: g.standard_exponential(COUNT, dtype),
}


def run() -> None:
    key = np.array([1, 2], np.int32)
    for op, method in METHODS.items():
        for element, dtype in (("f32", "float32"), ("f64", "float64")):
            result = f"tensor<{COUNT}x{element}>"
            text = f"  %0 = tir.rng_{op} %key : {result}\n  return %0 : {result}\n"
            program = compiled(f"func.func @f(%key: tensor<2xi32>) -> {result} {{\n{text}}}\n")
            contestants: dict[str, Callable[[], Any]] = {"tir": partial(program.call, "f", [key])}
            for generator in (np.random.Philox, np.random.PCG64):
                drawn = np.random.Generator(generator(1))
                contestants[f"numpy, {generator.__name__}"] = partial(method, drawn, dtype)
            print(table(f"{COUNT} {op} {element}", medians(contestants, 1.0), "tir"))
