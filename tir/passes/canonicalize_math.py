"""The rules of `canonicalize` for functions of scalars: magnitudes, which sigmoid(x) and sigmoid(-x) share."""

from __future__ import annotations

from typing import Any

from tir.dialects import arith, math
from tir.ir.ir import Value
from tir.ir.rewrite import Rule, rule

__all__ = ["RULES"]


@rule(math.AbsF)
def magnitude_of_neg(op: math.AbsF, b: Any) -> Value | None:
    """absf(negf(x)) -> absf(x)   exact"""
    return b.create(math.AbsF, op.x.op.x) if isinstance(op.x.op, arith.NegF) else None


@rule(math.AbsF)
def magnitude_of_magnitude(op: math.AbsF, b: Any) -> Value | None:
    """absf(absf(x)) -> absf(x)   exact"""
    return op.x if isinstance(op.x.op, math.AbsF) else None


RULES: tuple[Rule, ...] = (magnitude_of_neg, magnitude_of_magnitude)
