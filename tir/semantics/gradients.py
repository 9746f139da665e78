"""Derivatives without autodiff: what stands for `tir.grad` and its kin in a run, and central differences of their values.

Two things are checked apart. First, what a program does with a derivative: before and after a pass the same numbers
stand for it, a smooth function of its operands, so that two derivatives are equal if those are. Second, what it is: along
a direction it must be the slope of what is differentiated, measured in f64 by central differences. Of `tir.grad` that is
the cost; of `tir.vjp` the values times the cotangents; of `tir.jvp`, along the tangents, and of `tir.jacobian` the values
times random numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tir.dialects.custom_derivative import has_derivatives
from tir.dialects.func import Call
from tir.dialects.tir.control import Scan
from tir.dialects.tir.jacobian import Jacobian
from tir.dialects.tir.markers import GradientMarker
from tir.dialects.tir.state import Derivative, Grad, Jvp, Vjp
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
    "slope_difference", "slopes", "slopes_differ", "subject",
]  # fmt: skip

DIRECTIONS = 4
STEP = 2.0**-16
#: Slopes of a smooth cost differ by less: f64 keeps about 10 digits of a central difference.
SLOPE_TOLERANCE = 2.0**-20


#: The operands of each kind, in order.
ROLES: dict[type[Derivative], tuple[str, ...]] = {
    Grad: ("cost", "wrt"),
    Vjp: ("values", "cotangents", "wrt", "constants"),
    Jvp: ("values", "wrt", "tangents"),
    Jacobian: ("y", "wrt"),
}


@dataclass(frozen=True)
class _Operands:
    """What a derivative takes in a run. given: cotangents or tangents."""

    values: list[Any]
    wrt: list[Any]
    given: list[Any]
    constants: list[Any]


class _StandIn(Op, Pure):
    """Numbers in the place of the results of one derivative: fixed ones, or a function of its operands.

    kind: the class of the derivative; counts: how many operands have each of its roles.
    """

    name = "check.stand_in"
    __slots__ = ("counts", "fixed", "kind", "seen")
    kind: type[Derivative]
    counts: list[int]
    fixed: list[list[Any]] | None
    seen: list[_Operands]

    def reference(self, *arrays: Any) -> Any:
        operands = self._operands(arrays)
        likes = _results_like(self.kind, operands)
        if self.fixed is not None and len(self.seen) < len(self.fixed):
            found = [np.asarray(g).astype(like.dtype) for g, like in zip(self.fixed[len(self.seen)], likes)]
        else:
            mood = sum(float(np.mean(_pattern(x) * _squashed(x))) for x in arrays if np.size(x))
            found = [np.asarray(0.5 * _pattern(like) + 0.375 * like + 0.25 * mood).astype(like.dtype) for like in likes]
        self.seen.append(operands)
        return found[0] if len(found) == 1 else tuple(found)

    def _operands(self, arrays: Sequence[Any]) -> _Operands:
        rest = iter(arrays)
        found = {role: [next(rest) for _ in range(count)] for role, count in zip(ROLES[self.kind], self.counts)}
        values = next(found[role] for role in ("cost", "y", "values") if role in found)
        given = next((found[role] for role in ("cotangents", "tangents") if role in found), [])
        return _Operands(values, found["wrt"], given, found.get("constants", []))


def _results_like(kind: type[Derivative], operands: _Operands) -> list[Any]:
    """Bounded numbers of the shapes and dtypes of the results."""
    if kind is not Jacobian:
        like = operands.values if kind is Jvp else operands.wrt
        return [np.asarray(_squashed(x)).astype(np.asarray(x).dtype) for x in like]
    (y,) = map(_squashed, operands.values)
    return [np.asarray(np.multiply.outer(y, _squashed(x))).astype(np.asarray(x).dtype) for x in operands.wrt]


def _pattern(x: Any) -> Any:
    """Numbers of the shape of x, bounded, and none like another."""
    return np.sin(1.0 + np.arange(np.size(x))).reshape(np.shape(x))


def _squashed(x: Any) -> Any:
    """Bounded and smooth, so that a rounding of x changes it by no more than a rounding."""
    finite = np.nan_to_num(np.asarray(x))
    return finite / (1 + np.abs(finite))


def gradients_of(module: Op) -> list[Derivative]:
    """`tir.grad`, `tir.vjp`, `tir.jvp` and `tir.jacobian`, in the order of the text."""
    return [op for op in module.walk() if isinstance(op, Derivative)]


def subject(op: Op) -> str:
    """What is differentiated, in words."""
    return "the cost" if isinstance(op, Grad) else "what is differentiated"


def put_stand_ins(module: Op, fixed: Mapping[int, list[list[Any]]] | None = None) -> Op:
    """The module, with a stand-in in the place of each derivative. fixed: the numbers for some of them."""
    for number, op in enumerate(gradients_of(module)):
        _replace(op, (fixed or {}).get(number))
    return module


def _replace(derivative: Derivative, numbers: list[list[Any]] | None) -> _StandIn:
    op = _StandIn(derivative.operands, [r.type for r in derivative.results], location=derivative.location)
    op.kind = type(derivative)
    groups = [getattr(derivative, role) for role in ROLES[op.kind]]
    op.counts = [1 if isinstance(group, Value) else len(group) for group in groups]
    op.fixed, op.seen = numbers, []
    assert derivative.parent is not None
    derivative.parent.insert_before(derivative, op)
    derivative.replace_with(op.results)
    return op


# --- what a pass makes of gradients ----------------------------------------------------------------------------------


class _Observe(Op):
    """Notes the values of the results of one derivative. It counts as an effect, so passes keep it and its operands."""

    name = "check.observe"
    __slots__ = ("seen",)
    seen: list[list[Any]]

    @property
    def number(self) -> int:
        """Which derivative it was, in the order of the text."""
        return self.attributes["check.number"].value  # type: ignore[attr-defined]

    def interpret(self, frame: Any) -> tuple[Any, ...]:
        self.seen.append([np.array(frame[value]) for value in self.operands])
        return ()


def observed(module: Op) -> Op:
    """A copy of the module with an observer behind each derivative."""
    copy = module.clone()
    for number, grad in enumerate(gradients_of(copy)):
        op = _Observe(grad.results, [], attributes={"check.number": IntegerAttr(number, I64)}, location=grad.location)
        assert grad.parent is not None
        grad.parent.insert_before(grad.next, op)
    return copy


def expanded_gradients(module: Op) -> set[int]:
    """The numbers of those that are computed in an observed module, and none any more that autodiff is to expand."""
    observers = [op for op in module.walk() if isinstance(op, _Observe)]
    return {op.number for op in observers if not any(isinstance(value.op, Derivative) for value in op.operands)}


def seen_gradients(module: Op, draw: Draw, max_steps: int | None) -> dict[int, list[list[Any]]]:
    """The derivatives that each observer sees in a run: each time that it is reached, an array for each result."""
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
    """The slope along one direction. error: how far it may be off.

    weights: an array for each result of the derivative; the results times these add up to the slope.
    """

    weights: tuple[Any, ...]
    value: float
    error: float


class _Shift(Op, Pure):
    """x moved along a direction. held: what is taken in place of x, which counts as given."""

    name = "check.shift"
    __slots__ = ("by", "held")
    by: Any
    held: Any

    def reference(self, x: Any) -> Any:
        start = x if self.held is None else self.held
        return start if self.by is None else start + self.by


def slopes(module: Op, number: int, draw: Draw, max_steps: int | None, key: int = 0) -> tuple[list[Slope | None], str]:
    """The slopes of what derivative number `number` is about, along random directions; None where it is not smooth.

    If there are none, the sentence says why: it is not finite, has a kink there, or is not reached once. The same key
    gives the same directions.
    """
    derivative = gradients_of(module)[number]
    what, otherwise = subject(derivative), _set_otherwise(derivative)
    if otherwise:
        return [], f"{otherwise} gives it another {_kind(derivative)} than the slope of {what}"
    wide, _ = widened(module, F64_ONLY)
    function = _Function(wide, number, draw, max_steps)
    if not function.is_at_top_level:
        return [], "it does not stand at the top level of a public function"
    middle = function.start()
    if middle is None or not all(np.isfinite(x).all() for x in (*middle.values, *middle.given)):
        return [], f"{what} is not finite"
    random = np.random.default_rng([draw.seed, key])
    found = [_slope(function, middle, random) for _ in range(DIRECTIONS)]
    return found, "" if any(found) else f"{what} has a kink there, or is too steep to measure"


def _kind(derivative: Op) -> str:
    return "gradient" if isinstance(derivative, Grad) else "derivative"


def _set_otherwise(grad: Derivative) -> str:
    """What between `wrt` and the values has a gradient that is not its slope, because the program says so; "" if nothing."""
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


class _Function:
    """What one derivative is about, as a function of its variables."""

    def __init__(self, module: Op, number: int, draw: Draw, max_steps: int | None) -> None:
        derivatives = gradients_of(module)
        derivative = derivatives[number]
        function = derivative.parent_op
        self.is_at_top_level = (
            isinstance(function, FunctionLike)
            and derivative.parent is function.regions[0].blocks[0]
            and symbol_name(function) == draw.entry
        )
        wrt, constants = list(derivative.wrt), list(getattr(derivative, "constants", ()))
        shifts = {value: _shift(value) for value in dict.fromkeys((*wrt, *constants))}
        self.moved, self.held = [shifts[value] for value in wrt], [shifts[value] for value in constants]
        self.stand_in = [_replace(one, None) for one in derivatives][number]
        self.program = Program(module, max_steps)
        self.draw = wide_draw(draw, F64_ONLY)

    def start(self) -> _Operands | None:
        """The operands where the variables are as they are; what counts as given stays so."""
        found = self.at(None)
        for shift, x in zip(self.held, found.constants if found is not None else ()):
            shift.held = x
        return found

    def at(self, by: Sequence[Any] | None) -> _Operands | None:
        """The operands where the variables are moved; None if the run fails."""
        for i, shift in enumerate(self.moved):
            shift.by = None if by is None else by[i]
        self.stand_in.seen.clear()
        outcome = self.program.run(self.draw)
        return self.stand_in.seen[0] if isinstance(outcome, Values) and len(self.stand_in.seen) == 1 else None


def _shift(value: Value) -> _Shift:
    """All users of a variable get it moved."""
    op = _Shift([value], [value.type])
    op.by = op.held = None
    block = value.block
    assert isinstance(block, Block)
    block.insert_before(value.op.next if value.op is not None else block.first, op)
    value.replace_uses_if(op.results[0], lambda use: use.owner is not op)
    return op


def _slope(function: _Function, middle: _Operands, random: Any) -> Slope | None:
    """Central differences with two steps; None where they do not agree, so that the values are not smooth enough."""
    directions, factors, weights = _direction(function.stand_in.kind, middle, random)
    points = [function.at([h * d for d in directions]) for h in (STEP, -STEP, STEP / 2, -STEP / 2)]
    if any(point is None or not all(np.isfinite(x).all() for x in point.values) for point in points):
        return None
    values = [_times(factors, point.values) for point in points if point is not None]
    size = max(_times(map(np.abs, factors), map(np.abs, point.values)) for point in (middle, *points) if point is not None)
    far, near = (values[0] - values[1]) / (2 * STEP), (values[2] - values[3]) / STEP
    noise = 8 * 2.0**-52 * size / STEP
    start = _times(factors, middle.values)
    bends = [abs(values[i] + values[i + 1] - 2 * start) / h for i, h in ((0, STEP), (2, STEP / 2))]
    # At a kink the bend by step length stays as the step gets shorter; where all is smooth, it is halved.
    if bends[1] > 0.75 * bends[0] and bends[1] > 64 * noise + SLOPE_TOLERANCE * abs(near):
        return None
    error = 4 * abs(far - near) + 4 * noise
    if error > 1e-3 * abs(near) + 64 * noise:
        return None
    return Slope(weights, near, error)


def _direction(
    kind: type[Derivative], middle: _Operands, random: Any
) -> tuple[list[Any], list[Any], tuple[Any, ...]]:
    """Where to go, what the values are multiplied by, and the weights of the results that give that slope."""
    if kind is Jvp:
        scale = max([1.0, *(float(np.abs(t).max(initial=0.0)) for t in middle.given)])
        factors = _random_like(middle.values, random)
        return [t / scale for t in middle.given], factors, tuple(r / scale for r in factors)
    directions = _random_like(middle.wrt, random)
    if kind is Jacobian:
        (factor,) = _random_like(middle.values, random)
        return directions, [factor], tuple(np.multiply.outer(factor, d) for d in directions)
    return directions, middle.given if kind is Vjp else [np.float64(1)], tuple(directions)


def _random_like(arrays: Sequence[Any], random: Any) -> list[Any]:
    return [np.asarray(random.standard_normal(np.shape(x))) for x in arrays]


def _times(first: Iterable[Any], second: Iterable[Any]) -> float:
    """The sum of the products of their elements."""
    return sum(float(np.sum(np.asarray(x, np.float64) * y)) for x, y in zip(first, second))


def slopes_differ(before: Slope, after: Slope) -> bool:
    """Two measurements along one direction do not agree."""
    scale = max(abs(before.value), abs(after.value))
    return abs(before.value - after.value) > before.error + after.error + SLOPE_TOLERANCE * scale


def slope_difference(slope: Slope, results: Sequence[Any], derivative: Op) -> tuple[str, str] | None:
    """The slope as it was measured and as the results of the derivative say, in words; None if they agree."""
    said = _times(results, slope.weights)
    scale = _times(map(np.abs, results), map(np.abs, slope.weights))
    measured, says = f"the slope of {subject(derivative)} is {slope.value:.9g}", f"the {_kind(derivative)} says"
    if not np.isfinite(said):
        return measured, f"{says} {said}"
    allowed = slope.error + SLOPE_TOLERANCE * max(scale, abs(slope.value))
    if abs(said - slope.value) <= allowed:
        return None
    return f"{measured} (off by {allowed:.1g} at most)", f"{says} {said:.9g}"
