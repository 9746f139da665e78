"""`T.xlogx`: x log(x) and x log(y), which are 0 where x is."""

from __future__ import annotations

from typing import Any

from tir.dialects.tir.build.core import Tensor
from tir.graph.elementwise import and_, eq, gt, invert, log, lt, mul, switch
from tir.graph.graph import GRAPH as b
from tir.graph.graph import located

__all__ = ["xlogx", "xlogy0"]


@located
def xlogx(x: Any) -> Tensor:
    """x log(x); 0 at 0, and so is the gradient there."""
    return xlogy0(x, x)


@located
def xlogy0(x: Any, y: Any) -> Tensor:
    """x log(y); 0 where x is 0, whatever y is."""
    x, y = b.tensor(x), b.tensor(y)
    has_log = and_(gt(y, 0), lt(y, float("inf")))
    return mul(x, log(switch(and_(eq(x, 0), invert(has_log)), 1, y)))
