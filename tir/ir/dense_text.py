"""The text of constants, `dense<[[1, 2], [3, 4]]>`, `dense<"0x01000000">`, `dense<0.0>`, with their type -> attributes.

Elements are integers, floats, `true` and `false`; a hex integer spells the bits of a float. A splat stays one element.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from tir.ir.attributes import Attribute, DenseAttr, DenseResourceAttr, IntegerAttr, pack, unpack
from tir.ir.errors import TirError
from tir.ir.types import I1, FloatType, IndexType, IntegerType, MemRefType, ShapedType, Type, dtype_of
from tir.lazy import np

__all__ = ["dense_attribute", "number"]

_FLOAT = re.compile(r"-?[0-9]+\.[0-9]*(?:[eE][+-]?[0-9]+)?\Z|-?[0-9]+[eE][+-]?[0-9]+\Z")
_INTEGER = re.compile(r"-?(?:0x[0-9A-Fa-f]+|[0-9]+)\Z")
_DECIMAL = re.compile(r"-?[0-9]{1,19}\Z")
_COMMENT = re.compile(r"//[^\n]*")
_PIECE = re.compile(r"[\[\],]|[^\s\[\],]+")
_ELEMENT = re.compile(r"[^\s\[\],]+")
_BLANK = re.compile(r"\s+")
_KEY = re.compile(r'\s*(?:([\w$.-]+)|"([^"\\]+)")\s*\Z')
_HEX = re.compile(r'\s*"0x([0-9A-Fa-f]*)"\s*\Z')


def dense_attribute(kind: str, body: str, type: Type) -> Attribute:
    """The constant `kind<body> : type`; kind is `dense` or `dense_resource`.

    Raises TirError (without a location) if the elements do not fit the shape or the element type.
    """
    if not isinstance(type, ShapedType) or isinstance(type, MemRefType) or not type.is_static:
        raise TirError(f"{kind}: the type must be a tensor or vector with known sizes, got {type}")
    dtype_of(type.element)
    if kind == "dense_resource":
        return _resource(body, type)
    if '"' in body:
        return _hex_blob(body, type)
    body = _COMMENT.sub("", body) if "//" in body else body
    texts = _ELEMENT.findall(body)
    if "[" not in body and len(texts) == 1 and "," not in body:
        return DenseAttr(type, pack([number(texts[0], type.element)], type.element) if type.count else b"")
    if not texts and "[" not in body and type.count == 0 and "," not in body:
        return DenseAttr(type, b"")
    _check_shape(body, texts, type)
    return DenseAttr(type, _packed(texts, type.element))


def number(text: str, element: Type) -> int | float | bool:
    """The number spelled `text`, as an element of this type; a hex literal spells the bits of a float."""
    if isinstance(element, FloatType):
        return _float_number(text, element)
    if element is I1 and text in ("true", "false"):
        return text == "true"
    if not _INTEGER.match(text):
        raise TirError(f"expected an integer for {element}, got '{text[:40]}'")
    if len(text) > 64:
        raise TirError(f"integer {text[:16]}.. of {len(text)} characters does not fit {element}")
    return IntegerAttr(int(text, 16 if "x" in text else 10), element).value


def _float_number(text: str, element: FloatType) -> float:
    if _FLOAT.match(text):
        return float(text)
    if not _INTEGER.match(text):
        raise TirError(f"expected a number for {element}, got '{text[:40]}'")
    if not text.startswith("0x"):
        raise TirError(f"expected a float for {element}, got the integer {text[:40]}", hint=f"write {text[:40]}.0")
    return unpack(_float_bits(text, element), element)[0]


def _float_bits(text: str, element: FloatType) -> bytes:
    """The bytes of a float of which the hex literal `text` spells the bits."""
    size = element.width // 8
    bits = int(text, 16) if len(text) <= 18 else 1 << 64
    if bits >= 1 << (8 * size):
        raise TirError(f"{text[:40]} has more than the {8 * size} bits of {element}")
    return bits.to_bytes(size, "little")


# --- elements ------------------------------------------------------------------------------------------------------


def _packed(texts: Sequence[str], element: Type) -> bytes:
    """The elements as bytes. Many plain numbers are converted together, the rest one by one."""
    if isinstance(element, FloatType):
        if element.name != "bf16" and all(map(_FLOAT.match, texts)):
            with np.errstate(over="ignore"):
                return np.array([float(text) for text in texts]).astype(f"<f{element.width // 8}").tobytes()
        return b"".join(_one_float(text, element) for text in texts)
    if isinstance(element, (IntegerType, IndexType)) and element is not I1 and all(map(_DECIMAL.match, texts)):
        return _integers([int(text) for text in texts], element)
    return pack([number(text, element) for text in texts], element)


def _one_float(text: str, element: FloatType) -> bytes:
    # The bits of a hex literal are kept: a nan has a payload.
    if text.startswith("0x") and _INTEGER.match(text):
        return _float_bits(text, element)
    return pack([number(text, element)], element)


def _integers(values: list[int], element: Type) -> bytes:
    if not values:
        return b""
    for value in (min(values), max(values)):
        IntegerAttr(value, element)  # raises if it does not fit
    size_bytes = dtype_of(element).size_bytes
    is_unsigned = isinstance(element, IntegerType) and element.is_unsigned
    if not is_unsigned and max(values) >= 1 << (8 * size_bytes - 1):
        values = [IntegerAttr(value, element).value for value in values]
    return np.array(values, dtype=f"<{'u' if is_unsigned else 'i'}{size_bytes}").tobytes()


# --- shape -----------------------------------------------------------------------------------------------------------


def _check_shape(body: str, texts: list[str], type: ShapedType) -> None:
    """Raises unless the brackets of `body` spell the shape of `type`."""
    shape = type.static_shape
    if 0 in shape:
        shape = shape[: shape.index(0) + 1]  # `[]` has nothing inside
    # The wanted text is built only for types that are no larger than the text: 2^62 elements cost nothing.
    if math.prod(size for size in shape if size) <= len(body):
        if _BLANK.sub("", _ELEMENT.sub("0", body)) == _brackets(shape):
            assert len(texts) == type.count
            return
    raise TirError(f"dense: {_shape_mistake(body, type.static_shape)} in {type}")


def _brackets(shape: tuple[int, ...]) -> str:
    """`[[0,0],[0,0]]` for the shape 2x2."""
    text = "0"
    for size in reversed(shape):
        text = f"[{','.join([text] * size)}]"
    return text


def _shape_mistake(body: str, shape: tuple[int, ...]) -> str:
    """The first place where the brackets of `body` are not those of `shape`."""
    counts: list[int] = []  # elements so far, for each open list
    comma_due = False
    for piece in _PIECE.findall(body):
        if piece == "]":
            if not counts or (counts[-1] and not comma_due):
                return "unexpected ']'"
            if counts[-1] != shape[len(counts) - 1]:
                return f"expected {shape[len(counts) - 1]} elements in axis {len(counts) - 1}, got {counts[-1]}"
            counts.pop()
            comma_due = True
        elif piece == ",":
            if not comma_due or not counts:
                return "unexpected ','"
            comma_due = False
        elif comma_due:
            return f"expected ',' or ']' before '{piece[:40]}'"
        else:
            if counts:
                counts[-1] += 1
            if piece != "[" and len(counts) != len(shape):
                return f"expected {len(shape)} nested lists around '{piece[:40]}', got {len(counts)}"
            if piece == "[" and len(counts) == len(shape):
                return f"expected {len(shape)} nested lists, got more" if shape else "expected a number, got '['"
            if piece == "[":
                counts.append(0)
            comma_due = piece != "["
    return "expected ']'" if counts else "expected elements"


# --- bytes -----------------------------------------------------------------------------------------------------------


def _resource(body: str, type: ShapedType) -> DenseResourceAttr:
    match = _KEY.match(body)
    if match is None:
        raise TirError(f"dense_resource: expected the key of a resource, got '{body.strip()[:40]}'")
    return DenseResourceAttr(match[1] or match[2], type)


def _hex_blob(body: str, type: ShapedType) -> DenseAttr:
    """`"0x.."`: the elements, or one for a splat, as bytes; an i1 is one byte, as upstream has it now."""
    match = _HEX.match(body)
    if match is None or len(match[1]) % 2:
        raise TirError('dense: a string must be "0x" and two hex digits for each byte')
    data = bytes.fromhex(match[1])
    size_bytes = dtype_of(type.element).size_bytes
    if len(data) not in (size_bytes, type.count * size_bytes):
        needed = f"{type.count * size_bytes} bytes, or {size_bytes} for a splat"
        raise TirError(f"dense: {type} needs {needed}, got {len(data)}")
    if type.element is I1:
        data = bytes(map(bool, data))
    return DenseAttr(type, data if type.count else b"")
