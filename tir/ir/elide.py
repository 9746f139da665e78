"""Modules without their large constants, to be read by people: `dense_resource<__elided__>`, as MLIR elides."""

from __future__ import annotations

from tir.ir.attributes import ELIDED_KEY, ArrayAttr, Attribute, DenseAttr, DenseResourceAttr, DictAttr
from tir.ir.ir import Op

__all__ = ["without_large_constants"]


def without_large_constants(op: Op, limit: int) -> Op:
    """A copy of `op` in which no constant shows more than `limit` elements; a splat stays.

    Where `op` uses values from around it, the copy does, too: `drop_uses` ends that.
    """
    copy = op.clone()
    known: dict[Attribute, Attribute] = {}
    for inner in copy.walk():
        for name, value in inner.properties.items():
            if (short := _elided(value, limit, known)) is not value:
                inner.set_property(name, short)
        for name, value in inner.attributes.items():
            if (short := _elided(value, limit, known)) is not value:
                inner.set_attribute(name, short)
    return copy


def _elided(attribute: Attribute, limit: int, known: dict[Attribute, Attribute]) -> Attribute:
    """The attribute with large constants replaced, however deep they stand."""
    pending = [attribute]
    while pending:
        one = pending[-1]
        if one in known:
            pending.pop()
            continue
        missing = [inner for inner in _children(one) if inner not in known]
        pending += missing
        if not missing:
            known[one] = _rebuilt(one, limit, known)
    return known[attribute]


def _children(attribute: Attribute) -> list[Attribute]:
    if isinstance(attribute, ArrayAttr):
        return list(attribute.items)
    return [value for _, value in attribute.entries] if isinstance(attribute, DictAttr) else []


def _rebuilt(attribute: Attribute, limit: int, known: dict[Attribute, Attribute]) -> Attribute:
    if isinstance(attribute, DenseAttr) and not attribute.is_splat and attribute.type.count > limit:
        return DenseResourceAttr(ELIDED_KEY, attribute.type)
    if isinstance(attribute, ArrayAttr):
        return ArrayAttr(tuple(known[item] for item in attribute.items))
    if isinstance(attribute, DictAttr):
        return DictAttr(tuple((name, known[value]) for name, value in attribute.entries))
    return attribute
