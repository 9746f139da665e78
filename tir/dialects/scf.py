"""The scf dialect: loops and conditions with regions.

Loops run in order here, `scf.parallel` too. Where upstream leaves a step of 0 or less undefined, it is an error.
"""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterator, Sequence
from typing import Any, ClassVar

from tir.dialects.numeric import of_type, signed, unsigned
from tir.dialects.tensor import ParallelInsertSlice
from tir.ir.attributes import IntegerAttr, UnitAttr
from tir.ir.define import attribute, operand, region, result
from tir.ir.errors import TirError
from tir.ir.execution import ExecutionError, Frame, Run, given_away, numpy_dtype
from tir.ir.flow import Edge, known_count
from tir.ir.ir import Block, BlockArgument, Op, Value
from tir.ir.kinds import ANY_TENSOR, I64_ARRAY, INDEX_KIND, SIGNLESS_INTEGER, UNIT, exactly, one_of
from tir.ir.registry import Dialect
from tir.ir.traits import ConstantLike, CountedLoop, ParallelLoop, RecursiveEffects, ReturnLike
from tir.ir.types import I1, INDEX, Type
from tir.ir.views import DYNAMIC_INDEX, mixed, verify_mixed
from tir.lazy import np

__all__ = [
    "DIALECT", "SHORT", "THREADS", "Condition", "For", "ForAll", "If", "InParallel", "Parallel", "Reduce", "ReduceReturn",
    "While", "Yield",
]  # fmt: skip

#: The attribute of an scf.parallel whose iterations are worth a thread.
THREADS = "tir.threads"
#: The attribute of an scf.for or scf.parallel that runs few iterations whenever it runs: its body is not worth more code.
SHORT = "tir.short"

Steps = Generator[Any, Any, tuple[Any, ...]]


class Yield(Op, ReturnLike):
    """`scf.yield %a, %b : f32, i1`: hands values to the op around it."""

    name = "scf.yield"
    parent_ops = ("scf.for", "scf.if", "scf.while", "scf.execute_region", "scf.index_switch")
    operands = operand(variadic=True)
    format = "attr-dict ($operands^ `:` type($operands))?"


class For(Op, RecursiveEffects, CountedLoop):
    """`scf.for %i = %low to %high step %s iter_args(%x = %init) -> (f32) { .. }`: a counted loop.

    Runs for i = low, low + s, .. while i < high (compared signed; unsigned with `unsignedCmp`). The body takes i and
    the carried values, and yields their next ones; the results are the last. `{tir.short}` says that it runs few iterations
    whenever it runs, so that its body is not worth more code.
    """

    name = "scf.for"
    lowerBound = operand(one_of(INDEX_KIND, SIGNLESS_INTEGER))
    upperBound = operand(one_of(INDEX_KIND, SIGNLESS_INTEGER))
    step = operand(one_of(INDEX_KIND, SIGNLESS_INTEGER))
    initArgs = operand(variadic=True)
    values = result(variadic=True)
    unsignedCmp = attribute(UNIT, optional=True)
    body_region = region("scf.yield")
    implicit_terminator = Yield
    format = "custom<ForHeader>($unsignedCmp, $lowerBound, $upperBound, $step, $initArgs, $body_region) attr-dict"

    @property
    def induction_variable(self) -> BlockArgument:
        """The counter, inside the body."""
        return self.body.arguments[0]

    @property
    def iter_args(self) -> list[BlockArgument]:
        """The carried values, inside the body."""
        return self.body.arguments[1:]

    @property
    def yielded(self) -> tuple[Value, ...]:
        """The next carried values, inside the body."""
        return self.body.terminator.operands

    def infer(self) -> Sequence[Type]:
        return [value.type for value in self.initArgs]

    def verify(self) -> None:
        bounds = [self.lowerBound.type, self.upperBound.type, self.step.type]
        if len(set(bounds)) != 1:
            raise TirError(f"bounds and step must have one type, got {_types(bounds)}")
        _check_block("the body", self.body, [bounds[0], *self.infer()])
        _check_yield("the loop carries", self.body, self.values)
        _check_marks(self)

    def verify_written(self) -> None:
        """A step that is a constant must be at least 1."""
        _check_steps(self, [self.step])

    def may_fail(self) -> bool:
        """The step may not be at least 1."""
        return not _is_counting(self.step)

    def edges(self) -> Iterator[Edge]:
        """Around the body; not past it where the bounds say that it runs, not into it where they say the contrary."""
        count = known_count(self.lowerBound, self.upperBound, self.step)
        if not count:
            yield Edge(None, None, self.initArgs)
        if count != 0:
            yield Edge(None, self.body, [None, *self.initArgs])
            yield Edge(self.body, self.body, [None, *self.yielded])
            yield Edge(self.body, None, self.yielded)

    def interpret(self, frame: Frame) -> Steps:
        read = unsigned if self.unsignedCmp else signed
        low, high, step = (read(frame[v]) for v in (self.lowerBound, self.upperBound, self.step))
        number, type = low.dtype.type, self.lowerBound.type
        plain = numpy_dtype(type) == low.dtype
        carried = [frame[v] for v in self.initArgs]
        for i in _counted(low, high, step):
            counter = number(i) if plain else of_type(number(i), type)
            carried = list((yield Run(self.body, [counter, *given_away(carried)])))
        return tuple(carried)


