"""The rules by family, in the order in which they are tried; those from text are read once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from tir.ir.rewrite import Rule
from tir.lazy import LazyTable
from tir.rewrites.declared import read_rules

__all__ = ["FAMILIES", "LATE", "MODULES", "rules_of"]

#: The families, and the sentence that docs say of each: a file of rules, one of `MODULES`, or both.
FAMILIES = {
    "shapes": "sizes, permutations and copies that say nothing",
    "canonical": "the shorter of two ways to say the same to the bit",
    "unit_axes": "axes of size 1 added last",
    "stability": "what overflows, cancels or rounds away, said in functions that do not",
    "labels": "logarithms of probabilities at the places of labels, and their gradients",
    "gradients": "what autodiff leaves of what overflows, cancels or rounds away, said without",
    "quotients": "probabilities that are divided by and multiplied by again; behind the others",
    "products": "sums of products as products of matrices, with the transposes in them",
    "special": "what is quicker said otherwise; behind autodiff",
    "sizes": "sizes read off operands, and copies that change nothing",
    "pushing": "what cuts off elements, in front of what computes them",
    "moving": "what moves elements, in front of what computes them, and reductions of it; behind autodiff",
}
#: Those that run behind autodiff alone: what a gradient is where numbers tie, they may change.
LATE = ("special", "products", "moving")


#: Rules in Python, about whole families of ops; tried behind those from text.
MODULES = LazyTable({
    "shapes": "tir.rewrites.shapes:RULES",
    "unit_axes": "tir.rewrites.unit_axes:RULES",
    "labels": "tir.rewrites.labels:RULES",
    "special": "tir.rewrites.special:RULES",
    "products": "tir.rewrites.products:RULES",
    "sizes": "tir.rewrites.sizes:RULES",
    "pushing": "tir.rewrites.pushing:RULES",
    "moving": "tir.rewrites.moving:RULES",
})  # fmt: skip


@cache
def rules_of(*families: str) -> tuple[Rule, ...]:
    """The rules of these families."""
    return tuple(rule for family in families for rule in _rules_of_one(family))


@cache
def _rules_of_one(family: str) -> tuple[Rule, ...]:
    path = Path(__file__).parent / f"{family}.rules"
    text = read_rules(path.read_text("utf-8"), f"tir/rewrites/{path.name}") if path.exists() else []
    return (*text, *MODULES.get(family, ()))
