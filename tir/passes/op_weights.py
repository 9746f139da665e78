"""What ops cost, as far as that decides what is fused and what is worth a thread."""

from __future__ import annotations

from tir.ir.ir import Op

__all__ = ["weight"]

#: What an op in a body costs, about in the time of an addition; 1 for those that are not here.
_WEIGHTS = {
    "arith.constant": 0, "linalg.yield": 0, "scf.yield": 0, "scf.reduce": 0, "memref.dim": 0,
    "arith.divf": 8, "arith.remf": 8, "arith.divsi": 8, "arith.divui": 8, "arith.remsi": 8, "arith.remui": 8,
    "arith.floordivsi": 8, "arith.ceildivsi": 8, "arith.ceildivui": 8, "math.sqrt": 8, "math.rsqrt": 8,
    "math.exp": 12, "math.exp2": 12, "math.expm1": 18, "math.log": 18, "math.log2": 18, "math.log10": 18,
    "math.log1p": 18, "math.tanh": 26, "math.sinh": 26, "math.cosh": 26, "math.sin": 26, "math.cos": 26, "math.tan": 34,
    "math.asin": 26, "math.acos": 26, "math.atan": 26, "math.atan2": 34, "math.asinh": 34, "math.acosh": 34,
    "math.atanh": 26, "math.erf": 26, "math.erfc": 34, "math.cbrt": 26, "math.powf": 40, "math.ipowi": 40,
}  # fmt: skip


def weight(op: Op) -> int:
    """What the op costs for one point of a loop, about in the time of an addition."""
    return _WEIGHTS.get(op.name, 1)
