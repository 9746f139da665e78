"""Our answers in the words of the language server protocol."""

from __future__ import annotations

from collections.abc import Iterable

from lsprotocol import types as lsp

from tir.lsp.completion import MAX_VALUES, Item, complete
from tir.lsp.diagnostics import Finding, findings
from tir.lsp.document import Document
from tir.lsp.hover import hover
from tir.lsp.names import Occurrence
from tir.lsp.outline import Entry, folds, outline
from tir.lsp.positions import Span
from tir.lsp.rename import rename, renamed_span

__all__ = [
    "code_actions", "completions", "definition", "diagnostics", "folding_ranges", "highlights", "hover_text",
    "prepared_rename", "references", "renamed", "symbols",
]  # fmt: skip

_ITEM_KINDS = {
    "method": lsp.CompletionItemKind.Method, "variable": lsp.CompletionItemKind.Variable,
    "function": lsp.CompletionItemKind.Function, "reference": lsp.CompletionItemKind.Reference,
    "constant": lsp.CompletionItemKind.Constant, "keyword": lsp.CompletionItemKind.Keyword,
    "property": lsp.CompletionItemKind.Property, "type": lsp.CompletionItemKind.Struct,
    "enumMember": lsp.CompletionItemKind.EnumMember,
}  # fmt: skip
_SYMBOL_KINDS = {
    "module": lsp.SymbolKind.Module, "function": lsp.SymbolKind.Function, "variable": lsp.SymbolKind.Variable,
    "constant": lsp.SymbolKind.Constant, "key": lsp.SymbolKind.Key, "namespace": lsp.SymbolKind.Namespace,
}  # fmt: skip


def _offset(document: Document, position: lsp.Position) -> int:
    return document.lines.offset(position.line, position.character)


def _range(document: Document, span: Span) -> lsp.Range:
    start, end = document.lines.position(span.start), document.lines.position(span.end)
    return lsp.Range(lsp.Position(*start), lsp.Position(*end))


def diagnostics(document: Document, uri: str) -> list[lsp.Diagnostic]:
    """All mistakes of the text."""
    return [_diagnostic(document, uri, one) for one in findings(document)]


def _diagnostic(document: Document, uri: str, one: Finding) -> lsp.Diagnostic:
    related = [
        lsp.DiagnosticRelatedInformation(lsp.Location(uri, _range(document, span)), text) for span, text in one.notes
    ]
    return lsp.Diagnostic(
        _range(document, one.span), one.message, lsp.DiagnosticSeverity.Error, source="tir",
        related_information=related or None,
    )  # fmt: skip


def code_actions(document: Document, uri: str, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
    """What the hints of the mistakes in the range suggest."""
    start, end = _offset(document, params.range.start), _offset(document, params.range.end)
    actions = []
    for one in findings(document):
        if one.fix is None or one.span.start > end or one.span.end < start:
            continue
        edit = lsp.TextEdit(_range(document, one.fix.span), one.fix.text)
        actions.append(
            lsp.CodeAction(
                f"Change to {one.fix.text}", lsp.CodeActionKind.QuickFix, [_diagnostic(document, uri, one)],
                is_preferred=True, edit=lsp.WorkspaceEdit({uri: [edit]}),
            )
        )  # fmt: skip
    return actions


def hover_text(document: Document, position: lsp.Position) -> lsp.Hover | None:
    """What an editor shows where the pointer rests."""
    found = hover(document, _offset(document, position))
    if found is None:
        return None
    return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, found.text), _range(document, found.span))


def completions(document: Document, position: lsp.Position) -> lsp.CompletionList:
    """What may be typed here. Documentation is asked for item by item."""
    items = complete(document, _offset(document, position))
    more = sum(one.kind == "variable" for one in items) >= MAX_VALUES
    return lsp.CompletionList(more, [_item(document, one) for one in items])


