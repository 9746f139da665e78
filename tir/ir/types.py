"""Types: `i32`, `index`, `f32`, `tensor<[B]x784xf32>`, `memref<?x4xf32, strided<[?, 1]>>`, `vector<16xf32>`, `(f32) -> i1`.

A size is an int, `DYNAMIC` (`?`), or an affine expression over names (`[B]`, `[B - 2]`): equal names are equal sizes.
`DTYPES` is the one table of element types.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from tir.ir.affine import AffineConstant, AffineExpr, AffineMap
from tir.ir.errors import LimitError, TirError, counted
from tir.ir.interned import Interned

__all__ = [
    "BF16",
    "DTYPES",
    "DYNAMIC",
    "Dim",
    "F16",
    "F32",
    "F64",
    "FloatType",
    "FunctionType",
    "I1",
    "I32",
    "I64",
    "INDEX",
    "IndexType",
    "IntegerType",
    "MemRefType",
    "NoneType",
    "OpaqueType",
    "ShapedType",
    "StridedLayout",
    "TYPE_NAMES",
    "TensorType",
    "TupleType",
    "Type",
    "VectorType",
    "dim_text",
    "dtype_of",
    "element_type",
    "parse_scalar_type",
    "shape_names",
    "type_of_dtype",
]

MAX_RANK = 32
MAX_BYTES = 2**63


class Type(Interned):
    """The type of a value. Its `str` is its text."""

    text: ClassVar[str]
    __slots__ = ("text",)

    def finish(self) -> None:
        object.__setattr__(self, "text", self.spell())

    def spell(self) -> str:
        """The text; called once."""
        raise AssertionError(type(self))

    def __str__(self) -> str:
        return self.text


class IntegerType(Type):
    """`i8` (signless), `si8`, `ui8`. At the tensor level `iN` is a signed number and `uiN` an unsigned one."""

    width: int
    signedness: str = ""

    @classmethod
    def prepare(cls, width: int, signedness: str) -> tuple[int, str]:
        if not 1 <= width <= 1 << 24:
            raise TirError(f"integer type: width must be 1 to {1 << 24}, got {width}")
        return width, signedness

    def spell(self) -> str:
        return f"{self.signedness}i{self.width}"

    @property
    def is_unsigned(self) -> bool:
        return self.signedness == "u"


class IndexType(Type):
    """`index`: a size or position; 64 bits."""

    def spell(self) -> str:
        return "index"


class FloatType(Type):
    """`f16`, `bf16`, `f32` or `f64`."""

    name: str

    def spell(self) -> str:
        return self.name

    @property
    def width(self) -> int:
        return int(self.name.lstrip("bf"))


class NoneType(Type):
    """`none`."""

    def spell(self) -> str:
        return "none"


class OpaqueType(Type):
    """A dialect's type that tir only carries: `!dialect.name<body>`."""

    name: str
    body: str | None = None

    def spell(self) -> str:
        return f"!{self.name}" if self.body is None else f"!{self.name}<{self.body}>"


class TupleType(Type):
    """`tuple<f32, i1>`."""

    types: tuple[Type, ...]

    def spell(self) -> str:
        return f"tuple<{', '.join(map(str, self.types))}>"


class FunctionType(Type):
    """`(f32, f32) -> f32`."""

    inputs: tuple[Type, ...]
    results: tuple[Type, ...]

    def spell(self) -> str:
        inputs, results = ", ".join(map(str, self.inputs)), ", ".join(map(str, self.results))
        single = len(self.results) == 1 and not isinstance(self.results[0], FunctionType)
        return f"({inputs}) -> {results if single else f'({results})'}"


