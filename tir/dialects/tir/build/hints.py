"""What a builder says of names that it does not have: those of numpy, JAX, PyTorch and Theano with its own."""

from __future__ import annotations

import re
from collections.abc import Collection

from tir.ir.errors import TirError, nearest
from tir.ir.slips import synonyms

__all__ = ["NoSuchNameError", "UnknownYetError", "attribute_hint", "in_python", "method_hint", "method_meant"]


class UnknownYetError(TirError, TypeError):
    """What Python asks of a tensor is known only when the program runs. A TypeError, as Python's protocols want it."""


class NoSuchNameError(TirError, AttributeError):
    """A builder or a tensor has no such method. An AttributeError, as `hasattr` wants it."""


_OP = re.compile(r"\btir\.(?=[a-z])")


def in_python(hint: str | None) -> str | None:
    """A hint about ops of the text as one about methods of a builder."""
    return _OP.sub("b.", hint) if hint is not None else None


def method_meant(name: str, methods: Collection[str]) -> tuple[str, list[str]] | None:
    """The method of a builder that a name means, and words that it takes."""
    for one in methods:
        if synonyms.plain(one) == synonyms.plain(name):
            return one, []
    method, *words = (synonyms.meant(name, synonyms.METHODS, synonyms.OPS) or "").split() or [""]
    return (method, words) if method in methods else None


def method_hint(name: str, methods: Collection[str]) -> str | None:
    """What a builder has for a name that is none of its methods."""
    if name in synonyms.FUNCTIONS:
        return f"did you mean 'tir.{name}'?"
    found = method_meant(name, methods)
    if found is None:
        return in_python(synonyms.meant(name, synonyms.WAYS)) or nearest(name, methods)
    method, words = found
    return f"did you mean {method!r}" + (f" with {' '.join(words)!r}?" if words else "?")


def attribute_hint(name: str, attributes: Collection[str], methods: Collection[str]) -> str | None:
    """What is written for a name that is no attribute of a tensor."""
    if name in synonyms.ATTRIBUTES:
        return synonyms.ATTRIBUTES[name]
    found = method_meant(name, methods)
    if found is None:
        way = in_python(synonyms.meant(name, synonyms.WAYS))
        return nearest(name, attributes) or way or f"it has {', '.join(attributes)}"
    method, words = found
    return f"write b.{method}({', '.join([*map(repr, words), 'x', '..'])})"
