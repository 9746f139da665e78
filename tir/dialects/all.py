"""All dialects of tir, and the registry that knows them."""

from __future__ import annotations

from tir.dialects import arith, builtin, cf, func, linalg, math, memref, scf, tensor, tir, vector
from tir.ir.registry import Registry

__all__ = ["DIALECTS", "REGISTRY"]

DIALECTS = (
    builtin.DIALECT, func.DIALECT, tir.DIALECT, linalg.DIALECT, tensor.DIALECT, arith.DIALECT, math.DIALECT,
    scf.DIALECT, cf.DIALECT, memref.DIALECT, vector.DIALECT,
)  # fmt: skip
REGISTRY = Registry(DIALECTS)
