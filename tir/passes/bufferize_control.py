"""scf on buffers: a loop-carried tensor lies in one place for the whole loop, both branches write to one place.

What an op with regions hands on is moved to these places at the end of each block, all tensors at once; the new op
hands on scalars only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tir.dialects import scf, tensor
from tir.ir.builder import Builder
from tir.ir.errors import PassError
from tir.ir.ir import Block, Op, Region, Value
from tir.ir.steps import Steps
from tir.passes.bufferize_blocks import Blocks, Place
from tir.passes.bufferize_ops import subview
from tir.passes.storage import Storage, memref_type

__all__ = ["RULES"]


def for_loop(f: Blocks, op: scf.For) -> Steps:
    carried = [k for k, value in enumerate(op.initArgs) if f.is_tensor(value)]
    places = initial_places(f, op, [(op.initArgs[k], op.results[k]) for k in carried])
    inner = [seen_from_inside(place) for place in places]
    arguments, yielded = [op.iter_args[k] for k in carried], [op.yielded[k] for k in carried]
    bind_all(f, arguments, inner)
    f.want(op.body, wanted_ends(f, arguments, yielded, inner))
    yield f.convert(op.body)
    f.at_end(op.body)
    end_iteration(f, arguments, yielded, inner)
    scalars = [k for k in range(len(op.initArgs)) if k not in carried]
    f.close(op.body, [op.yielded[k] for k in scalars])
    finish(f, op, 3, carried, places, [op.body])


def while_loop(f: Blocks, op: scf.While) -> Steps:
    before, after = op.before.block, op.after.block
    condition = before.terminator
    carried = [k for k, value in enumerate(op.inits) if f.is_tensor(value)]
    handed = [k for k, value in enumerate(op.results) if f.is_tensor(value)]
    source = shared_places(f, op, carried, handed)
    fates = {i: op.results[j] for j, i in source.items()}
    places = initial_places(f, op, [(op.inits[k], fates.get(k)) for k in carried])
    inner = {k: seen_from_inside(place) for k, place in zip(carried, places)}
    own = {j: new_place(f, op, op.results[j]) for j in handed if j not in source}
    outer = [own[j] if j in own else places[carried.index(source[j])] for j in handed]
    passed = [seen_from_inside(own[j]) if j in own else inner[source[j]] for j in handed]

    bind_all(f, [before.arguments[k] for k in carried], inner.values())
    values = [condition.operand(1 + j) for j in handed]
    f.want(before, [(v, p.storage) for v, p in zip(values, passed)])
    yield f.convert(before)
    f.at_end(before)
    for j, value, place in zip(handed, values, passed):
        if j in source:
            f.check_sizes(value, before.arguments[source[j]], place.buffer)
    f.move(zip(values, passed))
    scalars = [v for j, v in enumerate(condition.operands[1:]) if j not in handed]
    f.close(before, [condition.operand(0), *scalars])

    bind_all(f, [after.arguments[j] for j in handed], passed)
    arguments = [before.arguments[k] for k in carried]
    yielded = [after.terminator.operand(k) for k in carried]
    f.want(after, wanted_ends(f, arguments, yielded, list(inner.values())))
    yield f.convert(after)
    f.at_end(after)
    end_iteration(f, arguments, yielded, list(inner.values()))
    f.close(after, [v for k, v in enumerate(after.terminator.operands) if k not in carried])
    for block, gone in ((before, carried), (after, handed)):
        erase_arguments(block, gone)
    f.b = f.b.before(op)
    rebuilt = f.rebuild(
        op, [v for k, v in enumerate(op.inits) if k not in carried],
        [r.type for j, r in enumerate(op.results) if j not in handed],
    )  # fmt: skip
    replace_results(f, op, rebuilt, handed, outer)


def branch(f: Blocks, op: scf.If) -> Steps:
    handed = [k for k, value in enumerate(op.results) if f.is_tensor(value)]
    blocks = [block for block in (op.then_block, op.else_block) if block is not None]
    places: dict[int, Place | None] = {}
    for k in handed:
        taken = [place.storage for place in places.values() if place is not None]
        places[k] = branch_place(f, op, blocks, k, taken)
    given = [k for k, place in places.items() if place is None]
    for block in blocks:
        ends = block.terminator.operands
        placed = [(ends[k], place) for k, place in places.items() if place is not None]
        f.want(block, [(v, p.storage) for v, p in placed if p.buffer is p.storage.memref])
        yield f.convert(block)
        f.at_end(block)
        # First what is copied to new memory: a place may be where it lies.
        memory = [f.hand_over(block, block.terminator.operand(k)) for k in given]
        f.move(placed)
        scalars = [v for k, v in enumerate(block.terminator.operands) if k not in handed]
        f.close(block, [*scalars, *memory])
    f.b = f.b.before(op)
    types = [r.type for k, r in enumerate(op.results) if k not in handed]
    if op.results and len(given) == len(types) == 0 and op.else_block is not None and len(op.else_block) == 1:
        op.else_region.take_blocks()  # there is nothing left to hand on
    rebuilt = f.rebuild(op, [op.condition], [*types, *(memref_type(op.results[k].type) for k in given)])
    for k, made in zip(given, rebuilt.results[len(types) :]):
        places[k] = Place(made, f.own(made))
    replace_results(f, op, rebuilt, handed, [places[k] for k in handed])


def parallel_loop(f: Blocks, op: scf.Parallel) -> Steps:
    if any(f.is_tensor(value) for value in op.results):
        raise PassError("bufferize: scf.parallel on tensors has no form on buffers; use scf.for", op.location)
    yield f.convert(op.body)
    f.at_end(op.body)
    f.close(op.body, op.body.terminator.operands)


def for_all(f: Blocks, op: scf.ForAll) -> Steps:
    """An `scf.parallel`. Each part is computed where it belongs, if its place is known when an iteration begins."""
    places = initial_places(f, op, list(zip(op.outputs, op.results)))
    for argument, init, place in zip(op.shared_outs, op.outputs, places):
        is_read = any(not isinstance(user, (tensor.ParallelInsertSlice, tensor.Dim)) for user in argument.users)
        if is_read and f.buffers.get(init) is place.buffer:  # what an iteration reads must stay as it is
            storage = f.allocate(init.type, init)
            f.copy(place.buffer, storage.memref)
            f.bind(argument, storage.memref, storage)
        else:
            f.bind(argument, f.buffer(init) if is_read else place.buffer, Storage(place.buffer, "argument"))
    target = dict(zip(op.shared_outs, places))
    with f.b.at(op.body, op.body.first):
        early = {part: part_place(f, part, target[part.dest]) for part in op.parts if is_known_early(op, part)}
    f.want(op.body, [(part.source, place.storage) for part, place in early.items()])
    yield f.convert(op.body)
    f.at_end(op.body)
    f.move([(part.source, early.get(part) or part_place(f, part, target[part.dest])) for part in op.parts])
    op.body.terminator.erase()
    f.b = Builder(op.body, None, op.location)
    f.b.op(scf.Reduce, [], result_types=[])
    f.at_end(op.body)
    f.close(op.body, [])
    erase_arguments(op.body, range(op.rank, len(op.body.arguments)))
    f.b = f.b.before(op)
    bounds = [[f.index(n) if isinstance(n, int) else n for n in numbers] for numbers in zip(*op.mixed_bounds)]
    body = op.body
    op.body_region.take_blocks()
    f.b.op(scf.Parallel, *bounds, [], result_types=[], regions=[Region([body])], attributes=op.attributes)
    f.dead.add(op)
    for result, place in zip(op.results, places):
        f.bind(result, place.buffer, place.storage)


def is_known_early(op: scf.ForAll, part: tensor.ParallelInsertSlice) -> bool:
    """Where the part is written does not depend on what the body computes."""
    numbers = (*part.offsets, *part.sizes, *part.strides)
    return not any(value.op is not None and value.is_made_inside(op) for value in numbers)


def part_place(f: Blocks, part: tensor.ParallelInsertSlice, whole: Place) -> Place:
    """The part of the memory of a result that an iteration writes; no other writes there."""
    dropped = [axis for axis in range(len(part.static_sizes)) if axis not in part.kept_axes]
    buffer = subview(f, part, whole.buffer, dropped)
    return Place(buffer, Storage(buffer, "carried"))


# --- places ----------------------------------------------------------------------------------------------------------


def initial_places(f: Blocks, op: Op, carried: Sequence[tuple[Value, Value | None]]) -> list[Place]:
    """A place for each tensor that a loop carries, with its first elements in it.

    carried: the first value, and the result that will lie there at the end, if one will.
    """
    inits = [init for init, _ in carried]
    places: list[Place] = []
    for init, result in carried:
        taken = [place.storage for place in places]
        place = existing_place(f, op, init, result, inits, taken)
        if place is None:
            storage = f.allocate(init.type, init)
            place = Place(storage.memref, storage)
        places.append(place)
    # Behind all decisions: a copy may read what is carried in place.
    for init, place in zip(inits, places):
        if not f.is_unset(init) and f.buffers.get(init) is not place.buffer:
            f.copy(f.buffer(init), place.buffer)
    return places


def existing_place(
    f: Blocks, op: Op, init: Value, result: Value | None, inits: Sequence[Value], taken: Sequence[Storage]
) -> Place | None:
    """The memory of the first value, or that where the result is wanted, if the loop may write it."""
    own = f.place_of(init)
    if own is not None and own.storage not in taken and f.may_write(op, result or init, own.storage):
        return own
    wanted = f.wanted.get(result) if result is not None else None
    if wanted is None or wanted in taken or any(f.storage.get(v) is wanted for v in inits):
        return None
    return Place(wanted.memref, wanted) if f.may_write(op, result or init, wanted) else None


def shared_places(f: Blocks, op: scf.While, carried: Sequence[int], handed: Sequence[int]) -> dict[int, int]:
    """For results of an scf.while the carried tensor in whose place they are handed on, each once."""
    arguments = op.before.block.arguments
    found: dict[int, int] = {}
    for j in handed:
        root = f.start_of(op.before.block.terminator.operand(1 + j), op)
        choices = [k for k in carried if arguments[k] is root] + [k for k in carried if k == j]
        for k in choices:
            same = f.sizes.are_same(op.results[j], arguments[k]) and op.results[j].type is arguments[k].type
            if same and k not in found.values():
                found.setdefault(j, k)
    for j in handed:  # sizes that the program does not show are compared when it runs
        if j not in found and f.sizes_before(op, op.results[j]) is None:
            same_type = [k for k in carried if arguments[k].type is op.results[j].type and k not in found.values()]
            if same_type:
                found[j] = same_type[0]
    return found


def branch_place(f: Blocks, op: scf.If, blocks: Sequence[Block], k: int, taken: Sequence[Storage]) -> Place | None:
    """Where result k of both branches goes; None if its sizes are not known before the branches run."""
    result = op.results[k]
    for block in blocks:
        start = f.start_of(block.terminator.operand(k), op)
        place = f.place_of(start)
        if place is None or place.storage in taken or not f.sizes.are_same(result, start):
            continue
        if f.may_write(op, result, place.storage):
            return place
    wanted = f.wanted.get(result)
    if wanted is not None and wanted not in taken and f.may_write(op, result, wanted):
        return Place(wanted.memref, wanted)
    sizes = f.sizes_before(op, result)
    if sizes is None:
        return None
    storage = f.allocate_of(memref_type(result.type), sizes)
    return Place(storage.memref, storage)


def new_place(f: Blocks, op: Op, value: Value) -> Place:
    """New memory for what a loop makes; PassError if its sizes are not known before."""
    sizes = f.sizes_before(op, value)
    if sizes is None:
        rule = f"the sizes of each result must be known before the loop, unless it carries them, got {value.type}"
        raise PassError(f"bufferize: {op.name}: {rule}", op.location)
    storage = f.allocate_of(memref_type(value.type), sizes)
    return Place(storage.memref, storage)


def seen_from_inside(place: Place) -> Place:
    """The place as the loop's own: what lay there before is not needed while it runs."""
    return Place(place.buffer, Storage(place.buffer, "carried"))


