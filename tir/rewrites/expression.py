"""The language of rules: Python's expressions, of which names are values and calls are ops.

    parse_expression("log(1 + x)")    ->  Call("log", (Call("add", (Number(1), Name("x"))),))

`log(x)` is the op `tir.log`; `arith.addi(x, y)` one of another dialect. Operators are the ops of the tensor level:
`+ - * / // % ** & | ^ << >> ~` and comparisons. Behind the operands stand attributes, by their order or by name:
`sum(x, axes)`, `cumsum(x, axis=a)`. Nothing is evaluated here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Union

from tir.ir.errors import TirError

__all__ = ["Call", "Expression", "List", "Name", "Number", "names_of", "parse_expression", "walk"]

MAX_LENGTH = 2000  # of the text of one expression

_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.FloorDiv: "floordiv", ast.Mod: "mod",
    ast.Pow: "pow", ast.BitAnd: "and", ast.BitOr: "or", ast.BitXor: "xor", ast.LShift: "shl", ast.RShift: "shr",
    ast.MatMult: "dot",
}  # fmt: skip
_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "eq", ast.NotEq: "ne", ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge",
}  # fmt: skip


@dataclass(frozen=True)
class Name:
    """A value, or an attribute."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Number:
    """A number: a tensor of it, or an attribute. True and False are numbers of i1."""

    value: int | float | bool | str

    def __str__(self) -> str:
        return repr(self.value)


@dataclass(frozen=True)
class List:
    """A list of attributes' numbers."""

    items: tuple[Expression, ...]


@dataclass(frozen=True)
class Call:
    """An op: its name (without `tir.`), operands and attributes by order, and attributes by name."""

    function: str
    arguments: tuple[Expression, ...]
    named: tuple[tuple[str, Expression], ...] = ()


Expression = Union[Name, Number, List, Call]  # noqa: UP007


def parse_expression(text: str) -> Expression:
    """The expression that the text is. Raises TirError that says where it is none."""
    text = text.strip()
    if len(text) > MAX_LENGTH:
        raise TirError(f"an expression has at most {MAX_LENGTH} characters, got {len(text)}")
    try:
        return _read(ast.parse(text, mode="eval").body)
    except SyntaxError as error:
        raise TirError(f"no expression: {error.msg}, at character {error.offset or 0} of `{text}`") from None
    except (RecursionError, MemoryError):
        raise TirError("the expression is nested too deep") from None


def _read(node: ast.AST) -> Expression:
    match node:
        case ast.Name(id=name):
            return Name(name)
        case ast.Constant(value=(bool() | int() | float() | str()) as value):
            return Number(value)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float())):
            return Number(-node.operand.value)  # type: ignore[attr-defined]
        case ast.UnaryOp(op=ast.USub()):
            return Call("neg", (_read(node.operand),))
        case ast.UnaryOp(op=ast.Invert()):
            return Call("not", (_read(node.operand),))
        case ast.BinOp() if type(node.op) in _BINARY:
            return Call(_BINARY[type(node.op)], (_read(node.left), _read(node.right)))
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARISONS:
            return Call("cmp", (_read(left), _read(right)), (("predicate", Number(_COMPARISONS[type(op)])),))
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return List(tuple(map(_read, items)))
        case ast.Call(func=function) if all(one.arg is not None for one in node.keywords):
            named = tuple((str(one.arg), _read(one.value)) for one in node.keywords)
            return Call(_dotted(function).removeprefix("tir."), tuple(map(_read, node.args)), named)
    raise TirError(f"a rule has names, numbers, lists, operators and calls of ops, got `{ast.unparse(node)}`")


def _dotted(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id=dialect), attr=name):
            return f"{dialect}.{name}"
    raise TirError(f"the name of an op is `log` or `arith.addi`, got `{ast.unparse(node)}`")


def walk(expression: Expression) -> Iterator[Expression]:
    """The expression and all inside it, from the outside in."""
    pending: list[Expression] = [expression]
    while pending:
        one = pending.pop()
        yield one
        match one:
            case Call(arguments=arguments, named=named):
                pending += [*reversed(arguments), *(value for _, value in named)]
            case List(items=items):
                pending += reversed(items)


def names_of(expression: Expression) -> list[str]:
    """The names in it, each once, in their order."""
    return list(dict.fromkeys(one.name for one in walk(expression) if isinstance(one, Name)))
