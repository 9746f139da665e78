"""Lists, tuples, named tuples and dictionaries of values, as functions take and give them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Any

__all__ = ["flat", "form", "labelled", "mapped"]


def flat(tree: Any) -> list[Any]:
    """What is in lists, tuples and dictionaries, in order."""
    if isinstance(tree, (list, tuple)):
        return [x for part in tree for x in flat(part)]
    return [x for part in tree.values() for x in flat(part)] if isinstance(tree, dict) else [tree]


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """The same with what the function gives for each that is in it."""
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(mapped(function, part) for part in tree))
    if isinstance(tree, (list, tuple)):
        return type(tree)(mapped(function, part) for part in tree)
    if isinstance(tree, dict):
        return {name: mapped(function, part) for name, part in tree.items()}
    return function(tree)


def labelled(label: str, tree: Any) -> Iterator[tuple[str, Any]]:
    """What is in it, each with what one writes to get it: `params['w']`, `xs[0]`, `state.step`."""
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        for name, part in zip(tree._fields, tree):
            yield from labelled(f"{label}.{name}", part)
    elif isinstance(tree, (list, tuple)):
        for number, part in enumerate(tree):
            yield from labelled(f"{label}[{number}]", part)
    elif isinstance(tree, dict):
        for name, part in tree.items():
            yield from labelled(f"{label}[{name!r}]", part)
    else:
        yield label, tree


def form(tree: Any) -> Hashable:
    """What two trees have in common that differ only in the values: a key."""
    if isinstance(tree, (list, tuple)):
        return type(tree), tuple(map(form, tree))
    if isinstance(tree, dict):
        return dict, tuple((name, form(part)) for name, part in tree.items())
    return None
