"""A planted wrong pass in a pipeline of ten, on 50 random programs: named, bisected to the rewrite, reduced.

Goal: each named and bisected, at most 10 ops left, at most 60 s each. A bug that does nothing to a program (a wrong rule
for an op that it does not have) is replaced by the next of the list; each of the programs gets one.
"""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tests.random_programs import random_program
from tests.wrong_passes import PLANTS, Plant
from tir.dialects.all import REGISTRY
from tir.ir.pass_manager import PassBug, run_pipeline
from tir.parser.parse import parse_text
from tir.semantics.instrument import CheckSemantics, WrongPass

__all__ = ["Found", "find", "run"]

PROGRAMS = 50


@dataclass(frozen=True)
class Found:
    """What was found out about the bug planted for one program. right_pass, right_change: it was named; ops: left."""

    seed: int
    plant: Plant
    right_pass: bool
    right_change: bool
    ops: int
    seconds: float


def run() -> None:
    found: list[Found] = []
    seed = 0
    while len(found) < PROGRAMS:
        one = next((one for one in (find(seed, plant) for plant in _rarest_first(found)) if one is not None), None)
        found += [one] if one is not None else []
        seed += 1
    print(table(found))
    print(f"  {seed} programs tried; to {seed - len(found)} none of the bugs did anything")


def _rarest_first(found: Sequence[Found]) -> list[Plant]:
    """All plants, those that were found the fewest times first."""
    counts = Counter(one.plant.name for one in found)
    return sorted(PLANTS, key=lambda plant: counts[plant.name])


def find(seed: int, plant: Plant) -> Found | None:
    """Runs the pipeline with the bug on the program; None if the bug does not show."""
    text = random_program(seed).text
    if not plant.may_show(text):
        return None
    module = parse_text(text, REGISTRY)
    start = time.perf_counter()
    try:
        run_pipeline(plant.pipeline(), module, [CheckSemantics(lambda sentence, location: None)])
    except WrongPass as wrong:
        seconds = time.perf_counter() - start
        change = wrong.culprit is not None and wrong.culprit.number > 0 and wrong.culprit.name == plant.change
        return Found(seed, plant, wrong.step.name == plant.at, change, wrong.ops, seconds)
    except PassBug:
        return None  # the verifier has found it already
    return None


def table(found: list[Found]) -> str:
    """A line for each bug, and one for all."""
    lines = [f"planted bugs in a pipeline of ten, {len(found)} random programs: named, bisected, ops left, seconds"]
    plants = list(dict.fromkeys(one.plant for one in found))
    for title, rows in [*((p.name, [one for one in found if one.plant is p]) for p in plants), ("all", found)]:
        named, bisected = sum(one.right_pass for one in rows), sum(one.right_change for one in rows)
        ops, seconds = [one.ops for one in rows], [one.seconds for one in rows]
        sizes = f"ops median {statistics.median(ops):g} max {max(ops)}"
        times = f"s median {statistics.median(seconds):.1f} max {max(seconds):.1f}"
        lines.append(f"  {title:50} {len(rows):3}: named {named:3}, bisected {bisected:3}, {sizes}, {times}")
    return "\n".join(lines)
