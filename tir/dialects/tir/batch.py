"""What the `of_batch` facets of ops are made of: an op on operands that have one more axis in front, the batch.

A facet gets the operands of the op, in order, and for each whether it has that axis; it gives the results, all of which
have it, or None: then `tir.vmap` runs the op on one element of the batch after another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tir.ir.ir import Op
from tir.ir.types import DYNAMIC, TensorType

__all__ = ["batch_size", "behind", "in_front", "spread_all"]


def batch_size(b: Any, operands: Sequence[Any], batched: Sequence[bool]) -> Any:
    """The size of the batch."""
    sizes = [b.shape(x)[0] for x, is_batched in zip(operands, batched) if is_batched]
    return next((size for size in sizes if isinstance(size, int)), sizes[0])


def spread_all(b: Any, operands: Sequence[Any], batched: Sequence[bool]) -> list[Any]:
    """The operands, of which all tensors have the axis now: others are repeated along it."""
    size = batch_size(b, operands, batched)
    return [
        x if is_batched or not isinstance(x.value.type, TensorType)
        else b.broadcast(x, range(1, x.type.rank + 1), [size, *b.shape(x)])
        for x, is_batched in zip(operands, batched)
    ]  # fmt: skip


def behind(axes: Sequence[int] | int) -> Any:
    """Axes, or one, behind an axis in front."""
    return axes + 1 if isinstance(axes, int) else [axis + 1 for axis in axes]


def in_front(b: Any, op: Op, operands: Sequence[Any], size: Any, **facts: Any) -> list[Any] | None:
    """The results of the op with these operands and attributes: tensors with an axis of this size in front.

    None if the size is only known when the program runs and the op would have to be told it.
    """
    dim = size if not hasattr(size, "axis") else DYNAMIC  # the size of an axis
    if dim is DYNAMIC and any(field.name == "sizes" for field in op.definition.operands):
        return None
    properties = dict(op.properties)
    for name, value in facts.items():
        properties[name] = op.definition.attributes[name].kind.make(value)
    copy = type(op)([x.value for x in operands], (), properties, op.attributes, (), (), op.location)
    copy.set_results([type.with_shape((dim, *type.shape)) for type in (result.type for result in op.results)])  # type: ignore[attr-defined]
    for old, new in zip(op.results, copy.results):
        new.hint = old.hint
    return [b.tensor(result) for result in b.insert(copy).results]
