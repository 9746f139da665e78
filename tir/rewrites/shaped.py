"""What rules about shapes share: is an op the same for each element, and the op again on other operands."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from tir.dialects.tir.base import Elementwise
from tir.dialects.tir.logic import Bitcast, Cast
from tir.ir.attributes import Attribute
from tir.ir.ir import Op, Value
from tir.ir.traits import is_removable
from tir.ir.types import DYNAMIC, FloatType, TensorType, Type, element_type

__all__ = ["again", "is_each_element", "is_open", "needed_once", "rounds"]


def is_each_element(op: Op | None) -> bool:
    """Each element of the result comes from those at its place alone, wherever that is, and no size is to be checked."""
    if isinstance(op, (Cast, Bitcast)):
        return isinstance(op.x.type, TensorType)
    return isinstance(op, Elementwise) and op.same_everywhere and bool(op.operands) and not op.open_sizes()


def again(b: Any, op: Op, operands: Sequence[Value], type: Type, **changed: Attribute) -> Value:
    """The op on other operands, with a result of this type and some other properties."""
    properties: Mapping[str, Attribute] = {**op.properties, **changed}
    made = op.__class__(list(operands), [type], properties, op.attributes, location=op.location)
    return b.insert(made).results[0]


def needed_once(value: Value) -> bool:
    """One op uses the value, once; what is there to be erased, since a rule has taken its place, does not count."""
    needed = (use for use in value.each_use() if use.owner.is_used or not is_removable(use.owner))
    return len(list(itertools.islice(needed, 2))) == 1


def is_open(type: TensorType) -> bool:
    """A size of it has no name: only ops know it."""
    return DYNAMIC in type.shape


def rounds(value: Value) -> bool:
    """Its elements are floats, of which a sum depends on the order."""
    return isinstance(element_type(value.type), FloatType)
