"""The outline of a file, and what can be folded."""

from __future__ import annotations

from tir.lsp.document import Document
from tir.lsp.outline import folds, outline

TEXT = """// First line,
// second line.
tir.shared @w : tensor<f32> = dense<0.0>
!t = f32
module @inner {
  func.func @f(%c: i1) {
    scf.if %c {
      cf.assert %c, "no"
    }
    return
  }
}
// -----
func.func @g() {
  return
^bb1:
  return
}
"""


def test_outline_has_symbols_aliases_blocks_and_ops_with_regions() -> None:
    top = outline(Document(TEXT))
    assert [(one.name, one.kind) for one in top] == [
        ("@w", "variable"), ("!t", "constant"), ("@inner", "module"), ("@g", "function")
    ]  # fmt: skip
    (inner,) = top[2].children
    assert (inner.name, inner.kind) == ("@f", "function")
    assert [(one.name, one.kind) for one in inner.children] == [("scf.if", "namespace")]
    assert [one.name for one in top[3].children] == ["^bb1"]
    assert top[0].detail == "tir.shared @w : tensor<f32> = dense<0.0>"


def test_entries_hold_their_names_and_children() -> None:
    document = Document(TEXT)
    pending = outline(document)
    while pending:
        entry = pending.pop()
        assert entry.span.start <= entry.name_span.start <= entry.name_span.end <= entry.span.end
        assert document.text_of(entry.name_span) in (entry.name, "scf.if")
        for child in entry.children:
            assert entry.span.start <= child.span.start <= child.span.end <= entry.span.end
        pending += entry.children


def test_regions_and_comments_of_several_lines_can_be_folded() -> None:
    document = Document(TEXT)
    found = [(one.kind, document.text_of(one.span).split("\n")[0]) for one in folds(document)]
    assert sorted(found) == [
        ("comment", "// First line,"), ("region", "{"), ("region", "{"), ("region", "{"), ("region", "{")
    ]  # fmt: skip
