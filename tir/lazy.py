"""numpy, llvmlite and lark as objects that import themselves at their first use.

Every file says `from tir.lazy import np` at its top, and a program that never touches an array never pays for
importing numpy: `tir-opt --version` imports none of the three. A type checker sees the real modules.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__all__ = ["LazyModule", "lark", "llvm", "llvmlite", "np"]


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
