"""The rows that `make test` compiles: enough of them to show each thing once. The slow tests run all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tests.ops.samples import Sample

__all__ = ["chosen", "element_of", "facts_of"]

TENSOR = re.compile(r"tensor<((?:(?:\[[^\]]*\]|\?|\d+)x)*)(\w+)>")
NUMBER = re.compile(r"-?\d+(\.\d+)?(e[-+]?\d+)?")
NUMBERS = re.compile(r"#(, #)*")
LARGE = re.compile(r"\b([2-9]|\d\d+)(?=x)")


def element_of(type: str) -> str:
    """The element type: f32 of tensor<2xf32>, index of index."""
    return TENSOR.sub(r"\2", type)


def facts_of(row: Sample) -> set[tuple[str, ...]]:
    """What a row shows of its op: element types; the words around its operands; a kind of shape, by its 0, 1, ? and names."""
    words = NUMBERS.sub("#", NUMBER.sub("#", TENSOR.sub("", row.text)))
    shape = LARGE.sub("n", TENSOR.sub(r"\1", row.types[0])) if row.types else ""
    return {("elements", *map(element_of, (*row.types, row.result))), ("words", words), ("shape", shape)}


def chosen(rows: Iterable[Sample]) -> Iterator[Sample]:
    """The rows that show something of their op that none before them does."""
    seen: dict[str, set[tuple[str, ...]]] = {}
    for row in rows:
        shown = seen.setdefault(row.op, set())
        if not (facts := facts_of(row)) <= shown:
            shown |= facts
            yield row
