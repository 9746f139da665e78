"""Calls of tir's functions with arguments that these do not take, told in one sentence.

Nothing is looked at before a call: it is Python that refuses one, and what it says is put into words of the user here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, TypeVar

from tir.api import caller_location
from tir.ir.errors import TirError, nearest

__all__ = ["CallError", "for_users", "is_wrong_call", "wrong_call"]

Called = TypeVar("Called", bound=Callable[..., Any])


class CallError(TirError, TypeError):
    """A function is called with an argument that it does not have, or without one that it needs."""


def is_wrong_call(error: TypeError) -> bool:
    """Python itself says it of a call in the frame that has caught it: no line of the function has run."""
    return not isinstance(error, TirError) and error.__traceback__ is not None and error.__traceback__.tb_next is None


def wrong_call(
    label: str, function: Callable[..., Any], given: Sequence[Any], named: Mapping[str, Any], is_method: bool = False
) -> CallError:  # fmt: skip
    """What is wrong with a call that Python refuses, in one sentence. A method is called with its object."""
    parameters = list(inspect.signature(function).parameters.values())[is_method:]
    by_place = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    names = [p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    needed = [p.name for p in parameters if p.name in names and p.default is p.empty]
    count, takes = len(given) - is_method, ", ".join(names) or "nothing"
    strange = next((name for name in named if name not in names), None)
    if strange is not None:
        message, hint = f"{label}: there is no argument '{strange}'", nearest(strange, names) or f"it takes {takes}"
        return CallError(message, caller_location(), hint=hint)
    twice = next((name for name in by_place[:count] if name in named), None)
    missing = next((name for name in needed if name not in named and name not in by_place[:count]), None)
    message = f"{label}: takes {takes}, got {count} arguments"
    if twice is not None:
        message = f"{label}: {twice} is given twice, by its place and by its name"
    elif missing is not None:
        message = f"{label}: {missing} is missing, it takes {takes}"
    return CallError(message, caller_location())


def for_users(function: Called) -> Called:
    """The function, which tells a wrong call of it as `tir.name: ..`, at the line of the user."""

    @wraps(function)
    def call(*given: Any, **named: Any) -> Any:
        try:
            return function(*given, **named)
        except TypeError as error:
            if not is_wrong_call(error):
                raise
            raise wrong_call(f"tir.{function.__name__}", function, given, named) from None

    return call  # type: ignore[return-value]
