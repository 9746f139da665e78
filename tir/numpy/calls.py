"""What a name of `tir.numpy` is: a function that is numpy's on arrays, and builds ops on traced arrays."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import Any

from tir.dialects.tir.build.core import SizeOf, Tensor
from tir.ir.affine import AffineExpr
from tir.ir.errors import nearest
from tir.lazy import np
from tir.numpy.names import FUNCTIONS, UNTRACEABLE
from tir.trees import flat

__all__ = ["lookup"]


def is_traced(x: Any) -> bool:
    """x is known only when the program runs."""
    return isinstance(x, (Tensor, AffineExpr, SizeOf))


@cache
def lookup(name: str, prefix: str) -> Callable[..., Any]:
    """The function of this name in `numpy` or, with its prefix, in a module of it. AttributeError says what there is."""
    full = prefix + name
    module = np.linalg if prefix else np
    if name.startswith("_") or full not in FUNCTIONS or "." in name:
        raise AttributeError(_missing(name, prefix, module))
    of_arrays = getattr(module, name)
    of_traced = FUNCTIONS[full]

    @wraps(of_traced)
    def function(*given: Any, **named: Any) -> Any:
        if any(map(is_traced, flat((given, named)))):
            return of_traced(*given, **named)
        return of_arrays(*given, **named)

    function.__name__ = function.__qualname__ = name
    function.__module__ = f"tir.numpy.{prefix}".rstrip(".")
    return function


def _missing(name: str, prefix: str, module: Any) -> str:
    """What to write for a name that cannot be traced, or that there is not."""
    where = f"module 'tir.numpy.{prefix}'".replace(".'", "'")
    if name[:1] != "_" and hasattr(module, name):
        cure = UNTRACEABLE.get(prefix + name, f"numpy.{prefix}{name} computes it of arrays, outside of a traced function")
        return f"{where} has no attribute {name!r}, which cannot be traced; {cure}"
    names = [one.removeprefix(prefix) for one in FUNCTIONS if one.startswith(prefix) and "." not in one.removeprefix(prefix)]
    hint = nearest(name, names) if name[:1] != "_" else None
    return f"{where} has no attribute {name!r}" + (f"; {hint}" if hint else "")
