"""What a backward pass needs of the forward pass, for a remark: the values that are kept, and those computed again."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tir.dialects.tir.control_gradients import inputs_of
from tir.dialects.tir.markers import OptimizationBarrier
from tir.ir.errors import counted
from tir.ir.ir import Block, Op, Value
from tir.ir.traits import ConstantLike
from tir.ir.types import TensorType, element_type

__all__ = ["repeated", "residuals", "residuals_text"]

MAX_NAMED = 12


def residuals(made: Sequence[Op]) -> list[Value]:
    """The values from in front of `made`, consecutive ops of a block, that these use; each once, in the order of use.

    Arguments are there anyhow, and constants cost nothing.
    """
    inside = set(made)
    found: dict[Value, None] = {}
    for op in made:
        for value in inputs_of(op):
            maker = value.op
            if maker is None or maker in inside or maker.parent is not op.parent:
                continue
            if _takes_work(maker):
                found[value] = None
    return list(found)


def repeated(values: Sequence[Value], block: Block) -> list[Value]:
    """What is used of the ops that still compute one of the values, inside of the block; a barrier costs nothing."""
    around = block.parent_op
    assert around is not None
    makers = dict.fromkeys(value.op for value in values if value.op is not None)
    there = [op for op in makers if _takes_work(op) and not isinstance(op, OptimizationBarrier) and op.is_inside(around)]
    return [result for op in there for result in op.results if result.is_used]


def _takes_work(op: Op) -> bool:
    return bool(op.operands or op.regions) and not isinstance(op, ConstantLike)


def residuals_text(values: Sequence[Value], again: Sequence[Value]) -> str:
    """`keeps 2 values of the forward pass, 96 bytes: %h : tensor<3xf64> of tir.tanh, ..; computes 1 again: ..`."""
    size = sum(filter(None, map(_size, values)))
    unknown = sum(1 for value in values if _size(value) is None)
    more = f" and {counted(unknown, 'value')} of a size that the run tells" if unknown else ""
    head = f"keeps {counted(len(values), 'value')} of the forward pass, {counted(size, 'byte')}{more}"
    kept = f"{head}: {_listed(values)}" if values else head
    return f"{kept}; computes {len(again)} again: {_listed(again)}" if again else kept


def _listed(values: Sequence[Value]) -> str:
    rest = f" and {len(values) - MAX_NAMED} more" if len(values) > MAX_NAMED else ""
    return ", ".join(map(_described, values[:MAX_NAMED])) + rest


def _size(value: Value) -> int | None:
    """In bytes; None where a size is not a number."""
    type = value.type
    if not isinstance(type, TensorType) or not type.is_static:
        return None
    elements = math.prod(dim for dim in type.shape if isinstance(dim, int))
    return elements * max(element_type(type).width // 8, 1)  # type: ignore[attr-defined]


def _described(value: Value) -> str:
    name = f"%{value.hint} : " if value.hint else ""
    maker = value.op
    assert maker is not None
    return f"{name}{value.type} of {maker.name}"
