"""Reductions: ops that fold axes of a tensor into one number each.

The order of a fold is not promised, so sums of floats may differ by n * eps * sum|x|, with the eps of the type that they
accumulate in: f32 for f16 and bf16, else their own, or the one that `acc` names: `tir.sum %x over [0] acc f64 : ..`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from tir.dialects.numeric import float_to_float, of_type
from tir.dialects.tir.base import (
    Accumulating,
    AxisReduction,
    NotDifferentiable,
    Reduction,
    Structure,
    check_axes,
    drop_axes,
)
from tir.dialects.tir.elements import BOOL_TENSOR, BOOLS, INTEGERS, NUMBER_TENSOR, highest, is_unsigned, lowest
from tir.ir.affine import AffineMap
from tir.ir.define import attribute, operand, result
from tir.ir.execution import numpy_dtype
from tir.ir.kinds import I64_ATTR, exactly, integer_enum, one_of, tensor_of
from tir.ir.types import I64, TensorType, Type
from tir.lazy import np

__all__ = ["OPS", "TIES", "accumulator_dtype", "contracted", "rounded_sum"]

BITS_TENSOR = tensor_of(one_of(INTEGERS, BOOLS))


class _Accumulating(Accumulating, AxisReduction):
    """A sum or product over axes: `tir.sum %x over [0] acc f64 : tensor<f32>`."""

    format = "$x `over` $axes (`acc` $acc_type^)? attr-dict `:` type($result)"

    def folded(self, fold: Any, x: Any) -> Any:
        """numpy's fold in the type of the accumulator, cast back; its order must not depend on where elements lie."""
        x = np.asarray(x, order="C")
        return rounded_sum(self, fold(x, axis=tuple(self.axes), dtype=accumulator_dtype(self, x)))


def accumulator_dtype(op: Accumulating, x: Any) -> Any:
    """numpy's dtype for the accumulator of `op`; that of `x` if it is even wider, as where semantics are measured."""
    return np.promote_types(numpy_dtype(op.accumulator_type()), x.dtype)


def rounded_sum(op: Accumulating, wide: Any) -> Any:
    """What `op` accumulated, in the type of its result."""
    wide = np.asarray(wide)
    return float_to_float(wide, op.result_type) if wide.dtype.kind == "f" else of_type(wide, op.result_type)


class Sum(_Accumulating):
    """The sum over `axes`; 0 of nothing.

    f16 and bf16 accumulate in f32; `acc` names another type. Gradient: g, repeated along the axes.
    """

    name = "tir.sum"

    def reference(self, x: Any) -> Any:
        return self.folded(np.sum, x)

    def identity(self, element: Type) -> Any:
        return 0

    def combine(self, s: Any, accumulated: Any, term: Any) -> Any:
        return s.add(accumulated, term)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [b.repeat_along(g, self.axes, x)]


class Prod(_Accumulating):
    """The product over `axes`; 1 of nothing. f16 and bf16 accumulate in f32; `acc` names another type.

    Gradient: the product of the other factors, exact at any order also where factors are 0.
    """

    name = "tir.prod"

    def reference(self, x: Any) -> Any:
        return self.folded(np.prod, x)

    def identity(self, element: Type) -> Any:
        return 1

    def combine(self, s: Any, accumulated: Any, term: Any) -> Any:
        return s.mul(accumulated, term)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        # Along one axis after the other, the products of the factors before and behind: without a division, which 0 forbids.
        partial, others = b.cast(x, self.accumulator_type()), 1
        for i in reversed(range(len(self.axes))):
            axis, gone = self.axes[i], self.axes[i + 1 :]
            before, behind = (b.cumprod(partial, axis, exclusive=True, reverse=reverse) for reverse in (False, True))
            others = others * b.repeat_along(before * behind, gone, x)
            partial = b.prod(partial, [axis])
        return [b.cast(b.repeat_along(b.cast(g, self.accumulator_type()), self.axes, x) * others, x.type.element)]


def contracted(spec: str, *arrays: Any, dtype: Any) -> Any:
    """np.einsum in this dtype, each product computed by itself.

    Of an array that repeats elements in memory it would take one factor out of a sum, and inf * (1 - 2) is not the nan that
    inf * 1 + inf * -2 is. In f16 it may read memory that nobody wrote where an array is empty.
    """
    if any(np.size(x) == 0 for x in arrays):
        operands, _, out = spec.partition("->")
        sizes = {letter: size for axes, x in zip(operands.split(","), arrays) for letter, size in zip(axes, np.shape(x))}
        return np.zeros([sizes[letter] for letter in out], dtype)
    own = [np.array(x) if 0 in np.asarray(x).strides else x for x in arrays]
    return np.einsum(spec, *own, dtype=dtype, casting="unsafe")


