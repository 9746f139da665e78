"""Names for the sizes of arguments that results have too, so that the caller can make the memory for these."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from tir.dialects.func import Func
from tir.ir.affine import AffineName, parse_affine
from tir.ir.attributes import ArrayAttr, Attribute, IntegerAttr, StringAttr
from tir.ir.ir import BlockArgument
from tir.ir.types import TensorType
from tir.passes.kept_sizes import KeptSizes

__all__ = ["name_result_sizes"]

#: `tir.dims` of an argument or result.
_Dims = list[Attribute]


def name_result_sizes(function: Func, sizes: KeptSizes) -> None:
    """Gives each size of a result that is one of an argument's its name; sizes of arguments without one get `size0`, ..

    The names of one function are those that its callers see: a private function, which is called by its types, has none.
    """
    if function.is_private:
        return
    arguments = [_dims(function.argument_attribute(i, "tir.dims"), a.type) for i, a in enumerate(function.arguments)]
    names = _new_names(arguments)
    values = function.entry.terminator.operands
    for i, value in enumerate(values):
        dims = _dims(function.result_attribute(i, "tir.dims"), value.type)
        places = [_place(function, sizes.of_axis(value, axis)) for axis, dim in enumerate(dims) if dim == _UNKNOWN]
        if not places or None in places:
            continue
        rest = iter(places)
        for axis, dim in enumerate(dims):
            if dim == _UNKNOWN:
                number, source = next(rest)  # type: ignore[misc]
                if arguments[number][source] == _UNKNOWN:
                    arguments[number][source] = StringAttr(next(names))
                    function.set_argument_attribute(number, "tir.dims", ArrayAttr(tuple(arguments[number])))
                dims[axis] = arguments[number][source]
        function.set_result_attribute(i, "tir.dims", ArrayAttr(tuple(dims)))


_UNKNOWN = StringAttr("?")


def _dims(said: Attribute | None, type: object) -> _Dims:
    """What is said of the sizes of a tensor."""
    if isinstance(said, ArrayAttr):
        return list(said.items)
    shape = type.shape if isinstance(type, TensorType) else ()
    return [IntegerAttr(dim) if isinstance(dim, int) else _UNKNOWN for dim in shape]


def _place(function: Func, size: object) -> tuple[int, int] | None:
    """The argument and axis that a size is of."""
    if not isinstance(size, tuple):
        return None
    value, axis = size
    is_argument = isinstance(value, BlockArgument) and value.owner is function.entry and isinstance(value.type, TensorType)
    return (value.index, axis) if is_argument else None


def _new_names(arguments: list[_Dims]) -> Iterator[str]:
    said = {dim.value for dims in arguments for dim in dims if isinstance(dim, StringAttr)} - {"?"}
    taken = {str(leaf) for text in said for leaf in parse_affine(text).leaves() if isinstance(leaf, AffineName)}
    return (name for name in (f"size{i}" for i in count()) if name not in taken)
