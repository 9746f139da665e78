"""What is imported at its first use, so that a tool waits for nothing that its run does not need.

    from tir.lazy import np                                       # numpy, llvmlite, lark: at the first attribute
    platform = LazyModule("platform")                             # another module that few runs need: likewise
    PASSES = LazyTable({"cse": "tir.passes.cse:Cse"})             # a table: each value when it is asked for
    __getattr__ = lazy_exports(__name__, {"parse": "tir.api"})    # a package: each name when it is asked for

`tir-opt --version` imports none of them, and a file of one dialect waits for no other. A type checker sees the real
modules. Every tool begins here, so this module imports next to nothing itself.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping

TYPE_CHECKING = False  # a type checker takes it as true; importing `typing` takes longer than all of `--version`
if TYPE_CHECKING:
    from typing import Any

__all__ = ["LazyModule", "LazyTable", "lark", "lazy_exports", "llvm", "llvmlite", "mpmath", "np"]


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


class LazyTable(Mapping):
    """A table from names to what stands in modules, as `module:attribute`. The names are known without any import."""

    def __init__(self, homes: Mapping[str, str]) -> None:
        self._homes = dict(homes)

    def __getitem__(self, name: str) -> Any:
        module, _, attribute = self._homes[name].partition(":")
        return getattr(importlib.import_module(module), attribute)

    def __contains__(self, name: object) -> bool:
        return name in self._homes

    def __iter__(self) -> Iterator[str]:
        return iter(self._homes)

    def __len__(self) -> int:
        return len(self._homes)

    def __or__(self, other: LazyTable) -> LazyTable:
        """Both tables as one."""
        return LazyTable({**self._homes, **other._homes})


def lazy_exports(package: str, homes: dict[str, str], hints: str = "") -> Callable[[str], Any]:
    """A `__getattr__` for a package: each name is imported from its home, a module, at its first use (PEP 562).

    A name whose home is the module of this name in the package is that module. hints: the module whose
    `package_hint(name, names)` says what is meant by a name that there is not.
    """

    def get(name: str) -> Any:
        if name not in homes:
            hint = importlib.import_module(hints).package_hint(name, list(homes)) if hints and name[0] != "_" else None
            raise AttributeError(f"module {package!r} has no attribute {name!r}" + (f"; {hint}" if hint else ""))
        module = importlib.import_module(homes[name])
        return module if homes[name] == f"{package}.{name}" else getattr(module, name)

    return get


if TYPE_CHECKING:
    import lark
    import llvmlite
    import llvmlite.binding as llvm
    import mpmath
    import numpy as np
else:
    np = LazyModule("numpy")
    lark = LazyModule("lark")
    llvmlite = LazyModule("llvmlite")
    llvm = LazyModule("llvmlite.binding")
    mpmath = LazyModule("mpmath")  # of the extra `test`: what proves rules
