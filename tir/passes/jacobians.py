"""The expansion of `tir.jacobian`: a loop over elements around one derivative. Part of `autodiff`.

In reverse mode the loop is over the elements of y, and its body the way back from one of them; in forward mode it is
over those of one tensor of `wrt`, and its body the way forward. Values of the program are used from outside of the
loop, and what is the same in each step is computed in front of it. There is a loop for each axis, so that the parts are
stacked in the shape of the result; see Note [Sizes of a Jacobian].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

from tir.dialects.tir.builder import Tensor, TensorBuilder
from tir.dialects.tir.control import Scan, Yield
from tir.dialects.tir.control_gradients import inputs_of
from tir.dialects.tir.jacobian import Jacobian
from tir.ir.ir import Block, Op, Region, Value
from tir.ir.traits import is_removable
from tir.ir.types import DYNAMIC, I64, TensorType, Type
from tir.passes.custom_derivatives import Place
from tir.passes.forward_mode import Forward
from tir.passes.reverse_mode import Reverse, Steps, drop_unused

__all__ = ["jacobians"]


def jacobians(op: Jacobian, place: Place, b: TensorBuilder) -> Steps:
    """The Jacobian of y by each of `wrt`. place: that of the op; b: the builder in front of it."""
    return _by_forward(op, place, b) if op.goes_forward else _by_reverse(op, place, b)


def _by_reverse(op: Jacobian, place: Place, b: TensorBuilder) -> Steps:
    def row(inner: TensorBuilder, seed: Tensor) -> Steps:
        return Reverse(inner, place, _up_to(op)).steps([(op.y, seed)], op.wrt)

    return (yield from _over_elements(op, b, op.y, op.wrt, [x.type.element for x in op.wrt], row))


def _by_forward(op: Jacobian, place: Place, b: TensorBuilder) -> Steps:
    found: list[Tensor | None] = []
    for x in op.wrt:

        def column(inner: TensorBuilder, seed: Tensor, x: Value = x) -> Steps:
            return Forward(inner, place, _up_to(op)).steps([op.y], [x], [seed])

        element: Type = x.type.element
        (part,) = yield from _over_elements(op, b, x, [op.y], [element], column)
        rank, by = op.y.type.rank, x.type.rank
        found.append(b.transpose(part, [*range(by, by + rank), *range(by)]))
    return found


def _up_to(op: Op) -> tuple[Block, Op | None]:
    assert op.parent is not None
    return op.parent, op


# --- loops over the elements of a tensor -----------------------------------------------------------------------------


def _over_elements(
    place: Op, b: TensorBuilder, over: Value, likes: Sequence[Value], elements: Sequence[Type],
    derivative: Callable[[TensorBuilder, Tensor], Steps],
) -> Steps:  # fmt: skip
    """For each of `likes` a tensor of the axes of `over` and then its own: what `derivative` gives for each element.

    derivative: from a builder, and a tensor like `over` that is 1 at the element and 0 elsewhere.
    """
    b.location = place.location
    if over.type.rank == 0:  # type: ignore[attr-defined]
        parts = yield derivative(b, b.full_like(over, 1))
        return _completed(b, parts, likes, elements)
    loops = _Loops(b, over, likes, elements)
    parts = yield derivative(loops.inner, loops.seed(over))
    if all(part is None for part in parts):
        return [b.full(0, (*b.shape(over), *b.shape(x)), element) for x, element in zip(likes, elements)]
    loops.inner.location = place.location
    return loops.closed(_completed(loops.inner, parts, likes, elements))


def _completed(
    b: TensorBuilder, parts: Sequence[Tensor | None], likes: Sequence[Value], elements: Sequence[Type]
) -> Any:
    """The parts in these element types, with zeros for those that are None."""
    wanted = zip(parts, likes, elements)
    return [b.full(0, b.shape(x), element) if part is None else b.cast(part, element) for part, x, element in wanted]


class _Loops:
    """A loop for each axis of a tensor, one in the other, on their way. inner: the builder in the innermost.

    stacks: the loops stack the parts; else they carry `starts` and put the parts into it.
    """

    def __init__(self, b: TensorBuilder, over: Value, likes: Sequence[Value], elements: Sequence[Type]) -> None:
        self.b, self.likes = b, likes
        self.shape, extents = over.type.shape, b.shape(over)  # type: ignore[attr-defined]
        inside = [*self.shape[1:], *(dim for x in likes for dim in x.type.shape)]  # type: ignore[attr-defined]
        self.stacks = DYNAMIC not in inside
        self.starts: list[Value] = []
        if not self.stacks:
            self.starts = [b.full(0, (*extents, *b.shape(x)), element).value for x, element in zip(likes, elements)]
        self.sequences = [b.iota([extent], 0).value for extent in extents]
        self.blocks = [Block([*(value.type for value in self.starts), TensorType((), I64)]) for _ in extents]
        self.inner = TensorBuilder(self.blocks[-1], None, b.location)
        self.places = [block.arguments[-1] for block in self.blocks]
        for place in self.places:
            place.hint = "i"

    def seed(self, over: Value) -> Tensor:
        """A tensor like `over` that is 1 at the element at hand and 0 elsewhere."""
        b, shape = self.inner, self.inner.shape(over)
        element = over.type.element  # type: ignore[attr-defined]
        axes = enumerate(zip(self.places, shape))
        lines = [b.broadcast(b.one_hot(place, extent, element), [axis], shape) for axis, (place, extent) in axes]
        return reduce(b.mul, lines)

    def closed(self, parts: Sequence[Tensor]) -> list[Tensor | None]:
        """The results of the outermost loop, where the innermost gives these parts."""
        self._end(self.blocks[-1], self._stored(parts))
        self._move_out(self.blocks[-1])
        for axis in reversed(range(1, len(self.shape))):
            block = self.blocks[axis - 1]
            outer = TensorBuilder(block, None, self.b.location)
            self._end(block, self._made(outer, axis, block.arguments[: len(self.starts)], parts))
        return [self.b.tensor(value) for value in self._made(self.b, 0, self.starts, parts)]

    def _made(self, b: TensorBuilder, axis: int, starts: Sequence[Value], parts: Sequence[Tensor]) -> Sequence[Value]:
        """The loop over an axis."""
        types: list[Type] = [value.type for value in starts]
        if self.stacks:
            types = [x.type.with_shape((*self.shape[axis:], *x.type.shape)) for x in parts]
        regions = [Region([self.blocks[axis]])]
        return b.op(Scan, list(starts), [self.sequences[axis]], result_types=types, regions=regions).results

    def _stored(self, parts: Sequence[Tensor]) -> list[Value]:
        """The parts, or what is carried with them in their place."""
        if self.stacks:
            return [part.value for part in parts]
        b, ones = self.inner, [1] * len(self.shape)
        return [
            b.update_slice(whole, b.reshape(part, [*ones, *b.shape(x)]), [*self.places, *[0] * part.type.rank]).value
            for whole, part, x in zip(self.blocks[-1].arguments, parts, self.likes)
        ]

    def _end(self, block: Block, values: Sequence[Value]) -> None:
        TensorBuilder(block, None, self.b.location).op(Yield, list(values), result_types=[])
        drop_unused(block.first, block.last)

    def _move_out(self, block: Block) -> None:
        """Has what is the same in each step stand in front of the loops."""
        varying: set[Value] = {argument for one in self.blocks for argument in one.arguments}
        for op in list(block):
            if isinstance(op, Yield) or not is_removable(op) or not varying.isdisjoint(inputs_of(op)):
                varying.update(op.results)
            else:
                op.detach()
                self.b.insert(op)


# Note [Sizes of a Jacobian]
# A loop stacks what has sizes that are known before it as numbers or names. Where a `?` is among them, the loops carry
# the whole result instead, full of zeros at first, and put each part into its place, which happens in place.
