"""Theano's functions that make tensors: of constants, of one number, of positions, diagonals."""

from __future__ import annotations

from typing import Any

from tir.dialects.tir.build.core import Tensor
from tir.graph.errors import GraphTypeError
from tir.graph.graph import GRAPH as b
from tir.graph.graph import located
from tir.graph.shape import constant_of, extents_of, stretched
from tir.graph.typing import element_of, promoted
from tir.ir.types import I64, FloatType, Type, dtype_of, type_of_dtype
from tir.lazy import np

__all__ = [
    "alloc", "arange", "as_tensor", "as_tensor_variable", "constant", "diag", "diagonal", "empty", "empty_like", "eye",
    "full", "full_like", "identity", "ones", "ones_like", "trace", "tri", "tril", "triu", "zeros", "zeros_like",
]  # fmt: skip


@located
def as_tensor_variable(x: Any, name: str | None = None, ndim: int | None = None, dtype: Any = None) -> Tensor:
    """x as a variable: an array or number becomes a constant, a list of variables is stacked. ndim: axes at least."""
    found = b.tensor(np.asarray(x, dtype) if dtype is not None and not isinstance(x, Tensor) else x)
    if dtype is not None:
        found = b.cast(found, element_of(dtype))
    if ndim is not None and found.type.rank != ndim:
        if found.type.rank > ndim:
            raise GraphTypeError(f"needs rank {ndim}, got {found.type}")
        found = b.expand_dims(found, range(ndim - found.type.rank))
    return found.named(name) if name is not None else found


as_tensor = as_tensor_variable


@located
def constant(x: Any, name: str | None = None, ndim: int | None = None, dtype: Any = None) -> Tensor:
    """A constant; a Python number has the smallest dtype that holds it unless a dtype is given."""
    if isinstance(x, Tensor):
        raise GraphTypeError(f"needs a number or an array, got {x!r}")
    return as_tensor_variable(x, name, ndim, dtype)


# --- one number ------------------------------------------------------------------------------------------------------


@located
def alloc(value: Any, *shape: Any) -> Tensor:
    """The value broadcast to this shape."""
    sizes = shape[0] if len(shape) == 1 and (isinstance(shape[0], (list, tuple)) or _is_vector(shape[0])) else shape
    return stretched(b.tensor(value), extents_of(sizes))


def _is_vector(x: Any) -> bool:
    return isinstance(x, Tensor) and x.type.rank == 1


