"""`x[..]` as Theano and numpy have it, also with bounds that are variables; `set_subtensor`, `inc_subtensor`.

Bounds of a slice are clamped as Python does it, so that an empty slice is one. An index outside is an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tir.dialects.tir.build.chosen import Choice, choice_of
from tir.dialects.tir.build.core import Tensor
from tir.dialects.tir.elements import highest, lowest
from tir.dialects.tir.indexing import is_array, spelled_out
from tir.graph.errors import GraphTypeError, GraphValueError
from tir.graph.graph import GRAPH as b
from tir.graph.graph import located, with_type
from tir.graph.shape import constant_of, stacked_parts, stretched
from tir.ir.types import DYNAMIC, I1, I64, IntegerType, Type
from tir.lazy import np

__all__ = ["choose", "inc_subtensor", "index", "set_subtensor", "take", "take_along_axis"]

Whole = slice(None)

# --- reading ---------------------------------------------------------------------------------------------------------


@located
def index(x: Any, given: Any) -> Tensor:
    """x[given]: whole numbers, slices, `...`, None, 0-d integer variables, arrays and tensors of integers."""
    x = b.tensor(x)
    if (choice := _choice(x, given)) is not None:
        return b.chosen_class(choice)
    stacked = stacked_parts(x) if type(given) is int else None
    is_inside = stacked is not None and -len(stacked) <= given < len(stacked)
    result = stacked[given] if stacked and is_inside else _indexed(x, given)  # x.shape[0] is the size itself
    # What it is a part of, for `set_subtensor(x[..], y)`. A new object: x[:] is another variable than x there.
    result = b.variable_class(b, result.value)
    result.part_of = (x, given)  # type: ignore[attr-defined]
    return result


def _choice(x: Tensor, given: Any) -> Choice | None:
    """What a mask chooses that has no numbers yet, or the places where it holds: `x[x > 0]`, `x[(x > 0).nonzero()]`."""
    parts = [_part(one) for one in (given if isinstance(given, tuple) else (given,))]
    at = next((i for i, part in enumerate(parts) if isinstance(part, Tensor) and _is_open_mask(part)), None)
    if at is None:
        return None
    if isinstance(parts[at], b.chosen_class):
        mask = parts[at].choice.mask
        places = parts[at : at + mask.type.rank]
        if [_place_of(part, mask) for part in places] != [*range(mask.type.rank)]:
            return parts[at].value  # says why not
        parts[at : at + len(places)] = [mask]
    return choice_of(x, parts, at)


def _is_open_mask(part: Tensor) -> bool:
    return isinstance(part, b.chosen_class) or part.type.element is I1 and constant_of(part) is None


def _place_of(part: Any, mask: Tensor) -> int | None:
    """Along which axis of the mask the part of an index has the places where it holds."""
    return part.place_of if isinstance(part, b.chosen_class) and part.choice.mask.value is mask.value else None


def _indexed(x: Tensor, given: Any) -> Tensor:
    """x[given], which does not know what it is a part of."""
    parts = _parts(x, given)
    found, axis = x, 0
    for place, part in enumerate(parts):
        if part is None:
            continue
        if isinstance(part, slice) and _is_open(part, found, axis):
            found = b._clamped_slice(found, axis, _checked(part))
            parts[place] = Whole
        axis += 1
    whole = all(isinstance(part, slice) and part == Whole for part in parts)
    return found if whole else b.index(found, tuple(parts))


def _parts(x: Tensor, given: Any) -> list[Any]:
    """One part for each axis, and None for new ones."""
    parts = [_part(one) for one in (given if isinstance(given, tuple) else (given,))]
    for part in parts:
        if isinstance(part, Tensor) and part.type.element is I1 or isinstance(part, np.ndarray) and part.dtype == bool:
            return _parts(x, _of_mask(parts))
    return spelled_out(tuple(parts), x.type.rank)


def _part(one: Any) -> Any:
    if isinstance(one, (list, tuple)) and any(isinstance(item, Tensor) for item in one):
        return b.tensor(one)
    if isinstance(one, (list, tuple)):
        return np.asarray(one) if len(one) else np.zeros(0, np.int64)
    if isinstance(one, Tensor) and one.type.rank == 0 and (known := constant_of(one)) is not None and known.dtype != bool:
        return int(known) if known.dtype.kind in "iu" else one
    return one.item() if isinstance(one, np.ndarray) and one.ndim == 0 and one.dtype.kind in "iu" else one


def _of_mask(parts: list[Any]) -> tuple[Any, ...]:
    """A constant mask as the positions that it chooses."""
    found: list[Any] = []
    for part in parts:
        known = part if isinstance(part, np.ndarray) else constant_of(part) if isinstance(part, Tensor) else None
        found.extend(np.nonzero(known) if known is not None and known.dtype == bool else [part])
    return tuple(found)


def _is_open(part: slice, x: Tensor, axis: int) -> bool:
    """What the slice takes is known when it runs only."""
    if any(isinstance(bound, Tensor) for bound in (part.start, part.stop, part.step)):
        return True
    for bound in (part.start, part.stop, part.step):
        if bound is not None and not hasattr(bound, "__index__"):
            raise GraphTypeError(f"the bounds of a slice are whole numbers or 0-d integer variables, got {bound!r}")
    if x.type.shape[axis] is not DYNAMIC:
        return False
    return (part.start, part.stop) != (None, None) or part.step not in (None, 1, -1)


def _places(x: Tensor, axis: int, part: slice) -> tuple[Tensor, Tensor, int]:
    """The first place of a slice, how many there are, and the step: as `slice.indices` gives them."""
    return b._places_of_slice(x, axis, _checked(part))


def _checked(part: slice) -> slice:
    """The slice with a number as step, and bounds that are i64."""
    step = 1 if part.step is None else part.step
    if isinstance(step, Tensor):
        known = constant_of(step)
        if known is None:
            raise GraphTypeError(f"the step of a slice must be a number, got {step!r}")
        step = int(known)
    if int(step) == 0:
        raise GraphValueError("the step of a slice must not be 0")
    return slice(_bound(part.start), _bound(part.stop), int(step))


def _bound(given: Any) -> Any:
    if not isinstance(given, Tensor):
        return given
    if given.type.rank or not isinstance(given.type.element, IntegerType):
        raise GraphTypeError(f"the bounds of a slice are whole numbers or 0-d integer variables, got {given!r}")
    return b.cast(given, I64)


# --- writing ---------------------------------------------------------------------------------------------------------


@located
def set_subtensor(x: Any, y: Any, inplace: bool = False, tolerate_inplace_aliasing: bool = False) -> Tensor:
    """The tensor that x = z[..] is a part of, with y in the place of this part. y broadcasts."""
    return _changed(x, y, "set")


@located
def inc_subtensor(
    x: Any, y: Any, inplace: bool = False, set_instead_of_inc: bool = False, tolerate_inplace_aliasing: bool = False
) -> Tensor:
    """The tensor that x = z[..] is a part of, with y added to this part; where an index comes twice, both times."""
    return _changed(x, y, "set" if set_instead_of_inc else "add")


def _changed(part: Any, y: Any, kind: str) -> Tensor:
    if isinstance(part, b.chosen_class):
        return _changed_choice(part.choice, y, kind)
    source = getattr(part, "part_of", None) if isinstance(part, Tensor) else None
    if source is None:
        raise GraphTypeError(f"the first argument must be a part x[..] of a tensor, got {part!r}")
    x, given = source
    y = _fitting(x, y)
    if y.type.rank > part.type.rank:
        raise GraphValueError(f"y must not have more axes than the part, got {with_type(y)} for {part.type}")
    u = stretched(y, b.shape(part))
    parts = _parts(x, given)
    if _is_block(parts):
        return _put_block(x, parts, u, part, kind)
    arrays = [i for i, one in enumerate(parts) if is_array(one)]
    if len(arrays) == 1 and all(i in arrays or (isinstance(one, slice) and one == Whole) for i, one in enumerate(parts)):
        return b.put(x, b._positions(parts[arrays[0]], x, arrays[0]), u, axis=arrays[0], kind=kind)
    return _put_anywhere(x, given, u, kind)


def _changed_choice(choice: Choice, y: Any, kind: str) -> Tensor:
    """x with y in the place of what a mask chooses, or added to it; what the mask chooses of another takes its place."""
    is_same = isinstance(y, b.chosen_class) and (y.choice.mask.value, y.choice.axis) == (choice.mask.value, choice.axis)
    joined = b.add if kind == "add" else None
    if not is_same or y.type.rank != choice.type.rank:
        return choice.changed(_fitting(choice.x, y), joined)
    other = stretched(_fitting(choice.x, y.choice.x), b.shape(choice.x))
    return b.select(choice.everywhere, other if joined is None else joined(choice.x, other), choice.x)


def _fitting(x: Tensor, y: Any) -> Tensor:
    """What is written into x, in the dtype of x, which must hold it."""
    y = b.constant(y, x.type.element) if _is_whole_of(y, x.type.element) else b.tensor(y)
    if b._promote(x, y)[1] is not x.type.element:
        cure = f"T.cast(y, '{x.dtype}')"  # type: ignore[attr-defined]
        message = f"x has dtype {x.dtype}, which cannot take {y.dtype} without loss"  # type: ignore[attr-defined]
        raise GraphTypeError(message, hint=f"{cure} makes it fit")
    return b.cast(y, x.type.element)


def _is_whole_of(y: Any, element: Type) -> bool:
    """A Python integer that the element type has: 1 fits uint8, though a dtype of its own would not."""
    if type(y) is not int or not isinstance(element, IntegerType) or element is I1:
        return False
    return lowest(element) <= y <= highest(element)


def _is_block(parts: Sequence[Any]) -> bool:
    """Places and slices with step 1: a block of neighbours."""
    for part in parts:
        if isinstance(part, slice):
            if part.step not in (None, 1):
                return False
        elif part is not None and is_array(part) and not (isinstance(part, Tensor) and part.type.rank == 0):
            return False
    return True


def _put_block(x: Tensor, parts: Sequence[Any], u: Tensor, part: Tensor, kind: str) -> Tensor:
    """x with a block in the place of another."""
    axes = [one for one in parts if one is not None]
    starts, sizes = zip(*(_extent(x, axis, one) for axis, one in enumerate(axes))) if axes else ((), ())
    block = b.reshape(u, sizes)
    if kind == "add":
        block = b.add(b.dynamic_slice(x, starts, sizes), block)
    return b.update_slice(x, block, starts)


def _extent(x: Tensor, axis: int, part: Any) -> tuple[Any, Any]:
    """Where a part of an index begins, and how long it is."""
    if not isinstance(part, slice):
        return b._positions(part, x, axis), 1
    if part == Whole:
        return 0, b.shape(x)[axis]
    start, count, _ = _places(x, axis, part)
    known = _known_size(x, axis, part)
    return start, b.to_index(count) if known is None else known


def _known_size(x: Tensor, axis: int, part: slice) -> int | None:
    dim = x.type.shape[axis]
    if not isinstance(dim, int) or any(isinstance(bound, Tensor) for bound in (part.start, part.stop)):
        return None
    return len(range(*part.indices(dim)))


def _put_anywhere(x: Tensor, given: Any, u: Tensor, kind: str) -> Tensor:
    """x with elements set or added to at places that are looked up among the numbers of all elements."""
    places = index(b.numbered(x), given)
    flat, where = (b.reshape(one, [_count(one)]) for one in (x, places))
    found = b.put(flat, where, b.reshape(u, [_count(places)]), kind=kind)
    return b.reshape(found, b.shape(x))


def _count(x: Tensor) -> Any:
    found = b.count(x, range(x.type.rank), I64)
    return found if isinstance(found, int) else b.to_index(found)


# --- by arrays -------------------------------------------------------------------------------------------------------


@located
def take(x: Any, indices: Any, axis: int | None = None, mode: str = "raise") -> Tensor:
    """The elements of x at these places along the axis, or of the flattened x. mode: raise, wrap or clip."""
    x = b.tensor(x)
    if axis is None:
        x, axis = b.reshape(x, [_count(x)]), 0
    axis = b.axis_of(x, axis)
    places = b.tensor(
        np.asarray(indices) if isinstance(indices, (list, tuple)) and not isinstance(indices, Tensor) else indices
    )
    if mode == "raise":
        return b.take(x, b._positions(places, x, axis), axis)
    size = b.extent_count(b.shape(x)[axis])
    if mode == "wrap":
        return b.take(x, b.mod(b.cast(places, I64), size), axis, mode="clamp")
    if mode == "clip":
        return b.take(x, b.maximum(b.cast(places, I64), b.constant(0, I64)), axis, mode="clamp")
    raise GraphValueError(f"the mode must be raise, wrap or clip, got {mode!r}")


@located
def take_along_axis(x: Any, indices: Any, axis: int = 0) -> Tensor:
    """The elements of x at the places along the axis that the indices say for each."""
    x = b.tensor(x)
    axis = b.axis_of(x, axis)
    return b.take_along_axis(x, b._positions(indices, x, axis), axis)


@located
def choose(a: Any, choices: Any, out: None = None, mode: str = "raise") -> Tensor:
    """choices[a[i]][i] for each place i."""
    stacked = b.tensor(choices)
    a = b.tensor(a)
    shape = b.shape(b.index(stacked, 0))
    places = stretched(a, shape)
    if mode == "wrap":
        places = b.mod(b.cast(places, I64), b.extent_count(b.shape(stacked)[0]))
    found = b.take_along_axis(
        stacked, b.expand_dims(b.cast(places, I64), 0), 0, mode="error" if mode == "raise" else "clamp"
    )
    return b.index(found, 0)
