"""Which buffer a memref value is in, who writes it, and whether it leaves the iteration that made it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tir.ir.ir import Block, BlockArgument, Op, Use, Value
from tir.ir.types import MemRefType

__all__ = ["ALLOCATIONS", "VIEWS", "in_loop", "is_whole", "leaves_iteration", "origins", "written_values"]

#: Ops whose result is (a part of) the buffer that is their first operand.
VIEWS = frozenset("memref.cast memref.subview memref.collapse_shape memref.expand_shape memref.reinterpret_cast".split())

#: Ops that make a buffer which someone must free.
ALLOCATIONS = frozenset(("memref.alloc", "func.call"))

#: Position of the memref operand that an op writes through.
_WRITES = {"memref.store": 1, "memref.copy": 1, "vector.store": 1, "vector.maskedstore": 0, "memref.atomic_rmw": 1}

_LOOPS = frozenset(("scf.for", "scf.parallel", "scf.while"))


def origins(value: Value) -> set[Value]:
    """The values that made the buffers in which `value` may be: arguments of the function and results of other ops."""
    found: set[Value] = set()
    seen: set[Value] = set()
    pending = [value]
    while pending:
        one = pending.pop()
        if one in seen:
            continue
        seen.add(one)
        sources = _sources(one)
        if sources is None:
            found.add(one)
        else:
            pending.extend(sources)
    return found


def is_whole(value: Value) -> bool:
    """The value is a new buffer itself, perhaps under another type, and no part of one."""
    while value.op is not None and value.op.name == "memref.cast":
        value = value.op.operand(0)
    return value.op is not None and value.op.name in ALLOCATIONS


def _sources(value: Value) -> list[Value] | None:
    """The values of which `value` is one or a view; None if it is an origin."""
    if isinstance(value, BlockArgument):
        return _sources_of_argument(value)
    op = value.op
    assert op is not None
    index = op.results.index(value)
    if op.name in VIEWS:
        return [op.operand(0)]
    if op.name == "arith.select":
        return [op.operand(1), op.operand(2)]
    if op.name == "scf.if":
        return [region.block.terminator.operand(index) for region in op.regions if region.blocks]
    if op.name == "scf.for":
        return [op.operand(3 + index), op.body.terminator.operand(index)]
    if op.name == "scf.while":
        return [op.regions[0].block.terminator.operand(1 + index)]
    return None


def _sources_of_argument(argument: BlockArgument) -> list[Value] | None:
    block, op = argument.block, argument.block.parent_op
    assert op is not None
    if op.name == "scf.for" and argument.index > 0:
        return [op.operand(2 + argument.index), op.body.terminator.operand(argument.index - 1)]
    if op.name == "scf.while":
        before, after = (region.block for region in op.regions)
        if block is after:
            return [before.terminator.operand(1 + argument.index)]
        return [op.operand(argument.index), after.terminator.operand(argument.index)]
    region = block.parent
    assert region is not None
    if block is region.blocks[0]:
        return None
    return [value for other in region.blocks for value in passed(other, block, argument.index)]


def passed(block: Block, successor: Block, index: int) -> list[Value]:
    """What the branch that ends `block` hands to argument `index` of `successor`; twice if it goes there twice."""
    end = block.last
    if end is None or successor not in end.successors:
        return []
    if end.name == "cf.br":
        return [end.operand(index)]
    then = len(end.successors[0].arguments)
    starts = (1, 1 + then)
    return [end.operand(start + index) for start, to in zip(starts, end.successors) if to is successor]


def written_values(ops: Iterable[Op], written_parameters: Mapping[str, set[int]] | None = None) -> list[Value]:
    """The memref values through which the ops write.

    written_parameters: function -> positions that it writes; one that is missing may write all.
    """
    found = []
    for op in ops:
        if op.name in _WRITES:
            found.append(op.operand(_WRITES[op.name]))
        elif op.name == "func.call":
            every = set(range(len(op.operands)))
            positions = (written_parameters or {}).get(op.callee, every)  # type: ignore[attr-defined]
            found += [op.operand(position) for position in sorted(positions)]
    return [value for value in found if isinstance(value.type, MemRefType)]


def in_loop(op: Op, cyclic: set[Block]) -> bool:
    """`op` may run more than once in one call. cyclic: the blocks of the function that can reach themselves."""
    return op.parent in cyclic or any(outer.name in _LOOPS or outer.parent in cyclic for outer in op.ancestors())


def leaves_iteration(value: Value) -> bool:
    """The buffer may still be in use in the next iteration of the loop around the op that makes it."""
    assert value.op is not None
    loop = next((outer for outer in value.op.ancestors() if outer.name in _LOOPS), None)
    seen: set[Value] = set()
    pending = [value]
    while pending:
        one = pending.pop()
        if one in seen:
            continue
        seen.add(one)
        for use in one.uses:
            following = _handed_on(use, loop)
            if following is None:
                return True
            pending.extend(following)
    return False


def _handed_on(use: Use, loop: Op | None) -> list[Value] | None:
    """The values that the user makes of the buffer; None if it is one of the next iteration."""
    user, outer = use.owner, use.owner.parent_op
    if user.name in VIEWS or user.name == "arith.select":
        return list(user.results)
    if user.name == "scf.for" and use.index >= 3:
        return [user.body.arguments[use.index - 2], user.results[use.index - 3]]
    if user.name == "scf.while":
        return [user.regions[0].block.arguments[use.index]]
    if user.name == "scf.yield" and outer is not loop and outer is not None and outer.name != "scf.while":
        carried = [outer.body.arguments[1 + use.index]] if outer.name == "scf.for" else []
        return [outer.results[use.index], *carried]
    if user.name in ("scf.yield", "scf.condition", "cf.br", "cf.cond_br"):
        return None
    return []
