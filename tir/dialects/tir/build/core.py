"""What all builder methods stand on: values with operators, sizes, promotion, broadcasting and casts."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from tir.dialects.tir import create, logic
from tir.dialects.tir import shape as shapes
from tir.dialects.tir.build.hints import NoSuchNameError, UnknownYetError, attribute_hint, method_hint, method_meant
from tir.dialects.tir.elements import fits_exactly, highest, lowest, number_attribute
from tir.ir.affine import AffineExpr
from tir.ir.attributes import Attribute, DenseAttr
from tir.ir.builder import Builder
from tir.ir.errors import Location, TirError, counted
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

if TYPE_CHECKING:
    from tir.dialects.tir.builder import TensorBuilder

__all__ = ["CoreBuilder", "Extent", "SizeOf", "Tensor", "TensorLike", "dense", "is_tensor_like", "listed", "told"]


@dataclass(frozen=True)
class SizeOf:
    """The size of an axis of a value, which only run time knows."""

    value: Value
    axis: int


Extent = int | AffineExpr | Value | SizeOf  # a number, a named size, an index value, the size of an axis
TensorLike = Any  # a Tensor, an IR value, a Python number, a numpy array or nested list


#: What numpy calls the operators, which are those of a tensor beside an array, too.
_OPERATORS = {
    "add": "add", "subtract": "sub", "multiply": "mul", "divide": "true_div", "true_divide": "true_div", "matmul": "matmul",
    "floor_divide": "floordiv", "remainder": "mod", "power": "pow", "bitwise_and": "and_", "bitwise_or": "or_",
    "bitwise_xor": "xor", "left_shift": "shl", "right_shift": "shr",
}  # fmt: skip
_COMPARISONS = {
    "equal": "eq", "not_equal": "ne", "less": "lt", "less_equal": "le", "greater": "gt", "greater_equal": "ge",
}  # fmt: skip


class Tensor:
    """An IR value with operators, which put ops where its builder inserts; comparisons are of elements, `==` too."""

    __slots__ = ("builder", "value")

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
        if not isinstance(name, str):
            raise TirError(f"named: the name must be a string, got {told(name)}", self.builder.here())
        self.value.hint = name
        return self

    def _unknown(self, what: str, cure: str) -> NoReturn:
        message = f"a tensor has no {what} before it runs"
        raise UnknownYetError(message, self.builder.here(), hint=cure)

    if not TYPE_CHECKING:  # a type checker knows the attributes

        def __getattr__(self, name: str) -> NoReturn:
            if name.startswith("__"):
                raise AttributeError(name)  # of Python's protocols
            hint = attribute_hint(name, public_names(type(self)), public_names(type(self.builder)))
            raise NoSuchNameError(f"a tensor has no {name!r}", self.builder.here(), hint=hint)

    # --- what numpy asks ---------------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **named: Any) -> Tensor:
        """`array * tensor`, and other operators; for functions, what the builder has for them."""
        name = ufunc.__name__
        if method == "__call__" and not named:
            if name in _OPERATORS:
                return getattr(self.builder, _OPERATORS[name])(*inputs)
            if name in _COMPARISONS:
                return self.builder.cmp(_COMPARISONS[name], *inputs)
        self._unknown_to_numpy(name if method == "__call__" else f"{name}.{method}", name)

    def __array_function__(self, function: Any, types: Any, arguments: Any, named: Any) -> NoReturn:
        self._unknown_to_numpy(function.__name__, function.__name__)

    def _unknown_to_numpy(self, function: str, name: str) -> NoReturn:
        found = method_meant(name, public_names(type(self.builder)))
        words = "".join(f"{word!r}, " for word in found[1]) if found is not None else ""
        cure = f"write b.{found[0]}({words}..)" if found is not None else "methods of the builder compute with tensors"
        self._unknown(f"numbers for numpy.{function}", cure)

    def __array__(self, *given: Any, **named: Any) -> NoReturn:
        self._unknown("array", "b.stack makes one tensor of several, and tir.executable(b.module).call(..) gives arrays")

    # --- what Python asks --------------------------------------------------------------------------------------------

    def __delitem__(self, index: Any) -> NoReturn:
        self[index] = None

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        hint = "b.put, b.put_along_axis and b.update_slice make a changed one"
        raise UnknownYetError("a tensor never changes", self.builder.here(), hint=hint)

    def __format__(self, form: str) -> str:
        if form:
            self._unknown("digits", "the text tir.print shows numbers while it runs")
        return repr(self)

    def __round__(self, digits: int | None = None) -> Tensor:
        if digits is not None:
            raise TirError(f"round: gives whole numbers, got {told(digits)} digits", self.builder.here())
        return self.builder.round(self)

    def __bool__(self) -> bool:
        self._unknown("truth value", "b.select and b.if_ choose, & and | join conditions")

    def __iter__(self) -> NoReturn:
        self._unknown("elements", "use map or scan of the builder instead of for; x[0] is one of several")

    def __len__(self) -> int:
        self._unknown("length", "its sizes are in its shape")

    def __float__(self) -> float:
        self._unknown("number", "b.cast changes its element type, and functions of `math` are methods of b")

    def __int__(self) -> int:
        self._unknown("number", "b.cast changes its element type, and b.to_index makes a size of it")

    def __index__(self) -> int:
        self._unknown("whole number", "b.to_index makes a size of it, map and scan of the builder repeat")

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

    def __floordiv__(self, other: TensorLike) -> Tensor:
        return self.builder.floordiv(self, other)

    def __rfloordiv__(self, other: TensorLike) -> Tensor:
        return self.builder.floordiv(other, self)

    def __mod__(self, other: TensorLike) -> Tensor:
        return self.builder.mod(self, other)

    def __rmod__(self, other: TensorLike) -> Tensor:
        return self.builder.mod(other, self)

    def __pow__(self, other: TensorLike) -> Tensor:
        return self.builder.pow(self, other)

    def __rpow__(self, other: TensorLike) -> Tensor:
        return self.builder.pow(other, self)

    def __matmul__(self, other: TensorLike) -> Tensor:
        return self.builder.matmul(self, other)

    def __rmatmul__(self, other: TensorLike) -> Tensor:
        return self.builder.matmul(other, self)

    def __neg__(self) -> Tensor:
        return self.builder.neg(self)

    def __abs__(self) -> Tensor:
        return self.builder.abs(self)

    def __eq__(self, other: object) -> Tensor:  # type: ignore[override]
        return self.builder.cmp("eq", self, other)

    def __ne__(self, other: object) -> Tensor:  # type: ignore[override]
        return self.builder.cmp("ne", self, other)

    def __hash__(self) -> int:
        return id(self)

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

    def __xor__(self, other: TensorLike) -> Tensor:
        return self.builder.xor(self, other)

    def __lshift__(self, other: TensorLike) -> Tensor:
        return self.builder.shl(self, other)

    def __rshift__(self, other: TensorLike) -> Tensor:
        return self.builder.shr(self, other)

    def __invert__(self) -> Tensor:
        return self.builder.not_(self)

    def __getitem__(self, index: Any) -> Tensor:
        return self.builder.index(self, index)


class CoreBuilder(Builder):
    """The methods that those of every family of ops use."""

    if not TYPE_CHECKING:  # a type checker knows the methods

        def __getattr__(self, name: str) -> NoReturn:
            if name.startswith("_"):
                raise AttributeError(name)  # of Python's protocols
            hint = method_hint(name, public_names(type(self)))
            raise NoSuchNameError(f"a builder has no {name!r}", self.here(), hint=hint)

    #: What is built is copied before it runs, and open sizes get names then; so loops may stack what has them.
    names_sizes_later = False

    # --- values ------------------------------------------------------------------------------------------------------

    def tensor(self, x: Any) -> Tensor:
        """`x` as a Tensor of this builder; a number or array becomes a constant. TirError for anything else."""
        if isinstance(x, Tensor):
            return x if x.builder is self else self._own(x.value)
        if not is_tensor_like(x):
            raise TirError(f"expected a tensor, a number or an array, got {told(x)}")
        return self._own(x) if isinstance(x, Value) else self.constant(x)

    def make(self, cls: type[Op], *operands: Any, **facts: Any) -> Tensor:
        """The only result of a new op; Tensors as operands."""
        values = [x.value if isinstance(x, Tensor) else x for x in operands]
        return self._own(self.create(cls, *values, **facts))

    def here(self) -> Location:
        """Where an error is told: at what is built now."""
        return self.location

    def out_of_reach(self, value: Value) -> tuple[str, str] | None:
        """Why a value cannot be used where the builder inserts, and a cure: where users write; None where passes do."""
        return None

    def _own(self, value: Value) -> Tensor:
        return Tensor(self, value)  # type: ignore[arg-type]  # every builder made is a TensorBuilder

    def shape(self, x: TensorLike) -> tuple[Extent, ...]:
        """The sizes of x."""
        x = self.tensor(x)
        return tuple(SizeOf(x.value, i) if d is DYNAMIC else d for i, d in enumerate(x.type.shape))

    def extents(self, type: TensorType, sizes: Sequence[Tensor]) -> list[Extent]:
        """The sizes that a written result type and its size operands say."""
        rest = iter(sizes)
        return [dim if isinstance(dim, (int, AffineExpr)) else next(rest).value for dim in type.shape]

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

    def extent_count(self, extent: Extent) -> Tensor | int:
        """The extent as a number, or as a 0-d i64 tensor where only run time knows it."""
        return self.count(self.full(0, [extent]), [0], I64)

    def _sized(self, cls: type[Op], *operands: Any, shape: Sequence[Extent], element: Type, **facts: Any) -> Tensor:
        """A new op of the family `Sized`, with this result."""
        dims: list[Dim] = []
        sizes: list[Value] = []
        for extent in shape:
            if isinstance(extent, (SizeOf, Value)):
                dims.append(DYNAMIC)
                sizes.append(self.dim(extent.value, extent.axis) if isinstance(extent, SizeOf) else extent)
            else:
                dims.append(extent if isinstance(extent, AffineExpr) else operator.index(extent))
        return self.make(cls, *operands, sizes, result_types=[TensorType(tuple(dims), element)], **facts)

    # --- creation ----------------------------------------------------------------------------------------------------

    def constant(self, array: Any, element: Type | None = None) -> Tensor:
        """A constant of the array's dtype, or of `element`, whose numbers they must be."""
        return self.make(create.Constant, value=dense(array, element))

    def number(self, value: int | float | bool, element: Type) -> Attribute:
        """A number as an attribute of the element type; TirError if the type has it not."""
        if not fits_exactly(value, element):
            raise TirError(f"the number {told(value)} is no {element}")
        return number_attribute(value, element)

    def full(self, value: int | float | bool, shape: Sequence[Extent], element: Type = F32) -> Tensor:
        """One number everywhere."""
        return self._sized(create.Full, shape=shape, element=element, value=self.number(value, element))

    def full_like(self, x: TensorLike, value: int | float | bool) -> Tensor:
        """One number, in the shape and element type of x."""
        x = self.tensor(x)
        return self.full(value, self.shape(x), x.type.element)

    def iota(self, shape: Sequence[Extent], axis: int, element: Type = I64) -> Tensor:
        """The position along an axis."""
        return self._sized(create.Iota, shape=shape, element=element, axis=axis)

    def cast(self, x: TensorLike, element: Type) -> Tensor:
        """x in another element type; an index value gives a 0-d tensor."""
        x = self.tensor(x)
        if isinstance(x.type, TensorType) and x.type.element is element:
            return x
        shape = x.type.shape if isinstance(x.type, TensorType) else ()
        return self.make(logic.Cast, x, result_types=[TensorType(shape, element)])

    # --- axes --------------------------------------------------------------------------------------------------------

    def axis_of(self, x: Tensor, axis: int) -> int:
        """The axis, counted from the end if it is negative; TirError if there is none."""
        axis, rank = operator.index(axis), x.type.rank
        if rank == 0:
            raise TirError(f"{x.type} has no axes, got axis {axis}")
        if not -rank <= axis < rank:
            raise TirError(f"an axis of {x.type} must be {-rank} to {rank - 1}, got {axis}")
        return axis % rank

    def axes_of(self, x: Tensor, axes: Sequence[int] | int) -> list[int]:
        """The axes in order, counted from the front; TirError if one is not there, or there twice."""
        given = listed(axes)
        chosen = sorted({self.axis_of(x, axis) for axis in given})
        if len(chosen) != len(given):
            raise TirError(f"each axis of {x.type} may be named once, got {given}")
        return chosen

    # --- repeating ---------------------------------------------------------------------------------------------------

    def broadcast(self, x: TensorLike, along: Sequence[int], shape: Sequence[Extent]) -> Tensor:
        """x repeated: its axis i is axis `along[i]` of the shape."""
        x = self.tensor(x)
        if len(shape) == x.type.rank and all(_is_kept(dim, to) for dim, to in zip(x.type.shape, shape)):
            return x
        return self._sized(shapes.Broadcast, x, shape=shape, element=x.type.element, along=along)

    def broadcast_to(self, x: TensorLike, shape: Sequence[Extent]) -> Tensor:
        """x repeated along new leading axes, and along axes of size 1."""
        x = self.tensor(x)
        if len(shape) < x.type.rank:
            least = counted(x.type.rank, "axis", "axes")
            raise TirError(f"broadcast_to: a shape for {x.type} must have {least} or more, got {len(shape)}")
        return self.broadcast(x, range(len(shape) - x.type.rank, len(shape)), shape)

    def repeat_along(self, x: TensorLike, axes: Sequence[int], like: TensorLike) -> Tensor:
        """x repeated along `axes` of the result, which has the shape of `like`: undoes the shape of a reduction."""
        rank = self.tensor(like).type.rank
        return self.broadcast(x, [axis for axis in range(rank) if axis not in axes], self.shape(like))

    # --- making equal ------------------------------------------------------------------------------------------------

    def _promote(self, *xs: TensorLike, floats: bool = False) -> tuple[list[Tensor | int | float], Type]:
        """Tensors of one element type, and numbers left as they are, and that type. floats: at least a float."""
        kept = [x if isinstance(x, (bool, int, float)) else self.tensor(x) for x in xs]
        if all(isinstance(x, (bool, int, float)) for x in kept):
            kept = [self.constant(x) for x in kept]
        if (element := _common_element(kept)) is not None and (isinstance(element, FloatType) or not floats):
            return kept, element  # the usual case, fast
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
        if all(isinstance(x, Tensor) and x.type is xs[0].type for x in xs):  # type: ignore[union-attr]
            return list(xs)  # type: ignore[arg-type]  # the usual case, fast
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

    def _make_unary(self, cls: type[Op], x: TensorLike, floats: bool = True, **facts: Any) -> Tensor:
        (x,), element = self._promote(self.tensor(x), floats=floats)
        return self.make(cls, x, **facts)


