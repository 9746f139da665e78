"""Builder methods for products: dot, matmul as numpy has it, einsum with `...` and chains of operands."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tir.dialects.tir import linalg
from tir.dialects.tir.build.core import Tensor, TensorLike
from tir.dialects.tir.build.sorting import SortingBuilder
from tir.ir.errors import TirError, counted

__all__ = ["ProductBuilder"]


class ProductBuilder(SortingBuilder):
    """Products of vectors, matrices and tensors."""

    def dot(self, x: TensorLike, y: TensorLike) -> Tensor:
        """The product of vectors and matrices, in any combination."""
        (x, y), _ = self._promote(self.tensor(x), self.tensor(y))
        return self.make(linalg.Dot, x, y)

    def dot_general(
        self, x: TensorLike, y: TensorLike, contract: tuple[Sequence[int], Sequence[int]],
        batch: tuple[Sequence[int], Sequence[int]] = ((), ()),
    ) -> Tensor:  # fmt: skip
        """Products over the batch axes, summed over the contracted ones: see `tir.dot_general`."""
        (x, y), _ = self._promote(self.tensor(x), self.tensor(y))
        lists = {"lhs_batch": batch[0], "rhs_batch": batch[1], "lhs_contract": contract[0], "rhs_contract": contract[1]}
        return self.make(linalg.DotGeneral, x, y, **{name: list(axes) for name, axes in lists.items()})

    def matmul(self, x: TensorLike, y: TensorLike) -> Tensor:
        """numpy's matmul: the last two axes are matrices, those in front a batch that is broadcast."""
        x, y = self.tensor(x), self.tensor(y)
        if min(x.type.rank, y.type.rank) == 0:
            raise TirError(f"matmul needs operands of rank 1 or more, got {x.type} and {y.type}")
        if x.type.rank <= 2 and y.type.rank <= 2:
            return self.dot(x, y)
        left, right = ("k" if x.type.rank == 1 else "...ik"), ("k" if y.type.rank == 1 else "...kj")
        out = "..." + "i" * (x.type.rank > 1) + "j" * (y.type.rank > 1)
        return self.einsum(f"{left},{right}->{out}", x, y)

    def einsum(self, spec: str, *xs: TensorLike) -> Tensor:
        """numpy's einsum: without `->` the result has the letters that occur once, sorted; `...` broadcasts.

        Three or more operands are taken two at a time, from the left.
        """
        tensors = [self.tensor(x) for x in self._promote(*(self.tensor(x) for x in xs))[0]]
        operands, out = _spelled_out(spec, [x.type.rank for x in tensors])
        pending = [self._squeezed(number, tensors, operands) for number in range(len(tensors))]
        while len(pending) > 2:
            (x, first), (y, second), *rest = pending
            later = out + "".join(axes for _, axes in rest)
            kept = "".join(letter for letter in dict.fromkeys(first + second) if letter in later)
            pending = [(self._einsum([(x, first), (y, second)], kept), kept), *rest]
        return self._einsum(pending, out)

    def _einsum(self, factors: Sequence[tuple[Tensor, str]], out: str) -> Tensor:
        if len(factors) == 1 and sorted(factors[0][1]) == sorted(out):
            (x, axes) = factors[0]
            return self.transpose(x, [axes.index(letter) for letter in out])
        *operands, result = _in_plain_letters([*(axes for _, axes in factors), out])
        return self.make(linalg.Einsum, [x.value for x, _ in factors], spec=f"{','.join(operands)}->{result}")

    def _squeezed(self, number: int, tensors: Sequence[Tensor], operands: Sequence[str]) -> tuple[Tensor, str]:
        """Operand `number` without the axes of size 1 of its `...` along which another operand says the size."""
        x, axes = tensors[number], operands[number]

        def is_said(letter: str) -> bool:
            others = ((i, other.index(letter)) for i, other in enumerate(operands) if i != number and letter in other)
            return any(i > number or tensors[i].type.shape[axis] != 1 for i, axis in others)

        dropped = [
            axis
            for axis, letter in enumerate(axes)
            if letter in _BATCH and x.type.shape[axis] == 1 and is_said(letter)
        ]
        if not dropped:
            return x, axes
        kept = [extent for axis, extent in enumerate(self.shape(x)) if axis not in dropped]
        return self.reshape(x, kept), "".join(letter for axis, letter in enumerate(axes) if axis not in dropped)


#: The letters that `...` stands for, from its last axis on; no spec has them.
_BATCH = "".join(chr(code) for code in range(0x100, 0x120))


def _in_plain_letters(parts: Sequence[str]) -> list[str]:
    """The parts with the letters of `...` replaced by ones that none of them has."""
    used = sorted(set("".join(parts)))
    fresh = (letter for letter in linalg.LETTERS if letter not in used)
    plain = {letter: next(fresh) for letter in used if letter in _BATCH}
    return ["".join(plain.get(letter, letter) for letter in part) for part in parts]


def _spelled_out(spec: str, ranks: Sequence[int]) -> tuple[list[str], str]:
    """The letters of each operand and of the result, `...` as letters of their own. TirError if they do not fit."""
    text = spec.replace(" ", "")
    if re.fullmatch(r"(?:[a-zA-Z]|,|\.\.\.)*(?:->(?:[a-zA-Z]|\.\.\.)*)?", text) is None:
        form = "letters and '...', a comma between operands, then -> and letters"
        raise TirError(f'einsum: the form is {form}, got "{spec}"')
    left, arrow, out = text.partition("->")
    parts = left.split(",")
    if len(parts) != len(ranks):
        raise TirError(f'einsum: "{spec}" is for {counted(len(parts), "operand")}, got {len(ranks)}')
    operands, longest = [], 0
    for number, (part, rank) in enumerate(zip(parts, ranks)):
        more = rank - len(part.replace("...", ""))
        if more < 0 or (more and "..." not in part):
            raise TirError(f'einsum: "{part}" does not fit operand {number}, which has rank {rank}')
        longest = max(longest, more)
        operands.append(part.replace("...", _BATCH[:more][::-1]))
    if not arrow:
        letters = "".join(parts).replace("...", "")
        out = "..." * (longest > 0) + "".join(sorted(letter for letter in set(letters) if letters.count(letter) == 1))
    return operands, out.replace("...", _BATCH[:longest][::-1])