class If(Op, RecursiveEffects):
    """`scf.if %c -> (f32) { .. } else { .. }`: runs one of two regions. Without results the second may be absent."""

    name = "scf.if"
    runs_one_region: ClassVar[bool] = True  # at most one of them, and once
    condition = operand(exactly(I1))
    values = result(variadic=True)
    then_region = region("scf.yield")
    else_region = region("scf.yield", may_be_empty=True)
    implicit_terminator = Yield
    format = "$condition custom<IfRegions>(type($values), $then_region, $else_region) attr-dict"

    @property
    def then_block(self) -> Block:
        """What runs if the condition is true."""
        return self.then_region.block

    @property
    def else_block(self) -> Block | None:
        """What runs if the condition is false; None if that is nothing."""
        return self.else_region.block if self.else_region.blocks else None

    def verify(self) -> None:
        if self.values and self.else_block is None:
            raise TirError("with results, both regions must be there")
        for block in filter(None, (self.then_block, self.else_block)):
            _check_block("each region", block, [])
            _check_yield("the op has", block, self.values)

    def may_fail(self) -> bool:
        return False

    def edges(self) -> Iterator[Edge]:
        """Into one of the two and out again."""
        for block, truth in ((self.then_block, True), (self.else_block, False)):
            yield Edge(None, block, (), self.condition, truth)
            if block is not None:
                yield Edge(block, None, block.terminator.operands)

    def interpret(self, frame: Frame) -> Steps:
        chosen = self.then_block if frame[self.condition] else self.else_block
        return (yield Run(chosen)) if chosen is not None else ()


class Condition(Op, ReturnLike):
    """`scf.condition(%c) %x : f32`: goes on with the loop if the condition is true; the values go on either way."""

    name = "scf.condition"
    parent_ops = ("scf.while",)
    condition = operand(exactly(I1))
    args = operand(variadic=True)
    format = "`(` $condition `)` attr-dict ($args^ `:` type($args))?"


class While(Op, RecursiveEffects):
    """`scf.while (%x = %init) : (f32) -> f32 { .. } do { .. }`: a loop with its condition in front.

    `before` takes the carried values and ends in `scf.condition`. While that is true its values go through `after`,
    which yields the next carried values; when it is false they are the results.
    """

    name = "scf.while"
    inits = operand(variadic=True)
    values = result(variadic=True)
    before = region("scf.condition")
    after = region("scf.yield")
    format = (
        "custom<WhileHeader>($inits, $before) `:` functional-type($inits, $values) "
        "$before `do` $after attr-dict-with-keyword"
    )

    def verify(self) -> None:
        condition = self.before.block.terminator
        if not isinstance(condition, Condition):
            raise TirError(f"the first region must end in scf.condition, got {condition.name}")
        _check_block("the first region", self.before.block, [v.type for v in self.inits])
        _check_block("the second region", self.after.block, [v.type for v in self.values])
        if [v.type for v in condition.args] != [v.type for v in self.values]:
            raise TirError(f"scf.condition must hand on {_types_of(self.values)}, got {_types_of(condition.args)}")
        _check_yield("the loop carries", self.after.block, self.inits)

    def edges(self) -> Iterator[Edge]:
        """Through `before`, and as long as the condition says so through `after` and back."""
        before, after = self.before.block, self.after.block
        condition: Condition = before.terminator
        yield Edge(None, before, self.inits)
        yield Edge(before, after, condition.args, condition.condition, True)
        yield Edge(before, None, condition.args, condition.condition, False)
        yield Edge(after, before, after.terminator.operands)

    def interpret(self, frame: Frame) -> Steps:
        carried = [frame[v] for v in self.inits]
        while True:
            more, *values = yield Run(self.before.block, given_away(carried))
            if not more:
                return tuple(values)
            carried = list((yield Run(self.after.block, given_away(values))))


