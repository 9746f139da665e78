"""Branches and loops over tensors: `tir.if`, `tir.while`, `tir.scan`, and `tir.checkpoint`, which runs its region once.

Their regions may use any value from outside. What a region ends with, `tir.yield`, are its values.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import Any, ClassVar

from tir.dialects.tir.base import fail, merge_dims, named_sizes
from tir.dialects.tir.elements import BOOL_TENSOR, ELEMENT_TENSOR
from tir.dialects.tir.shape import number_of
from tir.ir.define import attribute, operand, region, result
from tir.ir.execution import ExecutionError, Frame, Run, given_away, numpy_dtype
from tir.ir.flow import Edge
from tir.ir.ir import Block, BlockArgument, Op, UnregisteredOp, Value
from tir.ir.kinds import I64_ATTR, UNIT
from tir.ir.names import evaluate_dim
from tir.ir.slips import conversion_hint
from tir.ir.traits import RecursiveEffects, ReturnLike
from tir.ir.types import DYNAMIC, I1, Dim, TensorType, Type, dim_text
from tir.lazy import np

__all__ = ["OPS", "Checkpoint", "Control", "If", "Scan", "While", "Yield", "unequal_length"]

Steps = Generator[Any, Any, tuple[Any, ...]]

MOST_TRIPS = 2**31 - 1  #: of a loop that its gradient counts in i32


class Yield(Op, ReturnLike):
    """Hands values to the op around it: `tir.yield %a, %b : tensor<4xf32>, tensor<f32>`."""

    name = "tir.yield"
    parent_ops = ("tir.if", "tir.while", "tir.scan", "tir.checkpoint")
    operands = operand(ELEMENT_TENSOR, variadic=True)
    format = "attr-dict ($operands^ `:` type($operands))?"


class Control(Op, RecursiveEffects):
    """An op that runs its regions."""

    of_other_rank: ClassVar[str] = "the type may not change from step to step"  # what to do about it

    def yielded(self, block: Block) -> tuple[Value, ...]:
        """What the block hands on."""
        return block.terminator.operands

    def check_block(self, what: str, block: Block, takes: Sequence[Type], gives: Sequence[Type]) -> None:
        """VerifyError unless the block takes values of these types and yields values of those."""
        got = [argument.type for argument in block.arguments]
        if got != list(takes):
            named = ", ".join(f"%{i}: {type}" for i, type in enumerate(takes))
            label = f"a label names them, as in ^bb0({named}):" if not got else None
            is_twice = takes and got[: len(takes)] == list(takes)
            hint = "what stands in front of it names them, and no label does" if is_twice else label
            fail(self, f"{what} must take {_types(takes)}, got {_types(got)}", hint)
        end = block.terminator
        if isinstance(end, UnregisteredOp):
            return
        if not isinstance(end, Yield):
            fail(self, f"{what} must end in tir.yield, got {end.name}")
        found = [value.type for value in end.operands]
        if found == list(gives):
            return
        for number, (want, type) in enumerate(zip(gives, found)):
            if type is not want:
                fail(self, f"{what} must yield {want} as value {number}, got {type}; {self.cure(want, type)}")
        fail(self, f"{what} must yield {_types(gives)}, got {_types(found)}")

    @classmethod
    def cure(cls, want: Type, got: Type) -> str:
        """What makes one of the two types the other."""
        if isinstance(want, TensorType) and isinstance(got, TensorType) and want.rank != got.rank:
            if want.rank == 0 and want.element is I1:
                return "tir.all or tir.any makes it one" if got.element is I1 else "tir.cmp gives truth values"
            return cls.of_other_rank
        return conversion_hint(want, got) or "the two must be one type"


def _types(types: Sequence[Type]) -> str:
    return f"({', '.join(map(str, types))})"


class If(Control):
    """Runs one of two regions: `%y = tir.if %c -> (tensor<4xf32>) {.. tir.yield %a ..} else {.. tir.yield %b ..}`.

    condition: a tensor of rank 0. Only the chosen region runs, so an assert in the other cannot fail. Without results
    the second region may be absent. Gradient: that of the region which ran, also for values from outside.
    """

    name = "tir.if"
    runs_one_region: ClassVar[bool] = True  # at most one of them, and once
    of_other_rank = "behind -> stand the types that both regions yield"
    condition = operand(BOOL_TENSOR)
    values = result(ELEMENT_TENSOR, variadic=True)
    then_region = region("tir.yield")
    else_region = region("tir.yield", may_be_empty=True)
    implicit_terminator = Yield
    format = "$condition custom<IfRegions>(type($values), $then_region, $else_region) attr-dict"

    @property
    def blocks(self) -> list[Block]:
        """The regions' blocks: of what runs if the condition is true, and of what runs if not, where there is one."""
        return [region.block for region in (self.then_region, self.else_region) if region.blocks]

    @property
    def chosen(self) -> Block | None:
        """What runs, if the condition is a constant and there is something to run."""
        truth = number_of(self.condition)
        return None if truth is None else next(iter(self.blocks[:1] if truth else self.blocks[1:]), None)

    def verify(self) -> None:
        if self.condition.type.rank != 0:
            fail(self, f"the condition must have rank 0, got {self.condition.type}; tir.all makes it so")
        if self.values and len(self.blocks) < 2:
            fail(self, "with results, both regions must be there")
        for what, block in zip(("the first region", "the else region"), self.blocks):
            self.check_block(what, block, [], [value.type for value in self.values])

    def may_fail(self) -> bool:
        return False

    def edges(self) -> Iterator[Edge]:
        """Into one of the two and out again."""
        for block, truth in zip((*self.blocks, None), (True, False)):
            yield Edge(None, block, (), self.condition, truth)
            if block is not None:
                yield Edge(block, None, self.yielded(block))

    def interpret(self, frame: Frame) -> Steps:
        chosen = self.blocks[:1] if frame[self.condition] else self.blocks[1:]
        return (yield Run(chosen[0])) if chosen else ()


