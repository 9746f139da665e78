"""The rules of each pass, in the order in which they are tried: of a text file, of a Python module, or of both."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.resources import files

from tir.ir.rewrite import Rule
from tir.rewrites.declared import read_rules

__all__ = ["FAMILIES", "rules_of"]

#: Each family is `name.rules`, `name.py` with a list RULES, or both; and the sentence that docs say of it.
FAMILIES = {
    "canonical": "the shorter of two ways to say the same to the bit",
    "stability": "what overflows, cancels or rounds away, said in functions that do not",
    "special": "what is quicker said otherwise; behind autodiff",
    "pushing": "what cuts off elements, in front of what computes them",
    "moving": "what moves elements, in front of what computes them, and reductions of it; behind autodiff",
}


@cache
def rules_of(family: str) -> tuple[Rule, ...]:
    """The rules of a family: those from text, which are read once, and then those in Python."""
    folder, found = files(__package__), []
    if (path := folder / f"{family}.rules").is_file():
        found += read_rules(path.read_text("utf-8"), f"tir/rewrites/{family}.rules")
    if (folder / f"{family}.py").is_file():
        found += import_module(f"{__package__}.{family}").RULES
    return tuple(found)
