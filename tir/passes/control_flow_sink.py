"""Control flow sink: what one branch alone needs is computed in that branch."""

from __future__ import annotations

from dataclasses import dataclass

from tir.dialects.scf import If as ScfIf
from tir.dialects.tir.control import If
from tir.dialects.tir.state import Derivative, Leaf
from tir.ir import actions
from tir.ir.garbage import collector_relaxed
from tir.ir.ir import Block, Op
from tir.ir.numerics import EXACT
from tir.ir.pass_manager import Pass
from tir.ir.traits import is_pure

__all__ = ["ControlFlowSink"]


@dataclass
class ControlFlowSink(Pass):
    """Moves ops whose results one branch of an `if` alone uses into that branch, so that the other does not pay for them.

    Needs: any level; the branches are those of `tir.if` and `scf.if` (upstream's pass of this name). What moves: ops of the
    block of the `if` that do nothing but compute. What could fail then fails only where its branch runs. Leaves and
    derivatives stay.

        %0 = tir.exp %x : tensor<4xf32>                       %1 = tir.if %c -> (tensor<4xf32>) {
        %1 = tir.if %c -> (tensor<4xf32>) {                     %0 = tir.exp %x : tensor<4xf32>
          tir.yield %0 : tensor<4xf32>                  ->      tir.yield %0 : tensor<4xf32>
        } else {                                              } else {
          tir.yield %x : tensor<4xf32>                          tir.yield %x : tensor<4xf32>
        }                                                     }
    """

    name = "control-flow-sink"
    numerics = EXACT
    statistics = {"sink": "ops moved into branches"}

    def run(self, op: Op) -> None:
        with collector_relaxed():
            # The outer ones first, so that what has come into a branch goes on into those inside of it.
            for inner in [one for one in op.walk() if isinstance(one, (If, ScfIf)) and one is not op]:
                for region in inner.regions:
                    for block in region.blocks[:1]:
                        _sink(inner, block)


def _sink(branch: Op, block: Block) -> None:
    """Moves into the block what it alone uses of the ops in front of the `if`."""
    pending = [value.op for inner in block for one in inner.walk() for value in one.operands]
    while pending:
        op = pending.pop(0)
        if op is None or op.parent is not branch.parent or not _moves(op, block):
            continue
        if actions.begin("sink", op):
            assert block.first is not None
            op.move_before(block.first)
            actions.end()
            pending.extend(value.op for one in op.walk() for value in one.operands)


def _moves(op: Op, block: Block) -> bool:
    """Nothing outside of the block uses the op, and it may stand there."""
    if not is_pure(op) or isinstance(op, (Leaf, Derivative)):
        return False
    region = block.parent
    return all(_is_in(use.owner, region) for result in op.results for use in result.each_use())


def _is_in(op: Op, region: object) -> bool:
    around: Op | None = op
    while around is not None:
        if around.parent is not None and around.parent.parent is region:
            return True
        around = around.parent_op
    return False
