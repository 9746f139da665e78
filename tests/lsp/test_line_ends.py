"""Files with other line ends, and with a byte order mark, mean what they mean without."""

from __future__ import annotations

import pytest

from tests.lsp.texts import EXAMPLES
from tir.lsp.diagnostics import findings
from tir.lsp.document import Document
from tir.lsp.hover import hover
from tir.lsp.outline import outline

DIGITS = next(path for path in EXAMPLES if path.name == "digits.tir")
TEXT = DIGITS.read_text(encoding="utf-8").replace("tir.dot %x, %w ", "tir.dot %x, %ww ", 1)


@pytest.mark.parametrize("change", [lambda t: t.replace("\n", "\r\n"), lambda t: "\ufeff" + t], ids=["crlf", "bom"])
@pytest.mark.parametrize("text", [TEXT, "%x = no.op\n" + TEXT], ids=["example", "first line"])
def test_mistakes_hover_and_outline_are_the_same(text: str, change: object) -> None:
    plain, changed = Document(text), Document(change(text))  # type: ignore[operator]
    seen = [[document.text_of(one.span) for one in findings(document)] for document in (plain, changed)]
    assert seen[0] == seen[1] and seen[0][-1] == "%ww"
    assert [one.name for one in outline(plain)] == [one.name for one in outline(changed)]
    shown = [hover(document, document.text.index("%ww") - 4) for document in (plain, changed)]
    assert shown[0] is not None and shown[1] is not None and shown[0].text == shown[1].text
