"""Edits of `linalg.generic` ops on tensors that keep what they compute: the pieces that fusion is made of.

Bodies are moved, not copied, wherever the old op goes away, the shorter body into the longer one: so that fusing a long
chain op by op takes time in proportion to its length.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tir.dialects import arith, linalg
from tir.ir.affine import AffineConstant, AffineDim, AffineMap
from tir.ir.attributes import DenseArrayAttr, FloatAttr, IntegerAttr
from tir.ir.builder import Builder
from tir.ir.errors import fused_location
from tir.ir.fields import OPERAND_SEGMENTS
from tir.ir.ir import Block, BlockArgument, OpResult, Region, Value
from tir.ir.types import I32, INDEX, FloatType, TensorType

__all__ = [
    "absorb_constant", "bare_dims", "can_move_indices", "covers_all_dims", "drop_inputs", "drop_outputs", "inline_producer",
    "inputs_of", "lasting_outputs", "loop_map", "merge_siblings", "outputs_of",
]  # fmt: skip

Operand = tuple[Value, AffineMap]


def inputs_of(op: linalg.Generic) -> list[Operand]:
    """The inputs with their maps."""
    return list(zip(op.inputs, op.input_maps))


def outputs_of(op: linalg.Generic) -> list[Operand]:
    """The tensors that the outputs start from, with their maps."""
    return list(zip(op.outputs, op.output_maps))


def bare_dims(maps: Iterable[AffineMap]) -> set[int]:
    """The dims that are a result by themselves, so that an operand's size says theirs."""
    return {expr.position for map in maps for expr in map.results if isinstance(expr, AffineDim)}


def covers_all_dims(rank: int, maps: Iterable[AffineMap]) -> bool:
    """Operands with these maps say how long each loop is."""
    return len(bare_dims(maps)) == rank


def loop_map(producer: linalg.Generic, result: int, read: AffineMap) -> AffineMap | None:
    """From the loops of a consumer that reads the result by the map `read` to those of its producer.

    None unless the producer writes each element at one point of its loops.
    """
    written = producer.output_maps[result]
    if not written.is_projected_permutation() or len(written.results) != producer.rank:
        return None
    places = dict(zip(written.positions(), read.results))
    return AffineMap(read.dims, 0, tuple(places[dim] for dim in range(producer.rank)))


def can_move_indices(body: Block, loops: AffineMap) -> bool:
    """Each `linalg.index` of the body is a dim or a number in the new loops."""
    if loops == AffineMap.identity(loops.dims):
        return True
    indices = (op.dim for op in body if isinstance(op, linalg.Index))
    return all(isinstance(loops.results[dim], (AffineDim, AffineConstant)) for dim in indices)


# --- operands --------------------------------------------------------------------------------------------------------