class ReduceReturn(Op, ReturnLike):
    """`scf.reduce.return %x : f32`: the combination of two values."""

    name = "scf.reduce.return"
    parent_ops = ("scf.reduce",)
    value = operand()
    format = "$value attr-dict `:` type($value)"


class Reduce(Op, ReturnLike, RecursiveEffects):
    """`scf.reduce(%x : f32) { ^bb0(%a: f32, %b: f32): .. }`: ends an `scf.parallel`, and says how to combine values."""

    name = "scf.reduce"
    parent_ops = ("scf.parallel",)
    operands = operand(variadic=True)
    reductions = region("scf.reduce.return", variadic=True)
    format = "(`(` $operands^ `:` type($operands) `)`)? $reductions attr-dict"

    def verify(self) -> None:
        if len(self.operands) != len(self.regions):
            raise TirError(f"needs a region for each value, got {len(self.regions)} for {len(self.operands)}")
        for i, (value, combiner) in enumerate(zip(self.operands, self.regions)):
            _check_block(f"region {i}", combiner.block, [value.type, value.type])
            end = combiner.block.terminator
            if not isinstance(end, ReduceReturn) or end.value.type is not value.type:
                raise TirError(f"region {i} must end in scf.reduce.return of {value.type}")

    def may_fail(self) -> bool:
        return False


class Parallel(Op, RecursiveEffects, ParallelLoop):
    """`scf.parallel (%i, %j) = (..) to (..) step (..) init (%x) -> f32 { .. }`: iterations in any order.

    The body ends in `scf.reduce`, whose values are combined with `init`; here in the order of the loops.
    `{tir.threads}` says that iterations are worth a thread: they may run at the same time, and combine no values;
    `{tir.short}` that there are few of them whenever it runs.
    """

    name = "scf.parallel"
    lowerBound = operand(INDEX_KIND, variadic=True)
    upperBound = operand(INDEX_KIND, variadic=True)
    step = operand(INDEX_KIND, variadic=True)
    initVals = operand(variadic=True)
    values = result(variadic=True)
    body_region = region("scf.reduce")
    implicit_terminator = Reduce
    format = "custom<ParallelHeader>($lowerBound, $upperBound, $step, $initVals, type($values), $body_region) attr-dict"

    @property
    def induction_variables(self) -> list[BlockArgument]:
        """The counters, inside the body."""
        return self.body.arguments

    @property
    def rank(self) -> int:
        """How many loops there are."""
        return len(self.lowerBound)

    @property
    def reduce(self) -> Reduce:
        """The op that ends the body."""
        return self.body.terminator  # type: ignore[return-value]

    def infer(self) -> Sequence[Type]:
        return [value.type for value in self.initVals]

    def verify(self) -> None:
        counts = [len(self.lowerBound), len(self.upperBound), len(self.step)]
        if len(set(counts)) != 1 or not counts[0]:
            raise TirError(f"needs as many lower bounds as upper bounds and steps, and at least one, got {counts}")
        _check_block("the body", self.body, [INDEX] * self.rank)
        _check_marks(self)
        if THREADS in self.attributes and self.initVals:
            raise TirError(f"{THREADS}: iterations on several threads combine no values, got {len(self.initVals)}")
        end = self.body.terminator
        if not isinstance(end, Reduce):
            raise TirError(f"the body must end in scf.reduce, got {end.name}")
        if [v.type for v in end.operands] != self.infer():
            raise TirError(f"scf.reduce must combine {_types_of(self.initVals)}, got {_types_of(end.operands)}")

    def verify_written(self) -> None:
        """Steps that are constants must be at least 1."""
        _check_steps(self, self.step)

    def may_fail(self) -> bool:
        """A step may not be at least 1."""
        return not all(map(_is_counting, self.step))

    def edges(self) -> Iterator[Edge]:
        """Around the body; what is combined is computed on the way."""
        counts = [known_count(*loop) for loop in zip(self.lowerBound, self.upperBound, self.step)]
        if not all(counts):
            yield Edge(None, None, self.initVals)
        if 0 not in counts:
            for source in (None, self.body):
                yield Edge(source, self.body, [None] * self.rank)
            yield Edge(self.body, None, [None] * len(self.results))

    def interpret(self, frame: Frame) -> Steps:
        bounds = zip(self.lowerBound, self.upperBound, self.step)
        loops = [_counted(frame[low], frame[high], frame[step]) for low, high, step in bounds]
        combined = [frame[v] for v in self.initVals]
        for point in itertools.product(*loops):
            values = yield Run(self.body, [np.int64(i) for i in point])
            for i, value in enumerate(values):
                (combined[i],) = yield Run(self.reduce.regions[i].block, [combined[i], value])
        return tuple(combined)


