"""Attributes: constant facts on ops. Each prints as MLIR writes it; equal attributes are one object.

`pieces` gives the text as strings and inner attributes, so that `str` of any nesting needs no recursion.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from tir.ir.affine import AffineMap
from tir.ir.bfloat16 import bits_of, from_bits, is_bfloat16, widened
from tir.ir.errors import LimitError, TirError, counted
from tir.ir.interned import Interned
from tir.ir.types import (
    BF16,
    F16,
    F32,
    F64,
    I1,
    I64,
    FloatType,
    IndexType,
    IntegerType,
    ShapedType,
    TensorType,
    Type,
    dtype_of,
    type_of_dtype,
)
from tir.lazy import np

__all__ = [
    "AffineMapAttr",
    "ArrayAttr",
    "Attribute",
    "DenseArrayAttr",
    "DenseAttr",
    "DenseResourceAttr",
    "DictAttr",
    "DialectAttr",
    "FloatAttr",
    "IntegerAttr",
    "StridedLayoutAttr",
    "StringAttr",
    "SymbolRefAttr",
    "TypeAttr",
    "UnitAttr",
    "bool_attr",
    "entries_text",
    "float_text",
    "quote",
]

MAX_CONSTANT_BYTES = 1 << 30  # of a constant that must be materialised; a splat stays a splat
ELIDED_KEY = "__elided__"  # of a resource that stands for elements left out in print; the parser refuses it
HEX_BYTES = 64 * 4  # a dense constant of more bytes is printed as a hex blob


class Attribute(Interned):
    """A constant fact on an op."""

    __slots__ = ()

    def pieces(self) -> Iterable[str | Attribute]:
        """The text, as strings and inner attributes."""
        raise AssertionError(type(self))

    def __str__(self) -> str:
        pieces = self.pieces()
        if pieces.__class__ is tuple and len(pieces) == 1 and isinstance(pieces[0], str):
            return pieces[0]
        out: list[str] = []
        pending: list[str | Attribute] = [*pieces][::-1]
        while pending:
            piece = pending.pop()
            if isinstance(piece, str):
                out.append(piece)
            else:
                pending.extend(reversed(list(piece.pieces())))
        return "".join(out)


class UnitAttr(Attribute):
    """`unit`: present or not."""

    def pieces(self) -> Iterable[str]:
        return ("unit",)


class StringAttr(Attribute):
    """`"text"`."""

    value: str

    def pieces(self) -> Iterable[str]:
        return (quote(self.value),)


class IntegerAttr(Attribute):
    """`7 : i32`, `true`. The value must fit the type, as signed or as unsigned; a signless one is kept as signed."""

    value: int
    type: Type = I64

    @classmethod
    def prepare(cls, value: int, type: Type) -> tuple[int, Type]:
        value, width = int(value), getattr(type, "width", 64)
        low = 0 if isinstance(type, IntegerType) and type.is_unsigned else -(1 << (width - 1))
        is_signed = not isinstance(type, IntegerType) or type.signedness == "s"  # index is signed, as upstream has it
        high = 1 << (width - 1) if is_signed else 1 << width
        if not low <= value < high:
            raise TirError(f"integer {_short(value)} does not fit {type}")
        if width == 1:
            return abs(value), type
        signless = isinstance(type, IntegerType) and not type.signedness
        return (value - (1 << width) if signless and value >= 1 << (width - 1) else value), type

    def pieces(self) -> Iterable[str]:
        if self.type is I1:
            return ("true" if self.value else "false",)
        return (f"{self.value} : {self.type}",)


class FloatAttr(Attribute):
    """`1.0 : f32`: the value is rounded to the type."""

    value: float
    type: Type = F64

    @classmethod
    def prepare(cls, value: float, type: Type) -> tuple[float, Type]:
        return round_to_float(float(value), type), type

    @classmethod
    def key(cls, value: float, type: Type) -> Any:
        return struct.pack("<d", value), type

    def pieces(self) -> Iterable[str]:
        return (f"{float_text(self.value, self.type)} : {self.type}",)


class TypeAttr(Attribute):
    """A type as a fact."""

    type: Type

    def pieces(self) -> Iterable[str]:
        return (str(self.type),)


class SymbolRefAttr(Attribute):
    """`@name` or `@outer::@inner`."""

    root: str
    nested: tuple[str, ...] = ()

    def pieces(self) -> Iterable[str]:
        return ("::".join(symbol_text(name) for name in (self.root, *self.nested)),)


class AffineMapAttr(Attribute):
    """`affine_map<(d0) -> (d0)>`."""

    map: AffineMap

    def pieces(self) -> Iterable[str]:
        return (f"affine_map<{self.map}>",)


class StridedLayoutAttr(Attribute):
    """`strided<[1], offset: 2>` as a fact."""

    layout: Any

    def pieces(self) -> Iterable[str]:
        return (str(self.layout),)


class ArrayAttr(Attribute):
    """`[1 : i32, "x"]`."""

    items: tuple[Attribute, ...]

    @classmethod
    def prepare(cls, items: Iterable[Attribute]) -> tuple[tuple[Attribute, ...]]:
        return (tuple(items),)

    def pieces(self) -> Iterable[str | Attribute]:
        return ("[", *_separated([_in_array(item) for item in self.items]), "]")

    def __iter__(self) -> Iterator[Attribute]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


class DictAttr(Attribute):
    """`{a = 1 : i32, b}`; entries sorted by name."""

    entries: tuple[tuple[str, Attribute], ...]

    @classmethod
    def of(cls, entries: Mapping[str, Attribute]) -> DictAttr:
        return cls(tuple(sorted(entries.items())))

    def get(self, name: str) -> Attribute | None:
        return dict(self.entries).get(name)

    def pieces(self) -> Iterable[str | Attribute]:
        yield "{"
        for i, (name, value) in enumerate(self.entries):
            yield f"{', ' if i else ''}{name_text(name)}"
            if not isinstance(value, UnitAttr):
                yield from (" = ", value)
        yield "}"


class DialectAttr(Attribute):
    """A dialect's attribute: `#arith.fastmath<none>`, `#linalg.iterator_type<parallel>`."""

    name: str
    body: str | None = None

    def pieces(self) -> Iterable[str]:
        return (f"#{self.name}" if self.body is None else f"#{self.name}<{self.body}>",)


