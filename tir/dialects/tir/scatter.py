"""Writing at places that indices say: scatter, and the twins of the ops in `gather.py`.

All of them keep to Note [Indices out of range] in `places.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tir.dialects.tir.base import Sequential, fail
from tir.dialects.tir.batch import batch_size, in_front, spread_all
from tir.dialects.tir.elements import ELEMENT_TENSOR
from tir.dialects.tir.gather import AlongAxis, AtPoints, General, OfAxis, dimension_numbers
from tir.dialects.tir.places import INDEX_TENSOR, MODES, Axis, Indexed
from tir.ir.affine import AffineDim, AffineExpr
from tir.ir.define import attribute, operand, result
from tir.ir.kinds import I64_ARRAY, I64_ATTR, UNIT, integer_enum
from tir.ir.types import I1, I64
from tir.lazy import np

__all__ = ["OPS"]

KINDS = integer_enum(("set", "add", "mul", "max", "min"))

# Note [Gradient of a scatter]
#
# The updates are taken in the row-major order of their elements, so the meaning is exact also where several go to one
# place, and so is the gradient g of the result:
#
#     set      u: g at its place for the last that was written there, 0 for all before it; x: g where nothing was written
#     add      u: g at its place; x: g
#     mul      u: g times all other factors there (x and the other updates), found by counting zeros; x: the same way
#     max min  each of x and the updates there that equals the result gets all of g, as in tir.max
#
# Who wrote last is found by scattering the numbers of the updates in the same way, which `unique` saves.


class Writing(Indexed, Sequential):
    """x with each element of the updates `u` combined with what is at its place. A subclass declares x, u and `kind`."""

    u: Any
    kind: Any
    unique_indices: Any

    def check_operands(self) -> None:
        self.check_indices()
        self.check_equal_ranks()
        self.check_equal()
        x, u = self.x.type, self.u.type
        if u.element is not x.element:
            fail(self, f"x and u must have one element type, got {x} and {u}")
        if x.element is I1 and self.kind != "set":
            fail(self, f"kind {self.kind} needs numbers, got {x}")

    def check_equal_ranks(self) -> None:
        """VerifyError unless the updates have an axis for each of those that the places have."""
        rank, got = len(self.sources()), self.u.type.rank
        if rank != got:
            fail(self, f"u needs the shape of what is read at these indices, of rank {rank}, got {self.u.type}")

    def result_shape(self, *shapes: Sequence[AffineExpr]) -> Sequence[AffineExpr]:
        return shapes[0]

    def equal(self) -> Sequence[tuple[Axis, Axis]]:
        mine: list[tuple[Axis, Axis]] = [
            ((self.u, axis), source) for axis, source in enumerate(self.sources()) if not isinstance(source, int)
        ]
        return [*super().equal(), *mine]

    # --- meaning -----------------------------------------------------------------------------------------------------

    def reference(self, *arrays: Any) -> Any:
        x, u = arrays[0], np.asarray(arrays[self._number_of_u])
        places, inside = self.array_places(arrays, u.shape)
        flat = np.array(x).reshape(-1)
        at = np.ravel_multi_index(places, x.shape) if x.ndim and x.size else np.zeros(u.shape, np.int64)
        kept = np.ones(u.shape, bool) if inside is None else inside
        _COMBINE_ALL[self.kind](flat, at[kept], u[kept])
        return flat.reshape(np.shape(x))

    def program(self, p: Any, *operands: Any) -> list[Any]:
        out = p.copy(self.x)

        def step(at: list[Any]) -> None:
            starts = [p.load(index, [_place(p, e, at) for e in map.results]) for index, map in self.indices()]
            places, inside = self.places(p, starts, lambda axis: at[axis])

            def write() -> None:
                update = p.load(self.u, at)
                p.store(out, places, update if self.kind == "set" else self.combine(p, p.load(out, places), update))

            if inside is None:
                write()
            else:
                p.when(inside, write, changes=[out])

        p.nest([p.size(self.u, axis) for axis in range(self.u.type.rank)], step, changes=[out])
        return [out]

    def combine(self, s: Any, old: Any, update: Any) -> Any:
        """What comes to the place."""
        return {"add": s.add, "mul": s.mul, "max": s.maximum, "min": s.minimum}[self.kind](old, update)

    # --- gradient ----------------------------------------------------------------------------------------------------

    def read(self, b: Any, x: Any) -> Any:
        """What x has at the places that this op writes, in the shape of the updates."""
        raise AssertionError(f"{self.name} has no twin")

    def write(self, b: Any, x: Any, u: Any, kind: str) -> Any:
        """The same op on another x and u."""
        raise AssertionError(f"{self.name} has no twin")

    def grad(self, b: Any, g: Any, *operands: Any) -> list[Any]:
        """See Note [Gradient of a scatter]."""
        x, u = operands[0], b.tensor(self.u)
        rules = {"set": self._grad_set, "add": self._grad_add, "mul": self._grad_mul}
        by_x, by_u = rules.get(self.kind, self._grad_extreme)(b, g, x, u)
        found: list[Any] = [None] * len(operands)
        found[0], found[self._number_of_u] = by_x, by_u
        return found

    @property
    def _number_of_u(self) -> int:
        """The number of the operand u, in front of which there is no variadic one."""
        return [field.name for field in self.definition.operands].index("u")

    def _grad_set(self, b: Any, g: Any, x: Any, u: Any) -> tuple[Any, Any]:
        by_x = self.write(b, g, b.full_like(u, 0), "set")
        by_u = self.read(b, g)
        if self.unique_indices:
            return by_x, by_u
        numbers = b.numbered(u)
        writers = self.write(b, b.full(-1, b.shape(x), I64), numbers, "set")
        return by_x, b.select(b.cmp("eq", self.read(b, writers), numbers), by_u, 0)

    def _grad_add(self, b: Any, g: Any, x: Any, u: Any) -> tuple[Any, Any]:
        return g, self.read(b, g)

    def _grad_mul(self, b: Any, g: Any, x: Any, u: Any) -> tuple[Any, Any]:
        by_x = g * self.write(b, b.full_like(x, 1), u, "mul")
        if self.unique_indices:
            return by_x, self.read(b, g * x)
        x_is_zero, u_is_zero = b.cmp("eq", x, 0), b.cmp("eq", u, 0)
        zeros = self.write(b, b.cast(x_is_zero, I64), b.cast(u_is_zero, I64), "add")
        factors = b.select(u_is_zero, 1, u)
        product = self.read(b, self.write(b, b.select(x_is_zero, 1, x), factors, "mul"))
        zeros_there = self.read(b, zeros)
        at_zero = b.select(b.cmp("eq", zeros_there, 1), product, 0)
        elsewhere = b.select(b.cmp("eq", zeros_there, 0), product / factors, 0)
        return by_x, self.read(b, g) * b.select(u_is_zero, at_zero, elsewhere)

    def _grad_extreme(self, b: Any, g: Any, x: Any, u: Any) -> tuple[Any, Any]:
        y = b.tensor(self.result)
        by_u = b.select(b.cmp("eq", u, self.read(b, y)), self.read(b, g), 0)
        return b.select(b.cmp("eq", x, y), g, 0), by_u


def _place(p: Any, expr: AffineExpr, at: Sequence[Any]) -> Any:
    """An index expression of a gather's map: a loop or a number."""
    return at[expr.position] if isinstance(expr, AffineDim) else expr.value  # type: ignore[attr-defined]


