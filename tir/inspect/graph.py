"""Values and the ops that make them as a graph, whether the ops stand in a block or in none.

A front end may build ops long before there is a function for them; what is here asks nothing of the block around an op.
Nothing recurses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Union

from tir.api import caller_location
from tir.dialects.builtin import Module
from tir.dialects.func import Func, Return
from tir.dialects.tir.build.core import Tensor, told
from tir.dialects.tir.state import Derivative
from tir.ir.define import create
from tir.ir.errors import TirError
from tir.ir.ir import Block, Op, Region, Value
from tir.ir.symbols import symbol_name
from tir.ir.traits import ConstantLike, FunctionLike, Terminator
from tir.viz.labels import constant_text, cut, details_of

__all__ = [
    "Graph", "NameOf", "Node", "details_text", "graphs_of", "is_constant", "module_behind", "module_of", "name_of_value",
    "number_text", "ops_behind", "roots_of_block", "uses_of",
]  # fmt: skip

Node = Union[Value, Op]  # noqa: UP007  a value, or an op without results
NameOf = Callable[[Value], "str | None"]


class Graph:
    """What is computed, by its roots. title: the function that computes it, "" for values alone."""

    def __init__(self, title: str, roots: Sequence[Node]) -> None:
        self.title, self.roots = title, roots


def graphs_of(what: str, shown: Any) -> list[Graph]:
    """The graphs that `shown` is: a value, a tensor, several of them, a function, or the functions of a module.

    A builder and a compiled function stand for their `module`. what: who asks, for the error.
    """
    shown = module_behind(shown)
    if isinstance(shown, (list, tuple)):
        return [Graph("", [_value(what, one) for one in shown])]
    if not isinstance(shown, Op):
        return [Graph("", [_value(what, shown)])]
    functions = [shown] if isinstance(shown, FunctionLike) else _functions_inside(shown)
    if isinstance(shown, (FunctionLike, Module)):
        return [Graph(f"@{symbol_name(function)}", _roots_of_function(function)) for function in functions]
    return [Graph("", list(shown.results) or [shown])]


def module_behind(shown: Any) -> Any:
    """The module of a builder or of a compiled function, the op of a node; anything else as it is."""
    if isinstance(shown, (Tensor, Op, Value, list, tuple)):
        return shown
    found = (getattr(shown, name, None) for name in ("module", "op"))
    return next((one for one in found if isinstance(one, Op)), shown)


def _functions_inside(op: Op) -> list[Op]:
    inside = [one for region in op.regions for block in region.blocks for one in block]
    return [one for one in inside if isinstance(one, FunctionLike) and one.regions[0].blocks]


def _roots_of_function(function: Op) -> list[Node]:
    return [root for block in function.regions[0].blocks for root in roots_of_block(block)]


def _value(what: str, given: Any) -> Value:
    if isinstance(given, Tensor):
        # The `value` of a shared variable of Theano's is its numbers, `ir` what it is here.
        own = getattr(type(given), "ir", None)
        return own.fget(given) if isinstance(own, property) and own.fget is not None else given.value
    if isinstance(given, Value):
        return given
    if isinstance(given, Op) and len(given.results) == 1:
        return given.result
    message = f"{what}: values, a function or a module are needed, got {told(given)}"
    raise TirError(message, caller_location(), hint="a tensor of a builder is a value, b.module its module")


def roots_of_block(block: Block) -> list[Node]:
    """What a block is there for: its ops without results, in order, and then what its terminator hands on."""
    roots: list[Node] = [op for op in block if not op.results and not isinstance(op, Terminator)]
    last = block.last
    if isinstance(last, Terminator):
        roots += [last] if last.successors else last.operands
    return roots


def uses_of(op: Op) -> list[Value]:
    """The operands, and what the regions of the op use from around it, each once."""
    if not op.regions:
        return list(op.operands)
    inside = list(op.walk())
    made: set[Value] = {value for one in inside[1:] for value in one.results}
    made |= {a for one in inside for region in one.regions for block in region.blocks for a in block.arguments}
    outer = [value for one in inside[1:] for value in one.operands if value not in made]
    known = set(op.operands)
    return [*op.operands, *(value for value in dict.fromkeys(outer) if value not in known)]


def ops_behind(roots: Iterable[Node]) -> list[Op]:
    """All ops that the roots need, each behind those that it needs."""
    found: dict[Op, None] = {}
    pending: list[tuple[Op, bool]] = [(op, False) for op in _makers(roots)]
    while pending:
        op, is_ready = pending.pop()
        if is_ready:
            found[op] = None
        elif op not in found:
            pending.append((op, True))
            pending += [(maker, False) for maker in _makers(uses_of(op)) if maker not in found]
    return list(found)


def _makers(nodes: Iterable[Node]) -> list[Op]:
    """The ops that make the values, the last first, as a stack wants them."""
    makers = [node if isinstance(node, Op) else node.op for node in nodes]
    return [op for op in dict.fromkeys(makers) if op is not None][::-1]


def name_of_value(value: Value, name_of: NameOf | None) -> str:
    """The name that the front end has for the value, or its own; "" where it has none, or the number of a text."""
    own = value.hint if value.hint and not value.hint.isdigit() else ""
    return (name_of(value) if name_of is not None else None) or own


def module_of(roots: Sequence[Node], name_of: NameOf | None = None) -> Op:
    """A module with one function that computes the values: copies of the ops; what no op makes are its arguments."""
    ops = ops_behind(roots)
    made = {value for op in ops for value in op.results}
    needed = [value for op in ops for value in uses_of(op)] + [root for root in roots if isinstance(root, Value)]
    free = [value for value in dict.fromkeys(needed) if value not in made]
    values = [root for root in roots if isinstance(root, Value)]
    function = Func.make("main", [v.type for v in free], [v.type for v in values])
    mapping: dict[Any, Any] = dict(zip(free, function.arguments))
    for op in ops:
        if not isinstance(op, Terminator):
            function.entry.append(op.clone(mapping))
    for value in [*free, *(value for op in ops for value in op.results)]:
        mapping[value].hint = name_of_value(value, name_of) or None
    function.entry.append(create(Return, [mapping[value] for value in values]))
    module = create(Module, regions=[Region([Block()])])
    module.body.append(function)
    return module


def is_constant(op: Op | None) -> bool:
    """The op is a constant, or a tensor full of one number; how large it is, is nothing to show."""
    if op is not None and op.name == "tir.broadcast" and not op.operands[0].type.shape:  # type: ignore[attr-defined]
        op = op.operands[0].op
    return op is not None and (isinstance(op, ConstantLike) or op.name == "tir.full")


def number_text(op: Op) -> str:
    """A constant as a number, without its type and without `.0`; a large one by its size."""
    if op.name == "tir.broadcast":
        op = op.operands[0].op  # type: ignore[assignment]
    text = constant_text(op) if "value" in op.properties else ", ".join(details_of(op))
    text = text.partition(" : ")[0]
    splat = _SPLAT.fullmatch(text)
    number = splat[1] if splat else text
    return number.removesuffix(".0")


_SPLAT = re.compile(r"dense<([^\[\]<>]*)>")


def details_text(op: Op) -> str:
    """What the text of an op says besides names and types, such as `over [0]`; nothing of one with regions."""
    if op.regions or isinstance(op, Derivative):
        return ""
    return cut(", ".join(details_of(op)))
