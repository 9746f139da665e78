"""Parallel loops go tile by tile."""

from __future__ import annotations

from dataclasses import dataclass

from tir.dialects import scf
from tir.ir.errors import PassError
from tir.ir.ir import Op
from tir.ir.numerics import EXACT
from tir.passes.loop_pass import LoopPass
from tir.passes.loop_tiling import check_parallel_tiling, tile_parallel

__all__ = ["ScfParallelLoopTiling"]


@dataclass
class ScfParallelLoopTiling(LoopPass):
    """Tiles the innermost `scf.parallel`: a parallel loop over tiles around one over the iterations of a tile.

    Needs: the loops level, with steps that are constants. Sizes are in iterations; a dimension without one has tiles of 1.
    The last tile has fewer iterations; with `no-min-max-bounds` all have as many, and an `scf.if` leaves out those that are
    too many. Loops that combine values stay. `loop-tile` is for `scf.for`.

        scf.parallel (%i) = (%c0) to (%n) step (%c1) {        scf.parallel (%i) = (%c0) to (%n) step (%c32) {
          ..                                                    %left = arith.subi %n, %i : index
        }                                                       %size = arith.minsi %c32, %left : index
                                                        ->      scf.parallel (%k) = (%c0) to (%size) step (%c1) {
                                                                  %i_1 = arith.addi %k, %i : index
                                                                  ..
                                                                }
                                                              }
    """

    name = "scf-parallel-loop-tiling"
    numerics = EXACT
    statistics = {"tile": "loops tiled"}
    parallel_loop_tile_sizes: tuple[int, ...] = (1,)
    no_min_max_bounds: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        sizes = self.parallel_loop_tile_sizes
        if any(size < 1 for size in sizes):
            raise PassError(f"pass {self.name}: option 'parallel-loop-tile-sizes' must be 1 or more, got {min(sizes)}")

    def run(self, op: Op) -> None:
        self.remarks.clear()
        sizes, with_bounds = self.parallel_loop_tile_sizes, not self.no_min_max_bounds
        loops = [one for one in op.walk() if isinstance(one, scf.Parallel) and one is not op and not _has_loop(one)]
        check = lambda loop: check_parallel_tiling(loop, sizes)  # noqa: E731
        self.change("tile", loops, check, lambda loop: tile_parallel(loop, sizes, with_bounds), "tiled")


def _has_loop(loop: scf.Parallel) -> bool:
    return any(isinstance(inner, scf.Parallel) and inner is not loop for inner in loop.walk())
