"""Rules about probabilities at the places of labels: `log(softmax(z))[arange(n), y]` and what autodiff leaves of it.

They stand for ops with indices and with any number of operands, for which the language of rules has no words.
"""

from __future__ import annotations

from typing import Any

from tir.dialects.tir.arithmetic import Add, Div, Mul, Neg, Sub
from tir.dialects.tir.class_losses import NllLoss
from tir.dialects.tir.composite import LogSoftmax, Softmax
from tir.dialects.tir.create import Iota
from tir.dialects.tir.effects import Assert
from tir.dialects.tir.functions import Log
from tir.dialects.tir.gather import Gather, IndexNd, Reading, Take, TakeAlongAxis
from tir.dialects.tir.logic import Cmp
from tir.dialects.tir.reduce import Sum
from tir.dialects.tir.scatter import Put, PutAlongAxis, PutNd, Scatter, Writing
from tir.dialects.tir.shape import Broadcast, Reshape, Slice, Transpose, is_number
from tir.ir.ir import Op, Value
from tir.ir.rewrite import Rule, rule
from tir.ir.types import DYNAMIC, I64
from tir.rewrites.expression import parse_expression
from tir.rewrites.pattern import kept_axes, matches

__all__ = ["RULES"]

#: Ops that choose and move elements of their first operand, and compute none.
MOVES = (Broadcast, Reshape, Slice, Transpose, Gather, Take, TakeAlongAxis, IndexNd)
#: What writes at the places that another op reads.
TWINS: dict[type[Op], type[Op]] = {Gather: Scatter, Take: Put, TakeAlongAxis: PutAlongAxis, IndexNd: PutNd}


def _same_type(op: Op, value: Value) -> Value | None:
    """The value, if it may stand in for the result of `op`."""
    return value if value.type is op.result.type else None


# --- forward ---------------------------------------------------------------------------------------------------------


@rule(Log, examples=[
    "log(index_nd(softmax(x, [1]), [iota([2], 0), [0, 1]]))",
    "log(transpose(softmax(x, [1])))",
    "log(take(softmax(x, [1]), [0, 1], 1))",
    "log(slice(softmax(x, [1]), [0, 1], [0, 0]))",
    "not log(take(softmax(x, [1]), [0, 5], 1, mode='drop'))",
    "not log(transpose(sigmoid(x)))",
])  # fmt: skip
def log_of_moved_softmax(op: Log, b: Any) -> Value | None:
    """log(softmax(x, a)[labels]) -> log_softmax(x, a)[labels], however the elements are chosen and moved   \
accurate: softmax underflows where its logarithm is a number"""
    moves: list[Any] = []
    made = op.x.op
    while isinstance(made, MOVES) and getattr(made, "mode", "error") != "drop":
        moves.append(made)
        made = made.operand(0).op
    if not moves or not isinstance(made, Softmax):
        return None
    value = b.create(LogSoftmax, made.x, axes=list(made.axes))
    for one in reversed(moves):
        again = one.__class__([value, *one.operands[1:]], [one.result.type], one.properties, location=one.location)
        value = b.insert(again).result
    return value


@rule(Cmp, examples=[
    "iota([3], 0) < 0",
    "not iota([3], 0) < 1",
    "not 0 < iota([3], 0)",
])  # fmt: skip
def position_below_zero(op: Cmp, b: Any) -> Value | None:
    """iota < 0 -> False   exact"""
    if op.predicate != "lt" or not isinstance(op.lhs.op, Iota) or not is_number(op.rhs, 0):
        return None
    return b.full(False, b.shape(op.lhs), op.result.type.element).value


@rule(IndexNd, TakeAlongAxis, examples=[
    "index_nd(log_softmax(x, [1]), [iota([2], 0), [0, 1]])",
    "take_along_axis(log_softmax(x, [1]), [[0], [1]], 1)",
    "not index_nd(log_softmax(x, [0]), [iota([2], 0), [0, 1]])",
    "not index_nd(log_softmax(x, [1]), [[1, 0], [0, 1]])",
    "not index_nd(log_softmax(x, [1]), [iota([2], 0), [0, 1]], mode='clamp')",
])  # fmt: skip
def cross_entropy_of_labels(op: Any, b: Any) -> Value | None:
    """log_softmax(x, [last])[arange(n), labels] -> -softmax_cross_entropy(x, labels)   \
accurate: the same difference; that a label is a class is asserted"""
    scores, labels = op.x.op, _labels_of(op, b)
    if labels is None or not isinstance(scores, LogSoftmax) or list(scores.axes) != [scores.x.type.rank - 1]:
        return None
    found = b.softmax_cross_entropy(scores.x, labels)
    if isinstance(op, TakeAlongAxis):
        found = b.expand_dims(found, [-1])
    if _same_type(op, found.value) is None:
        return None
    number, classes = b.cast(labels, I64), b.count(scores.x, scores.axes, I64)
    inside = b.all((number >= 0) & (number < classes))
    message = f"{op.name}: an index of axis {scores.axes[0]} of x must be at least 0 and less than the size of the axis"
    b.op(Assert, inside.value, msg=message, result_types=[])
    return (-found).value


