"""Loop-invariant code motion: what is the same in each step of a loop is computed once, in front of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from tir.dialects import memref
from tir.dialects.tir.state import Derivative
from tir.ir import actions
from tir.ir.errors import Location
from tir.ir.flow import edges_of, is_loop, surely_run
from tir.ir.garbage import collector_relaxed
from tir.ir.ir import Block, Op, Region, Value
from tir.ir.numerics import EXACT
from tir.ir.pass_manager import Pass
from tir.ir.traits import Effects, RecursiveEffects, Symbol, Terminator
from tir.passes.memory import Accesses, Aliases, accesses_inside, base_of, buffers_of, users_of

__all__ = ["Licm"]


@dataclass
class Licm(Pass):
    """Moves ops that compute the same in each step out of loops, in front of the outermost that they can leave.

    Needs: any level; the loops are those of `tir` and `scf`. What moves: ops, whole branches and loops among them, that do
    nothing but compute, from values made outside; reads of buffers that nothing in the loop may write. In a loop that may
    not run, an op that can fail (an index that may be outside, sizes that may differ) stays, and so it does behind what
    may end the program in another way. What lies between a `tir.grad` and its variables stays in their block.

        scf.for %i = %zero to %n step %one {              %0 = math.exp %x : f32
          %0 = math.exp %x : f32                    ->    scf.for %i = %zero to %n step %one {
          memref.store %0, %m[%i] : memref<?xf32>           memref.store %0, %m[%i] : memref<?xf32>
        }                                                 }
    """

    name = "licm"
    numerics = EXACT
    statistics = {"hoist": "ops moved out of loops"}

    def __post_init__(self) -> None:
        self.remarks: list[tuple[Location, str]] = []

    def run(self, op: Op) -> None:
        with collector_relaxed():
            self.remarks[:] = _Motion(op).run()


class _Motion:
    """Goes through the ops in the order of the text, an op with regions behind what is in it.

    So what an op needs has moved before it, and a loop moves without what could leave it. depth: of each block, how many
    are around it. disturbed: blocks of which what has been passed can end the program or change something. calm_below: of
    an op with regions the depth below which the blocks around it were not disturbed when it began. first: of each loop the
    block that runs first whenever the loop runs. places: where what cannot fail goes from a block, by the depth of what it
    needs.
    """

    def __init__(self, root: Op) -> None:
        self.root = root
        self.inside: dict[Op, _Summary] = {}
        self.depth: dict[Block, int] = {}
        self.disturbed: set[Block] = set()
        self.calm_below: dict[Op, int] = {}
        self.first: dict[Op, Block | None] = {}
        self.accesses: dict[Op, Accesses] = {}
        self.aliases = Aliases()
        self.places: dict[tuple[Block, int], Op | None] = {}
        self.remarks: list[tuple[Location, str]] = []

    def run(self) -> list[tuple[Location, str]]:
        """Moves what can move; sentences about what is the same in each step and yet stays."""
        pending = [(self.root, False)]
        while pending:
            op, is_entered = pending.pop()
            if is_entered or not op.regions:
                self.leave(op)
                continue
            self.enter(op)
            pending.append((op, True))
            for region in reversed(op.regions):
                for block in reversed(region.blocks):
                    pending += [(inner, False) for inner in block.reversed_ops()]
        return self.remarks

    def enter(self, op: Op) -> None:
        """Notes the blocks of the op."""
        depth = 0 if op.parent is None else self.depth.get(op.parent, -1) + 1
        for region in op.regions:
            self.depth.update(dict.fromkeys(region.blocks, depth))
        edges = edges_of(op)
        if edges is not None and is_loop(edges):
            self.first[op] = None if op.may_fail() else surely_run(edges)  # type: ignore[attr-defined]
        self.inside[op] = _Summary(Effects.NONE, False, set())
        disturbed = next((block for block in self.blocks_around(op) if block in self.disturbed), None)
        self.calm_below[op] = -1 if disturbed is None else self.depth.get(disturbed, -1)
        self.note_effects(op)

    def leave(self, op: Op) -> None:
        """Moves the op, and notes for the one around it what it does."""
        if op is self.root:
            return
        summary = _own_summary(op)
        if op.regions:
            inside = self.inside[op]
            summary.values |= {value for value in inside.values if _region_of(value) not in op.regions}
            summary.effects |= inside.effects if isinstance(op, RecursiveEffects) else Effects.NONE
            summary.can_fail |= inside.can_fail
        self.move(op, summary)
        if not op.regions:
            self.note_effects(op)
        if (around := self.inside.get(op.parent_op)) is not None:  # type: ignore[arg-type]
            around.values |= summary.values
            around.effects |= summary.effects
            around.can_fail |= summary.can_fail

    def blocks_around(self, op: Op) -> Iterator[Block]:
        """The blocks in which the op stands, the nearest first."""
        block = op.parent
        while block is not None:
            yield block
            around = block.parent_op
            block = around.parent if around is not None and around is not self.root else None

    def move(self, op: Op, summary: _Summary) -> None:
        """Moves the op in front of the outermost loop that it can leave."""
        if op.parent_op not in self.first or isinstance(op, (Terminator, Symbol, Derivative)):
            return
        if summary.effects & ~Effects.READ or _is_held(op):
            return
        needed = max((self.depth[value.block] for value in summary.values), default=0)  # type: ignore[index]
        place = self.place_of(op, summary, needed)
        if place is not None and actions.begin("hoist", op):
            if op.regions:  # the blocks that it leaves are as they were when it began
                left = itertools.takewhile(lambda block: block is not place.parent, self.blocks_around(op))
                self.disturbed.difference_update(block for block in left if self.depth[block] > self.calm_below[op])
            op.move_before(place)
            actions.end()

    def place_of(self, op: Op, summary: _Summary, needed: int) -> Op | None:
        """The outermost loop that the op can leave, if what it uses stands in blocks of depth `needed` at most."""
        inside, loop = op.parent, op.parent_op
        assert inside is not None
        is_free = summary.effects is Effects.NONE and not summary.can_fail
        if is_free and (inside, needed) in self.places:
            return self.places[inside, needed]
        place: Op | None = None
        while loop in self.first and loop is not None and inside is not None and loop.parent is not None:
            if needed > self.depth.get(loop.parent, -1) or not (is_free or self.can_leave(op, summary, loop, inside)):
                break
            place, inside, loop = loop, loop.parent, loop.parent_op
        if is_free:
            assert op.parent is not None
            self.places[op.parent, needed] = place
        return place

    def can_leave(self, op: Op, summary: _Summary, loop: Op, inside: Block) -> bool:
        """The op, whose operands are there in front of the loop, gives the same there, and fails only if it would here."""
        is_calm = self.depth[inside] > self.calm_below[op] if op.regions else inside not in self.disturbed
        surely = is_calm and self.first[loop] is inside
        if not surely and summary.can_fail:
            return self.stays(op, "it can fail, and does not run first in each case")
        if summary.effects & Effects.READ:
            buffers = {base_of(value) for inner in op.walk() for value in buffers_of(inner.operands)}
            if any(self.written_in(loop).may_write(base, self.aliases) for base in buffers):
                return self.stays(op, "what it reads may be written in the loop")
            if not surely and any(_is_freed(base) for base in buffers):
                return self.stays(op, "what it reads may have been freed if the loop does not run")
        return True

    def stays(self, op: Op, why: str) -> bool:
        self.remarks.append((op.location, f"not moved out of the loop: {why}"))
        return False

    def written_in(self, loop: Op) -> Accesses:
        """What the loop writes; looked up when something is read for the first time."""
        if not self.accesses:
            self.accesses = accesses_inside(self.root)
        return self.accesses[loop]

    def note_effects(self, op: Op) -> None:
        """Behind an op that can fail or does something, nothing that can fail may be moved in front of it."""
        own = _own_summary(op)
        if own.effects & (Effects.WRITE | Effects.UNKNOWN) or own.can_fail:
            self.disturbed.update(itertools.takewhile(lambda block: block not in self.disturbed, self.blocks_around(op)))


def _is_held(op: Op) -> bool:
    """Something must find the results in the block of the op, or there are none."""
    return not op.results or any(isinstance(user, Derivative) for value in op.results for user in value.users)


@dataclass
class _Summary:
    """What an op with all inside it does, whether it can fail, and the values that it takes from outside."""

    effects: Effects
    can_fail: bool
    values: set[Value]


def _own_summary(op: Op) -> _Summary:
    """The same of what the op does by itself."""
    effects = op.own_effects if isinstance(op, RecursiveEffects) else getattr(op, "effects", Effects.UNKNOWN)
    return _Summary(effects, not hasattr(op, "may_fail") or op.may_fail(), set(op.operands))


def _region_of(value: Value) -> Region | None:
    return value.block.parent if value.block is not None else None


def _is_freed(base: Value) -> bool:
    return any(isinstance(user, memref.Dealloc) for _, user in users_of(base))
