"""What an editor shows where the pointer rests: an op's documentation, a value's type and sizes, a pass, a symbol."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tir.dialects.all import REGISTRY
from tir.ir.affine import AffineExpr
from tir.ir.attributes import ArrayAttr, DictAttr
from tir.ir.ir import BlockArgument, Op, Value
from tir.ir.names import argument_bindings
from tir.ir.traits import FunctionLike
from tir.ir.types import ShapedType, shape_names
from tir.lsp.catalogue import FACTS, attribute_text, op_text, pass_text
from tir.lsp.document import Document, Part
from tir.lsp.names import Definition, Occurrence
from tir.lsp.positions import Span
from tir.lsp.scan import Token
from tir.lsp.structure import Statement
from tir.passes.pipelines import ALL

__all__ = ["Hover", "hover", "pass_at", "type_text"]

_PASS_NAME = re.compile(r"[A-Za-z][\w-]*")
_MAX_SIGNATURE = 4000


@dataclass
class Hover:
    """Markdown about a piece of the text."""

    span: Span
    text: str


def hover(document: Document, offset: int) -> Hover | None:
    """What there is to say about what stands at `offset`; None if nothing."""
    place = document.place_at(offset)
    part, at = place.part, offset - place.start
    found = _comment(part, at) or _name(part, at) or _word(part, at)
    return Hover(found.span.shifted(place.start), found.text) if found is not None else None


# --- passes in comments ----------------------------------------------------------------------------------------------


def _comment(part: Part, at: int) -> Hover | None:
    token = part.token_at(at)
    if token is None or token.kind != "comment":
        return None
    found = pass_at(token.text, at - token.start)
    return Hover(found.shifted(token.start), pass_text(token.text[found.start : found.end])) if found is not None else None


def pass_at(comment: str, at: int) -> Span | None:
    """The name of a pass at `at` in a comment with a command of tir-opt: a flag, or a word of a pipeline."""
    for word in _PASS_NAME.finditer(comment):
        if word.start() <= at <= word.end() and word[0] in ALL:
            is_flag = comment.endswith("--", 0, word.start())
            if is_flag or "--pass-pipeline=" in comment[: word.start()]:
                return Span(*word.span())
    return None


# --- names -----------------------------------------------------------------------------------------------------------


def _name(part: Part, at: int) -> Hover | None:
    occurrence = part.names.at(at)
    if occurrence is None:
        return None
    texts = {"value": _value, "block": _block, "symbol": _symbol, "alias": _alias, "size": _size}
    return Hover(occurrence.span, texts[occurrence.definition.kind](part, occurrence))


def type_text(part: Part, definition: Definition, number: int = 0) -> str:
    """The type of a value, or nothing if it is not known."""
    value = part.value_of(Occurrence(definition, definition.span, number))
    return str(value.type) if value is not None else ""


def _value(part: Part, occurrence: Occurrence) -> str:
    definition, number = occurrence.definition, occurrence.number
    value = part.value_of(occurrence)
    name = f"{definition.name}#{number}" if definition.count > 1 else definition.name
    if value is None:
        return f"{_code(name)}\n\n{_home(definition, number)}"
    lines = [_code(f"{name} : {value.type}"), "", _home(definition, number)]
    return "\n".join([*lines, *_facts(value), *_sizes(value)])


def _home(definition: Definition, number: int) -> str:
    """Which op or block has the value."""
    statement = definition.statement
    if definition.result is not None:
        several = sum(count for _, count in statement.results) > 1
        which = f"result {definition.result + number}" if several else "result"
        return f"{which} of `{statement.name or 'an op that cannot be read'}`"
    if statement.kind == "label":
        return f"argument of block `{statement.name}`"
    symbol = next((token.text for token in statement.own if token.kind == "symbol"), "")
    return f"argument of `{statement.name}{' ' + symbol if symbol else ''}`"


def _facts(value: Value) -> list[str]:
    """What the function says about its argument."""
    if not isinstance(value, BlockArgument):
        return []
    around = value.owner.parent_op
    attrs = around.properties.get("arg_attrs") if isinstance(around, FunctionLike) else None
    said = attrs.items[value.index] if isinstance(attrs, ArrayAttr) and value.index < len(attrs.items) else None
    entries = said.entries if isinstance(said, DictAttr) else ()
    return ["", *(f"- `{name} = {fact}`" for name, fact in dict(entries).items())] if entries else []


def _sizes(value: Value) -> list[str]:
    """Where each size with a name comes from."""
    if not isinstance(value.type, ShapedType) or not shape_names(value.type.shape):
        return []
    around = value.op or (value.block.parent_op if value.block is not None else None)
    bound = argument_bindings(around) if around is not None else {}
    lines = [""]
    for axis, dim in enumerate(value.type.shape):
        if isinstance(dim, AffineExpr):
            names = sorted(shape_names([dim]), key=str)
            origins = [f"`{one}` is axis {bound[one][1]} of `%{bound[one][0].hint}`" for one in names if one in bound]
            lines.append(f"- axis {axis}: `[{dim}]`" + (f", where {' and '.join(origins)}" if origins else ""))
    return lines


def _block(part: Part, occurrence: Occurrence) -> str:
    definition = occurrence.definition
    count = len(definition.uses)
    return f"{_code(_head(part, definition.statement))}\n\n{count} branch{'es' if count != 1 else ''} to this block"


def _symbol(part: Part, occurrence: Occurrence) -> str:
    statement = occurrence.definition.statement
    above = _comment_above(part, statement)
    return _code(_head(part, statement)) + (f"\n\n{above}" if above else "")


def _alias(part: Part, occurrence: Occurrence) -> str:
    return _code(_head(part, occurrence.definition.statement))


def _size(part: Part, occurrence: Occurrence) -> str:
    """The argument that has the size."""
    definition = occurrence.definition
    op = part.op_of(definition.statement)
    function = op if isinstance(op, FunctionLike) and op.regions[0].blocks else None
    origin = ""
    if function is not None:
        bound = {str(name): place for name, place in argument_bindings(function).items()}
        if definition.name in bound:
            argument, axis = bound[definition.name]
            origin = f"axis {axis} of argument `%{argument.hint} : {argument.type}`"
    return f"size `{definition.name}`" + (f": {origin}" if origin else "")


# --- words -----------------------------------------------------------------------------------------------------------


def _word(part: Part, at: int) -> Hover | None:
    """The name of an op, an attribute or a fact."""
    statement, token = part.statement_at(at), part.token_at(at)
    if statement is None or token is None:
        return None
    if statement.name_span is not None and statement.name_span.start <= at <= statement.name_span.end:
        cls = REGISTRY.op_class(statement.name)
        if cls is None:
            return None
        return Hover(statement.name_span, _signature(part, statement) + op_text(cls))
    if token.kind != "word":
        return None
    text = FACTS.get(token.text)
    if text is None and statement.op_class is not None:
        text = attribute_text(statement.op_class, token.text)
        return Hover(token.span, text) if text is not None else None
    return Hover(token.span, f"`{token.text}`: {text}") if text is not None else None


def _signature(part: Part, statement: Statement) -> str:
    """The types that this op takes and makes."""
    op: Op | None = part.op_of(statement)
    if op is None or not (op.operands or op.results):
        return ""
    operands = ", ".join(str(value.type) for value in op.operands)
    results = ", ".join(str(value.type) for value in op.results)
    return _code(f"{op.name} : ({operands}) -> {results if len(op.results) == 1 else f'({results})'}") + "\n\n"


# --- helpers ---------------------------------------------------------------------------------------------------------


def _code(text: str) -> str:
    text = text if len(text) <= _MAX_SIGNATURE else text[:_MAX_SIGNATURE] + " ..."
    fence = "```" if "```" not in text else "````````"
    return f"{fence}tir\n{text}\n{fence}"


def _head(part: Part, statement: Statement) -> str:
    """The text of a statement without its regions."""
    return part.text[statement.start : statement.head_end].rstrip()


def _comment_above(part: Part, statement: Statement) -> str:
    """The comment lines that end on the line above a statement."""
    lines: list[str] = []
    expected = part.text.rfind("\n", 0, statement.start) + 1
    comments: list[Token] = [token for token in part.structure.tokens if token.kind == "comment" and token.fresh]
    for token in reversed([token for token in comments if token.end < statement.start]):
        if token.end + 1 != expected and part.text[token.end : expected].strip(" \t\r") != "\n":
            break
        lines.append(token.text.lstrip("/").removeprefix(" ").rstrip())
        expected = part.text.rfind("\n", 0, token.start) + 1
    return "\n".join(reversed(lines))
