"""Functions that Theano keeps in `tensor.extra_ops`, and others that are made of several: counts, diagonals, ranges."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from tir.dialects.tir.build.chosen import Choice, unknown_number
from tir.dialects.tir.build.core import Tensor
from tir.graph import creation, elementwise, indexing, reductions, shape, sorting
from tir.graph.errors import GraphTypeError, GraphValueError
from tir.graph.graph import GRAPH as b
from tir.graph.graph import located
from tir.graph.shape import constant_of, stretched
from tir.graph.typing import element_of, float_x
from tir.ir.errors import counted
from tir.ir.types import I1, I64, FloatType, IntegerType, Type
from tir.lazy import np

__all__ = [
    "bartlett", "bincount", "broadcast_arrays", "broadcast_to", "ceil_intdiv", "compress", "default", "diff",
    "fill_diagonal", "fill_diagonal_offset", "geomspace", "get_vector_length", "inverse_permutation", "is_flat", "largest",
    "linspace", "logspace", "make_vector", "mgrid", "nonzero", "nonzero_values", "flatnonzero", "ogrid",
    "permute_row_elements", "ravel_multi_index", "scalar_from_tensor", "smallest", "tensor_from_scalar", "to_one_hot",
    "unravel_index",
]  # fmt: skip

# --- counting --------------------------------------------------------------------------------------------------------


@located
def to_one_hot(y: Any, nb_class: Any, dtype: Any = None) -> Tensor:
    """A row for each class number of a vector, 1 at its place and 0 elsewhere; of floatX by default.

    A number that is no class is an error, which `tir.one_hot` makes a row of zeros.
    """
    y = _integers(y)
    if y.type.rank != 1:
        raise GraphTypeError(f"needs a vector, got {y.type}")
    zeros = b.full(0, [*b.shape(y), shape.extent_of(nb_class)], element_of(dtype or "floatX"))
    return indexing.set_subtensor(indexing.index(zeros, (b.iota(b.shape(y), 0), y)), 1)


@located
def bincount(x: Any, weights: Any = None, minlength: Any = None, assert_nonneg: bool = False) -> Tensor:
    """How often each number from 0 on stands in the vector x, or the sum of its weights; of length `minlength` at least."""
    x = b.cast(_integers(x), I64)
    if x.type.rank != 1:
        raise GraphTypeError(f"needs a vector, got {x.type}")
    least = b.cast(b.tensor(0 if minlength is None else minlength), I64)
    length = b.maximum(least, b.add(reductions.max(shape.join(0, x, b.constant(np.array([-1])))), b.constant(1, I64)))
    ones = b.full_like(x, 1) if weights is None else b.tensor(weights)
    return b.put(b.full(0, [b.to_index(length)], ones.type.element), x, ones, axis=0, kind="add")


def _integers(x: Any) -> Tensor:
    x = b.tensor(x)
    if not isinstance(x.type.element, IntegerType):
        raise GraphTypeError(f"needs integers, got {x.type}", hint=f"T.cast({x!r}, 'int64') makes it fit")
    return x


@located
def diff(x: Any, n: int = 1, axis: int = -1) -> Tensor:
    """The differences of neighbours along the axis, n times."""
    x = b.tensor(x)
    axis = b.axis_of(x, axis)
    front = (slice(None),) * axis
    for _ in range(n):
        x = elementwise.sub(indexing.index(x, (*front, slice(1, None))), indexing.index(x, (*front, slice(None, -1))))
    return x


# --- diagonals -------------------------------------------------------------------------------------------------------


@located
def fill_diagonal(a: Any, val: Any) -> Tensor:
    """a with this number where all positions are equal."""
    a = b.tensor(a)
    if a.type.rank < 2:
        raise GraphTypeError(f"needs two axes or more, got {a.type}")
    places = [b.iota(b.shape(a), axis) for axis in range(a.type.rank)]
    on = b.cmp("eq", places[0], places[1])
    for other in places[2:]:
        on = b.and_(on, b.cmp("eq", places[0], other))
    return b.select(on, _number(val, a), a)


@located
def fill_diagonal_offset(a: Any, val: Any, offset: Any) -> Tensor:
    """The matrix a with this number on a diagonal, above the main one for an offset above 0."""
    a = b.tensor(a)
    if a.type.rank != 2:
        raise GraphTypeError(f"needs a matrix, got {a.type}")
    rows, columns = (b.iota(b.shape(a), axis) for axis in (0, 1))
    on = b.cmp("eq", b.add(rows, b.cast(b.tensor(offset), I64)), columns)
    return b.select(on, _number(val, a), a)


def _number(given: Any, like: Tensor) -> Tensor:
    """A number in the dtype of another tensor, which must hold it."""
    value = b.tensor(given)
    if value.type.rank:
        raise GraphTypeError(f"the value must be a number, got {value.type}")
    if b._promote(like, value)[1] is not like.type.element:
        message = f"a has dtype {like.dtype}, which cannot take {value.dtype} without loss"  # type: ignore[attr-defined]
        raise GraphTypeError(message, hint=f"T.cast(.., '{like.dtype}') makes it fit")  # type: ignore[attr-defined]
    return b.cast(value, like.type.element)


# --- choosing --------------------------------------------------------------------------------------------------------


@located
def compress(condition: Any, x: Any, axis: int | None = None) -> Tensor:
    """The places of x along the axis, or of the flattened x, where a mask of known numbers holds."""
    known = np.asarray(condition) if not isinstance(condition, Tensor) else constant_of(condition)
    if known is None:
        message = f"how many places {condition!r} chooses, only run time knows"
        raise GraphTypeError(message, hint="T.switch(mask, x, y) keeps the shape")
    return indexing.take(x, np.flatnonzero(known), axis)


@located
def nonzero(a: Any, return_matrix: bool = False) -> tuple[Tensor, ...]:
    """Where a is not 0: the places along each axis. As an index they are the mask; how many there are, run time knows."""
    if return_matrix:
        raise unknown_number("T.switch(mask, x, y) keeps the shape", GraphTypeError)
    x = b.tensor(a)
    if x.type.rank == 0:
        raise GraphTypeError(f"needs an axis or more, got {x.type}")
    if (known := constant_of(x)) is not None:
        return tuple(b.constant(places) for places in np.nonzero(known))
    mask = _not_zero(x)
    axes = range(mask.type.rank)
    return tuple(b.chosen_class(Choice(b.iota(b.shape(mask), axis), mask, 0), place_of=axis) for axis in axes)


def _not_zero(a: Any) -> Tensor:
    x = b.tensor(a)
    return x if x.type.element is I1 else elementwise.neq(x, 0)


@located
def flatnonzero(a: Any) -> Tensor:
    """Where the flattened a is not 0; as `nonzero`."""
    known = constant_of(a)
    return nonzero(shape.flatten(a))[0] if known is None else b.constant(np.flatnonzero(known))


@located
def nonzero_values(a: Any) -> Tensor:
    """The elements of a that are not 0; how many there are, run time knows."""
    return indexing.index(a, _not_zero(a))


@located
def inverse_permutation(perm: Any) -> Tensor:
    """The permutation that undoes this one; of a matrix for each row."""
    perm = _integers(perm)
    return b.cast(sorting.argsort(perm), perm.type.element)


@located
def permute_row_elements(x: Any, y: Any, inverse: Any = 0) -> Tensor:
    """The elements of each row of x in the order of the row of y; inverse: they go to the places that y says."""
    x, y = b.tensor(x), _integers(y)
    if isinstance(inverse, Tensor):
        inverse = shape.get_scalar_constant_value(inverse)
    common = b._common_shape([x, y])
    order = inverse_permutation(y) if inverse else y
    return indexing.take_along_axis(stretched(x, common), stretched(order, common), len(common) - 1)


@located
def largest(*args: Any) -> Tensor:
    """The largest of several, element by element."""
    return _folded(elementwise.maximum, args)


@located
def smallest(*args: Any) -> Tensor:
    """The smallest of several, element by element."""
    return _folded(elementwise.minimum, args)


def _folded(function: Any, given: Sequence[Any]) -> Tensor:
    if not given:
        raise GraphValueError("needs at least one tensor")
    found = b.tensor(given[0])
    for one in given[1:]:
        found = function(found, one)
    return found


@located
def ceil_intdiv(a: Any, b: Any) -> Tensor:
    """a / b rounded up, of integers."""
    return elementwise.add(elementwise.int_div(a, b), elementwise.neq(elementwise.mod(a, b), 0))


def default(x: Any, default: Any) -> Any:
    """x, or the other if it is None."""
    return default if x is None else x


# --- positions -------------------------------------------------------------------------------------------------------


@located
def unravel_index(indices: Any, dims: Any, order: str = "C") -> list[Tensor]:
    """The place along each axis of a tensor of these sizes, for numbers of its elements in row-major order ("F": column)."""
    rest = b.cast(_integers(indices), I64)
    sizes = _sizes(dims)
    found: list[Tensor] = []
    for size in sizes if _is_column_major(order) else reversed(sizes):
        found.append(elementwise.mod(rest, size))
        rest = elementwise.int_div(rest, size)
    return found if order == "F" else found[::-1]


@located
def ravel_multi_index(multi_index: Any, dims: Any, mode: str = "raise", order: str = "C") -> Tensor:
    """The numbers of elements, for their place along each axis of a tensor of these sizes. mode: wrap, clip, or raise."""
    places = [b.cast(_integers(one), I64) for one in _listed(multi_index)]
    sizes = _sizes(dims)
    if len(places) != len(sizes):
        raise GraphValueError(f"needs {counted(len(sizes), 'index', 'indices')}, got {len(places)}")
    if mode == "wrap":
        places = [elementwise.mod(place, size) for place, size in zip(places, sizes)]
    elif mode == "clip":
        places = [elementwise.clip(place, 0, elementwise.sub(size, 1)) for place, size in zip(places, sizes)]
    elif mode != "raise":
        raise GraphValueError(f"the mode must be raise, wrap or clip, got {mode!r}")
    pairs = list(zip(places, sizes))
    (found, _), *rest = pairs[::-1] if _is_column_major(order) else pairs
    for place, size in rest:
        found = elementwise.add(elementwise.mul(found, size), place)
    return found


def _is_column_major(order: str) -> bool:
    if order not in ("C", "F"):
        raise GraphValueError(f"the order must be C or F, got {order!r}")
    return order == "F"


def _listed(given: Any) -> list[Any]:
    return list(given) if isinstance(given, (list, tuple)) else shape.elements_of(b.tensor(given))


def _sizes(dims: Any) -> list[Tensor]:
    return [b.cast(b.tensor(size), I64) for size in _listed(dims)]


class _Grid:
    """numpy's mgrid and ogrid: `T.mgrid[0:3, 0:n]` is a list of tensors of positions, one for each slice."""

    def __init__(self, is_open: bool) -> None:
        self.is_open = is_open

    @located
    def __getitem__(self, given: Any) -> Any:
        if isinstance(given, slice):
            return _range_of(given)
        lines = [_range_of(one) for one in given]
        rank = len(lines)
        parts = [b.expand_dims(x, [i for i in range(rank) if i != axis]) for axis, x in enumerate(lines)]
        return parts if self.is_open else broadcast_arrays(*parts)