class Dynamic:
    """The size `?`: not known before run time."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "?"

    def __copy__(self) -> Dynamic:
        return self

    def __deepcopy__(self, memo: object) -> Dynamic:
        return self


DYNAMIC = Dynamic()
Dim = int | Dynamic | AffineExpr


def _dim(dim: Dim) -> Dim:
    if isinstance(dim, AffineConstant):
        dim = dim.value
    if isinstance(dim, int) and not 0 <= dim < MAX_BYTES:
        raise TirError(f"a size must be 0 to 2^63 - 1, got {dim}")
    return dim


def dim_text(dim: Dim) -> str:
    """`784`, `?` or `[B - 2]`."""
    return f"[{dim}]" if isinstance(dim, AffineExpr) else str(dim)


class ShapedType(Type):
    """A type with a shape and an element type. Subclasses: tensor, memref, vector."""

    __slots__ = ()
    shape: tuple[Dim, ...]
    element: Type

    @staticmethod
    def checked_shape(shape: Iterable[Dim], element: Type) -> tuple[Dim, ...]:
        """The shape normalised; rank and size within the limits."""
        dims = tuple(_dim(d) for d in shape)
        if len(dims) > MAX_RANK:
            raise LimitError(f"a shape has at most {MAX_RANK} dimensions, got {len(dims)}")
        size = max(1, getattr(element, "width", 64) // 8)
        for dim in dims:
            size *= max(dim, 1) if isinstance(dim, int) else 1  # numpy has no 0 x 2^62 x 2^62 array either
        if size >= MAX_BYTES:
            raise LimitError(f"a value has less than 2^63 bytes, got {'x'.join(map(dim_text, dims))}x{element}")
        return dims

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def is_static(self) -> bool:
        """Each size is an integer."""
        return all(isinstance(d, int) for d in self.shape)

    @property
    def static_shape(self) -> tuple[int, ...]:
        """The sizes of a static shape."""
        assert self.is_static, self
        return self.shape  # type: ignore[return-value]

    @property
    def count(self) -> int:
        """How many elements a value of this static shape has."""
        count = 1
        for dim in self.static_shape:
            count *= dim
        return count

    def shape_text(self) -> str:
        """The sizes, each with an `x` behind it: `4x[B]x`."""
        return "".join(f"{dim_text(d)}x" for d in self.shape)


def _check_element(kind: str, element: Type, refused: tuple[type[Type], ...]) -> None:
    """Upstream refuses the same."""
    if isinstance(element, refused):
        raise TirError(f"{kind} type: an element cannot be {element}")


class TensorType(ShapedType):
    """`tensor<[B]x784xf32>`: an immutable tensor."""

    shape: tuple[Dim, ...]
    element: Type
    encoding: str = ""

    #: What makes a variable of a type, where a front end has variables: `x.type("name")`.
    maker: ClassVar[Callable[[TensorType, str | None], Any] | None] = None

    def __call__(self, name: str | None = None) -> Any:
        if self.maker is None:
            raise TypeError(f"{self} is a type, which nothing makes variables of")
        return type(self).maker(self, name)  # type: ignore[misc]

    @property
    def ndim(self) -> int:
        """The number of axes, under numpy's name."""
        return len(self.shape)

    @property
    def dtype(self) -> str:
        """The element type under numpy's name."""
        return dtype_of(self.element).numpy or str(self.element)

    @property
    def broadcastable(self) -> tuple[bool, ...]:
        """Which axes are known to have size 1."""
        return tuple(dim == 1 for dim in self.shape)

    @classmethod
    def prepare(cls, shape: Iterable[Dim], element: Type, encoding: str) -> tuple[tuple[Dim, ...], Type, str]:
        _check_element("tensor", element, (TensorType, MemRefType, FunctionType, TupleType, NoneType))
        return cls.checked_shape(shape, element), element, encoding

    def spell(self) -> str:
        return f"tensor<{self.shape_text()}{self.element}{f', {self.encoding}' if self.encoding else ''}>"

    def with_shape(self, shape: Iterable[Dim]) -> TensorType:
        return TensorType(tuple(shape), self.element)

    def with_element(self, element: Type) -> TensorType:
        same = element is self.element and not self.encoding
        return self if same else TensorType(self.shape, element)


class VectorType(ShapedType):
    """`vector<16xf32>`: a static shape, held in registers."""

    shape: tuple[Dim, ...]
    element: Type

    @classmethod
    def prepare(cls, shape: Iterable[Dim], element: Type) -> tuple[tuple[Dim, ...], Type]:
        _check_element("vector", element, (ShapedType, FunctionType, TupleType, NoneType))
        dims = cls.checked_shape(shape, element)
        if not all(isinstance(d, int) and d > 0 for d in dims):
            raise TirError(f"vector type: each size must be a positive integer, got {'x'.join(map(dim_text, dims))}")
        return dims, element

    def spell(self) -> str:
        return f"vector<{self.shape_text()}{self.element}>"


class StridedLayout(Interned):
    """`strided<[s0, s1], offset: o>`: element (i, j) is at o + i * s0 + j * s1; `?` is known at run time only."""

    strides: tuple[Dim, ...]
    offset: Dim = 0

    def __str__(self) -> str:
        strides = ", ".join(map(str, self.strides))
        return f"strided<[{strides}]{f', offset: {self.offset}' if self.offset != 0 else ''}>"


