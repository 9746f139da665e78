"""`state-to-arguments`: shared variables become arguments and results of the functions that use them."""

from __future__ import annotations

from dataclasses import dataclass

from tir.dialects.func import Call, Func, Return
from tir.dialects.tir.create import Constant
from tir.dialects.tir.state import Grad, Leaf, Read, Shared, Update
from tir.ir.attributes import SymbolRefAttr, bool_attr
from tir.ir.builder import Builder
from tir.ir.errors import PassError
from tir.ir.ir import Op
from tir.ir.pass_manager import Pass

__all__ = ["StateToArguments"]


@dataclass
class StateToArguments(Pass):
    """Makes state explicit: what a function reads is an argument, what it updates a result.

    Needs: autodiff has run; a function that uses state is called by no other (`inline` sees to it). PassError
    otherwise. Leaves: for each shared variable that a function reads or updates one argument behind the others, in the
    order of the module, `{bufferization.writable = true, tir.shared = @w}`; for each update one result behind the
    others, `{tir.update = @w}`; and `tir.shared @w` as a function that returns its first value. Whoever calls the
    function passes the state, and afterwards keeps the results.

        tir.shared @n : tensor<f32> = dense<0.0>
        func.func @count(%x: tensor<f32>) -> tensor<f32> {
          %n = tir.read @n : tensor<f32>
          %0 = tir.add %n, %x : tensor<f32>
          tir.update @n, %0 : tensor<f32>
          return %n : tensor<f32>
        }

    becomes

        func.func private @n() -> tensor<f32> {
          %0 = tir.constant dense<0.0> : tensor<f32>
          return %0 : tensor<f32>
        }
        func.func @count(%x: tensor<f32>, %n: tensor<f32> {bufferization.writable = true, tir.shared = @n})
            -> (tensor<f32>, tensor<f32> {tir.update = @n}) {
          %0 = tir.add %n, %x : tensor<f32>
          return %n, %0 : tensor<f32>, tensor<f32>
        }
    """

    name = "state-to-arguments"
    needs_module = True

    def run(self, op: Op) -> None:
        ops = [one for block in op.region.blocks for one in block]
        shared = {one.sym_name: one for one in ops if isinstance(one, Shared)}
        functions = [one for one in ops if isinstance(one, Func) and not one.is_declaration]
        uses = {function: _state_of(function) for function in functions}
        _check_calls(ops, {function.sym_name: state[0] for function, state in uses.items() if state})
        for function, state in uses.items():
            if state:
                _convert(function, state, list(shared.values()))
        for one in shared.values():
            _replace_by_function(one)


def _state_of(function: Func) -> list[Read | Update]:
    """The reads and updates of the function."""
    found: list[Read | Update] = []
    for op in function.walk():
        if isinstance(op, (Leaf, Grad)):
            raise PassError(f"state-to-arguments: {op.name} is left over; run the pass autodiff first", op.location)
        if isinstance(op, (Read, Update)):
            found.append(op)
    return found


def _check_calls(ops: list[Op], stateful: dict[str, Read | Update]) -> None:
    """PassError for a call (or an `init`) of a function that uses state: state belongs to entry functions."""
    for op in ops:
        for user in op.walk():
            callee = user.callee if isinstance(user, Call) else user.init if isinstance(user, Shared) else None
            if callee in stateful:
                state = stateful[callee]
                note = (f"@{callee} uses @{state.symbol} here", state.location)
                raise PassError(
                    f"state-to-arguments: @{callee} uses state, so it must be inlined here; run the pass inline first",
                    user.location,
                    [note],
                )


def _convert(function: Func, state: list[Read | Update], order: list[Shared]) -> None:
    """Turns the reads and updates into arguments and results."""
    updates = {op.symbol: op for op in state if isinstance(op, Update)}
    # All reads first: the new value of one variable may be the old value of another.
    _add_arguments(function, [one for one in order if any(op.symbol == one.sym_name for op in state)], state)
    updated = [one for one in order if one.sym_name in updates]
    new_values = [updates[one.sym_name].value for one in updated]
    types = [*function.function_type.results, *(one.type for one in updated)]
    attributes = [function.result_attributes(i) for i in range(len(function.function_type.results))]
    attributes += [{"tir.update": SymbolRefAttr(one.sym_name)} for one in updated]
    for update in updates.values():
        update.erase()
    for op in list(function.walk()):
        if isinstance(op, Return):
            op.set_operands([*op.operands, *new_values])
    function.set_type(function.function_type.inputs, types, result_attributes=attributes)


def _add_arguments(function: Func, used: list[Shared], state: list[Read | Update]) -> None:
    """One argument for each of the variables, which takes the place of the read."""
    reads = {op.symbol: op for op in state if isinstance(op, Read)}
    types = [*function.function_type.inputs, *(one.type for one in used)]
    attributes = [function.argument_attributes(i) for i in range(len(function.function_type.inputs))]
    for one in used:
        attributes.append({"bufferization.writable": bool_attr(True), "tir.shared": SymbolRefAttr(one.sym_name)})
        argument = function.entry.add_argument(one.type)
        argument.location = one.location
        if one.sym_name in reads:
            reads[one.sym_name].replace_with([argument])
        argument.hint = argument.hint or one.sym_name
    function.set_type(types, function.function_type.results, argument_attributes=attributes)


def _replace_by_function(shared: Shared) -> None:
    """Puts a function that returns the first value in the place of the variable."""
    function = Func.make(shared.sym_name, [], [shared.type], visibility="private", location=shared.location)
    b = Builder.at_end(function.entry, shared.location)
    if shared.value is not None:
        first = b.create(Constant, value=shared.value)
    else:
        first = b.create(Call, [], callee=shared.init, result_types=[shared.type])
    b.op(Return, [first])
    parent = shared.parent
    assert parent is not None
    parent.insert_before(shared, function)
    shared.erase()