def _range_of(part: slice) -> Tensor:
    if part.stop is None:
        raise GraphTypeError(f"mgrid, ogrid: a slice needs an end, got {part}")
    return creation.arange(0 if part.start is None else part.start, part.stop, 1 if part.step is None else part.step)


mgrid, ogrid = _Grid(is_open=False), _Grid(is_open=True)


@located
def linspace(start: Any, end: Any, steps: int = 50, dtype: Any = None) -> Tensor:
    """That many numbers from start to end, both included, at equal distances; of floatX by default."""
    count = operator.index(steps)
    if count < 1:
        raise GraphValueError(f"needs one step or more, got {count}")
    element = _floats_for(dtype)
    first, last = (b.cast(b.tensor(x), element) for x in (start, end))
    step = elementwise.true_div(elementwise.sub(last, first), b.constant(max(count - 1, 1), element))
    line = elementwise.add(first, elementwise.mul(b.cast(b.iota([count], 0), element), step))
    return elementwise.cast(line, dtype or "floatX")


@located
def logspace(start: Any, end: Any, steps: int = 50, base: float = 10.0, dtype: Any = None) -> Tensor:
    """base to the powers of `linspace`."""
    element = _floats_for(dtype)
    powers = elementwise.pow(b.cast(b.tensor(base), element), linspace(start, end, steps, element))
    return elementwise.cast(powers, dtype or "floatX")


