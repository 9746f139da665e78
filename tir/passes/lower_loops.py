"""Structured ops on buffers become loops."""

from __future__ import annotations

from dataclasses import dataclass

from tir.dialects import linalg, memref
from tir.ir import actions
from tir.ir.affine import AffineMap
from tir.ir.builder import Builder
from tir.ir.errors import PassError
from tir.ir.ir import Block, Op, Region
from tir.ir.numerics import accurate
from tir.ir.pass_manager import Pass
from tir.ir.types import MemRefType
from tir.passes.blocked_nests import ColumnNest, TiledNest, crossing, reduces_columns
from tir.passes.choosing_nest import ChoosingNest
from tir.passes.choosing_reduction import find_choice
from tir.passes.loop_nest import Nest, known_size, loop_order
from tir.passes.tile_contraction import lower_contraction

__all__ = ["LowerLoops"]


@dataclass
class LowerLoops(Pass):
    """Lowers `linalg.generic` on buffers, and `memref.copy`, to loops of loads and stores.

    Needs memrefs (`bufferize`). Leaves `scf.parallel` for parallel dimensions and `scf.for` for reductions. The innermost
    loop is the dimension along which most buffers are contiguous (the naive order of a matrix product costs 20 times the
    time): a parallel one, with the sums kept in the output, or a reduction, with the sums in registers; sums of floats in
    registers may then be reassociated, and say so (`fastmath<reassoc>`), so that they can be vectorized. Products of
    matrices, and other contractions, are tiled (`tile_contraction.py`) unless `tile=false`. Reductions that choose, such
    as argmax, go along rows in vectors, each lane on its own (`choosing_reduction.py`).

        linalg.generic {maps (d0, d1), (d0); parallel, reduction} ins(%x : memref<?x8xf32>) outs(%s : memref<?xf32>) {..}
        ->
        scf.parallel (%i) = (%c0) to (%n) step (%c1) {
          %s0 = memref.load %s[%i] : memref<?xf32>
          %s1 = scf.for %j = %c0 to %c8 step %c1 iter_args(%a = %s0) -> (f32) {..}
          memref.store %s1, %s[%i] : memref<?xf32>
        }
    """

    name = "lower-loops"
    numerics = accurate(2, "sums in registers may be taken in another order, and products are fused with sums")
    statistics = {"lower": "structured ops made loops"}
    tile: bool = True

    def run(self, op: Op) -> None:
        for inner in [o for o in op.walk() if isinstance(o, (linalg.Generic, memref.Copy))]:
            if isinstance(inner, memref.Copy) and _is_block(inner):
                continue
            if isinstance(inner, linalg.Generic) and not inner.has_buffers:
                raise PassError("lower-loops: linalg.generic is on tensors; run bufferize first", inner.location)
            if not actions.begin("lower", inner):
                continue
            if isinstance(inner, memref.Copy):
                _lower_copy(inner)
            elif not (self.tile and lower_contraction(inner)):
                _nest(inner).lower()
            actions.end()


#: A copy of elements that stand side by side is one instruction if they are at most so many, or of a number that run time
#: knows: loops would not pay, and a concat of a thousand operands would be a thousand nests.
SMALL_BLOCK_ELEMENTS = 256


def _is_block(op: memref.Copy) -> bool:
    """The copy is one instruction."""
    types = [op.source.type, op.target.type]
    if not all(type.is_packed for type in types):
        return False
    if not all(isinstance(size, int) for type in types for size in type.shape):
        return True
    is_part = any(type.layout is not None for type in types)
    return is_part and op.source.type.count <= SMALL_BLOCK_ELEMENTS


def _lower_copy(op: memref.Copy) -> None:
    """A copy is a nest of parallel loops."""
    type = op.source.type
    assert isinstance(type, MemRefType)
    b = Builder.before(op)
    identity = AffineMap.identity(type.rank)
    block = Block([type.element, type.element])
    Builder(block, None, op.location).op(linalg.Yield, [block.arguments[0]], result_types=[])
    generic = b.op(
        linalg.Generic, [op.source], [op.target], result_types=[], regions=[Region([block])],
        indexing_maps=[identity, identity], iterator_types=[linalg.PARALLEL] * type.rank,
    )  # fmt: skip
    op.erase()
    Nest(generic).lower()


def _nest(op: linalg.Generic) -> Nest:
    """The loops of the op; with vectors if it is a reduction that chooses along rows, in strips if it reduces columns."""
    order = loop_order(op)
    if reduces_columns(op, order):
        return ColumnNest(op)
    if (across := crossing(op, order)) is not None:
        return TiledNest(op, across)
    choice = find_choice(op, order[-1]) if order and op.iterator_types[order[-1]] != linalg.PARALLEL else None
    if choice is None or known_size(op, order[-1], choice.lanes) < choice.lanes:
        return Nest(op)
    return ChoosingNest(op, choice)
