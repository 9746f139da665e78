"""`state-to-arguments`: shared variables become arguments and results of the functions that use them, prints results."""

from __future__ import annotations

from dataclasses import dataclass

from tir.dialects.custom_derivative import drop_derivatives
from tir.dialects.func import Call, Func, Return
from tir.dialects.tir.create import Constant
from tir.dialects.tir.effects import Print
from tir.dialects.tir.state import Derivative, Leaf, Read, Shared, Update
from tir.ir import actions
from tir.ir.attributes import Attribute, StringAttr, SymbolRefAttr, bool_attr
from tir.ir.builder import Builder
from tir.ir.errors import PassError
from tir.ir.ir import Op, Value
from tir.ir.numerics import EXACT
from tir.ir.pass_manager import Pass

__all__ = ["StateToArguments"]


@dataclass
class StateToArguments(Pass):
    """Makes state explicit: what a function reads is an argument, what it updates a result.

    Needs: autodiff has run; a function that uses state is called by no other (`inline` sees to it). PassError
    otherwise. Leaves: for each shared variable that a function reads or updates one argument behind the others, in the
    order of the module, `{bufferization.writable = true, tir.shared = @w}`; for each update one result behind the
    others, `{tir.update = @w}`; `tir.shared @w` as a function that returns its first value; and for each `tir.print` one
    result behind the others, `{tir.print = "label"}`. Whoever calls the
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
    numerics = EXACT
    statistics = {"convert": "shared variables made arguments"}
    needs_module = True

    def run(self, op: Op) -> None:
        ops = [one for block in op.region.blocks for one in block]
        shared = {one.sym_name: one for one in ops if isinstance(one, Shared)}
        functions = [one for one in ops if isinstance(one, Func) and not one.is_declaration]
        uses = {function: _state_of(function) for function in functions}
        _check_calls(ops, {function.sym_name: state[0] for function, state in uses.items() if state})
        _check_prints(ops, functions)
        for function in functions:
            drop_derivatives(function)
        for one in shared.values():
            if actions.begin("convert", one):
                for function, state in uses.items():
                    if mine := [use for use in state if use.symbol == one.sym_name]:
                        _convert(function, mine, one)
                _replace_by_function(one)
                actions.end()
        for function in functions:
            for op in [op for op in function.walk() if isinstance(op, Print)]:
                if actions.begin("convert", op):
                    _add_printed(op, function)
                    actions.end()


def _state_of(function: Func) -> list[Read | Update]:
    """The reads and updates of the function."""
    found: list[Read | Update] = []
    for op in function.walk():
        if isinstance(op, (Leaf, Derivative)):
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


def _check_prints(ops: list[Op], functions: list[Func]) -> None:
    """PassError for a call (or an `init`) of a function that prints, which is for entry functions."""
    printing = {f.sym_name: next((op for op in f.walk() if isinstance(op, Print)), None) for f in functions}
    for user in (user for op in ops for user in op.walk()):
        callee = user.callee if isinstance(user, Call) else user.init if isinstance(user, Shared) else None
        first = printing.get(callee) if callee is not None else None
        if first is not None:
            message = f"state-to-arguments: @{callee} prints, so it must be inlined here; run the pass inline first"
            raise PassError(message, user.location, [(f"@{callee} prints here", first.location)])


def _convert(function: Func, state: list[Read | Update], shared: Shared) -> None:
    """Turns the read and the update of one variable into an argument and a result, behind those that there are."""
    _add_argument(function, [op for op in state if isinstance(op, Read)], shared)
    for update in state:
        if isinstance(update, Update):
            _add_result(function, update)


def _add_argument(function: Func, reads: list[Read], shared: Shared) -> None:
    """The argument takes the place of the read."""
    type = function.function_type
    attributes = [function.argument_attributes(i) for i in range(len(type.inputs))]
    attributes.append({"bufferization.writable": bool_attr(True), "tir.shared": SymbolRefAttr(shared.sym_name)})
    argument = function.entry.add_argument(shared.type)
    argument.location = shared.location
    for read in reads:
        read.replace_with([argument])
    argument.hint = argument.hint or shared.sym_name
    function.set_type([*type.inputs, shared.type], type.results, argument_attributes=attributes)


def _add_result(function: Func, update: Update) -> None:
    """Each return hands the new value on."""
    # It may be the old value of another variable: when that is converted, its argument takes the place of the read here.
    value, symbol = update.value, update.symbol
    update.erase()
    _return_also(function, value, {"tir.update": SymbolRefAttr(symbol)})


def _add_printed(op: Print, function: Func) -> None:
    """Each return hands on what is printed."""
    value, label = op.x, StringAttr(op.label)
    op.erase()
    _return_also(function, value, {"tir.print": label})


def _return_also(function: Func, value: Value, facts: dict[str, Attribute]) -> None:
    """One more result, with these attributes."""
    type = function.function_type
    attributes = [*(function.result_attributes(i) for i in range(len(type.results))), facts]
    for op in list(function.walk()):
        if isinstance(op, Return):
            op.set_operands([*op.operands, value])
    function.set_type(type.inputs, [*type.results, value.type], result_attributes=attributes)


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
