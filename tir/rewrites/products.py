"""Rules about sums of products: `tir.sum` of `tir.mul`, `tir.dot`, `tir.dot_general` and `tir.einsum` are one thing.

Products of two tensors become `tir.dot` where that says it, else `tir.dot_general`, which has transposes in its lists of
axes. So a BLAS routine, or a tiled loop, is found whatever the program wrote.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tir.dialects.tir.arithmetic import Mul
from tir.dialects.tir.linalg import Dot, DotGeneral, Einsum
from tir.dialects.tir.reduce import Sum
from tir.dialects.tir.shape import Transpose, is_number
from tir.ir.ir import Op, Value
from tir.ir.rewrite import Rule, rule
from tir.ir.types import DYNAMIC, FloatType
from tir.rewrites.pattern import repeated

__all__ = ["RULES"]


@dataclass(frozen=True)
class _Product:
    """Two operands with a letter for each axis; letters that both have and the result lacks are summed."""

    operands: Sequence[Value]
    letters: tuple[Sequence[str], Sequence[str]]
    result: Sequence[str]
    acc_type: Any

    def contracted(self) -> list[str]:
        """The letters that are summed."""
        return [letter for letter in self.letters[0] if letter not in self.result]

    def natural(self) -> list[str]:
        """The letters of the result of `tir.dot_general`: those of batches, then the free ones of lhs and of rhs."""
        left, right = self.letters
        both = [letter for letter in left if letter in right and letter in self.result]
        alone = [*(letter for letter in left if letter not in right), *(letter for letter in right if letter not in left)]
        return [*both, *alone]

    def is_pair(self) -> bool:
        """Each letter stands once in an operand, and what is summed stands in both."""
        left, right = self.letters
        is_plain = len({*left}) == len(left) and len({*right}) == len(right)
        summed = {*left, *right} - {*self.result}
        return is_plain and summed <= {*left} & {*right} and {*self.result} <= {*left, *right}


def _product_of(op: Any) -> _Product | None:
    """What a product of two tensors sums."""
    if len(op.operands) != 2:
        return None
    letters, result = op.letters()
    return _Product(op.operands, tuple(letters), result, op.acc_type)


def _built(product: _Product, b: Any) -> Value:
    """The product as `tir.dot`, or `tir.dot_general`, with a transpose behind it if the result has another order."""
    left, right = (list(letters) for letters in product.letters)
    natural, contracted = product.natural(), product.contracted()
    batch = [letter for letter in natural if letter in left and letter in right]
    facts = {} if product.acc_type is None else {"acc_type": product.acc_type}
    if not batch and left[-1:] == contracted == right[:1] and len(left) <= 2 and len(right) <= 2:
        made = b.create(Dot, *product.operands, **facts)
    else:
        made = b.create(
            DotGeneral, *product.operands,
            lhs_batch=[left.index(letter) for letter in batch], rhs_batch=[right.index(letter) for letter in batch],
            lhs_contract=[left.index(letter) for letter in contracted],
            rhs_contract=[right.index(letter) for letter in contracted], **facts,
        )  # fmt: skip
    return b.transpose(made, [natural.index(letter) for letter in product.result]).value


def _same_type(op: Op, value: Value) -> Value | None:
    """The value, if it may stand in for the result of `op`."""
    return value if value.type is op.result.type else None


@rule(DotGeneral, Einsum, examples=[
    "einsum('ij,jk->ik', x, y)",
    "einsum('ij,kj->ki', x, y)",
    "einsum('ijk,ikl->ijl', x, y)",
    "dot_general(x, y, [[1], [0]])",
    "not einsum('ii->i', x)",
    "not einsum('ij,ij->ij', x, y)",
])  # fmt: skip
def product_as_dot(op: Any, b: Any) -> Value | None:
    """einsum("ij,jk->ik", x, y) -> dot(x, y), and so for dot_general; other products of two become dot_general   \
