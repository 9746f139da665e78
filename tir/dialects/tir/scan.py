"""Running sums and products along an axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from tir.dialects.tir.base import NUMBER_TENSOR, Sequential, Shaped, check_axes, wide_type
from tir.ir.affine import AffineExpr
from tir.ir.define import attribute, operand, result
from tir.ir.kinds import I64_ATTR, UNIT
from tir.lazy import np

__all__ = ["OPS"]


class _Cumulative(Shaped, Sequential):
    """Each element with all before it along `axis`; `exclusive` leaves out the element itself, `reverse` goes backwards.

    The elements are taken in the order of the axis, f16 and bf16 in f32; integers wrap.
    """

    x = operand(NUMBER_TENSOR)
    axis = attribute(I64_ATTR)
    exclusive = attribute(UNIT, optional=True)
    reverse = attribute(UNIT, optional=True)
    result = result(NUMBER_TENSOR)
    format = "$x `axis` $axis (`exclusive` $exclusive^)? (`reverse` $reverse^)? attr-dict `:` type($result)"
    #: What an empty run gives.
    identity: ClassVar[int]

    def check_operands(self) -> None:
        check_axes(self, [self.axis], self.x.type.rank, "axis")

    def result_shape(self, x: Sequence[AffineExpr]) -> Sequence[AffineExpr]:
        return x

    def combine(self, s: Any, total: Any, x: Any) -> Any:
        """The total with one more element; `s` may be numpy's names too."""
        raise AssertionError(f"{self.name} has no combine")

    def accumulate(self, x: Any) -> Any:
        """The running totals along the axis, in numpy."""
        raise AssertionError(f"{self.name} has no meaning")

    def reference(self, x: Any) -> Any:
        narrow = x.dtype
        x = x.astype(np.promote_types(narrow, np.float32)) if narrow.kind == "f" else x
        x = np.flip(x, self.axis) if self.reverse else x
        found = self.accumulate(x)
        if self.exclusive:
            first = np.full_like(np.take(x, [0], self.axis) if x.shape[self.axis] else x, self.identity)
            kept = np.take(found, range(found.shape[self.axis] - 1), self.axis) if x.shape[self.axis] else found
            found = np.concatenate([first, kept], self.axis) if x.shape[self.axis] else found
        return (np.flip(found, self.axis) if self.reverse else found).astype(narrow)

    def program(self, p: Any, x: Any) -> list[Any]:
        out, size = p.result(), p.size(x, self.axis)
        wide = wide_type(out.element)
        others = [p.size(x, axis) for axis in range(self.x.type.rank) if axis != self.axis]
        last = p.sub(size, p.const(1, size))

        def row(places: list[Any]) -> None:
            def step(i: Any, total: Any) -> list[Any]:
                at = p.sub(last, i) if self.reverse else i
                here = [*places[: self.axis], at, *places[self.axis :]]
                more = self.combine(p, total, p.cast(p.load(x, here), wide))
                p.store(out, here, p.cast(total if self.exclusive else more, out.element))
                return [more]

            p.loop(0, size, step, changes=[out], carry=[p.const(self.identity, wide)])

        p.nest(others, row, changes=[out])
        return [out]


class Cumsum(_Cumulative):
    """The sum of each element and all before it along `axis`.

    `exclusive`: without the element itself, so that the first sum is 0; `reverse`: from the end. Integers wrap. The sum
    is taken in the order of the axis. Gradient: the sum of g from the other end.
    """

    name = "tir.cumsum"
    identity = 0

    def combine(self, s: Any, total: Any, x: Any) -> Any:
        return s.add(total, x)

    def accumulate(self, x: Any) -> Any:
        return np.cumsum(x, self.axis, dtype=x.dtype)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [b.cumsum(g, self.axis, exclusive=bool(self.exclusive), reverse=not self.reverse)]


#: The ops of the family, in the order of the documentation.
OPS = (Cumsum,)
