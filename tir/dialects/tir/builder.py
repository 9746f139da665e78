"""Building tensor programs in Python: operators on values, numpy's broadcasting, numbers as constants.

    b = TensorBuilder(block)
    y = b.exp(b.tensor(x) - 1) / 2

What is implicit here is explicit in the ops that come out: shapes are made equal by `tir.broadcast` (a static size 1
and missing leading axes stretch; a `?` never does), element types by `tir.cast` (numpy's promotion; a Python number
takes the type of the tensor beside it), sizes that only run time knows come from `tir.dim`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tir.dialects.tir import composite, create, elementwise, linalg, random, reduce
from tir.dialects.tir import shape as shapes
from tir.dialects.tir.base import fits_exactly, number_attribute
from tir.dialects.tir.indexing import index_plan
from tir.dialects.tir.state import Grad, Leaf
from tir.ir.affine import AffineExpr
from tir.ir.attributes import DenseAttr
from tir.ir.builder import Builder
from tir.ir.errors import TirError
from tir.ir.ir import Op, Value
from tir.ir.types import (
    BF16,
    DYNAMIC,
    F16,
    F32,
    F64,
    I1,
    I64,
    Dim,
    FloatType,
    IntegerType,
    TensorType,
    Type,
    dtype_of,
    type_of_dtype,
)
from tir.lazy import np

__all__ = ["Extent", "SizeOf", "Tensor", "TensorBuilder", "TensorLike"]


@dataclass(frozen=True)
class SizeOf:
    """The size of an axis of a value, which only run time knows."""

    value: Value
    axis: int


Extent = int | AffineExpr | Value | SizeOf  # a number, a named size, an index value, the size of an axis
TensorLike = Any  # a Tensor, an IR value, a Python number, a numpy array or nested list
UI64 = IntegerType(64, "u")


class Tensor:
    """An IR value with operators, which put ops where its builder inserts. `==` is identity; `b.cmp` compares."""

    __slots__ = ("builder", "value")
    __array_ufunc__ = None  # `array * tensor` comes to `__rmul__`

    def __init__(self, builder: TensorBuilder, value: Value) -> None:
        self.builder, self.value = builder, value

    @property
    def type(self) -> TensorType:
        return self.value.type  # type: ignore[return-value]

    @property
    def shape(self) -> tuple[Extent, ...]:
        """The sizes; one that only run time knows is a `SizeOf`."""
        return self.builder.shape(self)

    def named(self, name: str) -> Tensor:
        """Gives the value a name in the text."""
        self.value.hint = name
        return self

    def __bool__(self) -> bool:
        raise TypeError("a tensor has no truth value before it runs; use select instead of if")

    def __repr__(self) -> str:
        return f"<Tensor {self.value.hint or ''}: {self.type}>"

    def __add__(self, other: TensorLike) -> Tensor:
        return self.builder.add(self, other)

    def __radd__(self, other: TensorLike) -> Tensor:
        return self.builder.add(other, self)

    def __sub__(self, other: TensorLike) -> Tensor:
        return self.builder.sub(self, other)

    def __rsub__(self, other: TensorLike) -> Tensor:
        return self.builder.sub(other, self)

    def __mul__(self, other: TensorLike) -> Tensor:
        return self.builder.mul(self, other)

    def __rmul__(self, other: TensorLike) -> Tensor:
        return self.builder.mul(other, self)

    def __truediv__(self, other: TensorLike) -> Tensor:
        return self.builder.true_div(self, other)

    def __rtruediv__(self, other: TensorLike) -> Tensor:
        return self.builder.true_div(other, self)

    def __pow__(self, other: TensorLike) -> Tensor:
        return self.builder.pow(self, other)

    def __rpow__(self, other: TensorLike) -> Tensor:
        return self.builder.pow(other, self)

    def __matmul__(self, other: TensorLike) -> Tensor:
        return self.builder.dot(self, other)

    def __neg__(self) -> Tensor:
        return self.builder.neg(self)

    def __abs__(self) -> Tensor:
        return self.builder.abs(self)

    def __lt__(self, other: TensorLike) -> Tensor:
        return self.builder.cmp("lt", self, other)

    def __le__(self, other: TensorLike) -> Tensor:
        return self.builder.cmp("le", self, other)

    def __gt__(self, other: TensorLike) -> Tensor:
        return self.builder.cmp("gt", self, other)

    def __ge__(self, other: TensorLike) -> Tensor:
        return self.builder.cmp("ge", self, other)

    def __and__(self, other: TensorLike) -> Tensor:
        return self.builder.and_(self, other)

    def __or__(self, other: TensorLike) -> Tensor:
        return self.builder.or_(self, other)

    def __invert__(self) -> Tensor:
        return self.builder.not_(self)

    def __getitem__(self, index: Any) -> Tensor:
        return self.builder.index(self, index)


class TensorBuilder(Builder):
    """A builder with a method for each op of the dialect; arguments are `TensorLike`, results `Tensor`."""

    # --- values ------------------------------------------------------------------------------------------------------

    def tensor(self, x: TensorLike) -> Tensor:
        """`x` as a Tensor of this builder; a number or array becomes a constant."""
        if isinstance(x, Tensor):
            return x if x.builder is self else Tensor(self, x.value)
        return Tensor(self, x) if isinstance(x, Value) else self.constant(x)

    def make(self, cls: type[Op], *operands: Any, **facts: Any) -> Tensor:
        """The only result of a new op; Tensors as operands."""
        values = [x.value if isinstance(x, Tensor) else x for x in operands]
        return Tensor(self, self.create(cls, *values, **facts))

    def shape(self, x: TensorLike) -> tuple[Extent, ...]:
        """The sizes of x."""
        x = self.tensor(x)
        return tuple(SizeOf(x.value, i) if d is DYNAMIC else d for i, d in enumerate(x.type.shape))

    def dim(self, x: TensorLike, axis: int) -> Value:
        """The size of an axis at run time, of type index."""
        return self.create(shapes.DimOp, self.tensor(x).value, axis=axis)

    def count(self, x: TensorLike, axes: Sequence[int], element: Type | None = None) -> Tensor | int:
        """How many elements of x there are along the axes: a number, or a 0-d tensor where only run time knows."""
        x = self.tensor(x)
        known, found = 1, None
        for axis in axes:
            size = x.type.shape[axis]
            if isinstance(size, int):
                known *= size
            else:
                more = self.cast(self.dim(x, axis), element or x.type.element)
                found = more if found is None else found * more
        return known if found is None else found if known == 1 else found * known

    def _sized(self, cls: type[Op], *operands: Any, shape: Sequence[Extent], element: Type, **facts: Any) -> Tensor:
        """A new op of the family `Sized`, with this result."""
        dims: list[Dim] = []
        sizes: list[Value] = []
        for extent in shape:
            if isinstance(extent, (SizeOf, Value)):
                dims.append(DYNAMIC)
                sizes.append(self.dim(extent.value, extent.axis) if isinstance(extent, SizeOf) else extent)
            else:
                dims.append(extent)
        return self.make(cls, *operands, sizes, result_types=[TensorType(tuple(dims), element)], **facts)

    # --- making equal ------------------------------------------------------------------------------------------------

    def _promote(self, *xs: TensorLike, floats: bool = False) -> tuple[list[Tensor | int | float], Type]:
        """Tensors of one element type, and numbers left as they are, and that type. floats: at least a float."""
        kept = [x if isinstance(x, (bool, int, float)) else self.tensor(x) for x in xs]
        if all(isinstance(x, (bool, int, float)) for x in kept):
            kept = [self.constant(x) for x in kept]
        element = _promoted([x.type.element for x in kept if isinstance(x, Tensor)])
        for x in kept:
            element = element if isinstance(x, Tensor) else _beside_number(element, x)
        if floats and not isinstance(element, FloatType):
            element = F64
        return [self.cast(x, element) if isinstance(x, Tensor) else x for x in kept], element

    def _together(self, *xs: TensorLike, floats: bool = False) -> list[Tensor]:
        """The same with one shape, too."""
        promoted, element = self._promote(*xs, floats=floats)
        return self._one_shape(promoted, element)

    def _one_shape(self, xs: Sequence[Tensor | int | float], element: Type) -> list[Tensor]:
        """Tensors broadcast to their common shape; numbers as tensors of that shape and this element type."""
        shape = self._common_shape([x for x in xs if isinstance(x, Tensor)])
        return [self.broadcast_to(x, shape) if isinstance(x, Tensor) else self.full(x, shape, element) for x in xs]

    def _common_shape(self, xs: Sequence[Tensor]) -> list[Extent]:
        """The shape that numpy's rules give; `?` and names are equal to nothing but themselves and a `?`."""
        rank = max(x.type.rank for x in xs)
        found: list[Extent] = [1] * rank
        for x in xs:
            for axis, extent in enumerate(self.shape(x), rank - x.type.rank):
                merged = _merged_extent(found[axis], extent)
                if merged is None:
                    types = " and ".join(str(one.type) for one in xs)
                    raise TirError(f"shapes do not fit together: {types}")
                found[axis] = merged
        return found

    def _make_unary(self, cls: type[Op], x: TensorLike, floats: bool = True) -> Tensor:
        (x,), element = self._promote(self.tensor(x), floats=floats)
        return self.make(cls, x)

    # --- creation ----------------------------------------------------------------------------------------------------

    def constant(self, array: Any, element: Type | None = None) -> Tensor:
        """A constant of the array's dtype, or of `element`."""
        return self.make(create.Constant, value=DenseAttr.of(array, element))

    def full(self, value: int | float | bool, shape: Sequence[Extent], element: Type = F32) -> Tensor:
        """One number everywhere."""
        if not fits_exactly(value, element):
            raise TirError(f"the number {value} is no {element}")
        return self._sized(create.Full, shape=shape, element=element, value=number_attribute(value, element))

    def full_like(self, x: TensorLike, value: int | float | bool) -> Tensor:
        """One number, in the shape and element type of x."""
        x = self.tensor(x)
        return self.full(value, self.shape(x), x.type.element)

    def iota(self, shape: Sequence[Extent], axis: int, element: Type = I64) -> Tensor:
        """The position along an axis."""
        return self._sized(create.Iota, shape=shape, element=element, axis=axis)

    def one_hot(self, x: TensorLike, depth: Extent, element: Type = F32) -> Tensor:
        """1 at the position x along a new last axis."""
        return self._sized(create.OneHot, x := self.tensor(x), shape=(*self.shape(x), depth), element=element)

    def rng_bits(self, key: TensorLike, shape: Sequence[Extent], element: Type = random.UI32) -> Tensor:
        """32 random bits an element, from a key tensor<2xi32>."""
        return self._sized(random.RngBits, self.tensor(key), shape=shape, element=element)

    def rng_uniform(self, key: TensorLike, shape: Sequence[Extent], element: Type = F32) -> Tensor:
        """Random floats in [0, 1), from a key tensor<2xi32>."""
        return self._sized(random.RngUniform, self.tensor(key), shape=shape, element=element)

    def cast(self, x: TensorLike, element: Type) -> Tensor:
        """x in another element type; an index value gives a 0-d tensor."""
        x = self.tensor(x)
        shape = x.type.shape if isinstance(x.type, TensorType) else ()
        wanted = TensorType(shape, element)
        return x if x.type is wanted else self.make(elementwise.Cast, x, result_types=[wanted])

    # --- elementwise -------------------------------------------------------------------------------------------------

    def add(self, x: TensorLike, y: TensorLike) -> Tensor:
        return self.make(elementwise.Add, *self._together(x, y))

    def sub(self, x: TensorLike, y: TensorLike) -> Tensor:
        return self.make(elementwise.Sub, *self._together(x, y))

    def mul(self, x: TensorLike, y: TensorLike) -> Tensor:
        return self.make(elementwise.Mul, *self._together(x, y))

    def div(self, x: TensorLike, y: TensorLike) -> Tensor:
        """x / y; of integers without the fraction."""
        return self.make(elementwise.Div, *self._together(x, y))

    def true_div(self, x: TensorLike, y: TensorLike) -> Tensor:
        """x / y; integers become f64 first."""
        return self.make(elementwise.Div, *self._together(x, y, floats=True))

    def pow(self, x: TensorLike, y: TensorLike) -> Tensor:
        """x to the power of y; y = 2 is a square."""
        if isinstance(y, (int, float)) and y == 2:
            return self.square(x)
        return self.make(elementwise.Pow, *self._together(x, y, floats=True))

    def maximum(self, x: TensorLike, y: TensorLike) -> Tensor:
        return self.make(elementwise.Maximum, *self._together(x, y))

    def minimum(self, x: TensorLike, y: TensorLike) -> Tensor:
        return self.make(elementwise.Minimum, *self._together(x, y))

    def neg(self, x: TensorLike) -> Tensor:
        return self._make_unary(elementwise.Neg, x, floats=False)

    def abs(self, x: TensorLike) -> Tensor:
        return self._make_unary(elementwise.Abs, x, floats=False)

    def sign(self, x: TensorLike) -> Tensor:
        return self._make_unary(elementwise.Sign, x, floats=False)

    def square(self, x: TensorLike) -> Tensor:
        return self._make_unary(elementwise.Square, x, floats=False)

    def sqrt(self, x: TensorLike) -> Tensor:
        return self._make_unary(elementwise.Sqrt, x)

    def exp(self, x: TensorLike) -> Tensor:
        return self._make_unary(elementwise.Exp, x)

    def log(self, x: TensorLike) -> Tensor:
        return self._make_unary(elementwise.Log, x)

    def log1p(self, x: TensorLike) -> Tensor:
        return self._make_unary(elementwise.Log1p, x)

    def tanh(self, x: TensorLike) -> Tensor:
        return self._make_unary(elementwise.Tanh, x)

    def sigmoid(self, x: TensorLike) -> Tensor:
        return self._make_unary(elementwise.Sigmoid, x)

    def relu(self, x: TensorLike) -> Tensor:
        return self._make_unary(elementwise.Relu, x)

    def cmp(self, predicate: str, x: TensorLike, y: TensorLike) -> Tensor:
        """Whether x and y are in the relation eq, ne, lt, le, gt or ge."""
        return self.make(elementwise.Cmp, *self._together(x, y), predicate=predicate)

    def select(self, condition: TensorLike, x: TensorLike, y: TensorLike) -> Tensor:
        """x where the condition holds, else y."""
        values, element = self._promote(x, y)
        return self.make(elementwise.Select, *self._one_shape([self.tensor(condition), *values], element))

    def and_(self, x: TensorLike, y: TensorLike) -> Tensor:
        return self.make(elementwise.And, *self._together(x, y))

    def or_(self, x: TensorLike, y: TensorLike) -> Tensor:
        return self.make(elementwise.Or, *self._together(x, y))

    def not_(self, x: TensorLike) -> Tensor:
        return self._make_unary(elementwise.Not, x, floats=False)

    # --- shapes ------------------------------------------------------------------------------------------------------

    def broadcast(self, x: TensorLike, along: Sequence[int], shape: Sequence[Extent]) -> Tensor:
        """x repeated: its axis i is axis `along[i]` of the shape."""
        x = self.tensor(x)
        stretches = any(dim == 1 and to != 1 for dim, to in zip(x.type.shape, shape))
        if len(shape) == x.type.rank and not stretches:
            return x
        return self._sized(shapes.Broadcast, x, shape=shape, element=x.type.element, along=along)

    def broadcast_to(self, x: TensorLike, shape: Sequence[Extent]) -> Tensor:
        """x repeated along new leading axes, and along axes of size 1."""
        x = self.tensor(x)
        return self.broadcast(x, range(len(shape) - x.type.rank, len(shape)), shape)

    def repeat_along(self, x: TensorLike, axes: Sequence[int], like: TensorLike) -> Tensor:
        """x repeated along `axes` of the result, which has the shape of `like`: undoes the shape of a reduction."""
        rank = self.tensor(like).type.rank
        return self.broadcast(x, [axis for axis in range(rank) if axis not in axes], self.shape(like))

    def transpose(self, x: TensorLike, permutation: Sequence[int] | None = None) -> Tensor:
        """The axes in another order; reversed by default."""
        x = self.tensor(x)
        order = list(reversed(range(x.type.rank))) if permutation is None else list(permutation)
        return x if order == list(range(x.type.rank)) else self.make(shapes.Transpose, x, permutation=order)

    def reshape(self, x: TensorLike, shape: Sequence[Extent]) -> Tensor:
        """The elements in another shape, in row-major order."""
        x = self.tensor(x)
        return self._sized(shapes.Reshape, x, shape=shape, element=x.type.element)

    def slice(
        self, x: TensorLike, starts: Sequence[int], limits: Sequence[int], strides: Sequence[int] | None = None
    ) -> Tensor:
        """x[starts:limits:strides]; a limit of 0 is the end, below 0 it counts from there."""
        strides = [1] * len(starts) if strides is None else strides
        return self.make(shapes.Slice, self.tensor(x), starts=starts, limits=limits, strides=strides)

    def place(
        self, x: TensorLike, starts: Sequence[int], limits: Sequence[int], strides: Sequence[int],
        shape: Sequence[Extent], value: int | float | bool = 0,
    ) -> Tensor:  # fmt: skip
        """A tensor of this shape full of `value`, of which the slice [starts:limits:strides] is x."""
        x = self.tensor(x)
        facts = {"value": number_attribute(value, x.type.element), "starts": starts, "limits": limits}
        return self._sized(shapes.Pad, x, shape=shape, element=x.type.element, strides=strides, **facts)

    def pad(
        self, x: TensorLike, low: Sequence[int], high: Sequence[int], interior: Sequence[int] | None = None,
        value: int | float | bool = 0,
    ) -> Tensor:  # fmt: skip
        """x with `low[i]` elements in front of axis i, `high[i]` behind and `interior[i]` between each two."""
        x = self.tensor(x)
        between = [0] * len(low) if interior is None else interior
        shape = [_padded(*facts) for facts in zip(x.type.shape, low, high, between)]
        return self.place(x, low, [-count for count in high], [count + 1 for count in between], shape, value)

    def index(self, x: TensorLike, index: Any) -> Tensor:
        """x[index] as numpy reads it, of integers, slices with positive steps, `...` and None."""
        x = self.tensor(x)
        plan = index_plan(index, x.type)
        found = self.slice(x, plan.starts, plan.limits, plan.strides) if plan.cuts else x
        if plan.dropped:
            kept = [extent for axis, extent in enumerate(self.shape(found)) if axis not in plan.dropped]
            found = self.reshape(found, kept)
        if not plan.added:
            return found
        extents = iter(self.shape(found))
        rank = found.type.rank + len(plan.added)
        shape = [1 if axis in plan.added else next(extents) for axis in range(rank)]
        return self.broadcast(found, [axis for axis in range(rank) if axis not in plan.added], shape)

    # --- reductions and products -------------------------------------------------------------------------------------

    def _reduce(self, cls: type[Op], x: Tensor, axes: Sequence[int] | int | None, keepdims: bool) -> Tensor:
        rank = x.type.rank
        chosen = range(rank) if axes is None else [axes] if isinstance(axes, int) else axes
        ordered = sorted(axis + rank if axis < 0 else axis for axis in chosen)
        found = self.make(cls, x, axes=ordered) if ordered else x
        if not keepdims:
            return found
        shape = [1 if axis in ordered else extent for axis, extent in enumerate(self.shape(x))]
        return self.broadcast(found, [axis for axis in range(rank) if axis not in ordered], shape)

    def sum(self, x: TensorLike, axes: Sequence[int] | int | None = None, keepdims: bool = False) -> Tensor:
        """The sum over the axes (all by default); integers add up in 64 bits."""
        return self._reduce(reduce.Sum, self._widened(x), axes, keepdims)

    def prod(self, x: TensorLike, axes: Sequence[int] | int | None = None, keepdims: bool = False) -> Tensor:
        """The product over the axes (all by default); integers multiply in 64 bits."""
        return self._reduce(reduce.Prod, self._widened(x), axes, keepdims)

    def _widened(self, x: TensorLike) -> Tensor:
        """Integers in 64 bits, as numpy's sum and prod do."""
        x = self.tensor(x)
        element = x.type.element
        if isinstance(element, IntegerType):
            return self.cast(x, UI64 if element.is_unsigned else I64)
        return x

    def mean(self, x: TensorLike, axes: Sequence[int] | int | None = None, keepdims: bool = False) -> Tensor:
        (x,), _ = self._promote(self.tensor(x), floats=True)
        return self._reduce(composite.Mean, x, axes, keepdims)

    def max(self, x: TensorLike, axes: Sequence[int] | int | None = None, keepdims: bool = False) -> Tensor:
        return self._reduce(reduce.Max, self.tensor(x), axes, keepdims)

    def min(self, x: TensorLike, axes: Sequence[int] | int | None = None, keepdims: bool = False) -> Tensor:
        return self._reduce(reduce.Min, self.tensor(x), axes, keepdims)

    def all(self, x: TensorLike, axes: Sequence[int] | int | None = None, keepdims: bool = False) -> Tensor:
        return self._reduce(reduce.All, self.tensor(x), axes, keepdims)

    def any(self, x: TensorLike, axes: Sequence[int] | int | None = None, keepdims: bool = False) -> Tensor:
        return self._reduce(reduce.AnyOp, self.tensor(x), axes, keepdims)

    def argmax(self, x: TensorLike, axis: int) -> Tensor:
        """The position of the largest along the axis, as i64."""
        x = self.tensor(x)
        return self.make(reduce.Argmax, x, axis=axis + x.type.rank if axis < 0 else axis)

    def dot(self, x: TensorLike, y: TensorLike) -> Tensor:
        (x, y), _ = self._promote(self.tensor(x), self.tensor(y))
        return self.make(linalg.Dot, x, y)

    # --- composites, gradients ---------------------------------------------------------------------------------------

    def softmax(self, x: TensorLike, axes: Sequence[int] | int = -1) -> Tensor:
        return self._normalised(composite.Softmax, x, axes)

    def log_softmax(self, x: TensorLike, axes: Sequence[int] | int = -1) -> Tensor:
        return self._normalised(composite.LogSoftmax, x, axes)

    def _normalised(self, cls: type[Op], x: TensorLike, axes: Sequence[int] | int) -> Tensor:
        (x,), _ = self._promote(self.tensor(x), floats=True)
        return self._reduce(cls, x, axes, keepdims=False)

    def softmax_cross_entropy(self, logits: TensorLike, labels: TensorLike) -> Tensor:
        """-log(softmax(logits)[label]) over the last axis; labels: class numbers, or probabilities of all classes."""
        return self.make(composite.SoftmaxCrossEntropy, self.tensor(logits), self.tensor(labels))

    def leaf(self, x: TensorLike) -> Tensor:
        """x as something to differentiate by."""
        return self.make(Leaf, self.tensor(x))

    def grad(self, cost: TensorLike, wrt: Sequence[TensorLike]) -> list[Tensor]:
        """The gradients of a 0-d cost by arguments and leaves."""
        values = [self.tensor(x).value for x in wrt]
        return [Tensor(self, value) for value in self.create_many(Grad, self.tensor(cost).value, values)]