class DenseArrayAttr(Attribute):
    """`array<i64: 1, 2>`: numbers (or booleans, as 0 and 1) of one type."""

    element: Type
    values: tuple[Any, ...]

    @classmethod
    def prepare(cls, element: Type, values: Iterable[Any]) -> tuple[Type, tuple[Any, ...]]:
        number = FloatAttr if isinstance(element, FloatType) else IntegerAttr
        return element, tuple([number.prepare(v, element)[0] for v in values])

    @classmethod
    def key(cls, element: Type, values: tuple[Any, ...]) -> Any:
        return element, tuple(struct.pack("<d", v) if isinstance(v, float) else v for v in values)

    def pieces(self) -> Iterable[str]:
        texts = ", ".join(_scalar_text(v, self.element) for v in self.values)
        return (f"array<{self.element}: {texts}>" if texts else f"array<{self.element}>",)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values)

    def __len__(self) -> int:
        return len(self.values)


class DenseAttr(Attribute):
    """`dense<...> : tensor<2x2xf32>`: the elements of a static shape in row-major order.

    data: the elements as little-endian bytes (an i1 takes one byte), or those of one element, for a splat.
    """

    type: ShapedType
    data: bytes
    __slots__ = ("is_splat",)
    is_splat: ClassVar[bool]

    @classmethod
    def prepare(cls, type: ShapedType, data: bytes) -> tuple[ShapedType, bytes]:
        size = dtype_of(type.element).size_bytes
        count = type.count
        if len(data) != size and len(data) != count * size:
            raise TirError(f"dense: {type} needs {counted(count * size, 'byte')}, got {len(data)}")
        if count > 1 and len(data) == count * size and data == data[:size] * count:
            data = data[:size]
        return type, bytes(data)

    def finish(self) -> None:
        object.__setattr__(self, "is_splat", len(self.data) == dtype_of(self.type.element).size_bytes)

    @classmethod
    def splat(cls, value: float | int | bool, type: ShapedType) -> DenseAttr:
        """Each element is `value`."""
        return cls(type, pack([value], type.element))

    @classmethod
    def of(cls, array: Any, element: Type | None = None) -> DenseAttr:
        """A tensor constant from a numpy array (or nested list) of the element type's dtype."""
        shape = np.shape(array)
        if element is BF16 or (element is None and is_bfloat16(array)):
            return cls(TensorType(shape, BF16), np.asarray(bits_of(widened(np.asarray(array)))).astype("<u2").tobytes())
        flat = np.ascontiguousarray(array, dtype=dtype_of(element).numpy if element is not None else None)
        kind = element if element is not None else type_of_dtype(str(flat.dtype))
        return cls(TensorType(shape, kind), flat.astype(flat.dtype.newbyteorder("<"), copy=False).tobytes())

    def numpy(self) -> Any:
        """The elements as a numpy array (bf16 as float32) that must not be written (a splat is a broadcast view)."""
        dtype = np.dtype(dtype_of(self.type.element).numpy or "uint16")
        flat = np.frombuffer(self.data, dtype=dtype.newbyteorder("<")).astype(dtype, copy=False)
        flat = from_bits(flat) if self.type.element is BF16 else flat
        shape = self.type.static_shape
        if self.is_splat:
            return np.broadcast_to(flat[0], shape)
        if len(self.data) > MAX_CONSTANT_BYTES:
            raise LimitError(f"a constant has at most {MAX_CONSTANT_BYTES} bytes, got {len(self.data)}")
        return flat.reshape(shape)

    def values(self) -> list[Any]:
        """The elements (one for a splat) as Python numbers."""
        return unpack(self.data, self.type.element)

    @property
    def splat_value(self) -> Any:
        """The number that each element is."""
        assert self.is_splat
        return self.values()[0]

    def pieces(self) -> Iterable[str]:
        return (f"{self.bare_text()} : {self.type}",)

    def bare_text(self) -> str:
        """The text without the type."""
        return f"dense<{self._body()}>"

    def _body(self) -> str:
        if self.type.count == 0:
            return ""
        if self.is_splat:
            return _scalar_text(self.values()[0], self.type.element)
        if len(self.data) > HEX_BYTES and self.type.element is not I1:
            return f'"0x{self.data.hex().upper()}"'
        return _nested_text([_scalar_text(v, self.type.element) for v in self.values()], self.type.static_shape)