accurate: the same products"""
    product = _product_of(op)
    if product is None or not product.is_pair() or not product.contracted():
        return None
    made = _built(product, b)
    return None if isinstance(made.op, type(op)) else _same_type(op, made)


@rule(Dot, DotGeneral, examples=[
    "dot(transpose(x), y)",
    "dot(x, transpose(y))",
    "dot_general(transpose(x, [0, 2, 1]), y, [[1], [2]], [[0], [0]])",
    "not dot_general(transpose(x, [1, 0, 2]), y, [[2], [1]])",
])  # fmt: skip
def product_of_transpose(op: Any, b: Any) -> Value | None:
    """dot(transpose(x), y) -> dot_general(x, y), and so for y, if the axes that stay keep their order   \
accurate: the same products"""
    product = _product_of(op)
    assert product is not None
    operands, letters, changed = list(op.operands), list(product.letters), False
    for i, value in enumerate(operands):
        if isinstance(value.op, Transpose):
            moved = [product.letters[i][axis] for axis in value.op.inverse()]
            trial = [*letters[:i], moved, *letters[i + 1 :]]
            if _Product(operands, (trial[0], trial[1]), product.result, None).natural() == list(product.result):
                operands[i], letters, changed = value.op.x, trial, True
    if not changed:
        return None
    return _same_type(op, _built(_Product(operands, (letters[0], letters[1]), product.result, op.acc_type), b))


@rule(Transpose, examples=[
    "transpose(dot(x, y))",
    "not transpose(dot(x, y), [1, 0]) + dot(x, y)",
])  # fmt: skip
def transpose_of_product(op: Transpose, b: Any) -> Value | None:
    """transpose(dot(x, y)) -> dot_general(y, x)   accurate: the same products"""
    made = op.x.op
    if not isinstance(made, (Dot, DotGeneral)) or len(op.x.uses) != 1:
        return None
    product = _product_of(made)
    assert product is not None
    wanted = [product.result[axis] for axis in op.permutation]
    swapped = _Product(product.operands[::-1], product.letters[::-1], wanted, product.acc_type)
    return _same_type(op, _built(swapped, b)) if swapped.natural() == wanted else None


@rule(Sum, examples=[
    "sum(x * y, [0])",
    "sum(expand_dims(x, [2]) * expand_dims(y, [0]), [1])",
    "sum(x * broadcast(y, [1], [2, 3]), [1])",
    "not sum(x * y, [1])",
    "not sum(x + y, [0])",
])  # fmt: skip
def sum_of_products(op: Sum, b: Any) -> Value | None:
    """sum(repeat(x) * repeat(y), axes) -> dot_general(x, y), if it is no sum along equal rows   \
