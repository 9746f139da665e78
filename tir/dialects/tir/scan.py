"""Running sums, products, linear recurrences and records along an axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from tir.dialects.tir.base import Place, Sequential, Shaped, check_axes, fail, known_sizes, merge_shapes, same_shapes
from tir.dialects.tir.elements import NUMBER_TENSOR, highest, lowest, wide_type
from tir.ir.affine import AffineExpr
from tir.ir.define import attribute, operand, result
from tir.ir.kinds import I64_ATTR, UNIT
from tir.ir.types import I64, Type
from tir.lazy import np

__all__ = ["OPS"]


class _Running(Shaped, Sequential):
    """Each element with all before it along `axis`; `exclusive` leaves out the element itself, `reverse` goes backwards.

    The elements are taken in the order of the axis, f16 and bf16 in f32; integers wrap. The operands have one shape.
    """

    axis: Any
    exclusive: Any
    reverse: Any

    def identity(self, element: Type) -> Any:
        """What an empty run gives."""
        raise AssertionError(f"{self.name} has no identity")

    def check_operands(self) -> None:
        check_axes(self, [self.axis], self.result_rank, "axis")

    @property
    def result_rank(self) -> int:
        """The rank of the result, and of all operands."""
        return self.tensors()[0].type.rank  # type: ignore[attr-defined]

    def combine(self, s: Any, total: Any, *elements: Any) -> Any:
        """The total with one more element of each operand."""
        raise AssertionError(f"{self.name} has no combine")

    def accumulate(self, *arrays: Any) -> Any:
        """The running totals along the axis, in numpy."""
        raise AssertionError(f"{self.name} has no meaning")

    def reference(self, *arrays: Any) -> Any:
        narrow, size = arrays[0].dtype, arrays[0].shape[self.axis]
        wide = [x.astype(np.promote_types(narrow, np.float32)) if narrow.kind == "f" else x for x in arrays]
        found = self.accumulate(*(np.flip(x, self.axis) if self.reverse else x for x in wide))
        if self.exclusive and size:
            kept = np.take(found, range(size - 1), self.axis)
            first = np.full_like(np.take(found, [0], self.axis), self.identity(self.result_type.element))
            found = np.concatenate([first, kept], self.axis)
        return (np.flip(found, self.axis) if self.reverse else found).astype(narrow)

    def program(self, p: Any, *operands: Any) -> list[Any]:
        out, size = p.result(), p.size(operands[0], self.axis)
        wide = wide_type(out.element)
        others = [p.size(operands[0], axis) for axis in range(self.result_rank) if axis != self.axis]
        last = p.sub(size, p.const(1, size))

        def row(places: list[Any]) -> None:
            def step(i: Any, total: Any) -> list[Any]:
                at = p.sub(last, i) if self.reverse else i
                here = [*places[: self.axis], at, *places[self.axis :]]
                more = self.combine(p, total, *(p.cast(p.load(x, here), wide) for x in operands))
                p.store(out, here, p.cast(total if self.exclusive else more, out.element))
                return [more]

            p.loop(0, size, step, changes=[out], carry=[p.const(self.identity(wide), wide)])

        p.nest(others, row, changes=[out])
        return [out]


class _Cumulative(_Running):
    """A running fold of one tensor."""

    batch_axes = ("axis",)

    x = operand(NUMBER_TENSOR)
    axis = attribute(I64_ATTR)
    exclusive = attribute(UNIT, optional=True)
    reverse = attribute(UNIT, optional=True)
    result = result(NUMBER_TENSOR)
    format = "$x `axis` $axis (`exclusive` $exclusive^)? (`reverse` $reverse^)? attr-dict `:` type($result)"

    def result_shape(self, x: Sequence[AffineExpr]) -> Sequence[AffineExpr]:
        return x


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
    Gradient: of an element what g of the products that have it takes of their other factors, exact at any order also
    where factors are 0.
    """

    name = "tir.cumprod"

    def identity(self, element: Type) -> Any:
        return 1

    def combine(self, s: Any, total: Any, x: Any) -> Any:
        return s.mul(total, x)

    def accumulate(self, x: Any) -> Any:
        return np.cumprod(x, self.axis, dtype=x.dtype)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        wide, g = (b.cast(value, wide_type(x.type.element)) for value in (x, g))
        before = b.cumprod(wide, self.axis, exclusive=True, reverse=bool(self.reverse))
        return [b.cast(before * _adjoint(self, b, g, wide), x.type.element)]


class Recurrence(_Running):
    """y[i] = a[i] y[i - 1] + b[i] along `axis`, from y[-1] = 0: a running sum that decays, a filter, a linear state space.

    `exclusive`: y[i - 1] in the place of y[i]; `reverse`: from the end. Integers wrap; f16 and bf16 are computed in f32. The
    gradient of b is a recurrence the other way, that of a this times y[i - 1]; exact at any order, where a is 0 too.
    """

    batch_axes = ("axis",)

    name = "tir.recurrence"
    a = operand(NUMBER_TENSOR)
    b = operand(NUMBER_TENSOR)
    axis = attribute(I64_ATTR)
    exclusive = attribute(UNIT, optional=True)
    reverse = attribute(UNIT, optional=True)
    result = result(NUMBER_TENSOR)
    format = "$a `,` $b `axis` $axis (`exclusive` $exclusive^)? (`reverse` $reverse^)? attr-dict `:` type($result)"

    def check_operands(self) -> None:
        a, b = self.a.type, self.b.type
        if b.element is not a.element:
            fail(self, f"element types must be equal, got {a} and {b}; tir.cast converts")
        merge_shapes(self, ("a", a), ("b", b))
        super().check_operands()

    def result_shape(self, a: Sequence[AffineExpr], b: Sequence[AffineExpr]) -> Sequence[AffineExpr]:
        return known_sizes(a, b)

    def same_sizes(self) -> Sequence[tuple[Place, Place]]:
        return same_shapes(self.operands)

    def identity(self, element: Type) -> Any:
        return 0

    def combine(self, s: Any, total: Any, a: Any, b: Any) -> Any:
        return s.add(s.mul(a, total), b)

    def accumulate(self, a: Any, b: Any) -> Any:
        rows, terms = np.moveaxis(a, self.axis, 0), np.moveaxis(b, self.axis, 0)
        found = np.empty_like(rows)
        total = np.zeros(rows.shape[1:], a.dtype)
        for i, (factor, term) in enumerate(zip(rows, terms)):
            found[i] = total = factor * total + term
        return np.moveaxis(found, 0, self.axis)

    def grad(self, b: Any, g: Any, factors: Any, terms: Any) -> list[Any]:
        element = factors.type.element
        factors, terms, g = (b.cast(value, wide_type(element)) for value in (factors, terms, g))
        before = b.recurrence(factors, terms, self.axis, exclusive=True, reverse=bool(self.reverse))
        by_terms = _adjoint(self, b, g, factors)
        return [b.cast(by_terms * before, element), b.cast(by_terms, element)]


def _adjoint(op: _Running, b: Any, g: Any, factors: Any) -> Any:
    """The derivative by each y of y[i] = factors[i] y[i - 1] + .., from that by the results, which are y or y[i - 1]."""
    back = {"exclusive": True, "reverse": not op.reverse}
    if op.exclusive:
        return b.recurrence(factors, g, op.axis, **back)
    return g + b.recurrence(factors, factors * g, op.axis, **back)


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
OPS = (Cumsum, Cumprod, Recurrence, Cummax, Cummin)
