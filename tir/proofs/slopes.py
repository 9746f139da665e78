"""Gradients of both sides of a rule: a rule that runs before `autodiff` changes what is differentiated.

The gradient after the rule must be as near to the truth, differences in arithmetic of 60 digits, as that before it; where
two numbers tie, or one stands at the corner of a function, both sides must give one gradient, and so must both sides of an
example, of which the rule alone knows what comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tir.dialects.tir.builder import TensorBuilder
from tir.dialects.tir.state import Grad, Leaf
from tir.interpret import Interpreter
from tir.ir.errors import TirError
from tir.ir.execution import ExecutionError
from tir.ir.ir import Op, Value
from tir.ir.types import F64, FloatType, element_type
from tir.lazy import mpmath, np
from tir.passes.autodiff import Autodiff
from tir.proofs.draw import Case
from tir.proofs.truth import DIGITS, truth
from tir.rewrites.declared import Declaration

__all__ = ["wrong_gradient"]

#: What run time finds where types leave sizes open: of vectors, and of tensors with more axes.
POINTS, FEW_POINTS = 12, 2
#: Relative to the largest gradient of the case: the error that a right gradient in f64 may have.
SLACK = 1e-11


def wrong_gradient(declaration: Declaration, case: Case, after: Op, seed: int = 0) -> str:
    """A sentence that says which gradient differs; "" if none does, or none is there."""
    floats = [name for name, type in case.types.items() if isinstance(type.element, FloatType)]
    if case.element is not F64 or not floats or element_type(case.value.type) is not F64:
        return ""
    try:
        sides = [_with_gradients(module, case, floats) for module in (case.module, after)]
    except TirError:
        return ""  # an op has no gradient
    for kind, inputs in _points(case, np.random.default_rng(seed)):
        try:
            with np.errstate(all="ignore"):
                before, now = (Interpreter(side).run("f", list(inputs.values())) for side in sides)
        except ExecutionError:
            continue  # sizes that do not fit
        known = kind == "ordinary" and declaration.after is not None
        right = _slopes(declaration, case, floats, inputs) if known else [None] * len(floats)
        for name, old, new, exact in zip(floats, before, now, right):
            if not _is_allowed(old, new, exact):
                given = ", ".join(f"{other} = {np.asarray(x).tolist()}" for other, x in inputs.items())
                true = "" if exact is None else f", exactly {np.asarray(exact, np.float64).tolist()}"
                return f"the gradient by {name} at {given}: before {old.tolist()}, after {new.tolist()}{true}"
    return ""


def _with_gradients(module: Op, case: Case, floats: list[str]) -> Op:
    """The module whose @f gives the gradients of the sum of its result, weighted by 1, 2, .."""
    copy = module.clone()
    function: Any = copy.regions[0].block.first
    end, leaves = function.entry.terminator, []
    first = TensorBuilder.before(function.entry.first)
    for name, argument in zip(case.types, list(function.arguments)):
        if name in floats:
            leaf = first.create(Leaf, argument)
            argument.replace_all_uses_with(leaf)
            leaf.op.set_operands([argument])
            leaves.append(leaf)
    b = TensorBuilder(function.entry, end, end.location)
    result = b.tensor(end.operand(0))
    rank = result.type.rank
    weighted = result * (b.iota(b.shape(result), rank - 1, F64) + 1) if rank else result
    cost: Value = b.sum(weighted, range(rank)).value
    found = b.create_many(Grad, cost, leaves, result_types=[leaf.type for leaf in leaves])
    end.set_operands(list(found))
    function.set_type(list(function.function_type.inputs), [value.type for value in found])
    Autodiff().run(copy)
    return copy


def _points(case: Case, random: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Inputs where functions are smooth, and such with ties and corners."""
    for kind, draw in (("ordinary", _ordinary), ("ordinary", _ordinary), ("ties", _ties), ("ties", _ties)):
        yield kind, {name: _array(type, draw, random) for name, type in case.types.items()}


def _array(type: Any, draw: Any, random: Any) -> Any:
    shape = _sizes(type)
    if not isinstance(type.element, FloatType):
        return random.integers(0, 2, size=shape).astype(bool)
    return np.asarray(draw(random, shape))


def _sizes(type: Any) -> tuple[int, ...]:
    open_size = POINTS if type.rank == 1 else FEW_POINTS
    return tuple(dim if isinstance(dim, int) else open_size for dim in type.shape)


def _ordinary(random: Any, shape: tuple[int, ...]) -> Any:
    return random.normal(0, 2, size=shape)


def _ties(random: Any, shape: tuple[int, ...]) -> Any:
    return random.integers(-1, 3, size=shape).astype(np.float64)


def _slopes(declaration: Declaration, case: Case, floats: list[str], inputs: Mapping[str, Any]) -> list[Any]:
    """Central differences of the weighted sum by each element, exact to some 20 digits."""
    with mpmath.workdps(DIGITS):
        step = mpmath.mpf(10) ** -20
        attributes = {name: case.attributes[name] for name in case.attributes}
        shape = np.shape(Interpreter(case.module).run("f", list(inputs.values()))[0])
        found = []
        for name in floats:
            slope = np.empty(np.shape(inputs[name]), object)
            for place in np.ndindex(slope.shape):
                sides = []
                for sign in (1, -1):
                    moved = {other: _exact(x) for other, x in inputs.items()}
                    moved[name][place] += sign * step
                    sides.append(_weighted(np.broadcast_to(truth(declaration.before, moved | attributes), shape)))
                slope[place] = (sides[0] - sides[1]) / (2 * step)
            found.append(slope)
        return found


def _exact(x: Any) -> Any:
    if x.dtype.kind != "f":
        return np.asarray(x)
    return np.asarray(np.frompyfunc(lambda number: mpmath.mpf(float(number)), 1, 1)(x), object)


def _weighted(result: Any) -> Any:
    array = np.asarray(result, object)
    weights = np.arange(1, array.shape[-1] + 1) if array.ndim else 1
    return mpmath.fsum(np.asarray(array * weights, object).ravel().tolist())


def _is_allowed(old: Any, new: Any, exact: Any) -> bool:
    with np.errstate(all="ignore"):
        return _is_near(old, new, exact)


def _is_near(old: Any, new: Any, exact: Any) -> bool:
    finite = np.isfinite(old)
    size = max(1.0, float(np.max(np.abs(old), initial=0.0, where=finite)))
    if exact is None:
        return bool(np.all(~finite | (np.abs(new - old) <= SLACK * size)))
    right = np.array([float(x) for x in np.ravel(exact)]).reshape(np.shape(exact))
    known = np.isfinite(right) & finite
    error, before = np.abs(new - right), np.abs(old - right)
    return bool(np.all(~known | (error <= np.maximum(before, SLACK * size))))
