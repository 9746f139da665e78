"""Gradients of branches and loops, in reverse mode: what `backward` of `tir.if` and `tir.scan` gives.

The gradient of a branch is a branch on the same condition. That of a loop is a loop the other way round, which carries
the adjoints of what the loop carries and the sums of those of the values from outside; each step does over what the
step before it did, as far as its gradient needs it, from values that the loop forward is made to stack. See Note [What a
loop keeps].
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tir.dialects.tir.base import Composite, Reduction, Sequential
from tir.dialects.tir.control import Checkpoint, Control, If, Scan, While, Yield
from tir.dialects.tir.create import Iota
from tir.dialects.tir.markers import OptimizationBarrier
from tir.ir.errors import LimitError, PassError
from tir.ir.ir import Block, BlockArgument, Op, Region, Value
from tir.ir.traits import ConstantLike
from tir.ir.types import DYNAMIC, I32, I64, FloatType, TensorType, element_type

__all__ = [
    "Differentiation", "Pullback", "backward", "captured", "copied", "derivative_hint", "differentiable_form",
    "dissolved", "inputs_of", "is_float",
]  # fmt: skip

KNOWN_LENGTH = "give axis 0 of a sequence a number in its type"
Part = tuple[Value, Any]  # a value and what is handed back to it


@dataclass
class Pullback:
    """Asks for the adjoints of `wrt`, from those of values of the block, as ops at the end of it; None where it is 0."""

    block: Block
    seeds: Sequence[Part]
    wrt: Sequence[Value]


Steps = Generator[Pullback, "list[Any | None]", "list[Part]"]


class Differentiation(Protocol):
    """What an op with regions sees of the pass. b: the builder at the place where the gradient is computed."""

    b: Any

    def depends(self, value: Value) -> bool:
        """The value is of floats and depends on what is differentiated by."""

    def builder(self, block: Block) -> Any:
        """A builder at the end of the block."""

    def drop_unused(self, block: Block) -> None:
        """Erases the ops of the block that nothing uses."""

    def note_repeated(self, block: Block) -> None:
        """The ops of the block are those of the forward pass once more."""


def is_float(value: Value) -> bool:
    """Whether the value is of floats, so that it can have an adjoint and a tangent."""
    return isinstance(element_type(value.type), FloatType)


def inputs_of(op: Op) -> Iterable[Value]:
    """The values that the op uses, and those that the ops inside it use."""
    return [value for inner in op.walk() for value in inner.operands] if op.regions else op.operands


def backward(op: Control, d: Differentiation, given: Sequence[Any | None]) -> Steps:
    """The parts for operands and values from outside, from the adjoints of the results."""
    if isinstance(op, Checkpoint):
        return _computed_again(op, d, given)
    if isinstance(op, If):
        chosen = op.chosen
        return _branch(op, d, given) if chosen is None else _region_again(op, chosen, {}, d, given)
    return _Loop(op, d, given).steps()  # type: ignore[arg-type]


def captured(op: Control, depends: Callable[[Value], bool]) -> list[Value]:
    """The values from outside that the regions use and that take a gradient, in the order of the text."""
    return [value for value in _from_outside(op) if depends(value)]


def _from_outside(op: Control) -> list[Value]:
    used = (value for region in op.regions for block in region.blocks for inner in block for value in inputs_of(inner))
    return [value for value in dict.fromkeys(used) if not value.is_made_inside(op)]


def copied(block: Block, into: Block, mapping: dict[Any, Any]) -> list[Value]:
    """Copies the ops of the block but its last; what it yields, as values of the copy."""
    end = block.terminator
    for op in block:
        if op is not end:
            into.append(op.clone(mapping))
    return [mapping.get(value, value) for value in end.operands]


def _branch(op: If, d: Differentiation, given: Sequence[Any | None]) -> Steps:
    outside = captured(op, d.depends)
    found = []
    for block in op.blocks:
        copy = Block([])
        ends = copied(block, copy, {})
        d.note_repeated(copy)
        parts = yield Pullback(copy, [pair for pair in zip(ends, given) if pair[1] is not None], outside)
        found.append((copy, parts))
    reached = [i for i in range(len(outside)) if any(parts[i] is not None for _, parts in found)]
    for copy, parts in found:
        _end(d, copy, [_or_zero(d.builder(copy), parts[i], outside[i]) for i in reached])
    outside = [outside[i] for i in reached]
    made = d.b.op(If, op.condition, result_types=[v.type for v in outside], regions=[Region([copy]) for copy, _ in found])
    return [(value, d.b.tensor(part)) for value, part in zip(outside, made.results)]


def _computed_again(op: Checkpoint, d: Differentiation, given: Sequence[Any | None]) -> Steps:
    """The region once more, of its inputs behind barriers, and the way back through that."""
    mapping: dict[Any, Any] = {
        value: d.b.create(OptimizationBarrier, value)
        for value in _from_outside(op) if not isinstance(value.op, ConstantLike)
    }  # fmt: skip
    for value, same in mapping.items():
        same.hint = value.hint
    return (yield from _region_again(op, op.body, mapping, d, given))


def _region_again(
    op: Control, block: Block, mapping: dict[Any, Any], d: Differentiation, given: Sequence[Any | None]
) -> Steps:
    """The block of a region, run once, where the gradient is computed, and the way back through it.

    mapping: what it takes in place of values from outside.
    """
    outside = captured(op, d.depends)
    copy = Block([])
    ends = copied(block, copy, dict(mapping))
    d.note_repeated(copy)
    seeds = [pair for pair in zip(ends, given) if pair[1] is not None]
    parts = yield Pullback(copy, seeds, [mapping.get(value, value) for value in outside])
    found = [(value, part) for value, part in zip(outside, parts) if part is not None]
    _end(d, copy, [part.value for _, part in found])
    values = moved(copy, d.b)
    return [(value, d.b.tensor(part)) for (value, _), part in zip(found, values)]


def moved(block: Block, b: Any) -> list[Value]:
    """Moves the ops of the block to where `b` inserts; what it yielded."""
    end = block.terminator
    for op in list(block):
        if op is not end:
            op.detach()
            b.insert(op)
    values = list(end.operands)
    end.erase()
    return values


def dissolved(op: Checkpoint, b: Any) -> None:
    """Puts the region of the op in its place. b: at the op."""
    op.replace_with(moved(op.body, b))


def _or_zero(b: Any, part: Any | None, like: Value) -> Value:
    return (b.full_like(like, 0) if part is None else part).value


def _end(d: Differentiation, block: Block, values: Sequence[Value]) -> None:
    """Ends a region with these values; what it does not need goes, and what only checks, which was done forward."""
    for op in list(block):
        if not op.results:
            op.erase()
    d.builder(block).op(Yield, list(values), result_types=[])
    d.drop_unused(block)


# --- loops -----------------------------------------------------------------------------------------------------------


class _Loop:
    """The gradient of one `tir.scan` on its way. Numbers of carried values, sequences and stacks count from 0."""

    def __init__(self, op: Scan, d: Differentiation, given: Sequence[Any | None]) -> None:
        self.op, self.d, self.given = op, d, given
        self.count = len(op.inits)
        self.captured = captured(op, d.depends)
        self.active = [j for j, value in enumerate(op.sequences) if d.depends(value)]
        self.carried = self._carried()
        self.block = Block([])
        self.sources: dict[BlockArgument, Value] = {}  # elements of the loop back: what they are elements of

    def _carried(self) -> list[int]:
        """The carried values that take an adjoint: they depend on `wrt`, and the cost depends on them."""
        op = self.op
        ops = [inner for inner in op.body if not isinstance(inner, Yield)]
        ends, arguments = op.yielded(op.body)[: self.count], op.carried
        floats = [k for k in range(self.count) if is_float(arguments[k])]
        depends = {*self.captured, *(op.elements[j] for j in self.active)}
        depends.update(arguments[k] for k in floats if self.d.depends(op.inits[k]))
        needed = {end for end, g in zip(op.yielded(op.body), self.given) if g is not None}
        size = -1
        while size != len(depends) + len(needed):
            size = len(depends) + len(needed)
            for inner in ops:
                if not depends.isdisjoint(inputs_of(inner)):
                    depends.update(inner.results)
            for inner in reversed(ops):
                if not needed.isdisjoint(inner.results):
                    needed.update(inputs_of(inner))
            depends.update(arguments[k] for k in floats if ends[k] in depends)
            needed.update(ends[k] for k in range(self.count) if arguments[k] in needed)
        return [k for k in floats if arguments[k] in depends and (arguments[k] in needed or ends[k] in needed)]

    def steps(self) -> Steps:
        op, d, block = self.op, self.d, self.block
        adjoints = [block.add_argument(op.inits[k].type, derivative_hint(op.carried[k])) for k in self.carried]
        sums = [block.add_argument(value.type, derivative_hint(value)) for value in self.captured]
        mapping: dict[Any, Any] = {old: block.add_argument(old.type, old.hint) for old in op.body.arguments}
        for j, element in enumerate(op.elements):
            self.sources[mapping[element]] = op.sequences[j]
        ends = copied(op.body, block, mapping)
        d.note_repeated(block)
        copies: dict[Value, Value] = {mapping[result]: result for inner in op.body for result in inner.results}
        seeds = [(ends[k], adjoint) for k, adjoint in zip(self.carried, adjoints)]
        seeds += [(ends[k], self._cotangent(k)) for k in range(self.count, len(ends)) if self.given[k] is not None]
        wrt = [mapping[op.carried[k]] for k in self.carried] + [mapping[op.elements[j]] for j in self.active]
        parts = yield Pullback(block, seeds, [*wrt, *self.captured])
        states, pieces = parts[: len(adjoints)], parts[len(adjoints) : len(wrt)]
        b = d.builder(block)
        ended = [_or_zero(b, part, adjoint) for part, adjoint in zip(states, adjoints)]
        added = [(value, s, part) for value, s, part in zip(self.captured, sums, parts[len(wrt) :]) if part is not None]
        self.captured = [value for value, _, _ in added]
        ended += [(b.tensor(s) + part).value for _, s, part in added]
        for argument in [s for s in sums if all(s is not kept for _, kept, _ in added)]:
            block.erase_argument(argument.index)
        whole = [j for j, part in zip(self.active, pieces) if part is not None]
        _end(d, block, [*ended, *(part.value for part in pieces if part is not None)])
        self._keep(mapping, copies)
        return self._made(whole)

    def _cotangent(self, k: int) -> BlockArgument:
        """The element of the adjoint of a stack."""
        given = self.given[k]
        assert given is not None
        argument = self.block.add_argument(given.type.with_shape(given.type.shape[1:]), derivative_hint(self.op.results[k]))
        self.sources[argument] = given.value
        return argument

    def _keep(self, mapping: dict[Any, Any], copies: dict[Value, Value]) -> None:
        """Has the loop forward stack what the loop back needs of it; what it does not need goes."""
        kept: dict[BlockArgument, Value] = {}
        if self.op.checkpoint is None:
            for copy in _worth_keeping(self.block, copies):
                argument = self.block.add_argument(copy.type, copy.hint)
                kept[argument] = copies[copy]
                copy.replace_all_uses_with(argument)
            self.d.drop_unused(self.block)
        kept.update((mapping[old], old) for old in self.op.carried if mapping[old].is_used)
        for argument, stack in zip(kept, self._stacks_of(list(kept.values()))):
            self.sources[argument] = stack

    def _stacks_of(self, values: Sequence[Value]) -> list[Value]:
        """The stacks of these values of the body, for which another loop forward takes the place of `op` if need be."""
        op, b = self.op, self.d.b
        end = op.body.terminator
        known = dict(zip(end.operands[self.count :], op.stacks))
        missing = [value for value in values if value not in known]
        if not missing:
            return [known[value] for value in values]
        types = [_stack_type(op.length, value, "what the gradient needs of a step", op) for value in missing]
        end.set_operands([*end.operands, *missing])
        made = type(b)(op.parent, op, op.location).op(
            Scan, list(op.inits), list(op.sequences), result_types=[*(r.type for r in op.results), *types],
            regions=[Region(op.body_region.take_blocks())], reverse=op.reverse, truncate=op.truncate,
            checkpoint=op.checkpoint,
        )  # fmt: skip
        count = len(op.results)
        for value, new in zip(missing, made.results[count:]):
            new.hint = f"{value.hint}s" if value.hint else None
        op.hand_over(made.results[:count])  # which may be adjoints, too: of themselves, in a tir.vjp
        self.op = made
        stacks = dict(zip(known, made.stacks)) | dict(zip(missing, made.results[count:]))
        return [stacks[value] for value in values]

    def _made(self, whole: Sequence[int]) -> list[Part]:
        """The loop back, and the parts that it gives."""
        op, b, block = self.op, self.d.b, self.block
        count = len(self.carried) + len(self.captured)
        unused = [argument for argument in block.arguments[count:] if not argument.is_used]
        if len(unused) == len(block.arguments) - count:
            unused = [argument for argument in unused if self.sources.get(argument) is not op.sequences[0]]
        for argument in unused:
            block.erase_argument(argument.index)
        inits = [_or_zero(b, self.given[k], op.inits[k]) for k in self.carried]
        inits += [b.full_like(value, 0).value for value in self.captured]
        sequences = [self.sources[argument] for argument in block.arguments[count:]]
        cut = _Cut(op, b) if op.truncate is None or isinstance(op.length, int) else _OpenCut(op, b)
        types = [value.type for value in inits]
        types += [_stack_type(cut.length, op.elements[j], "the gradient of a sequence", op) for j in whole]
        made = b.op(
            Scan, inits, [cut.taken(value) for value in sequences], result_types=types, regions=[Region([block])],
            reverse=not op.reverse, checkpoint=op.checkpoint,
        ).results  # fmt: skip
        given = [b.tensor(value) for value in made]
        starts = [(op.inits[k], cut.at_start(part)) for k, part in zip(self.carried, given)]
        parts = [(init, part) for init, part in starts if part is not None]
        parts += zip(self.captured, given[len(self.carried) : count])
        return [*parts, *((op.sequences[j], cut.put_back(part, op.sequences[j])) for j, part in zip(whole, given[count:]))]


def derivative_hint(value: Value) -> str | None:
    """The name of the adjoint or tangent of the value."""
    return f"d_{value.hint}" if value.hint else None


def _stack_type(length: Any, element: Value, what: str, op: Scan) -> TensorType:
    type = element.type
    assert isinstance(type, TensorType)
    if DYNAMIC in type.shape:
        message = f"{op.name}: {what} is stacked, so its sizes must be known before the loop, got {type}"
        raise PassError(message, op.location, hint="give the sizes names")
    try:
        return type.with_shape((length, *type.shape))
    except LimitError as error:
        message = f"{op.name}: {what} is stacked: {error.message}"
        raise PassError(message, op.location, hint="checkpoint keeps the state of few steps") from None


def _worth_keeping(block: Block, copies: dict[Value, Value]) -> list[Value]:
    """Of the copied values that the gradient uses, those that cost more than a few ops an element to compute.

    Not sizes, nor those with a `?` in their type: for a stack of them there is no room before the loop.
    """
    costly: set[Value] = set()
    for op in block:
        if all(result in copies for result in op.results):
            heavy = isinstance(op, (Reduction, Sequential, Composite, Control))
            if heavy or not costly.isdisjoint(inputs_of(op)):
                costly.update(op.results)
    return [
        value for value in copies
        if value in costly and isinstance(value.type, TensorType) and DYNAMIC not in value.type.shape
        and any(not set(user.results) <= copies.keys() or not user.results for user in value.users)
    ]  # fmt: skip


class _Cut:
    """The part of a loop that its gradient goes back through: all of it, or the last `truncate` steps.

    behind: the number of steps, by place, behind the part; start: that in front of it. length: of the part.
    """

    def __init__(self, op: Scan, b: Any) -> None:
        self.b, self.length = b, op.length
        self.start = self.behind = 0
        if op.truncate is not None:
            assert isinstance(op.length, int)
            left_out = max(op.length - op.truncate, 0)
            self.length = op.length - left_out
            self.start, self.behind = (0, left_out) if op.reverse else (left_out, 0)

    @property
    def _is_cut(self) -> bool:
        """Some steps are left out."""
        return self.start + self.behind > 0

    def taken(self, value: Value) -> Value:
        """The elements of the part."""
        rest = [0] * (value.type.rank - 1)  # type: ignore[attr-defined]
        return self.b.slice(value, [self.start, *rest], [-self.behind, *rest]).value if self._is_cut else value

    def put_back(self, part: Any, whole: Value) -> Any:
        """The part of the adjoint of a sequence, with 0 for the other steps."""
        rest = [0] * (part.type.rank - 1)
        return self.b.pad(part, [self.start, *rest], [self.behind, *rest]) if self._is_cut else part

    def at_start(self, part: Any) -> Any:
        """What comes back to a first value: nothing if steps are left out."""
        return None if self._is_cut else part


class _OpenCut:
    """The last `truncate` steps of a loop of which run time knows how many there are, and the same of them."""

    def __init__(self, op: Scan, b: Any) -> None:
        self.b, self.length = b, DYNAMIC
        count = b.count(op.sequences[0], [0], I64)
        left_out = b.maximum(b.sub(count, op.truncate), 0)
        self.start = 0 if op.reverse else left_out
        self.size = b.to_index(b.sub(count, left_out))
        self.is_whole = b.cmp("eq", left_out, 0)

    def taken(self, value: Value) -> Value:
        starts = [self.start, *[0] * (value.type.rank - 1)]  # type: ignore[attr-defined]
        return self.b.dynamic_slice(value, starts, [self.size, *self.b.shape(value)[1:]]).value

    def put_back(self, part: Any, whole: Value) -> Any:
        return self.b.update_slice(self.b.full_like(whole, 0), part, [self.start, *[0] * (part.type.rank - 1)])

    def at_start(self, part: Any) -> Any:
        return self.b.select(self.is_whole, part, 0)


# --- loops in another form -------------------------------------------------------------------------------------------


def differentiable_form(op: Op, b: Any) -> list[Value] | None:
    """The results of an op by new ones that have a gradient; None if it has one itself. b: a builder in front of it."""
    if isinstance(op, While):
        return _counted(op, b)
    return _in_segments(op, b) if isinstance(op, Scan) and (op.checkpoint or 1) > 1 and op.length != 0 else None


def _counted(op: While, b: Any) -> list[Value]:
    """A loop with a condition as one of `max_trips` steps, which do nothing where the condition is false."""
    if op.max_trips is None:
        hint = "say how many steps there are at most: max_trips 100, in Python max_trips=100"
        raise PassError(f"{op.name} has no gradient without max_trips: its steps must be kept", op.location, hint=hint)
    steps = b.create(Iota, [], result_types=[TensorType((op.max_trips,), I32)], axis=0)
    types = [value.type for value in op.inits]
    block, asked, rest = Block([*types, TensorType((), I32)]), op.condition_region.block, Block([])
    mapping = dict(zip(asked.arguments, block.arguments))
    for old, new in mapping.items():
        new.hint = old.hint
    inner = type(b)(block, None, op.location)
    (holds,) = copied(asked, block, mapping)
    body = op.body_region.block
    then, mapping = Block([]), dict(zip(body.arguments, block.arguments))
    ends = copied(body, then, mapping)
    type(b)(then, None, op.location).op(Yield, ends, result_types=[])
    type(b)(rest, None, op.location).op(Yield, block.arguments[: len(types)], result_types=[])
    made = inner.op(If, holds, result_types=types, regions=[Region([then]), Region([rest])])
    inner.op(Yield, list(made.results), result_types=[])
    return list(b.op(Scan, list(op.inits), [steps], result_types=types, regions=[Region([block])]).results)


def _in_segments(op: Scan, b: Any) -> list[Value]:
    """A loop as one over segments of `checkpoint` steps, of which each keeps only what it starts with."""
    length, steps = op.length, op.checkpoint
    if not isinstance(length, int):
        raise PassError(f"{op.name}: checkpoint {steps} needs a known number of steps", op.location, hint=KNOWN_LENGTH)
    count, rest = divmod(length, steps)
    first = rest if op.reverse else 0  # where the whole segments start
    carried = list(op.inits)
    stacks: list[list[Any]] = [[] for _ in op.stacks]
    if count:
        whole = [_between(b, value, first, first + count * steps) for value in op.sequences]
        parts = [b.reshape(x, [count, steps, *x.shape[1:]]).value for x in whole]
        made = _segments(op, b, carried, parts, count, steps)
        carried = list(made[: len(carried)])
        for found, stack in zip(stacks, made[len(carried) :]):
            tensor = b.tensor(stack)
            found.append(b.reshape(tensor, [count * steps, *tensor.shape[2:]]))
    if rest:
        start = 0 if op.reverse else count * steps
        parts = [_between(b, value, start, start + rest).value for value in op.sequences]
        types = [*(value.type for value in carried), *(_resized(value.type, (rest,), 1) for value in op.stacks)]
        last = b.op(
            Scan, carried, parts, result_types=types, regions=[_body_copy(op, b)], reverse=op.reverse, checkpoint=1
        ).results
        carried = list(last[: len(carried)])
        for found, stack in zip(stacks, last[len(carried) :]):
            found.insert(0 if op.reverse else len(found), b.tensor(stack))
    return [*carried, *(b.concat(found, 0).value if len(found) > 1 else found[0].value for found in stacks)]


def _segments(op: Scan, b: Any, carried: list[Value], parts: list[Value], count: int, steps: int) -> Sequence[Value]:
    """The loop over the segments, with a loop over the steps of one inside."""
    types = [value.type for value in carried]
    block = Block([*types, *(part.type.with_shape(part.type.shape[1:]) for part in parts)])  # type: ignore[attr-defined]
    inner = type(b)(block, None, op.location)
    step_types = [*types, *(_resized(value.type, (steps,), 1) for value in op.stacks)]
    made = inner.op(
        Scan, block.arguments[: len(types)], block.arguments[len(types) :], result_types=step_types,
        regions=[_body_copy(op, b)], reverse=op.reverse,
    )  # fmt: skip
    inner.op(Yield, list(made.results), result_types=[])
    whole_types = [*types, *(_resized(value.type, (count, steps), 1) for value in op.stacks)]
    return b.op(
        Scan, carried, parts, result_types=whole_types, regions=[Region([block])], reverse=op.reverse, checkpoint=1
    ).results


def _body_copy(op: Scan, b: Any) -> Region:
    """The region of the loop once more."""
    block = Block([argument.type for argument in op.body.arguments])
    for old, new in zip(op.body.arguments, block.arguments):
        new.hint = old.hint
    ends = copied(op.body, block, dict(zip(op.body.arguments, block.arguments)))
    type(b)(block, None, op.location).op(Yield, ends, result_types=[])
    return Region([block])


def _between(b: Any, value: Value, start: int, stop: int) -> Any:
    """The elements from start to stop along axis 0."""
    x = b.tensor(value)
    rest = [0] * (x.type.rank - 1)
    return b.slice(x, [start, *rest], [stop, *rest])


def _resized(type: Any, front: tuple[int, ...], dropped: int) -> TensorType:
    return type.with_shape((*front, *type.shape[dropped:]))


# Note [What a loop keeps]
# The loop back needs values of each step forward. The carried values at its start are stacked; from them, and from the
# elements of the sequences, a step can be done over. Values whose computation is more than a few ops an element (products,
# reductions, loops) are stacked as well, so that they are not computed twice; those that follow by cheap ops are computed
# anew, where fusion makes them cost nothing, and so are values of sizes that are not known before. Values that no
# gradient uses are not kept. With `checkpoint` nothing but the carried values is kept: of n steps in segments of k, those
# of n/k segments, and of the k steps of the one at hand.
