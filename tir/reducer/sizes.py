"""Edits of shapes, constants, attributes and names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from tir.dialects.func import Func, Return
from tir.dialects.tir.base import Sized
from tir.ir.affine import AffineExpr, affine
from tir.ir.attributes import Attribute, DenseAttr, FloatAttr, IntegerAttr, TypeAttr
from tir.ir.errors import UNKNOWN
from tir.ir.ir import Op
from tir.ir.traits import ConstantLike, FunctionLike
from tir.ir.types import (
    DYNAMIC,
    INDEX,
    Dim,
    FunctionType,
    IntegerType,
    MemRefType,
    ShapedType,
    TensorType,
    Type,
    VectorType,
    shape_names,
)
from tir.lazy import np

__all__ = ["SHAPE_EDITS", "SIZE_EDITS"]

Site = Callable[[], None]
SMALL_SIZES = (1, 2)


# --- shapes ----------------------------------------------------------------------------------------------------------


def shrink_sizes(module: Op) -> list[Site]:
    """A size becomes 1 or 2 wherever it stands, or half; a named or unknown size becomes a number.

    Of a number, index constants of the same number change, too: they are where its loops end, or chance.
    """
    sites: list[Site] = []
    for size in _sizes(module):
        smaller = [*SMALL_SIZES, size // 2] if isinstance(size, int) else SMALL_SIZES
        wanted = [n for n in dict.fromkeys(smaller) if n and (not isinstance(size, int) or n < size)]
        for n in reversed(wanted):  # the last site is tried first
            sites.append(partial(_resize, module, size, n))
            if isinstance(size, int):
                sites.append(partial(_resize, module, size, n, with_constants=True))
    return sites


def _sizes(module: Op) -> list[Dim]:
    """Each size in the module once: numbers, names, and `?`."""
    found: dict[Dim, None] = {}
    for op in module.walk():
        arguments = [a for region in op.regions for block in region.blocks for a in block.arguments]
        for value in (*op.results, *arguments):
            for dim in value.type.shape if isinstance(value.type, ShapedType) else ():
                for part in sorted(shape_names([dim]), key=str) if isinstance(dim, AffineExpr) else (dim,):
                    found.setdefault(part)
    return list(found)


def _resize(module: Op, old: Dim, new: int, *, with_constants: bool = False) -> None:
    """Puts the new size in the place of the old one, and infers the types of results again."""
    if with_constants:
        for op in module.walk():
            value = op.properties.get("value") if isinstance(op, ConstantLike) else None
            if isinstance(value, IntegerAttr) and value.type is INDEX and value.value == old:
                op.set_property("value", IntegerAttr(new, INDEX))

    def resized(dim: Dim) -> Dim:
        if dim is old or (isinstance(dim, int) and dim == old):
            return new
        if isinstance(dim, AffineExpr) and isinstance(old, AffineExpr):
            return dim.substitute(lambda leaf: affine(new) if leaf == old else leaf)
        return dim

    for op in module.walk():
        _retype(op, lambda type: _with_shape(type, resized))
    for op in module.walk():
        if isinstance(op, Func) and not op.is_declaration:
            _retype_function(op)


def _with_shape(type: Type, resized: Callable[[Dim], Dim]) -> Type:
    if isinstance(type, FunctionType):
        inputs, results = (tuple(_with_shape(t, resized) for t in part) for part in (type.inputs, type.results))
        return FunctionType(inputs, results)
    if not isinstance(type, ShapedType):
        return type
    shape = tuple(map(resized, type.shape))
    if isinstance(type, TensorType):
        return TensorType(shape, type.element, type.encoding)
    if isinstance(type, MemRefType):
        return MemRefType(shape, type.element, type.layout, type.space)
    return VectorType(shape, type.element) if isinstance(type, VectorType) else type


def _retype(op: Op, changed: Callable[[Type], Type]) -> None:
    """Changes the types that are written on the op, and infers those that follow."""
    for name, attribute in list(op.properties.items()):
        if isinstance(attribute, TypeAttr):
            op.set_property(name, TypeAttr(changed(attribute.type)))
        elif isinstance(attribute, DenseAttr):
            op.set_property(name, _cut(attribute, changed(attribute.type)))
    for region in op.regions:
        for argument in (a for block in region.blocks for a in block.arguments):
            argument.type = changed(argument.type)
    if isinstance(op, Sized):
        _retype_sized(op, changed(op.result_type))
    elif type(op).infer is not Op.infer and op.results:
        for result, inferred in zip(op.results, op.infer()):
            result.type = inferred
    else:
        for result in op.results:
            result.type = changed(result.type)


def _retype_sized(op: Sized, type: Type) -> None:
    """Sizes that are numbers now are no operands any more."""
    assert isinstance(type, TensorType)
    unknown = [dim for dim in op.result_type.shape if dim is DYNAMIC]
    kept = [size for size, dim in zip(op.sizes, [d for d in type.shape if d is DYNAMIC])]
    if len(kept) != len(unknown):
        op.set_operands([*op.tensors(), *kept])
    op.results[0].type = type


def _cut(value: DenseAttr, type: Type) -> DenseAttr:
    """The first elements, of the new type; of a splat the same."""
    assert isinstance(type, ShapedType)
    if type is value.type:
        return value
    if value.is_splat:
        return DenseAttr(type, value.data)
    array = value.numpy()
    return DenseAttr.of(array[tuple(slice(0, size) for size in type.static_shape)], type.element)


def _retype_function(function: Func) -> None:
    """The type of a function is that of its arguments and of what it returns."""
    returned = [op for op in function.walk() if isinstance(op, Return)]
    results = [v.type for v in returned[0].operands] if returned else list(function.function_type.results)
    function.set_type([a.type for a in function.arguments], results)


# --- constants, attributes, names ------------------------------------------------------------------------------------


def simplify_constants(module: Op) -> list[Site]:
    """Tensor constants become one number; numbers become 1 or 0."""
    sites: list[Site] = []
    for op in module.walk():
        for name, attribute in op.properties.items() if isinstance(op, ConstantLike) else ():
            sites += [partial(op.set_property, name, simple) for simple in _simpler(attribute)]
    return sites


def _simpler(attribute: Attribute) -> Sequence[Attribute]:
    if isinstance(attribute, DenseAttr) and not attribute.is_splat and attribute.type.count:
        first: Any = attribute.numpy().reshape(-1)[0]
        return [DenseAttr.splat(np.asarray(first).item(), attribute.type)]
    if isinstance(attribute, IntegerAttr) and attribute.value > 1:
        return [IntegerAttr(n, attribute.type) for n in (1, 2) if n < attribute.value and _holds(attribute.type, n)]
    if isinstance(attribute, FloatAttr) and attribute.value not in (0.0, 1.0):
        return [FloatAttr(1.0, attribute.type)]
    return []


def _holds(type: Type, number: int) -> bool:
    return not isinstance(type, IntegerType) or type.width > number.bit_length()


def drop_attributes(module: Op) -> list[Site]:
    """Attributes that no op declares go, and declared ones that may be absent."""
    sites: list[Site] = []
    for op in module.walk():
        sites += [partial(op.set_attribute, name, None) for name in op.attributes]
        if not isinstance(op, FunctionLike):
            optional = {name for name, field in op.definition.attributes.items() if field.many == "?"}
            sites += [partial(op.set_property, name, None) for name in op.properties if name in optional]
    return sites


def forget_names(module: Op) -> list[Site]:
    """Values have no names, and ops no locations."""
    return [partial(_forget, module)]


def _forget(module: Op) -> None:
    for op in module.walk():
        op.location = UNKNOWN
        for value in (*op.results, *(a for region in op.regions for block in region.blocks for a in block.arguments)):
            value.hint = None


SHAPE_EDITS = (("sizes", shrink_sizes),)
SIZE_EDITS: tuple[tuple[str, Callable[[Op], Sequence[Site]]], ...] = (
    ("constants", simplify_constants),
    ("attributes", drop_attributes),
    ("names", forget_names),
)