def _set_operands(op: linalg.Generic, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> None:
    op.set_operands([value for value, _ in (*inputs, *outputs)])
    maps = linalg.Generic.indexing_maps.kind.make([map for _, map in (*inputs, *outputs)])
    op.set_property("indexing_maps", maps)
    op.set_property(OPERAND_SEGMENTS, DenseArrayAttr(I32, (len(inputs), len(outputs))))


def _set_arguments(block: Block, arguments: Sequence[BlockArgument]) -> None:
    block.arguments = list(arguments)
    for index, argument in enumerate(block.arguments):
        argument.owner, argument.index = block, index


def drop_inputs(op: linalg.Generic) -> None:
    """Removes inputs that the body does not use, and those that are there twice."""
    first: dict[Operand, BlockArgument] = {}
    inputs, arguments = inputs_of(op), op.input_arguments
    for operand, argument in zip(inputs, arguments):
        known = first.setdefault(operand, argument)
        if known is not argument:
            argument.replace_all_uses_with(known)
    needed = {argument for argument in arguments if argument.is_used}
    sized = bare_dims([*op.output_maps, *(map for (_, map), a in zip(inputs, arguments) if a in needed)])
    for (_, map), argument in zip(inputs, arguments):
        if not bare_dims([map]) <= sized:  # nothing else says how long the loop is
            needed.add(argument)
            sized |= bare_dims([map])
    if len(needed) == len(arguments):
        return
    outputs, output_arguments = outputs_of(op), op.output_arguments
    _set_operands(op, [operand for operand, a in zip(inputs, arguments) if a in needed], outputs)
    _set_arguments(op.body, [*(a for a in arguments if a in needed), *output_arguments])


def absorb_constant(op: linalg.Generic, position: int, constant: arith.Constant) -> None:
    """Makes an input that is one number everywhere a number in the body."""
    value = constant.value
    number, element = value.splat_value, value.type.element
    attribute = FloatAttr(number, element) if isinstance(element, FloatType) else IntegerAttr(int(number), element)
    b = Builder.at_start(op.body, constant.location)
    op.body.arguments[position].replace_all_uses_with(b.create(arith.Constant, value=attribute))


# --- a producer into its consumer ------------------------------------------------------------------------------------


def inline_producer(
    consumer: linalg.Generic, producer: linalg.Generic, loops: AffineMap, reads: dict[int, int],
    shown: Sequence[Operand], *, move: bool,
) -> None:  # fmt: skip
    """Computes elements of the producer, whose loops are all parallel, in the body of the consumer, where they are
    needed.

    loops: from the loops of the consumer to those of the producer. reads: input of the consumer -> result of the
    producer that it is. shown: inputs that nobody reads, for loops whose length nothing else says. move: nothing else
    needs the producer, which is left without its body and must be erased.
    The consumer's own location stays the first of those that it has then.
    """
    operands = [*inputs_of(producer), *outputs_of(producer)]
    is_read = [a.is_used or i < len(producer.inputs) for i, a in enumerate(producer.body.arguments)]
    added = [(value, map.compose(loops)) for (value, map), used in zip(operands, is_read) if used]
    body, arguments = producer.body, producer.body.arguments
    if not move:
        body = _copy(body)
        arguments = body.arguments
    yielded = _take_terminator(body)
    _move_indices(body, loops)
    inputs, outputs = inputs_of(consumer), outputs_of(consumer)
    old = consumer.body.arguments
    for position, result in reads.items():
        old[position].replace_all_uses_with(yielded[result])
    kept = [i for i in range(len(inputs)) if i not in reads]
    if move:
        producer.region.take_blocks()
    (block,) = consumer.region.take_blocks()
    joined = _join(body, block)
    new = [a for a, used in zip(arguments, is_read) if used]
    unread = Block([value.type.element for value, _ in shown]).arguments  # type: ignore[attr-defined]
    _set_arguments(joined, [*new, *(old[i] for i in kept), *unread, *old[len(inputs) :]])
    consumer.region.append(joined)
    _set_operands(consumer, [*added, *(inputs[i] for i in kept), *shown], outputs)
    consumer.location = fused_location(consumer.location, producer.location)
    drop_inputs(consumer)


def _copy(block: Block) -> Block:
    copy = Block([a.type for a in block.arguments])
    mapping: dict[Value, Value] = dict(zip(block.arguments, copy.arguments))
    for old, new in zip(block.arguments, copy.arguments):
        new.hint = old.hint
    for op in block:
        copy.append(op.clone(mapping))
    return copy


def _take_terminator(block: Block) -> tuple[Value, ...]:
    """Removes the terminator; what it handed on."""
    yielded = block.terminator.operands
    block.terminator.erase()
    return yielded


def _move_indices(body: Block, loops: AffineMap) -> None:
    """Says positions in the loops of the producer in the loops of the consumer."""
    if loops == AffineMap.identity(loops.dims):
        return
    for op in body:
        if isinstance(op, linalg.Index):
            place = loops.results[op.dim]
            if isinstance(place, AffineDim):
                op.set_property("dim", linalg.Index.dim.kind.make(place.position))
            else:
                assert isinstance(place, AffineConstant)
                b = Builder.before(op)
                op.replace_with([b.create(arith.Constant, value=IntegerAttr(place.value, INDEX))])


def _join(first: Block, second: Block) -> Block:
    """The ops of both, those of `first` in front, in the block that has more of them."""
    if _is_longer(first, second):
        for op in second:
            op.detach()
            first.append(op)
        return first
    anchor = second.first
    for op in first:
        op.detach()
        second.insert_before(anchor, op)
    return second


def _is_longer(first: Block, second: Block) -> bool:
    """`first` has more ops; found in the time that it takes to walk the shorter one."""
    one, other = first.first, second.first
    while one is not None and other is not None:
        one, other = one.next, other.next
    return one is not None


# --- siblings --------------------------------------------------------------------------------------------------------


def lasting_outputs(first: linalg.Generic, second: linalg.Generic) -> list[int]:
    """The outputs of `first` that are still needed when it is merged with `second`."""
    return [
        i
        for i, (result, argument) in enumerate(zip(first.results, first.output_arguments))
        if argument.is_used or any(use.owner is not second for use in result.uses)
    ]


def merge_siblings(first: linalg.Generic, second: linalg.Generic) -> linalg.Generic:
    """One op in the place of `second` that does what both do, in the same loops.

    Where `second` has a result of `first` as an input, it must read the element that is made at the same point.
    """
    b = Builder.before(second)
    b.location = fused_location(first.location, second.location)
    lasting = _sized_outputs(first, second)
    operands = [(i, operand) for i, operand in enumerate(inputs_of(second)) if operand[0].op is not first]
    inputs = [*inputs_of(first), *(operand for _, operand in operands)]
    outputs = [*(outputs_of(first)[i] for i in lasting), *outputs_of(second)]
    arguments = [
        *first.input_arguments, *(second.body.arguments[i] for i, _ in operands),
        *(first.output_arguments[i] for i in lasting), *second.output_arguments,
    ]  # fmt: skip
    block, yielded = _joined_bodies(first, second, lasting)
    _set_arguments(block, arguments)
    Builder.at_end(block, b.location).op(linalg.Yield, yielded)
    merged = b.op(
        linalg.Generic, [v for v, _ in inputs], [v for v, _ in outputs], regions=[Region([block])],
        indexing_maps=[map for _, map in (*inputs, *outputs)], iterator_types=second.iterator_types,
    )  # fmt: skip
    results = [*(first.results[i] for i in lasting), *second.results]
    second.drop_uses()
    for old, new in zip(results, merged.results):
        new.hint = old.hint
        old.replace_all_uses_with(new)
    first.erase()
    second.erase()
    drop_inputs(merged)
    return merged


def _sized_outputs(first: linalg.Generic, second: linalg.Generic) -> list[int]:
    """The lasting outputs; all of them, if without the others nothing says how long the loops are."""
    lasting = lasting_outputs(first, second)
    maps = [*first.input_maps, *(first.output_maps[i] for i in lasting), *second.output_maps]
    maps += [map for value, map in inputs_of(second) if value.op is not first]
    return lasting if covers_all_dims(second.rank, maps) else list(range(len(first.results)))


def _joined_bodies(first: linalg.Generic, second: linalg.Generic, lasting: list[int]) -> tuple[Block, list[Value]]:
    """The body that does what both bodies do, without a terminator, and what it yields; both ops lose their bodies."""
    made = _take_terminator(first.body)
    replaced: dict[Value, Value] = {}
    for argument, value in zip(second.input_arguments, second.inputs):
        if isinstance(value, OpResult) and value.op is first:
            replaced[argument] = made[value.index]
    second_made = [replaced.get(value, value) for value in _take_terminator(second.body)]
    for old, new in replaced.items():
        old.replace_all_uses_with(new)
    block = _join(first.region.take_blocks()[0], second.region.take_blocks()[0])
    return block, [*(made[i] for i in lasting), *second_made]



# --- outputs ---------------------------------------------------------------------------------------------------------


def drop_outputs(op: linalg.Generic) -> linalg.Generic:
    """The op without results that nobody uses, or that another result equals; the same op if there are none."""
    _reuse_equal_results(op)
    kept = _needed_outputs(op)
    if len(kept) == len(op.results):
        return op
    inputs, outputs, arguments = inputs_of(op), outputs_of(op), op.body.arguments
    if not covers_all_dims(op.rank, [map for _, map in (*inputs, *(outputs[i] for i in kept))]):
        return op
    yielded = _take_terminator(op.body)
    b = Builder.before(op)
    (block,) = op.region.take_blocks()
    dropped = [a for i, a in enumerate(arguments[len(inputs) :]) if i not in kept]
    _set_arguments(block, [*arguments[: len(inputs)], *(arguments[len(inputs) + i] for i in kept)])
    _erase_dead_ops(block, [yielded[i] for i in kept])
    assert not any(argument.is_used for argument in dropped)
    Builder.at_end(block, op.location).op(linalg.Yield, [yielded[i] for i in kept])
    operands = [*inputs, *(outputs[i] for i in kept)]
    made = b.op(
        linalg.Generic, [v for v, _ in inputs], [outputs[i][0] for i in kept], regions=[Region([block])],
        indexing_maps=[map for _, map in operands], iterator_types=op.iterator_types,
    )  # fmt: skip
    for new, i in zip(made.results, kept):
        op.results[i].replace_all_uses_with(new)
        new.hint = op.results[i].hint
    op.erase()
    drop_inputs(made)
    return made


def _reuse_equal_results(op: linalg.Generic) -> None:
    """Uses of a result that equals an earlier one become uses of that."""
    first: dict[tuple[Value, AffineMap, TensorType], int] = {}
    for i, (value, map, argument) in enumerate(zip(op.yielded, op.output_maps, op.output_arguments)):
        if argument.is_used:  # it starts from its operand
            continue
        known = first.setdefault((value, map, op.results[i].type), i)  # type: ignore[arg-type]
        if known != i:
            op.results[i].replace_all_uses_with(op.results[known])


def _needed_outputs(op: linalg.Generic) -> list[int]:
    """The outputs that are used, or from whose elements the others are computed. At least one."""
    needed = {i for i, result in enumerate(op.results) if result.is_used} or {0}
    pending = [op.yielded[i] for i in needed]
    seen: set[Value] = set()
    first_output = len(op.inputs)
    while pending:
        value = pending.pop()
        if value in seen:
            continue
        seen.add(value)
        if isinstance(value, BlockArgument) and value.owner is op.body:
            if value.index >= first_output and value.index - first_output not in needed:
                needed.add(value.index - first_output)
                pending.append(op.yielded[value.index - first_output])
        elif value.op is not None and value.op.parent is op.body:
            pending.extend(v for inner in value.op.walk() for v in inner.operands)
    return sorted(needed)


def _erase_dead_ops(block: Block, needed: Sequence[Value]) -> None:
    """Removes what the block computes for nobody."""
    kept = {value.op for value in needed}
    for op in block.reversed_ops():
        if op not in kept and not op.is_used:
            op.erase()
