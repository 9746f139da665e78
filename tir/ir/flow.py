"""Where control goes: from an op into its regions, between them, out behind the op, and from block to block.

An op says it in its facet `edges`, which passes read; one with regions that has none may run them in any way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tir.ir.attributes import IntegerAttr
from tir.ir.ir import Block, Op, Value
from tir.ir.traits import ConstantLike

__all__ = ["Edge", "edges_of", "is_loop", "known_count", "known_number", "surely_run"]


@dataclass(frozen=True, slots=True)
class Edge:
    """One way that control can take, with what goes along.

    source: the block at whose end it begins; None for the op itself.
    target: the block that runs next; None where the op is done.
    values: what the arguments of the target get, or the results of the op; None for what is not a value in front, such as
    a counter.
    condition: the way is taken only where this is `truth`; None if nothing in the text says when.
    """

    source: Block | None
    target: Block | None
    values: Sequence[Value | None] = ()
    condition: Value | None = None
    truth: bool = True


def edges_of(op: Op) -> Sequence[Edge] | None:
    """All ways through the op; None if it does not say."""
    edges = getattr(op, "edges", None)
    return None if edges is None else list(edges())


def is_loop(edges: Iterable[Edge]) -> bool:
    """Some block can run again behind itself."""
    ways: dict[Block, list[Block]] = {}
    for edge in edges:
        if edge.source is not None and edge.target is not None:
            ways.setdefault(edge.source, []).append(edge.target)
    for start in ways:
        reached, pending = set(ways[start]), list(ways[start])
        while pending:
            new = [block for block in ways.get(pending.pop(), ()) if block not in reached]
            reached.update(new)
            pending += new
        if start in reached:
            return True
    return False


def surely_run(edges: Iterable[Edge]) -> Block | None:
    """The block that runs first whenever the op runs; None if there is none, or a choice."""
    first = [edge for edge in edges if edge.source is None]
    return first[0].target if len(first) == 1 and first[0].condition is None else None


def known_number(value: Value) -> int | None:
    """The integer that a constant is; None for any other value."""
    attribute = value.op.properties.get("value") if isinstance(value.op, ConstantLike) else None
    return attribute.value if isinstance(attribute, IntegerAttr) else None


def known_count(low: Value, high: Value, step: Value) -> int | None:
    """How often a loop over these constants runs, which count up from 0 or more; None if they are none, or others."""
    numbers = [known_number(value) for value in (low, high, step)]
    if any(number is None or number < 0 for number in numbers):
        return None
    return len(range(*numbers)) if numbers[2] else None  # type: ignore[arg-type]
