"""What the tests of calls without Python have in common: whether a call ran Python, and the same call in Python alone."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["in_python", "outcome", "ran_python", "same"]


def in_python(f: Any) -> Callable[..., Any]:
    """The call as it is where no code takes it."""

    def call(*given: Any, **named: Any) -> Any:
        return type(f).__call__(f, *given, **named)

    return call


def ran_python(f: Any, *given: Any, **named: Any) -> bool:
    """Calls it, and sees whether its `__call__` in Python ran; what it raises does not matter."""
    seen = []
    sys.setprofile(lambda frame, event, _: seen.append(frame.f_code) if event == "call" else None)
    try:
        f(*given, **named)
    except Exception:  # the question is who has raised it
        assert seen
    finally:
        sys.setprofile(None)
    return type(f).__call__.__code__ in seen


def outcome(call: Callable[..., Any], *given: Any, **named: Any) -> Any:
    """What a call gives, or the class and text of what it raises."""
    try:
        return call(*given, **named)
    except Exception as error:  # any
        return type(error), str(error)


def same(first: Any, second: Any) -> bool:
    """Both are of the same classes, dtypes and shapes, and of the same bits."""
    if type(first) is not type(second):
        return False
    if isinstance(first, dict):
        return list(first) == list(second) and all(same(first[key], second[key]) for key in first)
    if isinstance(first, (list, tuple)):
        return len(first) == len(second) and all(map(same, first, second))
    if isinstance(first, np.ndarray):
        kinds = [(x.dtype, x.shape, x.strides if x.size else (), x.flags.writeable, x.flags.aligned) for x in (first, second)]
        return kinds[0] == kinds[1] and first.tobytes() == second.tobytes()
    return bool(first == second)
