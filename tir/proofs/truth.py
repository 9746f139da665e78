"""What an expression is in real arithmetic: numpy arrays of mpmath's numbers, 60 digits.

It knows the names of the language of rules and nothing of tir's ops, so that it is a second opinion on both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tir.lazy import mpmath, np
from tir.proofs.real_functions import functions
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
        return _spread([_of(expression, arrays, functions())])[0]


def _exact(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    if value.dtype.kind in "bO":
        return value.astype(object)
    return np.frompyfunc(lambda x: mpmath.mpf(float(x)) if value.dtype.kind == "f" else mpmath.mpf(int(x)), 1, 1)(value)


def _of(expression: Expression, given: Mapping[str, Any], known: Mapping[str, Callable[..., Any]]) -> Any:
    match expression:
        case Name(name):
            return given.get(name, name)  # that of an element type is no value
        case Number(number):
            return number if isinstance(number, (bool, str)) else mpmath.mpf(number)
        case List(items):
            return [_plain(_of(item, given, known)) for item in items]
        case Call("number", (inner,)):
            return _of(inner, given, known)
        case Call("repeat", (inner, axes)):
            return _Repeated(_of(inner, given, known), _of(axes, given, known))
        case Call(function, arguments, named):
            values = [_of(one, given, known) for one in arguments]
            values = _spread(values)
            facts = {name: _plain(_of(one, given, known)) for name, one in named}
            if function not in known:
                raise NoTruth(function)
            return known[function](*values, **facts)
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
