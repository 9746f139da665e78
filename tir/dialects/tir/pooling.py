"""Pooling: a number for each position of a window (`window.py`) on the last axes, and what comes back from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tir.dialects.tir.base import Composite, Shaped, fail, merge_shapes
from tir.dialects.tir.elements import NUMBER_TENSOR, lowest, wide_type
from tir.dialects.tir.window import WINDOW_FORMAT, WindowAxis, Windowed, folded, padded, position_dim, unfolded
from tir.ir.affine import AffineExpr, affine
from tir.ir.define import attribute, operand, result
from tir.ir.kinds import integer_enum
from tir.ir.size_rules import SizeRule
from tir.ir.types import I64, FloatType, Type
from tir.lazy import np

__all__ = ["OPS"]


def folded_windows(b: Any, x: Any, axes: Sequence[WindowAxis], outside: Any, fold: Any) -> Any:
    """`fold` over the places of each window, which hold `outside` where there is no x.

    Large windows are folded axis by axis, which takes as many steps as the sum of their sizes, not their product.
    """
    x, axes = padded(b, x, axes, outside)
    sizes, rank = [axis.size for axis in axes], x.type.rank
    if np.prod(sizes) <= _FEW_STEPS * sum(sizes) or not all(axis.is_plain for axis in axes):
        return fold(b.windows(x, axes, outside), list(range(rank, rank + len(axes))))
    for i, axis in enumerate(axes):
        windows = b.windows(x, [axis, *[WindowAxis(1)] * len(axes[i + 1 :])])
        x = fold(windows, list(range(rank, windows.type.rank)))
    return x


_FEW_STEPS = 4  # so many more steps cost less than a tensor between the axes


class _Pool(Windowed, Shaped, Composite):
    """A number for each position of a window on the last axes."""

    batch_axes = ()

    x = operand(NUMBER_TENSOR)
    result = result(NUMBER_TENSOR)

    def check_operands(self) -> None:
        self.check_window(self.x.type.rank)
        for axis, facts in enumerate(self.axes()):
            if not (0 <= facts.low < facts.reach and 0 <= facts.high < facts.reach):
                got = f"got {facts.low} and {facts.high} for a window over {facts.reach} places"
                fail(self, f"low and high must be 0 or more and less than the window along axis {axis} of it, {got}")

    def result_shape(self, x: Sequence[AffineExpr]) -> Sequence[AffineExpr]:
        lead = len(x) - len(self.window)
        return [*x[:lead], *(axis.positions(size) for axis, size in zip(self.axes(), x[lead:]))]

    def window_axes(self) -> list[int]:
        """The axes of `tir.windows` that hold the places of the window."""
        rank = self.x.type.rank
        return list(range(rank, rank + len(self.window)))


TIES = ("first", "all")


class MaxPool(_Pool):
    """The largest in each window; nan where one is nan. What lies outside of x does not count.

    Gradient: to the largest of each window, of several to the first in row-major order, or with `ties all` to each
    (Theano's rule).
    """

    name = "tir.max_pool"
    ties = attribute(integer_enum(TIES), optional=True)
    format = f"$x {WINDOW_FORMAT} (`ties` $ties^)? attr-dict `:` type($result)"

    def reference(self, x: Any) -> Any:
        outside = lowest(self.x.type.element)
        return np.max(unfolded(x, self.axes(), outside), axis=tuple(self.window_axes()), initial=outside)

    def decompose(self, b: Any, x: Any) -> Any:
        return folded_windows(b, x, self.axes(), lowest(x.type.element), b.max)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [b.max_pool_grad(x, g, self.axes(), self.ties or TIES[0])]


class MaxPoolGrad(Windowed, Composite):
    """The gradient of `tir.max_pool`: each g goes to the place of the largest of its window, the rest is 0.

    x: the pool's operand; g: of the type of its result. Gradient of g: what g took; x has none, since the choice
    changes in steps.
    """

    batch_axes = ()

    name = "tir.max_pool_grad"
    x = operand(NUMBER_TENSOR)
    g = operand(NUMBER_TENSOR)
    ties = attribute(integer_enum(TIES), optional=True)
    result = result(NUMBER_TENSOR)
    format = f"$x `,` $g {WINDOW_FORMAT} (`ties` $ties^)? attr-dict `:` type($g) `->` type($result)"

    def infer(self) -> Sequence[Type]:
        x = self.x.type
        self.check_window(x.rank)
        lead = x.rank - len(self.window)
        sizes = zip(self.axes(), x.shape[lead:])
        want = [position_dim(axis, size) for axis, size in sizes]
        merge_shapes(self, ("g", self.g.type), ("the pooled x", x.with_shape((*x.shape[:lead], *want))))
        if self.g.type.element is not x.element:
            fail(self, f"element types must be equal, got {x} and {self.g.type}")
        return [x]

    def reference(self, x: Any, g: Any) -> Any:
        axes = self.axes()
        chosen = self._chosen(unfolded(x, axes, lowest(self.x.type.element)))
        return folded(np.where(chosen, g[(..., *[None] * len(axes))], g.dtype.type(0)), axes, x.shape)

    def size_rules(self, *shapes: Sequence[AffineExpr]) -> Sequence[SizeRule]:
        x, g = shapes
        lead = len(x) - len(self.window)
        wants = [*x[:lead], *(axis.positions(size) for axis, size in zip(self.axes(), x[lead:]))]
        same = [
            SizeRule(size, "eq", want, f"axis {axis} of g must have the size of the pooled x")
            for axis, (size, want) in enumerate(zip(g, wants))
        ]
        return [*super().size_rules(x), *same]

    def _chosen(self, windows: Any) -> Any:
        """Which places of the windows are the largest of theirs."""
        count = len(self.window)
        flat = windows.reshape(*windows.shape[:-count], int(np.prod(self.window)))
        if (self.ties or TIES[0]) == "first":
            chosen = np.arange(flat.shape[-1]) == np.argmax(flat, -1)[..., None]
        else:
            chosen = (flat == np.max(flat, -1, keepdims=True)) | np.isnan(flat)
        return chosen.reshape(windows.shape)

    def decompose(self, b: Any, x: Any, g: Any) -> Any:
        chosen = self._mask(b, x)
        spread = b.broadcast(g, range(g.type.rank), b.shape(chosen))
        return b.overlap_add(b.select(chosen, spread, 0), b.shape(x), self.axes())

    def _mask(self, b: Any, x: Any) -> Any:
        outside = lowest(x.type.element)
        windows = b.windows(*padded(b, x, self.axes(), outside), outside)
        rank, count = x.type.rank, len(self.window)
        places = list(range(rank, rank + count))
        if (self.ties or TIES[0]) == "all":
            best = b.repeat_along(b.max(windows, places), places, windows)
            same = b.cmp("eq", windows, best)
            return b.or_(same, b.cmp("ne", windows, windows)) if isinstance(x.type.element, FloatType) else same
        flat = b.reshape(windows, [*b.shape(windows)[:rank], int(np.prod(self.window))])
        first = b.repeat_along(b.argmax(flat, rank), [rank], flat)
        return b.reshape(b.cmp("eq", b.iota(b.shape(flat), rank), first), b.shape(windows))

    def grad(self, b: Any, g: Any, x: Any, pooled: Any) -> list[Any]:
        taken = b.select(self._mask(b, x), b.windows(g, self.axes()), 0)
        return [None, b.sum_in_type(taken, range(x.type.rank, x.type.rank + len(self.window)))]


DIVISORS = ("padded", "valid", "one")


class AvgPool(_Pool):
    """The mean of each window, of floats; `divisor` says by what the sum is divided.

    padded (the default): the places of the window that lie in the axis with its padding, which counts as 0; valid:
    those that lie in the axis; one: the sum itself, of integers too. Gradient: g divided, spread over its window.
    """

    name = "tir.avg_pool"
    divisor = attribute(integer_enum(DIVISORS), optional=True)
    format = f"$x {WINDOW_FORMAT} (`divisor` $divisor^)? attr-dict `:` type($result)"

    def check_operands(self) -> None:
        super().check_operands()
        if self.divisor != "one" and not isinstance(self.x.type.element, FloatType):
            fail(self, f"a mean needs floats, got {self.x.type}; divisor one gives the sum")

    def reference(self, x: Any) -> Any:
        axes = self.axes()
        total = np.sum(unfolded(x, axes, 0), axis=tuple(self.window_axes()), dtype=x.dtype)
        counts = np.ones((), x.dtype)
        for axis, size in zip(axes, x.shape[x.ndim - len(axes) :]):
            number = axis.positions(affine(size)).value  # type: ignore[attr-defined]
            counts = counts[..., None] * self._counted(axis, number, size).astype(x.dtype)
        return total if self.divisor == "one" else (total / counts).astype(x.dtype)

    def _counted(self, axis: WindowAxis, count: int, size: int) -> Any:
        """How many places of each window count along one axis."""
        first, stop = (0, size) if self.divisor == "valid" else (-axis.low, size + axis.high)
        places = np.arange(count)[:, None] * axis.stride + np.arange(axis.size) * axis.dilation - axis.low
        return np.sum((places >= first) & (places < stop), axis=1)

    def decompose(self, b: Any, x: Any) -> Any:
        element = x.type.element
        # Summed in one type to the end, also axis by axis.
        total = b.cast(folded_windows(b, b.cast(x, wide_type(element)), self.axes(), 0, b.sum_in_type), element)
        return total if self.divisor == "one" else total / self._counts(b, x, total)

    def _counts(self, b: Any, x: Any, like: Any) -> Any:
        """How many places count: a number, or a tensor of the shape of the result, which `like` has."""
        axes, element = self.axes(), x.type.element
        valid = self.divisor == "valid"
        if all(not a.ceil_mode and (not valid or (a.low, a.high) == (0, 0)) for a in axes):
            return int(np.prod(self.window))
        shape, found = b.shape(like), 1
        for i, axis in enumerate(axes):
            place = x.type.rank - len(axes) + i
            size = b.cast(b.dim(x, place), I64)
            first, stop = (0, size) if valid else (-axis.low, size + axis.high)
            window = b.iota([*shape, axis.size], len(shape)) * axis.dilation
            at = b.iota([*shape, axis.size], place) * axis.stride + window - axis.low
            counts = b.and_(b.cmp("ge", at, first), b.cmp("lt", at, stop))
            found = found * b.sum_in_type(b.cast(counts, element), [len(shape)])
        return found

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        share = g if self.divisor == "one" else g / self._counts(b, x, g)
        windows = b.broadcast(share, range(g.type.rank), [*b.shape(g), *self.window])
        return [b.overlap_add(windows, b.shape(x), self.axes())]


#: The ops of the family, in the order of the documentation.
OPS = (MaxPool, MaxPoolGrad, AvgPool)
