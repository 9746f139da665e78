"""Products of vectors, matrices and tensors.

They are sums of products over named loops: `ik,kj->ij` has a letter for each axis of each operand and of the result, a
loop for each letter, and sums over those that the result lacks.
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from typing import Any

from tir.dialects.tir.base import Accumulating, Place, Structure, check_axes, fail, merge_dims
from tir.dialects.tir.elements import NUMBER_TENSOR
from tir.dialects.tir.reduce import accumulator_dtype, contracted, rounded_sum
from tir.ir.affine import AffineDim, AffineMap
from tir.ir.define import attribute, operand, result
from tir.ir.errors import counted
from tir.ir.kinds import I64_ARRAY, STRING
from tir.ir.types import Dim, TensorType, Type, dim_text
from tir.lazy import np

__all__ = ["LETTERS", "OPS"]

LETTERS = string.ascii_letters


class _Contraction(Accumulating):
    """A sum of products: `letters` names the loop of each axis."""

    def of_batch(self, b: Any, operands: Sequence[Any], batched: Sequence[bool]) -> Sequence[Any] | None:
        letters, out = self.letters()
        batch = next(letter for letter in LETTERS if letter not in "".join(letters))
        parts = [batch * is_batched + axes for axes, is_batched in zip(letters, batched)]
        spec = f"{','.join(parts)}->{batch}{out}"
        return [b.make(Einsum, [x.value for x in operands], spec=spec, acc_type=self.acc_type)]

    def letters(self) -> tuple[Sequence[str], str]:
        """The letters of the axes of each operand, and those of the result."""
        raise AssertionError(f"{self.name} has no letters")

    def structure(self) -> Structure:
        operands, out = self.letters()
        summed = [letter for letter in dict.fromkeys("".join(operands)) if letter not in out]
        place = {letter: AffineDim(i) for i, letter in enumerate([*out, *summed])}
        maps = [AffineMap(len(place), 0, tuple(place[letter] for letter in axes)) for axes in (*operands, out)]
        iterators = ("parallel",) * len(out) + ("reduction",) * len(summed)
        return Structure(iterators, tuple(maps[:-1]), (maps[-1],))

    def infer(self) -> Sequence[Type]:
        elements = {value.type.element for value in self.tensors()}  # type: ignore[attr-defined]
        if len(elements) > 1:
            types = " and ".join(str(value.type) for value in self.tensors())
            fail(self, f"element types must be equal, got {types}; tir.cast converts")
        operands, out = self.letters()
        sizes = self._sizes(operands)
        return [TensorType(tuple(sizes[letter] for letter in out), elements.pop())]

    def _sizes(self, operands: Sequence[str]) -> dict[str, Dim]:
        """The size of each letter; VerifyError names the axes that disagree."""
        found: dict[str, tuple[Dim, str]] = {}
        for value, axes, name in zip(self.operands, operands, self.operand_names()):
            for axis, (letter, dim) in enumerate(zip(axes, value.type.shape)):  # type: ignore[attr-defined]
                here = f"{name} axis {axis}"
                known, where = found.setdefault(letter, (dim, here))
                merged = merge_dims(known, dim)
                if merged is None:
                    fail(self, f"sizes must agree, got {dim_text(known)} ({where}) and {dim_text(dim)} ({here})")
                found[letter] = (merged, where)
        return {letter: dim for letter, (dim, _) in found.items()}

    def operand_names(self) -> Sequence[str]:
        """What messages call the operands."""
        return ("lhs", "rhs")

    def may_fail(self) -> bool:
        """Sizes that the types leave open may not agree."""
        return bool(self.open_sizes())

    def same_sizes(self) -> Sequence[tuple[Place, Place]]:
        first: dict[str, Place] = {}
        found = []
        for value, axes in zip(self.operands, self.letters()[0]):
            for axis, letter in enumerate(axes):
                place = value, axis
                if first.setdefault(letter, place) is not place:
                    found.append((place, first[letter]))
        return found

    def reference(self, *arrays: Any) -> Any:
        operands, out = self.letters()
        dtype = accumulator_dtype(self, arrays[0])
        return rounded_sum(self, contracted(f"{','.join(operands)}->{out}", *arrays, dtype=dtype))

    def identity(self, element: Type) -> Any:
        return 0

    def element(self, s: Any, *factors: Any) -> Any:
        product = factors[0]
        for factor in factors[1:]:
            product = s.mul(product, factor)
        return product

    def combine(self, s: Any, accumulated: Any, term: Any) -> Any:
        return s.add(accumulated, term)

    def grad(self, b: Any, g: Any, *operands: Any) -> list[Any]:
        letters, out = self.letters()
        return [_einsum_gradient(b, g, out, letters, operands, i) for i in range(len(operands))]


def _einsum_gradient(
    b: Any, g: Any, out: str, letters: Sequence[str], operands: Sequence[Any], position: int
) -> Any:  # fmt: skip
    """The gradient by one operand: g times all others, over the loops that it has; the same along loops that only it has.

    An axis pair with one letter takes part on its diagonal alone, so all else of it is 0.
    """
    own, like = letters[position], operands[position]
    wanted = list(dict.fromkeys(own))
    factors = [(out, g), *((axes, x) for i, (axes, x) in enumerate(zip(letters, operands)) if i != position)]
    known = "".join(letter for letter in wanted if any(letter in axes for axes, _ in factors))
    found = b.einsum(f"{','.join(axes for axes, _ in factors)}->{known}", *(x for _, x in factors))
    along = [own.index(letter) for letter in known]
    order = sorted(range(len(along)), key=along.__getitem__)
    found = b.broadcast(b.transpose(found, order), sorted(along), b.shape(like))
    for axis, letter in enumerate(own):
        if own.index(letter) != axis:
            on_diagonal = b.cmp("eq", b.iota(b.shape(like), axis), b.iota(b.shape(like), own.index(letter)))
            found = b.select(on_diagonal, found, 0)
    return found


class Dot(_Contraction):
    """The product of two matrices, of matrix and vector, of vector and matrix, or the inner product of two vectors.

    lhs: tensor<MxK> or tensor<K>; rhs: tensor<KxN> or tensor<K>, of one element type. The sum accumulates in it, for f16 and
    bf16 in f32; `acc` names another type: `tir.dot %x, %y acc f64 : tensor<4x5xf32>`.
    """

    name = "tir.dot"
    lhs = operand(NUMBER_TENSOR)
    rhs = operand(NUMBER_TENSOR)
    result = result(NUMBER_TENSOR)
    format = "$lhs `,` $rhs (`acc` $acc_type^)? attr-dict `:` type($result)"

    def infer(self) -> Sequence[Type]:
        lhs, rhs = self.lhs.type, self.rhs.type
        if lhs.rank not in (1, 2) or rhs.rank not in (1, 2):
            fail(self, f"lhs and rhs must have rank 1 or 2, got {lhs.rank} and {rhs.rank}")
        if lhs.element is not rhs.element:
            fail(self, f"element types must be equal, got {lhs.element} of lhs and {rhs.element} of rhs")
        inner, other = lhs.shape[-1], rhs.shape[0]
        if merge_dims(inner, other) is None:
            sizes = f"{dim_text(inner)} (lhs axis {lhs.rank - 1}) and {dim_text(other)} (rhs axis 0)"
            fail(self, f"inner sizes must agree, got {sizes}")
        return [TensorType((*lhs.shape[:-1], *rhs.shape[1:]), lhs.element)]

    def reference(self, lhs: Any, rhs: Any) -> Any:
        dtype = accumulator_dtype(self, lhs)
        return rounded_sum(self, np.dot(lhs.astype(dtype, copy=False), rhs.astype(dtype, copy=False)))

    def letters(self) -> tuple[Sequence[str], str]:
        rows, columns = self.lhs.type.rank - 1, self.rhs.type.rank - 1
        return ("i" * rows + "k", "k" + "j" * columns), "i" * rows + "j" * columns

    def grad(self, b: Any, g: Any, lhs: Any, rhs: Any) -> list[Any]:
        ranks = self.lhs.type.rank, self.rhs.type.rank
        if ranks == (1, 1):
            return [b.repeat_along(g, [0], rhs) * rhs, b.repeat_along(g, [0], lhs) * lhs]
        if ranks == (2, 1):
            return [_outer(b, g, rhs, lhs), b.dot(b.transpose(lhs), g)]
        if ranks == (1, 2):
            return [b.dot(rhs, g), _outer(b, lhs, g, rhs)]
        return [b.dot(g, b.transpose(rhs)), b.dot(b.transpose(lhs), g)]


def _outer(b: Any, column: Any, row: Any, like: Any) -> Any:
    """column[i] * row[j], in the shape of `like`."""
    return b.repeat_along(column, [1], like) * b.repeat_along(row, [0], like)


class DotGeneral(_Contraction):
    """Products over batches: axes `batch` of both operands are the same loops, axes `contract` are summed.

    `tir.dot_general %a, %b batch [0] x [0] contract [2] x [1]` is the product of each pair of matrices. The result has
    the batch axes, then the other axes of lhs, then those of rhs, each in order (StableHLO's dot_general). Axis i of a
    list for lhs belongs to axis i of that for rhs. The sum accumulates as that of `tir.dot` does.
    """

    name = "tir.dot_general"
    lhs = operand(NUMBER_TENSOR)
    rhs = operand(NUMBER_TENSOR)
    lhs_batch = attribute(I64_ARRAY, default=())
    rhs_batch = attribute(I64_ARRAY, default=())
    lhs_contract = attribute(I64_ARRAY)
    rhs_contract = attribute(I64_ARRAY)
    result = result(NUMBER_TENSOR)
    format = (
        "$lhs `,` $rhs `batch` $lhs_batch `x` $rhs_batch `contract` $lhs_contract `x` $rhs_contract "
        "(`acc` $acc_type^)? attr-dict `:` type($result)"
    )

    def infer(self) -> Sequence[Type]:
        for name, used in (("lhs", (*self.lhs_batch, *self.lhs_contract)), ("rhs", (*self.rhs_batch, *self.rhs_contract))):
            check_axes(self, sorted(used), self.type_of(name).rank, f"batch and contract of {name}")
        if len(self.lhs_batch) != len(self.rhs_batch) or len(self.lhs_contract) != len(self.rhs_contract):
            lists = (self.lhs_batch, self.rhs_batch, self.lhs_contract, self.rhs_contract)
            got = "batch {} x {} contract {} x {}".format(*(list(axes) for axes in lists))
            fail(self, f"batch and contract must have as many axes of lhs as of rhs, got {got}")
        if self.lhs.type.rank + self.rhs.type.rank > len(LETTERS):
            fail(self, f"lhs and rhs must have at most {len(LETTERS)} axes together")
        return super().infer()

    def letters(self) -> tuple[Sequence[str], str]:
        fresh = iter(LETTERS)
        lhs = [next(fresh) for _ in range(self.lhs.type.rank)]
        shared = dict(zip((*self.rhs_batch, *self.rhs_contract), (*self.lhs_batch, *self.lhs_contract)))
        rhs = [lhs[shared[axis]] if axis in shared else next(fresh) for axis in range(self.rhs.type.rank)]
        batch = [lhs[axis] for axis in self.lhs_batch]
        free = [letter for letter in (*lhs, *rhs) if letter not in rhs or letter not in lhs]
        return ("".join(lhs), "".join(rhs)), "".join([*batch, *free])


class Einsum(_Contraction):
    """Sums of products in Einstein's notation: `tir.einsum "bij,bjk->bik" %a, %b` is the product of pairs of matrices.

    A letter for each axis; sums over the letters that the result, behind `->`, lacks. A letter twice in one operand is
    its diagonal. Each letter of the result stands there once and in some operand. One loop nest for all operands: of
    three or more the builder makes a chain of pairs. The sum accumulates as that of `tir.dot` does.
    """

    name = "tir.einsum"
    spec = attribute(STRING)
    xs = operand(NUMBER_TENSOR, variadic=True)
    result = result(NUMBER_TENSOR)
    format = "$spec $xs (`acc` $acc_type^)? attr-dict `:` type($result)"

    def infer(self) -> Sequence[Type]:
        match = re.fullmatch(r"([a-zA-Z]*(?:,[a-zA-Z]*)*)->([a-zA-Z]*)", self.spec)
        if match is None:
            fail(self, f'the form is letters, a comma between operands, then -> and letters, got "{self.spec}"')
        operands, out = self.letters()
        if len(operands) != len(self.xs):
            fail(self, f'"{self.spec}" is for {counted(len(operands), "operand")}, got {len(self.xs)}')
        for number, (axes, value) in enumerate(zip(operands, self.xs)):
            if len(axes) != value.type.rank:
                what = f"{counted(len(axes), 'letter')} for operand {number}"
                fail(self, f'"{self.spec}" has {what}, which has rank {value.type.rank}')
        for letter in out:
            if out.count(letter) > 1 or not any(letter in axes for axes in operands):
                got = f"got '{letter}' in \"{self.spec}\""
                fail(self, f"each letter of the result must be there once and in an operand, {got}")
        return super().infer()

    def letters(self) -> tuple[Sequence[str], str]:
        operands, _, out = self.spec.partition("->")
        return operands.split(","), out

    def operand_names(self) -> Sequence[str]:
        return [f"operand {number}" for number in range(len(self.xs))]


#: The ops of the family, in the order of the documentation.
OPS = (Dot, DotGeneral, Einsum)
