"""`tir.ifelse`: one of two branches is computed, as a condition says.

    from tir.ifelse import ifelse
    z = ifelse(T.lt(a, b), T.mean(x), T.mean(y))

`T.switch` computes both and chooses element by element.
"""

from __future__ import annotations

from typing import Any

from tir.dialects.tir.build.core import Tensor
from tir.dialects.tir.control import If, Yield
from tir.graph.errors import GraphTypeError, GraphValueError
from tir.graph.graph import GRAPH, Graph, located
from tir.graph.shape import specified
from tir.ir.errors import counted
from tir.ir.ir import Block, Region
from tir.ir.types import DYNAMIC, I1

__all__ = ["ifelse"]


@located
def ifelse(condition: Any, then_branch: Any, else_branch: Any, name: str | None = None) -> Any:
    """`then_branch` if the condition, a scalar, is not 0, else `else_branch`: one variable, or a list of them in each.

    What one branch alone needs is computed only if it is taken. The branches have the same types, up to sizes.
    """
    chosen = GRAPH.tensor(condition)
    if chosen.type.rank != 0:
        message = f"ifelse: the condition must be a scalar, got {chosen.type}"
        raise GraphTypeError(message, hint="T.switch chooses element by element, T.all and T.any make one of many")
    if chosen.type.element is not I1:
        chosen = GRAPH.cmp("ne", chosen, 0)
    branches = [[GRAPH.tensor(x) for x in _listed(branch)] for branch in (then_branch, else_branch)]
    if len(branches[0]) != len(branches[1]):
        counts = f"{counted(len(branches[0]), 'value')} and {len(branches[1])}"
        raise GraphValueError(f"ifelse: both branches must give as many values, got {counts}")
    pairs = [_alike(*pair) for pair in zip(*branches)]
    regions = []
    for side in range(2):
        block = Block([])
        b = Graph(block)
        b.op(Yield, [pair[side].value for pair in pairs], result_types=[])
        regions.append(Region([block]))
    made = GRAPH.op(If, chosen.value, result_types=[first.type for first, _ in pairs], regions=regions)
    found = [GRAPH.tensor(value) for value in made.results]
    if name is not None and len(found) == 1:
        found[0].named(name)
    return found if isinstance(then_branch, (list, tuple)) else found[0]


def _alike(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Both values with one type."""
    (first, second), _ = GRAPH._promote(first, second)  # type: ignore[assignment]
    if first.type.rank != second.type.rank:
        raise GraphTypeError(f"ifelse: the branches must have equal ranks, got {first.type} and {second.type}")
    if first.type is second.type:
        return first, second
    shape = [one if one == other else DYNAMIC for one, other in zip(first.type.shape, second.type.shape)]
    both = first.type.with_shape(shape)
    found = [x if x.type is both else specified(GRAPH, x.value, both) for x in (first, second)]
    return found[0], found[1]


def _listed(given: Any) -> list[Any]:
    return list(given) if isinstance(given, (list, tuple)) else [given]
