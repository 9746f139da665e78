"""The text of constants, `dense<[[1, 2], [3, 4]]>`, `dense<"0x01000000">`, `dense<0.0>`, with their type -> attributes.

Elements are integers, floats, `true` and `false`; a hex integer spells the bits of a float. A splat stays one element.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from tir.ir.attributes import (
    ELIDED_KEY,
    Attribute,
    DenseAttr,
    DenseResourceAttr,
    IntegerAttr,
    float_text,
    pack,
    round_to_float,
    unpack,
)  # fmt: skip
from tir.ir.errors import TirError, counted
from tir.ir.types import I1, FloatType, IndexType, IntegerType, MemRefType, ShapedType, Type, dtype_of
from tir.lazy import np

__all__ = ["dense_attribute", "float_number", "mistake_offset", "number"]

_FLOAT = re.compile(r"-?[0-9]+\.[0-9]*(?:[eE][+-]?[0-9]+)?\Z|-?[0-9]+[eE][+-]?[0-9]+\Z")
_INTEGER = re.compile(r"-?(?:0x[0-9A-Fa-f]+|[0-9]+)\Z")
_DECIMAL = re.compile(r"-?[0-9]{1,19}\Z")
_COMMENT = re.compile(r"//[^\n]*")
_PIECE = re.compile(r"[\[\],]|[^\s\[\],]+")
_ELEMENT = re.compile(r"[^\s\[\],]+")
_BLANK = re.compile(r"\s+")
_KEY = re.compile(r'\s*(?:([\w$.-]+)|"([^"\\]+)")\s*\Z')
_HEX = re.compile(r'\s*"0x([0-9A-Fa-f]*)"\s*\Z')


MAX_SEARCHED = 1 << 20  # characters; where exactly a longer constant is wrong is not said


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


def mistake_offset(body: str, type: Type) -> int | None:
    """Where in the body that `dense_attribute` refused the mistake is; None if it is not in one place."""
    if not isinstance(type, ShapedType) or not type.is_static or '"' in body or len(body) > MAX_SEARCHED:
        return None
    body = _COMMENT.sub(lambda found: " " * len(found[0]), body)
    for found in _ELEMENT.finditer(body):
        try:
            number(found[0], type.element)
        except TirError:
            return found.start()
    return _shape_mistake(body, type.static_shape)[1]


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
    return IntegerAttr.prepare(int(text, 16 if "x" in text else 10), element)[0]


def _float_number(text: str, element: FloatType) -> float:
    if _FLOAT.match(text):
        return float_number(text, element)
    if not _INTEGER.match(text):
        raise TirError(f"expected a number for {element}, got '{text[:40]}'")
    if not text.startswith("0x"):
        raise TirError(f"expected a float for {element}, got the integer {text[:40]}", hint=f"write {text[:40]}.0")
    return unpack(_float_bits(text, element), element)[0]


def float_number(text: str, element: FloatType) -> float:
    """The number of a literal with a point or exponent. TirError if it is so large that the type has infinity for it.

    Infinity is written by its bits; a number that became infinity in silence would be a mistake of who wrote it. Upstream
    takes such a literal for infinity if it has a point, and does not read it if it has none.
    """
    value = float(text)
    if math.isinf(round_to_float(value, element)):
        infinity = float_text(math.copysign(math.inf, value), element)
        raise TirError(f"{text[:40]} is too large for {element}; infinity is {infinity}")
    return value


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
        others = [text for text in texts if not _FLOAT.match(text)]
        if element.name != "bf16" and not others:
            with np.errstate(over="ignore"):
                array = np.array([float(text) for text in texts]).astype(f"<f{element.width // 8}")
            if not np.isfinite(array).all():
                float_number(texts[int(np.argmin(np.isfinite(array)))], element)  # raises
            return array.tobytes()
        for text in others:
            _float_number(text, element)  # the first that is wrong is found before the rest is converted
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
    if len(body) > MAX_SEARCHED:
        raise TirError(f"dense: the elements and brackets do not have the shape of {type}")
    raise TirError(f"dense: {_shape_mistake(body, type.static_shape)[0]} in {type}")


def _brackets(shape: tuple[int, ...]) -> str:
    """`[[0,0],[0,0]]` for the shape 2x2."""
    text = "0"
    for size in reversed(shape):
        text = f"[{','.join([text] * size)}]"
    return text


def _shape_mistake(body: str, shape: tuple[int, ...]) -> tuple[str, int]:
    """The first place where the brackets of `body` are not those of `shape`: what is wrong, and the offset."""
    counts: list[int] = []  # elements so far, for each open list
    comma_due = False
    for found in _PIECE.finditer(body):
        if (wrong := _wrong_piece(found[0], counts, comma_due, shape)) is not None:
            return wrong, found.start()
        if found[0] == "[":
            counts.append(0)
        comma_due = found[0] not in ("[", ",")
    return "expected ']'" if counts else "expected elements", len(body)


def _wrong_piece(piece: str, counts: list[int], comma_due: bool, shape: tuple[int, ...]) -> str | None:
    """What is wrong with the next piece of the elements; counts those in each open list."""
    if piece == "]":
        if not counts or (counts[-1] and not comma_due):
            return "unexpected ']'"
        if (got := counts.pop()) != shape[len(counts)]:
            return f"expected {counted(shape[len(counts)], 'element')} in axis {len(counts)}, got {got}"
        return None
    if piece == ",":
        return None if comma_due and counts else "unexpected ','"
    if comma_due:
        return f"expected ',' or ']' before '{piece[:40]}'"
    if counts:
        counts[-1] += 1
    if piece != "[" and len(counts) != len(shape):
        return f"expected {_lists(shape)} around '{piece[:40]}', got {len(counts)}"
    if piece == "[" and len(counts) == len(shape):
        return f"expected {_lists(shape)}, got more" if shape else "expected a number, got '['"
    return None


def _lists(shape: tuple[int, ...]) -> str:
    return f"{len(shape)} nested lists" if len(shape) > 1 else "1 list"


# --- bytes -----------------------------------------------------------------------------------------------------------


def _resource(body: str, type: ShapedType) -> DenseResourceAttr:
    match = _KEY.match(body)
    if match is None:
        raise TirError(f"dense_resource: expected the key of a resource, got '{body.strip()[:40]}'")
    if (match[1] or match[2]) == ELIDED_KEY:
        raise TirError("dense_resource: the elements were left out when this text was printed, and cannot be read back")
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
