"""What rules make smaller: the measure of a program, which no rule may raise.

Three numbers, of which the first that differs decides:

- work: for each op the elements that it computes or reads, times what one takes, `WORK`; about in additions. Signs,
  casts and what only moves elements take none;
- disorder: pairs of ops of which the outer one should be the inner one, by `ORDER`. Elements are chosen first, then
  reduced, then moved, and signs come last; so a rule that changes an order has a direction;
- length: ops and their operands, as the text has them.

Rules that make it smaller each cannot undo each other. No rule may raise the work, but for accurate ones, which are there
for their numbers and may take up to `ACCURATE_FACTOR` times as much. That those end is seen from their texts (`ends.py`).
Rules in Python, which are about whole families of ops, may leave the work as it is and say themselves why they end.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from tir.dialects.tir.base import AxisReduction
from tir.ir.affine import AffineExpr
from tir.ir.ir import Op
from tir.ir.names import evaluate_dim
from tir.ir.rewrite import Rule
from tir.ir.traits import ConstantLike, Terminator
from tir.ir.types import DYNAMIC, Dim, ShapedType

__all__ = ["ACCURATE_FACTOR", "ORDER", "WORK", "Measure", "measure", "not_smaller"]

UNKNOWN_SIZE = 1000  # stands for sizes that are not numbers
DEFAULT_WORK = 1
ACCURATE_FACTOR = 2
#: What one element takes, in additions, where it is another number than 1.
WORK = {
    **dict.fromkeys((
        "neg", "abs", "cast", "transpose", "reshape", "broadcast", "repeat", "tile", "slice", "dynamic_slice", "take",
        "concat", "pad", "reverse", "dim", "full", "leaf", "stop_gradient",
    ), 0),
    **dict.fromkeys(("div", "mod", "rem", "floordiv", "reciprocal", "clamp"), 2),
    **dict.fromkeys(("sqrt", "rsqrt"), 3),
    **dict.fromkeys((
        "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "tanh", "sinh", "cosh", "sin", "cos", "tan", "asin", "acos",
        "atan", "asinh", "acosh", "atanh", "erf", "erfc", "cbrt",
    ), 4),
    "pow": 24, "sigmoid": 6, "silu": 7, "softplus": 8, "logsumexp": 5, "softmax": 7, "log_softmax": 6,
}  # fmt: skip
#: From the inside out; what is in no row, such as arithmetic, stands between casts and broadcasts.
ORDER = (
    ("slice", "dynamic_slice", "take"),
    ("dot", "dot_general", "einsum", "argmax", "argmin", "sort", "argsort", "top_k", "cummax", "cummin"),  # and reductions
    ("transpose", "reshape", "reverse", "concat", "pad"),
    ("cast",),
    (),
    ("broadcast",),
    ("neg",),
)
_RANKS = {name: rank for rank, names in enumerate(ORDER) for name in names}
_REDUCTIONS, _OTHERS = 1, 4
_PRODUCTS = ("dot", "dot_general", "einsum")


class Measure(NamedTuple):
    """The measure of a program; see the head of this file."""

    work: int
    disorder: int
    length: int

    def __str__(self) -> str:
        return f"work {self.work}, disorder {self.disorder}, length {self.length}"


def measure(root: Op) -> Measure:
    """The measure of all that is inside the op and used."""
    ops = [op for op in root.walk() if op is not root and not isinstance(op, Terminator) and not op.regions]
    ops = [op for op in ops if op.is_used or not op.results]
    work = sum(_elements(op) * WORK.get(_name(op), DEFAULT_WORK) for op in ops if not isinstance(op, ConstantLike))
    return Measure(work, _disorder(ops), sum(1 + len(op.operands) for op in ops))


def not_smaller(rule: Rule, before: Op, after: Op) -> str:
    """What is wrong with a rule that made `after` of `before`; "" if nothing is. Sizes `?` cannot be compared."""
    old, new = measure(before), measure(after)
    most = old.work * (ACCURATE_FACTOR if rule.kind == "accurate" else 1)
    must_be_smaller = rule.declaration is not None and rule.kind != "accurate"
    if new < old or (new.work <= most and not must_be_smaller) or _has_unknown_sizes(before):
        return ""
    return f"it makes nothing smaller: {old} before, {new} after"


def _has_unknown_sizes(root: Op) -> bool:
    types = [value.type for op in root.walk() for value in (*op.results, *op.operands)]
    return any(isinstance(type, ShapedType) and DYNAMIC in type.shape for type in types)


def _name(op: Op) -> str:
    return op.name.removeprefix("tir.")


def _elements(op: Op) -> int:
    """The elements that the op computes, or reads if those are more; of a product of two tensors, the products."""
    counts = [_count(value.type) for value in (*op.results, *op.operands)]
    if _name(op) in _PRODUCTS and len(counts) == 3:
        return math.isqrt(math.prod(counts))  # of MxK, KxN and MxN
    return max(counts, default=0)


def _count(type: object) -> int:
    count = 1
    for size in type.shape if isinstance(type, ShapedType) else ():
        count *= max(_size(size), 1)
    return count


def _size(dim: Dim) -> int:
    known = isinstance(dim, (int, AffineExpr))
    return evaluate_dim(dim, lambda name: UNKNOWN_SIZE) if known else UNKNOWN_SIZE


def _rank(op: Op) -> int:
    return _RANKS.get(_name(op), _REDUCTIONS if isinstance(op, AxisReduction) else _OTHERS)


def _disorder(ops: Sequence[Op]) -> int:
    """Pairs of an op and one that it needs, directly or not, of which the first should come first."""
    needs: dict[Op, frozenset[Op]] = {}
    found = 0
    for op in ops:  # what an op needs stands in front of it
        inner = frozenset(v.op for v in op.operands if v.op is not None and not isinstance(v.op, ConstantLike))
        needs[op] = inner.union(*(needs.get(one, frozenset()) for one in inner))
        found += sum(_rank(op) < _rank(one) for one in needs[op])
    return found