class While(Control):
    """Repeats a region as long as another says so: `%n = tir.while (%i = %zero : tensor<i32>) {..} do {..}`.

    Both regions take the carried values. The first yields a tensor<i1> of rank 0; while it is true, the second yields
    the next carried values, of the same types. The results are the last ones. With `max_trips 100` the loop ends after
    that many steps in any case; only then can it be differentiated in reverse.
    """

    name = "tir.while"
    inits = operand(ELEMENT_TENSOR, variadic=True)
    values = result(ELEMENT_TENSOR, variadic=True)
    condition_region = region("tir.yield")
    body_region = region("tir.yield")
    max_trips = attribute(I64_ATTR, optional=True)
    format = (
        "custom<CarriedValues>($inits, $condition_region) (`max_trips` $max_trips^)? "
        "$condition_region `do` $body_region attr-dict-with-keyword"
    )

    def infer(self) -> Sequence[Type]:
        return [value.type for value in self.inits]

    def verify(self) -> None:
        types = self.infer()
        self.check_block("the condition", self.condition_region.block, types, [TensorType((), I1)])
        self.check_block("the body", self.body_region.block, types, types)
        if self.max_trips is not None and not 0 <= self.max_trips <= MOST_TRIPS:
            fail(self, f"max_trips must be from 0 to {MOST_TRIPS}, got {self.max_trips}")

    def edges(self) -> Iterator[Edge]:
        """Through the condition, and as long as it says so through the body and back; the last trip ends it, too."""
        asked, body = self.condition_region.block, self.body_region.block
        if self.max_trips == 0:
            yield Edge(None, None, self.inits)
            return
        (goes_on,) = self.yielded(asked)
        yield Edge(None, asked, self.inits)
        yield Edge(asked, body, asked.arguments, goes_on, True)
        yield Edge(asked, None, asked.arguments, goes_on, False)
        yield Edge(body, asked, self.yielded(body))
        if self.max_trips is not None:
            yield Edge(body, None, self.yielded(body))

    def interpret(self, frame: Frame) -> Steps:
        carried = [frame[value] for value in self.inits]
        trips = 0
        while self.max_trips is None or trips < self.max_trips:
            (goes_on,) = yield Run(self.condition_region.block, list(carried))
            if not goes_on:
                break
            carried = list((yield Run(self.body_region.block, given_away(carried))))
            trips += 1
        return tuple(carried)


