"""Text -> module: the public face of the parser."""

from __future__ import annotations

import re
from pathlib import Path

from tir.ir.attributes import IntegerAttr
from tir.ir.define import create
from tir.ir.errors import FileLocation, LimitError, ParseError, TirError, TirErrors
from tir.ir.garbage import collector_relaxed
from tir.ir.ir import Block, Op, Region
from tir.ir.registry import Registry
from tir.ir.slips import OP_WORDS
from tir.ir.source_files import read_source
from tir.ir.verify import check
from tir.parser.broken import MisusedValue
from tir.parser.build import Gaps, build
from tir.parser.load import load_resources
from tir.parser.raw import RawText, read_text

__all__ = ["TEXT_VERSION", "folder_of", "parse_file", "parse_text", "read_module"]

Built = tuple[list[Op], list[TirError], Gaps]
MODULE = "builtin.module"
TEXT_VERSION = 1
_SLIP = re.compile(rf"^[ \t]*(?:{'|'.join(sorted(OP_WORDS))})(?![\w$.])", re.MULTILINE | re.ASCII)


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
    Raises TirErrors with every error of the text, of its form and of its meaning, in its order.
    """
    module, found = read_module(
        text, registry, file=file, first_line=first_line, allow_unregistered=allow_unregistered, verify=verify,
        folder=folder,
    )  # fmt: skip
    if found:
        raise TirErrors(found)
    return module


def read_module(
    text: str,
    registry: Registry,
    *,
    file: str = "<text>",
    first_line: int = 1,
    allow_unregistered: bool = False,
    verify: bool = False,
    folder: Path | None = None,
) -> tuple[Op, list[TirError]]:
    """The module, with an op without a name in the place of each that cannot be built, and all errors in their order."""
    with collector_relaxed():
        raw, built = _built(text, registry, file, first_line, allow_unregistered)
    ops, errors, gaps = built
    module = _module(ops, registry, raw)
    found = [*raw.errors, *errors, *_check_version(module), *load_resources(module, raw, folder)]
    if verify and not any(isinstance(error, LimitError) for error in found):
        found = _with_meaning(found, check(module, gaps if found else None, written=True))
    return module, sorted(found, key=_position)


def _built(text: str, registry: Registry, file: str, first_line: int, allow_unregistered: bool) -> tuple[RawText, Built]:
    """What is read and built. A wrong text is read again in the light of what people forget, for what its errors say."""
    for slips in (False, True):
        raw = read_text(text, file, first_line=first_line, slips=slips)
        built = build(raw, registry, allow_unregistered)
        if not (raw.errors or built[1]) or not _SLIP.search(text):
            break
    return raw, built


def _with_meaning(form: list[TirError], meaning: list[TirError]) -> list[TirError]:
    """Both kinds of errors, without those that follow from others."""
    wrong = {error.location.file_location() for error in meaning if error.location is not None}
    kept = [error for error in form if not (isinstance(error, MisusedValue) and error.follows_from(wrong))]
    places = {_position(error) for error in kept}
    return kept + [error for error in meaning if _position(error) not in places]


def parse_file(path: str | Path, registry: Registry, *, allow_unregistered: bool = False, verify: bool = True) -> Op:
    """The module in a file. TirError if the file cannot be read or is not UTF-8."""
    text = read_source(path)
    return parse_text(
        text, registry, file=str(path), allow_unregistered=allow_unregistered, verify=verify, folder=folder_of(path)
    )


def folder_of(path: str | Path) -> Path:
    """The folder of a module's side files; of a link that of the file itself."""
    return Path(path).resolve().parent


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
