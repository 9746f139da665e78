"""`autodiff`: expands `tir.grad` into the ops that compute the gradients."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tir.dialects.func import Call
from tir.dialects.tir.base import NotDifferentiable
from tir.dialects.tir.builder import Tensor, TensorBuilder
from tir.dialects.tir.state import Grad, Leaf
from tir.ir import actions
from tir.ir.errors import NameLocation, PassError
from tir.ir.garbage import collector_relaxed
from tir.ir.ir import Op, Value
from tir.ir.numerics import EXACT
from tir.ir.pass_manager import Pass
from tir.ir.traits import is_removable

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
    adjoints = _Adjoints(b)
    adjoints.add(grad.cost, b.full_like(grad.cost, 1))
    path = _path(grad)
    for op in reversed(path):
        _differentiate(op, b, adjoints)
    b.location = grad.location
    found = []
    for value, result in zip(grad.wrt, grad.results):
        gradient = adjoints.of(value)
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


def _path(grad: Grad) -> list[Op]:
    """The ops that depend on `wrt` and that the cost depends on, in order; each has a gradient."""
    block = grad.parent
    assert block is not None
    depending: list[Op] = []
    depends: set[Value] = set(grad.wrt)
    for op in block:
        if op is grad:
            break
        if not depends.isdisjoint(_inputs(op)):
            depending.append(op)
            depends.update(op.results)
    needed: set[Value] = {grad.cost}
    path = []
    for op in reversed(depending):
        if not needed.isdisjoint(op.results):
            path.append(op)
            needed.update(_inputs(op))
    path.reverse()
    for op in path:
        _check_differentiable(op, grad)
    return path


def _inputs(op: Op) -> Iterable[Value]:
    """The values that the op uses, and those that the ops inside it use."""
    return [value for inner in op.walk() for value in inner.operands] if op.regions else op.operands


def _check_differentiable(op: Op, grad: Grad) -> None:
    rule = getattr(op, "grad", NotDifferentiable("tir knows no rule for it"))
    if isinstance(rule, NotDifferentiable):
        note = ("it lies between the cost and wrt of this tir.grad", grad.location)
        hint = "run the pass inline first" if isinstance(op, Call) else None
        raise PassError(f"{op.name} has no gradient: {rule.why}", op.location, [note], hint)


def _differentiate(op: Op, b: TensorBuilder, adjoints: _Adjoints) -> None:
    """Adds what the op hands back from the adjoint of its result to those of its operands.

    An op with several results gets a list of adjoints, None for a result that the cost does not depend on. Parts for
    operands that do not depend on `wrt` are never asked for, and dropped in the end.
    """
    b.location = NameLocation(f"gradient of {op.name}", op.location)
    found = [adjoints.of(result) for result in op.results]
    if all(g is None for g in found):
        return
    g = found if len(found) > 1 else found[0]
    operands = op.operands
    parts = op.grad(b, g, *(Tensor(b, value) for value in operands))  # type: ignore[attr-defined]
    assert len(parts) == len(operands), f"{op.name}: grad gives {len(parts)} parts for {len(operands)} operands"
    for value, part in zip(operands, parts):
        if part is not None:
            adjoints.add(value, part)


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
