"""Which arrays nobody needs any more, so that an op that changes one element need not copy the others.

An op that makes a changed copy of an operand has the facet `changed(arguments)`: it may change the array in place if
`is_unshared(arguments, i)` says that nobody else can see it.
"""

from __future__ import annotations

import sys
from typing import Any

from tir.ir.affine import AffineExpr
from tir.ir.ir import Block, Op, Value
from tir.ir.types import TensorType
from tir.lazy import np

__all__ = ["arrays_last_used", "is_unshared"]


def arrays_last_used(block: Block) -> dict[Op, tuple[Value, ...]]:
    """For ops of the block the operands that are tensors and of which each is the last user, while the block runs.

    What an op also uses inside itself is left out, and so is a tensor that binds a named size, which any op behind it may
    ask for. A tensor from outside counts if each op around the block, up to where
    the tensor is made, runs at most one of its regions, once (`runs_one_region`), and nothing behind it uses the tensor.
    """
    found: dict[Op, list[Value]] = {}
    if not _is_only_block(block):
        return {}  # a branch may lead to another user
    last: dict[Value, Op] = {}
    for op in block:
        for inner in op.walk():
            for value in inner.operands:
                if isinstance(value.type, TensorType) and not any(isinstance(d, AffineExpr) for d in value.type.shape):
                    last[value] = op
    inside = {(op, v) for op in block if op.regions for one in op.walk() if one is not op for v in one.operands}
    for value, op in last.items():
        if (op, value) in inside:
            continue
        if value.block is block or (value.block is not None and _ends_around(value, block)):
            found.setdefault(op, []).append(value)
    return {op: tuple(values) for op, values in found.items()}


def _ends_around(value: Value, block: Block) -> bool:
    """No op outside the block needs the value when the block has run, nor another run of the block."""
    at: Block | None = block
    while at is not value.block:
        around = at.parent_op if at is not None else None
        if around is None or not getattr(around, "runs_one_region", False):
            return False
        at = around.parent
        if not _is_only_block(at) or any(_stands_behind(user, around) for user in value.users):
            return False
    return True


def _is_only_block(block: Block | None) -> bool:
    return block is not None and block.parent is not None and len(block.parent.blocks) == 1


def _stands_behind(user: Op, op: Op) -> bool:
    """The user, or what it is inside of, stands behind `op` in its block."""
    at: Op | None = user
    while at is not None and at.parent is not op.parent:
        at = at.parent_op
    return at is not None and at is not op and op.parent is not None and op.parent.is_before(op, at)


def _references(arguments: list[Any], position: int) -> int:
    return sys.getrefcount(arguments[position])


#: What CPython counts for an object that only a list holds; None where there is no such count.
_ONLY_IN_LIST = _references([object()], 0) if hasattr(sys, "getrefcount") else None


def is_unshared(arguments: list[Any], position: int) -> bool:
    """The list is the only holder of this array, which owns its memory: changing it in place changes nothing else.

    A view of the array would hold it too.
    """
    if _ONLY_IN_LIST is None or _references(arguments, position) != _ONLY_IN_LIST:
        return False
    array = arguments[position]
    return isinstance(array, np.ndarray) and bool(array.flags.owndata and array.flags.writeable)