def _check_marks(loop: Op) -> None:
    """The loop is marked by attributes without a value."""
    for name in (THREADS, SHORT):
        if not isinstance(loop.attributes.get(name, UnitAttr()), UnitAttr):
            raise TirError(f"{name} must have no value, got {loop.attributes[name]}")


class InParallel(Op, ReturnLike):
    """`scf.forall.in_parallel { .. }`: ends an `scf.forall`, and says in its region what an iteration writes."""

    name = "scf.forall.in_parallel"
    parent_ops = ("scf.forall",)
    body_region = region()
    format = "$body_region attr-dict"

    def verify(self) -> None:
        loop = self.parent_op
        for op in self.body_region.block:
            if not isinstance(op, ParallelInsertSlice):
                raise TirError(f"may only have tensor.parallel_insert_slice inside, got {op.name}")
            if isinstance(loop, ForAll) and op.dest not in loop.shared_outs:
                raise TirError("each tensor that is written must be one of shared_outs of the scf.forall around")

    def may_fail(self) -> bool:
        return False


class ForAll(Op, RecursiveEffects):
    """`scf.forall (%i) in (%n) shared_outs(%o = %init) -> (tensor<?x4xf32>) { .. }`: each iteration makes a part of results.

    Iterations may run in any order. Bounds are (%i) in (%n), from 0 on in steps of 1, or (%i) = (0) to (%n) step (64);
    each is an integer or a value. The body takes the counters and the tensors that all iterations share, and ends in
    `scf.forall.in_parallel`, which says the parts that it writes. A result is `init` with these parts replaced; two
    iterations must not write one element. What the body reads of a shared tensor is what stood there before the loop.
    """

    name = "scf.forall"
    dynamicLowerBound = operand(INDEX_KIND, variadic=True)
    dynamicUpperBound = operand(INDEX_KIND, variadic=True)
    dynamicStep = operand(INDEX_KIND, variadic=True)
    outputs = operand(ANY_TENSOR, variadic=True)
    values = result(ANY_TENSOR, variadic=True)
    staticLowerBound = attribute(I64_ARRAY)
    staticUpperBound = attribute(I64_ARRAY)
    staticStep = attribute(I64_ARRAY)
    body_region = region("scf.forall.in_parallel")
    implicit_terminator = InParallel
    format = (
        "custom<ForAllHeader>($dynamicLowerBound, $dynamicUpperBound, $dynamicStep, $outputs, $staticLowerBound, "
        "$staticUpperBound, $staticStep, $body_region) attr-dict"
    )

    @property
    def rank(self) -> int:
        """How many loops there are."""
        return len(self.staticUpperBound)

    @property
    def counters(self) -> list[BlockArgument]:
        """The counters, inside the body."""
        return self.body.arguments[: self.rank]

    @property
    def shared_outs(self) -> list[BlockArgument]:
        """The tensors that all iterations share, inside the body."""
        return self.body.arguments[self.rank :]

    @property
    def mixed_bounds(self) -> list[tuple[int | Value, int | Value, int | Value]]:
        """The first number, the end and the step of each loop."""
        lists = (
            (self.staticLowerBound, self.dynamicLowerBound), (self.staticUpperBound, self.dynamicUpperBound),
            (self.staticStep, self.dynamicStep),
        )  # fmt: skip
        return list(zip(*(mixed(static, dynamic) for static, dynamic in lists)))

    @property
    def parts(self) -> list[ParallelInsertSlice]:
        """What an iteration writes."""
        return list(self.body.terminator.body_region.block)  # type: ignore[attr-defined]

    def infer(self) -> Sequence[Type]:
        return [value.type for value in self.outputs]

    def verify(self) -> None:
        if not self.rank:
            raise TirError("needs at least one loop")
        for what, static, dynamic in (
            ("lower bounds", self.staticLowerBound, self.dynamicLowerBound),
            ("upper bounds", self.staticUpperBound, self.dynamicUpperBound),
            ("steps", self.staticStep, self.dynamicStep),
        ):
            verify_mixed(what, static, dynamic, self.rank)
        _check_block("the body", self.body, [INDEX] * self.rank + [value.type for value in self.outputs])
        end = self.body.terminator
        if not isinstance(end, InParallel):
            raise TirError(f"the body must end in scf.forall.in_parallel, got {end.name}")

    def verify_written(self) -> None:
        """Steps that are constants must be at least 1."""
        for step in self.staticStep:
            if step != DYNAMIC_INDEX and step <= 0:
                raise TirError(f"{self.name}: the step must be at least 1, got {step}", self.location)
        _check_steps(self, self.dynamicStep)

    def may_fail(self) -> bool:
        """A step may not be at least 1."""
        return not all(map(_is_counting, self.dynamicStep))

    def edges(self) -> Iterator[Edge]:
        """Around the body; the results are put together on the way."""
        if 0 not in self.staticUpperBound or any(self.staticLowerBound):
            for source in (None, self.body):
                yield Edge(source, self.body, [None] * len(self.body.arguments))
            yield Edge(self.body, None, [None] * len(self.results))
        yield Edge(None, None, [None] * len(self.results))

    def interpret(self, frame: Frame) -> Steps:
        loops = [_counted(*(n if isinstance(n, int) else frame[n] for n in loop)) for loop in self.mixed_bounds]
        inits = [frame[v] for v in self.outputs]
        made = dict(zip(self.shared_outs, map(np.array, inits)))
        for point in itertools.product(*loops):
            yield Run(self.body, [*(np.int64(i) for i in point), *inits])
            for part in self.parts:
                numbers = [frame[v] for v in (*part.offsets, *part.sizes, *part.strides)]
                part.write(frame[part.source], made[part.dest], numbers)
        return tuple(made.values())


