"""Named sizes: `[B]` is bound where it stands alone as a size of a function's argument; all others follow from it.

An op with the trait `BindsSize` in the first block of a function binds a name too, for what comes behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from tir.ir.affine import AffineExpr, AffineName
from tir.ir.errors import VerifyError
from tir.ir.execution import ExecutionError
from tir.ir.ir import BlockArgument, Op, Value
from tir.ir.traits import BindsSize, FunctionLike
from tir.ir.types import Dim, ShapedType, Type, shape_names

__all__ = ["argument_bindings", "bind_sizes", "bindings", "check_names_bound", "evaluate_dim", "size_bindings"]


def bindings(types: Sequence[Type]) -> dict[AffineExpr, tuple[int, int]]:
    """name -> (argument, axis) of the first place where the name stands alone as a size."""
    found: dict[AffineExpr, tuple[int, int]] = {}
    for position, type in enumerate(types):
        for axis, dim in enumerate(type.shape if isinstance(type, ShapedType) else ()):
            if isinstance(dim, AffineName):
                found.setdefault(dim, (position, axis))
    return found


def argument_bindings(op: Op) -> dict[AffineExpr, tuple[BlockArgument, int]]:
    """name -> (argument, axis) in the function around `op`, which has a body; empty outside a function."""
    function = _function_around(op)
    if function is None:
        return {}
    arguments = function.region.blocks[0].arguments
    return {name: (arguments[i], axis) for name, (i, axis) in bindings([a.type for a in arguments]).items()}


def size_bindings(op: Op) -> dict[AffineExpr, tuple[Value, int] | Value]:
    """name -> (argument, axis), or a value of type index, in the function around `op`."""
    return {**_bound_by_ops(_function_around(op)), **argument_bindings(op)}


def _bound_by_ops(function: Op | None) -> dict[AffineExpr, Value]:
    if function is None or not function.regions or not function.region.blocks:
        return {}
    return {op.bound_name(): op.operands[0] for op in function.region.blocks[0] if isinstance(op, BindsSize)}


def _function_around(op: Op) -> Op | None:
    return next((f for f in (op, *op.ancestors()) if isinstance(f, FunctionLike)), None)


def check_names_bound(op: Op, types: Iterable[Type]) -> None:
    """VerifyError unless each name in `types` is bound by an argument of the function around `op` (or that it is)."""
    names = {name for type in types if isinstance(type, ShapedType) for name in shape_names(type.shape)}
    if not names:
        return
    function = _function_around(op)
    if function is None and not all(one.name for one in op.ancestors()):
        return  # the function could not be read
    bound = {} if function is None else bindings(function.function_type.inputs)  # type: ignore[attr-defined]
    unbound = names - bound.keys()
    if unbound and function is not None and any(not (one.name or one.results) for one in function.region.blocks[0]):
        return  # an op could not be read that may bind them
    for name in sorted(unbound - _bound_by_ops(function).keys() if unbound else (), key=str):
        message = f"{op.name}: size [{name}] is not bound: no argument of the function has [{name}] as a size"
        raise VerifyError(message, op.location)


def evaluate_dim(dim: Dim, size_of: Callable[[AffineExpr], int]) -> int:
    """The size that a static or named dimension is, with `size_of(name)` for each name."""
    return dim if isinstance(dim, int) else int(dim.evaluate(size_of))  # type: ignore[union-attr]


def bind_sizes(
    types: Sequence[Type], shapes: Sequence[Sequence[int] | None], labels: Mapping[int, str] | None = None
) -> dict[AffineExpr, int]:
    """name -> size, from the shapes of the arguments (None for a scalar).

    ExecutionError names the argument and axis of a size that disagrees. labels: argument -> what to call it.
    """
    found = {name: int(shapes[i][axis]) for name, (i, axis) in bindings(types).items()}  # type: ignore[index]
    for position, (type, shape) in enumerate(zip(types, shapes)):
        for axis, dim in enumerate(type.shape if isinstance(type, ShapedType) else ()):
            if not isinstance(dim, AffineExpr) or not shape_names([dim]) <= found.keys():
                continue
            want, got = evaluate_dim(dim, found.__getitem__), shape[axis]  # type: ignore[index]
            if want != got:
                label = (labels or {}).get(position, f"argument {position}")
                raise ExecutionError(f"{label}: axis {axis} must have size [{dim}] = {want}, got {got}")
    return found
