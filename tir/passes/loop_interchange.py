"""Loops of a nest change places."""

from __future__ import annotations

from dataclasses import dataclass

from tir.dialects import scf
from tir.ir.errors import PassError
from tir.ir.ir import Op
from tir.ir.numerics import EXACT
from tir.passes.loop_interchanging import (
    check_interchange,
    check_parallel_interchange,
    interchange,
    interchange_parallel,
    is_permutation,
)
from tir.passes.loop_numbers import outermost_loops
from tir.passes.loop_pass import LoopPass

__all__ = ["LoopInterchange"]


@dataclass
class LoopInterchange(LoopPass):
    """Puts the loops of perfect nests of `scf.for`, and the dimensions of `scf.parallel`, in another order.

    Needs: the loops level, with steps that are constants. With `permutation=2,0,1` the third loop becomes the outermost
    one. Nests of fewer loops stay, and of more loops the outermost change places. A nest in which an access to memory
    would come in front of one that it depends on stays, and so does one that carries values; `remarks` names the two
    accesses, and the direction from the one to the other: `<` to a later iteration of a loop, `>` to an earlier one.

        scf.for %i = %c0 to %n step %c1 {               scf.for %j = %c0 to %m step %c1 {
          scf.for %j = %c0 to %m step %c1 {               scf.for %i = %c0 to %n step %c1 {
            ..                                    ->        ..
          }                                               }
        }                                               }
    """

    name = "loop-interchange"
    numerics = EXACT
    statistics = {"interchange": "nests in another order"}
    permutation: tuple[int, ...] = (1, 0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not is_permutation(self.permutation):
            given = ",".join(map(str, self.permutation))
            raise PassError(f"pass {self.name}: option 'permutation' must have each number from 0 on once, got '{given}'")

    def run(self, op: Op) -> None:
        self.remarks.clear()
        nests = set(outermost_loops(op))
        loops = [one for one in op.walk() if one in nests or (isinstance(one, scf.Parallel) and one is not op)]
        self.change("interchange", loops, self.check, self.interchange, "interchanged")

    def check(self, loop: scf.For | scf.Parallel) -> None:
        if isinstance(loop, scf.Parallel):
            check_parallel_interchange(loop, self.permutation)
        else:
            check_interchange(loop, self.permutation)

    def interchange(self, loop: scf.For | scf.Parallel) -> None:
        if isinstance(loop, scf.Parallel):
            interchange_parallel(loop, self.permutation)
        else:
            interchange(loop, self.permutation)
