"""The table at the top of docs/ops.md: the facets of each tensor op from its class, its levels from a test run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tir.dialects.tir import DIALECT
from tir.dialects.tir.base import Composite, Elementwise, NotDifferentiable, Reduction, Sequential, Shaped, Sized, Structured
from tir.ir.ir import Op

__all__ = ["STATUS", "gradient_text", "lowering_text", "table"]

STATUS = Path(__file__).resolve().parent.parent / "docs" / "ops-status.json"
FLOATS = ("bf16", "f16", "f32", "f64")
SIGNED, UNSIGNED = ("i8", "i16", "i32", "i64"), ("ui8", "ui16", "ui32", "ui64")
GROUPS = (("all floats", FLOATS), ("all integers", (*SIGNED, *UNSIGNED)), ("i8..i64", SIGNED), ("ui8..ui64", UNSIGNED))
NO_ROWS = {True: "not run: `make ops-status`", False: "none: state and effects"}  # for ops with a reference, and without


def table() -> list[str]:
    """The lines of the section."""
    status = json.loads(STATUS.read_text(encoding="utf-8"))
    levels = status["levels"]
    head = ["op", "sizes of the result", "gradient", "smooth points", "below", "rows", "element types", *levels]
    lines = [
        "## The tensor ops at a glance",
        "",
        f"The levels are out of a test run: `{status['made by']}` ran {status['rows']} rows of samples at each level on "
        f"{status['on']}.",
        "*ok*: each row gave what an independent source (numpy, scipy, mpmath, exact arithmetic) says; else the element",
        "types that did not. All else is read off the classes. *Smooth points*: where the gradient, and its gradient, are",
        "compared with differences.",
        "",
        f"| {' | '.join(head)} |",
        f"|{'---|' * len(head)}",
    ]
    return [*lines, *(f"| {' | '.join(cells(op, status['ops'].get(op.name), levels))} |" for op in DIALECT.ops), ""]


def cells(op: type[Op], found: Mapping[str, Any] | None, levels: Sequence[str]) -> list[str]:
    link = f"[{op.name.removeprefix('tir.')}](#{op.name.replace('.', '')})"
    facets = [link, sizes_text(op), "none" if gradient_text(op).startswith("none") else "yes"]
    if found is None:
        return [*facets, "", lowering_text(op), NO_ROWS[hasattr(op, "reference")], "", *[""] * len(levels)]
    rows = str(found["count"])
    green = [", ".join(found["red"].get(level, ())) or "ok" for level in levels]
    return [*facets, str(found["smooth"] or ""), lowering_text(op), rows, elements_text(found["rows"]), *green]


def elements_text(names: Mapping[str, int]) -> str:
    """The element types, with a name for a whole group."""
    left, said = set(names), []
    for group, members in GROUPS:
        if left.issuperset(members):
            said.append(group)
            left -= set(members)
    return ", ".join([*said, *sorted(left)])


def sizes_text(op: type[Op]) -> str:
    if not op.definition.results:
        return ""
    if issubclass(op, Sized):
        return "written"
    if issubclass(op, Elementwise):
        return "of each operand"
    return "a rule for all levels" if issubclass(op, Shaped) else "inferred"


def gradient_text(op: type[Op]) -> str:
    grad = getattr(op, "grad", None)
    if isinstance(grad, NotDifferentiable):
        return f"none: {grad.why}"
    return "yes" if grad is not None else "none"


def lowering_text(op: type[Op]) -> str:
    if issubclass(op, Composite):
        return "decomposed into other ops"
    if issubclass(op, Reduction):
        return "a loop nest with reductions"
    if issubclass(op, Sequential):
        return "a program of loops"
    return "a loop nest" if issubclass(op, Structured) else "views and copies"
