"""What may be typed at a place of a text: ops, values, symbols, types, attributes, passes."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache

from tir.dialects.all import REGISTRY
from tir.ir.fields import AttributeField
from tir.ir.pass_options import pass_options
from tir.ir.synonyms import OPS
from tir.ir.traits import FunctionLike
from tir.ir.types import TYPE_NAMES
from tir.lsp.catalogue import FACTS, attribute_text, op_summary, pass_summary
from tir.lsp.document import Document, Part
from tir.lsp.hover import type_text
from tir.lsp.names import Definition, Occurrence
from tir.lsp.positions import Span
from tir.lsp.structure import Statement
from tir.passes.pipelines import ALL

__all__ = ["MAX_VALUES", "Item", "complete"]

MAX_VALUES = 200  # of more the nearest are offered, until a letter more is typed
_MAX_TYPES = 50
_NAME = re.compile(r"(?:%[\w$.-]*(?:#[0-9]*)?|[\^@#!][\w$.-]*|[A-Za-z_][\w$.]*)$", re.ASCII)
_OP_PLACE = re.compile(r"\s*(?:%[\w$.-]+(?::[0-9]+)?(?:\s*,\s*%[\w$.-]+(?::[0-9]+)?)*\s*=\s*)?\"?", re.ASCII)
_SIZES = r"(?:tensor|memref|vector)\s*<(?:(?:[0-9]+|\?|\[[^\[\]<>]*\])\s*x\s*)*"
_ELEMENT = re.compile(_SIZES + r"([A-Za-z]\w*)?$", re.ASCII)  # where the element type of a shaped type stands
_IN_SIZE = re.compile(_SIZES + r"\[[^\[\]<>]*?([A-Za-z_]\w*)?$", re.ASCII)
_FORM_WORD = re.compile(r"`([A-Za-z_][\w-]*)`")
_PASS_FLAG = re.compile(r"--([A-Za-z][\w-]*)?$")
_PASS_STEP = re.compile(r"--pass-pipeline=['\"]?(?:[^'\"]*[(,])?\s*([\w-]*)$")
_PASS_OPTIONS = re.compile(r"([A-Za-z][\w-]*)(?:=\{?|\{)(?:[\w.=-]*[ ,])*([\w-]*)$")
_COMMANDS = re.compile(r"//\s*(?:RUN:|.*\btir-opt\b)|//\s+.*--")


@dataclass
class Item:
    """One completion: `text` takes the place of `span`. kind: a name of the protocol's kinds of completion.

    order: completions with a smaller one come first. other_name: what may be typed to find it, in place of `text`.
    """

    text: str
    kind: str
    span: Span
    detail: str = ""
    order: int = 0
    other_name: str = ""


def complete(document: Document, offset: int) -> list[Item]:
    """What may stand at `offset`, where a word may have been begun. The editor picks those that fit the word."""
    place = document.place_at(offset)
    return [
        replace(one, span=one.span.shifted(place.start))
        for one in _complete(place.part, offset - place.start)
    ]


def _complete(part: Part, at: int) -> Iterable[Item]:
    line = part.text[part.text.rfind("\n", 0, at) + 1 : at]
    token = next((one for one in part.tokens_before(at - 1)), None) if at else None
    if token is not None and token.kind == "comment" and at <= token.end:
        return _in_comment(part.text[token.start : at], at)
    for pattern, make in ((_ELEMENT, _scalars), (_IN_SIZE, _sizes)):
        if (found := pattern.search(line)) is not None:
            return make(part, Span(at - len(found[1] or ""), at))
    begun = _NAME.search(line)
    word = begun[0] if begun is not None else ""
    span = Span(at - len(word), at)
    if word[:1] in _BY_SIGIL and word:
        return _BY_SIGIL[word[0]](part, span, word)
    ahead = line[: len(line) - len(word)]
    if token is not None and token.kind == "string" and token.start < at and not ahead.endswith('"'):
        return []
    statement = _statement_before(part, span.start)
    if _is_op_place(part, statement, ahead, span.start):
        return _ops(span, word)
    if ahead.endswith('"'):
        return []
    return _in_statement(part, statement, ahead, span)


def _statement_before(part: Part, at: int) -> Statement | None:
    """The statement that goes on at `at`: the last that begins before it, in the same region."""
    statements = part.area_at(at).statements
    index = bisect_left(statements, at, key=lambda one: one.start)
    return statements[index - 1] if index else None


# --- comments: passes and their options ------------------------------------------------------------------------------


def _in_comment(text: str, at: int) -> Iterator[Item]:
    if not _COMMANDS.match(text):
        return
    options = _PASS_OPTIONS.search(text)
    if options is not None and options[1] in ALL:
        for option, value in pass_options(ALL[options[1]]).items():
            span = Span(at - len(options[2]), at)
            yield Item(f"{option}=", "property", span, f"{str(value).lower()} if not given")
        return
    flag = _PASS_FLAG.search(text) or _PASS_STEP.search(text)
    if flag is not None:
        for name in ALL:
            yield Item(name, "function", Span(at - len(flag[1] or ""), at), pass_summary(name))


# --- names -----------------------------------------------------------------------------------------------------------


def _values(part: Part, span: Span, word: str) -> Iterator[Item]:
    area = part.area_at(span.start)
    visible = part.names.visible(area, "value")
    name, hash, _ = word.partition("#")
    if hash and name in visible:
        yield from _numbers(part, span, visible[name])
        return
    here = _statement_before(part, span.start)
    earlier = [one for one in visible.values() if one.span.start < span.start and one.statement is not here]
    arguments = [one for one in visible.values() if one.statement is here and one.result is None]
    fitting = [one for one in (*earlier, *arguments) if one.name.startswith(word)]
    nearest_first = sorted(fitting, key=lambda one: -one.span.start)
    for order, definition in enumerate(nearest_first[:MAX_VALUES]):
        yield Item(definition.name, "variable", span, type_text(part, definition), order)


def _numbers(part: Part, span: Span, definition: Definition) -> Iterator[Item]:
    for number in range(min(definition.count, MAX_VALUES)):
        yield Item(f"{definition.name}#{number}", "variable", span, type_text(part, definition, number), number)


def _blocks(part: Part, span: Span, word: str) -> Iterator[Item]:
    for definition in part.names.visible(part.area_at(span.start), "block").values():
        yield Item(definition.name, "reference", span, _line(part, definition))


def _symbols(part: Part, span: Span, word: str) -> Iterator[Item]:
    """Functions first behind a call, other symbols first elsewhere."""
    statement = _statement_before(part, span.start)
    call = statement is not None and statement.name == "func.call"
    for definition in part.names.visible(part.area_at(span.start), "symbol").values():
        is_function = definition.statement.has(FunctionLike)
        kind = "function" if is_function else "variable"
        yield Item(part.text[slice(*definition.span)], kind, span, _line(part, definition), int(is_function != call))


def _aliases(part: Part, span: Span, word: str) -> Iterator[Item]:
    for definition in part.names.visible(part.structure.top, "alias").values():
        if definition.name[0] == word[0] and definition.span.start < span.start:
            yield Item(definition.name, "constant", span, _line(part, definition))


def _line(part: Part, definition: Definition) -> str:
    statement = definition.statement
    return part.text[statement.start : statement.head_end].partition("\n")[0].strip()


_BY_SIGIL: dict[str, Callable[[Part, Span, str], Iterator[Item]]] = {
    "%": _values, "^": _blocks, "@": _symbols, "!": _aliases, "#": _aliases,
}  # fmt: skip


# --- ops -------------------------------------------------------------------------------------------------------------


@cache
def _op_details() -> list[tuple[str, str]]:
    """All ops, each with its first sentence."""
    classes = [(name, REGISTRY.op_class(name)) for name in REGISTRY.op_names()]
    return [(name, op_summary(cls)) for name, cls in classes if cls is not None]


def _ops(span: Span, word: str) -> Iterator[Item]:
    """All ops, by the names that other frameworks have for them too; behind a dialect and a dot, those of the dialect."""
    dialect, dot, _ = word.partition(".")
    for name, summary in _op_details():
        if name.startswith(dialect + dot) or not dot:
            yield Item(name, "method", span, summary)
    if dialect == "tir" or not dot:
        for other, op in OPS.items():
            yield Item(f"tir.{op}", "method", span, f"{other} elsewhere", 1, f"tir.{other}")
    if not dot:
        yield Item("return", "keyword", span, "func.return")


def _is_op_place(part: Part, statement: Statement | None, ahead: str, at: int) -> bool:
    """An op may begin here: at the start of a line or of a region, or behind the names of its results."""
    if statement is not None and _opened(statement, at):
        return False
    start = max(ahead.rfind("{"), ahead.rfind("}")) + 1
    return _OP_PLACE.fullmatch(ahead, start) is not None


def _opened(statement: Statement, at: int) -> list[str]:
    """The brackets of the statement that are open at `at`."""
    opened: list[str] = []
    for token in statement.own:
        if token.start >= at or token.kind != "punct":
            continue
        if token.text in "([{":
            opened.append(token.text)
        elif token.text in ")]}" and opened:
            opened.pop()
    return opened


# --- inside an op ----------------------------------------------------------------------------------------------------


def _in_statement(part: Part, statement: Statement | None, ahead: str, span: Span) -> Iterable[Item]:
    """Types, sizes, words and attributes, by what stands in front."""
    before = ahead.rstrip()
    opened = _opened(statement, span.start) if statement is not None else []
    if statement is not None and opened[-1:] == ["{"] and not before.endswith(":"):
        return _entries(statement, opened, before, span)
    if before.endswith((":", "->")) or (before.endswith((",", "(")) and _in_types(part, statement, span.start)):
        return _types(part, statement, span)
    if statement is not None and statement.op_class is not None:
        return _words(statement, span)
    return []


def _in_types(part: Part, statement: Statement | None, at: int) -> bool:
    """A list of types goes on: behind the `:` of the op, and in the brackets of a function type."""
    return statement is not None and any(token.text in (":", "->") for token in statement.own if token.start < at)


def _scalars(part: Part, span: Span) -> Iterator[Item]:
    for name in TYPE_NAMES:
        if "<" not in name:
            yield Item(name, "type", span)


def _sizes(part: Part, span: Span) -> Iterator[Item]:
    """The sizes of the function at hand."""
    statement = part.statement_at(span.start)
    function = part.structure.function_of(statement) if statement is not None else None
    for definition in part.names.definitions:
        if definition.kind == "size" and definition.statement is function:
            yield Item(definition.name, "variable", span)


def _types(part: Part, statement: Statement | None, span: Span) -> Iterator[Item]:
    """The types of the operands, then others of this region, then all."""
    found: dict[str, None] = {}
    if statement is not None:
        found.update((type, None) for type in _operand_types(part, statement))
    visible = part.names.visible(part.area_at(span.start), "value").values()
    for definition in sorted(visible, key=lambda one: -one.span.start)[:_MAX_TYPES]:
        found.setdefault(type_text(part, definition))
    found.pop("", None)
    for order, text in enumerate(list(found)[:_MAX_TYPES]):
        yield Item(text, "type", span, "", order)
    for name in TYPE_NAMES:
        if name not in found:
            yield Item(name.removesuffix("..>"), "type", span, "", _MAX_TYPES)
    for definition in part.names.definitions:
        if definition.kind == "alias" and definition.name.startswith("!"):
            yield Item(definition.name, "constant", span, _line(part, definition), _MAX_TYPES)


def _operand_types(part: Part, statement: Statement) -> Iterator[str]:
    for token in statement.own:
        occurrence = part.names.occurrences.get(token.start) if token.kind == "value" else None
        if occurrence is not None and not occurrence.is_definition:
            value = part.value_of(Occurrence(occurrence.definition, occurrence.span, occurrence.number))
            if value is not None:
                yield str(value.type)


def _words(statement: Statement, span: Span) -> Iterator[Item]:
    """The words of the op's form, and those of its attributes that are one of a few words."""
    assert statement.op_class is not None
    text = getattr(statement.op_class, "format", None) or ""
    own = {token.text for token in statement.own if token.start != span.start}
    for word in dict.fromkeys(_FORM_WORD.findall(text)):
        if word not in own:
            yield Item(word, "keyword", span)
    for name, declared in statement.op_class.definition.attributes.items():
        if f"${name}" in text:
            yield from _cases(statement, name, declared, span)


def _cases(statement: Statement, name: str, declared: AttributeField, span: Span) -> Iterator[Item]:
    for case in declared.kind.cases:
        yield Item(case, "enumMember", span, f"{name} of {statement.name}")


def _entries(statement: Statement, opened: list[str], before: str, span: Span) -> Iterator[Item]:
    """In a dictionary: the names of attributes, or behind `=` what they may be."""
    cls = statement.op_class
    if cls is None:
        return
    if before.endswith(("=", "<")):
        named = re.search(r"([\w.]+)\s*=[^=]*$", before)
        if named is not None and named[1] in cls.definition.attributes:
            yield from _cases(statement, named[1], cls.definition.attributes[named[1]], span)
        return
    is_generic = statement.own[0].kind == "string"
    if statement.has(FunctionLike) and "(" in opened and not is_generic:
        for fact, text in FACTS.items():
            yield Item(fact, "property", span, text)
        return
    form = getattr(cls, "format", None) or ""
    for name in cls.definition.attributes:
        if is_generic or not re.search(rf"\${re.escape(name)}\b", form):
            yield Item(name, "property", span, attribute_text(cls, name) or "")