TIES = ("all", "split", "first")


class _Extremum(AxisReduction):
    """Max or min. `ties` says what the gradient gives to several elements that equal the result."""

    ties = attribute(integer_enum(TIES), default="all")
    format = "$x `over` $axes (`ties` $ties^)? attr-dict `:` type($result)"

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        chosen = b.cmp("eq", x, b.repeat_along(b.tensor(self.result), self.axes, x))
        chosen = b.or_(chosen, b.is_nan(x))  # where one is nan, so is the result, and nan equals nothing
        if self.ties == "split":
            g = g / b.sum(b.cast(chosen, x.type.element), self.axes)
        elif self.ties == "first":
            place = b.numbered(x)
            first = b.min(b.select(chosen, place, highest(I64)), self.axes)
            chosen = b.cmp("eq", place, b.repeat_along(first, self.axes, x))
        return [b.select(chosen, b.repeat_along(g, self.axes, x), 0)]


class Max(_Extremum):
    """The largest over `axes`; nan if one is nan; +0.0 of zeros unless all are -0.0.

    Of nothing: -inf, for integers the lowest of the type. Gradient: each element that equals the result gets all of g;
    with `ties split` these share it, with `ties first` the first in row-major order gets it. Of a nan they are the nans.
    """

    name = "tir.max"

    def reference(self, x: Any) -> Any:
        if x.dtype.kind == "f":
            return largest(x, tuple(self.axes))
        return np.max(x, axis=tuple(self.axes), initial=lowest(self.x.type.element))

    def identity(self, element: Type) -> Any:
        return lowest(element)

    def combine(self, s: Any, accumulated: Any, term: Any) -> Any:
        return s.maximum(accumulated, term)


class Min(_Extremum):
    """The smallest over `axes`; nan if one is nan; -0.0 of zeros unless all are +0.0.

    Of nothing: +inf, for integers the largest of the type. Gradient: as that of tir.max.
    """

    name = "tir.min"

    def reference(self, x: Any) -> Any:
        if x.dtype.kind == "f":
            return -largest(-x, tuple(self.axes))
        return np.min(x, axis=tuple(self.axes), initial=highest(self.x.type.element))

    def identity(self, element: Type) -> Any:
        return highest(element)

    def combine(self, s: Any, accumulated: Any, term: Any) -> Any:
        return s.minimum(accumulated, term)


def largest(x: Any, axes: tuple[int, ...]) -> Any:
    """The largest float over the axes; numpy leaves open which zero of -0.0 and +0.0 it gives, this is +0.0."""
    found = np.max(x, axis=axes, initial=-np.inf)
    positive_zero = np.any((x == 0) & ~np.signbit(x), axis=axes)
    return np.where((found == 0) & positive_zero, x.dtype.type(0), found)


class _Logical(AxisReduction):
    """A reduction of truth values; no gradient flows."""

    x = operand(BOOL_TENSOR)
    result = result(BOOL_TENSOR)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [None]


class All(_Logical):
    """Whether all are true over `axes`; true of nothing."""

    name = "tir.all"

    def reference(self, x: Any) -> Any:
        return np.all(x, axis=tuple(self.axes))

    def identity(self, element: Type) -> Any:
        return True

    def combine(self, s: Any, accumulated: Any, term: Any) -> Any:
        return s.and_(accumulated, term)


class AnyOp(_Logical):
    """Whether one is true over `axes`; false of nothing."""

    name = "tir.any"

    def reference(self, x: Any) -> Any:
        return np.any(x, axis=tuple(self.axes))

    def identity(self, element: Type) -> Any:
        return False

    def combine(self, s: Any, accumulated: Any, term: Any) -> Any:
        return s.or_(accumulated, term)


class _Bitwise(AxisReduction):
    """Folds the bits of integers or truth values; no gradient flows."""

    x = operand(BITS_TENSOR)
    result = result(BITS_TENSOR)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [None]