@located
def full(shape: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """A number everywhere; dtype: that of the number by default."""
    value = b.tensor(fill_value)
    return stretched(value if dtype is None else b.cast(value, element_of(dtype)), extents_of(shape))


@located
def zeros(shape: Any, dtype: Any = None) -> Tensor:
    """0 everywhere, of floatX by default."""
    return b.full(0, extents_of(shape), element_of(dtype or "floatX"))


@located
def ones(shape: Any, dtype: Any = None) -> Tensor:
    """1 everywhere, of floatX by default."""
    return b.full(1, extents_of(shape), element_of(dtype or "floatX"))


empty = zeros


@located
def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """A number everywhere, in the shape and dtype of x."""
    x = b.tensor(x)
    value = b.cast(b.tensor(fill_value), x.type.element if dtype is None else element_of(dtype))
    return stretched(value, b.shape(x))


@located
def zeros_like(x: Any, dtype: Any = None, opt: bool = False) -> Tensor:
    """0 everywhere, in the shape and dtype of x."""
    return _filled_like(x, 0, dtype)


@located
def ones_like(x: Any, dtype: Any = None, opt: bool = False) -> Tensor:
    """1 everywhere, in the shape and dtype of x."""
    return _filled_like(x, 1, dtype)


empty_like = zeros_like


def _filled_like(x: Any, number: int, dtype: Any) -> Tensor:
    x = b.tensor(x)
    return b.full(number, b.shape(x), x.type.element if dtype is None else element_of(dtype))


# --- positions -------------------------------------------------------------------------------------------------------


@located
def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Tensor:
    """The numbers from start (0) to below stop; int64 of whole numbers, else floats as wide as they."""
    if stop is None:
        start, stop = 0, start
    element = _element_of_range(start, stop, step) if dtype is None else element_of(dtype)
    if all(not isinstance(one, Tensor) for one in (start, stop, step)):
        if step == 0:
            raise GraphTypeError("the step must not be 0")
        return b.constant(np.arange(start, stop, step).astype(dtype_of(element).numpy), element)
    first, last, width = (b.tensor(one) for one in (start, stop, step))
    if isinstance(promoted([x.type.element for x in (first, last, width)]), FloatType):
        count = b.cast(b.ceil(b.true_div(b.sub(last, first), width)), I64)
    else:
        first, last, width = (b.cast(x, I64) for x in (first, last, width))
        count = b.neg(b.floordiv(b.sub(first, last), width)) if not _is_one(step) else b.sub(last, first)
    count = b.maximum(count, b.constant(0, I64))
    if isinstance(step, Tensor) and constant_of(step) is None:  # a size below 0 ends the call
        count = b.select(b.cmp("eq", width, 0), b.constant(-1, I64), count)
    places = b.iota([b.to_index(count)], 0)
    if _is_one(step) and isinstance(start, int) and start == 0:
        return b.cast(places, element)
    return b.cast(b.add(b.cast(first, element), b.mul(b.cast(places, element), b.cast(width, element))), element)


def _is_one(step: Any) -> bool:
    known = constant_of(step) if isinstance(step, Tensor) else step
    return known is not None and known == 1


def _element_of_range(*bounds: Any) -> Type:
    elements = [x.type.element if isinstance(x, Tensor) else type_of_dtype(np.asarray(x).dtype.name) for x in bounds]
    found = promoted([b.tensor(x).type.element for x in bounds])
    if not isinstance(found, FloatType):
        return I64
    floats = [e for x, e in zip(bounds, elements) if isinstance(x, Tensor) and isinstance(e, FloatType)]
    return promoted([found, *floats]) if floats else element_of("float64")


# --- matrices --------------------------------------------------------------------------------------------------------


@located
def eye(n: Any, m: Any = None, k: int = 0, dtype: Any = None) -> Tensor:
    """1 on the k-th diagonal of an n x m matrix, 0 elsewhere."""
    rows, *rest = extents_of([n] if m is None else [n, m])
    return b.eye(rows, rest[0] if rest else None, k, element_of(dtype or "floatX"))


@located
def identity(n: Any, dtype: Any = None) -> Tensor:
    """1 on the diagonal of an n x n matrix, 0 elsewhere."""
    return eye(n, dtype=dtype)


@located
def tri(n: Any, m: Any = None, k: int = 0, dtype: Any = None) -> Tensor:
    """1 on and below the k-th diagonal of an n x m matrix, 0 above."""
    rows, columns = extents_of([n, n if m is None else m])
    return b.tril(b.full(1, [rows, columns], element_of(dtype or "floatX")), k)


@located
def tril(m: Any, k: int = 0) -> Tensor:
    """m with 0 above its k-th diagonal."""
    return b.tril(m, k)


@located
def triu(m: Any, k: int = 0) -> Tensor:
    """m with 0 below its k-th diagonal."""
    return b.triu(m, k)


@located
def diag(v: Any, k: int = 0) -> Tensor:
    """A matrix with v on its k-th diagonal; of a matrix its k-th diagonal."""
    v = b.tensor(v)
    if v.type.rank not in (1, 2):
        raise GraphTypeError(f"needs a vector or a matrix, got {v.type}")
    return b.diag(v, k) if v.type.rank == 1 else _diagonal(v, k)


def _diagonal(x: Tensor, k: int) -> Tensor:
    """The k-th diagonal of matrices, also of those that are not square: it is the main one of a square part."""
    rows, columns = x.type.shape[-2:]
    if isinstance(rows, int) and rows == columns:
        return b.diag_part(x, k)
    starts = [*([0] * (x.type.rank - 2)), max(-k, 0), max(k, 0)]
    down, across = (b.extent_count(size) for size in b.shape(x)[-2:])
    height, width = (
        b.sub(size if isinstance(size, Tensor) else b.constant(size, I64), start)
        for size, start in zip((down, across), starts[-2:])
    )
    count = b.to_index(b.maximum(b.minimum(height, width), b.constant(0, I64)))
    return b.diag_part(b.dynamic_slice(x, starts, [*b.shape(x)[:-2], count, count], mode="clamp"), 0)


@located
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The diagonal along two axes, as the last axis of the result."""
    a = b.tensor(a)
    if a.type.rank < 2:
        raise GraphTypeError(f"needs two axes or more, got {a.type}")
    first, second = b.axis_of(a, axis1), b.axis_of(a, axis2)
    rest = [axis for axis in range(a.type.rank) if axis not in (first, second)]
    return _diagonal(b.transpose(a, [*rest, first, second]), offset)


@located
def trace(a: Any) -> Tensor:
    """The sum of the diagonal of a matrix."""
    return b.sum(diagonal(a), [-1])
