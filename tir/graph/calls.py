"""How a call of a function of variables is spelled in a message: `dot(x, w)`, `x.reshape((2, -1))`, `x + y`, `x[1.5]`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import FunctionType
from typing import Any

from tir.dialects.tir.build.core import Tensor, told
from tir.ir.errors import TirError, VerifyError
from tir.lazy import np

__all__ = ["tell_call"]

SIGNS = {
    "add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**", "matmul": "@", "and": "&",
    "or": "|", "xor": "^", "lshift": "<<", "rshift": ">>", "lt": "<", "le": "<=", "gt": ">", "ge": ">=",
}  # fmt: skip
UNARY = {"neg": "-", "invert": "~"}
#: A call that is longer is told by its name alone.
LONGEST = 72


def tell_call(error: TirError, name: str, is_method: bool, given: Sequence[Any], named: Mapping[str, Any]) -> None:
    """Puts the call in front of what is wrong. That of the user comes last, and stays.

    An error that says where it is has been told by someone who knows more, but for what ops say of themselves.
    """
    problem = error.args[0]
    if is_method and name.startswith("__") and name != "__init__" and not isinstance(given[0], Tensor):
        return  # T.mgrid[..]
    if error.location is not None and not isinstance(error, VerifyError) and error.message == problem:
        return
    for start in (f"{name}: ", f"tir.{name.strip('_')}: "):
        problem = problem.removeprefix(start)
    error.message = f"{_spelled(name, is_method, given, named)}: {problem}"


def _spelled(name: str, is_method: bool, given: Sequence[Any], named: Mapping[str, Any]) -> str:
    if is_method and not isinstance(given[0], Tensor):  # an object of a library, whose name is not known
        name = type(given[0]).__name__ if name == "__init__" else name
        given, is_method = given[1:], False
    words = [_told(one) for one in given]
    bare = name.strip("_") if name.startswith("__") else ""
    if len(words) == 2 and (bare in SIGNS or bare[1:] in SIGNS):
        first, second = words if bare in SIGNS else reversed(words)
        found = f"{first} {SIGNS[bare if bare in SIGNS else bare[1:]]} {second}"
    elif bare in UNARY:
        found = f"{UNARY[bare]}{words[0]}"
    elif bare == "getitem":
        found = f"{words[0]}[{_index(given[1])}]"
    else:
        rest = [*words[is_method:], *(f"{key}={_told(value)}" for key, value in named.items())]
        found = f"{f'{words[0]}.' if is_method else ''}{name}({', '.join(rest)})"
    return found if len(found) <= LONGEST else f"{name}(..)"


def _told(given: Any) -> str:
    if isinstance(given, FunctionType):
        return given.__name__.strip("<>")  # a lambda is that
    return "array(..)" if isinstance(given, np.ndarray) else told(given)


def _index(given: Any) -> str:
    """What stands in brackets."""
    return ", ".join(map(_part, given if isinstance(given, tuple) else (given,)))


def _part(part: Any) -> str:
    if part is Ellipsis:
        return "..."
    if not isinstance(part, slice):
        return _told(part)
    bounds = ["" if bound is None else told(bound) for bound in (part.start, part.stop)]
    return ":".join([*bounds, *([] if part.step is None else [told(part.step)])])
