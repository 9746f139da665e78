"""`autodiff`: expands `tir.grad`, `tir.vjp`, `tir.jvp` and `tir.jacobian` into the ops that compute the derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from tir.dialects.custom_derivative import JVP, VJP, derivative_symbol
from tir.dialects.func import Call, Func
from tir.dialects.tir.builder import Tensor, TensorBuilder
from tir.dialects.tir.control import Checkpoint
from tir.dialects.tir.control_gradients import dissolved
from tir.dialects.tir.jacobian import Jacobian
from tir.dialects.tir.markers import GradientMarker
from tir.dialects.tir.state import Derivative, Grad, Jvp, Leaf, Vjp
from tir.ir import actions
from tir.ir.errors import Location, PassError, warn
from tir.ir.garbage import collector_relaxed
from tir.ir.ir import Block, Op
from tir.ir.numerics import EXACT
from tir.ir.pass_manager import Pass
from tir.ir.symbols import SymbolTable
from tir.ir.types import F32
from tir.passes.call_graph import callees_first
from tir.passes.custom_derivatives import Place
from tir.passes.forward_mode import Forward
from tir.passes.jacobians import jacobians
from tir.passes.residuals import repeated, residuals, residuals_text
from tir.passes.reverse_mode import Reverse, Steps, drop_unused, value_name

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

    def __post_init__(self) -> None:
        self.remarks: list[tuple[Location, str, str]] = []

    def run(self, op: Op) -> None:
        self.remarks.clear()
        with collector_relaxed():
            expand_gradients(op, self.remarks)


Remarks = list[tuple[Location, str, str]]


def expand_gradients(root: Op, remarks: Remarks | None = None) -> None:
    """Expands each derivative inside `root`, then drops leaves and gradient markers. remarks: take what there is to say."""
    remarks = [] if remarks is None else remarks
    symbols = SymbolTable(root.root)  # autodiff adds no symbols, and takes none away
    functions = _functions(root, symbols)
    expanded = _expanded_elsewhere(functions, root, symbols)
    order: dict[Op, int] = {function: number for number, function in enumerate(functions)}
    # In the order of the text, but behind those in functions whose bodies are copied.
    for op in sorted(_derivatives(root), key=lambda op: max((order.get(one, 0) for one in op.ancestors()), default=0)):
        if actions.begin("expand", op):
            _expand(op, Place(op, symbols, expanded), remarks)
            actions.end()
    _tidy_up(root)


def _derivatives(root: Op) -> list[Derivative]:
    return [op for op in root.walk() if isinstance(op, Derivative)]


def _functions(root: Op, symbols: SymbolTable) -> list[Func]:
    """The functions inside `root`, and those whose bodies are copied to expand its derivatives, these in front."""
    pending = [op for op in root.walk() if isinstance(op, Func)]
    edges: dict[Func, list[Func]] = {}
    for function in pending:  # which grows meanwhile
        if function not in edges:
            edges[function] = _copied(function, symbols)
            pending += edges[function]
    return [function for group in callees_first(edges) for function in group]


def _expanded_elsewhere(functions: Sequence[Func], root: Op, symbols: SymbolTable) -> dict[Func, Func]:
    """Copies, without derivatives, of the functions outside of `root`, whose own turn comes, or does not."""
    expanded: dict[Func, Func] = {}
    for function in functions:
        if function is not root and not function.is_inside(root) and _derivatives(function):
            copy = expanded[function] = cast(Func, function.clone())
            for op in _derivatives(copy):
                _expand(op, Place(op, symbols, expanded), [])
    return expanded


def _copied(function: Func, symbols: SymbolTable) -> list[Func]:
    """The functions that compute derivatives of those that this one calls, and of itself."""
    called = [symbols.lookup(op.callee) for op in function.walk() if isinstance(op, Call)]
    named = [derivative_symbol(one, name) for one in (function, *called) if one is not None for name in (VJP, JVP)]
    found = [symbols.lookup(name) for name in named if name is not None]
    return [one for one in found if isinstance(one, Func)]


def _tidy_up(root: Op) -> None:
    """Drops what was there for derivatives; one that was left out still needs its leaves, and what it goes through."""
    ops = list(root.walk())
    is_left = any(isinstance(op, Derivative) for op in ops)
    for op in reversed(ops):  # what is inside a checkpoint in front of it
        if isinstance(op, Leaf) and not any(isinstance(user, Derivative) for user in op.result.users):
            op.replace_with([op.x])
        elif isinstance(op, GradientMarker) and not is_left:
            op.replace_with([op.x])
        elif isinstance(op, Checkpoint) and not is_left:
            dissolved(op, TensorBuilder(op.parent, op, op.location))


def _expand(op: Derivative, place: Place, remarks: Remarks) -> None:
    """Puts what the op asks for in its place."""
    end, block = op.next, op.parent
    assert block is not None
    b = TensorBuilder(block, op, op.location)
    mark = b.full(0, (), F32).value.op  # in front of all that is new: loops before it may be replaced
    assert mark is not None
    found = _drive(_steps(op, place, b))
    b.location = op.location
    made = []
    for number, derivative in enumerate(found):
        if derivative is None:
            remarks += _told_disconnected(op, number)
            derivative = b.full_like(op.values[number] if isinstance(op, Jvp) else op.wrt[number], 0)
        made.append(derivative.value)
        derivative.value.hint = op.results[number].hint or derivative.value.hint
    op.replace_with(made)
    before, last = mark.previous, block.last if end is None else end.previous
    drop_unused(mark, last)
    if not isinstance(op, Jvp):
        kept = residuals(_between(before, end, block))
        again = repeated(place.repeated, block)
        remarks.append((op.location, f"residuals: {op.name} {residuals_text(kept, again)}", "analysis"))


def _between(before: Op | None, end: Op | None, block: Block) -> list[Op]:
    """The ops behind `before`, or from the first, to that in front of `end`, or the last."""
    made, op = [], block.first if before is None else before.next
    while op is not end:
        assert op is not None
        made.append(op)
        op = op.next
    return made


def _told_disconnected(op: Derivative, number: int) -> Remarks:
    """What to say of a derivative that is 0 because nothing connects the two; PassError or a warning if the op asks so."""
    if isinstance(op, Jvp):
        value = op.values[number]
        what = f"{value_name(value, 'a value')} does not depend on wrt of this {op.name}, so its tangent is 0"
        return [(op.location, f"disconnected: {what}", "analysis")]
    name = value_name(op.wrt[number], f"value {number} of wrt")
    what = f"no value of this {op.name} depends on {name}"
    if isinstance(op, Grad):
        what = f"the cost{f' %{op.cost.hint}' if op.cost.hint else ''} does not depend on {name}"
    asked = op.disconnected if isinstance(op, (Grad, Vjp)) else None
    if asked == "error":
        cure = "leave it out of wrt, or write `disconnected zero` if a gradient of 0 is meant"
        raise PassError(f"{op.name}: {what}", op.location, hint=cure)
    if asked == "warning":
        warn(f"{op.name}: {what}, so its gradient is 0", op.location)
    return [(op.location, f"disconnected: {what}, so its gradient is 0", "analysis")]


def _steps(op: Derivative, place: Place, b: TensorBuilder) -> Steps:
    """How the results of the op are computed; None for those that are 0."""
    if isinstance(op, Jvp):
        return Forward(b, place).steps(op.values, op.wrt, [b.tensor(value) for value in op.tangents])
    if isinstance(op, Vjp):
        return Reverse(b, place).steps([(y, b.tensor(g)) for y, g in zip(op.values, op.cotangents)], op.wrt, op.constants)
    if isinstance(op, Jacobian):
        return jacobians(op, place, b)
    assert isinstance(op, Grad)
    return Reverse(b, place).steps([(op.cost, b.full_like(op.cost, 1))], op.wrt)


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
