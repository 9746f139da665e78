"""Ops that put elements at other places by a fixed rule: concat, tile, repeat, triangles and diagonals of matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from tir.dialects.tir.base import (
    Elementwise,
    Place,
    Sequential,
    Shaped,
    Structure,
    Structured,
    check_axes,
    check_moderate,
    fail,
    merge_dims,
    same_shapes,
)
from tir.dialects.tir.elements import ELEMENT_TENSOR
from tir.ir.affine import AffineConstant, AffineExpr, AffineMap, AffineSymbol, affine
from tir.ir.define import attribute, operand, result
from tir.ir.ir import Value
from tir.ir.kinds import I64_ARRAY, I64_ATTR
from tir.ir.size_rules import SizeRule
from tir.ir.types import dim_text
from tir.lazy import np

__all__ = ["OPS"]


class Concat(Shaped):
    """The operands one behind the other along `axis`; their other sizes are equal: `tir.concat %x, %y axis 0`.

    Gradient: each operand gets its part of g.
    """

    batch_axes = ("axis",)

    name = "tir.concat"
    inputs = operand(ELEMENT_TENSOR, variadic=True)
    axis = attribute(I64_ATTR)
    result = result(ELEMENT_TENSOR)
    format = "$inputs `axis` $axis attr-dict `:` type($result)"

    def check_operands(self) -> None:
        if not self.inputs:
            fail(self, "needs at least one operand")
        first = self.inputs[0].type
        check_axes(self, [self.axis], first.rank, "axis")
        for number, value in enumerate(self.inputs):
            if value.type.rank != first.rank or value.type.element is not first.element:
                fail(self, f"operands must have one rank and element type, got {first} and {value.type}")
            for axis, (dim, other) in enumerate(zip(first.shape, value.type.shape)):
                if axis != self.axis and merge_dims(dim, other) is None:
                    got = f"{dim_text(dim)} (operand 0) and {dim_text(other)} (operand {number})"
                    fail(self, f"sizes of axis {axis} must agree, got {got}")

    def result_shape(self, *shapes: Sequence[AffineExpr]) -> Sequence[AffineExpr]:
        found = [_known([shape[axis] for shape in shapes]) for axis in range(len(shapes[0]))]
        found[self.axis] = affine(0)
        for shape in shapes:
            found[self.axis] = found[self.axis] + shape[self.axis]
        return found

    def same_sizes(self) -> Sequence[tuple[Place, Place]]:
        return [pair for pair in same_shapes(self.inputs) if pair[0][1] != self.axis]

    def reference(self, *inputs: Any) -> Any:
        return np.concatenate(inputs, self.axis)

    def grad(self, b: Any, g: Any, *inputs: Any) -> list[Any]:
        return b.parts_of(g, self.axis, inputs)


def _known(sizes: Sequence[AffineExpr]) -> AffineExpr:
    """The one that says most of some equal sizes: a number, else one with a name, else any."""
    return min(sizes, key=lambda size: 0 if isinstance(size, AffineConstant) else 1 + isinstance(size, AffineSymbol))


class _Repeating(Shaped, Structured):
    """Copies of x along its axes: an element of the result is read from x."""

    x = operand(ELEMENT_TENSOR)
    result = result(ELEMENT_TENSOR)

    def inputs(self) -> list[Value]:
        return []

    def structure(self) -> Structure:
        rank = self.x.type.rank
        return Structure(("parallel",) * rank, (), (AffineMap.identity(rank),))


class Tile(_Repeating):
    """x as a whole, `reps[i]` times along axis i: `tir.tile %x by [2, 1]`. Gradient: the sum over the copies."""

    batch_axes = ()
    batch_entries = {"reps": 1}

    name = "tir.tile"
    reps = attribute(I64_ARRAY)
    format = "$x `by` $reps attr-dict `:` type($result)"

    def check_operands(self) -> None:
        if len(self.reps) != self.x.type.rank or min(self.reps, default=0) < 0:
            rank, got = self.x.type.rank, list(self.reps)
            fail(self, f"by needs a count of at least 0 for each of the {rank} axes of x, got {got}")
        check_moderate(self, "reps", self.reps)

    def result_shape(self, x: Sequence[AffineExpr]) -> Sequence[AffineExpr]:
        return [size * count for size, count in zip(x, self.reps)]

    def reference(self, x: Any) -> Any:
        return np.tile(x, self.reps)

    def element(self, s: Any) -> Any:
        def place(axis: int) -> Any:
            here = s.index(axis)
            return here if self.reps[axis] == 1 else s.rem(here, s.size(self.x, axis))

        return s.extract(self.x, [place(axis) for axis in range(self.x.type.rank)])

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        split = [extent for pair in zip(self.reps, b.shape(x)) for extent in pair]
        return [b.sum(b.reshape(g, split), range(0, len(split), 2))]


class Repeat(_Repeating):
    """Each element of x `times` times, side by side along `axis`: `tir.repeat %x times 2 axis 0`.

    Gradient: the sum over the copies.
    """

    batch_axes = ("axis",)

    name = "tir.repeat"
    times = attribute(I64_ATTR)
    axis = attribute(I64_ATTR)
    format = "$x `times` $times `axis` $axis attr-dict `:` type($result)"

    def check_operands(self) -> None:
        check_axes(self, [self.axis], self.x.type.rank, "axis")
        if self.times < 0:
            fail(self, f"times must be at least 0, got {self.times}")
        check_moderate(self, "times", [self.times])

    def result_shape(self, x: Sequence[AffineExpr]) -> Sequence[AffineExpr]:
        return [size * self.times if axis == self.axis else size for axis, size in enumerate(x)]

    def reference(self, x: Any) -> Any:
        behind = self.axis + 1
        sizes = (*x.shape[:behind], self.times, *x.shape[behind:])
        # np.repeat writes outside of its memory where the number of elements overflows.
        spread = np.broadcast_to(np.expand_dims(x, behind), sizes)
        return spread.reshape(*x.shape[: self.axis], x.shape[self.axis] * self.times, *x.shape[behind:])

    def element(self, s: Any) -> Any:
        places = [s.index(axis) for axis in range(self.x.type.rank)]
        # With 0 times there is no element to say; the divisor must still not be 0.
        places[self.axis] = s.div(places[self.axis], s.const(max(self.times, 1), places[self.axis]))
        return s.extract(self.x, places)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        shape = b.shape(x)
        split = [*shape[: self.axis + 1], self.times, *shape[self.axis + 1 :]]
        return [b.sum(b.reshape(g, split), self.axis + 1)]


# --- matrices: the last two axes ---------------------------------------------------------------------------------


class _Triangle(Elementwise):
    """The matrices in the last two axes of x, with 0 on one side of a diagonal."""

    x = operand(ELEMENT_TENSOR)
    diagonal = attribute(I64_ATTR)
    result = result(ELEMENT_TENSOR)
    format = "$x `diagonal` $diagonal attr-dict `:` type($result)"
    same_everywhere = False
    #: How column - row compares with the diagonal where x stays.
    kept: ClassVar[str]

    def verify(self) -> None:
        if self.x.type.rank < 2:
            fail(self, f"x must have rank 2 or more, got {self.x.type}")

    def element(self, s: Any, x: Any) -> Any:
        rank = self.x.type.rank
        away = s.sub(s.index(rank - 1), s.index(rank - 2))
        return s.select(s.cmp(self.kept, away, s.const(self.diagonal, away)), x, s.const(0, x))


class Tril(_Triangle):
    """x with 0 above a diagonal of its matrices (the last two axes): 0 is the main one, 1 the one above it.

    Gradient: that of g.
    """

    name = "tir.tril"
    kept = "le"

    def reference(self, x: Any) -> Any:
        return np.tril(x, self.diagonal)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [b.tril(g, self.diagonal)]


class Triu(_Triangle):
    """x with 0 below a diagonal of its matrices (the last two axes): 0 is the main one, 1 the one above it.

    Gradient: that of g.
    """

    name = "tir.triu"
    kept = "ge"

    def reference(self, x: Any) -> Any:
        return np.triu(x, self.diagonal)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [b.triu(g, self.diagonal)]


class Diag(Shaped, Sequential):
    """Square matrices, in the last two axes, with the last axis of x on a diagonal and 0 elsewhere.

    n numbers on diagonal k, counted as by tir.tril, make n + |k| rows. Gradient: that diagonal of g.
    """

    batch_axes = ()

    name = "tir.diag"
    x = operand(ELEMENT_TENSOR)
    diagonal = attribute(I64_ATTR)
    result = result(ELEMENT_TENSOR)
    format = "$x `diagonal` $diagonal attr-dict `:` type($result)"

    def check_operands(self) -> None:
        if self.x.type.rank < 1:
            fail(self, f"x must have rank 1 or more, got {self.x.type}")

    def result_shape(self, x: Sequence[AffineExpr]) -> Sequence[AffineExpr]:
        side = x[-1] + abs(self.diagonal)
        return [*x[:-1], side, side]

    def reference(self, x: Any) -> Any:
        side = x.shape[-1] + abs(self.diagonal)
        found = np.zeros((*x.shape[:-1], side, side), x.dtype)
        along = np.arange(x.shape[-1])
        found[..., along + max(-self.diagonal, 0), along + max(self.diagonal, 0)] = x
        return found

    def program(self, p: Any, x: Any) -> list[Any]:
        out = p.result(fill=0)

        def step(places: list[Any]) -> None:
            *front, i = places
            row, column = (p.add(i, p.const(max(k, 0), i)) for k in (-self.diagonal, self.diagonal))
            p.store(out, [*front, row, column], p.load(x, places))

        p.nest([p.size(x, axis) for axis in range(self.x.type.rank)], step, changes=[out])
        return [out]

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [b.diag_part(g, self.diagonal)]


class DiagPart(Shaped, Structured):
    """A diagonal of the matrices in the last two axes of x, as the last axis: `tir.diag_part %x diagonal 1`.

    The last two sizes of x are both numbers, or equal; of others, slice first. Gradient: g on that diagonal.
    """

    batch_axes = ()

    name = "tir.diag_part"
    x = operand(ELEMENT_TENSOR)
    diagonal = attribute(I64_ATTR)
    result = result(ELEMENT_TENSOR)
    format = "$x `diagonal` $diagonal attr-dict `:` type($result)"

    @property
    def first(self) -> tuple[int, int]:
        """Row and column of the first element."""
        return max(-self.diagonal, 0), max(self.diagonal, 0)

    def check_operands(self) -> None:
        type = self.x.type
        if type.rank < 2:
            fail(self, f"x must have rank 2 or more, got {type}")
        rows, columns = type.shape[-2:]
        if not (isinstance(rows, int) and isinstance(columns, int)) and merge_dims(rows, columns) is None:
            fail(self, f"the last two sizes of x must be numbers or equal, got {dim_text(rows)} and {dim_text(columns)}")

    def result_shape(self, x: Sequence[AffineExpr]) -> Sequence[AffineExpr]:
        *front, rows, columns = (affine(size) for size in x)
        if isinstance(rows, AffineConstant) and isinstance(columns, AffineConstant):
            return [*front, affine(max(min(rows.value - self.first[0], columns.value - self.first[1]), 0))]
        return [*front, _known([rows, columns]) - abs(self.diagonal)]

    def _has_numbers(self) -> bool:
        return all(isinstance(dim, int) for dim in self.x.type.shape[-2:])

    def size_rules(self, *shapes: Sequence[AffineExpr]) -> Sequence[SizeRule]:
        rows, columns = shapes[0][-2:]
        if self._has_numbers():
            return []
        axis, least = len(shapes[0]) - 2, affine(abs(self.diagonal))
        return [
            SizeRule(rows, "eq", columns, "the last two sizes of x must be equal"),
            SizeRule(rows, "ge", least, f"axis {axis} of x must have at least the size that diagonal {self.diagonal} needs"),
        ]

    def reference(self, x: Any) -> Any:
        return np.diagonal(x, self.diagonal, -2, -1)

    def inputs(self) -> list[Value]:
        return []

    def structure(self) -> Structure:
        rank = self.x.type.rank - 1
        return Structure(("parallel",) * rank, (), (AffineMap.identity(rank),))

    def element(self, s: Any) -> Any:
        *front, i = (s.index(axis) for axis in range(self.x.type.rank - 1))
        return s.extract(self.x, [*front, *(s.add(i, s.const(first, i)) for first in self.first)])

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        matrix = b.diag(g, self.diagonal)
        if not self._has_numbers():
            return [matrix]
        # Of a matrix that is not square, the rest of its rows or columns is cut off or added.
        sides = zip(x.type.shape[-2:], matrix.type.shape[-2:])
        more = [want - got for want, got in sides]
        none = [0] * (x.type.rank - 2)
        if min(more) < 0:
            limits = [*none, *(min(m, 0) for m in more)]
            matrix = b.slice(matrix, [0] * len(limits), limits)
        if max(more) > 0:
            highs = [*none, *(max(m, 0) for m in more)]
            matrix = b.place(matrix, [0] * len(highs), [-high for high in highs], [1] * len(highs), b.shape(x))
        return [matrix]


#: The ops of the family, in the order of the documentation.
OPS = (Concat, Tile, Repeat, Tril, Triu, Diag, DiagPart)
