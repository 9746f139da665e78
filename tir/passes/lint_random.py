"""`lint-random`: keys from which numbers are taken twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tir.dialects.tir.random import Keyed
from tir.ir.errors import Location
from tir.ir.ir import Op, Region, Value
from tir.ir.numerics import EXACT
from tir.ir.pass_manager import Pass
from tir.ir.traits import FunctionLike

__all__ = ["LintRandom"]

CURE = "give each a key of its own (tir.rng_split, tir.rng_fold_in)"


@dataclass
class LintRandom(Pass):
    """Finds keys from which numbers are taken twice, and says so in remarks of the kind `analysis`.

    Needs the tensor level, best as it was written: a gradient may well draw again what it needs once more. Changes
    nothing. A key that two ops take numbers from is nearly always a mistake, since these hang together: a mask that
    follows the noise that it shall hide. So is a key from outside of a loop that each step uses as it is. Not so
    a key that is used once and split once, which share nothing; one that several numbers are folded into; one that is
    used in both branches of an `if`. Two constants that are equal count as two keys, unless `cse` has run.

        %noise = tir.rng_normal %key : tensor<4xf32>
        %draw = tir.rng_uniform %key : tensor<4xf32>

    gives, with --remarks=analysis,

        remark: key used twice: tir.rng_normal in line 1 takes its numbers from the same key; give each ..
    """

    name = "lint-random"
    numerics = EXACT

    def __post_init__(self) -> None:
        self.remarks: list[tuple[Location, str, str]] = []

    def run(self, op: Op) -> None:
        self.remarks.clear()
        uses: dict[Value, list[Op]] = {}
        for one in op.walk():
            if isinstance(one, Keyed):
                before = uses.setdefault(one.key, [])
                said = _said(one, before)
                if said is not None:
                    self.remarks.append((one.location, said, "analysis"))
                before.append(one)


def _said(op: Op, before: Sequence[Op]) -> str | None:
    """What there is to say about the key of an op. before: the ops in front of it that use the key."""
    earlier = next((other for other in before if _draws_alike(other, op) and not _excludes(other, op)), None)
    if earlier is not None:
        where = earlier.location.file_location()
        place = f" in line {where.line}" if where is not None else ""
        return f"key used twice: {earlier.name}{place} takes its numbers from the same key; {CURE}"
    loop = _loop_around_key(op)
    if loop is not None:
        return f"key used in each step: it is from outside of {loop.name}, so all steps take the same numbers; {CURE}"
    return None


def _draws_alike(first: Any, second: Any) -> bool:
    """They take the same blocks of their key."""
    return first.domain == second.domain and first.chosen_by() == second.chosen_by()


def _excludes(first: Op, second: Op) -> bool:
    """They stand in two regions of an op that runs just one."""
    regions = dict(_around(first))
    return any(
        region is not regions.get(around, region) and getattr(around, "runs_one_region", False)
        for around, region in _around(second)
    )


def _loop_around_key(op: Any) -> Op | None:
    """The innermost op that repeats `op` with the same key, and with the same of what chooses its blocks."""
    fixed = {value.block.parent for value in (op.key, *op.chosen_by()) if value.block is not None}
    for around, region in _around(op):
        if region in fixed or isinstance(around, FunctionLike):
            return None
        if not getattr(around, "runs_one_region", False):
            return around
    return None


def _around(op: Op) -> Iterator[tuple[Op, Region]]:
    """The ops around this one, the nearest first, and in which of their regions it is."""
    for one in (op, *op.ancestors()):
        region = one.parent.parent if one.parent is not None else None
        if region is not None and region.parent is not None:
            yield region.parent, region
