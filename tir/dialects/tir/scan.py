"""Running sums, products and records along an axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from tir.dialects.tir.base import NUMBER_TENSOR, Sequential, Shaped, check_axes, highest, lowest, wide_type
from tir.ir.affine import AffineExpr
from tir.ir.define import attribute, operand, result
from tir.ir.kinds import I64_ATTR, UNIT
from tir.ir.types import I64, Type
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

    def identity(self, element: Type) -> Any:
        """What an empty run gives."""
        raise AssertionError(f"{self.name} has no identity")

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
            first = np.full_like(np.take(x, [0], self.axis) if x.shape[self.axis] else x, self.identity(self.x.type.element))
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

            p.loop(0, size, step, changes=[out], carry=[p.const(self.identity(wide), wide)])

        p.nest(others, row, changes=[out])
        return [out]


class Cumsum(_Cumulative):
    """The sum of each element and all before it along `axis`.

    `exclusive`: without the element itself, so that the first sum is 0; `reverse`: from the end. Integers wrap. The sum
    is taken in the order of the axis. Gradient: the sum of g from the other end.
    """

    name = "tir.cumsum"

    def identity(self, element: Type) -> Any:
        return 0

    def combine(self, s: Any, total: Any, x: Any) -> Any:
        return s.add(total, x)

    def accumulate(self, x: Any) -> Any:
        return np.cumsum(x, self.axis, dtype=x.dtype)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [b.cumsum(g, self.axis, exclusive=bool(self.exclusive), reverse=not self.reverse)]


class Cumprod(_Cumulative):
    """The product of each element and all before it along `axis`.

    `exclusive`: without the element itself, so that the first product is 1; `reverse`: from the end. Integers wrap.
    Gradient: of an element what g of the products that have it takes of their other factors, exact also where factors
    are 0; its own gradient is exact only where none is.
    """

    name = "tir.cumprod"

    def identity(self, element: Type) -> Any:
        return 1

    def combine(self, s: Any, total: Any, x: Any) -> Any:
        return s.mul(total, x)

    def accumulate(self, x: Any) -> Any:
        return np.cumprod(x, self.axis, dtype=x.dtype)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        is_zero, reverse = b.cmp("eq", x, 0), bool(self.reverse)
        before = b.cumsum(b.cast(is_zero, I64), self.axis, exclusive=True, reverse=reverse)
        first = b.and_(is_zero, b.cmp("eq", before, 0))
        # Products behind the first zero are 0 and depend on it alone: there they are taken without it.
        through = self._sum_behind(b, g * self._again(b, b.select(first, 1, x)))
        clear = b.and_(b.not_(is_zero), b.cmp("eq", before, 0))
        plain = self._sum_behind(b, g * b.tensor(self.result)) / b.select(clear, x, 1)
        return [b.select(first, through, b.select(clear, plain, 0))]

    def _again(self, b: Any, x: Any) -> Any:
        return b.cumprod(x, self.axis, exclusive=bool(self.exclusive), reverse=bool(self.reverse))

    def _sum_behind(self, b: Any, x: Any) -> Any:
        """The sum over the results that an element is in."""
        return b.cumsum(x, self.axis, exclusive=bool(self.exclusive), reverse=not self.reverse)


class _Record(_Cumulative):
    """The best so far. Gradient: to the first element that is as good, along the direction of the scan."""

    #: How a better element stands to the best before.
    relation: ClassVar[str]

    def accumulate(self, x: Any) -> Any:
        rows = np.moveaxis(x, self.axis, 0)
        found = np.empty_like(rows)
        best = np.full(rows.shape[1:], self.identity(self.x.type.element), x.dtype)
        for i, row in enumerate(rows):
            found[i] = best = self.better(best, row)
        return np.moveaxis(found, 0, self.axis)

    def better(self, x: Any, y: Any) -> Any:
        """The better of two arrays; nan if one is nan, and of two zeros as tir.max and tir.min have it."""
        raise AssertionError(f"{self.name} has no meaning")

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        axis, reverse = self.axis, bool(self.reverse)
        places = b.iota(b.shape(x), axis)
        steps = b.count(x, [axis], I64) - 1 - places if reverse else places
        before = self._run(b, x, exclusive=True)
        turned_nan = b.and_(b.cmp("ne", x, x), b.cmp("eq", before, before))
        is_new = b.or_(b.or_(b.cmp(self.relation, x, before), turned_nan), b.cmp("eq", steps, 0))
        # The step of the latest record; -1, which the scatter drops, where there was none.
        at = b.maximum(b.cummax(b.select(is_new, steps, -1), axis, exclusive=bool(self.exclusive), reverse=reverse), -1)
        size = b.count(x, [axis], I64)
        found = b.select(at < 0, -1, size - 1 - at) if reverse else at
        return [b.put_along_axis(b.full_like(x, 0), found, g, axis, kind="add", mode="drop")]

    def _run(self, b: Any, x: Any, exclusive: bool) -> Any:
        run = b.cummax if self.relation == "gt" else b.cummin
        return run(x, self.axis, exclusive=exclusive, reverse=bool(self.reverse))


class Cummax(_Record):
    """The largest of each element and all before it along `axis`; nan from the first nan on; +0.0 is above -0.0.

    `exclusive`: without the element itself, so that the first is -inf, of integers the lowest of the type; `reverse`:
    from the end. Gradient: g of each result goes to the element that it is, of several the first on the way.
    """

    name = "tir.cummax"
    relation = "gt"

    def identity(self, element: Type) -> Any:
        return lowest(element)

    def combine(self, s: Any, total: Any, x: Any) -> Any:
        return s.maximum(total, x)

    def better(self, x: Any, y: Any) -> Any:
        return np.where(x == y, np.where(np.signbit(x), y, x), np.maximum(x, y)) if x.dtype.kind == "f" else np.maximum(x, y)


class Cummin(_Record):
    """The smallest of each element and all before it along `axis`; nan from the first nan on; -0.0 is below +0.0.

    `exclusive`: without the element itself, so that the first is +inf, of integers the largest of the type; `reverse`:
    from the end. Gradient: g of each result goes to the element that it is, of several the first on the way.
    """

    name = "tir.cummin"
    relation = "lt"

    def identity(self, element: Type) -> Any:
        return highest(element)

    def combine(self, s: Any, total: Any, x: Any) -> Any:
        return s.minimum(total, x)

    def better(self, x: Any, y: Any) -> Any:
        return np.where(x == y, np.where(np.signbit(x), x, y), np.minimum(x, y)) if x.dtype.kind == "f" else np.minimum(x, y)


#: The ops of the family, in the order of the documentation.
OPS = (Cumsum, Cumprod, Cummax, Cummin)
