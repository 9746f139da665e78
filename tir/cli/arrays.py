"""Arrays from outside: literals on the command line, .npy and .npz files. Pickled objects are never read.

Each reading error is one sentence that names the file or the argument.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from tir.cli.common import CommandLineError, replacing
from tir.ir.errors import TirError, nearest
from tir.ir.execution import numpy_dtype
from tir.ir.types import MAX_RANK, Type, element_type
from tir.lazy import np

__all__ = ["array_of", "parse_literal", "pick", "read_argument", "read_npz", "write_file", "write_npz"]

MAX_DIGITS = 4000
ZIP_MAGIC, NPY_MAGIC, PICKLE_MAGIC = (b"PK\x03\x04", b"PK\x05\x06"), b"\x93NUMPY", b"\x80"

_NUMBER = r"[+-]?(?:inf(?:inity)?|nan|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)"
_TOKEN = re.compile(rf"\s*(?:(?P<mark>[\[\],])|(?:(?P<bool>true|false)|(?P<number>{_NUMBER}))(?![\w.]))\s*")
_INTEGER = re.compile(r"[+-]?\d+\Z")


# --- literals --------------------------------------------------------------------------------------------------------


def parse_literal(text: str, label: str) -> Any:
    """The number, boolean or nested list that `text` spells: `[[1, 2], [3, 4]]`, `1.5`, `-inf`, `true`."""
    stack: list[list[Any]] = [[]]
    wants_item, at = True, 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        mark = match["mark"] if match is not None else None
        if match is None or (mark != "]" and (mark == ",") == wants_item):
            raise _literal_error(text, at, label)
        if mark == "[":
            stack.append([])
        elif mark == "]":
            if len(stack) == 1 or (wants_item and stack[-1]):
                raise _literal_error(text, at, label)
            closed = stack.pop()
            stack[-1].append(closed)
        elif mark is None:
            stack[-1].append(_scalar(match, label))
        wants_item = mark in ("[", ",")
        at = match.end()
        if len(stack) > MAX_RANK + 1:
            raise CommandLineError(f"{label}: lists are nested more than {MAX_RANK} deep")
        if len(stack) == 1 and at < len(text):
            raise _literal_error(text, at, label)
    if len(stack) > 1:
        raise CommandLineError(f"{label}: '{_short(text)}' ends inside a list")
    if not stack[0]:
        raise CommandLineError(f"{label}: a value is missing behind '='")
    return stack[0][0]


def _scalar(match: re.Match[str], label: str) -> bool | int | float:
    if match["bool"]:
        return match["bool"] == "true"
    text = match["number"]
    if len(text) > MAX_DIGITS:
        raise CommandLineError(f"{label}: a number has at most {MAX_DIGITS} digits")
    return int(text) if _INTEGER.match(text) else float(text)


def _literal_error(text: str, at: int, label: str) -> CommandLineError:
    kinds = "a number, a list such as [1, 2], a .npy file or FILE.npz:NAME"
    return CommandLineError(f"{label}: '{_short(text)}' is not {kinds} (character {at + 1})")


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def array_of(value: Any, type: Type, label: str) -> Any:
    """A literal as an array of the type's element type; nothing is rounded but decimals to the float type."""
    shape, flat = _shape_and_items(value, label)
    element, dtype = element_type(type), numpy_dtype(type)
    for item in flat:
        if not _fits(item, dtype):
            raise TirError(f"{label}: {item if not isinstance(item, bool) else str(item).lower()} is no {element}")
    with np.errstate(all="ignore"):
        return np.array(flat, dtype).reshape(shape)


def _fits(item: Any, dtype: Any) -> bool:
    if dtype.kind == "b":
        return item in (0, 1) and not isinstance(item, float)
    if isinstance(item, bool):
        return False
    if dtype.kind == "f":
        return isinstance(item, float) or abs(item) < 1 << 1023
    info = np.iinfo(dtype)
    return isinstance(item, int) and int(info.min) <= item <= int(info.max)


def _shape_and_items(value: Any, label: str) -> tuple[list[int], list[Any]]:
    """The shape of nested lists, and their items in row-major order."""
    shape: list[int] = []
    level = [value]
    while level and any(isinstance(item, list) for item in level):
        lengths = {len(item) if isinstance(item, list) else -1 for item in level}
        if len(lengths) > 1:
            raise TirError(f"{label}: the lists at depth {len(shape) + 1} must have one length")
        shape.append(lengths.pop())
        level = [inner for item in level for inner in item]
    return shape, level


