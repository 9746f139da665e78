"""Memory and the uses of what lies in it, as `bufferize` sees them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from tir.dialects import arith, func, linalg, scf, tensor
from tir.ir.ir import Block, Op, Value
from tir.ir.traits import Effects, RecursiveEffects, effects_of
from tir.ir.types import MemRefType, TensorType, Type

__all__ = ["Storage", "Uses", "has_tensor_result", "is_loop", "memref_type"]


@dataclass(eq=False)
class Storage:
    """One piece of memory. `values`: the tensors that lie in it, or in a part of it, and may be needed still.

    kind: "argument" (only read), "shared" (a shared variable's), "out" (a result's), "constant", "carried" (a loop's,
    seen from inside of it), or "temporary".
    """

    memref: Value
    kind: str
    values: list[Value] = field(default_factory=list)


def memref_type(type: Type) -> MemRefType:
    """The type of a dense, row-major buffer for the tensor (or for a copy of the buffer)."""
    assert isinstance(type, (TensorType, MemRefType))
    return MemRefType(type.shape, type.element)


def has_tensor_result(op: Op) -> bool:
    """A result of the op is a tensor."""
    return any(isinstance(result.type, TensorType) for result in op.results)


def is_loop(op: Op) -> bool:
    """What is inside the op may run several times while it runs once; of ops without regions this says nothing."""
    return not isinstance(op, (scf.If, linalg.Generic, func.Func))


class Uses:
    """Where tensors are used in a function, and where it can fail, as it was before anything was changed.

    Asking for the size of a tensor is no use: memory keeps its size, whatever is written to it.
    """

    def __init__(self, function: Op, failing: Collection[Op], safe: Collection[Op] = ()) -> None:
        """failing: ops that can fail besides those that say so; safe: ops that do not, though their effects say so."""
        self.around: dict[Block, Op] = {}
        self.home: dict[Value, Block] = {}
        self.block_of: dict[Op, Block] = {}
        self._position: dict[Op, int] = {}
        self._users: dict[Value, list[Op]] = {}
        self._last_failure = -1
        self._chain: tuple[Op | None, dict[Block, Op]] = (None, {})
        for position, op in enumerate(function.walk()):
            self._position[op] = position
            if op is not function:
                self._note(op, position)
                if op in failing or (_can_fail(op) and op not in safe):
                    self._last_failure = position + bool(op.regions)  # a loop fails when it has begun
            for region in op.regions:
                for block in region.blocks:
                    self.around[block] = op
                    self.home.update({argument: block for argument in block.arguments})

    def _note(self, op: Op, position: int) -> None:
        block = op.parent
        assert block is not None
        self.block_of[op] = block
        self.home.update({result: block for result in op.results})
        if not isinstance(op, tensor.Dim):
            for value in dict.fromkeys(op.operands):
                if isinstance(value.type, TensorType):
                    self._users.setdefault(value, []).append(op)

    def is_inside(self, value: Value, op: Op) -> bool:
        """The value is made inside the op."""
        block: Block | None = self.home.get(value)
        while block is not None:
            around = self.around[block]
            if around is op:
                return True
            block = self.block_of.get(around)
        return False

    def is_needed_after(self, value: Value, op: Op) -> bool:
        """Something reads the value when `op` has begun: behind it, inside it if that is a loop, or in another iteration.

        What `op` itself takes as an operand is not meant, unless another iteration takes it again.
        """
        home, chain = self.home[value], self._blocks_around(op)
        return home in chain and any(self._is_later(user, op, chain, home) for user in self._users.get(value, ()))

    def _is_later(self, user: Op, op: Op, chain: dict[Block, Op], home: Block) -> bool:
        at, block = user, self.block_of[user]
        while block not in chain:
            at = self.around[block]
            block = self.block_of[at]
        outer = block
        while outer is not home:
            around = self.around[outer]
            if is_loop(around):
                return True
            outer = self.block_of[around]
        here = chain[block]
        if at is here:  # both inside one op
            return user is not op and user is not here and is_loop(here)
        return self._position[at] > self._position[here]

    def _blocks_around(self, op: Op) -> dict[Block, Op]:
        """The blocks in which `op` stands, each with the op of the block that it is or is inside of."""
        known, chain = self._chain
        if known is not op:
            chain = {}
            block: Block | None = self.block_of[op]
            at = op
            while block is not None:
                chain[block] = at
                at = self.around[block]
                block = self.block_of.get(at)
            self._chain = op, chain
        return chain

    def can_fail_after(self, op: Op) -> bool:
        """An assert or a call runs inside `op` or behind it. Not asked inside loops, where nothing is shared."""
        return self._last_failure > self._position[op]


def _can_fail(op: Op) -> bool:
    """The op by itself can end the program; a loop whose step is not known may find it to be 0."""
    if isinstance(op, scf.For) and not isinstance(op.step.op, arith.Constant):
        return True
    effects = op.own_effects if isinstance(op, RecursiveEffects) else effects_of(op)
    return bool(effects & Effects.UNKNOWN)