class ReduceAnd(_Bitwise):
    """The bits that all have over `axes`; all bits of nothing."""

    name = "tir.reduce_and"

    def reference(self, x: Any) -> Any:
        return np.bitwise_and.reduce(x, axis=tuple(self.axes))

    def identity(self, element: Type) -> Any:
        return highest(element) if is_unsigned(element) else -1

    def combine(self, s: Any, accumulated: Any, term: Any) -> Any:
        return s.and_(accumulated, term)


class ReduceOr(_Bitwise):
    """The bits that one has over `axes`; 0 of nothing."""

    name = "tir.reduce_or"

    def reference(self, x: Any) -> Any:
        return np.bitwise_or.reduce(x, axis=tuple(self.axes))

    def identity(self, element: Type) -> Any:
        return 0

    def combine(self, s: Any, accumulated: Any, term: Any) -> Any:
        return s.or_(accumulated, term)


class ReduceXor(_Bitwise):
    """The bits that an odd number has over `axes`; 0 of nothing."""

    name = "tir.reduce_xor"

    def reference(self, x: Any) -> Any:
        return np.bitwise_xor.reduce(x, axis=tuple(self.axes))

    def identity(self, element: Type) -> Any:
        return 0

    def combine(self, s: Any, accumulated: Any, term: Any) -> Any:
        return s.xor(accumulated, term)


class _ArgExtremum(Reduction):
    """A position along `axis`. Two accumulators, the best so far and its position; only the position is a result."""

    batch_axes = ("axis",)

    x = operand(NUMBER_TENSOR)
    axis = attribute(I64_ATTR)
    result = result(tensor_of(exactly(I64)))
    format = "$x `axis` $axis attr-dict `:` type($result)"
    kept_accumulators = (1,)
    grad = NotDifferentiable("a position is a whole number and changes in steps")
    #: How the best stands to the others.
    relation: ClassVar[str]

    def infer(self) -> Sequence[Type]:
        check_axes(self, [self.axis], self.x.type.rank, "axis")
        return [TensorType(drop_axes(self.x.type.shape, [self.axis]), I64)]

    def reference(self, x: Any) -> Any:
        if x.shape[self.axis] == 0:
            return np.zeros(drop_axes(x.shape, [self.axis]), np.int64)
        return self.find(x).astype(np.int64)

    def find(self, x: Any) -> Any:
        """The positions in an array with some."""
        raise AssertionError(f"{self.name} has no meaning")

    def structure(self) -> Structure:
        rank = self.x.type.rank
        iterators = tuple("reduction" if axis == self.axis else "parallel" for axis in range(rank))
        kept = AffineMap.of_dims(rank, [axis for axis in range(rank) if axis != self.axis])
        return Structure(iterators, (AffineMap.identity(rank),), (kept, kept))

    def accumulators(self) -> Sequence[tuple[Type, Any]]:
        element = self.x.type.element
        worst = lowest(element) if self.relation == "gt" else highest(element)
        return [(element, worst), (I64, 0)]

    def step(self, s: Any, accumulated: Sequence[Any], scalars: Sequence[Any]) -> Sequence[Any]:
        (best, place), (x,) = accumulated, scalars
        here = s.cast(s.index(self.axis), I64)
        is_nan, was_nan = s.cmp("ne", x, x), s.cmp("ne", best, best)
        beats = s.or_(s.cmp(self.relation, x, best), s.and_(is_nan, s.cmp("eq", best, best)))
        equal = s.or_(s.cmp("eq", x, best), s.and_(is_nan, was_nan))
        # The position decides between equals, so the result does not depend on the order of the fold.
        better = s.or_(beats, s.and_(equal, s.cmp("lt", here, place)))
        return [s.select(better, x, best), s.select(better, here, place)]


class Argmax(_ArgExtremum):
    """The position of the largest along `axis`, as i64: of several the first; of nan the first nan; 0 of nothing."""

    name = "tir.argmax"
    relation = "gt"

    def find(self, x: Any) -> Any:
        return np.argmax(x, axis=self.axis)


class Argmin(_ArgExtremum):
    """The position of the smallest along `axis`, as i64: of several the first; of nan the first nan; 0 of nothing."""

    name = "tir.argmin"
    relation = "lt"

    def find(self, x: Any) -> Any:
        return np.argmin(x, axis=self.axis)


#: The ops of the family, in the order of the documentation.
OPS = (Sum, Prod, Max, Min, All, AnyOp, ReduceAnd, ReduceOr, ReduceXor, Argmax, Argmin)
