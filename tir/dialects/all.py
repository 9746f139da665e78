"""All dialects of tir, and the registry that knows them. A dialect is imported when one of its ops is named."""

from __future__ import annotations

from tir.ir.registry import Registry
from tir.lazy import LazyTable

__all__ = ["DIALECTS", "REGISTRY"]

_NAMES = ("builtin", "func", "tir", "linalg", "tensor", "arith", "math", "scf", "cf", "memref", "vector", "transform")
#: Name -> Dialect.
DIALECTS = LazyTable({name: f"tir.dialects.{name}:DIALECT" for name in _NAMES})
REGISTRY = Registry(DIALECTS)
