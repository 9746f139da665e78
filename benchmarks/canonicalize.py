"""`canonicalize` on long programs, in which a rule fits every few ops.

Goals: 20,000 op/s on 100,000 ops, and a time that grows as the program does.
"""

from __future__ import annotations

import random
import statistics
import time

from tir.dialects.all import REGISTRY
from tir.ir.ir import Op
from tir.parser.parse import parse_text
from tir.passes.canonicalize import Canonicalize

__all__ = ["program", "run"]

RUNS = 3
SIZES = (1_000, 10_000, 100_000)
#: What comes next in a program: of the last value, the one before it, and numbers.
STEPS = (
    "tir.neg {last}", "tir.add {last}, {other}", "tir.mul {last}, %one", "tir.exp {last}", "tir.sub {last}, {other}",
    "tir.mul {last}, {other}", "tir.maximum {last}, {other}", "tir.abs {last}", "tir.tanh {last}", "tir.add {last}, %two",
)  # fmt: skip


def run() -> None:
    Canonicalize().run(program(300))  # what is read once
    for size in SIZES:
        rates = []
        for _ in range(RUNS):
            module = program(size)
            start = time.perf_counter()
            Canonicalize().run(module)
            rates.append(size / (time.perf_counter() - start))
        print(f"canonicalize {size:9,} ops {statistics.median(rates):12,.0f} op/s   target 20,000", flush=True)


def program(size: int) -> Op:
    """A function of so many elementwise ops, the same each time."""
    draw, type = random.Random(0), "tensor<4xf32>"
    lines = [f"func.func @f(%x: {type}, %y: {type}) -> {type} {{"]
    lines += [f"  %{name} = tir.constant dense<{number}> : {type}" for name, number in (("one", 1.0), ("two", 2.0))]
    last, other = "%x", "%y"
    for i in range(size):
        lines.append(f"  %v{i} = {draw.choice(STEPS).format(last=last, other=other)} : {type}")
        last, other = f"%v{i}", last
    return parse_text("\n".join([*lines, f"  return {last} : {type}", "}"]), REGISTRY)
