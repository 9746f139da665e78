"""Every row of `samples.py` gives what its independent source says at every level, each read back from its own text.

The slow tests do the same with the rows of `hard_samples.py`, and without fusion.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest

from tests.levels import LEVELS, module_at
from tests.ops.hard_samples import HARD
from tests.ops.samples import SAMPLES, Sample
from tests.ops.samples.base import widened
from tests.ops.test_ops import assert_close
from tir.compile import Executable
from tir.dialects.all import REGISTRY
from tir.dialects.tir.base import Elementwise
from tir.ir.ir import Op
from tir.ir.printer import print_op
from tir.parser.parse import parse_text

QUICK = ("tensor", "structured", "fused", "bufferized", "loops", "cpu")
SLOW = tuple(name for name in LEVELS if name not in QUICK)
BATCH = 100  # functions in one module: compiling each alone takes several times as long
SHOWN = 5


@cache
def batches(hard: bool) -> dict[str, list[Sample]]:
    """The rows by op, in pieces of a size that compiles in a moment."""
    found: dict[str, list[Sample]] = {}
    for sample in HARD if hard else SAMPLES:
        found.setdefault(sample.op, []).append(sample)
    return {
        f"{op}-{start // BATCH}": rows[start : start + BATCH]
        for op, rows in found.items()
        for start in range(0, len(rows), BATCH)
    }


def module_of(samples: Sequence[Sample]) -> str:
    """A module with each row as a function: @f0, @f1, .."""
    return "".join(sample.module().replace("@f(", f"@f{i}(", 1) for i, sample in enumerate(samples))


def read_back(module: Op) -> Op:
    """The module from its own text, which the generic form says too."""
    text = print_op(module)
    assert print_op(parse_text(print_op(module, generic=True), REGISTRY)) == text
    again = parse_text(text, REGISTRY)
    assert print_op(again) == text
    return again


def assert_signs(got: np.ndarray, sample: Sample) -> None:
    """An element alone keeps the sign of zero, rounded or not; a sum need not."""
    if got.dtype.kind == "f" and issubclass(REGISTRY.op_class(sample.op), Elementwise):
        zeros = (got == 0) & (sample.want == 0)
        np.testing.assert_array_equal(np.signbit(got)[zeros], np.signbit(sample.want)[zeros])


def check(samples: Sequence[Sample], level: str) -> None:
    """Runs the rows at a level; fails with those that are wrong."""
    passes, target = LEVELS[level]
    program = Executable(read_back(module_at(module_of(samples), passes())), target)
    wrong = []
    for i, sample in enumerate(samples):
        (got,) = program.call(f"f{i}", sample.inputs)
        try:
            got = widened(np.asarray(got))
            assert_close(got, sample)
            assert_signs(got, sample)
        except AssertionError as error:
            wrong.append(f"{sample}: {sample.op} {sample.text}{error}")
    assert not wrong, f"{len(wrong)} of {len(samples)} rows:\n" + "\n".join(wrong[:SHOWN])


@pytest.mark.parametrize("level", QUICK)
@pytest.mark.parametrize("rows", batches(hard=False))
def test_op_gives_at_every_level_what_an_independent_source_says(rows: str, level: str) -> None:
    check(batches(hard=False)[rows], level)


@pytest.mark.slow
@pytest.mark.parametrize("level", SLOW)
@pytest.mark.parametrize("rows", batches(hard=False))
def test_op_gives_the_same_at_the_levels_between_and_without_fusion(rows: str, level: str) -> None:
    check(batches(hard=False)[rows], level)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("rows", batches(hard=True))
def test_op_on_hard_numbers_shapes_and_types_gives_what_an_independent_source_says(rows: str, level: str) -> None:
    check(batches(hard=True)[rows], level)
