"""What `vectorize` knows of a loop before it writes anything: how each op goes on lanes, and whether all can.

A value of a loop is uniform (the same in all iterations), linear (an index that grows by one from iteration to iteration),
or anything else, for which there is a vector. Uniform and linear values stay scalars.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from tir.dialects import arith, memref, scf
from tir.dialects.math import IPowI
from tir.ir.flow import known_count, known_number
from tir.ir.ir import Op, Value
from tir.ir.traits import Pure, Terminator
from tir.ir.types import I1, IndexType, MemRefType, Type, VectorType
from tir.passes.memory import Aliases, base_of

__all__ = ["NEUTRAL", "VectorPlan", "plan_of"]

Loop = scf.For | scf.Parallel

FEWEST_LANES, MOST_LANES = 4, 64
#: Elements of fewer bytes have no masked moves on many machines: what is left over then goes one by one.
SMALLEST_MASKED_BYTES = 4
#: Ops in one step of a loop: with fewer, several vectors go side by side.
OPS_OF_A_STEP = 16
MOST_SIDE_BY_SIDE = 4
#: Ops that cost less one by one, for some iterations, than under a mask; and these iterations of a reduction.
FEW_OPS = 6
FEW_ITERATIONS = 8

#: Ops of a step beside which its mask hardly counts.
MANY_OPS = 200

_SCALAR_ONLY = (arith.RemF, IPowI)
#: Reductions -> upstream's kind, and what changes nothing; None for the smallest or largest number of the type.
NEUTRAL: Mapping[type[Op], tuple[str, float | int | None]] = {
    arith.AddF: ("add", -0.0), arith.MulF: ("mul", 1.0),
    arith.MaximumF: ("maximumf", -math.inf), arith.MinimumF: ("minimumf", math.inf),
    arith.MaxNumF: ("maxnumf", math.nan), arith.MinNumF: ("minnumf", math.nan),
    arith.AddI: ("add", 0), arith.MulI: ("mul", 1), arith.AndI: ("and", -1), arith.OrI: ("or", 0), arith.XOrI: ("xor", 0),
    arith.MaxSI: ("maxsi", None), arith.MinSI: ("minsi", None), arith.MaxUI: ("maxui", 0), arith.MinUI: ("minui", -1),
}  # fmt: skip
_ROUNDED = (arith.AddF, arith.MulF)


@dataclass
class VectorPlan:
    """How a loop goes on lanes. counter: the last of the loop. bytes: of a vector. count: of iterations, if it is known.
    masks: the machine has moves under masks.

    linear: values that are scalars and grow by one; varying: values that become vectors. reductions: for each value that
    the loop carries the op that combines it. inner: loops inside, which the lanes go through together.
    """

    loop: Loop
    counter: Value
    bytes: int
    linear: set[Value]
    varying: set[Value]
    reductions: list[Op]
    count: int | None
    masks: bool = True
    inner: list[scf.For] = field(default_factory=list)

    @cached_property
    def all_ops(self) -> list[Op]:
        """The ops of a step, with those of inner loops."""
        return [op for op in self.loop.walk() if op is not self.loop and not isinstance(op, Terminator)]

    @cached_property
    def lanes(self) -> int:
        """A power of two: so many of the largest elements fill a vector; fewer if the loop is short."""
        full = self.bytes // self.element_bytes
        if self.inner:  # one vector is then several: the loops inside should not be
            full *= MOST_SIDE_BY_SIDE // max(1, min(MOST_SIDE_BY_SIDE, max(len(loop.results) for loop in self.inner)))
        full = min(full, MOST_LANES)
        if self.count is not None and self.count < full:
            return max(FEWEST_LANES, 1 << (self.count - 1).bit_length())
        return full

    @cached_property
    def moved(self) -> list[Type]:
        """The elements that are read and written."""
        return [op.memref.type.element for op in self.all_ops if isinstance(op, (memref.Load, memref.Store))]

    @cached_property
    def is_masked(self) -> bool:
        """What is left over of the loop is a vector under a mask."""
        return self.masks and all(_bytes(element) >= SMALLEST_MASKED_BYTES for element in self.moved)

    @cached_property
    def element_bytes(self) -> int:
        computed = [value.type for value in self.varying if not isinstance(value.type, IndexType)]
        return max((_bytes(type) for type in (*self.moved, *computed) if type is not I1), default=1)

    @cached_property
    def ops(self) -> int:
        """How many ops of a step are on lanes."""
        return sum(1 for op in self.all_ops if self.is_on_lanes(op))

    @property
    def is_long(self) -> bool:
        """One body, under a mask, may do for all steps: it has many ops, and there is something left over."""
        if self.ops < MANY_OPS or self.inner or not self.is_masked:
            return False
        return self.count is None or (self.count > self.lanes and self.count % self.lanes > 0)

    @property
    def fewest(self) -> int:
        """With fewer iterations, they go one by one; a step of many ops takes a mask instead, and no code of its own."""
        if not self.is_masked:
            return 0 if self.count is None else self.lanes
        if self.ops > FEW_OPS or self.inner:
            return 0 if self.count is None else FEWEST_LANES
        return min(self.lanes, FEW_ITERATIONS) if self.reductions else self.lanes

    @cached_property
    def side_by_side(self) -> int:
        """How many vectors one step of the main loop does."""
        if self.inner or not self.is_masked:
            return 1
        most = max(1, min(MOST_SIDE_BY_SIDE, OPS_OF_A_STEP // max(1, self.ops)))
        whole = most if self.count is None else max(1, self.count // self.lanes)
        return 1 << (min(most, whole).bit_length() - 1)

    def is_on_lanes(self, op: Op) -> bool:
        """The op becomes one on vectors."""
        if isinstance(op, memref.Store):
            return True
        return any(result in self.varying for result in op.results)

    def can_hoist(self, op: Op) -> bool:
        """What the op computes from values outside of the loop is the same in front of it, and cannot fail there."""
        if isinstance(op, (memref.Store, scf.For)) or op.results[0] in self.varying or op.results[0] in self.linear:
            return False
        if isinstance(op, memref.Load):
            return _is_surely_inside(op) and not any(
                isinstance(other, memref.Store) and Aliases().may_overlap(base_of(op.memref), base_of(other.memref))
                for other in self.all_ops
            )
        return op.name.split(".")[0] in ("arith", "math") or isinstance(op, memref.Dim)


def plan_of(loop: Loop, bytes: int, masks: bool = True) -> VectorPlan | str:
    """The plan, or why there is none. masks: the machine has moves under masks."""
    if reason := _wrong_form(loop):
        return reason
    counter = loop.induction_variable if isinstance(loop, scf.For) else loop.induction_variables[-1]
    bounds = (loop.lowerBound, loop.upperBound, loop.step)
    low, high, step = bounds if isinstance(loop, scf.For) else (bound[-1] for bound in bounds)
    if known_number(step) != 1:
        return "its step is not 1"
    count = known_count(low, high, step)
    plan = VectorPlan(loop, counter, bytes, {counter}, set(), [], None if count is None else int(count), masks)
    if isinstance(loop, scf.For):
        plan.varying.update(loop.iter_args)
    for op in loop.body:
        if op is not loop.body.terminator and (reason := _classified(plan, op)):
            return reason
    if len(plan.inner) > 1:
        return "several loops stand inside"
    reason = _wrong_reductions(plan)
    if reason is None and plan.count is not None and plan.count < plan.fewest:
        reason = f"it has {plan.count} iterations, too few for vectors"
    return reason or plan


def _wrong_form(loop: Loop) -> str | None:
    if scf.THREADS in loop.attributes:
        return "threads share its iterations"
    if isinstance(loop, scf.Parallel):
        return "it combines values" if loop.initVals else None
    if not isinstance(loop.induction_variable.type, IndexType):
        return "its counter is no index"
    if loop.unsignedCmp:
        return "its counter is unsigned"
    return None if loop.iter_args else "its iterations run in order"


def _classified(plan: VectorPlan, op: Op) -> str | None:
    """Notes what the results of the op are; why it cannot be on lanes, if so."""
    if isinstance(op, scf.For):
        return _inner(plan, op)
    if op.regions:
        return f"{op.name} stands inside"
    changing = [value for value in op.operands if value in plan.linear or value in plan.varying]
    if isinstance(op, (memref.Load, memref.Store)):
        return _access(plan, op)
    if not isinstance(op, Pure) or len(op.results) != 1:
        return f"{op.name} stands inside"
    if not changing:
        return None
    if _is_linear(plan, op):
        plan.linear.add(op.results[0])
        return None
    if op.name.split(".")[0] not in ("arith", "math") or isinstance(op, _SCALAR_ONLY):
        return f"{op.name} stands inside"
    plan.varying.add(op.results[0])
    return None


def _inner(plan: VectorPlan, loop: scf.For) -> str | None:
    """A loop inside takes the same steps in all lanes, and what it carries is on lanes."""
    around = plan.loop
    if not isinstance(around, scf.Parallel) or loop.parent is not around.body or not isinstance(loop.step.type, IndexType):
        return "scf.for stands inside"
    if loop.unsignedCmp:
        return "the counter of a loop inside is unsigned"
    if any(value in plan.linear or value in plan.varying for value in (loop.lowerBound, loop.upperBound, loop.step)):
        return "lanes would take different steps"
    if any(isinstance(value.type, (IndexType, MemRefType, VectorType)) for value in loop.initArgs):
        return "scf.for stands inside"
    plan.inner.append(loop)
    plan.varying.update([*loop.iter_args, *loop.results])
    for op in loop.body:
        if op is not loop.body.terminator and (reason := _classified(plan, op)):
            return reason
    return None


def _is_linear(plan: VectorPlan, op: Op) -> bool:
    """The op adds something uniform to an index that grows by one."""
    if not isinstance(op, (arith.AddI, arith.SubI)):
        return False
    counters = [value in plan.linear for value in op.operands]
    if any(value in plan.varying for value in op.operands):
        return False
    return counters == [True, False] or (counters == [False, True] and isinstance(op, arith.AddI))


def _access(plan: VectorPlan, op: memref.Load | memref.Store) -> str | None:
    """The op reads or writes neighbouring elements, or reads one for all lanes."""
    writes = isinstance(op, memref.Store)
    if writes and isinstance(plan.loop, scf.For):
        return "its iterations run in order"
    places = [value for value in op.indices if value in plan.linear or value in plan.varying]
    if op.memref in plan.varying or any(value in plan.varying for value in places):
        return f"{op.name} takes places that are not side by side"
    if not places:
        return f"{op.name} takes one place in all iterations" if writes else None
    if len(places) > 1 or op.indices[-1] is not places[0] or not _has_unit_stride(op.memref.type):
        return f"{op.name} takes places that are not side by side"
    if not writes:
        plan.varying.add(op.results[0])
    return None


def _has_unit_stride(type: Type) -> bool:
    if not isinstance(type, MemRefType) or hasattr(type.layout, "results"):
        return False
    return type.strides_and_offset()[0][-1] == 1


def _wrong_reductions(plan: VectorPlan) -> str | None:
    """Each value that the loop carries is combined with one that does not depend on it, in an order that is free."""
    if not isinstance(plan.loop, scf.For):
        return None
    for argument, value in zip(plan.loop.iter_args, plan.loop.yielded):
        combining = value.op
        users = [use.owner for use in argument.uses]
        if combining is None or users != [combining] or type(combining) not in NEUTRAL or len(set(combining.operands)) < 2:
            return "a step needs what the one before it has made"
        if [use.owner for use in value.uses] != [plan.loop.body.terminator]:
            return "a step needs what the one before it has made"
        if isinstance(combining, _ROUNDED) and not {"reassoc", "fast"} & set(combining.fastmath.split(",")):
            return "its order is part of its result"
        plan.reductions.append(combining)
    return None


def _bytes(type: Type) -> int:
    return 8 if isinstance(type, IndexType) else max(1, type.width // 8)  # type: ignore[attr-defined]


def _is_surely_inside(op: memref.Load) -> bool:
    """The place exists, whether the loop runs or not."""
    places = [known_number(index) for index in op.indices]
    sizes = op.memref.type.shape
    return all(p is not None and isinstance(n, int) and 0 <= p < n for p, n in zip(places, sizes))
