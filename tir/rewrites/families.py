"""The rules of each pass, in the order in which they are tried; those from text are read once."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from tir.ir.rewrite import Rule
from tir.rewrites.declared import read_rules

__all__ = ["FAMILIES", "rules_of"]

#: Each family is a file of rules, and the sentence that docs say of it.
FAMILIES = {
    "canonical": "the shorter of two ways to say the same to the bit",
    "stability": "what overflows, cancels or rounds away, said in functions that do not",
    "special": "what is quicker said otherwise; behind autodiff",
}


@cache
def rules_of(family: str) -> tuple[Rule, ...]:
    """The rules of a family."""
    path = files(__package__) / f"{family}.rules"
    return tuple(read_rules(path.read_text("utf-8"), f"tir/rewrites/{family}.rules"))