def _labels_of(op: Any, b: Any) -> Value | None:
    """The classes, one for each slice along the last axis of x, whose element the op reads; None if it reads others."""
    shape = op.x.type.shape
    if op.mode != "error" or DYNAMIC in shape[:-1]:
        return None
    if isinstance(op, IndexNd):
        *rows, labels = op.points
        is_each = len(op.points) == len(shape) and all(_counts(row, axis) for axis, row in enumerate(rows))
        return labels if is_each and labels.type.shape == shape[:-1] else None
    if op.axis != len(shape) - 1 or op.index.type.shape != (*shape[:-1], 1):
        return None
    return b.reshape(op.index, b.shape(op.index)[:-1]).value


def _counts(value: Value, axis: int) -> bool:
    """The elements are the positions along the axis."""
    return isinstance(value.op, Iota) and value.op.axis == axis


@rule(NllLoss, examples=[
    "nll_loss(log_softmax(x, [1]), [0, 1])",
    "nll_loss(log_softmax(x, [1]), [0, 1], ignore=1)",
    "not nll_loss(x, [0, 1])",
])  # fmt: skip
def cross_entropy_by_nll_loss(op: NllLoss, b: Any) -> Value | None:
    """nll_loss(log_softmax(x, [last]), labels) -> softmax_cross_entropy(x, labels)   accurate: the same difference"""
    scores = op.scores.op
    if not isinstance(scores, LogSoftmax) or list(scores.axes) != [scores.x.type.rank - 1]:
        return None
    return b.softmax_cross_entropy(scores.x, op.labels, op.weights, op.ignore).value


@rule(Sum, examples=[
    "sum(y * log_softmax(x, [1]), [0, 1])",
    "not sum(y * log_softmax(x, [0]), [0, 1])",
    "not sum(y * log_softmax(x, [1]), [1])",
])  # fmt: skip
def cross_entropy_of_all_rows(op: Sum, b: Any) -> Value | None:
    """sum(y * log_softmax(x, [last]), [.., last]) -> -sum(softmax_cross_entropy(x, y), [..])   accurate: the same sum"""
    *rows, last = op.axes if len(op.axes) > 1 else (-1, -1)
    if not isinstance(op.x.op, Mul) or last != op.x.type.rank - 1 or op.acc_type is not None:
        return None
    for scores, labels in (op.x.op.operands, op.x.op.operands[::-1]):
        if isinstance(scores.op, LogSoftmax) and list(scores.op.axes) == [last]:
            return (-b.sum(b.softmax_cross_entropy(scores.op.x, labels), rows)).value
    return None


# --- behind autodiff -------------------------------------------------------------------------------------------------

#: For examples: probabilities, and the diagonal of them as what divides.
_P = "softmax(select(is_finite(x), x, 0), [1])"
_PLACES = "[iota([2], 0), iota([2], 0)]"
_QUOTIENTS = f"put_nd(full_like(x, 0), {_PLACES}, 2 / index_nd({_P}, {_PLACES}), 'add')"



@rule(Put, PutAlongAxis, PutNd, Scatter, examples=[
    "put_nd(full_like(x, 0), [iota([2], 0), [0, 1]], -sum(x, [1]), 'add')",
    "not put_nd(full_like(x, 0), [iota([2], 0), [0, 1]], sum(x, [1]), 'add')",
    "not put_nd(x, [iota([2], 0), [0, 1]], -sum(x, [1]), 'add')",
])  # fmt: skip
def written_neg(op: Any, b: Any) -> Value | None:
    """0 with -x added at some places -> -(0 with x added there)   accurate: the same numbers; a zero has another sign"""
    if op.kind != "add" or not is_number(op.x, 0) or not isinstance(op.u.op, Neg):
        return None
    return (-op.write(b, op.x, op.u.op.x, "add")).value


