"""The shape of a file: its symbols for the outline, and what can be folded."""

from __future__ import annotations

from dataclasses import dataclass, field

from tir.ir.traits import FunctionLike, Symbol, SymbolTable
from tir.lsp.document import Document, Part
from tir.lsp.names import Definition
from tir.lsp.positions import Span
from tir.lsp.structure import Area, Statement

__all__ = ["Entry", "Fold", "folds", "outline"]


@dataclass
class Entry:
    """A line of the outline. kind: a name of the protocol's kinds of symbol; span: all of it; name_span: its name."""

    name: str
    kind: str
    detail: str
    span: Span
    name_span: Span
    children: list[Entry] = field(default_factory=list)


@dataclass
class Fold:
    """A piece that can be folded away, from the end of its first line on. kind: "region" or "comment"."""

    span: Span
    kind: str


def outline(document: Document) -> list[Entry]:
    """Modules, functions, global variables and aliases, with the blocks and the ops with regions inside functions."""
    return [entry for place in document.places for entry in _entries(place.part, place.start)]


def _entries(part: Part, shift: int) -> list[Entry]:
    symbols = {
        id(one.statement): one for one in part.names.definitions if one.kind == "symbol"
    }
    top: list[Entry] = []
    made: dict[int, list[Entry]] = {id(part.structure.top): top}
    for statement in part.structure.statements:  # in the order of the text: what is around comes first
        siblings = made.get(id(statement.parent), top)
        entry = _entry(part, statement, symbols.get(id(statement)), shift)
        if entry is not None:
            siblings.append(entry)
        for area in statement.areas:
            made[id(area)] = entry.children if entry is not None else siblings
    return top


def _entry(part: Part, statement: Statement, symbol: Definition | None, shift: int) -> Entry | None:
    if statement.name_span is None:
        return None
    span = Span(statement.start, statement.end).shifted(shift)
    name_span = (symbol.span if symbol is not None else statement.name_span).shifted(shift)
    detail = part.text[statement.start : statement.head_end].partition("\n")[0].rstrip(" {")
    if symbol is not None or statement.has(SymbolTable):
        name = symbol.name if symbol is not None else statement.name
        return Entry(name, _symbol_kind(statement), detail, span, name_span)
    if statement.kind != "op":
        return Entry(statement.name, "key" if statement.kind == "label" else "constant", detail, span, name_span)
    if statement.areas:
        return Entry(statement.name, "namespace", detail, span, name_span)
    return None


def _symbol_kind(statement: Statement) -> str:
    if statement.has(FunctionLike):
        return "function"
    return "variable" if statement.has(Symbol) else "module"


def folds(document: Document) -> list[Fold]:
    """Regions, and comments of several lines."""
    found = []
    for place in document.places:
        structure = place.part.structure
        areas: list[Area] = [area for statement in structure.statements for area in statement.areas]
        found += [Fold(Span(area.start, area.end).shifted(place.start), "region") for area in areas]
        found += [Fold(span.shifted(place.start), "comment") for span in _comments(place.part)]
    return [fold for fold in found if "\n" in document.text_of(fold.span)]


def _comments(part: Part) -> list[Span]:
    """Runs of comment lines."""
    runs: list[Span] = []
    for token in part.structure.tokens:
        if token.kind != "comment" or not token.fresh:
            continue
        if runs and part.text[runs[-1].end : token.start].strip(" \t\r") == "\n":
            runs[-1] = Span(runs[-1].start, token.end)
        else:
            runs.append(token.span)
    return runs
