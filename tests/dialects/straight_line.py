"""Running single ops and straight-line blocks by their references, for tests of the scalar dialects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tir.dialects.scalar import Scalar, ScalarBuilder, signless
from tir.ir.builder import Builder
from tir.ir.define import create
from tir.ir.ir import Block, Op, Value
from tir.ir.types import Type, type_of_dtype
from tir.ir.verify import verify


def make(cls: type[Op], types: Sequence[Type], result: Type | None = None, **facts: Any) -> Op:
    """A new op on block arguments of these types; not verified."""
    block = Block(types)
    op = create(cls, *block.arguments, result_types=None if result is None else [result], **facts)
    block.append(op)
    return op


def run(cls: type[Op], *values: Any, result: Type | None = None, **facts: Any) -> Any:
    """The reference of a new, verified op on numpy values, whose dtypes say the types."""
    op = make(cls, [type_of_dtype(str(np.asarray(v).dtype)) for v in values], result, **facts)
    verify(op)
    with np.errstate(all="ignore"):
        return op.reference(*values)


def build(types: Sequence[Type], body: Callable[..., Scalar], **options: Any) -> tuple[Block, Scalar]:
    """The block that `body(s, *arguments)` builds for arguments of these logical types, and what it returns."""
    block = Block([signless(t) for t in types])
    s = ScalarBuilder(Builder.at_end(block), **options)
    return block, body(s, *(Scalar(v, t) for v, t in zip(block.arguments, types)))


def evaluate(block: Block, arguments: Sequence[Any]) -> dict[Value, Any]:
    """The values of all ops of the block, each verified."""
    values: dict[Value, Any] = dict(zip(block.arguments, arguments))
    with np.errstate(all="ignore"):
        for op in block:
            verify(op)
            found = op.reference(*(values[v] for v in op.operands))
            values.update(zip(op.results, found if isinstance(found, tuple) else (found,)))
    return values


def compute(types: Sequence[Type], body: Callable[..., Scalar], *arguments: Any) -> Any:
    """What `body` computes on numpy values of the IR's dtypes (a ui8 is given and got as int8)."""
    block, answer = build(types, body)
    return evaluate(block, arguments)[answer.value]


def assert_same(got: Any, want: Any) -> None:
    """Same dtype, shape and bits; any nan is as good as another."""
    got, want = np.asarray(got), np.asarray(want)
    assert got.dtype == want.dtype and got.shape == want.shape, (got.dtype, want.dtype, got.shape, want.shape)
    if got.dtype.kind == "f":
        np.testing.assert_array_equal(np.isnan(got), np.isnan(want))
        got, want = (np.where(np.isnan(v), v.dtype.type(0), v).view(f"i{v.itemsize}") for v in (got, want))
    np.testing.assert_array_equal(got, want)