# --- numpy -----------------------------------------------------------------------------------------------------------


def _set(x: Any, at: Any, u: Any) -> None:
    x[at] = u  # of several for one place numpy keeps the last


def _largest(x: Any, at: Any, u: Any) -> None:
    if x.dtype.kind in "iu":
        np.maximum.at(x, at, u)
        return
    keys = _keys(x)
    np.maximum.at(keys, at, _keys(u))
    x[...] = _ordered(keys).view(x.dtype)


def _smallest(x: Any, at: Any, u: Any) -> None:
    if x.dtype.kind in "iu":
        np.minimum.at(x, at, u)
        return
    negative = -x
    _largest(negative, at, -u)
    x[...] = -negative


def _keys(x: Any) -> Any:
    """Integers in the order of floats: -0.0 below +0.0, nan above all."""
    return _ordered(np.where(np.isnan(x), np.abs(x), x).view(f"i{x.dtype.itemsize}"))


def _ordered(bits: Any) -> Any:
    """The bits of floats as integers in their order; the same again gives the bits back."""
    return np.where(bits < 0, bits ^ np.iinfo(bits.dtype).max, bits)


_COMBINE_ALL: dict[str, Callable[[Any, Any, Any], None]] = {
    "set": _set,
    "add": lambda x, at, u: np.add.at(x, at, u),
    "mul": lambda x, at, u: np.multiply.at(x, at, u),
    "max": _largest,
    "min": _smallest,
}


