"""Graphs, shared variables and functions as text and arrays, for `pickle` and `copy`: there is no code in them.

What two pickled things have in common (an input, a shared variable) they have in common when they are loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tir.api import type_from_text
from tir.dialects.all import REGISTRY
from tir.dialects.builtin import Module
from tir.dialects.func import Func, Return
from tir.dialects.tir.builder import TensorBuilder
from tir.graph.building import Built
from tir.graph.copying import Copier
from tir.graph.errors import GraphValueError
from tir.graph.graph import GRAPH, makers_of, placeholders_of
from tir.graph.program import In
from tir.graph.shared import SharedVariable
from tir.graph.variable import Variable, placeholder, public
from tir.ir.define import create
from tir.ir.ir import Block, Op, Region, Value
from tir.ir.printer import print_op
from tir.ir.types import TensorType
from tir.parser.parse import parse_text

__all__ = ["SavedProgram", "load_expression", "load_placeholder", "saved_expression", "saved_placeholder"]

# --- expressions -----------------------------------------------------------------------------------------------------


def saved_placeholder(variable: Variable) -> tuple[Any, tuple[Any, ...]]:
    """What an input is made of again."""
    return load_placeholder, (str(variable.type), variable.name)


def load_placeholder(type: str, name: str | None) -> Variable:
    """The input of this type and name."""
    found = type_from_text(type)
    assert isinstance(found, TensorType)
    return placeholder(found, name)


def saved_expression(variable: Variable) -> tuple[Any, tuple[Any, ...]]:
    """What a computed variable is made of again: the text of a function, and what it is a function of."""
    value = variable.ir
    leaves = [public(one) for one in placeholders_of([value], makers_of([value]))]
    function = Func.make("graph", [x.type for x in leaves], [value.type])
    b = TensorBuilder(function.entry)
    mapping: dict[Value, Value] = dict(zip([x.ir for x in leaves], function.arguments))  # type: ignore[attr-defined]
    (found,) = Copier(b, mapping, names=False).copy([value])
    b.op(Return, [found])
    module: Op = create(Module, regions=[Region([Block()])])
    module.body.append(function)
    return load_expression, (print_op(module, locations=True), tuple(leaves), variable.name)


def load_expression(text: str, leaves: Sequence[Variable], name: str | None) -> Variable:
    """The variable that a text computes from the leaves."""
    module = parse_text(text, REGISTRY, file="pickle", verify=False)
    function = next(op for op in module.body if isinstance(op, Func))
    mapping: dict[Any, Any] = dict(zip(function.arguments, [x.ir for x in leaves]))
    result: Value | None = None
    for op in function.entry:
        if isinstance(op, Return):
            result = mapping.get(op.operands[0], op.operands[0])
        else:
            GRAPH.insert(op.clone(mapping))
    assert result is not None
    found = GRAPH.tensor(result)
    assert isinstance(found, Variable)
    found.name = name
    return found


def _saved(variable: Variable) -> tuple[Any, tuple[Any, ...]]:
    return saved_placeholder(variable) if variable.ir.op is None else saved_expression(variable)


Variable.saver = staticmethod(_saved)

# --- functions -------------------------------------------------------------------------------------------------------


@dataclass
class SavedProgram:
    """The program of a function that was loaded: a module as text, compiled for the sizes that it was saved with."""

    name: str
    inputs: list[In]
    shared: list[SharedVariable]
    text: str
    entry: str
    symbols: dict[str, SharedVariable]
    open: list[SharedVariable]
    changed: list[SharedVariable]
    shapes: list[tuple[int, ...]]

    def build(self, shapes: Sequence[tuple[int, ...]]) -> Built:
        """The module; GraphValueError if shared variables have other sizes now."""
        for variable, was, now in zip(self.shared, self.shapes, shapes):
            if was != now and variable not in self.open:
                message = f"{self.name}: it was saved for {variable} of shape {was}, got {now}"
                raise GraphValueError(message, hint="make the function anew from its graph")
        return Built(parse_text(self.text, REGISTRY, file=self.name), self.entry, self.symbols, self.open, self.changed)
