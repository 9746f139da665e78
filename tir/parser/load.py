"""Resources in place of their keys: `dense_resource<w>` becomes the constant that the file's metadata has for `w`."""

from __future__ import annotations

from pathlib import Path

from tir.ir.attributes import DenseAttr, DenseResourceAttr
from tir.ir.errors import Location, ParseError, TirError
from tir.ir.ir import Op
from tir.parser.raw import RawText
from tir.parser.side_files import read_constant

__all__ = ["load_resources"]


def load_resources(module: Op, raw: RawText, folder: Path | None) -> list[TirError]:
    """Replaces each key that has bytes or a side file; the errors found. A key that has neither stays."""
    errors: list[TirError] = []
    if not raw.resources and not raw.side_files:
        return errors
    for op in module.walk():
        for name, value in op.properties.items():
            if isinstance(value, DenseResourceAttr):
                try:
                    op.set_property(name, _constant(value, raw, folder, op.location))
                except TirError as error:
                    error.location = error.location or op.location
                    errors.append(error)
    return errors


def _constant(
    value: DenseResourceAttr, raw: RawText, folder: Path | None, location: Location
) -> DenseAttr | DenseResourceAttr:
    key = value.key_name
    if key in raw.resources:
        try:
            return DenseAttr(value.type, raw.resources[key])
        except TirError as error:
            raise ParseError(f"resource '{key}': {error.message}", location) from None
    if key not in raw.side_files:
        return value
    path, pos = raw.side_files[key]
    if folder is None:
        raise ParseError(f"side file {path!r}: only a module in a file has side files", raw.location(pos))
    try:
        return read_constant(folder, path, value.type)
    except TirError as error:
        raise ParseError(error.message, raw.location(pos)) from None
