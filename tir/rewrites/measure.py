"""What rules make smaller: the measure of a program, which no rule may raise.

Three numbers, of which the first that differs decides:

- work: for each op the elements that it computes or reads, times what one takes, `WORK`; about in additions. Signs,
  casts and what only moves elements take none;
- disorder: pairs of ops of which the outer one should be the inner one. Elements are chosen first, then sorted and
  reduced, then moved, then computed with, and signs come last; so a rule that changes an order has a direction;
- length: ops, their operands and their axes, as the text has them.

Rules that make it smaller each cannot undo each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tir.dialects.tir.arithmetic import Div
from tir.dialects.tir.base import AxisReduction
from tir.dialects.tir.shape import Broadcast
from tir.ir.ir import Op, Value
from tir.ir.names import evaluate_dim
from tir.ir.traits import ConstantLike, Terminator, is_removable
from tir.ir.types import DYNAMIC, Dim, ShapedType

__all__ = ["WORK", "Measure", "measure", "not_smaller"]

UNKNOWN_SIZE = 1000  # stands for sizes that are not numbers
DEFAULT_WORK = 1
#: What one element takes, in additions, where it is another number than 1.
WORK = {
    **dict.fromkeys((
        "neg", "cast", "transpose", "reshape", "broadcast", "slice", "concat", "pad", "reverse", "take", "shape", "squeeze",
        "expand_dims", "leaf", "full", "iota", "dim", "dynamic_slice",
    ), 0),
    **dict.fromkeys(("div", "mod", "floordiv", "reciprocal", "clamp"), 2),
    **dict.fromkeys(("sqrt", "rsqrt"), 3),
    **dict.fromkeys((
        "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "tanh", "sinh", "cosh", "sin", "cos", "tan", "asin", "acos",
        "atan", "asinh", "acosh", "atanh", "erf", "erfc", "cbrt",
    ), 4),
    "pow": 24, "sigmoid": 6, "silu": 7, "softplus": 8, "logsumexp": 5, "softmax": 7, "log_softmax": 6,
}  # fmt: skip
#: Which ops come first, from the inside; reductions stand with the sorts, and what is not here before signs.
_ORDER = (
    ("slice", "dynamic_slice"),
    ("take",),
    ("sort", "argsort", "cumsum", "cumprod", "cummax", "cummin", "dot", "argmax", "argmin", "mean"),
    ("transpose", "reshape", "broadcast", "concat", "pad", "reverse"),
)
_RANKS = {name: rank for rank, names in enumerate(_ORDER) for name in names} | {"neg": len(_ORDER) + 1}


class Measure(NamedTuple):
    """The measure of a program; see the head of this file."""

    work: int
    disorder: int
    length: int

    def __str__(self) -> str:
        return f"work {self.work}, disorder {self.disorder}, length {self.length}"


def measure(root: Op) -> Measure:
    """The measure of all that is inside the op and used."""
    ops = [op for op in _needed(root) if not isinstance(op, Terminator) and not op.regions]
    work = sum(_elements(op) * _work(op) for op in ops if not isinstance(op, ConstantLike))
    return Measure(work, _disorder(ops), sum(1 + len(op.operands) + len(getattr(op, "axes", ())) for op in ops))


def not_smaller(before: Op, after: Op) -> str:
    """What is wrong with a rule that made `after` of `before`; "" if it made something smaller."""
    old, new = measure(before), measure(after)
    return "" if new < old else f"it makes nothing smaller: {old} before, {new} after"


def _needed(root: Op) -> list[Op]:
    """The ops inside that have an effect, or a result that such an op needs, in their order."""
    found: dict[Op, None] = {}
    for op in reversed([op for op in root.walk() if op is not root]):
        if not is_removable(op) or any(user in found for result in op.results for user in result.users):
            found[op] = None
    return list(found)[::-1]


def _work(op: Op) -> int:
    """What one element takes. A quotient by one number waits for memory as a product does."""
    if isinstance(op, Div) and isinstance(op.rhs.op, Broadcast) and not op.rhs.op.x.type.rank:
        return DEFAULT_WORK
    return WORK.get(_name(op), DEFAULT_WORK)


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
        count *= max(_number(size), 1)
    return count


def _number(size: Dim) -> int:
    """The size, with a large number for what is not known."""
    return UNKNOWN_SIZE if size is DYNAMIC else evaluate_dim(size, lambda name: UNKNOWN_SIZE)


def _inner_size(operands: Sequence[Value]) -> int:
    shape = getattr(operands[0].type, "shape", ())
    return _number(shape[-1]) if shape else 1


def _rank(op: Op) -> int:
    name = "sort" if isinstance(op, AxisReduction) else _name(op)
    return _RANKS.get(name, len(_ORDER))


def _disorder(ops: Sequence[Op]) -> int:
    """Pairs of an op and one that it needs, directly or not, of which the first should come first."""
    needs: dict[Op, frozenset[Op]] = {}
    found = 0
    for op in ops:  # what an op needs stands in front of it
        inner = frozenset(v.op for v in op.operands if v.op is not None and not isinstance(v.op, ConstantLike))
        needs[op] = inner.union(*(needs.get(one, frozenset()) for one in inner))
        found += sum(_rank(op) < _rank(one) for one in needs[op])
    return found
