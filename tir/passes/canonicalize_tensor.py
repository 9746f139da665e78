"""The rules of `canonicalize` for tensors on the structured level: a number that is read needs no tensor around it."""

from __future__ import annotations

from typing import Any

from tir.dialects import linalg, tensor
from tir.ir.ir import Value
from tir.ir.rewrite import Rule, rule
from tir.ir.types import TensorType
from tir.passes.loop_edit import inlined

__all__ = ["RULES"]


@rule(tensor.Extract)
def extract_of_one_number(op: tensor.Extract, b: Any) -> Value | None:
    """generic {yield f(x)}[], without loops and read nowhere else -> f(x)   exact"""
    made = op.tensor.op
    if not isinstance(made, linalg.Generic) or made.rank or len(op.tensor.uses) != 1:
        return None
    pairs = [pair for pair in zip(made.operands, made.body.arguments) if pair[1].is_used]
    if any(map.results for map, argument in zip(made.maps, made.body.arguments) if argument.is_used):
        return None
    mapping: dict[Any, Any] = {argument: _number(value, b) for value, argument in pairs}
    return inlined(made.body, b, mapping)[made.results.index(op.tensor)]


def _number(value: Value, b: Any) -> Value:
    """The operand of an op without loops as its body gets it."""
    return b.create(tensor.Extract, value) if isinstance(value.type, TensorType) else value


RULES: tuple[Rule, ...] = (extract_of_one_number,)