@rule(Mul, examples=[f"{_QUOTIENTS} * {_P}", f"not {_QUOTIENTS} * softmax(x, [0])"])
def quotients_at_labels_times_softmax(op: Mul, b: Any) -> Value | None:
    """(0 with x / softmax(y)[labels] added at the labels) * softmax(y) -> 0 with x added there   \
accurate: softmax underflows"""
    for written, factor in (op.operands, op.operands[::-1]):
        found = _multiplied(written, factor, b)
        if found is not None:
            return found
    return None


@rule(Mul, examples=[f"(y + {_QUOTIENTS}) * {_P}", f"{_P} * ({_QUOTIENTS} - y)", f"not (y + {_QUOTIENTS}) * y"])
def sum_with_quotients_at_labels(op: Mul, b: Any) -> Value | None:
    """(z + (0 with x / softmax(y)[labels] added at the labels)) * softmax(y) -> z * softmax(y) + (0 with x added there), \
and so for -   accurate: softmax underflows"""
    for total, factor in (op.operands, op.operands[::-1]):
        if not isinstance(total.op, (Add, Sub)):
            continue
        sides = [_multiplied(side, factor, b) for side in total.op.operands]
        if any(side is not None for side in sides):
            lhs, rhs = (
                b.create(Mul, side, factor) if found is None else found
                for side, found in zip(total.op.operands, sides)
            )
            return b.create(type(total.op), lhs, rhs)
    return None


#: Softmax is one of these divided by the other.
_EXPS = [
    tuple(map(parse_expression, ("exp(y)", "repeat(sum(exp(y), a), a)"))),
    tuple(map(parse_expression, ("exp(y - repeat(m, a))", "repeat(sum(exp(y - repeat(m, a)), a), a)"))),
]
_SOFTMAX = parse_expression("softmax(y, a)")


def _multiplied(written: Value, factor: Value, b: Any) -> Value | None:
    """The product of the two, which is zeros with x added, if the first is zeros with x / softmax added at the same places.

    The softmax is the factor, or the first is divided by the sum in it, and the factor is the exp in it.
    """
    divisor = written.op.rhs if isinstance(written.op, Div) else None
    put: Any = written.op.lhs.op if isinstance(written.op, Div) else written.op
    if not isinstance(put, Writing) or put.kind != "add" or not is_number(put.x, 0):
        return None
    quotient, moves = _behind_moves(put.u)
    if not isinstance(quotient, Div):
        return None
    read, _ = _behind_moves(quotient.rhs)
    if not isinstance(read, Reading) or not isinstance(read.x.op, Softmax) or not _same_places(read, put):
        return None
    is_exp = divisor is not None and _is_softmax(read.x, factor, divisor)
    if factor is not read.x and not is_exp:
        return None
    x = quotient.lhs
    for move in reversed(moves):
        x = b.insert(move.__class__([x], [move.result.type], move.properties, location=move.location)).result
    made = put.write(b, put.x, x, "add").value
    return made if is_exp or divisor is None else b.create(Div, made, divisor)


def _behind_moves(value: Value) -> tuple[Any, list[Any]]:
    """What made the elements of the value, which have their order still; the ops in between."""
    op: Any = value.op
    moves = []
    while isinstance(op, (Broadcast, Reshape)) and not op.sizes and (kept_axes(op) is not None or _drops_axes(op)):
        moves.append(op)
        op = op.x.op
    return op, moves


def _drops_axes(op: Any) -> bool:
    """The op changes axes of size 1, and does nothing else."""
    return isinstance(op, Reshape) and [d for d in op.x.type.shape if d != 1] == [d for d in op.result_type.shape if d != 1]


def _is_softmax(probability: Value, exp: Value, total: Value) -> bool:
    """The first is the quotient of the others."""
    return any(
        True
        for above, below in _EXPS
        for found in matches(above, exp)
        for more in matches(below, total, found)
        for _ in matches(_SOFTMAX, probability, more)
    )


def _same_places(read: Any, written: Any) -> bool:
    """One op writes where the other reads, element by element."""
    if TWINS[type(read)].name != written.name:
        return False
    shared = [name for name in type(read).definition.attributes if name in type(written).definition.attributes]
    return bool(
        read.result.type is written.u.type
        and [value for value, _ in read.indices()] == [value for value, _ in written.indices()]
        and all(getattr(read, name) == getattr(written, name) for name in shared)
    )


RULES: tuple[Rule, ...] = (
    log_of_moved_softmax, position_below_zero, cross_entropy_of_labels, cross_entropy_by_nll_loss,
    cross_entropy_of_all_rows, written_neg, quotients_at_labels_times_softmax, sum_with_quotients_at_labels,
)
