"""An scf.forall as loops in order, or as an scf.parallel."""

from __future__ import annotations

from typing import Any

from tir.dialects import scf, tensor
from tir.ir.builder import Builder
from tir.ir.ir import Block, Region, Value, clone_into
from tir.ir.types import INDEX
from tir.passes.generic_tile import Sizes
from tir.passes.loop_numbers import Refusal

__all__ = ["forall_to_for", "forall_to_parallel"]


def forall_to_for(loop: scf.ForAll) -> list[scf.For]:
    """The loop as scf.for, the outermost first, which carry the tensors that it makes; the loop is gone.

    What an iteration reads of a shared tensor is still what stood there in front of the loop.
    """
    b = Builder.before(loop)
    outside = Sizes(b)
    carried: list[Value] = list(loop.outputs)
    bounds = [[outside.value(number) for number in numbers] for numbers in loop.mixed_bounds]
    made: list[scf.For] = []
    mapping: dict[Any, Any] = dict(zip(loop.shared_outs, loop.outputs))
    for numbers, counter in zip(bounds, loop.counters):
        block = Block([INDEX, *(value.type for value in carried)])
        block.arguments[0].hint = counter.hint
        for shared, argument in zip(loop.shared_outs, block.arguments[1:]):
            argument.hint = shared.hint
        made.append(b.op(scf.For, *numbers, carried, regions=[Region([block])]))
        mapping[counter] = block.arguments[0]
        carried = list(block.arguments[1:])
        b = Builder(block, None, loop.location)
    _copy_body(loop, b, mapping)
    state = dict(zip(loop.shared_outs, carried))
    for part in loop.parts:
        operands = [[mapping.get(value, value) for value in values] for values in (part.offsets, part.sizes, part.strides)]
        state[part.dest] = b.create(
            tensor.InsertSlice, mapping.get(part.source, part.source), state[part.dest], *operands,
            static_offsets=part.static_offsets, static_sizes=part.static_sizes, static_strides=part.static_strides,
        )  # fmt: skip
    handed_on: list[Value] = list(state.values())
    for one in reversed(made):
        Builder.at_end(one.body, loop.location).op(scf.Yield, handed_on, result_types=[])
        handed_on = list(one.results)
    loop.replace_with(handed_on)
    return made


def forall_to_parallel(loop: scf.ForAll) -> scf.Parallel:
    """The loop, which must make no tensors, as an scf.parallel."""
    if loop.outputs:
        raise Refusal("it makes tensors, and scf.parallel works on buffers; run bufferize first", loop.location)
    b = Builder.before(loop)
    outside = Sizes(b)
    lows, highs, steps = zip(*[[outside.value(number) for number in numbers] for numbers in loop.mixed_bounds])
    block = Block([INDEX] * loop.rank)
    mapping: dict[Any, Any] = dict(zip(loop.counters, block.arguments))
    for counter, argument in zip(loop.counters, block.arguments):
        argument.hint = counter.hint
    made = b.op(scf.Parallel, list(lows), list(highs), list(steps), [], regions=[Region([block])])
    inside = Builder(block, None, loop.location)
    _copy_body(loop, inside, mapping)
    inside.op(scf.Reduce, [], result_types=[])
    loop.replace_with([])
    return made


def _copy_body(loop: scf.ForAll, b: Builder, mapping: dict[Any, Any]) -> None:
    for op in loop.body:
        if op is not loop.body.terminator:
            b.insert(clone_into(op, mapping))
