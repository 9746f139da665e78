"""Functions with derivatives of their own: other functions compute them, in place of what follows from the body.

    func.func private @f(%x: tensor<4xf32>) -> tensor<4xf32> attributes {tir.vjp = @f_back, tir.jvp = @f_tangent} {..}
    func.func private @f_back(%x: tensor<4xf32>, %y: tensor<4xf32>, %dy: tensor<4xf32>) -> tensor<4xf32>
    func.func private @f_tangent(%x: tensor<4xf32>, %dx: tensor<4xf32>) -> tensor<4xf32>

`tir.vjp`, for reverse mode, takes the arguments, the results, and an adjoint of each result of floats; it gives an adjoint
for each argument of floats. `tir.jvp`, for forward mode, takes the arguments and a tangent of each argument of floats; it
gives a tangent for each result of floats. One of the two is enough: autodiff transposes it, so it must be linear in the
adjoints, or tangents. JAX's `custom_vjp` and `custom_jvp`, PyTensor's `OpFromGraph`.
"""

from __future__ import annotations

from collections.abc import Iterable

from tir.ir.attributes import SymbolRefAttr
from tir.ir.errors import VerifyError
from tir.ir.ir import Op
from tir.ir.symbols import SymbolTable, symbol_name
from tir.ir.traits import FunctionLike
from tir.ir.types import FloatType, FunctionType, TensorType, Type

__all__ = ["JVP", "VJP", "check_derivatives", "derivative_symbol", "drop_derivatives", "has_derivatives"]

VJP, JVP = "tir.vjp", "tir.jvp"
_MEANING = {
    VJP: "the arguments, the results and adjoints of the results of floats to adjoints of the arguments of floats",
    JVP: "the arguments and tangents of the arguments of floats to tangents of the results of floats",
}


def derivative_symbol(function: Op, name: str) -> str | None:
    """The name of the function that `tir.vjp` or `tir.jvp` of a function names."""
    attribute = function.attributes.get(name)
    return attribute.root if isinstance(attribute, SymbolRefAttr) else None


def has_derivatives(function: Op) -> bool:
    """The function has a derivative of its own."""
    return VJP in function.attributes or JVP in function.attributes


def _derivative_type(type: FunctionType, name: str) -> FunctionType:
    inputs, results = _floats(type.inputs), _floats(type.results)
    if name == VJP:
        return FunctionType((*type.inputs, *type.results, *results), inputs)
    return FunctionType((*type.inputs, *inputs), results)


def _floats(types: Iterable[Type]) -> tuple[Type, ...]:
    return tuple(type for type in types if isinstance(type, TensorType) and isinstance(type.element, FloatType))


def drop_derivatives(function: Op) -> None:
    """Takes them away: nothing is differentiated below the tensor level, where functions have other types."""
    for name in (VJP, JVP):
        function.set_attribute(name, None)


def check_derivatives(function: Op, symbols: SymbolTable) -> None:
    """VerifyError unless `tir.vjp` and `tir.jvp`, where they stand, name functions of the right types."""
    for name in (VJP, JVP):
        if name not in function.attributes:
            continue
        what = f"func.func: {name} of @{symbol_name(function)}"
        symbol = derivative_symbol(function, name)
        if symbol is None:
            raise VerifyError(f"{what} must be a symbol such as @f, got {function.attributes[name]}", function.location)
        found = symbols.lookup(symbol)
        if not isinstance(found, FunctionLike):
            hint = symbols.hint(symbol, FunctionLike)
            raise VerifyError(f"{what} is @{symbol}, and there is no such function", function.location, hint=hint)
        want = _derivative_type(function.function_type, name)
        if found.function_type is not want:
            message = f"{what}: @{symbol} must have type {want} (from {_MEANING[name]}), got {found.function_type}"
            raise VerifyError(message, function.location, [("defined here", found.location)])
