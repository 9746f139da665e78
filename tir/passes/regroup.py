"""Reshapes as `tensor.collapse_shape` and `tensor.expand_shape`: merging and splitting neighbouring axes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tir.dialects import tensor
from tir.dialects.tir.shape import count_stays
from tir.ir.affine import AffineConstant
from tir.ir.builder import Builder
from tir.ir.ir import Value
from tir.ir.types import TensorType, Type
from tir.ir.views import collapsed_shape, split_mixed
from tir.passes.sizes import Size, Sizes

__all__ = ["reshape"]

Groups = list[list[int]]


def reshape(
    b: Builder, sizes: Sizes, source: Value, before: Sequence[Size], type: TensorType, after: Sequence[Size], what: str
) -> Value:
    """The elements of `source`, of shape `before`, as a tensor of `type` and of shape `after`.

    Axes are merged, or split, in place where they match; else by way of rank 1. what: who asks, for the assert that the
    number of elements stays.
    """
    if _count(before) != _count(after):
        sizes.require(b, "eq", sizes.product(b, before), sizes.product(b, after), f"{what}: {count_stays()}")
    if list(before) == list(after):
        return _cast(b, source, type)
    if (groups := _groups(before, after)) is not None:
        return _collapse(b, source, groups, type)
    if (groups := _groups(after, before)) is not None:
        return _expand(b, sizes, source, groups, type, after)
    row = _flatten(b, source, type.element)
    if not after:
        return _collapse(b, _cast(b, row, TensorType((1,), type.element)), [], type)
    return _expand(b, sizes, row, [list(range(len(after)))], type, after)


def _flatten(b: Builder, source: Value, element: Type) -> Value:
    """The elements as a tensor of rank 1. element: their type behind the pass, which an argument does not have yet."""
    type = source.type
    assert isinstance(type, TensorType)
    if type.rank == 1:
        return source
    if type.rank == 0:
        one = TensorType((1,), element)
        return b.create(tensor.ExpandShape, source, [], reassociation=[], static_output_shape=[1], result_types=[one])
    groups = [list(range(type.rank))]
    return _collapse(b, source, groups, TensorType(tuple(collapsed_shape(groups, type.shape)), element))


def _count(shape: Sequence[Size]) -> tuple[int, Counter[Size]]:
    """The product of the sizes: a number, and factors that only run time knows."""
    number, factors = 1, Counter[Size]()
    for size in shape:
        if isinstance(size, AffineConstant):
            number *= size.value
        else:
            factors[size] += 1
    return (number, factors) if number else (0, Counter())


def _groups(long: Sequence[Size], short: Sequence[Size]) -> Groups | None:
    """Which neighbours in `long` multiply to each size in `short`; None if none do."""
    groups: Groups = []
    axis = 0
    for size in short:
        group: list[int] = []
        while axis < len(long) and (not group or _count([long[i] for i in group]) != _count([size])):
            group.append(axis)
            axis += 1
        if not group or _count([long[i] for i in group]) != _count([size]):
            return None
        groups.append(group)
    if any(_count([long[i]]) != _count([]) for i in range(axis, len(long))):
        return None
    if groups:
        groups[-1].extend(range(axis, len(long)))
    return groups


def _collapse(b: Builder, source: Value, groups: Groups, type: TensorType) -> Value:
    shape = collapsed_shape(groups, source.type.shape)  # type: ignore[attr-defined]
    made = b.create(
        tensor.CollapseShape, source, reassociation=groups, result_types=[TensorType(tuple(shape), type.element)]
    )
    return _cast(b, made, type)


def _expand(b: Builder, sizes: Sizes, source: Value, groups: Groups, type: TensorType, after: Sequence[Size]) -> Value:
    source = _cast(b, source, TensorType(tuple(collapsed_shape(groups, type.shape)), type.element))
    static, dynamic = split_mixed(
        dim if isinstance(dim, int) else sizes.emit(b, size) for dim, size in zip(type.shape, after)
    )
    return b.create(
        tensor.ExpandShape, source, dynamic, reassociation=groups, static_output_shape=static, result_types=[type]
    )


def _cast(b: Builder, value: Value, type: TensorType) -> Value:
    return value if value.type is type else b.create(tensor.Cast, value, result_types=[type])
