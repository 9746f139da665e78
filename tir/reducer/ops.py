"""Edits of ops, regions, blocks and operands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from tir.dialects.cf import Branch
from tir.ir.ir import Block, Op, Region, Value
from tir.ir.traits import FunctionLike, IsolatedFromAbove, Symbol, Terminator
from tir.reducer.functions import free_functions, function_around, new_argument, return_earlier

__all__ = ["OP_EDITS"]

Site = Callable[[], None]


def _removable(module: Op) -> list[Op]:
    """The ops that may go by themselves."""
    return [op for op in module.walk() if op is not module and not isinstance(op, (Terminator, Symbol))]


# --- ops -------------------------------------------------------------------------------------------------------------


def drop_for_arguments(module: Op) -> list[Site]:
    """Ops go; new arguments of the function take the place of results that are used."""
    free = set(free_functions(module))
    ops = [op for op in _removable(module) if not op.is_used or function_around(op) in free]
    return [partial(_drop_for_arguments, op) for op in ops]


def _drop_for_arguments(op: Op) -> None:
    if op.parent is None:
        return  # it went with the op around it
    function = function_around(op)
    for result in op.results:
        if result.is_used:
            assert function is not None
            result.replace_all_uses_with(new_argument(function, result.type, result.hint))
    op.erase()


def drop_for_values(module: Op) -> list[Site]:
    """Ops go; values of the same type that stand before them take the place of their results."""
    return [
        partial(_drop_for_values, op) for op in _removable(module)
        if op.results and all(_value_like(result, op) is not None for result in op.results)
    ]  # fmt: skip


def _drop_for_values(op: Op) -> None:
    if op.parent is None:
        return
    values = [_value_like(result, op) for result in op.results]
    assert None not in values
    op.replace_with(values)  # type: ignore[arg-type]


def _value_like(wanted: Value, op: Op) -> Value | None:
    """A value of the same type: an operand, an argument of a block around, or the result of an op before it."""
    for value in _values_before(op):
        if value.type is wanted.type:
            return value
    return None


def _values_before(op: Op) -> Iterator[Value]:
    yield from op.operands
    block = op.parent
    while block is not None:
        yield from block.arguments
        around = block.parent_op
        block = None if around is None or isinstance(around, IsolatedFromAbove) else around.parent
    before = op.previous
    while before is not None:
        yield from before.results
        before = before.previous


# --- operands --------------------------------------------------------------------------------------------------------


def merge_operands(module: Op) -> list[Site]:
    """An operand becomes the first one of the op, or the first argument of the function, of the same type."""
    sites: list[Site] = []
    for op in module.walk():
        for index, value in enumerate(op.operands):
            others = [v for v in op.operands[:index] if v.type is value.type and v is not value][:1]
            function = function_around(op)
            if function is not None:
                others += [a for a in function.arguments if a.type is value.type and a is not value][:1]
            sites += [partial(op.set_operand, index, other) for other in others]
    return sites


# --- regions and blocks ----------------------------------------------------------------------------------------------


def inline_regions(module: Op) -> list[Site]:
    """The block of an op takes its place: its arguments become operands of the same types, or arguments of the function."""
    return [
        partial(_inline_region, op, region)
        for op in _removable(module) if not isinstance(op, FunctionLike)
        for region in op.regions if len(region.blocks) == 1
    ]  # fmt: skip


def _inline_region(op: Op, region: Region) -> None:
    parent, block = op.parent, region.blocks[0]
    if parent is None:
        return
    free = list(op.operands)
    for argument in reversed(block.arguments):  # the last operands start what a loop carries
        same = [value for value in reversed(free) if value.type is argument.type]
        if same:
            free.remove(same[0])
        argument.replace_all_uses_with(same[0] if same else _argument_for(op, argument))
    handed: list[Value] = []
    if isinstance(block.last, Terminator):
        handed = list(block.last.operands)
        block.last.erase()
    for inner in block.ops:
        inner.detach()
        parent.insert_before(op, inner)
    for result in op.results:
        same = [value for value in handed if value.type is result.type]
        if result.is_used:
            result.replace_all_uses_with(same[0] if same else _argument_for(op, result))
        if same:
            handed.remove(same[0])
    op.erase()


def _argument_for(op: Op, value: Value) -> Value:
    function = function_around(op)
    assert function is not None and function in free_functions(function.root)
    return new_argument(function, value.type, value.hint)


def straighten(module: Op) -> list[Site]:
    """A branch with several targets goes to one of them; blocks that nothing leads to go."""
    sites: list[Site] = []
    for op in module.walk():
        if len(op.successors) > 1:
            sites += [partial(_branch_to, op, block) for block in op.successors]
        for region in op.regions:
            sites += [partial(_drop_block, region, block) for block in region.blocks[1:]]
    return sites


def _branch_to(op: Op, block: Block) -> None:
    """The operands that the branch hands to the block are the last ones of the right types."""
    types = [argument.type for argument in block.arguments]
    operands = list(op.operands)
    places = [i for i in range(len(operands) + 1) if [v.type for v in operands[i : i + len(types)]] == types]
    values = operands[places[-1] : places[-1] + len(types)]
    assert op.parent is not None
    op.parent.insert_before(op, Branch(values, [], successors=[block], location=op.location))
    op.erase()


def _drop_block(region: Region, block: Block) -> None:
    reached = {s for other in region.blocks if other is not block and other.last for s in other.last.successors}
    assert block not in reached
    for op in block:
        op.drop_uses()
    region.blocks.remove(block)


OP_EDITS = (
    ("ops", drop_for_arguments),
    ("ops for values", drop_for_values),
    ("regions", inline_regions),
    ("blocks", straighten),
    ("last ops", return_earlier),
    ("operands", merge_operands),
)
