"""Gradients compared with differences: `T.verify_grad(fun, [array])`, and `numeric_grad`.

The cost is the sum of `fun(..)` times random numbers, so that every element of the result counts. A gradient fits if it
is within the tolerances, which follow from the dtype, of the mean slope between x - eps and x + eps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tir.dialects.tir.build.core import told
from tir.graph import elementwise, reductions
from tir.graph.errors import GradientError, GraphTypeError
from tir.graph.function import function
from tir.graph.gradients import grad
from tir.graph.graph import GRAPH as b
from tir.graph.graph import located
from tir.graph.typing import element_of
from tir.graph.variable import Variable, placeholder
from tir.ir.types import DYNAMIC
from tir.ir.types import TensorType as Type
from tir.lazy import np

__all__ = ["numeric_grad", "verify_grad"]

#: The step, and the tolerances: the error of a central difference is about eps^2, and rounding / eps.
STEPS = {"float16": 2e-2, "float32": 1e-2, "float64": 1e-5}
ABSOLUTE = {"float16": 2e-1, "float32": 2e-3, "float64": 1e-6}
RELATIVE = {"float16": 1e-1, "float32": 2e-3, "float64": 1e-5}


class numeric_grad:
    """The slopes of f, a Python function that gives a number, at arrays of floats: `gf`, one array for each.

    eps: the step, from the dtype by default. out_type: the dtype in which f computes, where it is less exact.
    """

    type_eps = STEPS

    def __init__(self, f: Callable[..., Any], pt: Any, eps: float | None = None, out_type: str | None = None) -> None:
        points = [np.array(x) for x in (pt if isinstance(pt, (list, tuple)) else [pt])]
        coarse = min([*(x.dtype.name for x in points), *([out_type] if out_type else [])], key=_digits)
        step = STEPS[coarse] if eps is None else eps
        self.gf: Any = [self._slopes(f, points, number, step) for number in range(len(points))]
        if not isinstance(pt, (list, tuple)):
            (self.gf,) = self.gf

    @staticmethod
    def _slopes(f: Callable[..., Any], points: list[Any], number: int, step: float) -> Any:
        x = points[number]
        found = np.zeros_like(x)
        for place in np.ndindex(x.shape):
            was = x[place]
            x[place] = was + step
            above, high = float(f(*points)), float(x[place])
            x[place] = was - step
            below, low = float(f(*points)), float(x[place])
            x[place] = was
            found[place] = (above - below) / (high - low)
        return found


def _digits(dtype: str) -> int:
    return np.dtype(dtype).itemsize


@located
def verify_grad(
    fun: Callable[..., Any], pt: Sequence[Any], n_tests: int = 2, rng: Any = None, eps: float | None = None,
    out_type: str | None = None, abs_tol: float | None = None, rel_tol: float | None = None, mode: Any = None,
    cast_to_output_type: bool = False, no_debug_ref: bool = True,
) -> None:  # fmt: skip
    """GradientError unless the gradients of `fun` at the arrays `pt` are those that differences give.

    fun: of variables, one for each array; gives one variable of floats. rng: draws the weights of the cost, `n_tests`
    times; numpy's RandomState of seed 12345 by default. eps, abs_tol, rel_tol: as the dtypes say unless given. out_type:
    the dtype in which fun computes, if it is less exact than that of its arguments.
    """
    points = [_point(x) for x in pt]
    inputs = [placeholder(Type((DYNAMIC,) * x.ndim, element_of(x.dtype.name)), f"x{i}") for i, x in enumerate(points)]
    result = fun(*inputs)
    if not isinstance(result, Variable):
        raise GraphTypeError(f"the function must give one variable, got {told(result)}")
    weights = placeholder(result.type.with_shape((DYNAMIC,) * result.ndim), "weights")
    weighted = elementwise.mul(b.broadcast_to(weights, b.shape(result)), result)
    cost = reductions.sum(weighted)
    value = function([*inputs, weights], cost, mode=mode, on_unused_input="ignore", name="cost")
    shape = np.shape(function(inputs, result, mode=mode, on_unused_input="ignore", name="result")(*points))
    asked = grad(cost, inputs, disconnected_inputs="ignore")
    slopes = function([*inputs, weights], asked, mode=mode, on_unused_input="ignore", name="gradients")
    random = np.random.RandomState(12345) if rng is None else rng
    coarse = min([*(x.dtype.name for x in points), result.dtype, *([out_type] if out_type else [])], key=_digits)
    tolerances = ABSOLUTE[coarse] if abs_tol is None else abs_tol, RELATIVE[coarse] if rel_tol is None else rel_tol
    for test in range(n_tests):
        drawn = np.asarray(random.random_sample(shape) + 0.5, result.dtype)
        numeric = numeric_grad(lambda *xs, drawn=drawn: value(*xs, drawn), points, eps, coarse)
        for number, (found, expected) in enumerate(zip(slopes(*points, drawn), numeric.gf)):
            _compare(test, number, found, expected, tolerances)


def _point(given: Any) -> Any:
    array = np.array(given)
    if array.dtype.name not in STEPS:
        hint = "numpy.asarray(.., 'float64') makes it fit"
        raise GraphTypeError(f"the points must be arrays of floats, got {array.dtype}", hint=hint)
    return array


def _compare(test: int, number: int, found: Any, expected: Any, tolerances: tuple[float, float]) -> None:
    """GradientError, with the worst element, unless the arrays are close."""
    absolute, relative = tolerances
    error = np.abs(found.astype(np.float64) - expected)
    scaled = error / (absolute + relative * np.abs(expected))
    wrong = ~(scaled <= 1)
    if not wrong.any():
        return
    worst = np.unravel_index(np.argmax(np.where(np.isnan(scaled), np.inf, scaled)), scaled.shape)
    where = f"argument {number}" + (f" at {[int(i) for i in worst]}" if worst else "")
    raise GradientError(
        f"the gradient by {where} is {found[worst]:.8g}, and differences give {expected[worst]:.8g} "
        f"({int(wrong.sum())} of {wrong.size} are too far off, test {test})"
    )
