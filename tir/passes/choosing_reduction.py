"""Reductions that choose, such as argmax: which ops they are, and which of their loops vectors can run along.

A reduction chooses if each point offers it a term for each of its outputs, and it takes either all of these terms or
none, by what they and the outputs are:

    taken = f(terms, outputs);  outputs = select(taken, terms, outputs)

What it holds at any time is then what one of the points has offered. So the points can be shared out among lanes that
choose on their own, and what the lanes hold offered again, one after the other: the order of a reduction is not
promised.
"""

from __future__ import annotations

from dataclasses import dataclass

from tir.dialects import arith, linalg
from tir.ir.affine import AffineDim, AffineExpr, AffineSum
from tir.ir.ir import Op, Value
from tir.ir.types import IndexType, MemRefType, Type

__all__ = ["Choice", "find_choice", "is_along"]

VECTOR_BYTES = 64
MOST_LANES = 16


@dataclass(frozen=True)
class Choice:
    """How an op chooses. terms: for each output; taken_if: the truth of the condition that takes them.

    deciding: the ops of the body, in order, that the condition is computed by from terms and outputs. lanes: of a vector.
    """

    condition: Value
    taken_if: bool
    terms: tuple[Value, ...]
    deciding: tuple[Op, ...]
    lanes: int


def find_choice(op: linalg.Generic, dim: int) -> Choice | None:
    """How the op chooses, if it does and vectors can run along the reduction `dim`."""
    selects = [value.op for value in op.yielded]
    if not all(isinstance(select, arith.Select) for select in selects):
        return None
    conditions = {select.condition for select in selects}  # type: ignore[union-attr]
    arms = [(select.true_value, select.false_value) for select in selects]  # type: ignore[union-attr]
    outputs = op.output_arguments
    for taken_if in (True, False):
        terms = tuple(arm[not taken_if] for arm in arms)
        kept = [arm[taken_if] for arm in arms]
        deciding = _deciding(op, next(iter(conditions)), {*terms, *outputs}) if len(conditions) == 1 else None
        if kept == list(outputs) and deciding is not None and _runs_in_vectors(op, dim):
            lanes = min(MOST_LANES, VECTOR_BYTES // min(_size_bytes(term.type) for term in terms))
            return Choice(next(iter(conditions)), taken_if, terms, deciding, lanes)
    return None


def _deciding(op: linalg.Generic, condition: Value, known: set[Value]) -> tuple[Op, ...] | None:
    """The ops between the known values and the condition; None if it depends on anything else."""
    found: set[Op] = set()
    pending = [condition]
    while pending:
        value = pending.pop()
        maker = value.op
        if value in known or maker in found:
            continue
        if maker is None or maker.parent is not op.body or isinstance(maker, linalg.Index):
            return None
        found.add(maker)
        pending.extend(maker.operands)
    return tuple(inner for inner in op.body if inner in found)


def _size_bytes(type: Type) -> int:
    return 8 if isinstance(type, IndexType) else max(type.width // 8, 1)  # type: ignore[attr-defined]


# --- vectors ---------------------------------------------------------------------------------------------------------


def _runs_in_vectors(op: linalg.Generic, dim: int) -> bool:
    """The body is arithmetic, and neighbours along `dim` are neighbours in each buffer that it reads, or one element."""
    arithmetic = all(
        inner.name.startswith(("arith.", "math.")) or isinstance(inner, (linalg.Index, linalg.Yield)) for inner in op.body
    )
    read = [i for i, argument in enumerate(op.input_arguments) if argument.is_used]
    return arithmetic and not any(inner.regions for inner in op.body) and all(is_along(op, i, dim) is not None for i in read)


def is_along(op: linalg.Generic, operand: int, dim: int) -> bool | None:
    """Whether the operand is contiguous along `dim` (True), does not depend on it (False), or neither (None)."""
    type, exprs = op.operand(operand).type, op.maps[operand].results
    if not isinstance(type, MemRefType) or all(AffineDim(dim) not in expr.leaves() for expr in exprs):
        return False
    contiguous = type.strides_and_offset()[0][-1] == 1 and _factor(exprs[-1], dim) == 1
    return True if contiguous and all(AffineDim(dim) not in expr.leaves() for expr in exprs[:-1]) else None


def _factor(expr: AffineExpr, dim: int) -> int | None:
    """By how much the expression grows with `dim`, where that is the same everywhere."""
    if expr == AffineDim(dim):
        return 1
    if not isinstance(expr, AffineSum):
        return None
    factors = [factor for term, factor in expr.terms if AffineDim(dim) in term.leaves()]
    return factors[0] if len(factors) == 1 and (AffineDim(dim), factors[0]) in expr.terms else None

