"""What stands on the nodes and edges of a picture: text that stays text, whatever a program puts into its names."""

from __future__ import annotations

import re

from tir.dialects.tir.state import Read, Shared, Update
from tir.ir.attributes import Attribute, DenseAttr
from tir.ir.errors import escape_controls
from tir.ir.ir import Op, UnregisteredOp
from tir.ir.printer import print_op
from tir.ir.traits import ConstantLike, Terminator
from tir.ir.types import TensorType, Type

__all__ = [
    "MONO", "STATE", "colours_of", "constant_text", "cut", "details_of", "html", "is_state", "op_label", "quoted",
    "type_text",
]  # fmt: skip

MAX_DETAIL = 48  # characters of an attribute, a type or a name

# Said by the picture itself, or by nobody: names stand on boxes, types on edges, the rest is how operands are counted.
HIDDEN = frozenset(("sym_name", "function_type", "operandSegmentSizes", "resultSegmentSizes", "sym_visibility"))

# Fill and line by dialect. They keep their distance for people who see few colours, and on paper.
COLOURS = {
    "tir": ("#e8f0fe", "#3f6fd1"), "linalg": ("#e6f4ea", "#2e8b57"), "tensor": ("#e6f4ea", "#2e8b57"),
    "arith": ("#fef7e0", "#b58900"), "math": ("#fdebd8", "#c46a14"), "scf": ("#f3e8fd", "#8249c4"),
    "cf": ("#f3e8fd", "#8249c4"), "memref": ("#fce8e6", "#c5463b"), "vector": ("#e0f5f5", "#178a8a"),
    "func": ("#eceff3", "#5b6676"),
}  # fmt: skip
OTHER = ("#f1f3f5", "#6b7380")
STATE = ("#ffe7b8", "#b07a00")
# Strings are whole, so that nothing in them counts; `->` is no bracket.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|->| : |%[\w$.#-]+|[^"%]')
_EMPTY = re.compile(r"\([\s,]*\)|\[\s*,[\s,]*\]|(?<=\w)\[\s*\]|^\s*\[\s*\]|,(?=\s*,)|,(?=\s*[)\]])|(?<=[(\[])\s*,")
_WRAPPED = re.compile(r"affine_map<(?P<inside>(?:->|[^<>])*)>|#linalg\.iterator_type<(?P<kind>\w+)>")
# The backslash twice: Graphviz puts the name of the node in place of `\N`, and one backslash in place of two.
_ENTITIES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#39;"), ("\\", "&#92;&#92;"))
MONO = "DejaVu Sans Mono,Menlo,Consolas,monospace"


def html(text: str) -> str:
    """`text` in a label between angle brackets: nothing of it is markup, and every character can be shown."""
    escaped = escape_controls(text.replace("\t", " "))
    for mark, entity in _ENTITIES:
        escaped = escaped.replace(mark, entity)
    return escaped


def quoted(text: str) -> str:
    """`text` as a string in quotes, in which Graphviz finds neither escapes nor entities."""
    escaped = escape_controls(text.replace("\t", " ")).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")
    return f'"{escaped}"'


def cut(text: str, length: int = MAX_DETAIL) -> str:
    """At most `length` characters of `text`."""
    return text if len(text) <= length else f"{text[: length - 3]}..."


def type_text(type: Type) -> str:
    """A type as an edge shows it: of a tensor only sizes and elements."""
    text = str(type)
    return cut(text[len("tensor<") : -1] if isinstance(type, TensorType) else text)


def constant_text(op: Op) -> str:
    """The value of a constant; an op without one is called by its name."""
    value = op.properties.get("value")
    return _attribute_text(value) if value is not None else cut(op.name)


def is_state(op: Op) -> bool:
    """A shared variable, or what reads or updates one."""
    return isinstance(op, (Shared, Read, Update))


def colours_of(op: Op) -> tuple[str, str]:
    """Fill and line."""
    return STATE if is_state(op) else COLOURS.get(op.name.partition(".")[0], OTHER)


def op_label(op: Op, is_open: bool) -> str:
    """The name of the op, those of its results, what its text says besides, and of a closed one what is inside."""
    label = f"<b>{html(cut(op.name))}</b>"
    if hints := [f"%{result.hint}" for result in op.results if result.hint]:
        label += f'  <font color="#5b6676" face="{MONO}" point-size="9">{html(cut(", ".join(hints)))}</font>'
    details = [f"@{op.sym_name} : {op.type}"] if isinstance(op, Shared) else details_of(op)
    if op.regions and not is_open and (inside := _inside_text(op)):
        details.append(inside)
    return label + "".join(f'<br/><font color="#4a5464" point-size="9">{html(one)}</font>' for one in details)


def details_of(op: Op) -> list[str]:
    """What the text of the op says besides names and types: `over [0]`, `eq`, `@w`. Of an op with regions, attributes."""
    if not op.regions and not op.successors and not isinstance(op, UnregisteredOp):
        found = _without_values(_short_text(op))
        return [cut(found)] if found else []
    shown = [(name, str(value)) for name, value in op.properties.items() if name not in HIDDEN]
    shown = [(name, _WRAPPED.sub(lambda found: found["inside"] or found["kind"], text)) for name, text in shown]
    return [cut(f"{name}: {text}") for name, text in shown if not text.endswith("<none>")]


def _inside_text(op: Op) -> str:
    """The ops inside an op that is drawn closed, by their short names: `mulf, addf`."""
    inner = [one for one in op.walk() if one is not op and not isinstance(one, (ConstantLike, Terminator))]
    return cut(", ".join(one.name.rpartition(".")[2] for one in inner))


def _short_text(op: Op) -> str:
    """The text of the op behind its name, up to the types."""
    line = print_op(op).strip()
    start = re.match(r"(?:%[^=]* = )?[\w.]+", line)
    rest = line[start.end() :] if start else line
    depth = 0
    for token in _TOKEN.finditer(rest):
        depth += (token[0] in "([{<") - (token[0] in ")]}>")
        if token[0] == " : " and depth <= 0:
            return rest[: token.start()]
    return rest


def _without_values(text: str) -> str:
    """The text without `%value`, and without the commas and brackets that are empty then."""
    kept = _TOKEN.sub(lambda token: "" if token[0].startswith("%") else token[0], text)
    while (shorter := _EMPTY.sub("", kept)) != kept:
        kept = shorter
    words = " ".join(kept.split()).strip(" ,")
    return words if re.search(r"\w", words) else ""


def _attribute_text(attribute: Attribute) -> str:
    if isinstance(attribute, DenseAttr) and not attribute.is_splat and attribute.type.count > 8:
        return f"dense<{attribute.type.count} elements>"
    return cut(str(attribute))