class DenseResourceAttr(Attribute):
    """`dense_resource<key> : tensor<..>`: the elements are in the file's resource section or a side file."""

    key_name: str
    type: ShapedType

    def pieces(self) -> Iterable[str]:
        return (f"{self.bare_text()} : {self.type}",)

    def bare_text(self) -> str:
        """The text without the type."""
        return f"dense_resource<{name_text(self.key_name)}>"


def bool_attr(value: bool) -> IntegerAttr:
    """`true` or `false`."""
    return IntegerAttr(int(value), I1)


# --- numbers -----------------------------------------------------------------------------------------------------

_INTEGER_CODES = {8: "b", 16: "h", 32: "i", 64: "q"}
_FLOAT_CODES = {"f16": "e", "bf16": "H", "f32": "f", "f64": "d"}


def _code(element: Type) -> str:
    if isinstance(element, FloatType):
        return _FLOAT_CODES[element.name]
    width = 64 if isinstance(element, IndexType) else 8 if element is I1 else element.width  # type: ignore[attr-defined]
    code = _INTEGER_CODES[width]
    return code.upper() if isinstance(element, IntegerType) and element.is_unsigned else code


def pack(values: Sequence[Any], element: Type) -> bytes:
    """Numbers as little-endian bytes of `element`; out of range integers raise TirError."""
    if isinstance(element, FloatType):
        rounded = [round_to_float(float(v), element) for v in values]
        if element.name == "bf16":
            return struct.pack(f"<{len(rounded)}H", *(_bf16_bits(v) for v in rounded))
        return struct.pack(f"<{len(rounded)}{_code(element)}", *rounded)
    checked = [IntegerAttr(v, element).value for v in values]
    return struct.pack(f"<{len(checked)}{_code(element)}", *checked)


def unpack(data: bytes, element: Type) -> list[Any]:
    """The numbers in `data`, as `pack` wrote them; i1 gives bool."""
    size = dtype_of(element).size_bytes
    numbers = list(struct.unpack(f"<{len(data) // size}{_code(element)}", data))
    if element is I1:
        return [bool(n) for n in numbers]
    if isinstance(element, FloatType) and element.name == "bf16":
        return [struct.unpack("<f", struct.pack("<I", n << 16))[0] for n in numbers]
    return numbers


def round_to_float(value: float, type: Type) -> float:
    """`value` rounded to nearest even in `type`; overflow gives an infinity."""
    name = type.name if isinstance(type, FloatType) else "f64"
    if name == "f64" or not math.isfinite(value):
        return value
    if name == "bf16":
        return struct.unpack("<f", struct.pack("<I", _bf16_bits(value) << 16))[0]
    try:
        return struct.unpack(f"<{_FLOAT_CODES[name]}", struct.pack(f"<{_FLOAT_CODES[name]}", value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)


def _bf16_bits(value: float) -> int:
    if math.isnan(value):
        return 0x7FC0 | (0x8000 if math.copysign(1, value) < 0 else 0)
    bits = struct.unpack("<I", struct.pack("<f", round_to_odd_f32(value)))[0]
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16) & 0xFFFF


