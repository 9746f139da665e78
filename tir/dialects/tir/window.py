"""Windows that slide over the last axes, and their adjoint.

Along an axis of size n, position o of a window of size k covers the places o * stride + w * dilation - low, for w from
0 to k - 1, of the axis with base_dilation - 1 places between each two elements: (n - 1) * base_dilation + 1 places, and
none of an empty axis. `low` places lie in front of the axis and `high` behind it; they hold one value. All lists have a
number for each windowed axis (StableHLO's reduce_window).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tir.dialects.tir.base import (
    Reduction,
    Shaped,
    Sized,
    Structure,
    Structured,
    TensorOp,
    check_moderate,
    fail,
    merge_shapes,
)
from tir.dialects.tir.elements import ELEMENT_TENSOR, NUMBER_TENSOR, is_number_of, wide_type
from tir.ir.affine import AffineConstant, AffineDim, AffineExpr, AffineMap, AffineSymbol, affine
from tir.ir.define import attribute, operand, result
from tir.ir.ir import Value
from tir.ir.kinds import I64_ARRAY, INDEX_KIND, NUMBER_ATTR, UNIT
from tir.ir.size_rules import SizeRule
from tir.ir.slips import number_hint
from tir.ir.types import DYNAMIC, Dim, TensorType, Type
from tir.lazy import np

__all__ = [
    "OPS", "WINDOW_FORMAT", "WindowAxis", "Windowed", "fitting", "folded", "padded", "position_dim", "unfolded",
]  # fmt: skip


#: No axis is longer: `size ceildiv LARGEST_SIZE` is 1, of an empty axis 0.
LARGEST_SIZE = 1 << 62


@dataclass(frozen=True)
class WindowAxis:
    """How a window slides along one axis."""

    size: int
    stride: int = 1
    dilation: int = 1
    base_dilation: int = 1
    low: int = 0
    high: int = 0
    ceil_mode: bool = False

    @property
    def reach(self) -> int:
        """How many places the window spans."""
        return (self.size - 1) * self.dilation + 1

    @property
    def is_plain(self) -> bool:
        """Each position lies wholly inside the axis, whose elements stand side by side."""
        return (self.base_dilation, self.low, self.high, self.ceil_mode) == (1, 0, 0, False)

    def dilated(self, size: AffineExpr) -> AffineExpr:
        """How many places the axis has, with those between its elements."""
        if self.base_dilation == 1:
            return size
        return size * self.base_dilation - size.ceildiv(LARGEST_SIZE) * (self.base_dilation - 1)

    def positions(self, size: AffineExpr) -> AffineExpr:
        """How many positions there are on an axis of this size.

        ceil_mode: also the last one that hangs over, if it begins in front of the end of the axis (as PyTorch and ONNX).
        """
        inside = self.dilated(size)
        # The number of whole strides behind the first position, and that one: `[H floordiv 2]`, not `[.. + 1]`.
        span = inside + (self.low + self.high - self.reach + self.stride)
        if not self.ceil_mode:
            return span.floordiv(self.stride)
        if self.stride + self.high > self.reach:
            return (inside + self.low).ceildiv(self.stride)
        return span.ceildiv(self.stride)

    def count(self, size: Any) -> Any:
        """The same of a number, or of a 0-d integer tensor of a builder."""
        return self.positions(AffineSymbol(0)).evaluate(lambda _: size)

    def padded(self, size: AffineExpr) -> AffineExpr:
        """How many places the axis has with its padding."""
        return self.dilated(size) + (self.low + self.high)

    def places(self, count: int, size: int) -> tuple[Any, Any]:
        """For each position and place of the window the index of an element, and whether there is one."""
        place = np.arange(count)[:, None] * self.stride + np.arange(self.size) * self.dilation - self.low
        index = place // self.base_dilation
        inside = (index * self.base_dilation == place) & (index >= 0) & (index < size)
        return np.where(inside, index, 0), inside


def fitting(axes: Sequence[WindowAxis], places: Sequence[int], x: Sequence[AffineExpr]) -> list[SizeRule]:
    """The rules that a window fits into each of these axes of x, or has no position at all: less than none is an error."""
    found = []
    for facts, place in zip(axes, places):
        if facts.count(0) < 0:
            none = SizeRule(facts.positions(x[place]), "ge", affine(0), "")
            reach, room = affine(facts.reach), facts.padded(x[place])
            found.append(SizeRule(reach, "le", room, f"the window must fit into axis {place} of x with its padding", none))
    return found


def unfolded(x: Any, axes: Sequence[WindowAxis], value: Any) -> Any:
    """The windows of the last axes of an array: [.., positions .., windows ..]."""
    lead = x.ndim - len(axes)
    for i, axis in enumerate(axes):
        size = x.shape[lead + i]
        count = axis.count(size)
        index, inside = axis.places(count, size)
        here = np.moveaxis(x, lead + i, -1)
        if size == 0:
            found = np.full((*here.shape[:-1], *index.shape), value, x.dtype)
        else:
            found = np.where(inside, here[..., index], np.asarray(value, x.dtype))
        x = np.moveaxis(found, -2, lead + i)
    return x


def folded(windows: Any, axes: Sequence[WindowAxis], shape: Sequence[int]) -> Any:
    """The sum of overlapping windows [.., positions .., windows ..] in an array of this shape: undoes `unfolded`."""
    count = len(axes)
    found = np.zeros(tuple(shape), windows.dtype)
    for place in np.ndindex(*(axis.size for axis in axes)):
        spots, kept = [], []
        for i, (axis, w) in enumerate(zip(axes, place)):
            number = windows.shape[windows.ndim - 2 * count + i]
            index, inside = axis.places(number, shape[len(shape) - count + i])
            kept.append(np.flatnonzero(inside[:, w]))
            spots.append(index[kept[-1], w])
        # One element of a window falls on each place at most once.
        found[(..., *np.ix_(*spots))] += windows[(..., *place)][(..., *np.ix_(*kept))]
    return found


def padded(b: Any, x: Any, axes: Sequence[WindowAxis], value: Any = 0) -> tuple[Any, list[WindowAxis]]:
    """The tensor with its padding, and how windows slide over it that lie inside; as they were if a size is not known.

    The copy is faster than a test for each place of each window.
    """
    lead = x.type.rank - len(axes)
    sizes = x.type.shape[lead:]
    if all(axis.is_plain for axis in axes) or any(dim is DYNAMIC for dim in sizes):
        return x, list(axes)
    if any(_may_shrink(axis) and (not isinstance(size, int) or size == 0) for axis, size in zip(axes, sizes)):
        return x, list(axes)
    low = [axis.low for axis in axes]
    high = [axis.high + _overhang(axis, size) for axis, size in zip(axes, sizes)]
    grown = [[0] * lead + [max(number, 0) for number in numbers] for numbers in (low, high)]
    x = b.pad(x, *grown, [0] * lead + [axis.base_dilation - 1 for axis in axes], value)
    if min(*low, *high) < 0:
        starts, limits = [max(-number, 0) for number in low], [min(number, 0) for number in high]
        x = b.slice(x, [0] * lead + starts, [0] * lead + limits)
    return x, [WindowAxis(axis.size, axis.stride, axis.dilation) for axis in axes]


def _may_shrink(axis: WindowAxis) -> bool:
    """What the copy needs of the axis depends on its size, or is not there if it is empty."""
    return axis.ceil_mode or axis.base_dilation > 1 or min(axis.low, axis.high) < 0


def _overhang(axis: WindowAxis, size: Any) -> int:
    """How far the last window reaches behind an axis with its padding, in ceil mode."""
    if not axis.ceil_mode:
        return 0
    width = axis.dilated(affine(size)).value + axis.low + axis.high  # type: ignore[attr-defined]
    return max((axis.count(size) - 1) * axis.stride + axis.reach - width, 0)


class Windowed(TensorOp):
    """An op whose window slides over the last axes."""

    window = attribute(I64_ARRAY)
    strides = attribute(I64_ARRAY, optional=True)
    dilations = attribute(I64_ARRAY, optional=True)
    low = attribute(I64_ARRAY, optional=True)
    high = attribute(I64_ARRAY, optional=True)
    ceil_mode = attribute(UNIT, optional=True)

    def axes(self) -> list[WindowAxis]:
        """What the attributes say of each axis."""
        ones, zeros = (1,) * len(self.window), (0,) * len(self.window)
        lists = (self.strides or ones, self.dilations or ones, self.bases() or ones, self.low or zeros, self.high or zeros)
        return [WindowAxis(*facts) for facts in zip(self.window, *lists, (bool(self.ceil_mode),) * len(ones))]

    def bases(self) -> Sequence[int] | None:
        """The base dilations, for ops that have them."""
        return None

    def check_window(self, rank: int) -> None:
        """VerifyError unless the lists fit each other and a tensor of this rank."""
        if len(self.window) > rank:
            fail(self, f"the window has {len(self.window)} axes, and x has rank {rank}")
        lists = {"strides": self.strides, "dilations": self.dilations, "base_dilations": self.bases()}
        for name, numbers in ({"window": self.window} | lists | {"low": self.low, "high": self.high}).items():
            if numbers is not None and len(numbers) != len(self.window):
                each = f"a number for each of the {len(self.window)} axes of the window"
                fail(self, f"{name} must have {each}, got {list(numbers)}")
            if numbers is not None and name not in ("low", "high") and any(number < 1 for number in numbers):
                fail(self, f"{name} must be at least 1, got {list(numbers)}")
            check_moderate(self, name, numbers or ())

    def size_rules(self, *shapes: Sequence[AffineExpr]) -> Sequence[SizeRule]:
        x = shapes[0]
        return fitting(self.axes(), range(len(x) - len(self.window), len(x)), x)


_LISTS = (
    "`window` $window (`strides` $strides^)? (`dilations` $dilations^)? {bases}(`low` $low^)? (`high` $high^)? "
    "(`ceil_mode` $ceil_mode^)?"
)
WINDOW_FORMAT = _LISTS.format(bases="")
DILATED_FORMAT = _LISTS.format(bases="(`base_dilations` $base_dilations^)? ")


class Windows(Windowed, Shaped, Structured):
    """The windows of the last axes of x: the result has the other axes, the positions, and the places of the window.

    `tir.windows %x window [3] : tensor<4xf32>` of [a, b, c, d] is [[a, b, c], [b, c, d]]. Places outside of x hold
    `value` (0 by default). Gradient: `tir.overlap_add`.
    """

    batch_axes = ()

    name = "tir.windows"
    x = operand(ELEMENT_TENSOR)
    base_dilations = attribute(I64_ARRAY, optional=True)
    value = attribute(NUMBER_ATTR, optional=True)
    result = result(ELEMENT_TENSOR)
    format = f"$x {DILATED_FORMAT} (`with` $value^)? attr-dict `:` type($result)"

    def bases(self) -> Sequence[int] | None:
        return self.base_dilations

    @property
    def lead(self) -> int:
        """How many axes stand in front of those that the window slides over."""
        return self.x.type.rank - len(self.window)

    @property
    def is_plain(self) -> bool:
        """No place lies outside of x."""
        return all(axis.is_plain for axis in self.axes())

    def check_operands(self) -> None:
        self.check_window(self.x.type.rank)
        if self.value is not None and not is_number_of(self.properties["value"], self.x.type.element):
            attr, element = self.properties["value"], self.x.type.element
            fail(self, f"the value must be of type {element}, got {attr}", number_hint(attr, element))

    def result_shape(self, x: Sequence[AffineExpr]) -> Sequence[AffineExpr]:
        lead = self.lead
        return [*x[:lead], *(a.positions(size) for a, size in zip(self.axes(), x[lead:])), *map(affine, self.window)]

    def result_dims(self) -> Sequence[Dim]:
        shape, lead = self.x.type.shape, self.lead
        return [*shape[:lead], *map(position_dim, self.axes(), shape[lead:]), *self.window]

    def reference(self, x: Any) -> Any:
        return unfolded(x, self.axes(), self.value or 0)

    def inputs(self) -> list[Value]:
        return [self.x] if self.is_plain else []

    def structure(self) -> Structure:
        lead, count = self.lead, len(self.window)
        rank = lead + 2 * count
        places = [
            AffineDim(lead + i) * axis.stride + AffineDim(lead + count + i) * axis.dilation
            for i, axis in enumerate(self.axes())
        ]
        read = AffineMap(rank, 0, (*map(AffineDim, range(lead)), *places))
        return Structure(("parallel",) * rank, (read,) if self.is_plain else (), (AffineMap.identity(rank),))

    def lengthened(self) -> tuple[Value | None, Sequence[int]]:
        if self.is_plain:
            return None, ()
        return self.x, [axis for axis in range(self.lead, self.x.type.rank) if not isinstance(self.x.type.shape[axis], int)]

    def element(self, s: Any, *x: Any) -> Any:
        if x:
            return x[0]
        value = s.const(self.value or 0, self.x.type.element)
        if any(size == 0 for size in self.x.type.shape[self.lead :]):
            return value
        lead, count = self.lead, len(self.window)
        places, inside = [s.index(axis) for axis in range(lead)], None
        for i, axis in enumerate(self.axes()):
            start = s.mul(s.index(lead + i), s.const(axis.stride, "index"))
            place = s.sub(s.add(start, s.mul(s.index(lead + count + i), s.const(axis.dilation, "index"))), axis.low)
            index, holds = _divided(s, place, axis.base_dilation, s.size(self.x, lead + i))
            places.append(index)
            inside = holds if inside is None else s.and_(inside, holds)
        found = s.extract(self.x, places)
        return found if inside is None else s.select(inside, found, value)

    def grad(self, b: Any, g: Any, x: Any) -> list[Any]:
        return [b.overlap_add(g, b.shape(x), self.axes())]


def _divided(s: Any, place: Any, divisor: int, size: Any) -> tuple[Any, Any]:
    """place / divisor as an index below `size`, and whether it is one; 0 if not."""
    zero = s.const(0, place)
    index = place if divisor == 1 else s.floordiv(place, s.const(divisor, place))
    holds = s.and_(s.cmp("ge", place, zero), s.cmp("lt", index, size))
    if divisor != 1:
        holds = s.and_(holds, s.cmp("eq", s.mul(index, s.const(divisor, place)), place))
    return s.select(holds, index, zero), holds


class OverlapAdd(Windowed, Sized, Reduction):
    """The sum of overlapping windows: each place of the result sums what the windows hold there.

    x: tensor<.. x positions x window>, as `tir.windows` with the same attributes gives it; the result has the axes that
    they slide over. What lies outside of the result is dropped. f16 and bf16 accumulate in f32. Gradient: `tir.windows`.
    """

    batch_axes = ()

    name = "tir.overlap_add"
    x = operand(NUMBER_TENSOR)
    sizes = operand(INDEX_KIND, variadic=True)
    base_dilations = attribute(I64_ARRAY, optional=True)
    result = result(NUMBER_TENSOR)
    format = f"$x {DILATED_FORMAT} (`sizes` `(` $sizes^ `)`)? attr-dict `:` type($x) `->` type($result)"

    def bases(self) -> Sequence[int] | None:
        return self.base_dilations

    @property
    def lead(self) -> int:
        """How many axes stand in front of those that the windows slide over."""
        return self.result_type.rank - len(self.window)

    def verify_shape(self) -> None:
        x, got = self.x.type, self.result_type
        self.check_window(got.rank)
        if x.rank != got.rank + len(self.window) or x.element is not got.element:
            fail(self, f"x must have an axis more for each of the window's than the result, got {x} and {got}")
        merge_shapes(self, ("x", x), ("its windows", TensorType(tuple(self.window_dims()), x.element)))

    def compute(self, shape: tuple[int, ...], x: Any) -> Any:
        wide = np.promote_types(x.dtype, np.float32) if x.dtype.kind == "f" else x.dtype
        return folded(x.astype(wide), self.axes(), shape).astype(x.dtype)

    def window_dims(self) -> list[Dim]:
        """The sizes of x, as far as the type of the result says them."""
        shape, lead = self.result_type.shape, self.lead
        return [*shape[:lead], *map(position_dim, self.axes(), shape[lead:]), *self.window]

    def size_rules(self, *shapes: Sequence[AffineExpr]) -> Sequence[SizeRule]:
        x, out = shapes
        positions = [axis.positions(size) for axis, size in zip(self.axes(), out[self.lead :])]
        wants = [*out[: self.lead], *positions, *map(affine, self.window)]
        return [
            SizeRule(size, "eq", want, f"axis {axis} of x must have the size that the windows of the result have")
            for axis, (size, want) in enumerate(zip(x, wants))
        ]

    def inputs(self) -> list[Value]:
        return []

    def structure(self) -> Structure:
        rank, count = self.result_type.rank, len(self.window)
        extents = dict(zip(range(rank, rank + count), self.window))
        out = AffineMap.of_dims(rank + count, range(rank))
        return Structure(("parallel",) * rank + ("reduction",) * count, (), (out,), extents)

    def accumulator_type(self) -> Type:
        return wide_type(self.result_type.element)

    def identity(self, element: Type) -> Any:
        return 0

    def zero_if_empty(self) -> Sequence[tuple[Value, int]]:
        return [(self.x, axis) for axis in range(self.lead, self.result_type.rank)]

    def element(self, s: Any) -> Any:
        return s.cast(self._found(s), self.accumulator_type())

    def _found(self, s: Any) -> Any:
        """What the window at hand adds to the place at hand."""
        zero = s.const(0, self.x.type.element)
        lead, rank, count = self.lead, self.result_type.rank, len(self.window)
        if any(size == 0 for size in self.x.type.shape[lead : lead + count]):
            return zero
        places, inside = [], None
        for i, axis in enumerate(self.axes()):
            base = s.add(s.mul(s.index(lead + i), s.const(axis.base_dilation, "index")), axis.low)
            place = s.sub(base, s.mul(s.index(rank + i), s.const(axis.dilation, "index")))
            index, holds = _divided(s, place, axis.stride, s.size(self.x, lead + i))
            places.append(index)
            inside = holds if inside is None else s.and_(inside, holds)
        here = [*(s.index(axis) for axis in range(lead)), *places, *(s.index(rank + i) for i in range(count))]
        found = s.extract(self.x, here)
        return found if inside is None else s.select(inside, found, zero)

    def combine(self, s: Any, accumulated: Any, term: Any) -> Any:
        return s.add(accumulated, term)

    def grad(self, b: Any, g: Any, x: Any, *sizes: Any) -> list[Any]:
        return [b.windows(g, self.axes()), *[None] * len(sizes)]


def position_dim(axis: WindowAxis, dim: Dim) -> Dim:
    """How many positions there are on an axis of this size, as a dimension of a type.

    Of a named size with places between the elements it is open: an empty axis has none of them, and no name says so.
    """
    if isinstance(dim, int) or (isinstance(dim, AffineExpr) and axis.base_dilation == 1):
        count = axis.positions(affine(dim))
        return count.value if isinstance(count, AffineConstant) else count
    return DYNAMIC


#: The ops of the family, in the order of the documentation.
OPS = (Windows, OverlapAdd)
