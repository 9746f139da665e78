"""Every row of the samples gives what its independent source says at every level.

In `make test` all rows run at the tensor level (`test_ops.py`), and those that `chosen` takes at the levels below where
something can go wrong anew. The slow tests run all rows, those of `hard_samples.py` too, at all levels, each read back from its text.
"""

from __future__ import annotations

import pytest

from tests.levels import LEVELS
from tests.ops.chosen import chosen
from tests.ops.hard_samples import HARD
from tests.ops.row_levels import batches, check
from tests.ops.samples import SAMPLES

CHOSEN = batches(list(chosen(SAMPLES)))
ALL, ALL_HARD = batches(SAMPLES), batches(HARD)
QUICK = ("loops", "cpu")


@pytest.mark.parametrize("rows", CHOSEN)
def test_op_gives_below_what_an_independent_source_says(rows: str) -> None:
    check(CHOSEN[rows], QUICK, ["loops"])


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("rows", ALL)
def test_op_gives_the_same_at_every_level_each_read_back(rows: str) -> None:
    check(ALL[rows], list(LEVELS), LEVELS)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("rows", ALL_HARD)
def test_op_on_hard_numbers_shapes_and_types_gives_what_an_independent_source_says(rows: str) -> None:
    check(ALL_HARD[rows], list(LEVELS), LEVELS)