# --- element types and sizes ---------------------------------------------------------------------------------------


def listed(numbers: Iterable[int] | int) -> list[int]:
    """One number or several, such as axes, as a list of Python's integers; numpy's are taken too."""
    several = [numbers] if isinstance(numbers, (int, np.integer)) else numbers
    return [operator.index(number) for number in several]


def told(given: Any) -> str:
    """What was given instead of what is right, for a message: short, and on one line."""
    text = " ".join(repr(given).split())
    return text if len(text) <= MOST_TOLD else f"{text[: MOST_TOLD - 3]}..."


MOST_TOLD = 80


def public_names(cls: type) -> list[str]:
    """The methods and attributes that users may name."""
    return [name for name in dir(cls) if not name.startswith("_")]


def is_tensor_like(x: Any) -> bool:
    """x may stand for a tensor. Whether a list is an array is seen when it becomes one."""
    return isinstance(x, (Tensor, Value, int, float, list, tuple)) or hasattr(x, "__array__")


def dense(given: Any, element: Type | None = None) -> DenseAttr:
    """The constant of an array or of nested lists of numbers; TirError unless they are numbers of the element type."""
    if _holds_tensors(given):
        hint = "b.stack makes one tensor of several" if not isinstance(given, (Tensor, Value)) else None
        raise TirError(f"an array must be of numbers, got {told(given)}", hint=hint)
    try:
        array = np.asarray(given)
    except ValueError:  # numpy's way to say that the lists are of several lengths
        raise TirError(f"the lists of one depth must have one length, got {told(given)}") from None
    if array.dtype.kind not in "biufV":  # V: bf16
        if isinstance(given, int):
            raise TirError(f"the number {told(given)} is no {element or I64}")
        raise TirError(f"an array must be of numbers, got {told(given)}")
    if isinstance(element, IntegerType) and array.dtype.kind != "V" and array.dtype != dtype_of(element).numpy:
        _check_numbers(array, element)
    return DenseAttr.of(array, element)


