"""What asks for a derivative, and derivatives of calls of functions that have some of their own. Part of `autodiff`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tir.dialects.custom_derivative import JVP, VJP, derivative_symbol, has_derivatives
from tir.dialects.func import Call, Func
from tir.dialects.tir.builder import Tensor, TensorBuilder
from tir.dialects.tir.control_gradients import is_float
from tir.dialects.tir.state import Derivative, Read, Update
from tir.ir.errors import CallSiteLocation, Location, PassError
from tir.ir.ir import Op, Value, clone_into
from tir.ir.symbols import SymbolTable
from tir.passes.call_graph import circle_of
from tir.passes.inline import why_kept

__all__ = ["CustomDerivative", "Place", "custom_derivative", "why_not"]


@dataclass(frozen=True)
class Place:
    """Where a derivative is asked for: the op that does, and the symbols of its module.

    expanded: stand in for functions whose own derivatives are not expanded where they are. repeated: takes the values of
    the forward pass that are computed once more, also those that are dropped again.
    note: why the ops at hand are differentiated, if they are none between values of the op and its `wrt`. custom: whose
    transpose is taken.
    """

    op: Derivative
    symbols: SymbolTable
    expanded: Mapping[Func, Func] = field(default_factory=dict)
    repeated: list[Value] = field(default_factory=list)
    note: tuple[str, Location] | None = None
    custom: CustomDerivative | None = None

    def error(self, error: PassError, way: str) -> PassError:
        """The same error, and why it matters. way: from `wrt` to the values, for what lies between them."""
        note = self.note or (f"it lies on the way from wrt of this {self.op.name}: {way}", self.op.location)
        return PassError(error.message, error.location, [*error.notes, note], error.hint)

    def transposed(self, custom: CustomDerivative) -> Place:
        """The same, for what a function computes whose transpose is needed."""
        has, lacks = (VJP, JVP) if custom.jvp is None else (JVP, VJP)
        note = f"@{custom.call.callee} has no {lacks}, so the derivative of its {has} is taken, for this {self.op.name}"
        return replace(self, note=(note, self.op.location), custom=custom)

    def not_linear(self, op: Op) -> PassError:
        """The function whose transpose is needed is not linear in what it is given: `op` shows it."""
        assert self.custom is not None and self.note is not None, op
        function, has, lacks, what = (
            (self.custom.vjp, VJP, JVP, "adjoints") if self.custom.jvp is None else (self.custom.jvp, JVP, VJP, "tangents")
        )
        assert function is not None
        message = f"@{function.sym_name} is the {has} of @{self.custom.call.callee} and is not linear in the {what}"
        hint = f"give @{self.custom.call.callee} a {lacks}, too"
        return PassError(message, op.location, [self.note], hint)


class CustomDerivative:
    """What is known of the derivative of a call. vjp, jvp: the functions that compute it; at least one is there."""

    def __init__(self, call: Call, vjp: Func | None, jvp: Func | None) -> None:
        self.call, self.vjp, self.jvp = call, vjp, jvp

    @property
    def float_operands(self) -> list[Value]:
        """The operands that take an adjoint and have a tangent."""
        return [value for value in self.call.operands if is_float(value)]

    @property
    def float_results(self) -> list[Value]:
        """The results that have an adjoint and a tangent."""
        return [value for value in self.call.results if is_float(value)]

    def adjoints(self, b: TensorBuilder, given: Sequence[Tensor]) -> list[Value]:
        """The adjoints of the operands of floats, from those of the results of floats, by `tir.vjp`."""
        assert self.vjp is not None
        return self._run(b, self.vjp, [*self.call.operands, *self.call.results, *(b.tensor(g).value for g in given)])

    def tangents(self, b: TensorBuilder, given: Sequence[Tensor]) -> list[Value]:
        """The tangents of the results of floats, from those of the operands of floats, by `tir.jvp`."""
        assert self.jvp is not None
        return self._run(b, self.jvp, [*self.call.operands, *(b.tensor(t).value for t in given)])

    def _run(self, b: TensorBuilder, function: Func, arguments: Sequence[Value]) -> list[Value]:
        """What the function gives: its body where `b` inserts, so that it can be differentiated again, or a call of it."""
        if has_derivatives(function) or function.is_declaration or len(function.body_region.blocks) != 1:
            types = list(function.function_type.results)
            return list(b.op(Call, list(arguments), callee=function.sym_name, result_types=types).results)
        mapping: dict[Any, Any] = dict(zip(function.arguments, arguments))
        end = function.entry.terminator
        own = next((op for op in function.walk() if isinstance(op, Derivative)), None)
        if own is not None:  # those of functions in front of this one are expanded
            message = f"@{function.sym_name} computes a derivative of @{self.call.callee}, and asks for one that needs it"
            raise PassError(message, own.location, [("for the call here", self.call.location)])
        for op in function.entry:
            if isinstance(op, (Read, Update)):
                message = f"@{function.sym_name} computes a derivative of @{self.call.callee}, so it may not use state"
                raise PassError(message, op.location, [("for the call here", self.call.location)])
            if op is not end:
                copy = b.insert(clone_into(op, mapping))
                copy.location = CallSiteLocation(op.location, self.call.location)
        return [mapping.get(value, value) for value in end.operands]


def custom_derivative(op: Op, place: Place) -> CustomDerivative | None:
    """The derivative of its own that a call has, or None."""
    if not isinstance(op, Call):
        return None
    symbols = place.symbols
    function = symbols.lookup(op.callee)
    if not isinstance(function, Func) or not has_derivatives(function):
        return None
    found = [symbols.lookup(derivative_symbol(function, name) or "") for name in (VJP, JVP)]
    vjp, jvp = (place.expanded.get(one, one) if isinstance(one, Func) else None for one in found)
    return CustomDerivative(op, vjp, jvp) if vjp is not None or jvp is not None else None


def why_not(call: Call, symbols: SymbolTable) -> str:
    """Why autodiff meets a call that it cannot look into, and what to do."""
    circle = circle_of(call, symbols)
    if circle is not None:
        return f"@{call.callee} is recursive ({circle}); tir.while and tir.scan repeat and have gradients"
    function = symbols.lookup(call.callee)
    kept = why_kept(call, function) if isinstance(function, Func) else None
    if kept is not None:
        return f"@{call.callee} {kept}, or give it a derivative of its own (tir.vjp, tir.jvp)"
    return "run the pass inline first, or give the function a derivative of its own (tir.vjp, tir.jvp)"