# --- files -----------------------------------------------------------------------------------------------------------


def read_argument(text: str, name: str, type: Type) -> Any:
    """The value that NAME=VALUE gives: a literal, `FILE.npy`, `FILE.npz:KEY`, or `FILE.npz` (whose KEY is NAME)."""
    label = f"argument '{name}'"
    if text.endswith(".npy"):
        return _read_npy(text)
    path, colon, key = text.rpartition(":")
    if text.endswith(".npz") or (colon and path.endswith(".npz")):
        file, wanted = (text, name) if text.endswith(".npz") else (path, key)
        return pick(read_npz(file, [wanted]), wanted, file, label)
    return array_of(parse_literal(text, label), type, label)


def pick(arrays: Mapping[str, Any], key: str, file: str, label: str) -> Any:
    """The array called `key`; TirError lists what the file has."""
    if key not in arrays:
        raise TirError(f"{label}: {file} has no array '{key}'; {_listing(arrays)}", hint=nearest(key, arrays))
    return arrays[key]


def _listing(names: Mapping[str, Any]) -> str:
    shown = [f"'{name}'" for name in list(names)[:8]]
    return f"it has {', '.join(shown)}{' ...' if len(names) > 8 else ''}" if shown else "it is empty"


def read_npz(path: str, wanted: list[str] | None = None) -> dict[str, Any]:
    """The arrays of a .npz file by name. wanted: those to read (None: all); the others have None as their value."""
    with _reading(path, "npz") as file, np.load(file, allow_pickle=False) as archive:
        found: dict[str, Any] = dict.fromkeys(archive.files)
        for key in archive.files if wanted is None else [key for key in wanted if key in found]:
            with _explained(f"{path}: array '{key}'"):
                found[key] = archive[key]
            if not isinstance(found[key], np.ndarray):
                raise TirError(f"{path}: '{key}' is no array")
        return found


def _read_npy(path: str) -> Any:
    with _reading(path, "npy") as file:
        return np.load(file, allow_pickle=False)


@contextmanager
def _reading(path: str, kind: str) -> Iterator[BinaryIO]:
    """The open file, which begins as its kind should; what numpy raises inside becomes one sentence."""
    try:
        if Path(path).exists() and not Path(path).is_file():
            raise TirError(f"cannot read {path}: it is no regular file")
        with open(path, "rb") as file:
            start = file.read(6)
            file.seek(0)
            if start.startswith(PICKLE_MAGIC):
                raise TirError(f"{path}: this is a pickle, which is never read; write the file by numpy.savez")
            if not (start.startswith(NPY_MAGIC) if kind == "npy" else start.startswith(ZIP_MAGIC)):
                raise TirError(f"{path}: this is no .{kind} file")
            with _explained(path):
                yield file
    except OSError as error:
        raise TirError(f"cannot read {path}: {error.strerror or error}") from None


@contextmanager
def _explained(label: str) -> Iterator[None]:
    # Everything is caught: zipfile, zlib and numpy raise a dozen kinds of errors for a broken file, none documented.
    try:
        yield
    except (TirError, OSError):
        raise
    except MemoryError:
        raise TirError(f"{label}: there is not enough memory for it") from None
    except Exception as error:
        text = (str(error).splitlines() or [""])[0]
        if "pickle" in text:
            raise TirError(f"{label} holds pickled Python objects, which are never read") from None
        why = f" ({text})" if text and "<" not in text else ""  # numpy shows objects of its own between < and >
        raise TirError(f"{label} is damaged or cut off{why}") from None


def write_npz(path: str, arrays: Mapping[str, Any]) -> None:
    """Writes arrays by name. The file appears whole or not at all; the same arrays give the same bytes."""
    # Not numpy.savez, for which an array called `file` or `allow_pickle` is an option of its own.
    with replacing(path) as file, zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, np.asanyarray(array), allow_pickle=False)


def write_file(path: str, data: bytes) -> None:
    """Writes bytes. The file appears whole or not at all."""
    with replacing(path) as file:
        file.write(data)
