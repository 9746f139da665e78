"""Derivatives of symbolic expressions, as Theano has them: `T.grad`, `jacobian`, `hessian`, `Lop`, `Rop`.

Each asks for an op (`tir.grad`, `tir.vjp`, `tir.jvp`, `tir.jacobian`), which the pass `autodiff` expands when a function is
compiled. `tir.grad` of a function is that of `tir/gradients.py`.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from tir import gradients
from tir.api import caller_location
from tir.dialects.func import Call
from tir.dialects.tir.build.core import Tensor, told
from tir.dialects.tir.control_gradients import inputs_of
from tir.dialects.tir.markers import StopGradient
from tir.graph.errors import DisconnectedInputError, GraphTypeError, GraphValueError
from tir.graph.graph import GRAPH as b
from tir.graph.graph import captured, located, makers_of
from tir.graph.typing import float_x
from tir.graph.user_ops import without_gradient
from tir.graph.variable import Variable
from tir.ir.errors import FileLocation, nearest
from tir.ir.ir import Value
from tir.ir.types import FloatType, element_type

__all__ = [
    "Lop", "Rop", "consider_constant", "disconnected_grad", "grad", "grad_clip", "grad_scale", "hessian",
    "hessian_vector_product", "jacobian", "subgraph_grad", "zero_grad",
]  # fmt: skip

CHOICES = ("raise", "warn", "ignore")


@located
def grad(
    cost: Any, wrt: Any = None, consider_constant: Any = None, disconnected_inputs: str = "raise",
    add_names: bool = True, known_grads: Any = None, return_disconnected: str = "zero",
    null_gradients: str = "raise", **options: Any,
) -> Any:  # fmt: skip
    """The gradients of a 0-d cost of floats by one variable, or by a list or tuple of them, which gives a list or tuple.

    consider_constant: variables through which nothing goes. disconnected_inputs: what is done about a variable that the
    cost does not depend on: "raise" DisconnectedInputError, "warn" or "ignore" and give zeros. known_grads: derivatives
    of the cost by variables, instead of those that would be computed; the cost may be None then.
    Of a function, or of tensors of a `tir.Builder`, see `tir/gradients.py`, whose options it takes then.
    """
    if not _are_symbolic(cost, wrt):
        constant = {} if consider_constant is None else {"consider_constant": consider_constant}
        return gradients.grad(cost, wrt, **constant, **options)
    if options:
        raise GraphTypeError(f"there is no argument {next(iter(options))!r} for variables")
    if disconnected_inputs not in CHOICES:
        hint = nearest(str(disconnected_inputs), CHOICES)
        message = f"disconnected_inputs must be one of {', '.join(CHOICES)}, got {disconnected_inputs!r}"
        raise GraphValueError(message, hint=hint)
    if wrt is None:
        raise GraphTypeError("needs wrt, the variables to differentiate by")
    points = _variables("wrt", wrt)
    known = _known(known_grads)
    results, seeds = [], []
    if cost is not None:
        _check_cost(cost)
        if cost.plain not in known:
            results, seeds = [cost.plain], [b.full_like(cost, 1)]
    elif not known:
        raise GraphTypeError("needs a cost, or known_grads")
    fixed = [x.plain for x in _variables("consider_constant", consider_constant or [])]
    answers = _answers(points, results, known, fixed, disconnected_inputs, return_disconnected)
    asked = [i for i in range(len(points)) if i not in answers]
    if asked:
        wanted = [points[i] for i in asked]
        if not known and not fixed:
            found = b.grad(results[0], wanted)
        else:  # what is known of a value replaces what comes back to it: nothing goes through it but this
            found = b.vjp([*results, *known], [*seeds, *known.values()], wanted, [*known, *fixed])
        answers.update(zip(asked, found))
    return _packed(wrt, [answers[i] for i in range(len(points))])


def _check_cost(cost: Any) -> None:
    if not isinstance(cost, Variable):
        raise GraphTypeError(f"the cost must be a variable, got {told(cost)}")
    if cost.ndim != 0:
        hint = "take its .sum() or .mean(), or ask for T.jacobian"
        raise GraphTypeError(f"the cost must be a scalar, got {cost} of type {cost.type}", hint=hint)
    if not _is_float(cost.ir):
        raise GraphTypeError(f"the cost must be of floats, got {cost} of dtype {cost.dtype}")


def _known(given: Any) -> dict[Any, Tensor]:
    """Variables with the gradients that are known for them."""
    found: dict[Any, Tensor] = {}
    for variable, gradient in (given or {}).items():
        tensor = b.tensor(gradient)
        if tensor.type.rank != variable.ndim:
            message = f"the known gradient of {variable} must have its {variable.ndim} axes, got {tensor.type}"
            raise GraphTypeError(message)
        tensor = b.cast(tensor, variable.type.element)
        if tensor.type is not variable.type:
            tensor = b.broadcast_to(tensor, b.shape(variable))
        found[variable.plain] = tensor
    return found


def _answers(
    points: Sequence[Variable], results: Sequence[Tensor], known: Mapping[Any, Tensor], ends: Sequence[Any],
    disconnected: str, returned: str,
) -> dict[int, Any]:  # fmt: skip
    """What is known without a derivative: the known gradients, and what nothing depends on."""
    connected = _connected([x.value for x in (*results, *known)], [x.value for x in ends], by_floats=True)
    found: dict[int, Any] = {}
    for i, x in enumerate(points):
        if x.plain in known:
            found[i] = known[x.plain]
        elif not _is_float(x.ir) or x.ir not in connected:
            _tell(x, results, ends, disconnected)
            is_none = returned in ("None", "none", None)
            found[i] = (
                None
                if is_none
                else b.full(0, b.shape(x), x.type.element if _is_float(x.ir) else float_x())
            )
    asked = {x.ir for i, x in enumerate(points) if i not in found}
    _check_ops([x.value for x in (*results, *known)], asked, connected)
    return found


def _check_ops(results: Sequence[Value], points: set[Value], connected: set[Value]) -> None:
    """TirError for an op in Python between the points and the results that has no gradient."""
    reached = points
    for op in makers_of(results):
        if reached.isdisjoint(captured(op)):
            continue
        reached.update(op.results)
        if connected.isdisjoint(op.results):
            continue
        calls = (one for one in op.walk() if isinstance(one, Call))
        error = next((found for one in calls if (found := without_gradient(one.callee)) is not None), None)
        if error is not None:
            raise error


def _connected(results: Sequence[Value], ends: Sequence[Value], by_floats: bool) -> set[Value]:
    """The values that results depend on, by floats alone or in any way; not what is behind the ends."""
    needed = {value for value in results if not by_floats or _is_float(value)}
    stops = set(ends)
    for op in reversed(makers_of(results)):
        if isinstance(op, StopGradient) or needed.isdisjoint(op.results):
            continue
        if all(result in stops or result not in needed for result in op.results):
            continue
        needed.update(value for value in inputs_of(op) if not by_floats or _is_float(value))
    return needed


def _tell(x: Variable, results: Sequence[Tensor], ends: Sequence[Any], disconnected: str) -> None:
    """Raises or warns that nothing depends on a variable."""
    if disconnected == "ignore":
        return
    problem = f"the cost does not depend on {x.name or f'the variable of type {x.type}'}"
    if x.ir in _connected([y.value for y in results], [], by_floats=False):
        problem += " but by whole numbers and truth values, which have no gradient"
    if disconnected == "raise":
        raise DisconnectedInputError(problem, hint='disconnected_inputs="ignore" gives zeros for it')
    place = caller_location()
    file, line = (place.file, place.line) if isinstance(place, FileLocation) else ("tir", 0)
    warnings.warn_explicit(f"{problem}; its gradient is 0", UserWarning, file, line)


def _is_float(value: Value) -> bool:
    return isinstance(element_type(value.type), FloatType)


def _are_symbolic(y: Any, wrt: Any) -> bool:
    """One of them is a symbolic variable: what is asked for is not the derivative of a function, or in a builder."""
    return any(isinstance(x, Variable) for x in (y, *(wrt if isinstance(wrt, (list, tuple)) else [wrt])))


def _variables(what: str, given: Any) -> list[Variable]:
    found = list(given) if isinstance(given, (list, tuple)) else [given]
    for x in found:
        if not isinstance(x, Variable):
            raise GraphTypeError(f"{what} must be a variable, or a list or tuple of them, got {told(x)}")
    return found


def _packed(like: Any, found: Sequence[Any]) -> Any:
    """One for one, a list for a list, a tuple for a tuple."""
    return list(found) if isinstance(like, list) else tuple(found) if isinstance(like, tuple) else found[0]


# --- more than one number --------------------------------------------------------------------------------------------


@located
def jacobian(
    expression: Any, wrt: Any = None, consider_constant: Any = None, disconnected_inputs: str = "raise", **options: Any
) -> Any:
    """The derivatives of all elements of an expression by those of `wrt`: the axes of the one, then of the other."""
    if not _are_symbolic(expression, wrt):
        return gradients.jacobian(expression, wrt, **options)
    (y,) = _variables("the expression", expression)
    points = _variables("wrt", wrt)
    for end in _variables("consider_constant", consider_constant or []):
        raise GraphTypeError(f"write T.disconnected_grad({end}) in the expression for what is constant")
    connected = _connected([y.ir], [], by_floats=True)
    found: dict[int, Any] = {}
    for i, x in enumerate(points):
        if x.ir not in connected or not _is_float(x.ir):
            _tell(x, [y.plain], [], disconnected_inputs)
            found[i] = b.full(0, (*b.shape(y), *b.shape(x)), x.type.element)
    asked = [i for i in range(len(points)) if i not in found]
    made = b.jacobian(y, [points[i] for i in asked]) if asked else []
    found.update(zip(asked, made))
    return _packed(wrt, [found[i] for i in range(len(points))])


@located
def hessian(
    cost: Any, wrt: Any = None, consider_constant: Any = None, disconnected_inputs: str = "raise", **options: Any
) -> Any:
    """The second derivatives of a 0-d cost by each variable of `wrt`: its axes twice."""
    if not _are_symbolic(cost, wrt):
        return gradients.hessian(cost, wrt, **options)
    points = _variables("wrt", wrt)
    slopes = grad(cost, points, consider_constant, disconnected_inputs)
    return _packed(wrt, [jacobian(slope, x, disconnected_inputs="ignore") for slope, x in zip(slopes, points)])


@located
def Lop(f: Any, wrt: Any, eval_points: Any, consider_constant: Any = None, disconnected_inputs: str = "raise") -> Any:
    """The rows `eval_points`, one for each of f, times the Jacobians of f by `wrt` (a vjp, PyTensor's pullback)."""
    values = _variables("f", f)
    rows = eval_points if isinstance(eval_points, (list, tuple)) else [eval_points]
    if len(rows) != len(values):
        raise GraphValueError(f"needs an eval_point for each of f, {len(values)}, got {len(rows)}")
    given = {x: row for x, row in zip(values, rows)}
    points = _variables("wrt", wrt)
    cotangents = _known(given)
    ends = [x.plain for x in _variables("consider_constant", consider_constant or [])]
    results = list(cotangents)
    answers = _answers(points, results, {}, ends, disconnected_inputs, "zero")
    asked = [i for i in range(len(points)) if i not in answers]
    found = b.vjp(results, list(cotangents.values()), [points[i] for i in asked], ends) if asked else []
    answers.update(zip(asked, found))
    return _packed(wrt, [answers[i] for i in range(len(points))])


@located
def Rop(f: Any, wrt: Any, eval_points: Any, disconnected_outputs: str = "raise", **options: Any) -> Any:
    """The Jacobians of f by `wrt`, times the columns `eval_points`, one for each of `wrt` (PyTensor's pushforward)."""
    values, points = _variables("f", f), _variables("wrt", wrt)
    columns = eval_points if isinstance(eval_points, (list, tuple)) else [eval_points]
    if len(columns) != len(points):
        raise GraphValueError(f"needs an eval_point for each of wrt, {len(points)}, got {len(columns)}")
    tangents = _known({x: column for x, column in zip(points, columns)})
    return _packed(f, b.jvp(values, list(tangents), list(tangents.values())))


@located
def hessian_vector_product(cost: Any, wrt: Any, p: Any, **options: Any) -> Any:
    """The Hessian of a cost by all of `wrt`, times p, without the Hessian."""
    points = _variables("wrt", wrt)
    slopes = grad(cost, points, **options)
    return _packed(wrt, Rop(list(slopes), list(points), p if isinstance(p, (list, tuple)) else [p]))


@located
def subgraph_grad(wrt: Any, end: Any, start: Any = None, cost: Any = None, details: bool = False) -> Any:
    """Gradients from a cost, or from `start` (known gradients), to `wrt`, and to `end`, where they stop: two lists."""
    known = start or {}
    found = grad(cost, [*wrt, *end], consider_constant=list(end), known_grads=known, disconnected_inputs="ignore")
    return list(found[: len(wrt)]), list(found[len(wrt) :])


# --- markers ---------------------------------------------------------------------------------------------------------


@located
def disconnected_grad(x: Any) -> Tensor:
    """x, through which no gradient goes."""
    return b.stop_gradient(x)


def consider_constant(x: Any) -> Tensor:
    """x, through which no gradient goes."""
    return disconnected_grad(x)


@located
def zero_grad(x: Any) -> Tensor:
    """x, whose gradient is 0, and connected."""
    return b.grad_scale(x, 0.0)


@located
def grad_clip(x: Any, lower_bound: float, upper_bound: float) -> Tensor:
    """x, whose gradient is moved into the range between the bounds."""
    return b.grad_clip(x, lower_bound, upper_bound)


@located
def grad_scale(x: Any, multiplier: float) -> Tensor:
    """x, whose gradient is multiplied by a number."""
    return b.grad_scale(x, multiplier)
