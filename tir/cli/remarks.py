"""Remarks of passes (`tir/ir/remarks.py`), as sentences or as LLVM's YAML (what `opt-viewer` and its kin read)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tir.cli.common import write_output
from tir.ir.errors import Renderer
from tir.ir.remarks import Remark

__all__ = ["text_line", "text_maker", "write_remarks", "yaml_text"]


def text_maker(form: str, colour: bool = False) -> Callable[[Remark], str]:
    """What makes the text of a remark. form: text or yaml."""
    return yaml_text if form == "yaml" else lambda remark: text_line(remark, colour)


def write_remarks(found: Iterable[Remark], file: str, form: str) -> None:
    """Writes remarks to a file, which is there whole or not at all."""
    write_output("".join(map(text_maker(form), found)), file)


def text_line(remark: Remark, colour: bool = False) -> str:
    """`file:line:col: remark: the sentence`."""
    where = remark.location.file_location()
    return Renderer(colour=colour).head(str(where) if where is not None else "", "remark", remark.text) + "\n"


def yaml_text(remark: Remark) -> str:
    """One document in the form of LLVM's -fsave-optimization-record."""
    where = remark.location.file_location()
    lines = [f"--- !{remark.kind.capitalize()}", _entry("Pass", _quoted(remark.pass_name)), _entry("Name", remark.name)]
    if where is not None:
        place = f"File: {_quoted(where.file)}, Line: {where.line}, Column: {where.column}"
        lines.append(_entry("DebugLoc", f"{{ {place} }}"))
    lines.append(_entry("Function", _quoted(remark.function)))
    lines += ["Args:", f"  - {_entry('String', _quoted(remark.text))}", "...", ""]
    return "\n".join(lines)


def _entry(key: str, value: str) -> str:
    return f"{key + ':':16} {value}"


def _quoted(text: str) -> str:
    """A YAML scalar that is `text`: in single quotes if it is printable ASCII, else in double quotes with escapes."""
    if text.isascii() and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else _escaped(c) for c in text) + '"'


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02X}" if code < 0x100 else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"
