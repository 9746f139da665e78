"""Declaring ops: one class says operands, results, attributes, regions and format.

    class Select(Op, Pure):
        name = "arith.select"
        condition = operand(BOOL_LIKE)
        true_value = operand(ANY)
        false_value = operand(ANY)
        result = result(ANY)
        format = "$condition `,` $true_value `,` $false_value attr-dict `:` type($result)"

The fields are also accessors: `op.condition` is the operand, `op.axes` an attribute as a Python value. The verifier, the
builder, the text and the docs all read the same declaration (`cls.definition`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tir.ir.attributes import Attribute, DenseArrayAttr
from tir.ir.errors import UNKNOWN, Location, VerifyError, nearest
from tir.ir.fields import (
    OPERAND_SEGMENTS,
    AttributeField,
    OpDefinition,
    OperandField,
    RegionField,
    ResultField,
    SuccessorField,
)
from tir.ir.ir import Block, Op, Region, Value
from tir.ir.kinds import ANY, AttributeKind, TypeKind
from tir.ir.types import I32, Type

__all__ = ["attribute", "create", "operand", "region", "result", "successor"]


def operand(kind: TypeKind = ANY, *, optional: bool = False, variadic: bool = False) -> Any:
    """Declares an operand whose type must be of this kind."""
    return OperandField(kind, "?" if optional else "*" if variadic else "")


def result(kind: TypeKind = ANY, *, optional: bool = False, variadic: bool = False) -> Any:
    """Declares a result whose type must be of this kind."""
    return ResultField(kind, "?" if optional else "*" if variadic else "")


def attribute(kind: AttributeKind, *, default: Any = None, optional: bool = False) -> Any:
    """Declares an inherent attribute."""
    return AttributeField(kind, default, optional)


def region(
    *ends_in: str, variadic: bool = False, single_block: bool = True, may_be_empty: bool = False
) -> Any:
    """Declares a region. ends_in: the names of the terminators that its blocks may end in; none: they end in any op."""
    return RegionField("*" if variadic else "", single_block, ends_in, may_be_empty)


def successor(*, variadic: bool = False) -> Any:
    """Declares a successor block."""
    return SuccessorField("*" if variadic else "")


def create(
    cls: type[Op],
    *operands: Any,
    result_types: Sequence[Type] | None = None,
    regions: Sequence[Region] = (),
    successors: Sequence[Block] = (),
    attributes: Mapping[str, Attribute] | None = None,
    location: Location = UNKNOWN,
    **facts: Any,
) -> Any:
    """A new op of the class, in no block.

    operands: one argument for each declared operand: a value; a list where it is variadic; None where it is absent.
    result_types: as declared and flat; None infers them (`cls.infer`).
    facts: attributes by name, as Python values or attributes.
    """
    definition = cls.definition
    flat, sizes = _flatten(definition, operands)
    properties = _properties(definition, facts, location)
    if definition.needs_operand_segments:
        properties[OPERAND_SEGMENTS] = DenseArrayAttr(I32, tuple(sizes))
    op = cls(flat, (), properties, attributes, regions, successors, location)
    op.set_results(list(op.infer()) if result_types is None else result_types)
    return op


def _flatten(definition: OpDefinition, operands: Sequence[Any]) -> tuple[list[Value], list[int]]:
    if len(operands) > len(definition.operands):
        raise TypeError(f"{definition.name} takes {len(definition.operands)} operands, got {len(operands)}")
    if definition.simple_operands and len(operands) == len(definition.operands) and None not in operands:
        return list(operands), []  # the usual case, fast
    flat: list[Value] = []
    sizes: list[int] = []
    for declared, given in zip(definition.operands, [*operands, *[None] * len(definition.operands)]):
        group = list(given) if declared.many == "*" and given is not None else [] if given is None else [given]
        if declared.many == "" and not group:
            raise TypeError(f"{definition.name} needs operand {declared.name!r}")
        flat += group
        sizes.append(len(group))
    return flat, sizes


def _properties(definition: OpDefinition, facts: Mapping[str, Any], location: Location) -> dict[str, Attribute]:
    properties = dict(definition.defaults)
    for name, value in facts.items():
        declared = definition.attributes.get(name)
        if declared is None:
            raise TypeError(f"{definition.name} has no attribute {name!r}; it has {', '.join(definition.attributes)}")
        if declared.kind.bare == "word" and isinstance(value, str) and value not in declared.kind.cases:
            message = f"{definition.name}: {name} must be {declared.kind.text}, got '{value}'"
            raise VerifyError(message, location, hint=nearest(value, declared.kind.cases))
        if value is not None and not (declared.kind.bare == "unit" and value is False):
            properties[name] = declared.kind.make(value)
    return properties
