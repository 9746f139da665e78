"""The language of rules: Python's expressions, of which names are values and calls are ops.

    parse_expression("log(1 + x)")    ->  Call("log", (Call("add", (Number(1), Name("x"))),))

`log(x)` is the op `tir.log`. Operators are the ops of the tensor level:
`+ - * / // % ** & | ^ << >> ~` and comparisons; in conditions `and`, `or` and `not` mean `&`, `|` and `~`. Behind the
operands stand attributes, by their order or by name: `sum(x, axes)`, `cumsum(x, axis=a)`. Nothing is evaluated here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Union

from tir.ir.errors import TirError

__all__ = ["Call", "Expression", "ExpressionError", "List", "Name", "Number", "names_of", "parse_expression", "walk"]

MAX_LENGTH = 2000  # of the text of one expression
MAX_BITS = 64
MAX_DEPTH = 100  # of brackets; Python's parser takes 200

_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.FloorDiv: "floordiv", ast.Mod: "mod",
    ast.Pow: "pow", ast.BitAnd: "and", ast.BitOr: "or", ast.BitXor: "xor", ast.LShift: "shl", ast.RShift: "shr",
    ast.MatMult: "dot",
}  # fmt: skip
_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "eq", ast.NotEq: "ne", ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge",
}  # fmt: skip


class ExpressionError(TirError):
    """A text that is no expression. offset: where, from 0."""

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.offset = offset


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
    """The expression that the text is. Raises ExpressionError that says where it is none."""
    blanks = len(text) - len(text.lstrip())
    text = text.strip()
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"an expression has at most {MAX_LENGTH} characters, got {len(text)}", blanks)
    try:
        return _read(ast.parse(text, mode="eval").body)
    except ExpressionError as error:
        error.offset += blanks
        raise
    except (RecursionError, MemoryError):
        raise ExpressionError("the expression is nested too deep", blanks) from None
    except (SyntaxError, ValueError) as error:
        raise _broken(text, blanks, getattr(error, "offset", 0) or 0) from None


def _broken(text: str, blanks: int, offset: int) -> ExpressionError:
    """What is wrong with the form of the text: its brackets, or what Python's parser has found at `offset`."""
    opened: list[int] = []
    for place, sign in enumerate(text):
        if sign in "([":
            opened.append(place)
            if len(opened) > MAX_DEPTH:
                return ExpressionError("the expression is nested too deep", blanks)
        elif sign in ")]" and (not opened or text[opened.pop()] + sign not in ("()", "[]")):
            return ExpressionError(f"no expression: nothing is closed by this {sign}", blanks + place)
    if opened:
        return ExpressionError(f"no expression: this {text[opened[-1]]} is not closed", blanks + opened[-1])
    if 1 <= offset <= len(text):
        shown = text[offset - 1 : offset + 19].partition(" ")[0]
        return ExpressionError(f"no expression: `{shown}` does not fit there", blanks + offset - 1)
    return ExpressionError("no expression: it breaks off", blanks + len(text))


def _read(node: ast.AST) -> Expression:
    match node:
        case ast.Name(id=name):
            return Name(name)
        case ast.Constant(value=int() as value) if value.bit_length() > MAX_BITS:
            raise ExpressionError(f"a whole number has at most {MAX_BITS} bits", node.col_offset)
        case ast.Constant(value=(bool() | int() | float() | str()) as value):
            return Number(value)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float())):
            return Number(-node.operand.value)  # type: ignore[attr-defined]
        case ast.UnaryOp(op=ast.USub()):
            return Call("neg", (_read(node.operand),))
        case ast.UnaryOp(op=(ast.Invert() | ast.Not())):
            return Call("not", (_read(node.operand),))
        case ast.BinOp() if type(node.op) in _BINARY:
            return Call(_BINARY[type(node.op)], (_read(node.left), _read(node.right)))
        case ast.BoolOp(op=word, values=parts):
            name = "and" if isinstance(word, ast.And) else "or"
            return reduce(lambda left, right: Call(name, (left, right)), map(_read, parts))
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARISONS:
            return Call("cmp", (_read(left), _read(right)), (("predicate", Number(_COMPARISONS[type(op)])),))
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return List(tuple(map(_read, items)))
        case ast.Call(func=function) if all(one.arg is not None for one in node.keywords):
            named = tuple((str(one.arg), _read(one.value)) for one in node.keywords)
            return Call(_dotted(function).removeprefix("tir."), tuple(map(_read, node.args)), named)
    message = f"a rule has names, numbers, lists, operators and calls of ops, got `{ast.unparse(node)[:40]}`"
    raise ExpressionError(message, getattr(node, "col_offset", 0))


def _dotted(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id=dialect), attr=name):
            return f"{dialect}.{name}"
    message = f"the name of an op is `log` or `tir.log`, got `{ast.unparse(node)[:40]}`"
    raise ExpressionError(message, getattr(node, "col_offset", 0))


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
