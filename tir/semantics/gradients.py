"""`tir.grad` without autodiff: what stands for it in a run, and central differences of its cost.

Two things are checked apart. First, what a program does with a gradient: before and after a pass the same numbers stand
for it, a smooth function of the cost and of the variable, so that two gradients are equal if those are. Second, what the
gradient is: along random directions it must have the slope of the cost, measured in f64 by central differences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tir.dialects.custom_derivative import has_derivatives
from tir.dialects.func import Call
from tir.dialects.tir.control import Scan
from tir.dialects.tir.markers import GradientMarker
from tir.dialects.tir.state import Grad
from tir.ir.attributes import IntegerAttr
from tir.ir.ir import Block, Op, Value
from tir.ir.symbols import SymbolTable, symbol_name
from tir.ir.traits import FunctionLike, Pure
from tir.ir.types import I64
from tir.lazy import np
from tir.semantics.outcome import Draw, Program, Values
from tir.semantics.widen import F64_ONLY, wide_draw, widened

__all__ = [
    "Slope", "exact_gradients", "expanded_gradients", "gradients_of", "observed", "put_stand_ins", "seen_gradients",
    "slope_difference", "slopes", "slopes_differ",
]  # fmt: skip

DIRECTIONS = 4
STEP = 2.0**-16
#: Slopes of a smooth cost differ by less: f64 keeps about 10 digits of a central difference.
SLOPE_TOLERANCE = 2.0**-20


class _StandIn(Op, Pure):
    """Numbers in the place of the gradients of one `tir.grad`: fixed ones, or a function of its cost and variables."""

    name = "check.stand_in"
    __slots__ = ("fixed", "seen")
    fixed: list[list[Any]] | None
    seen: list[tuple[Any, list[Any]]]

    def reference(self, cost: Any, *wrt: Any) -> Any:
        if self.fixed is not None and len(self.seen) < len(self.fixed):
            found = [np.asarray(g).astype(np.asarray(x).dtype) for g, x in zip(self.fixed[len(self.seen)], wrt)]
        else:
            found = [_stand_in(cost, x) for x in wrt]
        self.seen.append((cost, found))
        return found[0] if len(found) == 1 else tuple(found)


def _stand_in(cost: Any, x: Any) -> Any:
    """Bounded and smooth, so that a rounding of the cost or of x changes it by no more than a rounding."""
    pattern = np.sin(1.0 + np.arange(np.size(x))).reshape(np.shape(x))
    found = 0.5 * pattern + 0.375 * _squashed(x) + 0.25 * _squashed(cost)
    return np.asarray(found).astype(np.asarray(x).dtype)


def _squashed(x: Any) -> Any:
    finite = np.nan_to_num(np.asarray(x))
    return finite / (1 + np.abs(finite))


def gradients_of(module: Op) -> list[Grad]:
    """The `tir.grad` ops, in the order of the text."""
    return [op for op in module.walk() if isinstance(op, Grad)]


def put_stand_ins(module: Op, fixed: Mapping[int, list[list[Any]]] | None = None) -> Op:
    """The module, with a stand-in in the place of each `tir.grad`. fixed: the numbers for some of them."""
    for number, grad in enumerate(gradients_of(module)):
        _replace(grad, (fixed or {}).get(number))
    return module


def _replace(grad: Grad, numbers: list[list[Any]] | None) -> _StandIn:
    op = _StandIn(grad.operands, [r.type for r in grad.results], location=grad.location)
    op.fixed, op.seen = numbers, []
    assert grad.parent is not None
    grad.parent.insert_before(grad, op)
    grad.replace_with(op.results)
    return op


# --- what a pass makes of gradients ----------------------------------------------------------------------------------


class _Observe(Op):
    """Notes the values of the gradients of one `tir.grad`. It counts as an effect, so passes keep it and its operands."""

    name = "check.observe"
    __slots__ = ("seen",)
    seen: list[list[Any]]

    @property
    def number(self) -> int:
        """Which `tir.grad` it was, in the order of the text."""
        return self.attributes["check.number"].value  # type: ignore[attr-defined]

    def interpret(self, frame: Any) -> tuple[Any, ...]:
        self.seen.append([np.array(frame[value]) for value in self.operands])
        return ()


def observed(module: Op) -> Op:
    """A copy of the module with an observer behind each `tir.grad`."""
    copy = module.clone()
    for number, grad in enumerate(gradients_of(copy)):
        op = _Observe(grad.results, [], attributes={"check.number": IntegerAttr(number, I64)}, location=grad.location)
        assert grad.parent is not None
        grad.parent.insert_before(grad.next, op)
    return copy


def expanded_gradients(module: Op) -> set[int]:
    """The numbers of those that are computed in an observed module, and no `tir.grad` any more."""
    observers = [op for op in module.walk() if isinstance(op, _Observe)]
    return {op.number for op in observers if not any(isinstance(value.op, Grad) for value in op.operands)}


def seen_gradients(module: Op, draw: Draw, max_steps: int | None) -> dict[int, list[list[Any]]]:
    """The gradients that each observer sees in a run: each time that it is reached, an array for each variable."""
    return _seen(module.clone(), draw, max_steps)


def exact_gradients(module: Op, draw: Draw, max_steps: int | None) -> dict[int, list[list[Any]]]:
    """The same, computed in f64."""
    return _seen(widened(module, F64_ONLY)[0], wide_draw(draw, F64_ONLY), max_steps)


def _seen(copy: Op, draw: Draw, max_steps: int | None) -> dict[int, list[list[Any]]]:
    put_stand_ins(copy)
    observers = [op for op in copy.walk() if isinstance(op, _Observe)]
    for op in observers:
        op.seen = []
    Program(copy, max_steps).run(draw)
    return {op.number: op.seen for op in observers}


# --- slopes ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Slope:
    """The slope of a cost along one direction, which has an array for each variable. error: how far it may be off."""

    directions: tuple[Any, ...]
    value: float
    error: float


class _Shift(Op, Pure):
    """x moved along a direction."""

    name = "check.shift"
    __slots__ = ("by",)
    by: Any

    def reference(self, x: Any) -> Any:
        return x if self.by is None else x + self.by


def slopes(module: Op, number: int, draw: Draw, max_steps: int | None, key: int = 0) -> tuple[list[Slope | None], str]:
    """The slopes of the cost of `tir.grad` number `number`, along random directions; None where it is not smooth.

    If there are none, the sentence says why: the cost is not finite, has a kink there, or is not reached once. The same
    key gives the same directions.
    """
    otherwise = _set_otherwise(gradients_of(module)[number])
    if otherwise:
        return [], f"{otherwise} gives it another gradient than the slope of the cost"
    wide, _ = widened(module, F64_ONLY)
    grads = gradients_of(wide)
    cost = _Cost(wide, grads, number, draw, max_steps)
    if not cost.is_at_top_level:
        return [], "it does not stand at the top level of a public function"
    middle = cost.at(None)
    if middle is None or not np.isfinite(middle):
        return [], "the cost is not finite"
    random = np.random.default_rng([draw.seed, key])
    found = [_slope(cost, middle, random) for _ in range(DIRECTIONS)]
    return found, "" if any(found) else "the cost has a kink there, or is too steep to measure"


def _set_otherwise(grad: Grad) -> str:
    """What between `wrt` and the cost has a gradient that is not its slope, because the program says so; "" if nothing."""
    depends, pending = set(grad.wrt), []
    for op in grad.parent or ():
        if op is grad:
            break
        inner = list(op.walk())
        if any(value in depends for one in inner for value in one.operands):
            depends.update(op.results)
            pending += inner
    symbols, seen = SymbolTable(grad.root), set()
    while pending:
        op = pending.pop()
        if isinstance(op, GradientMarker) or (isinstance(op, Scan) and op.truncate is not None):
            return op.name
        if isinstance(op, Call) and op.callee not in seen:
            seen.add(op.callee)
            function = symbols.lookup(op.callee)
            if function is not None and has_derivatives(function):
                return f"the derivative of its own that @{op.callee} has"
            pending += list(function.walk()) if function is not None else []
    return ""


class _Cost:
    """The cost of one `tir.grad` as a function of its variables."""

    def __init__(self, module: Op, grads: Sequence[Grad], number: int, draw: Draw, max_steps: int | None) -> None:
        grad = grads[number]
        function = grad.parent_op
        self.is_at_top_level = (
            isinstance(function, FunctionLike)
            and grad.parent is function.regions[0].blocks[0]
            and symbol_name(function) == draw.entry
        )
        self.variables = list(grad.wrt)
        self.shifts = [_shift(value, grad) for value in self.variables]
        self.stand_in = [_replace(one, None) for one in grads][number]
        self.program = Program(module, max_steps)
        self.draw = wide_draw(draw, F64_ONLY)
        self.points: list[Any] = []

    def at(self, by: Sequence[Any] | None) -> Any:
        """The cost where the variables are moved; None if the run fails."""
        for i, shift in enumerate(self.shifts):
            shift.by = None if by is None else by[i]
        self.stand_in.seen.clear()
        outcome = self.program.run(self.draw)
        if not isinstance(outcome, Values) or len(self.stand_in.seen) != 1:
            return None
        cost, gradients = self.stand_in.seen[0]
        self.points = gradients  # of the shapes of the variables
        return float(cost)


def _shift(value: Value, grad: Grad) -> _Shift:
    """All users of a variable get it moved."""
    op = _Shift([value], [value.type])
    op.by = None
    block = value.block
    assert isinstance(block, Block)
    block.insert_before(value.op.next if value.op is not None else block.first, op)
    value.replace_uses_if(op.results[0], lambda use: use.owner is not op)
    return op


def _slope(cost: _Cost, middle: float, random: Any) -> Slope | None:
    """Central differences with two steps; None where they do not agree, so that the cost is not smooth enough."""
    directions = tuple(random.standard_normal(np.shape(x)) for x in cost.points)
    values = [cost.at([h * d for d in directions]) for h in (STEP, -STEP, STEP / 2, -STEP / 2)]
    if any(value is None or not np.isfinite(value) for value in values):
        return None
    far, near = (values[0] - values[1]) / (2 * STEP), (values[2] - values[3]) / STEP
    noise = 8 * 2.0**-52 * max(map(abs, [middle, *values])) / STEP
    bends = [abs(values[i] + values[i + 1] - 2 * middle) / h for i, h in ((0, STEP), (2, STEP / 2))]
    # At a kink the bend by step length stays as the step gets shorter; where the cost is smooth, it is halved.
    if bends[1] > 0.75 * bends[0] and bends[1] > 64 * noise + SLOPE_TOLERANCE * abs(near):
        return None
    error = 4 * abs(far - near) + 4 * noise
    if error > 1e-3 * abs(near) + 64 * noise:
        return None
    return Slope(directions, near, error)


def slopes_differ(before: Slope, after: Slope) -> bool:
    """Two measurements along one direction do not agree."""
    scale = max(abs(before.value), abs(after.value))
    return abs(before.value - after.value) > before.error + after.error + SLOPE_TOLERANCE * scale


def slope_difference(slope: Slope, gradients: Sequence[Any]) -> tuple[str, str] | None:
    """The slope as it was measured and as the gradients say, in words; None if they agree."""
    parts = [np.sum(np.asarray(g, np.float64) * d) for g, d in zip(gradients, slope.directions)]
    scale = sum(float(np.sum(np.abs(np.asarray(g, np.float64) * d))) for g, d in zip(gradients, slope.directions))
    said = float(sum(parts))
    if not np.isfinite(said):
        return f"the slope of the cost is {slope.value:.9g}", f"the gradient says {said}"
    allowed = slope.error + SLOPE_TOLERANCE * max(scale, abs(slope.value))
    if abs(said - slope.value) <= allowed:
        return None
    return f"the slope of the cost is {slope.value:.9g} (off by {allowed:.1g} at most)", f"the gradient says {said:.9g}"
