"""Text -> module: the public face of the parser."""

from __future__ import annotations

from pathlib import Path

from tir.ir.define import create
from tir.ir.errors import FileLocation, TirError, TirErrors
from tir.ir.ir import Block, Op, Region
from tir.ir.registry import Registry
from tir.ir.verify import check
from tir.parser.build import build
from tir.parser.raw import RawText, read_text

__all__ = ["parse_file", "parse_text", "read_source"]

MODULE = "builtin.module"
MAX_FILE_BYTES = 256 << 20


def parse_text(
    text: str,
    registry: Registry,
    *,
    file: str = "<text>",
    first_line: int = 1,
    allow_unregistered: bool = False,
    verify: bool = True,
) -> Op:
    """The module that `text` spells; ops outside of a `module { .. }` are put into one.

    Raises TirErrors with every error of the text: those of its form, then those of its meaning if its form is right.
    """
    raw = read_text(text, file, first_line=first_line)
    ops, errors = build(raw, registry, allow_unregistered)
    found = sorted([*raw.errors, *errors], key=_position)
    if found:
        raise TirErrors(found)
    module = _module(ops, registry, raw)
    if verify and (wrong := check(module)):
        raise TirErrors(wrong)
    return module


def parse_file(path: str | Path, registry: Registry, *, allow_unregistered: bool = False, verify: bool = True) -> Op:
    """The module in a file. TirError if the file cannot be read or is not UTF-8."""
    text = read_source(path)
    return parse_text(text, registry, file=str(path), allow_unregistered=allow_unregistered, verify=verify)


def read_source(path: str | Path) -> str:
    """The text of a file; TirError says why it cannot be read."""
    try:
        size_bytes = Path(path).stat().st_size
        if size_bytes > MAX_FILE_BYTES:
            raise TirError(f"{path}: a file has at most {MAX_FILE_BYTES} bytes, got {size_bytes}")
        return Path(path).read_bytes().decode("utf-8")
    except OSError as error:
        raise TirError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise TirError(f"{path}: the text must be UTF-8; byte {error.start} is not") from None


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
