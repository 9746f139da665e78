"""What rules make smaller: the measure of a program, which no rule may raise.

Three numbers, of which the first that differs decides:

- work: for each op the elements that it computes or reads, times what one takes, `WORK`; about in additions. Signs,
  casts and what only moves elements take none;
- length: ops and their operands, as the text has them;
- disorder: pairs of ops of which the outer one should be the inner one. Elements are chosen first, then reduced, and
  signs come last; so a rule that changes an order has a direction.

Rules that make it smaller each cannot undo each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tir.dialects.tir.base import AxisReduction
from tir.ir.ir import Op, Value
from tir.ir.traits import ConstantLike, Terminator
from tir.ir.types import ShapedType

__all__ = ["WORK", "Measure", "measure", "not_smaller"]

UNKNOWN_SIZE = 1000  # stands for sizes that are not numbers
DEFAULT_WORK = 1
#: What one element takes, in additions, where it is another number than 1.
WORK = {
    **dict.fromkeys((
        "neg", "cast", "transpose", "reshape", "broadcast", "slice", "concat", "pad", "reverse", "take", "shape", "squeeze",
        "expand_dims", "leaf",
    ), 0),
    **dict.fromkeys(("div", "mod", "floordiv", "reciprocal", "clamp"), 2),
    **dict.fromkeys(("sqrt", "rsqrt"), 3),
    **dict.fromkeys((
        "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "tanh", "sinh", "cosh", "sin", "cos", "tan", "asin", "acos",
        "atan", "asinh", "acosh", "atanh", "erf", "erfc", "cbrt",
    ), 4),
    "pow": 24, "sigmoid": 6, "silu": 7, "softplus": 8, "logsumexp": 5, "softmax": 7, "log_softmax": 6,
}  # fmt: skip
#: Which ops come first, from the inside; what is not here stands between reductions and signs.
_FIRST = ("slice", "take", "reshape", "transpose", "broadcast", "cast")
_SECOND = ("dot", "argmax", "argmin")
_LAST = ("neg",)


class Measure(NamedTuple):
    """The measure of a program; see the head of this file."""

    work: int
    length: int
    disorder: int

    def __str__(self) -> str:
        return f"work {self.work}, length {self.length}, disorder {self.disorder}"


def measure(root: Op) -> Measure:
    """The measure of all that is inside the op and used."""
    ops = [op for op in root.walk() if op is not root and not isinstance(op, Terminator) and not op.regions]
    ops = [op for op in ops if op.is_used or not op.results]
    work = sum(_elements(op) * WORK.get(_name(op), DEFAULT_WORK) for op in ops if not isinstance(op, ConstantLike))
    return Measure(work, sum(1 + len(op.operands) for op in ops), _disorder(ops))


def not_smaller(before: Op, after: Op) -> str:
    """What is wrong with a rule that made `after` of `before`; "" if it made something smaller."""
    old, new = measure(before), measure(after)
    return "" if new < old else f"it makes nothing smaller: {old} before, {new} after"


def _name(op: Op) -> str:
    return op.name.removeprefix("tir.")


def _elements(op: Op) -> int:
    """The elements that the op computes, or reads if those are more."""
    if _name(op) == "dot":
        return _count(op.results[0].type) * _inner_size(op.operands)
    return max([_count(value.type) for value in (*op.results, *op.operands)], default=0)


def _count(type: object) -> int:
    if not isinstance(type, ShapedType):
        return 1
    count = 1
    for size in type.shape:
        count *= max(size, 1) if isinstance(size, int) else UNKNOWN_SIZE
    return count


def _inner_size(operands: Sequence[Value]) -> int:
    shape = getattr(operands[0].type, "shape", ())
    return (shape[-1] if isinstance(shape[-1], int) else UNKNOWN_SIZE) if shape else 1


def _rank(op: Op) -> int:
    name = _name(op)
    if name in _FIRST:
        return 0
    if isinstance(op, AxisReduction) or name in _SECOND:
        return 1
    return 3 if name in _LAST else 2


def _disorder(ops: Sequence[Op]) -> int:
    """Pairs of an op and one that it needs, directly or not, of which the first should come first."""
    needs: dict[Op, frozenset[Op]] = {}
    found = 0
    for op in ops:  # what an op needs stands in front of it
        inner = frozenset(v.op for v in op.operands if v.op is not None and not isinstance(v.op, ConstantLike))
        needs[op] = inner.union(*(needs.get(one, frozenset()) for one in inner))
        found += sum(_rank(op) < _rank(one) for one in needs[op])
    return found
