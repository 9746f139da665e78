"""The rules by family, in the order in which they are tried; those from text are read once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from tir.ir.rewrite import Rule
from tir.lazy import LazyTable
from tir.rewrites.declared import read_rules

__all__ = ["FAMILIES", "rules_of"]

#: The families, and the sentence that docs say of each: a file of rules, or one of `MODULES`.
FAMILIES = {
    "shapes": "sizes, permutations and copies that say nothing",
    "canonical": "the shorter of two ways to say the same to the bit",
    "unit_axes": "axes of size 1 added last",
    "stability": "what overflows, cancels or rounds away, said in functions that do not",
    "labels": "logarithms of probabilities at the places of labels, and their gradients",
    "gradients": "what autodiff leaves of what overflows, cancels or rounds away, said without",
    "quotients": "probabilities that are divided by and multiplied by again; behind the others",
    "powers": "powers with whole exponents by squaring",
    "products": "sums of products as products of matrices, with the transposes in them",
    "special": "what is quicker said otherwise; behind autodiff",
}


#: Families in Python: rules about whole families of ops.
MODULES = LazyTable({
    "shapes": "tir.rewrites.shapes:RULES",
    "unit_axes": "tir.rewrites.unit_axes:RULES",
    "labels": "tir.rewrites.labels:RULES",
    "powers": "tir.rewrites.powers:RULES",
    "products": "tir.rewrites.products:RULES",
})


def rules_of(*families: str) -> tuple[Rule, ...]:
    """The rules of these families."""
    return tuple(rule for family in families for rule in _rules_of_one(family))


@cache
def _rules_of_one(family: str) -> tuple[Rule, ...]:
    if family in MODULES:
        return tuple(MODULES[family])
    name = f"{family}.rules"
    return tuple(read_rules((Path(__file__).parent / name).read_text("utf-8"), f"tir/rewrites/{name}"))
