"""What an expression is in real arithmetic: numpy arrays of mpmath's numbers, 60 digits.

It knows the names of the language of rules and nothing of tir's ops, so that it is a second opinion on both.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tir.lazy import mpmath, np
from tir.rewrites.expression import Call, Expression, List, Name, Number

__all__ = ["DIGITS", "MANY_DIGITS", "NoTruth", "truth"]

#: Enough for most; log(1 + exp(-700)) needs more.
DIGITS, MANY_DIGITS = 60, 1000


class NoTruth(Exception):
    """The expression has a function of which nothing here says what it is in real arithmetic."""

    def __init__(self, function: str) -> None:
        super().__init__(f"a proof does not know what tir.{function} is in real arithmetic, so only exact rules may have it")


def truth(expression: Expression, given: Mapping[str, Any], digits: int = DIGITS) -> Any:
    """The value of the expression, where names are arrays of numbers and attributes as the rule matched them.

    An element that is no real number (the logarithm of -1, inf - inf) is nan. What is repeated beside nothing has size 1.
    Raises NoTruth.
    """
    with mpmath.workdps(digits), np.errstate(all="ignore"):
        arrays = {name: _exact(value) for name, value in given.items()}
        return _spread([_of(expression, arrays, _functions())])[0]


def _exact(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    if value.dtype.kind in "bO":
        return value.astype(object)
    return np.frompyfunc(lambda x: mpmath.mpf(float(x)) if value.dtype.kind == "f" else mpmath.mpf(int(x)), 1, 1)(value)


def _of(expression: Expression, given: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]) -> Any:
    match expression:
        case Name(name):
            return given.get(name, name)  # that of an element type is no value
        case Number(number):
            return number if isinstance(number, (bool, str)) else mpmath.mpf(number)
        case List(items):
            return [_plain(_of(item, given, functions)) for item in items]
        case Call("number", (inner,)):
            return _of(inner, given, functions)
        case Call("repeat", (inner, axes)):
            return _Repeated(_of(inner, given, functions), _of(axes, given, functions))
        case Call(function, arguments, named):
            values = [_of(one, given, functions) for one in arguments]
            values = _spread(values)
            facts = {name: _plain(_of(one, given, functions)) for name, one in named}
            if function not in functions:
                raise NoTruth(function)
            return functions[function](*values, **facts)
    raise AssertionError(expression)


class _Repeated:
    """What is to be repeated along axes of its neighbour."""

    def __init__(self, array: Any, axes: Sequence[int]) -> None:
        self.array, self.axes = array, axes


def _spread(values: Sequence[Any]) -> list[Any]:
    return [np.expand_dims(x.array, tuple(x.axes)) if isinstance(x, _Repeated) else x for x in values]


def _plain(value: Any) -> Any:
    """A number of mpmath as an attribute's."""
    return int(value) if hasattr(value, "_mpf_") else value


