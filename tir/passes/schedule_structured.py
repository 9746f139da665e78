"""What the ops `transform.structured.*` of a schedule do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tir.dialects import linalg, scf
from tir.dialects.transform import structured
from tir.ir.attributes import IntegerAttr
from tir.ir.ir import Op, Value
from tir.passes.generic_fusing import fuse_into_loop, fuse_what_is_read
from tir.passes.generic_tiling import interchange_dimensions, tile_in_order, tile_in_parallel, tile_in_threads, to_loops
from tir.passes.loop_numbers import Refusal
from tir.passes.schedule_state import ScheduleState, Undone, handle_text

__all__ = ["STRUCTURED_HANDLERS"]

_INTERFACES: dict[str, tuple[type[Op], ...]] = {
    "LinalgOp": (linalg.Generic,),
    "TilingInterface": (linalg.Generic,),
    "LoopLikeInterface": (scf.For, scf.ForAll, scf.Parallel, scf.While),
}


def _generic(payload: Op) -> linalg.Generic:
    if not isinstance(payload, linalg.Generic):
        raise Refusal(f"takes linalg.generic, got {payload.name}", payload.location)
    return payload


def _match(state: ScheduleState, op: structured.Match) -> None:
    roots = state.ops_of(op.target)
    found = [one for root in roots for one in root.walk() if _fits(one, op)]
    state.set(op, op.found, dict.fromkeys(found))


def _fits(one: Op, op: structured.Match) -> bool:
    if op.ops is not None and one.name not in op.ops:
        return False
    if op.interface is not None and not isinstance(one, _INTERFACES[op.interface]):
        return False
    if op.op_attrs is not None:
        entries = {**one.properties, **one.attributes}
        if any(entries.get(name) != value for name, value in op.op_attrs.entries):
            return False
    if op.filter_result_type is not None:
        return len(one.results) == 1 and one.results[0].type is op.filter_result_type
    return True


def _numbers(state: ScheduleState, op: Any, sizes: Sequence[int | Value]) -> list[int]:
    """Sizes as numbers: those of parameters are known while the schedule runs."""
    found = []
    for size in sizes:
        if isinstance(size, Value):
            given = state.params_of(size)
            if len(given) != 1 or not isinstance(given[0], IntegerAttr) or given[0].value < 0:
                what = ", ".join(map(str, given)) or "nothing"
                raise Undone(f"{op.name}: {handle_text(size)} must be one number of 0 or more, got {what}", op.location)
            size = given[0].value
        found.append(size)
    return found


def _tile_using_for(state: ScheduleState, op: structured.TileUsingFor) -> None:
    sizes = _numbers(state, op, op.sizes)
    made = state.each(op, op.target, lambda payload: tile_in_order(_generic(payload), sizes, op.interchange))
    state.set(op, op.tiled_linalg_op, [tile for tile, _ in made])
    _set_loops(state, op, made)


def _set_loops(state: ScheduleState, op: Any, made: Sequence[tuple[Op, Sequence[Op]]]) -> None:
    """A handle for each loop around the tiles, or one for all of them."""
    if len(op.loops) == 1:
        state.set(op, op.loops[0], [one for _, loops in made for one in loops])
        return
    for _, loops in made:
        if op.loops and len(loops) != len(op.loops):
            raise Undone(f"{op.name}: makes {len(loops)} loops, and has {len(op.loops)} handles for them", op.location)
    for i, result in enumerate(op.loops):
        state.set(op, result, [loops[i] for _, loops in made])


def _tile_using_forall(state: ScheduleState, op: structured.TileUsingForall) -> None:
    threads, sizes = _numbers(state, op, op.threads), _numbers(state, op, op.sizes)

    def tile(payload: Op) -> tuple[Op, Op]:
        generic = _generic(payload)
        return tile_in_threads(generic, threads) if threads else tile_in_parallel(generic, sizes)

    made = state.each(op, op.target, tile)
    state.set(op, op.tiled_op, [tile for tile, _ in made])
    state.set(op, op.forall_op, [loop for _, loop in made])


def _fuse(state: ScheduleState, op: structured.Fuse) -> None:
    sizes, order = _numbers(state, op, op.sizes), _numbers(state, op, op.order)

    def fuse(payload: Op) -> tuple[Op, Sequence[Op]]:
        loops: Sequence[Op]
        if op.use_forall:
            tile, loop = tile_in_parallel(_generic(payload), sizes)
            loops = [loop]
        else:
            tile, loops = tile_in_order(_generic(payload), sizes, order)
        if loops:
            fuse_what_is_read(tile, loops[0])
        return tile, loops

    made = state.each(op, op.target, fuse)
    state.set(op, op.transformed, [tile for tile, _ in made])
    _set_loops(state, op, made)


def _fuse_into(state: ScheduleState, op: structured.FuseIntoContainingOp) -> None:
    loop = state.only_op(op, op.containing_op)
    made = state.each(op, op.producer_op, lambda payload: fuse_into_loop(_generic(payload), loop))
    state.set(op, op.fused_op, [part for parts in made for part in parts])
    state.set(op, op.new_containing_op, [loop])


def _interchange(state: ScheduleState, op: structured.Interchange) -> None:
    order = op.iterator_interchange

    def interchange(payload: Op) -> Op:
        if order:
            interchange_dimensions(_generic(payload), order)
        return payload

    state.set(op, op.transformed, state.each(op, op.target, interchange))


def _generalize(state: ScheduleState, op: structured.Generalize) -> None:
    state.set(op, op.transformed, state.each(op, op.target, _generic))


def _convert_to_loops(state: ScheduleState, op: structured.ConvertToLoops) -> None:
    made = state.each(op, op.target, lambda payload: to_loops(_generic(payload)))
    state.set(op, op.loops, [one for loops in made for one in loops])


STRUCTURED_HANDLERS: dict[type[Op], Callable[[ScheduleState, Any], None]] = {
    structured.Match: _match,
    structured.TileUsingFor: _tile_using_for,
    structured.TileUsingForall: _tile_using_forall,
    structured.Fuse: _fuse,
    structured.FuseIntoContainingOp: _fuse_into,
    structured.Interchange: _interchange,
    structured.Generalize: _generalize,
    structured.ConvertToLoops: _convert_to_loops,
}
