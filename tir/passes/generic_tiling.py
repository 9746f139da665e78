"""Structured ops as loops over tiles of them, in order or independent of each other; and in another order of dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from tir.dialects import linalg, scf
from tir.ir.affine import AffineDim, AffineExpr, AffineMap
from tir.ir.builder import Builder
from tir.ir.errors import counted
from tir.ir.ir import Block, Op, Region, Value
from tir.ir.types import INDEX
from tir.ir.views import split_mixed
from tir.passes.generic_tile import Part, Size, Sizes, check_tileable, dimension_size, is_order_free
from tir.passes.loop_nest import Nest
from tir.passes.loop_numbers import Refusal

__all__ = ["interchange_dimensions", "tile_in_order", "tile_in_parallel", "tile_in_threads", "to_loops"]


def tile_in_order(
    op: linalg.Generic, sizes: Sequence[int], order: Sequence[int] = ()
) -> tuple[linalg.Generic, list[scf.For]]:
    """The op on a tile, and the scf.for around it, the outermost first; the op is gone.

    sizes: iterations of a tile along each dimension; 0 for one that is not tiled. order: of the loops, by dimension.
    Refusal if parts of an operand are no slices, or if a reduction would go in an order that its result depends on.
    """
    tiled = _tiled(op, sizes)
    if order and sorted(order) != list(range(op.rank)):
        raise Refusal(f"the interchange must have each of {op.rank} dimensions once, got {list(order)}", op.location)
    tiled = [dim for dim in (order or range(op.rank)) if dim in tiled]
    _check_order(op, tiled)
    b = Builder.before(op)
    outside = Sizes(b)
    lengths = {dim: dimension_size(op, dim, outside) for dim in tiled}
    bounds = {dim: (outside.value(0), outside.value(lengths[dim]), outside.value(sizes[dim])) for dim in tiled}
    carried: list[Value] = [] if op.has_buffers else list(op.outputs)
    loops: list[scf.For] = []
    for dim in tiled:
        block = Block([INDEX, *(value.type for value in carried)])
        loops.append(b.op(scf.For, *bounds[dim], carried, regions=[Region([block])]))
        carried = list(block.arguments[1:])
        b = Builder(block, None, op.location)
    inside = Sizes(b)
    ranges = {
        dim: (loop.induction_variable, _length(inside, lengths[dim], sizes[dim], loop.induction_variable, bounds[dim]))
        for dim, loop in zip(tiled, loops)
    }
    part = Part(op, b, ranges, carried or op.outputs)
    handed_on: Sequence[Value] = [] if op.has_buffers else part.write_back()
    for loop in reversed(loops):
        Builder.at_end(loop.body, op.location).op(scf.Yield, handed_on, result_types=[])
        handed_on = loop.results
    op.replace_with(list(handed_on) if loops else list(part.made.results))
    return part.made, loops


def _tiled(op: linalg.Generic, sizes: Sequence[int]) -> list[int]:
    """The dimensions that are tiled."""
    if len(sizes) > op.rank:
        raise Refusal(f"it has {counted(op.rank, 'dimension')}, and there are {len(sizes)} tile sizes", op.location)
    tiled = [dim for dim, size in enumerate(sizes) if size]
    check_tileable(op, tiled)
    return tiled


def _check_order(op: linalg.Generic, tiled: Sequence[int]) -> None:
    """Refusal if the tiles take a reduction in another order than the op, and its result depends on that."""
    reductions = ordered_dimensions(op)
    changed = [dim for dim in tiled if dim in reductions]
    if changed and changed != reductions[:1] and not is_order_free(op):
        raise Refusal("its result depends on the order of its reductions", op.location)


def ordered_dimensions(op: linalg.Generic) -> list[int]:
    """The dimensions along which iterations meet in an element of an output."""
    return [
        dim for dim, kind in enumerate(op.iterator_types)
        if kind != linalg.PARALLEL or not all(AffineDim(dim) in map.results for map in op.output_maps)
    ]  # fmt: skip


def _length(sizes: Sizes, whole: Size, size: int, start: Value, bounds: tuple[Value, Value, Value]) -> Size:
    """How many iterations the tile has that begins at `start`."""
    if isinstance(whole, int) and whole % size == 0:
        return size
    return sizes.minimum(bounds[2], sizes.subtract(bounds[1], start))


def tile_in_parallel(op: linalg.Generic, sizes: Sequence[int]) -> tuple[linalg.Generic, scf.ForAll]:
    """The op on a tile, and the scf.forall around it, over the starts of tiles; the op is gone.

    Refusal as of `tile_in_order`, or if a dimension that is tiled is a reduction.
    """
    tiled = _tiled(op, sizes)
    _check_parallel(op, tiled)
    outside = Sizes(Builder.before(op))
    lengths = {dim: dimension_size(op, dim, outside) for dim in tiled}
    highs = [lengths[dim] for dim in tiled]
    loop, block = _forall(op, highs, [sizes[dim] for dim in tiled])
    b = Builder(block, None, op.location)
    inside = Sizes(b)
    ranges: dict[int, tuple[Size, Size]] = {}
    for dim, counter, high in zip(tiled, block.arguments, highs):
        is_whole = isinstance(high, int) and high % sizes[dim] == 0
        left = sizes[dim] if is_whole else inside.minimum(sizes[dim], inside.subtract(high, counter))
        ranges[dim] = (counter, left)
    return _finish(op, loop, b, ranges), loop


def tile_in_threads(op: linalg.Generic, threads: Sequence[int]) -> tuple[linalg.Generic, scf.ForAll]:
    """The same with so many tiles along each dimension (0: it is not tiled); the last ones may be smaller, or empty."""
    tiled = _tiled(op, threads)
    _check_parallel(op, tiled)
    outside = Sizes(Builder.before(op))
    lengths = {dim: dimension_size(op, dim, outside) for dim in tiled}
    tiles = {dim: outside.ceildiv(lengths[dim], threads[dim]) for dim in tiled}
    loop, block = _forall(op, [threads[dim] for dim in tiled], [1] * len(tiled))
    b = Builder(block, None, op.location)
    inside = Sizes(b)
    ranges: dict[int, tuple[Size, Size]] = {}
    for dim, counter in zip(tiled, block.arguments):
        size, length = tiles[dim], lengths[dim]
        first = inside.times(counter, size)
        is_whole = isinstance(length, int) and length % threads[dim] == 0
        if not is_whole:  # behind the last element there is nothing
            first = inside.minimum(first, length)
        left = size if is_whole else inside.minimum(size, inside.subtract(length, first))
        ranges[dim] = (first, left)
    return _finish(op, loop, b, ranges, may_be_empty=True), loop


def _check_parallel(op: linalg.Generic, tiled: Sequence[int]) -> None:
    if not tiled:
        raise Refusal("no dimension is tiled", op.location)
    for dim in tiled:
        if dim in ordered_dimensions(op):
            raise Refusal(f"dimension {dim} is a reduction, whose tiles depend on each other", op.location)


def _forall(op: linalg.Generic, highs: Sequence[Size], steps: Sequence[int]) -> tuple[scf.ForAll, Block]:
    """A loop without an end to its body, in front of the op."""
    shared = [] if op.has_buffers else list(op.outputs)
    block = Block([*[INDEX] * len(highs), *(value.type for value in shared)])
    static, dynamic = split_mixed(highs)
    loop = Builder.before(op).op(
        scf.ForAll, [], dynamic, [], shared, staticLowerBound=[0] * len(highs), staticUpperBound=static,
        staticStep=list(steps), regions=[Region([block])],
    )  # fmt: skip
    return loop, block


def _finish(
    op: linalg.Generic, loop: scf.ForAll, b: Builder, ranges: dict[int, tuple[Size, Size]], may_be_empty: bool = False
) -> linalg.Generic:
    """Writes the part into the body, and puts the loop in the place of the op."""
    part = Part(op, b, ranges, loop.shared_outs or op.outputs, may_be_empty)
    end = Block()
    if not op.has_buffers:
        part.write_in_parallel(Builder(end, None, op.location))
    b.op(scf.InParallel, result_types=[], regions=[Region([end])])
    op.replace_with(list(loop.results))
    return part.made


def interchange_dimensions(op: linalg.Generic, order: Sequence[int]) -> None:
    """Puts the dimensions of the op in another order: dimension p is then what dimension `order[p]` was.

    Refusal if the order is no permutation of them, or if the result depends on the order of the reductions.
    """
    if sorted(order) != list(range(op.rank)):
        raise Refusal(f"the interchange must have each of {op.rank} dimensions once, got {list(order)}", op.location)
    before = [dim for dim in order if dim in ordered_dimensions(op)]
    if before != sorted(before) and not is_order_free(op):
        raise Refusal("its result depends on the order of its reductions", op.location)
    places: dict[AffineExpr, AffineExpr] = {AffineDim(old): AffineDim(new) for new, old in enumerate(order)}
    maps = [
        AffineMap(map.dims, 0, tuple(expr.substitute(lambda leaf: places.get(leaf, leaf)) for expr in map.results))
        for map in op.maps
    ]
    kinds = op.iterator_types
    op.set_property("indexing_maps", linalg.Generic.indexing_maps.kind.make(maps))
    op.set_property("iterator_types", linalg.ITERATOR_TYPES.make([kinds[old] for old in order]))
    for inner in op.body:
        if isinstance(inner, linalg.Index):
            inner.set_property("dim", linalg.Index.dim.kind.make(list(order).index(inner.dim)))


def to_loops(op: linalg.Generic) -> list[Op]:
    """The op as a nest of scf.for in the order of its dimensions; the loops, outermost first. Refusal for tensors."""
    if not op.has_buffers:
        raise Refusal("it is on tensors, and loops are on buffers", op.location)
    nest = Nest(op)
    nest.rest = None  # what the body takes of a counter is computed as it is
    loops = []
    with ExitStack() as opened:
        for dim in range(op.rank):
            counter = nest.at[dim] = opened.enter_context(nest.each(nest.sizes[dim]))
            assert counter.block is not None and counter.block.parent_op is not None
            loops.append(counter.block.parent_op)
        nest.load_compute_store([])
    op.erase()
    return loops
