"""The parts that an op class declares, and the definition they make up (`define.py` has the words to declare them).

Each field is also the accessor: `op.condition` is an operand, `op.axes` an attribute as a Python value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tir.ir.attributes import Attribute
from tir.ir.kinds import AttributeKind, TypeKind

if TYPE_CHECKING:
    from tir.ir.ir import Op

__all__ = ["AttributeField", "OpDefinition", "OperandField", "RegionField", "ResultField", "SuccessorField", "define"]

OPERAND_SEGMENTS = "operandSegmentSizes"
RESULT_SEGMENTS = "resultSegmentSizes"


class _Field:
    """A declared part of an op, also its accessor. `many`: "" for one, "?" for at most one, "*" for any number."""

    def __init__(self, many: str = "") -> None:
        self.name = ""
        self.index = 0
        self.many = many

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = self.name or name  # a field may have a name that Python's class cannot: `name`


class OperandField(_Field):
    """An operand, optional operand or list of operands."""

    def __init__(self, kind: TypeKind, many: str) -> None:
        super().__init__(many)
        self.kind = kind

    def __get__(self, op: Op | None, owner: type) -> Any:
        if op is None:
            return self
        definition = op.definition
        if definition.simple_operands:
            return op._uses[self.index].value
        start, stop = definition.operand_range(op, self.index)
        return _group(self.many, [use.value for use in op._uses[start:stop]])


class ResultField(_Field):
    """A result, optional result or list of results."""

    def __init__(self, kind: TypeKind, many: str) -> None:
        super().__init__(many)
        self.kind = kind

    def __get__(self, op: Op | None, owner: type) -> Any:
        if op is None:
            return self
        definition = op.definition
        if definition.simple_results:
            return op.results[self.index]
        start, stop = definition.result_range(op, self.index)
        return _group(self.many, list(op.results[start:stop]))


class AttributeField(_Field):
    """An inherent attribute. `default` is materialised: an op always has it. Without default and not optional: required."""

    def __init__(self, kind: AttributeKind, default: Any, optional: bool) -> None:
        super().__init__("?" if optional else "")
        self.kind = kind
        self.default: Attribute | None = None if default is None else kind.make(default)

    def __get__(self, op: Op | None, owner: type) -> Any:
        if op is None:
            return self
        found = op._properties.get(self.name)
        return None if found is None else self.kind.to_python(found)


class RegionField(_Field):
    """A region. `single_block`: exactly one block; `ends_in`: the terminators that a block may end in; none: no rule."""

    def __init__(self, many: str, single_block: bool, ends_in: tuple[str, ...], may_be_empty: bool) -> None:
        super().__init__(many)
        self.single_block = single_block
        self.ends_in = ends_in
        self.may_be_empty = may_be_empty

    def __get__(self, op: Op | None, owner: type) -> Any:
        if op is None:
            return self
        return op.regions[self.index] if self.many == "" else op.regions[self.index :]


class SuccessorField(_Field):
    """A block that control may go to."""

    def __get__(self, op: Op | None, owner: type) -> Any:
        if op is None:
            return self
        return op.successors[self.index] if self.many == "" else op.successors[self.index :]


def _group(many: str, values: list[Any]) -> Any:
    if many == "":
        return values[0]
    if many == "?":
        return values[0] if values else None
    return tuple(values)


@dataclass
class OpDefinition:
    """All that a class declares, in order."""

    name: str
    operands: list[OperandField] = field(default_factory=list)
    results: list[ResultField] = field(default_factory=list)
    attributes: dict[str, AttributeField] = field(default_factory=dict)
    regions: list[RegionField] = field(default_factory=list)
    successors: list[SuccessorField] = field(default_factory=list)

    def __post_init__(self) -> None:
        for fields in (self.operands, self.results, self.regions, self.successors):
            for i, one in enumerate(fields):
                one.index = i
        self.simple_operands = all(f.many == "" for f in self.operands)
        self.simple_results = all(f.many == "" for f in self.results)
        self.needs_operand_segments = sum(f.many != "" for f in self.operands) > 1
        self.needs_result_segments = sum(f.many != "" for f in self.results) > 1
        self.defaults = {n: f.default for n, f in self.attributes.items() if f.default is not None}

    @property
    def property_names(self) -> set[str]:
        """Names that stand in `<{..}>` of the generic form."""
        names = set(self.attributes)
        if self.needs_operand_segments:
            names.add(OPERAND_SEGMENTS)
        if self.needs_result_segments:
            names.add(RESULT_SEGMENTS)
        return names

    def operand_range(self, op: Op, index: int) -> tuple[int, int]:
        """First and last-but-one position of the operands of field `index`."""
        return _range(op, self.operands, index, len(op._uses), OPERAND_SEGMENTS if self.needs_operand_segments else None)

    def result_range(self, op: Op, index: int) -> tuple[int, int]:
        """First and last-but-one position of the results of field `index`."""
        return _range(op, self.results, index, len(op.results), RESULT_SEGMENTS if self.needs_result_segments else None)


def _range(op: Op, fields: Sequence[_Field], index: int, total: int, segments: str | None) -> tuple[int, int]:
    if segments is not None:
        sizes: Any = op.properties[segments]
        start = sum(sizes.values[:index])
        return start, start + sizes.values[index]
    flexible = total - sum(f.many == "" for f in fields)
    start = 0
    for one in fields[:index]:
        start += 1 if one.many == "" else flexible
    return start, start + (1 if fields[index].many == "" else flexible)


def define(cls: type[Op]) -> OpDefinition:
    """The definition of an op class, from its fields and those of its bases, in order."""
    fields: dict[str, _Field] = {}
    for base in reversed(cls.__mro__):
        fields.update({name: value for name, value in vars(base).items() if isinstance(value, _Field)})
    return OpDefinition(
        cls.name,
        [_own(cls, f) for f in fields.values() if isinstance(f, OperandField)],
        [_own(cls, f) for f in fields.values() if isinstance(f, ResultField)],
        {f.name: f for f in fields.values() if isinstance(f, AttributeField)},
        [_own(cls, f) for f in fields.values() if isinstance(f, RegionField)],
        [_own(cls, f) for f in fields.values() if isinstance(f, SuccessorField)],
    )


def _own(cls: type[Op], one: Any) -> Any:
    """The field as this class has it: an inherited field is copied, since its index may differ here."""
    if one.name in vars(cls):
        return one
    copy = object.__new__(type(one))
    copy.__dict__.update(one.__dict__)
    type.__setattr__(cls, one.name, copy)
    return copy