def _check_steps(op: Op, steps: Sequence[Value]) -> None:
    for step in steps:
        value = step.op.properties.get("value") if isinstance(step.op, ConstantLike) else None
        if isinstance(value, IntegerAttr) and value.value <= 0:
            notes = [("it is defined here", step.op.location)]
            raise TirError(f"{op.name}: the step must be at least 1, got {value.value}", op.location, notes)


def _is_counting(step: Value) -> bool:
    """The step is a constant, which is verified to be at least 1."""
    return isinstance(step.op, ConstantLike)


def _counted(low: Any, high: Any, step: Any) -> range:
    if step <= 0:
        raise ExecutionError(f"the step must be at least 1, got {step}")
    return range(int(low), int(high), int(step))


def _check_block(what: str, block: Block, want: Sequence[Type]) -> None:
    got = [argument.type for argument in block.arguments]
    if got != list(want):
        raise TirError(f"{what} must take {_types(want)}, got {_types(got)}")


def _check_yield(what: str, block: Block, values: Sequence[Value]) -> None:
    end = block.terminator
    if not isinstance(end, Yield):
        raise TirError(f"the region must end in scf.yield, got {end.name}")
    if [v.type for v in end.operands] != [v.type for v in values]:
        raise TirError(f"{what} {_types_of(values)}, but the region yields {_types_of(end.operands)}")


def _types(types: Sequence[Type]) -> str:
    return f"({', '.join(map(str, types))})"


def _types_of(values: Sequence[Value]) -> str:
    return _types([value.type for value in values])


DIALECT = Dialect(
    "scf",
    "Loops and conditions with regions.",
    (For, If, While, Condition, Yield, Parallel, Reduce, ReduceReturn, ForAll, InParallel),
)
