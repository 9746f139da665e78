"""numpy, llvmlite and lark as objects that import themselves at their first use.

Every file says `from tir.lazy import np` at its top, and a program that never touches an array never pays for
importing numpy: `tir-opt --version` imports none of the three. A type checker sees the real modules.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

__all__ = ["LazyModule", "lark", "lazy_exports", "llvm", "llvmlite", "np"]


class LazyModule:
    """A stand-in for the module `name`: its attributes are the module's, imported at the first access.

    Raises what the import raises (`ModuleNotFoundError`), at the first access and at every later one.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        # Called only for what the instance does not hold yet: the value is kept, so later reads are plain look-ups.
        value = getattr(importlib.import_module(self._name), attribute)
        self.__dict__[attribute] = value
        return value

    def __dir__(self) -> list[str]:
        return dir(importlib.import_module(self._name))

    def __repr__(self) -> str:
        return f"<lazy module {self._name!r}>"


def lazy_exports(package: str, homes: dict[str, str]) -> Callable[[str], Any]:
    """A `__getattr__` for a package: each name is imported from its home, a module, at its first use (PEP 562)."""

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(homes[name]), name)

    return get


if TYPE_CHECKING:
    import lark
    import llvmlite
    import llvmlite.binding as llvm
    import numpy as np
else:
    np = LazyModule("numpy")
    lark = LazyModule("lark")
    llvmlite = LazyModule("llvmlite")
    llvm = LazyModule("llvmlite.binding")
