"""Graphs with other variables in the place of some: `clone_replace`, the `givens` of `function`, and what is above what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tir.dialects.tir.build.core import Tensor, told
from tir.graph.copying import Copier
from tir.graph.errors import GraphTypeError
from tir.graph.graph import GRAPH, located, makers_of
from tir.graph.variable import Apply, Variable, public
from tir.ir.ir import Value

__all__ = ["ancestors", "clone", "clone_replace", "graph_replace", "pairs_of", "replaced", "toposort"]


def pairs_of(what: str, given: Any) -> list[tuple[Any, Any]]:
    """Pairs out of a dictionary, or a list, tuple or iterator of pairs, in order."""
    if given is None:
        return []
    items = list(given.items()) if isinstance(given, Mapping) else list(given) if isinstance(given, Iterable) else None
    if items is None:
        raise GraphTypeError(f"{what} must be a dictionary or a list of pairs, got {told(given)}")
    for item in items:
        if not isinstance(item, (list, tuple)) or len(item) != 2:
            raise GraphTypeError(f"{what} must have pairs (variable, expression), got {told(item)}")
    return [(first, second) for first, second in items]


def mapping_of(what: str, given: Any) -> dict[Value, Value]:
    """The values that replace others. GraphTypeError where the types do not fit."""
    found: dict[Value, Value] = {}
    for old, new in pairs_of(what, given):
        if not isinstance(old, Variable):
            raise GraphTypeError(f"{what}: what is replaced must be a variable, got {told(old)}")
        value = GRAPH.tensor(new)
        if value.type.element is not old.type.element and not isinstance(new, Variable):
            value = GRAPH.cast(value, old.type.element)
        if value.type.element is not old.type.element or value.type.rank != old.type.rank:
            cure = f"T.cast(.., '{old.dtype}')" if value.type.rank == old.type.rank else None
            message = f"{what}: what replaces {old} must have its type {old.type}, got {value.type}"
            raise GraphTypeError(message, hint=cure and f"{cure} makes it fit")
        found[old.ir] = value.value
    return found


def replaced(values: Sequence[Any], mapping: Mapping[Value, Value]) -> list[Tensor]:
    """The variables with values replaced; all at once, so that what replaces one is not changed itself."""
    plain = [GRAPH.tensor(x) for x in values]
    if not mapping:
        return plain
    return [GRAPH.tensor(value) for value in Copier(GRAPH, dict(mapping)).copy([x.value for x in plain])]


@located
def clone_replace(output: Any, replace: Any = None, strict: bool = True, **options: Any) -> Any:
    """A copy of variables (one, or a list) with others in the place of some: replace is a dictionary, or pairs."""
    mapping = mapping_of("clone_replace", replace)
    found = replaced(output if isinstance(output, (list, tuple)) else [output], mapping)
    return found if isinstance(output, (list, tuple)) else found[0]


clone = graph_replace = clone_replace


@located
def ancestors(variables: Sequence[Any], blockers: Sequence[Any] = ()) -> list[Tensor]:
    """All variables that these are computed from, and these themselves; not what is above the blockers."""
    known = {x.ir for x in blockers}
    values = [x.ir for x in variables]
    ops = makers_of(values, known.__contains__)
    found = [*values, *(value for op in reversed(ops) for value in op.operands)]
    return [public(value) for value in dict.fromkeys(found)]


@located
def graph_inputs(variables: Sequence[Any]) -> list[Tensor]:
    """The inputs, shared variables and constants that these are computed from."""
    return [x for x in ancestors(variables) if x.owner is None]  # type: ignore[attr-defined]


@located
def toposort(variables: Sequence[Any]) -> list[Apply]:
    """What computes these, each behind what it needs."""
    return [Apply(op) for op in makers_of([x.ir for x in variables])]
