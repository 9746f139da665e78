"""`pydotprint`: pictures of values and modules, and files of them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

import tir
from tests.inspect.programs import looping, training
from tir.inspect.pictures import pydotprint
from tir.ir.errors import TirError
from tir.viz import picture as drawing
from tir.viz.dot import to_dot

needs_graphviz = pytest.mark.skipif(
    importlib.util.find_spec("pygraphviz") is None, reason="the extra `viz` is not installed"
)


def without_graphviz(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)


def test_module_and_function_are_drawn_as_tir_translate_draws_them() -> None:
    module = training().module
    train = module.body.last
    assert train is not None
    assert pydotprint(module).dot == to_dot(module)
    assert pydotprint(train, title="t").dot == to_dot(module, function=train, title="t")


def test_value_is_drawn_with_what_it_is_computed_from_and_nothing_else() -> None:
    b = tir.Builder()
    with b.function("f", x="tensor<3xf32>", y="tensor<3xf32>") as (x, y):
        z = b.exp(x)
        b.returns(z * y)
    dot = pydotprint(z, name_of={x.value: "image"}.get).dot
    assert "tir.exp" in dot and "%image" in dot and "tir.mul" not in dot and "%y" not in dot
    assert "tir.exp" in b.module_text() and x.value.hint == "x"  # the program itself is as it was


def test_insides_of_loops_can_be_left_out() -> None:
    assert "tir.tanh</b>" in pydotprint(looping().module).dot
    assert "tir.tanh</b>" not in pydotprint(looping().module, scan_graphs=False).dot


@needs_graphviz
@pytest.mark.parametrize(("name", "format", "start"), [
    ("a.png", None, b"\x89PNG"), ("a.svg", None, b"<?xml"), ("a.dot", None, b"digraph"), ("a", None, b"\x89PNG"),
    ("a.png", "svg", b"<?xml"),
])  # fmt: skip
def test_ending_of_the_file_or_the_format_says_what_is_written(
    name: str, format: str | None, start: bytes, tmp_path: Path
) -> None:
    pydotprint(training().module, tmp_path / name, format)
    assert (tmp_path / name).read_bytes().startswith(start)


@needs_graphviz
def test_notebook_shows_the_picture() -> None:
    made = pydotprint(training().module)
    assert "<svg" in (made._repr_svg_() or "")
    assert "a picture of" in repr(made)


def test_without_graphviz_there_is_the_text_and_an_error_that_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_graphviz(monkeypatch)
    made = pydotprint(training().module, tmp_path / "a")
    assert (tmp_path / "a").read_text().startswith("digraph") and made._repr_svg_() is None
    with pytest.raises(TirError, match=r"pip install 'tir-compiler\[viz\]'"):
        pydotprint(training().module, tmp_path / "a.png")
    assert not (tmp_path / "a.png").exists()


def test_too_large_a_picture_is_refused_where_it_is_drawn_and_a_notebook_shows_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(drawing, "MAX_NODES", 3)
    assert pydotprint(training().module)._repr_svg_() is None


def test_keywords_of_theano_are_taken() -> None:
    assert pydotprint(training().module, compact=True, with_ids=True, max_label_size=30).dot