# --- the ops ---------------------------------------------------------------------------------------------------------


class Scatter(Writing, General):
    """x with windows at the starts that `index` says combined with updates, as StableHLO's scatter.

    `tir.scatter add %x at %i with %u window [1] collapsed [0] map [0] vector 1` adds rows of %u to the rows of a matrix
    x whose numbers are %i, of type tensor<nx1xi32>. `kind` is `set`, `add`, `mul`, `max` or `min`. The dimension
    numbers are those of tir.gather (StableHLO: update_window_dims, inserted_window_dims, input_batching_dims,
    scatter_indices_batching_dims, scatter_dims_to_operand_dims, index_vector_dim). A size of a window is that of the
    updates, if it is a number, and else all of the axis of x.

    Updates are taken in the row-major order of their elements: of several that `set` one place the last stays.
    `unique` promises that no two go to one place, and makes the gradient cheaper; `sorted` that the starts increase, a
    hint that changes nothing. A start must leave room for the window; `mode` says what happens if not: `error` (the
    default), `drop`, as in StableHLO: what would be outside is left out, element by element; or `clamp`.
    Gradient: see Note [Gradient of a scatter].
    """

    name = "tir.scatter"
    kind = attribute(KINDS)
    x = operand(ELEMENT_TENSOR)
    index = operand(INDEX_TENSOR)
    u = operand(ELEMENT_TENSOR)
    window = attribute(I64_ARRAY)
    collapsed = attribute(I64_ARRAY, default=())
    batching = attribute(I64_ARRAY, default=())
    index_batching = attribute(I64_ARRAY, default=())
    map = attribute(I64_ARRAY)
    vector = attribute(I64_ATTR)
    mode = attribute(MODES, default="error")
    unique_indices = attribute(UNIT, optional=True)
    indices_are_sorted = attribute(UNIT, optional=True)
    result = result(ELEMENT_TENSOR)
    format = (
        "$kind $x `at` $index `with` $u `window` $window (`collapsed` $collapsed^)? "
        "(`batching` $batching^ `of` $index_batching)? `map` $map `vector` $vector (`mode` $mode^)? "
        "(`unique` $unique_indices^)? (`sorted` $indices_are_sorted^)? attr-dict `:` type($result)"
    )

    def of_batch(self, b: Any, operands: Sequence[Any], batched: Sequence[bool]) -> Sequence[Any] | None:
        spread = spread_all(b, operands, batched)
        return in_front(b, self, spread, batch_size(b, operands, batched), **self.numbers_behind())

    def check_indices(self) -> None:
        if self.u.type.rank != self.slice_rank:
            fail(self, f"u needs {self.slice_rank} axes, of the windows and the index, got {self.u.type}")
        super().check_indices()
        self.check_windows()

    def window_size(self, number: int, axis: int) -> Axis | int:
        size = self.u.type.shape[self.window[number]]
        return size if isinstance(size, int) else (self.x, axis)

    def read(self, b: Any, x: Any) -> Any:
        sizes = [1] * self.x.type.rank
        for number, axis in enumerate(self.window_axes):
            size = self.window_size(number, axis)
            sizes[axis] = size if isinstance(size, int) else -1
        return b.gather(x, self.index, sizes, mode=self.mode, **dimension_numbers(self))

    def write(self, b: Any, x: Any, u: Any, kind: str) -> Any:
        hints = {"unique": bool(self.unique_indices), "is_sorted": bool(self.indices_are_sorted)}
        return b.scatter(x, self.index, u, kind, mode=self.mode, **dimension_numbers(self), **hints)


