"""Dead code elimination: what nobody uses and that does nothing else is removed."""

from __future__ import annotations

from dataclasses import dataclass

from tir.ir import actions
from tir.ir.garbage import collector_relaxed
from tir.ir.ir import Block, Op, Region
from tir.ir.numerics import EXACT
from tir.ir.pass_manager import Pass
from tir.ir.traits import is_removable

__all__ = ["Dce"]


@dataclass
class Dce(Pass):
    """Removes ops whose results are not used and that have no effect, and blocks that control cannot reach.

    Needs nothing. Symbols stay (`symbol-dce` removes those), and so do writes, updates, asserts and calls.

        %0 = tir.exp %x : tensor<4xf32>
        %1 = tir.neg %x : tensor<4xf32>    ->   %1 = tir.neg %x : tensor<4xf32>
        return %1 : tensor<4xf32>               return %1 : tensor<4xf32>
    """

    name = "dce"
    numerics = EXACT
    statistics = {"erase": "ops erased", "erase blocks": "regions with blocks that control cannot reach"}

    def run(self, op: Op) -> None:
        with collector_relaxed():
            for inner in list(op.walk()):
                for region in inner.regions:
                    _remove_unreachable(region)
            # From the end of the text: users come before what they use, so that one sweep removes whole chains.
            for inner in reversed(list(op.walk())):
                if not inner.is_used and inner is not op and is_removable(inner) and actions.begin("erase", inner):
                    inner.erase()
                    actions.end()


def _remove_unreachable(region: Region) -> None:
    if len(region.blocks) < 2:
        return
    reached: set[Block] = {region.blocks[0]}
    pending = [region.blocks[0]]
    while pending:
        block = pending.pop()
        for following in block.last.successors if block.last is not None else ():
            if following not in reached:
                reached.add(following)
                pending.append(following)
    dead = [block for block in region.blocks if block not in reached]
    if not dead or region.parent is None or not actions.begin("erase blocks", region.parent):
        return
    for block in dead:
        for op in block:
            op.drop_uses()
    region.blocks = [block for block in region.blocks if block in reached]
    actions.end()
