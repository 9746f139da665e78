"""`ir_at`: the text of each level is what runs there, and each op in it comes from a line of the program."""

from __future__ import annotations

import re

import numpy as np
import pytest

import tir
from tests.inspect.programs import HERE, line_of, looping, place_of, training
from tir.api import for_this_machine
from tir.inspect.levels import LEVELS, IRText, advance, ir_at
from tir.ir.errors import (
    CallSiteLocation,
    ExecutionError,
    FileLocation,
    FusedLocation,
    NameLocation,
    places_of,
    places_text,
)
from tir.ir.pass_manager import run_pipeline
from tir.ir.printer import print_op
from tir.machines import lowered_for

#: level -> what its text has, and what only an earlier one has
MARKS = {
    "tensor": ("tir.grad", "linalg"), "optimized": ("tir.softplus", "tir.grad"), "structured": ("linalg.generic", "tir.dot"),
    "fused": ("linalg.generic", "tir.dot"), "buffers": ("memref.alloc", "tir.read"), "loops": ("scf.parallel", "linalg"),
    "llvm": ("define i32 @train", "scf."), "asm": (".text", "define"),
}  # fmt: skip


@pytest.mark.parametrize("level", LEVELS)
def test_text_of_a_level_has_the_ops_of_that_level(level: str) -> None:
    module = training().module
    before = print_op(module)
    text = ir_at(module, level)
    has, has_not = MARKS[level]
    assert has in text and has_not not in text
    assert print_op(module) == before


def test_loops_and_llvm_are_those_that_the_executable_compiles() -> None:
    copy = training().module.clone()
    run_pipeline(for_this_machine(), copy)
    assert ir_at(training().module, "loops") == print_op(copy)
    assert ir_at(training().module, "llvm") == lowered_for(copy).text


def test_fusing_leaves_fewer_ops() -> None:
    counts = {level: ir_at(training().module, level).count("linalg.generic") for level in ("structured", "fused")}
    assert counts["fused"] < counts["structured"]


@pytest.mark.parametrize("level", ["structured", "fused", "buffers", "loops"])
def test_text_of_a_level_runs_as_the_program_does(level: str) -> None:
    x, y = np.linspace(-1, 1, 128, dtype=np.float32).reshape(2, 64), np.array([3, 9], np.int32)
    module = tir.parse(ir_at(training().module, level))
    (want,), (got,) = (tir.executable(m, "interpret").call("train", [x, y]) for m in (training().module, module))
    np.testing.assert_allclose(got, want, rtol=1e-5)  # the sums are in another order


def test_levels_below_the_given_one_are_reached_from_any() -> None:
    fused = tir.parse(ir_at(training().module, "fused"))
    assert ir_at(fused, "tensor") == print_op(fused)
    assert "scf.parallel" in ir_at(fused, "loops")


def test_stricter_mode_keeps_what_only_lessens_errors() -> None:
    assert "tir.softplus" not in ir_at(training().module, "optimized", fp_mode="strict")


# --- lines of the program --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("program", [training, looping])
def test_each_op_of_each_level_has_a_line_of_the_program(program: object) -> None:
    module = program().module.clone()  # type: ignore[operator]
    first = last = "tensor"
    for last in ("tensor", "optimized", "structured", "fused", "buffers", "loops"):
        advance(module, first, last)
        first = last
        lost = [op.name for op in module.walk() if op is not module and op.location.file_location() is None]
        assert not lost, last
    assert {place.file for op in module.walk() if (place := op.location.file_location())} == {str(HERE)}


def test_fused_loops_keep_all_their_lines() -> None:
    module = training().module.clone()
    advance(module, "tensor", "loops")
    told = {places_text(op.location) for op in module.walk()}
    places = {place.partition("(")[2].rstrip(")") or place for op in module.walk() for place in places_of(op.location)}
    for text in ("scores = ", "hidden = ", "cost = ", "b.update"):
        assert place_of(training, text) in places
    fused = [text for text in told if "gradient of tir.softplus" in text]
    assert any(f"gradient of tir.softmax_cross_entropy ({place_of(training, 'cost = ')})" in text for text in fused)