class Scan(Control):
    """Runs a region for each element along axis 0 of sequences, and stacks what it yields.

    `%last, %all = tir.scan (%h = %h0 : tensor<4xf32>) over (%x = %xs : tensor<[T]x4xf32>) -> (tensor<[T]x4xf32>) {..}`

    The region takes the carried values and one element of each sequence (its type without the first size). It yields
    the next carried values, then what is stacked along a new axis 0. Results: the last carried values, then the
    stacks, whose types are written; their sizes must be known before the loop runs, as numbers or names. `reverse`
    goes from the last element to the first; stacks keep the places of the elements. A loop that only counts scans a
    tir.iota. No element: the carried values come out as they went in.

    `truncate k`: a gradient goes back through the last k steps only; `tir.jvp` goes through all. `checkpoint k`: of the
    carried values only those of each k-th step are kept for the gradient, which computes the others anew; the square
    root of the steps keeps least.
    """

    name = "tir.scan"
    inits = operand(ELEMENT_TENSOR, variadic=True)
    sequences = operand(ELEMENT_TENSOR, variadic=True)
    values = result(ELEMENT_TENSOR, variadic=True)
    body_region = region("tir.yield")
    reverse = attribute(UNIT, optional=True)
    truncate = attribute(I64_ATTR, optional=True)
    checkpoint = attribute(I64_ATTR, optional=True)
    format = (
        "custom<ScanHeader>($inits, $sequences, $values, $body_region) (`reverse` $reverse^)? (`truncate` $truncate^)? "
        "(`checkpoint` $checkpoint^)? $body_region attr-dict-with-keyword"
    )

    @property
    def carried(self) -> list[BlockArgument]:
        """The carried values, inside the region."""
        return self.body.arguments[: len(self.inits)]

    @property
    def elements(self) -> list[BlockArgument]:
        """The elements of the sequences, inside the region."""
        return self.body.arguments[len(self.inits) :]

    @property
    def stacks(self) -> Sequence[Value]:
        """The results that are stacked."""
        return self.results[len(self.inits) :]

    @property
    def length(self) -> Dim:
        """The number of steps, as far as the types say it."""
        found: Dim | None = DYNAMIC
        for value in self.sequences:
            found = merge_dims(found, value.type.shape[0])  # type: ignore[arg-type]
        assert found is not None
        return found

    def verify(self) -> None:
        if not self.sequences:
            fail(self, "needs a sequence; one that only counts is a tir.iota")
        self._check_lengths()
        inits, stacks = [value.type for value in self.inits], [value.type for value in self.stacks]
        found = [value.type for value in self.results[: len(inits)]]
        if found != inits:
            fail(self, f"the first results must have the carried types {_types(inits)}, got {_types(found)}")
        for type in stacks:
            if type.rank == 0 or merge_dims(type.shape[0], self.length) is None:  # type: ignore[attr-defined]
                fail(self, f"a stack has one place for each of {dim_text(self.length)} steps along axis 0, got {type}")
            if DYNAMIC in type.shape[1:]:  # type: ignore[attr-defined]
                fail(self, f"the sizes of a stack must be known before the loop, as numbers or names, got {type}")
        takes = inits + [_without_first(value.type) for value in self.sequences]
        gives = inits + [_without_first(type) for type in stacks]
        self.check_block("the region", self.body, takes, gives)
        for name in ("truncate", "checkpoint"):
            number = getattr(self, name)
            if number is not None and number < 1:
                fail(self, f"{name} must be at least 1, got {number}")
        if self.truncate is not None and self.checkpoint is not None:
            fail(self, "truncate and checkpoint exclude each other")

    def may_fail(self) -> bool:
        """Lengths that the types leave open may not agree."""
        sizes = [value.type.shape[0] for value in (*self.sequences, *self.stacks)]
        return DYNAMIC in sizes or len(set(sizes)) > 1

    def edges(self) -> Iterator[Edge]:
        """Around the body; not past it where types say that there is an element, not into it where they say the contrary."""
        count, elements, stacks = len(self.inits), [None] * len(self.sequences), [None] * len(self.stacks)
        length = self.length
        if not isinstance(length, int) or length == 0:
            yield Edge(None, None, [*self.inits, *stacks])
        if length != 0:
            carried = self.yielded(self.body)[:count]
            yield Edge(None, self.body, [*self.inits, *elements])
            yield Edge(self.body, self.body, [*carried, *elements])
            yield Edge(self.body, None, [*carried, *stacks])

    def _check_lengths(self) -> None:
        first = self.sequences[0].type
        for number, value in enumerate(self.sequences):
            if value.type.rank == 0:
                fail(self, f"sequence {number} must have an axis to go along, got {value.type}")
            if merge_dims(first.shape[0], value.type.shape[0]) is None:
                sizes = f"{dim_text(first.shape[0])} (sequence 0) and {dim_text(value.type.shape[0])} (sequence {number})"
                fail(self, f"sequences must have one size along axis 0, got {sizes}")

    def interpret(self, frame: Frame) -> Steps:
        sequences = [frame[value] for value in self.sequences]
        count = len(sequences[0])
        for number, sequence in enumerate(sequences):
            if len(sequence) != count:
                raise ExecutionError(f"{unequal_length(f'sequence {number}')}, got {len(sequence)} and {count}")
        stacks = [self._empty_stack(frame, number, count) for number in range(len(self.stacks))]
        carried = [frame[value] for value in self.inits]
        for i in reversed(range(count)) if self.reverse else range(count):
            elements = [np.asarray(sequence[i]) for sequence in sequences]
            found = yield Run(self.body, [*given_away(carried), *elements])
            carried = list(found[: len(self.inits)])
            for stack, element in zip(stacks, found[len(carried) :]):
                stack[i] = element
        return (*carried, *stacks)

    def _empty_stack(self, frame: Frame, number: int, count: int) -> Any:
        """Room for what is stacked in so many steps."""
        type: Any = self.stacks[number].type
        size_of = named_sizes(self, frame)
        room = count if type.shape[0] is DYNAMIC else evaluate_dim(type.shape[0], size_of)
        if room != count:
            rule = unequal_length("sequence 0", f"result {len(self.inits) + number}")
            raise ExecutionError(f"{rule}, got {count} and {room}")
        return np.empty((count, *(evaluate_dim(dim, size_of) for dim in type.shape[1:])), numpy_dtype(type))


