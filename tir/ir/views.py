"""Index lists, slices and regrouped dimensions: what ops on tensors, buffers and vectors share.

A list of offsets or sizes is partly known: a static array, in which `DYNAMIC_INDEX` stands for the next operand. The
rules here are those of upstream MLIR's verifiers; the functions on arrays check what only run time knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tir.ir.attributes import IntegerAttr
from tir.ir.errors import TirError, counted
from tir.ir.execution import ExecutionError
from tir.ir.ir import Value
from tir.ir.traits import ConstantLike
from tir.ir.types import DYNAMIC, Dim, ShapedType
from tir.lazy import np

__all__ = [
    "DYNAMIC_INDEX", "SliceLists", "are_inside", "buffer_of", "checked_index", "checked_slices", "collapsed_shape",
    "dims_of", "dynamic_dims", "element_strides", "fill_in", "gather", "group_sizes", "kept_axes", "known_size", "mixed",
    "regrouped_strides", "reshaped_view", "runtime_shape", "slice_layout", "split_mixed", "strided_view",
    "verify_contiguous", "verify_groups", "verify_mixed",
]  # fmt: skip

DYNAMIC_INDEX = -(1 << 63)


# --- lists of known and unknown numbers ------------------------------------------------------------------------------


def mixed(static: Sequence[int], dynamic: Iterable[Any]) -> list[Any]:
    """The static numbers, with the dynamic ones in their places."""
    rest = iter(dynamic)
    return [next(rest) if number == DYNAMIC_INDEX else number for number in static]


def split_mixed(numbers: Iterable[int | Value]) -> tuple[list[int], list[Value]]:
    """The static list and the operands for a list of integers and values: the opposite of `mixed`."""
    every = list(numbers)
    return [DYNAMIC_INDEX if isinstance(n, Value) else n for n in every], [n for n in every if isinstance(n, Value)]


def fill_in(static_lists: Iterable[Sequence[int]], values: Sequence[Any]) -> list[list[int]]:
    """The run-time numbers of several lists, whose dynamic entries are `values` in order."""
    rest = iter(values)
    return [[int(next(rest)) if n == DYNAMIC_INDEX else n for n in static] for static in static_lists]


def verify_mixed(what: str, static: Sequence[int], dynamic: Sequence[Any], count: int) -> None:
    """TirError unless there are `count` numbers, with an operand for each dynamic one."""
    if len(static) != count:
        raise TirError(f"must have {counted(count, what.removesuffix('s'), what)}, got {len(static)}")
    wanted = sum(n == DYNAMIC_INDEX for n in static)
    if wanted != len(dynamic):
        raise TirError(f"{what}: {wanted} dynamic, but {counted(len(dynamic), 'operand')}")


def dims_of(static: Iterable[int]) -> list[Dim]:
    """Sizes of a type: `?` for the dynamic ones."""
    return [DYNAMIC if n == DYNAMIC_INDEX else n for n in static]


def known_size(dim: Dim) -> int | None:
    """The size, None if the type does not fix it."""
    return dim if isinstance(dim, int) else None


def dynamic_dims(type: ShapedType) -> list[int]:
    """The axes whose size the type does not fix."""
    return [axis for axis, dim in enumerate(type.shape) if not isinstance(dim, int)]


def runtime_shape(type: ShapedType, dynamic: Sequence[Any]) -> tuple[int, ...]:
    """The sizes at run time, when `dynamic` are those that the type does not fix."""
    rest = iter(dynamic)
    shape = tuple(dim if isinstance(dim, int) else int(next(rest)) for dim in type.shape)
    for axis, size in enumerate(shape):
        if size < 0:
            raise ExecutionError(f"axis {axis} must have a size of at least 0, got {size}")
    return shape


class SliceLists:
    """What ops with operands `offsets`, `sizes` and `strides` and their static lists share."""

    __slots__ = ()
    offsets: Any
    sizes: Any
    strides: Any
    static_offsets: Any
    static_sizes: Any
    static_strides: Any

    @property
    def mixed_offsets(self) -> list[int | Value]:
        """Where the slice starts: an integer or a value for each axis."""
        return mixed(self.static_offsets, self.offsets)

    @property
    def mixed_sizes(self) -> list[int | Value]:
        """The size of each axis of the slice, those of size 1 that the type leaves out included."""
        return mixed(self.static_sizes, self.sizes)

    @property
    def mixed_strides(self) -> list[int | Value]:
        """The step along each axis."""
        return mixed(self.static_strides, self.strides)

    def verify_lists(self, offsets: int, rank: int) -> None:
        """TirError unless there are this many offsets, and `rank` sizes and strides."""
        verify_mixed("offsets", self.static_offsets, self.offsets, offsets)
        verify_mixed("sizes", self.static_sizes, self.sizes, rank)
        verify_mixed("strides", self.static_strides, self.strides, rank)
        for what, numbers in (("offsets", self.static_offsets), ("sizes", self.static_sizes)):
            if any(n < 0 and n != DYNAMIC_INDEX for n in numbers):
                raise TirError(f"{what} must be at least 0, got {[n for n in numbers if n != DYNAMIC_INDEX]}")

    def verify_bounds(self, shape: Sequence[Dim]) -> None:
        """TirError for a slice of an array of this shape that is known to reach outside.

        An empty slice may start at the end, so that empty arrays have slices; upstream refuses that.
        """
        lists = zip(self.static_offsets, self.static_sizes, self.static_strides, shape)
        for axis, (offset, size, stride, limit) in enumerate(lists):
            if offset == DYNAMIC_INDEX or not isinstance(limit, int):
                continue
            if DYNAMIC_INDEX in (size, stride):
                size, stride = int(size != 0), 1  # the first element at least
            problem = _slice_problem(axis, offset, size, stride, limit)
            if problem is not None:
                raise TirError(problem)

    def lists_at(self, values: Sequence[Any]) -> list[list[int]]:
        """Offsets, sizes and strides at run time, from the values of the operands behind the source."""
        return fill_in([self.static_offsets, self.static_sizes, self.static_strides], values)


# --- elements and slices at run time ---------------------------------------------------------------------------------


def are_inside(indices: Sequence[Value], shape: Sequence[Dim]) -> bool:
    """The indices are constants that lie inside an array of this shape."""
    for index, size in zip(indices, shape):
        value = index.op.properties.get("value") if isinstance(index.op, ConstantLike) else None
        if not isinstance(value, IntegerAttr) or not isinstance(size, int) or not 0 <= value.value < size:
            return False
    return True


def checked_index(indices: Sequence[Any], shape: Sequence[int]) -> tuple[int, ...]:
    """The indices of one element; ExecutionError for one that is out of bounds."""
    for axis, (index, size) in enumerate(zip(indices, shape)):
        if not 0 <= index < size:
            raise _out_of_bounds(index, axis, size)
    return tuple(indices)


def gather(array: Any, indices: Sequence[Any]) -> Any:
    """The elements at `indices`, each an integer or an array of integers; out of bounds raises ExecutionError."""
    for axis, (index, size) in enumerate(zip(indices, array.shape)):
        if getattr(index, "ndim", 0) == 0:
            if not 0 <= index < size:
                raise _out_of_bounds(index, axis, size)
        elif index.size and not (0 <= index.min() and index.max() < size):
            raise _out_of_bounds(next(i for i in index.flat if not 0 <= i < size), axis, size)
    return array[tuple(indices)]


def _out_of_bounds(index: Any, axis: int, size: int) -> ExecutionError:
    return ExecutionError(f"index {index} is out of bounds for axis {axis} with size {size}")


def checked_slices(lists: Sequence[Sequence[int]], shape: Sequence[int]) -> tuple[slice, ...]:
    """The slices, from offsets, sizes and strides, of an array of this shape; ExecutionError if one reaches outside."""
    slices = []
    for axis, (offset, size, stride, limit) in enumerate(zip(*lists, shape)):
        if size < 0 or stride == 0:
            raise ExecutionError(f"axis {axis} needs a size from 0 on and a stride, got size {size}, stride {stride}")
        if (problem := _slice_problem(axis, offset, size, stride, limit)) is not None:
            raise ExecutionError(problem)
        stop = offset + size * stride
        slices.append(slice(offset, None if stop < 0 else stop, stride) if size else slice(offset, offset))
    return tuple(slices)


def _slice_problem(axis: int, offset: int, size: int, stride: int, limit: int) -> str | None:
    """How a slice reaches outside of an axis with `limit` elements, or None. An empty slice may start at its end."""
    ends = (offset, offset + (size - 1) * stride) if size else (offset,)
    if all(0 <= end < limit + (size == 0) for end in ends):
        return None
    slice_text = f"slice from {offset} of {size} elements with stride {stride}"
    return f"{slice_text} is out of bounds for axis {axis} with size {limit}"


def kept_axes(full: Sequence[Any], reduced: Sequence[Any]) -> list[int] | None:
    """The axes of `full` that stay when axes of size 1 are dropped to make `reduced`; None if that cannot be.

    An entry is a size, or a tuple that begins with one; entries that match are kept as early as possible.
    """
    kept: list[int] = []
    for axis, entry in enumerate(full):
        if len(kept) < len(reduced) and entry == reduced[len(kept)]:
            kept.append(axis)
        elif (entry[0] if isinstance(entry, tuple) else entry) != 1:
            return None
    return kept if len(kept) == len(reduced) else None


def slice_layout(
    strides: Sequence[Dim], offset: Dim, slice_offsets: Sequence[int], slice_strides: Sequence[int]
) -> tuple[list[Dim], Dim]:
    """Strides and offset of a slice of a buffer with these strides and this offset."""
    total = offset
    for stride, start in zip(strides, dims_of(slice_offsets)):
        total = _add(total, _multiply(stride, start))
    return [_multiply(stride, step) for stride, step in zip(strides, dims_of(slice_strides))], total


def _multiply(a: Dim, b: Dim) -> Dim:
    if a == 0 or b == 0:
        return 0
    return a * b if isinstance(a, int) and isinstance(b, int) else DYNAMIC


def _add(a: Dim, b: Dim) -> Dim:
    return a + b if isinstance(a, int) and isinstance(b, int) else DYNAMIC


# --- groups of dimensions --------------------------------------------------------------------------------------------


def verify_groups(groups: Sequence[Sequence[int]], expanded: Sequence[Dim], collapsed: Sequence[Dim]) -> None:
    """TirError unless the groups cut the dimensions of `expanded` into those of `collapsed`."""
    flat = [axis for group in groups for axis in group]
    if len(groups) != len(collapsed):
        raise TirError(f"must have a group for each of the {len(collapsed)} collapsed dimensions, got {len(groups)}")
    if groups and (flat != list(range(len(expanded))) or not all(groups)):
        raise TirError(f"the groups must hold the dimensions 0 to {len(expanded) - 1} in order, got {_text(groups)}")
    if not groups and any(dim != 1 for dim in expanded):
        raise TirError("only dimensions of size 1 can be collapsed into none")
    for axis, (want, got) in enumerate(zip(collapsed_shape(groups, expanded), collapsed)):
        if known_size(want) != known_size(got):
            raise TirError(f"collapsed dimension {axis} of group {list(groups[axis])} must be {want}, got {got}")


def _text(groups: Sequence[Sequence[int]]) -> str:
    return str([list(group) for group in groups])


def verify_contiguous(groups: Sequence[Sequence[int]], sizes: Sequence[Dim], strides: Sequence[Dim]) -> None:
    """TirError if dimensions of one group are known not to lie behind each other in memory."""
    for group, stride in zip(groups, regrouped_strides(groups, sizes, strides, None)):
        for axis, inner in zip(reversed(group[:-1]), reversed(group[1:])):
            stride = _multiply(stride, sizes[inner])
            if sizes[axis] != 1 and isinstance(stride, int) and isinstance(strides[axis], int):
                if strides[axis] != stride:
                    raise TirError(f"axis {axis} of the operand must have stride {stride}, got {strides[axis]}")


def collapsed_shape(groups: Sequence[Sequence[int]], expanded: Sequence[Dim]) -> list[Dim]:
    """The size of each group: the product of its dimensions, `?` if one is not known."""
    return [_product([expanded[axis] for axis in group]) for group in groups]


def _product(dims: Iterable[Dim]) -> Dim:
    total = 1
    for dim in dims:
        if not isinstance(dim, int):
            return DYNAMIC
        total *= dim
    return total


def group_sizes(groups: Sequence[Sequence[int]], expanded: Sequence[int], collapsed: Sequence[int]) -> None:
    """ExecutionError unless the run-time sizes of the two shapes agree."""
    for axis, (group, got) in enumerate(zip(groups, collapsed)):
        sizes = [expanded[i] for i in group]
        if _product(sizes) != got:
            raise ExecutionError(f"axis {axis} has size {got}, not the product of the sizes {sizes} of its group")


def regrouped_strides(
    groups: Sequence[Sequence[int]], source: Sequence[Dim], strides: Sequence[Dim], expanded: Sequence[Dim] | None
) -> list[Dim]:
    """The strides after collapsing dimensions of these sizes and strides, or after expanding them to `expanded`."""
    if expanded is not None:
        return [stride for group, last in zip(groups, strides) for stride in _expanded_strides(group, last, expanded)]
    return [_collapsed_stride(group, source, strides) for group in groups]


def _expanded_strides(group: Sequence[int], last: Dim, sizes: Sequence[Dim]) -> Iterator[Dim]:
    found: list[Dim] = []
    for axis in reversed(group):
        found.append(last)
        last = _multiply(last, sizes[axis])
    return reversed(found)


def _collapsed_stride(group: Sequence[int], sizes: Sequence[Dim], strides: Sequence[Dim]) -> Dim:
    axes = list(group)
    while len(axes) > 1 and sizes[axes[-1]] == 1:
        axes.pop()
    # A last dimension of unknown size may turn out to be 1, and then another stride counts.
    return strides[axes[-1]] if isinstance(sizes[axes[-1]], int) or len(axes) == 1 else DYNAMIC


# --- views of arrays --------------------------------------------------------------------------------------------------


def strided_view(buffer: Any, offset: int, shape: Sequence[int], strides: Sequence[int]) -> Any:
    """A view of a flat array, in elements; ExecutionError if it reaches outside."""
    ends = [(size - 1) * stride for size, stride in zip(shape, strides)]
    low, high = offset + sum(min(0, e) for e in ends), offset + sum(max(0, e) for e in ends)
    if min(shape, default=1) < 0 or (0 not in shape and (low < 0 or high >= buffer.size)):
        raise ExecutionError(
            f"offset {offset}, sizes {list(shape)} and strides {list(strides)} reach from {low} to {high} "
            f"in a buffer of {buffer.size} elements"
        )
    if 0 in shape:
        return np.empty(shape, buffer.dtype)
    item = buffer.dtype.itemsize
    view = np.ndarray(shape, buffer.dtype, buffer, offset * item, [stride * item for stride in strides])
    view.flags.writeable = buffer.flags.writeable
    return view


def buffer_of(array: Any) -> Any:
    """The whole buffer that an array is a view of, flat."""
    owner = array
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    if owner.dtype != array.dtype or not (owner.flags.c_contiguous or owner.flags.f_contiguous):
        raise ExecutionError("the buffer behind the operand is not one dense array of its element type")
    return owner.reshape(-1, order="A")


def reshaped_view(array: Any, shape: Sequence[int]) -> Any:
    """A view with another shape; ExecutionError if the strides do not allow one."""
    view = array.reshape(shape)
    if view.size and not np.may_share_memory(view, array):
        raise ExecutionError(
            f"an array with sizes {list(array.shape)} and strides {element_strides(array)} has no view with sizes "
            f"{list(shape)}"
        )
    return view


def element_strides(array: Any) -> list[int]:
    """The strides, counted in elements."""
    return [stride // array.itemsize for stride in array.strides]