def _real(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function of each element; nan where there is no real value."""
    def one(*numbers: Any) -> Any:
        try:
            found = function(*numbers)
        except (ValueError, ZeroDivisionError, OverflowError, mpmath.libmp.NoConvergence):
            return mpmath.nan
        return mpmath.nan if isinstance(found, mpmath.mpc) else found

    return lambda *arrays: np.frompyfunc(one, len(arrays), 1)(*arrays)


def _functions() -> dict[str, Callable[..., Any]]:
    mp = mpmath

    def divided(x: Any, y: Any) -> Any:
        if y == 0:
            return mp.nan if x == 0 or mp.isnan(x) else mp.sign(x) * mp.inf
        return x / y

    def power(x: Any, y: Any) -> Any:
        if y == 0 or x == 1:
            return mp.mpf(1)
        if x == 0:
            return mp.nan if mp.isnan(y) else mp.inf if y < 0 else mp.mpf(0)
        if x == -mp.inf and y != mp.floor(y):  # as IEEE 754 says it
            return mp.nan if mp.isnan(y) else mp.inf if y > 0 else mp.mpf(0)
        return mp.power(x, y)

    def log(x: Any) -> Any:
        return -mp.inf if x == 0 else mp.log(x)

    def log1p(x: Any) -> Any:
        return log(1 + x)

    def sigmoid(x: Any) -> Any:
        return 1 / (1 + mp.exp(-x))

    def softplus(x: Any) -> Any:
        return x if x == mp.inf else mp.log(1 + mp.exp(x)) if x < 100 else x + mp.exp(-x)

    unary: dict[str, Callable[[Any], Any]] = {
        "exp": mp.exp, "expm1": lambda x: mp.exp(x) - 1, "exp2": lambda x: mp.power(2, x), "log": log, "log1p": log1p,
        "log2": lambda x: log(x) / mp.log(2), "log10": lambda x: log(x) / mp.log(10), "sqrt": mp.sqrt,
        "rsqrt": lambda x: divided(mp.mpf(1), mp.sqrt(x)), "cbrt": lambda x: mp.sign(x) * mp.root(abs(x), 3),
        "sin": mp.sin, "cos": mp.cos, "tan": mp.tan, "sinh": mp.sinh, "cosh": mp.cosh, "tanh": mp.tanh,
        "asin": mp.asin, "acos": mp.acos, "atan": mp.atan, "asinh": mp.asinh, "acosh": mp.acosh, "atanh": mp.atanh,
        "erf": mp.erf, "erfc": mp.erfc, "neg": operator.neg, "abs": abs,
        "sign": lambda x: x if mp.isnan(x) else mp.mpf(mp.sign(x)),
        "square": lambda x: x * x, "reciprocal": lambda x: divided(mp.mpf(1), x), "sigmoid": sigmoid, "softplus": softplus,
        "relu": lambda x: x if mp.isnan(x) or x > 0 else mp.mpf(0), "silu": lambda x: x * sigmoid(x),
        "floor": mp.floor, "ceil": mp.ceil, "round": mp.nint, "trunc": lambda x: mp.floor(x) if x > 0 else mp.ceil(x),
        "is_nan": mp.isnan, "is_inf": mp.isinf, "is_finite": mp.isfinite,
        "gelu": lambda x: x * mp.erfc(-x / mp.sqrt(2)) / 2 if x != -mp.inf else mp.mpf(0),
        "erfinv": lambda x: mp.erfinv(x) if abs(x) < 1 else mp.sign(x) * mp.inf if abs(x) == 1 else mp.nan,
        "lgamma": lambda x: mp.inf if mp.isinf(x) or (x <= 0 and x == mp.floor(x)) else mp.re(mp.loggamma(x)),
    }  # fmt: skip
    for name in ("leaf", "stop_gradient", "optimization_barrier"):
        unary[name] = lambda x: x

    def pick(better: Callable[[Any, Any], bool]) -> Callable[[Any, Any], Any]:
        return lambda x, y: mp.nan if mp.isnan(x) or mp.isnan(y) else x if better(x, y) else y

    binary: dict[str, Callable[[Any, Any], Any]] = {
        "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": divided, "pow": power,
        "maximum": pick(operator.ge), "minimum": pick(operator.le),
    }  # fmt: skip
    relations = {name: getattr(operator, name) for name in ("eq", "ne", "lt", "le", "gt", "ge")}
    found = {name: _real(function) for name, function in (unary | binary).items()}
    found["cmp"] = lambda x, y, predicate: np.frompyfunc(relations[predicate], 2, 1)(x, y)
    found["select"] = lambda c, x, y: np.frompyfunc(lambda k, a, b: a if k else b, 3, 1)(c, x, y)
    found["and"], found["or"] = np.logical_and, np.logical_or
    found["not"] = np.logical_not
    zero = mp.mpf(0)
    found["elu"] = lambda x, alpha=1.0: found["select"](x > zero, x, alpha * found["expm1"](x))
    found["leaky_relu"] = lambda x, alpha=0.01: found["select"](x > zero, x, alpha * x)
    found["grad_scale"] = lambda x, factor: x
    found["grad_clip"] = lambda x, low, high: x
    found["clamp"] = lambda x, low, high: found["minimum"](found["maximum"](x, low), high)
    found |= _reductions(found) | _moves()
    found["tril"], found["triu"], found["diag"] = np.tril, np.triu, _diagonal
    found["diag_part"] = lambda x, diagonal: np.diagonal(x, diagonal, -2, -1)
    found["op"] = lambda name, *values, **facts: found[name](*values, **facts)
    return found


def _diagonal(x: Any, diagonal: int) -> Any:
    """Matrices with the last axis of x on a diagonal."""
    side = x.shape[-1] + abs(diagonal)
    found = np.full((*x.shape[:-1], side, side), mpmath.mpf(0), object)
    for place in range(x.shape[-1]):
        found[..., place + max(-diagonal, 0), place + max(diagonal, 0)] = x[..., place]
    return found


def _reductions(each: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    mp = mpmath

    def over(function: Callable[[list[Any]], Any]) -> Callable[[Any, Sequence[int]], Any]:
        def reduced(x: Any, axes: Sequence[int]) -> Any:
            kept = [axis for axis in range(np.ndim(x)) if axis not in axes]
            rows = np.transpose(x, [*kept, *axes])
            shape = rows.shape[: len(kept)]
            rows = rows.reshape(int(np.prod(shape)), int(np.prod(rows.shape[len(kept) :])))
            made = np.empty(len(rows), object)
            for place, row in enumerate(rows):
                made[place] = function(list(row))
            return made.reshape(shape)

        return reduced

    def largest(row: list[Any]) -> Any:
        return mp.nan if any(map(mp.isnan, row)) else max(row, default=-mp.inf)

    def smallest(row: list[Any]) -> Any:
        return mp.nan if any(map(mp.isnan, row)) else min(row, default=mp.inf)

    def log_sum_exp(row: list[Any]) -> Any:
        return each["log"](mp.fsum(map(mp.exp, row))) if row else -mp.inf

    def mean(row: list[Any]) -> Any:
        return mp.fsum(row) / len(row) if row else mp.nan

    def variance(x: Any, axes: Sequence[int], ddof: int = 0) -> Any:
        def of_row(row: list[Any]) -> Any:
            middle, count = mean(row), len(row) - ddof
            return mp.fsum((one - middle) ** 2 for one in row) / count if count > 0 else mp.nan

        return over(of_row)(x, axes)

    def first_nan(row: Any) -> int | None:
        return next((place for place, number in enumerate(row) if mp.isnan(number)), None)

    def first_largest(row: Any) -> int:
        nan = first_nan(row)
        return max(range(len(row)), key=lambda place: (row[place], -place)) if nan is None else nan

    def first_smallest(row: Any) -> int:
        nan = first_nan(row)
        return min(range(len(row)), key=lambda place: (row[place], place)) if nan is None else nan

    def ordered(row: Any) -> Any:
        return np.array(sorted(row, key=lambda number: (mp.isnan(number), 0 if mp.isnan(number) else number)), object)

    def dot(x: Any, y: Any) -> Any:
        return np.dot(x, y)

    total, lse = over(mp.fsum), over(log_sum_exp)
    return {
        "sum": total, "prod": over(mp.fprod), "max": over(largest), "min": over(smallest), "mean": over(mean),
        "all": over(all), "any": over(any),
        "var": variance, "std": lambda x, axes, ddof=0: each["sqrt"](variance(x, axes, ddof)),
        "logsumexp": lse,
        "softmax": lambda x, axes: each["exp"](x - np.expand_dims(lse(x, axes), tuple(axes))),
        "softmax_cross_entropy": lambda x, y: -total(y * (x - lse(x, [np.ndim(x) - 1])[..., None]), [np.ndim(x) - 1]),
        "log_softmax": lambda x, axes: x - np.expand_dims(lse(x, axes), tuple(axes)),
        "transpose": lambda x, permutation=None: np.transpose(x, permutation),
        "slice": lambda x, starts, limits, strides=None: x[_window(x.shape, starts, limits, strides)],
        "broadcast": lambda x, along, shape: np.broadcast_to(
            np.expand_dims(x, tuple(axis for axis in range(len(shape)) if axis not in along)), tuple(shape)),
        "repeat_along": lambda x, axes, like: np.broadcast_to(np.expand_dims(x, tuple(axes)), np.shape(like)),
        "dim": lambda x, axis: mpmath.mpf(np.shape(x)[int(axis)]), "cast": lambda x, element: x,
        "cumsum": lambda x, axis: np.cumsum(x, axis), "cumprod": lambda x, axis: np.cumprod(x, axis),
        "dot": dot, "argmax": lambda x, axis: np.apply_along_axis(first_largest, int(axis), x),
        "argmin": lambda x, axis: np.apply_along_axis(first_smallest, int(axis), x),
        "reverse": lambda x, axes: np.flip(x, tuple(axes)),
        "sort": lambda x, axis: np.apply_along_axis(ordered, int(axis), x),
    }  # fmt: skip


def _moves() -> dict[str, Callable[..., Any]]:
    """Functions that choose and place elements, and sums of products, as the builder has them."""

    def places(points: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(np.asarray(point).astype(np.int64) for point in points)

    def added(x: Any, points: Sequence[Any], u: Any, kind: str) -> Any:
        assert kind == "add"
        found = np.array(x)
        np.add.at(found, places(points), u)
        return found

    def product(x: Any, y: Any, contract: Sequence[Any], batch: Sequence[Any] = ((), ())) -> Any:
        left, right = [*range(np.ndim(x))], [*range(np.ndim(x), np.ndim(x) + np.ndim(y))]
        for own, other in (*zip(*batch), *zip(*contract)):
            right[other] = left[own]
        both = [left[axis] for axis in batch[0]]
        alone = [axis for axis in (*left, *right) if (axis in left) != (axis in right)]
        return np.einsum(x, left, y, right, [*both, *alone])

    return {
        "expand_dims": lambda x, axes: np.expand_dims(x, tuple(axes)),
        "full_like": lambda x, value: np.full(np.shape(x), value, object),
        "iota": lambda shape, axis: np.indices([int(size) for size in shape])[int(axis)],
        "index_nd": lambda x, points: x[places(points)],
        "take": lambda x, index, axis: np.take(x, places([index])[0], int(axis)),
        "take_along_axis": lambda x, index, axis: np.take_along_axis(x, places([index])[0], int(axis)),
        "put_nd": added, "einsum": np.einsum, "dot_general": product,
    }  # fmt: skip


def _window(
    shape: Sequence[int], starts: Sequence[int], limits: Sequence[int], strides: Sequence[int] | None
) -> tuple[slice, ...]:
    parts = zip(shape, starts, limits, strides or [1] * len(shape))
    return tuple(slice(start, limit if limit > 0 else size + limit, stride) for size, start, limit, stride in parts)
