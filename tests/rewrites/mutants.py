"""Wrong rules made out of right ones, for the test of the rule checker: each has one small mistake.

A rule from text gets its mistake in what it makes, in a condition or in its class; one in Python in the code of its module,
where it or a function that it calls makes something. Mistakes that say the same (the operands of a sum in another order) are
not made; which others change nothing, `test_mutants.py` lists with the reason.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.abc import InspectLoader
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from types import CodeType, ModuleType
from typing import Any

from tir.ir.rewrite import Rule
from tir.ir.traits import Commutative
from tir.rewrites.declared import Declaration
from tir.rewrites.expression import Call, Expression, List, Name, Number, names_of
from tir.rewrites.pattern import FUNCTIONS, op_class

__all__ = ["Mutant", "of_python", "of_text"]

#: Ops with the operands of others, and another meaning.
NEIGHBOURS = {
    "add": "sub", "sub": "add", "mul": "add", "div": "mul", "maximum": "minimum", "minimum": "maximum", "exp": "expm1",
    "expm1": "exp", "log": "log1p", "log1p": "log", "sinh": "cosh", "cosh": "sinh", "tanh": "sigmoid", "sigmoid": "tanh",
    "softplus": "relu", "silu": "sigmoid", "floor": "ceil", "ceil": "floor", "trunc": "round", "round": "trunc", "and": "or",
    "or": "and", "xor": "or", "max": "min", "min": "max", "sum": "max", "logsumexp": "max", "argmax": "argmin",
    "argmin": "argmax", "softmax": "log_softmax", "log_softmax": "softmax", "sqrt": "rsqrt", "rsqrt": "sqrt", "abs": "neg",
    "square": "abs", "erf": "erfc", "erfc": "erf", "relu": "abs", "reciprocal": "neg", "is_nan": "is_inf", "exp2": "exp",
    "not": "neg", "cos": "sin",
}  # fmt: skip
PREDICATES = {"eq": "ne", "ne": "eq", "lt": "le", "le": "lt", "gt": "ge", "ge": "gt"}
#: Functions of which the sign of the operand does not matter.
EVEN = ("square", "abs", "cos", "cosh")
STRICTER = {"fast": "accurate", "accurate": "exact"}


@dataclass(frozen=True)
class Mutant:
    """A mistake in words, and what makes the rules that it is in."""

    name: str
    rules: Callable[[], Sequence[Rule]]


# --- from text -------------------------------------------------------------------------------------------------------


def of_text(rule: Rule) -> Iterator[Mutant]:
    """All that one mistake makes of a rule from text."""
    declaration: Declaration = rule.declaration
    assert declaration.after is not None
    for what, after in _wrong_expressions(declaration.after, names_of(declaration.before)):
        if _ordered(after) != _ordered(declaration.after):
            yield _mutant(rule, what, rule.kind, after=after)
    for place in range(len(declaration.conditions)):
        kept = declaration.conditions[:place] + declaration.conditions[place + 1 :]
        yield _mutant(rule, f"without condition {place + 1}", rule.kind, conditions=kept)
    if rule.kind in STRICTER:
        yield _mutant(rule, f"{STRICTER[rule.kind]}, not {rule.kind}", STRICTER[rule.kind])


def _mutant(rule: Rule, what: str, kind: str, **changed: Any) -> Mutant:
    made = dataclasses.replace(rule.declaration, **changed)
    wrong = dataclasses.replace(rule, apply=made.apply, declaration=made, kind=kind)
    return Mutant(f"{rule.name}: {what}", lambda: [wrong])


def _wrong_expressions(expression: Expression, names: list[str]) -> Iterator[tuple[str, Expression]]:
    """The expression with one mistake, and the mistake."""
    match expression:
        case Name(name):
            yield from ((f"{other} for {name}", Name(other)) for other in names if other != name)
        case Number(bool() as value):
            yield f"{not value} for {value}", Number(not value)
        case Number(int() | float() as value):
            yield f"{value + 1} for {value}", Number(value + 1)
            yield f"{-value} for {value}", Number(-value)
        case Call("cmp", arguments, (("predicate", Number(predicate)),)):
            other = PREDICATES[str(predicate)]
            yield f"{other} for {predicate}", Call("cmp", arguments, (("predicate", Number(other)),))
            yield from _wrong_parts(expression, names)
        case Call("number", _):
            return
        case Call(function, arguments, named):
            if function in NEIGHBOURS:
                yield f"{NEIGHBOURS[function]} for {function}", Call(NEIGHBOURS[function], arguments, named)
            if len(arguments) > 1:
                yield f"operands of {function} swapped", Call(function, (arguments[1], arguments[0], *arguments[2:]), named)
            if function in FUNCTIONS:
                return
            yield f"no {function}", arguments[0]
            if function != "not":
                yield f"-{function}", Call("neg", (expression,))
            yield from _wrong_parts(expression, names)


def _wrong_parts(call: Call, names: list[str]) -> Iterator[tuple[str, Expression]]:
    for place, argument in enumerate(call.arguments):
        for what, wrong in _wrong_expressions(argument, names):
            arguments = (*call.arguments[:place], wrong, *call.arguments[place + 1 :])
            yield f"{what} in {call.function}", Call(call.function, arguments, call.named)


def _ordered(expression: Expression) -> Any:
    """The expression with the operands of commutative ops in one order, no signs where they go, and -0.0 told from 0.0."""
    match expression:
        case Number(value):
            return type(value).__name__, repr(value)
        case Name(name):
            return "name", name
        case List(items):
            return "list", *map(_ordered, items)
        case Call(function, arguments, named):
            parts = list(map(_ordered, map(_without_sign, arguments) if function in EVEN else arguments))
            if function not in ("number", *FUNCTIONS) and issubclass(op_class(expression), Commutative):
                parts.sort(key=repr)
            return function, *parts, *((name, _ordered(value)) for name, value in named)
    raise AssertionError(expression)


def _without_sign(expression: Expression) -> Expression:
    """The factors of an expression without their signs."""
    match expression:
        case Call("neg", (inner,)):
            return _without_sign(inner)
        case Call("mul" | "div" | "reciprocal" as function, arguments):
            return Call(function, tuple(map(_without_sign, arguments)))
    return expression


# --- in Python -------------------------------------------------------------------------------------------------------

BINARY = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult, ast.Mod: ast.Add}
COMPARISONS = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip


def of_python(module: ModuleType) -> Iterator[Mutant]:
    """All that one mistake in the code of a module makes of the rules that need it."""
    source = inspect.getsource(module)
    functions = {node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
    seen: Counter[str] = Counter()
    for name, function in functions.items():
        users = {rule.name for rule in module.RULES if name in _called(rule.name, functions)}
        for number, mistake in enumerate(_mistakes(function)):
            what = f"{name}: {mistake.text()}"
            seen[what] += 1
            times = f" ({seen[what]})" if seen[what] > 1 else ""
            yield Mutant(what + times, partial(_with_mistake, module, source, name, number, users))


def _with_mistake(module: ModuleType, source: str, name: str, number: int, users: Collection[str]) -> list[Rule]:
    """The rules of the module that need a function, after a mistake in it."""
    tree = ast.parse(source)
    function = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name)
    list(_mistakes(function))[number].make()
    loader = _TreeLoader(module.__name__, ast.fix_missing_locations(tree))
    changed = module_from_spec(ModuleSpec(module.__name__, loader))
    loader.exec_module(changed)
    return [rule for rule in changed.RULES if rule.name in users]


class _TreeLoader(InspectLoader):
    """Loads a module from its syntax tree."""

    def __init__(self, name: str, tree: ast.Module) -> None:
        self.name, self.tree = name, tree

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.tree, fullname, "exec")

    def get_source(self, fullname: str) -> None:
        return None


def _called(name: str, functions: dict[str, ast.FunctionDef]) -> set[str]:
    """The functions of the module that a rule needs, and itself."""
    found: set[str] = set()
    pending = [name]
    while pending:
        one = pending.pop()
        if one in functions and one not in found:
            found.add(one)
            pending += [node.id for node in ast.walk(functions[one]) if isinstance(node, ast.Name)]
    return found


@dataclass(frozen=True)
class _Mistake:
    """Another value for a field of a node."""

    node: ast.AST
    field: str
    value: Any

    def make(self) -> None:
        setattr(self.node, self.field, self.value)

    def text(self) -> str:
        right = getattr(self.node, self.field)
        before = ast.unparse(self.node).splitlines()[0]
        self.make()
        after = ast.unparse(ast.fix_missing_locations(self.node)).splitlines()[0]
        setattr(self.node, self.field, right)
        return f"`{after}` for `{before}`"


def _mistakes(function: ast.FunctionDef) -> Iterator[_Mistake]:
    """The mistakes that can be made in the function."""
    for statement in function.body:
        guards = {part for node in ast.walk(statement) if _gives_up(node) for part in ast.walk(node.test)}
        for node in ast.walk(statement):
            if _gives_up(node):
                yield _Mistake(node, "test", ast.Constant(False))
            elif isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or) and node in guards:
                for place in range(len(node.values)):
                    yield _Mistake(node, "values", [*node.values[:place], ast.Constant(False), *node.values[place + 1 :]])
            elif node in guards:
                continue  # another guard mostly lets less pass, which is not wrong
            elif isinstance(node, ast.BinOp) and type(node.op) in BINARY:
                yield _Mistake(node, "op", BINARY[type(node.op)]())
            elif isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS:
                yield _Mistake(node, "ops", [COMPARISONS[type(node.ops[0])](), *node.ops[1:]])
            elif isinstance(node, ast.Constant) and type(node.value) is int:
                yield _Mistake(node, "value", node.value + 1)


def _gives_up(node: ast.AST) -> bool:
    match node:
        case ast.If(body=[ast.Return(value=ast.Constant(value=None))]):
            return True
        case ast.IfExp(body=ast.Constant(value=None)):
            return True
    return False
