"""`autodiff`: expands `tir.grad` into the ops that compute the gradients."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

from tir.dialects.func import Call
from tir.dialects.tir.base import NotDifferentiable
from tir.dialects.tir.builder import Tensor, TensorBuilder
from tir.dialects.tir.control import Control
from tir.dialects.tir.control_gradients import backward, differentiable_form, inputs_of
from tir.dialects.tir.state import Grad, Leaf
from tir.ir import actions
from tir.ir.errors import NameLocation, PassError
from tir.ir.garbage import collector_relaxed
from tir.ir.ir import Block, Op, Value
from tir.ir.numerics import EXACT
from tir.ir.pass_manager import Pass
from tir.ir.traits import is_removable
from tir.ir.types import FloatType, element_type

__all__ = ["Autodiff", "expand_gradients"]


@dataclass
class Autodiff(Pass):
    """Expands each `tir.grad` into ops, in reverse mode, and drops each `tir.leaf`.

    Needs: each op between `wrt` and cost is of the tensor level and has a gradient; PassError names one that has none.
    Leaves: no `tir.grad` and no `tir.leaf`; only ops that some gradient uses. Must run before anything that fuses or
    lowers. A gradient of a gradient is expanded in the order of the text, the inner one first.

        %l = tir.leaf %x : tensor<4xf32>
        %y = tir.exp %l : tensor<4xf32>
        %cost = tir.sum %y over [0] : tensor<f32>
        %g = tir.grad %cost wrt (%l) : tensor<4xf32>

    becomes

        %y = tir.exp %x : tensor<4xf32>
        %cost = tir.sum %y over [0] : tensor<f32>
        %d_cost = tir.full 1.0 : f32 -> tensor<f32>
        %d_y = tir.broadcast %d_cost along [] : tensor<f32> -> tensor<4xf32>
        %g = tir.mul %d_y, %y : tensor<4xf32>
    """

    name = "autodiff"
    numerics = EXACT
    statistics = {"expand": "gradients expanded"}

    def run(self, op: Op) -> None:
        with collector_relaxed():
            expand_gradients(op)


def expand_gradients(root: Op) -> None:
    """Expands each `tir.grad` inside `root`, then drops each `tir.leaf`."""
    for op in list(root.walk()):
        if isinstance(op, Grad) and actions.begin("expand", op):
            _expand(op)
            actions.end()
    for op in list(root.walk()):
        # A gradient that was left out still needs its leaves.
        if isinstance(op, Leaf) and not any(isinstance(user, Grad) for user in op.result.users):
            op.replace_with([op.x])


def _expand(grad: Grad) -> None:
    """Puts the gradients in the place of one `tir.grad`."""
    start, end, block = grad.previous, grad.next, grad.parent
    assert block is not None
    b = TensorBuilder(block, grad, grad.location)
    seed = (grad.cost, b.full_like(grad.cost, 1))
    gradients = _drive(_Backward(b, grad).steps([seed], grad.wrt))
    found = []
    for value, result, gradient in zip(grad.wrt, grad.results, gradients):
        if gradient is None:
            gradient = b.full_like(value, 0)
        found.append(gradient)
        gradient.value.hint = result.hint or gradient.value.hint
    grad.replace_with([gradient.value for gradient in found])
    _drop_unused(start, block.last if end is None else end.previous)


def _drop_unused(start: Op | None, last: Op | None) -> None:
    """Erases the ops behind `start` up to `last` that nothing uses."""
    while last is not start:
        assert last is not None
        op, last = last, last.previous
        if not op.is_used and is_removable(op):
            op.erase()


def _drive(first: _Steps) -> list[Tensor | None]:
    """What `first` returns. The stack holds the blocks that are being differentiated, and the ops around them."""
    stack: list[Generator[Any, Any, Any]] = [first]
    answer: Any = None
    while stack:
        try:
            request = stack[-1].send(answer)
        except StopIteration as done:
            stack.pop()
            answer = done.value
            continue
        stack.append(request)
        answer = None
    return answer


_Steps = Generator[Any, Any, "list[Tensor | None]"]


class _Backward:
    """Reverse mode in one block, up to the insertion point of `b`; regions are differentiated in turn.

    place: the `tir.grad` that asks, for errors.
    """

    def __init__(self, b: TensorBuilder, place: Grad) -> None:
        self.b, self.place = b, place
        self.adjoints = _Adjoints(b)
        self._depends: set[Value] = set()

    def steps(self, seeds: Sequence[tuple[Value, Tensor]], wrt: Sequence[Value]) -> _Steps:
        """The adjoints of `wrt`, None where it is 0, from those of other values of the block."""
        path, seeds = self._differentiable_path(list(seeds), wrt)
        for value, part in seeds:
            self.adjoints.add(value, self.b.tensor(part))
        for op in path:
            _check_differentiable(op, self.place)
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
            answer = yield _Backward(self.builder(request.block), self.place).steps(request.seeds, request.wrt)

    # --- what `backward` sees of the pass ----------------------------------------------------------------------------

    def depends(self, value: Value) -> bool:
        return value in self._depends and isinstance(element_type(value.type), FloatType)

    def builder(self, block: Block) -> TensorBuilder:
        return TensorBuilder(block, None, self.b.location)

    def drop_unused(self, block: Block) -> None:
        _drop_unused(None, block.last)

    # --- the ops that matter -----------------------------------------------------------------------------------------

    def _differentiable_path(
        self, seeds: list[tuple[Value, Tensor]], wrt: Sequence[Value]
    ) -> tuple[list[Op], list[tuple[Value, Tensor]]]:
        """The path, its ops in a form that has a gradient, and the seeds, whose values may be others then."""
        while True:
            path = self._path([value for value, _ in seeds], wrt)
            replaced: dict[Value, Value] = {}
            for op in path:
                new = differentiable_form(op, TensorBuilder(op.parent, op, op.location))
                if new is not None:
                    replaced.update(zip(op.results, new))
                    for old, value in zip(op.results, new):
                        value.hint = old.hint
                    op.replace_with(new)
            if not replaced:
                return path, seeds
            seeds = [(replaced.get(value, value), part) for value, part in seeds]

    def _path(self, needed: Sequence[Value], wrt: Sequence[Value]) -> list[Op]:
        """The ops that depend on `wrt` and that a value of `needed` depends on, in order."""
        block, stop = self.b.block, self.b.anchor
        assert block is not None
        depending: list[Op] = []
        depends = self._depends = set(wrt)
        for op in block:
            if op is stop:
                break
            if not depends.isdisjoint(inputs_of(op)):
                depending.append(op)
                depends.update(op.results)
        wanted = set(needed)
        path = []
        for op in reversed(depending):
            if not wanted.isdisjoint(op.results):
                path.append(op)
                wanted.update(inputs_of(op))
        path.reverse()
        return path


def _check_differentiable(op: Op, grad: Grad) -> None:
    if isinstance(op, Control):
        return
    rule = getattr(op, "grad", NotDifferentiable("tir knows no rule for it"))
    if isinstance(rule, NotDifferentiable):
        note = ("it lies between the cost and wrt of this tir.grad", grad.location)
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
