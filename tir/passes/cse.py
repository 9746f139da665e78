"""Common subexpression elimination: equal pure ops are computed once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tir.ir import actions
from tir.ir.garbage import collector_relaxed
from tir.ir.ir import Block, Op
from tir.ir.numerics import EXACT
from tir.ir.pass_manager import Pass
from tir.ir.traits import Commutative, IsolatedFromAbove, is_pure

__all__ = ["Cse"]


@dataclass
class Cse(Pass):
    """Computes equal expressions once: a pure op that equals an earlier, visible one is replaced by it.

    Needs nothing. Equal means: the same op, operands (in any order where the op is commutative), attributes and types.
    Ops with regions are left alone, but what is inside them may use values from around them. `tir.leaf` is never merged,
    because it is the identity of a variable.

        %0 = tir.exp %x : tensor<4xf32>         %0 = tir.exp %x : tensor<4xf32>
        %1 = tir.exp %x : tensor<4xf32>    ->   %2 = tir.add %0, %0 : tensor<4xf32>
        %2 = tir.add %0, %1 : tensor<4xf32>
    """

    name = "cse"
    numerics = EXACT
    statistics = {"merge": "ops replaced by an equal one"}

    def run(self, op: Op) -> None:
        with collector_relaxed():
            _merge_inside(op)


def _merge_inside(op: Op) -> None:
    """Merges equal ops inside `op`."""
    known: dict[Any, Op] = {}
    stack: list[_Scope] = [_Scope(region.blocks, known) for region in op.regions]
    while stack:
        inner = stack[-1].next_op()
        if inner is None:
            stack.pop().leave()
            continue
        if inner.regions:
            visible = {} if isinstance(inner, IsolatedFromAbove) else stack[-1].known
            stack.extend(_Scope(region.blocks, visible) for region in reversed(inner.regions))
        else:
            _merge(inner, stack[-1])


class _Scope:
    """The ops of a region, one by one, and the expressions that they may reuse.

    With several blocks, what one block computes is forgotten in the next, unless it is the entry, which dominates all.
    """

    def __init__(self, blocks: list[Block], known: dict[Any, Op]) -> None:
        self.known = known
        self.added: list[Any] = []
        self.kept = 0
        self.ops = self._walk(blocks)

    def _walk(self, blocks: list[Block]) -> Iterator[Op]:
        for i, block in enumerate(blocks):
            yield from block
            if i == 0:
                self.kept = len(self.added)
            else:
                self._forget(self.kept)

    def next_op(self) -> Op | None:
        return next(self.ops, None)

    def add(self, key: Any, op: Op) -> None:
        self.known[key] = op
        self.added.append(key)

    def _forget(self, kept: int) -> None:
        for key in self.added[kept:]:
            del self.known[key]
        del self.added[kept:]

    def leave(self) -> None:
        self._forget(0)


def _merge(op: Op, scope: _Scope) -> None:
    """Replaces `op` by an equal one, or remembers it."""
    if not op.results or op.successors or not is_pure(op):
        return
    key = _key(op)
    earlier = scope.known.get(key)
    if earlier is None:
        scope.add(key, op)
    elif actions.begin("merge", op):
        op.replace_with(earlier.results)
        actions.end()


def _key(op: Op) -> Any:
    operands: Any = op.operands
    if isinstance(op, Commutative):
        operands = tuple(sorted(operands, key=id))
    return (
        type(op), op.name, operands,
        tuple(sorted(op.properties.items(), key=_name)), tuple(sorted(op.attributes.items(), key=_name)),
        tuple(r.type for r in op.results),
    )  # fmt: skip


def _name(entry: tuple[str, Any]) -> str:
    return entry[0]
