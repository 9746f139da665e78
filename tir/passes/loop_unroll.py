"""Loops do several iterations in a step."""

from __future__ import annotations

from dataclasses import dataclass

from tir.dialects import scf
from tir.ir.errors import PassError
from tir.ir.ir import Op
from tir.ir.numerics import EXACT
from tir.passes.loop_pass import LoopPass
from tir.passes.loop_unrolling import check_full_unrolling, check_unrolling, unroll, unroll_fully

__all__ = ["LoopUnroll"]


@dataclass
class LoopUnroll(LoopPass):
    """Has the innermost `scf.for` do `factor` iterations in a step, with a loop behind it for those that are left.

    Needs: the loops level, with steps that are constants. With `full`, a loop that is known to run a number of times is
    no loop any more. What a loop carries goes from copy to copy, so that all is computed as before, in the same order.

        %0 = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x) -> (f32) {
          %1 = memref.load %m[%i] : memref<?xf32>
          %2 = arith.addf %a, %1 : f32
          scf.yield %2 : f32
        }

    becomes, with factor=2,

        %left = arith.remsi %n, %c2 : index
        %whole = arith.subi %n, %left : index
        %0 = scf.for %i = %c0 to %whole step %c2 iter_args(%a = %x) -> (f32) {
          %1 = memref.load %m[%i] : memref<?xf32>
          %2 = arith.addf %a, %1 : f32
          %i_1 = arith.addi %i, %c1 : index
          %3 = memref.load %m[%i_1] : memref<?xf32>
          %4 = arith.addf %2, %3 : f32
          scf.yield %4 : f32
        }
        %5 = scf.for %i = %whole to %n step %c1 iter_args(%a = %0) -> (f32) { .. }
    """

    name = "loop-unroll"
    numerics = EXACT
    statistics = {"unroll": "loops unrolled"}
    factor: int = 4
    full: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.factor < 1:
            raise PassError(f"pass {self.name}: option 'factor' must be 1 or more, got {self.factor}")

    def run(self, op: Op) -> None:
        self.remarks.clear()
        loops = [one for one in op.walk() if isinstance(one, scf.For) and one is not op and not _has_loop(one)]
        if self.full:
            self.change("unroll", loops, check_full_unrolling, unroll_fully, "unrolled")
        else:
            check, change = lambda loop: check_unrolling(loop, self.factor), lambda loop: unroll(loop, self.factor)
            self.change("unroll", loops, check, change, "unrolled")


def _has_loop(loop: scf.For) -> bool:
    return any(isinstance(inner, (scf.For, scf.While, scf.Parallel)) and inner is not loop for inner in loop.walk())
