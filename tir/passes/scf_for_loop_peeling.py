"""Loops whose step does not divide their length leave the rest to a loop of its own."""

from __future__ import annotations

from dataclasses import dataclass

from tir.dialects import scf
from tir.ir.ir import Op
from tir.ir.numerics import EXACT
from tir.passes.loop_numbers import Refusal
from tir.passes.loop_pass import LoopPass
from tir.passes.loop_peeling import check_peel_first, check_peel_last, peel_first, peel_last
from tir.passes.loop_unrolling import MOST_OPS

__all__ = ["ScfForLoopPeeling"]


@dataclass
class ScfForLoopPeeling(LoopPass):
    """Cuts an `scf.for` whose step may not divide its length in two: whole steps, and what is left.

    Needs: the loops level, with steps that are constants. What takes the lesser of a size and what is left, as loops over
    tiles do, takes the size in the first loop. With `skip-partial`, loops in what was left of another are not cut. With
    `peel-front` it is the first iteration, of each loop, that gets a loop of its own.

        scf.for %i = %c0 to %n step %c8 {               %rest = arith.remsi %n, %c8 : index
          %left = arith.subi %n, %i : index             %split = arith.subi %n, %rest : index
          %size = arith.minsi %c8, %left : index  ->    scf.for %i = %c0 to %split step %c8 { .. %c8 .. }
          .. %size ..                                   scf.for %i = %split to %n step %c8 { .. %left .. }
        }
    """

    name = "scf-for-loop-peeling"
    numerics = EXACT
    statistics = {"peel": "loops cut in two"}
    peel_front: bool = False
    skip_partial: bool = True

    def run(self, op: Op) -> None:
        self.remarks.clear()
        self.partial: set[Op] = set()
        self.copies = [one for one in op.walk() if isinstance(one, scf.For) and one is not op]
        self.copied = 0
        while self.copies:  # from the outside in; copies of loops that are inside have their turn behind
            loops, self.copies = self.copies, []
            self.change("peel", loops, self.check, self.peel, "peeled")

    def check(self, loop: scf.For) -> None:
        if self.copied > MOST_OPS:
            raise Refusal(f"{MOST_OPS} ops have been copied for others", loop.location)
        if self.peel_front:
            check_peel_first(loop)
        else:
            self.check_last(loop)

    def check_last(self, loop: scf.For) -> None:
        if self.skip_partial and any(one in self.partial for one in loop.ancestors()):
            raise Refusal("it stands in what was left of another one", loop.location)
        check_peel_last(loop)

    def peel(self, loop: scf.For) -> None:
        """Cuts the loop in two, and notes the loops that stand in the new one."""
        rest = peel_first(loop) if self.peel_front else peel_last(loop)
        self.partial.add(loop if self.peel_front else rest)
        self.copied += sum(1 for _ in rest.walk())
        self.copies += [one for one in rest.walk() if isinstance(one, scf.For) and one is not rest]