def softplus() -> tir.Builder:
    b = tir.Builder()
    with b.function("f", x="tensor<3xf32>", y="tensor<3xf32>") as (x, y):
        powers = b.exp(x)
        sums = 1 + powers
        logs = b.log(sums)
        kept = b.exp(y)
        others = b.log(1 + kept)
        b.returns(logs, kept, others)
    return b


def test_what_a_rule_makes_comes_from_each_line_that_only_it_needed() -> None:
    module = softplus().module.clone()
    advance(module, "tensor", "optimized")
    lines = [[int(place.rpartition(":")[2]) for place in places_of(op.location)]
             for op in module.walk() if op.name == "tir.softplus"]  # fmt: skip
    texts = (("logs = ", "sums = ", "powers = "), ("others = ",))  # what is kept is an op of its own
    assert lines == [[line_of(softplus, text) for text in one] for one in texts]


def test_llvm_names_lines_in_comments_and_compiles_all_the_same() -> None:
    text = ir_at(training().module, "llvm", locations=True)
    comments = [line.strip() for line in text.split("\n") if line.lstrip().startswith(";")]
    assert f"; {place_of(training, 'scores = ')}" in comments
    assert any("gradient of tir.dot" in comment for comment in comments)
    without = "\n".join(line for line in text.split("\n") if not line.lstrip().startswith(";"))
    assert without == ir_at(training().module, "llvm")


def test_locations_are_shown_where_they_are_wanted() -> None:
    line = line_of(training, "scores = ")
    assert f'"{HERE}":{line}:1' in ir_at(training().module, "fused", locations=True)
    assert "loc(" not in ir_at(training().module, "fused")


@pytest.mark.parametrize("target", ["cpu", "interpret"])
@pytest.mark.parametrize(("index", "text"), [(7, "picked = "), (-9, "picked = ")])
def test_errors_of_a_run_name_the_line_of_the_program(target: str, index: int, text: str) -> None:
    with pytest.raises(ExecutionError) as caught:
        tir.executable(looping().module, target).call("f", [np.ones((2, 3)), index])
    assert str(caught.value).startswith(f"{place_of(looping, text)}:1: tir.take: an index of axis 0")


@pytest.mark.parametrize(
    ("location", "want"),
    [
        (FileLocation("m.py", 7, 1), "m.py:7"),
        (FusedLocation((FileLocation("m.py", 9, 1), FileLocation("m.py", 7, 1), FileLocation("m.py", 9, 4))), "m.py:9, 7"),
        (NameLocation("gradient of tir.log", FileLocation("m.py", 7, 1)), "gradient of tir.log (m.py:7)"),
        (CallSiteLocation(FileLocation("f.py", 2, 1), FileLocation("m.py", 7, 1)), "f.py:2"),
        (FusedLocation(tuple(FileLocation(f"{i}.py", 1, 1) for i in range(6))), "0.py:1, 1.py:1, 2.py:1, 3.py:1 and 2 more"),
        (NameLocation("x"), ""),
    ],
)
def test_places_of_a_location_are_told_once_each(location: object, want: str) -> None:
    assert places_text(location) == want  # type: ignore[arg-type]


# --- how it is shown -------------------------------------------------------------------------------------------------


def test_text_is_shown_plainly_and_in_colours() -> None:
    text = ir_at(training().module, "tensor")
    assert isinstance(text, str) and repr(text) == text.rstrip("\n")
    page = text._repr_html_()
    plain = re.sub(r"<br>", "\n", re.sub(r"</?(?:pre|span)[^>]*>", "", page))
    for sign, entity in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#x27;", "'"), ("&amp;", "&")):
        plain = plain.replace(sign, entity)
    assert plain == text.rstrip("\n")
    assert page.count("<span") > 50


def test_names_of_a_program_stay_text_in_a_notebook() -> None:
    text = IRText('  %x = "<script>alert(1)</script>" // <b>\x1b[2J')
    assert "<script" not in text._repr_html_() and "<b>" not in text._repr_html_()
    assert "\x1b" not in text._repr_html_() and "\x1b" not in repr(text)


def test_what_is_long_is_cut_where_it_is_shown_and_nowhere_else() -> None:
    text = IRText("\n".join(["x" * 1000] + ["y"] * 3000))
    assert len(text) == 7000
    assert "600 more characters" in repr(text) and repr(text).endswith("... 1,001 more lines")
