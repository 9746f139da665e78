"""Making `linalg.generic` ops: what the passes on the structured level share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tir.dialects import linalg, tensor
from tir.dialects.scalar import Scalar, ScalarBuilder, signless
from tir.ir.affine import AffineMap
from tir.ir.builder import Builder
from tir.ir.ir import Block, Region, Value
from tir.ir.types import DYNAMIC, TensorType, Type, element_type

__all__ = ["Body", "filled", "generic", "lowered_tensor_type", "lowered_type"]

#: From the elements of inputs and outputs to the new elements of the outputs.
Body = Callable[[ScalarBuilder, list[Scalar], list[Scalar]], Sequence[Scalar]]
#: The size of an axis of a tensor: a number, or a value that the builder emits.
SizeOf = Callable[[Builder, Value, int], Value | int]


def lowered_type(type: Type) -> Type:
    """The type below the tensor level: names become `?`, integers lose their sign."""
    if not isinstance(type, TensorType):
        return signless(type)
    shape = tuple(dim if isinstance(dim, int) else DYNAMIC for dim in type.shape)
    return TensorType(shape, signless(type.element), type.encoding)


def lowered_tensor_type(type: TensorType) -> TensorType:
    """The same of a tensor."""
    lowered = lowered_type(type)
    assert isinstance(lowered, TensorType)
    return lowered


def generic(
    b: Builder,
    inputs: Sequence[tuple[Value, AffineMap, Type]],
    outputs: Sequence[tuple[Value, AffineMap, Type]],
    iterators: Sequence[str],
    body: Body,
    size_of: SizeOf | None = None,
    lowered: Callable[[Value], Value] = lambda value: value,
) -> linalg.Generic:
    """A new `linalg.generic`. Inputs and outputs: the value, its map, and its element type with the sign (`ui8`).

    The body may read other tensors anywhere. lowered: from a tensor that it names to the one that stands for it;
    size_of: the size of an axis of one, emitted in front of the op.
    """
    operands = [*inputs, *outputs]
    block = Block([signless(type) for _, _, type in operands])
    op = b.op(
        linalg.Generic,
        [value for value, _, _ in inputs],
        [value for value, _, _ in outputs],
        indexing_maps=[map for _, map, _ in operands],
        iterator_types=list(iterators),
        regions=[Region([block])],
    )
    inside = Builder.at_end(block, b.location)
    before = Builder.before(op)
    s = ScalarBuilder(
        inside,
        index_of=lambda dim: inside.create(linalg.Index, dim=dim),
        extract_of=lambda value, indices: inside.create(
            tensor.Extract, lowered(value), indices, result_types=[signless(element_type(value.type))]
        ),
        size_of=None if size_of is None else lambda value, axis: size_of(before, value, axis),
    )
    scalars = [Scalar(argument, type) for argument, (_, _, type) in zip(block.arguments, operands)]
    made = body(s, scalars[: len(inputs)], scalars[len(inputs) :])
    inside.op(linalg.Yield, [scalar.value for scalar in made])
    return op


def filled(b: Builder, number: Any, element: Type, type: TensorType, sizes: Sequence[Value]) -> Value:
    """A new tensor of `type` with one number everywhere. sizes: for each `?` of the type."""
    empty = b.create(tensor.Empty, list(sizes), result_types=[type])
    map = AffineMap.identity(type.rank)
    op = generic(b, [], [(empty, map, element)], ["parallel"] * type.rank, lambda s, _, __: [s.const(number, element)])
    return op.results[0]
