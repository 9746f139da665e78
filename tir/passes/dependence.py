"""What depends on what, as far as a derivative goes: the way that it takes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from tir.dialects.tir.control import Control, Scan
from tir.dialects.tir.control_gradients import inputs_of, is_float
from tir.dialects.tir.markers import StopGradient
from tir.dialects.tir.shape import DimOp
from tir.ir.flow import edges_of
from tir.ir.ir import Block, Op, Value
from tir.ir.steps import Steps, run_steps

__all__ = ["path_between", "ways_in"]


def path_between(
    block: Block, stop: Op | None, wrt: Sequence[Value], needed: Sequence[Value], constants: Sequence[Value] = ()
) -> tuple[list[Op], set[Value]]:
    """The ops of the block in front of `stop` between `wrt` and `needed`, in order; and all that depends on `wrt`.

    Not through what makes the constants.
    """
    depending: list[Op] = []
    depends = set(wrt)
    ends = {value.op for value in constants}
    for op in block:
        if op is stop:
            break
        if op not in ends and _takes(op, depends):
            depending.append(op)
            depends.update(_depending_results(op, depends))
    wanted = set(needed)
    path = []
    for op in reversed(depending):
        if not wanted.isdisjoint(op.results):
            path.append(op)
            wanted.update(ways_in(op))
    return path[::-1], depends


def ways_in(op: Op) -> Iterable[Value]:
    """The inputs that a derivative may come through. Whole numbers beside floats say where or whether, not how much."""
    inputs = inputs_of(op)
    if op.regions:
        return inputs
    return [value for value in inputs if is_float(value)] or inputs


def _takes(op: Op, depends: Collection[Value], more: Collection[Value] = ()) -> bool:
    """A derivative may come into the op. A size is none of the numbers of a tensor: it stays when they change."""
    if isinstance(op, (StopGradient, DimOp)):
        return False
    return any(value in depends or value in more for value in ways_in(op))


def _depending_results(op: Op, depends: Collection[Value]) -> Iterable[Value]:
    """The results that a derivative may come through: of floats all, of whole numbers those that do depend, inside too."""
    if not isinstance(op, Control) or all(map(is_float, op.results)):
        return op.results
    found: set[Value] = set()
    run_steps(_spread(op, depends, found))
    return [result for result in op.results if is_float(result) or result in found]


def _spread(op: Control, depends: Collection[Value], found: set[Value]) -> Steps:
    """Adds to `found` the values inside the op, and its results, that depend on what does outside."""
    blocks = [block for region in op.regions for block in region.blocks]
    size = -1
    while size != len(found):
        size = len(found)
        found.update(to for to, value in _handed_on(op) if value in depends or value in found)
        for block in blocks:
            for inner in block:
                if not _takes(inner, depends, found):
                    continue
                if isinstance(inner, Control):
                    yield _spread(inner, depends, found)
                else:
                    found.update(inner.results)


def _handed_on(op: Control) -> Iterator[tuple[Value, Value]]:
    """Arguments of the blocks of the op, and its results, each with a value that it may be, or is an element of."""
    for edge in edges_of(op) or ():
        targets = edge.target.arguments if edge.target is not None else op.results
        yield from ((to, value) for to, value in zip(targets, edge.values) if value is not None)
    if isinstance(op, Scan):
        count = len(op.inits)
        yield from zip(op.elements, op.sequences)
        yield from zip(op.results[count:], op.yielded(op.body)[count:])
