"""Text -> module: the public face of the parser."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from tir.ir.attributes import IntegerAttr
from tir.ir.define import create
from tir.ir.errors import FileLocation, ParseError, TirError, TirErrors
from tir.ir.ir import Block, Op, Region
from tir.ir.registry import Registry
from tir.ir.verify import check
from tir.parser.build import build
from tir.parser.load import load_resources
from tir.parser.raw import RawText, read_text

__all__ = ["TEXT_VERSION", "decode_source", "folder_of", "parse_file", "parse_text", "read_source"]

MODULE = "builtin.module"
TEXT_VERSION = 1
MAX_FILE_BYTES = 256 << 20


def parse_text(
    text: str,
    registry: Registry,
    *,
    file: str = "<text>",
    first_line: int = 1,
    allow_unregistered: bool = False,
    verify: bool = True,
    folder: Path | None = None,
) -> Op:
    """The module that `text` spells; ops outside of a `module { .. }` are put into one.

    folder: where side files are; without it there are none.
    Raises TirErrors with every error of the text: those of its form, then those of its meaning if its form is right.
    """
    raw = read_text(text, file, first_line=first_line)
    ops, errors = build(raw, registry, allow_unregistered)
    module = _module(ops, registry, raw)
    found = sorted([*raw.errors, *errors, *_check_version(module), *load_resources(module, raw, folder)], key=_position)
    if found:
        raise TirErrors(found)
    if verify and (wrong := check(module)):
        raise TirErrors(wrong)
    return module


def parse_file(path: str | Path, registry: Registry, *, allow_unregistered: bool = False, verify: bool = True) -> Op:
    """The module in a file. TirError if the file cannot be read or is not UTF-8."""
    text = read_source(path)
    return parse_text(
        text, registry, file=str(path), allow_unregistered=allow_unregistered, verify=verify, folder=folder_of(path)
    )


def folder_of(path: str | Path) -> Path:
    """The folder of a module's side files; of a link that of the file itself."""
    return Path(path).resolve().parent


def read_source(path: str | Path) -> str:
    """The text of a file; TirError says why it cannot be read."""
    try:
        with open(path, "rb") as file:
            return decode_source(file, str(path))
    except OSError as error:
        raise TirError(f"cannot read {path}: {error.strerror}") from None


def decode_source(file: BinaryIO, name: str) -> str:
    """The text in an open file, which may be a device or a pipe without end."""
    data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise TirError(f"{name}: a file has at most {MAX_FILE_BYTES} bytes, and this has more")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise TirError(f"{name}: the text must be UTF-8; byte {error.start} is not") from None


def _check_version(module: Op) -> list[TirError]:
    """A module may state the version of its text: `module attributes {tir.version = 1 : i64}`; older ones stay readable."""
    stated = module.attributes.get("tir.version")
    if stated is None:
        return []
    if not isinstance(stated, IntegerAttr):
        return [ParseError(f"tir.version must be an integer, got {stated}", module.location)]
    if not 1 <= stated.value <= TEXT_VERSION:
        return [ParseError(f"the text has version {stated.value}, and this tir reads 1 to {TEXT_VERSION}", module.location)]
    return []


def _position(error: TirError) -> tuple[int, int]:
    where = error.location.file_location() if error.location is not None else None
    return (where.line, where.column) if where is not None else (0, 0)


def _module(ops: list[Op], registry: Registry, raw: RawText) -> Op:
    cls = registry.op_class(MODULE)
    assert cls is not None, "the registry has no builtin dialect"
    if len(ops) == 1 and isinstance(ops[0], cls):
        return ops[0]
    block = Block()
    for op in ops:
        block.append(op)
    location = FileLocation(raw.location(0).file, raw.location(0).line, 1)
    return create(cls, regions=[Region([block])], result_types=(), location=location)
