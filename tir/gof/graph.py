"""Theano's questions to a graph: what a variable is computed from, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tir.graph.graph import located, makers_of
from tir.graph.replacing import ancestors
from tir.graph.user_ops import Apply
from tir.graph.variable import Apply as Node
from tir.graph.variable import Constant, Variable

__all__ = ["Apply", "Constant", "Variable", "ancestors", "inputs", "io_toposort", "list_of_nodes", "orphans", "variables"]


@located
def inputs(variable_list: Sequence[Any], blockers: Sequence[Any] | None = None) -> list[Any]:
    """What these are computed from that nothing computes: inputs, shared variables, constants; blockers count as such."""
    known = list(blockers or ())
    return [x for x in ancestors(variable_list, known) if x.owner is None or x in known]  # type: ignore[attr-defined]


@located
def variables(i: Sequence[Any], o: Sequence[Any]) -> list[Any]:
    """All variables between the inputs and the outputs, and these."""
    return list(dict.fromkeys([*i, *ancestors(o, i)]))


@located
def orphans(i: Sequence[Any], o: Sequence[Any]) -> list[Any]:
    """What the outputs need besides the inputs: shared variables, constants, and inputs that are missing."""
    return [x for x in inputs(o, i) if x not in i]


@located
def io_toposort(i: Sequence[Any], o: Sequence[Any]) -> list[Node]:
    """What computes the outputs from the inputs, each behind what it needs."""
    known = {x.ir for x in i}
    return [Node(op) for op in makers_of([x.ir for x in o], known.__contains__)]


def list_of_nodes(i: Sequence[Any], o: Sequence[Any]) -> list[Node]:
    """The same."""
    return io_toposort(i, o)