def _holds_tensors(given: Any) -> bool:
    """A tensor stands in lists, however deep, or in an array of Python's objects."""
    pending = [given]
    for one in pending:  # grows while it is read
        if isinstance(one, (list, tuple)):
            pending.extend(one)
        elif isinstance(one, np.ndarray) and one.dtype == object:
            pending.extend(one.flat)
    return any(isinstance(one, (Tensor, Value)) for one in pending)


def _check_numbers(array: Any, element: IntegerType) -> None:
    """TirError for a number that the conversion to the type would cut off."""
    low, high = (0, 1) if element is I1 else (lowest(element), highest(element))
    wide = array.astype(np.float64) if array.dtype.kind == "f" else array  # f16 has no number for the bounds
    # Below high + 1, a power of two: high itself may be no float, and would be rounded to that.
    wrong = array[~((wide >= low) & (wide < high + 1) & (wide == np.floor(wide)))]
    if wrong.size:
        raise TirError(f"the number {wrong.flat[0]} is no {element}")


def _is_kept(dim: Dim, to: Extent) -> bool:
    """A broadcast leaves the size as it is. One that differs is stretched, or refused by the op."""
    if dim == 1:
        return to == 1
    return dim is DYNAMIC or dim == to or isinstance(to, (SizeOf, Value))  # only run time knows


def _common_element(xs: Sequence[Tensor | int | float]) -> Type | None:
    """The element type of all; None if there are several, or numbers among them."""
    found = None
    for x in xs:
        if not isinstance(x, Tensor) or (found is not None and x.value.type.element is not found):  # type: ignore[attr-defined]
            return None
        found = x.value.type.element  # type: ignore[attr-defined]
    return found


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