# --- the ends of blocks ----------------------------------------------------------------------------------------------


def bind_all(f: Blocks, values: Sequence[Value], places: Iterable[Place]) -> None:
    for value, place in zip(values, places):
        f.bind(value, place.buffer, place.storage)


def wanted_ends(
    f: Blocks, arguments: Sequence[Value], yielded: Sequence[Value], places: Sequence[Place]
) -> list[tuple[Value, Storage]]:
    """What an iteration yields should be computed in its place, if it is known to have the sizes of that."""
    ends = zip(arguments, yielded, places)
    return [(value, place.storage) for argument, value, place in ends if f.sizes.are_same(value, argument)]


def end_iteration(f: Blocks, arguments: Sequence[Value], yielded: Sequence[Value], places: Sequence[Place]) -> None:
    """Moves what an iteration yields to where the next one finds it."""
    for argument, value, place in zip(arguments, yielded, places):
        f.check_sizes(value, argument, place.buffer)
    f.move(zip(yielded, places))


def finish(
    f: Blocks, op: Op, first: int, carried: Sequence[int], places: Sequence[Place], blocks: Sequence[Block]
) -> None:
    """The new scf.for, without the tensors that it carries. first: the operand of the first carried value."""
    for block in blocks:
        erase_arguments(block, [1 + k for k in carried])
    f.b = f.b.before(op)
    operands = [v for k, v in enumerate(op.operands) if k - first not in carried]
    rebuilt = f.rebuild(op, operands, [r.type for k, r in enumerate(op.results) if k not in carried])
    replace_results(f, op, rebuilt, carried, places)


def erase_arguments(block: Block, positions: Sequence[int]) -> None:
    for position in sorted(positions, reverse=True):
        block.erase_argument(position)


def replace_results(f: Blocks, op: Op, new: Op, tensors: Sequence[int], places: Sequence[Place | None]) -> None:
    """The tensor results lie in these places; the others are those of the new op, in order."""
    for k, place in zip(tensors, places):
        assert place is not None
        f.bind(op.results[k], place.buffer, place.storage)
    for old, made in zip([r for k, r in enumerate(op.results) if k not in tensors], new.results):
        f.replace(old, made)


RULES: Mapping[type[Op], Callable[[Blocks, Any], Steps | None]] = {
    scf.For: for_loop,
    scf.ForAll: for_all,
    scf.If: branch,
    scf.Parallel: parallel_loop,
    scf.While: while_loop,
}
