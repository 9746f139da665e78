"""Edits of symbols, and of the arguments and results of functions that nobody calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from tir.dialects.func import Call, Func, Return
from tir.ir.attributes import StringAttr
from tir.ir.ir import BlockArgument, Op, Value
from tir.ir.traits import Symbol
from tir.ir.types import Type
from tir.passes.inline import inline_call
from tir.passes.symbol_dce import symbol_references

__all__ = ["FUNCTION_EDITS", "free_functions", "function_around", "new_argument"]

Site = Callable[[], None]


def free_functions(module: Op) -> list[Func]:
    """The functions with a body whose type may change: no other op refers to them."""
    called = {name for op in _top(module) for name in symbol_references(op)}
    return [op for op in _top(module) if isinstance(op, Func) and not op.is_declaration and op.sym_name not in called]


def _top(module: Op) -> list[Op]:
    return [op for region in module.regions for block in region.blocks for op in block]


def function_around(op: Op) -> Func | None:
    """The function that the op is in."""
    return next((one for one in op.ancestors() if isinstance(one, Func)), None)


def new_argument(function: Func, type: Type, hint: str | None) -> BlockArgument:
    """A new last argument."""
    old = function.function_type
    facts = [function.argument_attributes(i) for i in range(len(old.inputs))]
    argument = function.entry.add_argument(type, hint)
    function.set_type([*old.inputs, type], old.results, argument_attributes=[*facts, {}])
    return argument


# --- edits -----------------------------------------------------------------------------------------------------------


def drop_symbols(module: Op) -> list[Site]:
    """Functions, shared variables and globals go; what refers to them makes the module wrong, and keeps them."""
    return [partial(_drop, op) for op in _top(module) if isinstance(op, Symbol) or not op.results]


def _drop(op: Op) -> None:
    op.erase()


def drop_bodies(module: Op) -> list[Site]:
    """Functions become declarations."""
    return [partial(_drop_body, op) for op in _top(module) if isinstance(op, Func) and not op.is_declaration]


def _drop_body(function: Func) -> None:
    for block in function.body_region.take_blocks():
        for op in block:
            op.drop_uses()
    function.set_property("sym_visibility", StringAttr("private"))


def inline_calls(module: Op) -> list[Site]:
    """Calls become the body of the function."""
    functions = {op.sym_name: op for op in _top(module) if isinstance(op, Func) and not op.is_declaration}
    calls = [op for op in module.walk() if isinstance(op, Call)]
    return [partial(inline_call, call, functions[call.callee]) for call in calls if call.callee in functions]


def _returns(function: Func) -> list[Return]:
    return [op for op in function.walk() if isinstance(op, Return)]


def drop_results(module: Op) -> list[Site]:
    """Functions return less."""
    return [
        partial(_drop_result, function, i)
        for function in free_functions(module) for i in range(len(function.function_type.results))
    ]  # fmt: skip


def _drop_result(function: Func, index: int) -> None:
    old = function.function_type.results
    facts = [function.result_attributes(i) for i in range(len(old)) if i != index]
    for op in _returns(function):
        op.set_operands([value for i, value in enumerate(op.operands) if i != index])
    function.set_type(function.function_type.inputs, [t for i, t in enumerate(old) if i != index], None, facts)


def return_earlier(module: Op) -> list[Site]:
    """A function returns what the result is computed from, in place of the result."""
    return [
        partial(_return_operand, function, i, operand)
        for function in free_functions(module) if len(_returns(function)) == 1
        for i, value in _computed(function) for operand in value.op.operands  # type: ignore[union-attr]
    ]  # fmt: skip


def _computed(function: Func) -> Iterator[tuple[int, Value]]:
    operands = _returns(function)[0].operands
    return ((i, value) for i, value in enumerate(operands) if value.op is not None)


def _return_operand(function: Func, index: int, value: Value) -> None:
    _returns(function)[0].set_operand(index, value)
    results = list(function.function_type.results)
    results[index] = value.type
    facts = [function.result_attributes(i) if i != index else {} for i in range(len(results))]
    function.set_type(function.function_type.inputs, results, None, facts)


def return_values(module: Op) -> list[Site]:
    """A function returns a value that it computes, and nothing else: what comes behind that goes."""
    return [
        partial(_return_only, function, value)
        for function in free_functions(module) if len(_returns(function)) == 1
        for op in function.entry for value in op.results
    ]  # fmt: skip


def _return_only(function: Func, value: Value) -> None:
    _returns(function)[0].set_operands([value])
    function.set_type(function.function_type.inputs, [value.type], None, [{}])


def drop_arguments(module: Op) -> list[Site]:
    """Arguments that nobody uses go."""
    return [
        partial(_drop_argument, function, argument)
        for function in free_functions(module) for argument in function.arguments if not argument.is_used
    ]  # fmt: skip


def _drop_argument(function: Func, argument: BlockArgument) -> None:
    old, index = function.function_type.inputs, argument.index
    facts = [function.argument_attributes(i) for i in range(len(old)) if i != index]
    function.entry.erase_argument(index)
    function.set_type([t for i, t in enumerate(old) if i != index], function.function_type.results, facts)


def drop_facts(module: Op) -> list[Site]:
    """What is said about arguments and results goes."""
    functions = [op for op in _top(module) if isinstance(op, Func)]
    arguments = [
        partial(function.set_argument_attribute, i, name, None)
        for function in functions for i in range(len(function.function_type.inputs))
        for name in function.argument_attributes(i)
    ]  # fmt: skip
    results = [
        partial(function.set_result_attribute, i, name, None)
        for function in functions for i in range(len(function.function_type.results))
        for name in function.result_attributes(i)
    ]  # fmt: skip
    return [*arguments, *results]


FUNCTION_EDITS = (
    ("symbols", drop_symbols),
    ("bodies", drop_bodies),
    ("calls", inline_calls),
    ("results", drop_results),
    ("earlier results", return_values),
    ("arguments", drop_arguments),
    ("facts", drop_facts),
)
