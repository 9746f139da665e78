"""Which element of a tensor an index means: what gathers (which read there) and scatters (which write there) share.

`Indexed` has the rule once, for types, numpy, run-time checks and scalar code. A tensor of *slices* (the result of a
gather, the updates of a scatter) has one element for each place in x that is read or written. Along each axis of x the
place is a start, which an index says, plus a position in the slice: see `Along`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tir.dialects.tir.base import Shaped, fail, merge_dims
from tir.dialects.tir.elements import INTEGERS, highest, is_unsigned
from tir.ir.affine import AffineExpr, AffineMap, affine
from tir.ir.ir import Value
from tir.ir.kinds import integer_enum, tensor_of
from tir.ir.size_rules import SizeRule, check_rules
from tir.ir.types import I64, INDEX, Dim, dim_text
from tir.lazy import np

__all__ = ["INDEX_TENSOR", "MODES", "Along", "Axis", "Indexed", "place_of", "saturated"]

INDEX_TENSOR = tensor_of(INTEGERS)
MODES = integer_enum(("error", "clamp", "drop"))
LARGEST = (1 << 63) - 1

# Note [Indices out of range]
#
# Tools differ. numpy, PyTorch and ONNX raise an error; StableHLO clamps the start of a gathered slice until all of the
# slice is inside, and leaves out what a scatter would put outside; JAX reads nan or 0 there and drops such updates.
# Here `mode` says which, for gathers and scatters alike, so that one is the adjoint of the other:
#
#     error    (the default) the call ends with an error, and nothing that it updates is changed
#     clamp    a start is moved to the nearest one from which the whole slice is inside
#     drop     an element outside reads as 0, an update outside is left out; element by element
#
# A negative index is outside. Counting from the end, as in Python, is the builder's work (`x[-1]`), which knows whether
# it is wanted. Whatever the mode, memory outside of x is never touched: a place is clamped or tested in front of each
# access, also where an error ends the call first.
#
# An index may be of any integer type. It is compared as a signed 64-bit number, and of ui64 what is larger counts as
# the largest of these, which no size reaches.

Axis = tuple[Value, int]


@dataclass(frozen=True)
class Along:
    """Where an element of the slices lies along one axis of x: at start + position.

    start: the number of the index that says it (in `Indexed.indices`), None for 0.
    position: the axis of the slices that counts from there, None for 0.
    """

    start: int | None = None
    position: int | None = None


def saturated(s: Any, i: Any) -> Any:
    """An integer of any type as an `index`; of ui64 what is above the largest signed number gives that."""
    if s.dtype(i) == "ui64":
        i = s.minimum(i, s.const(LARGEST, i))
    return s.cast(i, INDEX)


def place_of(s: Any, start: Any, room: Any) -> Any:
    """A start of any integer type as an `index` from 0 to `room`; 0 if that is negative."""
    zero = s.const(0, INDEX)
    return s.maximum(s.minimum(saturated(s, start), room), zero)


class Indexed(Shaped):
    """An op that reads or writes `x` at places that indices say. A subclass declares x, its indices and `mode`.

    sources(): for each axis of the slices where its size comes from: an axis of an operand, or a number.
    along(): for each axis of x where an element lies.
    indices(): each index operand, with the map from a place in the slices to the element that counts there.
    equal(): axes of operands that must agree besides.
    """

    x: Any
    mode: str

    def sources(self) -> Sequence[Axis | int]:
        raise AssertionError(f"{self.name} has no sources")

    def along(self) -> Sequence[Along]:
        raise AssertionError(f"{self.name} has no places")

    def indices(self) -> Sequence[tuple[Value, AffineMap]]:
        raise AssertionError(f"{self.name} has no indices")

    def equal(self) -> Sequence[tuple[Axis, Axis]]:
        return ()

    def check_indices(self) -> None:
        """VerifyError if the attributes do not go with the operands."""

    def may_fail(self) -> bool:
        """An index may be outside in mode `error`; sizes that are open may not agree."""
        values = (*self.tensors(), *self.results)
        return self.mode == "error" or not all(value.type.is_static for value in values)  # type: ignore[attr-defined]

    # --- types -------------------------------------------------------------------------------------------------------

    def slice_shape(self, shapes: Sequence[Any]) -> list[Any]:
        """The sizes of the slices, from those of the tensor operands."""
        known = dict(zip(self.tensors(), shapes))
        return [source if isinstance(source, int) else known[source[0]][source[1]] for source in self.sources()]

    def check_equal(self) -> None:
        """VerifyError where types say that sizes differ which must be equal."""
        for (value, axis), (other, at) in self.equal():
            dim, size = value.type.shape[axis], other.type.shape[at]  # type: ignore[attr-defined]
            if merge_dims(dim, size) is None:
                first, second = self._label(value, axis, dim), self._label(other, at, size)
                fail(self, f"sizes must agree, got {first} and {second}")

    def _label(self, value: Value, axis: int, dim: Dim) -> str:
        return f"{dim_text(dim)} ({self.axis_name(value, axis)})"

    def axis_name(self, value: Value, axis: int) -> str:
        """What messages call an axis of an operand."""
        fields = self.definition.operands
        number = list(self.operands).index(value)
        return f"{fields[min(number, len(fields) - 1)].name} axis {axis}"

    # --- run time ----------------------------------------------------------------------------------------------------

    def extent(self, along: Along) -> Axis | int:
        """How many places from the start on the slice covers."""
        return 1 if along.position is None else self.sources()[along.position]

    def size_rules(self, *shapes: Sequence[AffineExpr]) -> Sequence[SizeRule]:
        """Sizes that must agree; where no index says the start, it is 0, and the slice must fit."""
        known = dict(zip(self.tensors(), shapes))
        found = []
        for (value, axis), (other, at) in self.equal():
            message = f"{self.axis_name(value, axis)} and {self.axis_name(other, at)} must have one size"
            found.append(SizeRule(known[value][axis], "eq", known[other][at], message))
        for axis, along in enumerate(self.along()):
            if along.start is None and isinstance(extent := self.extent(along), int):
                found.append(_has_room(axis, known[self.x][axis], affine(extent)))
        return found

    def checked_numbers(self, b: Any, *operands: Any) -> Sequence[Any]:
        """For each axis whose start an index says the least and the largest one; in mode `clamp`, whether there is one."""
        if self.mode == "drop":
            return []
        found: list[Any] = []
        for number in [along.start for along in self.along() if along.start is not None]:
            index = self.index_tensor(b, number)
            axes = range(index.type.rank)
            if self.mode == "error":
                index = _signed(b, index)
                found += [b.min(index, axes), b.max(index, axes)]
            else:
                count = b.count(index, axes, I64)
                found.append(min(count, 1) if isinstance(count, int) else b.minimum(count, 1))
        return found

    def number_rules(self, numbers: Sequence[AffineExpr], *shapes: Sequence[AffineExpr]) -> Sequence[SizeRule]:
        """In mode `error` each index is inside; in mode `clamp` there is room for a slice at all."""
        known, rest, found = dict(zip(self.tensors(), shapes)), iter(numbers), list[SizeRule]()
        for axis, along in enumerate(self.along()):
            size, extent = known[self.x][axis], self.extent(along)
            length = affine(extent) if isinstance(extent, int) else known[extent[0]][extent[1]]
            if along.start is not None and self.mode == "error":
                found += _is_inside(axis, next(rest), next(rest), size, length)
            elif along.start is not None and self.mode == "clamp":
                some = next(rest)
                found += [_has_room(axis, size, some * extent)] if isinstance(extent, int) else []
        return found

    def index_tensor(self, b: Any, number: int) -> Any:
        """All indices that say the start with this number."""
        return b.tensor(self.indices()[number][0])

    def places(self, s: Any, starts: Sequence[Any], position: Callable[[int], Any]) -> tuple[list[Any], Any]:
        """The place in x, as indices that are inside, and whether it is that place (None if it always is).

        starts: the indices; position: the place in the slices along an axis of them.
        """
        zero, one = s.const(0, INDEX), s.const(1, INDEX)
        found, inside = [], None
        for axis, along in enumerate(self.along()):
            here = zero if along.position is None else position(along.position)
            if along.start is not None:
                size = s.size(self.x, axis)
                if self.mode == "drop":
                    # start + here may wrap around: to a negative number, since here is below 2^63 too.
                    wanted = s.add(saturated(s, starts[along.start]), here)
                    is_here = s.and_(s.cmp("ge", wanted, zero), s.cmp("lt", wanted, size))
                    inside = is_here if inside is None else s.and_(inside, is_here)
                    here = s.maximum(s.minimum(wanted, s.sub(size, one)), zero)
                else:
                    room = s.sub(size, self._scalar_size(s, self.extent(along)))
                    here = s.add(place_of(s, starts[along.start], room), here)
            found.append(here)
        return found, inside

    def _scalar_size(self, s: Any, size: Axis | int) -> Any:
        return s.const(size, INDEX) if isinstance(size, int) else s.size(*size)

    # --- numpy -------------------------------------------------------------------------------------------------------

    def array_places(self, arrays: Sequence[Any], shape: Sequence[int]) -> tuple[tuple[Any, ...], Any]:
        """The same for all elements of the slices, of this shape, at once: index arrays for x, and a mask or None.

        arrays: of the tensor operands. ExecutionError where an index is outside in mode `error`.
        """
        known = dict(zip(self.tensors(), arrays))
        x, grid = known[self.x], np.indices(shape, np.int64, sparse=True)
        found, inside = [], None
        for axis, along in enumerate(self.along()):
            here = 0 if along.position is None else grid[along.position]
            if along.start is not None:
                value, map = self.indices()[along.start]
                length = 1 if along.position is None else shape[along.position]
                here, is_here = self._moved(axis, known[value], map, here, x.shape[axis], length, grid)
                inside = is_here if inside is None else inside & is_here
            found.append(np.broadcast_to(here, shape))
        return tuple(found), None if inside is None else np.broadcast_to(inside, shape)

    def _moved(
        self, axis: int, index: Any, map: AffineMap, here: Any, size: int, length: int, grid: Any
    ) -> tuple[Any, Any]:
        """Places along one axis of x of this size, and where they are the wanted ones."""
        numbers = np.minimum(index, np.uint64(LARGEST)) if index.dtype == np.uint64 else index
        numbers = numbers.astype(np.int64)
        starts = numbers[tuple(map.evaluate(grid))] if map.results else numbers
        room = size - (1 if self.mode == "drop" else length)
        if self.mode == "error" and starts.size:
            least, largest = affine(int(starts.min())), affine(int(starts.max()))
            check_rules(_is_inside(axis, least, largest, affine(size), affine(length)))
        if self.mode == "clamp" and starts.size:
            check_rules([_has_room(axis, affine(size), affine(length))])
        if self.mode != "drop":
            return np.clip(starts, 0, max(room, 0)) + here, None
        wanted = starts + here
        return np.clip(wanted, 0, max(room, 0)), (wanted >= 0) & (wanted < size)


def _signed(b: Any, index: Any) -> Any:
    """The index in a signed type, whose least number is what the maximum of no index is."""
    element = index.type.element
    if not is_unsigned(element):
        return index
    return b.cast(b.minimum(index, LARGEST) if highest(element) > LARGEST else index, I64)


def _has_room(axis: int, size: AffineExpr, length: AffineExpr) -> SizeRule:
    return SizeRule(size, "ge", length, f"axis {axis} of x must not be shorter than the slice")


def _is_inside(
    axis: int, least: AffineExpr, largest: AffineExpr, size: AffineExpr, length: AffineExpr
) -> list[SizeRule]:
    """The rules for the least and the largest index of an axis of this size. length: of the slice."""
    first = SizeRule(least, "ge", affine(0), f"an index of axis {axis} of x must be at least 0")
    if length == affine(1):
        return [first, SizeRule(largest, "lt", size, f"an index of axis {axis} of x must be less than the size of the axis")]
    message = f"an index of axis {axis} of x must be at most the size of the axis less that of the slice"
    return [first, SizeRule(largest, "le", size - length, message)]