class Checkpoint(Control):
    """Runs its region; a gradient runs it again instead of keeping what it computes.

    `%y = tir.checkpoint -> (tensor<4xf32>) { %a = tir.exp %x : tensor<4xf32>  tir.yield %a : tensor<4xf32> }`

    The gradient keeps what comes into the region alone, and pays for the memory by computing the region twice. Forward
    mode keeps nothing anyway. Where nothing is differentiated, the region is part of the program around it. JAX's
    `jax.checkpoint` ("remat"); of a loop, see `checkpoint` of `tir.scan`.
    """

    name = "tir.checkpoint"
    runs_one_region: ClassVar[bool] = True
    of_other_rank = "behind -> stand the types that the region yields"
    values = result(ELEMENT_TENSOR, variadic=True)
    body_region = region("tir.yield")
    format = "`->` ` ` `(` type($values) `)` $body_region attr-dict-with-keyword"

    def verify(self) -> None:
        self.check_block("the region", self.body, [], [value.type for value in self.values])

    def may_fail(self) -> bool:
        return False

    def edges(self) -> Iterator[Edge]:
        """In and out."""
        yield Edge(None, self.body)
        yield Edge(self.body, None, self.yielded(self.body))

    def interpret(self, frame: Frame) -> Steps:
        return (yield Run(self.body))


def unequal_length(one: str, other: str = "sequence 0") -> str:
    """What is said at run time where two lengths differ."""
    message = f"axis 0 of {one} must have the size of axis 0 of {other}"
    return message


def _without_first(type: Any) -> TensorType:
    """The type of one element along axis 0."""
    return type.with_shape(type.shape[1:])


#: The ops of the family, in the order of the documentation.
OPS = (If, While, Scan, Checkpoint, Yield)