class MemRefType(ShapedType):
    """`memref<?x4xf32, strided<[?, 1], offset: ?>, 3>`: a buffer. Without a layout it is row-major and dense."""

    shape: tuple[Dim, ...]
    element: Type
    layout: StridedLayout | AffineMap | None = None
    space: str = ""

    @classmethod
    def prepare(
        cls, shape: Iterable[Dim], element: Type, layout: StridedLayout | AffineMap | None, space: str
    ) -> tuple[tuple[Dim, ...], Type, StridedLayout | AffineMap | None, str]:
        _check_element("memref", element, (TensorType, FunctionType, TupleType, NoneType))
        dims = cls.checked_shape(shape, element)
        if isinstance(layout, StridedLayout) and len(layout.strides) != len(dims):
            raise TirError(f"memref type: {counted(len(dims), 'size')}, but {counted(len(layout.strides), 'stride')}")
        if isinstance(layout, AffineMap) and layout == AffineMap.identity(len(dims)):
            layout = None
        return dims, element, layout, space

    def spell(self) -> str:
        layout = f", {_layout_text(self.layout)}" if self.layout is not None else ""
        return f"memref<{self.shape_text()}{self.element}{layout}{f', {self.space}' if self.space else ''}>"

    def strides_and_offset(self) -> tuple[tuple[Dim, ...], Dim]:
        """Strides and offset in elements; `?` where run time decides. Only for strided layouts."""
        if isinstance(self.layout, StridedLayout):
            return self.layout.strides, self.layout.offset
        assert self.layout is None, self
        strides: list[Dim] = []
        stride: Dim = 1
        for dim in reversed(self.shape):
            strides.append(stride)
            stride = stride * dim if isinstance(stride, int) and isinstance(dim, int) else DYNAMIC
        return tuple(reversed(strides)), 0

    @property
    def is_packed(self) -> bool:
        """The type says that the elements stand side by side in row-major order."""
        if isinstance(self.layout, AffineMap):
            return False
        dense = MemRefType(self.shape, self.element).strides_and_offset()[0]
        places = zip(self.shape, self.strides_and_offset()[0], dense)
        return self.layout is None or all(size == 1 or (own == want is not DYNAMIC) for size, own, want in places)


def _layout_text(layout: StridedLayout | AffineMap) -> str:
    return f"affine_map<{layout}>" if isinstance(layout, AffineMap) else str(layout)


@dataclass(frozen=True)
class DType:
    """One row of the table of element types: numpy's name (None where numpy has none) and the size in memory."""

    type: Type
    numpy: str | None
    size_bytes: int


I1, I8, I16, I32, I64 = (IntegerType(w) for w in (1, 8, 16, 32, 64))
INDEX = IndexType()
F16, BF16, F32, F64 = (FloatType(name) for name in ("f16", "bf16", "f32", "f64"))

DTYPES: dict[Type, DType] = {
    row.type: row
    for row in (
        DType(I1, "bool", 1),
        *(DType(IntegerType(w), f"int{w}", w // 8) for w in (8, 16, 32, 64)),
        *(DType(IntegerType(w, "s"), f"int{w}", w // 8) for w in (8, 16, 32, 64)),
        *(DType(IntegerType(w, "u"), f"uint{w}", w // 8) for w in (8, 16, 32, 64)),
        DType(INDEX, "int64", 8),
        DType(F16, "float16", 2),
        DType(BF16, None, 2),
        DType(F32, "float32", 4),
        DType(F64, "float64", 8),
    )
}

_BY_NUMPY_NAME = {row.numpy: row.type for row in reversed(DTYPES.values()) if row.type is not INDEX}


def dtype_of(element: Type) -> DType:
    """The row of the table for an element type; TirError for a type that has no layout in memory."""
    row = DTYPES.get(element)
    if row is None:
        raise TirError(f"element type {element}: elements in memory are {', '.join(map(str, DTYPES))}")
    return row


def type_of_dtype(name: str) -> Type:
    """The element type for numpy's dtype name; signed integers are signless here (`int32` is `i32`)."""
    found = BF16 if name == "bfloat16" else _BY_NUMPY_NAME.get(name)  # ml_dtypes' name
    if found is None:
        raise TirError(f"dtype {name} is not supported; supported are {', '.join(filter(None, _BY_NUMPY_NAME))}")
    return found


_INTEGER = re.compile(r"([su]?)i([1-9][0-9]{0,7})\Z")
#: What hints offer for a word that is no type.
TYPE_NAMES = (
    "f32", "f64", "f16", "bf16", "i1", "i8", "i16", "i32", "i64", "index", "tensor<..>", "memref<..>", "vector<..>",
)  # fmt: skip

_NAMED_SCALARS: dict[str, Type] = {"index": INDEX, "none": NoneType(), "f16": F16, "bf16": BF16, "f32": F32, "f64": F64}


def parse_scalar_type(text: str) -> Type | None:
    """The scalar type spelled `text`, or None."""
    if (match := _INTEGER.match(text)) is not None:
        return IntegerType(int(match[2]), match[1])
    return _NAMED_SCALARS.get(text)


def element_type(type: Type) -> Type:
    """The element type of a shaped type; a scalar type itself."""
    return type.element if isinstance(type, ShapedType) else type


def shape_names(shape: Sequence[Dim]) -> set[AffineExpr]:
    """The names that occur in the sizes."""
    return {leaf for dim in shape if isinstance(dim, AffineExpr) for leaf in dim.leaves()}
