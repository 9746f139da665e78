"""`read-through-write`: what is read where something was just written is what was written."""

from __future__ import annotations

from dataclasses import dataclass

from tir.dialects.tir.builder import TensorBuilder
from tir.ir.garbage import collector_relaxed
from tir.ir.ir import Op
from tir.ir.numerics import EXACT
from tir.ir.pass_manager import Pass
from tir.ir.rewrite import Rewriter
from tir.passes.forward_stores import drop_unread_buffers, forward_stores
from tir.passes.read_through_write_rules import RULES

__all__ = ["ReadThroughWrite"]


@dataclass
class ReadThroughWrite(Pass):
    """Reads what was written without the way through the tensor or the buffer, and drops writes that nobody reads.

    Needs: any level. On tensors: slices, elements and indices of what was just put there, by the rules in
    `read_through_write_rules.py`. On buffers: a `memref.load` at the same indices as a store or a load in front of it, in
    the same block or one around, with nothing between that may write there; a `memref.store` that is overwritten before
    anything reads it or the program may end; buffers that are only written. Indices are the same if they are one value, or
    equal constants. A shared variable is read as it was before the call, whatever updates it; an update by what was read
    is none. Does not look through a branch for what both sides write, nor at vectors.

        memref.store %x, %m[%i] : memref<?xf32>            memref.store %x, %m[%i] : memref<?xf32>
        %0 = memref.load %m[%i] : memref<?xf32>    ->      return %x : f32
        return %0 : f32
    """

    name = "read-through-write"
    numerics = EXACT
    statistics = {
        "forward": "loads replaced by what stands there",
        "drop store": "stores erased that nobody reads",
        "drop buffer": "buffers erased that nobody reads",
        "erase": "ops erased that nobody uses",
    }

    def run(self, op: Op) -> None:
        Rewriter(RULES, builder=TensorBuilder).run(op)
        with collector_relaxed():
            forward_stores(op)
            drop_unread_buffers(op)
