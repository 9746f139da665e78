"""A structured op is computed part by part in a loop that takes slices of what it makes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tir.dialects import linalg, scf, tensor
from tir.ir.affine import AffineDim
from tir.ir.builder import Builder
from tir.ir.ir import Op, OpResult, Value
from tir.passes.generic_tile import Part, Size, check_tileable
from tir.passes.loop_numbers import Refusal

__all__ = ["fuse_into_loop", "fuse_what_is_read"]


def fuse_into_loop(producer: linalg.Generic, loop: Op) -> list[linalg.Generic]:
    """The parts of the producer, one for each slice of its results that is taken in the loop, in the place of the slices.

    Slices of what an scf.forall begins with count, too. The producer is gone if nobody else needs it. Refusal if there are
    no such slices, or if they are no parts of its iterations.
    """
    if producer.is_inside(loop):
        raise Refusal("it stands in the loop already", producer.location)
    slices = [op for op in loop.walk() if isinstance(op, tensor.ExtractSlice)]
    found = [(op, result) for op in slices if (result := _sliced(op, producer, loop)) is not None]
    if not found:
        raise Refusal("the loop takes no slice of its results", producer.location)
    for slice, result in found:
        _check(producer, slice, result)
    made: list[linalg.Generic] = []
    known: dict[tuple[Any, ...], linalg.Generic] = {}
    for slice, result in found:
        key = (slice.parent, result.index, *slice.mixed_offsets, *slice.mixed_sizes)
        if key not in known:
            known[key] = _part(producer, slice, result).made
            made.append(known[key])
        value: Value = known[key].results[result.index]
        if value.type is not slice.result.type:
            value = Builder.before(slice).create(tensor.Cast, value, result_types=[slice.result.type])
        slice.replace_with([value])
    if not producer.is_used:
        producer.erase()
    return made


def _part(producer: linalg.Generic, slice: tensor.ExtractSlice, result: OpResult) -> Part:
    """The part of the producer that makes the slice, in front of it."""
    ranges: dict[int, tuple[Size, Size]] = {}
    for expr, place in zip(producer.output_maps[result.index].results, zip(slice.mixed_offsets, slice.mixed_sizes)):
        assert isinstance(expr, AffineDim)
        ranges[expr.position] = place
    return Part(producer, Builder.before(slice), ranges, producer.outputs, may_be_empty=True)


def fuse_what_is_read(tile: linalg.Generic, loop: Op) -> None:
    """Fuses into the loop the structured ops of whose results the tile takes slices, those that these read, and so on.

    Those of which a slice is no part of the iterations stay in front of the loop.
    """
    parts, refused = [tile], set[Op]()
    while found := [one for one in _read_by(parts, loop) if one not in refused]:
        last = found[0]  # all that read it are in the loop then
        for one in found:
            if one.parent is last.parent and one.parent is not None and one.parent.is_before(last, one):
                last = one
        try:
            parts += fuse_into_loop(last, loop)
        except Refusal:
            refused.add(last)


def _read_by(parts: Sequence[linalg.Generic], loop: Op) -> list[linalg.Generic]:
    """The structured ops outside of the loop of whose results the parts take slices."""
    slices = [value.op for part in parts for value in part.operands if isinstance(value.op, tensor.ExtractSlice)]
    makers = [slice.source.op for slice in slices]
    return [maker for maker in makers if isinstance(maker, linalg.Generic) and not maker.is_inside(loop)]


def _sliced(op: tensor.ExtractSlice, producer: linalg.Generic, loop: Op) -> OpResult | None:
    """The result of the producer that the op is a slice of."""
    source = op.source
    if isinstance(loop, scf.ForAll) and source in loop.shared_outs:
        source = loop.outputs[loop.shared_outs.index(source)]
    return source if isinstance(source, OpResult) and source.op is producer else None


def _check(producer: linalg.Generic, slice: tensor.ExtractSlice, result: OpResult) -> None:
    map = producer.output_maps[result.index]
    dims = [expr.position for expr in map.results if isinstance(expr, AffineDim)]
    if len(set(dims)) != len(map.results):
        raise Refusal("a slice of its result is no part of its iterations", producer.location)
    if any(stride != 1 for stride in slice.mixed_strides) or len(slice.kept_axes) != len(map.results):
        raise Refusal("a slice with steps, or with fewer axes, is no part of its iterations", slice.location)
    check_tileable(producer, dims)