accurate: the same products, not rounded before they are added"""
    if not isinstance(op.x.op, Mul) or len(op.x.uses) != 1:
        return None
    (lhs, left), (rhs, right) = (_without_repeats(value) for value in op.x.op.operands)
    names = [str(axis) for axis in range(op.x.type.rank)]
    kept = [name for axis, name in enumerate(names) if axis not in op.axes]
    product = _Product([lhs, rhs], ([names[axis] for axis in left], [names[axis] for axis in right]), kept, op.acc_type)
    batch = [name for name in kept if name in product.letters[0] and name in product.letters[1]]
    is_sum = {*product.letters[0], *product.letters[1]} == {*names} and product.is_pair() and product.contracted()
    is_matrix = len(kept) > len(batch) or op.x.type.rank == 1
    return _same_type(op, _built(product, b)) if is_sum and is_matrix else None


def _without_repeats(value: Value) -> tuple[Value, Sequence[int]]:
    """What a value repeats, and which of its axes that has."""
    axes = range(value.type.rank)  # type: ignore[attr-defined]
    *_, (inner, new) = (value, ()), *repeated(value.op)
    return inner, [axis for axis in axes if axis not in new]


@rule(Dot, examples=[
    "dot(slice(x, [0, 0], [1, 0]), y)",
    "dot(x, slice(y, [0, 0], [0, 1]))",
    "not dot(x, y)",
])  # fmt: skip
def dot_of_one_row(op: Dot, b: Any) -> Value | None:
    """dot(1xK, KxN) -> dot(K, KxN), and dot(MxK, Kx1) -> dot(MxK, K)   accurate: the same products"""
    lhs, rhs = op.lhs.type, op.rhs.type
    if lhs.rank == 2 and lhs.shape[0] == 1:
        made = b.make(Dot, b.reshape(op.lhs, b.shape(op.lhs)[1:]), op.rhs, acc_type=op.acc_type)
        return _same_type(op, b.expand_dims(made, [0]).value)
    if rhs.rank == 2 and rhs.shape[1] == 1:
        made = b.make(Dot, op.lhs, b.reshape(op.rhs, b.shape(op.rhs)[:1]), acc_type=op.acc_type)
        return _same_type(op, b.expand_dims(made, [-1]).value)
    return None


@rule(Dot, examples=[
    "dot(slice(x, [0, 0], [0, 1]), slice(y, [0, 0], [1, 0]))",
    "not dot(x, y)",
])  # fmt: skip
def dot_of_one_product(op: Dot, b: Any) -> Value | None:
    """dot(Mx1, 1xN) -> repeat(M) * repeat(N)   accurate: nothing is added up; -0.0 stays -0.0"""
    lhs, rhs = op.lhs.type, op.rhs.type
    if lhs.rank != 2 or rhs.rank != 2 or lhs.shape[1] != 1 or rhs.shape[0] != 1:
        return None
    rows, columns = b.shape(op.lhs)[0], b.shape(op.rhs)[1]
    column, row = b.reshape(op.lhs, [rows]), b.reshape(op.rhs, [columns])
    made = b.broadcast(column, [0], [rows, columns]) * b.broadcast(row, [1], [rows, columns])
    return _same_type(op, made.value)


@rule(DotGeneral, examples=[
    "dot_general(expand_dims(x, [0]), expand_dims(y, [0]), [[2], [1]], [[0], [0]])",
    "not dot_general(x, y, [[2], [1]], [[0], [0]])",
])  # fmt: skip
def product_of_one_batch(op: DotGeneral, b: Any) -> Value | None:
    """dot_general(1xMxK, 1xKxN) -> dot(MxK, KxN), with the batch behind it   accurate: the same products"""
    product = _product_of(op)
    assert product is not None
    ones = [i for i, axis in enumerate(op.lhs_batch) if op.lhs.type.shape[axis] == op.rhs.type.shape[op.rhs_batch[i]] == 1]
    if not ones:
        return None
    gone = {product.letters[0][op.lhs_batch[i]] for i in ones}
    operands = [
        b.reshape(value, [size for letter, size in zip(letters, b.shape(value)) if letter not in gone]).value
        for value, letters in zip(op.operands, product.letters)
    ]
    left, right = ([letter for letter in letters if letter not in gone] for letters in product.letters)
    result = [letter for letter in product.result if letter not in gone]
    made = _built(_Product(operands, (left, right), result, op.acc_type), b)
    return _same_type(op, b.expand_dims(made, [product.result.index(letter) for letter in sorted(gone)]).value)


@rule(Dot, DotGeneral, examples=[
    "dot(x, full_like(x, 0))",
    "not dot(x, y)",
])  # fmt: skip
def product_with_zero(op: Any, b: Any) -> Value | None:
    """dot(x, 0) -> 0 for integers   exact"""
    return None if isinstance(op.result.type.element, FloatType) else _zero(op, b)


@rule(Dot, DotGeneral, examples=[
    "dot(full_like(x, 0), x)",
    "not dot(x, y)",
])  # fmt: skip
def product_of_floats_with_zero(op: Any, b: Any) -> Value | None:
    """dot(x, 0) -> 0   fast"""
    return _zero(op, b)


def _zero(op: Any, b: Any) -> Value | None:
    """Zeros in the shape of the product, if an operand is zero and types say the shape."""
    if not any(is_number(value, 0) for value in op.operands) or DYNAMIC in op.result.type.shape:
        return None
    return b.full(0, op.result.type.shape, op.result.type.element).value


RULES: tuple[Rule, ...] = (
    product_as_dot, product_of_transpose, transpose_of_product, sum_of_products, dot_of_one_product, dot_of_one_row,
    product_of_one_batch, product_with_zero, product_of_floats_with_zero,
)
