"""The metadata at the end of a file: `{-# dialect_resources: { builtin: { key: "0x0800000001020304" } } #-}`.

A resource is bytes in hex: four bytes of alignment, little-endian, then the data. In `external_resources: { tir: { .. } }`
a key has the path of a side file. Other sections mean nothing to the module; `Reading.other_metadata` keeps them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tir.parser import literals
from tir.parser.reading import MAX_NESTING, Reading

__all__ = ["read_metadata"]

_TOKEN = re.compile(r'\s+|//[^\n]*\n|(?P<token>"[^"\\\n]*(?:\\.[^"\\\n]*)*"|[\w$.-]+|[{}:,])')
_RESOURCE_PATH = ("dialect_resources", "builtin")
_SIDE_FILE_PATH = ("external_resources", "tir")


def read_metadata(text: str, pos: int, reading: Reading) -> None:
    """Enters the resources of `text`, which is `{-# .. #-}` at `pos`, into `reading.resources`."""
    path: list[str] = []
    key = ""
    state = "key"
    for token, at in _tokens(text, pos, reading):
        kind = token if token in "{}:," else "word"
        following = _FOLLOWS.get((state, kind))
        if following is None or (kind == "}" and not path):
            raise reading.error(f"metadata: expected {_EXPECTED[state]}, got '{token[:40]}'", at)
        if kind == "{":
            path.append(key)
            if len(path) > MAX_NESTING:
                raise reading.limit(f"the metadata nests deeper than {MAX_NESTING}", at)
        elif kind == "}":
            path.pop()
        elif kind == "word" and state == "key":
            key = reading.located(at, literals.unescape, token) if token[0] == '"' else token
        elif kind == "word":
            _enter(path, key, token, at, reading)
        state = following
    if path or state == "colon" or state == "value":
        raise reading.error(f"metadata: expected {_EXPECTED[state]}, got '#-}}'", pos + len(text) - 3)


# (what may come, what came) -> what may come then
_FOLLOWS = {
    ("key", "word"): "colon",
    ("key", "}"): "comma",
    ("colon", ":"): "value",
    ("value", "word"): "comma",
    ("value", "{"): "key",
    ("comma", ","): "key",
    ("comma", "}"): "comma",
}
_EXPECTED = {"key": "a key", "colon": "':'", "value": "a value", "comma": "',' or '}'"}


def _tokens(text: str, pos: int, reading: Reading) -> Iterator[tuple[str, int]]:
    at, end = 3, len(text) - 3
    while at < end:
        match = _TOKEN.match(text, at, end)
        if match is None:
            raise reading.error(f"unexpected character {text[at]!r} in the metadata", pos + at)
        if match["token"] is not None:
            yield match["token"], pos + at
        at = match.end()


def _enter(path: list[str], key: str, token: str, pos: int, reading: Reading) -> None:
    """One value: bytes if it is in the section of resources."""
    if tuple(path) not in (_RESOURCE_PATH, _SIDE_FILE_PATH):
        reading.other_metadata[(*path, key)] = (token, pos)
        return
    if key in reading.resources or key in reading.side_files:
        raise reading.error(f"resource '{key}' is given twice", pos)
    if tuple(path) == _SIDE_FILE_PATH:
        if token[0] != '"':
            raise reading.error(f"side file '{key}': expected a path in quotes, got '{token[:40]}'", pos)
        reading.side_files[key] = (reading.located(pos, literals.unescape, token), pos)
        return
    digits = token[1:-1]
    try:
        data = bytes.fromhex(digits[2:])
    except ValueError:
        data = b""
    alignment = int.from_bytes(data[:4], "little")
    if token[0] != '"' or digits[:2] != "0x" or len(data) < 4:
        raise reading.error(f'resource \'{key}\': expected "0x" and the bytes in hex, four of alignment first', pos)
    if alignment == 0 or alignment & (alignment - 1):
        raise reading.error(f"resource '{key}': the alignment must be a power of two, got {alignment}", pos)
    reading.resources[key] = data[4:]