def _item(document: Document, one: Item) -> lsp.CompletionItem:
    return lsp.CompletionItem(
        one.text, kind=_ITEM_KINDS[one.kind], detail=one.detail or None, sort_text=f"{one.order:05}{one.text}",
        filter_text=one.other_name or None,
        text_edit=lsp.TextEdit(_range(document, one.span), one.text),
    )  # fmt: skip


# --- names -----------------------------------------------------------------------------------------------------------


def _occurrence(document: Document, position: lsp.Position) -> tuple[Occurrence, int] | None:
    """The name at a position, and where its part begins."""
    offset = _offset(document, position)
    place = document.place_at(offset)
    found = place.part.names.at(offset - place.start)
    return (found, place.start) if found is not None else None


def definition(document: Document, uri: str, position: lsp.Position) -> lsp.Location | None:
    """Where what is named here is defined."""
    found = _occurrence(document, position)
    if found is None:
        return None
    occurrence, start = found
    return lsp.Location(uri, _range(document, occurrence.definition.span.shifted(start)))


def references(document: Document, uri: str, position: lsp.Position, with_definition: bool) -> list[lsp.Location]:
    """All places of what is named here."""
    found = _occurrence(document, position)
    if found is None:
        return []
    occurrence, start = found
    spans = occurrence.definition.spans if with_definition else sorted(occurrence.definition.uses)
    return [lsp.Location(uri, _range(document, span.shifted(start))) for span in spans]


def highlights(document: Document, position: lsp.Position) -> list[lsp.DocumentHighlight]:
    """The places of what is named here, its definition as a place that writes."""
    found = _occurrence(document, position)
    if found is None:
        return []
    one, start = found[0].definition, found[1]
    kinds = lsp.DocumentHighlightKind
    return [
        lsp.DocumentHighlight(_range(document, span.shifted(start)), kinds.Write if span == one.span else kinds.Read)
        for span in one.spans
    ]


def prepared_rename(document: Document, position: lsp.Position) -> lsp.Range | None:
    """The name that `renamed` would change."""
    span = renamed_span(document, _offset(document, position))
    return _range(document, span) if span is not None else None


def renamed(document: Document, uri: str, position: lsp.Position, new: str) -> lsp.WorkspaceEdit:
    """The changes that give the name here a new one. TirError says why not."""
    changes = rename(document, _offset(document, position), new)
    return lsp.WorkspaceEdit({uri: [lsp.TextEdit(_range(document, span), text) for span, text in changes]})


# --- the shape of the file -------------------------------------------------------------------------------------------


def symbols(document: Document) -> list[lsp.DocumentSymbol]:
    """The outline."""
    top = outline(document)
    made = {id(entry): _symbol(document, entry) for entry in _all_entries(top)}
    for entry in _all_entries(top):
        made[id(entry)].children = [made[id(child)] for child in entry.children]
    return [made[id(entry)] for entry in top]


def _all_entries(top: list[Entry]) -> Iterable[Entry]:
    pending = list(top)
    while pending:
        entry = pending.pop()
        pending += entry.children
        yield entry


def _symbol(document: Document, entry: Entry) -> lsp.DocumentSymbol:
    return lsp.DocumentSymbol(
        entry.name, _SYMBOL_KINDS[entry.kind], _range(document, entry.span), _range(document, entry.name_span),
        detail=entry.detail,
    )  # fmt: skip


def folding_ranges(document: Document) -> list[lsp.FoldingRange]:
    """What can be folded; the closing brace of a region stays."""
    found = []
    for fold in folds(document):
        first, last = document.lines.position(fold.span.start)[0], document.lines.position(fold.span.end)[0]
        is_comment = fold.kind == "comment"
        last -= 0 if is_comment else 1
        if last > first:
            kind = lsp.FoldingRangeKind.Comment if is_comment else lsp.FoldingRangeKind.Region
            found.append(lsp.FoldingRange(first, last, kind=kind))
    return found
