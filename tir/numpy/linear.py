"""numpy's products and linear algebra on traced arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from tir.dialects.tir.build.core import told
from tir.ir.errors import TirError
from tir.ir.types import F16, F64, FloatType
from tir.lazy import np
from tir.numpy.arrays import Array, as_array, is_bool
from tir.numpy.common import axes_of, cast, element_of, known, product, promoted, refuse, traced
from tir.numpy.elementwise import FUNCTIONS as ELEMENTS
from tir.numpy.indexing import diagonal, trace
from tir.numpy.reductions import max_, min_, sum_
from tir.numpy.shapes import matrix_transpose, moveaxis, ravel, reshape, stack, zeros_like

__all__: list[str] = []


def _array(b: Any, x: Any) -> Array:
    return Array(b, x.value)


def _strong(b: Any, x: Any) -> Array:
    """x as numpy.asarray has it: a Python number has a type of its own."""
    return _array(b, as_array(b, x))


# --- products --------------------------------------------------------------------------------------------------------


def _product(b: Any, xs: list[Any], product: Callable[..., Any]) -> Array:
    """A product of operands of one element type; of truth values whether it is not 0."""
    arrays = promoted(b, xs)
    if not is_bool(arrays[0]):
        return _array(b, product(*arrays))
    wide = [cast(b, x, element_of("int32")) for x in arrays]
    return cast(b, _array(b, product(*wide)), arrays[0].type.element)


@traced
def matmul(b: Any, x1: Any, x2: Any, /, out: Any = None, *, dtype: Any = None, **named: Any) -> Array:
    refuse(out=out, **named)
    found = _product(b, [x1, x2], b.matmul)
    return found if dtype is None else cast(b, found, element_of(dtype))


@traced
def dot(b: Any, a: Any, other: Any, out: Any = None) -> Array:
    refuse(out=out)
    x, y = _strong(b, a), _strong(b, other)
    if x.ndim == 0 or y.ndim == 0:
        return ELEMENTS["multiply"](x, y)
    if x.ndim <= 2 and y.ndim <= 2:
        return _product(b, [x, y], b.dot)
    return tensordot(x, y, ([x.ndim - 1], [max(y.ndim - 2, 0)]))


@traced
def vdot(b: Any, a: Any, other: Any, /) -> Array:
    return _product(b, [ravel(as_array(b, a)), ravel(as_array(b, other))], b.dot)


@traced
def vecdot(b: Any, x1: Any, x2: Any, /, out: Any = None, *, axis: int = -1, **named: Any) -> Array:
    refuse(out=out, **named)
    x, y = (moveaxis(as_array(b, x), axis, -1) for x in (x1, x2))
    return _product(b, [x, y], lambda x, y: b.einsum("...i,...i->...", x, y))


@traced
def matvec(b: Any, x1: Any, x2: Any, /) -> Array:
    return _product(b, [x1, x2], lambda x, y: b.einsum("...ij,...j->...i", x, y))


@traced
def vecmat(b: Any, x1: Any, x2: Any, /) -> Array:
    return _product(b, [x1, x2], lambda x, y: b.einsum("...i,...ij->...j", x, y))


@traced
def inner(b: Any, a: Any, other: Any, /) -> Array:
    x, y = _strong(b, a), _strong(b, other)
    if x.ndim == 0 or y.ndim == 0:
        return ELEMENTS["multiply"](x, y)
    return tensordot(x, y, ([x.ndim - 1], [y.ndim - 1]))


@traced
def outer(b: Any, a: Any, other: Any, out: Any = None) -> Array:
    refuse(out=out)
    return ELEMENTS["multiply"](ravel(as_array(b, a))[:, None], ravel(as_array(b, other))[None, :])


@traced
def linalg_outer(b: Any, x1: Any, x2: Any, /) -> Array:
    return outer(x1, x2)


def _outer(name: str) -> Callable[..., Any]:
    def of_all_pairs(b: Any, x: Any, y: Any, /) -> Array:
        x, y = as_array(b, x), as_array(b, y)
        return ELEMENTS[name](x[(..., *(None,) * y.ndim)], y)

    of_all_pairs.__name__ = f"{name}.outer"
    return traced(of_all_pairs)


add_outer, subtract_outer, multiply_outer, divide_outer = map(_outer, ("add", "subtract", "multiply", "divide"))


@traced
def kron(b: Any, a: Any, other: Any) -> Array:
    x, y = as_array(b, a), as_array(b, other)
    rank = max(x.ndim, y.ndim)
    x = x[(*(None,) * (rank - x.ndim), ...)]
    y = y[(*(None,) * (rank - y.ndim), ...)]
    wide = (x[(slice(None), None) * rank], y[(None, slice(None)) * rank])
    return reshape(wide[0] * wide[1], [product(b, pair) for pair in zip(x.shape, y.shape)])


@traced
def cross(b: Any, a: Any, other: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Any = None) -> Array:
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = moveaxis(as_array(b, a), axisa, -1), moveaxis(as_array(b, other), axisb, -1)
    if x.shape[-1] != 3 or y.shape[-1] != 3:
        raise TirError(f"vectors must have 3 numbers, got {x.shape[-1]} and {y.shape[-1]}")
    (x0, x1, x2), (y0, y1, y2) = ([v[..., i] for i in range(3)] for v in (x, y))
    found = stack([x1 * y2 - x2 * y1, x2 * y0 - x0 * y2, x0 * y1 - x1 * y0], -1)
    return moveaxis(found, -1, axisc)


@traced
def linalg_cross(b: Any, x1: Any, x2: Any, /, *, axis: int = -1) -> Array:
    return cross(x1, x2, axis=axis)


@traced
def tensordot(b: Any, a: Any, other: Any, axes: Any = 2) -> Array:
    x, y = as_array(b, a), as_array(b, other)
    if isinstance(axes, (int, np.integer)):
        first, second = list(range(x.ndim - axes, x.ndim)), list(range(axes))
    else:
        first, second = (axes_of(one, axis) for one, axis in zip((x, y), axes))
    if len(first) != len(second):
        raise TirError(f"axes must name as many of both arrays, got {len(first)} and {len(second)}")
    return _product(b, [x, y], lambda x, y: b.dot_general(x, y, (first, second)))


@traced
def einsum(
    b: Any, subscripts: Any, *operands: Any, out: Any = None, dtype: Any = None, optimize: Any = None, **named: Any
) -> Array:
    refuse(out=out)
    if not isinstance(subscripts, str):
        raise TirError(f"the first argument must be a string, got {told(subscripts)}", hint='einsum("ij,jk->ik", x, y)')
    found = _product(b, list(operands), lambda *xs: b.einsum(subscripts, *xs))
    return found if dtype is None else cast(b, found, element_of(dtype))


# --- polynomials and signals -----------------------------------------------------------------------------------------


@traced
def vander(b: Any, x: Any, N: Any = None, increasing: bool = False) -> Array:  # noqa: N803
    x = as_array(b, x)
    count = known("N", x.shape[0] if N is None else N)
    powers = np.arange(count) if increasing else np.arange(count)[::-1]
    x = cast(b, x, element_of(np.promote_types(x.dtype, int)))
    return ELEMENTS["power"](x[:, None], powers.astype(x.dtype))


@traced
def polyval(b: Any, p: Any, x: Any) -> Array:
    coefficients, at = as_array(b, p), as_array(b, x)
    found: Any = zeros_like(at)
    for i in range(len(coefficients)):
        found = found * at + coefficients[i]
    return found


@traced
def convolve(b: Any, a: Any, v: Any, mode: str = "full") -> Array:
    x, y = promoted(b, [a, v])
    long, short = (x, y) if known("a size", x.shape[0]) >= known("a size", y.shape[0]) else (y, x)
    return _correlated(b, long, short[::-1], mode, False)


@traced
def correlate(b: Any, a: Any, v: Any, mode: str = "valid") -> Array:
    x, y = promoted(b, [a, v])
    return _correlated(b, x, y, mode, x.shape[0] < y.shape[0])


def _correlated(b: Any, x: Array, y: Array, mode: str, is_turned: bool) -> Array:
    """The products of y with the parts of x that it lies on, as a product with the windows of x."""
    size, length = (known("a size", one.shape[0]) for one in (x, y))
    short, long = min(size, length), max(size, length)
    if mode not in ("full", "same", "valid"):
        raise TirError(f"mode must be full, same or valid, got {mode!r}")
    if short == 0:
        raise TirError("an array must have elements")
    x_wide = _array(b, b.pad(x, [length - 1], [length - 1]))
    full = size + length - 1
    places = np.arange(full)[:, None] + np.arange(length)[None, :]
    found = matmul(x_wide[places], y)
    start = 0 if mode == "full" else (short - 1) // 2 if mode == "same" else short - 1
    if mode == "same" and is_turned:
        start = short // 2
    count = {"full": full, "same": long, "valid": long - short + 1}[mode]
    return found[start : start + count]


class SlogdetResult(NamedTuple):
    """The sign of a determinant, and the logarithm of its size."""

    sign: Any
    logabsdet: Any


# --- equations -------------------------------------------------------------------------------------------------------


def _inexact(b: Any, *xs: Any) -> list[Array]:
    """Floats of one type, for linear algebra: whole numbers become f64."""
    floats = [x if isinstance(x.type.element, FloatType) else cast(b, x, F64) for x in (as_array(b, one) for one in xs)]
    arrays = promoted(b, floats)
    element = arrays[0].type.element
    if element is F16:
        raise TirError("linear algebra has no float16", hint="x.astype(numpy.float32) converts")
    return arrays


def _check_square(x: Array) -> None:
    if x.ndim < 2:
        raise TirError(f"an array must have at least 2 axes, got {x.type}")
    if x.shape[-1] != x.shape[-2]:
        raise TirError(f"the last two axes must be square, got {x.type}")


@traced
def solve(b: Any, a: Any, other: Any) -> Array:
    x, y = _inexact(b, a, other)
    _check_square(x)
    if y.ndim == 1 and x.ndim > 2:
        y = _array(b, b.broadcast_to(y[:, None], [*b.shape(x)[:-1], 1]))
        return _array(b, b.solve(x, y))[..., 0]
    front = b._common_shape([_array(b, b.full(0, b.shape(one)[:-2])) for one in (x, y)]) if y.ndim > 1 else []
    if y.ndim > 1:
        x, y = (_array(b, b.broadcast_to(one, [*front, *b.shape(one)[-2:]])) for one in (x, y))
    return _array(b, b.solve(x, y))


@traced
def inv(b: Any, a: Any) -> Array:
    (x,) = _inexact(b, a)
    _check_square(x)
    return _array(b, b.inv(x))


@traced
def det(b: Any, a: Any) -> Array:
    (x,) = _inexact(b, a)
    _check_square(x)
    return _array(b, b.det(x))


@traced
def slogdet(b: Any, a: Any) -> SlogdetResult:
    found = det(a)
    return SlogdetResult(ELEMENTS["sign"](found), ELEMENTS["log"](ELEMENTS["absolute"](found)))


@traced
def cholesky(b: Any, a: Any, /, *, upper: bool = False) -> Array:
    (x,) = _inexact(b, a)
    _check_square(x)
    lower = _array(b, b.cholesky(matrix_transpose(x) if upper else x))
    return matrix_transpose(lower) if upper else lower


@traced
def matrix_power(b: Any, a: Any, n: int) -> Array:
    x = as_array(b, a)
    _check_square(x)
    exponent = known("n", n)
    if exponent < 0:
        x, exponent = inv(x), -exponent
    if exponent == 0:
        unit = b.eye(b.shape(x)[-1], element=x.type.element)
        return _array(b, b.broadcast_to(unit, b.shape(x)))
    found = None
    while exponent:
        if exponent & 1:
            found = x if found is None else matmul(found, x)
        exponent >>= 1
        x = matmul(x, x) if exponent else x
    assert found is not None
    return found


@traced
def multi_dot(b: Any, arrays: Any, *, out: Any = None) -> Array:
    refuse(out=out)
    first, *rest = arrays
    for x in rest:
        first = dot(first, x)
    return as_array(b, first)


# --- norms -----------------------------------------------------------------------------------------------------------


@traced
def norm(b: Any, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Array:
    """The norm of vectors along one axis, or of matrices along two; without both of all numbers."""
    (x,) = _floats(b, x)
    if axis is None and ord is None:
        return _array(b, b.norm(x, list(range(x.ndim)), 2, bool(keepdims)))
    axes = axes_of(x, axis)
    if len(axes) == 2:
        return _matrix_norm(b, x, axes, ord, keepdims)
    if len(axes) != 1:
        raise TirError(f"a norm goes along one axis or two, got {len(axes)}")
    return _vector_norm(b, x, axes, 2 if ord is None else ord, keepdims)


def _floats(b: Any, x: Any) -> list[Array]:
    x = as_array(b, x)
    return [x if isinstance(x.type.element, FloatType) else cast(b, x, F64)]


def _vector_norm(b: Any, x: Array, axes: list[int], order: Any, keepdims: bool) -> Array:
    axis = tuple(axes)
    if order in (1, 2, float("inf")):
        return _array(b, b.norm(x, axes, order, bool(keepdims)))
    size = ELEMENTS["absolute"](x)
    if order == -float("inf"):
        return min_(size, axis, keepdims=keepdims)
    if order == 0:
        return cast(b, sum_(x != 0, axis, keepdims=keepdims), x.type.element)
    if not isinstance(order, (int, float)):
        raise TirError(f"ord of a vector must be a number, got {told(order)}")
    return sum_(size ** float(order), axis, keepdims=keepdims) ** (1.0 / order)


def _matrix_norm(b: Any, x: Array, axes: list[int], order: Any, keepdims: bool) -> Array:
    if order in (None, "fro"):
        return _array(b, b.norm(x, axes, 2, bool(keepdims)))
    sums = {1: (max_, 0), -1: (min_, 0), float("inf"): (max_, 1), -float("inf"): (min_, 1)}
    if isinstance(order, str) or order not in sums:
        message = f"ord of a matrix must be 'fro', 1, -1, inf or -inf, got {told(order)}"
        raise TirError(message, hint="tir has no singular values")
    extreme, at = sums[order]
    total = sum_(ELEMENTS["absolute"](x), axes[at], keepdims=True)
    found = extreme(total, tuple(axes), keepdims=True)
    return found if keepdims else _array(b, b.squeeze(found, axes))


@traced
def vector_norm(b: Any, x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Array:
    (x,) = _floats(b, x)
    return _vector_norm(b, x, axes_of(x, axis), ord, keepdims)


@traced
def matrix_norm(b: Any, x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Array:
    (x,) = _floats(b, x)
    return _matrix_norm(b, x, [x.ndim - 2, x.ndim - 1], ord, keepdims)


@traced
def linalg_trace(b: Any, x: Any, /, *, offset: int = 0, dtype: Any = None) -> Array:
    return trace(x, offset, -2, -1, dtype)


@traced
def linalg_diagonal(b: Any, x: Any, /, *, offset: int = 0) -> Array:
    return diagonal(x, offset, -2, -1)


@traced
def linalg_matrix_transpose(b: Any, x: Any, /) -> Array:
    return matrix_transpose(x)


