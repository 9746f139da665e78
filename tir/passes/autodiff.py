"""`autodiff`: expands `tir.grad`, `tir.vjp`, `tir.jvp` and `tir.jacobian` into the ops that compute the derivatives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tir.dialects.tir.builder import Tensor, TensorBuilder
from tir.dialects.tir.jacobian import Jacobian
from tir.dialects.tir.markers import GradientMarker
from tir.dialects.tir.state import Derivative, Grad, Jvp, Leaf, Vjp
from tir.ir import actions
from tir.ir.garbage import collector_relaxed
from tir.ir.ir import Op
from tir.ir.numerics import EXACT
from tir.ir.pass_manager import Pass
from tir.ir.types import F32
from tir.passes.forward_mode import Forward
from tir.passes.jacobians import jacobians
from tir.passes.reverse_mode import Reverse, Steps, drop_unused

__all__ = ["Autodiff", "expand_gradients"]


@dataclass
class Autodiff(Pass):
    """Expands `tir.grad` and `tir.vjp` into ops, in reverse mode, `tir.jvp` in forward mode, and drops `tir.leaf`.

    `tir.jacobian` becomes a loop over elements around such ops.

    Needs: each op between `wrt` and the values is of the tensor level and has a gradient; PassError names one that has
    none. Leaves: none of these ops, and only ops that some derivative uses. Must run before anything that fuses or
    lowers. A gradient of a gradient is expanded in the order of the text, the inner one first. The gradient of a loop
    keeps the values of its steps that it needs: see `tir.scan`.

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
    """Expands each derivative inside `root`, then drops leaves, and what marks gradients."""
    for op in list(root.walk()):
        if isinstance(op, Derivative) and actions.begin("expand", op):
            _expand(op)
            actions.end()
    for op in list(root.walk()):
        # A gradient that was left out still needs its leaves.
        if isinstance(op, (Leaf, GradientMarker)) and not any(isinstance(user, Derivative) for user in op.result.users):
            op.replace_with([op.x])


def _expand(op: Derivative) -> None:
    """Puts what the op asks for in its place."""
    end, block = op.next, op.parent
    assert block is not None
    b = TensorBuilder(block, op, op.location)
    mark = b.full(0, (), F32).value.op  # in front of all that is new: loops before it may be replaced
    found = _drive(_steps(op, b))
    b.location = op.location
    made = []
    for derivative, like, result in zip(found, op.values if isinstance(op, Jvp) else op.wrt, op.results):
        if derivative is None:
            derivative = b.full_like(like, 0)
        made.append(derivative.value)
        derivative.value.hint = result.hint or derivative.value.hint
    op.replace_with(made)
    drop_unused(mark, block.last if end is None else end.previous)


def _steps(op: Derivative, b: TensorBuilder) -> Steps:
    """How the results of the op are computed; None for those that are 0."""
    if isinstance(op, Jvp):
        return Forward(b, op).steps(op.values, op.wrt, [b.tensor(value) for value in op.tangents])
    if isinstance(op, Vjp):
        return Reverse(b, op).steps([(y, b.tensor(g)) for y, g in zip(op.values, op.cotangents)], op.wrt, op.constants)
    if isinstance(op, Jacobian):
        return jacobians(op, b)
    assert isinstance(op, Grad)
    return Reverse(b, op).steps([(op.cost, b.full_like(op.cost, 1))], op.wrt)


def _drive(first: Steps) -> list[Tensor | None]:
    """What `first` returns. The stack holds the blocks that are being differentiated, and the ops around them."""
    stack: list[Steps] = [first]
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
