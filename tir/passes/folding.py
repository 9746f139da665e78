"""Constants out of constants: what an op computes by its `reference`, before the program runs.

`folded` works on attributes, for who knows values that no op makes (`sccp`); `fold` on ops, for rewriting.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tir.dialects import arith
from tir.dialects.tir.base import Elementwise, TensorOp
from tir.dialects.tir.create import Constant
from tir.ir.attributes import Attribute, DenseAttr, FloatAttr, IntegerAttr
from tir.ir.builder import Builder
from tir.ir.errors import TirError
from tir.ir.execution import meaning, value_of_type
from tir.ir.ir import Op, Value
from tir.ir.traits import ConstantLike, Pure
from tir.ir.types import FloatType, ShapedType, TensorType, Type
from tir.lazy import np

__all__ = ["can_fold", "constant_class", "constant_of", "fold", "folded"]

MAX_FOLDED_ELEMENTS = 1024


def fold(op: Op, b: Builder) -> Sequence[Value] | None:
    """The results of `op` as constants, if its operands are constants: its `reference` computes them."""
    operands = op.operands
    if not operands or not isinstance(operands[0].op, ConstantLike) or not can_fold(op):
        return None
    constants = [constant_of(value) for value in operands]
    if None in constants:
        return None
    found = folded(op, constants)
    if found is None:
        return None
    return [
        b.create(constant_class(op, result.type), value=value, result_types=[result.type])
        for value, result in zip(found, op.results)
    ]


def can_fold(op: Op) -> bool:
    """`op` computes its results from its operands alone, and says how."""
    if not isinstance(op, Pure) or isinstance(op, ConstantLike):
        return False
    return bool(op.results and not op.regions and hasattr(op, "reference"))


def folded(op: Op, constants: Sequence[Attribute]) -> list[Attribute] | None:
    """The results of an op that can be folded, if its operands are these; None if they are large, or it fails."""
    splat = _is_same_everywhere(op) and all(isinstance(a, DenseAttr) and a.is_splat for a in constants)
    if not all(_is_small(result.type, splat) for result in op.results):
        return None
    try:
        with np.errstate(all="ignore"):
            found = meaning(op)(*[_array(a, splat) for a in constants])
    except TirError:
        return None  # what goes wrong at run time is not hidden here
    results = found if isinstance(found, tuple) else (found,)
    return [_attribute(value, result.type) for value, result in zip(results, op.results)]


def constant_of(value: Value) -> Attribute | None:
    """What a constant op gives; None if the value comes from another op, or the constant is not loaded."""
    op = value.op
    if not isinstance(op, ConstantLike):
        return None
    attribute = op.properties.get("value")
    return attribute if isinstance(attribute, (IntegerAttr, FloatAttr, DenseAttr)) else None


def constant_class(op: Op, type: Type) -> type[Op]:
    """The constant op of the level of `op`, for a value of this type."""
    return Constant if isinstance(op, TensorOp) and isinstance(type, TensorType) else arith.Constant


def _is_small(type: Type, splat: bool) -> bool:
    """The constant is small, or a splat of any size."""
    if not isinstance(type, ShapedType):
        return True
    return type.is_static and (splat or type.count <= MAX_FOLDED_ELEMENTS)


def _is_same_everywhere(op: Op) -> bool:
    return isinstance(op, Elementwise) and op.same_everywhere


def _array(attribute: Attribute, splat: bool) -> Any:
    """The constant as a run-time value; of a splat one element."""
    if not isinstance(attribute, DenseAttr):
        return value_of_type(attribute.value, attribute.type)  # type: ignore[attr-defined]
    return attribute.numpy().reshape(-1)[0] if splat and attribute.type.count else attribute.numpy()


def _attribute(value: Any, type: Type) -> Attribute:
    if isinstance(type, ShapedType):
        if np.ndim(value) == 0 and type.rank:
            return DenseAttr.splat(np.asarray(value).item(), type)
        return DenseAttr(type, DenseAttr.of(np.broadcast_to(value, type.static_shape), type.element).data)
    if isinstance(type, FloatType):
        return FloatAttr(float(value), type)
    return IntegerAttr(int(value), type)