class _OnAxis(Writing):
    """An index along one axis."""

    kind = attribute(KINDS)
    x = operand(ELEMENT_TENSOR)
    index = operand(INDEX_TENSOR)
    u = operand(ELEMENT_TENSOR)
    axis = attribute(I64_ATTR)
    mode = attribute(MODES, default="error")
    unique_indices = attribute(UNIT, optional=True)
    result = result(ELEMENT_TENSOR)
    format = (
        "$kind $x `at` $index `with` $u `axis` $axis (`mode` $mode^)? (`unique` $unique_indices^)? attr-dict "
        "`:` type($result)"
    )


class Put(_OnAxis, OfAxis):
    """x with the slices along `axis` whose numbers are in `index` combined with u, which has the shape of tir.take.

    `tir.put add %x at %i with %u axis 0`; `kind` is `set`, `add`, `mul`, `max` or `min`. Order, `unique` and gradient
    are those of tir.scatter. An index outside is an error at run time; with `mode drop` its update is left out.
    """

    name = "tir.put"

    def of_batch(self, b: Any, operands: Sequence[Any], batched: Sequence[bool]) -> Sequence[Any] | None:
        x, index, u = operands
        if not batched[1]:
            x, u = spread_all(b, [x, u], [batched[0], batched[2]])
            return in_front(b, self, [x, index, u], batch_size(b, operands, batched), axis=self.axis + 1)
        if self.axis != 0:
            return None
        x, index, u = spread_all(b, operands, batched)
        numbers = b.iota(b.shape(index), 0)
        unique = bool(self.unique_indices)
        return [b.put_nd(x, [numbers, index], u, kind=self.kind, mode=self.mode, unique=unique)]

    def read(self, b: Any, x: Any) -> Any:
        return b.take(x, self.index, self.axis, self.mode)

    def write(self, b: Any, x: Any, u: Any, kind: str) -> Any:
        return b.put(x, self.index, u, self.axis, kind, self.mode, bool(self.unique_indices))


class PutAlongAxis(_OnAxis, AlongAxis):
    """x with the elements that tir.take_along_axis reads combined with u: result[i, index[i, j]] = u[i, j], `axis 1`.

    `tir.put_along_axis add %x at %i with %u axis 1`. Kinds, modes, order and gradient are those of tir.put.
    """

    batch_axes = ("axis",)

    name = "tir.put_along_axis"

    def read(self, b: Any, x: Any) -> Any:
        return b.take_along_axis(x, self.index, self.axis, self.mode)

    def write(self, b: Any, x: Any, u: Any, kind: str) -> Any:
        return b.put_along_axis(x, self.index, u, self.axis, kind, self.mode, bool(self.unique_indices))


class PutNd(Writing, AtPoints):
    """x with the elements that tir.index_nd reads combined with u: result[i[k], j[k]] = u[k].

    `tir.put_nd add %x with %u at %i, %j`. Kinds, modes, order and gradient are those of tir.put.
    """

    name = "tir.put_nd"
    kind = attribute(KINDS)
    x = operand(ELEMENT_TENSOR)
    u = operand(ELEMENT_TENSOR)
    points = operand(INDEX_TENSOR, variadic=True)
    mode = attribute(MODES, default="error")
    unique_indices = attribute(UNIT, optional=True)
    result = result(ELEMENT_TENSOR)
    format = "$kind $x `with` $u `at` $points (`mode` $mode^)? (`unique` $unique_indices^)? attr-dict `:` type($result)"

    def of_batch(self, b: Any, operands: Sequence[Any], batched: Sequence[bool]) -> Sequence[Any] | None:
        x, u, *points = spread_all(b, operands, batched)
        numbers = b.iota(b.shape(points[0]), 0)
        unique = bool(self.unique_indices)
        return [b.put_nd(x, [numbers, *points], u, kind=self.kind, mode=self.mode, unique=unique)]

    def read(self, b: Any, x: Any) -> Any:
        return b.index_nd(x, self.points, self.mode)

    def write(self, b: Any, x: Any, u: Any, kind: str) -> Any:
        return b.put_nd(x, self.points, u, kind, self.mode, bool(self.unique_indices))


#: The ops of the family, in the order of the documentation.
OPS = (Scatter, Put, PutAlongAxis, PutNd)