@located
def geomspace(start: Any, end: Any, steps: int = 50, dtype: Any = None) -> Tensor:
    """That many numbers from start to end, both included and above 0, with equal quotients; of floatX by default."""
    element = _floats_for(dtype)
    first, last = (elementwise.log(b.cast(b.tensor(x), element)) for x in (start, end))
    return elementwise.cast(elementwise.exp(linspace(first, last, steps, element)), dtype or "floatX")


def _floats_for(dtype: Any) -> Type:
    """The floats in which numbers of this dtype are computed."""
    element = float_x() if dtype is None else element_of(dtype)
    return element if isinstance(element, FloatType) else float_x()


@located
def bartlett(M: Any) -> Tensor:
    """The triangular window of M points, 0 at both ends."""
    count = b.cast(b.tensor(M), I64)
    places = b.cast(b.iota([shape.extent_of(count)], 0), float_x())
    half = elementwise.true_div(b.cast(elementwise.sub(count, 1), float_x()), 2)
    slope = elementwise.true_div(elementwise.abs(elementwise.sub(places, half)), half)
    return elementwise.switch(elementwise.eq(count, 1), b.full_like(places, 1), elementwise.sub(1, slope))


# --- shapes ----------------------------------------------------------------------------------------------------------


@located
def broadcast_to(x: Any, shape: Any) -> Tensor:
    """x broadcast to this shape."""
    return creation.alloc(x, *(shape if isinstance(shape, (list, tuple)) else [shape]))


@located
def broadcast_arrays(*args: Any) -> list[Tensor]:
    """The tensors broadcast to their common shape."""
    tensors = [b.tensor(x) for x in args]
    common = b._common_shape(tensors) if tensors else []
    return [stretched(x, common) for x in tensors]


@located
def make_vector(*args: Any) -> Tensor:
    """A vector of numbers."""
    (tensors, element) = b._promote(*(b.tensor(x) for x in args))
    return b.stack([b.cast(x, element) for x in tensors])


@located
def tensor_from_scalar(s: Any) -> Tensor:
    """The number itself: it is a tensor."""
    return b.tensor(s)


scalar_from_tensor = tensor_from_scalar


@located
def get_vector_length(v: Any) -> int:
    """The length of a vector, which must be known."""
    size = b.tensor(v).type.shape
    if len(size) != 1 or not isinstance(size[0], int):
        raise GraphValueError(f"needs a vector of known length, got {b.tensor(v).type}")
    return size[0]


@located
def is_flat(var: Any, ndim: int | None = None, outdim: int | None = None) -> bool:
    """Whether it has that many axes (1)."""
    return b.tensor(var).type.rank == (ndim or outdim or 1)
