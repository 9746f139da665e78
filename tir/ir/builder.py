"""Making ops at a place: the insertion point and the current location."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from tir.ir.define import create
from tir.ir.errors import UNKNOWN, Location
from tir.ir.ir import Block, Op, OpResult

__all__ = ["Builder"]

SomeOp = TypeVar("SomeOp", bound=Op)


class Builder:
    """Puts new ops in front of `anchor` in `block` (at the end while `anchor` is None), at `location`."""

    def __init__(self, block: Block | None = None, anchor: Op | None = None, location: Location = UNKNOWN) -> None:
        self.block = block
        self.anchor = anchor
        self.location = location

    @classmethod
    def before(cls, op: Op) -> Builder:
        """Inserts in front of `op`, with its location."""
        return cls(op.parent, op, op.location)

    @classmethod
    def after(cls, op: Op) -> Builder:
        """Inserts behind `op`, with its location."""
        return cls(op.parent, op.next, op.location)

    @classmethod
    def at_end(cls, block: Block, location: Location = UNKNOWN) -> Builder:
        """Inserts at the end of `block`."""
        return cls(block, None, location)

    @classmethod
    def at_start(cls, block: Block, location: Location = UNKNOWN) -> Builder:
        """Inserts at the start of `block`."""
        return cls(block, block.first, location)

    @contextmanager
    def at(self, block: Block, anchor: Op | None = None) -> Iterator[None]:
        """Inserts elsewhere for the length of a `with`."""
        saved = self.block, self.anchor
        self.block, self.anchor = block, anchor
        try:
            yield
        finally:
            self.block, self.anchor = saved

    def insert(self, op: SomeOp) -> SomeOp:
        """Puts an op that stands nowhere yet at the insertion point."""
        assert self.block is not None, "the builder has no insertion point"
        self.block.insert_before(self.anchor, op)
        return op

    def op(self, cls: type[SomeOp], *operands: Any, **facts: Any) -> SomeOp:
        """A new op at the insertion point; arguments as for `define.create`."""
        facts.setdefault("location", self.location)
        return self.insert(create(cls, *operands, **facts))

    def create(self, cls: type[Op], *operands: Any, **facts: Any) -> OpResult:
        """The only result of a new op."""
        return self.op(cls, *operands, **facts).result

    def create_many(self, cls: type[Op], *operands: Any, **facts: Any) -> Sequence[OpResult]:
        """The results of a new op."""
        return self.op(cls, *operands, **facts).results
