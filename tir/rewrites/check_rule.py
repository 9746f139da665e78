"""Can a rule from text be applied? Its ops, arguments, names and conditions are looked at before it is ever tried."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tir.dialects.tir.builder import TensorBuilder
from tir.ir.define import AttributeField
from tir.ir.errors import TirError, counted, nearest
from tir.rewrites.expression import Call, Expression, List, Name, Number, names_of
from tir.rewrites.pattern import FUNCTIONS, attributes_of, op_class, operands_of

__all__ = ["RuleMistake", "check_condition", "check_sides", "word_in"]

#: Calls that are no ops, and their arguments.
SPECIAL = {"number": ("c",), "repeat": ("x", "axes"), "cast": ("x", "t")}
ORDERS = ("lt", "le", "gt", "ge")


class RuleMistake(TirError):
    """What is wrong with a rule. about: the word of its text that it is about."""

    def __init__(self, message: str, about: str = "", hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.about = about


def check_sides(before: Expression, after: Expression) -> dict[str, str]:
    """What each name stands for: `value`, `number` or `attribute`. RuleMistake if something of the rule has no meaning."""
    if not isinstance(before, Call) or before.function == "number":
        raise RuleMistake("what a rule replaces is an op, not a name or a number")
    roles: dict[str, str] = {}
    for side in (before, after):
        _check_ops(side)
    _note_roles(before, roles)
    for name in names_of(after):
        _check_known(name, roles)
    _note_roles(after, roles)
    return roles


def _check_known(name: str, roles: Mapping[str, str]) -> None:
    if name not in roles:
        raise RuleMistake(f"{name} stands for nothing on the left side", name, nearest(name, roles))


# --- ops and their arguments -----------------------------------------------------------------------------------------


def _check_ops(side: Expression) -> None:
    """Looks at all calls of a side. Inside attributes there may be arithmetic on them."""
    pending: list[tuple[Expression, bool]] = [(side, False)]
    while pending:
        one, is_attribute = pending.pop()
        match one:
            case Call(function, arguments) if is_attribute:
                _check_count(function, arguments, _arithmetic(function))
                pending += [(argument, True) for argument in arguments]
            case Call(function, arguments) if function in SPECIAL:
                _check_count(function, arguments, SPECIAL[function])
                if function == "cast":
                    _check_type_name(arguments[1])
                pending += [(arguments[0], False), *((argument, True) for argument in arguments[1:])]
            case Call():
                _check_op(one)
                pending += [(argument, False) for argument in operands_of(one)]
                pending += [(argument, True) for argument in attributes_of(one).values()]
            case List(items):
                if not is_attribute:
                    raise RuleMistake("a list stands only where an attribute does, behind the operands")
                pending += [(item, True) for item in items]
            case Number(str(text)) if not is_attribute:
                raise RuleMistake(f"'{text[:40]}' is text, and text stands only where an attribute does", text)


def _arithmetic(function: str) -> Sequence[str]:
    if function not in FUNCTIONS:
        hint = nearest(function, FUNCTIONS)
        raise RuleMistake(f"there is no arithmetic {function} of attributes", function, hint)
    return list(inspect.signature(FUNCTIONS[function]).parameters)


def _check_count(function: str, arguments: Sequence[Expression], wanted: Sequence[str]) -> None:
    if len(arguments) != len(wanted):
        form = f"{function}({', '.join(wanted)})"
        raise RuleMistake(f"the form is {form}, got {counted(len(arguments), 'argument')}", function)


def _check_type_name(given: Expression) -> None:
    """A name that looks like a type would stand for any type."""
    if not isinstance(given, Name) or re.fullmatch(r"u?int\d*|float\d*|(si?|ui?|b?f)\d+|i\d+|bool|index", given.name):
        got = f", got {given.name}" if isinstance(given, Name) else ""
        raise RuleMistake(f"the form is cast(x, t), where the name t stands for whatever type it is{got}", "cast")


def _check_op(call: Call) -> None:
    function = call.function
    if "." in function:
        raise RuleMistake(f"a rule is about ops of the dialect tir, got {function}", function)
    try:
        definition = op_class(call).definition
    except TirError as error:
        raise RuleMistake(error.message, function, error.hint) from None
    name = f"tir.{function}"
    results, operands = definition.results, definition.operands
    if definition.regions or not results or any(one.many != "*" for one in results[1:]) or (operands and operands[0].many):
        needs = "what stands there has one result, no regions, and a known number of operands"
        raise RuleMistake(f"{name} cannot stand in a rule: {needs}", function)
    if not hasattr(TensorBuilder, function) and not hasattr(TensorBuilder, f"{function}_") and function != "cmp":
        raise RuleMistake(f"{name} cannot stand in a rule: the builder has no such op", function)
    needed = sum(not field.many for field in operands)
    _check_arguments(call, name, needed, needed + sum(field.many == "?" for field in operands), definition.attributes)


def _check_arguments(call: Call, name: str, least: int, operands: int, attributes: Mapping[str, AttributeField]) -> None:
    function = call.function
    if not least <= len(call.arguments) <= operands + len(attributes):
        has = counted(operands, "operand") + (f" and then {', '.join(attributes)}" if attributes else "")
        raise RuleMistake(f"{name} has {has}, got {counted(len(call.arguments), 'argument')}", function)
    try:
        given = attributes_of(call)
    except TirError as error:
        raise RuleMistake(error.message, function, error.hint) from None
    for attribute in list(attributes)[: max(len(call.arguments) - operands, 0)]:
        if attribute in dict(call.named):
            raise RuleMistake(f"{name} has its attribute {attribute} twice", function)
    for attribute, field in attributes.items():
        if attribute not in given and field.default is None and field.many != "?":
            raise RuleMistake(f"{name} needs its attribute {attribute}", function)
    for attribute, value in given.items():
        _check_attribute(call.function, attribute, attributes[attribute], value)


def _check_attribute(function: str, attribute: str, field: AttributeField, value: Expression) -> None:
    """A number or a list where the attribute is one."""
    match value:
        case Number(number):
            plain: Any = number
        case List(items):
            for item in items:
                if isinstance(item, Number) and type(item.value) is not int:
                    raise RuleMistake(f"a list has whole numbers and names, got {item}", function)
            if any(not isinstance(item, Number) for item in items):
                return
            plain = [item.value for item in items]  # type: ignore[union-attr]
        case _:
            return
    try:
        fits = field.kind.test(field.kind.make(plain))
    except (TypeError, ValueError, AttributeError, AssertionError, OverflowError, KeyError):
        fits = False
    if not fits:
        raise RuleMistake(f"tir.{function}: {attribute} must be {field.kind.text}, got {_text(value)}", function)


def _text(value: Expression) -> str:
    return str(value) if isinstance(value, Number) else str([str(item) for item in value.items]).replace("'", "")  # type: ignore[union-attr]


# --- names -----------------------------------------------------------------------------------------------------------


def _note_roles(side: Expression, roles: dict[str, str]) -> None:
    """What each name stands for: a value, a number, or an attribute."""
    pending: list[tuple[Expression, str]] = [(side, "value")]
    while pending:
        one, role = pending.pop()
        match one:
            case Name(name):
                known = roles.setdefault(name, role)
                if {known, role} == {"value", "number"}:
                    roles[name] = "number"  # it is matched by what it is, wherever it stands
                elif known != role:
                    raise RuleMistake(f"{name} stands for {_article(known)} and for {_article(role)}", name)
            case List(items):
                pending += [(item, role) for item in items]
            case Call("number", arguments):
                pending += [(argument, "number") for argument in arguments]
            case Call(function, arguments) if role == "attribute" or function in SPECIAL:
                pending += [(argument, "attribute") for argument in arguments[1 if role != "attribute" else 0 :]]
                pending += [(argument, role) for argument in arguments[:1] if role != "attribute"]
            case Call():
                pending += [(argument, "attribute") for argument in attributes_of(one).values()]
                pending += [(argument, "value") for argument in reversed(operands_of(one))]


def _article(role: str) -> str:
    return f"an {role}" if role == "attribute" else f"a {role}"


# --- conditions ------------------------------------------------------------------------------------------------------


def check_condition(condition: Expression, roles: Mapping[str, str], words: Mapping[str, Callable[..., bool]]) -> None:
    """RuleMistake if the condition has no meaning. words: what one may ask."""
    for name in names_of(condition):
        _check_known(name, roles)
    pending = [condition]
    while pending:
        one = pending.pop()
        match one:
            case Call("and" | "or" | "not", parts):
                pending += parts
            case Call("cmp", (left, right), (("predicate", Number(relation)),)):
                for side in (left, right):
                    _check_compared(side, roles, relation in ORDERS)
            case Call(function, arguments):
                _check_word(function, arguments, roles, words)
            case _:
                forms = "`floats(x)`, `c > 0`, or such with `not`, `and`, `or`"
                raise RuleMistake(f"a condition is {forms}, got `{one}`", str(one))


def _check_compared(side: Expression, roles: Mapping[str, str], is_order: bool) -> None:
    match side:
        case Name(name) if roles[name] == "value":
            message = f"a condition compares numbers and attributes, and {name} is a value"
            raise RuleMistake(message, name, hint=f"number({name}) in the pattern makes it a number")
        case Number(str()) if is_order:
            raise RuleMistake("text has no order; compare it by == or !=")
        case Number() | Name():
            return
    raise RuleMistake("a condition compares names and numbers alone")


def _check_word(
    function: str, arguments: Sequence[Expression], roles: Mapping[str, str], words: Mapping[str, Callable[..., bool]]
) -> None:
    if function not in words:
        raise RuleMistake(f"there is no condition {function}", function, nearest(function, words))
    _check_count(function, arguments, list(inspect.signature(words[function]).parameters))
    names = [one.name for one in arguments if isinstance(one, Name)]
    if len(names) != len(arguments):
        raise RuleMistake(f"the condition {function} is about a name of the rule", function)
    if roles[names[0]] != "value":
        message = f"the condition {function} is about a value, and {names[0]} is {_article(roles[names[0]])}"
        raise RuleMistake(message, function)


def word_in(text: str, word: str) -> int:
    """Where the word stands in the text, -1 if it does not."""
    found = re.search(rf"(?<![\w.]){re.escape(word)}(?!\w)", text) if word else None
    return -1 if found is None else found.start()
