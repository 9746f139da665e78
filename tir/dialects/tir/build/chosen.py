"""What a mask chooses of a tensor, `x[x > 0]`: all that has a shape without knowing how much that is.

Others in the place of it are a select, and a reduction is one of the whole tensor, in which what is not chosen is the
number that changes nothing. Both front ends of arrays stand on this: `tir.graph` and `tir.numpy`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tir.dialects.tir.build.core import Tensor
from tir.dialects.tir.elements import highest, lowest
from tir.ir.errors import TirError
from tir.ir.types import BF16, DYNAMIC, F16, F32, I1, I64, TensorType, Type

__all__ = ["Choice", "choice_of", "unknown_number"]

#: The number that changes nothing about a reduction, for an element type.
NEUTRAL: dict[str, Callable[[Type], Any]] = {
    "sum": lambda element: 0,
    "prod": lambda element: 1,
    "any": lambda element: 0,
    "all": lambda element: 1,
    "max": lambda element: 0 if element is I1 else lowest(element),
    "min": lambda element: 1 if element is I1 else highest(element),
}


@dataclass(frozen=True)
class Choice:
    """The elements of x where a mask holds. axis: the first of the axes of x that the mask is for.

    As a tensor they have one axis for all of those, in their place.
    """

    x: Tensor
    mask: Tensor
    axis: int

    @property
    def type(self) -> TensorType:
        """The type that they have as a tensor."""
        shape = self.x.type.shape
        return self.x.type.with_shape([*shape[: self.axis], DYNAMIC, *shape[self.axis + self.mask.type.rank :]])

    @property
    def everywhere(self) -> Tensor:
        """The mask in the shape of x."""
        b = self.x.builder
        return b.broadcast(self.mask, range(self.axis, self.axis + self.mask.type.rank), b.shape(self.x))

    def axes_of(self, axes: Sequence[int]) -> list[int]:
        """The axes of x that these axes are; TirError if the one that the mask chooses along is none of them."""
        if self.axis not in axes:
            raise unknown_number(f"a reduction over its axis {self.axis} too has a shape")
        more = self.mask.type.rank - 1
        found = [axis if axis < self.axis else axis + more for axis in axes if axis != self.axis]
        return sorted([*found, *range(self.axis, self.axis + more + 1)])

    def neutral(self, reduction: str) -> Tensor:
        """x with the number that changes nothing about a reduction where it is not chosen."""
        b, element = self.x.builder, self.x.type.element
        number = NEUTRAL[reduction](element)
        rest = b.full(bool(number) if element is I1 else number, b.shape(self.x), element)
        return b.select(self.everywhere, self.x, rest)

    def count(self, axes: Sequence[int]) -> Tensor:
        """How many are chosen along these axes of x, the mask's among them, as i64."""
        b = self.x.builder
        first = self.axis
        others = [axis for axis in axes if not first <= axis < first + self.mask.type.rank]
        found = b.sum(b.cast(self.mask, I64))
        return b.cast(b.mul(found, b.cast(b.tensor(b.count(self.x, others, I64)), I64)), I64)

    def sizes(self) -> list[Any]:
        """The size of each axis that they have as a tensor: a number, a `SizeOf`, and for one of them a count."""
        b, behind = self.x.builder, self.axis + self.mask.type.rank
        shape = b.shape(self.x)
        return [*shape[: self.axis], self.count(range(self.axis, behind)), *shape[behind:]]

    def mean(self, axes: Sequence[int]) -> Tensor:
        """The mean over these axes of x, which is of floats; nan if none is chosen. Small floats add up in f32."""
        b, element = self.x.builder, self.x.type.element
        wide = F32 if element in (F16, BF16) else element
        total = b.sum(replace(self, x=b.cast(self.x, wide)).neutral("sum"), axes)
        return b.cast(b.div(total, b.cast(self.count(axes), wide)), element)

    def changed(self, y: Tensor, joined: Callable[[Tensor, Tensor], Tensor] | None = None) -> Tensor:
        """x with y in the place of what is chosen, or joined with it. y: broadcasts, along the axis of the mask too."""
        b, y = self.x.builder, self._without_choice(y)
        return b.select(self.everywhere, y if joined is None else joined(self.x, y), self.x)

    def _without_choice(self, y: Tensor) -> Tensor:
        """y, which stands for what is chosen, in the shape of x."""
        b, at = self.x.builder, self.axis - (self.type.rank - y.type.rank)
        if y.type.rank > self.type.rank or at >= 0 and y.type.shape[at] != 1:
            message = f"what a mask chooses takes a number, or what has size 1 along axis {self.axis} of it, got {y.type}"
            raise TirError(message, hint="where(mask, y, x) takes y of the shape of x")
        if at >= 0:
            y = b.expand_dims(y, range(at, at + self.mask.type.rank - 1))
        return b.broadcast_to(y, b.shape(self.x))


def unknown_number(hint: str, kind: type[TirError] = TirError) -> TirError:
    """The error for what needs to know how many elements a mask chooses."""
    message = "a mask chooses a number of elements that only run time knows"
    return kind(message, hint=hint)


def _is_whole(part: Any) -> bool:
    """The part of an index takes all that there is along an axis, or along several."""
    return part is Ellipsis or isinstance(part, slice) and all(end is None for end in (part.start, part.stop, part.step))


def choice_of(x: Tensor, parts: Sequence[Any], at: int) -> Choice:
    """What x[parts] is, one of which is a mask. TirError where others are not whole axes, or the mask does not fit."""
    mask = parts[at]
    front, behind = parts[:at], parts[at + 1 :]
    if not all(map(_is_whole, (*front, *behind))):
        raise unknown_number("beside a mask an index has whole axes; x[i][mask] takes a part first")
    rank, more = x.type.rank, mask.type.rank
    if more == 0:
        raise TirError("a truth value is no index", hint="where(condition, x, y) keeps the shape")
    dots = sum(part is Ellipsis for part in (*front, *behind))
    axis = rank - more - len(behind) if any(part is Ellipsis for part in front) else at
    fits = dots <= 1 and len(parts) - 1 - dots + more <= rank
    if not fits or not all(_is_one_size(*pair) for pair in zip(mask.type.shape, x.type.shape[axis:])):
        raise TirError(f"a mask of type {mask.type} does not fit {x.type} from axis {axis} on")
    return Choice(x, mask, axis)


def _is_one_size(size: Any, other: Any) -> bool:
    """The sizes may be equal. A 1 of the mask is not taken for a size that is open: it would stretch."""
    return size == other or size != 1 and (size is DYNAMIC or other is DYNAMIC)
