"""Do rules end? Those from text are tried on each other's left sides, as terms, before they meet a program.

A left side is taken as a term whose names are unknown values. Rules are applied to it in turn; if a term comes again, they
would go on for ever. Only what is sure counts: conditions that depend on a program do not hold. What is not found here is
found when it happens (`tir.ir.lineage`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tir.ir.lineage import never_ends
from tir.ir.rewrite import Rule
from tir.ir.traits import Commutative
from tir.rewrites.expression import Call, Expression, List, Name, Number, walk
from tir.rewrites.pattern import FUNCTIONS, attributes_of, op_class, operands_of, values_in

__all__ = ["check_ends"]

MAX_STEPS = 24
MAX_TRIED = 300_000  # rules tried on terms, in all; of thousands of rules not all are followed
MAX_TERMS = 200  # in one term
KINDS = ("floats", "signed", "unsigned", "bools")
Bound = Mapping[str, Expression]


def check_ends(rules: Sequence[Rule]) -> None:
    """PassError if rules are found that lead back to where they began."""
    declared = [rule for rule in rules if rule.declaration is not None]
    by_function: dict[str, list[Rule]] = {}
    for rule in declared:
        by_function.setdefault(rule.declaration.before.function, []).append(rule)
    tried = 0
    for rule in declared:
        for kind in KINDS:
            if tried > MAX_TRIED:
                return
            tried += _follow(rule, by_function, kind)


def _follow(first: Rule, rules: Mapping[str, list[Rule]], kind: str) -> int:
    """Rewrites the left side of a rule, of elements of a kind, and compares what comes with what was there.

    Gives about how many rules were tried.
    """
    tried = 0
    term: Expression = first.declaration.before
    seen: dict[Expression, int] = {term: 0}
    applied: list[Rule] = []
    for _ in range(MAX_STEPS):
        tried += sum(len(rules.get(one.function, ())) for one in values_in(term) if isinstance(one, Call))
        found = next(_steps(term, rules, kind), None)
        if found is None or sum(1 for _ in walk(found[1])) > MAX_TERMS:
            break
        rule, term = found
        applied.append(rule)
        begins = 0 if any(_applies(first, one, kind) is not None for one in values_in(term)) else seen.get(term)
        if begins is not None:
            circle = applied[begins:]
            raise never_ends(circle, circle[0].place)
        seen[term] = len(applied)
    return tried


def _applies(rule: Rule, term: Expression, kind: str) -> Bound | None:
    """What the names of the rule stand for, if it is sure to fit."""
    return next((b for b in _fits(rule.declaration.before, term, {}) if _all_hold(rule, b, kind)), None)


def _steps(term: Expression, rules: Mapping[str, list[Rule]], kind: str) -> Iterator[tuple[Rule, Expression]]:
    """Each way to apply a rule to the term, from the outside in, with the term that comes of it."""
    if not isinstance(term, Call) or term.function == "number":
        return
    for rule in rules.get(term.function, ()):
        bound = _applies(rule, term, kind)
        if bound is not None:
            yield rule, _replaced(rule.declaration.after, bound)
    for place, argument in enumerate(operands_of(term)):
        for rule, made in _steps(argument, rules, kind):
            arguments = (*term.arguments[:place], made, *term.arguments[place + 1 :])
            yield rule, Call(term.function, arguments, term.named)


def _replaced(expression: Expression, bound: Bound) -> Expression:
    """The expression with what its names stand for."""
    match expression:
        case Name(name):
            return bound[name]
        case List(items):
            return List(tuple(_replaced(item, bound) for item in items))
        case Call("number", (Name(name),)) if not isinstance(bound[name], Name):
            return bound[name]
        case Call(function, arguments, named):
            inside = tuple(_replaced(one, bound) for one in arguments)
            made = Call(function, inside, tuple((name, _replaced(one, bound)) for name, one in named))
            return Call("number", (made,)) if function != "number" and _is_number(made) else made
    return expression


def _is_number(call: Call) -> bool:
    """An op of numbers alone is computed, and is a number."""
    operands = operands_of(call) if call.function not in FUNCTIONS else ()
    return bool(operands) and all(isinstance(one, Number) or _is_call_of_number(one) for one in operands)


def _is_call_of_number(one: Expression) -> bool:
    return isinstance(one, Call) and one.function == "number"


# --- matching of terms -----------------------------------------------------------------------------------------------


def _fits(pattern: Expression, term: Expression, bound: Bound) -> Iterator[Bound]:
    """What the names of the pattern stand for, if the term is one of it."""
    match pattern, term:
        case Name(name), _:
            if name not in bound or _same(bound[name], term):
                yield {**bound, name: term}
        case Number(), _:
            if _same(pattern, term):
                yield bound
        case Call("number", (Name(name),)), (Number() | Call("number")):
            yield from _fits(Name(name), term, bound)
        case Call(), Call() if pattern.function == term.function != "number":
            yield from _call_fits(pattern, term, bound)
        case List(items), List(others) if len(items) == len(others):
            yield from _all_fit(items, others, bound)


def _call_fits(pattern: Call, term: Call, bound: Bound) -> Iterator[Bound]:
    operands = operands_of(term)
    orders = [operands, operands[::-1]] if issubclass(op_class(pattern), Commutative) else [operands]
    wanted, given = attributes_of(pattern), attributes_of(term)
    if pattern.function in ("repeat", "cast"):
        wanted, given = {"": pattern.arguments[1]}, {"": term.arguments[1]}
    if wanted.keys() != given.keys():
        return
    for order in orders:
        for inside in _all_fit(operands_of(pattern), order, bound):
            yield from _all_fit(list(wanted.values()), [given[name] for name in wanted], inside)


def _all_fit(patterns: Sequence[Expression], terms: Sequence[Expression], bound: Bound) -> Iterator[Bound]:
    if not patterns:
        yield bound
        return
    for inside in _fits(patterns[0], terms[0], bound):
        yield from _all_fit(patterns[1:], terms[1:], inside)


def _same(first: Expression, second: Expression) -> bool:
    """Equal; of numbers 1 and 1.0 are, and 0.0 and -0.0, or 1 and True, are not."""
    if not (isinstance(first, Number) and isinstance(second, Number)):
        return first == second
    a, b = first.value, second.value
    if isinstance(a, (str, bool)) or isinstance(b, (str, bool)):
        return a is b or (isinstance(a, str) and a == b)
    return a == b and math.copysign(1, a) == math.copysign(1, b)


# --- conditions ------------------------------------------------------------------------------------------------------


def _all_hold(rule: Rule, bound: Bound, kind: str) -> bool:
    """All conditions are sure to hold where elements are of the kind."""
    return all(_holds(one, bound, kind) is True for one in rule.declaration.conditions)


def _holds(condition: Expression, bound: Bound, kind: str) -> bool | None:
    """Whether a condition holds; None if that is not known."""
    match condition:
        case Call("and", (left, right)):
            both = _holds(left, bound, kind), _holds(right, bound, kind)
            return False if False in both else None if None in both else True
        case Call("or", (left, right)):
            both = _holds(left, bound, kind), _holds(right, bound, kind)
            return True if True in both else None if None in both else False
        case Call("not", (part,)):
            found = _holds(part, bound, kind)
            return None if found is None else not found
        case Call(function, (Name(_),)) if function in KINDS:
            return function == kind
        case Call("integers", (Name(_),)):
            return kind in ("signed", "unsigned")
        case Call("cmp", (left, right), (("predicate", Number(relation)),)):
            return _compared(str(relation), *(_plain(side, bound) for side in (left, right)))
    return None


def _plain(side: Expression, bound: Bound) -> Any:
    """The number that a side of a comparison is; None if it is not known."""
    found = bound.get(side.name, side) if isinstance(side, Name) else side
    return found.value if isinstance(found, Number) else None


def _compared(relation: str, left: Any, right: Any) -> bool | None:
    if left is None or right is None or isinstance(left, str) != isinstance(right, str):
        return None
    order = {"eq": left == right, "ne": left != right}
    if isinstance(left, str):
        return order.get(relation)
    return {**order, "lt": left < right, "le": left <= right, "gt": left > right, "ge": left >= right}[relation]