def round_to_odd_f32(value: float) -> float:
    """`value` in f32, rounded to odd: rounding that again to fewer bits is rounding once."""
    if not math.isfinite(value) or abs(value) > 3.4e38:
        return round_to_float(value, FloatType("f32"))
    near = round_to_float(value, FloatType("f32"))
    if near == value:
        return near
    bits = struct.unpack("<i", struct.pack("<f", near))[0]
    if bits & 1:
        return near
    toward = bits - 1 if abs(near) > abs(value) else bits + 1
    return struct.unpack("<f", struct.pack("<i", toward))[0]


def float_text(value: float, type: Type) -> str:
    """The shortest text that reads back to the same bits; nan and inf in hex, as MLIR writes them."""
    if not math.isfinite(value):
        width = type.width if isinstance(type, FloatType) else 64
        return f"0x{int.from_bytes(pack([value], type)[::-1], 'big'):0{width // 4}X}"
    text = repr(value)
    plain_length = _PLAIN_LENGTH.get(type)
    if plain_length is not None and (len(text) > plain_length or text.endswith("000.0")):
        short = _shortest(value, type)
        text = short if len(short) < len(text) else text
    if "e" not in text and "." in text:
        return text
    mantissa, _, exponent = text.partition("e")
    mantissa = mantissa if "." in mantissa else f"{mantissa}.0"
    return f"{mantissa}e{exponent}" if exponent else mantissa


# A text of so few characters is the shortest for its number, round numbers aside: such texts are further apart than the
# floats of the type. The other types have the text that Python gives.
_PLAIN_LENGTH: dict[Type, int] = {F32: 7, F16: 4, BF16: 3}


def _shortest(value: float, type: Type) -> str:
    for digits in range(1, 10):
        text = f"{value:.{digits}g}"
        if round_to_float(float(text), type) == value:
            return text
    return repr(value)


def _scalar_text(value: Any, element: Type) -> str:
    if isinstance(element, FloatType):
        return float_text(value, element)
    return ("true" if value else "false") if element is I1 else str(value)


# --- text --------------------------------------------------------------------------------------------------------

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$.")


def quote(text: str) -> str:
    """`text` as a string literal; what is not printable ASCII is written in hex, byte by byte, as MLIR does."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    out = []
    for byte in text.encode("utf-8", "surrogateescape"):
        plain = 32 <= byte < 127 and byte not in b'"\\'
        out.append(chr(byte) if plain else "\\\\" if byte == 92 else f"\\{byte:02X}")
    return f'"{"".join(out)}"'


def entries_text(entries: Mapping[str, Attribute]) -> str:
    """`{a = 1 : i32, b}`: the text of `DictAttr.of(entries)`, without making one."""
    names = sorted(entries)
    texts = [name_text(n) if isinstance(entries[n], UnitAttr) else f"{name_text(n)} = {entries[n]}" for n in names]
    return f"{{{', '.join(texts)}}}"


def name_text(name: str) -> str:
    """An attribute's name, quoted if it is no identifier."""
    plain = name and not name[0].isdigit() and name[0] not in "$." and _PLAIN.issuperset(name)
    return name if plain else quote(name)


def symbol_text(name: str) -> str:
    """`@name`, quoted if it is no identifier."""
    plain = name and not name[0].isdigit() and name[0] not in "$." and _PLAIN.issuperset(name)
    return f"@{name}" if plain else f"@{quote(name)}"


def _in_array(item: Attribute) -> str | Attribute:
    """In an array, as in MLIR, numbers of type i64 and f64 stand without their type."""
    if isinstance(item, (IntegerAttr, FloatAttr)) and item.type in (I64, F64):
        return _scalar_text(item.value, item.type)
    return item


def _separated(items: Sequence[str | Attribute]) -> Iterator[str | Attribute]:
    for i, item in enumerate(items):
        if i:
            yield ", "
        yield item


def _nested_text(texts: list[str], shape: tuple[int, ...]) -> str:
    """`[[1, 2], [3, 4]]` from the texts of the elements."""
    for size in reversed(shape):
        texts = [f"[{', '.join(texts[i : i + size])}]" for i in range(0, len(texts), size)]
    return texts[0]


def _short(value: int) -> str:
    return str(value) if abs(value) < 10**30 else f"of {value.bit_length()} bits"
