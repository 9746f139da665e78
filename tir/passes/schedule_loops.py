"""What the ops `transform.loop.*` of a schedule do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tir.dialects import scf
from tir.dialects.transform import loop
from tir.ir.ir import Op
from tir.passes.forall_loops import forall_to_for, forall_to_parallel
from tir.passes.loop_coalescing import coalesce
from tir.passes.loop_numbers import Refusal, trip_count
from tir.passes.loop_peeling import peel_first, peel_last
from tir.passes.loop_unrolling import unroll, unroll_fully
from tir.passes.schedule_state import ScheduleState, Undone

__all__ = ["LOOP_HANDLERS"]


def _for(payload: Op) -> scf.For:
    if not isinstance(payload, scf.For):
        raise Refusal(f"takes scf.for, got {payload.name}", payload.location)
    return payload


def _forall(payload: Op) -> scf.ForAll:
    if not isinstance(payload, scf.ForAll):
        raise Refusal(f"takes scf.forall, got {payload.name}", payload.location)
    return payload


def _unroll(state: ScheduleState, op: loop.Unroll) -> None:
    state.each(op, op.target, lambda payload: unroll(_for(payload), op.factor))


def _peel(state: ScheduleState, op: loop.Peel) -> None:
    def peel(payload: Op) -> tuple[Op, Op | None]:
        one = _for(payload)
        if op.peel_front:
            rest = peel_first(one)
            return rest, one
        try:
            return one, peel_last(one)
        except Refusal as refusal:
            if refusal.message != DIVIDES or op.fail_if_already_divisible:
                raise
            return one, None

    pairs = state.each(op, op.target, peel)
    state.set(op, op.peeled_loop, [main for main, _ in pairs])
    state.set(op, op.remainder_loop, [rest for _, rest in pairs if rest is not None])


DIVIDES = "its step divides its length"


def _coalesce(state: ScheduleState, op: loop.Coalesce) -> None:
    state.set(op, op.transformed, state.each(op, op.target, lambda payload: coalesce(_for(payload))))


def _promote(state: ScheduleState, op: loop.PromoteIfOneIteration) -> None:
    def promote(payload: Op) -> None:
        if trip_count(_for(payload)) == 1:
            unroll_fully(_for(payload))

    state.each(op, op.target, promote)


def _forall_to_for(state: ScheduleState, op: loop.ForallToFor) -> None:
    made = state.each(op, op.target, lambda payload: forall_to_for(_forall(payload)))
    _set_loops(state, op, made)


def _forall_to_parallel(state: ScheduleState, op: loop.ForallToParallel) -> None:
    made = state.each(op, op.target, lambda payload: [forall_to_parallel(_forall(payload))])
    _set_loops(state, op, made)


def _set_loops(state: ScheduleState, op: Any, made: list[list[Any]]) -> None:
    """A handle for each loop, or one for all."""
    if len(op.transformed) == 1:
        state.set(op, op.transformed[0], [one for loops in made for one in loops])
        return
    for loops in made:
        if len(loops) != len(op.transformed):
            raise Undone(f"{op.name}: makes {len(loops)} loops, and has {len(op.transformed)} results", op.location)
    for i, result in enumerate(op.transformed):
        state.set(op, result, [loops[i] for loops in made])


LOOP_HANDLERS: dict[type[Op], Callable[[ScheduleState, Any], None]] = {
    loop.Unroll: _unroll,
    loop.Peel: _peel,
    loop.Coalesce: _coalesce,
    loop.PromoteIfOneIteration: _promote,
    loop.ForallToFor: _forall_to_for,
    loop.ForallToParallel: _forall_to_parallel,
}
