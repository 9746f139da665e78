"""Literals whose text is one token: strings, symbols, `array<..>`, `strided<..>`, sizes, results."""

from __future__ import annotations

import re

from tir.ir.attributes import DenseArrayAttr, StridedLayoutAttr
from tir.ir.dense_text import number
from tir.ir.errors import TirError
from tir.ir.types import DYNAMIC, Dim, FloatType, IndexType, IntegerType, StridedLayout, parse_scalar_type
from tir.parser.reading import MAX_OP_TOKENS

__all__ = ["MAX_RESULTS", "array_attribute", "result_list", "sizes", "strided_layout", "symbol_path", "unescape"]

MAX_RESULTS = 1 << 16

_ESCAPE = re.compile(rb'\\([0-9A-Fa-f]{2}|[nt"\\]|.?)', re.DOTALL)
_ESCAPED = {b"n": b"\n", b"t": b"\t", b'"': b'"', b"\\": b"\\"}
_SYMBOL = re.compile(r'@(?:([\w$.]+)|("(?:[^"\\]|\\.)*"))')
_STRIDED = re.compile(r"strided\s*<\s*\[([^\]]*)\]\s*(?:,\s*offset\s*:\s*(-?[0-9]+|\?)\s*)?>\Z")
_STRIDE = re.compile(r"\s*(-?[0-9]+|\?)\s*\Z")
_ARRAY = re.compile(r"array\s*<\s*([^\s:>]+)\s*(?::([^>]*))?>\Z")
_COMMENT = re.compile(r"//[^\n]*")


def unescape(literal: str) -> str:
    r"""The value of a string literal, quotes included: `\n \t \\ \"` and `\HH` for a byte; not UTF-8 as surrogates."""
    if "\\" not in literal:
        return literal[1:-1]

    def byte(match: re.Match[bytes]) -> bytes:
        code = match[1]
        if len(code) == 2:
            return bytes((int(code, 16),))
        if code not in _ESCAPED:
            raise TirError(f"'\\{code.decode('utf-8', 'replace')}' is no escape; there are \\n \\t \\\\ \\\" and \\HH")
        return _ESCAPED[code]

    return _ESCAPE.sub(byte, literal[1:-1].encode("utf-8")).decode("utf-8", "surrogateescape")


def symbol_path(text: str) -> tuple[str, ...]:
    """The names in `@a::@"b c"`."""
    return tuple(match[1] or unescape(match[2]) for match in _SYMBOL.finditer(text))


def result_list(text: str) -> list[tuple[str, int]]:
    """The names in `%a, %b:2 =` and how many values each stands for."""
    if text.count(",") >= MAX_RESULTS:
        raise TirError(f"an op has at most {MAX_RESULTS} results")
    found = []
    if "//" in text:
        text = _COMMENT.sub("", text)
    for piece in text.rstrip("= \t\r\n").split(","):
        name, _, count = piece.strip()[1:].partition(":")
        if count and not 1 <= int(count[:9]) <= MAX_RESULTS:
            raise TirError(f"%{name} must stand for 1 to {MAX_RESULTS} values, got {count[:9]}")
        found.append((name, int(count[:9]) if count else 1))
    return found


def sizes(text: str) -> list[Dim]:
    """The sizes in `4x?x`."""
    text = _COMMENT.sub("", text) if "//" in text else text
    if "*" in text:
        raise TirError("unranked tensors and memrefs are not supported")
    return [DYNAMIC if size == "?" else int(size) for piece in text.split("x")[:-1] if (size := piece.strip())]


def strided_layout(text: str) -> StridedLayoutAttr:
    """`strided<[s0, s1], offset: o>`."""
    match = _STRIDED.match(_COMMENT.sub("", text))
    if match is None:
        raise TirError("expected strided<[sizes], offset: size>")
    strides = []
    for piece in match[1].split(",") if match[1].strip() else ():
        stride = _STRIDE.match(piece)
        if stride is None:
            raise TirError(f"strided: a stride is an integer or '?', got '{piece.strip()}'")
        strides.append(_stride(stride[1]))
    return StridedLayoutAttr(StridedLayout(tuple(strides), _stride(match[2] or "0")))


def _stride(text: str) -> Dim:
    if text == "?":
        return DYNAMIC
    if len(text) > 20 or not -(1 << 63) <= int(text) < 1 << 63:
        raise TirError(f"strided: {text[:24]} does not fit 64 bits")
    return int(text)


def array_attribute(text: str) -> DenseArrayAttr:
    """`array<i64: 1, 2>`."""
    match = _ARRAY.match(_COMMENT.sub("", text))
    element = parse_scalar_type(match[1]) if match is not None else None
    if match is None or not isinstance(element, (IntegerType, FloatType, IndexType)):
        raise TirError("expected array<type: numbers>, with an integer or float type")
    if match[2] is None:
        return DenseArrayAttr(element, ())
    pieces = match[2].split(",")
    if len(pieces) > MAX_OP_TOKENS:
        raise TirError(f"array<..> has at most {MAX_OP_TOKENS} numbers, got {len(pieces)}; use dense<..>")
    return DenseArrayAttr(element, tuple(number(piece.strip(), element) for piece in pieces))