# --- element types and sizes ---------------------------------------------------------------------------------------


def _promoted(elements: Sequence[Type]) -> Type:
    """The element type that numpy would compute in."""
    found = elements[0]
    for other in elements[1:]:
        if other is found:
            continue
        if BF16 in (found, other):
            found = _beside_bf16(other if found is BF16 else found)
            continue
        found = type_of_dtype(str(np.promote_types(str(dtype_of(found).numpy), str(dtype_of(other).numpy))))
    return found


def _beside_bf16(other: Type) -> Type:
    """The element type of bf16 and another: f32 beside f16; beside anything else as f16 has it, with bf16 in its place."""
    if other is F16:
        return F32
    wide = type_of_dtype(str(np.promote_types("float16", str(dtype_of(other).numpy))))
    return BF16 if wide is F16 else wide


def _beside_number(element: Type, number: int | float) -> Type:
    """The element type of a tensor and a Python number: the tensor's, unless it has not that kind of number."""
    if isinstance(element, FloatType) or isinstance(number, bool):
        return element
    return F64 if isinstance(number, float) else I64 if element is I1 else element


def _merged_extent(first: Extent, second: Extent) -> Extent | None:
    """The size of two that are combined; None if they differ."""
    if first == 1 or isinstance(first, (SizeOf, Value)):
        return first if isinstance(second, (SizeOf, Value)) and first != 1 or second == 1 else second
    if second == 1 or isinstance(second, (SizeOf, Value)) or first == second:
        return first
    return None


def _padded(dim: Dim, low: int, high: int, between: int) -> Extent:
    if dim is DYNAMIC:
        raise TirError("pad: a size ? needs `place`, which is given the size of the result")
    return low + dim * (between + 1) - (between if dim != 0 else 0) + high  # type: ignore[operator]
