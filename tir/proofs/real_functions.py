"""The functions of rules in real arithmetic: on numpy arrays of mpmath's numbers, as `truth.py` gives them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tir.lazy import mpmath, np

__all__ = ["functions"]

Functions = dict[str, Callable[..., Any]]


def functions() -> Functions:
    """All of them by their names in the language of rules. Numbers have the digits that mpmath has where this is called."""
    found = {name: _real(function) for name, function in (_of_one() | _of_two()).items()}
    found |= _of_elements(found)
    found |= _folds(found) | _orders() | _shapes() | _moves()
    found["op"] = lambda name, *values, **facts: found[name](*values, **facts)
    return found


def _real(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function of each element; nan where there is no real value."""
    def one(*numbers: Any) -> Any:
        try:
            found = function(*numbers)
        except (ValueError, ZeroDivisionError, OverflowError, mpmath.libmp.NoConvergence):
            return mpmath.nan
        return mpmath.nan if isinstance(found, mpmath.mpc) else found

    return lambda *arrays: np.frompyfunc(one, len(arrays), 1)(*arrays)


# --- of each element -------------------------------------------------------------------------------------------------


def _divided(x: Any, y: Any) -> Any:
    if y == 0:
        return mpmath.nan if x == 0 or mpmath.isnan(x) else mpmath.sign(x) * mpmath.inf
    return x / y


def _power(x: Any, y: Any) -> Any:
    if y == 0 or x == 1:
        return mpmath.mpf(1)
    if x == 0:
        return mpmath.nan if mpmath.isnan(y) else mpmath.inf if y < 0 else mpmath.mpf(0)
    if x == -mpmath.inf and y != mpmath.floor(y):  # as IEEE 754 says it
        return mpmath.nan if mpmath.isnan(y) else mpmath.inf if y > 0 else mpmath.mpf(0)
    return mpmath.power(x, y)


def _log(x: Any) -> Any:
    return -mpmath.inf if x == 0 else mpmath.log(x)


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + mpmath.exp(-x))


def _softplus(x: Any) -> Any:
    return x if x == mpmath.inf else mpmath.log(1 + mpmath.exp(x)) if x < 100 else x + mpmath.exp(-x)


def _of_one() -> Functions:
    mp = mpmath
    return {
        "exp": mp.exp, "expm1": lambda x: mp.exp(x) - 1, "exp2": lambda x: mp.power(2, x),
        "log": _log, "log1p": lambda x: _log(1 + x),
        "log2": lambda x: _log(x) / mp.log(2), "log10": lambda x: _log(x) / mp.log(10), "sqrt": mp.sqrt,
        "rsqrt": lambda x: _divided(mp.mpf(1), mp.sqrt(x)), "cbrt": lambda x: mp.sign(x) * mp.root(abs(x), 3),
        "sin": mp.sin, "cos": mp.cos, "tan": mp.tan, "sinh": mp.sinh, "cosh": mp.cosh, "tanh": mp.tanh,
        "asin": mp.asin, "acos": mp.acos, "atan": mp.atan, "asinh": mp.asinh, "acosh": mp.acosh, "atanh": mp.atanh,
        "erf": mp.erf, "erfc": mp.erfc, "neg": operator.neg, "abs": abs,
        "erfinv": lambda x: mp.erfinv(x) if abs(x) < 1 else mp.sign(x) * mp.inf if abs(x) == 1 else mp.nan,
        "lgamma": lambda x: mp.inf if mp.isinf(x) or (x <= 0 and x == mp.floor(x)) else mp.re(mp.loggamma(x)),
        "sign": lambda x: x if mp.isnan(x) else mp.mpf(mp.sign(x)),
        "square": lambda x: x * x, "reciprocal": lambda x: _divided(mp.mpf(1), x),
        "sigmoid": _sigmoid, "softplus": _softplus, "silu": lambda x: x * _sigmoid(x),
        "relu": lambda x: x if mp.isnan(x) or x > 0 else mp.mpf(0),
        "gelu": lambda x: x * mp.erfc(-x / mp.sqrt(2)) / 2 if x != -mp.inf else mp.mpf(0),
        "floor": mp.floor, "ceil": mp.ceil, "round": mp.nint, "trunc": lambda x: mp.floor(x) if x > 0 else mp.ceil(x),
        "is_nan": mp.isnan, "is_inf": mp.isinf, "is_finite": mp.isfinite,
        **dict.fromkeys(("leaf", "stop_gradient", "optimization_barrier"), lambda x: x),
    }  # fmt: skip


def _of_two() -> Functions:
    def pick(better: Callable[[Any, Any], bool]) -> Callable[[Any, Any], Any]:
        return lambda x, y: mpmath.nan if mpmath.isnan(x) or mpmath.isnan(y) else x if better(x, y) else y

    return {
        "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": _divided, "pow": _power,
        "maximum": pick(operator.ge), "minimum": pick(operator.le),
    }  # fmt: skip


def _of_elements(each: Mapping[str, Callable[..., Any]]) -> Functions:
    """What is made of those, and what is of truth values."""
    relations = {name: getattr(operator, name) for name in ("eq", "ne", "lt", "le", "gt", "ge")}
    zero = mpmath.mpf(0)

    def select(c: Any, x: Any, y: Any) -> Any:
        return np.frompyfunc(lambda k, a, b: a if k else b, 3, 1)(c, x, y)

    return {
        "cmp": lambda x, y, predicate: np.frompyfunc(relations[predicate], 2, 1)(x, y), "select": select,
        "and": np.logical_and, "or": np.logical_or, "not": np.logical_not,
        "elu": lambda x, alpha=1.0: select(x > zero, x, alpha * each["expm1"](x)),
        "leaky_relu": lambda x, alpha=0.01: select(x > zero, x, alpha * x),
        "clamp": lambda x, low, high: each["minimum"](each["maximum"](x, low), high),
        "grad_scale": lambda x, factor: x, "grad_clip": lambda x, low, high: x, "cast": lambda x, element: x,
    }  # fmt: skip


