"""Nests of loops go tile by tile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tir.dialects import scf
from tir.ir.errors import PassError
from tir.ir.ir import Op
from tir.ir.numerics import EXACT
from tir.passes.loop_numbers import outermost_loops, perfect_nest
from tir.passes.loop_pass import LoopPass
from tir.passes.loop_tiling import check_tiling, tile_nest

__all__ = ["LoopTile"]


@dataclass
class LoopTile(LoopPass):
    """Tiles perfect nests of `scf.for`: loops over tiles around loops over the iterations of a tile.

    Needs: the loops level, with steps that are constants. `tile-sizes` are for the loops from the outermost in, in
    iterations; a loop with 0, or without a size, is not tiled, and a nest of fewer loops is tiled as far as it goes. The
    last tile may have fewer iterations. Loops that carry values are tiled if the outermost alone is. A nest in which an
    access to memory would come in front of one that it depends on stays; `remarks` names the two.
    `scf-parallel-loop-tiling` is for `scf.parallel`.

        scf.for %i = %c0 to %n step %c1 {               scf.for %i = %c0 to %n step %c32 {
          ..                                              %left = arith.subi %n, %i : index
        }                                                 %size = arith.minsi %c32, %left : index
                                                  ->      %end = arith.addi %i, %size : index
                                                          scf.for %i_1 = %i to %end step %c1 {
                                                            ..
                                                          }
                                                        }
    """

    name = "loop-tile"
    numerics = EXACT
    statistics = {"tile": "nests tiled"}
    tile_sizes: tuple[int, ...] = (32,)

    def __post_init__(self) -> None:
        super().__post_init__()
        if any(size < 0 for size in self.tile_sizes):
            raise PassError(f"pass {self.name}: option 'tile-sizes' must be 0 or more, got {min(self.tile_sizes)}")

    def run(self, op: Op) -> None:
        self.remarks.clear()
        loops = [loop for loop in outermost_loops(op) if any(self.sizes_of(loop))]
        self.change(
            "tile", loops, lambda loop: check_tiling(loop, self.sizes_of(loop)),
            lambda loop: tile_nest(loop, self.sizes_of(loop)), "tiled",
        )  # fmt: skip

    def sizes_of(self, loop: scf.For) -> Sequence[int]:
        """The sizes for the loops that there are."""
        return self.tile_sizes[: len(perfect_nest(loop))]
