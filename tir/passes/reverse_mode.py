"""Reverse mode: adjoints of values from those of what is computed from them. Part of `autodiff`."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from tir.dialects.func import Call
from tir.dialects.tir.base import NotDifferentiable
from tir.dialects.tir.builder import Tensor, TensorBuilder
from tir.dialects.tir.control import Control
from tir.dialects.tir.control_gradients import backward, differentiable_form, inputs_of
from tir.dialects.tir.markers import StopGradient
from tir.dialects.tir.state import Derivative
from tir.ir.errors import NameLocation, PassError
from tir.ir.ir import Block, Op, Value
from tir.ir.traits import is_removable
from tir.ir.types import FloatType, element_type

__all__ = ["Reverse", "Steps", "check_differentiable", "drop_unused", "path_between"]

#: What computes derivatives asks for those inside of regions by yielding more of its kind, so that nothing recurses.
Steps = Generator[Any, Any, "list[Tensor | None]"]


def drop_unused(first: Op | None, last: Op | None) -> None:
    """Erases the ops from `first` to `last` of a block that nothing uses."""
    while last is not None:
        op, last = last, None if last is first else last.previous
        if not op.is_used and is_removable(op):
            op.erase()


class Reverse:
    """Reverse mode in one block, up to the insertion point of `b`; regions are differentiated in turn.

    place: the op that asks, for errors. within: where `b` builds elsewhere than in the block that is differentiated,
    such as in a loop behind it: this block, and the op in front of which it counts.
    """

    def __init__(self, b: TensorBuilder, place: Derivative, within: tuple[Block, Op | None] | None = None) -> None:
        self.b, self.place = b, place
        self.within = within
        self.adjoints = _Adjoints(b)
        self._depends: set[Value] = set()

    def steps(self, seeds: Sequence[tuple[Value, Tensor]], wrt: Sequence[Value], constants: Sequence[Value] = ()) -> Steps:
        """The adjoints of `wrt`, None where it is 0, from those of other values of the block.

        constants: results of leaves whose operands get nothing from them.
        """
        path = self._differentiable_path([value for value, _ in seeds], wrt, constants)
        for value, part in seeds:
            self.adjoints.add(value, self.b.tensor(part))
        for op in path:
            check_differentiable(op, self.place)
        for op in reversed(path):
            self.b.location = NameLocation(f"gradient of {op.name}", op.location)
            given = [self.adjoints.of(result) for result in op.results]
            if all(g is None for g in given):
                continue
            parts = (yield self._region_parts(op, given)) if isinstance(op, Control) else _parts(op, self.b, given)
            for value, part in parts:
                self.adjoints.add(value, part)
        self.b.location = self.place.location
        return [self.adjoints.of(value) for value in wrt]

    def _region_parts(self, op: Control, given: Sequence[Tensor | None]) -> Generator[Any, Any, Any]:
        """What an op with regions hands back; it asks for the adjoints inside its regions."""
        steps = backward(op, self, given)
        answer: Any = None
        while True:
            try:
                request = steps.send(answer)
            except StopIteration as done:
                return done.value
            answer = yield Reverse(self.builder(request.block), self.place).steps(request.seeds, request.wrt)

    # --- what `backward` sees of the pass ----------------------------------------------------------------------------

    def depends(self, value: Value) -> bool:
        return value in self._depends and isinstance(element_type(value.type), FloatType)

    def builder(self, block: Block) -> TensorBuilder:
        return TensorBuilder(block, None, self.b.location)

    def drop_unused(self, block: Block) -> None:
        drop_unused(block.first, block.last)

    # --- the ops that matter -----------------------------------------------------------------------------------------

    def _differentiable_path(self, needed: Sequence[Value], wrt: Sequence[Value], constants: Sequence[Value]) -> list[Op]:
        """The path to the values, of ops that have a gradient."""
        block, stop = self.within or (self.b.block, self.b.anchor)
        assert block is not None
        while True:
            path, self._depends = path_between(block, stop, wrt, needed, constants)
            replaced = False
            for op in path:
                new = differentiable_form(op, TensorBuilder(op.parent, op, op.location))
                if new is not None:
                    op.hand_over(new)  # type: ignore[arg-type]
                    replaced = True
            if not replaced:
                return path


def path_between(
    block: Block, stop: Op | None, wrt: Sequence[Value], needed: Sequence[Value], constants: Sequence[Value] = ()
) -> tuple[list[Op], set[Value]]:
    """The ops of the block in front of `stop` between `wrt` and `needed`, in order; and all that depends on `wrt`.

    Not through what makes the constants.
    """
    depending: list[Op] = []
    depends = set(wrt)
    ends = {value.op for value in constants}
    for op in block:
        if op is stop:
            break
        if not isinstance(op, StopGradient) and op not in ends and not depends.isdisjoint(inputs_of(op)):
            depending.append(op)
            depends.update(op.results)
    wanted = set(needed)
    path = []
    for op in reversed(depending):
        if not wanted.isdisjoint(op.results):
            path.append(op)
            wanted.update(inputs_of(op))
    return path[::-1], depends


def check_differentiable(op: Op, place: Derivative) -> None:
    if isinstance(op, Control):
        return
    rule = getattr(op, "grad", NotDifferentiable("tir knows no rule for it"))
    if isinstance(rule, NotDifferentiable):
        note = (f"it lies on the way from wrt of this {place.name}", place.location)
        hint = "run the pass inline first" if isinstance(op, Call) else None
        raise PassError(f"{op.name} has no gradient: {rule.why}", op.location, [note], hint)


def _parts(op: Op, b: TensorBuilder, given: Sequence[Tensor | None]) -> list[tuple[Value, Tensor]]:
    """What the op hands back from the adjoint of its result to those of its operands.

    An op with several results gets a list of adjoints, None for a result that the cost does not depend on. Parts for
    operands that do not depend on `wrt` are never asked for, and dropped in the end.
    """
    operands = op.operands
    g = given if len(given) > 1 else given[0]
    parts = op.grad(b, g, *(Tensor(b, value) for value in operands))  # type: ignore[attr-defined]
    assert len(parts) == len(operands), f"{op.name}: grad gives {len(parts)} parts for {len(operands)} operands"
    return [(value, part) for value, part in zip(operands, parts) if part is not None]


class _Adjoints:
    """The derivative of the cost by each value, as the parts that its uses hand back."""

    def __init__(self, b: TensorBuilder) -> None:
        self.b = b
        self.parts: dict[Value, list[Tensor]] = {}

    def add(self, value: Value, part: Tensor) -> None:
        """One more part."""
        self.parts.setdefault(value, []).append(part)

    def of(self, value: Value) -> Tensor | None:
        """The sum of the parts, in the type of the value; None if there are none. Later parts are lost."""
        parts = self.parts.get(value)
        if parts is None:
            return None
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        if total.type is not value.type:
            # A size that is `?` in one of the two and known in the other.
            total = self.b.reshape(total, self.b.shape(value))
        if total.value.hint is None and value.hint is not None:
            total.value.hint = f"d_{value.hint}"
        self.parts[value] = [total]
        return total
