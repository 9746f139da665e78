"""`explore`: the page of tir-opt --explore, with the passes of `tir.executable`."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import pytest

import tir
from tests.inspect.programs import training
from tir.inspect.pages import explore
from tir.ir.printer import print_op


def test_page_is_written_where_it_is_wanted(tmp_path: Path) -> None:
    before = print_op(training().module, locations=True)
    path = explore(training().module, tmp_path / "page.html", title="the step")
    text = Path(path).read_text(encoding="utf-8")
    assert path == str(tmp_path / "page.html")
    assert "lower-loops" in text and "softplus_by_log1p" in text and "the step" in text
    assert print_op(training().module, locations=True) == before


def test_page_without_a_path_is_a_new_file_and_can_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    small = tir.parse("func.func @f(%x: tensor<f32>) -> tensor<f32> {\n  return %x : tensor<f32>\n}")
    path = Path(explore(small, open_browser=True))
    try:
        assert opened == [path.as_uri()] and path.read_text(encoding="utf-8").startswith("<!")
    finally:
        path.unlink()
