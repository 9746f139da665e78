"""What the ops of the transform dialect share: the types of handles and parameters, and what an op does to its operands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from tir.ir.attributes import Attribute, IntegerAttr
from tir.ir.define import attribute
from tir.ir.errors import TirError
from tir.ir.ir import BlockArgument, Op, Value
from tir.ir.kinds import AttributeKind, TypeKind
from tir.ir.traits import PartOfParent
from tir.ir.types import I32, OpaqueType, Type

__all__ = [
    "ANY_HANDLE", "ANY_OP", "FAILURES", "FOR_HANDLE", "OP_HANDLE", "PARAM", "PatternOp", "TYPED",
    "TransformOp", "VALUE_HANDLE", "attribute_named", "attributes_of_argument", "check_arguments", "is_consumed_inside",
    "is_param", "name_of_payload",
]  # fmt: skip

ANY_OP = OpaqueType("transform.any_op")
#: How most ops end: with the types of what they take and give.
TYPED = "attr-dict `:` functional-type(operands, results)"


def _is(*names: str) -> Any:
    return lambda type: isinstance(type, OpaqueType) and type.name in names


def name_of_payload(type: Type) -> str | None:
    """The name that ops of a handle must have: `scf.for` of `!transform.op<"scf.for">`; None for any."""
    if isinstance(type, OpaqueType) and type.name == "transform.op":
        return (type.body or "").strip().strip('"')
    return None


def is_param(type: Type) -> bool:
    """The type is of parameters."""
    return PARAM.accepts(type)


OP_HANDLE = TypeKind('a handle to ops, !transform.any_op or !transform.op<"name">', _is("transform.any_op", "transform.op"))
VALUE_HANDLE = TypeKind("a handle to values, !transform.any_value", _is("transform.any_value"))
PARAM = TypeKind("a parameter, such as !transform.param<i64>", _is("transform.param", "transform.any_param"))
ANY_HANDLE = TypeKind(
    "a handle or a parameter", lambda type: any(kind.accepts(type) for kind in (OP_HANDLE, VALUE_HANDLE, PARAM))
)
FOR_HANDLE = TypeKind(
    'a handle to loops, !transform.op<"scf.for">',
    lambda type: OP_HANDLE.accepts(type) and name_of_payload(type) == "scf.for",
)

_MODES = ("propagate", "suppress")
FAILURES = AttributeKind(
    "1 for propagate or 2 for suppress",
    lambda a: isinstance(a, IntegerAttr) and a.type is I32 and a.value in (1, 2),
    lambda a: _MODES[a.value - 1],
    lambda word: IntegerAttr(_MODES.index(word) + 1, I32),
    bare="word",
    cases=_MODES,
)


def attribute_named(name: str, kind: AttributeKind, *, optional: bool = False) -> Any:
    """Declares an attribute whose name the class cannot have in Python."""
    declared = attribute(kind, optional=optional)
    declared.name = name
    return declared


class TransformOp(Op):
    """An op of a schedule. consumed: the operands whose handles, and all that lead to the same ops, end with it.

    The pass `transform-interpreter` runs it: its meaning stands in the tables of `tir/passes/schedule_ops.py`.
    """

    consumed: ClassVar[Sequence[str]] = ()

    def consumed_operands(self) -> list[Value]:
        """The operands whose handles end with the op."""
        found: list[Value] = []
        for name in self.consumed:
            value = getattr(self, name)
            found += list(value) if isinstance(value, (tuple, list)) else [value]
        return found


class PatternOp(Op, PartOfParent):
    """Names rewrite rules, for the `transform.apply_patterns` around it."""

    parent_ops = ("transform.apply_patterns",)


def attributes_of_argument(op: Op, index: int) -> dict[str, Attribute]:
    """What a named sequence says of its argument: `transform.readonly` or `transform.consumed`."""
    found = op.properties.get("arg_attrs")
    items: Any = getattr(found, "items", ())
    return dict(items[index].entries) if index < len(items) else {}


def is_consumed_inside(argument: BlockArgument) -> bool:
    """Some op in the block of the argument, or in one inside that gets it, consumes it."""
    pending: list[Value] = [argument]
    while pending:
        value = pending.pop()
        for user in value.users:
            if isinstance(user, TransformOp) and value in user.consumed_operands():
                return True
            for region in user.regions:
                pairs = zip(user.operands, region.block.arguments)
                pending += [inside for outside, inside in pairs if outside is value]
    return False


def check_arguments(op: Op, types: Sequence[Type]) -> None:
    """TirError unless the types are those of handles and parameters."""
    for type in types:
        if not ANY_HANDLE.accepts(type):
            raise TirError(f"arguments and results must be {ANY_HANDLE.text}, got {type}")
