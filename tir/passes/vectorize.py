"""Innermost loops go on in vectors: one step does what neighbouring iterations do, each in a lane of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tir.dialects import scf
from tir.ir import actions
from tir.ir.errors import Location, PassError
from tir.ir.ir import Op
from tir.ir.numerics import accurate
from tir.ir.pass_manager import Pass
from tir.ir.traits import IsolatedFromAbove
from tir.ir.types import VectorType
from tir.passes.vector_loops import write_vector_loop
from tir.passes.vector_plan import VectorPlan, plan_of

__all__ = ["Vectorize"]

#: Bytes of a vector: those of the widest registers there are; machines with narrower ones take several for one.
VECTOR_BYTES = 64
WIDTHS = (16, 32, 64, 128)
MASKS = ("tails", "loops", "none", "auto")
#: With more loops in a function they stay as they are: the time for machine code grows with the square of the loops.
MOST_LOOPS = 100


@dataclass
class Vectorize(Pass):
    """Makes the innermost loops step from vector to vector, with a mask where the last one is not full.

    Needs: the loops level, in which each op is cheap (`expand-math` before it). Leaves: `scf.parallel` and reductions
    (`scf.for` that combines one value in each step with what it carries; others if they stand in a `scf.parallel`, of which
    each lane takes an iteration) whose buffers are read and written side by side along the last axis, or at one place for
    all steps, as loops of `vector` ops over whole vectors and one over what is left, under a mask; where a step has few
    ops, a copy of the loop takes few iterations (`{tir.short}`), and several vectors go side by side. Sums of floats are
    vectorized where they say that their order is free (`fastmath<reassoc>`, from `lower-loops`). Other loops stay as they
    are; `remarks` says why. bytes: of a vector, 16, 32, 64 (so it is) or 128. masks: where they stand: on what is left of a
    loop (`tails`), or on all steps of one that has many ops, whose code is then there once (`loops`), so that machine code
    is made in half the time; or nowhere (`none`), where the machine has no moves under masks, and what is left goes one by
    one. `auto` asks the machine.

        scf.parallel (%i) = (%c0) to (%n) step (%c1) {        scf.parallel (%i) = (%c0) to (%whole) step (%c16) {
          %0 = memref.load %x[%i] : memref<?xf32>       ->      %0 = vector.load %x[%i] : memref<?xf32>, vector<16xf32>
          %1 = arith.negf %0 : f32                              %1 = arith.negf %0 : vector<16xf32>
          memref.store %1, %y[%i] : memref<?xf32>               vector.store %1, %y[%i] : memref<?xf32>, vector<16xf32>
        }                                                     }
                                                              scf.parallel (%i) = (%whole) to (%n) step (%c16) {
                                                                %left = arith.subi %n, %i : index
                                                                %mask = vector.create_mask %left : vector<16xi1>
                                                                %0 = vector.maskedload %x[%i], %mask, %zeros ..
                                                                ..
                                                              }
    """

    name = "vectorize"
    numerics = accurate(2, "sums whose order is free are taken lane by lane")
    statistics = {"vectorize": "loops made loops over vectors"}
    bytes: int = field(default=VECTOR_BYTES, metadata={"choices": WIDTHS})
    masks: str = field(default="tails", metadata={"choices": MASKS})
    asked: Callable[[], str] = field(default_factory=lambda: tails, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.remarks: list[tuple[Location, str]] = []
        if self.bytes not in WIDTHS:
            raise PassError(f"pass {self.name}: option 'bytes' must be 16, 32, 64 or 128, got {self.bytes}")
        if self.masks not in MASKS:
            raise PassError(f"pass {self.name}: option 'masks' must be tails, loops, none or auto, got {self.masks}")

    def run(self, op: Op) -> None:
        self.remarks.clear()
        loops = _innermost(op)
        masks = self.asked() if self.masks == "auto" else self.masks
        numbers = Counter(map(_function_around, loops))
        for loop in loops:
            if numbers[_function_around(loop)] > MOST_LOOPS:
                self.remarks.append((loop.location, f"not vectorized: the function has more than {MOST_LOOPS} loops"))
                continue
            plan = plan_of(loop, self.bytes, masks != "none")
            around = loop.parent_op
            if not isinstance(plan, VectorPlan) and isinstance(around, scf.Parallel):
                wider = plan_of(around, self.bytes, masks != "none")  # the lanes go through this loop together
                plan, loop = (wider, around) if isinstance(wider, VectorPlan) else (plan, loop)
            if not isinstance(plan, VectorPlan):
                self.remarks.append((loop.location, f"not vectorized: {plan}"))
            elif actions.begin("vectorize", loop):
                write_vector_loop(plan, one_body=masks == "loops" and plan.is_long)
                actions.end()


def tails() -> str:
    """What `asked` of the pass is where nobody knows the machine."""
    return "tails"


def _innermost(op: Op) -> Sequence[scf.For | scf.Parallel]:
    """The loops inside the op in which there is no other."""
    loops = [inner for inner in op.walk() if isinstance(inner, (scf.For, scf.Parallel)) and inner is not op]
    around: set[Op | None] = set()
    for loop in reversed(loops):  # what is inside stands behind what is around it
        parent = loop.parent_op
        while parent is not None and parent not in around:
            around.add(parent)
            parent = parent.parent_op
    return [loop for loop in loops if loop not in around and not _is_done(loop)]


def _function_around(loop: Op) -> Op | None:
    return next((op for op in loop.ancestors() if isinstance(op, IsolatedFromAbove)), None)


def _is_done(loop: scf.For | scf.Parallel) -> bool:
    """The loop goes on in vectors already, or is what was left of one."""
    if scf.SHORT in loop.attributes:
        return True
    values = (value for op in loop.body for value in (*op.operands, *op.results))
    return any(isinstance(value.type, VectorType) for value in values)