# --- of rows ---------------------------------------------------------------------------------------------------------


def _over(function: Callable[[list[Any]], Any]) -> Callable[[Any, Sequence[int]], Any]:
    """The function of the elements along axes, which disappear."""

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


def _largest(row: list[Any]) -> Any:
    return mpmath.nan if any(map(mpmath.isnan, row)) else max(row, default=-mpmath.inf)


def _smallest(row: list[Any]) -> Any:
    return mpmath.nan if any(map(mpmath.isnan, row)) else min(row, default=mpmath.inf)


def _mean(row: list[Any]) -> Any:
    return mpmath.fsum(row) / len(row) if row else mpmath.nan


def _variance(x: Any, axes: Sequence[int], ddof: int = 0) -> Any:
    def of_row(row: list[Any]) -> Any:
        middle, count = _mean(row), len(row) - ddof
        return mpmath.fsum((one - middle) ** 2 for one in row) / count if count > 0 else mpmath.nan

    return _over(of_row)(x, axes)


def _folds(each: Mapping[str, Callable[..., Any]]) -> Functions:
    def log_sum_exp(row: list[Any]) -> Any:
        return _log(mpmath.fsum(map(mpmath.exp, row))) if row else -mpmath.inf

    total, lse = _over(mpmath.fsum), _over(log_sum_exp)
    return {
        "sum": total, "prod": _over(mpmath.fprod), "max": _over(_largest), "min": _over(_smallest), "mean": _over(_mean),
        "all": _over(all), "any": _over(any), "var": _variance, "logsumexp": lse,
        "std": lambda x, axes, ddof=0: each["sqrt"](_variance(x, axes, ddof)),
        "softmax": lambda x, axes: each["exp"](x - np.expand_dims(lse(x, axes), tuple(axes))),
        "softmax_cross_entropy": lambda x, y: -total(y * (x - lse(x, [np.ndim(x) - 1])[..., None]), [np.ndim(x) - 1]),
        "log_softmax": lambda x, axes: x - np.expand_dims(lse(x, axes), tuple(axes)),
        "cumsum": lambda x, axis: np.cumsum(x, axis), "cumprod": lambda x, axis: np.cumprod(x, axis),
    }  # fmt: skip


def _orders() -> Functions:
    """Places of elements and their order, nan first or last as numpy has it."""

    def first(key: Callable[[Any], Any]) -> Callable[[Any], int]:
        def of_row(row: Any) -> int:
            nan = next((place for place, number in enumerate(row) if mpmath.isnan(number)), None)
            return min(range(len(row)), key=lambda place: (key(row[place]), place)) if nan is None else nan

        return of_row

    def ordered(row: Any) -> Any:
        return np.array(sorted(row, key=lambda one: (mpmath.isnan(one), 0 if mpmath.isnan(one) else one)), object)

    return {
        "argmax": lambda x, axis: np.apply_along_axis(first(operator.neg), int(axis), x),
        "argmin": lambda x, axis: np.apply_along_axis(first(operator.pos), int(axis), x),
        "sort": lambda x, axis: np.apply_along_axis(ordered, int(axis), x),
    }  # fmt: skip


# --- where elements lie ----------------------------------------------------------------------------------------------


def _shapes() -> Functions:
    return {
        "transpose": lambda x, permutation=None: np.transpose(x, permutation),
        "reverse": lambda x, axes: np.flip(x, tuple(axes)),
        "slice": lambda x, starts, limits, strides=None: x[_window(x.shape, starts, limits, strides)],
        "broadcast": lambda x, along, shape: np.broadcast_to(
            np.expand_dims(x, tuple(axis for axis in range(len(shape)) if axis not in along)), tuple(shape)),
        "repeat_along": lambda x, axes, like: np.broadcast_to(np.expand_dims(x, tuple(axes)), np.shape(like)),
        "expand_dims": lambda x, axes: np.expand_dims(x, tuple(axes)),
        "full_like": lambda x, value: np.full(np.shape(x), value, object),
        "iota": lambda shape, axis: np.indices([int(size) for size in shape])[int(axis)],
        "dim": lambda x, axis: mpmath.mpf(np.shape(x)[int(axis)]),
        "tril": np.tril, "triu": np.triu, "diag": _diagonal,
        "diag_part": lambda x, diagonal: np.diagonal(x, diagonal, -2, -1),
    }  # fmt: skip


def _diagonal(x: Any, diagonal: int) -> Any:
    """Matrices with the last axis of x on a diagonal."""
    side = x.shape[-1] + abs(diagonal)
    found = np.full((*x.shape[:-1], side, side), mpmath.mpf(0), object)
    for place in range(x.shape[-1]):
        found[..., place + max(-diagonal, 0), place + max(diagonal, 0)] = x[..., place]
    return found


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
        "index_nd": lambda x, points: x[places(points)],
        "take": lambda x, index, axis: np.take(x, places([index])[0], int(axis)),
        "take_along_axis": lambda x, index, axis: np.take_along_axis(x, places([index])[0], int(axis)),
        "put_nd": added, "dot": np.dot, "einsum": np.einsum, "dot_general": product,
    }  # fmt: skip


def _window(
    shape: Sequence[int], starts: Sequence[int], limits: Sequence[int], strides: Sequence[int] | None
) -> tuple[slice, ...]:
    parts = zip(shape, starts, limits, strides or [1] * len(shape))
    return tuple(slice(start, limit if limit > 0 else size + limit, stride) for size, start, limit, stride in parts)
